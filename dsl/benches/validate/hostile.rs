//! Projects of 10 MB that are made to be slow: each of them aims at one thing.

/// Files are refused above this size, in bytes.
const FILE: usize = 1024 * 1024 - 64;
const SETTINGS: &str = "project: bench\ntime_zone: UTC\ntopics: { offers: { title: Offers } }\n";

type Files = Vec<(String, String)>;

/// Each with its name.
pub fn projects() -> Vec<(&'static str, Files)> {
    let steps =
        |step: &str| many("workflows", "yaml", &|file| format!("workflow: w{file}\ntrigger: {{ manual: true }}\nsteps:\n"), step);
    vec![
        ("misspelt steps", steps("  - sned: welcome\n")),
        ("misspelt templates", steps("  - send: welcome-$\n")),
        ("equal steps", steps("  - wait: 1 day\n")),
        ("waits that nothing ends", steps("  - wait_for: { message: m$, is: clicked }\n")),
        ("bad durations", steps("  - wait: 1 dayz\n")),
        ("a branch of very many", branches()),
        (
            "a list of very many values",
            many(
                "workflows",
                "yaml",
                &|file| format!("workflow: w{file}\ntrigger: {{ manual: true }}\nsteps: [exit]\naudience:\n  contact.country:\n"),
                "    - v$\n",
            ),
        ),
        (
            "conditions beside each other",
            many(
                "workflows",
                "yaml",
                &|file| format!("workflow: w{file}\ntrigger: {{ manual: true }}\nsteps: [exit]\naudience:\n  all:\n"),
                "    - { contact.a$: { above: 5 } }\n",
            ),
        ),
        ("long names", long_names()),
        (
            "unknown keys",
            many(
                "workflows",
                "yaml",
                &|file| format!("workflow: w{file}\ntrigger: {{ manual: true }}\nsteps: [exit]\n"),
                "key$: 1\n",
            ),
        ),
        (
            "equal keys",
            many(
                "workflows",
                "yaml",
                &|file| format!("workflow: w{file}\ntrigger: {{ manual: true }}\nsteps: [exit]\n"),
                "key: 1\n",
            ),
        ),
        ("very many segments", many("workflows", "yaml", &|_| "segments:\n".to_owned(), "  s$: { segment: t$ }\n")),
        ("workflows that start each other", steps("  - start: w$\n")),
        ("brackets", brackets()),
        ("allowing comments", steps("  - exit # campaignd: allow(empty-stepz) x\n")),
        ("templates full of tags", templates("{{contact.name}}")),
        ("templates full of misspelt helpers", templates("{{defualt contact.name \"x\"}}")),
        ("templates full of blocks", templates("{{#if contact.name}}x{{else}}y{{/if}}")),
        ("templates full of elements", templates("<p class=\"a\"><a href=\"http://x\">x</a>")),
        ("templates full of open elements", templates("<div>")),
        ("templates full of styles", templates("<style>.a{color:red}</style>")),
        ("a template that everything sends", shared_template()),
        ("large patterns", patterns()),
        (
            "conditions with large patterns",
            many(
                "workflows",
                "yaml",
                &|file| format!("workflow: w{file}\ntrigger: {{ manual: true }}\nsteps: [exit]\naudience:\n  all:\n"),
                "    - { contact.a: { matches: '\\p{L}{50}$' } }\n",
            ),
        ),
        ("many rules for many elements", rules()),
    ]
}

/// Ten files of one mebibyte each: a head, then the line again and again; `$` is its number.
fn many(folder: &str, ending: &str, head: &dyn Fn(usize) -> String, line: &str) -> Files {
    let mut files = vec![("campaignd.yaml".to_owned(), SETTINGS.to_owned())];
    for file in 0..10 {
        let mut text = head(file);
        let mut number = file * 1_000_000;
        while text.len() + line.len() + 8 < FILE {
            text.push_str(&line.replace('$', &number.to_string()));
            number += 1;
        }
        files.push((format!("{folder}/f{file}.{ending}"), text));
    }
    files
}

