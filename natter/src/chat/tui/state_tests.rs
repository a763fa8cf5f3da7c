use crossterm::event::{KeyCode, KeyModifiers};
use natter_client::{Delivered, Marker, Position, Refused, ResetReason, SendError, StopReason, TypingNow};

use super::*;
use crate::chat::tui::conversation::Progress;
use crate::chat::tui::testing::{NOON, ada, bob, conversation, handle, id, item, row};

/// A client in front of someone, and everything that it wanted done.
pub(in crate::chat::tui) struct Desk {
    pub state: State,
    effects: Vec<Effect>,
    now: i64,
    ids: u64,
}

impl Desk {
    fn new(width: u16, height: u16) -> Self {
        let size = Size::new(width, height);
        let state = State::new(ada(), "http://localhost:8080".into(), TimeZone::UTC, Timestamp(NOON), size);
        Self { state, effects: Vec::new(), now: NOON, ids: 0 }
    }

    /// Connected, with a list of bob (two unread) and carol.
    pub fn live() -> Self {
        Self::live_with(vec![row(&[ada(), bob()], 9, 7, 2), row(&[ada(), handle("carol")], 5, 5, 0)])
    }

    pub fn live_with(rows: Vec<ConversationItem>) -> Self {
        let mut desk = Self::new(100, 20);
        desk.client(Event::Reset { reason: ResetReason::Fresh, position: position(10) });
        desk.go_live();
        desk.on(Input::List { generation: 1, rows, as_of: 10, whole: true });
        desk
    }

    pub fn on(&mut self, input: Input) {
        self.ids += 1;
        let moment = Moment { now: Timestamp(self.now), id: id(self.ids) };
        self.effects.extend(self.state.on(input, moment));
    }

    pub fn client(&mut self, event: Event) {
        self.on(Input::Client(event));
    }

    fn go_live(&mut self) {
        self.client(Event::State(Link::Live { gateway: "g".into() }));
    }

    pub fn key(&mut self, code: KeyCode) {
        self.on(Input::Key(KeyEvent::new(code, KeyModifiers::NONE)));
    }

    fn ctrl(&mut self, c: char) {
        self.on(Input::Key(KeyEvent::new(KeyCode::Char(c), KeyModifiers::CONTROL)));
    }

    pub fn types(&mut self, text: &str) {
        text.chars().for_each(|c| self.key(KeyCode::Char(c)));
    }

    /// What was wanted since the last time.
    pub fn took(&mut self) -> Vec<Effect> {
        std::mem::take(&mut self.effects)
    }

    fn sent(&mut self) -> Vec<(ClientId, String)> {
        let sent = self.took().into_iter().filter_map(|effect| match effect {
            Effect::Send { id, text, .. } => Some((id, text)),
            _ => None,
        });
        sent.collect()
    }

    fn marks(&mut self) -> Vec<u64> {
        let marks = self.took().into_iter().filter_map(|effect| match effect {
            Effect::Mark { read, .. } => Some(read),
            _ => None,
        });
        marks.collect()
    }

    fn message(&mut self, seq: u64, sender: &Handle) {
        self.client(Event::Message(message(seq, sender, id(1_000_000 + seq))));
    }

    fn page(&mut self, before: Option<u64>, seqs: std::ops::RangeInclusive<u64>, more: bool) {
        let as_of = *seqs.end();
        let items = seqs.map(|seq| item(seq, &bob())).collect();
        let page = Ok(Lines { items, as_of, more });
        self.on(Input::Page { generation: 1, key: with_bob(), before, page });
    }

    /// With bob's conversation open and read.
    fn with_bob() -> Self {
        let mut desk = Self::live();
        desk.key(KeyCode::Enter);
        desk.page(None, 1..=9, false);
        desk.took();
        desk
    }

    pub fn open(&self) -> &Conversation {
        self.state.open_conversation().expect("open")
    }

    fn titles(&self) -> Vec<String> {
        self.state.conversations().iter().map(|conversation| crate::chat::names(&conversation.others)).collect()
    }
}

fn with_bob() -> Key {
    Key::direct(&[bob()], &ada())
}

fn position(seq: u64) -> Position {
    Position { seq, ..Position::start(1) }
}

fn message(seq: u64, sender: &Handle, id: ClientId) -> Message {
    let MessageItem { conversation, text, at, .. } = item(seq, sender);
    Message {
        seq,
        position: position(seq),
        conversation,
        participants: Some(vec![ada(), bob()]),
        sender: sender.clone(),
        id,
        text,
        reply_to: None,
        thread: None,
        mentions: Vec::new(),
        mentions_room: false,
        metadata: None,
        at,
    }
}

