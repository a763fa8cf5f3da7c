//! What somebody does next: the whole mix of commands, on what everybody knows of. Much of it is refused, which is part of
//! what is checked.

use std::collections::{HashMap, VecDeque};

use super::Habits;
use natter_client::{
    Block, Client, ClientId, Command, ConversationId, Delete, Edit, Handle, Mark, Notify, Pin, Prefer, Preferences,
    React, Role, RoomCommand, RoomCreate, RoomMember, RoomRole, RoomUpdate, Send, SetProfile, To, Toggle, Visibility,
};
use parking_lot::Mutex;
use rand::RngExt;
use rand::rngs::StdRng;
use rand::seq::IndexedRandom;

/// Messages of a conversation that may be referred to.
const REMEMBERED: usize = 80;
/// Rooms that there may be.
const MAX_ROOMS: usize = 12;
const EMOJI: [&str; 4] = ["👍", "🎉", "👀", "❤️"];
/// An id that is older than this is looked up in history (CMD2).
const NOT_FRESH_MS: u64 = 3_600_000;

/// What everybody knows of: who there is, which rooms, what was said.
pub struct World {
    people: Vec<Handle>,
    known: Mutex<Known>,
}

#[derive(Default)]
struct Known {
    conversations: Vec<ConversationId>,
    said: HashMap<ConversationId, VecDeque<(u64, usize)>>,
    /// Counts texts, so that no two are the same.
    texts: u64,
}

impl World {
    pub fn new(people: Vec<Handle>) -> Self {
        Self { people, known: Mutex::default() }
    }

    pub fn conversations(&self) -> Vec<ConversationId> {
        self.known.lock().conversations.clone()
    }

    /// A command of somebody's was done.
    pub fn learn(&self, person: usize, command: &Command, seq: u64, conversation: Option<ConversationId>) {
        let mut known = self.known.lock();
        let Some(conversation) = conversation else { return };
        if !known.conversations.contains(&conversation) {
            known.conversations.push(conversation);
        }
        if matches!(command, Command::Send(_)) {
            let said = known.said.entry(conversation).or_default();
            said.push_back((seq, person));
            if said.len() > REMEMBERED {
                said.pop_front();
            }
        }
    }

    fn text(&self, person: usize) -> String {
        let mut known = self.known.lock();
        known.texts += 1;
        format!("person {person} says {}", known.texts)
    }

    fn rooms(&self) -> Vec<ConversationId> {
        self.known.lock().conversations.iter().filter(|one| one.is_room()).copied().collect()
    }

    /// Something that was said, and by whom.
    fn message(&self, random: &mut StdRng, by: Option<usize>) -> Option<(ConversationId, u64)> {
        let known = self.known.lock();
        let conversation = *known.conversations.choose(random)?;
        let said = known.said.get(&conversation)?;
        let fitting: Vec<u64> =
            said.iter().filter(|(_, who)| by.is_none_or(|by| by == *who)).map(|one| one.0).collect();
        Some((conversation, *fitting.choose(random)?))
    }
}

/// A command that was done before: now and then the same again, and now and then something else under its id.
pub fn repeat(random: &mut StdRng, done: &VecDeque<Command>, habits: &Habits) -> Option<Command> {
    if done.is_empty() {
        return None;
    }
    let one = done[random.random_range(0..done.len())].clone();
    match random.random_range(0..100) {
        draw if draw < habits.repeats => Some(one),
        draw if draw < habits.repeats + habits.conflicts => match one {
            Command::Send(send) => Some(Command::Send(Send { text: format!("{} or not", send.text), ..send })),
            Command::Edit(edit) => Some(Command::Edit(Edit { text: format!("{} or not", edit.text), ..edit })),
            _ => None,
        },
        _ => None,
    }
}

