//! `natter chat history`: what was said in one conversation.

use std::pin::pin;

use futures::{StreamExt, TryStreamExt};
use jiff::tz::TimeZone;
use natter_client::{Handle, History, MessageItem};

use super::login::{LoginOptions, log_in};
use super::output::{Ended, Output, OutputOptions, end};
use super::{clean, failed, time, words};
use crate::exit::Failure;

/// The most that the server gives at once.
const PAGE_ITEMS: u32 = 200;
/// They are held in memory, to be printed the other way round.
const MAX_LINES: i64 = 100_000;

#[derive(Debug, clap::Args)]
pub struct Options {
    /// With whom; several names with commas between them are one conversation.
    #[arg(long, env = "NATTER_WITH", value_name = "NAME", value_delimiter = ',', action = clap::ArgAction::Append, required = true)]
    with: Vec<Handle>,

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
    let mut people = options.with;
    people.push(session.user().clone());
    let pages = history.direct(&people).limit(options.limit.min(PAGE_ITEMS));
    let messages = pin!(pages.items()).take(options.limit as usize).try_collect::<Vec<_>>().await;
    let mut messages = messages.map_err(|error| failed(&login.url, &error))?;
    messages.sort_by_key(|message| message.seq);
    let zone = TimeZone::system();
    let print = |message: &MessageItem| output.write(message, || Some(line(message, session.user(), &zone)));
    let outcome: Result<(), Ended> = messages.iter().try_for_each(print);
    end(outcome)
}

fn line(message: &MessageItem, me: &Handle, zone: &TimeZone) -> String {
    let said = words::said(message);
    let reactions = words::reactions(message, me).map(|reactions| format!("  [{reactions}]")).unwrap_or_default();
    format!("{}  {}: {}{reactions}", time::full(message.at, zone), message.sender, clean::line(&said))
}
