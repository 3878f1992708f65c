//! From a host to a connection: its addresses are looked up and checked, and the connection goes to one that was checked, so that a name that
//! changes its mind in between leads nowhere.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use hyper::client::conn::http1::{self, SendRequest};
use hyper::rt::{Read, Write};
use hyper_util::rt::TokioIo;
use tokio::net::{TcpStream, lookup_host};
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::pki_types::ServerName;
use tokio_rustls::rustls::{self, ClientConfig};

use super::guard::Guard;
use super::url::{Host, Origin};
use super::{MOST_READ, Trouble};
use crate::tls;

/// Finding the host, connecting and TLS may take this long together.
const CONNECT: Duration = Duration::from_secs(10);

/// What all connections of a channel have in common.
pub struct Client {
    guard: Guard,
    /// Made when first needed: most of the time goes into reading the system's certificates.
    tls: OnceLock<Arc<ClientConfig>>,
    within: Duration,
}

impl Client {
    /// A client that connects to public addresses, and to what the guard lists. Host names are verified against the system's authorities.
    pub fn new(guard: Guard) -> Client {
        Client { guard, tls: OnceLock::new(), within: CONNECT }
    }

    #[cfg(test)]
    pub(super) fn trusting(guard: Guard, roots: rustls::RootCertStore) -> Client {
        let tls = OnceLock::new();
        tls.get_or_init(|| Arc::new(tls::client(roots).unwrap()));
        Client { guard, tls, within: Duration::from_millis(300) }
    }

    /// A new connection, ready for a request.
    pub(super) async fn connect(&self, origin: &Origin) -> Result<SendRequest<String>, Trouble> {
        timeout(self.within, self.open(origin)).await.map_err(|_| Trouble::Slow(self.within))?
    }

    async fn open(&self, origin: &Origin) -> Result<SendRequest<String>, Trouble> {
        let stream = self.reach(origin).await?;
        // Small requests, and answers waited for.
        stream.set_nodelay(true).map_err(Trouble::Connect)?;
        if !origin.secure {
            return speak(TokioIo::new(stream)).await;
        }
        let name = match &origin.host {
            Host::Name(name) => ServerName::try_from(name.clone()).map_err(|error| Trouble::Tls(io::Error::other(error)))?,
            Host::Address(address) => ServerName::from(*address),
        };
        let stream = TlsConnector::from(self.tls()?).connect(name, stream).await.map_err(Trouble::Tls)?;
        speak(TokioIo::new(stream)).await
    }

    /// Connects to the first of the host's allowed addresses that answers.
    async fn reach(&self, origin: &Origin) -> Result<TcpStream, Trouble> {
        let addresses: Vec<IpAddr> = match &origin.host {
            Host::Address(address) => vec![*address],
            Host::Name(name) => {
                let found = lookup_host((name.as_str(), origin.port)).await.map_err(Trouble::NotFound)?;
                found.map(|address| address.ip()).collect()
            }
        };
        let mut last = match addresses.is_empty() {
            true => Trouble::NotFound(io::ErrorKind::NotFound.into()),
            false => Trouble::Private,
        };
        for address in addresses.into_iter().filter(|address| self.guard.allows(&origin.host, *address)) {
            match TcpStream::connect(SocketAddr::new(address, origin.port)).await {
                Ok(stream) => return Ok(stream),
                Err(error) => last = Trouble::Connect(error),
            }
        }
        Err(last)
    }

    fn tls(&self) -> Result<Arc<ClientConfig>, rustls::Error> {
        if let Some(config) = self.tls.get() {
            return Ok(config.clone());
        }
        let mut config = tls::client(tls::system_roots())?;
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(self.tls.get_or_init(|| Arc::new(config)).clone())
    }
}

/// Begins to speak HTTP over a connection. What drives it ends when the sender is dropped.
async fn speak<S: Read + Write + Send + Unpin + 'static>(stream: S) -> Result<SendRequest<String>, Trouble> {
    let handshake = http1::Builder::new().max_buf_size(MOST_READ).handshake(stream);
    let (sender, connection) = handshake.await.map_err(Trouble::Ungiven)?;
    tokio::spawn(async move {
        // What goes wrong is told to whoever waits for an answer.
        let _ = connection.await;
    });
    Ok(sender)
}
