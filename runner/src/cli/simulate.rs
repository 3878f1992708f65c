//! `simulate`

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use dsl::diagnostic::Severity;
use dsl::model::{Catalog, SyntheticAudience};
use dsl::time::parse_date;
use dsl::{read_audience, render};
use jiff::tz::TimeZone;

use super::project::Project;
use super::rows::Rows;
use super::{CouldNotRun, Exit, Outcome, output, project};
use crate::ingest::{self, ContactInput, Expected, Format as FileFormat, Occurrence, Source};
use crate::instant;
use crate::logging;
use crate::simulate::{
    self, Coming, Figures, Head, Known, SimulateError, Simulation, Span, Synthetic, Told, Written, contact_row, row,
};

#[derive(clap::Args)]
pub struct Simulate {
    /// People made up by chance, as this file describes them, instead of contacts and events
    #[arg(long, value_name = "FILE", conflicts_with_all = ["contacts", "events"])]
    audience: Option<PathBuf>,
    /// The contacts: JSON Lines, or CSV by its ending
    #[arg(long, value_name = "FILE", required_unless_present = "audience")]
    contacts: Option<PathBuf>,
    /// What happens to them: JSON Lines, or CSV by its ending
    #[arg(long, value_name = "FILE", required_unless_present = "audience")]
    events: Option<PathBuf>,
    /// The first moment; earlier events count as history and start nothing
    #[arg(long, value_name = "TIME")]
    from: String,
    /// The moment at which it ends
    #[arg(long, value_name = "TIME")]
    until: String,
    /// Only this workflow, though it may be a draft
    #[arg(long, value_name = "NAME")]
    workflow: Option<String>,
    /// Varies the audience, and the spread after quiet hours and windows
    #[arg(long, value_name = "N")]
    seed: Option<u64>,
    /// A summary, a line for each thing that happens, or a report as one page
    #[arg(long, value_enum, default_value = "human")]
    format: Format,
    /// Write to this file instead of standard output
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Put the bodies of messages into the lines of jsonl
    #[arg(long)]
    bodies: bool,
    /// Write the audience's people to this file, as --contacts reads it
    #[arg(long, value_name = "FILE", requires = "audience")]
    write_contacts: Option<PathBuf>,
    /// Write what they did to this file, as --events reads it
    #[arg(long, value_name = "FILE", requires = "audience")]
    write_events: Option<PathBuf>,
}

#[derive(Clone, Copy, PartialEq, clap::ValueEnum)]
enum Format {
    Human,
    Jsonl,
    Html,
}

impl Simulate {
    pub fn run(self, project: Option<PathBuf>) -> Outcome {
        logging::begin(logging::Format::Text, logging::Level::Warn, output::colour_on_stderr());
        let project = project::open(project)?;
        let Some(catalog) = project.catalog() else { return Ok(Exit::Findings) };
        let audience = match &self.audience {
            None => None,
            Some(path) => match audience(path, &project, &catalog)? {
                Some(audience) => Some(Arc::new(audience)),
                None => return Ok(Exit::Findings),
            },
        };
        let catalog = Arc::new(self.chosen(catalog)?);
        let expected = Arc::new(Expected::of(&catalog));
        let (from, until) = (moment("--from", &self.from, &expected.zone)?, moment("--until", &self.until, &expected.zone)?);
        if from >= until {
            return Err(CouldNotRun("--until must be later than --from".to_owned()));
        }
        let span = Span { from, until, seed: self.seed.map(|seed| seed.to_string()).unwrap_or_default() };
        let mut simulation = Simulation::new(catalog.clone(), self.workflow.is_some(), span.clone()).map_err(failed)?;
        if !(self.bodies && self.format == Format::Jsonl) {
            simulation = simulation.without_bodies();
        }
        let run = Run { simulate: &self, catalog: &catalog, simulation, contacts: 0, span, zone: expected.zone.clone() };
        match audience {
            Some(audience) => run.synthetic(audience)?,
            None => run.given(&expected)?,
        }
        Ok(Exit::Fine)
    }

