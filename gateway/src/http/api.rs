//! The HTTP twins of the socket's commands (PROTOCOL §6), and what only HTTP has.

use std::sync::Arc;

use axum::Json;
use axum::extract::{FromRequestParts, State};
use http::Method;
use http::request::Parts;
use natter_events::{ConversationId, Uid};
use natter_log::{AppendError, Appended};
use natter_platform::Problem;
use natter_platform::problem::{JsonBody, PathParams, QueryParams};
use natter_protocol::frame::{
    Block, Delete, Edit, Mark, Ok as OkFrame, Pin, Prefer, React, Send, SetPresence, SetProfile, Toggle,
};
use natter_protocol::http::{
    CommandQuery, Connections, ConnectionsQuery, EditBody, MarkBody, OnlinePage, OnlineUser, PreferencesBody,
    ProfileBody,
};
use natter_protocol::limits::{DEFAULT_PAGE_ITEMS, MAX_CONNECTION_USERS, MAX_PAGE_ITEMS};
use natter_protocol::{ErrorCode, Handle};
use serde::Deserialize;

use crate::Gateway;
use crate::commands::block::Blocking;
use crate::commands::change::Change;
use crate::commands::mark::Marked;
use crate::commands::repeat::{self, Body};
use crate::commands::{self, Caller, Decided, Done, Durable, Refused, Stored, refused_append};

/// Whoever sends a request, by its bearer token.
pub struct Asking(pub(super) Caller);

impl FromRequestParts<Arc<Gateway>> for Asking {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, gateway: &Arc<Gateway>) -> Result<Self, Problem> {
        if gateway.feed.hole().is_some() {
            return Err(Refused::not_now("the log is damaged; whoever runs this has to see to it").into());
        }
        let authenticated = gateway.accounts.authenticate_request(parts).await?;
        let token = super::bearer(&parts.headers)?.unwrap_or_default();
        Ok(Self(Caller::new(authenticated, &token)))
    }
}

/// `POST /api/messages`.
pub async fn send(
    State(gateway): State<Arc<Gateway>>,
    Asking(caller): Asking,
    JsonBody(command): JsonBody<Send>,
) -> Result<Json<OkFrame>, Problem> {
    perform(&gateway, &caller, command.reference, &command).await
}

/// `PATCH /api/conversations/{id}/messages/{seq}`.
pub async fn edit(
    State(gateway): State<Arc<Gateway>>,
    Asking(caller): Asking,
    PathParams((conversation, message)): PathParams<(ConversationId, u64)>,
    JsonBody(EditBody { id, text }): JsonBody<EditBody>,
) -> Result<Json<OkFrame>, Problem> {
    perform(&gateway, &caller, None, &Change::from(&Edit { reference: None, conversation, message, id, text })).await
}

/// `DELETE /api/conversations/{id}/messages/{seq}?id=`.
pub async fn delete(
    State(gateway): State<Arc<Gateway>>,
    Asking(caller): Asking,
    PathParams((conversation, message)): PathParams<(ConversationId, u64)>,
    QueryParams(CommandQuery { id }): QueryParams<CommandQuery>,
) -> Result<Json<OkFrame>, Problem> {
    perform(&gateway, &caller, None, &Change::from(&Delete { reference: None, conversation, message, id })).await
}

/// `PUT` and `DELETE /api/conversations/{id}/messages/{seq}/reactions/{emoji}?id=`.
pub async fn react(
    State(gateway): State<Arc<Gateway>>,
    Asking(caller): Asking,
    method: Method,
    PathParams((conversation, message, emoji)): PathParams<(ConversationId, u64, String)>,
    QueryParams(CommandQuery { id }): QueryParams<CommandQuery>,
) -> Result<Json<OkFrame>, Problem> {
    let op = if method == Method::PUT { Toggle::Add } else { Toggle::Remove };
    perform(&gateway, &caller, None, &Change::from(&React { reference: None, conversation, message, id, emoji, op }))
        .await
}

