//! An engine that stands still, with everything that it has started.

use std::time::Duration;

use natter_engines::{Process, Signal};
use rustix::process::{Pid, kill_process};

use crate::eventually;

/// A signal stops one thread after the other.
const LIMIT: Duration = Duration::from_secs(10);

/// It stands still when this returns: connections stay open, nothing is answered.
pub(crate) async fn pause(engine: &Process) {
    engine.signal(Signal::STOP);
    eventually(&format!("all of {} stands still", engine.engine()), LIMIT, async || {
        // It is looked at before its children are: once it stands still, it starts no others. Nor does it see that one of
        // them has ended, so their ids are not given to anybody else.
        moving(engine.pid())?;
        let left: Vec<_> = children(engine.pid()).into_iter().filter(|child| moving(*child).is_err()).collect();
        left.iter().for_each(|child| signal(*child, Signal::STOP));
        if left.is_empty() { Ok(()) } else { Err(format!("{left:?}")) }
    })
    .await;
}

/// It goes on, if it has not ended. The other way round, for the same reason.
pub(crate) fn resume(engine: &Process) {
    if engine.status().is_none() {
        children(engine.pid()).into_iter().for_each(|child| signal(child, Signal::CONT));
        engine.signal(Signal::CONT);
    }
}

/// The states of the threads that do not stand still, if any.
fn moving(pid: u32) -> Result<(), String> {
    let threads = std::fs::read_dir(format!("/proc/{pid}/task")).map_err(|error| error.to_string())?;
    let states = threads.flatten().filter_map(|thread| Some(stat(&thread.path().join("stat"))?.0));
    let moving: String = states.filter(|state| !matches!(state, 'T' | 'Z')).collect();
    if moving.is_empty() { Ok(()) } else { Err(moving) }
}

/// What a process has started.
pub(crate) fn children(parent: u32) -> Vec<u32> {
    let processes = std::fs::read_dir("/proc").into_iter().flatten().flatten();
    let pids = processes.filter_map(|process| process.file_name().to_str()?.parse().ok());
    pids.filter(|pid| stat(format!("/proc/{pid}/stat").as_ref()).is_some_and(|(_, above)| above == parent)).collect()
}

/// Whether there is a process of this id that has not ended.
pub(crate) fn is_there(pid: u32) -> bool {
    stat(format!("/proc/{pid}/stat").as_ref()).is_some_and(|(state, _)| state != 'Z')
}

/// State and parent, if there is such a process or thread.
fn stat(file: &std::path::Path) -> Option<(char, u32)> {
    let stat = std::fs::read_to_string(file).ok()?;
    let mut fields = stat.rsplit(')').next()?.split_whitespace();
    Some((fields.next()?.chars().next()?, fields.next()?.parse().ok()?))
}

fn signal(pid: u32, signal: Signal) {
    // Those that have ended since need none.
    let pid = i32::try_from(pid).ok().and_then(Pid::from_raw);
    let _ = pid.map(|pid| kill_process(pid, signal));
}
