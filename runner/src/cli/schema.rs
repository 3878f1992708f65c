//! `schema`

use std::path::PathBuf;

use serde_json::{Map, Value};

use super::{CouldNotRun, Exit, Outcome, output};

#[derive(clap::Args)]
pub struct Schema {
    /// Which one; all of them in one object, by name, if not said
    #[arg(value_enum, default_value = "all")]
    which: Which,
    /// Write NAME.schema.json into this folder instead
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
}

#[derive(Clone, Copy, PartialEq, clap::ValueEnum)]
enum Which {
    Workflow,
    Settings,
    Test,
    Audience,
    All,
}

impl Schema {
    pub fn run(self) -> Outcome {
        let schemas = [
            (Which::Workflow, "workflow", dsl::schema::workflow()),
            (Which::Settings, "settings", dsl::schema::settings()),
            (Which::Test, "test", dsl::schema::test()),
            (Which::Audience, "audience", dsl::schema::audience()),
        ];
        let wanted = schemas.into_iter().filter(|(which, ..)| self.which == Which::All || self.which == *which);
        let mut wanted: Map<String, Value> = wanted.map(|(_, name, schema)| (name.to_owned(), schema)).collect();
        let Some(folder) = self.out else {
            let shown = match (self.which, wanted.len()) {
                (Which::Workflow | Which::Settings | Which::Test | Which::Audience, 1) => {
                    wanted.values_mut().next().map(Value::take).unwrap_or_default()
                }
                _ => Value::Object(wanted),
            };
            output::text(&format!("{shown:#}\n"))?;
            return Ok(Exit::Fine);
        };
        std::fs::create_dir_all(&folder)
            .map_err(|error| CouldNotRun(format!("the folder {} cannot be made: {error}", folder.display())))?;
        for (name, schema) in &wanted {
            let path = folder.join(format!("{name}.schema.json"));
            output::written(std::fs::write(&path, format!("{schema:#}\n")), &path.display().to_string())?;
            output::text(&format!("{}\n", path.display()))?;
        }
        Ok(Exit::Fine)
    }
}
