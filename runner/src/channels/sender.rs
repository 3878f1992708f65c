//! Whose mail a channel's mail is: its sender, where answers and bounces go, and the keys it is signed with.

use lettre::Address;
use lettre::message::Mailbox;

use super::Envelope;
use super::address::{AddressError, recipient, sender};
use super::dkim::{DkimError, DkimKey, KeyText};

/// The sender of a folder's mails when the settings name none.
const OUTBOX_FROM: &str = "campaignd@localhost";
/// RFC 5321 section 4.5.3.1.1: a local part has at most 64 octets, of which `+` and a message's token (a number, a hyphen and 20
/// digits) take at most 41.
const LONGEST_RETURN_NAME: usize = 64 - 41;

/// A channel's settings about senders, as written and with its secrets put in.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SenderOptions {
    /// `Shop <hello@shop.example>`; SMTP needs it.
    pub from: Option<String>,
    pub reply_to: Option<String>,
    /// `bounces@shop.example`.
    pub return_path: Option<String>,
    pub dkim: Vec<KeyText>,
}

/// What is wrong with them.
#[derive(Debug, thiserror::Error)]
pub enum SenderError {
    #[error("`{0}` is wrong: {1}")]
    Address(&'static str, AddressError),
    #[error(
        "`return_path` is too long: with a mark for each message it must fit into the 64 characters of a mailbox's name, so give it at most {LONGEST_RETURN_NAME} before the @"
    )]
    LongReturnPath,
    #[error(transparent)]
    Dkim(#[from] DkimError),
}

/// The settings, read.
pub struct Sender {
    from: Mailbox,
    reply_to: Option<Mailbox>,
    return_path: Option<Address>,
    pub keys: Vec<DkimKey>,
}

/// Who a message is from, and where what comes of it goes.
pub struct Origin {
    pub from: Mailbox,
    pub reply_to: Option<Mailbox>,
    /// MAIL FROM.
    pub return_path: Address,
}

impl Sender {
    /// Reads the settings; `None` where they name no sender.
    ///
    /// # Errors
    /// What can never work.
    pub fn read(options: &SenderOptions) -> Result<Option<Sender>, SenderError> {
        let Some(from) = &options.from else { return Ok(None) };
        let mailbox = |text: &str, key| sender(text).map_err(|error| SenderError::Address(key, error));
        let return_path = options.return_path.as_deref().map(|text| mailbox(text, "return_path")).transpose()?;
        if return_path.as_ref().is_some_and(|path| path.email.user().len() > LONGEST_RETURN_NAME) {
            return Err(SenderError::LongReturnPath);
        }
        Ok(Some(Sender {
            from: mailbox(from, "from")?,
            reply_to: options.reply_to.as_deref().map(|text| mailbox(text, "reply_to")).transpose()?,
            return_path: return_path.map(|path| path.email),
            keys: options.dkim.iter().map(DkimKey::read).collect::<Result<_, _>>()?,
        }))
    }

    /// The same for a folder, whose mails go nowhere: it needs no sender.
    ///
    /// # Errors
    /// What can never work.
    pub fn of_folder(options: &SenderOptions) -> Result<Sender, SenderError> {
        let from = options.from.clone().unwrap_or_else(|| OUTBOX_FROM.to_owned());
        let wrong = SenderError::Address("from", AddressError::Invalid(OUTBOX_FROM.to_owned()));
        Sender::read(&SenderOptions { from: Some(from), ..options.clone() })?.ok_or(wrong)
    }

    /// Whether bounces go elsewhere than to the sender.
    pub fn has_return_path(&self) -> bool {
        self.return_path.is_some()
    }

    /// Who this message is from: what its topic says comes before what the channel says.
    ///
    /// # Errors
    /// When the message's own sender is none.
    pub fn origin(&self, envelope: &Envelope) -> Result<Origin, AddressError> {
        let from = envelope.from.as_deref().map_or_else(|| Ok(self.from.clone()), sender)?;
        let reply_to = envelope.reply_to.as_deref().map(sender).transpose()?;
        let return_path = match (&self.return_path, &envelope.return_token) {
            (Some(path), Some(token)) => recipient(&format!("{}+{token}@{}", path.user(), path.domain()))?,
            (Some(path), None) => path.clone(),
            (None, _) => from.email.clone(),
        };
        Ok(Origin { from, reply_to: reply_to.or_else(|| self.reply_to.clone()), return_path })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options() -> SenderOptions {
        SenderOptions {
            from: Some("Shop <hello@shop.example>".to_owned()),
            reply_to: Some("service@shop.example".to_owned()),
            return_path: Some("bounces@bücher.example".to_owned()),
            dkim: Vec::new(),
        }
    }

    fn check(options: &SenderOptions, envelope: Envelope, from: &str, reply_to: Option<&str>, return_path: &str) {
        let origin = Sender::read(options).unwrap().unwrap().origin(&envelope).unwrap();
        let reply_to_found = origin.reply_to.map(|reply_to| reply_to.to_string());
        assert_eq!((origin.from.to_string().as_str(), reply_to_found.as_deref()), (from, reply_to));
        assert_eq!(origin.return_path.to_string(), return_path);
    }

    #[test]
    fn a_message_says_who_it_is_from_and_else_the_channel() {
        let bare = SenderOptions { reply_to: None, return_path: None, ..options() };
        let token = || Some("12-ab".to_owned());
        let shop = "Shop <hello@shop.example>";
        check(&bare, Envelope { return_token: token(), ..Envelope::default() }, shop, None, "hello@shop.example");
        let service = Some("service@shop.example");
        let marked = "bounces+12-ab@xn--bcher-kva.example";
        check(&options(), Envelope { return_token: token(), ..Envelope::default() }, shop, service, marked);
        check(&options(), Envelope::default(), shop, service, "bounces@xn--bcher-kva.example");
        let topic = Envelope {
            from: Some("News <news@shop.example>".to_owned()),
            reply_to: Some("editor@shop.example".to_owned()),
            ..Envelope::default()
        };
        check(&bare, topic.clone(), "News <news@shop.example>", Some("editor@shop.example"), "news@shop.example");
        let marked = Envelope { return_token: token(), ..topic };
        let path = "bounces+12-ab@xn--bcher-kva.example";
        check(&options(), marked, "News <news@shop.example>", Some("editor@shop.example"), path);
    }

    #[test]
    fn settings_that_can_never_work_are_said() {
        let wrong = |options: SenderOptions| Sender::read(&options).map(|_| ()).unwrap_err().to_string();
        assert!(wrong(SenderOptions { reply_to: Some("x".to_owned()), ..options() }).starts_with("`reply_to`"));
        let long = format!("{}@shop.example", "b".repeat(LONGEST_RETURN_NAME + 1));
        assert!(wrong(SenderOptions { return_path: Some(long), ..options() }).contains("at most 23"));
        assert!(Sender::read(&SenderOptions::default()).unwrap().is_none());
        assert_eq!(Sender::of_folder(&SenderOptions::default()).unwrap().from.to_string(), OUTBOX_FROM);
    }
}
