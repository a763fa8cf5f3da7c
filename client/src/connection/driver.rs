//! The task behind a client: carries out what the state machine says, with a real socket, the time and randomness, and
//! passes commands and events between the handles and the server.

use std::collections::VecDeque;
use std::future::{Future, pending};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use natter_protocol::frame::{
    self, ClientFrame, Hello, Progress, Refusal, ServerFrame, SetPresence, Token, Typing, Watch,
};
use natter_protocol::{Encoding, Handle, Position};
use tokio::sync::mpsc::error::TrySendError;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::{Instant, sleep_until};

use super::requests::{Answer, Request, Shared, Waiters, refused};
use super::state::{Connection, Effect, Input, OpenFailure, Signal, State};
use crate::credentials::{Credentials, NotRenewed};
use crate::error::SendError;
use crate::event::{Event, Sent};
use crate::outbox::journal::Journal;
use crate::outbox::{Command, NotTaken, Outbox, Outcome};
use crate::server::Server;
use crate::session::AccessToken;
use crate::socket::{Ended, OpenError, Socket};

/// For how long answers may wait behind events that nobody reads, before who waits for them is let go.
const UNREAD_PATIENCE: Duration = Duration::from_secs(5);

type Task<T> = Pin<Box<dyn Future<Output = T> + Send>>;

/// What a driver is made of.
pub(crate) struct Parts {
    pub(crate) server: Server,
    pub(crate) encoding: Encoding,
    pub(crate) client_name: String,
    pub(crate) credentials: Credentials,
    pub(crate) resume_from: Option<Position>,
    pub(crate) outbox: Outbox,
    pub(crate) journal: Option<Journal>,
    pub(crate) waiters: Waiters,
    pub(crate) shared: Arc<Shared>,
    pub(crate) requests: mpsc::Receiver<Request>,
    pub(crate) events: mpsc::Sender<Event>,
    pub(crate) applied: watch::Receiver<Option<Position>>,
    pub(crate) state: watch::Sender<State>,
}

pub(crate) struct Driver {
    parts: Parts,
    connection: Connection,
    began: Instant,
    socket: Option<Socket>,
    opening: Option<Task<Result<Socket, OpenError>>>,
    renewal: Option<Task<Result<AccessToken, NotRenewed>>>,
    /// Events that found no room. While there are any, the socket is not read.
    unread: VecDeque<Event>,
    unread_since: Option<Instant>,
    events_wanted: bool,
    references: u64,
    /// What others are to see of us, said again after each reconnection.
    presence: Option<SetPresence>,
    presence_answer: Option<(u64, oneshot::Sender<Result<(), SendError>>)>,
    watched: Option<Vec<Handle>>,
    handles_gone: bool,
    applied_gone: bool,
}

/// What the driver woke up for. Made once per wake-up and moved nowhere, so its size does not matter.
#[allow(clippy::large_enum_variant)]
enum Woke {
    Opened(Result<Socket, OpenError>),
    Renewed(Result<AccessToken, NotRenewed>),
    Read(Result<bytes::Bytes, Ended>),
    Request(Option<Request>),
    Applied(Option<Position>),
    Room,
    EventsGone,
    Time,
}

impl Driver {
    pub(crate) fn new(parts: Parts) -> Self {
        let connection = Connection::new(parts.resume_from, parts.credentials.renewable());
        Self {
            parts,
            connection,
            began: Instant::now(),
            socket: None,
            opening: None,
            renewal: None,
            unread: VecDeque::new(),
            unread_since: None,
            events_wanted: true,
            references: 0,
            presence: None,
            presence_answer: None,
            watched: None,
            handles_gone: false,
            applied_gone: false,
        }
    }

    /// Runs until the client stops for good.
    pub(crate) async fn run(mut self) {
        let token_ends_ms = self.ms_of(self.parts.credentials.token().ends);
        self.feed(Input::Start { token_ends_ms }).await;
        while !self.stopped() {
            let woke = self.wake().await;
            self.act_on(woke).await;
        }
        self.parts.requests.close();
        self.parts.waiters.stop();
        // What nobody took out yet is still to be had; who does not want it any more drops the stream.
        for event in std::mem::take(&mut self.unread) {
            if self.parts.events.send(event).await.is_err() {
                break;
            }
        }
    }

