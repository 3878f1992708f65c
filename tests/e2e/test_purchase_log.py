"""A purchase log through traits and a win-back segment, compared with SQL over the same log: in virtual time to the millisecond, imported beside a
runner, and sent over HTTP in any order by a runner that is killed in the middle of it."""

import datetime
import http.client
import json
import math
import random
import threading
import time

import purchase_log
from project import eventually
from purchase_log import DAY

CUSTOMERS = [f"c{number:03}" for number in range(400)]
# Two days after the clocks went forward, so that no window is a whole number of local days.
MOMENT = "2026-03-31T09:30"
OFFSET = "+02:00"

TRAITS = """\
traits:
  spent: { sum: event.total, of: order_completed }
  spent_180d: { sum: event.total, of: order_completed, within: 180 days }
  orders: { count: order_completed }
  orders_90d: { count: order_completed, within: 90 days }
  big_orders: { count: order_completed, where: { event.total: { at_least: 80 } } }
  big_orders_30d: { count: order_completed, where: { event.total: { at_least: 80 } }, within: 30 days }
  avg_order: { avg: event.total, of: order_completed }
  avg_order_90d: { avg: event.total, of: order_completed, within: 90 days }
  smallest_order: { min: event.total, of: order_completed }
  largest_order_365d: { max: event.total, of: order_completed, within: 365 days }
  smallest_shoes_60d: { min: event.total, of: order_completed, where: { event.category: shoes }, within: 60 days }
  first_order_at: { first: order_completed }
  last_order_at: { last: order_completed }
  last_shoes_at: { last: order_completed, where: { event.category: shoes } }
  last_view_30d: { last: product_viewed, within: 30 days }
  first_category: { first: event.category, of: order_completed }
  last_coupon_90d: { last: event.coupon, of: order_completed, within: 90 days }
  value_tier: { by: contact.spent, tiers: { high: 500, medium: 100, low: 0 } }
  warmth: { by: contact.engagement, tiers: { hot: 20, warm: 5, cold: 0 } }
  engagement:
    score:
      - { event: product_viewed, points: 1 }
      - { event: order_completed, points: 10 }
      - { event: order_completed, points: 5, where: { event.total: { at_least: 80 } } }
    halves_every: 30 days

segments:
  win_back:
    all:
      - { event: order_completed, count: { at_least: 2 } }
      - { event: order_completed, count: 0, within: 60 days }
      - contact.value_tier: [high, medium]
  fading: { all: [ { segment: win_back }, { contact.spent_180d: { above: 0 } } ] }
  window_shoppers:
    all:
      - { event: product_viewed, count: { at_least: 3 }, within: 14 days }
    none:
      - { event: order_completed, within: 30 days }
  big_quarter: { event: order_completed, within: 90 days, sum: { of: event.total, at_least: 150 } }
  worth_a_word:
    any:
      - segment: win_back
      - all: [ { segment: window_shoppers }, { not: { segment: big_quarter } } ]
"""

RANKS = """\
traits:
  recency: { rank: contact.last_order_at, into: 5 }
  frequency: { rank: contact.orders, into: 5 }
  monetary: { rank: contact.spent, into: 5 }
  lifecycle:
    first_match:
      lapsed: { segment: win_back }
      champion: { segment: champions }
      active: { event: order_completed, within: 30 days }
      customer: { event: order_completed }
    otherwise: prospect

segments:
  champions: { contact.recency: { at_least: 4 }, contact.frequency: { at_least: 4 }, contact.monetary: { at_least: 4 } }
"""


RANKED = ("recency", "frequency", "monetary", "lifecycle")


def workflow(segment, change):
    return f"workflow: {segment}_{change}\ntrigger: {{ segment: {segment}, change: {change} }}\nreentry: always\nsteps: [ exit ]\n"


def figures_workflow(names):
    text = "".join(f"        {name}={{{{default contact.{name} '-'}}}}\n" for name in names)
    return (
        f"workflow: figures\ntrigger: {{ at: {MOMENT} }}\nsteps:\n  - id: figures\n    transactional: true\n"
        f"    send:\n      subject: Figures\n      text: |\n{text}"
    )


def prepare(project, ranks=True):
    project.settings(more="contract: open")
    settings = project.folder / "campaignd.yaml"
    project.write("campaignd.yaml", settings.read_text().replace("time_zone: UTC", "time_zone: Europe/Berlin"))
    project.write("workflows/traits.yaml", TRAITS)
    if ranks:
        project.write("workflows/ranks.yaml", RANKS)
    for segment in purchase_log.SEGMENTS:
        for change in ("enter", "leave"):
            project.write(f"workflows/{segment}_{change}.yaml", workflow(segment, change))
    return project.lines("contacts.jsonl", [{"id": name, "email": f"{name}@shop.example"} for name in CUSTOMERS])


