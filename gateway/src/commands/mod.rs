//! What clients ask for, decided. One file per command; the socket and its HTTP twin share it.
//!
//! A durable command is either refused, or known already, or an append that was put in the log's queue. Everything is
//! checked before that (CMD4), but a known id is answered first (CMD3).

mod account;
pub mod block;
pub mod change;
pub mod mark;
mod mention;
pub mod prefer;
pub mod profile;
pub mod repeat;
pub mod room;
pub mod send;
pub mod typing;

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use natter_events::{
    ClientId, ContentKey, ConversationId, Event, Fingerprint, Membership, Record, SessionId, Uid, Visibility,
};
use natter_log::{Append, AppendError, Appended, BucketError, Line, Pending, Stream};
use natter_planted::Bug;
use natter_protocol::frame::Refusal;
use natter_protocol::roles::{Action, may};
use natter_protocol::{ErrorCode, Handle, Timestamp, text};

use crate::Gateway;
use crate::accounts::{AccountError, AccountState, Authenticated};
use crate::copies::CopyError;
use crate::feed::{Entry, Kind};
use crate::rooms::RoomState;

use repeat::Known;
use room::create::NotAdded;

/// Below this there is every sequence of a log.
const MAX_SEQ: u64 = 1 << 53;

/// Who asks, as their verified token and account say.
#[derive(Clone)]
pub struct Caller {
    pub uid: Uid,
    pub handle: Handle,
    pub login: SessionId,
    /// Messages per window that the token grants instead of the usual rate.
    pub rate: Option<u32>,
    pub operator: bool,
    pub account: Arc<AccountState>,
    /// The access token itself, for what is asked of the history API in the caller's name.
    pub token: Arc<str>,
}

impl Caller {
    /// Whoever holds a token that is good.
    pub fn new(authenticated: Authenticated, token: &str) -> Self {
        let Authenticated { claims, handle, account } = authenticated;
        Self {
            uid: claims.uid,
            handle,
            login: claims.session,
            rate: claims.rate,
            operator: claims.is_operator(),
            account,
            token: token.into(),
        }
    }
}

/// A durable command whose event is in the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Done {
    pub seq: u64,
    pub conversation: Option<ConversationId>,
    pub at: Option<Timestamp>,
    pub duplicate: bool,
    /// Of a room that was made: who was to be in it and is not.
    pub refused: Option<Vec<Handle>>,
}

/// What was decided of a durable command that is told by its fingerprint.
pub enum Decided {
    /// It was stored before, just so (CMD2).
    Known(Done),
    /// It is in the log's queue; what the broker says of it decides.
    Queued { storing: Storing, fingerprint: Fingerprint },
    /// A change of state, which is tried again when another comes in between: until it is settled, nothing that its socket
    /// sent behind it may be stored (FRM5).
    Changing { storing: Storing, fingerprint: Fingerprint, refused: Option<NotAdded> },
}

/// A command whose outcome is in the log.
pub trait Durable: Sync {
    type Decided: Send;

    /// What it is told by from others of the same user (CMD2).
    fn id(&self) -> ClientId;

    /// Refuses it, or puts its event in the log's queue: over one line only, if the order of a socket asks for it, and
    /// until this returns, nothing of a later command of the same socket may (FRM5). When it is known already, answers it
    /// as the event that it made.
    fn decide(
        &self,
        gateway: &Arc<Gateway>,
        caller: &Caller,
        line: Option<Line>,
        known: Option<Known>,
    ) -> impl Future<Output = Result<Self::Decided, Refused>> + Send;
}

