//! Running the program, reading what it says, and looking at its children.

use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use natter_testkit::tools;

/// Longer than anything here takes on a busy machine.
pub const LONG: Duration = Duration::from_secs(60);

/// The program with nothing from the environment of the tests but the engines.
pub fn natter() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_natter"));
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("NATTER_") {
            command.env_remove(name);
        }
    }
    command.env("NATTER_TOOLS", tools().folder()).stdin(Stdio::null());
    command
}

/// `natter up` on a folder and any free port.
pub fn natter_up(data: &Path) -> Command {
    let mut command = natter();
    command.arg("up").arg("--data").arg(data).args(["--listen", "127.0.0.1:0"]);
    command
}

pub struct Ended {
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

/// Runs a program that is expected to end by itself.
pub fn run(mut command: Command) -> Ended {
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the program starts");
    let (mut stdout, mut stderr) = (child.stdout.take().expect("piped"), child.stderr.take().expect("piped"));
    let reader = thread::spawn(move || {
        let mut text = String::new();
        stdout.read_to_string(&mut text).expect("text");
        text
    });
    let mut said = String::new();
    stderr.read_to_string(&mut said).expect("text");
    let status = wait(&mut child, LONG);
    Ended { code: status.code(), stdout: reader.join().expect("read"), stderr: said }
}

/// A `natter up` that runs.
pub type Up = Service;

impl Service {
    /// Starts `natter up` and waits until it says that it is ready.
    pub fn up(command: Command) -> Self {
        Self::start(command, "Natter is ready: open ")
    }
}

/// A Natter that runs. It is killed, with what it started, when it is dropped.
pub struct Service {
    child: Child,
    pub url: String,
    lines: Arc<Mutex<Vec<String>>>,
}

impl Service {
    /// Starts and waits for the line that begins with `ready` and ends with its address.
    pub fn start(command: Command, ready: &str) -> Self {
        let mut service = Self::spawn(command);
        let mut stdout = BufReader::new(service.child.stdout.take().expect("piped"));
        let mut line = String::new();
        stdout.read_line(&mut line).expect("text");
        let Some(url) = line.trim().strip_prefix(ready) else {
            let status = service.ended(LONG);
            panic!("it did not get ready ({status}): {line}\n{}", service.log().join("\n"));
        };
        service.url = url.to_owned();
        // Whoever prints to a pipe that nobody reads is ended by it.
        thread::spawn(move || stdout.lines().for_each(drop));
        service
    }

    /// Starts, and waits for nothing.
    pub fn spawn(mut command: Command) -> Self {
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the program starts");
        let lines = Arc::new(Mutex::new(Vec::new()));
        let stderr = BufReader::new(child.stderr.take().expect("piped"));
        thread::spawn({
            let lines = lines.clone();
            move || stderr.lines().map_while(Result::ok).for_each(|line| lines.lock().expect("lock").push(line))
        });
        Self { child, url: String::new(), lines }
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// What it wrote to its log so far.
    pub fn log(&self) -> Vec<String> {
        self.lines.lock().expect("lock").clone()
    }

    pub fn signal(&self, name: &str) {
        signal(self.pid(), name);
    }

    /// Waits until it has ended, while others go on.
    pub async fn has_ended(&mut self, limit: Duration) -> ExitStatus {
        let start = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().expect("it is our child") {
                return status;
            }
            assert!(start.elapsed() < limit, "the program did not end within {limit:?}");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    /// Waits until it has ended.
    pub fn ended(&mut self, limit: Duration) -> ExitStatus {
        wait(&mut self.child, limit)
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        if thread::panicking() {
            eprintln!("its log:\n{}", self.log().join("\n"));
        }
    }
}

pub fn signal(pid: u32, name: &str) {
    let status = Command::new("kill").args([&format!("-{name}"), &pid.to_string()]).status().expect("kill runs");
    assert!(status.success(), "no process {pid}");
}

fn wait(child: &mut Child, limit: Duration) -> ExitStatus {
    let start = Instant::now();
    loop {
        if let Some(status) = child.try_wait().expect("it is our child") {
            return status;
        }
        if start.elapsed() > limit {
            let _ = child.kill();
            panic!("the program did not end within {limit:?}");
        }
        thread::yield_now();
        thread::park_timeout(Duration::from_millis(5));
    }
}

/// All processes below `pid`, with their names.
pub fn descendants(pid: u32) -> Vec<(u32, String)> {
    let mut found: Vec<(u32, String)> = Vec::new();
    let processes: Vec<(u32, u32, String)> = processes();
    let mut parents = vec![pid];
    while let Some(parent) = parents.pop() {
        for (pid, _, name) in processes.iter().filter(|(_, above, _)| *above == parent) {
            found.push((*pid, name.clone()));
            parents.push(*pid);
        }
    }
    found
}

/// The engine of that name below `pid`.
pub fn engine(pid: u32, name: &str) -> Option<u32> {
    let children = processes();
    children.iter().find(|(_, parent, command)| *parent == pid && command == name).map(|(pid, ..)| *pid)
}

/// Of these processes, those that still run.
pub fn alive(pids: &[(u32, String)]) -> Vec<(u32, String)> {
    let running = processes();
    pids.iter()
        .filter(|(pid, name)| running.iter().any(|(other, _, command)| other == pid && command == name))
        .cloned()
        .collect()
}

/// Process, parent and name of everything that runs and is not a zombie.
fn processes() -> Vec<(u32, u32, String)> {
    let entries = fs::read_dir("/proc").expect("/proc").flatten();
    let pids = entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    pids.filter_map(|pid: u32| {
        let status = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
        let (front, rest) = status.rsplit_once(')')?;
        let mut fields = rest.split_whitespace();
        let (state, parent) = (fields.next()?, fields.next()?.parse().ok()?);
        (state != "Z").then(|| (pid, parent, front.split_once('(').map_or("", |(_, name)| name).to_owned()))
    })
    .collect()
}
