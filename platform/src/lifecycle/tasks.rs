//! The tasks of a service. Each has a name and a policy for when it ends; none is spawned and forgotten.
//!
//! The set is one shared table. A task that ends takes itself out of it, so a service may start many short tasks without
//! anyone having to reap them.

use std::any::Any;
use std::borrow::Cow;
use std::collections::HashMap;
use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use futures::FutureExt;
use parking_lot::Mutex;
use tokio::sync::Notify;
use tokio::task::AbortHandle;
use tracing::Instrument;

use super::Shutdown;
use crate::error::{chain, panic_message};

/// How long a task may take to notice that it was aborted: it ends at its next await.
const ABORT_DEADLINE: Duration = Duration::from_millis(500);

/// Any error, as tasks give it.
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// What the end of a task means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Policy {
    /// The service is nothing without it: if it ends before a stop was requested, the service stops and says why.
    Essential,
    /// It ends when its work is done. Its errors are logged, the service goes on.
    Expected,
    /// It never ends by itself and nobody waits for it: at the stop it is aborted once all others have ended.
    Background,
}

/// Why a service did not end well.
#[derive(Debug, thiserror::Error)]
pub enum StopError {
    /// An essential task ended though no stop was requested.
    #[error("the task {task:?} ended, though the service was not stopping")]
    Ended {
        /// The task.
        task: String,
    },
    /// An essential task gave an error.
    #[error("the task {task:?} failed")]
    Failed {
        /// The task.
        task: String,
        /// What it gave.
        #[source]
        source: BoxError,
    },
    /// An essential task panicked.
    #[error("the task {task:?} panicked: {message}")]
    Panicked {
        /// The task.
        task: String,
        /// What it said.
        message: String,
    },
    /// Some tasks did not end in time.
    #[error("these tasks were still running when the stop turned hard: {}", tasks.join(", "))]
    LeftOver {
        /// Their names.
        tasks: Vec<String>,
    },
}

/// The running tasks of one service. Clones are one set.
#[derive(Clone)]
pub struct Tasks(Arc<Inner>);

struct Inner {
    shutdown: Shutdown,
    state: Mutex<State>,
    changed: Notify,
}

#[derive(Default)]
struct State {
    next: u64,
    /// Set when the rest is aborted: what is started after that is aborted too.
    closed: bool,
    running: HashMap<u64, Running>,
    first_failure: Option<StopError>,
}

struct Running {
    name: Cow<'static, str>,
    policy: Policy,
    /// Missing only for the moment between entering the table and being spawned.
    abort: Option<AbortHandle>,
}

impl Tasks {
    /// An empty set, whose essential tasks request `shutdown` when they end.
    pub fn new(shutdown: &Shutdown) -> Self {
        Self(Arc::new(Inner { shutdown: shutdown.clone(), state: Mutex::default(), changed: Notify::new() }))
    }

    /// Starts a task, in the current tracing span.
    pub fn spawn<E>(
        &self,
        name: impl Into<Cow<'static, str>>,
        policy: Policy,
        work: impl Future<Output = Result<(), E>> + Send + 'static,
    ) where
        E: Into<BoxError> + Send + 'static,
    {
        let id = {
            let mut state = self.0.state.lock();
            state.next += 1;
            let id = state.next;
            state.running.insert(id, Running { name: name.into(), policy, abort: None });
            id
        };
        let end = End { tasks: self.clone(), id };
        let task = async move {
            // The guard takes the task out of the table however this future ends, by being dropped too.
            let end = end;
            match AssertUnwindSafe(work).catch_unwind().await {
                Ok(Ok(())) => end.tasks.ended(id),
                Ok(Err(error)) => end.tasks.failed(id, error.into()),
                Err(panic) => end.tasks.panicked(id, &*panic),
            }
        };
        let handle = tokio::spawn(task.in_current_span()).abort_handle();
        let mut state = self.0.state.lock();
        if state.closed {
            handle.abort();
        } else if let Some(running) = state.running.get_mut(&id) {
            running.abort = Some(handle);
        }
    }

