//! What is to go wrong, and when: made from a seed, so that a seed is a plan.

use std::fmt;
use std::time::Duration;

use natter_testkit::Direction;
use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use rand::{RngExt, SeedableRng};

use crate::stage::{Link, Part};

/// Something that goes wrong, and for how long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// `kill -9`, and the part is started again after a while.
    Kill { part: Part, down: Duration },
    /// `SIGTERM`: the part ends in order, and is started again.
    Stop { part: Part, down: Duration },
    /// It stands still, as on a machine that swaps, and goes on.
    Pause { part: Part, still: Duration },
    /// Every connection of a link is reset.
    Cut { link: Link },
    /// One connection of a link is reset in the middle of what it says.
    CutAfter { link: Link, direction: Direction, bytes: u32 },
    /// Everything in one direction takes longer.
    Delay { link: Link, direction: Direction, by: Duration, lasts: Duration },
    /// What comes to one of a part's connections comes later, and over the others at once: a gateway's feed falls behind
    /// what it appends, or the other way round.
    Hold { link: Link, place: usize, lasts: Duration },
    /// What goes in one direction is lost: up, that is the request, and down, its reply.
    Lose { link: Link, direction: Direction, lasts: Duration },
    /// New connections are refused, and those that there are end.
    Refuse { link: Link, lasts: Duration },
    /// A person's device stops reading, and goes on.
    StopReading { person: usize, lasts: Duration },
    /// A person's program that watches ends, and comes back after a while with the position that it kept.
    LoseEye { person: usize, away: Duration },
    /// A person's program that does things ends in the middle, and comes back with the outbox that it kept.
    LoseHand { person: usize },
    /// The broker's disk is full. When there is room again, the broker is restarted, as one has to whose disk failed it.
    FillDisk { lasts: Duration },
    /// The broker's files are copied, and after a while put back: the log goes on where it was, as another one. Then the
    /// read models are made again, as an operator would.
    RollBack { after: Duration },
}

impl Fault {
    /// The name that a report counts it by.
    pub fn name(&self) -> String {
        match self {
            Fault::Kill { part, .. } => format!("kill -9 {part}"),
            Fault::Stop { part, .. } => format!("stop {part}"),
            Fault::Pause { part, .. } => format!("pause {part}"),
            Fault::Cut { link } => format!("cut {link}"),
            Fault::CutAfter { link, .. } => format!("cut within a message {link}"),
            Fault::Delay { link, .. } => format!("delay {link}"),
            Fault::Hold { link, .. } => format!("hold one connection {link}"),
            Fault::Lose { link, direction: Direction::Up, .. } => format!("lose requests {link}"),
            Fault::Lose { link, direction: Direction::Down, .. } => format!("lose replies {link}"),
            Fault::Refuse { link, .. } => format!("refuse {link}"),
            Fault::StopReading { .. } => "a client stops reading".to_owned(),
            Fault::LoseEye { .. } => "a watching client ends".to_owned(),
            Fault::FillDisk { .. } => "the broker's disk is full".to_owned(),
            Fault::RollBack { .. } => "the log is rolled back".to_owned(),
            Fault::LoseHand { .. } => "a client ends with commands under way".to_owned(),
        }
    }

    pub fn is_kill(&self) -> bool {
        matches!(self, Fault::Kill { .. })
    }
}

/// A fault, and when it comes after the beginning.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Step {
    pub after: Duration,
    pub fault: Fault,
}

/// Faults in the order in which they come.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Plan {
    pub steps: Vec<Step>,
}

/// What a plan is made of.
#[derive(Debug, Clone, Copy)]
pub struct Shape {
    pub lasts: Duration,
    /// Between two faults, on average.
    pub every: Duration,
    pub people: usize,
}

/// Between what two faults last.
const DOWN_MS: std::ops::Range<u64> = 1..1_500;
const STILL_MS: std::ops::Range<u64> = 100..3_000;
const DELAY_MS: std::ops::Range<u64> = 5..400;
const LASTS_MS: std::ops::Range<u64> = 100..3_000;
const AWAY_MS: std::ops::Range<u64> = 1..3_000;
const NOT_READING_MS: std::ops::Range<u64> = 500..6_000;
/// More than a part has connections to another.
const HELD_PLACES: usize = 64;
/// Far enough to fall within a frame, a replay or a greeting.
const CUT_BYTES: std::ops::Range<u32> = 1..20_000;

