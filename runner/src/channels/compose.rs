//! Makes a job's content and mail on the worker, and keeps a panic in a renderer or a builder to the one message it
//! belongs to.

use std::panic::{AssertUnwindSafe, catch_unwind};

use super::mail::{self, Mail};
use super::sender::Sender;
use super::{Content, Envelope, dkim};

type Compose = Box<dyn FnOnce() -> Result<Content, String> + Send>;

/// A job's content. The error is the message's reason to fail.
pub fn content(compose: Compose) -> Result<Content, String> {
    caught(compose)
}

/// The content made into a mail, and signed. The error is the message's reason to fail.
pub fn mail(sender: &Sender, envelope: &Envelope, content: Content) -> Result<Mail, String> {
    caught(|| {
        let origin = sender.origin(envelope).map_err(|error| format!("its sender is wrong: {error}"))?;
        let mut mail = mail::build(origin, envelope, content).map_err(|error| error.to_string())?;
        let signatures = dkim::sign(&sender.keys, &mail.text).map_err(|error| error.to_string())?;
        mail.text.insert_str(0, &signatures);
        Ok(mail)
    })
}

/// What `make` makes, or the words of its panic.
pub fn caught<T>(make: impl FnOnce() -> Result<T, String>) -> Result<T, String> {
    catch_unwind(AssertUnwindSafe(make)).unwrap_or_else(|panic| {
        let words = panic
            .downcast_ref::<&str>()
            .map(|words| (*words).to_owned())
            .or_else(|| panic.downcast_ref::<String>().cloned())
            .unwrap_or_default();
        Err(format!("making the message came upon a fault of the runner (please report it): {words}"))
    })
}
