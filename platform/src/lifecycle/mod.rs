//! How a service lives and ends: a stop that is soft, then hard; tasks that have a name and a policy; signals.

mod shutdown;
mod signals;
mod tasks;

pub use shutdown::Shutdown;
pub use signals::shutdown_on_signals;
pub use tasks::{BoxError, Policy, StopError, Tasks};

#[cfg(test)]
mod tests;
