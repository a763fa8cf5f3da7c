//! `natter repair`: what somebody has to decide who runs Natter.

mod events;
mod hole;

use crate::exit::Failure;

#[derive(Debug, clap::Args)]
pub struct Options {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// List the events that could not be applied to the read models; retry them, or pass over them on record.
    Events(events::Options),

    /// Accept, on record, that events of the log are lost: from then on everything passes over them. Without --seqs, list
    /// what was accepted.
    Hole(hole::Options),
}

pub async fn run(options: Options) -> Result<(), Failure> {
    match options.command {
        Command::Events(options) => events::run(options).await,
        Command::Hole(options) => hole::run(options).await,
    }
}
