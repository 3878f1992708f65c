//! The conversation with one editor: from `initialize` to `exit`, as LSP 3.17 has it ("Lifecycle Messages").

use std::collections::{BTreeSet, VecDeque};
use std::path::PathBuf;

use crossbeam_channel::{Receiver, Sender, select};
use lsp_types::notification::{self, Notification as _};
use lsp_types::request::{self, Request as _};
use lsp_types::{
    DidChangeTextDocumentParams, DidChangeWatchedFilesParams, DidChangeWorkspaceFoldersParams, DidCloseTextDocumentParams,
    DidOpenTextDocumentParams, Uri,
};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::checker::{self, Checked, Job};
use super::client::Client;
use super::project::{Workspace, path_of};
use super::publish::{self, Published};
use super::rules_page::Pages;
use super::transport::{self, Connection, ErrorCode, Incoming};
use super::{answers, capabilities};

/// Why a conversation could not be had.
#[derive(Debug, thiserror::Error)]
pub enum LspError {
    #[error("what the server can do cannot be written down: {0}")]
    Capabilities(#[from] serde_json::Error),
    #[error("the system gives no thread to check projects on: {0}")]
    Thread(#[from] std::io::Error),
    #[error("the checking thread has gone away")]
    Gone,
}

/// How a conversation ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// With `shutdown`, then `exit`.
    Properly,
    /// Without `shutdown` before it.
    Abruptly,
}

/// Answers one editor until it says that it is done, or is gone. `pages`: where diagnostics are explained.
///
/// # Errors
/// When there is nothing to answer with.
pub fn serve(connection: &Connection, pages: &Pages) -> Result<Ended, LspError> {
    let Some((id, asked)) = initialized(connection) else {
        return Ok(Ended::Abruptly);
    };
    let client = Client::of(asked.get("capabilities").unwrap_or(&Value::Null));
    let (jobs, results) = checker::start()?;
    let mut server = Server { connection, workspace: Workspace::default(), client, jobs, pages, down: false };
    server.send(transport::answer(&id, capabilities::of_server(client.encoding)?));
    for folder in folders(&asked) {
        server.enter(&folder)?;
    }
    server.run(&results)
}

/// Waits for `initialize`, and gives its id and what it says. `None`: the editor has gone.
fn initialized(connection: &Connection) -> Option<(Value, Value)> {
    let send = |message: Value| connection.sender.send(message).ok();
    for message in &connection.receiver {
        match message {
            Incoming::Request { id, method, params } if method == request::Initialize::METHOD => {
                if params.get("capabilities").is_some_and(Value::is_object) {
                    return Some((id, params));
                }
                send(transport::refusal(&id, ErrorCode::InvalidParams, "`initialize` says what the client is capable of"))?;
            }
            Incoming::Request { id, method, .. } => {
                let message = format!("{method} comes before `initialize`");
                send(transport::refusal(&id, ErrorCode::ServerNotInitialized, &message))?;
            }
            Incoming::Malformed { id, code, message } => send(transport::refusal(&id, code, &message))?,
            Incoming::Notification { method, .. } if method == notification::Exit::METHOD => return None,
            Incoming::Notification { .. } | Incoming::Response => {}
        }
    }
    None
}

/// The folders that the editor has open.
fn folders(asked: &Value) -> Vec<PathBuf> {
    let uri = |value: &Value| path_of(&value.as_str()?.parse().ok()?);
    match asked.get("workspaceFolders").and_then(Value::as_array) {
        Some(folders) => folders.iter().filter_map(|folder| uri(folder.get("uri")?)).collect(),
        // Older editors know no folders but one.
        None => {
            let root = asked.get("rootUri").and_then(uri);
            root.or_else(|| asked.get("rootPath")?.as_str().map(PathBuf::from)).into_iter().collect()
        }
    }
}

struct Server<'c> {
    connection: &'c Connection,
    workspace: Workspace,
    client: Client,
    jobs: Sender<Job>,
    pages: &'c Pages,
    /// `shutdown` was asked for.
    down: bool,
}

