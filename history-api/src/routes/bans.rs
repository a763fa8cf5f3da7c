//! `GET /history/conversations/{id}/bans`: who may not come back to a room, for its moderators and owners.

use axum::Json;
use axum::extract::State;
use natter_events::Uid;
use natter_platform::Problem;
use natter_platform::problem::{PathParams, QueryParams};
use natter_protocol::ErrorCode;
use natter_protocol::history::{BanItem, Page};
use sqlx::Row;
use sqlx::postgres::PgRow;
use uuid::Uuid;

use super::conversation_of;
use super::in_conversation::{Access, among_members};
use crate::History;
use crate::caller::Caller;
use crate::cursor::Query;
use crate::database::DatabaseError;
use crate::page::page;
use crate::params::{Paging, invalid};
use crate::rows;

const ROUTE: &str = "bans";

/// $6: those whose uid is after; $7: how many. By uid, because an erased person has no handle.
const BANS: &str = among_members!(
    "select true as item, b.uid, u.handle, u.display_name
     from bans b left join users u on u.uid = b.uid
     where b.conversation = $5 and b.uid > $6
     order by b.uid limit case when gate.open and gate.in_charge then $7 else 0 end"
);

pub(super) async fn get(
    State(history): State<History>,
    caller: Caller,
    PathParams(id): PathParams<String>,
    QueryParams(paging): QueryParams<Paging>,
) -> Result<Json<Page<BanItem>>, Problem> {
    let conversation = conversation_of(&id)?;
    let (limit, query) = (paging.limit()?, Query::new(caller.uid, ROUTE).with(conversation.as_bytes()));
    let after = match &paging.cursor {
        // No person's uid is all zeros: they are random.
        None => Uuid::nil(),
        Some(cursor) => query.decode::<Uid>(cursor).map_err(|error| invalid(error.to_string()))?.as_uuid(),
    };
    let statement = caller.statement(BANS).bind(conversation.as_uuid()).bind(after).bind(i64::from(limit) + 1);
    let snapshot = history.read(&caller, ROUTE, &statement).await?;
    Access::of(&snapshot)?.check()?;
    if !snapshot.fact("in_charge").map_err(DatabaseError::from)? {
        return Err(Problem::new(ErrorCode::Forbidden, "who is banned is for moderators and owners"));
    }
    let read = |row: &PgRow| Ok((Uid::from(row.try_get::<Uuid, _>("uid")?), item(row)?));
    let mut items = snapshot.items(read).map_err(DatabaseError::from)?;
    items.sort_unstable_by_key(|(uid, _)| *uid);
    let page = page(items, limit, &query, |(uid, _)| *uid, snapshot.position);
    let items = page.items.into_iter().map(|(_, item)| item).collect();
    Ok(Json(Page { items, next: page.next, position: page.position }))
}

fn item(row: &PgRow) -> sqlx::Result<BanItem> {
    let user = rows::handle(row, "handle")?;
    let display_name = row.try_get::<Option<String>, _>("display_name")?.unwrap_or_else(|| user.to_string());
    Ok(BanItem { user, display_name })
}
