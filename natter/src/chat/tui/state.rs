//! What the client knows and shows, as a pure state: inputs and the time go in, what is to be done comes out. No terminal,
//! no socket and no clock in here.

use std::collections::HashMap;

use crossterm::event::KeyEvent;
use jiff::tz::TimeZone;
use natter_client::{
    ClientId, ConversationId, ConversationItem, ConversationKind, Deleted, Edited, Event, Handle, Marker, Message,
    MessageItem, Pinned, Position, Presence, Reaction, Sent, StalePage, State as Link, Timestamp, UserItem,
};
use ratatui::layout::{Rect, Size};

use super::composer::Composer;
use super::conversation::{Conversation, Pending, Reading};
use super::finder::Finder;
use super::key::Key;
use super::{panes, rows};
use crate::chat::blocked::{Blocked, Listed};

/// Messages of all conversations that wait to be sent.
pub const MAX_PENDING: usize = 500;
/// The most that the server watches for one session.
const MAX_WATCHED: usize = 500;
/// Of a conversation that is not open, so many lines come live before it is trimmed.
const MAX_BESIDE: usize = 400;
/// What could not be read is asked for again after this, with a connection.
const READ_AGAIN_MS: i64 = 5_000;
/// `typing` holds for five seconds and is said again before that.
const TYPING_EVERY_MS: i64 = 3_000;

#[derive(Debug)]
pub enum Input {
    Key(KeyEvent),
    Paste(String),
    Resized(Size),
    /// The terminal's window was turned to, or away from.
    InSight(bool),
    /// Time has passed.
    Tick,
    /// From the server, live.
    Client(Event),
    /// A message was sent, or not.
    Settled {
        key: Key,
        id: ClientId,
        outcome: Result<Sent, String>,
    },
    /// Whom the user has blocked; it comes before the list.
    Blocked {
        generation: u64,
        listed: Listed,
    },
    /// A page of the list.
    List {
        generation: u64,
        rows: Vec<ConversationItem>,
        /// What has happened up to here is in it.
        as_of: u64,
        whole: bool,
    },
    ListFailed {
        generation: u64,
        why: String,
    },
    /// A row that was asked for by itself can't be had: there is none for this user, or the server can't say now.
    NoRow {
        generation: u64,
        id: ConversationId,
        is_none: bool,
    },
    Page {
        generation: u64,
        key: Key,
        before: Option<u64>,
        page: Result<Lines, String>,
    },
    /// An answer to the finder's question of this number.
    Found {
        question: u64,
        users: Result<Vec<UserItem>, String>,
    },
}

/// A page of a conversation.
#[derive(Debug)]
pub struct Lines {
    pub items: Vec<MessageItem>,
    /// What has happened up to here is in it.
    pub as_of: u64,
    /// There is something before it.
    pub more: bool,
}

/// Something to be done, and then said with an [`Input`], where it has an answer.
#[derive(Debug, Clone, PartialEq)]
pub enum Effect {
    ReadList {
        generation: u64,
    },
    /// What an event named that this client has not heard of, as it is at this position or later.
    ReadRow {
        generation: u64,
        id: ConversationId,
        at_least: Option<Position>,
    },
    ReadPage {
        generation: u64,
        key: Key,
        before: Option<u64>,
    },
    Find {
        question: u64,
        prefix: String,
    },
    Send {
        key: Key,
        id: ClientId,
        text: String,
    },
    Mark {
        id: ConversationId,
        read: u64,
    },
    Typing(ConversationId),
    Watch(Vec<Handle>),
    Reconnect,
    Quit,
}

