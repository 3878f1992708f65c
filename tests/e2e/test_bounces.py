"""Mails that come back: by Maildir, by pipe and by webhook; counted once, believed only when proven."""

import base64
import hashlib
import hmac
import json
import random
import sqlite3
import subprocess
import time

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from mail_server import Keeper
from project import PROGRAM, eventually

WORKFLOW = """\
workflow: hello
trigger: { event: signed_up }
reentry: always
topic: offers
steps:
  - send: { subject: Hello, text: "Hello. {{unsubscribe_url}}" }
    id: hello
"""

REPORT = """\
From: MAILER-DAEMON@mx.example.com
To: {to}
Subject: Undelivered Mail Returned to Sender
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary="b"

--b
Content-Type: text/plain

I'm sorry to have to inform you that your message could not be delivered.
--b
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.example.com

Final-Recipient: rfc822; {address}
Action: failed
Status: {status}
Diagnostic-Code: smtp; 550 {status} <{address}>: no

--b
Content-Type: text/rfc822-headers

Message-ID: <{message_id}>

--b--
"""

COMPLAINT = """\
From: feedback@isp.example
To: fbl@shop.example
Content-Type: multipart/report; report-type=feedback-report; boundary="b"

--b
Content-Type: message/feedback-report

Feedback-Type: abuse
Version: 1
Original-Mail-From: <{to}>

--b
Content-Type: text/rfc822-headers

Message-ID: <{message_id}>

--b--
"""


def prepare(project, people, more="", keys=(), **settings):
    """Sends everybody one mail; gives the runner, and the messages by contact."""
    project.settings(more=more, keys=keys, **settings)
    project.write("workflows/hello.yaml", WORKFLOW)
    runner = project.start()
    project.succeed("import", "contacts", str(project.lines("c.jsonl", [{"id": who, "email": f"{who}@example.com"} for who in people])))
    send(project, people, "1")
    return runner, {row["contact"]: row for row in project.messages("sent")}


def send(project, people, round):
    now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    rows = [{"at": now, "contact": who, "event": "signed_up", "id": f"{round}-{who}"} for who in people]
    before = len(project.messages())
    project.succeed("import", "events", str(project.lines(f"e{round}.jsonl", rows)))
    done = lambda: len(project.messages()) == before + len(people) and not project.messages("queued") and not project.messages("sending")
    eventually(done, "everybody has been written to")


def token(project, message):
    """The return path's token, as the documents say it is made."""
    with sqlite3.connect(f"file:{project.folder}/state/campaignd.db?mode=ro", uri=True) as store:
        (secret,) = store.execute("SELECT value FROM properties WHERE name = 'secret'").fetchone()
    number = int(message["id"])
    key = hmac.digest(secret.encode(), b"return", "sha256")
    return f"{number}-{hmac.digest(key, number.to_bytes(8, 'big'), 'sha256')[:10].hex()}"


def report(project, message, status="5.1.1", form=REPORT):
    to = f"bounces+{token(project, message)}@shop.example"
    return form.format(to=to, address=message["to"], status=status, message_id="elsewhere@example.com")


def suppressed(project):
    lines = project.succeed("suppression", "list", "--format", "jsonl").splitlines()
    return {row["address"]: row for row in map(json.loads, lines)}


def events(project, name):
    lines = project.succeed("export", "events", "--format", "jsonl").splitlines()
    return [row for row in map(json.loads, lines) if row.get("event") == name]


def deliver(maildir, name, mail):
    """As mail servers do: beside, then into its place."""
    (maildir / "tmp" / name).write_text(mail)
    (maildir / "tmp" / name).rename(maildir / "new" / name)


def emptied(maildir):
    return not list((maildir / "new").iterdir())


