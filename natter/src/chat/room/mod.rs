//! `natter chat room`: making rooms, coming and going, and who may do what in them. Each command ends well only when the
//! server has it; a moment later all others have it too.
//!
//! - `find`: which room is meant
//! - `show`: what is read of rooms
//! - `words`: what happens in a room, in words

pub mod find;
mod show;
pub mod words;

use clap::builder::{PossibleValuesParser, TypedValueParser};
use natter_client::{Client, ConversationId, Handle, History, Role, SendError, Sent, Toggle, Visibility};
use serde::Serialize;

use super::login::{LoginOptions, log_in};
use super::output::{Output, OutputOptions, end};
use super::send::stored;
use super::{connect, failed, names};
use crate::exit::{Exit, Failure};

#[derive(Debug, clap::Subcommand)]
pub enum Command {
    /// Make a room, and print its id.
    Create(Create),

    /// Print the public rooms, by name.
    List(show::Directory),

    /// Come into a public room.
    Join(Room),

    /// Leave a room. Its last owner gives the role to somebody else first.
    Leave(Room),

    /// Archive a room: what was said stays, and nothing more is.
    Archive(Room),

    /// Change what a room is called, what it is about, who finds it; or take it back from the archive.
    Update(Update),

    /// Bring somebody into a room.
    Add(Member),

    /// Remove somebody from a room: nothing more of it reaches them.
    Remove(Member),

    /// Remove somebody from a room and keep them out.
    Ban(Member),

    /// Let somebody come back who was banned.
    Unban(Member),

    /// Give a member another role.
    Role(SetRole),

    /// Print who is in a room, and as what.
    Members(show::Shown),

    /// Print who is banned from a room.
    Bans(show::Shown),

    /// Pin a message.
    Pin(Message),

    /// Take a message from the pinned ones.
    Unpin(Message),

    /// Print the pinned messages of a room, the last one pinned first.
    Pins(show::Shown),
}

#[derive(Debug, clap::Args)]
pub struct Create {
    /// What it is called: at most 80 characters.
    #[arg(value_name = "NAME")]
    name: String,

    /// Nobody finds it, and only who is added is in it.
    #[arg(long, env = "NATTER_PRIVATE")]
    private: bool,

    /// What it is about: at most 500 characters.
    #[arg(long, env = "NATTER_TOPIC", value_name = "TEXT")]
    topic: Option<String>,

    /// Who is in it from the beginning, beside you; several names with commas between them, or the option several times.
    #[arg(long = "member", env = "NATTER_MEMBER", value_name = "NAME", value_delimiter = ',', action = clap::ArgAction::Append)]
    members: Vec<Handle>,

    #[command(flatten)]
    output: OutputOptions,
}

#[derive(Debug, clap::Args)]
pub struct Room {
    /// Which room: its id, or its name if that is the name of one of yours only, or of one public room only.
    #[arg(value_name = "ROOM")]
    room: String,
}

#[derive(Debug, clap::Args)]
pub struct Member {
    #[command(flatten)]
    room: Room,

    /// Whom.
    #[arg(value_name = "NAME")]
    whom: Handle,
}

#[derive(Debug, clap::Args)]
pub struct SetRole {
    #[command(flatten)]
    member: Member,

    /// What they are to be.
    #[arg(value_name = "ROLE", value_parser = PossibleValuesParser::new(["owner", "moderator", "member"]).map(role))]
    role: Role,
}

#[derive(Debug, clap::Args)]
pub struct Message {
    #[command(flatten)]
    room: Room,

    /// Which message: its `seq`, which `history --json` prints.
    #[arg(value_name = "SEQ")]
    message: u64,
}

#[derive(Debug, clap::Args)]
pub struct Update {
    #[command(flatten)]
    room: Room,

    #[command(flatten)]
    changes: Changes,
}

#[derive(Debug, clap::Args)]
#[group(required = true, multiple = true)]
struct Changes {
    /// Another name: at most 80 characters.
    #[arg(long, env = "NATTER_NAME", value_name = "NAME")]
    name: Option<String>,

    /// Another topic: at most 500 characters; an empty one for none.
    #[arg(long, env = "NATTER_TOPIC", value_name = "TEXT")]
    topic: Option<String>,

    /// Everybody finds it and may come in.
    #[arg(long, env = "NATTER_PUBLIC", conflicts_with = "private")]
    public: bool,

    /// Nobody finds it, and only who is added is in it.
    #[arg(long, env = "NATTER_PRIVATE")]
    private: bool,

    /// Take it back from the archive.
    #[arg(long, env = "NATTER_UNARCHIVE")]
    unarchive: bool,
}