fn sent(id: ClientId, seq: u64) -> Sent {
    let (conversation, at) = (Some(conversation(&[ada(), bob()])), Some(Timestamp(NOON)));
    Sent { id, seq, conversation, at, duplicate: false, refused: Vec::new() }
}

#[test]
fn con3_a_fresh_client_reads_the_list_and_watches_its_people() {
    let mut desk = Desk::live();
    assert_eq!(desk.titles(), ["bob", "carol"]);
    let effects = desk.took();
    assert_eq!(effects[0], Effect::ReadList { generation: 1 });
    assert_eq!(effects.last(), Some(&Effect::Watch(vec![bob(), handle("carol")])));
    assert_eq!(desk.state.conversations()[0].unread(&ada()), 2);
}

#[test]
fn opening_reads_the_newest_page_and_only_then_marks_what_is_seen() {
    let mut desk = Desk::live();
    desk.took();
    desk.key(KeyCode::Enter);
    assert_eq!(desk.took(), [Effect::ReadPage { generation: 1, key: with_bob(), before: None }]);
    desk.page(None, 1..=9, false);
    assert_eq!(desk.marks(), [9]);
    assert_eq!((desk.open().unread(&ada()), desk.open().new_after), (0, Some(7)));
}

#[test]
fn what_comes_into_the_open_conversation_is_read_unless_nobody_looks() {
    let mut desk = Desk::with_bob();
    desk.message(11, &bob());
    assert_eq!(desk.marks(), [11]);
    desk.on(Input::InSight(false));
    desk.message(12, &bob());
    assert_eq!((desk.marks(), desk.open().unread(&ada())), (vec![], 1));
    desk.on(Input::InSight(true));
    assert_eq!(desk.marks(), [12]);
    // Without a connection it is said when there is one again.
    desk.client(Event::State(Link::Connecting { attempt: 1 }));
    desk.message(13, &bob());
    assert!(desk.marks().is_empty());
    desk.go_live();
    assert_eq!(desk.marks(), [13]);
}

#[test]
fn a_narrow_terminal_that_shows_the_list_reads_nothing() {
    let mut desk = Desk::with_bob();
    desk.on(Input::Resized(Size::new(40, 20)));
    desk.key(KeyCode::Esc);
    desk.message(11, &bob());
    assert!(desk.marks().is_empty());
    desk.key(KeyCode::Tab);
    assert_eq!(desk.marks(), [11]);
}

#[test]
fn a_message_is_there_at_once_and_finds_its_place_with_the_ok() {
    let mut desk = Desk::with_bob();
    desk.types("hello");
    desk.key(KeyCode::Enter);
    let said = desk.sent();
    assert_eq!((said[0].1.as_str(), desk.open().pending.len(), desk.state.composer.is_blank()), ("hello", 1, true));
    assert_eq!(desk.state.unsent(), 1);
    // Another message came first.
    desk.message(12, &bob());
    desk.on(Input::Settled { key: with_bob(), id: said[0].0, outcome: Ok(sent(said[0].0, 11)) });
    let newest: Vec<_> = desk.open().lines.range(10..).map(|line| (line.seq, line.text.as_str())).collect();
    assert_eq!((newest, desk.open().pending.len()), (vec![(11, "hello"), (12, "text 12")], 0));
}

/// The connection was cut between the broker's storing and the answer: the event is replayed, and the repeat answered.
#[test]
fn cmd2_an_own_message_that_comes_back_before_its_ok_is_shown_once() {
    let mut desk = Desk::with_bob();
    desk.types("hello");
    desk.key(KeyCode::Enter);
    let said = desk.sent();
    desk.client(Event::Message(message(11, &ada(), said[0].0)));
    assert_eq!((desk.open().pending.len(), desk.open().lines.len()), (0, 10));
    desk.on(Input::Settled { key: with_bob(), id: said[0].0, outcome: Ok(sent(said[0].0, 11)) });
    assert_eq!((desk.open().pending.len(), desk.open().lines.len()), (0, 10));
}

#[test]
fn what_is_refused_says_why_and_can_be_taken_back() {
    let mut desk = Desk::with_bob();
    desk.types("hello");
    desk.key(KeyCode::Enter);
    let said = desk.sent();
    desk.on(Input::Settled { key: with_bob(), id: said[0].0, outcome: Err("no".into()) });
    assert_eq!((desk.open().pending[0].failed.as_deref(), desk.state.unsent()), (Some("no"), 0));
    desk.types("more");
    desk.ctrl('r');
    assert_eq!((desk.state.composer.text().as_str(), desk.open().pending.len()), ("hello\nmore", 0));
    desk.key(KeyCode::Enter);
    let again = desk.sent();
    assert_eq!(again[0].1, "hello\nmore");
    assert_ne!(again[0].0, said[0].0, "it is another message");
}

