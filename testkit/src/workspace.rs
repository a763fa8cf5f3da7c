//! The folder of one test process, in the system's temporary folder, and its removal.
//!
//! A test process has no moment at which it could tidy up: it ends by `exit`, by a panic or by a signal. So it starts one
//! shell that waits on a pipe; when the process is gone in whatever way, the pipe closes, and the shell removes the folder.
//! Should that shell be killed too, the next test process removes what dead ones have left.

use std::fs::{self, File, Permissions};
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

use natter_engines::Tools;

/// The pinned engines. Fails with what to do when they have not been fetched.
pub fn tools() -> &'static Tools {
    static TOOLS: OnceLock<Tools> = OnceLock::new();
    TOOLS.get_or_init(|| Tools::find(None).unwrap_or_else(|error| panic!("{error}")))
}

/// A new empty folder that is gone after this test process.
pub fn scratch_folder(name: &str) -> PathBuf {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let number = COUNT.fetch_add(1, Ordering::Relaxed);
    let path = of_this_process().join(format!("{name}-{number}"));
    fs::create_dir(&path).unwrap_or_else(|error| panic!("cannot make {}: {error}", path.display()));
    path
}

/// What all test processes of this user share.
pub(crate) fn shared() -> &'static Path {
    static SHARED: OnceLock<PathBuf> = OnceLock::new();
    SHARED.get_or_init(|| {
        let user = rustix::process::geteuid().as_raw();
        let path = std::env::temp_dir().join(format!("natter-tests-{user}"));
        fs::create_dir_all(&path)
            .and_then(|()| fs::set_permissions(&path, Permissions::from_mode(0o755)))
            .unwrap_or_else(|error| panic!("cannot make {}: {error}", path.display()));
        path
    })
}

/// Whoever holds this lock is alone in doing `what` among the test processes of this user.
pub(crate) fn lock(what: &str) -> File {
    let path = shared().join(format!("{what}.lock"));
    File::options()
        .write(true)
        .create(true)
        .truncate(false)
        .open(&path)
        .and_then(|file| file.lock().map(|()| file))
        .unwrap_or_else(|error| panic!("cannot lock {}: {error}", path.display()))
}

fn of_this_process() -> &'static Path {
    static FOLDER: OnceLock<PathBuf> = OnceLock::new();
    FOLDER.get_or_init(|| {
        remove_what_the_dead_left();
        let path = shared().join(format!("{PREFIX}{}-{:08x}", std::process::id(), rand::random::<u32>()));
        fs::create_dir(&path).unwrap_or_else(|error| panic!("cannot make {}: {error}", path.display()));
        remove_after_this_process(&path);
        path
    })
}

const PREFIX: &str = "process-";

fn remove_what_the_dead_left() {
    for entry in fs::read_dir(shared()).into_iter().flatten().flatten() {
        let name = entry.file_name();
        let pid = name.to_str().and_then(|name| name.strip_prefix(PREFIX)?.split('-').next()?.parse().ok());
        let dead = pid
            .and_then(rustix::process::Pid::from_raw)
            .is_some_and(|pid| rustix::process::test_kill_process(pid) == Err(rustix::io::Errno::SRCH));
        if dead {
            let _ = fs::remove_dir_all(entry.path());
        }
    }
}

fn remove_after_this_process(path: &Path) {
    // A file system that was served by this process answers nobody any more; it is taken away first.
    // Engines that are ending may still write for a moment, so removing is tried until it holds.
    const SCRIPT: &str = r#"read -r _; n=0
while read -r _ at _; do case "$at" in "$1"/*) umount -l "$at";; esac; done </proc/mounts 2>/dev/null
while [ $n -lt 50 ]; do rm -rf "$1" 2>/dev/null; [ -e "$1" ] || exit 0; sleep 0.1; n=$((n + 1)); done"#;
    let keep_open = || -> io::Result<()> {
        let (reader, writer) = io::pipe()?;
        Command::new("/bin/sh")
            .args(["-c", SCRIPT, "sh"])
            .arg(path)
            .stdin(reader)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .current_dir("/")
            // Ctrl-C ends the tests, not what tidies up after them.
            .process_group(0)
            .spawn()?;
        // Closed by the kernel when this process ends, not before.
        std::mem::forget(writer);
        Ok(())
    };
    keep_open().unwrap_or_else(|error| panic!("cannot start what removes {} later: {error}", path.display()));
}
