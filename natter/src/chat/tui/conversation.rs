//! One conversation as this client knows it. Everything that comes from the log gives the same result in any order and
//! with repeats.

use std::collections::HashMap;
use std::sync::Arc;

use natter_client::{
    ClientId, ConversationId, ConversationItem, Event, Handle, MessageItem, Own, Sent, StalePage, Timeline, Timestamp,
};

use crate::chat::others;

/// Who takes part, in one order: a direct conversation is its set of people.
pub type People = Arc<[Handle]>;

/// Of a conversation that is not on the screen, so many messages are kept.
const KEPT_LINES: usize = 200;
/// Of the one that is on the screen, older ones are read up to so many.
const MAX_LINES: usize = 10_000;
/// Someone who writes says so again within this time.
const TYPING_MS: i64 = 5_000;

pub fn people(some: &[Handle], me: &Handle) -> People {
    let mut people: Vec<_> = some.iter().chain([me]).cloned().collect();
    people.sort();
    people.dedup();
    people.into()
}

/// What this user wrote and the log does not have yet.
#[derive(Debug, Clone, PartialEq)]
pub struct Pending {
    pub id: ClientId,
    pub text: String,
    pub at: Timestamp,
    /// Why it was not sent; until that is known, nothing.
    pub failed: Option<String>,
}

/// How far a message of this user has come, to all others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Progress {
    Sending,
    Sent,
    Delivered,
    Read,
    Failed,
}

/// Whether something was read from history.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Reading {
    #[default]
    Not,
    Now,
    Done,
    Failed(String),
}

/// What the newest row of the list counted. What came later is counted from the lines, so the number does not depend on
/// the order of arrival.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
struct Counted {
    last_seq: u64,
    read: u64,
    unread: u64,
}

#[derive(Debug)]
pub struct Conversation {
    pub people: People,
    pub others: Vec<Handle>,
    pub id: Option<ConversationId>,
    /// The messages, without a hole from the first to the newest.
    pub lines: Timeline,
    pub pending: Vec<Pending>,
    counted: Counted,
    delivered: HashMap<Handle, u64>,
    typing: HashMap<Handle, i64>,
    pub last_activity: Timestamp,
    /// The newest page, and each older one after it.
    pub reading: Reading,
    /// Whether there is something before the first line.
    pub more: bool,
    /// What comes after this line was new when the conversation was opened.
    pub new_after: Option<u64>,
}

impl Conversation {
    pub fn new(people: People, me: &Handle) -> Self {
        Self {
            others: others(&people, me),
            people,
            id: None,
            lines: Timeline::default(),
            pending: Vec::new(),
            counted: Counted::default(),
            delivered: HashMap::new(),
            typing: HashMap::new(),
            last_activity: Timestamp::default(),
            reading: Reading::Not,
            more: true,
            new_after: None,
        }
    }

    /// An event of this conversation.
    pub fn event(&mut self, event: &Event) {
        if let Event::Message(message) = event {
            self.said(message.id, &message.sender, message.at);
        }
        self.lines.apply(event);
    }

    /// What this user wrote is in the log.
    pub fn sent(&mut self, me: &Handle, text: String, sent: &Sent) {
        self.said(sent.id, me, sent.at.unwrap_or_default());
        self.lines.did(me, Own::Said { text, reply_to: None, thread: None, metadata: None }, sent);
    }

    fn said(&mut self, id: ClientId, sender: &Handle, at: Timestamp) {
        self.pending.retain(|pending| pending.id != id);
        self.typing.remove(sender);
        self.last_activity = self.last_activity.max(at);
    }

    /// A row of the list. Of two rows the one that has seen more counts.
    pub fn row(&mut self, item: ConversationItem, as_of: u64, me: &Handle) -> Result<(), StalePage> {
        let last_seq = item.last_message.as_ref().map_or(0, |message| message.seq);
        if (last_seq, item.read) >= (self.counted.last_seq, self.counted.read) {
            self.counted = Counted { last_seq, read: item.read, unread: item.unread };
        }
        self.id = Some(item.conversation);
        self.last_activity = self.last_activity.max(item.last_activity);
        self.moved(me, item.read);
        for marker in item.markers {
            self.moved(&marker.user, marker.read);
            self.reached(&marker.user, marker.delivered);
        }
        // Between it and what is held something may be missing: then the page brings both.
        if let Some(message) = item.last_message
            && self.newest().is_none_or(|newest| newest >= message.seq)
        {
            self.page(vec![message], as_of)?;
        }
        Ok(())
    }

