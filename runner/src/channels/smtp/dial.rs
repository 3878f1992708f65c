//! Opens a connection: TCP, TLS, greeting, EHLO, STARTTLS and login, as the server's address asks for.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use lettre::transport::smtp::authentication::{Credentials, Mechanism};
use lettre::transport::smtp::commands::Auth;
use lettre::transport::smtp::response::Response;
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, InvalidDnsNameError, ServerName};

use super::super::pool::Timeouts;
use super::super::smtp_url::{Security, SmtpUrl};
use super::connection::{Connection, Offers, Stream, Trouble};
use super::reply::Reply;
use crate::tls;

/// LOGIN asks for the user, then for the password.
const MOST_CHALLENGES: usize = 2;

/// Why TLS cannot be set up at all.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    #[error("the mail server's host cannot be verified under TLS: {0}")]
    Host(#[from] InvalidDnsNameError),
    #[error("the certificates in {0} (`ca` of the mail server's address) cannot be read: {1}")]
    Ca(PathBuf, String),
    #[error(
        "no trusted certificates were found on this system, so no mail server can be verified: install them, or name some with ?ca="
    )]
    NoRoots,
    #[error("TLS could not be set up: {0}")]
    Rustls(#[from] rustls::Error),
}

/// Why there is no connection. All of it is a trouble of the channel and none of a message.
#[derive(Debug, thiserror::Error)]
pub enum DialError {
    #[error("could not connect to {0}: {1}")]
    Connect(String, io::Error),
    #[error("could not connect to {0} within {1:?}")]
    Slow(String, std::time::Duration),
    #[error("no TLS with {0}: {1}")]
    Tls(String, io::Error),
    #[error("no TLS with {0}: {1}. A server whose certificate cannot be verified needs ?ca= or ?tls=none")]
    Unverified(String, io::Error),
    #[error("{0} does not offer STARTTLS, which the channel requires")]
    NoStartTls(String),
    #[error("{0} refused {1}: {2}")]
    Refused(String, &'static str, Reply),
    #[error("{0} offers no way to log in that is known here (PLAIN and LOGIN are)")]
    NoMechanism(String),
    #[error("{0} refused the channel's user and password: {1}")]
    Login(String, Reply),
    #[error("{0}: {1}")]
    Trouble(String, Trouble),
}

/// Knows how to connect to one server.
pub struct Dialer {
    url: SmtpUrl,
    hello: String,
    tls: Option<(TlsConnector, ServerName<'static>)>,
    timeouts: Timeouts,
}

impl Dialer {
    /// Reads the trusted certificates when TLS may be needed.
    pub fn new(url: SmtpUrl, hello: &str, timeouts: Timeouts) -> Result<Dialer, TlsError> {
        let tls = match url.security {
            Security::None => None,
            security => Some((
                connector(url.ca.as_deref(), security != Security::Opportunistic)?,
                ServerName::try_from(url.host.clone())?,
            )),
        };
        Ok(Dialer { url, hello: hello.to_owned(), tls, timeouts })
    }

    pub fn idle(&self) -> std::time::Duration {
        self.timeouts.idle
    }

    /// A connection on which mail can be given at once.
    pub async fn open(&self) -> Result<Connection, DialError> {
        let mut stream: Box<dyn Stream> = Box::new(self.connect().await?);
        if self.url.security == Security::Implicit {
            stream = self.encrypt(stream).await?;
        }
        let mut connection = Connection::new(stream, self.timeouts);
        let greeting = connection.reply().await.map_err(|trouble| self.trouble(trouble))?;
        if greeting.class() != 2 {
            return Err(DialError::Refused(self.server(), "the connection", greeting));
        }
        self.hello(&mut connection).await?;
        connection = self.protect(connection).await?;
        if let Some((user, password)) = &self.url.credentials {
            let credentials = Credentials::new(user.clone(), password.clone());
            self.login(&mut connection, &credentials).await?;
        }
        Ok(connection)
    }

    async fn connect(&self) -> Result<TcpStream, DialError> {
        let connected = timeout(self.timeouts.connect, TcpStream::connect((self.url.host.as_str(), self.url.port)));
        let stream = connected
            .await
            .map_err(|_| DialError::Slow(self.server(), self.timeouts.connect))?
            .map_err(|error| DialError::Connect(self.server(), error))?;
        // With Nagle's delay and delayed acknowledgements a message takes 40 ms.
        stream.set_nodelay(true).map_err(|error| DialError::Connect(self.server(), error))?;
        Ok(stream)
    }

