//! What each key does.

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use natter_client::State as Link;

use super::finder::Finder;
use super::key::Key;
use super::state::{Effect, Focus, Moment, State};

impl State {
    pub(super) fn key(&mut self, key: KeyEvent, moment: Moment, effects: &mut Vec<Effect>) {
        let ctrl = key.modifiers.contains(KeyModifiers::CONTROL);
        if ctrl && key.code == KeyCode::Char('c') {
            return self.quit(effects);
        }
        self.stay();
        match key.code {
            KeyCode::Char('n') if ctrl => self.finder = Some(Finder::default()),
            KeyCode::Char('r') if ctrl => self.again(effects),
            _ if self.finder.is_some() => self.finder_key(key, effects),
            KeyCode::Tab | KeyCode::BackTab => self.other_side(),
            KeyCode::PageUp => self.scroll_by(self.page_rows(), true),
            KeyCode::PageDown => self.scroll_by(self.page_rows(), false),
            KeyCode::Up if key.modifiers.contains(KeyModifiers::ALT) => self.next_conversation(-1),
            KeyCode::Down if key.modifiers.contains(KeyModifiers::ALT) => self.next_conversation(1),
            _ if self.focus == Focus::List => self.list_key(key, effects),
            _ => self.composer_key(key, moment, effects),
        }
    }

    pub(super) fn paste(&mut self, text: &str, effects: &mut Vec<Effect>) {
        if self.finder.is_none() && self.focus == Focus::Conversation && self.open.is_some() {
            self.composer.paste(text);
            self.typing(effects);
        }
    }

    fn list_key(&mut self, key: KeyEvent, effects: &mut Vec<Effect>) {
        match key.code {
            KeyCode::Up | KeyCode::Char('k') => self.select(-1),
            KeyCode::Down | KeyCode::Char('j') => self.select(1),
            KeyCode::Home => self.select(isize::MIN),
            KeyCode::End => self.select(isize::MAX),
            KeyCode::Enter | KeyCode::Right => {
                if let Some(selected) = self.selected.clone() {
                    self.show(selected);
                }
            }
            KeyCode::Esc => self.quit(effects),
            _ => {}
        }
    }

    fn composer_key(&mut self, key: KeyEvent, moment: Moment, effects: &mut Vec<Effect>) {
        let with = |modifier| key.modifiers.contains(modifier);
        match key.code {
            KeyCode::Esc => self.focus = Focus::List,
            KeyCode::Enter if with(KeyModifiers::ALT) || with(KeyModifiers::SHIFT) => self.composer.newline(),
            KeyCode::Char('j') if with(KeyModifiers::CONTROL) => self.composer.newline(),
            KeyCode::Enter => self.say(moment, effects),
            KeyCode::Up if self.composer.leaves(key.code) => self.scroll_by(1, true),
            KeyCode::Down if self.composer.leaves(key.code) => self.scroll_by(1, false),
            _ => {
                if self.composer.key(key) {
                    self.typing(effects);
                }
            }
        }
    }

    fn finder_key(&mut self, key: KeyEvent, effects: &mut Vec<Effect>) {
        let Some(finder) = &mut self.finder else { return };
        let question = match key.code {
            KeyCode::Esc => {
                self.finder = None;
                return;
            }
            KeyCode::Enter => return self.talk(),
            KeyCode::Up => return finder.up(),
            KeyCode::Down => return finder.down(),
            KeyCode::Backspace => finder.back(),
            KeyCode::Tab => finder.type_in(','),
            KeyCode::Char(c) if !key.modifiers.intersects(KeyModifiers::CONTROL | KeyModifiers::ALT) => {
                finder.type_in(c)
            }
            _ => None,
        };
        effects.extend(question.map(|(question, prefix)| Effect::Find { question, prefix }));
    }

    pub(super) fn talk(&mut self) {
        match self.finder.take().map(Finder::decide) {
            Some(Ok(chosen)) => self.show(Key::direct(&chosen, &self.me)),
            Some(Err(undecided)) => self.finder = Some(undecided),
            None => {}
        }
    }

    /// Whatever can be tried again.
    fn again(&mut self, effects: &mut Vec<Effect>) {
        if matches!(self.link, Link::Waiting { .. }) {
            effects.push(Effect::Reconnect);
        } else if self.take_back() {
            self.focus = Focus::Conversation;
        }
    }

    fn other_side(&mut self) {
        self.focus = match self.focus {
            Focus::Conversation => Focus::List,
            Focus::List => {
                if let Some(key) = self.open.clone().or_else(|| self.selected.clone()) {
                    self.show(key);
                }
                return;
            }
        };
    }

    fn select(&mut self, by: isize) {
        let keys: Vec<_> = self.conversations().iter().map(|conversation| conversation.key.clone()).collect();
        let Some(last) = keys.len().checked_sub(1) else { return };
        let here = self.selected.as_ref().and_then(|selected| keys.iter().position(|some| some == selected));
        let there = here.map_or(0, |here| here.saturating_add_signed(by).min(last));
        self.selected = Some(keys[there].clone());
    }

    fn next_conversation(&mut self, by: isize) {
        self.selected = self.open.clone().or_else(|| self.selected.clone());
        self.select(by);
        if let Some(selected) = self.selected.clone() {
            self.show(selected);
        }
    }

    fn page_rows(&self) -> usize {
        usize::from(self.panes().lines.height.saturating_sub(2)).max(1)
    }

    /// How far up is possible is settled afterwards.
    fn scroll_by(&mut self, rows: usize, up: bool) {
        self.scroll = if up { self.scroll + rows } else { self.scroll.saturating_sub(rows) };
    }
}
