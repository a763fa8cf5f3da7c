//! `natter chat prefer`: how a conversation is treated on all of the user's devices.

use clap::builder::{PossibleValuesParser, TypedValueParser};
use natter_client::{Notify, Preferences};

use super::login::{LoginOptions, log_in};
use super::send::stored;
use super::which::Which;
use super::{connect, failed};
use crate::exit::{Exit, Failure};

#[derive(Debug, clap::Args)]
pub struct Options {
    #[command(flatten)]
    which: Which,

    #[command(flatten)]
    changes: Changes,
}

#[derive(Debug, Default, clap::Args)]
#[group(required = true, multiple = true)]
struct Changes {
    /// Nothing of it makes itself heard, mentions neither.
    #[arg(long, env = "NATTER_MUTE", conflicts_with = "unmute")]
    mute: bool,

    /// It makes itself heard again.
    #[arg(long, env = "NATTER_UNMUTE")]
    unmute: bool,

    /// It is marked with a star.
    #[arg(long, env = "NATTER_STAR", conflicts_with = "unstar")]
    star: bool,

    /// Without the star.
    #[arg(long, env = "NATTER_UNSTAR")]
    unstar: bool,

    /// It is left out of lists until something new is said.
    #[arg(long, env = "NATTER_HIDE", conflicts_with = "unhide")]
    hide: bool,

    /// It is in lists again.
    #[arg(long, env = "NATTER_UNHIDE")]
    unhide: bool,

    /// What of it you want to be told of.
    #[arg(long, env = "NATTER_NOTIFY", value_name = "WHAT", value_parser = PossibleValuesParser::new(["all", "mentions", "nothing"]).map(notify))]
    notify: Option<Notify>,
}

fn notify(text: String) -> Notify {
    match text.as_str() {
        "mentions" => Notify::Mentions,
        "nothing" => Notify::Nothing,
        // The parser lets no fourth one through.
        _ => Notify::All,
    }
}

impl Changes {
    /// What is not asked for stays.
    fn of(&self, before: Preferences) -> Preferences {
        let switch = |on: bool, off: bool, before: bool| on || (before && !off);
        Preferences {
            muted: switch(self.mute, self.unmute, before.muted),
            starred: switch(self.star, self.unstar, before.starred),
            hidden: switch(self.hide, self.unhide, before.hidden),
            notify: self.notify.unwrap_or(before.notify),
        }
    }
}

pub async fn run(login: &LoginOptions, options: Options) -> Result<(), Failure> {
    let (session, _keeper) = log_in(login).await?;
    let (client, events) = connect(&session).await?;
    drop(events);
    let outcome = async {
        // What the user said elsewhere before this is in it.
        let history = client.history();
        let found = options.which.find(&history, &login.url, session.user()).await?;
        let conversation = found.ok_or_else(|| Failure::new(Exit::Refused, "nothing was said there yet"))?;
        let before = history.conversation(conversation).await.map_err(|error| failed(&login.url, &error))?;
        let preferences = options.changes.of(before.item.preferences.unwrap_or_default());
        stored(async { client.prefer(conversation, preferences).await }).await?;
        // The next command reads it. Only a convenience: what is done is done.
        let _ = client.history().conversation(conversation).await;
        Ok::<_, Failure>(())
    };
    let done = outcome.await;
    client.close().await;
    done.map_err(|failure| failure.context("not changed"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_asked_for_stays_as_it_is() {
        let before = Preferences { muted: true, starred: false, hidden: true, notify: Notify::Mentions };
        assert_eq!(Changes { star: true, ..Changes::default() }.of(before), Preferences { starred: true, ..before });
        let all = Changes { unmute: true, unhide: true, notify: Some(Notify::All), ..Changes::default() };
        assert_eq!(all.of(before), Preferences::default());
        assert_eq!(Changes { mute: true, unstar: true, ..Changes::default() }.of(before), before);
    }
}
