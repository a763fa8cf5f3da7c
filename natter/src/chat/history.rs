//! `natter chat history`: what was said in one conversation.

use std::pin::pin;

use futures::{StreamExt, TryStreamExt};
use jiff::tz::TimeZone;
use natter_client::{Handle, History, MessageItem, Pages};

use super::login::{LoginOptions, log_in};
use super::output::{Ended, Output, OutputOptions, end};
use super::room::find;
use super::{clean, failed, time, words};
use crate::exit::Failure;

/// The most that the server gives at once.
const PAGE_ITEMS: u32 = 200;
/// They are held in memory, to be printed the other way round.
const MAX_LINES: i64 = 100_000;

#[derive(Debug, clap::Args)]
#[command(group(clap::ArgGroup::new("conversation").required(true).args(["with", "room"])))]
pub struct Options {
    /// With whom; several names with commas between them are one conversation.
    #[arg(long, env = "NATTER_WITH", value_name = "NAME", value_delimiter = ',', action = clap::ArgAction::Append)]
    with: Vec<Handle>,

    /// In which room instead: its id, or its name if that is the name of one of yours only.
    #[arg(long, env = "NATTER_ROOM", value_name = "ROOM")]
    room: Option<String>,

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
    let zone = TimeZone::system();
    let print = |message: &MessageItem| output.write(message, || Some(line(message, session.user(), &zone)));
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
    let people: Vec<_> = options.with.iter().chain([me]).cloned().collect();
    let conversation = match (&options.room, options.thread) {
        (Some(room), _) => find::room(history, &login.url, room).await?,
        (None, None) => return Ok(Some(history.direct(&people))),
        // A thread is asked for by its conversation's id.
        (None, Some(_)) => {
            let first =
                history.direct(&people).limit(1).next_page().await.map_err(|error| failed(&login.url, &error))?;
            let Some(item) = first.and_then(|page| page.items.into_iter().next()) else { return Ok(None) };
            item.conversation
        }
    };
    let pages = history.messages(conversation);
    Ok(Some(match options.thread {
        Some(root) => pages.in_thread(root),
        None => pages,
    }))
}

pub(super) fn line(message: &MessageItem, me: &Handle, zone: &TimeZone) -> String {
    let said = words::said(message);
    let reactions = words::reactions(message, me).map(|reactions| format!("  [{reactions}]")).unwrap_or_default();
    let replies = words::replies(message).map(|replies| format!("  [{replies}]")).unwrap_or_default();
    format!("{}  {}: {}{reactions}{replies}", time::full(message.at, zone), message.sender, clean::line(&said))
}
