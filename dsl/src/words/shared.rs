//! Shared segments and traits, and the settings.

use super::step::retried;
use super::{Field, condition, number, window};
use crate::model::{Channel, Condition, Deliver, EventsTrait, OnUnknown, Points, Rate, Settings, Topic, Trait, TraitFunction};

/// Who is in the segment.
pub fn segment(members: &Condition) -> String {
    match members {
        Condition::Listed(_) => "a list of members".to_owned(),
        members => condition(members),
    }
}

/// How the trait comes about.
pub fn trait_(defined: &Trait) -> String {
    match defined {
        Trait::Events(events) => of_events(events),
        Trait::Rank { by, into } => format!("rank of {by} into {into}"),
        Trait::Tier { by, tiers } => {
            let tiers: Vec<String> = tiers.iter().map(|(name, least)| format!("{name} from {}", number(*least))).collect();
            format!("by {by}: {}", tiers.join(", "))
        }
        Trait::Score { points, halves_every } => {
            let halves = halves_every.map(|span| format!(", halves every {span}")).unwrap_or_default();
            format!("score of {}{halves}", points.iter().map(scored).collect::<Vec<_>>().join(", "))
        }
        Trait::FirstMatch { cases, otherwise } => {
            let cases: Vec<String> = cases.iter().map(|(name, when)| format!("{name} if {}", condition(when))).collect();
            let otherwise = otherwise.as_ref().map(|name| format!("; otherwise {name}")).unwrap_or_default();
            format!("{}{otherwise}", cases.join("; "))
        }
    }
}

fn of_events(events: &EventsTrait) -> String {
    let function = match events.function {
        TraitFunction::Sum => "sum",
        TraitFunction::Count => "count",
        TraitFunction::Avg => "average",
        TraitFunction::Min => "least",
        TraitFunction::Max => "greatest",
        TraitFunction::First => "first",
        TraitFunction::Last => "last",
    };
    let of = events.of.as_ref().map(|path| format!(" {path}")).unwrap_or_default();
    let filter = events.filter.as_ref().map(|filter| format!(" where {}", condition(filter))).unwrap_or_default();
    let within = events.within.map(|within| format!(" within {within}")).unwrap_or_default();
    format!("{function}{of} of {}{filter}{within}", events.event)
}

fn scored(points: &Points) -> String {
    let filter = points.filter.as_ref().map(|filter| format!(" where {}", condition(filter))).unwrap_or_default();
    format!("{} for {}{filter}", number(points.points), points.event)
}

/// All settings that bear on who gets what and when. Nothing that is secret, and of how messages are delivered only the kind.
pub fn settings(settings: &Settings) -> Vec<Field> {
    let mut fields = vec![
        Field::new("project", &settings.project),
        Field::new("time_zone", &settings.time_zone),
        Field::new("locale", &settings.locale),
        Field::new("spread", settings.spread),
        Field::new("grace", settings.grace),
        Field::new("stop_within", settings.stop_within),
        Field::new("tracking.opens", settings.tracking.opens),
        Field::new("tracking.clicks", settings.tracking.clicks),
        Field::new("contract", if settings.open_contract { "open" } else { "closed" }),
        Field::new("bounces.soft", format!("{} within {}", settings.bounces.soft_count, settings.bounces.soft_within)),
    ];
    fields.extend(settings.url.as_ref().map(|url| Field::new("url", url)));
    fields.extend(settings.quiet_hours.as_ref().map(|quiet| Field::new("quiet_hours", window(quiet))));
    fields.extend(settings.retention.events.map(|span| Field::new("retention.events", span)));
    fields.extend(settings.retention.messages.map(|span| Field::new("retention.messages", span)));
    for cap in &settings.frequency {
        let topic = cap.topic.as_deref().unwrap_or("any topic");
        let channel = cap.channel.as_deref().unwrap_or("any channel");
        fields.push(Field::new(format!("frequency ({topic}, {channel}, per {})", cap.per), format!("at most {}", cap.at_most)));
    }
    settings.topics.iter().for_each(|(name, topic)| of_topic(name, topic, &mut fields));
    settings.channels.iter().for_each(|(name, channel)| of_channel(name, channel, &mut fields));
    fields
}

fn of_topic(name: &str, topic: &Topic, fields: &mut Vec<Field>) {
    let default = if topic.subscribed_by_default { "subscribed by default" } else { "only whoever subscribes" };
    let confirm = if topic.confirm { ", to be confirmed" } else { "" };
    fields.push(Field::new(format!("topics.{name}"), format!("{default}{confirm}")));
    fields.extend(topic.title.as_ref().map(|title| Field::new(format!("topics.{name}.title"), title)));
    fields.extend(topic.from.as_ref().map(|from| Field::new(format!("topics.{name}.from"), from)));
    let tracked = (topic.tracking.opens, topic.tracking.clicks);
    let tracked = match tracked {
        (true, true) => "opens and clicks",
        (true, false) => "opens",
        (false, true) => "clicks",
        (false, false) => "nothing",
    };
    fields.push(Field::new(format!("topics.{name}.tracking"), tracked));
}

fn of_channel(name: &str, channel: &Channel, fields: &mut Vec<Field>) {
    let deliver = match &channel.deliver {
        Deliver::Outbox(folder) => format!("into the folder {folder}"),
        Deliver::Smtp(_) => "by a mail server".to_owned(),
        Deliver::Http(_) => "by HTTP requests".to_owned(),
        Deliver::Preset(preset, _) => format!("by {preset:?}").to_lowercase(),
        Deliver::Null => "nowhere".to_owned(),
    };
    let key = |what: &str| format!("channels.{name}.{what}");
    fields.push(Field::new(key("deliver"), deliver));
    fields.extend(channel.from.as_ref().map(|from| Field::new(key("from"), from)));
    fields.extend(channel.reply_to.as_ref().map(|reply_to| Field::new(key("reply_to"), reply_to)));
    fields.push(Field::new(key("connections"), channel.connections));
    fields.extend(channel.rate.map(|rate| Field::new(key("rate"), per(rate))));
    for (domain, limit) in &channel.domains {
        fields.extend(limit.connections.map(|number| Field::new(key(&format!("domains.{domain}.connections")), number)));
        fields.extend(limit.rate.map(|rate| Field::new(key(&format!("domains.{domain}.rate")), per(rate))));
    }
    fields.push(Field::new(key("retry"), retried(&channel.retry)));
    fields.push(Field::new(key("on_unknown"), if channel.on_unknown == OnUnknown::Hold { "hold" } else { "resend" }));
}

fn per(rate: Rate) -> String {
    format!("{} per {}", rate.count, rate.per)
}