    async fn wake(&mut self) -> Woke {
        let deadline = self.next_deadline();
        let reads = self.unread.is_empty();
        tokio::select! {
            // Events and answers before new commands; all of them before the clock.
            biased;
            () = room(&self.parts.events), if !reads => Woke::Room,
            opened = or_never(&mut self.opening) => Woke::Opened(opened),
            renewed = or_never(&mut self.renewal) => Woke::Renewed(renewed),
            message = read(&mut self.socket), if reads => Woke::Read(message),
            request = self.parts.requests.recv(), if !self.handles_gone => Woke::Request(request),
            changed = self.parts.applied.changed(), if !self.applied_gone => {
                self.applied_gone = changed.is_err();
                Woke::Applied(*self.parts.applied.borrow_and_update())
            }
            () = self.parts.events.closed(), if self.events_wanted => Woke::EventsGone,
            () = at(deadline) => Woke::Time,
        }
    }

    async fn act_on(&mut self, woke: Woke) {
        match woke {
            Woke::Opened(opened) => {
                self.opening = None;
                match opened {
                    Ok(socket) => {
                        self.socket = Some(socket);
                        self.feed(Input::Opened).await;
                    }
                    Err(error) => self.feed(Input::OpenFailed(failure(&error))).await,
                }
            }
            Woke::Renewed(renewed) => {
                self.renewal = None;
                let input = match renewed {
                    Ok(token) => Input::TokenRenewed { ends_ms: self.ms_of(token.ends) },
                    Err(not) => Input::TokenNotRenewed { login_ended: not.login_ended, cause: not.cause },
                };
                self.feed(input).await;
            }
            Woke::Read(Ok(message)) => self.message(&message).await,
            Woke::Read(Err(ended)) => self.ended(ended).await,
            Woke::Request(Some(request)) => self.request(request).await,
            Woke::Request(None) => {
                self.handles_gone = true;
                self.stop_if_nobody_is_left().await;
            }
            Woke::Applied(Some(position)) => self.feed(Input::Applied(position)).await,
            Woke::Applied(None) => {}
            Woke::Room => self.pass_on_unread().await,
            Woke::EventsGone => {
                self.events_wanted = false;
                self.unread.clear();
                self.pass_on_unread().await;
                self.stop_if_nobody_is_left().await;
            }
            Woke::Time => {
                self.let_go_of_who_waits_too_long();
                self.feed(Input::Tick).await;
            }
        }
        self.send_due().await;
    }

    /// Gives the state machine what happened and does what it says; what comes of that is given to it, too.
    async fn feed(&mut self, input: Input) {
        let mut inputs = VecDeque::from([input]);
        while let Some(input) = inputs.pop_front() {
            for effect in self.connection.on(input, self.now_ms(), rand::random()) {
                if let Err(ended) = self.perform(effect).await {
                    self.drop_socket();
                    inputs.push_back(Input::Closed { code: ended.code, reason: ended.reason });
                }
            }
        }
    }

    async fn perform(&mut self, effect: Effect) -> Result<(), Ended> {
        match effect {
            Effect::Open => {
                let (server, encoding) = (self.parts.server.clone(), self.parts.encoding);
                self.opening = Some(Box::pin(async move { Socket::open(&server, encoding).await }));
            }
            Effect::Hello { resume } => {
                let token = Some(self.parts.credentials.token().text.to_string());
                let client = Some(self.parts.client_name.clone());
                self.write(&[ClientFrame::Hello(Hello { token, client, resume })]).await?;
            }
            Effect::Pong(position) => {
                self.write(&[ClientFrame::Pong(Progress { position })]).await?;
                self.tell(Event::Heartbeat { position });
            }
            Effect::Applied(position) => self.write(&[ClientFrame::Applied(Progress { position })]).await?,
            Effect::TellToken => {
                let token = self.parts.credentials.token().text.to_string();
                self.write(&[ClientFrame::Token(Token { token })]).await?;
            }
            Effect::RenewToken => {
                let credentials = self.parts.credentials.clone();
                self.renewal = Some(Box::pin(async move { credentials.renew().await }));
            }
            Effect::Hangup => {
                self.opening = None;
                if let Some(socket) = self.socket.take() {
                    // The other side may be gone: that is not waited for here.
                    tokio::spawn(socket.close());
                }
                self.drop_socket();
            }
            Effect::Ready => {
                let mut frames: Vec<_> = self.presence.clone().map(ClientFrame::Presence).into_iter().collect();
                frames.extend(self.watched.clone().map(|users| ClientFrame::Watch(Watch { reference: None, users })));
                self.write(&frames).await?;
            }
            Effect::Tell(state) => {
                self.parts.state.send_replace(state.clone());
                self.tell(Event::State(state));
            }
        }
        Ok(())
    }

