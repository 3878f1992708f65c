//! `preview`: one message as one person would get it, without sending it.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;
use std::path::PathBuf;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use dsl::diagnostic::{Diagnostic, Severity};
use dsl::model::{Asset, ContentHash, Settings, StepKind, TemplateSource};
use dsl::template::canonical_locale;
use dsl::{render, time};
use serde_json::{Map, Value, json};

use super::beside::Beside;
use super::output;
use super::project::{self, Project};
use super::{CouldNotRun, Exit, Outcome};
use crate::audience::contact_json;
use crate::channels::{self, Content, Envelope, File};
use crate::clock::{Clock, WallClock};
use crate::kernel::{public_base, unsubscribe_headers};
use crate::render::{Addressee, Rendered, Templates};
use crate::store::Store;

/// Gmail shows no more than this of a message's HTML, in bytes.
const CLIPPED_ABOVE: usize = 102 * 1024;

#[derive(clap::Args)]
pub struct Preview {
    /// The template's name, or the step's id for a message written in a workflow
    template: String,
    /// The contact it is made for, from the store
    #[arg(long, value_name = "ID", required_unless_present = "data")]
    contact: Option<String>,
    /// The data it is made of: a JSON file with "contact", "event", "vars" and "with"
    #[arg(long, value_name = "FILE")]
    data: Option<PathBuf>,
    /// The language, in place of the contact's
    #[arg(long, value_name = "LOCALE")]
    locale: Option<String>,
    /// Where to write it: a file that ends in .eml, .html or .txt
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

/// What a message is made of.
struct Data {
    contact: Map<String, Value>,
    event: Value,
    vars: Value,
    with: Map<String, Value>,
}

/// One message, made.
struct Made {
    channel: String,
    rendered: Rendered,
    envelope: Envelope,
    from: String,
    files: Vec<File>,
}

impl Preview {
    pub fn run(self, given: Option<PathBuf>) -> Outcome {
        let format = self.out.as_deref().map(format_of).transpose()?;
        if let Some(locale) = self.locale.as_ref().filter(|locale| canonical_locale(locale).is_none()) {
            return Err(CouldNotRun(format!("`{locale}` is no language: write de, de-AT or pt-BR")));
        }
        let data = self.data()?;
        let project = project::open(given.clone())?;
        let Some(settings) = &project.compiled.settings else {
            project.catalog();
            return Ok(Exit::Findings);
        };
        let Some(data) = self.contact_data(data, settings, given)? else {
            let id = self.contact.as_deref().unwrap_or_default();
            output::note(&format!("campaignd: there is no contact `{id}`; `campaignd import contacts` brings contacts in"));
            return Ok(Exit::Findings);
        };
        if self.has_errors(&project) {
            return Ok(Exit::Findings);
        }
        let made = match self.made(&project, settings, data) {
            Ok(made) => made,
            Err(why) => {
                output::note(&format!("campaignd: {why}"));
                return Ok(Exit::Findings);
            }
        };
        match (format, &self.out) {
            (Some(format), Some(path)) => {
                let text = made.in_format(format).map_err(CouldNotRun)?;
                let written = std::fs::write(path, text);
                written.map_err(|error| CouldNotRun(format!("{} cannot be written: {error}", path.display())))?;
                output::print(|out| writeln!(out, "{}", made.size()))?;
            }
            _ => output::print(|out| made.show(out))?,
        }
        if made.html_size() > CLIPPED_ABOVE {
            output::note("warning: Gmail clips this message: its HTML is longer than 102 KiB");
        }
        Ok(Exit::Fine)
    }

    /// What `--data` gives.
    fn data(&self) -> Result<Option<Data>, CouldNotRun> {
        let Some(path) = &self.data else { return Ok(None) };
        let shown = path.display();
        let text = std::fs::read_to_string(path).map_err(|error| CouldNotRun(format!("{shown} cannot be read: {error}")))?;
        let wrong = |why: String| CouldNotRun(format!("{shown} {why}"));
        let value: Value = serde_json::from_str(&text).map_err(|error| wrong(format!("is not JSON: {error}")))?;
        let Value::Object(mut members) = value else {
            return Err(wrong(
                "must hold an object: {\"contact\": {...}, \"event\": {...}, \"vars\": {...}, \"with\": {...}}".to_owned(),
            ));
        };
        let mut object = |name: &str| match members.remove(name) {
            None | Some(Value::Null) => Ok(Map::new()),
            Some(Value::Object(object)) => Ok(object),
            Some(_) => Err(wrong(format!("must hold an object under \"{name}\""))),
        };
        let (mut contact, event, vars, with) = (object("contact")?, object("event")?, object("vars")?, object("with")?);
        if let Some(Value::Object(attributes)) = contact.remove("attributes") {
            contact.extend(attributes);
        }
        if let Some(name) = members.keys().next() {
            return Err(wrong(format!("holds \"{name}\"; it may hold \"contact\", \"event\", \"vars\" and \"with\"")));
        }
        Ok(Some(Data { contact, event: Value::Object(event), vars: Value::Object(vars), with }))
    }

