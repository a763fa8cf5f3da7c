//! The newest part of the log, in memory (D4): contiguous, bounded in bytes, indexed by whom an event reaches.
//!
//! A session is a cursor into it. What it asks is always "what is there for this user after that?", and the answer is
//! complete up to a position that comes with it, because the tail has no holes. In which rooms the user is, is part of the
//! cursor, as it was there: from then on the tail itself tells when that changes (EVT3).

use std::collections::{HashMap, HashSet, VecDeque};
use std::hash::Hash;
use std::sync::Arc;

use natter_events::{ClientId, ConversationId, Subject, Tag, Uid};
use parking_lot::RwLock;

use super::entry::Entry;
use super::walk::{RoomSet, Walk};

/// A place in the log that something is complete up to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    pub seq: u64,
    pub tag: Tag,
}

/// What a session gets when it asks for more.
#[derive(Debug)]
pub struct Batch {
    pub entries: Vec<Arc<Entry>>,
    /// Those of them whose text was deleted since, by their sequences.
    pub unsaid: HashSet<u64>,
    /// With these entries, the session is complete up to here.
    pub complete: Place,
    /// The rooms that the user is in there.
    pub rooms: RoomSet,
}

/// The cursor is older than what the tail holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TooOld;

/// The tail of the log.
pub struct Tail(RwLock<Inner>);

struct Inner {
    entries: VecDeque<Arc<Entry>>,
    /// Everything after this sequence is in `entries`, up to `head`.
    floor: Place,
    head: Place,
    /// Whether a hole that was accepted is among them.
    has_gaps: bool,
    bytes: usize,
    max_bytes: usize,
    by_user: HashMap<Uid, VecDeque<u64>>,
    by_room: HashMap<ConversationId, VecDeque<u64>>,
    /// The events that carry a state, by whose it is.
    by_state: HashMap<Subject, VecDeque<u64>>,
    by_command: HashMap<(Uid, ClientId), u64>,
    /// Deleted messages, each by the first deletion of it that is here.
    deleted: HashMap<u64, u64>,
}

impl Tail {
    /// An empty tail that begins after `floor`.
    pub fn new(floor: Place, max_bytes: usize) -> Self {
        Self(RwLock::new(Inner { max_bytes, ..Inner::new(floor) }))
    }

    /// Empties it, to begin after `floor`.
    pub fn reset(&self, floor: Place) {
        self.0.write().begin_after(floor);
    }

    /// How much it may hold.
    pub fn max_bytes(&self) -> usize {
        self.0.read().max_bytes
    }

    /// Takes the next events of the log. The caller gives them in order, and without a hole but those that were accepted.
    pub fn push(&self, entries: &[Arc<Entry>]) {
        let mut inner = self.0.write();
        for entry in entries {
            inner.has_gaps |= entry.seq != inner.head.seq + 1;
            inner.add(entry.clone());
        }
        inner.shrink();
    }

    /// How far the tail reaches.
    pub fn head(&self) -> Place {
        self.0.read().head
    }

    /// Everything after this sequence is here, up to the head.
    pub fn floor(&self) -> u64 {
        self.0.read().floor.seq
    }

    /// How much it holds: events and bytes.
    pub fn size(&self) -> (usize, usize) {
        let inner = self.0.read();
        (inner.entries.len(), inner.bytes)
    }

    /// The event at a sequence, if it is still here.
    pub fn get(&self, seq: u64) -> Option<Arc<Entry>> {
        self.0.read().get(seq).cloned()
    }

    /// The event that a user's command made, if it is still here.
    pub fn by_command(&self, user: Uid, id: ClientId) -> Option<Arc<Entry>> {
        let inner = self.0.read();
        inner.by_command.get(&(user, id)).and_then(|seq| inner.get(*seq)).cloned()
    }

    /// Those of some events whose text was deleted, as far as the tail knows, by their sequences.
    pub fn unsaid(&self, entries: &[Arc<Entry>]) -> HashSet<u64> {
        self.0.read().unsaid(entries)
    }

    /// Whether a message was deleted, as far as the tail knows.
    pub fn is_deleted(&self, seq: u64) -> bool {
        self.0.read().deleted.contains_key(&seq)
    }