    async fn message(&mut self, message: &[u8]) {
        let Ok(frames) = self.parts.encoding.decode_server(message) else {
            let reason = Some("the server sent something that is not frames".to_owned());
            return self.ended(Ended { code: None, reason }).await;
        };
        for frame in frames {
            // What is left of a socket that was given up comes again on the next one.
            if self.socket.is_none() {
                break;
            }
            self.frame(frame).await;
        }
    }

    async fn frame(&mut self, frame: ServerFrame) {
        let (signal, event) = match frame {
            ServerFrame::Welcome(welcome) => {
                self.parts.shared.set_server_now(welcome.now.0);
                self.parts.shared.frame_bytes.store(welcome.limits.frame_bytes, Ordering::Relaxed);
                *self.parts.shared.user.lock() = Some(welcome.user);
                let gateway = welcome.gateway.into();
                (Signal::Welcome { gateway, heartbeat_ms: welcome.heartbeat_ms }, None)
            }
            ServerFrame::Reset(reset) => {
                self.parts.shared.reset(reset.position);
                let (reason, position) = (reset.reason, reset.position);
                (Signal::Reset { reason, position }, Some(Event::Reset { reason, position }))
            }
            ServerFrame::CaughtUp(caught_up) => {
                let position = caught_up.position;
                (Signal::CaughtUp(position), Some(Event::CaughtUp { position }))
            }
            ServerFrame::Ping(ping) => (Signal::Ping(ping.position), None),
            ServerFrame::Goodbye(goodbye) => (Signal::Goodbye { reconnect_after_ms: goodbye.reconnect_after_ms }, None),
            ServerFrame::Ok(ok) => (self.ok(&ok).await, None),
            ServerFrame::Error(refusal) => {
                self.refusal(&refusal).await;
                (Signal::Other, None)
            }
            ServerFrame::Message(message) => (Signal::Durable(message.position), Some(Event::Message(message))),
            ServerFrame::Edited(edited) => (Signal::Durable(edited.position), Some(Event::Edited(edited))),
            ServerFrame::Deleted(deleted) => (Signal::Durable(deleted.position), Some(Event::Deleted(deleted))),
            ServerFrame::Reaction(reaction) => (Signal::Durable(reaction.position), Some(Event::Reaction(reaction))),
            ServerFrame::Pin(pin) => (Signal::Durable(pin.position), Some(Event::Pin(pin))),
            ServerFrame::Member(member) => (Signal::Durable(member.position), Some(Event::Member(member))),
            ServerFrame::Room(room) => (Signal::Durable(room.position), Some(Event::Room(room))),
            ServerFrame::Profile(profile) => {
                (profile.position.map_or(Signal::Other, Signal::Durable), Some(Event::Profile(profile)))
            }
            ServerFrame::Preferences(preferred) => {
                (Signal::Durable(preferred.position), Some(Event::Preferences(preferred)))
            }
            ServerFrame::Block(block) => (Signal::Durable(block.position), Some(Event::Block(block))),
            ServerFrame::Marker(marker) => (Signal::Durable(marker.position), Some(Event::Marker(marker))),
            ServerFrame::Presence(presence) => (Signal::Other, Some(Event::Presence(presence))),
            ServerFrame::Delivered(delivered) => (Signal::Other, Some(Event::Delivered(delivered))),
            ServerFrame::Typing(typing) => (Signal::Other, Some(Event::Typing(typing))),
            ServerFrame::Unknown => (Signal::Other, None),
        };
        // The event first: whoever hears that the connection is live has heard what came before.
        if let Some(event) = event.filter(|_| self.connection.is_greeted()) {
            self.tell(event);
        }
        self.feed(Input::Received(signal)).await;
    }

    async fn ok(&mut self, ok: &frame::Ok) -> Signal {
        if let Some((_, answer)) = self.presence_answer.take_if(|(reference, _)| Some(*reference) == ok.reference) {
            let _ = answer.send(Ok(()));
        }
        if let Some((command, outcome)) = self.parts.outbox.answered(ok) {
            if let Some(position) = ok.position {
                self.parts.shared.wrote(position);
            }
            self.settle(&command, outcome).await;
        }
        ok.position.map_or(Signal::Other, Signal::Durable)
    }

