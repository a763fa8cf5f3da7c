//! One message, and what happens to it.

use std::collections::HashMap;

use natter_protocol::frame::Toggle;
use natter_protocol::history::{MessageItem, ReactionItem, RepliesItem, ReplyItem};
use natter_protocol::limits::MAX_REACTION_USERS;
use natter_protocol::{Handle, Timestamp};

/// So much of a message is shown by those that answer it, in Unicode scalar values: as history does.
const PREVIEW_CHARS: usize = 200;

/// Something that happened to a message.
#[derive(Debug, Clone)]
pub(super) struct Change {
    pub seq: u64,
    pub message: u64,
    pub what: What,
}

#[derive(Debug, Clone)]
pub(super) enum What {
    Edited {
        by: Handle,
        text: String,
        at: Timestamp,
    },
    Deleted,
    Reaction {
        user: Handle,
        emoji: String,
        op: Toggle,
    },
    Pinned(Toggle),
    /// Something was said in its thread.
    Replied {
        at: Timestamp,
    },
}

/// A message as it stood at some moment, with what happened since.
#[derive(Debug, Clone)]
pub(super) struct Held {
    pub item: MessageItem,
    /// Everything up to here is in the item.
    pub as_of: u64,
    /// The edit that the text is from, if that came after; and the one that is shown of what it answers.
    edited: u64,
    answered_edited: u64,
    /// The last time that it was pinned or unpinned, if that came after.
    pinned: u64,
    /// The last change of each reaction that came after.
    reacted: HashMap<(String, Handle), u64>,
}

impl Held {
    pub fn new(item: MessageItem, as_of: u64) -> Self {
        Self { item, as_of, edited: as_of, answered_edited: as_of, pinned: as_of, reacted: HashMap::new() }
    }

    /// Takes in a change of it, or of what it answers; any other is nothing to it.
    pub fn apply(&mut self, change: &Change) -> bool {
        if change.seq <= self.as_of {
            return false;
        }
        if change.message == self.item.seq {
            self.changed(change)
        } else if self.item.reply_to == Some(change.message) {
            self.answered_changed(change)
        } else {
            false
        }
    }

    /// A delete wins over everything that is said of the message itself; else of edits, of pins and of what one person does
    /// with one emoji the last word stands.
    fn changed(&mut self, change: &Change) -> bool {
        let item = &mut self.item;
        match &change.what {
            What::Replied { at } => {
                let replies = item.replies.get_or_insert(RepliesItem { count: 0, last_at: *at, unread: None });
                replies.count += 1;
                replies.last_at = replies.last_at.max(*at);
                replies.unread = None;
                true
            }
            _ if item.deleted => false,
            What::Edited { by, text, at } if *by == item.sender && change.seq > self.edited => {
                self.edited = change.seq;
                item.text.clone_from(text);
                item.edited_at = Some(*at);
                true
            }
            What::Edited { .. } => false,
            What::Deleted => {
                item.deleted = true;
                item.text.clear();
                item.edited_at = None;
                item.metadata = None;
                item.mentions.clear();
                item.mentions_room = false;
                item.pinned = false;
                item.reactions.clear();
                self.reacted.clear();
                true
            }
            What::Pinned(op) => {
                if change.seq < self.pinned {
                    return false;
                }
                self.pinned = change.seq;
                let pinned = *op == Toggle::Add;
                std::mem::replace(&mut item.pinned, pinned) != pinned
            }
            What::Reaction { user, emoji, op } => {
                let last = self.reacted.entry((emoji.clone(), user.clone())).or_default();
                if change.seq < std::mem::replace(last, change.seq.max(*last)) {
                    return false;
                }
                react(&mut item.reactions, emoji, user, *op)
            }
        }
    }

    /// The same for what is shown of the message that it answers.
    fn answered_changed(&mut self, change: &Change) -> bool {
        let Some(reply) = self.item.reply.as_mut().filter(|reply| !reply.deleted) else { return false };
        match &change.what {
            What::Edited { by, text, .. } if *by == reply.sender && change.seq > self.answered_edited => {
                self.answered_edited = change.seq;
                reply.text = beginning(text);
                true
            }
            What::Deleted => {
                reply.deleted = true;
                reply.text.clear();
                true
            }
            _ => false,
        }
    }
}

/// What the answers to a message show of it.
pub(super) fn preview(item: &MessageItem) -> ReplyItem {
    ReplyItem { seq: item.seq, sender: item.sender.clone(), text: beginning(&item.text), deleted: item.deleted }
}

fn beginning(text: &str) -> String {
    text.chars().take(PREVIEW_CHARS).collect()
}

fn react(reactions: &mut Vec<ReactionItem>, emoji: &str, user: &Handle, op: Toggle) -> bool {
    let place = reactions.iter().position(|reaction| reaction.emoji == emoji);
    let there = place.and_then(|place| reactions[place].users.iter().position(|other| other == user));
    match (op, place, there) {
        (Toggle::Add, None, _) => {
            reactions.push(ReactionItem { emoji: emoji.to_owned(), users: vec![user.clone()], count: 1 });
            true
        }
        (Toggle::Add, Some(place), None) => {
            let reaction = &mut reactions[place];
            reaction.count += 1;
            if reaction.users.len() < MAX_REACTION_USERS {
                reaction.users.push(user.clone());
            }
            true
        }
        (Toggle::Remove, Some(place), there) => {
            let reaction = &mut reactions[place];
            let unnamed = reaction.count > reaction.users.len() as u64;
            match there {
                Some(there) => _ = reaction.users.remove(there),
                None if unnamed => {}
                None => return false,
            }
            reaction.count -= 1;
            if reaction.count == 0 {
                reactions.remove(place);
            }
            true
        }
        (Toggle::Add, Some(_), Some(_)) | (Toggle::Remove, None, _) => false,
    }
}
