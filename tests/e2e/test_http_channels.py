"""Channels that make requests, known providers, and calls: what arrives is checked by others' code."""

import base64
import datetime
import hashlib
import hmac
import json
import subprocess
import urllib.parse

import dkim.crypto
import standardwebhooks

from project import eventually
from providers import Provider

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


def settings(project, deliver, channel="sms", more=""):
    project.write(
        "campaignd.yaml",
        f"""\
project: test
time_zone: UTC
store: sqlite:state/campaignd.db
private_hosts: [127.0.0.1]
channels:
  {channel}:
    deliver: {deliver}
    connections: 2
    retry: {{ first: 1 second, most: 2 seconds, for: 1 hour }}
topics:
  offers: {{ default: subscribed }}
http: {{ listen: "127.0.0.1:{project.http}" }}
contract: open
{more}
""",
    )


def workflow(project, steps):
    project.write("workflows/hello.yaml", f"workflow: hello\ntrigger: {{ event: signed_up }}\ntopic: offers\nsteps:\n{steps}")


def people(project, *people):
    now = datetime.datetime.now(datetime.timezone.utc).isoformat()
    project.succeed("import", "contacts", str(project.lines("contacts.jsonl", people)))
    events = [{"at": now, "contact": person["id"], "event": "signed_up"} for person in people]
    project.succeed("import", "events", str(project.lines("events.jsonl", events)))


ADA = {"id": "ada", "phone": "+491701234567", "first_name": "Ada \"Ä\" & Co"}
SEND = """\
  - send: { text: "Hi {{contact.first_name}}, your code is {{code}}" }
    channel: sms
    id: hi
    with: { code: "42" }
"""


def one(project, deliver, provider, steps=SEND, person=ADA, status="sent", more=""):
    """Sends one message, and gives its row."""
    settings(project, deliver, more=more)
    workflow(project, steps)
    project.start()
    people(project, person)
    project.wait_through("hello", 1)
    (row,) = project.messages()
    assert row["status"] == status, row
    return row


def test_a_request_that_standard_webhooks_verifies(project):
    with Provider() as provider:
        project.write(".env", f"HOOK_SECRET={SECRET}\nTOKEN=t0k\n")
        deliver = f"""
      post: "{provider.url}/messages/{{{{contact.id}}}}?to={{{{contact.phone}}}}"
      headers: {{ Authorization: "Bearer ${{TOKEN}}" }}
      json: {{ to: "{{{{contact.phone}}}}", text: "{{{{body}}}}", ref: ["{{{{message.id}}}}"] }}
      sign: "${{HOOK_SECRET}}"
"""
        row = one(project, deliver, provider)
        (request,) = provider.requests
        assert request["path"] == "/messages/ada?to=%2B491701234567"
        body = standardwebhooks.Webhook(SECRET).verify(request["body"], {key.lower(): value for key, value in request["headers"].items()})
        message_id = row["message_id"].strip("<>")
        assert body == {"to": ADA["phone"], "text": "Hi Ada \"Ä\" & Co, your code is 42", "ref": [message_id]}
        assert provider.header(0, "Authorization") == "Bearer t0k"
        assert provider.header(0, "Idempotency-Key") == provider.header(0, "webhook-id") == message_id.split("@")[0]
        assert "t0k" not in project.log() and ADA["phone"] not in project.log()


def test_the_same_key_over_attempts_and_a_refusal(project):
    answers = iter([(503, {"Retry-After": "1"}, ""), (429, {}, "{}"), (422, {}, '{"code": 1234, "message": "+491701234567 is wrong"}')])
    with Provider(lambda _: next(answers)) as provider:
        deliver = f'{{ post: "{provider.url}/", json: {{ to: "{{{{contact.phone}}}}", text: "{{{{body}}}}" }} }}'
        row = one(project, deliver, provider, status="failed")
        assert len({provider.header(index, "Idempotency-Key") for index in range(3)}) == 1
        assert row["attempts"] == 3 and row["error"] == "the server answered 422, error 1234"


def test_nothing_private_unless_it_is_listed(project):
    with Provider() as provider:
        deliver = f'{{ post: "{provider.url.replace("127.0.0.1", "localhost")}/", json: {{ to: "{{{{contact.phone}}}}" }} }}'
        row = one(project, deliver, provider, status="failed")
        assert "private_hosts" in row["error"] and provider.requests == []


def test_twilio(project):
    with Provider(lambda _: (201, {}, '{"sid": "SM1"}')) as provider:
        project.write(".env", "TWILIO_TOKEN=t0k\n")
        deliver = '{ preset: twilio, options: { account: AC1, token: "${TWILIO_TOKEN}", from: "+15005550006", url: "%s" } }' % provider.url
        one(project, deliver, provider)
        (request,) = provider.requests
        assert request["path"] == "/2010-04-01/Accounts/AC1/Messages.json"
        fields = dict(urllib.parse.parse_qsl(request["body"], strict_parsing=True))
        assert fields == {"To": ADA["phone"], "From": "+15005550006", "Body": "Hi Ada \"Ä\" & Co, your code is 42"}
        assert provider.header(0, "Authorization") == "Basic " + base64.b64encode(b"AC1:t0k").decode()