    /// Messages as they stood at `as_of`.
    pub fn page(&mut self, messages: Vec<MessageItem>, as_of: u64) -> Result<(), StalePage> {
        for message in &messages {
            self.said(message.id, &message.sender, message.at);
        }
        self.lines.items(messages, as_of)
    }

    pub fn moved(&mut self, user: &Handle, read: u64) {
        self.lines.mark(user, read);
    }

    pub fn reached(&mut self, user: &Handle, upto: u64) {
        raise(&mut self.delivered, user, upto);
    }

    pub fn types(&mut self, user: &Handle, now: Timestamp) {
        self.typing.insert(user.clone(), now.0 + TYPING_MS);
    }

    pub fn typing(&self, now: Timestamp) -> Vec<Handle> {
        self.others.iter().filter(|user| self.typing.get(user).is_some_and(|until| *until > now.0)).cloned().collect()
    }

    pub fn read_by(&self, user: &Handle) -> u64 {
        self.lines.read_by(user)
    }

    pub fn first(&self) -> Option<u64> {
        self.lines.messages().next().map(|message| message.seq)
    }

    pub fn newest(&self) -> Option<u64> {
        self.lines.messages().next_back().map(|message| message.seq)
    }

    /// The newest line that `me` has not written and has not read.
    pub fn newest_unread(&self, me: &Handle) -> Option<u64> {
        let read = self.read_by(me);
        let mut unread = self.lines.range(read + 1..).rev();
        unread.find(|message| message.sender != *me).map(|message| message.seq)
    }

    /// How many lines of others come after what `me` has read.
    pub fn unread(&self, me: &Handle) -> u64 {
        let Counted { last_seq, read: counted_read, unread } = self.counted;
        let read = self.read_by(me);
        let of_others = |after: u64, upto: u64| match after < upto {
            true => self.lines.range(after + 1..=upto).filter(|message| message.sender != *me).count() as u64,
            false => 0,
        };
        let since = of_others(last_seq.max(read), u64::MAX);
        if read >= last_seq {
            return since;
        }
        unread.saturating_sub(of_others(counted_read, read)) + since
    }

    pub fn progress(&self, seq: u64, me: &Handle) -> Progress {
        let reached = |user: &Handle| self.read_by(user).max(self.delivered.get(user).copied().unwrap_or_default());
        let mut others = self.others.iter().filter(|user| *user != me);
        if others.clone().all(|user| self.read_by(user) >= seq) {
            Progress::Read
        } else if others.all(|user| reached(user) >= seq) {
            Progress::Delivered
        } else {
            Progress::Sent
        }
    }

    pub fn wants_older(&self) -> bool {
        self.more && self.reading == Reading::Done && self.lines.len() < MAX_LINES
    }

    /// The conversation leaves the screen: all but its newest lines are let go. The count of the unread stays.
    pub fn trim(&mut self, me: &Handle) {
        self.new_after = None;
        if self.lines.len() <= KEPT_LINES {
            return;
        }
        let unread = self.unread(me);
        let last_seq = self.newest().unwrap_or_default();
        self.counted = Counted { last_seq, read: self.read_by(me).max(self.counted.read), unread };
        self.lines.keep_newest(KEPT_LINES);
        self.more = true;
    }

    /// What was read may not be so any more (CON3). What this user wrote stays.
    pub fn reset(&mut self, me: &Handle) {
        let mut new = Self::new(self.people.clone(), me);
        new.pending = std::mem::take(&mut self.pending);
        *self = new;
    }
}

