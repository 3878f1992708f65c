//! One open connection to a mail server: commands out, replies in, each within its time.
//!
//! lettre's own connection is not used: it keeps Nagle's delay on for TLS, hides which extensions are offered (PIPELINING) and
//! does not tell a connection lost before the final dot from one lost after it.

use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::time::timeout;

use super::super::pool::Timeouts;
use super::reply::Reply;

/// Bytes both ways: TCP, or TLS over it.
pub trait Stream: AsyncRead + AsyncWrite + Send + Sync + Unpin {}

impl<S: AsyncRead + AsyncWrite + Send + Sync + Unpin> Stream for S {}

/// Why a connection is of no more use.
#[derive(Debug, thiserror::Error)]
pub enum Trouble {
    #[error("the mail server closed the connection")]
    Closed,
    #[error("the connection to the mail server broke: {0}")]
    Broken(#[from] std::io::Error),
    #[error("the mail server did not answer within {0:?}")]
    Silent(Duration),
    #[error("the mail server answered with something that is not SMTP: “{0}”")]
    Garbage(String),
    #[error("the mail server answered out of turn: {0}")]
    OutOfTurn(Reply),
    /// 421, which a server may answer to anything (RFC 5321 section 3.8).
    #[error("the mail server is closing the connection: {0}")]
    Leaving(Reply),
}

impl Trouble {
    /// Whether the connection went away, as kept ones do, rather than that the server misbehaved on it.
    pub fn is_loss(&self) -> bool {
        !matches!(self, Trouble::Garbage(_) | Trouble::OutOfTurn(_))
    }
}

/// What a server's answer to EHLO offers of what this client uses.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Offers {
    /// RFC 2920.
    pub pipelining: bool,
    /// RFC 3207.
    pub starttls: bool,
    /// RFC 6531.
    pub smtputf8: bool,
    /// RFC 4954; upper case.
    pub auth: Vec<String>,
}

impl Offers {
    /// Reads the answer to EHLO; its first line is a greeting.
    pub fn of(reply: &Reply) -> Offers {
        let mut offers = Offers::default();
        for line in reply.lines.iter().skip(1) {
            // Some old servers write AUTH=LOGIN.
            let line = line.to_ascii_uppercase().replace("AUTH=", "AUTH ");
            let mut words = line.split_whitespace();
            match words.next() {
                Some("PIPELINING") => offers.pipelining = true,
                Some("STARTTLS") => offers.starttls = true,
                Some("SMTPUTF8") => offers.smtputf8 = true,
                Some("AUTH") => offers.auth.extend(words.map(str::to_owned)),
                _ => {}
            }
        }
        offers
    }
}

pub struct Connection {
    stream: Box<dyn Stream>,
    unread: Vec<u8>,
    timeouts: Timeouts,
    pub offers: Offers,
    /// The whole content of a message, its final dot included, has been given and not been answered.
    in_doubt: bool,
}

impl Connection {
    pub fn new(stream: Box<dyn Stream>, timeouts: Timeouts) -> Connection {
        Connection { stream, unread: Vec::new(), timeouts, offers: Offers::default(), in_doubt: false }
    }

    /// The stream beneath, to put TLS over it. Errors when the server has said more than it was asked: what came in the clear
    /// must not be taken for something said under TLS.
    pub fn into_stream(self) -> Result<Box<dyn Stream>, Trouble> {
        match self.unread.is_empty() {
            true => Ok(self.stream),
            false => Err(Trouble::Garbage("more than one answer to STARTTLS".to_owned())),
        }
    }

    /// Whether the message being carried may have been taken, should this connection end now.
    pub fn is_in_doubt(&self) -> bool {
        self.in_doubt
    }

    /// Sends commands, CRLF included, in one write.
    pub async fn send(&mut self, commands: &str) -> Result<(), Trouble> {
        let within = self.timeouts.command;
        let write = async {
            self.stream.write_all(commands.as_bytes()).await?;
            self.stream.flush().await
        };
        Ok(timeout(within, write).await.map_err(|_| Trouble::Silent(within))??)
    }

    /// The next reply, to a command or the greeting.
    pub async fn reply(&mut self) -> Result<Reply, Trouble> {
        self.reply_within(self.timeouts.command).await
    }

    /// Sends one command and reads its reply.
    pub async fn command(&mut self, command: &str) -> Result<Reply, Trouble> {
        self.send(command).await?;
        self.reply().await
    }

    /// Gives a message's content, dot-stuffed and with its final dot, and reads the answer. After an error,
    /// [`Connection::is_in_doubt`] tells whether the server can have taken it: it cannot as long as not all of it was accepted
    /// for sending.
    pub async fn content(&mut self, wire: &[u8]) -> Result<Reply, Trouble> {
        let within = self.timeouts.content;
        timeout(within, self.give(wire)).await.map_err(|_| Trouble::Silent(within))??;
        let reply = self.reply_within(within).await?;
        self.in_doubt = false;
        Ok(reply)
    }

    async fn give(&mut self, wire: &[u8]) -> Result<(), std::io::Error> {
        let mut given = 0;
        while given < wire.len() {
            match self.stream.write(&wire[given..]).await? {
                0 => return Err(std::io::ErrorKind::WriteZero.into()),
                more => given += more,
            }
        }
        self.in_doubt = true;
        self.stream.flush().await
    }

    /// Ends when the server closes the connection or says something unasked, such as 421: either way it is of no more use.
    /// May be dropped and called again.
    pub async fn gone(&mut self) {
        if self.unread.is_empty() {
            // Whatever it is, the connection is given up; an error says no more than that.
            let _ = self.stream.read_buf(&mut self.unread).await;
        }
    }

    /// Takes leave. Nothing depends on the answer.
    pub async fn quit(mut self) {
        if self.send("QUIT\r\n").await.is_ok() {
            let _ = self.reply().await;
        }
        let _ = timeout(self.timeouts.command, self.stream.shutdown()).await;
    }

    async fn reply_within(&mut self, within: Duration) -> Result<Reply, Trouble> {
        let read = async {
            loop {
                if let Some(reply) = Reply::take(&mut self.unread).map_err(Trouble::Garbage)? {
                    return Ok(reply);
                }
                self.unread.reserve(1024);
                if self.stream.read_buf(&mut self.unread).await? == 0 {
                    return Err(Trouble::Closed);
                }
            }
        };
        timeout(within, read).await.map_err(|_| Trouble::Silent(within))?
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(lines: &[&str], pipelining: bool, starttls: bool, auth: &[&str]) {
        let reply = Reply { code: 250, lines: lines.iter().map(|line| (*line).to_owned()).collect() };
        let auth = auth.iter().map(|name| (*name).to_owned()).collect();
        let smtputf8 = lines.contains(&"smtputf8");
        assert_eq!(Offers::of(&reply), Offers { pipelining, starttls, smtputf8, auth });
    }

    #[test]
    fn an_answer_to_ehlo_is_read_for_what_is_used() {
        check(&["mx.example"], false, false, &[]);
        check(&["PIPELINING"], false, false, &[]);
        check(&["mx", "PIPELINING", "SIZE 100", "STARTTLS", "8BITMIME"], true, true, &[]);
        check(&["mx", "smtputf8"], false, false, &[]);
        check(&["mx", "pipelining", "AUTH plain LOGIN", "AUTH=LOGIN"], true, false, &["PLAIN", "LOGIN", "LOGIN"]);
        check(&["mx", "", "XPIPELINING", "AUTH"], false, false, &[]);
    }
}
