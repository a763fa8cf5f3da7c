//! The facts that Natter records, and the bytes they are recorded as.
//!
//! Everything in here is pure: no IO, no async, no clock. A reader of the log needs this crate and nothing else of
//! Natter's. The way in is [`Record`]: [`Record::encode`] makes the bytes of one stored event, [`Record::decode`] checks
//! and reads them, and [`Envelope::peek`] reads only what routing needs.
//!
//! - [`ids`]: opaque identities of people, conversations, sessions and keys
//! - [`subject`]: where in the log an event is written
//! - [`event`]: what can happen, one struct a type and version
//! - [`record`]: envelope, body and checksum as bytes
//! - [`seal`]: text that can be forgotten by deleting a key
//! - [`fingerprint`]: what a repeated command is compared with

pub mod event;
pub mod fingerprint;
pub mod ids;
pub mod record;
pub mod seal;
pub mod subject;
mod upcast;

pub use event::{
    Account, BlockChanged, Event, Membership, MembershipChange, MembershipChanged, MessageDeleted, MessageEdited,
    MessagePinned, MessageSent, MessageUnpinned, PreferencesChanged, PresenceChanged, PresenceStatus, ProfileChanged,
    ReactionAdded, ReactionRemoved, ReadMarkerMoved, ReceivedUpTo, Revocation, RevokedSessions, Role, Room, RoomChange,
    RoomChanged, SessionsRevoked, UserRegistered, Visibility,
};
pub use fingerprint::{Fingerprint, Intent};
pub use ids::{ClientId, ConversationId, KeyId, SessionId, Uid};
pub use record::{DecodeError, Envelope, Record, Tag};
pub use seal::{ContentKey, Field, SealError, Sealed};
pub use subject::Subject;
