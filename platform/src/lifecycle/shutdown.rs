//! The stop that everything in a service watches.
//!
//! *Requested* is the soft part: take nothing new, finish what is begun, say goodbye. *Forced* is the hard part: it comes
//! when the grace has passed since the request, or at once when asked for, and whoever is still there is cut off.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

/// A stop in two steps. Clones are one and the same stop.
#[derive(Clone, Debug)]
pub struct Shutdown(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    soft: CancellationToken,
    hard: CancellationToken,
    requested_at: OnceLock<Instant>,
    grace: Duration,
    parent: Option<Shutdown>,
}

impl Shutdown {
    /// A stop that turns hard `grace` after it was requested.
    pub fn new(grace: Duration) -> Self {
        Self::build(CancellationToken::new(), CancellationToken::new(), grace, None)
    }

    /// A stop of its own for one part: it follows this one, and can also be requested alone.
    pub fn child(&self) -> Self {
        Self::build(self.0.soft.child_token(), self.0.hard.child_token(), self.0.grace, Some(self.clone()))
    }

    /// Asks for the stop. Asking again changes nothing.
    pub fn request(&self) {
        self.0.requested_at.get_or_init(Instant::now);
        self.0.soft.cancel();
    }

    /// Makes the stop hard now, requested before or not.
    pub fn force(&self) {
        self.request();
        self.0.hard.cancel();
    }

    /// Whether the stop was requested.
    pub fn is_requested(&self) -> bool {
        self.0.soft.is_cancelled()
    }

    /// Whether the stop is hard: forced, or the grace has passed.
    pub fn is_forced(&self) -> bool {
        self.0.hard.is_cancelled() || self.deadline().is_some_and(|at| Instant::now() >= at)
    }

    /// Waits for the request.
    pub async fn requested(&self) {
        self.0.soft.cancelled().await;
    }

    /// Waits until the stop is hard.
    pub async fn forced(&self) {
        let grace_over = async {
            self.requested().await;
            match self.deadline() {
                Some(at) => tokio::time::sleep_until(at).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            () = self.0.hard.cancelled() => {}
            () = grace_over => {}
        }
    }

    /// When the stop turns hard by itself; nothing before it was requested.
    pub fn deadline(&self) -> Option<Instant> {
        let own = self.0.requested_at.get().map(|at| *at + self.0.grace);
        let parents = self.0.parent.as_ref().and_then(Shutdown::deadline);
        match (own, parents) {
            (Some(own), Some(parents)) => Some(own.min(parents)),
            (own, parents) => own.or(parents),
        }
    }

    /// How long the soft part may take.
    pub fn grace(&self) -> Duration {
        self.0.grace
    }

    fn build(soft: CancellationToken, hard: CancellationToken, grace: Duration, parent: Option<Shutdown>) -> Self {
        Self(Arc::new(Inner { soft, hard, requested_at: OnceLock::new(), grace, parent }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GRACE: Duration = Duration::from_secs(10);

    async fn forced_after(shutdown: &Shutdown) -> Duration {
        let from = Instant::now();
        tokio::time::timeout(GRACE * 10, shutdown.forced()).await.expect("it never turned hard");
        from.elapsed()
    }

    #[tokio::test(start_paused = true)]
    async fn a_stop_is_soft_then_hard_after_its_grace() {
        let shutdown = Shutdown::new(GRACE);
        assert!(!shutdown.is_requested() && !shutdown.is_forced() && shutdown.deadline().is_none());
        shutdown.request();
        shutdown.requested().await;
        assert!(shutdown.is_requested() && !shutdown.is_forced());
        assert!((GRACE..GRACE + Duration::from_millis(5)).contains(&forced_after(&shutdown).await));
        assert!(shutdown.is_forced());
    }

    #[tokio::test(start_paused = true)]
    async fn asking_again_does_not_prolong_the_grace() {
        let shutdown = Shutdown::new(GRACE);
        shutdown.request();
        tokio::time::advance(GRACE / 2).await;
        shutdown.clone().request();
        assert!(forced_after(&shutdown).await <= GRACE / 2 + Duration::from_millis(5));
    }

    #[tokio::test(start_paused = true)]
    async fn force_is_hard_at_once_and_implies_the_request() {
        let shutdown = Shutdown::new(GRACE);
        shutdown.force();
        assert!(shutdown.is_requested() && shutdown.is_forced());
        assert!(forced_after(&shutdown).await < Duration::from_millis(5));
    }

    #[tokio::test(start_paused = true)]
    async fn a_child_follows_its_parent_but_not_the_other_way() {
        let parent = Shutdown::new(GRACE);
        let (first, second) = (parent.child(), parent.child());
        first.request();
        assert!(first.is_requested() && !parent.is_requested() && !second.is_requested());
        parent.request();
        second.requested().await;
        assert!((GRACE..GRACE + Duration::from_millis(5)).contains(&forced_after(&second).await));
        // Its own, later request does not give it more time than its parent has.
        second.request();
        assert_eq!(second.deadline(), parent.deadline());
        let third = parent.child();
        assert!(third.is_requested() && third.is_forced());
    }
}