    /// The data with the contact that `--contact` names; `None`: there is no such contact.
    fn contact_data(&self, data: Option<Data>, settings: &Settings, given: Option<PathBuf>) -> Result<Option<Data>, CouldNotRun> {
        let none = || Data { contact: Map::new(), event: json!({}), vars: json!({}), with: Map::new() };
        let data = data.unwrap_or_else(none);
        let Some(uid) = &self.contact else { return Ok(Some(data)) };
        let Some(store) = &mut Beside::open(given)?.store else { return Ok(None) };
        let found = match store.contact_id(uid)? {
            Some(id) => store.contact(id)?.filter(|contact| !contact.erased),
            None => None,
        };
        let Some(contact) = found else { return Ok(None) };
        let Value::Object(contact) = contact_json(&contact, settings, WallClock.now()) else { return Ok(None) };
        Ok(Some(Data { contact, ..data }))
    }

    /// Prints what is wrong with templates. Errors elsewhere do not matter here.
    fn has_errors(&self, project: &Project) -> bool {
        let of_template = |found: &&Diagnostic| {
            let file = found.location.file.as_str();
            file.starts_with(&format!("templates/{}.", self.template))
                || (found.severity == Severity::Error && file.starts_with("templates/"))
        };
        let found: Vec<Diagnostic> = project.compiled.diagnostics.iter().filter(of_template).cloned().collect();
        if !found.is_empty() {
            output::note(render::human(&found, &project.files, output::colour_on_stderr()).trim_end());
        }
        found.iter().any(|found| found.severity == Severity::Error)
    }

    /// The template, and the partials that it may use.
    fn source(&self, project: &Project) -> Result<(TemplateSource, BTreeMap<String, String>), String> {
        let library = &project.compiled.library;
        if let Some(template) = library.templates.get(&self.template) {
            let names = library.partials_of(template);
            let partials =
                names.into_iter().filter_map(|name| Some((name.clone(), library.partial(&name)?.to_owned()))).collect();
            return Ok((template.clone(), partials));
        }
        let workflows = project.compiled.catalog.iter().flat_map(|catalog| catalog.workflows.values());
        let mut inline =
            workflows.filter_map(|entry| Some((entry.definition.templates.get(&self.template)?, &entry.definition.partials)));
        match (inline.next(), inline.next()) {
            (Some((template, partials)), None) => Ok((template.clone(), partials.clone())),
            (Some(_), Some(_)) => Err(format!(
                "several workflows have a message with the step's id `{}`; give one of the steps another",
                self.template
            )),
            _ => {
                let known: BTreeSet<&str> = library.templates.keys().map(String::as_str).collect();
                let known = known.into_iter().take(20).collect::<Vec<_>>().join(", ");
                Err(format!("there is no template `{}`; there are: {known}", self.template))
            }
        }
    }

    /// Whether the message needs consent: it does unless every step that sends it says `transactional: true`.
    fn is_marketing(&self, project: &Project) -> bool {
        let workflows = project.compiled.catalog.iter().flat_map(|catalog| catalog.workflows.values());
        let steps = workflows.flat_map(|entry| entry.definition.workflow.steps.iter());
        let mut sends = steps.filter_map(|step| match &step.kind {
            StepKind::Send(send) if send.template == self.template => Some(send.transactional),
            _ => None,
        });
        match sends.next() {
            None => true,
            Some(first) => !(first && sends.all(|transactional| transactional)),
        }
    }

