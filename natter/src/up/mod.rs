//! `natter up`: everything on one machine, in one foreground process that owns its two engines.
//!
//! Starting goes from the bottom up: listen, take the data folder, start the engines, migrate, start the services. Stopping
//! goes the other way. Whatever fails while starting, or Ctrl-C, stops what runs by then, in the same order.

pub mod engines;
mod keys;
mod lines;
mod services;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use bytesize::ByteSize;
use natter_engines::{DataFolder, Tools};
use natter_platform::lifecycle::Shutdown;
use natter_platform::telemetry::Metrics;
use tracing::Instrument;

use crate::exit::{Exit, Failure};
use crate::listen::{bind, browser_url};
use crate::migrate::migrate;
use crate::run_file::{self, RunFile};
use crate::services::broker::StoreOptions;
use crate::services::frame::Frame;
use crate::services::tokens::SigningOptions;
use crate::services::{gateway, history, projector, scrub};
use engines::Engines;
use keys::Keys;
use services::Services;

/// People wait ten seconds after Ctrl-C. The services have most of that, then the engines take their turn.
const STOP_LIMIT: Duration = Duration::from_millis(9200);

#[derive(Debug, clap::Args)]
pub struct Options {
    /// Where to listen; port 0 takes any free port, and the address is printed.
    #[arg(long, env = "NATTER_LISTEN", value_name = "ADDRESS:PORT", default_value = "127.0.0.1:8080")]
    listen: SocketAddr,

    /// The folder of everything that is kept. It is made if it is not there.
    #[arg(long, env = "NATTER_DATA", value_name = "FOLDER", default_value = "data")]
    data: PathBuf,

    /// The folder of the engines; without it, the nearest `.tools` above the working folder or this program.
    #[arg(long, env = "NATTER_TOOLS", value_name = "FOLDER")]
    tools: Option<PathBuf>,

    /// The port of the broker on 127.0.0.1, for other programs on this machine; 0 takes any free port.
    #[arg(long, env = "NATTER_NATS_PORT", value_name = "PORT", default_value_t = 0)]
    nats_port: u16,

    /// When the broker writes to disk: `always` before it acknowledges, or at intervals such as `100ms`.
    #[arg(long, env = "NATTER_SYNC_INTERVAL", value_name = "ALWAYS|DURATION", default_value = "always", value_parser = sync_interval)]
    sync_interval: String,

    /// How much memory PostgreSQL shares between its sessions.
    #[arg(long, env = "NATTER_POSTGRES_MEMORY", value_name = "SIZE", default_value = "128MiB", value_parser = postgres_memory)]
    postgres_memory: ByteSize,

    #[command(flatten)]
    store: StoreOptions,
    #[command(flatten)]
    signing: SigningOptions,
    #[command(flatten)]
    gateway: gateway::Tunables,
    #[command(flatten)]
    projector: projector::Tunables,
    #[command(flatten)]
    scrub: scrub::Tunables,
    #[command(flatten)]
    history: history::Tunables,
}

fn sync_interval(text: &str) -> Result<String, String> {
    match humantime::parse_duration(text) {
        _ if text == "always" => Ok(text.to_owned()),
        Ok(interval) if interval >= Duration::from_millis(1) => Ok(format!("{}ms", interval.as_millis())),
        Ok(_) => Err("an interval is at least 1ms; to write before each answer, say `always`".to_owned()),
        Err(error) => Err(format!("neither `always` nor a duration such as `100ms`: {error}")),
    }
}

fn postgres_memory(text: &str) -> Result<ByteSize, String> {
    let size: ByteSize = text.parse().map_err(|_| "not a size such as `128MiB`".to_owned())?;
    let allowed = ByteSize::mib(1)..=ByteSize::tib(1);
    if allowed.contains(&size) { Ok(size) } else { Err("not between 1MiB and 1TiB".to_owned()) }
}

pub async fn run(options: Options) -> Result<(), Failure> {
    start_and_stop(options).instrument(tracing::error_span!("up", source = "natter")).await
}

async fn start_and_stop(options: Options) -> Result<(), Failure> {
    let frame = Frame::new(STOP_LIMIT)?;
    let mut running = Running::default();
    let started = tokio::select! {
        started = running.start(&options, &frame.metrics) => started.map(Some),
        () = frame.shutdown.requested() => Ok(None),
    };
    let outcome = match started {
        Ok(Some(address)) => {
            println!("Natter is ready: open {}", browser_url(address));
            running.until_stop(&frame.shutdown).await
        }
        Ok(None) => Ok(()),
        Err(failure) => Err(failure),
    };
    frame.shutdown.request();
    let stopped = running.stop(&frame.shutdown).await;
    // What made it stop says more than what followed from that.
    outcome.and(stopped)
}

/// What has been started so far, from the bottom up.
#[derive(Default)]
struct Running {
    data: Option<DataFolder>,
    engines: Engines,
    services: Option<Services>,
    run_file: Option<RunFile>,
}

impl Running {
    async fn start(&mut self, options: &Options, metrics: &Metrics) -> Result<SocketAddr, Failure> {
        // First what is likely to be wrong and quick to see.
        let (listener, address) = bind(options.listen).await?;
        let tools = Tools::find(options.tools.as_deref())?;
        let data = self.data.insert(DataFolder::open(&options.data)?);
        let keys = Keys::read_or_create(&data.keys()?)?;

        let wishes = engines::Wishes {
            nats_port: options.nats_port,
            sync_interval: options.sync_interval.clone(),
            postgres_memory: options.postgres_memory,
        };
        self.engines.start(&tools, data, &wishes).await?;
        let urls = self.engines.urls().clone();
        migrate(&urls.postgres).await?;

        let services = self.services.insert(Services::new(options));
        let gateway = services.start(options, (listener, address), &keys, &urls, metrics).await?;

        data.mark_complete(&["keys/signing.pem", "keys/master.key", "secrets", "nats/store", "postgres/PG_VERSION"])?;
        let running = run_file::Running {
            pid: std::process::id(),
            url: browser_url(address),
            nats_url: urls.nats,
            nats_address: urls.nats_address,
            nats_user: urls.nats_user,
            nats_password: urls.nats_password,
            analytics_user: urls.analytics_user,
            analytics_password: urls.analytics_password,
            postgres_url: urls.postgres,
        };
        self.run_file = Some(RunFile::write(data.path(), &running)?);
        // Last: before a hole in the log the gateway stands still, and who repairs it needs what is written there.
        gateway.ready().await;
        Ok(address)
    }

    /// Returns when the stop is asked for, or with what makes going on impossible.
    async fn until_stop(&mut self, shutdown: &Shutdown) -> Result<(), Failure> {
        let services_ended = async {
            match &self.services {
                Some(services) => services.ended().await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            () = shutdown.requested() => Ok(()),
            error = self.engines.given_up() => {
                tracing::error!("{error}");
                Err(error.into())
            }
            // Why is found out when they are joined.
            () = services_ended => Ok(()),
        }
    }

    async fn stop(self, shutdown: &Shutdown) -> Result<(), Failure> {
        let Self { data, engines, services, run_file } = self;
        drop(run_file);
        let stopped = match services {
            Some(services) => services.stop(shutdown).await,
            None => Ok(()),
        };
        engines.stop(shutdown).await;
        // Last: from here on another Natter may have the folder.
        drop(data);
        stopped.map_err(|error| Failure::caused_by(Exit::Other, &error))
    }
}
