"""Journey tests as people write and run them: what they say, how they end, and that nothing else is touched."""

import json
import os
import re
import shutil
import xml.etree.ElementTree

import pytest

from project import ROOT, Project

WORKFLOW = """\
workflow: hello
trigger: { event: signed_up }
topic: offers
steps:
  - send: hello
  - wait: 1 day
  - branch:
      - when: { contact.country: DE }
        steps: [ { send: hello, id: again } ]
"""

TEMPLATE = '---\nsubject: "Hello {{default contact.name \\"you\\"}}"\n---\n<p>Good day.</p><p><a href="{{unsubscribe_url}}">No more</a></p>\n'

TESTS = """\
workflow: hello
start: 2026-03-28T12:00:00+00:00
tests:
  - name: a reader
    given: { contact: { id: ada, email: ada@example.com, name: Ada } }
    timeline: [ { at: 0m, event: signed_up } ]
    expect:
      - { at: 0m, send: hello, subject: Hello Ada }
      - { at: 24h, exit: completed }
"""


@pytest.fixture
def tested(project):
    project.settings()
    project.write("workflows/hello.yaml", WORKFLOW)
    project.write("templates/hello.html.hbs", TEMPLATE)
    project.write("tests/hello.test.yaml", TESTS)
    return project


def outcome(project, *arguments, code=0):
    done = project.command("test", *arguments)
    assert done.returncode == code, f"exit {done.returncode}\n{done.stdout}\n{done.stderr}"
    return done


def as_json(project, *arguments, code=0):
    return json.loads(outcome(project, *arguments, "--format", "json", code=code).stdout)


def files_under(folder):
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def test_the_shipped_campaigns_pass_and_are_covered(tmp_path):
    project = Project(tmp_path / "shop")
    for folder in ["workflows", "templates", "schemas"]:
        shutil.copytree(ROOT / folder, project.folder / folder)
    shutil.copy(ROOT / "campaignd.yaml", project.folder)
    (project.folder / "tests").mkdir()
    for path in (ROOT / "tests").glob("*.test.yaml"):
        shutil.copy(path, project.folder / "tests")
    before = files_under(project.folder)
    told = as_json(project, "--min-coverage", "100%")
    assert (told["failed"], told["diagnostics"], told["coverage"]["percent"]) == (0, [], 100.0)
    assert told["passed"] == len(told["tests"]) > 20
    assert {test["workflow"] for test in told["tests"]} == {"birthday", "cart-recovery", "newsletter", "welcome", "win-back"}
    assert files_under(project.folder) == before, "nothing is written"


def test_the_example_of_the_language_works_word_for_word(tmp_path):
    page = (ROOT / "docs" / "language.md").read_text()
    example = re.search(r"```yaml\n(# tests/cart-recovery\.test\.yaml\n.*?)```", page, re.DOTALL).group(1)
    project = Project(tmp_path / "shop")
    for folder in ["workflows", "templates", "schemas"]:
        shutil.copytree(ROOT / folder, project.folder / folder)
    shutil.copy(ROOT / "campaignd.yaml", project.folder)
    project.write("tests/cart-recovery.test.yaml", example)
    told = as_json(project)
    assert [test["status"] for test in told["tests"]] == ["passed", "passed"]
    assert project.command("validate", "--deny-warnings").returncode == 0


def test_a_failure_is_shown_at_its_line(tested):
    tested.write("tests/hello.test.yaml", TESTS.replace("at: 24h", "at: 25h").replace("Hello Ada", "Goodbye"))
    done = outcome(tested, code=1)
    assert "--> tests/hello.test.yaml:8:9" in done.stdout
    assert "its subject is “Hello Ada”, in which “Goodbye” does not stand" in done.stdout
    assert "it came at 1d, not at 1d 1h" in done.stdout
    assert "expected" in done.stdout and "actual" in done.stdout
    assert "no test reaches workflows/hello.yaml:9: again" in done.stdout
    assert "\x1b" not in done.stdout
    test = as_json(tested, code=1)["tests"][0]
    assert [(problem["line"], problem["column"]) for problem in test["problems"]] == [(8, 9), (9, 9)]
    assert [row["verdict"] for row in test["timeline"]] == ["beside", "differs", "beside", "beside", "differs"]


