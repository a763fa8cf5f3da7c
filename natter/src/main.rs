//! `natter`: everything at once on one machine, or one service of a deployment. See `cli.rs` for what it can do.

use std::process::ExitCode;

mod chat;
mod cli;
mod config;
mod doctor;
mod exit;
mod listen;
mod load;
mod master_key;
mod migrate;
mod run_file;
mod services;
mod units;
mod up;

fn main() -> ExitCode {
    cli::run(std::env::args_os().collect())
}