#[test]
fn an_outcome_that_nobody_waited_for_settles_its_message() {
    let mut desk = Desk::with_bob();
    desk.types("hello");
    desk.key(KeyCode::Enter);
    let (id, _) = desk.sent().remove(0);
    let refused = Refused { code: natter_client::ErrorCode::Invalid, message: "no".into(), retry_after: None };
    desk.client(Event::Settled { id, outcome: Err(SendError::Refused(refused)) });
    assert_eq!(desk.open().pending[0].failed.as_deref(), Some("no (invalid)"));
}

#[test]
fn ticks_follow_what_the_other_side_says() {
    let mut desk = Desk::with_bob();
    desk.message(11, &ada());
    let at = || (conversation(&[ada(), bob()]), bob());
    assert_eq!(desk.open().progress(11, &ada()), Progress::Sent);
    let (conversation, user) = at();
    desk.client(Event::Delivered(Delivered { conversation, user, upto: 11 }));
    assert_eq!(desk.open().progress(11, &ada()), Progress::Delivered);
    let (conversation, user) = at();
    let position = position(12);
    desk.client(Event::Marker(Marker {
        seq: 12,
        position,
        conversation,
        user,
        read: 11,
        thread: None,
        at: Timestamp(NOON),
    }));
    assert_eq!(desk.open().progress(11, &ada()), Progress::Read);
}

#[test]
fn evt4_typing_is_said_at_most_every_three_seconds_and_not_for_nothing() {
    let mut desk = Desk::with_bob();
    let typed = |desk: &mut Desk| desk.took().iter().filter(|effect| matches!(effect, Effect::Typing(_))).count();
    desk.types("  ");
    assert_eq!(typed(&mut desk), 0);
    desk.types("hello");
    assert_eq!(typed(&mut desk), 1);
    desk.now += 3_000;
    desk.types("!!");
    assert_eq!(typed(&mut desk), 1);
    desk.client(Event::State(Link::Connecting { attempt: 0 }));
    desk.now += 3_000;
    desk.types("!");
    assert_eq!(typed(&mut desk), 0);
}

#[test]
fn who_writes_is_shown_for_five_seconds() {
    let mut desk = Desk::with_bob();
    desk.client(Event::Typing(TypingNow { conversation: conversation(&[ada(), bob()]), user: bob() }));
    assert_eq!(desk.open().typing(desk.state.now), [bob()]);
    desk.now += 5_000;
    desk.on(Input::Tick);
    assert_eq!(desk.open().typing(desk.state.now), []);
}

#[test]
fn scrolling_up_reads_older_pages_one_at_a_time_until_the_first() {
    let mut desk = Desk::live_with(vec![row(&[ada(), bob()], 109, 30, 79)]);
    desk.key(KeyCode::Enter);
    desk.took();
    desk.page(None, 60..=109, true);
    assert_eq!(desk.marks(), [109], "what fills the screen is enough");
    for _ in 0..10 {
        desk.key(KeyCode::PageUp);
    }
    assert_eq!(desk.took(), [Effect::ReadPage { generation: 1, key: with_bob(), before: Some(60) }]);
    let scroll = desk.state.scroll;
    desk.page(Some(60), 1..=59, false);
    assert_eq!((desk.state.scroll, desk.open().lines.len()), (scroll, 109), "the view stays where it was");
    for _ in 0..20 {
        desk.key(KeyCode::PageUp);
    }
    assert_eq!(desk.took(), []);
    let height = usize::from(desk.state.panes().lines.height);
    let all = rows::newest(&desk.state, desk.open(), desk.state.panes().lines.width, usize::MAX).rows.len();
    assert_eq!(desk.state.scroll, all - height, "not past the first row");
}

#[test]
fn who_reads_above_is_not_moved_by_what_comes_below_and_has_not_read_it() {
    let mut desk = Desk::live();
    desk.key(KeyCode::Enter);
    desk.page(None, 1..=100, false);
    desk.key(KeyCode::PageUp);
    desk.took();
    let above = desk.state.scroll;
    desk.message(101, &bob());
    desk.message(102, &bob());
    assert_eq!((desk.state.scroll, desk.marks()), (above + 2, vec![]));
    for _ in 0..3 {
        desk.key(KeyCode::PageDown);
    }
    assert_eq!((desk.state.scroll, desk.marks()), (0, vec![102]));
}