/// Decides a command with what is known of its id. What would refuse it for good, a second look at the id comes before: it
/// may have been stored, and be known by now (CMD3).
pub async fn decide<C: Durable>(
    gateway: &Arc<Gateway>,
    caller: &Caller,
    command: &C,
    line: Option<Line>,
) -> Result<C::Decided, Refused> {
    let known = repeat::known(gateway, caller, command.id()).await?;
    let refused = match command.decide(gateway, caller, line, known).await {
        Err(refused) => refused,
        decided => return decided,
    };
    let known = repeat::before_refusing(gateway, caller, command.id(), refused).await?;
    command.decide(gateway, caller, line, Some(known)).await
}

/// How a durable command ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stored {
    Event(Appended),
    /// Nothing was stored: it is so already, as the event at `seq` says.
    Already {
        seq: u64,
    },
}

/// How a command ends.
pub type Storing = Pin<Box<dyn Future<Output = Result<Stored, Refused>> + Send>>;

/// A command was refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    pub code: ErrorCode,
    pub message: String,
    pub retry_after_ms: Option<u64>,
    /// It may come again, and nothing that its socket sent behind it may be stored before it (FRM5).
    pub is_loss: bool,
}

impl Refused {
    pub fn new(code: ErrorCode, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), retry_after_ms: None, is_loss: false }
    }

    /// Too often: when there is room again.
    pub fn rate_limited(wait: std::time::Duration) -> Self {
        let ms = u64::try_from(wait.as_millis()).unwrap_or(u64::MAX).max(1);
        Self { retry_after_ms: Some(ms), ..Self::new(ErrorCode::RateLimited, "too many in too short a time") }
    }

    /// It can't be stored now, or it is not known whether it was.
    pub fn unavailable(message: impl Into<String>) -> Self {
        Self { is_loss: true, ..Self::not_now(message) }
    }

    /// What this command alone needs can't be had now; others need not wait for it.
    pub fn not_now(message: impl Into<String>) -> Self {
        Self { retry_after_ms: Some(1000), ..Self::new(ErrorCode::Unavailable, message) }
    }

    /// As a frame.
    pub fn frame(self, reference: Option<u64>) -> Refusal {
        let refusal = Refusal::new(reference, self.code, self.message);
        match self.retry_after_ms {
            Some(ms) => refusal.retry_after_ms(ms),
            None => refusal,
        }
    }
}

impl From<Refused> for natter_platform::Problem {
    fn from(refused: Refused) -> Self {
        let problem = natter_platform::Problem::new(refused.code, refused.message);
        match refused.retry_after_ms {
            Some(ms) => problem.retry_after(std::time::Duration::from_millis(ms)),
            None => problem,
        }
    }
}

impl From<BucketError> for Refused {
    fn from(error: BucketError) -> Self {
        tracing::warn!(error = &*natter_platform::error::chain(&error), "a bucket can't be read");
        Self::unavailable("the broker can't be reached")
    }
}

impl From<AccountError> for Refused {
    fn from(error: AccountError) -> Self {
        tracing::warn!(error = &*natter_platform::error::chain(&error), "an account can't be read");
        Self::unavailable("accounts can't be read now")
    }
}

impl From<CopyError> for Refused {
    fn from(error: CopyError) -> Self {
        tracing::warn!(error = &*natter_platform::error::chain(&error), "the state of a room can't be read");
        Self::unavailable("the broker can't be reached")
    }
}

impl From<natter_log::KeyError> for Refused {
    fn from(error: natter_log::KeyError) -> Self {
        tracing::warn!(error = &*natter_platform::error::chain(&error), "a content key can't be read");
        Self::unavailable("the broker can't be reached")
    }
}

impl From<natter_log::ReadError> for Refused {
    fn from(error: natter_log::ReadError) -> Self {
        tracing::warn!(error = &*natter_platform::error::chain(&error), "the log can't be read");
        Self::unavailable("the broker can't be reached")
    }
}

