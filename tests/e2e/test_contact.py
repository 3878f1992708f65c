"""One person: what is held is shown and handed out, and after an erasure it is in no file."""

import datetime
import json
import sqlite3

from project import eventually

WORKFLOW = """\
workflow: hello
trigger: { event: signed_up }
topic: offers
steps:
  - send: { subject: "Hello {{contact.first_name}}", text: "Hello. {{unsubscribe_url}}" }
    id: hello
  - wait: 1 day
"""

SECRETS = [b"ada-lovelace-1", b"ada.lovelace@shop.example", b"+4930123456", b"Augusta", b"analytical-engine", b"ada-old-id"]
OTHERS = [b"bo-ek-2", b"bo.ek@shop.example", b"Borghild", b"difference-engine"]


def now():
    return datetime.datetime.now(datetime.timezone.utc).isoformat()


def prepare(project):
    project.settings()
    project.write("workflows/hello.yaml", WORKFLOW)
    runner = project.start()
    contacts = [
        {"id": "ada-lovelace-1", "email": "ada.lovelace@shop.example", "phone": "+4930123456", "first_name": "Augusta"},
        {"id": "bo-ek-2", "email": "bo.ek@shop.example", "first_name": "Borghild"},
        {"id": "ada-old-id", "email": "Ada.Lovelace@shop.example"},
    ]
    events = [
        {"at": now(), "contact": "ada-lovelace-1", "event": "signed_up", "machine": "analytical-engine"},
        {"at": now(), "contact": "bo-ek-2", "event": "signed_up", "machine": "difference-engine"},
        {"at": now(), "contact": "ada-old-id", "subscribe": "offers"},
    ]
    project.succeed("import", "contacts", str(project.lines("contacts.jsonl", contacts)))
    project.succeed("import", "events", str(project.lines("events.jsonl", events)))
    eventually(lambda: len(project.messages("sent")) == 2, "both have their mail")
    return runner


def held(project):
    """Everything in the project's store and outbox."""
    files = [*(project.folder / "state").iterdir(), *(project.folder / "outbox").iterdir()]
    return b"".join(file.read_bytes() for file in files)


def show(project, who):
    return json.loads(project.succeed("contact", "show", who, "--format", "json"))


def test_a_person_is_shown_by_any_id_and_by_address(project):
    prepare(project)
    ada = show(project, "ada-lovelace-1")
    assert ada == show(project, "ada-old-id") == show(project, "ADA.lovelace@shop.example")
    assert ada["other_ids"] == ["ada-old-id"] and ada["attributes"] == {"first_name": "Augusta"}
    (consent,) = ada["consents"]
    assert (consent["topic"], consent["subscribed"], consent["by_default"]) == ("offers", True, False)
    assert consent["since"] and consent["source"].startswith("event ")
    assert {event["event"] for event in ada["events"]} == {"signed_up", "subscribed"}
    (run,) = ada["runs"]
    assert (run["workflow"], run["step"], run["status"]) == ("hello", "wait-1-day", "active") and run["due"]
    assert "history" not in run
    (message,) = ada["messages"]
    assert (message["status"], message["subject"]) == ("sent", "Hello Augusta")
    text = project.succeed("contact", "show", "ada-old-id")
    for line in ["Augusta", "offers: yes, since", "stands at wait-1-day", "analytical-engine", "sent"]:
        assert line in text, text
    whole = json.loads(project.succeed("contact", "export", "ada-old-id"))
    assert [entry["kind"] for entry in whole["runs"][0]["history"]][:2] == ["enter", "send"]
    assert whole["runs"][0]["event"] == {"machine": "analytical-engine"}
    file = project.folder / "ada.json"
    project.succeed("contact", "export", "ada-old-id", "--out", str(file))
    assert json.loads(file.read_text())["id"] == "ada-lovelace-1"
    unknown = project.command("contact", "show", "nobody")
    assert unknown.returncode == 2 and "no contact `nobody`" in unknown.stderr


def test_what_is_erased_is_in_no_file(project):
    runner = prepare(project)
    assert all(secret in held(project) for secret in SECRETS + OTHERS)
    assert len(list((project.folder / "outbox").glob("*.eml"))) == 2
    said = project.succeed("contact", "erase", "ada-old-id")
    assert "is erased" in said
    assert project.command("contact", "show", "ada-lovelace-1").returncode == 2
    eventually(lambda: len(list((project.folder / "outbox").glob("*.eml"))) == 1, "her mail is gone")
    assert project.stop(runner) == 0
    connection = sqlite3.connect(project.folder / "state" / "campaignd.db")
    connection.execute("VACUUM")
    connection.close()
    everything = held(project)
    assert [secret for secret in SECRETS if secret.lower() in everything.lower()] == []
    assert [secret for secret in OTHERS if secret not in everything] == []
    assert show(project, "bo-ek-2")["messages"][0]["subject"] == "Hello Borghild"
    assert "erased before" in project.succeed("contact", "erase", "ada-old-id", "--yes")


def test_who_was_erased_comes_back_only_when_allowed(project):
    prepare(project)
    project.succeed("contact", "erase", "ada-lovelace-1", "--yes")
    eventually(lambda: project.command("contact", "show", "ada-lovelace-1").returncode == 2, "she is erased")
    rows = [
        {"id": "ada-lovelace-1"}, {"id": "ada-old-id"}, {"id": "new-1", "email": " ADA.Lovelace@shop.example"},
        {"email": "ada.lovelace@shop.example"}, {"id": "new-2", "phone": "+49 30 123456"},
    ]
    contacts = project.lines("again.jsonl", rows)
    assert "5 of people who were erased left out" in project.succeed("import", "contacts", str(contacts))
    events = project.lines("more.jsonl", [{"at": now(), "contact": "ada-old-id", "event": "signed_up"}])
    assert "1 of people who were erased left out" in project.succeed("import", "events", str(events))
    assert project.command("contact", "allow", "nobody@shop.example").returncode == 1
    project.succeed("contact", "allow", "Ada.Lovelace@shop.example")
    assert "left out" not in project.succeed("import", "contacts", str(contacts))
    assert show(project, "ada-lovelace-1")["attributes"] == {}


def test_an_erasure_needs_no_runner(project):
    runner = prepare(project)
    assert project.stop(runner) == 0
    assert "is erased" in project.succeed("contact", "erase", "ada-lovelace-1", "--yes")
    assert project.command("contact", "show", "ada-lovelace-1").returncode == 2
    assert len(list((project.folder / "outbox").glob("*.eml"))) == 1, "her mail is gone, and the other one's is there"