#[test]
fn con5_an_answer_to_a_question_from_before_a_reset_is_not_taken_in() {
    let mut desk = Desk::with_bob();
    desk.types("draft");
    desk.client(Event::Reset { reason: ResetReason::OtherLog, position: position(20) });
    assert_eq!((desk.open().lines.len(), desk.state.composer.text().as_str()), (0, "draft"));
    let effects = desk.took();
    assert!(effects.contains(&Effect::ReadList { generation: 2 }), "{effects:?}");
    assert!(effects.contains(&Effect::ReadPage { generation: 2, key: with_bob(), before: None }), "{effects:?}");
    desk.page(None, 1..=9, false);
    assert_eq!(desk.open().lines.len(), 0);
}

#[test]
fn an_older_page_joins_only_where_it_was_asked_for() {
    let mut desk = Desk::with_bob();
    desk.page(Some(500), 400..=450, true);
    assert_eq!((desk.open().lines.len(), desk.open().more), (9, false));
}

#[test]
fn what_could_not_be_read_is_asked_for_again_a_little_later_and_with_the_next_connection() {
    let mut desk = Desk::live();
    desk.key(KeyCode::Enter);
    let fails = |desk: &mut Desk| {
        desk.on(Input::Page { generation: 1, key: with_bob(), before: None, page: Err("away".into()) });
        desk.on(Input::ListFailed { generation: 1, why: "away".into() });
        desk.took();
        desk.now += 4_999;
        desk.on(Input::Tick);
        assert_eq!(desk.took(), []);
    };
    let read = [Effect::ReadList { generation: 1 }, Effect::ReadPage { generation: 1, key: with_bob(), before: None }];
    fails(&mut desk);
    desk.now += 1;
    desk.on(Input::Tick);
    assert_eq!(desk.took(), read);
    fails(&mut desk);
    desk.client(Event::State(Link::Connecting { attempt: 1 }));
    desk.now += 10_000;
    desk.on(Input::Tick);
    assert_eq!(desk.took(), [], "there is no connection");
    desk.go_live();
    assert_eq!(desk.took(), read);
}

#[test]
fn a_conversation_that_nobody_named_is_asked_about() {
    let mut desk = Desk::live();
    desk.took();
    let unknown = conversation(&[ada(), handle("dave")]);
    let message = Message { participants: None, conversation: unknown, ..message(20, &handle("dave"), id(5)) };
    desk.client(Event::Message(message));
    assert_eq!(desk.took(), [Effect::ReadRow { generation: 1, id: unknown, at_least: None }]);
    desk.on(Input::List {
        generation: 1,
        rows: vec![row(&[ada(), handle("dave")], 20, 0, 1)],
        as_of: 10,
        whole: false,
    });
    assert_eq!(desk.titles(), ["dave", "bob", "carol"]);
}

#[test]
fn ctrl_n_finds_someone_new_and_the_first_message_makes_the_conversation() {
    let mut desk = Desk::live();
    desk.took();
    desk.ctrl('n');
    desk.types("Da");
    let Some(Effect::Find { question, prefix }) = desk.took().pop() else { panic!("asked") };
    assert_eq!(prefix, "da");
    let dave = UserItem { user: handle("dave"), display_name: "Dave".into(), last_seen: None };
    desk.on(Input::Found { question, users: Ok(vec![dave]) });
    desk.key(KeyCode::Enter);
    assert!(desk.state.finder.is_none());
    let with_dave = Key::direct(&[handle("dave")], &ada());
    assert!(desk.took().contains(&Effect::ReadPage { generation: 1, key: with_dave.clone(), before: None }));
    let page = Ok(Lines { items: Vec::new(), as_of: 10, more: false });
    desk.on(Input::Page { generation: 1, key: with_dave.clone(), before: None, page });
    desk.now += 60_000;
    desk.types("hi");
    desk.key(KeyCode::Enter);
    let (id, _) = desk.sent().remove(0);
    assert_eq!(desk.titles()[0], "dave");
    let made = conversation(&[ada(), handle("dave")]);
    let sent = Sent { conversation: Some(made), ..sent(id, 30) };
    desk.on(Input::Settled { key: with_dave, id, outcome: Ok(sent) });
    assert_eq!((desk.open().id, desk.open().lines.len()), (Some(made), 1));
}

