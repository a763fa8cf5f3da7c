//! `GET /history/conversations`: the caller's, newest activity first.

use std::cmp::Reverse;

use axum::Json;
use axum::extract::State;
use natter_platform::Problem;
use natter_platform::problem::QueryParams;
use natter_protocol::history::{ConversationItem, Page};

use super::conversation_item::{conversation_item, conversations_where};
use crate::History;
use crate::caller::Caller;
use crate::cursor::Query;
use crate::database::DatabaseError;
use crate::page::page;
use crate::params::{Paging, invalid};
use crate::rows;

const ROUTE: &str = "conversations";

/// $5: those whose last message is before; $6: how many. No two conversations have the same last message.
const NEWEST_FIRST: &str =
    conversations_where!("c.last_seq < $5 order by c.last_seq desc limit case when at.open then $6 else 0 end");

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
    let read = |row: &_| Ok((rows::seq(row, "last_seq")?, conversation_item(row, &caller)?));
    let mut items = snapshot.items(read).map_err(DatabaseError::from)?;
    items.sort_unstable_by_key(|(last_seq, _)| Reverse(*last_seq));
    let page = page(items, limit, &query, |(last_seq, _)| *last_seq, snapshot.position);
    let items = page.items.into_iter().map(|(_, item)| item).collect();
    Ok(Json(Page { items, next: page.next, position: page.position }))
}