    async fn refusal(&mut self, refusal: &Refusal) {
        if let Some((_, answer)) = self.presence_answer.take_if(|(reference, _)| Some(*reference) == refusal.reference)
        {
            let _ = answer.send(Err(SendError::Refused(refused(refusal))));
        }
        let now_ms = self.now_ms();
        if let Some((command, outcome)) = self.parts.outbox.refused(refusal, now_ms) {
            self.settle(&command, outcome).await;
        }
    }

    async fn settle(&mut self, command: &Command, outcome: Outcome) {
        let id = command.id();
        let outcome = outcome.map_err(SendError::Refused).map(|ok| Sent {
            id,
            seq: ok.seq.unwrap_or_default(),
            conversation: ok.conversation,
            at: ok.at,
            duplicate: ok.duplicate,
            refused: ok.refused.unwrap_or_default(),
        });
        if let Err(error) = self.journal(move |journal| journal.settled(id)).await {
            // It will be sent once more after a restart, and answered as a repetition.
            tracing::warn!(error = &error as &dyn std::error::Error, "a settled command stays in the outbox's file");
        }
        if let Some(outcome) = self.parts.waiters.settle(id, outcome) {
            self.tell(Event::Settled { id, outcome });
        }
    }

    async fn request(&mut self, request: Request) {
        match request {
            Request::Durable { command, answer, place } => self.durable(command, answer, place).await,
            Request::Typing(conversation) => {
                // Worth nothing later, so it is said now or not at all.
                if self.connection.is_live() {
                    let typing = ClientFrame::Typing(Typing { reference: None, conversation });
                    self.write_or_end(&[typing]).await;
                }
            }
            Request::Presence(presence, answer) => {
                self.references += 1;
                let presence = SetPresence { reference: Some(self.references), ..presence };
                self.presence = Some(presence.clone());
                // The answer to an earlier wish does not come any more: this one replaces it.
                if let Some((_, earlier)) = self.presence_answer.replace((self.references, answer)) {
                    let _ = earlier.send(Ok(()));
                }
                if self.connection.is_live() {
                    self.write_or_end(&[ClientFrame::Presence(presence)]).await;
                }
            }
            Request::Watch(users) => {
                self.watched = Some(users.clone());
                if self.connection.is_live() {
                    self.write_or_end(&[ClientFrame::Watch(Watch { reference: None, users })]).await;
                }
            }
            Request::Wake => self.feed(Input::Wake).await,
            Request::Token => self.feed(Input::TokenRenewed { ends_ms: None }).await,
            Request::Close => self.feed(Input::Stop).await,
        }
    }

    async fn durable(&mut self, command: Command, answer: Answer, place: tokio::sync::OwnedSemaphorePermit) {
        let id = command.id();
        match self.parts.outbox.push(command.clone()) {
            Ok(()) => {}
            // The permit says that there is room; a repeated id is the only reason.
            Err(NotTaken::Repeated | NotTaken::Full) => {
                let _ = answer.send(Err(SendError::Repeated(id)));
                return;
            }
        }
        if let Err(error) = self.journal(move |journal| journal.taken(command)).await {
            self.parts.outbox.withdraw(id);
            let _ = answer.send(Err(SendError::Outbox(Arc::new(error))));
            return;
        }
        self.parts.waiters.add(id, Some(answer), Some(place));
    }

    /// Does something with the outbox's file, if there is one, without holding up the runtime.
    async fn journal<F>(&mut self, write: F) -> Result<(), crate::error::OutboxFileError>
    where
        F: FnOnce(&mut Journal) -> Result<(), crate::error::OutboxFileError> + Send + 'static,
    {
        let Some(mut journal) = self.parts.journal.take() else { return Ok(()) };
        let done = tokio::task::spawn_blocking(move || {
            let result = write(&mut journal);
            (journal, result)
        });
        match done.await {
            Ok((journal, result)) => {
                self.parts.journal = Some(journal);
                result
            }
            Err(panicked) => std::panic::resume_unwind(panicked.into_panic()),
        }
    }

    async fn send_due(&mut self) {
        if !self.connection.is_live() {
            return;
        }
        let now_ms = self.now_ms();
        let references = &mut self.references;
        let frames = self.parts.outbox.take_due(now_ms, || {
            *references += 1;
            *references
        });
        self.write_or_end(&frames).await;
    }

