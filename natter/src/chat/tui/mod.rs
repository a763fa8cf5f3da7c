//! The full-screen client.
//!
//! - `state`, `rooms`, `keys`, `key`, `conversation`, `finder`, `composer`: what is known and what follows from each
//!   input, without any IO.
//! - `panes`, `rows`, `draw`: the state as a picture.
//! - `worker`: requests and commands; their answers come back as inputs.
//! - `terminal`: taking the terminal, and giving it back whatever happens.

mod composer;
mod conversation;
mod draw;
mod finder;
mod key;
mod keys;
mod panes;
mod rooms;
mod rows;
mod state;
mod terminal;
#[cfg(test)]
pub(super) mod testing;
mod worker;

use std::io::{self, IsTerminal};
use std::time::Duration;

use crossterm::event::{Event as TerminalEvent, EventStream, KeyEventKind};
use futures::StreamExt;
use jiff::tz::TimeZone;
use natter_client::{Client, Events, State as Link, Timestamp};
use ratatui::layout::Size;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::mpsc;

use super::login::{LoginOptions, log_in};
use super::{CLIENT_NAME, not_connected};
use crate::exit::{Exit, Failure};
use state::{Effect, Input, Moment, State};
use terminal::Terminal;
use worker::Worker;

/// How often the clock on the screen moves on.
const TICK: Duration = Duration::from_millis(500);
/// Inputs that are taken in before the screen is drawn again.
const INPUTS_PER_DRAW: usize = 500;
/// Commands that may be under way at once: a marker that the server holds back must not hold back what is said.
const PIPELINE: usize = 16;
/// How long the connection has to end in good order.
const CLOSE_PATIENCE: Duration = Duration::from_secs(2);

pub async fn run(login: &LoginOptions) -> Result<(), Failure> {
    if !io::stdin().is_terminal() || !io::stdout().is_terminal() {
        let why =
            "`natter chat` draws on a terminal, and this is none; `natter chat --help` lists what scripts can use";
        return Err(Failure::new(Exit::Usage, why));
    }
    let (session, _keeper) = log_in(login).await?;
    // Only now: Ctrl+C at the password's prompt ends the program as usual.
    let signals = Signals::new().map_err(|error| Failure::caused_by(Exit::Other, &error))?;
    let builder = Client::builder(login.url.to_string()).session(session.clone());
    let started = builder.client_name(CLIENT_NAME).pipeline(PIPELINE).start().await;
    let (client, events) = started.map_err(|error| not_connected(&login.url, &error))?;
    let outcome = show(session.user().clone(), login, client.clone(), events, signals).await;
    let _ = tokio::time::timeout(CLOSE_PATIENCE, client.close()).await;
    outcome
}

/// Shows the client until it is left.
async fn show(
    me: natter_client::Handle,
    login: &LoginOptions,
    client: Client,
    mut events: Events,
    mut signals: Signals,
) -> Result<(), Failure> {
    let failed = |error: io::Error| Failure::caused_by(Exit::Other, &error).context("the terminal");
    let (mut worker, mut answers) = Worker::start(client.clone());
    let mut terminal = Terminal::take().map_err(failed)?;
    let size = terminal.screen.size().map_err(failed)?;
    let mut state = State::new(me, login.url.to_string(), TimeZone::system(), now(), size);
    let mut keys = EventStream::new();
    let mut tick = tokio::time::interval(TICK);
    tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let mut events_end = false;
    loop {
        terminal.screen.draw(|frame| draw::draw(frame, &state)).map_err(failed)?;
        let first = tokio::select! {
            () = signals.any() => return Ok(()),
            never = worker.panics() => match never {},
            key = keys.next() => match key {
                Some(Ok(event)) => input(event),
                Some(Err(error)) => return Err(failed(error)),
                // The terminal is gone.
                None => return Ok(()),
            },
            event = events.next(), if !events_end => {
                events_end = event.is_none();
                event.map(Input::Client)
            }
            answer = answers.recv() => answer,
            _ = tick.tick() => Some(Input::Tick),
        };
        let mut next = first;
        for _ in 0..INPUTS_PER_DRAW {
            let Some(input) = next else { break };
            let moment = Moment { now: now(), id: client.new_id() };
            for effect in state.on(input, moment) {
                if effect == Effect::Quit {
                    return ended(&state);
                }
                worker.perform(effect);
            }
            next = waiting(&mut events, &mut answers);
        }
    }
}

/// What has come in the meantime.
fn waiting(events: &mut Events, answers: &mut mpsc::Receiver<Input>) -> Option<Input> {
    events.try_next().map(Input::Client).or_else(|| answers.try_recv().ok())
}

fn input(event: TerminalEvent) -> Option<Input> {
    Some(match event {
        TerminalEvent::Key(key) if key.kind != KeyEventKind::Release => Input::Key(key),
        TerminalEvent::Paste(text) => Input::Paste(text),
        TerminalEvent::Resize(width, height) => Input::Resized(Size::new(width, height)),
        TerminalEvent::FocusGained => Input::InSight(true),
        TerminalEvent::FocusLost => Input::InSight(false),
        _ => return None,
    })
}

/// Left by a key. A connection that had ended for good is said again, where it stays to be read.
fn ended(state: &State) -> Result<(), Failure> {
    match &state.link {
        Link::Stopped(reason) => Err(Failure::caused_by(Exit::Refused, reason)),
        _ => Ok(()),
    }
}

fn now() -> Timestamp {
    Timestamp(jiff::Timestamp::now().as_millisecond())
}

/// What a clipboard holds, as a message may hold it (CMD4).
fn clean_paste(text: &str) -> String {
    let text = text.replace("\r\n", "\n").replace('\r', "\n");
    text.chars().filter(|c| !c.is_control() || matches!(c, '\n' | '\t')).collect()
}

/// What ends a program from outside.
struct Signals([Signal; 3]);

impl Signals {
    fn new() -> io::Result<Self> {
        Ok(Self([signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?, signal(SignalKind::hangup())?]))
    }

    async fn any(&mut self) {
        let [terminate, interrupt, hangup] = &mut self.0;
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
            _ = hangup.recv() => {}
        }
    }
}
