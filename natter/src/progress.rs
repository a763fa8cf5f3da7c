//! How far through the log a command is.

use std::io::{self, IsTerminal};
use std::time::{Duration, Instant};

use indicatif::{HumanCount, HumanDuration, ProgressBar, ProgressStyle};

/// How often a line is printed where no bar can be drawn.
const LINE_EVERY: Duration = Duration::from_secs(5);

/// How far it is: a bar for people, a line now and then for a file.
pub enum Shown {
    Bar(ProgressBar),
    Lines { begun: Instant, said: Instant },
}

impl Shown {
    pub fn new() -> Self {
        let now = Instant::now();
        if !io::stderr().is_terminal() {
            return Shown::Lines { begun: now, said: now };
        }
        let style = ProgressStyle::with_template("{bar:30} {human_pos} of {human_len} events, {per_sec}, {eta} left");
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
            Shown::Lines { begun, said } => {
                if said.elapsed() >= LINE_EVERY {
                    *said = Instant::now();
                    let left = begun.elapsed().mul_f64(of.saturating_sub(at) as f64 / at.max(1) as f64);
                    let (at, of) = (HumanCount(at), HumanCount(of));
                    eprintln!("{at} of {of} events, {} left", HumanDuration(left));
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
