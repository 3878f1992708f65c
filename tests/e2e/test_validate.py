"""What is wrong in a file is a diagnostic at its place, quickly, whatever the file holds."""

import json
import os
import re
import shutil
import time

import pytest

from project import ROOT, Project

GOOD = """\
workflow: hello
trigger: { event: signed_up }
topic: offers
steps:
  - send: { subject: Hello, text: "Hello. {{unsubscribe_url}}" }
"""


def bomb(levels=30):
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    for level in range(1, levels):
        references = ", ".join([f"*a{level - 1}"] * 9)
        lines.append(f"a{level}: &a{level} [{references}]")
    return "\n".join(lines) + "\n" + GOOD


BROKEN = {
    "brackets": "[" * 100_000,
    "braces": "workflow: " + "{a: " * 100_000,
    "bomb": bomb(),
    "binary": bytes(range(256)) * 64,
    "not-utf8": "workflow: caf\u00e9\n".encode("latin-1"),
    "duplicate-key": GOOD + "topic: offers\n",
    "tag": GOOD.replace("hello", "!!python/object:os.system hello", 1),
    "two-megabytes": GOOD + "# " + "x" * 2_000_000,
    "tabs": "workflow: hello\n\tsteps: []\n",
    "list": "- workflow\n- hello\n",
    "deep": "workflow: hello\nsteps:\n" + "".join("  " * depth + "- repeat:\n" for depth in range(1, 2_000)),
    "long-line": "workflow: " + "x" * 900_000,
    "quote": 'workflow: "hello\n',
    "nul": "workflow: hel\x00lo\n",
    "unknown-verb": GOOD.replace("send:", "sned:"),
    "unknown-topic": GOOD.replace("topic: offers", "topic: ofers"),
    "empty": "",
}


def validate(project):
    began = time.monotonic()
    done = project.command("validate", "--format", "json")
    took = time.monotonic() - began
    return done, took


@pytest.mark.parametrize("name", BROKEN)
def test_broken_files_are_reported_at_their_place(project, name):
    project.settings()
    project.write("workflows/good.yaml", GOOD.replace("hello", "good"))
    project.write("workflows/broken.yaml", BROKEN[name])
    done, took = validate(project)
    assert took < 2, f"{took:.1f} s"
    found = json.loads(done.stdout)
    assert done.returncode == 1, done.stderr
    errors = [row for row in found if row["severity"] == "error"]
    assert errors and all(row["file"] == "workflows/broken.yaml" for row in errors)
    for row in errors:
        assert row["code"] and row["message"]
        assert row["line"] >= 1 and row["column"] >= 1
        assert (row["end_line"], row["end_column"]) >= (row["line"], row["column"])
        assert len(row["message"]) < 2_000


def test_one_file_is_told_of_alone(project):
    project.settings()
    project.write("workflows/good.yaml", GOOD.replace("hello", "good"))
    project.write("workflows/broken.yaml", BROKEN["unknown-topic"])
    broken = project.folder / "workflows" / "broken.yaml"
    done = project.command("validate", broken, "--format", "json")
    assert (done.returncode, [row["code"] for row in json.loads(done.stdout)]) == (1, ["unknown-topic"])
    done = project.command("validate", project.folder / "workflows" / "good.yaml", "--format", "json")
    assert (done.returncode, json.loads(done.stdout)) == (0, [])
    project.write("notes.txt", "nothing")
    done = project.command("validate", project.folder / "notes.txt")
    assert done.returncode == 2 and "no file of the project" in done.stderr, done.stderr


def test_what_would_take_long_is_refused_at_its_place(project):
    project.settings()
    patterns = ",\n".join(f'"a{number}": {{ "type": "string", "pattern": "(\\\\p{{L}}{{90}}){number}" }}' for number in range(3_000))
    project.write("schemas/contact.schema.json", '{ "properties": {\n' + patterns + "\n} }")
    rules = "".join(f"p.a{number} {{ color: red }}\n" for number in range(2_500))
    paragraphs = "<p class='a7'>x</p>" * 3_000
    page = f"<html><head><style>{rules}</style></head><body>{paragraphs}</body></html>"
    project.write("templates/many.html.hbs", f"---\nsubject: Hello\n---\n{page}")
    done, took = validate(project)
    assert took < 2, f"{took:.1f} s"
    found = {(row["code"], row["file"], row["line"]) for row in json.loads(done.stdout)}
    assert ("invalid-contract", "schemas/contact.schema.json", 2) in found, found
    assert any(code == "styles-not-inlined" and file == "templates/many.html.hbs" for code, file, _ in found), found


def test_a_misspelt_name_is_answered_with_the_right_one(project):
    project.settings()
    project.write("workflows/broken.yaml", BROKEN["unknown-topic"])
    done, _ = validate(project)
    row = json.loads(done.stdout)[0]
    assert (row["code"], row["line"]) == ("unknown-topic", 3)
    assert "offers" in row["help"]


def test_links_out_of_the_project_are_refused(project, tmp_path):
    project.settings()
    outside = tmp_path / "secret.yaml"
    outside.write_text(GOOD)
    (project.folder / "workflows").mkdir()
    os.symlink(outside, project.folder / "workflows" / "link.yaml")
    done, _ = validate(project)
    assert done.returncode == 1
    assert json.loads(done.stdout)[0]["file"] == "workflows/link.yaml"


def test_broken_templates_are_reported_at_their_place(project):
    project.settings()
    project.write("workflows/good.yaml", GOOD.replace('{ subject: Hello, text: "Hello. {{unsubscribe_url}}" }', "hello"))
    for text in ("{{#if", "{{#each x}}", "{{" * 50_000, "{{#if contact.id}}" * 3_000, "{{> nobody}}", "{{nope}}"):
        project.write("templates/hello.html.hbs", f"---\nsubject: Hello\n---\n{text}")
        done, took = validate(project)
        assert done.returncode == 1, text[:40]
        assert took < 2, f"{text[:40]}: {took:.1f} s"
        assert any(row["file"] == "templates/hello.html.hbs" for row in json.loads(done.stdout)), text[:40]


def test_wrong_settings_are_a_diagnostic_too(project):
    project.write("campaignd.yaml", "project: test\ntime_zone: Europe/Berln\n")
    done, _ = validate(project)
    assert done.returncode == 1, done.stderr
    assert json.loads(done.stdout)[0]["file"] == "campaignd.yaml"


def test_a_piped_report_has_no_colours_and_a_broken_pipe_is_quiet(project):
    project.settings()
    project.write("workflows/broken.yaml", BROKEN["unknown-verb"])
    done = project.command("validate")
    assert done.returncode == 1
    assert "\x1b[" not in done.stdout + done.stderr
    assert "workflows/broken.yaml" in done.stdout + done.stderr


def test_the_shipped_project_is_good():
    shipped = Project.__new__(Project)
    shipped.folder = ROOT
    done = shipped.command("validate", "--format", "json", "--deny-warnings")
    assert (done.returncode, json.loads(done.stdout)) == (0, [])


def test_the_first_campaign_of_the_readme_is_good(project):
    for part in ("campaignd.yaml", "workflows", "templates", "schemas"):
        copy = shutil.copytree if (ROOT / part).is_dir() else shutil.copy
        copy(ROOT / part, project.folder / part)
    example = re.search(r"```yaml\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
    project.write("workflows/thanks.yaml", example.group(1))
    done = project.command("validate", "--format", "json", "--deny-warnings")
    assert (done.returncode, json.loads(done.stdout)) == (0, [])
