//! `GET /history/commands/{id}`: the caller's own command with this client id, as it was stored. Gateways ask it before
//! they append an id that is not fresh (CMD2): a 404 at the position that was asked for says that it never was.

use axum::Json;
use axum::extract::State;
use natter_events::{ClientId, ConversationId};
use natter_platform::Problem;
use natter_platform::problem::PathParams;
use natter_protocol::ErrorCode;
use natter_protocol::history::StoredCommand;
use sqlx::Row;
use uuid::Uuid;

use crate::History;
use crate::caller::Caller;
use crate::database::DatabaseError;
use crate::params::invalid;
use crate::rows;
use crate::statement::gated;

/// $5: the id.
const ONE: &str = gated!(
    "select at.epoch, at.seq, at.tag, at.refused, command.*
     from at left join lateral (
         select true as item, c.seq as stored_seq, c.conversation, c.at as stored_at, encode(c.fingerprint, 'hex') as fingerprint
         from commands c where c.sender = $1 and c.id = $5 and at.open
     ) command on true"
);

pub(super) async fn get(
    State(history): State<History>,
    caller: Caller,
    PathParams(id): PathParams<String>,
) -> Result<Json<StoredCommand>, Problem> {
    // Not a 404, which would say that this id is free.
    let id: ClientId = id.parse().map_err(|_| invalid("the id of a command is a UUID"))?;
    let snapshot = history.read(&caller, "commands", &caller.statement(ONE).bind(id.as_uuid())).await?;
    let found = snapshot.items(|row| {
        Ok(StoredCommand {
            seq: rows::seq(row, "stored_seq")?,
            conversation: row.try_get::<Option<Uuid>, _>("conversation")?.map(ConversationId::from),
            at: rows::timestamp(row, "stored_at")?,
            fingerprint: row.try_get("fingerprint")?,
            position: snapshot.position,
        })
    });
    let mut found = found.map_err(DatabaseError::from)?;
    found.pop().map(Json).ok_or_else(|| Problem::new(ErrorCode::NotFound, "no command of yours has this id"))
}
