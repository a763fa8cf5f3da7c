//! Rooms: what is done to them and in them, and what is read of them.

use natter_client::{
    Client, ConversationId, ErrorCode, Event, HttpError, Member, MemberChange, Pinned, Role, Room, SendError, Sent,
    Timestamp, Toggle, Visibility,
};
use natter_events::ClientId;
use natter_protocol::frame::{self, Refusal, ServerFrame};
use natter_protocol::{ClientFrame, Encoding, MIN_POSITION_HEADER};
use serde_json::{Value, json};

use crate::peer::{Answer, Peer, Socket, answer, handle, position, until, within};

type Doing = tokio::task::JoinHandle<Result<Sent, SendError>>;

fn room() -> ConversationId {
    "01a0c450-77a4-7000-8000-000000000007".parse().expect("a room")
}

/// Does something with a client of its own, beside the test.
fn doing<F>(client: &Client, act: impl FnOnce(Client) -> F) -> Doing
where
    F: Future<Output = Result<Sent, SendError>> + Send + 'static,
{
    tokio::spawn(act(client.clone()))
}

/// What the client says next, as JSON, with its reference.
async fn next(socket: &mut Socket) -> (u64, Value) {
    loop {
        let frame = socket.next().await.expect("a frame");
        if !matches!(frame, ClientFrame::Pong(_) | ClientFrame::Applied(_)) {
            let mut said: Value = serde_json::from_slice(&Encoding::Json.encode_client(&frame)).expect("JSON");
            let fields = said.as_object_mut().expect("a frame");
            let reference = fields.remove("ref").and_then(|reference| reference.as_u64()).expect("a reference");
            return (reference, said);
        }
    }
}

async fn settle(socket: &mut Socket, reference: u64, seq: u64) {
    let (seq, position) = (Some(seq), Some(position(seq)));
    let ok = frame::Ok { reference: Some(reference), seq, position, ..frame::Ok::default() };
    socket.say(ServerFrame::Ok(ok)).await;
}

#[tokio::test]
async fn cmd1_everything_that_is_done_to_a_room_is_done_when_it_is_answered() {
    let mut peer = Peer::start().await;
    let (client, _events, mut socket) = peer.live().await;
    let bob = || handle("bob");
    let all: Vec<(Doing, Value)> = vec![
        (doing(&client, |client| async move { client.room(room()).join().await }), json!({"type": "room.join"})),
        (doing(&client, |client| async move { client.room(room()).leave().await }), json!({"type": "room.leave"})),
        (doing(&client, |client| async move { client.room(room()).archive().await }), json!({"type": "room.archive"})),
        (
            doing(&client, move |client| async move { client.room(room()).add(bob()).await }),
            json!({"type": "room.add", "user": "bob"}),
        ),
        (
            doing(&client, move |client| async move { client.room(room()).remove(bob()).await }),
            json!({"type": "room.remove", "user": "bob"}),
        ),
        (
            doing(&client, move |client| async move { client.room(room()).ban(bob()).await }),
            json!({"type": "room.ban", "user": "bob"}),
        ),
        (
            doing(&client, move |client| async move { client.room(room()).unban(bob()).await }),
            json!({"type": "room.unban", "user": "bob"}),
        ),
        (
            doing(&client, move |client| async move { client.room(room()).set_role(bob(), Role::Moderator).await }),
            json!({"type": "room.role", "user": "bob", "role": "moderator"}),
        ),
        (
            doing(&client, |client| async move { client.room(room()).update().name("steam").topic("").await }),
            json!({"type": "room.update", "name": "steam", "topic": ""}),
        ),
        (
            doing(&client, |client| async move {
                client.room(room()).update().visibility(Visibility::Private).archived(false).await
            }),
            json!({"type": "room.update", "visibility": "private", "archived": false}),
        ),
        (
            doing(&client, |client| async move { client.pin(room(), 5, Toggle::Add).await }),
            json!({"type": "pin", "message": 5, "op": "add"}),
        ),
        (
            doing(&client, |client| async move { client.mark_thread(room(), 5, 9).await }),
            json!({"type": "mark", "read": 9, "thread": 5}),
        ),
    ];
    let mut waiting: Vec<_> = all
        .into_iter()
        .map(|(task, mut said)| {
            said["conversation"] = json!(room());
            (task, said)
        })
        .collect();
    for seq in 21..33 {
        let (reference, mut said) = next(&mut socket).await;
        let id = said.as_object_mut().expect("a frame").remove("id").expect("an id");
        let place = waiting.iter().position(|(_, expected)| *expected == said);
        let (task, _) = waiting.remove(place.unwrap_or_else(|| panic!("{said} is not one of {waiting:?}")));
        settle(&mut socket, reference, seq).await;
        let sent = within("an answer", task).await.expect("runs").expect("done");
        assert_eq!((json!(sent.id), sent.seq, sent.refused.as_slice()), (id, seq, &[][..]));
    }
    assert!(waiting.is_empty(), "{waiting:?}");
}

