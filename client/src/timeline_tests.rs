use std::path::Path;

use natter_events::{ClientId, ConversationId, Tag};
use natter_protocol::frame::{Deleted, Edited, Marker, ServerFrame};
use natter_protocol::history::{ReactionItem, RepliesItem, ReplyItem};
use natter_protocol::{Position, Timestamp};
use proptest::prelude::*;
use serde::Deserialize;

use super::*;

/// A story that every reader of Natter comes to the same end of.
#[derive(Deserialize)]
struct Case {
    rule: String,
    frames: Vec<ServerFrame>,
    messages: Vec<MessageItem>,
    read: BTreeMap<Handle, u64>,
}

impl Case {
    fn all() -> Vec<(String, Self)> {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../protocol/golden/folding");
        let mut cases = Vec::new();
        for file in std::fs::read_dir(folder).expect("the golden cases") {
            let path = file.expect("a file").path();
            if path.extension().is_some_and(|extension| extension == "json") {
                let text = std::fs::read_to_string(&path).expect("readable");
                let case = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
                cases.push((path.display().to_string(), case));
            }
        }
        assert!(cases.len() >= 12, "only {} golden cases", cases.len());
        cases
    }

    fn events(&self) -> Vec<Event> {
        self.frames.iter().cloned().map(event).collect()
    }

    fn holds(&self, timeline: &Timeline) -> Result<(), TestCaseError> {
        // What is shown of a message that is answered follows from that one, and is not in the cases.
        let without_reply = |message: &MessageItem| MessageItem { reply: None, ..message.clone() };
        let messages: Vec<_> = timeline.messages().map(without_reply).collect();
        prop_assert_eq!(&messages, &self.messages, "{}", self.rule);
        let read: BTreeMap<_, _> = timeline.read().map(|(user, read)| (user.clone(), read)).collect();
        prop_assert_eq!(&read, &self.read, "{}", self.rule);
        Ok(())
    }
}

fn event(frame: ServerFrame) -> Event {
    match frame {
        ServerFrame::Message(message) => Event::Message(message),
        ServerFrame::Edited(edited) => Event::Edited(edited),
        ServerFrame::Deleted(deleted) => Event::Deleted(deleted),
        ServerFrame::Reaction(reaction) => Event::Reaction(reaction),
        ServerFrame::Pin(pin) => Event::Pin(pin),
        ServerFrame::Marker(marker) => Event::Marker(marker),
        other => panic!("{other:?} is not of a conversation"),
    }
}

fn folded(events: &[Event]) -> Timeline {
    let mut timeline = Timeline::default();
    for event in events {
        timeline.apply(event);
    }
    timeline
}

/// What history shows after these events.
fn page_after(events: &[Event]) -> Page<MessageItem> {
    let position = events.last().and_then(Event::position).unwrap_or(Position::start(1));
    Page { items: folded(events).messages().cloned().collect(), next: None, position }
}

#[test]
fn evt1_the_golden_cases_come_out_of_their_frames() {
    for (file, case) in Case::all() {
        case.holds(&folded(&case.events())).unwrap_or_else(|error| panic!("{file}: {error}"));
    }
}

#[test]
fn con5_the_golden_cases_come_out_of_a_session_that_begins_anywhere_and_a_page_of_any_moment_after_that() {
    for (file, case) in Case::all() {
        let events = case.events();
        for begin in 0..=events.len() {
            for cut in begin..=events.len() {
                let read = folded(&events[..cut]);
                for arrival in begin..=events.len() {
                    let mut timeline = folded(&events[begin..arrival]);
                    timeline.page(page_after(&events[..cut])).expect("not stale");
                    for (user, upto) in read.read() {
                        timeline.mark(user, upto);
                    }
                    for event in &events[arrival..] {
                        timeline.apply(event);
                    }
                    case.holds(&timeline).unwrap_or_else(|error| {
                        panic!("{file}, begun after {begin}, page of {cut}, in after {arrival}: {error}")
                    });
                }
            }
        }
    }
}

#[test]
fn con5_applying_everything_once_more_changes_nothing() {
    for (file, case) in Case::all() {
        let events = case.events();
        let mut timeline = folded(&events);
        for event in &events {
            assert!(!timeline.apply(event), "{file}: {event:?}");
        }
        case.holds(&timeline).unwrap_or_else(|error| panic!("{file}: {error}"));
    }
}

