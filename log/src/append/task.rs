//! The task behind one stream's appends: takes them in, sends them as the sequencer says, and deals with a line that
//! fails.
//!
//! After a line is lost, a new one is opened at once, but it may not be used until the old one is *settled*: a broker that
//! was stopped, or a network that was, may still deliver what it holds. So the old line is kept, without
//! sending any more appends, until the broker answers a ping behind everything that was sent; or until the line is dead; or, once the broker
//! answers on the new line, for `settle_timeout` at most. Then it is reset. While no line is usable, appends are
//! refused at once: certainly not stored.

use std::io;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use futures::future::{BoxFuture, FutureExt};
use tokio::time::{Instant, interval_at, sleep, sleep_until, timeout};

use super::batch::{Limits, Noted, Sequencer, Step};
use super::line::{Heard, Line, retry_delay};
use super::queue::{Intake, Waiting};
use super::wire::{Answer, BatchPlace, Headers, read_answer};
use super::{Append, AppendError};
use crate::counters::{Counters, count};
use crate::health::{Link, Links};
use crate::settings::Settings;
use crate::streams::Stream;

pub(super) struct Context {
    pub(super) stream: Stream,
    pub(super) settings: Arc<Settings>,
    pub(super) links: Arc<Links>,
    pub(super) link: Link,
    pub(super) counters: Arc<Counters>,
    /// How many lines took the place of a lost one.
    pub(super) lines: Arc<AtomicU64>,
}

/// The queue was closed, and everything in it is answered.
struct Closed;

pub(super) async fn run(context: Context, mut intake: Intake) {
    let may_batch = context.stream == Stream::Chat && context.settings.replicas == 1;
    let limits = Limits::new(context.settings.group_commit, may_batch, context.settings.max_in_flight);
    let mut task = Task { context, sequencer: Sequencer::new(limits), batches: 0 };
    let Some(first) = intake.recv().await else { return };
    task.sequencer.push(first);
    let Ok(mut line) = task.first_line(&mut intake).await else { return };
    loop {
        let error = match task.serve(&mut line, &mut intake).await {
            Ok(Closed) => return,
            Err(error) => error,
        };
        let (unknown, unavailable) = task.lose(line.abandon());
        count(&task.context.counters.append_lines_lost);
        tracing::warn!(
            stream = task.context.stream.name(), %error, unknown, unavailable,
            "append connection lost; unknown appends may or may not be stored"
        );
        let settled = line.settled().boxed();
        match task.next_line(settled, &mut intake).await {
            Ok(next) => line = next,
            Err(Closed) => return,
        }
        tracing::info!(stream = task.context.stream.name(), "append connection is back");
    }
}

struct Task {
    context: Context,
    sequencer: Sequencer,
    batches: u64,
}

impl Task {
    /// The first append waits for one attempt to connect.
    async fn first_line(&mut self, intake: &mut Intake) -> Result<Line, Closed> {
        match self.connect().await {
            Ok(line) => {
                self.context.links.set(self.context.link, true);
                Ok(line)
            }
            Err(error) => {
                tracing::warn!(stream = self.context.stream.name(), %error, "no append connection");
                self.lose(0);
                self.next_line(futures::future::ready(()).boxed(), intake).await
            }
        }
    }

    /// A line that may be used: open, and with nothing left of the one before.
    async fn next_line(&mut self, mut old: BoxFuture<'static, ()>, intake: &mut Intake) -> Result<Line, Closed> {
        self.context.links.set(self.context.link, false);
        let mut old_settled = false;
        let mut attempt = 0;
        let line = loop {
            attempt += 1;
            let delay = retry_delay(attempt, &self.context.settings);
            let counters = self.context.counters.clone();
            let mut connecting = pin!(async {
                let connected = self.connect().await;
                if connected.is_err() {
                    sleep(delay).await;
                }
                connected
            });
            let connected = loop {
                tokio::select! {
                    connected = &mut connecting => break connected,
                    () = &mut old, if !old_settled => old_settled = true,
                    refused = intake.recv() => refuse(refused, &counters)?,
                }
            };
            match connected {
                Ok(line) => break line,
                Err(error) if attempt % QUIET_ATTEMPTS == 1 => {
                    tracing::warn!(stream = self.context.stream.name(), attempt, %error, "no append connection");
                }
                Err(_) => {}
            }
        };
        if !old_settled {
            let mut settling = pin!(timeout(self.context.settings.settle_timeout, old));
            loop {
                tokio::select! {
                    _settled_or_given_up = &mut settling => break,
                    refused = intake.recv() => refuse(refused, &self.context.counters)?,
                }
            }
        }
        // What was queued until now belongs behind appends that were lost.
        while let Ok(refused) = intake.try_recv() {
            refuse(Some(refused), &self.context.counters)?;
        }
        // Before anything is accepted: who looked for losses while there was no line did not see all of them.
        self.context.lines.fetch_add(1, Ordering::SeqCst);
        self.context.links.set(self.context.link, true);
        Ok(line)
    }

    async fn connect(&self) -> io::Result<Line> {
        let name = format!("{} {} appends", self.context.settings.name, self.context.stream.name());
        Line::connect(&self.context.settings, &name).await
    }

