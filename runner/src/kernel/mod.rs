//! The kernel: the one place that changes the state. It takes what arrived and what is due, a transaction a turn, and hands out messages
//! to carry. A turn takes all that waits, so commits are grouped by themselves when there is much to do.
//!
//! Architecture invariants: one kernel per store; no clock (each turn is told the time) and no waiting in here. What a turn did is durable
//! when it returns; when it fails nothing of it happened, and the same turn can be tried again.

mod arrivals;
mod calls;
mod composing;
mod consent;
mod contacts;
mod enrolling;
mod entries;
mod experiments;
mod facts;
mod following;
mod forgetting;
mod in_force;
mod joining;
mod members;
mod messages;
mod migrating;
mod observe;
mod plan;
mod preferences;
mod ranking;
mod reaching;
mod reports;
mod retention;
mod returned;
mod runs;
mod suppression;
mod sweeps;
mod tally;
#[cfg(test)]
mod tests;
mod time_triggers;
mod tracked;
mod upkeep;

pub(crate) use arrivals::{consent_said, message_of_fate, says_the_latest};
pub use composing::message_id;
pub(crate) use composing::{public_base, unsubscribe_headers};
pub use consent::Origin;
pub(crate) use consent::Statement;
pub(crate) use contacts::set_field;
pub use enrolling::{Enrolled, Enrolment, NotEnrolled, Why};
pub(crate) use entries::may_reenter;
pub(crate) use experiments::stands;
pub use members::{Changed, Members, NoList};
pub use observe::{Happening, Held, Observer};
pub use plan::{Plan, Prepared};
pub use preferences::{Preferences, TopicState};
pub(crate) use reaching::address_of;
pub use suppression::{Suppression, normal_email};
pub(crate) use sweeps::zone_test;
pub use tally::Tally;
pub(crate) use time_triggers::trigger_key;
pub use tracked::Tracked;
pub(crate) use upkeep::IN_FORCE as AUDIENCE_IN_FORCE;

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use serde_json::Value;

use crate::channels::{Job, Report};
use crate::dispatch::Domains;
use crate::ingest::{Alias, ContactInput, Identification, Occurrence};
use crate::returns::Notice;
use crate::standing::{Cause, Crossing, Definitions, contact_row};
use crate::state::*;
use crate::store::{Result, ScheduleRow, Store};
use crate::tokens::{Purpose, Signer, Token};
use in_force::InForce;
use messages::ChannelState;

/// What a turn is told.
#[derive(Debug, Clone)]
pub enum Input {
    /// A message came back from its channel.
    Report(Report),
    Contact(ContactInput),
    /// One who was there before anything was in force: enters nothing by being what they are.
    Known(ContactInput),
    Occurrence(Occurrence),
    /// It happened before anything was in force: counts, starts nothing.
    History(Occurrence),
    /// What somebody else says became of a message.
    Returned(Notice),
    /// What a contact said of topics, by a page or a mail program.
    Consent(ConsentChange),
    /// A message was opened, or a link in it followed.
    Tracked(Tracked),
    /// As known by the HTTP interface: joins an anonymous contact, then changes what is given.
    Identify(Identification),
    Alias(Alias),
    Enroll {
        workflow: String,
        contact: String,
        with: serde_json::Map<String, Value>,
    },
}

/// What a contact said about topics in one go.
#[derive(Debug, Clone, PartialEq)]
pub struct ConsentChange {
    /// The contact's uid.
    pub contact: String,
    /// Topics, or `all`, and what was said, in order.
    pub said: Vec<(String, Said)>,
    /// ms since 1970 UTC.
    pub at: i64,
    /// See [`ConsentEntry::source`].
    pub source: &'static str,
    /// The message whose link was used.
    pub message: Option<MessageId>,
}

