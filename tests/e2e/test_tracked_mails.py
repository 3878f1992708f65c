"""Opens and clicks: off unless switched on, counted once, told apart from machines, and never in anybody's way."""

import concurrent.futures

import pytest

from pages import Shop
from project import eventually

BROWSER = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36"
LINKS = ["https://shop.example/a?x=1&y=2", "https://shop.example/b", "https://shop.example/c"]

SEGMENTS = """\
segments:
  clicked: { message: hello, is: clicked }
  clicked_any: { message: any, is: clicked, within: 1 day }
  opened: { message: hello, is: opened }
  opened_any: { message: any, is: opened, within: 1 day }
  seen: { event: message_opened }
"""

WAITS = """\
workflow: offer
trigger: { event: offered }
reentry: always
topic: offers
steps:
  - send: hello
  - wait_for: { message: hello, is: clicked }
    within: 1 hour
    then:
      - record: followed
"""


@pytest.fixture
def shop(project):
    shop = Shop(project, track=True, files={"workflows/shared.yaml": SEGMENTS, "workflows/offer.yaml": WAITS})
    shop.person("ada")
    return shop


def clicks(shop, number, within=10):
    found = lambda: shop.events("ada", "message_clicked")
    return eventually(lambda: len(found()) >= number and found(), f"{number} clicks", within=within)


def count(shop, segment):
    return int(shop.project.succeed("segment", "count", segment).split()[0])


def test_off_unless_switched_on(project):
    shop = Shop(project)
    shop.person("ada")
    mail = shop.mail("ada")
    assert not mail.paths("c") and not mail.paths("o") and "<img" not in mail.html
    assert 'href="https://shop.example/a?x=1&amp;y=2"' in mail.html


def test_links_lead_on_and_are_counted(shop):
    mail = shop.mail("ada")
    assert len(mail.paths("c")) == 3 and len(mail.paths("o")) == 1
    # The pages of the mail itself stay, and so do the link that was left out, anchors and addresses.
    assert mail.path("u") and mail.path("preferences")
    assert '<a href="https://shop.example/d">' in mail.html and 'href="#top"' in mail.html and 'href="mailto:x@shop.example"' in mail.html
    for path, url in zip(mail.paths("c"), LINKS):
        status, headers, text = shop.get(path, "HEAD", User_Agent=BROWSER)
        assert (status, headers["Location"], text) == (302, url, b"")
    status, headers, _ = shop.get(mail.paths("c")[0], User_Agent=BROWSER)
    assert (status, headers["Location"], headers["Cache-Control"]) == (302, LINKS[0], "no-store")
    clicked = clicks(shop, 1)
    assert len(clicked) == 1
    message = shop.rows("messages")[0]
    expected = {"template": "hello", "workflow": "offer", "step": message["step"], "channel": "email", "url": LINKS[0]}
    assert clicked[0]["properties"] == expected
    # The run heard of it.
    eventually(lambda: shop.events("ada", "followed"), "the run goes on by the click")
    assert count(shop, "clicked") == 1 and count(shop, "clicked_any") == 1


def test_an_open_counts_once_in_an_hour(shop):
    path = shop.mail("ada").path("o")
    for method in ("HEAD", "GET", "GET", "GET"):
        status, headers, image = shop.get(path, method, User_Agent="curl/8.5.0")
        assert (status, headers["Content-Type"]) == (200, "image/gif")
        assert image == b"" if method == "HEAD" else image.startswith(b"GIF89a")
    eventually(lambda: shop.events("ada", "message_opened"), "an open")
    # What came before it has been taken in, too.
    shop.event("ada", "marker")
    eventually(lambda: shop.events("ada", "marker"), "a later event")
    assert [row["properties"].get("machine") for row in shop.events("ada", "message_opened")] == [None]
    assert count(shop, "opened") == 1


@pytest.mark.parametrize("agent", ["Mozilla/5.0", "Mozilla/5.0 (Windows NT 5.1; rv:11.0) Gecko Firefox/11.0 (via ggpht.com GoogleImageProxy)", "BarracudaCentral"])
def test_what_machines_do_is_no_open(shop, agent):
    mail = shop.mail("ada")
    shop.get(mail.path("o"), User_Agent=agent)
    shop.get(mail.path("c"), User_Agent=agent)
    clicks(shop, 1)
    events = shop.events("ada", "message_opened", "message_clicked")
    assert [row["properties"]["machine"] for row in events] == [True, True]
    assert [count(shop, name) for name in ("opened", "opened_any", "clicked", "clicked_any", "seen")] == [0, 0, 0, 0, 1]
    assert not shop.events("ada", "followed")
    # A person after it counts all the same.
    shop.get(mail.path("o"), User_Agent=BROWSER)
    eventually(lambda: count(shop, "opened") == 1, "the person's open")


def test_all_links_at_once_are_a_scanners(shop):
    mail = shop.mail("ada")
    with concurrent.futures.ThreadPoolExecutor(3) as pool:
        answers = list(pool.map(lambda path: shop.get(path, User_Agent=BROWSER)[:2], mail.paths("c")))
    assert [(status, headers["Location"]) for status, headers in answers] == [(302, url) for url in LINKS]
    assert [row["properties"].get("machine") for row in clicks(shop, 3)] == [True] * 3
    assert count(shop, "clicked") == 0 and not shop.events("ada", "followed")
    # The same link later is a person's.
    shop.get(mail.paths("c")[0], User_Agent=BROWSER)
    assert clicks(shop, 4)[-1]["properties"].get("machine") is None
    eventually(lambda: shop.events("ada", "followed"), "the run goes on by the click")


def test_clicks_that_are_held_back_outlive_a_stop(shop):
    mail = shop.mail("ada")
    shop.get(mail.path("c"), User_Agent=BROWSER)
    assert shop.project.stop(shop.project.runners[-1]) == 0
    assert len(shop.events("ada", "message_clicked")) == 1


def test_no_open_redirect(shop):
    mail = shop.mail("ada")
    token = mail.path("c").removeprefix("/c/")
    for forged in [token[:-2], token[:8] + "AAAA" + token[12:], mail.path("o").removeprefix("/o/"), mail.path("u").removeprefix("/u/")]:
        status, headers, _ = shop.get(f"/c/{forged}")
        assert status == 404 and "Location" not in headers
    for text in ("?url=https://evil.example", "/https://evil.example"):
        status, headers, _ = shop.get("/c/" + token + text)
        assert headers.get("Location") in (None, LINKS[0])


def test_an_erased_person_is_led_on_and_not_counted(shop):
    mail = shop.mail("ada")
    shop.project.succeed("contact", "erase", "ada", "--yes")
    status, headers, _ = shop.get(mail.path("c"), User_Agent=BROWSER)
    assert (status, headers["Location"]) == (302, LINKS[0])
    assert shop.get(mail.path("o"), User_Agent=BROWSER)[0] == 200
    assert shop.project.stop(shop.project.runners[-1]) == 0
    assert not [row for row in shop.rows("events") if row["event"] in ("message_clicked", "message_opened")]
