//! The outbox: a folder in which every message becomes one file, for trying a project out without a mail server or a provider. A mail is an
//! .eml file, a message of any other channel a .json file.
//!
//! A file appears whole or not at all: it is written under a temporary name and renamed. It is not forced to the disk, which
//! makes it some forty times faster: an outbox is for looking at, and after a power cut the message's row in the store is what
//! counts.

use std::io;
use std::path::{Path, PathBuf};

use serde_json::json;

use super::sender::Sender;
use super::{Content, Envelope, Outcome, compose};

/// Leaves room for the ending within the 255 bytes that file systems allow.
const LONGEST_NAME: usize = 200;
/// The ending of a mail's file.
const MAIL: &str = "eml";
/// The ending of any other message's file.
const NOTE: &str = "json";

pub struct Outbox {
    folder: PathBuf,
    /// Of mails; absent where the messages are none.
    sender: Option<Sender>,
}

impl Outbox {
    /// A folder of mails with a sender, of other messages without.
    pub fn new(folder: PathBuf, sender: Option<Sender>) -> Outbox {
        Outbox { folder, sender }
    }

    /// Writes the message's file, named after its Message-ID's local part: the same message tried again replaces its own file.
    /// Blocks on the disk.
    pub fn deliver(&self, envelope: &Envelope, content: Content) -> Outcome {
        let (text, ending) = match &self.sender {
            Some(sender) => match mail(sender, envelope, content) {
                Ok(mail) => (mail, MAIL),
                Err(why) => return Outcome::Failed(why),
            },
            None => (note(envelope, content), NOTE),
        };
        let name = file_name(&envelope.message_id);
        match self.write(&name, ending, &text) {
            Ok(()) => Outcome::Sent,
            Err(error) => {
                let folder = self.folder.display();
                Outcome::Deferred(format!("could not write {name}.{ending} into the outbox folder {folder}: {error}"))
            }
        }
    }

    /// Removes the mail's file, if there is one.
    pub fn forget(&self, message_id: &str) {
        forget(&self.folder, message_id);
    }

    fn write(&self, name: &str, ending: &str, text: &str) -> io::Result<()> {
        let (part, whole) = (self.folder.join(format!(".{name}.part")), self.folder.join(format!("{name}.{ending}")));
        let written = put(&part, text, &self.folder).and_then(|()| std::fs::rename(&part, &whole));
        if written.is_err() {
            // Nothing is gained by a second error about the same disk.
            let _ = std::fs::remove_file(&part);
        }
        written
    }
}

/// The mail as a mail program opens it. Where the channel has a return path, the message's own stands at the top, as the last server would
/// write it there (RFC 5321 section 4.4).
fn mail(sender: &Sender, envelope: &Envelope, content: Content) -> Result<String, String> {
    let mut mail = compose::mail(sender, envelope, content)?;
    if sender.has_return_path() {
        mail.text.insert_str(0, &format!("Return-Path: <{}>\r\n", mail.from));
    }
    Ok(mail.text)
}

/// A message that is no mail.
fn note(envelope: &Envelope, content: Content) -> String {
    let at = jiff::Timestamp::from_millisecond(envelope.date).map(|at| at.to_string()).ok();
    let note = json!({
        "to": envelope.to,
        "body": content.text.or(content.html),
        "subject": content.subject,
        "message_id": envelope.message_id,
        "at": at,
    });
    format!("{note:#}\n")
}

/// Removes the file of the message of this Message-ID from an outbox folder, if it is there.
pub fn forget(folder: &Path, message_id: &str) {
    for ending in [MAIL, NOTE] {
        let path = folder.join(format!("{}.{ending}", file_name(message_id)));
        match std::fs::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                tracing::error!(
                    file = %path.display(),
                    error = %error,
                    "a message to somebody who was erased cannot be removed; remove it by hand"
                );
            }
            _ => {}
        }
    }
}

/// Writes a file, and makes its folder when it is not there: also when it was removed while the runner runs.
fn put(path: &Path, mail: &str, folder: &Path) -> io::Result<()> {
    match std::fs::write(path, mail) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            std::fs::create_dir_all(folder)?;
            std::fs::write(path, mail)
        }
        written => written,
    }
}

/// The Message-ID's local part, of which only what is harmless in a file name is kept.
fn file_name(message_id: &str) -> String {
    let local = message_id.split('@').next().unwrap_or_default();
    let name: String = local
        .chars()
        .take(LONGEST_NAME)
        .map(|character| match character {
            'a'..='z' | 'A'..='Z' | '0'..='9' | '.' | '-' | '_' => character,
            _ => '_',
        })
        .collect();
    match name.strip_prefix('.') {
        Some(rest) => format!("_{rest}"),
        None if name.is_empty() => "_".to_owned(),
        None => name,
    }
}

#[cfg(test)]
mod tests {
    use super::super::sender::SenderOptions;
    use super::*;

    fn outbox(folder: &Path) -> Outbox {
        with(folder, SenderOptions::default())
    }

    fn with(folder: &Path, options: SenderOptions) -> Outbox {
        let from = Some("Shop <hello@shop.example>".to_owned());
        Outbox::new(folder.to_owned(), Sender::read(&SenderOptions { from, ..options }).unwrap())
    }

