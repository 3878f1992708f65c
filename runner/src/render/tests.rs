use std::collections::BTreeMap;

use dsl::model::{Part, TemplateSource, Workflow};
use proptest::prelude::*;
use serde_json::json;

use super::*;

fn definition(template: TemplateSource, partials: &[(&str, &str)]) -> Definition {
    let workflow = Workflow {
        name: "w".to_owned(),
        description: None,
        status: Default::default(),
        triggers: Vec::new(),
        audience: None,
        reentry: dsl::model::Reentry::Once,
        while_active: Default::default(),
        exit_when: None,
        goal: None,
        topic: None,
        in_flight: Default::default(),
        moved: BTreeMap::new(),
        overdue: None,
        steps: Vec::new(),
    };
    let partials = partials.iter().map(|(name, source)| ((*name).to_owned(), (*source).to_owned())).collect();
    Definition { workflow, segments: BTreeMap::new(), templates: BTreeMap::from([("m".to_owned(), template)]), partials }
}

fn rendered(subject: Option<&str>, html: Option<&str>, text: Option<&str>) -> Rendered {
    Rendered {
        subject: subject.map(str::to_owned),
        html: html.map(str::to_owned),
        text: text.map(str::to_owned),
        locale: "en".to_owned(),
        attachments: Vec::new(),
        images: Vec::new(),
    }
}

fn part(source: &str, layout: Option<&str>) -> Option<Part> {
    Some(Part { source: source.to_owned(), layout: layout.map(str::to_owned) })
}

fn data() -> Value {
    json!({
        "contact": { "first_name": "Ada", "empty": "", "nothing": null, "tags": ["x", "y"], "evil": "<b>\"'&", "site": "javascript:alert(1)", "web": "https://x.example/?a=1&b=2" },
        "event": { "total": 80, "items": [{ "sku": "a", "price": 1.5 }, { "sku": "<b>", "price": 2 }] },
        "vars": {}, "message": { "id": "m1" }, "coupon": "SAVE10", "unsubscribe_url": "https://u.example/x"
    })
}

/// Renders one HTML body, with two partials at hand.
fn html(source: &str) -> Result<String, RenderError> {
    let template = TemplateSource { html: part(source, None), ..TemplateSource::default() };
    let partials = [("card", "[{{title}}:{{contact.first_name}}]"), ("wrap", "<i>{{> @partial-block}}</i>")];
    let templates = Templates::compile(&definition(template, &partials))?;
    Ok(templates.render("m", &data(), &Addressee::default())?.html.unwrap_or_default())
}

#[test]
fn html_parts() {
    let check = |source: &str, expected: &str| assert_eq!(html(source).as_deref(), Ok(expected), "{source}");
    check("Hi {{contact.first_name}} {{coupon}} {{event.total}} {{message.id}}", "Hi Ada SAVE10 80 m1");
    check("{{contact.evil}}", "&lt;b&gt;&quot;&#39;&amp;");
    check("{{{contact.evil}}}{{contact.evil}}", "<b>\"'&&lt;b&gt;&quot;&#39;&amp;");
    check("{{upper contact.evil}}{{{upper contact.evil}}}", "&lt;B&gt;&quot;&#39;&amp;<B>\"'&");
    check("{{default contact.first_name \"there\"}}", "Ada");
    check(
        "{{default contact.none \"there\"}}{{default contact.nothing \"there\"}}{{default contact.empty \"there\"}}",
        "theretherethere",
    );
    check(
        "{{default (lookup contact \"none\") \"there\"}}{{default (upper contact.none) \"x\"}}{{lookup contact.tags 1}}",
        "therexy",
    );
    check("{{default contact.none contact.evil}}", "&lt;b&gt;&quot;&#39;&amp;");
    check("{{lower \"ÄB\"}}{{len contact.tags}}{{len \"ä\"}}{{len contact.none}}", "äb210");
    check("{{#each event.items}}{{@index}}{{sku}}{{#unless @last}},{{/unless}}{{/each}}", "0a,1&lt;b&gt;");
    check("{{#each event.items as |item i|}}{{i}}{{item.sku}}{{../contact.first_name}}{{/each}}", "0aAda1&lt;b&gt;Ada");
    check("{{#each contact.none}}x{{else}}none{{/each}}{{#with contact}}{{first_name}}{{/with}}", "noneAda");
    check("{{#if contact.none}}x{{else if (eq contact.first_name \"Ada\")}}y{{else}}z{{/if}}", "y");
    check("{{#if (eq contact.none \"x\")}}x{{else}}y{{/if}}{{#if (gt event.total 20)}}z{{/if}}", "yz");
    check("{{> card title=\"<t>\"}}{{#> wrap}}{{contact.evil}}{{/wrap}}", "[&lt;t&gt;:Ada]<i>&lt;b&gt;&quot;&#39;&amp;</i>");
    check("<a href=\"{{contact.site}}\">{{contact.site}}</a>", "<a href=\"#\">javascript:alert(1)</a>");
    check(
        "<a href='{{contact.web}}'><a href=\"{{default contact.none contact.site}}\">",
        "<a href='https://x.example/?a=1&amp;b=2'><a href=\"#\">",
    );
    check(
        "<a href=\"{{#if coupon}}{{{contact.site}}}{{else}}x{{/if}}\"><a href=\"{{unsubscribe_url}}\">",
        "<a href=\"#\"><a href=\"https://u.example/x\">",
    );
    check("{{url contact.site}}{{url contact.web}}", "#https://x.example/?a=1&amp;b=2");
    check(r"\{{contact.first_name}}", "{{contact.first_name}}");
}

