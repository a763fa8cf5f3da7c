//! What happens to rooms: coming into one, leaving, who else comes and goes, and what becomes of the room.

use natter_client::{ConversationId, Member, MemberChange, Position, Room};

use super::composer::Composer;
use super::key::Key;
use super::state::{Effect, Focus, State};
use crate::chat::room::words;

/// Rooms that were left, of which a row may still be on its way.
const MAX_LEFT: usize = 1_000;

impl State {
    /// Somebody's place in a room is another one now.
    pub(super) fn member(&mut self, member: &Member, effects: &mut Vec<Effect>) {
        let told = words::member(member, &self.me);
        let room = member.conversation;
        if member.user == self.me {
            match member.change {
                MemberChange::Left | MemberChange::Removed | MemberChange::Banned => {
                    return self.leave(room, member.seq, Some(&told));
                }
                // A room that begins with this user in it tells so next, and only then is there something to be read.
                MemberChange::Joined if member.id.is_some() => self.ask_for_room(room, member.position, effects),
                MemberChange::Joined | MemberChange::Role | MemberChange::Unbanned => {}
            }
        }
        let me = self.me.clone();
        if let Some(conversation) = self.known(room) {
            conversation.member(member, told, &me);
        }
    }

    /// A room began, or changed.
    pub(super) fn room(&mut self, room: &Room, effects: &mut Vec<Effect>) {
        let me = self.me.clone();
        match self.known(room.conversation) {
            Some(conversation) => conversation.room(room, &me),
            None => self.ask_for_room(room.conversation, room.position, effects),
        }
    }

    /// Asks for what the list says of a room, as it is at this position or later.
    pub(super) fn ask_for_room(&mut self, id: ConversationId, at_least: Position, effects: &mut Vec<Effect>) {
        effects.push(Effect::ReadRow { generation: self.generation, id, at_least: Some(at_least) });
    }

    /// This user is in the room no more, as an event at `seq` says: nothing of it is shown any longer.
    pub(super) fn leave(&mut self, id: ConversationId, seq: u64, told: Option<&str>) {
        if self.left.len() >= MAX_LEFT {
            self.left.clear();
        }
        self.left.insert(id, seq);
        let key = Key::Room(id);
        let Some(left) = self.conversations.remove(&key) else { return };
        self.drafts.remove(&key);
        if self.open.as_ref() == Some(&key) {
            self.open = None;
            self.composer = Composer::default();
            self.scroll = 0;
            self.focus = Focus::List;
        }
        if self.selected.as_ref() == Some(&key) {
            self.selected = self.conversations().first().map(|first| first.key.clone());
        }
        let name = left.room.as_ref().map_or_else(|| "a room".to_owned(), words::name);
        self.notice = told.map(|told| format!("{name}: {told}"));
    }
}

#[cfg(test)]
#[path = "rooms_tests.rs"]
mod tests;
