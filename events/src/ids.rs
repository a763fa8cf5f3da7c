//! Opaque identities. None of them says anything about the person or the conversation behind it, so that a handle can be
//! forgotten while the log stays (D13).

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use uuid::Uuid;

/// The namespace of direct conversations' ids. Fixed for ever: changing it would give every direct conversation a second
/// identity.
const DIRECT: Uuid = Uuid::from_u128(0x6e61_7474_6572_5f64_9a65_6374_0000_0001);

/// The namespace of rooms' ids. Fixed for ever: a retry of a command has to name the room that the first try made.
const ROOM: Uuid = Uuid::from_u128(0x6e61_7474_6572_5f72_9a6f_6f6d_0000_0001);

/// Most people in one direct conversation, the sender included.
pub const MAX_PARTICIPANTS: usize = 32;

/// What was given is not an identity of this kind.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not a valid {kind}")]
pub struct ParseIdError {
    kind: &'static str,
}

macro_rules! id {
    ($(#[$doc:meta])* $name:ident, $kind:literal, $show:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[cfg_attr(feature = "typescript", derive(ts_rs::TS), ts(type = "string"))]
        pub struct $name(Uuid);

        impl $name {
            /// The identity with these 16 bytes.
            pub const fn from_bytes(bytes: [u8; 16]) -> Self {
                Self(Uuid::from_bytes(bytes))
            }

            /// The 16 bytes of this identity.
            pub const fn as_bytes(&self) -> &[u8; 16] {
                self.0.as_bytes()
            }

            /// The identity as a UUID, for databases.
            pub const fn as_uuid(&self) -> Uuid {
                self.0
            }
        }

        /// In text formats as it is shown, in binary ones as its 16 bytes.
        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                if serializer.is_human_readable() {
                    serializer.collect_str(self)
                } else {
                    serializer.serialize_bytes(self.as_bytes())
                }
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                if deserializer.is_human_readable() {
                    let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
                    text.parse().map_err(serde::de::Error::custom)
                } else {
                    Uuid::deserialize(deserializer).map(Self)
                }
            }
        }

        impl From<Uuid> for $name {
            fn from(uuid: Uuid) -> Self {
                Self(uuid)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.$show().fmt(f)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }

        impl FromStr for $name {
            type Err = ParseIdError;

            fn from_str(text: &str) -> Result<Self, ParseIdError> {
                let id: Uuid = text.parse().map_err(|_| ParseIdError { kind: $kind })?;
                // One spelling per identity (but for the case of letters): what is accepted is what is shown.
                let mut shown = Uuid::encode_buffer();
                if id.$show().encode_lower(&mut shown).eq_ignore_ascii_case(text) {
                    Ok(Self(id))
                } else {
                    Err(ParseIdError { kind: $kind })
                }
            }
        }
    };
}

id!(
    /// A person, for as long as the log lives. Thirty-two hex digits, so that it is one token of a subject.
    Uid, "uid", simple
);
id!(
    /// A conversation: direct (a hash of its people) or a room (made once).
    ConversationId, "conversation id", hyphenated
);
id!(
    /// A UUIDv7 that a client makes once per durable command and keeps over retries (CMD2).
    ClientId, "client id", hyphenated
);
id!(
    /// One login of one device; what a refresh cookie continues and a revocation ends.
    SessionId, "session id", simple
);
id!(
    /// The key that an author's text is sealed with.
    KeyId, "key id", simple
);

impl Uid {
    /// A new person.
    pub fn random() -> Self {
        Self(Uuid::new_v4())
    }
}

impl SessionId {
    /// A new login.
    pub fn random() -> Self {
        Self(Uuid::new_v4())
    }
}

impl KeyId {
    /// A new key.
    pub fn random() -> Self {
        Self(Uuid::new_v4())
    }
}

impl ConversationId {
    /// The direct conversation of a set of people: the same id whatever their order and however often one is named.
    pub fn direct(people: &[Uid]) -> Self {
        let mut sorted = people.to_vec();
        sorted.sort_unstable();
        sorted.dedup();
        let mut name = Vec::with_capacity(sorted.len() * 16);
        for uid in &sorted {
            name.extend_from_slice(uid.as_bytes());
        }
        Self(Uuid::new_v5(&DIRECT, &name))
    }