/// The time and a new id, for whatever an input makes of them.
#[derive(Debug, Clone, Copy)]
pub struct Moment {
    pub now: Timestamp,
    pub id: ClientId,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Focus {
    List,
    Conversation,
}

#[derive(Debug)]
pub struct State {
    pub me: Handle,
    pub server: String,
    pub zone: TimeZone,
    pub now: Timestamp,
    pub size: Size,
    pub link: Link,
    /// When the link became what it is.
    pub link_since: Timestamp,
    pub focus: Focus,
    pub list: Reading,
    /// Where the list is looked at.
    pub selected: Option<Key>,
    pub open: Option<Key>,
    /// Rows between the newest one and the lowest one on the screen.
    pub scroll: usize,
    pub composer: Composer,
    pub finder: Option<Finder>,
    /// Something to be said in the status line until the next key.
    pub notice: Option<String>,
    pub(super) conversations: HashMap<Key, Conversation>,
    ids: HashMap<ConversationId, Key>,
    presence: HashMap<Handle, Presence>,
    blocked: Blocked,
    pub(super) drafts: HashMap<Key, Composer>,
    /// Rooms that were left since the last reset, with the event that says so.
    pub(super) left: HashMap<ConversationId, u64>,
    /// Counts resets: an answer to a question from before the last one is not taken in.
    pub(super) generation: u64,
    watched: Vec<Handle>,
    /// When something could not be read.
    failed: Option<Timestamp>,
    in_sight: bool,
    typed: Option<(Key, Timestamp)>,
    quitting: bool,
}

impl State {
    pub fn new(me: Handle, server: String, zone: TimeZone, now: Timestamp, size: Size) -> Self {
        Self {
            me,
            server,
            zone,
            now,
            size,
            link: Link::Connecting { attempt: 0 },
            link_since: now,
            focus: Focus::List,
            list: Reading::Not,
            selected: None,
            open: None,
            scroll: 0,
            composer: Composer::default(),
            finder: None,
            notice: None,
            conversations: HashMap::new(),
            ids: HashMap::new(),
            presence: HashMap::new(),
            blocked: Blocked::default(),
            drafts: HashMap::new(),
            left: HashMap::new(),
            generation: 0,
            watched: Vec::new(),
            failed: None,
            in_sight: true,
            typed: None,
            quitting: false,
        }
    }

    /// Takes in what happened and says what to do.
    pub fn on(&mut self, input: Input, moment: Moment) -> Vec<Effect> {
        self.now = moment.now;
        let anchor = self.open_conversation().and_then(Conversation::newest).filter(|_| self.scroll > 0);
        let below = anchor.map(|newest| self.rows_after(newest));
        let mut effects = Vec::new();
        match input {
            Input::Key(key) => self.key(key, moment, &mut effects),
            Input::Paste(text) => self.paste(&text, &mut effects),
            Input::Resized(size) => self.size = size,
            Input::InSight(in_sight) => self.in_sight = in_sight,
            Input::Tick => {
                if self.is_live() && self.failed.is_some_and(|at| self.now.0 - at.0 >= READ_AGAIN_MS) {
                    self.read_again(&mut effects);
                }
            }
            Input::Client(event) => self.event(event, &mut effects),
            Input::Settled { key, id, outcome } => self.settled(&key, id, outcome),
            Input::Blocked { generation, listed } if generation == self.generation => self.blocked.listed(listed),
            Input::List { generation, rows, as_of, whole } if generation == self.generation => {
                self.rows(rows, as_of, whole);
            }
            Input::ListFailed { generation, why } if generation == self.generation => {
                self.list = Reading::Failed(why);
                self.failed = Some(self.now);
            }
            Input::NoRow { generation, id, is_none } if generation == self.generation => self.no_row(id, is_none),
            Input::Page { generation, key, before, page } if generation == self.generation => {
                self.page(&key, before, page);
            }
            Input::Found { question, users } => {
                if self.finder.as_mut().is_some_and(|finder| finder.found(question, users)) {
                    self.talk();
                }
            }
            // Of before a reset.
            Input::Blocked { .. }
            | Input::List { .. }
            | Input::ListFailed { .. }
            | Input::NoRow { .. }
            | Input::Page { .. } => {}
        }
        if self.quitting && self.unsent() == 0 {
            self.stay();
        }
        // Who has scrolled up goes on seeing the same, whatever is added below.
        if let (Some(newest), Some(below)) = (anchor, below)
            && self.scroll > 0
        {
            self.scroll = (self.scroll + self.rows_after(newest)).saturating_sub(below);
        }
        self.read_what_is_wanted(&mut effects);
        self.mark_what_is_seen(&mut effects);
        self.watch(&mut effects);
        effects
    }

