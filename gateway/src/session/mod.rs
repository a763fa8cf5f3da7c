//! The life of a socket, top to bottom: hello, welcome, replay or reset, then events, commands and heartbeats until one
//! side ends it.
//!
//! A session is one task: a cursor into the tail, the commands whose outcome is awaited, and deadlines. Everything that it
//! sends goes through [`Session::deliver`], which takes events from the tail in the log's order; so the order of what a
//! client sees is the log's, whoever else does what (EVT1). The `ok` of a durable command is sent in its event's place
//! (EVT2): that is where the gateway knows that the broker stored it, and when.

mod backlog;
mod commands;
mod handshake;
mod order;
mod outgoing;
mod resume;

use std::collections::HashSet;
use std::future::Future;
use std::sync::Arc;

use axum::extract::ws::WebSocket;
use natter_log::{Line, Stream};
use natter_planted::Bug;
use natter_protocol::codec::Incoming;
use natter_protocol::frame::{CaughtUp, Goodbye, Reset, Welcome};
use natter_protocol::{ClientFrame, CloseCode, Encoding, Limits, Position, ServerFrame, Timestamp, limits};
use tokio::time::Instant;

use self::backlog::Backlog;
use self::commands::InFlight;
use self::handshake::Greeted;
use self::order::Order;
use self::outgoing::Outgoing;
use self::resume::Start;
use crate::Gateway;
use crate::commands::Caller;
use crate::feed::{Place, RoomSet};
use crate::render;
use crate::router::SessionHandle;

/// Events taken from the tail at once.
const BATCH: usize = 128;
/// `reconnect_after_ms` is drawn from zero to this, so that a gateway's clients don't come back in one instant (HRT3).
const MAX_RECONNECT_MS: u64 = 2_000;

/// What the upgrade said.
pub struct Upgrade {
    pub encoding: Encoding,
    /// `Authorization: Bearer` of the upgrade (CON1).
    pub bearer: Option<String>,
}

/// Serves one socket to its end.
pub async fn serve(gateway: Arc<Gateway>, mut socket: WebSocket, upgrade: Upgrade) {
    let code = match begin(&gateway, &mut socket, &upgrade).await {
        Ok((mut session, resume)) => {
            let code = session.run(&mut socket, resume).await;
            session.leave();
            code
        }
        Err(code) => Some(code),
    };
    let label = code.map_or_else(|| "gone".to_owned(), |code| code.code().to_string());
    metrics::counter!("natter_gateway_sockets_closed_total", "code" => label).increment(1);
    match code {
        Some(code) => {
            // A connection that is cut at the end of the drain is let go of.
            let farewell = outgoing::close(&mut socket, code, gateway.config.close_timeout);
            tokio::select! { () = farewell => {}, () = gateway.shutdown.forced() => {} }
        }
        None => outgoing::answer_close(&mut socket, gateway.config.close_timeout).await,
    }
}

/// From the upgrade to a session that the router knows.
async fn begin(
    gateway: &Arc<Gateway>,
    socket: &mut WebSocket,
    upgrade: &Upgrade,
) -> Result<(Session, Option<Position>), CloseCode> {
    let Greeted { hello, rest } = handshake::hello(gateway, socket, upgrade.encoding).await?;
    let token = hello.token.as_deref().or(upgrade.bearer.as_deref()).ok_or(CloseCode::NotAuthenticated)?;
    let authenticated = handshake::authenticate(gateway, token).await?;
    let claims = authenticated.claims.clone();
    let caller = Caller::new(authenticated, token);
    let issued_at_ms = i64::try_from(claims.iat.saturating_mul(1000)).unwrap_or(i64::MAX);
    let handle = SessionHandle::new(caller.uid, caller.login, issued_at_ms, gateway.config.session_waiting_bytes);
    gateway
        .router
        .add(&handle, gateway.config.sockets_per_user, gateway.config.sockets)
        .map_err(|_| CloseCode::TooManyConnections)?;
    metrics::gauge!("natter_gateway_sockets").set(gateway.router.len() as f64);
    let session = Session {
        gateway: gateway.clone(),
        encoding: upgrade.encoding,
        cursor: Place { seq: 0, tag: natter_events::Tag(0) },
        rooms: RoomSet::default(),
        expires: deadline(gateway, claims.expires_at_ms()),
        next_ping: Instant::now() + gateway.config.heartbeat,
        pong_due: None,
        backlog: rest,
        in_flight: InFlight::new(gateway.config.session_commands),
        order: Order::default(),
        line: gateway.log.line(Stream::Chat),
        drained: None,
        handle,
        caller,
    };
    // The router knows the session now, so a revocation from here on closes it. One that came just before is seen here.
    gateway.presence.joined(session.caller.uid);
    gateway.rates.grants(session.caller.uid, session.caller.rate);
    let welcome = match handshake::authenticate(gateway, token).await {
        // Looked at behind the router too: a feed that breaks from here on closes this socket.
        Ok(_) if !gateway.feed.is_ready() => Err(CloseCode::FeedBehind),
        other => other.map(drop),
    };
    if let Err(code) = welcome {
        session.leave();
        return Err(code);
    }
    Ok((session, hello.resume))
}