    /// The tag of the event at a sequence, if it is known here.
    pub fn tag_at(&self, seq: u64) -> Option<Tag> {
        let inner = self.0.read();
        if seq == inner.floor.seq {
            return Some(inner.floor.tag);
        }
        inner.get(seq).map(|entry| entry.tag)
    }

    /// What reaches `user` after `cursor`, where they are in `rooms`, at most `max` events.
    pub fn after(&self, user: Uid, rooms: &RoomSet, cursor: u64, max: usize) -> Result<Batch, TooOld> {
        let inner = self.0.read();
        if cursor == inner.head.seq {
            // Asked at every turn of every session.
            let (complete, rooms) = (inner.head, rooms.clone());
            return Ok(Batch { entries: Vec::new(), unsaid: HashSet::new(), complete, rooms });
        }
        let mut walk = inner.walk(user, rooms, cursor)?;
        let entries: Vec<_> = walk.by_ref().take(max).cloned().collect();
        let rooms = walk.rooms();
        let complete = match entries.last() {
            Some(last) if entries.len() == max && walk.next().is_some() => Place { seq: last.seq, tag: last.tag },
            _ => inner.head,
        };
        Ok(Batch { unsaid: inner.unsaid(&entries), entries, complete, rooms })
    }

    /// How many events reach `user` after `cursor`, where they are in `rooms`; counted up to `most`.
    pub fn count_after(&self, user: Uid, rooms: &RoomSet, cursor: u64, most: usize) -> Result<usize, TooOld> {
        Ok(self.0.read().walk(user, rooms, cursor)?.take(most).count())
    }

    /// The first event after `seq` that carries this state, if `seq` is not before the tail.
    pub fn next_state(&self, state: Subject, seq: u64) -> Result<Option<Arc<Entry>>, TooOld> {
        let inner = self.0.read();
        if seq < inner.floor.seq {
            return Err(TooOld);
        }
        let Some(seqs) = inner.by_state.get(&state) else { return Ok(None) };
        let next = seqs.get(seqs.partition_point(|own| *own <= seq));
        Ok(next.and_then(|seq| inner.get(*seq)).cloned())
    }

    /// Whether an event with this state came after `seq`: what a copy of it must not miss (D5).
    pub fn has_newer(&self, state: Subject, seq: u64) -> bool {
        self.0.read().by_state.get(&state).and_then(VecDeque::back).is_some_and(|last| *last > seq)
    }

    /// What reached `user` in `(from, to]`, newest first: for what is decided from the last few only.
    pub fn between(&self, user: Uid, from: u64, to: u64, max: usize) -> Vec<Arc<Entry>> {
        let inner = self.0.read();
        let Some(own) = inner.by_user.get(&user) else { return Vec::new() };
        let newest_first = own.iter().rev().skip_while(|seq| **seq > to).take_while(|seq| **seq > from);
        newest_first.take(max).filter_map(|seq| inner.get(*seq).cloned()).collect()
    }

    /// Whether everything is here that was stored in the last so many milliseconds. Told by the broker's clock alone, which
    /// was at least where the newest event says.
    pub fn reaches_back(&self, ms: i64) -> bool {
        let inner = self.0.read();
        let stored_at = |entry: Option<&Arc<Entry>>| entry.map_or(0, |entry| entry.at.0);
        let (oldest, newest) = (stored_at(inner.entries.front()), stored_at(inner.entries.back()));
        inner.floor.seq == 0 || oldest < newest.saturating_sub(ms)
    }

    /// The newest place that is older than so many milliseconds, or the oldest one known. Of the gateway's clock and the
    /// broker's, which the newest event tells, the one that is ahead counts.
    pub fn place_ago(&self, ms: i64, now_ms: i64) -> Place {
        let inner = self.0.read();
        let newest = inner.entries.back().map_or(0, |entry| entry.at.0);
        let at_ms = now_ms.max(newest).saturating_sub(ms);
        let after = inner.entries.partition_point(|entry| entry.at.0 <= at_ms);
        match after.checked_sub(1).and_then(|index| inner.entries.get(index)) {
            Some(entry) => Place { seq: entry.seq, tag: entry.tag },
            None => inner.floor,
        }
    }
}

