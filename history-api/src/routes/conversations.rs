//! `GET /history/conversations`: the caller's, newest activity first.

use std::cmp::Reverse;

use axum::Json;
use axum::extract::State;
use natter_platform::Problem;
use natter_platform::problem::QueryParams;
use natter_protocol::history::{ConversationItem, Page};

use super::conversation_item::{activity, conversation_item, conversations_where};
use crate::History;
use crate::caller::Caller;
use crate::cursor::Query;
use crate::database::DatabaseError;
use crate::page::page;
use crate::params::{Paging, invalid};
use crate::rows;

const ROUTE: &str = "conversations";

/// $5: those whose last activity is before; $6: how many. No two conversations have the same event for it.
const NEWEST_FIRST: &str = conversations_where!(
    activity!(),
    " < $5 order by ",
    activity!(),
    " desc limit case when at.open then $6 else 0 end"
);

pub(super) async fn get(
    State(history): State<History>,
    caller: Caller,
    QueryParams(paging): QueryParams<Paging>,
) -> Result<Json<Page<ConversationItem>>, Problem> {
    let (limit, query) = (paging.limit()?, Query::new(caller.uid, ROUTE));
    let before = match &paging.cursor {
        None => i64::MAX,
        Some(cursor) => query.decode::<u64>(cursor).map_err(|error| invalid(error.to_string()))?.cast_signed(),
    };
    let statement = caller.statement(NEWEST_FIRST).bind(before).bind(i64::from(limit) + 1);
    let snapshot = history.read(&caller, ROUTE, &statement).await?;
    let read = |row: &_| Ok((rows::seq(row, "activity")?, conversation_item(row, &caller)?));
    let mut items = snapshot.items(read).map_err(DatabaseError::from)?;
    items.sort_unstable_by_key(|(activity, _)| Reverse(*activity));
    let page = page(items, limit, &query, |(activity, _)| *activity, snapshot.position);
    let items = page.items.into_iter().map(|(_, item)| item).collect();
    Ok(Json(Page { items, next: page.next, position: page.position }))
}
