//! The command line: one file a command, thin.

mod asking;
mod backup;
mod beside;
mod bounce;
mod contact;
mod demo;
mod dkim;
mod enroll;
mod explain;
mod export;
mod graph;
mod import;
mod init;
mod lsp;
mod manual;
mod messages;
mod migrate;
mod names;
mod output;
mod pause;
mod plan;
mod preview;
mod project;
mod report;
mod rows;
mod run;
mod schema;
mod segment;
mod simulate;
mod status;
mod suppression;
mod test;
mod validate;
mod watch;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// How a command came out, as its exit code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// 0: done and fine.
    Fine,
    /// 1: it ran and found something wrong.
    Findings,
    /// 2: it could not run.
    CouldNotRun,
    /// 75: what it was given could not be taken, and may be another time (EX_TEMPFAIL of sysexits.h, which mail servers know).
    TryLater,
}

/// Why a command could not run (exit code 2), in words that say what to do next.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct CouldNotRun(pub String);

type Outcome = Result<Exit, CouldNotRun>;

#[derive(Parser)]
#[command(
    name = "campaignd",
    version,
    about = "Runs customer campaigns that are written as YAML files in a git repository",
    disable_help_subcommand = true
)]
pub struct Arguments {
    /// The project's folder; default: here, or the nearest parent with a campaignd.yaml
    #[arg(long, global = true, value_name = "DIR")]
    project: Option<PathBuf>,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Make a new project that validates, tests and runs
    Init(init::Init),
    /// Run the shipped campaigns with sample contacts on a fast clock
    Demo(demo::Demo),
    /// Run the daemon
    Run(run::Run),
    /// Check the project
    Validate(validate::Validate),
    /// Say what a diagnostic means
    Explain(explain::Explain),
    /// Perform the journey tests, on virtual time
    Test(test::Test),
    /// Run a contact file and an event file through the workflows, on virtual time
    Simulate(simulate::Simulate),
    /// Bring contacts or events into the store
    Import(import::Import),
    /// Bring contacts, events, messages or runs out of the store
    Export(export::Export),
    /// Everything that is held about one person: show it, hand it out, erase it
    Contact(contact::ContactArguments),
    /// Show a message as one person would get it
    Preview(preview::Preview),
    /// What the files would change in a running store
    Plan(plan::Plan),
    /// Draw the workflows: Mermaid, SVG or DOT
    Graph(graph::Graph),
    /// Let a contact enter a workflow
    Enroll(enroll::Enroll),
    /// Who is in a segment; putting contacts on the list of a static one
    Segment(segment::Segment),
    /// Freeze a workflow: nobody enters, those inside stay where they are
    Pause(pause::Pause),
    /// Let a paused workflow go on
    Resume(pause::Resume),
    /// Move runs that an edit left behind to the definition in force
    Migrate(migrate::Migrate),
    /// Take a mail that came back from standard input, as a mail server pipes it
    Bounce(bounce::Bounce),
    /// Addresses that get nothing: show them, add and remove some
    Suppression(suppression::Suppression),
    /// What the runner is doing
    Status(status::Status),
    /// What came of the workflows, their messages and their experiments
    Report(report::Report),
    /// Copy the store while the runner goes on
    Backup(backup::Backup),
    /// The messages and what became of them
    Messages(messages::Messages),
    /// The DNS records that the mails' signatures are checked by
    Dkim(dkim::Dkim),
    /// Serve an editor: diagnostics, completion, hover, definitions, renaming (LSP over standard input and output)
    Lsp(lsp::Lsp),
    /// Print or write the language's JSON Schemas
    Schema(schema::Schema),
    /// Print a completion script for a shell
    Completions(manual::Completions),
    /// Print the manual page, or write one for each command
    Man(manual::Man),
}

/// Runs the command that the process's arguments name.
pub fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let outcome = dispatch(arguments);
    match outcome {
        Ok(Exit::Fine) => ExitCode::from(0),
        Ok(Exit::Findings) => ExitCode::from(1),
        Ok(Exit::CouldNotRun) => ExitCode::from(2),
        Ok(Exit::TryLater) => ExitCode::from(75),
        Err(error) => {
            eprintln!("campaignd: {error}");
            ExitCode::from(2)
        }
    }
}

fn dispatch(arguments: Arguments) -> Outcome {
    let project = arguments.project;
    match arguments.command {
        Command::Init(command) => command.run(),
        Command::Demo(command) => command.run(),
        Command::Run(command) => command.run(project),
        Command::Validate(command) => command.run(project),
        Command::Explain(command) => command.run(),
        Command::Test(command) => command.run(project),
        Command::Simulate(command) => command.run(project),
        Command::Import(command) => command.run(project),
        Command::Export(command) => command.run(project),
        Command::Contact(command) => command.run(project),
        Command::Preview(command) => command.run(project),
        Command::Plan(command) => command.run(project),
        Command::Graph(command) => command.run(project),
        Command::Enroll(command) => command.run(project),
        Command::Segment(command) => command.run(project),
        Command::Pause(command) => command.run(project),
        Command::Resume(command) => command.run(project),
        Command::Migrate(command) => command.run(project),
        Command::Bounce(command) => command.run(project),
        Command::Suppression(command) => command.run(project),
        Command::Status(command) => command.run(project),
        Command::Report(command) => command.run(project),
        Command::Backup(command) => command.run(project),
        Command::Messages(command) => command.run(project),
        Command::Dkim(command) => command.run(project),
        Command::Lsp(command) => command.run(),
        Command::Schema(command) => command.run(),
        Command::Completions(command) => command.run(),
        Command::Man(command) => command.run(),
    }
}
