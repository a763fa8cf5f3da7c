//! Whether the connections stand, as one value to watch.

use std::sync::Mutex;
use std::time::Instant;

use tokio::sync::watch;

/// Whether every connection that this process uses stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Health {
    Connected { since: Instant },
    Disconnected { since: Instant },
}

impl Health {
    pub fn is_connected(self) -> bool {
        matches!(self, Health::Connected { .. })
    }

    fn now(connected: bool) -> Health {
        let since = Instant::now();
        if connected { Health::Connected { since } } else { Health::Disconnected { since } }
    }
}

/// A connection that counts for health. One that was never opened does not.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Link {
    Requests = 0,
    ChatAppends = 1,
    PresenceAppends = 2,
}

/// Folds the links into one [`Health`].
pub(crate) struct Links {
    up: Mutex<[Option<bool>; 3]>,
    health: watch::Sender<Health>,
}

impl Links {
    pub(crate) fn new() -> Links {
        Links { up: Mutex::new([None; 3]), health: watch::Sender::new(Health::now(false)) }
    }

    pub(crate) fn set(&self, link: Link, up: bool) {
        let mut links = self.up.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        links[link as usize] = Some(up);
        let all = links.iter().all(|link| link.unwrap_or(true));
        self.health.send_if_modified(|health| {
            let changed = health.is_connected() != all;
            if changed {
                *health = Health::now(all);
            }
            changed
        });
    }

    pub(crate) fn watch(&self) -> watch::Receiver<Health> {
        self.health.subscribe()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn health_is_connected_while_every_opened_link_is() {
        let links = Links::new();
        let health = links.watch();
        assert!(!health.borrow().is_connected());
        links.set(Link::Requests, true);
        assert!(health.borrow().is_connected());
        links.set(Link::ChatAppends, false);
        assert!(!health.borrow().is_connected());
        links.set(Link::ChatAppends, true);
        assert!(health.borrow().is_connected());
    }
}
