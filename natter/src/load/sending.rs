//! All users at once: connecting them, giving each what is due when it is due, waiting for what is still on its way, and
//! closing the books.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use natter_client::Server;
use tokio::sync::mpsc::error::TrySendError;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;

use super::accounts;
use super::book::{Inbox, Letter};
use super::pacer;
use super::report::progress;
use super::tally::Counts;
use super::user::{Books, Run, Stage, User, UserError};
use crate::exit::{Exit, Failure};

/// Letters that wait for their user's task.
const DUE_CAPACITY: usize = 1_024;
/// Sockets that are opened at once.
const CONNECTING: usize = 64;
/// How often it is looked whether everything has come.
const LOOK: Duration = Duration::from_millis(20);

pub struct Sending {
    due: Vec<mpsc::Sender<Letter>>,
    /// The next number of each flow.
    numbers: Vec<u64>,
    stage: watch::Sender<Stage>,
    tasks: JoinSet<Result<Books, UserError>>,
}

/// What users brought back at the end, and how much was given to them.
pub struct Returned {
    books: Vec<Books>,
    numbers: Vec<u64>,
}

impl Sending {
    /// Connects all users, some at a time.
    pub async fn connect(run: &Arc<Run>, people: Vec<accounts::User>, servers: &[Server]) -> Result<Self, UserError> {
        let (stage, staged) = watch::channel(Stage::Running);
        let (ready_in, mut ready) = mpsc::channel(CONNECTING);
        let mut sending =
            Self { due: Vec::new(), numbers: vec![0; run.plan.flows.len()], stage, tasks: JoinSet::new() };
        let (all, mut connected) = (people.len(), 0);
        let mut people = people.into_iter().enumerate();
        while connected < all {
            let free = CONNECTING.saturating_sub(sending.due.len() - connected);
            for (index, user) in people.by_ref().take(free) {
                let (due_in, due) = mpsc::channel(DUE_CAPACITY);
                // Neighbours, who are pairs, go to different gateways.
                let server = servers[index % servers.len()].clone();
                let identity = (user.handle, user.token);
                let user = User::new(run.clone(), identity, server, due, staged.clone(), ready_in.clone());
                sending.tasks.spawn(user.live());
                sending.due.push(due_in);
            }
            tokio::select! {
                Some(()) = ready.recv() => connected += 1,
                Some(ended) = sending.tasks.join_next() => {
                    ended.unwrap_or_else(|panicked| std::panic::resume_unwind(panicked.into_panic()))?;
                }
            }
        }
        Ok(sending)
    }

    /// Gives every message to its user when it is due. Says how long that took.
    pub async fn pace(&mut self, run: &Arc<Run>, began: Instant) -> Result<Duration, Failure> {
        let stop = StopOnDrop(Arc::new(AtomicBool::new(false)));
        let mut desk = Desk { run: run.clone(), due: self.due.clone(), numbers: std::mem::take(&mut self.numbers) };
        let stopped = stop.0.clone();
        let mut pacing = tokio::task::spawn_blocking(move || {
            let mut seconds = Seconds::new(began);
            let run = desk.run.clone();
            pacer::pace(
                run.plan.messages(),
                |number| began + run.plan.due(number),
                &stopped,
                |number, due| {
                    desk.give(number, due);
                    seconds.pass(&run);
                },
            );
            desk.numbers
        });
        tokio::select! {
            numbers = &mut pacing => {
                self.numbers = numbers.unwrap_or_else(|panicked| std::panic::resume_unwind(panicked.into_panic()));
                Ok(began.elapsed())
            }
            Some(ended) = self.tasks.join_next() => Err(too_early(ended)),
        }
    }

    /// Waits until everything that was given is answered and everything answered is delivered, or the time is over.
    pub async fn settle(&mut self, run: &Arc<Run>, wait: Duration) -> Result<Duration, Failure> {
        let began = Instant::now();
        let given: u64 = self.numbers.iter().sum();
        loop {
            let counts = run.tally.lock().counts.clone();
            let answered = counts.acknowledged + counts.all_refused();
            if (answered >= given && counts.delivered >= counts.acknowledged) || began.elapsed() >= wait {
                return Ok(began.elapsed());
            }
            self.check()?;
            tokio::time::sleep(LOOK).await;
        }
    }

    /// Ends all users and gathers their books.
    pub async fn finish(mut self) -> Result<Returned, Failure> {
        self.stage.send_replace(Stage::Over);
        let mut books = Vec::new();
        while let Some(ended) = self.tasks.join_next().await {
            books.push(returned(ended)?);
        }
        Ok(Returned { books, numbers: self.numbers })
    }

    fn check(&mut self) -> Result<(), Failure> {
        self.tasks.try_join_next().map_or(Ok(()), |ended| Err(too_early(ended)))
    }
}

/// A user who ends during the run ends the run.
fn too_early(ended: Result<Result<Books, UserError>, tokio::task::JoinError>) -> Failure {
    let why = returned(ended).err();
    why.unwrap_or_else(|| Failure::new(Exit::Unreachable, "a user ended before the run did"))
}

/// Ends the pacer's thread whichever way the run ends.
struct StopOnDrop(Arc<AtomicBool>);