fn raise(of: &mut HashMap<Handle, u64>, user: &Handle, seq: u64) {
    match of.get_mut(user) {
        Some(held) => *held = seq.max(*held),
        None if seq > 0 => _ = of.insert(user.clone(), seq),
        None => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chat::tui::testing::{ada, bob, handle, item, row};

    fn talk() -> Conversation {
        Conversation::new(people(&[bob()], &ada()), &ada())
    }

    #[test]
    fn people_in_any_order_are_one_conversation() {
        assert_eq!(people(&[bob(), ada(), bob()], &ada()), people(&[bob()], &ada()));
        assert_eq!(talk().others, [bob()]);
        assert_eq!(Conversation::new(people(&[], &ada()), &ada()).others, [ada()], "notes to oneself");
    }

    #[test]
    fn evt1_lines_are_kept_by_seq_and_taken_in_once() {
        let mut talk = talk();
        talk.page(vec![item(3, &bob()), item(1, &ada()), item(3, &bob()), item(2, &bob())], 9).expect("not stale");
        assert_eq!(talk.lines.messages().map(|message| message.seq).collect::<Vec<_>>(), [1, 2, 3]);
    }

    #[test]
    fn unread_is_the_same_whether_the_row_or_the_line_comes_first() {
        let rows = [row(&[bob(), ada()], 5, 3, 2), row(&[bob(), ada()], 6, 3, 3)];
        let mut rows_first = talk();
        rows_first.row(rows[0].clone(), 6, &ada()).expect("not stale");
        rows_first.page(vec![item(6, &bob())], 9).expect("not stale");
        assert_eq!(rows_first.unread(&ada()), 3);
        rows_first.row(rows[1].clone(), 6, &ada()).expect("not stale");
        assert_eq!(rows_first.unread(&ada()), 3);
        let mut line_first = talk();
        line_first.page(vec![item(6, &bob())], 9).expect("not stale");
        line_first.row(rows[1].clone(), 6, &ada()).expect("not stale");
        line_first.row(rows[0].clone(), 6, &ada()).expect("not stale");
        assert_eq!(line_first.unread(&ada()), 3);
        line_first.moved(&ada(), 6);
        assert_eq!(line_first.unread(&ada()), 0);
        line_first.page(vec![item(8, &bob()), item(9, &bob())], 9).expect("not stale");
        assert_eq!((line_first.unread(&ada()), line_first.newest_unread(&ada())), (2, Some(9)));
    }

    #[test]
    fn sending_reads_up_to_itself_and_reading_never_goes_back() {
        let mut talk = talk();
        talk.page(vec![item(1, &bob()), item(2, &ada())], 9).expect("not stale");
        talk.moved(&ada(), 1);
        assert_eq!((talk.unread(&ada()), talk.read_by(&ada())), (0, 2));
    }

    #[test]
    fn a_tick_is_what_all_others_have() {
        let mut talk = Conversation::new(people(&[bob(), handle("carol")], &ada()), &ada());
        talk.page(vec![item(4, &ada())], 9).expect("not stale");
        assert_eq!(talk.progress(4, &ada()), Progress::Sent);
        talk.reached(&bob(), 4);
        assert_eq!(talk.progress(4, &ada()), Progress::Sent);
        talk.moved(&handle("carol"), 4);
        assert_eq!(talk.progress(4, &ada()), Progress::Delivered);
        talk.moved(&bob(), 4);
        assert_eq!(talk.progress(4, &ada()), Progress::Read);
    }

    #[test]
    fn leaving_keeps_the_newest_lines_and_the_count() {
        let mut talk = talk();
        talk.page((1..=300).map(|seq| item(seq, &bob())).collect(), 300).expect("not stale");
        talk.more = false;
        talk.trim(&ada());
        assert_eq!((talk.lines.len(), talk.first(), talk.more, talk.unread(&ada())), (200, Some(101), true, 300));
    }

    #[test]
    fn someone_writes_for_five_seconds_or_until_it_is_there() {
        let mut talk = talk();
        talk.types(&bob(), Timestamp(0));
        assert_eq!((talk.typing(Timestamp(4_999)), talk.typing(Timestamp(5_000))), (vec![bob()], vec![]));
        talk.page(vec![item(1, &bob())], 9).expect("not stale");
        assert_eq!(talk.typing(Timestamp(1)), []);
    }
}
