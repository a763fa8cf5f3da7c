//! What was said before: pages of the history API, one at a time or as streams.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use futures::{Stream, TryStreamExt, stream};
use natter_events::ConversationId;
use natter_protocol::history::{
    At, BanItem, BlockItem, ConversationItem, MemberItem, MessageItem, Page, PinItem, RoomItem, UserItem, VersionItem,
};
use natter_protocol::{ErrorCode, Handle, MIN_POSITION_HEADER, Position, ServerFrame};
use serde::de::DeserializeOwned;

use crate::connection::requests::Shared;
use crate::credentials::Credentials;
use crate::error::HttpError;
use crate::http;
use crate::server::Server;
use crate::session::Session;

/// A page that is not there yet is asked for so often before the error is told.
const ATTEMPTS: u32 = 4;
/// The longest wait between two of them.
const LONGEST_WAIT: Duration = Duration::from_secs(5);
/// The wait when the server does not say how long.
const USUAL_WAIT: Duration = Duration::from_millis(250);

/// Reads history. Of a [`Client`](crate::Client), it includes what the client wrote and everything up to the last reset
/// (CON5, HST2). What can't be had at the moment (`unavailable`) is asked for a few times before that is an error.
#[derive(Clone)]
pub struct History {
    server: Server,
    http: reqwest::Client,
    credentials: Credentials,
    shared: Option<Arc<Shared>>,
    /// What has to be in it beside that.
    at_least: Option<Position>,
}

impl History {
    /// History without a connection.
    pub fn of(session: &Session) -> Result<Self, HttpError> {
        Ok(Self::new(session.server().clone(), http::client()?, Credentials::Session(session.clone()), None))
    }

    pub(crate) fn new(
        server: Server,
        http: reqwest::Client,
        credentials: Credentials,
        shared: Option<Arc<Shared>>,
    ) -> Self {
        Self { server, http, credentials, shared, at_least: None }
    }

    /// History that is true at this position or later (HST2): of an event, for what it tells of.
    pub fn at_least(mut self, position: Position) -> Self {
        self.at_least = Some(position);
        self
    }

    /// The user's conversations, the one with the latest activity first.
    pub fn conversations(&self) -> Pages<ConversationItem> {
        self.pages("/history/conversations")
    }

    /// One conversation.
    pub async fn conversation(&self, id: ConversationId) -> Result<At<ConversationItem>, HttpError> {
        self.get(&format!("/history/conversations/{id}"), &[], self.needed()).await
    }

    /// A conversation's messages outside of threads, as they now stand, the latest first unless [`after`](Pages::after) or
    /// [`around`](Pages::around) says otherwise. [`in_thread`](Pages::in_thread) asks for those of a thread instead.
    pub fn messages(&self, id: ConversationId) -> Pages<MessageItem> {
        self.pages(format!("/history/conversations/{id}/messages"))
    }

    /// What a message said, from when it was said to now, the oldest first. A deleted message has none.
    pub fn versions(&self, conversation: ConversationId, message: u64) -> Pages<VersionItem> {
        self.pages(format!("/history/conversations/{conversation}/messages/{message}/versions"))
    }

    /// The messages of the direct conversation of these people and the user.
    pub fn direct(&self, participants: &[Handle]) -> Pages<MessageItem> {
        let names: Vec<_> = participants.iter().map(Handle::as_str).collect();
        self.pages("/history/direct").with("participants", names.join(","))
    }

    /// Whom the user has blocked.
    pub fn blocks(&self) -> Pages<BlockItem> {
        self.pages("/history/blocks")
    }

    /// Who is in a conversation of the user's. Of others' it is refused: with
    /// [`NotMember`](crate::ErrorCode::NotMember) for a public room, else with [`NotFound`](crate::ErrorCode::NotFound).
    pub fn members(&self, conversation: ConversationId) -> Pages<MemberItem> {
        self.pages(format!("/history/conversations/{conversation}/members"))
    }