struct Session {
    gateway: Arc<Gateway>,
    caller: Caller,
    handle: Arc<SessionHandle>,
    encoding: Encoding,
    /// The client has everything up to here.
    cursor: Place,
    /// The rooms that the user is in there.
    rooms: RoomSet,
    expires: Instant,
    next_ping: Instant,
    pong_due: Option<Instant>,
    /// What came in one message with what is being done.
    backlog: Backlog,
    in_flight: InFlight,
    order: Order,
    /// The line of the log that the commands go over whose outcome is awaited.
    line: Line,
    /// Goodbye was said, and until then the client may leave by itself (HRT3).
    drained: Option<Instant>,
}

impl Session {
    /// Serves until the end. `None`: the client is gone, and there is nobody to tell.
    async fn run(&mut self, socket: &mut WebSocket, resume: Option<Position>) -> Option<CloseCode> {
        match self.serve(socket, resume).await {
            Ok(()) => None,
            Err(end) => end.code,
        }
    }

    async fn serve(&mut self, socket: &mut WebSocket, resume: Option<Position>) -> Result<(), End> {
        self.start(socket, resume).await?;
        let stop = self.gateway.shutdown.clone();
        loop {
            self.deliver(socket).await?;
            if stop.is_requested() && self.drained.is_none() {
                self.say_goodbye(socket).await?;
            }
            self.on_time(socket).await?;
            if self.order.wants_ping() {
                self.ping(socket).await?;
            }
            let has_room = self.in_flight.has_room();
            if has_room && let Some(frame) = self.backlog.next() {
                self.take(socket, frame?).await?;
                // A message may hold thousands of frames that need nothing to be waited for.
                tokio::task::consume_budget().await;
                continue;
            }
            let (awaits, deadline) = (!self.in_flight.is_empty(), self.next_deadline(has_room));
            tokio::select! {
                biased;
                () = self.handle.woken() => {}
                Some(outcome) = self.in_flight.next(), if awaits => self.settle(socket, outcome).await?,
                message = socket.recv(), if has_room => match message {
                    Some(Ok(axum::extract::ws::Message::Close(_))) | None => return Ok(()),
                    Some(Ok(message)) => self.receive(message)?,
                    Some(Err(error)) => return Err(outgoing::read_error(&error)),
                },
                () = stop.requested(), if self.drained.is_none() => {}
                () = tokio::time::sleep_until(deadline) => {
                    // Nothing was there to be read, so the pong has not come either.
                    if has_room && self.pong_due.is_some_and(|due| due <= Instant::now()) {
                        return Err(CloseCode::HeartbeatMissed.into());
                    }
                }
            }
        }
    }

    /// Has the events of the user's rooms routed here.
    async fn enter_rooms(&mut self) -> Result<(), End> {
        let state = self.gateway.rooms.of(self.caller.uid).await.map_err(|error| {
            tracing::warn!(error = &*natter_platform::error::chain(&error), "which rooms a user is in can't be read");
            CloseCode::FeedBehind
        })?;
        // The broker may be ahead of the feed: what is routed until then, is what the session will deliver.
        if !self.gateway.feed.reaches(state.seq, self.gateway.config.ahead_timeout).await {
            return Err(CloseCode::FeedBehind.into());
        }
        self.gateway.router.enter(&self.handle, state.seq, &state.ids());
        Ok(())
    }

