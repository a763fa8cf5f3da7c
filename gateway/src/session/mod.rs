//! The life of a socket, top to bottom: hello, welcome, replay or reset, then events, commands and heartbeats until one
//! side ends it.
//!
//! A session is one task: a cursor into the tail, the commands whose outcome is awaited, and deadlines. Everything that it
//! sends goes through [`Session::deliver`], which takes events from the tail in the log's order; so the order of what a
//! client sees is the log's, whoever else does what (EVT1). The `ok` of a durable command is sent in its event's place
//! (EVT2): that is where the gateway knows that the broker stored it, and when.

mod commands;
mod handshake;
mod outgoing;
mod resume;

use std::sync::Arc;

use axum::extract::ws::WebSocket;
use natter_protocol::codec::Incoming;
use natter_protocol::frame::{CaughtUp, Goodbye, Reset, Welcome};
use natter_protocol::{ClientFrame, CloseCode, Encoding, Limits, ServerFrame, Timestamp, limits};
use tokio::time::Instant;

use self::commands::InFlight;
use self::handshake::Greeted;
use self::outgoing::Outgoing;
use self::resume::Start;
use crate::Gateway;
use crate::commands::Caller;
use crate::feed::Place;
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
        Ok((mut session, greeted)) => {
            let code = session.run(&mut socket, greeted).await;
            session.leave();
            code
        }
        Err(code) => Some(code),
    };
    let label = code.map_or_else(|| "gone".to_owned(), |code| code.code().to_string());
    metrics::counter!("natter_gateway_sockets_closed_total", "code" => label).increment(1);
    if let Some(code) = code {
        outgoing::close(&mut socket, code, gateway.config.close_timeout).await;
    }
}

/// From the upgrade to a session that the router knows.
async fn begin(
    gateway: &Arc<Gateway>,
    socket: &mut WebSocket,
    upgrade: &Upgrade,
) -> Result<(Session, Greeted), CloseCode> {
    let greeted = handshake::hello(gateway, socket, upgrade.encoding).await?;
    let token = greeted.hello.token.as_deref().or(upgrade.bearer.as_deref()).ok_or(CloseCode::NotAuthenticated)?;
    let authenticated = handshake::authenticate(gateway, token).await?;
    let claims = authenticated.claims.clone();
    let caller = Caller::new(authenticated, token);
    if !gateway.feed.is_ready() {
        return Err(CloseCode::FeedBehind);
    }
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
        expires: deadline(gateway, claims.expires_at_ms()),
        next_ping: Instant::now() + gateway.config.heartbeat,
        pong_due: None,
        in_flight: InFlight::new(gateway.config.session_commands),
        goodbye_said: false,
        handle,
        caller,
    };
    // The router knows the session now, so a revocation from here on closes it. One that came just before is seen here.
    gateway.presence.joined(session.caller.uid);
    if let Err(code) = handshake::authenticate(gateway, token).await {
        session.leave();
        return Err(code);
    }
    Ok((session, greeted))
}

struct Session {
    gateway: Arc<Gateway>,
    caller: Caller,
    handle: Arc<SessionHandle>,
    encoding: Encoding,
    /// The client has everything up to here.
    cursor: Place,
    expires: Instant,
    next_ping: Instant,
    pong_due: Option<Instant>,
    in_flight: InFlight,
    goodbye_said: bool,
}

impl Session {
    /// Serves until the end. `None`: the client is gone, and there is nobody to tell.
    async fn run(&mut self, socket: &mut WebSocket, greeted: Greeted) -> Option<CloseCode> {
        match self.serve(socket, greeted).await {
            Ok(()) => None,
            Err(end) => end.code,
        }
    }

    async fn serve(&mut self, socket: &mut WebSocket, greeted: Greeted) -> Result<(), End> {
        let resume = greeted.hello.resume;
        self.start(socket, resume).await?;
        for frame in greeted.rest {
            self.take(socket, frame).await?;
        }
        if greeted.malformed {
            return Err(CloseCode::ProtocolError.into());
        }
        let stop = self.gateway.shutdown.clone();
        loop {
            self.deliver(socket).await?;
            let (reads, awaits, deadline) =
                (self.in_flight.has_room(), !self.in_flight.is_empty(), self.next_deadline());
            tokio::select! {
                () = self.handle.woken() => {}
                Some(outcome) = self.in_flight.next(), if awaits => {
                    self.settle(socket, outcome).await?;
                }
                message = socket.recv(), if reads => match message {
                    Some(Ok(axum::extract::ws::Message::Close(_))) | None => return Ok(()),
                    Some(Ok(message)) => self.receive(socket, message).await?,
                    Some(Err(error)) => return Err(outgoing::read_error(&error)),
                },
                () = tokio::time::sleep_until(deadline) => self.on_deadline(socket).await?,
                () = stop.requested(), if !self.goodbye_said => self.say_goodbye(socket).await?,
            }
        }
    }

