//! `GET /history/users?prefix=`: people by the beginning of their handle.

use axum::Json;
use axum::extract::State;
use natter_platform::Problem;
use natter_platform::problem::QueryParams;
use natter_protocol::Handle;
use natter_protocol::history::{Page, UserItem};
use serde::Deserialize;

use super::user::user_item;
use crate::History;
use crate::caller::Caller;
use crate::cursor::Query;
use crate::database::DatabaseError;
use crate::page::page;
use crate::params::{Paging, handle_prefix, invalid};
use crate::statement::gated;

const ROUTE: &str = "users";

/// After every character of a handle.
const BEYOND_HANDLES: char = '{';

/// $5: handles after; $6, $7: from and below; $8: how many. Whoever was erased has no handle.
const BY_HANDLE: &str = gated!(
    "select at.epoch, at.seq, at.tag, at.refused, page.*
     from at left join lateral (
         select true as item, u.handle, u.display_name, (select last_seen from presence e where e.uid = u.uid) as last_seen
         from users u where u.handle > $5 and u.handle >= $6 and u.handle < $7
         order by u.handle limit case when at.open then $8 else 0 end
     ) page on true"
);

#[derive(Deserialize)]
pub(super) struct Params {
    prefix: Option<String>,
    #[serde(flatten)]
    paging: Paging,
}

pub(super) async fn get(
    State(history): State<History>,
    caller: Caller,
    QueryParams(params): QueryParams<Params>,
) -> Result<Json<Page<UserItem>>, Problem> {
    let prefix = handle_prefix(params.prefix.as_deref())?;
    let (limit, query) = (params.paging.limit()?, Query::new(caller.uid, ROUTE).with(prefix.as_bytes()));
    let after = match &params.paging.cursor {
        None => None,
        Some(cursor) => Some(query.decode::<Handle>(cursor).map_err(|error| invalid(error.to_string()))?),
    };
    let statement = caller
        .statement(BY_HANDLE)
        .bind(after.as_ref().map_or("", Handle::as_str))
        .bind(prefix)
        .bind(format!("{prefix}{BEYOND_HANDLES}"))
        .bind(i64::from(limit) + 1);
    let snapshot = history.read(&caller, ROUTE, &statement).await?;
    let mut items = snapshot.items(user_item).map_err(DatabaseError::from)?;
    items.sort_unstable_by(|a, b| a.user.cmp(&b.user));
    Ok(Json(page(items, limit, &query, |item| item.user.clone(), snapshot.position)))
}