    /// Does what may take long for a client that is still there: what nobody waits for any more must not hold up those who
    /// come back. Of what the client sends meanwhile, one message is taken.
    async fn unless_gone<T>(&mut self, socket: &mut WebSocket, work: impl Future<Output = T>) -> Result<T, End> {
        tokio::pin!(work);
        loop {
            let listens = self.backlog.is_empty();
            tokio::select! {
                biased;
                done = &mut work => return Ok(done),
                message = socket.recv(), if listens => match message {
                    Some(Ok(axum::extract::ws::Message::Close(_))) | None => return Err(End { code: None }),
                    Some(Ok(message)) => self.receive(message)?,
                    Some(Err(error)) => return Err(outgoing::read_error(&error)),
                },
            }
        }
    }

    /// Says welcome, then sets the cursor by a replay or a reset (CON3).
    async fn start(&mut self, socket: &mut WebSocket, resume: Option<Position>) -> Result<(), End> {
        let gateway = self.gateway.clone();
        let config = &gateway.config;
        self.enter_rooms().await?;
        let start = self.unless_gone(socket, resume::start(&gateway, self.caller.uid, resume)).await?;
        let welcome = ServerFrame::Welcome(Welcome {
            user: self.caller.handle.clone(),
            session: self.caller.login,
            gateway: config.name.clone(),
            now: Timestamp(i64::try_from(gateway.clock.now_ms()).unwrap_or(i64::MAX)),
            position: render::position(&gateway, gateway.feed.head()),
            heartbeat_ms: u64::try_from(config.heartbeat.as_millis()).unwrap_or(u64::MAX),
            limits: Limits {
                frame_bytes: limits::MAX_FRAME_BYTES,
                text_chars: limits::MAX_TEXT_CHARS,
                metadata_bytes: limits::MAX_METADATA_BYTES,
                participants: limits::MAX_PARTICIPANTS,
                watched_users: limits::MAX_WATCHED_USERS,
                messages: self.caller.rate.unwrap_or(config.messages),
                messages_window_ms: u64::try_from(config.messages_window.as_millis()).unwrap_or(u64::MAX),
            },
        });
        match start {
            Start::Close(code) => Err(code.into()),
            Start::Reset { reason, from, rooms } => {
                (self.cursor, self.rooms) = (from, rooms);
                // What was routed here before is not this client's to wait for.
                self.handle.written(usize::MAX);
                let reset = ServerFrame::Reset(Reset { reason, position: render::position(&gateway, from) });
                let mut out = Outgoing::new(self.encoding);
                out.push(&self.encoding.encode(&welcome));
                out.push(&self.encoding.encode(&reset));
                self.write(socket, &mut out).await
            }
            Start::Replay { older, from, rooms } => {
                let mut out = Outgoing::new(self.encoding);
                out.push(&self.encoding.encode(&welcome));
                let deletions = older.iter().filter_map(|entry| entry.deletes()).collect::<HashSet<_>>();
                let mut unsaid = gateway.feed.tail.unsaid(&older);
                let gone = older.iter().filter(|entry| entry.text_of().is_some_and(|seq| deletions.contains(&seq)));
                unsaid.extend(gone.map(|entry| entry.seq));
                for entry in &older {
                    self.put(&mut out, entry, unsaid.contains(&entry.seq)).await?;
                    if out.is_full() {
                        self.write(socket, &mut out).await?;
                    }
                }
                self.write(socket, &mut out).await?;
                (self.cursor, self.rooms) = (from, rooms);
                if Bug::SkipOnResume.is_planted() {
                    self.cursor.seq += 1;
                }
                self.deliver_events(socket).await?;
                let caught_up = CaughtUp { position: render::position(&gateway, self.cursor) };
                self.send(socket, &ServerFrame::CaughtUp(caught_up)).await
            }
        }
    }

    /// Sends everything there is: events first, then what may be lost.
    async fn deliver(&mut self, socket: &mut WebSocket) -> Result<(), End> {
        self.check_close()?;
        self.deliver_events(socket).await?;
        let signals = self.handle.take_signals();
        if !signals.is_empty() {
            let mut out = Outgoing::new(self.encoding);
            for signal in signals {
                out.push(&self.encoding.encode(&*signal));
            }
            self.write(socket, &mut out).await?;
        }
        Ok(())
    }