fn role(text: String) -> Role {
    match text.as_str() {
        "owner" => Role::Owner,
        "moderator" => Role::Moderator,
        // The parser lets no fourth one through.
        _ => Role::Member,
    }
}

pub async fn run(login: &LoginOptions, command: Command) -> Result<(), Failure> {
    use Command::*;
    match command {
        Create(options) => create(login, options).await,
        List(options) => show::directory(login, options).await,
        Members(options) => show::members(login, options).await,
        Bans(options) => show::bans(login, options).await,
        Pins(options) => show::pins(login, options).await,
        Join(options) => act(login, &options, "not joined", async |client, room| client.room(room).join().await).await,
        Leave(options) => act(login, &options, "not left", async |client, room| client.room(room).leave().await).await,
        Archive(options) => {
            act(login, &options, "not archived", async |client, room| client.room(room).archive().await).await
        }
        Update(options) => update(login, options).await,
        Add(Member { room, whom }) => {
            act(login, &room, "not added", async |client, room| client.room(room).add(whom).await).await
        }
        Remove(Member { room, whom }) => {
            act(login, &room, "not removed", async |client, room| client.room(room).remove(whom).await).await
        }
        Ban(Member { room, whom }) => {
            act(login, &room, "not banned", async |client, room| client.room(room).ban(whom).await).await
        }
        Unban(Member { room, whom }) => {
            act(login, &room, "still banned", async |client, room| client.room(room).unban(whom).await).await
        }
        Role(SetRole { member: Member { room, whom }, role }) => {
            act(login, &room, "not changed", async |client, room| client.room(room).set_role(whom, role).await).await
        }
        Pin(Message { room, message }) => {
            act(login, &room, "not pinned", async |client, room| client.pin(room, message, Toggle::Add).await).await
        }
        Unpin(Message { room, message }) => {
            act(login, &room, "still pinned", async |client, room| client.pin(room, message, Toggle::Remove).await)
                .await
        }
    }
}

/// What programs get of a room that was made.
#[derive(Serialize)]
struct Made {
    conversation: ConversationId,
    seq: u64,
    /// Who was to be in it and is not.
    refused: Vec<Handle>,
}

async fn create(login: &LoginOptions, options: Create) -> Result<(), Failure> {
    let mut output = Output::open(&options.output)?;
    let (session, _keeper) = log_in(login).await?;
    let (client, events) = connect(&session).await?;
    drop(events);
    let mut room = client.create_room(options.name).members(options.members);
    room = if options.private { room.private() } else { room };
    room = match options.topic {
        Some(topic) => room.topic(topic),
        None => room,
    };
    let made = stored(async { room.await }).await;
    if let Ok(Sent { conversation: Some(room), .. }) = &made {
        wait_for_history(&client, *room).await;
    }
    client.close().await;
    let Sent { conversation, seq, refused, .. } = made.map_err(|failure| failure.context("not made"))?;
    let conversation = conversation.ok_or_else(|| Failure::new(Exit::Other, "the server did not say which room"))?;
    if !refused.is_empty() {
        eprintln!("natter: not added: {}", names(&refused));
    }
    let made = Made { conversation, seq, refused };
    end(output.write(&made, || Some(conversation.to_string())))
}

async fn update(login: &LoginOptions, Update { room, changes }: Update) -> Result<(), Failure> {
    act(login, &room, "not changed", async |client, room| {
        let mut update = client.room(room).update();
        if let Some(name) = changes.name {
            update = update.name(name);
        }
        if let Some(topic) = changes.topic {
            update = update.topic(topic);
        }
        if changes.public || changes.private {
            update = update.visibility(if changes.public { Visibility::Public } else { Visibility::Private });
        }
        if changes.unarchive {
            update = update.archived(false);
        }
        update.await
    })
    .await
}

/// Does something to a room, and says what did not happen if it fails.
async fn act(
    login: &LoginOptions,
    room: &Room,
    otherwise: &str,
    act: impl AsyncFnOnce(&Client, ConversationId) -> Result<Sent, SendError>,
) -> Result<(), Failure> {
    let (session, _keeper) = log_in(login).await?;
    let history = History::of(&session).map_err(|error| failed(&login.url, &error))?;
    let room = find::room(&history, &login.url, &room.room).await?;
    let (client, events) = connect(&session).await?;
    drop(events);
    let done = stored(async { act(&client, room).await }).await;
    if done.is_ok() {
        wait_for_history(&client, room).await;
    }
    client.close().await;
    done.map(drop).map_err(|failure| failure.context(otherwise))
}

/// The next command finds rooms and their names in history: so it has what was done. Only a convenience: what is done is
/// done, and who has left a private room does not see it any more.
async fn wait_for_history(client: &Client, room: ConversationId) {
    let _ = client.history().room(room).await;
}