#[test]
fn a_draft_waits_in_its_conversation() {
    let mut desk = Desk::with_bob();
    desk.types("half a sent");
    desk.key(KeyCode::Esc);
    desk.key(KeyCode::Down);
    desk.key(KeyCode::Enter);
    assert!(desk.state.composer.is_blank() && desk.state.drafts(&with_bob()));
    desk.on(Input::Key(KeyEvent::new(KeyCode::Up, KeyModifiers::ALT)));
    assert_eq!((desk.state.composer.text().as_str(), desk.state.open.clone()), ("half a sent", Some(with_bob())));
}

#[test]
fn new_lines_are_made_by_alt_enter_and_ctrl_j_and_a_paste_sends_nothing() {
    let mut desk = Desk::with_bob();
    desk.types("a");
    desk.on(Input::Key(KeyEvent::new(KeyCode::Enter, KeyModifiers::ALT)));
    desk.types("b");
    desk.ctrl('j');
    desk.on(Input::Paste("c\r\nd\n".into()));
    assert_eq!(desk.sent(), []);
    desk.key(KeyCode::Enter);
    assert_eq!(desk.sent()[0].1, "a\nb\nc\nd");
}

#[test]
fn nothing_is_said_with_nothing_written() {
    let mut desk = Desk::with_bob();
    desk.types("   ");
    desk.key(KeyCode::Enter);
    assert_eq!(desk.sent(), []);
}

#[test]
fn quitting_with_unsent_messages_is_asked_for_twice() {
    let mut desk = Desk::with_bob();
    desk.ctrl('c');
    assert_eq!(desk.took(), [Effect::Quit]);
    desk.types("hello");
    desk.key(KeyCode::Enter);
    let (id, _) = desk.sent().remove(0);
    desk.ctrl('c');
    assert_eq!(desk.took(), []);
    assert!(desk.state.notice.as_ref().is_some_and(|notice| notice.contains("1 message is not sent yet")));
    desk.on(Input::Settled { key: with_bob(), id, outcome: Ok(sent(id, 11)) });
    assert_eq!(desk.state.notice, None, "now it is");
    desk.types("again");
    desk.key(KeyCode::Enter);
    desk.took();
    desk.ctrl('c');
    desk.ctrl('c');
    assert_eq!(desk.took(), [Effect::Quit]);
}

#[test]
fn enter_before_the_answer_opens_the_conversation_when_it_comes() {
    let mut desk = Desk::live();
    desk.took();
    desk.ctrl('n');
    desk.types("dave");
    desk.key(KeyCode::Enter);
    let Some(Effect::Find { question, .. }) = desk.took().pop() else { panic!("asked") };
    let dave = UserItem { user: handle("dave"), display_name: "Dave".into(), last_seen: None };
    desk.on(Input::Found { question, users: Ok(vec![dave]) });
    assert!(desk.state.finder.is_none());
    let key = Key::direct(&[handle("dave")], &ada());
    assert!(desk.took().contains(&Effect::ReadPage { generation: 1, key, before: None }));
}

#[test]
fn esc_goes_back_a_step_and_at_last_quits() {
    let mut desk = Desk::with_bob();
    desk.ctrl('n');
    desk.key(KeyCode::Esc);
    assert!(desk.state.finder.is_none() && desk.took().is_empty());
    desk.key(KeyCode::Esc);
    assert_eq!((desk.state.focus, desk.took()), (Focus::List, vec![]));
    desk.key(KeyCode::Esc);
    assert_eq!(desk.took(), [Effect::Quit]);
}

#[test]
fn hrt5_ctrl_r_does_not_wait_for_the_next_attempt() {
    let mut desk = Desk::live();
    desk.took();
    desk.ctrl('r');
    assert_eq!(desk.took(), [], "there is nothing to try again");
    let retry_in = std::time::Duration::from_secs(30);
    desk.client(Event::State(Link::Waiting { attempt: 10, retry_in, cause: "away".into(), by_hand: true }));
    desk.ctrl('r');
    assert_eq!(desk.took(), [Effect::Reconnect]);
}

#[test]
fn a_login_that_has_ended_can_be_left_at_once() {
    let mut desk = Desk::with_bob();
    desk.types("hello");
    desk.key(KeyCode::Enter);
    desk.client(Event::State(Link::Stopped(StopReason::LoginEnded)));
    desk.took();
    desk.ctrl('c');
    assert_eq!(desk.took(), [Effect::Quit]);
}

#[test]
fn the_first_message_of_all_can_be_opened_with_enter() {
    let mut desk = Desk::live_with(Vec::new());
    desk.message(11, &bob());
    desk.key(KeyCode::Enter);
    assert_eq!(desk.open().others, [bob()]);
}
