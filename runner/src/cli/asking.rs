//! Asking a runner over HTTP what a project's files would change there.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use dsl::model::{Catalog, Secret};
use hyper::Method;
use hyper::header::{AUTHORIZATION, CONTENT_TYPE, HeaderValue};
use serde_json::Value;

use super::CouldNotRun;
use crate::changes::{Candidate, Report};
use crate::http_client::{Answer, Client, Connections, Guard, Host, Request, Url};
use crate::secrets::Secrets;
use crate::web::LONGEST_PLAN;

/// Large stores take their time.
const PATIENCE: Duration = Duration::from_secs(600);
/// Where the key is, unless a file is named.
const KEY: &str = "${CAMPAIGND_KEY}";

/// The plan as the runner at this address works it out.
///
/// # Errors
/// When there is no answer, or it says no; in words that say what to do next.
pub fn plan(base: &str, key_file: Option<&Path>, catalog: &Arc<Catalog>) -> Result<Report, CouldNotRun> {
    let wrong = |error: String| CouldNotRun(format!("--url {base}: {error}"));
    let url = Url::parse(&format!("{}/v1/plan", base.trim_end_matches('/'))).map_err(|error| wrong(error.to_string()))?;
    let body = serde_json::to_string(&Candidate::of(catalog)).map_err(|error| wrong(error.to_string()))?;
    if body.len() > LONGEST_PLAN {
        return Err(wrong(format!("the project is longer than {LONGEST_PLAN} bytes; plan with --store")));
    }
    let mut headers = vec![(CONTENT_TYPE, HeaderValue::from_static("application/json"))];
    let key = key(key_file)?;
    if let Some(key) = &key {
        let mut value = HeaderValue::from_str(&format!("Bearer {key}"))
            .map_err(|_| CouldNotRun("the key holds what no header can hold; a write key of `http.keys` is needed".to_owned()))?;
        value.set_sensitive(true);
        headers.push((AUTHORIZATION, value));
    }
    // Whoever names an address means it, private or not.
    let host = match &url.origin.host {
        Host::Name(name) => name.clone(),
        Host::Address(address) => address.to_string(),
    };
    let client = Arc::new(Client::new(Guard::new(&[host])));
    let request = Request { method: Method::POST, url, headers, body };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(|error| wrong(error.to_string()))?;
    let answer = runtime
        .block_on(async { Connections::new(client).ask_for(request, PATIENCE, LONGEST_PLAN).await })
        .map_err(|error| wrong(error.to_string()))?;
    if answer.status != 200 || !answer.whole {
        return Err(wrong(refusal(&answer, key.is_some())));
    }
    serde_json::from_slice(&answer.body)
        .map_err(|error| wrong(format!("the answer is no plan: {error}; the runner may be of another version of campaignd")))
}

/// The first line of the file, or the variable's value; `None`: there is neither, and a runner on this machine may need none.
fn key(file: Option<&Path>) -> Result<Option<String>, CouldNotRun> {
    let Some(file) = file else {
        let secrets = Secrets::of_project(Path::new(".")).map_err(|error| CouldNotRun(error.to_string()))?;
        return Ok(secrets.resolve(&Secret(KEY.to_owned()), "--url").ok().filter(|key| !key.is_empty()));
    };
    let text =
        std::fs::read_to_string(file).map_err(|error| CouldNotRun(format!("{} cannot be read: {error}", file.display())))?;
    match text.lines().next().map(str::trim).filter(|key| !key.is_empty()) {
        Some(key) => Ok(Some(key.to_owned())),
        None => Err(CouldNotRun(format!("{} holds no key in its first line", file.display()))),
    }
}

/// What the runner said, in its words.
fn refusal(answer: &Answer, keyed: bool) -> String {
    let said: Option<Value> = serde_json::from_slice(&answer.body).ok();
    let words = said.as_ref().and_then(|said| said.get("message")).and_then(Value::as_str);
    match (answer.status, words) {
        (401, _) if keyed => "the runner knows no such write key; look at what --key-file or CAMPAIGND_KEY gives".to_owned(),
        (401, _) => "the runner wants a write key: give it by --key-file, or in the variable CAMPAIGND_KEY".to_owned(),
        (404, _) => "there is no /v1/plan at this address; is it a runner of this version of campaignd?".to_owned(),
        (status, Some(words)) => format!("the runner answered {status}: {words}"),
        (status, None) => format!("the runner answered {status}"),
    }
}
