//! A PostgreSQL of one's own, which can be killed, paused and restarted.

use std::path::PathBuf;
use std::time::Duration;

use natter_engines::Postgres;
use tokio::sync::Mutex;

use crate::{cluster, eventually, pause};

/// Each looks now and then whether the server is still there.
const SESSIONS_END: Duration = Duration::from_secs(30);

/// A server with one empty database. It ends when it is dropped.
///
/// Unlike a [`crate::Database`], it is shared with nobody, so a test can do to it what it likes.
pub struct DatabaseServer {
    url: String,
    login: (String, String),
    socket: PathBuf,
    postgres: Mutex<Postgres>,
}

impl DatabaseServer {
    pub async fn start() -> Self {
        let postgres = cluster::start().await.unwrap_or_else(|error| panic!("{error}"));
        Self {
            url: postgres.url(),
            login: (postgres.user().to_owned(), postgres.password().to_owned()),
            socket: postgres.socket(),
            postgres: Mutex::new(postgres),
        }
    }

    /// With user and password in it.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The URL for clients that should reach it through a [`crate::Proxy`] on [`Self::socket`].
    pub fn url_through(&self, address: &str) -> String {
        let (user, password) = &self.login;
        format!("postgres://{user}:{password}@{address}/{user}")
    }

    pub fn socket(&self) -> PathBuf {
        self.socket.clone()
    }

    /// `kill -9` of the server. It returns when its sessions have ended, too, which they do by themselves a moment later, also
    /// where they stood still: until then no other server starts on these files.
    pub async fn kill(&self) {
        let postgres = self.postgres.lock().await;
        let children = pause::children(postgres.process().pid());
        pause::resume(postgres.process());
        postgres.process().kill().await;
        eventually("its sessions end", SESSIONS_END, async || {
            let left: Vec<_> = children.iter().filter(|child| pause::is_there(**child)).collect();
            if left.is_empty() { Ok(()) } else { Err(format!("{left:?}")) }
        })
        .await;
    }

    /// Starts it again on the same data, after ending it if it runs.
    pub async fn restart(&self) {
        let mut postgres = self.postgres.lock().await;
        pause::resume(postgres.process());
        postgres.stop(Duration::from_secs(10)).await;
        postgres.start_again().await.unwrap_or_else(|error| panic!("{error}"));
    }

    /// All of it stands still when this returns: sessions that are open, and the server, and with it every new connection.
    pub async fn pause(&self) {
        pause::pause(self.postgres.lock().await.process()).await;
    }

    pub async fn resume(&self) {
        pause::resume(self.postgres.lock().await.process());
    }
}

impl Drop for DatabaseServer {
    /// What stands still is not reached by the signal that ends it.
    fn drop(&mut self) {
        pause::resume(self.postgres.get_mut().process());
    }
}