/// A new command.
pub fn next(random: &mut StdRng, world: &World, me: usize, client: &Client, habits: &Habits) -> Command {
    // One that was made long ago, as by a device that was off.
    let id = match client.new_id() {
        id if random.random_range(0..100) < habits.old_ids => {
            ClientId::at(id.made_at_ms().unwrap_or(NOT_FRESH_MS) - NOT_FRESH_MS)
        }
        id => id,
    };
    let rooms = world.rooms();
    let room = rooms.choose(random).copied();
    let user = world.people.choose(random).cloned().unwrap_or_else(|| panic!("nobody is there"));
    let toggle = if random.random_range(0..3) > 0 { Toggle::Add } else { Toggle::Remove };
    let reference = None;
    let of_room = |conversation| RoomCommand { reference, conversation, id };
    let of_member = |conversation| RoomMember { reference, conversation, id, user: user.clone() };
    let chosen = match random.random_range(0..1_000) {
        0..100 => world.message(random, None).map(|(conversation, message)| {
            let emoji = EMOJI.choose(random).copied().unwrap_or_default().to_owned();
            Command::React(React { reference, conversation, message, id, emoji, op: toggle })
        }),
        100..180 => world.message(random, Some(me)).map(|(conversation, message)| {
            Command::Edit(Edit { reference, conversation, message, id, text: world.text(me) })
        }),
        180..210 => world
            .message(random, Some(me))
            .map(|(conversation, message)| Command::Delete(Delete { reference, conversation, message, id })),
        210..290 => world
            .message(random, None)
            .map(|(conversation, read)| Command::Mark(Mark { reference, conversation, id, read, thread: None })),
        290..310 => world
            .message(random, None)
            .map(|(conversation, message)| Command::Pin(Pin { reference, conversation, message, id, op: toggle })),
        310..318 => Some(Command::Block(Block { reference, id, user: user.clone() })),
        318..340 => Some(Command::Unblock(Block { reference, id, user: user.clone() })),
        340..350 => Some(Command::Profile(SetProfile { reference, id, display_name: world.text(me) })),
        350..360 => world.message(random, None).map(|(conversation, _)| {
            let preferences =
                Preferences { muted: random.random(), notify: Notify::Mentions, ..Preferences::default() };
            Command::Prefer(Prefer { reference, conversation, id, preferences })
        }),
        360..410 => room.map(|room| Command::RoomJoin(of_room(room))),
        410..435 => room.map(|room| Command::RoomLeave(of_room(room))),
        435..475 => room.map(|room| Command::RoomAdd(of_member(room))),
        475..505 => room.map(|room| Command::RoomRemove(of_member(room))),
        505..512 => room.map(|room| Command::RoomBan(of_member(room))),
        512..530 => room.map(|room| Command::RoomUnban(of_member(room))),
        530..550 => room.map(|conversation| {
            let role = *[Role::Member, Role::Moderator, Role::Owner].choose(random).unwrap_or(&Role::Member);
            Command::RoomRole(RoomRole { reference, conversation, id, user: user.clone(), role })
        }),
        550..565 => room.map(|conversation| {
            let visibility = if random.random_range(0..3) > 0 { Visibility::Public } else { Visibility::Private };
            let (name, topic, archived) = (Some(world.text(me)), None, Some(false));
            let visibility = Some(visibility);
            Command::RoomUpdate(RoomUpdate { reference, conversation, id, name, topic, visibility, archived })
        }),
        565..567 => room.map(|room| Command::RoomArchive(of_room(room))),
        _ => None,
    };
    if let Some(command) = chosen {
        return command;
    }
    if rooms.len() < 3 || (rooms.len() < MAX_ROOMS && random.random_range(0..200) == 0) {
        let members = world.people.iter().enumerate().filter(|(number, _)| *number != me).map(|(_, who)| who.clone());
        let visibility = if random.random() { Visibility::Public } else { Visibility::Private };
        let (name, topic, members) = (world.text(me), None, members.collect());
        return Command::RoomCreate(RoomCreate { reference, id, name, topic, visibility, members });
    }
    let (mut reply_to, mut thread) = (None, None);
    let to = match room {
        Some(room) if random.random_range(0..3) > 0 => {
            if random.random_range(0..8) == 0
                && let Some((conversation, message)) = world.message(random, None)
                && conversation == room
            {
                if random.random() { reply_to = Some(message) } else { thread = Some(message) }
            }
            To::Conversation(room)
        }
        _ => {
            let mut others = vec![user];
            if random.random_range(0..4) == 0 {
                others.extend(world.people.choose(random).cloned());
            }
            To::Participants(others)
        }
    };
    Command::Send(Send { reference, to, id, text: world.text(me), reply_to, thread, metadata: None })
}