impl Server<'_> {
    fn run(&mut self, results: &Receiver<Checked>) -> Result<Ended, LspError> {
        let messages = self.connection.receiver.clone();
        let mut waiting: VecDeque<Incoming> = VecDeque::new();
        loop {
            if waiting.is_empty() {
                select! {
                    recv(messages) -> message => match message {
                        Ok(message) => waiting.push_back(message),
                        Err(_) => return Ok(self.ended()),
                    },
                    recv(results) -> checked => self.publish(checked.map_err(|_| LspError::Gone)?)?,
                }
            }
            waiting.extend(messages.try_iter());
            let Some(message) = waiting.pop_front() else { continue };
            match message {
                Incoming::Notification { method, .. } if method == notification::Exit::METHOD => return Ok(self.ended()),
                Incoming::Request { id, .. } if is_cancelled(&id, &waiting) => {
                    self.send(transport::refusal(&id, ErrorCode::RequestCancelled, "cancelled"));
                }
                Incoming::Request { id, method, params } => {
                    let answer = self.answer(&id, &method, params);
                    self.send(answer);
                }
                Incoming::Malformed { id, code, message } => self.send(transport::refusal(&id, code, &message)),
                Incoming::Notification { method, params } if !self.down && !is_overtaken(&method, &params, &waiting) => {
                    self.note(&method, params)?;
                }
                Incoming::Notification { .. } | Incoming::Response => {}
            }
        }
    }

    fn ended(&self) -> Ended {
        if self.down { Ended::Properly } else { Ended::Abruptly }
    }

    /// To an editor that has gone nothing can be said; that it has is told by its own messages' end.
    fn send(&self, message: Value) {
        let _ = self.connection.sender.send(message);
    }

    fn answer(&mut self, id: &Value, method: &str, params: Value) -> Value {
        let refuse = |code, message: &str| transport::refusal(id, code, message);
        if self.down {
            return refuse(ErrorCode::InvalidRequest, "the server was shut down: only `exit` is left");
        }
        match method {
            request::Shutdown::METHOD => {
                self.down = true;
                return transport::answer(id, Value::Null);
            }
            request::Initialize::METHOD => return refuse(ErrorCode::InvalidRequest, "`initialize` was asked for before"),
            _ => {}
        }
        let published = Published { pages: self.pages };
        match answers::answer(&mut self.workspace, self.client, &published, method, params) {
            Ok(value) => transport::answer(id, value.unwrap_or_default()),
            Err(answers::Refusal::Unknown) => refuse(ErrorCode::MethodNotFound, &format!("campaignd does not know {method}")),
            Err(answers::Refusal::Params(error)) => refuse(ErrorCode::InvalidParams, &error.to_string()),
            Err(answers::Refusal::Rename(error)) => refuse(ErrorCode::RequestFailed, &error.to_string()),
        }
    }

    /// Takes in what the editor tells. What cannot be understood is left out: it is not waited for.
    fn note(&mut self, method: &str, params: Value) -> Result<(), LspError> {
        match method {
            notification::Initialized::METHOD if self.client.watches => self.watch(),
            notification::DidOpenTextDocument::METHOD => {
                if let Some(params) = read::<DidOpenTextDocumentParams>(params) {
                    let document = params.text_document;
                    // An editor that tells nothing of the disk may know more of it than we do.
                    self.wrote(&document.uri, &document.text, document.version, !self.client.watches)?;
                }
            }
            notification::DidChangeTextDocument::METHOD => {
                if let Some(mut params) = read::<DidChangeTextDocumentParams>(params)
                    && let Some(change) = params.content_changes.pop()
                {
                    self.wrote(&params.text_document.uri, &change.text, params.text_document.version, false)?;
                }
            }
            notification::DidCloseTextDocument::METHOD => {
                if let Some(params) = read::<DidCloseTextDocumentParams>(params)
                    && let Some((project, file)) = self.workspace.file(&params.text_document.uri)
                {
                    project.close(&file);
                    let root = project.root.clone();
                    self.check(&root, true)?;
                }
            }
            notification::DidSaveTextDocument::METHOD => {
                for root in self.workspace.roots() {
                    self.check(&root, true)?;
                }
            }
            notification::DidChangeWatchedFiles::METHOD => {
                if let Some(params) = read::<DidChangeWatchedFilesParams>(params) {
                    let changed: Vec<PathBuf> = params.changes.iter().filter_map(|change| path_of(&change.uri)).collect();
                    let roots = changed.iter().filter_map(|path| self.workspace.root_of(path)).collect::<BTreeSet<PathBuf>>();
                    for root in roots {
                        self.check(&root, true)?;
                    }
                }
            }
            notification::DidChangeWorkspaceFolders::METHOD => {
                if let Some(params) = read::<DidChangeWorkspaceFoldersParams>(params) {
                    self.other_folders(&params)?;
                }
            }
            _ => {}
        }
        Ok(())
    }

    /// Asks the editor to tell of changes on disk.
    fn watch(&self) {
        let watchers = ["**/*.{yaml,yml,hbs,json}", "**/templates/**"].map(|glob| json!({ "globPattern": glob }));
        let method = notification::DidChangeWatchedFiles::METHOD;
        let registration = json!({ "id": "files", "method": method, "registerOptions": { "watchers": watchers } });
        let params = json!({ "registrations": [registration] });
        self.send(transport::request("watch", request::RegisterCapability::METHOD, params));
    }

    fn other_folders(&mut self, params: &DidChangeWorkspaceFoldersParams) -> Result<(), LspError> {
        let added: Vec<PathBuf> = params.event.added.iter().filter_map(|folder| path_of(&folder.uri)).collect();
        for removed in params.event.removed.iter().filter_map(|folder| path_of(&folder.uri)) {
            for uri in self.workspace.leave(&removed, &added) {
                let params = json!({ "uri": uri, "diagnostics": [] });
                self.send(transport::notification(notification::PublishDiagnostics::METHOD, params));
            }
        }
        added.iter().try_for_each(|folder| self.enter(folder))
    }

    /// Opens the project that a folder is in.
    fn enter(&mut self, folder: &std::path::Path) -> Result<(), LspError> {
        match self.workspace.enter(folder).map(|project| project.root.clone()) {
            Some(root) => self.check(&root, true),
            None => Ok(()),
        }
    }

    fn wrote(&mut self, uri: &Uri, text: &str, version: i32, reread: bool) -> Result<(), LspError> {
        let is_ours = |file: &str| dsl::ProjectFiles::reads(file) || dsl::ProjectFiles::is_audience(file, text);
        let Some((project, file)) = self.workspace.file(uri) else {
            return Ok(());
        };
        if !is_ours(&file) && !project.open.contains_key(&file) {
            return Ok(());
        }
        project.write(&file, text, version, uri);
        let root = project.root.clone();
        self.check(&root, reread)
    }

    /// Has a project checked.
    fn check(&mut self, root: &std::path::Path, reread: bool) -> Result<(), LspError> {
        let Some(project) = self.workspace.project(root) else {
            return Ok(());
        };
        let job = Job { root: project.root.clone(), open: project.open.clone(), reread };
        self.jobs.send(job).map_err(|_| LspError::Gone)
    }

    fn publish(&mut self, checked: Checked) -> Result<(), LspError> {
        let Some(project) = self.workspace.project(&checked.root) else {
            return Ok(());
        };
        project.reread(checked.disk.clone());
        let published = Published { pages: self.pages };
        for params in publish::messages(project, checked, &published, self.client.encoding) {
            self.send(transport::notification(notification::PublishDiagnostics::METHOD, serde_json::to_value(params)?));
        }
        Ok(())
    }
}