    /// EHLO, or HELO for a server that does not know it (RFC 5321 section 3.2).
    async fn hello(&self, connection: &mut Connection) -> Result<(), DialError> {
        let ehlo = self.command(connection, &format!("EHLO {}\r\n", self.hello)).await?;
        if ehlo.class() == 2 {
            connection.offers = Offers::of(&ehlo);
            return Ok(());
        }
        if ehlo.class() != 5 {
            return Err(DialError::Refused(self.server(), "EHLO", ehlo));
        }
        let helo = self.command(connection, &format!("HELO {}\r\n", self.hello)).await?;
        match helo.class() {
            2 => Ok(()),
            _ => Err(DialError::Refused(self.server(), "HELO", helo)),
        }
    }

    /// STARTTLS as the address asks for it (RFC 3207).
    async fn protect(&self, mut connection: Connection) -> Result<Connection, DialError> {
        match (self.url.security, connection.offers.starttls) {
            (Security::Required, false) => return Err(DialError::NoStartTls(self.server())),
            (Security::Required | Security::Opportunistic, true) => {}
            _ => return Ok(connection),
        }
        let reply = self.command(&mut connection, "STARTTLS\r\n").await?;
        if reply.class() != 2 {
            return Err(DialError::Refused(self.server(), "STARTTLS", reply));
        }
        let clear = connection.into_stream().map_err(|trouble| self.trouble(trouble))?;
        let mut connection = Connection::new(self.encrypt(clear).await?, self.timeouts);
        self.hello(&mut connection).await?;
        Ok(connection)
    }

    async fn encrypt(&self, stream: Box<dyn Stream>) -> Result<Box<dyn Stream>, DialError> {
        let Some((connector, name)) = &self.tls else {
            return Ok(stream);
        };
        let within = self.timeouts.command;
        match timeout(within, connector.connect(name.clone(), stream)).await {
            Ok(Ok(stream)) => Ok(Box::new(stream)),
            // rustls reports what it found wrong with a certificate as invalid data.
            Ok(Err(error)) if error.kind() == io::ErrorKind::InvalidData => Err(DialError::Unverified(self.server(), error)),
            Ok(Err(error)) => Err(DialError::Tls(self.server(), error)),
            Err(_) => Err(self.trouble(Trouble::Silent(within))),
        }
    }

    /// AUTH PLAIN, or LOGIN for servers that know only that (RFC 4954).
    async fn login(&self, connection: &mut Connection, credentials: &Credentials) -> Result<(), DialError> {
        let offered = |name: &str| connection.offers.auth.iter().any(|offer| offer == name);
        let mechanism = match () {
            () if offered("PLAIN") => Mechanism::Plain,
            () if offered("LOGIN") => Mechanism::Login,
            () => return Err(DialError::NoMechanism(self.server())),
        };
        let unknown = |_| DialError::NoMechanism(self.server());
        let first = Auth::new(mechanism, credentials.clone(), None).map_err(unknown)?;
        let mut reply = self.command(connection, &first.to_string()).await?;
        for _ in 0..MOST_CHALLENGES {
            if reply.code != 334 {
                break;
            }
            let challenge = format!("334 {}\r\n", reply.lines.concat());
            let challenge: Response = challenge.parse().map_err(unknown)?;
            let answer = Auth::new_from_response(mechanism, credentials.clone(), &challenge).map_err(unknown)?;
            reply = self.command(connection, &answer.to_string()).await?;
        }
        match reply.class() {
            2 => Ok(()),
            _ => Err(DialError::Login(self.server(), reply)),
        }
    }

    async fn command(&self, connection: &mut Connection, command: &str) -> Result<Reply, DialError> {
        connection.command(command).await.map_err(|trouble| self.trouble(trouble))
    }

    fn trouble(&self, trouble: Trouble) -> DialError {
        DialError::Trouble(self.server(), trouble)
    }

    fn server(&self) -> String {
        self.url.to_string()
    }
}

/// Certificates are always verified: against the system's authorities, and those in `ca`.
fn connector(ca: Option<&Path>, needed: bool) -> Result<TlsConnector, TlsError> {
    let mut roots = tls::system_roots();
    if let Some(path) = ca {
        let wrong = |words: String| TlsError::Ca(path.to_owned(), words);
        let found: Vec<CertificateDer<'static>> =
            CertificateDer::pem_file_iter(path).and_then(Iterator::collect).map_err(|error| wrong(error.to_string()))?;
        if found.is_empty() {
            return Err(wrong("it has none".to_owned()));
        }
        for certificate in found {
            roots.add(certificate).map_err(|error| wrong(error.to_string()))?;
        }
    }
    if needed && roots.is_empty() {
        return Err(TlsError::NoRoots);
    }
    Ok(TlsConnector::from(Arc::new(tls::client(roots)?)))
}
