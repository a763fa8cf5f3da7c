//! Where the user writes.

use crossterm::event::{KeyCode, KeyEvent};
use ratatui::style::{Modifier, Style};
use ratatui_textarea::{CursorMove, TextArea, WrapMode};

use super::clean_paste;

/// The most rows that are shown at once.
const MAX_ROWS: u16 = 6;
/// More than a message holds is not taken from a clipboard.
const MAX_PASTE_CHARS: usize = 10_000;

#[derive(Debug, Clone)]
pub struct Composer(TextArea<'static>);

impl Default for Composer {
    fn default() -> Self {
        Self::of(Vec::new())
    }
}

impl Composer {
    fn of(lines: Vec<String>) -> Self {
        let mut area = TextArea::new(lines);
        area.set_wrap_mode(WrapMode::WordOrGlyph);
        area.set_cursor_line_style(Style::new());
        area.set_placeholder_style(Style::new().add_modifier(Modifier::DIM));
        area.move_cursor(CursorMove::Bottom);
        area.move_cursor(CursorMove::End);
        Self(area)
    }

    pub fn area(&self) -> &TextArea<'static> {
        &self.0
    }

    /// A key that means nothing else. Says whether the text changed.
    pub fn key(&mut self, key: KeyEvent) -> bool {
        self.0.input(key)
    }

    pub fn newline(&mut self) {
        self.0.insert_newline();
    }

    pub fn paste(&mut self, text: &str) {
        self.0.insert_str(clean_paste(text).chars().take(MAX_PASTE_CHARS).collect::<String>());
    }

    pub fn text(&self) -> String {
        self.0.lines().join("\n")
    }

    pub fn is_blank(&self) -> bool {
        self.0.lines().iter().all(|line| line.chars().all(char::is_whitespace))
    }

    /// What is written, which is then gone from here.
    pub fn take(&mut self) -> String {
        let text = self.text();
        *self = Self::default();
        text.trim_end().to_owned()
    }

    pub fn put_before(&mut self, text: &str) {
        let written = if self.is_blank() { String::new() } else { format!("\n{}", self.text()) };
        *self = Self::of(format!("{text}{written}").split('\n').map(str::to_owned).collect());
    }

    /// Whether this key would leave the text upwards or downwards.
    pub fn leaves(&self, key: KeyCode) -> bool {
        let row = self.0.cursor().0;
        match key {
            KeyCode::Up => row == 0,
            KeyCode::Down => row + 1 >= self.0.lines().len(),
            _ => false,
        }
    }

    /// The rows that it wants on the screen.
    pub fn rows(&self, width: u16) -> u16 {
        // The cursor behind the last character needs a place, too.
        let width = usize::from(width.saturating_sub(1)).max(1);
        let lines = self.0.lines().iter().take(usize::from(MAX_ROWS));
        let rows: usize = lines.map(|line| textwrap::wrap(line, width).len().max(1)).sum();
        u16::try_from(rows).unwrap_or(MAX_ROWS).clamp(1, MAX_ROWS)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(text: &str) -> Composer {
        let mut composer = Composer::default();
        composer.paste(text);
        composer
    }

    #[test]
    fn it_grows_with_the_text_up_to_a_limit() {
        for (text, rows) in [("", 1), ("short", 1), ("one two three four", 2), ("a\nb\nc", 3), (&"x\n".repeat(50), 6)] {
            assert_eq!(written(text).rows(12), rows, "{text:?}");
        }
    }

    #[test]
    fn a_clipboard_brings_text_and_no_keys() {
        assert_eq!(written("a\r\nb\u{1b}[2J\tc\r").text(), "a\nb[2J\tc\n");
        assert_eq!(written(&"x".repeat(1_000_000)).text().len(), MAX_PASTE_CHARS);
    }

    #[test]
    fn what_is_taken_back_stands_before_what_was_written_since() {
        let mut composer = written("second ");
        composer.put_before("first");
        assert_eq!((composer.take().as_str(), composer.is_blank()), ("first\nsecond", true));
    }
}
