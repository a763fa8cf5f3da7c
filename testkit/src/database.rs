//! A database of one's own, on the PostgreSQL of this test process.

use std::any::type_name;
use std::collections::HashMap;
use std::fmt::Display;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;

use natter_engines::Postgres;
use sqlx::{AssertSqlSafe, Connection, PgConnection};
use tokio::sync::{Mutex, OnceCell};

use crate::cluster::cluster;

/// An empty or migrated database. It is dropped with this value, whoever is connected to it.
pub struct Database {
    name: String,
    server: &'static Postgres,
}

impl Database {
    /// A database without a single table.
    pub async fn empty() -> Self {
        Self::make("template0").await
    }

    /// A database as `migrate` leaves it. `migrate` gets the URL of an empty database and runs once in this process for
    /// each place that names it; every call gets a copy.
    ///
    /// ```text
    /// let database = Database::fresh(|url| async move { natter_migrations::migrate(&url).await }).await;
    /// ```
    pub async fn fresh<F, E>(migrate: F) -> Self
    where
        F: AsyncFnOnce(String) -> Result<(), E>,
        E: Display,
    {
        let template = template_of(type_name::<F>()).await;
        let name = template
            .get_or_init(async || {
                let database = Self::empty().await;
                if let Err(error) = migrate(database.url()).await {
                    panic!("the migration of a test database failed: {error:#}");
                }
                // It lives as long as this process.
                let name = database.name.clone();
                std::mem::forget(database);
                name
            })
            .await;
        Self::make(name).await
    }

    /// With user and password in it.
    pub fn url(&self) -> String {
        self.server.url_of(&self.name)
    }

    /// The URL for clients that should reach the database through a [`crate::Proxy`] on [`Self::socket`].
    pub fn url_through(&self, address: &str) -> String {
        format!("postgres://{}:{}@{address}/{}", self.server.user(), self.server.password(), self.name)
    }

    /// The server's socket.
    pub fn socket(&self) -> PathBuf {
        self.server.socket()
    }

    pub fn name(&self) -> &str {
        &self.name
    }

    /// Runs statements in it, as an operator may.
    pub async fn execute(&self, statements: &str) {
        let mut connection = PgConnection::connect(&self.url()).await.expect("a connection");
        let statements = AssertSqlSafe(statements.to_owned());
        sqlx::raw_sql(statements).execute(&mut connection).await.expect("the statements");
    }

    /// The one number that a query gives.
    pub async fn number(&self, query: &str) -> i64 {
        let mut connection = PgConnection::connect(&self.url()).await.expect("a connection");
        let query = AssertSqlSafe(query.to_owned());
        sqlx::query_scalar(query).fetch_one(&mut connection).await.expect("the query")
    }

    /// Begins a transaction with these statements, which holds what they lock until the answer is dropped.
    pub async fn hold(&self, statements: &str) -> Held {
        let mut connection = PgConnection::connect(&self.url()).await.expect("a connection");
        let statements = AssertSqlSafe(format!("begin; {statements}"));
        sqlx::raw_sql(statements).execute(&mut connection).await.expect("the statements");
        Held { _connection: connection }
    }

    async fn make(template: &str) -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let server = cluster().await;
        let name = format!("test_{}", COUNT.fetch_add(1, Ordering::Relaxed));
        // Copying a template that someone is connected to fails, and a connection that was closed takes a moment to go.
        execute(
            server,
            &format!("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{template}'"),
        )
        .await;
        execute(server, &format!("CREATE DATABASE {name} TEMPLATE {template}")).await;
        Self { name, server }
    }
}

/// A transaction that is open.
pub struct Held {
    _connection: PgConnection,
}

impl Drop for Database {
    fn drop(&mut self) {
        let (name, server) = (std::mem::take(&mut self.name), self.server);
        // Not on the runtime of the test, which may be ending. Nobody waits: the server ends with this process anyway.
        thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            if let Ok(runtime) = runtime {
                let statement = format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)");
                let _ = runtime.block_on(try_execute(server, &statement));
            }
        });
    }
}

/// The name of the migrated database.
type Template = Arc<OnceCell<String>>;

/// One cell for each migration. Two tests that want the same one wait for the first.
async fn template_of(migration: &'static str) -> Template {
    static TEMPLATES: OnceCell<Mutex<HashMap<&'static str, Template>>> = OnceCell::const_new();
    let templates = TEMPLATES.get_or_init(async || Mutex::default()).await;
    templates.lock().await.entry(migration).or_default().clone()
}

async fn execute(server: &Postgres, statement: &str) {
    if let Err(error) = try_execute(server, statement).await {
        panic!("`{statement}` failed: {error}");
    }
}

/// A connection for one statement: it belongs to the runtime of whoever asks, so none can be kept.
async fn try_execute(server: &Postgres, statement: &str) -> sqlx::Result<()> {
    let mut connection = PgConnection::connect(&server.url_of("postgres")).await?;
    sqlx::raw_sql(AssertSqlSafe(statement.to_owned())).execute(&mut connection).await?;
    connection.close().await
}
