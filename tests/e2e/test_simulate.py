"""Simulations of the shipped project with people made up: the same every time, the same again from files, and a report that people can read."""

import collections
import datetime
import html.parser
import json
import os
import re
import shutil
import subprocess

import pytest
from playwright.sync_api import sync_playwright

from project import PROGRAM, ROOT

AXE = ROOT / "target" / "node" / "node_modules" / "axe-core" / "axe.min.js"
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
SPAN = ["--from", "2026-02-01", "--until", "2026-04-15"]
WORKFLOWS = ["birthday", "cart-recovery", "newsletter", "welcome", "win-back"]


def simulate(*arguments, expected=0):
    done = subprocess.run(
        [PROGRAM, "simulate", "--project", ROOT, *SPAN, *arguments],
        stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=120, check=False,
    )
    assert done.returncode == expected, done.stderr
    return done.stderr if expected else done.stdout


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """The shipped audience, with fewer people."""
    folder = tmp_path_factory.mktemp("simulated")
    text = (ROOT / "tests" / "audience.yaml").read_text()
    text, count = re.subn(r"at_start: \d+", "at_start: 120", text)
    assert count == 1
    (folder / "audience.yaml").write_text(text)
    return folder


@pytest.fixture(scope="module")
def lines(folder):
    """What happened, and the same people and events as files."""
    written = ["--write-contacts", folder / "people.jsonl", "--write-events", folder / "events.jsonl"]
    return simulate("--audience", folder / "audience.yaml", "--seed", "3", "--format", "jsonl", *written)


@pytest.fixture(scope="module")
def page(folder):
    out = folder / "report.html"
    simulate("--audience", folder / "audience.yaml", "--seed", "3", "--format", "html", "--out", out)
    return out


def sent(lines):
    rows = map(json.loads, lines.splitlines())
    return [row for row in rows if row["kind"] == "send" and row["status"] == "sent"]


def test_every_campaign_has_something_to_do(lines):
    by_workflow = collections.Counter(row["workflow"] for row in sent(lines))
    assert sorted(by_workflow) == WORKFLOWS, by_workflow
    # Reactions lead on: somebody clicked, and a branch was taken for it.
    assert '"taken":"then"' in lines


def test_the_same_seed_gives_the_same_bytes(folder, lines, page):
    assert simulate("--audience", folder / "audience.yaml", "--seed", "3", "--format", "jsonl") == lines
    assert simulate("--audience", folder / "audience.yaml", "--seed", "3", "--format", "html") == page.read_text()
    assert simulate("--audience", folder / "audience.yaml", "--seed", "4", "--format", "jsonl") != lines


def test_written_down_it_is_the_same_again(folder, lines):
    files = ["--contacts", folder / "people.jsonl", "--events", folder / "events.jsonl"]
    assert simulate(*files, "--seed", "3", "--format", "jsonl") == lines


def test_the_summary_is_what_the_lines_say(folder, lines):
    text = simulate("--audience", folder / "audience.yaml", "--seed", "3")
    messages = sent(lines)
    days = collections.Counter(row["at"][:10] for row in messages)
    most = max(days.values())
    busiest = min(day for day, count in days.items() if count == most)
    assert f"{len(messages):,} messages sent" in text
    assert f"at most {most:,} on one day ({busiest})" in text
    # The fullest seven days of each person, by looking at every message of theirs.
    times = collections.defaultdict(list)
    for row in messages:
        times[row["contact"]].append(datetime.datetime.fromisoformat(row["at"]))
    week = datetime.timedelta(days=7)
    fullest = {who: max(sum(1 for other in own if time - week < other <= time) for time in own) for who, own in times.items()}
    assert f"{max(fullest.values())} messages at most to one person in 7 days" in text
    assert "waited for quiet hours" in text
    assert re.search(r": 120 contacts and [\d,]+ who came later, [\d,]+ events\.", text), text[:200]


def test_what_is_wrong_with_an_audience_is_shown_in_its_place(folder):
    wrong = folder / "wrong.yaml"
    wrong.write_text("audience: x\ncontacts: { at_start: 1 }\nprofile:\n  email: 0.9\n  topics: { ofers: 5% }\n")
    told = simulate("--audience", wrong, expected=1)
    for expected in ("invalid-number", "write `90%`", "unknown-topic", "did you mean `offers`?", "wrong.yaml:5:13", "topics: { ofers: 5% }"):
        assert expected in told, told
    assert "cannot be read" in simulate("--audience", folder / "nothing.yaml", expected=2)
    assert "cannot be used with" in simulate("--audience", wrong, "--contacts", wrong, expected=2)


class Tags(html.parser.HTMLParser):
    def __init__(self):
        super().__init__()
        self.addresses, self.tags, self.ids = [], collections.Counter(), []

    def handle_starttag(self, tag, attributes):
        self.tags[tag] += 1
        for name, value in attributes:
            if name in ("src", "srcset", "data", "action", "poster") or name == "href":
                self.addresses.append(value)
            if name == "id":
                self.ids.append(value)


def test_the_page_needs_nothing_else(page, lines):
    text = page.read_text()
    tags = Tags()
    tags.feed(text)
    assert tags.tags["script"] == 0 and tags.tags["link"] == 0 and tags.tags["img"] == 0
    assert all(address.startswith("#") and address[1:] in tags.ids for address in tags.addresses), tags.addresses
    assert len(tags.ids) == len(set(tags.ids))
    assert "url(" not in text and "@import" not in text
    for workflow in WORKFLOWS:
        assert f'id="workflow-{workflow}"' in text
    entered = collections.Counter(row["workflow"] for row in map(json.loads, lines.splitlines()) if row["kind"] == "enter")
    assert all(f"{count:,} entered" in text for count in entered.values()), entered
    assert f"<strong>{len(sent(lines)):,}</strong>" in text


@pytest.fixture(scope="module")
def chromium():
    program = os.environ.get("CHROMIUM") or shutil.which("chromium")
    assert program, "install chromium, or say by CHROMIUM where it is"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1200])
def test_the_page_keeps_nobody_out(page, chromium, width, scheme):
    context = chromium.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme, bypass_csp=True)
    shown = context.new_page()
    complaints = []
    shown.on("console", lambda message: complaints.append(message.text))
    shown.goto(page.as_uri())
    assert shown.evaluate("document.documentElement.scrollWidth") <= width, "nothing sticks out"
    shown.evaluate(AXE.read_text())
    found = shown.evaluate("rules => axe.run(document, { runOnly: rules })", RULES)
    wrong = [f"{rule['id']}: {node['html']} {node['failureSummary']}" for rule in found["violations"] for node in rule["nodes"]]
    assert not wrong and not complaints, "\n".join(wrong + complaints)
    assert len(found["passes"]) > 10, "axe looked at nothing"
    context.close()
