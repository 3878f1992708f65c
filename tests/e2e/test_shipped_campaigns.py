"""Journeys through the shipped campaigns, on virtual time: who gets what, and when."""

import json
import re
import subprocess

import pytest

from project import PROGRAM, ROOT

# A Friday. The clocks change in the night to Sunday.
START = "2026-03-27T09:00:00+01:00"
UNTIL = "2026-05-15T00:00:00+02:00"


@pytest.fixture
def journey(tmp_path):
    """Simulates one campaign and gives what happened to each contact: (time, kind, what)."""

    def run(workflow, contacts, events, start=START, until=UNTIL):
        (tmp_path / "contacts.jsonl").write_text("".join(json.dumps(row) + "\n" for row in contacts))
        (tmp_path / "events.jsonl").write_text("".join(json.dumps(row) + "\n" for row in events))
        done = subprocess.run(
            [
                PROGRAM, "simulate", "--project", ROOT, "--workflow", workflow, "--format", "jsonl",
                "--contacts", tmp_path / "contacts.jsonl", "--events", tmp_path / "events.jsonl",
                "--from", start, "--until", until,
            ],
            stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60, check=False,
        )
        assert done.returncode == 0 and done.stderr == "", done.stderr
        happened = {}
        for line in map(json.loads, done.stdout.splitlines()):
            if line["kind"] in ("send", "skip", "exit"):
                what = line["reason"] if line["kind"] == "exit" else line["template"]
                # Mails leave 20 ms apart, as the settings' rate has it; seconds are what matters here.
                at = re.sub(r"\.\d+", "", line["at"])
                happened.setdefault(line["contact"], []).append((at, line["kind"], what))
        return happened

    return run


def person(name, **fields):
    return {"id": name, "email": f"{name}@example.com", "topics": ["offers", "newsletter", "product_news"]} | fields


def event(at, contact, name, **properties):
    return {"at": at, "contact": contact, "event": name, "properties": properties, "id": f"{contact}-{name}-{at}"}


def test_cart_recovery(journey):
    at = "2026-03-27T09:00:00+01:00"
    happened = journey(
        "cart-recovery",
        [
            person("ada", country="DE"), person("bo", country="AT"), person("cy", country="CH"),
            person("dee", country="DE"), person("eli", country="FR"), person("flo", country="DE", topics=[]),
        ],
        [
            *(event(at, name, "cart_updated", cart_id=f"{name}-1", total=80) for name in ("ada", "bo", "cy", "dee", "eli", "flo")),
            event("2025-11-05T12:00:00+01:00", "cy", "order_completed", total=900),
            event("2026-03-27T09:30:00+01:00", "ada", "order_completed", total=80),
            event("2026-03-27T11:00:00+01:00", "dee", "message_clicked", template="cart-reminder"),
        ],
    )
    assert happened == {
        "ada": [("2026-03-27T09:30:00+01:00", "exit", "exit_when")],
        "bo": [
            ("2026-03-27T10:00:00+01:00", "send", "cart-reminder"),
            ("2026-03-28T10:00:00+01:00", "send", "cart-discount"),
            ("2026-03-28T10:00:00+01:00", "exit", "completed"),
        ],
        "cy": [
            ("2026-03-27T10:00:00+01:00", "send", "cart-reminder"),
            ("2026-03-28T10:00:00+01:00", "send", "cart-vip"),
            ("2026-03-28T10:00:00+01:00", "exit", "completed"),
        ],
        "dee": [
            ("2026-03-27T10:00:00+01:00", "send", "cart-reminder"),
            ("2026-03-27T11:00:00+01:00", "exit", "completed"),
        ],
    }


def test_welcome(journey):
    at = "2026-03-27T12:00:00+01:00"
    happened = journey(
        "welcome",
        [person("ada"), person("bo"), person("cy")],
        [
            *(event(at, name, "signed_up", source="web") for name in ("ada", "bo", "cy")),
            event("2026-03-27T18:00:00+01:00", "ada", "page_viewed", url="https://shop.example/"),
            event("2026-03-29T12:00:00+02:00", "cy", "order_completed", total=50),
        ],
    )
    assert happened["ada"] == [
        (at, "send", "welcome"),
        # Ten o'clock the next morning; then a week of dates later, over the change of the clocks, on a weekday.
        ("2026-03-28T10:00:00+01:00", "send", "welcome-guide"),
        ("2026-04-06T10:00:00+02:00", "send", "welcome-gift"),
        ("2026-04-06T10:00:00+02:00", "exit", "completed"),
    ]
    assert [(kind, what) for _, kind, what in happened["bo"]] == [
        ("send", "welcome"), ("send", "welcome-nudge"), ("send", "welcome-gift"), ("exit", "completed"),
    ]
    assert happened["cy"] == [(at, "send", "welcome"), ("2026-03-29T12:00:00+02:00", "exit", "goal")]


