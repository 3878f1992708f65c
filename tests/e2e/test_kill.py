"""The promise on delivery, under kill -9: state changes happen exactly once; no message is lost or sent twice, and at most one per
connection and crash is in doubt, which is reported."""

import collections
import datetime
import random

from mail_server import Keeper
from project import eventually

CONTACTS = 400
MAILS = ("first", "second", "third")
CONNECTIONS = 4
KILLS = 30

WORKFLOW = """\
workflow: series
trigger: { event: signed_up }
topic: offers
steps:
  - send: { subject: "first {{contact.id}}", text: "One. {{unsubscribe_url}}" }
    id: first
  - send: { subject: "second {{contact.id}}", text: "Two. {{unsubscribe_url}}" }
    id: second
  - wait: 1 second
  - send: { subject: "third {{contact.id}}", text: "Three. {{unsubscribe_url}}" }
    id: third
"""


def test_thirty_kills_lose_nothing_and_send_nothing_twice(project):
    chance = random.Random(20260302)
    with Keeper(slow=0.06) as server:
        project.settings(deliver=server.url, connections=CONNECTIONS)
        project.write("workflows/series.yaml", WORKFLOW)
        names = [f"c{number:03}" for number in range(CONTACTS)]
        now = datetime.datetime.now(datetime.timezone.utc).isoformat()
        contacts = project.lines("contacts.jsonl", ({"id": name, "email": f"{name}@shop.example"} for name in names))
        signed_up = ({"at": now, "contact": name, "event": "signed_up", "id": f"s-{name}"} for name in names)
        events = project.lines("events.jsonl", signed_up)

        runner = project.start()
        project.succeed("import", "contacts", str(contacts))
        project.succeed("import", "events", str(events))
        unknown = 0
        for kill in range(KILLS):
            # At a random moment while mails flow: after a random number of them have arrived since the start.
            target = len(server.mails) + chance.randint(1, 25)
            eventually(lambda: len(server.mails) >= target or project.through("series", CONTACTS), "mails flow", every=0.002)
            runner.kill()
            runner.wait(timeout=30)
            runner = project.start()
            doubted = len(project.messages("unknown"))
            assert doubted - unknown <= CONNECTIONS, f"kill {kill}: {doubted - unknown} in doubt"
            unknown = doubted
        project.wait_through("series", CONTACTS, within=90)
        assert project.stop(runner) == 0

        rows = project.messages()
        assert collections.Counter(row["status"] for row in rows).keys() <= {"sent", "unknown"}
        # Every contact has every mail exactly once, as a row.
        assert collections.Counter((row["contact"], row["step"]) for row in rows) == collections.Counter(
            {(name, mail): 1 for name in names for mail in MAILS}
        )
        assert project.workflow("series")["completed"] == CONTACTS
        # No mail arrived twice; all that count as sent arrived; what arrived counts as sent or is in doubt.
        received = server.ids()
        assert len(received) == len(set(received))
        by_status = collections.defaultdict(set)
        for row in rows:
            by_status[row["status"]].add(row["message_id"].strip("<>"))
        assert by_status["sent"] <= set(received) <= by_status["sent"] | by_status["unknown"]
        subjects = [str(mail["Subject"]) for mail in server.mails]
        assert len(subjects) == len(set(subjects))
        # The doubts are reported one by one.
        reported = project.messages("unknown")
        assert {row["message_id"].strip("<>") for row in reported} == by_status["unknown"]
        assert reported, "the kills came while mails were on the wire"
