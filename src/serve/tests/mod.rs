//! Real servers, asked by the real client and in raw bytes.

mod live;
mod socket;
mod tcp;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::sync::watch;

use super::{Live, More, Next};

/// What a page tells; an empty text is the last.
#[derive(Clone)]
struct Telling(watch::Sender<String>);

impl Default for Telling {
    fn default() -> Self {
        Self(watch::Sender::new("as it began".to_owned()))
    }
}

impl Telling {
    fn tell(&self, text: &str) {
        self.0.send_replace(text.to_owned());
    }

    fn live(&self) -> Live {
        let (page, part, changing) = (self.0.clone(), self.0.clone(), self.0.clone());
        let next = move || {
            let mut changes = changing.subscribe();
            let more = async move {
                let told = changes.changed().await;
                if told.is_err() || changes.borrow().is_empty() { More::Ends } else { More::Changed }
            };
            Box::pin(more) as Next
        };
        Live {
            page: Box::new(move || format!("<p>{}</p>", *page.borrow())),
            part: Box::new(move || part.borrow().clone()),
            next: Box::new(next),
            policy: "default-src 'none'".to_owned(),
        }
    }
}

/// Sends raw bytes and returns everything that comes back.
async fn say(mut stream: impl AsyncRead + AsyncWrite + Unpin, request: &str) -> String {
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    // A server that hangs up on what it did not read to its end resets the connection.
    stream.read_to_end(&mut answer).await.ok();
    String::from_utf8(answer).unwrap()
}

/// Returns the status of an answer.
fn status(answer: &str) -> u16 {
    answer.split(' ').nth(1).unwrap_or_else(|| panic!("no status in {answer:?}")).parse().unwrap()
}

fn body(answer: &str) -> &str {
    answer.split_once("\r\n\r\n").unwrap().1
}