impl Inner {
    fn new(floor: Place) -> Self {
        Self {
            entries: VecDeque::new(),
            floor,
            head: floor,
            has_gaps: false,
            bytes: 0,
            max_bytes: 0,
            by_user: HashMap::new(),
            by_room: HashMap::new(),
            by_state: HashMap::new(),
            by_command: HashMap::new(),
            deleted: HashMap::new(),
        }
    }

    fn begin_after(&mut self, floor: Place) {
        let max_bytes = self.max_bytes;
        *self = Self { max_bytes, ..Self::new(floor) };
    }

    fn walk<'a>(
        &'a self,
        user: Uid,
        rooms: &RoomSet,
        cursor: u64,
    ) -> Result<Walk<'a, impl Fn(u64) -> Option<&'a Arc<Entry>>>, TooOld> {
        if cursor < self.floor.seq {
            return Err(TooOld);
        }
        Ok(Walk::new(&self.by_user, &self.by_room, |seq| self.get(seq), user, rooms.clone(), cursor))
    }

    fn unsaid(&self, entries: &[Arc<Entry>]) -> HashSet<u64> {
        if self.deleted.is_empty() {
            return HashSet::new();
        }
        let is_deleted = |entry: &&Arc<Entry>| entry.text_of().is_some_and(|seq| self.deleted.contains_key(&seq));
        entries.iter().filter(is_deleted).map(|entry| entry.seq).collect()
    }

    fn get(&self, seq: u64) -> Option<&Arc<Entry>> {
        if self.has_gaps {
            let index = self.entries.binary_search_by_key(&seq, |entry| entry.seq).ok()?;
            return self.entries.get(index);
        }
        let index = seq.checked_sub(self.floor.seq + 1)?;
        self.entries.get(usize::try_from(index).ok()?)
    }

    fn add(&mut self, entry: Arc<Entry>) {
        self.bytes += entry.cost();
        for uid in &entry.to {
            self.by_user.entry(*uid).or_default().push_back(entry.seq);
        }
        if let Some(room) = entry.room() {
            self.by_room.entry(room).or_default().push_back(entry.seq);
        }
        if let Some(state) = entry.state {
            self.by_state.entry(state).or_default().push_back(entry.seq);
        }
        if let Some(id) = entry.id {
            // The first event of an id is the command's; a second can't be, and is not answered with.
            self.by_command.entry((entry.actor, id)).or_insert(entry.seq);
        }
        if let Some(message) = entry.deletes() {
            self.deleted.entry(message).or_insert(entry.seq);
        }
        self.head = Place { seq: entry.seq, tag: entry.tag };
        self.entries.push_back(entry);
    }

    /// Lets the oldest go until the rest fits. The newest stays whatever its size: the head has to be known.
    fn shrink(&mut self) {
        while self.bytes > self.max_bytes && self.entries.len() > 1 {
            let Some(entry) = self.entries.pop_front() else { return };
            self.bytes -= entry.cost();
            for uid in &entry.to {
                drop_oldest(&mut self.by_user, uid);
            }
            if let Some(room) = entry.room() {
                drop_oldest(&mut self.by_room, &room);
            }
            if let Some(state) = entry.state {
                drop_oldest(&mut self.by_state, &state);
            }
            if let Some(id) = entry.id
                && self.by_command.get(&(entry.actor, id)) == Some(&entry.seq)
            {
                self.by_command.remove(&(entry.actor, id));
            }
            if let Some(message) = entry.deletes()
                && self.deleted.get(&message) == Some(&entry.seq)
            {
                self.deleted.remove(&message);
            }
            self.floor = Place { seq: entry.seq, tag: entry.tag };
        }
    }
}

fn drop_oldest<K: Hash + Eq>(index: &mut HashMap<K, VecDeque<u64>>, key: &K) {
    if let Some(seqs) = index.get_mut(key) {
        seqs.pop_front();
        if seqs.is_empty() {
            index.remove(key);
        }
    }
}

