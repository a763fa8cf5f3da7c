//! Connecting, resuming and coming back (CON, HRT, EVT).

use std::time::Duration;

use natter_client::{ConnectError, Encoding, Event, ResetReason, State, StopReason};
use natter_protocol::ClientFrame;
use natter_protocol::frame::{Goodbye, ServerFrame};

use crate::peer::{Peer, caught_up, message, ok, ping, position, reset, seqs, until, within};

fn live(event: &Event) -> bool {
    matches!(event, Event::State(State::Live { .. }))
}

#[tokio::test]
async fn con1_hello_comes_first_with_token_name_and_position() {
    let mut peer = Peer::start().await;
    let builder = peer.builder().client_name("echo/1").resume_from(position(7));
    let connecting = tokio::spawn(builder.connect());
    let mut socket = peer.accept().await;
    let hello = socket.hello().await;
    assert_eq!(hello.token.as_deref(), Some("a.b.c"));
    assert_eq!(hello.client.as_deref(), Some("echo/1"));
    assert_eq!(hello.resume, Some(position(7)));
    assert!(!connecting.is_finished(), "connected before it was welcome");
    socket.welcome(25_000).await;
    let (client, _events) = within("connect", connecting).await.expect("runs").expect("connects");
    assert_eq!(client.user(), Some(crate::peer::handle("ada")));
}

#[tokio::test]
async fn con3_a_replay_comes_before_caught_up_and_in_both_encodings() {
    for encoding in [Encoding::Json, Encoding::MessagePack] {
        let mut peer = Peer::start().await;
        let builder = peer.builder().encoding(encoding).resume_from(position(7));
        let (_client, mut events) = builder.start().await.expect("starts");
        let mut socket = peer.accept().await;
        assert_eq!(socket.encoding, encoding);
        socket.hello().await;
        socket.welcome(25_000).await;
        socket.say_all(&[message(8), message(9), caught_up(9)]).await;
        let seen = until(&mut events, live).await;
        assert_eq!(seqs(&seen), [8, 9]);
        let caught_up = seen.iter().position(|event| matches!(event, Event::CaughtUp { .. })).expect("caught up");
        let last = seen.iter().position(|event| matches!(event, Event::Message(m) if m.seq == 9)).expect("message 9");
        assert!(last < caught_up, "{seen:#?}");
    }
}

#[tokio::test]
async fn con3_a_reset_is_told_with_reason_and_position() {
    let mut peer = Peer::start().await;
    let (_client, mut events) = peer.builder().resume_from(position(7)).start().await.expect("starts");
    let mut socket = peer.accept().await;
    socket.hello().await;
    socket.welcome(25_000).await;
    socket.say(reset(ResetReason::TooMuch, 90_000)).await;
    let seen = until(&mut events, live).await;
    let told = |event: &Event| matches!(event, Event::Reset { reason: ResetReason::TooMuch, position: p } if *p == position(90_000));
    assert!(seen.iter().any(told), "{seen:#?}");
}

#[tokio::test]
async fn evt2_a_reconnection_resumes_after_the_last_event_or_ok() {
    let mut peer = Peer::start().await;
    let (client, mut events, mut socket) = peer.live().await;
    socket.say(message(11)).await;
    let sending =
        tokio::spawn(async move { client.send(crate::peer::handle("bob"), "hi").await.map(|sent| (client, sent)) });
    let send = socket.sent().await;
    socket.say(ok(&send, 12)).await;
    let (_client, sent) = within("ok", sending).await.expect("runs").expect("sent");
    assert_eq!(sent.seq, 12);
    socket.close(4001).await;
    let mut socket = peer.accept().await;
    assert_eq!(socket.hello().await.resume, Some(position(12)));
    socket.welcome(25_000).await;
    socket.say_all(&[message(13), caught_up(13)]).await;
    let seen = until(&mut events, |event| matches!(event, Event::CaughtUp { .. })).await;
    assert_eq!(seqs(&seen), [11, 13]);
}