#[tokio::test]
async fn cmd2_a_room_that_was_not_answered_is_made_with_the_same_id_and_the_answer_says_who_is_not_in_it() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("outbox");
    let mut peer = Peer::start().await;
    let (client, events, mut socket) = peer.live_with(peer.builder().outbox_file(&file)).await;
    let making = doing(&client, |client| async move {
        client.create_room("engines").private().topic("brass").members([handle("bob"), handle("nobody")]).await
    });
    let (_, first) = next(&mut socket).await;
    let id = first["id"].clone();
    let expected = json!({
        "type": "room.create", "id": id, "name": "engines", "topic": "brass", "visibility": "private",
        "members": ["bob", "nobody"],
    });
    assert_eq!(first, expected);
    drop(socket);
    let mut socket = peer.accept().await;
    socket.greet(10).await;
    assert_eq!(next(&mut socket).await.1, first);
    client.close().await;
    assert!(matches!(within("an answer", making).await.expect("runs"), Err(SendError::Stopped)));
    drop((client, events, socket));

    let (_client, mut events, mut socket) = peer.live_with(peer.builder().outbox_file(&file)).await;
    let (reference, again) = next(&mut socket).await;
    assert_eq!(again, first, "also by the next client");
    let ok = frame::Ok {
        reference: Some(reference),
        seq: Some(20),
        conversation: Some(room()),
        refused: Some(vec![handle("nobody")]),
        ..frame::Ok::default()
    };
    socket.say(ServerFrame::Ok(ok)).await;
    let settled = until(&mut events, |event| matches!(event, Event::Settled { .. })).await;
    let Some(Event::Settled { outcome: Ok(sent), .. }) = settled.last() else { panic!("{settled:?}") };
    assert_eq!((sent.conversation, sent.refused.as_slice()), (Some(room()), &[handle("nobody")][..]));
}

