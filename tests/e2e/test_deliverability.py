"""Signatures that independent verifiers accept, return paths, and what refusals say."""

import base64
import json
import subprocess

import dkim
import nacl.signing

from mail_server import Keeper
from project import eventually
from test_smtp_trouble import sign_up

WORKFLOW = """\
workflow: hello
trigger: { event: signed_up }
topic: offers
steps:
  - send: { subject: "Grüße, {{contact.id}}", text: "%s", html: "<p>Hello  there, &uuml;</p>" }
    id: hello
"""
# Trailing blanks, empty lines at the end, dots, tabs, long lines, words of other alphabets.
BODY = "Hello  there \\t \\n.\\n..\\n  \\u00e4\\t\\n" + "word " * 400 + "\\n\\n {{unsubscribe_url}} \\n \\n\\n"


def rsa_pem(bits=2048):
    return subprocess.run(["openssl", "genrsa", str(bits)], capture_output=True, text=True, check=True).stdout


def ed25519_pem():
    """PKCS#8 (RFC 8410) of a new key."""
    seed = bytes(nacl.signing.SigningKey.generate())
    der = bytes.fromhex("302e020100300506032b657004220420") + seed
    return "-----BEGIN PRIVATE KEY-----\n" + base64.b64encode(der).decode() + "\n-----END PRIVATE KEY-----\n"


def dns_of(project):
    """The records that the program says are to be published."""
    rows = json.loads(project.succeed("dkim", "--format", "json"))
    return {row["name"]: row["value"] for row in rows}


def verify(mail, records):
    """Each of the mail's signatures, by the one verifier everybody has."""

    def lookup(name, timeout=5):
        return records[name.decode().rstrip(".")].encode()

    verifier = dkim.DKIM(mail)
    count = sum(1 for name, _ in verifier.headers if name.lower() == b"dkim-signature")
    return [dkim.DKIM(mail).verify(idx=index, dnsfunc=lookup) for index in range(count)]


class Raw(Keeper):
    """Keeps mails as they came, and who they are from by the envelope."""

    def __init__(self):
        super().__init__()
        self.raw = []
        self.senders = []

    async def handle_DATA(self, server, session, envelope):
        with self.lock:
            self.raw.append(envelope.content)
            self.senders.append(envelope.mail_from)
        return await super().handle_DATA(server, session, envelope)


CHANNEL = """\
    reply_to: Service <service@shop.example>
    return_path: bounces@shop.example
    dkim:
      - { domain: shop.example, selector: rsa1, key: keys/rsa.pem }
      - { domain: shop.example, selector: ed1, key: "${DKIM_ED}" }
"""


def prepare(project, deliver):
    project.settings(deliver=deliver, channel_more=CHANNEL)
    project.write("keys/rsa.pem", rsa_pem())
    project.write("keys/ed.pem", ed25519_pem())
    project.write(".env", "DKIM_ED=keys/ed.pem\n")
    project.write("workflows/hello.yaml", WORKFLOW % BODY)


def test_two_signatures_on_every_mail(project):
    with Raw() as server:
        prepare(project, server.url)
        records = dns_of(project)
        assert records.keys() == {"rsa1._domainkey.shop.example", "ed1._domainkey.shop.example"}
        project.start()
        sign_up(project, 12)
        project.wait_through("hello", 12)
        assert len(server.raw) == 12
        for mail in server.raw:
            assert verify(mail, records) == [True, True]
            changed = mail.replace(b"Reply-To: Service", b"Reply-To: Nobody")
            assert changed != mail and verify(changed, records) == [False, False]
            added = mail.replace(b"\r\n\r\n", b"\r\nList-Unsubscribe: <https://evil.example>\r\n\r\n", 1)
            assert verify(added, records) == [False, False]
            signed = mail.split(b"h=")[1].split(b";")[0].replace(b"\r\n\t", b"").lower().split(b":")
            for name in (b"from", b"to", b"subject", b"date", b"message-id", b"reply-to", b"list-unsubscribe", b"list-unsubscribe-post"):
                assert signed.count(name) == 2, name
            assert signed.count(b"feedback-id") == 1
        # Every mail has a return path of its own, by which it is known again.
        assert len(set(server.senders)) == 12
        assert all(sender.startswith("bounces+") and sender.endswith("@shop.example") for sender in server.senders)


def test_the_outbox_is_signed_as_well(project):
    prepare(project, "outbox:outbox/")
    project.start()
    sign_up(project, 3)
    project.wait_through("hello", 3)
    files = sorted((project.folder / "outbox").glob("*.eml"))
    assert len(files) == 3
    for file in files:
        path, mail = file.read_bytes().split(b"\r\n", 1)
        assert path.startswith(b"Return-Path: <bounces+") and path.endswith(b"@shop.example>")
        assert verify(mail, dns_of(project)) == [True, True]


def test_a_key_that_cannot_sign(project):
    prepare(project, "outbox:outbox/")
    project.write("keys/rsa.pem", rsa_pem(1024))
    runner = project.start(ready=False)
    assert runner.wait(timeout=30) == 1
    assert "fewer than 2048 bits" in project.log() and "rsa1._domainkey.shop.example" in project.log()
    project.write("keys/rsa.pem", rsa_pem())
    project.start()
    sign_up(project, 1)
    project.wait_through("hello", 1)
    # A reload that cannot read the new key goes on with the old one.
    records = dns_of(project)
    project.write("keys/rsa.pem", "SECRET-NONSENSE")
    project.settings(deliver="outbox:outbox/", connections=5, channel_more=CHANNEL)
    eventually(lambda: "no private key in PEM" in project.log(), "the reload was refused", within=60)
    assert "SECRET-NONSENSE" not in project.log()
    now = project.lines("late.jsonl", [{"id": "late", "email": "late@shop.example"}])
    project.succeed("import", "contacts", str(now))
    sign_up(project, 2)
    eventually(lambda: len(list((project.folder / "outbox").glob("*.eml"))) == 2, "the second mail")
    for file in (project.folder / "outbox").glob("*.eml"):
        assert verify(file.read_bytes().split(b"\r\n", 1)[1], records) == [True, True]


def test_a_mailbox_with_letters_of_any_kind(project):
    with Raw() as server:
        project.settings(deliver=server.url)
        project.write("workflows/hello.yaml", WORKFLOW % "Hello {{unsubscribe_url}}")
        server.controller.SMTP_kwargs["enable_SMTPUTF8"] = True
        project.start()
        people = [{"id": "j", "email": "jürgen@bücher.example"}, {"id": "a", "email": "ada@bücher.example"}]
        project.succeed("import", "contacts", str(project.lines("contacts.jsonl", people)))
        sign_up(project, 1)
        events = [{"contact": person["id"], "event": "signed_up", "at": project_now()} for person in people]
        project.succeed("import", "events", str(project.lines("events.jsonl", events)))
        project.wait_through("hello", 3)
        recipients = sorted(address for addresses in server.recipients for address in addresses)
        assert recipients == ["ada@xn--bcher-kva.example", "c00@shop.example", "jürgen@xn--bcher-kva.example"]


def project_now():
    import datetime

    return datetime.datetime.now(datetime.timezone.utc).isoformat()
