//! One service of the deployment: a process that is started again on the address that it had.

use std::fs::File;
use std::io::Write;
use std::path::PathBuf;
use std::process::Command;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use natter_engines::{LineSink, Process, Signal, Stopped};
use parking_lot::Mutex as Lock;
use tokio::sync::Mutex;

use super::Part;
use crate::wait::until;

/// Before what gave up at its start is started again.
const AGAIN: Duration = Duration::from_millis(200);

pub struct Service {
    part: Part,
    command: Command,
    log: Option<Arc<Lock<File>>>,
    /// Where it listens, once that is known.
    address: OnceLock<String>,
    process: Mutex<Option<Process>>,
}

impl Service {
    /// A service that does not run yet.
    pub fn new(part: Part, command: Command, log: Option<PathBuf>) -> Self {
        let log = log.map(|path| {
            let file = File::options().create(true).append(true).open(&path);
            Arc::new(Lock::new(file.unwrap_or_else(|error| panic!("cannot write {}: {error}", path.display()))))
        });
        Self { part, command, log, address: OnceLock::new(), process: Mutex::new(None) }
    }

    /// `127.0.0.1:port`
    pub fn address(&self) -> String {
        self.address.get().cloned().unwrap_or_else(|| panic!("{} was never started", self.part))
    }

    /// Starts it, and returns when it has said where it listens. What gives up at its start is started again, as whoever
    /// watches over services does.
    pub async fn start(&self, limit: Duration) {
        let mut process = self.process.lock().await;
        let deadline = Instant::now() + limit;
        loop {
            let said = Arc::new(OnceLock::new());
            let started = Process::spawn("natter", self.command(), self.sink(said.clone()));
            let started = started.unwrap_or_else(|error| panic!("{} did not start: {error}", self.part));
            let what = format!("{} says where it listens", self.part);
            let looks = || std::future::ready(said.get().cloned().ok_or_else(|| started.last_lines()));
            let left = deadline.saturating_duration_since(Instant::now());
            tokio::select! {
                address = until(&what, left, looks) => {
                    let _ = self.address.set(address);
                    *process = Some(started);
                    return;
                }
                status = started.ended() => {
                    let last = started.last_lines().join("\n");
                    assert!(Instant::now() < deadline, "{} ended again and again: {status}\n{last}", self.part);
                    tokio::time::sleep(AGAIN).await;
                }
            }
        }
    }

    fn command(&self) -> Command {
        let mut command = Command::new(self.command.get_program());
        command.args(self.command.get_args());
        for (name, value) in self.command.get_envs() {
            match value {
                Some(value) => command.env(name, value),
                None => command.env_remove(name),
            };
        }
        command.arg("--listen").arg(self.address.get().map_or("127.0.0.1:0", String::as_str));
        command
    }

    pub async fn kill(&self) {
        if let Some(process) = self.process.lock().await.take() {
            process.kill().await;
        }
    }

    /// `SIGTERM`; a service that does not end in its time is a fault of its own.
    pub async fn stop(&self, limit: Duration) {
        if let Some(process) = self.process.lock().await.take()
            && process.stop(Signal::TERM, tokio::time::sleep(limit)).await == Stopped::Killed
        {
            panic!("{} did not end within {limit:?} of SIGTERM\n{}", self.part, process.last_lines().join("\n"));
        }
    }

    pub async fn signal(&self, signal: Signal) {
        if let Some(process) = &*self.process.lock().await {
            process.signal(signal);
        }
    }

    /// Takes what it prints: its address from the first line that has one, and all of it to its log.
    fn sink(&self, said: Arc<OnceLock<String>>) -> LineSink {
        let log = self.log.clone();
        Arc::new(move |line| {
            if said.get().is_none()
                && line.starts_with("The ")
                && let Some((_, address)) = line.rsplit_once(" http://")
            {
                let _ = said.set(address.trim().to_owned());
            }
            if let Some(log) = &log {
                let _ = writeln!(log.lock(), "{line}");
            }
        })
    }
}
