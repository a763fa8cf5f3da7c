//! `GET /history/users?prefix=|handles=ada,bob`: people by the beginning of their handle, or some by their whole handles; of
//! these, whom nobody is called is left out.

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
use crate::params::{Paging, asked_handles, handle_prefix, invalid};
use crate::statement::gated;

const ROUTE: &str = "users";

/// After every character of a handle.
const BEYOND_HANDLES: char = '{';

/// $5: handles after; $6, $7: from and below; $8: how many. Whoever was erased has no handle.
const BY_PREFIX: &str = gated!(
    "select at.epoch, at.seq, at.tag, at.refused, page.*
     from at left join lateral (
         select true as item, u.handle, u.display_name, (select last_seen from presence e where e.uid = u.uid) as last_seen
         from users u where u.handle > $5 and u.handle >= $6 and u.handle < $7
         order by u.handle limit case when at.open then $8 else 0 end
     ) page on true"
);

/// $5: handles after; $6: handles; $7: how many.
const BY_HANDLES: &str = gated!(
    "select at.epoch, at.seq, at.tag, at.refused, page.*
     from at left join lateral (
         select true as item, u.handle, u.display_name, (select last_seen from presence e where e.uid = u.uid) as last_seen
         from users u where u.handle > $5 and u.handle = any ($6)
         order by u.handle limit case when at.open then $7 else 0 end
     ) page on true"
);

#[derive(Deserialize)]
pub(super) struct Params {
    prefix: Option<String>,
    handles: Option<String>,
    #[serde(flatten)]
    paging: Paging,
}

pub(super) async fn get(
    State(history): State<History>,
    caller: Caller,
    QueryParams(params): QueryParams<Params>,
) -> Result<Json<Page<UserItem>>, Problem> {
    let limit = params.paging.limit()?;
    let query = Query::new(caller.uid, ROUTE);
    let (statement, query) = match asked_handles(params.handles.as_deref())? {
        Some(_) if params.prefix.is_some() => return Err(invalid("give one of `prefix` and `handles`, not both")),
        Some(handles) => {
            let handles: Vec<&str> = handles.iter().map(Handle::as_str).collect();
            let query = query.with(b"handles").with(handles.join(",").as_bytes());
            let after = after(params.paging.cursor.as_deref(), &query)?;
            (caller.statement(BY_HANDLES).bind(after).bind(handles), query)
        }
        None => {
            let prefix = handle_prefix(params.prefix.as_deref())?;
            let query = query.with(prefix.as_bytes());
            let after = after(params.paging.cursor.as_deref(), &query)?;
            let beyond = format!("{prefix}{BEYOND_HANDLES}");
            (caller.statement(BY_PREFIX).bind(after).bind(prefix).bind(beyond), query)
        }
    };
    let statement = statement.bind(i64::from(limit) + 1);
    let snapshot = history.read(&caller, ROUTE, &statement).await?;
    let mut items = snapshot.items(user_item).map_err(DatabaseError::from)?;
    items.sort_unstable_by(|a, b| a.user.cmp(&b.user));
    Ok(Json(page(items, limit, &query, |item| item.user.clone(), snapshot.position)))
}

/// The handle that the page before ended with; empty before the first.
fn after(cursor: Option<&str>, query: &Query) -> Result<String, Problem> {
    let decoded = cursor.map(|cursor| query.decode::<Handle>(cursor)).transpose();
    let last = decoded.map_err(|error| invalid(error.to_string()))?;
    Ok(last.map_or(String::new(), |handle| handle.to_string()))
}
