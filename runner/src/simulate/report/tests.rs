//! The charts' axes and places, and that a page of nothing and of hostile names is still a page.

use dsl::ProjectFiles;

use super::charts::{MOST, axis, place_of, pressure};
use super::*;

#[test]
fn axes_end_roundly() {
    for (most, expected) in [
        (0, (1, 1)),
        (1, (1, 1)),
        (5, (5, 5)),
        (6, (6, 3)),
        (11, (15, 3)),
        (248, (250, 5)),
        (1_001, (1_500, 3)),
        (99_999, (100_000, 5)),
    ] {
        let (top, ticks) = axis(most);
        assert_eq!((top, ticks.len()), expected, "{most}: {ticks:?}");
        assert_eq!(ticks.last(), Some(&top));
    }
}

#[test]
fn texts_stay_between_the_edges() {
    assert_eq!(place_of(100.0, 50.0, 700.0), (50.0, ""));
    assert_eq!(place_of(350.0, 50.0, 700.0), (350.0, "middle"));
    assert_eq!(place_of(690.0, 50.0, 700.0), (700.0, "end"));
}

#[test]
fn whoever_gets_very_much_shares_a_column() {
    let svg = pressure(&[(1, 5), (MOST + 7, 2), (MOST, 1)].into());
    assert!(svg.contains(&format!("{MOST}: 3 people")) && svg.contains(&format!(">{MOST}+<")), "{svg}");
    assert_eq!(pressure(&Default::default()), "");
}

fn head() -> Head {
    Head {
        project: "shop".to_owned(),
        from: "2026-03-01T00:00:00+01:00".to_owned(),
        until: "2026-04-01T00:00:00+02:00".to_owned(),
        contacts: 0,
        newcomers: 3,
        events: 0,
        audience: Some("<b>crowd</b>".to_owned()),
        seed: "7".to_owned(),
        zone: dsl::time::zone("Europe/Berlin").unwrap(),
    }
}

#[test]
fn who_came_later_is_counted() {
    let check = |newcomers: u64, expected: &str| assert_eq!(Head { newcomers, ..head() }.to_string(), expected);
    check(0, "Simulated 2026-03-01T00:00:00+01:00 to 2026-04-01T00:00:00+02:00: 0 contacts, 0 events.");
    check(
        1_300,
        "Simulated 2026-03-01T00:00:00+01:00 to 2026-04-01T00:00:00+02:00: 0 contacts and 1,300 who came later, 0 events.",
    );
}

fn a_page(figures: &Figures) -> String {
    let files = [
        (
            "campaignd.yaml",
            "project: shop\ntime_zone: Europe/Berlin\ntopics: { offers: { default: subscribed } }\ncontract: open\n",
        ),
        (
            "workflows/w.yaml",
            "workflow: w\ndescription: \"<script>alert(1)</script>\"\ntrigger: { event: x }\ntopic: offers\nsteps: [ send: hello ]\n",
        ),
        ("templates/hello.txt.hbs", "---\nsubject: Hello\n---\nHello.\n"),
    ];
    let compiled = dsl::compile(&ProjectFiles::from_texts(files));
    page(&head(), &compiled.catalog.unwrap_or_else(|| panic!("{:#?}", compiled.diagnostics)), figures).unwrap()
}

#[test]
fn a_page_of_nothing_says_so() {
    let page = a_page(&Figures::default());
    for expected in [
        "Every message left as soon as it was due.",
        "every message that a step wanted to send was sent",
        "0 entered",
        "Sun 1 Mar 2026",
        "seed 7",
    ] {
        assert!(page.contains(expected), "{expected}\n{page}");
    }
    assert!(!page.contains("id=\"days\""), "no chart of nothing");
}

#[test]
fn names_are_text_and_nothing_is_fetched() {
    let page = a_page(&Figures::default());
    assert!(page.contains("&lt;b&gt;crowd&lt;/b&gt;") && !page.contains("<b>crowd"));
    assert!(!page.contains("<script") && !page.contains(" src=") && !page.contains("@import") && !page.contains("url("));
    assert!(page.contains("default-src 'none'"));
}
