use super::*;

fn page(body: &str) -> String {
    format!("<mjml><mj-body><mj-section><mj-column>{body}</mj-column></mj-section></mj-body></mjml>")
}

#[test]
fn expressions_go_through() {
    let check = |text: &str, expected: &[&str]| {
        let made = compile(text, &mut Effort::default()).unwrap_or_else(|problems| panic!("{text}: {problems:?}"));
        assert_eq!(made.warnings, []);
        let mut rest = made.html.as_str();
        for piece in expected {
            let at = rest.find(piece).unwrap_or_else(|| panic!("{piece} / {}", made.html));
            rest = &rest[at + piece.len()..];
        }
        // An expression that ends up in a comment for Outlook would be in the dark for all others.
        let tags = tags::scan_long(&made.html).expect("a template");
        let opaque: Vec<_> = tags.iter().map(|tag| (tag.start, tag.end)).collect();
        for (tag, inside) in tags.iter().zip(scan(&made.html, &opaque).inside) {
            assert!(inside != Inside::Comment || !is_ordered(tag), "{} in a comment", tag.content);
        }
    };
    check(
        &page("<mj-text>Hi {{default contact.first_name \"there\"}}, <b>{{x}}</b></mj-text>"),
        &["Hi {{default contact.first_name \"there\"}}, <b>{{x}}</b>"],
    );
    check(
        &page("<mj-button href=\"https://x/{{y}}?a={{z}}\">{{x}}</mj-button>"),
        &["href=\"https://x/{{y}}?a={{z}}\"", "{{x}}", "</a>"],
    );
    check(
        &page("<mj-button background-color=\"{{#if vip}}#d4a017{{else}}#888888{{/if}}\">x</mj-button>"),
        &["{{#if vip}}#d4a017{{else}}#888888{{/if}}"],
    );
    check(
        &page("{{#if x}}<mj-text>a</mj-text>{{else}}<mj-text>b</mj-text>{{/if}}"),
        &["{{#if x}}", "<tr>", "a", "</tr>", "{{else}}", "b", "{{/if}}"],
    );
    check(
        "<mjml><mj-head><mj-title>{{subject}}</mj-title><mj-preview>{{preheader}}</mj-preview></mj-head><mj-body>{{#each event.items}}<mj-section><mj-column><mj-text>{{name}}</mj-text></mj-column></mj-section>{{/each}}{{> footer}}</mj-body></mjml>",
        &["<title>{{subject}}</title>", "{{preheader}}", "{{#each event.items}}", "{{name}}", "{{/each}}", "{{> footer}}"],
    );
    check(
        "<mjml><mj-body>{{#if a}}<mj-wrapper>{{#if b}}<mj-section>{{#if c}}<mj-group>{{#if d}}<mj-column><mj-text>x</mj-text></mj-column>{{/if}}</mj-group>{{/if}}</mj-section>{{/if}}</mj-wrapper>{{/if}}<mj-hero>{{#if e}}<mj-text>y</mj-text>{{/if}}</mj-hero></mj-body></mjml>",
        &[
            "{{#if a}}",
            "{{#if b}}",
            "{{#if c}}",
            "{{#if d}}",
            "x",
            "{{/if}}",
            "{{/if}}",
            "{{/if}}",
            "{{/if}}",
            "{{#if e}}",
            "y",
            "{{/if}}",
        ],
    );
    check(
        &page("<mj-table>{{#each event.items}}<tr><td>{{name}}</td></tr>{{/each}}</mj-table>"),
        &["{{#each event.items}}<tr><td>{{name}}</td></tr>{{/each}}"],
    );
    check(&page("{{! a remark }}<mj-raw>{{#if x}}<p>y</p>{{/if}}</mj-raw>"), &["{{#if x}}<p>y</p>{{/if}}"]);
    check(
        &page("<mj-image src=\"{{url event.image}}\" alt=\"{{event.name}}\" href=\"{{unsubscribe_url}}\" />"),
        &["href=\"{{unsubscribe_url}}\"", "alt=\"{{event.name}}\"", "src=\"{{url event.image}}\""],
    );
}