def test_aliyun_signs_as_documented(project):
    with Provider(lambda _: (200, {}, '{"Code": "OK"}')) as provider:
        deliver = (
            '{ preset: aliyun_sms, options: { key_id: id, key_secret: s3cret, sign_name: "商店", template_code: SMS_1, url: "%s" } }'
            % provider.url
        )
        one(project, deliver, provider)
        fields = dict(urllib.parse.parse_qsl(provider.requests[0]["body"], strict_parsing=True))
        signature = fields.pop("Signature")
        assert json.loads(fields["TemplateParam"]) == {"body": "Hi Ada \"Ä\" & Co, your code is 42", "code": "42"}
        quote = lambda text: urllib.parse.quote(text, safe="-_.~")
        query = "&".join(f"{quote(name)}={quote(value)}" for name, value in sorted(fields.items()))
        text = f"POST&{quote('/')}&{quote(query)}"
        expected = hmac.new(b"s3cret&", text.encode(), hashlib.sha1).digest()
        assert signature == base64.b64encode(expected).decode()
        at = datetime.datetime.strptime(fields["Timestamp"], "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=datetime.timezone.utc)
        assert abs(datetime.datetime.now(datetime.timezone.utc) - at) < datetime.timedelta(minutes=2)


def test_fcm_asks_for_a_token_once(project):
    pem = subprocess.run(["openssl", "genpkey", "-algorithm", "RSA"], capture_output=True, text=True, check=True).stdout
    public = subprocess.run(["openssl", "pkey", "-pubout", "-outform", "DER"], input=pem.encode(), capture_output=True, check=True).stdout

    def answer(request):
        if request["path"] == "/token":
            return 200, {}, json.dumps({"access_token": "ya29.x", "expires_in": 3599, "token_type": "Bearer"})
        if "gone" in request["body"]:
            details = [{"@type": "type.googleapis.com/google.firebase.fcm.v1.FcmError", "errorCode": "UNREGISTERED"}]
            return 404, {}, json.dumps({"error": {"code": 404, "status": "NOT_FOUND", "details": details}})
        return 200, {}, '{"name": "projects/shop/messages/1"}'

    with Provider(answer) as provider:
        account = {
            "type": "service_account", "project_id": "shop", "private_key_id": "k1", "private_key": pem,
            "client_email": "runner@shop.example", "token_uri": f"{provider.url}/token",
        }
        project.write("keys/fcm.json", json.dumps(account))
        settings(project, '{ preset: fcm, options: { service_account: keys/fcm.json, url: "%s" } }' % provider.url, channel="push")
        workflow(project, "  - send: { subject: Hello, text: \"Hi {{contact.id}}\" }\n    channel: push\n    id: hi\n")
        project.start()
        people(project, *({"id": name, "push_token": f"token-{name}"} for name in ("ada", "bo", "gone")))
        project.wait_through("hello", 3)
        rows = {row["contact"]: row for row in project.messages()}
        assert {name: row["status"] for name, row in rows.items()} == {"ada": "sent", "bo": "sent", "gone": "failed"}
        assert rows["gone"]["error"] == "the provider refused it with UNREGISTERED"
        asked = [request for request in provider.requests if request["path"] == "/token"]
        sent = [json.loads(request["body"]) for request in provider.requests if request["path"] == "/v1/projects/shop/messages:send"]
        assert len(asked) == 1 and len(sent) == 3
        assert {"message": {"token": "token-ada", "notification": {"title": "Hello", "body": "Hi ada"}}} in sent
        assertion = dict(urllib.parse.parse_qsl(asked[0]["body"]))["assertion"]
        signed, signature = assertion.rsplit(".", 1)
        key = dkim.crypto.parse_public_key(public)
        padded = lambda text: base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
        assert dkim.crypto.RSASSA_PKCS1_v1_5_verify(dkim.crypto.hashlib.sha256(signed.encode()), padded(signature), key)
        claims = json.loads(padded(signed.split(".")[1]))
        assert claims["iss"] == "runner@shop.example" and claims["aud"] == f"{provider.url}/token"


def test_the_outbox_of_other_channels_is_json(project):
    row = one(project, "outbox:texts/", None)
    (file,) = (project.folder / "texts").iterdir()
    note = json.loads(file.read_text())
    assert file.suffix == ".json"
    assert note["to"] == ADA["phone"] and note["body"] == "Hi Ada \"Ä\" & Co, your code is 42"
    assert note["message_id"] == row["message_id"].strip("<>")
    project.succeed("contact", "erase", "ada", "--yes")
    eventually(lambda: not file.exists(), "the note is gone")


def test_a_call(project):
    answers = iter([(500, {}, ""), (200, {}, '{"ticket": "T-1"}')])
    with Provider(lambda _: next(answers, (200, {}, "{}"))) as provider:
        project.write(".env", f"CRM_TOKEN=t0k\nHOOK={SECRET}\n")
        steps = f"""\
  - call:
      post: "{provider.url}/tickets/{{{{contact.id}}}}"
      headers: {{ Authorization: "Bearer {{{{secrets.crm}}}}" }}
      json: {{ name: "{{{{contact.first_name}}}}", n: 7 }}
      sign: hook
      save: vars.ticket
    id: ticket
  - call: {{ get: "{provider.url}/seen?t={{{{vars.ticket.ticket}}}}" }}
    id: seen
"""
        settings(project, "outbox:texts/", more='secrets: { crm: "${CRM_TOKEN}", hook: "${HOOK}" }')
        workflow(project, steps)
        project.start()
        people(project, ADA)
        eventually(lambda: len(provider.requests) == 3, "three requests")
        first, again, last = provider.requests
        assert first["body"] == again["body"] and first["path"] == again["path"] == "/tickets/ada"
        assert provider.header(0, "Idempotency-Key") == provider.header(1, "Idempotency-Key")
        assert provider.header(1, "Authorization") == "Bearer t0k"
        headers = {key.lower(): value for key, value in again["headers"].items()}
        assert standardwebhooks.Webhook(SECRET).verify(again["body"], headers) == {"name": ADA["first_name"], "n": 7}
        assert last["method"] == "GET" and last["path"] == "/seen?t=T-1"
