//! One conversation as it now stands, made of pages and events. Pure: no connection and no clock in here. The rules are
//! those of the golden cases that every reader of Natter passes.

mod held;

use std::collections::{BTreeMap, VecDeque};
use std::ops::RangeBounds;

use natter_protocol::Handle;
use natter_protocol::frame::{Message, Pinned, Reaction, Toggle};
use natter_protocol::history::{MessageItem, Page};

use self::held::{Change, Held, What, preview};
use crate::event::{Event, Sent};

/// Changes that are remembered for pages that were read before them. Pages take seconds, and this is a lot to happen to one
/// conversation in that time.
const REMEMBERED: usize = 1_000;

/// The messages of one conversation as they now stand, and how far each person has read.
///
/// It is of the conversation outside of threads, or with [`of_thread`](Self::of_thread) of one thread: the same events and
/// pages may be given to both, and each takes what is its own. Outside of threads, a message shows in
/// [`replies`](MessageItem::replies) how much was said in its thread and when last; how much of that is unread only history
/// counts, so that is left out once something more was said.
///
/// It takes pages of history and this conversation's events in any order: what a page has already is not applied to it
/// again, and what happened after it was read is (CON5). After an [`Event::Reset`] begin with a new one.
///
/// ```no_run
/// # use natter_client::{Client, ConversationId, Events, Timeline};
/// # async fn example(client: Client, mut events: Events, id: ConversationId) -> Result<(), Box<dyn std::error::Error>> {
/// let mut timeline = Timeline::default();
/// if let Some(page) = client.history().messages(id).next_page().await? {
///     timeline.page(page)?;
/// }
/// while let Some(event) = events.next().await {
///     if event.conversation() == Some(id) && timeline.apply(&event) {
///         for message in timeline.messages() {
///             println!("{}: {}", message.sender, message.text);
///         }
///     }
/// }
/// # Ok(())
/// # }
/// ```
///
/// What this session did comes as an answer and not as an event (EVT2): that is said with [`did`](Self::did).
#[derive(Debug, Clone, Default)]
pub struct Timeline {
    /// The message whose thread this is; none outside of threads.
    thread: Option<u64>,
    messages: BTreeMap<u64, Held>,
    read: BTreeMap<Handle, u64>,
    /// What happened to messages last, by seq, also to those that are not here.
    recent: VecDeque<Change>,
    /// The newest change that is remembered no more.
    forgotten: u64,
}

/// Something that this session did, and was answered.
#[derive(Debug, Clone, PartialEq)]
pub enum Own {
    /// Said something. Whom that mentions is for the server to say: a page has it.
    Said {
        /// What.
        text: String,
        /// In answer to what.
        reply_to: Option<u64>,
        /// In which message's thread.
        thread: Option<u64>,
        /// With what for programs.
        metadata: Option<serde_json::Value>,
    },
    /// Said a message otherwise.
    Edited {
        /// Which.
        message: u64,
        /// How.
        text: String,
    },
    /// Deleted a message.
    Deleted {
        /// Which.
        message: u64,
    },
    /// Reacted to a message, or took that back.
    Reacted {
        /// To which.
        message: u64,
        /// With what.
        emoji: String,
        /// Which of the two.
        op: Toggle,
    },
    /// Pinned a message, or took that back.
    Pinned {
        /// Which.
        message: u64,
        /// Which of the two.
        op: Toggle,
    },
    /// Read up to there: the conversation, or the thread that the timeline is of.
    Read(u64),
}

/// The page was read so long ago that it can't be brought up to date: read it again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the page is older than what is remembered of the conversation")]
pub struct StalePage;

impl Timeline {
    /// The thread of the message `root`, without that one itself.
    pub fn of_thread(root: u64) -> Self {
        Self { thread: Some(root), ..Self::default() }
    }

    /// Takes in a page of the conversation's messages. It may come at any time, and may overlap with what is here.
    pub fn page(&mut self, page: Page<MessageItem>) -> Result<(), StalePage> {
        self.items(page.items, page.position.seq)
    }

    /// Takes in messages as they stood when everything up to `as_of` had happened.
    pub fn items(&mut self, items: impl IntoIterator<Item = MessageItem>, as_of: u64) -> Result<(), StalePage> {
        if as_of < self.forgotten {
            return Err(StalePage);
        }
        for item in items {
            self.hold(item, as_of);
        }
        Ok(())
    }

    /// Takes in an event of this conversation. Says whether that changed anything.
    pub fn apply(&mut self, event: &Event) -> bool {
        match event {
            Event::Message(message) => self.said(item(message)),
            Event::Edited(edited) => {
                let what = What::Edited { by: edited.by.clone(), text: edited.text.clone(), at: edited.at };
                self.change(Change { seq: edited.seq, message: edited.message, what })
            }
            Event::Deleted(deleted) => {
                self.change(Change { seq: deleted.seq, message: deleted.message, what: What::Deleted })
            }
            Event::Reaction(Reaction { seq, message, user, emoji, op, .. }) => {
                let what = What::Reaction { user: user.clone(), emoji: emoji.clone(), op: *op };
                self.change(Change { seq: *seq, message: *message, what })
            }
            Event::Pin(Pinned { seq, message, op, .. }) => {
                self.change(Change { seq: *seq, message: *message, what: What::Pinned(*op) })
            }
            Event::Marker(marker) if marker.thread == self.thread => self.mark(&marker.user, marker.read),
            _ => false,
        }
    }

