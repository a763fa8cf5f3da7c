//! What is done to messages: edits, deletions, reactions.

use std::collections::HashMap;

use natter_client::{
    Client, Deleted, Edited, Encoding, ErrorCode, Event, Reaction, SendError, Sent, Timestamp, Toggle,
};
use natter_events::ClientId;
use natter_protocol::ClientFrame;
use natter_protocol::frame::{self, Refusal, ServerFrame};
use serde_json::json;

use crate::peer::{Peer, Socket, answer, conversation, handle, position, until, within};

type Doing = tokio::task::JoinHandle<Result<Sent, SendError>>;

/// What the client says next of what it does to messages, with its reference and id.
async fn next(socket: &mut Socket) -> (u64, ClientId, String) {
    loop {
        let (reference, id, what) = match socket.next().await.expect("a frame") {
            ClientFrame::Edit(edit) => (edit.reference, edit.id, format!("edit {} {}", edit.message, edit.text)),
            ClientFrame::Delete(delete) => (delete.reference, delete.id, format!("delete {}", delete.message)),
            ClientFrame::React(react) => {
                (react.reference, react.id, format!("react {} {} {:?}", react.message, react.emoji, react.op))
            }
            ClientFrame::Pong(_) | ClientFrame::Applied(_) => continue,
            other => panic!("{other:?}"),
        };
        return (reference.expect("a reference"), id, what);
    }
}

async fn settle(socket: &mut Socket, reference: u64, seq: u64) {
    let ok =
        frame::Ok { reference: Some(reference), seq: Some(seq), position: Some(position(seq)), ..frame::Ok::default() };
    socket.say(ServerFrame::Ok(ok)).await;
}

fn edit(client: &Client, message: u64, text: &str) -> Doing {
    let (client, text) = (client.clone(), text.to_owned());
    tokio::spawn(async move { client.edit(conversation(), message, text).await })
}

fn delete(client: &Client, message: u64) -> Doing {
    let client = client.clone();
    tokio::spawn(async move { client.delete(conversation(), message).await })
}

fn react(client: &Client, message: u64, emoji: &'static str, op: Toggle) -> Doing {
    let client = client.clone();
    tokio::spawn(async move { client.react(conversation(), message, emoji, op).await })
}

#[tokio::test]
async fn cmd1_an_edit_a_deletion_and_a_reaction_are_done_when_they_are_answered() {
    let mut peer = Peer::start().await;
    let (client, _events, mut socket) = peer.live().await;
    let all = [
        (edit(&client, 5, "again"), "edit 5 again"),
        (react(&client, 5, "❤", Toggle::Add), "react 5 ❤️ Add"),
        (react(&client, 5, "👍", Toggle::Remove), "react 5 👍 Remove"),
        (delete(&client, 5), "delete 5"),
    ];
    let mut doing: HashMap<_, _> = all.into_iter().map(|(task, what)| (what.to_owned(), task)).collect();
    for seq in 21..25 {
        let (reference, id, what) = next(&mut socket).await;
        let task = doing.remove(&what).unwrap_or_else(|| panic!("{what}"));
        settle(&mut socket, reference, seq).await;
        let sent = within("an answer", task).await.expect("runs").expect("done");
        assert_eq!((sent.id, sent.seq, sent.duplicate), (id, seq, false), "{what}");
    }
    drop(socket);
    assert_eq!(peer.accept().await.hello().await.resume, Some(position(24)), "an answer is as good as the event");
}

#[tokio::test]
async fn cmd2_what_was_not_answered_is_done_again_with_its_id_also_by_the_next_client() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("outbox");
    let mut peer = Peer::start().await;
    let (client, events, mut socket) = peer.live_with(peer.builder().outbox_file(&file)).await;
    let doing = edit(&client, 5, "again");
    let (_, first, what) = next(&mut socket).await;
    assert_eq!(what, "edit 5 again");
    drop(socket);
    let mut socket = peer.accept().await;
    socket.greet(10).await;
    assert_eq!(next(&mut socket).await.1, first);
    client.close().await;
    assert!(matches!(within("an answer", doing).await.expect("runs"), Err(SendError::Stopped)));
    drop((client, events, socket));
    let (_client, mut events, mut socket) = peer.live_with(peer.builder().outbox_file(&file)).await;
    let (reference, again, what) = next(&mut socket).await;
    assert_eq!((again, what.as_str()), (first, "edit 5 again"));
    settle(&mut socket, reference, 20).await;
    let settled = until(&mut events, |event| matches!(event, Event::Settled { .. })).await;
    assert!(matches!(settled.last(), Some(Event::Settled { id, outcome: Ok(sent) }) if *id == first && sent.seq == 20));
}