def test_a_maildir_is_read_and_who_bounced_gets_nothing_more(project):
    _, messages = prepare(project, ["ada", "bo", "cy", "di"], more="bounces: { maildir: bounces }")
    maildir = project.folder / "bounces"
    eventually(lambda: (maildir / "new").is_dir(), "the Maildir is there")
    deliver(maildir, "1.hard", report(project, messages["ada"]))
    deliver(maildir, "2.again", report(project, messages["ada"]))
    deliver(maildir, "3.full", report(project, messages["bo"], "5.2.2"))
    deliver(maildir, "4.complaint", report(project, messages["cy"], form=COMPLAINT))
    deliver(maildir, "5.forged", report(project, messages["di"]).replace(token(project, messages["di"])[-6:], "000000"))
    deliver(maildir, "6.junk", "\0\1 nothing \r\n")
    (maildir / "new" / "7.locked").symlink_to("/etc/shadow")
    eventually(lambda: len(list((maildir / "cur").iterdir())) == 6, "all are read")
    names = {"1.hard", "2.again", "3.full", "4.complaint", "5.forged", "6.junk"}
    assert {path.name for path in (maildir / "cur").iterdir()} == {f"{name}:2,S" for name in names}
    rows = suppressed(project)
    assert {address: row["why"] for address, row in rows.items()} == {"ada@example.com": "bounced", "cy@example.com": "complained"}
    assert rows["ada@example.com"]["source"] == "maildir" and "5.1.1" in rows["ada@example.com"]["detail"]
    bounced = events(project, "message_bounced")
    assert sorted((row["contact"], row["properties"]["bounce"]) for row in bounced) == [("ada", "hard"), ("bo", "soft")]
    assert [row["contact"] for row in events(project, "message_complained")] == ["cy"]
    # What is known is shown.
    ada = json.loads(project.succeed("contact", "show", "ada", "--format", "json"))
    assert [row["why"] for row in ada["suppressed"]] == ["bounced"]
    cy = json.loads(project.succeed("contact", "show", "cy", "--format", "json"))
    assert [(row["topic"], row["said"], row["source"], row["message"]) for row in cy["consent_log"]] == [
        ("all", "unsubscribed", "complaint", messages["cy"]["id"])
    ]
    text = project.succeed("contact", "show", "cy")
    assert "Gets nothing at" in text and "all: unsubscribed (complaint, message" in text
    # And acted on.
    send(project, ["ada", "bo", "cy", "di"], "2")
    states = {row["contact"]: (row["status"], row["error"]) for row in project.messages()}
    assert states["ada"] == ("skipped", "suppressed") and states["cy"][0] == "skipped"
    assert states["bo"][0] == states["di"][0] == "sent"


def test_a_maildir_named_later_is_read_too(project):
    _, messages = prepare(project, ["ada"])
    maildir = project.folder / "later"
    for part in ["new", "cur", "tmp"]:
        (maildir / part).mkdir(parents=True)
    deliver(maildir, "1", report(project, messages["ada"]))
    project.settings(more="bounces: { maildir: later }")
    eventually(lambda: "ada@example.com" in suppressed(project), "the reload is heeded")
    project.settings(more="bounces: { maildir: elsewhere }")
    eventually(lambda: (project.folder / "elsewhere" / "new").is_dir(), "so is the next")


def test_killed_while_reading_everything_counts_once(project):
    people = [f"p{number}" for number in range(60)]
    runner, messages = prepare(project, people, more="bounces: { maildir: bounces }")
    maildir = project.folder / "bounces"
    eventually(lambda: (maildir / "new").is_dir(), "the Maildir is there")
    chance = random.Random(7)
    for number, who in enumerate(people):
        deliver(maildir, f"{number:03}", report(project, messages[who], "5.2.2"))
        if number % 20 == 10:
            time.sleep(chance.uniform(0, 1.2))
            runner.kill()
            runner.wait(timeout=30)
            deliver(maildir, f"{number:03}-twice", report(project, messages[who], "5.2.2"))
            runner = project.start()
    eventually(lambda: emptied(maildir), "all are read")
    counted = sorted(row["contact"] for row in events(project, "message_bounced"))
    assert counted == sorted(people)
    assert len(list((maildir / "cur").iterdir())) == len(people) + 3


def pipe(project, mail, *arguments):
    return subprocess.run(
        [PROGRAM, "bounce", "--project", project.folder, *arguments],
        input=mail.encode(), capture_output=True, timeout=60, check=False,
    )


