//! SIGINT and SIGTERM: the first asks for the stop, the second makes it hard.

use std::convert::Infallible;
use std::io;

use tokio::signal::unix::{SignalKind, signal};

use super::{Policy, Shutdown, Tasks};

/// Stops `shutdown` when the process is told to: softly at the first SIGINT or SIGTERM, hard at the second.
///
/// The handlers are in place when this returns. Call it before anything that takes long, so that Ctrl-C works there too.
pub fn shutdown_on_signals(shutdown: &Shutdown, tasks: &Tasks) -> io::Result<()> {
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    let shutdown = shutdown.clone();
    tasks.spawn("signals", Policy::Background, async move {
        loop {
            let name = tokio::select! {
                _ = interrupt.recv() => "SIGINT",
                _ = terminate.recv() => "SIGTERM",
            };
            if shutdown.is_requested() {
                tracing::warn!(signal = name, "stopping now, without waiting");
                shutdown.force();
                return Ok::<(), Infallible>(());
            }
            tracing::info!(signal = name, grace_ms = shutdown.grace().as_millis() as u64, "stopping");
            shutdown.request();
        }
    });
    Ok(())
}
