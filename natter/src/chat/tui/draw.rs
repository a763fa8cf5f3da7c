//! The state as a picture.

use natter_client::{Handle, PresenceStatus, RoomItem, State as Link};
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::{Color, Modifier, Style};
use ratatui::text::{Line, Span, Text};
use ratatui::widgets::{Block, Clear, Paragraph};
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use super::conversation::{Conversation, Reading};
use super::finder::Finder;
use super::key::Key;
use super::rows::{self, dim};
use super::state::{Focus, State};
use crate::chat::room::words as room_words;
use crate::chat::{clean, names, time, words};

/// Rows of a conversation in the list.
const LIST_ROWS: usize = 2;
const FINDER_COLUMNS: u16 = 50;
const FINDER_ROWS: u16 = 14;

pub fn draw(frame: &mut Frame<'_>, state: &State) {
    let panes = state.panes();
    if let Some(area) = panes.list {
        list(frame, state, area);
    }
    if let Some(area) = panes.conversation {
        if panes.list.is_some() {
            let line = Rect { x: area.x - 1, width: 1, ..area };
            frame.render_widget(Text::styled("│\n".repeat(usize::from(line.height)), dim()), line);
        }
        match state.open_conversation() {
            Some(conversation) => {
                header(frame, state, conversation, panes.header);
                lines(frame, state, conversation, panes.lines);
                typing(frame, state, conversation, panes.typing);
                composer(frame, state, panes.composer);
            }
            None => frame.render_widget(Paragraph::new(welcome(state)).centered().style(dim()), middle(area, 3)),
        }
    }
    status(frame, state, panes.status);
    if let Some(finder) = &state.finder {
        find(frame, state, finder);
    }
}

fn welcome(state: &State) -> String {
    let first = format!("Hello, {}. This is {}.", state.me, clean::line(&state.server));
    match state.conversations().is_empty() {
        true => format!("{first}\n\nCtrl+N finds people to talk to."),
        false => format!("{first}\n\nEnter opens a conversation, Ctrl+N finds people to talk to."),
    }
}

// The list.

fn list(frame: &mut Frame<'_>, state: &State, area: Rect) {
    let conversations = state.conversations();
    if conversations.is_empty() {
        let text = match &state.list {
            Reading::Not | Reading::Now => "reading…".to_owned(),
            Reading::Failed(why) => format!("The conversations can't be had: {}", clean::line(why)),
            Reading::Done => "No conversations yet.\nCtrl+N finds people.".to_owned(),
        };
        let text = Paragraph::new(text).style(dim()).wrap(ratatui::widgets::Wrap { trim: true });
        return frame.render_widget(text, Rect { x: area.x + 1, width: area.width.saturating_sub(2), ..area });
    }
    let fit = (usize::from(area.height) / LIST_ROWS).max(1);
    let selected = state.selected.as_ref();
    let here = conversations.iter().position(|some| Some(&some.key) == selected).unwrap_or_default();
    let first = (here + 1).saturating_sub(fit);
    let shown = conversations.iter().skip(first).take(fit);
    let rows = shown.flat_map(|conversation| entry(state, conversation, area.width));
    frame.render_widget(Text::from_iter(rows), area);
}

fn entry(state: &State, conversation: &Conversation, width: u16) -> [Line<'static>; LIST_ROWS] {
    let selected = state.selected.as_ref() == Some(&conversation.key);
    let open = state.open.as_ref() == Some(&conversation.key);
    let background = match (selected && state.focus == Focus::List, open) {
        (true, _) => Style::new().add_modifier(Modifier::REVERSED),
        (false, true) => Style::new().add_modifier(Modifier::BOLD),
        (false, false) => Style::new(),
    };
    let unread = conversation.unread(&state.me);
    let mut name = Style::new();
    if unread > 0 {
        name = name.add_modifier(Modifier::BOLD);
    }
    let when = match conversation.last_activity.0 {
        0 => String::new(),
        _ => time::short(conversation.last_activity, state.now, &state.zone),
    };
    let top = spread(
        vec![dot(state, conversation), Span::styled(title(state, conversation), name)],
        Span::styled(when, dim()),
        width,
    );
    let marked = Style::new().fg(Color::Black).bg(Color::Yellow);
    let count = match (unread, conversation.mentions(&state.me)) {
        (0, 0) => Span::raw(""),
        (unread, 0) => Span::styled(format!(" {unread} "), marked),
        (unread, mentions) => Span::styled(format!(" @{mentions} {unread} "), marked),
    };
    let bar = if open { "▎ " } else { "  " };
    let bottom = spread(vec![Span::styled(bar, Style::new().fg(Color::Cyan)), last(state, conversation)], count, width);
    [top.style(background), bottom.style(background)]
}

