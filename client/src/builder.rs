//! How a client comes to be.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use natter_protocol::{Encoding, Handle, Position};
use tokio::sync::{Semaphore, mpsc, watch};

use crate::client::{Client, Inner};
use crate::connection::State;
use crate::connection::driver::{Driver, Parts};
use crate::connection::requests::{Shared, Waiters};
use crate::credentials::Credentials;
use crate::error::{ConnectError, InvalidServer, StopReason};
use crate::event::Events;
use crate::http;
use crate::outbox::Outbox;
use crate::outbox::journal::Journal;
use crate::server::Server;
use crate::session::Session;

/// Requests of handles that the driver has not taken yet.
const REQUEST_CAPACITY: usize = 64;
const DEFAULT_EVENT_CAPACITY: usize = 1_024;
const DEFAULT_OUTBOX_CAPACITY: usize = 1_000;
const DEFAULT_PATIENCE: Duration = Duration::from_secs(30);

/// Settings of a [`Client`], and the way to it: [`connect`](Self::connect) or [`start`](Self::start).
#[derive(Debug)]
pub struct Builder {
    url: String,
    history_url: Option<String>,
    login: Option<Login>,
    client_name: String,
    encoding: Encoding,
    resume_from: Option<Position>,
    event_capacity: usize,
    outbox_capacity: usize,
    pipeline: usize,
    outbox_file: Option<PathBuf>,
    patience: Duration,
}

enum Login {
    Password(Handle, String),
    Session(Session),
    Token(Arc<str>),
}

impl std::fmt::Debug for Login {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Login::Password(handle, _) => write!(f, "Password({handle})"),
            Login::Session(session) => session.fmt(f),
            Login::Token(_) => f.write_str("Token(…)"),
        }
    }
}

impl Builder {
    pub(crate) fn new(url: &str) -> Self {
        Self {
            url: url.to_owned(),
            history_url: None,
            login: None,
            client_name: concat!("natter-client/", env!("CARGO_PKG_VERSION")).to_owned(),
            encoding: Encoding::Json,
            resume_from: None,
            event_capacity: DEFAULT_EVENT_CAPACITY,
            outbox_capacity: DEFAULT_OUTBOX_CAPACITY,
            pipeline: 1,
            outbox_file: None,
            patience: DEFAULT_PATIENCE,
        }
    }

    /// Logs in with a password when connecting.
    pub fn login(mut self, handle: Handle, password: impl Into<String>) -> Self {
        self.login = Some(Login::Password(handle, password.into()));
        self
    }

    /// Goes on with a session, which is renewed as needed.
    pub fn session(mut self, session: Session) -> Self {
        self.login = Some(Login::Session(session));
        self
    }

    /// Uses an access token that someone else looks after; see [`Client::use_token`]. When it ends, so does the client.
    pub fn token(mut self, token: impl Into<Arc<str>>) -> Self {
        self.login = Some(Login::Token(token.into()));
        self
    }

    /// Goes on after a [position](crate::Event::position) that was kept: what was missed comes first. Without it, the first
    /// event is a reset with the reason `fresh`.
    pub fn resume_from(mut self, position: impl Into<Option<Position>>) -> Self {
        self.resume_from = position.into();
        self
    }

    /// Asks for history elsewhere, for deployments without a proxy in front.
    pub fn history_url(mut self, url: impl Into<String>) -> Self {
        self.history_url = Some(url.into());
        self
    }

    /// What the client calls itself, for the server's logs.
    pub fn client_name(mut self, name: impl Into<String>) -> Self {
        self.client_name = name.into();
        self
    }

    /// JSON (the default) or MessagePack, which is smaller and quicker to read.
    pub fn encoding(mut self, encoding: Encoding) -> Self {
        self.encoding = encoding;
        self
    }

    /// How many events wait for the program before the socket is not read any more; 1,024 by default.
    pub fn event_capacity(mut self, events: usize) -> Self {
        self.event_capacity = events.max(1);
        self
    }

    /// How many commands wait for their answers before the next one has to wait for room; 1,000 by default.
    pub fn outbox_capacity(mut self, commands: usize) -> Self {
        self.outbox_capacity = commands.max(1);
        self
    }

