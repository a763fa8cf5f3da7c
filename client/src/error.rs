//! What can go wrong, one type per boundary. `Display` says what happened here; `source` says why.

use std::io;
use std::path::PathBuf;
use std::time::Duration;

use natter_events::ClientId;
use natter_protocol::text::InvalidText;
use natter_protocol::{CloseCode, ErrorCode};

/// The text is not the address of a deployment.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not an address of a Natter server: {reason}")]
pub struct InvalidServer {
    pub(crate) reason: &'static str,
}

/// A request over HTTP did not succeed.
#[derive(Debug, thiserror::Error)]
pub enum HttpError {
    /// No answer came: the network, the name, the certificate, the time.
    #[error("no answer from the server")]
    Unreachable(#[source] reqwest::Error),
    /// The server answered, and refuses.
    #[error("the server refused: {0}")]
    Refused(Refused),
    /// The server answered with something that this client does not understand.
    #[error("the server answered {status} with something unexpected")]
    Unexpected {
        /// The HTTP status.
        status: u16,
    },
}

impl HttpError {
    /// Whether the same request may succeed later.
    pub fn is_temporary(&self) -> bool {
        match self {
            HttpError::Unreachable(_) => true,
            HttpError::Refused(refused) => refused.code.temporary(),
            HttpError::Unexpected { status } => *status >= 500,
        }
    }

    /// The error code, where the server gave one.
    pub fn code(&self) -> Option<ErrorCode> {
        match self {
            HttpError::Refused(refused) => Some(refused.code),
            _ => None,
        }
    }
}

/// What the server says when it refuses something.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message} ({})", code.as_str())]
pub struct Refused {
    /// Why, for programs.
    pub code: ErrorCode,
    /// Why, for people.
    pub message: String,
    /// When to try again, if that is worth it.
    pub retry_after: Option<Duration>,
}

/// The client could not connect, or stopped for good.
#[derive(Debug, Clone, thiserror::Error)]
pub enum ConnectError {
    /// The server's address is not one.
    #[error(transparent)]
    Server(#[from] InvalidServer),
    /// Logging in did not work.
    #[error("cannot log in")]
    Login(#[source] std::sync::Arc<HttpError>),
    /// Neither a login, a session nor a token was given to the builder.
    #[error("nothing to log in with: give the builder a login, a session or a token")]
    NoCredentials,
    /// The outbox's file could not be used.
    #[error("cannot use the outbox's file")]
    Outbox(#[source] std::sync::Arc<OutboxFileError>),
    /// The server could not be reached in the time that the builder allows. The last attempt's reason is given.
    #[error("no connection within {waited:?}: {last}")]
    TimedOut {
        /// How long was tried.
        waited: Duration,
        /// What the last attempt ended with.
        last: String,
    },
    /// The connection ended for good.
    #[error(transparent)]
    Stopped(#[from] StopReason),
}

/// Why a client does not reconnect by itself any more.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StopReason {
    /// [`Client::close`](crate::Client::close) was called, or nobody holds the client any more.
    #[error("the client was closed")]
    ByUs,
    /// The server closed with a code after which a client does not come back (4500 and up).
    #[error("the server closed the connection for good: {} ({code})", .reason.as_deref().unwrap_or("no reason given"))]
    Closed {
        /// The close code.
        code: u16,
        /// What the server said with it.
        reason: Option<String>,
    },
    /// The server refused the upgrade in a way that will not change by trying again.
    #[error("the server refused the connection with status {status}")]
    Refused {
        /// The HTTP status.
        status: u16,
    },
    /// The access token ended and there is nothing to renew it with, or the login has ended.
    #[error("the login has ended: log in again")]
    LoginEnded,
}

impl StopReason {
    /// The close code as one of Natter's, where it is.
    pub fn close_code(&self) -> Option<CloseCode> {
        match self {
            StopReason::Closed { code, .. } => CloseCode::from_code(*code),
            _ => None,
        }
    }
}

/// A command was not done.
#[derive(Debug, Clone, thiserror::Error)]
pub enum SendError {
    /// The server refused it, for good: temporary refusals are retried and not reported.
    #[error(transparent)]
    Refused(#[from] Refused),
    /// The text breaks a rule that the server would refuse it for (CMD4).
    #[error(transparent)]
    Text(#[from] InvalidText),
    /// One reacts with one emoji of Unicode's (CMD4).
    #[error("a reaction is one emoji")]
    NotAnEmoji,
    /// The command is larger than the server's limit for a frame (FRM3).
    #[error("the command is {bytes} bytes, and the limit is {limit}")]
    TooLarge {
        /// Its size as a frame.
        bytes: usize,
        /// The largest frame.
        limit: usize,
    },
    /// A command with this id is waiting already.
    #[error("a command with the id {0} is waiting already")]
    Repeated(ClientId),
    /// The outbox's file could not be written: the command was not sent.
    #[error("cannot write the outbox's file")]
    Outbox(#[source] std::sync::Arc<OutboxFileError>),
    /// The client stopped before an answer came. What became of the command is not known; if it is in an outbox with a
    /// file, the next client with that file settles it.
    #[error("the client stopped before the answer came")]
    Stopped,
    /// The answer can't be read, because the events before it wait for a reader who does not read them. The command stays
    /// in the outbox, and its outcome comes as [`Event::Settled`](crate::Event::Settled).
    #[error("the answer waits behind events that nobody reads")]
    EventsNotRead,
}

/// The outbox's file could not be used.
#[derive(Debug, thiserror::Error)]
pub enum OutboxFileError {
    /// It could not be opened, read or written.
    #[error("cannot {what} {}", path.display())]
    Io {
        /// What was tried.
        what: &'static str,
        /// The file.
        path: PathBuf,
        /// Why not.
        #[source]
        source: io::Error,
    },
    /// Another client has it open.
    #[error("{} is in use by another client", path.display())]
    InUse {
        /// The file.
        path: PathBuf,
    },
    /// A line in it is not one that an outbox wrote.
    #[error("{}, line {line}: not an outbox entry", path.display())]
    Corrupt {
        /// The file.
        path: PathBuf,
        /// The line, counted from 1.
        line: usize,
    },
    /// More commands wait in it than this outbox holds.
    #[error("{} holds {found} commands, and this outbox holds {capacity}", path.display())]
    TooMany {
        /// The file.
        path: PathBuf,
        /// How many commands wait in it.
        found: usize,
        /// How many the outbox holds.
        capacity: usize,
    },
}
