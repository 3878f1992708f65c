use serde_json::json;

use super::*;
use crate::diagnostic::Severity;

fn project(files: &[(&str, &str)]) -> BTreeMap<String, String> {
    files.iter().map(|(file, text)| (format!("templates/{file}.hbs"), (*text).to_owned())).collect()
}

fn load(texts: &BTreeMap<String, String>) -> (Library, Vec<Diagnostic>) {
    Library::load(&Folder { texts, assets: &BTreeMap::new(), locale: "en", to_run: true })
}

fn said(diagnostics: &[Diagnostic]) -> Vec<String> {
    let severity = |severity| {
        if severity == Severity::Error { "" } else { "warning " }
    };
    let line = |found: &Diagnostic| {
        let place = &found.location;
        let file = place.file.trim_start_matches("templates/").trim_end_matches(".hbs");
        format!(
            "{}{} {file}:{}:{}-{}:{}",
            severity(found.severity),
            found.code,
            place.line,
            place.column,
            place.end_line,
            place.end_column
        )
    };
    diagnostics.iter().map(line).collect()
}

const FRONT: &str = "---\nsubject: Hi\n---\n";

/// One HTML template behind three lines of front matter, some partials; what loading says.
#[track_caller]
fn check_load(body: &str, expected: &[&str]) {
    let html = format!("{FRONT}{body}");
    let files = project(&[("m.html", &html), ("partials/card", "card"), ("partials/a/footer", "x")]);
    assert_eq!(said(&load(&files).1), expected, "{body}");
}

#[test]
fn nothing_is_told_of_a_message_that_could_not_be_made() {
    let check = |file: &str, body: &str, expected: usize| {
        let html = format!("{FRONT}{body}");
        let (library, _) = load(&project(&[(file, &html)]));
        assert_eq!(library.origins.get("m").map(|origin| origin.facts.len()), Some(expected), "{body}");
    };
    check("m.html", "<p>{{unsubscribe_url}}</p>", 1);
    check("m.html", "<p>{{#if x}}{{unsubscribe_url}}</p>", 0);
    check("m.mjml", "<mjml><mj-body></mj-body></mjml>", 1);
    check("m.mjml", "<mjml><mj-body><mj-text>{{unsubscribe_url}}</mj-text></mj-body></mjml>", 0);
}

#[test]
fn each_fault_of_a_text_has_its_place() {
    check_load("<p>{{contact.x}}{{> card}}{{> a/footer y=1}}{{default contact.x \"y\"}}", &[]);
    check_load("<p>\n  {{#if x}}", &["template-syntax m.html:5:3-5:12"]);
    check_load("{{contact.}}", &["template-syntax m.html:4:1-4:13"]);
    check_load("ä {{uper x}}", &["unknown-helper m.html:4:5-4:9"]);
    check_load("{{#loop x}}{{/loop}}", &["unknown-helper m.html:4:4-4:8"]);
    check_load("{{log x}}{{#raw x}}{{/raw}}", &["unknown-helper m.html:4:3-4:6", "unknown-helper m.html:4:13-4:16"]);
    check_load("{{#if (nope x)}}{{/if}}", &["unknown-helper m.html:4:8-4:12"]);
    check_load("{{#if a b}}{{/if}}", &["helper-arguments m.html:4:4-4:6"]);
    check_load(
        "{{len}}{{if x}}{{#upper x}}{{/upper}}{{upper x y=1}}",
        &[
            "helper-arguments m.html:4:3-4:6",
            "helper-arguments m.html:4:10-4:12",
            "helper-arguments m.html:4:19-4:24",
            "helper-arguments m.html:4:40-4:45",
        ],
    );
    check_load("{{(upper x)}}", &["template-syntax m.html:4:1-4:14"]);
    check_load("{{> crad}}", &["unknown-partial m.html:4:5-4:9"]);
    check_load("{{> (lookup x y)}}", &["dynamic-partial m.html:4:1-4:19"]);
    check_load("{{#*inline \"x\"}}a{{/inline}}{{* foo}}", &["decorator m.html:4:1-4:17", "decorator m.html:4:29-4:38"]);
    check_load("{{{contact.x}}}\n{{& event.y}}", &["unescaped-data m.html:4:4-4:13", "unescaped-data m.html:5:5-5:12"]);
    check_load("{{{default contact.x \"y\"}}}", &["unescaped-data m.html:4:12-4:21"]);
    check_load("{{#each event.items}}{{{this}}}{{/each}}", &["unescaped-data m.html:4:25-4:29"]);
    check_load("{{{contact.x}}} {{! allow(unescaped-data) sanitised on import }}", &[]);
    check_load("{{! allow(unescaped-data) }}\n{{{contact.x}}}", &["unescaped-data m.html:5:4-5:13"]);
    check_load("{{{unsubscribe_url}}}{{{message.id}}}", &[]);
    check_load("{{{body}}}", &["unescaped-data m.html:4:4-4:8"]);
    check_load("<a href=\"{{contact.site}}\"><a href='{{unsubscribe_url}}'>", &["warning data-as-url m.html:4:12-4:24"]);
    check_load(
        "<a href=\"{{#if x}}{{event.y}}{{else}}{{event.z}}{{/if}}\">",
        &["warning data-as-url m.html:4:21-4:28", "warning data-as-url m.html:4:40-4:47"],
    );
    check_load("{{#each event.items}}<a href={{link}}>{{/each}}", &["warning data-as-url m.html:4:32-4:36"]);
    check_load("<a href=\"{{url contact.site}}\"><a href=\"https://x/{{contact.y}}\"><a href=\"{{link}}\">", &[]);
    check_load(&"{{#if x}}".repeat(33), &["template-too-deep m.html:4:289-4:298"]);
    check_load(&"x".repeat(MAX_SOURCE + 1), &["template-too-large m.html:4:1-4:1"]);
}

