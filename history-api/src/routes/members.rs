//! `GET /history/conversations/{id}/members`: who is in a conversation of the caller's.

use axum::Json;
use axum::extract::State;
use natter_events::Uid;
use natter_platform::Problem;
use natter_platform::problem::{PathParams, QueryParams};
use natter_protocol::history::{MemberItem, Page};
use sqlx::Row;
use uuid::Uuid;

use super::{conversation_of, no_such_conversation};
use crate::History;
use crate::caller::Caller;
use crate::cursor::Query;
use crate::database::DatabaseError;
use crate::page::page;
use crate::params::{Paging, invalid};
use crate::rows;
use crate::statement::gated;

const ROUTE: &str = "members";

/// $5: the conversation; $6: those whose uid is after; $7: how many. By uid, because an erased person has no handle.
const MEMBERS: &str = gated!(
    ", gate as materialized (
         select at.*, exists (select from participants where conversation = $5 and uid = $1) as visible from at
     )
     select gate.epoch, gate.seq, gate.tag, gate.refused, gate.visible, page.*
     from gate left join lateral (
         select true as item, p.uid, u.handle, u.display_name
         from participants p left join users u on u.uid = p.uid
         where p.conversation = $5 and p.uid > $6
         order by p.uid limit case when gate.open and gate.visible then $7 else 0 end
     ) page on true"
);

pub(super) async fn get(
    State(history): State<History>,
    caller: Caller,
    PathParams(id): PathParams<String>,
    QueryParams(paging): QueryParams<Paging>,
) -> Result<Json<Page<MemberItem>>, Problem> {
    let conversation = conversation_of(&id)?;
    let (limit, query) = (paging.limit()?, Query::new(caller.uid, ROUTE).with(conversation.as_bytes()));
    let after = match &paging.cursor {
        // No person's uid is all zeros: they are random.
        None => Uuid::nil(),
        Some(cursor) => query.decode::<Uid>(cursor).map_err(|error| invalid(error.to_string()))?.as_uuid(),
    };
    let statement = caller.statement(MEMBERS).bind(conversation.as_uuid()).bind(after).bind(i64::from(limit) + 1);
    let snapshot = history.read(&caller, ROUTE, &statement).await?;
    if !snapshot.fact("visible").map_err(DatabaseError::from)? {
        return Err(no_such_conversation());
    }
    let read = |row: &_| Ok((Uid::from(Row::try_get::<Uuid, _>(row, "uid")?), member(row)?));
    let mut items = snapshot.items(read).map_err(DatabaseError::from)?;
    items.sort_unstable_by_key(|(uid, _)| *uid);
    let page = page(items, limit, &query, |(uid, _)| *uid, snapshot.position);
    let items = page.items.into_iter().map(|(_, item)| item).collect();
    Ok(Json(Page { items, next: page.next, position: page.position }))
}

fn member(row: &sqlx::postgres::PgRow) -> sqlx::Result<MemberItem> {
    let user = rows::handle(row, "handle")?;
    let display_name = row.try_get::<Option<String>, _>("display_name")?.unwrap_or_else(|| user.to_string());
    Ok(MemberItem { user, display_name })
}
