use std::time::Duration;

use jiff::tz::TimeZone;
use natter_client::{
    Deleted, Edited, Event, Position, Presence, Reaction, ResetReason, StopReason, Timestamp, Toggle, TypingNow,
};
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::layout::Size;

use super::*;
use crate::chat::blocked::Listed;
use crate::chat::tui::key::Key;
use crate::chat::tui::state::{Input, Lines, Moment};
use crate::chat::tui::testing::{NOON, ada, bob, conversation, engines, handle, id, item, room_row, row};

fn on(state: &mut State, input: Input) {
    state.on(input, Moment { now: Timestamp(NOON + 60_000), id: id(1) });
}

/// ada, who talks with bob and has something new from carol.
fn state(width: u16, height: u16) -> State {
    let size = Size::new(width, height);
    let mut state = State::new(ada(), "http://localhost:8080".into(), TimeZone::UTC, Timestamp(NOON), size);
    on(
        &mut state,
        Input::Client(Event::Reset { reason: ResetReason::Fresh, position: natter_client::Position::start(1) }),
    );
    on(&mut state, Input::Client(Event::State(Link::Live { gateway: "g".into() })));
    let rows = vec![row(&[ada(), bob()], 9, 9, 0), row(&[ada(), handle("carol")], 5, 2, 3)];
    on(&mut state, Input::List { generation: 1, rows, as_of: 9, whole: true });
    state.show(Key::direct(&[bob()], &ada()));
    state
}

fn says(state: &mut State, items: Vec<natter_client::MessageItem>) {
    let page = Ok(Lines { items, as_of: 10, more: false });
    on(state, Input::Page { generation: 1, key: Key::direct(&[bob()], &ada()), before: None, page });
}

fn link(state: &mut State, link: Link) {
    on(state, Input::Client(Event::State(link)));
}

fn screen(state: &State) -> String {
    let mut terminal = Terminal::new(TestBackend::new(state.size.width, state.size.height)).expect("a terminal");
    terminal.draw(|frame| draw(frame, state)).expect("drawn");
    let buffer = terminal.backend().buffer();
    let row = |y| (0..buffer.area.width).map(|x| buffer[(x, y)].symbol()).collect::<String>();
    (0..buffer.area.height).map(|y| row(y).trim_end().to_owned() + "\n").collect()
}

#[test]
fn list_conversation_composer_and_status_side_by_side() {
    let mut state = state(80, 14);
    let presence = Presence { user: bob(), status: PresenceStatus::Online, text: None, last_seen: None };
    on(&mut state, Input::Client(Event::Presence(presence)));
    let mut yesterday = item(1, &bob());
    yesterday.at = Timestamp(NOON - 24 * 3_600_000);
    says(&mut state, vec![yesterday, item(8, &ada()), item(9, &bob())]);
    state.composer.paste("hi");
    assert_eq!(screen(&state), PICTURE);
}

const PICTURE: &str = "\
● bob                14:00│ bob                                          online
▎ text 9                  │─────────────────────────────────────────────────────
  carol              14:00│ bob  14:00
  text 5                3 │   text 1
                          │ ────────────────────── Today ──────────────────────
                          │ you  14:00
                          │   text 8                                    read ✓✓
                          │
                          │ bob  14:00
                          │   text 9
                          │
                          │─────────────────────────────────────────────────────
                          │> hi
 ● live as ada                     Enter send · PgUp older · Tab list · ^C quit
";

#[test]
fn a_narrow_terminal_shows_the_conversation_or_the_list() {
    let mut state = state(40, 10);
    says(&mut state, vec![item(9, &bob())]);
    let shown = screen(&state);
    assert!(shown.contains("text 9") && !shown.contains("carol"), "{shown}");
    state.focus = Focus::List;
    let shown = screen(&state);
    assert!(shown.contains("carol") && !shown.contains("─"), "{shown}");
}