#[test]
fn each_fault_of_the_files_has_its_place() {
    let check = |files: &[(&str, &str)], expected: &[&str]| assert_eq!(said(&load(&project(files)).1), expected, "{files:?}");
    check(&[("a.html", "x")], &["missing-subject a.html:1:1-1:1"]);
    check(&[("a.html", "x"), ("a.txt", FRONT)], &[]);
    check(&[("a.html", FRONT), ("a.txt", "---\nsubject: Ho\n---\n")], &["conflicting-front-matter a.txt:2:10-2:12"]);
    check(&[("a.html", FRONT), ("a.txt", FRONT)], &[]);
    check(&[("a.html", "---\nsubject: \"a {{> b}}\"\n---\n")], &["unknown-partial a.html:2:17-2:18"]);
    check(
        &[("a.html", "---\nsubject: x\nlayout: plian\n---\n"), ("layouts/plain.html", "{{{body}}}")],
        &["unknown-layout a.html:3:9-3:14"],
    );
    check(&[("a.html", "---\nsubject: x\nchannel: sms\n---\n")], &[]);
    check(
        &[("a.mjml", &format!("{FRONT}<mjml><mj-body></mj-body></mjml>")), ("a.html", FRONT)],
        &["duplicate-template a.mjml:1:1-1:1"],
    );
    check(&[("a.html", FRONT), ("a.de.html", FRONT), ("a.DE.html", FRONT)], &["duplicate-template a.de.html:1:1-1:1"]);
    check(&[("a.de.html", FRONT)], &["missing-fallback a.de.html:1:1-1:1"]);
    check(
        &[("a.de.html", FRONT), ("a.en.html", FRONT), ("b.html", FRONT), ("b.de-AT.txt", "{{#if x"), ("c.sms", "")],
        &["template-syntax b.de-AT.txt:1:1-1:8"],
    );
    check(
        &[("a.html", "---\nsubject: x\nattachments: [files/a.pdf, ../b.pdf]\n---\n<p><img src=images/x.png>")],
        &["missing-file a.html:3:15-3:26", "missing-file a.html:3:28-3:36", "missing-file a.html:5:13-5:25"],
    );
    check(
        &[("a.html", "---\nsubject: x\nlayout: m\n---\n"), ("layouts/m.mjml", "<mjml><mj-body>{{{body}}}</mj-body></mjml>")],
        &["unknown-layout a.html:3:9-3:10"],
    );
    check(
        &[("a", ""), ("a.beta.html", ""), ("A.html", ""), ("../x.html", "")],
        &[
            "template-name ../x.html:1:1-1:1",
            "template-name A.html:1:1-1:1",
            "template-name a.beta.html:1:1-1:1",
            "template-name a:1:1-1:1",
        ],
    );
    check(
        &[("layouts/l.html", "{{body}}"), ("layouts/l.txt", "{{body}}"), ("layouts/m.html", "x")],
        &["escaped-body layouts/l.html:1:1-1:9", "layout-without-body layouts/m.html:1:1-1:1"],
    );
    check(&[("partials/a", "\n{{> b}}"), ("partials/b", "{{#if x}}{{> a}}{{/if}}")], &["template-cycle partials/b:1:14-1:15"]);
    check(&[("partials/a", "{{> a}}")], &["template-cycle partials/a:1:5-1:6"]);
    check(&[("partials/a", "{{> @partial-block}}{{{contact.x}}}")], &["unescaped-data partials/a:1:24-1:33"]);

    let chain: Vec<_> = (0..40).map(|step| (format!("partials/p{step:02}"), format!("{{{{> p{:02}}}}}", step + 1))).collect();
    let mut chain: Vec<_> = chain.iter().map(|(file, text)| (file.as_str(), text.as_str())).collect();
    chain.push(("partials/p40", ""));
    assert!(said(&load(&project(&chain)).1).iter().any(|line| line.starts_with("template-too-deep")));

    let plain =
        BTreeMap::from([("templates/a.html".to_owned(), String::new()), ("templates/logo.png".to_owned(), String::new())]);
    assert_eq!(said(&load(&plain).1), ["warning not-a-template a.html:1:1-1:1"]);
}

