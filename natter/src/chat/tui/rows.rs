//! A conversation as rows on the screen: lines grouped by sender and time, days, what is new, and how far one's own have
//! come. Laid out from the newest upwards, and no further than is looked at.

use natter_client::{Handle, MessageItem, Timestamp};
use ratatui::style::{Color, Modifier, Style};
use ratatui::text::{Line, Span};
use unicode_width::UnicodeWidthStr;

use super::conversation::{Conversation, Note, Pending, Progress, Reading};
use super::state::State;
use crate::chat::{clean, time, words};

const INDENT: u16 = 2;
/// For the ticks, right of one's own lines.
const TICK_COLUMNS: u16 = 3;
/// After so long, the sender's name and the time are said again.
const GROUP_MS: i64 = 10 * 60 * 1_000;
/// Who is who at a glance. None of them is the one of warnings, or unreadable on dark or light.
const COLOURS: [Color; 5] = [Color::Cyan, Color::Magenta, Color::Blue, Color::Green, Color::LightMagenta];

pub struct LaidOut {
    /// From the top down.
    pub rows: Vec<Line<'static>>,
    /// Nothing that is held is above them.
    pub whole: bool,
}

/// One thing that was said, or that happened in a room.
#[derive(Clone, Copy)]
struct Item<'a> {
    /// None while it is not in the log.
    seq: Option<u64>,
    /// Nobody, for what was not said.
    sender: Option<&'a Handle>,
    text: &'a str,
    /// What was done to it, once it is in the log.
    stored: Option<&'a MessageItem>,
    at: Timestamp,
    failed: Option<&'a str>,
}

/// The newest rows: at least so many, if there are.
pub fn newest(state: &State, conversation: &Conversation, width: u16, wanted: usize) -> LaidOut {
    let mut upwards: Vec<Vec<Line<'static>>> = Vec::new();
    let mut count = 0;
    let mut items = items(state, conversation).peekable();
    let mut is_newest_own = true;
    while let Some(item) = items.next() {
        let own = item.sender == Some(&state.me);
        let rows = rows_of(state, conversation, item, items.peek().copied(), width, own && is_newest_own);
        is_newest_own &= !own;
        count += rows.len();
        upwards.push(rows);
        if count >= wanted && items.peek().is_some() {
            return LaidOut { rows: upwards.into_iter().rev().flatten().collect(), whole: false };
        }
    }
    upwards.extend(beginning(conversation).map(|text| vec![centred(text, width, dim())]));
    LaidOut { rows: upwards.into_iter().rev().flatten().collect(), whole: true }
}

/// How many rows there are after the line of this seq.
pub fn after(state: &State, conversation: &Conversation, width: u16, seq: u64) -> usize {
    let mut items = items(state, conversation).peekable();
    let mut count = 0;
    while let Some(item) = items.next_if(|item| item.seq.is_none_or(|of| of > seq)) {
        count += rows_of(state, conversation, item, items.peek().copied(), width, false).len();
    }
    count
}

/// The newest first.
fn items<'a>(state: &'a State, conversation: &'a Conversation) -> impl Iterator<Item = Item<'a>> {
    let pending = conversation.pending.iter().rev().map(|Pending { text, at, failed, .. }| Item {
        seq: None,
        sender: Some(&state.me),
        text,
        stored: None,
        at: *at,
        failed: failed.as_deref(),
    });
    let said = conversation.lines.messages().rev().map(|message| Item {
        seq: Some(message.seq),
        sender: Some(&message.sender),
        text: &message.text,
        stored: Some(message),
        at: message.at,
        failed: None,
    });
    let notes = conversation.notes.iter().rev().map(|(seq, Note { text, at })| Item {
        seq: Some(*seq),
        sender: None,
        text,
        stored: None,
        at: *at,
        failed: None,
    });
    let (mut said, mut notes) = (said.peekable(), notes.peekable());
    pending.chain(std::iter::from_fn(move || match (said.peek(), notes.peek()) {
        (Some(message), Some(note)) if message.seq < note.seq => notes.next(),
        (None, _) => notes.next(),
        (Some(_), _) => said.next(),
    }))
}

/// What stands above the first line.
fn beginning(conversation: &Conversation) -> Option<String> {
    match &conversation.reading {
        Reading::Not | Reading::Now => Some("reading…".to_owned()),
        Reading::Failed(why) => Some(format!("older lines can't be had: {}", clean::line(why))),
        Reading::Done if conversation.more && !conversation.lines.is_empty() => {
            Some("older lines: natter chat history".to_owned())
        }
        Reading::Done if conversation.lines.is_empty() && conversation.pending.is_empty() => {
            Some("Nothing was said here yet.".to_owned())
        }
        Reading::Done => None,
    }
}

