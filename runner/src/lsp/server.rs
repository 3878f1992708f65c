//! The conversation with one editor.

use std::path::PathBuf;

use crossbeam_channel::{Receiver, Sender, select};
use lsp_server::{Connection, ErrorCode, Message, Notification, Request, RequestId, Response};
use lsp_types::notification::{self, Notification as _};
use lsp_types::{
    ClientCapabilities, DidChangeTextDocumentParams, DidChangeWatchedFilesRegistrationOptions, DidCloseTextDocumentParams,
    DidOpenTextDocumentParams, FileSystemWatcher, GlobPattern, InitializeParams, Registration, RegistrationParams, Uri,
};
use serde_json::Value;

use super::checker::{self, Checked, Job};
use super::position::Encoding;
use super::project::{Workspace, path_of};
use super::publish::{self, Published};
use super::rules_page::Pages;
use super::{answers, capabilities};

/// Why a conversation ended other than by being ended.
#[derive(Debug, thiserror::Error)]
pub enum LspError {
    #[error("the editor did not keep to the protocol: {0}")]
    Protocol(#[from] lsp_server::ProtocolError),
    #[error("the editor's capabilities cannot be read: {0}")]
    Initialize(#[from] serde_json::Error),
    #[error("the system gives no thread to check projects on: {0}")]
    Thread(#[from] std::io::Error),
    #[error("the editor or the checking thread has gone away")]
    Gone,
}

/// What the editor can do.
#[derive(Debug, Clone, Copy)]
pub struct Client {
    pub encoding: Encoding,
    pub snippets: bool,
    /// It carries out edits that rename files.
    pub rename_files: bool,
    /// It tells of changed files, if it is asked to.
    watches: bool,
}

impl Client {
    fn of(client: &ClientCapabilities) -> Client {
        let workspace = client.workspace.as_ref();
        let edit = workspace.and_then(|workspace| workspace.workspace_edit.as_ref());
        let operations = edit.and_then(|edit| edit.resource_operations.as_deref()).unwrap_or_default();
        let document_changes = edit.and_then(|edit| edit.document_changes).unwrap_or(false);
        let completion = client.text_document.as_ref().and_then(|document| document.completion.as_ref());
        let item = completion.and_then(|completion| completion.completion_item.as_ref());
        let watched = workspace.and_then(|workspace| workspace.did_change_watched_files.as_ref());
        Client {
            encoding: Encoding::agreed(client),
            snippets: item.and_then(|item| item.snippet_support).unwrap_or(false),
            rename_files: document_changes && operations.contains(&lsp_types::ResourceOperationKind::Rename),
            watches: watched.and_then(|watched| watched.dynamic_registration).unwrap_or(false),
        }
    }
}

/// Answers one editor until it says that it is done. `pages`: where diagnostics are explained.
///
/// # Errors
/// When the editor breaks the protocol, or goes away without a word.
pub fn serve(connection: &Connection, pages: &Pages) -> Result<(), LspError> {
    let (id, asked) = connection.initialize_start()?;
    let asked: InitializeParams = serde_json::from_value(asked)?;
    let client = Client::of(&asked.capabilities);
    connection.initialize_finish(id, capabilities::of_server(client.encoding)?)?;
    let (jobs, results) = checker::start()?;
    let mut server = Server { connection, workspace: Workspace::default(), client, jobs, pages };
    server.begin(&asked)?;
    server.run(&results)
}

struct Server<'c> {
    connection: &'c Connection,
    workspace: Workspace,
    client: Client,
    jobs: Sender<Job>,
    pages: &'c Pages,
}

impl Server<'_> {
    /// Opens the projects that the editor's folders are in.
    fn begin(&mut self, asked: &InitializeParams) -> Result<(), LspError> {
        if self.client.watches {
            self.watch()?;
        }
        #[allow(deprecated, reason = "older editors know no folders but this one")]
        let root = asked.root_uri.iter();
        let folders = asked.workspace_folders.iter().flatten().map(|folder| &folder.uri);
        for folder in folders.chain(root).filter_map(path_of).collect::<Vec<PathBuf>>() {
            if let Some(project) = self.workspace.enter(&folder) {
                let root = project.root.clone();
                self.check(&root, true)?;
            }
        }
        Ok(())
    }

    /// Asks the editor to tell of changes on disk.
    fn watch(&self) -> Result<(), LspError> {
        let watchers = ["**/*.yaml", "**/*.yml", "**/*.hbs", "**/*.json"]
            .map(|glob| FileSystemWatcher { glob_pattern: GlobPattern::String(glob.to_owned()), kind: None });
        let options = DidChangeWatchedFilesRegistrationOptions { watchers: watchers.to_vec() };
        let registration = Registration {
            id: "files".to_owned(),
            method: notification::DidChangeWatchedFiles::METHOD.to_owned(),
            register_options: Some(serde_json::to_value(options)?),
        };
        let params = serde_json::to_value(RegistrationParams { registrations: vec![registration] })?;
        let id = RequestId::from("watch".to_owned());
        self.send(Request { id, method: "client/registerCapability".to_owned(), params }.into())
    }

    fn run(&mut self, results: &Receiver<Checked>) -> Result<(), LspError> {
        let messages = self.connection.receiver.clone();
        loop {
            select! {
                recv(messages) -> message => match message.map_err(|_| LspError::Gone)? {
                    Message::Request(request) => {
                        if self.connection.handle_shutdown(&request)? {
                            return Ok(());
                        }
                        let answer = self.answer(request);
                        self.send(answer.into())?;
                    }
                    Message::Notification(note) => self.note(note)?,
                    Message::Response(_) => {}
                },
                recv(results) -> checked => self.publish(checked.map_err(|_| LspError::Gone)?)?,
            }
        }
    }

    fn send(&self, message: Message) -> Result<(), LspError> {
        self.connection.sender.send(message).map_err(|_| LspError::Gone)
    }

    fn answer(&mut self, request: Request) -> Response {
        let published = Published { pages: self.pages };
        match answers::answer(&mut self.workspace, self.client, &published, &request.method, request.params) {
            Ok(Some(value)) => Response::new_ok(request.id, value),
            Ok(None) => Response::new_ok(request.id, Value::Null),
            Err(answers::Refusal::Unknown) => {
                let message = format!("campaignd does not know {}", request.method);
                Response::new_err(request.id, ErrorCode::MethodNotFound as i32, message)
            }
            Err(answers::Refusal::Params(error)) => {
                Response::new_err(request.id, ErrorCode::InvalidParams as i32, error.to_string())
            }
            Err(answers::Refusal::Rename(error)) => {
                Response::new_err(request.id, ErrorCode::RequestFailed as i32, error.to_string())
            }
        }
    }

    /// Takes in what the editor tells. What cannot be understood is left out: it is not waited for.
    fn note(&mut self, note: Notification) -> Result<(), LspError> {
        match note.method.as_str() {
            notification::DidOpenTextDocument::METHOD => {
                if let Ok(params) = serde_json::from_value::<DidOpenTextDocumentParams>(note.params) {
                    let document = params.text_document;
                    self.wrote(&document.uri, &document.text, document.version)?;
                }
            }
            notification::DidChangeTextDocument::METHOD => {
                if let Ok(mut params) = serde_json::from_value::<DidChangeTextDocumentParams>(note.params)
                    && let Some(change) = params.content_changes.pop()
                {
                    self.wrote(&params.text_document.uri, &change.text, params.text_document.version)?;
                }
            }
            notification::DidCloseTextDocument::METHOD => {
                if let Ok(params) = serde_json::from_value::<DidCloseTextDocumentParams>(note.params)
                    && let Some((project, file)) = self.workspace.file(&params.text_document.uri)
                {
                    project.close(&file);
                    let root = project.root.clone();
                    self.check(&root, true)?;
                }
            }
            notification::DidSaveTextDocument::METHOD | notification::DidChangeWatchedFiles::METHOD => {
                for root in self.workspace.roots() {
                    self.check(&root, true)?;
                }
            }
            // Without `shutdown` before it.
            notification::Exit::METHOD => return Err(LspError::Gone),
            _ => {}
        }
        Ok(())
    }

    fn wrote(&mut self, uri: &Uri, text: &str, version: i32) -> Result<(), LspError> {
        let Some((project, file)) = self.workspace.file(uri).filter(|(_, file)| dsl::ProjectFiles::reads(file)) else {
            return Ok(());
        };
        project.write(&file, text, version);
        let root = project.root.clone();
        self.check(&root, false)
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
            let note = Notification::new(notification::PublishDiagnostics::METHOD.to_owned(), params);
            self.send(note.into())?;
        }
        Ok(())
    }
}