#[test]
fn a_template_is_put_together_from_its_files() {
    let (library, diagnostics) = load(&project(&[
        ("on/day-1.html", "---\nlayout: plain\nsubject: Hi {{> name}}\nneeds: [coupon, code]\n---\n<p>{{> card}}</p>"),
        ("on/day-1.txt", "---\ntopic: offers\npreheader: Soon\n---\ntext"),
        ("layouts/plain.html", "<b>{{{body}}}{{> foot}}</b>"),
        ("partials/card", "{{> inner}}"),
        ("partials/inner", ""),
        ("partials/foot", ""),
        ("partials/name", ""),
        ("partials/unused", ""),
    ]));
    assert_eq!(said(&diagnostics), [""; 0]);
    let template = &library.templates["on/day-1"];
    assert_eq!(template.subject.as_deref(), Some("Hi {{> name}}"));
    assert_eq!((template.topic.as_deref(), template.preheader.as_deref()), (Some("offers"), Some("Soon")));
    let html = template.html.as_ref().expect("html");
    assert_eq!((html.source.as_str(), html.layout.as_deref()), ("<p>{{> card}}</p>", Some("<b>{{{body}}}{{> foot}}</b>")));
    assert_eq!(template.text.as_ref().map(|text| (text.source.as_str(), text.layout.as_deref())), Some(("text", None)));
    assert_eq!(Vec::from_iter(library.partials_of(template)), ["card", "foot", "inner", "name"]);
    assert_eq!(library.missing_needs("on/day-1", &BTreeSet::from(["code".to_owned()])), ["coupon"]);
    assert_eq!(library.missing_needs("nope", &BTreeSet::new()), [""; 0]);
}