fn read<T: DeserializeOwned>(params: Value) -> Option<T> {
    serde_json::from_value(params).ok()
}

/// Whether a request is taken back by something that has come in behind it.
fn is_cancelled(id: &Value, waiting: &VecDeque<Incoming>) -> bool {
    let cancels = |message: &Incoming| matches!(message, Incoming::Notification { method, params } if method == notification::Cancel::METHOD && params.get("id") == Some(id));
    waiting.iter().any(cancels)
}

/// Whether the next message is another text for the same document, so that nobody will ask about this one.
fn is_overtaken(method: &str, params: &Value, waiting: &VecDeque<Incoming>) -> bool {
    let document = |params: &Value| params.pointer("/textDocument/uri").cloned();
    let changes = |method: &str| method == notification::DidChangeTextDocument::METHOD;
    let next = matches!(waiting.front(), Some(Incoming::Notification { method, params: next }) if changes(method) && document(next) == document(params));
    changes(method) && next
}

#[cfg(test)]
mod tests {
    use crossbeam_channel::unbounded;

    use super::*;

    fn told(method: &str, params: Value) -> Incoming {
        Incoming::Notification { method: method.to_owned(), params }
    }

    fn asked(id: i32, method: &str, params: Value) -> Incoming {
        Incoming::Request { id: id.into(), method: method.to_owned(), params }
    }