#[tokio::test]
async fn cmd4_what_the_server_would_refuse_does_not_leave() {
    let mut peer = Peer::start().await;
    let (client, _events, mut socket) = peer.live().await;
    assert!(matches!(client.edit(conversation(), 5, " \n").await, Err(SendError::Text(_))));
    assert!(matches!(client.edit(conversation(), 5, "x".repeat(8_001)).await, Err(SendError::Text(_))));
    for text in ["", "x", "👍👍", ":+1:"] {
        let refused = client.react(conversation(), 5, text, Toggle::Add).await;
        assert!(matches!(refused, Err(SendError::NotAnEmoji)), "{text:?}: {refused:?}");
    }
    let doing = delete(&client, 5);
    let (reference, _, what) = next(&mut socket).await;
    assert_eq!(what, "delete 5", "the first that left");
    let refusal = Refusal::new(Some(reference), ErrorCode::Forbidden, "it is not yours");
    socket.say(ServerFrame::Error(refusal)).await;
    match within("an answer", doing).await.expect("runs") {
        Err(SendError::Refused(refused)) => assert_eq!(refused.code, ErrorCode::Forbidden),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn evt1_what_others_do_to_messages_comes_as_events_in_either_encoding() {
    for encoding in [Encoding::Json, Encoding::MessagePack] {
        let mut peer = Peer::start().await;
        let (_client, mut events, mut socket) = peer.live_with(peer.builder().encoding(encoding)).await;
        let (conversation, id, at) = (conversation(), ClientId::at(5), Timestamp(1_790_000_000_000));
        let edited = Edited {
            seq: 21,
            position: position(21),
            conversation,
            message: 5,
            by: handle("bob"),
            id,
            text: "again".into(),
            at,
        };
        let reaction = Reaction {
            seq: 22,
            position: position(22),
            conversation,
            message: 5,
            user: handle("bob"),
            id,
            emoji: "👍".into(),
            op: Toggle::Add,
            at,
        };
        let deleted = Deleted { seq: 23, position: position(23), conversation, message: 5, by: handle("bob"), id, at };
        socket
            .say_all(&[
                ServerFrame::Edited(edited.clone()),
                ServerFrame::Reaction(reaction.clone()),
                ServerFrame::Deleted(deleted.clone()),
            ])
            .await;
        let seen = until(&mut events, |event| matches!(event, Event::Deleted(_))).await;
        let [.., Event::Edited(first), Event::Reaction(second), Event::Deleted(third)] = &seen[..] else {
            panic!("{seen:?}")
        };
        assert_eq!((first, second, third), (&edited, &reaction, &deleted));
        assert!(seen.iter().rev().take(3).all(|event| event.conversation() == Some(conversation)));
        drop(socket);
        assert_eq!(peer.accept().await.hello().await.resume, Some(position(23)));
    }
}

#[tokio::test]
async fn hst3_the_versions_of_a_message_are_read_page_by_page() {
    let mut peer = Peer::start().await;
    let (client, _events, _socket) = peer.live().await;
    let version = |seq: u64, text: &str| json!({"seq": seq, "text": text, "at": "2026-01-01T00:00:00.000Z"});
    let page = json!({
        "items": [version(5, "one"), version(8, "two")],
        "next": null,
        "position": position(30),
    });
    peer.will_answer(answer(200, page)).await;
    let mut pages = client.history().versions(conversation(), 5);
    let read = pages.next_page().await.expect("reads").expect("a page");
    assert_eq!(
        read.items.iter().map(|version| (version.seq, version.text.as_str())).collect::<Vec<_>>(),
        [(5, "one"), (8, "two")]
    );
    let asked = peer.asked().await;
    assert_eq!(asked.uri.path(), format!("/history/conversations/{}/messages/5/versions", conversation()));
    assert!(pages.next_page().await.expect("reads").is_none());
}
