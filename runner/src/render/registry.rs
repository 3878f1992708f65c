//! Handlebars, set up for this language: its helpers and no others, a missing value that is printed is an error.
//!
//! Handlebars' own strict mode is not used: it makes errors of comparisons with what may be missing (`{{#if (eq contact.plan "pro")}}`), and
//! keeps `{{default (lookup …) "x"}}` from working. The `helperMissing` hook, called for whatever can't be printed, is strict instead.

use handlebars::{
    Context, Handlebars, Helper, HelperDef, HelperResult, JsonRender, Output, RenderContext, RenderError, RenderErrorReason,
    ScopedJson,
};

use super::helpers::{Compute, OWN};
use super::safety;

/// The name of the hook that Handlebars calls for what is neither a variable nor a helper.
const MISSING: &str = "helperMissing";
/// Counts the rounds of loops. The checker knows no such name, so no template uses it.
pub(super) const ROUND: &str = "$round";

/// Why a message can't be made, on its way through Handlebars.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum Stop {
    #[error("`{0}` is missing")]
    Missing(String),
    #[error("there is no helper `{0}`")]
    NoHelper(String),
    #[error("`{variable}` is no {wanted}")]
    Unfit { variable: String, wanted: &'static str },
    #[error("its loops take too many rounds")]
    TooManyRounds,
}

impl From<Stop> for RenderError {
    fn from(stop: Stop) -> RenderError {
        RenderErrorReason::NestedError(Box::new(stop)).into()
    }
}

/// What HTML parts are rendered with: data is escaped.
pub(super) fn html() -> Handlebars<'static> {
    with_helpers(safety::escape_html)
}

/// What text parts and headers are rendered with.
pub(super) fn text() -> Handlebars<'static> {
    with_helpers(safety::plain)
}

/// What addresses are rendered with: data is percent-encoded.
pub(super) fn address() -> Handlebars<'static> {
    with_helpers(safety::percent_encode)
}

fn with_helpers(escape: fn(&str) -> String) -> Handlebars<'static> {
    let mut registry = Handlebars::new();
    registry.register_escape_fn(escape);
    for foreign in ["log", "raw"] {
        registry.unregister_helper(foreign);
    }
    for (name, compute) in OWN {
        registry.register_helper(name, Box::new(Computed(compute)));
    }
    registry.register_helper(ROUND, Box::new(Round));
    registry.register_helper(MISSING, Box::new(Missing));
    registry
}

/// A helper that makes a value of values. A missing one is fine where another helper asks for it, and an error where it would be printed; so
/// is one that does not fit.
struct Computed(Compute);

impl HelperDef for Computed {
    fn call_inner<'reg: 'rc, 'rc>(
        &self,
        call: &Helper<'rc>,
        _: &'reg Handlebars<'reg>,
        _: &'rc Context,
        _: &mut RenderContext<'reg, 'rc>,
    ) -> Result<ScopedJson<'rc>, RenderError> {
        Ok((self.0)(call).ok().flatten().map_or(ScopedJson::Missing, ScopedJson::Derived))
    }

    fn call<'reg: 'rc, 'rc>(
        &self,
        call: &Helper<'rc>,
        registry: &'reg Handlebars<'reg>,
        _: &'rc Context,
        state: &mut RenderContext<'reg, 'rc>,
        out: &mut dyn Output,
    ) -> HelperResult {
        let Some(value) = (self.0)(call)? else {
            let gone = call.params().iter().find(|value| value.is_value_missing() || value.value().is_null());
            let name = gone.or_else(|| call.params().first()).and_then(|value| value.relative_path());
            return Err(Stop::Missing(name.cloned().unwrap_or_else(|| call.name().to_owned())).into());
        };
        let text = value.render();
        let text = if state.is_disable_escape() { text } else { registry.get_escape_fn()(&text) };
        Ok(out.write(&text)?)
    }
}

struct Missing;

impl HelperDef for Missing {
    fn call<'reg: 'rc, 'rc>(
        &self,
        call: &Helper<'rc>,
        _: &'reg Handlebars<'reg>,
        _: &'rc Context,
        _: &mut RenderContext<'reg, 'rc>,
        _: &mut dyn Output,
    ) -> HelperResult {
        let name = call.name().to_owned();
        let variable = call.params().is_empty() && call.hash().is_empty();
        Err(if variable { Stop::Missing(name) } else { Stop::NoHelper(name) }.into())
    }
}

struct Round;

impl HelperDef for Round {
    fn call<'reg: 'rc, 'rc>(
        &self,
        _: &Helper<'rc>,
        _: &'reg Handlebars<'reg>,
        _: &'rc Context,
        _: &mut RenderContext<'reg, 'rc>,
        _: &mut dyn Output,
    ) -> HelperResult {
        if safety::count_round() { Ok(()) } else { Err(Stop::TooManyRounds.into()) }
    }
}

#[cfg(test)]
mod tests {
    use dsl::template::{Form, HELPERS};

    use super::*;

    #[test]
    fn the_helpers_are_those_of_the_language() {
        let render = |source: &str| html().render_template(source, &serde_json::json!({}));
        for helper in HELPERS {
            let call = format!("{}{}", helper.name, " \"1\"".repeat(*helper.values.start()));
            let source = match helper.form {
                Form::Block => format!("{{{{#{call}}}}}{{{{/{}}}}}", helper.name),
                Form::Value | Form::Both => format!("{{{{default ({call}) \"\"}}}}"),
            };
            assert!(render(&source).is_ok(), "{source}");
        }
        for foreign in ["{{log \"x\"}}", "{{#raw}}{{/raw}}", "{{nope \"x\"}}"] {
            assert!(render(foreign).is_err(), "{foreign}");
        }
    }
}
