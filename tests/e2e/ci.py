"""Hosts of repositories, as far as their checks of changes need them: what runs an action's steps, what runs a job's script."""

import http.server
import json
import os
import pathlib
import re
import subprocess
import threading
import urllib.parse

import yaml

from project import PROGRAM, ROOT

ACTION = ROOT / "packaging/github-action/action.yml"
TEMPLATE = ROOT / "packaging/gitlab/campaignd.gitlab-ci.yml"


def without_campaignd(folder):
    """An environment in which programs are found, but no campaignd."""
    return {"PATH": "/usr/local/bin:/usr/bin:/bin", "HOME": str(folder), "LC_ALL": "C.UTF-8"}


def with_campaignd(folder):
    """The same with the campaignd that is tested on PATH."""
    bin_folder = pathlib.Path(folder) / "bin"
    bin_folder.mkdir(exist_ok=True)
    if not (bin_folder / "campaignd").exists():
        (bin_folder / "campaignd").symlink_to(PROGRAM.resolve())
    base = without_campaignd(folder)
    return base | {"PATH": f"{bin_folder}:{base['PATH']}"}


class Action:
    """Runs the steps of a composite action the way GitHub's runner does."""

    def __init__(self, workspace, temp, environment, inputs=None, pull_request=""):
        self.workspace = workspace
        self.temp = pathlib.Path(temp)
        self.temp.mkdir()
        self.action = yaml.safe_load(ACTION.read_text())
        unknown = set(inputs or {}) - set(self.action["inputs"])
        assert not unknown, f"the action has no inputs {unknown}"
        self.inputs = {name: about["default"] for name, about in self.action["inputs"].items()} | (inputs or {})
        self.pull_request = pull_request
        self.environment = environment | {
            "RUNNER_TEMP": str(self.temp),
            "GITHUB_PATH": str(self.temp / "path"),
            "GITHUB_STEP_SUMMARY": str(self.temp / "summary.md"),
            "GITHUB_REPOSITORY": "spring/campaigns",
        }
        (self.temp / "path").touch()
        self.outcomes = {}
        self.output = {}

    def value(self, expression):
        """What an expression between `${{` and `}}` comes to."""
        known = {f"inputs.{name}": value for name, value in self.inputs.items()}
        known |= {"github.event.pull_request.number": self.pull_request, "github.token": "the-job's-token"}
        return known[expression]

    def holds(self, condition):
        """Whether a step's `if` holds. Nothing but terms joined by && is understood."""
        for term in condition.removeprefix("${{").removesuffix("}}").split("&&"):
            term = term.strip()
            if term == "!cancelled()":
                continue
            left, right = (side.strip() for side in term.split("=="))
            step = re.fullmatch(r"steps\.(\w+)\.outcome", left)
            actual = self.outcomes.get(step[1], "skipped") if step else self.value(left)
            if actual != right.strip("'"):
                return False
        return True

    def run(self):
        """Runs the steps, and says whether the job is fine."""
        failed = False
        for step in self.action["runs"]["steps"]:
            assert step["shell"] == "bash"
            if not (self.holds(step["if"]) if "if" in step else not failed):
                self.outcomes[step["id"]] = "skipped"
                continue
            given = {
                name: re.sub(r"\$\{\{ (.*?) \}\}", lambda found: self.value(found[1]), str(text))
                for name, text in step.get("env", {}).items()
            }
            found = (self.temp / "path").read_text().split()
            path = ":".join([*reversed(found), self.environment["PATH"]])
            done = subprocess.run(
                ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", step["run"]],
                cwd=self.workspace, env=self.environment | given | {"PATH": path},
                stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=120, check=False,
            )
            self.output[step["id"]] = done.stdout + done.stderr
            self.outcomes[step["id"]] = "success" if done.returncode == 0 else "failure"
            failed |= done.returncode != 0
        return not failed


