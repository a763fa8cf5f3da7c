//! What is read of rooms: the directory, who is in one, who is banned from it, what is pinned.

use std::pin::pin;

use futures::{Stream, TryStreamExt};
use jiff::tz::TimeZone;
use natter_client::{BanItem, ConversationId, History, HttpError, MemberItem, PinItem, RoomItem};
use serde::Serialize;

use super::{Room, find, words};
use crate::chat::blocked::Blocked;
use crate::chat::login::{LoginOptions, log_in};
use crate::chat::output::{Ended, Output, OutputOptions, end};
use crate::chat::{clean, failed, history};
use crate::exit::Failure;

/// The most that the server gives at once.
const PAGE_ITEMS: u32 = 200;
/// Columns of the names.
const NAME_WIDTH: usize = 20;

#[derive(Debug, clap::Args)]
pub struct Directory {
    /// Words that begin words of the room's name or topic.
    #[arg(value_name = "QUERY")]
    query: Option<String>,

    /// Those that are archived, instead of those that are not.
    #[arg(long, env = "NATTER_ARCHIVED")]
    archived: bool,

    #[command(flatten)]
    output: OutputOptions,
}

#[derive(Debug, clap::Args)]
pub struct Shown {
    #[command(flatten)]
    room: Room,

    #[command(flatten)]
    output: OutputOptions,
}

pub async fn directory(login: &LoginOptions, options: Directory) -> Result<(), Failure> {
    let mut output = Output::open(&options.output)?;
    let (session, _keeper) = log_in(login).await?;
    let history = History::of(&session).map_err(|error| failed(&login.url, &error))?;
    let rooms = history.rooms(options.query.as_deref().unwrap_or_default()).limit(PAGE_ITEMS);
    let rooms = if options.archived { rooms.archived() } else { rooms };
    end(print(login, &mut output, rooms.items(), line).await)
}

pub async fn members(login: &LoginOptions, options: Shown) -> Result<(), Failure> {
    let line =
        |item: &MemberItem| format!("{:NAME_WIDTH$}  {}", item.user, item.role.map(words::role).unwrap_or_default());
    of_room(login, options, |history, room| history.members(room).limit(PAGE_ITEMS).items(), line).await
}

pub async fn bans(login: &LoginOptions, options: Shown) -> Result<(), Failure> {
    let line = |item: &BanItem| item.user.to_string();
    of_room(login, options, |history, room| history.bans(room).limit(PAGE_ITEMS).items(), line).await
}

pub async fn pins(login: &LoginOptions, options: Shown) -> Result<(), Failure> {
    let mut output = Output::open(&options.output)?;
    let (session, _keeper) = log_in(login).await?;
    let history = History::of(&session).map_err(|error| failed(&login.url, &error))?;
    let room = find::room(&history, &login.url, &options.room.room).await?;
    let blocked = Blocked::shown(&history, &output).await.map_err(|error| failed(&login.url, &error))?;
    let (zone, me) = (TimeZone::system(), session.user());
    let line = |PinItem { message, by, .. }: &PinItem| {
        let said = history::line(message, me, &zone, blocked.has(&message.sender));
        format!("{said}  [pinned by {}]", words::who(by, me))
    };
    end(print(login, &mut output, history.pins(room).limit(PAGE_ITEMS).items(), line).await)
}

/// Prints what is read of one room.
async fn of_room<T: Serialize, S: Stream<Item = Result<T, HttpError>>>(
    login: &LoginOptions,
    options: Shown,
    read: impl FnOnce(&History, ConversationId) -> S,
    line: impl Fn(&T) -> String,
) -> Result<(), Failure> {
    let mut output = Output::open(&options.output)?;
    let (session, _keeper) = log_in(login).await?;
    let history = History::of(&session).map_err(|error| failed(&login.url, &error))?;
    let room = find::room(&history, &login.url, &options.room.room).await?;
    end(print(login, &mut output, read(&history, room), line).await)
}

async fn print<T: Serialize>(
    login: &LoginOptions,
    output: &mut Output,
    items: impl Stream<Item = Result<T, HttpError>>,
    line: impl Fn(&T) -> String,
) -> Result<(), Ended> {
    let mut items = pin!(items);
    while let Some(item) = items.try_next().await.map_err(|error| failed(&login.url, &error))? {
        output.write(&item, || Some(line(&item)))?;
    }
    Ok(())
}

/// A room of the directory.
fn line(room: &RoomItem) -> String {
    let mine = room.role.map(|role| format!("  [{}]", words::role(role))).unwrap_or_default();
    let topic = room.topic.as_deref().map(clean::line).unwrap_or_default();
    let (name, members) = (words::name(room), words::members(room.members));
    format!("{name:NAME_WIDTH$}  {members:>11}  {}  {topic}{mine}", room.conversation)
}
