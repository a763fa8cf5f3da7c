//! The commands of one socket: decided one after another (FRM5), answered when their outcome is known.

use std::future::Future;
use std::pin::Pin;

use axum::extract::ws::WebSocket;
use futures::stream::FuturesUnordered;
use futures::{FutureExt, StreamExt};
use natter_events::{ClientId, Fingerprint};
use natter_log::{AppendError, Appended, Stream};
use natter_planted::Bug;
use natter_protocol::codec::Incoming;
use natter_protocol::frame::Ok as OkFrame;
use natter_protocol::{ClientFrame, CloseCode, ErrorCode, ServerFrame};
use tokio::task::coop::unconstrained;
use tokio::time::Instant;

use super::{End, Session};
use crate::commands::block::Blocking;
use crate::commands::change::Change;
use crate::commands::mark::Marked;
use crate::commands::repeat::{self, Body};
use crate::commands::room::Command as Room;
use crate::commands::room::create::NotAdded;
use crate::commands::{self, Decided, Done, Durable, Refused, Stored, Storing, refused_append, typing};
use crate::feed::Entry;

/// A durable command that is on its way. A repeat of one is a command of its own: the broker tells that it is a repeat.
struct Command {
    ticket: u64,
    id: ClientId,
    body: Body,
    reference: Option<u64>,
    /// Of a room that is made: who is not in it, as far as that is known.
    refused: Option<NotAdded>,
    /// The broker has it, there; the feed brings it by then, or is broken.
    stored: Option<(u64, Instant)>,
}

/// What became of a command's append.
pub(super) enum Outcome {
    Appended {
        ticket: u64,
        result: Result<Appended, Refused>,
    },
    /// Another event says it already: a marker that another command's event covered, or what was so before.
    Covered {
        ticket: u64,
        result: Result<u64, Refused>,
    },
}

type Awaited = Pin<Box<dyn Future<Output = Outcome> + Send>>;

/// The commands of a socket that are not answered yet.
pub(super) struct InFlight {
    commands: Vec<Command>,
    /// Of what is in the log's queue, over the session's line.
    outcomes: FuturesUnordered<Awaited>,
    /// Of markers that wait their time, and are appended by then over whatever line there is: they are the same in any order.
    delayed: FuturesUnordered<Awaited>,
    last_ticket: u64,
    max: usize,
    /// The last one has to be settled before another may be taken.
    is_alone: bool,
}

impl InFlight {
    pub(super) fn new(max: usize) -> Self {
        Self {
            commands: Vec::new(),
            outcomes: FuturesUnordered::new(),
            delayed: FuturesUnordered::new(),
            last_ticket: 0,
            max,
            is_alone: false,
        }
    }

    /// Whether another command may be taken.
    pub(super) fn has_room(&self) -> bool {
        (self.outcomes.is_empty() || !self.is_alone) && self.commands.len() < self.max
    }

    /// Whether no outcome is awaited.
    pub(super) fn is_empty(&self) -> bool {
        self.outcomes.is_empty() && self.delayed.is_empty()
    }

    /// The next outcome.
    pub(super) async fn next(&mut self) -> Option<Outcome> {
        tokio::select! {
            biased;
            Some(outcome) = self.outcomes.next() => Some(outcome),
            Some(outcome) = self.delayed.next() => Some(outcome),
            else => None,
        }
    }

    /// An event of the user's came by the feed: the `ok` of the command that made it, if it is one of this socket's.
    pub(super) fn stored(&mut self, id: ClientId, entry: &Entry, epoch: u64) -> Option<OkFrame> {
        // The same id with another body is another command, whose turn comes when the broker recognises the id.
        let index = self.commands.iter().position(|command| command.id == id && command.body.made(entry))?;
        Some(self.commands.swap_remove(index).ok_in_place(entry, epoch))
    }

    /// A command whose event the session was led past without getting it.
    fn passed(&mut self, cursor: u64) -> Option<(Command, u64)> {
        let is_past = |command: &Command| command.stored.is_some_and(|(seq, _)| seq <= cursor);
        let index = self.commands.iter().position(is_past)?;
        let command = self.commands.swap_remove(index);
        let (seq, _) = command.stored?;
        Some((command, seq))
    }

    /// When the feed has to have brought what the broker has.
    pub(super) fn deadline(&self) -> Option<Instant> {
        self.commands.iter().filter_map(|command| command.stored).map(|(_, due)| due).min()
    }

    fn add(&mut self, id: ClientId, reference: Option<u64>, body: Body, outcome: impl FnOnce(u64) -> Awaited) {
        let ticket = self.ticket(id, reference, body);
        self.outcomes.push(outcome(ticket));
        self.is_alone = false;
    }

