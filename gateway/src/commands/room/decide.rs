//! What a command about a room comes to: pure, from the states that it is decided on.

use std::sync::Arc;

use natter_events::event::{MAX_BANS, MAX_OWNERS, MAX_ROOMS};
use natter_events::{ConversationId, Membership, MembershipChange, Role, Room, RoomChange, Sealed, Uid, Visibility};
use natter_protocol::ErrorCode;
use natter_protocol::roles::{Action, may};

use super::super::{Refused, archived, no_conversation, not_member};
use crate::rooms::{MembershipState, RoomState};

/// What is to be done. To whom: the target, who is the caller where they do it to themselves.
#[derive(Debug, Clone)]
pub enum What {
    Join,
    Leave,
    Add,
    Remove,
    Ban,
    Unban,
    Role(Role),
    Update {
        name: Option<Sealed>,
        /// Inside: none for no topic any more.
        topic: Option<Option<Sealed>>,
        visibility: Option<Visibility>,
        archived: Option<bool>,
    },
}

/// What it is decided on.
#[derive(Debug)]
pub struct States {
    pub room: Arc<RoomState>,
    pub caller: Arc<MembershipState>,
    pub target: Arc<MembershipState>,
}

/// What it comes to.
#[derive(Debug, PartialEq, Eq)]
pub enum Decision {
    /// It is so already, as the event at `seq` says.
    Nothing {
        seq: u64,
    },
    Change(Change),
}

/// The states afterwards, of those that change.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Change {
    pub membership: Option<(MembershipChange, Vec<Membership>)>,
    pub room: Option<(RoomChange, Room)>,
}

/// Decides.
pub fn decide(id: ConversationId, caller: Uid, target: Uid, what: &What, states: &States) -> Result<Decision, Refused> {
    let desk = Desk { id, caller, target, states, room: &states.room.room };
    match what {
        What::Join => desk.join(),
        What::Leave => desk.leave(),
        What::Add => desk.add(),
        What::Remove => desk.remove(),
        What::Ban => desk.ban(),
        What::Unban => desk.unban(),
        What::Role(role) => desk.role(*role),
        What::Update { name, topic, visibility, archived } => {
            desk.update(name.as_ref(), topic.as_ref(), *visibility, *archived)
        }
    }
}

struct Desk<'a> {
    id: ConversationId,
    caller: Uid,
    target: Uid,
    states: &'a States,
    room: &'a Room,
}

