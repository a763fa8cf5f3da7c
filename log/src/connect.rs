//! Connections of the client library: who we are, where to, and how they come back.
//!
//! A *standing* connection reconnects by itself and serves reads, buckets, live messages and followers: whatever was
//! lost with the old socket, they ask for again. Appends never go over one: what the library still holds for a
//! socket that died is sent on the next, after its caller was told that the outcome is unknown. They have a
//! connection of their own, in `append::line`.

use std::sync::Arc;
use std::time::Duration;

use async_nats::connection::State;
use async_nats::{Client, ConnectErrorKind, ConnectOptions, Event};
use bytes::Bytes;
use serde::Deserialize;
use tokio::sync::watch;
use tokio::time::sleep;

use crate::address::Address;
use crate::counters::{Counters, count};
use crate::health::{Link, Links};
use crate::settings::Settings;

/// Why there is no connection.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    #[error("{servers} is not a list of NATS addresses like nats://host:4222")]
    BadAddress {
        servers: String,
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    #[error("nothing answers as NATS at {servers}")]
    Unreachable {
        servers: String,
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    #[error("NATS at {servers} refused our credentials")]
    Refused { servers: String },
    #[error("the NATS credentials file {path} can't be used")]
    Credentials {
        path: String,
        #[source]
        source: std::io::Error,
    },
    #[error("the TLS certificates can't be used")]
    Tls {
        #[source]
        source: std::io::Error,
    },
    #[error("NATS at {servers} has no JetStream for us: {reason}")]
    NoJetStream { servers: String, reason: String },
}

/// A connection that comes back.
#[derive(Clone)]
pub(crate) struct Standing {
    pub(crate) client: Client,
    connected: Arc<watch::Sender<Connected>>,
    /// Grows whenever messages of a subscription may have been lost.
    pub(crate) gaps: Arc<watch::Sender<u64>>,
}

/// Which of its sockets a standing connection is at; None while it has none.
type Connected = Option<u64>;

pub(crate) struct Purpose {
    pub(crate) name: &'static str,
    pub(crate) link: Option<Link>,
    pub(crate) subscription_capacity: usize,
}

impl Standing {
    pub(crate) async fn open(
        settings: &Settings,
        purpose: Purpose,
        links: Arc<Links>,
        counters: Arc<Counters>,
    ) -> Result<Standing, ConnectError> {
        let connected = Arc::new(watch::Sender::new(Some(0)));
        let gaps = Arc::new(watch::Sender::new(0));
        let (connected_tx, gaps_tx) = (connected.clone(), gaps.clone());
        let link = purpose.link;
        let name = purpose.name;
        let report = Arc::new(move |event: Event| match &event {
            Event::Connected => {
                connected_tx.send_replace(Some(next_socket(&gaps_tx)));
                set_link(&links, link, true);
            }
            Event::Disconnected => {
                count(&counters.disconnects);
                tracing::warn!(connection = name, "connection to the broker lost");
                gaps_tx.send_modify(|gaps| *gaps += 1);
                connected_tx.send_replace(None);
                set_link(&links, link, false);
            }
            Event::SlowConsumer(_) => {
                count(&counters.slow_consumers);
                gaps_tx.send_modify(|gaps| *gaps += 1);
            }
            Event::ServerError(error) => {
                tracing::warn!(connection = name, %error, "the broker reports an error");
            }
            _ => {}
        });
        let longest = settings.max_reconnect_delay;
        let options = authenticated(settings)?
            .name(format!("{} {}", settings.name, purpose.name))
            .connection_timeout(settings.connect_timeout)
            .request_timeout(Some(settings.request_timeout))
            .ping_interval(Duration::from_secs(5))
            .subscription_capacity(purpose.subscription_capacity)
            .reconnect_delay_callback(move |attempt| reconnect_delay(attempt, longest, rand::random()))
            .event_callback(move |event| {
                let report = report.clone();
                async move { report(event) }
            });
        let options = match &settings.tls_ca_file {
            Some(path) => options.add_root_certificates(path.clone()),
            None => options,
        };
        let bad = |source| ConnectError::BadAddress { servers: settings.servers_without_secrets(), source };
        let servers = settings.servers.iter().map(|server| Ok(Address::parse(server)?.shown()));
        let servers: Vec<String> = servers.collect::<std::io::Result<_>>().map_err(|error| bad(Box::new(error)))?;
        let client = options.connect(servers).await.map_err(|error| connect_error(settings, error))?;
        Ok(Standing { client, connected, gaps })
    }

    /// Waits until there is a socket, and says which.
    pub(crate) async fn connected(&self) -> u64 {
        let mut connected = self.connected.subscribe();
        loop {
            let socket = *connected.borrow_and_update();
            if let Some(socket) = socket {
                return socket;
            }
            tokio::select! {
                _changed = connected.changed() => {}
                // The library drops events when there are many of them, and one may have been this one.
                () = sleep(EVENT_MAY_BE_LOST) => {
                    if self.client.connection_state() == State::Connected {
                        let socket = next_socket(&self.gaps);
                        self.connected.send_if_modified(|now| now.is_none() && now.replace(socket).is_none());
                    }
                }
            }
        }
    }

    /// Waits until that socket is no longer the one in use.
    pub(crate) async fn lost(&self, socket: u64) {
        let mut connected = self.connected.subscribe();
        while *connected.borrow_and_update() == Some(socket) {
            if connected.changed().await.is_err() {
                return;
            }
        }
    }

    pub(crate) fn is_connected(&self) -> bool {
        self.connected.borrow().is_some()
    }

    /// A question to the broker and its answer: proof that it has dealt with everything sent before on this
    /// connection, subscriptions above all. The library's `flush` proves only that bytes left the process.
    pub(crate) async fn round_trip(&self, timeout: Duration) -> Result<Bytes, async_nats::RequestError> {
        let request = async_nats::Request::new().timeout(Some(timeout));
        Ok(self.client.send_request("$JS.API.INFO", request).await?.payload)
    }
}

const EVENT_MAY_BE_LOST: Duration = Duration::from_millis(250);

fn set_link(links: &Links, link: Option<Link>, up: bool) {
    if let Some(link) = link {
        links.set(link, up);
    }
}

/// JetStream answers, to us.
pub(crate) async fn check_jetstream(standing: &Standing, settings: &Settings) -> Result<(), ConnectError> {
    #[derive(Deserialize)]
    struct Refusal {
        error: Description,
    }
    #[derive(Deserialize)]
    struct Description {
        description: String,
    }
    let no_jetstream = |reason| ConnectError::NoJetStream { servers: settings.servers_without_secrets(), reason };
    match standing.round_trip(settings.request_timeout).await {
        Ok(answer) => match serde_json::from_slice(&answer) {
            Ok(Refusal { error }) => Err(no_jetstream(error.description)),
            Err(_) => Ok(()),
        },
        Err(error) => Err(no_jetstream(match error.kind() {
            async_nats::RequestErrorKind::NoResponders => "it is not enabled".into(),
            _ => "it does not answer us; are we allowed to publish to $JS.API.>?".into(),
        })),
    }
}

fn next_socket(gaps: &watch::Sender<u64>) -> u64 {
    // Every loss of a socket is also a gap, so the number of gaps names the socket.
    *gaps.borrow()
}

fn authenticated(settings: &Settings) -> Result<ConnectOptions, ConnectError> {
    let mut options = ConnectOptions::new();
    if let Some((user, password)) = settings.login() {
        options = options.user_and_password(user, password);
    }
    if let Some(path) = &settings.credentials_file {
        let bad = |source| ConnectError::Credentials { path: path.display().to_string(), source };
        let contents = std::fs::read_to_string(path).map_err(bad)?;
        options = options.credentials(&contents).map_err(bad)?;
    }
    Ok(options)
}

fn connect_error(settings: &Settings, error: async_nats::ConnectError) -> ConnectError {
    let servers = settings.servers_without_secrets();
    match error.kind() {
        ConnectErrorKind::ServerParse => ConnectError::BadAddress { servers, source: Box::new(error) },
        ConnectErrorKind::Authentication | ConnectErrorKind::AuthorizationViolation => {
            ConnectError::Refused { servers }
        }
        ConnectErrorKind::Tls => ConnectError::Tls { source: std::io::Error::other(error) },
        _ => ConnectError::Unreachable { servers, source: Box::new(error) },
    }
}

/// Doubling from 10 ms to the longest, with half of it random: a hundred gateways must not come back in step.
pub(crate) fn reconnect_delay(attempt: usize, longest: Duration, random: u32) -> Duration {
    let doubled = Duration::from_millis(10).saturating_mul(1 << attempt.saturating_sub(1).min(10));
    let delay = doubled.min(longest);
    delay / 2 + (delay / 2).mul_f64(f64::from(random) / f64::from(u32::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reconnects_within_the_longest_delay_and_not_in_step() {
        let longest = Duration::from_millis(250);
        for attempt in 0..200 {
            assert!(reconnect_delay(attempt, longest, u32::MAX) <= longest, "attempt {attempt}");
        }
        assert!(reconnect_delay(1, longest, u32::MAX) <= Duration::from_millis(10));
        assert_ne!(reconnect_delay(9, longest, 0), reconnect_delay(9, longest, u32::MAX));
    }
}
