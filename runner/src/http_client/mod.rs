//! An HTTP client (RFC 9110, RFC 9112) for addresses that may be made of data: it connects to nothing but the address it has checked, follows
//! no redirect, waits for nothing longer than it was told, and reads no more of an answer than is of use.
//!
//! It says of every request that came to nothing whether the other side can have acted on it.

mod connect;
mod guard;
#[cfg(test)]
pub(crate) mod test_server;
mod url;

use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use hyper::body::{Body, Incoming};
use hyper::client::conn::http1::SendRequest;
use hyper::header::{HOST, HeaderName, HeaderValue, RETRY_AFTER};
use hyper::{Method, Response};
use tokio::time::{Instant, timeout};
use tokio_rustls::rustls;

pub use connect::Client;
pub use guard::{Guard, is_public};
pub use url::{Host, Origin, Url, UrlError};

/// How much of an answer is read, in bytes.
pub const MOST_READ: usize = 64 * 1024;
/// A connection that was idle for this long is not used again: servers close theirs after five seconds and more, and a request that crosses
/// with that is one of which nobody knows whether it was taken.
pub const FRESH: Duration = Duration::from_secs(4);
/// To so many places a worker keeps connections.
const MOST_KEPT: usize = 4;

/// One request. Content-Length and Host are the client's own.
#[derive(Debug, Clone)]
pub struct Request {
    pub method: Method,
    pub url: Url,
    pub headers: Vec<(HeaderName, HeaderValue)>,
    pub body: String,
}

/// What came back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    pub status: u16,
    /// As the server wrote it (RFC 9110 section 10.2.3), at most 40 characters.
    pub retry_after: Option<String>,
    /// Its beginning, as much as was asked for: 64 KiB where nothing is said.
    pub body: Vec<u8>,
    /// There was no more.
    pub whole: bool,
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum Trouble {
    /// All the host's addresses are private ones, and it is not listed.
    #[error(
        "the address to call leads into a private network, which is refused: if that is meant, add its host to `private_hosts` in campaignd.yaml"
    )]
    Private,
    #[error("the host to call could not be found: {0}")]
    NotFound(std::io::Error),
    #[error("the host to call could not be connected to: {0}")]
    Connect(std::io::Error),
    #[error("the host to call could not be connected to within {0:?}")]
    Slow(Duration),
    #[error("no TLS with the host to call: {0}")]
    Tls(std::io::Error),
    #[error("TLS could not be set up: {0}")]
    TlsSetting(#[from] rustls::Error),
    #[error("the connection was lost before the request had been given: {0}")]
    Ungiven(hyper::Error),
    #[error("the request cannot be written: {0}")]
    Unwritable(hyper::http::Error),
    #[error("the connection was lost before the answer had come: {0}")]
    Lost(hyper::Error),
    #[error("there was no answer within {0:?}")]
    Silent(Duration),
}

impl Trouble {
    /// Whether the other side may have acted on the request.
    pub fn is_in_doubt(&self) -> bool {
        matches!(self, Trouble::Lost(_) | Trouble::Silent(_))
    }

    /// Whether trying again cannot help.
    pub fn is_final(&self) -> bool {
        matches!(self, Trouble::Private | Trouble::Unwritable(_))
    }
}

/// One worker's way to others: makes requests one after the other, and keeps the connections.
pub struct Connections {
    client: Arc<Client>,
    kept: Vec<Kept>,
    in_doubt: bool,
}

struct Kept {
    origin: Origin,
    sender: SendRequest<String>,
    since: Instant,
}

/// What became of a request over one connection.
enum Exchange {
    Answered(Answer),
    /// Nothing of it was written.
    Ungiven(hyper::Error, Box<hyper::Request<String>>),
    Lost(hyper::Error),
}

impl Connections {
    pub fn new(client: Arc<Client>) -> Connections {
        Connections { client, kept: Vec::new(), in_doubt: false }
    }

    /// Makes a request and waits for its answer, for at most `within` once there is a connection. A kept connection that turns out to be dead
    /// before anything was written is replaced once.
    ///
    /// # Errors
    /// When there is no answer; an answer that says no is one.
    pub async fn send(&mut self, request: Request, within: Duration) -> Result<Answer, Trouble> {
        let result = self.exchanged(request, within, true, MOST_READ).await;
        self.in_doubt = false;
        result
    }