#[test]
fn the_status_line_says_in_words_what_the_connection_does() {
    let mut state = state(100, 10);
    let retry_in = Duration::from_millis(3_200);
    let waiting = |by_hand| Link::Waiting { attempt: 1, retry_in, cause: "away".into(), by_hand };
    for (now, words) in [
        (Link::Connecting { attempt: 0 }, "connecting…"),
        (Link::CatchingUp { gateway: "g".into() }, "catching up…"),
        (Link::Live { gateway: "g".into() }, "live as ada"),
        (waiting(false), "reconnecting in 4 s"),
        (waiting(true), "offline, trying again in 4 s"),
        (Link::Connecting { attempt: 3 }, "reconnecting…"),
        (Link::Stopped(StopReason::LoginEnded), "offline: the login has ended: log in again"),
    ] {
        link(&mut state, now);
        let shown = screen(&state);
        let status = shown.lines().last().expect("a line");
        assert!(status.contains(words), "{status}");
    }
    link(&mut state, waiting(false));
    state.on(Input::Tick, Moment { now: Timestamp(NOON + 61_500), id: id(1) });
    assert!(screen(&state).contains("reconnecting in 2 s"), "it counts down");
}

#[test]
fn one_s_own_lines_say_how_far_they_have_come() {
    let mut state = state(80, 20);
    says(&mut state, vec![item(12, &ada())]);
    let status = |state: &State| {
        let shown = screen(state);
        let row = shown.lines().find(|row| row.contains("  text 12 ")).expect("there");
        row.split_once('│').expect("two sides").1.trim().to_owned()
    };
    assert!(status(&state).ends_with("sent ✓"), "{}", status(&state));
    let (conversation, user) = (conversation(&[ada(), bob()]), bob());
    on(&mut state, Input::Client(Event::Delivered(natter_client::Delivered { conversation, user, upto: 12 })));
    assert!(status(&state).ends_with("delivered ✓✓"), "{}", status(&state));
    state.composer.paste("new");
    let mut effects = Vec::new();
    state.say(Moment { now: Timestamp(NOON), id: id(77) }, &mut effects);
    let shown = screen(&state);
    assert!(shown.contains("  new") && shown.contains("sending …"), "{shown}");
    let key = Key::direct(&[bob()], &ada());
    on(&mut state, Input::Settled { key, id: id(77), outcome: Err("no\u{1b}[2J".into()) });
    let shown = screen(&state);
    assert!(shown.contains("failed ✗") && shown.contains("not sent: no\u{fffd}[2J"), "{shown}");
}

#[test]
fn who_is_writing_is_said_above_the_composer_and_in_the_list() {
    let mut state = state(80, 12);
    says(&mut state, vec![item(9, &bob())]);
    on(
        &mut state,
        Input::Client(Event::Typing(TypingNow { conversation: conversation(&[ada(), bob()]), user: bob() })),
    );
    let shown = screen(&state);
    assert!(shown.contains("bob is writing…") && shown.contains("▎ writing…"), "{shown}");
}

/// Whatever is said stays in its place, and nothing of it is anything but text.
#[test]
fn hostile_text_cannot_speak_to_the_terminal() {
    let mut state = state(80, 20);
    let mut hostile = item(9, &bob());
    hostile.text = "a\u{1b}[2J\u{9b}31m\u{7}\rb\u{202e}c\td\nsecond".into();
    let mut row = row(&[ada(), bob()], 9, 9, 0);
    row.last_message = Some(hostile.clone());
    on(&mut state, Input::List { generation: 1, rows: vec![row], as_of: 9, whole: true });
    says(&mut state, vec![hostile]);
    let presence =
        Presence { user: bob(), status: PresenceStatus::Busy, text: Some("\u{1b}]0;x\u{7}".into()), last_seen: None };
    on(&mut state, Input::Client(Event::Presence(presence)));
    let shown = screen(&state);
    assert!(!shown.chars().any(|c| c.is_control() && c != '\n') && !shown.contains('\u{202e}'), "{shown:?}");
    assert!(shown.contains("a\u{fffd}[2J\u{fffd}31m\u{fffd}\u{fffd}b\u{fffd}c    d\n"), "{shown}");
    assert!(shown.contains("  second"), "{shown}");
}