    pub fn open_conversation(&self) -> Option<&Conversation> {
        self.conversations.get(self.open.as_ref()?)
    }

    /// The conversations with the newest activity first.
    pub fn conversations(&self) -> Vec<&Conversation> {
        let listed = |conversation: &&Conversation| {
            let open = self.open.as_ref() == Some(&conversation.key);
            conversation.id.is_some() || !conversation.pending.is_empty() || open
        };
        let mut conversations: Vec<_> = self.conversations.values().filter(listed).collect();
        conversations
            .sort_by(|one, other| other.last_activity.cmp(&one.last_activity).then_with(|| one.key.cmp(&other.key)));
        conversations
    }

    /// What is known of someone's presence, which is nothing without a connection.
    pub fn presence(&self, user: &Handle) -> Option<&Presence> {
        self.presence.get(user).filter(|_| self.is_live())
    }

    /// Whether what somebody says in a conversation is folded: they are blocked, and others take part (CMD7).
    pub fn folds(&self, conversation: &Conversation, sender: &Handle) -> bool {
        let among_others = matches!(conversation.key, Key::Room(_)) || conversation.others.len() > 1;
        among_others && self.blocked.has(sender)
    }

    pub fn is_live(&self) -> bool {
        matches!(self.link, Link::Live { .. })
    }

    pub fn drafts(&self, key: &Key) -> bool {
        self.open.as_ref() != Some(key) && self.drafts.contains_key(key)
    }

    /// Messages that wait to be sent.
    pub fn unsent(&self) -> usize {
        let pending = self.conversations.values().flat_map(|conversation| &conversation.pending);
        pending.filter(|pending| pending.failed.is_none()).count()
    }

    pub fn panes(&self) -> panes::Panes {
        let area = Rect::from(((0, 0).into(), self.size));
        panes::Panes::of(area, self.focus, self.composer.rows(panes::composer_width(area, self.focus)))
    }

    fn conversation(&mut self, key: &Key) -> &mut Conversation {
        let me = &self.me;
        self.conversations.entry(key.clone()).or_insert_with(|| Conversation::new(key.clone(), me))
    }

    pub(super) fn known(&mut self, id: ConversationId) -> Option<&mut Conversation> {
        self.conversations.get_mut(&self.key_of(id)?)
    }

    fn key_of(&self, id: ConversationId) -> Option<Key> {
        if id.is_room() { Some(Key::Room(id)) } else { self.ids.get(&id).cloned() }
    }

    // What the server says.

    fn event(&mut self, event: Event, effects: &mut Vec<Effect>) {
        match event {
            Event::State(link) => self.link(link, effects),
            Event::Reset { .. } => self.reset(effects),
            Event::Message(message) => self.message(message, effects),
            Event::Edited(Edited { conversation, .. })
            | Event::Deleted(Deleted { conversation, .. })
            | Event::Reaction(Reaction { conversation, .. })
            | Event::Pin(Pinned { conversation, .. })
            | Event::Marker(Marker { conversation, .. }) => {
                if let Some(conversation) = self.known(conversation) {
                    conversation.event(&event);
                }
            }
            Event::Delivered(delivered) => {
                if let Some(conversation) = self.known(delivered.conversation) {
                    conversation.reached(&delivered.user, delivered.upto);
                }
            }
            Event::Typing(typing) => {
                let now = self.now;
                if typing.user != self.me
                    && let Some(conversation) = self.known(typing.conversation)
                {
                    conversation.types(&typing.user, now);
                }
            }
            Event::Presence(presence) => _ = self.presence.insert(presence.user.clone(), presence),
            Event::Block(block) => {
                let what = if block.blocked { "is blocked" } else { "is blocked no more" };
                self.notice = Some(format!("{} {what}", block.user));
                self.blocked.changed(&block);
            }
            Event::Settled { id, outcome } => {
                let of = |conversation: &&Conversation| conversation.pending.iter().any(|pending| pending.id == id);
                if let Some(key) = self.conversations.values().find(of).map(|found| found.key.clone()) {
                    self.settled(&key, id, outcome.map_err(|error| error.to_string()));
                }
            }
            Event::Member(member) => self.member(&member, effects),
            Event::Room(room) => self.room(&room, effects),
            Event::Profile(_) | Event::Preferences(_) => {}
            Event::CaughtUp { .. } | Event::Heartbeat { .. } => {}
        }
    }

