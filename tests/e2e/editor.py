"""An editor: pygls' client, with a real language server at the other end of a pipe."""

import asyncio
import pathlib
import threading

from lsprotocol import types as lsp
from pygls.lsp.client import LanguageClient

WITHIN = 120


class Editor:
    """Talks to one language server. Every call waits for its answer."""

    def __init__(self, command, folder, encodings=("utf-16",), settings=None, languages=None):
        self.folder = pathlib.Path(folder)
        self.texts = {}
        self.languages = languages or {}
        self.published = {}
        self.changed = threading.Condition()
        self.registered = []
        self.loop = asyncio.new_event_loop()
        self.thread = threading.Thread(target=self.loop.run_forever, daemon=True)
        self.thread.start()
        self.client = LanguageClient("tests", "1")
        self.listen(settings or {})
        self.wait(self.client.start_io(*[str(part) for part in command]))
        self.capabilities = self.wait(self.client.initialize_async(self.initialize(encodings))).capabilities
        self.client.initialized(lsp.InitializedParams())

    def initialize(self, encodings):
        edit = lsp.WorkspaceEditClientCapabilities(
            document_changes=True, resource_operations=[lsp.ResourceOperationKind.Rename])
        item = lsp.ClientCompletionItemOptions(snippet_support=True)
        document = lsp.TextDocumentClientCapabilities(
            completion=lsp.CompletionClientCapabilities(completion_item=item),
            document_symbol=lsp.DocumentSymbolClientCapabilities(hierarchical_document_symbol_support=True),
            code_action=lsp.CodeActionClientCapabilities(code_action_literal_support=lsp.ClientCodeActionLiteralOptions(
                code_action_kind=lsp.ClientCodeActionKindOptions(value_set=[lsp.CodeActionKind.QuickFix]))),
            hover=lsp.HoverClientCapabilities(content_format=[lsp.MarkupKind.Markdown]),
            publish_diagnostics=lsp.PublishDiagnosticsClientCapabilities(related_information=True))
        workspace = lsp.WorkspaceClientCapabilities(
            workspace_edit=edit, configuration=True,
            did_change_watched_files=lsp.DidChangeWatchedFilesClientCapabilities(dynamic_registration=True))
        general = lsp.GeneralClientCapabilities(position_encodings=list(encodings))
        return lsp.InitializeParams(
            capabilities=lsp.ClientCapabilities(text_document=document, workspace=workspace, general=general),
            root_uri=self.folder.as_uri(),
            workspace_folders=[lsp.WorkspaceFolder(uri=self.folder.as_uri(), name=self.folder.name)])

    def listen(self, settings):
        @self.client.feature(lsp.TEXT_DOCUMENT_PUBLISH_DIAGNOSTICS)
        def _(params):
            with self.changed:
                self.published.setdefault(params.uri, []).append(params)
                self.changed.notify_all()

        @self.client.feature(lsp.CLIENT_REGISTER_CAPABILITY)
        def _(params):
            self.registered.extend(registration.method for registration in params.registrations)

        @self.client.feature(lsp.WORKSPACE_CONFIGURATION)
        def _(params):
            return [settings.get(item.section) for item in params.items]

        @self.client.feature(lsp.WINDOW_LOG_MESSAGE)
        def _(params):
            pass

    def wait(self, coroutine):
        return asyncio.run_coroutine_threadsafe(coroutine, self.loop).result(WITHIN)

    def tell(self, call):
        """Sends a notification; from the client's own thread, which is the only one that may write."""
        async def send():
            call()
        self.wait(send())

    # Files

    def uri(self, path):
        return (self.folder / path).as_uri()

    def document(self, path):
        return lsp.TextDocumentIdentifier(uri=self.uri(path))

    def open(self, path, text=None):
        """Opens a file as it is on disk, or with another text. Gives its text."""
        text = (self.folder / path).read_text() if text is None else text
        self.texts[path] = (1, text)
        language = self.languages.get(pathlib.Path(path).suffix, "yaml")
        item = lsp.TextDocumentItem(uri=self.uri(path), language_id=language, version=1, text=text)
        self.tell(lambda: self.client.text_document_did_open(lsp.DidOpenTextDocumentParams(text_document=item)))
        return text

    def write(self, path, text):
        """Changes an open file in the editor; nothing is saved."""
        version = self.texts[path][0] + 1
        self.texts[path] = (version, text)
        document = lsp.VersionedTextDocumentIdentifier(uri=self.uri(path), version=version)
        change = lsp.TextDocumentContentChangeWholeDocument(text=text)
        params = lsp.DidChangeTextDocumentParams(text_document=document, content_changes=[change])
        self.tell(lambda: self.client.text_document_did_change(params))

    def close(self, path):
        del self.texts[path]
        params = lsp.DidCloseTextDocumentParams(text_document=self.document(path))
        self.tell(lambda: self.client.text_document_did_close(params))

    def changed_on_disk(self, path):
        event = lsp.FileEvent(uri=self.uri(path), type=lsp.FileChangeType.Changed)
        params = lsp.DidChangeWatchedFilesParams(changes=[event])
        self.tell(lambda: self.client.workspace_did_change_watched_files(params))

    # What the server says

    def diagnostics(self, path, wanted=None, what="diagnostics"):
        """The latest diagnostics of a file, once they are as wanted; for an open file, those of its latest text."""
        version = self.texts.get(path, (None,))[0]

        def latest():
            told = self.published.get(self.uri(path), [])
            if not told or (version is not None and told[-1].version not in (None, version)):
                return None
            return told[-1].diagnostics

        def ready():
            found = latest()
            return found is not None and (wanted is None or wanted(found))

        with self.changed:
            assert self.changed.wait_for(ready, WITHIN), f"no such {what} of {path}; last: {latest()}"
            return latest()

    def codes(self, path, *expected):
        """Waits until the file has diagnostics with exactly these codes."""
        return self.diagnostics(path, lambda found: sorted(one.code for one in found) == sorted(expected), str(expected))

    # What the server is asked. A place is given as `(line, column)` from 0, or as a part of the text: the place behind it.

    def place(self, path, place):
        if isinstance(place, tuple):
            return lsp.Position(line=place[0], character=place[1])
        text = self.texts[path][1]
        assert text.count(place) == 1, f"{place!r} is {text.count(place)} times in {path}"
        before = text[:text.index(place) + len(place)]
        return lsp.Position(line=before.count("\n"), character=len(before.rsplit("\n", 1)[-1].encode("utf-16-le")) // 2)

    def at(self, path, place):
        return {"text_document": self.document(path), "position": self.place(path, place)}

    def completions(self, path, place):
        """What is offered, by label."""
        answer = self.wait(self.client.text_document_completion_async(lsp.CompletionParams(**self.at(path, place))))
        items = answer.items if isinstance(answer, lsp.CompletionList) else answer or []
        return {item.label: item for item in items}

    def hover(self, path, place):
        answer = self.wait(self.client.text_document_hover_async(lsp.HoverParams(**self.at(path, place))))
        if answer is None:
            return ""
        contents = answer.contents
        return contents.value if hasattr(contents, "value") else str(contents)

    def definitions(self, path, place):
        """Where it is defined: `path:line` from 1."""
        return self.places(self.wait(self.client.text_document_definition_async(lsp.DefinitionParams(**self.at(path, place)))))

    def references(self, path, place, declaration=True):
        context = lsp.ReferenceContext(include_declaration=declaration)
        params = lsp.ReferenceParams(**self.at(path, place), context=context)
        return self.places(self.wait(self.client.text_document_references_async(params)))

    def places(self, found):
        base = self.folder.as_uri() + "/"
        return sorted(f"{one.uri.removeprefix(base)}:{one.range.start.line + 1}" for one in found or [])

    def symbols(self, path):
        params = lsp.DocumentSymbolParams(text_document=self.document(path))
        return self.wait(self.client.text_document_document_symbol_async(params))

    def actions(self, path, diagnostic):
        context = lsp.CodeActionContext(diagnostics=[diagnostic])
        params = lsp.CodeActionParams(text_document=self.document(path), range=diagnostic.range, context=context)
        return self.wait(self.client.text_document_code_action_async(params))

    def prepare_rename(self, path, place):
        return self.wait(self.client.text_document_prepare_rename_async(lsp.PrepareRenameParams(**self.at(path, place))))

    def rename(self, path, place, name):
        params = lsp.RenameParams(**self.at(path, place), new_name=name)
        return self.wait(self.client.text_document_rename_async(params))

    def carry_out(self, edit):
        """Does what an edit of the workspace says: on disk, and in the files that are open."""
        base = self.folder.as_uri() + "/"
        for change in edit.document_changes:
            if isinstance(change, lsp.RenameFile):
                old, new = (self.folder / uri.removeprefix(base) for uri in (change.old_uri, change.new_uri))
                new.parent.mkdir(parents=True, exist_ok=True)
                old.rename(new)
                continue
            name = change.text_document.uri.removeprefix(base)
            path = self.folder / name
            lines = path.read_text().split("\n")
            for one in sorted(change.edits, key=lambda one: (one.range.start.line, one.range.start.character), reverse=True):
                start, end = one.range.start, one.range.end
                assert start.line == end.line
                line = lines[start.line]
                lines[start.line] = line[:start.character] + one.new_text + line[end.character:]
            path.write_text("\n".join(lines))
            if name in self.texts:
                self.write(name, "\n".join(lines))
            self.changed_on_disk(name)

    def end(self):
        """Shuts the server down, and gives its exit code."""
        self.wait(self.client.shutdown_async(None))
        self.tell(lambda: self.client.exit(None))
        code = self.wait(self.client._server.wait())
        self.wait(self.client.stop())
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join(WITHIN)
        return code
