//! `natter backup`: everything that cannot be made again, copied into a folder while people talk.
//!
//! That is the log and the buckets beside it. PostgreSQL is not in it: it is made again from the log. Nor is the master
//! key: whoever has both can read everything, so it is kept elsewhere, and a restore asks for it. `docs/OPERATIONS.md` is
//! the operator's side of this.

pub mod folder;
pub mod take;

use std::path::{Path, PathBuf};
use std::time::Duration;

use indicatif::{HumanBytes, HumanCount};
use natter_engines::{DataFolder, Tools};
use natter_log::{Log, Settings};
use natter_platform::lifecycle::{Shutdown, Tasks, shutdown_on_signals};

use crate::exit::{Exit, Failure};
use crate::progress::{Progress, Unit};
use crate::run_file;
use crate::services::broker::{BrokerAddress, connect_only};
use crate::up::engines::{Engines, Wishes};
use folder::Manifest;

/// What is half written is taken away, and a broker that was started for this stops.
const GRACE: Duration = Duration::from_secs(8);
/// The broker is our own and runs already.
const CONNECT_LIMIT: Duration = Duration::from_secs(10);

#[derive(Debug, clap::Args)]
pub struct Options {
    /// The folder to write the backup into. It is made, and is there only when the backup is whole.
    #[arg(value_name = "FOLDER")]
    folder: PathBuf,

    /// Write nothing: see whether the backup in the folder is whole and as it was written.
    #[arg(long, env = "NATTER_CHECK")]
    check: bool,

    /// The data folder of a `natter up`, whether it runs or not; it is copied unless a user of the broker is given.
    #[arg(long, env = "NATTER_DATA", value_name = "FOLDER", default_value = "data")]
    data: PathBuf,

    /// The folder of the engines; without it, the nearest `.tools` above the working folder or this program.
    #[arg(long, env = "NATTER_TOOLS", value_name = "FOLDER")]
    tools: Option<PathBuf>,

    #[command(flatten)]
    broker: BrokerAddress,
}

pub async fn run(options: Options) -> Result<(), Failure> {
    let shutdown = Shutdown::new(GRACE);
    let tasks = Tasks::new(&shutdown);
    shutdown_on_signals(&shutdown, &tasks)
        .map_err(|error| Failure::new(Exit::Other, format!("cannot wait for signals: {error}")))?;
    if options.check {
        let manifest = check(&options.folder)?;
        println!("The backup of {} is whole: {}.", manifest.made_at, holds(&manifest));
        return Ok(());
    }
    if options.broker.has_login() {
        let settings = options.broker.settings("backup", Settings::default());
        return back_up(&options.folder, settings, options.broker.connect_timeout(), &shutdown).await;
    }
    match run_file::read(&options.data) {
        Ok(running) => {
            let settings = Settings {
                servers: vec![format!("nats://{}", running.nats_address)],
                user: Some(running.nats_user),
                password: Some(running.nats_password),
                name: "backup".to_owned(),
                ..Settings::default()
            };
            back_up(&options.folder, settings, CONNECT_LIMIT, &shutdown).await
        }
        Err(_) => of_stopped(&options, &shutdown).await,
    }
}

/// Of a data folder on which nothing runs: its broker is started for as long as it takes.
async fn of_stopped(options: &Options, shutdown: &Shutdown) -> Result<(), Failure> {
    if !DataFolder::is_there(&options.data) {
        let data = options.data.display();
        let why =
            format!("{data} is not the data folder of a `natter up`; name it with --data, or a broker and its user");
        return Err(Failure::new(Exit::Usage, why));
    }
    let tools = Tools::find(options.tools.as_deref())?;
    let data = DataFolder::open(&options.data)?;
    let mut engines = Engines::default();
    let outcome = match engines.start_broker(&tools, &data, &Wishes::default()).await {
        Ok(()) => {
            back_up(
                &options.folder,
                engines.urls().broker_settings("backup", Settings::default()),
                CONNECT_LIMIT,
                shutdown,
            )
            .await
        }
        Err(error) => Err(error.into()),
    };
    engines.stop(shutdown).await;
    outcome
}

async fn back_up(folder: &Path, settings: Settings, within: Duration, shutdown: &Shutdown) -> Result<(), Failure> {
    let taken = async {
        let log: Log = connect_only(settings, within).await?;
        take::take(&log, folder).await
    };
    let manifest = tokio::select! {
        manifest = taken => manifest?,
        () = shutdown.requested() => {
            return Err(Failure::new(Exit::Other, "stopped: there is no backup"));
        }
    };
    println!("Backed up {} into {}.", holds(&manifest), folder.display());
    println!("The master key is not in it, and nobody can read it without: keep a copy of that key elsewhere.");
    Ok(())
}

/// Reads all of a backup, with a bar.
pub fn check(folder: &Path) -> Result<Manifest, Failure> {
    let mut shown = Progress::of(Unit::Bytes);
    let checked = folder::check(folder, |at, of| shown.at(at, of));
    shown.end();
    checked
}

fn holds(manifest: &Manifest) -> String {
    format!("{} events ({})", HumanCount(manifest.events()), HumanBytes(manifest.bytes()))
}
