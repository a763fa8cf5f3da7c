//! `natter chat tail`: what is said, as it comes. Standard output has the events and nothing else; what becomes of the
//! connection goes to standard error.

use std::collections::HashMap;
use std::time::Duration;

use jiff::tz::TimeZone;
use natter_client::{
    Client, ConversationId, Event, Handle, Message, Position, ResetReason, Room, RoomItem, Session, State, Timestamp,
    Toggle,
};
use natter_protocol::ServerFrame;

use super::blocked::{Blocked, FOLDED};
use super::login::{LoginOptions, log_in};
use super::output::{Ended, Output, OutputOptions, end};
use super::room::words;
use super::which::together;
use super::{blocked, clean, connect, failed, names, others, time};
use crate::exit::{Exit, Failure};

/// What was missed is asked for so often, with this pause, before that is a failure.
const ATTEMPTS: u32 = 60;
const PAUSE: Duration = Duration::from_secs(1);
/// The most that the server gives at once.
const PAGE_ITEMS: u32 = 200;
/// Pages of the list in which the names of rooms are looked for at the beginning.
const LIST_PAGES: usize = 5;
/// Rooms whose names are remembered.
const MAX_ROOMS: usize = 10_000;

#[derive(Debug, clap::Args)]
pub struct Options {
    #[command(flatten)]
    output: OutputOptions,
}

pub async fn run(login: &LoginOptions, options: Options) -> Result<(), Failure> {
    let output = Output::open(&options.output)?;
    let (session, _keeper) = log_in(login).await?;
    let (client, mut events) = connect(&session).await?;
    let (me, zone) = (session.user().clone(), TimeZone::system());
    let mut tail =
        Tail { me, output, zone, blocked: Blocked::default(), rooms: HashMap::new(), last: None, read: None };
    tail.learn_blocked(&client).await;
    tail.learn_rooms(&client).await;
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
    /// Whose words are folded.
    blocked: Blocked,
    /// Rooms as they were before the next event.
    rooms: HashMap<ConversationId, Known>,
    /// Everything up to here was printed.
    last: Option<Position>,
    /// Everything up to here was read from history after a reset, so that it is not printed again when it also comes live.
    read: Option<Position>,
}