def test_a_mail_server_may_pipe_reports_into_the_program(project):
    runner, messages = prepare(project, ["ada", "bo", "cy"])
    piped = "From MAILER-DAEMON  Fri Mar 27 09:00:00 2026\n" + report(project, messages["ada"])
    assert pipe(project, piped).returncode == 0
    eventually(lambda: "ada@example.com" in suppressed(project), "the runner heard of it")
    # With the token in the envelope alone, and while no runner runs.
    assert project.stop(runner) == 0
    to = f"bounces+{token(project, messages['bo'])}@shop.example"
    mail = report(project, messages["bo"]).replace(to, "bounces@shop.example")
    assert pipe(project, mail, "--recipient", to).returncode == 0
    # Any size is read to its end.
    assert pipe(project, report(project, messages["cy"]) + "x" * 5_000_000).returncode == 0
    assert pipe(project, "Subject: hello\n\nnothing\n").returncode == 0
    assert set(suppressed(project)) == {"ada@example.com"}
    project.start()
    eventually(lambda: len(suppressed(project)) == 3, "and the rest at the next start")


def test_what_cannot_be_taken_is_to_be_sent_again(project):
    assert pipe(project, "x").returncode == 75
    project.settings()
    (project.folder / "state").write_text("no folder")
    done = pipe(project, REPORT.format(to="b+1-00000000000000000000@x", address="a@b", status="5.1.1", message_id="x@y"))
    assert done.returncode == 75 and b"campaignd:" in done.stderr
    # Nothing is lost when there is no store yet.
    (project.folder / "state").unlink()
    assert pipe(project, "x").returncode == 0


HOOKS = """\
bounces:
  webhooks:
    raw: {{ provider: dsn }}
    grid: {{ provider: sendgrid, key: "{sendgrid}" }}
    gun: {{ provider: mailgun, key: "${{MAILGUN_KEY}}" }}
    mark: {{ provider: postmark, key: "user:pass" }}
    amazon: {{ provider: ses, key: "arn:aws:sns:eu-west-1:123456789012:bounces" }}
"""


@pytest.fixture
def hooked(project):
    private = ec.generate_private_key(ec.SECP256R1())
    public = private.public_key().public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    project.write(".env", "MAILGUN_KEY=key-1234\n")
    people = ["ada", "bo", "cy", "di", "ed"]
    _, messages = prepare(project, people, more=HOOKS.format(sendgrid=base64.b64encode(public).decode()), keys=["secret"])
    project.private = private
    return project, messages


def post(project, name, body, **more):
    status, _, answer = project.ask("POST", f"/v1/bounces/{name}", body, **more)
    return status, answer


def test_raw_reports_come_with_a_write_key(hooked):
    project, messages = hooked
    raw = report(project, messages["ada"]).encode()
    for key in [None, "wrong"]:
        status, answer = post(project, "raw", raw, key=key)
        assert (status, answer["code"]) == (401, "unauthorized")
    assert post(project, "raw", raw, key="secret") == (200, {"taken": 1})
    # It is durable when it is answered.
    assert set(suppressed(project)) == {"ada@example.com"}
    assert post(project, "raw", b"junk", key="secret") == (200, {"taken": 0})
    assert post(project, "raw", raw, key="secret") == (200, {"taken": 1})
    assert len(events(project, "message_bounced")) == 1
    status, answer = post(project, "nobody", raw, key="secret")
    assert (status, answer["code"]) == (404, "unknown_webhook")
    assert post(project, "raw", b"x" * (1024 * 1024 + 1), key="secret")[0] == 413
    assert project.ask("GET", "/v1/bounces/raw")[0] == 405