#[cfg(test)]
mod tests {
    use natter_events::{
        Fingerprint, Membership, MembershipChange, MembershipChanged, MessagePinned, ReadMarkerMoved, Record, Role,
    };
    use natter_log::Stored;
    use proptest::prelude::*;

    use super::*;

    const START: Place = Place { seq: 0, tag: Tag(0) };

    fn none() -> RoomSet {
        RoomSet::default()
    }

    fn room(n: u8) -> ConversationId {
        ConversationId::from_bytes([0, 0, 0, 0, 0, 0, 0x70, 0, 0x80, 0, 0, 0, 0, 0, 0, n])
    }

    fn stored(seq: u64, subject: Subject, record: &Record) -> Arc<Entry> {
        let stored = Stored {
            seq,
            subject: subject.to_string().into(),
            time_ms: i64::try_from(seq).expect("small") * 10,
            payload: record.encode(),
            message_id: None,
        };
        Arc::new(Entry::new(stored).expect("reads"))
    }

    /// Somebody is in these rooms from now on, because of what changed about one of them.
    fn moves(seq: u64, who: Uid, room: ConversationId, rooms: &[ConversationId]) -> Arc<Entry> {
        let change = if rooms.contains(&room) { MembershipChange::Joined } else { MembershipChange::Left };
        let rooms = rooms.iter().map(|room| Membership { room: *room, role: Role::Member, since: None }).collect();
        let changed = MembershipChanged { change, rooms, fingerprint: None };
        stored(seq, Subject::Rooms(who), &Record::new(who, changed).to(&[who]).in_conversation(room))
    }

    /// Something happens in a room.
    fn pins(seq: u64, who: Uid, room: ConversationId) -> Arc<Entry> {
        let pinned = MessagePinned { message: 1, fingerprint: Fingerprint::from_bytes([0; 16]) };
        stored(seq, Subject::Messages(who), &Record::new(who, pinned).in_conversation(room))
    }

    fn user(n: u8) -> Uid {
        Uid::from_bytes([n; 16])
    }

    fn entry(seq: u64, actor: Uid, to: &[Uid]) -> Arc<Entry> {
        let record = Record::new(actor, ReadMarkerMoved { read: seq, thread: None })
            .to(to)
            .in_conversation(ConversationId::direct(to))
            .answering(ClientId::at(seq));
        let stored = Stored {
            seq,
            subject: "chat.user.x.message".into(),
            time_ms: i64::try_from(seq).expect("small") * 10,
            payload: record.encode(),
            message_id: None,
        };
        Arc::new(Entry::new(stored).expect("reads"))
    }

    #[test]
    fn d4_a_cursor_gets_what_reaches_its_user_in_order_and_complete() {
        let tail = Tail::new(START, usize::MAX);
        let (a, b, c) = (user(1), user(2), user(3));
        tail.push(&[entry(1, a, &[a, b]), entry(2, c, &[c, b]), entry(3, a, &[a, b])]);
        let seqs = |batch: &Batch| batch.entries.iter().map(|entry| entry.seq).collect::<Vec<_>>();
        let batch = tail.after(a, &none(), 0, 10).expect("in the tail");
        assert_eq!((seqs(&batch), batch.complete.seq), (vec![1, 3], 3));
        let batch = tail.after(b, &none(), 1, 1).expect("in the tail");
        assert_eq!((seqs(&batch), batch.complete.seq), (vec![2], 2), "complete only as far as it was given");
        let batch = tail.after(user(9), &none(), 0, 10).expect("in the tail");
        assert_eq!((seqs(&batch), batch.complete.seq), (vec![], 3));
        assert_eq!(tail.count_after(b, &none(), 1, 10), Ok(2));
    }