#[test]
fn what_is_missing_is_named_and_nothing_else() {
    let check = |source: &str, variable: &str| {
        let expected = RenderError::Missing { template: "m".to_owned(), part: "HTML part", variable: variable.to_owned() };
        assert_eq!(html(source), Err(expected), "{source}");
    };
    check("{{contact.none}}", "contact.none");
    check("{{contact.nothing}}", "contact.nothing");
    check("{{upper contact.none}}", "contact.none");
    check("<a href=\"{{contact.none}}\">", "contact.none");
    check("{{#each event.items}}{{size}}{{/each}}", "size");
    check("{{> card}}", "title");
    let message = html("{{contact.none}}").map_err(|error| error.to_string());
    assert_eq!(message, Err("`contact.none` is missing in the HTML part of the template `m`; write {{default contact.none \"…\"}} to say what stands there instead".to_owned()));
    for source in ["{{contact.tags.x}}", "{{> nope}}", "{{nope contact.evil}}", "{{#nope contact.evil}}{{/nope}}"] {
        let message = html(source).expect_err(source).to_string();
        assert!(message.contains("`m`") && !message.contains("<b>"), "{message}");
    }
}

fn whole(template: TemplateSource, data: &Value) -> Result<Rendered, RenderError> {
    Templates::compile(&definition(template, &[("pre", "{{preheader}}"), ("card", "")]))?.render("m", data, &Addressee::default())
}

#[test]
fn parts_layouts_and_preheaders() {
    let template = |html: &str, html_layout: Option<&str>| TemplateSource {
        subject: Some("Hi {{contact.evil}}\n".to_owned()),
        preheader: Some("<{{coupon}}>".to_owned()),
        html: part(html, html_layout),
        text: part("{{contact.evil}}", Some("{{subject}}|{{{body}}}|{{body}}")),
        ..TemplateSource::default()
    };
    let check = |html: &str, layout: Option<&str>, expected: &str| {
        let rendered = whole(template(html, layout), &data()).expect(html);
        assert_eq!(rendered.subject.as_deref(), Some("Hi <b>\"'&"));
        assert_eq!(rendered.text.as_deref(), Some("Hi <b>\"'&|<b>\"'&|<b>\"'&"));
        let hidden = "<span style=\"display:none;max-height:0;overflow:hidden;opacity:0;mso-hide:all\">&lt;SAVE10&gt;</span>";
        assert_eq!(rendered.html.map(|html| html.replace(hidden, "@")).as_deref(), Some(expected), "{html} {layout:?}");
    };
    check("<p>", None, "@<p>");
    check("<html><BODY title='>'\nx>hi</body>", None, "<html><BODY title='>'\nx>@hi</body>");
    check("<bodyguard>", None, "@<bodyguard>");
    check(
        "<p>{{contact.evil}}",
        Some("<body>{{{body}}}{{subject}}</body>"),
        "<body>@<p>&lt;b&gt;&quot;&#39;&amp;Hi &lt;b&gt;&quot;&#39;&amp;</body>",
    );
    check("<p>", Some("<body>{{preheader}}{{{body}}}"), "<body>&lt;SAVE10&gt;<p>");
    check("<p>", Some("<body>{{#if preheader}}-{{/if}}{{{body}}}"), "<body>-<p>");
    let none = whole(TemplateSource { subject: Some("x".to_owned()), ..TemplateSource::default() }, &data());
    assert_eq!(none, Ok(rendered(Some("x"), None, None)));
}