/// `PUT /api/conversations/{id}/marker`.
pub async fn mark(
    State(gateway): State<Arc<Gateway>>,
    Asking(caller): Asking,
    PathParams(conversation): PathParams<ConversationId>,
    JsonBody(body): JsonBody<MarkBody>,
) -> Result<Json<OkFrame>, Problem> {
    let command = Mark { reference: None, conversation, id: body.id, read: body.read, thread: body.thread };
    let outcome = match commands::decide(&gateway, &caller, &command, None).await? {
        Marked::Known(done) => return Ok(Json(ok(None, done))),
        Marked::Queued { pending } => pending.await,
        Marked::Waiting { appended } => appended.await.unwrap_or(Err(AppendError::Unavailable)),
        Marked::WaitingWith { covered } => {
            let seq = covered.await.unwrap_or_else(|_| Err(Refused::unavailable("the gateway is stopping")))?;
            return Ok(Json(OkFrame { seq: Some(seq), ..OkFrame::default() }));
        }
    };
    let outcome = outcome.map_err(|error| refused_append(&error));
    appended(&gateway, None, outcome, Body::Marker { conversation, read: body.read, thread: body.thread }).await
}

/// `PUT` and `DELETE /api/conversations/{id}/messages/{seq}/pin?id=`.
pub async fn pin(
    State(gateway): State<Arc<Gateway>>,
    Asking(caller): Asking,
    method: Method,
    PathParams((conversation, message)): PathParams<(ConversationId, u64)>,
    QueryParams(CommandQuery { id }): QueryParams<CommandQuery>,
) -> Result<Json<OkFrame>, Problem> {
    let op = if method == Method::PUT { Toggle::Add } else { Toggle::Remove };
    perform(&gateway, &caller, None, &Change::from(&Pin { reference: None, conversation, message, id, op })).await
}

/// `PUT` and `DELETE /api/blocks/{user}?id=`.
pub async fn block(
    State(gateway): State<Arc<Gateway>>,
    Asking(caller): Asking,
    method: Method,
    PathParams(user): PathParams<Handle>,
    QueryParams(CommandQuery { id }): QueryParams<CommandQuery>,
) -> Result<Json<OkFrame>, Problem> {
    let command = Block { reference: None, id, user };
    perform(&gateway, &caller, None, &Blocking { command: &command, blocked: method == Method::PUT }).await
}

/// `PATCH /api/profile`.
pub async fn profile(
    State(gateway): State<Arc<Gateway>>,
    Asking(caller): Asking,
    JsonBody(ProfileBody { id, display_name }): JsonBody<ProfileBody>,
) -> Result<Json<OkFrame>, Problem> {
    let command = SetProfile { reference: None, id, display_name };
    perform(&gateway, &caller, None, &command).await
}

/// `PUT /api/conversations/{id}/preferences`.
pub async fn prefer(
    State(gateway): State<Arc<Gateway>>,
    Asking(caller): Asking,
    PathParams(conversation): PathParams<ConversationId>,
    JsonBody(PreferencesBody { id, preferences }): JsonBody<PreferencesBody>,
) -> Result<Json<OkFrame>, Problem> {
    let command = Prefer { reference: None, conversation, id, preferences };
    perform(&gateway, &caller, None, &command).await
}

/// `PUT /api/presence`.
pub async fn presence(
    State(gateway): State<Arc<Gateway>>,
    Asking(caller): Asking,
    JsonBody(command): JsonBody<SetPresence>,
) -> Result<Json<OkFrame>, Problem> {
    gateway.presence.set(&gateway, &caller, &command)?;
    Ok(Json(OkFrame { reference: command.reference, ..OkFrame::default() }))
}

/// `POST /api/connections`: live sockets of each user, over all gateways. Of nobody there are none.
pub async fn connections(
    State(gateway): State<Arc<Gateway>>,
    Asking(_): Asking,
    JsonBody(query): JsonBody<ConnectionsQuery>,
) -> Result<Json<Connections>, Problem> {
    if query.users.len() > MAX_CONNECTION_USERS {
        let detail = format!("at most {MAX_CONNECTION_USERS} users can be asked for at once");
        return Err(Problem::new(ErrorCode::Invalid, detail));
    }
    let uids = gateway.accounts.directory.resolve(&query.users).await.map_err(Refused::from)?;
    let known: Vec<Uid> = uids.iter().flatten().copied().collect();
    let mut sockets = gateway.presence.sockets(&known).into_iter();
    let counts = query.users.into_iter().zip(uids).map(|(handle, uid)| {
        let count = uid.and_then(|_| sockets.next()).unwrap_or(0);
        (handle, count)
    });
    Ok(Json(counts.collect()))
}

