//! The write side: sockets, commands and accounts.
//!
//! A [`Gateway`] follows the whole log ([`feed`]) and keeps its newest part in memory. Sessions ([`session`]) are cursors
//! into that; commands ([`commands`]) are decided against it and appended. It never asks PostgreSQL for anything; the one
//! question it has for the read side, whether an old id was used, it asks the history API ([`lookup`]).

pub mod accounts;
pub mod commands;
pub mod config;
mod conversations;
pub mod copies;
pub mod feed;
pub mod http;
mod idempotency;
mod live;
mod lookup;
mod presence;
mod rates;
mod received;
mod render;
pub mod rooms;
pub mod router;
pub mod session;

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use natter_log::{KeyRing, Live, Log};
use natter_platform::error::chain;
use natter_platform::ops::{Finding, Readiness};
use natter_platform::tokens::{Signer, Verifier};
use natter_platform::{Clock, Policy, Shutdown, Tasks};

use crate::accounts::{AccountConfig, AccountDeps, AccountService, InvalidCost};
use crate::commands::mark::Markers;
use crate::config::Config;
use crate::conversations::Conversations;
use crate::copies::Newer;
use crate::feed::Feed;
use crate::lookup::Lookup;
use crate::presence::Presence;
use crate::rates::Rates;
use crate::received::Received;
use crate::rooms::Rooms;
use crate::router::Router;

/// How long is waited before other gateways are listened to again.
const RETRY: Duration = Duration::from_millis(250);
/// How often what no longer holds anything back is forgotten.
const SWEEP: Duration = Duration::from_secs(10);

/// What a gateway works with.
pub struct Deps {
    pub log: Log,
    pub keys: KeyRing,
    pub signer: Arc<Signer>,
    pub verifier: Arc<Verifier>,
    pub clock: Clock,
    pub tasks: Tasks,
    pub shutdown: Shutdown,
}

/// A running gateway.
pub struct Gateway {
    pub(crate) config: Config,
    pub(crate) log: Log,
    pub(crate) keys: KeyRing,
    pub(crate) clock: Clock,
    pub(crate) tasks: Tasks,
    pub(crate) shutdown: Shutdown,
    pub(crate) accounts: Arc<AccountService>,
    pub(crate) conversations: Conversations,
    pub(crate) feed: Arc<Feed>,
    pub(crate) lookup: Lookup,
    pub(crate) markers: Markers,
    pub(crate) presence: Presence,
    pub(crate) rates: Rates,
    pub(crate) received: Received,
    pub(crate) replays: tokio::sync::Semaphore,
    pub(crate) rooms: Rooms,
    pub(crate) router: Router,
}

impl Gateway {
    /// Starts the gateway's own tasks. It serves once [`Gateway::router`] is served, and is ready when its feed is.
    pub fn start(config: Config, accounts: AccountConfig, deps: Deps) -> Result<Arc<Self>, InvalidCost> {
        let Deps { log, keys, signer, verifier, clock, tasks, shutdown } = deps;
        let feed = Arc::new(Feed::new(config.tail_bytes));
        let tail = feed.clone();
        let newer: Newer = Arc::new(move |subject, seq| tail.tail.has_newer(subject, seq));
        let accounts = AccountService::new(AccountDeps {
            log: log.clone(),
            keys: keys.clone(),
            signer,
            verifier,
            clock: clock.clone(),
            newer: newer.clone(),
            config: accounts,
        })?;
        let gateway = Arc::new(Self {
            conversations: Conversations::new(&log),
            lookup: Lookup::new(config.history_url.as_deref()),
            markers: Markers::default(),
            presence: Presence::new(&config),
            rates: Rates::new(&config, &clock),
            received: Received::default(),
            replays: tokio::sync::Semaphore::new(config.max_replays),
            rooms: Rooms::new(&log, newer),
            router: Router::default(),
            accounts,
            feed,
            config,
            log,
            keys,
            clock,
            tasks,
            shutdown,
        });
        gateway.spawn_tasks();
        Ok(gateway)
    }

    /// Everything that clients ask of a gateway: the socket, accounts, commands and the web client.
    pub fn router(self: &Arc<Self>) -> axum::Router {
        http::router(self)
    }

