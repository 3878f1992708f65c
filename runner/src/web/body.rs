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
/// A packed body may be longer by this: what cannot be packed gets a little longer by the attempt.
const PACKING: usize = 64 * 1024;
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
pub async fn read(headers: &HeaderMap, body: Body, wanted: Result<(), Problem>) -> Result<Vec<u8>, Problem> {
    read_up_to(headers, body, wanted, LONGEST).await
}

/// The same with a limit of its own, in bytes after unpacking.
///
/// # Errors
/// As for [`read`].
pub async fn read_up_to(
    headers: &HeaderMap,
    mut body: Body,
    wanted: Result<(), Problem>,
    longest: usize,
) -> Result<Vec<u8>, Problem> {
    let read = async {
        wanted?;
        let mut sink = Sink::of(headers, longest)?;
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
    Plain(Capped),
    Gzip { unpacker: Box<MultiGzDecoder<Capped>>, packed: usize },
}

impl Sink {
    fn of(headers: &HeaderMap, longest: usize) -> Result<Sink, Problem> {
        let mut encodings = headers.get_all(header::CONTENT_ENCODING).iter();
        let encoding = encodings.next().map_or("identity", |value| value.to_str().unwrap_or("?").trim());
        let known = |names: &[&str]| names.iter().any(|name| encoding.eq_ignore_ascii_case(name));
        if encodings.next().is_none() && known(&["identity", ""]) {
            // Nothing is allocated because of what a header promises.
            return match length(headers) {
                Some(length) if length > longest => Err(too_large(longest)),
                _ => Ok(Sink::Plain(Capped::at(longest))),
            };
        }
        if headers.get_all(header::CONTENT_ENCODING).iter().count() == 1 && known(&["gzip", "x-gzip"]) {
            return match length(headers) {
                Some(length) if length > longest + PACKING => Err(too_large(longest)),
                _ => Ok(Sink::Gzip { unpacker: Box::new(MultiGzDecoder::new(Capped::at(longest))), packed: 0 }),
            };
        }
        let words = "this Content-Encoding is not known; send gzip, or nothing";
        Err(Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "unsupported_encoding", words))
    }

    fn take(&mut self, chunk: &[u8]) -> Result<(), Problem> {
        match self {
            Sink::Plain(capped) => capped.write_all(chunk).map_err(|_| too_large(capped.longest)),
            Sink::Gzip { unpacker, packed } => {
                *packed += chunk.len();
                let longest = unpacker.get_ref().longest;
                if *packed > longest + PACKING {
                    return Err(too_large(longest));
                }
                let unpacked = unpacker.write_all(chunk);
                unpacked.map_err(|_| broken(unpacker.get_ref()))
            }
        }
    }

    fn finish(self) -> Result<Vec<u8>, Problem> {
        match self {
            Sink::Plain(capped) => Ok(capped.bytes),
            Sink::Gzip { mut unpacker, .. } => {
                unpacker.try_finish().map_err(|_| broken(unpacker.get_ref()))?;
                Ok(std::mem::take(&mut unpacker.get_mut().bytes))
            }
        }
    }
}

/// Takes bytes up to the limit.
struct Capped {
    bytes: Vec<u8>,
    longest: usize,
    over: bool,
}

impl Capped {
    fn at(longest: usize) -> Capped {
        Capped { bytes: Vec::new(), longest, over: false }
    }
}

impl Write for Capped {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.bytes.len() + bytes.len() > self.longest {
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
    if unpacked.over {
        too_large(unpacked.longest)
    } else {
        Problem::whole("invalid_gzip", "the body is no gzip, or is broken off")
    }
}

fn too_large(longest: usize) -> Problem {
    let words = format!("the body is longer than {longest} bytes (after unpacking); send it in several");
    Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "too_large", words)
}
