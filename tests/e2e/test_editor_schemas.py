"""The language's schemas in editors: the real yaml-language-server, which VS Code, Zed, Helix and Vim use, on the shipped files."""

import re
import shutil

import pytest

from editor import Editor
from project import ROOT

SERVER = ROOT / "target/node/node_modules/yaml-language-server/bin/yaml-language-server"
SETTINGS = {"yaml": {"schemaStore": {"enable": False}, "hover": True, "completion": True, "validate": True}}
VERBS = {"send", "wait", "wait_for", "branch", "experiment", "repeat", "set", "subscribe", "unsubscribe", "record", "call", "start", "exit"}
TRIGGERS = {"event", "segment", "schedule", "date", "at", "manual"}
WORKFLOW = "# yaml-language-server: $schema=../schemas/workflow.schema.json\n"


@pytest.fixture(scope="module")
def shop(tmp_path_factory):
    folder = tmp_path_factory.mktemp("editors") / "shop"
    folder.mkdir()
    shutil.copy(ROOT / "campaignd.yaml", folder)
    for part in ("workflows", "schemas"):
        shutil.copytree(ROOT / part, folder / part)
    (folder / "tests").mkdir()
    for path in (ROOT / "tests").glob("*.yaml"):
        shutil.copy(path, folder / "tests")
    return folder


@pytest.fixture(scope="module")
def editor(shop):
    editor = Editor(["node", SERVER, "--stdio"], shop, settings=SETTINGS)
    yield editor
    editor.end()


def shipped():
    files = [ROOT / "campaignd.yaml", *sorted((ROOT / "workflows").rglob("*.yaml")), *sorted((ROOT / "tests").glob("*.yaml"))]
    return [str(path.relative_to(ROOT)) for path in files]


@pytest.mark.parametrize("path", shipped())
def test_nothing_is_wrong_with_the_shipped_files(editor, path):
    text = editor.open(path)
    assert text.startswith("# yaml-language-server: $schema=")
    assert [one.message for one in editor.diagnostics(path)] == []
    # That nothing is reported is worth something only where a mistake is.
    editor.write(path, text + "\nnot_a_key: 1\n")
    assert any("not_a_key" in one.message for one in editor.diagnostics(path, len))
    editor.write(path, text)
    editor.diagnostics(path, lambda found: not found)
    editor.close(path)


def show(editor, path, text):
    """Has a file in the editor with this text."""
    if path in editor.texts:
        editor.write(path, text)
    else:
        editor.open(path, text)


def offered(editor, text, path="workflows/new.yaml"):
    """What is offered at the end of a file."""
    show(editor, path, text)
    return editor.completions(path, (text.count("\n"), len(text.rsplit("\n", 1)[-1])))


def test_completion_of_steps(editor):
    head = WORKFLOW + "workflow: x\ntrigger: { manual: true }\nsteps:\n"
    assert VERBS <= set(offered(editor, head + "  - "))
    inner = head + "  - wait_for: { event: x }\n    within: 1 day\n    then:\n      - "
    assert VERBS <= set(offered(editor, inner))
    assert {"with", "window", "channel", "topic", "when_capped"} <= set(offered(editor, head + "  - send: welcome\n    "))
    assert {"clicked", "opened", "goal"} <= set(offered(editor, head + "  - experiment: x\n    winner:\n      metric: "))


def test_completion_of_triggers_conditions_and_values(editor):
    head = WORKFLOW + "workflow: x\n"
    assert TRIGGERS <= set(offered(editor, head + "trigger:\n  "))
    assert {"where", "key"} <= set(offered(editor, head + "trigger:\n  event: signed_up\n  "))
    assert {"all", "any", "none", "not", "event", "message", "segment", "topic", "workflow"} <= set(offered(editor, head + "audience:\n  "))
    assert {"live", "draft", "paused", "closed"} <= set(offered(editor, head + "status: "))
    assert {"trigger", "audience", "goal", "steps", "exit_when", "reentry"} <= set(offered(editor, head))


def test_completion_of_settings(editor):
    head = "# yaml-language-server: $schema=./schemas/settings.schema.json\nproject: x\n"
    path = "campaignd.yaml"
    assert {"time_zone", "channels", "topics", "limits", "tracking", "bounces", "retention", "http"} <= set(offered(editor, head, path))
    assert {"from", "deliver", "connections", "rate", "dkim"} <= set(offered(editor, head + "channels:\n  email:\n    ", path))
    assert {"quiet_hours", "frequency", "spread"} <= set(offered(editor, head + "limits:\n  ", path))


