//! What is sent next, and what an answer means: the decisions of group commit, without any IO.

use std::collections::hash_map::Entry;
use std::collections::{HashMap, VecDeque};

use tokio::time::Instant;

use super::queue::Waiting;
use super::wire::Answer;
use super::{AppendError, Appended};
use crate::settings::GroupCommit;

/// How much may be sent at once.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    /// Plain publishes in flight.
    pub(super) plain: usize,
    pub(super) batch: Option<BatchLimits>,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct BatchLimits {
    pub(super) messages: usize,
    pub(super) bytes: usize,
}

impl Limits {
    pub(super) fn new(group_commit: GroupCommit, may_batch: bool, max_in_flight: usize) -> Limits {
        match group_commit {
            GroupCommit::Adaptive { plain, max_batch_messages, max_batch_bytes } if may_batch => Limits {
                plain: plain.max(1),
                batch: Some(BatchLimits { messages: max_batch_messages.clamp(2, 1000), bytes: max_batch_bytes }),
            },
            _ => Limits { plain: max_in_flight.max(1), batch: None },
        }
    }
}

/// The order of appends, from accepted to answered. What is waiting comes after what is in flight, always.
pub(super) struct Sequencer {
    limits: Limits,
    waiting: VecDeque<Waiting>,
    /// Answered ones leave a None until everything before them is answered too.
    in_flight: VecDeque<Option<Flight>>,
    /// The token of the first in flight.
    first_token: u64,
    batch_in_flight: bool,
    /// A batch that was refused is sent again in these parts, the last one first.
    parts: Vec<usize>,
}

/// Sent and not answered.
pub(super) struct Flight {
    pub(super) items: Vec<Waiting>,
    /// Where in the line's bytes it ends.
    end: u64,
    sent_at: Instant,
}

/// What to send now.
pub(super) enum Step {
    Plain(Waiting),
    Batch(Vec<Waiting>),
}

#[derive(Debug, PartialEq, Eq)]
pub(super) enum Noted {
    Answered,
    Halved,
    /// The broker did not do as it must: nothing about the line can be relied on.
    Absurd,
}

impl Sequencer {
    pub(super) fn new(limits: Limits) -> Sequencer {
        Sequencer {
            limits,
            waiting: VecDeque::new(),
            in_flight: VecDeque::new(),
            first_token: 0,
            batch_in_flight: false,
            parts: Vec::new(),
        }
    }

    pub(super) fn push(&mut self, waiting: Waiting) {
        self.waiting.push_back(waiting);
    }

    pub(super) fn is_idle(&self) -> bool {
        self.waiting.is_empty() && self.in_flight.is_empty()
    }

    /// The next to send, if anything may be sent now. Nothing is sent after a batch until it is answered: it may
    /// have to be sent again.
    pub(super) fn next_step(&mut self) -> Option<Step> {
        if self.batch_in_flight || self.waiting.is_empty() {
            return None;
        }
        let may_send_plain = self.in_flight.len() < self.limits.plain;
        if let Some(part) = self.parts.last().copied() {
            if part > self.limits.plain && self.limits.batch.is_some() {
                self.parts.pop();
                return Some(self.batch_of(part));
            }
            if !may_send_plain {
                return None;
            }
            self.parts.pop();
            if part > 1 {
                self.parts.push(part - 1);
            }
            return self.waiting.pop_front().map(Step::Plain);
        }
        if let Some(limits) = self.limits.batch
            && self.more_wait_than_a_batch_costs()
        {
            return Some(self.batch_of(limits.messages));
        }
        if may_send_plain { self.waiting.pop_front().map(Step::Plain) } else { None }
    }

    fn more_wait_than_a_batch_costs(&self) -> bool {
        let enough = self.limits.plain + 1;
        self.waiting.len() >= enough && self.waiting.iter().take(enough).all(|item| !item.is_alone())
    }

    /// Takes a batch off the front: up to so many, within the bytes, ending before one with an expectation. The
    /// broker refuses a batch that has a message id twice, so repeats ride along with the first.
    fn batch_of(&mut self, most: usize) -> Step {
        let max_bytes = self.limits.batch.map_or(0, |limits| limits.bytes);
        let mut items: Vec<Waiting> = Vec::with_capacity(most.min(self.waiting.len()));
        let mut places: HashMap<String, usize> = HashMap::with_capacity(items.capacity());
        let mut bytes = 0;
        while items.len() < most {
            let Some(next) = self.waiting.front() else { break };
            let size = next.append.payload.len();
            if next.is_alone() || (!items.is_empty() && bytes + size > max_bytes) {
                break;
            }
            let Some(item) = self.waiting.pop_front() else { break };
            match places.entry(item.append.message_id.clone()) {
                Entry::Occupied(place) => items[*place.get()].add_repeat(item),
                Entry::Vacant(place) => {
                    place.insert(items.len());
                    bytes += size;
                    items.push(item);
                }
            }
        }
        match items.pop() {
            // One alone needs no batch.
            Some(only) if items.is_empty() => Step::Plain(only),
            Some(last) => {
                items.push(last);
                Step::Batch(items)
            }
            None => unreachable!("a batch is only begun when the front may be in one"),
        }
    }

    /// The token that the next one sent must carry.
    pub(super) fn next_token(&self) -> u64 {
        self.first_token + self.in_flight.len() as u64
    }

