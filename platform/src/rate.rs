//! Rate limits by key: so many per window, as a bucket that refills evenly (GCRA, by `governor`).
//!
//! `N` per window means: `N` at once at most, and one more every `window / N`. The number of keys is bounded. A bucket
//! that is full again says nothing and is dropped when the space is needed; when all are in use, a *new* key has to wait:
//! whoever makes up keys to get past a limit meets this one.

use std::collections::HashMap;
use std::hash::{BuildHasher, Hash, RandomState};
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use governor::clock::Clock as _;
use governor::middleware::NoOpMiddleware;
use governor::nanos::Nanos;
use governor::state::StateStore;
use governor::{Quota, RateLimiter};
use parking_lot::Mutex;

use crate::Clock;

/// The buckets lie in this many parts, so that threads seldom wait for each other.
const SHARDS: usize = 16;

/// `count` per `window`, for each of at most `max_keys` keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limit {
    /// How many at once, and in one window from then on.
    pub count: NonZeroU32,
    /// The time in which an empty bucket fills again.
    pub window: Duration,
    /// Most buckets in memory.
    pub max_keys: usize,
}

/// A limit for each key. Shared by reference: it has its own locks.
pub struct KeyedLimiter<K: Hash + Eq + Clone> {
    limiter: RateLimiter<K, Buckets<K>, SinceStart, NoOpMiddleware<Nanos>>,
    buckets: Buckets<K>,
    clock: SinceStart,
    refill_every: Duration,
}

impl<K: Hash + Eq + Clone> KeyedLimiter<K> {
    /// A limiter with full buckets. A window shorter than a nanosecond per item counts as that.
    pub fn new(limit: Limit, clock: &Clock) -> Self {
        let refill_every = (limit.window / limit.count.get()).max(Duration::from_nanos(1));
        let quota =
            Quota::with_period(refill_every).map_or(Quota::per_second(limit.count), |q| q.allow_burst(limit.count));
        let clock = SinceStart { clock: clock.clone(), start: clock.elapsed() };
        let buckets = Buckets::new(limit.max_keys, refill_every);
        Self { limiter: RateLimiter::new(quota, buckets.clone(), clock.clone()), buckets, clock, refill_every }
    }

    /// Takes one from the key's bucket, or says how long until there is one.
    pub fn check(&self, key: &K) -> Result<(), Duration> {
        if !self.buckets.admit(key, self.clock.now()) {
            metrics::counter!("natter_rate_limiter_keys_full_total").increment(1);
            return Err(self.refill_every);
        }
        self.limiter.check_key(key).map_err(|not_until| not_until.wait_time_from(self.clock.now()))
    }

    /// Counts something that already happened, elsewhere. An empty bucket stays empty.
    pub fn record(&self, key: &K) {
        let _ = self.check(key);
    }

    /// How many buckets are in memory.
    pub fn keys(&self) -> usize {
        self.buckets.len()
    }
}

/// governor's clock, over ours. It starts at zero with the limiter, because that is how governor counts in its buckets.
#[derive(Clone, Debug)]
struct SinceStart {
    clock: Clock,
    start: Duration,
}

impl governor::clock::Clock for SinceStart {
    type Instant = Nanos;

    fn now(&self) -> Nanos {
        self.clock.elapsed().saturating_sub(self.start).into()
    }
}

/// The buckets: for each key the time at which it will be full again, since the limiter's start.
struct Buckets<K>(Arc<Shards<K>>);

struct Shards<K> {
    shards: Vec<Mutex<Shard<K>>>,
    hasher: RandomState,
    max_keys_per_shard: usize,
    sweep_every: Nanos,
}

struct Shard<K> {
    full_at: HashMap<K, Nanos>,
    next_sweep: Nanos,
}

impl<K> Clone for Buckets<K> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<K: Hash + Eq + Clone> Buckets<K> {
    fn new(max_keys: usize, sweep_every: Duration) -> Self {
        let shard = || Mutex::new(Shard { full_at: HashMap::new(), next_sweep: Nanos::new(0) });
        Self(Arc::new(Shards {
            shards: (0..SHARDS).map(|_| shard()).collect(),
            hasher: RandomState::new(),
            max_keys_per_shard: max_keys.div_ceil(SHARDS).max(1),
            sweep_every: sweep_every.into(),
        }))
    }

    /// Whether there is room for this key; makes some if it can.
    fn admit(&self, key: &K, now: Nanos) -> bool {
        let mut shard = self.shard(key).lock();
        if shard.full_at.len() < self.0.max_keys_per_shard || shard.full_at.contains_key(key) {
            return true;
        }
        // A sweep reads the whole part, so a flood of new keys gets one only as often as it can find something.
        if now < shard.next_sweep {
            return false;
        }
        shard.full_at.retain(|_, full_at| *full_at > now);
        shard.next_sweep = now + self.0.sweep_every;
        shard.full_at.len() < self.0.max_keys_per_shard
    }

