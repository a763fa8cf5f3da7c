//! From event to event of those that reach one user, in the log's order: what is addressed to them, and what happens in the
//! rooms that they are in at that moment (EVT3).

use std::cmp::Reverse;
use std::collections::vec_deque::Iter;
use std::collections::{BinaryHeap, HashMap, VecDeque};
use std::sync::Arc;

use natter_events::{ConversationId, Uid};
use natter_planted::Bug;

use super::entry::{Entry, Stay};

/// The rooms that somebody is in, sorted; shared, since it seldom changes.
pub type RoomSet = Arc<[ConversationId]>;

/// The rooms after somebody's stay in one began or ended.
pub fn after(rooms: &RoomSet, stay: &Stay) -> RoomSet {
    match (rooms.binary_search(&stay.room), stay.begins) {
        (Ok(_), false) if Bug::PastRemoval.is_planted() => rooms.clone(),
        (Ok(place), false) => [&rooms[..place], &rooms[place + 1..]].concat().into(),
        (Err(place), true) => [&rooms[..place], &[stay.room], &rooms[place..]].concat().into(),
        _ => rooms.clone(),
    }
}

type Index<K> = HashMap<K, VecDeque<u64>>;

/// A walk over the tail.
pub struct Walk<'a, F> {
    by_room: &'a Index<ConversationId>,
    entry: F,
    user: Uid,
    rooms: RoomSet,
    sources: Vec<Source<'a>>,
    /// The next sequence of each source that has one.
    next: BinaryHeap<Reverse<(u64, usize)>>,
    /// Everything up to here was walked over.
    last: u64,
}

struct Source<'a> {
    /// None: what is addressed to the user.
    room: Option<ConversationId>,
    rest: Iter<'a, u64>,
}

impl<'a, F: Fn(u64) -> Option<&'a Arc<Entry>>> Walk<'a, F> {
    pub fn new(
        by_user: &'a Index<Uid>,
        by_room: &'a Index<ConversationId>,
        entry: F,
        user: Uid,
        rooms: RoomSet,
        cursor: u64,
    ) -> Self {
        let (sources, next) = (Vec::new(), BinaryHeap::new());
        let mut walk = Self { by_room, entry, user, rooms, sources, next, last: cursor };
        walk.add(None, by_user.get(&user));
        for room in walk.rooms.clone().iter() {
            walk.add(Some(*room), by_room.get(room));
        }
        walk
    }

    /// The rooms that the user is in after what was walked over.
    pub fn rooms(&self) -> RoomSet {
        self.rooms.clone()
    }

    /// Another source, from after what was walked over. Most have nothing there.
    fn add(&mut self, room: Option<ConversationId>, seqs: Option<&'a VecDeque<u64>>) {
        let Some(seqs) = seqs.filter(|seqs| seqs.back().is_some_and(|newest| *newest > self.last)) else { return };
        let mut rest = seqs.range(seqs.partition_point(|seq| *seq <= self.last)..);
        if let Some(first) = rest.next() {
            self.next.push(Reverse((*first, self.sources.len())));
            self.sources.push(Source { room, rest });
        }
    }
}

impl<'a, F: Fn(u64) -> Option<&'a Arc<Entry>>> Iterator for Walk<'a, F> {
    type Item = &'a Arc<Entry>;

    fn next(&mut self) -> Option<Self::Item> {
        while let Some(Reverse((seq, index))) = self.next.pop() {
            let source = &mut self.sources[index];
            let heard = source.room.is_none_or(|room| self.rooms.binary_search(&room).is_ok());
            if !heard {
                // The user has left; a stay that begins later has a source of its own.
                continue;
            }
            if let Some(after) = source.rest.next() {
                self.next.push(Reverse((*after, index)));
            }
            // An event may reach a user for more than one reason.
            if seq <= self.last {
                continue;
            }
            let Some(entry) = (self.entry)(seq) else { continue };
            self.last = seq;
            if let Some(stay) = entry.stay.filter(|stay| stay.user == self.user) {
                self.rooms = after(&self.rooms, &stay);
                if stay.begins {
                    self.add(Some(stay.room), self.by_room.get(&stay.room));
                }
            }
            return Some(entry);
        }
        None
    }
}
