//! Looking CHAT over, from one end to the other: is every sequence there? What is missing is named, whether somebody has
//! accepted that or not, and never stops it.

use natter_events::record::MAX_RECORD_BYTES;

use crate::read::{ReadError, Reader};
use crate::stored::Stored;
use crate::streams::Stream;

const STEP_EVENTS: usize = 1_000;
const STEP_BYTES: usize = 1 << 20;

/// Goes through the log, a stretch at a time.
pub struct Audit {
    reader: Reader,
    after: u64,
    until: u64,
}

/// What a stretch has, and what it lacks.
#[derive(Debug, Default)]
pub struct Looked {
    pub events: Vec<Stored>,
    pub lost: Vec<Lost>,
    /// Everything up to here was looked at.
    pub up_to: u64,
}

/// Events that can't be read, or were accepted as lost though they can, from `first` to `last`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lost {
    pub first: u64,
    pub last: u64,
    /// Somebody has put on record that they are lost.
    pub accepted: bool,
}

impl Audit {
    pub(crate) fn new(reader: Reader, after: u64, until: u64) -> Self {
        Self { reader, after, until }
    }

    /// The next stretch; none behind the end.
    pub async fn next(&mut self) -> Result<Option<Looked>, ReadError> {
        if self.after >= self.until {
            return Ok(None);
        }
        let holes = self.reader.holes.recent(&self.reader).await?;
        let max_bytes = STEP_BYTES.max(MAX_RECORD_BYTES);
        let mut events = self.reader.scan(Stream::Chat, self.after, STEP_EVENTS, max_bytes).await?;
        events.retain(|event| event.seq <= self.until);
        let mut looked = Looked { up_to: self.after, ..Looked::default() };
        for event in events {
            if event.seq > looked.up_to + 1 && !self.lacks(looked.up_to + 1, event.seq).await? {
                // It was only lost on the way to us, and comes with the next stretch.
                break;
            }
            let is_lost = holes.contains(event.seq);
            push_lost(&mut looked, &holes, event.seq + u64::from(is_lost));
            looked.up_to = event.seq;
            if !is_lost {
                looked.events.push(event);
            }
        }
        if looked.up_to == self.after && self.lacks(self.after + 1, self.until + 1).await? {
            push_lost(&mut looked, &holes, self.until + 1);
            looked.up_to = self.until;
        }
        self.after = looked.up_to;
        Ok(Some(looked))
    }

    /// Whether the leader has nothing from `first` to before `next` either.
    async fn lacks(&self, first: u64, next: u64) -> Result<bool, ReadError> {
        let there = self.reader.next(Stream::Chat.name(), Stream::Chat.all_subjects(), first - 1).await?;
        Ok(there.is_none_or(|there| there.stored.seq >= next))
    }
}

/// Notes what is missing between what was looked at and `next`, by whether it was accepted.
fn push_lost(looked: &mut Looked, holes: &crate::holes::Holes, next: u64) {
    let mut first = looked.up_to + 1;
    while first < next {
        let accepted = holes.at(first);
        let end = match accepted {
            Some(hole) => hole.last,
            None => holes.iter().map(|hole| hole.first).find(|begin| *begin > first).map_or(next, |begin| begin) - 1,
        };
        let last = end.min(next - 1);
        match looked.lost.last_mut() {
            // Of the same hole, some were there and some were not.
            Some(before) if accepted.is_some_and(|hole| hole.first <= before.last) && before.last + 1 == first => {
                before.last = last;
            }
            _ => looked.lost.push(Lost { first, last, accepted: accepted.is_some() }),
        }
        first = last + 1;
    }
}