    /// Takes in what `me` did in this session, with the answer to it. Says whether that changed anything.
    pub fn did(&mut self, me: &Handle, own: Own, sent: &Sent) -> bool {
        let (seq, at) = (sent.seq, sent.at.unwrap_or_default());
        let (message, what) = match own {
            Own::Said { text, reply_to, thread, metadata } => {
                let Some(conversation) = sent.conversation else { return false };
                let item = MessageItem {
                    seq,
                    conversation,
                    sender: me.clone(),
                    id: sent.id,
                    text,
                    at,
                    edited_at: None,
                    deleted: false,
                    reactions: Vec::new(),
                    reply_to,
                    reply: None,
                    thread,
                    replies: None,
                    mentions: Vec::new(),
                    mentions_room: false,
                    pinned: false,
                    metadata,
                };
                return self.said(item);
            }
            Own::Edited { message, text } => (message, What::Edited { by: me.clone(), text, at }),
            Own::Deleted { message } => (message, What::Deleted),
            Own::Reacted { message, emoji, op } => (message, What::Reaction { user: me.clone(), emoji, op }),
            Own::Pinned { message, op } => (message, What::Pinned(op)),
            Own::Read(read) => return self.mark(me, read),
        };
        self.change(Change { seq, message, what })
    }

    /// `user` has read up to `read`, as a conversation's item of history says. It never goes back.
    pub fn mark(&mut self, user: &Handle, read: u64) -> bool {
        let moves = read > self.read_by(user);
        if moves {
            self.read.insert(user.clone(), read);
        }
        moves
    }

    /// The messages in the log's order.
    pub fn messages(&self) -> impl DoubleEndedIterator<Item = &MessageItem> + Clone {
        self.range(..)
    }

    /// Those of them whose seq is within this.
    pub fn range(&self, seqs: impl RangeBounds<u64>) -> impl DoubleEndedIterator<Item = &MessageItem> + Clone {
        self.messages.range(seqs).map(|(_, held)| &held.item)
    }

    /// One message.
    pub fn message(&self, seq: u64) -> Option<&MessageItem> {
        self.messages.get(&seq).map(|held| &held.item)
    }

    /// How many messages are here.
    pub fn len(&self) -> usize {
        self.messages.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.messages.is_empty()
    }

    /// How far everybody has read who has read anything.
    pub fn read(&self) -> impl Iterator<Item = (&Handle, u64)> {
        self.read.iter().map(|(user, read)| (user, *read))
    }

    /// How far `user` has read.
    pub fn read_by(&self, user: &Handle) -> u64 {
        self.read.get(user).copied().unwrap_or_default()
    }

    /// Lets go of all but the newest messages: a timeline that lives long is to be kept to a size.
    pub fn keep_newest(&mut self, messages: usize) {
        while self.messages.len() > messages {
            self.messages.pop_first();
        }
    }

    /// A message as it was said. In a thread, it counts for the message that the thread began with.
    fn said(&mut self, item: MessageItem) -> bool {
        let (seq, at) = (item.seq, item.at);
        match (self.thread, item.thread) {
            (None, Some(root)) => self.change(Change { seq, message: root, what: What::Replied { at } }),
            _ => self.hold(item, seq),
        }
    }

    /// A message as it stood at `as_of`, brought up to date. Sending reads up to itself.
    fn hold(&mut self, item: MessageItem, as_of: u64) -> bool {
        let seq = item.seq;
        if item.thread != self.thread || self.messages.get(&seq).is_some_and(|held| held.as_of >= as_of) {
            return false;
        }
        self.mark(&item.sender, seq);
        let mut held = Held::new(item, as_of);
        for change in &self.recent {
            held.apply(change);
        }
        if let Some(answered) = held.item.reply_to.and_then(|answered| self.messages.get(&answered)) {
            held.item.reply = Some(preview(&answered.item));
        }
        self.messages.insert(seq, held);
        self.show_in_answers(seq);
        true
    }

    fn change(&mut self, change: Change) -> bool {
        let place = self.recent.partition_point(|known| known.seq < change.seq);
        if change.seq <= self.forgotten || self.recent.get(place).is_some_and(|known| known.seq == change.seq) {
            return false;
        }
        let changed = match self.messages.get_mut(&change.message) {
            Some(held) => held.apply(&change),
            // What is shown of it may still be here.
            None => {
                self.answers(change.message).map(|answer| answer.apply(&change)).filter(|changed| *changed).count() > 0
            }
        };
        if changed {
            self.show_in_answers(change.message);
        }
        self.recent.insert(place, change);
        if self.recent.len() > REMEMBERED {
            self.forgotten = self.recent.pop_front().map_or(self.forgotten, |oldest| oldest.seq);
        }
        changed
    }

    /// What answers a message shows how that one begins now.
    fn show_in_answers(&mut self, seq: u64) {
        let Some(shown) = self.message(seq).map(preview) else { return };
        self.answers(seq).for_each(|answer| answer.item.reply = Some(shown.clone()));
    }

    fn answers(&mut self, seq: u64) -> impl Iterator<Item = &mut Held> {
        let later = self.messages.range_mut(seq.saturating_add(1)..).map(|(_, held)| held);
        later.filter(move |held| held.item.reply_to == Some(seq))
    }
}

fn item(message: &Message) -> MessageItem {
    MessageItem {
        seq: message.seq,
        conversation: message.conversation,
        sender: message.sender.clone(),
        id: message.id,
        text: message.text.clone(),
        at: message.at,
        edited_at: None,
        deleted: false,
        reactions: Vec::new(),
        reply_to: message.reply_to,
        reply: None,
        thread: message.thread,
        replies: None,
        mentions: message.mentions.clone(),
        mentions_room: message.mentions_room,
        pinned: false,
        metadata: message.metadata.clone(),
    }
}

#[cfg(test)]
#[path = "timeline_tests.rs"]
mod tests;
