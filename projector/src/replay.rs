//! The log once more, from its beginning, into a [`Shadow`]: as far as one says, and no event further.

use natter_log::{KeyRing, Log, Stream};
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use crate::config::Config;
use crate::error::{ReplayError, SessionError};
use crate::fact::Incoming;
use crate::feed;
use crate::position::Position;
use crate::shadow::Shadow;
use crate::status::Status;
use crate::writer::Writer;

/// Batches that are ready while one is being applied.
const BATCHES_AHEAD: usize = 1;

pub(crate) struct Replay {
    writer: Writer,
    batches: mpsc::Receiver<Result<Vec<Incoming>, SessionError>>,
    /// What came with what was asked for.
    ahead: Vec<Incoming>,
    /// Ends with this.
    _feed: JoinSet<()>,
}

impl Replay {
    /// Begins before the first event.
    pub async fn begin(shadow: &Shadow, config: &Config, log: &Log, keys: &KeyRing) -> Result<Self, ReplayError> {
        let stream = Stream::Chat;
        let epoch = log.epoch().await.map_err(SessionError::log)?.0;
        let mut connection = shadow.open().await?;
        let position = Position::load(&mut connection, stream, epoch).await?;
        let (send, batches) = mpsc::channel(BATCHES_AHEAD);
        let mut feed = JoinSet::new();
        feed.spawn(feed::run(config.clone(), log.clone(), keys.clone(), stream, position, send));
        let writer = Writer::new(connection, config.clone(), Status::default(), stream, position).await?;
        Ok(Self { writer, batches, ahead: Vec::new(), _feed: feed })
    }

    /// Goes on up to and including `seq`, which the log has. `show` learns how far it is after each batch.
    pub async fn to(&mut self, seq: u64, mut show: impl FnMut(u64)) -> Result<(), ReplayError> {
        while self.at() < seq {
            let mut batch = match std::mem::take(&mut self.ahead) {
                ahead if !ahead.is_empty() => ahead,
                _ => match self.batches.recv().await {
                    Some(batch) => batch?,
                    None => return Err(SessionError::log(std::io::Error::other("following ended")).into()),
                },
            };
            self.ahead = batch.split_off(batch.partition_point(|event| event.stored.seq <= seq));
            self.writer.apply(batch).await?;
            show(self.at());
        }
        Ok(())
    }

    /// The last event that is applied.
    pub fn at(&self) -> u64 {
        self.writer.position().seq
    }
}
