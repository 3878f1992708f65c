//! What stands where in the language's files: which key holds what, and what a text there names. One table for those who look for names and for
//! those who offer some.

use super::Kind;

/// Which of the language's files a file is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    Workflow,
    Settings,
    Test,
    /// People made up for `simulate`.
    Audience,
}

impl Form {
    /// What a file is, by its path relative to the project.
    pub fn of(path: &str) -> Option<Form> {
        let yaml = path.ends_with(".yaml") || path.ends_with(".yml");
        match path {
            "campaignd.yaml" => Some(Form::Settings),
            _ if !yaml => None,
            _ if path.starts_with("workflows/") => Some(Form::Workflow),
            _ if path.starts_with("tests/") && path.trim_end_matches(".yml").trim_end_matches(".yaml").ends_with(".test") => {
                Some(Form::Test)
            }
            _ if path.starts_with("tests/") => Some(Form::Audience),
            _ => None,
        }
    }
}

/// What a place in a file holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    File(Form),
    /// A mapping whose keys are names of this kind.
    Names(Kind),
    Condition,
    Goal,
    Segment,
    Trait,
    /// `first_match`: names of the user's own, each with a condition.
    FirstMatch,
    /// `sum: { of: … }` in a condition.
    Aggregate,
    Trigger,
    Steps,
    Step,
    /// A template's name, or a message.
    Send,
    Wait,
    Cases,
    Case,
    Variants,
    Variant,
    Repeat,
    /// A mapping whose keys are paths.
    Set,
    Call,
    Topic,
    Channel,
    Limits,
    Frequency,
    Moved,
    Tests,
    Test,
    Given,
    Timeline,
    Expect,
    /// The properties of what happened to a message.
    Message,
    /// A mapping whose keys use names of this kind.
    Uses(Kind),
    /// The same, with how each value is drawn.
    DrawnFor(Kind),
    Drawn,
    Profile,
    /// An event of an audience, or a list of such.
    Source,
    Reaction,
    /// A property of the event that the one at hand follows.
    Same,
    /// A text that names something of this kind, or a list of such.
    Name(Kind),
    /// A path: `contact.country`, `event.total`, `vars.stage`.
    Path,
    /// An event's name, or a path.
    EventOrPath,
    /// Texts, at any depth, that may hold template expressions.
    Text,
    Other,
}

impl Place {
    /// What stands under this key.
    pub fn inside(self, key: &str) -> Place {
        match self {
            Place::File(form) => in_file(form, key),
            Place::Names(kind) => match kind {
                Kind::Segment => Place::Segment,
                Kind::Attribute => Place::Trait,
                Kind::Topic => Place::Topic,
                Kind::Channel => Place::Channel,
                _ => Place::Other,
            },
            Place::Condition | Place::Goal | Place::Segment => in_condition(self, key),
            Place::FirstMatch => Place::Condition,
            Place::Aggregate if key == "of" => Place::Path,
            Place::Trait => in_trait(key),
            Place::Trigger => match key {
                "event" => Place::Name(Kind::Event),
                "segment" => Place::Name(Kind::Segment),
                "where" => Place::Condition,
                "date" | "key" => Place::Path,
                _ => Place::Other,
            },
            Place::Step => in_step(key),
            Place::Send if matches!(key, "subject" | "html" | "mjml" | "text") => Place::Text,
            Place::Wait if key == "until" => Place::Path,
            Place::Case => match key {
                "when" => Place::Condition,
                "steps" => Place::Steps,
                _ => Place::Other,
            },
            Place::Variants => Place::Variant,
            Place::Variant if key == "steps" => Place::Steps,
            Place::Repeat => match key {
                "until" => Place::Condition,
                "steps" => Place::Steps,
                _ => Place::Other,
            },
            Place::Call => match key {
                "save" => Place::Path,
                "sign" => Place::Name(Kind::Secret),
                "retry" | "timeout" | "on_error" => Place::Other,
                _ => Place::Text,
            },
            Place::Channel => match key {
                "to" => Place::Path,
                "deliver" => Place::Text,
                _ => Place::Other,
            },
            Place::Limits if key == "frequency" => Place::Frequency,
            Place::Frequency => match key {
                "topic" => Place::Name(Kind::Topic),
                "channel" => Place::Name(Kind::Channel),
                _ => Place::Other,
            },
            Place::Moved => Place::Name(Kind::Step),
            Place::Test | Place::Given | Place::Timeline | Place::Expect => in_test(self, key),
            Place::Message => match key {
                "template" => Place::Name(Kind::Template),
                "workflow" => Place::Name(Kind::Workflow),
                _ => Place::Other,
            },
            Place::Text => Place::Text,
            // `event.template: { one_of: [a, b] }`
            Place::Name(_) if matches!(key, "is" | "is_not" | "one_of" | "none_of") => self,
            Place::Uses(Kind::Attribute) if key == "topics" => Place::Name(Kind::Topic),
            Place::DrawnFor(_) => Place::Drawn,
            Place::Profile | Place::Source | Place::Reaction | Place::Drawn => in_audience(self, key),
            _ => Place::Other,
        }
    }

