//! One batch of events, applied in one transaction with the position.

use std::collections::HashSet;
use std::ops::Range;
use std::time::Duration;

use natter_log::Stream;
use natter_planted::Bug;
use sqlx::{Connection, PgConnection};
use time::OffsetDateTime;

use crate::config::Config;
use crate::error::ApplyError;
use crate::fact::{Command, Did, Fact, Incoming, Malformed};
use crate::position::Position;
use crate::projections::accounts::Accounts;
use crate::projections::changes::{self, Changes};
use crate::projections::commands::Commands;
use crate::projections::conversations::Conversations;
use crate::projections::days::Days;
use crate::projections::dead_letters::DeadLetters;
use crate::projections::members::Members;
use crate::projections::mentions::Mentions;
use crate::projections::messages::Messages;
use crate::projections::pins::Pins;
use crate::projections::preferences::Preferences;
use crate::projections::presence::Presence;
use crate::projections::reactions::Reactions;
use crate::projections::readers::Readers;
use crate::projections::revisions::Revisions;
use crate::projections::rooms::Rooms;
use crate::projections::threads::Threads;

/// Where a stream's read models stand, and what is left to tidy.
#[derive(Debug)]
pub(crate) struct Progress {
    pub stream: Stream,
    pub position: Position,
    /// Whether there may be old changes to let go of.
    pub prune: bool,
    /// Events that are passed over. Only ever decided about what the position is beyond.
    pub skipped: HashSet<u64>,
}

/// Events that went to the dead letters.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Dead {
    pub malformed: u64,
    pub waiting: u64,
}

/// Applies events that follow the position, all of them.
pub(crate) async fn apply(
    connection: &mut PgConnection,
    config: &Config,
    progress: &mut Progress,
    events: &mut [Incoming],
) -> Result<Dead, ApplyError> {
    let mut halves = Halves::of(events);
    while let Some(range) = halves.next() {
        let applied = transaction(connection, config, progress, &events[range.clone()]).await;
        halves.after(range, applied, events)?;
    }
    Ok(halves.dead)
}

/// Folds events of a held conversation into what is there, all of them, as a part of a transaction and without moving the
/// position. `event_at` is when what is there happened.
pub(crate) async fn fold(
    transaction: &mut PgConnection,
    config: &Config,
    event_at: Option<OffsetDateTime>,
    skipped: &HashSet<u64>,
    events: &mut [Incoming],
) -> Result<Dead, ApplyError> {
    let days = Days::after(event_at);
    let mut halves = Halves::of(events);
    while let Some(range) = halves.next() {
        let mut savepoint = transaction.begin().await?;
        let folded = write_chat(&mut savepoint, config, &events[range.clone()], &days, skipped).await;
        if folded.is_ok() {
            savepoint.commit().await?;
        } else {
            savepoint.rollback().await?;
        }
        halves.after(range, folded, events)?;
    }
    Ok(halves.dead)
}

/// Events that are applied part by part. A value that PostgreSQL refuses makes its event a dead letter; to find it, they
/// are halved until it stands alone.
struct Halves {
    /// Those that are still to be applied, the next one last.
    ranges: Vec<Range<usize>>,
    dead: Dead,
}

impl Halves {
    fn of(events: &[Incoming]) -> Self {
        Self { ranges: std::iter::once(0..events.len()).collect(), dead: Dead::default() }
    }

    fn next(&mut self) -> Option<Range<usize>> {
        self.ranges.pop()
    }

    /// What came of applying one.
    fn after(
        &mut self,
        range: Range<usize>,
        applied: Result<Dead, ApplyError>,
        events: &mut [Incoming],
    ) -> Result<(), ApplyError> {
        match applied {
            Ok(more) => {
                self.dead.malformed += more.malformed;
                self.dead.waiting += more.waiting;
            }
            Err(ApplyError::Refused(_)) if range.len() > 1 => {
                let middle = range.start + range.len() / 2;
                self.ranges.extend([middle..range.end, range.start..middle]);
            }
            Err(ApplyError::Refused(error)) if events[range.start].fact.is_ok() => {
                let conversation = events[range.start].conversation();
                let reason = format!("PostgreSQL refuses it: {error}");
                events[range.start].fact = Err(Malformed { reason, conversation });
                self.ranges.push(range);
            }
            Err(error) => return Err(error),
        }
        Ok(())
    }
}

