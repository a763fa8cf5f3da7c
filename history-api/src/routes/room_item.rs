//! A room as the directory, its own page and the list of conversations show it.

use natter_events::Visibility;
use natter_protocol::history::RoomItem;
use sqlx::Row;
use sqlx::postgres::PgRow;

use crate::rows;

/// The columns of a room that [`room_item`] reads, out of a row `r` of `rooms`, for the caller, $1.
macro_rules! room_columns {
    () => {
        "r.conversation as r_id, r.name as r_name, r.topic as r_topic, r.visibility as r_visibility, r.archived as r_archived,
         array(select u.handle from unnest(r.owners) o(uid) left join users u on u.uid = o.uid) as r_owners,
         (select n.members from conversations n where n.id = r.conversation) as r_members,
         (select q.role from participants q where q.conversation = r.conversation and q.uid = $1) as r_role"
    };
}
pub(super) use room_columns;

pub(super) fn room_item(row: &PgRow) -> sqlx::Result<RoomItem> {
    Ok(RoomItem {
        conversation: rows::conversation(row, "r_id")?,
        name: row.try_get::<Option<String>, _>("r_name")?.unwrap_or_default(),
        topic: row.try_get("r_topic")?,
        visibility: visibility(row, "r_visibility")?,
        archived: row.try_get("r_archived")?,
        owners: rows::handles(row, "r_owners")?,
        members: rows::seq(row, "r_members")?,
        role: rows::role(row, "r_role")?,
    })
}

pub(super) fn visibility(row: &PgRow, column: &str) -> sqlx::Result<Visibility> {
    match row.try_get::<&str, _>(column)? {
        "public" => Ok(Visibility::Public),
        "private" => Ok(Visibility::Private),
        other => Err(sqlx::Error::Decode(format!("{other:?} is no visibility that this program knows").into())),
    }
}