    /// What an element of a list is that stands here.
    pub fn item(self) -> Place {
        match self {
            Place::Steps => Place::Step,
            Place::Cases => Place::Case,
            Place::Tests => Place::Test,
            // One or several, or a list of alternatives.
            Place::Trigger
            | Place::Condition
            | Place::Frequency
            | Place::Timeline
            | Place::Expect
            | Place::Name(_)
            | Place::Uses(_)
            | Place::Source
            | Place::Reaction
            | Place::Text => self,
            _ => Place::Other,
        }
    }

    /// Whether keys of a mapping here are paths (`contact.country`).
    pub fn has_paths(self) -> bool {
        matches!(self, Place::Condition | Place::Goal | Place::Segment | Place::Set)
    }
}

fn in_file(form: Form, key: &str) -> Place {
    match (form, key) {
        (Form::Workflow, "trigger") => Place::Trigger,
        (Form::Workflow, "audience" | "exit_when") => Place::Condition,
        (Form::Workflow, "goal") => Place::Goal,
        (Form::Workflow, "topic") => Place::Name(Kind::Topic),
        (Form::Workflow, "moved") => Place::Moved,
        (Form::Workflow, "steps") => Place::Steps,
        (Form::Workflow, "segments") => Place::Names(Kind::Segment),
        (Form::Workflow, "traits") => Place::Names(Kind::Attribute),
        (Form::Settings, "topics") => Place::Names(Kind::Topic),
        (Form::Settings, "channels") => Place::Names(Kind::Channel),
        (Form::Settings, "secrets") => Place::Names(Kind::Secret),
        (Form::Settings, "limits") => Place::Limits,
        (Form::Test, "workflow") => Place::Name(Kind::Workflow),
        (Form::Test, "tests") => Place::Tests,
        (Form::Audience, "profile") => Place::Profile,
        (Form::Audience, "events") => Place::Source,
        (Form::Audience, "reactions") => Place::Reaction,
        _ => Place::Other,
    }
}

fn in_condition(here: Place, key: &str) -> Place {
    match key {
        "value" if here == Place::Goal => Place::Path,
        "all" | "any" | "none" | "not" | "where" => Place::Condition,
        "event" => Place::Name(Kind::Event),
        "sum" | "avg" | "min" | "max" => Place::Aggregate,
        "message" => Place::Name(Kind::Template),
        "segment" => Place::Name(Kind::Segment),
        "topic" => Place::Name(Kind::Topic),
        "workflow" => Place::Name(Kind::Workflow),
        _ => Place::Other,
    }
}

fn in_trait(key: &str) -> Place {
    match key {
        "sum" | "avg" | "min" | "max" | "rank" | "by" => Place::Path,
        "of" | "count" => Place::Name(Kind::Event),
        "first" | "last" => Place::EventOrPath,
        "where" | "score" => Place::Condition,
        "first_match" => Place::FirstMatch,
        _ => Place::Other,
    }
}

fn in_step(key: &str) -> Place {
    match key {
        "send" => Place::Send,
        "channel" => Place::Name(Kind::Channel),
        "topic" | "subscribe" | "unsubscribe" => Place::Name(Kind::Topic),
        "with" => Place::Text,
        "wait" => Place::Wait,
        "wait_for" => Place::Condition,
        "then" | "otherwise" => Place::Steps,
        "branch" => Place::Cases,
        "variants" => Place::Variants,
        "repeat" => Place::Repeat,
        "set" => Place::Set,
        "record" => Place::Name(Kind::Event),
        "call" => Place::Call,
        "start" => Place::Name(Kind::Workflow),
        _ => Place::Other,
    }
}

