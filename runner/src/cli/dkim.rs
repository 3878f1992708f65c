//! `dkim`: what is to be published in the DNS for the mails' signatures to be checked by.

use std::path::PathBuf;

use serde::Serialize;

use super::{CouldNotRun, Exit, Outcome, output, project};
use crate::channels::DkimKey;
use crate::daemon::dkim_keys;
use crate::secrets::Secrets;

#[derive(clap::Args)]
pub struct Dkim {
    #[arg(long, value_enum, default_value_t = Format::Human)]
    format: Format,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    /// Lines for a zone's file
    Human,
    Json,
}

#[derive(Serialize)]
struct Row {
    channel: String,
    name: String,
    r#type: &'static str,
    value: String,
}

impl Dkim {
    pub fn run(self, given: Option<PathBuf>) -> Outcome {
        let rows = rows(given)?;
        match self.format {
            Format::Json => {
                let shown = serde_json::to_string_pretty(&rows).map_err(|error| CouldNotRun(error.to_string()))?;
                output::text(&format!("{shown}\n"))?;
            }
            Format::Human => {
                if rows.is_empty() {
                    output::note("no channel has `dkim`: its mails are not signed");
                }
                let lines: String =
                    rows.iter().map(|row| format!("{}. IN TXT ( {} )\n", row.name, strings(&row.value))).collect();
                output::text(&lines)?;
            }
        }
        Ok(Exit::Fine)
    }
}

fn rows(given: Option<PathBuf>) -> Result<Vec<Row>, CouldNotRun> {
    let project = project::open(given)?;
    let Some(settings) = &project.compiled.settings else {
        return Err(CouldNotRun("campaignd.yaml is wrong; `campaignd validate` says what".to_owned()));
    };
    let could_not = |error: &dyn std::error::Error| CouldNotRun(error.to_string());
    let secrets = Secrets::of_project(&project.root).map_err(|error| could_not(&error))?;
    let mut rows = Vec::new();
    for (channel, its) in &settings.channels {
        for text in dkim_keys(&project.root, channel, its, &secrets).map_err(|error| could_not(&error))? {
            let record = DkimKey::read(&text).and_then(|key| key.record()).map_err(|error| could_not(&error))?;
            rows.push(Row { channel: channel.clone(), name: record.name, r#type: "TXT", value: record.value });
        }
    }
    Ok(rows)
}

/// A text as the strings of a TXT record, which have at most 255 characters each (RFC 1035 section 3.3.14) and are read as one.
fn strings(value: &str) -> String {
    // In ASCII, as all of a record is.
    let pieces: Vec<String> = (0..value.len())
        .step_by(255)
        .filter_map(|at| value.get(at..value.len().min(at + 255)))
        .map(|piece| format!("\"{piece}\""))
        .collect();
    pieces.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_record_is_several_strings() {
        assert_eq!(strings("v=DKIM1; p=x"), "\"v=DKIM1; p=x\"");
        let long = "x".repeat(600);
        let lengths: Vec<usize> = strings(&long).split(' ').map(|piece| piece.len() - 2).collect();
        assert_eq!(lengths, [255, 255, 90]);
    }
}
