//! What should be, from the log alone: a fold over its events that knows nothing of how Natter does it.
//!
//! Who hears an event (EVT3): whom it is addressed to, and, of what happens in a room, who is in it just then: someone who
//! goes hears that they went, someone who comes hears that they came.

use std::collections::{HashMap, HashSet};

use natter_client::{ClientId, ConversationId};
use natter_events::{Event, RoomChange, Subject, Uid, Visibility};

use crate::readers::Raw;
use crate::record::Kind;

/// Below 2^53 there is every seq.
const FOR_EVER: u64 = 1 << 53;

/// An event that somebody hears.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Expected {
    pub seq: u64,
    pub kind: Kind,
    pub actor: Uid,
    pub id: Option<ClientId>,
}

/// A message as the log has it.
#[derive(Debug, Clone)]
pub struct Message {
    pub seq: u64,
    pub id: ClientId,
    pub sender: Uid,
    pub thread: Option<u64>,
    /// In the order of the log.
    pub edits: Vec<(u64, ClientId)>,
    pub deleted: Option<u64>,
}

/// From where to where, both inclusive.
type Span = (u64, u64);

#[derive(Debug, Default)]
pub struct Model {
    /// By person's number: what they hear, in order.
    pub heard: Vec<Vec<Expected>>,
    pub messages: HashMap<ConversationId, Vec<Message>>,
    /// The place of each event in the raw stream.
    pub by_seq: HashMap<u64, usize>,
    stays: HashMap<(ConversationId, Uid), Vec<Span>>,
    public: HashMap<ConversationId, Vec<Span>>,
    direct: HashMap<ConversationId, HashSet<Uid>>,
    /// Messages of somebody who was in the room no more: seq, and how long not any more.
    pub late: Vec<(u64, i64)>,
}

impl Model {
    pub fn of(raw: &[Raw], people: &[Uid]) -> Self {
        let numbers: HashMap<Uid, usize> = people.iter().enumerate().map(|(number, uid)| (*uid, number)).collect();
        let mut model = Self { heard: vec![Vec::new(); people.len()], ..Self::default() };
        let mut members: HashMap<ConversationId, HashSet<Uid>> = HashMap::new();
        let mut left: HashMap<(ConversationId, Uid), i64> = HashMap::new();
        for (place, event) in raw.iter().enumerate() {
            model.by_seq.insert(event.seq, place);
            let mut audience: HashSet<Uid> = event.to.iter().copied().collect();
            if let Some(room) = event.conversation.filter(ConversationId::is_room) {
                let here = members.entry(room).or_default();
                if is_for_members(&event.event) {
                    audience.extend(here.iter().copied());
                }
                if let (Event::MembershipChanged(changed), Some(Subject::Rooms(user))) = (&event.event, event.subject) {
                    let stays = model.stays.entry((room, user)).or_default();
                    match (changed.role_in(room).is_some(), here.contains(&user)) {
                        (true, false) => {
                            here.insert(user);
                            stays.push((event.seq, FOR_EVER));
                        }
                        (false, true) => {
                            here.remove(&user);
                            left.insert((room, user), event.at_ms);
                            if let Some(stay) = stays.last_mut() {
                                stay.1 = event.seq;
                            }
                        }
                        _ => {}
                    }
                }
                if matches!(event.event, Event::MessageSent(_)) && !here.contains(&event.actor) {
                    let since = left.get(&(room, event.actor)).map_or(i64::MAX, |left| event.at_ms - left);
                    model.late.push((event.seq, since));
                }
            } else if let Some(conversation) = event.conversation {
                model.direct.entry(conversation).or_default().extend(event.to.iter().copied());
            }
            model.fold(event);
            if let Some(kind) = kind(&event.event) {
                let expected = Expected { seq: event.seq, kind, actor: event.actor, id: event.id };
                for number in audience.iter().filter_map(|uid| numbers.get(uid)) {
                    model.heard[*number].push(expected);
                }
            }
        }
        model
    }

