//! `GET /history/rooms?q=&archived=`: the directory of public rooms, by name. With `q`, those with words in their name or
//! topic that begin with each of its words; with `archived=true`, those that are archived instead.

use axum::Json;
use axum::extract::State;
use natter_events::ConversationId;
use natter_platform::Problem;
use natter_platform::problem::QueryParams;
use natter_protocol::history::{Page, RoomItem};
use serde::Deserialize;
use sqlx::Row;
use sqlx::postgres::PgRow;
use uuid::Uuid;

use super::room_item::{room_columns, room_item};
use crate::History;
use crate::caller::Caller;
use crate::cursor::Query;
use crate::database::DatabaseError;
use crate::page::page;
use crate::params::{Paging, flag, invalid, words};
use crate::rows;
use crate::statement::gated;

const ROUTE: &str = "rooms";

/// $5, $6: those after this name and room; $7: whether archived; $8: how many.
macro_rules! directory {
    ($with:literal, $found:literal) => {
        gated!(
            $with,
            "select at.epoch, at.seq, at.tag, at.refused, page.*
             from at left join lateral (
                 select true as item, r.name_key, ",
            room_columns!(),
            " from rooms r
                 where r.visibility = 'public' and r.archived = $7 and (r.name_key, r.conversation) > ($5, $6) and ",
            $found,
            " order by r.name_key, r.conversation limit case when at.open then $8 else 0 end
             ) page on true"
        )
    };
}

const ALL: &str = directory!("", "true");

/// $9: words. What they find is found first, whatever the planner thinks of the words.
const FOUND: &str = directory!(
    ", found as materialized (
         select conversation from rooms
         where visibility = 'public'
               and words @@ (select string_agg(quote_literal(word) || ':*', ' & ') from unnest(words_of($9)) word)::tsquery
     )",
    "r.conversation in (select conversation from found)"
);

#[derive(Deserialize)]
pub(super) struct Params {
    q: Option<String>,
    archived: Option<String>,
    #[serde(flatten)]
    paging: Paging,
}

pub(super) async fn get(
    State(history): State<History>,
    caller: Caller,
    QueryParams(params): QueryParams<Params>,
) -> Result<Json<Page<RoomItem>>, Problem> {
    let (words, archived) = (words(params.q.as_deref())?, flag("archived", params.archived.as_deref())?);
    let query = Query::new(caller.uid, ROUTE).with(words.as_bytes()).with(&[u8::from(archived)]);
    let limit = params.paging.limit()?;
    let (name, room) = match &params.paging.cursor {
        None => (String::new(), Uuid::nil()),
        Some(cursor) => {
            let (name, room): (String, ConversationId) =
                query.decode(cursor).map_err(|error| invalid(error.to_string()))?;
            (name, room.as_uuid())
        }
    };
    let statement = caller.statement(if words.is_empty() { ALL } else { FOUND });
    let statement = statement.bind(name).bind(room).bind(archived).bind(i64::from(limit) + 1);
    let statement = if words.is_empty() { statement } else { statement.bind(words) };
    let snapshot = history.read(&caller, ROUTE, &statement).await?;
    let read = |row: &PgRow| {
        let key = (row.try_get::<String, _>("name_key")?, rows::conversation(row, "r_id")?);
        Ok((key, room_item(row)?))
    };
    let mut items = snapshot.items(read).map_err(DatabaseError::from)?;
    items.sort_unstable_by(|(a, _), (b, _)| a.cmp(b));
    let page = page(items, limit, &query, |(key, _)| key.clone(), snapshot.position);
    let items = page.items.into_iter().map(|(_, item)| item).collect();
    Ok(Json(Page { items, next: page.next, position: page.position }))
}
