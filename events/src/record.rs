//! The bytes of a stored event, for ever (D11).
//!
//! A record is one MessagePack array of three, so that any language can read it:
//!
//! ```text
//! [ bin envelope, bin body, uint64 checksum ]
//! ```
//!
//! Envelope and body are MessagePack maps with named fields. The envelope comes first and has its length in front, so a
//! follower that only asks "is this for anyone here?" reads it and nothing else ([`Envelope::peek`]). The checksum is the
//! XXH3-64 of every byte before it.

use std::borrow::Cow;
use std::fmt;

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use xxhash_rust::xxh3::xxh3_64;

use crate::event::Event;
use crate::ids::{ClientId, ConversationId, KeyId, MAX_PARTICIPANTS, Uid};
use crate::upcast;

/// Largest record, in bytes: what a stream of the log accepts.
pub const MAX_RECORD_BYTES: usize = 256 * 1024;
/// Deepest nesting that is read.
pub(crate) const MAX_DEPTH: usize = 16;
/// The checksum with its MessagePack marker.
const TRAILER_BYTES: usize = 9;
const MAX_TRACE_BYTES: usize = 64;

/// A stored event could not be read.
#[derive(Debug, thiserror::Error)]
pub enum DecodeError {
    /// The bytes are damaged: this is never a record as it was written.
    #[error("the checksum does not match")]
    Checksum,
    /// The bytes are not a record.
    #[error("malformed record: {0}")]
    Malformed(&'static str),
    /// The envelope does not read.
    #[error("malformed envelope")]
    Envelope(#[source] rmp_serde::decode::Error),
    /// The body does not read.
    #[error("malformed body")]
    Body(#[source] rmp_serde::decode::Error),
    /// A newer program wrote this: readers are upgraded first.
    #[error("{kind} version {version} is later than this program knows; upgrade it")]
    LaterVersion { kind: String, version: u16 },
}

impl DecodeError {
    /// Whether a newer program would read it; anything else is malformed for ever.
    pub fn is_later_version(&self) -> bool {
        matches!(self, DecodeError::LaterVersion { .. })
    }
}

/// A hash of a stored event and its place (`natter_log::Stored::tag` makes it): beside a sequence it says of which log a
/// position is (D14).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default, PartialOrd, Ord)]
pub struct Tag(pub u64);

impl fmt::Debug for Tag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

/// Who did what, where, to whom: all that routing, idempotency and analytics need, without a key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Envelope<'a> {
    /// The people whom it is addressed to, 16 bytes each. What happens in a room is addressed to its members, and to those
    /// who are named here beside them.
    #[serde(borrow, with = "addresses")]
    to: Cow<'a, [u8]>,
    /// The event type.
    #[serde(rename = "type", borrow)]
    pub kind: Cow<'a, str>,
    /// The version of the type.
    pub version: u16,
    /// Who did it.
    pub actor: Uid,
    /// The client's id of the command, where a command made it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<ClientId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub conversation: Option<ConversationId>,
    /// The key of the actor's that sealed fields are sealed with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<KeyId>,
    /// W3C trace context (`traceparent`) of the command.
    #[serde(default, borrow, skip_serializing_if = "Option::is_none")]
    pub trace: Option<Cow<'a, str>>,
}

impl<'a> Envelope<'a> {
    /// Reads the envelope of a record and nothing else: no checksum, no body, no copy.
    pub fn peek(record: &'a [u8]) -> Result<Envelope<'a>, DecodeError> {
        let (envelope, _) = split(record)?;
        read_envelope(envelope)
    }

    /// The people whom it is addressed to.
    pub fn addressees(&self) -> impl ExactSizeIterator<Item = Uid> + '_ {
        self.to.as_chunks::<16>().0.iter().map(|uid| Uid::from_bytes(*uid))
    }

    /// The same envelope, on its own.
    pub fn into_owned(self) -> Envelope<'static> {
        Envelope {
            to: Cow::Owned(self.to.into_owned()),
            kind: Cow::Owned(self.kind.into_owned()),
            trace: self.trace.map(|trace| Cow::Owned(trace.into_owned())),
            version: self.version,
            actor: self.actor,
            id: self.id,
            conversation: self.conversation,
            key: self.key,
        }
    }
}

/// An event with its envelope.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    pub envelope: Envelope<'static>,
    pub event: Event,
}