proptest! {
    /// What one did oneself is told by answers, and those may come before or after events of others: the texts, the
    /// tombstones and who reacts with what are the same in any order.
    #[test]
    fn evt2_the_order_in_which_answers_and_events_are_told_does_not_matter(shuffle in any::<u64>()) {
        for (_, case) in Case::all() {
            let mut events = case.events();
            events.sort_by_key(|event| event.position().expect("durable").seq.wrapping_mul(shuffle | 1).rotate_left(29));
            let (there, shuffled) = (folded(&case.events()), folded(&events));
            let facts = |timeline: &Timeline| -> Vec<MessageItem> {
                let plain = |mut message: MessageItem| {
                    message.reactions.sort_by(|one, other| one.emoji.cmp(&other.emoji));
                    message.reactions.iter_mut().for_each(|reaction| reaction.users.sort());
                    message
                };
                timeline.messages().cloned().map(plain).collect()
            };
            prop_assert_eq!(facts(&shuffled), facts(&there), "{}", case.rule);
        }
    }
}

fn handle(name: &str) -> Handle {
    name.parse().expect("a handle")
}

fn position(seq: u64) -> Position {
    Position { epoch: 1, seq, tag: Tag(0) }
}

fn sent(seq: u64) -> Sent {
    Sent {
        id: ClientId::at(seq),
        seq,
        conversation: Some(ConversationId::direct(&[])),
        at: Some(Timestamp(1_000)),
        duplicate: false,
        refused: Vec::new(),
    }
}

fn said(text: &str) -> Own {
    Own::Said { text: text.to_owned(), reply_to: None, thread: None, metadata: None }
}

fn edit(seq: u64, message: u64, text: &str) -> Event {
    Event::Edited(Edited {
        seq,
        position: position(seq),
        conversation: ConversationId::direct(&[]),
        message,
        by: handle("ada"),
        id: ClientId::at(seq),
        text: text.to_owned(),
        at: Timestamp(0),
    })
}

#[test]
fn evt2_what_this_session_did_stands_like_what_others_did() {
    let ada = handle("ada");
    let mut timeline = Timeline::default();
    assert!(timeline.did(&ada, said("one"), &sent(3)));
    assert!(timeline.did(&ada, Own::Edited { message: 3, text: "One".into() }, &sent(4)));
    let thumb = |op| Own::Reacted { message: 3, emoji: "👍".into(), op };
    assert!(timeline.did(&ada, thumb(Toggle::Add), &sent(5)));
    let message = timeline.message(3).expect("there").clone();
    assert_eq!((message.text.as_str(), message.edited_at), ("One", Some(Timestamp(1_000))));
    assert_eq!(message.reactions, [ReactionItem { emoji: "👍".into(), users: vec![ada.clone()], count: 1 }]);
    assert!(timeline.did(&ada, thumb(Toggle::Remove), &sent(6)));
    assert!(timeline.did(&ada, Own::Deleted { message: 3 }, &sent(7)));
    assert!(!timeline.did(&ada, thumb(Toggle::Add), &sent(8)));
    let message = timeline.message(3).expect("there");
    assert!(message.deleted && message.text.is_empty() && message.reactions.is_empty());
    assert!(timeline.did(&ada, Own::Read(9), &sent(10)));
    assert_eq!(timeline.read_by(&ada), 9);
}

#[test]
fn evt2_an_answer_that_is_told_late_does_not_bring_an_older_text_back() {
    let ada = handle("ada");
    let mut timeline = Timeline::default();
    timeline.did(&ada, said("one"), &sent(3));
    assert!(timeline.apply(&edit(5, 3, "three")));
    assert!(!timeline.did(&ada, Own::Edited { message: 3, text: "two".into() }, &sent(4)));
    assert_eq!(timeline.message(3).expect("there").text, "three");
}

#[test]
fn con5_what_a_page_has_already_is_not_applied_to_it() {
    let mut timeline = Timeline::default();
    timeline.did(&handle("ada"), said("one"), &sent(3));
    let mut item = timeline.message(3).expect("there").clone();
    item.text = "three".into();
    item.edited_at = Some(Timestamp(9));
    timeline.items([item.clone()], 9).expect("not stale");
    assert!(!timeline.apply(&edit(8, 3, "two")), "between the message and the page");
    assert_eq!(timeline.message(3), Some(&item));
    assert!(timeline.apply(&edit(10, 3, "four")));
}

