//! `GET /history/conversations/{id}/threads`: the threads of a conversation, newest activity first, each as its first
//! message, which says how many there are in it and how many of them are unread.
//!
//! Whoever was away for a while knows of a thread what they may read of it, and its place is by the last of that.

use std::cmp::Reverse;

use axum::Json;
use axum::extract::State;
use natter_platform::Problem;
use natter_platform::problem::{PathParams, QueryParams};
use natter_protocol::history::{MessageItem, Page};
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

const ROUTE: &str = "threads";

/// $6: those whose last message is before; $7: how many.
///
/// First those whose last message can be read, in its order; then, which are few, those that began while the caller was
/// there and went on while they were not, by the last message that can be read.
const THREADS: &str = in_conversation!(
    "page.*, author.handle as m_sender",
    "select true as item, thread.last_seq as thread_seq, ",
    message_columns!("gate.spans"),
    " from (
          (select t.root, t.last_seq
           from (select s as span from unnest(gate.spans) s order by s desc) span
           cross join lateral (
               select t.root, t.last_seq from threads t
               where t.conversation = $5 and t.last_seq < $6 and t.root <@ gate.spans
                     and t.last_seq >= lower(span.span) and t.last_seq < upper(span.span)
               order by t.last_seq desc limit $7
           ) t
           limit $7)
          union all
          (select t.root, l.last_seq
           from unnest(gate.spans) span
           join threads t on t.conversation = $5 and t.root >= lower(span) and t.root < upper(span)
           cross join lateral (
               select max(x.seq) as last_seq
               from unnest(gate.spans) upto
               cross join lateral (
                   select x.seq from messages x
                   where x.conversation = $5 and x.thread = t.root and x.thread <> 0 and x.seq >= lower(upto) and x.seq < upper(upto)
                   order by x.seq desc limit 1
               ) x
           ) l
           where upper(span) <= 9007199254740992 and not t.last_seq <@ gate.spans and l.last_seq < $6
           order by l.last_seq desc limit $7)
          order by 2 desc limit case when gate.visible then $7 else 0 end
      ) thread
      join messages m on m.conversation = $5 and m.seq = thread.root
     ) page on true
     left join users author on author.uid = page.m_by"
);

pub(super) async fn get(
    State(history): State<History>,
    caller: Caller,
    PathParams(id): PathParams<String>,
    QueryParams(paging): QueryParams<Paging>,
) -> Result<Json<Page<MessageItem>>, Problem> {
    let conversation = conversation_of(&id)?;
    let (limit, query) = (paging.limit()?, Query::new(caller.uid, ROUTE).with(conversation.as_bytes()));
    let before = match &paging.cursor {
        None => i64::MAX,
        Some(cursor) => query.decode::<u64>(cursor).map_err(|error| invalid(error.to_string()))?.cast_signed(),
    };
    let statement = caller.statement(THREADS).bind(conversation.as_uuid()).bind(before).bind(i64::from(limit) + 1);
    let snapshot = history.read(&caller, ROUTE, &statement).await?;
    Access::of(&snapshot)?.check()?;
    let read = |row: &PgRow| Ok((rows::seq(row, "thread_seq")?, rows::message(row, conversation)?));
    let mut items = snapshot.items(read).map_err(DatabaseError::from)?;
    items.sort_unstable_by_key(|(seq, _)| Reverse(*seq));
    let page = page(items, limit, &query, |(seq, _)| *seq, snapshot.position);
    let items = page.items.into_iter().map(|(_, item)| item).collect();
    Ok(Json(Page { items, next: page.next, position: page.position }))
}
