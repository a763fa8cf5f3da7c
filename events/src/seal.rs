//! What people wrote, sealed so that it can be forgotten (D13).
//!
//! Each author has a content key. Every field that a person wrote is encrypted with it on its own
//! (XChaCha20-Poly1305, a random nonce, the author and the field's name as associated data, so that a ciphertext can't be
//! moved to another field or person). The key's id stands in the envelope. Deleting the key makes every such field
//! unreadable for ever, while the log replays as before.
//!
//! Keys at rest are wrapped with the deployment's master key in the same way.

use std::fmt;

use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{Key, XChaCha20Poly1305, XNonce};
use serde::ser::SerializeStruct;
use serde::{Deserialize, Serialize, Serializer};
use zeroize::Zeroizing;

use crate::ids::{KeyId, Uid};

const NONCE_BYTES: usize = 24;
const TAG_BYTES: usize = 16;

/// The ciphertext did not open: another key, another owner or field, or damaged bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("sealed text does not open with this key")]
pub struct SealError;

/// The name of a sealed field: part of what authenticates it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Field {
    Text,
    Emoji,
    Metadata,
    Handle,
    DisplayName,
    StatusText,
    RoomName,
    RoomTopic,
    Preferences,
}

impl Field {
    fn name(self) -> &'static str {
        match self {
            Field::Text => "text",
            Field::Emoji => "emoji",
            Field::Metadata => "metadata",
            Field::Handle => "handle",
            Field::DisplayName => "display_name",
            Field::StatusText => "status_text",
            Field::RoomName => "room_name",
            Field::RoomTopic => "room_topic",
            Field::Preferences => "preferences",
        }
    }
}

/// A field as the log holds it: nonce, then ciphertext with its tag.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(transparent)]
pub struct Sealed(#[serde(deserialize_with = "as_bytes::deserialize")] Vec<u8>);

/// In binary formats its bytes. In text formats, which are for people and analytics, only how many there are.
impl Serialize for Sealed {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if serializer.is_human_readable() {
            let mut size = serializer.serialize_struct("Sealed", 1)?;
            size.serialize_field("sealed_bytes", &self.0.len())?;
            size.end()
        } else {
            serializer.serialize_bytes(&self.0)
        }
    }
}

impl Sealed {
    /// The stored bytes.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// Takes stored bytes for a sealed field; whether they are one shows when they are opened.
    pub fn from_bytes(bytes: Vec<u8>) -> Self {
        Self(bytes)
    }

    /// How many bytes `plain` bytes take when sealed.
    pub const fn sealed_len(plain: usize) -> usize {
        NONCE_BYTES + plain + TAG_BYTES
    }
}

impl fmt::Debug for Sealed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Sealed({} bytes)", self.0.len())
    }
}

/// A 256-bit key: an author's content key, or the deployment's master key that wraps those.
#[derive(Clone)]
pub struct ContentKey(Zeroizing<[u8; 32]>);

impl ContentKey {
    /// A new key.
    pub fn random() -> Self {
        Self(Zeroizing::new(rand::random()))
    }

