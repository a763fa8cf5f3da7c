//! One user of a run: a socket, what is due on it, and the books. Reconnects and resumes like any client, and sends again
//! what has no answer.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use natter_client::socket::{Ended, OpenError, Socket};
use natter_client::{ClientId, ConversationId, Handle, Position, Server, To};
use natter_protocol::frame::{Hello, Progress, Send};
use natter_protocol::{ClientFrame, CloseCode, Encoding, Timestamp};
use parking_lot::Mutex;
use tokio::sync::{mpsc, watch};

use super::book::{Inbox, Letter, OnTheWay, Outbox, Place, Received, is_temporary};
use super::glance::{self, Glance};
use super::plan::{Plan, handle};
use super::tally::Tally;

/// Messages of one user that are on the wire without an answer; more wait here, and their time runs.
const WINDOW: usize = 64;
/// Messages of one user that wait here.
const MAX_WAITING: usize = 20_000;
/// Waits between two attempts to connect.
const RECONNECT: std::ops::Range<Duration> = Duration::from_millis(50)..Duration::from_millis(1_000);
/// A connection that takes longer to come up is tried anew.
const GREETING: Duration = Duration::from_secs(15);
/// A temporary refusal that does not say when is tried again after this.
const RETRY: Duration = Duration::from_millis(100);

/// What all users of a run share.
pub struct Run {
    pub plan: Plan,
    /// What times are counted from.
    pub origin: Instant,
    /// Tells this run's messages from others'.
    pub id: u32,
    pub text_bytes: usize,
    pub encoding: Encoding,
    pub tally: Mutex<Tally>,
}

impl Run {
    pub fn ns_of(&self, instant: Instant) -> u64 {
        u64::try_from((instant - self.origin).as_nanos()).unwrap_or(u64::MAX)
    }
}

/// Where the run is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    Running,
    Over,
}

/// What a user has to show at the end.
pub struct Books {
    pub outbox: Outbox,
    /// Due, and never sent.
    pub waiting: VecDeque<Letter>,
    pub inboxes: HashMap<usize, Inbox>,
}

/// A user can't go on, and the run makes no sense without.
#[derive(Debug, Clone, thiserror::Error)]
pub enum UserError {
    #[error("{user}: the gateway refused the connection for good: {reason}")]
    Refused { user: Handle, code: Option<u16>, reason: String },
    #[error("{user}: the gateway sent something that is not frames")]
    NotFrames { user: Handle },
}

pub struct User {
    run: Arc<Run>,
    handle: Handle,
    token: String,
    server: Server,
    /// Letters that are due.
    due: mpsc::Receiver<Letter>,
    stage: watch::Receiver<Stage>,
    ready: Option<mpsc::Sender<()>>,
    socket: Option<Socket>,
    waiting: VecDeque<Letter>,
    /// Refused for now: when to send which reference again.
    later: VecDeque<(Instant, u64)>,
    outbox: Outbox,
    inboxes: HashMap<usize, Inbox>,
    place: Place,
    position: Option<Position>,
    /// The conversation of each flow, once its first message has one.
    conversations: HashMap<usize, ConversationId>,
    clock_ahead_ms: i64,
    leave_at: Option<Instant>,
    pong_due: bool,
}

enum Woke {
    Read(Result<Bytes, Ended>),
    Due(Option<Letter>),
    Again,
    Leave,
    Stage,
}

/// How a connection ended.
enum End {
    Over,
    Lost,
}

impl User {
    pub fn new(
        run: Arc<Run>,
        (handle, token): (Handle, String),
        server: Server,
        due: mpsc::Receiver<Letter>,
        stage: watch::Receiver<Stage>,
        ready: mpsc::Sender<()>,
    ) -> Self {
        Self {
            run,
            handle,
            token,
            server,
            due,
            stage,
            ready: Some(ready),
            socket: None,
            waiting: VecDeque::new(),
            later: VecDeque::new(),
            outbox: Outbox::default(),
            inboxes: HashMap::new(),
            place: Place::default(),
            position: None,
            conversations: HashMap::new(),
            clock_ahead_ms: 0,
            leave_at: None,
            pong_due: false,
        }
    }

