//! `natter chat search`: messages by their words, of all conversations or of one.

use std::pin::pin;

use futures::{StreamExt, TryStreamExt};
use jiff::tz::TimeZone;
use natter_client::{Handle, History, MessageItem};

use super::blocked::Blocked;
use super::failed;
use super::history::line;
use super::login::{LoginOptions, log_in};
use super::output::{Ended, Output, OutputOptions, end};
use super::which::Which;
use crate::exit::Failure;

/// The most that the server gives at once.
const PAGE_ITEMS: u32 = 200;
/// They are held in memory, to be printed the other way round.
const MAX_LINES: i64 = 100_000;

#[derive(Debug, clap::Args)]
#[command(group(clap::ArgGroup::new("conversation").args(["with", "room"])))]
pub struct Options {
    /// Words of the message, or their beginnings, in any order and any case.
    #[arg(required = true, value_name = "WORDS")]
    words: Vec<String>,

    /// Only in the conversation with these people; several names with commas between them are one conversation.
    #[arg(long, env = "NATTER_WITH", value_name = "NAME", value_delimiter = ',', action = clap::ArgAction::Append)]
    with: Vec<Handle>,

    /// Only in this room: its id, or its name if that is the name of one of yours only.
    #[arg(long, env = "NATTER_ROOM", value_name = "ROOM")]
    room: Option<String>,

    /// Only what this person said.
    #[arg(long, env = "NATTER_SENDER", value_name = "NAME")]
    sender: Option<Handle>,

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
    let mut search = history.search(&options.words.join(" "));
    // In a search of everything, whose words are folded are folded everywhere.
    let mut among_others = true;
    if options.room.is_some() || !options.with.is_empty() {
        let which = Which { with: options.with, room: options.room };
        among_others = which.among_others(session.user());
        let Some(conversation) = which.find(&history, &login.url, session.user()).await? else { return Ok(()) };
        search = search.conversation(conversation);
    }
    if let Some(sender) = &options.sender {
        search = search.from(sender);
    }
    let found = search.pages().limit(options.limit.min(PAGE_ITEMS)).items();
    let found = pin!(found).take(options.limit as usize).try_collect::<Vec<_>>().await;
    let mut found = found.map_err(|error| failed(&login.url, &error))?;
    // As in history, the newest comes last.
    found.reverse();
    let blocked = Blocked::shown(&history, &output).await.map_err(|error| failed(&login.url, &error))?;
    let zone = TimeZone::system();
    let print = |message: &MessageItem| {
        let folded = among_others && blocked.has(&message.sender);
        output.write(message, || Some(line(message, session.user(), &zone, folded)))
    };
    let outcome: Result<(), Ended> = found.iter().try_for_each(print);
    end(outcome)
}
