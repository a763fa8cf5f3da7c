//! The history API: from PostgreSQL to pages. It only reads, and only the read models: neither the broker nor a gateway
//! has to be there.
//!
//! - [`router`]: the routes under `/history`, one file each in `routes/`
//! - [`serve`]: the same with the operator's doors, on a listener of its own
//! - [`History`]: what they share: reading at a position, in one snapshot, for a caller whose login still holds
//!
//! A request's way: `caller` (token, rate, `Natter-Min-Position`), `params` and `cursor` (what is asked for), `statement`
//! (one statement that checks the login and reads the page), `rows` and `page` (what is answered).

mod caller;
mod config;
mod cursor;
mod database;
mod history;
mod page;
mod params;
mod progress;
mod ready;
mod routes;
mod rows;
mod serve;
mod statement;

pub use config::Config;
pub use database::BadDatabaseUrl;
pub use history::History;
pub use ready::watch;
pub use routes::router;
pub use serve::serve;

/// The statement of a page of messages, for comparing it with PostgreSQL alone.
#[doc(hidden)]
pub const PAGE_STATEMENT: &str = routes::PAGE_STATEMENT;

/// The statement that finds where a moment lies, for tests of what it reads.
#[doc(hidden)]
pub const PLACE_STATEMENT: &str = routes::PLACE_STATEMENT;

/// The statement of a search, for tests of what it reads.
#[doc(hidden)]
pub const SEARCH_STATEMENT: &str = routes::SEARCH_STATEMENT;
