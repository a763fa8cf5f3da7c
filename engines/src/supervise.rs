//! Keeping an engine running: one that dies is started again, with growing pauses, and not for ever.

use std::pin::Pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use crate::error::{EngineError, Result};
use crate::process::{Process, Stopped};
use crate::{Nats, Postgres};

/// How long an engine may take to end: as long as this future.
pub type Patience = Pin<Box<dyn Future<Output = ()> + Send>>;

/// What can be kept running.
pub trait Engine: Send + 'static {
    fn process(&self) -> &Process;
    fn start_again(&mut self) -> impl Future<Output = Result<()>> + Send;
    /// Ends it in order; what has not ended when `patience` has is killed.
    fn stop_until(&self, patience: Patience) -> impl Future<Output = Stopped> + Send;
}

#[derive(Debug, Clone)]
pub struct RestartPolicy {
    pub first_pause: Duration,
    pub longest_pause: Duration,
    /// An engine that ran for this long counts as healthy again.
    pub healthy_after: Duration,
    /// How often in a row it may die before it is given up.
    pub attempts_max: u32,
}

impl Default for RestartPolicy {
    fn default() -> Self {
        Self {
            first_pause: Duration::from_millis(100),
            longest_pause: Duration::from_secs(5),
            healthy_after: Duration::from_secs(30),
            attempts_max: 10,
        }
    }
}

/// Something that people should know about an engine, as a sentence.
pub type Report = Arc<dyn Fn(&str) + Send + Sync>;

/// An engine in the care of a task.
pub struct Supervised {
    stop: oneshot::Sender<Patience>,
    task: JoinHandle<Result<Stopped>>,
}

impl Supervised {
    pub fn keep(engine: impl Engine, policy: RestartPolicy, report: Report) -> Self {
        let (stop, stopping) = oneshot::channel();
        Self { stop, task: tokio::spawn(keep_running(engine, policy, report, stopping)) }
    }

    /// Waits until the engine has been given up, which may never be.
    pub async fn given_up(&mut self) -> EngineError {
        match (&mut self.task).await {
            Ok(Err(error)) => error,
            // It ends without an error only when it is told to stop, and that takes `self`.
            Ok(Ok(_)) => std::future::pending().await,
            Err(panic) => std::panic::resume_unwind(panic.into_panic()),
        }
    }

    /// Ends the engine in order; what has not ended when `patience` has is killed.
    pub async fn stop(self, patience: impl Future<Output = ()> + Send + 'static) -> Stopped {
        let _ = self.stop.send(Box::pin(patience));
        match self.task.await {
            Ok(Ok(stopped)) => stopped,
            // It had been given up: nothing runs.
            _ => Stopped::InTime,
        }
    }
}

async fn keep_running(
    mut engine: impl Engine,
    policy: RestartPolicy,
    report: Report,
    mut stopping: oneshot::Receiver<Patience>,
) -> Result<Stopped> {
    let mut attempts = Attempts { policy, failed: 0 };
    let mut started = Instant::now();
    loop {
        let name = engine.process().engine();
        let status = tokio::select! {
            biased;
            patience = &mut stopping => {
                // Nobody holds it any more: then nobody waits either.
                let patience = patience.unwrap_or_else(|_| Box::pin(std::future::ready(())));
                return Ok(engine.stop_until(patience).await);
            }
            status = engine.process().ended() => status,
        };
        let mut why = format!("{name} ended ({status})");
        let mut last = EngineError::Died { engine: name, status: status.to_string(), last_lines: Vec::new() };
        let mut ran_for = started.elapsed();
        loop {
            let Some(pause) = attempts.pause_after(ran_for) else {
                return Err(EngineError::GivenUp { engine: name, times: attempts.failed, source: Box::new(last) });
            };
            report(&format!("{why}; starting it again in {} ms", pause.as_millis()));
            let start = async {
                tokio::time::sleep(pause).await;
                engine.start_again().await
            };
            tokio::select! {
                biased;
                _ = &mut stopping => return Ok(Stopped::InTime),
                outcome = start => match outcome {
                    Ok(()) => break,
                    Err(error) => {
                        why = error.to_string();
                        last = error;
                        ran_for = Duration::ZERO;
                    }
                },
            }
        }
        report(&format!("{name} runs again"));
        started = Instant::now();
    }
}

struct Attempts {
    policy: RestartPolicy,
    failed: u32,
}

impl Attempts {
    /// How long to wait before the next attempt, or nothing if there have been enough.
    fn pause_after(&mut self, ran_for: Duration) -> Option<Duration> {
        if ran_for >= self.policy.healthy_after {
            self.failed = 0;
        }
        self.failed += 1;
        if self.failed > self.policy.attempts_max {
            return None;
        }
        let doubled = self.policy.first_pause.saturating_mul(1 << (self.failed - 1).min(16));
        Some(doubled.min(self.policy.longest_pause))
    }
}

impl Engine for Nats {
    fn process(&self) -> &Process {
        Nats::process(self)
    }

    async fn start_again(&mut self) -> Result<()> {
        Nats::start_again(self).await
    }

    async fn stop_until(&self, patience: Patience) -> Stopped {
        Nats::stop_until(self, patience).await
    }
}

impl Engine for Postgres {
    fn process(&self) -> &Process {
        Postgres::process(self)
    }

    async fn start_again(&mut self) -> Result<()> {
        Postgres::start_again(self).await
    }

    async fn stop_until(&self, patience: Patience) -> Stopped {
        Postgres::stop_until(self, patience).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_a_bound_and_attempts_end() {
        let policy = RestartPolicy { attempts_max: 8, ..RestartPolicy::default() };
        let mut attempts = Attempts { policy, failed: 0 };
        let mut pauses = Vec::new();
        while let Some(pause) = attempts.pause_after(Duration::ZERO) {
            pauses.push(pause.as_millis());
        }
        assert_eq!(pauses, [100, 200, 400, 800, 1600, 3200, 5000, 5000]);
    }

    #[test]
    fn a_healthy_while_forgives_earlier_failures() {
        let mut attempts = Attempts { policy: RestartPolicy::default(), failed: 9 };
        assert_eq!(attempts.pause_after(Duration::from_secs(31)), Some(Duration::from_millis(100)));
        let mut attempts = Attempts { policy: RestartPolicy::default(), failed: 10 };
        assert_eq!(attempts.pause_after(Duration::from_secs(29)), None);
    }
}
