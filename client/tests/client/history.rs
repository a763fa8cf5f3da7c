//! History: pages, positions, retries (HST, CON5).

use futures::TryStreamExt;
use natter_client::{ErrorCode, HttpError, ResetReason};
use natter_protocol::MIN_POSITION_HEADER;
use serde_json::{Value, json};

use crate::peer::{Answer, Peer, answer, conversation, handle, ok, position, reset, within};

fn page(seqs: &[u64], next: Option<&str>) -> Answer {
    let item = |seq: &u64| {
        json!({
            "seq": seq, "conversation": conversation(), "sender": "bob", "id": natter_client::ClientId::at(*seq),
            "text": "hi", "at": "2026-09-21T14:13:20.123Z",
        })
    };
    let items: Vec<Value> = seqs.iter().map(item).collect();
    answer(200, json!({"items": items, "next": next, "position": position(50)}))
}

fn unavailable(retry_after_ms: u64) -> Answer {
    let body = json!({
        "type": "about:blank", "title": "Unavailable", "status": 503, "code": "unavailable", "temporary": true,
        "retry_after_ms": retry_after_ms,
    });
    answer(503, body)
}

#[tokio::test]
async fn hst1_pages_follow_their_cursors_as_one_stream() {
    let mut peer = Peer::start().await;
    let (client, _events, _socket) = peer.live().await;
    peer.will_answer(page(&[9, 8], Some("c/1"))).await;
    peer.will_answer(page(&[7], None)).await;
    let messages = client.history().messages(conversation()).before(10).limit(2).items();
    let seqs: Vec<u64> = messages.map_ok(|message| message.seq).try_collect().await.expect("reads");
    assert_eq!(seqs, [9, 8, 7]);
    let first = peer.asked().await;
    assert_eq!(first.uri.path(), format!("/history/conversations/{}/messages", conversation()));
    assert_eq!(first.uri.query(), Some("before=10&limit=2"));
    assert_eq!(first.header("authorization"), Some("Bearer a.b.c"));
    assert_eq!(peer.asked().await.uri.query(), Some("before=10&limit=2&cursor=c%2F1"));
}

#[tokio::test]
async fn a_search_says_where_and_by_whom_and_goes_on_after_an_empty_page() {
    let mut peer = Peer::start().await;
    let (client, _events, _socket) = peer.live().await;
    peer.will_answer(page(&[9], Some("c/1"))).await;
    peer.will_answer(page(&[], Some("c/2"))).await;
    peer.will_answer(page(&[3], None)).await;
    let search = client.history().search("blue sea").conversation(conversation()).from(&handle("bob")).before(10);
    let found: Vec<u64> =
        search.pages().limit(5).items().map_ok(|message| message.seq).try_collect().await.expect("reads");
    assert_eq!(found, [9, 3]);
    let first = peer.asked().await;
    assert_eq!(first.uri.path(), "/history/search");
    let query = format!("q=blue+sea&conversation={}&from=bob&before=10&limit=5", conversation());
    assert_eq!(first.uri.query(), Some(query.as_str()));
    for cursor in ["c%2F1", "c%2F2"] {
        let expected = format!("{query}&cursor={cursor}");
        assert_eq!(peer.asked().await.uri.query(), Some(expected.as_str()));
    }
}

#[tokio::test]
async fn con5_after_a_reset_first_pages_are_asked_for_at_its_position() {
    let mut peer = Peer::start().await;
    let (client, mut events) = peer.builder().resume_from(position(1)).start().await.expect("starts");
    let mut socket = peer.accept().await;
    socket.hello().await;
    socket.welcome(25_000).await;
    socket.say(reset(ResetReason::TooOld, 40)).await;
    crate::peer::until(&mut events, |event| matches!(event, natter_client::Event::Reset { .. })).await;
    peer.will_answer(page(&[3], Some("c"))).await;
    peer.will_answer(page(&[2], None)).await;
    let mut pages = client.history().direct(&[handle("ada"), handle("bob")]);
    pages.next_page().await.expect("reads").expect("a page");
    let first = peer.asked().await;
    assert_eq!(first.uri.to_string(), "/history/direct?participants=ada%2Cbob");
    assert_eq!(first.header(MIN_POSITION_HEADER), Some(position(40).to_string().as_str()));
    pages.next_page().await.expect("reads").expect("a page");
    assert_eq!(peer.asked().await.header(MIN_POSITION_HEADER), None, "the cursor says which snapshot");
    assert!(pages.next_page().await.expect("reads").is_none());
}

#[tokio::test]
async fn hst2_a_client_reads_what_it_wrote() {
    let mut peer = Peer::start().await;
    let (client, _events, mut socket) = peer.live().await;
    let sending = {
        let client = client.clone();
        tokio::spawn(async move { client.send(handle("bob"), "hi").await })
    };
    let said = socket.sent().await;
    socket.say(ok(&said, 77)).await;
    within("ok", sending).await.expect("runs").expect("sent");
    peer.will_answer(page(&[], None)).await;
    client.history().messages(conversation()).next_page().await.expect("reads");
    assert_eq!(peer.asked().await.header(MIN_POSITION_HEADER), Some(position(77).to_string().as_str()));
}

#[tokio::test]
async fn hst2_unavailable_is_asked_for_again_and_not_for_ever() {
    let mut peer = Peer::start().await;
    let (client, _events, _socket) = peer.live().await;
    for _ in 0..2 {
        peer.will_answer(unavailable(10)).await;
    }
    peer.will_answer(page(&[1], None)).await;
    let read = client.history().messages(conversation()).next_page().await.expect("reads").expect("a page");
    assert_eq!(read.items.len(), 1);
    for _ in 0..10 {
        peer.will_answer(unavailable(10)).await;
    }
    let error = client.history().messages(conversation()).next_page().await.expect_err("gives up");
    assert_eq!(error.code(), Some(ErrorCode::Unavailable));
    for _ in 0..7 {
        peer.asked().await;
    }
}

#[tokio::test]
async fn what_is_not_a_page_is_an_error() {
    let mut peer = Peer::start().await;
    let (client, _events, _socket) = peer.live().await;
    for bad in [json!({"items": [{}], "next": null, "position": position(1)}), json!([]), json!({"items": []})] {
        peer.will_answer(answer(200, bad)).await;
        let error = client.history().messages(conversation()).next_page().await.expect_err("not a page");
        assert!(matches!(error, HttpError::Unexpected { status: 200 }), "{error}");
        peer.asked().await;
    }
}
