//! People who use the deployment while it is broken. Each has a device that does things ([`hand`]), one that watches
//! ([`eye`]), and reads pages now and then ([`pages`]).

mod choice;
mod eye;
mod hand;
mod pages;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use natter_client::{Builder, Client, Encoding, Handle, Position, Server, Session};
use natter_testkit::scratch_folder;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;

pub use choice::World;
pub use eye::notes;

use crate::record::Recorder;
use crate::stage::Stage;

const PASSWORD: &str = "correct horse battery";
/// Longest that somebody waits for their account at the beginning, and for their client to come back at the end.
const PATIENCE: Duration = Duration::from_secs(60);

/// Somebody with an account.
pub struct Person {
    pub number: usize,
    pub handle: Handle,
    pub session: Session,
    url: String,
    history_url: String,
    outbox: PathBuf,
}

impl Person {
    /// Makes an account.
    pub async fn register(stage: &Stage, number: usize) -> Self {
        let handle: Handle = format!("person-{number}").parse().unwrap_or_else(|_| panic!("a good handle"));
        let (url, history_url) = (stage.url(), stage.history_url());
        let server: Server = url.parse().unwrap_or_else(|error| panic!("{url}: {error}"));
        let server = server.with_history(&history_url).unwrap_or_else(|error| panic!("{history_url}: {error}"));
        let session = Session::register(&server, &handle, PASSWORD, None).await;
        let session = session.unwrap_or_else(|error| panic!("{handle} could not register: {error}"));
        let outbox = scratch_folder("person").join("outbox");
        Self { number, handle, session, url, history_url, outbox }
    }

    /// A client of theirs. Some speak JSON and some MessagePack.
    pub fn client(&self) -> Builder {
        let encoding = if self.number.is_multiple_of(2) { Encoding::Json } else { Encoding::MessagePack };
        Client::builder(&self.url).history_url(&self.history_url).session(self.session.clone()).encoding(encoding)
    }

    /// The client that does things, with what the last one left to be settled.
    fn hand(&self) -> Builder {
        self.client().outbox_file(&self.outbox)
    }
}

/// What is done to somebody's devices.
#[derive(Debug, Clone, Copy)]
pub enum Ordeal {
    /// Nothing is taken from the socket for so long.
    StopReading(Duration),
    /// The program ends at once and is started again after so long.
    Lose(Duration),
}

/// Somebody at it.
pub struct Busy {
    pub person: Arc<Person>,
    pub eye: mpsc::Sender<Ordeal>,
    pub hand: mpsc::Sender<Ordeal>,
    /// Where their eye began.
    pub since: Position,
    eye_task: JoinHandle<()>,
    hand_task: JoinHandle<()>,
    page_task: JoinHandle<()>,
    done: watch::Sender<Phase>,
}

/// What people are to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Phase {
    /// Do things.
    Busy,
    /// Nothing new; see that what was begun is settled.
    Settling,
    /// Everything has been done: note what is left to be heard up to here, and go.
    Leaving(u64),
}

/// How busy people are, and with what.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Habits {
    /// Between two commands of one person, on average.
    pub command_every: Duration,
    /// Between two pages of one person, on average.
    pub page_every: Duration,
    /// Of a hundred commands, how many have an id that was made long ago.
    pub old_ids: u32,
    /// Of a hundred commands, how many are the same again.
    pub repeats: u32,
    /// Of a hundred commands, how many are something else under an id that was used.
    pub conflicts: u32,
    /// How long what is under way in the end may take to be answered, when everything works again.
    pub patience: Duration,
}

impl Habits {
    pub fn every(command_every: Duration) -> Self {
        Self {
            command_every,
            page_every: command_every * 4,
            old_ids: 2,
            repeats: 4,
            conflicts: 1,
            patience: Duration::from_secs(60),
        }
    }
}

impl Busy {
    /// Has somebody begin.
    pub async fn begin(person: Person, world: Arc<World>, recorder: Arc<Recorder>, habits: Habits, seed: u64) -> Self {
        let person = Arc::new(person);
        let (done, phase) = watch::channel(Phase::Busy);
        let (eye_ordeals, ordeals) = mpsc::channel(16);
        let (since, eye_task) = eye::start(person.clone(), recorder.clone(), ordeals, phase.clone()).await;
        let (hand_ordeals, ordeals) = mpsc::channel(16);
        let hand = hand::Hand::new(person.clone(), world.clone(), recorder.clone(), habits, seed);
        let hand_task = tokio::spawn(hand.run(ordeals, phase.clone()));
        let page_task = tokio::spawn(pages::run(person.clone(), world, recorder, habits.page_every, seed, phase));
        Self { person, eye: eye_ordeals, hand: hand_ordeals, since, eye_task, hand_task, page_task, done }
    }

    /// Nothing new is begun, and everything that was is settled.
    pub async fn settle(&mut self) {
        self.done.send_replace(Phase::Settling);
        for task in [&mut self.hand_task, &mut self.page_task] {
            task.await.unwrap_or_else(|error| panic!("a person failed: {error}"));
        }
    }

    /// Hears everything up to `head`, and leaves.
    pub async fn leave(self, head: u64) -> Arc<Person> {
        self.done.send_replace(Phase::Leaving(head));
        self.eye_task.await.unwrap_or_else(|error| panic!("an eye failed: {error}"));
        self.person
    }
}