#[test]
fn the_finder_shows_whom_it_found_and_says_when_it_is_nobody() {
    let mut state = state(80, 20);
    state.finder = Some(Finder::default());
    assert!(screen(&state).contains("Type the beginning of a name."));
    let finder = state.finder.as_mut().expect("open");
    let (question, _) = finder.type_in('d').expect("asks");
    let dave = natter_client::UserItem { user: handle("dave"), display_name: "Dave D.".into(), last_seen: None };
    finder.found(question, Ok(vec![dave]));
    let shown = screen(&state);
    assert!(shown.contains("│> d ") && shown.contains("│ dave") && shown.contains("Dave D. │"), "{shown}");
    state.finder.as_mut().expect("open").found(question, Ok(Vec::new()));
    assert!(screen(&state).contains("Nobody's name begins like that."));
}

#[test]
fn every_size_of_a_terminal_can_be_drawn() {
    for (width, height) in (1..90).step_by(7).flat_map(|width| (1..20).map(move |height| (width, height))) {
        let mut state = state(width, height);
        says(&mut state, vec![item(8, &ada()), item(9, &bob())]);
        state.composer.paste("a text of several words\nand lines");
        for focus in [Focus::List, Focus::Conversation] {
            state.focus = focus;
            screen(&state);
        }
        state.finder = Some(Finder::default());
        screen(&state);
    }
}

#[test]
fn hst3_edits_deletions_and_reactions_show_as_they_come() {
    let mut state = state(60, 14);
    says(&mut state, vec![item(8, &ada()), item(9, &bob())]);
    let (conversation, position, at) = (item(9, &bob()).conversation, Position::start(1), Timestamp(NOON));
    let (by, id) = (bob(), id(77));
    let text = "Text nine".into();
    on(
        &mut state,
        Input::Client(Event::Edited(Edited { seq: 11, position, conversation, message: 9, by, id, text, at })),
    );
    let (user, emoji, op) = (bob(), "👍".into(), Toggle::Add);
    on(
        &mut state,
        Input::Client(Event::Reaction(Reaction {
            seq: 12,
            position,
            conversation,
            message: 8,
            user,
            id,
            emoji,
            op,
            at,
        })),
    );
    let shown = screen(&state);
    assert!(shown.contains("Text nine (edited)"), "{shown}");
    assert!(shown.contains("bob") && shown.contains("👍"), "{shown}");
    let by = bob();
    on(&mut state, Input::Client(Event::Deleted(Deleted { seq: 13, position, conversation, message: 9, by, id, at })));
    let shown = screen(&state);
    assert!(shown.contains("message deleted") && !shown.contains("Text nine"), "{shown}");
}

fn blocked(state: &mut State, seq: u64, user: natter_client::Handle, blocked: bool) {
    let position = Position { seq, ..Position::start(1) };
    let change = natter_client::Blocked { seq, position, user, blocked, id: id(seq), at: Timestamp(NOON) };
    on(state, Input::Client(Event::Block(change)));
}

