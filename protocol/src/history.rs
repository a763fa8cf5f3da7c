//! Pages of the history API (HST1-3).

use natter_events::{ClientId, ConversationId, Role, Visibility};
use serde::{Deserialize, Serialize};

use crate::frame::Preferences;
use crate::handle::Handle;
use crate::position::Position;
use crate::timestamp::Timestamp;

/// One page, read in one snapshot that is true at `position` (HST1).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct Page<T> {
    pub items: Vec<T>,
    /// Where the next page begins; `null` after the last.
    pub next: Option<String>,
    pub position: Position,
}

/// A message as it now stands (HST3).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct MessageItem {
    pub seq: u64,
    pub conversation: ConversationId,
    pub sender: Handle,
    pub id: ClientId,
    /// As it was said last; empty when it was deleted or its sender was erased.
    pub text: String,
    pub at: Timestamp,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub edited_at: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub deleted: bool,
    /// In the order in which each emoji came first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub reactions: Vec<ReactionItem>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reply_to: Option<u64>,
    /// What `reply_to` names, where the caller may read it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reply: Option<ReplyItem>,
    /// The message in whose thread it is said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub thread: Option<u64>,
    /// What was said in its own thread, if anything that the caller may read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replies: Option<RepliesItem>,
    /// Whom it mentions, as it was sent.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub mentions: Vec<Handle>,
    /// It mentions everybody in the room.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub mentions_room: bool,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub pinned: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metadata: Option<serde_json::Value>,
}

/// The message that another one answers, in brief and as it now stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct ReplyItem {
    pub seq: u64,
    pub sender: Handle,
    /// The beginning of it: at most 200 Unicode scalar values; empty when it was deleted or its sender was erased.
    pub text: String,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub deleted: bool,
}

/// A thread, as the message shows it whose thread it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct RepliesItem {
    /// How many messages of it the caller may read, deleted ones too.
    pub count: u64,
    /// When the last of them was said.
    pub last_at: Timestamp,
    /// How many of them the caller has not read, if they take part: the first message is theirs, or they said something in
    /// the thread, or were mentioned in it by name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unread: Option<u64>,
}

/// A pinned message: an item of `/history/conversations/{id}/pins`, the last one pinned first.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct PinItem {
    pub message: MessageItem,
    /// Who pinned it, and when.
    pub by: Handle,
    pub at: Timestamp,
}

/// Who reacts to a message with one emoji.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct ReactionItem {
    pub emoji: String,
    /// The first of them, in the order in which they did; at most [`MAX_REACTION_USERS`](crate::limits::MAX_REACTION_USERS).
    pub users: Vec<Handle>,
    /// All of them.
    pub count: u64,
}

/// What a message said from some moment on: an item of `/history/conversations/{id}/messages/{seq}/versions`, oldest first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct VersionItem {
    /// The event that said so: the message itself, or an edit.
    pub seq: u64,
    pub text: String,
    pub at: Timestamp,
}

/// What a conversation is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum ConversationKind {
    Direct,
    Room,
}

/// How far another participant of a direct conversation has come.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct Reader {
    pub user: Handle,
    pub read: u64,
    pub delivered: u64,
}

/// An item of `/history/conversations`, and the whole of `/history/conversations/{id}`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct ConversationItem {
    pub conversation: ConversationId,
    pub kind: ConversationKind,
    /// The people of a direct conversation; empty for a room, whose members come in pages.
    pub participants: Vec<Handle>,
    /// The last one outside of threads that the caller may read.
    pub last_message: Option<MessageItem>,
    /// When that was said, or when the caller came into the room, whichever was later.
    pub last_activity: Timestamp,
    /// Messages outside of threads that the caller has not read; in a room, of those since they came.
    pub unread: u64,
    /// Messages, in threads too, that mention the caller and that they have not read.
    pub mentions: u64,
    /// How far the caller has read.
    pub read: u64,
    /// How far the others have come; in a room that is nobody's to know.
    pub markers: Vec<Reader>,
    /// How the caller wants it to be treated; left out where they never said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub preferences: Option<Preferences>,
    /// What only a room has.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub room: Option<RoomItem>,
}

/// A room, as its own page and the list of conversations show it, and the directory of public rooms.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct RoomItem {
    pub conversation: ConversationId,
    pub name: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub topic: Option<String>,
    pub visibility: Visibility,
    pub archived: bool,
    pub owners: Vec<Handle>,
    /// How many are in it.
    pub members: u64,
    /// What the caller is in it; none if they are not in it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<Role>,
}

/// One conversation, true at `position`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct At<T> {
    #[serde(flatten)]
    pub item: T,
    pub position: Position,
}

/// A person.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct UserItem {
    pub user: Handle,
    pub display_name: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_seen: Option<Timestamp>,
}

/// Someone whom the caller has blocked: an item of `/history/blocks`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct BlockItem {
    pub user: Handle,
    pub display_name: String,
}

/// Someone in a conversation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct MemberItem {
    pub user: Handle,
    pub display_name: String,
    /// What they are in a room.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<Role>,
}

/// Someone who may not come back to a room: an item of `/history/conversations/{id}/bans`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct BanItem {
    pub user: Handle,
    pub display_name: String,
}

/// The caller's own command with a given client id, as it was stored: what idempotency for ever is decided by (CMD2).
/// `GET /history/commands/{id}`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StoredCommand {
    pub seq: u64,
    pub conversation: Option<ConversationId>,
    pub at: Timestamp,
    /// The stored fingerprint, as 32 hex digits; only the deployment that holds the key can make one.
    pub fingerprint: Option<String>,
    pub position: Position,
}
