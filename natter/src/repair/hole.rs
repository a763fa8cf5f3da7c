//! `natter repair hole`: somebody accepts that events of the log are lost, or so damaged that they are as good as lost.

use std::str::FromStr;

use natter_log::{AcceptError, Acceptance, Log, Stored, Stream};
use natter_platform::Clock;
use natter_projector::{Unfit, unfit};

use crate::exit::{Exit, Failure};
use crate::log_at::LogAt;
use crate::verify::on_record;

#[derive(Debug, clap::Args)]
pub struct Options {
    /// The events that are lost or damaged, as `natter verify --event-log` names them: one, or the first and the last, such as `150-208`.
    #[arg(long, env = "NATTER_SEQS", value_name = "FIRST-LAST", requires = "reason")]
    seqs: Option<Seqs>,

    /// Why they are given up, for whoever asks later.
    #[arg(long, env = "NATTER_REASON", value_name = "TEXT")]
    reason: Option<String>,

    /// Who gives them up.
    #[arg(long, env = "NATTER_BY", value_name = "NAME")]
    by: Option<String>,

    #[command(flatten)]
    at: LogAt,
}

/// A stretch of the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Seqs {
    first: u64,
    last: u64,
}

impl FromStr for Seqs {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (first, last) = text.split_once('-').unwrap_or((text, text));
        match (first.trim().parse(), last.trim().parse()) {
            (Ok(first), Ok(last)) if 1 <= first && first <= last => Ok(Self { first, last }),
            _ => Err("not one event such as `150`, nor a first and a last one such as `150-208`".to_owned()),
        }
    }
}

pub async fn run(options: Options) -> Result<(), Failure> {
    let Options { seqs, reason, by, at } = options;
    let Some(Seqs { first, last }) = seqs else { return at.with("repair", list).await };
    let by = by.or_else(|| std::env::var("USER").ok()).unwrap_or_else(|| "somebody".to_owned());
    let acceptance =
        Acceptance { first, last, by, reason: reason.unwrap_or_default(), at_ms: Clock::system().now_ms() };
    at.with("repair", async |log: Log| {
        let hole = log.accept_damaged(acceptance, is_damaged).await.map_err(|error| refused(&error))?;
        println!(
            "From now on everything passes over events {}-{}: accepted{}",
            hole.first,
            hole.last,
            on_record(&hole)
        );
        Ok(())
    })
    .await
}

/// By the same judgement as `natter verify --event-log`.
fn is_damaged(stored: &Stored) -> bool {
    matches!(unfit(Stream::Chat, stored.clone()), Some(Unfit::Malformed(_)))
}

async fn list(log: Log) -> Result<(), Failure> {
    let holes = log.holes().await.map_err(|error| Failure::caused_by(Exit::Unreachable, &error))?;
    for hole in holes.iter() {
        println!("{}-{} accepted{}", hole.first, hole.last, on_record(hole));
    }
    if holes.is_empty() {
        println!("No hole was accepted. What is lost, `natter verify --event-log` finds.");
    }
    Ok(())
}

fn refused(error: &AcceptError) -> Failure {
    let exit = match error {
        AcceptError::Read(_) | AcceptError::Write(_) => Exit::Unreachable,
        AcceptError::OutOfBounds { .. } | AcceptError::Reason => Exit::Usage,
        AcceptError::Readable { .. } | AcceptError::AcceptedBefore { .. } | AcceptError::TooMany => Exit::Refused,
    };
    Failure::caused_by(exit, error)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stretch_is_one_event_or_a_first_and_a_last() {
        assert_eq!("7".parse(), Ok(Seqs { first: 7, last: 7 }));
        assert_eq!("150-208".parse(), Ok(Seqs { first: 150, last: 208 }));
        for bad in ["", "0", "0-5", "9-8", "a-b", "1-", "-1", "1-2-3", "1..2"] {
            assert!(bad.parse::<Seqs>().is_err(), "{bad}");
        }
    }
}