def test_sendgrid_signs_with_its_key(hooked):
    project, messages = hooked

    def ask(events, private=None, at=None, change=b""):
        body, at = json.dumps(events).encode(), str(int(at or time.time()))
        made = (private or project.private).sign(at.encode() + body, ec.ECDSA(hashes.SHA256()))
        headers = {
            "X-Twilio-Email-Event-Webhook-Signature": base64.b64encode(made).decode(),
            "X-Twilio-Email-Event-Webhook-Timestamp": at,
        }
        status, answer = post(project, "grid", body + change, headers=headers)
        return status, answer.get("code", answer.get("taken"))

    bounce = {
        "event": "bounce", "type": "bounce", "email": "Bo@example.com", "smtp-id": f"<{messages['bo']['message_id']}>",
        "status": "5.1.1", "reason": "550 5.1.1 unknown", "timestamp": int(time.time()),
    }
    assert ask([bounce], private=ec.generate_private_key(ec.SECP256R1())) == (403, "wrong_signature")
    assert ask([bounce], change=b" ") == (403, "wrong_signature")
    assert ask([bounce], at=time.time() - 600) == (403, "old_signature")
    assert post(project, "grid", json.dumps([bounce]).encode(), key="secret")[0] == 403
    assert suppressed(project) == {}
    assert ask([bounce, {"event": "deferred", "email": "ada@example.com"}]) == (200, 1)
    assert ask([bounce]) == (200, 1)
    assert set(suppressed(project)) == {"bo@example.com"}
    (row,) = events(project, "message_bounced")
    assert (row["contact"], row["properties"]["bounce"], row["properties"]["template"]) == ("bo", "hard", "hello")


def test_mailgun_signs_a_token(hooked):
    project, messages = hooked

    def ask(key=b"key-1234", at=None):
        at, made_up = str(int(at or time.time())), "0123456789abcdef" * 3
        signature = hmac.new(key, (at + made_up).encode(), hashlib.sha256).hexdigest()
        event = {
            "event": "complained", "recipient": "cy@example.com", "timestamp": time.time(),
            "message": {"headers": {"message-id": messages["cy"]["message_id"]}},
        }
        body = {"signature": {"timestamp": at, "token": made_up, "signature": signature}, "event-data": event}
        status, answer = post(project, "gun", body)
        return status, answer.get("code", answer.get("taken"))

    assert ask(key=b"key-1235") == (403, "wrong_signature")
    assert ask(at=time.time() - 600) == (403, "old_signature")
    assert suppressed(project) == {}
    assert ask() == (200, 1)
    assert suppressed(project)["cy@example.com"]["why"] == "complained"
    consents = json.loads(project.succeed("contact", "show", "cy", "--format", "json"))["consents"]
    assert [row["subscribed"] for row in consents] == [False]


def test_postmark_comes_with_a_password_and_our_token(hooked):
    project, messages = hooked
    (mail,) = (project.folder / "outbox").glob(f"{messages['di']['message_id'].split('@')[0]}.eml")
    sent = token(project, messages["di"])
    assert f"X-PM-Metadata-campaignd: {sent}" in mail.read_text()
    bounce = {"RecordType": "Bounce", "Type": "HardBounce", "TypeCode": 1, "Email": "di@example.com", "Metadata": {"campaignd": sent}}

    def ask(pair):
        headers = {"Authorization": "Basic " + base64.b64encode(pair).decode()} if pair else {}
        return post(project, "mark", bounce, headers=headers)[0]

    assert [ask(pair) for pair in [None, b"user:wrong", b"secret:"]] == [401, 401, 401]
    assert suppressed(project) == {}
    assert ask(b"user:pass") == 200
    assert suppressed(project)["di@example.com"]["source"] == "mark"
    assert [row["contact"] for row in events(project, "message_bounced")] == ["di"]


def test_nobody_but_amazon_is_asked_about_ses(hooked):
    project, _ = hooked
    envelope = {
        "Type": "Notification", "MessageId": "1", "TopicArn": "arn:aws:sns:eu-west-1:123456789012:bounces", "Message": "{}",
        "Timestamp": time.strftime("%Y-%m-%dT%H:%M:%S.000Z", time.gmtime()), "SignatureVersion": "2", "Signature": "AAAA",
        "SigningCertURL": f"https://127.0.0.1:{project.http}/SimpleNotificationService-1.pem",
    }
    for change, code in [
        ({}, "wrong_signature"),
        ({"SigningCertURL": "http://sns.eu-west-1.amazonaws.com/x.pem"}, "wrong_signature"),
        ({"TopicArn": "arn:aws:sns:eu-west-1:666666666666:bounces"}, "wrong_topic"),
    ]:
        status, answer = post(project, "amazon", {**envelope, **change}, key="secret")
        assert (status, answer["code"]) == (403, code), change


