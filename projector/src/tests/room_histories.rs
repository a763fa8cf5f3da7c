//! Random histories of rooms: whoever came, went, was removed, banned or given a role, whatever was said, mentioned, read,
//! deleted and pinned, in threads and outside of them, in batches that are cut anywhere: every row and every counter equals
//! what follows from the log by definition, worked out from scratch.

use std::collections::{BTreeMap, BTreeSet};

use natter_events::{ConversationId, Event, MembershipChange, Role, RoomChange, Uid, Visibility};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use uuid::Uuid;

use super::paper::{Draft, Paper, Person, projected};
use super::tables::{everything, rows};

const HISTORIES: u64 = 20;
const EVENTS: usize = 220;

/// Everything that happened, as it was written.
#[derive(Default)]
struct Story {
    said: Vec<Said>,
    /// Who was in which room: the role, from the event that gave it, or none.
    places: Vec<(u64, ConversationId, Uid, Option<Role>)>,
    reads: Vec<(ConversationId, Option<u64>, Uid, u64)>,
    deleted: BTreeSet<u64>,
    /// By event: the message, and whether it was pinned or unpinned.
    pins: Vec<(u64, ConversationId, u64, bool)>,
    deletions: Vec<(u64, ConversationId, u64)>,
    visible: Vec<(u64, ConversationId, Visibility)>,
    bans: BTreeMap<ConversationId, Vec<Uid>>,
}

#[derive(Clone)]
struct Said {
    seq: u64,
    place: ConversationId,
    sender: Uid,
    thread: Option<u64>,
    mentions: Vec<Uid>,
    mentions_room: bool,
}

impl Story {
    /// Who is in a room at the end: what they are, and since when.
    fn members(&self, room: ConversationId) -> BTreeMap<Uid, (Role, u64)> {
        let mut members: BTreeMap<Uid, (Role, u64)> = BTreeMap::new();
        for (seq, _, uid, role) in self.places.iter().filter(|place| place.1 == room) {
            match role {
                None => _ = members.remove(uid),
                Some(role) => {
                    let since = members.get(uid).map_or(*seq, |(_, since)| *since);
                    members.insert(*uid, (*role, since));
                }
            }
        }
        members
    }

    /// Stays that ended.
    fn stays(&self) -> BTreeSet<(Uuid, Uuid, i64, i64)> {
        let (mut there, mut stays) = (BTreeMap::new(), BTreeSet::new());
        for (seq, room, uid, role) in &self.places {
            match (there.get(&(*room, *uid)).copied(), role) {
                (None, Some(_)) => _ = there.insert((*room, *uid), *seq),
                (Some(since), None) => {
                    there.remove(&(*room, *uid));
                    let since: u64 = since;
                    stays.insert((room.as_uuid(), uid.as_uuid(), since.cast_signed(), seq.cast_signed()));
                }
                _ => {}
            }
        }
        stays
    }

    /// How far someone has read: a thread, or outside of threads.
    fn read(&self, place: ConversationId, thread: Option<u64>, uid: Uid) -> u64 {
        let marked =
            self.reads.iter().filter(|read| (read.0, read.1, read.2) == (place, thread, uid)).map(|read| read.3);
        let own = self.said.iter().filter(|said| (said.place, said.thread, said.sender) == (place, thread, uid));
        marked.chain(own.map(|said| said.seq)).max().unwrap_or(0)
    }

    /// Messages outside of threads that someone has not read since `joined`, and those anywhere that mention them.
    fn counters(&self, place: ConversationId, uid: Uid, joined: u64) -> (i64, i64) {
        let since = self.said.iter().filter(|said| said.place == place && said.seq > joined);
        let unread: Vec<&Said> = since.filter(|said| said.seq > self.read(place, said.thread, uid)).collect();
        let mentioned = unread.iter().filter(|said| {
            (said.mentions.contains(&uid) || said.mentions_room)
                && said.sender != uid
                && !self.deleted.contains(&said.seq)
        });
        (unread.iter().filter(|said| said.thread.is_none()).count() as i64, mentioned.count() as i64)
    }

    /// Of every thread that someone takes part in, what they have not read since `joined`.
    fn threads(&self, place: ConversationId, uid: Uid, joined: u64) -> BTreeMap<u64, i64> {
        let mut threads: BTreeMap<u64, Vec<&Said>> = BTreeMap::new();
        for said in self.said.iter().filter(|said| said.place == place) {
            if let Some(root) = said.thread {
                threads.entry(root).or_default().push(said);
            }
        }
        let is_root_by =
            |root: u64| self.said.iter().any(|said| (said.place, said.seq, said.sender) == (place, root, uid));
        threads.retain(|root, said| {
            is_root_by(*root) || said.iter().any(|said| said.sender == uid || said.mentions.contains(&uid))
        });
        let unread = |root: u64, said: &[&Said]| {
            let read = self.read(place, Some(root), uid).max(joined);
            said.iter().filter(|said| said.seq > read).count() as i64
        };
        threads.into_iter().map(|(root, said)| (root, unread(root, &said))).collect()
    }

