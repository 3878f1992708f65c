//! The answer to each request.

use lsp_types::request::{self, Request as _};
use lsp_types::{
    CodeActionParams, CompletionParams, DocumentSymbolParams, GotoDefinitionParams, HoverParams, PrepareRenameResponse,
    ReferenceParams, RenameParams, TextDocumentPositionParams, Uri,
};
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::position::Page;
use super::project::{Project, Workspace};
use super::publish::Published;
use super::rename::RenameError;
use super::server::Client;
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
            let params: CompletionParams = read(params)?;
            at(workspace, client, &params.text_document_position, |project, file, place, page| {
                value(completion::complete(project, file, place, page, client.snippets))
            })
        }
        request::HoverRequest::METHOD => {
            let params: HoverParams = read(params)?;
            at(workspace, client, &params.text_document_position_params, |project, file, place, page| {
                value(hover::hover(project, file, place, page))
            })
        }
        request::GotoDefinition::METHOD => {
            let params: GotoDefinitionParams = read(params)?;
            at(workspace, client, &params.text_document_position_params, |project, file, place, _| {
                value(navigation::definitions(project, file, place, encoding))
            })
        }
        request::References::METHOD => {
            let params: ReferenceParams = read(params)?;
            let declaration = params.context.include_declaration;
            at(workspace, client, &params.text_document_position, |project, file, place, _| {
                value(navigation::references(project, file, place, declaration, encoding))
            })
        }
        request::DocumentSymbolRequest::METHOD => {
            let params: DocumentSymbolParams = read(params)?;
            of(workspace, client, &params.text_document.uri, |project, file, page| {
                let symbols = project.index.file(file).map(|file| file.symbols.as_slice()).unwrap_or_default();
                value(navigation::symbols(symbols, page))
            })
        }
        request::CodeActionRequest::METHOD => {
            let params: CodeActionParams = read(params)?;
            of(workspace, client, &params.text_document.uri, |project, file, page| {
                value(actions::actions(project, file, params.range, page, published))
            })
        }
        request::PrepareRenameRequest::METHOD => {
            let params: TextDocumentPositionParams = read(params)?;
            at(workspace, client, &params, |project, file, place, page| {
                let (range, placeholder) = rename::prepare(project, file, place, page)?;
                value(PrepareRenameResponse::RangeWithPlaceholder { range, placeholder })
            })
        }
        request::Rename::METHOD => {
            let params: RenameParams = read(params)?;
            at(workspace, client, &params.text_document_position, |project, file, place, _| {
                value(rename::rename(project, file, place, &params.new_name, client.rename_files, encoding)?)
            })
        }
        _ => Err(Refusal::Unknown),
    }
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
