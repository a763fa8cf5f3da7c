//! `natter repair`: what somebody has to decide who runs Natter.

mod hole;

use crate::exit::Failure;

#[derive(Debug, clap::Args)]
pub struct Options {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Accept, on record, that events of the log are lost: from then on everything passes over them. Without --seqs, list
    /// what was accepted.
    Hole(hole::Options),
}

pub async fn run(options: Options) -> Result<(), Failure> {
    match options.command {
        Command::Hole(options) => hole::run(options).await,
    }
}
