//! A request's body: read to a limit of size and time, and unpacked.

use std::future::poll_fn;
use std::io::{self, Write};
use std::pin::Pin;
use std::time::Duration;

use axum::body::{Body, Bytes, HttpBody};
use axum::http::{HeaderMap, StatusCode, header};
use flate2::write::MultiGzDecoder;

use super::problem::Problem;

/// The longest body, after unpacking, in bytes.
pub const LONGEST: usize = 1024 * 1024;
/// The longest packed body: what cannot be packed gets a little longer by the attempt.
const LONGEST_PACKED: usize = LONGEST + 64 * 1024;
/// How long a body may take to arrive.
const PATIENCE: Duration = Duration::from_secs(30);
/// How much of a body that nobody wants is still read, so that whoever sends it gets to read the answer.
const SWALLOWED: usize = 8 * 1024 * 1024;
/// And for how long.
const SWALLOWING: Duration = Duration::from_secs(5);

/// Reads the body, if `wanted`.
///
/// # Errors
/// What `wanted` says; 413 for a long body, 415 for a packing that is not known, 408 for a slow one, 400 for one that is broken off or cannot be
/// unpacked.
pub async fn read(headers: &HeaderMap, mut body: Body, wanted: Result<(), Problem>) -> Result<Vec<u8>, Problem> {
    let read = async {
        wanted?;
        let mut sink = Sink::of(headers)?;
        while let Some(chunk) = next(&mut body).await {
            let chunk = chunk.map_err(|_| Problem::whole("broken_off", "the body did not arrive as a whole"))?;
            sink.take(&chunk)?;
        }
        sink.finish()
    };
    let slow = || Problem::new(StatusCode::REQUEST_TIMEOUT, "too_slow", "the body took too long to arrive");
    let read = tokio::time::timeout(PATIENCE, read).await.unwrap_or_else(|_| Err(slow()));
    if read.is_err() {
        swallow(headers, body).await;
    }
    read
}

/// Reads on for a while what is not wanted.
pub async fn swallow(headers: &HeaderMap, mut body: Body) {
    // Whoever waits to be told to go on has sent nothing yet, and will not.
    if headers.contains_key(header::EXPECT) {
        return;
    }
    let rest = async {
        let mut left = SWALLOWED;
        while let Some(Ok(chunk)) = next(&mut body).await {
            left = left.saturating_sub(chunk.len());
            if left == 0 {
                return;
            }
        }
    };
    // In either case the answer is given now.
    let _ = tokio::time::timeout(SWALLOWING, rest).await;
}

/// # Errors
/// When it is not UTF-8 (RFC 8259, section 8.1).
pub fn text(body: &[u8]) -> Result<&str, Problem> {
    std::str::from_utf8(body).map_err(|_| Problem::whole("invalid_json", "the body is not UTF-8"))
}

async fn next(body: &mut Body) -> Option<Result<Bytes, axum::Error>> {
    loop {
        match poll_fn(|context| Pin::new(&mut *body).poll_frame(context)).await? {
            Ok(frame) => match frame.into_data() {
                Ok(chunk) => return Some(Ok(chunk)),
                // Trailers.
                Err(_) => continue,
            },
            Err(error) => return Some(Err(error)),
        }
    }
}

/// Where the bytes go.
enum Sink {
    Plain(Vec<u8>),
    Gzip { unpacker: Box<MultiGzDecoder<Capped>>, packed: usize },
}

impl Sink {
    fn of(headers: &HeaderMap) -> Result<Sink, Problem> {
        let mut encodings = headers.get_all(header::CONTENT_ENCODING).iter();
        let encoding = encodings.next().map_or("identity", |value| value.to_str().unwrap_or("?").trim());
        let known = |names: &[&str]| names.iter().any(|name| encoding.eq_ignore_ascii_case(name));
        if encodings.next().is_none() && known(&["identity", ""]) {
            // Nothing is allocated because of what a header promises.
            return match length(headers) {
                Some(length) if length > LONGEST => Err(too_large()),
                _ => Ok(Sink::Plain(Vec::new())),
            };
        }
        if headers.get_all(header::CONTENT_ENCODING).iter().count() == 1 && known(&["gzip", "x-gzip"]) {
            return match length(headers) {
                Some(length) if length > LONGEST_PACKED => Err(too_large()),
                _ => Ok(Sink::Gzip { unpacker: Box::new(MultiGzDecoder::new(Capped::default())), packed: 0 }),
            };
        }
        let words = "this Content-Encoding is not known; send gzip, or nothing";
        Err(Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "unsupported_encoding", words))
    }

    fn take(&mut self, chunk: &[u8]) -> Result<(), Problem> {
        match self {
            Sink::Plain(bytes) if bytes.len() + chunk.len() > LONGEST => Err(too_large()),
            Sink::Plain(bytes) => {
                bytes.extend_from_slice(chunk);
                Ok(())
            }
            Sink::Gzip { unpacker, packed } => {
                *packed += chunk.len();
                if *packed > LONGEST_PACKED {
                    return Err(too_large());
                }
                let unpacked = unpacker.write_all(chunk);
                unpacked.map_err(|_| broken(unpacker.get_ref()))
            }
        }
    }

    fn finish(self) -> Result<Vec<u8>, Problem> {
        match self {
            Sink::Plain(bytes) => Ok(bytes),
            Sink::Gzip { mut unpacker, .. } => {
                unpacker.try_finish().map_err(|_| broken(unpacker.get_ref()))?;
                Ok(std::mem::take(&mut unpacker.get_mut().bytes))
            }
        }
    }
}

/// Takes bytes up to the limit.
#[derive(Default)]
struct Capped {
    bytes: Vec<u8>,
    over: bool,
}

impl Write for Capped {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.bytes.len() + bytes.len() > LONGEST {
            self.over = true;
            return Err(io::Error::other("over the limit"));
        }
        self.bytes.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn length(headers: &HeaderMap) -> Option<usize> {
    headers.get(header::CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

fn broken(unpacked: &Capped) -> Problem {
    if unpacked.over { too_large() } else { Problem::whole("invalid_gzip", "the body is no gzip, or is broken off") }
}

fn too_large() -> Problem {
    let words = format!("the body is longer than {LONGEST} bytes (after unpacking); send it in several");
    Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "too_large", words)
}
