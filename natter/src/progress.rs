//! How far something is that takes its time: a bar for people, a line now and then for a file.

use std::io::{self, IsTerminal};
use std::time::{Duration, Instant};

use indicatif::{HumanBytes, HumanCount, HumanDuration, ProgressBar, ProgressStyle};
use natter_projector::Step;

/// How often a line is printed where no bar can be drawn.
const LINE_EVERY: Duration = Duration::from_secs(5);

/// What is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    Events,
    Rows,
    Bytes,
}

pub struct Progress {
    unit: Unit,
    shown: Shown,
}

enum Shown {
    Bar(ProgressBar),
    Lines { begun: Instant, said: Instant },
}

impl Progress {
    pub fn of(unit: Unit) -> Self {
        let now = Instant::now();
        let shown =
            if io::stderr().is_terminal() { Shown::Bar(bar(unit)) } else { Shown::Lines { begun: now, said: now } };
        Self { unit, shown }
    }

    /// A replay of the log is here.
    pub fn step(&mut self, step: Step) {
        let (at, of, unit) = match step {
            Step::Replaying { at, of } => (at, of, Unit::Events),
            Step::Comparing { at, of } => (at, of.max(at), Unit::Rows),
        };
        if self.unit != unit {
            // What was drawn stays, and another bar begins.
            self.end();
            *self = Self::of(unit);
        }
        self.at(at, of);
    }

    pub fn at(&mut self, at: u64, of: u64) {
        match &mut self.shown {
            Shown::Bar(bar) => {
                bar.set_length(of);
                bar.set_position(at);
            }
            Shown::Lines { begun, said } => {
                if said.elapsed() >= LINE_EVERY {
                    *said = Instant::now();
                    let left = HumanDuration(begun.elapsed().mul_f64(of.saturating_sub(at) as f64 / at.max(1) as f64));
                    let (unit_name, at_count, of_count) = (self.unit.name(), HumanCount(at), HumanCount(of));
                    match self.unit {
                        Unit::Bytes => eprintln!("{} of {}, {left} left", HumanBytes(at), HumanBytes(of)),
                        Unit::Events | Unit::Rows => eprintln!("{at_count} of {of_count} {unit_name}, {left} left"),
                    }
                }
            }
        }
    }

    /// Says something above what was drawn.
    pub fn say(&self, line: &str) {
        match &self.shown {
            Shown::Bar(bar) => bar.suspend(|| println!("{line}")),
            Shown::Lines { .. } => println!("{line}"),
        }
    }

    /// What was drawn stays.
    pub fn end(&self) {
        if let Shown::Bar(bar) = &self.shown {
            bar.abandon();
        }
    }
}

impl Unit {
    fn name(self) -> &'static str {
        match self {
            Self::Events => "events",
            Self::Rows => "rows",
            Self::Bytes => "bytes",
        }
    }
}

fn bar(unit: Unit) -> ProgressBar {
    let template = match unit {
        Unit::Bytes => "{bar:30} {bytes} of {total_bytes}, {bytes_per_sec}, {eta} left".to_owned(),
        Unit::Events | Unit::Rows => {
            let name = unit.name();
            format!("{{bar:30}} {{human_pos}} of {{human_len}} {name}, {{per_sec}}, {{eta}} left")
        }
    };
    // The template is right; if it were not, the library's own would do.
    let style = ProgressStyle::with_template(&template).unwrap_or_else(|_| ProgressStyle::default_bar());
    ProgressBar::no_length().with_style(style)
}
