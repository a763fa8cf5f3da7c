//! What is compared of a table, and how PostgreSQL is asked for it.

use std::collections::HashSet;

use sqlx::postgres::PgRow;
use sqlx::{AssertSqlSafe, PgConnection, Row};

use super::Digest;
use crate::shadow::quoted;

/// Tables that are not made from CHAT, or not from it alone: how much of `changes` is kept is the projector's options.
const NOT_COMPARED: [&str; 4] = ["_sqlx_migrations", "changes_kept", "presence", "skipped_events"];
/// Columns that say when a row was written, or are taken over from the log as it is now.
const NOT_DERIVED: [(&str, &str); 2] = [("projector", "epoch"), ("projector", "updated_at")];

/// A table, and what of it is compared.
#[derive(Debug, Clone)]
pub(crate) struct Table {
    pub name: String,
    pub columns: Vec<Column>,
    /// Where its primary key stands among the columns. Of a table that has none, a whole row is the key.
    pub key: Option<Vec<usize>>,
    pub lacks: Vec<String>,
    pub about_rows: u64,
    /// Which rows are compared.
    filter: Option<String>,
}

#[derive(Debug, Clone)]
pub(crate) struct Column {
    pub name: String,
    kind: String,
}

/// A part of a table in the order of its key: behind one, up to and including another.
#[derive(Debug, Default)]
pub(crate) struct Range {
    pub after: Option<Vec<String>>,
    pub upto: Option<Vec<String>>,
}

impl Column {
    /// Whether people wrote what is in it.
    pub fn is_written(&self) -> bool {
        matches!(self.kind.as_str(), "text" | "bytea" | "tsvector")
    }
}

impl Table {
    /// All that are compared, as the replay has them.
    pub async fn all(live: &mut PgConnection, replayed: &mut PgConnection) -> Result<Vec<Self>, sqlx::Error> {
        let rows = sqlx::query(
            "select c.relname::text as name, greatest(c.reltuples, 0)::int8 as rows, \
               (select array_agg(a.attname::text order by a.attnum) from pg_attribute a \
                where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped) as columns, \
               (select array_agg(format_type(a.atttypid, a.atttypmod) order by a.attnum) from pg_attribute a \
                where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped) as kinds, \
               (select array_agg(a.attname::text order by k.n) from pg_index i \
                cross join unnest(i.indkey::int2[]) with ordinality k(attnum, n) \
                join pg_attribute a on a.attrelid = i.indrelid and a.attnum = k.attnum \
                where i.indrelid = c.oid and i.indisprimary) as key \
             from pg_class c \
             where c.relnamespace = current_schema()::regnamespace and c.relkind in ('r', 'p') \
               and not c.relispartition and c.relname <> all ($1) \
             order by 1",
        )
        .bind(NOT_COMPARED)
        .fetch_all(&mut *replayed)
        .await?;
        let kept = oldest_change(live).await?.max(oldest_change(replayed).await?);
        let mut tables = Vec::with_capacity(rows.len());
        for row in rows {
            let mut table = Self::read(&row, kept)?;
            table.lacks = table.missing(live).await?;
            tables.push(table);
        }
        Ok(tables)
    }

    fn read(row: &PgRow, oldest_change: i64) -> Result<Self, sqlx::Error> {
        let name: String = row.try_get("name")?;
        let names: Vec<String> = row.try_get("columns")?;
        let kinds: Vec<String> = row.try_get("kinds")?;
        let columns = names.into_iter().zip(kinds).map(|(name, kind)| Column { name, kind });
        let columns: Vec<Column> = columns.filter(|column| !NOT_DERIVED.contains(&(&*name, &*column.name))).collect();
        let key: Option<Vec<String>> = row.try_get("key")?;
        let place = |name: &String| columns.iter().position(|column| column.name == *name);
        let key = key.and_then(|key| key.iter().map(place).collect());
        let filter = match &*name {
            "projector" => Some("name = 'chat'".to_owned()),
            "dead_letters" => Some("stream = 'chat'".to_owned()),
            // Those before are let go of little by little.
            "changes" => Some(format!("seq > {oldest_change}")),
            _ => None,
        };
        let about_rows = row.try_get::<i64, _>("rows")?.cast_unsigned();
        Ok(Self { name, columns, key, lacks: Vec::new(), about_rows, filter })
    }

    /// What the live table has not; its own name if it is not there at all.
    async fn missing(&self, live: &mut PgConnection) -> Result<Vec<String>, sqlx::Error> {
        let there: Vec<String> = sqlx::query_scalar(
            "select attname::text from pg_attribute \
             where attrelid = to_regclass($1) and attnum > 0 and not attisdropped",
        )
        .bind(quoted(&self.name))
        .fetch_all(live)
        .await?;
        if there.is_empty() {
            return Ok(vec![self.name.clone()]);
        }
        let there: HashSet<String> = there.into_iter().collect();
        let missing = self.columns.iter().filter(|column| !there.contains(&column.name));
        Ok(missing.map(|column| column.name.clone()).collect())
    }