def test_completion_of_journey_tests(editor):
    head = "# yaml-language-server: $schema=../schemas/test.schema.json\nworkflow: x\nstart: 2026-03-27T09:00\ntests:\n  - name: x\n"
    path = "tests/new.test.yaml"
    assert {"given", "timeline", "expect"} <= set(offered(editor, head + "    ", path))
    assert {"send", "skip", "exit"} <= set(offered(editor, head + "    expect:\n      - ", path))


def test_completion_of_audiences(editor):
    head = "# yaml-language-server: $schema=../schemas/audience.schema.json\naudience: x\n"
    path = "tests/people.yaml"
    assert {"contacts", "profile", "events", "reactions"} <= set(offered(editor, head, path))
    assert {"on_arrival", "follows", "rate", "event"} <= set(offered(editor, head + "events:\n  - ", path))
    assert {"one_of", "between", "lognormal", "same"} <= set(offered(editor, head + "profile:\n  attributes:\n    x:\n      ", path))


def test_completion_below_the_first_key(editor):
    head = WORKFLOW + "workflow: x\ntrigger: { manual: true }\n"
    assert {"for", "until"} <= set(offered(editor, head + "steps:\n  - wait:\n      "))
    assert {"between", "days"} <= set(offered(editor, head + "steps:\n  - send: x\n    window:\n      "))
    assert {"wait", "skip"} <= set(offered(editor, head + "steps:\n  - send: x\n    when_capped: "))
    assert {"follow", "pinned"} <= set(offered(editor, head + "in_flight: "))
    assert {"within", "value", "stay", "event"} <= set(offered(editor, head + "goal:\n  "))
    assert {"above", "at_least", "one_of", "exists"} <= set(offered(editor, head + "audience:\n  contact.age:\n    "))
    assert {"count", "sum", "rank", "score", "first_match"} <= set(offered(editor, head + "traits:\n  x:\n    "))
    rules = "# yaml-language-server: $schema=./schemas/settings.schema.json\nproject: x\nrules:\n  missing-topic: "
    # In quotes where YAML 1.1 would not read a text.
    assert {"error", "warning", "off"} <= {label.strip('"') for label in offered(editor, rules, "campaignd.yaml")}


def test_snippets_write_what_is_right(editor):
    """Every snippet of a step is a step that the schema takes, its places as they are proposed."""
    head = WORKFLOW + "workflow: x\ntrigger: { manual: true }\nsteps:\n"
    items = offered(editor, head + "  - ")
    written = {label: item.text_edit.new_text if item.text_edit else item.insert_text or "" for label, item in items.items()}
    snippets = {label: text for label, text in written.items() if "${" in text}
    assert len(snippets) >= 10, sorted(items)
    for label, text in snippets.items():
        filled = re.sub(r"\$\{\d+:([^}]*)\}", r"\1", text)
        filled = re.sub(r"\$\{\d+\|([^,|]*)[^}]*\}", r"\1", filled)
        filled = re.sub(r"\$\{?\d+\}?", "", filled)
        step = "\n".join(line if number == 0 else f"    {line}" for number, line in enumerate(filled.split("\n")))
        show(editor, "workflows/new.yaml", f"{head}  - {step}\n")
        assert [one.message for one in editor.diagnostics("workflows/new.yaml")] == [], f"{label}:\n{step}"


def test_hover_tells_what_a_key_is_for(editor):
    path = "workflows/cart-recovery.yaml"
    editor.open(path)
    assert "What must hold to enter" in editor.hover(path, "\naudi")
    assert "How long at most" in editor.hover(path, "    withi")
    assert "Whether a contact may enter again" in editor.hover(path, "\nreen")
    assert "template" in editor.hover(path, "\n  - sen")
    editor.close(path)
    path = "tests/audience.yaml"
    editor.open(path)
    assert "How many are there when the simulation begins" in editor.hover(path, "  at_sta")
    editor.close(path)
    path = "tests/cart-recovery.test.yaml"
    editor.open(path)
    assert "virtual" in editor.hover(path, "\nsta")
    editor.close(path)
    show(editor, "campaignd.yaml", (editor.folder / "campaignd.yaml").read_text())
    assert "How many connections at once" in editor.hover("campaignd.yaml", "    connec")