    /// The names of the tasks that run now, background tasks among them, sorted.
    pub fn running(&self) -> Vec<String> {
        self.0.names(|_| true)
    }

    /// Waits for the stop, then for the tasks. When the stop turns hard before they have ended, the rest is aborted and
    /// named. Gives the first thing that went wrong.
    pub async fn join(&self) -> Result<(), StopError> {
        let shutdown = &self.0.shutdown;
        shutdown.requested().await;
        let waited_for = |policy| policy != Policy::Background;
        let left_over = tokio::select! {
            () = self.none_left(waited_for) => Vec::new(),
            () = shutdown.forced() => self.0.names(waited_for),
        };
        if !left_over.is_empty() {
            tracing::error!(tasks = left_over.join(", "), "tasks did not end in time and are aborted");
        }
        self.0.abort_all();
        if tokio::time::timeout(ABORT_DEADLINE, self.none_left(|_| true)).await.is_err() {
            tracing::error!(tasks = self.running().join(", "), "aborted tasks do not let go: they block their thread");
        }
        match self.0.state.lock().first_failure.take() {
            Some(failure) => Err(failure),
            None if left_over.is_empty() => Ok(()),
            None => Err(StopError::LeftOver { tasks: left_over }),
        }
    }

    async fn none_left(&self, counts: impl Fn(Policy) -> bool) {
        loop {
            let changed = self.0.changed.notified();
            if !self.0.state.lock().running.values().any(|running| counts(running.policy)) {
                return;
            }
            changed.await;
        }
    }

    fn ended(&self, id: u64) {
        let Some((name, policy)) = self.0.who(id) else { return };
        if policy == Policy::Essential && !self.0.shutdown.is_requested() {
            tracing::error!(task = &*name, "an essential task ended: the service stops");
            self.0.fail(StopError::Ended { task: name.into_owned() });
        }
    }

    fn failed(&self, id: u64, source: BoxError) {
        let Some((name, policy)) = self.0.who(id) else { return };
        if policy == Policy::Essential {
            // The error is not logged here: whoever joins gets it, and logs it once.
            self.0.fail(StopError::Failed { task: name.into_owned(), source });
        } else {
            tracing::warn!(task = &*name, error = chain(&*source), "a task failed");
        }
    }

    fn panicked(&self, id: u64, panic: &(dyn Any + Send)) {
        let Some((name, policy)) = self.0.who(id) else { return };
        metrics::counter!("natter_task_panics_total", "task" => name.clone()).increment(1);
        tracing::error!(task = &*name, "a task panicked");
        if policy == Policy::Essential {
            self.0.fail(StopError::Panicked { task: name.into_owned(), message: panic_message(panic) });
        }
    }
}

impl Inner {
    fn names(&self, counts: impl Fn(Policy) -> bool) -> Vec<String> {
        let state = self.state.lock();
        let counted = state.running.values().filter(|running| counts(running.policy));
        let mut names: Vec<String> = counted.map(|running| running.name.to_string()).collect();
        names.sort();
        names
    }

    fn who(&self, id: u64) -> Option<(Cow<'static, str>, Policy)> {
        self.state.lock().running.get(&id).map(|running| (running.name.clone(), running.policy))
    }

    fn abort_all(&self) {
        let mut state = self.state.lock();
        state.closed = true;
        for running in state.running.values() {
            if let Some(abort) = &running.abort {
                abort.abort();
            }
        }
    }

    fn fail(&self, error: StopError) {
        self.state.lock().first_failure.get_or_insert(error);
        self.shutdown.request();
    }
}

struct End {
    tasks: Tasks,
    id: u64,
}

impl Drop for End {
    fn drop(&mut self) {
        self.tasks.0.state.lock().running.remove(&self.id);
        self.tasks.0.changed.notify_waiters();
    }
}
