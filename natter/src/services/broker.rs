//! The way to the broker, and what Natter keeps there.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use natter_log::{Bucket, ConnectError, DeclareError, GroupCommit, KeyError, KeyRing, Log, ReadOnlyLog, Settings};
use tokio::time::Instant;

use crate::exit::{Exit, Failure};
use crate::master_key;
use crate::units::{Size, Time};

/// Content keys of authors that are kept unwrapped in memory, each about 100 bytes.
const KEYS_IN_MEMORY: u64 = 200_000;
const RETRY: Duration = Duration::from_millis(200);

/// Where the broker is and who we are to it.
#[derive(Debug, Clone, Args)]
#[group(skip)]
pub struct BrokerAddress {
    /// The broker, or the members of its cluster.
    #[arg(long, env = "NATTER_NATS_URL", value_name = "URL", value_delimiter = ',', action = clap::ArgAction::Append,
          default_value = "nats://127.0.0.1:4222", hide_env_values = true)]
    nats_url: Vec<String>,

    /// The user at the broker.
    #[arg(long, env = "NATTER_NATS_USER", value_name = "NAME")]
    nats_user: Option<String>,

    /// The password of that user.
    #[arg(long, env = "NATTER_NATS_PASSWORD", value_name = "PASSWORD", hide_env_values = true)]
    nats_password: Option<String>,

    /// A NATS credentials file, in place of user and password. It is read again at each connection.
    #[arg(long, env = "NATTER_NATS_CREDENTIALS", value_name = "FILE")]
    nats_credentials: Option<PathBuf>,

    /// Certificates to trust for TLS to the broker, in PEM; without it, those of the system.
    #[arg(long, env = "NATTER_NATS_CA", value_name = "FILE")]
    nats_ca: Option<PathBuf>,

    /// How long the broker is waited for at the start.
    #[arg(long, env = "NATTER_CONNECT_TIMEOUT", value_name = "DURATION", default_value_t = Time::of(Duration::from_secs(10)))]
    connect_timeout: Time,
}

/// The way to the broker of a service, which also makes what is missing there.
#[derive(Debug, Clone, Args)]
#[group(skip)]
pub struct BrokerOptions {
    #[command(flatten)]
    pub address: BrokerAddress,

    /// Copies of everything that is stored; more than one needs a cluster of that many brokers.
    #[arg(long, env = "NATTER_NATS_REPLICAS", value_name = "NUMBER", default_value_t = 1,
          value_parser = clap::value_parser!(u8).range(1..=5))]
    nats_replicas: u8,

    /// Commit appends in groups, so that they share a disk sync: `auto` does so unless there are replicas, `off` never.
    #[arg(long, env = "NATTER_GROUP_COMMIT", value_name = "AUTO|OFF", default_value = "auto", value_parser = ["auto", "off"])]
    group_commit: String,

    #[command(flatten)]
    pub store: StoreOptions,
}

/// How much may be kept.
#[derive(Debug, Clone, Args)]
#[group(skip)]
pub struct StoreOptions {
    /// The most that the event log may hold. It is never shortened; when it is full, nothing more is taken.
    #[arg(long, env = "NATTER_LOG_SIZE", value_name = "SIZE", default_value_t = Size::bytes(10 << 30))]
    log_size: Size,

    /// The most that the record of presence may hold; past it, its oldest part goes.
    #[arg(long, env = "NATTER_PRESENCE_SIZE", value_name = "SIZE", default_value_t = Size::bytes(1 << 30))]
    presence_size: Size,

    /// The most that each bucket (accounts, sessions, keys) may hold.
    #[arg(long, env = "NATTER_BUCKET_SIZE", value_name = "SIZE", default_value_t = Size::bytes(1 << 30))]
    bucket_size: Size,

    /// How long a login lasts that is not used.
    #[arg(long, env = "NATTER_SESSION_LIFETIME", value_name = "DURATION",
          default_value_t = Time::of(Duration::from_secs(14 * 24 * 3600)))]
    session_lifetime: Time,
}

impl StoreOptions {
    pub fn session_lifetime(&self) -> Duration {
        self.session_lifetime.get()
    }

    /// The settings of a log with these limits.
    pub fn settings(&self) -> Settings {
        Settings {
            max_chat_bytes: self.log_size.as_i64(),
            max_presence_bytes: self.presence_size.as_i64(),
            max_bucket_bytes: self.bucket_size.as_i64(),
            session_ttl: self.session_lifetime.get(),
            ..Settings::default()
        }
    }
}

