//! Dispatch: the rules that are decided when a message leaves, each in one place.
//!
//! Architecture invariant: pure. The kernel looks the facts up, in the transaction in which it acts on the decision.

mod backoff;
mod domains;
mod rate;

pub use backoff::next_attempt;
pub use domains::{Domains, domain_of, limit_of};
pub use rate::RateLimit;

use dsl::model::{FrequencyCap, OverdueAction, Send, Settings, WhenCapped, Workflow};
use dsl::time::{Duration, Window};
use jiff::tz::TimeZone;

use crate::audience::subscribed;
use crate::engine::stable_fraction;
use crate::state::{Contact, Message};
use crate::store::Slot;

/// How long a message over a frequency cap waits for a free slot.
pub const CAPPED_AT_MOST: Duration = Duration(3 * Duration::DAY.0);

/// Why a message is not sent. The words are part of the outputs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Skip {
    NoAddress,
    /// The address is on the suppression list.
    Suppressed,
    Unsubscribed,
    Erased,
    Capped,
    Overdue(OverdueAction),
    /// The step's window and the quiet hours leave no time at all.
    NoOpening,
}

impl Skip {
    pub fn word(self) -> &'static str {
        match self {
            Skip::NoAddress => "no_address",
            Skip::Suppressed => "suppressed",
            Skip::Unsubscribed => "unsubscribed",
            Skip::Erased => "erased",
            Skip::Capped => "capped",
            Skip::Overdue(_) => "overdue",
            Skip::NoOpening => "no_opening",
        }
    }

    /// The contact can't be reached, whatever the time: `when_unreachable` applies.
    pub fn unreachable(self) -> bool {
        matches!(self, Skip::NoAddress | Skip::Suppressed | Skip::Unsubscribed | Skip::Erased)
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decision {
    /// To this address, now.
    Send(String),
    /// Look again at this time.
    Hold {
        until: i64,
        why: Holding,
    },
    Skip(Skip),
}

/// Why a message does not leave yet. The words are part of the outputs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Holding {
    QuietHours,
    /// The step's window is closed.
    Window,
    /// A frequency cap has no slot free.
    Cap,
}

impl Holding {
    pub fn word(self) -> &'static str {
        match self {
            Holding::QuietHours => "quiet_hours",
            Holding::Window => "window",
            Holding::Cap => "cap",
        }
    }
}

/// Everything a decision depends on but the slots taken.
pub struct Case<'a> {
    pub now: i64,
    pub message: &'a Message,
    pub contact: &'a Contact,
    pub zone: &'a TimeZone,
    pub settings: &'a Settings,
    pub workflow: &'a Workflow,
    /// The step's send, as the definition that the message is rendered with has it.
    pub send: &'a Send,
    /// Where the contact is reached on the message's channel, or why they are not.
    pub reach: &'a Result<String, Skip>,
    /// Makes the spread over people differ from simulation to simulation; constant in production.
    pub seed: &'a str,
}