    /// The same, of one that has to be settled before another may be taken.
    fn add_alone(&mut self, id: ClientId, reference: Option<u64>, change: Changing) {
        let Changing { storing, fingerprint, refused } = change;
        let ticket = self.ticket(id, reference, Body::Printed(fingerprint));
        if let Some(command) = self.get_mut(ticket) {
            command.refused = refused;
        }
        self.outcomes.push(outcome_of(storing, ticket));
        self.is_alone = true;
    }

    fn add_delayed(&mut self, id: ClientId, reference: Option<u64>, body: Body, outcome: impl FnOnce(u64) -> Awaited) {
        let ticket = self.ticket(id, reference, body);
        self.delayed.push(outcome(ticket));
    }

    fn ticket(&mut self, id: ClientId, reference: Option<u64>, body: Body) -> u64 {
        self.last_ticket += 1;
        let ticket = self.last_ticket;
        self.commands.push(Command { ticket, id, body, reference, refused: None, stored: None });
        ticket
    }

    fn remove(&mut self, ticket: u64) -> Option<Command> {
        let index = self.commands.iter().position(|command| command.ticket == ticket)?;
        Some(self.commands.swap_remove(index))
    }

    fn get_mut(&mut self, ticket: u64) -> Option<&mut Command> {
        self.commands.iter_mut().find(|command| command.ticket == ticket)
    }
}

impl Session {
    /// Decides one command, and answers it or awaits its outcome.
    ///
    /// What is known of earlier ones is acted on first, and while anything is awaited all go over the line that was in use
    /// before: so a command never overtakes one that was lost (FRM5).
    pub(super) async fn command(&mut self, socket: &mut WebSocket, frame: Incoming) -> Result<(), End> {
        let line = self.gateway.log.line(Stream::Chat);
        // Looked at whatever else this task has done in its turn: to a task that is to yield soon, nothing looks ready.
        while let Some(Some(outcome)) = unconstrained(self.in_flight.next()).now_or_never() {
            self.settle(socket, outcome).await?;
        }
        if self.in_flight.outcomes.is_empty() {
            self.line = line;
        }
        if self.order.wants_ping() {
            self.ping(socket).await?;
        }
        let (reference, result) = match frame {
            Incoming::Frame(ClientFrame::Send(command)) => {
                (command.reference, self.on(command.reference, &command).await)
            }
            Incoming::Frame(ClientFrame::Edit(command)) => {
                (command.reference, self.on(command.reference, &Change::from(&command)).await)
            }
            Incoming::Frame(ClientFrame::Delete(command)) => {
                (command.reference, self.on(command.reference, &Change::from(&command)).await)
            }
            Incoming::Frame(ClientFrame::React(command)) => {
                (command.reference, self.on(command.reference, &Change::from(&command)).await)
            }
            Incoming::Frame(ClientFrame::Pin(command)) => {
                (command.reference, self.on(command.reference, &Change::from(&command)).await)
            }
            Incoming::Frame(ClientFrame::RoomCreate(command)) => {
                (command.reference, self.on(command.reference, &command).await)
            }
            Incoming::Frame(ClientFrame::RoomUpdate(command)) => {
                (command.reference, self.on(command.reference, &Room::Update(&command)).await)
            }
            Incoming::Frame(ClientFrame::RoomArchive(command)) => {
                (command.reference, self.on(command.reference, &Room::Archive(&command)).await)
            }
            Incoming::Frame(ClientFrame::RoomJoin(command)) => {
                (command.reference, self.on(command.reference, &Room::Join(&command)).await)
            }
            Incoming::Frame(ClientFrame::RoomLeave(command)) => {
                (command.reference, self.on(command.reference, &Room::Leave(&command)).await)
            }
            Incoming::Frame(ClientFrame::RoomAdd(command)) => {
                (command.reference, self.on(command.reference, &Room::Add(&command)).await)
            }
            Incoming::Frame(ClientFrame::RoomRemove(command)) => {
                (command.reference, self.on(command.reference, &Room::Remove(&command)).await)
            }
            Incoming::Frame(ClientFrame::RoomBan(command)) => {
                (command.reference, self.on(command.reference, &Room::Ban(&command)).await)
            }
            Incoming::Frame(ClientFrame::RoomUnban(command)) => {
                (command.reference, self.on(command.reference, &Room::Unban(&command)).await)
            }
            Incoming::Frame(ClientFrame::RoomRole(command)) => {
                (command.reference, self.on(command.reference, &Room::Role(&command)).await)
            }
            Incoming::Frame(ClientFrame::Block(command)) => {
                (command.reference, self.on(command.reference, &Blocking { command: &command, blocked: true }).await)
            }
            Incoming::Frame(ClientFrame::Unblock(command)) => {
                (command.reference, self.on(command.reference, &Blocking { command: &command, blocked: false }).await)
            }
            Incoming::Frame(ClientFrame::Profile(command)) => {
                (command.reference, self.on(command.reference, &command).await)
            }
            Incoming::Frame(ClientFrame::Prefer(command)) => {
                (command.reference, self.on(command.reference, &command).await)
            }
            Incoming::Frame(ClientFrame::Mark(command)) => (command.reference, self.on_mark(command).await),
            Incoming::Frame(ClientFrame::Typing(command)) => {
                let result = typing::typing(&self.gateway, &self.caller, &command).await;
                (command.reference, result.map(|()| None))
            }
            Incoming::Frame(ClientFrame::Presence(command)) => {
                let result = self.gateway.presence.set(&self.gateway, &self.caller, &command);
                (command.reference, result.map(|()| Some(plain_ok(command.reference))))
            }
            Incoming::Frame(ClientFrame::Watch(command)) => (command.reference, self.on_watch(socket, &command).await?),
            Incoming::UnknownType { reference, kind } => {
                (reference, Err(Refused::new(ErrorCode::UnknownType, format!("unknown type {kind:?}"))))
            }
            Incoming::Invalid { reference, reason } => (reference, Err(Refused::new(ErrorCode::Invalid, reason))),
            // The rest is no command, and was taken before.
            Incoming::Frame(_) => return Ok(()),
        };
        match result {
            Ok(None) => Ok(()),
            Ok(Some(ok)) => self.send(socket, &ServerFrame::Ok(ok)).await,
            Err(refused) => self.refuse(socket, reference, refused).await,
        }
    }