impl Desk<'_> {
    fn join(&self) -> Result<Decision, Refused> {
        if self.target_role().is_some() {
            return Ok(self.is_so());
        }
        if self.room.visibility == Visibility::Private {
            return Err(no_conversation());
        }
        if self.room.bans.contains(&self.target) {
            return Err(forbidden("you are banned from this room"));
        }
        self.enter()
    }

    fn add(&self) -> Result<Decision, Refused> {
        self.check(Action::Add)?;
        if self.target_role().is_some() {
            return Ok(self.is_so());
        }
        if self.room.bans.contains(&self.target) {
            return Err(forbidden("they are banned from this room: take that back first"));
        }
        self.enter()
    }

    fn enter(&self) -> Result<Decision, Refused> {
        if self.room.archived {
            return Err(archived());
        }
        let rooms = with(&self.states.target.rooms, self.id, Role::Member)?;
        Ok(Decision::Change(Change { membership: Some((MembershipChange::Joined, rooms)), room: None }))
    }

    fn leave(&self) -> Result<Decision, Refused> {
        self.caller_role()?;
        self.exit(MembershipChange::Left)
    }

    fn remove(&self) -> Result<Decision, Refused> {
        self.check(Action::Remove(self.target_role()))?;
        self.check_other("leave the room instead")?;
        if self.target_role().is_none() {
            return Err(Refused::new(ErrorCode::NotFound, "they are not a member of this room"));
        }
        self.exit(MembershipChange::Removed)
    }

    fn ban(&self) -> Result<Decision, Refused> {
        self.check(Action::Remove(self.target_role()))?;
        self.check_other("nobody bans themselves")?;
        let is_banned = self.room.bans.contains(&self.target);
        if is_banned && self.target_role().is_none() {
            return Ok(Decision::Nothing { seq: self.states.room.seq });
        }
        if !is_banned && self.room.bans.len() >= MAX_BANS {
            return Err(full(format!("more than {MAX_BANS} people can't be banned from a room")));
        }
        let mut room = self.without_owner()?;
        if !is_banned {
            room.bans.push(self.target);
        }
        Ok(Decision::Change(Change {
            // Written also of one who is not a member: so a joining that was decided before can't come behind it.
            membership: Some((MembershipChange::Banned, without(&self.states.target.rooms, self.id))),
            room: Some((RoomChange::Banned(self.target), room)),
        }))
    }

    fn unban(&self) -> Result<Decision, Refused> {
        self.check(Action::Unban)?;
        if !self.room.bans.contains(&self.target) {
            return Ok(Decision::Nothing { seq: self.states.room.seq });
        }
        let mut room = self.room.clone();
        room.bans.retain(|banned| *banned != self.target);
        Ok(Decision::Change(Change { membership: None, room: Some((RoomChange::Unbanned(self.target), room)) }))
    }

    fn role(&self, role: Role) -> Result<Decision, Refused> {
        self.check(Action::SetRole)?;
        let Some(before) = self.target_role() else {
            return Err(Refused::new(ErrorCode::NotFound, "they are not a member of this room"));
        };
        if before == role {
            return Ok(self.is_so());
        }
        let room = match (before, role) {
            (_, Role::Owner) if self.room.owners.len() >= MAX_OWNERS => {
                return Err(full(format!("a room has at most {MAX_OWNERS} owners")));
            }
            (_, Role::Owner) => {
                let mut room = self.room.clone();
                room.owners.push(self.target);
                Some((RoomChange::Owners, room))
            }
            (Role::Owner, _) => Some((RoomChange::Owners, self.without_owner()?)),
            _ => None,
        };
        let mut rooms = self.states.target.rooms.clone();
        rooms.iter_mut().filter(|membership| membership.room == self.id).for_each(|membership| membership.role = role);
        Ok(Decision::Change(Change { membership: Some((MembershipChange::Role, rooms)), room }))
    }

    fn update(
        &self,
        name: Option<&Sealed>,
        topic: Option<&Option<Sealed>>,
        visibility: Option<Visibility>,
        archived_now: Option<bool>,
    ) -> Result<Decision, Refused> {
        self.caller_role()?;
        if name.is_some() || topic.is_some() {
            self.check(Action::Describe)?;
        }
        if visibility.is_some() || archived_now.is_some() {
            self.check(Action::Configure)?;
        }
        let describes = name.is_some() || topic.is_some() || visibility.is_some();
        if self.room.archived && describes && archived_now != Some(false) {
            return Err(archived());
        }
        let mut room = self.room.clone();
        if let Some(name) = name {
            room.name = name.clone();
        }
        if let Some(topic) = topic {
            room.topic.clone_from(topic);
        }
        if let Some(visibility) = visibility.filter(|visibility| *visibility != room.visibility) {
            room.visibility = visibility;
            // Public from the event on that says so.
            room.public_since = None;
        }
        room.archived = archived_now.unwrap_or(room.archived);
        // The same words are sealed into other bytes: whoever says them again says them anew.
        if room == *self.room {
            return Ok(Decision::Nothing { seq: self.states.room.seq });
        }
        Ok(Decision::Change(Change { membership: None, room: Some((RoomChange::Settings, room)) }))
    }

    /// The target is in the room no more.
    fn exit(&self, change: MembershipChange) -> Result<Decision, Refused> {
        let rooms = without(&self.states.target.rooms, self.id);
        let room = match self.room.owners.contains(&self.target) {
            true => Some((RoomChange::Owners, self.without_owner()?)),
            false => None,
        };
        Ok(Decision::Change(Change { membership: Some((change, rooms)), room }))
    }

    /// The room without the target as an owner. It always has one.
    fn without_owner(&self) -> Result<Room, Refused> {
        let mut room = self.room.clone();
        room.owners.retain(|owner| *owner != self.target);
        if room.owners.is_empty() {
            return Err(forbidden("the last owner hands the room over first"));
        }
        Ok(room)
    }

    /// It is as it is to be, as the target's last event says.
    fn is_so(&self) -> Decision {
        Decision::Nothing { seq: self.states.target.seq }
    }

    fn target_role(&self) -> Option<Role> {
        self.states.target.role_in(self.id)
    }

    /// The caller's role. A room that they may not see does not exist (CMD6).
    fn caller_role(&self) -> Result<Role, Refused> {
        self.states.caller.role_in(self.id).ok_or_else(|| match self.room.visibility {
            Visibility::Public => not_member(),
            Visibility::Private => no_conversation(),
        })
    }

    fn check(&self, action: Action) -> Result<(), Refused> {
        if may(self.caller_role()?, action) { Ok(()) } else { Err(forbidden("your role does not allow that")) }
    }

    fn check_other(&self, otherwise: &str) -> Result<(), Refused> {
        if self.target == self.caller { Err(Refused::new(ErrorCode::Invalid, otherwise)) } else { Ok(()) }
    }
}

/// Someone's rooms with one more.
pub fn with(rooms: &[Membership], room: ConversationId, role: Role) -> Result<Vec<Membership>, Refused> {
    if rooms.len() >= MAX_ROOMS {
        return Err(full(format!("nobody is in more than {MAX_ROOMS} rooms")));
    }
    Ok(rooms.iter().copied().chain([Membership { room, role, since: None }]).collect())
}

fn without(rooms: &[Membership], room: ConversationId) -> Vec<Membership> {
    rooms.iter().copied().filter(|membership| membership.room != room).collect()
}

fn forbidden(message: &str) -> Refused {
    Refused::new(ErrorCode::Forbidden, message)
}

fn full(message: String) -> Refused {
    Refused::new(ErrorCode::Full, message)
}

#[cfg(test)]
#[path = "decide_tests.rs"]
mod tests;