impl Record {
    /// A fact by `actor`, addressed to nobody yet.
    pub fn new(actor: Uid, event: impl Into<Event>) -> Self {
        let event = event.into();
        let envelope = Envelope {
            to: Cow::Borrowed(&[]),
            kind: Cow::Borrowed(event.kind()),
            version: event.version(),
            actor,
            id: None,
            conversation: None,
            key: None,
            trace: None,
        };
        Record { envelope, event }
    }

    /// Addresses it to people. Order does not matter, repeats are taken out.
    pub fn to(mut self, people: &[Uid]) -> Self {
        let mut sorted = people.to_vec();
        sorted.sort_unstable();
        sorted.dedup();
        self.envelope.to = Cow::Owned(sorted.iter().flat_map(|uid| *uid.as_bytes()).collect());
        self
    }

    /// Names the conversation it belongs to.
    pub fn in_conversation(mut self, conversation: ConversationId) -> Self {
        self.envelope.conversation = Some(conversation);
        self
    }

    /// Names the command that it answers.
    pub fn answering(mut self, id: ClientId) -> Self {
        self.envelope.id = Some(id);
        self
    }

    /// Names the key that its fields are sealed with.
    pub fn sealed_with(mut self, key: KeyId) -> Self {
        self.envelope.key = Some(key);
        self
    }

    /// Carries the trace on to whoever reads the log. One that is not a `traceparent` in length is left out.
    pub fn traced(mut self, traceparent: Option<String>) -> Self {
        self.envelope.trace = traceparent.filter(|trace| trace.len() <= MAX_TRACE_BYTES).map(Cow::Owned);
        self
    }

    /// The bytes to store.
    pub fn encode(&self) -> Bytes {
        // Maps with string keys of plain values always encode: writing to memory does not fail.
        let envelope = rmp_serde::to_vec_named(&self.envelope).unwrap_or_default();
        let body = match &self.event {
            Event::MessageSent(event) => rmp_serde::to_vec_named(event),
            Event::MessageEdited(event) => rmp_serde::to_vec_named(event),
            Event::MessageDeleted(event) => rmp_serde::to_vec_named(event),
            Event::ReactionAdded(event) => rmp_serde::to_vec_named(event),
            Event::ReactionRemoved(event) => rmp_serde::to_vec_named(event),
            Event::MessagePinned(event) => rmp_serde::to_vec_named(event),
            Event::MessageUnpinned(event) => rmp_serde::to_vec_named(event),
            Event::ReadMarkerMoved(event) => rmp_serde::to_vec_named(event),
            Event::UserRegistered(event) => rmp_serde::to_vec_named(event),
            Event::SessionsRevoked(event) => rmp_serde::to_vec_named(event),
            Event::BlockChanged(event) => rmp_serde::to_vec_named(event),
            Event::ProfileChanged(event) => rmp_serde::to_vec_named(event),
            Event::PreferencesChanged(event) => rmp_serde::to_vec_named(event),
            Event::MembershipChanged(event) => rmp_serde::to_vec_named(event),
            Event::RoomChanged(event) => rmp_serde::to_vec_named(event),
            Event::PresenceChanged(event) => rmp_serde::to_vec_named(event),
            Event::ReceivedUpTo(event) => rmp_serde::to_vec_named(event),
        }
        .unwrap_or_default();
        assemble(&envelope, &body)
    }

    /// Checks and reads a stored event, whatever version it was written in.
    pub fn decode(record: &[u8]) -> Result<Record, DecodeError> {
        let (envelope, body) = check(record)?;
        let envelope = read_envelope(envelope)?;
        let event = upcast::body(&envelope.kind, envelope.version, body)?;
        Ok(Record { envelope: envelope.into_owned(), event })
    }
}

