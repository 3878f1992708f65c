"""Imports: good rows go in, bad ones are reported by line and reason, and a file can be imported again."""

import datetime

from project import eventually

WORKFLOW = """\
workflow: hello
trigger: { event: signed_up }
topic: offers
steps:
  - send: { subject: "Hello {{contact.id}}", text: "Hello. {{unsubscribe_url}}" }
    id: hello
"""

CONTACTS = """\
id,email,country,lifetime_value
ada,ada@shop.example,DE,120.5
,nobody@shop.example,DE,1
bo,bo@shop.example,Austria,1
cy,cy@shop.example,AT,a lot
dee,dee@shop.example,CH,0
"""

SCHEMA = """\
{
  "type": "object",
  "properties": {
    "country": { "type": "string", "pattern": "^[A-Z]{2}$" },
    "lifetime_value": { "type": "number" }
  }
}
"""


def prepare(project):
    project.settings()
    project.write("schemas/contact.schema.json", SCHEMA)
    project.write("workflows/hello.yaml", WORKFLOW)


def test_bad_rows_of_a_csv_file_are_reported_and_left_out(project):
    prepare(project)
    project.start()
    contacts = project.write("contacts.csv", CONTACTS)
    done = project.command("import", "contacts", str(contacts))
    assert done.returncode == 1, done.stderr
    said = done.stdout + done.stderr
    for line in ("3", "4", "5"):
        assert line in said
    rejected = (project.folder / "contacts.csv.rejected").read_text()
    assert "nobody@shop.example" in rejected and "Austria" in rejected and "a lot" in rejected
    assert "ada@shop.example" not in rejected and "dee@shop.example" not in rejected
    now = datetime.datetime.now(datetime.timezone.utc).isoformat()
    names = ("ada", "dee")
    events = project.lines("events.jsonl", ({"at": now, "contact": name, "event": "signed_up", "id": name} for name in names))
    project.succeed("import", "events", str(events))
    project.wait_through("hello", 2)
    assert sorted(row["to"] for row in project.messages("sent")) == ["ada@shop.example", "dee@shop.example"]


def test_the_same_events_twice_count_once(project):
    prepare(project)
    project.start()
    contacts = project.lines("contacts.jsonl", [{"id": "ada", "email": "ada@shop.example"}])
    project.succeed("import", "contacts", str(contacts))
    now = datetime.datetime.now(datetime.timezone.utc).isoformat()
    events = project.lines("events.jsonl", [{"at": now, "contact": "ada", "event": "signed_up", "id": "s1"}])
    project.succeed("import", "events", str(events))
    project.succeed("import", "events", str(events))
    project.wait_through("hello", 1)
    assert len(project.messages()) == 1


def test_a_dry_run_changes_nothing(project):
    prepare(project)
    project.start()
    contacts = project.lines("contacts.jsonl", [{"id": "ada", "email": "ada@shop.example"}, {"email": "no id"}])
    assert project.command("import", "contacts", str(contacts), "--dry-run").returncode == 1
    assert not (project.folder / "contacts.jsonl.rejected").exists()
    done = project.command("enroll", "hello", "ada")
    assert done.returncode != 0, "ada was not to be known"


def test_an_import_works_without_a_runner_and_is_acted_on_at_its_start(project):
    prepare(project)
    runner = project.start()
    assert project.stop(runner) == 0
    contacts = project.lines("contacts.jsonl", [{"id": "ada", "email": "ada@shop.example"}])
    now = datetime.datetime.now(datetime.timezone.utc).isoformat()
    events = project.lines("events.jsonl", [{"at": now, "contact": "ada", "event": "signed_up"}])
    project.succeed("import", "contacts", str(contacts))
    project.succeed("import", "events", str(events))
    project.start()
    eventually(lambda: project.through("hello", 1), "ada is through")
