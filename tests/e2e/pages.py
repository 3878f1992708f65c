"""A shop whose mails hold links, for the tests of what is behind them; and tokens made apart from the program."""

import base64
import email
import email.policy
import hashlib
import hmac
import json
import re
import sqlite3

from project import eventually

SETTINGS = """\
project: flower-works
time_zone: UTC
locale: {locale}
url: {url}
store: sqlite:state/campaignd.db
channels:
  email:
    from: Shop <hello@shop.example>
    deliver: {deliver}
    connections: 8
topics:
  offers: {{ title: Offers & <sales>, description: "What is cheap this week, about twice a month.", default: subscribed }}
  news: {{ title: News from the workshop, description: "How things are made, by those who make them.", default: unsubscribed }}
  tips: {{ title: Care tips, default: unsubscribed, confirm: true }}
tracking: {{ opens: {track}, clicks: {track} }}
contract: open
http: {{ listen: "127.0.0.1:{port}", keys: [ "key" ] }}
"""

WORKFLOW = """\
workflow: {name}
trigger: {{ event: {event} }}
reentry: always
{topic}
steps:
  - send: {template}
"""

BODY = """\
---
subject: Hello
---
<!doctype html><html><head><title>x</title></head><body>
<p><a href="https://shop.example/a?x=1&amp;y=2">a</a> <a href='https://shop.example/b'>b</a> <a href=https://shop.example/c>c</a>
<a href="https://shop.example/d" data-track="off">d</a> <a href="#top">e</a> <a href="mailto:x@shop.example">f</a></p>
<p><a href="{{unsubscribe_url}}">Unsubscribe</a> <a href="{{preferences_url}}">Preferences</a></p>
</body></html>
"""


class Shop:
    """A project with a daemon and people in it."""

    def __init__(self, project, locale="en", deliver="outbox:outbox/", track=False, files=()):
        self.project = project
        self.settings = dict(locale=locale, deliver=deliver, track=str(track).lower(), port=project.http, url="https://mail.shop.example")
        project.write("campaignd.yaml", SETTINGS.format(**self.settings))
        project.write("templates/hello.html.hbs", BODY)
        project.write("workflows/offer.yaml", WORKFLOW.format(name="offer", event="offered", topic="topic: offers", template="hello"))
        for path, text in dict(files).items():
            project.write(path, text)
        project.start()

    def call(self, name, **fields):
        status, _, answer = self.project.ask("POST", f"/v1/{name}", fields, key="key")
        assert status == 200, answer

    def person(self, name, **traits):
        self.call("identify", userId=name, traits={"email": f"{name}@people.example", **traits})

    def event(self, name, event, **properties):
        self.call("track", userId=name, event=event, properties=properties)

    def mails(self):
        paths = sorted((self.project.folder / "outbox").rglob("*.eml"))
        return [email.message_from_bytes(path.read_bytes(), policy=email.policy.default) for path in paths]

    def mail(self, name, event="offered"):
        """A mail to somebody, once it has been sent."""
        self.event(name, event)
        address = f"{name}@people.example"
        found = eventually(lambda: [mail for mail in self.mails() if mail["To"] == address], f"a mail to {name}")
        return Mail(found[-1])

    # What is known

    def rows(self, what):
        return [json.loads(line) for line in self.project.succeed("export", what, "--format", "jsonl").splitlines()]

    def topics(self, name):
        return next(row.get("topics") for row in self.rows("contacts") if row["id"] == name)

    def events(self, name, *events):
        return [row for row in self.rows("events") if row["contact"] == name and row["event"] in events]

    def state(self):
        """Everything that anything could change."""
        return [sorted(json.dumps(row, sort_keys=True) for row in self.rows(what)) for what in ("contacts", "events", "messages", "runs")]

    def consent(self, name):
        with sqlite3.connect(f"file:{self.project.folder}/state/campaignd.db?mode=ro", uri=True) as store:
            return json.loads(store.execute("SELECT consent FROM contacts WHERE uid = ?", [name]).fetchone()[0] or "{}")

    # Tokens

    def began(self):
        """When each mail that was not skipped began to be sent, in ms since 1970."""
        with sqlite3.connect(f"file:{self.project.folder}/state/campaignd.db?mode=ro", uri=True) as store:
            return [row[0] for row in store.execute("SELECT taken_at FROM messages WHERE taken_at IS NOT NULL")]

    def number(self, name):
        with sqlite3.connect(f"file:{self.project.folder}/state/campaignd.db?mode=ro", uri=True) as store:
            return store.execute("SELECT id FROM contacts WHERE uid = ?", [name]).fetchone()[0]

    def token(self, name, topic=None, purpose=None):
        """A token as mails hold them, for a message that is long gone."""
        with sqlite3.connect(f"file:{self.project.folder}/state/campaignd.db?mode=ro", uri=True) as store:
            secret = store.execute("SELECT value FROM properties WHERE name = 'secret'").fetchone()[0]
        key = secret.encode()
        if purpose:
            key = hmac.new(key, purpose.encode(), hashlib.sha256).digest()
        said = self.number(name).to_bytes(8, "big") + (1 << 40).to_bytes(8, "big") + (topic or "").encode()
        sealed = said + hmac.new(key, said, hashlib.sha256).digest()[:16]
        return base64.urlsafe_b64encode(sealed).rstrip(b"=").decode()

    # The pages

    def get(self, path, method="GET", **headers):
        return self.project.ask(method, path, headers={name.replace("_", "-"): value for name, value in headers.items()})

    def post(self, path, body="", kind="application/x-www-form-urlencoded", **headers):
        return self.project.ask("POST", path, body.encode(), headers={"Content-Type": kind, **headers})

    def page(self, path, **headers):
        status, _, text = self.get(path, **headers)
        return status, text.decode()


class Mail:
    def __init__(self, mail):
        self.mail = mail
        self.html = mail.get_body(("html",)).get_content()
        self.text = mail.get_body(("plain",)).get_content() if mail.get_body(("plain",)) else ""

    def links(self):
        found = re.findall(r"""(?:href|src)=["']?([^"'> ]+)""", self.html) + re.findall(r"https?://[^\s<>()]+", self.text)
        found += re.findall(r"<(https?:[^>]+)>", self.mail["List-Unsubscribe"] or "")
        return [link.replace("&amp;", "&") for link in found]

    def path(self, kind):
        """The path of the first link to one of the runner's own pages."""
        return self.paths(kind)[0]

    def paths(self, kind):
        start = f"https://mail.shop.example/{kind}/"
        return [link.removeprefix("https://mail.shop.example") for link in self.links() if link.startswith(start)]