/// Whether the bytes are a record as it was written: its parts and its checksum, and nothing of what it says.
pub fn is_whole(record: &[u8]) -> Result<(), DecodeError> {
    check(record).map(drop)
}

fn check(record: &[u8]) -> Result<(&[u8], &[u8]), DecodeError> {
    let parts = split(record)?;
    let (checked, _) = record.split_at(record.len() - TRAILER_BYTES);
    if checksum(record) == Some(xxh3_64(checked)) { Ok(parts) } else { Err(DecodeError::Checksum) }
}

/// The checksum that a record carries, if it is long enough to have one.
fn checksum(record: &[u8]) -> Option<u64> {
    let [0xcf, checksum @ ..] = record.last_chunk::<TRAILER_BYTES>()? else { return None };
    Some(u64::from_be_bytes(*checksum))
}

fn assemble(envelope: &[u8], body: &[u8]) -> Bytes {
    let mut record = Vec::with_capacity(envelope.len() + body.len() + 20);
    record.push(0x93);
    for part in [envelope, body] {
        let len = u32::try_from(part.len()).unwrap_or(u32::MAX);
        let _ = rmp::encode::write_bin_len(&mut record, len);
        record.extend_from_slice(part);
    }
    let checksum = xxh3_64(&record);
    record.push(0xcf);
    record.extend_from_slice(&checksum.to_be_bytes());
    record.into()
}

/// Envelope and body of a record, by their lengths.
fn split(record: &[u8]) -> Result<(&[u8], &[u8]), DecodeError> {
    if record.len() > MAX_RECORD_BYTES {
        return Err(DecodeError::Malformed("longer than a record can be"));
    }
    let [0x93, rest @ ..] = record else { return Err(DecodeError::Malformed("not an array of three")) };
    let (envelope, rest) = take_bin(rest)?;
    let (body, rest) = take_bin(rest)?;
    if rest.len() != TRAILER_BYTES || rest[0] != 0xcf {
        return Err(DecodeError::Malformed("no checksum where it belongs"));
    }
    Ok((envelope, body))
}

fn take_bin(mut bytes: &[u8]) -> Result<(&[u8], &[u8]), DecodeError> {
    let len = rmp::decode::read_bin_len(&mut bytes).map_err(|_| DecodeError::Malformed("a part has no length"))?;
    usize::try_from(len)
        .ok()
        .and_then(|len| bytes.split_at_checked(len))
        .ok_or(DecodeError::Malformed("a part is cut short"))
}

fn read_envelope(bytes: &[u8]) -> Result<Envelope<'_>, DecodeError> {
    let mut deserializer = rmp_serde::Deserializer::from_read_ref(bytes);
    deserializer.set_max_depth(MAX_DEPTH);
    let envelope = Envelope::deserialize(&mut deserializer).map_err(DecodeError::Envelope)?;
    if envelope.to.len() % 16 != 0 || envelope.to.len() > MAX_PARTICIPANTS * 16 {
        return Err(DecodeError::Malformed("addresses are not up to 32 people"));
    }
    Ok(envelope)
}

/// Addresses as one run of bytes, borrowed from the record where that is possible.
mod addresses {
    use std::borrow::Cow;

    use serde::Serializer;
    use serde::de::{Deserializer, Error, Visitor};

    pub fn serialize<S: Serializer>(to: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(to)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Cow<'de, [u8]>, D::Error> {
        struct Borrowed;
        impl<'de> Visitor<'de> for Borrowed {
            type Value = Cow<'de, [u8]>;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("addresses as bytes")
            }

            fn visit_borrowed_bytes<E: Error>(self, to: &'de [u8]) -> Result<Self::Value, E> {
                Ok(Cow::Borrowed(to))
            }

            fn visit_bytes<E: Error>(self, to: &[u8]) -> Result<Self::Value, E> {
                Ok(Cow::Owned(to.to_vec()))
            }
        }
        deserializer.deserialize_bytes(Borrowed)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::event::ReadMarkerMoved;

