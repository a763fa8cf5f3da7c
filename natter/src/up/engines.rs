//! The two engines of `natter up`.

use std::sync::Arc;
use std::time::Duration;

use bytesize::ByteSize;
use natter_engines::{
    ClusterOptions, DataFolder, EngineError, LineSink, Nats, NatsOptions, Postgres, PostgresOptions, Report,
    RestartPolicy, Result, RunAs, Stopped, Supervised, Tools, ensure_cluster,
};
use natter_log::Settings;
use natter_platform::lifecycle::Shutdown;

use super::lines::{nats_line, postgres_line};

/// After this an engine that still runs is killed. Everything acknowledged is on disk before that.
const POSTGRES_GRACE: Duration = Duration::from_millis(2000);
const NATS_GRACE: Duration = Duration::from_millis(1500);
/// When somebody asks twice.
const IMPATIENT_GRACE: Duration = Duration::from_millis(200);

/// What can be chosen.
pub struct Wishes {
    pub nats_port: u16,
    pub sync_interval: String,
    pub postgres_memory: ByteSize,
}

/// As `natter up` does it without being asked for anything else.
impl Default for Wishes {
    fn default() -> Self {
        Self { nats_port: 0, sync_interval: "always".to_owned(), postgres_memory: ByteSize::mib(128) }
    }
}

#[derive(Clone, Default)]
pub struct Urls {
    /// With user and password, as is PostgreSQL's.
    pub nats: String,
    pub nats_address: String,
    pub nats_user: String,
    pub nats_password: String,
    /// Of the account that may read the streams and nothing else.
    pub analytics_user: String,
    pub analytics_password: String,
    pub postgres: String,
}

impl Urls {
    /// The way to the broker, for its own service.
    pub fn broker_settings(&self, name: &str, rest: Settings) -> Settings {
        Settings {
            servers: vec![format!("nats://{}", self.nats_address)],
            user: Some(self.nats_user.clone()),
            password: Some(self.nats_password.clone()),
            name: name.to_owned(),
            ..rest
        }
    }
}

#[derive(Default)]
pub struct Engines {
    nats: Option<Supervised>,
    postgres: Option<Supervised>,
    urls: Urls,
}

impl Engines {
    /// Starts both at once. What has started by the time the other fails is stopped with [`Self::stop`].
    pub async fn start(&mut self, tools: &Tools, data: &DataFolder, wishes: &Wishes) -> Result<()> {
        let Self { nats, postgres, urls } = self;
        let mut postgres_url = String::new();
        let start_nats = async {
            *nats = Some(keep_nats(tools, data, wishes, urls).await?);
            Ok(())
        };
        let start_postgres = async {
            let engine = start_postgres(tools, data, wishes).await?;
            postgres_url = engine.url();
            *postgres = Some(Supervised::keep(engine, RestartPolicy::default(), report("postgres")));
            Ok(())
        };
        tokio::try_join!(start_nats, start_postgres)?;
        self.urls.postgres = postgres_url;
        Ok(())
    }

    /// The broker alone, for what needs nothing else.
    pub async fn start_broker(&mut self, tools: &Tools, data: &DataFolder, wishes: &Wishes) -> Result<()> {
        self.nats = Some(keep_nats(tools, data, wishes, &mut self.urls).await?);
        Ok(())
    }

    /// Empty until it has started.
    pub fn urls(&self) -> &Urls {
        &self.urls
    }

    /// Waits until one of them has died too often.
    pub async fn given_up(&mut self) -> EngineError {
        tokio::select! {
            error = given_up(&mut self.nats) => error,
            error = given_up(&mut self.postgres) => error,
        }
    }

    /// The reader of the log first, then the log.
    pub async fn stop(self, shutdown: &Shutdown) {
        stop(self.postgres, "postgres", POSTGRES_GRACE, shutdown).await;
        stop(self.nats, "nats", NATS_GRACE, shutdown).await;
    }
}

async fn given_up(engine: &mut Option<Supervised>) -> EngineError {
    match engine {
        Some(engine) => engine.given_up().await,
        None => std::future::pending().await,
    }
}

async fn stop(engine: Option<Supervised>, source: &str, grace: Duration, shutdown: &Shutdown) {
    let Some(engine) = engine else { return };
    let shutdown = shutdown.clone();
    let patience = async move {
        tokio::select! {
            () = tokio::time::sleep(grace) => {}
            // Asked twice, people mean now.
            () = async { shutdown.forced().await; tokio::time::sleep(IMPATIENT_GRACE).await } => {}
        }
    };
    match engine.stop(patience).await {
        Stopped::InTime => tracing::info!(source, "stopped"),
        Stopped::Killed => tracing::warn!(source, "did not stop in time and was killed"),
    }
}

async fn keep_nats(tools: &Tools, data: &DataFolder, wishes: &Wishes, urls: &mut Urls) -> Result<Supervised> {
    let engine = start_nats(tools, data, wishes).await?;
    (urls.nats, urls.nats_address) = (engine.url(), engine.address());
    (urls.nats_user, urls.nats_password) = (engine.user().to_owned(), engine.password().to_owned());
    urls.analytics_user = engine.analytics_user().to_owned();
    urls.analytics_password = engine.analytics_password().to_owned();
    Ok(Supervised::keep(engine, RestartPolicy::default(), report("nats")))
}

async fn start_nats(tools: &Tools, data: &DataFolder, wishes: &Wishes) -> Result<Nats> {
    let options = NatsOptions {
        port: wishes.nats_port,
        sync_interval: wishes.sync_interval.clone(),
        analytics_password: data.secret("nats-analytics")?,
        ..NatsOptions::new(data.nats(), data.secret("nats")?)
    };
    Nats::start(tools, options, Arc::new(nats_line)).await
}

async fn start_postgres(tools: &Tools, data: &DataFolder, wishes: &Wishes) -> Result<Postgres> {
    let folder = data.postgres();
    let sink: LineSink = Arc::new(postgres_line);
    let run_as = RunAs::for_engine("PostgreSQL", &folder, &tools.postgres())?;
    let password = data.secret("postgres")?;
    let cluster = ClusterOptions { password: password.clone(), sync: true, wal_segment_mib: 16 };
    ensure_cluster(tools, &folder, &run_as, &cluster, sink.clone()).await?;
    let shared_buffers_mib = u32::try_from(wishes.postgres_memory.as_u64() >> 20).unwrap_or(u32::MAX);
    let options = PostgresOptions { shared_buffers_mib, ..PostgresOptions::new(folder, password) };
    Postgres::start(tools, options, run_as, sink).await
}

fn report(source: &'static str) -> Report {
    Arc::new(move |text| tracing::warn!(source, "{text}"))
}
