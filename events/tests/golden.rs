//! Events are bytes for ever (D11): every version that was ever written decodes, to what it said then.
//!
//! `golden/<type>.v<version>.bin` is a stored event, `.txt` what it says. Files of old versions stay when a new one comes.
//! For a new type or version, add an example below and run the test once with `NATTER_WRITE_GOLDEN=1`: it writes files that
//! are missing and changes none.

#![allow(clippy::unwrap_used)]

use std::path::PathBuf;

use natter_events::event::{
    Account, BlockChanged, CATALOGUE, Membership, MembershipChange, MembershipChanged, MessageDeleted, MessageEdited,
    MessagePinned, MessageSent, MessageUnpinned, PreferencesChanged, PresenceChanged, PresenceStatus, ProfileChanged,
    ReactionAdded, ReactionRemoved, ReadMarkerMoved, ReceivedUpTo, Revocation, RevokedSessions, Role, Room, RoomChange,
    RoomChanged, SessionsRevoked, UserRegistered, Visibility,
};
use natter_events::{ClientId, ContentKey, ConversationId, Event, Field, Intent, KeyId, Record, SessionId, Uid};
use uuid::Uuid;

const ADA: Uid = Uid::from_bytes([0xa1; 16]);
const BOB: Uid = Uid::from_bytes([0xb2; 16]);
const SESSION: SessionId = SessionId::from_bytes([0x5e; 16]);

