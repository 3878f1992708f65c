"""An experiment on the real program: measured, decided, and reported while the daemon runs."""

import html.parser
import json
import math

import pytest

from project import eventually

WORKFLOW = """\
workflow: subject-test
trigger: { event: signed_up }
reentry: always
goal: { event: bought, within: 7 days, value: event.total }
steps:
  - experiment: subject
    variants:
      question: { weight: 45, steps: [ { send: question } ] }
      plain: { weight: 45, steps: [ { send: plain } ] }
      nobody: { weight: 10 }
    winner: { metric: clicked, after: 200, confidence: 95% }
"""


@pytest.fixture
def shop(project):
    project.settings(deliver='"null:"', more="contract: open\ntracking: { clicks: true }", keys=["k"])
    project.write("workflows/subject-test.yaml", WORKFLOW.replace("steps:\n", "topic: offers\nsteps:\n", 1))
    for name in ("question", "plain"):
        project.write(f"templates/{name}.txt.hbs", f"---\nsubject: {name}\n---\nHello. {{{{unsubscribe_url}}}}\n")
    project.lines("contacts.jsonl", [{"id": f"c{n}", "email": f"c{n}@example.com"} for n in range(300)])
    project.start()
    return project


def track(project, *happened):
    """What these contacts did: (contact, event, properties)."""
    batch = [
        {"type": "track", "userId": who, "event": event, "properties": properties} for who, event, properties in happened
    ]
    for start in range(0, len(batch), 100):
        status, _, answer = project.ask("POST", "/v1/batch", {"batch": batch[start:start + 100]}, key="k")
        assert status == 200, answer


def report(project):
    whole = json.loads(project.succeed("report", "subject-test", "--format", "json"))
    return whole["workflows"][0]


def enter(project, numbers, before):
    track(project, *[(f"c{n}", "signed_up", {}) for n in numbers])
    project.wait_through("subject-test", before + len(numbers))


def variants(project):
    """The template that each contact was sent."""
    return {row["contact"]: row["template"] for row in project.messages("sent")}


def newcombe(did, of, other_did, other_of, z=1.959963984540054):
    """The interval of a difference, straight from the paper (Newcombe 1998, method 10)."""
    def wilson(did, of):
        rate = did / of
        root = z * math.sqrt(z * z + 4 * of * rate * (1 - rate))
        return (2 * did + z * z - root) / (2 * (of + z * z)), (2 * did + z * z + root) / (2 * (of + z * z))

    (low, high), (other_low, other_high) = wilson(did, of), wilson(other_did, other_of)
    rate, other = did / of, other_did / other_of
    below = math.sqrt((rate - low) ** 2 + (other_high - other) ** 2)
    above = math.sqrt((high - rate) ** 2 + (other - other_low) ** 2)
    return rate - other - below, rate - other + above


def test_the_winner_is_reported_and_sent_to_everybody(shop):
    shop.succeed("import", "contacts", str(shop.folder / "contacts.jsonl"))
    enter(shop, range(150), 0)
    assert report(shop)["experiments"][0]["contest"]["missing"] == "150 of 200 contacts"
    enter(shop, range(150, 300), 150)
    sent = variants(shop)
    share = {"question": 60, "plain": 20}
    clicked = [who for number, (who, template) in enumerate(sorted(sent.items())) if number * 37 % 100 < share[template]]
    track(shop, *[(who, "message_clicked", {"template": sent[who]}) for who in clicked])
    # Who is sent nothing buys, too, after the run has ended.
    held_out = [f"c{n}" for n in range(300) if f"c{n}" not in sent]
    track(shop, (held_out[0], "bought", {"total": 12.5}), (clicked[0], "bought", {"total": 7}), (clicked[0], "bought", {"total": 7}))

    seen = report(shop)
    experiment = seen["experiments"][0]
    rows = {row["name"]: row for row in experiment["variants"]}
    assert experiment["assigned"] == 300 and rows["nobody"]["holdout"] and rows["nobody"]["assigned"] == len(held_out)
    for name in ("question", "plain"):
        assert rows[name]["assigned"] == sum(template == name for template in sent.values())
        assert rows[name]["clicked"]["count"] == sum(sent[who] == name for who in clicked)
    assert rows["nobody"]["goal"]["count"] == 1 and rows["nobody"]["value"] == 12.5
    assert rows[sent[clicked[0]]]["goal"]["count"] == 1 and rows[sent[clicked[0]]]["value"] == 7
    lift = rows["plain"]["clicked"]["lift"]
    expected = newcombe(
        rows["plain"]["clicked"]["count"], rows["plain"]["assigned"],
        rows["question"]["clicked"]["count"], rows["question"]["assigned"],
    )
    assert lift["against"] == "question" and (lift["low"], lift["high"]) == pytest.approx(expected, abs=1e-12)
    assert experiment["winner"]["variant"] == "question" and experiment["winner"]["at"] is None

    # Everybody who comes now gets it, whatever they had before.
    enter(shop, range(300), 300)
    assert len(shop.messages("sent")) == len(sent) + 300
    again = report(shop)["experiments"][0]
    assert again["winner"]["variant"] == "question" and again["winner"]["at"] is not None
    assert again["assigned"] == 300, "who comes after the decision does not count any more"
    messages = {row["template"]: row for row in report(shop)["messages"]}
    before = sum(template == "question" for template in sent.values())
    assert messages["question"]["sent"] == before + 300 and messages["plain"]["sent"] == len(sent) - before
    assert "an experiment is decided" in shop.log()


class Tags(html.parser.HTMLParser):
    """Sees that every element is closed by its own end."""

    VOID = {"meta", "br", "rect", "line", "path"}

    def __init__(self):
        super().__init__()
        self.open, self.seen = [], set()

    def handle_starttag(self, tag, attrs):
        self.seen.add(tag)
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        if tag not in self.VOID:
            assert self.open.pop() == tag


def test_every_format_works_beside_the_daemon(shop):
    shop.succeed("import", "contacts", str(shop.folder / "contacts.jsonl"))
    enter(shop, range(100), 0)
    page = shop.succeed("report", "--format", "html")
    tags = Tags()
    tags.feed(page)
    assert tags.open == [] and {"svg", "table", "h1"} <= tags.seen and "script" not in tags.seen
    assert page.startswith("<!doctype html>") and "://" not in page
    people = shop.succeed("report")
    assert "experiment subject: 100 contacts" in people and "100 of 200 contacts" in people
    wrong = shop.command("report", "no-such")
    assert wrong.returncode == 2 and "no-such" in wrong.stderr


def test_before_anything_has_run(project):
    project.settings()
    assert json.loads(project.succeed("report", "--format", "json"))["workflows"] == []
    assert "nothing has run yet" in project.succeed("report")
