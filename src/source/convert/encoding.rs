//! From the bytes of a table to UTF-8, piece by piece.
//!
//! Never guesses among encodings of one byte a character: what is not UTF-8 and bears no mark is taken for Windows-1252,
//! and that is told.

use std::fmt;
use std::io::{self, Read, Seek, SeekFrom};
use std::str::FromStr;

use encoding_rs::{DecoderResult, UTF_8, UTF_16BE, UTF_16LE, WINDOWS_1252};

use super::lines::Lines;

/// How the text of a table is written down.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encoding {
    Utf8,
    Utf16Le,
    Utf16Be,
    Windows1252,
}

impl Encoding {
    const ALL: [Self; 4] = [Self::Utf8, Self::Utf16Le, Self::Utf16Be, Self::Windows1252];

    fn decoder(self) -> encoding_rs::Decoder {
        let encoding = match self {
            Self::Utf8 => UTF_8,
            Self::Utf16Le => UTF_16LE,
            Self::Utf16Be => UTF_16BE,
            Self::Windows1252 => WINDOWS_1252,
        };
        encoding.new_decoder_without_bom_handling()
    }

    /// Returns the mark that a text of this encoding may begin with.
    fn mark(self) -> &'static [u8] {
        match self {
            Self::Utf8 => b"\xef\xbb\xbf",
            Self::Utf16Le => b"\xff\xfe",
            Self::Utf16Be => b"\xfe\xff",
            Self::Windows1252 => b"",
        }
    }
}

impl fmt::Display for Encoding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Utf8 => "UTF-8",
            Self::Utf16Le => "UTF-16LE",
            Self::Utf16Be => "UTF-16BE",
            Self::Windows1252 => "Windows-1252",
        })
    }
}

impl FromStr for Encoding {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let found = Self::ALL.into_iter().find(|encoding| encoding.to_string().eq_ignore_ascii_case(text));
        let known: Vec<String> = Self::ALL.iter().map(|encoding| encoding.to_string().to_lowercase()).collect();
        found.ok_or_else(|| format!("it is one of {}", known.join(", ")))
    }
}

/// What a file looks like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Looks {
    Text(Encoding),
    /// A workbook of a spreadsheet program.
    Workbook,
    /// It holds zero bytes.
    Binary,
    /// It holds UTF-8, and bytes that are none.
    Mixed,
}

/// What is read of a file at a time, in bytes.
const PIECE: usize = 64 * 1024;

/// Looks at all of a file, and goes back to its beginning.
pub(super) fn look(file: &mut (impl Read + Seek)) -> io::Result<Looks> {
    file.seek(SeekFrom::Start(0))?;
    let looks = look_from_here(file);
    file.seek(SeekFrom::Start(0))?;
    looks
}

fn look_from_here(file: &mut impl Read) -> io::Result<Looks> {
    let mut piece = vec![0; PIECE];
    let (mut held, mut is_first, mut has_utf8) = (0, true, false);
    loop {
        let read = read(file, &mut piece[held..])?;
        let bytes = &piece[..held + read];
        if is_first {
            is_first = false;
            let marked = Encoding::ALL.into_iter().find(|encoding| has_mark(bytes, *encoding));
            if let Some(encoding) = marked.filter(|encoding| *encoding != Encoding::Utf8) {
                return Ok(Looks::Text(encoding));
            }
            if bytes.starts_with(b"PK\x03\x04") || bytes.starts_with(b"\xd0\xcf\x11\xe0") {
                return Ok(Looks::Workbook);
            }
            if bytes.contains(&0) {
                return Ok(Looks::Binary);
            }
        }
        let (valid, is_over) = match std::str::from_utf8(bytes) {
            Ok(text) => (text.len(), false),
            // A character that goes on in the next piece.
            Err(error) if error.error_len().is_none() && read > 0 => (error.valid_up_to(), false),
            Err(error) => (error.valid_up_to(), true),
        };
        has_utf8 |= !bytes[..valid].is_ascii();
        if is_over {
            return Ok(if has_utf8 { Looks::Mixed } else { Looks::Text(Encoding::Windows1252) });
        }
        if read == 0 {
            return Ok(Looks::Text(Encoding::Utf8));
        }
        let rest = valid..bytes.len();
        held = rest.len();
        piece.copy_within(rest, 0);
    }
}

fn has_mark(bytes: &[u8], encoding: Encoding) -> bool {
    !encoding.mark().is_empty() && bytes.starts_with(encoding.mark())
}

