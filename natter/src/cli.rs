//! The command line: which subcommands there are, and what all of them have in common.

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::error::ErrorKind;
use clap::{CommandFactory, FromArgMatches, Parser, Subcommand};
use natter_platform::telemetry::{LogFormat, LogOptions, init_logs};

use crate::exit::{Exit, Failure};
use crate::services::{gateway, history, projector};
use crate::{backup, chat, config, doctor, load, migrate, rebuild, repair, restore, tail, up, verify};

/// Natter: chat for your team, your product, your community. One program that is all of it, or one service of it.
#[derive(Debug, Parser)]
#[command(name = "natter", version, max_term_width = 110, after_help = after_help(), arg_required_else_help = true)]
struct Cli {
    #[command(flatten)]
    common: Common,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Args)]
struct Common {
    /// Read options from this file; without it, from natter.toml in the working folder if there is one.
    #[arg(long, env = "NATTER_CONFIG", value_name = "FILE", global = true)]
    config: Option<PathBuf>,

    /// What to log: `error`, `warn`, `info`, `debug`, `trace`, or for each part, such as `info,natter_gateway=debug`.
    #[arg(long, env = "NATTER_LOG", value_name = "FILTER", default_value = "info,async_nats=warn", global = true)]
    log: String,

    /// How to log: `human` for people, `json` for one object per line.
    #[arg(long, env = "NATTER_LOG_FORMAT", value_name = "FORMAT", default_value_t = LogFormat::Human, global = true)]
    log_format: LogFormat,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Everything on this machine: broker, PostgreSQL, gateway, projector, history API and the web client.
    #[command(after_help = after_help())]
    Up(up::Options),

    /// The gateway alone: the socket, commands and accounts, and the web client.
    #[command(after_help = after_help())]
    Gateway(gateway::Options),

    /// The projector alone: from the log to PostgreSQL. Any number may run; one is active.
    #[command(after_help = after_help())]
    Projector(projector::Options),

    /// The history API alone: pages out of PostgreSQL.
    #[command(after_help = after_help())]
    HistoryApi(history::Options),

    /// Bring a PostgreSQL database to this version's schema.
    #[command(after_help = after_help())]
    Migrate(migrate::Options),

    /// Make the read models in PostgreSQL again from the log, and put them in the place of the live ones, while everything runs.
    #[command(after_help = after_help())]
    Rebuild(rebuild::Options),

    /// Compare what is stored with what it should be: the read models with a replay, or the log with itself.
    #[command(after_help = after_help())]
    Verify(verify::Options),

    /// Settle what Natter does not settle by itself, on record.
    #[command(after_help = after_help())]
    Repair(repair::Options),

    /// Copy the log and what belongs to it into a folder, while people talk. The master key is not in it.
    #[command(after_help = after_help())]
    Backup(backup::Options),

    /// Put a backup into a new data folder, or into an empty broker.
    #[command(after_help = after_help())]
    Restore(restore::Options),

    /// Check that the parts of a deployment, or of the `natter up` on this machine, reach each other.
    #[command(after_help = after_help())]
    Doctor(doctor::Options),

    /// Print every event of the log, for analytics: who, when, where, and never what was said.
    #[command(after_help = after_help())]
    Tail(tail::Options),

    /// Talk to people: a full-screen client, and commands for scripts.
    #[command(after_help = after_help())]
    Chat(chat::Options),

    /// Let many users talk, and check that everything arrives once and in order: how much does a deployment carry?
    #[command(after_help = after_help())]
    Load(load::Options),
}

fn after_help() -> String {
    format!(
        "Every option can be given as a flag, as the variable shown in [env: …], or as a key in natter.toml with the name \
         of the flag (`listen = \"0.0.0.0:8080\"`). A flag counts before a variable, a variable before the file, the file \
         before the default.\n\n{}",
        Exit::table()
    )
}

/// Parses everything, then does what was asked for.
pub fn run(arguments: Vec<OsString>) -> ExitCode {
    let cli = match parse(arguments) {
        Ok(cli) => cli,
        Err(Refused::Clap(error)) => {
            // What is asked for goes to standard output and is a success, what is wrong to standard error.
            let _ = error.print();
            let asked_for = matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion);
            return if asked_for { ExitCode::SUCCESS } else { ExitCode::from(Exit::Usage as u8) };
        }
        Err(Refused::Failure(failure)) => return failure.report(),
    };
    match start(cli) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.report(),
    }
}

enum Refused {
    Clap(clap::Error),
    Failure(Failure),
}

fn parse(arguments: Vec<OsString>) -> Result<Cli, Refused> {
    let command = config::with_file(Cli::command(), &arguments).map_err(Refused::Failure)?;
    command
        .try_get_matches_from(&arguments)
        .and_then(|mut matches| Cli::from_arg_matches_mut(&mut matches))
        .map_err(|error| config::name_the_variable(error, &Cli::command(), &arguments))
        .map_err(Refused::Clap)
}

fn start(cli: Cli) -> Result<(), Failure> {
    let filter = match &cli.command {
        Command::Chat(options) if options.draws_over_the_log() => chat::QUIET.to_owned(),
        _ => cli.common.log,
    };
    let logs = LogOptions { format: cli.common.log_format, filter };
    init_logs(&logs).map_err(|error| Failure::caused_by(Exit::Usage, &error))?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::new(Exit::Other, format!("the system gives no threads: {error}")))?;
    runtime.block_on(async {
        match cli.command {
            Command::Up(options) => up::run(options).await,
            Command::Gateway(options) => gateway::run(options).await,
            Command::Projector(options) => projector::run(options).await,
            Command::HistoryApi(options) => history::run(options).await,
            Command::Migrate(options) => migrate::run(options).await,
            Command::Rebuild(options) => rebuild::run(options).await,
            Command::Verify(options) => verify::run(options).await,
            Command::Repair(options) => repair::run(options).await,
            Command::Backup(options) => backup::run(options).await,
            Command::Restore(options) => restore::run(options).await,
            Command::Doctor(options) => doctor::run(options).await,
            Command::Tail(options) => tail::run(options).await,
            Command::Chat(options) => chat::run(options).await,
            Command::Load(options) => load::run(options).await,
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    /// The rule that README and `--help` promise.
    #[test]
    fn every_option_is_a_flag_a_variable_and_explained() {
        for option in config::options_of(&Cli::command()) {
            let flag = option.get_long().expect("options have long names");
            let variable = option.get_env().map(|name| name.to_string_lossy().into_owned());
            let expected = format!("NATTER_{}", flag.to_uppercase().replace('-', "_"));
            assert_eq!(variable, Some(expected), "--{flag}");
            assert!(option.get_help().is_some(), "--{flag} is not explained");
        }
    }

    #[test]
    fn an_option_means_the_same_wherever_it_is() {
        let mut helps = std::collections::HashMap::new();
        for option in config::options_of(&Cli::command()) {
            let flag = option.get_long().expect("options have long names").to_owned();
            let names = format!("{:?}", option.get_value_names());
            assert_eq!(*helps.entry(flag.clone()).or_insert_with(|| names.clone()), names, "--{flag}");
        }
    }
}
