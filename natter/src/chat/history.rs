//! `natter chat history`: what was said in one conversation.

use std::pin::pin;

use futures::{StreamExt, TryStreamExt};
use jiff::tz::TimeZone;
use natter_client::{Handle, History, MessageItem, Pages};

use super::blocked::{Blocked, FOLDED};
use super::login::{LoginOptions, log_in};
use super::output::{Ended, Output, OutputOptions, end};
use super::which::{Which, together};
use super::{clean, failed, time, words};
use crate::exit::Failure;

/// The most that the server gives at once.
const PAGE_ITEMS: u32 = 200;
/// They are held in memory, to be printed the other way round.
const MAX_LINES: i64 = 100_000;

#[derive(Debug, clap::Args)]
pub struct Options {
    #[command(flatten)]
    which: Which,

    /// What was said in the thread of the message with this `seq`, rather than outside of threads.
    #[arg(long, env = "NATTER_THREAD", value_name = "SEQ")]
    thread: Option<u64>,

    /// How many messages, counted from the newest.
    #[arg(long, env = "NATTER_LIMIT", value_name = "N", default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=MAX_LINES))]
    limit: u32,

    #[command(flatten)]
    output: OutputOptions,
}

pub async fn run(login: &LoginOptions, options: Options) -> Result<(), Failure> {
    let mut output = Output::open(&options.output)?;
    let (session, _keeper) = log_in(login).await?;
    let history = History::of(&session).map_err(|error| failed(&login.url, &error))?;
    let Some(pages) = pages(login, &options, &history, session.user()).await? else { return Ok(()) };
    let pages = pages.limit(options.limit.min(PAGE_ITEMS));
    let messages = pin!(pages.items()).take(options.limit as usize).try_collect::<Vec<_>>().await;
    let mut messages = messages.map_err(|error| failed(&login.url, &error))?;
    messages.sort_by_key(|message| message.seq);
    let blocked = Blocked::shown(&history, &output).await.map_err(|error| failed(&login.url, &error))?;
    let (zone, among_others) = (TimeZone::system(), options.which.among_others(session.user()));
    let print = |message: &MessageItem| {
        let folded = among_others && blocked.has(&message.sender);
        output.write(message, || Some(line(message, session.user(), &zone, folded)))
    };
    let outcome: Result<(), Ended> = messages.iter().try_for_each(print);
    end(outcome)
}

/// What is asked for; nothing where nothing was said yet.
async fn pages(
    login: &LoginOptions,
    options: &Options,
    history: &History,
    me: &Handle,
) -> Result<Option<Pages<MessageItem>>, Failure> {
    let which = &options.which;
    let conversation = match options.thread {
        None if which.room.is_none() => return Ok(Some(history.direct(&together(&which.with, me)))),
        // A thread is asked for by its conversation's id.
        _ => which.find(history, &login.url, me).await?,
    };
    let Some(conversation) = conversation else { return Ok(None) };
    let pages = history.messages(conversation);
    Ok(Some(match options.thread {
        Some(root) => pages.in_thread(root),
        None => pages,
    }))
}

/// One message; `folded` if it is of somebody whom the user has blocked.
pub(super) fn line(message: &MessageItem, me: &Handle, zone: &TimeZone, folded: bool) -> String {
    let said = if folded { FOLDED.into() } else { words::said(message) };
    let reactions = words::reactions(message, me).map(|reactions| format!("  [{reactions}]")).unwrap_or_default();
    let replies = words::replies(message).map(|replies| format!("  [{replies}]")).unwrap_or_default();
    format!("{}  {}: {}{reactions}{replies}", time::full(message.at, zone), message.sender, clean::line(&said))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chat::tui::testing::{ada, bob, item};

    #[test]
    fn cmd7_what_is_folded_is_there_without_its_text() {
        let line = |folded| line(&item(9, &bob()), &ada(), &TimeZone::UTC, folded);
        assert!(line(false).ends_with("  bob: text 9"), "{}", line(false));
        assert!(line(true).ends_with("  bob: (blocked)"), "{}", line(true));
    }
}
