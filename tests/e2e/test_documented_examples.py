"""Every example of YAML in the documents is one that works: each goes into the shipped project, and `validate` has nothing to say about it.

An example is a fenced block. What it is shows in its keys: a file under workflows/, settings (laid over the shipped ones), or journey tests. A list is a
list of steps, and what has a `trigger` and no name is a part of a workflow; both get the rest around them.
"""

import json
import re
import shutil

import pytest
import yaml

from project import ROOT, Project

# Made-up audiences have a test of their own, beside what reads them.
ELSEWHERE = {"docs/simulation.md"}
PAGES = ["README.md", *(str(path.relative_to(ROOT)) for path in sorted((ROOT / "docs").glob("*.md")))]
DOCUMENTS = [page for page in PAGES if page not in ELSEWHERE]
FENCE = re.compile(r"^( *)```yaml\n(.*?)^\1```$", re.MULTILINE | re.DOTALL)


def examples():
    for document in DOCUMENTS:
        text = (ROOT / document).read_text()
        for found in FENCE.finditer(text):
            line = text.count("\n", 0, found.start()) + 2
            yield pytest.param(re.sub(f"^{found[1]}", "", found[2], flags=re.MULTILINE), id=f"{document}:{line}")


def laid_over(below, above):
    """Settings with others over them: mappings are merged, everything else is replaced."""
    if isinstance(below, dict) and isinstance(above, dict):
        return {key: laid_over(below.get(key), above[key]) if key in above else below[key] for key in {**below, **above}}
    return above


def placed(text):
    """The file that an example belongs into, and its content there."""
    # As the program reads it: a date is a text.
    read = yaml.load(text, yaml.BaseLoader)
    if isinstance(read, list):
        steps = "".join("  " + line + "\n" for line in text.splitlines())
        return "workflows/example.yaml", f"workflow: example\ntrigger: {{ manual: true }}\ntopic: offers\nsteps:\n{steps}"
    keys = set(read)
    if "tests" in keys:
        return "tests/example.test.yaml", text
    if keys & {"workflow", "segments"} or (keys == {"traits"}):
        return "workflows/example.yaml", text
    if keys & {"trigger", "audience", "steps", "goal"}:
        more = "" if "steps" in keys else "topic: offers\nsteps: [{ wait: 1 hour }]\n"
        more += "" if "trigger" in keys else "trigger: { manual: true }\n"
        return "workflows/example.yaml", f"workflow: example\n{text}{more}"
    shipped = yaml.load((ROOT / "campaignd.yaml").read_text(), yaml.BaseLoader)
    # JSON is YAML, with every text in quotes: numbers and words are given back what they were.
    return "campaignd.yaml", re.sub(r'"(true|false|\d+)"', r"\1", json.dumps(laid_over(shipped, read), indent=2))


@pytest.fixture(scope="module")
def shop(tmp_path_factory):
    project = Project(tmp_path_factory.mktemp("documents") / "shop")
    for folder in ("workflows", "templates", "schemas"):
        shutil.copytree(ROOT / folder, project.folder / folder)
    shutil.copy(ROOT / "campaignd.yaml", project.folder)
    (project.folder / "tests").mkdir()
    return project


@pytest.mark.parametrize("text", examples())
def test_example(shop, text):
    path, content = placed(text)
    # Whatever has the example's names makes room for it: the workflow of its name, or the file of what workflows share.
    name = re.search(r"^workflow: (\S+)", content, re.MULTILINE)
    instead = {shop.folder / path}
    if path.startswith("workflows/"):
        instead.add(shop.folder / f"workflows/{name[1] if name else 'segments'}.yaml")
    kept = {other: other.read_text() for other in instead if other.exists()}
    try:
        for other in kept:
            other.unlink()
        shop.write(path, content)
        done = shop.command("validate", "--format", "json")
        found = json.loads(done.stdout)
        if path == "workflows/example.yaml" and not name:
            # What is shared is for workflows that the example does not show, and the shipped ones miss what it took the place of.
            found = [row for row in found if row["file"] == path and not row["code"].startswith("unused-")]
        else:
            found = [row for row in found if row["file"] == path or row["severity"] == "error"]
        assert found == [], content
        if path.startswith("tests/"):
            shop.succeed("test", "example.test.yaml")
    finally:
        (shop.folder / path).unlink(missing_ok=True)
        for other, text_before in kept.items():
            other.write_text(text_before)


def test_every_document_is_looked_at():
    """The pages in which there must be examples have some; a fence that nobody recognises would hide one."""
    for document in DOCUMENTS:
        text = (ROOT / document).read_text()
        assert len(FENCE.findall(text)) == text.count("```yaml"), document
    found = {example.id.split(":")[0] for example in examples()}
    assert found >= {"README.md", "docs/language.md", *(f"docs/coming-from-{tool}.md" for tool in ("mailchimp", "klaviyo", "customer-io", "mautic"))}