impl Drop for StopOnDrop {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Where messages are numbered and handed out.
struct Desk {
    run: Arc<Run>,
    due: Vec<mpsc::Sender<Letter>>,
    numbers: Vec<u64>,
}

impl Desk {
    fn give(&mut self, number: u64, due: Instant) {
        let flow = self.run.plan.flow(number);
        let letter = Letter { flow, number: self.numbers[flow], due_ns: self.run.ns_of(due) };
        match self.due[self.run.plan.flows[flow].from].try_send(letter) {
            Ok(()) => self.numbers[flow] += 1,
            Err(TrySendError::Full(_) | TrySendError::Closed(_)) => self.run.tally.lock().counts.not_sent += 1,
        }
    }
}

fn returned(ended: Result<Result<Books, UserError>, tokio::task::JoinError>) -> Result<Books, Failure> {
    ended
        .unwrap_or_else(|panicked| std::panic::resume_unwind(panicked.into_panic()))
        .map_err(|error| Failure::caused_by(Exit::Unreachable, &error))
}

/// Compares what was sent and acknowledged with what was received: how many messages were lost, and how many are without
/// an answer.
pub fn audit(returned: Returned) -> (u64, u64) {
    let Returned { books, numbers } = returned;
    let mut open: HashMap<usize, BTreeSet<u64>> = HashMap::new();
    let mut inboxes: HashMap<usize, Inbox> = HashMap::new();
    let mut unanswered = 0;
    for book in books {
        unanswered += (book.outbox.open() + book.waiting.len()) as u64;
        for letter in book.waiting {
            open.entry(letter.flow).or_default().insert(letter.number);
        }
        for (flow, numbers) in book.outbox.into_open() {
            open.entry(flow).or_default().extend(numbers);
        }
        inboxes.extend(book.inboxes);
    }
    let lost = |(flow, sent): (usize, u64)| {
        let open = open.get(&flow);
        let is_open = |number| open.is_some_and(|open| open.contains(&number));
        inboxes.remove(&flow).unwrap_or_default().lost(sent, is_open)
    };
    (numbers.into_iter().enumerate().map(lost).sum(), unanswered)
}

/// Prints a line each second.
struct Seconds {
    began: Instant,
    next: Instant,
    before: Counts,
}

impl Seconds {
    fn new(began: Instant) -> Self {
        Self { began, next: began + Duration::from_secs(1), before: Counts::default() }
    }

    fn pass(&mut self, run: &Run) {
        let now = Instant::now();
        if now < self.next {
            return;
        }
        let mut tally = run.tally.lock();
        let p99 = (tally.second_to_ok.quantile(0.99), tally.second_to_delivery.quantile(0.99));
        eprintln!("{}", progress(self.next - self.began, &tally.counts, &self.before, p99));
        tally.second_to_ok.reset();
        tally.second_to_delivery.reset();
        self.before = tally.counts.clone();
        self.next += Duration::from_secs(1).max(now - self.next);
    }
}

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;

    use natter_events::ClientId;

    use super::super::book::{OnTheWay, Outbox};
    use super::*;

    fn letter(flow: usize, number: u64) -> Letter {
        Letter { flow, number, due_ns: 0 }
    }

    fn on_the_way(flow: usize, number: u64) -> OnTheWay {
        OnTheWay { letter: letter(flow, number), id: ClientId::at(number), by_conversation: false }
    }

    fn books(outbox: Outbox, waiting: &[Letter], inboxes: HashMap<usize, Inbox>) -> Books {
        Books { outbox, waiting: VecDeque::from(waiting.to_vec()), inboxes }
    }

    #[test]
    fn only_what_was_acknowledged_can_be_lost() {
        // Of six: 0 and 1 arrived, 2 was acknowledged and did not, 3 was refused, 4 has no answer, 5 was never sent.
        let mut outbox = Outbox::default();
        let references: Vec<_> = (0..5).map(|number| outbox.add(on_the_way(0, number))).collect();
        for reference in &references[..3] {
            outbox.answered(*reference);
        }
        outbox.refused(references[3]);
        let mut inbox = Inbox::default();
        inbox.receive(0);
        inbox.receive(1);
        let sender = books(outbox, &[letter(0, 5)], HashMap::new());
        let receiver = books(Outbox::default(), &[], HashMap::from([(0, inbox)]));
        assert_eq!(audit(Returned { books: vec![sender, receiver], numbers: vec![6] }), (1, 2));
    }

    #[test]
    fn what_arrived_without_an_answer_is_not_lost() {
        let mut outbox = Outbox::default();
        outbox.add(on_the_way(0, 0));
        let mut inbox = Inbox::default();
        inbox.receive(0);
        let books = vec![books(outbox, &[], HashMap::from([(0, inbox)]))];
        assert_eq!(audit(Returned { books, numbers: vec![1] }), (0, 1));
    }

    #[test]
    fn a_receiver_who_got_nothing_lost_everything() {
        let mut outbox = Outbox::default();
        for number in 0..3 {
            let reference = outbox.add(on_the_way(0, number));
            outbox.answered(reference);
        }
        let books = vec![books(outbox, &[], HashMap::new())];
        assert_eq!(audit(Returned { books, numbers: vec![3, 0] }), (3, 0));
    }
}
