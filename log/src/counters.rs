//! What happened inside, as numbers that only grow: transient faults are healed without a word to the caller, and
//! this is where they show. The services publish them as metrics.

use std::sync::atomic::{AtomicU64, Ordering};

macro_rules! counters {
    ($($(#[doc = $doc:literal])* $name:ident,)*) => {
        /// A reading of every counter.
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
        pub struct Counts { $($(#[doc = $doc])* pub $name: u64,)* }

        #[derive(Debug, Default)]
        pub(crate) struct Counters { $(pub(crate) $name: AtomicU64,)* }

        impl Counters {
            pub(crate) fn read(&self) -> Counts {
                Counts { $($name: self.$name.load(Ordering::Relaxed),)* }
            }
        }

        impl Counts {
            /// Names and values, for a metrics exporter.
            pub fn named(&self) -> impl Iterator<Item = (&'static str, u64)> {
                [$((stringify!($name), self.$name),)*].into_iter()
            }
        }
    };
}

counters! {
    /// Appends sent one by one.
    appends_plain,
    /// Appends sent in atomic batches, and how many batches those were.
    appends_batched,
    batches,
    /// Batches that the broker refused and that were cut in two.
    batches_halved,
    /// Appends whose outcome had to be reported as unknown.
    appends_unknown,
    appends_unavailable,
    /// Append connections that were given up.
    append_lines_lost,
    /// Feeds that a follower had to open again, and why.
    follower_reopened,
    follower_disconnected,
    follower_drops,
    follower_jumps,
    follower_replays,
    follower_silences,
    follower_stalls,
    /// Times that live messages may have been missed.
    live_gaps,
    /// Times that a standing connection was lost.
    disconnects,
    /// Subscriptions that the client library dropped messages of.
    slow_consumers,
}

pub(crate) fn count(counter: &AtomicU64) {
    counter.fetch_add(1, Ordering::Relaxed);
}