    async fn on(
        &mut self,
        reference: Option<u64>,
        command: &impl Durable<Decided = Decided>,
    ) -> Result<Option<OkFrame>, Refused> {
        self.check_order()?;
        let decided = commands::decide(&self.gateway, &self.caller, command, Some(self.line)).await?;
        Ok(self.decided(command.id(), reference, decided))
    }

    /// The answer to a command that was stored before; of any other, the outcome is awaited.
    fn decided(&mut self, id: ClientId, reference: Option<u64>, decided: Decided) -> Option<OkFrame> {
        match decided {
            Decided::Known(done) => Some(ok_of(reference, done)),
            Decided::Queued { .. } if Bug::AcknowledgeEarly.is_planted() => {
                let seq = self.gateway.feed.head().seq + 1;
                let done = Done { seq, conversation: None, at: None, duplicate: false, refused: None };
                Some(ok_of(reference, done))
            }
            Decided::Queued { storing, fingerprint } => {
                self.in_flight.add(id, reference, Body::Printed(fingerprint), |ticket| outcome_of(storing, ticket));
                None
            }
            Decided::Changing { storing, fingerprint, refused } => {
                self.in_flight.add_alone(id, reference, Changing { storing, fingerprint, refused });
                None
            }
        }
    }

    async fn on_mark(&mut self, command: natter_protocol::frame::Mark) -> Result<Option<OkFrame>, Refused> {
        self.check_order()?;
        let reference = command.reference;
        let natter_protocol::frame::Mark { conversation, read, thread, .. } = command;
        let body = Body::Marker { conversation, read, thread };
        match commands::decide(&self.gateway, &self.caller, &command, Some(self.line)).await? {
            Marked::Known(done) => return Ok(Some(ok_of(reference, done))),
            Marked::Queued { pending } => self.in_flight.add(command.id, reference, body, |ticket| {
                Box::pin(async move {
                    let result = pending.await.map_err(|error| refused_append(&error));
                    Outcome::Appended { ticket, result }
                })
            }),
            Marked::Waiting { appended } => self.in_flight.add_delayed(command.id, reference, body, |ticket| {
                Box::pin(async move {
                    let result = appended.await.unwrap_or(Err(AppendError::Unavailable));
                    Outcome::Appended { ticket, result: result.map_err(|error| refused_append(&error)) }
                })
            }),
            Marked::WaitingWith { covered } => self.in_flight.add_delayed(command.id, reference, body, |ticket| {
                Box::pin(async move {
                    let result = covered.await.unwrap_or_else(|_| Err(Refused::unavailable("the gateway is stopping")));
                    Outcome::Covered { ticket, result }
                })
            }),
        }
        Ok(None)
    }

    /// Nothing is stored that the client sent before it saw that something else was not (FRM5).
    fn check_order(&self) -> Result<(), Refused> {
        if self.order.is_held() {
            return Err(Refused::not_now("an earlier command of this socket could not be stored; try again in order"));
        }
        Ok(())
    }

    async fn on_watch(
        &mut self,
        socket: &mut WebSocket,
        command: &natter_protocol::frame::Watch,
    ) -> Result<Result<Option<OkFrame>, Refused>, End> {
        match self.gateway.presence.watch(&self.gateway, &self.handle, &command.users).await {
            Ok(now) => {
                self.send(socket, &ServerFrame::Ok(plain_ok(command.reference))).await?;
                for presence in now {
                    self.send(socket, &ServerFrame::Presence(presence)).await?;
                }
                Ok(Ok(None))
            }
            Err(refused) => Ok(Err(refused)),
        }
    }