#[test]
fn a_partial_that_prints_the_preheader_counts() {
    let template = TemplateSource {
        preheader: Some("p".to_owned()),
        html: part("x", Some("{{> pre}}{{{body}}}")),
        ..TemplateSource::default()
    };
    assert_eq!(whole(template, &data()).map(|rendered| rendered.html), Ok(Some("px".to_owned())));
}

#[test]
fn hostile_data_stays_data() {
    let check = |value: &str, html: &str, text: &str, subject: &str| {
        let template = TemplateSource {
            subject: Some("{{x}}".to_owned()),
            html: part("{{x}}", None),
            text: part("{{x}}", None),
            ..TemplateSource::default()
        };
        let expected = rendered(Some(subject), Some(html), Some(text));
        assert_eq!(whole(template, &json!({ "x": value })), Ok(expected), "{value:?}");
    };
    check("{{contact.email}}", "{{contact.email}}", "{{contact.email}}", "{{contact.email}}");
    check("a\r\nBcc: x@y", "a\r\nBcc: x@y", "a\r\nBcc: x@y", "a Bcc: x@y");
    check("<script>\0", "&lt;script&gt;", "<script>", "<script>");
    let long = "x".repeat(1_000_000);
    check(&long, &long, &long, &long);
}

#[test]
fn output_and_loops_are_bounded() {
    let check = |source: &str, data: &Value, expected: &str| {
        let template = TemplateSource { html: part(source, None), ..TemplateSource::default() };
        let message = whole(template, data).expect_err(source).to_string();
        assert!(message.contains(expected), "{message} / {expected}");
    };
    let big = json!({ "big": "x".repeat(1_000_000), "list": vec![0; 1_000] });
    check("{{big}}{{big}}{{big}}", &big, "longer than 2 MiB");
    check("{{#each list}}-{{#each ../list}}{{#if ../nope}}x{{/if}}{{/each}}{{/each}}", &big, "too many rounds");
    check("{{#> card title=1}}{{#each list}}{{../big}}{{/each}}{{/card}}", &big, "longer than 2 MiB");
    let cycle = definition(TemplateSource::default(), &[("a", "{{> b}}"), ("b", "{{> a}}")]);
    assert!(matches!(Templates::compile(&cycle), Err(RenderError::Invalid { .. })));
}

#[test]
fn inline_texts() {
    let templates =
        Templates::compile(&definition(TemplateSource::default(), &[("card", "{{contact.evil}}")])).expect("compiles");
    for _ in 0..2 {
        assert_eq!(
            templates.inline_text("{{contact.evil}}{{> card}}", &data(), &Addressee::default()).as_deref(),
            Ok("<b>\"'&<b>\"'&")
        );
    }
    assert_eq!(render_text("{{upper contact.first_name}}", &data()).as_deref(), Ok("ADA"));
    assert!(
        matches!(render_text("{{contact.none}}", &data()), Err(RenderError::Missing { variable, .. }) if variable == "contact.none")
    );
    assert!(matches!(render_text("{{#if x}}", &data()), Err(RenderError::Invalid { .. })));
    assert_eq!(templates.render("nope", &data(), &Addressee::default()), Err(RenderError::UnknownTemplate("nope".to_owned())));
}

#[test]
fn templates_are_shared_by_threads() {
    fn shared<T: Send + Sync>() {}
    shared::<Templates>();
}

proptest! {
    /// Whatever the data holds, an HTML part gains no markup and a subject no line.
    #[test]
    fn no_data_becomes_markup_or_a_line(value in any::<String>(), name in "[<>\"'&a{}]{0,8}") {
        let source = "<p>{{x}}{{upper x}}{{#each list}}{{this}}{{/each}}{{#each map}}{{@key}}{{/each}}{{lookup list 0}}{{default none x}}</p>";
        let template = TemplateSource { subject: Some("{{x}}{{lower x}}".to_owned()), html: part(source, None), ..TemplateSource::default() };
        let data = json!({ "x": value, "list": [value], "map": { name: 1 } });
        let rendered = whole(template, &data).expect("renders");
        let html = rendered.html.unwrap_or_default();
        prop_assert_eq!(html.matches('<').count(), 2, "{}", html);
        prop_assert_eq!(html.matches(['"', '\'']).count(), 0);
        let subject = rendered.subject.unwrap_or_default();
        prop_assert!(!subject.contains(|c: char| c.is_control() || c == '\u{2028}' || c == '\u{2029}'), "{:?}", subject);
    }
}

