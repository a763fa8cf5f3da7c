//! The client as programs hold it.

use std::fmt;
use std::future::IntoFuture;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use futures::FutureExt;
use futures::future::BoxFuture;
use natter_events::{ClientId, ConversationId};
use natter_protocol::frame::{
    Block, Delete, Edit, Mark, Pin, Prefer, Preferences, PresenceChoice, React, RoomCreate, RoomUpdate, Send,
    SetPresence, SetProfile, To, Toggle,
};
use natter_protocol::http::{Connections, ConnectionsQuery, OnlinePage};
use natter_protocol::{Encoding, Handle, text};
use tokio::sync::{Semaphore, mpsc, oneshot, watch};

use crate::builder::Builder;
use crate::connection::State;
use crate::connection::requests::{Request, Shared};
use crate::credentials::Credentials;
use crate::error::{HttpError, SendError};
use crate::event::Sent;
use crate::history::History;
use crate::http;
use crate::outbox::Command;
use crate::server::Server;

/// A connection to Natter that comes back by itself. Cheap to clone; when the last clone and the
/// [`Events`](crate::Events) are dropped, it ends.
#[derive(Clone)]
pub struct Client(pub(crate) Arc<Inner>);

pub(crate) struct Inner {
    pub(crate) server: Server,
    pub(crate) http: reqwest::Client,
    pub(crate) credentials: Credentials,
    pub(crate) encoding: Encoding,
    pub(crate) requests: mpsc::Sender<Request>,
    /// Places in the outbox.
    pub(crate) places: Arc<Semaphore>,
    pub(crate) shared: Arc<Shared>,
    pub(crate) state: watch::Receiver<State>,
}

impl Client {
    /// Begins to build a client for the deployment at `url`, like `https://chat.example.org`.
    pub fn builder(url: impl AsRef<str>) -> Builder {
        Builder::new(url.as_ref())
    }

    /// Who this is, once the server has said so.
    pub fn user(&self) -> Option<Handle> {
        self.0.shared.user.lock().clone()
    }

    /// What the connection is doing, now and whenever it changes.
    pub fn state(&self) -> watch::Receiver<State> {
        self.0.state.clone()
    }

