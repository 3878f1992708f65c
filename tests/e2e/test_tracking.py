"""What comes in over HTTP: by the tracking spec's own clients, and by whoever gets it wrong."""

import datetime
import gzip
import json
import os
import pathlib
import signal
import socket
import subprocess
import sys

import pytest
import segment.analytics

from project import ROOT, eventually

KEY = "write-key-1"
NODE = ROOT / "target" / "node" / "node_modules"
NODE_CLIENT = pathlib.Path(__file__).parent / "node" / "client.cjs"

# A run for every total, so that no order is ignored because the one before is not through.
ORDERS = """\
workflow: orders
trigger: { event: order_completed, key: event.total }
reentry: always
topic: offers
steps:
  - send: { subject: "{{contact.id}} {{event.total}} {{default contact.plan \\"-\\"}}", text: "Thanks. {{unsubscribe_url}}" }
    id: thanks
"""

# Enters only whoever did this before, perhaps under another id.
JOINED = """\
workflow: joined
trigger: { event: order_completed }
reentry: always
topic: offers
audience: { event: cart_updated, count: 2 }
steps:
  - send: { subject: "joined {{contact.id}}", text: "Both carts. {{unsubscribe_url}}" }
    id: both
"""

MANUAL = """\
workflow: {name}
status: {status}
trigger: {trigger}
topic: offers
steps:
  - send: {{ subject: "{{{{contact.id}}}} {{{{default event.plan \\"-\\"}}}}", text: "Hello. {{{{unsubscribe_url}}}}" }}
    id: hello
  - wait: 6 hours
"""


def begin(project, keys=(KEY,), workflows=(ORDERS,), **settings):
    project.settings(keys=keys, **settings)
    for number, text in enumerate(workflows):
        project.write(f"workflows/w{number}.yaml", text)
    return project.start()


def ago(**span):
    return (datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(**span)).isoformat()


def subjects(project, count):
    """The subjects of all messages, once there are so many and all are sent."""
    eventually(lambda: len(project.messages("sent")) >= count, f"{count} messages are sent")
    rows = project.messages()
    assert {row["status"] for row in rows} == {"sent"}, rows
    return sorted(row["subject"] for row in rows)


def identified(project, *names, key=KEY):
    for name in names:
        traits = {"email": f"{name}@shop.example"}
        assert project.ask("POST", "/v1/identify", {"userId": name, "traits": traits}, key)[0] == 200


def order(who="ada", total=80, **more):
    return {"type": "track", "userId": who, "event": "order_completed", "properties": {"total": total}, **more}


def refused(project, path, body, status, code, field=None, key=KEY, headers=None):
    got, answered, answer = project.ask("POST", path, body, key, headers)
    assert (got, answer["code"], answer["field"]) == (status, code, field), answer
    assert set(answer) == {"code", "message", "field"} and answer["message"]
    return answered


# The clients


@pytest.mark.parametrize("packing", ["plain", "gzip"])
def test_segments_client_for_node_works_unchanged(project, packing):
    begin(project, workflows=(ORDERS, JOINED))
    done = subprocess.run(
        ["node", NODE_CLIENT, f"http://127.0.0.1:{project.http}", KEY, packing],
        env={**os.environ, "NODE_PATH": str(NODE)}, capture_output=True, text=True, timeout=60, check=False,
    )
    assert done.returncode == 0, f"{done.stderr}\n(tests/run node-packages installs the client)"
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    assert [answer["failed"] for answer in answers] == [None] * 8, answers
    assert "campaignd_events_total 6" in project.get("/metrics")
    eventually(lambda: "ada 80 pro" in {row["subject"] for row in project.messages()}, "ada is thanked")
    assert subjects(project, 2) == ["ada 80 pro", "joined ada"]


def test_segments_client_for_node_is_told_of_a_wrong_key(project):
    begin(project)
    done = subprocess.run(
        ["node", NODE_CLIENT, f"http://127.0.0.1:{project.http}", "wrong", "plain"],
        env={**os.environ, "NODE_PATH": str(NODE)}, capture_output=True, text=True, timeout=60, check=False,
    )
    assert "401" in done.stdout, done.stdout + done.stderr
    assert "campaignd_events_total 0" in project.get("/metrics")