    #[test]
    fn an_accepted_hole_is_passed_over_and_nothing_beside_it() {
        let (a, b) = (user(1), user(2));
        let tail = Tail::new(START, usize::MAX);
        tail.push(&[1, 2, 5, 6].map(|seq| entry(seq, a, &[a, b])));
        let seqs = |batch: &Batch| batch.entries.iter().map(|entry| entry.seq).collect::<Vec<_>>();
        for (cursor, rest) in [(0, vec![1, 2, 5, 6]), (2, vec![5, 6]), (3, vec![5, 6]), (5, vec![6]), (6, vec![])] {
            let batch = tail.after(b, &none(), cursor, 10).expect("in the tail");
            assert_eq!((seqs(&batch), batch.complete.seq), (rest, 6), "after {cursor}");
        }
        let there: Vec<u64> = (0..9).filter(|seq| tail.get(*seq).is_some()).collect();
        assert_eq!(there, [1, 2, 5, 6]);
        assert_eq!((tail.tag_at(4), tail.tag_at(5)), (None, tail.get(5).map(|entry| entry.tag)));
        // Also when the tail begins just before it.
        let one = entry(1, a, &[a, b]).cost();
        let tail = Tail::new(START, 2 * one);
        tail.push(&[1, 2, 5, 6].map(|seq| entry(seq, a, &[a, b])));
        assert_eq!((tail.floor(), tail.get(5).map(|entry| entry.seq)), (2, Some(5)));
        assert_eq!(seqs(&tail.after(b, &none(), 2, 10).expect("in the tail")), [5, 6]);
    }

    #[test]
    fn d4_the_tail_is_bounded_and_says_what_is_too_old() {
        let (a, b) = (user(1), user(2));
        let one = entry(1, a, &[a, b]).cost();
        let tail = Tail::new(START, 3 * one);
        for seq in 1..=10 {
            tail.push(&[entry(seq, a, &[a, b])]);
        }
        assert!(tail.size().1 <= 3 * one);
        assert_eq!(tail.after(a, &none(), 3, 10).expect_err("gone"), TooOld);
        assert_eq!(tail.count_after(a, &none(), 0, 10), Err(TooOld));
        assert!(tail.get(1).is_none() && tail.by_command(a, ClientId::at(1)).is_none());
        assert_eq!(tail.get(10).map(|entry| entry.seq), Some(10));
        let floor = 10 - tail.size().0 as u64;
        assert!(tail.tag_at(floor).is_some(), "the event just before the tail still proves a position");
        assert_eq!(tail.after(a, &none(), floor, 100).expect("in the tail").entries.len(), tail.size().0);
    }

    #[test]
    fn d10_the_window_ago_is_found_by_time() {
        let tail = Tail::new(Place { seq: 4, tag: Tag(4) }, usize::MAX);
        tail.push(&[entry(5, user(1), &[user(1)]), entry(6, user(1), &[user(1)])]);
        for (ago, now, expected) in [(5, 60, 5), (0, 60, 6), (50, 60, 4), (5, 100, 6), (5, 0, 5)] {
            assert_eq!(tail.place_ago(ago, now).seq, expected, "{ago} ms before {now}");
        }
        assert!(tail.reaches_back(9) && !tail.reaches_back(10), "its oldest event is 10 ms older than its newest");
    }

    #[test]
    fn evt3_what_happens_in_a_room_reaches_who_is_in_it_then() {
        let tail = Tail::new(START, usize::MAX);
        let (ada, ben, here) = (user(1), user(2), room(1));
        tail.push(&[
            pins(1, ada, here),
            moves(2, ben, here, &[here]),
            pins(3, ada, here),
            moves(4, ben, here, &[]),
            pins(5, ada, here),
            pins(6, ada, here),
            moves(7, ben, here, &[here]),
            pins(8, ada, here),
        ]);
        let seqs = |who, rooms: &[ConversationId], after| {
            let batch = tail.after(who, &rooms.into(), after, 100).expect("in the tail");
            (batch.entries.iter().map(|entry| entry.seq).collect::<Vec<_>>(), batch.rooms.to_vec())
        };
        assert_eq!(seqs(ben, &[], 0), (vec![2, 3, 4, 7, 8], vec![here]));
        assert_eq!(seqs(ben, &[here], 2), (vec![3, 4, 7, 8], vec![here]));
        assert_eq!(seqs(ada, &[here], 0), ((1..=8).collect(), vec![here]), "members hear who comes and goes");
        assert_eq!(seqs(user(3), &[], 0), (vec![], vec![]));
        assert_eq!(tail.next_state(Subject::Rooms(ben), 2).expect("in the tail").map(|entry| entry.seq), Some(4));
        assert!(tail.has_newer(Subject::Rooms(ben), 6) && !tail.has_newer(Subject::Rooms(ben), 7));
    }

