//! What Natter's tests share: real engines, a network that can be broken, and waiting on conditions.
//!
//! - [`Broker`]: a nats-server of its own for each test, which can be killed, paused and restarted.
//! - [`Blocks`]: the files of its streams, to damage them while it is down.
//! - [`Database`]: a database of its own for each test, on one PostgreSQL for each test process.
//! - [`DatabaseServer`]: a PostgreSQL of its own, for a test that ends it.
//! - [`Proxy`]: TCP in between, to cut, refuse, swallow and delay.
//! - [`Disk`]: a file system whose power can be cut: what was not synced is gone. On Linux; elsewhere there is none.
//! - [`not_tested`]: for what takes such a disk, where there is none.
//! - [`eventually`]: waits for a condition and says what it saw last. No test sleeps.
//!
//! Tests run under plain `cargo test`: every `#[tokio::test]` has a runtime of its own, so nothing here belongs to the
//! runtime that started it. Engines are watched by threads, proxies run on a runtime of their own.
//!
//! When the test process ends, in any way, its engines end with it and its folder is removed (see `workspace.rs`).

mod broker;
mod cluster;
mod damage;
mod database;
#[cfg(target_os = "linux")]
mod disk;
#[cfg(not(target_os = "linux"))]
#[path = "no_disk.rs"]
mod disk;
mod eventually;
mod not_tested;
mod pause;
mod postgres;
mod proxy;
mod workspace;

pub use broker::{Broker, BrokerOptions};
pub use damage::Blocks;
pub use database::{Database, Held};
pub use disk::{Disk, Names};
pub use eventually::{Seen, eventually};
pub use not_tested::not_tested;
pub use postgres::DatabaseServer;
pub use proxy::{Direction, Proxy};
pub use workspace::{scratch_folder, tools};