#[test]
fn a_person_whom_the_page_does_not_name_is_counted() {
    let mut timeline = Timeline::default();
    timeline.did(&handle("ada"), said("one"), &sent(3));
    let mut item = timeline.message(3).expect("there").clone();
    item.reactions = vec![ReactionItem { emoji: "👍".into(), users: vec![handle("bob")], count: 3 }];
    timeline.items([item], 10).expect("not stale");
    let reacted = |op| Own::Reacted { message: 3, emoji: "👍".into(), op };
    assert!(timeline.did(&handle("cy"), reacted(Toggle::Remove), &sent(11)));
    assert!(timeline.did(&handle("bob"), reacted(Toggle::Remove), &sent(12)));
    assert_eq!(timeline.message(3).expect("there").reactions[0].count, 1);
    assert!(timeline.did(&handle("di"), reacted(Toggle::Remove), &sent(13)));
    assert_eq!(timeline.message(3).expect("there").reactions, []);
    assert!(!timeline.did(&handle("ed"), reacted(Toggle::Remove), &sent(14)));
}

#[test]
fn con5_a_page_from_before_what_is_remembered_is_refused_and_a_newer_one_is_taken() {
    let mut timeline = Timeline::default();
    for seq in 100..100 + REMEMBERED as u64 + 1 {
        timeline.apply(&edit(seq, 3, &format!("edit {seq}")));
    }
    let page = |seq| Page { items: Vec::new(), next: None, position: position(seq) };
    assert_eq!(timeline.page(page(99)), Err(StalePage));
    assert_eq!(timeline.page(page(100)), Ok(()));
    assert_eq!(timeline.recent.len(), REMEMBERED);
}

#[test]
fn a_timeline_is_kept_to_a_size() {
    let mut timeline = Timeline::default();
    for seq in 1..=10 {
        timeline.did(&handle("ada"), said("x"), &sent(seq));
    }
    timeline.keep_newest(3);
    assert_eq!(timeline.messages().map(|message| message.seq).collect::<Vec<_>>(), [8, 9, 10]);
    assert_eq!((timeline.len(), timeline.range(..9).count(), timeline.is_empty()), (3, 1, false));
}

fn in_thread(root: u64) -> Own {
    Own::Said { text: "about that".into(), reply_to: None, thread: Some(root), metadata: None }
}

fn answer_to(seq: u64) -> Own {
    Own::Said { text: "indeed".into(), reply_to: Some(seq), thread: None, metadata: None }
}

fn pin(seq: u64, message: u64, op: Toggle) -> Event {
    let (position, conversation) = (position(seq), ConversationId::direct(&[]));
    let (by, id, at) = (handle("ada"), ClientId::at(seq), Timestamp(0));
    Event::Pin(Pinned { seq, position, conversation, message, by, id, op, at })
}

fn marker(seq: u64, read: u64, thread: Option<u64>) -> Event {
    let (position, conversation) = (position(seq), ConversationId::direct(&[]));
    Event::Marker(Marker { seq, position, conversation, user: handle("bob"), read, thread, at: Timestamp(0) })
}

#[test]
fn what_is_said_in_a_thread_is_not_outside_of_it_but_counts_for_the_message_that_it_began_with() {
    let ada = handle("ada");
    let (mut outside, mut thread) = (Timeline::default(), Timeline::of_thread(3));
    for timeline in [&mut outside, &mut thread] {
        timeline.did(&ada, said("one"), &sent(3));
        for seq in [5, 6] {
            assert!(timeline.did(&ada, in_thread(3), &sent(seq)));
            assert!(!timeline.did(&ada, in_thread(3), &sent(seq)), "once");
        }
        timeline.did(&ada, in_thread(4), &sent(7));
        timeline.apply(&edit(8, 6, "otherwise"));
        timeline.apply(&marker(9, 6, Some(3)));
        timeline.apply(&marker(10, 3, None));
    }
    let seqs = |timeline: &Timeline| timeline.messages().map(|message| message.seq).collect::<Vec<_>>();
    assert_eq!((seqs(&outside), seqs(&thread)), (vec![3], vec![5, 6]));
    assert_eq!(thread.message(6).expect("there").text, "otherwise");
    let replies = RepliesItem { count: 2, last_at: Timestamp(1_000), unread: None };
    assert_eq!(outside.message(3).expect("there").replies, Some(replies));
    assert_eq!((outside.read_by(&handle("bob")), thread.read_by(&handle("bob"))), (3, 6));
    assert_eq!((outside.read_by(&ada), thread.read_by(&ada)), (3, 6), "sending reads up to itself where it was said");
}

