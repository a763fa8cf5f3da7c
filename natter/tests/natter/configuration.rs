//! Flag before variable before file before default, and what is wrong is named.

use std::fs;
use std::net::TcpListener;
use std::path::PathBuf;
use std::process::Command;

use natter_testkit::scratch_folder;

use crate::program::{Ended, natter, run};

/// `natter up` in a folder of its own with this natter.toml.
fn with_file(text: &str) -> (Command, PathBuf) {
    let folder = scratch_folder("configuration");
    fs::write(folder.join("natter.toml"), text).expect("written");
    let mut command = natter();
    command.arg("up").current_dir(&folder);
    (command, folder)
}

fn usage(command: Command, words: &[&str]) -> Ended {
    let ended = run(command);
    assert_eq!(ended.code, Some(2), "{}", ended.stderr);
    for word in words {
        assert!(ended.stderr.contains(word), "`{word}` is not in: {}", ended.stderr);
    }
    ended
}

/// Every way names a port that is taken, so the message shows which one counted.
#[test]
fn a_flag_counts_before_a_variable_before_the_file_before_the_default() {
    let taken = || TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = |listener: &TcpListener| listener.local_addr().expect("an address").to_string();
    let (by_file, by_variable, by_flag) = (taken(), taken(), taken());
    let command = || with_file(&format!("listen = \"{}\"", address(&by_file))).0;
    let counted = |command: Command, listener: &TcpListener| {
        let ended = run(command);
        assert_eq!(ended.code, Some(3), "{}", ended.stderr);
        assert!(ended.stderr.contains(&address(listener)), "{} is not in: {}", address(listener), ended.stderr);
    };

    counted(command(), &by_file);
    let mut with_variable = command();
    with_variable.env("NATTER_LISTEN", address(&by_variable));
    counted(with_variable, &by_variable);
    let mut with_all = command();
    with_all.env("NATTER_LISTEN", address(&by_variable)).args(["--listen", &address(&by_flag)]);
    counted(with_all, &by_flag);
}

#[test]
fn the_file_can_be_elsewhere() {
    let (mut command, folder) = with_file("this is not even TOML");
    fs::write(folder.join("other.toml"), "lisen = 1").expect("written");
    command.arg("--config").arg(folder.join("other.toml"));
    usage(command, &["other.toml", "`lisen`"]);
    let (mut command, folder) = with_file("");
    fs::write(folder.join("other.toml"), "lisen = 1").expect("written");
    command.env("NATTER_CONFIG", folder.join("other.toml"));
    usage(command, &["other.toml", "`lisen`"]);
    let (mut command, _) = with_file("");
    command.args(["--config", "missing.toml"]);
    usage(command, &["cannot read missing.toml"]);
}

#[test]
fn a_key_that_is_not_known_names_the_file_and_what_was_meant() {
    usage(with_file("lisen = \"127.0.0.1:0\"").0, &["natter.toml", "`lisen` is not known", "did you mean `listen`?"]);
}

#[test]
fn a_value_that_does_not_fit_says_what_was_expected_wherever_it_comes_from() {
    usage(with_file("listen = \"localhost\"").0, &["natter.toml", "`listen` is `localhost`", "ADDRESS:PORT"]);
    usage(with_file("nats-port = \"many\"").0, &["natter.toml", "`nats-port` is `many`", "PORT"]);
    usage(with_file("sync-interval = \"sometimes\"").0, &["`sync-interval`", "neither `always` nor a duration"]);
    let (mut command, _) = with_file("");
    command.env("NATTER_LISTEN", "localhost");
    usage(command, &["localhost", "--listen", "comes from the variable NATTER_LISTEN"]);
    let (mut command, _) = with_file("");
    command.args(["--listen", "localhost"]);
    let ended = usage(command, &["localhost", "--listen"]);
    assert!(!ended.stderr.contains("NATTER_LISTEN"), "{}", ended.stderr);
    let (mut command, _) = with_file("");
    command.args(["--log", "natter=loud"]);
    usage(command, &["natter=loud", "expected something like"]);
}

#[test]
fn a_flag_that_is_not_known_and_no_command_at_all_are_explained() {
    let mut command = natter();
    command.args(["up", "--lisen", "127.0.0.1:0"]);
    usage(command, &["--lisen", "--listen"]);
    usage(natter(), &["Usage: natter"]);
}

#[test]
fn help_lists_every_option_with_variable_and_default_and_the_exit_codes() {
    let mut command = natter();
    command.args(["up", "--help"]);
    let ended = run(command);
    assert_eq!(ended.code, Some(0));
    for word in ["--listen", "NATTER_LISTEN", "127.0.0.1:8080", "--data", "NATTER_DATA", "natter.toml", "Exit codes:"] {
        assert!(ended.stdout.contains(word), "`{word}` is not in: {}", ended.stdout);
    }
}

#[test]
fn help_and_version_need_no_valid_file() {
    for argument in ["--help", "--version"] {
        let (_, folder) = with_file("this is not even TOML");
        let mut command = natter();
        command.arg(argument).current_dir(folder);
        assert_eq!(run(command).code, Some(0), "{argument}");
    }
}
