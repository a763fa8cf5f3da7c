//! What the broker can be made to say about events that it lost. By itself it says nothing (ADR 10): an event that it can't
//! read is answered like one that never was.

use std::collections::HashMap;

use serde::Deserialize;

use crate::read::{Raw, ReadError, Reader, StreamState};
use crate::streams::Stream;

impl Reader {
    /// How far the log goes, as far as it can be read: what is accepted as lost at its end is not there.
    pub(crate) async fn readable_state(&self, stream: Stream) -> Result<StreamState, ReadError> {
        let state = self.state(stream).await?;
        if stream.expires() {
            return Ok(state);
        }
        let last_seq = self.holes.recent(self).await?.before(state.last_seq);
        Ok(StreamState { last_seq, ..state })
    }

    /// The first hole in CHAT that the broker knows of and nobody has accepted: its first and its last event.
    pub(crate) async fn known_hole(&self) -> Result<Option<(u64, u64)>, ReadError> {
        #[derive(Deserialize)]
        struct Info {
            state: State,
        }
        #[derive(Deserialize)]
        struct State {
            messages: u64,
            first_seq: u64,
            last_seq: u64,
            #[serde(default)]
            deleted: Vec<u64>,
        }
        let state = self.state(Stream::Chat).await?;
        if state.messages >= state.last_seq {
            return Ok(None);
        }
        let subject = format!("{}.STREAM.INFO.{}", self.api, Stream::Chat.name());
        let Info { state } = self.ask(subject, serde_json::json!({ "deleted_details": true })).await?;
        let State { messages, first_seq, last_seq, mut deleted } = state;
        let holes = self.holes.read(self).await?;
        // With nothing left, the first is the one that will be written next.
        let begins = if messages == 0 { last_seq + 1 } else { first_seq };
        let first = holes.past(1);
        if first < begins {
            return Ok(Some((first, begins - 1)));
        }
        deleted.sort_unstable();
        let mut gone = deleted.into_iter().filter(|seq| *seq <= last_seq && !holes.contains(*seq));
        let Some(first) = gone.next() else { return Ok(None) };
        let last = gone.zip(first + 1..).take_while(|(seq, next)| seq == next).last().map_or(first, |(seq, _)| seq);
        Ok(Some((first, last)))
    }

    /// How many events the broker counts under a subject, those included that it can't read.
    async fn count(&self, stream: &str, subject: &str) -> Result<u64, ReadError> {
        #[derive(Deserialize)]
        struct Info {
            state: State,
        }
        #[derive(Deserialize)]
        struct State {
            #[serde(default)]
            subjects: HashMap<String, u64>,
        }
        let query = serde_json::json!({ "subjects_filter": subject });
        let Info { state } = self.ask(format!("{}.STREAM.INFO.{stream}", self.api), query).await?;
        Ok(state.subjects.get(subject).copied().unwrap_or(0))
    }

    /// The last event of a subject of CHAT, which nothing removes. Where the broker says that there is none, that is
    /// proven: for one that is damaged it says the same. One that was accepted as lost is not it.
    pub(crate) async fn last_state(&self, stream: Stream, subject: &str) -> Result<Option<Raw>, ReadError> {
        let last = self.last(stream.name(), subject).await?;
        if stream.expires() {
            return Ok(last);
        }
        let last = match last {
            None if self.count(stream.name(), subject).await? == 0 => return Ok(None),
            // It may be there since we asked first.
            None => self.last(stream.name(), subject).await?,
            some => some,
        };
        match last {
            Some(last) if !self.holes.recent(self).await?.contains(last.stored.seq) => Ok(Some(last)),
            last => self.last_not_lost(stream, subject, last.map_or(0, |last| last.stored.seq)).await,
        }
    }

    /// The last event of a subject whose very last one is lost, if that is in a hole that was accepted. `by_broker` is the one
    /// that the broker goes by: 0 where it can't read it.
    async fn last_not_lost(&self, stream: Stream, subject: &str, by_broker: u64) -> Result<Option<Raw>, ReadError> {
        let holes = self.holes.read(self).await?;
        let (mut at, mut last) = (0, None::<Raw>);
        while let Some(next) = self.next(stream.name(), subject, at).await? {
            at = next.stored.seq;
            if !holes.contains(at) {
                last = Some(next);
            }
        }
        let seq = last.as_ref().map_or(0, |raw| raw.stored.seq);
        match holes.iter().any(|hole| hole.last > seq) {
            true => {
                self.holes.stands_in(subject, seq, by_broker);
                Ok(last)
            }
            false => Err(ReadError::Damaged { subject: subject.into() }),
        }
    }
}
