//! What the log is told by its operator: where the broker is, who we are to it, how much it may keep, and every
//! bound of this crate in one place.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use crate::address::Address;

/// Settings of a [`Log`](crate::Log). `Default` is right for one machine with a broker on its usual port.
#[derive(Clone)]
pub struct Settings {
    /// `nats://host:port` or `tls://host:port`, any of a cluster.
    pub servers: Vec<String>,
    pub user: Option<String>,
    pub password: Option<String>,
    /// A NATS credentials file (JWT and seed). Read again at each connection, so that it can be replaced.
    pub credentials_file: Option<PathBuf>,
    /// Roots to trust for TLS, in PEM; without it, the system's.
    pub tls_ca_file: Option<PathBuf>,
    /// Shown by the broker beside our connections.
    pub name: String,

    /// Copies of every stream and bucket. More than one needs a cluster, and turns group commit off: the broker
    /// then groups by itself.
    pub replicas: usize,
    /// CHAT refuses to grow past this; nothing in it is ever removed.
    pub max_chat_bytes: i64,
    /// PRESENCE drops its oldest past this.
    pub max_presence_bytes: i64,
    /// Each bucket refuses to grow past this.
    pub max_bucket_bytes: i64,
    /// One event with its headers.
    pub max_message_bytes: i32,
    /// Followers per stream. The broker's own default is 1,000; a stream says it itself.
    pub max_consumers: i32,
    /// How long the broker remembers a message id.
    pub duplicate_window: Duration,
    pub presence_ttl: Duration,
    pub session_ttl: Duration,

    pub group_commit: GroupCommit,
    /// Plain publishes in flight when nothing is grouped (PRESENCE, and CHAT with replicas).
    pub max_in_flight: usize,
    /// Appends accepted and not yet answered, per stream.
    pub max_queue_items: usize,
    pub max_queue_bytes: usize,

    /// One attempt to connect, with its handshake.
    pub connect_timeout: Duration,
    /// One read, all its retries over a short outage included.
    pub request_timeout: Duration,
    /// No answer to an append for this long, and its outcome is unknown.
    pub ack_timeout: Duration,
    /// How long an abandoned append connection may take to prove that it is empty, once the broker answers on
    /// another one.
    pub settle_timeout: Duration,
    /// The longest wait between two attempts to connect.
    pub max_reconnect_delay: Duration,
    /// A quiet follower hears from the broker this often; after three times this it opens its feed again.
    pub follow_heartbeat: Duration,
    /// What a follower may hold that was sent and not yet taken. The broker's flow control window is 32 MiB;
    /// this is above what fits in it, so that the client library never has to drop.
    pub max_follow_buffer_events: usize,
    /// The same for a live subscription, which has no flow control: past it messages are lost, and a gap is told.
    pub max_live_buffer_messages: usize,
}

/// How CHAT's appends share disk syncs on one machine; see [`crate::append`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GroupCommit {
    /// Plain publishes while no more than `plain` wait; above that, one atomic batch in flight.
    Adaptive { plain: usize, max_batch_messages: usize, max_batch_bytes: usize },
    /// Plain publishes only: right when the broker does not sync each write.
    Off,
}

impl Default for GroupCommit {
    fn default() -> Self {
        GroupCommit::Adaptive {
            // An atomic batch costs the broker about as much as ten synced publishes, whatever its size.
            plain: 10,
            // The broker's own limit.
            max_batch_messages: 1_000,
            max_batch_bytes: 4 << 20,
        }
    }
}

impl Default for Settings {
    fn default() -> Self {
        Settings {
            servers: vec!["nats://127.0.0.1:4222".into()],
            user: None,
            password: None,
            credentials_file: None,
            tls_ca_file: None,
            name: "natter".into(),
            replicas: 1,
            max_chat_bytes: 10 << 30,
            max_presence_bytes: 1 << 30,
            max_bucket_bytes: 1 << 30,
            max_message_bytes: 256 << 10,
            max_consumers: 256,
            duplicate_window: Duration::from_secs(120),
            presence_ttl: Duration::from_secs(30 * 24 * 3600),
            session_ttl: Duration::from_secs(14 * 24 * 3600),
            group_commit: GroupCommit::default(),
            max_in_flight: 1_000,
            max_queue_items: 32_768,
            max_queue_bytes: 64 << 20,
            connect_timeout: Duration::from_secs(2),
            request_timeout: Duration::from_secs(5),
            ack_timeout: Duration::from_secs(5),
            settle_timeout: Duration::from_secs(2),
            max_reconnect_delay: Duration::from_millis(250),
            follow_heartbeat: Duration::from_secs(1),
            max_follow_buffer_events: 512 << 10,
            max_live_buffer_messages: 65_536,
        }
    }
}

/// Never shows the password.
impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Settings")
            .field("servers", &self.servers_without_secrets())
            .field("user", &self.user)
            .field("credentials_file", &self.credentials_file)
            .field("name", &self.name)
            .field("replicas", &self.replicas)
            .field("max_chat_bytes", &self.max_chat_bytes)
            .field("group_commit", &self.group_commit)
            .field("ack_timeout", &self.ack_timeout)
            .finish_non_exhaustive()
    }
}

impl Settings {
    /// Who to be: as it is set, or else as the first address that has a login says.
    pub(crate) fn login(&self) -> Option<(String, String)> {
        let set = self.user.clone().zip(self.password.clone());
        set.or_else(|| self.servers.iter().find_map(|server| Address::parse(server).ok()?.login))
    }

    /// The servers as they may be shown.
    pub(crate) fn servers_without_secrets(&self) -> String {
        let shown = |server: &String| match Address::parse(server) {
            Ok(address) => address.shown(),
            // Whatever is in it, what stands before an @ may be a password.
            Err(_) => server.rsplit('@').next().unwrap_or_default().to_owned(),
        };
        self.servers.iter().map(shown).collect::<Vec<_>>().join(", ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_never_show_a_password() {
        let settings = Settings {
            servers: vec!["nats://ann:hunter2@host:4222".into()],
            user: Some("ann".into()),
            password: Some("hunter3".into()),
            ..Settings::default()
        };
        let shown = format!("{settings:?}");
        assert!(!shown.contains("hunter"), "{shown}");
        assert!(shown.contains("nats://host:4222"), "{shown}");
    }
}
