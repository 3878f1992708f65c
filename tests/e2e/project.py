"""A project in a folder, and the real program run on it."""

import base64
import http.client
import json
import os
import pathlib
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parents[2]
PROGRAM = pathlib.Path(os.environ.get("CAMPAIGND", ROOT / "target" / "release" / "campaignd"))


def eventually(condition, what, within=30.0, every=0.05):
    """Asks again and again until the answer is true, and gives it; fails after `within` seconds."""
    until = time.monotonic() + within
    while True:
        answer = condition()
        if answer:
            return answer
        if time.monotonic() > until:
            raise AssertionError(f"not within {within} s: {what} (last answer: {answer!r})")
        time.sleep(every)


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Project:
    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        self.folder.mkdir(parents=True)
        self.http = free_port()
        self.runners = []

    # Files

    def write(self, path, text):
        """Writes a file of the project, the way editors do: beside it first, then in its place."""
        target = self.folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        beside = target.with_name(f".{target.name}.new")
        beside.write_bytes(text if isinstance(text, bytes) else text.encode())
        beside.replace(target)
        return target

    def settings(self, deliver="outbox:outbox/", connections=4, more="", channel_more="", keys=()):
        self.write(
            "campaignd.yaml",
            f"""\
project: test
time_zone: UTC
url: https://mail.shop.example
store: sqlite:state/campaignd.db
channels:
  email:
    from: Shop <hello@shop.example>
    deliver: {deliver}
    connections: {connections}
    retry: {{ first: 1 second, most: 2 seconds, for: 2 days }}
{channel_more}
topics:
  offers: {{ default: subscribed }}
http: {{ listen: "127.0.0.1:{self.http}", keys: {json.dumps(list(keys))} }}
{more}
""",
        )

    def lines(self, path, rows):
        """Writes JSON Lines."""
        return self.write(path, "".join(json.dumps(row) + "\n" for row in rows))

    # The program

    def command(self, *arguments, within=60):
        """Runs a command to its end."""
        return subprocess.run(
            [PROGRAM, *arguments, "--project", self.folder],
            stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=within, check=False,
        )

    def succeed(self, *arguments, within=60):
        """Runs a command that must end with 0, and gives what it printed."""
        done = self.command(*arguments, within=within)
        assert done.returncode == 0, f"{arguments}: exit {done.returncode}\n{done.stdout}\n{done.stderr}"
        return done.stdout

    def start(self, ready=True):
        """Starts the daemon; its log goes to a file beside the project."""
        log = open(self.folder.parent / f"runner-{len(self.runners)}.log", "wb")
        runner = subprocess.Popen(
            [PROGRAM, "run", "--project", self.folder],
            stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT,
        )
        log.close()
        self.runners.append(runner)
        if ready:
            eventually(lambda: self.is_ready(runner), "the runner is ready", every=0.01)
        return runner

    def is_ready(self, runner):
        assert runner.poll() is None, f"the runner ended with {runner.returncode}:\n{self.log()}"
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.http}/readyz", timeout=5) as answer:
                return answer.status == 200
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            return False

    def get(self, path):
        with urllib.request.urlopen(f"http://127.0.0.1:{self.http}{path}", timeout=5) as answer:
            return answer.read().decode()

    def ask(self, method, path, body=None, key=None, headers=None):
        """Sends one request; gives the status, the headers, and the answer, read where it is JSON. `body` is bytes, or becomes JSON."""
        given = dict(headers or {})
        if key is not None:
            given.setdefault("Authorization", "Basic " + base64.b64encode(f"{key}:".encode()).decode())
        if body is not None and not isinstance(body, bytes):
            body = json.dumps(body).encode()
            given.setdefault("Content-Type", "application/json")
        connection = http.client.HTTPConnection("127.0.0.1", self.http, timeout=60)
        try:
            connection.request(method, path, body, given)
            answer = connection.getresponse()
            text = answer.read()
            is_json = answer.headers.get_content_type() == "application/json"
            return answer.status, answer.headers, json.loads(text) if is_json else text
        finally:
            connection.close()

    def log(self):
        """What the latest runner has logged."""
        return (self.folder.parent / f"runner-{len(self.runners) - 1}.log").read_text(errors="replace")

    def stop(self, runner, within=30):
        """Asks a runner to end, and gives its exit code."""
        runner.send_signal(signal.SIGTERM)
        return runner.wait(timeout=within)

    def end(self):
        """Ends what the test left running."""
        for runner in self.runners:
            if runner.poll() is None:
                runner.kill()
                runner.wait(timeout=30)

    # What it says

    def status(self):
        return json.loads(self.succeed("status", "--format", "json"))

    def workflow(self, name):
        """The workflow's part of the status."""
        return next((row for row in self.status()["workflows"] if row["name"] == name), None)

    def messages(self, status=None):
        chosen = ["--status", status] if status else []
        out = self.succeed("messages", *chosen, "--format", "jsonl")
        return [json.loads(line) for line in out.splitlines()]

    def through(self, workflow, count):
        """So many have entered the workflow, nobody is inside any more, and no message waits to be sent."""
        status = self.status()
        rows = {row["name"]: row for row in status["workflows"]}
        unfinished = sum(status["messages"].get(state, 0) for state in ("queued", "sending"))
        return unfinished == 0 and rows[workflow]["entered"] == count and rows[workflow]["active"] == 0

    def wait_through(self, workflow, count, within=40):
        eventually(lambda: self.through(workflow, count), f"{count} are through {workflow}", within=within)
