"""The pages behind the links in mails: what changes something and what does not, what they say, and who can use them."""

import html.parser
import re
import threading
import time

import pytest

from mail_server import Keeper
from pages import Mail, Shop, WORKFLOW
from project import eventually

MANY = """\
workflow: many
trigger: { event: offered, key: event.n }
reentry: always
topic: offers
steps:
  - send: hello
"""


@pytest.fixture
def shop(project):
    return Shop(project)


def refuses(shop, path, body="List-Unsubscribe=One-Click"):
    before = shop.state()
    for method in ("GET", "HEAD", "POST"):
        status, _, _ = shop.post(path, body) if method == "POST" else shop.get(path, method)
        assert status == 404, (method, path)
    assert shop.state() == before


def test_looking_at_every_link_of_a_mail_changes_nothing(shop):
    shop.person("ada")
    mail = shop.mail("ada")
    shop.event("ada", "subscribed", topic="tips")
    eventually(lambda: shop.consent("ada").get("pending"), "a subscription waits")
    before = shop.state(), shop.consent("ada")
    paths = {path for kind in ("u", "preferences") for path in mail.paths(kind)}
    assert len(paths) == 2
    for path in [*paths, "/confirm/" + shop.token("ada", "tips", "confirm")]:
        for method in ("GET", "HEAD", "GET"):
            status, headers, text = shop.get(path, method, User_Agent="Barracuda")
            assert status == 200
            assert (len(text) == 0) == (method == "HEAD")
            assert "Set-Cookie" not in headers
    assert (shop.state(), shop.consent("ada")) == before


@pytest.mark.parametrize("kind", ["application/x-www-form-urlencoded", "multipart/form-data; boundary=xyz"])
def test_one_click_ends_the_topic_of_the_mail(shop, kind):
    shop.person("ada")
    mail = shop.mail("ada")
    assert mail.mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    url = mail.mail["List-Unsubscribe"].strip("<>")
    body = "List-Unsubscribe=One-Click"
    if kind.startswith("multipart"):
        body = '--xyz\r\nContent-Disposition: form-data; name="List-Unsubscribe"\r\n\r\nOne-Click\r\n--xyz--\r\n'
    status, headers, _ = shop.post(url.removeprefix("https://mail.shop.example"), body, kind)
    assert status == 200 and "Set-Cookie" not in headers and "Location" not in headers
    # Durable with the answer: nobody has to wait for it.
    consent = shop.consent("ada")
    assert consent["topics"] == {"offers": False}
    message = shop.rows("messages")[0]["id"]
    entry = consent["log"][-1]
    assert (entry["said"], entry["topic"], entry["source"], str(entry["message"])) == ("unsubscribed", "offers", "one_click", str(message))
    # Once more changes nothing more.
    shop.post(url.removeprefix("https://mail.shop.example"), body, kind)
    assert shop.consent("ada") == consent
    shop.event("ada", "offered")
    eventually(lambda: [row for row in shop.rows("messages") if row["status"] == "skipped"], "the next mail is skipped")
    assert len(shop.mails()) == 1


def test_one_click_in_a_mail_without_topic_ends_everything(shop):
    shop.person("ada", topics=["offers", "news"])
    assert shop.post("/u/" + shop.token("ada"), "List-Unsubscribe=One-Click")[0] == 200
    assert shop.consent("ada")["none"] is True
    assert not shop.topics("ada")


def test_by_the_page_there_and_back(shop):
    shop.person("ada")
    path = shop.mail("ada").path("u")
    status, text = shop.page(path)
    assert status == 200 and "Offers &amp; &lt;sales&gt;" in text and "ada" not in text and "people.example" not in text
    _, _, done = shop.post(path, "from=topic")
    assert b"You are unsubscribed" in done and b"/preferences/" in done
    assert shop.consent("ada")["topics"] == {"offers": False}
    assert "At the moment you get no emails" in shop.page(path)[1]
    _, _, done = shop.post(path, "again=yes")
    assert b"You are subscribed again" in done
    assert shop.consent("ada")["topics"] == {"offers": True}
    _, _, done = shop.post(path, "from=all")
    assert b"You are unsubscribed" in done and b"again" not in done.split(b"<main>")[1]
    assert shop.consent("ada")["none"] is True
    assert [entry["source"] for entry in shop.consent("ada")["log"]] == ["page"] * 3


