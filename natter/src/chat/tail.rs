//! `natter chat tail`: what is said, as it comes. Standard output has the events and nothing else; what becomes of the
//! connection goes to standard error.

use std::time::Duration;

use jiff::tz::TimeZone;
use natter_client::{Client, Event, Handle, Message, Position, ResetReason, Session, State, Timestamp, Toggle};
use natter_protocol::ServerFrame;

use super::login::{LoginOptions, log_in};
use super::output::{Ended, Output, OutputOptions, end};
use super::{clean, connect, failed, names, others, time};
use crate::exit::{Exit, Failure};

/// What was missed is asked for so often, with this pause, before that is a failure.
const ATTEMPTS: u32 = 60;
const PAUSE: Duration = Duration::from_secs(1);
/// The most that the server gives at once.
const PAGE_ITEMS: u32 = 200;

#[derive(Debug, clap::Args)]
pub struct Options {
    #[command(flatten)]
    output: OutputOptions,
}

pub async fn run(login: &LoginOptions, options: Options) -> Result<(), Failure> {
    let output = Output::open(&options.output)?;
    let (session, _keeper) = log_in(login).await?;
    let (client, mut events) = connect(&session).await?;
    let mut tail = Tail { me: session.user().clone(), output, zone: TimeZone::system(), last: None, read: None };
    let outcome = async {
        while let Some(event) = events.next().await {
            tail.event(&client, &session, event).await?;
        }
        Ok::<_, Ended>(())
    };
    end(outcome.await)
}

struct Tail {
    me: Handle,
    output: Output,
    zone: TimeZone,
    /// Everything up to here was printed.
    last: Option<Position>,
    /// Everything up to here was read from history after a reset, so that it is not printed again when it also comes live.
    read: Option<Position>,
}

impl Tail {
    async fn event(&mut self, client: &Client, session: &Session, event: Event) -> Result<(), Ended> {
        if self.read.is_some_and(|read| event.is_in(&read)) {
            return Ok(());
        }
        let position = event.position();
        match &event {
            Event::State(state) => return self.state(state, session),
            Event::Reset { reason, position } => return self.reset(client, session, *reason, *position).await,
            _ => {}
        }
        if let Some(frame) = frame(event) {
            self.print(&frame)?;
        }
        self.last = position.or(self.last);
        Ok(())
    }

    fn print(&mut self, frame: &ServerFrame) -> Result<(), Ended> {
        let Self { me, output, zone, .. } = self;
        output.write(frame, || match frame {
            ServerFrame::Message(message) => Some(line(message, me, zone)),
            ServerFrame::Edited(edited) => {
                Some(changed(edited.at, &edited.by, me, zone, &format!("edited: {}", edited.text)))
            }
            ServerFrame::Deleted(deleted) => Some(changed(deleted.at, &deleted.by, me, zone, "deleted a message")),
            ServerFrame::Reaction(reaction) => {
                let what = match reaction.op {
                    Toggle::Add => format!("reacted {}", reaction.emoji),
                    Toggle::Remove => format!("took {} back", reaction.emoji),
                };
                Some(changed(reaction.at, &reaction.user, me, zone, &what))
            }
            // What people want to see is what is said, and done to it.
            _ => None,
        })
    }

    fn state(&self, state: &State, session: &Session) -> Result<(), Ended> {
        match state {
            State::Live { .. } => eprintln!("natter: live as {} at {}", self.me, session.server()),
            State::Waiting { retry_in, cause, .. } => {
                eprintln!("natter: {}; next try in {:.1} s", clean::line(cause), retry_in.as_secs_f64());
            }
            State::Stopped(reason) => return Err(Failure::caused_by(Exit::Refused, reason).into()),
            State::Connecting { .. } | State::CatchingUp { .. } => {}
        }
        Ok(())
    }

    /// The server does not replay what was missed: it is read from history (CON3). At the beginning nothing was.
    async fn reset(
        &mut self,
        client: &Client,
        session: &Session,
        reason: ResetReason,
        position: Position,
    ) -> Result<(), Ended> {
        let Some(last) = self.last.replace(position) else { return Ok(()) };
        if reason == ResetReason::OtherLog {
            eprintln!("natter: the server has another log now: what was said in between may be missing here");
            return Ok(());
        }
        let mut changes = client.history().changes(last).limit(PAGE_ITEMS).at_least(position);
        let mut attempts = 0;
        loop {
            match changes.next_page().await {
                Ok(Some(page)) => {
                    page.items.iter().try_for_each(|frame| self.print(frame))?;
                    self.read = Some(page.position);
                    self.last = Some(page.position);
                }
                Ok(None) => return Ok(()),
                Err(error) if error.is_temporary() && attempts < ATTEMPTS => {
                    attempts += 1;
                    tokio::time::sleep(PAUSE).await;
                }
                Err(error) => {
                    return Err(failed(session.server(), &error).context("what was missed can't be had").into());
                }
            }
        }
    }
}

/// The events of the protocol, as it writes them.
fn frame(event: Event) -> Option<ServerFrame> {
    Some(match event {
        Event::Message(message) => ServerFrame::Message(message),
        Event::Edited(edited) => ServerFrame::Edited(edited),
        Event::Deleted(deleted) => ServerFrame::Deleted(deleted),
        Event::Reaction(reaction) => ServerFrame::Reaction(reaction),
        Event::Block(block) => ServerFrame::Block(block),
        Event::Marker(marker) => ServerFrame::Marker(marker),
        Event::Presence(presence) => ServerFrame::Presence(presence),
        Event::Delivered(delivered) => ServerFrame::Delivered(delivered),
        Event::Typing(typing) => ServerFrame::Typing(typing),
        _ => return None,
    })
}

fn line(message: &Message, me: &Handle, zone: &TimeZone) -> String {
    let people = message.participants.as_deref().unwrap_or_default();
    let to = others(people, me);
    let who = match &message.sender {
        sender if sender == me => format!("you to {}", names(&to)),
        sender if to.len() > 1 => format!("{sender} to {}", names(&others(people, sender))),
        sender => sender.to_string(),
    };
    format!("{}  {who}: {}", time::full(message.at, zone), clean::line(&message.text))
}

/// Something was done to a message.
fn changed(at: Timestamp, by: &Handle, me: &Handle, zone: &TimeZone, what: &str) -> String {
    let who = if by == me { "you" } else { by.as_str() };
    format!("{}  {who} {}", time::full(at, zone), clean::line(what))
}
