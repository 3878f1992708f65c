"""Exports: everything comes out, in a form that an import takes in again."""

import csv
import datetime
import io
import json
import os
import subprocess

import pytest

from project import Project

WORKFLOW = """\
workflow: hello
trigger: { event: signed_up }
topic: offers
steps:
  - send: { subject: "Hello {{contact.id}}, you", text: "Hello. {{unsubscribe_url}}" }
    id: hello
"""

SCHEMA = {
    "type": "object",
    "properties": {"name": {"type": "string"}, "age": {"type": "number"}, "tags": {"type": "array"}, "place": {"type": "object"}},
}

CONTACTS = [
    {"id": "ada", "email": "ada@shop.example", "phone": "+49 30 1", "locale": "de", "time_zone": "Asia/Tokyo", "topics": ["news"],
     "attributes": {"name": "Ada \"L\", Countess\r\nof; Lovelace", "age": 36.5, "tags": ["a", "b;c"], "place": {"x": [1, None]}}},
    {"id": "bo", "topics": [], "attributes": {"name": "=SUM(A1:A9)", "more": True, "007": "007", "n": 7}},
    {"id": "cy \U0001f48c", "attributes": {"name": " ", "place": {}, "tags": []}},
    {"id": "dee"},
]

EVENTS = [
    {"at": "2026-03-29T01:30:00.125+00:00", "contact": "ada", "event": "ordered", "properties": {"total": 1.5, "items": [{"a": "b"}]}, "id": "o,1"},
    {"at": "2026-03-29T01:30:00+00:00", "contact": "ada", "event": "ordered", "properties": {}},
    {"at": "2026-03-29T01:30:00+00:00", "contact": "ada", "event": "ordered", "properties": {}},
    {"at": "2026-03-30T01:30:00+00:00", "contact": "bo", "unsubscribe": "all"},
]


def prepare(project):
    project.settings()
    settings = (project.folder / "campaignd.yaml").read_text()
    project.write("campaignd.yaml", settings.replace("topics:\n", "topics:\n  news: { default: unsubscribed }\n"))
    project.write("schemas/contact.schema.json", json.dumps(SCHEMA))
    project.write("workflows/hello.yaml", WORKFLOW)


@pytest.mark.parametrize("form", ["csv", "jsonl"])
def test_what_was_exported_can_be_imported_and_is_the_same(project, tmp_path, form):
    prepare(project)
    project.succeed("import", "contacts", str(project.lines("contacts.jsonl", CONTACTS)))
    project.succeed("import", "events", str(project.lines("events.jsonl", EVENTS)))
    other = Project(tmp_path / "other")
    prepare(other)
    out = {}
    for what in ("contacts", "events"):
        out[what] = project.folder / f"{what}.out.{form}"
        project.succeed("export", what, "--out", str(out[what]))
        other.succeed("import", what, str(out[what]))
        # It is all there already.
        assert " 0 added" in project.succeed("import", what, str(out[what]))
        for again in ("csv", "jsonl"):
            assert other.succeed("export", what, "--format", again) == project.succeed("export", what, "--format", again), (what, again)
    contacts = {row["id"]: row for row in map(json.loads, other.succeed("export", "contacts").splitlines())}
    assert contacts["ada"] == CONTACTS[0]
    assert contacts["bo"] == CONTACTS[1]
    assert contacts["cy \U0001f48c"] == CONTACTS[2]
    assert contacts["dee"] == {"id": "dee"}
    events = [json.loads(line) for line in other.succeed("export", "events", "--format", "jsonl").splitlines()]
    assert events[0] == EVENTS[0]
    assert [event["event"] for event in events] == ["ordered", "ordered", "ordered", "unsubscribed"]


def test_an_attribute_is_a_column_and_the_rest_is_json(project):
    prepare(project)
    project.succeed("import", "contacts", str(project.lines("contacts.jsonl", CONTACTS)))
    text = project.command("export", "contacts", "--format", "csv").stdout
    rows = {row["id"]: row for row in csv.DictReader(io.StringIO(text, newline=""))}
    assert list(rows["ada"]) == ["id", "email", "phone", "locale", "time_zone", "topics", "age", "name", "place", "tags", "attributes"]
    assert (rows["ada"]["age"], rows["ada"]["topics"], rows["ada"]["attributes"]) == ("36.5", "news", "")
    assert (rows["bo"]["name"], rows["bo"]["age"], rows["bo"]["topics"]) == ("=SUM(A1:A9)", "", "[]")
    assert json.loads(rows["bo"]["attributes"]) == {"more": True, "007": "007", "n": 7}


@pytest.mark.parametrize("form", ["csv", "jsonl"])
def test_messages_and_runs_come_out(project, form):
    prepare(project)
    project.start()
    project.succeed("import", "contacts", str(project.lines("contacts.jsonl", [{"id": "ada", "email": "ada@shop.example"}])))
    project.succeed("import", "events", str(project.lines("events.jsonl", [{"at": now(), "contact": "ada", "event": "signed_up"}])))
    project.wait_through("hello", 1)

    def rows(what):
        text = project.succeed("export", what, "--format", form)
        if form == "csv":
            return [{name: cell or None for name, cell in row.items()} for row in csv.DictReader(io.StringIO(text))]
        return [json.loads(line) for line in text.splitlines()]

    as_text = [{name: value if value is None else str(value) for name, value in row.items()} for row in rows("messages")]
    listed = [{name: value if value is None else str(value) for name, value in row.items()} for row in project.messages()]
    assert as_text == listed and listed[0]["subject"] == "Hello ada, you"
    (run,) = rows("runs")
    assert (run["contact"], run["workflow"], run["status"], run["reason"]) == ("ada", "hello", "completed", "completed")
    assert run["entered_at"] and run["ended_at"] and run["detail"] is None


def test_an_export_of_nothing_has_its_header(project):
    prepare(project)
    for what, first in [("contacts", "id"), ("events", "at"), ("messages", "id"), ("runs", "id")]:
        assert project.succeed("export", what, "--format", "csv").split(",")[0] == first
        assert project.succeed("export", what) == ""


def now():
    return datetime.datetime.now(datetime.timezone.utc).isoformat()


def test_out_is_written_through_links_and_into_what_is_no_file(project):
    prepare(project)
    project.succeed("import", "contacts", str(project.lines("contacts.jsonl", CONTACTS)))
    whole = project.succeed("export", "contacts")
    link, target = project.folder / "link.jsonl", project.folder / "target.jsonl"
    target.write_text("old")
    link.symlink_to(target)
    project.succeed("export", "contacts", "--out", str(link))
    assert link.is_symlink() and target.read_text() == whole
    pipe = project.folder / "pipe"
    os.mkfifo(pipe)
    reader = subprocess.Popen(["cat", str(pipe)], stdout=subprocess.PIPE, text=True)
    project.succeed("export", "contacts", "--out", str(pipe))
    assert reader.communicate(timeout=30)[0] == whole
    assert pipe.is_fifo()