/// What is known of a room.
struct Known {
    /// Nothing, if it could not be looked up.
    room: Option<RoomItem>,
    /// Everything up to this seq is in it.
    as_of: u64,
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
            self.tell(client, &frame).await?;
        }
        self.last = position.or(self.last);
        Ok(())
    }

    /// Whom the user has blocked. Better that something is shown than that nothing is.
    async fn learn_blocked(&mut self, client: &Client) {
        if self.output.is_json() {
            return;
        }
        match blocked::read(&client.history()).await {
            Ok(listed) => self.blocked.listed(listed),
            Err(error) => {
                let why = error.to_string();
                eprintln!("natter: whom you have blocked can't be had, so they are not folded: {}", clean::line(&why));
            }
        }
    }

    /// Whether it is something said among others by somebody whom the user has blocked (CMD7).
    async fn folds(&self, client: &Client, frame: &ServerFrame) -> bool {
        let (conversation, sender, people) = match frame {
            ServerFrame::Message(message) => (message.conversation, &message.sender, message.participants.as_deref()),
            ServerFrame::Edited(edited) => (edited.conversation, &edited.by, None),
            _ => return false,
        };
        if self.output.is_json() || !self.blocked.has(sender) {
            return false;
        }
        let among_others = |people: &[Handle]| together(people, &self.me).len() > 2;
        match people {
            _ if conversation.is_room() => true,
            Some(people) => among_others(people),
            // What does not say who hears it is looked up; a block is not undone because that can't be had.
            None => match client.history().conversation(conversation).await {
                Ok(row) => among_others(&row.item.participants),
                Err(_) => true,
            },
        }
    }

    /// What the rooms are called that the user is in. Without it, they are looked up one by one.
    async fn learn_rooms(&mut self, client: &Client) {
        if self.output.is_json() {
            return;
        }
        let mut pages = client.history().conversations().limit(PAGE_ITEMS);
        for _ in 0..LIST_PAGES {
            let Ok(Some(page)) = pages.next_page().await else { return };
            let as_of = page.position.seq;
            let rooms = page.items.into_iter().filter_map(|item| item.room);
            self.rooms.extend(rooms.map(|room| (room.conversation, Known { room: Some(room), as_of })));
        }
    }

    /// Prints an event, knowing what the room is called that it is in.
    async fn tell(&mut self, client: &Client, frame: &ServerFrame) -> Result<(), Ended> {
        if !self.output.is_json()
            && let Some((room, position)) = room_of(frame)
            && !self.rooms.contains_key(&room)
        {
            if self.rooms.len() >= MAX_ROOMS {
                self.rooms.clear();
            }
            let found = client.history().at_least(position).room(room).await;
            let known = match found {
                Ok(at) => Known { room: Some(at.item), as_of: at.position.seq },
                Err(_) => Known { room: None, as_of: 0 },
            };
            self.rooms.insert(room, known);
        }
        if let ServerFrame::Block(change) = frame {
            self.blocked.changed(change);
        }
        let folded = self.folds(client, frame).await;
        self.print(frame, folded)?;
        if let ServerFrame::Room(now) = frame {
            let known = self.rooms.entry(now.conversation).or_insert(Known { room: None, as_of: 0 });
            if known.as_of < now.seq {
                words::update(known.room.get_or_insert_with(|| new(now)), now);
                known.as_of = now.seq;
            }
        }
        Ok(())
    }

    fn print(&mut self, frame: &ServerFrame, folded: bool) -> Result<(), Ended> {
        let Self { me, output, zone, rooms, .. } = self;
        let said = |text| if folded { FOLDED } else { text };
        let place = |room: &ConversationId| match rooms.get(room) {
            _ if !room.is_room() => String::new(),
            Some(Known { room: Some(room), .. }) => format!("{} ", words::name(room)),
            _ => "(a room) ".to_owned(),
        };
        let changed = |at, room, by: &Handle, what: &str| {
            Some(happened(at, zone, &format!("{}{} {what}", place(room), words::who(by, me))))
        };
        output.write(frame, || match frame {
            ServerFrame::Message(message) => {
                Some(line(message, said(&message.text), &place(&message.conversation), me, zone))
            }
            ServerFrame::Edited(edited) => {
                changed(edited.at, &edited.conversation, &edited.by, &format!("edited: {}", said(&edited.text)))
            }
            ServerFrame::Deleted(deleted) => {
                changed(deleted.at, &deleted.conversation, &deleted.by, "deleted a message")
            }
            ServerFrame::Reaction(reaction) => {
                let what = match reaction.op {
                    Toggle::Add => format!("reacted {}", reaction.emoji),
                    Toggle::Remove => format!("took {} back", reaction.emoji),
                };
                changed(reaction.at, &reaction.conversation, &reaction.user, &what)
            }
            ServerFrame::Pin(pin) => changed(pin.at, &pin.conversation, &pin.by, words::pinned(pin.op)),
            // Who is in a room from its beginning is told with the room.
            ServerFrame::Member(member) if member.id.is_none() => None,
            ServerFrame::Member(member) => {
                let what = words::member(member, me);
                Some(happened(member.at, zone, &format!("{}{what}", place(&member.conversation))))
            }
            ServerFrame::Room(room) => {
                let told = match rooms.get(&room.conversation) {
                    // That was known already.
                    Some(known) if known.as_of >= room.seq => Vec::new(),
                    Some(Known { room: Some(before), .. }) => words::changes(before, room, me),
                    Some(Known { room: None, .. }) => vec![format!("{} changed the room", words::who(&room.by, me))],
                    None if room.by == *me => vec!["you made the room".to_owned()],
                    None => vec![format!("{} made the room, with you in it", room.by)],
                };
                let name =
                    rooms.get(&room.conversation).and_then(|known| known.room.clone()).unwrap_or_else(|| new(room));
                let lines = told.iter().map(|what| happened(room.at, zone, &format!("{} {what}", words::name(&name))));
                Some(lines.collect::<Vec<_>>().join("\n")).filter(|lines| !lines.is_empty())
            }
            // What people want to see is what is said, and done to it, and who is there to hear it.
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
            self.rooms.clear();
            self.blocked.reset();
            self.learn_blocked(client).await;
            eprintln!("natter: the server has another log now: what was said in between may be missing here");
            return Ok(());
        }
        let mut changes = client.history().changes(last).limit(PAGE_ITEMS).at_least(position);
        let mut attempts = 0;
        loop {
            match changes.next_page().await {
                Ok(Some(page)) => {
                    for frame in &page.items {
                        self.tell(client, frame).await?;
                    }
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
        Event::Pin(pin) => ServerFrame::Pin(pin),
        Event::Member(member) => ServerFrame::Member(member),
        Event::Room(room) => ServerFrame::Room(room),
        Event::Profile(profile) => ServerFrame::Profile(profile),
        Event::Preferences(preferred) => ServerFrame::Preferences(preferred),
        Event::Block(block) => ServerFrame::Block(block),
        Event::Marker(marker) => ServerFrame::Marker(marker),
        Event::Presence(presence) => ServerFrame::Presence(presence),
        Event::Delivered(delivered) => ServerFrame::Delivered(delivered),
        Event::Typing(typing) => ServerFrame::Typing(typing),
        _ => return None,
    })
}

/// The room whose name is wanted for an event, and from when on history knows it.
fn room_of(frame: &ServerFrame) -> Option<(ConversationId, Position)> {
    let (conversation, position) = match frame {
        ServerFrame::Message(message) => (message.conversation, message.position),
        ServerFrame::Edited(edited) => (edited.conversation, edited.position),
        ServerFrame::Deleted(deleted) => (deleted.conversation, deleted.position),
        ServerFrame::Reaction(reaction) => (reaction.conversation, reaction.position),
        ServerFrame::Pin(pin) => (pin.conversation, pin.position),
        ServerFrame::Member(member) if member.id.is_some() => (member.conversation, member.position),
        _ => return None,
    };
    conversation.is_room().then_some((conversation, position))
}

/// A room of which nothing else is known yet.
fn new(room: &Room) -> RoomItem {
    RoomItem {
        conversation: room.conversation,
        name: room.name.clone(),
        topic: room.topic.clone(),
        visibility: room.visibility,
        archived: room.archived,
        owners: room.owners.clone(),
        members: 0,
        role: None,
    }
}

fn line(message: &Message, text: &str, place: &str, me: &Handle, zone: &TimeZone) -> String {
    let people = message.participants.as_deref().unwrap_or_default();
    let to = others(people, me);
    let who = match &message.sender {
        sender if !place.is_empty() => format!("{place}{}", words::who(sender, me)),
        sender if sender == me => format!("you to {}", names(&to)),
        sender if to.len() > 1 => format!("{sender} to {}", names(&others(people, sender))),
        sender => sender.to_string(),
    };
    let thread = message.thread.map(|root| format!(" in thread {root}")).unwrap_or_default();
    happened(message.at, zone, &format!("{who}{thread}: {text}"))
}

fn happened(at: Timestamp, zone: &TimeZone, what: &str) -> String {
    format!("{}  {}", time::full(at, zone), clean::line(what))
}
