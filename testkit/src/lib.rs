//! What Natter's tests share: real engines, a network that can be broken, and waiting on conditions.
//!
//! - [`Broker`]: a nats-server of its own for each test, which can be killed, paused and restarted.
//! - [`Database`]: a database of its own for each test, on one PostgreSQL for each test process.
//! - [`Proxy`]: TCP in between, to cut, refuse, swallow and delay.
//! - [`eventually`]: waits for a condition and says what it saw last. No test sleeps.
//!
//! Tests run under plain `cargo test`: every `#[tokio::test]` has a runtime of its own, so nothing here belongs to the
//! runtime that started it. Engines are watched by threads, proxies run on a runtime of their own.
//!
//! When the test process ends, in any way, its engines end with it and its folder is removed (see `workspace.rs`).

mod broker;
mod cluster;
mod database;
mod eventually;
mod proxy;
mod workspace;

pub use broker::{Broker, BrokerOptions};
pub use database::{Database, Held};
pub use eventually::{Seen, eventually};
pub use proxy::{Direction, Proxy};
pub use workspace::{scratch_folder, tools};
