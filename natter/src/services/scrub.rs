//! The event log looked through in the background. The projector's process does it: it follows the log already, nobody waits
//! for it, and there is one of it wherever there is a deployment; of several, one reads at a time.

use std::convert::Infallible;
use std::time::Duration;

use clap::Args;
use natter_log::{Log, ScrubSettings, Scrubbed};
use natter_platform::Clock;
use natter_platform::lifecycle::{Policy, Shutdown, Tasks};
use natter_platform::ops::{Finding, Readiness};
use tokio::sync::watch;

use crate::units::{Size, Time};

const CHECK_WITHIN: Duration = Duration::from_secs(1);

/// How the event log is looked through, alone and inside `natter up`.
#[derive(Debug, Clone, Args)]
#[group(skip)]
pub struct Tunables {
    /// How much of the event log is read each second to find out whether it is damaged.
    #[arg(long, env = "NATTER_SCRUB_RATE", value_name = "SIZE", default_value_t = Size::bytes(4 << 20))]
    scrub_rate: Size,

    /// How long after the event log was looked through it is looked through again.
    #[arg(long, env = "NATTER_SCRUB_EVERY", value_name = "DURATION", default_value_t = Time::of(Duration::from_secs(24 * 3600)))]
    scrub_every: Time,
}

impl Tunables {
    fn settings(&self) -> ScrubSettings {
        ScrubSettings {
            bytes_per_second: self.scrub_rate.as_usize() as u64,
            every: self.scrub_every.get(),
            ..ScrubSettings::default()
        }
    }
}

/// Starts looking the log through as a task, and adds what is found to a readiness: it says so, and does not turn anybody
/// away for what happened in the past.
pub fn start(tunables: &Tunables, log: Log, readiness: &Readiness, tasks: &Tasks, shutdown: &Shutdown) {
    let (shown, scrubbed) = watch::channel(Scrubbed::default());
    let (clock, settings, stop) = (Clock::system(), tunables.settings(), shutdown.clone());
    let seen = scrubbed.clone();
    tasks.spawn("scrub", Policy::Background, async move {
        tokio::select! {
            () = natter_log::scrub(log, settings, || clock.now_ms(), shown) => {}
            () = measure(seen) => {}
            () = stop.requested() => {}
        }
        Ok::<_, Infallible>(())
    });
    readiness.add("log", CHECK_WITHIN, move || {
        let found = found(&scrubbed.borrow());
        async move { found }
    });
}

async fn measure(mut scrubbed: watch::Receiver<Scrubbed>) {
    loop {
        {
            let scrubbed = scrubbed.borrow_and_update();
            metrics::gauge!("natter_log_holes").set(scrubbed.lost_events() as f64);
            metrics::gauge!("natter_log_damaged_events").set(scrubbed.damaged.len() as f64);
            metrics::gauge!("natter_log_scrubbed_seq").set(scrubbed.up_to as f64);
        }
        if scrubbed.changed().await.is_err() {
            return std::future::pending().await;
        }
    }
}

fn found(scrubbed: &Scrubbed) -> Finding {
    let Scrubbed { pass, up_to, of, lost, damaged, finished_ms, .. } = scrubbed;
    let how_far = match finished_ms {
        Some(_) => format!("looked through to its end at {of}"),
        None if *pass == 0 => "not looked through yet".to_owned(),
        None => format!("looked through up to {up_to} of {of}"),
    };
    let mut found = Vec::new();
    if let Some((first, last)) = lost.first() {
        let more = if lost.len() > 1 { format!(" and {} more stretches", lost.len() - 1) } else { String::new() };
        found.push(format!("events {first}-{last}{more} are lost (`natter repair hole`)"));
    }
    if let Some(first) = damaged.first() {
        found.push(format!("{} events are damaged, the first at {first}", damaged.len()));
    }
    if found.is_empty() {
        Finding::Fine(format!("{how_far}, nothing is lost"))
    } else {
        Finding::Degraded(format!("DAMAGED: {}; {how_far}", found.join("; ")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_lost_is_said_before_how_far_it_is() {
        let nothing = Finding::Fine("not looked through yet, nothing is lost".to_owned());
        assert_eq!(found(&Scrubbed::default()), nothing);
        let scrubbed = Scrubbed {
            pass: 1,
            up_to: 20,
            of: 90,
            lost: vec![(3, 7), (9, 9)],
            damaged: vec![5],
            ..Scrubbed::default()
        };
        let said = "DAMAGED: events 3-7 and 1 more stretches are lost (`natter repair hole`); 1 events are damaged, the first at 5; \
                    looked through up to 20 of 90";
        assert_eq!(found(&scrubbed), Finding::Degraded(said.to_owned()));
        assert_eq!(scrubbed.lost_events(), 6);
    }
}
