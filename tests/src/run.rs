//! One run: a deployment, people, a plan, six readers, a verdict.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use natter_client::Position;

use crate::check::{Evidence, Verdict, judge};
use crate::conductor::{Devices, Happened, conduct};
use crate::people::{Busy, Habits, Person, World, notes};
use crate::plan::{Fault, Plan};
use crate::readers;
use crate::record::{Device, Reading, Recorder};
use crate::report::Report;
use crate::stage::{Cast, Stage};

/// The most events that a late device asks for: past 10,000 it would be told to read history instead (CON3).
const LATE_EVENTS: usize = 8_000;

/// How `natter verify` ends when the tables are not what a replay gives.
const DIFFERENT: i32 = 13;

/// How far behind a gateway's copies may be: on a busy machine, and behind a link that loses things.
const LAG_MS: i64 = 2_000;
const LAG_UNDER_FAULTS_MS: i64 = 20_000;

/// What is run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    /// The program that is tested.
    pub natter: PathBuf,
    /// A bug that is planted in it, by name.
    pub bug: Option<String>,
    /// What people do follows from it.
    pub seed: u64,
    pub plan: Plan,
    pub people: usize,
    pub habits: Habits,
    /// How long people are at it, at least; as long as the plan has faults they are anyway.
    pub lasts: Duration,
    pub logs: Option<PathBuf>,
    pub gateway_options: Vec<String>,
    /// The broker's window of duplicates, where it is not to be the usual one.
    pub duplicate_window: Option<Duration>,
    /// Whether the broker is to have a disk that can be filled; that takes root and FUSE.
    pub disk: bool,
}

/// What came of it.
pub struct Outcome {
    pub verdict: Verdict,
    pub report: Report,
}

pub async fn run(options: &Options) -> Outcome {
    let running = Running::begin(options).await;
    let (happened, ()) = tokio::join!(running.conduct(&options.plan), tokio::time::sleep(options.lasts));
    running.finish(happened).await
}

/// A run under way: people are at it.
pub struct Running<'a> {
    options: &'a Options,
    pub stage: Arc<Stage>,
    pub recorder: Arc<Recorder>,
    world: Arc<World>,
    busy: Vec<Busy>,
}

impl<'a> Running<'a> {
    pub async fn begin(options: &'a Options) -> Self {
        let cast = Cast {
            natter: options.natter.clone(),
            bug: options.bug.clone(),
            logs: options.logs.clone(),
            gateway_options: options.gateway_options.clone(),
            duplicate_window: options.duplicate_window,
            disk: options.disk,
        };
        let stage = Arc::new(Stage::start(cast).await);
        let mut people = Vec::new();
        for number in 0..options.people {
            people.push(Person::register(&stage, number).await);
        }
        let world = Arc::new(World::new(people.iter().map(|person| person.handle.clone()).collect()));
        let recorder = Arc::new(Recorder::default());
        let mut busy = Vec::new();
        for person in people {
            let seed = options.seed.wrapping_mul(1_000).wrapping_add(u64::try_from(person.number).unwrap_or_default());
            busy.push(Busy::begin(person, world.clone(), recorder.clone(), options.habits, seed).await);
        }
        Self { options, stage, recorder, world, busy }
    }

    /// Carries out a plan, and returns when everything is whole again.
    pub async fn conduct(&self, plan: &Plan) -> Vec<Happened> {
        let devices: Vec<_> =
            self.busy.iter().map(|one| Devices { eye: one.eye.clone(), hand: one.hand.clone() }).collect();
        conduct(plan, &self.stage, &devices, &self.recorder).await
    }

    /// Whether somebody can read what there is in history, however far that is.
    pub async fn can_read(&self) -> bool {
        let Some(one) = self.busy.first() else { return false };
        match natter_client::History::of(&one.person.session) {
            Ok(history) => history.conversations().next_page().await.is_ok(),
            Err(_) => false,
        }
    }

    /// Lets people end what they began, reads everything, and judges.
    pub async fn finish(self, happened: Vec<Happened>) -> Outcome {
        let Self { options, stage, recorder, world, mut busy } = self;
        for one in &mut busy {
            one.settle().await;
        }
        let took = recorder.now();
        let mut evidence = gather(&stage, busy, &world, recorder).await;
        evidence.lag_ms = if happened.is_empty() { LAG_MS } else { LAG_UNDER_FAULTS_MS };
        let rolled_back = happened.iter().rfind(|one| matches!(one.fault, Fault::RollBack { .. }));
        if let Some(one) = rolled_back {
            evidence.recording.forget_before(one.over);
        }
        let verdict = judge(&evidence);
        let report = Report::of(options, &evidence, &verdict, &happened, took);
        Outcome { verdict, report }
    }
}

/// Reads everything in the six ways, when everything is done.
async fn gather(stage: &Stage, busy: Vec<Busy>, world: &World, recorder: Arc<Recorder>) -> Evidence {
    let log = stage.log().await;
    let epoch = log.epoch().await.unwrap_or_else(|error| panic!("the log has no epoch: {error}")).0;
    let raw = readers::raw(&log).await;
    let head = raw.last().map_or(0, |last| last.seq);
    let tables = readers::sql(stage.database_url(), head).await;
    let verified = stage.run("verify", &[]).await;
    let told = [verified.stdout, verified.stderr].map(|text| String::from_utf8_lossy(&text).into_owned()).concat();
    let unverified = match verified.status.code() {
        Some(0) => None,
        Some(DIFFERENT) => Some(told),
        other => panic!("natter verify could not be carried out ({other:?}): {told}"),
    };
    let mut people = Vec::new();
    let mut pages = HashMap::new();
    for one in busy {
        // Of another log, nothing is left to go by.
        let since = if one.since.epoch == epoch { one.since } else { Position::start(epoch) };
        let at = |seq: u64| {
            let tag = raw.iter().rfind(|raw| raw.seq == seq).map_or(since.tag, |raw| raw.tag);
            Position { epoch, seq, tag }
        };
        let person = one.leave(head).await;
        recorder.reading(readers::changes(&person, since, at(head)).await);
        let late = at(raw.len().checked_sub(LATE_EVENTS).map_or(since.seq, |place| raw[place].seq.max(since.seq)));
        let mut noted = vec![crate::record::Note::Reset(late.seq)];
        noted.extend(notes(&person, late).await);
        recorder.reading(Reading {
            person: person.number,
            device: Device::Latecomer,
            notes: noted,
            ended: recorder.now(),
        });
        for conversation in world.conversations() {
            let read = readers::pages(&person, conversation, at(head)).await;
            pages.insert((person.number, conversation), read);
        }
        people
            .push(tables.people.get(&person.handle).copied().unwrap_or_else(|| panic!("{} is nobody", person.handle)));
    }
    let recorder = Arc::into_inner(recorder).unwrap_or_else(|| panic!("somebody still records"));
    Evidence { people, raw, tables, recording: recorder.finish(), lag_ms: LAG_MS, unverified, pages }
}