/// The page that is asked for.
#[derive(Debug, Deserialize)]
pub struct PageQuery {
    limit: Option<u32>,
    cursor: Option<String>,
}

/// `GET /api/online`: who is seen to be online, in no particular order that would say anything.
pub async fn online(
    State(gateway): State<Arc<Gateway>>,
    Asking(caller): Asking,
    QueryParams(page): QueryParams<PageQuery>,
) -> Result<Json<OnlinePage>, Problem> {
    let limit = page.limit.unwrap_or(DEFAULT_PAGE_ITEMS);
    if !(1..=MAX_PAGE_ITEMS).contains(&limit) {
        return Err(Problem::new(ErrorCode::Invalid, format!("`limit` is 1 to {MAX_PAGE_ITEMS}")));
    }
    let after: Option<Uid> = match page.cursor {
        None => None,
        Some(cursor) => {
            let parsed = cursor.parse();
            Some(parsed.map_err(|_| Problem::new(ErrorCode::Invalid, "`cursor` is not one that was given out"))?)
        }
    };
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let found = gateway.presence.online(after, limit);
    let next = if found.len() == limit { found.last().map(|(uid, ..)| uid.to_string()) } else { None };
    let mut items = Vec::with_capacity(found.len());
    for (uid, visible, gateways) in found {
        let Some(user) = gateway.accounts.directory.handle(uid).await.map_err(Refused::from)? else { continue };
        let gateways = caller.operator.then_some(gateways);
        items.push(OnlineUser { user, status: visible.status, text: visible.text, gateways });
    }
    Ok(Json(OnlinePage { items, next }))
}

pub(super) async fn perform(
    gateway: &Arc<Gateway>,
    caller: &Caller,
    reference: Option<u64>,
    command: &impl Durable<Decided = Decided>,
) -> Result<Json<OkFrame>, Problem> {
    let decided = commands::decide(gateway, caller, command, None).await?;
    let (storing, fingerprint, refused) = match decided {
        Decided::Known(done) => return Ok(Json(ok(reference, done))),
        Decided::Queued { storing, fingerprint } => (storing, fingerprint, None),
        Decided::Changing { storing, fingerprint, refused } => (storing, fingerprint, refused),
    };
    let outcome = storing.await;
    if !matches!(outcome, Ok(Stored::Event(Appended { duplicate: false, .. }))) {
        gateway.rates.not_stored(caller.uid, command.id());
    }
    let outcome = match outcome {
        Ok(Stored::Already { seq }) => return Ok(Json(OkFrame { reference, seq: Some(seq), ..OkFrame::default() })),
        Ok(Stored::Event(appended)) => Ok(appended),
        Err(refused) => Err(refused),
    };
    let Json(ok) = appended(gateway, reference, outcome, Body::Printed(fingerprint)).await?;
    Ok(Json(OkFrame { refused: refused.map(|refused| refused.lock().clone()), ..ok }))
}

async fn appended(
    gateway: &Gateway,
    reference: Option<u64>,
    outcome: Result<Appended, Refused>,
    body: Body,
) -> Result<Json<OkFrame>, Problem> {
    match outcome {
        Ok(appended) if appended.duplicate => Ok(Json(ok(reference, repeat::settle(gateway, appended, body).await?))),
        Ok(appended) => stored(gateway, reference, appended.seq).await,
        Err(refused) => Err(refused.into()),
    }
}

/// The answer of a command whose event is stored: what the feed says of it.
async fn stored(gateway: &Gateway, reference: Option<u64>, seq: u64) -> Result<Json<OkFrame>, Problem> {
    gateway.feed.reaches(seq, gateway.config.feed_timeout).await;
    let entry = gateway.feed.tail.get(seq);
    Ok(Json(OkFrame {
        reference,
        seq: Some(seq),
        position: entry.as_ref().map(|entry| entry.position(gateway.feed.epoch())),
        conversation: entry.as_ref().and_then(|entry| entry.conversation),
        at: entry.as_ref().map(|entry| entry.at),
        duplicate: false,
        refused: None,
    }))
}

fn ok(reference: Option<u64>, done: Done) -> OkFrame {
    OkFrame {
        reference,
        seq: Some(done.seq),
        position: None,
        conversation: done.conversation,
        at: done.at,
        duplicate: done.duplicate,
        refused: done.refused,
    }
}
