//! Rooms: making them, changing them, and who is in them.
//!
//! Each command is a change of one or more states, decided against their last events and appended behind those only (D5): so
//! whoever races, no change is lost. What changes together is stored together. Deciding is pure ([`decide`]); here is what it
//! takes to get there.
//!
//! - [`decide`]: what a command comes to, or why it is refused
//! - [`create`]: a new room with its first members

pub mod create;
mod decide;

use std::sync::Arc;

use natter_events::{
    ClientId, ContentKey, ConversationId, Field, Fingerprint, Intent, Membership, MembershipChange, MembershipChanged,
    Record, Room, RoomChange, RoomChanged, Sealed, Subject, Uid,
};
use natter_log::{Append, AppendError, Appended, Line, Stream};
use natter_protocol::frame::{RoomCommand, RoomMember, RoomRole, RoomUpdate};
use natter_protocol::{ErrorCode, Handle, text};
use serde::Serialize;

use self::decide::{Change, Decision, States, What};
use super::repeat::{self, Body, Known};
use super::{
    Caller, Decided, Durable, Refused, Stored, check_text_with, content_key, message_id, pause, refused_append,
};
use crate::Gateway;

/// How often another change of the same state may come in between.
const MAX_TRIES: usize = 16;

/// A command about a room that is there.
pub enum Command<'a> {
    Update(&'a RoomUpdate),
    Archive(&'a RoomCommand),
    Join(&'a RoomCommand),
    Leave(&'a RoomCommand),
    Add(&'a RoomMember),
    Remove(&'a RoomMember),
    Ban(&'a RoomMember),
    Unban(&'a RoomMember),
    Role(&'a RoomRole),
}

impl Command<'_> {
    /// What the command is called, which room it is about, and its id.
    pub fn head(&self) -> (&'static str, ConversationId, ClientId) {
        match self {
            Self::Update(command) => ("room.update", command.conversation, command.id),
            Self::Archive(command) => ("room.archive", command.conversation, command.id),
            Self::Join(command) => ("room.join", command.conversation, command.id),
            Self::Leave(command) => ("room.leave", command.conversation, command.id),
            Self::Add(command) => ("room.add", command.conversation, command.id),
            Self::Remove(command) => ("room.remove", command.conversation, command.id),
            Self::Ban(command) => ("room.ban", command.conversation, command.id),
            Self::Unban(command) => ("room.unban", command.conversation, command.id),
            Self::Role(command) => ("room.role", command.conversation, command.id),
        }
    }

    /// What tells it from another command of the same kind about the same room.
    fn asks(&self) -> Vec<u8> {
        match self {
            Self::Update(RoomUpdate { name, topic, visibility, archived, .. }) => {
                spelled(&(name, topic, visibility, archived))
            }
            Self::Archive(_) | Self::Join(_) | Self::Leave(_) => Vec::new(),
            Self::Add(command) | Self::Remove(command) | Self::Ban(command) | Self::Unban(command) => {
                spelled(&command.user)
            }
            Self::Role(command) => spelled(&(&command.user, command.role)),
        }
    }

    fn user(&self) -> Option<&Handle> {
        match self {
            Self::Add(command) | Self::Remove(command) | Self::Ban(command) | Self::Unban(command) => {
                Some(&command.user)
            }
            Self::Role(command) => Some(&command.user),
            Self::Update(_) | Self::Archive(_) | Self::Join(_) | Self::Leave(_) => None,
        }
    }
}

/// One spelling of what is asked for.
fn spelled(asks: &impl Serialize) -> Vec<u8> {
    serde_json::to_vec(asks).unwrap_or_default()
}

impl Durable for Command<'_> {
    type Decided = Decided;

    fn id(&self) -> ClientId {
        self.head().2
    }

    async fn decide(
        &self,
        gateway: &Arc<Gateway>,
        caller: &Caller,
        line: Option<Line>,
        known: Option<Known>,
    ) -> Result<Decided, Refused> {
        let (what, room, id) = self.head();
        let asks = self.asks();
        let fingerprint =
            content_key(gateway, caller).await?.fingerprint(room, id, Intent::Other { what, asks: &asks });
        if let Some(known) = known {
            return known.answer(Body::Printed(fingerprint)).map(Decided::Known);
        }
        gateway.rates.other(caller.uid).map_err(Refused::rate_limited)?;
        if !room.is_room() {
            return Err(super::no_conversation());
        }
        let target = match self.user() {
            None => caller.uid,
            Some(user) => {
                let uid = gateway.accounts.directory.uid(user).await?;
                uid.ok_or_else(|| Refused::new(ErrorCode::UnknownUser, format!("there is no user {user}")))?
            }
        };
        if target != caller.uid {
            gateway.rates.target(target).map_err(Refused::rate_limited)?;
        }
        // Before anything is said about the room: what can't be asked for can't be asked of any.
        check_words(self)?;
        let what = what_of(gateway, self, room).await?;
        if let What::Add = what {
            check_may_be_added(gateway, caller.uid, target).await?;
        }
        let change = Storing { caller: caller.clone(), target, room, what, id, fingerprint };
        let gateway = gateway.clone();
        let storing = Box::pin(async move { change.store(&gateway, line).await });
        Ok(Decided::Changing { storing, fingerprint, refused: None })
    }
}

fn check_words(command: &Command<'_>) -> Result<(), Refused> {
    let Command::Update(RoomUpdate { name, topic, visibility, archived, .. }) = command else { return Ok(()) };
    if name.is_none() && topic.is_none() && visibility.is_none() && archived.is_none() {
        return Err(Refused::new(ErrorCode::Invalid, "nothing is to be changed"));
    }
    check_name_and_topic(name.as_deref(), topic.as_deref())
}

/// An empty topic is none.
fn check_name_and_topic(name: Option<&str>, topic: Option<&str>) -> Result<(), Refused> {
    if let Some(name) = name {
        check_text_with(text::check_room_name, name)?;
    }
    match topic {
        None | Some("") => Ok(()),
        Some(topic) => check_text_with(text::check_room_topic, topic),
    }
}

/// What a command is to do, with what it says sealed.
async fn what_of(gateway: &Gateway, command: &Command<'_>, room: ConversationId) -> Result<What, Refused> {
    Ok(match command {
        Command::Join(_) => What::Join,
        Command::Leave(_) => What::Leave,
        Command::Add(_) => What::Add,
        Command::Remove(_) => What::Remove,
        Command::Ban(_) => What::Ban,
        Command::Unban(_) => What::Unban,
        Command::Role(command) => What::Role(command.role),
        Command::Archive(_) => What::Update { name: None, topic: None, visibility: None, archived: Some(true) },
        Command::Update(RoomUpdate { name, topic, visibility, archived, .. }) => {
            // A room without a key does not exist, which is told when it is looked for.
            let key = gateway.keys.get(room.as_owner(), room.key_id()).await?;
            let key = key.ok_or_else(super::no_conversation)?;
            What::Update {
                name: name.as_deref().map(|name| seal_name(room, &key, name)),
                topic: topic.as_deref().map(|topic| seal_topic(room, &key, topic)),
                visibility: *visibility,
                archived: *archived,
            }
        }
    })
}

fn seal_name(room: ConversationId, key: &ContentKey, name: &str) -> Sealed {
    key.seal(room.as_owner(), Field::RoomName, name.as_bytes())
}

fn seal_topic(room: ConversationId, key: &ContentKey, topic: &str) -> Option<Sealed> {
    (!topic.is_empty()).then(|| key.seal(room.as_owner(), Field::RoomTopic, topic.as_bytes()))
}

/// Whether a room may have one more. Nobody but history counts its members.
async fn check_size(gateway: &Gateway, caller: &Caller, room: ConversationId) -> Result<(), Refused> {
    let most = gateway.config.room_members;
    match gateway.lookup.members(&caller.token, room).await {
        Some(members) if members >= most => {
            Err(Refused::new(ErrorCode::Full, format!("this room has {most} members, and can't have more")))
        }
        _ => Ok(()),
    }
}

/// Nobody is brought together with whom they have blocked.
async fn check_may_be_added(gateway: &Gateway, caller: Uid, target: Uid) -> Result<(), Refused> {
    let account = gateway.accounts.accounts.get(target).await?;
    match account {
        Some(state) if state.account.blocks.contains(&caller) => {
            Err(Refused::new(ErrorCode::Blocked, "they do not want to be added by you"))
        }
        Some(_) => Ok(()),
        None => Err(Refused::new(ErrorCode::UnknownUser, "there is no such user")),
    }
}

/// A change on its way into the log.
struct Storing {
    caller: Caller,
    target: Uid,
    room: ConversationId,
    what: What,
    id: ClientId,
    fingerprint: Fingerprint,
}

impl Storing {
    async fn store(&self, gateway: &Gateway, line: Option<Line>) -> Result<Stored, Refused> {
        for attempt in 0..MAX_TRIES {
            let states = self.states(gateway, attempt > 0).await?;
            let change = match decide::decide(self.room, self.caller.uid, self.target, &self.what, &states) {
                Ok(Decision::Change(change)) => change,
                // Its first try may be the very reason (CMD3).
                Ok(Decision::Nothing { seq }) => {
                    let earlier = self.earlier(gateway, &states).await?;
                    return Ok(earlier.map_or(Stored::Already { seq }, Stored::Event));
                }
                Err(refused) => return self.earlier(gateway, &states).await?.map(Stored::Event).ok_or(refused),
            };
            if matches!(change.membership, Some((MembershipChange::Joined, _))) {
                check_size(gateway, &self.caller, self.room).await?;
            }
            let batch = self.batch(&states, change);
            match batch.append(gateway, &self.caller, self.id, line).await {
                Err(AppendError::WrongLast { .. }) => pause(attempt).await,
                Err(error) => return Err(refused_append(&error)),
                Ok(appended) => return Ok(Stored::Event(appended)),
            }
        }
        Err(Refused::unavailable("too many changed the same room at once"))
    }

    /// The event of an earlier try of the same command, if there is one in what this was decided on.
    async fn earlier(&self, gateway: &Gateway, states: &States) -> Result<Option<Appended>, Refused> {
        let seq = states.room.seq.max(states.caller.seq).max(states.target.seq);
        gateway.feed.reaches(seq, gateway.config.ahead_timeout).await;
        let known = repeat::stored_before(gateway, &self.caller, self.id).await?;
        Ok(known.map(|known| Appended { seq: known.seq(), duplicate: true }))
    }

    async fn states(&self, gateway: &Gateway, fresh: bool) -> Result<States, Refused> {
        let rooms = &gateway.rooms;
        let caller = if fresh { rooms.load_of(self.caller.uid).await? } else { rooms.of(self.caller.uid).await? };
        let target = match self.target == self.caller.uid {
            true => caller.clone(),
            false if fresh => rooms.load_of(self.target).await?,
            false => rooms.of(self.target).await?,
        };
        // The room is never older than who is in it: what was banned together with that would not be known.
        let is_ahead = gateway.feed.head().seq < caller.seq.max(target.seq);
        let room = if fresh || is_ahead { rooms.load(self.room).await? } else { rooms.get(self.room).await? };
        Ok(States { room: room.ok_or_else(super::no_conversation)?, caller, target })
    }

    /// What is stored, in its order: what the command is answered by comes last.
    fn batch(&self, states: &States, change: Change) -> Batch {
        let mut batch = Batch::default();
        let Change { membership, room } = change;
        let answers = |is_last: bool| is_last.then_some((self.id, self.fingerprint));
        if let Some((what, state)) = room {
            let answers = answers(membership.is_none());
            batch.push(
                room_event(self.caller.uid, self.room, what, state, answers),
                states.room.seq,
                Subject::Room(self.room),
            );
        }
        if let Some((what, rooms)) = membership {
            let is_known = states.target.role_in(self.room).is_some();
            let event =
                MembershipEvent { by: self.caller.uid, user: self.target, room: self.room, what, rooms, is_known };
            batch.push(event.record(answers(true)), states.target.seq, Subject::Rooms(self.target));
        }
        batch
    }
}

/// Events that are stored together.
#[derive(Default)]
pub(super) struct Batch(Vec<(Record, u64, Subject)>);

impl Batch {
    /// One more event, behind the event that it was decided on.
    fn push(&mut self, record: Record, behind: u64, subject: Subject) {
        self.0.push((record, behind, subject));
    }

    /// Stores them. This gateway need not wait for its feed to know of it.
    async fn append(
        self,
        gateway: &Gateway,
        caller: &Caller,
        id: ClientId,
        line: Option<Line>,
    ) -> Result<Appended, AppendError> {
        let count = self.0.len();
        let appends = self.0.iter().enumerate().map(|(index, (record, behind, subject))| {
            // The last one has the id that the command is known by.
            let rest = count - 1 - index;
            let message_id = message_id(caller.uid, id);
            Append {
                stream: Stream::Chat,
                subject: subject.to_string(),
                message_id: if rest == 0 { message_id } else { format!("{message_id}:{rest}") },
                payload: record.encode(),
                expected_last: Some(*behind),
            }
        });
        let appended = gateway.log.append_together(appends.collect(), line).await;
        let appended = match appended {
            // Its first try is in the log.
            Err(AppendError::Repeated) => first_try(gateway, caller, id).await?,
            other => other?,
        };
        if !appended.duplicate {
            let first = appended.seq + 1 - count as u64;
            for (seq, (record, _, subject)) in (first..).zip(&self.0) {
                gateway.rooms.apply(*subject, seq, record);
            }
        }
        Ok(appended)
    }
}

/// What an earlier try has stored: the feed brings it, or has brought it before all that the tail has.
async fn first_try(gateway: &Gateway, caller: &Caller, id: ClientId) -> Result<Appended, AppendError> {
    let state = gateway.log.state(Stream::Chat).await.map_err(|_| AppendError::Unknown)?;
    gateway.feed.reaches(state.last_seq, gateway.config.feed_timeout).await;
    let known = repeat::stored_before(gateway, caller, id).await.map_err(|_| AppendError::Unknown)?;
    Ok(Appended { seq: known.ok_or(AppendError::Unknown)?.seq(), duplicate: true })
}

fn room_event(
    by: Uid,
    room: ConversationId,
    change: RoomChange,
    state: Room,
    answers: Option<(ClientId, Fingerprint)>,
) -> Record {
    let fingerprint = answers.map(|(_, fingerprint)| fingerprint);
    let record = Record::new(by, RoomChanged { change, room: state, fingerprint })
        .in_conversation(room)
        .sealed_with(room.key_id());
    match answers {
        Some((id, _)) => record.answering(id),
        None => record,
    }
}

/// What is told of somebody's place in a room.
struct MembershipEvent {
    by: Uid,
    user: Uid,
    room: ConversationId,
    what: MembershipChange,
    rooms: Vec<Membership>,
    /// They were in it before.
    is_known: bool,
}

impl MembershipEvent {
    fn record(self, answers: Option<(ClientId, Fingerprint)>) -> Record {
        let Self { by, user, room, what, rooms, is_known } = self;
        let fingerprint = answers.map(|(_, fingerprint)| fingerprint);
        let changed = MembershipChanged { change: what, rooms, fingerprint };
        // Whoever neither was nor is in a room hears nothing of it.
        let concerns = is_known || changed.role_in(room).is_some();
        let people = [user];
        let record = Record::new(by, changed).to(if concerns { &people } else { &[] }).in_conversation(room);
        match answers {
            Some((id, _)) => record.answering(id),
            None => record,
        }
    }
}
