//! The answer to each request.

use lsp_types::request::{self, Request as _};
use lsp_types::{
    CodeActionKind, PrepareRenameResponse, Range, ReferenceContext, TextDocumentIdentifier, TextDocumentPositionParams, Uri,
};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::client::Client;
use super::position::Page;
use super::project::{Project, Workspace};
use super::publish::Published;
use super::rename::RenameError;
use super::{actions, completion, hover, navigation, rename};

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum Refusal {
    #[error("there is no such request")]
    Unknown,
    #[error(transparent)]
    Params(#[from] serde_json::Error),
    #[error(transparent)]
    Rename(#[from] RenameError),
}

type Answer = Result<Option<Value>, Refusal>;

/// Answers a request; of a file that belongs to no project there is nothing to say.
///
/// # Errors
/// When the request is none that is known, cannot be read, or asks for what cannot be done.
pub fn answer(workspace: &mut Workspace, client: Client, published: &Published<'_>, method: &str, params: Value) -> Answer {
    let encoding = client.encoding;
    match method {
        request::Completion::METHOD => {
            let params: TextDocumentPositionParams = read(params)?;
            at(workspace, client, &params, |project, file, place, page| {
                value(completion::complete(project, file, place, page, client))
            })
        }
        request::HoverRequest::METHOD => {
            let params: TextDocumentPositionParams = read(params)?;
            at(workspace, client, &params, |project, file, place, page| value(hover::hover(project, file, place, page, client)))
        }
        request::GotoDefinition::METHOD => {
            let params: TextDocumentPositionParams = read(params)?;
            at(workspace, client, &params, |project, file, place, _| {
                value(navigation::definitions(project, file, place, encoding))
            })
        }
        request::References::METHOD => {
            let params: References = read(params)?;
            let declaration = params.context.is_none_or(|context| context.include_declaration);
            at(workspace, client, &params.at, |project, file, place, _| {
                value(navigation::references(project, file, place, declaration, encoding))
            })
        }
        request::DocumentSymbolRequest::METHOD => {
            let params: OfDocument = read(params)?;
            of(workspace, client, &params.text_document.uri, |project, file, page| {
                let symbols = project.index.file(file).map(|file| file.symbols.as_slice()).unwrap_or_default();
                match (client.nested_symbols, project.uri(file)) {
                    (false, Some(uri)) => value(navigation::flat_symbols(symbols, page, &uri)),
                    _ => value(navigation::symbols(symbols, page)),
                }
            })
        }
        request::CodeActionRequest::METHOD => {
            let params: CodeActions = read(params)?;
            of(workspace, client, &params.text_document.uri, |project, file, page| {
                let actions = match client.quick_fixes && params.context.wants_quick_fixes() {
                    true => actions::actions(project, file, params.range, page, published, client),
                    false => Vec::new(),
                };
                value(actions)
            })
        }
        request::PrepareRenameRequest::METHOD => {
            let params: TextDocumentPositionParams = read(params)?;
            at(workspace, client, &params, |project, file, place, page| {
                match rename::prepare(project, file, place, page, client.rename_files)? {
                    Some((range, placeholder)) => value(PrepareRenameResponse::RangeWithPlaceholder { range, placeholder }),
                    None => Ok(None),
                }
            })
        }
        request::Rename::METHOD => {
            let params: Renaming = read(params)?;
            at(workspace, client, &params.at, |project, file, place, _| {
                value(rename::rename(project, file, place, &params.new_name, client)?)
            })
        }
        _ => Err(Refusal::Unknown),
    }
}

/// What is asked about a document, as far as it is looked at: what else an editor says of its wishes may be missing, or new.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct OfDocument {
    text_document: TextDocumentIdentifier,
}

#[derive(Deserialize)]
struct References {
    #[serde(flatten)]
    at: TextDocumentPositionParams,
    context: Option<ReferenceContext>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct CodeActions {
    text_document: TextDocumentIdentifier,
    range: Range,
    #[serde(default)]
    context: CodeActionContext,
}

#[derive(Default, Deserialize)]
struct CodeActionContext {
    only: Option<Vec<String>>,
}

impl CodeActionContext {
    /// Kinds are named from the general to the particular, with dots between.
    fn wants_quick_fixes(&self) -> bool {
        let wanted = |kind: &String| kind.is_empty() || kind == CodeActionKind::QUICKFIX.as_str();
        self.only.as_ref().is_none_or(|only| only.iter().any(wanted))
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Renaming {
    #[serde(flatten)]
    at: TextDocumentPositionParams,
    new_name: String,
}

fn read<T: DeserializeOwned>(params: Value) -> Result<T, Refusal> {
    Ok(serde_json::from_value(params)?)
}

fn value(answer: impl serde::Serialize) -> Answer {
    Ok(Some(serde_json::to_value(answer)?))
}

fn of(workspace: &mut Workspace, client: Client, uri: &Uri, then: impl FnOnce(&Project, &str, &Page<'_>) -> Answer) -> Answer {
    let Some((project, file)) = workspace.file(uri) else {
        return Ok(None);
    };
    let project: &Project = project;
    let Some(text) = project.text(&file) else {
        return Ok(None);
    };
    then(project, &file, &Page::new(text, client.encoding))
}

fn at(
    workspace: &mut Workspace,
    client: Client,
    position: &TextDocumentPositionParams,
    then: impl FnOnce(&Project, &str, (usize, usize), &Page<'_>) -> Answer,
) -> Answer {
    of(workspace, client, &position.text_document.uri, |project, file, page| {
        then(project, file, page.place(position.position), page)
    })
}
