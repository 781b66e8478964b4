//! The body of an answer as it arrived: at most 8 MiB of it, decompressed, without a byte order mark.
//!
//! No compression is asked for; a gateway may send it all the same. Never says what the body means.

use std::io::{self, Read};

use flate2::read::{DeflateDecoder, MultiGzDecoder, ZlibDecoder};
use reqwest::Response;
use reqwest::header::CONTENT_ENCODING;

/// Most bytes of an answer that are read, decompressed; a full page of search results stays far below.
pub(super) const MAX_BODY_BYTES: usize = 8 * 1024 * 1024;

/// What every file of the gzip format begins with, and no JSON and no text.
const GZIP: [u8; 2] = [0x1f, 0x8b];

/// Most encodings, one upon the other, that are undone.
const MAX_ENCODINGS: usize = 4;

const BYTE_ORDER_MARK: [u8; 3] = [0xef, 0xbb, 0xbf];

/// As much of a body as could be read, and how it ended.
pub(super) struct Received {
    pub(super) body: Vec<u8>,
    pub(super) end: End,
}

/// How the body of an answer ended.
pub(super) enum End {
    Whole,
    TooLarge,
    /// The connection broke.
    Lost(reqwest::Error),
    /// What is compressed stops in the middle.
    Cut(io::Error),
    /// It is compressed in a way that cannot be read.
    Undecodable,
}

impl Received {
    pub(super) async fn all_of(mut response: Response) -> Self {
        let encodings = encodings(&response);
        let mut body = Vec::new();
        let end = loop {
            match response.chunk().await {
                Ok(Some(chunk)) if body.len() + chunk.len() > MAX_BODY_BYTES => break End::TooLarge,
                Ok(Some(chunk)) => body.extend_from_slice(&chunk),
                Ok(None) => break End::Whole,
                Err(source) => break End::Lost(source),
            }
        };
        let mut received = Self { body, end };
        received.decompress(&encodings);
        if received.body.starts_with(&BYTE_ORDER_MARK) {
            received.body.drain(..BYTE_ORDER_MARK.len());
        }
        received
    }

    /// Undoes the encodings, the one that was applied last first.
    fn decompress(&mut self, encodings: &[String]) {
        for encoding in encodings.iter().rev().take(MAX_ENCODINGS) {
            let decoded = match encoding.as_str() {
                // Left over from where it was decompressed already.
                "gzip" | "x-gzip" if !self.body.starts_with(&GZIP) => continue,
                "gzip" | "x-gzip" => read(MultiGzDecoder::new(self.body.as_slice())),
                "deflate" => inflate(&self.body),
                "identity" | "" => continue,
                _ => Self { body: Vec::new(), end: End::Undecodable },
            };
            self.replace(decoded);
        }
        // The header may have been lost.
        if self.body.starts_with(&GZIP) {
            self.replace(read(MultiGzDecoder::new(self.body.as_slice())));
        }
    }

    fn replace(&mut self, decoded: Self) {
        self.body = decoded.body;
        // Of a body that did not arrive whole, the end of what did is no news.
        if matches!(self.end, End::Whole) {
            self.end = decoded.end;
        }
    }
}

fn encodings(response: &Response) -> Vec<String> {
    let values = response.headers().get_all(CONTENT_ENCODING).iter().filter_map(|value| value.to_str().ok());
    values.flat_map(|value| value.split(',')).map(|name| name.trim().to_ascii_lowercase()).collect()
}

/// Reads `deflate`, which by its definition is zlib's format and by many servers' the bare one.
fn inflate(body: &[u8]) -> Received {
    let is_zlib = matches!(body, [first, second, ..] if first & 0xf == 8 && (u16::from(*first) << 8 | u16::from(*second)) % 31 == 0);
    if is_zlib { read(ZlibDecoder::new(body)) } else { read(DeflateDecoder::new(body)) }
}

fn read(decoder: impl Read) -> Received {
    let limit = u64::try_from(MAX_BODY_BYTES).expect("the limit is small");
    let mut body = Vec::new();
    let end = match decoder.take(limit + 1).read_to_end(&mut body) {
        Ok(_) if body.len() > MAX_BODY_BYTES => End::TooLarge,
        Ok(_) => End::Whole,
        Err(source) if source.kind() == io::ErrorKind::UnexpectedEof => End::Cut(source),
        Err(_) => End::Undecodable,
    };
    body.truncate(MAX_BODY_BYTES);
    Received { body, end }
}
