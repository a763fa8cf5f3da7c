//! From the log to the read models in PostgreSQL.
//!
//! The projector follows CHAT and PRESENCE, each from the position in PostgreSQL, in order, in batches, and writes that
//! position in the transaction that writes the rows (D8). So nothing is applied twice or skipped, whatever is killed when.
//!
//! - [`runner`]: standby, active, and over again when a connection is lost; [`session`]: being the only active one
//! - [`identity`]: whether the log is the one that the read models were made from
//! - [`feed`]: from the log to batches; [`fact`]: what an event says, or why it is malformed
//! - [`writer`]: batches in, rows out; [`apply`]: one batch, one transaction; [`projections`]: one file per read model
//! - [`replay`]: the log once more, into a [`shadow`]; [`verify`]: to [`compare`] the read models with; [`rebuild`]: to
//!   [`switch`] them; [`repair`]: dead letters looked at again
//! - [`partitions`]: of messages; [`status`]: for readiness and metrics; [`watch`]: how far the log goes

mod apply;
mod compare;
mod config;
mod error;
mod fact;
mod feed;
mod identity;
mod partitions;
mod position;
mod projections;
mod rebuild;
mod repair;
mod replay;
mod runner;
mod session;
mod shadow;
mod status;
mod switch;
mod verify;
mod watch;
mod writer;

#[cfg(test)]
mod tests;

pub use apply::Dead;
pub use compare::{Compared, Comparison, Difference, Digest};
pub use config::Config;
pub use error::{Error, ReplayError};
pub use fact::{Unfit, unfit};
pub use rebuild::{Rebuilt, rebuild};
pub use repair::{DeadLetter, Repaired, dead_letters, repair};
pub use status::{Role, Status, StreamStatus};
pub use verify::{Step, verify};

use natter_log::{KeyRing, Log, Stream};
use natter_platform::Shutdown;

/// Projects until the stop is requested, or something happens that an operator has to see to. Any number may run on one
/// database: one is active, the others stand by. `status` shows how it does meanwhile.
pub async fn run(config: Config, log: Log, keys: KeyRing, status: Status, shutdown: Shutdown) -> Result<(), Error> {
    let project = |stream| {
        let (config, log, keys, status) = (config.clone(), log.clone(), keys.clone(), status.clone());
        runner::Runner { config, log, keys, stream, status }.run(shutdown.clone())
    };
    let projecting = async { tokio::try_join!(project(Stream::Chat), project(Stream::Presence)).map(|_| ()) };
    let ended = tokio::select! {
        ended = projecting => ended,
        // PostgreSQL does not answer. What was begun is in a transaction that it rolls back, and is done again.
        () = given_up(&shutdown) => {
            tracing::warn!("PostgreSQL did not answer in time: what was begun is left to be done again");
            Ok(())
        }
    };
    for stream in Stream::ALL {
        status.role(stream, Role::Stopped);
    }
    ended
}

/// When what has begun is waited for no longer: halfway between soft and hard.
async fn given_up(shutdown: &Shutdown) {
    shutdown.requested().await;
    tokio::time::sleep(shutdown.grace() / 2).await;
}
