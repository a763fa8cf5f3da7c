//! The services of `natter up`: gateway, projector and history API in this process, behind one port.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use natter_gateway::{Deps, Gateway};
use natter_log::{GroupCommit, Settings};
use natter_platform::Clock;
use natter_platform::http::{LayerOptions, layered};
use natter_platform::lifecycle::{Policy, Shutdown, StopError, Tasks};
use natter_platform::ops::{Ops, Readiness};
use natter_platform::telemetry::Metrics;
use natter_platform::tokens::PrivateKey;
use tokio::net::TcpListener;

use super::Options;
use super::engines::Urls;
use super::keys::Keys;
use crate::exit::{Exit, Failure};
use crate::services::broker::{connect, key_ring};
use crate::services::{gateway, history, projector, scrub};

/// Goodbyes, open requests, the last frames.
const FRONT_GRACE_MAX: Duration = Duration::from_millis(5200);
/// The batch that is being projected.
const PROJECTOR_GRACE: Duration = Duration::from_millis(700);
/// The broker is our own and runs already.
const CONNECT_LIMIT: Duration = Duration::from_secs(10);

/// Two parts that stop one after the other: what people talk to, then the projector.
pub struct Services {
    front: Part,
    projector: Part,
}

impl Services {
    pub fn new(options: &Options) -> Self {
        let front = Part::new(options.gateway.grace().min(FRONT_GRACE_MAX));
        Self { front, projector: Part::new(PROJECTOR_GRACE) }
    }

    pub async fn start(
        &self,
        options: &Options,
        (listener, address): (TcpListener, SocketAddr),
        keys: &Keys,
        urls: &Urls,
        metrics: &Metrics,
    ) -> Result<Arc<Gateway>, Failure> {
        let clock = Clock::system();
        let signing_key =
            PrivateKey::read(&keys.signing).map_err(|error| Failure::caused_by(Exit::HalfInitialised, &error))?;
        let verifier = options.signing.realm.verifier([signing_key.public()], &clock);
        let signer = options.signing.signer(&signing_key, &clock)?;

        let log = connect(settings(options, urls), CONNECT_LIMIT).await?;
        let key_ring = key_ring(&log, &keys.master).await?;
        let config = options.projector.config(&urls.postgres);
        let Part { tasks, shutdown } = &self.projector;
        // Chat goes on without its projector, and history says how far it is.
        let projection = projector::start(config, log.clone(), key_ring.clone(), Policy::Expected, tasks, shutdown);

        let Part { tasks, shutdown } = &self.front;
        let history = history::start(&options.history.config(&urls.postgres), verifier.clone(), &clock)?;
        let config = options.gateway.config(Some(own_url(address)));
        let accounts = options.gateway.accounts(options.store.session_lifetime());
        let sockets = shutdown.child();
        let deps = Deps {
            log: log.clone(),
            keys: key_ring,
            signer,
            verifier,
            clock: clock.clone(),
            tasks: tasks.clone(),
            shutdown: sockets.clone(),
        };
        let running = gateway::start(config, accounts, deps)?;

        let readiness = Readiness::new(shutdown);
        running.add_checks(&readiness);
        projector::watch(&projection, &readiness);
        scrub::start(&options.scrub, log, &readiness, &self.projector.tasks, &self.projector.shutdown);
        natter_history_api::watch(&history, &readiness);
        let ops = Ops { readiness, metrics: metrics.clone(), clock };
        let router = running.router().merge(natter_history_api::router(history)).merge(ops.router());
        let router = layered(router, &LayerOptions::default());
        let served = gateway::serve(listener, router, options.gateway.serve_options(), sockets);
        tasks.spawn("http", Policy::Essential, served);
        Ok(running)
    }

    /// Returns when a part of it ended that nothing works without.
    pub async fn ended(&self) {
        tokio::select! {
            () = self.front.shutdown.requested() => {}
            () = self.projector.shutdown.requested() => {}
        }
    }

    /// Ends both parts in order, at once when the stop is forced. Says what had ended before it should.
    pub async fn stop(self, shutdown: &Shutdown) -> Result<(), StopError> {
        let front = self.front.stop(shutdown).await;
        tracing::info!(source = "gateway", "stopped");
        let projector = self.projector.stop(shutdown).await;
        tracing::info!(source = "projector", "stopped");
        front.and(projector)
    }
}

struct Part {
    tasks: Tasks,
    shutdown: Shutdown,
}

impl Part {
    fn new(grace: Duration) -> Self {
        let shutdown = Shutdown::new(grace);
        Self { tasks: Tasks::new(&shutdown), shutdown }
    }

    async fn stop(self, whole: &Shutdown) -> Result<(), StopError> {
        self.shutdown.request();
        let joined = self.tasks.join();
        tokio::pin!(joined);
        tokio::select! {
            joined = &mut joined => joined,
            () = whole.forced() => {
                self.shutdown.force();
                joined.await
            }
        }
    }
}

/// Sharing syncs is of use only where each write is synced.
fn settings(options: &Options, urls: &Urls) -> Settings {
    let synced = options.sync_interval == "always";
    Settings {
        servers: vec![format!("nats://{}", urls.nats_address)],
        user: Some(urls.nats_user.clone()),
        password: Some(urls.nats_password.clone()),
        group_commit: if synced { GroupCommit::default() } else { GroupCommit::Off },
        ..options.store.settings()
    }
}

/// Where this process itself finds what it serves.
fn own_url(listening: SocketAddr) -> String {
    let ip = match listening.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => IpAddr::V4(Ipv4Addr::LOCALHOST),
        IpAddr::V6(ip) if ip.is_unspecified() => IpAddr::V6(Ipv6Addr::LOCALHOST),
        ip => ip,
    };
    format!("http://{}", SocketAddr::new(ip, listening.port()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_finds_itself_wherever_it_listens() {
        for (address, url) in [
            ("127.0.0.1:8080", "http://127.0.0.1:8080"),
            ("0.0.0.0:80", "http://127.0.0.1:80"),
            ("[::]:8080", "http://[::1]:8080"),
            ("192.0.2.7:8080", "http://192.0.2.7:8080"),
        ] {
            assert_eq!(own_url(address.parse().expect("an address")), url);
        }
    }
}