fn rows_of(
    state: &State,
    conversation: &Conversation,
    item: Item<'_>,
    before: Option<Item<'_>>,
    width: u16,
    newest_own: bool,
) -> Vec<Line<'static>> {
    let mut rows = Vec::new();
    let new_day = before.is_none_or(|before| time::date(before.at, &state.zone) != time::date(item.at, &state.zone));
    if new_day {
        rows.push(rule(&time::day(item.at, state.now, &state.zone), width, dim()));
    }
    let Some(sender) = item.sender else {
        rows.push(centred(item.text.to_owned(), width, dim()));
        return rows;
    };
    let is_new = |item: Item<'_>| conversation.new_after.is_some_and(|after| item.seq.is_some_and(|seq| seq > after));
    let new_from_here = is_new(item) && !before.is_some_and(is_new);
    if new_from_here {
        rows.push(rule("new", width, Style::new().fg(Color::Yellow)));
    }
    if state.folds(conversation, sender) {
        rows.extend(indented(&words::folded(sender), columns(width, false), dim()));
        return rows;
    }
    let same_group = before.is_some_and(|before| before.sender == item.sender && item.at.0 - before.at.0 < GROUP_MS);
    if !same_group || new_day || new_from_here {
        if !new_day && !new_from_here {
            rows.push(Line::default());
        }
        rows.push(head(state, sender, item.at));
    }
    rows.extend(text(state, conversation, item, width, newest_own));
    rows
}

fn head(state: &State, sender: &Handle, at: Timestamp) -> Line<'static> {
    let (name, style) = match sender {
        sender if *sender == state.me => ("you".to_owned(), Style::new()),
        sender => (sender.to_string(), Style::new().fg(colour(sender))),
    };
    let at = time::of_day(at, &state.zone);
    Line::from(vec![Span::styled(name, style.add_modifier(Modifier::BOLD)), Span::raw("  "), Span::styled(at, dim())])
}

fn text(
    state: &State,
    conversation: &Conversation,
    item: Item<'_>,
    width: u16,
    newest_own: bool,
) -> Vec<Line<'static>> {
    let own = item.sender == Some(&state.me);
    let columns = columns(width, own);
    let indent = " ".repeat(usize::from(INDENT));
    let deleted = item.stored.is_some_and(|message| message.deleted);
    let said = item.stored.map_or_else(|| clean::lines(item.text), words::said);
    let wrapped = said.split('\n').flat_map(|line| textwrap::wrap(line, columns));
    let style = if deleted { dim() } else { Style::new() };
    let mut rows: Vec<_> = wrapped.map(|row| Line::styled(format!("{indent}{row}"), style)).collect();
    if own {
        let progress = match (item.seq, item.failed) {
            (Some(seq), _) => conversation.progress(seq, &state.me),
            (None, None) => Progress::Sending,
            (None, Some(_)) => Progress::Failed,
        };
        if let Some(last) = rows.last_mut() {
            tick(last, progress, usize::from(width), newest_own);
        }
        if let Some(why) = item.failed {
            let why = format!("not sent: {} · Ctrl+R takes it back", clean::line(why));
            rows.extend(indented(&why, columns, Style::new().fg(Color::Red)));
        }
    }
    let below = |message| [words::reactions(message, &state.me), words::marks(message)].into_iter().flatten();
    for words in item.stored.into_iter().flat_map(below) {
        rows.extend(indented(&words, columns, dim()));
    }
    let folds = |user: &Handle| state.folds(conversation, user);
    if let Some(answered) = item.stored.and_then(|message| words::answered(message, folds)) {
        // One row of it is enough to know it by.
        let first = textwrap::wrap(&answered, columns).into_iter().next().unwrap_or_default();
        rows.insert(0, Line::styled(format!("{indent}{first}"), dim()));
    }
    rows
}

/// How much of a row what is said may take.
fn columns(width: u16, own: bool) -> usize {
    usize::from(width.saturating_sub(INDENT + if own { TICK_COLUMNS } else { 0 })).max(1)
}

fn indented(text: &str, columns: usize, style: Style) -> impl Iterator<Item = Line<'static>> {
    let indent = " ".repeat(usize::from(INDENT));
    textwrap::wrap(text, columns).into_iter().map(move |row| Line::styled(format!("{indent}{row}"), style))
}

/// How far it has come, at the right; below everything else also in a word, where there is room.
fn tick(row: &mut Line<'static>, progress: Progress, width: usize, in_words: bool) {
    let (sign, word, style) = match progress {
        Progress::Sending => ("…", "sending", dim()),
        Progress::Sent => ("✓", "sent", dim()),
        Progress::Delivered => ("✓✓", "delivered", dim()),
        Progress::Read => ("✓✓", "read", Style::new().fg(Color::Cyan)),
        Progress::Failed => ("✗", "failed", Style::new().fg(Color::Red)),
    };
    let full = format!("{word} {sign}");
    let free = width.saturating_sub(row.width());
    let shown = if in_words && full.width() + 1 < free { full } else { sign.to_owned() };
    let gap = free.saturating_sub(shown.width());
    row.push_span(Span::raw(" ".repeat(gap)));
    row.push_span(Span::styled(shown, style));
}

fn rule(text: &str, width: u16, style: Style) -> Line<'static> {
    let text = format!(" {text} ");
    let free = usize::from(width).saturating_sub(text.width());
    Line::styled(format!("{}{text}{}", "─".repeat(free / 2), "─".repeat(free - free / 2)), style)
}

fn centred(text: String, width: u16, style: Style) -> Line<'static> {
    let free = usize::from(width).saturating_sub(text.width());
    Line::styled(format!("{}{text}", " ".repeat(free / 2)), style)
}

pub fn colour(user: &Handle) -> Color {
    let sum = user.as_str().bytes().fold(0_usize, |sum, byte| sum.wrapping_mul(31).wrapping_add(usize::from(byte)));
    COLOURS[sum % COLOURS.len()]
}

pub fn dim() -> Style {
    Style::new().add_modifier(Modifier::DIM)
}
