//! Frames as bytes: JSON objects separated by newlines in text messages, MessagePack maps back to back in binary ones
//! (FRM1). Values are spelled the same in both: ids and times are strings.

use std::io::Cursor;

use bytes::Bytes;
use serde::de::{DeserializeOwned, IgnoredAny};
use serde::{Deserialize, Serialize};

use crate::frame::{ClientFrame, RawObject, ServerFrame};

/// Deepest nesting that is read from a client.
const MAX_DEPTH: usize = 64;

/// How a socket's frames are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Encoding {
    #[default]
    Json,
    MessagePack,
}

/// A message holds something that is not frames (FRM4): the socket closes with 4500.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a sequence of frames in this encoding")]
pub struct Malformed;

/// One frame of a client's message.
#[derive(Debug, Clone, PartialEq)]
pub enum Incoming {
    Frame(ClientFrame),
    /// The type is not one of this version's (FRM2).
    UnknownType {
        reference: Option<u64>,
        kind: String,
    },
    /// The type is known, but a field is missing or not of its form.
    Invalid {
        reference: Option<u64>,
        reason: String,
    },
}

impl Encoding {
    /// Reads the frames of one WebSocket message, in order. Those before something malformed are still yielded (FRM4).
    pub fn decode(self, message: &[u8]) -> impl Iterator<Item = Result<Incoming, Malformed>> + '_ {
        let mut rest = message;
        std::iter::from_fn(move || self.decode_next(&mut rest))
    }

    /// Takes the next frame off a message; nothing behind something malformed.
    pub fn decode_next(self, rest: &mut &[u8]) -> Option<Result<Incoming, Malformed>> {
        let next = match self {
            Encoding::Json => next_json(rest),
            Encoding::MessagePack => next_msgpack(rest),
        };
        if !matches!(next, Some(Ok(_))) {
            *rest = &[];
        }
        next
    }

    /// Writes one frame.
    pub fn encode<T: Serialize>(self, frame: &T) -> Bytes {
        // Writing plain structs with string keys to memory does not fail.
        match self {
            Encoding::Json => serde_json::to_vec(frame).unwrap_or_default().into(),
            Encoding::MessagePack => {
                let mut bytes = Vec::with_capacity(256);
                let mut serializer = rmp_serde::Serializer::new(&mut bytes).with_struct_map().with_human_readable();
                match frame.serialize(&mut serializer) {
                    Ok(()) => bytes.into(),
                    Err(_) => Bytes::new(),
                }
            }
        }
    }

    /// Reads the frames of a server's message; for clients.
    pub fn decode_server(self, message: &[u8]) -> Result<Vec<ServerFrame>, Malformed> {
        match self {
            Encoding::Json => serde_json::Deserializer::from_slice(message)
                .into_iter()
                .collect::<Result<_, _>>()
                .map_err(|_| Malformed),
            Encoding::MessagePack => {
                let mut frames = Vec::new();
                let mut rest = message;
                while !rest.is_empty() {
                    let map = take_map(&mut rest)?;
                    frames.push(from_msgpack(map).map_err(|_| Malformed)?);
                }
                Ok(frames)
            }
        }
    }
}

/// The frames of clients, each by its name.
macro_rules! client_frames {
    ($($name:literal $frame:ident),* $(,)?) => {
        impl Encoding {
            /// Writes a client's frame; for clients.
            pub fn encode_client(self, frame: &ClientFrame) -> Bytes {
                match frame {
                    $(ClientFrame::$frame(body) => self.encode(&Typed { kind: $name, body }),)*
                }
            }
        }

        /// Reads a frame of this type; nothing if there is no such type.
        fn from_json(kind: &str, raw: &str) -> Option<Result<ClientFrame, String>> {
            let read = match kind {
                $($name => serde_json::from_str(raw).map(ClientFrame::$frame),)*
                _ => return None,
            };
            Some(read.map_err(|error| error.to_string()))
        }

        /// The same in the other encoding.
        fn from_map(kind: &str, map: &[u8]) -> Option<Result<ClientFrame, String>> {
            let read = match kind {
                $($name => from_msgpack(map).map(ClientFrame::$frame),)*
                _ => return None,
            };
            Some(read.map_err(|error| error.to_string()))
        }

        /// Each frame's name, and its body as TypeScript has it.
        #[cfg(test)]
        pub(crate) fn client_frame_types(types: &mut crate::typescript::Types) -> Vec<(&'static str, String)> {
            vec![$(($name, types.body_of(ClientFrame::$frame))),*]
        }
    };
}

