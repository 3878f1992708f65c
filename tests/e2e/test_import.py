"""Imports: good rows go in, bad ones are reported by line and reason, and a file can be imported again."""

import contextlib
import datetime
import json
import pathlib
import sqlite3
import subprocess

from project import PROGRAM, eventually

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
,nobody-shop.example,DE,1
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
    assert "nobody-shop.example" in rejected and "Austria" in rejected and "a lot" in rejected
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


def known(project, who):
    return json.loads(project.succeed("contact", "show", who, "--format", "json"))


def consent(project, who):
    return next(row["subscribed"] for row in known(project, who)["consents"] if row["topic"] == "offers")


def test_the_exports_of_mail_tools_are_read(project):
    project.settings()
    project.write(
        "schemas/contact.schema.json",
        json.dumps({"type": "object", "properties": {
            "first_name": {"type": "string"}, "country": {"type": "string"}, "tags": {"type": "array"},
            "birthday": {"type": "string", "format": "date"},
        }}),
    )
    exports = pathlib.Path(__file__).parent / "exports"
    for tool, file in [
        ("mailchimp", "mailchimp_subscribed"), ("mailchimp", "mailchimp_unsubscribed"), ("klaviyo", "klaviyo"), ("hubspot", "hubspot")
    ]:
        done = project.command("import", "contacts", str(exports / f"{file}.csv"), "--from", tool, "--topic", "offers")
        assert done.returncode == 0, done.stdout + done.stderr
        assert "left out" in done.stderr and "Last Name" in done.stderr
    ada = known(project, "ada@shop.example")
    assert ada["email"] == "Ada@Shop.Example" and ada["phone"] == "+44 20 7946 0018" and ada["time_zone"] == "Europe/London"
    assert ada["attributes"] == {"first_name": "Ada", "country": "GB", "tags": ["VIP", "Blog"]}
    assert known(project, "101")["attributes"] == {"first_name": "Fay", "country": "CA"}
    # Whoever is not said to be subscribed or not has the topic's default.
    expected = {"ada": True, "grace": True, "bo": False, "cy": True, "dee": False, "eve": True, "fay": True, "gil": False}
    assert {name: consent(project, f"{name}@shop.example") for name in expected} == expected
    by_default = {row["topic"]: row["by_default"] for row in known(project, "eve@shop.example")["consents"]}
    assert by_default == {"offers": True}


def test_a_row_is_merged_with_whoever_has_its_address(project):
    project.settings()
    first = project.write("first.csv", "id,email,name\nada,ada@shop.example,Ada\nbo,bo@shop.example,Bo\n")
    second = project.write("second.csv", "id,email,name\na-7,ADA@shop.example,A. L.\nbo,ada@shop.example,B\n,cy@shop.example,Cy\n")
    project.succeed("import", "contacts", str(first))
    done = project.command("import", "contacts", str(second))
    assert done.returncode == 1
    assert "1 added" in done.stdout and "1 merged by e-mail" in done.stdout and "1 rejected" in done.stdout
    assert "second.csv:3: rejected: its `id` is one contact's" in done.stderr
    ada = known(project, "a-7")
    assert (ada["id"], ada["other_ids"], ada["attributes"]) == ("ada", ["a-7"], {"name": "A. L."})
    assert known(project, "bo")["attributes"] == {"name": "Bo"}
    assert known(project, "cy@shop.example")["id"] == "cy@shop.example"


def test_everybody_in_a_file_is_put_on_a_static_segment(project):
    project.settings()
    project.write("workflows/beta.yaml", "segments:\n  beta_testers: { list: true }\n")
    contacts = project.lines("contacts.jsonl", [{"id": "ada"}, {"id": "bo"}])
    wrong = project.command("import", "contacts", str(contacts), "--segment", "beta")
    assert wrong.returncode == 2 and "beta_testers" in wrong.stderr
    project.succeed("import", "contacts", str(contacts), "--segment", "beta_testers")
    assert [row["name"] for row in known(project, "bo")["segments"]] == ["beta_testers"]


def test_an_import_that_was_killed_goes_on_where_it_was(project):
    prepare(project)
    project.start()
    rows = 300_000
    lines = "".join(f"c{i},{'lots' if i % 50_000 == 9 else i}\n" for i in range(rows))
    contacts = project.write("contacts.csv", "id,lifetime_value\n" + lines)
    store = project.folder / "state" / "campaignd.db"

    def checkpoint():
        with contextlib.closing(sqlite3.connect(f"file:{store}?mode=ro", uri=True)) as connection:
            found = connection.execute("SELECT value FROM properties WHERE name LIKE 'import:%'").fetchall()
        return json.loads(found[0][0])["place"]["lines"] if found else 0

    importing = subprocess.Popen(
        [PROGRAM, "import", "contacts", contacts, "--project", project.folder], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    eventually(lambda: checkpoint() > rows // 10, "a good part is written", every=0.005)
    importing.kill()
    out, _ = importing.communicate()
    assert out == "", "it was done before it was killed"
    reached = checkpoint()
    assert 0 < reached < rows
    done = project.command("import", "contacts", str(contacts), within=120)
    assert done.returncode == 1, done.stderr
    assert f"goes on at line {reached + 1}\n" in done.stderr
    assert f"{rows:,} contacts: {rows - 6:,} added" in done.stdout and "6 rejected" in done.stdout, done.stdout
    rejected = (project.folder / "contacts.csv.rejected").read_text().splitlines()
    assert [json.loads(line)["line"] for line in rejected] == [i + 2 for i in range(9, rows, 50_000)]
    assert checkpoint() == 0
    again = project.command("import", "contacts", str(contacts), within=120)
    assert f"0 added, 0 changed, {rows - 6:,} unchanged" in again.stdout, again.stdout


def test_an_import_goes_by_the_last_good_definitions_while_the_project_is_broken(project):
    prepare(project)
    runner = project.start()
    assert project.stop(runner) == 0
    contacts = project.write("contacts.csv", CONTACTS)
    for broken in [("workflows/hello.yaml", "workflow: ["), ("campaignd.yaml", "project: [")]:
        project.write(*broken)
        done = project.command("import", "contacts", str(contacts))
        assert done.returncode == 1 and "last found good" in done.stderr and "Austria" not in done.stderr, done.stderr
        assert "3 rejected" in done.stdout


def test_a_file_is_imported_by_one_at_a_time(project):
    """Two at once would take each other's events for twins: everything would be there twice."""
    prepare(project)
    file = project.folder / "events.jsonl"
    line = '{"at":"2026-03-%02dT10:00:00Z","contact":"p%d","event":"signed_up"}\n'
    file.write_text("".join(line % (1 + number % 20, number) for number in range(20_000)))
    command = [PROGRAM, "--project", str(project.folder), "import", "events", str(file)]
    both = [subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) for _ in range(2)]
    ended = [(one.communicate(timeout=120)[1], one.returncode) for one in both]
    assert sorted(code for _, code in ended) == [0, 2], ended
    assert any("is being imported already" in said for said, _ in ended), ended
    assert len(project.succeed("export", "events").splitlines()) == 20_000
    assert "20,000 already there" in project.succeed("import", "events", str(file))
