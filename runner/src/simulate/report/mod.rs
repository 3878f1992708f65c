//! A simulation as one page that needs nothing else: no script, no font, nothing from elsewhere.

mod charts;
mod days;
mod drawn;
#[cfg(test)]
mod tests;
mod view;

use std::fmt;

use dsl::model::Catalog;
use handlebars::Handlebars;
use jiff::tz::TimeZone;

use super::Figures;
use super::summary::{counted, grouped};
use crate::page::STYLE;
use view::View;

const PAGE: &str = include_str!("page.html.hbs");
const OWN_STYLE: &str = include_str!("page.css");

/// What was simulated.
#[derive(Debug, Clone)]
pub struct Head {
    pub project: String,
    /// In RFC 3339, in the project's zone; the end is not included.
    pub from: String,
    pub until: String,
    /// How many contacts were there at the start.
    pub contacts: u64,
    /// How many came while it lasted.
    pub newcomers: u64,
    /// How many things happened from outside.
    pub events: u64,
    /// The synthetic audience's name.
    pub audience: Option<String>,
    /// Empty: none was given.
    pub seed: String,
    pub zone: TimeZone,
}

impl Head {
    /// Who came beside those who were there; nothing when nobody did.
    fn newcomers_text(&self) -> String {
        if self.newcomers == 0 { String::new() } else { format!(" and {} who came later", grouped(self.newcomers)) }
    }
}

impl fmt::Display for Head {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (contacts, events) = (counted(self.contacts, "contact"), counted(self.events, "event"));
        let newcomers = self.newcomers_text();
        write!(f, "Simulated {} to {}: {contacts}{newcomers}, {events}.", self.from, self.until)
    }
}

/// The page's own template is broken.
#[derive(Debug, thiserror::Error)]
#[error("the report cannot be made: {0}")]
pub struct PageError(#[from] handlebars::RenderError);

/// The page, as HTML.
///
/// # Errors
/// When the page's own template is broken.
pub fn page(head: &Head, catalog: &Catalog, figures: &Figures) -> Result<String, PageError> {
    let mut handlebars = Handlebars::new();
    handlebars.set_strict_mode(true);
    let style = format!("{STYLE}{OWN_STYLE}");
    Ok(handlebars.render_template(PAGE, &View::of(head, catalog, figures, style))?)
}
