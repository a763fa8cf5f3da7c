//! `natter verify`: is what is stored what it should be?

mod log;

pub use log::on_record;

use crate::exit::{Exit, Failure};
use crate::log_at::LogAt;

#[derive(Debug, clap::Args)]
pub struct Options {
    /// Look the event log over, from one end to the other: is every event there, as it was written, where it may stand?
    #[arg(long, env = "NATTER_EVENT_LOG")]
    event_log: bool,

    #[command(flatten)]
    at: LogAt,
}

pub async fn run(options: Options) -> Result<(), Failure> {
    if !options.event_log {
        return Err(Failure::new(Exit::Usage, "nothing was asked for: say what to verify, such as --event-log"));
    }
    options.at.with("verify", log::verify).await
}
