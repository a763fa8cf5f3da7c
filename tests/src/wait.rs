//! Waiting for something on a task that may move between threads, which the test kit's `eventually` can't.

use std::fmt::Debug;
use std::time::Duration;

use tokio::time::Instant;

const LOOK_EVERY: Duration = Duration::from_millis(10);

/// Looks until there is something, and panics with what was seen last when that takes too long.
pub async fn until<T, E: Debug, F>(what: &str, limit: Duration, mut look: impl FnMut() -> F) -> T
where
    F: Future<Output = Result<T, E>>,
{
    let deadline = Instant::now() + limit;
    loop {
        match look().await {
            Ok(found) => return found,
            Err(seen) if Instant::now() >= deadline => panic!("{what}: not within {limit:?}; saw last {seen:?}"),
            Err(_) => tokio::time::sleep(LOOK_EVERY).await,
        }
    }
}
