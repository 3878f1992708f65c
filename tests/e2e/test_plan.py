"""What an edit would change, seen before it is made; and runs moved by command."""

import json

import pytest

from project import eventually

WORKFLOW = """\
workflow: w
trigger: { event: signed_up }
topic: offers
steps:
  - { wait: 20 days, id: first }
  - { send: { subject: Hello, text: "Hi {{contact.id}} {{unsubscribe_url}}" }, id: hello }
"""


@pytest.fixture
def shop(project):
    project.settings(deliver="outbox:outbox/", more="contract: open", keys=["k"])
    project.write("workflows/w.yaml", WORKFLOW)
    project.runner = project.start()
    batch = [{"type": "track", "userId": f"c{n}", "event": "signed_up", "properties": {}} for n in range(7)]
    batch += [{"type": "identify", "userId": f"c{n}", "traits": {"email": f"c{n}@example.com", "n": n}} for n in range(7)]
    status, _, answer = project.ask("POST", "/v1/batch", {"batch": batch}, key="k")
    assert status == 200, answer
    eventually(lambda: project.workflow("w")["active"] == 7, "seven are inside")
    # Edits are planned in a tree of their own, as in a pull request.
    tree = project.folder.parent / "tree"
    for path in ("campaignd.yaml", "workflows/w.yaml"):
        target = tree / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text((project.folder / path).read_text())
    project.tree = tree
    project.store = project.folder / "state" / "campaignd.db"
    return project


def edit(project, old, new):
    path = project.tree / "workflows" / "w.yaml"
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def plan(project, *more, code=0):
    done = run(project, "plan", *more)
    assert done.returncode == code, done.stdout + done.stderr
    return done


def run(project, *arguments):
    """Runs a command on the tree of the pull request."""
    folder, project.folder = project.folder, project.tree
    try:
        return project.command(*arguments)
    finally:
        project.folder = folder


def planned(project, *more):
    return json.loads(plan(project, "--store", project.store, "--format", "json", *more).stdout)


def test_beside_a_runner_from_a_backup_and_over_http(shop, tmp_path):
    assert planned(shop)["unchanged"] is True
    assert "nothing changes" in plan(shop, "--store", shop.store).stdout
    edit(shop, "wait: 20 days", "wait: 0 seconds")
    here = planned(shop)
    workflow = here["workflows"][0]
    assert (workflow["name"], workflow["change"], workflow["runs"]["becomes"]) == ("w", "changed", {"at_once": 7})
    change = {"step": "first", "what": "changed", "key": "wait", "from": "20 days", "to": "0 seconds"}
    assert workflow["changes"] == [change]
    # From a backup in a folder that nobody can write to.
    (tmp_path / "ro").mkdir()
    shop.succeed("backup", tmp_path / "ro" / "copy.db")
    (tmp_path / "ro" / "copy.db").chmod(0o400)
    (tmp_path / "ro").chmod(0o500)
    done = plan(shop, "--store", tmp_path / "ro" / "copy.db", "--format", "json")
    (tmp_path / "ro").chmod(0o700)
    assert [path.name for path in (tmp_path / "ro").iterdir()] == ["copy.db"]
    there = json.loads(done.stdout)
    assert {**there, "at": None} == {**here, "at": None}
    # Over HTTP, with the key.
    url = f"http://127.0.0.1:{shop.http}"
    refused = plan(shop, "--url", url, code=2)
    assert "write key" in refused.stderr
    (tmp_path / "key").write_text("k\n")
    asked = json.loads(plan(shop, "--url", url, "--key-file", tmp_path / "key", "--format", "json").stdout)
    assert {**asked, "at": None} == {**here, "at": None}
    # And that is what happens.
    assert shop.messages("sent") == []
    shop.write("workflows/w.yaml", (shop.tree / "workflows" / "w.yaml").read_text())
    shop.wait_through("w", 7)
    assert len(shop.messages("sent")) == 7


def test_strict_stops_lost_steps_and_large_audiences(shop):
    edit(shop, "id: first", "id: other")
    plan(shop, "--store", shop.store)
    done = plan(shop, "--store", shop.store, "--strict", "--format", "markdown", code=1)
    assert "7 runs lose their step" in done.stderr and "[!WARNING]" in done.stdout
    edit(shop, "topic: offers\n", "topic: offers\nmoved: { first: other }\n")
    plan(shop, "--store", shop.store, "--strict")
    sale = "workflow: sale\ntrigger: { at: 2099-01-01T09:00 }\naudience: { contact.n: { below: 5 } }\ntopic: offers\nsteps: [ { send: sale } ]\n"
    (shop.tree / "workflows" / "sale.yaml").write_text(sale)
    (shop.tree / "templates").mkdir()
    (shop.tree / "templates" / "sale.txt.hbs").write_text("---\nsubject: Sale\n---\nNow. {{unsubscribe_url}}\n")
    plan(shop, "--store", shop.store, "--strict", "--max-audience", "5")
    done = plan(shop, "--store", shop.store, "--strict", "--max-audience", "4", code=1)
    assert "sale: 5 people" in done.stderr


def test_errors_in_the_tree_and_no_store(shop, tmp_path):
    done = plan(shop)
    assert "everything is new" in done.stdout
    done = plan(shop, "--store", tmp_path / "none.db", code=2)
    assert "no store" in done.stderr
    edit(shop, "wait: 20 days", "wait: 20 moons")
    done = plan(shop, "--store", shop.store, code=1)
    assert "20 moons" in done.stderr


def test_markdown_fits_into_a_comment(shop):
    long = "\n".join(f"  - {{ record: event_{n}_with_a_name_that_is_long_enough_to_fill_a_page }}" for n in range(1500))
    for name in "abcde":
        text = f"workflow: {name}\ntrigger: {{ event: signed_up }}\nsteps:\n{long}\n"
        (shop.tree / "workflows" / f"{name}.yaml").write_text(text)
    edit(shop, "steps:\n", f"steps:\n{long}\n")
    out = plan(shop, "--store", shop.store, "--format", "markdown").stdout
    assert len(out) <= 65_000 and "do not fit here" in out and "| changed | `w` |" in out


def test_migrate_moves_what_an_edit_left_behind(shop):
    hash_before = shop.status()["definitions"]["hash"]
    shop.write("workflows/w.yaml", WORKFLOW.replace("wait: 20 days, id: first", "wait: 1 second, id: soon"))
    eventually(lambda: shop.status()["definitions"]["hash"] != hash_before, "the edit is in force")
    eventually(lambda: shop.command("migrate", "w", "--to", "soon", "--dry-run").returncode == 0, "the new step is known")
    nowhere = shop.command("migrate", "w", "--dry-run")
    assert nowhere.returncode == 1 and "first: stay" in nowhere.stdout and "7 would stay" in nowhere.stdout
    wrong = shop.command("migrate", "w", "--map", "first=never")
    assert wrong.returncode == 2 and "no step `never`" in wrong.stderr
    assert shop.command("migrate", "w", "--map", "first").returncode == 2
    assert shop.command("migrate", "none").returncode == 2
    assert shop.workflow("w")["active"] == 7
    out = shop.succeed("migrate", "w", "--map", "first=soon")
    assert "go to soon" in out and "7 are moved" in out
    shop.wait_through("w", 7)
    assert len(shop.messages("sent")) == 7
    assert "nobody inside is under an older" in shop.succeed("migrate", "w", "--map", "first=soon")
