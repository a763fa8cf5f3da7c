//! A whole deployment whose clock is in the test's hands: gateways, a projector and a history API in this process, on a
//! real broker and a real PostgreSQL, so that a day passes at once.

use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use natter_events::ContentKey;
use natter_gateway::accounts::{AccountConfig, PasswordCost};
use natter_gateway::{Deps, Gateway};
use natter_history_api::History;
use natter_log::{Bucket, KeyRing, Log, Settings, Stream};
use natter_platform::http::{LayerOptions, ServeOptions, layered, serve};
use natter_platform::lifecycle::{Policy, Shutdown, Tasks};
use natter_platform::ops::{Ops, Readiness};
use natter_platform::secret::Secret;
use natter_platform::telemetry::install_metrics;
use natter_platform::tokens::{DEFAULT_LIFETIME, PrivateKey, Realm, Signer, Subject, Verifier};
use natter_platform::{Clock, ManualClock};
use natter_testkit::{Broker, Database, eventually};
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::alone::is_ready;
use crate::program::LONG;

/// No test here is about rates.
const MANY: u32 = 1_000_000;

/// Somebody who has logged in.
pub struct Login(Subject);

pub struct Clocked {
    pub broker: Broker,
    database: Database,
    pub hands: ManualClock,
    clock: Clock,
    settings: Settings,
    key: Arc<PrivateKey>,
    master: ContentKey,
    history: String,
    /// Where the gateways are.
    pub gateways: Vec<String>,
    tasks: Tasks,
    shutdown: Shutdown,
}

impl Clocked {
    /// A deployment without gateways, whose broker remembers ids for so long.
    pub async fn start(duplicate_window: Duration) -> Self {
        let (broker, database) = tokio::join!(Broker::start(), Database::empty());
        natter_migrations::migrate(&database.url()).await.expect("migrated");
        let settings = Settings {
            servers: vec![broker.url().to_owned()],
            user: Some(broker.user().to_owned()),
            password: Some(broker.password().to_owned()),
            ack_timeout: LONG / 2,
            duplicate_window,
            ..Settings::default()
        };
        let (clock, hands) = Clock::manual(Clock::system().now_ms());
        let shutdown = Shutdown::new(Duration::from_secs(5));
        let mut clocked = Self {
            tasks: Tasks::new(&shutdown),
            key: Arc::new(PrivateKey::generate().expect("a key")),
            master: ContentKey::random(),
            history: String::new(),
            gateways: Vec::new(),
            broker,
            database,
            hands,
            clock,
            settings,
            shutdown,
        };
        clocked.read().await;
        clocked
    }

    /// The read side.
    async fn read(&mut self) {
        let log = self.log().await;
        log.declare().await.expect("declared");
        let keys = KeyRing::new(log.bucket(Bucket::Keys), self.master.clone(), 1_000);
        let url = self.database.url();
        let config = natter_projector::Config::new(url.clone());
        let projecting =
            natter_projector::run(config, log, keys, natter_projector::Status::default(), self.shutdown.clone());
        self.tasks.spawn("projector", Policy::Expected, projecting);
        let mut config = natter_history_api::Config::new(Secret::new(url));
        config.queries.count = NonZeroU32::new(MANY).expect("some");
        let history = History::new(&config, self.verifier(), &self.clock).expect("configured");
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("bound");
        self.history = format!("http://{}", listener.local_addr().expect("bound"));
        let metrics = install_metrics().expect("installed");
        let served = natter_history_api::serve(listener, history, metrics, self.shutdown.clone());
        self.tasks.spawn("history API", Policy::Expected, served);
    }

    /// One more gateway, which keeps so much of the log in memory.
    pub async fn gateway(&mut self, tail_bytes: usize) {
        self.gateway_by(self.clock.clone(), tail_bytes).await;
    }

    /// One whose clock is wrong by so much, and stands still.
    pub async fn gateway_off_by(&mut self, skew_ms: i64, tail_bytes: usize) {
        let (clock, _) = Clock::manual(self.hands.now_ms().saturating_add_signed(skew_ms));
        self.gateway_by(clock, tail_bytes).await;
    }

    async fn gateway_by(&mut self, clock: Clock, tail_bytes: usize) {
        let log = self.log().await;
        let config = natter_gateway::config::Config {
            name: format!("g{}", self.gateways.len()),
            history_url: Some(self.history.clone()),
            tail_bytes,
            messages: MANY,
            room_messages: MANY,
            other_commands: MANY,
            ..Default::default()
        };
        let password_cost = PasswordCost { memory_kib: 8, passes: 1, lanes: 1 };
        let accounts = AccountConfig { password_cost, ..AccountConfig::default() };
        let deps = Deps {
            keys: KeyRing::new(log.bucket(Bucket::Keys), self.master.clone(), 1_000),
            log,
            signer: Arc::new(self.signer()),
            verifier: self.verifier(),
            clock: clock.clone(),
            tasks: self.tasks.clone(),
            shutdown: self.shutdown.clone(),
        };
        let gateway = Gateway::start(config, accounts, deps).expect("configured");
        let readiness = Readiness::new(&self.shutdown);
        gateway.add_checks(&readiness);
        let ops = Ops { readiness, metrics: install_metrics().expect("installed"), clock };
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("bound");
        self.gateways.push(format!("http://{}", listener.local_addr().expect("bound")));
        let router = layered(gateway.router().merge(ops.router()), &LayerOptions::default());
        self.tasks.spawn(
            "gateway",
            Policy::Expected,
            serve(listener, router, ServeOptions::default(), self.shutdown.clone()),
        );
        self.are_ready().await;
    }

    /// Waits until everything works.
    pub async fn are_ready(&self) {
        for url in self.gateways.iter().chain([&self.history]) {
            eventually("the service is ready", LONG, async || is_ready(url).await).await;
        }
    }

    /// How many events there are.
    pub async fn events(&self) -> u64 {
        self.log().await.state(Stream::Chat).await.expect("read").messages
    }

    /// Makes an account.
    pub async fn register(&self, handle: &str) -> Login {
        let account = json!({"handle": handle, "password": "correct horse battery"});
        let url = format!("{}/auth/register", self.gateways[0]);
        let answer = reqwest::Client::new().post(url).json(&account).send().await.expect("answered");
        let tokens: Value = answer.json().await.expect("JSON");
        let token = tokens["access_token"].as_str().unwrap_or_else(|| panic!("{tokens}"));
        let claims = self.verifier().verify(token).expect("its own");
        Login(Subject::new(claims.uid, claims.session, handle))
    }

    /// An access token that is good now.
    pub fn token(&self, login: &Login) -> String {
        self.signer().mint(login.0.clone()).expect("minted").0
    }

    fn signer(&self) -> Signer {
        Signer::new(&self.key, Realm::default(), DEFAULT_LIFETIME, &self.clock).expect("a signer")
    }

    async fn log(&self) -> Log {
        Log::connect(self.settings.clone()).await.expect("connected")
    }

    fn verifier(&self) -> Arc<Verifier> {
        Arc::new(Verifier::new([self.key.public()], &Realm::default(), &self.clock))
    }
}

impl Drop for Clocked {
    fn drop(&mut self) {
        self.shutdown.force();
    }
}