    async fn deliver_events(&mut self, socket: &mut WebSocket) -> Result<(), End> {
        loop {
            if Bug::SkipForSlow.is_planted() && self.handle.is_overdue() {
                self.handle.written(usize::MAX);
                self.cursor = self.gateway.feed.head();
            }
            // What the client did not take while it was in the tail, it takes up again by a resume.
            let batch = self.gateway.feed.tail.after(self.caller.uid, &self.rooms, self.cursor.seq, BATCH);
            let mut batch = batch.map_err(|_| CloseCode::TooSlow)?;
            if batch.entries.len() > 1 && Bug::SwapTwo.is_planted() {
                batch.entries.swap(0, 1);
            }
            let mut out = Outgoing::new(self.encoding);
            let mut bytes = 0;
            for entry in &batch.entries {
                if entry.actor != self.caller.uid && Bug::DropOne.strikes(50) {
                    continue;
                }
                self.put(&mut out, entry, batch.unsaid.contains(&entry.seq)).await?;
                bytes += entry.weight();
                if out.is_full() {
                    self.write(socket, &mut out).await?;
                    self.handle.written(std::mem::take(&mut bytes));
                }
            }
            self.write(socket, &mut out).await?;
            self.handle.written(bytes);
            (self.cursor, self.rooms) = (batch.complete, batch.rooms);
            self.answer_passed(socket).await?;
            if batch.entries.len() < BATCH {
                return Ok(());
            }
        }
    }

    /// Puts what the client gets of an event: the `ok` of its own command in this session, the event in any other (EVT2).
    /// Of one whose text was deleted since, it gets that it was there.
    async fn put(&mut self, out: &mut Outgoing, entry: &crate::feed::Entry, is_unsaid: bool) -> Result<(), End> {
        if entry.actor == self.caller.uid
            && let Some(id) = entry.id
            && let Some(ok) = self.in_flight.stored(id, entry, self.gateway.feed.epoch())
        {
            out.push(&self.encoding.encode(&ServerFrame::Ok(ok)));
            return Ok(());
        }
        let frame = if is_unsaid {
            render::unsaid(&self.gateway, entry, self.encoding).await
        } else {
            render::frame(&self.gateway, entry, self.encoding).await
        };
        let frame = frame.map_err(|error| {
            tracing::warn!(
                seq = entry.seq,
                error = &*natter_platform::error::chain(&error),
                "an event can't be shown now"
            );
            End::from(CloseCode::FeedBehind)
        })?;
        out.push(&frame);
        Ok(())
    }

    fn receive(&mut self, message: axum::extract::ws::Message) -> Result<(), End> {
        if let Some(bytes) = handshake::payload(message, self.encoding)? {
            self.backlog = Backlog::new(self.encoding, bytes);
        }
        Ok(())
    }

    async fn take(&mut self, socket: &mut WebSocket, frame: Incoming) -> Result<(), End> {
        match frame {
            Incoming::Frame(ClientFrame::Pong(_)) => {
                self.pong_due = None;
                self.order.pong();
                Ok(())
            }
            Incoming::Frame(ClientFrame::Applied(progress)) => {
                let place = progress.position;
                if place.epoch == self.gateway.feed.epoch() && place.seq <= self.cursor.seq {
                    self.gateway.received.applied(&self.gateway, self.caller.uid, place.seq).await;
                }
                Ok(())
            }
            Incoming::Frame(ClientFrame::Token(renewed)) => self.renew(&renewed.token).await,
            Incoming::Frame(ClientFrame::Hello(_)) => Err(CloseCode::ProtocolError.into()),
            other => self.command(socket, other).await,
        }
    }

    /// Takes a new access token of the same login in place of the old one (HRT4).
    async fn renew(&mut self, token: &str) -> Result<(), End> {
        let authenticated = handshake::authenticate(&self.gateway, token).await?;
        let claims = authenticated.claims.clone();
        let caller = Caller::new(authenticated, token);
        if caller.uid != self.caller.uid || caller.login != self.caller.login {
            return Err(CloseCode::NotAuthenticated.into());
        }
        self.expires = deadline(&self.gateway, claims.expires_at_ms());
        self.handle.renewed(i64::try_from(claims.iat.saturating_mul(1000)).unwrap_or(i64::MAX));
        self.caller = caller;
        Ok(())
    }

