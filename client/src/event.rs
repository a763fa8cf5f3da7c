//! What a client hears, and the stream that it comes in.

use std::pin::Pin;
use std::task::{Context, Poll};

use futures::Stream;
use natter_events::{ClientId, ConversationId};
use natter_protocol::frame::{
    Blocked, Deleted, Delivered, Edited, Marker, Member, Message, Pinned, Preferred, Presence, Profile, Reaction,
    ResetReason, Room, TypingNow,
};
use natter_protocol::{Handle, Position, Timestamp};
use tokio::sync::{mpsc, watch};

use crate::connection::State;
use crate::error::SendError;

/// Something that the program hears of, in order.
#[derive(Debug, Clone)]
pub enum Event {
    /// Someone said something: another person, or the same user in another session.
    Message(Message),
    /// Someone says a message of theirs otherwise.
    Edited(Edited),
    /// A message is shown no more.
    Deleted(Deleted),
    /// Someone reacts to a message, or no longer does.
    Reaction(Reaction),
    /// A message was pinned, or no longer is.
    Pin(Pinned),
    /// Someone's place in a room is another one now.
    Member(Member),
    /// A room began, or changed.
    Room(Room),
    /// The same user, in another session, blocked someone or no longer does.
    Block(Blocked),
    /// How the same user, or one whom they watch, wants to be shown.
    Profile(Profile),
    /// How the same user, in another session, wants a conversation to be treated.
    Preferences(Preferred),
    /// Someone has read up to somewhere.
    Marker(Marker),
    /// A watched user came, went or changed their status.
    Presence(Presence),
    /// A message has reached a device.
    Delivered(Delivered),
    /// Someone is writing; true for five seconds.
    Typing(TypingNow),
    /// The events between the last position and this one are not coming: drop what was cached, and read it again from
    /// history, each first page with at least this position (CON3, CON5). [`History`](crate::History) does so by itself.
    Reset {
        /// Why.
        reason: ResetReason,
        /// From here on events come without a gap.
        position: Position,
    },
    /// The replay after a reconnection has ended: everything up to here has come.
    CaughtUp {
        /// Up to where.
        position: Position,
    },
    /// Nothing was missed up to here; with every heartbeat. Worth keeping in place of an older position.
    Heartbeat {
        /// Up to where.
        position: Position,
    },
    /// The connection is in another state.
    State(State),
    /// A command has ended that nobody waits for any more: it was in the outbox's file when the client started, or its
    /// caller was told [`SendError::EventsNotRead`].
    Settled {
        /// The command's id.
        id: ClientId,
        /// How it ended.
        outcome: Result<Sent, SendError>,
    },
}

impl Event {
    /// How far the log is complete when this event has been dealt with. What
    /// [`Builder::resume_from`](crate::Builder::resume_from) wants after a restart is the last one of these.
    pub fn position(&self) -> Option<Position> {
        match self {
            Event::Message(message) => Some(message.position),
            Event::Edited(edited) => Some(edited.position),
            Event::Deleted(deleted) => Some(deleted.position),
            Event::Reaction(reaction) => Some(reaction.position),
            Event::Pin(pin) => Some(pin.position),
            Event::Member(member) => Some(member.position),
            Event::Room(room) => Some(room.position),
            Event::Block(block) => Some(block.position),
            Event::Profile(profile) => profile.position,
            Event::Preferences(preferred) => Some(preferred.position),
            Event::Marker(marker) => Some(marker.position),
            Event::Reset { position, .. } | Event::CaughtUp { position } | Event::Heartbeat { position } => {
                Some(*position)
            }
            _ => None,
        }
    }

    /// The conversation that this is about, where it is about one.
    pub fn conversation(&self) -> Option<ConversationId> {
        match self {
            Event::Message(message) => Some(message.conversation),
            Event::Edited(edited) => Some(edited.conversation),
            Event::Deleted(deleted) => Some(deleted.conversation),
            Event::Reaction(reaction) => Some(reaction.conversation),
            Event::Pin(pin) => Some(pin.conversation),
            Event::Member(member) => Some(member.conversation),
            Event::Room(room) => Some(room.conversation),
            Event::Preferences(preferred) => Some(preferred.conversation),
            Event::Marker(marker) => Some(marker.conversation),
            Event::Delivered(delivered) => Some(delivered.conversation),
            Event::Typing(typing) => Some(typing.conversation),
            _ => None,
        }
    }

    /// Whether a page that was read at `snapshot` has this event in it already, so that it is not to be applied again
    /// (CON5).
    pub fn is_in(&self, snapshot: &Position) -> bool {
        self.position().is_some_and(|position| position.epoch == snapshot.epoch && position.seq <= snapshot.seq)
    }
}

/// A command was done: it is in the log (CMD1).
///
/// It has no position on purpose: events before it may still wait to be read, so it is nothing to resume from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sent {
    /// The id that it was sent with.
    pub id: ClientId,
    /// Where in the log it is; a message's identity within its conversation.
    pub seq: u64,
    /// The conversation.
    pub conversation: Option<ConversationId>,
    /// When, on the broker's clock.
    pub at: Option<Timestamp>,
    /// It had been done before: this is the answer to a repetition (CMD2).
    pub duplicate: bool,
    /// Of a room that was made: who was to be in it and is not, for nobody has that name, or they want nothing to do with
    /// its owner, or are in as many rooms as there may be.
    pub refused: Vec<Handle>,
}

/// The events of a client, in the log's order, as a stream. It ends after the client has stopped.
///
/// It holds [a bounded number](crate::Builder::event_capacity) of events. When they are not taken out, the socket is not
/// read any more, and nothing is dropped: the server then does what it does with slow readers (HRT2), and the client
/// resumes from the last event that came. Dropping this means that events are not wanted.
///
/// Asking for the next event says that the one before has been dealt with, and the server is told so at most once a second
/// (HRT6).
#[derive(Debug)]
pub struct Events {
    receiver: mpsc::Receiver<Event>,
    applied: watch::Sender<Option<Position>>,
    given: Option<Position>,
}

impl Events {
    pub(crate) fn new(receiver: mpsc::Receiver<Event>, applied: watch::Sender<Option<Position>>) -> Self {
        Self { receiver, applied, given: None }
    }

    /// The next event, or nothing after the client has stopped. Safe to drop and call again.
    pub async fn next(&mut self) -> Option<Event> {
        std::future::poll_fn(|context| self.poll(context)).await
    }

    /// The next event if it is there already.
    pub fn try_next(&mut self) -> Option<Event> {
        self.dealt_with();
        let event = self.receiver.try_recv().ok()?;
        self.given = event.position();
        Some(event)
    }

    fn poll(&mut self, context: &mut Context<'_>) -> Poll<Option<Event>> {
        self.dealt_with();
        let event = std::task::ready!(self.receiver.poll_recv(context));
        self.given = event.as_ref().and_then(Event::position);
        Poll::Ready(event)
    }

    fn dealt_with(&mut self) {
        if let Some(position) = self.given.take() {
            self.applied.send_replace(Some(position));
        }
    }
}

impl Stream for Events {
    type Item = Event;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Event>> {
        self.get_mut().poll(context)
    }
}