client_frames! {
    "hello" Hello,
    "pong" Pong,
    "applied" Applied,
    "token" Token,
    "send" Send,
    "edit" Edit,
    "delete" Delete,
    "react" React,
    "pin" Pin,
    "block" Block,
    "unblock" Unblock,
    "profile" Profile,
    "prefer" Prefer,
    "mark" Mark,
    "typing" Typing,
    "presence" Presence,
    "watch" Watch,
    "room.create" RoomCreate,
    "room.update" RoomUpdate,
    "room.archive" RoomArchive,
    "room.join" RoomJoin,
    "room.leave" RoomLeave,
    "room.add" RoomAdd,
    "room.remove" RoomRemove,
    "room.ban" RoomBan,
    "room.unban" RoomUnban,
    "room.role" RoomRole,
}

#[derive(Serialize)]
struct Typed<'a, T> {
    #[serde(rename = "type")]
    kind: &'static str,
    #[serde(flatten)]
    body: &'a T,
}

/// What every frame has, read first: so a bad field of a known command is answered, not a reason to close.
#[derive(Deserialize)]
struct Head {
    #[serde(rename = "type", default)]
    kind: Option<serde_json::Value>,
    #[serde(rename = "ref", default)]
    reference: Option<serde_json::Value>,
}

fn next_json(rest: &mut &[u8]) -> Option<Result<Incoming, Malformed>> {
    let mut stream = serde_json::Deserializer::from_slice(rest).into_iter::<RawObject<'_>>();
    let raw = match stream.next()? {
        Ok(raw) => raw.get(),
        Err(_) => return Some(Err(Malformed)),
    };
    let end = stream.byte_offset();
    *rest = &rest[end..];
    if !raw.starts_with('{') {
        return Some(Err(Malformed));
    }
    let Ok(head) = serde_json::from_str::<Head>(raw) else { return Some(Err(Malformed)) };
    Some(Ok(incoming(head, |kind| from_json(kind, raw))))
}

fn next_msgpack(rest: &mut &[u8]) -> Option<Result<Incoming, Malformed>> {
    if rest.is_empty() {
        return None;
    }
    let Ok(map) = take_map(rest) else { return Some(Err(Malformed)) };
    let Ok(head) = from_msgpack::<Head>(map) else { return Some(Err(Malformed)) };
    Some(Ok(incoming(head, |kind| from_map(kind, map))))
}

fn incoming(head: Head, read: impl FnOnce(&str) -> Option<Result<ClientFrame, String>>) -> Incoming {
    let reference = head.reference.and_then(|reference| reference.as_u64());
    let kind = match head.kind {
        Some(serde_json::Value::String(kind)) => kind,
        Some(_) => return Incoming::Invalid { reference, reason: "`type` is not a string".into() },
        None => return Incoming::Invalid { reference, reason: "`type` is missing".into() },
    };
    match read(&kind) {
        Some(Ok(frame)) => Incoming::Frame(frame),
        Some(Err(reason)) => Incoming::Invalid { reference, reason },
        None => Incoming::UnknownType { reference, kind: kind.chars().take(64).collect() },
    }
}

/// The bytes of the next MessagePack map.
fn take_map<'a>(rest: &mut &'a [u8]) -> Result<&'a [u8], Malformed> {
    let marker = *rest.first().ok_or(Malformed)?;
    if !matches!(marker, 0x80..=0x8f | 0xde | 0xdf) {
        return Err(Malformed);
    }
    let mut deserializer = rmp_serde::Deserializer::new(Cursor::new(*rest));
    deserializer.set_max_depth(MAX_DEPTH);
    IgnoredAny::deserialize(&mut deserializer).map_err(|_| Malformed)?;
    let end = usize::try_from(deserializer.position()).map_err(|_| Malformed)?;
    let (map, after) = rest.split_at_checked(end).ok_or(Malformed)?;
    *rest = after;
    Ok(map)
}

fn from_msgpack<T: DeserializeOwned>(map: &[u8]) -> Result<T, rmp_serde::decode::Error> {
    let mut deserializer = rmp_serde::Deserializer::new(map).with_human_readable();
    deserializer.set_max_depth(MAX_DEPTH);
    T::deserialize(&mut deserializer)
}

#[cfg(test)]
mod tests {
    use natter_events::ConversationId;
    use proptest::prelude::*;

