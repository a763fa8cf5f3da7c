//! A device that watches: it notes every durable event that it is told, and comes back with its position when it was cut
//! or lost.

use std::sync::Arc;

use natter_client::{Event, Events, Position, ResetReason};
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::JoinHandle;

use super::{Ordeal, PATIENCE, Person, Phase};
use crate::record::{Device, Heard, Kind, Note, Reading, Recorder, of_message, pin, reaction, said};

/// Few, so that a device that stops reading is soon felt by the server.
const EVENT_CAPACITY: usize = 16;

/// Starts watching, and returns from where on.
pub async fn start(
    person: Arc<Person>,
    recorder: Arc<Recorder>,
    ordeals: mpsc::Receiver<Ordeal>,
    phase: watch::Receiver<Phase>,
) -> (Position, JoinHandle<()>) {
    let (began, since) = oneshot::channel();
    let task = tokio::spawn(watch(person, recorder, ordeals, phase, began));
    (since.await.unwrap_or_else(|_| panic!("an eye never saw anything")), task)
}

async fn watch(
    person: Arc<Person>,
    recorder: Arc<Recorder>,
    mut ordeals: mpsc::Receiver<Ordeal>,
    mut phase: watch::Receiver<Phase>,
    began: oneshot::Sender<Position>,
) {
    let (mut began, mut notes, mut position) = (Some(began), Vec::new(), None);
    let (mut client, mut events) = connect(&person, position).await;
    let mut leaving = None;
    loop {
        let event = tokio::select! {
            event = events.next() => event,
            Some(ordeal) = ordeals.recv() => {
                match ordeal {
                    Ordeal::StopReading(lasts) => tokio::time::sleep(lasts).await,
                    Ordeal::Lose(away) => {
                        drop((client, events));
                        tokio::time::sleep(away).await;
                        (client, events) = connect(&person, position).await;
                    }
                }
                continue;
            }
            changed = phase.changed(), if leaving.is_none() => {
                let now = *phase.borrow();
                if let (Ok(()), Phase::Leaving(head)) = (changed, now) {
                    leaving = Some(head);
                    // A resume tells how far it is; a heartbeat would do so too, but later.
                    drop((client, events));
                    (client, events) = connect(&person, position).await;
                }
                continue;
            }
        };
        let Some(event) = event else {
            panic!("the eye of {} was closed: {:?}", person.handle, client.state().borrow())
        };
        if let Some(at) = event.position() {
            position = Some(at);
            if let Some(began) = began.take() {
                let _ = began.send(at);
            }
        }
        notes.extend(note(&event));
        let at = position.map_or(0, |position| position.seq);
        if leaving.is_some_and(|head| at >= head) && matches!(event, Event::CaughtUp { .. } | Event::Reset { .. }) {
            recorder.reading(Reading { person: person.number, device: Device::Eye, notes, ended: recorder.now() });
            return;
        }
        // It came back before everything was there.
        if leaving.is_some() && matches!(event, Event::CaughtUp { .. }) {
            drop((client, events));
            (client, events) = connect(&person, position).await;
        }
    }
}

async fn connect(person: &Person, position: Option<Position>) -> (natter_client::Client, Events) {
    let builder = person.client().resume_from(position).event_capacity(EVENT_CAPACITY).patience(PATIENCE);
    builder.start().await.unwrap_or_else(|error| panic!("an eye of {} can't be opened: {error}", person.handle))
}

/// What a device notes of an event, if it is durable.
pub fn note(event: &Event) -> Option<Note> {
    let heard = |seq, kind, id, said| Some(Note::Heard(Heard { seq, kind, id, said }));
    match event {
        Event::Message(event) => heard(event.seq, Kind::Message, Some(event.id), said(&event.text)),
        Event::Edited(event) => heard(event.seq, Kind::Edited, Some(event.id), said(&event.text)),
        Event::Deleted(event) => heard(event.seq, Kind::Deleted, Some(event.id), of_message(event.message)),
        Event::Reaction(event) => {
            heard(event.seq, Kind::Reaction, Some(event.id), reaction(event.message, &event.emoji, event.op))
        }
        Event::Pin(event) => heard(event.seq, Kind::Pin, Some(event.id), pin(event.message, event.op)),
        Event::Member(event) => heard(event.seq, Kind::Member, event.id, None),
        Event::Room(event) => heard(event.seq, Kind::Room, event.id, None),
        Event::Block(event) => heard(event.seq, Kind::Block, Some(event.id), None),
        Event::Profile(event) => heard(event.seq?, Kind::Profile, event.id, None),
        Event::Preferences(event) => heard(event.seq, Kind::Preferences, Some(event.id), None),
        Event::Marker(event) => heard(event.seq, Kind::Marker, None, None),
        Event::CaughtUp { position } | Event::Heartbeat { position } => Some(Note::Complete(position.seq)),
        Event::Reset { position, reason: ResetReason::OtherLog } => Some(Note::OtherLog(position.seq)),
        Event::Reset { position, .. } => Some(Note::Reset(position.seq)),
        Event::Presence(_) | Event::Delivered(_) | Event::Typing(_) | Event::State(_) | Event::Settled { .. } => None,
    }
}

/// What somebody is told who comes with `position`, up to where they have caught up.
pub async fn notes(person: &Person, position: Position) -> Vec<Note> {
    let (_client, mut events) = connect(person, Some(position)).await;
    let mut notes = Vec::new();
    while let Some(event) = events.next().await {
        notes.extend(note(&event));
        if matches!(event, Event::CaughtUp { .. } | Event::Reset { .. }) {
            break;
        }
    }
    notes
}
