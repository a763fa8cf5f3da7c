//! The engines that Natter runs on, as child processes of whoever asks: nats-server and PostgreSQL.
//!
//! `natter up` and the tests start the same engines through this crate. It knows where their binaries are ([`Tools`]),
//! what their folder looks like ([`DataFolder`]), how to start them so that they never outlive their parent
//! ([`Process`]), and how to keep them running ([`Supervised`]). It knows nothing of what is stored in them.
//!
//! Three promises hold on Linux:
//!
//! - No engine survives its parent, not even one that is killed with `kill -9` (see `spawn.rs`).
//! - PostgreSQL never runs as root; when the parent does, the engine becomes another user (see `user.rs`).
//! - A data folder is either complete or known not to be: what is made once is made aside and renamed (see `folder.rs`).

mod child_setup;
mod error;
mod folder;
mod nats;
mod output;
mod postgres;
mod postgres_cluster;
mod process;
mod spawn;
mod supervise;
mod tools;
mod user;

pub use error::{EngineError, Result};
pub use folder::DataFolder;
pub use nats::{Nats, NatsOptions};
pub use output::{LineSink, discard_lines};
pub use postgres::{Postgres, PostgresOptions};
pub use postgres_cluster::{ClusterOptions, ensure_cluster};
pub use process::{Process, Stopped};
pub use rustix::process::Signal;
pub use supervise::{Engine, Patience, Report, RestartPolicy, Supervised};
pub use tools::Tools;
pub use user::RunAs;

/// A random secret: 256 bits as hexadecimal digits, so that it needs no quoting anywhere.
pub fn random_secret() -> String {
    format!("{:032x}{:032x}", rand::random::<u128>(), rand::random::<u128>())
}
