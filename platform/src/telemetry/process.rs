//! What the process takes from the machine, read from `/proc` when asked for. Elsewhere than on Linux there is nothing to
//! read, and nothing is shown.

use std::fmt::{Display, Write};
use std::fs;

/// The process's numbers at this moment.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Usage {
    resident_bytes: u64,
    virtual_bytes: u64,
    cpu_seconds: f64,
    threads: u64,
}

/// Appends the process's metrics, under the names that Prometheus's own clients use.
pub(super) fn render(out: &mut String) {
    let stat = fs::read_to_string("/proc/self/stat").ok();
    if let Some(usage) = stat.as_deref().and_then(|stat| parse(stat, page_bytes(), ticks_per_second())) {
        one(out, "process_resident_memory_bytes", "gauge", usage.resident_bytes);
        one(out, "process_virtual_memory_bytes", "gauge", usage.virtual_bytes);
        one(out, "process_cpu_seconds_total", "counter", usage.cpu_seconds);
        one(out, "process_threads", "gauge", usage.threads);
    }
    if let Ok(open) = fs::read_dir("/proc/self/fd") {
        // Reading the folder has one open itself.
        one(out, "process_open_fds", "gauge", open.count().saturating_sub(1));
    }
    if let Some(limit) = rustix::process::getrlimit(rustix::process::Resource::Nofile).current {
        one(out, "process_max_fds", "gauge", limit);
    }
}

fn one(out: &mut String, name: &str, kind: &str, value: impl Display) {
    let _ = writeln!(out, "# TYPE {name} {kind}\n{name} {value}\n");
}

/// Reads proc(5)'s `stat`. The second field is the program's name in brackets and may contain anything, brackets too.
fn parse(stat: &str, page_bytes: u64, ticks_per_second: u64) -> Option<Usage> {
    let (_, after_name) = stat.rsplit_once(')')?;
    // Field 3 of the manual, the state, is the first one here.
    let fields: Vec<&str> = after_name.split_ascii_whitespace().collect();
    let number = |manual: usize| fields.get(manual - 3)?.parse::<u64>().ok();
    Some(Usage {
        resident_bytes: number(24)? * page_bytes,
        virtual_bytes: number(23)?,
        cpu_seconds: (number(14)? + number(15)?) as f64 / ticks_per_second.max(1) as f64,
        threads: number(20)?,
    })
}

fn page_bytes() -> u64 {
    rustix::param::page_size() as u64
}

fn ticks_per_second() -> u64 {
    rustix::param::clock_ticks_per_second()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_stat_of_a_program_with_brackets_in_its_name_is_read() {
        let stat = "4242 (nat) ter (x) S 1 4242 4242 0 -1 4194560 2000 0 0 0 150 50 0 0 20 0 7 0 99 1048576 256 18446744073709551615 1";
        let expected = Usage { resident_bytes: 256 * 4096, virtual_bytes: 1_048_576, cpu_seconds: 2.0, threads: 7 };
        assert_eq!(parse(stat, 4096, 100), Some(expected));
    }

    #[test]
    fn what_is_no_stat_gives_nothing() {
        for stat in
            ["", "4242", "4242 (natter", "4242 (natter) S 1 2", "1 (x) S a b c d e f g h i j k l m n o p q r s t u v w"]
        {
            assert_eq!(parse(stat, 4096, 100), None, "{stat}");
        }
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn this_process_is_shown() {
        let mut text = String::new();
        render(&mut text);
        for name in ["resident_memory_bytes", "cpu_seconds_total", "open_fds", "max_fds", "threads"] {
            let line = text.lines().find(|line| line.starts_with(&format!("process_{name} ")));
            let value: f64 = line.and_then(|line| line.split(' ').nth(1)).and_then(|v| v.parse().ok()).expect(name);
            assert!(value > 0.0 || name == "cpu_seconds_total", "{name} {value}");
        }
    }
}
