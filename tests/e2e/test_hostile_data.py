"""Data that wants to be more than data: it never becomes a header, an address or markup."""

import datetime

from mail_server import Keeper

WORKFLOW = """\
workflow: hello
trigger: { event: signed_up }
topic: offers
steps:
  - send:
      subject: "Hello {{default contact.first_name \\"there\\"}}"
      html: '<p>Hello {{default contact.first_name "there"}}</p><p><a href="{{unsubscribe_url}}">Unsubscribe</a></p>'
    id: hello
"""

HOSTILE = {
    "crlf": "Eve\r\nBcc: victim@elsewhere.example\r\nX-Evil: 1\r\n\r\n<b>body</b>",
    "lf": "Eve\nBcc: victim@elsewhere.example",
    "cr": "Eve\rBcc: victim@elsewhere.example",
    "html": "<script>alert(1)</script><img src=x onerror=alert(1)>",
    "nul": "Eve\u0000 and \u0007 friends",
    "separators": "Eve\u2028Bcc: victim@elsewhere.example\u0085X-Evil: 1",
    "dots": "Eve\r\n.\r\nMAIL FROM:<evil@elsewhere.example>\r\n",
    "template": "{{contact.email}} {{{unsubscribe_url}}} ${HOME}",
    "megabyte": "E" * 1024 * 1024,
    "emoji": "Zoë 🎉 " * 50,
}

# Addresses that hold more than an address: they may be refused, they must not reach anybody.
ADDRESSES = {
    "address-crlf": "a@shop.example>\r\nRCPT TO:<victim@elsewhere.example",
    "address-list": "a@shop.example, victim@elsewhere.example",
    "address-option": "a@shop.example> NOTIFY=SUCCESS,FAILURE",
}

HEADERS = {
    "from", "to", "subject", "date", "message-id", "mime-version", "content-type", "content-transfer-encoding",
    "list-unsubscribe", "list-unsubscribe-post", "list-id", "x-peer", "x-mailfrom", "x-rcptto", "auto-submitted", "precedence", "feedback-id",
}


def test_data_stays_data(project):
    with Keeper() as server:
        project.settings(deliver=server.url)
        project.write("workflows/hello.yaml", WORKFLOW)
        project.start()
        people = [{"id": name, "email": f"{name}@shop.example", "attributes": {"first_name": text}} for name, text in HOSTILE.items()]
        people += [{"id": name, "email": address} for name, address in ADDRESSES.items()]
        contacts = project.lines("contacts.jsonl", people)
        # A row may be refused; what is let in must be harmless.
        assert project.command("import", "contacts", str(contacts)).returncode in (0, 1)
        now = datetime.datetime.now(datetime.timezone.utc).isoformat()
        events = project.lines("events.jsonl", ({"at": now, "contact": person["id"], "event": "signed_up"} for person in people))
        assert project.command("import", "events", str(events)).returncode in (0, 1)
        entered = len(people)
        project.wait_through("hello", entered)

        reached = {recipient for recipients in server.recipients for recipient in recipients}
        assert reached <= {f"{name}@shop.example" for name in HOSTILE}
        # A name of a megabyte may be too much for a subject; everybody else gets their mail.
        assert {f"{name}@shop.example" for name in HOSTILE if name != "megabyte"} <= reached
        for mail, recipients in zip(server.mails, server.recipients, strict=True):
            assert len(recipients) == 1
            assert {name.lower() for name in mail.keys()} <= HEADERS
            assert mail.get_all("Subject") and len(mail.get_all("Subject")) == 1
            assert [address.addr_spec for address in mail["To"].addresses] == recipients
            assert not any(char in str(mail["Subject"]) for char in "\r\n\x00")
            html = mail.get_body(("html",)).get_content()
            assert "<script" not in html and "<img" not in html and "<b>" not in html
            assert mail["List-Unsubscribe"] and mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
        texts = {row["contact"]: row for row in project.messages("sent")}
        assert "{{contact.email}}" in texts["template"]["subject"], "data is not a template"