    /// The room that this command of this person's makes: the same one however often it is tried. A UUIDv7 of the command's
    /// own time; nothing where the command's id has none.
    pub fn room(creator: Uid, id: ClientId) -> Option<Self> {
        let made_at_ms = id.made_at_ms()?;
        let mut name = [0; 32];
        name[..16].copy_from_slice(creator.as_bytes());
        name[16..].copy_from_slice(id.as_bytes());
        let hash = Uuid::new_v5(&ROOM, &name);
        let mut bytes = *hash.as_bytes();
        bytes[..6].copy_from_slice(&made_at_ms.to_be_bytes()[2..]);
        bytes[6] = 0x70 | (bytes[6] & 0x0f);
        Some(Self(Uuid::from_bytes(bytes)))
    }

    /// Whether the id has the form of a direct conversation's, which is a hash (UUIDv5).
    pub fn is_direct(&self) -> bool {
        self.0.get_version_num() == 5
    }

    /// Whether the id has the form of a room's (UUIDv7).
    pub fn is_room(&self) -> bool {
        self.0.get_version_num() == 7
    }

    /// The room as the owner of the key that seals its name and topic.
    pub fn as_owner(&self) -> Uid {
        Uid(self.0)
    }

    /// The key that a room's name and topic are sealed with: it has one for good.
    pub fn key_id(&self) -> KeyId {
        KeyId(self.0)
    }
}

impl ClientId {
    /// The id that a client makes at `unix_ms` on the server's clock.
    pub fn at(unix_ms: u64) -> Self {
        let seconds = unix_ms / 1000;
        let nanos = u32::try_from(unix_ms % 1000).unwrap_or(0) * 1_000_000;
        Self(Uuid::new_v7(uuid::Timestamp::from_unix(uuid::NoContext, seconds, nanos)))
    }

    /// When the id was made, in milliseconds since 1970, if it is a UUIDv7; nothing else carries its own time.
    pub fn made_at_ms(&self) -> Option<u64> {
        if self.0.get_version_num() != 7 {
            return None;
        }
        let bytes = self.0.as_bytes();
        Some(bytes[..6].iter().fold(0, |ms, byte| ms << 8 | u64::from(*byte)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_direct_conversation_is_its_set_of_people() {
        let (a, b) = (Uid::random(), Uid::random());
        assert_eq!(ConversationId::direct(&[a, b]), ConversationId::direct(&[b, a, b]));
        assert_ne!(ConversationId::direct(&[a, b]), ConversationId::direct(&[a]));
        assert!(ConversationId::direct(&[a, b]).is_direct());
    }

    #[test]
    fn the_namespace_of_direct_conversations_never_changes() {
        let people = [Uid::from_bytes([1; 16]), Uid::from_bytes([2; 16])];
        assert_eq!(ConversationId::direct(&people).to_string(), "d3da8450-b372-59ca-8f0c-a7066aa17e6e");
    }

    #[test]
    fn cmd2_a_room_is_named_by_the_command_that_makes_it() {
        let (ada, id) = (Uid::from_bytes([1; 16]), "019f0000-0000-7000-8000-000000000001".parse().expect("an id"));
        let room = ConversationId::room(ada, id).expect("a room");
        assert_eq!(room.to_string(), "019f0000-0000-77a7-ae19-04bedb44f770", "the namespace of rooms never changes");
        assert!(room.is_room() && !room.is_direct());
        assert_ne!(ConversationId::room(Uid::from_bytes([2; 16]), id), Some(room));
        assert_ne!(ConversationId::room(ada, ClientId::at(1)), Some(room));
        assert_eq!(ConversationId::room(ada, ClientId::from(Uuid::new_v4())), None);
    }

    #[test]
    fn an_identity_has_one_spelling() {
        let uid = Uid::random();
        assert_eq!(uid.to_string().parse(), Ok(uid));
        assert_eq!(uid.to_string().to_uppercase().parse(), Ok(uid));
        assert!(uid.as_uuid().hyphenated().to_string().parse::<Uid>().is_err());
        assert!("".parse::<Uid>().is_err());
        assert!(ConversationId::from(uid.as_uuid()).to_string().parse::<Uid>().is_err());
    }

    #[test]
    fn a_client_id_carries_its_own_time() {
        assert_eq!(ClientId::at(1_790_000_000_123).made_at_ms(), Some(1_790_000_000_123));
        assert_eq!(ClientId::from(Uuid::new_v4()).made_at_ms(), None);
    }
}
