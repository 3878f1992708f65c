//! What channels answer while nothing leaves.

use std::collections::{HashMap, VecDeque};

use dsl::model::{Deliver, Settings};

use crate::channels::{Carried, Content, Outcome, Speaks, Written, judged};
use crate::state::CALLS;

/// Stands in for the channels: says what became of each message that was made.
pub trait Answers {
    fn answer(&mut self, channel: &str, content: &Content) -> Carried;
}

/// Everything is taken at once, and nobody is called.
#[derive(Debug, Clone, Copy, Default)]
pub struct Taken;

impl Answers for Taken {
    fn answer(&mut self, _: &str, _: &Content) -> Carried {
        taken()
    }
}

/// The answers that are written down for each channel, in order; then everything is taken.
#[derive(Debug, Clone, Default)]
pub struct Script {
    coming: HashMap<String, VecDeque<Carried>>,
}

impl Script {
    /// Writes down one more answer of a channel (`call`: of whoever `call` steps ask). False where nobody answers so on it.
    pub fn then(&mut self, channel: &str, settings: &Settings, answer: &Written) -> bool {
        let Some(carried) = judged(speaks(channel, settings), answer) else { return false };
        self.coming.entry(channel.to_owned()).or_default().push_back(carried);
        true
    }
}

impl Answers for Script {
    fn answer(&mut self, channel: &str, _: &Content) -> Carried {
        self.coming.get_mut(channel).and_then(VecDeque::pop_front).unwrap_or_else(taken)
    }
}

fn taken() -> Carried {
    Carried { outcome: Outcome::Sent, refusal: None, answer: None }
}

/// Who answers on this channel: mail is judged as mail, though the settings may put it into a folder.
fn speaks(channel: &str, settings: &Settings) -> Speaks {
    match settings.channels.get(channel).map(|channel| &channel.deliver) {
        _ if channel == CALLS => Speaks::Call,
        Some(Deliver::Http(_) | Deliver::Preset(..)) => Speaks::Http,
        _ => Speaks::Smtp,
    }
}