#[test]
fn styles_for_elements_go_there_and_others_stay() {
    let text = "<mjml><mj-head><mj-style inline=\"inline\">.x { color: red }</mj-style><mj-style>.y { color: blue }</mj-style></mj-head><mj-body><mj-section><mj-column><mj-table>{{#each a}}<tr><td class=\"x\">{{b}}</td></tr>{{/each}}</mj-table></mj-column></mj-section></mj-body></mjml>";
    let made = compile(text, &mut Effort::default()).expect("made");
    assert_eq!(made.warnings, []);
    assert!(made.html.contains("{{#each a}}<tr><td class=\"x\" style=\"color: red;\">{{b}}</td></tr>{{/each}}"), "{}", made.html);
    assert!(made.html.contains(".y { color: blue }") && !made.html.contains(".x { color: red }"), "{}", made.html);
    assert!(made.html.contains("<!--[if mso | IE]>"), "{}", made.html);
    assert!(!made.html.contains("googleapis"), "{}", made.html);
}

#[test]
fn faults_have_their_place() {
    let check = |text: &str, expected: &str, words: &str| {
        let problems = match compile(text, &mut Effort::default()) {
            Ok(made) => made.warnings,
            Err(problems) => problems,
        };
        let found = problems.first().unwrap_or_else(|| panic!("nothing wrong with {text}"));
        assert_eq!(
            (text.get(found.span.0..found.span.1), true),
            (Some(expected), found.message.contains(words)),
            "{text}: {found:?}"
        );
    };
    check("<p>x</p>", "<p>", "begin with `<mjml>`");
    check("", "", "begin with `<mjml>`");
    check(&page("<mj-txt>{{x}}</mj-txt>"), "<mj-txt", "no element `mj-txt`");
    check(&page("<mj-include path=\"x\" />"), "<mj-include", "mj-include");
    check("<mjml><mj-body><mj-text>x</mj-text></mj-body></mjml>", "<mj-text", "belongs into `mj-column`");
    check(&page("{{x}}"), "{{x}}", "text must not stand");
    check(
        "<mjml><mj-head>{{#if x}}<mj-title>a</mj-title>{{/if}}</mj-head><mj-body></mj-body></mjml>",
        "{{#if x}}",
        "nothing but elements",
    );
    check(&page("<mj-text {{#if x}}color=\"red\"{{/if}}>x</mj-text>"), "{{#if x}}", "among MJML's attributes");
    check(&page(&"<mj-raw>".repeat(120)), "<mj-raw>", "deeper than 100");
    check(
        "<mjml><mj-head><mj-style inline=\"inline\">a{color:{{x}}}</mj-style></mj-head><mj-body></mj-body></mjml>",
        "{{x}}",
        "no expressions",
    );
    check("<mjml><mj-body><mj-section>", "", "ends before");
    check(
        "<mjml><mj-body>{{#if a}}<mj-section>{{/if}}<mj-column><mj-text>x</mj-text></mj-column></mj-section></mj-body></mjml>",
        "{{/if}}",
        "another element than its `{{#if a}}`",
    );
    check(&page("{{#if a}}<mj-text>x{{else}}</mj-text>{{/if}}"), "{{else}}", "another element");
    check(&page("{{y}}"), "{{y}}", "text must not");
    let made = compile(&page("<mj-text>Größe> 5, ü]]></mj-text>"), &mut Effort::default()).expect("made");
    assert!(made.html.contains("Größe> 5, ü]]>"), "{}", made.html);
    let attribute = "<mjml><mj-head colour=\"red\"></mj-head><mj-body>{{#if x}}{{/if}}</mj-body></mjml>";
    let made = compile(attribute, &mut Effort::default()).expect("made");
    assert_eq!(
        made.warnings.iter().map(|warning| &attribute[warning.span.0..warning.span.1]).collect::<Vec<_>>(),
        ["colour=\"red\""]
    );
}

proptest::proptest! {
    /// Whatever the text, nothing panics, and what comes out is a template again.
    #[test]
    fn no_text_panics(body in r#"(\{\{x\}\}|\{\{#if a\}\}|\{\{/if\}\}|<mj-text>|</mj-text>|<mj-column>|</mj-column>|<mj-button href="|">|</mj-button>|<mj-raw>|</mj-raw>|<!--|-->|x| |&|<b>|</b>|ü){0,16}"#) {
        if let Ok(made) = compile(&page(&body), &mut Effort::default()) {
            proptest::prop_assert!(tags::scan_long(&made.html).is_ok());
        }
    }
}