    /// The threads of a conversation, the one with the latest message first, each as the message that it begins with.
    pub fn threads(&self, conversation: ConversationId) -> Pages<MessageItem> {
        self.pages(format!("/history/conversations/{conversation}/threads"))
    }

    /// The pinned messages of a conversation, the last one pinned first.
    pub fn pins(&self, conversation: ConversationId) -> Pages<PinItem> {
        self.pages(format!("/history/conversations/{conversation}/pins"))
    }

    /// Who may not come back to a room: for its moderators and owners, others get
    /// [`Forbidden`](crate::ErrorCode::Forbidden).
    pub fn bans(&self, room: ConversationId) -> Pages<BanItem> {
        self.pages(format!("/history/conversations/{room}/bans"))
    }

    /// The public rooms by their names; with a query, those that have words in their name or topic that begin with each of
    /// its words.
    pub fn rooms(&self, query: &str) -> Pages<RoomItem> {
        let pages = self.pages("/history/rooms");
        if query.is_empty() { pages } else { pages.with("q", query) }
    }

    /// Messages in whose words each word of the query begins one, of all that the user may read, the newest first. While
    /// there is little to find, a page may be short or empty before the last one.
    pub fn search(&self, query: &str) -> Search {
        Search { pages: self.pages("/history/search").with("q", query) }
    }

    /// One room, public or the user's.
    pub async fn room(&self, room: ConversationId) -> Result<At<RoomItem>, HttpError> {
        self.get(&format!("/history/rooms/{room}"), &[], self.needed()).await
    }

    /// Users whose handles begin with `prefix`.
    pub fn users(&self, prefix: &str) -> Pages<UserItem> {
        self.pages("/history/users").with("prefix", prefix)
    }

    /// One user.
    pub async fn user(&self, handle: &Handle) -> Result<UserItem, HttpError> {
        self.get(&format!("/history/users/{handle}"), &[], None).await
    }

    /// The user's durable events since a position, in order: for bots and offline stores.
    pub fn changes(&self, after: Position) -> Pages<ServerFrame> {
        self.pages("/history/changes").with("after", after.to_string())
    }

    fn pages<T>(&self, path: impl Into<String>) -> Pages<T> {
        Pages {
            history: self.clone(),
            path: path.into(),
            query: Vec::new(),
            at_least: self.needed(),
            next: Next::First,
            items: std::marker::PhantomData,
        }
    }

    /// What has to be in it: what was asked for, and what the client knows of.
    fn needed(&self) -> Option<Position> {
        let known = self.shared.as_ref().and_then(|shared| shared.at_least());
        match (known, self.at_least) {
            // Of another log, the client's is the newer one.
            (Some(known), Some(asked)) if known.epoch != asked.epoch || known.seq > asked.seq => Some(known),
            (known, asked) => asked.or(known),
        }
    }

