//! Everything that can be wrong at the start says what it is, says what to do, and has its own exit code.

use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

use natter_testkit::{scratch_folder, tools};

use crate::program::{Ended, Up, natter, natter_up, run};

/// Runs to its end and checks the code and that the message holds all of `words`, and nothing was said to be ready.
fn refused(command: Command, code: i32, words: &[&str]) -> Ended {
    let ended = run(command);
    assert_eq!(ended.code, Some(code), "{}", ended.stderr);
    for word in words {
        assert!(ended.stderr.contains(word), "`{word}` is not in: {}", ended.stderr);
    }
    assert!(!ended.stdout.contains("ready"), "{}", ended.stdout);
    ended
}

#[test]
fn an_address_that_is_taken_is_named_and_ends_with_3() {
    let taken = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = taken.local_addr().expect("an address").to_string();
    let data = scratch_folder("data").join("data");
    let mut command = natter_up(&data);
    command.args(["--listen", &address]);
    // The last one counts; clap would refuse the same flag twice, so this one comes from the environment.
    let mut command_by_variable = natter();
    command_by_variable.arg("up").arg("--data").arg(&data).env("NATTER_LISTEN", &address);
    refused(command_by_variable, 3, &[&address, "something else listens there", "--listen"]);
    assert!(!data.exists(), "nothing was made before it was clear that Natter can listen");
    refused(command, 2, &["--listen"]);
}

#[test]
fn an_address_of_another_machine_ends_with_3() {
    let mut command = natter();
    command.arg("up").arg("--data").arg(scratch_folder("data")).args(["--listen", "192.0.2.1:0"]);
    refused(command, 3, &["192.0.2.1:0", "does not have that address"]);
}

#[test]
fn a_broker_port_that_is_taken_ends_with_3() {
    let taken = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = taken.local_addr().expect("an address").port().to_string();
    let mut command = natter_up(&scratch_folder("data"));
    command.args(["--nats-port", &port]);
    refused(command, 3, &["nats-server", &port]);
}

#[test]
fn a_folder_that_cannot_be_made_or_written_ends_with_4() {
    let folder = scratch_folder("data");
    fs::write(folder.join("file"), "").expect("written");
    let below_a_file = folder.join("file/data");
    refused(natter_up(&below_a_file), 4, &[&below_a_file.to_string_lossy(), "cannot write to"]);
    refused(natter_up(&folder.join("file")), 4, &["cannot write to"]);
    refused(natter_up(Path::new("/proc/natter")), 4, &["/proc/natter"]);
}

#[test]
fn a_folder_of_something_else_ends_with_4_and_stays_as_it_was() {
    let folder = scratch_folder("data");
    fs::write(folder.join("letter.txt"), "dear").expect("written");
    refused(natter_up(&folder), 4, &["letter.txt", "not a data folder of Natter"]);
    assert_eq!(fs::read_dir(&folder).expect("there").count(), 1);
}

#[test]
fn a_folder_in_use_ends_with_4_and_says_by_whom() {
    let data = scratch_folder("data");
    let up = Up::up(natter_up(&data));
    refused(natter_up(&data), 4, &["in use by another Natter", &format!("process {}", up.pid())]);
}

#[test]
fn a_missing_engine_ends_with_5_and_says_how_to_get_it() {
    let mut command = natter_up(&scratch_folder("data"));
    let empty = scratch_folder("tools");
    command.arg("--tools").arg(&empty);
    refused(command, 5, &["nats-server is missing", &empty.to_string_lossy(), "make tools"]);
}

#[test]
fn a_half_initialised_folder_ends_with_6() {
    let data = scratch_folder("data");
    fs::create_dir_all(data.join("postgres/base")).expect("made");
    refused(natter_up(&data), 6, &["postgres is not complete", "PG_VERSION", "delete it"]);

    let data = scratch_folder("data");
    let mut up = Up::up(natter_up(&data));
    up.signal("INT");
    assert!(up.ended(crate::program::LONG).success());
    fs::remove_dir_all(data.join("nats/store")).expect("removed");
    refused(natter_up(&data), 6, &["`nats/store` was there once", "Restore"]);
}

#[test]
fn a_damaged_key_ends_with_6_and_is_not_shown() {
    let data = scratch_folder("data");
    fs::create_dir(data.join("keys")).expect("made");
    let key = data.join("keys/signing.pem");
    fs::write(&key, "-----BEGIN PRIVATE KEY-----\nsecretpart\n-----END PRIVATE KEY-----\n").expect("written");
    fs::set_permissions(&key, fs::Permissions::from_mode(0o600)).expect("closed");
    let ended = refused(natter_up(&data), 6, &["signing.pem", "backup"]);
    assert!(!ended.stderr.contains("secretpart"), "{}", ended.stderr);
}

#[test]
fn an_engine_that_does_not_start_ends_with_7_and_shows_its_last_words() {
    let broken = scratch_folder("tools");
    std::os::unix::fs::symlink(tools().folder().join("postgres"), broken.join("postgres")).expect("linked");
    fs::write(broken.join("nats-server"), "#!/bin/sh\necho the disk is on fire\nexit 1\n").expect("written");
    fs::set_permissions(broken.join("nats-server"), fs::Permissions::from_mode(0o755)).expect("executable");
    let mut command = natter_up(&scratch_folder("data"));
    command.arg("--tools").arg(&broken);
    refused(command, 7, &["nats-server ended while it was starting", "exit status: 1", "the disk is on fire"]);
}

#[test]
fn a_database_that_cannot_be_reached_ends_with_8_without_its_password() {
    let mut command = natter();
    command.args(["migrate", "--postgres-url", "postgres://natter:hunter2@127.0.0.1:1/natter"]);
    let ended = refused(command, 8, &["PostgreSQL"]);
    assert!(!ended.stderr.contains("hunter2"), "{}", ended.stderr);
}