    /// Says `text` to someone: a [`Handle`], several of them, or a [`ConversationId`]. Awaiting gives the answer once it is
    /// in the log.
    ///
    /// The message goes through the outbox: in order, again after each reconnection, and again when the server is
    /// overloaded, always with the same id. So awaiting may take as long as the network is away. When the outbox is full,
    /// awaiting waits for room first. Dropping the future does not take the message back.
    ///
    /// The answer comes in order with the events. A program that awaits this in the same task that reads its
    /// [`Events`](crate::Events) is fine as long as fewer events than [`event_capacity`](Builder::event_capacity) come in
    /// the meantime; past that it gets [`SendError::EventsNotRead`] after five seconds, and the outcome as
    /// [`Event::Settled`](crate::Event::Settled).
    pub fn send(&self, to: impl Into<Recipients>, text: impl Into<String>) -> Sending<'_> {
        let send = Send {
            reference: None,
            to: to.into().0,
            id: self.new_id(),
            text: text.into(),
            reply_to: None,
            thread: None,
            metadata: None,
        };
        Sending { client: self, send }
    }

    /// Says a message of the user's own otherwise. Goes through the outbox like [`send`](Self::send).
    pub async fn edit(
        &self,
        conversation: ConversationId,
        message: u64,
        text: impl Into<String>,
    ) -> Result<Sent, SendError> {
        let edit = Edit { reference: None, conversation, message, id: self.new_id(), text: text.into() };
        self.command(Command::Edit(edit)).await
    }

    /// Takes a message of the user's own back: what it said is gone, that something was said stays. Goes through the
    /// outbox like [`send`](Self::send).
    pub async fn delete(&self, conversation: ConversationId, message: u64) -> Result<Sent, SendError> {
        let delete = Delete { reference: None, conversation, message, id: self.new_id() };
        self.command(Command::Delete(delete)).await
    }

    /// Reacts to a message with one emoji, or takes that back. Doing either twice is doing it once. Goes through the outbox
    /// like [`send`](Self::send).
    ///
    /// ```no_run
    /// # use natter_client::{Client, ConversationId, Toggle, SendError};
    /// # async fn example(client: &Client, conversation: ConversationId) -> Result<(), SendError> {
    /// let sent = client.send(conversation, "Lunch?").await?;
    /// client.react(conversation, sent.seq, "👍", Toggle::Add).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn react(
        &self,
        conversation: ConversationId,
        message: u64,
        emoji: &str,
        op: Toggle,
    ) -> Result<Sent, SendError> {
        let emoji = text::emoji(emoji).ok_or(SendError::NotAnEmoji)?.to_owned();
        let react = React { reference: None, conversation, message, id: self.new_id(), emoji, op };
        self.command(Command::React(react)).await
    }

    /// Pins a message, or takes it from the pinned ones: in a room that is for moderators. Doing either twice is doing it
    /// once. Goes through the outbox like [`send`](Self::send).
    pub async fn pin(&self, conversation: ConversationId, message: u64, op: Toggle) -> Result<Sent, SendError> {
        self.command(Command::Pin(Pin { reference: None, conversation, message, id: self.new_id(), op })).await
    }

    /// Blocks someone: in a conversation of only the two of them, neither can say anything to the other (CMD7). Goes through
    /// the outbox like [`send`](Self::send).
    pub async fn block(&self, user: Handle) -> Result<Sent, SendError> {
        self.command(Command::Block(Block { reference: None, id: self.new_id(), user })).await
    }

    /// Takes a block back. Goes through the outbox like [`send`](Self::send).
    pub async fn unblock(&self, user: Handle) -> Result<Sent, SendError> {
        self.command(Command::Unblock(Block { reference: None, id: self.new_id(), user })).await
    }

    /// Says how the user wants to be shown: with this name, or with an empty one by their handle. Goes through the outbox like
    /// [`send`](Self::send).
    pub async fn profile(&self, display_name: impl Into<String>) -> Result<Sent, SendError> {
        let profile = SetProfile { reference: None, id: self.new_id(), display_name: display_name.into() };
        self.command(Command::Profile(profile)).await
    }

    /// Says how a conversation is to be treated on the user's devices: all of it at once, so what is to stay is said again.
    /// Goes through the outbox like [`send`](Self::send).
    pub async fn prefer(&self, conversation: ConversationId, preferences: Preferences) -> Result<Sent, SendError> {
        self.command(Command::Prefer(Prefer { reference: None, conversation, id: self.new_id(), preferences })).await
    }

    /// Says that the user has read the conversation up to `read`, but for its threads. Goes through the outbox like
    /// [`send`](Self::send).
    pub async fn mark(&self, conversation: ConversationId, read: u64) -> Result<Sent, SendError> {
        let mark = Mark { reference: None, conversation, id: self.new_id(), read, thread: None };
        self.command(Command::Mark(mark)).await
    }

    /// Says that the user has read the thread of the message `root` up to `read`. Goes through the outbox like
    /// [`send`](Self::send).
    pub async fn mark_thread(&self, conversation: ConversationId, root: u64, read: u64) -> Result<Sent, SendError> {
        let mark = Mark { reference: None, conversation, id: self.new_id(), read, thread: Some(root) };
        self.command(Command::Mark(mark)).await
    }

    /// Says that the user is writing in the conversation; true for five seconds. Not said when there is no connection.
    pub async fn typing(&self, conversation: ConversationId) {
        let _ = self.0.requests.send(Request::Typing(conversation)).await;
    }

    /// Says what others are to see of the user; said again by itself after each reconnection.
    pub async fn presence(&self, status: PresenceChoice, text: Option<String>) -> Result<(), SendError> {
        let (answer, answered) = oneshot::channel();
        let presence = SetPresence { reference: None, status, text };
        self.ask(Request::Presence(presence, answer)).await?;
        answered.await.unwrap_or(Err(SendError::Stopped))
    }

    /// Asks for the presence of these users, now and whenever it changes, as [`Event::Presence`](crate::Event::Presence).
    /// Replaces the last list; asked for again by itself after each reconnection.
    pub async fn watch(&self, users: impl IntoIterator<Item = Handle>) -> Result<(), SendError> {
        self.ask(Request::Watch(users.into_iter().collect())).await
    }

    /// Reads what was said before.
    pub fn history(&self) -> History {
        History::new(
            self.0.server.clone(),
            self.0.http.clone(),
            self.0.credentials.clone(),
            Some(self.0.shared.clone()),
        )
    }

    /// How many live sockets each of these users has, over all gateways.
    pub async fn connections(&self, users: impl IntoIterator<Item = Handle>) -> Result<Connections, HttpError> {
        let query = ConnectionsQuery { users: users.into_iter().collect() };
        let request = self.0.http.post(self.0.server.http("/api/connections"));
        http::json(request.bearer_auth(self.0.credentials.token().text).json(&query)).await
    }

    /// Who is online: one page, and where the next one begins.
    pub async fn online(&self, cursor: Option<&str>) -> Result<OnlinePage, HttpError> {
        let request =
            self.0.http.get(self.0.server.http("/api/online")).query(&cursor.map(|cursor| [("cursor", cursor)]));
        http::json(request.bearer_auth(self.0.credentials.token().text)).await
    }

    /// A new id for a command, on the server's clock. To be made when the user acts, and kept.
    pub fn new_id(&self) -> ClientId {
        ClientId::at(self.0.shared.server_now_ms())
    }

    /// Does not wait for the next attempt: someone pressed a button, or the network is back (HRT5).
    pub fn reconnect_now(&self) {
        let _ = self.0.requests.try_send(Request::Wake);
    }

    /// Replaces the token that was given to the builder, in place (HRT4). A client with a session does this by itself.
    pub async fn use_token(&self, token: impl Into<Arc<str>>) -> Result<(), SendError> {
        self.0.credentials.replace(token.into());
        self.ask(Request::Token).await
    }

    /// Ends the connection. Commands without an answer stay in the outbox's file, if there is one.
    pub async fn close(&self) {
        if self.ask(Request::Close).await.is_ok() {
            let mut state = self.state();
            let _ = state.wait_for(|state| matches!(state, State::Stopped(_))).await;
        }
    }

    /// Does any durable command, under the id that it carries: for programs that keep their commands themselves. What the
    /// other methods do, this does too; a command with an id that was used before is answered as it was then (CMD2). Goes
    /// through the outbox like [`send`](Self::send).
    pub async fn command(&self, command: Command) -> Result<Sent, SendError> {
        self.check(&command)?;
        let Ok(place) = self.0.places.clone().acquire_owned().await else { return Err(SendError::Stopped) };
        let (answer, answered) = oneshot::channel();
        self.ask(Request::Durable { command, answer, place }).await?;
        answered.await.unwrap_or(Err(SendError::Stopped))
    }

    /// What the server would refuse, or close the socket for, is refused here.
    fn check(&self, command: &Command) -> Result<(), SendError> {
        match command {
            Command::Send(Send { text, .. }) | Command::Edit(Edit { text, .. }) => text::check_message(text)?,
            // An empty name is none.
            Command::Profile(SetProfile { display_name, .. }) if !display_name.is_empty() => {
                text::check_display_name(display_name)?;
            }
            Command::RoomCreate(RoomCreate { name, topic, .. }) => check_room(Some(name), topic.as_deref())?,
            Command::RoomUpdate(RoomUpdate { name, topic, .. }) => check_room(name.as_deref(), topic.as_deref())?,
            _ => {}
        }
        // A reference adds at most this much.
        let bytes = self.0.encoding.encode_client(&command.frame(None)).len() + 32;
        let limit = self.0.shared.frame_bytes.load(Ordering::Relaxed);
        if bytes > limit { Err(SendError::TooLarge { bytes, limit }) } else { Ok(()) }
    }

    async fn ask(&self, request: Request) -> Result<(), SendError> {
        self.0.requests.send(request).await.map_err(|_| SendError::Stopped)
    }
}

