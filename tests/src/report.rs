//! What a run came to, for people.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use crate::check::{Checker, Evidence, Verdict};
use crate::conductor::Happened;
use crate::record::{Call, Device, Note, Outcome};
use crate::run::Options;

/// Figures of a run.
#[derive(Debug, Clone, Default)]
pub struct Report {
    /// Of the first run and of the last one.
    pub seeds: (u64, u64),
    pub runs: usize,
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
    /// What was found, with the seed of its run.
    pub failures: Vec<String>,
    /// By kind of fault, until people had what they asked for again, sorted.
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
            seeds: (options.seed, options.seed),
            runs: 1,
            took,
            people: options.people,
            kills: happened.iter().filter(|one| one.fault.is_kill()).count(),
            stored: evidence.raw.len(),
            pages: evidence.recording.pages.len() + evidence.pages.len(),
            lost: verdict.count(Checker::Acknowledged),
            twice: verdict.count(Checker::Once),
            reordered: verdict.count(Checker::Order),
            untrue: verdict.count(Checker::Outcome),
            failures: (!verdict.is_clean()).then(|| format!("seed {}\n{verdict}", options.seed)).into_iter().collect(),
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
    /// Of a run that came to no end.
    pub fn broken_off(options: &Options, why: &str) -> Self {
        let failures = vec![format!("seed {}\nthe run came to no end: {why}", options.seed)];
        Self { seeds: (options.seed, options.seed), runs: 1, failures, ..Self::default() }
    }

    /// Takes another run in.
    pub fn add(&mut self, other: Self) {
        let sum = |ours: &mut BTreeMap<String, usize>, theirs: BTreeMap<String, usize>| {
            for (name, count) in theirs {
                *ours.entry(name).or_default() += count;
            }
        };
        self.seeds = (if self.runs == 0 { other.seeds.0 } else { self.seeds.0 }, other.seeds.1);
        self.runs += other.runs;
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
        self.failures.extend(other.failures);
        for (name, times) in other.recoveries {
            let all = self.recoveries.entry(name).or_default();
            all.extend(times);
            all.sort_unstable();
        }
    }
}

/// From when something began to be put right until people had what they asked for after that: a command was done, and a
/// page came.
fn recoveries(evidence: &Evidence, happened: &[Happened]) -> BTreeMap<String, Vec<Duration>> {
    let done = |call: &&Call| matches!(call.outcome, Outcome::Done { .. });
    let calls = evidence.recording.calls.iter().filter(done).map(|call| (call.called, call.ended));
    let commands = Answers::new(calls);
    let pages = Answers::new(evidence.recording.pages.iter().map(|page| (page.asked, page.came)));
    let mut recoveries: BTreeMap<String, Vec<Duration>> = BTreeMap::new();
    for one in happened {
        if let (Some(command), Some(page)) = (commands.first_after(one.mended), pages.first_after(one.mended)) {
            let times = recoveries.entry(one.fault.name()).or_default();
            times.push(command.max(page).saturating_sub(one.mended));
        }
    }
    recoveries.values_mut().for_each(|times| times.sort_unstable());
    recoveries
}

/// When what was asked for at some time, or later, was first answered.
struct Answers(Vec<(Duration, Duration)>);

impl Answers {
    fn new(asked: impl Iterator<Item = (Duration, Duration)>) -> Self {
        let mut asked: Vec<_> = asked.collect();
        asked.sort_unstable();
        // From the last on: the earliest answer of all that were asked for from there on.
        let mut earliest = Duration::MAX;
        for (_, answered) in asked.iter_mut().rev() {
            earliest = earliest.min(*answered);
            *answered = earliest;
        }
        Self(asked)
    }

    fn first_after(&self, time: Duration) -> Option<Duration> {
        let next = self.0.partition_point(|(asked, _)| *asked < time);
        self.0.get(next).map(|(_, answered)| *answered)
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
        let (first, last) = self.seeds;
        writeln!(f, "seeds {first} to {last}, {} people, {minutes:.1} minutes in {} runs", self.people, self.runs)?;
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
        writeln!(
            f,
            "\nfrom mending until a command and a page, asked for after that, were answered, in ms\n      p50     p99     max"
        )?;
        for (name, times) in &self.recoveries {
            let ms = |time: Duration| time.as_millis();
            let (p50, p99) = (percentile(times, 50), percentile(times, 99));
            let max = times.last().copied().unwrap_or_default();
            writeln!(f, "{:>9}{:>8}{:>8}  {name}", ms(p50), ms(p99), ms(max))?;
        }
        self.failures.iter().try_for_each(|failure| writeln!(f, "\nFAILED: {failure}"))
    }
}