/// What a turn gives back, valid once it has returned.
#[derive(Default)]
pub struct Turn {
    /// Messages to hand to their channels, by channel name. They are recorded as `sending`.
    pub jobs: Vec<(Arc<str>, Job)>,
    /// There is more to do at the same time: call again at once.
    pub more: bool,
    pub done: Tally,
    /// Message-IDs of mails to people who were erased: where a channel keeps copies, they must go.
    pub erased: Vec<String>,
}

/// How many due runs, contacts of a sweep or items of the inbox a turn takes at most. Large enough that a commit costs little by comparison, small
/// enough that what arrives meanwhile waits a few tens of milliseconds at most.
const CHUNK: usize = 1000;

/// How many things may follow from one another in one instant (a recorded event starting a workflow that records an event …) before the
/// chain is cut: workflows that start each other would go on for ever.
const CHAIN: u32 = 32;

/// How many things may follow from one thing in one instant in all.
const CONSEQUENCES: usize = 10_000;

/// A message sent this soon after its run's entry continues the chain that led to the entry; later ones begin a new one. In ms.
const CHAIN_BREAKS: i64 = 60_000;

pub struct Kernel {
    store: Box<dyn Store>,
    plan: Arc<Plan>,
    in_force: InForce,
    channels: HashMap<Arc<str>, ChannelState>,
    /// Limits by recipient's domain.
    domains: Domains,
    schedules: Vec<ScheduleRow>,
    /// Zones that contact-zone schedules exist for.
    zones: Vec<Option<String>>,
    /// What follows from what this turn did, in order.
    work: VecDeque<Work>,
    observer: Option<Box<dyn Observer>>,
    seed: String,
    /// See [`Kernel::want_subjects_only`].
    subjects_only: bool,
    identity: String,
    signer: Signer,
    suppression: Suppression,
    /// As in [`Turn::erased`], of this turn.
    erased: Vec<String>,
    /// The last turn named some.
    erased_named: bool,
    last_event: EventId,
    /// By what traits and segments are worked out.
    definitions: Definitions,
    /// When the ranks are to be refreshed; `None`: there are none.
    ranks_due: Option<i64>,
    search: Option<ranking::Search>,
    /// Whose rank is another since the search, where that is known.
    moved: Option<Vec<ContactId>>,
    /// How many contacts have a rank since the last refresh who had none then.
    newly_ranked: usize,
    /// Contacts are taking their ranks from new cut points.
    taking_ranks: bool,
    retaining: retention::Retaining,
    experiments: experiments::Experiments,
    /// What is being done is from before anything was in force: nobody enters by it.
    silent: bool,
    /// How many things followed from one another up to what is being done.
    depth: u32,
    /// The inbox may hold something.
    inbox: bool,
    now: i64,
    /// While a run goes on that was due earlier: since when. A message it queues at once was meant for then.
    late_since: Option<i64>,
    /// While runs are looked at because they are due, not because something arrived.
    at_timers: bool,
    tally: Tally,
    /// Only what comes back from channels, and other inputs, are taken in any more; nothing is begun.
    stopping: bool,
}

/// Something that follows from what happened, in the same transaction.
enum Work {
    /// An event was stored: runs may go on, others start.
    Event {
        contact: ContactId,
        name: Arc<str>,
        event: Event,
        depth: u32,
    },
    /// The contact changed: conditions of open runs may hold now.
    Changed {
        contact: ContactId,
    },
    /// Traits and segments may depend on what happened.
    Concerns {
        contact: ContactId,
        cause: Cause,
        depth: u32,
    },
    /// The contact came into a segment, or left it.
    Crossed {
        contact: ContactId,
        crossing: Crossing,
        depth: u32,
    },
    Start {
        workflow: String,
        contact: ContactId,
        with: Value,
        depth: u32,
    },
}

/// What differs between production and simulation.
#[derive(Default)]
pub struct Options {
    pub observer: Option<Box<dyn Observer>>,
    /// Varies the spread after quiet hours and windows; empty in production.
    pub seed: String,
    /// Draft workflows run too (simulate with `--workflow`).
    pub drafts: bool,
}

