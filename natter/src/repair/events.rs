//! `natter repair events`: the events that could not be applied (dead letters), and what becomes of them.

use indicatif::HumanCount;
use natter_projector::{DeadLetter, dead_letters, repair};

use crate::exit::{Exit, Failure};
use crate::place::{Place, replay_failure};

#[derive(Debug, clap::Args)]
pub struct Options {
    /// Apply what this version can read now, with what waits behind it in its conversation, in order.
    #[arg(long, env = "NATTER_RETRY")]
    retry: bool,

    /// Pass over this event for ever, on record, and apply what waits behind it. May be given more than once.
    #[arg(long, env = "NATTER_SKIP", value_name = "SEQ", value_delimiter = ',', action = clap::ArgAction::Append)]
    skip: Vec<u64>,

    #[command(flatten)]
    place: Place,
}

pub async fn run(options: Options) -> Result<(), Failure> {
    let Options { retry, skip, place } = options;
    place
        .with("repair", async |parts, shutdown| {
            let repairing = async {
                if retry || !skip.is_empty() {
                    let repaired = repair(&parts.config, &parts.log, &parts.keys, &skip).await?;
                    println!("{} events are applied, {} are passed over.", repaired.applied, repaired.skipped);
                    for seq in repaired.for_a_rebuild {
                        println!("Event {seq} can be read now; `natter rebuild` puts it in its place.");
                    }
                }
                dead_letters(&parts.config).await
            };
            let left = tokio::select! {
                left = repairing => left.map_err(|error| replay_failure(&error))?,
                () = shutdown.requested() => return Err(Failure::new(Exit::Other, "stopped; what was under way is as it was")),
            };
            print(&left);
            Ok(())
        })
        .await
}

fn print(letters: &[DeadLetter]) {
    if letters.is_empty() {
        println!("There are no dead letters: everything in the log is applied.");
    }
    for DeadLetter { stream, seq, at, subject, reason, waiting } in letters {
        println!("{stream} {seq}  {at}  {subject}");
        println!("    {reason}");
        if *waiting > 0 {
            println!("    {} events of its conversation wait behind it", HumanCount(*waiting));
        }
    }
}
