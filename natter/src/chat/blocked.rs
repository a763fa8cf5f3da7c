//! Whom the user has blocked: what they say among others is folded (CMD7).

use std::collections::HashMap;

use natter_client::{Blocked as Changed, Client, Handle, History, HttpError};

use super::output::Output;

/// What stands in a line for what somebody says whom the user has blocked.
pub const FOLDED: &str = "(blocked)";
/// The most that the server gives at once.
const PAGE_ITEMS: u32 = 200;
/// Whom more than so many changes name, only those are remembered who are blocked: the server bounds how many that are.
const MAX_KNOWN: usize = 2_000;

/// The same whether the list or an event comes first.
#[derive(Debug, Default)]
pub struct Blocked {
    /// What is known of each, and from which event on.
    known: HashMap<Handle, (u64, bool)>,
    /// Up to where the list was read.
    as_of: u64,
}

/// All of them as they stood at `as_of`.
#[derive(Debug)]
pub struct Listed {
    pub users: Vec<Handle>,
    pub as_of: u64,
}

impl Blocked {
    /// For what `output` writes: programs get everything as it is.
    pub async fn shown(history: &History, output: &Output) -> Result<Self, HttpError> {
        let mut blocked = Self::default();
        if !output.is_json() {
            blocked.listed(read(history).await?);
        }
        Ok(blocked)
    }

    pub fn has(&self, user: &Handle) -> bool {
        self.known.get(user).is_some_and(|(_, blocked)| *blocked)
    }

    pub fn listed(&mut self, Listed { users, as_of }: Listed) {
        if as_of < self.as_of {
            return;
        }
        self.as_of = as_of;
        self.known.retain(|_, (seq, _)| *seq > as_of);
        for user in users {
            self.known.entry(user).or_insert((as_of, true));
        }
    }

    pub fn changed(&mut self, change: &Changed) {
        if change.seq <= self.as_of || self.known.get(&change.user).is_some_and(|(seq, _)| *seq >= change.seq) {
            return;
        }
        self.known.insert(change.user.clone(), (change.seq, change.blocked));
        if self.known.len() > MAX_KNOWN {
            self.known.retain(|_, (_, blocked)| *blocked);
        }
    }

    /// The next list says all of it, maybe of another log. Until it is there, what was known holds.
    pub fn reset(&mut self) {
        self.as_of = 0;
        self.known.values_mut().for_each(|(seq, _)| *seq = 0);
    }
}

/// Reads the whole list. It is true at its first page: what changes after that comes as events, too.
pub async fn read(history: &History) -> Result<Listed, HttpError> {
    let mut pages = history.blocks().limit(PAGE_ITEMS);
    let mut listed = Listed { users: Vec::new(), as_of: 0 };
    let mut first = true;
    while let Some(page) = pages.next_page().await? {
        if std::mem::take(&mut first) {
            listed.as_of = page.position.seq;
        }
        listed.users.extend(page.items.into_iter().map(|item| item.user));
    }
    Ok(listed)
}

/// The next command reads it: so it has what was done. Only a convenience: what is done is done.
pub async fn wait_for_history(client: &Client) {
    let _ = client.history().blocks().limit(1).next_page().await;
}

#[cfg(test)]
mod tests {
    use natter_client::{Position, Timestamp};

    use super::*;
    use crate::chat::tui::testing::{bob, handle, id};

    fn change(seq: u64, user: &Handle, blocked: bool) -> Changed {
        let position = Position { seq, ..Position::start(1) };
        Changed { seq, position, user: user.clone(), blocked, id: id(seq), at: Timestamp(0) }
    }

    #[test]
    fn cmd7_who_is_blocked_is_the_same_whether_the_list_or_an_event_comes_first() {
        let list = || Listed { users: vec![bob(), handle("eve")], as_of: 5 };
        let changes = [change(4, &handle("cy"), true), change(6, &bob(), false), change(7, &handle("cy"), true)];
        let mut list_first = Blocked::default();
        list_first.listed(list());
        changes.iter().for_each(|change| list_first.changed(change));
        let mut list_last = Blocked::default();
        changes.iter().rev().for_each(|change| list_last.changed(change));
        list_last.listed(list());
        for blocked in [list_first, list_last] {
            assert_eq!(["bob", "cy", "eve"].map(|user| blocked.has(&handle(user))), [false, true, true]);
        }
    }

    #[test]
    fn cmd7_what_was_known_holds_until_the_list_of_another_log_is_there() {
        let mut blocked = Blocked::default();
        blocked.listed(Listed { users: vec![bob()], as_of: 50 });
        blocked.reset();
        assert!(blocked.has(&bob()));
        blocked.changed(&change(3, &handle("eve"), true));
        blocked.listed(Listed { users: Vec::new(), as_of: 2 });
        assert!(!blocked.has(&bob()) && blocked.has(&handle("eve")));
    }

    #[test]
    fn many_changes_do_not_fill_the_memory() {
        let mut blocked = Blocked::default();
        blocked.changed(&change(1, &bob(), true));
        for number in 0..2 * MAX_KNOWN as u64 {
            blocked.changed(&change(2 + number, &handle(&format!("user{number}")), false));
        }
        assert!(blocked.known.len() <= MAX_KNOWN + 1 && blocked.has(&bob()));
    }
}
