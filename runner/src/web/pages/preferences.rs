//! `/preferences/TOKEN`: every topic, each wanted or not.

use std::collections::BTreeSet;

use handlebars::html_escape;

use super::form::Form;
use super::{Page, Visit, Wish, button, status};
use crate::kernel::{Preferences, TopicState};
use crate::state::Said;

pub(super) fn page(visit: &Visit) -> Page {
    filled(visit, String::new())
}

fn filled(visit: &Visit, said: String) -> Page {
    let texts = visit.texts;
    let mut content = said.clone();
    if visit.found.topics.is_empty() {
        content += &format!("<p>{}</p>\n", html_escape(texts.nothing_to_choose));
    } else {
        let choices: String = visit.found.topics.iter().enumerate().map(|(number, topic)| choice(visit, number, topic)).collect();
        content += &format!(
            "<form method=\"post\">\n<fieldset>\n<legend>{}</legend>\n{choices}</fieldset>\n<button>{}</button>\n</form>\n",
            html_escape(texts.wanted),
            html_escape(texts.save)
        );
    }
    content += &format!("<h2>{}</h2>\n<p>{}</p>\n", html_escape(texts.everything), html_escape(texts.everything_means));
    content += &button("everything", "no", &html_escape(texts.from_all), true);
    let page = Page::new(texts.preferences, content);
    // What a screen reader says first is that it worked.
    if said.is_empty() { page } else { Page { title: texts.saved.to_owned(), ..page } }
}

/// A topic is sent along whether it is wanted or not, so that one that the page did not show is not taken for unwanted.
fn choice(visit: &Visit, number: usize, topic: &TopicState) -> String {
    let waits = topic.pending.then(|| format!("<p>{}</p>", html_escape(visit.texts.waits)));
    let description = topic.description.as_ref().map(|text| format!("<p>{}</p>", visit.written(text)));
    let more: String = description.into_iter().chain(waits).collect();
    let described = if more.is_empty() { String::new() } else { format!(" aria-describedby=\"d{number}\"") };
    let more = if more.is_empty() { more } else { format!("<div id=\"d{number}\">{more}</div>") };
    format!(
        "<div class=\"choice\"><input type=\"hidden\" name=\"shown\" value=\"{name}\">\
         <input type=\"checkbox\" id=\"t{number}\" name=\"topic\" value=\"{name}\"{checked}{described}>\
         <div><label for=\"t{number}\">{title}</label>{more}</div></div>\n",
        name = html_escape(&topic.name),
        checked = if topic.subscribed { " checked" } else { "" },
        title = visit.written(&topic.title),
    )
}

/// What differs from how things stand; names that are no topic are nothing.
pub(super) fn read(form: &Form, found: &Preferences) -> Wish {
    let said = if form.all("everything").next().is_some() {
        vec![("all".to_owned(), Said::Unsubscribed)]
    } else {
        let (shown, wanted): (BTreeSet<&str>, BTreeSet<&str>) = (form.all("shown").collect(), form.all("topic").collect());
        let shown = found.topics.iter().filter(|topic| shown.contains(topic.name.as_str()));
        let changed = shown.filter(|topic| wanted.contains(topic.name.as_str()) != topic.subscribed);
        let said = |topic: &TopicState| if topic.subscribed { Said::Unsubscribed } else { Said::Subscribed };
        changed.map(|topic| (topic.name.clone(), said(topic))).collect()
    };
    Wish { said, source: "page" }
}

pub(super) fn done(visit: &Visit, _: &Preferences, form: &Form) -> Page {
    let texts = visit.texts;
    if form.all("everything").next().is_some() {
        return filled(visit, status(&html_escape(texts.no_more)));
    }
    let saved = form.all("shown").next().is_some();
    filled(visit, if saved { status(&html_escape(texts.saved)) } else { String::new() })
}