    /// Adds what this gateway depends on to what `/ready` tells.
    pub fn add_checks(self: &Arc<Self>, readiness: &Readiness) {
        let gateway = self.clone();
        readiness.add("broker", Duration::from_secs(2), move || {
            let log = gateway.log.clone();
            async move {
                match log.round_trip().await {
                    Ok(took) => Finding::Fine(format!("answered in {:.1} ms", took.as_secs_f64() * 1000.0)),
                    Err(error) => Finding::Failed(error.to_string()),
                }
            }
        });
        let gateway = self.clone();
        readiness.add("feed", Duration::from_secs(1), move || {
            let (ready, head) = (gateway.feed.is_ready(), gateway.feed.head().seq);
            let (events, bytes) = gateway.feed.tail.size();
            let gateways = gateway.presence.gateways();
            let detail = format!("at {head}, {events} events ({bytes} bytes) in memory, {gateways} gateways known");
            metrics::gauge!("natter_gateways_known").set(gateways as f64);
            let hole = gateway.feed.hole();
            async move {
                match hole {
                    Some(hole) => Finding::Failed(format!("stopped: {hole}")),
                    None if ready => Finding::Fine(detail),
                    None => Finding::Failed(format!("loading: {detail}")),
                }
            }
        });
        if self.config.history_url.is_some() {
            let gateway = self.clone();
            // Everything but ids that are not fresh goes on without it, so nobody is sent elsewhere for that.
            readiness.add("history", Duration::from_secs(2), move || {
                let gateway = gateway.clone();
                async move {
                    match gateway.lookup.answers().await {
                        Ok(took) => Finding::Fine(format!("answered in {:.1} ms", took.as_secs_f64() * 1000.0)),
                        Err(error) => Finding::Degraded(format!("{}: ids that are not fresh wait", chain(&error))),
                    }
                }
            });
        }
    }

    /// Waits until the feed has caught up with the log.
    pub async fn ready(&self) {
        while !self.feed.is_ready() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    fn spawn_tasks(self: &Arc<Self>) {
        let (gateway, stop) = (self.clone(), self.shutdown.clone());
        self.tasks.spawn("gateway feed", Policy::Essential, async move { feed::run(gateway, stop).await });
        let (gateway, stop) = (self.clone(), self.shutdown.clone());
        self.tasks.spawn("gateway presence", Policy::Essential, async move {
            presence::run(&gateway, &stop).await;
            Ok::<_, Infallible>(())
        });
        let (gateway, stop) = (self.clone(), self.shutdown.clone());
        self.tasks.spawn("gateway signals", Policy::Essential, async move {
            tokio::select! { () = hear(&gateway) => {}, () = stop.forced() => {} }
            Ok::<_, Infallible>(())
        });
        let (gateway, stop) = (self.clone(), self.shutdown.clone());
        self.tasks.spawn("gateway received", Policy::Essential, async move {
            received::run(&gateway, gateway.config.received_interval, &stop).await;
            Ok::<_, Infallible>(())
        });
        let (gateway, stop) = (self.clone(), self.shutdown.clone());
        self.tasks.spawn("gateway head on record", Policy::Essential, async move {
            feed::damage::note(&gateway, &stop).await;
            Ok::<_, Infallible>(())
        });
        let (gateway, stop) = (self.clone(), self.shutdown.clone());
        self.tasks.spawn("gateway sweep", Policy::Background, async move {
            loop {
                tokio::select! {
                    () = tokio::time::sleep(SWEEP) => gateway.markers.sweep(gateway.config.marker_interval),
                    () = stop.forced() => return Ok::<_, Infallible>(()),
                }
            }
        });
    }
}

/// Hears what gateways tell each other. The broker may be away when it begins.
async fn hear(gateway: &Gateway) {
    loop {
        match gateway.log.subscribe_live("live.>").await {
            Ok(mut signals) => {
                presence::lost(gateway).await;
                while let Some(next) = signals.next().await {
                    match next {
                        Live::Message(message) if &*message.subject == presence::SUBJECT => {
                            presence::hear(gateway, &message.payload).await;
                        }
                        Live::Message(message) => live::deliver(gateway, &message.payload).await,
                        Live::Gap => presence::lost(gateway).await,
                    }
                }
            }
            Err(error) => tracing::warn!(%error, "other gateways can't be heard; trying again"),
        }
        tokio::time::sleep(RETRY).await;
    }
}
