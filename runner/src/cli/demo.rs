//! `demo`: the shipped campaigns with sample people, on a fast clock.

use std::io::{self, IsTerminal, Write};
use std::path::{Path, PathBuf};

use dsl::time::Duration;
use indicatif::{ProgressBar, ProgressStyle};
use jiff::tz::TimeZone;

use super::{CouldNotRun, Exit, Outcome, output};
use crate::demo::{Progress, Show, Shown};

#[derive(clap::Args)]
pub struct Demo {
    /// How fast time passes: 1d/s is a day each second
    #[arg(long, default_value = "1d/s", value_parser = speed)]
    speed: f64,
    /// How many days are shown
    #[arg(long, default_value_t = 30, value_parser = clap::value_parser!(u32).range(1..=366))]
    days: u32,
    /// Where the project, its store and its mails go; default: a new folder among the system's temporary ones
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Show health and metrics meanwhile, and keep them up until Ctrl-C
    #[arg(long)]
    serve: bool,
}

impl Demo {
    pub fn run(self) -> Outcome {
        let folder = match self.out {
            Some(folder) => given_folder(folder)?,
            None => new_folder()?,
        };
        eprintln!("A small shop from Monday 2 March 2026, {} days, in {}", self.days, folder.display());
        let meter = Meter::new(self.days);
        let show = Show { folder: &folder, speed: self.speed, days: self.days, serve: self.serve };
        let mut shown_day = 0;
        let shown = show.run(|progress| meter.show(progress, &mut shown_day)).map_err(could_not)?;
        meter.end();
        output::print(|out| report(out, &shown, &folder))?;
        if let Some(listen) = &shown.listen {
            eprintln!("The pages stay up until Ctrl-C: http://{listen}/metrics");
            shown.wait_for_interrupt().map_err(could_not)?;
        }
        shown.end().map_err(could_not)?;
        Ok(Exit::Fine)
    }
}

fn could_not(error: crate::demo::DemoError) -> CouldNotRun {
    CouldNotRun(error.to_string())
}

fn report(out: &mut dyn Write, shown: &Shown, folder: &Path) -> io::Result<()> {
    for funnel in &shown.funnels {
        writeln!(out, "{funnel}")?;
    }
    writeln!(out, "{} mails: {}", shown.sent, folder.join("outbox").display())?;
    writeln!(out, "The project, to look at and to change: {}", folder.display())
}

/// `1d/s`: how many milliseconds pass in a real one.
fn speed(text: &str) -> Result<f64, String> {
    let span = text.strip_suffix("/s").ok_or("write a span a second, such as 1d/s or 12h/s")?;
    let span = Duration::parse(span).map_err(|error| error.to_string())?;
    if span.millis() < 1_000 {
        return Err("time passes at least as fast as it does: 1s/s".to_owned());
    }
    Ok(span.millis() as f64 / 1_000.0)
}

/// A folder that holds nothing yet.
fn given_folder(folder: PathBuf) -> Result<PathBuf, CouldNotRun> {
    let unusable =
        |error: io::Error| CouldNotRun(format!("{} cannot be used ({error}); name another folder with --out", folder.display()));
    std::fs::create_dir_all(&folder).map_err(unusable)?;
    if std::fs::read_dir(&folder).map_err(unusable)?.next().is_some() {
        let message = format!("{} is not empty, and the demo overwrites nothing; name a new folder with --out", folder.display());
        return Err(CouldNotRun(message));
    }
    Ok(folder)
}

fn new_folder() -> Result<PathBuf, CouldNotRun> {
    let temporary = std::env::temp_dir();
    for number in 1..10_000 {
        let folder = temporary.join(if number == 1 { "campaignd-demo".to_owned() } else { format!("campaignd-demo-{number}") });
        match std::fs::create_dir(&folder) {
            Ok(()) => return Ok(folder),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => {
                return Err(CouldNotRun(format!("{} cannot be made ({error}); name a folder with --out", folder.display())));
            }
        }
    }
    Err(CouldNotRun(format!("{} is full of earlier demos; remove them, or name a folder with --out", temporary.display())))
}

/// How far it is: a bar on a terminal, else a line every few days.
struct Meter {
    bar: Option<ProgressBar>,
    days: u32,
}

impl Meter {
    fn new(days: u32) -> Meter {
        let bar = io::stderr().is_terminal().then(|| {
            let style = ProgressStyle::with_template("{msg:34} {wide_bar} {pos:>3} of {len} days");
            ProgressBar::new(u64::from(days)).with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
        });
        Meter { bar, days }
    }

    fn show(&self, progress: &Progress, shown_day: &mut u32) {
        let line = || format!("{}, {} mails", date(progress.now), progress.sent);
        match &self.bar {
            Some(bar) => {
                bar.set_position(u64::from(progress.day));
                bar.set_message(line());
            }
            None if progress.day >= *shown_day + self.days.div_ceil(6) => {
                *shown_day = progress.day;
                eprintln!("day {} of {}: {}", progress.day, self.days, line());
            }
            None => {}
        }
    }

    fn end(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

/// `Sun 29 March`, in the shop's zone.
fn date(instant: i64) -> String {
    let zone = dsl::time::zone("Europe/Berlin").unwrap_or(TimeZone::UTC);
    let zoned = jiff::Timestamp::from_millisecond(instant).map(|instant| instant.to_zoned(zone));
    zoned.map(|zoned| zoned.strftime("%a %-d %B").to_string()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn speeds_are_spans_a_second() {
        let check = |text: &str, expected: Option<f64>| assert_eq!(speed(text).ok(), expected, "{text}");
        check("1d/s", Some(86_400.0));
        check("12h/s", Some(43_200.0));
        check("1 day/s", Some(86_400.0));
        check("1s/s", Some(1.0));
        check("0s/s", None);
        check("1d", None);
        check("fast", None);
    }

    #[test]
    fn a_folder_that_holds_something_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        assert!(given_folder(folder.path().join("new")).is_ok());
        let error = given_folder(folder.path().to_owned()).unwrap_err();
        assert!(error.to_string().contains("is not empty"), "{error}");
    }
}
