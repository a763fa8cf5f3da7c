//! Where on the screen everything is.

use ratatui::layout::Rect;

use super::state::Focus;

/// Narrower terminals show the list or the conversation, not both.
const BOTH_FROM_COLUMNS: u16 = 60;
const LIST_COLUMNS: std::ops::RangeInclusive<u16> = 24..=36;

#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Panes {
    pub list: Option<Rect>,
    /// All of the open conversation's: header, lines, who is writing, composer.
    pub conversation: Option<Rect>,
    pub header: Rect,
    pub lines: Rect,
    pub typing: Rect,
    pub composer: Rect,
    pub status: Rect,
}

impl Panes {
    pub fn of(area: Rect, focus: Focus, composer_rows: u16) -> Self {
        let status_rows = area.height.min(1);
        let body = Rect { height: area.height - status_rows, ..area };
        let status = Rect { y: body.bottom(), height: status_rows, ..area };
        let (list, conversation) = sides(body, focus);
        let inner = conversation.unwrap_or(Rect { width: 0, height: 0, ..body });
        let row = |y: u16, height: u16| {
            let y = y.min(inner.bottom());
            Rect { y, height: height.min(inner.bottom() - y), ..inner }
        };
        // Composer and header come first; the lines have what is left.
        let composer_rows = (composer_rows + 1).min(inner.height);
        let header_rows = 2.min(inner.height - composer_rows);
        let typing_rows = 1.min(inner.height - composer_rows - header_rows);
        let lines_rows = inner.height - composer_rows - header_rows - typing_rows;
        let (lines_y, typing_y) = (inner.y + header_rows, inner.y + header_rows + lines_rows);
        Self {
            list,
            conversation,
            header: row(inner.y, header_rows),
            lines: inset(row(lines_y, lines_rows)),
            typing: row(typing_y, typing_rows),
            composer: row(typing_y + typing_rows, composer_rows),
            status,
        }
    }
}

/// With a column free at both sides.
fn inset(area: Rect) -> Rect {
    let margin = 1.min(area.width / 2);
    Rect { x: area.x + margin, width: area.width - 2 * margin, ..area }
}

/// The columns that the composer will have.
pub fn composer_width(area: Rect, focus: Focus) -> u16 {
    // Its sign and a space.
    sides(area, focus).1.map_or(0, |conversation| conversation.width).saturating_sub(2)
}

fn sides(body: Rect, focus: Focus) -> (Option<Rect>, Option<Rect>) {
    if body.width < BOTH_FROM_COLUMNS {
        return match focus {
            Focus::List => (Some(body), None),
            Focus::Conversation => (None, Some(body)),
        };
    }
    let width = (body.width / 3).clamp(*LIST_COLUMNS.start(), *LIST_COLUMNS.end());
    let list = Rect { width, ..body };
    // A column between them for the line.
    let conversation = Rect { x: body.x + width + 1, width: body.width - width - 1, ..body };
    (Some(list), Some(conversation))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wide_terminal_shows_both_and_a_narrow_one_what_is_used() {
        let wide = Panes::of(Rect::new(0, 0, 60, 20), Focus::List, 1);
        assert!(wide.list.is_some() && wide.conversation.is_some());
        let narrow = |focus| Panes::of(Rect::new(0, 0, 59, 20), focus, 1);
        assert!(narrow(Focus::List).list.is_some() && narrow(Focus::List).conversation.is_none());
        assert!(narrow(Focus::Conversation).list.is_none() && narrow(Focus::Conversation).conversation.is_some());
    }

    #[test]
    fn everything_is_within_the_screen_however_small_it_is() {
        for (width, height, rows) in (0..80).flat_map(|width| (0..12).map(move |height| (width, height, width % 7))) {
            let area = Rect::new(0, 0, width, height);
            for focus in [Focus::List, Focus::Conversation] {
                let panes = Panes::of(area, focus, rows);
                let all = [panes.header, panes.lines, panes.typing, panes.composer, panes.status];
                for pane in all.into_iter().chain(panes.list).chain(panes.conversation) {
                    assert!(area.union(pane) == area, "{pane:?} of {area:?}");
                }
            }
        }
    }
}
