//! Nothing lost, nothing twice, one order, under faults; and the proof that who says so can tell.

use std::panic::AssertUnwindSafe;
use std::time::Duration;

use futures::{FutureExt, StreamExt, stream};
use natter_planted::Bug;
use natter_testkit::{Disk, Names, eventually};
use natter_tests::check::Verdict;
use natter_tests::people::Habits;
use natter_tests::plan::{Fault, Plan, Shape};
use natter_tests::programs;
use natter_tests::run::{Options, Outcome, Running, run};
use natter_tests::trials::{catcher, control, little_room, short, trial};

/// Runs at once. Most of what a run takes is waiting.
const AT_ONCE: usize = 2;
/// Of the plan that every run of the tests has. For others there is `make torture`.
const SEED: u64 = 20;
/// Some bugs strike only in so much traffic, which a slow machine may not make in one run: each has so many to be caught in.
const RUNS_OF_A_BUG: u64 = 3;
/// Longest that a run with a bug takes of which the plan lasts seconds: some bugs keep it from coming to an end.
const RUN_LIMIT: Duration = Duration::from_secs(90);
/// One without a bug comes to its end, on however slow a machine.
const SOUND_RUN_LIMIT: Duration = Duration::from_secs(600);

/// Longest that a slow machine may take for as much traffic as makes it a test.
const TRAFFIC_LIMIT: Duration = Duration::from_secs(120);

/// A run that does not end before so many commands were done: a slow machine takes longer for them.
async fn run_until_done(options: &Options, commands: usize) -> Outcome {
    let running = Running::begin(options).await;
    let traffic = async {
        tokio::time::sleep(options.lasts).await;
        eventually("it is a test", TRAFFIC_LIMIT, async || match running.recorder.done_since(Duration::ZERO).0 {
            done if done >= commands => Ok(()),
            done => Err(done),
        })
        .await;
    };
    let (happened, ()) = tokio::join!(running.conduct(&options.plan), traffic);
    running.finish(happened).await
}

/// Everything that a plan is made of, closely one after the other.
#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_lost_or_told_twice_or_out_of_order_whatever_ends_or_is_cut() {
    let seed = match std::env::var("NATTER_TEST_SEED") {
        Ok(seed) => seed.parse().expect("NATTER_TEST_SEED is a number"),
        Err(_) => SEED,
    };
    let shape = Shape { lasts: Duration::from_secs(40), every: Duration::from_millis(400), people: 5 };
    let options = Options {
        seed,
        people: shape.people,
        habits: Habits::every(Duration::from_millis(80)),
        lasts: shape.lasts,
        gateway_options: little_room(),
        ..short(programs::natter(), Plan::random(seed, &shape))
    };
    println!("NATTER_TEST_SEED={seed}\n{}", options.plan);
    let outcome = run_until_done(&options, 200).await;
    println!("{}", outcome.report);
    assert!(outcome.verdict.is_clean(), "with NATTER_TEST_SEED={seed}:\n{}", outcome.verdict);
    assert!(outcome.report.kills > 10, "it was no test:\n{}", outcome.report);
}

/// The broker can store nothing for a while, in the middle of whatever it was storing.
#[tokio::test(flavor = "multi_thread")]
async fn nothing_that_was_acknowledged_is_lost_when_the_brokers_disk_is_full() {
    if let Err(why) = Disk::mount(Names::Journaled) {
        println!("NOT TESTED, since {why}");
        return;
    }
    let full = |at| (at, Fault::FillDisk { lasts: Duration::from_millis(1_500) });
    let options = Options { disk: true, ..short(programs::natter(), Plan::of([full(1_000), full(4_500)])) };
    let outcome = run_until_done(&options, 100).await;
    println!("{}", outcome.report);
    assert!(outcome.verdict.is_clean(), "{}", outcome.verdict);
}

/// What a run was found to be wrong with, and nothing if it did not come to its end: that is no proof of anything.
async fn judged(options: &Options) -> Option<Verdict> {
    let limit = if options.bug.is_some() { RUN_LIMIT } else { SOUND_RUN_LIMIT };
    let ended = AssertUnwindSafe(tokio::time::timeout(limit, run(options))).catch_unwind().await;
    ended.ok()?.ok().map(|outcome| outcome.verdict)
}

/// A bug that nobody finds, or a run that finds one in a sound program, is the harness's own.
#[tokio::test(flavor = "multi_thread")]
async fn every_planted_bug_is_caught_and_the_same_runs_without_it_are_clean() {
    let only = std::env::var("NATTER_TEST_BUG").ok();
    let bugs: Vec<_> = Bug::ALL.iter().filter(|bug| only.as_deref().is_none_or(|only| only == bug.name())).collect();
    assert!(!bugs.is_empty(), "there is no bug {only:?}");
    // Many bugs are caught by the same run.
    let mut sound: Vec<Options> = Vec::new();
    for options in bugs.iter().map(|bug| control(**bug, programs::natter())) {
        if !sound.contains(&options) {
            sound.push(options);
        }
    }
    let planted = bugs.iter().map(|bug| (Some(**bug), trial(**bug, programs::with_planted_bugs())));
    let outcomes = stream::iter(sound.into_iter().map(|options| (None, options)).chain(planted));
    let outcomes = outcomes.map(async |(bug, options): (Option<Bug>, Options)| {
        let runs = if bug.is_some() { RUNS_OF_A_BUG } else { 1 };
        let is_right = |verdict: &Verdict| match bug {
            Some(bug) => verdict.count(catcher(bug)) > 0,
            None => verdict.is_clean(),
        };
        let (mut done, mut verdict) = (0, None);
        while done < runs && !verdict.as_ref().is_some_and(is_right) {
            verdict = judged(&Options { seed: options.seed + done, ..options.clone() }).await;
            done += 1;
        }
        let told = verdict.as_ref().map_or("came to no end".to_owned(), |verdict: &Verdict| {
            verdict.checkers().into_iter().map(String::from).collect::<Vec<_>>().join(", ")
        });
        let name = bug.map_or("sound", |bug| bug.name());
        println!("{name:<20} {told}, in run {done}");
        let wrong = match (bug, verdict) {
            (_, Some(verdict)) if is_right(&verdict) => return None,
            (Some(bug), _) => {
                format!("{name} was not caught by the checker of \"{}\"; the last run: {told}", catcher(bug))
            }
            (None, None) => format!("without a bug, no end came of {:?}", options.plan),
            (None, Some(verdict)) => format!("without a bug, in {:?}:\n{verdict}", options.plan),
        };
        Some(wrong)
    });
    let wrong: Vec<_> = outcomes.buffer_unordered(AT_ONCE).filter_map(std::future::ready).collect().await;
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