#[test]
fn a_message_has_languages_and_channels() {
    let (library, diagnostics) = load(&project(&[
        ("m.html", "---\nsubject: Hi\npreheader: Pre\nlayout: l\ntopic: offers\n---\nhello"),
        ("m.txt", "text"),
        ("m.de.html", "---\nsubject: Hallo\n---\nhallo"),
        ("m.de.sms", "SMS"),
        ("m.sms", "sms"),
        ("m.PT_br.txt", "---\nsubject: Oi\nlayout: l\n---\noi"),
        ("layouts/l.html", "[{{{body}}}]"),
        ("layouts/l.de.html", "<{{{body}}}>"),
        ("code.sms", "{{contact.id}}"),
        ("only.en.html", FRONT),
        ("only.de.html", "hallo"),
    ]));
    assert_eq!(said(&diagnostics), [""; 0]);
    let template = &library.templates["m"];
    let html = |part: &Option<Part>| part.as_ref().map(|part| (part.source.clone(), part.layout.clone()));
    let pair = |source: &str, layout: &str| Some((source.to_owned(), Some(layout.to_owned())));
    assert_eq!((html(&template.html), template.bodies["sms"].as_str()), (pair("hello", "[{{{body}}}]"), "sms"));
    assert_eq!(Vec::from_iter(template.locales.keys()), ["de", "pt-BR"]);
    let german = &template.locales["de"];
    assert_eq!((german.subject.as_deref(), german.preheader.as_deref()), (Some("Hallo"), Some("Pre")));
    assert_eq!((html(&german.html), &german.text, german.bodies["sms"].as_str()), (pair("hallo", "<{{{body}}}>"), &None, "SMS"));
    let brazilian = &template.locales["pt-BR"];
    assert_eq!((brazilian.subject.as_deref(), &brazilian.html), (Some("Oi"), &None));
    assert_eq!((library.templates["code"].channel.as_deref(), template.channel.as_deref()), (Some("sms"), None));
    assert_eq!(library.templates["only"].locales["de"].subject.as_deref(), Some("Hi"));
    let channels = |name: &str| library.origins[name].channels.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>();
    assert_eq!((channels("m"), channels("code")), (vec!["sms", "sms"], vec!["sms"]));
}

#[test]
fn mjml_and_styles_are_made_ready_with_their_places() {
    let (library, diagnostics) = load(&project(&[
        ("m.mjml", "---\nsubject: Hi\nlayout: l\n---\n{{#if x}}<mj-text>{{> word}} {{contact.id}}</mj-text>{{/if}}{{> foot}}"),
        (
            "layouts/l.mjml",
            "<mjml><mj-head><mj-title>{{subject}}</mj-title></mj-head><mj-body><mj-section><mj-column>{{{body}}}</mj-column></mj-section></mj-body></mjml>",
        ),
        ("partials/foot", "<mj-text>{{preferences_url}}</mj-text>"),
        ("partials/word", "word"),
        ("s.html", "---\nsubject: Hi\nlayout: s\n---\n<p>{{> word}}{{> card x=1}}</p>"),
        ("layouts/s.html", "<html><head><style>p { color: red } a { color: blue }</style></head><body>{{{body}}}</body></html>"),
        ("partials/card", "<a>{{x}}</a>"),
    ]));
    assert_eq!(said(&diagnostics), [""; 0]);
    let layout = |name: &str| library.templates[name].html.as_ref().and_then(|part| part.layout.clone()).unwrap_or_default();
    for piece in ["<title>{{subject}}</title>", "{{#if x}}", "{{> word}} {{contact.id}}", "{{preferences_url}}"] {
        assert!(layout("m").contains(piece), "{piece} / {}", layout("m"));
    }
    assert!(layout("s").contains("<p style=\"color: red;\">word{{> card x=1}}</p>"), "{}", layout("s"));
    assert!(layout("s").contains("a { color: blue }"), "{}", layout("s"));
    assert_eq!(Vec::from_iter(library.partials_of(&library.templates["m"])), ["word"]);

    let check = |files: &[(&str, &str)], expected: &[&str]| assert_eq!(said(&load(&project(files)).1), expected, "{files:?}");
    let body = "<mjml><mj-body><mj-section><mj-column>\n{{> p}}</mj-column></mj-section></mj-body></mjml>";
    check(&[("m.mjml", &format!("{FRONT}{body}")), ("partials/p", "\n<mj-txt>")], &["mjml partials/p:2:1-2:8"]);
    let body = body.replace("{{> p}}", "{{> p x=1}}");
    check(&[("m.mjml", &format!("{FRONT}{body}")), ("partials/p", "<mj-text>")], &["mjml m.mjml:5:1-5:12"]);
    check(&[("m.html", &format!("{FRONT}<style>p{{color:{{{{x}}}}}}</style>"))], &["warning styles-not-inlined m.html:4:1-4:1"]);
}