#[test]
fn cmd7_what_the_blocked_say_among_others_is_one_dim_line_and_between_two_as_it_is() {
    let mut state = state(100, 18);
    on(&mut state, Input::List { generation: 1, rows: vec![room_row(12, 12, 0, 0)], as_of: 12, whole: false });
    let three = [ada(), bob(), handle("carol")];
    on(&mut state, Input::List { generation: 1, rows: vec![row(&three, 11, 11, 0)], as_of: 12, whole: false });
    let key = Key::Room(engines().conversation);
    state.show(key.clone());
    let reply = natter_client::ReplyItem { seq: 12, sender: bob(), text: "text 12".into(), deleted: false };
    let answer = natter_client::MessageItem { reply_to: Some(12), reply: Some(reply), ..item(13, &handle("carol")) };
    let page = Ok(Lines { items: vec![item(12, &bob()), answer], as_of: 13, more: false });
    on(&mut state, Input::Page { generation: 1, key, before: None, page });
    let listed = |users| Input::Blocked { generation: 1, listed: Listed { users, as_of: 13 } };
    let before = screen(&state);
    assert!(before.contains("  text 12") && before.contains("bob, carol") && before.contains("text 11"), "{before}");

    on(&mut state, listed(vec![bob()]));
    let shown = screen(&state);
    assert!(shown.contains("│   bob, whom you have blocked, said something\n"), "{shown}");
    assert!(shown.contains("↳ bob: (blocked)") && shown.contains("  text 13"), "{shown}");
    assert!(!shown.contains("text 12") && !shown.contains("text 11"), "{shown}");
    assert!(shown.contains("\n  text 9 "), "the conversation of the two: {shown}");

    blocked(&mut state, 14, bob(), false);
    assert!(screen(&state).contains("  text 12"), "taken back on another device");
    blocked(&mut state, 15, bob(), true);
    assert!(!screen(&state).contains("  text 12"));
    on(&mut state, Input::Blocked { generation: 0, listed: Listed { users: Vec::new(), as_of: 20 } });
    assert!(!screen(&state).contains("  text 12"), "of before a reset");
}

/// A room with a mention in it, somebody who came, a thread, a pin and an answer.
#[test]
fn a_room_is_in_the_list_with_what_mentions_one_and_shows_who_comes_and_what_was_answered() {
    let mut state = state(80, 16);
    on(&mut state, Input::List { generation: 1, rows: vec![room_row(12, 9, 3, 1)], as_of: 12, whole: false });
    let shown = screen(&state);
    assert!(shown.contains("# engines") && shown.contains("bob: text 12") && shown.contains("@1 3"), "{shown}");
    let key = Key::Room(engines().conversation);
    state.show(key.clone());
    let replies = natter_client::RepliesItem { count: 2, last_at: Timestamp(NOON), unread: None };
    let root = natter_client::MessageItem { replies: Some(replies), pinned: true, ..item(9, &ada()) };
    let reply = natter_client::ReplyItem { seq: 9, sender: ada(), text: "text 9".into(), deleted: false };
    let answer = natter_client::MessageItem { reply_to: Some(9), reply: Some(reply), ..item(12, &bob()) };
    let page = Ok(Lines { items: vec![root, answer], as_of: 13, more: false });
    on(&mut state, Input::Page { generation: 1, key, before: None, page });
    let (position, conversation) = (Position { seq: 14, ..Position::start(1) }, engines().conversation);
    let (user, by, change) = (handle("carol"), bob(), natter_client::MemberChange::Joined);
    let member = natter_client::Member {
        seq: 14,
        position,
        conversation,
        user,
        change,
        role: Some(natter_client::Role::Member),
        by,
        id: Some(id(14)),
        at: Timestamp(NOON),
    };
    on(&mut state, Input::Client(Event::Member(member)));
    assert_eq!(screen(&state), ROOM);
}

const ROOM: &str = "\
# engines            14:00│ engines                                   4 members
▎ bob: text 12            │─────────────────────────────────────────────────────
  bob                14:00│
  text 9                  │ ────────────────────── Today ──────────────────────
  carol              14:00│ you  14:00
  text 5                3 │   text 9                                     sent ✓
                          │   pinned · 2 replies in thread 9
                          │ ─────────────────────── new ───────────────────────
                          │ bob  14:00
                          │   ↳ ada: text 9
                          │   text 12
                          │                   bob added carol
                          │
                          │─────────────────────────────────────────────────────
                          │>  Write here: Enter sends, Alt+Enter begins a new li
 ● live as ada                     Enter send · PgUp older · Tab list · ^C quit
";
