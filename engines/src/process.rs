//! A running engine: what it says, when it ends, how to end it.

use std::io;
use std::process::{Command, ExitStatus};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, WaitId, WaitIdOptions};
use tokio::sync::watch;

use crate::error::{EngineError, Result};
use crate::output::{LastLines, LineSink, read_lines};
use crate::spawn;
use crate::user::RunAs;

/// A child process that ends with its owner: when this is dropped (the drop waits for it), and when this whole process dies in any way.
///
/// It is watched by threads, not by an async runtime, so it can be shared between runtimes and outlive each of them.
pub struct Process {
    engine: &'static str,
    pid: Pid,
    death_signal: Signal,
    /// Held while signalling and while reaping, so that a signal can never reach a later process with the same id.
    reaped: Arc<Mutex<bool>>,
    ended: watch::Receiver<Option<ExitStatus>>,
    last_lines: Arc<LastLines>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stopped {
    InTime,
    Killed,
}

/// How long to wait for the last lines of a process that has ended: something it started may keep its output open.
const LAST_LINES_WAIT: Duration = Duration::from_millis(200);

/// How long a process that is no longer wanted may take to end by itself.
const DROP_GRACE: Duration = Duration::from_secs(1);

impl Process {
    /// Starts another program as an engine of the caller's: its output goes to `sink` line by line, and it ends with this
    /// process. `name` is what errors call it.
    pub fn spawn(name: &'static str, command: Command, sink: LineSink) -> Result<Self> {
        Self::start(name, command, &RunAs::Itself, Signal::KILL, sink)
    }

    pub(crate) fn start(
        engine: &'static str,
        mut command: Command,
        run_as: &RunAs,
        death_signal: Signal,
        sink: LineSink,
    ) -> Result<Self> {
        let failed = |source: io::Error| EngineError::Spawn { engine, user: run_as.name(), source };
        let (reader, writer) = io::pipe().map_err(failed)?;
        command.stdout(writer.try_clone().map_err(failed)?).stderr(writer);
        let mut child = spawn::spawn(command, run_as, death_signal).map_err(failed)?;

        let pid = Pid::from_child(&child);
        let last_lines = Arc::new(LastLines::default());
        let (all_read, read) = std::sync::mpsc::channel::<()>();
        thread::spawn({
            let last_lines = last_lines.clone();
            move || {
                read_lines(reader, &last_lines, &sink);
                drop(all_read);
            }
        });

        let reaped = Arc::new(Mutex::new(false));
        let (end, ended) = watch::channel(None);
        thread::spawn({
            let reaped = reaped.clone();
            move || {
                wait_without_reaping(pid);
                let status = {
                    let mut reaped = lock(&reaped);
                    *reaped = true;
                    child.wait().unwrap_or_default()
                };
                let _ = read.recv_timeout(LAST_LINES_WAIT);
                end.send_replace(Some(status));
            }
        });
        Ok(Self { engine, pid, death_signal, reaped, ended, last_lines })
    }

    pub fn engine(&self) -> &'static str {
        self.engine
    }

    pub fn pid(&self) -> u32 {
        self.pid.as_raw_nonzero().get().unsigned_abs()
    }

    /// How it ended, if it has.
    pub fn status(&self) -> Option<ExitStatus> {
        *self.ended.borrow()
    }

    /// Waits until it has ended.
    pub async fn ended(&self) -> ExitStatus {
        let mut ended = self.ended.clone();
        match ended.wait_for(Option::is_some).await {
            Ok(status) => status.unwrap_or_default(),
            Err(_) => ExitStatus::default(),
        }
    }

    /// Its last lines, oldest first.
    pub fn last_lines(&self) -> Vec<String> {
        self.last_lines.get()
    }

    /// Sends a signal unless it has ended.
    pub fn signal(&self, signal: Signal) {
        let reaped = lock(&self.reaped);
        if !*reaped {
            // It exists until it is reaped, and it is ours: this cannot fail.
            let _ = rustix::process::kill_process(self.pid, signal);
        }
    }

    /// Asks it to end with `signal` and waits; what has not ended when `patience` has is killed.
    pub async fn stop(&self, signal: Signal, patience: impl Future<Output = ()>) -> Stopped {
        self.signal(signal);
        tokio::select! {
            _ = self.ended() => Stopped::InTime,
            () = patience => {
                self.kill().await;
                Stopped::Killed
            }
        }
    }

    /// Ends it the hard way and waits until it is gone.
    pub async fn kill(&self) {
        self.signal(Signal::KILL);
        self.ended().await;
    }