#[test]
fn files_that_go_with_a_message_are_found() {
    let texts = project(&[
        (
            "m.html",
            "---\nsubject: Hi\nattachments: [files/a.pdf]\n---\n<img src=\"./images/a.png\"><img src=\"https://x/y.png\">{{> logo}}",
        ),
        ("partials/logo", "<img src=images/b.svg>"),
    ]);
    let bytes: Arc<[u8]> = Arc::from(&b"bytes"[..]);
    let assets = ["files/a.pdf", "images/a.png", "images/b.svg"].map(|path| (format!("templates/{path}"), bytes.clone()));
    let (library, diagnostics) = Library::load(&Folder { texts: &texts, assets: &assets.into(), locale: "en", to_run: true });
    assert_eq!(said(&diagnostics), [""; 0]);
    let template = &library.templates["m"];
    let shown = |assets: &[Asset]| {
        assets.iter().map(|asset| format!("{} {} {}", asset.path, asset.media_type, asset.size)).collect::<Vec<_>>()
    };
    assert_eq!(shown(&template.attachments), ["files/a.pdf application/pdf 5"]);
    assert_eq!(shown(&template.images), ["images/a.png image/png 5", "images/b.svg image/svg+xml 5"]);
    let id = template.images[0].content_id();
    let html = template.html.as_ref().map(|part| part.source.as_str());
    assert_eq!(html, Some(format!("<img src=\"cid:{id}\"><img src=\"https://x/y.png\">{{{{> logo}}}}").as_str()));
    assert_eq!(library.partial("logo"), Some(format!("<img src=cid:{id}>").as_str()));
}

fn contract() -> Contract {
    let contact = json!({ "properties": {
        "first_name": { "type": "string" }, "country": { "type": "string" },
        "pets": { "type": "array", "items": { "type": "object", "properties": { "name": { "type": "string" } }, "required": ["name"] } },
        "address": { "type": "object", "properties": { "city": { "type": "string" } } }
    }, "required": ["country", "pets"] });
    let order = json!({ "properties": { "total": { "type": "number" }, "items": { "type": "array", "items": { "properties": { "sku": { "type": "string" } } } } } });
    let (contract, diagnostics) = Contract::load(&BTreeMap::from([
        ("schemas/contact.schema.json".to_owned(), contact.to_string()),
        ("schemas/events/ordered.schema.json".to_owned(), order.to_string()),
    ]));
    assert_eq!(diagnostics, []);
    contract
}

fn set(names: &[&str]) -> BTreeSet<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

/// What an inline text says of its names, as sent by a run that `ordered` started, with a coupon and `vars.stage`.
fn names(text: &str, events: &[&str], open: bool) -> Vec<String> {
    let files = project(&[("partials/card", "{{title}}{{contact.country}}{{nope}}"), ("partials/item", "{{sku}}{{@index}}")]);
    let library = load(&files).0;
    let (contract, events, with, vars) = (contract(), set(events), set(&["coupon"]), set(&["stage"]));
    let variables = Variables {
        contract: &contract,
        events: &events,
        eventless: false,
        with: &with,
        vars: &vars,
        open,
        suggestions: Cell::new(100),
    };
    let text = InlineText { text, file: "w", line: 10, column: 5 };
    said(&library.check_inline(&text, &variables))
}

