//! What a run came to, for people.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use crate::check::{Checker, Evidence, Verdict};
use crate::conductor::Happened;
use crate::record::{Device, Note, Outcome};
use crate::run::Options;
use crate::stage::Part;

/// Figures of a run.
#[derive(Debug, Clone, Default)]
pub struct Report {
    pub seed: u64,
    pub took: Duration,
    pub people: usize,
    /// Faults by kind.
    pub faults: BTreeMap<String, usize>,
    pub kills: usize,
    /// Commands by what became of them.
    pub commands: BTreeMap<String, usize>,
    pub stored: usize,
    /// Events that devices heard, and times that one was told to read again.
    pub heard: usize,
    pub resets: usize,
    pub pages: usize,
    pub lost: usize,
    pub twice: usize,
    pub reordered: usize,
    pub untrue: usize,
    /// From when a part was there again until something that needs it worked, sorted.
    pub recoveries: BTreeMap<String, Vec<Duration>>,
}

impl Report {
    pub fn of(
        options: &Options,
        evidence: &Evidence,
        verdict: &Verdict,
        happened: &[Happened],
        took: Duration,
    ) -> Self {
        let mut report = Self {
            seed: options.seed,
            took,
            people: options.people,
            kills: happened.iter().filter(|one| one.fault.is_kill()).count(),
            stored: evidence.raw.len(),
            pages: evidence.recording.pages.len() + evidence.pages.len(),
            lost: verdict.count(Checker::Acknowledged),
            twice: verdict.count(Checker::Once),
            reordered: verdict.count(Checker::Order),
            untrue: verdict.count(Checker::Outcome),
            recoveries: recoveries(evidence, happened),
            ..Self::default()
        };
        for one in happened {
            *report.faults.entry(one.fault.name()).or_default() += 1;
        }
        for call in &evidence.recording.calls {
            let name = match &call.outcome {
                Outcome::Done { duplicate: false, .. } => "done".to_owned(),
                Outcome::Done { .. } => "done before".to_owned(),
                Outcome::Refused(code) => format!("refused: {}", code.as_str()),
                Outcome::Unknown => "unknown".to_owned(),
                Outcome::NotSent(_) => "not sent".to_owned(),
            };
            *report.commands.entry(name).or_default() += 1;
        }
        for reading in &evidence.recording.readings {
            for note in &reading.notes {
                match note {
                    Note::Heard(_) => report.heard += 1,
                    Note::Reset(_) if reading.device == Device::Eye => report.resets += 1,
                    _ => {}
                }
            }
        }
        report
    }
}

impl Report {
    /// Takes another run in.
    pub fn add(&mut self, other: Self) {
        let sum = |ours: &mut BTreeMap<String, usize>, theirs: BTreeMap<String, usize>| {
            for (name, count) in theirs {
                *ours.entry(name).or_default() += count;
            }
        };
        if self.took.is_zero() {
            self.seed = other.seed;
        }
        self.took += other.took;
        self.people = self.people.max(other.people);
        sum(&mut self.faults, other.faults);
        sum(&mut self.commands, other.commands);
        self.kills += other.kills;
        self.stored += other.stored;
        self.heard += other.heard;
        self.resets += other.resets;
        self.pages += other.pages;
        self.lost += other.lost;
        self.twice += other.twice;
        self.reordered += other.reordered;
        self.untrue += other.untrue;
        for (name, times) in other.recoveries {
            let all = self.recoveries.entry(name).or_default();
            all.extend(times);
            all.sort_unstable();
        }
    }
}

/// How long after a fault was over the first command was done, or, of what only history needs, the first page came, that was
/// asked for after that.
fn recoveries(evidence: &Evidence, happened: &[Happened]) -> BTreeMap<String, Vec<Duration>> {
    let mut commands: Vec<_> = evidence
        .recording
        .calls
        .iter()
        .filter(|call| matches!(call.outcome, Outcome::Done { .. }))
        .map(|call| call.ended)
        .collect();
    commands.sort_unstable();
    let mut pages: Vec<_> = evidence.recording.pages.iter().map(|page| page.came).collect();
    pages.sort_unstable();
    let mut recoveries: BTreeMap<String, Vec<Duration>> = BTreeMap::new();
    for one in happened {
        let Some(part) = part_of(one) else { continue };
        let ends = match part {
            Part::FirstGateway | Part::SecondGateway | Part::Broker => &commands,
            _ => &pages,
        };
        let next = ends.partition_point(|end| *end < one.over);
        if let Some(end) = ends.get(next) {
            recoveries.entry(one.fault.name()).or_default().push(*end - one.over);
        }
    }
    recoveries.values_mut().for_each(|times| times.sort_unstable());
    recoveries
}

fn part_of(one: &Happened) -> Option<Part> {
    use crate::plan::Fault;
    match one.fault {
        Fault::Kill { part, .. } | Fault::Stop { part, .. } | Fault::Pause { part, .. } => Some(part),
        _ => None,
    }
}

/// Of sorted times.
fn percentile(times: &[Duration], percent: usize) -> Duration {
    let place = (times.len() * percent / 100).min(times.len().saturating_sub(1));
    times.get(place).copied().unwrap_or_default()
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let minutes = self.took.as_secs_f64() / 60.0;
        writeln!(f, "seed {}, {} people, {minutes:.1} minutes", self.seed, self.people)?;
        writeln!(
            f,
            "lost {}, twice {}, out of order {}, untrue {}",
            self.lost, self.twice, self.reordered, self.untrue
        )?;
        writeln!(
            f,
            "{} events stored, {} heard, {} resets of watching devices, {} pages read",
            self.stored, self.heard, self.resets, self.pages
        )?;
        writeln!(f, "\ncommands")?;
        for (name, count) in &self.commands {
            writeln!(f, "{count:>9}  {name}")?;
        }
        writeln!(f, "\nfaults: {} in all, {} of them kills", self.faults.values().sum::<usize>(), self.kills)?;
        for (name, count) in &self.faults {
            writeln!(f, "{count:>9}  {name}")?;
        }
        writeln!(f, "\nuntil it worked again, in ms\n      p50     p99     max")?;
        for (name, times) in &self.recoveries {
            let ms = |time: Duration| time.as_millis();
            let (p50, p99) = (percentile(times, 50), percentile(times, 99));
            let max = times.last().copied().unwrap_or_default();
            writeln!(f, "{:>9}{:>8}{:>8}  {name}", ms(p50), ms(p99), ms(max))?;
        }
        Ok(())
    }
}