    /// The catalog, or the one workflow of it that is asked for.
    fn chosen(&self, catalog: Catalog) -> Result<Catalog, CouldNotRun> {
        let Some(name) = &self.workflow else { return Ok(catalog) };
        simulate::only(&catalog, name).ok_or_else(|| {
            let near = catalog.workflows.keys().map(|known| (strsim::damerau_levenshtein(name, known), known)).min();
            let near = near.filter(|(distance, known)| *distance <= known.chars().count().max(3) / 3);
            let help = match near {
                Some((_, known)) => format!("did you mean `{known}`?"),
                None => format!("there are: {}", catalog.workflows.keys().cloned().collect::<Vec<_>>().join(", ")),
            };
            CouldNotRun(format!("there is no workflow `{}`; {help}", name.escape_debug()))
        })
    }
}

/// A simulation that is about to begin.
struct Run<'a> {
    simulate: &'a Simulate,
    catalog: &'a Arc<Catalog>,
    simulation: Simulation,
    /// How many were there at the start.
    contacts: u64,
    span: Span,
    zone: TimeZone,
}

impl Run<'_> {
    /// With people and events from files.
    fn given(mut self, expected: &Arc<Expected>) -> Result<(), CouldNotRun> {
        let (Some(contacts), Some(events)) = (&self.simulate.contacts, &self.simulate.events) else { return Ok(()) };
        // Whatever is wrong with either file is told before the time passes.
        let events = events_of(events, expected)?;
        self.contacts = give_contacts(contacts, &mut self.simulation, expected)?;
        self.tell(&mut Known::new(events), None)
    }

    /// With people made up.
    fn synthetic(mut self, audience: Arc<SyntheticAudience>) -> Result<(), CouldNotRun> {
        let name = audience.name.clone();
        let synthetic = Synthetic::new(audience, self.catalog.settings.clone(), &self.span);
        let mut to = self.simulate.write_contacts.as_deref().map(create).transpose()?;
        let mut count = 0;
        let people = synthetic.contacts().map(|contact| {
            count += 1;
            to.as_mut().map_or(Ok(()), |to| row(to, &contact_row(&contact)))?;
            Ok(contact)
        });
        self.simulation.contacts(people).map_err(failed)?;
        if let Some(mut to) = to {
            output::written(to.flush(), "the file of contacts")?;
        }
        self.contacts = count;
        let to = self.simulate.write_events.as_deref().map(create).transpose()?;
        let to = to.map(|file| Box::new(file) as Box<dyn Write>);
        let mut coming = Written { coming: synthetic, to, zone: self.zone.clone() };
        self.tell(&mut coming, Some(name))?;
        let flushed = coming.to.as_mut().map_or(Ok(()), |to| to.flush());
        output::written(flushed, "the file of events")
    }

    /// Lets the time pass and writes what is asked for.
    fn tell(self, coming: &mut impl Coming, audience: Option<String>) -> Result<(), CouldNotRun> {
        let mut out: Box<dyn Write> = match &self.simulate.out {
            None => Box::new(BufWriter::new(io::stdout().lock())),
            Some(path) => Box::new(create(path)?),
        };
        if self.simulate.format == Format::Jsonl {
            let bodies = self.simulate.bodies;
            let write = |told| {
                let Told::Line(mut line) = told else { return Ok(()) };
                line.bodies = bodies;
                serde_json::to_writer(&mut *out, &line)?;
                out.write_all(b"\n")
            };
            self.simulation.run(coming, write).map_err(failed)?;
            return output::written(out.flush(), "the result");
        }
        let mut figures = Figures::default();
        self.catalog.workflows.keys().for_each(|name| figures.expect(name));
        let count = |told: Told| {
            figures.count(&told);
            Ok(())
        };
        let newcomers = self.simulation.run(coming, count).map_err(failed)?;
        let head = Head {
            project: self.catalog.settings.project.clone(),
            from: instant::text(self.span.from, &self.zone),
            until: instant::text(self.span.until, &self.zone),
            contacts: self.contacts,
            newcomers,
            events: coming.taken(),
            audience,
            seed: self.span.seed,
            zone: self.zone,
        };
        let text = match self.simulate.format {
            Format::Html => simulate::page(&head, self.catalog, &figures).map_err(|error| CouldNotRun(error.to_string()))?,
            Format::Human | Format::Jsonl => format!("{head}\n\n{figures}"),
        };
        output::written(out.write_all(text.as_bytes()).and_then(|()| out.flush()), "the result")
    }
}

