//! `natter`: everything at once on one machine, or one service of a deployment. See `cli.rs` for what it can do.

use std::process::ExitCode;

mod backup;
mod chat;
mod cli;
mod config;
mod doctor;
mod exit;
mod listen;
mod load;
mod log_at;
mod master_key;
mod migrate;
mod place;
mod progress;
mod rebuild;
mod repair;
mod restore;
mod run_file;
mod services;
mod tail;
mod units;
mod up;
mod verify;

/// Hashing a password takes 19 MiB for a moment. The system's allocator keeps that for each thread that ever hashed one;
/// this one gives it back.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    cli::run(std::env::args_os().collect())
}