    fn link(&mut self, link: Link, effects: &mut Vec<Effect>) {
        let was_live = self.is_live();
        self.link = link;
        self.link_since = self.now;
        if self.is_live() {
            self.read_again(effects);
        } else if was_live {
            self.presence.clear();
        }
    }

    /// Asks once more for what could not be read.
    fn read_again(&mut self, effects: &mut Vec<Effect>) {
        self.failed = None;
        if matches!(self.list, Reading::Failed(_)) {
            self.list = Reading::Now;
            effects.push(Effect::ReadList { generation: self.generation });
        }
        for conversation in self.conversations.values_mut() {
            if matches!(conversation.reading, Reading::Failed(_)) {
                conversation.reading = Reading::Not;
            }
        }
    }

    fn reset(&mut self, effects: &mut Vec<Effect>) {
        self.generation += 1;
        self.ids.clear();
        self.left.clear();
        self.blocked.reset();
        let kept = self.open.clone();
        self.conversations.retain(|key, held| kept.as_ref() == Some(key) || !held.pending.is_empty());
        for conversation in self.conversations.values_mut() {
            conversation.reset(&self.me);
            // The list may not reach down to it, or this user may have left it meanwhile.
            if let Key::Room(id) = conversation.key {
                effects.push(Effect::ReadRow { generation: self.generation, id, at_least: None });
            }
        }
        self.scroll = 0;
        self.list = Reading::Now;
        effects.push(Effect::ReadList { generation: self.generation });
    }

    fn message(&mut self, message: Message, effects: &mut Vec<Effect>) {
        let named = message.participants.as_deref().map(|some| Key::direct(some, &self.me));
        let Some(key) = named.or_else(|| self.key_of(message.conversation)) else {
            effects.push(Effect::ReadRow { generation: self.generation, id: message.conversation, at_least: None });
            return;
        };
        self.ids.insert(message.conversation, key.clone());
        // What the room is called is asked for once; what is said in it meanwhile is kept.
        if matches!(key, Key::Room(_)) && !self.conversation(&key).is_named() {
            self.conversation(&key).asked = true;
            self.ask_for_room(message.conversation, message.position, effects);
        }
        let conversation = self.conversation(&key);
        conversation.id = Some(message.conversation);
        conversation.event(&Event::Message(message));
        if self.open.as_ref() != Some(&key) && self.conversation(&key).lines.len() > MAX_BESIDE {
            let me = self.me.clone();
            self.conversation(&key).trim(&me);
        }
        self.selected.get_or_insert(key);
    }

    fn rows(&mut self, rows: Vec<ConversationItem>, as_of: u64, whole: bool) {
        for row in rows {
            if self.left.get(&row.conversation).is_some_and(|left| as_of < *left) {
                continue;
            }
            let key = match row.kind {
                ConversationKind::Direct => Key::direct(&row.participants, &self.me),
                ConversationKind::Room => Key::Room(row.conversation),
            };
            self.ids.insert(row.conversation, key.clone());
            let me = self.me.clone();
            // A line that is too old for what has happened since comes with its page.
            let _: Result<(), StalePage> = self.conversation(&key).row(row, as_of, &me);
        }
        if whole {
            self.list = Reading::Done;
        }
        if self.selected.is_none() {
            self.selected = self.conversations().first().map(|first| first.key.clone());
        }
    }