@pytest.mark.parametrize("packed", [False, True])
def test_segments_client_for_python_works_unchanged(project, packed):
    begin(project, workflows=(ORDERS, JOINED))
    errors = []
    client = segment.analytics.Client(
        KEY, host=f"http://127.0.0.1:{project.http}", gzip=packed, upload_interval=0.05, max_retries=1,
        on_error=lambda error, items: errors.append(error),
    )
    client.track(anonymous_id="browser-1", event="cart_updated", properties={"total": 10})
    client.page(anonymous_id="browser-1", category="Docs", name="Home", properties={"url": "/"})
    client.identify("ada", {"email": "ada@shop.example", "plan": "pro"}, anonymous_id="browser-1")
    client.group("ada", "team-1", {"seats": 3})
    client.screen("ada", "Docs", "Start")
    client.track(anonymous_id="phone-1", event="cart_updated")
    client.alias("phone-1", "ada")
    client.track("ada", "order_completed", {"total": 80}, timestamp=datetime.datetime.now(datetime.timezone.utc))
    client.join()
    assert errors == []
    assert "campaignd_events_total 6" in project.get("/metrics")
    eventually(lambda: "ada 80 pro" in {row["subject"] for row in project.messages()}, "ada is thanked")
    assert subjects(project, 2) == ["ada 80 pro", "joined ada"]


# Joining


def test_an_anonymous_id_that_was_joined_leads_to_the_person_ever_after(project):
    begin(project, workflows=(JOINED,))
    join = {"userId": "ada", "anonymousId": "browser-1", "traits": {"email": "ada@shop.example"}}
    assert project.ask("POST", "/v1/identify", join, KEY)[0] == 200
    for number in range(2):
        cart = {"anonymousId": "browser-1", "event": "cart_updated", "messageId": f"cart-{number}"}
        assert project.ask("POST", "/v1/track", cart, KEY)[0] == 200
    assert project.ask("POST", "/v1/track", order(), KEY)[0] == 200
    assert subjects(project, 1) == ["joined ada"]


def test_what_is_known_of_an_anonymous_contact_becomes_the_persons(project):
    begin(project)
    unknown = {"anonymousId": "browser-1", "traits": {"plan": "pro"}}
    assert project.ask("POST", "/v1/identify", unknown, KEY)[0] == 200
    join = {"userId": "ada", "anonymousId": "browser-1", "traits": {"email": "ada@shop.example"}}
    assert project.ask("POST", "/v1/identify", join, KEY)[0] == 200
    assert project.ask("POST", "/v1/track", order(), KEY)[0] == 200
    assert subjects(project, 1) == ["ada 80 pro"]


# Once, durably, and in time


def test_a_message_id_counts_once_also_after_a_crash(project):
    runner = begin(project)
    identified(project, "ada")
    for number in range(3):
        body = {"batch": [order(messageId="same"), order(messageId=f"own-{number}", total=number)]}
        assert project.ask("POST", "/v1/batch", body, KEY)[2] == {"success": True, "rejected": []}
    runner.send_signal(signal.SIGKILL)
    runner.wait(timeout=30)
    project.start()
    assert project.ask("POST", "/v1/track", order(messageId="same"), KEY)[0] == 200
    identified(project, "bo")
    assert project.ask("POST", "/v1/track", order("bo", messageId="last"), KEY)[0] == 200
    # A mail that was on its way at the crash is in doubt, so that not all need be through.
    eventually(lambda: project.workflow("orders")["entered"] == 5, "five orders came in")
    assert sorted({row["contact"] for row in project.messages()}) == ["ada", "bo"]


def test_what_happened_long_ago_counts_and_starts_nothing(project):
    begin(project, workflows=(ORDERS, JOINED))
    identified(project, "ada")
    old = {"userId": "ada", "event": "cart_updated", "timestamp": ago(days=3)}
    assert project.ask("POST", "/v1/track", old, KEY)[0] == 200
    assert project.ask("POST", "/v1/track", order(timestamp=ago(hours=2)), KEY)[0] == 200
    batch = {"batch": [order(), {**old, "type": "track"}], "sentAt": ago()}
    assert project.ask("POST", "/v1/import", batch, KEY)[0] == 200
    assert project.messages() == []
    assert project.ask("POST", "/v1/track", order(timestamp=ago(minutes=50)), KEY)[0] == 200
    assert subjects(project, 2) == ["ada 80 -", "joined ada"]


