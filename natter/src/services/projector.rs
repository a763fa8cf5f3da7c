//! The projector: from the log to PostgreSQL.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use natter_log::{KeyRing, Log};
use natter_platform::http::{LayerOptions, ServeOptions, layered};
use natter_platform::lifecycle::{Policy, Shutdown, Tasks};
use natter_platform::ops::{Ops, Readiness};
use natter_platform::{Clock, http};
use natter_projector::{Config, Status};

use super::broker::{BrokerOptions, key_ring};
use super::frame::Frame;
use super::scrub;
use crate::exit::Failure;
use crate::listen::bind;

const GRACE: Duration = Duration::from_secs(8);
const CHECK_WITHIN: Duration = Duration::from_secs(1);

#[derive(Debug, Args)]
pub struct Options {
    /// Where /health, /ready and /metrics are; port 0 takes any free port, and the address is printed.
    #[arg(long, env = "NATTER_LISTEN", value_name = "ADDRESS:PORT", default_value = "127.0.0.1:8082")]
    listen: SocketAddr,

    /// The PostgreSQL database, with user and password: postgres://user:password@host:5432/natter
    #[arg(long, env = "NATTER_POSTGRES_URL", value_name = "URL", hide_env_values = true)]
    postgres_url: String,

    /// The key that wraps the keys of what people write: 64 hexadecimal digits in a file, for nobody else to read.
    #[arg(long, env = "NATTER_MASTER_KEY", value_name = "FILE")]
    master_key: PathBuf,

    #[command(flatten)]
    broker: BrokerOptions,
    #[command(flatten)]
    tunables: Tunables,
    #[command(flatten)]
    scrub: scrub::Tunables,
}

/// The bounds of a projector, alone and inside `natter up`.
#[derive(Debug, Clone, Args)]
#[group(skip)]
pub struct Tunables {
    /// Most events that the projector writes in one transaction.
    #[arg(long, env = "NATTER_MAX_BATCH_EVENTS", value_name = "NUMBER", default_value_t = 4_000, value_parser = max_batch_events)]
    max_batch_events: usize,

    /// How many days `/history/changes` goes back.
    #[arg(long, env = "NATTER_CHANGES_KEPT_DAYS", value_name = "DAYS", default_value_t = 30, value_parser = clap::value_parser!(u16).range(1..=3650))]
    changes_kept_days: u16,
}

fn max_batch_events(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(events @ 1..=100_000) => Ok(events),
        _ => Err("not a number between 1 and 100000".to_owned()),
    }
}

impl Tunables {
    pub fn config(&self, postgres_url: &str) -> Config {
        Config {
            max_batch_events: self.max_batch_events,
            changes_kept_days: self.changes_kept_days,
            ..Config::new(postgres_url)
        }
    }
}

/// Starts projecting as a task, under its name in the log.
pub fn start(config: Config, log: Log, keys: KeyRing, policy: Policy, tasks: &Tasks, shutdown: &Shutdown) -> Status {
    let status = Status::default();
    let projecting = natter_projector::run(config, log, keys, status.clone(), shutdown.clone());
    let span = tracing::error_span!("projector", source = "projector");
    span.in_scope(|| tasks.spawn("projector", policy, projecting));
    status
}

/// Adds how the projection does to a readiness.
pub fn watch(status: &Status, readiness: &Readiness) {
    let status = status.clone();
    readiness.add("projection", CHECK_WITHIN, move || {
        let check = status.check();
        async move { check.into() }
    });
}

pub async fn run(options: Options) -> Result<(), Failure> {
    let frame = Frame::new(GRACE)?;
    let (listener, address) = bind(options.listen).await?;
    let connected = frame.prepare(async {
        let log = options.broker.connect("projector").await?;
        let keys = key_ring(&log, &options.master_key).await?;
        Ok((log, keys))
    });
    let Some((log, keys)) = connected.await? else { return Ok(()) };
    let config = options.tunables.config(&options.postgres_url);
    let status = start(config, log.clone(), keys, Policy::Essential, &frame.tasks, &frame.shutdown);

    let readiness = Readiness::new(&frame.shutdown);
    watch(&status, &readiness);
    scrub::start(&options.scrub, log, &readiness, &frame.tasks, &frame.shutdown);
    let ops = Ops { readiness, metrics: frame.metrics.clone(), clock: Clock::system() };
    let router = layered(ops.router(), &LayerOptions::default());
    let served = http::serve(listener, router, ServeOptions::default(), frame.shutdown.clone());
    frame.tasks.spawn("http", Policy::Essential, served);
    tracing::info!(%address, "the projector's /health, /ready and /metrics are there");
    println!("The projector answers about itself on http://{address}");
    frame.end().await
}

#[cfg(test)]
mod tests {
    use clap::{FromArgMatches, Parser};

    use super::*;

    #[derive(Parser)]
    struct Only {
        #[command(flatten)]
        tunables: Tunables,
    }

    #[test]
    fn the_defaults_are_those_of_the_projector() {
        let command = <Only as clap::CommandFactory>::command().no_binary_name(true).mut_args(|arg| arg.env(None));
        let matches = command.try_get_matches_from([] as [&str; 0]).expect("valid");
        let here = Only::from_arg_matches(&matches).expect("valid").tunables.config("");
        let there = Config::new("");
        assert_eq!((here.max_batch_events, here.changes_kept_days), (there.max_batch_events, there.changes_kept_days));
    }
}
