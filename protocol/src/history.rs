//! Pages of the history API (HST1-3).

use natter_events::{ClientId, ConversationId};
use serde::{Deserialize, Serialize};

use crate::handle::Handle;
use crate::position::Position;
use crate::timestamp::Timestamp;

/// One page, read in one snapshot that is true at `position` (HST1).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Page<T> {
    pub items: Vec<T>,
    /// Where the next page begins; `null` after the last.
    pub next: Option<String>,
    pub position: Position,
}

/// A message as it now stands (HST3).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
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
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metadata: Option<serde_json::Value>,
}

/// Who reacts to a message with one emoji.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReactionItem {
    pub emoji: String,
    /// The first of them, in the order in which they did; at most [`MAX_REACTION_USERS`](crate::limits::MAX_REACTION_USERS).
    pub users: Vec<Handle>,
    /// All of them.
    pub count: u64,
}

/// What a message said from some moment on: an item of `/history/conversations/{id}/messages/{seq}/versions`, oldest first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct VersionItem {
    /// The event that said so: the message itself, or an edit.
    pub seq: u64,
    pub text: String,
    pub at: Timestamp,
}

/// What a conversation is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ConversationKind {
    Direct,
    Room,
}

/// How far another participant of a direct conversation has come.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reader {
    pub user: Handle,
    pub read: u64,
    pub delivered: u64,
}

/// An item of `/history/conversations`, and the whole of `/history/conversations/{id}`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ConversationItem {
    pub conversation: ConversationId,
    pub kind: ConversationKind,
    pub participants: Vec<Handle>,
    pub last_message: Option<MessageItem>,
    pub last_activity: Timestamp,
    pub unread: u64,
    pub mentions: u64,
    /// How far the caller has read.
    pub read: u64,
    /// How far the others have come.
    pub markers: Vec<Reader>,
}

/// One conversation, true at `position`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct At<T> {
    #[serde(flatten)]
    pub item: T,
    pub position: Position,
}

/// A person.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct UserItem {
    pub user: Handle,
    pub display_name: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_seen: Option<Timestamp>,
}

/// Someone whom the caller has blocked: an item of `/history/blocks`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BlockItem {
    pub user: Handle,
    pub display_name: String,
}

/// Someone in a conversation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MemberItem {
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