impl Case<'_> {
    /// The longest span that a frequency cap looks back over; `None` when no cap applies.
    pub fn cap_span(&self) -> Option<Duration> {
        if !self.message.marketing {
            return None;
        }
        self.caps().map(|cap| cap.per).max()
    }

    fn caps(&self) -> impl Iterator<Item = &FrequencyCap> {
        let (topic, channel) = (self.message.topic.as_deref(), self.message.channel.as_str());
        self.settings.frequency.iter().filter(move |cap| counts(cap, topic, channel))
    }

    /// `slots`: those of the contact's marketing messages, latest first, over at least [`Case::cap_span`].
    pub fn decide(&self, slots: &[Slot]) -> Decision {
        if self.contact.erased {
            return Decision::Skip(Skip::Erased);
        }
        if let Some(overdue) = self.workflow.overdue
            && overdue.action != OverdueAction::Run
            && self.now - self.message.due > overdue.after.millis()
        {
            return Decision::Skip(Skip::Overdue(overdue.action));
        }
        if self.message.marketing && !self.consents() {
            return Decision::Skip(Skip::Unsubscribed);
        }
        let to = match self.reach {
            Ok(to) => to.clone(),
            Err(skip) => return Decision::Skip(*skip),
        };
        match self.opening() {
            None => return Decision::Skip(Skip::NoOpening),
            Some(until) if until > self.now => return Decision::Hold { until, why: self.shut_by() },
            Some(_) => {}
        }
        if let Some(free) = self.slot_free_at(slots) {
            let give_up = self.message.capped_at.unwrap_or(self.now).saturating_add(CAPPED_AT_MOST.millis());
            if self.send.when_capped == WhenCapped::Skip || self.now >= give_up {
                return Decision::Skip(Skip::Capped);
            }
            return Decision::Hold { until: free.min(give_up), why: Holding::Cap };
        }
        Decision::Send(to)
    }

    fn consents(&self) -> bool {
        match &self.message.topic {
            Some(topic) => subscribed(self.contact, self.settings, topic),
            None => !self.contact.consent.none,
        }
    }

    /// What shuts at this moment.
    fn shut_by(&self) -> Holding {
        let quiet = self.settings.quiet_hours.as_ref().filter(|_| self.message.marketing);
        if quiet.is_some_and(|quiet| quiet.contains(self.now, self.zone)) { Holding::QuietHours } else { Holding::Window }
    }

    /// When the message may leave as far as quiet hours and the step's window go: now, or a time after the next common opening, spread over
    /// the people who wait for it. `None`: never.
    fn opening(&self) -> Option<i64> {
        let quiet = self.settings.quiet_hours.as_ref().filter(|_| self.message.marketing);
        let window = self.send.window.as_ref();
        let at = next_opening(self.now, quiet, window, self.zone)?;
        if at == self.now {
            return Some(at);
        }
        let closes =
            [window.and_then(|window| window.closes_at(at, self.zone)), quiet.map(|quiet| quiet.opens_after(at - 1, self.zone))];
        let open_for = closes.into_iter().flatten().map(|end| (end - at).max(1)).min().unwrap_or(i64::MAX);
        let span = self.settings.spread.millis().min(open_for).max(0);
        let message = self.message;
        let fraction = stable_fraction(&[
            "spread",
            self.seed,
            &self.contact.uid,
            &self.workflow.name,
            &message.step,
            &message.visit.to_string(),
        ]);
        Some(at + (fraction * span as f64) as i64)
    }

    /// When a slot of every cap is free; `None` when one is free now. A slot is free again exactly `per` after it was taken.
    fn slot_free_at(&self, slots: &[Slot]) -> Option<i64> {
        if !self.message.marketing {
            return None;
        }
        let full = self.caps().filter_map(|cap| {
            let recent = slots.iter().filter(|slot| slot.at > self.now - cap.per.millis());
            let counted = recent.filter(|slot| counts(cap, slot.topic.as_deref(), &slot.channel));
            if cap.at_most == 0 {
                return Some(i64::MAX);
            }
            // Latest first: with n slots, the n-th latest is the one whose end frees a slot.
            let blocking = counted.map(|slot| slot.at).nth((cap.at_most as usize).checked_sub(1)?);
            blocking.map(|at| at + cap.per.millis())
        });
        full.max()
    }
}

/// Whether a message of this topic on this channel counts under the cap.
fn counts(cap: &FrequencyCap, topic: Option<&str>, channel: &str) -> bool {
    cap.topic.as_deref().is_none_or(|capped| Some(capped) == topic)
        && cap.channel.as_deref().is_none_or(|capped| capped == channel)
}

/// The first moment from `now` on at which the window is open and quiet hours are not. `None`: there is none within two weeks.
fn next_opening(now: i64, quiet: Option<&Window>, window: Option<&Window>, zone: &TimeZone) -> Option<i64> {
    let limit = now.saturating_add(15 * Duration::DAY.millis());
    let mut at = now;
    while at <= limit {
        if let Some(quiet) = quiet.filter(|quiet| quiet.contains(at, zone)) {
            at = quiet.closes_at(at, zone)?;
        } else if let Some(window) = window.filter(|window| !window.contains(at, zone)) {
            at = window.opens_after(at, zone);
        } else {
            return Some(at);
        }
    }
    None
}