#[tokio::test]
async fn cmd3_a_change_of_a_room_that_is_unavailable_is_tried_again_and_one_that_is_forbidden_is_told() {
    let mut peer = Peer::start().await;
    let (client, _events, mut socket) = peer.live().await;
    let removing = doing(&client, |client| async move { client.room(room()).remove(handle("bob")).await });
    let (reference, first) = next(&mut socket).await;
    let refusal = Refusal::new(Some(reference), ErrorCode::Unavailable, "not now").retry_after_ms(10);
    socket.say(ServerFrame::Error(refusal)).await;
    let (reference, again) = next(&mut socket).await;
    assert_eq!(again, first);
    socket.say(ServerFrame::Error(Refusal::new(Some(reference), ErrorCode::Forbidden, "no"))).await;
    match within("an answer", removing).await.expect("runs") {
        Err(SendError::Refused(refused)) => assert_eq!(refused.code, ErrorCode::Forbidden),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn cmd4_a_room_that_the_server_would_refuse_does_not_leave() {
    let mut peer = Peer::start().await;
    let (client, _events, mut socket) = peer.live().await;
    for name in ["", " ", "a\nb", &"x".repeat(81)] {
        assert!(matches!(client.create_room(name).await, Err(SendError::Text(_))), "{name:?}");
        assert!(matches!(client.room(room()).update().name(name).await, Err(SendError::Text(_))), "{name:?}");
    }
    for topic in [" ", &"x".repeat(501)] {
        assert!(matches!(client.create_room("x").topic(topic).await, Err(SendError::Text(_))), "{topic:?}");
        assert!(matches!(client.room(room()).update().topic(topic).await, Err(SendError::Text(_))), "{topic:?}");
    }
    let making = doing(&client, |client| async move { client.create_room("x").topic("").await });
    let (reference, said) = next(&mut socket).await;
    assert_eq!(said["name"], "x", "that was the first that was said");
    settle(&mut socket, reference, 20).await;
    within("an answer", making).await.expect("runs").expect("made");
}

#[tokio::test]
async fn what_is_said_in_a_thread_says_so() {
    let mut peer = Peer::start().await;
    let (client, _events, mut socket) = peer.live().await;
    let saying = doing(&client, |client| async move { client.send(room(), "hi").thread(5).reply_to(6).await });
    let said = socket.sent().await;
    assert_eq!((said.thread, said.reply_to), (Some(5), Some(6)));
    settle(&mut socket, said.reference.expect("a reference"), 20).await;
    within("an answer", saying).await.expect("runs").expect("sent");
}

#[tokio::test]
async fn evt1_what_happens_in_rooms_comes_as_events_in_either_encoding() {
    for encoding in [Encoding::Json, Encoding::MessagePack] {
        let mut peer = Peer::start().await;
        let (_client, mut events, mut socket) = peer.live_with(peer.builder().encoding(encoding)).await;
        let (conversation, at) = (room(), Timestamp(1_790_000_000_000));
        let member = Member {
            seq: 21,
            position: position(21),
            conversation,
            user: handle("ada"),
            change: MemberChange::Joined,
            role: Some(Role::Member),
            by: handle("bob"),
            id: None,
            at,
        };
        let room = Room {
            seq: 22,
            position: position(22),
            conversation,
            name: "engines".into(),
            topic: None,
            visibility: Visibility::Private,
            archived: false,
            owners: vec![handle("bob")],
            by: handle("bob"),
            id: Some(ClientId::at(22)),
            at,
        };
        let (by, id, op) = (handle("bob"), ClientId::at(23), Toggle::Add);
        let pin = Pinned { seq: 23, position: position(23), conversation, message: 5, by, id, op, at };
        let frames =
            [ServerFrame::Member(member.clone()), ServerFrame::Room(room.clone()), ServerFrame::Pin(pin.clone())];
        socket.say_all(&frames).await;
        let seen = until(&mut events, |event| matches!(event, Event::Pin(_))).await;
        assert!(seen.iter().all(|event| event.conversation() == Some(conversation)), "{seen:?}");
        match &seen[..] {
            [Event::Member(first), Event::Room(second), Event::Pin(third)] => {
                assert_eq!((first, second, third), (&member, &room, &pin));
            }
            other => panic!("{other:?}"),
        }
        drop(socket);
        assert_eq!(peer.accept().await.hello().await.resume, Some(position(23)));
    }
}

fn page(items: Value) -> Answer {
    answer(200, json!({"items": items, "next": null, "position": position(50)}))
}

fn item() -> Value {
    json!({
        "conversation": room(), "name": "engines", "visibility": "public", "archived": false, "owners": ["ada"],
        "members": 3, "role": "owner",
    })
}

#[tokio::test]
async fn hst1_what_is_read_of_rooms_and_threads_is_asked_for_where_it_is() {
    let mut peer = Peer::start().await;
    let (client, _events, _socket) = peer.live().await;
    let history = client.history();
    let message = json!({
        "seq": 5, "conversation": room(), "sender": "bob", "id": ClientId::at(5), "text": "hi", "pinned": true,
        "at": "2026-09-21T14:13:20.123Z", "replies": {"count": 2, "last_at": "2026-09-21T14:13:21.000Z", "unread": 1},
    });
    let of = |rest: &str| format!("/history/conversations/{}/{rest}", room());

    peer.will_answer(page(json!([item()]))).await;
    let rooms = history.rooms("steam engine").next_page().await.expect("reads").expect("a page");
    assert_eq!((rooms.items[0].name.as_str(), rooms.items[0].role), ("engines", Some(Role::Owner)));
    assert_eq!(peer.asked().await.uri.to_string(), "/history/rooms?q=steam+engine");
    peer.will_answer(page(json!([]))).await;
    history.rooms("").archived().next_page().await.expect("reads");
    assert_eq!(peer.asked().await.uri.to_string(), "/history/rooms?archived=true");

    let mut one = item();
    one["position"] = json!(position(50));
    peer.will_answer(answer(200, one)).await;
    assert_eq!(history.room(room()).await.expect("reads").item.members, 3);
    assert_eq!(peer.asked().await.uri.to_string(), format!("/history/rooms/{}", room()));

    peer.will_answer(page(json!([{"user": "bob", "display_name": "Bob", "role": "moderator"}]))).await;
    let members = history.members(room()).next_page().await.expect("reads").expect("a page");
    assert_eq!(members.items[0].role, Some(Role::Moderator));
    assert_eq!(peer.asked().await.uri.to_string(), of("members"));

    peer.will_answer(page(json!([message]))).await;
    let threads = history.threads(room()).next_page().await.expect("reads").expect("a page");
    assert_eq!(threads.items[0].replies.as_ref().map(|replies| (replies.count, replies.unread)), Some((2, Some(1))));
    assert_eq!(peer.asked().await.uri.to_string(), of("threads"));

    peer.will_answer(page(json!([{"message": message, "by": "ada", "at": "2026-09-21T14:13:22.000Z"}]))).await;
    let pins = history.pins(room()).next_page().await.expect("reads").expect("a page");
    assert_eq!((pins.items[0].message.seq, &pins.items[0].by), (5, &handle("ada")));
    assert_eq!(peer.asked().await.uri.to_string(), of("pins"));

    peer.will_answer(page(json!([{"user": "eve", "display_name": "Eve"}]))).await;
    assert_eq!(history.bans(room()).next_page().await.expect("reads").expect("a page").items[0].user, handle("eve"));
    assert_eq!(peer.asked().await.uri.to_string(), of("bans"));

    peer.will_answer(page(json!([]))).await;
    history.messages(room()).in_thread(5).after(7).next_page().await.expect("reads");
    assert_eq!(peer.asked().await.uri.to_string(), of("messages?thread=5&after=7"));

    let problem = json!({
        "type": "about:blank", "title": "Forbidden", "status": 403, "code": "forbidden", "temporary": false,
    });
    peer.will_answer(answer(403, problem)).await;
    match history.bans(room()).next_page().await {
        Err(error @ HttpError::Refused(_)) => assert_eq!(error.code(), Some(ErrorCode::Forbidden)),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn hst2_what_an_event_tells_of_is_asked_for_at_its_position_unless_the_client_knows_of_more() {
    let mut peer = Peer::start().await;
    let (client, _events, mut socket) = peer.live().await;
    let asks = async |peer: &mut Peer, at: u64| {
        peer.will_answer(page(json!([]))).await;
        client.history().at_least(position(at)).members(room()).next_page().await.expect("reads");
        peer.asked().await.header(MIN_POSITION_HEADER).map(str::to_owned)
    };
    assert_eq!(asks(&mut peer, 30).await, Some(position(30).to_string()));
    let joining = doing(&client, |client| async move { client.room(room()).join().await });
    let (reference, _) = next(&mut socket).await;
    settle(&mut socket, reference, 40).await;
    within("an answer", joining).await.expect("runs").expect("joined");
    assert_eq!(asks(&mut peer, 30).await, Some(position(40).to_string()));
    assert_eq!(asks(&mut peer, 41).await, Some(position(41).to_string()));
}