def test_the_senders_clock_is_put_right(project):
    begin(project)
    identified(project, "ada")
    # Two hours behind, and two hours ahead: both have just happened.
    for clock in (2, -2):
        late = order(total=clock, timestamp=ago(hours=clock, seconds=5), sentAt=ago(hours=clock))
        assert project.ask("POST", "/v1/track", late, KEY)[0] == 200
    # By a right clock this was too long ago.
    assert project.ask("POST", "/v1/track", order(timestamp=ago(hours=2), sentAt=ago()), KEY)[0] == 200
    project.wait_through("orders", 2)


# What is refused


def test_each_error_says_what_is_wrong_and_where(project):
    begin(project)
    refused(project, "/v1/track", {"event": "e"}, 400, "missing", "userId")
    refused(project, "/v1/track", {"userId": "ada"}, 400, "missing", "event")
    refused(project, "/v1/track", {"userId": [], "event": "e"}, 400, "invalid", "userId")
    refused(project, "/v1/identify", {"userId": "ada", "traits": {"email": "nobody"}}, 400, "contract", "traits.email")
    refused(project, "/v1/alias", {"userId": "ada"}, 400, "missing", "previousId")
    refused(project, "/v1/group", {"userId": "ada"}, 400, "missing", "groupId")
    refused(project, "/v1/page", {"userId": "ada", "timestamp": "soon"}, 400, "invalid", "timestamp")
    refused(project, "/v1/batch", {"batch": []}, 400, "missing", "batch")
    refused(project, "/v1/batch", {"batch": [order(), 7, {"type": "x"}][1:]}, 400, "invalid", "batch[0]")
    for body in (b"", b"{", b"\xff\xfe", b"{}x", b'{"userId":"a\xff","event":"e"}'):
        refused(project, "/v1/track", body, 400, "invalid_json")
    refused(project, "/v1/track", b"[]", 400, "invalid")
    assert project.ask("GET", "/v1/track")[0] == 405
    assert project.ask("POST", "/v1/nothing", {}, KEY)[0] == 404
    # Nothing of it was stored, or told to the log.
    assert "campaignd_events_total 0" in project.get("/metrics")
    assert "nobody" not in project.log()


def test_the_good_ones_of_a_batch_are_stored_and_the_others_listed(project):
    begin(project)
    identified(project, "ada")
    batch = [order(messageId="m0"), {"type": "track", "event": "e", "messageId": "m1"}, None, order(messageId="m3", properties=7)]
    status, _, answer = project.ask("POST", "/v1/batch", {"batch": batch}, KEY)
    assert status == 200 and answer["success"] is True
    listed = [(row["index"], row["messageId"], row["code"], row["field"]) for row in answer["rejected"]]
    assert listed == [
        (1, "m1", "missing", "batch[1].userId"),
        (2, None, "invalid", "batch[2]"),
        (3, "m3", "invalid", "batch[3].properties"),
    ]
    assert all(row["message"] for row in answer["rejected"])
    project.wait_through("orders", 1)


