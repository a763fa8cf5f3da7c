//! `natter chat list`: the conversations.

use std::pin::pin;

use futures::TryStreamExt;
use jiff::tz::TimeZone;
use natter_client::{ConversationItem, Handle, History, Timestamp};

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
        format!("{by}{}", clean::line(&words::said(message)))
    });
    format!("{name:NAME_WIDTH$}  {unread:>10}  {when:>8}  {last}")
}
