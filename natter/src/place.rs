//! Where the log and its read models are, for commands that work on both: a deployment whose addresses are given, the
//! `natter up` that runs on a data folder, or a data folder on which none runs. Then the two engines are started for as long
//! as it takes.

use std::path::PathBuf;

use natter_engines::{DataFolder, Tools};
use natter_log::{KeyRing, Log, Settings};
use natter_platform::lifecycle::{Shutdown, Tasks, shutdown_on_signals};
use natter_projector::{Config, ReplayError};

use crate::exit::{Exit, Failure};
use crate::log_at::{DATA_MARKER, GRACE, LogAt};
use crate::migrate::migrate;
use crate::run_file;
use crate::services::broker::{connect, key_ring};
use crate::services::projector::Tunables;
use crate::up::engines::{Engines, Urls, Wishes};

#[derive(Debug, clap::Args)]
#[group(skip)]
pub struct Place {
    /// The PostgreSQL database, with user and password: postgres://user:password@host:5432/natter
    #[arg(long, env = "NATTER_POSTGRES_URL", value_name = "URL", hide_env_values = true, requires = "master_key")]
    postgres_url: Option<String>,

    /// The key that wraps the keys of what people write: 64 hexadecimal digits in a file, for nobody else to read.
    #[arg(long, env = "NATTER_MASTER_KEY", value_name = "FILE")]
    master_key: Option<PathBuf>,

    /// The log alone.
    #[command(flatten)]
    pub at: LogAt,
    #[command(flatten)]
    projector: Tunables,
}

/// What is there.
pub struct Parts {
    pub config: Config,
    pub log: Log,
    pub keys: KeyRing,
}

impl Place {
    /// Does something with the log and its read models, as `name`. A signal requests the stop that it is given.
    pub async fn with<T>(
        &self,
        name: &str,
        work: impl AsyncFnOnce(Parts, &Shutdown) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        let shutdown = Shutdown::new(GRACE);
        let tasks = Tasks::new(&shutdown);
        shutdown_on_signals(&shutdown, &tasks)
            .map_err(|error| Failure::new(Exit::Other, format!("cannot wait for signals: {error}")))?;
        match (&self.postgres_url, &self.master_key) {
            (Some(url), Some(master_key)) => {
                let begun = async {
                    let log = self.at.broker.connect(name).await?;
                    let keys = key_ring(&log, master_key).await?;
                    Ok(Parts { config: self.projector.config(url), log, keys })
                };
                work(unless_stopped(&shutdown, begun).await?, &shutdown).await
            }
            _ => self.in_data_folder(name, &shutdown, work).await,
        }
    }

    async fn in_data_folder<T>(
        &self,
        name: &str,
        shutdown: &Shutdown,
        work: impl AsyncFnOnce(Parts, &Shutdown) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        if !self.at.data.join(DATA_MARKER).exists() {
            let data = self.at.data.display();
            let why =
                format!("{data} is not the data folder of a `natter up`; name it with --data, or a deployment's parts");
            return Err(Failure::new(Exit::Usage, why));
        }
        if let Ok(running) = run_file::read(&self.at.data) {
            let urls = Urls {
                nats_address: running.nats_address,
                nats_user: running.nats_user,
                nats_password: running.nats_password,
                postgres: running.postgres_url,
                ..Urls::default()
            };
            let parts = unless_stopped(shutdown, self.parts(name, &urls)).await?;
            return work(parts, shutdown).await;
        }
        let tools = Tools::find(self.at.tools.as_deref())?;
        let data = DataFolder::open(&self.at.data)?;
        let mut engines = Engines::default();
        let begun = async {
            engines.start(&tools, &data, &Wishes::default()).await?;
            migrate(&engines.urls().postgres).await?;
            self.parts(name, engines.urls()).await
        };
        let outcome = match unless_stopped(shutdown, begun).await {
            Ok(parts) => work(parts, shutdown).await,
            Err(failure) => Err(failure),
        };
        engines.stop(shutdown).await;
        outcome
    }

    /// The parts of the data folder.
    async fn parts(&self, name: &str, urls: &Urls) -> Result<Parts, Failure> {
        let settings = Settings {
            servers: vec![format!("nats://{}", urls.nats_address)],
            user: Some(urls.nats_user.clone()),
            password: Some(urls.nats_password.clone()),
            name: name.to_owned(),
            ..self.at.broker.store.settings()
        };
        let log = connect(settings, GRACE).await?;
        let keys = key_ring(&log, &self.at.data.join("keys").join("master.key")).await?;
        Ok(Parts { config: self.projector.config(&urls.postgres), log, keys })
    }
}

async fn unless_stopped<T>(shutdown: &Shutdown, begun: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
    tokio::select! {
        begun = begun => begun,
        () = shutdown.requested() => Err(Failure::new(Exit::Other, "stopped before anything was changed")),
    }
}

/// The exit code of a replay that did not come to its end.
pub fn replay_failure(error: &ReplayError) -> Failure {
    use natter_projector::Error;
    let exit = match error {
        ReplayError::Projector(Error::OtherLog { .. }) => Exit::OtherLog,
        ReplayError::Projector(Error::Hole(_)) => Exit::Damaged,
        ReplayError::Projector(Error::DatabaseUrl(_)) => Exit::Usage,
        ReplayError::Projector(Error::Schema(_) | Error::Keys(_)) => Exit::HalfInitialised,
        ReplayError::Interrupted(_) => Exit::Unreachable,
        _ => Exit::Other,
    };
    Failure::caused_by(exit, error)
}
