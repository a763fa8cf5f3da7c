//! `natter chat list`: the conversations.

use std::pin::pin;

use futures::TryStreamExt;
use jiff::tz::TimeZone;
use natter_client::{ConversationItem, Handle, History, Timestamp};

use super::login::{LoginOptions, log_in};
use super::output::{Ended, Output, OutputOptions, end};
use super::{clean, failed, names, others, time, words};
use crate::exit::Failure;

/// Items that are asked for at once: the most that the server gives.
const PAGE_ITEMS: u32 = 200;
/// Columns of the names.
const NAME_WIDTH: usize = 20;

#[derive(Debug, clap::Args)]
pub struct Options {
    #[command(flatten)]
    output: OutputOptions,
}

pub async fn run(login: &LoginOptions, options: Options) -> Result<(), Failure> {
    let mut output = Output::open(&options.output)?;
    let (session, _keeper) = log_in(login).await?;
    let outcome = async {
        let history = History::of(&session).map_err(|error| failed(&login.url, &error))?;
        let mut items = pin!(history.conversations().limit(PAGE_ITEMS).items());
        let (zone, now) = (TimeZone::system(), now());
        while let Some(item) = items.try_next().await.map_err(|error| failed(&login.url, &error))? {
            output.write(&item, || Some(line(&item, session.user(), now, &zone)))?;
        }
        Ok::<_, Ended>(())
    };
    end(outcome.await)
}

fn now() -> Timestamp {
    Timestamp(jiff::Timestamp::now().as_millisecond())
}

fn line(item: &ConversationItem, me: &Handle, now: Timestamp, zone: &TimeZone) -> String {
    let name = names(&others(&item.participants, me));
    let unread = if item.unread > 0 { format!("{} new", item.unread) } else { String::new() };
    let when = time::short(item.last_activity, now, zone);
    let last = item.last_message.as_ref().map_or_else(String::new, |message| {
        let by = if message.sender == *me { "you: " } else { "" };
        format!("{by}{}", clean::line(&words::said(message)))
    });
    format!("{name:NAME_WIDTH$}  {unread:>8}  {when:>8}  {last}")
}