#[tokio::test]
async fn hrt1_pings_are_answered_and_their_position_is_resumed_from() {
    let mut peer = Peer::start().await;
    let (_client, mut events, mut socket) = peer.live().await;
    socket.say(ping(40)).await;
    let answered = loop {
        match socket.next().await.expect("open") {
            ClientFrame::Pong(pong) => break pong.position,
            ClientFrame::Applied(_) => {}
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(answered, position(40));
    let beat = |event: &Event| matches!(event, Event::Heartbeat { position: p } if *p == position(40));
    until(&mut events, beat).await;
    drop(socket);
    assert_eq!(peer.accept().await.hello().await.resume, Some(position(40)));
}

#[tokio::test]
async fn hrt1_a_server_that_goes_silent_is_left() {
    let mut peer = Peer::start().await;
    let (_client, _events) = peer.builder().start().await.expect("starts");
    let mut silent = peer.accept().await;
    silent.hello().await;
    silent.welcome(100).await;
    silent.say(caught_up(1)).await;
    assert_eq!(peer.accept().await.hello().await.resume, Some(position(1)));
    assert_eq!(silent.next().await, None, "and it is told");
}

#[tokio::test]
async fn hrt3_goodbye_moves_to_another_gateway_and_keeps_this_one_until_then() {
    let mut peer = Peer::start().await;
    let (_client, mut events, mut socket) = peer.live().await;
    socket.say(ServerFrame::Goodbye(Goodbye { reconnect_after_ms: 200 })).await;
    socket.say(message(11)).await;
    let seen = until(&mut events, |event| matches!(event, Event::Message(_))).await;
    assert_eq!(seqs(&seen), [11]);
    assert_eq!(peer.accept().await.hello().await.resume, Some(position(11)));
}

#[tokio::test]
async fn close_codes_from_4500_end_the_client_and_say_why() {
    for code in [4500, 4501, 4503, 4504, 4505] {
        let mut peer = Peer::start().await;
        let connecting = tokio::spawn(peer.builder().connect());
        let mut socket = peer.accept().await;
        socket.hello().await;
        socket.close(code).await;
        match within("an end", connecting).await.expect("runs") {
            Err(ConnectError::Stopped(StopReason::Closed { code: said, reason: Some(reason) })) => {
                assert_eq!((said, reason.as_str()), (code, "as the test says"));
            }
            other => panic!("{other:?}"),
        }
    }
}

#[tokio::test]
async fn hrt4_a_given_token_that_ends_ends_the_client_and_its_events() {
    let mut peer = Peer::start().await;
    let (client, mut events, socket) = peer.live().await;
    socket.close(4502).await;
    until(&mut events, |event| matches!(event, Event::State(State::Stopped(StopReason::LoginEnded)))).await;
    assert!(within("the end", events.next()).await.is_none());
    let error = client.send(crate::peer::handle("bob"), "hi").await.expect_err("stopped");
    assert!(matches!(error, natter_client::SendError::Stopped), "{error}");
}

#[tokio::test]
async fn hrt4_a_token_is_replaced_in_place() {
    let mut peer = Peer::start().await;
    let (client, _events, mut socket) = peer.live().await;
    client.use_token("d.e.f").await.expect("runs");
    loop {
        match socket.next().await.expect("open") {
            ClientFrame::Token(token) => break assert_eq!(token.token, "d.e.f"),
            ClientFrame::Applied(_) => {}
            other => panic!("{other:?}"),
        }
    }
    socket.close(4001).await;
    assert_eq!(peer.accept().await.hello().await.token.as_deref(), Some("d.e.f"));
}

#[tokio::test]
async fn hrt5_a_server_that_is_not_there_is_waited_for_and_named() {
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let url = format!("http://{}", nobody.local_addr().expect("an address"));
    drop(nobody);
    let builder = natter_client::Client::builder(url).token("a").patience(Duration::from_millis(300));
    match within("an error", builder.connect()).await {
        Err(ConnectError::TimedOut { last, .. }) => assert!(last.contains("refused"), "{last}"),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn hrt5_a_hand_makes_it_try_at_once() {
    let mut peer = Peer::start().await;
    let (client, mut events, mut socket) = peer.live().await;
    // Far away, so that only the hand can be the reason.
    socket.say(ServerFrame::Goodbye(Goodbye { reconnect_after_ms: 600_000 })).await;
    socket.close(4000).await;
    until(&mut events, |event| matches!(event, Event::State(State::Waiting { .. }))).await;
    client.reconnect_now();
    peer.accept().await.greet(10).await;
    until(&mut events, live).await;
}

#[tokio::test]
async fn hrt6_applied_follows_what_the_program_has_dealt_with() {
    let mut peer = Peer::start().await;
    let (_client, mut events, mut socket) = peer.live().await;
    for seq in 11..=20 {
        socket.say(message(seq)).await;
    }
    let mut said = Vec::new();
    let last = |event: &Event| matches!(event, Event::Message(message) if message.seq == 20);
    until(&mut events, last).await;
    assert!(events.try_next().is_none(), "asking for more says that message 20 is dealt with");
    while said.last() != Some(&position(20)) {
        match socket.next().await.expect("open") {
            ClientFrame::Applied(applied) => said.push(applied.position),
            other => panic!("{other:?}"),
        }
    }
    assert!(said.len() <= 3, "at most once a second: {said:?}");
}

#[tokio::test]
async fn frm4_a_server_that_sends_no_frames_is_left_and_tried_again() {
    let mut peer = Peer::start().await;
    let (_client, _events, mut socket) = peer.live().await;
    socket.say_bytes(b"{\"type\":".to_vec()).await;
    assert_eq!(peer.accept().await.hello().await.resume, Some(position(10)));
}

#[tokio::test]
async fn frm2_frames_of_a_later_version_are_passed_over() {
    let mut peer = Peer::start().await;
    let (_client, mut events, mut socket) = peer.live().await;
    socket.say_bytes(b"{\"type\":\"levitation\",\"height\":3}".to_vec()).await;
    socket.say(message(11)).await;
    let seen = until(&mut events, |event| matches!(event, Event::Message(_))).await;
    assert_eq!(seqs(&seen), [11]);
}

#[tokio::test]
async fn closing_says_goodbye_and_ends_the_events() {
    let mut peer = Peer::start().await;
    let (client, mut events, mut socket) = peer.live().await;
    client.close().await;
    assert_eq!(socket.next().await, None);
    until(&mut events, |event| matches!(event, Event::State(State::Stopped(StopReason::ByUs)))).await;
    assert!(within("the end", events.next()).await.is_none());
}

#[tokio::test]
async fn a_client_that_nobody_holds_ends() {
    let mut peer = Peer::start().await;
    let (client, events, mut socket) = peer.live().await;
    drop(client);
    drop(events);
    loop {
        match socket.next().await {
            None => break,
            Some(ClientFrame::Applied(_)) => {}
            other => panic!("{other:?}"),
        }
    }
}