/// Somebody there is online; or the sign of a room.
fn dot(state: &State, conversation: &Conversation) -> Span<'static> {
    if let Key::Room(_) = conversation.key {
        return Span::styled("# ", dim());
    }
    let status = |user: &Handle| state.presence(user).map(|presence| presence.status);
    let statuses: Vec<_> = conversation.others.iter().filter_map(status).collect();
    let has = |status| statuses.contains(&status);
    match () {
        () if has(PresenceStatus::Online) => Span::styled("● ", Style::new().fg(Color::Green)),
        () if has(PresenceStatus::Busy) => Span::styled("● ", Style::new().fg(Color::Red)),
        () if has(PresenceStatus::Away) => Span::styled("◌ ", Style::new().fg(Color::Yellow)),
        () => Span::raw("  "),
    }
}

fn title(state: &State, conversation: &Conversation) -> String {
    if let Key::Room(_) = conversation.key {
        return conversation
            .room
            .as_ref()
            .map_or_else(|| "a room".to_owned(), |room| clean::line(&room.name).into_owned());
    }
    match conversation.others.as_slice() {
        [only] if *only == state.me => "Notes to yourself".to_owned(),
        others => names(others),
    }
}

fn last(state: &State, conversation: &Conversation) -> Span<'static> {
    let typing = conversation.typing(state.now);
    if !typing.is_empty() {
        return Span::styled("writing…", Style::new().fg(Color::Cyan));
    }
    if state.drafts(&conversation.key) {
        return Span::styled("draft", Style::new().fg(Color::Yellow));
    }
    let pending = conversation.pending.last().map(|pending| (&state.me, pending.text.as_str()));
    let said = conversation.lines.messages().next_back().map(|message| match message.deleted {
        true => (&message.sender, words::DELETED),
        false => (&message.sender, message.text.as_str()),
    });
    let Some((sender, text)) = pending.or(said) else { return Span::raw("") };
    if state.folds(conversation, sender) {
        return Span::styled(words::folded(sender), dim());
    }
    let by = match sender {
        sender if *sender == state.me => "you: ".to_owned(),
        sender if conversation.others.len() != 1 => format!("{sender}: "),
        _ => String::new(),
    };
    // No more of it than could ever be shown.
    let text: String = text.chars().take(200).collect();
    Span::styled(format!("{by}{}", clean::line(&text)), dim())
}

// The conversation.

fn header(frame: &mut Frame<'_>, state: &State, conversation: &Conversation, area: Rect) {
    let name = Span::styled(format!(" {}", title(state, conversation)), Style::new().add_modifier(Modifier::BOLD));
    let (topic, right) = match &conversation.room {
        Some(room) => (topic(room), about(room)),
        None => (Span::raw(""), presence(state, conversation)),
    };
    let top = spread(vec![name, topic], Span::styled(format!("{right} "), dim()), area.width);
    let rule = Line::styled("─".repeat(usize::from(area.width)), dim());
    frame.render_widget(Text::from(vec![top, rule]), area);
}

fn topic(room: &RoomItem) -> Span<'static> {
    let topic = room.topic.as_deref().map(|topic| format!("  {}", clean::line(topic)));
    Span::styled(topic.unwrap_or_default(), dim())
}

/// How many are in a room, and what is the matter with it.
fn about(room: &RoomItem) -> String {
    let archived = if room.archived { "archived · " } else { "" };
    format!("{archived}{}", room_words::members(room.members))
}

/// In words.
fn presence(state: &State, conversation: &Conversation) -> String {
    let known = conversation.others.iter().filter(|user| **user != state.me);
    let known: Vec<_> = known.filter_map(|user| state.presence(user)).collect();
    match (known.as_slice(), conversation.others.len()) {
        ([], _) => String::new(),
        ([presence], 1) => {
            let status = match (presence.status, presence.last_seen) {
                (PresenceStatus::Online, _) => "online".to_owned(),
                (PresenceStatus::Away, _) => "away".to_owned(),
                (PresenceStatus::Busy, _) => "busy".to_owned(),
                (PresenceStatus::Offline, None) => "offline".to_owned(),
                (PresenceStatus::Offline, Some(at)) => {
                    format!("last seen {}", time::short(at, state.now, &state.zone))
                }
            };
            match &presence.text {
                Some(text) => format!("{status}: {}", clean::line(text)),
                None => status,
            }
        }
        (known, all) => {
            let online = known.iter().filter(|presence| presence.status != PresenceStatus::Offline).count();
            format!("{online} of {all} online")
        }
    }
}