/// Fills as much of `piece` as there is.
fn read(file: &mut impl Read, piece: &mut [u8]) -> io::Result<usize> {
    let mut filled = 0;
    while filled < piece.len() {
        match file.read(&mut piece[filled..]) {
            Ok(0) => break,
            Ok(more) => filled += more,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
}

/// Reads a text as UTF-8, without its mark, and notes where its lines begin.
///
/// Bytes that mean nothing in the encoding are an error of the kind `InvalidData`.
pub(super) struct Decoded<R> {
    input: R,
    encoding: Encoding,
    decoder: encoding_rs::Decoder,
    raw: Vec<u8>,
    text: Vec<u8>,
    /// What of `text` was not read yet.
    left: std::ops::Range<usize>,
    is_begun: bool,
    is_over: bool,
    pub(super) lines: Lines,
}

impl<R: Read> Decoded<R> {
    pub(super) fn new(input: R, encoding: Encoding) -> Self {
        Self {
            input,
            encoding,
            decoder: encoding.decoder(),
            raw: vec![0; PIECE],
            // Three bytes for one in the worst case.
            text: vec![0; PIECE * 3 + 16],
            left: 0..0,
            is_begun: false,
            is_over: false,
            lines: Lines::default(),
        }
    }

    fn refill(&mut self) -> io::Result<()> {
        let read = read(&mut self.input, &mut self.raw)?;
        let mut bytes = &self.raw[..read];
        if !std::mem::replace(&mut self.is_begun, true) && has_mark(bytes, self.encoding) {
            bytes = &bytes[self.encoding.mark().len()..];
        }
        self.is_over = read < self.raw.len();
        let (result, _, written) = self.decoder.decode_to_utf8_without_replacement(bytes, &mut self.text, self.is_over);
        self.left = 0..written;
        self.lines.take(&self.text[..written]);
        match result {
            DecoderResult::Malformed(..) => {
                let (line, encoding) = (self.lines.last(), self.encoding);
                let text = format!("line {line} holds bytes that mean nothing in {encoding}");
                Err(io::Error::new(io::ErrorKind::InvalidData, text))
            }
            DecoderResult::InputEmpty | DecoderResult::OutputFull => Ok(()),
        }
    }
}

impl<R: Read> Read for Decoded<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        while self.left.is_empty() && !self.is_over {
            self.refill()?;
        }
        let count = self.left.len().min(out.len());
        out[..count].copy_from_slice(&self.text[self.left.start..self.left.start + count]);
        self.left.start += count;
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;

    fn utf16(text: &str, to_bytes: impl Fn(u16) -> [u8; 2]) -> Vec<u8> {
        text.encode_utf16().flat_map(to_bytes).collect()
    }

    #[track_caller]
    fn check(bytes: &[u8], encoding: Encoding, text: &str) {
        assert_eq!(look(&mut Cursor::new(bytes)).unwrap(), Looks::Text(encoding));
        let mut read = String::new();
        Decoded::new(bytes, encoding).read_to_string(&mut read).unwrap();
        assert_eq!(read, text);
    }

    #[test]
    fn a_text_is_read_in_each_encoding_without_its_mark() {
        let long = "Zoë Müller, 李雷 🚢\r\n".repeat(9_000);
        check(long.as_bytes(), Encoding::Utf8, &long);
        check(format!("\u{feff}{long}").as_bytes(), Encoding::Utf8, &long);
        check(&utf16(&format!("\u{feff}{long}"), u16::to_le_bytes), Encoding::Utf16Le, &long);
        check(&utf16(&format!("\u{feff}{long}"), u16::to_be_bytes), Encoding::Utf16Be, &long);
        check(b"Zo\xeb \x80 \x93x\x94", Encoding::Windows1252, "Zoë € “x”");
        let late = [vec![b'a'; PIECE * 2], vec![0xe9]].concat();
        assert_eq!(look(&mut Cursor::new(&late)).unwrap(), Looks::Text(Encoding::Windows1252));
        check(b"", Encoding::Utf8, "");
        check("é".as_bytes(), Encoding::Utf8, "é");
    }

    #[test]
    fn what_is_no_text_is_known() {
        assert_eq!(look(&mut Cursor::new(b"PK\x03\x04..")).unwrap(), Looks::Workbook);
        assert_eq!(look(&mut Cursor::new(b"a\0b\0")).unwrap(), Looks::Binary);
        assert_eq!(look(&mut Cursor::new(b"Zo\xc3\xab, \xeb")).unwrap(), Looks::Mixed);
        let fault = Decoded::new(&b"a\nb\nc\xff"[..], Encoding::Utf8).read_to_string(&mut String::new()).unwrap_err();
        assert_eq!(fault.to_string(), "line 3 holds bytes that mean nothing in UTF-8");
    }
}