    async fn get<T: DeserializeOwned>(
        &self,
        path: &str,
        query: &[(&'static str, String)],
        at_least: Option<Position>,
    ) -> Result<T, HttpError> {
        let mut attempt = 1;
        let mut renewed = false;
        loop {
            let mut request = self.http.get(self.server.http(path)).query(query);
            request = request.bearer_auth(self.credentials.token().text);
            if let Some(position) = at_least {
                request = request.header(MIN_POSITION_HEADER, position.to_string());
            }
            let error = match http::json(request).await {
                Ok(answer) => return Ok(answer),
                Err(error) => error,
            };
            match &error {
                HttpError::Refused(refused) if refused.code == ErrorCode::Unauthenticated && !renewed => {
                    renewed = true;
                    if self.credentials.renew().await.is_err() {
                        return Err(error);
                    }
                }
                HttpError::Refused(refused) if refused.code.temporary() && attempt < ATTEMPTS => {
                    attempt += 1;
                    tokio::time::sleep(refused.retry_after.unwrap_or(USUAL_WAIT).min(LONGEST_WAIT)).await;
                }
                _ => return Err(error),
            }
        }
    }
}

/// A list that is read page by page: [`next_page`](Self::next_page), or all of it as a stream of [`pages`](Self::pages) or
/// [`items`](Self::items). A page is asked for when it is wanted, not before.
pub struct Pages<T> {
    history: History,
    path: String,
    query: Vec<(&'static str, String)>,
    at_least: Option<Position>,
    next: Next,
    items: std::marker::PhantomData<fn() -> T>,
}

enum Next {
    First,
    Cursor(String),
    None,
}

impl<T: DeserializeOwned + 'static> Pages<T> {
    /// Items of a page: 1 to 200, 50 by default.
    pub fn limit(self, items: u32) -> Self {
        self.with("limit", items.to_string())
    }

    /// Asks for a first page that is true at this position or later (HST2).
    pub fn at_least(mut self, position: Position) -> Self {
        self.at_least = Some(position);
        self
    }

    /// The next page, or nothing after the last one. After an error it can be asked for again.
    pub async fn next_page(&mut self) -> Result<Option<Page<T>>, HttpError> {
        let mut query = self.query.clone();
        let at_least = match &self.next {
            Next::First => self.at_least,
            Next::Cursor(cursor) => {
                query.push(("cursor", cursor.clone()));
                None
            }
            Next::None => return Ok(None),
        };
        let page: Page<T> = self.history.get(&self.path, &query, at_least).await?;
        self.next = page.next.clone().map_or(Next::None, Next::Cursor);
        Ok(Some(page))
    }

    /// All pages. An error ends the stream.
    pub fn pages(self) -> impl Stream<Item = Result<Page<T>, HttpError>> {
        stream::try_unfold(self, |mut pages| async move { Ok(pages.next_page().await?.map(|page| (page, pages))) })
    }

    /// All items of all pages. An error ends the stream.
    pub fn items(self) -> impl Stream<Item = Result<T, HttpError>> {
        self.pages().map_ok(|page| stream::iter(VecDeque::from(page.items).into_iter().map(Ok))).try_flatten()
    }

    fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.query.retain(|(known, _)| *known != name);
        self.query.push((name, value.into()));
        self
    }
}

/// A search for messages: where, and by whom. What is found comes in [`pages`](Self::pages).
pub struct Search {
    pages: Pages<MessageItem>,
}

impl Search {
    /// In this conversation alone. Of one that isn't the user's it is refused.
    pub fn conversation(self, id: ConversationId) -> Self {
        self.with("conversation", id.to_string())
    }

    /// What this person said alone.
    pub fn from(self, sender: &Handle) -> Self {
        self.with("from", sender.as_str())
    }

    /// What was said before `seq` alone.
    pub fn before(self, seq: u64) -> Self {
        self.with("before", seq.to_string())
    }

    /// What is found, page by page or as a stream.
    pub fn pages(self) -> Pages<MessageItem> {
        self.pages
    }

    fn with(self, name: &'static str, value: impl Into<String>) -> Self {
        Self { pages: self.pages.with(name, value) }
    }
}

impl Pages<RoomItem> {
    /// Those that are archived, instead of those that are not.
    pub fn archived(self) -> Self {
        self.with("archived", "true")
    }
}

impl Pages<MessageItem> {
    /// Those of the thread of the message `root`, without that one itself.
    pub fn in_thread(self, root: u64) -> Self {
        self.with("thread", root.to_string())
    }

    /// Messages before `seq`, the latest first.
    pub fn before(self, seq: u64) -> Self {
        self.with("before", seq.to_string())
    }

    /// Messages after `seq`, the earliest first.
    pub fn after(self, seq: u64) -> Self {
        self.with("after", seq.to_string())
    }

    /// Messages around `seq`.
    pub fn around(self, seq: u64) -> Self {
        self.with("around", seq.to_string())
    }
}
