//! What goes over the socket. The same names in JSON and MessagePack (FRM1); unknown fields are ignored (FRM2).

use natter_events::{ClientId, ConversationId, MembershipChange, PresenceStatus, Role, SessionId, Visibility};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::error::ErrorCode;
use crate::handle::Handle;
use crate::limits::Limits;
use crate::position::Position;
use crate::timestamp::Timestamp;

/// What a client says.
#[derive(Debug, Clone, PartialEq)]
pub enum ClientFrame {
    Hello(Hello),
    Pong(Progress),
    Applied(Progress),
    Token(Token),
    Send(Send),
    Edit(Edit),
    Delete(Delete),
    React(React),
    Pin(Pin),
    Block(Block),
    Unblock(Block),
    Profile(SetProfile),
    Prefer(Prefer),
    Mark(Mark),
    Typing(Typing),
    Presence(SetPresence),
    Watch(Watch),
    RoomCreate(RoomCreate),
    RoomUpdate(RoomUpdate),
    RoomArchive(RoomCommand),
    RoomJoin(RoomCommand),
    RoomLeave(RoomCommand),
    RoomAdd(RoomMember),
    RoomRemove(RoomMember),
    RoomBan(RoomMember),
    RoomUnban(RoomMember),
    RoomRole(RoomRole),
}

/// The first frame of a connection (CON1).
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct Hello {
    /// The access token, unless the upgrade carried it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token: Option<String>,
    /// What the client calls itself, for logs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resume: Option<Position>,
}

/// `pong` (HRT1) and `applied` (HRT6): how far the client has come.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct Progress {
    pub position: Position,
}

/// A renewed access token (HRT4).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct Token {
    pub token: String,
}

/// Whom a message is for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum To {
    Participants(Vec<Handle>),
    Conversation(ConversationId),
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct Send {
    #[serde(rename = "ref", default, skip_serializing_if = "Option::is_none")]
    pub reference: Option<u64>,
    pub to: To,
    pub id: ClientId,
    pub text: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reply_to: Option<u64>,
    /// The message whose thread it is said in: one that is in no thread itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub thread: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metadata: Option<serde_json::Value>,
}

/// Says a message of one's own otherwise.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct Edit {
    #[serde(rename = "ref", default, skip_serializing_if = "Option::is_none")]
    pub reference: Option<u64>,
    pub conversation: ConversationId,
    pub message: u64,
    pub id: ClientId,
    pub text: String,
}

/// Takes a message of one's own back; that something was said stays.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct Delete {
    #[serde(rename = "ref", default, skip_serializing_if = "Option::is_none")]
    pub reference: Option<u64>,
    pub conversation: ConversationId,
    pub message: u64,
    pub id: ClientId,
}

/// Reacts to a message, or takes that back.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct React {
    #[serde(rename = "ref", default, skip_serializing_if = "Option::is_none")]
    pub reference: Option<u64>,
    pub conversation: ConversationId,
    pub message: u64,
    pub id: ClientId,
    /// One emoji of Unicode's.
    pub emoji: String,
    pub op: Toggle,
}

/// Whether something is added or taken away again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum Toggle {
    Add,
    Remove,
}

/// Puts a message among the conversation's pinned ones, or takes it from there.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct Pin {
    #[serde(rename = "ref", default, skip_serializing_if = "Option::is_none")]
    pub reference: Option<u64>,
    pub conversation: ConversationId,
    pub message: u64,
    pub id: ClientId,
    pub op: Toggle,
}

/// `block` and `unblock`: wants nothing more to do with someone, or takes that back (CMD7).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct Block {
    #[serde(rename = "ref", default, skip_serializing_if = "Option::is_none")]
    pub reference: Option<u64>,
    pub id: ClientId,
    pub user: Handle,
}

/// Says how the user wants to be shown.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct SetProfile {
    #[serde(rename = "ref", default, skip_serializing_if = "Option::is_none")]
    pub reference: Option<u64>,
    pub id: ClientId,
    /// Empty: by their handle.
    pub display_name: String,
}

/// Says how a conversation is to be treated on the user's devices: all of it at once.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct Prefer {
    #[serde(rename = "ref", default, skip_serializing_if = "Option::is_none")]
    pub reference: Option<u64>,
    pub conversation: ConversationId,
    pub id: ClientId,
    #[serde(flatten)]
    pub preferences: Preferences,
}

/// How somebody wants a conversation to be treated. What is left out is as it is at first.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(default)]
pub struct Preferences {
    /// Nothing of it makes itself heard, mentions neither.
    pub muted: bool,
    pub starred: bool,
    /// It is left out of lists until something new is said.
    pub hidden: bool,
    pub notify: Notify,
}