    /// Talks and listens until the run is over.
    pub async fn live(mut self) -> Result<Books, UserError> {
        loop {
            match self.connect().await {
                Ok(()) => match self.serve().await? {
                    End::Over => break,
                    End::Lost => self.run.tally.lock().counts.reconnects += 1,
                },
                Err(Some(error)) => return Err(error),
                Err(None) => {}
            }
            self.socket = None;
            self.leave_at = None;
            let wait = rand::random_range(RECONNECT);
            tokio::select! {
                () = tokio::time::sleep(wait) => {}
                _ = self.stage.wait_for(|stage| *stage == Stage::Over) => break,
            }
        }
        if let Some(socket) = self.socket.take() {
            socket.close().await;
        }
        while let Ok(letter) = self.due.try_recv() {
            self.waiting.push_back(letter);
        }
        Ok(Books { outbox: self.outbox, waiting: self.waiting, inboxes: self.inboxes })
    }

    /// Opens a socket and brings the session up to date. No error: try again.
    async fn connect(&mut self) -> Result<(), Option<UserError>> {
        let opened = tokio::time::timeout(GREETING, Socket::open(&self.server, self.run.encoding)).await;
        match opened {
            Ok(Ok(socket)) => self.socket = Some(socket),
            Ok(Err(OpenError::Status { status })) if (400..500).contains(&status) => {
                return Err(Some(self.refused(None, format!("status {status}"))));
            }
            Ok(Err(_)) | Err(_) => return Err(None),
        }
        let hello =
            Hello { token: Some(self.token.clone()), client: Some("natter-load".to_owned()), resume: self.position };
        self.write(&[ClientFrame::Hello(hello)]).await.map_err(|_| None)?;
        let deadline = tokio::time::Instant::now() + GREETING;
        loop {
            let read = async {
                match &mut self.socket {
                    Some(socket) => socket.read().await,
                    None => Err(Ended { code: None, reason: None }),
                }
            };
            let message = match tokio::time::timeout_at(deadline, read).await {
                Ok(Ok(message)) => message,
                Ok(Err(ended)) => return Err(self.ended(ended)),
                Err(_) => return Err(None),
            };
            if self.message(&message).map_err(Some)? {
                break;
            }
            self.answer_pings().await.map_err(|_| None)?;
        }
        // What was on its way goes again, with the same ids.
        self.later.clear();
        let again: Vec<_> = self.outbox.unanswered().collect();
        if !again.is_empty() {
            *self.run.tally.lock().counts.again.entry("reconnect".to_owned()).or_default() += again.len() as u64;
        }
        for (reference, message) in again {
            self.feed(reference, message).await.map_err(|_| None)?;
        }
        self.flush().await.map_err(|_| None)?;
        if let Some(ready) = self.ready.take() {
            let _ = ready.send(()).await;
        }
        Ok(())
    }

    async fn serve(&mut self) -> Result<End, UserError> {
        loop {
            if self.send_waiting().await.is_err() {
                return Ok(End::Lost);
            }
            let again = self.later.front().map(|(at, _)| *at);
            let leave = self.leave_at;
            let has_room = self.waiting.len() < MAX_WAITING;
            let Some(socket) = &mut self.socket else { return Ok(End::Lost) };
            let woke = tokio::select! {
                biased;
                message = socket.read() => Woke::Read(message),
                due = self.due.recv(), if has_room => Woke::Due(due),
                () = at(again) => Woke::Again,
                () = at(leave) => Woke::Leave,
                changed = self.stage.changed() => {
                    if changed.is_err() { return Ok(End::Over) }
                    Woke::Stage
                }
            };
            match woke {
                Woke::Read(Ok(message)) => {
                    self.message(&message)?;
                    if self.answer_pings().await.is_err() {
                        return Ok(End::Lost);
                    }
                }
                Woke::Read(Err(ended)) => match self.ended(ended) {
                    Some(error) => return Err(error),
                    None => return Ok(End::Lost),
                },
                Woke::Due(Some(letter)) => {
                    self.waiting.push_back(letter);
                    while let Ok(letter) = self.due.try_recv() {
                        self.waiting.push_back(letter);
                    }
                }
                Woke::Due(None) => return Ok(End::Over),
                Woke::Again => {
                    if self.send_again().await.is_err() {
                        return Ok(End::Lost);
                    }
                }
                Woke::Leave => return Ok(End::Lost),
                Woke::Stage if *self.stage.borrow_and_update() == Stage::Over => return Ok(End::Over),
                Woke::Stage => {}
            }
        }
    }

