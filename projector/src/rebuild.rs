//! The read models made again from the log while the live ones are read and written (D9): beside them, to the end of the
//! log, and then in their place. Whatever ends it before that, the live ones are as they were; whatever ends it after, the new
//! ones are complete, and the next one removes what is left of the old.
//!
//! It says what differs between the two at one position, since that is what someone rebuilds for. What is not made from CHAT
//! (when people were last seen) is carried over.

use std::time::{Duration, Instant};

use natter_log::{KeyRing, Log, Stream};
use natter_platform::Shutdown;

use crate::compare::Comparison;
use crate::config::Config;
use crate::error::{ReplayError, SessionError};
use crate::replay::Replay;
use crate::shadow::Shadow;
use crate::switch;
use crate::verify::{self, Step};

/// What a rebuild did.
#[derive(Debug)]
pub struct Rebuilt {
    /// The events that the read models were made from at least: those that the log had at the start.
    pub events: u64,
    pub took: Duration,
    /// For how long nobody could read.
    pub switched_in: Duration,
    /// What the live ones were, compared with what they had to be; none when there was nothing to compare.
    pub compared: Option<Comparison>,
}

/// Makes the read models again, and puts them in the place of the live ones. `show` learns how far it is, several times a
/// second.
pub async fn rebuild(
    config: Config,
    log: Log,
    keys: KeyRing,
    show: impl FnMut(Step),
    shutdown: &Shutdown,
) -> Result<Rebuilt, ReplayError> {
    let mut shadow = Shadow::lock(&config).await?;
    let rebuilt = tokio::select! {
        rebuilt = replay_and_switch(&mut shadow, &config, &log, &keys, show) => rebuilt,
        () = shutdown.requested() => Err(ReplayError::Stopped),
    };
    let removed = shadow.remove().await;
    let rebuilt = rebuilt?;
    removed?;
    // The new ones are in their place. What cannot be removed now is so by the next.
    if let Err(error) = shadow.remove_old().await {
        tracing::warn!(schema = shadow.old, error = %error, "the old read models are still there");
    }
    Ok(rebuilt)
}

async fn replay_and_switch(
    shadow: &mut Shadow,
    config: &Config,
    log: &Log,
    keys: &KeyRing,
    mut show: impl FnMut(Step),
) -> Result<Rebuilt, ReplayError> {
    let begun = Instant::now();
    let of = last(log).await?;
    let mut live = shadow.open_live().await?;
    let there = verify::stored(&mut live, log).await?;
    shadow.make().await?;
    switch::check_dependents(&mut live, shadow).await?;
    let mut replay = Replay::begin(shadow, config, log, keys).await?;
    tracing::info!(events = of, "the read models are made again from the log, beside the live ones");
    show(Step::Replaying { at: 0, of });
    let compared = match there {
        None | Some(0) => None,
        Some(_) => {
            let mut towards = |step| match step {
                Step::Replaying { at, .. } if at < of => show(Step::Replaying { at, of }),
                step => show(step),
            };
            verify::follow(&mut live, log, &mut replay, &mut towards).await?;
            Some(verify::compare(shadow, &mut live, &mut replay, towards).await?)
        }
    };
    replay.to(of, |at| show(Step::Replaying { at: at.min(of), of })).await?;
    let switched_in = switch::switch(shadow, &mut live, &mut replay).await?;
    tracing::info!(seq = replay.at(), ms = switched_in.as_millis() as u64, "the read models were switched");
    Ok(Rebuilt { events: of, took: begun.elapsed(), switched_in, compared })
}

async fn last(log: &Log) -> Result<u64, ReplayError> {
    Ok(log.state(Stream::Chat).await.map_err(SessionError::log)?.last_seq)
}
