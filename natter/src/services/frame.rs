//! What every service of its own stands in: signals, tasks, metrics, and the number of files that it may open.

use std::time::Duration;

use natter_platform::lifecycle::{Shutdown, Tasks, shutdown_on_signals};
use natter_platform::telemetry::{Metrics, install_metrics};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use crate::exit::{Exit, Failure};

pub struct Frame {
    pub shutdown: Shutdown,
    pub tasks: Tasks,
    pub metrics: Metrics,
}

impl Frame {
    /// From here on Ctrl-C and SIGTERM ask for a stop that turns hard after `grace`, or when they come again.
    pub fn new(grace: Duration) -> Result<Self, Failure> {
        let shutdown = Shutdown::new(grace);
        let tasks = Tasks::new(&shutdown);
        shutdown_on_signals(&shutdown, &tasks)
            .map_err(|error| Failure::new(Exit::Other, format!("cannot wait for signals: {error}")))?;
        let metrics = install_metrics().map_err(|error| Failure::caused_by(Exit::Other, &error))?;
        metrics.keep_up(&tasks);
        allow_many_files();
        Ok(Self { shutdown, tasks, metrics })
    }

    /// Does what a service needs before it can begin. Nothing, if the stop is asked for meanwhile: then nothing has begun.
    pub async fn prepare<T>(&self, work: impl Future<Output = Result<T, Failure>>) -> Result<Option<T>, Failure> {
        tokio::select! {
            done = work => done.map(Some),
            () = self.shutdown.requested() => Ok(None),
        }
    }

    /// Waits until the service has ended, and says why if it did not end well.
    pub async fn end(self) -> Result<(), Failure> {
        self.tasks.join().await.map_err(|error| Failure::caused_by(Exit::Other, &error))
    }
}

/// Every socket is an open file, and the usual limit of 1,024 is meant for programs of another kind.
fn allow_many_files() {
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    if current == maximum {
        return;
    }
    match setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum }) {
        Ok(()) => tracing::debug!(?maximum, "raised the limit of open files"),
        Err(error) => tracing::warn!(?current, %error, "cannot raise the limit of open files"),
    }
}
