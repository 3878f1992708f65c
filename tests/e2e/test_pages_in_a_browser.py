"""The pages as people meet them: without a mouse, without scripts, on a small screen, in the dark, with a screen reader."""

import os
import shutil

import pytest
from playwright.sync_api import sync_playwright

from pages import Shop
from project import ROOT, eventually

AXE = ROOT / "target" / "node" / "node_modules" / "axe-core" / "axe.min.js"
PEOPLE = {"ada": "en", "bo": "de", "cy": "zh-CN"}
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


@pytest.fixture(scope="module")
def chromium():
    program = os.environ.get("CHROMIUM") or shutil.which("chromium")
    assert program, "install chromium, or say by CHROMIUM where it is"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def shop(project):
    shop = Shop(project)
    for name, locale in PEOPLE.items():
        shop.person(name, locale=locale)
        shop.event(name, "subscribed", topic="tips")
    eventually(lambda: shop.consent("cy").get("pending"), "subscriptions wait")
    return shop


def addresses(shop, name):
    """Every page that somebody can look at."""
    base = f"http://127.0.0.1:{shop.project.http}"
    return {
        "unsubscribe": f"{base}/u/{shop.token(name, 'offers')}",
        "unsubscribe from all": f"{base}/u/{shop.token(name)}",
        "preferences": f"{base}/preferences/{shop.token(name)}",
        "confirm": f"{base}/confirm/{shop.token(name, 'tips', 'confirm')}",
        "nothing to confirm": f"{base}/confirm/{shop.token(name, 'news', 'confirm')}",
        "dead": f"{base}/u/nothing",
    }


def accessible(page, what):
    page.evaluate(AXE.read_text())
    found = page.evaluate("rules => axe.run(document, { runOnly: rules })", RULES)
    shown = [f"{rule['id']}: {node['html']} {node['failureSummary']}" for rule in found["violations"] for node in rule["nodes"]]
    assert not shown, f"{what}: " + "\n".join(shown)
    assert len(found["passes"]) > 10, "axe looked at nothing"


@pytest.mark.parametrize("name", PEOPLE)
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nothing_that_keeps_anybody_out(shop, chromium, name, scheme):
    context = chromium.new_context(color_scheme=scheme, locale=PEOPLE[name])
    page = context.new_page()
    for what, address in addresses(shop, name).items():
        page.goto(address)
        accessible(page, f"{what} {scheme} {name}")
    # And what comes after each button.
    for what, button in [("unsubscribe", 0), ("unsubscribe", 0), ("preferences", 0), ("preferences", 1), ("confirm", 0)]:
        page.goto(addresses(shop, name)[what])
        if page.locator("button").count() > button:
            page.locator("button").nth(button).click()
            accessible(page, f"after {what} {scheme} {name}")
    context.close()


@pytest.mark.parametrize("name", PEOPLE)
def test_small_screens_and_large_letters(shop, chromium, name):
    for width, zoom in [(320, 1), (640, 2), (1280, 4)]:
        context = chromium.new_context(viewport={"width": width // zoom, "height": 640}, device_scale_factor=zoom)
        page = context.new_page()
        for what, address in addresses(shop, name).items():
            page.goto(address)
            sizes = page.evaluate("[document.documentElement.scrollWidth, document.documentElement.clientWidth]")
            assert sizes[0] <= sizes[1], (what, width, zoom)
            # Twice the size of letters only, on the same screen.
            page.evaluate("document.documentElement.style.fontSize = '200%'")
            sizes = page.evaluate("[document.documentElement.scrollWidth, document.documentElement.clientWidth]")
            assert sizes[0] <= sizes[1], (what, width, "large letters")
        context.close()


def test_with_the_keyboard_alone_and_without_scripts(shop, chromium):
    context = chromium.new_context(java_script_enabled=False, locale="en")
    page = context.new_page()
    page.goto(addresses(shop, "ada")["preferences"])
    labels = {}
    order = []
    for _ in range(5):
        page.keyboard.press("Tab")
        focused = page.locator(":focus")
        # What has the focus is seen to have it.
        assert focused.evaluate("node => getComputedStyle(node).outlineStyle") == "solid"
        tag = focused.evaluate("node => node.tagName")
        order.append(tag)
        if tag == "INPUT":
            labels[focused.get_attribute("value")] = focused.evaluate("node => node.labels[0].textContent")
            if focused.get_attribute("value") in ("news", "offers"):
                page.keyboard.press("Space")
    assert order == ["INPUT", "INPUT", "INPUT", "BUTTON", "BUTTON"]
    assert labels == {"news": "News from the workshop", "offers": "Offers & <sales>", "tips": "Care tips"}
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("Enter")
    page.wait_for_selector("[role=status]")
    assert page.locator("[role=status]").inner_text() == "Your choices are saved."
    assert page.title().startswith("Your choices are saved.")
    assert shop.consent("ada")["topics"] == {"news": True, "offers": False}
    # From the mail to the end, by the keyboard.
    page.goto(addresses(shop, "bo")["unsubscribe"])
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.wait_for_selector("[role=status]")
    assert shop.consent("bo")["topics"] == {"offers": False}
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.wait_for_selector("h1:has-text('wieder angemeldet')")
    assert shop.consent("bo")["topics"] == {"offers": True}
    page.get_by_role("link").click()
    page.wait_for_selector("fieldset legend")
    assert page.get_by_role("checkbox", name="Offers & <sales>").is_checked()
    assert page.locator("h1").count() == 1
    context.close()


def test_nothing_is_asked_of_anybody_else(shop, chromium):
    context = chromium.new_context()
    page = context.new_page()
    asked, said = [], []
    page.on("request", lambda request: asked.append(request.url))
    page.on("console", lambda message: said.append(message.text))
    for address in addresses(shop, "ada").values():
        page.goto(address)
    assert {url.split("/")[2] for url in asked} == {f"127.0.0.1:{shop.project.http}"}
    assert context.cookies() == []
    # A dead link is a 404, which browsers write down; the icon that they ask for by themselves as well.
    assert [text for text in said if "404" not in text] == []
    context.close()