def test_choosing_topics(shop):
    shop.person("ada")
    path = "/preferences/" + shop.token("ada")
    assert checked(shop.page(path)[1]) == {"news": False, "offers": True, "tips": False}
    shown = "shown=news&shown=offers&shown=tips"
    _, _, text = shop.post(path, f"{shown}&topic=news&topic=tips&topic=nope")
    assert checked(text.decode()) == {"news": True, "offers": False, "tips": True}
    assert b"Your choices are saved." in text and b'role="status"' in text
    # Who says so on the page has had a mail: there is nothing to confirm.
    assert shop.consent("ada")["topics"] == {"news": True, "offers": False, "tips": True}
    before = shop.state()
    # Topics that the page did not show, and topics that are none, are left alone; the same once more is no event.
    shop.post(path, "shown=news&topic=news&shown=other")
    shop.post(path, "")
    shop.post(path, "topic=offers")
    assert shop.state() == before
    _, _, text = shop.post(path, f"{shown}&topic=news&everything=no")
    assert checked(text.decode()) == {"news": False, "offers": False, "tips": False}
    assert shop.consent("ada")["none"] is True


def test_confirming_tells_the_truth(shop):
    shop.person("ada")
    path = "/confirm/" + shop.token("ada", "tips", "confirm")
    assert "There is nothing to confirm" in shop.page(path)[1]
    shop.event("ada", "subscribed", topic="tips")
    eventually(lambda: shop.consent("ada").get("pending"), "a subscription waits")
    assert shop.topics("ada") in (None, ["offers"])
    assert "Confirm your subscription" in shop.page(path)[1]
    assert b"Your subscription is confirmed" in shop.post(path, "confirm=yes")[2]
    assert shop.consent("ada")["topics"]["tips"] is True
    assert shop.consent("ada")["log"][-1]["source"] == "confirmation"
    before = shop.state()
    assert b"You are subscribed already" in shop.post(path, "confirm=yes")[2]
    assert shop.state() == before
    shop.post("/u/" + shop.token("ada", "tips"), "from=topic")
    before = shop.state()
    # The old link does not bring back what was taken back.
    assert b"There is nothing to confirm" in shop.post(path, "confirm=yes")[2]
    assert shop.state() == before and shop.consent("ada")["topics"]["tips"] is False


def test_forged_cut_and_swapped_tokens_change_nothing(shop):
    shop.person("ada")
    path = shop.mail("ada").path("u")
    shop.event("ada", "subscribed", topic="tips")
    eventually(lambda: shop.consent("ada").get("pending"), "a subscription waits")
    token = path.removeprefix("/u/")
    middle = len(token) // 2
    forged = [token[:-1], token[1:], token[:middle], token + "A", token[:3] + ("A" if token[3] != "A" else "B") + token[4:], "x", "%ff", "A" * 5000]
    for text in forged:
        for page in ("u", "preferences", "confirm", "c", "o"):
            if page in ("c", "o"):
                assert shop.get(f"/{page}/{text}")[0] == 404
            else:
                refuses(shop, f"/{page}/{text}")
    # Each opens what it was made for, and nothing else.
    confirm, opened = shop.token("ada", "tips", "confirm"), shop.token("ada", "offers", "open")
    refuses(shop, f"/confirm/{token}")
    for other in (confirm, opened):
        refuses(shop, f"/u/{other}")
        refuses(shop, f"/preferences/{other}")
    refuses(shop, f"/confirm/{opened}")
    assert "This link does not work" in shop.page("/u/x")[1]
    assert shop.get("/c/" + token)[0] == 404


def test_an_erased_person_has_no_page(shop):
    shop.person("ada")
    path = shop.mail("ada").path("u")
    shop.project.succeed("contact", "erase", "ada", "--yes")
    eventually(lambda: shop.get(path)[0] == 404, "the page is gone")
    refuses(shop, path)


def test_pages_are_sealed(shop):
    shop.person("ada")
    for path in ("/u/" + shop.token("ada"), "/u/x"):
        _, headers, text = shop.get(path)
        policy = headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy and "form-action 'self'" in policy and "frame-ancestors 'none'" in policy and "script" not in policy
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Referrer-Policy"] == "no-referrer"
        assert headers["Cache-Control"] == "no-store"
        assert headers["X-Frame-Options"] == "DENY"
        assert "noindex" in headers["X-Robots-Tag"]
        assert b"<script" not in text and b"noindex" in text
    token = shop.token("ada")
    shop.post(f"/u/{token}", "from=all")
    assert token not in shop.project.log() and "people.example" not in shop.project.log()


