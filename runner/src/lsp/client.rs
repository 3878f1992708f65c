//! What the editor can do, as it says when it begins. What it leaves out it cannot; what cannot be read it has left out.

use lsp_types::MarkupKind;
use serde_json::Value;

use super::position::Encoding;

/// What the editor can do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Client {
    pub encoding: Encoding,
    pub snippets: bool,
    /// It shows Markdown; else plain text is shown as it is.
    pub markdown: bool,
    /// It takes edits as changes of documents, with their versions.
    pub document_changes: bool,
    /// It carries out edits that rename files.
    pub rename_files: bool,
    /// It shows outlines that nest.
    pub nested_symbols: bool,
    /// It takes quick fixes that carry their edit.
    pub quick_fixes: bool,
    /// It tells of changed files, if it is asked to.
    pub watches: bool,
}

impl Client {
    /// By the `capabilities` of `initialize`.
    pub fn of(capabilities: &Value) -> Client {
        let at = |pointer: &str| capabilities.pointer(pointer);
        let can = |pointer: &str| at(pointer).and_then(Value::as_bool).unwrap_or(false);
        let texts = |pointer: &str| -> Vec<&str> {
            at(pointer).and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str).collect()
        };
        let document_changes = can("/workspace/workspaceEdit/documentChanges");
        let shown = texts("/textDocument/hover/contentFormat");
        Client {
            encoding: Encoding::agreed(&texts("/general/positionEncodings")),
            snippets: can("/textDocument/completion/completionItem/snippetSupport"),
            markdown: shown.is_empty() || shown.contains(&"markdown"),
            document_changes,
            rename_files: document_changes && texts("/workspace/workspaceEdit/resourceOperations").contains(&"rename"),
            nested_symbols: can("/textDocument/documentSymbol/hierarchicalDocumentSymbolSupport"),
            quick_fixes: at("/textDocument/codeAction/codeActionLiteralSupport").is_some_and(Value::is_object),
            watches: can("/workspace/didChangeWatchedFiles/dynamicRegistration"),
        }
    }
}

impl Client {
    /// How texts are marked up.
    pub fn markup(self) -> MarkupKind {
        if self.markdown { MarkupKind::Markdown } else { MarkupKind::PlainText }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_said_and_what_is_not() {
        let nothing = Client::of(&json!({ "workspace": [1], "general": { "positionEncodings": "utf-8" } }));
        assert_eq!(nothing.encoding, Encoding::Utf16);
        assert!(nothing.markdown && !nothing.snippets && !nothing.rename_files && !nothing.document_changes && !nothing.watches);
        let modern = Client::of(&json!({
            "general": { "positionEncodings": ["utf-16", "utf-8"] },
            "workspace": { "workspaceEdit": { "documentChanges": true, "resourceOperations": ["create", "rename"] } },
            "textDocument": { "hover": { "contentFormat": ["plaintext"] }, "documentSymbol": { "hierarchicalDocumentSymbolSupport": true } },
        }));
        assert_eq!(modern.encoding, Encoding::Utf8);
        assert!(modern.rename_files && modern.nested_symbols && !modern.markdown && !modern.quick_fixes);
    }
}