    fn made(&self, project: &Project, settings: &Settings, data: Data) -> Result<Made, String> {
        let (source, partials) = self.source(project)?;
        let channel = source.channel.clone().unwrap_or_else(|| "email".to_owned());
        let templates = BTreeMap::from([(self.template.clone(), source)]);
        let templates = Templates::of(&templates, &partials).map_err(|error| error.to_string())?;
        let text = |name: &str| data.contact.get(name).and_then(Value::as_str).map(str::to_owned);
        let zone = text("time_zone").as_deref().and_then(time::zone).or_else(|| time::zone(&settings.time_zone));
        let locale = self.locale.clone().or_else(|| text("locale"));
        let marketing = self.is_marketing(project);
        let to = Addressee {
            channel: &channel,
            locale: locale.as_deref(),
            project_locale: &settings.locale,
            zone: zone.unwrap_or(jiff::tz::TimeZone::UTC),
            marketing,
            now: WallClock.now(),
        };
        let base = public_base(settings);
        let address = text(if channel == "email" { "email" } else { "phone" });
        let unsubscribe = format!("{base}/u/preview");
        let message_id = "preview@campaignd.invalid".to_owned();
        let mut all = Map::new();
        all.insert("contact".to_owned(), Value::Object(data.contact));
        all.insert("event".to_owned(), data.event);
        all.insert("vars".to_owned(), data.vars);
        all.insert("message".to_owned(), json!({ "id": message_id }));
        all.insert("unsubscribe_url".to_owned(), Value::String(unsubscribe.clone()));
        all.insert("preferences_url".to_owned(), Value::String(format!("{base}/preferences/preview")));
        all.insert("confirm_url".to_owned(), Value::String(format!("{base}/confirm/preview")));
        let (with, problems) = templates.render_with(&data.with, &Value::Object(all.clone()), &to);
        if let Some(problem) = problems.into_iter().next() {
            return Err(problem);
        }
        all.extend(with);
        let rendered = templates.render(&self.template, &Value::Object(all), &to).map_err(|error| error.to_string())?;
        let files = files(project, &rendered);
        let headers = unsubscribe_headers(marketing && channel == "email", settings, &unsubscribe);
        let to = address.unwrap_or_else(|| "nobody@example.invalid".to_owned());
        let envelope = Envelope { to, message_id, date: WallClock.now(), headers, ..Envelope::default() };
        let from = settings.channels.get(&channel).and_then(|settings| settings.from.clone()).unwrap_or_default();
        Ok(Made { channel, rendered, envelope, from, files })
    }
}

/// The files that go with the message, from the project.
fn files(project: &Project, rendered: &Rendered) -> Vec<File> {
    let find = |asset: &Asset, shown: bool| {
        let bytes = project.files.assets().values().find(|bytes| ContentHash::of_bytes(bytes).0 == asset.sha256)?;
        Some(File {
            name: asset.file_name().to_owned(),
            media_type: asset.media_type.clone(),
            bytes: bytes.clone(),
            content_id: shown.then(|| asset.content_id()),
        })
    };
    let images = rendered.images.iter().filter_map(|asset| find(asset, true));
    images.chain(rendered.attachments.iter().filter_map(|asset| find(asset, false))).collect()
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Format {
    Mail,
    Html,
    Text,
}

fn format_of(path: &std::path::Path) -> Result<Format, CouldNotRun> {
    match path.extension().and_then(|ending| ending.to_str()) {
        Some("eml") => Ok(Format::Mail),
        Some("html") => Ok(Format::Html),
        Some("txt") => Ok(Format::Text),
        _ => Err(CouldNotRun(format!("{} does not say what to write: end it with .eml, .html or .txt", path.display()))),
    }
}

impl Made {
    fn html_size(&self) -> usize {
        self.rendered.html.as_ref().map_or(0, String::len)
    }

    fn in_format(&self, format: Format) -> Result<String, String> {
        let part = |part: &Option<String>, what: &str| part.clone().ok_or_else(|| format!("this message has no {what} part"));
        match format {
            Format::Mail if self.channel != "email" => {
                Err(format!("a message for the channel `{}` is no mail: write .txt", self.channel))
            }
            Format::Mail => self.mail(),
            Format::Text => part(&self.rendered.text, "text"),
            Format::Html => {
                // Outside of a mail, images that it brings along are shown from within the page.
                let mut html = part(&self.rendered.html, "HTML")?;
                for file in &self.files {
                    if let Some(id) = &file.content_id {
                        let data = format!("data:{};base64,{}", file.media_type, BASE64_STANDARD.encode(&file.bytes));
                        html = html.replace(&format!("cid:{id}"), &data);
                    }
                }
                Ok(html)
            }
        }
    }

    fn mail(&self) -> Result<String, String> {
        let Rendered { subject, html, text, .. } = self.rendered.clone();
        let content = Content { subject, html, text, files: self.files.clone(), ..Content::default() };
        channels::eml(&self.from, &self.envelope, content)
    }

    fn size(&self) -> String {
        let kibibytes = |bytes: usize| format!("{:.1} KiB", bytes as f64 / 1024.0);
        match (self.channel.as_str(), &self.rendered.text) {
            ("email", _) => {
                let whole = self.mail().map(|mail| kibibytes(mail.len())).unwrap_or_else(|why| why);
                let html = self.html_size();
                let fine = if html > CLIPPED_ABOVE { "clipped" } else { "not clipped" };
                format!("Size: HTML {} of the 102 KiB that Gmail shows ({fine}), mail {whole}", kibibytes(html))
            }
            (_, text) => format!("Size: {} characters", text.as_deref().unwrap_or_default().chars().count()),
        }
    }

    fn show(&self, out: &mut dyn Write) -> std::io::Result<()> {
        let rendered = &self.rendered;
        if self.channel == "email" {
            writeln!(out, "From: {}", self.from)?;
        }
        writeln!(out, "To: {}", self.envelope.to)?;
        if let Some(subject) = &rendered.subject {
            writeln!(out, "Subject: {subject}")?;
        }
        for (name, value) in &self.envelope.headers {
            writeln!(out, "{name}: {value}")?;
        }
        writeln!(out, "Language: {}", rendered.locale)?;
        for file in &self.files {
            let what = if file.content_id.is_some() { "Image" } else { "Attachment" };
            writeln!(out, "{what}: {} ({}, {} bytes)", file.name, file.media_type, file.bytes.len())?;
        }
        writeln!(out, "{}", self.size())?;
        for (what, part) in [("Text", &rendered.text), ("HTML", &rendered.html)] {
            if let Some(part) = part {
                writeln!(out, "\n----- {what} -----\n{}", part.trim_end())?;
            }
        }
        Ok(())
    }
}
