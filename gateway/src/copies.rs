//! Copies of small state whose last event carries all of it (D5): accounts, who is in which rooms, and rooms.
//!
//! A state is read once and the gateway's feed keeps the copy true. A copy is entered without a hole: the feed puts an event
//! into the tail before it applies it here; a load reads the last event, enters it, and only then asks the tail for a later
//! one. Whichever comes first, nothing is missed.

use std::sync::Arc;

use moka::ops::compute::Op;
use moka::sync::Cache;
use natter_events::{DecodeError, Record, Subject};
use natter_log::{Log, ReadError, Stream};

/// How often a load may find that the state has changed meanwhile.
const MAX_RELOADS: usize = 100;

/// Whether the gateway's tail holds an event of this subject after a sequence.
pub type Newer = Arc<dyn Fn(Subject, u64) -> bool + Send + Sync>;

/// A state that the last event of a subject carries.
pub trait State: Send + Sync + 'static {
    /// The state after an event, which stands at `seq`; nothing if the event carries none.
    fn after(seq: u64, record: &Record) -> Option<Self>
    where
        Self: Sized;

    /// The state before the first event, where there is one.
    fn first() -> Option<Self>
    where
        Self: Sized,
    {
        None
    }

    /// The event that it is from.
    fn seq(&self) -> u64;
}

/// A state could not be had.
#[derive(Debug, thiserror::Error)]
pub enum CopyError {
    #[error("the log can't be read")]
    Read(#[from] ReadError),
    #[error("the event at {seq} does not decode")]
    Event {
        seq: u64,
        #[source]
        source: DecodeError,
    },
    #[error("the event at {seq} carries no state")]
    NoState { seq: u64 },
}

/// States in memory.
pub struct Copies<S> {
    log: Log,
    known: Cache<Subject, Arc<S>>,
    newer: Newer,
}

impl<S: State> Copies<S> {
    pub fn new(log: Log, max_cached: u64, newer: Newer) -> Self {
        Self { log, known: Cache::new(max_cached), newer }
    }

    /// The state, as true as the feed; nothing if there is none.
    pub async fn get(&self, subject: Subject) -> Result<Option<Arc<S>>, CopyError> {
        match self.known.get(&subject) {
            Some(state) => Ok(Some(state)),
            None => self.load(subject).await,
        }
    }

    /// The state as the log has it now.
    pub async fn load(&self, subject: Subject) -> Result<Option<Arc<S>>, CopyError> {
        let name = subject.to_string();
        for _ in 0..MAX_RELOADS {
            let state = match self.log.last(Stream::Chat, &name).await? {
                Some(stored) => {
                    let seq = stored.seq;
                    let record = Record::decode(&stored.payload).map_err(|source| CopyError::Event { seq, source })?;
                    Some(S::after(seq, &record).ok_or(CopyError::NoState { seq })?)
                }
                None => S::first(),
            };
            let state = state.map(|state| self.enter(subject, state));
            if !(self.newer)(subject, state.as_ref().map_or(0, |state| state.seq())) {
                return Ok(state);
            }
        }
        Err(ReadError::Unavailable.into())
    }

    /// The feed brought an event, or this gateway appended one: a copy that is here is brought up to it.
    pub fn apply(&self, subject: Subject, seq: u64, record: &Record) {
        let Some(state) = S::after(seq, record) else { return };
        self.known.entry(subject).and_compute_with(|known| match known {
            Some(known) if known.value().seq() < seq => Op::Put(Arc::new(state)),
            _ => Op::Nop,
        });
    }

    /// Enters a state unless a later one is here, and returns the one that is.
    pub fn enter(&self, subject: Subject, state: S) -> Arc<S> {
        let entered = self.known.entry(subject).and_upsert_with(|known| match known {
            Some(known) if known.value().seq() >= state.seq() => known.into_value(),
            _ => Arc::new(state),
        });
        entered.into_value()
    }
}