    /// The last key of the next `rows` rows of the range; none when there are not that many.
    pub async fn bound(
        &self,
        connection: &mut PgConnection,
        range: &Range,
        rows: i64,
    ) -> Result<Option<Vec<String>>, sqlx::Error> {
        let Some(key) = &self.key else { return Ok(None) };
        let names = self.key_names(key);
        let texts: Vec<String> = key.iter().map(|at| format!("{}::text", quoted(&self.columns[*at].name))).collect();
        let range = Range { after: range.after.clone(), upto: None };
        let sql = format!(
            "select array[{}] from {} where {} order by {names} offset {} limit 1",
            texts.join(", "),
            quoted(&self.name),
            self.within(&range),
            rows - 1,
        );
        let mut query = sqlx::query_scalar(AssertSqlSafe(sql));
        for value in range.values() {
            query = query.bind(value);
        }
        query.fetch_optional(connection).await
    }

    /// How many rows the range has, and what is in them.
    pub async fn digest(&self, connection: &mut PgConnection, range: &Range) -> Result<Digest, sqlx::Error> {
        let columns: Vec<String> = self.columns.iter().map(|column| quoted(&column.name)).collect();
        // Sums of hashes, of two kinds: in any order the same, and a row that is there twice counts twice.
        let sql = format!(
            "select count(*), (coalesce(sum(hashtextextended(r collate \"C\", 0)), 0) % 18446744073709551616)::text, \
               (coalesce(sum(hashtextextended(r collate \"C\", 1)), 0) % 18446744073709551616)::text \
             from (select row({})::text as r from {} where {} offset 0) s",
            columns.join(", "),
            quoted(&self.name),
            self.within(range),
        );
        let mut query = sqlx::query_as(AssertSqlSafe(sql));
        for value in range.values() {
            query = query.bind(value);
        }
        let (rows, one, other): (i64, String, String) = query.fetch_one(connection).await?;
        let sum = |text: &str| {
            let sum: i128 = text.parse().map_err(|error| sqlx::Error::Decode(Box::new(error)))?;
            Ok::<u64, sqlx::Error>(sum as u64)
        };
        Ok(Digest { rows: rows.cast_unsigned(), sums: [sum(&one)?, sum(&other)?] })
    }

    /// A statement for all rows of a range, in the order of their keys as text: the key, and all columns as text.
    pub fn rows(&self, range: &Range) -> String {
        let text = |column: &Column| format!("{}::text", quoted(&column.name));
        let columns: Vec<String> = self.columns.iter().map(text).collect();
        let key: Vec<String> = match &self.key {
            Some(key) => key.iter().map(|at| columns[*at].clone()).collect(),
            None => columns.iter().map(|column| format!("coalesce({column}, '')")).collect(),
        };
        format!(
            "select array[{}] collate \"C\" as key, array[{}] from {} where {} order by 1",
            key.join(", "),
            columns.join(", "),
            quoted(&self.name),
            self.within(range),
        )
    }

    /// The condition of a range, whose values are its parameters in their order.
    fn within(&self, range: &Range) -> String {
        let mut conditions: Vec<String> = self.filter.iter().cloned().collect();
        if let Some(key) = &self.key {
            let mut next = 1;
            for (bound, comparison) in [(&range.after, ">"), (&range.upto, "<=")] {
                if bound.is_some() {
                    let value = |(n, at): (usize, &usize)| format!("${}::text::{}", next + n, self.columns[*at].kind);
                    let values: Vec<String> = key.iter().enumerate().map(value).collect();
                    next += key.len();
                    conditions.push(format!("({}) {comparison} ({})", self.key_names(key), values.join(", ")));
                }
            }
        }
        if conditions.is_empty() { "true".to_owned() } else { conditions.join(" and ") }
    }

    fn key_names(&self, key: &[usize]) -> String {
        key.iter().map(|at| quoted(&self.columns[*at].name)).collect::<Vec<_>>().join(", ")
    }
}

impl Range {
    pub fn values(&self) -> impl Iterator<Item = &String> {
        self.after.iter().chain(&self.upto).flatten()
    }
}

/// Tells PostgreSQL what is in tables that were just filled, so that it reads them by their keys.
pub(crate) async fn analyze(connection: &mut PgConnection) -> Result<(), sqlx::Error> {
    let analyze: Option<String> = sqlx::query_scalar(
        "select 'analyze ' || string_agg(oid::regclass::text, ', ') from pg_class \
         where relnamespace = current_schema()::regnamespace and relkind in ('r', 'p') and not relispartition",
    )
    .fetch_one(&mut *connection)
    .await?;
    if let Some(analyze) = analyze {
        sqlx::raw_sql(AssertSqlSafe(analyze)).execute(connection).await?;
    }
    Ok(())
}

/// From where on `changes` is complete; all of it when that is not said.
async fn oldest_change(connection: &mut PgConnection) -> Result<i64, sqlx::Error> {
    let table: Option<String> =
        sqlx::query_scalar("select to_regclass('changes_kept')::text").fetch_one(&mut *connection).await?;
    if table.is_none() {
        return Ok(0);
    }
    sqlx::query_scalar("select coalesce(max(after_seq), 0) from changes_kept").fetch_one(connection).await
}
