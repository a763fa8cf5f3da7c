//! Bugs on purpose. A harness that has never caught one proves nothing; so each of these is planted somewhere in Natter,
//! behind a feature that no program that people run is built with, and has to be caught (see `tests/`).
//!
//! Where a bug is planted, the code asks [`Bug::is_planted`]. Without the feature `bugs` that is `false` for the compiler
//! too, and nothing of it is left. With it, the variable `NATTER_PLANTED_BUG` names the one that is alive.

macro_rules! bugs {
    ($($(#[doc = $doc:literal])+ $bug:ident $name:literal),* $(,)?) => {
        /// What may be planted.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Bug {
            $($(#[doc = $doc])+ $bug,)*
        }

        impl Bug {
            /// All of them.
            pub const ALL: &[Bug] = &[$(Bug::$bug),*];

            /// As the variable names it.
            pub const fn name(self) -> &'static str {
                match self {
                    $(Bug::$bug => $name,)*
                }
            }

            /// What it does.
            pub const fn what(self) -> &'static str {
                match self {
                    $(Bug::$bug => concat!($($doc),+),)*
                }
            }
        }
    };
}

bugs! {
    /// The gateway says `ok` before the broker has stored anything.
    AcknowledgeEarly "acknowledge-early",
    /// One event in fifty never gets to one of the sockets that it is for.
    DropOne "drop-one",
    /// A repeated command is not recognised and stored again.
    StoreTwice "store-twice",
    /// Two events that are sent together are sent in the other order.
    SwapTwo "swap-two",
    /// A resumed session begins one event too late.
    SkipOnResume "skip-on-resume",
    /// The projector writes its position before, and not with, the rows.
    PositionApart "position-apart",
    /// The projector applies a batch a second time now and then.
    ApplyTwice "apply-twice",
    /// Who was removed from a room hears on what is said there.
    PastRemoval "past-removal",
    /// A follower loses an event now and then, and does not mind the hole.
    IgnoreHole "ignore-hole",
    /// A log that was rolled back is taken for the one before.
    AcceptOtherLog "accept-other-log",
    /// A command that comes late under an old id is not looked up.
    ForgetOldIds "forget-old-ids",
    /// What is too much for a slow client is left out.
    SkipForSlow "skip-for-slow",
    /// The gateway's copy of who is in which rooms is never brought up to date.
    StaleMemberships "stale-memberships",
    /// History answers before it has what was asked for.
    StaleHistory "stale-history",
    /// Another command under a used id is answered like the first one.
    IgnoreConflict "ignore-conflict",
    /// A command whose outcome is unknown is reported as failed.
    GuessFailure "guess-failure",
}

impl Bug {
    /// Whether it is alive in this process.
    #[cfg(feature = "bugs")]
    pub fn is_planted(self) -> bool {
        static ALIVE: std::sync::OnceLock<Option<String>> = std::sync::OnceLock::new();
        let alive = ALIVE.get_or_init(|| std::env::var("NATTER_PLANTED_BUG").ok());
        alive.as_deref() == Some(self.name())
    }

    /// Whether it is alive in this process: never.
    #[cfg(not(feature = "bugs"))]
    pub const fn is_planted(self) -> bool {
        false
    }

    /// The same, for one in so many times that it is asked.
    pub fn strikes(self, one_in: u64) -> bool {
        static ASKED: std::sync::atomic::AtomicU64 = std::sync::atomic::AtomicU64::new(1);
        self.is_planted() && ASKED.fetch_add(1, std::sync::atomic::Ordering::Relaxed).is_multiple_of(one_in)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_bug_has_a_name_of_its_own() {
        let names: std::collections::HashSet<_> = Bug::ALL.iter().map(|bug| bug.name()).collect();
        assert_eq!(names.len(), Bug::ALL.len());
        assert!(Bug::ALL.len() >= 12);
    }

    #[test]
    fn none_is_alive_unless_it_is_asked_for() {
        assert!(Bug::ALL.iter().all(|bug| !bug.is_planted() && !bug.strikes(1)));
    }
}