fn lines(frame: &mut Frame<'_>, state: &State, conversation: &Conversation, area: Rect) {
    let height = usize::from(area.height);
    let laid_out = rows::newest(state, conversation, area.width, state.scroll + height);
    let mut rows = laid_out.rows;
    rows.truncate(rows.len().saturating_sub(state.scroll));
    let rows = rows.split_off(rows.len().saturating_sub(height));
    // What there is stands at the bottom.
    let missing = u16::try_from(height.saturating_sub(rows.len())).unwrap_or(0);
    let area = Rect { y: area.y + missing, height: area.height - missing, ..area };
    frame.render_widget(Text::from(rows), area);
}

fn typing(frame: &mut Frame<'_>, state: &State, conversation: &Conversation, area: Rect) {
    let who = conversation.typing(state.now);
    let text = match who.as_slice() {
        [] if state.scroll > 0 => {
            let unread = conversation.unread(&state.me);
            let new = if unread > 0 { format!("{unread} new below · ") } else { String::new() };
            format!(" ↓ {new}PgDn")
        }
        [] => String::new(),
        [one] => format!(" {one} is writing…"),
        several => format!(" {} are writing…", names(several)),
    };
    frame.render_widget(Line::styled(text, Style::new().fg(Color::Cyan)), area);
}

fn composer(frame: &mut Frame<'_>, state: &State, area: Rect) {
    let focused = state.focus == Focus::Conversation && state.finder.is_none();
    let rule = Rect { height: area.height.min(1), ..area };
    let style = if focused { Style::new().fg(Color::Cyan) } else { dim() };
    frame.render_widget(Line::styled("─".repeat(usize::from(area.width)), style), rule);
    let below = Rect { y: area.y + rule.height, height: area.height - rule.height, ..area };
    frame.render_widget(Span::styled("> ", style), below);
    let field = Rect { x: below.x + 2.min(below.width), width: below.width.saturating_sub(2), ..below };
    let mut area = state.composer.area().clone();
    area.set_placeholder_text("Write here: Enter sends, Alt+Enter begins a new line");
    let cursor = if focused { Style::new().add_modifier(Modifier::REVERSED) } else { Style::new() };
    area.set_cursor_style(cursor);
    frame.render_widget(&area, field);
}

// What is below and above everything.

fn status(frame: &mut Frame<'_>, state: &State, area: Rect) {
    let (sign, colour, text) = link(state);
    let bar = Style::new().add_modifier(Modifier::REVERSED);
    let left = vec![Span::styled(format!(" {sign} "), bar.fg(colour)), Span::styled(text, bar)];
    let free = usize::from(area.width).saturating_sub(left.iter().map(Span::width).sum());
    let right = match &state.notice {
        Some(notice) => format!("{notice} "),
        None => keys(state).iter().find(|keys| keys.width() < free).map_or_else(String::new, |keys| (*keys).to_owned()),
    };
    let bold = if state.notice.is_some() { bar.add_modifier(Modifier::BOLD) } else { bar };
    frame.render_widget(Block::new().style(bar), area);
    // The connection matters more than keys; a notice more than either.
    let line = match right.width() < free {
        true => spread(left, Span::styled(right, bold), area.width),
        false => Line::styled(format!(" {right}"), bold),
    };
    frame.render_widget(line.patch_style(bar), area);
}

/// What the keys do, in as many words as there is room for.
fn keys(state: &State) -> &'static [&'static str] {
    match (&state.finder, state.focus) {
        (Some(_), _) => &["Enter talk · , add another · Esc back ", "Enter talk · Esc back "],
        (None, Focus::List) => {
            &["↑↓ Enter open · ^N new · Tab · Esc quit ", "Enter open · ^N new · Esc quit ", "Esc quit "]
        }
        (None, Focus::Conversation) => &[
            "Enter send · Alt+Enter line · PgUp older · Tab list · ^N new · ^C quit ",
            "Enter send · PgUp older · Tab list · ^C quit ",
            "PgUp older · Tab list · ^C quit ",
            "Tab list · ^C quit ",
        ],
    }
}

