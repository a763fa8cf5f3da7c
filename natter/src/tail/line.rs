//! An event as a line. docs/ANALYTICS.md is what is promised of it.
//!
//! An event's body is serialized as it is: in a text format ids are text, and what is sealed is only how many bytes it
//! has. So there is nothing to add here for a new event type, and nothing that could say too much.

use natter_events::{ClientId, ConversationId, DecodeError, Envelope, Record, Uid};
use natter_log::{Stored, Stream};
use natter_protocol::Timestamp;
use serde::Serialize;
use serde_json::Value;

use super::position::Position;
use crate::chat::clean;

/// What repeats are compared with: under a key that nobody here has, so it says nothing.
const FINGERPRINT: &str = "fingerprint";

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    Json,
    Human,
}

#[derive(Serialize)]
struct Line<'a> {
    stream: &'static str,
    seq: u64,
    /// Behind this event.
    position: String,
    at: String,
    subject: &'a str,
    #[serde(flatten)]
    what: What,
}

#[derive(Serialize)]
#[serde(untagged)]
enum What {
    Event {
        #[serde(rename = "type")]
        kind: String,
        version: u16,
        actor: Uid,
        #[serde(skip_serializing_if = "Option::is_none")]
        conversation: Option<ConversationId>,
        to: Vec<Uid>,
        #[serde(skip_serializing_if = "Option::is_none")]
        id: Option<ClientId>,
        /// Nothing for what a later Natter wrote.
        body: Option<Value>,
    },
    Malformed {
        malformed: String,
        bytes: usize,
    },
}

/// Adds the line of an event, behind which the reader then stands.
pub fn write(lines: &mut String, format: Format, stream: Stream, event: &Stored, position: &Position) {
    let line = Line {
        stream: stream.name(),
        seq: event.seq,
        position: position.to_string(),
        at: Timestamp(event.time_ms).to_string(),
        subject: &event.subject,
        what: what(&event.payload),
    };
    match format {
        // Maps with text as keys can always be written.
        Format::Json => lines.push_str(&clean::json(&serde_json::to_string(&line).unwrap_or_default())),
        Format::Human => lines.push_str(&clean::line(&human(&line))),
    }
    lines.push('\n');
}

fn what(payload: &[u8]) -> What {
    match Record::decode(payload) {
        Ok(Record { envelope, event }) => {
            let mut body = serde_json::to_value(&event).ok();
            if let Some(Value::Object(fields)) = &mut body {
                fields.remove(FINGERPRINT);
            }
            of_envelope(&envelope, body)
        }
        Err(error @ DecodeError::LaterVersion { .. }) => match Envelope::peek(payload) {
            Ok(envelope) => of_envelope(&envelope, None),
            Err(_) => malformed(&error, payload),
        },
        Err(error) => malformed(&error, payload),
    }
}

fn of_envelope(envelope: &Envelope<'_>, body: Option<Value>) -> What {
    What::Event {
        kind: envelope.kind.clone().into_owned(),
        version: envelope.version,
        actor: envelope.actor,
        conversation: envelope.conversation,
        to: envelope.addressees().collect(),
        id: envelope.id,
        body,
    }
}

/// Why, without the causes of that: they may quote what is in the bytes.
fn malformed(error: &DecodeError, payload: &[u8]) -> What {
    What::Malformed { malformed: error.to_string(), bytes: payload.len() }
}