async fn transaction(
    connection: &mut PgConnection,
    config: &Config,
    progress: &mut Progress,
    events: &[Incoming],
) -> Result<Dead, ApplyError> {
    let (stream, from) = (progress.stream, progress.position);
    // The position says what is applied already: a repeat is passed over.
    let first = events.partition_point(|event| event.stored.seq <= from.seq);
    let events = &events[first..];
    let Some(last) = events.last() else { return Ok(Dead::default()) };
    let days = days(&from, events);
    let to = Position { seq: last.stored.seq, tag: last.stored.tag(), event_at: days.now(), ..from };

    let mut transaction = connection.begin().await?;
    from.advance(&to, &mut transaction, stream).await?;
    if Bug::PositionApart.is_planted() {
        transaction.commit().await?;
        tokio::time::sleep(Duration::from_millis(50)).await;
        transaction = connection.begin().await?;
    }
    let dead = match stream {
        Stream::Chat => write_chat(&mut transaction, config, events, &days, &progress.skipped).await?,
        Stream::Presence => write_presence(&mut transaction, events).await?,
    };
    let mut prune = progress.prune || days.has_new();
    prune &= stream == Stream::Chat;
    if prune {
        prune = changes::prune(&mut transaction).await?;
    }
    if stream == Stream::Chat && Bug::ApplyTwice.strikes(20) {
        write_chat(&mut transaction, config, events, &days, &progress.skipped).await?;
    }
    transaction.commit().await?;
    (progress.position, progress.prune) = (to, prune);
    Ok(dead)
}

fn days(from: &Position, events: &[Incoming]) -> Days {
    let mut days = Days::after(from.event_at);
    for event in events {
        days.passed(event.stored.seq, event.at);
    }
    days
}

async fn write_chat(
    transaction: &mut PgConnection,
    config: &Config,
    events: &[Incoming],
    days: &Days,
    skipped: &HashSet<u64>,
) -> Result<Dead, ApplyError> {
    let ids: HashSet<_> = events.iter().filter_map(Incoming::conversation).collect();
    let mut conversations = if ids.is_empty() {
        Conversations::default()
    } else {
        Conversations::load(transaction, ids.into_iter().collect()).await?
    };
    let threads = events.iter().filter_map(|event| event.fact.as_ref().ok()?.thread());
    let mut fold = Fold { threads: Threads::load(transaction, threads.collect()).await?, ..Fold::default() };
    for event in events.iter().filter(|event| !skipped.contains(&event.stored.seq)) {
        fold.add(&mut conversations, event);
    }
    fold.readers.resolve(transaction).await?;
    conversations.write(transaction).await?;
    for turn in fold.members.write(transaction).await? {
        fold.mentions.turned(&turn);
        if turn.came {
            fold.readers.read(&conversations, turn.room, turn.user, turn.seq);
        }
    }
    fold.readers.write(transaction).await?;
    fold.rooms.write(transaction).await?;
    fold.messages.write(transaction).await?;
    fold.threads.write(transaction).await?;
    fold.mentions.write(transaction, &fold.readers, &fold.threads).await?;
    fold.pins.write(transaction).await?;
    fold.preferences.write(transaction).await?;
    fold.reactions.write(transaction).await?;
    fold.revisions.write(transaction).await?;
    fold.commands.write(transaction).await?;
    fold.changes.write(transaction).await?;
    fold.accounts.write(transaction, days, config.revocations_kept).await?;
    days.write(transaction, config.changes_kept_days).await?;
    fold.dead_letters.write(transaction, Stream::Chat).await?;
    Ok(fold.dead())
}

async fn write_presence(transaction: &mut PgConnection, events: &[Incoming]) -> Result<Dead, ApplyError> {
    let mut fold = Fold::default();
    for event in events {
        fold.add(&mut Conversations::default(), event);
    }
    fold.presence.write(transaction).await?;
    fold.dead_letters.write(transaction, Stream::Presence).await?;
    Ok(fold.dead())
}

/// What a batch comes to, for each read model.
#[derive(Default)]
struct Fold<'a> {
    members: Members<'a>,
    rooms: Rooms<'a>,
    messages: Messages<'a>,
    threads: Threads,
    mentions: Mentions<'a>,
    pins: Pins,
    preferences: Preferences<'a>,
    commands: Commands<'a>,
    reactions: Reactions<'a>,
    revisions: Revisions<'a>,
    readers: Readers,
    changes: Changes<'a>,
    accounts: Accounts<'a>,
    presence: Presence,
    dead_letters: DeadLetters<'a>,
}