    /// Has a conversation, and gives how it ended and the answers: `id result` or `id code`.
    #[track_caller]
    fn check(messages: Vec<Incoming>, ended: Ended, expected: &[&str]) {
        let (incoming, receiver) = unbounded();
        let (sender, outgoing) = unbounded();
        for message in messages {
            incoming.send(message).unwrap();
        }
        drop(incoming);
        assert_eq!(serve(&Connection { sender, receiver }, &Pages::default()).unwrap(), ended);
        let short = |message: Value| {
            let id = message.get("id")?.clone();
            let code = message.pointer("/error/code").map(Value::to_string);
            let result = || if message["result"].is_object() { "{}".to_owned() } else { message["result"].to_string() };
            Some(format!("{id} {}", code.unwrap_or_else(result)))
        };
        assert_eq!(outgoing.iter().filter_map(short).collect::<Vec<_>>(), expected);
    }

    fn begin() -> Incoming {
        asked(1, "initialize", json!({ "capabilities": {} }))
    }

    #[test]
    fn from_the_beginning_to_the_end() {
        let exit = || told("exit", Value::Null);
        let shutdown = |id| asked(id, "shutdown", Value::Null);
        check(vec![begin(), told("initialized", json!({})), shutdown(2), exit()], Ended::Properly, &["1 {}", "2 null"]);
        check(vec![begin(), exit()], Ended::Abruptly, &["1 {}"]);
        check(vec![exit()], Ended::Abruptly, &[]);
        check(vec![begin()], Ended::Abruptly, &["1 {}"]);
        check(
            vec![
                asked(7, "textDocument/hover", json!({})),
                shutdown(8),
                told("x", Value::Null),
                asked(9, "initialize", json!([])),
                begin(),
                begin(),
                exit(),
            ],
            Ended::Abruptly,
            &["7 -32002", "8 -32002", "9 -32602", "1 {}", "1 -32600"],
        );
        check(
            vec![
                begin(),
                shutdown(2),
                asked(3, "textDocument/hover", json!({})),
                shutdown(4),
                told("textDocument/didOpen", json!({})),
                exit(),
            ],
            Ended::Properly,
            &["1 {}", "2 null", "3 -32600", "4 -32600"],
        );
    }

    #[test]
    fn what_cannot_be_answered_says_so() {
        let wrong = Incoming::Malformed { id: Value::Null, code: ErrorCode::Parse, message: String::new() };
        check(
            vec![
                begin(),
                wrong,
                asked(2, "no/such", json!({})),
                asked(3, "textDocument/hover", json!([1])),
                asked(4, "textDocument/completion", json!({ "textDocument": 5 })),
                asked(5, "textDocument/rename", Value::Null),
                told("textDocument/didChange", json!({ "contentChanges": 1 })),
                told("workspace/didChangeWatchedFiles", json!("x")),
                told("$/anything", json!({})),
                Incoming::Response,
            ],
            Ended::Abruptly,
            &["1 {}", "null -32700", "2 -32601", "3 -32602", "4 -32602", "5 -32602"],
        );
    }

    #[test]
    fn what_is_taken_back_or_overtaken_is_not_worked_on() {
        check(
            vec![begin(), asked(2, "x", json!({})), asked(3, "x", json!({})), told("$/cancelRequest", json!({ "id": 2 }))],
            Ended::Abruptly,
            &["1 {}", "2 -32800", "3 -32601"],
        );
        let change = |uri: &str| told("textDocument/didChange", json!({ "textDocument": { "uri": uri } }));
        let Incoming::Notification { method, params } = change("file:///a") else { panic!() };
        assert!(is_overtaken(&method, &params, &VecDeque::from([change("file:///a")])));
        assert!(!is_overtaken(&method, &params, &VecDeque::from([change("file:///b"), change("file:///a")])));
        assert!(!is_overtaken(&method, &params, &VecDeque::new()));
    }
}
