//! Whether a service can do its work: one check per dependency, each in bounded time.

use std::borrow::Cow;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use futures::FutureExt;
use futures::future::{BoxFuture, join_all};
use parking_lot::RwLock;
use serde::Serialize;
use tokio::sync::Mutex;
use tokio::time::Instant;

use crate::Shutdown;

/// How long a report is given out again: however many ask, the dependencies are asked this often at most.
const REPORT_VALID: Duration = Duration::from_millis(250);

/// What a check found, in a few words for people: how, or why not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Finding {
    Fine(String),
    /// Something is missing that the service works without: whoever sends people here goes on doing so, whoever looks after
    /// it is told.
    Degraded(String),
    /// The service can't do its work.
    Failed(String),
}

impl From<Result<String, String>> for Finding {
    fn from(result: Result<String, String>) -> Self {
        result.map_or_else(Self::Failed, Self::Fine)
    }
}

/// The dependencies of a service. Clones are one registry.
#[derive(Clone)]
pub struct Readiness(Arc<Inner>);

struct Inner {
    shutdown: Shutdown,
    checks: RwLock<Vec<Arc<Registered>>>,
    last: Mutex<Option<(Instant, Report)>>,
}

struct Registered {
    name: Cow<'static, str>,
    within: Duration,
    ask: Box<dyn Fn() -> BoxFuture<'static, Finding> + Send + Sync>,
}

/// Whether the service is ready, and each dependency.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Report {
    /// It can do its work.
    pub ready: bool,
    /// Something is missing that it works without. Named only then.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub degraded: bool,
    /// One entry per dependency, in the order of registration.
    pub checks: Vec<Check>,
}

/// One dependency.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Check {
    /// Its name.
    pub name: String,
    /// Whether the service can do its work, as far as this goes.
    pub ok: bool,
    /// Whether it is not as it should be all the same. Named only then.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub degraded: bool,
    /// How, or why not.
    pub detail: String,
}

impl Readiness {
    /// A service without dependencies. It stops being ready when its stop is requested, so that nothing new is sent there.
    pub fn new(shutdown: &Shutdown) -> Self {
        Self(Arc::new(Inner { shutdown: shutdown.clone(), checks: RwLock::default(), last: Mutex::new(None) }))
    }

    /// Adds a dependency. A check that takes longer than `within`, or panics, has failed.
    pub fn add<F>(
        &self,
        name: impl Into<Cow<'static, str>>,
        within: Duration,
        check: impl Fn() -> F + Send + Sync + 'static,
    ) where
        F: Future<Output = Finding> + Send + 'static,
    {
        let ask = Box::new(move || check().boxed());
        self.0.checks.write().push(Arc::new(Registered { name: name.into(), within, ask }));
    }

    /// How things are now, or were a moment ago.
    pub async fn report(&self) -> Report {
        // Held while the dependencies are asked: those who come meanwhile wait for the same answer.
        let mut last = self.0.last.lock().await;
        let mut report = match &*last {
            Some((at, report)) if at.elapsed() < REPORT_VALID => report.clone(),
            _ => {
                let checks: Vec<_> = self.0.checks.read().clone();
                let checks = join_all(checks.iter().map(|check| check.run())).await;
                let (ready, degraded) =
                    (checks.iter().all(|check| check.ok), checks.iter().any(|check| check.degraded));
                let report = Report { ready, degraded, checks };
                *last = Some((Instant::now(), report.clone()));
                report
            }
        };
        if self.0.shutdown.is_requested() {
            report.ready = false;
            report.checks.push(Check {
                name: "stop".to_owned(),
                ok: false,
                degraded: false,
                detail: "the service is stopping".to_owned(),
            });
        }
        report
    }
}

impl Registered {
    async fn run(&self) -> Check {
        let ask = std::panic::AssertUnwindSafe(async { (self.ask)().await }).catch_unwind();
        let found = match tokio::time::timeout(self.within, ask).await {
            Ok(Ok(found)) => found,
            Ok(Err(_)) => Finding::Failed("the check panicked".to_owned()),
            Err(_) => Finding::Failed(format!("no answer within {} ms", self.within.as_millis())),
        };
        let (ok, degraded, detail) = match found {
            Finding::Fine(detail) => (true, false, detail),
            Finding::Degraded(detail) => (true, true, detail),
            Finding::Failed(detail) => (false, false, detail),
        };
        for (gauge, is) in [("natter_ready", ok), ("natter_degraded", degraded)] {
            metrics::gauge!(gauge, "check" => self.name.clone()).set(f64::from(u8::from(is)));
        }
        Check { name: self.name.to_string(), ok, degraded, detail }
    }
}
