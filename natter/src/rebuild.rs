//! `natter rebuild`: the read models emptied and made again from the log, with a bar that says how far it is.
//!
//! For a deployment whose addresses are given, or for the data folder of a `natter up` that does not run: then the two
//! engines are started for as long as it takes.

use std::path::PathBuf;
use std::time::Duration;

use indicatif::HumanCount;
use natter_engines::{DataFolder, Tools};
use natter_log::{KeyRing, Log, Settings};
use natter_platform::lifecycle::{Shutdown, Tasks, shutdown_on_signals};
use natter_projector::{Config, Error, RebuildError, Rebuilt};

use crate::exit::{Exit, Failure};
use crate::migrate::migrate;
use crate::progress::{Shown, Unit};
use crate::services::broker::{BrokerOptions, connect, key_ring};
use crate::services::projector::Tunables;
use crate::up::engines::{Engines, Wishes};

/// The batch under way is ended, and then the engines.
const GRACE: Duration = Duration::from_secs(8);
/// Said last in a data folder that a `natter up` has completed.
pub const DATA_MARKER: &str = "natter.data";

#[derive(Debug, clap::Args)]
pub struct Options {
    /// The PostgreSQL database, with user and password: postgres://user:password@host:5432/natter
    #[arg(long, env = "NATTER_POSTGRES_URL", value_name = "URL", hide_env_values = true, requires = "master_key")]
    postgres_url: Option<String>,

    /// The key that wraps the keys of what people write: 64 hexadecimal digits in a file, for nobody else to read.
    #[arg(long, env = "NATTER_MASTER_KEY", value_name = "FILE")]
    master_key: Option<PathBuf>,

    /// The folder of everything that is kept, of a `natter up` that does not run now; used unless a database is given.
    #[arg(long, env = "NATTER_DATA", value_name = "FOLDER", default_value = "data")]
    data: PathBuf,

    /// The folder of the engines; without it, the nearest `.tools` above the working folder or this program.
    #[arg(long, env = "NATTER_TOOLS", value_name = "FOLDER")]
    tools: Option<PathBuf>,

    #[command(flatten)]
    broker: BrokerOptions,
    #[command(flatten)]
    projector: Tunables,
}

pub async fn run(options: Options) -> Result<(), Failure> {
    let shutdown = Shutdown::new(GRACE);
    let tasks = Tasks::new(&shutdown);
    shutdown_on_signals(&shutdown, &tasks)
        .map_err(|error| Failure::new(Exit::Other, format!("cannot wait for signals: {error}")))?;
    match (&options.postgres_url, &options.master_key) {
        (Some(url), Some(master_key)) => {
            let begun = async {
                let log = options.broker.connect("rebuild").await?;
                let keys = key_ring(&log, master_key).await?;
                Ok((log, keys))
            };
            let (log, keys) = unless_stopped(&shutdown, begun).await?;
            rebuild(options.projector.config(url), log, keys, &shutdown).await
        }
        _ => in_data_folder(&options, &shutdown).await,
    }
}

async fn in_data_folder(options: &Options, shutdown: &Shutdown) -> Result<(), Failure> {
    if !options.data.join(DATA_MARKER).exists() {
        let data = options.data.display();
        let why =
            format!("{data} is not the data folder of a `natter up`; name it with --data, or a deployment's parts");
        return Err(Failure::new(Exit::Usage, why));
    }
    let tools = Tools::find(options.tools.as_deref())?;
    let data = DataFolder::open(&options.data)?;
    let mut engines = Engines::default();
    let begun = async {
        engines.start(&tools, &data, &Wishes::default()).await?;
        let urls = engines.urls();
        migrate(&urls.postgres).await?;
        let settings = Settings {
            servers: vec![format!("nats://{}", urls.nats_address)],
            user: Some(urls.nats_user.clone()),
            password: Some(urls.nats_password.clone()),
            name: "rebuild".to_owned(),
            ..options.broker.store.settings()
        };
        let log = connect(settings, GRACE).await?;
        let keys = key_ring(&log, &data.keys()?.join("master.key")).await?;
        Ok((options.projector.config(&urls.postgres), log, keys))
    };
    let outcome = match unless_stopped(shutdown, begun).await {
        Ok((config, log, keys)) => rebuild(config, log, keys, shutdown).await,
        Err(failure) => Err(failure),
    };
    engines.stop(shutdown).await;
    outcome
}

async fn unless_stopped<T>(shutdown: &Shutdown, begun: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
    tokio::select! {
        begun = begun => begun,
        () = shutdown.requested() => Err(Failure::new(Exit::Other, "stopped before anything was changed")),
    }
}

async fn rebuild(config: Config, log: Log, keys: KeyRing, shutdown: &Shutdown) -> Result<(), Failure> {
    let mut shown = Shown::of(Unit::Events);
    let rebuilt = natter_projector::rebuild(config, log, keys, |at, of| shown.at(at, of), shutdown).await;
    shown.end();
    let Rebuilt { events, took } = rebuilt.map_err(|error| failure(&error))?;
    let rate = events as f64 / took.as_secs_f64().max(0.001);
    println!(
        "The read models are made again from {} events in {:.1} s: {} a second.",
        HumanCount(events),
        took.as_secs_f64(),
        HumanCount(rate as u64)
    );
    Ok(())
}

fn failure(error: &RebuildError) -> Failure {
    let exit = match error {
        RebuildError::Projector(Error::OtherLog { .. }) => Exit::OtherLog,
        RebuildError::Projector(Error::Hole(_)) => Exit::Damaged,
        RebuildError::Projector(Error::DatabaseUrl(_)) => Exit::Usage,
        RebuildError::Projector(Error::Schema(_) | Error::Keys(_)) => Exit::HalfInitialised,
        RebuildError::Interrupted(_) => Exit::Unreachable,
        RebuildError::Active | RebuildError::Stopped { .. } | RebuildError::Projector(_) => Exit::Other,
    };
    Failure::caused_by(exit, error)
}