    /// Notes one as sent: plain if there is one item, else a batch.
    pub(super) fn sent(&mut self, items: Vec<Waiting>, end: u64, now: Instant) {
        self.batch_in_flight = items.len() > 1;
        self.in_flight.push_back(Some(Flight { items, end, sent_at: now }));
    }

    /// When the oldest in flight was sent.
    pub(super) fn oldest_sent_at(&self) -> Option<Instant> {
        self.in_flight.iter().flatten().next().map(|flight| flight.sent_at)
    }

    /// The token of the oldest in flight that has an item on this subject.
    pub(super) fn token_with_subject(&self, subject: &str) -> Option<u64> {
        let has = |flight: &Flight| flight.items.iter().any(|item| item.append.subject == subject);
        let place = self.in_flight.iter().position(|flight| flight.as_ref().is_some_and(has))?;
        Some(self.first_token + place as u64)
    }

    /// Takes an answer in. One to a token that is not in flight says nothing.
    pub(super) fn note(&mut self, token: u64, answer: Answer) -> Noted {
        let flight = token
            .checked_sub(self.first_token)
            .and_then(|place| self.in_flight.get_mut(usize::try_from(place).ok()?))
            .and_then(Option::take);
        while let Some(None) = self.in_flight.front() {
            self.in_flight.pop_front();
            self.first_token += 1;
        }
        let Some(Flight { mut items, .. }) = flight else { return Noted::Answered };
        if items.len() > 1 {
            self.batch_in_flight = false;
            return self.note_batch(items, answer);
        }
        let Some(item) = items.pop() else { return Noted::Absurd };
        let outcome = match answer {
            Answer::Stored { seq, duplicate, .. } => Ok(Appended { seq, duplicate }),
            Answer::Refused { code, description } => Err(refusal(code, description, item.append.expected_last)),
            Answer::Nobody => Err(AppendError::Unavailable),
            Answer::Unreadable => {
                item.answer(Err(AppendError::Unknown));
                return Noted::Absurd;
            }
        };
        item.answer(outcome);
        Noted::Answered
    }

    fn note_batch(&mut self, items: Vec<Waiting>, answer: Answer) -> Noted {
        match answer {
            Answer::Stored { seq, count: Some(count), .. } if count == items.len() as u64 && seq >= count => {
                // A batch stands in the log without a gap, and the answer names its last.
                for (item, seq) in items.into_iter().zip(seq - count + 1..) {
                    item.answer(Ok(Appended { seq, duplicate: false }));
                }
                Noted::Answered
            }
            Answer::Refused { code, description } => {
                if code == ATOMIC_PUBLISH_DISABLED && self.limits.batch.take().is_some() {
                    tracing::error!("the stream does not allow atomic batches: appending one by one, slowly");
                }
                tracing::debug!(code, description, messages = items.len(), "batch refused, halving it");
                let count = items.len();
                for item in items.into_iter().rev() {
                    self.waiting.push_front(item);
                }
                self.parts.push(count - count / 2);
                self.parts.push(count / 2);
                Noted::Halved
            }
            // Without its end a batch is nothing.
            Answer::Nobody => {
                answer_all(items, AppendError::Unavailable);
                Noted::Answered
            }
            Answer::Stored { .. } | Answer::Unreadable => {
                answer_all(items, AppendError::Unknown);
                Noted::Absurd
            }
        }
    }

    /// The line is lost, with this many of its bytes written. Answers everything: unknown if the broker may have all
    /// of it, unavailable if it can't have. Returns how many of each.
    pub(super) fn lose(&mut self, written: u64) -> (usize, usize) {
        let (mut unknown, mut unavailable) = (0, self.waiting.len());
        self.first_token += self.in_flight.len() as u64;
        for flight in self.in_flight.drain(..).flatten() {
            if flight.end <= written {
                unknown += flight.items.len();
                answer_all(flight.items, AppendError::Unknown);
            } else {
                unavailable += flight.items.len();
                answer_all(flight.items, AppendError::Unavailable);
            }
        }
        answer_all(self.waiting.drain(..), AppendError::Unavailable);
        self.batch_in_flight = false;
        self.parts.clear();
        (unknown, unavailable)
    }
}

fn answer_all(items: impl IntoIterator<Item = Waiting>, error: AppendError) {
    for item in items {
        item.answer(Err(error.clone()));
    }
}

const ATOMIC_PUBLISH_DISABLED: u64 = 10174;

fn refusal(code: u64, description: String, expected_last: Option<u64>) -> AppendError {
    match code {
        10071 => AppendError::WrongLast {
            expected: expected_last.unwrap_or(0),
            last: description.rsplit(' ').next().and_then(|seq| seq.parse().ok()).unwrap_or(0),
        },
        10054 => AppendError::TooLarge,
        10201 => AppendError::Repeated,
        // The same code for whatever a store may fail with.
        10077 if description.contains("maximum") => AppendError::Full,
        10047 => AppendError::Full,
        // JetStream not there, too many requests: refused before anything was stored.
        10008 | 10167 => AppendError::Unavailable,
        _ => AppendError::Refused { code, description },
    }
}

#[cfg(test)]
#[path = "batch_tests.rs"]
mod tests;
