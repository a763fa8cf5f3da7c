//! `GET /history/conversations/{id}/pins`: the pinned messages, the last one pinned first.

use std::cmp::Reverse;

use axum::Json;
use axum::extract::State;
use natter_platform::Problem;
use natter_platform::problem::{PathParams, QueryParams};
use natter_protocol::history::{Page, PinItem};
use sqlx::postgres::PgRow;

use super::conversation_of;
use super::in_conversation::{Access, in_conversation};
use crate::History;
use crate::caller::Caller;
use crate::cursor::Query;
use crate::database::DatabaseError;
use crate::page::page;
use crate::params::{Paging, invalid};
use crate::rows::{self, message_columns};

const ROUTE: &str = "pins";

/// $6: those that were pinned before; $7: how many.
const PINS: &str = in_conversation!(
    "page.*, author.handle as m_sender, pinner.handle as pinned_by",
    "select true as item, pin.seq as pin_seq, pin.at as pinned_at, pin.uid as pin_uid, ",
    message_columns!("gate.spans"),
    " from pins pin join messages m on m.conversation = $5 and m.seq = pin.message
      where pin.conversation = $5 and pin.seq < $6 and pin.seq <@ gate.spans and pin.message <@ gate.spans
      order by pin.seq desc limit case when gate.visible then $7 else 0 end
     ) page on true
     left join users author on author.uid = page.m_by left join users pinner on pinner.uid = page.pin_uid"
);

pub(super) async fn get(
    State(history): State<History>,
    caller: Caller,
    PathParams(id): PathParams<String>,
    QueryParams(paging): QueryParams<Paging>,
) -> Result<Json<Page<PinItem>>, Problem> {
    let conversation = conversation_of(&id)?;
    let (limit, query) = (paging.limit()?, Query::new(caller.uid, ROUTE).with(conversation.as_bytes()));
    let before = match &paging.cursor {
        None => i64::MAX,
        Some(cursor) => query.decode::<u64>(cursor).map_err(|error| invalid(error.to_string()))?.cast_signed(),
    };
    let statement = caller.statement(PINS).bind(conversation.as_uuid()).bind(before).bind(i64::from(limit) + 1);
    let snapshot = history.read(&caller, ROUTE, &statement).await?;
    Access::of(&snapshot)?.check()?;
    let read = |row: &PgRow| {
        let (by, at) = (rows::handle(row, "pinned_by")?, rows::timestamp(row, "pinned_at")?);
        Ok((rows::seq(row, "pin_seq")?, PinItem { message: rows::message(row, conversation)?, by, at }))
    };
    let mut items = snapshot.items(read).map_err(DatabaseError::from)?;
    items.sort_unstable_by_key(|(seq, _)| Reverse(*seq));
    let page = page(items, limit, &query, |(seq, _)| *seq, snapshot.position);
    let items = page.items.into_iter().map(|(_, item)| item).collect();
    Ok(Json(Page { items, next: page.next, position: page.position }))
}