    fn marker() -> Record {
        let (a, b) = (Uid::random(), Uid::random());
        Record::new(a, ReadMarkerMoved { read: 7, thread: None })
            .to(&[b, a, b])
            .in_conversation(ConversationId::direct(&[a, b]))
            .answering(ClientId::at(1_790_000_000_000))
            .traced(Some("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01".into()))
    }

    #[test]
    fn d11_a_record_reads_back_as_it_was_written() {
        let record = marker();
        let bytes = record.encode();
        assert_eq!(Record::decode(&bytes).expect("decodes"), record);
        let peeked = Envelope::peek(&bytes).expect("peeks");
        assert_eq!(peeked, record.envelope);
        assert_eq!(peeked.addressees().len(), 2);
        assert!(matches!(peeked.to, Cow::Borrowed(_)), "routing copies nothing");
    }

    #[test]
    fn d11_every_flipped_bit_is_noticed() {
        let bytes = marker().encode();
        for bit in 0..bytes.len() * 8 {
            let mut damaged = bytes.to_vec();
            damaged[bit / 8] ^= 1 << (bit % 8);
            assert!(Record::decode(&damaged).is_err(), "bit {bit} flipped unnoticed");
        }
    }

    #[test]
    fn d11_every_cut_is_noticed() {
        let bytes = marker().encode();
        for len in 0..bytes.len() {
            assert!(Record::decode(&bytes[..len]).is_err(), "cut at {len} unnoticed");
        }
    }

    #[test]
    fn d8_a_later_version_or_unknown_type_is_told_from_a_malformed_one() {
        for (kind, version) in [("ReadMarkerMoved", 2), ("NeverHeardOf", 1)] {
            let mut record = marker();
            record.envelope.kind = Cow::Borrowed(kind);
            record.envelope.version = version;
            let error = Record::decode(&record.encode()).expect_err("unknown");
            assert!(error.is_later_version(), "{error}");
        }
        let mut record = marker();
        record.envelope.version = 0;
        assert!(!Record::decode(&record.encode()).expect_err("no version 0").is_later_version());
    }

    #[test]
    fn d11_a_new_optional_field_does_not_disturb_an_old_reader() {
        #[derive(Serialize)]
        struct Wider {
            read: u64,
            because: &'static str,
        }
        let envelope = rmp_serde::to_vec_named(&marker().envelope).expect("encodes");
        let body = rmp_serde::to_vec_named(&Wider { read: 7, because: "later" }).expect("encodes");
        let record = Record::decode(&assemble(&envelope, &body)).expect("decodes");
        assert_eq!(record.event, Event::ReadMarkerMoved(ReadMarkerMoved { read: 7, thread: None }));
    }

    #[test]
    fn d11_what_a_message_need_not_say_reads_back_too() {
        use crate::seal::{ContentKey, Field};
        let (key, uid) = (ContentKey::random(), Uid::random());
        let sent = crate::event::MessageSent {
            text: key.seal(uid, Field::Text, b"hi"),
            reply_to: None,
            thread: Some(7),
            mentions: vec![Uid::random(), Uid::random()],
            mentions_room: true,
            metadata: None,
            fingerprint: crate::Fingerprint::from_bytes([1; 16]),
        };
        let record = Record::new(uid, sent);
        assert_eq!(Record::decode(&record.encode()).expect("decodes"), record);
    }

    proptest! {
        #[test]
        fn d11_hostile_bytes_are_an_error_and_never_a_panic(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
            prop_assert!(Record::decode(&bytes).is_err());
            let _ = Envelope::peek(&bytes);
        }

        #[test]
        fn d11_a_hostile_envelope_and_body_behind_a_right_checksum_never_panic(
            envelope in proptest::collection::vec(any::<u8>(), 0..200),
            body in proptest::collection::vec(any::<u8>(), 0..200),
        ) {
            let _ = Record::decode(&assemble(&envelope, &body));
            let real = rmp_serde::to_vec_named(&marker().envelope).expect("encodes");
            let _ = Record::decode(&assemble(&real, &body));
        }
    }
}