    /// How many commands may be on their way at once; 1 by default, so that they are in the log in the order in which they
    /// were given, whatever is refused and retried in between. More is faster over a long line, and a command that the
    /// server puts off (`rate_limited`, `unavailable`) may then be overtaken by those after it.
    pub fn pipeline(mut self, commands: usize) -> Self {
        self.pipeline = commands.max(1);
        self
    }

    /// Keeps the outbox in a file, so that after a crash the next client with this file settles what was unknown. One
    /// client at a time, and always the same user.
    pub fn outbox_file(mut self, path: impl Into<PathBuf>) -> Self {
        self.outbox_file = Some(path.into());
        self
    }

    /// How long [`connect`](Self::connect) tries; 30 seconds by default.
    pub fn patience(mut self, patience: Duration) -> Self {
        self.patience = patience;
        self
    }

    /// Connects, and returns when the server has greeted. From then on the client reconnects by itself.
    pub async fn connect(self) -> Result<(Client, Events), ConnectError> {
        let patience = self.patience;
        let (client, events) = self.start().await?;
        let mut state = client.state();
        let mut last = "no answer".to_owned();
        let greeted = async {
            loop {
                match &*state.borrow_and_update() {
                    State::Live { .. } | State::CatchingUp { .. } => return Ok(()),
                    State::Stopped(reason) => return Err(reason.clone()),
                    State::Waiting { cause, .. } => last = cause.to_string(),
                    State::Connecting { .. } => {}
                }
                if state.changed().await.is_err() {
                    return Err(StopReason::ByUs);
                }
            }
        };
        match tokio::time::timeout(patience, greeted).await {
            Ok(Ok(())) => Ok((client, events)),
            Ok(Err(reason)) => Err(ConnectError::Stopped(reason)),
            Err(_) => {
                client.close().await;
                Err(ConnectError::TimedOut { waited: patience, last })
            }
        }
    }

    /// Starts a client that connects on its own time: for programs that also work without a connection. Only logging in
    /// with a password waits for the server.
    pub async fn start(self) -> Result<(Client, Events), ConnectError> {
        let server = self.server()?;
        let credentials = match self.login {
            None => return Err(ConnectError::NoCredentials),
            Some(Login::Token(token)) => Credentials::given(token),
            Some(Login::Session(session)) => Credentials::Session(session),
            Some(Login::Password(handle, password)) => {
                let session = Session::login(&server, &handle, &password).await;
                Credentials::Session(session.map_err(|error| ConnectError::Login(Arc::new(error)))?)
            }
        };
        let places = Arc::new(Semaphore::new(self.outbox_capacity));
        let mut outbox = Outbox::new(self.outbox_capacity, self.pipeline);
        let mut waiters = Waiters::default();
        let journal = match self.outbox_file {
            None => None,
            Some(path) => {
                let (journal, waiting) = Journal::open(&path, self.outbox_capacity)
                    .map_err(|error| ConnectError::Outbox(Arc::new(error)))?;
                for command in waiting {
                    let id = command.id();
                    // The file holds no more than there are places, and no id twice.
                    if outbox.push(command).is_ok() {
                        waiters.add(id, None, places.clone().try_acquire_owned().ok());
                    }
                }
                Some(journal)
            }
        };
        let http = http::client().map_err(|error| ConnectError::Login(Arc::new(error)))?;
        let shared = Shared::new();
        let (requests, requested) = mpsc::channel(REQUEST_CAPACITY);
        let (events, events_out) = mpsc::channel(self.event_capacity);
        let (applied, applied_out) = watch::channel(None);
        let (state, state_out) = watch::channel(State::Connecting { attempt: 0 });
        let driver = Driver::new(Parts {
            server: server.clone(),
            encoding: self.encoding,
            client_name: self.client_name,
            credentials: credentials.clone(),
            resume_from: self.resume_from,
            outbox,
            journal,
            waiters,
            shared: shared.clone(),
            requests: requested,
            events,
            applied: applied_out,
            state,
        });
        // It ends when it is stopped or when nobody holds a handle or the events any more.
        tokio::spawn(driver.run());
        let inner =
            Inner { server, http, credentials, encoding: self.encoding, requests, places, shared, state: state_out };
        Ok((Client(Arc::new(inner)), Events::new(events_out, applied)))
    }

    fn server(&self) -> Result<Server, InvalidServer> {
        let server: Server = self.url.parse()?;
        match &self.history_url {
            Some(url) => server.with_history(url),
            None => Ok(server),
        }
    }
}
