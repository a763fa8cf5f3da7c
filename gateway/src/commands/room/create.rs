//! `room.create`: a new room with its first members, stored all at once.

use std::sync::Arc;

use natter_events::{
    ClientId, ContentKey, ConversationId, Fingerprint, Intent, MembershipChange, Role, Room, RoomChange, Subject, Uid,
};
use natter_log::{AppendError, Line};
use natter_protocol::frame::RoomCreate;
use natter_protocol::limits::MAX_FIRST_MEMBERS;
use natter_protocol::{ErrorCode, Handle};
use parking_lot::Mutex;

use super::super::repeat::{self, Body, Known};
use super::super::{Caller, Decided, Done, Durable, Refused, Stored, content_key, pause, refused_append};
use super::decide::with;
use super::{Batch, MAX_TRIES, MembershipEvent, check_name_and_topic, room_event, seal_name, seal_topic, spelled};
use crate::Gateway;
use crate::rooms::MembershipState;

/// Who was to be in a new room and is not, once that is known.
pub type NotAdded = Arc<Mutex<Vec<Handle>>>;

impl Durable for RoomCreate {
    type Decided = Decided;

    fn id(&self) -> ClientId {
        self.id
    }

    async fn decide(
        &self,
        gateway: &Arc<Gateway>,
        caller: &Caller,
        line: Option<Line>,
        known: Option<Known>,
    ) -> Result<Decided, Refused> {
        let room = ConversationId::room(caller.uid, self.id);
        let room = room.ok_or_else(|| Refused::new(ErrorCode::Invalid, "`id` is not a UUIDv7"))?;
        let RoomCreate { name, topic, visibility, members, .. } = self;
        let asks = spelled(&(name, topic, visibility, members));
        let own_key = content_key(gateway, caller).await?;
        let fingerprint = own_key.fingerprint(room, self.id, Intent::Other { what: "room.create", asks: &asks });
        if let Some(known) = known {
            let done = known.answer(Body::Printed(fingerprint))?;
            let refused = Some(left_out(gateway, caller.uid, room, done.seq, members).await?);
            return Ok(Decided::Known(Done { refused, ..done }));
        }
        if members.len() > MAX_FIRST_MEMBERS {
            let message = format!("a room is made with at most {MAX_FIRST_MEMBERS} members");
            return Err(Refused::new(ErrorCode::Invalid, message));
        }
        gateway.rates.other(caller.uid).map_err(Refused::rate_limited)?;
        // Before the key is stored: a room that can't be has none.
        check_name_and_topic(Some(name), topic.as_deref())?;
        let key = gateway.keys.create(room.as_owner(), room.key_id(), &ContentKey::random()).await?;
        let state = Room {
            name: seal_name(room, &key, name),
            topic: seal_topic(room, &key, topic.as_deref().unwrap_or_default()),
            visibility: *visibility,
            public_since: None,
            archived: false,
            owners: vec![caller.uid],
            bans: Vec::new(),
        };
        let not_added = NotAdded::default();
        let new = New {
            caller: caller.clone(),
            room,
            state,
            members: members.clone(),
            id: self.id,
            fingerprint,
            not_added: not_added.clone(),
        };
        let gateway = gateway.clone();
        let storing = Box::pin(async move { new.store(&gateway, line).await });
        Ok(Decided::Changing { storing, fingerprint, refused: Some(not_added) })
    }
}

struct New {
    caller: Caller,
    room: ConversationId,
    state: Room,
    members: Vec<Handle>,
    id: ClientId,
    fingerprint: Fingerprint,
    not_added: NotAdded,
}

impl New {
    async fn store(&self, gateway: &Gateway, line: Option<Line>) -> Result<Stored, Refused> {
        for attempt in 0..MAX_TRIES {
            let batch = self.batch(gateway, attempt > 0).await?;
            match batch.append(gateway, &self.caller, self.id, line).await {
                Err(AppendError::WrongLast { .. }) => pause(attempt).await,
                Err(error) => return Err(refused_append(&error)),
                Ok(appended) => {
                    if appended.duplicate {
                        // What this try would have come to is not what was stored.
                        let left_out =
                            left_out(gateway, self.caller.uid, self.room, appended.seq, &self.members).await?;
                        *self.not_added.lock() = left_out;
                    }
                    return Ok(Stored::Event(appended));
                }
            }
        }
        Err(Refused::unavailable("too many changed the rooms of the same people at once"))
    }

    /// Everybody's joining, the owner's first, and then the room: so each of them is in it when it begins, and the owner hears
    /// of all.
    async fn batch(&self, gateway: &Gateway, fresh: bool) -> Result<Batch, Refused> {
        let (mut batch, mut not_added, mut known) = (Batch::default(), Vec::new(), vec![self.caller.uid]);
        let (event, state) = self.joining(gateway, self.caller.uid, Role::Owner, fresh).await?;
        batch.push(event.record(None), state.seq, Subject::Rooms(self.caller.uid));
        for (handle, uid) in self.members.iter().zip(gateway.accounts.directory.resolve(&self.members).await?) {
            let Some(uid) = uid else {
                not_added.push(handle.clone());
                continue;
            };
            if known.contains(&uid) {
                continue;
            }
            known.push(uid);
            match self.joining(gateway, uid, Role::Member, fresh).await {
                Ok((event, state)) => batch.push(event.record(None), state.seq, Subject::Rooms(uid)),
                Err(refused) if refused.code == ErrorCode::Unavailable => return Err(refused),
                Err(_) => not_added.push(handle.clone()),
            }
        }
        *self.not_added.lock() = not_added;
        let answers = Some((self.id, self.fingerprint));
        let event = room_event(self.caller.uid, self.room, RoomChange::Created, self.state.clone(), answers);
        batch.push(event, 0, Subject::Room(self.room));
        Ok(batch)
    }

    async fn joining(
        &self,
        gateway: &Gateway,
        user: Uid,
        role: Role,
        fresh: bool,
    ) -> Result<(MembershipEvent, Arc<MembershipState>), Refused> {
        if user != self.caller.uid {
            super::check_may_be_added(gateway, self.caller.uid, user).await?;
        }
        let state = if fresh { gateway.rooms.load_of(user).await? } else { gateway.rooms.of(user).await? };
        let rooms = with(&state.rooms, self.room, role)?;
        let what = MembershipChange::Joined;
        Ok((MembershipEvent { by: self.caller.uid, user, room: self.room, what, rooms, is_known: false }, state))
    }
}

/// Those of some people with whom a room was not made at `seq`, whoever has come or gone since: what was stored with it stands
/// right before it.
async fn left_out(
    gateway: &Gateway,
    caller: Uid,
    room: ConversationId,
    seq: u64,
    members: &[Handle],
) -> Result<Vec<Handle>, Refused> {
    let mut seen = vec![caller];
    for joined in (1..seq).rev().take(MAX_FIRST_MEMBERS + 1) {
        let entry = repeat::entry_at(gateway, joined).await?;
        match entry.stay {
            Some(stay) if stay.room == room => seen.push(stay.user),
            _ => break,
        }
    }
    let mut left_out = Vec::new();
    for (handle, uid) in members.iter().zip(gateway.accounts.directory.resolve(members).await?) {
        match uid {
            Some(uid) if seen.contains(&uid) => continue,
            Some(uid) => seen.push(uid),
            None => {}
        }
        left_out.push(handle.clone());
    }
    Ok(left_out)
}
