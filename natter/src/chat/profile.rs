//! `natter chat profile`: how one is shown to others.

use natter_client::Client;
use natter_protocol::text::check_display_name;

use super::connect;
use super::login::{LoginOptions, log_in};
use super::send::stored;
use crate::exit::{Exit, Failure};

#[derive(Debug, clap::Args)]
pub struct Options {
    /// By this name, of at most 64 characters; an empty one for the name that you log in with.
    #[arg(value_name = "NAME")]
    name: String,
}

pub async fn run(login: &LoginOptions, options: Options) -> Result<(), Failure> {
    if !options.name.is_empty() {
        check_display_name(&options.name).map_err(|error| Failure::caused_by(Exit::Usage, &error))?;
    }
    let (session, _keeper) = log_in(login).await?;
    let (client, events) = connect(&session).await?;
    drop(events);
    let stored = stored(async { client.profile(options.name).await }).await;
    if stored.is_ok() {
        wait_for_history(&client).await;
    }
    client.close().await;
    stored.map(drop).map_err(|failure| failure.context("not changed"))
}

/// Who looks next finds the new name. Only a convenience: what is done is done.
async fn wait_for_history(client: &Client) {
    let _ = client.history().conversations().limit(1).next_page().await;
}
