//! `natter chat send`: one message, and an exit code that can be relied on.

use std::io::{self, IsTerminal, Read};
use std::time::Duration;

use natter_client::{Handle, History, Recipients, SendError, Sent};
use natter_protocol::limits::MAX_TEXT_CHARS;
use natter_protocol::text::check_message;

use super::login::{LoginOptions, log_in};
use super::room::find;
use super::{clean, connect, failed, names};
use crate::exit::{Exit, Failure};

/// How long the server has to acknowledge.
const PATIENCE: Duration = Duration::from_secs(30);
/// More than this is no message. A character takes up to four bytes.
const MAX_INPUT_BYTES: u64 = MAX_TEXT_CHARS as u64 * 4;

#[derive(Debug, clap::Args)]
#[command(group(clap::ArgGroup::new("recipient").required(true).args(["to", "room"])))]
pub struct Options {
    /// To whom; several names with commas between them are one conversation.
    #[arg(long, env = "NATTER_TO", value_name = "NAME", value_delimiter = ',', action = clap::ArgAction::Append)]
    to: Vec<Handle>,

    /// Into which room instead: its id, or its name if that is the name of one of yours only.
    #[arg(long, env = "NATTER_ROOM", value_name = "ROOM")]
    room: Option<String>,

    /// In the thread of the message with this `seq`, which `history --json` prints.
    #[arg(long, env = "NATTER_THREAD", value_name = "SEQ")]
    thread: Option<u64>,

    /// In answer to the message with this `seq`.
    #[arg(long, env = "NATTER_REPLY_TO", value_name = "SEQ")]
    reply_to: Option<u64>,

    /// What to say; `-` reads it from standard input.
    #[arg(value_name = "TEXT")]
    text: String,
}

pub async fn run(login: &LoginOptions, options: Options) -> Result<(), Failure> {
    let text = if options.text == "-" { from_stdin()? } else { options.text };
    check_message(&text).map_err(|error| Failure::caused_by(Exit::Usage, &error))?;
    let (session, _keeper) = log_in(login).await?;
    let (to, named) = match &options.room {
        Some(room) => {
            let history = History::of(&session).map_err(|error| failed(&login.url, &error))?;
            (Recipients::from(find::room(&history, &login.url, room).await?), clean::line(room).into_owned())
        }
        None => (Recipients::from(options.to.as_slice()), names(&options.to)),
    };
    let (client, events) = connect(&session).await?;
    // What others say is not wanted here.
    drop(events);
    let mut send = client.send(to, text);
    if let Some(root) = options.thread {
        send = send.thread(root);
    }
    if let Some(seq) = options.reply_to {
        send = send.reply_to(seq);
    }
    let stored = stored(async { send.await }).await;
    client.close().await;
    stored.map_err(|failure| failure.context("not sent"))?;
    if io::stderr().is_terminal() {
        eprintln!("Sent to {named}.");
    }
    Ok(())
}

/// Waits until the server has a command.
pub(super) async fn stored(answer: impl Future<Output = Result<Sent, SendError>>) -> Result<Sent, Failure> {
    match tokio::time::timeout(PATIENCE, answer).await {
        Ok(Ok(sent)) => Ok(sent),
        Ok(Err(error)) => Err(not_sent(&error)),
        Err(_) => {
            let why = format!("not acknowledged within {PATIENCE:?}: whether it was stored is not known");
            Err(Failure::new(Exit::Unreachable, why))
        }
    }
}

fn not_sent(error: &SendError) -> Failure {
    let exit = match error {
        SendError::Text(_) | SendError::NotAnEmoji | SendError::TooLarge { .. } => Exit::Usage,
        SendError::Refused(_) => Exit::Refused,
        SendError::Stopped | SendError::EventsNotRead => Exit::Unreachable,
        SendError::Repeated(_) | SendError::Outbox(_) => Exit::Other,
    };
    Failure::caused_by(exit, error)
}

/// What a shell or an editor puts at the end does not belong to the text.
fn from_stdin() -> Result<String, Failure> {
    let mut bytes = Vec::new();
    // One more than allowed, so that what is too long is refused and not cut.
    let read = io::stdin().lock().take(MAX_INPUT_BYTES + 1).read_to_end(&mut bytes);
    read.map_err(|error| Failure::caused_by(Exit::Other, &error).context("cannot read standard input"))?;
    let text = String::from_utf8(bytes).map_err(|_| Failure::new(Exit::Usage, "standard input is not UTF-8 text"))?;
    Ok(text.replace("\r\n", "\n").trim_end_matches('\n').to_owned())
}
