//! campaignd.yaml: what it comes to, and what is wrong with it.

use super::found;
use crate::compile::compile;
use crate::project::ProjectFiles;

#[test]
fn settings() {
    let check = |text: &str, expected: &[&str]| {
        let compiled = compile(&ProjectFiles::from_texts([("campaignd.yaml", text)]));
        assert_eq!(found(&compiled), expected, "{text}\n{}", crate::render::short(&compiled.diagnostics));
        compiled
    };
    check("", &["1:1 error empty-file"]);
    check("project: shop\n", &["1:1 warning no-time-zone"]);
    let with = |text: &str| format!("project: shop\ntime_zone: Europe/Berlin\n{text}");
    let channel = |text: &str| with(&format!("channels:\n  email:\n    {text}\n"));
    check(&with("url: https://mail.shop.example/\nlocale: pt-BR\nstore: sqlite:state/x.db\nstop_within: 5s\n"), &[]);
    check(
        &with("locale: english language\nstore: postgres:x\nurl: shop\n"),
        &["3:9 error invalid-locale", "4:8 error invalid-store", "5:6 error invalid-url"],
    );
    check(&channel("from: Shop <hello@shop.example>\n    deliver: smtps://u:${PASSWORD}@host:465\n    rate: 50 per second"), &[]);
    check(&channel("deliver: smtp://127.0.0.1:1025"), &["5:14 error missing-key"]);
    check(
        &channel("deliver: ftp://x\n    rate: fast\n    connections: 0\n    from: Shop"),
        &["5:14 error invalid-deliver", "6:11 error invalid-rate", "7:18 error invalid-number", "8:11 error invalid-address"],
    );
    check(
        &channel("from: a@${HOST}\n    dkim: { domain: d, selector: s, key: \"${KEY}\" }"),
        &["5:11 warning dkim-domain", "5:11 error environment"],
    );
    check(&with("channels: { sms: { deliver: { post: \"https://x.example\" } } }\n"), &[]);
    check(
        &with("limits: { quiet_hours: 21:00-08:00, frequency: [ { at_most: 3, per: 7 days, topic: offers } ] }\n"),
        &["3:84 error unknown-topic"],
    );
    check(
        &with("limits: { quiet_hours: night }\ntopics: { all: {}, x: { confirm: true } }\n"),
        &["3:24 error invalid-time", "4:11 error invalid-name"],
    );
    check(&with("http: { listen: nowhere, keys: [ \"${KEY}\" ] }\ntracking: { opens: true }\n"), &["3:17 error invalid-listen"]);
    let kept = check(&with("retention: { events: 400 days, messages: 1 day }\ninvalid_data: accept\n"), &[]).settings.unwrap();
    let days = |days: i64| Some(crate::time::Duration(days * crate::time::Duration::DAY.millis()));
    assert_eq!(kept.retention, crate::model::Retention { events: days(400), messages: days(1) });
    assert_eq!(kept.invalid_data, crate::model::InvalidData::Accept);
    let plain = check(&with("retention: { events: P2D }\ninvalid_data: reject\n"), &[]).settings.unwrap();
    assert_eq!(plain.retention, crate::model::Retention { events: days(2), messages: None });
    assert_eq!(plain.invalid_data, check(&with(""), &[]).settings.unwrap().invalid_data);
    check(
        &with("retention: { events: 23 hours, messages: ages }\ninvalid_data: keep\n"),
        &["3:22 error invalid-duration", "3:42 error invalid-duration", "4:15 error unknown-value"],
    );
    check("project: shop\ntime_zone: Mars/Base\nretentoin: {}\n", &["2:12 error invalid-zone", "3:1 error unknown-key"]);
    let compiled = check(&with("contract: open\nchannels: { email: { rate: 600 per minute } }\n"), &[]);
    let settings = compiled.settings.unwrap();
    let email = &settings.channels["email"];
    assert_eq!(email.rate, Some(crate::model::Rate { count: 600, per: crate::time::Duration::MINUTE }));
    assert_eq!(
        (email.connections, settings.http.listen.as_str(), settings.store.as_str()),
        (16, "127.0.0.1:8420", "state/campaignd.db")
    );
    assert_eq!((settings.spread.millis(), settings.stop_within.millis(), settings.grace.millis()), (900_000, 20_000, 3_600_000));
    assert!(settings.open_contract);
}

