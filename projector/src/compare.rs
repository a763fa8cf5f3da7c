//! Two schemas with the read models of one position: are their rows the same?
//!
//! A table is walked in the order of its primary key, range by range. Of each range both sides give the number of rows and
//! a digest, which does not depend on their order; only the ranges that differ are read row by row. So equal tables are read
//! once and never leave PostgreSQL, and however large one is, no more than a range is sorted.

mod difference;
mod table;

use sqlx::PgConnection;

pub use difference::Difference;
pub(crate) use table::analyze;
use table::{Range, Table};

use crate::error::ReplayError;

/// Rows of one range.
const RANGE_ROWS: i64 = 20_000;
/// Differing rows of one table that are told one by one; the others are counted.
const TOLD_ROWS: usize = 20;

/// What came of comparing the live read models with a replay of the log.
#[derive(Debug)]
pub struct Comparison {
    /// Both are at this event.
    pub seq: u64,
    pub tables: Vec<Compared>,
}

/// What came of comparing one table.
#[derive(Debug)]
pub struct Compared {
    pub table: String,
    pub live: Digest,
    pub replayed: Digest,
    /// Columns that the live table lacks, or the name of the table itself: then nothing of it was compared.
    pub lacks: Vec<String>,
    /// How many rows differ.
    pub differing: u64,
    /// The first of them.
    pub differences: Vec<Difference>,
}

/// How many rows there are, and what is in them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Digest {
    pub rows: u64,
    sums: [u64; 2],
}

impl Comparison {
    /// Those that are not the same.
    pub fn differing(&self) -> impl Iterator<Item = &Compared> {
        self.tables.iter().filter(|table| !table.is_same())
    }
}

impl Compared {
    pub fn is_same(&self) -> bool {
        self.live == self.replayed && self.lacks.is_empty()
    }
}

impl Digest {
    fn add(&mut self, other: Digest) {
        self.rows += other.rows;
        for (sum, other) in self.sums.iter_mut().zip(other.sums) {
            *sum = sum.wrapping_add(other);
        }
    }
}

impl std::fmt::Display for Digest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:016x}{:016x}", self.sums[0], self.sums[1])
    }
}

/// Compares every table that is made from CHAT. `show` learns how many rows of about how many are compared.
pub(crate) async fn compare(
    live: &mut PgConnection,
    replayed: &mut PgConnection,
    seq: u64,
    show: &mut impl FnMut(u64, u64),
) -> Result<Comparison, ReplayError> {
    let tables = Table::all(live, replayed).await?;
    let of = tables.iter().map(|table| table.about_rows).sum();
    let (mut done, mut compared) = (0, Vec::with_capacity(tables.len()));
    for table in tables {
        let mut show = |rows| show(done + rows, of);
        let one = compare_table(live, replayed, table, &mut show).await?;
        done += one.live.rows;
        compared.push(one);
    }
    Ok(Comparison { seq, tables: compared })
}

async fn compare_table(
    live: &mut PgConnection,
    replayed: &mut PgConnection,
    table: Table,
    show: &mut impl FnMut(u64),
) -> Result<Compared, ReplayError> {
    let mut compared = Compared {
        table: table.name.clone(),
        live: Digest::default(),
        replayed: Digest::default(),
        lacks: table.lacks.clone(),
        differing: 0,
        differences: Vec::new(),
    };
    if !table.lacks.is_empty() {
        return Ok(compared);
    }
    let mut range = Range::default();
    loop {
        range.upto = table.bound(live, &range, RANGE_ROWS).await?;
        let (one, other) = tokio::try_join!(table.digest(live, &range), table.digest(replayed, &range))?;
        compared.live.add(one);
        compared.replayed.add(other);
        if one != other {
            let more = difference::find(live, replayed, &table, &range, |found| {
                if compared.differences.len() < TOLD_ROWS {
                    compared.differences.push(found);
                }
            });
            compared.differing += more.await?;
        }
        show(compared.live.rows);
        match range.upto.take() {
            Some(key) => range.after = Some(key),
            None => return Ok(compared),
        }
    }
}