    async fn write_or_end(&mut self, frames: &[ClientFrame]) {
        if let Err(ended) = self.write(frames).await {
            self.ended(ended).await;
        }
    }

    async fn write(&mut self, frames: &[ClientFrame]) -> Result<(), Ended> {
        match &mut self.socket {
            Some(socket) if !frames.is_empty() => socket.write(frames).await,
            _ => Ok(()),
        }
    }

    async fn ended(&mut self, ended: Ended) {
        self.drop_socket();
        self.feed(Input::Closed { code: ended.code, reason: ended.reason }).await;
    }

    fn drop_socket(&mut self) {
        self.socket = None;
        self.parts.outbox.disconnected();
    }

    /// Passes an event on, or keeps it until there is room.
    fn tell(&mut self, event: Event) {
        if !self.events_wanted {
            return;
        }
        if self.unread.is_empty() {
            match self.parts.events.try_send(event) {
                Ok(()) => {}
                Err(TrySendError::Closed(_)) => self.events_wanted = false,
                Err(TrySendError::Full(event)) => {
                    self.unread.push_back(event);
                    self.unread_since = Some(Instant::now());
                    self.connection.on(Input::Stalled, self.now_ms(), 0.0);
                }
            }
            return;
        }
        // Of states only the last matters: a reader who comes back late need not see each attempt.
        match (&event, self.unread.back_mut()) {
            (Event::State(_), Some(last @ Event::State(_))) => *last = event,
            _ => self.unread.push_back(event),
        }
    }

    async fn pass_on_unread(&mut self) {
        while let Some(event) = self.unread.pop_front() {
            match self.parts.events.try_send(event) {
                Ok(()) => {}
                Err(TrySendError::Full(event)) => {
                    self.unread.push_front(event);
                    return;
                }
                Err(TrySendError::Closed(_)) => self.unread.clear(),
            }
        }
        if self.unread_since.take().is_some() {
            self.feed(Input::Drained).await;
        }
    }

    /// A program that waits for an answer in the same place where it reads its events would wait for ever.
    fn let_go_of_who_waits_too_long(&mut self) {
        if self.unread_since.is_some_and(|since| since.elapsed() >= UNREAD_PATIENCE) {
            self.parts.waiters.let_go();
        }
    }

    async fn stop_if_nobody_is_left(&mut self) {
        if self.handles_gone && !self.events_wanted {
            self.feed(Input::Stop).await;
        }
    }

    fn next_deadline(&self) -> Option<Instant> {
        let connection_ms = self.connection.next_deadline_ms();
        let outbox_ms = self.parts.outbox.next_due_ms().filter(|_| self.connection.is_live());
        let unread =
            self.unread_since.filter(|_| self.parts.waiters.anyone_waits()).map(|since| since + UNREAD_PATIENCE);
        let timed =
            [connection_ms, outbox_ms].into_iter().flatten().min().map(|ms| self.began + Duration::from_millis(ms));
        [timed, unread].into_iter().flatten().min()
    }

    fn stopped(&self) -> bool {
        matches!(*self.parts.state.borrow(), State::Stopped(_))
    }

    fn now_ms(&self) -> u64 {
        self.ms_of(Some(Instant::now())).unwrap_or_default()
    }

    fn ms_of(&self, instant: Option<Instant>) -> Option<u64> {
        instant.map(|instant| u64::try_from((instant - self.began).as_millis()).unwrap_or(u64::MAX))
    }
}

fn failure(error: &OpenError) -> OpenFailure {
    match error {
        OpenError::Status { status: 401 } => OpenFailure::Unauthenticated,
        OpenError::Status { status: status @ 403 } => OpenFailure::Refused { status: *status },
        // Anything else may be a proxy's, in the middle of a deployment.
        other => OpenFailure::Temporary(other.to_string()),
    }
}

async fn or_never<T>(task: &mut Option<Task<T>>) -> T {
    match task {
        Some(task) => task.await,
        None => pending().await,
    }
}

async fn read(socket: &mut Option<Socket>) -> Result<bytes::Bytes, Ended> {
    match socket {
        Some(socket) => socket.read().await,
        None => pending().await,
    }
}

async fn room(events: &mpsc::Sender<Event>) {
    // A closed channel has room, too: for what is dropped.
    let _ = events.reserve().await;
}

async fn at(deadline: Option<Instant>) {
    match deadline {
        Some(deadline) => sleep_until(deadline).await,
        None => pending().await,
    }
}
