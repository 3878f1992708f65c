//! `/confirm/TOKEN`: the second half of a double opt-in.

use handlebars::html_escape;

use super::form::Form;
use super::{Page, Visit, Wish, button, status};
use crate::kernel::{Preferences, TopicState};
use crate::state::Said;

pub(super) fn page(visit: &Visit) -> Page {
    match visit.found.about.as_ref() {
        Some(topic) if topic.pending => {
            let texts = visit.texts;
            let asked = format!("<p>{}</p>\n", visit.about(texts.asked_for, topic));
            let yes = button("confirm", "yes", &visit.about(texts.yes, topic), false);
            let nothing = format!("<p class=\"quiet\">{}</p>\n", html_escape(texts.do_nothing));
            Page::new(texts.confirm, asked + &yes + &nothing)
        }
        topic => stands(visit, topic),
    }
}

/// Nothing waits: it was confirmed before, or taken back since.
fn stands(visit: &Visit, topic: Option<&TopicState>) -> Page {
    let texts = visit.texts;
    let way = visit.way_to_preferences();
    match topic {
        Some(topic) if topic.subscribed => {
            Page::new(texts.already, format!("<p>{}</p>\n{way}", visit.about(texts.nothing_left, topic)))
        }
        Some(topic) => Page::new(texts.withdrawn, format!("<p>{}</p>\n{way}", visit.about(texts.subscribe_there, topic))),
        None => Page::new(texts.withdrawn, way),
    }
}

/// Whatever the form holds: there is one thing to confirm.
pub(super) fn read(_: &Form, found: &Preferences) -> Wish {
    let topic = found.about.iter().filter(|topic| topic.pending);
    Wish { said: topic.map(|topic| (topic.name.clone(), Said::Confirmed)).collect(), source: "confirmation" }
}

pub(super) fn done(visit: &Visit, before: &Preferences, _: &Form) -> Page {
    let waited = before.about.as_ref().is_some_and(|topic| topic.pending);
    match visit.found.about.as_ref() {
        Some(topic) if waited && topic.subscribed => {
            let said = status(&visit.about(visit.texts.from_now_on, topic));
            Page::new(visit.texts.confirmed, said + &visit.way_to_preferences())
        }
        topic => stands(visit, topic),
    }
}