    /// Takes in a message; says whether the session is up to date now.
    fn message(&mut self, message: &Bytes) -> Result<bool, UserError> {
        let mut up_to_date = false;
        let now_ns = self.run.ns_of(Instant::now());
        let encoding = self.run.encoding;
        let read = glance::read(encoding, message, |frame| up_to_date |= self.frame(&frame, now_ns));
        read.map_err(|_| UserError::NotFrames { user: self.handle.clone() })?;
        Ok(up_to_date)
    }

    fn frame(&mut self, frame: &Glance<'_>, now_ns: u64) -> bool {
        match frame.kind {
            "message" => self.received(frame, now_ns),
            "ok" => self.acknowledged(frame, now_ns),
            "error" => self.refused_by_server(frame),
            "welcome" => self.set_clock(frame),
            "goodbye" => {
                let after = Duration::from_millis(frame.reconnect_after_ms.unwrap_or_default().min(60_000));
                self.leave_at = Some(Instant::now() + after);
            }
            "ping" => {
                self.see(frame);
                self.pong_due = true;
            }
            "caught_up" => {
                self.see(frame);
                return true;
            }
            "reset" => {
                if self.position.is_some() {
                    self.run.tally.lock().counts.resets += 1;
                }
                self.see(frame);
                return true;
            }
            // Markers and what is ephemeral.
            _ => self.see(frame),
        }
        false
    }

    fn received(&mut self, frame: &Glance<'_>, now_ns: u64) {
        let in_order = frame.seq.is_some_and(|seq| self.place.advance(seq));
        self.see(frame);
        let Some(letter) = frame.text.as_deref().and_then(|text| Letter::read(text, self.run.id)) else { return };
        let for_us = self.run.plan.flows.get(letter.flow).is_some_and(|flow| handle(flow.to) == self.handle);
        // The user's own message, sent by a connection that was lost: its answer comes on its own.
        if !for_us {
            return;
        }
        let received = self.inboxes.entry(letter.flow).or_default().receive(letter.number);
        let mut tally = self.run.tally.lock();
        match received {
            Received::Once => tally.delivered(now_ns.saturating_sub(letter.due_ns)),
            Received::Again => tally.counts.twice += 1,
        }
        if !in_order && received == Received::Once {
            tally.counts.out_of_order += 1;
        }
    }

    fn acknowledged(&mut self, frame: &Glance<'_>, now_ns: u64) {
        // An answer with a position stands in its event's place; a repetition's has none (EVT2, CMD2).
        let in_order = frame.position.is_none() || frame.seq.is_some_and(|seq| self.place.advance(seq));
        self.see(frame);
        let Some(message) = frame.reference.and_then(|reference| self.outbox.answered(reference)) else { return };
        if let Some(conversation) = frame.conversation.and_then(|conversation| conversation.parse().ok()) {
            self.conversations.entry(message.letter.flow).or_insert(conversation);
        }
        let mut tally = self.run.tally.lock();
        tally.acknowledged(now_ns.saturating_sub(message.letter.due_ns));
        if !in_order {
            tally.counts.out_of_order += 1;
        }
    }

