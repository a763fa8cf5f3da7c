//! People at their terminals, each with a machine of their own.

use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::thread;

use natter_client::{Client, Events, Handle};
use natter_testkit::{eventually, scratch_folder};
use serde_json::Value;

use crate::program::{Ended, LONG, Up, natter, run};
use crate::screen::Screen;

pub const PASSWORD: &str = "correct horse battery";

/// People with a machine of their own each, which remembers their logins.
pub struct People {
    pub url: String,
    pub home: PathBuf,
}

impl People {
    /// Makes the accounts.
    pub fn register(url: &str, users: &[&str]) -> Self {
        let people = Self { url: url.to_owned(), home: scratch_folder("home") };
        for user in users {
            let mut command = people.chat(user);
            command.args(["list", "--register"]);
            let ended = run(command);
            assert_eq!(ended.code, Some(0), "{}", ended.stderr);
        }
        people
    }

    /// `natter chat` of this user.
    pub fn chat(&self, user: &str) -> Command {
        let mut command = natter();
        command.arg("chat").env("NATTER_URL", &self.url).env("NATTER_USER", user).env("NATTER_PASSWORD", PASSWORD);
        command.env("XDG_STATE_HOME", self.home.join(user)).env("TZ", "UTC");
        command
    }

    /// What `natter chat` answers to this user.
    pub fn asks(&self, user: &str, arguments: &[&str]) -> Ended {
        let mut command = self.chat(user);
        command.args(arguments);
        run(command)
    }

    /// What it prints, with nothing amiss.
    pub fn prints(&self, user: &str, arguments: &[&str]) -> String {
        let mut command = self.chat(user);
        command.args(arguments);
        stdout_of(command)
    }

    pub fn send(&self, from: &str, to: &str, text: &str) -> Ended {
        let mut command = self.chat(from);
        command.args(["send", "--to", to, "--", text]);
        run(command)
    }

    pub fn sends(&self, from: &str, to: &str, text: &str) {
        let ended = self.send(from, to, text);
        assert_eq!((ended.code, ended.stderr.as_str()), (Some(0), ""), "{from} to {to}: {text}");
        assert_eq!(ended.stdout, "");
    }

    /// The full-screen client.
    pub fn screen(&self, user: &str, columns: u16, rows: u16) -> Screen {
        Screen::start(&self.chat(user), columns, rows)
    }

    pub fn tail(&self, user: &str, arguments: &[&str]) -> Tail {
        let mut command = self.chat(user);
        command.arg("tail").args(arguments);
        Tail::start(command)
    }
}

/// A `natter chat tail` that runs, and what it printed.
pub struct Tail {
    child: Child,
    pub stdout: Arc<Mutex<Vec<String>>>,
    pub stderr: Arc<Mutex<Vec<String>>>,
}

impl Tail {
    pub fn start(mut command: Command) -> Self {
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the program starts");
        let stdout = collect(child.stdout.take().expect("piped"));
        let stderr = collect(child.stderr.take().expect("piped"));
        Self { child, stdout, stderr }
    }

    /// Waits until it has said so often that it is live.
    pub async fn live(&self, times: usize) {
        eventually("it is live", LONG, async || {
            let said = self.stderr.lock().expect("lock").clone();
            if said.iter().filter(|line| line.starts_with("natter: live as ")).count() >= times {
                Ok(())
            } else {
                Err(said)
            }
        })
        .await;
    }

    pub async fn lines(&self, count: usize) -> Vec<String> {
        eventually("all lines came", LONG, async || {
            let lines = self.stdout.lock().expect("lock").clone();
            if lines.len() >= count { Ok(lines) } else { Err((lines, self.stderr.lock().expect("lock").clone())) }
        })
        .await
    }
}

impl Drop for Tail {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn collect(from: impl Read + Send + 'static) -> Arc<Mutex<Vec<String>>> {
    let lines = Arc::new(Mutex::new(Vec::new()));
    let kept = lines.clone();
    thread::spawn(move || {
        let read = BufReader::new(from).lines().map_while(Result::ok);
        read.for_each(|line| kept.lock().expect("lock").push(line));
    });
    lines
}

pub fn json(line: &str) -> Value {
    serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"))
}

/// A line of `tail` or `history` without the time that it begins with.
pub fn said(line: &str) -> &str {
    line.get("2026-11-21 14:02:59  ".len()..).unwrap_or_else(|| panic!("no time: {line}"))
}

pub fn stdout_of(command: Command) -> String {
    let ended = run(command);
    assert_eq!((ended.code, ended.stderr.as_str()), (Some(0), ""), "{}", ended.stdout);
    ended.stdout
}

pub fn handle(name: &str) -> Handle {
    name.parse().expect("a handle")
}

pub async fn client(url: &str, user: &str) -> (Client, Events) {
    Client::builder(url).login(handle(user), PASSWORD).connect().await.expect("connects")
}

/// Where it was before.
pub fn up_again(data: &Path, url: &str) -> Up {
    let address = url.replace("http://localhost", "127.0.0.1");
    let mut command = natter();
    command.arg("up").arg("--data").arg(data).args(["--listen", &address]);
    Up::up(command)
}

pub const ENTER: &str = "\r";
pub const ESC: &str = "\u{1b}";
pub const CTRL_C: &str = "\u{3}";
pub const CTRL_N: &str = "\u{e}";
pub const ALT_ENTER: &str = "\u{1b}\r";
pub const DOWN: &str = "\u{1b}[B";

/// The newest own line is in the log. How much further it has come may be said or not (EVT4).
pub fn is_sent(text: &str) -> bool {
    ["sent ✓", "delivered ✓✓", "read ✓✓"].iter().any(|words| text.contains(words))
}
