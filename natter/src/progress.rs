//! How far something is: a bar for people, a line now and then for a file.

use std::io::{self, IsTerminal};
use std::time::{Duration, Instant};

use indicatif::{HumanBytes, HumanDuration, ProgressBar, ProgressStyle};

/// How often a line is printed where no bar can be drawn.
const LINE_EVERY: Duration = Duration::from_secs(5);

pub enum Shown {
    Bar(ProgressBar),
    Lines { begun: Instant, said: Instant },
}

impl Shown {
    /// Of something that is counted in bytes.
    pub fn bytes() -> Self {
        let now = Instant::now();
        if !io::stderr().is_terminal() {
            return Shown::Lines { begun: now, said: now };
        }
        let style = ProgressStyle::with_template("{bar:30} {bytes} of {total_bytes}, {bytes_per_sec}, {eta} left");
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
                    eprintln!("{} of {}, {} left", HumanBytes(at), HumanBytes(of), HumanDuration(left));
                }
            }
        }
    }

    /// What was drawn stays.
    pub fn end(&self) {
        if let Shown::Bar(bar) = self {
            bar.abandon();
        }
    }
}
