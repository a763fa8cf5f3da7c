//! What a retry of a command is compared with (CMD2): a hash of all it asks for, under a key of its author's, so that it
//! says nothing to whoever reads the log, and means nothing once the author's key is gone.

use std::fmt;

use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::ids::{ClientId, ConversationId, Uid};
use crate::seal::ContentKey;

const CONTEXT: &str = "natter 2026 command fingerprint";

/// Equal for equal commands of one author.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Fingerprint(#[serde(with = "as_array")] [u8; 16]);

/// What a command asks for: in a conversation, or of an account.
#[derive(Clone, Copy, Debug)]
pub enum Intent<'a> {
    Send {
        text: &'a str,
        reply_to: Option<u64>,
        thread: Option<u64>,
        metadata: Option<&'a [u8]>,
    },
    Edit {
        message: u64,
        text: &'a str,
    },
    Delete {
        message: u64,
    },
    AddReaction {
        message: u64,
        emoji: &'a str,
    },
    RemoveReaction {
        message: u64,
        emoji: &'a str,
    },
    Pin {
        message: u64,
    },
    Unpin {
        message: u64,
    },
    Block {
        user: Uid,
    },
    Unblock {
        user: Uid,
    },
    /// Any other command: what it is called, and all that it asks for, in one spelling.
    Other {
        what: &'static str,
        asks: &'a [u8],
    },
}

impl Fingerprint {
    /// The bytes, for a database.
    pub const fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }

    /// A fingerprint read back from a database.
    pub const fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }
}

impl fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", u128::from_be_bytes(self.0))
    }
}

impl ContentKey {
    /// The fingerprint of a command that this key's owner gives, in a conversation if it is one about messages.
    pub fn fingerprint(
        &self,
        conversation: impl Into<Option<ConversationId>>,
        id: ClientId,
        intent: Intent<'_>,
    ) -> Fingerprint {
        let key = Zeroizing::new(blake3::derive_key(CONTEXT, self.expose()));
        let mut hasher = blake3::Hasher::new_keyed(&key);
        let conversation = conversation.into().map_or([0; 16], |conversation| *conversation.as_bytes());
        hasher.update(&conversation).update(id.as_bytes());
        // Lengths first, so that no two commands have the same bytes.
        let (number, message, rest): (u8, u64, &[u8]) = match &intent {
            Intent::Send { text, reply_to, thread, metadata } => {
                hasher.update(&(text.len() as u64).to_le_bytes()).update(text.as_bytes());
                hasher.update(&reply_to.map_or(0, |seq| seq.saturating_add(1)).to_le_bytes());
                // A message outside of threads has the bytes that it had before there were any.
                if let Some(thread) = thread {
                    hasher.update(&[2]).update(&thread.to_le_bytes());
                }
                match metadata {
                    None => hasher.update(&[0]),
                    Some(bytes) => hasher.update(&[1]).update(bytes),
                };
                return finish(&hasher);
            }
            Intent::Edit { message, text } => (1, *message, text.as_bytes()),
            Intent::Delete { message } => (2, *message, &[]),
            Intent::AddReaction { message, emoji } => (3, *message, emoji.as_bytes()),
            Intent::RemoveReaction { message, emoji } => (4, *message, emoji.as_bytes()),
            Intent::Block { user } => (5, 0, user.as_bytes()),
            Intent::Unblock { user } => (6, 0, user.as_bytes()),
            Intent::Pin { message } => (7, *message, &[]),
            Intent::Unpin { message } => (8, *message, &[]),
            Intent::Other { what, asks } => {
                hasher.update(&u64::MAX.to_le_bytes()).update(&[9]);
                hasher.update(&(what.len() as u64).to_le_bytes()).update(what.as_bytes()).update(asks);
                return finish(&hasher);
            }
        };
        // No text is that long: none of these is a message's.
        hasher.update(&u64::MAX.to_le_bytes()).update(&[number]);
        hasher.update(&message.to_le_bytes()).update(rest);
        finish(&hasher)
    }
}

fn finish(hasher: &blake3::Hasher) -> Fingerprint {
    let mut print = [0; 16];
    print.copy_from_slice(&hasher.finalize().as_bytes()[..16]);
    Fingerprint(print)
}

mod as_array {
    use serde::Serializer;
    use serde::de::{Deserializer, Error};

    pub fn serialize<S: Serializer>(bytes: &[u8; 16], serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(bytes)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<[u8; 16], D::Error> {
        let bytes = crate::seal::as_bytes::deserialize(deserializer)?;
        bytes.try_into().map_err(|_| D::Error::custom("not 16 bytes"))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn cmd2_a_fingerprint_tells_every_part_of_a_command() {
        let (key, conversation, id) = (ContentKey::random(), ConversationId::direct(&[Uid::random()]), ClientId::at(1));
        let said = |text, reply_to, metadata| Intent::Send { text, reply_to, thread: None, metadata };
        let base = said("a", None, None);
        assert_eq!(key.fingerprint(conversation, id, base), key.fingerprint(conversation, id, base));
        let intents = [
            base,
            said("b", None, None),
            said("a", Some(0), None),
            said("a", None, Some(b"")),
            Intent::Send { text: "a", reply_to: None, thread: Some(0), metadata: None },
            Intent::Send { text: "a", reply_to: None, thread: Some(1), metadata: None },
            Intent::Edit { message: 7, text: "a" },
            Intent::Edit { message: 8, text: "a" },
            Intent::Edit { message: 7, text: "b" },
            Intent::Delete { message: 7 },
            Intent::Delete { message: 8 },
            Intent::AddReaction { message: 7, emoji: "a" },
            Intent::AddReaction { message: 7, emoji: "b" },
            Intent::RemoveReaction { message: 7, emoji: "a" },
            Intent::Block { user: Uid::from_bytes([1; 16]) },
            Intent::Block { user: Uid::from_bytes([2; 16]) },
            Intent::Unblock { user: Uid::from_bytes([1; 16]) },
            Intent::Pin { message: 7 },
            Intent::Unpin { message: 7 },
            Intent::Other { what: "join", asks: b"" },
            Intent::Other { what: "leave", asks: b"" },
            Intent::Other { what: "leave", asks: b"x" },
        ];
        let mut prints: Vec<_> = intents.iter().map(|intent| key.fingerprint(conversation, id, *intent)).collect();
        prints.push(key.fingerprint(ConversationId::direct(&[Uid::random()]), id, base));
        prints.push(key.fingerprint(None, id, base));
        prints.push(key.fingerprint(conversation, ClientId::at(2), base));
        prints.push(ContentKey::random().fingerprint(conversation, id, base));
        let distinct: HashSet<_> = prints.iter().map(|print| *print.as_bytes()).collect();
        assert_eq!(distinct.len(), prints.len());
    }
}
