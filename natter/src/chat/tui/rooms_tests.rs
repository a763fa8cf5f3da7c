use natter_client::{
    ConversationItem, Event, Handle, Member, MemberChange, Message, MessageItem, Position, ResetReason, Role, Room,
    Timestamp, TypingNow,
};

use crate::chat::tui::conversation::{Conversation, Progress};
use crate::chat::tui::key::Key;
use crate::chat::tui::state::tests::Desk;
use crate::chat::tui::state::{Effect, Focus, Input, Lines};
use crate::chat::tui::testing::{NOON, ada, bob, conversation, engines, handle, id, item, room_row, row};

fn key() -> Key {
    Key::Room(engines().conversation)
}

fn position(seq: u64) -> Position {
    Position { seq, ..Position::start(1) }
}

fn message(seq: u64, sender: &Handle) -> Message {
    let MessageItem { text, at, .. } = item(seq, sender);
    Message {
        seq,
        position: position(seq),
        conversation: engines().conversation,
        participants: None,
        sender: sender.clone(),
        id: id(1_000_000 + seq),
        text,
        reply_to: None,
        thread: None,
        mentions: Vec::new(),
        mentions_room: false,
        metadata: None,
        at,
    }
}

fn member(seq: u64, user: &Handle, change: MemberChange, by: &Handle) -> Event {
    let role = (change == MemberChange::Joined).then_some(Role::Member);
    let (position, conversation, at) = (position(seq), engines().conversation, Timestamp(NOON));
    let (user, by) = (user.clone(), by.clone());
    Event::Member(Member { seq, position, conversation, user, change, role, by, id: Some(id(seq)), at })
}

fn renamed(seq: u64, name: &str) -> Event {
    let room = engines();
    Event::Room(Room {
        seq,
        position: position(seq),
        conversation: room.conversation,
        name: name.into(),
        topic: room.topic,
        visibility: room.visibility,
        archived: room.archived,
        owners: room.owners,
        by: bob(),
        id: Some(id(seq)),
        at: Timestamp(NOON),
    })
}

fn listed(desk: &mut Desk, row: ConversationItem, as_of: u64) {
    desk.on(Input::List { generation: 1, rows: vec![row], as_of, whole: false });
}

/// With the room open and read up to 9.
fn in_room() -> Desk {
    let mut desk = Desk::live_with(vec![room_row(9, 9, 0, 0), row(&[ada(), bob()], 5, 5, 0)]);
    desk.state.show(key());
    let items = vec![MessageItem { conversation: engines().conversation, ..item(9, &bob()) }];
    let page = Ok(Lines { items, as_of: 10, more: false });
    desk.on(Input::Page { generation: 1, key: key(), before: None, page });
    desk.took();
    desk
}

fn keys(desk: &Desk) -> Vec<Key> {
    desk.state.conversations().iter().map(|conversation| conversation.key.clone()).collect()
}

fn notes(conversation: &Conversation) -> Vec<&str> {
    conversation.notes.values().map(|note| note.text.as_str()).collect()
}

#[test]
fn a_room_is_in_the_list_and_what_is_said_in_it_is_counted_and_mentions_apart() {
    let mut desk = Desk::live_with(vec![room_row(9, 7, 2, 1), row(&[ada(), bob()], 5, 5, 0)]);
    assert_eq!(keys(&desk), [key(), Key::direct(&[bob()], &ada())]);
    desk.client(Event::Message(Message { mentions: vec![ada()], ..message(11, &bob()) }));
    desk.client(Event::Message(Message { mentions_room: true, ..message(12, &bob()) }));
    desk.client(Event::Message(message(13, &bob())));
    let counts = |desk: &Desk| {
        let room = desk.state.conversations()[0];
        (room.unread(&ada()), room.mentions(&ada()))
    };
    assert_eq!(counts(&desk), (5, 3));
    desk.took();
    desk.state.show(key());
    desk.on(Input::Tick);
    assert_eq!(desk.took(), [Effect::ReadPage { generation: 1, key: key(), before: None }]);
    let page = Ok(Lines { items: vec![], as_of: 13, more: false });
    desk.on(Input::Page { generation: 1, key: key(), before: None, page });
    assert_eq!(desk.took(), [Effect::Mark { id: engines().conversation, read: 13 }]);
    assert_eq!(counts(&desk), (0, 0));
}

#[test]
fn one_writes_into_a_room_and_how_far_it_has_come_is_nobodys_to_know() {
    let mut desk = in_room();
    desk.types("hello");
    desk.key(crossterm::event::KeyCode::Enter);
    let sends = desk.took().into_iter().any(|effect| matches!(effect, Effect::Send { key: to, .. } if to == key()));
    assert!(sends);
    assert_eq!(desk.open().progress(9, &ada()), Progress::Sent);
}

#[test]
fn what_is_said_in_a_thread_counts_for_its_first_message_and_reads_nothing() {
    let mut desk = in_room();
    desk.client(Event::Message(Message { thread: Some(9), ..message(11, &bob()) }));
    let open = desk.open();
    assert_eq!((open.lines.len(), open.unread(&ada()), desk.state.conversations()[0].newest()), (1, 0, Some(9)));
    let replies = open.lines.message(9).expect("there").replies.as_ref().map(|replies| replies.count);
    assert_eq!(replies, Some(1));
    assert_eq!(desk.took(), []);
}

