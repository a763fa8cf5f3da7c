//! One event as the log holds it, and how the broker's ways of handing it over are read.
//!
//! A `Stored` owns its bytes. The client library cuts payloads out of the buffer it reads the socket into, so a
//! cached event of 300 bytes would keep up to 64 KiB alive; it is copied once, here.

use std::fmt;
use std::ops::Deref;

use bytes::Bytes;
use natter_events::Tag;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use xxhash_rust::xxh3::Xxh3;

/// An event in the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stored {
    pub seq: u64,
    pub subject: Subject,
    /// The broker's time, Unix milliseconds.
    pub time_ms: i64,
    pub payload: Bytes,
    pub message_id: Option<Box<str>>,
}

/// A subject; cheap to clone.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Subject(pub(crate) async_nats::Subject);

impl Stored {
    /// What tells the event at a position from any other that could stand there (D14). Stored with positions, so its
    /// definition never changes: XXH3-64 over seq, time, subject and payload.
    pub fn tag(&self) -> Tag {
        let mut hash = Xxh3::new();
        hash.update(&self.seq.to_le_bytes());
        hash.update(&self.time_ms.to_le_bytes());
        hash.update(&(self.subject.len() as u64).to_le_bytes());
        hash.update(self.subject.as_bytes());
        hash.update(&self.payload);
        Tag(hash.digest())
    }

    /// From a message that a consumer delivered. None if it isn't one.
    pub(crate) fn from_delivered(message: async_nats::Message) -> Option<Stored> {
        let delivery = Delivery::parse(message.reply.as_ref()?)?;
        Some(Stored {
            seq: delivery.seq,
            time_ms: delivery.time_ns.div_euclid(1_000_000),
            message_id: message_id(message.headers.as_ref()),
            payload: Bytes::copy_from_slice(&message.payload),
            subject: Subject(message.subject),
        })
    }

    /// From one message of an answer to a batched direct get. None if it isn't one.
    pub(crate) fn from_direct_get(message: &async_nats::Message) -> Option<Stored> {
        let headers = message.headers.as_ref()?;
        Some(Stored {
            seq: headers.get("Nats-Sequence")?.as_str().parse().ok()?,
            subject: Subject::from(headers.get("Nats-Subject")?.as_str()),
            time_ms: parse_time_ms(headers.get("Nats-Time-Stamp")?.as_str())?,
            payload: Bytes::copy_from_slice(&message.payload),
            message_id: message_id(Some(headers)),
        })
    }
}

fn message_id(headers: Option<&async_nats::HeaderMap>) -> Option<Box<str>> {
    Some(headers?.get(async_nats::header::NATS_MESSAGE_ID)?.as_str().into())
}

pub(crate) fn parse_time_ms(rfc3339: &str) -> Option<i64> {
    let ns = OffsetDateTime::parse(rfc3339, &Rfc3339).ok()?.unix_timestamp_nanos();
    i64::try_from(ns.div_euclid(1_000_000)).ok()
}

/// What a consumer says about a delivery, in its reply subject.
#[derive(Debug, PartialEq, Eq)]
struct Delivery {
    seq: u64,
    time_ns: i64,
}

impl Delivery {
    /// `$JS.ACK.<stream>.<consumer>.<delivered>.<stream seq>.<consumer seq>.<ns>.<pending>`, or the same with
    /// domain and account in front of the stream and perhaps more at the end.
    fn parse(reply: &str) -> Option<Delivery> {
        let rest = reply.strip_prefix("$JS.ACK.")?;
        let skip = match rest.split('.').count() {
            7 => 3,
            9.. => 5,
            _ => return None,
        };
        let mut tokens = rest.split('.').skip(skip);
        let seq = tokens.next()?.parse().ok()?;
        let _consumer_seq = tokens.next()?;
        let time_ns = tokens.next()?.parse().ok()?;
        Some(Delivery { seq, time_ns })
    }
}

impl Deref for Subject {
    type Target = str;

    fn deref(&self) -> &str {
        self.0.as_str()
    }
}

impl AsRef<str> for Subject {
    fn as_ref(&self) -> &str {
        self
    }
}

impl From<&str> for Subject {
    fn from(subject: &str) -> Self {
        Subject(async_nats::Subject::from(subject))
    }
}

impl From<String> for Subject {
    fn from(subject: String) -> Self {
        Subject(async_nats::Subject::from(subject))
    }
}

impl PartialEq<str> for Subject {
    fn eq(&self, other: &str) -> bool {
        &**self == other
    }
}

impl PartialEq<&str> for Subject {
    fn eq(&self, other: &&str) -> bool {
        &**self == *other
    }
}

impl std::hash::Hash for Subject {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        str::hash(self, state);
    }
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self)
    }
}

impl fmt::Debug for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&**self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_versions_of_the_reply_subject_are_read() {
        let expected = Some(Delivery { seq: 42, time_ns: 1_700_000_000_123_456_789 });
        assert_eq!(Delivery::parse("$JS.ACK.CHAT.c1.1.42.7.1700000000123456789.3"), expected);
        assert_eq!(Delivery::parse("$JS.ACK._.hash.CHAT.c1.1.42.7.1700000000123456789.3"), expected);
        assert_eq!(Delivery::parse("$JS.ACK._.hash.CHAT.c1.1.42.7.1700000000123456789.3.tok"), expected);
    }

    #[test]
    fn what_is_not_a_delivery_is_not_read_as_one() {
        for reply in ["", "$JS.ACK.", "$JS.FC.CHAT.c1.x", "$JS.ACK.CHAT.c1.1.x.7.1.3", "$JS.ACK.a.b.c.d.e.f.g.h"] {
            assert_eq!(Delivery::parse(reply), None, "{reply}");
        }
    }

    #[test]
    fn evt_tag_differs_with_every_field_and_is_pinned() {
        let event = Stored {
            seq: 7,
            subject: "chat.user.u1.message".into(),
            time_ms: 1_700_000_000_123,
            payload: Bytes::from_static(b"payload"),
            message_id: None,
        };
        // Positions that clients and PostgreSQL hold carry tags: this value may never change.
        assert_eq!(event.tag(), Tag(PINNED));
        for other in [
            Stored { seq: 8, ..event.clone() },
            Stored { subject: "chat.user.u2.message".into(), ..event.clone() },
            Stored { time_ms: 1, ..event.clone() },
            Stored { payload: Bytes::from_static(b"payloae"), ..event.clone() },
        ] {
            assert_ne!(other.tag(), event.tag(), "{other:?}");
        }
    }

    const PINNED: u64 = 11_249_457_405_299_638_373;

    #[test]
    fn broker_times_are_cut_to_milliseconds() {
        assert_eq!(parse_time_ms("2026-11-20T18:17:30.64858049Z"), Some(1_795_198_650_648));
        assert_eq!(parse_time_ms("2026-11-20T18:17:30Z"), Some(1_795_198_650_000));
        assert_eq!(parse_time_ms("yesterday"), None);
    }
}