    /// Waits until `ready` says so. An error tells how the engine ended or that it took too long, with its last lines.
    pub(crate) async fn until_ready<T>(&self, limit: Duration, mut ready: impl FnMut() -> Option<T>) -> Result<T> {
        let poll = async {
            let mut pause = Duration::from_millis(1);
            loop {
                if let Some(answer) = ready() {
                    return answer;
                }
                tokio::time::sleep(pause).await;
                pause = (pause * 2).min(Duration::from_millis(20));
            }
        };
        tokio::select! {
            answer = tokio::time::timeout(limit, poll) => answer.map_err(|_| EngineError::NotReady {
                engine: self.engine,
                seconds: limit.as_secs(),
                last_lines: self.last_lines(),
            }),
            status = self.ended() => Err(EngineError::Died {
                engine: self.engine,
                status: status.to_string(),
                last_lines: self.last_lines(),
            }),
        }
    }
}

impl Drop for Process {
    /// Ends it and waits, so that its port and its files are free afterwards. Blocks for milliseconds, at most
    /// for [`DROP_GRACE`] and the moment that a kill takes.
    fn drop(&mut self) {
        // A process that stands still takes no signal but a kill and this second one.
        self.signal(self.death_signal);
        self.signal(Signal::CONT);
        let asked = Instant::now();
        while self.ended.borrow().is_none() {
            if asked.elapsed() > DROP_GRACE {
                self.signal(Signal::KILL);
            }
            if asked.elapsed() > DROP_GRACE * 2 {
                return;
            }
            thread::sleep(Duration::from_millis(1));
        }
    }
}

/// Runs a helper of an engine to its end, such as initdb, and returns how it ended with what it wrote.
pub(crate) async fn run_to_end(
    engine: &'static str,
    command: Command,
    run_as: &RunAs,
    sink: LineSink,
    limit: Duration,
) -> Result<()> {
    let process = Process::start(engine, command, run_as, Signal::KILL, sink)?;
    let Ok(status) = tokio::time::timeout(limit, process.ended()).await else {
        process.kill().await;
        return Err(EngineError::NotReady { engine, seconds: limit.as_secs(), last_lines: process.last_lines() });
    };
    if status.success() {
        Ok(())
    } else {
        Err(EngineError::Died { engine, status: status.to_string(), last_lines: process.last_lines() })
    }
}

fn wait_without_reaping(pid: Pid) {
    loop {
        match rustix::process::waitid(WaitId::Pid(pid), WaitIdOptions::EXITED | WaitIdOptions::NOWAIT) {
            Err(error) if error == rustix::io::Errno::INTR => {}
            _ => return,
        }
    }
}

fn lock(reaped: &Mutex<bool>) -> MutexGuard<'_, bool> {
    reaped.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use std::process::Stdio;

    use super::*;
    use crate::output::discard_lines;

    fn shell(script: &str) -> Process {
        let mut command = Command::new("/bin/sh");
        command.args(["-c", script]).stdin(Stdio::null());
        Process::start("shell", command, &RunAs::Itself, Signal::KILL, discard_lines()).expect("a shell")
    }

    async fn said(process: &Process, word: &str) {
        let said = || process.last_lines().iter().any(|line| line == word).then_some(());
        process.until_ready(Duration::from_secs(10), said).await.expect("the shell says so");
    }

    #[tokio::test]
    async fn what_ends_when_it_is_asked_to_is_not_killed() {
        let process = shell("trap 'exit 0' TERM; echo ready; while :; do sleep 0.01; done");
        said(&process, "ready").await;
        assert_eq!(process.stop(Signal::TERM, tokio::time::sleep(Duration::from_secs(10))).await, Stopped::InTime);
        assert_eq!(process.status().and_then(|status| status.code()), Some(0));
    }

    #[tokio::test]
    async fn what_does_not_end_in_time_is_killed() {
        let process = shell("trap '' TERM; echo ready; while :; do sleep 0.01; done");
        said(&process, "ready").await;
        assert_eq!(process.stop(Signal::TERM, tokio::time::sleep(Duration::from_millis(50))).await, Stopped::Killed);
        assert!(process.status().is_some());
    }

    #[tokio::test]
    async fn one_that_ends_before_it_is_ready_says_how_and_shows_its_last_lines() {
        let process = shell("echo no luck today; exit 3");
        let error = process.until_ready(Duration::from_secs(10), || None::<()>).await.expect_err("it ended");
        let text = error.to_string();
        assert!(text.contains("exit status: 3") && text.contains("no luck today"), "{text}");
        process.signal(Signal::KILL);
    }

    #[tokio::test]
    async fn one_that_is_never_ready_is_not_waited_for_for_ever() {
        let process = shell("sleep 100");
        let error = process.until_ready(Duration::from_millis(20), || None::<()>).await.expect_err("too long");
        assert!(matches!(error, EngineError::NotReady { .. }), "{error}");
    }

    #[tokio::test]
    async fn a_dropped_process_ends() {
        let process = shell("sleep 100");
        let ended = process.ended.clone();
        drop(process);
        assert!(ended.borrow().is_some(), "it lives on");
    }
}