#[test]
fn who_comes_and_goes_and_what_changes_stands_between_the_lines() {
    let mut desk = in_room();
    let carol = handle("carol");
    desk.client(member(11, &carol, MemberChange::Joined, &bob()));
    desk.client(Event::Message(message(12, &carol)));
    desk.client(renamed(13, "motors"));
    desk.client(member(14, &carol, MemberChange::Left, &carol));
    assert_eq!(notes(desk.open()), ["bob added carol", "bob renamed the room to #motors", "carol left"]);
    let room = desk.open().room.as_ref().expect("known");
    assert_eq!((room.name.as_str(), room.members), ("motors", 3));
    // A row that has less of it changes nothing, and what a row has already is not counted again.
    listed(&mut desk, room_row(9, 9, 0, 0), 12);
    assert_eq!(desk.open().room.as_ref().expect("known").name, "motors");
    listed(&mut desk, room_row(9, 9, 0, 0), 20);
    desk.client(member(15, &carol, MemberChange::Joined, &carol));
    assert_eq!(desk.open().room.as_ref().expect("known").members, 3);
}

#[test]
fn evt3_a_room_that_this_user_was_removed_from_is_gone_and_a_row_from_before_does_not_bring_it_back() {
    let mut desk = in_room();
    desk.types("a draft");
    desk.client(member(11, &ada(), MemberChange::Removed, &bob()));
    assert_eq!(keys(&desk), [Key::direct(&[bob()], &ada())]);
    assert!(desk.state.open.is_none() && desk.state.composer.is_blank() && desk.state.focus == Focus::List);
    assert_eq!(desk.state.selected, Some(Key::direct(&[bob()], &ada())));
    assert_eq!(desk.state.notice.as_deref(), Some("#engines: bob removed you"));
    listed(&mut desk, room_row(9, 9, 0, 0), 10);
    assert_eq!(keys(&desk).len(), 1);
    // Who comes back reads it anew.
    desk.took();
    desk.client(member(15, &ada(), MemberChange::Joined, &bob()));
    let id = engines().conversation;
    assert_eq!(desk.took(), [Effect::ReadRow { generation: 1, id, at_least: Some(position(15)) }]);
    listed(&mut desk, room_row(9, 9, 0, 0), 15);
    assert_eq!(keys(&desk).len(), 2);
}

#[test]
fn a_room_that_begins_is_asked_about_when_all_of_it_is_there() {
    let mut desk = Desk::live();
    desk.took();
    let Event::Member(joined) = member(20, &ada(), MemberChange::Joined, &bob()) else { panic!("a member") };
    desk.client(Event::Member(Member { id: None, ..joined }));
    assert_eq!(desk.took(), []);
    desk.client(renamed(21, "engines"));
    let id = engines().conversation;
    assert_eq!(desk.took(), [Effect::ReadRow { generation: 1, id, at_least: Some(position(21)) }]);
}

#[test]
fn what_is_said_in_a_room_before_its_row_is_there_is_kept_and_its_name_asked_for_once() {
    let mut desk = Desk::live();
    desk.took();
    desk.client(Event::Message(message(20, &bob())));
    desk.client(Event::Message(message(21, &bob())));
    let id = engines().conversation;
    assert_eq!(desk.took(), [Effect::ReadRow { generation: 1, id, at_least: Some(position(20)) }]);
    // It could not be had: the next message asks again.
    desk.on(Input::NoRow { generation: 1, id, is_none: false });
    desk.client(Event::Message(message(22, &bob())));
    assert_eq!(desk.took(), [Effect::ReadRow { generation: 1, id, at_least: Some(position(22)) }]);
    listed(&mut desk, room_row(20, 9, 1, 0), 20);
    let room = desk.state.conversations()[0];
    assert_eq!((&room.key, room.unread(&ada()), room.room.is_some()), (&key(), 3, true));
}

#[test]
fn con3_after_a_reset_an_open_room_is_asked_about_and_let_go_if_it_is_not_this_users_any_more() {
    let mut desk = in_room();
    desk.client(Event::Reset { reason: ResetReason::TooOld, position: position(30) });
    let id = engines().conversation;
    assert!(desk.took().contains(&Effect::ReadRow { generation: 2, id, at_least: None }));
    assert_eq!(desk.open().room.as_ref().map(|room| room.name.as_str()), Some("engines"), "as it was last known");
    desk.on(Input::NoRow { generation: 1, id, is_none: true });
    assert!(desk.state.open.is_some(), "an answer from before");
    desk.on(Input::NoRow { generation: 2, id, is_none: true });
    assert_eq!((desk.state.open.clone(), keys(&desk)), (None, vec![]));
}

#[test]
fn evt4_who_writes_in_a_room_is_shown_but_not_oneself() {
    let mut desk = in_room();
    for user in [ada(), handle("carol"), bob()] {
        desk.client(Event::Typing(TypingNow { conversation: engines().conversation, user }));
    }
    assert_eq!(desk.open().typing(desk.state.now), [bob(), handle("carol")]);
}

#[test]
fn a_direct_conversation_that_is_not_there_is_not_taken_for_a_room() {
    let mut desk = Desk::live();
    let id = conversation(&[ada(), bob()]);
    desk.on(Input::NoRow { generation: 1, id, is_none: true });
    assert_eq!(keys(&desk).len(), 2);
}
