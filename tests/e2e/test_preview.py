"""`campaignd preview`: a message as one person would get it, in the terminal or in a file."""

import email
import email.policy
import json

PNG = b"\x89PNG\r\n\x1a\n\0\xff"


def data(project, **parts):
    return project.write("data.json", json.dumps(parts))


def test_shows_headers_text_html_and_size(project):
    project.settings()
    project.write(
        "templates/hello.html.hbs",
        "---\nsubject: \"Hi {{default contact.first_name \\\"you\\\"}}\"\nneeds: [coupon]\n---\n"
        "<p>Your code: {{coupon}}, {{money event.total \"EUR\"}}</p><a href=\"{{unsubscribe_url}}\">Out</a>",
    )
    file = data(
        project,
        contact={"id": "ada", "email": "ada@example.com", "attributes": {"first_name": "Ada"}},
        event={"total": 1234.5},
        **{"with": {"coupon": "SAVE10 {{contact.id}}"}},
    )
    project.write("schemas/contact.schema.json", json.dumps({"properties": {"first_name": {"type": "string"}}}))
    shown = project.succeed("preview", "hello", "--data", str(file))
    head, text = shown.split("----- Text -----")
    text, html = text.split("----- HTML -----")
    assert "From: Shop <hello@shop.example>" in head
    assert "To: ada@example.com" in head
    assert "Subject: Hi Ada" in head
    assert "List-Unsubscribe: <https://mail.shop.example/u/preview>" in head
    assert "102 KiB" in head and "not clipped" in head
    assert "Your code: SAVE10 ada, €1,234.50" in text
    assert "Out (https://mail.shop.example/u/preview)" in text
    assert "<p>Your code: SAVE10 ada, €1,234.50</p>" in html
    german = project.succeed("preview", "hello", "--data", str(file), "--locale", "de-DE")
    assert "1.234,50\u00a0€" in german


def test_languages_fall_back(project):
    project.settings(more="locale: en")
    project.write("templates/hello.html.hbs", "---\nsubject: Hello\n---\n<p>hello {{locale}} {{preferences_url}}</p>")
    project.write("templates/hello.de.html.hbs", "---\nsubject: Hallo\n---\n<p>hallo {{locale}} {{preferences_url}}</p>")
    for locale, subject, body in [
        ("de", "Hallo", "hallo de "), ("de-AT", "Hallo", "hallo de-AT "), ("de_at", "Hallo", "hallo de-AT "),
        ("fr", "Hello", "hello en "), (None, "Hello", "hello en "),
    ]:
        file = data(project, contact={"id": "a", "email": "a@example.com"} | ({"locale": locale} if locale else {}))
        shown = project.succeed("preview", "hello", "--data", str(file))
        assert f"Subject: {subject}\n" in shown and body in shown, (locale, shown)


def test_writes_files_with_what_goes_along(project):
    project.settings()
    project.write(
        "templates/hello.mjml.hbs",
        "---\nsubject: Hi\nattachments: [files/terms.pdf]\nutm: { source: letter }\n---\n"
        "<mjml><mj-body><mj-section><mj-column><mj-image src=\"images/logo.png\" alt=\"Logo\" />"
        "<mj-button href=\"https://shop.example/a?b=c#d\">Go</mj-button>"
        "{{#if contact.id}}<mj-text>Hello {{contact.id}}</mj-text>{{/if}}"
        "</mj-column></mj-section></mj-body></mjml>",
    )
    project.write("templates/hello.txt.hbs", "Hello {{contact.id}}")
    project.write("templates/images/logo.png", PNG)
    project.write("templates/files/terms.pdf", b"%PDF-1.4 terms")
    project.write("templates/files/unused.bin", b"\xff\xfe")
    assert project.succeed("validate") is not None
    file = data(project, contact={"id": "ada", "email": "ada@example.com"})
    for ending in ["eml", "html", "txt"]:
        out = project.folder / f"out.{ending}"
        assert "KiB" in project.succeed("preview", "hello", "--data", str(file), "--out", str(out))
    mail = email.message_from_bytes((project.folder / "out.eml").read_bytes(), policy=email.policy.default)
    kinds = [part.get_content_type() for part in mail.walk()]
    assert kinds == [
        "multipart/mixed", "multipart/alternative", "text/plain", "multipart/related", "text/html", "image/png", "application/pdf",
    ]
    html, image, terms = list(mail.walk())[4:]
    assert f"cid:{image['Content-ID'][1:-1]}" in html.get_content()
    assert image.get_content() == PNG
    assert (terms.get_filename(), terms.get_content()) == ("terms.pdf", b"%PDF-1.4 terms")
    page = (project.folder / "out.html").read_text()
    assert "data:image/png;base64,iVBOR" in page and "Hello ada" in page
    assert "https://shop.example/a?b=c&amp;utm_source=letter#d" in page
    assert "{{" not in page and "<mj-" not in page
    # A way out is added to marketing mail that has none.
    assert "https://mail.shop.example/u/preview" in page
    text = (project.folder / "out.txt").read_text()
    assert text.startswith("Hello ada") and "https://mail.shop.example/u/preview" in text
    assert project.command("preview", "hello", "--data", str(file), "--out", str(project.folder / "out.pdf")).returncode == 2


