//! Making a body ready for rendering: MJML becomes HTML, styles go to their elements, and images that stand under templates/ are shown from
//! within the mail.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::compose::{Composed, Unfit, Which};
use super::effort::Effort;
use super::markup::{Markup, mentions, scan};
use super::place::Place;
use super::{mjml, styles, tags};
use crate::diagnostic::{Diagnostic, Location, Severity};
use crate::model::{Asset, ContentHash, Part};

/// Elements that show an image.
const IMAGES: [&str; 4] = ["img", "mj-image", "mj-social-element", "mj-carousel-image"];
/// Media types by the ending of a file's name.
const MEDIA_TYPES: [(&str, &str); 26] = [
    ("bmp", "image/bmp"),
    ("csv", "text/csv"),
    ("doc", "application/msword"),
    ("docx", "application/vnd.openxmlformats-officedocument.wordprocessingml.document"),
    ("gif", "image/gif"),
    ("html", "text/html"),
    ("ics", "text/calendar"),
    ("jpeg", "image/jpeg"),
    ("jpg", "image/jpeg"),
    ("json", "application/json"),
    ("mp3", "audio/mpeg"),
    ("mp4", "video/mp4"),
    ("odp", "application/vnd.oasis.opendocument.presentation"),
    ("ods", "application/vnd.oasis.opendocument.spreadsheet"),
    ("odt", "application/vnd.oasis.opendocument.text"),
    ("pdf", "application/pdf"),
    ("png", "image/png"),
    ("ppt", "application/vnd.ms-powerpoint"),
    ("pptx", "application/vnd.openxmlformats-officedocument.presentationml.presentation"),
    ("svg", "image/svg+xml"),
    ("txt", "text/plain"),
    ("vcf", "text/vcard"),
    ("webp", "image/webp"),
    ("xls", "application/vnd.ms-excel"),
    ("xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
    ("zip", "application/zip"),
];

/// What bodies are made ready with.
#[derive(Clone, Copy)]
pub(super) struct Builder<'a> {
    /// File and text of each partial, by name.
    pub partials: &'a BTreeMap<String, (String, String)>,
    /// Bytes of files under templates/, by their path relative to the project.
    pub assets: &'a BTreeMap<String, Arc<[u8]>>,
    /// Bodies are made as they are sent.
    pub to_run: bool,
}

impl<'a> Builder<'a> {
    /// An HTML body in its layout.
    pub fn html(&self, body: Place<'a>, layout: Option<Place<'a>>, effort: &mut Effort, found: &mut Vec<Diagnostic>) -> Part {
        let as_written = Part { source: body.text.to_owned(), layout: layout.map(|layout| layout.text.to_owned()) };
        let Some(styled) = [Some(body), layout].into_iter().flatten().find(|place| styles::has_style(place.text)) else {
            return as_written;
        };
        let inlined = match Composed::new(body, layout, self.partials, Which::Plain) {
            Ok(composed) if self.to_run => styles::inline(&composed.text, effort).map_err(styles::Left::words),
            Ok(composed) => styles::inline_unless_sure(&composed.text, effort).map_err(styles::Left::words),
            Err(Unfit::Faulty) => return as_written,
            Err(Unfit::Body) => Err("the layout must print {{{body}}} once, and in no block"),
            Err(Unfit::TooLarge | Unfit::Values(..)) => Err("the message is larger than 1 MiB with its layout and partials"),
        };
        match inlined {
            Ok(text) => whole(text, layout.is_some()),
            Err(why) => {
                let at = styled.text.find("<style").unwrap_or(0);
                let message = format!("these styles are not put on their elements, which some mail programs need: {why}");
                found.push(styled.warning("styles-not-inlined", (at, at), message, None));
                as_written
            }
        }
    }

    /// An MJML body in its layout; `None` where that is wrong.
    pub fn mjml(
        &self,
        body: Place<'a>,
        layout: Option<Place<'a>>,
        effort: &mut Effort,
        found: &mut Vec<Diagnostic>,
    ) -> Option<Part> {
        let composed = match Composed::new(body, layout, self.partials, Which::Mjml) {
            Ok(composed) => composed,
            Err(unfit) => {
                found.extend(unfit_mjml(unfit, body, layout));
                return None;
            }
        };
        let mut report = |severity: Severity, problem: mjml::Problem| {
            let location = composed.location(problem.span.0, problem.span.1).unwrap_or_else(|| body.location(0, 0));
            found.push(Diagnostic { severity, help: problem.help, ..Diagnostic::error("mjml", location, problem.message) });
        };
        match mjml::compile(&composed.text, effort) {
            Ok(made) => {
                made.warnings.into_iter().for_each(|warning| report(Severity::Warning, warning));
                Some(whole(made.html, layout.is_some()))
            }
            Err(problems) => {
                problems.into_iter().for_each(|problem| report(Severity::Error, problem));
                None
            }
        }
    }

