//! What comes from the editor, message by message.
//!
//! The protocol library stops at the first message that is no JSON. So each is read here first, and one that is wrong is
//! replaced by a request that the server answers with the error. `exit` becomes the end of the input: all that came
//! before it still gets its answer.

use tokio::io::{AsyncBufRead, AsyncBufReadExt, AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, BufReader};
use tower_lsp::jsonrpc::{Request, Response};

use crate::server::log;

/// The method that stands for a message that is no JSON.
pub(crate) const MALFORMED: &str = "$/wf/malformed";
/// The method that stands for JSON that is no message.
pub(crate) const INVALID: &str = "$/wf/invalid";

/// More turns than the library needs to answer a message.
const TURNS: usize = 16;
/// The longest line of a header.
const MAX_HEADER: u64 = 4096;
/// The largest message that is read; larger ones are passed over.
const MAX_MESSAGE: u64 = 256 << 20;

/// How serving ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// The editor said `shutdown` before it left.
    Orderly,
    /// It said `exit` only, or was gone.
    Abrupt,
}

/// Hands on messages until the editor says `exit` or closes its end.
pub(crate) async fn pump<I: AsyncRead + Unpin, O: AsyncWrite + Unpin>(input: I, mut output: O) -> End {
    let mut input = BufReader::new(input);
    let mut end = End::Abrupt;
    while let Some(body) = message(&mut input).await {
        let kind = kind(&body);
        let starts = matches!(kind, Kind::Initialize);
        let body = match kind {
            Kind::Exit => break,
            Kind::Shutdown => {
                end = End::Orderly;
                body
            }
            Kind::Initialize | Kind::Other => body,
            Kind::Wrong(method) => format!(r#"{{"jsonrpc":"2.0","id":null,"method":"{method}"}}"#).into_bytes(),
        };
        let header = format!("Content-Length: {}\r\n\r\n", body.len());
        if output.write_all(header.as_bytes()).await.is_err() || output.write_all(&body).await.is_err() {
            break;
        }
        // The library drops what it reads before it has answered this one, and it answers on this task.
        for _ in 0..if starts { TURNS } else { 0 } {
            tokio::task::yield_now().await;
        }
    }
    end
}

enum Kind {
    Initialize,
    Exit,
    Shutdown,
    Other,
    Wrong(&'static str),
}

fn kind(body: &[u8]) -> Kind {
    match serde_json::from_slice::<Request>(body) {
        Ok(request) if request.method() == "initialize" => Kind::Initialize,
        Ok(request) if request.method() == "exit" => Kind::Exit,
        Ok(request) if request.method() == "shutdown" => Kind::Shutdown,
        Ok(_) => Kind::Other,
        Err(_) if serde_json::from_slice::<Response>(body).is_ok() => Kind::Other,
        Err(error) => {
            log(&format!("a message of the editor is not understood: {error}"));
            Kind::Wrong(if error.is_data() { INVALID } else { MALFORMED })
        }
    }
}

/// The body of the next message; `None` when there are no more.
async fn message(input: &mut (impl AsyncBufRead + Unpin)) -> Option<Vec<u8>> {
    loop {
        let length = header(input).await?;
        if length > MAX_MESSAGE {
            log(&format!("a message of {length} bytes is too large and passed over"));
            tokio::io::copy(&mut input.take(length), &mut tokio::io::sink()).await.ok()?;
            continue;
        }
        let mut body = Vec::new();
        input.take(length).read_to_end(&mut body).await.ok()?;
        if body.len() as u64 != length {
            return None;
        }
        if length > 0 {
            return Some(body);
        }
    }
}

/// The length that the next header gives; a header without one is passed over.
async fn header(input: &mut (impl AsyncBufRead + Unpin)) -> Option<u64> {
    let mut length = None;
    loop {
        let mut line = Vec::new();
        input.take(MAX_HEADER).read_until(b'\n', &mut line).await.ok()?;
        if line.is_empty() {
            return None;
        }
        let line = String::from_utf8_lossy(&line);
        let line = line.trim();
        match (line.is_empty(), length) {
            (true, Some(length)) => return Some(length),
            (true, None) => {}
            (false, _) => length = content_length(line).or(length),
        }
    }
}

/// The length in a header line, which may have something else before it that belongs to no message.
fn content_length(line: &str) -> Option<u64> {
    const NAME: &str = "content-length:";
    let at = line.to_ascii_lowercase().rfind(NAME)?;
    line[at + NAME.len()..].trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn pumped(input: &str) -> (End, String) {
        let mut output = Vec::new();
        let end = pump(input.as_bytes(), &mut output).await;
        (end, String::from_utf8(output).expect("text"))
    }

    fn framed(body: &str) -> String {
        format!("Content-Length: {}\r\n\r\n{body}", body.len())
    }

    #[tokio::test]
    async fn garbage_is_answered_or_passed_over() {
        let good = r#"{"jsonrpc":"2.0","method":"a"}"#;
        let wrong = |method| framed(&format!(r#"{{"jsonrpc":"2.0","id":null,"method":"{method}"}}"#));
        assert_eq!(pumped(&(framed("{") + &framed(good))).await.1, wrong(MALFORMED) + &framed(good));
        assert_eq!(pumped(&(framed("[1]") + &framed(good))).await.1, wrong(INVALID) + &framed(good));
        assert_eq!(pumped(&format!("noise\r\n\r\n{}", framed(good))).await.1, framed(good));
        assert_eq!(pumped(&format!("noise{}", framed(good))).await.1, framed(good));
        let typed = format!("content-type: x\r\nA: b\r\nC: d\r\n{}", framed(good));
        assert_eq!(pumped(&typed).await.1, framed(good));
        assert_eq!(pumped("Content-Length: 12\r\n\r\n{").await, (End::Abrupt, String::new()));
        assert_eq!(pumped("Content-Length: -3\r\n\r\n").await, (End::Abrupt, String::new()));
    }

    #[tokio::test]
    async fn exit_ends_the_input() {
        let (shutdown, exit) =
            (r#"{"jsonrpc":"2.0","id":1,"method":"shutdown"}"#, r#"{"jsonrpc":"2.0","method":"exit"}"#);
        let input = framed(shutdown) + &framed(exit) + &framed(shutdown);
        assert_eq!(pumped(&input).await, (End::Orderly, framed(shutdown)));
        assert_eq!(pumped(&framed(exit)).await, (End::Abrupt, String::new()));
    }
}