/// The audience; `None`: something is wrong with it, which was told.
fn audience(path: &Path, project: &Project, catalog: &Catalog) -> Result<Option<SyntheticAudience>, CouldNotRun> {
    let name = path.display().to_string();
    let text = std::fs::read_to_string(path).map_err(|error| CouldNotRun(format!("{name} cannot be read: {error}")))?;
    let (audience, diagnostics) = read_audience(&name, &text, catalog);
    if !diagnostics.is_empty() {
        let files = project.files.with(&[(&name, &text)]);
        output::note(render::human(&diagnostics, &files, output::colour_on_stderr()).trim_end());
        if diagnostics.iter().any(|diagnostic| diagnostic.severity == Severity::Error) {
            output::note(&render::summary(&diagnostics));
        }
    }
    Ok(audience)
}

/// Gives their number.
fn give_contacts(path: &Path, simulation: &mut Simulation, expected: &Arc<Expected>) -> Result<u64, CouldNotRun> {
    let mut count = 0;
    let mut wrong = Ok(());
    let mut rows = Rows::shown(path);
    let reader = open::<ContactInput>(path, expected)?;
    let given = reader.filter_map(|row| match row {
        Ok(Ok(row)) => {
            rows.warn(&row);
            count += 1;
            Some(Ok(row.value))
        }
        Ok(Err(rejection)) => {
            wrong = std::mem::replace(&mut wrong, Ok(())).and(rows.reject(&rejection));
            None
        }
        Err(error) => Some(Err(error)),
    });
    simulation.contacts(given).map_err(failed)?;
    wrong?;
    rows.finish()?;
    Ok(count)
}

fn create(path: &Path) -> Result<BufWriter<File>, CouldNotRun> {
    let cannot = |error| CouldNotRun(format!("{} cannot be written: {error}", path.display()));
    Ok(BufWriter::new(File::create(path).map_err(cannot)?))
}

fn failed(error: SimulateError) -> CouldNotRun {
    match error {
        SimulateError::Write(error) => match output::written(Err(error), "the result") {
            Err(error) => error,
            Ok(()) => CouldNotRun("the result cannot be written".to_owned()),
        },
        error => CouldNotRun(error.to_string()),
    }
}

fn open<T: Source>(path: &Path, expected: &Arc<Expected>) -> Result<ingest::Reader<T>, CouldNotRun> {
    let named = |error: ingest::OpenError| CouldNotRun(format!("{}: {error}", path.display()));
    ingest::open(path, FileFormat::of(path), &ingest::Mapping::default(), expected.clone()).map_err(named)
}

fn events_of(path: &Path, expected: &Arc<Expected>) -> Result<Vec<Occurrence>, CouldNotRun> {
    let mut rows = Rows::shown(path);
    let mut events = Vec::new();
    for row in open::<Occurrence>(path, expected)? {
        match row.map_err(|error| CouldNotRun(format!("{} cannot be read: {error}", path.display())))? {
            Ok(row) => {
                rows.warn(&row);
                events.push(row.value);
            }
            Err(rejection) => rows.reject(&rejection)?,
        }
    }
    rows.finish()?;
    Ok(events)
}

fn moment(option: &str, text: &str, zone: &TimeZone) -> Result<i64, CouldNotRun> {
    let value = parse_date(text);
    let value = value
        .ok_or_else(|| CouldNotRun(format!("{option} is no time; write it like 2026-03-29T09:00:00+02:00 or 2026-03-29")))?;
    Ok(value.instant(zone))
}