    fn len(&self) -> usize {
        self.0.shards.iter().map(|shard| shard.lock().full_at.len()).sum()
    }

    fn shard(&self, key: &K) -> &Mutex<Shard<K>> {
        let hash = self.0.hasher.hash_one(key);
        &self.0.shards[hash as usize % SHARDS]
    }
}

impl<K: Hash + Eq + Clone> StateStore for Buckets<K> {
    type Key = K;

    fn measure_and_replace<T, F, E>(&self, key: &K, f: F) -> Result<T, E>
    where
        F: Fn(Option<Nanos>) -> Result<(T, Nanos), E>,
    {
        let mut shard = self.shard(key).lock();
        let (outcome, full_at) = f(shard.full_at.get(key).copied())?;
        shard.full_at.insert(key.clone(), full_at);
        Ok(outcome)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ManualClock;

    fn limiter(count: u32, window: Duration, max_keys: usize) -> (KeyedLimiter<u64>, ManualClock) {
        // A clock that has run for a while: buckets count from the limiter's start, not from the clock's.
        let (clock, hands) = Clock::manual(1_000_000);
        hands.advance(Duration::from_secs(3600));
        let limit = Limit { count: NonZeroU32::new(count).expect("not zero"), window, max_keys };
        (KeyedLimiter::new(limit, &clock), hands)
    }

    #[test]
    fn cmd5_so_many_at_once_then_one_by_one_as_the_window_passes() {
        let (limiter, hands) = limiter(10, Duration::from_secs(10), 100);
        for _ in 0..10 {
            assert_eq!(limiter.check(&1), Ok(()));
        }
        assert_eq!(limiter.check(&1), Err(Duration::from_secs(1)));
        hands.advance(Duration::from_millis(400));
        assert_eq!(limiter.check(&1), Err(Duration::from_millis(600)));
        hands.advance(Duration::from_millis(600));
        assert_eq!(limiter.check(&1), Ok(()));
        assert!(limiter.check(&1).is_err());
        hands.advance(Duration::from_secs(60));
        let passed = (0..100).take_while(|_| limiter.check(&1).is_ok()).count();
        assert_eq!(passed, 10, "an idle bucket holds one window's worth, no more");
    }

    #[test]
    fn keys_do_not_share_a_bucket() {
        let (limiter, _) = limiter(1, Duration::from_secs(10), 100);
        assert_eq!((limiter.check(&1), limiter.check(&2)), (Ok(()), Ok(())));
        assert!(limiter.check(&1).is_err() && limiter.check(&2).is_err());
    }

    #[test]
    fn what_happened_elsewhere_counts_and_never_more_than_the_bucket_holds() {
        let (limiter, hands) = limiter(3, Duration::from_secs(3), 100);
        limiter.record(&1);
        limiter.record(&1);
        assert_eq!(limiter.check(&1), Ok(()));
        assert!(limiter.check(&1).is_err());
        for _ in 0..50 {
            limiter.record(&1);
        }
        hands.advance(Duration::from_secs(1));
        assert_eq!(limiter.check(&1), Ok(()));
    }

    #[test]
    fn the_number_of_keys_is_bounded_and_full_buckets_make_room() {
        let (limiter, hands) = limiter(2, Duration::from_secs(2), 64);
        let admitted = (0..10_000).filter(|key| limiter.check(key).is_ok()).count();
        assert!(admitted <= 64 && limiter.keys() <= 64, "{admitted} admitted, {} kept", limiter.keys());
        let known = (0..10_000).find(|key| limiter.check(key).is_ok()).expect("a known key has its second one");
        assert!(limiter.check(&known).is_err(), "a known key's bucket was forgotten");
        // After the window every bucket is full again and says nothing.
        hands.advance(Duration::from_secs(2));
        let admitted = (20_000..30_000).filter(|key| limiter.check(key).is_ok()).count();
        assert!((32..=64).contains(&admitted) && limiter.keys() <= 64, "{admitted} admitted, {} kept", limiter.keys());
    }

    #[test]
    fn a_bucket_that_is_in_use_is_not_dropped_to_make_room() {
        let (limiter, hands) = limiter(4, Duration::from_secs(4), 16);
        while limiter.check(&7).is_ok() {}
        hands.advance(Duration::from_secs(2));
        for key in 100..5_000 {
            limiter.record(&key);
        }
        let left = (0..10).take_while(|_| limiter.check(&7).is_ok()).count();
        assert_eq!(left, 2, "only what has refilled in two seconds");
    }

    #[test]
    fn threads_share_one_bucket() {
        let (limiter, _) = limiter(100, Duration::from_secs(3600), 10);
        let passed: usize = std::thread::scope(|scope| {
            let threads: Vec<_> =
                (0..4).map(|_| scope.spawn(|| (0..100).filter(|_| limiter.check(&1).is_ok()).count())).collect();
            threads.into_iter().map(|thread| thread.join().expect("no panic")).sum()
        });
        assert_eq!(passed, 100);
    }
}
