//! A device that does things, one after the other, and sees each through: what its program does not live to see answered,
//! the next one settles with the outbox that the last one left.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use natter_client::{Client, Command, Event, Events, SendError, Sent};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;

use super::choice::{self, World};
use super::{Habits, Ordeal, PATIENCE, Person, Phase};
use crate::record::{Device, Outcome, Reading, Recorder};
use crate::wait::until;

/// Done commands that may be repeated.
const REMEMBERED: usize = 60;
/// Somebody else looks at the clock.
const ANY_TIME: Duration = Duration::from_secs(3_600);

pub struct Hand {
    person: Arc<Person>,
    world: Arc<World>,
    recorder: Arc<Recorder>,
    habits: Habits,
    random: StdRng,
    /// What was done last.
    done: VecDeque<Command>,
}

impl Hand {
    pub fn new(person: Arc<Person>, world: Arc<World>, recorder: Arc<Recorder>, habits: Habits, seed: u64) -> Self {
        let random = StdRng::seed_from_u64(seed);
        Self { person, world, recorder, habits, random, done: VecDeque::new() }
    }

    pub async fn run(mut self, mut ordeals: mpsc::Receiver<Ordeal>, mut phase: watch::Receiver<Phase>) {
        let (mut client, mut listening) = self.open().await;
        while *phase.borrow() == Phase::Busy {
            let pause = self.pause();
            tokio::select! {
                () = tokio::time::sleep(pause) => {}
                _ = phase.changed() => continue,
            }
            let command = self.choose(&client);
            let call = self.recorder.called(self.person.number, command.clone());
            loop {
                tokio::select! {
                    outcome = client.command(command.clone()) => {
                        self.ended(call, command, outcome);
                        break;
                    }
                    Some(_) = ordeals.recv() => {
                        drop(client);
                        listening.end().await;
                        (client, listening) = self.open().await;
                    }
                    // It is never answered, and reported as such.
                    () = self.patience_is_over(phase.clone()) => break,
                }
            }
        }
        let (person, recorder) = (&self.person, &self.recorder);
        let state = client.state();
        let unknown = || {
            let unknown = recorder.unknown(person.number);
            std::future::ready(if unknown.is_empty() { Ok(()) } else { Err((unknown, state.borrow().clone())) })
        };
        let what = format!("everything that {} did is settled", person.handle);
        let settled = until(&what, ANY_TIME, unknown);
        // What is unknown then stays so, for the checkers to find.
        let _ = tokio::time::timeout(self.habits.patience, settled).await;
        client.close().await;
        listening.end().await;
    }

    async fn open(&self) -> (Client, Listening) {
        let person = self.person.clone();
        // The program before may still hold its outbox for a moment.
        let start = || person.hand().patience(PATIENCE).start();
        let (client, events) = until("the outbox is free", PATIENCE, start).await;
        (client, Listening::to(events, person, self.recorder.clone()))
    }

    /// Nothing new is begun since so long, and this is still not answered.
    async fn patience_is_over(&self, mut phase: watch::Receiver<Phase>) {
        let _ = phase.wait_for(|phase| *phase != Phase::Busy).await;
        tokio::time::sleep(self.habits.patience).await;
    }

    /// From nothing to twice the average.
    fn pause(&mut self) -> Duration {
        self.habits.command_every.mul_f64(self.random.random_range(0.0..2.0))
    }

    fn choose(&mut self, client: &Client) -> Command {
        if let Some(repeated) = choice::repeat(&mut self.random, &self.done, &self.habits) {
            return repeated;
        }
        choice::next(&mut self.random, &self.world, self.person.number, client, &self.habits)
    }

    fn ended(&mut self, call: usize, command: Command, outcome: Result<Sent, SendError>) {
        let outcome = outcome_of(outcome);
        if let Outcome::Done { seq, conversation, .. } = &outcome {
            self.world.learn(self.person.number, &command, *seq, *conversation);
            self.done.push_back(command);
            if self.done.len() > REMEMBERED {
                self.done.pop_front();
            }
        }
        if outcome != Outcome::Unknown {
            self.recorder.ended(call, outcome);
        }
    }
}

fn outcome_of(outcome: Result<Sent, SendError>) -> Outcome {
    match outcome {
        Ok(Sent { seq, conversation, duplicate, .. }) => Outcome::Done { seq, conversation, duplicate },
        Err(SendError::Refused(refused)) => Outcome::Refused(refused.code),
        // What became of it comes later: it waits in the outbox, perhaps in one that the last program left.
        Err(SendError::Stopped | SendError::EventsNotRead | SendError::Repeated(_)) => Outcome::Unknown,
        Err(error) => Outcome::NotSent(error.to_string()),
    }
}

/// The other half of a client: what it hears, and the outcomes of what its predecessor did.
struct Listening {
    task: JoinHandle<Reading>,
    stop: watch::Sender<bool>,
    recorder: Arc<Recorder>,
}

impl Listening {
    fn to(mut events: Events, person: Arc<Person>, recorder: Arc<Recorder>) -> Self {
        let (stop, mut stopped) = watch::channel(false);
        let task = tokio::spawn({
            let recorder = recorder.clone();
            async move {
                let mut notes = Vec::new();
                loop {
                    let event = tokio::select! {
                        event = events.next() => event,
                        _ = stopped.changed() => None,
                    };
                    let Some(event) = event else { break };
                    if let Event::Settled { id, outcome } = &event {
                        recorder.settled(person.number, *id, &outcome_of(outcome.clone()));
                    }
                    notes.extend(super::eye::note(&event));
                }
                Reading { person: person.number, device: Device::Hand, notes, ended: recorder.now() }
            }
        });
        Self { task, stop, recorder }
    }

    async fn end(self) {
        self.stop.send_replace(true);
        let reading = self.task.await.unwrap_or_else(|error| panic!("a client's events were lost: {error}"));
        self.recorder.reading(reading);
    }
}
