"""Copies of a store that is in use."""

import os
import sqlite3
import stat
import threading

import pytest

from project import Project, eventually

WORKFLOW = """\
workflow: w
trigger: { event: signed_up }
topic: offers
steps: [ { wait: 1 second }, { send: { subject: Hello, text: "Hi {{contact.id}} {{unsubscribe_url}}" }, id: hello } ]
"""


@pytest.fixture
def shop(project):
    project.settings(deliver='"null:"', more="contract: open", keys=["k"])
    project.write("workflows/w.yaml", WORKFLOW)
    return project


def sign_up(project, numbers):
    batch = [{"type": "track", "userId": f"c{n}", "event": "signed_up", "properties": {}} for n in numbers]
    status, _, answer = project.ask("POST", "/v1/batch", {"batch": batch}, key="k")
    assert status == 200, answer


def test_a_copy_under_load_is_whole_and_runs(shop, tmp_path):
    shop.start()
    done = threading.Event()

    def load():
        for begin in range(0, 40_000, 100):
            if done.is_set():
                return
            sign_up(shop, range(begin, begin + 100))

    loading = threading.Thread(target=load)
    loading.start()
    try:
        counts = []
        for number in range(3):
            eventually(lambda: (shop.workflow("w") or {}).get("entered", 0) > 200 * (number + 1), "some have entered")
            copy = tmp_path / f"copy-{number}.db"
            out = shop.succeed("backup", copy)
            assert "checked" in out
            assert stat.S_IMODE(copy.stat().st_mode) == 0o600
            with sqlite3.connect(f"file:{copy}?mode=ro", uri=True) as store:
                assert store.execute("PRAGMA integrity_check").fetchone() == ("ok",)
                assert store.execute("PRAGMA journal_mode").fetchone() == ("delete",)
                counts.append(store.execute("SELECT count(*) FROM runs").fetchone()[0])
        assert 200 < counts[0] < counts[1] < counts[2]
    finally:
        done.set()
        loading.join()
    assert sorted(path.name for path in tmp_path.iterdir() if "part" in path.name) == []
    # A runner goes on from it.
    other = Project(tmp_path / "other")
    other.settings(deliver='"null:"', more="contract: open", keys=["k"])
    other.write("workflows/w.yaml", WORKFLOW)
    (other.folder / "state").mkdir()
    os.replace(tmp_path / "copy-2.db", other.folder / "state" / "campaignd.db")
    try:
        other.start()
        other.wait_through("w", counts[2])
    finally:
        other.end()


def test_takes_no_files_place(shop, tmp_path):
    store = shop.folder / "state" / "campaignd.db"
    nothing = shop.command("backup", tmp_path / "copy.db")
    assert nothing.returncode == 2 and "nothing to back up" in nothing.stderr
    shop.stop(shop.start())
    copy = tmp_path / "copy.db"
    copy.write_text("mine")
    refused = shop.command("backup", copy)
    assert refused.returncode == 2 and "--force" in refused.stderr
    assert copy.read_text() == "mine"
    before = {path.name: path.stat().st_mtime_ns for path in store.parent.iterdir()}
    shop.succeed("backup", copy, "--force")
    assert copy.read_bytes().startswith(b"SQLite format 3")
    assert {path.name: path.stat().st_mtime_ns for path in store.parent.iterdir()} == before
    itself = shop.command("backup", store, "--force")
    assert itself.returncode == 2 and "the store itself" in itself.stderr
    # What was accepted last may stand only there.
    for beside in ["-wal", "-shm", ".lock"]:
        path = store.parent / (store.name + beside)
        path.touch()
        before = path.read_bytes()
        refused = shop.command("backup", path, "--force")
        assert refused.returncode == 2 and "the store itself" in refused.stderr, beside
        assert path.read_bytes() == before, beside
    nowhere = shop.command("backup", tmp_path / "no" / "copy.db")
    assert nowhere.returncode == 2, nowhere
