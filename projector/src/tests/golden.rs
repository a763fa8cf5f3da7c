//! The golden cases of folding (PROTOCOL §4), which every reader of the log passes: `protocol/golden/folding`.

use std::collections::BTreeMap;
use std::path::PathBuf;

use natter_events::{
    ClientId, ConversationId, Event, Field, Fingerprint, MessageDeleted, MessageEdited, MessagePinned, MessageSent,
    MessageUnpinned, ReactionAdded, ReactionRemoved, ReadMarkerMoved, Record, Uid,
};
use serde_json::{Map, Value, json};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use uuid::Uuid;

use super::paper::{Paper, Person, projected};
use super::tables::rows;

/// The people of every case, by handle.
struct Cast(BTreeMap<String, Person>);

impl Cast {
    fn new() -> Self {
        Self(["ada", "bob", "cy"].map(|handle| (handle.to_owned(), Person::new())).into())
    }

    fn uids(&self) -> Vec<Uid> {
        self.0.values().map(|person| person.uid).collect()
    }

    fn handle(&self, uid: Uuid) -> &str {
        let found = self.0.iter().find(|(_, person)| person.uid.as_uuid() == uid);
        found.expect("one of them").0
    }

    /// The event that a frame was made from.
    fn record(&self, frame: &Value) -> Record {
        let text = |name: &str| frame[name].as_str().unwrap_or_else(|| panic!("{name}: {frame}"));
        let number = |name: &str| frame[name].as_u64().unwrap_or_else(|| panic!("{name}: {frame}"));
        let who = ["sender", "by", "user"].into_iter().find(|name| frame.get(name).is_some()).expect("somebody");
        let actor = &self.0[text(who)];
        let seal = |field, text: &str| actor.key.seal(actor.uid, field, text.as_bytes());
        let fingerprint = Fingerprint::from_bytes([0; 16]);
        let event: Event = match text("type") {
            "message" => MessageSent {
                text: seal(Field::Text, text("text")),
                reply_to: frame.get("reply_to").and_then(Value::as_u64),
                thread: frame.get("thread").and_then(Value::as_u64),
                mentions: vec![],
                mentions_room: false,
                metadata: frame.get("metadata").map(|metadata| seal(Field::Metadata, &metadata.to_string())),
                fingerprint,
            }
            .into(),
            "edited" => {
                MessageEdited { message: number("message"), text: seal(Field::Text, text("text")), fingerprint }.into()
            }
            "deleted" => MessageDeleted { message: number("message"), fingerprint }.into(),
            "reaction" => {
                let (message, emoji) = (number("message"), seal(Field::Emoji, text("emoji")));
                match text("op") {
                    "add" => ReactionAdded { message, emoji, fingerprint }.into(),
                    _ => ReactionRemoved { message, emoji, fingerprint }.into(),
                }
            }
            "pin" => match text("op") {
                "add" => MessagePinned { message: number("message"), fingerprint }.into(),
                _ => MessageUnpinned { message: number("message"), fingerprint }.into(),
            },
            "marker" => {
                let thread = frame.get("thread").and_then(Value::as_u64);
                ReadMarkerMoved { read: number("read"), thread }.into()
            }
            other => panic!("{other}"),
        };
        let people = self.uids();
        let record = Record::new(actor.uid, event).to(&people).in_conversation(ConversationId::direct(&people));
        match frame.get("id").and_then(Value::as_str) {
            Some(id) => record.answering(ClientId::from(id.parse::<Uuid>().expect("an id"))),
            None => record,
        }
        .sealed_with(actor.key_id)
    }
}

#[tokio::test]
async fn evt_the_golden_cases_of_folding_come_out_as_they_say() {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../protocol/golden/folding");
    let mut cases = 0;
    for file in std::fs::read_dir(folder).expect("the cases") {
        let path = file.expect("a file").path();
        if path.extension().is_none_or(|extension| extension != "json") {
            continue;
        }
        let case: Value = serde_json::from_slice(&std::fs::read(&path).expect("a case")).expect("JSON");
        let cast = Cast::new();
        let paper = written(&cast, case["frames"].as_array().expect("frames"));
        let expected: Vec<Value> = case["messages"].as_array().expect("messages").iter().map(strip).collect();
        for sizes in [[1_000], [1]] {
            let database = projected(&paper, &sizes).await;
            let found = messages(&database, &cast).await;
            assert_eq!(json!(found), json!(expected), "{} in batches of {sizes:?}", path.display());
            let read = read(&database, &cast).await;
            assert_eq!(json!(read), case["read"], "{} in batches of {sizes:?}", path.display());
        }
        cases += 1;
    }
    assert!(cases >= 20, "{cases} cases");
}