#[test]
fn con5_replies_that_a_page_has_counted_are_not_counted_again() {
    let ada = handle("ada");
    let mut timeline = Timeline::default();
    timeline.did(&ada, in_thread(3), &sent(5));
    timeline.did(&ada, in_thread(3), &sent(9));
    let mut item = page_item(3);
    item.replies = Some(RepliesItem { count: 4, last_at: Timestamp(500), unread: Some(1) });
    timeline.items([item], 7).expect("not stale");
    let replies = timeline.message(3).expect("there").replies.clone().expect("some");
    assert_eq!(
        replies,
        RepliesItem { count: 5, last_at: Timestamp(1_000), unread: None },
        "the one of 9 came after it"
    );
    timeline.apply(&deleted(10, 3));
    timeline.did(&ada, in_thread(3), &sent(11));
    let message = timeline.message(3).expect("there");
    assert_eq!((message.deleted, message.replies.as_ref().expect("some").count), (true, 6), "its thread goes on");
}

fn page_item(seq: u64) -> MessageItem {
    let mut timeline = Timeline::default();
    timeline.did(&handle("ada"), said("one"), &sent(seq));
    timeline.message(seq).expect("there").clone()
}

fn deleted(seq: u64, message: u64) -> Event {
    let (position, conversation) = (position(seq), ConversationId::direct(&[]));
    let (by, id, at) = (handle("ada"), ClientId::at(seq), Timestamp(0));
    Event::Deleted(Deleted { seq, position, conversation, message, by, id, at })
}

#[test]
fn of_pins_the_last_word_stands_and_a_deleted_message_has_none() {
    let ada = handle("ada");
    let mut timeline = Timeline::default();
    timeline.did(&ada, said("one"), &sent(3));
    assert!(timeline.did(&ada, Own::Pinned { message: 3, op: Toggle::Add }, &sent(5)));
    assert!(!timeline.apply(&pin(4, 3, Toggle::Remove)), "told late");
    assert!(timeline.message(3).expect("there").pinned);
    assert!(!timeline.apply(&pin(6, 3, Toggle::Add)), "it is");
    assert!(timeline.apply(&pin(7, 3, Toggle::Remove)));
    assert!(timeline.apply(&pin(8, 3, Toggle::Add)));
    timeline.apply(&deleted(9, 3));
    assert!(!timeline.apply(&pin(10, 3, Toggle::Add)) && !timeline.message(3).expect("there").pinned);
}

#[test]
fn an_answer_shows_how_the_message_that_it_answers_begins_now() {
    let ada = handle("ada");
    let long = "x".repeat(300);
    let shown = |timeline: &Timeline| {
        let reply = timeline.message(5).expect("there").reply.clone();
        reply.map(|reply| (reply.text, reply.deleted))
    };
    // Whether the message is here before its answer, after it, or not at all.
    let mut before = Timeline::default();
    before.did(&ada, said(&long), &sent(3));
    before.did(&ada, answer_to(3), &sent(5));
    assert_eq!(shown(&before), Some(("x".repeat(200), false)));
    let mut after = Timeline::default();
    after.did(&ada, answer_to(3), &sent(5));
    assert_eq!(shown(&after), None);
    after.items([page_item(3)], 4).expect("not stale");
    let mut without = Timeline::default();
    let mut answer = before.message(5).expect("there").clone();
    answer.reply = Some(ReplyItem { seq: 3, sender: ada.clone(), text: "one".into(), deleted: false });
    without.items([answer], 5).expect("not stale");
    for timeline in [&mut before, &mut after, &mut without] {
        assert!(timeline.apply(&edit(8, 3, "eight")));
        assert!(!timeline.apply(&edit(7, 3, "seven")), "told late");
        assert_eq!(shown(timeline), Some(("eight".into(), false)));
        assert!(timeline.apply(&deleted(9, 3)));
        assert!(!timeline.apply(&edit(10, 3, "ten")));
        assert_eq!(shown(timeline), Some((String::new(), true)));
    }
}
