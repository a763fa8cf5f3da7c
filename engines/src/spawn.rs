//! One thread that starts every child of this process.
//!
//! The kernel sends the death signal of a child when the *thread* that started it ends, not the process. Threads of an
//! async runtime come and go, so children are started by a thread that lives as long as the process.

use std::io;
use std::os::unix::process::CommandExt;
use std::process::{Child, Command};
use std::sync::OnceLock;
use std::sync::mpsc::{Sender, channel, sync_channel};
use std::thread;

use rustix::process::Signal;

use crate::child_setup::{self, Right};
use crate::user::RunAs;

/// Starts `command`. The call takes the few milliseconds of a fork and an exec.
pub(crate) fn spawn(mut command: Command, run_as: &RunAs, death_signal: Signal) -> io::Result<Child> {
    // A group of its own: Ctrl-C in a terminal reaches this process only, which then stops its children in order.
    command.process_group(0);
    let keep = match run_as {
        RunAs::Itself => None,
        RunAs::Other(user) => {
            command.uid(user.uid).gid(user.gid);
            user.keep
        }
    };
    child_setup::arm(&mut command, death_signal, keep);

    let (reply, answer) = sync_channel(1);
    let gone = || io::Error::other("the thread that starts children has ended");
    thread_of_spawns().send(Job { command, keep, reply }).map_err(|_| gone())?;
    answer.recv().map_err(|_| gone())?
}

struct Job {
    command: Command,
    keep: Option<Right>,
    reply: std::sync::mpsc::SyncSender<io::Result<Child>>,
}

fn thread_of_spawns() -> &'static Sender<Job> {
    static JOBS: OnceLock<Sender<Job>> = OnceLock::new();
    JOBS.get_or_init(|| {
        let (jobs, queue) = channel::<Job>();
        thread::Builder::new()
            .name("natter-spawn".to_owned())
            .spawn(move || {
                for mut job in queue {
                    let child = keeping_rights(job.keep.is_some(), || job.command.spawn());
                    // Whoever asked may have gone; then the child is of no use either.
                    if let Err(unwanted) = job.reply.send(child)
                        && let Ok(mut child) = unwanted.0
                    {
                        let _ = child.kill();
                        let _ = child.wait();
                    }
                }
            })
            .expect("the system can start one thread");
        jobs
    })
}

/// Lets a child that changes its user keep what it was permitted, so that it can choose what to keep. The setting belongs
/// to this thread, is inherited by the child, and is cleared by its exec.
#[cfg(target_os = "linux")]
fn keeping_rights(keep: bool, start: impl FnOnce() -> io::Result<Child>) -> io::Result<Child> {
    rustix::thread::set_keep_capabilities(keep)?;
    let child = start();
    rustix::thread::set_keep_capabilities(false)?;
    child
}

#[cfg(not(target_os = "linux"))]
fn keeping_rights(_keep: bool, start: impl FnOnce() -> io::Result<Child>) -> io::Result<Child> {
    start()
}
