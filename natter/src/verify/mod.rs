//! `natter verify`: is what is stored what it has to be?

mod log;
pub mod read_models;

pub use log::on_record;

use crate::exit::Failure;
use crate::place::Place;

#[derive(Debug, clap::Args)]
pub struct Options {
    /// Look the event log over instead, from one end to the other: is every event there, as it was written, where it may
    /// stand?
    #[arg(long, env = "NATTER_EVENT_LOG")]
    event_log: bool,

    #[command(flatten)]
    place: Place,
}

pub async fn run(options: Options) -> Result<(), Failure> {
    if options.event_log {
        options.place.at.with("verify", log::verify).await
    } else {
        read_models::run(&options.place).await
    }
}