    fn fold(&mut self, raw: &Raw) {
        let Some(conversation) = raw.conversation else { return };
        let messages = self.messages.entry(conversation).or_default();
        match (&raw.event, raw.id) {
            (Event::MessageSent(sent), Some(id)) => messages.push(Message {
                seq: raw.seq,
                id,
                sender: raw.actor,
                thread: sent.thread,
                edits: Vec::new(),
                deleted: None,
            }),
            (Event::MessageEdited(edited), Some(id)) => {
                if let Some(message) = find(messages, edited.message) {
                    message.edits.push((raw.seq, id));
                }
            }
            (Event::MessageDeleted(deleted), _) => {
                if let Some(message) = find(messages, deleted.message) {
                    message.deleted.get_or_insert(raw.seq);
                }
            }
            (Event::RoomChanged(changed), _) => {
                let spans = self.public.entry(conversation).or_default();
                let open = spans.last().is_some_and(|span| span.1 == FOR_EVER);
                match (changed.room.visibility, open) {
                    (Visibility::Public, false) => spans.push((raw.seq, FOR_EVER)),
                    (Visibility::Private, true) => {
                        if let Some(span) = spans.last_mut() {
                            span.1 = raw.seq - 1;
                        }
                    }
                    _ => {}
                }
            }
            _ => {}
        }
    }

    /// Whether the message that an event says, or changes, was deleted at some time.
    pub fn is_deleted(&self, raw: &Raw) -> bool {
        let message = match &raw.event {
            Event::MessageSent(_) => raw.seq,
            Event::MessageEdited(edited) => edited.message,
            _ => return false,
        };
        let messages = raw.conversation.and_then(|conversation| self.messages.get(&conversation));
        let place = messages.and_then(|all| Some((all, all.binary_search_by_key(&message, |one| one.seq).ok()?)));
        place.is_some_and(|(all, place)| all[place].deleted.is_some())
    }

    /// Whether somebody may read a message of the conversation, as of `upto`: what they heard, and, where they are in the
    /// room then, what was said while it was public.
    pub fn may_read(&self, reader: Uid, conversation: ConversationId, seq: u64, upto: u64) -> bool {
        if conversation.is_direct() {
            return self.direct.get(&conversation).is_some_and(|people| people.contains(&reader));
        }
        let stays = self.stays.get(&(conversation, reader)).map(Vec::as_slice).unwrap_or_default();
        let within = |spans: &[Span], seq: u64| spans.iter().any(|(first, last)| (*first..=*last).contains(&seq));
        // One who leaves at `upto` is not there any more.
        let is_there = stays.iter().any(|(first, last)| *first <= upto && upto < *last);
        let public = self.public.get(&conversation).map(Vec::as_slice).unwrap_or_default();
        within(stays, seq) || (is_there && within(public, seq))
    }
}

fn find(messages: &mut [Message], seq: u64) -> Option<&mut Message> {
    let place = messages.binary_search_by_key(&seq, |message| message.seq).ok()?;
    messages.get_mut(place)
}

fn is_for_members(event: &Event) -> bool {
    !matches!(event, Event::ReadMarkerMoved(_) | Event::PreferencesChanged(_))
}

/// The frame that an event is told by.
fn kind(event: &Event) -> Option<Kind> {
    Some(match event {
        Event::MessageSent(_) => Kind::Message,
        Event::MessageEdited(_) => Kind::Edited,
        Event::MessageDeleted(_) => Kind::Deleted,
        Event::ReactionAdded(_) | Event::ReactionRemoved(_) => Kind::Reaction,
        Event::MessagePinned(_) | Event::MessageUnpinned(_) => Kind::Pin,
        Event::ReadMarkerMoved(_) => Kind::Marker,
        Event::BlockChanged(_) => Kind::Block,
        Event::ProfileChanged(_) => Kind::Profile,
        Event::PreferencesChanged(_) => Kind::Preferences,
        Event::MembershipChanged(_) => Kind::Member,
        Event::RoomChanged(changed) => match changed.change {
            // The banned one's own event tells it.
            RoomChange::Banned(_) => return None,
            RoomChange::Unbanned(_) => Kind::Member,
            _ => Kind::Room,
        },
        Event::UserRegistered(_) | Event::SessionsRevoked(_) | Event::PresenceChanged(_) | Event::ReceivedUpTo(_) => {
            return None;
        }
    })
}
