//! How the program ends: one code for each kind of trouble, so that scripts and service managers can tell them apart.

use std::error::Error;
use std::fmt;
use std::process::ExitCode;

use natter_engines::EngineError;
use natter_platform::error::chain;

/// Exit codes are part of the interface: they are listed by `--help` and never change their meaning.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Exit {
    Other = 1,
    Usage = 2,
    AddressTaken = 3,
    Folder = 4,
    EngineMissing = 5,
    HalfInitialised = 6,
    EngineFailed = 7,
    Unreachable = 8,
    Refused = 9,
    OtherLog = 10,
    Damaged = 11,
    Backup = 12,
    Different = 13,
}

impl Exit {
    const ALL: [Self; 13] = [
        Self::Other,
        Self::Usage,
        Self::AddressTaken,
        Self::Folder,
        Self::EngineMissing,
        Self::HalfInitialised,
        Self::EngineFailed,
        Self::Unreachable,
        Self::Refused,
        Self::OtherLog,
        Self::Damaged,
        Self::Backup,
        Self::Different,
    ];

    fn meaning(self) -> &'static str {
        match self {
            Self::Other => "something else went wrong; the message says what",
            Self::Usage => "a flag, a NATTER_… variable or a key in natter.toml is not valid",
            Self::AddressTaken => "the address to listen on is taken or cannot be used",
            Self::Folder => "the data folder cannot be written, is in use, or is not Natter's",
            Self::EngineMissing => "nats-server or PostgreSQL is not there: run `make tools`",
            Self::HalfInitialised => "the data folder is not complete, or was made by another version",
            Self::EngineFailed => "an engine does not start, or does not stay up",
            Self::Unreachable => "the broker, PostgreSQL or another service cannot be reached",
            Self::Refused => {
                "the server refuses: a wrong password, a name that nobody has, a message that is not allowed"
            }
            Self::OtherLog => "the event log is another one than before: restored, rolled back or replaced",
            Self::Damaged => "the event log has lost events, or has some that are not what was written",
            Self::Backup => "a backup is not whole, was altered, or is of another version",
            Self::Different => "what is stored is not what it has to be; the output says where",
        }
    }

    /// The table for `--help`.
    pub fn table() -> String {
        Self::ALL.iter().fold("Exit codes:\n  0  all went well".to_owned(), |table, exit| {
            format!("{table}\n  {}  {}", *exit as u8, exit.meaning())
        })
    }
}

/// The end of the program when something went wrong: what is printed, and the code.
#[derive(Debug)]
pub struct Failure {
    pub exit: Exit,
    message: String,
}

impl Failure {
    pub fn new(exit: Exit, message: impl Into<String>) -> Self {
        Self { exit, message: message.into() }
    }

    /// With the whole chain of causes.
    pub fn caused_by(exit: Exit, error: &(dyn Error + 'static)) -> Self {
        Self::new(exit, chain(error))
    }

    /// Says first what was being done.
    pub fn context(mut self, doing: &str) -> Self {
        self.message = format!("{doing}: {}", self.message);
        self
    }

    pub fn report(&self) -> ExitCode {
        eprintln!("natter: {}", self.message);
        ExitCode::from(self.exit as u8)
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl From<EngineError> for Failure {
    fn from(error: EngineError) -> Self {
        let exit = match &error {
            EngineError::Missing { .. } => Exit::EngineMissing,
            EngineError::Unwritable { .. } | EngineError::Locked { .. } | EngineError::Foreign { .. } => Exit::Folder,
            EngineError::HalfInitialised { .. } | EngineError::OtherVersion { .. } => Exit::HalfInitialised,
            EngineError::PortTaken { .. } => Exit::AddressTaken,
            EngineError::Died { .. }
            | EngineError::NotReady { .. }
            | EngineError::GivenUp { .. }
            | EngineError::NoUser { .. }
            | EngineError::Spawn { .. } => Exit::EngineFailed,
            EngineError::Io { .. } => Exit::Other,
        };
        Self::caused_by(exit, &error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_is_in_the_table_once() {
        let table = Exit::table();
        for (code, exit) in (1..).zip(Exit::ALL) {
            assert_eq!(exit as u8, code);
            assert_eq!(table.matches(&format!("\n  {code}  ")).count(), 1);
        }
    }
}