fn check_room(name: Option<&str>, topic: Option<&str>) -> Result<(), SendError> {
    name.map_or(Ok(()), text::check_room_name)?;
    // An empty topic is none.
    Ok(topic.filter(|topic| !topic.is_empty()).map_or(Ok(()), text::check_room_topic)?)
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").field("server", &self.0.server).field("state", &*self.0.state.borrow()).finish()
    }
}

/// A message about to be sent: await it.
#[derive(Debug)]
#[must_use = "a message is sent when this is awaited"]
pub struct Sending<'a> {
    client: &'a Client,
    send: Send,
}

impl Sending<'_> {
    /// It answers the message at `seq` of the same conversation.
    pub fn reply_to(mut self, seq: u64) -> Self {
        self.send.reply_to = Some(seq);
        self
    }

    /// It is said in the thread of the message at `seq` of the same conversation, which is in no thread itself.
    pub fn thread(mut self, seq: u64) -> Self {
        self.send.thread = Some(seq);
        self
    }

    /// Something for programs, at most 4 KiB as JSON.
    pub fn metadata(mut self, metadata: serde_json::Value) -> Self {
        self.send.metadata = Some(metadata);
        self
    }

    /// The id that it is known by, made with [`Client::new_id`]. The same id is the same message, however often it is
    /// sent (CMD2).
    pub fn id(mut self, id: ClientId) -> Self {
        self.send.id = id;
        self
    }
}

impl<'a> IntoFuture for Sending<'a> {
    type Output = Result<Sent, SendError>;
    type IntoFuture = BoxFuture<'a, Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        self.client.command(Command::Send(self.send)).boxed()
    }
}

/// Whom a message is for.
#[derive(Debug, Clone, PartialEq)]
pub struct Recipients(To);

impl From<ConversationId> for Recipients {
    fn from(conversation: ConversationId) -> Self {
        Self(To::Conversation(conversation))
    }
}

impl From<Handle> for Recipients {
    fn from(handle: Handle) -> Self {
        Self(To::Participants(vec![handle]))
    }
}

impl From<&Handle> for Recipients {
    fn from(handle: &Handle) -> Self {
        handle.clone().into()
    }
}

impl From<Vec<Handle>> for Recipients {
    fn from(handles: Vec<Handle>) -> Self {
        Self(To::Participants(handles))
    }
}

impl From<&[Handle]> for Recipients {
    fn from(handles: &[Handle]) -> Self {
        handles.to_vec().into()
    }
}

impl From<To> for Recipients {
    fn from(to: To) -> Self {
        Self(to)
    }
}
