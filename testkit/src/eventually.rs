//! Waiting on a condition instead of sleeping.

use std::fmt::Debug;
use std::time::{Duration, Instant};

/// What one look at a condition gave: what was waited for, or a word on what was there instead.
pub trait Seen {
    type Wanted;

    fn wanted(self) -> Result<Self::Wanted, String>;
}

impl<T> Seen for Option<T> {
    type Wanted = T;

    fn wanted(self) -> Result<T, String> {
        self.ok_or_else(|| "nothing yet".to_owned())
    }
}

/// The error says what was seen, for example `Err(format!("{} of 10 messages", n))`.
impl<T, E: Debug> Seen for Result<T, E> {
    type Wanted = T;

    fn wanted(self) -> Result<T, String> {
        self.map_err(|seen| format!("{seen:?}"))
    }
}

impl Seen for bool {
    type Wanted = ();

    fn wanted(self) -> Result<(), String> {
        self.then_some(()).ok_or_else(|| "false".to_owned())
    }
}

/// Looks again and again until `condition` gives what is wanted, and panics with what it saw last when `deadline` is over.
/// A look that itself takes longer than the deadline counts as not having seen it.
///
/// ```
/// # use std::{sync::atomic::{AtomicU32, Ordering}, time::Duration};
/// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
/// let received = AtomicU32::new(0);
/// natter_testkit::eventually("three messages arrive", Duration::from_secs(5), || async {
///     match received.fetch_add(1, Ordering::Relaxed) {
///         3 => Ok(()),
///         n => Err(format!("{n} of 3")),
///     }
/// })
/// .await;
/// # });
/// ```
#[track_caller]
pub fn eventually<S, F>(what: &str, deadline: Duration, condition: F) -> impl Future<Output = S::Wanted>
where
    S: Seen,
    F: AsyncFnMut() -> S,
{
    let caller = std::panic::Location::caller();
    async move { wait(what, deadline, condition, caller).await }
}

async fn wait<S, F>(what: &str, deadline: Duration, mut condition: F, caller: &std::panic::Location<'_>) -> S::Wanted
where
    S: Seen,
    F: AsyncFnMut() -> S,
{
    let start = Instant::now();
    let mut pause = Duration::from_millis(1);
    let mut last = "no look was finished".to_owned();
    let mut looks = 0_u32;
    loop {
        let left = deadline.saturating_sub(start.elapsed());
        match tokio::time::timeout(left, condition()).await.map(Seen::wanted) {
            Ok(Ok(wanted)) => return wanted,
            Ok(Err(seen)) => last = seen,
            Err(_) => {}
        }
        looks += 1;
        if start.elapsed() >= deadline {
            panic!("{caller}: waited {deadline:?} until {what}; saw last, after {looks} looks: {last}");
        }
        tokio::time::sleep(pause.min(deadline)).await;
        pause = (pause * 2).min(Duration::from_millis(50));
    }
}
