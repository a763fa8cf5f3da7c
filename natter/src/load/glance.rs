//! A server's frames, read as far as a load generator needs them: without copies, and without the rest. It shares the
//! machine with what it measures.

use std::borrow::Cow;
use std::io::Cursor;

use natter_protocol::Encoding;
use serde::Deserialize;
use serde::de::IgnoredAny;

/// The fields of all frames that matter here.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Glance<'a> {
    #[serde(rename = "type", borrow)]
    pub kind: &'a str,
    #[serde(rename = "ref")]
    pub reference: Option<u64>,
    pub seq: Option<u64>,
    #[serde(borrow)]
    pub position: Option<&'a str>,
    #[serde(borrow)]
    pub conversation: Option<&'a str>,
    #[serde(borrow)]
    pub text: Option<Cow<'a, str>>,
    #[serde(borrow)]
    pub code: Option<&'a str>,
    pub retry_after_ms: Option<u64>,
    pub reconnect_after_ms: Option<u64>,
    /// The server's clock, in `welcome`.
    #[serde(borrow)]
    pub now: Option<&'a str>,
}

/// The message is not frames.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NotFrames;

/// Reads the frames of a message, one after another.
pub fn read<'a>(encoding: Encoding, message: &'a [u8], mut each: impl FnMut(Glance<'a>)) -> Result<(), NotFrames> {
    match encoding {
        Encoding::Json => {
            for frame in serde_json::Deserializer::from_slice(message).into_iter() {
                each(frame.map_err(|_| NotFrames)?);
            }
        }
        Encoding::MessagePack => {
            let mut rest = message;
            while !rest.is_empty() {
                let (frame, after) = split_first(rest)?;
                each(rmp_serde::from_slice(frame).map_err(|_| NotFrames)?);
                rest = after;
            }
        }
    }
    Ok(())
}

/// The bytes of the first MessagePack value, and the rest.
fn split_first(message: &[u8]) -> Result<(&[u8], &[u8]), NotFrames> {
    let mut reader = rmp_serde::Deserializer::new(Cursor::new(message));
    IgnoredAny::deserialize(&mut reader).map_err(|_| NotFrames)?;
    let end = usize::try_from(reader.position()).map_err(|_| NotFrames)?;
    message.split_at_checked(end).ok_or(NotFrames)
}

#[cfg(test)]
mod tests {
    use natter_events::{ClientId, ConversationId, Tag};
    use natter_protocol::frame::{Message, Ok as OkFrame, Refusal, ServerFrame};
    use natter_protocol::{ErrorCode, Position, Timestamp};

    use super::*;

    /// What is said by the protocol's own types is seen the same in both encodings.
    #[test]
    fn frm1_the_glance_sees_what_the_protocol_says() {
        let position = Position { epoch: 1, seq: 7, tag: Tag(9) };
        let conversation = ConversationId::direct(&[]);
        let frames = [
            ServerFrame::Message(Message {
                seq: 7,
                position,
                conversation,
                participants: Some(vec!["ada".parse().expect("a handle")]),
                sender: "bob".parse().expect("a handle"),
                id: ClientId::at(1),
                text: "a \"quoted\"\nline".into(),
                reply_to: None,
                thread: None,
                mentions: Vec::new(),
                mentions_room: false,
                metadata: Some(serde_json::json!({"deep": [1, {"x": null}]})),
                at: Timestamp(1),
            }),
            ServerFrame::Ok(OkFrame { reference: Some(3), seq: Some(8), position: None, ..OkFrame::default() }),
            ServerFrame::Error(Refusal::new(Some(4), ErrorCode::RateLimited, "slow").retry_after_ms(50)),
        ];
        for encoding in [Encoding::Json, Encoding::MessagePack] {
            let mut bytes = Vec::new();
            for frame in &frames {
                bytes.extend_from_slice(&encoding.encode(frame));
                if encoding == Encoding::Json {
                    bytes.push(b'\n');
                }
            }
            let mut seen = Vec::new();
            read(encoding, &bytes, |glance| seen.push(glance)).expect("frames");
            let [message, ok, error] = &seen[..] else { panic!("{seen:?}") };
            assert_eq!(
                (message.kind, message.seq, message.text.as_deref()),
                ("message", Some(7), Some("a \"quoted\"\nline"))
            );
            assert_eq!(message.position, Some(position.to_string().as_str()));
            assert_eq!((ok.kind, ok.reference, ok.seq, ok.position), ("ok", Some(3), Some(8), None));
            assert_eq!((error.kind, error.code, error.retry_after_ms), ("error", Some("rate_limited"), Some(50)));
        }
    }

    #[test]
    fn frm4_what_is_not_frames_is_an_error() {
        for (encoding, bad) in [
            (Encoding::Json, &b"{\"type\":"[..]),
            (Encoding::Json, b"[]x"),
            (Encoding::MessagePack, &[0x81, 0xa4]),
            (Encoding::MessagePack, &[0xc1]),
        ] {
            assert_eq!(read(encoding, bad, |_| {}), Err(NotFrames), "{bad:?}");
        }
    }
}
