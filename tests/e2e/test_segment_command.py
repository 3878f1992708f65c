"""segment: who is in a segment, beside a running daemon and with broken files; and the members of static segments."""

import datetime
import json
import subprocess

from project import PROGRAM

SEGMENTS = """\
segments:
  germans:
    contact.country: DE
  buyers:
    all:
      - segment: germans
      - { event: bought, count: { at_least: 2 }, within: 30 days }
  testers: { list: true }
"""

CONTACTS = [
    {"id": "ada", "email": "ada@shop.example", "country": "DE"},
    {"id": "bo", "country": "AT"},
    {"id": "cy", "country": "DE"},
]


def prepare(project):
    project.settings(more="contract: open")
    project.write("workflows/segments.yaml", SEGMENTS)
    runner = project.start()
    contacts = project.lines("contacts.jsonl", CONTACTS)
    project.succeed("import", "contacts", str(contacts))
    return runner


def buy(project, *ids):
    now = datetime.datetime.now(datetime.timezone.utc)
    rows = [
        {"at": (now - datetime.timedelta(days=days)).isoformat(), "contact": name, "event": "bought"}
        for name in ids
        for days in (1, 2)
    ]
    project.succeed("import", "events", str(project.lines("events.jsonl", rows)))


def test_counts_and_lists_beside_a_runner(project):
    prepare(project)
    buy(project, "cy", "bo")
    assert project.succeed("segment", "count", "germans") == "2\n"
    assert project.succeed("segment", "list", "germans") == "ada\ncy\n"
    rows = [json.loads(line) for line in project.succeed("segment", "list", "germans", "--format", "jsonl").splitlines()]
    assert [(row["id"], row["email"]) for row in rows] == [("ada", "ada@shop.example"), ("cy", None)]
    assert all(row["since"].endswith("+00:00") for row in rows)
    assert project.succeed("segment", "list", "buyers") == "cy\n"


def test_broken_files_are_answered_by_the_last_good_ones(project):
    prepare(project)
    project.write("workflows/segments.yaml", "segments: { germans: { contact.country: ")
    assert project.succeed("segment", "count", "germans") == "2\n"


def test_unknown_segments_are_named(project):
    prepare(project)
    done = project.command("segment", "count", "germens")
    assert done.returncode == 2
    assert "did you mean `germans`?" in done.stderr and "buyers, germans, testers" in done.stderr


def test_members_of_static_segments(project):
    prepare(project)
    done = project.command("segment", "add", "testers", "ada", "nobody", "bo")
    assert done.returncode == 1 and "nobody" in done.stderr
    assert project.succeed("segment", "list", "testers") == "ada\nbo\n"
    row = json.loads(project.succeed("segment", "list", "testers", "--format", "jsonl").splitlines()[0])
    assert row["id"] == "ada" and row["since"].endswith("+00:00")
    taken = subprocess.run(
        [PROGRAM, "segment", "remove", "testers", "-", "--project", project.folder],
        input="ada\n\nbo\n", capture_output=True, text=True, timeout=60, check=False,
    )
    assert taken.returncode == 0, taken.stderr
    assert project.succeed("segment", "count", "testers") == "0\n"


def test_dynamic_segments_have_no_members_put_on(project):
    prepare(project)
    done = project.command("segment", "add", "germans", "bo")
    assert done.returncode == 2 and "dynamic" in done.stderr
    assert project.succeed("segment", "count", "germans") == "2\n"