/// One event of each type, in the version that is written today.
fn examples() -> Vec<Record> {
    let key = ContentKey::from_bytes([7; 32]);
    let key_id = KeyId::from_bytes([0xc4; 16]);
    let (conversation, id) = (
        ConversationId::direct(&[ADA, BOB]),
        ClientId::from(Uuid::from_u128(0x01a0_c450_6c7b_7df7_b226_fe1e_0149_99e2)),
    );
    let seal = |field, text: &str| key.seal_with_nonce([9; 24], ADA, field, text.as_bytes());
    let account = Account {
        handle: seal(Field::Handle, "ada"),
        display_name: Some(seal(Field::DisplayName, "Ada Lovelace")),
        registered_at_ms: 1_790_000_000_000,
        suspended: false,
        revocations: vec![Revocation { at_ms: 1_790_000_000_500, which: RevokedSessions::AllBut(SESSION) }],
        blocks: vec![],
    };
    let print = |intent| key.fingerprint(conversation, id, intent);
    let room = ConversationId::room(ADA, id).unwrap();
    let seal_room = |field, text: &str| key.seal_with_nonce([9; 24], room.as_owner(), field, text.as_bytes());
    let print_room = |what, asks| key.fingerprint(room, id, Intent::Other { what, asks });
    let emoji = || seal(Field::Emoji, "👍");
    let in_conversation = |event: Event| {
        Record::new(ADA, event).to(&[ADA, BOB]).in_conversation(conversation).answering(id).sealed_with(key_id)
    };
    let blocking = Account { blocks: vec![BOB], ..account.clone() };
    vec![
        Record::new(
            ADA,
            BlockChanged {
                user: BOB,
                blocked: true,
                account: blocking,
                fingerprint: key.fingerprint(None, id, Intent::Block { user: BOB }),
            },
        )
        .to(&[ADA])
        .answering(id)
        .sealed_with(key_id),
        in_conversation(Event::MessageEdited(MessageEdited {
            message: 43,
            text: seal(Field::Text, "hullo"),
            fingerprint: print(Intent::Edit { message: 43, text: "hullo" }),
        })),
        in_conversation(Event::MessageDeleted(MessageDeleted {
            message: 43,
            fingerprint: print(Intent::Delete { message: 43 }),
        })),
        in_conversation(Event::ReactionAdded(ReactionAdded {
            message: 42,
            emoji: emoji(),
            fingerprint: print(Intent::AddReaction { message: 42, emoji: "👍" }),
        })),
        in_conversation(Event::ReactionRemoved(ReactionRemoved {
            message: 42,
            emoji: emoji(),
            fingerprint: print(Intent::RemoveReaction { message: 42, emoji: "👍" }),
        })),
        Record::new(
            ADA,
            ProfileChanged {
                account: account.clone(),
                fingerprint: key.fingerprint(None, id, Intent::Other { what: "profile", asks: b"Ada Lovelace" }),
            },
        )
        .to(&[ADA])
        .answering(id)
        .sealed_with(key_id),
        Record::new(
            ADA,
            PreferencesChanged {
                preferences: seal(Field::Preferences, r#"{"muted":true}"#),
                fingerprint: print(Intent::Other { what: "prefer", asks: br#"{"muted":true}"# }),
            },
        )
        .to(&[ADA])
        .in_conversation(conversation)
        .answering(id)
        .sealed_with(key_id),
        in_conversation(Event::MessagePinned(MessagePinned {
            message: 42,
            fingerprint: print(Intent::Pin { message: 42 }),
        })),
        in_conversation(Event::MessageUnpinned(MessageUnpinned {
            message: 42,
            fingerprint: print(Intent::Unpin { message: 42 }),
        })),
        Record::new(
            ADA,
            MembershipChanged {
                change: MembershipChange::Role,
                rooms: vec![Membership { room, role: Role::Moderator, since: Some(40) }],
                fingerprint: Some(print_room("role", b"moderator")),
            },
        )
        .to(&[BOB])
        .in_conversation(room)
        .answering(id),
        Record::new(
            ADA,
            RoomChanged {
                change: RoomChange::Banned(BOB),
                room: Room {
                    name: seal_room(Field::RoomName, "engines"),
                    topic: Some(seal_room(Field::RoomTopic, "analytical ones")),
                    visibility: Visibility::Public,
                    public_since: Some(41),
                    archived: false,
                    owners: vec![ADA],
                    bans: vec![BOB],
                },
                fingerprint: Some(print_room("ban", BOB.as_bytes())),
            },
        )
        .in_conversation(room)
        .answering(id)
        .sealed_with(room.key_id()),
        Record::new(
            ADA,
            MessageSent {
                text: seal(Field::Text, "hello"),
                reply_to: Some(41),
                thread: None,
                mentions: vec![],
                mentions_room: false,
                metadata: Some(seal(Field::Metadata, r#"{"bot":true}"#)),
                fingerprint: key.fingerprint(
                    conversation,
                    id,
                    Intent::Send {
                        text: "hello",
                        reply_to: Some(41),
                        thread: None,
                        metadata: Some(br#"{"bot":true}"#),
                    },
                ),
            },
        )
        .to(&[BOB, ADA])
        .in_conversation(conversation)
        .answering(id)
        .sealed_with(key_id)
        .traced(Some("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01".into())),
        Record::new(ADA, ReadMarkerMoved { read: 42, thread: None })
            .to(&[ADA, BOB])
            .in_conversation(conversation)
            .answering(id),
        Record::new(ADA, UserRegistered { account: account.clone() }).to(&[ADA]).sealed_with(key_id),
        Record::new(
            ADA,
            SessionsRevoked {
                revocation: Revocation { at_ms: 1_790_000_001_000, which: RevokedSessions::One(SESSION) },
                account,
            },
        )
        .to(&[ADA])
        .sealed_with(key_id),
        Record::new(
            ADA,
            PresenceChanged {
                status: PresenceStatus::Away,
                text: Some(seal(Field::StatusText, "at lunch")),
                gateway: "gateway-1".into(),
            },
        )
        .sealed_with(key_id),
        Record::new(ADA, ReceivedUpTo { seq: 42 }),
    ]
}

#[test]
fn d11_every_version_that_was_ever_written_decodes_to_what_it_said() {
    let examples = examples();
    if std::env::var_os("NATTER_WRITE_GOLDEN").is_some() {
        examples.iter().for_each(write_if_missing);
    }
    let mut checked = 0;
    for entry in std::fs::read_dir(folder()).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|extension| extension == "bin") {
            let record = Record::decode(&std::fs::read(&path).unwrap()).unwrap();
            let said = std::fs::read_to_string(path.with_extension("txt")).unwrap();
            assert_eq!(format!("{record:?}\n"), said, "{}", path.display());
            checked += 1;
        }
    }
    assert!(checked >= CATALOGUE.len(), "{checked} golden files for {} types", CATALOGUE.len());
}

#[test]
fn d11_what_is_written_today_is_what_the_golden_files_say() {
    let examples = examples();
    for (kind, version) in CATALOGUE {
        let example = examples.iter().find(|record| record.event.kind() == *kind);
        let example = example.unwrap_or_else(|| panic!("{kind} has no example"));
        let golden =
            std::fs::read(file(kind, *version)).unwrap_or_else(|_| panic!("{kind} v{version} has no golden file"));
        assert_eq!(
            example.encode(),
            golden,
            "{kind} v{version} is written otherwise than it was: that is a new version"
        );
    }
}

fn write_if_missing(record: &Record) {
    let path = file(record.event.kind(), record.event.version());
    if !path.exists() {
        std::fs::write(&path, record.encode()).unwrap();
    }
    if !path.with_extension("txt").exists() {
        std::fs::write(path.with_extension("txt"), format!("{record:?}\n")).unwrap();
    }
}

fn file(kind: &str, version: u16) -> PathBuf {
    folder().join(format!("{kind}.v{version}.bin"))
}

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("golden")
}