def test_the_page_speaks_the_language_of_whoever_looks(shop):
    shop.person("ada", locale="de-AT")
    shop.person("bo", locale="fr")
    shop.person("cy", locale="zh-CN")

    def lang(name, **headers):
        return re.search('<html lang="([^"]+)"', shop.page("/u/" + shop.token(name), **headers)[1])[1]

    assert lang("ada") == "de"
    assert lang("ada", Accept_Language="en") == "de"
    assert lang("bo") == "en"
    assert lang("bo", Accept_Language="fr, zh-CN;q=0.8, de;q=0.5") == "zh-Hans"
    assert lang("cy") == "zh-Hans"
    assert 'lang="de"' in shop.page("/u/x", Accept_Language="de")[1]


THEME = """\
<!doctype html><html lang="{{lang}}"><head><title>{{title}} | {{project}}</title></head>
<body><main class="ours">{{{content}}}</main><p>THEME</p></body></html>
"""


def test_a_layout_of_ones_own(project):
    shop = Shop(project, files={"templates/pages/layout.html.hbs": THEME, "templates/pages/layout.de.html.hbs": THEME.replace("THEME", "DEUTSCH")})
    shop.person("ada", locale="de")
    shop.person("bo")
    assert "THEME" in shop.page("/u/" + shop.token("bo"))[1]
    text = shop.page("/u/" + shop.token("ada"))[1]
    assert "DEUTSCH" in text and "<title>Abmelden | flower-works</title>" in text and 'lang="de"' in text
    # A broken one is refused, and the page stays as it was; without one there is ours.
    project.write("templates/pages/layout.html.hbs", "<p>{{{nothing}}}</p>")
    codes = project.command("validate", "--format", "json").stdout
    assert "page-without-content" in codes and "page-variable" in codes
    eventually(lambda: project.status()["definitions"]["stale"], "the broken layout was seen")
    assert "THEME" in shop.page("/u/" + shop.token("bo"))[1]
    (project.folder / "templates/pages/layout.html.hbs").unlink()
    eventually(lambda: "flower-works</p></header>" in shop.page("/u/" + shop.token("bo"))[1], "our own layout is back")
    assert "DEUTSCH" in shop.page("/u/" + shop.token("ada"))[1]


class Boxes(html.parser.HTMLParser):
    def __init__(self):
        super().__init__()
        self.found = {}
        self.tags = []

    def handle_starttag(self, tag, attributes):
        given = dict(attributes)
        self.tags.append(tag)
        if tag == "input" and given.get("type") == "checkbox":
            self.found[given["value"]] = "checked" in given


def checked(text):
    boxes = Boxes()
    boxes.feed(text)
    assert "sales" not in boxes.tags
    return boxes.found


def test_nothing_begins_after_the_answer(project):
    """Many mails to one person are under way when that person unsubscribes."""
    with Keeper(slow=0.01) as server:
        shop = Shop(project, deliver=server.url, files={"workflows/many.yaml": MANY, "workflows/offer.yaml": WORKFLOW.format(name="offer", event="never", topic="topic: offers", template="hello")})
        shop.person("ada")
        for part in range(6):
            batch = [{"type": "track", "userId": "ada", "event": "offered", "properties": {"n": f"{part}-{number}"}} for number in range(100)]
            shop.call("batch", batch=batch)
        eventually(lambda: len(server.mails) > 20, "mails are under way", every=0.001)
        token = shop.token("ada", "offers")
        status, _, _ = shop.post(f"/u/{token}", "List-Unsubscribe=One-Click")
        answered, received = time.time() * 1000, len(server.mails)
        assert status == 200
        project.wait_through("many", 600)
        rows = shop.rows("messages")
        begun = [row for row in rows if row["status"] != "skipped"]
        skipped = [row for row in rows if row["status"] == "skipped"]
        assert len(begun) + len(skipped) == 600 and skipped, "all were sent before the answer: the test says nothing"
        assert {row["error"] for row in skipped} == {"unsubscribed"}
        began = shop.began()
        assert len(began) == len(begun) and max(began) <= answered
        # What was on a connection at that moment, at most.
        assert len(server.mails) - received <= 8


def test_many_at_once_are_all_heard(shop):
    """The same person changes their mind by several pages at once; each answer is durable, and the last state is one of those asked for."""
    names = [f"p{number}" for number in range(20)]
    for name in names:
        shop.person(name)
    tokens = {name: shop.token(name, "offers") for name in names}
    answers = []

    def leave(name):
        answers.append(shop.post(f"/u/{tokens[name]}", "List-Unsubscribe=One-Click")[0])

    threads = [threading.Thread(target=leave, args=[name]) for name in names * 3]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == [200] * 60
    assert all(shop.consent(name)["topics"] == {"offers": False} for name in names)
    assert all(len(shop.consent(name)["log"]) == 1 for name in names)