@pytest.mark.parametrize("locale", ["en", "de"])
def test_welcome_subjects_differ(tmp_path, locale):
    subjects = set()
    for opening in ("name", "topic"):
        data = {"contact": {"id": "ada", "email": "ada@example.com", "first_name": "Ada"}, "with": {"opening": opening}}
        (tmp_path / "data.json").write_text(json.dumps(data))
        done = subprocess.run(
            [PROGRAM, "preview", "welcome", "--project", ROOT, "--locale", locale, "--data", tmp_path / "data.json"],
            stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60, check=True,
        )
        subjects.add(re.search("^Subject: (.+)$", done.stdout, re.MULTILINE)[1])
    assert len(subjects) == 2 and any("Ada" in subject for subject in subjects)


def test_birthday(journey):
    happened = journey(
        "birthday",
        [
            person("leap", birthday="1992-02-29", time_zone="America/New_York"),
            person("march", birthday="1980-03-29", time_zone="Europe/Berlin"),
            person("later", birthday="1980-12-01"),
        ],
        [],
        start="2026-02-01T00:00:00+01:00",
    )
    assert [(at, what) for at, kind, what in happened["leap"] if what == "birthday"] == [("2026-02-28T15:00:00+01:00", "birthday")]
    assert happened["march"][0] == ("2026-03-29T09:00:00+02:00", "send", "birthday")
    assert [what for _, _, what in happened["march"]] == ["birthday", "birthday-reminder", "completed"]
    assert "later" not in happened


def test_win_back(journey):
    happened = journey(
        "win-back",
        [person("gone"), person("long_gone"), person("recent"), person("never"), person("tempted"), person("back"),
         person("no", topics=["product_news"])],
        [
            event("2025-12-01T12:00:00+01:00", "long_gone", "order_completed", total=50),
            # Sixty days later is Monday, 30 March, at 13:00: the clocks have changed.
            *(event("2026-01-29T12:00:00+01:00", name, "order_completed", total=50) for name in ("gone", "tempted", "back", "no")),
            event("2026-03-20T12:00:00+01:00", "recent", "order_completed", total=50),
            event("2026-03-30T20:00:00+02:00", "back", "order_completed", total=70),
            event("2026-04-07T12:00:00+02:00", "tempted", "order_completed", total=70),
        ],
    )
    assert set(happened) == {"gone", "tempted", "back"}
    # The next morning at ten; five days later is a Sunday, so that the offer waits for Monday's window, and comes once more a week later.
    assert happened["gone"][0] == ("2026-03-31T10:00:00+02:00", "send", "win-back-news")
    assert [(at[:10], what) for at, _, what in happened["gone"]] == [
        ("2026-03-31", "win-back-news"),
        ("2026-04-06", "win-back-offer"),
        ("2026-04-13", "win-back-offer"),
        ("2026-04-13", "completed"),
    ]
    assert [what for _, _, what in happened["tempted"]] == ["win-back-news", "win-back-offer", "goal"]
    assert happened["back"] == [("2026-03-30T20:00:00+02:00", "exit", "goal")]


def test_newsletter_arrives_at_nine_wherever_the_reader_is(journey):
    happened = journey(
        "newsletter",
        [
            person("berlin", time_zone="Europe/Berlin"), person("tokyo", time_zone="Asia/Tokyo"),
            person("denver", time_zone="America/Denver"), person("no", topics=["offers"]),
        ],
        [],
        start="2026-03-24T00:00:00+01:00",
        until="2026-04-03T00:00:00+02:00",
    )
    sends = {name: [at for at, kind, _ in lines if kind == "send"] for name, lines in happened.items()}
    assert sends == {
        "tokyo": ["2026-03-26T01:00:00+01:00", "2026-04-02T02:00:00+02:00"],
        "berlin": ["2026-03-26T09:00:00+01:00", "2026-04-02T09:00:00+02:00"],
        "denver": ["2026-03-26T16:00:00+01:00", "2026-04-02T17:00:00+02:00"],
    }
