//! How far something is: a bar for people, a line now and then for a file.

use std::io::{self, IsTerminal};
use std::time::{Duration, Instant};

use indicatif::{HumanBytes, HumanCount, HumanDuration, ProgressBar, ProgressStyle};

/// How often a line is printed where no bar can be drawn.
const LINE_EVERY: Duration = Duration::from_secs(5);

/// What is counted.
#[derive(Debug, Clone, Copy)]
pub enum Unit {
    Events,
    Bytes,
}

pub enum Shown {
    Bar(ProgressBar),
    Lines { unit: Unit, begun: Instant, said: Instant },
}

impl Shown {
    pub fn of(unit: Unit) -> Self {
        let now = Instant::now();
        if !io::stderr().is_terminal() {
            return Shown::Lines { unit, begun: now, said: now };
        }
        let style = ProgressStyle::with_template(match unit {
            Unit::Events => "{bar:30} {human_pos} of {human_len} events, {per_sec}, {eta} left",
            Unit::Bytes => "{bar:30} {bytes} of {total_bytes}, {bytes_per_sec}, {eta} left",
        });
        let bar = ProgressBar::no_length();
        // The template is right; if it were not, the library's own would do.
        Shown::Bar(bar.with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar())))
    }

    pub fn at(&mut self, at: u64, of: u64) {
        match self {
            Shown::Bar(bar) => {
                bar.set_length(of);
                bar.set_position(at);
            }
            Shown::Lines { unit, begun, said } => {
                if said.elapsed() >= LINE_EVERY {
                    *said = Instant::now();
                    let left = HumanDuration(begun.elapsed().mul_f64(of.saturating_sub(at) as f64 / at.max(1) as f64));
                    match unit {
                        Unit::Events => {
                            eprintln!("{} of {} events, {left} left", HumanCount(at), HumanCount(of));
                        }
                        Unit::Bytes => eprintln!("{} of {}, {left} left", HumanBytes(at), HumanBytes(of)),
                    }
                }
            }
        }
    }

    /// Says something above what was drawn.
    pub fn say(&self, line: &str) {
        match self {
            Shown::Bar(bar) => bar.suspend(|| println!("{line}")),
            Shown::Lines { .. } => println!("{line}"),
        }
    }

    /// What was drawn stays.
    pub fn end(&self) {
        if let Shown::Bar(bar) = self {
            bar.abandon();
        }
    }
}