/// What a client is told of an append that failed. Of an unknown outcome too it is told to try again: the same id settles
/// it (CMD3).
pub fn refused_append(error: &AppendError) -> Refused {
    match error {
        AppendError::TooLarge => Refused::new(ErrorCode::TooLarge, "the message is too large to be stored"),
        AppendError::Refused { .. } | AppendError::Invalid { .. } => {
            tracing::error!(error = &*natter_platform::error::chain(error), "the broker refused an append");
            Refused::new(ErrorCode::Internal, "the message could not be stored")
        }
        error => {
            // Not a line for each of thousands: the log says when its connection is lost, and refusals are counted.
            tracing::debug!(error = &*natter_platform::error::chain(error), "an append failed");
            Refused::unavailable("the message could not be stored now; try again with the same id")
        }
    }
}

/// Who hears what is said in a conversation.
pub enum Audience {
    Direct(Arc<[Uid]>),
    /// Its members, of whom the caller is one.
    Room {
        place: Membership,
        state: Arc<RoomState>,
    },
}

impl Audience {
    /// The audience of a conversation that the caller is in. One that they may not see is one that does not exist (CMD6).
    pub async fn of(gateway: &Gateway, caller: Uid, conversation: ConversationId) -> Result<Self, Refused> {
        if conversation.is_room() {
            return Self::of_room(gateway, caller, conversation).await;
        }
        match gateway.conversations.people(conversation).await? {
            Some(people) if people.contains(&caller) => Ok(Self::Direct(people)),
            _ => Err(no_conversation()),
        }
    }

    async fn of_room(gateway: &Gateway, caller: Uid, room: ConversationId) -> Result<Self, Refused> {
        let place = gateway.rooms.of(caller).await?.place_in(room).copied();
        let state = gateway.rooms.get(room).await?;
        match (place, state) {
            (Some(place), Some(state)) => Ok(Self::Room { place, state }),
            (None, Some(state)) if state.room.visibility == Visibility::Public => Err(not_member()),
            _ => Err(no_conversation()),
        }
    }

    /// Whom an event is addressed to by name: in a room nobody.
    pub fn people(&self) -> &[Uid] {
        match self {
            Self::Direct(people) => people,
            Self::Room { .. } => &[],
        }
    }

    /// Whether the caller may do something there. In a direct conversation everybody may everything.
    pub fn allows(&self, action: Action) -> bool {
        match self {
            Self::Direct(_) => true,
            Self::Room { place, .. } => may(place.role, action),
        }
    }

    /// Refuses what says something new where that can't be: between two of whom one has blocked the other, and in a room
    /// that is archived.
    async fn check_open(&self, gateway: &Gateway) -> Result<(), Refused> {
        match self {
            Self::Direct(people) => check_blocks(gateway, people).await,
            Self::Room { state, .. } if state.room.archived => Err(archived()),
            Self::Room { .. } => Ok(()),
        }
    }

    /// Whether the caller sees what stands at `seq` there (EVT3), as far as it takes: what is their own they know.
    fn sees(&self, caller: Uid, entry: &Entry) -> bool {
        match self {
            Self::Direct(_) => true,
            Self::Room { place, state } => {
                entry.actor == caller
                    || place.since.is_some_and(|since| since <= entry.seq)
                    || state.was_public_at(entry.seq)
            }
        }
    }
}

fn no_conversation() -> Refused {
    Refused::new(ErrorCode::NotFound, "no such conversation")
}

fn not_member() -> Refused {
    Refused::new(ErrorCode::NotMember, "you are not a member of this room")
}

fn archived() -> Refused {
    Refused::new(ErrorCode::Archived, "this room is archived")
}

/// A message that a command of the caller's refers to: it is in the same conversation, they see it, and it is not among the
/// newest deletions (CMD4). One elsewhere is one that does not exist (CMD6).
async fn message_at(
    gateway: &Gateway,
    caller: Uid,
    audience: &Audience,
    conversation: ConversationId,
    seq: u64,
) -> Result<Arc<Entry>, Refused> {
    let found = message_seen(gateway, caller, audience, conversation, seq).await?;
    if gateway.feed.tail.is_deleted(seq) { Err(no_message()) } else { Ok(found) }
}