    /// Says welcome, then sets the cursor by a replay or a reset (CON3).
    async fn start(&mut self, socket: &mut WebSocket, resume: Option<natter_protocol::Position>) -> Result<(), End> {
        let gateway = self.gateway.clone();
        let config = &gateway.config;
        let start = resume::start(&gateway, self.caller.uid, resume).await;
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
            Start::Reset { reason, from } => {
                self.cursor = from;
                let reset = ServerFrame::Reset(Reset { reason, position: render::position(&gateway, from) });
                let mut out = Outgoing::new(self.encoding);
                out.push(&self.encoding.encode(&welcome));
                out.push(&self.encoding.encode(&reset));
                self.write(socket, &mut out).await
            }
            Start::Replay { older, from } => {
                let mut out = Outgoing::new(self.encoding);
                out.push(&self.encoding.encode(&welcome));
                for entry in &older {
                    self.put(&mut out, entry).await?;
                    if out.is_full() {
                        self.write(socket, &mut out).await?;
                    }
                }
                self.write(socket, &mut out).await?;
                self.cursor = from;
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
            // What the client did not take while it was in the tail, it takes up again by a resume.
            let batch = self.gateway.feed.tail.after(self.caller.uid, self.cursor.seq, BATCH);
            let batch = batch.map_err(|_| CloseCode::TooSlow)?;
            let mut out = Outgoing::new(self.encoding);
            let mut bytes = 0;
            for entry in &batch.entries {
                self.put(&mut out, entry).await?;
                bytes += entry.record.len();
                if out.is_full() {
                    self.write(socket, &mut out).await?;
                    self.handle.written(std::mem::take(&mut bytes));
                }
            }
            self.write(socket, &mut out).await?;
            self.handle.written(bytes);
            self.cursor = batch.complete;
            if batch.entries.len() < BATCH {
                return Ok(());
            }
        }
    }

    /// Puts what the client gets of an event: the `ok` of its own command in this session, the event in any other (EVT2).
    async fn put(&mut self, out: &mut Outgoing, entry: &crate::feed::Entry) -> Result<(), End> {
        if entry.actor == self.caller.uid
            && let Some(id) = entry.id
            && let Some(reference) = self.in_flight.stored(id, entry)
        {
            let ok = commands::ok_in_place(reference, entry, self.gateway.feed.epoch());
            out.push(&self.encoding.encode(&ServerFrame::Ok(ok)));
            return Ok(());
        }
        let frame = render::frame(&self.gateway, entry, self.encoding).await.map_err(|error| {
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

    async fn receive(&mut self, socket: &mut WebSocket, message: axum::extract::ws::Message) -> Result<(), End> {
        let Some(bytes) = handshake::payload(message, self.encoding)? else { return Ok(()) };
        for frame in self.encoding.decode(&bytes) {
            let frame = frame.map_err(|_| CloseCode::ProtocolError)?;
            self.take(socket, frame).await?;
            // One message may hold more commands than may wait: the rest waits for room, in order (FRM5).
            while !self.in_flight.has_room() {
                let outcome = self.in_flight.next().await;
                if let Some(outcome) = outcome {
                    self.settle(socket, outcome).await?;
                }
                self.deliver(socket).await?;
            }
        }
        Ok(())
    }

    async fn take(&mut self, socket: &mut WebSocket, frame: Incoming) -> Result<(), End> {
        match frame {
            Incoming::Frame(ClientFrame::Pong(_)) => {
                self.pong_due = None;
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

    fn next_deadline(&self) -> Instant {
        let heartbeat = self.pong_due.unwrap_or(self.next_ping);
        let soonest = heartbeat.min(self.expires);
        self.in_flight.deadline().map_or(soonest, |feed| soonest.min(feed))
    }

    async fn on_deadline(&mut self, socket: &mut WebSocket) -> Result<(), End> {
        let now = Instant::now();
        if now >= self.expires {
            return Err(CloseCode::TokenExpired.into());
        }
        if self.pong_due.is_some_and(|due| now >= due) {
            return Err(CloseCode::HeartbeatMissed.into());
        }
        // What was stored has to come by the feed; if it does not, the feed is broken (CON4).
        if self.in_flight.deadline().is_some_and(|due| now >= due) {
            return Err(CloseCode::FeedBehind.into());
        }
        if self.pong_due.is_none() && now >= self.next_ping {
            self.deliver(socket).await?;
            let position = render::position(&self.gateway, self.cursor);
            self.send(socket, &ServerFrame::Ping(CaughtUp { position })).await?;
            self.pong_due = Some(now + self.gateway.config.pong_timeout);
            self.next_ping = now + self.gateway.config.heartbeat;
        }
        Ok(())
    }

    /// Asks the client to come back elsewhere, and serves it on until it has (HRT3).
    async fn say_goodbye(&mut self, socket: &mut WebSocket) -> Result<(), End> {
        self.goodbye_said = true;
        let reconnect_after_ms = rand::random_range(0..=MAX_RECONNECT_MS);
        self.send(socket, &ServerFrame::Goodbye(Goodbye { reconnect_after_ms })).await
    }

    async fn send(&mut self, socket: &mut WebSocket, frame: &ServerFrame) -> Result<(), End> {
        let mut out = Outgoing::new(self.encoding);
        out.push(&self.encoding.encode(frame));
        self.write(socket, &mut out).await
    }

    /// Writes, unless the session is told to close meanwhile.
    async fn write(&mut self, socket: &mut WebSocket, out: &mut Outgoing) -> Result<(), End> {
        let Some(message) = out.take() else { return Ok(()) };
        let sent = outgoing::send(socket, message);
        tokio::pin!(sent);
        loop {
            tokio::select! {
                biased;
                result = &mut sent => return result.map_err(|_| End { code: None }),
                () = self.handle.woken() => self.check_close()?,
            }
        }
    }

    fn check_close(&self) -> Result<(), End> {
        match self.handle.told_to_close() {
            Some(code) => Err(code.into()),
            None => Ok(()),
        }
    }

    /// Takes the session out of everything that knows it.
    fn leave(&self) {
        let left = self.gateway.router.remove(&self.handle);
        metrics::gauge!("natter_gateway_sockets").set(self.gateway.router.len() as f64);
        let shown_until = Instant::now() + self.gateway.config.offline_after;
        self.gateway.presence.left(self.caller.uid, left, shown_until);
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
