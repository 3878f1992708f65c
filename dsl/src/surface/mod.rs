//! The written forms: what stands in the files, before anything is looked up or worked out. Each type is both a reader and
//! the source of the language's JSON Schemas; its doc comments become the descriptions that editors show.

mod audience;
mod condition;
pub(crate) mod journey;
mod segment;
mod settings;
pub(crate) mod snippets;
mod step;
mod traits;
mod trigger;
mod union;
mod workflow;

pub(crate) use audience::*;
pub(crate) use condition::*;
pub(crate) use segment::*;
pub(crate) use settings::*;
pub(crate) use step::*;
pub(crate) use traits::*;
pub(crate) use trigger::*;
pub(crate) use union::{MapOr, OneOrMany, Scalar};
pub(crate) use workflow::*;
