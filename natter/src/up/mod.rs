//! `natter up`: everything on one machine, in one foreground process that owns its two engines.
//!
//! Starting goes from the bottom up: listen, take the data folder, start the engines, migrate, start the services. Stopping
//! goes the other way. Whatever fails while starting, or Ctrl-C, stops what runs by then, in the same order.

mod engines;
mod keys;
mod lines;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use bytesize::ByteSize;
use natter_engines::{DataFolder, EngineError, Tools};
use natter_platform::lifecycle::{Shutdown, Tasks, shutdown_on_signals};
use tokio::net::TcpListener;
use tracing::Instrument;

use crate::exit::{Exit, Failure};
use crate::listen::{bind, browser_url};
use crate::migrate::migrate;
use crate::run_file::RunFile;
use engines::Engines;
use keys::Keys;

/// How long the services may take to end: goodbyes, open requests, the batch that is being projected. The engines take
/// their turn after that; all of it stays below the ten seconds that people wait.
const SERVICES_GRACE: Duration = Duration::from_millis(5500);

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
    let shutdown = Shutdown::new(SERVICES_GRACE);
    let tasks = Tasks::new(&shutdown);
    shutdown_on_signals(&shutdown, &tasks)
        .map_err(|error| Failure::new(Exit::Other, format!("cannot wait for signals: {error}")))?;

    let mut running = Running::default();
    let started = tokio::select! {
        started = running.start(&options) => started.map(Some),
        () = shutdown.requested() => Ok(None),
    };
    let outcome = match started {
        Ok(Some(address)) => {
            println!("Natter is ready: open {}", browser_url(address));
            running.until_stop(&shutdown).await
        }
        Ok(None) => Ok(()),
        Err(failure) => Err(failure),
    };
    shutdown.request();
    running.stop(&shutdown).await;
    outcome
}

/// What has been started so far, from the bottom up.
#[derive(Default)]
struct Running {
    data: Option<DataFolder>,
    engines: Engines,
    run_file: Option<RunFile>,
}

impl Running {
    async fn start(&mut self, options: &Options) -> Result<SocketAddr, Failure> {
        // First what is likely to be wrong and quick to see.
        let (_listener, address): (TcpListener, _) = bind(options.listen).await?;
        let tools = Tools::find(options.tools.as_deref())?;
        let data = self.data.insert(DataFolder::open(&options.data)?);

        let wishes = engines::Wishes {
            nats_port: options.nats_port,
            sync_interval: options.sync_interval.clone(),
            postgres_memory: options.postgres_memory,
        };
        self.engines.start(&tools, data, &wishes).await?;
        let urls = self.engines.urls().clone();
        let _keys = Keys::read_or_create(&data.keys()?)?;
        migrate(&urls.postgres).await?;

        data.mark_complete(&["keys", "secrets/nats", "secrets/postgres", "nats/store", "postgres/PG_VERSION"])?;
        self.run_file = Some(RunFile::write(data.path(), &browser_url(address), &urls.nats, &urls.postgres)?);
        Ok(address)
    }

    /// Returns when the stop is asked for, or with what makes going on impossible.
    async fn until_stop(&mut self, shutdown: &Shutdown) -> Result<(), Failure> {
        let given_up: EngineError = tokio::select! {
            () = shutdown.requested() => return Ok(()),
            error = self.engines.given_up() => error,
        };
        tracing::error!("{given_up}");
        Err(given_up.into())
    }

    async fn stop(self, shutdown: &Shutdown) {
        let Self { data, engines, run_file } = self;
        drop(run_file);
        engines.stop(shutdown).await;
        // Last: from here on another Natter may have the folder.
        drop(data);
    }
}