impl Plan {
    /// Nothing goes wrong.
    pub fn calm() -> Self {
        Self::default()
    }

    /// One fault after another.
    pub fn of(steps: impl IntoIterator<Item = (u64, Fault)>) -> Self {
        let step = |(after_ms, fault)| Step { after: Duration::from_millis(after_ms), fault };
        Self { steps: steps.into_iter().map(step).collect() }
    }

    /// The plan of a seed.
    pub fn random(seed: u64, shape: &Shape) -> Self {
        let mut random = StdRng::seed_from_u64(seed);
        let mut steps = Vec::new();
        let mut after = Duration::ZERO;
        let most_ms = u64::try_from(shape.every.as_millis()).unwrap_or(u64::MAX).saturating_mul(2).max(1);
        loop {
            after += Duration::from_millis(random.random_range(0..=most_ms));
            if after >= shape.lasts {
                return Self { steps };
            }
            steps.push(Step { after, fault: fault(&mut random, shape) });
        }
    }
}

fn fault(random: &mut StdRng, shape: &Shape) -> Fault {
    let ms = |random: &mut StdRng, range| Duration::from_millis(random.random_range(range));
    let part = *Part::ALL.choose(random).unwrap_or(&Part::Broker);
    let link = *Link::ALL.choose(random).unwrap_or(&Link::People);
    let direction = if random.random() { Direction::Up } else { Direction::Down };
    let person = random.random_range(0..shape.people);
    match random.random_range(0..100) {
        0..42 => Fault::Kill { part, down: ms(random, DOWN_MS) },
        42..47 => Fault::Stop { part, down: ms(random, DOWN_MS) },
        47..57 => Fault::Pause { part, still: ms(random, STILL_MS) },
        57..63 => Fault::Cut { link },
        63..69 => Fault::CutAfter { link, direction, bytes: random.random_range(CUT_BYTES) },
        69..73 => Fault::Hold { link, place: random.random_range(0..HELD_PLACES), lasts: ms(random, LASTS_MS) },
        73..78 => Fault::Delay { link, direction, by: ms(random, DELAY_MS), lasts: ms(random, LASTS_MS) },
        78..85 => Fault::Lose { link, direction, lasts: ms(random, LASTS_MS) },
        85..88 => Fault::Refuse { link, lasts: ms(random, LASTS_MS) },
        88..92 => Fault::StopReading { person, lasts: ms(random, NOT_READING_MS) },
        92..95 => Fault::LoseEye { person, away: ms(random, AWAY_MS) },
        _ => Fault::LoseHand { person },
    }
}

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.steps.iter().try_for_each(|Step { after, fault }| writeln!(f, "{:>9} ms  {fault:?}", after.as_millis()))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    const SHAPE: Shape = Shape { lasts: Duration::from_secs(3600), every: Duration::from_millis(1_500), people: 6 };

    #[test]
    fn a_seed_is_a_plan_and_another_seed_another() {
        assert_eq!(Plan::random(7, &SHAPE), Plan::random(7, &SHAPE));
        assert_ne!(Plan::random(7, &SHAPE), Plan::random(8, &SHAPE));
    }

    #[test]
    fn an_hour_has_every_kind_of_fault_on_everything_and_a_thousand_kills_can_be_had() {
        let plan = Plan::random(1, &SHAPE);
        assert!(plan.steps.is_sorted_by_key(|step| step.after));
        assert!(plan.steps.iter().all(|step| step.after < SHAPE.lasts));
        let kills = plan.steps.iter().filter(|step| step.fault.is_kill()).count();
        assert!(kills > 800, "{kills} kills");
        let names: BTreeSet<_> = plan.steps.iter().map(|step| step.fault.name()).collect();
        let of_parts = 3 * Part::ALL.len();
        let of_links = 7 * Link::ALL.len();
        assert_eq!(names.len(), of_parts + of_links + 3, "{names:?}");
    }
}
