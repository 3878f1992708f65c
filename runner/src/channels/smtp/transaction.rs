//! One message over one connection: MAIL, RCPT, DATA and the content (RFC 5321 section 3.3), the first three in one write when
//! the server takes that (PIPELINING, RFC 2920), and what the answers mean for the message.

use super::super::mail::Mail;
use super::super::{Outcome, Refusal, RefusalKind};
use super::connection::{Connection, Trouble};
use super::refusal;
use super::reply::Reply;

/// An empty content, for a server that asks for one although it refused the recipient (RFC 2920 section 3.1).
const NOTHING: &str = ".\r\n";

/// What became of the message, and what the connection is good for.
#[derive(Debug)]
pub enum Attempt {
    Decided(Decision),
    /// The connection was lost before any content was given: nothing has happened to the message.
    Dead(Trouble),
}

#[derive(Debug)]
pub struct Decision {
    pub outcome: Outcome,
    /// What the server said of the recipient.
    pub refusal: Option<Refusal>,
    pub then: Then,
}

impl Decision {
    /// A decision that says nothing of the recipient.
    pub fn of(outcome: Outcome, then: Then) -> Decision {
        Decision { outcome, refusal: None, then }
    }
}

/// What is to be done with the connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Then {
    Keep,
    /// RSET, then keep: an unfinished transaction may linger.
    Reset,
    Drop,
}

/// The server's answer to envelope and DATA.
enum Offer {
    Welcome,
    Refused(Refused),
}

struct Refused {
    reply: Reply,
    stage: Stage,
    then: Then,
}

/// What was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// MAIL: it says nothing of the recipient.
    Sender,
    /// RCPT, DATA and the content.
    Recipient,
}

/// Gives one message.
pub async fn give(connection: &mut Connection, mail: &Mail) -> Attempt {
    if mail.needs_smtputf8() && !connection.offers.smtputf8 {
        return Attempt::Decided(not_in_ascii());
    }
    match offer(connection, mail).await {
        Ok(Offer::Welcome) => {}
        Ok(Offer::Refused(refused)) => return Attempt::Decided(refused.decision()),
        Err(trouble) => return Attempt::Dead(trouble),
    }
    Attempt::Decided(match connection.content(&on_the_wire(&mail.text)).await {
        Ok(reply) => {
            let refused = |then| Refused { reply: reply.clone(), stage: Stage::Recipient, then }.decision();
            match reply.class() {
                2 => Decision::of(Outcome::Sent, Then::Keep),
                _ if reply.code == 421 => Decision::of(outcome(&reply), Then::Drop),
                4 | 5 => refused(Then::Reset),
                _ => Decision::of(Outcome::Unknown(Trouble::OutOfTurn(reply).to_string()), Then::Drop),
            }
        }
        Err(trouble) if connection.is_in_doubt() => {
            Decision::of(Outcome::Unknown(format!("after the whole message had been given, {trouble}")), Then::Drop)
        }
        Err(trouble) => {
            Decision::of(Outcome::Deferred(format!("before the whole message had been given, {trouble}")), Then::Drop)
        }
    })
}

/// RFC 6531 section 3.4, with the status that a server would give (5.6.7).
fn not_in_ascii() -> Decision {
    let why = "the mail has an address whose part before the @ is not ASCII, and the mail server does not offer SMTPUTF8 (RFC 6531), \
               without which no such mail can be given";
    let refusal = Refusal { kind: RefusalKind::Other, status: Some("5.6.7".to_owned()) };
    Decision { outcome: Outcome::Failed(why.to_owned()), refusal: Some(refusal), then: Then::Keep }
}

impl Refused {
    fn decision(self) -> Decision {
        let refusal = (self.stage == Stage::Recipient).then(|| refusal::of(&self.reply)).flatten();
        Decision { outcome: outcome(&self.reply), refusal, then: self.then }
    }
}

/// What this answer to the content would mean for the message, such as `451 try later`; `None` where it is no answer that a mail server gives there.
pub fn judged(answer: &str) -> Option<(Outcome, Option<Refusal>)> {
    let mut unread = format!("{}\r\n", answer.trim()).into_bytes();
    let reply = Reply::take(&mut unread).ok().flatten().filter(|_| unread.is_empty())?;
    match reply.class() {
        2 => Some((Outcome::Sent, None)),
        4 | 5 => {
            let Decision { outcome, refusal, .. } = Refused { reply, stage: Stage::Recipient, then: Then::Keep }.decision();
            Some((outcome, refusal))
        }
        _ => None,
    }
}

