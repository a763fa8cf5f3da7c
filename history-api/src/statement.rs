//! Statements: each route's whole answer is one, so it is read in one snapshot and one round trip (HST1).
//!
//! Every statement begins with [`gate!`], which asks how far the read models are and whether the caller's login still
//! holds (HRT4), in the same snapshot as the page itself. Where they are not far enough, or the login does not hold, the
//! gate is not `open` and the rest of the statement reads nothing. The first four parameters belong to the gate:
//! the caller, their session, when their token was issued, and the seq that is asked for at least.
//!
//! A row of the answer is an item where its column `item` is true; an empty page is one row without an item.

use natter_events::Tag;
use natter_protocol::Position;
use sqlx::postgres::{PgArguments, PgRow};
use sqlx::{Arguments, Encode, Postgres, Row, Type};

/// A statement's text, with the gate before it, as `at`. Its `offset 0` keeps PostgreSQL from asking twice whether the login
/// was ended.
macro_rules! gated {
    ($($rest:tt)+) => {
        concat!(
            "with at as materialized (
                select log.*, not log.refused and log.seq >= $4 as open
                from (
                    select epoch, seq, tag,
                           exists (select from users where uid = $1 and (suspended or erased))
                           or exists (
                               select from revocations
                               where uid = $1 and case which
                                   when 'one' then session = $2
                                   when 'all_but' then session <> $2 and $3 <= at
                                   else $3 <= at
                               end
                           ) as refused
                    from projector where name = 'chat'
                    offset 0
                ) log
            ) ",
            $($rest)+
        )
    };
}
pub(crate) use gated;

/// A statement with its arguments. The text is fixed, so that nothing a client says is ever part of it.
#[derive(Clone)]
pub struct Statement {
    pub(crate) sql: &'static str,
    pub(crate) arguments: PgArguments,
}

/// What a gated statement gave, true at `position`.
pub struct Snapshot {
    pub position: Position,
    /// At least one: its first says what the gate found.
    rows: Vec<PgRow>,
}

/// What the gate found.
pub(crate) struct Head {
    pub position: Position,
    pub refused: bool,
}

impl Statement {
    pub fn new(sql: &'static str) -> Self {
        Self { sql, arguments: PgArguments::default() }
    }

    /// With the next parameter.
    pub fn bind<'t, T: Encode<'t, Postgres> + Type<Postgres>>(mut self, value: T) -> Self {
        // Numbers, ids and handles always encode; were one missing, PostgreSQL would refuse the statement.
        if let Err(error) = self.arguments.add(value) {
            tracing::error!(error, "an argument does not encode");
        }
        self
    }
}

impl Snapshot {
    /// What these rows say, or nothing where the projector has no position yet.
    pub(crate) fn of(rows: Vec<PgRow>) -> sqlx::Result<Option<(Head, Self)>> {
        let Some(first) = rows.first() else { return Ok(None) };
        let position = Position {
            epoch: first.try_get::<i64, _>("epoch")?.cast_unsigned(),
            seq: first.try_get::<i64, _>("seq")?.cast_unsigned(),
            tag: Tag(first.try_get::<i64, _>("tag")?.cast_unsigned()),
        };
        let head = Head { position, refused: first.try_get("refused")? };
        Ok(Some((head, Self { position, rows })))
    }

    /// What a column outside the items says: the same in every row.
    pub fn fact(&self, column: &str) -> sqlx::Result<bool> {
        self.rows.first().map_or(Ok(false), |row| row.try_get(column))
    }

    /// A seq that is outside the items: the same in every row.
    pub fn seq(&self, column: &str) -> sqlx::Result<u64> {
        self.rows.first().map_or(Ok(0), |row| crate::rows::seq(row, column))
    }

    /// The items, made of their rows.
    pub fn items<T>(&self, mut read: impl FnMut(&PgRow) -> sqlx::Result<T>) -> sqlx::Result<Vec<T>> {
        let mut items = Vec::with_capacity(self.rows.len());
        for row in &self.rows {
            if row.try_get::<Option<bool>, _>("item")? == Some(true) {
                items.push(read(row)?);
            }
        }
        Ok(items)
    }
}