#[test]
fn names_are_checked_against_the_contract() {
    let check = |text: &str, expected: &[&str]| assert_eq!(names(text, &["ordered"], false), expected, "{text}");
    check(
        "{{contact.country}} {{coupon.anything}} {{vars.stage}} {{unsubscribe_url}} {{preferences_url}} {{message.id}} {{event.total}}",
        &[],
    );
    check("{{contact.contry}}\n{{event.totl}}", &["unknown-variable w:10:7-10:21", "unknown-variable w:11:7-11:17"]);
    check(
        "{{first_name}}{{vars.stag}}{{message.x}}{{coupn}}{{body}}",
        &[
            "unknown-variable w:10:7-10:17",
            "unknown-variable w:10:21-10:30",
            "unknown-variable w:10:34-10:43",
            "unknown-variable w:10:47-10:52",
            "unknown-variable w:10:56-10:60",
        ],
    );
    check(
        "{{#if contact.nope}}{{else if event.nope}}{{else}}{{nope}}{{/if}}",
        &["unknown-variable w:10:11-10:23", "unknown-variable w:10:35-10:45", "unknown-variable w:10:57-10:61"],
    );
    check("{{#unless (eq contact.nope \"contact.nope\")}}{{/unless}}", &["unknown-variable w:10:19-10:31"]);
    check("{{contact}}{{this}}", &["unknown-variable w:10:7-10:14", "unknown-variable w:10:18-10:22"]);
    check("{{contact.country.x}}", &["unknown-variable w:10:7-10:24"]);

    check(
        "{{#each event.items}}{{sku}}{{this.sku}}{{@index}}{{@first}}{{../contact.country}}{{@root.contact.country}}{{/each}}",
        &[],
    );
    check(
        "{{#each event.items}}{{size}}{{contact.country}}{{/each}}{{@index}}{{@root}}",
        &[
            "unknown-variable w:10:28-10:32",
            "unknown-variable w:10:36-10:51",
            "unknown-variable w:10:64-10:70",
            "unknown-variable w:10:74-10:79",
        ],
    );
    check("{{#each event.items as |item i|}}{{item.sku}}{{i}}{{item.size}}{{/each}}", &["unknown-variable w:10:57-10:66"]);
    check(
        "{{#each contact.pets}}{{name}}{{#if ../contact.nope}}{{/if}}{{../../x}}{{/each}}",
        &["unknown-variable w:10:41-10:56", "unknown-variable w:10:67-10:74"],
    );
    check(
        "{{#each coupon}}{{anything.goes}}{{/each}}{{#with contact.address}}{{city}}{{town}}{{/with}}",
        &["warning possibly-missing w:10:74-10:78", "unknown-variable w:10:82-10:86"],
    );
    check("{{lookup event.items 0}}{{len contact.nope}}", &["unknown-variable w:10:35-10:47"]);

    check("{{> card title=\"x\"}}", &["unknown-variable partials/card:1:31-1:35"]);
    check(
        "{{#each event.items}}{{> item}}{{/each}}{{> item}}",
        &["unknown-variable partials/item:1:3-1:6", "unknown-variable partials/item:1:10-1:16"],
    );
    check(
        "{{#> card title=1}}{{title}}{{../contact.country}}{{../../x}}{{/card}}",
        &["unknown-variable partials/card:1:31-1:35", "unknown-variable w:10:57-10:64"],
    );
    check("{{> item coupon}}", &["unknown-variable partials/item:1:10-1:16"]);
}

#[test]
fn what_may_be_missing_is_a_warning() {
    let check = |text: &str, expected: &[&str]| assert_eq!(names(text, &[], false), expected, "{text}");
    check("{{contact.first_name}}", &["warning possibly-missing w:10:7-10:25"]);
    check("{{upper contact.first_name}}", &["warning possibly-missing w:10:13-10:31"]);
    check("{{default contact.first_name contact.phone}}", &["warning possibly-missing w:10:34-10:47"]);
    check("{{default contact.first_name \"there\"}}{{contact.id}}{{contact.email}}{{contact.country}}", &[]);
    check(
        "{{#if contact.first_name}}{{contact.first_name}}{{else}}{{contact.first_name}}{{/if}}",
        &["warning possibly-missing w:10:63-10:81"],
    );
    check("{{#unless contact.first_name}}x{{else}}{{contact.first_name}}{{/unless}}", &[]);
    check("{{#if (and contact.first_name event.x)}}{{contact.first_name}}{{/if}}", &[]);
    check("{{#if (eq contact.first_name \"Ada\")}}x{{/if}}", &[]);
}

#[test]
fn events_and_open_contracts_change_what_is_known() {
    assert_eq!(
        names("{{event.anything}}{{contact.nope}}", &[], true),
        ["warning unknown-variable w:10:25-10:37", "warning possibly-missing w:10:25-10:37"][..1]
    );
    assert_eq!(names("{{event.url}}{{event.total}}", &["ordered", "message_clicked"], false), [""; 0]);
    assert_eq!(names("{{event.url}}", &["ordered"], false), ["unknown-variable w:10:7-10:16"]);
    assert_eq!(names("{{nope}}", &[], true), ["unknown-variable w:10:7-10:11"]);
}