/// What of a conversation somebody wants to be told of.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum Notify {
    #[default]
    All,
    Mentions,
    Nothing,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct Mark {
    #[serde(rename = "ref", default, skip_serializing_if = "Option::is_none")]
    pub reference: Option<u64>,
    pub conversation: ConversationId,
    pub id: ClientId,
    pub read: u64,
    /// The thread that was read, rather than the conversation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub thread: Option<u64>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct Typing {
    #[serde(rename = "ref", default, skip_serializing_if = "Option::is_none")]
    pub reference: Option<u64>,
    pub conversation: ConversationId,
}

/// What a user wants others to see of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum PresenceChoice {
    Online,
    Away,
    Busy,
    Invisible,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct SetPresence {
    #[serde(rename = "ref", default, skip_serializing_if = "Option::is_none")]
    pub reference: Option<u64>,
    pub status: PresenceChoice,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct Watch {
    #[serde(rename = "ref", default, skip_serializing_if = "Option::is_none")]
    pub reference: Option<u64>,
    pub users: Vec<Handle>,
}

/// Makes a room, with the caller as its owner.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct RoomCreate {
    #[serde(rename = "ref", default, skip_serializing_if = "Option::is_none")]
    pub reference: Option<u64>,
    pub id: ClientId,
    pub name: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub topic: Option<String>,
    pub visibility: Visibility,
    /// Who is in it from the beginning, beside the caller.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub members: Vec<Handle>,
}

/// Changes what is given here of a room.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct RoomUpdate {
    #[serde(rename = "ref", default, skip_serializing_if = "Option::is_none")]
    pub reference: Option<u64>,
    pub conversation: ConversationId,
    pub id: ClientId,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Empty: it has none any more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub topic: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub visibility: Option<Visibility>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub archived: Option<bool>,
}

/// `room.archive`, `room.join` and `room.leave`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct RoomCommand {
    #[serde(rename = "ref", default, skip_serializing_if = "Option::is_none")]
    pub reference: Option<u64>,
    pub conversation: ConversationId,
    pub id: ClientId,
}

/// `room.add`, `room.remove`, `room.ban` and `room.unban`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct RoomMember {
    #[serde(rename = "ref", default, skip_serializing_if = "Option::is_none")]
    pub reference: Option<u64>,
    pub conversation: ConversationId,
    pub id: ClientId,
    pub user: Handle,
}

/// Gives a member another role.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct RoomRole {
    #[serde(rename = "ref", default, skip_serializing_if = "Option::is_none")]
    pub reference: Option<u64>,
    pub conversation: ConversationId,
    pub id: ClientId,
    pub user: Handle,
    pub role: Role,
}

/// What Natter says.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum ServerFrame {
    Welcome(Welcome),
    Reset(Reset),
    CaughtUp(CaughtUp),
    Ping(CaughtUp),
    Goodbye(Goodbye),
    Ok(Ok),
    Error(Refusal),
    Message(Message),
    Edited(Edited),
    Deleted(Deleted),
    Reaction(Reaction),
    Pin(Pinned),
    Member(Member),
    Room(Room),
    Block(Blocked),
    Profile(Profile),
    Preferences(Preferred),
    Marker(Marker),
    Presence(Presence),
    Delivered(Delivered),
    Typing(TypingNow),
    /// A type of a later server's (FRM2).
    #[serde(other)]
    Unknown,
}

/// The answer to `hello` (CON3).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct Welcome {
    pub user: Handle,
    pub session: SessionId,
    /// The gateway that answers, for logs and support.
    pub gateway: String,
    /// The server's clock, on which client ids are made.
    pub now: Timestamp,
    pub position: Position,
    pub heartbeat_ms: u64,
    pub limits: Limits,
}

/// Why a client reads again what it cached (CON3).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum ResetReason {
    Fresh,
    TooOld,
    TooMuch,
    OtherLog,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct Reset {
    pub reason: ResetReason,
    pub position: Position,
}

/// The session is complete up to `position`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct CaughtUp {
    pub position: Position,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct Goodbye {
    pub reconnect_after_ms: u64,
}

/// A command was done. Durable ones carry where in the log.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct Ok {
    #[serde(rename = "ref", default, skip_serializing_if = "Option::is_none")]
    pub reference: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seq: Option<u64>,
    /// Left out where the answer does not stand in the event's place in the session's order: a repeat's, for one (CMD2).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub position: Option<Position>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub conversation: Option<ConversationId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub duplicate: bool,
    /// Of a room that was made: who was to be in it and is not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refused: Option<Vec<Handle>>,
}

/// A command was refused.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct Refusal {
    #[serde(rename = "ref", default, skip_serializing_if = "Option::is_none")]
    pub reference: Option<u64>,
    pub code: ErrorCode,
    pub message: String,
    pub temporary: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_after_ms: Option<u64>,
}