fn in_test(here: Place, key: &str) -> Place {
    match (here, key) {
        (Place::Test, "given") => Place::Given,
        (Place::Test, "timeline") | (Place::Given, "events") => Place::Timeline,
        (Place::Test, "expect") => Place::Expect,
        (Place::Given, "contact" | "contacts") => Place::Uses(Kind::Attribute),
        (Place::Timeline, "with") => Place::Uses(Kind::Property),
        (Place::Given, "segments") | (Place::Timeline, "join" | "leave") => Place::Name(Kind::Segment),
        (Place::Timeline | Place::Expect, "event") => Place::Name(Kind::Event),
        (Place::Timeline, "subscribe" | "unsubscribe" | "confirm") => Place::Name(Kind::Topic),
        (Place::Timeline, "set") => Place::Set,
        (Place::Timeline, "enroll") | (Place::Expect, "workflow") => Place::Name(Kind::Workflow),
        (Place::Expect, "send" | "skip") => Place::Name(Kind::Template),
        (Place::Expect, "channel") => Place::Name(Kind::Channel),
        (
            Place::Expect,
            "step" | "wait" | "branch" | "assign" | "set" | "record" | "subscribe" | "unsubscribe" | "start" | "call",
        ) => Place::Name(Kind::Step),
        _ => Place::Other,
    }
}

fn in_audience(here: Place, key: &str) -> Place {
    match (here, key) {
        (Place::Profile, "topics") => Place::Uses(Kind::Topic),
        (Place::Profile, "attributes") => Place::DrawnFor(Kind::Attribute),
        (Place::Profile, "locale" | "time_zone") => Place::Drawn,
        (Place::Source, "event" | "follows") => Place::Name(Kind::Event),
        (Place::Source, "template") | (Place::Reaction, "to") => Place::Name(Kind::Template),
        (Place::Source, "with") => Place::DrawnFor(Kind::Property),
        (Place::Drawn, "same") => Place::Same,
        _ => Place::Other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(form: Form, path: &str, expected: Place) {
        let place = path
            .split('/')
            .filter(|key| !key.is_empty())
            .fold(Place::File(form), |place, key| if key == "-" { place.item() } else { place.inside(key) });
        assert_eq!(place, expected, "{path}");
    }

    #[test]
    fn every_name_has_its_place() {
        use Form::{Audience, Settings, Test, Workflow};
        use Place::{Name, Uses};
        check(Workflow, "steps/-/send", Place::Send);
        check(Workflow, "steps/-/branch/-/steps/-/start", Name(Kind::Workflow));
        check(Workflow, "steps/-/variants/a/steps/-/subscribe", Name(Kind::Topic));
        check(Workflow, "steps/-/repeat/until/message", Name(Kind::Template));
        check(Workflow, "steps/-/channel/-", Name(Kind::Channel));
        check(Workflow, "steps/-/wait_for/any/-/not/segment", Name(Kind::Segment));
        check(Workflow, "trigger/-/event", Name(Kind::Event));
        check(Workflow, "trigger/key", Place::Path);
        check(Workflow, "traits/x/first_match/y/event", Name(Kind::Event));
        check(Workflow, "traits/x/score/-/event", Name(Kind::Event));
        check(Workflow, "segments/x/sum/of", Place::Path);
        check(Workflow, "steps/-/with/a/b", Place::Text);
        check(Workflow, "nothing/here", Place::Other);
        check(Settings, "limits/frequency/-/topic", Name(Kind::Topic));
        check(Settings, "channels/sms/deliver/json/to", Place::Text);
        check(Test, "tests/-/expect/-/send", Name(Kind::Template));
        check(Test, "tests/-/expect/-/branch", Name(Kind::Step));
        check(Test, "tests/-/given/events/-/event", Name(Kind::Event));
        check(Test, "tests/-/timeline/-/set", Place::Set);
        check(Test, "tests/-/timeline/-/with", Uses(Kind::Property));
        check(Test, "tests/-/given/contacts/-", Uses(Kind::Attribute));
        check(Test, "tests/-/given/contact/topics/-", Name(Kind::Topic));
        check(Workflow, "trigger/where/segment/none_of/-", Name(Kind::Segment));
        check(Audience, "profile/topics", Uses(Kind::Topic));
        check(Audience, "profile/attributes", Place::DrawnFor(Kind::Attribute));
        check(Audience, "events/-/with/total/same", Place::Same);
        check(Audience, "events/-/follows", Name(Kind::Event));
        check(Audience, "reactions/-/to/-", Name(Kind::Template));
    }

    #[test]
    fn files_by_their_paths() {
        for (path, form) in [
            ("campaignd.yaml", Some(Form::Settings)),
            ("workflows/a/b.yml", Some(Form::Workflow)),
            ("tests/a.test.yaml", Some(Form::Test)),
            ("tests/a.yaml", Some(Form::Audience)),
            ("other/a.yaml", None),
            ("templates/a.html.hbs", None),
        ] {
            assert_eq!(Form::of(path), form, "{path}");
        }
    }
}
