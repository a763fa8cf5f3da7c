//! Who says something to whom, and when: fixed by the numbers that are given, so that two runs do the same.

use std::time::Duration;

use clap::ValueEnum;
use natter_protocol::Handle;
use rand::rngs::StdRng;
use rand::seq::SliceRandom;
use rand::{RngExt, SeedableRng};

/// Partners of a user who talks to several.
const PARTNERS: usize = 8;

/// Who talks to whom.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Mix {
    /// Two and two: the first with the second, the third with the fourth.
    Pairs,
    /// Everyone with eight others.
    Random,
}

/// One direction of a conversation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Flow {
    pub from: usize,
    pub to: usize,
}

#[derive(Debug)]
pub struct Plan {
    pub flows: Vec<Flow>,
    /// The order in which flows have their turns; each has one before any has the next.
    turns: Vec<usize>,
    rate: u32,
    messages: u64,
}

impl Plan {
    pub fn new(users: usize, mix: Mix, rate: u32, duration: Duration, seed: u64) -> Self {
        let mut random = StdRng::seed_from_u64(seed);
        let mut flows = Vec::new();
        for from in 0..users {
            match mix {
                // An odd one out talks to the one before, who does not answer.
                Mix::Pairs => flows.push(Flow { from, to: if from ^ 1 < users { from ^ 1 } else { from - 1 } }),
                Mix::Random => {
                    let mut partners: Vec<usize> = Vec::new();
                    while partners.len() < PARTNERS.min(users - 1) {
                        let to = random.random_range(0..users);
                        if to != from && !partners.contains(&to) {
                            partners.push(to);
                        }
                    }
                    flows.extend(partners.into_iter().map(|to| Flow { from, to }));
                }
            }
        }
        let mut turns: Vec<usize> = (0..flows.len()).collect();
        turns.shuffle(&mut random);
        let messages = u64::from(rate) * u64::try_from(duration.as_millis()).unwrap_or(u64::MAX) / 1_000;
        Self { flows, turns, rate, messages }
    }

    /// How many messages there are to send.
    pub fn messages(&self) -> u64 {
        self.messages
    }

    /// When message `number` is to be sent, from the beginning.
    pub fn due(&self, number: u64) -> Duration {
        let rate = u64::from(self.rate);
        Duration::from_secs(number / rate) + Duration::from_nanos(number % rate * 1_000_000_000 / rate)
    }

    /// The flow of message `number`.
    pub fn flow(&self, number: u64) -> usize {
        let turns = self.turns.len() as u64;
        self.turns[usize::try_from(number % turns).unwrap_or_default()]
    }
}

/// The handle of user `index`.
pub fn handle(index: usize) -> Handle {
    // Digits and letters only, and short.
    #[allow(clippy::expect_used)]
    format!("load-{:04}", index + 1).parse().expect("a handle")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan(users: usize, mix: Mix, rate: u32, seconds: u64) -> Plan {
        Plan::new(users, mix, rate, Duration::from_secs(seconds), 1)
    }

    #[test]
    fn the_schedule_is_even_and_does_not_drift() {
        let plan = plan(10, Mix::Pairs, 3, 60);
        assert_eq!(plan.messages(), 180);
        assert_eq!(plan.due(0), Duration::ZERO);
        assert_eq!(plan.due(1), Duration::from_nanos(333_333_333));
        assert_eq!(plan.due(3), Duration::from_secs(1));
        assert_eq!(plan.due(3 * 86_400 * 365), Duration::from_secs(86_400 * 365));
    }

    #[test]
    fn pairs_talk_to_each_other_and_nobody_to_themselves() {
        for users in [2, 3, 7, 10] {
            let plan = plan(users, Mix::Pairs, 1, 1);
            assert_eq!(plan.flows.len(), users);
            assert!(plan.flows.iter().all(|flow| flow.from != flow.to && flow.to < users), "{:?}", plan.flows);
        }
        assert_eq!(plan(4, Mix::Pairs, 1, 1).flows[2], Flow { from: 2, to: 3 });
    }

    #[test]
    fn random_partners_are_different_others_and_the_same_in_every_run() {
        let (one, two) = (plan(50, Mix::Random, 1, 1), plan(50, Mix::Random, 1, 1));
        assert_eq!(one.flows, two.flows);
        assert_eq!(one.flows.len(), 50 * PARTNERS);
        for flow in &one.flows {
            assert_ne!(flow.from, flow.to);
            assert_eq!(one.flows.iter().filter(|other| *other == flow).count(), 1);
        }
        assert_eq!(plan(3, Mix::Random, 1, 1).flows.len(), 6, "fewer users than partners");
    }

    #[test]
    fn every_flow_has_its_turn_before_any_has_the_next() {
        let plan = plan(10, Mix::Pairs, 1, 1);
        let mut turns: Vec<_> = (0..10).map(|number| plan.flow(number)).collect();
        assert_eq!((plan.flow(10), plan.flow(11)), (turns[0], turns[1]));
        turns.sort_unstable();
        assert_eq!(turns, (0..10).collect::<Vec<_>>());
    }
}