    fn no_row(&mut self, id: ConversationId, is_none: bool) {
        match self.known(id) {
            _ if is_none && id.is_room() => self.leave(id, 0, None),
            // It is asked for again when something more is said.
            Some(conversation) => conversation.asked = false,
            None => {}
        }
    }

    fn page(&mut self, key: &Key, before: Option<u64>, page: Result<Lines, String>) {
        let Some(conversation) = self.conversations.get_mut(key) else { return };
        conversation.reading = match page {
            Ok(Lines { items, as_of, more }) => {
                // It joins what is held only where it was asked for: after a trim it would leave a hole.
                if before.is_none() || before == conversation.first() {
                    if let Some(item) = items.first() {
                        conversation.id = Some(item.conversation);
                        self.ids.insert(item.conversation, key.clone());
                    }
                    match conversation.page(items, as_of) {
                        Ok(()) => {
                            conversation.more = more;
                            Reading::Done
                        }
                        Err(StalePage) => Reading::Not,
                    }
                } else {
                    Reading::Done
                }
            }
            Err(why) => {
                self.failed = Some(self.now);
                Reading::Failed(why)
            }
        };
    }

    fn settled(&mut self, key: &Key, id: ClientId, outcome: Result<Sent, String>) {
        let Some(conversation) = self.conversations.get_mut(key) else { return };
        let Some(index) = conversation.pending.iter().position(|pending| pending.id == id) else { return };
        match outcome {
            Ok(sent) => {
                let Pending { text, at, .. } = conversation.pending.remove(index);
                let sent = Sent { at: sent.at.or(Some(at)), ..sent };
                conversation.sent(&self.me, text, &sent);
                if let Some(named) = sent.conversation {
                    conversation.id = Some(named);
                    self.ids.insert(named, key.clone());
                }
            }
            Err(why) => conversation.pending[index].failed = Some(why),
        }
    }

    // What follows from what is on the screen.

    fn rows_after(&self, seq: u64) -> usize {
        let width = self.panes().lines.width;
        self.open_conversation().map_or(0, |conversation| rows::after(self, conversation, width, seq))
    }

    /// Keeps the view within what there is, and asks for older lines a screen ahead of need.
    fn read_what_is_wanted(&mut self, effects: &mut Vec<Effect>) {
        let Some(open) = self.open.clone() else { return };
        let lines = self.panes().lines;
        let (width, height) = (lines.width, usize::from(lines.height));
        let Some(conversation) = self.conversations.get(&open) else { return };
        let laid_out = rows::newest(self, conversation, width, self.scroll + 2 * height);
        let (whole, count) = (laid_out.whole, laid_out.rows.len());
        if whole {
            self.scroll = self.scroll.min(count.saturating_sub(height));
        }
        let generation = self.generation;
        let known = !matches!(self.list, Reading::Not);
        let Some(conversation) = self.conversations.get_mut(&open) else { return };
        let before = conversation.first();
        if conversation.reading == Reading::Not && known {
            conversation.reading = Reading::Now;
            effects.push(Effect::ReadPage { generation, key: open, before: None });
        } else if whole && conversation.wants_older() && before.is_some() {
            conversation.reading = Reading::Now;
            effects.push(Effect::ReadPage { generation, key: open, before });
        }
    }

    /// What the user has before their eyes is read.
    fn mark_what_is_seen(&mut self, effects: &mut Vec<Effect>) {
        let shown = self.panes().conversation.is_some() && self.in_sight && self.finder.is_none();
        if !shown || self.scroll > 0 || !self.is_live() {
            return;
        }
        let me = self.me.clone();
        let Some(conversation) = self.open.as_ref().and_then(|open| self.conversations.get_mut(open)) else { return };
        let Some(id) = conversation.id else { return };
        // Before the page is there, nothing but the last line can be seen.
        if conversation.reading != Reading::Done {
            return;
        }
        if let Some(read) = conversation.newest_unread(&me) {
            conversation.moved(&me, read);
            effects.push(Effect::Mark { id, read });
        }
    }