/// The same, deleted or not.
async fn message_seen(
    gateway: &Gateway,
    caller: Uid,
    audience: &Audience,
    conversation: ConversationId,
    seq: u64,
) -> Result<Arc<Entry>, Refused> {
    let found = match gateway.feed.tail.get(seq) {
        Some(entry) => Some(entry),
        None if seq == 0 || seq >= MAX_SEQ => None,
        // Older than the tail; or newer, as the caller may have it from another gateway.
        None => {
            let stored = gateway.log.get(Stream::Chat, seq).await?;
            stored.and_then(|stored| Entry::new(stored).ok()).map(Arc::new)
        }
    };
    let is_there = |entry: &Arc<Entry>| {
        entry.kind == Kind::Message && entry.conversation == Some(conversation) && audience.sees(caller, entry)
    };
    found.filter(is_there).ok_or_else(no_message)
}

fn no_message() -> Refused {
    Refused::new(ErrorCode::NotFound, "there is no such message in this conversation")
}

/// A thread begins with a message that is in none.
fn check_root(entry: &Entry) -> Result<(), Refused> {
    match Record::decode(&entry.record).map(|record| record.event) {
        Ok(Event::MessageSent(sent)) if sent.thread.is_none() => Ok(()),
        _ => Err(Refused::new(ErrorCode::Invalid, "`thread` is in a thread itself")),
    }
}

/// Checks what is to be said (CMD4).
fn check_text(text: &str) -> Result<(), Refused> {
    check_text_with(text::check_message, text)
}

fn check_text_with(check: fn(&str) -> Result<(), text::InvalidText>, text: &str) -> Result<(), Refused> {
    check(text).map_err(|error| {
        let code =
            if matches!(error, text::InvalidText::TooLong { .. }) { ErrorCode::TooLarge } else { ErrorCode::Invalid };
        Refused::new(code, error.to_string())
    })
}

/// Between two people of whom one has blocked the other, nothing is said (CMD7). Neither is told which of them it was.
async fn check_blocks(gateway: &Gateway, people: &[Uid]) -> Result<(), Refused> {
    let &[one, other] = people else { return Ok(()) };
    for (owner, user) in [(one, other), (other, one)] {
        let state = gateway.accounts.accounts.get(owner).await?;
        if state.is_some_and(|state| state.account.blocks.contains(&user)) {
            return Err(Refused::new(ErrorCode::Blocked, "one of you has blocked the other"));
        }
    }
    Ok(())
}

/// The key that seals what the caller writes.
async fn content_key(gateway: &Gateway, caller: &Caller) -> Result<ContentKey, Refused> {
    let key = gateway.keys.get(caller.uid, caller.account.key).await?;
    key.ok_or_else(|| Refused::new(ErrorCode::Forbidden, "this account was erased"))
}

/// Puts an event in the log's queue; over one line only, if the order of a socket asks for it (FRM5).
fn append(gateway: &Gateway, append: Append, line: Option<Line>) -> Pending {
    match line {
        Some(line) => gateway.log.append_over(line, append),
        None => gateway.log.append(append),
    }
}

/// How an append ends, as a client is told.
fn storing(pending: Pending) -> Storing {
    Box::pin(async move { pending.await.map(Stored::Event).map_err(|error| refused_append(&error)) })
}

/// The id that the broker knows a command by, over its window (D10).
pub fn message_id(user: Uid, id: ClientId) -> String {
    if Bug::StoreTwice.is_planted() {
        return format!("{user}:{id}:{:x}", rand::random::<u64>());
    }
    format!("{user}:{id}")
}

/// Others changed the same: they are let go on.
async fn pause(attempt: usize) {
    let most_ms = 1 << attempt.min(5);
    tokio::time::sleep(Duration::from_millis(rand::random_range(0..=most_ms))).await;
}