    fn deliver(outbox: &Outbox, to: &str, text: &str) -> Outcome {
        let envelope = Envelope {
            to: to.to_owned(),
            message_id: "7.1.hello.ab12@shop.example".to_owned(),
            date: 0,
            headers: Vec::new(),
            ..Envelope::default()
        };
        outbox.deliver(&envelope, Content { text: Some(text.to_owned()), ..Content::default() })
    }

    fn names(folder: &Path) -> Vec<String> {
        let entries = std::fs::read_dir(folder).unwrap();
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
    }

    #[test]
    fn a_message_becomes_one_file_that_a_mail_client_opens() {
        let home = tempfile::tempdir().unwrap();
        let folder = home.path().join("a/outbox");
        let outbox = outbox(&folder);
        assert_eq!(deliver(&outbox, "ada@shop.example", "one"), Outcome::Sent);
        assert_eq!(deliver(&outbox, "ada@shop.example", ".two\n.\n"), Outcome::Sent);
        assert_eq!(names(&folder), ["7.1.hello.ab12.eml"]);
        let mail = std::fs::read_to_string(folder.join("7.1.hello.ab12.eml")).unwrap();
        assert!(mail.starts_with("From: Shop <hello@shop.example>\r\n"), "{mail}");
        assert!(mail.contains("\r\n\r\n.two\r\n.\r\n"), "{mail}");
    }

    #[test]
    fn a_return_path_stands_at_the_top() {
        let home = tempfile::tempdir().unwrap();
        let return_path = Some("bounces@shop.example".to_owned());
        let outbox = with(home.path(), SenderOptions { return_path, ..SenderOptions::default() });
        let return_token = Some("12-ab".to_owned());
        let envelope =
            Envelope { to: "ada@shop.example".to_owned(), message_id: "1@x".to_owned(), return_token, ..Envelope::default() };
        assert_eq!(outbox.deliver(&envelope, Content::default()), Outcome::Sent);
        let mail = std::fs::read_to_string(home.path().join("1.eml")).unwrap();
        assert!(mail.starts_with("Return-Path: <bounces+12-ab@shop.example>\r\nFrom: Shop <hello@shop.example>\r\n"), "{mail}");
    }

    #[test]
    fn a_message_that_is_no_mail_becomes_json() {
        let home = tempfile::tempdir().unwrap();
        let outbox = Outbox::new(home.path().to_owned(), None);
        assert_eq!(deliver(&outbox, "+49 1", "Your \"code\"\n1"), Outcome::Sent);
        let note = std::fs::read_to_string(home.path().join("7.1.hello.ab12.json")).unwrap();
        let expected = json!({
            "to": "+49 1", "body": "Your \"code\"\n1", "subject": null, "message_id": "7.1.hello.ab12@shop.example",
            "at": "1970-01-01T00:00:00Z",
        });
        assert_eq!(serde_json::from_str::<serde_json::Value>(&note).unwrap(), expected);
        outbox.forget("7.1.hello.ab12@shop.example");
        assert_eq!(names(home.path()), [] as [&str; 0]);
    }

    #[test]
    fn a_mail_that_must_be_forgotten_goes_and_the_others_stay() {
        let home = tempfile::tempdir().unwrap();
        let outbox = outbox(home.path());
        assert_eq!(deliver(&outbox, "ada@shop.example", "one"), Outcome::Sent);
        outbox.forget("8.1.hello.ab12@shop.example");
        assert_eq!(names(home.path()), ["7.1.hello.ab12.eml"]);
        outbox.forget("7.1.hello.ab12@another.example");
        assert_eq!(names(home.path()), [] as [&str; 0]);
    }

    #[test]
    fn a_folder_that_vanishes_is_made_again() {
        let home = tempfile::tempdir().unwrap();
        let outbox = outbox(home.path().join("outbox").as_path());
        assert_eq!(deliver(&outbox, "ada@shop.example", "one"), Outcome::Sent);
        std::fs::remove_dir_all(home.path().join("outbox")).unwrap();
        assert_eq!(deliver(&outbox, "ada@shop.example", "one"), Outcome::Sent);
    }

    #[test]
    fn what_cannot_be_written_is_deferred_and_what_cannot_be_mailed_fails() {
        let home = tempfile::tempdir().unwrap();
        std::fs::write(home.path().join("file"), "").unwrap();
        let blocked = outbox(&home.path().join("file"));
        assert!(
            matches!(deliver(&blocked, "ada@shop.example", "x"), Outcome::Deferred(why) if why.contains("7.1.hello.ab12.eml"))
        );
        assert!(matches!(deliver(&blocked, "ada", "x"), Outcome::Failed(_)));
        std::fs::create_dir_all(home.path().join("taken/7.1.hello.ab12.eml/x")).unwrap();
        let taken = outbox(&home.path().join("taken"));
        assert!(matches!(deliver(&taken, "ada@shop.example", "x"), Outcome::Deferred(_)));
        assert_eq!(names(&home.path().join("taken")), ["7.1.hello.ab12.eml"]);
    }

    #[test]
    fn a_file_name_keeps_only_what_is_harmless() {
        for (message_id, name) in [
            ("7.1.hello.ab12@shop.example", "7.1.hello.ab12"),
            ("../../etc/x@y", "_._.._etc_x"),
            (".hidden@y", "_hidden"),
            ("a b\0ü@y", "a_b__"),
            ("@y", "_"),
        ] {
            assert_eq!(file_name(message_id), name);
        }
        assert_eq!(file_name(&"x".repeat(1000)).len(), LONGEST_NAME);
    }
}
