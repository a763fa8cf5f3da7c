//! `GET /history/users/{handle}`: a person, with when they were last seen.

use axum::Json;
use axum::extract::State;
use natter_platform::Problem;
use natter_platform::problem::PathParams;
use natter_protocol::history::{At, UserItem};
use natter_protocol::{ErrorCode, Handle};
use sqlx::Row;
use sqlx::postgres::PgRow;

use crate::History;
use crate::caller::Caller;
use crate::database::DatabaseError;
use crate::rows;
use crate::statement::gated;

/// $5: the handle.
const ONE: &str = gated!(
    "select at.epoch, at.seq, at.tag, at.refused, person.*
     from at left join lateral (
         select true as item, u.handle, u.display_name, (select last_seen from presence e where e.uid = u.uid) as last_seen
         from users u where u.handle = $5 and at.open
     ) person on true"
);

pub(super) async fn get(
    State(history): State<History>,
    caller: Caller,
    PathParams(handle): PathParams<String>,
) -> Result<Json<At<UserItem>>, Problem> {
    let nobody = || Problem::new(ErrorCode::UnknownUser, "nobody has this handle");
    let handle: Handle = handle.parse().map_err(|_| nobody())?;
    let snapshot = history.read(&caller, "user", &caller.statement(ONE).bind(handle.as_str())).await?;
    let item = snapshot.items(user_item).map_err(DatabaseError::from)?.pop().ok_or_else(nobody)?;
    Ok(Json(At { item, position: snapshot.position }))
}

pub(super) fn user_item(row: &PgRow) -> sqlx::Result<UserItem> {
    let user = rows::handle(row, "handle")?;
    let display_name = row.try_get::<Option<String>, _>("display_name")?.unwrap_or_else(|| user.to_string());
    Ok(UserItem { user, display_name, last_seen: rows::optional_timestamp(row, "last_seen")? })
}