#[test]
fn a_templates_use_is_checked_in_all_of_its_files() {
    let (library, diagnostics) = load(&project(&[
        ("m.html", "---\nsubject: 'Hi {{a}}'\npreheader: |\n  x\n  {{b}}\nlayout: l\nneeds: [coupon]\n---\n\n{{c}}{{coupon}}"),
        ("m.txt", "{{d}}{{> p}}"),
        ("layouts/l.html", "{{{body}}}{{subject}}{{preheader}}{{e}}"),
        ("layouts/unused.html", "{{{body}}}{{f}}"),
        ("partials/p", "{{g}}"),
    ]));
    assert_eq!(said(&diagnostics), [""; 0]);
    let (contract, none) = (Contract::default(), BTreeSet::new());
    let variables = Variables {
        contract: &contract,
        events: &none,
        eventless: false,
        with: &none,
        vars: &none,
        open: false,
        suggestions: Cell::new(100),
    };
    assert_eq!(
        said(&library.check_use("m", &variables)),
        [
            "unknown-variable layouts/l.html:1:37-1:38",
            "unknown-variable m.html:2:16-2:17",
            "unknown-variable m.html:5:5-5:6",
            "unknown-variable m.html:10:3-10:4",
            "unknown-variable m.txt:1:3-1:4",
            "unknown-variable partials/p:1:3-1:4",
        ]
    );
    assert_eq!(library.check_use("nope", &variables), []);
}

#[test]
fn help_says_what_to_write() {
    let files = project(&[]);
    let library = load(&files).0;
    let (contract, none) = (contract(), BTreeSet::new());
    let variables = Variables {
        contract: &contract,
        events: &none,
        eventless: false,
        with: &none,
        vars: &none,
        open: false,
        suggestions: Cell::new(100),
    };
    let check = |text: &str, words: &str| {
        let found = library.check_inline(&InlineText { text, file: "w", line: 1, column: 1 }, &variables);
        let help = found.first().and_then(|found| found.help.clone()).unwrap_or_default();
        assert!(help.contains(words), "{text}: {help} / {words}");
    };
    check("{{contact.frist_name}}", "did you mean `first_name`?");
    check("{{first_name}}", "did you mean `contact.first_name`?");
    check("{{contct}}", "did you mean `contact`?");
    check("{{contact.shoe_size}}", "names declared there: `address`, `country`");
    check("{{uper contact.country}}", "did you mean `upper`?");
    check("{{#event.items}}{{/event.items}}", "{{#each event.items}}");
    check("{{contact.first_name}}", "{{default contact.first_name");
    check("{{#if x}}", "{{/if}}");
}

#[test]
fn the_page_around_pages() {
    let check = |file: &str, text: &str, expected: &[&str]| {
        assert_eq!(said(&load(&project(&[(file, text)])).1), expected, "{file} {text}");
    };
    let good = "<html lang=\"{{lang}}\"><title>{{title}}</title><!-- {{project}} -->{{{content}}}</html>";
    check("pages/layout.html", good, &[]);
    check("pages/layout.zh-Hans.html", good, &[]);
    for name in ["pages/other.html", "pages/layout.txt", "pages/layout.d.html", "pages/layoutde.html"] {
        let said_of = said(&load(&project(&[(name, good)])).1);
        assert_eq!(said_of, [format!("template-name {name}:1:1-1:1")]);
    }
    check("pages/layout.html", "<p>", &["page-without-content pages/layout.html:1:1-1:1"]);
    check("pages/layout.html", "{{content}}", &["page-without-content pages/layout.html:1:1-1:12"]);
    check("pages/layout.html", "{{{content}}}{{{content}}}", &["page-without-content pages/layout.html:1:14-1:27"]);
    for hidden in ["<!-- ", "<p title=", "<SCRIPT>", "<style>a{}", "<title>x"] {
        let end = hidden.len() + 1;
        let expected = format!("page-without-content pages/layout.html:1:{end}-1:{}", end + 13);
        check("pages/layout.html", &format!("{hidden}{{{{{{content}}}}}}"), &[&expected]);
    }
    check("pages/layout.html", "{{contact.id}}{{{content}}}", &["page-variable pages/layout.html:1:1-1:15"]);
    check("pages/layout.html", "{{upper title}}{{{content}}}", &["page-variable pages/layout.html:1:1-1:16"]);
    check(
        "pages/layout.html",
        "{{#if title}}{{{content}}}{{/if}}",
        &["page-without-content pages/layout.html:1:1-1:1", "page-variable pages/layout.html:1:1-1:14"],
    );
    let (library, _) = load(&project(&[("pages/layout.html", good), ("pages/layout.pt_BR.html", good)]));
    assert_eq!(library.pages.keys().collect::<Vec<_>>(), ["", "pt-br"]);
    assert!(library.templates.is_empty());
}