def run_job(name, folder, environment, variables=None):
    """Runs a job of the GitLab template the way GitLab's runner does: exit code, output."""
    template = yaml.safe_load(TEMPLATE.read_text())
    job = template[template[name]["extends"]] | template[name]
    script = "\n".join([*job["before_script"], *job["script"]])
    given = template["variables"] | {"CI_PROJECT_DIR": str(folder)} | (variables or {})
    done = subprocess.run(
        ["bash", "-eo", "pipefail", "-c", script], cwd=folder, env=environment | given,
        stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=120, check=False,
    )
    return done.returncode, done.stdout + done.stderr


class GitLab:
    """The notes of one merge request, over GitLab's interface."""

    def __init__(self):
        self.notes = [{"id": 1, "body": "Looks good to me."}]
        self.asked = []
        notes, asked = self.notes, self.asked

        class Handler(http.server.BaseHTTPRequestHandler):
            def answer(self):
                asked.append((self.command, self.path, self.headers.get("PRIVATE-TOKEN")))
                form = urllib.parse.parse_qs(self.rfile.read(int(self.headers.get("Content-Length", 0))).decode())
                if self.command == "POST":
                    notes.append({"id": len(notes) + 1, "body": form["body"][0]})
                elif self.command == "PUT":
                    notes[int(self.path.rsplit("/", 1)[1]) - 1]["body"] = form["body"][0]
                text = json.dumps(notes).encode()
                self.send_response(200)
                self.send_header("Content-Length", str(len(text)))
                self.end_headers()
                self.wfile.write(text)

            do_GET = do_POST = do_PUT = answer

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/api/v4"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def end(self):
        self.server.shutdown()
        self.server.server_close()


# Stands in for GitHub's own client: keeps the comments in a file, and understands the three calls that the action makes.
GH = r'''#!/usr/bin/env python3
import json, os, pathlib, sys
kept = pathlib.Path(os.environ["HOME"]) / "comments.json"
comments = json.loads(kept.read_text()) if kept.exists() else [{"id": 7, "body": "Looks good to me."}]
given = sys.argv[1:]
assert given[0] == "api" and os.environ["GH_TOKEN"], given
fields = [given[at + 1] for at, word in enumerate(given) if word == "--field"]
method = given[given.index("--method") + 1] if "--method" in given else "GET"
path = next(word for word in given[1:] if word.startswith("repos/"))
if method == "GET":
    assert path == "repos/spring/campaigns/issues/12/comments" and "startswith" in given[given.index("--jq") + 1]
    print("\n".join(str(comment["id"]) for comment in comments if comment["body"].startswith("<!-- campaignd plan -->")))
    sys.exit()
[field] = fields
body = pathlib.Path(field.removeprefix("body=@")).read_text()
if method == "POST":
    assert path == "repos/spring/campaigns/issues/12/comments"
    comments.append({"id": 8, "body": body})
else:
    assert (method, path) == ("PATCH", "repos/spring/campaigns/issues/comments/8")
    comments[-1]["body"] = body
kept.write_text(json.dumps(comments))
'''


def add_gh(folder):
    """Puts the stand-in for `gh` beside the campaignd of `with_campaignd`; gives the comments made so far, when called."""
    program = pathlib.Path(folder) / "bin" / "gh"
    program.write_text(GH)
    program.chmod(0o755)
    kept = pathlib.Path(folder) / "comments.json"
    return lambda: [comment["body"] for comment in json.loads(kept.read_text())] if kept.exists() else []


def git(folder, *arguments, environment=None, check=True):
    """Runs git in a folder, with nothing of this machine's configuration."""
    identity = {"GIT_AUTHOR_NAME": "Ada", "GIT_AUTHOR_EMAIL": "ada@example.com", "GIT_COMMITTER_NAME": "Ada",
                "GIT_COMMITTER_EMAIL": "ada@example.com", "GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CONFIG_SYSTEM": "/dev/null"}
    return subprocess.run(
        ["git", *arguments], cwd=folder, env=(environment or dict(os.environ)) | identity,
        stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=120, check=check,
    )
