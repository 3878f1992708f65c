//! `simulate`

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use dsl::model::Catalog;
use dsl::time::parse_date;
use jiff::tz::TimeZone;

use super::rows::Rows;
use super::{CouldNotRun, Exit, Outcome, output, project};
use crate::ingest::{self, ContactInput, Expected, Format as FileFormat, Occurrence, Source};
use crate::instant;
use crate::logging;
use crate::simulate::{self, Line, SimulateError, Simulation, Span, Summary, counted};

#[derive(clap::Args)]
pub struct Simulate {
    /// The contacts: JSON Lines, or CSV by its ending
    #[arg(long, value_name = "FILE")]
    contacts: PathBuf,
    /// What happens to them: JSON Lines, or CSV by its ending
    #[arg(long, value_name = "FILE")]
    events: PathBuf,
    /// The first moment; earlier events count as history and start nothing
    #[arg(long, value_name = "TIME")]
    from: String,
    /// The moment at which it ends
    #[arg(long, value_name = "TIME")]
    until: String,
    /// Only this workflow, though it may be a draft
    #[arg(long, value_name = "NAME")]
    workflow: Option<String>,
    /// Varies the spread after quiet hours and windows
    #[arg(long, value_name = "N")]
    seed: Option<u64>,
    /// A summary, or a line for each thing that happens
    #[arg(long, value_enum, default_value = "human")]
    format: Format,
    /// Write to this file instead of standard output
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Put the bodies of messages into the lines of jsonl
    #[arg(long)]
    bodies: bool,
}

#[derive(Clone, Copy, PartialEq, clap::ValueEnum)]
enum Format {
    Human,
    Jsonl,
}

impl Simulate {
    pub fn run(self, project: Option<PathBuf>) -> Outcome {
        logging::begin(logging::Format::Text, logging::Level::Warn, output::colour_on_stderr());
        let project = project::open(project)?;
        let Some(catalog) = project.catalog() else { return Ok(Exit::Findings) };
        let catalog = Arc::new(self.chosen(catalog)?);
        let expected = Arc::new(Expected::of(&catalog));
        let (from, until) = (moment("--from", &self.from, &expected.zone)?, moment("--until", &self.until, &expected.zone)?);
        if from >= until {
            return Err(CouldNotRun("--until must be later than --from".to_owned()));
        }
        let seed = self.seed.map(|seed| seed.to_string()).unwrap_or_default();
        let events = events(&self.events, &expected)?;
        let simulation = Simulation::new(catalog.clone(), self.workflow.is_some(), Span { from, until, seed });
        let mut simulation = simulation.map_err(failed)?;
        if !(self.bodies && self.format == Format::Jsonl) {
            simulation = simulation.without_bodies();
        }
        let contacts = self.give_contacts(&mut simulation, &expected)?;
        let mut out: Box<dyn Write> = match &self.out {
            None => Box::new(BufWriter::new(io::stdout().lock())),
            Some(path) => {
                let cannot = |error| CouldNotRun(format!("{} cannot be written: {error}", path.display()));
                Box::new(BufWriter::new(File::create(path).map_err(cannot)?))
            }
        };
        if self.format == Format::Jsonl {
            self.lines(simulation, events, &mut *out)?;
        } else {
            let (first, last) = (instant::text(from, &expected.zone), instant::text(until, &expected.zone));
            let (contacts, happened) = (counted(contacts, "contact"), counted(events.len() as u64, "event"));
            let summary = summed(&catalog, simulation, events)?;
            let text = format!("Simulated {first} to {last}: {contacts}, {happened}.\n\n{summary}");
            output::written(out.write_all(text.as_bytes()), "the result")?;
        }
        output::written(out.flush(), "the result")?;
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

    /// Gives their number.
    fn give_contacts(&self, simulation: &mut Simulation, expected: &Arc<Expected>) -> Result<u64, CouldNotRun> {
        let mut count = 0;
        let mut wrong = Ok(());
        let mut rows = Rows::shown(&self.contacts);
        let reader = open::<ContactInput>(&self.contacts, expected)?;
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

    fn lines(&self, simulation: Simulation, events: Vec<Occurrence>, out: &mut dyn Write) -> Result<(), CouldNotRun> {
        let write = |mut line: Line| {
            line.bodies = self.bodies;
            serde_json::to_writer(&mut *out, &line)?;
            out.write_all(b"\n")
        };
        simulation.run(events, write).map_err(failed)
    }
}

fn summed(catalog: &Catalog, simulation: Simulation, events: Vec<Occurrence>) -> Result<Summary, CouldNotRun> {
    let mut summary = Summary::default();
    for name in catalog.workflows.keys() {
        summary.expect(name);
    }
    let count = |line: Line| {
        summary.count(&line);
        Ok(())
    };
    simulation.run(events, count).map_err(failed)?;
    Ok(summary)
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

fn events(path: &Path, expected: &Arc<Expected>) -> Result<Vec<Occurrence>, CouldNotRun> {
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
    let value =
        value.ok_or_else(|| CouldNotRun(format!("{option} is no time; write it like 2026-03-29T09:00:00+02:00 or 2026-03-29")));
    Ok(value?.instant(zone))
}
