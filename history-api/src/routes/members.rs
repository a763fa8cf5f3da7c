//! `GET /history/conversations/{id}/members?role=&prefix=`: who is in a conversation of the caller's.

use axum::Json;
use axum::extract::State;
use natter_events::Uid;
use natter_platform::Problem;
use natter_platform::problem::{PathParams, QueryParams};
use natter_protocol::history::{MemberItem, Page};
use serde::Deserialize;
use sqlx::Row;
use sqlx::postgres::PgRow;
use uuid::Uuid;

use super::conversation_of;
use super::in_conversation::{Access, among_members};
use crate::History;
use crate::caller::Caller;
use crate::cursor::Query;
use crate::database::DatabaseError;
use crate::page::page;
use crate::params::{Paging, handle_prefix, invalid, role};
use crate::rows;

const ROUTE: &str = "members";

/// $6: those whose uid is after; $7: how many; $8: whose handle begins so. By uid, because an erased person has no handle.
macro_rules! members {
    ($which:literal) => {
        among_members!(
            "select true as item, p.uid, p.role, u.handle, u.display_name
             from participants p left join users u on u.uid = p.uid
             where p.conversation = $5 and p.uid > $6 and ($8 = '' or starts_with(u.handle, $8)) and ",
            $which,
            " order by p.uid limit case when gate.open and gate.visible then $7 else 0 end"
        )
    };
}

const ALL: &str = members!("true");

/// $9: their role.
const BY_ROLE: &str = members!("p.role = $9");

#[derive(Deserialize)]
pub(super) struct Params {
    role: Option<String>,
    prefix: Option<String>,
    #[serde(flatten)]
    paging: Paging,
}

pub(super) async fn get(
    State(history): State<History>,
    caller: Caller,
    PathParams(id): PathParams<String>,
    QueryParams(params): QueryParams<Params>,
) -> Result<Json<Page<MemberItem>>, Problem> {
    let conversation = conversation_of(&id)?;
    let (role, prefix) = (role(params.role.as_deref())?, handle_prefix(params.prefix.as_deref())?);
    let limit = params.paging.limit()?;
    let query = Query::new(caller.uid, ROUTE)
        .with(conversation.as_bytes())
        .with(role.unwrap_or_default().as_bytes())
        .with(prefix.as_bytes());
    let after = match &params.paging.cursor {
        // No person's uid is all zeros: they are random.
        None => Uuid::nil(),
        Some(cursor) => query.decode::<Uid>(cursor).map_err(|error| invalid(error.to_string()))?.as_uuid(),
    };
    let statement = caller.statement(if role.is_some() { BY_ROLE } else { ALL });
    let statement = statement.bind(conversation.as_uuid()).bind(after).bind(i64::from(limit) + 1).bind(prefix);
    let statement = role.into_iter().fold(statement, |statement, role| statement.bind(role));
    let snapshot = history.read(&caller, ROUTE, &statement).await?;
    Access::of(&snapshot)?.check()?;
    let read = |row: &PgRow| Ok((Uid::from(row.try_get::<Uuid, _>("uid")?), member(row)?));
    let mut items = snapshot.items(read).map_err(DatabaseError::from)?;
    items.sort_unstable_by_key(|(uid, _)| *uid);
    let page = page(items, limit, &query, |(uid, _)| *uid, snapshot.position);
    let items = page.items.into_iter().map(|(_, item)| item).collect();
    Ok(Json(Page { items, next: page.next, position: page.position }))
}

fn member(row: &PgRow) -> sqlx::Result<MemberItem> {
    let user = rows::handle(row, "handle")?;
    let display_name = row.try_get::<Option<String>, _>("display_name")?.unwrap_or_else(|| user.to_string());
    Ok(MemberItem { user, display_name, role: rows::role(row, "role")? })
}