    /// The people of the open conversation, then of the others by their activity.
    fn watch(&mut self, effects: &mut Vec<Effect>) {
        let mut wanted: Vec<Handle> = Vec::new();
        let open = self.open_conversation().into_iter();
        for conversation in open.chain(self.conversations()) {
            wanted.extend(conversation.others.iter().filter(|user| **user != self.me).cloned());
            if wanted.len() > 2 * MAX_WATCHED {
                break;
            }
        }
        let mut seen = std::collections::HashSet::new();
        wanted.retain(|user| seen.insert(user.clone()));
        wanted.truncate(MAX_WATCHED);
        wanted.sort();
        if wanted != self.watched {
            self.watched.clone_from(&wanted);
            effects.push(Effect::Watch(wanted));
        }
    }

    // What the user does; the keys are in `keys`.

    pub(super) fn show(&mut self, key: Key) {
        self.focus = Focus::Conversation;
        self.selected = Some(key.clone());
        if self.open.as_ref() == Some(&key) {
            return;
        }
        let me = self.me.clone();
        if let Some(left) = self.open.take() {
            self.conversation(&left).trim(&me);
            let draft = std::mem::take(&mut self.composer);
            if !draft.is_blank() {
                self.drafts.insert(left, draft);
            }
        }
        self.composer = self.drafts.remove(&key).unwrap_or_default();
        self.scroll = 0;
        let conversation = self.conversation(&key);
        conversation.new_after = (conversation.unread(&me) > 0).then(|| conversation.read_by(&me));
        self.open = Some(key);
    }

    pub(super) fn say(&mut self, moment: Moment, effects: &mut Vec<Effect>) {
        let Some(open) = self.open.clone() else { return };
        if self.composer.is_blank() {
            return;
        }
        if self.unsent() >= MAX_PENDING {
            self.notice = Some(format!("{MAX_PENDING} messages wait to be sent: no more fit"));
            return;
        }
        let text = self.composer.take();
        let conversation = self.conversation(&open);
        let pending = Pending { id: moment.id, text: text.clone(), at: moment.now, failed: None };
        conversation.pending.push(pending);
        conversation.last_activity = conversation.last_activity.max(moment.now);
        conversation.new_after = None;
        self.scroll = 0;
        self.typed = None;
        effects.push(Effect::Send { key: open, id: moment.id, text });
    }

    /// Takes the last message that was not sent back into the composer.
    pub(super) fn take_back(&mut self) -> bool {
        let Some(conversation) = self.open.as_ref().and_then(|open| self.conversations.get_mut(open)) else {
            return false;
        };
        let Some(index) = conversation.pending.iter().rposition(|pending| pending.failed.is_some()) else {
            return false;
        };
        let text = conversation.pending.remove(index).text;
        self.composer.put_before(&text);
        true
    }

    /// The user is writing.
    pub(super) fn typing(&mut self, effects: &mut Vec<Effect>) {
        let Some(conversation) = self.open_conversation() else { return };
        let (Some(id), key) = (conversation.id, conversation.key.clone()) else { return };
        let said = self.typed.as_ref();
        let due = said.is_none_or(|(to, at)| *to != key || self.now.0 - at.0 >= TYPING_EVERY_MS);
        if due && self.is_live() && !self.composer.is_blank() {
            self.typed = Some((key, self.now));
            effects.push(Effect::Typing(id));
        }
    }

    /// Quits; with messages that wait to be sent, only when asked for twice.
    pub(super) fn quit(&mut self, effects: &mut Vec<Effect>) {
        let unsent = self.unsent();
        if unsent == 0 || self.quitting || matches!(self.link, Link::Stopped(_)) {
            effects.push(Effect::Quit);
            return;
        }
        self.quitting = true;
        let what = if unsent == 1 { "1 message is".to_owned() } else { format!("{unsent} messages are") };
        self.notice = Some(format!("{what} not sent yet. Ctrl+C again quits without."));
    }

    pub(super) fn stay(&mut self) {
        self.quitting = false;
        self.notice = None;
    }
}

#[cfg(test)]
#[path = "state_tests.rs"]
pub(super) mod tests;
