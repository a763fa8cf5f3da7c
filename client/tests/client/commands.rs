//! Commands: the outbox over reconnections, refusals and restarts (CMD, FRM5).

use std::sync::Arc;

use natter_client::{Client, ErrorCode, Event, Notify, Preferences, PresenceChoice, SendError};
use natter_protocol::frame::{self, Refusal, ServerFrame};
use natter_protocol::{ClientFrame, limits};

use crate::peer::{Peer, Socket, conversation, handle, message, ok, until, within};

type Sending = tokio::task::JoinHandle<Result<natter_client::Sent, SendError>>;

fn send(client: &Client, text: &str) -> Sending {
    let (client, text) = (client.clone(), text.to_owned());
    tokio::spawn(async move { client.send(handle("bob"), text).await })
}

async fn refuse(socket: &mut Socket, reference: Option<u64>, code: ErrorCode, retry_after_ms: Option<u64>) {
    socket
        .say(ServerFrame::Error(Refusal { retry_after_ms, ..Refusal::new(reference, code, "as the test says") }))
        .await;
}

#[tokio::test]
async fn cmd1_sent_is_what_ok_says() {
    let mut peer = Peer::start().await;
    let (client, _events, mut socket) = peer.live().await;
    let id = client.new_id();
    let sending = {
        let client = client.clone();
        tokio::spawn(async move {
            let metadata = serde_json::json!({"a": 1});
            client.send(conversation(), "hi").id(id).reply_to(3).metadata(metadata).await
        })
    };
    let said = socket.sent().await;
    assert_eq!((said.id, said.reply_to, said.text.as_str()), (id, Some(3), "hi"));
    assert_eq!(said.to, frame::To::Conversation(conversation()));
    assert_eq!(said.metadata, Some(serde_json::json!({"a": 1})));
    socket.say(ok(&said, 12)).await;
    let sent = within("ok", sending).await.expect("runs").expect("sent");
    assert_eq!((sent.id, sent.seq, sent.conversation, sent.duplicate), (id, 12, Some(conversation()), false));
}

#[tokio::test]
async fn ids_are_made_on_the_servers_clock() {
    let mut peer = Peer::start().await;
    let (client, _events, _socket) = peer.live().await;
    let made_ms = client.new_id().made_at_ms().expect("a UUIDv7");
    assert!((1_790_000_000_000..1_790_000_060_000).contains(&made_ms), "{made_ms}");
}

#[tokio::test]
async fn cmd2_what_was_not_answered_goes_again_with_the_same_id_after_a_reconnection() {
    let mut peer = Peer::start().await;
    let (client, _events, mut socket) = peer.live().await;
    let sending = send(&client, "hi");
    let first = socket.sent().await;
    drop(socket);
    let mut socket = peer.accept().await;
    socket.greet(10).await;
    let again = socket.sent().await;
    assert_eq!((again.id, again.text.as_str()), (first.id, "hi"));
    let ServerFrame::Ok(answer) = ok(&again, 11) else { unreachable!() };
    socket.say(ServerFrame::Ok(frame::Ok { duplicate: true, position: None, ..answer })).await;
    let sent = within("ok", sending).await.expect("runs").expect("sent");
    assert!(sent.duplicate);
    // A repetition's answer moves no position.
    drop(socket);
    assert_eq!(peer.accept().await.hello().await.resume, Some(crate::peer::position(10)));
}

#[tokio::test]
async fn cmd3_unavailable_and_rate_limited_are_tried_again_with_the_same_id() {
    let mut peer = Peer::start().await;
    let (client, _events, mut socket) = peer.live().await;
    let sending = send(&client, "hi");
    let first = socket.sent().await;
    refuse(&mut socket, first.reference, ErrorCode::Unavailable, Some(10)).await;
    let second = socket.sent().await;
    refuse(&mut socket, second.reference, ErrorCode::RateLimited, Some(10)).await;
    let third = socket.sent().await;
    assert_eq!((first.id, first.id), (second.id, third.id));
    socket.say(ok(&third, 11)).await;
    within("ok", sending).await.expect("runs").expect("sent");
}

