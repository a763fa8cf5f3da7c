//! `natter chat block`, `unblock` and `blocks`: whom one wants nothing to do with.

use std::pin::pin;

use futures::TryStreamExt;
use natter_client::{Handle, History};

use super::blocked::wait_for_history;
use super::login::{LoginOptions, log_in};
use super::output::{Ended, Output, OutputOptions, end};
use super::send::stored;
use super::{connect, failed};
use crate::exit::Failure;

/// Items that are asked for at once: the most that the server gives.
const PAGE_ITEMS: u32 = 200;

#[derive(Debug, clap::Args)]
pub struct Options {
    /// Whom.
    #[arg(value_name = "NAME")]
    whom: Handle,
}

#[derive(Debug, clap::Args)]
pub struct ListOptions {
    #[command(flatten)]
    output: OutputOptions,
}

pub async fn block(login: &LoginOptions, options: Options) -> Result<(), Failure> {
    let (session, _keeper) = log_in(login).await?;
    let (client, events) = connect(&session).await?;
    drop(events);
    let stored = stored(async { client.block(options.whom).await }).await;
    if stored.is_ok() {
        wait_for_history(&client).await;
    }
    client.close().await;
    stored.map(drop).map_err(|failure| failure.context("not blocked"))
}

pub async fn unblock(login: &LoginOptions, options: Options) -> Result<(), Failure> {
    let (session, _keeper) = log_in(login).await?;
    let (client, events) = connect(&session).await?;
    drop(events);
    let stored = stored(async { client.unblock(options.whom).await }).await;
    if stored.is_ok() {
        wait_for_history(&client).await;
    }
    client.close().await;
    stored.map(drop).map_err(|failure| failure.context("still blocked"))
}

pub async fn list(login: &LoginOptions, options: ListOptions) -> Result<(), Failure> {
    let mut output = Output::open(&options.output)?;
    let (session, _keeper) = log_in(login).await?;
    let outcome = async {
        let history = History::of(&session).map_err(|error| failed(&login.url, &error))?;
        let mut items = pin!(history.blocks().limit(PAGE_ITEMS).items());
        while let Some(item) = items.try_next().await.map_err(|error| failed(&login.url, &error))? {
            output.write(&item, || Some(item.user.to_string()))?;
        }
        Ok::<_, Ended>(())
    };
    end(outcome.await)
}
