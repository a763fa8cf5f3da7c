//! The judges of a recording: pure, and each linear in its length.
//!
//! They know what should have been from the log alone ([`model`]): who was where when, whom each event reaches, and what
//! each message says in the end. Against that they hold what people were told:
//!
//! 1. [`acknowledged`]: every acknowledged command is there, for every reader.
//! 2. [`once`]: none is there twice.
//! 3. [`order`]: all readers agree on one order, saw nothing that was not theirs, and never went backwards.
//! 4. [`outcome`]: every outcome told the truth.

pub mod acknowledged;
pub mod model;
pub mod once;
pub mod order;
pub mod outcome;
pub mod pages;

use std::collections::HashMap;
use std::fmt;

use natter_client::ConversationId;
use natter_events::Uid;

use crate::readers::{Raw, Tables};
use crate::record::{Item, Recording};

/// More of one kind say nothing that these do not.
const SHOWN: usize = 20;

/// Everything that is judged.
pub struct Evidence {
    /// Who is who, by their number.
    pub people: Vec<Uid>,
    pub raw: Vec<Raw>,
    pub tables: Tables,
    pub recording: Recording,
    /// All pages of a conversation, as somebody read them at the end; none where they were refused.
    /// A gateway's copy of who is in a room is its feed's lag behind (CMD4). Later than this nothing excuses who says
    /// something in a room that they are not in.
    pub lag_ms: i64,
    /// What `natter verify` says of the tables, if they are not what a replay gives.
    pub unverified: Option<String>,
    pub pages: HashMap<(usize, ConversationId), Option<Vec<Item>>>,
}

/// Which rule was broken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Checker {
    Acknowledged,
    Once,
    Order,
    Outcome,
}

impl fmt::Display for Checker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Checker::Acknowledged => "lost",
            Checker::Once => "twice",
            Checker::Order => "order",
            Checker::Outcome => "untrue outcome",
        })
    }
}

impl From<Checker> for String {
    fn from(checker: Checker) -> Self {
        checker.to_string()
    }
}

/// Something that must not be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    pub checker: Checker,
    pub what: String,
}

/// What was found; all of it is counted, and the first of each kind is kept.
#[derive(Debug, Clone, Default)]
pub struct Verdict {
    violations: Vec<Violation>,
    counts: HashMap<Checker, usize>,
}

impl Verdict {
    pub fn found(&mut self, checker: Checker, what: impl FnOnce() -> String) {
        let count = self.counts.entry(checker).or_default();
        *count += 1;
        if *count <= SHOWN {
            self.violations.push(Violation { checker, what: what() });
        }
    }

    pub fn count(&self, checker: Checker) -> usize {
        self.counts.get(&checker).copied().unwrap_or_default()
    }

    pub fn is_clean(&self) -> bool {
        self.violations.is_empty()
    }

    pub fn violations(&self) -> &[Violation] {
        &self.violations
    }

    /// Who found something.
    pub fn checkers(&self) -> Vec<Checker> {
        let mut checkers: Vec<_> = self.counts.keys().copied().collect();
        checkers.sort_unstable();
        checkers
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for checker in self.checkers() {
            writeln!(f, "{checker}: {}", self.count(checker))?;
        }
        self.violations.iter().try_for_each(|Violation { checker, what }| writeln!(f, "  {checker}: {what}"))
    }
}

/// Judges.
pub fn judge(evidence: &Evidence) -> Verdict {
    let model = model::Model::of(&evidence.raw, &evidence.people);
    let mut verdict = Verdict::default();
    acknowledged::check(evidence, &model, &mut verdict);
    once::check(evidence, &mut verdict);
    order::check(evidence, &model, &mut verdict);
    outcome::check(evidence, &model, &mut verdict);
    pages::check(evidence, &model, &mut verdict);
    verdict
}
