//! The gateway: the socket, commands and accounts, and the web client.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use natter_gateway::accounts::AccountConfig;
use natter_gateway::config::Config;
use natter_gateway::{Deps, Gateway};
use natter_platform::http::{LayerOptions, ServeOptions, layered};
use natter_platform::lifecycle::{Policy, Shutdown};
use natter_platform::ops::{Ops, Readiness};
use natter_platform::tokens::PrivateKey;
use natter_platform::{Clock, http};
use tokio::net::TcpListener;

use super::broker::{BrokerOptions, key_ring};
use super::frame::Frame;
use super::tokens::{SigningOptions, bad_key, read_public_keys};
use crate::exit::{Exit, Failure};
use crate::listen::bind;
use crate::units::{Size, Time};

/// Beyond the sockets that are counted: requests, and connections that are just opening or closing.
const OTHER_CONNECTIONS: usize = 2_000;
/// After the drain: the last frames to clients that take nothing.
const LAST_FRAMES: Duration = Duration::from_millis(500);
/// After that: what gateways tell each other when one leaves.
const LAST_WORDS: Duration = Duration::from_millis(500);

#[derive(Debug, Args)]
pub struct Options {
    /// Where to listen; port 0 takes any free port, and the address is printed.
    #[arg(long, env = "NATTER_LISTEN", value_name = "ADDRESS:PORT", default_value = "127.0.0.1:8080")]
    listen: SocketAddr,

    /// The private key that signs access tokens: an Ed25519 key in PKCS#8 PEM form, for nobody else to read.
    #[arg(long, env = "NATTER_SIGNING_KEY", value_name = "FILE")]
    signing_key: PathBuf,

    /// Further public keys whose tokens are good, such as the last one while keys are changed. May be given more than once.
    #[arg(long, env = "NATTER_PUBLIC_KEY", value_name = "FILE", value_delimiter = ',', action = clap::ArgAction::Append)]
    public_key: Vec<PathBuf>,

    /// The key that wraps the keys of what people write: 64 hexadecimal digits in a file, for nobody else to read.
    #[arg(long, env = "NATTER_MASTER_KEY", value_name = "FILE")]
    master_key: PathBuf,

    /// Where the history API answers, for commands whose id is older than a minute. Without it those are refused.
    #[arg(long, env = "NATTER_HISTORY_URL", value_name = "URL")]
    history_url: Option<String>,

    #[command(flatten)]
    broker: BrokerOptions,
    #[command(flatten)]
    signing: SigningOptions,
    #[command(flatten)]
    tunables: Tunables,
}

/// The bounds of a gateway, alone and inside `natter up`.
#[derive(Debug, Clone, Args)]
#[group(skip)]
pub struct Tunables {
    /// What this gateway calls itself, to clients and in logs.
    #[arg(long, env = "NATTER_GATEWAY_NAME", value_name = "NAME", default_value = "gateway")]
    gateway_name: String,

    /// The origin that people come to, when it is another than where this listens: https://chat.example.org
    #[arg(long, env = "NATTER_PUBLIC_URL", value_name = "URL")]
    public_url: Option<String>,

    /// Origins of other web pages that may connect. May be given more than once.
    #[arg(long, env = "NATTER_ALLOWED_ORIGIN", value_name = "URL", value_delimiter = ',', action = clap::ArgAction::Append)]
    allowed_origin: Vec<String>,

    /// How many proxies of your own stand in front, each of which adds to `X-Forwarded-For`.
    #[arg(long, env = "NATTER_TRUSTED_PROXIES", value_name = "NUMBER", default_value_t = 0)]
    trusted_proxies: usize,

    /// How much of the newest part of the log is kept in memory, so that clients resume from there.
    #[arg(long, env = "NATTER_TAIL_SIZE", value_name = "SIZE", default_value_t = Size::bytes(128 << 20))]
    tail_size: Size,

    /// The most that may wait for one client that reads slowly.
    #[arg(long, env = "NATTER_SESSION_WAITING_SIZE", value_name = "SIZE", default_value_t = Size::bytes(1 << 20))]
    session_waiting_size: Size,

