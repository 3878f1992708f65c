//! `/u/TOKEN`: away from the topic that a mail was about, or from everything.

use handlebars::html_escape;

use super::form::Form;
use super::{Page, Visit, Wish, button, status};
use crate::kernel::Preferences;
use crate::state::Said;

pub(super) fn page(visit: &Visit) -> Page {
    let texts = visit.texts;
    let mut content = String::new();
    let topic = visit.found.about.as_ref();
    if let Some(topic) = topic.filter(|topic| !topic.subscribed && !topic.pending) {
        content += &format!("<p>{}</p>\n", visit.about(texts.not_subscribed, topic));
    } else {
        content += &format!("<p>{}</p>\n", html_escape(texts.which));
        content += &topic.map(|topic| button("from", "topic", &visit.about(texts.from_topic, topic), false)).unwrap_or_default();
    }
    content += &button("from", "all", &html_escape(texts.from_all), topic.is_some());
    content += &visit.way_to_preferences();
    Page::new(texts.unsubscribe, content)
}

/// What the form, or the mail program's one click (RFC 8058 section 3.1), asks for: away from the mail's topic, or from all if it has none.
pub(super) fn read(form: &Form, found: &Preferences) -> Wish {
    let topic = found.about.as_ref().map(|topic| topic.name.clone());
    if let Some(topic) = topic.clone().filter(|_| again(form)) {
        return Wish { said: vec![(topic, Said::Subscribed)], source: "page" };
    }
    let from_all = form.is("from", "all");
    let by_page = from_all || form.is("from", "topic");
    let topic = topic.filter(|_| !from_all).unwrap_or_else(|| "all".to_owned());
    Wish { said: vec![(topic, Said::Unsubscribed)], source: if by_page { "page" } else { "one_click" } }
}

/// The page's button for whoever unsubscribed by mistake. A mail program's one click unsubscribes, whatever else stands beside it.
fn again(form: &Form) -> bool {
    form.is("again", "yes") && !form.is("List-Unsubscribe", "One-Click")
}

pub(super) fn done(visit: &Visit, _: &Preferences, form: &Form) -> Page {
    let texts = visit.texts;
    match visit.found.about.as_ref().filter(|_| !form.is("from", "all")) {
        Some(topic) if again(form) => {
            let said = status(&visit.about(texts.again_of_topic, topic));
            Page::new(texts.again, format!("{said}{}", visit.way_to_preferences()))
        }
        Some(topic) => {
            let said = status(&visit.about(texts.no_more_of_topic, topic));
            let back = button("again", "yes", &visit.about(texts.subscribe_again, topic), true);
            let mistake = html_escape(texts.by_mistake);
            Page::new(texts.unsubscribed, format!("{said}{}<h2>{mistake}</h2>\n{back}", visit.way_to_preferences()))
        }
        None => Page::new(texts.unsubscribed, format!("{}{}", status(&html_escape(texts.no_more)), visit.way_to_preferences())),
    }
}
