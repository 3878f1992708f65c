//! Messages over a pair of byte streams (LSP 3.17, "Base Protocol"). Whatever comes in is a message, or something that can be answered with an error: only
//! the end of the stream ends the reading.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::thread::{Builder, JoinHandle};

use crossbeam_channel::{Receiver, Sender, bounded, unbounded};
use serde_json::{Map, Value, json};

/// The longest message that is taken, in bytes.
const MAX_LENGTH: usize = 64 * 1024 * 1024;
/// How many messages may wait before the editor has to.
const WAITING: usize = 1024;
const LENGTH: &[u8] = b"content-length:";

/// Why something is not answered as it was asked (LSP 3.17, "Error Codes"; JSON-RPC 2.0, section 5.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorCode {
    Parse = -32700,
    InvalidRequest = -32600,
    MethodNotFound = -32601,
    InvalidParams = -32602,
    ServerNotInitialized = -32002,
    RequestFailed = -32803,
    RequestCancelled = -32800,
}

/// Something that the editor sent.
#[derive(Debug, Clone, PartialEq)]
pub enum Incoming {
    Request {
        id: Value,
        method: String,
        params: Value,
    },
    Notification {
        method: String,
        params: Value,
    },
    /// The answer to something that it was asked.
    Response,
    /// What it cannot mean; it is told so under this id (null: none can be made out).
    Malformed {
        id: Value,
        code: ErrorCode,
        message: String,
    },
}

/// Both ends of a conversation.
pub struct Connection {
    pub sender: Sender<Value>,
    pub receiver: Receiver<Incoming>,
}

/// Starts a conversation over standard input and output. The thread ends once everything that was sent is written.
///
/// # Errors
/// When the system has no threads to give.
pub fn stdio() -> io::Result<(Connection, JoinHandle<io::Result<()>>)> {
    let (sender, outgoing) = unbounded::<Value>();
    let (incoming, receiver) = bounded(WAITING);
    let writer = Builder::new().name("write".to_owned()).spawn(move || {
        let mut output = io::stdout().lock();
        outgoing.iter().try_for_each(|message| write(&mut output, &message))
    })?;
    // Nobody waits for this one: it stands in a read that may never return.
    Builder::new().name("read".to_owned()).spawn(move || {
        let mut messages = Messages { input: BufReader::new(io::stdin()) };
        while let Ok(Some(message)) = messages.next() {
            if incoming.send(message).is_err() {
                return;
            }
        }
    })?;
    Ok((Connection { sender, receiver }, writer))
}

/// The answer to a request.
pub fn answer(id: &Value, result: Value) -> Value {
    json!({ "jsonrpc": "2.0", "id": id, "result": result })
}

/// That a request cannot be answered.
pub fn refusal(id: &Value, code: ErrorCode, message: &str) -> Value {
    json!({ "jsonrpc": "2.0", "id": id, "error": { "code": code as i32, "message": message } })
}

pub fn notification(method: &str, params: Value) -> Value {
    json!({ "jsonrpc": "2.0", "method": method, "params": params })
}

pub fn request(id: &str, method: &str, params: Value) -> Value {
    json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params })
}

fn write(output: &mut impl Write, message: &Value) -> io::Result<()> {
    let text = message.to_string();
    write!(output, "Content-Length: {}\r\n\r\n{text}", text.len())?;
    output.flush()
}

/// The messages of a stream.
struct Messages<R> {
    input: R,
}

impl<R: BufRead> Messages<R> {
    /// The next one. `None`: the stream is at its end.
    fn next(&mut self) -> io::Result<Option<Incoming>> {
        let length = match self.header()? {
            Some(Ok(length)) => length,
            Some(Err(message)) => {
                let code = ErrorCode::Parse;
                return Ok(Some(Incoming::Malformed { id: Value::Null, code, message }));
            }
            None => return Ok(None),
        };
        let mut body = Vec::new();
        (&mut self.input).take(length as u64).read_to_end(&mut body)?;
        Ok((body.len() == length).then(|| incoming(&body)))
    }

    /// Reads to the end of a header, and gives the length that it announces.
    fn header(&mut self) -> io::Result<Option<Result<usize, String>>> {
        let mut length = None;
        let mut any = false;
        loop {
            let mut line = Vec::new();
            (&mut self.input).take(MAX_LENGTH as u64).read_until(b'\n', &mut line)?;
            if line.is_empty() {
                return Ok(None);
            }
            let line = line.trim_ascii();
            // Where a message was longer than its header said, the next header stands behind the rest of it.
            if let Some(at) = line.windows(LENGTH.len()).rposition(|part| part.eq_ignore_ascii_case(LENGTH)) {
                length = Some(announced(&line[at + LENGTH.len()..]));
            }
            if line.is_empty() && any {
                return Ok(Some(length.unwrap_or_else(|| Err("this header has no Content-Length".to_owned()))));
            }
            any |= !line.is_empty();
        }
    }
}

