//! What a gateway can be told, with every bound and its unit in one place.

use std::time::Duration;

use natter_protocol::limits;

/// The settings of a gateway. [`Default`] is what one machine needs.
#[derive(Debug, Clone)]
pub struct Config {
    /// What this gateway calls itself, in `welcome` and in logs.
    pub name: String,
    /// Origins that browsers may connect from, beside the one that they are served from (CON2).
    pub allowed_origins: Vec<String>,
    /// Where the history API answers, for ids that are not fresh (CMD2). Without it such commands are `unavailable`.
    pub history_url: Option<String>,
    /// How much of the log is kept in memory, in bytes, index included (D4).
    pub tail_bytes: usize,
    /// How far behind the tail a resume may begin, in events; past it the client reads again.
    pub max_replay_events: u64,
    /// How many resumes may read from the broker at once; others wait their turn.
    pub max_replays: usize,
    /// What may wait for one client, in bytes of events (HRT2).
    pub session_waiting_bytes: usize,
    /// Commands of one socket that may wait for their outcome; past it the socket is not read.
    pub session_commands: usize,
    /// Sockets of one user on this gateway.
    pub sockets_per_user: usize,
    /// Sockets on this gateway.
    pub sockets: usize,
    /// Messages per user and window, over all gateways (CMD5).
    pub messages: u32,
    pub messages_window: Duration,
    /// Messages per room and window, of all its members together (CMD5).
    pub room_messages: u32,
    /// Members of one room. History counts them, so a few more may come while many come at once, and while history is away
    /// nobody is turned away.
    pub room_members: u64,
    /// Any other durable command, per user and window of the same length.
    pub other_commands: u32,
    /// At most one read marker per conversation in this time.
    pub marker_interval: Duration,
    pub heartbeat: Duration,
    pub pong_timeout: Duration,
    pub hello_timeout: Duration,
    /// How long a position ahead of the feed is waited for (CON4).
    pub ahead_timeout: Duration,
    /// How long a stored command may wait for the feed to bring it.
    pub feed_timeout: Duration,
    /// How long a write to a client that takes nothing may last once the socket has to close.
    pub close_timeout: Duration,
    /// How long sockets are served on after the stop was requested (HRT3).
    pub drain: Duration,
    /// How often a gateway says that it lives, and how long it is believed.
    pub lease_interval: Duration,
    pub lease: Duration,
    /// How long a user who has left is still shown: a reload is not a departure.
    pub offline_after: Duration,
    /// How often how far a user has received is put on record.
    pub received_interval: Duration,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            name: "gateway".into(),
            allowed_origins: Vec::new(),
            history_url: None,
            tail_bytes: 128 << 20,
            max_replay_events: 200_000,
            max_replays: 4,
            session_waiting_bytes: 1 << 20,
            session_commands: 64,
            sockets_per_user: 32,
            sockets: 100_000,
            messages: 10,
            messages_window: Duration::from_secs(10),
            room_messages: 100,
            room_members: 20_000,
            other_commands: 60,
            marker_interval: Duration::from_secs(5),
            heartbeat: Duration::from_millis(limits::HEARTBEAT_MS),
            pong_timeout: Duration::from_millis(limits::PONG_TIMEOUT_MS),
            hello_timeout: Duration::from_millis(limits::HELLO_TIMEOUT_MS),
            ahead_timeout: Duration::from_secs(2),
            feed_timeout: Duration::from_secs(10),
            close_timeout: Duration::from_secs(1),
            drain: Duration::from_secs(5),
            lease_interval: Duration::from_secs(1),
            lease: Duration::from_secs(5),
            offline_after: Duration::from_secs(2),
            received_interval: Duration::from_secs(30),
        }
    }
}
