//! Events and who reads them: slow readers, gone readers (HRT2, EVT1).

use natter_client::{Event, State};
use natter_protocol::ClientFrame;

use crate::peer::{Peer, caught_up, handle, message, ok, position, seqs, until, within};

#[tokio::test]
async fn evt1_a_slow_reader_gets_everything_once_and_in_order() {
    let mut peer = Peer::start().await;
    let (_client, mut events, mut socket) = peer.live_with(peer.builder().event_capacity(3)).await;
    let saying = tokio::spawn(async move {
        for batch in 0..100_u64 {
            let frames: Vec<_> = (0..10).map(|n| message(11 + batch * 10 + n)).collect();
            socket.say_all(&frames).await;
        }
        socket
    });
    let last = |event: &Event| matches!(event, Event::Message(message) if message.seq == 1_010);
    let seen = until(&mut events, last).await;
    assert_eq!(seqs(&seen), (11..=1_010).collect::<Vec<_>>());
    within("the peer", saying).await.expect("runs");
}

#[tokio::test]
async fn hrt2_a_reader_that_was_cut_off_while_it_slept_resumes_without_a_gap() {
    let mut peer = Peer::start().await;
    let (_client, mut events, mut socket) = peer.live_with(peer.builder().event_capacity(1)).await;
    socket.say_all(&[message(11), message(12), message(13)]).await;
    socket.say_all(&[message(14)]).await;
    socket.close(4001).await;
    let seen = until(&mut events, |event| matches!(event, Event::Message(message) if message.seq == 13)).await;
    assert_eq!(seqs(&seen), [11, 12, 13]);
    let accepting = peer.accept();
    let (mut socket, seen) =
        tokio::join!(accepting, until(&mut events, |event| matches!(event, Event::State(State::Connecting { .. }))));
    let resumed_from = socket.hello().await.resume.expect("a position");
    assert!(seqs(&seen).last().is_none_or(|last| position(*last) == resumed_from), "{seen:#?} {resumed_from:?}");
    socket.welcome(25_000).await;
    let missing: Vec<_> = (resumed_from.seq + 1..=15).map(message).chain([caught_up(15)]).collect();
    socket.say_all(&missing).await;
    let rest = until(&mut events, |event| matches!(event, Event::CaughtUp { .. })).await;
    let all: Vec<_> = seqs(&seen).into_iter().chain(seqs(&rest)).collect();
    assert_eq!(all, [14, 15]);
}

#[tokio::test]
async fn events_that_nobody_wants_do_not_hold_up_commands() {
    let mut peer = Peer::start().await;
    let (client, events, mut socket) = peer.live_with(peer.builder().event_capacity(1)).await;
    drop(events);
    for seq in 11..50 {
        socket.say(message(seq)).await;
    }
    let sending = tokio::spawn(async move { client.send(handle("bob"), "hi").await });
    let said = socket.sent().await;
    socket.say(ok(&said, 50)).await;
    assert_eq!(within("ok", sending).await.expect("runs").expect("sent").seq, 50);
}

#[tokio::test]
async fn a_full_reader_that_leaves_frees_the_socket() {
    let mut peer = Peer::start().await;
    let (client, events, mut socket) = peer.live_with(peer.builder().event_capacity(1)).await;
    for seq in 11..50 {
        socket.say(message(seq)).await;
    }
    let sending = tokio::spawn(async move { client.send(handle("bob"), "hi").await });
    let said = loop {
        match socket.next().await.expect("open") {
            ClientFrame::Send(send) => break send,
            ClientFrame::Applied(_) => {}
            other => panic!("{other:?}"),
        }
    };
    drop(events);
    socket.say(ok(&said, 50)).await;
    assert_eq!(within("ok", sending).await.expect("runs").expect("sent").seq, 50);
}
