//! Carries out a plan: each fault at its time, beside the others, and what is done to one thing one after the other.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use futures::future::join_all;
use natter_testkit::Direction;
use tokio::sync::{Mutex, mpsc};

use crate::people::Ordeal;
use crate::plan::{Fault, Plan};
use crate::record::Recorder;
use crate::stage::{Link, Part, Stage};

/// A fault that came, and when it was over.
#[derive(Debug, Clone, Copy)]
pub struct Happened {
    pub fault: Fault,
    pub began: Duration,
    /// What was to be broken is put right from here on: a process is being started again, a link heals.
    pub mended: Duration,
    pub over: Duration,
}

/// The devices of one person, as ordeals reach them.
pub struct Devices {
    pub eye: mpsc::Sender<Ordeal>,
    pub hand: mpsc::Sender<Ordeal>,
}

/// Carries the plan out, and returns when everything is whole again.
pub async fn conduct(plan: &Plan, stage: &Stage, people: &[Devices], recorder: &Recorder) -> Vec<Happened> {
    let locks = Locks::default();
    let begins = recorder.now();
    let faults = plan.steps.iter().map(async |step| {
        tokio::time::sleep((begins + step.after).saturating_sub(recorder.now())).await;
        let _alone = locks.of(step.fault).await;
        let began = recorder.now();
        let mended = commit(step.fault, stage, people, recorder).await;
        Happened { fault: step.fault, began, mended, over: recorder.now() }
    });
    let mut happened = join_all(faults).await;
    for part in Part::ALL {
        stage.is_ready(part).await;
    }
    happened.sort_by_key(|one| one.began);
    happened
}

/// What two faults must not be done to at once.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Target {
    Part(Part),
    Link(Link),
    Person(usize),
}

#[derive(Default)]
struct Locks(Mutex<HashMap<Target, Arc<Mutex<()>>>>);

impl Locks {
    async fn of(&self, fault: Fault) -> tokio::sync::OwnedMutexGuard<()> {
        let target = match fault {
            Fault::Kill { part, .. } | Fault::Stop { part, .. } | Fault::Pause { part, .. } => Target::Part(part),
            Fault::Cut { link }
            | Fault::CutAfter { link, .. }
            | Fault::Delay { link, .. }
            | Fault::Hold { link, .. }
            | Fault::Lose { link, .. }
            | Fault::Refuse { link, .. } => Target::Link(link),
            Fault::RollBack { .. } | Fault::FillDisk { .. } => Target::Part(Part::Broker),
            Fault::StopReading { person, .. } | Fault::LoseEye { person, .. } | Fault::LoseHand { person } => {
                Target::Person(person)
            }
        };
        let lock = self.0.lock().await.entry(target).or_default().clone();
        lock.lock_owned().await
    }
}

/// Does it, and returns when it is over, with when it began to be put right.
async fn commit(fault: Fault, stage: &Stage, people: &[Devices], recorder: &Recorder) -> Duration {
    let mut mended = None;
    let mut mends = || mended = Some(recorder.now());
    match fault {
        Fault::Kill { part, down } => {
            stage.kill(part).await;
            tokio::time::sleep(down).await;
            mends();
            stage.start_again(part).await;
        }
        Fault::Stop { part, down } => {
            stage.stop(part).await;
            tokio::time::sleep(down).await;
            mends();
            stage.start_again(part).await;
        }
        Fault::Pause { part, still } => {
            stage.pause(part).await;
            tokio::time::sleep(still).await;
            stage.resume(part).await;
        }
        Fault::Cut { link } => stage.link(link).cut(),
        Fault::CutAfter { link, direction, bytes } => stage.link(link).cut_after(direction, bytes),
        Fault::Delay { link, direction, by, lasts } => {
            stage.link(link).delay(direction, by);
            tokio::time::sleep(lasts).await;
            stage.link(link).heal();
        }
        Fault::Hold { link, place, lasts } => {
            stage.link(link).hold_one(place, lasts);
            tokio::time::sleep(lasts).await;
        }
        Fault::Lose { link, direction, lasts } => lose(stage, link, direction, lasts).await,
        Fault::Refuse { link, lasts } => {
            stage.link(link).refuse();
            stage.link(link).cut();
            tokio::time::sleep(lasts).await;
            stage.link(link).heal();
        }
        // A person whose device is busy with other ordeals is spared this one.
        Fault::StopReading { person, lasts } => drop(people[person].eye.try_send(Ordeal::StopReading(lasts))),
        Fault::LoseEye { person, away } => drop(people[person].eye.try_send(Ordeal::Lose(away))),
        Fault::LoseHand { person } => drop(people[person].hand.try_send(Ordeal::Lose(Duration::ZERO))),
        Fault::RollBack { after } => stage.roll_back(after).await,
        Fault::FillDisk { lasts } => stage.fill_disk(lasts).await,
    }
    mended.unwrap_or_else(|| recorder.now())
}

async fn lose(stage: &Stage, link: Link, direction: Direction, lasts: Duration) {
    stage.link(link).blackhole(direction);
    tokio::time::sleep(lasts).await;
    stage.link(link).heal();
}