    /// Appends over this line until it fails, or until there will be no more.
    async fn serve(&mut self, line: &mut Line, intake: &mut Intake) -> io::Result<Closed> {
        let mut taken = Vec::with_capacity(INTAKE_CHUNK);
        let mut open = true;
        let mut keepalive = interval_at(Instant::now() + KEEPALIVE, KEEPALIVE);
        let mut silent = false;
        loop {
            while let Some(step) = self.sequencer.next_step() {
                self.send(line, step);
            }
            if !open && self.sequencer.is_idle() {
                return Ok(Closed);
            }
            let deadline = self.sequencer.oldest_sent_at().map(|sent| sent + self.context.settings.ack_timeout);
            tokio::select! {
                heard = line.hear() => {
                    silent = false;
                    self.note(heard?)?;
                }
                count = intake.recv_many(&mut taken, INTAKE_CHUNK), if open => {
                    open = count > 0;
                    let line = super::Line(self.context.lines.load(Ordering::SeqCst));
                    for waiting in taken.drain(..) {
                        match waiting.over {
                            Some(over) if over != line => refuse(Some(waiting), &self.context.counters).unwrap_or(()),
                            _ => self.sequencer.push(waiting),
                        }
                    }
                }
                () = sleep_until(deadline.unwrap_or_else(Instant::now)), if deadline.is_some() => {
                    return Err(io::Error::new(io::ErrorKind::TimedOut, "no acknowledgement in time"));
                }
                _ = keepalive.tick() => {
                    if std::mem::replace(&mut silent, true) {
                        return Err(io::Error::new(io::ErrorKind::TimedOut, "the broker is silent"));
                    }
                    line.ping();
                }
            }
        }
    }

    fn send(&mut self, line: &mut Line, step: Step) {
        let counters = &self.context.counters;
        let token = self.sequencer.next_token();
        let (items, end) = match step {
            Step::Plain(item) if item.before.is_empty() => {
                counters.appends_plain.fetch_add(1, Ordering::Relaxed);
                let append = &item.append;
                let headers =
                    Headers { message_id: &append.message_id, expected_last: append.expected_last, batch: None };
                let end = line.publish(&append.subject, Some(token), &headers, &append.payload);
                (vec![item], end)
            }
            Step::Plain(item) => {
                let end = self.send_batch(line, token, &item.before.iter().chain([&item.append]).collect::<Vec<_>>());
                (vec![item], end)
            }
            Step::Batch(items) => {
                let end = self.send_batch(line, token, &items.iter().map(|item| &item.append).collect::<Vec<_>>());
                (items, end)
            }
        };
        self.sequencer.sent(items, end, Instant::now());
    }

    /// Writes an atomic batch, and says where in the line's bytes it ends.
    fn send_batch(&mut self, line: &mut Line, token: u64, appends: &[&Append]) -> u64 {
        self.batches += 1;
        let count = appends.len();
        let counters = &self.context.counters;
        counters.batches.fetch_add(1, Ordering::Relaxed);
        counters.appends_batched.fetch_add(count as u64, Ordering::Relaxed);
        // Unique on the stream while it is open: several gateways write batches at the same time.
        let id = format!("{:016x}{:x}", rand::random::<u64>(), self.batches);
        let mut end = 0;
        for (place, append) in appends.iter().enumerate() {
            let commit = place + 1 == count;
            let batch = BatchPlace { id: &id, sequence: place + 1, commit };
            let Append { message_id, expected_last, .. } = append;
            let headers = Headers { message_id, expected_last: *expected_last, batch: Some(batch) };
            end = line.publish(&append.subject, commit.then_some(token), &headers, &append.payload);
        }
        end
    }

    fn note(&mut self, heard: Heard) -> io::Result<()> {
        let (token, answer) = match heard {
            Heard::Reply { token, status, payload } => (token, read_answer(status, &payload)),
            Heard::Pong => return Ok(()),
            Heard::Error(error) => {
                tracing::warn!(stream = self.context.stream.name(), %error, "the broker reports an error");
                // A publish without permission gets no answer, only this.
                let subject = error.split("Permissions Violation for Publish to \"").nth(1);
                let subject = subject.and_then(|rest| rest.split('"').next());
                let Some(token) = subject.and_then(|subject| self.sequencer.token_with_subject(subject)) else {
                    return Ok(());
                };
                (token, Answer::Refused { code: 0, description: error })
            }
        };
        match self.sequencer.note(token, answer) {
            Noted::Answered => Ok(()),
            Noted::Halved => {
                count(&self.context.counters.batches_halved);
                Ok(())
            }
            Noted::Absurd => Err(io::Error::new(io::ErrorKind::InvalidData, "an answer that can't be")),
        }
    }

    fn lose(&mut self, written: u64) -> (usize, usize) {
        let (unknown, unavailable) = self.sequencer.lose(written);
        let counters = &self.context.counters;
        counters.appends_unknown.fetch_add(unknown as u64, Ordering::Relaxed);
        counters.appends_unavailable.fetch_add(unavailable as u64, Ordering::Relaxed);
        (unknown, unavailable)
    }
}

/// An idle line that died without a word is found out before the next append is lost in it.
const KEEPALIVE: Duration = Duration::from_secs(10);
const INTAKE_CHUNK: usize = 1024;
const QUIET_ATTEMPTS: usize = 40;

fn refuse(waiting: Option<Waiting>, counters: &Counters) -> Result<(), Closed> {
    waiting.ok_or(Closed)?.answer(Err(AppendError::Unavailable));
    count(&counters.appends_unavailable);
    Ok(())
}