fn branches() -> Files {
    let head = |file: usize| format!("workflow: w{file}\ntrigger: {{ manual: true }}\nsteps:\n  - branch:\n");
    many("workflows", "yaml", &head, "      - { when: { contact.a: $ }, steps: [ { send: x$ } ] }\n")
}

/// Keys and names of 100 KB, which somebody may compare with each other.
fn long_names() -> Files {
    let name = "abcdefghij".repeat(10_000);
    let head = |file: usize| format!("workflow: w{file}\ntrigger: {{ manual: true }}\nsteps: [exit]\n");
    let mut files = many("workflows", "yaml", &head, &format!("{name}$: 1\n"));
    files.extend(many(
        "workflows/more",
        "yaml",
        &|file| format!("workflow: m{file}\ntrigger: {{ manual: true }}\nsteps:\n"),
        &format!("  - send: {name}$\n"),
    ));
    files
}

fn brackets() -> Files {
    let head = |file: usize| format!("workflow: w{file}\ntrigger: {{ manual: true }}\nsteps: [exit]\nmoved:\n");
    many("workflows", "yaml", &head, "  a$: [[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]\n")
}

/// Forty templates of 256 KB, each sent by a workflow.
fn templates(piece: &str) -> Files {
    let mut files = vec![
        ("campaignd.yaml".to_owned(), SETTINGS.to_owned()),
        (
            "schemas/contact.schema.json".to_owned(),
            r#"{ "type": "object", "properties": { "name": { "type": "string" } }, "additionalProperties": false }"#.to_owned(),
        ),
    ];
    for file in 0..40 {
        let body = piece.repeat(255 * 1024 / piece.len());
        files.push((format!("templates/t{file}.html.hbs"), format!("---\nsubject: Hello\n---\n{body}")));
        files.push((
            format!("workflows/w{file}.yaml"),
            format!("workflow: w{file}\ntrigger: {{ manual: true }}\ntopic: offers\nsteps:\n  - send: t{file}\n"),
        ));
    }
    files
}

/// Schemas of events whose every property has a pattern.
fn patterns() -> Files {
    let mut files = vec![("campaignd.yaml".to_owned(), SETTINGS.to_owned())];
    for file in 0..10 {
        let properties: Vec<String> =
            (0..20_000).map(|number| format!("\"p{number}\": {{ \"pattern\": \"(\\\\p{{L}}{{40}}){file}{number}\" }}")).collect();
        files.push((format!("schemas/events/e{file}.schema.json"), format!("{{\"properties\": {{{}}}}}", properties.join(","))));
    }
    files
}

/// A layout with very many rules, and messages of very many paragraphs in it.
fn rules() -> Files {
    let mut files = templates("<p class=\"a7\">x</p>");
    let rules: String = (0..2_500).map(|number| format!("p.a{number}{{color:red}}\n")).collect();
    let layout = format!("<html><head><style>{rules}</style></head><body>{{{{{{body}}}}}}</body></html>");
    files.push(("templates/layouts/l.html.hbs".to_owned(), layout));
    for (_, text) in files.iter_mut().filter(|(path, _)| path.starts_with("templates/t")) {
        *text = text.replace("subject: Hello\n", "subject: Hello\nlayout: l\n");
    }
    files
}

/// One long template, sent with ever other data.
fn shared_template() -> Files {
    let mut files = templates("{{contact.nome}}").into_iter().take(3).collect::<Files>();
    files.extend(
        many(
            "workflows",
            "yaml",
            &|file| format!("workflow: w{file}\ntrigger: {{ manual: true }}\ntopic: offers\nsteps:\n"),
            "  - { send: t0, with: { a$: 1 } }\n",
        )
        .into_iter()
        .skip(1),
    );
    files
}