impl Kernel {
    /// Takes over a store: puts the plan in force and settles what was in doubt.
    ///
    /// # Errors
    /// Those of the store; nothing is changed then.
    pub fn open(mut store: Box<dyn Store>, plan: Arc<Plan>, options: Options, now: i64) -> Result<Kernel> {
        let definitions = Definitions::of(plan.catalog.clone(), plan.audience.clone(), &mut *store)?;
        let mut kernel = Kernel {
            suppression: Suppression::of(&mut *store)?,
            erased: Vec::new(),
            erased_named: false,
            store,
            channels: ChannelState::of(&plan.catalog.settings),
            domains: Domains::default(),
            plan: plan.clone(),
            in_force: InForce::new(options.drafts),
            schedules: Vec::new(),
            zones: Vec::new(),
            work: VecDeque::new(),
            observer: options.observer,
            seed: options.seed,
            subjects_only: false,
            identity: String::new(),
            signer: Signer::new(""),
            last_event: EventId(0),
            definitions,
            ranks_due: None,
            search: None,
            moved: None,
            newly_ranked: 0,
            taking_ranks: false,
            retaining: retention::Retaining::default(),
            experiments: experiments::Experiments::default(),
            silent: false,
            depth: 0,
            inbox: true,
            now,
            late_since: None,
            at_timers: false,
            tally: Tally::default(),
            stopping: false,
        };
        kernel.transaction(now, |kernel| {
            kernel.identity = kernel.store.identity()?;
            kernel.signer = Signer::new(&kernel.store.secret()?);
            kernel.put_in_force(plan)?;
            kernel.take_up_erased()?;
            kernel.settle_doubts()
        })?;
        Ok(kernel)
    }

    /// Puts another plan in force, all or nothing.
    ///
    /// # Errors
    /// Those of the store; the old plan stays in force then.
    pub fn reload(&mut self, plan: Arc<Plan>, now: i64) -> Result<()> {
        self.transaction(now, |kernel| kernel.put_in_force(plan))
    }

    /// One transaction: everything in `inputs`, then what is due, then the messages that can leave.
    ///
    /// # Errors
    /// Those of the store; nothing happened then, and the same inputs can be given again.
    pub fn turn(&mut self, now: i64, inputs: &[Input]) -> Result<Turn> {
        let turn = self.transaction(now, |kernel| {
            let mut turn = Turn::default();
            let behind = kernel.take_all(inputs)?;
            if !kernel.stopping {
                turn.more |= behind;
                // What other processes left came after what time has moved until now.
                if !behind {
                    turn.more |= kernel.take_inbox()?;
                }
                turn.more |= kernel.recheck_some(now)?;
                kernel.fire_time_triggers(now)?;
                turn.more |= kernel.sweep()?;
                turn.more |= kernel.refresh_ranks()?;
                turn.more |= kernel.retain()?;
                turn.more |= kernel.follow_some()?;
                turn.more |= kernel.migrate_some()?;
                turn.more |= kernel.run_due()?;
                turn.more |= kernel.dispatch(&mut turn.jobs)?;
            }
            turn.done = std::mem::take(&mut kernel.tally);
            turn.erased = kernel.name_erased()?;
            Ok(turn)
        })?;
        self.erased_named = !turn.erased.is_empty();
        Ok(turn)
    }

    /// Takes what arrived and hands out the messages that can leave, but leaves alone what is due exactly now: on virtual time more may arrive
    /// that happened at this very instant, and what happens exactly at a timeout is in time. A turn at the same time then does the rest.
    ///
    /// # Errors
    /// Those of the store; nothing happened then, and the same inputs can be given again.
    pub fn arrive(&mut self, now: i64, inputs: &[Input]) -> Result<Turn> {
        self.transaction(now, |kernel| {
            let mut turn = Turn::default();
            kernel.take_all(inputs)?;
            turn.more |= kernel.dispatch(&mut turn.jobs)?;
            turn.done = std::mem::take(&mut kernel.tally);
            turn.erased = std::mem::take(&mut kernel.erased);
            Ok(turn)
        })
    }

