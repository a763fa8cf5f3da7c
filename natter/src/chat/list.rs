//! `natter chat list`: the conversations.

use std::pin::pin;

use futures::TryStreamExt;
use jiff::tz::TimeZone;
use natter_client::{ConversationItem, Handle, History, Timestamp};

use super::blocked::{Blocked, FOLDED};
use super::login::{LoginOptions, log_in};
use super::output::{Ended, Output, OutputOptions, end};
use super::{clean, failed, names, others, room, time, words};
use crate::exit::Failure;

/// Items that are asked for at once: the most that the server gives.
const PAGE_ITEMS: u32 = 200;
/// Columns of the names.
const NAME_WIDTH: usize = 20;

#[derive(Debug, clap::Args)]
pub struct Options {
    /// Also those that you have hidden and in which nothing is new. JSON always has them.
    #[arg(long, env = "NATTER_HIDDEN")]
    hidden: bool,

    #[command(flatten)]
    output: OutputOptions,
}

pub async fn run(login: &LoginOptions, options: Options) -> Result<(), Failure> {
    let mut output = Output::open(&options.output)?;
    let (session, _keeper) = log_in(login).await?;
    let outcome = async {
        let history = History::of(&session).map_err(|error| failed(&login.url, &error))?;
        let blocked = Blocked::shown(&history, &output).await.map_err(|error| failed(&login.url, &error))?;
        let mut items = pin!(history.conversations().limit(PAGE_ITEMS).items());
        let (zone, now) = (TimeZone::system(), now());
        while let Some(item) = items.try_next().await.map_err(|error| failed(&login.url, &error))? {
            let listed = options.hidden || is_listed(&item);
            output.write(&item, || listed.then(|| line(&item, session.user(), now, &zone, &blocked)))?;
        }
        Ok::<_, Ended>(())
    };
    end(outcome.await)
}

fn now() -> Timestamp {
    Timestamp(jiff::Timestamp::now().as_millisecond())
}

/// What is hidden comes back with something new.
fn is_listed(item: &ConversationItem) -> bool {
    item.unread > 0 || item.mentions > 0 || !item.preferences.unwrap_or_default().hidden
}

/// How the user wants it to be treated, where that is not as it is at first.
fn marks(item: &ConversationItem) -> String {
    let preferences = item.preferences.unwrap_or_default();
    let all = [(preferences.starred, "starred"), (preferences.muted, "muted"), (preferences.hidden, "hidden")];
    let marks: Vec<_> = all.into_iter().filter_map(|(is, mark)| is.then_some(mark)).collect();
    if marks.is_empty() { String::new() } else { format!("[{}] ", marks.join(", ")) }
}

fn line(item: &ConversationItem, me: &Handle, now: Timestamp, zone: &TimeZone, blocked: &Blocked) -> String {
    let name = item.room.as_ref().map_or_else(|| names(&others(&item.participants, me)), room::words::name);
    let unread = match (item.unread, item.mentions) {
        (0, 0) => String::new(),
        (unread, 0) => format!("{unread} new"),
        (unread, mentions) => format!("{unread} new @{mentions}"),
    };
    let when = time::short(item.last_activity, now, zone);
    let last = item.last_message.as_ref().map_or_else(String::new, |message| {
        let by = match &message.sender {
            sender if sender == me => "you: ".to_owned(),
            sender if item.room.is_some() => format!("{sender}: "),
            _ => String::new(),
        };
        let among_others = item.room.is_some() || item.participants.len() > 2;
        let said = if among_others && blocked.has(&message.sender) { FOLDED.into() } else { words::said(message) };
        format!("{by}{}", clean::line(&said))
    });
    format!("{name:NAME_WIDTH$}  {unread:>10}  {when:>8}  {}{last}", marks(item))
}

#[cfg(test)]
mod tests {
    use natter_client::Preferences;

    use super::*;
    use crate::chat::blocked::Listed;
    use crate::chat::tui::testing::{ada, bob, handle, room_row, row};

    fn shown(item: &ConversationItem, blocked: &Blocked) -> String {
        line(item, &ada(), Timestamp(0), &TimeZone::UTC, blocked)
    }

    #[test]
    fn cmd7_the_last_words_of_who_is_blocked_are_folded_but_between_two() {
        let mut blocked = Blocked::default();
        blocked.listed(Listed { users: vec![bob()], as_of: 5 });
        let among_three = row(&[ada(), bob(), handle("cy")], 9, 9, 0);
        assert!(shown(&among_three, &Blocked::default()).ends_with("text 9"));
        assert!(shown(&among_three, &blocked).ends_with("(blocked)"));
        assert!(shown(&room_row(9, 9, 0, 0), &blocked).ends_with("bob: (blocked)"));
        assert!(shown(&row(&[ada(), bob()], 9, 9, 0), &blocked).ends_with("text 9"));
    }

    #[test]
    fn what_is_starred_or_muted_is_marked_and_what_is_hidden_is_left_out_until_something_is_new() {
        let (read, new) = (row(&[ada(), bob()], 9, 9, 0), row(&[ada(), bob()], 9, 8, 1));
        let with =
            |item: &ConversationItem, preferences| ConversationItem { preferences: Some(preferences), ..item.clone() };
        let hidden = Preferences { hidden: true, ..Preferences::default() };
        assert!(is_listed(&read) && !is_listed(&with(&read, hidden)) && is_listed(&with(&new, hidden)));
        let both = Preferences { muted: true, starred: true, ..Preferences::default() };
        let line = shown(&with(&read, both), &Blocked::default());
        assert!(line.ends_with("  [starred, muted] text 9"), "{line}");
    }
}