    /// Messages that are pinned, by which event.
    fn pinned(&self) -> BTreeSet<(Uuid, i64, i64)> {
        let mut pinned: BTreeMap<(ConversationId, u64), u64> = BTreeMap::new();
        let mut events: Vec<(u64, ConversationId, u64, Option<bool>)> =
            self.pins.iter().map(|(seq, place, message, on)| (*seq, *place, *message, Some(*on))).collect();
        events.extend(self.deletions.iter().map(|(seq, place, message)| (*seq, *place, *message, None)));
        events.sort_unstable_by_key(|event| event.0);
        let mut gone = BTreeSet::new();
        for (seq, place, message, pin) in events {
            let is_there = self.said.iter().any(|said| said.place == place && said.seq == message && message < seq);
            match pin {
                Some(true) if is_there && !gone.contains(&message) => _ = pinned.entry((place, message)).or_insert(seq),
                Some(true) => {}
                Some(false) => _ = pinned.remove(&(place, message)),
                None => {
                    pinned.remove(&(place, message));
                    gone.extend(is_there.then_some(message));
                }
            }
        }
        let rows = pinned.into_iter();
        rows.map(|((place, message), seq)| (place.as_uuid(), message.cast_signed(), seq.cast_signed())).collect()
    }
}

struct World {
    people: Vec<Person>,
    rooms: Vec<(ConversationId, Draft)>,
    paper: Paper,
    story: Story,
}

impl World {
    fn new() -> Self {
        let people: Vec<Person> = (0..5).map(|_| Person::new()).collect();
        let mut paper = Paper::new(&people.iter().collect::<Vec<_>>());
        let mut story = Story::default();
        let mut rooms = Vec::new();
        for (name, visibility) in [("harbour", Visibility::Public), ("cellar", Visibility::Private)] {
            let draft = Draft::new(name, visibility, &people[0]);
            let room = paper.create(&people[0], &draft);
            let created = paper.events.len() as u64;
            story.places.push((created - 1, room, people[0].uid, Some(Role::Owner)));
            story.visible.push((created, room, visibility));
            rooms.push((room, draft));
        }
        Self { people, rooms, paper, story }
    }

    fn happen(&mut self, rng: &mut StdRng) {
        let actor = self.people[rng.random_range(0..self.people.len())].clone();
        let room = self.rooms[usize::from(rng.random_bool(0.3))].0;
        match rng.random_range(0..100) {
            0..20 => self.moves(rng, &actor, room),
            20..24 => self.settings(rng, &actor, room),
            24..64 => self.says(rng, &actor, room),
            64..80 => self.reads(rng, &actor, room),
            80..90 => self.deletes(rng, &actor, room),
            _ => self.pins(rng, &actor, room),
        }
    }

    /// Comes, goes, is thrown out or given a role; sometimes what changes nothing.
    fn moves(&mut self, rng: &mut StdRng, actor: &Person, room: ConversationId) {
        let user = self.people[rng.random_range(0..self.people.len())].clone();
        let is_there = self.story.members(room).get(&user.uid).map(|(role, _)| *role);
        let role = [Role::Member, Role::Moderator, Role::Owner][rng.random_range(0..3)];
        let (by, change, role) = match (is_there, rng.random_range(0..5)) {
            (None, 0) => {
                let draft = &mut self.rooms.iter_mut().find(|(id, _)| *id == room).expect("the room").1;
                draft.bans.push(user.uid);
                let draft = draft.clone();
                self.story.bans.insert(room, draft.bans.clone());
                let seq = self.paper.room(actor, room, RoomChange::Banned(user.uid), &draft);
                self.story.visible.push((seq, room, draft.visibility));
                (actor, MembershipChange::Banned, None)
            }
            (None, 1) => (&user, MembershipChange::Left, None),
            (None, _) => (&user, MembershipChange::Joined, Some(role)),
            (Some(_), 0) => (actor, MembershipChange::Removed, None),
            (Some(_), 1) => (&user, MembershipChange::Left, None),
            (Some(_), 2) => (&user, MembershipChange::Joined, Some(role)),
            (Some(_), _) => (actor, MembershipChange::Role, Some(role)),
        };
        let seq = self.paper.member(by, &user, room, change, role);
        self.story.places.push((seq, room, user.uid, role));
    }