/// Channels, what comes back, and what calls may reach.
#[test]
fn channels() {
    let check = |text: &str, expected: &[&str]| {
        let text = format!("project: shop\ntime_zone: UTC\n{text}");
        let compiled = compile(&ProjectFiles::from_texts([("campaignd.yaml", text.as_str())]));
        assert_eq!(found(&compiled), expected, "{text}\n{}", crate::render::short(&compiled.diagnostics));
        compiled
    };
    let reached = |deliver: &str, expected: Option<&str>| {
        let settings = check(&format!("channels: {{ x: {{ deliver: {deliver} }} }}\n"), &[]).settings.unwrap();
        assert_eq!(settings.channels["x"].to.as_ref().map(ToString::to_string).as_deref(), expected, "{deliver}");
    };
    reached("{ post: \"https://x.example\", json: { to: \"{{contact.phone}}\", text: \"{{body}}\" } }", Some("contact.phone"));
    reached("{ post: \"https://x.example/{{contact.device.token}}\", form: { a: b } }", Some("contact.device.token"));
    reached("{ post: \"https://x.example\", json: { text: \"{{body}} {{default contact.nick ''}}\" } }", Some("contact.nick"));
    reached("{ post: \"https://x.example\", json: { text: \"{{body}}\" } }", None);
    reached("{ preset: twilio, options: { account: A, token: \"${T}\", from: \"+1\" } }", Some("contact.phone"));
    reached("{ preset: fcm, options: { service_account: \"${F}\" } }", Some("contact.push_token"));
    reached("{ preset: slack, options: { webhook: \"${S}\" } }", None);
    check(
        "channels: { x: { deliver: { preset: twilio, options: { account: A, tokn: b } } } }\n",
        &["3:45 error missing-key", "3:45 error missing-key", "3:68 error unknown-key"],
    );
    check("channels: { x: {}, any: { deliver: \"null:\" } }\n", &["3:13 error missing-key", "3:20 error invalid-name"]);
    check("channels: { x: { deliver: smtp://h:25 } }\n", &["3:27 error invalid-deliver", "3:27 error missing-key"]);
    check("channels: { x: { deliver: { post: nowhere } } }\n", &["3:35 error invalid-url"]);
    check("channels: { x: { deliver: {} } }\n", &["3:27 error missing-key"]);
    check("channels: { x: { deliver: { post: \"https://h\", json: {}, form: {} } } }\n", &["3:64 error misplaced-key"]);
    check("channels: { x: { deliver: { post: \"https://h\", headers: { Host: a } } } }\n", &["3:59 error invalid-name"]);
    check("channels: { x: { deliver: { post: \"https://h\", timeout: 2 minutes } } }\n", &["3:57 error invalid-duration"]);
    let limits =
        "channels: { email: { per_domain: { connections: 0, rate: quick }, domains: { GMX.de: { connections: 2 } } } }\n";
    check(limits, &["3:49 error invalid-number", "3:58 error invalid-rate"]);
    let dkim = "channels: { email: { from: a@shop.example, dkim: [ { domain: Shop.Example, selector: s1, key: k }, { domain: \"a b\", selector: s, key: k } ] } }\n";
    check(dkim, &["3:110 error invalid-name"]);
    check("channels: { email: { from: a@b.shop.example, dkim: { domain: shop.example, selector: s, key: k } } }\n", &[]);
    check("channels: { email: { from: No-Reply <no-reply@shop.example> } }\n", &["3:28 warning noreply-sender"]);
    check("channels: { email: { from: noreply@shop.example, reply_to: us@shop.example } }\n", &[]);
    check("topics: { x: { from: donotreply@shop.example } }\n", &["3:22 warning noreply-sender"]);
    check("topics: { x: { default: subscribed, confirm: true } }\n", &["3:46 error misplaced-key"]);
    let tracked =
        "tracking: { clicks: true }\ntopics: { x: { tracking: { opens: true } }, y: { tracking: { clicks: false } } }\n";
    let topics = check(tracked, &[]).settings.unwrap().topics;
    let tracking = |name: &str| (topics[name].tracking.opens, topics[name].tracking.clicks);
    assert_eq!((tracking("x"), tracking("y")), ((true, true), (false, false)));
    check("limits: { frequency: [ { at_most: 1, per: 1 day, channel: sms } ] }\n", &["3:59 error unknown-channel"]);
    let bounces = check(
        "bounces: { soft: { within: 1 day }, webhooks: { m: { provider: mailgun, key: \"${K}\" }, d: { provider: dsn } } }\n",
        &[],
    );
    let bounces = bounces.settings.unwrap().bounces;
    assert_eq!((bounces.soft_count, bounces.soft_within, bounces.webhooks.len()), (5, crate::time::Duration::DAY, 2));
    check(
        "bounces: { webhooks: { m: { provider: ses }, d: { provider: dsn, key: k } } }\n",
        &["3:24 error missing-key", "3:71 error misplaced-key"],
    );
    check("secrets: { crm: \"${CRM}\" }\nprivate_hosts: [crm.internal, 127.0.0.1, \"[::1]\"]\n", &[]);
    check("private_hosts: [\"http://x\"]\n", &["3:17 error invalid-host"]);
}