    /// Sockets on this gateway.
    #[arg(long, env = "NATTER_MAX_SOCKETS", value_name = "NUMBER", default_value_t = 100_000)]
    max_sockets: usize,

    /// Sockets of one user on this gateway.
    #[arg(long, env = "NATTER_MAX_SOCKETS_PER_USER", value_name = "NUMBER", default_value_t = 32)]
    max_sockets_per_user: usize,

    /// Messages of one user in each rate window, over all gateways.
    #[arg(long, env = "NATTER_MAX_MESSAGES", value_name = "NUMBER", default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..))]
    max_messages: u32,

    /// Other durable commands of one user in each rate window.
    #[arg(long, env = "NATTER_MAX_COMMANDS", value_name = "NUMBER", default_value_t = 60, value_parser = clap::value_parser!(u32).range(1..))]
    max_commands: u32,

    /// Messages of all members of a room together in each rate window, over all gateways.
    #[arg(long, env = "NATTER_MAX_ROOM_MESSAGES", value_name = "NUMBER", default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..))]
    max_room_messages: u32,

    /// Members of one room, about: history counts them.
    #[arg(long, env = "NATTER_MAX_ROOM_MEMBERS", value_name = "NUMBER", default_value_t = 20_000, value_parser = clap::value_parser!(u64).range(1..))]
    max_room_members: u64,

    /// The rate window of messages and commands.
    #[arg(long, env = "NATTER_RATE_WINDOW", value_name = "DURATION", default_value_t = Time::of(Duration::from_secs(10)))]
    rate_window: Time,

    /// How long sockets are served on after a stop was asked for.
    #[arg(long, env = "NATTER_DRAIN", value_name = "DURATION", default_value_t = Time::of(Duration::from_secs(4)))]
    drain: Time,
}

impl Tunables {
    pub fn config(&self, history_url: Option<String>) -> Config {
        Config {
            name: self.gateway_name.clone(),
            allowed_origins: self.public_url.iter().chain(&self.allowed_origin).map(|url| origin(url)).collect(),
            history_url,
            tail_bytes: self.tail_size.as_usize(),
            session_waiting_bytes: self.session_waiting_size.as_usize(),
            sockets_per_user: self.max_sockets_per_user,
            sockets: self.max_sockets,
            messages: self.max_messages,
            messages_window: self.rate_window.get(),
            other_commands: self.max_commands,
            room_messages: self.max_room_messages,
            room_members: self.max_room_members,
            drain: self.drain.get(),
            ..Config::default()
        }
    }

    pub fn accounts(&self, session_lifetime: Duration) -> AccountConfig {
        AccountConfig {
            session_ttl: session_lifetime,
            trusted_proxies: self.trusted_proxies,
            ..AccountConfig::for_origin(self.public_url.as_deref().unwrap_or_default())
        }
    }

    pub fn serve_options(&self) -> ServeOptions {
        ServeOptions { max_connections: self.max_sockets.saturating_add(OTHER_CONNECTIONS), ..ServeOptions::default() }
    }

    /// How long a stop takes at most.
    pub fn grace(&self) -> Duration {
        self.drain.get() + LAST_FRAMES + LAST_WORDS
    }
}

/// An origin has no path; people write the slash all the same.
fn origin(url: &str) -> String {
    url.trim_end_matches('/').to_owned()
}

/// Starts a gateway's tasks, each under its name in the log.
pub fn start(config: Config, accounts: AccountConfig, deps: Deps) -> Result<Arc<Gateway>, Failure> {
    let span = tracing::error_span!("gateway", source = "gateway");
    span.in_scope(|| Gateway::start(config, accounts, deps)).map_err(|error| Failure::caused_by(Exit::Usage, &error))
}

