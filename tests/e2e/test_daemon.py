"""The daemon as a service: one runner a store, one port, a clean end; and workflows that change under it."""

import datetime
import json
import signal
import socket

from mail_server import Keeper
from project import Project, eventually, free_port

WORKFLOW = """\
workflow: {name}
trigger:
  - event: signed_up
  - manual: true
topic: offers
steps:
  - wait: {wait}
    id: pause
  - send: {{ subject: "Hello {{{{contact.id}}}}", text: "Hello. {{{{unsubscribe_url}}}}" }}
    id: hello
"""


def workflow(wait, name="hello"):
    return WORKFLOW.format(name=name, wait=wait)


def sign_up(project, *names):
    now = datetime.datetime.now(datetime.timezone.utc).isoformat()
    contacts = project.lines("contacts.jsonl", ({"id": name, "email": f"{name}@shop.example"} for name in names))
    events = project.lines("events.jsonl", ({"at": now, "contact": name, "event": "signed_up"} for name in names))
    project.succeed("import", "contacts", str(contacts))
    project.succeed("import", "events", str(events))


def active(project, count, name="hello"):
    eventually(lambda: (project.workflow(name) or {}).get("active") == count, f"{count} inside {name}")


def test_a_wait_that_is_shortened_ends_for_those_inside(project):
    project.settings()
    project.write("workflows/hello.yaml", workflow("6 hours"))
    project.start()
    sign_up(project, "ada", "bo")
    active(project, 2)
    before = project.status()["definitions"]["hash"]
    project.write("workflows/hello.yaml", workflow("1 second"))
    project.wait_through("hello", 2)
    assert project.status()["definitions"]["hash"] != before
    assert len(list((project.folder / "outbox").rglob("*.eml"))) == 2


def test_a_removed_file_closes_the_workflow_and_those_inside_finish(project):
    project.settings()
    project.write("workflows/hello.yaml", workflow("8 seconds"))
    project.write("workflows/other.yaml", workflow("1 second", "other").replace("signed_up", "never_happens"))
    project.start()
    sign_up(project, "ada")
    active(project, 1)
    (project.folder / "workflows/hello.yaml").unlink()
    eventually(lambda: project.workflow("hello")["status"] == "closed", "hello is closed")
    sign_up(project, "bo")
    project.wait_through("hello", 1)
    assert [row["contact"] for row in project.messages("sent")] == ["ada"]


def test_a_broken_file_keeps_the_last_good_one_in_force(project):
    project.settings()
    project.write("workflows/hello.yaml", workflow("1 second"))
    runner = project.start()
    contacts = project.lines("contacts.jsonl", ({"id": name, "email": f"{name}@shop.example"} for name in ("ada", "bo")))
    project.succeed("import", "contacts", str(contacts))
    good = project.status()["definitions"]
    assert good["stale"] is False and good["diagnostics"] == []

    project.write("workflows/hello.yaml", workflow("1 second").replace("wait:", "wiat:"))
    eventually(lambda: project.status()["definitions"]["stale"], "the definitions are stale")
    stale = project.status()["definitions"]
    assert stale["hash"] == good["hash"]
    assert [(row["file"], row["severity"]) for row in stale["diagnostics"]][0] == ("workflows/hello.yaml", "error")
    assert "campaignd_reload_success 0" in project.get("/metrics")
    project.succeed("enroll", "hello", "ada")
    project.wait_through("hello", 1)

    # A restart does not need the files to be good either.
    assert project.stop(runner) == 0
    project.start()
    assert project.status()["definitions"]["stale"] is True
    project.succeed("enroll", "hello", "bo")
    project.wait_through("hello", 2)

    project.write("workflows/hello.yaml", workflow("2 seconds"))
    eventually(lambda: not project.status()["definitions"]["stale"], "the definitions are good again")
    assert project.status()["definitions"]["hash"] != good["hash"]
    assert "campaignd_reload_success 1" in project.get("/metrics")


def test_hup_reloads(project):
    project.settings()
    project.write("workflows/hello.yaml", workflow("6 hours"))
    runner = project.start()
    before = project.status()["definitions"]["hash"]
    project.write("workflows/hello.yaml", workflow("1 hour"))
    runner.send_signal(signal.SIGHUP)
    eventually(lambda: project.status()["definitions"]["hash"] != before, "reloaded")
    assert runner.poll() is None


def test_term_finishes_what_is_being_sent_and_leaves_the_store_clean(project):
    with Keeper(slow=0.2) as server:
        project.settings(deliver=server.url, connections=4)
        project.write("workflows/hello.yaml", workflow("0 seconds"))
        runner = project.start()
        sign_up(project, *(f"c{number:02}" for number in range(60)))
        eventually(lambda: len(server.mails) >= 5, "mails flow", every=0.005)
        assert project.stop(runner) == 0
        rows = project.messages()
        sent = {row["message_id"].strip("<>") for row in rows if row["status"] == "sent"}
        assert sent == set(server.ids())
        assert {row["status"] for row in rows} <= {"sent", "queued"}
        project.start()
        project.wait_through("hello", 60)
        assert len(server.ids()) == len(set(server.ids())) == 60
        assert {row["status"] for row in project.messages()} == {"sent"}


def test_a_second_runner_on_the_same_store_is_refused(project):
    project.settings()
    project.write("workflows/hello.yaml", workflow("1 second"))
    first = project.start()
    project.http = free_port()
    project.settings()
    second = project.start(ready=False)
    assert second.wait(timeout=20) == 2
    assert "another runner" in project.log()
    assert first.poll() is None


def test_a_taken_port_is_refused(project):
    project.settings()
    project.write("workflows/hello.yaml", workflow("1 second"))
    with socket.create_server(("127.0.0.1", project.http)):
        runner = project.start(ready=False)
        assert runner.wait(timeout=20) == 2
    assert str(project.http) in project.log()


def test_a_folder_without_a_project_is_refused(tmp_path):
    empty = Project(tmp_path / "empty")
    for command in ("validate", "status", "run"):
        done = empty.command(command)
        assert done.returncode == 2, done.stderr
        assert "campaignd.yaml" in done.stderr


def test_a_project_that_was_never_good_does_not_run(project):
    project.settings()
    project.write("workflows/hello.yaml", "workflow: hello\nsteps: [\n")
    runner = project.start(ready=False)
    assert runner.wait(timeout=20) == 1
    assert "workflows/hello.yaml" in project.log()


def test_the_service_answers_on_its_port(project):
    project.settings()
    project.write("workflows/hello.yaml", workflow("1 second"))
    project.start()
    assert project.get("/healthz")
    sign_up(project, "ada")
    project.wait_through("hello", 1)
    metrics = project.get("/metrics")
    for name in ("campaignd_steps_total", "campaignd_messages_total", "campaignd_due_lag_seconds", "campaignd_reload_success"):
        assert name in metrics
    assert json.loads(project.succeed("status", "--format", "json"))["messages"]["sent"] == 1
