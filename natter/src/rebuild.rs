//! `natter rebuild`: the read models made again from the log beside the live ones, and put in their place.

use indicatif::HumanCount;
use natter_projector::{Rebuilt, rebuild};

use crate::exit::Failure;
use crate::place::{Place, replay_failure};
use crate::progress::{Progress, Unit};
use crate::verify::read_models;

#[derive(Debug, clap::Args)]
pub struct Options {
    #[command(flatten)]
    place: Place,
}

pub async fn run(options: Options) -> Result<(), Failure> {
    let rebuilt = options.place.with("rebuild", async |parts, shutdown| {
        let mut progress = Progress::of(Unit::Events);
        let rebuilt = rebuild(parts.config, parts.log, parts.keys, |step| progress.step(step), shutdown).await;
        progress.end();
        rebuilt.map_err(|error| replay_failure(&error))
    });
    let Rebuilt { events, took, switched_in, compared } = rebuilt.await?;
    if let Some(compared) = compared.filter(|compared| compared.differing().next().is_some()) {
        println!("What was there before differed from the log.");
        read_models::print(&compared);
    }
    let rate = events as f64 / took.as_secs_f64().max(0.001);
    println!(
        "The read models are made again from {} events in {:.1} s: {} a second. They were switched in {} ms.",
        HumanCount(events),
        took.as_secs_f64(),
        HumanCount(rate as u64),
        switched_in.as_millis()
    );
    Ok(())
}
