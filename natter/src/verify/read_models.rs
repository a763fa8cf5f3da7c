//! The read models against a replay of the log: each table with its rows and digest, and the rows that differ.

use indicatif::HumanCount;
use natter_projector::{Comparison, verify};

use crate::exit::{Exit, Failure};
use crate::place::{Place, replay_failure};
use crate::progress::{Progress, Unit};

pub async fn run(place: &Place) -> Result<(), Failure> {
    let compared = place.with("verify", async |parts, shutdown| {
        let mut progress = Progress::of(Unit::Events);
        let compared = verify(parts.config, parts.log, parts.keys, |step| progress.step(step), shutdown).await;
        progress.end();
        compared.map_err(|error| replay_failure(&error))
    });
    let compared = compared.await?;
    print(&compared);
    match compared.differing().count() {
        0 => Ok(()),
        differing => Err(Failure::new(Exit::Different, summary(&compared, differing))),
    }
}

/// Each table, and the rows that differ. What people wrote is not told.
pub fn print(compared: &Comparison) {
    println!("The read models at event {}:", compared.seq);
    for table in &compared.tables {
        let (name, live) = (&table.table, table.live);
        if table.is_same() {
            println!("  {name:<18} {:>12} rows  {live}  same", HumanCount(live.rows).to_string());
            continue;
        }
        if !table.lacks.is_empty() {
            println!("  {name:<18} lacks {}", table.lacks.join(", "));
            continue;
        }
        let replayed = table.replayed;
        println!("  {name:<18} {:>12} rows  {live}  DIFFERS", HumanCount(live.rows).to_string());
        println!("  {:<18} {:>12} rows  {replayed}  replayed", "", HumanCount(replayed.rows).to_string());
        for difference in &table.differences {
            println!("    {difference}");
        }
        let more = table.differing.saturating_sub(table.differences.len() as u64);
        if more > 0 {
            println!("    and {} more", HumanCount(more));
        }
    }
}

fn summary(compared: &Comparison, differing: usize) -> String {
    let rows: u64 = compared.tables.iter().map(|table| table.differing).sum();
    format!(
        "{differing} of {} tables differ from the log, in {} rows; `natter rebuild` makes them again",
        compared.tables.len(),
        HumanCount(rows)
    )
}