/// Serves until the stop, in two steps: first the sockets, which the gateway's own tasks work for, then these tasks.
///
/// `sockets` is a child of the gateway's whole stop. It turns hard when no socket is left, and leaves the tasks the time
/// that remains to end by themselves.
pub async fn serve(
    listener: TcpListener,
    router: axum::Router,
    options: ServeOptions,
    sockets: Shutdown,
) -> std::io::Result<()> {
    let drain_limit = sockets.grace().saturating_sub(LAST_WORDS);
    let drained = async {
        sockets.requested().await;
        tokio::time::sleep(drain_limit).await;
        sockets.force();
    };
    let served = http::serve(listener, router, options, sockets.clone());
    // Cutting the sockets that are left ends the serving too.
    let (served, ()) = tokio::join!(
        async {
            let served = served.await;
            sockets.force();
            served
        },
        async {
            tokio::select! {
                () = drained => {}
                () = sockets.forced() => {}
            }
        }
    );
    served
}

pub async fn run(options: Options) -> Result<(), Failure> {
    let frame = Frame::new(options.tunables.grace())?;
    let clock = Clock::system();
    let signing_key = PrivateKey::read(&options.signing_key).map_err(|error| bad_key(&options.signing_key, &error))?;
    let public_keys = read_public_keys(&options.public_key)?.into_iter().chain([signing_key.public()]);
    let verifier = options.signing.realm.verifier(public_keys, &clock);
    let signer = options.signing.signer(&signing_key, &clock)?;
    let (listener, address) = bind(options.listen).await?;
    let connected = frame.prepare(async {
        let log = options.broker.connect(&options.tunables.gateway_name).await?;
        let keys = key_ring(&log, &options.master_key).await?;
        Ok((log, keys))
    });
    let Some((log, keys)) = connected.await? else { return Ok(()) };

    let config = options.tunables.config(options.history_url.clone());
    let accounts = options.tunables.accounts(options.broker.store.session_lifetime());
    let sockets = frame.shutdown.child();
    let (tasks, shutdown) = (frame.tasks.clone(), sockets.clone());
    let gateway = start(config, accounts, Deps { log, keys, signer, verifier, clock: clock.clone(), tasks, shutdown })?;

    let readiness = Readiness::new(&frame.shutdown);
    gateway.add_checks(&readiness);
    let ops = Ops { readiness, metrics: frame.metrics.clone(), clock };
    let router = layered(gateway.router().merge(ops.router()), &LayerOptions::default());
    let served = serve(listener, router, options.tunables.serve_options(), sockets);
    frame.tasks.spawn("http", Policy::Essential, served);
    tracing::info!(%address, "the gateway listens");
    println!("The gateway listens on http://{address}");
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

    fn tunables(arguments: &[&str]) -> Tunables {
        let command = <Only as clap::CommandFactory>::command().no_binary_name(true);
        let matches = command.mut_args(|arg| arg.env(None)).try_get_matches_from(arguments).expect("valid");
        Only::from_arg_matches(&matches).expect("valid").tunables
    }

    /// The gateway crate and the command line must not disagree about what is usual.
    #[test]
    fn the_defaults_are_those_of_the_gateway() {
        let (here, there) = (tunables(&[]).config(None), Config::default());
        assert_eq!(
            (here.tail_bytes, here.session_waiting_bytes, here.sockets, here.sockets_per_user),
            (there.tail_bytes, there.session_waiting_bytes, there.sockets, there.sockets_per_user)
        );
        assert_eq!(
            (here.messages, here.messages_window, here.other_commands),
            (there.messages, there.messages_window, there.other_commands)
        );
        assert_eq!(tunables(&[]).accounts(Duration::from_secs(60)).session_ttl, Duration::from_secs(60));
    }

    #[test]
    fn a_public_url_is_an_allowed_origin_and_decides_about_cookies() {
        let tunables =
            tunables(&["--public-url", "https://chat.example.org/", "--allowed-origin", "https://a,https://b"]);
        assert_eq!(tunables.config(None).allowed_origins, ["https://chat.example.org", "https://a", "https://b"]);
        assert!(tunables.accounts(Duration::from_secs(60)).secure_cookies);
    }
}