/// A log in which the frames' events stand where the frames say; what is between belongs to somebody else.
fn written(cast: &Cast, frames: &[Value]) -> Paper {
    let other = Person::new();
    let mut people: Vec<&Person> = cast.0.values().collect();
    people.push(&other);
    let mut paper = Paper::new(&people);
    for frame in frames {
        let seq = frame["seq"].as_u64().expect("a seq");
        while paper.events.len() as u64 + 1 < seq {
            paper.append(&other.says(&[], "something else"));
        }
        paper.append(&cast.record(frame));
        let stored = paper.events.last_mut().expect("it was appended");
        assert_eq!(stored.seq, seq, "frames are in order");
        let at = OffsetDateTime::parse(frame["at"].as_str().expect("a time"), &Rfc3339).expect("a time");
        stored.time_ms = i64::try_from(at.unix_timestamp_nanos() / 1_000_000).expect("a time");
    }
    paper
}

/// A message of a case, without what is the same in all.
fn strip(message: &Value) -> Value {
    let mut message = message.as_object().expect("a message").clone();
    message.remove("conversation");
    Value::Object(message)
}

type Row = (i64, Uuid, Uuid, Option<String>, i64, Option<i64>, bool, Option<i64>, Option<String>, bool);

/// The messages as history shows them.
async fn messages(database: &natter_testkit::Database, cast: &Cast) -> Vec<Value> {
    let conversation = ConversationId::direct(&cast.uids()).as_uuid();
    let ms = "(extract(epoch from at) * 1000)::int8, (extract(epoch from edited_at) * 1000)::int8";
    let query = format!(
        "select seq, sender, id, text, {ms}, deleted_seq is not null, reply_to, metadata, \
           exists (select from pins p where p.conversation = m.conversation and p.message = m.seq) \
         from messages m where conversation = '{conversation}' and thread = 0 order by seq"
    );
    let found: Vec<Row> = rows(database, &query).await;
    let mut messages = Vec::new();
    for (seq, sender, id, text, at, edited_at, deleted, reply_to, metadata, pinned) in found {
        let mut message = Map::new();
        let mut set = |name: &str, value: Value| _ = message.insert(name.to_owned(), value);
        set("seq", json!(seq));
        set("sender", json!(cast.handle(sender)));
        set("id", json!(id.to_string()));
        set("text", json!(text.unwrap_or_default()));
        set("at", json!(timestamp(at)));
        if let Some(edited_at) = edited_at {
            set("edited_at", json!(timestamp(edited_at)));
        }
        if deleted {
            set("deleted", json!(true));
        }
        if let Some(reply_to) = reply_to {
            set("reply_to", json!(reply_to));
        }
        if let Some(metadata) = metadata {
            set("metadata", serde_json::from_str(&metadata).expect("JSON"));
        }
        if pinned {
            set("pinned", json!(true));
        }
        let query = format!(
            "select replies, (extract(epoch from last_at) * 1000)::int8 from threads \
             where conversation = '{conversation}' and root = {seq}"
        );
        let threads: Vec<(i64, i64)> = rows(database, &query).await;
        if let [(count, last_at)] = threads[..] {
            set("replies", json!({"count": count, "last_at": timestamp(last_at)}));
        }
        let query = format!(
            "select emoji, array_agg(uid order by seq) from reactions \
             where conversation = '{conversation}' and message = {seq} group by emoji order by min(since)"
        );
        let reactions: Vec<(String, Vec<Uuid>)> = rows(database, &query).await;
        if !reactions.is_empty() {
            let items = reactions.into_iter().map(|(emoji, uids)| {
                let users: Vec<_> = uids.into_iter().map(|uid| cast.handle(uid)).collect();
                json!({"emoji": emoji, "count": users.len(), "users": users})
            });
            set("reactions", items.collect());
        }
        messages.push(Value::Object(message));
    }
    messages
}

/// How far each has read; who has read nothing is not named.
async fn read(database: &natter_testkit::Database, cast: &Cast) -> BTreeMap<String, i64> {
    let conversation = ConversationId::direct(&cast.uids()).as_uuid();
    let query =
        format!("select uid, read_seq from participants where conversation = '{conversation}' and read_seq > 0");
    let read: Vec<(Uuid, i64)> = rows(database, &query).await;
    read.into_iter().map(|(uid, seq)| (cast.handle(uid).to_owned(), seq)).collect()
}

fn timestamp(ms: i64) -> String {
    let at = OffsetDateTime::from_unix_timestamp_nanos(i128::from(ms) * 1_000_000).expect("a time");
    let (year, month, day) = at.to_calendar_date();
    let (hour, minute, second, milli) = at.to_hms_milli();
    format!("{year:04}-{:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{milli:03}Z", u8::from(month))
}