    /// When something has to be done though nothing happens. While the socket is not read, no pong is waited for.
    fn next_deadline(&self, reads: bool) -> Instant {
        let heartbeat = match self.pong_due {
            None => Some(self.next_ping),
            Some(due) => reads.then_some(due),
        };
        let others = [heartbeat, self.in_flight.deadline(), self.drained];
        others.into_iter().flatten().fold(self.expires, Instant::min)
    }

    /// Does what is due, whatever else keeps the session busy.
    async fn on_time(&mut self, socket: &mut WebSocket) -> Result<(), End> {
        let now = Instant::now();
        if now >= self.expires {
            return Err(CloseCode::TokenExpired.into());
        }
        if self.drained.is_some_and(|due| now >= due) {
            return Err(CloseCode::GoingAway.into());
        }
        // What was stored has to come by the feed; if it does not, the feed is broken (CON4).
        if self.in_flight.deadline().is_some_and(|due| now >= due) {
            return Err(CloseCode::FeedBehind.into());
        }
        if self.pong_due.is_none() && now >= self.next_ping {
            self.next_ping = now + self.gateway.config.heartbeat;
            self.order.settle();
            self.ping(socket).await?;
        }
        Ok(())
    }

    async fn ping(&mut self, socket: &mut WebSocket) -> Result<(), End> {
        let position = render::position(&self.gateway, self.cursor);
        self.send(socket, &ServerFrame::Ping(CaughtUp { position })).await?;
        self.order.ping();
        self.pong_due.get_or_insert(Instant::now() + self.gateway.config.pong_timeout);
        Ok(())
    }

    /// Asks the client to come back elsewhere, and serves it on until it has (HRT3).
    async fn say_goodbye(&mut self, socket: &mut WebSocket) -> Result<(), End> {
        self.drained = Some(Instant::now() + self.gateway.config.drain);
        let reconnect_after_ms = rand::random_range(0..=MAX_RECONNECT_MS);
        self.send(socket, &ServerFrame::Goodbye(Goodbye { reconnect_after_ms })).await
    }

    async fn send(&mut self, socket: &mut WebSocket, frame: &ServerFrame) -> Result<(), End> {
        let mut out = Outgoing::new(self.encoding);
        out.push(&self.encoding.encode(frame));
        self.write(socket, &mut out).await
    }

    /// Writes, unless the session is told to close meanwhile, or the client takes nothing for as long as it may take for
    /// a pong.
    async fn write(&mut self, socket: &mut WebSocket, out: &mut Outgoing) -> Result<(), End> {
        let Some(message) = out.take() else { return Ok(()) };
        let stuck = tokio::time::sleep(self.gateway.config.pong_timeout);
        let sent = outgoing::send(socket, message);
        tokio::pin!(sent, stuck);
        let mut woken = false;
        let result = loop {
            tokio::select! {
                biased;
                result = &mut sent => break result,
                () = self.handle.woken() => {
                    woken = true;
                    self.check_close()?;
                }
                () = tokio::time::sleep_until(self.expires) => return Err(CloseCode::TokenExpired.into()),
                () = &mut stuck => return Err(CloseCode::TooSlow.into()),
            }
        };
        if woken {
            // What it was woken for is still to be looked at.
            self.handle.wake();
        }
        result.map_err(|_| End { code: None })
    }

    fn check_close(&self) -> Result<(), End> {
        match self.handle.told_to_close() {
            Some(code) => Err(code.into()),
            None => Ok(()),
        }
    }

    /// Takes the session out of everything that knows it.
    fn leave(&self) {
        self.gateway.router.remove(&self.handle);
        metrics::gauge!("natter_gateway_sockets").set(self.gateway.router.len() as f64);
        let shown_until = Instant::now() + self.gateway.config.offline_after;
        self.gateway.presence.left(self.caller.uid, shown_until);
    }
}

/// Why a session ends, and what the client is told.
struct End {
    code: Option<CloseCode>,
}

impl From<CloseCode> for End {
    fn from(code: CloseCode) -> Self {
        Self { code: Some(code) }
    }
}

/// When a moment on the gateway's clock comes, on the runtime's.
fn deadline(gateway: &Gateway, at_ms: u64) -> Instant {
    let left = at_ms.saturating_sub(gateway.clock.now_ms());
    // A token may be good for years; a timer need not be.
    Instant::now() + std::time::Duration::from_millis(left.min(24 * 3600 * 1000))
}