#[tokio::test]
async fn a_permanent_refusal_is_told() {
    let mut peer = Peer::start().await;
    let (client, _events, mut socket) = peer.live().await;
    let sending = send(&client, "hi");
    let said = socket.sent().await;
    refuse(&mut socket, said.reference, ErrorCode::Blocked, None).await;
    match within("an answer", sending).await.expect("runs") {
        Err(SendError::Refused(refused)) => assert_eq!(refused.code, ErrorCode::Blocked),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn frm5_commands_keep_their_order_when_the_first_is_put_off() {
    let mut peer = Peer::start().await;
    let (client, _events, mut socket) = peer.live().await;
    let one = send(&client, "one");
    let first = socket.sent().await;
    let two = send(&client, "two");
    refuse(&mut socket, first.reference, ErrorCode::RateLimited, Some(50)).await;
    let next = socket.sent().await;
    assert_eq!(next.text, "one");
    socket.say(ok(&next, 11)).await;
    let next = socket.sent().await;
    assert_eq!(next.text, "two");
    socket.say(ok(&next, 12)).await;
    assert_eq!(within("ok", one).await.expect("runs").expect("sent").seq, 11);
    assert_eq!(within("ok", two).await.expect("runs").expect("sent").seq, 12);
}

#[tokio::test]
async fn a_pipeline_lets_several_be_on_their_way() {
    let mut peer = Peer::start().await;
    let (client, _events, mut socket) = peer.live_with(peer.builder().pipeline(3)).await;
    let sending: Vec<_> = ["a", "b", "c", "d"].iter().map(|text| send(&client, text)).collect();
    let said = [socket.sent().await, socket.sent().await, socket.sent().await];
    socket.say(ok(&said[0], 11)).await;
    let fourth = socket.sent().await;
    for (seq, send) in (12..).zip([&said[1], &said[2], &fourth]) {
        socket.say(ok(send, seq)).await;
    }
    for sending in sending {
        within("ok", sending).await.expect("runs").expect("sent");
    }
}

#[tokio::test]
async fn a_full_outbox_makes_the_next_command_wait_for_room() {
    let mut peer = Peer::start().await;
    let (client, _events, mut socket) = peer.live_with(peer.builder().outbox_capacity(1)).await;
    let one = send(&client, "one");
    let said = socket.sent().await;
    let two = send(&client, "two");
    let three = send(&client, "three");
    assert!(!two.is_finished() && !three.is_finished());
    socket.say(ok(&said, 11)).await;
    within("ok", one).await.expect("runs").expect("sent");
    let said = socket.sent().await;
    socket.say(ok(&said, 12)).await;
    let said = socket.sent().await;
    socket.say(ok(&said, 13)).await;
    within("ok", two).await.expect("runs").expect("sent");
    within("ok", three).await.expect("runs").expect("sent");
}

#[tokio::test]
async fn cmd2_an_id_that_waits_already_is_not_taken_twice() {
    let mut peer = Peer::start().await;
    let (client, _events, mut socket) = peer.live().await;
    let id = client.new_id();
    let first = {
        let client = client.clone();
        tokio::spawn(async move { client.send(handle("bob"), "hi").id(id).await })
    };
    let said = socket.sent().await;
    let second = within("an answer", client.send(handle("bob"), "hi").id(id).into_future()).await;
    assert!(matches!(second, Err(SendError::Repeated(repeated)) if repeated == id), "{second:?}");
    socket.say(ok(&said, 11)).await;
    within("ok", first).await.expect("runs").expect("sent");
}

#[tokio::test]
async fn cmd4_what_the_server_would_refuse_is_not_sent() {
    let mut peer = Peer::start().await;
    let (client, _events, mut socket) = peer.live().await;
    for bad in ["", " \n", "a\u{1b}[2J", &"x".repeat(8_001)] {
        let error = client.send(handle("bob"), bad).await.expect_err("refused");
        assert!(matches!(error, SendError::Text(_)), "{error}");
    }
    let metadata = serde_json::Value::String("x".repeat(limits::MAX_FRAME_BYTES));
    let error = client.send(handle("bob"), "hi").metadata(metadata).await.expect_err("refused");
    assert!(matches!(error, SendError::TooLarge { .. }), "{error}");
    let sending = send(&client, "good");
    let said = socket.sent().await;
    assert_eq!(said.text, "good", "nothing else was sent");
    socket.say(ok(&said, 11)).await;
    within("ok", sending).await.expect("runs").expect("sent");
}

#[tokio::test]
async fn cmd2_a_program_that_was_killed_settles_at_its_next_start_what_was_unknown() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("outbox");
    let mut peer = Peer::start().await;
    let (client, events, mut socket) = peer.live_with(peer.builder().outbox_file(&file)).await;
    let sending = send(&client, "unknown");
    let first = socket.sent().await;
    // As if it was killed: nobody is left, no answer came.
    client.close().await;
    assert!(matches!(within("an end", sending).await.expect("runs"), Err(SendError::Stopped)));
    drop((client, events, socket));

    let builder = peer.builder().outbox_file(&file).resume_from(crate::peer::position(10));
    let (client, mut events) = within("the lock", async {
        loop {
            match peer.builder().outbox_file(&file).resume_from(crate::peer::position(10)).start().await {
                Ok(started) => break started,
                Err(natter_client::ConnectError::Outbox(_)) => tokio::task::yield_now().await,
                Err(other) => panic!("{other}"),
            }
        }
    })
    .await;
    drop(builder);
    let mut socket = peer.accept().await;
    socket.greet(10).await;
    let again = socket.sent().await;
    assert_eq!((again.id, again.text.as_str()), (first.id, "unknown"));
    socket.say(ok(&again, 11)).await;
    let seen = until(&mut events, |event| matches!(event, Event::Settled { .. })).await;
    match seen.last() {
        Some(Event::Settled { id, outcome: Ok(sent) }) => assert_eq!((*id, sent.seq), (first.id, 11)),
        other => panic!("{other:?}"),
    }
    client.close().await;
    assert_eq!(std::fs::read_to_string(&file).expect("reads").lines().count(), 2, "taken and settled");
}

#[tokio::test]
async fn marks_go_through_the_outbox() {
    let mut peer = Peer::start().await;
    let (client, _events, mut socket) = peer.live().await;
    let marking = {
        let client = client.clone();
        tokio::spawn(async move { client.mark(conversation(), 9).await })
    };
    let mark = loop {
        match socket.next().await.expect("open") {
            ClientFrame::Mark(mark) => break mark,
            ClientFrame::Applied(_) => {}
            other => panic!("{other:?}"),
        }
    };
    assert_eq!((mark.conversation, mark.read), (conversation(), 9));
    let answer = frame::Ok { reference: mark.reference, seq: Some(12), ..Default::default() };
    socket.say(ServerFrame::Ok(answer)).await;
    assert_eq!(within("ok", marking).await.expect("runs").expect("done").seq, 12);
}

#[tokio::test]
async fn cmd2_a_name_and_preferences_go_through_the_outbox_and_again_after_a_reconnection() {
    let mut peer = Peer::start().await;
    let (client, _events, mut socket) = peer.live().await;
    for bad in ["two\nlines", " ", &"x".repeat(65)] {
        let error = client.profile(bad).await.expect_err("refused");
        assert!(matches!(error, SendError::Text(_)), "CMD4: {error}");
    }
    let naming = {
        let client = client.clone();
        tokio::spawn(async move { client.profile("").await })
    };
    let ClientFrame::Profile(profile) = command(&mut socket).await else { panic!("no profile") };
    assert_eq!(profile.display_name, "", "by the handle again");
    let answer = frame::Ok { reference: profile.reference, seq: Some(11), ..Default::default() };
    socket.say(ServerFrame::Ok(answer)).await;
    let named = within("ok", naming).await.expect("runs").expect("done");
    assert_eq!((named.id, named.seq), (profile.id, 11));

    let preferences = Preferences { muted: true, hidden: true, notify: Notify::Nothing, ..Preferences::default() };
    let preferring = {
        let client = client.clone();
        tokio::spawn(async move { client.prefer(conversation(), preferences).await })
    };
    let ClientFrame::Prefer(first) = command(&mut socket).await else { panic!("no preferences") };
    assert_eq!((first.conversation, first.preferences), (conversation(), preferences));
    drop(socket);
    let mut socket = peer.accept().await;
    socket.greet(11).await;
    let ClientFrame::Prefer(again) = command(&mut socket).await else { panic!("no preferences") };
    assert_eq!((again.id, again.preferences), (first.id, preferences));
    let answer = frame::Ok { reference: again.reference, seq: Some(12), ..Default::default() };
    socket.say(ServerFrame::Ok(answer)).await;
    assert_eq!(within("ok", preferring).await.expect("runs").expect("done").seq, 12);
}

#[tokio::test]
async fn presence_and_watch_are_said_again_after_a_reconnection_and_typing_is_not() {
    let mut peer = Peer::start().await;
    let (client, _events, mut socket) = peer.live().await;
    let asking = {
        let client = client.clone();
        tokio::spawn(async move { client.presence(PresenceChoice::Busy, Some("lunch".into())).await })
    };
    let ClientFrame::Presence(presence) = command(&mut socket).await else { panic!("no presence") };
    let answer = frame::Ok { reference: presence.reference, ..Default::default() };
    socket.say(ServerFrame::Ok(answer)).await;
    within("ok", asking).await.expect("runs").expect("done");
    client.watch([handle("bob")]).await.expect("asked");
    let ClientFrame::Watch(watch) = command(&mut socket).await else { panic!("no watch") };
    assert_eq!(watch.users, [handle("bob")]);
    client.typing(conversation()).await;
    assert!(matches!(command(&mut socket).await, ClientFrame::Typing(_)));
    drop(socket);
    let mut socket = peer.accept().await;
    socket.greet(10).await;
    assert!(
        matches!(command(&mut socket).await, ClientFrame::Presence(presence) if presence.text.as_deref() == Some("lunch"))
    );
    assert!(matches!(command(&mut socket).await, ClientFrame::Watch(_)));
    let _sending = send(&client, "and then");
    assert!(matches!(command(&mut socket).await, ClientFrame::Send(_)));
}

#[tokio::test]
async fn a_reader_that_awaits_an_answer_behind_its_own_events_is_let_go() {
    let mut peer = Peer::start().await;
    let (client, mut events, mut socket) = peer.live_with(peer.builder().event_capacity(2)).await;
    let client = Arc::new(client);
    let sending = send(&client, "hi");
    let said = socket.sent().await;
    for seq in 11..20 {
        socket.say(message(seq)).await;
    }
    socket.say(ok(&said, 20)).await;
    let let_go = within("an answer", sending).await.expect("runs");
    assert!(matches!(let_go, Err(SendError::EventsNotRead)), "{let_go:?}");
    let seen = until(&mut events, |event| matches!(event, Event::Settled { .. })).await;
    assert_eq!(crate::peer::seqs(&seen), (11..20).collect::<Vec<_>>());
    assert!(matches!(seen.last(), Some(Event::Settled { id, outcome: Ok(sent) }) if *id == said.id && sent.seq == 20));
}

/// The next frame that is not about the heartbeat.
async fn command(socket: &mut Socket) -> ClientFrame {
    loop {
        match socket.next().await.expect("open") {
            ClientFrame::Pong(_) | ClientFrame::Applied(_) => {}
            frame => return frame,
        }
    }
}