def test_says_what_is_wrong(project):
    project.settings()
    project.write("templates/hello.html.hbs", "---\nsubject: Hi\n---\n<p>{{default contact.id \"x\"}} {{date event.at}} {{unsubscribe_url}}</p>")
    file = data(project, contact={"id": "a", "email": "a@example.com"}, event={"at": "2026-03-29"})
    assert "Mar 29, 2026" in project.succeed("preview", "hello", "--data", str(file))
    data(project, contact={"id": "a", "email": "a@example.com"}, event={"at": "soon"})
    for arguments, code, words in [
        (("hello", "--data", str(file)), 1, "`event.at` is no date"),
        (("helo", "--data", str(file)), 1, "there is no template `helo`"),
        (("hello", "--contact", "nobody"), 1, "no contact `nobody`"),
        (("hello",), 2, "--contact"),
        (("hello", "--data", "nowhere.json"), 2, "cannot be read"),
        (("hello", "--data", str(file), "--locale", "nonsense"), 2, "is no language"),
    ]:
        done = project.command("preview", *arguments)
        assert done.returncode == code and words in done.stderr, (arguments, done.returncode, done.stderr)
    project.write("bad.json", "[1]")
    assert project.command("preview", "hello", "--data", str(project.folder / "bad.json")).returncode == 2
    # What is wrong with another workflow does not matter, what is wrong with the template does.
    project.write("workflows/bad.yaml", "workflow: bad\n")
    data(project, contact={"id": "a", "email": "a@example.com"}, event={"at": "2026-03-29"})
    project.succeed("preview", "hello", "--data", str(file))
    project.write("templates/hello.html.hbs", "---\nsubject: Hi\n---\n<p>{{#if x}}</p>")
    done = project.command("preview", "hello", "--data", str(file))
    assert done.returncode == 1 and "never closed" in done.stderr


def test_takes_a_contact_from_the_store(project):
    project.settings()
    project.write("templates/hello.txt.hbs", "---\nsubject: Hi\n---\nHello {{contact.email}} {{contact.first_name}}")
    project.write("schemas/contact.schema.json", json.dumps({"properties": {"first_name": {"type": "string"}}, "required": ["first_name"]}))
    people = project.lines("people.jsonl", [{"id": "ada", "email": "ada@example.com", "locale": "de", "attributes": {"first_name": "Ada"}}])
    project.succeed("import", "contacts", str(people))
    shown = project.succeed("preview", "hello", "--contact", "ada")
    assert "Hello ada@example.com Ada" in shown and "To: ada@example.com" in shown and "Language: de" in shown


def test_warns_of_what_gmail_clips(project):
    project.settings()
    project.write("templates/long.html.hbs", "---\nsubject: Hi\n---\n{{unsubscribe_url}}{{#each event.items}}<p>{{this}}</p>{{/each}}")
    file = data(project, contact={"id": "a", "email": "a@example.com"}, event={"items": ["x" * 1000] * 120})
    done = project.command("preview", "long", "--data", str(file))
    assert done.returncode == 0 and "(clipped)" in done.stdout and "Gmail clips" in done.stderr
