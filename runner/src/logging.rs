//! The runner's log: to standard error, as text for people or JSON for machines. It holds no personal data: who writes to it names runs,
//! messages and workflows, never addresses or contents.

use std::io::IsTerminal;

use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::format::FmtSpan;

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Format {
    Text,
    Json,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Level {
    Error,
    Warn,
    Info,
    Debug,
    Trace,
}

impl Level {
    fn word(self) -> &'static str {
        match self {
            Level::Error => "error",
            Level::Warn => "warn",
            Level::Info => "info",
            Level::Debug => "debug",
            Level::Trace => "trace",
        }
    }
}

/// Begins to log. `colour` only matters for text on a terminal. Later calls do nothing.
pub fn begin(format: Format, level: Level, colour: bool) {
    // Libraries are only heard when something is wrong.
    let filter = EnvFilter::new(format!("warn,runner={0},campaignd={0}", level.word()));
    let logger = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).with_span_events(FmtSpan::NONE);
    let begun = match format {
        Format::Text => {
            let ansi = colour && std::io::stderr().is_terminal();
            logger.with_target(false).with_ansi(ansi).try_init()
        }
        Format::Json => logger.json().flatten_event(true).with_current_span(false).try_init(),
    };
    if let Err(error) = begun {
        tracing::debug!(%error, "the log has begun already");
    }
}
