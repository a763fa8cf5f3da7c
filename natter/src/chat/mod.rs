//! `natter chat`: talking from a terminal, on the same client library that bots use.
//!
//! - `login`, `files`: who is talking, and what is remembered of that until the next run.
//! - `send`, `tail`, `list`, `history`, `search`, `block`, `profile`, `prefer`, `room`: for scripts and pipes; `output` is
//!   how they write, `which` is how a conversation is named.
//! - `tui`: the full-screen client.
//! - `blocked`: whom the user has blocked, whose words are folded.
//! - `clean`: what other people write, made harmless for a terminal.
//! - `time`: times as people read them.

mod block;
mod blocked;
pub mod clean;
mod files;
mod history;
mod list;
mod login;
mod output;
mod prefer;
mod profile;
mod room;
mod search;
mod send;
mod tail;
mod time;
mod tui;
mod which;
mod words;

use std::io::{self, IsTerminal};

use natter_client::{Client, ConnectError, Events, Handle, HttpError, Server, Session};

use crate::exit::{Exit, Failure};
pub use files::state_folder;
use login::LoginOptions;

/// What is logged where the screen is drawn: nothing but why the program died.
pub const QUIET: &str = "off,natter_platform=error";

/// Without a command, the full-screen client.
#[derive(Debug, clap::Args)]
pub struct Options {
    #[command(flatten)]
    login: LoginOptions,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Say one thing. Ends well only when the server has it.
    Send(send::Options),

    /// Print what is said as it comes, one line each; after a cut it goes on where it was.
    Tail(tail::Options),

    /// Print the conversations, the one with the newest message first.
    List(list::Options),

    /// Print what was said in a conversation, the oldest line first.
    History(history::Options),

    /// Print the messages in which there are these words, the oldest line first.
    Search(search::Options),

    /// Make rooms, change them, come and go, and say who may do what.
    #[command(subcommand)]
    Room(room::Command),

    /// Block someone: between the two of you nothing is said any more.
    Block(block::Options),

    /// Take a block back.
    Unblock(block::Options),

    /// Print whom you have blocked, one line each.
    Blocks(block::ListOptions),

    /// Say by which name you are shown to others.
    Profile(profile::Options),

    /// Say how a conversation is treated on your devices: what is not asked for stays as it is.
    Prefer(prefer::Options),
}

impl Options {
    /// Whether log lines would end up on the screen that the client draws.
    pub fn draws_over_the_log(&self) -> bool {
        self.command.is_none() && io::stderr().is_terminal()
    }
}

pub async fn run(options: Options) -> Result<(), Failure> {
    let Options { login, command } = options;
    match command {
        None => tui::run(&login).await,
        Some(Command::Send(options)) => send::run(&login, options).await,
        Some(Command::Tail(options)) => tail::run(&login, options).await,
        Some(Command::List(options)) => list::run(&login, options).await,
        Some(Command::History(options)) => history::run(&login, options).await,
        Some(Command::Search(options)) => search::run(&login, options).await,
        Some(Command::Room(command)) => room::run(&login, command).await,
        Some(Command::Block(options)) => block::block(&login, options).await,
        Some(Command::Unblock(options)) => block::unblock(&login, options).await,
        Some(Command::Blocks(options)) => block::list(&login, options).await,
        Some(Command::Profile(options)) => profile::run(&login, options).await,
        Some(Command::Prefer(options)) => prefer::run(&login, options).await,
    }
}

/// A connection that stands.
async fn connect(session: &Session) -> Result<(Client, Events), Failure> {
    let server = session.server();
    Client::builder(server.to_string())
        .session(session.clone())
        .client_name(CLIENT_NAME)
        .connect()
        .await
        .map_err(|error| not_connected(server, &error))
}

const CLIENT_NAME: &str = concat!("natter-chat/", env!("CARGO_PKG_VERSION"));

fn not_connected(server: &Server, error: &ConnectError) -> Failure {
    let exit = match error {
        ConnectError::Server(_) => Exit::Usage,
        ConnectError::TimedOut { .. } => Exit::Unreachable,
        ConnectError::Stopped(_) => Exit::Refused,
        ConnectError::Login(error) if error.is_temporary() => Exit::Unreachable,
        ConnectError::Login(_) => Exit::Refused,
        ConnectError::NoCredentials | ConnectError::Outbox(_) => Exit::Other,
    };
    Failure::caused_by(exit, error).context(&server.to_string())
}

/// A request over HTTP that did not succeed.
fn failed(server: &Server, error: &HttpError) -> Failure {
    match error {
        HttpError::Unreachable(_) => {
            Failure::caused_by(Exit::Unreachable, error).context(&format!("{server} does not answer"))
        }
        _ if error.is_temporary() => Failure::caused_by(Exit::Unreachable, error),
        _ => Failure::caused_by(Exit::Refused, error),
    }
}

/// Who a conversation is with, seen by `me`: the others, or oneself where there is nobody else.
fn others(people: &[Handle], me: &Handle) -> Vec<Handle> {
    let others: Vec<_> = people.iter().filter(|person| *person != me).cloned().collect();
    if others.is_empty() { vec![me.clone()] } else { others }
}

/// Names as a list for people.
fn names(people: &[Handle]) -> String {
    people.iter().map(Handle::as_str).collect::<Vec<_>>().join(", ")
}
