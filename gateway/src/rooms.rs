//! Rooms and who is in them, as this gateway decides by (D5): copies of what the last events of their subjects say.

use std::sync::Arc;

use natter_events::{
    ConversationId, Event, Membership, MembershipChange, Record, Role, Room, Subject, Uid, Visibility,
};
use natter_log::{Log, ReadError, Stream};
use natter_planted::Bug;

use crate::Gateway;
use crate::copies::{Copies, CopyError, Newer, State};
use crate::feed::{RoomSet, TooOld};

/// How much is kept in memory of people's rooms, and of rooms, in weights of about a kilobyte at most each.
const MAX_CACHED: u64 = 200_000;
/// Rooms of one person, or owners and bans of one room, that make one weight.
const IN_ONE_WEIGHT: usize = 16;
/// How often what a user was in may change while it is being found out.
const MAX_LOOKS: usize = 100;

/// The rooms that someone is in, as of the event at `seq`; before the first one, none.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MembershipState {
    pub rooms: Vec<Membership>,
    pub seq: u64,
}

/// A room, as of the event at `seq`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RoomState {
    pub room: Room,
    pub seq: u64,
}

impl State for MembershipState {
    fn after(seq: u64, record: &Record) -> Option<Self> {
        let Event::MembershipChanged(changed) = &record.event else { return None };
        let known = |membership: &Membership| Membership { since: membership.since.or(Some(seq)), ..*membership };
        Some(Self { rooms: changed.rooms.iter().map(known).collect(), seq })
    }

    fn first() -> Option<Self> {
        Some(Self::default())
    }

    fn seq(&self) -> u64 {
        self.seq
    }

    fn weight(&self) -> u32 {
        weight(self.rooms.len())
    }
}

impl State for RoomState {
    fn after(seq: u64, record: &Record) -> Option<Self> {
        let Event::RoomChanged(changed) = &record.event else { return None };
        let mut room = changed.room.clone();
        if room.visibility == Visibility::Public {
            room.public_since.get_or_insert(seq);
        }
        Some(Self { room, seq })
    }

    fn seq(&self) -> u64 {
        self.seq
    }

    fn weight(&self) -> u32 {
        weight(self.room.owners.len() + self.room.bans.len())
    }
}

fn weight(items: usize) -> u32 {
    u32::try_from(1 + items / IN_ONE_WEIGHT).unwrap_or(u32::MAX)
}

impl MembershipState {
    /// Their place in a room, if they are in it.
    pub fn place_in(&self, room: ConversationId) -> Option<&Membership> {
        self.rooms.iter().find(|membership| membership.room == room)
    }

    /// What they are in a room, if they are in it.
    pub fn role_in(&self, room: ConversationId) -> Option<Role> {
        self.place_in(room).map(|membership| membership.role)
    }

    /// The rooms themselves.
    pub fn ids(&self) -> RoomSet {
        set(&self.rooms)
    }
}

impl RoomState {
    /// Whether what was said at `seq` may be read by every member, whenever they came.
    pub fn was_public_at(&self, seq: u64) -> bool {
        self.room.public_since.is_some_and(|since| since <= seq)
    }
}

fn set(rooms: &[Membership]) -> RoomSet {
    let mut ids: Vec<_> = rooms.iter().map(|membership| membership.room).collect();
    ids.sort_unstable();
    ids.into()
}

/// Rooms and memberships in memory.
pub struct Rooms {
    memberships: Copies<MembershipState>,
    rooms: Copies<RoomState>,
}

impl Rooms {
    pub fn new(log: &Log, newer: Newer) -> Self {
        Self {
            memberships: Copies::new(log.clone(), MAX_CACHED, newer.clone()),
            rooms: Copies::new(log.clone(), MAX_CACHED, newer),
        }
    }

    /// Forgets all of it: the log is another one from now on.
    pub fn forget(&self) {
        self.memberships.forget();
        self.rooms.forget();
    }

    /// The rooms that someone is in.
    pub async fn of(&self, user: Uid) -> Result<Arc<MembershipState>, CopyError> {
        Ok(self.memberships.get(Subject::Rooms(user)).await?.unwrap_or_default())
    }

    /// The same, as the log has it now.
    pub async fn load_of(&self, user: Uid) -> Result<Arc<MembershipState>, CopyError> {
        Ok(self.memberships.load(Subject::Rooms(user)).await?.unwrap_or_default())
    }

    /// A room; nothing if there is none.
    pub async fn get(&self, room: ConversationId) -> Result<Option<Arc<RoomState>>, CopyError> {
        self.rooms.get(Subject::Room(room)).await
    }

    /// The same, as the log has it now.
    pub async fn load(&self, room: ConversationId) -> Result<Option<Arc<RoomState>>, CopyError> {
        self.rooms.load(Subject::Room(room)).await
    }

    /// An event was stored: a copy that is here is brought up to it.
    pub fn apply(&self, subject: Subject, seq: u64, record: &Record) {
        match subject {
            Subject::Rooms(_) if Bug::StaleMemberships.is_planted() => {}
            Subject::Rooms(_) => self.memberships.apply(subject, seq, record),
            Subject::Room(_) => self.rooms.apply(subject, seq, record),
            _ => {}
        }
    }

    /// What an event says of the rooms that someone is in.
    pub fn of_record(&self, record: &[u8], seq: u64) -> Option<MembershipState> {
        MembershipState::after(seq, &Record::decode(record).ok()?)
    }
}

/// The rooms that a user was in when everything up to `seq` had happened: before the first change behind it, or if there is
/// none, now.
pub async fn rooms_at(gateway: &Gateway, user: Uid, seq: u64) -> Result<RoomSet, CopyError> {
    let subject = Subject::Rooms(user);
    for _ in 0..MAX_LOOKS {
        let next = match gateway.feed.tail.next_state(subject, seq) {
            Ok(entry) => entry.map(|entry| (entry.seq, entry.record.clone())),
            Err(TooOld) => {
                let stored = gateway.log.next(Stream::Chat, &subject.to_string(), seq).await?;
                stored.map(|stored| (stored.seq, stored.payload))
            }
        };
        if let Some((seq, record)) = next {
            let record = Record::decode(&record).map_err(|source| CopyError::Event { seq, source })?;
            return before(user, &record).ok_or(CopyError::NoState { seq });
        }
        let state = gateway.rooms.of(user).await?;
        if state.seq <= seq {
            return Ok(state.ids());
        }
        // It has changed meanwhile, or the broker is ahead of the feed: then that comes.
        if !gateway.feed.reaches(state.seq, gateway.config.ahead_timeout).await {
            break;
        }
    }
    Err(ReadError::Unavailable.into())
}

/// The rooms that a user was in before a change.
fn before(user: Uid, record: &Record) -> Option<RoomSet> {
    let Event::MembershipChanged(changed) = &record.event else { return None };
    let (room, mut rooms) = (record.envelope.conversation?, changed.rooms.clone());
    match changed.change {
        MembershipChange::Joined => rooms.retain(|membership| membership.room != room),
        MembershipChange::Role => {}
        // Somebody who was banned need not have been in it: then it is not addressed to them.
        MembershipChange::Left | MembershipChange::Removed | MembershipChange::Banned => {
            if record.envelope.addressees().any(|uid| uid == user) {
                rooms.push(Membership { room, role: Role::Member, since: None });
            }
        }
    }
    Some(set(&rooms))
}
