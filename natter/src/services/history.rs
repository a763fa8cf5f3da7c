//! The history API: pages out of PostgreSQL.

use std::net::SocketAddr;
use std::num::NonZeroU32;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use natter_history_api::{Config, History};
use natter_platform::Clock;
use natter_platform::lifecycle::Policy;
use natter_platform::secret::Secret;
use natter_platform::tokens::Verifier;
use tracing::Instrument;

use super::frame::Frame;
use super::tokens::{RealmOptions, read_public_keys};
use crate::exit::{Exit, Failure};
use crate::listen::bind;
use crate::units::Time;

const GRACE: Duration = Duration::from_secs(8);

#[derive(Debug, Args)]
pub struct Options {
    /// Where to listen; port 0 takes any free port, and the address is printed.
    #[arg(long, env = "NATTER_LISTEN", value_name = "ADDRESS:PORT", default_value = "127.0.0.1:8081")]
    listen: SocketAddr,

    /// The PostgreSQL database, with user and password: postgres://user:password@host:5432/natter
    #[arg(long, env = "NATTER_POSTGRES_URL", value_name = "URL", hide_env_values = true)]
    postgres_url: String,

    /// Public keys of the gateways, whose tokens are good: Ed25519 in PEM form. May be given more than once.
    #[arg(long, env = "NATTER_PUBLIC_KEY", value_name = "FILE", value_delimiter = ',', action = clap::ArgAction::Append, required = true)]
    public_key: Vec<PathBuf>,

    #[command(flatten)]
    realm: RealmOptions,
    #[command(flatten)]
    tunables: Tunables,
}

/// The bounds of a history API, alone and inside `natter up`.
#[derive(Debug, Clone, Args)]
#[group(skip)]
pub struct Tunables {
    /// Most connections of the history API to PostgreSQL.
    #[arg(long, env = "NATTER_HISTORY_CONNECTIONS", value_name = "NUMBER", default_value_t = 8, value_parser = clap::value_parser!(u32).range(1..=1000))]
    history_connections: u32,

    /// How long PostgreSQL may work on one page.
    #[arg(long, env = "NATTER_HISTORY_STATEMENT_TIMEOUT", value_name = "DURATION", default_value_t = Time::of(Duration::from_secs(2)))]
    history_statement_timeout: Time,

    /// Pages that one user may ask for in 10 s.
    #[arg(long, env = "NATTER_MAX_QUERIES", value_name = "NUMBER", default_value = "300")]
    max_queries: NonZeroU32,
}

impl Tunables {
    pub fn config(&self, postgres_url: &str) -> Config {
        let mut config = Config::new(Secret::new(postgres_url.to_owned()));
        config.connections = self.history_connections;
        config.statement_timeout = self.history_statement_timeout.get();
        config.queries.count = self.max_queries;
        config
    }
}

/// Needs neither PostgreSQL nor its schema to be there yet.
pub fn start(config: &Config, verifier: Arc<Verifier>, clock: &Clock) -> Result<History, Failure> {
    History::new(config, verifier, clock).map_err(|error| Failure::caused_by(Exit::Usage, &error))
}

pub async fn run(options: Options) -> Result<(), Failure> {
    let frame = Frame::new(GRACE)?;
    let clock = Clock::system();
    let verifier = options.realm.verifier(read_public_keys(&options.public_key)?, &clock);
    let history = start(&options.tunables.config(&options.postgres_url), verifier, &clock)?;
    let (listener, address) = bind(options.listen).await?;
    let served = natter_history_api::serve(listener, history, frame.metrics.clone(), frame.shutdown.clone());
    let span = tracing::error_span!("history", source = "history");
    frame.tasks.spawn("history API", Policy::Essential, served.instrument(span));
    tracing::info!(%address, "the history API listens");
    println!("The history API listens on http://{address}");
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
    fn the_defaults_are_those_of_the_history_api() {
        let command = <Only as clap::CommandFactory>::command().no_binary_name(true).mut_args(|arg| arg.env(None));
        let matches = command.try_get_matches_from([] as [&str; 0]).expect("valid");
        let here = Only::from_arg_matches(&matches).expect("valid").tunables.config("");
        let there = Config::new(Secret::new(String::new()));
        assert_eq!((here.connections, here.statement_timeout), (there.connections, there.statement_timeout));
        assert_eq!(here.queries.count, there.queries.count);
    }
}
