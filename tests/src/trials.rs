//! The planted bugs, each with the run that catches it: one as short as will do.

use std::path::PathBuf;
use std::time::Duration;

use natter_planted::Bug;
use natter_testkit::Direction;

use crate::check::Checker;
use crate::people::Habits;
use crate::plan::{Fault, Plan};
use crate::run::Options;
use crate::stage::{Link, Part};

const PEOPLE: usize = 4;
const LASTS: Duration = Duration::from_secs(8);

/// A short and busy run in which nothing goes wrong but what `plan` says.
pub fn short(natter: PathBuf, plan: Plan) -> Options {
    Options {
        natter,
        bug: None,
        seed: 1,
        plan,
        people: PEOPLE,
        habits: Habits::every(Duration::from_millis(40)),
        lasts: LASTS,
        logs: None,
        gateway_options: Vec::new(),
        duplicate_window: None,
        disk: false,
    }
}

/// Who has to catch a bug; others may besides.
pub fn catcher(bug: Bug) -> Checker {
    match bug {
        Bug::AcknowledgeEarly
        | Bug::DropOne
        | Bug::SkipOnResume
        | Bug::IgnoreHole
        | Bug::SkipForSlow
        | Bug::StaleMemberships => Checker::Acknowledged,
        Bug::StoreTwice | Bug::ForgetOldIds => Checker::Once,
        Bug::SwapTwo
        | Bug::PositionApart
        | Bug::ApplyTwice
        | Bug::PastRemoval
        | Bug::AcceptOtherLog
        | Bug::StaleHistory => Checker::Order,
        Bug::IgnoreConflict | Bug::GuessFailure => Checker::Outcome,
    }
}

/// The run that catches a bug, with the bug planted.
pub fn trial(bug: Bug, natter: PathBuf) -> Options {
    let sound = control(bug, natter);
    // What a bug has lost, nobody needs to wait for long.
    let habits = Habits { patience: ms(8_000), ..sound.habits };
    Options { bug: Some(bug.name().to_owned()), habits, ..sound }
}

/// The same run without the bug.
pub fn control(bug: Bug, natter: PathBuf) -> Options {
    let calm = short(natter, Plan::calm());
    let options = |values: &[&str]| values.iter().map(|value| (*value).to_owned()).collect();
    match bug {
        Bug::AcknowledgeEarly
        | Bug::DropOne
        | Bug::StoreTwice
        | Bug::ApplyTwice
        | Bug::PastRemoval
        | Bug::IgnoreHole
        | Bug::StaleMemberships => calm,
        Bug::IgnoreConflict => Options { habits: Habits { conflicts: 20, ..calm.habits }, ..calm },
        Bug::SwapTwo | Bug::SkipOnResume => Options { plan: devices_away(), ..calm },
        Bug::PositionApart => Options { plan: projectors_killed(), ..calm },
        Bug::StaleHistory => Options { plan: projectors_still(), ..calm },
        Bug::AcceptOtherLog => Options { plan: rolled_back(), ..calm },
        Bug::GuessFailure => Options { plan: replies_lost(), ..calm },
        Bug::SkipForSlow => {
            Options { plan: nobody_reads(), gateway_options: options(&["--session-waiting-size", "1KiB"]), ..calm }
        }
        // The broker and the gateways forget soon, and everything that is done carries an old id.
        Bug::ForgetOldIds => Options {
            habits: Habits { old_ids: 100, repeats: 20, conflicts: 0, ..calm.habits },
            gateway_options: options(&["--tail-size", "20KiB"]),
            duplicate_window: Some(Duration::from_secs(1)),
            ..calm
        },
    }
}

/// Gateways that hold little: soon who does not read is let go of, and who comes back is told from the broker (D4).
pub fn little_room() -> Vec<String> {
    ["--session-waiting-size", "16KiB", "--tail-size", "256KiB"].map(str::to_owned).to_vec()
}

fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

/// Devices end and come back after a while, when there is something to catch up on.
fn devices_away() -> Plan {
    let away = |at: u64, person| (at, Fault::LoseEye { person, away: ms(400) });
    Plan::of((0..PEOPLE).flat_map(|person| (1..8).map(move |at| away(at * 900, person))))
}

fn projectors_killed() -> Plan {
    let kill = |at, part| (at, Fault::Kill { part, down: ms(10) });
    Plan::of(
        (1..8).flat_map(|turn| [kill(turn * 900, Part::FirstProjector), kill(turn * 900 + 400, Part::SecondProjector)]),
    )
}

fn projectors_still() -> Plan {
    let pause = |at, part| (at, Fault::Pause { part, still: ms(700) });
    Plan::of(
        (1..6).flat_map(|turn| [pause(turn * 1_200, Part::FirstProjector), pause(turn * 1_200, Part::SecondProjector)]),
    )
}

fn rolled_back() -> Plan {
    Plan::of([(2_000, Fault::RollBack { after: ms(1_500) })])
}

/// The broker stores, and a gateway does not hear of it for longer than it waits.
fn replies_lost() -> Plan {
    let lose = |link| (1_000, Fault::Lose { link, direction: Direction::Down, lasts: ms(7_000) });
    Plan::of([lose(Link::FirstGatewayBroker), lose(Link::SecondGatewayBroker)])
}

fn nobody_reads() -> Plan {
    Plan::of((0..PEOPLE).map(|person| (1_000, Fault::StopReading { person, lasts: ms(6_000) })))
}
