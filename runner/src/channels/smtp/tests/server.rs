//! A mail server for tests that does as it is told, and otherwise as it should. It counts what it took the way a real one
//! does: a message is taken once its final dot has been read and answered with 250.

use std::sync::{Arc, Mutex};

use rcgen::CertifiedKey;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::aws_lc_rs;
use tokio_rustls::rustls::pki_types::PrivateKeyDer;

use super::super::connection::Stream;

/// What the server does at a moment.
#[derive(Clone, Copy, Debug)]
pub enum Act {
    Say(&'static str),
    SayAndClose(&'static str),
    Close,
    /// Reads on, and never answers again.
    Hang,
    /// Does not even read any longer.
    Stall,
}

/// When and what. The moment is how a command's line begins, or GREETING, CONTENT (the first line of it), END (the final dot)
/// or IDLE (after the answer to it); `2:` before it means the second connection only.
pub type Rule = (&'static str, Act);

/// How the server is made.
#[derive(Clone, Copy, Default)]
pub struct Traits {
    pub pipelining: bool,
    pub starttls: bool,
    /// TLS from the start.
    pub tls: bool,
    /// The AUTH line of EHLO.
    pub auth: Option<&'static str>,
}

/// What the server saw.
#[derive(Clone, Default, Debug)]
pub struct Seen {
    pub connections: usize,
    /// `1 MAIL FROM:<…>`: connection and line.
    pub commands: Vec<String>,
    /// The contents it took, dots unstuffed.
    pub mails: Vec<String>,
}

pub struct Server {
    pub port: u16,
    /// The server's certificate, to be trusted by its clients.
    pub certificate: String,
    seen: Arc<Mutex<Seen>>,
}

struct Setting {
    traits: Traits,
    rules: Vec<Rule>,
    acceptor: TlsAcceptor,
    seen: Arc<Mutex<Seen>>,
}

impl Server {
    pub async fn start(traits: Traits, rules: &[Rule]) -> Server {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let seen = Arc::new(Mutex::new(Seen::default()));
        let key = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        let certificate = key.cert.pem();
        let setting = Arc::new(Setting { traits, rules: rules.to_vec(), acceptor: acceptor(&key), seen: seen.clone() });
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                stream.set_nodelay(true).unwrap();
                let number = {
                    let mut seen = setting.seen.lock().unwrap();
                    seen.connections += 1;
                    seen.connections
                };
                tokio::spawn(serve(setting.clone(), number, Box::new(stream)));
            }
        });
        Server { port, certificate, seen }
    }

    pub fn url(&self) -> String {
        format!("smtp://127.0.0.1:{}", self.port)
    }

    pub fn seen(&self) -> Seen {
        self.seen.lock().unwrap().clone()
    }
}

fn acceptor(key: &CertifiedKey<rcgen::KeyPair>) -> TlsAcceptor {
    let secret = PrivateKeyDer::try_from(key.signing_key.serialize_der()).unwrap();
    let config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![key.cert.der().clone()], secret)
        .unwrap();
    TlsAcceptor::from(Arc::new(config))
}

/// One connection; ends early, and closes it, when anything goes wrong or a rule says so.
async fn serve(setting: Arc<Setting>, number: usize, mut stream: Box<dyn Stream>) -> Option<()> {
    let mut encrypted = setting.traits.tls;
    if encrypted {
        stream = Box::new(setting.acceptor.accept(stream).await.ok()?);
    }
    let mut session = Session { setting, number, stream: BufReader::new(stream), mail: false, rcpt: false };
    session.say("GREETING", "220 test").await?;
    loop {
        let line = session.line().await?;
        session.setting.seen.lock().unwrap().commands.push(format!("{number} {}", line.trim_end()));
        let line = line.trim_end().to_owned();
        match line.split([' ', ':']).next()? {
            "EHLO" => {
                let offers = session.setting.traits.offers(encrypted);
                session.say(&line, &offers).await?;
            }
            "STARTTLS" => {
                session.say(&line, "220 go").await?;
                let Session { setting, stream, .. } = session;
                let stream: Box<dyn Stream> = Box::new(setting.acceptor.accept(stream.into_inner()).await.ok()?);
                encrypted = true;
                session = Session { setting, number, stream: BufReader::new(stream), mail: false, rcpt: false };
            }
            "AUTH" if line == "AUTH LOGIN" => {
                session.say(&line, "334 VXNlcm5hbWU6").await?;
                let user = session.line().await?;
                session.say("USER", "334 UGFzc3dvcmQ6").await?;
                let password = session.line().await?;
                // me:secret, in base64.
                let good = (user.trim_end(), password.trim_end()) == ("bWU=", "c2VjcmV0");
                session.say("PASSWORD", if good { "235 in" } else { "535 no" }).await?;
            }
            "AUTH" => {
                let good = line == "AUTH PLAIN AG1lAHNlY3JldA==";
                session.say(&line, if good { "235 in" } else { "535 no" }).await?;
            }
            "MAIL" => {
                session.mail = session.say(&line, "250 ok").await?.starts_with('2');
                session.rcpt = false;
            }
            "RCPT" => {
                let usual = if session.mail { "250 ok" } else { "503 no sender" };
                session.rcpt = session.say(&line, usual).await?.starts_with('2');
            }
            "DATA" => {
                let usual = if session.rcpt { "354 go" } else { "503 no recipients" };
                if session.say(&line, usual).await?.starts_with('3') {
                    session.content().await?;
                }
            }
            "QUIT" => {
                session.say(&line, "221 bye").await?;
                return None;
            }
            _ => {
                session.say(&line, "250 ok").await?;
            }
        }
    }
}

