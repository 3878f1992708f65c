"""Pictures of workflows, as the programs see them that are to draw them: Mermaid, Graphviz and a browser."""

import json
import os
import re
import shutil
import subprocess

import pytest
from playwright.sync_api import sync_playwright

from project import PROGRAM, ROOT

NODE = ROOT / "target" / "node"
MERMAID = NODE / "node_modules" / "mermaid" / "dist" / "mermaid.min.js"

# Texts that mean something to each of the formats.
NASTY = """\
workflow: nasty
description: "50% <b>\\"more\\"</b> | #1 `x` *y* _z_ ```"
trigger: { event: signed_up, where: { event.plan: "1. a & b; %%{init: 1}%% --> [x] (y) {z} \\"q\\"" } }
exit_when: { contact.x: "</text><script>alert(1)</script>" }
steps:
  - send: { subject: "{{contact.id}} \\"quoted\\" <i>#35;</i> \\\\n", text: "Hi {{unsubscribe_url}}" }
    id: hello
    transactional: true
  - branch:
      - when: { contact.a: "- list" }
        steps: [ { exit: "end" } ]
      - when: { contact.averyveryveryveryveryveryverylongattributenamewithoutanyspaceatall: "中文字符中文字符中文字符中文字符" }
        steps:
          - repeat: { times: 3, every: 1 day, until: { event: bought }, steps: [ { record: "again" } ] }
  - wait_for: { event: bought }
    within: 3 days
    then: [ { subscribe: offers } ]
    otherwise: [ { call: { post: "https://example.com/a?b=c&d=%20" } } ]
"""


@pytest.fixture(scope="module")
def chromium():
    program = os.environ.get("CHROMIUM") or shutil.which("chromium")
    assert program, "install chromium, or say by CHROMIUM where it is"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def projects(project):
    """The shipped project, and one with texts that nobody would write."""
    project.settings(more="contract: open")
    project.write("workflows/nasty.yaml", NASTY)
    return [ROOT, project.folder]


def graph(folder, *arguments):
    done = subprocess.run(
        [PROGRAM, "graph", *arguments, "--project", folder], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_mermaid_draws_every_flowchart(projects, chromium):
    page = chromium.new_page()
    page.set_content("<body></body>")
    page.add_script_tag(path=MERMAID)
    drawn = 0
    for folder in projects:
        text = graph(folder)
        headings = re.findall(r"^## (.+)$", text, re.M)
        charts = re.findall(r"^```mermaid\n(.*?)^```$", text, re.M | re.S)
        assert len(charts) == len(headings) > 0
        for name, chart in zip(headings, charts):
            assert chart == graph(folder, name)
            shown = page.evaluate(
                """async ([id, text]) => {
                    mermaid.initialize({ startOnLoad: false, securityLevel: "strict" });
                    document.body.innerHTML = (await mermaid.render(id, text)).svg;
                    return document.body.innerText;
                }""",
                [f"chart{drawn}", chart],
            )
            assert "Unsupported" not in shown and "Syntax error" not in shown, name
            if name == "nasty":
                for part in ['1. a & b; %%{init: 1}%%', '[x] (y) {z} "q"', "<i>#35;</i>", "- list", "bought"]:
                    assert part in re.sub(r"\s+", " ", shown), (part, shown)
            drawn += 1
    assert drawn > 5


def test_graphviz_lays_every_graph_out(projects):
    for folder in projects:
        names = re.findall(r"^## (.+)$", graph(folder), re.M)
        for name in names:
            done = subprocess.run(
                ["node", ROOT / "tests" / "e2e" / "node" / "dot.cjs"],
                input=graph(folder, name, "--format", "dot"), capture_output=True, text=True, timeout=60, check=True,
                env={**os.environ, "NODE_PATH": str(NODE / "node_modules")},
            )
            answer = json.loads(done.stdout)
            # It has no fonts, and says so.
            errors = [error for error in answer["errors"] if "metrics" not in error["message"] and "width of" not in error["message"]]
            assert (answer["status"], errors) == ("success", []), name
            assert answer["nodes"][0].startswith("enter: ")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_svg_has_its_texts_in_their_boxes(projects, chromium, tmp_path, scheme):
    page = chromium.new_page(color_scheme=scheme)
    requested = []
    page.on("request", lambda request: requested.append(request.url))
    for folder in projects:
        graph(folder, "--format", "svg", "--out", tmp_path / scheme)
    pictures = sorted((tmp_path / scheme).glob("*.svg"))
    assert len(pictures) > 5
    for picture in pictures:
        page.goto(picture.as_uri())
        outside = page.evaluate(
            """() => {
                const boxes = [...document.querySelectorAll(".cg-box, .cg-label")].map((box) => box.getBBox());
                const inside = (text, box) => text.x >= box.x && text.x + text.width <= box.x + box.width
                    && text.y >= box.y - 2 && text.y + text.height <= box.y + box.height + 2;
                const texts = [...document.querySelectorAll("text[text-anchor=middle]")];
                return texts.filter((text) => !boxes.some((box) => inside(text.getBBox(), box))).map((text) => text.textContent);
            }"""
        )
        assert outside == [], picture.name
        assert page.evaluate("document.querySelectorAll('script').length") == 0
        assert page.evaluate("document.querySelector('svg > title').textContent") == picture.stem
    assert len(requested) == len(pictures), "a picture asks for nothing else"


def test_what_cannot_be_drawn(projects):
    for arguments, words in [(["none"], "there is no workflow `none`"), (["--format", "svg"], "--out DIR")]:
        done = subprocess.run(
            [PROGRAM, "graph", *arguments, "--project", ROOT], capture_output=True, text=True, timeout=60, check=False
        )
        assert done.returncode == 2 and words in done.stderr