    /// Answers what was stored and did not reach this session: its user was no member of the room any more.
    pub(super) async fn answer_passed(&mut self, socket: &mut WebSocket) -> Result<(), End> {
        while let Some((command, seq)) = self.in_flight.passed(self.cursor.seq) {
            let Some(entry) = self.gateway.feed.tail.get(seq) else { return Err(CloseCode::TooSlow.into()) };
            let ok = OkFrame { position: None, ..command.ok_in_place(&entry, self.gateway.feed.epoch()) };
            self.send(socket, &ServerFrame::Ok(ok)).await?;
        }
        Ok(())
    }

    /// Acts on the outcome of an append. What was stored is answered when the feed brings it.
    pub(super) async fn settle(&mut self, socket: &mut WebSocket, outcome: Outcome) -> Result<(), End> {
        let ticket = match &outcome {
            Outcome::Appended { ticket, .. } | Outcome::Covered { ticket, .. } => *ticket,
        };
        let (seen, feed_due) = (self.cursor.seq, Instant::now() + self.gateway.config.feed_timeout);
        // Its event may have come by the feed already, and was answered there.
        let Some(command) = self.in_flight.get_mut(ticket) else { return Ok(()) };
        let (id, body, not_added) = (command.id, command.body, command.refused.clone());
        let result = match outcome {
            Outcome::Appended { result: Ok(appended), .. } if appended.duplicate || appended.seq <= seen => {
                self.gateway.rates.not_stored(self.caller.uid, id);
                let done = repeat::settle(&self.gateway.clone(), appended, body).await;
                done.map(|done| Done { refused: not_added.map(|refused| refused.lock().clone()), ..done })
            }
            Outcome::Appended { result: Ok(appended), .. } => {
                command.stored = Some((appended.seq, feed_due));
                return Ok(());
            }
            Outcome::Appended { result: Err(refused), .. } => {
                self.gateway.rates.not_stored(self.caller.uid, id);
                if refused.is_loss && Bug::GuessFailure.is_planted() {
                    Err(Refused::new(ErrorCode::Internal, refused.message))
                } else {
                    Err(refused)
                }
            }
            Outcome::Covered { result, .. } => {
                result.map(|seq| Done { seq, conversation: None, at: None, duplicate: false, refused: None })
            }
        };
        let Some(command) = self.in_flight.remove(ticket) else { return Ok(()) };
        match result {
            Ok(done) => self.send(socket, &ServerFrame::Ok(ok_of(command.reference, done))).await,
            Err(refused) => self.refuse(socket, command.reference, refused).await,
        }
    }

    async fn refuse(&mut self, socket: &mut WebSocket, reference: Option<u64>, refused: Refused) -> Result<(), End> {
        if refused.is_loss {
            self.order.lost();
        }
        let refusal = refused.frame(reference);
        metrics::counter!("natter_gateway_refusals_total", "code" => refusal.code.as_str()).increment(1);
        self.send(socket, &ServerFrame::Error(refusal)).await
    }
}

/// A change of state on its way.
struct Changing {
    storing: Storing,
    fingerprint: Fingerprint,
    refused: Option<NotAdded>,
}

fn outcome_of(storing: Storing, ticket: u64) -> Awaited {
    Box::pin(async move {
        match storing.await {
            Ok(Stored::Event(appended)) => Outcome::Appended { ticket, result: Ok(appended) },
            Ok(Stored::Already { seq }) => Outcome::Covered { ticket, result: Ok(seq) },
            Err(refused) => Outcome::Appended { ticket, result: Err(refused) },
        }
    })
}

impl Command {
    /// The `ok` of a command in its event's place (EVT2).
    fn ok_in_place(self, entry: &Entry, epoch: u64) -> OkFrame {
        OkFrame {
            reference: self.reference,
            seq: Some(entry.seq),
            position: Some(entry.position(epoch)),
            conversation: entry.conversation,
            at: Some(entry.at),
            duplicate: false,
            refused: self.refused.map(|refused| refused.lock().clone()),
        }
    }
}

/// An `ok` that moves no position: a repeat's, or of an event that others' commands made too.
fn ok_of(reference: Option<u64>, done: Done) -> OkFrame {
    OkFrame {
        reference,
        seq: Some(done.seq),
        position: None,
        conversation: done.conversation,
        at: done.at,
        duplicate: done.duplicate,
        refused: done.refused,
    }
}

fn plain_ok(reference: Option<u64>) -> OkFrame {
    OkFrame { reference, ..OkFrame::default() }
}
