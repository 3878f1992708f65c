//! The requests of `call` steps.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use dsl::model::{Call, Secret};
use serde_json::{Map, Value, json};

use super::super::{Content, Outcome, compose};
use super::form::Form;
use super::sign::SigningKey;
use super::verdict::{self, Verdict};
use super::{Carried, HttpError};
use crate::http_client::{Answer, Connections, Request};

/// How many calls are kept compiled.
const MOST_KEPT: usize = 256;
/// What errors call a step's request.
const NAME: &str = "call";

pub struct Calls {
    secrets: BTreeMap<String, Secret>,
    /// By the call as text.
    kept: RwLock<HashMap<String, Arc<Form>>>,
}

impl Calls {
    pub fn new(secrets: &BTreeMap<String, Secret>) -> Calls {
        Calls { secrets: secrets.clone(), kept: RwLock::default() }
    }

    /// Makes the request. It has a key that tells it from the same one made again, so one without an answer is made again.
    pub async fn carry(&self, connections: &mut Connections, id: &str, mut content: Content, now: i64) -> Carried {
        let Some(call) = content.call.take() else { return Carried::failed("there is nothing to call") };
        let data = content.data.unwrap_or_else(|| Value::Object(Map::new()));
        let request = match compose::caught(|| self.request(&call, &data, id, now)) {
            Ok(request) => request,
            Err(why) => return Carried::failed(why),
        };
        let within = Duration::from_millis(call.timeout.millis().unsigned_abs());
        match connections.send(request, within).await {
            Ok(answer) => judged_call(&answer),
            Err(trouble) if trouble.is_final() => Carried::failed(trouble),
            Err(trouble) => Carried::of(Outcome::Deferred(trouble.to_string())),
        }
    }

    fn request(&self, call: &Call, data: &Value, id: &str, now: i64) -> Result<Request, String> {
        let form = self.form(call).map_err(|error| error.to_string())?;
        let secret = |text: &String| text.contains("secrets.");
        let header_data = call.headers.values().any(secret).then(|| self.with_secrets(data));
        let draft = form.draft(data, header_data.as_ref())?;
        let sign = match &call.sign {
            None => None,
            Some(name) => {
                let secret =
                    self.secrets.get(name).ok_or_else(|| format!("the settings have no secret `{name}` to sign with"))?;
                Some(SigningKey::read(&secret.0).map_err(|error| error.to_string())?)
            }
        };
        draft.ready(id, sign.as_ref(), now)
    }

    fn form(&self, call: &Call) -> Result<Arc<Form>, HttpError> {
        let key = json!([call.method, call.url, call.headers, call.json]).to_string();
        if let Some(form) = self.kept.read().unwrap_or_else(PoisonError::into_inner).get(&key) {
            return Ok(form.clone());
        }
        let form = Arc::new(Form::of_call(NAME, call)?);
        let mut kept = self.kept.write().unwrap_or_else(PoisonError::into_inner);
        if kept.len() < MOST_KEPT {
            kept.insert(key, form.clone());
        }
        Ok(form)
    }

    fn with_secrets(&self, data: &Value) -> Value {
        let mut data = data.as_object().cloned().unwrap_or_default();
        let secrets = self.secrets.iter().map(|(name, secret)| (name.clone(), Value::String(secret.0.clone()))).collect();
        data.insert("secrets".to_owned(), Value::Object(secrets));
        Value::Object(data)
    }
}

/// What an answer to a call means.
pub fn judged_call(answer: &Answer) -> Carried {
    let Verdict { outcome, .. } = verdict::by_status(answer);
    let said = (outcome == Outcome::Sent).then(|| said(answer));
    Carried { outcome, refusal: None, answer: said }
}

/// What was answered: JSON where it is that, null where it is nothing, else text.
fn said(answer: &Answer) -> Value {
    if answer.body.is_empty() {
        return Value::Null;
    }
    let text = || Value::String(String::from_utf8_lossy(&answer.body).into_owned());
    serde_json::from_slice(&answer.body).unwrap_or_else(|_| text())
}
