//! `GET /history/conversations/{id}/messages/{seq}/versions`: what a message said, and from when, oldest first. One that
//! was never edited has one version, one that was deleted has none. What it said while the caller was not there is left out.

use axum::Json;
use axum::extract::State;
use natter_platform::Problem;
use natter_platform::problem::{PathParams, QueryParams};
use natter_protocol::ErrorCode;
use natter_protocol::history::{Page, VersionItem};
use sqlx::Row;

use super::conversation_of;
use super::in_conversation::{Access, in_conversation, not_member};
use crate::History;
use crate::caller::Caller;
use crate::cursor::Query;
use crate::database::DatabaseError;
use crate::page::page;
use crate::params::{Paging, invalid};
use crate::rows;

const ROUTE: &str = "versions";

/// $5: the conversation; $6: the message; $7: those after; $8: how many.
const VERSIONS: &str = in_conversation!(
    "exists (select from messages m where m.conversation = $5 and m.seq = $6 and m.seq <@ gate.spans) as found, page.*",
    "select true as item, v.* from (
         select seq as v_seq, at as v_at, text as v_text from versions where conversation = $5 and message = $6
         union all
         select seq, at, text from messages
         where conversation = $5 and seq = $6 and edited_seq is null and deleted_seq is null
     ) v
     where v.v_seq > $7 and v.v_seq <@ gate.spans and $6 <@ gate.spans
     order by v.v_seq limit case when gate.visible then $8 else 0 end
     ) page on true"
);

pub(super) async fn get(
    State(history): State<History>,
    caller: Caller,
    PathParams((id, message)): PathParams<(String, String)>,
    QueryParams(paging): QueryParams<Paging>,
) -> Result<Json<Page<VersionItem>>, Problem> {
    let missing = || Problem::new(ErrorCode::NotFound, "there is no such message");
    let conversation = conversation_of(&id)?;
    let message: i64 = message.parse().map_err(|_| missing())?;
    let query = Query::new(caller.uid, ROUTE).with(conversation.as_bytes()).with(&message.to_be_bytes());
    let limit = paging.limit()?;
    let after: u64 = match &paging.cursor {
        None => 0,
        Some(cursor) => query.decode(cursor).map_err(|error| invalid(error.to_string()))?,
    };
    let statement = caller.statement(VERSIONS).bind(conversation.as_uuid()).bind(message);
    let statement = statement.bind(after.cast_signed()).bind(i64::from(limit) + 1);
    let snapshot = history.read(&caller, ROUTE, &statement).await?;
    if Access::of(&snapshot)? == Access::Public {
        return Err(not_member());
    }
    if !snapshot.fact("found").map_err(DatabaseError::from)? {
        return Err(missing());
    }
    let mut items = snapshot.items(version).map_err(DatabaseError::from)?;
    items.sort_unstable_by_key(|item| item.seq);
    Ok(Json(page(items, limit, &query, |item| item.seq, snapshot.position)))
}

fn version(row: &sqlx::postgres::PgRow) -> sqlx::Result<VersionItem> {
    let text = row.try_get::<Option<String>, _>("v_text")?.unwrap_or_default();
    Ok(VersionItem { seq: rows::seq(row, "v_seq")?, text, at: rows::timestamp(row, "v_at")? })
}
