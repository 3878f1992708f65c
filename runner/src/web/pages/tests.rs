//! What forms mean, and what pages say, by example.

use super::*;
use crate::state::MessageId;

fn topic(name: &str, state: &str) -> TopicState {
    TopicState {
        name: name.to_owned(),
        title: format!("<{name}>"),
        description: None,
        subscribed: state == "yes",
        pending: state == "waits",
    }
}

/// Topics offers (subscribed), news (not) and tips (to be confirmed); the link is about one of them, or all.
fn found(about: &str) -> Preferences {
    let topics = [("offers", "yes"), ("news", "no"), ("tips", "waits")].map(|(name, state)| topic(name, state)).to_vec();
    Preferences {
        contact: "ada".to_owned(),
        locale: None,
        message: MessageId(1),
        about: topics.iter().find(|topic| topic.name == about).cloned(),
        topics,
        token: "TOKEN".to_owned(),
        now: 0,
    }
}

#[track_caller]
fn check(read: fn(&Form, &Preferences) -> Wish, about: &str, body: &str, expected: &str) {
    let wish = read(&Form::read("application/x-www-form-urlencoded", body), &found(about));
    let said: Vec<String> = wish.said.iter().map(|(topic, said)| format!("{topic} {said:?}")).collect();
    assert_eq!(format!("{}: {}", wish.source, said.join(", ")), expected, "{body}");
}

#[test]
fn what_unsubscribing_means() {
    let check = |about, body, expected| check(unsubscribe::read, about, body, expected);
    check("offers", "List-Unsubscribe=One-Click", "one_click: offers Unsubscribed");
    check("", "List-Unsubscribe=One-Click", "one_click: all Unsubscribed");
    check("offers", "", "one_click: offers Unsubscribed");
    check("offers", "from=topic", "page: offers Unsubscribed");
    check("offers", "from=all", "page: all Unsubscribed");
    check("", "from=topic", "page: all Unsubscribed");
    check("news", "again=yes", "page: news Subscribed");
    check("", "again=yes", "one_click: all Unsubscribed");
}

#[test]
fn what_a_choice_of_topics_means() {
    let check = |body, expected| check(preferences::read, "", body, expected);
    check("shown=offers&shown=news&shown=tips&topic=offers", "page: ");
    check("shown=offers&shown=news&shown=tips", "page: offers Unsubscribed");
    check("shown=offers&shown=news&topic=news", "page: offers Unsubscribed, news Subscribed");
    check("shown=tips&topic=tips", "page: tips Subscribed");
    // What was not shown is left alone, and what is no topic is nothing.
    check("shown=news", "page: ");
    check("topic=news", "page: ");
    check("shown=nope&topic=nope&shown=all&topic=all", "page: ");
    check("", "page: ");
    check("everything=no&shown=offers&topic=offers", "page: all Unsubscribed");
}

#[test]
fn what_confirming_means() {
    let check = |about, expected| check(confirm::read, about, "confirm=yes", expected);
    check("tips", "confirmation: tips Confirmed");
    check("offers", "confirmation: ");
    check("news", "confirmation: ");
    check("", "confirmation: ");
}

/// What the pages hold of a topic's title, and the buttons they have.
#[track_caller]
fn shows(page: fn(&Visit) -> Page, about: &str, lang: &str, expected: &[&str]) {
    let visit = Visit { texts: texts::of(lang).unwrap(), written_in: "en".to_owned(), found: found(about) };
    let page = page(&visit);
    assert_eq!(page.content.matches("<h1>").count(), 1);
    assert!(!page.content.contains("<offers>") && !page.content.contains("ada"), "{}", page.content);
    for part in expected {
        assert!(page.content.contains(part), "{part} is not in {}", page.content);
    }
}

#[test]
fn what_pages_show() {
    shows(unsubscribe::page, "offers", "en", &["value=\"topic\"", "value=\"all\"", "“&lt;offers&gt;”", "../preferences/TOKEN"]);
    shows(unsubscribe::page, "offers", "de", &["„<span lang=\"en\">&lt;offers&gt;</span>“"]);
    shows(unsubscribe::page, "news", "en", &["At the moment you get no emails", "value=\"all\""]);
    shows(unsubscribe::page, "", "zh", &["<button name=\"from\" value=\"all\">退订全部邮件</button>"]);
    let checked = "name=\"topic\" value=\"offers\" checked>";
    shows(
        preferences::page,
        "",
        "en",
        &["name=\"shown\" value=\"news\"", checked, "aria-describedby=\"d2\"", "<label for=\"t1\">&lt;news&gt;"],
    );
    shows(confirm::page, "tips", "en", &["<h1>Confirm", "value=\"yes\""]);
    shows(confirm::page, "offers", "en", &["<h1>You are subscribed already"]);
    shows(confirm::page, "news", "en", &["<h1>There is nothing to confirm", "../preferences/TOKEN"]);
}