    use super::*;
    use crate::frame::{Mark, To};

    const SEND: &str = r#"{"type":"send","ref":1,"id":"019f0000-0000-7000-8000-000000000001","to":{"participants":["al","bo"]},"text":"hi","new":[1]}"#;

    fn json(message: &str) -> Vec<Result<Incoming, Malformed>> {
        Encoding::Json.decode(message.as_bytes()).collect()
    }

    #[test]
    fn frm1_a_message_holds_several_frames() {
        let two = json(&format!("{SEND}\n{SEND}"));
        assert_eq!(two.len(), 2);
        let Ok(Incoming::Frame(ClientFrame::Send(send))) = &two[1] else { panic!("{two:?}") };
        assert_eq!((send.reference, send.text.as_str()), (Some(1), "hi"));
        assert!(matches!(&send.to, To::Participants(people) if people.len() == 2));
    }

    #[test]
    fn frm1_both_encodings_carry_the_same_frames() {
        let mark = ClientFrame::Mark(Mark {
            reference: Some(3),
            conversation: ConversationId::direct(&[]),
            id: natter_events::ClientId::at(5),
            read: 9,
            thread: None,
        });
        for encoding in [Encoding::Json, Encoding::MessagePack] {
            let mut bytes = encoding.encode_client(&mark).to_vec();
            if encoding == Encoding::Json {
                bytes.push(b'\n');
            }
            bytes.extend_from_slice(&encoding.encode_client(&mark));
            let frames: Vec<_> = encoding.decode(&bytes).collect();
            assert_eq!(frames, [Ok(Incoming::Frame(mark.clone())), Ok(Incoming::Frame(mark.clone()))]);
        }
    }

    #[test]
    fn frm2_an_unknown_type_is_told_from_a_malformed_frame() {
        let frames = json(r#"{"type":"levitate","ref":4}"#);
        assert_eq!(frames, [Ok(Incoming::UnknownType { reference: Some(4), kind: "levitate".into() })]);
    }

    #[test]
    fn frm2_a_bad_field_is_answered_with_its_ref() {
        for bad in [
            r#"{"type":"send","ref":4,"id":"x","to":{"participants":[]},"text":"hi"}"#,
            r#"{"type":"send","ref":4,"text":7}"#,
            r#"{"ref":4}"#,
            r#"{"type":5,"ref":4}"#,
        ] {
            assert!(matches!(json(bad)[..], [Ok(Incoming::Invalid { reference: Some(4), .. })]), "{bad}");
        }
    }

    #[test]
    fn frm4_frames_before_the_malformed_one_take_effect_and_nothing_after() {
        let frames = json(&format!("{SEND}\n{{oops\n{SEND}"));
        assert_eq!(frames.len(), 2);
        assert!(frames[0].is_ok() && frames[1].is_err());
        for bad in ["5", "[]", "\"hello\"", "null", "{", "}", "{\"type\":\"send\"", "\u{feff}{}"] {
            assert_eq!(json(bad), [Err(Malformed)], "{bad}");
        }
        assert_eq!(Encoding::Json.decode(b"{\"type\":\"\xff\"}").collect::<Vec<_>>(), [Err(Malformed)]);
        for bad in [&[0x90][..], &[0xc0], &[0x81, 0xa4], &[0xdf, 0xff, 0xff, 0xff, 0xff]] {
            assert_eq!(Encoding::MessagePack.decode(bad).collect::<Vec<_>>(), [Err(Malformed)], "{bad:?}");
        }
    }

    #[test]
    fn frm4_nesting_is_bounded() {
        let deep = format!(r#"{{"type":"send","metadata":{}{}}}"#, "[".repeat(5000), "]".repeat(5000));
        assert!(!matches!(json(&deep)[..], [Ok(Incoming::Frame(_))]));
        let mut deep = vec![0x81, 0xa1, b'x'];
        deep.extend(std::iter::repeat_n(0x91, 5000));
        deep.push(0xc0);
        assert_eq!(Encoding::MessagePack.decode(&deep).next(), Some(Err(Malformed)));
    }

    proptest! {
        #[test]
        fn frm4_hostile_bytes_never_panic_and_always_end(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            prop_assert!(Encoding::Json.decode(&bytes).count() <= bytes.len() + 1);
            prop_assert!(Encoding::MessagePack.decode(&bytes).count() <= bytes.len() + 1);
        }
    }
}