    /// From now on turns only take in what they are given: no message is handed out any more, and what is due stays due for the next start.
    pub fn stop_sending(&mut self) {
        self.stopping = true;
    }

    /// Keeps small named texts in the store, all or none.
    ///
    /// # Errors
    /// Those of the store.
    pub fn note(&mut self, notes: &[(&str, String)], now: i64) -> Result<()> {
        self.transaction(now, |kernel| notes.iter().try_for_each(|(name, text)| kernel.store.set_property(name, text)))
    }

    /// The earliest time at which a turn has something to do though nothing arrives.
    ///
    /// # Errors
    /// Those of the store.
    pub fn next_wake(&mut self) -> Result<Option<i64>> {
        if self.stopping {
            return Ok(None);
        }
        let times = [
            self.store.next_due_run()?,
            self.store.next_date_timer()?,
            self.store.next_recheck()?,
            self.ranks_due,
            self.retains_at(),
        ];
        let mut wake = times.into_iter().flatten().min();
        let schedules = self.schedules.iter().filter_map(|row| row.next).min();
        wake = wake.into_iter().chain(schedules).min();
        for (name, channel) in &self.channels {
            if channel.free > 0 {
                let due = [self.store.next_due_message(name)?, self.domains.next(name)].into_iter().flatten().min();
                wake = wake.into_iter().chain(due.map(|due| due.max(channel.blocked_until))).min();
            }
        }
        Ok(wake)
    }

    /// Looks whether another process left something to do.
    ///
    /// # Errors
    /// Those of the store.
    pub fn look_outside(&mut self) -> Result<bool> {
        if self.store.changed_outside()? {
            self.inbox = true;
        }
        Ok(self.inbox)
    }

    /// The store, to read from.
    pub fn store(&mut self) -> &mut dyn Store {
        &mut *self.store
    }

    /// What a link's token stands for, if this store's runner signed it, and the contact's uid; of one who was joined to another since, the other's.
    ///
    /// # Errors
    /// Those of the store.
    pub fn open_token(&mut self, purpose: Purpose, text: &str) -> Result<Option<(Token, String)>> {
        let Some(token) = self.signer.open(purpose, text) else { return Ok(None) };
        // The message went wherever the contact it was sent to went; it is gone when it is old.
        let sent_to = self.store.message(token.message)?.map_or(token.contact, |message| message.contact);
        let contact = contact_row(&mut *self.store, sent_to)?.filter(|contact| !contact.erased);
        Ok(contact.map(|contact| (token, contact.uid)))
    }

    /// From now on nothing is wanted of messages but whether they can be made, and their subjects: contents have no bodies. What happens
    /// is the same, and costs far less.
    pub fn want_subjects_only(&mut self) {
        self.subjects_only = true;
    }

    /// Signs and opens the tokens in links.
    pub fn signer(&self) -> &Signer {
        &self.signer
    }

    pub fn plan(&self) -> &Arc<Plan> {
        &self.plan
    }

    /// Messages handed out and not yet reported.
    pub fn in_flight(&self) -> usize {
        self.channels.values().map(|channel| channel.connections - channel.free).sum()
    }

    fn transaction<T>(&mut self, now: i64, act: impl FnOnce(&mut Kernel) -> Result<T>) -> Result<T> {
        self.now = now;
        self.store.begin()?;
        let before = Before::of(self);
        let result = match self.store.last_event() {
            Ok(last) => {
                self.last_event = last;
                act(self)
            }
            Err(error) => Err(error),
        };
        let result = result.and_then(|value| self.store.commit().map(|()| value));
        if result.is_err() {
            self.store.rollback();
            self.domains.rollback();
            before.restore(self);
        } else {
            self.domains.commit(now);
        }
        result
    }

