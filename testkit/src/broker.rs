//! A nats-server of one's own.

use std::path::PathBuf;
use std::time::Duration;

use natter_engines::{Nats, NatsOptions, discard_lines, random_secret};
use tokio::sync::Mutex;

use crate::damage::Blocks;
use crate::pause;
use crate::workspace::{scratch_folder, tools};

#[derive(Debug, Clone)]
pub struct BrokerOptions {
    /// `always` as Natter ships it, or a duration.
    pub sync_interval: String,
    pub max_payload_bytes: u64,
    pub max_file_store_bytes: u64,
    /// Where it keeps everything; a folder that is gone after the test, unless it is named.
    pub folder: Option<PathBuf>,
}

impl Default for BrokerOptions {
    fn default() -> Self {
        let shipped = NatsOptions::new("", "");
        Self {
            sync_interval: shipped.sync_interval,
            max_payload_bytes: shipped.max_payload_bytes,
            max_file_store_bytes: shipped.max_file_store_bytes,
            folder: None,
        }
    }
}

/// A broker with JetStream on a folder of its own, on a free port of loopback, configured as Natter ships it.
/// It ends when it is dropped.
pub struct Broker {
    url: String,
    address: String,
    monitor_url: String,
    user: String,
    password: String,
    analytics: (String, String),
    store: PathBuf,
    nats: Mutex<Nats>,
}

impl Broker {
    pub async fn start() -> Self {
        Self::start_with(BrokerOptions::default()).await
    }

    pub async fn start_with(options: BrokerOptions) -> Self {
        let folder = options.folder.unwrap_or_else(|| scratch_folder("nats"));
        let options = NatsOptions {
            sync_interval: options.sync_interval,
            max_payload_bytes: options.max_payload_bytes,
            max_file_store_bytes: options.max_file_store_bytes,
            ..NatsOptions::new(folder, random_secret())
        };
        let nats = Nats::start(tools(), options, discard_lines()).await.unwrap_or_else(|error| panic!("{error}"));
        Self {
            url: nats.url(),
            address: nats.address(),
            monitor_url: nats.monitor_url(),
            user: nats.user().to_owned(),
            password: nats.password().to_owned(),
            analytics: (nats.analytics_user().to_owned(), nats.analytics_password().to_owned()),
            store: nats.store(),
            nats: Mutex::new(nats),
        }
    }

    /// With user and password in it.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The URL for clients that should reach the broker through something else, such as a [`crate::Proxy`].
    pub fn url_through(&self, address: &str) -> String {
        format!("nats://{}:{}@{address}", self.user, self.password)
    }

    /// `127.0.0.1:port`; it stays the same over restarts.
    pub fn address(&self) -> &str {
        &self.address
    }

    /// Where `/healthz` is, until the first restart.
    pub fn monitor_url(&self) -> &str {
        &self.monitor_url
    }

    pub fn user(&self) -> &str {
        &self.user
    }

    pub fn password(&self) -> &str {
        &self.password
    }

    /// User and password of the account that may read the streams and nothing else.
    pub fn analytics(&self) -> (&str, &str) {
        (&self.analytics.0, &self.analytics.1)
    }

    /// With user and password of that account in it.
    pub fn analytics_url(&self) -> String {
        let (user, password) = self.analytics();
        format!("nats://{user}:{password}@{}", self.address)
    }

    /// The folder of its JetStream files.
    pub fn store_dir(&self) -> &std::path::Path {
        &self.store
    }

    /// The files of a stream, to damage them. The broker must be down.
    pub fn blocks(&self, stream: &str) -> Blocks {
        Blocks::of(&self.store, stream)
    }

    pub async fn pid(&self) -> u32 {
        self.nats.lock().await.process().pid()
    }

    /// `kill -9`; returns when it is gone.
    pub async fn kill(&self) {
        self.nats.lock().await.process().kill().await;
    }

    /// Ends it in order; returns when it is gone.
    pub async fn stop(&self) {
        self.nats.lock().await.stop(Duration::from_secs(10)).await;
    }

    /// Starts it on the same port and data, after ending it if it runs.
    pub async fn restart(&self) {
        let mut nats = self.nats.lock().await;
        nats.stop(Duration::from_secs(10)).await;
        nats.start_again().await.unwrap_or_else(|error| panic!("{error}"));
    }

    /// It stands still when this returns: connections stay open, nothing is answered.
    pub async fn pause(&self) {
        pause::pause(self.nats.lock().await.process()).await;
    }

    pub async fn resume(&self) {
        pause::resume(self.nats.lock().await.process());
    }
}
