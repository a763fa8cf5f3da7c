//! The rows of a range that are not the same on both sides.

use std::cmp::Ordering;
use std::fmt;

use futures::TryStreamExt;
use sqlx::{AssertSqlSafe, PgConnection};

use super::table::{Range, Table};

/// Longest value that is told in full, in characters.
const TOLD_CHARS: usize = 40;

/// A row that is not the same on both sides. What people wrote is never told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// Which row, by its key: `conversation=…, seq=…`.
    pub key: String,
    pub what: What,
}

/// How it differs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum What {
    /// The live table has it, and the log does not say so.
    OnlyLive,
    /// The log says so, and the live table lacks it.
    OnlyReplayed,
    /// These columns differ, with what the live table and the replay have, where it is nothing that people wrote.
    Columns(Vec<String>),
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { key, what } = self;
        match what {
            What::OnlyLive => write!(f, "{key}: is not in the replay"),
            What::OnlyReplayed => write!(f, "{key}: is missing"),
            What::Columns(columns) => write!(f, "{key}: {}", columns.join("; ")),
        }
    }
}

type Values = Vec<Option<String>>;

/// Tells the rows of a range that differ, and says how many there are. Both sides are read side by side, in one order.
pub(crate) async fn find(
    live: &mut PgConnection,
    replayed: &mut PgConnection,
    table: &Table,
    range: &Range,
    mut tell: impl FnMut(Difference),
) -> Result<u64, sqlx::Error> {
    let sql = table.rows(range);
    let statement = || {
        let mut query = sqlx::query_as::<_, (Vec<String>, Values)>(AssertSqlSafe(sql.clone()));
        for value in range.values() {
            query = query.bind(value);
        }
        query
    };
    let (mut ones, mut others) = (statement().fetch(live), statement().fetch(replayed));
    let (mut one, mut other) = (ones.try_next().await?, others.try_next().await?);
    let mut found = 0;
    loop {
        let order = match (&one, &other) {
            (None, None) => return Ok(found),
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (Some((one, _)), Some((other, _))) => one.cmp(other),
        };
        let difference = match (order, &one, &other) {
            (Ordering::Less, Some((_, values)), _) => Some((values, What::OnlyLive)),
            (Ordering::Greater, _, Some((_, values))) => Some((values, What::OnlyReplayed)),
            (_, Some((_, values)), Some((_, others))) if values != others => {
                Some((values, What::Columns(columns(table, values, others))))
            }
            _ => None,
        };
        if let Some((values, what)) = difference {
            found += 1;
            tell(Difference { key: key(table, values), what });
        }
        if order != Ordering::Greater {
            one = ones.try_next().await?;
        }
        if order != Ordering::Less {
            other = others.try_next().await?;
        }
    }
}

fn key(table: &Table, values: &Values) -> String {
    let all = (0..table.columns.len()).collect();
    let key = table.key.as_ref().unwrap_or(&all).iter();
    let parts: Vec<String> =
        key.map(|at| format!("{}={}", table.columns[*at].name, told(table, *at, &values[*at]))).collect();
    parts.join(", ")
}

fn columns(table: &Table, live: &Values, replayed: &Values) -> Vec<String> {
    let differing = (0..table.columns.len()).filter(|at| live[*at] != replayed[*at]);
    let tell = |at: usize| {
        let (name, one, other) = (&table.columns[at].name, told(table, at, &live[at]), told(table, at, &replayed[at]));
        format!("{name} is {one}, replayed {other}")
    };
    differing.map(tell).collect()
}

/// A value, short, and without what people wrote.
fn told(table: &Table, at: usize, value: &Option<String>) -> String {
    // The names of streams are the only texts that nobody wrote and that tell something.
    let ours = matches!(&*table.name, "projector" | "dead_letters") && table.columns[at].name != "payload";
    match value {
        None => "nothing".to_owned(),
        Some(text) if table.columns[at].is_written() && !ours => format!("a text of {} bytes", text.len()),
        Some(text) if text.chars().count() > TOLD_CHARS => {
            format!("{}…", text.chars().take(TOLD_CHARS).collect::<String>())
        }
        Some(text) => text.clone(),
    }
}