    fn settings(&mut self, rng: &mut StdRng, actor: &Person, room: ConversationId) {
        let draft = &mut self.rooms.iter_mut().find(|(id, _)| *id == room).expect("the room").1;
        let change = if draft.bans.is_empty() || rng.random_bool(0.5) {
            draft.visibility = [Visibility::Public, Visibility::Private][rng.random_range(0..2)];
            draft.archived = rng.random_bool(0.2);
            RoomChange::Settings
        } else {
            let banned = draft.bans[0];
            draft.bans.retain(|uid| *uid != banned);
            RoomChange::Unbanned(banned)
        };
        let draft = draft.clone();
        self.story.bans.insert(room, draft.bans.clone());
        let seq = self.paper.room(actor, room, change, &draft);
        self.story.visible.push((seq, room, draft.visibility));
    }

    /// A message that there was, of this room mostly; sometimes one that there was not.
    fn some_message(&self, rng: &mut StdRng, room: ConversationId) -> u64 {
        let of_room: Vec<u64> = self.story.said.iter().filter(|said| said.place == room).map(|said| said.seq).collect();
        if of_room.is_empty() || rng.random_bool(0.1) {
            return rng.random_range(1..self.paper.events.len() as u64 + 3);
        }
        let recent = &of_room[of_room.len().saturating_sub(12)..];
        recent[rng.random_range(0..recent.len())]
    }

    /// Says something; also those who are not there, whose message was on its way when they were thrown out.
    fn says(&mut self, rng: &mut StdRng, actor: &Person, room: ConversationId) {
        let roots: Vec<u64> = self
            .story
            .said
            .iter()
            .filter(|said| said.place == room && said.thread.is_none())
            .map(|said| said.seq)
            .collect();
        let recent = &roots[roots.len().saturating_sub(4)..];
        let thread = (!recent.is_empty() && rng.random_bool(0.4)).then(|| recent[rng.random_range(0..recent.len())]);
        let mentions: Vec<Uid> = self.people.iter().map(|person| person.uid).filter(|_| rng.random_bool(0.2)).collect();
        let mentions_room = rng.random_bool(0.15);
        let mut record = actor.says(room, "said");
        if let Event::MessageSent(sent) = &mut record.event {
            (sent.thread, sent.mentions, sent.mentions_room) = (thread, mentions.clone(), mentions_room);
        }
        let seq = self.paper.append(&record);
        self.story.said.push(Said { seq, place: room, sender: actor.uid, thread, mentions, mentions_room });
    }

    fn reads(&mut self, rng: &mut StdRng, actor: &Person, room: ConversationId) {
        let message = self.some_message(rng, room);
        let thread = self.story.said.iter().find(|said| said.seq == message).and_then(|said| said.thread);
        let read = message + rng.random_range(0..3);
        let seq = self.paper.append(&actor.reads_in(room, thread, read));
        self.story.reads.push((room, thread, actor.uid, read.min(seq)));
    }

    fn deletes(&mut self, rng: &mut StdRng, actor: &Person, room: ConversationId) {
        let message = self.some_message(rng, room);
        let seq = self.paper.append(&actor.deletes(room, message));
        let is_there = self.story.said.iter().any(|said| said.place == room && said.seq == message);
        self.story.deleted.extend((is_there && message < seq).then_some(message));
        self.story.deletions.push((seq, room, message));
    }

    fn pins(&mut self, rng: &mut StdRng, actor: &Person, room: ConversationId) {
        let (message, on) = (self.some_message(rng, room), rng.random_bool(0.65));
        let record = if on { actor.pins(room, message) } else { actor.unpins(room, message) };
        let seq = self.paper.append(&record);
        self.story.pins.push((seq, room, message, on));
    }
}

fn history(seed: u64) -> (World, Vec<usize>) {
    let mut rng = StdRng::seed_from_u64(seed);
    let mut world = World::new();
    while world.paper.events.len() < EVENTS {
        world.happen(&mut rng);
    }
    let sizes = (0..25).map(|_| rng.random_range(1..50)).collect();
    (world, sizes)
}