fn localised() -> TemplateSource {
    let variant = |subject: &str, html: &str| dsl::model::LocaleVariant {
        subject: Some(subject.to_owned()),
        html: part(html, None),
        bodies: BTreeMap::from([("sms".to_owned(), format!("sms {html}"))]),
        ..dsl::model::LocaleVariant::default()
    };
    TemplateSource {
        subject: Some("Hi".to_owned()),
        html: part("{{locale}} {{number 1234.5}}", None),
        locales: BTreeMap::from([
            ("de".to_owned(), variant("Hallo", "{{locale}} {{number 1234.5}}")),
            ("pt-BR".to_owned(), variant("Oi", "{{locale}} {{money 5 \"BRL\"}}")),
        ]),
        ..TemplateSource::default()
    }
}

#[test]
fn each_reader_has_their_language() {
    let templates = Templates::compile(&definition(localised(), &[])).expect("compiles");
    let check = |locale: Option<&str>, project: &str, channel: &str, expected: (&str, &str)| {
        let to = Addressee { locale, project_locale: project, channel, ..Addressee::default() };
        let made = templates.render("m", &json!({}), &to).expect("renders");
        let body = if channel == "email" { made.html } else { made.text };
        assert_eq!((made.subject.as_deref(), body.as_deref()), (Some(expected.0), Some(expected.1)), "{locale:?} {project}");
    };
    check(Some("de"), "en", "email", ("Hallo", "de 1.234,5"));
    check(Some("de_at"), "en", "email", ("Hallo", "de-AT 1\u{a0}234,5"));
    check(Some("pt-BR"), "en", "email", ("Oi", "pt-BR R$\u{a0}5,00"));
    check(Some("pt-PT"), "en", "email", ("Hi", "en 1,234.5"));
    check(Some("fr"), "en-GB", "email", ("Hi", "en-GB 1,234.5"));
    check(Some("fr"), "de", "email", ("Hallo", "de 1.234,5"));
    check(None, "en", "email", ("Hi", "en 1,234.5"));
    check(Some("de"), "en", "sms", ("Hallo", "sms de 1.234,5"));
    check(Some("en"), "en", "sms", ("Hi", "en 1,234.5\n"));
    let plain = TemplateSource { html: part("{{locale}} {{number 1234.5}}", None), ..TemplateSource::default() };
    let templates = Templates::compile(&definition(plain, &[])).expect("compiles");
    let to = Addressee { locale: Some("de"), ..Addressee::default() };
    assert_eq!(templates.render("m", &json!({}), &to).map(|made| made.html), Ok(Some("de 1.234,5".to_owned())));
}

#[test]
fn helpers() {
    let check = |source: &str, expected: &str| assert_eq!(html(source).as_deref(), Ok(expected), "{source}");
    check(
        "{{capitalise \"äpfel\"}} {{truncate \"hello there\" 8}} {{url_encode \"a b&c/ü\"}}",
        "Äpfel hello… a%20b%26c%2F%C3%BC",
    );
    check("{{date \"2026-03-29\"}} {{date \"2026-03-29T10:00:00Z\" \"time\" zone=\"Asia/Tokyo\"}}", "Mar 29, 2026 7:00 PM");
    check(
        "{{date \"2026-03-29T10:00:00+02:00\" \"iso\"}} {{date \"2026-03-29\" \"iso\"}}",
        "2026-03-29T08:00:00+00:00 2026-03-29",
    );
    check("{{date now \"%Y-%m-%d\"}} {{now}}", "1970-01-01 1970-01-01T00:00:00Z");
    check("{{money event.total \"EUR\"}} {{number event.total decimals=1}}", "€80.00 80.0");
    check("{{plural 1 one=\"item\" other=\"items\"}} {{plural event.total one=\"item\" other=\"items\"}}", "item items");
    check("{{default (date contact.none \"long\") \"soon\"}} {{default (money \"x\" \"EUR\") \"?\"}}", "soon ?");
    let fails = |source: &str, words: &str| {
        let message = html(source).expect_err(source).to_string();
        assert!(message.contains(words), "{message} / {words}");
    };
    fails("{{date contact.first_name}}", "`contact.first_name` is no date");
    fails("{{number contact.first_name}}", "`contact.first_name` is no number");
    fails("{{money event.total contact.web}}", "`contact.web` is no currency's code");
    fails("{{money event.total contact.none}}", "`contact.none` is missing");
    fails("{{date now \"long\" zone=\"Nowhere/No\"}}", "`zone=` is no time zone");
    fails("{{number 1 decimals=99}}", "`decimals=` is no number from 0 to 20");
}