    /// Everything that arrived, after what time pulled before this instant. True when time has moved more than a turn takes.
    fn take_all(&mut self, inputs: &[Input]) -> Result<bool> {
        let mut behind = false;
        if !self.stopping {
            behind = self.recheck_some(self.now - 1)?;
            self.fire_time_triggers(self.now - 1)?;
        }
        for input in inputs {
            self.take(input)?;
            self.follow_up()?;
        }
        Ok(behind)
    }

    fn follow_up(&mut self) -> Result<()> {
        let mut done = 0;
        while let Some(work) = self.work.pop_front() {
            done += 1;
            if done > CONSEQUENCES {
                tracing::error!(
                    "one thing led to {done} others at once: the rest is dropped; look for workflows that start each other"
                );
                self.work.clear();
                break;
            }
            self.depth = work.depth();
            match work {
                Work::Concerns { contact, cause, .. } => self.look_at_concern(contact, &cause)?,
                Work::Crossed { contact, crossing, depth } => self.crossed(contact, &crossing, depth)?,
                Work::Event { contact, name, event, depth } => {
                    self.look_at_goals_since(contact, Some((&name, &event.properties)))?;
                    self.event_happened(contact, &name, &event, depth)?;
                }
                Work::Changed { contact } => {
                    self.look_at_goals_since(contact, None)?;
                    self.look_at_open_runs(contact, None, 0)?;
                }
                Work::Start { workflow, contact, with, depth } => self.start_by_name(&workflow, contact, with, depth)?,
            }
        }
        self.depth = 0;
        Ok(())
    }
}

impl Work {
    fn depth(&self) -> u32 {
        match self {
            Work::Event { depth, .. }
            | Work::Concerns { depth, .. }
            | Work::Crossed { depth, .. }
            | Work::Start { depth, .. } => *depth,
            Work::Changed { .. } => 0,
        }
    }
}

/// What a failed turn must put back, besides what the store puts back itself.
struct Before {
    plan: Arc<Plan>,
    in_force: InForce,
    channels: HashMap<Arc<str>, ChannelState>,
    schedules: Vec<ScheduleRow>,
    zones: Vec<Option<String>>,
    inbox: bool,
    tally: Tally,
    definitions: Definitions,
    ranks_due: Option<i64>,
    newly_ranked: usize,
    taking_ranks: bool,
    retaining: retention::Retaining,
    experiments: experiments::Experiments,
}

impl Before {
    fn of(kernel: &Kernel) -> Before {
        Before {
            plan: kernel.plan.clone(),
            in_force: kernel.in_force.clone(),
            channels: kernel.channels.clone(),
            schedules: kernel.schedules.clone(),
            zones: kernel.zones.clone(),
            inbox: kernel.inbox,
            tally: kernel.tally.clone(),
            definitions: kernel.definitions.clone(),
            ranks_due: kernel.ranks_due,
            newly_ranked: kernel.newly_ranked,
            taking_ranks: kernel.taking_ranks,
            retaining: kernel.retaining,
            experiments: kernel.experiments.clone(),
        }
    }

    fn restore(self, kernel: &mut Kernel) {
        kernel.plan = self.plan;
        kernel.in_force = self.in_force;
        kernel.channels = self.channels;
        kernel.schedules = self.schedules;
        kernel.zones = self.zones;
        kernel.inbox = self.inbox;
        kernel.tally = self.tally;
        kernel.definitions = self.definitions;
        kernel.ranks_due = self.ranks_due;
        kernel.newly_ranked = self.newly_ranked;
        kernel.taking_ranks = self.taking_ranks;
        kernel.retaining = self.retaining;
        kernel.experiments = self.experiments;
        // Begun again from the first contact.
        kernel.search = None;
        kernel.moved = None;
        kernel.silent = false;
        kernel.depth = 0;
        kernel.work.clear();
        kernel.erased.clear();
        kernel.late_since = None;
        kernel.at_timers = false;
    }
}
