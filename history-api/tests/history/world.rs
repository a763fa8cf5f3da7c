//! A history API of one's own, and people who ask it.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use natter_events::{SessionId, Uid};
use natter_history_api::{Config, History};
use natter_platform::secret::Secret;
use natter_platform::telemetry::install_metrics;
use natter_platform::tokens::{PrivateKey, Realm, Signer, Subject, Verifier};
use natter_platform::{Clock, ManualClock, Shutdown};
use natter_protocol::{ErrorCode, Handle, MIN_POSITION_HEADER, Position};
use natter_testkit::Database;
use serde::de::DeserializeOwned;
use serde_json::Value;
use sqlx::postgres::{PgPool, PgPoolOptions};
use sqlx::{AssertSqlSafe, Executor};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

pub const DEADLINE: Duration = Duration::from_secs(20);
pub const EPOCH: u64 = 0xfeed_0000_0000_0001;
/// When the world's clock starts: 2026-09-21.
pub const NOW_MS: u64 = 1_790_000_000_000;

pub struct World {
    /// Kept for as long as the world.
    _database: Database,
    /// As the owner of the tables, as whom the projector writes.
    pub sql: PgPool,
    pub seq: AtomicU64,
    pub hands: ManualClock,
    pub shutdown: Shutdown,
    pub serving: Option<JoinHandle<std::io::Result<()>>>,
    address: SocketAddr,
    signer: Signer,
    http: reqwest::Client,
}

/// Someone with an account and a login.
#[derive(Clone, Debug)]
pub struct Person {
    pub uid: Uid,
    pub handle: String,
    pub session: SessionId,
}

#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: reqwest::header::HeaderMap,
    pub body: Value,
}

impl World {
    pub async fn new() -> Self {
        Self::with(|_| {}).await
    }

    /// With another configuration.
    pub async fn with(configure: impl FnOnce(&mut Config)) -> Self {
        let database = migrated().await;
        let role = reader(&database).await;
        Self::over(database, &role, configure).await
    }

    /// With the service's way to the database given.
    pub async fn over(database: Database, url: &str, configure: impl FnOnce(&mut Config)) -> Self {
        let sql = PgPoolOptions::new().max_connections(3).connect(&database.url()).await.unwrap();
        let (clock, hands) = Clock::manual(NOW_MS);
        let key = PrivateKey::generate().unwrap();
        let realm = Realm::default();
        let verifier = Arc::new(Verifier::new([key.public()], &realm, &clock));
        let signer = Signer::new(&key, realm, Duration::from_secs(900), &clock).unwrap();
        let mut config = Config::new(Secret::new(url.to_owned()));
        configure(&mut config);
        let history = History::new(&config, verifier, &clock).unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let shutdown = Shutdown::new(Duration::from_secs(2));
        let serving = natter_history_api::serve(listener, history, install_metrics().unwrap(), shutdown.clone());
        let world = Self {
            _database: database,
            sql,
            seq: AtomicU64::new(0),
            hands,
            shutdown,
            serving: Some(tokio::spawn(serving)),
            address,
            signer,
            http: reqwest::Client::new(),
        };
        world.begin_log().await;
        world
    }

    pub fn token(&self, person: &Person) -> String {
        let subject = Subject::new(person.uid, person.session, person.handle.clone());
        self.signer.mint(subject).unwrap().0
    }

    pub async fn get(&self, person: &Person, path: &str) -> Answer {
        self.ask(path, |request| request.bearer_auth(self.token(person))).await
    }

    pub async fn get_at(&self, person: &Person, path: &str, position: &str) -> Answer {
        let token = self.token(person);
        self.ask(path, |request| request.bearer_auth(token).header(MIN_POSITION_HEADER, position)).await
    }

    /// A request that is not sent yet, so that it can be on its way while the test does something else.
    pub fn request(&self, person: &Person, path: &str) -> reqwest::RequestBuilder {
        self.request_with(reqwest::Method::GET, person, path)
    }

    pub fn request_with(&self, method: reqwest::Method, person: &Person, path: &str) -> reqwest::RequestBuilder {
        let request = self.http.request(method, format!("http://{}{path}", self.address));
        request.timeout(DEADLINE).bearer_auth(self.token(person))
    }

    /// A request that the test makes up.
    pub async fn ask(
        &self,
        path: &str,
        with: impl FnOnce(reqwest::RequestBuilder) -> reqwest::RequestBuilder,
    ) -> Answer {
        let request = self.http.get(format!("http://{}{path}", self.address)).timeout(DEADLINE);
        let response = with(request).send().await.unwrap();
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let text = response.text().await.unwrap();
        let body = serde_json::from_str(&text).unwrap_or(Value::String(text));
        Answer { status, headers, body }
    }

    pub fn position(&self, seq: u64) -> Position {
        Position { epoch: EPOCH, seq, tag: crate::log::tag_of(seq) }
    }
}

impl Answer {
    #[track_caller]
    pub fn ok<T: DeserializeOwned>(self) -> T {
        assert_eq!(self.status, 200, "{:?}", self.body);
        serde_json::from_value(self.body).unwrap()
    }

    #[track_caller]
    pub fn is_problem(&self, status: u16, code: ErrorCode) {
        assert_eq!((self.status, self.body["code"].as_str()), (status, Some(code.as_str())), "{:?}", self.body);
        assert_eq!(self.headers["content-type"], "application/problem+json");
        assert_eq!(self.body["temporary"], code.temporary());
    }

    pub fn detail(&self) -> &str {
        self.body["detail"].as_str().unwrap_or_default()
    }
}

impl Person {
    pub fn handle(&self) -> Handle {
        self.handle.parse().unwrap()
    }

    /// The same person, on another device.
    pub fn again(&self) -> Self {
        Self { session: SessionId::random(), ..self.clone() }
    }
}

pub async fn migrated() -> Database {
    Database::fresh(async |url: String| natter_migrations::migrate(&url).await.map(drop)).await
}

/// A login to the database that may read its tables and do nothing else, as URL.
pub async fn reader(database: &Database) -> String {
    let role = format!("reader_of_{}_{}", database.name(), std::process::id());
    let sql = PgPool::connect(&database.url()).await.unwrap();
    let script = format!(
        "create role {role} login password 'reader' nosuperuser nocreatedb nocreaterole;
         grant select on all tables in schema public to {role};"
    );
    sql.execute(AssertSqlSafe(script)).await.unwrap();
    sql.close().await;
    as_role(&database.url(), &role)
}

fn as_role(url: &str, role: &str) -> String {
    let (_, rest) = url.split_once('@').unwrap();
    format!("postgres://{role}:reader@{rest}")
}