impl BrokerAddress {
    /// Whether it says who we are.
    pub fn has_login(&self) -> bool {
        self.nats_user.is_some()
            || self.nats_credentials.is_some()
            || self.nats_url.iter().any(|server| server.contains('@'))
    }

    /// Settings with this address.
    pub fn settings(&self, name: &str, rest: Settings) -> Settings {
        Settings {
            servers: self.nats_url.clone(),
            user: self.nats_user.clone(),
            password: self.nats_password.clone(),
            credentials_file: self.nats_credentials.clone(),
            tls_ca_file: self.nats_ca.clone(),
            name: name.to_owned(),
            ..rest
        }
    }

    /// How long the broker is waited for.
    pub fn connect_timeout(&self) -> Duration {
        self.connect_timeout.get()
    }
}

impl BrokerOptions {
    pub fn settings(&self, name: &str) -> Settings {
        Settings {
            replicas: usize::from(self.nats_replicas),
            group_commit: if self.group_commit == "off" { GroupCommit::Off } else { GroupCommit::default() },
            ..self.address.settings(name, self.store.settings())
        }
    }

    pub async fn connect(&self, name: &str) -> Result<Log, Failure> {
        connect(self.settings(name), self.address.connect_timeout()).await
    }
}

/// Connects, waiting for a broker that is not there yet, and sees to it that it has all streams and buckets.
pub async fn connect(settings: Settings, within: Duration) -> Result<Log, Failure> {
    let deadline = Instant::now() + within;
    let log = connect_only(settings, within).await?;
    let differences = loop {
        match log.declare().await {
            // It was there a moment ago, and may be again in another.
            Err(DeclareError::Unavailable { .. }) if Instant::now() + RETRY < deadline => {
                tracing::info!("waiting for the broker's answer");
                tokio::time::sleep(RETRY).await;
            }
            declared => break declared,
        }
    };
    let differences = differences.map_err(|error| {
        let exit = match error {
            DeclareError::Unavailable { .. } | DeclareError::Mark(_) => Exit::Unreachable,
            DeclareError::Restoring => Exit::HalfInitialised,
            DeclareError::Refused { .. } | DeclareError::NoRoom { .. } => Exit::Other,
        };
        Failure::caused_by(exit, &error)
    })?;
    for difference in differences {
        tracing::warn!("the broker has another configuration than this Natter declares, and keeps it: {difference}");
    }
    Ok(log)
}

/// Connects and leaves everything as it is, waiting for a broker that is not there yet.
pub async fn connect_only(settings: Settings, within: Duration) -> Result<Log, Failure> {
    waiting(within, async || Log::connect(settings.clone()).await).await
}

/// Connects for reading, waiting for a broker that is not there yet.
pub async fn connect_read_only(settings: &Settings, within: Duration) -> Result<ReadOnlyLog, Failure> {
    waiting(within, async || ReadOnlyLog::connect(settings).await).await
}

/// Tries to connect until there is a broker.
async fn waiting<T>(within: Duration, connect: impl AsyncFn() -> Result<T, ConnectError>) -> Result<T, Failure> {
    let deadline = Instant::now() + within;
    loop {
        match connect().await {
            Ok(connected) => return Ok(connected),
            Err(ConnectError::Unreachable { servers, .. }) if Instant::now() + RETRY < deadline => {
                tracing::info!(servers, "waiting for the broker");
                tokio::time::sleep(RETRY).await;
            }
            Err(error) => return Err(not_connected(&error)),
        }
    }
}

fn not_connected(error: &ConnectError) -> Failure {
    let exit = match error {
        ConnectError::BadAddress { .. } | ConnectError::Credentials { .. } | ConnectError::Tls { .. } => Exit::Usage,
        ConnectError::Unreachable { .. } | ConnectError::Refused { .. } | ConnectError::NoJetStream { .. } => {
            Exit::Unreachable
        }
    };
    Failure::caused_by(exit, error)
}

/// The keys of authors in this log, opened with the master key in the file.
pub async fn key_ring(log: &Log, master_key: &std::path::Path) -> Result<KeyRing, Failure> {
    let master = natter_events::ContentKey::from_bytes(master_key::read(master_key)?);
    let keys = KeyRing::new(log.bucket(Bucket::Keys), master, KEYS_IN_MEMORY);
    keys.check_master_key().await.map_err(|error| {
        let exit =
            if matches!(error, KeyError::WrongMasterKey { .. }) { Exit::HalfInitialised } else { Exit::Unreachable };
        Failure::caused_by(exit, &error)
    })?;
    Ok(keys)
}