#[tokio::test]
async fn evt_unread_and_mentions_in_rooms_equal_what_is_counted_from_scratch() {
    let mut unread = 0;
    for seed in 0..HISTORIES {
        let (world, sizes) = history(seed);
        let database = projected(&world.paper, &sizes).await;
        let found: Vec<(Uuid, Uuid, i64, i64)> =
            rows(&database, "select conversation, uid, unread, mentions from counters order by 1, 2").await;
        let mut expected = Vec::new();
        for (room, _) in &world.rooms {
            for (uid, (_, joined)) in world.story.members(*room) {
                let (unread, mentions) = world.story.counters(*room, uid, joined);
                expected.push((room.as_uuid(), uid.as_uuid(), unread, mentions));
            }
        }
        expected.sort_unstable();
        assert_eq!(found, expected, "seed {seed}");

        let found: Vec<(Uuid, i64, Uuid, i64)> =
            rows(&database, "select conversation, root, uid, unread from thread_counters order by 1, 2, 3").await;
        let mut expected = Vec::new();
        for (room, _) in &world.rooms {
            for (uid, (_, joined)) in world.story.members(*room) {
                let threads = world.story.threads(*room, uid, joined);
                let row = |(root, unread): (u64, i64)| (room.as_uuid(), root.cast_signed(), uid.as_uuid(), unread);
                expected.extend(threads.into_iter().map(row));
            }
        }
        expected.sort_unstable();
        assert_eq!(found, expected, "seed {seed}: threads");
        unread += found.iter().map(|row| row.3).sum::<i64>();

        let holes: Vec<(Uuid, i64)> = rows(
            &database,
            "select conversation, thread from (select conversation, thread, ordinal, \
               row_number() over (partition by conversation, thread order by seq) as counted from messages) m \
             where ordinal <> counted",
        )
        .await;
        assert_eq!(holes, [], "seed {seed}: ordinals are dense and in order, in threads and outside of them");
    }
    assert!(unread > 0, "something is unread in threads");
}

#[tokio::test]
async fn evt3_members_stays_and_public_times_equal_what_is_folded_from_scratch() {
    for seed in 0..HISTORIES {
        let (world, sizes) = history(seed);
        let database = projected(&world.paper, &sizes).await;
        let found: Vec<(Uuid, Uuid, String, i64)> =
            rows(&database, "select conversation, uid, role, joined_seq from participants order by 1, 2").await;
        let mut expected = Vec::new();
        for (room, _) in &world.rooms {
            let members = world.story.members(*room);
            let counted: Vec<(i64,)> =
                rows(&database, &format!("select members from conversations where id = '{room}'")).await;
            assert_eq!(counted[0].0, members.len() as i64, "seed {seed}");
            for (uid, (role, joined)) in members {
                let role = format!("{role:?}").to_lowercase();
                expected.push((room.as_uuid(), uid.as_uuid(), role, joined.cast_signed()));
            }
        }
        expected.sort_unstable();
        assert_eq!(found, expected, "seed {seed}");

        let found: Vec<(Uuid, Uuid, i64, i64)> =
            rows(&database, "select conversation, uid, joined_seq, left_seq from stays").await;
        assert_eq!(found.into_iter().collect::<BTreeSet<_>>(), world.story.stays(), "seed {seed}");

        for (room, draft) in &world.rooms {
            let spans: Vec<(i64, Option<i64>)> = rows(
                &database,
                &format!("select from_seq, upto_seq from public_spans where conversation = '{room}' order by 1"),
            )
            .await;
            let is_public = |seq: u64| {
                spans
                    .iter()
                    .any(|(from, upto)| *from <= seq.cast_signed() && upto.is_none_or(|upto| seq.cast_signed() < upto))
            };
            let mut now = Visibility::Private;
            for seq in 1..=world.paper.events.len() as u64 {
                if let Some((.., visibility)) = world.story.visible.iter().find(|turn| (turn.0, turn.1) == (seq, *room))
                {
                    now = *visibility;
                }
                assert_eq!(is_public(seq), now == Visibility::Public, "seed {seed}, at {seq}");
            }
            let bans: Vec<(Uuid,)> =
                rows(&database, &format!("select uid from bans where conversation = '{room}'")).await;
            let found: BTreeSet<Uuid> = bans.into_iter().map(|row| row.0).collect();
            assert_eq!(found, draft.bans.iter().map(Uid::as_uuid).collect(), "seed {seed}: bans");
        }

        let found: Vec<(Uuid, i64, i64)> = rows(&database, "select conversation, message, seq from pins").await;
        assert_eq!(found.into_iter().collect::<BTreeSet<_>>(), world.story.pinned(), "seed {seed}: pins");
    }
}

#[tokio::test]
async fn d8_batches_of_rooms_of_any_size_give_the_same_rows() {
    for seed in 200..200 + HISTORIES / 3 {
        let (mut world, sizes) = history(seed);
        let damaged = 4 + seed as usize % (EVENTS - 4);
        world.paper.events[damaged].payload = bytes::Bytes::from_static(b"damaged");
        let whole = everything(&projected(&world.paper, &[10_000]).await).await;
        let pieces = everything(&projected(&world.paper, &sizes).await).await;
        let ones = everything(&projected(&world.paper, &[1]).await).await;
        for (table, expected) in whole {
            assert_eq!(pieces[table], expected, "seed {seed}, {table}");
            assert_eq!(ones[table], expected, "seed {seed}, {table}, one by one");
        }
    }
}
