//! What can go wrong with an engine, in words that say what to do about it.

use std::fmt::Write as _;
use std::io;
use std::path::PathBuf;

pub type Result<T, E = EngineError> = std::result::Result<T, E>;

/// Display never repeats the source: whoever reports an error prints the chain.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    #[error("{engine} is missing. Looked in {}. Run `make tools`, or name the folder that holds it with --tools", places(.looked_in))]
    Missing { engine: &'static str, looked_in: Vec<PathBuf> },

    #[error("cannot write to {}. Choose a folder that this user may write to, or change its owner", .path.display())]
    Unwritable { path: PathBuf, source: io::Error },

    #[error(
        "{} is in use by another Natter{}. Stop that one first, or choose another folder",
        .path.display(),
        .holder.map(|pid| format!(" (process {pid})")).unwrap_or_default()
    )]
    Locked { path: PathBuf, holder: Option<u32> },

    #[error("{} is not a data folder of Natter: it holds `{found}`. Choose an empty folder or one that does not exist", .path.display())]
    Foreign { path: PathBuf, found: String },

    #[error("{} is not complete: {what}. {advice}", .path.display())]
    HalfInitialised { path: PathBuf, what: String, advice: &'static str },

    #[error("{} was made by {engine} {found}; this is {engine} {wanted}. Use the matching version, or move the data over", .path.display())]
    OtherVersion { engine: &'static str, path: PathBuf, found: String, wanted: String },

    #[error("{engine} cannot listen on {address}: the address is taken. Stop what uses it, or choose another port")]
    PortTaken { engine: &'static str, address: String },

    #[error("{engine} ended while it was starting ({status}){}", log(.last_lines))]
    Died { engine: &'static str, status: String, last_lines: Vec<String> },

    #[error("{engine} was not ready after {seconds} s{}", log(.last_lines))]
    NotReady { engine: &'static str, seconds: u64, last_lines: Vec<String> },

    #[error("{engine} died {times} times in a row and is not started again")]
    GivenUp { engine: &'static str, times: u32, source: Box<EngineError> },

    #[error(
        "no user to run {engine} as: it refuses to run as root, and neither `postgres` nor `nobody` is in /etc/passwd"
    )]
    NoUser { engine: &'static str },

    #[error("cannot start {engine}{}", .user.as_ref().map(|user| format!(" as the user `{user}`")).unwrap_or_default())]
    Spawn { engine: &'static str, user: Option<String>, source: io::Error },

    #[error("cannot {doing} {}", .path.display())]
    Io { doing: &'static str, path: PathBuf, source: io::Error },
}

impl EngineError {
    /// For `map_err`: what was being done to which path.
    pub(crate) fn io(doing: &'static str, path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| match source.kind() {
            io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => Self::Unwritable { path, source },
            _ => Self::Io { doing, path, source },
        }
    }
}

fn places(looked_in: &[PathBuf]) -> String {
    looked_in.iter().map(|path| path.display().to_string()).collect::<Vec<_>>().join(", ")
}

fn log(last_lines: &[String]) -> String {
    if last_lines.is_empty() {
        return ". It wrote nothing".to_owned();
    }
    last_lines.iter().fold(". Its last lines:".to_owned(), |mut text, line| {
        let _ = write!(text, "\n    {line}");
        text
    })
}
