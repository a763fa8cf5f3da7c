//! `make torture`: as many runs as fit into a time, each with a seed of its own, and a report.

use std::panic::AssertUnwindSafe;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use clap::Parser;
use futures::FutureExt;
use natter_tests::people::Habits;
use natter_tests::plan::{Plan, Shape};
use natter_tests::report::Report;
use natter_tests::run::{Options, run};
use natter_tests::trials::little_room;

/// Breaks a deployment of Natter for a while, and says whether anything was lost, told twice, out of order or untrue.
#[derive(Debug, Parser)]
struct Arguments {
    /// The program to test.
    #[arg(long, value_name = "FILE")]
    natter: PathBuf,

    /// For how long.
    #[arg(long, value_name = "MINUTES", default_value_t = 10.0)]
    minutes: f64,

    /// How long one run lasts; then everything is read and judged, and the next one begins.
    #[arg(long, value_name = "SECONDS", default_value_t = 300)]
    run_seconds: u64,

    /// The seed of the first run; later ones count on from there. Without it, a random one.
    #[arg(long, value_name = "NUMBER")]
    seed: Option<u64>,

    /// How many people are at it.
    #[arg(long, value_name = "NUMBER", default_value_t = 6)]
    people: usize,

    /// Milliseconds between two faults, on average; 0 for none.
    #[arg(long, value_name = "MS", default_value_t = 1_200)]
    fault_every: u64,

    /// Milliseconds between two commands of one person, on average.
    #[arg(long, value_name = "MS", default_value_t = 100)]
    command_every: u64,

    /// The name of a bug that is planted in the program.
    #[arg(long, value_name = "NAME")]
    bug: Option<String>,

    /// A folder for what the services log.
    #[arg(long, value_name = "FOLDER")]
    logs: Option<PathBuf>,

    /// A file for the report, beside what is printed.
    #[arg(long, value_name = "FILE")]
    report: Option<PathBuf>,
}

#[tokio::main]
async fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let first = arguments.seed.unwrap_or_else(|| rand::random_range(0..1_000_000));
    let (began, limit) = (Instant::now(), Duration::from_secs_f64(arguments.minutes * 60.0));
    let mut whole = Report::default();
    for seed in first.. {
        let left = limit.saturating_sub(began.elapsed());
        let lasts = Duration::from_secs(arguments.run_seconds).min(left);
        if lasts < Duration::from_secs(1) {
            break;
        }
        // What repeats this run, before anything can end it.
        let Arguments { people, fault_every, command_every, .. } = arguments;
        println!(
            "--seed {seed} --run-seconds {} --people {people} --fault-every {fault_every} --command-every {command_every}",
            lasts.as_secs()
        );
        let report = one(&options(&arguments, seed, lasts)).await;
        println!("{report}");
        whole.add(report);
        if let Some(path) = &arguments.report
            && let Err(error) = std::fs::write(path, whole.to_string())
        {
            eprintln!("cannot write {}: {error}", path.display());
            return ExitCode::FAILURE;
        }
    }
    println!("all runs together\n{whole}");
    if whole.failures.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn options(arguments: &Arguments, seed: u64, lasts: Duration) -> Options {
    let Arguments { people, fault_every, command_every, .. } = *arguments;
    let shape = Shape { lasts, every: Duration::from_millis(fault_every), people };
    Options {
        natter: arguments.natter.clone(),
        bug: arguments.bug.clone(),
        seed,
        plan: if fault_every == 0 { Plan::calm() } else { Plan::random(seed, &shape) },
        people,
        habits: Habits::every(Duration::from_millis(command_every)),
        lasts,
        logs: arguments.logs.clone(),
        gateway_options: if seed.is_multiple_of(2) { Vec::new() } else { little_room() },
        duplicate_window: None,
        disk: false,
    }
}

/// One run; what ends it before its time is a finding, too.
async fn one(options: &Options) -> Report {
    match AssertUnwindSafe(run(options)).catch_unwind().await {
        Ok(outcome) => outcome.report,
        Err(panic) => {
            let text = panic.downcast_ref::<String>().map(String::as_str);
            let text = text.or_else(|| panic.downcast_ref::<&str>().copied());
            Report::broken_off(options, text.unwrap_or("for no reason given"))
        }
    }
}