/// The connection, in words.
fn link(state: &State) -> (&'static str, Color, String) {
    match &state.link {
        Link::Connecting { attempt: 0 } => ("○", Color::Yellow, "connecting…".to_owned()),
        Link::Connecting { .. } => ("○", Color::Yellow, "reconnecting…".to_owned()),
        Link::CatchingUp { .. } => ("○", Color::Yellow, "connected, catching up…".to_owned()),
        Link::Live { .. } => ("●", Color::Green, format!("live as {}", state.me)),
        Link::Waiting { retry_in, by_hand, .. } => {
            let since = u64::try_from(state.now.0 - state.link_since.0).unwrap_or_default();
            let left = retry_in.as_millis().saturating_sub(u128::from(since)).div_ceil(1_000);
            let what = if *by_hand { "offline, trying again" } else { "reconnecting" };
            let unsent = match state.unsent() {
                0 => String::new(),
                count => format!(" · {count} to send"),
            };
            ("○", Color::Red, format!("{what} in {left} s (^R now){unsent}"))
        }
        Link::Stopped(reason) => ("○", Color::Red, format!("offline: {}", clean::line(&reason.to_string()))),
    }
}

fn find(frame: &mut Frame<'_>, state: &State, finder: &Finder) {
    let screen = frame.area();
    let (width, height) = (FINDER_COLUMNS.min(screen.width), FINDER_ROWS.min(screen.height.saturating_sub(1)));
    let area = Rect {
        x: screen.x + (screen.width - width) / 2,
        y: screen.y + (screen.height.saturating_sub(1) - height) / 3,
        width,
        height,
    };
    frame.render_widget(Clear, area);
    let block = Block::bordered().title(" Talk to ").border_style(Style::new().fg(Color::Cyan));
    let inner = block.inner(area);
    frame.render_widget(block, area);
    let chosen: String = finder.chosen.iter().map(|user| format!("{user}, ")).collect();
    let cursor = Span::styled(" ", Style::new().add_modifier(Modifier::REVERSED));
    let mut rows = vec![Line::from(vec![Span::raw(format!("> {chosen}{}", finder.typed)), cursor]), Line::default()];
    let hint = match (&finder.failed, finder.typed.is_empty(), finder.found.is_empty()) {
        (Some(why), ..) => Some(format!("Nobody can be looked up: {}", clean::line(why))),
        (None, true, _) => Some("Type the beginning of a name.".to_owned()),
        (None, false, true) if finder.waiting => Some("looking…".to_owned()),
        (None, false, true) => Some("Nobody's name begins like that.".to_owned()),
        (None, false, false) => None,
    };
    rows.extend(hint.map(|hint| Line::styled(hint, dim())));
    let fit = usize::from(inner.height).saturating_sub(rows.len()).max(1);
    let first = (finder.selected + 1).saturating_sub(fit);
    for (index, user) in finder.found.iter().enumerate().skip(first).take(fit) {
        let note = match user.user == state.me {
            true => "notes to yourself".to_owned(),
            false if user.display_name == user.user.as_str() => String::new(),
            false => clean::line(&user.display_name).into_owned(),
        };
        let row =
            spread(vec![Span::raw(format!(" {}", user.user))], Span::styled(format!("{note} "), dim()), inner.width);
        let selected = Style::new().add_modifier(Modifier::REVERSED);
        rows.push(if index == finder.selected { row.style(selected) } else { row });
    }
    frame.render_widget(Text::from(rows), inner);
}

/// Something at the left, cut where it has to be, and something at the right.
fn spread(left: Vec<Span<'static>>, right: Span<'static>, width: u16) -> Line<'static> {
    let width = usize::from(width);
    let right_width = right.width();
    let mut free = width.saturating_sub(right_width + usize::from(right_width > 0));
    let mut line = Line::default();
    for span in left {
        let span = cut(span, free);
        free -= span.width();
        line.push_span(span);
    }
    let gap = width.saturating_sub(line.width() + right_width);
    line.push_span(Span::raw(" ".repeat(gap)));
    line.push_span(right);
    line
}

fn cut(span: Span<'static>, columns: usize) -> Span<'static> {
    if span.width() <= columns {
        return span;
    }
    let mut cut = String::new();
    let mut free = columns.saturating_sub(1);
    for c in span.content.chars() {
        let width = c.width().unwrap_or(0);
        if width > free {
            break;
        }
        free -= width;
        cut.push(c);
    }
    if columns > 0 {
        cut.push('…');
    }
    Span::styled(cut, span.style)
}

fn middle(area: Rect, rows: u16) -> Rect {
    let height = rows.min(area.height);
    Rect { y: area.y + (area.height - height) / 2, height, ..area }
}

#[cfg(test)]
#[path = "draw_tests.rs"]
mod tests;
