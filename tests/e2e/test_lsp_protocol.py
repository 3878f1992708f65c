"""`campaignd lsp` below its features: what LSP 3.17 says of messages, of the way from `initialize` to `exit`, of positions and of documents. A client of our
own writes the bytes, so that it can write wrong ones."""

import json
import os
import queue
import shutil
import statistics
import subprocess
import threading
import time

import pytest

from project import PROGRAM, ROOT

WITHIN = 120
PARSE, INVALID_REQUEST, NO_METHOD, INVALID_PARAMS = -32700, -32600, -32601, -32602
NOT_INITIALIZED, FAILED, CANCELLED = -32002, -32803, -32800
FILE = "workflows/a.yaml"
HEAD = "workflow: a\ntrigger: { manual: true }\n"


class Raw:
    """One server and its pipe."""

    def __init__(self, folder, cache):
        self.folder = folder
        self.server = subprocess.Popen(
            [PROGRAM, "lsp"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            env={"PATH": os.environ["PATH"], "XDG_CACHE_HOME": str(cache)})
        self.answers = queue.Queue()
        self.changed = threading.Condition()
        self.published = {}
        self.versions = {}
        self.requests = []
        self.last = 0
        threading.Thread(target=self.listen, daemon=True).start()

    def listen(self):
        output = self.server.stdout
        while True:
            length = None
            while (line := output.readline().strip()):
                name, value = line.split(b": ")
                length = int(value) if name == b"Content-Length" else length
            if length is None:
                return
            message = json.loads(output.read(length))
            if message.get("method") == "textDocument/publishDiagnostics":
                with self.changed:
                    self.published.setdefault(message["params"]["uri"], []).append((time.monotonic(), message["params"]))
                    self.changed.notify_all()
            elif "method" in message:
                self.requests.append(message["method"])
            else:
                self.answers.put(message)

    def bytes(self, data):
        self.server.stdin.write(data)
        self.server.stdin.flush()

    def body(self, text):
        data = text.encode()
        self.bytes(b"Content-Length: %d\r\n\r\n%s" % (len(data), data))

    def tell(self, method, params=None):
        self.body(json.dumps({"jsonrpc": "2.0", "method": method, "params": params}))

    def ask_only(self, method, params=None):
        self.last += 1
        self.body(json.dumps({"jsonrpc": "2.0", "id": self.last, "method": method, "params": params}))
        return self.last

    def ask(self, method, params=None):
        """The answer's result; of a refusal, its code."""
        number = self.ask_only(method, params)
        answer = self.answers.get(timeout=WITHIN)
        assert answer["id"] == number, answer
        return answer["result"] if "result" in answer else answer["error"]["code"]

    def refused(self):
        """The code of an error that belongs to no request."""
        answer = self.answers.get(timeout=WITHIN)
        assert answer["id"] is None, answer
        return answer["error"]["code"]

    def begin(self, capabilities=None, folders=None):
        params = {"processId": None, "rootUri": self.folder.as_uri(), "capabilities": capabilities or {}}
        if folders is not None:
            params["workspaceFolders"] = [{"uri": folder.as_uri(), "name": folder.name} for folder in folders]
        result = self.ask("initialize", params)
        self.tell("initialized", {})
        return result

    def uri(self, path):
        return (self.folder / path).as_uri()

    def open(self, path, text):
        self.versions[path] = 1
        item = {"uri": self.uri(path), "languageId": "yaml", "version": 1, "text": text}
        self.tell("textDocument/didOpen", {"textDocument": item})

    def write(self, path, text):
        self.versions[path] += 1
        document = {"uri": self.uri(path), "version": self.versions[path]}
        self.tell("textDocument/didChange", {"textDocument": document, "contentChanges": [{"text": text}]})

    def place(self, path, line, character):
        return {"textDocument": {"uri": self.uri(path)}, "position": {"line": line, "character": character}}

    def labels(self, path, line, character):
        return {item["label"] for item in self.ask("textDocument/completion", self.place(path, line, character))}

    def told(self, uri, wanted, version=None):
        """Waits for diagnostics of a file that are as wanted, and gives them."""
        def latest():
            found = self.published.get(uri, [])
            return found[-1][1] if found and version in (None, found[-1][1].get("version")) else None

        with self.changed:
            assert self.changed.wait_for(lambda: latest() is not None and wanted(latest()["diagnostics"]), WITHIN), latest()
            return latest()["diagnostics"]

    def codes(self, path, *codes):
        expected = sorted(codes)
        return self.told(self.uri(path), lambda found: sorted(one["code"] for one in found) == expected, self.versions.get(path))

    def ended(self):
        """Waits for the end, and gives the exit code."""
        code = self.server.wait(WITHIN)
        assert b"panicked" not in self.server.stderr.read()
        return code


@pytest.fixture
def shop(tmp_path):
    folder = tmp_path / "shop"
    (folder / "workflows").mkdir(parents=True)
    (folder / "campaignd.yaml").write_text("project: shop\ntime_zone: UTC\n")
    return folder


@pytest.fixture
def start(tmp_path):
    servers = []

    def begin(folder):
        servers.append(Raw(folder, tmp_path / "cache"))
        return servers[-1]

    yield begin
    for raw in servers:
        raw.server.kill()
        raw.server.wait()


def test_the_way_to_the_end(shop, start):
    raw = start(shop)
    assert raw.ask("textDocument/hover", raw.place(FILE, 0, 0)) == NOT_INITIALIZED
    assert raw.ask("shutdown") == NOT_INITIALIZED
    raw.tell("textDocument/didOpen", {})
    assert raw.ask("initialize", [1]) == INVALID_PARAMS
    assert raw.ask("initialize", {"capabilities": 5}) == INVALID_PARAMS
    assert raw.begin()["serverInfo"]["name"] == "campaignd"
    assert raw.ask("initialize", {"capabilities": {}}) == INVALID_REQUEST
    assert raw.ask("shutdown") is None
    assert raw.ask("textDocument/hover", raw.place(FILE, 0, 0)) == INVALID_REQUEST
    assert raw.ask("shutdown") == INVALID_REQUEST
    raw.open(FILE, HEAD)
    raw.tell("exit")
    assert raw.ended() == 0


@pytest.mark.parametrize("begun", [False, True])
@pytest.mark.parametrize("closed", [False, True])
def test_an_end_without_shutdown_is_none_in_order(shop, start, begun, closed):
    raw = start(shop)
    if begun:
        raw.begin()
    if closed:
        raw.server.stdin.close()
    else:
        raw.tell("exit")
    assert raw.ended() == 1


def test_messages_that_are_wrong_are_answered_and_survived(shop, start):
    raw = start(shop)
    raw.bytes(b"Content-Length: what\r\n\r\n")
    assert raw.refused() == PARSE
    raw.begin()
    for wrong in [b"Content-Length: 2\r\n\r\n{]", b"Content-Length: -1\r\n\r\n", b"Content-Length: 99999999999999\r\n\r\n", b"rubbish\r\n\r\n",
                  b"Content-Length: 3\r\n\r\n\xff\xfe\xfd", b"Content-Length: 0\r\n\r\n"]:
        raw.bytes(wrong)
        assert raw.refused() == PARSE, wrong
    for wrong in ["[]", '[{"jsonrpc":"2.0","id":1,"method":"shutdown"}]', "5", "null", '{"jsonrpc":"2.0"}', '{"id":null,"method":"shutdown"}']:
        raw.body(wrong)
        assert raw.refused() == INVALID_REQUEST, wrong
    raw.body("[" * 100_000)
    assert raw.refused() == PARSE
    for method in ["hover", "completion", "definition", "references", "rename", "prepareRename", "documentSymbol", "codeAction"]:
        for params in [None, [], {}, 5, {"textDocument": {"uri": 5}}, {"textDocument": {"uri": "::"}, "position": {"line": -1, "character": "x"}}]:
            assert raw.ask(f"textDocument/{method}", params) == INVALID_PARAMS, (method, params)
    for method in ["didOpen", "didChange", "didClose", "didSave"]:
        for params in [None, [], {"textDocument": 5}]:
            raw.tell(f"textDocument/{method}", params)
    raw.tell("workspace/didChangeWatchedFiles", {"changes": [5]})
    raw.tell("workspace/didChangeWorkspaceFolders", {"event": {}})
    raw.tell("$/setTrace", {"value": "off"})
    assert raw.ask("no/such") == NO_METHOD
    assert raw.ask("$/no/such") == NO_METHOD
    raw.open(FILE, HEAD + "steps: [{ send: nothing }]\n")
    raw.told(raw.uri(FILE), lambda found: "unknown-template" in [one["code"] for one in found])


@pytest.mark.parametrize("context", [None, {}, {"triggerKind": 1}, {"triggerKind": 2, "triggerCharacter": " "}])
def test_completion_whatever_the_editor_says_of_why(shop, start, context):
    raw = start(shop)
    raw.begin()
    raw.open(FILE, HEAD + "status: ")
    params = raw.place(FILE, 2, 8)
    if context is not None:
        params["context"] = context
    assert "draft" in {item["label"] for item in raw.ask("textDocument/completion", params)}


def test_positions_in_lines_that_end_like_on_windows_and_hold_emoji(shop, start):
    raw = start(shop)
    raw.begin()
    emoji = "\U0001f600"
    text = f"workflow: a\r\ndescription: \"{emoji}\"\r\ntrigger: {{ manual: true }}\r\naudience: {{ contact.first_name: \"{emoji}{emoji}\", segment: nobody }}\r\nsteps: [exit]\r\n"
    raw.open(FILE, text)
    [found] = [one for one in raw.told(raw.uri(FILE), len) if one["code"] == "unknown-segment"]
    line = text.split("\r\n")[3]
    before = len(line[:line.index("nobody")].encode("utf-16-le")) // 2
    assert found["range"] == {"start": {"line": 3, "character": before}, "end": {"line": 3, "character": before + 6}}
    raw.write(FILE, text + "segments: { nobody: { contact.id: x } }\r\n")
    raw.codes(FILE)
    [place] = raw.ask("textDocument/definition", raw.place(FILE, 3, before + 2))
    assert place["range"]["start"] == {"line": 5, "character": 12}
    # A place inside of a character is the one before it; behind a line's end is its end.
    assert raw.ask("textDocument/hover", raw.place(FILE, 3, line.index(emoji) + 1)) is None
    assert "exit" in raw.labels(FILE, 4, len("steps: [exit")) and raw.ask("textDocument/hover", raw.place(FILE, 4, 9_999)) is None
    assert "audience" in str(raw.ask("textDocument/hover", raw.place(FILE, 3, 3)))
    edit = raw.ask("textDocument/rename", {**raw.place(FILE, 3, before + 2), "newName": "somebody"})
    [change] = edit["changes"].values()
    assert sorted(one["range"]["start"]["line"] for one in change) == [3, 5]


def test_a_byte_order_mark_on_disk_moves_nothing(shop, start):
    (shop / FILE).write_text("\ufeff" + HEAD + "steps: [{ send: nothing, transactional: true }]\n")
    raw = start(shop)
    raw.begin()
    [found] = raw.codes(FILE, "unknown-template")
    assert (found["range"]["start"]["line"], found["range"]["start"]["character"]) == (2, 16)
    assert raw.ask("textDocument/prepareRename", raw.place(FILE, 0, 11)) is not None


def test_files_that_come_and_go_outside(shop, start):
    raw = start(shop)
    raw.begin({"workspace": {"didChangeWatchedFiles": {"dynamicRegistration": True}}})
    raw.open(FILE, HEAD + "steps: [{ wait: 1 day }]\naudience: { segment: vip }\n")
    raw.codes(FILE, "unknown-segment")
    other = shop / "workflows/segments.yaml"

    def happened(path, kind):
        raw.tell("workspace/didChangeWatchedFiles", {"changes": [{"uri": path.as_uri(), "type": kind}]})

    other.write_text("segments: { vip: { contact.id: x } }\n")
    happened(other, 1)
    raw.codes(FILE)
    [place] = raw.ask("textDocument/definition", raw.place(FILE, 3, 23))
    assert place["uri"] == other.as_uri()
    other.write_text("segments: { other: { contact.id: x } }\n")
    happened(other, 2)
    raw.told(raw.uri(FILE), lambda found: "unknown-segment" in [one["code"] for one in found])
    other.unlink()
    happened(other, 3)
    raw.codes(FILE, "unknown-segment")
    raw.told(other.as_uri(), lambda found: not found)
    assert raw.requests == ["client/registerCapability"]
    # What is open counts, though its file is gone.
    (shop / FILE).unlink(missing_ok=True)
    happened(shop / FILE, 3)
    assert raw.labels(FILE, 0, 0)
    raw.codes(FILE, "unknown-segment")


def test_what_is_not_saved_goes_before_the_disk(shop, start):
    (shop / FILE).write_text(HEAD + "steps: [exit]\n")
    raw = start(shop)
    raw.begin()
    raw.open(FILE, HEAD + "steps: [{ send: x, transactional: true }]\n")
    raw.codes(FILE, "unknown-template")
    (shop / FILE).write_text("broken: [\n")
    raw.tell("textDocument/didSave", {"textDocument": {"uri": raw.uri(FILE)}})
    raw.codes(FILE, "unknown-template")
    del raw.versions[FILE]
    raw.tell("textDocument/didClose", {"textDocument": {"uri": raw.uri(FILE)}})
    raw.codes(FILE, "yaml-syntax")


def test_several_folders_that_come_and_go(tmp_path, start):
    folders = {}
    for name in ("one", "two", "three"):
        folders[name] = tmp_path / name
        (folders[name] / "workflows").mkdir(parents=True)
        (folders[name] / "campaignd.yaml").write_text(f"project: {name}\ntime_zone: UTC\n")
        (folders[name] / FILE).write_text(HEAD + f"steps: [{{ send: nothing-{name}, transactional: true }}]\n")
    raw = start(tmp_path)
    raw.begin(folders=[folders["one"], folders["two"]])

    def wrong(name, count):
        uri = (folders[name] / FILE).as_uri()
        assert all(f"nothing-{name}" in one["message"] for one in raw.told(uri, lambda found: len(found) == count))

    wrong("one", 1)
    wrong("two", 1)
    event = {"added": [{"uri": folders["three"].as_uri(), "name": "three"}], "removed": [{"uri": folders["one"].as_uri(), "name": "one"}]}
    raw.tell("workspace/didChangeWorkspaceFolders", {"event": event})
    wrong("three", 1)
    wrong("one", 0)


def test_fast_edits_and_what_is_taken_back(shop, start):
    raw = start(shop)
    raw.begin()
    raw.open(FILE, HEAD)
    text = HEAD + "description: " + "word " * 2_000 + "\nsteps:\n" + "  - wait: 1 day\n" * 200
    for number in range(500):
        raw.write(FILE, f"{text}  - send: x{number}\n    transactional: true\n")
    asked = [raw.ask_only("textDocument/completion", raw.place(FILE, 0, 0)) for _ in range(50)]
    for number in asked[1:]:
        raw.tell("$/cancelRequest", {"id": number})
    answers = {}
    while len(answers) < len(asked):
        answer = raw.answers.get(timeout=WITHIN)
        answers[answer["id"]] = answer
    assert sorted(answers) == asked
    assert all("result" in answer or answer["error"]["code"] == CANCELLED for answer in answers.values())
    found = raw.told(raw.uri(FILE), lambda found: any("x499" in one["message"] for one in found), raw.versions[FILE])
    assert found


def test_the_address_that_the_editor_gives_is_the_one_it_gets_back(shop, start):
    raw = start(shop)
    raw.begin()
    odd = raw.uri(FILE).replace("a.yaml", "%61.yaml")
    item = {"uri": odd, "languageId": "yaml", "version": 1, "text": HEAD + "steps: [{ send: x }]\n"}
    raw.tell("textDocument/didOpen", {"textDocument": item})
    raw.told(odd, len, 1)


def test_outlines_for_editors_that_know_no_nesting(shop, start):
    raw = start(shop)
    raw.begin()
    raw.open(FILE, HEAD + "steps: [{ wait: 1 day }, exit]\n")
    symbols = raw.ask("textDocument/documentSymbol", {"textDocument": {"uri": raw.uri(FILE)}})
    assert [(symbol["name"], symbol.get("containerName")) for symbol in symbols] == [("a", None), ("wait-1-day", "a"), ("exit", "a")]
    assert all(symbol["location"]["uri"] == raw.uri(FILE) for symbol in symbols)


SPELLINGS = [
    "audience: { segment: \"lapsed\" }", "audience: { segment: 'lapsed' }", "audience: {\"segment\":\"lapsed\"}", "audience: { segment: &l lapsed }",
    "audience: { \"segment\": \"laps\\u0065d\" }", "audience:\n  segment:\n    lapsed", "audience:\n  segment: >-\n    lapsed",
    "audience: { any: [{ segment: lapsed }, {segment: \"lapsed\"}] }", "audience: &a { segment: lapsed }\nexit_when: *a",
    "audience: { segment: &l \"lapsed\" }\nexit_when: { segment: *l }", "audience: { 'segment' : 'lapsed' } # lapsed",
    "audience:\n  ? segment\n  : lapsed", "audience: { segment: \"lap\\\n    sed\" }",
]


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_renaming_finds_every_spelling(shop, start, spelling):
    segments = shop / "workflows/segments.yaml"
    segments.write_text("segments:\n  \"lapsed\": { contact.id: x }\n")
    (shop / FILE).write_text(HEAD + spelling + "\nsteps: [exit]\n")

    def validate():
        done = subprocess.run([PROGRAM, "validate", "--project", shop], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=WITHIN, check=False)
        return done.returncode, done.stdout

    assert validate()[0] == 0, validate()
    raw = start(shop)
    raw.begin()
    assert raw.ask("textDocument/prepareRename", raw.place("workflows/segments.yaml", 1, 5))["placeholder"] == "lapsed"
    for bad in ["true", "null", "~", "", "7", "a b", "a: b", "lapsed ", "Lapsed"]:
        assert raw.ask("textDocument/rename", {**raw.place("workflows/segments.yaml", 1, 5), "newName": bad}) == FAILED, bad
    edit = raw.ask("textDocument/rename", {**raw.place("workflows/segments.yaml", 1, 5), "newName": "gone-quiet"})
    for uri, changes in edit["changes"].items():
        path = shop / uri.removeprefix(shop.as_uri() + "/")
        text = path.read_text()
        lines = text.split("\n")

        def offset(place, lines=lines):
            return sum(len(line) + 1 for line in lines[:place["line"]]) + place["character"]

        for one in sorted(changes, key=lambda one: offset(one["range"]["start"]), reverse=True):
            text = text[:offset(one["range"]["start"])] + one["newText"] + text[offset(one["range"]["end"]):]
        path.write_text(text)
    assert validate()[0] == 0, (validate(), (shop / FILE).read_text())
    assert "gone-quiet" in (shop / FILE).read_text()


def large(folder, number):
    """A project of so many workflows, each with a segment and a template of its own."""
    (folder / "workflows").mkdir(parents=True)
    (folder / "templates").mkdir()
    (folder / "campaignd.yaml").write_text(
        "project: large\ntime_zone: UTC\nchannels: { email: { from: a@b.example } }\ntopics: { t: { title: T } }\n")
    for index in range(number):
        (folder / f"workflows/w{index}.yaml").write_text(
            f"workflow: w{index}\ntrigger: {{ manual: true }}\ntopic: t\naudience: {{ segment: s{index} }}\nsteps:\n  - send: m{index}\n"
            f"  - wait: 1 day\n  - send: m{index}\n    id: again\nsegments: {{ s{index}: {{ topic: t }} }}\n")
        (folder / f"templates/m{index}.html.hbs").write_text("---\nsubject: Hi\n---\n<p>{{default contact.name \"x\"}}</p>\n")
    return folder


def shipped(folder):
    folder.mkdir()
    shutil.copy(ROOT / "campaignd.yaml", folder)
    for part in ("workflows", "templates", "schemas"):
        shutil.copytree(ROOT / part, folder / part)
    return folder, "workflows/cart-recovery.yaml", "send: cart-reminder"


@pytest.mark.parametrize("size", ["shipped", "large"])
def test_how_long_a_keystroke_takes(tmp_path, start, record_property, size):
    if size == "shipped":
        folder, path, part = shipped(tmp_path / size)
    else:
        folder, path, part = large(tmp_path / size, 1000), "workflows/w1.yaml", "send: m1"
    raw = start(folder)
    raw.begin()
    text = (folder / path).read_text()
    raw.open(path, text)
    raw.told(raw.uri(path), lambda found: True, 1)
    took = []
    for number in range(9):
        raw.write(path, text.replace(part, f"{part}{'x' * (number % 3 + 1)}", 1))
        began = time.monotonic()
        raw.told(raw.uri(path), lambda found: "unknown-template" in [one["code"] for one in found], raw.versions[path])
        took.append((raw.published[raw.uri(path)][-1][0] - began) * 1000)
    print(f"a keystroke in the {size} project, ms until its diagnostics: median {statistics.median(took):.0f}, most {max(took):.0f}")
    record_property("keystroke_ms", statistics.median(took))
