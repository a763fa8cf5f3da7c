//! `GET /history/blocks`: whom the caller has blocked.

use axum::Json;
use axum::extract::State;
use natter_events::Uid;
use natter_platform::Problem;
use natter_platform::problem::QueryParams;
use natter_protocol::history::{BlockItem, Page};
use sqlx::Row;
use sqlx::postgres::PgRow;
use uuid::Uuid;

use crate::History;
use crate::caller::Caller;
use crate::cursor::Query;
use crate::database::DatabaseError;
use crate::page::page;
use crate::params::{Paging, invalid};
use crate::rows;
use crate::statement::gated;

const ROUTE: &str = "blocks";

/// $5: those whose uid is after; $6: how many. By uid, because an erased person has no handle.
const BLOCKS: &str = gated!(
    "select at.epoch, at.seq, at.tag, at.refused, page.*
     from at left join lateral (
         select true as item, b.blocked as uid, u.handle, u.display_name
         from blocks b left join users u on u.uid = b.blocked
         where b.uid = $1 and b.blocked > $5
         order by b.blocked limit case when at.open then $6 else 0 end
     ) page on true"
);

pub(super) async fn get(
    State(history): State<History>,
    caller: Caller,
    QueryParams(paging): QueryParams<Paging>,
) -> Result<Json<Page<BlockItem>>, Problem> {
    let (limit, query) = (paging.limit()?, Query::new(caller.uid, ROUTE));
    let after = match &paging.cursor {
        // No person's uid is all zeros: they are random.
        None => Uuid::nil(),
        Some(cursor) => query.decode::<Uid>(cursor).map_err(|error| invalid(error.to_string()))?.as_uuid(),
    };
    let statement = caller.statement(BLOCKS).bind(after).bind(i64::from(limit) + 1);
    let snapshot = history.read(&caller, ROUTE, &statement).await?;
    let read = |row: &PgRow| Ok((Uid::from(row.try_get::<Uuid, _>("uid")?), item(row)?));
    let mut items = snapshot.items(read).map_err(DatabaseError::from)?;
    items.sort_unstable_by_key(|(uid, _)| *uid);
    let page = page(items, limit, &query, |(uid, _)| *uid, snapshot.position);
    let items = page.items.into_iter().map(|(_, item)| item).collect();
    Ok(Json(Page { items, next: page.next, position: page.position }))
}

fn item(row: &PgRow) -> sqlx::Result<BlockItem> {
    let user = rows::handle(row, "handle")?;
    let display_name = row.try_get::<Option<String>, _>("display_name")?.unwrap_or_else(|| user.to_string());
    Ok(BlockItem { user, display_name })
}
