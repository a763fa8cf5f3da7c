//! Finding people to talk to, by the beginning of their names.

use natter_client::{Handle, UserItem};

/// The most people of a direct conversation, this user among them.
const MAX_CHOSEN: usize = 31;
/// Longer than any handle.
const MAX_TYPED: usize = 32;

#[derive(Debug, Default)]
pub struct Finder {
    pub typed: String,
    pub chosen: Vec<Handle>,
    pub found: Vec<UserItem>,
    pub selected: usize,
    /// Nothing is known yet, or why nothing can be.
    pub waiting: bool,
    pub failed: Option<String>,
    question: u64,
    /// Decided before the answer came: the first one that it names is meant.
    hurried: bool,
}

impl Finder {
    /// Takes a character. Gives the question to ask.
    pub fn type_in(&mut self, c: char) -> Option<(u64, String)> {
        let c = c.to_ascii_lowercase();
        if (c == ' ' || c == ',') && !self.typed.is_empty() {
            if self.choose() {
                self.typed.clear();
            }
            return self.ask();
        }
        let belongs = c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '_' | '-');
        if !belongs || self.typed.len() >= MAX_TYPED {
            return None;
        }
        self.typed.push(c);
        self.ask()
    }

    /// Takes back a character, or the last of the chosen.
    pub fn back(&mut self) -> Option<(u64, String)> {
        if self.typed.pop().is_none() {
            self.chosen.pop();
        }
        self.ask()
    }

    pub fn up(&mut self) {
        self.selected = self.selected.saturating_sub(1);
    }

    pub fn down(&mut self) {
        self.selected = (self.selected + 1).min(self.found.len().saturating_sub(1));
    }

    /// Takes an answer. Gives whether that was all that a decision waited for.
    pub fn found(&mut self, question: u64, users: Result<Vec<UserItem>, String>) -> bool {
        if question != self.question {
            return false;
        }
        self.waiting = false;
        self.selected = 0;
        match users {
            Ok(found) => (self.found, self.failed) = (found, None),
            Err(why) => (self.found, self.failed) = (Vec::new(), Some(why)),
        }
        std::mem::take(&mut self.hurried)
    }

    /// Whom to talk to, when it is decided; what is still being asked is waited for.
    pub fn decide(mut self) -> Result<Vec<Handle>, Self> {
        self.hurried = self.waiting;
        if !self.typed.is_empty() && !self.choose() || self.chosen.is_empty() {
            return Err(self);
        }
        Ok(self.chosen)
    }

    /// The selected one, or what is typed as it is where nobody can be asked.
    fn choose(&mut self) -> bool {
        let typed = || self.typed.parse().ok().filter(|_| self.failed.is_some());
        let selected = self.found.get(self.selected).filter(|_| !self.waiting).map(|user| user.user.clone());
        let Some(user) = selected.or_else(typed).filter(|_| self.chosen.len() < MAX_CHOSEN) else { return false };
        if !self.chosen.contains(&user) {
            self.chosen.push(user);
        }
        true
    }

    fn ask(&mut self) -> Option<(u64, String)> {
        self.question += 1;
        self.hurried = false;
        self.failed = None;
        self.waiting = !self.typed.is_empty();
        if !self.waiting {
            self.found.clear();
            return None;
        }
        Some((self.question, self.typed.clone()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chat::tui::testing::{bob, handle};

    fn user(name: &str) -> UserItem {
        UserItem { user: handle(name), display_name: name.to_owned(), last_seen: None }
    }

    fn typed(text: &str) -> (Finder, u64) {
        let mut finder = Finder::default();
        let questions: Vec<_> = text.chars().filter_map(|c| finder.type_in(c)).collect();
        let question = questions.last().expect("asked").0;
        (finder, question)
    }

    #[test]
    fn the_selected_one_of_the_last_answer_is_meant() {
        let (mut finder, question) = typed("Bo");
        finder.found(question - 1, Ok(vec![user("bad")]));
        assert!(finder.found.is_empty() && finder.waiting, "that was the answer to an earlier question");
        finder.found(question, Ok(vec![user("bob"), user("bonnie")]));
        finder.down();
        finder.down();
        assert_eq!(finder.decide().expect("decided"), [handle("bonnie")]);
    }

    #[test]
    fn several_with_commas_or_spaces_are_one_conversation() {
        let (mut finder, question) = typed("bo");
        finder.found(question, Ok(vec![user("bob")]));
        assert_eq!(finder.type_in(','), None);
        let (question, prefix) = finder.type_in('c').expect("asks");
        assert_eq!(prefix, "c");
        finder.found(question, Ok(vec![user("carol")]));
        assert_eq!(finder.decide().expect("decided"), [bob(), handle("carol")]);
    }

    #[test]
    fn a_decision_that_is_faster_than_the_answer_waits_for_it() {
        let (finder, question) = typed("bob");
        let mut finder = finder.decide().expect_err("nothing is known yet");
        assert!(!finder.found(question - 1, Ok(vec![user("bad")])), "that was the answer to an earlier question");
        assert!(finder.found(question, Ok(vec![user("bob")])), "that is what was waited for");
        assert_eq!(finder.decide().expect("decided"), [bob()]);

        let (finder, _) = typed("bo");
        let mut finder = finder.decide().expect_err("nothing is known yet");
        let (question, _) = finder.type_in('n').expect("asks");
        assert!(!finder.found(question, Ok(vec![user("bonnie")])), "who types on has not decided");
    }

    #[test]
    fn nobody_is_not_somebody_unless_nobody_can_be_asked() {
        let (mut finder, question) = typed("bob");
        finder.found(question, Ok(Vec::new()));
        let mut finder = finder.decide().expect_err("nobody");
        finder.found(question, Err("away".into()));
        assert_eq!(finder.decide().expect("as typed"), [bob()]);
        assert!(Finder::default().decide().is_err());
    }
}