fn announced(value: &[u8]) -> Result<usize, String> {
    let text = String::from_utf8_lossy(value.trim_ascii());
    match text.parse::<usize>() {
        Ok(length) if length <= MAX_LENGTH => Ok(length),
        Ok(_) => Err(format!("a message of {text} bytes is longer than the {MAX_LENGTH} that are taken")),
        Err(_) => Err("Content-Length is no number of bytes".to_owned()),
    }
}

fn incoming(body: &[u8]) -> Incoming {
    let malformed = |id, code, message: &str| Incoming::Malformed { id, code, message: message.to_owned() };
    let mut message: Map<String, Value> = match serde_json::from_slice(body) {
        Ok(Value::Object(message)) => message,
        Ok(Value::Array(_)) => {
            return malformed(
                Value::Null,
                ErrorCode::InvalidRequest,
                "send messages one by one: batches are no part of the protocol",
            );
        }
        Ok(_) => return malformed(Value::Null, ErrorCode::InvalidRequest, "a message is a JSON object"),
        Err(error) => return malformed(Value::Null, ErrorCode::Parse, &format!("this is not JSON: {error}")),
    };
    let id = message.remove("id");
    let usable = id.clone().filter(|id| id.is_string() || id.is_i64() || id.is_u64());
    let params = message.remove("params").unwrap_or_default();
    match (message.remove("method"), id, usable) {
        (Some(Value::String(method)), None, _) => Incoming::Notification { method, params },
        (Some(Value::String(method)), _, Some(id)) => Incoming::Request { id, method, params },
        (Some(Value::String(_)), Some(_), None) => {
            malformed(Value::Null, ErrorCode::InvalidRequest, "a request's id is a whole number or a text")
        }
        (None, Some(_), _) if message.contains_key("result") || message.contains_key("error") => Incoming::Response,
        (_, _, usable) => {
            malformed(usable.unwrap_or_default(), ErrorCode::InvalidRequest, "a message has a `method`, or is an answer")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is read of a stream, each message in a few words.
    #[track_caller]
    fn check(stream: &str, expected: &[&str]) {
        let mut messages = Messages { input: stream.as_bytes() };
        let mut told = Vec::new();
        while let Some(message) = messages.next().unwrap() {
            told.push(match message {
                Incoming::Request { id, method, .. } => format!("{method} {id}"),
                Incoming::Notification { method, .. } => method,
                Incoming::Response => "response".to_owned(),
                Incoming::Malformed { id, code, .. } => format!("{} {id}", code as i32),
            });
        }
        assert_eq!(told, expected, "{stream}");
    }

    fn framed(bodies: &[&str]) -> String {
        bodies.iter().map(|body| format!("Content-Length: {}\r\n\r\n{body}", body.len())).collect()
    }

    const ASK: &str = r#"{"jsonrpc":"2.0","id":1,"method":"ask"}"#;

    #[test]
    fn messages_of_every_kind() {
        let all = framed(&[ASK, r#"{"id":"x","method":"ask"}"#, r#"{"method":"tell","params":[]}"#, r#"{"id":1,"result":null}"#]);
        check(&all, &["ask 1", "ask \"x\"", "tell", "response"]);
        check(
            &framed(&[
                "[]",
                "1",
                r#"{"id":3}"#,
                r#"{"id":null,"method":"x"}"#,
                r#"{"id":1.5,"method":"x"}"#,
                r#"{"id":4,"method":5}"#,
            ]),
            &["-32600 null", "-32600 null", "-32600 3", "-32600 null", "-32600 null", "-32600 4"],
        );
        check(&framed(&["{", "{]}", "\u{fffd}", ASK]), &["-32700 null", "-32700 null", "-32700 null", "ask 1"]);
    }

    #[test]
    fn headers_that_are_wrong() {
        let good = framed(&[ASK]);
        for header in [
            "Content-Length: x\r\n\r\n",
            "Content-Length: -5\r\n\r\n{}",
            "Content-Length: 99999999999\r\n\r\n",
            "Nothing: 1\r\n\r\n{}",
            "rubbish\r\n\r\n",
        ] {
            check(&format!("{header}{good}"), &["-32700 null", "ask 1"]);
        }
        check(&format!("Content-Length: 5\r\n\r\n{ASK}{good}"), &["-32700 null", "ask 1"]);
        check(&format!("content-length:{}\nContent-Type: x\n\n{ASK}{good}", ASK.len()), &["ask 1", "ask 1"]);
        check(&format!("\r\n\r\n{good}"), &["ask 1"]);
        check("Content-Length: 50\r\n\r\n{}", &[]);
        check("", &[]);
    }

    proptest::proptest! {
        /// No stream is too strange, and what comes whole behind it is read, once a line begins.
        #[test]
        fn any_stream_is_read_to_its_end(rubbish in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..200)) {
            let mut messages = Messages { input: rubbish.as_slice() };
            while messages.next().unwrap().is_some() {}
        }
    }
}