def test_the_list_is_kept_by_hand_beside_a_runner(project):
    _, messages = prepare(project, ["ada", "bo"])
    assert "1 address is" in project.succeed("suppression", "add", " Ada@Example.com ", "--reason", "asked by\nphone")
    row = suppressed(project)["ada@example.com"]
    assert (row["channel"], row["why"], row["source"], row["detail"]) == ("email", "manual", "manual", "asked by phone")
    many = "".join(f"p{number}@example.com\n" for number in range(1200)) + "\nnonsense\n"
    done = subprocess.run(
        [PROGRAM, "suppression", "add", "-", "--project", project.folder],
        input=many, capture_output=True, text=True, timeout=60, check=False,
    )
    assert done.returncode == 1 and "1200 addresses are" in done.stdout and "nonsense" in done.stderr
    assert len(suppressed(project)) == 1201
    assert "email ada@example.com  manual since" in project.succeed("suppression", "list", "--channel", "email")
    assert project.succeed("suppression", "list", "--channel", "sms") == ""
    send(project, ["ada", "bo"], "2")
    assert {row["contact"] for row in project.messages("skipped")} == {"ada"}
    project.succeed("suppression", "remove", "ADA@example.com")
    assert project.command("suppression", "remove", "ada@example.com").returncode == 1
    assert project.command("suppression", "add", "x@y.example", "--channel", "pigeon").returncode == 2
    send(project, ["ada"], "3")
    assert {row["contact"] for row in project.messages("skipped")} == {"ada"} and len(project.messages("skipped")) == 1


def test_erasure_takes_the_address_out_of_every_file(project):
    runner, messages = prepare(project, ["zora-neale", "bo"], more="bounces: { maildir: bounces }")
    maildir = project.folder / "bounces"
    eventually(lambda: (maildir / "new").is_dir(), "the Maildir is there")
    deliver(maildir, "1", report(project, messages["zora-neale"]))
    deliver(maildir, "2", report(project, messages["bo"]))
    assert pipe(project, report(project, messages["zora-neale"], form=COMPLAINT)).returncode == 0
    eventually(lambda: len(suppressed(project)) == 2 and events(project, "message_complained"), "all is taken in")
    project.succeed("contact", "erase", "zora-neale")
    assert set(suppressed(project)) == {"bo@example.com"}
    # What comes late brings nothing back.
    deliver(maildir, "3", report(project, messages["zora-neale"]))
    eventually(lambda: emptied(maildir), "it is read")
    assert set(suppressed(project)) == {"bo@example.com"}
    held = lambda: b"".join(file.read_bytes() for file in (project.folder / "state").iterdir())
    eventually(lambda: b"zora-neale" not in held(), "nothing of it is left")
    assert b"bo@example.com" in held()
    assert project.stop(runner) == 0
    assert b"zora-neale" not in held()


class Remembering(Keeper):
    """Also keeps whom each mail says it comes from, on its envelope."""

    senders = ()

    async def handle_DATA(self, server, session, envelope):
        self.senders = (*self.senders, envelope.mail_from)
        return await super().handle_DATA(server, session, envelope)


def test_what_comes_back_to_a_mails_own_return_path_is_about_that_mail(project):
    with Remembering() as server:
        more = "bounces: { maildir: bounces }"
        _, messages = prepare(
            project, ["ada", "bo"], more=more, deliver=server.url, channel_more="    return_path: bounces@mail.shop.example"
        )
        paths = dict(zip((recipients[0] for recipients in server.recipients), server.senders, strict=True))
    assert len(set(paths.values())) == 2
    path = paths["ada@example.com"]
    assert path == f"bounces+{token(project, messages['ada'])}@mail.shop.example"
    maildir = project.folder / "bounces"
    # It was forwarded: the address that failed is one that we never wrote to.
    mail = REPORT.format(to=path.upper(), address="ada@forwarded.example", status="5.1.1", message_id="x@y")
    deliver(maildir, "1", mail)
    eventually(lambda: set(suppressed(project)) == {"ada@example.com"}, "it is about ada's mail")