def test_junit_is_what_reporters_read(tested):
    tested.write("tests/other.test.yaml", TESTS.replace("24h", "25h").replace("a reader", 'a "reader" & <more>'))
    tested.write("tests/broken.test.yaml", TESTS.replace("hello", "helo", 1))
    document = xml.etree.ElementTree.fromstring(outcome(tested, "--format", "junit", code=1).stdout)
    assert document.tag == "testsuites"
    assert {key: document.get(key) for key in ["tests", "failures", "errors"]} == {"tests": "3", "failures": "1", "errors": "1"}
    cases = {case.get("file"): case for case in document.iter("testcase")}
    assert cases["tests/hello.test.yaml"].find("failure") is None
    failed = cases["tests/other.test.yaml"]
    assert (failed.get("name"), failed.get("classname"), failed.get("line")) == ('a "reader" & <more>', "hello", "4")
    assert "tests/other.test.yaml:9:9: it came at 1d, not at 1d 1h" in failed.find("failure").text
    assert "unknown-workflow" in cases["tests/broken.test.yaml"].find("error").text
    assert float(document.get("time")) >= 0


def test_a_filter_chooses(tested):
    tested.write("tests/more.test.yaml", TESTS.replace("a reader", "somebody else"))
    for part, names in [("reader", ["a reader"]), ("MORE.test", ["somebody else"]), ("hello", ["a reader", "somebody else"])]:
        assert [test["name"] for test in as_json(tested, part)["tests"]] == names
    assert as_json(tested, "reader")["coverage"] is None
    assert as_json(tested, "reader", "--coverage")["coverage"]["percent"] < 100
    done = outcome(tested, "raeder", code=2)
    assert "did you mean `reader`?" in done.stderr


def test_coverage_can_be_asked_for(tested):
    assert outcome(tested, "--min-coverage", "50%").returncode == 0
    done = outcome(tested, "--min-coverage", "90", "--coverage", code=1)
    assert "3 of 4" in done.stdout and "1 of 2" in done.stdout and "--min-coverage asks for 90%" in done.stderr
    outcome(tested, "--min-coverage", "much", code=2)


def test_snapshots_are_written_when_they_are_meant_to(tested):
    tested.write("tests/hello.test.yaml", TESTS.replace("subject: Hello Ada", "snapshot: first"))
    path = "tests/snapshots/hello/first.txt"
    assert "there is no snapshot " + path in outcome(tested, code=1).stdout
    assert as_json(tested, "--update")["snapshots"] == {"written": [path], "stale": []}
    kept = (tested.folder / path).read_text()
    assert "Subject: Hello Ada" in kept and "/u/TOKEN" in kept
    assert as_json(tested)["snapshots"] == {"written": [], "stale": []}
    tested.write("templates/hello.html.hbs", TEMPLATE.replace("Good day", "Good night"))
    assert "was “Good day.” and is “Good night.”" in outcome(tested, code=1).stdout
    tested.write("tests/hello.test.yaml", TESTS)
    assert "no test looks at " + path in outcome(tested).stdout


def test_a_broken_file_of_tests_stops_neither_the_others_nor_the_runner(tested):
    tested.write("tests/broken.test.yaml", TESTS + "      - { at: 2h, send: helo }\n")
    told = as_json(tested, code=1)
    assert told["passed"] == 1
    assert {found["code"] for found in told["diagnostics"]} == {"test-order", "unknown-template"}
    done = tested.command("validate", "--format", "short")
    assert done.returncode == 1 and "tests/broken.test.yaml:10:25: error[unknown-template]" in done.stdout
    tested.start()
    status = json.loads(tested.succeed("status", "--format", "json"))
    assert status["definitions"]["diagnostics"] == [] and not status["definitions"]["stale"]
    loaded = status["definitions"]["hash"]
    tested.write("tests/hello.test.yaml", "[")
    tested.write("templates/hello.html.hbs", TEMPLATE.replace("Good day", "Good night"))

    def reloaded():
        now = json.loads(tested.succeed("status", "--format", "json"))["definitions"]
        return now if now["hash"] != loaded else None

    from project import eventually

    assert not eventually(reloaded, "the template is taken up")["stale"]


def test_hostile_files_of_tests(tested):
    for name, text in {
        "empty": "",
        "brackets": "[" * 100_000,
        "binary": bytes(range(256)),
        "no-name": "workflow: hello\nstart: 2026-01-01\ntests: [{}]\n",
        "far": TESTS.replace("24h", "99999999999999 days"),
        "long": TESTS.replace("Hello Ada", "x" * 100_000),
        "types": "workflow: [1]\nstart: {}\ntests: 7\n",
    }.items():
        tested.write("tests/hostile.test.yaml", text)
        done = tested.command("test", within=20)
        assert done.returncode == 1, name
        assert "panicked" not in done.stderr, name


def test_no_tests_at_all(tested):
    os.remove(tested.folder / "tests" / "hello.test.yaml")
    assert "there are no tests" in outcome(tested).stdout
    assert as_json(tested)["tests"] == []
