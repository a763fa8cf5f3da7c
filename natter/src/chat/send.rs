//! `natter chat send`: one message, and an exit code that can be relied on.

use std::io::{self, IsTerminal, Read};
use std::time::Duration;

use natter_client::{Handle, SendError, Sent};
use natter_protocol::limits::MAX_TEXT_CHARS;
use natter_protocol::text::check_message;

use super::login::{LoginOptions, log_in};
use super::{connect, names};
use crate::exit::{Exit, Failure};

/// How long the server has to acknowledge.
const PATIENCE: Duration = Duration::from_secs(30);
/// More than this is no message. A character takes up to four bytes.
const MAX_INPUT_BYTES: u64 = MAX_TEXT_CHARS as u64 * 4;

#[derive(Debug, clap::Args)]
pub struct Options {
    /// To whom; several names with commas between them are one conversation.
    #[arg(long, env = "NATTER_TO", value_name = "NAME", value_delimiter = ',', action = clap::ArgAction::Append, required = true)]
    to: Vec<Handle>,

    /// What to say; `-` reads it from standard input.
    #[arg(value_name = "TEXT")]
    text: String,
}

pub async fn run(login: &LoginOptions, options: Options) -> Result<(), Failure> {
    let text = if options.text == "-" { from_stdin()? } else { options.text };
    check_message(&text).map_err(|error| Failure::caused_by(Exit::Usage, &error))?;
    let (session, _keeper) = log_in(login).await?;
    let (client, events) = connect(&session).await?;
    // What others say is not wanted here.
    drop(events);
    let people = names(&options.to);
    let stored = stored(async { client.send(options.to, text).await }).await;
    client.close().await;
    stored.map_err(|failure| failure.context("not sent"))?;
    if io::stderr().is_terminal() {
        eprintln!("Sent to {people}.");
    }
    Ok(())
}

/// Waits until the server has a command.
pub(super) async fn stored(answer: impl Future<Output = Result<Sent, SendError>>) -> Result<(), Failure> {
    match tokio::time::timeout(PATIENCE, answer).await {
        Ok(Ok(_)) => Ok(()),
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