def test_bodies_have_a_limit_packed_or_not(project):
    begin(project)
    identified(project, "ada")

    def padded(size, total=80):
        empty = json.dumps(order(total=total, context={"pad": ""})).encode()
        return json.dumps(order(total=total, context={"pad": "x" * (size - len(empty))})).encode()

    limit = 1024 * 1024
    packed = {"Content-Encoding": "gzip"}
    assert project.ask("POST", "/v1/track", padded(limit), KEY)[0] == 200
    assert project.ask("POST", "/v1/track", gzip.compress(padded(limit, 81)), KEY, packed)[0] == 200
    refused(project, "/v1/track", padded(limit + 1), 413, "too_large")
    refused(project, "/v1/track", gzip.compress(padded(limit + 1)), 413, "too_large", headers=packed)
    refused(project, "/v1/track", padded(5 * limit), 413, "too_large")
    refused(project, "/v1/track", gzip.compress(b"[" * (200 * limit)), 413, "too_large", headers=packed)
    # Something that cannot be packed is as long packed as it is unpacked.
    noise = order(total=82, context={"pad": os.urandom(limit // 2 - 200).hex()})
    assert project.ask("POST", "/v1/track", gzip.compress(json.dumps(noise).encode(), 0), KEY, packed)[0] == 200
    # In chunks, without a length said before.
    chunks = (padded(2 * limit)[start:start + 65536] for start in range(0, 2 * limit, 65536))
    status = project.ask("POST", "/v1/track", b"", KEY)[0]
    assert status == 400
    assert chunked(project, chunks) == 413
    whole = gzip.compress(json.dumps(order()).encode())
    for broken in (whole[:-5], whole[:20], b"no gzip", whole + b"rest"):
        refused(project, "/v1/track", broken, 400, "invalid_gzip", headers=packed)
    for encoding in ("br", "deflate", "gzip, gzip", "x"):
        refused(project, "/v1/track", order(), 415, "unsupported_encoding", headers={"Content-Encoding": encoding})
    project.wait_through("orders", 3)


def chunked(project, chunks):
    with socket.create_connection(("127.0.0.1", project.http), timeout=30) as stream:
        head = f"POST /v1/track HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {KEY}\r\nTransfer-Encoding: chunked\r\n\r\n"
        stream.sendall(head.encode())
        for chunk in chunks:
            stream.sendall(b"%x\r\n%s\r\n" % (len(chunk), chunk))
        stream.sendall(b"0\r\n\r\n")
        return int(stream.recv(4096).split()[1])


def test_headers_have_a_limit(project):
    begin(project)
    with socket.create_connection(("127.0.0.1", project.http), timeout=30) as stream:
        stream.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nX-Long: " + b"x" * 200_000)
        assert stream.recv(4096).split()[1] in (b"431", b"400")


def test_the_data_contract_holds_for_what_comes_in(project):
    project.write("schemas/contact.schema.json", '{"type":"object","properties":{"plan":{"enum":["free","pro"]}}}')
    schema = '{"type":"object","properties":{"total":{"type":"number"}},"required":["total"]}'
    project.write("schemas/events/order_completed.schema.json", schema)
    begin(project)
    identified(project, "ada")
    refused(project, "/v1/identify", {"userId": "ada", "traits": {"plan": "gold"}}, 400, "contract", "traits.plan")
    refused(project, "/v1/track", order(properties={"total": "lots"}), 400, "contract", "properties.total")
    refused(project, "/v1/track", {"userId": "ada", "event": "undeclared"}, 400, "contract", "properties")
    metrics = project.get("/metrics")
    assert 'campaignd_contract_violations_total{kind="contact"} 1' in metrics
    assert 'campaignd_contract_violations_total{kind="event"} 2' in metrics
    assert "gold" not in project.log() and "lots" not in project.log()
    assert project.ask("POST", "/v1/track", order(), KEY)[0] == 200
    project.wait_through("orders", 1)


# Who may


def test_a_key_is_needed_and_follows_a_reload(project):
    project.write(".env", "FIRST_KEY=first\n")
    begin(project, keys=("${FIRST_KEY}", "second"))
    for key in ("first", "second"):
        assert project.ask("POST", "/v1/track", order(), key)[0] == 200
    bearer = {"Authorization": "Bearer second"}
    assert project.ask("POST", "/v1/track", order(), headers=bearer)[0] == 200
    for wrong in ("third", "", "${FIRST_KEY}"):
        headers = refused(project, "/v1/track", order(), 401, "unauthorized", key=wrong)
        assert headers["WWW-Authenticate"].startswith("Basic ")
    refused(project, "/v1/track", order(), 401, "unauthorized", key=None)
    refused(project, "/v1/workflows/orders/enroll", {"contact": "ada"}, 401, "unauthorized", key=None)
    project.settings(keys=("third",))
    eventually(lambda: project.ask("POST", "/v1/track", order(), "third")[0] == 200, "the third key is known")
    assert project.ask("POST", "/v1/track", order(), "first")[0] == 401
    assert "first" not in project.log() and "second" not in project.log()


def test_without_keys_only_programs_of_this_machine_may(project):
    begin(project, keys=())
    assert project.ask("POST", "/v1/track", order())[0] == 200
    assert project.ask("POST", "/v1/track", order(), headers={"Host": f"localhost:{project.http}"})[0] == 200
    for headers in ({"Host": "shop.example"}, {"Origin": "https://shop.example"}, {"Origin": "null"}):
        refused(project, "/v1/track", order(), 403, "forbidden", key=None, headers=headers)
        refused(project, "/v1/workflows/orders/enroll", {"contact": "ada"}, 403, "forbidden", key=None, headers=headers)


def test_an_empty_key_does_not_open_the_door(project):
    project.write(".env", "FIRST_KEY=\n")
    project.settings(keys=("${FIRST_KEY}",))
    project.write("workflows/w.yaml", ORDERS)
    runner = project.start(ready=False)
    assert runner.wait(timeout=20) == 2
    assert "http.keys" in project.log()


# Enrolment


def test_enrolment_answers_what_became_of_it(project):
    def manual(name, status="live", trigger="{ manual: true }"):
        return MANUAL.format(name=name, status=status, trigger=trigger)

    others = [manual(status, status) for status in ("draft", "paused", "closed")]
    begin(project, workflows=(manual("hello"), manual("by_event", trigger="{ event: e }"), *others))
    identified(project, "ada", "bo")

    def enroll(contact, key=None, workflow="hello", **more):
        headers = {} if key is None else {"Idempotency-Key": key}
        status, _, answer = project.ask("POST", f"/v1/workflows/{workflow}/enroll", {"contact": contact, **more}, KEY, headers)
        return status, answer

    status, first = enroll("ada", "key-1", **{"with": {"plan": "pro"}})
    assert status == 200 and isinstance(first["run"], str)
    assert enroll("ada", "key-1", **{"with": {"plan": "pro"}}) == (200, first)
    assert enroll("ada", "key-2") == (200, {"ignored": "active"})
    assert enroll("ada") == (200, {"ignored": "active"})
    for other in (("bo", "key-1"), ("ada", "key-1")):
        status, answer = enroll(*other)
        assert (status, answer["code"]) == (422, "key_reused")
    for contact, workflow, status, code in (
        ("nobody", "hello", 404, "unknown_contact"),
        ("ada", "nothing", 404, "unknown_workflow"),
        ("ada", "by_event", 409, "not_manual"),
        ("ada", "draft", 409, "draft"),
        ("ada", "paused", 409, "paused"),
        ("ada", "closed", 409, "closed"),
    ):
        got, answer = enroll(contact, workflow=workflow)
        assert (got, answer["code"], answer["field"]) == (status, code, None)
    refused(project, "/v1/workflows/hello/enroll", {}, 400, "missing", "contact")
    refused(project, "/v1/workflows/hello/enroll", {"contact": "bo", "with": 7}, 400, "invalid", "with")
    refused(project, "/v1/workflows/hello/enroll", {"contact": "bo"}, 400, "invalid", "Idempotency-Key", headers={"Idempotency-Key": ""})
    assert subjects(project, 1) == ["ada pro"]
    assert enroll("bo")[1].keys() == {"run"}
    assert subjects(project, 2) == ["ada pro", "bo -"]


# The description


def test_members_of_a_static_segment(project):
    listed = "segments: { testers: { list: true }, germans: { contact.country: DE } }\n"
    joins = """\
workflow: joins
trigger: { segment: testers }
topic: offers
steps:
  - send: { subject: "welcome {{contact.id}}", text: "Hello. {{unsubscribe_url}}" }
    id: hello
"""
    begin(project, workflows=(listed, joins))
    identified(project, "ada", "bo")

    def change(body, name="testers"):
        status, _, answer = project.ask("POST", f"/v1/segments/{name}", body, KEY)
        return status, answer

    status, answer = change({"add": ["ada", "nobody"], "remove": ["bo"]})
    assert (status, answer) == (200, {"added": 1, "removed": 0, "unknown": ["nobody"]})
    assert change({"add": ["ada"]})[1]["added"] == 0
    assert subjects(project, 1) == ["welcome ada"]
    assert project.succeed("segment", "list", "testers") == "ada\n"
    for body, name, expected in [({}, "testers", 400), ({"add": ["ada"]}, "germans", 409), ({"add": ["ada"]}, "nope", 404)]:
        assert change(body, name)[0] == expected, (body, name)
    assert change({"remove": ["ada"]})[1]["removed"] == 1


def test_the_description_is_true(project):
    begin(project, workflows=(MANUAL.format(name="hello", status="live", trigger="{ manual: true }"),))
    schemathesis = pathlib.Path(sys.executable).parent / "schemathesis"
    done = subprocess.run(
        [
            schemathesis, "run", f"http://127.0.0.1:{project.http}/openapi.json", "--auth", f"{KEY}:", "--seed", "1",
            "--phases", "examples,coverage,fuzzing",
            # What it takes is a compiled project, which only campaignd writes: test_plan.py has it.
            "--exclude-path", "/v1/plan", "--max-examples", "20", "--workers", "1", "--no-color",
        ],
        cwd=project.folder.parent, capture_output=True, text=True, timeout=120, check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
