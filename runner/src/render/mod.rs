//! stub
use serde_json::{Map, Value};
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct RenderError(pub String);
pub struct Rendered {
    pub subject: Option<String>,
    pub html: Option<String>,
    pub text: Option<String>,
}
pub struct Templates;
impl Templates {
    pub fn compile(_: &dsl::model::Definition) -> Result<Templates, RenderError> {
        Ok(Templates)
    }
    pub fn render(&self, _: &str, _: &Value) -> Result<Rendered, RenderError> {
        Ok(Rendered { subject: None, html: None, text: None })
    }
    pub fn render_with(&self, with: &Map<String, Value>, _: &Value) -> (Map<String, Value>, Vec<String>) {
        (with.clone(), Vec::new())
    }
}