#[test]
fn marketing_has_a_way_out_and_links_are_marked() {
    let template = |html: &str, text: Option<&str>| TemplateSource {
        html: part(html, None),
        text: text.and_then(|text| part(text, None)),
        utm: BTreeMap::from([("source".to_owned(), "x".to_owned())]),
        ..TemplateSource::default()
    };
    let check = |html: &str, text: Option<&str>, marketing: bool, outs: usize| {
        let templates = Templates::compile(&definition(template(html, text), &[])).expect("compiles");
        let to = Addressee { marketing, ..Addressee::default() };
        let made = templates.render("m", &data(), &to).expect("renders");
        let all = format!("{}\n{}", made.html.unwrap_or_default(), made.text.unwrap_or_default());
        assert_eq!(all.matches("https://u.example/x").count(), outs, "{all}");
        assert!(!all.contains("https://u.example/x?"), "{all}");
        assert!(all.contains("https://s.example/?utm_source=x"), "{all}");
    };
    let link = "<a href=\"https://s.example/\">Shop</a>";
    check(link, None, false, 0);
    check(link, None, true, 2);
    check(link, Some("text"), true, 2);
    check(&format!("{link}<a href=\"{{{{unsubscribe_url}}}}\">Out</a>"), Some("{{unsubscribe_url}}"), true, 2);
}

/// All elements and attributes of a page, as an HTML parser of its own reads them.
fn parsed(html: &str) -> Vec<String> {
    use html2text::{Element, Handle};
    fn walk(node: &Handle, found: &mut Vec<String>) {
        if let Element { name, attrs, .. } = &node.data {
            let attributes: Vec<String> = attrs.borrow().iter().map(|attribute| attribute.name.local.to_string()).collect();
            found.push(format!("{} {}", name.local, attributes.join(",")));
        }
        for child in node.children.borrow().iter() {
            walk(child, found);
        }
    }
    let dom = html2text::config::plain().parse_html(html.as_bytes()).expect("parses");
    let mut found = Vec::new();
    walk(&dom.document, &mut found);
    found
}

proptest! {
    /// Wherever data lands in a template, a parser finds the elements and attributes that the template has, and no others.
    #[test]
    fn data_adds_no_element_and_no_attribute(value in r#"([<>"'&=/ {}a`]|<b |-->|<!--|</p>|</style>|" onload=|javascript:|\PC){0,16}"#) {
        let source = "<html><head><title>{{x}}</title></head><body><!-- {{x}} --><p title=\"{{x}}\" class='{{upper x}}'>{{x}}{{truncate x 9}}{{capitalise x}}</p><a href=\"{{x}}\">{{url_encode x}}</a><a href=\"https://x.example/{{x}}?q={{url_encode x}}\">{{default none x}}</a><table>{{#each list}}<tr><td>{{this}}</td></tr>{{/each}}</table>{{plural 1 one=x other=x}}</body></html>";
        let template = TemplateSource {
            html: part(source, None),
            utm: BTreeMap::from([("source".to_owned(), "x".to_owned())]),
            ..TemplateSource::default()
        };
        let templates = Templates::compile(&definition(template, &[])).expect("compiles");
        let to = Addressee { marketing: true, ..Addressee::default() };
        let made = |value: &str| {
            let data = json!({ "x": value, "list": [value], "unsubscribe_url": "https://u.example/u/t" });
            parsed(&templates.render("m", &data, &to).expect("renders").html.unwrap_or_default())
        };
        // Empty text would make a parser leave nothing out either.
        prop_assert_eq!(made(&value), made("x"));
    }
}
