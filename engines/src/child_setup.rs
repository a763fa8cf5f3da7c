//! What a child does between fork and exec. The only unsafe code of the workspace.

#![allow(unsafe_code)]

use std::io;
use std::os::unix::process::CommandExt;
use std::process::Command;

use rustix::process::{Pid, Signal};
#[cfg(target_os = "linux")]
use rustix::thread::{
    CapabilitiesSecureBits, CapabilitySet, CapabilitySets, configure_capability_in_ambient_set, set_capabilities,
    set_capabilities_secure_bits,
};

/// Makes the child of `command` end with this process, and keeps one right for it across the change of user.
///
/// The standard library changes the user first and calls this closure after that. The order matters, because the kernel
/// forgets the death signal when a process changes its user.
pub(crate) fn arm(command: &mut Command, death_signal: Signal, keep: Option<Right>) {
    let parent = rustix::process::getpid();
    let setup = move || {
        if let Some(right) = keep {
            right.keep()?;
        }
        die_with(parent, death_signal)
    };
    // SAFETY: the closure runs in a child that was forked from a process with many threads, so it may only do what a
    // signal handler may: it makes system calls through rustix, which are plain syscalls here, and neither allocates nor
    // takes a lock. Errors are built from errno alone, which does not allocate either.
    unsafe { command.pre_exec(setup) };
}

#[cfg(target_os = "linux")]
fn die_with(parent: Pid, signal: Signal) -> io::Result<()> {
    rustix::process::set_parent_process_death_signal(Some(signal))?;
    // The parent may have died before the line above. Then nobody would ever send the signal.
    if rustix::process::getppid() == Some(parent) { Ok(()) } else { Err(io::ErrorKind::BrokenPipe.into()) }
}

#[cfg(not(target_os = "linux"))]
fn die_with(_parent: Pid, _signal: Signal) -> io::Result<()> {
    Ok(())
}

/// The right to pass through folders that are closed to the engine's user: the engine lies below one of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Right {
    /// CAP_DAC_READ_SEARCH: read any file and pass any folder, write nothing.
    ReadAnything,
    /// CAP_DAC_OVERRIDE: where the narrower one is not to be had, as in containers with Docker's defaults.
    IgnorePermissions,
}

#[cfg(target_os = "linux")]
impl Right {
    /// The narrowest right that this process has to give.
    pub fn available() -> Option<Self> {
        let permitted = rustix::thread::capabilities(None).ok()?.permitted;
        if !permitted.contains(CapabilitySet::SETPCAP) {
            return None;
        }
        [Self::ReadAnything, Self::IgnorePermissions].into_iter().find(|right| permitted.contains(right.capability()))
    }

    /// Called in the child, as its new user, which still has what its parent was permitted but no right in effect.
    /// "Ambient" is what survives the exec that follows.
    fn keep(self) -> io::Result<()> {
        // Without this bit, access(2) leaves rights out of account for everyone but root, and initdb asks access(2).
        let all = CapabilitySet::SETPCAP | self.capability();
        set_capabilities(None, CapabilitySets { effective: all, permitted: all, inheritable: CapabilitySet::empty() })?;
        set_capabilities_secure_bits(CapabilitiesSecureBits::NO_SETUID_FIXUP)?;

        let only = self.capability();
        set_capabilities(None, CapabilitySets { effective: only, permitted: only, inheritable: only })?;
        configure_capability_in_ambient_set(only, true)?;
        Ok(())
    }

    fn capability(self) -> CapabilitySet {
        match self {
            Self::ReadAnything => CapabilitySet::DAC_READ_SEARCH,
            Self::IgnorePermissions => CapabilitySet::DAC_OVERRIDE,
        }
    }
}

#[cfg(not(target_os = "linux"))]
impl Right {
    pub fn available() -> Option<Self> {
        None
    }

    fn keep(self) -> io::Result<()> {
        Ok(())
    }
}