    /// The same for a request that does nothing but ask: it leaves no doubt behind.
    ///
    /// # Errors
    /// When there is no answer.
    pub async fn ask(&mut self, request: Request, within: Duration) -> Result<Answer, Trouble> {
        self.exchanged(request, within, false, MOST_READ).await
    }

    /// The same, and of the answer so many bytes are read.
    ///
    /// # Errors
    /// When there is no answer.
    pub async fn ask_for(&mut self, request: Request, within: Duration, most: usize) -> Result<Answer, Trouble> {
        self.exchanged(request, within, false, most).await
    }

    /// Whether the other side may have acted on a request whose [`Connections::send`] was given up.
    pub fn is_in_doubt(&self) -> bool {
        self.in_doubt
    }

    async fn exchanged(&mut self, request: Request, within: Duration, doubtful: bool, most: usize) -> Result<Answer, Trouble> {
        let origin = request.url.origin.clone();
        let mut request = ready(request).map_err(Trouble::Unwritable)?;
        let mut kept = self.take(&origin);
        loop {
            let was_kept = kept.is_some();
            let mut sender = match kept.take() {
                Some(sender) => sender,
                None => self.client.connect(&origin).await?,
            };
            self.in_doubt = doubtful;
            let exchanged = timeout(within, exchange(&mut sender, request, most)).await.map_err(|_| Trouble::Silent(within))?;
            match exchanged {
                Exchange::Answered(answer) => {
                    if answer.whole && !sender.is_closed() {
                        self.keep(origin, sender);
                    }
                    return Ok(answer);
                }
                Exchange::Ungiven(_, unsent) if was_kept => request = *unsent,
                Exchange::Ungiven(error, _) => return Err(Trouble::Ungiven(error)),
                Exchange::Lost(error) => return Err(Trouble::Lost(error)),
            }
        }
    }

    /// Closes what is kept.
    pub fn close(&mut self) {
        self.kept.clear();
    }

    fn take(&mut self, origin: &Origin) -> Option<SendRequest<String>> {
        let now = Instant::now();
        self.kept.retain(|kept| !kept.sender.is_closed() && now.duration_since(kept.since) < FRESH);
        let at = self.kept.iter().position(|kept| kept.origin == *origin)?;
        Some(self.kept.swap_remove(at).sender)
    }

    fn keep(&mut self, origin: Origin, sender: SendRequest<String>) {
        if self.kept.len() == MOST_KEPT {
            self.kept.remove(0);
        }
        self.kept.push(Kept { origin, sender, since: Instant::now() });
    }
}

fn ready(request: Request) -> Result<hyper::Request<String>, hyper::http::Error> {
    let Request { method, url, headers, body } = request;
    let mut builder = hyper::Request::builder().method(method).uri(url.target.as_str()).header(HOST, url.origin.authority());
    for (name, value) in headers {
        builder = builder.header(name, value);
    }
    builder.body(body)
}

async fn exchange(sender: &mut SendRequest<String>, request: hyper::Request<String>, most: usize) -> Exchange {
    if let Err(error) = sender.ready().await {
        return Exchange::Ungiven(error, Box::new(request));
    }
    let answered = match sender.try_send_request(request).await {
        Ok(response) => read(response, most).await,
        Err(mut failed) => match failed.take_message() {
            Some(unsent) => return Exchange::Ungiven(failed.into_error(), Box::new(unsent)),
            None => Err(failed.into_error()),
        },
    };
    answered.map_or_else(Exchange::Lost, Exchange::Answered)
}

async fn read(response: Response<Incoming>, most: usize) -> Result<Answer, hyper::Error> {
    let status = response.status().as_u16();
    let plain = |text: &str| text.chars().take(40).collect();
    let retry_after = response.headers().get(RETRY_AFTER).and_then(|value| value.to_str().ok()).map(plain);
    let mut incoming = response.into_body();
    let mut body = Vec::new();
    while let Some(frame) = poll_fn(|context| Pin::new(&mut incoming).poll_frame(context)).await {
        let Ok(data) = frame?.into_data() else { continue };
        let room = most - body.len();
        body.extend_from_slice(&data[..data.len().min(room)]);
        if data.len() > room {
            return Ok(Answer { status, retry_after, body, whole: false });
        }
    }
    Ok(Answer { status, retry_after, body, whole: true })
}

#[cfg(test)]
mod tests;