impl<'a> Fold<'a> {
    fn add(&mut self, conversations: &mut Conversations, event: &'a Incoming) {
        let held = event.conversation().and_then(|id| conversations.held_since(id));
        match (&event.fact, held) {
            (Err(malformed), _) => self.malformed(conversations, event, malformed),
            (Ok(_), Some(since)) => self.dead_letters.waiting(event, since),
            (Ok(fact), None) => self.fact(conversations, event, fact),
        }
    }

    fn fact(&mut self, conversations: &mut Conversations, event: &'a Incoming, fact: &'a Fact) {
        let (seq, at) = (event.stored.seq, event.at);
        match fact {
            Fact::Message(message) => {
                let id = message.conversation;
                conversations.changed(id, &message.people, seq, at);
                let ordinal = match message.thread {
                    None => {
                        let ordinal = conversations.said(id, seq, at);
                        self.readers.read(conversations, id, message.sender, seq);
                        ordinal
                    }
                    Some(root) => self.threads.said((id, root), message.sender, &message.mentions, seq, at),
                };
                self.messages.said(seq, at, ordinal, message);
                self.mentions.said(seq, message);
                let command = (message.sender, message.id);
                self.commands.stored(command, seq, at, Some(id), Some(&message.fingerprint));
            }
            Fact::Change(change) => {
                let id = change.conversation;
                conversations.changed(id, &change.people, seq, at);
                self.reactions.add(seq, change);
                self.pins.add(seq, at, change);
                self.revisions.add(seq, at, change);
                self.changes.change(seq, at, change);
                self.commands.stored((change.actor, change.id), seq, at, Some(id), Some(&change.fingerprint));
            }
            Fact::Marker(marker) => {
                let id = marker.conversation;
                // Nobody has read what is not there yet.
                let read = marker.read.min(seq);
                conversations.changed(id, &marker.people, seq, at);
                match marker.thread {
                    None => self.readers.read(conversations, id, marker.reader, read),
                    Some(root) => self.threads.read((id, root), marker.reader, read),
                }
                self.changes.marker(seq, at, marker, read);
                if let Some(command) = marker.id {
                    self.commands.stored((marker.reader, command), seq, at, Some(id), None);
                }
            }
            Fact::Account(account) => {
                self.accounts.became(seq, account);
                if let Some(command) = account.command {
                    self.commands.stored(command, seq, at, None, account.did.as_ref().map(Did::fingerprint));
                    match &account.did {
                        Some(Did::Block(block)) => self.changes.block(seq, at, command, block),
                        Some(Did::Profile { .. }) => self.changes.profile(seq, at, command, account.names.as_ref()),
                        None => {}
                    }
                }
            }
            Fact::Membership(membership) => {
                conversations.changed(membership.room, &[], seq, at);
                self.members.changed(seq, at, membership);
                self.changes.member(seq, at, membership);
                if let Some(Command { id, fingerprint }) = &membership.command {
                    self.commands.stored((membership.by, *id), seq, at, Some(membership.room), Some(fingerprint));
                }
            }
            Fact::Room(room) => {
                conversations.changed(room.room, &[], seq, at);
                self.rooms.became(seq, room);
                self.changes.room(seq, at, room);
                if let Some(Command { id, fingerprint }) = &room.command {
                    self.commands.stored((room.by, *id), seq, at, Some(room.room), Some(fingerprint));
                }
            }
            Fact::Preferences(preferences) => {
                self.preferences.became(seq, preferences);
                self.changes.preferences(seq, at, preferences);
                let Command { id, fingerprint } = &preferences.command;
                let command = (preferences.owner, *id);
                self.commands.stored(command, seq, at, Some(preferences.conversation), Some(fingerprint));
            }
            Fact::Presence { uid, status } => self.presence.changed(*uid, at, status),
            Fact::Received { uid, seq } => self.presence.received(*uid, *seq),
        }
    }

    fn malformed(&mut self, conversations: &mut Conversations, event: &'a Incoming, malformed: &Malformed) {
        let seq = event.stored.seq;
        tracing::error!(
            seq,
            subject = &*event.stored.subject,
            reason = malformed.reason,
            conversation = malformed.conversation.map(tracing::field::display),
            "an event can't be applied and went to the dead letters, as will what follows in its conversation"
        );
        self.dead_letters.malformed(event, &malformed.reason);
        if let Some(conversation) = malformed.conversation
            && conversations.hold(conversation, seq)
        {
            self.dead_letters.hold(conversation, seq);
        }
    }

    fn dead(&self) -> Dead {
        let (malformed, waiting) = self.dead_letters.count();
        Dead { malformed, waiting }
    }
}
