//! Reads the body of any version that was ever written as the newest one.
//!
//! To add version N+1 of a type: keep the old struct here under its version, write `From<old> for new`, add its arm, and
//! commit a golden file of the new version. Golden files of old versions stay, and keep decoding.

use serde::Deserialize;

use crate::event::{
    BlockChanged, Event, MembershipChanged, MessageDeleted, MessageEdited, MessagePinned, MessageSent, MessageUnpinned,
    PreferencesChanged, PresenceChanged, ProfileChanged, ReactionAdded, ReactionRemoved, ReadMarkerMoved, ReceivedUpTo,
    RoomChanged, SessionsRevoked, UserRegistered,
};
use crate::record::{DecodeError, MAX_DEPTH};

/// Decodes the body of `kind` at `version`.
pub(crate) fn body(kind: &str, version: u16, bytes: &[u8]) -> Result<Event, DecodeError> {
    match (kind, version) {
        (MessageSent::KIND, 1) => read::<MessageSent>(bytes),
        (MessageEdited::KIND, 1) => read::<MessageEdited>(bytes),
        (MessageDeleted::KIND, 1) => read::<MessageDeleted>(bytes),
        (ReactionAdded::KIND, 1) => read::<ReactionAdded>(bytes),
        (ReactionRemoved::KIND, 1) => read::<ReactionRemoved>(bytes),
        (MessagePinned::KIND, 1) => read::<MessagePinned>(bytes),
        (MessageUnpinned::KIND, 1) => read::<MessageUnpinned>(bytes),
        (ReadMarkerMoved::KIND, 1) => read::<ReadMarkerMoved>(bytes),
        (UserRegistered::KIND, 1) => read::<UserRegistered>(bytes),
        (SessionsRevoked::KIND, 1) => read::<SessionsRevoked>(bytes),
        (BlockChanged::KIND, 1) => read::<BlockChanged>(bytes),
        (ProfileChanged::KIND, 1) => read::<ProfileChanged>(bytes),
        (PreferencesChanged::KIND, 1) => read::<PreferencesChanged>(bytes),
        (MembershipChanged::KIND, 1) => read::<MembershipChanged>(bytes),
        (RoomChanged::KIND, 1) => read::<RoomChanged>(bytes),
        (PresenceChanged::KIND, 1) => read::<PresenceChanged>(bytes),
        (ReceivedUpTo::KIND, 1) => read::<ReceivedUpTo>(bytes),
        (_, 0) => Err(DecodeError::Malformed("versions begin at 1")),
        _ => Err(DecodeError::LaterVersion { kind: kind.to_owned(), version }),
    }
}

fn read<'a, T: Deserialize<'a> + Into<Event>>(bytes: &'a [u8]) -> Result<Event, DecodeError> {
    let mut deserializer = rmp_serde::Deserializer::from_read_ref(bytes);
    deserializer.set_max_depth(MAX_DEPTH);
    T::deserialize(&mut deserializer).map(Into::into).map_err(DecodeError::Body)
}