/// Someone said something.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct Message {
    pub seq: u64,
    pub position: Position,
    pub conversation: ConversationId,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub participants: Option<Vec<Handle>>,
    pub sender: Handle,
    pub id: ClientId,
    pub text: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reply_to: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub thread: Option<u64>,
    #[serde(default)]
    pub mentions: Vec<Handle>,
    /// It mentions everybody in the room.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub mentions_room: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metadata: Option<serde_json::Value>,
    pub at: Timestamp,
}

/// The text of `message` is another one now.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct Edited {
    pub seq: u64,
    pub position: Position,
    pub conversation: ConversationId,
    pub message: u64,
    pub by: Handle,
    pub id: ClientId,
    pub text: String,
    pub at: Timestamp,
}

/// `message` is shown no more.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct Deleted {
    pub seq: u64,
    pub position: Position,
    pub conversation: ConversationId,
    pub message: u64,
    pub by: Handle,
    pub id: ClientId,
    pub at: Timestamp,
}

/// Someone reacts to `message`, or no longer does.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct Reaction {
    pub seq: u64,
    pub position: Position,
    pub conversation: ConversationId,
    pub message: u64,
    pub user: Handle,
    pub id: ClientId,
    pub emoji: String,
    pub op: Toggle,
    pub at: Timestamp,
}

/// `message` is among the conversation's pinned ones, or no longer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct Pinned {
    pub seq: u64,
    pub position: Position,
    pub conversation: ConversationId,
    pub message: u64,
    pub by: Handle,
    pub id: ClientId,
    pub op: Toggle,
    pub at: Timestamp,
}

/// Someone's place in a room is another one now.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct Member {
    pub seq: u64,
    pub position: Position,
    pub conversation: ConversationId,
    pub user: Handle,
    pub change: MemberChange,
    /// What they are there now; none if they are not in it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<Role>,
    pub by: Handle,
    /// Of the command that it came of; none for who was in a room from its beginning.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<ClientId>,
    pub at: Timestamp,
}

/// How someone's place in a room changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum MemberChange {
    Joined,
    Left,
    Removed,
    Banned,
    Unbanned,
    Role,
}

impl From<MembershipChange> for MemberChange {
    fn from(change: MembershipChange) -> Self {
        match change {
            MembershipChange::Joined => Self::Joined,
            MembershipChange::Left => Self::Left,
            MembershipChange::Removed => Self::Removed,
            MembershipChange::Banned => Self::Banned,
            MembershipChange::Role => Self::Role,
        }
    }
}

/// A room as it is now.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct Room {
    pub seq: u64,
    pub position: Position,
    pub conversation: ConversationId,
    pub name: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub topic: Option<String>,
    pub visibility: Visibility,
    pub archived: bool,
    pub owners: Vec<Handle>,
    pub by: Handle,
    /// Of the command that changed it, where it is told by this frame.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<ClientId>,
    pub at: Timestamp,
}

/// This user, on one of their devices, blocked someone, or no longer does.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct Blocked {
    pub seq: u64,
    pub position: Position,
    pub user: Handle,
    pub blocked: bool,
    pub id: ClientId,
    pub at: Timestamp,
}

/// How someone wants to be shown. To their own sessions, with a place in the log; and at the same time to those who watch
/// them, where it is of the moment, like presence.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct Profile {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seq: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub position: Option<Position>,
    pub user: Handle,
    pub display_name: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<ClientId>,
    pub at: Timestamp,
}

/// How this user, on one of their devices, wants a conversation to be treated.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct Preferred {
    pub seq: u64,
    pub position: Position,
    pub conversation: ConversationId,
    pub id: ClientId,
    #[serde(flatten)]
    pub preferences: Preferences,
    pub at: Timestamp,
}

/// Someone has read up to `read`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct Marker {
    pub seq: u64,
    pub position: Position,
    pub conversation: ConversationId,
    pub user: Handle,
    pub read: u64,
    /// The thread that was read, rather than the conversation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub thread: Option<u64>,
    pub at: Timestamp,
}

/// A watched user's presence.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct Presence {
    pub user: Handle,
    pub status: PresenceStatus,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_seen: Option<Timestamp>,
}

/// A device of `user` has everything of the conversation up to `upto`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct Delivered {
    pub conversation: ConversationId,
    pub user: Handle,
    pub upto: u64,
}

/// `user` is writing in the conversation; valid for five seconds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct TypingNow {
    pub conversation: ConversationId,
    pub user: Handle,
}

impl Refusal {
    /// A refusal with what its code implies.
    pub fn new(reference: Option<u64>, code: ErrorCode, message: impl Into<String>) -> Self {
        Self { reference, code, message: message.into(), temporary: code.temporary(), retry_after_ms: None }
    }

    /// Says when to try again.
    pub fn retry_after_ms(mut self, ms: u64) -> Self {
        self.retry_after_ms = Some(ms);
        self
    }
}

/// One raw JSON object of a message that may hold several.
pub(crate) type RawObject<'a> = &'a RawValue;