    /// The key with these bytes.
    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(Zeroizing::new(bytes))
    }

    /// The key's bytes, to be written to a key file and nowhere else.
    pub fn expose(&self) -> &[u8; 32] {
        &self.0
    }

    /// Seals one field of an owner's.
    pub fn seal(&self, owner: Uid, field: Field, plain: &[u8]) -> Sealed {
        self.encrypt(rand::random(), &associated_data(owner, field.name()), plain)
    }

    /// As [`seal`](Self::seal) with a nonce of the caller's, so that golden files are the same each time they are made. A
    /// nonce must never be used twice with one key.
    pub fn seal_with_nonce(&self, nonce: [u8; NONCE_BYTES], owner: Uid, field: Field, plain: &[u8]) -> Sealed {
        self.encrypt(nonce, &associated_data(owner, field.name()), plain)
    }

    /// Opens one field of an owner's.
    pub fn open(&self, owner: Uid, field: Field, sealed: &Sealed) -> Result<Vec<u8>, SealError> {
        self.decrypt(&associated_data(owner, field.name()), &sealed.0)
    }

    /// Opens a field that holds text.
    pub fn open_text(&self, owner: Uid, field: Field, sealed: &Sealed) -> Result<String, SealError> {
        String::from_utf8(self.open(owner, field, sealed)?).map_err(|_| SealError)
    }

    /// Wraps an author's content key with this master key, to be stored.
    pub fn wrap(&self, owner: Uid, id: KeyId, content_key: &ContentKey) -> Sealed {
        self.encrypt(rand::random(), &associated_data(owner, &id.to_string()), content_key.expose())
    }

    /// Unwraps an author's stored content key with this master key.
    pub fn unwrap(&self, owner: Uid, id: KeyId, wrapped: &Sealed) -> Result<ContentKey, SealError> {
        let bytes = Zeroizing::new(self.decrypt(&associated_data(owner, &id.to_string()), &wrapped.0)?);
        let key: [u8; 32] = bytes.as_slice().try_into().map_err(|_| SealError)?;
        Ok(ContentKey::from_bytes(key))
    }

    fn encrypt(&self, nonce: [u8; NONCE_BYTES], aad: &[u8], plain: &[u8]) -> Sealed {
        let mut bytes = Vec::with_capacity(Sealed::sealed_len(plain.len()));
        bytes.extend_from_slice(&nonce);
        let sealed = self.cipher().encrypt(&XNonce::from(nonce), Payload { msg: plain, aad });
        // The cipher refuses only what is longer than 256 GiB.
        bytes.extend_from_slice(&sealed.unwrap_or_default());
        Sealed(bytes)
    }

    fn decrypt(&self, aad: &[u8], sealed: &[u8]) -> Result<Vec<u8>, SealError> {
        let (nonce, msg) = sealed.split_first_chunk::<NONCE_BYTES>().ok_or(SealError)?;
        self.cipher().decrypt(&XNonce::from(*nonce), Payload { msg, aad }).map_err(|_| SealError)
    }

    fn cipher(&self) -> XChaCha20Poly1305 {
        XChaCha20Poly1305::new(&Key::from(*self.0))
    }
}

impl fmt::Debug for ContentKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ContentKey(…)")
    }
}

fn associated_data(owner: Uid, name: &str) -> Vec<u8> {
    [owner.as_bytes(), name.as_bytes()].concat()
}

/// Bytes as bytes, never as an array of numbers.
pub(crate) mod as_bytes {
    use serde::de::{Deserializer, Error, SeqAccess, Visitor};

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<u8>, D::Error> {
        struct Bytes;
        impl<'de> Visitor<'de> for Bytes {
            type Value = Vec<u8>;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("bytes")
            }

            fn visit_bytes<E: Error>(self, bytes: &[u8]) -> Result<Vec<u8>, E> {
                Ok(bytes.to_vec())
            }

            fn visit_seq<A: SeqAccess<'de>>(self, _: A) -> Result<Vec<u8>, A::Error> {
                Err(A::Error::custom("an array where bytes were expected"))
            }
        }
        deserializer.deserialize_bytes(Bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn d13_sealed_text_opens_only_for_its_owner_field_and_key() {
        let (key, owner) = (ContentKey::random(), Uid::random());
        let sealed = key.seal(owner, Field::Text, "grüße".as_bytes());
        assert_eq!(key.open_text(owner, Field::Text, &sealed).as_deref(), Ok("grüße"));
        assert_eq!(key.open(owner, Field::Metadata, &sealed), Err(SealError));
        assert_eq!(key.open(Uid::random(), Field::Text, &sealed), Err(SealError));
        assert_eq!(ContentKey::random().open(owner, Field::Text, &sealed), Err(SealError));
        for broken in [vec![], sealed.0[..30].to_vec(), sealed.0.iter().map(|b| b ^ 1).collect()] {
            assert_eq!(key.open(owner, Field::Text, &Sealed(broken)), Err(SealError));
        }
    }

    #[test]
    fn d13_the_same_text_is_never_sealed_the_same_way_twice() {
        let (key, owner) = (ContentKey::random(), Uid::random());
        assert_ne!(key.seal(owner, Field::Text, b"hi"), key.seal(owner, Field::Text, b"hi"));
    }

    #[test]
    fn d13_a_wrapped_key_is_bound_to_its_owner_and_id() {
        let (master, key, owner, id) = (ContentKey::random(), ContentKey::random(), Uid::random(), KeyId::random());
        let wrapped = master.wrap(owner, id, &key);
        assert_eq!(master.unwrap(owner, id, &wrapped).map(|k| *k.expose()), Ok(*key.expose()));
        assert!(master.unwrap(owner, KeyId::random(), &wrapped).is_err());
        assert!(master.unwrap(Uid::random(), id, &wrapped).is_err());
    }

    #[test]
    fn a_key_is_never_shown() {
        assert_eq!(format!("{:?}", ContentKey::from_bytes([7; 32])), "ContentKey(…)");
    }
}