fn human(line: &Line<'_>) -> String {
    let Line { stream, seq, at, subject, what, .. } = line;
    let mut text = format!("{at}  {stream} {seq}  ");
    match what {
        What::Event { kind, version, actor, conversation, to, body, .. } => {
            text += &format!("{kind} v{version}  by {actor}");
            if let Some(conversation) = conversation {
                text += &format!("  in {conversation}");
            }
            if !to.is_empty() {
                text += &format!("  to {}", to.len());
            }
            if body.is_none() {
                text += "  (of a later Natter)";
            }
        }
        What::Malformed { malformed, bytes } => text += &format!("{malformed}  ({bytes} bytes on {subject})"),
    }
    text
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use natter_events::event::CATALOGUE;
    use natter_log::Place;

    use super::*;

    /// The stored events that every version of Natter reads.
    fn golden() -> Vec<(String, Vec<u8>)> {
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../events/golden");
        let files = std::fs::read_dir(folder).expect("the golden files").flatten().map(|file| file.path());
        let records = files.filter(|path| path.extension().is_some_and(|extension| extension == "bin"));
        records
            .map(|path| {
                let name = path.file_stem().expect("a name").to_string_lossy().into_owned();
                (name, std::fs::read(path).expect("readable"))
            })
            .collect()
    }

    fn printed(payload: impl Into<Bytes>, format: Format) -> String {
        let event = Stored {
            seq: 7,
            subject: "chat.user.x.message".into(),
            time_ms: 1_790_000_000_123,
            payload: payload.into(),
            message_id: None,
        };
        let mut lines = String::new();
        let position = Position { chat: Place { seq: 7, tag: Some(event.tag()) }, presence: None };
        write(&mut lines, format, Stream::Chat, &event, &position);
        assert!(lines.ends_with('\n') && lines.matches('\n').count() == 1, "{lines}");
        lines
    }

    /// Every number, text and object below a value.
    fn leaves(value: &Value) -> Vec<&Value> {
        match value {
            Value::Object(fields) => fields.values().flat_map(leaves).collect(),
            Value::Array(items) => items.iter().flat_map(leaves).collect(),
            leaf => vec![leaf],
        }
    }

    #[test]
    fn d13_of_every_event_type_a_line_says_what_is_open_and_nothing_that_is_sealed() {
        let golden = golden();
        for (kind, version) in CATALOGUE {
            assert!(golden.iter().any(|(name, _)| *name == format!("{kind}.v{version}")), "no golden {kind}");
        }
        for (name, payload) in golden {
            let line = printed(payload.clone(), Format::Json);
            let line: Value = serde_json::from_str(&line).expect("JSON");
            assert_eq!(format!("{}.v{}", line["type"].as_str().expect("a type"), line["version"]), name);
            assert!(line["body"].is_object(), "{name}: {line}");
            assert!(line["body"].get(FINGERPRINT).is_none(), "{name}");
            // No bytes in whatever form: ids are the longest text that there is.
            for leaf in leaves(&line["body"]) {
                let shown = leaf.to_string();
                assert!(shown.len() <= 40, "{name}: {shown}");
                assert!(!shown.contains("ada") && !shown.contains("Ada"), "{name}: {shown}");
            }
            fn has_array_of_numbers(value: &Value) -> bool {
                match value {
                    Value::Array(items) => items.iter().any(|item| item.is_number() || has_array_of_numbers(item)),
                    Value::Object(fields) => fields.values().any(has_array_of_numbers),
                    _ => false,
                }
            }
            assert!(!has_array_of_numbers(&line), "{name}: bytes are shown: {line}");
        }
    }

    #[test]
    fn d13_a_sealed_field_is_its_size_and_an_open_one_its_value() {
        let golden = golden();
        let payload = &golden.iter().find(|(name, _)| name == "MessageEdited.v1").expect("there").1;
        let line: Value = serde_json::from_str(&printed(payload.clone(), Format::Json)).expect("JSON");
        assert_eq!(line["body"]["message"], 43);
        let size = line["body"]["text"]["sealed_bytes"].as_u64().expect("a size");
        assert!(size > 40, "nonce and tag are 40 bytes, and something was said: {line}");
        assert_eq!(line["at"], "2026-09-21T14:13:20.123Z");
        assert_eq!(line["to"].as_array().map(Vec::len), Some(2));
        let human = printed(payload.clone(), Format::Human);
        assert!(human.starts_with("2026-09-21T14:13:20.123Z  CHAT 7  MessageEdited v1  by a1a1"), "{human}");
    }

    /// Every name of a field in a body.
    fn fields(value: &Value) -> Vec<&str> {
        match value {
            Value::Object(inner) if inner.contains_key("sealed_bytes") => vec![],
            Value::Object(inner) => {
                inner.iter().flat_map(|(name, value)| [vec![name.as_str()], fields(value)].concat()).collect()
            }
            Value::Array(items) => items.iter().flat_map(fields).collect(),
            _ => vec![],
        }
    }

    #[test]
    fn every_event_type_and_every_field_of_it_is_in_the_documentation() {
        let text = include_str!("../../../docs/ANALYTICS.md");
        let sections: Vec<&str> = text.split("\n### ").skip(1).collect();
        for (name, payload) in golden() {
            let kind = name.split('.').next().expect("a name");
            let section = sections.iter().find(|section| section.starts_with(&format!("`{kind}`")));
            let section = section.unwrap_or_else(|| panic!("docs/ANALYTICS.md has no section of {kind}"));
            let line: Value = serde_json::from_str(&printed(payload, Format::Json)).expect("JSON");
            // What several of them carry is said once, and pointed to.
            let mut texts = vec![*section];
            for shared in ["Account", "Room"] {
                let named = |text: &&&str| text.starts_with(&format!("`{shared}`\n"));
                texts.extend(sections.iter().find(named).filter(|_| section.contains(&format!("[`{shared}`]"))));
            }
            for field in fields(&line["body"]) {
                let name = format!("`{field}`");
                assert!(texts.iter().any(|text| text.contains(&name)), "{kind}: {field}");
            }
        }
    }

    #[test]
    fn what_a_later_natter_wrote_is_printed_by_its_envelope() {
        let golden = golden();
        let payload = &golden.iter().find(|(name, _)| name == "ReadMarkerMoved.v1").expect("there").1;
        let mut record = Record::decode(payload).expect("it reads");
        record.envelope.kind = "RoomPainted".into();
        let line: Value = serde_json::from_str(&printed(record.encode(), Format::Json)).expect("JSON");
        assert_eq!((&line["type"], &line["body"]), (&Value::from("RoomPainted"), &Value::Null));
        assert!(line.get("body").is_some() && line["actor"].is_string() && line["conversation"].is_string(), "{line}");
    }

    #[test]
    fn d11_what_is_malformed_is_said_to_be_without_what_is_in_it() {
        for payload in [&b"hunter2"[..], b"", &[0x93, 0xc4, 0xff]] {
            let line = printed(payload.to_vec(), Format::Json);
            let json: Value = serde_json::from_str(&line).expect("JSON");
            assert!(json["malformed"].is_string() && json.get("type").is_none(), "{line}");
            assert_eq!((json["seq"].as_u64(), json["bytes"].as_u64()), (Some(7), Some(payload.len() as u64)));
            assert!(!line.contains("hunter2"), "{line}");
        }
    }
}
