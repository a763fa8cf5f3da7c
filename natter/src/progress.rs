//! How far something is that takes its time: a bar for people, a line now and then for a file.

use std::io::{self, IsTerminal};
use std::time::{Duration, Instant};

use indicatif::{HumanCount, HumanDuration, ProgressBar, ProgressStyle};
use natter_projector::{ReplayError, Step};

use crate::exit::{Exit, Failure};

/// How often a line is printed where no bar can be drawn.
const LINE_EVERY: Duration = Duration::from_secs(5);

/// How far a replay of the log is, and what follows it.
pub enum Progress {
    Bar { bar: ProgressBar, unit: &'static str },
    Lines { begun: Instant, said: Instant, unit: &'static str },
}

impl Progress {
    pub fn new() -> Self {
        let now = Instant::now();
        if !io::stderr().is_terminal() {
            return Progress::Lines { begun: now, said: now, unit: "" };
        }
        Progress::Bar { bar: ProgressBar::no_length(), unit: "" }
    }

    pub fn at(&mut self, step: Step) {
        let (at, of, now) = match step {
            Step::Replaying { at, of } => (at, of, "events"),
            Step::Comparing { at, of } => (at, of.max(at), "rows"),
        };
        match self {
            Progress::Bar { bar, unit } => {
                if *unit != now {
                    *unit = now;
                    // What was drawn stays, and another bar begins.
                    bar.abandon();
                    *bar = ProgressBar::no_length().with_style(style(now));
                }
                bar.set_length(of);
                bar.set_position(at);
            }
            Progress::Lines { begun, said, unit } => {
                if *unit != now {
                    (*begun, *unit) = (Instant::now(), now);
                }
                if said.elapsed() >= LINE_EVERY {
                    *said = Instant::now();
                    let left = begun.elapsed().mul_f64((of - at) as f64 / at.max(1) as f64);
                    eprintln!("{} of {} {now}, {} left", HumanCount(at), HumanCount(of), HumanDuration(left));
                }
            }
        }
    }

    /// What was drawn stays.
    pub fn end(&self) {
        if let Progress::Bar { bar, .. } = self {
            bar.abandon();
        }
    }
}

fn style(unit: &str) -> ProgressStyle {
    let template = format!("{{bar:30}} {{human_pos}} of {{human_len}} {unit}, {{per_sec}}, {{eta}} left");
    // The template is right; if it were not, the library's own would do.
    ProgressStyle::with_template(&template).unwrap_or_else(|_| ProgressStyle::default_bar())
}

/// The exit code of a replay that did not come to its end.
pub fn failure(error: &ReplayError) -> Failure {
    use natter_projector::Error;
    let exit = match error {
        ReplayError::Projector(Error::OtherLog { .. }) => Exit::OtherLog,
        ReplayError::Projector(Error::DatabaseUrl(_)) => Exit::Usage,
        ReplayError::Projector(Error::Schema(_) | Error::Keys(_)) => Exit::HalfInitialised,
        ReplayError::Interrupted(_) => Exit::Unreachable,
        _ => Exit::Other,
    };
    Failure::caused_by(exit, error)
}