    fn refused_by_server(&mut self, frame: &Glance<'_>) {
        let code = frame.code.unwrap_or("unknown");
        let Some(reference) = frame.reference else { return };
        if is_temporary(code) {
            if self.outbox.get(reference).is_some() {
                let wait = frame.retry_after_ms.map_or(RETRY, Duration::from_millis).min(Duration::from_secs(60));
                self.later.push_back((Instant::now() + wait, reference));
                *self.run.tally.lock().counts.again.entry(code.to_owned()).or_default() += 1;
            }
        } else if self.outbox.refused(reference).is_some() {
            *self.run.tally.lock().counts.refused.entry(code.to_owned()).or_default() += 1;
        }
    }

    fn set_clock(&mut self, frame: &Glance<'_>) {
        if let Some(now) = frame.now.and_then(|now| now.parse::<Timestamp>().ok()) {
            self.clock_ahead_ms = now.0 - unix_ms();
        }
    }

    /// Keeps the position to resume from.
    fn see(&mut self, frame: &Glance<'_>) {
        if let Some(position) = frame.position.and_then(|position| position.parse().ok()) {
            self.position = Some(position);
        }
    }

    async fn answer_pings(&mut self) -> Result<(), Ended> {
        match self.position {
            Some(position) if std::mem::take(&mut self.pong_due) => {
                self.write(&[ClientFrame::Pong(Progress { position })]).await
            }
            _ => Ok(()),
        }
    }

    /// Sends what is due, as far as the window goes.
    async fn send_waiting(&mut self) -> Result<(), Ended> {
        let mut sent = 0;
        while self.outbox.open() < WINDOW {
            let Some(letter) = self.waiting.pop_front() else { break };
            let now_ms = u64::try_from(unix_ms() + self.clock_ahead_ms).unwrap_or_default();
            let by_conversation = self.conversations.contains_key(&letter.flow);
            let message = OnTheWay { letter, id: ClientId::at(now_ms), by_conversation };
            let reference = self.outbox.add(message);
            self.feed(reference, message).await?;
            sent += 1;
        }
        if sent > 0 {
            self.run.tally.lock().counts.sent += sent;
            self.flush().await?;
        }
        Ok(())
    }

    async fn send_again(&mut self) -> Result<(), Ended> {
        let now = Instant::now();
        while let Some((_, reference)) = self.later.pop_front_if(|(at, _)| *at <= now) {
            if let Some(message) = self.outbox.get(reference) {
                self.feed(reference, message).await?;
            }
        }
        self.flush().await
    }

    async fn feed(&mut self, reference: u64, message: OnTheWay) -> Result<(), Ended> {
        let flow = message.letter.flow;
        let to = match self.conversations.get(&flow) {
            Some(conversation) if message.by_conversation => To::Conversation(*conversation),
            _ => To::Participants(vec![handle(self.run.plan.flows[flow].to)]),
        };
        let send = ClientFrame::Send(Send {
            reference: Some(reference),
            to,
            id: message.id,
            text: message.letter.text(self.run.id, self.run.text_bytes),
            reply_to: None,
            thread: None,
            metadata: None,
        });
        let encoded = self.run.encoding.encode_client(&send);
        match &mut self.socket {
            Some(socket) => socket.feed(encoded).await,
            None => Err(Ended { code: None, reason: None }),
        }
    }

    async fn write(&mut self, frames: &[ClientFrame]) -> Result<(), Ended> {
        match &mut self.socket {
            Some(socket) => socket.write(frames).await,
            None => Err(Ended { code: None, reason: None }),
        }
    }

    async fn flush(&mut self) -> Result<(), Ended> {
        match &mut self.socket {
            Some(socket) => socket.flush().await,
            None => Ok(()),
        }
    }

    fn ended(&self, ended: Ended) -> Option<UserError> {
        let code = ended.code.filter(|code| !CloseCode::reconnects(*code))?;
        let reason = ended.reason.unwrap_or_default();
        Some(self.refused(Some(code), format!("{reason} ({code})")))
    }

    fn refused(&self, code: Option<u16>, reason: String) -> UserError {
        UserError::Refused { user: self.handle.clone(), code, reason }
    }
}

async fn at(instant: Option<Instant>) {
    match instant {
        Some(instant) => tokio::time::sleep_until(instant.into()).await,
        None => std::future::pending().await,
    }
}

fn unix_ms() -> i64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}
