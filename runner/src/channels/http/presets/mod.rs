//! Providers whose requests are known: what they are asked, as their own documentation has it, and what their answers mean.

mod aliyun_sms;
mod fcm;
mod slack;
mod twilio;
mod vonage;
mod wecom;

use std::collections::BTreeMap;

use dsl::model::{Preset, Secret};

use super::draft::Draft;
use super::verdict::Verdict;
use super::{HttpError, Message};
use crate::http_client::Answer;

pub use fcm::Fcm;

/// A provider that takes one request a message.
pub trait Provider: Send + Sync {
    /// The request of a message.
    ///
    /// # Errors
    /// Why the message fails.
    fn draft(&self, message: &Message<'_>) -> Result<Draft, String>;

    /// What an answer means.
    fn verdict(&self, answer: &Answer) -> Verdict;
}

/// Reads a provider's options. [`Preset::Fcm`] has a way of its own.
pub fn read(preset: Preset, options: &BTreeMap<String, Secret>) -> Result<Box<dyn Provider>, HttpError> {
    let options = Options(options);
    Ok(match preset {
        Preset::Twilio => Box::new(twilio::Twilio::read(&options)?),
        Preset::Vonage => Box::new(vonage::Vonage::read(&options)?),
        Preset::AliyunSms => Box::new(aliyun_sms::AliyunSms::read(&options)?),
        Preset::Slack => Box::new(slack::Slack::read(&options)?),
        Preset::Wecom => Box::new(wecom::Wecom::read(&options)?),
        Preset::Fcm => return Err(HttpError::ServiceAccount),
    })
}

/// What the settings say of a provider.
pub struct Options<'a>(pub &'a BTreeMap<String, Secret>);

impl Options<'_> {
    fn get(&self, name: &'static str) -> Result<String, HttpError> {
        self.0.get(name).map(|value| value.0.clone()).ok_or(HttpError::Option(name))
    }

    /// `url`, or the provider's own; without a slash at its end.
    fn base(&self, own: &str) -> String {
        self.0.get("url").map_or(own, |url| url.0.as_str()).trim_end_matches('/').to_owned()
    }
}