impl Traits {
    fn offers(&self, encrypted: bool) -> String {
        let mut lines = vec!["test".to_owned(), "SIZE 1000000".to_owned()];
        lines.extend(self.pipelining.then(|| "PIPELINING".to_owned()));
        lines.extend((self.starttls && !encrypted).then(|| "STARTTLS".to_owned()));
        lines.extend(self.auth.map(|auth| format!("AUTH {auth}")));
        let last = lines.len() - 1;
        let line = |(at, line)| format!("250{}{line}", if at == last { " " } else { "-" });
        lines.iter().enumerate().map(line).collect::<Vec<_>>().join("\r\n")
    }
}

struct Session {
    setting: Arc<Setting>,
    number: usize,
    stream: BufReader<Box<dyn Stream>>,
    /// Whether there is a sender.
    mail: bool,
    /// Whether there is a recipient.
    rcpt: bool,
}

impl Session {
    async fn line(&mut self) -> Option<String> {
        let mut line = String::new();
        (self.stream.read_line(&mut line).await.ok()? > 0).then_some(line)
    }

    /// Says what a rule says for this moment, or what is usual; `None` when the connection is to be closed.
    async fn say(&mut self, moment: &str, usual: &str) -> Option<String> {
        match self.act(moment) {
            None => self.put(usual).await,
            Some(Act::Say(words)) => self.put(words).await,
            Some(Act::SayAndClose(words)) => {
                self.put(words).await?;
                self.bye().await
            }
            Some(Act::Close) => self.bye().await,
            Some(Act::Stall) => std::future::pending().await,
            Some(Act::Hang) => loop {
                self.line().await?;
            },
        }
    }

    fn act(&self, moment: &str) -> Option<Act> {
        let numbered = format!("{}:{moment}", self.number);
        let fits = |rule: &&Rule| moment.starts_with(rule.0) || numbered.starts_with(rule.0);
        self.setting.rules.iter().find(fits).map(|rule| rule.1)
    }

    async fn put(&mut self, words: &str) -> Option<String> {
        self.stream.write_all(format!("{words}\r\n").as_bytes()).await.ok()?;
        self.stream.flush().await.ok()?;
        Some(words.to_owned())
    }

    async fn bye(&mut self) -> Option<String> {
        let _ = self.stream.shutdown().await;
        None
    }

    async fn content(&mut self) -> Option<()> {
        let mut mail = String::new();
        loop {
            let line = self.line().await?;
            if mail.is_empty() && self.act("CONTENT").is_some() {
                self.say("CONTENT", "").await?;
            }
            match line.strip_prefix('.') {
                Some("\r\n") => break,
                Some(rest) => mail.push_str(rest),
                None => mail.push_str(&line),
            }
        }
        let rcpt = std::mem::take(&mut self.rcpt);
        let usual = if rcpt { "250 taken" } else { "554 no recipients" };
        // Taken by the time it is answered, so that a client that has its answer finds it here.
        let taken = !matches!(self.act("END"), Some(Act::Say(words) | Act::SayAndClose(words)) if !words.starts_with('2'));
        if rcpt && taken {
            self.setting.seen.lock().unwrap().mails.push(mail);
        }
        self.say("END", usual).await?;
        if self.act("IDLE").is_some() {
            self.say("IDLE", "").await?;
        }
        Some(())
    }
}
