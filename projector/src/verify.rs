//! Whether the live read models are what the log says (D9): it is replayed beside them, and every table that is made from
//! CHAT is compared, at the same position.
//!
//! The live ones are read in one snapshot, which says at which position it was taken; the replay then goes on to exactly
//! there. So a projector may write all the while, and nobody waits for anybody.

use natter_log::{KeyRing, Log, Stream};
use natter_platform::Shutdown;
use sqlx::{Connection, PgConnection, Postgres, Transaction};

use crate::compare::{self, Comparison};
use crate::config::Config;
use crate::error::ReplayError;
use crate::identity;
use crate::position::Position;
use crate::replay::Replay;
use crate::shadow::Shadow;

/// So many events are replayed in far less than a second, in which a snapshot may be held or a projector be kept waiting.
pub(crate) const CLOSE_EVENTS: u64 = 2_000;

/// How far it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// So many events of so many are replayed.
    Replaying { at: u64, of: u64 },
    /// So many rows of about so many are compared.
    Comparing { at: u64, of: u64 },
}

/// Compares the read models with a replay of the log. `show` learns how far it is, several times a second. Nothing is left
/// behind, whether it comes to its end, fails or is stopped.
pub async fn verify(
    config: Config,
    log: Log,
    keys: KeyRing,
    show: impl FnMut(Step),
    shutdown: &Shutdown,
) -> Result<Comparison, ReplayError> {
    let mut shadow = Shadow::lock(&config).await?;
    let verified = tokio::select! {
        verified = replay_and_compare(&mut shadow, &config, &log, &keys, show) => verified,
        () = shutdown.requested() => Err(ReplayError::Stopped),
    };
    let removed = shadow.remove().await;
    let verified = verified?;
    removed.map(|()| verified)
}

async fn replay_and_compare(
    shadow: &mut Shadow,
    config: &Config,
    log: &Log,
    keys: &KeyRing,
    mut show: impl FnMut(Step),
) -> Result<Comparison, ReplayError> {
    let mut live = shadow.open_live().await?;
    stored(&mut live, log).await?.ok_or(ReplayError::NoPosition)?;
    shadow.make().await?;
    let mut replay = Replay::begin(shadow, config, log, keys).await?;
    follow(&mut live, log, &mut replay, &mut show).await?;
    compare(shadow, &mut live, &mut replay, show).await
}

/// Replays until it is close behind the live read models, however far they go meanwhile.
pub(crate) async fn follow(
    live: &mut PgConnection,
    log: &Log,
    replay: &mut Replay,
    show: &mut impl FnMut(Step),
) -> Result<(), ReplayError> {
    loop {
        let of = stored(live, log).await?.unwrap_or(0);
        show(Step::Replaying { at: replay.at().min(of), of });
        if of.saturating_sub(replay.at()) <= CLOSE_EVENTS {
            return Ok(());
        }
        replay.to(of, |at| show(Step::Replaying { at, of })).await?;
    }
}

/// The position of the live read models in this log; none when they have none.
pub(crate) async fn stored(live: &mut PgConnection, log: &Log) -> Result<Option<u64>, ReplayError> {
    let table: Option<String> =
        sqlx::query_scalar("select to_regclass('projector')::text").fetch_one(&mut *live).await?;
    if table.is_none() {
        return Ok(None);
    }
    let Some(position) = Position::stored(live, Stream::Chat).await? else { return Ok(None) };
    identity::check(&position, log).await?;
    Ok(Some(position.seq))
}

/// Compares the live read models, as they are now, with a replay that has not gone past them.
pub(crate) async fn compare(
    shadow: &Shadow,
    live: &mut PgConnection,
    replay: &mut Replay,
    mut show: impl FnMut(Step),
) -> Result<Comparison, ReplayError> {
    let mut snapshot = live.begin_with("begin isolation level repeatable read read only").await?;
    // The snapshot is taken with this.
    let position = Position::stored(&mut snapshot, Stream::Chat).await?.ok_or(ReplayError::NoPosition)?;
    replay.to(position.seq, |at| show(Step::Replaying { at, of: position.seq })).await?;
    if replay.at() != position.seq {
        return Err(ReplayError::Moved { from: replay.at(), to: position.seq });
    }
    let mut replayed = shadow.open().await?;
    compare::analyze(&mut replayed).await?;
    let mut show = |at, of| show(Step::Comparing { at, of });
    let compared = compare::compare(&mut snapshot, &mut replayed, position.seq, &mut show).await?;
    end(snapshot).await?;
    Ok(compared)
}

async fn end(snapshot: Transaction<'_, Postgres>) -> Result<(), ReplayError> {
    Ok(snapshot.rollback().await?)
}
