//! What the made-up people do because a message reached them: open it, follow its link, look around, order, have enough.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::Sender;

use serde_json::{Map, Value, json};

use crate::engine::stable_fraction;
use crate::ingest::{Occurrence, What};
use crate::kernel::{Happening, Observer};
use crate::state::{LogKind, MessageStatus};

const MINUTE: f64 = 60_000.0;

/// Of all messages that were sent; the others of those before.
const OPENS: f64 = 0.45;
const CLICKS: f64 = 0.35;
const ORDERS: f64 = 0.3;
const LEAVES: f64 = 0.006;

/// What one message leads to.
pub struct Reactions<'a> {
    pub contact: &'a str,
    pub workflow: &'a str,
    pub template: &'a str,
    /// Names the message; its reactions are always the same.
    pub message: String,
    /// ms since 1970 UTC.
    pub sent_at: i64,
}

impl Reactions<'_> {
    /// In order of time; none for most messages.
    pub fn list(&self) -> Vec<Occurrence> {
        let mut found = Vec::new();
        if !self.happens("opens", OPENS) {
            return found;
        }
        let opened = self.after(self.sent_at, "opens", 3.0, 600.0);
        found.push(self.event(opened, "message_opened", self.fate()));
        if self.happens("leaves", LEAVES) {
            let at = self.after(opened, "leaves", 0.2, 2.0);
            found.push(Occurrence {
                at,
                contact: self.contact.to_owned(),
                anonymous: false,
                what: What::Unsubscribe("all".to_owned()),
            });
            return found;
        }
        if !self.happens("clicks", CLICKS) {
            return found;
        }
        let clicked = self.after(opened, "clicks", 0.1, 5.0);
        found.push(self.event(clicked, "message_clicked", self.fate()));
        let page = json!({ "url": "https://shop.example/new", "title": "New on the shelves" });
        found.push(self.event(self.after(clicked, "looks", 0.02, 0.2), "page_viewed", page));
        if self.happens("orders", ORDERS) {
            let at = self.after(clicked, "orders", 2.0, 90.0);
            let total = 20 + (self.fraction("total") * 160.0) as i64;
            found.push(self.event(at, "order_completed", json!({ "order_id": format!("o-m{}", self.message), "total": total })));
        }
        found
    }

    fn fraction(&self, what: &str) -> f64 {
        stable_fraction(&["demo", what, self.contact, &self.message])
    }

    fn happens(&self, what: &str, share: f64) -> bool {
        self.fraction(what) < share
    }

    /// Between `least` and `most` minutes later.
    fn after(&self, from: i64, what: &str, least: f64, most: f64) -> i64 {
        let fraction = stable_fraction(&["demo", "when", what, self.contact, &self.message]);
        from + ((least + fraction * (most - least)) * MINUTE) as i64
    }

    fn fate(&self) -> Value {
        json!({ "template": self.template, "workflow": self.workflow })
    }

    fn event(&self, at: i64, name: &str, properties: Value) -> Occurrence {
        let properties: Map<String, Value> = properties.as_object().cloned().unwrap_or_default();
        let id = Some(format!("{name}-{}", self.message));
        Occurrence {
            at,
            contact: self.contact.to_owned(),
            anonymous: false,
            what: What::Event { name: name.to_owned(), properties, id },
        }
    }
}

/// Watches the kernel for messages that were sent, and passes on what they lead to.
pub struct Watcher {
    pub to: Sender<Occurrence>,
    /// Counts the messages.
    pub sent: Arc<AtomicU64>,
}

impl Observer for Watcher {
    fn happened(&mut self, happening: &Happening<'_>) {
        let Some(message) = happening.message.filter(|message| message.status == MessageStatus::Sent) else { return };
        if happening.kind != LogKind::Send {
            return;
        }
        self.sent.fetch_add(1, Ordering::Relaxed);
        let reactions = Reactions {
            contact: happening.contact,
            workflow: happening.workflow,
            template: &message.template,
            message: message.id.to_string(),
            sent_at: happening.at,
        };
        for occurrence in reactions.list() {
            // Nobody listens any more once the demo's time is over.
            let _ = self.to.send(occurrence);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(message: usize) -> Vec<Occurrence> {
        let message = message.to_string();
        Reactions { contact: "ada", workflow: "welcome", template: "welcome", message, sent_at: 1_000 }.list()
    }

    #[test]
    fn come_after_the_message_in_order_and_in_about_their_shares() {
        let all: Vec<_> = (0..4_000).map(of).collect();
        for list in &all {
            assert!(list.is_sorted_by_key(|occurrence| occurrence.at), "{list:?}");
            assert!(list.iter().all(|occurrence| occurrence.at > 1_000));
        }
        let count = |wanted: &str| {
            let named = |occurrence: &&Occurrence| matches!(&occurrence.what, What::Event { name, .. } if name == wanted);
            all.iter().flatten().filter(named).count()
        };
        assert!((1_650..1_950).contains(&count("message_opened")), "{}", count("message_opened"));
        assert!((500..760).contains(&count("message_clicked")), "{}", count("message_clicked"));
        assert_eq!(count("page_viewed"), count("message_clicked"));
        assert!((120..260).contains(&count("order_completed")), "{}", count("order_completed"));
    }

    #[test]
    fn are_the_same_for_the_same_message() {
        assert_eq!(of(7), of(7));
    }
}
