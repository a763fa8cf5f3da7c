//! What the tests of the full-screen client are made of.

use natter_client::{ClientId, ConversationId, ConversationItem, ConversationKind, Handle, MessageItem, Timestamp};

/// 2026-11-21, a Saturday, 14:00 in UTC.
pub const NOON: i64 = 1_795_269_600_000;

pub fn handle(name: &str) -> Handle {
    name.parse().expect("a handle")
}

pub fn ada() -> Handle {
    handle("ada")
}

pub fn bob() -> Handle {
    handle("bob")
}

pub fn id(number: u64) -> ClientId {
    ClientId::from_bytes(u128::from(number).to_be_bytes())
}

/// The same people always have the same one.
pub fn conversation(people: &[Handle]) -> ConversationId {
    let mut people: Vec<_> = people.iter().map(Handle::as_str).collect();
    people.sort_unstable();
    let hash = people.join(",").bytes().fold(7_u128, |hash, byte| hash.wrapping_mul(31) + u128::from(byte));
    ConversationId::from_bytes(hash.to_be_bytes())
}

/// A message between ada and bob, one second after the one before.
pub fn item(seq: u64, sender: &Handle) -> MessageItem {
    MessageItem {
        seq,
        conversation: conversation(&[ada(), bob()]),
        sender: sender.clone(),
        id: id(1_000_000 + seq),
        text: format!("text {seq}"),
        at: Timestamp(NOON + i64::try_from(seq).expect("small") * 1_000),
        edited_at: None,
        deleted: false,
        reactions: Vec::new(),
        reply_to: None,
        reply: None,
        thread: None,
        replies: None,
        mentions: Vec::new(),
        mentions_room: false,
        pinned: false,
        metadata: None,
    }
}

pub fn row(people: &[Handle], last_seq: u64, read: u64, unread: u64) -> ConversationItem {
    let sender = people.iter().find(|person| **person != ada()).cloned().unwrap_or_else(ada);
    let message = MessageItem { conversation: conversation(people), ..item(last_seq, &sender) };
    ConversationItem {
        conversation: message.conversation,
        kind: ConversationKind::Direct,
        participants: people.to_vec(),
        last_activity: message.at,
        last_message: Some(message),
        unread,
        mentions: 0,
        read,
        markers: Vec::new(),
        preferences: None,
        room: None,
    }
}