    /// Reports images and other files that a text names and that are not there.
    pub fn missing_images(&self, place: Place<'_>, found: &mut Vec<Diagnostic>) {
        for (path, span) in images(place.text) {
            if let Err((message, help)) = self.asset(&path, true) {
                found.push(place.error("missing-file", span, message, Some(help)));
            }
        }
    }

    /// The text with its own images shown from within the mail, and these.
    pub fn embed(&self, text: &str, embedded: &mut BTreeSet<Asset>) -> String {
        let mut out = String::with_capacity(text.len());
        let mut at = 0;
        for (path, (start, end)) in images(text) {
            if let Ok(asset) = self.asset(&path, true) {
                out.push_str(&text[at..start]);
                out.push_str("cid:");
                out.push_str(&asset.content_id());
                at = end;
                embedded.insert(asset);
            }
        }
        out.push_str(&text[at..]);
        out
    }

    /// The file at this path under templates/. The error is a message and what to do.
    pub fn asset(&self, path: &str, image: bool) -> Result<Asset, (String, String)> {
        let clean = path.strip_prefix("./").unwrap_or(path);
        if clean.split('/').any(|segment| segment == "..") || clean.starts_with('/') {
            let message = format!("`{path}` leads out of templates/");
            return Err((message, "files that go with messages stand under templates/".to_owned()));
        }
        let Some(bytes) = self.assets.get(&format!("templates/{clean}")) else {
            let message = format!("there is no file templates/{clean}");
            let help = if image { "put the image there, or write its whole address (https://…)" } else { "put the file there" };
            return Err((message, help.to_owned()));
        };
        let ending = clean.rsplit_once('.').map_or("", |(_, ending)| ending).to_ascii_lowercase();
        let known = MEDIA_TYPES.iter().find(|(known, _)| *known == ending);
        let media_type = known.map_or("application/octet-stream", |(_, media_type)| media_type);
        if image && !media_type.starts_with("image/") {
            let message = format!("templates/{clean} is no image that mail programs show");
            return Err((message, "use png, jpg, gif, webp or svg".to_owned()));
        }
        Ok(Asset {
            path: clean.to_owned(),
            media_type: media_type.to_owned(),
            size: bytes.len() as u64,
            sha256: ContentHash::of_bytes(bytes).0,
        })
    }
}

/// A message that was put together with its layout: all of it is the layout, so that it sees what layouts see.
fn whole(text: String, has_layout: bool) -> Part {
    if has_layout { Part { source: String::new(), layout: Some(text) } } else { Part { source: text, layout: None } }
}

fn unfit_mjml(unfit: Unfit<'_>, body: Place<'_>, layout: Option<Place<'_>>) -> Option<Diagnostic> {
    Some(match unfit {
        Unfit::Faulty => return None,
        Unfit::TooLarge => {
            let help = Some("move what repeats into {{#each}}".to_owned());
            body.error(
                "template-too-large",
                (0, 0),
                "this message is larger than 1 MiB with its layout and partials".to_owned(),
                help,
            )
        }
        Unfit::Values(place, span, name) => {
            let message = format!("the partial `{name}` holds MJML, which is put in before there are values to give it");
            let help =
                Some(format!("write {{{{> {name}}}}}, and let the partial name what it needs: {{{{contact.first_name}}}}"));
            place.error("mjml", span, message, help)
        }
        Unfit::Body => {
            let help = Some("write {{{body}}} once, outside of {{#if}} and {{#each}}".to_owned());
            layout.unwrap_or(body).error("mjml", (0, 0), "this layout must print the body once, and in no block".to_owned(), help)
        }
    })
}

/// The images of a text that are named by a path, with the bytes of the path.
fn images(text: &str) -> Vec<(String, (usize, usize))> {
    if !mentions(text, "src") {
        return Vec::new();
    }
    let tags = tags::scan_long(text).unwrap_or_default();
    let opaque: Vec<_> = tags.iter().map(|tag| (tag.start, tag.end)).collect();
    let mut found = Vec::new();
    for markup in scan(text, &opaque).markup {
        let Markup::Start(tag) = markup else { continue };
        if !IMAGES.iter().any(|name| tag.is(text, name)) {
            continue;
        }
        if let Some(range) = tag.value(text, "src") {
            let source = &text[range.clone()];
            if is_path(source) {
                found.push((source.to_owned(), (range.start, range.end)));
            }
        }
    }
    found
}

/// Whether an address is the path of a file: no scheme, no host, nothing that data decides.
fn is_path(address: &str) -> bool {
    !address.is_empty() && !address.starts_with(['/', '#', '?']) && !address.contains("{{") && !address.contains(':')
}

/// The place of an attachment that cannot be had.
pub(super) fn missing(location: Location, (message, help): (String, String)) -> Diagnostic {
    Diagnostic::error("missing-file", location, message).help(help)
}
