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
        &["5:11 error environment", "6:5 warning not-yet"],
    );
    check(&with("channels: { sms: { deliver: { post: \"https://x.example\" } } }\n"), &["3:13 error not-yet"]);
    check(
        &with("limits: { quiet_hours: 21:00-08:00, frequency: [ { at_most: 3, per: 7 days, topic: offers } ] }\n"),
        &["3:84 error unknown-topic"],
    );
    check(
        &with("limits: { quiet_hours: night }\ntopics: { all: {}, x: { confirm: true } }\n"),
        &["3:24 error invalid-time", "4:11 error invalid-name", "4:25 warning not-yet"],
    );
    check(
        &with("http: { listen: nowhere, keys: [ \"${KEY}\" ] }\ntracking: { opens: true }\n"),
        &["3:17 error invalid-listen", "4:13 warning not-yet"],
    );
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