async fn offer(connection: &mut Connection, mail: &Mail) -> Result<Offer, Trouble> {
    // A server that offers SMTPUTF8 offers 8BITMIME as well (RFC 6531 section 3.1).
    let utf8 = if mail.needs_smtputf8() { " BODY=8BITMIME SMTPUTF8" } else { "" };
    let commands = [format!("MAIL FROM:<{}>{utf8}\r\n", mail.from), format!("RCPT TO:<{}>\r\n", mail.to), "DATA\r\n".to_owned()];
    let pipelining = connection.offers.pipelining;
    if pipelining {
        connection.send(&commands.concat()).await?;
    }
    let mut refused: Option<(Reply, Stage)> = None;
    let stages = [(2, Stage::Sender), (2, Stage::Recipient), (3, Stage::Recipient)];
    for (command, (welcome, stage)) in commands.iter().zip(stages) {
        if !pipelining {
            connection.send(command).await?;
        }
        let reply = match (connection.reply().await, &refused) {
            (Ok(reply), None) if reply.code == 421 => return Err(Trouble::Leaving(reply)),
            (Ok(reply), _) => reply,
            (Err(trouble), None) => return Err(trouble),
            // It refused, and then went away.
            (Err(_), Some((reply, stage))) => {
                return Ok(Offer::Refused(Refused { reply: reply.clone(), stage: *stage, then: Then::Drop }));
            }
        };
        match &refused {
            None if reply.class() == welcome => {}
            None if !reply.is_refusal() => return Err(Trouble::OutOfTurn(reply)),
            None if !pipelining => return Ok(Offer::Refused(Refused { reply, stage, then: Then::Reset })),
            None => refused = Some((reply, stage)),
            Some((first, stage)) if reply.code == 354 => {
                let (reply, stage) = (first.clone(), *stage);
                return Ok(Offer::Refused(Refused { reply, stage, then: take_back(connection).await }));
            }
            Some(_) => {}
        }
    }
    Ok(match refused {
        Some((reply, stage)) => Offer::Refused(Refused { reply, stage, then: Then::Reset }),
        None => Offer::Welcome,
    })
}

/// The server waits for the content of a message it has no recipient for: it gets none, and has to refuse that.
async fn take_back(connection: &mut Connection) -> Then {
    match connection.command(NOTHING).await {
        Ok(reply) if reply.is_refusal() && reply.code != 421 => Then::Reset,
        Ok(reply) => {
            tracing::warn!(%reply, "the mail server took an empty message without a recipient");
            Then::Drop
        }
        Err(_) => Then::Drop,
    }
}

/// What a refusal means for the message. That the server wants a login or TLS first (530, 534, 535, 538: RFC 4954 section 6,
/// RFC 3207 section 4) is a trouble of the channel's settings, for which no message should fail for good.
fn outcome(reply: &Reply) -> Outcome {
    match reply.code {
        530 | 534 | 535 | 538 => Outcome::Deferred(reply.to_string()),
        code if code >= 500 => Outcome::Failed(reply.to_string()),
        _ => Outcome::Deferred(reply.to_string()),
    }
}

/// The mail as DATA carries it: a dot before every dot that begins a line, and a line with one dot at the end (RFC 5321
/// section 4.5.2).
fn on_the_wire(mail: &str) -> Vec<u8> {
    let mut wire = Vec::with_capacity(mail.len() + 64);
    for line in mail.split_inclusive('\n') {
        if line.starts_with('.') {
            wire.push(b'.');
        }
        wire.extend_from_slice(line.as_bytes());
    }
    if !wire.is_empty() && !wire.ends_with(b"\r\n") {
        wire.extend_from_slice(b"\r\n");
    }
    wire.extend_from_slice(b".\r\n");
    wire
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(mail: &str, wire: &str) {
        assert_eq!(String::from_utf8(on_the_wire(mail)).unwrap(), wire);
    }

    #[test]
    fn lines_that_begin_with_a_dot_get_another() {
        check("", ".\r\n");
        check("a\r\n", "a\r\n.\r\n");
        check("a", "a\r\n.\r\n");
        check(".\r\n", "..\r\n.\r\n");
        check("a.\r\n.b\r\n..\r\n\r\n.", "a.\r\n..b\r\n...\r\n\r\n..\r\n.\r\n");
    }

    #[test]
    fn an_answer_is_judged_without_a_server() {
        let kind = |answer: &str| {
            judged(answer).map(|(outcome, refusal)| {
                let outcome = match outcome {
                    Outcome::Sent => "sent",
                    Outcome::Deferred(_) => "deferred",
                    Outcome::Failed(_) => "failed",
                    Outcome::Unknown(_) => "unknown",
                };
                (outcome, refusal.map(|refusal| refusal.kind))
            })
        };
        assert_eq!(kind("250 2.0.0 taken"), Some(("sent", None)));
        assert_eq!(kind("451 try later"), Some(("deferred", Some(RefusalKind::Soft))));
        assert_eq!(kind("550 5.1.1 no such user"), Some(("failed", Some(RefusalKind::Hard))));
        assert_eq!(kind("535 log in first"), Some(("deferred", None)));
        for no_answer in ["", "ok", "354 go on", "999 x", "250-more", "250 ok\r\n250 ok"] {
            assert_eq!(kind(no_answer), None, "{no_answer}");
        }
    }

    #[test]
    fn settings_troubles_fail_no_message() {
        for (code, fails) in [(421, false), (450, false), (530, false), (535, false), (500, true), (550, true), (554, true)] {
            let outcome = outcome(&Reply { code, lines: vec!["no".to_owned()] });
            assert_eq!(matches!(outcome, Outcome::Failed(_)), fails, "{code}");
        }
    }
}
