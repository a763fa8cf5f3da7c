//! The log that a command works on: of a deployment whose broker is given, of the `natter up` that runs on this machine, or
//! of a data folder on which none runs. Then the engines are started for as long as it takes.

use std::path::PathBuf;
use std::time::Duration;

use natter_engines::{DataFolder, Tools};
use natter_log::{Log, Settings};
use natter_platform::lifecycle::{Shutdown, Tasks, shutdown_on_signals};

use crate::exit::{Exit, Failure};
use crate::run_file;
use crate::services::broker::{BrokerOptions, connect};
use crate::up::engines::{Engines, Wishes};

/// Said last in a data folder that a `natter up` has completed.
pub const DATA_MARKER: &str = "natter.data";
/// What is under way is ended, and then the engines.
pub const GRACE: Duration = Duration::from_secs(8);

#[derive(Debug, clap::Args)]
#[group(skip)]
pub struct LogAt {
    /// The folder of everything that is kept, of a `natter up`; used unless a user of the broker is given.
    #[arg(long, env = "NATTER_DATA", value_name = "FOLDER", default_value = "data")]
    pub data: PathBuf,

    /// The folder of the engines; without it, the nearest `.tools` above the working folder or this program.
    #[arg(long, env = "NATTER_TOOLS", value_name = "FOLDER")]
    pub tools: Option<PathBuf>,

    #[command(flatten)]
    pub broker: BrokerOptions,
}

impl LogAt {
    /// Does something with the log, until it is done or the stop is asked for.
    pub async fn with<T>(&self, name: &str, work: impl AsyncFnOnce(Log) -> Result<T, Failure>) -> Result<T, Failure> {
        let shutdown = Shutdown::new(GRACE);
        let tasks = Tasks::new(&shutdown);
        shutdown_on_signals(&shutdown, &tasks)
            .map_err(|error| Failure::new(Exit::Other, format!("cannot wait for signals: {error}")))?;
        let mut engines = None;
        let done = async {
            let log = self.connect(name, &mut engines).await?;
            work(log).await
        };
        let done = tokio::select! {
            done = done => done,
            () = shutdown.requested() => Err(Failure::new(Exit::Other, "stopped before it was done")),
        };
        if let Some(engines) = engines {
            engines.stop(&shutdown).await;
        }
        done
    }

    async fn connect(&self, name: &str, engines: &mut Option<Engines>) -> Result<Log, Failure> {
        if self.broker.address.has_login() {
            return self.broker.connect(name).await;
        }
        let (address, user, password) = match run_file::read(&self.data) {
            Ok(running) => (running.nats_address, running.nats_user, running.nats_password),
            Err(why) if !self.data.join(DATA_MARKER).exists() => {
                let advice = "name a data folder with --data, or a broker with --nats-url and --nats-user";
                return Err(Failure::new(Exit::Usage, format!("natter up {why}; {advice}")));
            }
            Err(_) => {
                let (tools, data) = (Tools::find(self.tools.as_deref())?, DataFolder::open(&self.data)?);
                let engines = engines.insert(Engines::default());
                engines.start(&tools, &data, &Wishes::default()).await?;
                let urls = engines.urls();
                (urls.nats_address.clone(), urls.nats_user.clone(), urls.nats_password.clone())
            }
        };
        let settings = Settings {
            servers: vec![format!("nats://{address}")],
            user: Some(user),
            password: Some(password),
            name: name.to_owned(),
            ..self.broker.store.settings()
        };
        connect(settings, GRACE).await
    }
}