    proptest! {
        #[test]
        fn evt3_however_it_is_read_a_user_gets_what_happens_in_their_rooms_while_they_are_in_them(
            steps in proptest::collection::vec((0u8..4, 0u8..3, 0u8..3), 1..120),
            max in 1usize..7,
            keep in 20usize..200,
            from in 0usize..60,
        ) {
            let tail = Tail::new(START, keep * pins(1, user(0), room(0)).cost());
            let mut rooms: HashMap<Uid, Vec<ConversationId>> = HashMap::new();
            // By a plain fold: what reaches user 0, and the rooms that they are in after each event.
            let (mut expected, mut of_user) = (Vec::new(), vec![Vec::new()]);
            for (index, (what, who, place)) in steps.iter().enumerate() {
                let (seq, who, place) = (index as u64 + 1, user(*who), room(*place));
                let own = rooms.entry(who).or_default();
                let was_in = own.contains(&place);
                let entry = match what {
                    0 if !was_in => {
                        own.push(place);
                        moves(seq, who, place, own)
                    }
                    1 if was_in => {
                        own.retain(|other| *other != place);
                        moves(seq, who, place, own)
                    }
                    2 => entry(seq, who, &[who, user(0)]),
                    _ => pins(seq, who, place),
                };
                let mine = rooms.get(&user(0)).cloned().unwrap_or_default();
                let concerns = who == user(0) && entry.stay.is_some();
                if concerns || entry.to.contains(&user(0)) || entry.room().is_some_and(|room| mine.contains(&room)) {
                    expected.push(seq);
                }
                of_user.push(mine);
                tail.push(&[entry]);
            }
            let start = (tail.floor() as usize).max(from).min(steps.len());
            expected.retain(|seq| *seq > start as u64);
            let mut now: Vec<_> = of_user[start].clone();
            now.sort_unstable();
            let mut rooms: RoomSet = now.into();
            prop_assert_eq!(tail.count_after(user(0), &rooms, start as u64, 1_000), Ok(expected.len()));
            let (mut cursor, mut seen) = (start as u64, Vec::new());
            loop {
                let batch = tail.after(user(0), &rooms, cursor, max).expect("in the tail");
                seen.extend(batch.entries.iter().map(|entry| entry.seq));
                (cursor, rooms) = (batch.complete.seq, batch.rooms);
                let mut then = of_user[cursor as usize].clone();
                then.sort_unstable();
                prop_assert_eq!(rooms.to_vec(), then);
                if cursor == steps.len() as u64 {
                    break;
                }
            }
            prop_assert_eq!(seen, expected);
        }

        #[test]
        fn d4_reading_in_batches_of_any_size_misses_and_repeats_nothing(
            to in proptest::collection::vec(proptest::collection::vec(0u8..5, 1..4), 1..80),
            max in 1usize..7,
            keep in 1usize..100,
        ) {
            let one = entry(1, user(0), &[user(0)]).cost();
            let tail = Tail::new(START, keep * one);
            for (index, people) in to.iter().enumerate() {
                let people: Vec<_> = people.iter().map(|n| user(*n)).collect();
                tail.push(&[entry(index as u64 + 1, people[0], &people)]);
            }
            let floor = to.len() - tail.size().0;
            let expected: Vec<u64> = (floor + 1..=to.len()).filter(|seq| to[seq - 1].contains(&2)).map(|seq| seq as u64).collect();
            let (mut cursor, mut seen) = (floor as u64, Vec::new());
            loop {
                let batch = tail.after(user(2), &none(), cursor, max).expect("in the tail");
                seen.extend(batch.entries.iter().map(|entry| entry.seq));
                cursor = batch.complete.seq;
                if batch.entries.len() < max {
                    break;
                }
            }
            prop_assert_eq!(seen, expected);
            prop_assert_eq!(cursor, to.len() as u64);
        }
    }
}
