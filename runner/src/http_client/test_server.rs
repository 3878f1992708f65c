//! A server for tests that does as it is told, and remembers what it was asked.

use std::sync::{Arc, Mutex};

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

/// What the server does with a request: the bytes it answers, and whether it closes then. No bytes: it closes at once, or never answers.
pub type Act = (Vec<u8>, bool);

pub struct Server {
    pub port: u16,
    /// Requests as they came, behind the number of their connection.
    pub seen: Arc<Mutex<Vec<(usize, String)>>>,
}

pub fn say(text: &str) -> Act {
    (text.as_bytes().to_vec(), false)
}

pub fn plain(status: &str, headers: &str, body: &str) -> Act {
    say(&format!("HTTP/1.1 {status}\r\nContent-Length: {}\r\n{headers}\r\n{body}", body.len()))
}

pub async fn start(acts: Vec<Act>, tls: Option<TlsAcceptor>) -> Server {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let seen = Arc::new(Mutex::new(Vec::new()));
    let acts = Arc::new(Mutex::new(acts.into_iter()));
    let server = Server { port, seen: seen.clone() };
    tokio::spawn(async move {
        for number in 1.. {
            let (stream, _) = listener.accept().await.unwrap();
            let (seen, acts, tls) = (seen.clone(), acts.clone(), tls.clone());
            tokio::spawn(async move {
                let next = move || acts.lock().unwrap().next();
                match tls {
                    None => serve(number, stream, seen, next).await,
                    Some(tls) => {
                        if let Ok(stream) = tls.accept(stream).await {
                            serve(number, stream, seen, next).await;
                        }
                    }
                }
            });
        }
    });
    server
}

async fn serve<S: AsyncRead + AsyncWrite + Unpin>(
    number: usize,
    mut stream: S,
    seen: Arc<Mutex<Vec<(usize, String)>>>,
    next: impl Fn() -> Option<Act>,
) {
    let mut read = Vec::new();
    loop {
        while !is_whole(&read) {
            if stream.read_buf(&mut read).await.unwrap_or(0) == 0 {
                return;
            }
        }
        seen.lock().unwrap().push((number, String::from_utf8(std::mem::take(&mut read)).unwrap()));
        match next() {
            Some((bytes, close)) => {
                stream.write_all(&bytes).await.unwrap();
                stream.flush().await.unwrap();
                if close {
                    return;
                }
            }
            None => std::future::pending().await,
        }
    }
}

fn is_whole(read: &[u8]) -> bool {
    let text = String::from_utf8_lossy(read);
    let Some((head, body)) = text.split_once("\r\n\r\n") else { return false };
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")).map_or(0, |length| length.parse().unwrap());
    body.len() >= length
}