def text(at):
    return datetime.datetime.fromtimestamp(at // 1000, datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%S") + f".{at % 1000:03}Z"


def instant(written):
    return round(datetime.datetime.fromisoformat(written).timestamp() * 1000)


def properties(cents, category, coupon):
    known = {"total": None if cents is None else cents / 100, "category": category, "coupon": coupon}
    return {name: value for name, value in known.items() if value is not None}


def rows(events):
    return [
        {"at": text(at), "contact": contact, "event": name, "properties": properties(*rest), "id": number}
        for number, contact, name, at, *rest in events
    ]


def same(name, value, expected):
    """`value` is as the program gives it, None where there is none. Averages and what fades are no whole cents; everything else is exact."""
    if expected is None or value is None:
        return value is expected
    if name.endswith("_at") or name == "last_view_30d":
        return instant(value) == expected
    if name.startswith("avg_"):
        return math.isclose(float(value), expected, rel_tol=1e-14)
    if name == "engagement":
        return math.isclose(float(value), expected, rel_tol=1e-9, abs_tol=1e-12)
    return (value if isinstance(expected, str) else float(value)) == expected


def differences(contact, traits, expected):
    return [(contact, name, traits.get(name), wanted) for name, wanted in expected.items() if not same(name, traits.get(name), wanted)]


def test_a_year_in_virtual_time_is_as_sql_has_it_to_the_millisecond(project):
    contacts = prepare(project)
    moment = instant(MOMENT + OFFSET)
    start, until = moment - 365 * DAY, moment + 70 * DAY
    events = purchase_log.purchase_log(moment)
    # One more at the very moment, and one that is too late for it.
    events += [("now-0", "c399", "order_completed", moment, 10, "hats", None), ("now-1", "c398", "order_completed", moment + 1, 10, "hats", None)]
    with purchase_log.shop(events, CUSTOMERS) as shop:
        # Ranks are found at 03:00 in the project's zone.
        traits, _ = shop.figures(moment, instant("2026-03-31T03:00" + OFFSET))
        crossings = shop.crossings(start, until)
        lapses, returns = shop.lapses(start, until)
    project.write("workflows/figures.yaml", figures_workflow(next(iter(traits.values()))))
    file = project.lines("events.jsonl", rows(events))
    out = project.succeed(
        "simulate", "--contacts", str(contacts), "--events", str(file), "--from", text(start), "--until", text(until), "--format", "jsonl", "--bodies"
    )
    lines = [json.loads(line) for line in out.splitlines()]

    found = {}
    for line in lines:
        if line["kind"] == "enter" and line["workflow"] != "figures":
            found.setdefault(tuple(line["workflow"].rsplit("_", 1)), []).append((line["contact"], instant(line["at"])))
    for crossing, expected in crossings.items():
        times = found.get(crossing, [])
        assert sorted(times) == sorted(expected), (crossing, sorted(set(times) ^ expected)[:10])
        assert len(expected) > 20, (crossing, len(expected))
    # The lapses again, asked another way: from one order to the next.
    assert crossings["win_back", "enter"] == lapses
    assert {leave for leave in crossings["win_back", "leave"] if leave[1] > start} == returns

    texts = {line["contact"]: line["text"] for line in lines if line["kind"] == "send"}
    assert texts.keys() == traits.keys()
    wrong = []
    for contact, written in texts.items():
        values = dict(line.split("=", 1) for line in written.split("\n") if line)
        wrong += differences(contact, {name: None if value == "-" else value for name, value in values.items()}, traits[contact])
    assert not wrong, (len(wrong), wrong[:10])
    print(
        f"{len(events)} rows, {len(traits)} customers: {sum(map(len, traits.values()))} figures at one moment,"
        f" {sum(map(len, crossings.values()))} entries ({len(lapses)} lapses, {len(returns)} returns)"
    )


def now():
    return time.time_ns() // 1_000_000


def members(project, segment):
    listed = project.succeed("segment", "list", segment).split()
    assert project.succeed("segment", "count", segment) == f"{len(listed)}\n"
    return set(listed)


def compare_with_sql(project, shop, ranks=True):
    """Compares every segment, and what is shown of a hundred customers, all crafted ones among them. Nothing may leave a window meanwhile."""
    traits, segments = shop.figures(now(), now())
    if not ranks:
        segments.pop("champions")
    found = {segment: members(project, segment) for segment in segments}
    assert found == segments, {name: found[name] ^ segments[name] for name in segments if found[name] != segments[name]}
    wrong = []
    fading = {}
    began = now()
    for contact in [*CUSTOMERS[:43], *CUSTOMERS[50::6]]:
        shown = json.loads(project.succeed("contact", "show", contact, "--format", "json"))
        fading[contact] = shown["traits"]["engagement"]
        compared = {name: value for name, value in traits[contact].items() if name != "engagement" and (ranks or name not in RANKED)}
        wrong += differences(contact, shown["traits"], compared)
        assert {row["name"] for row in shown["segments"]} == {name for name, who in segments.items() if contact in who}, contact
    assert not wrong, (len(wrong), wrong[:10])
    # It fades while one looks.
    first, last = (shop.figures(at, at)[0] for at in (began, now()))
    for contact, score in fading.items():
        assert last[contact]["engagement"] * (1 - 1e-9) <= score <= first[contact]["engagement"] * (1 + 1e-9), contact


def find_ranks(project, shop):
    """Ranks are found among all contacts as soon as their traits are there, and every night."""
    champions = shop.figures(now(), now())[1]["champions"]
    project.write("workflows/ranks.yaml", RANKS)

    def found():
        listed, counted = (project.command("segment", action, "champions").stdout.split() for action in ("list", "count"))
        return set(listed) == champions and counted == [str(len(champions))]

    eventually(found, "ranks are found", every=0.2)


def stored(project):
    return [json.loads(line)["id"] for line in project.succeed("export", "events", "--format", "jsonl").splitlines()]


def entered(project):
    """Who has come into win_back while the runner ran, and when at last."""
    runs = map(json.loads, project.succeed("export", "runs", "--format", "jsonl").splitlines())
    return {run["contact"]: instant(run["entered_at"]) for run in runs if run["workflow"] == "win_back_enter"}


def test_an_imported_log_is_as_sql_has_it_and_time_goes_on(project):
    contacts = prepare(project, ranks=False)
    project.start()
    end = now() + 6_000
    events = purchase_log.purchase_log(end)
    with purchase_log.shop(events, CUSTOMERS) as shop:
        project.succeed("import", "contacts", str(contacts))
        project.succeed("import", "events", str(project.lines("events.jsonl", rows(events))))
        imported = now()
        assert sorted(stored(project)) == sorted(shop.ids())
        # What is a window's length old at `end` has left it then, with nothing but time to say so.
        eventually(lambda: now() > end + 100, "the windows have moved")
        lapsed = {contact: at for contact, at in shop.lapses(imported + 500, now())[0]}

        eventually(lambda: lapsed.keys() <= entered(project).keys(), "who has lapsed is in the workflow")
        late = {contact: entered(project)[contact] - at for contact, at in lapsed.items()}
        assert all(0 <= ms < 5_000 for ms in late.values()), late
        compare_with_sql(project, shop, ranks=False)
        find_ranks(project, shop)
        compare_with_sql(project, shop)
        print(f"{len(lapsed)} lapsed while the runner ran, that many ms later: {late}")


def test_history_imported_with_its_contacts_while_the_runner_is_down_starts_nothing(project):
    contacts = prepare(project, ranks=False)
    project.write("workflows/ping.yaml", "workflow: ping\ntrigger: { event: pinged }\nsteps: [ exit ]\n")
    # The segments are in force, so that whoever comes into one is new there.
    assert project.stop(project.start()) == 0
    end = now()
    events = [event for event in purchase_log.purchase_log(end) if end - event[3] > 2 * 3600_000]
    project.succeed("import", "contacts", str(contacts))
    project.succeed("import", "events", str(project.lines("events.jsonl", rows(events))))
    # Taken in after all the rest.
    ping = {"at": text(now()), "contact": "somebody", "event": "pinged"}
    project.succeed("import", "events", str(project.lines("ping.jsonl", [ping])))
    project.start()
    project.wait_through("ping", 1)
    assert len(members(project, "win_back")) > 40
    assert entered(project) == {}


def batches(events, seed):
    chance = random.Random(seed)
    calls = [{"type": "identify", "userId": name, "traits": {"email": f"{name}@shop.example"}, "messageId": f"i-{name}"} for name in CUSTOMERS]
    calls += [
        {"type": "track", "userId": row["contact"], "event": row["event"], "properties": row["properties"], "messageId": row["id"],
         "timestamp": row["at"]}
        for row in rows(events)
    ]
    chance.shuffle(calls)
    return [{"batch": calls[begin : begin + 200]} for begin in range(0, len(calls), 200)]


def post(project, batch):
    status, _, answer = project.ask("POST", "/v1/batch", batch)
    assert status == 200 and not answer["rejected"], answer


def test_a_log_sent_in_any_order_to_a_runner_that_is_killed_is_as_sql_has_it(project):
    prepare(project, ranks=False)
    runner = project.start()
    events = purchase_log.purchase_log(now() - 1_000)
    sent = []

    def send_until_it_dies():
        for batch in batches(events, 1):
            try:
                post(project, batch)
            except (http.client.HTTPException, OSError):
                return
            sent.append(batch)

    sending = threading.Thread(target=send_until_it_dies)
    sending.start()
    eventually(lambda: len(sent) >= 8, "a part has been sent", every=0.0005)
    runner.kill()
    runner.wait(timeout=30)
    sending.join(timeout=60)
    whole = batches(events, 1)
    assert 8 <= len(sent) < len(whole), (len(sent), len(whole))
    project.start()
    answered = {call["messageId"] for batch in sent for call in batch["batch"] if call["type"] == "track"}
    assert answered <= set(stored(project)), "what was answered with 200 is there"
    with purchase_log.shop(events, CUSTOMERS) as shop:
        for batch in batches(events, 2):
            post(project, batch)
        assert sorted(stored(project)) == sorted(shop.ids())
        find_ranks(project, shop)
        for batch in batches(events, 3):
            post(project, batch)
        assert sorted(stored(project)) == sorted(shop.ids())
        compare_with_sql(project, shop)
        assert entered(project) == {}, "history starts nothing"
        print(f"killed after {len(sent)} of {len(whole)} batches; {len(shop.ids())} events")
