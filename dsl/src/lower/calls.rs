//! `call`: a request to another system.

use super::Lowerer;
use super::notes::Named;
use super::steps::on_trouble;
use crate::model::{Call, Method, Retry, Root};
use crate::place::At;
use crate::surface;
use crate::time::Duration;

const RETRY: Retry = Retry { first: Duration::SECOND, most: Duration::MINUTE, for_: Duration(10 * Duration::MINUTE.millis()) };
/// How long the other side may take, unless the step says otherwise.
const TIMEOUT: Duration = Duration(10 * Duration::SECOND.millis());

impl Lowerer<'_> {
    pub(super) fn call(&mut self, form: &surface::HttpCall, at: &At<'_>) -> Call {
        let verbs = [
            ("post", Method::Post, &form.post),
            ("get", Method::Get, &form.get),
            ("put", Method::Put, &form.put),
            ("patch", Method::Patch, &form.patch),
            ("delete", Method::Delete, &form.delete),
        ];
        let given: Vec<_> = verbs.iter().filter_map(|(key, method, url)| Some((*key, *method, url.as_ref()?))).collect();
        let (method, url) = match given[..] {
            [(key, method, url)] => {
                self.web_address(url, &at.key(key));
                self.expression(url, &at.key(key), &Default::default());
                (method, url.clone())
            }
            [] => {
                self.error_help("missing-key", at, "this call says not what to call", "add `post: \"https://…\"`");
                (Method::Post, String::new())
            }
            [_, (key, ..), ..] => {
                self.error("misplaced-key", &at.key(key), "a call has one of post, get, put, patch and delete");
                (Method::Post, String::new())
            }
        };
        if let (Method::Get, Some(_)) = (method, &form.json) {
            self.error_help("misplaced-key", &at.key("json"), "a GET has no body", "put it into the URL, or use `post`");
        }
        let here = at.key("headers");
        self.header_names(form.headers.as_ref(), &here);
        for (name, text) in form.headers.iter().flatten() {
            self.header(text, &here.key(name));
        }
        if let Some(sign) = &form.sign {
            self.notes.secrets.push(Named { name: sign.clone(), at: at.key("sign").location() });
        }
        Call {
            method,
            url,
            headers: form.headers.clone().unwrap_or_default(),
            json: form.json.as_ref().map(|json| self.with(Some(json), &at.key("json"))),
            sign: form.sign.clone(),
            timeout: form.timeout.as_ref().map_or(TIMEOUT, |text| self.timeout(text, &at.key("timeout"))),
            retry: form.retry.as_ref().map_or(RETRY, |retry| self.retry(retry, RETRY, &at.key("retry"))),
            save: form.save.as_ref().and_then(|text| {
                let path = self.path(text, &[Root::Vars], &at.key("save"))?;
                self.notes.variables.extend(path.keys.first().cloned());
                Some(path)
            }),
            on_error: on_trouble(form.on_error),
        }
    }

    /// A header's text: a template, in which `{{secrets.NAME}}` stands for a secret.
    fn header(&mut self, text: &str, at: &At<'_>) {
        let mut rest = text;
        let mut without = String::new();
        while let Some((before, after)) = rest.split_once("{{secrets.") {
            let Some((name, behind)) = after.split_once("}}") else { break };
            self.notes.secrets.push(Named { name: name.trim().to_owned(), at: at.location() });
            without.push_str(before);
            // Blanks in its place: what follows keeps its column.
            without.extend(std::iter::repeat_n(' ', "{{secrets.}}".len() + name.chars().count()));
            rest = behind;
        }
        without.push_str(rest);
        self.expression(&without, at, &Default::default());
    }
}
