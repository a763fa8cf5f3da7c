//! One broker, and doors to it: each is the accounts of one gateway, with a feed of its own, served on a port of its own.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use natter_events::{Account, ContentKey, Event, Record, Subject, Uid};
use natter_gateway::accounts::{AccountConfig, AccountDeps, AccountService, PasswordCost, routes};
use natter_log::{Append, Bucket, KeyRing, Log, Settings, Stream};
use natter_platform::http::{LayerOptions, ServeOptions, layered, serve};
use natter_platform::tokens::{Claims, DEFAULT_LIFETIME, PrivateKey, Realm, Signer, Verifier};
use natter_platform::{Clock, ManualClock, Shutdown};
use natter_testkit::Broker;
use serde_json::{Value, json};
use tokio::task::JoinHandle;

/// Long enough for a busy machine; what is not there by then is missing.
pub const PATIENCE: Duration = Duration::from_secs(30);
pub const PASSWORD: &str = "correct horse battery";

pub struct World {
    pub broker: Broker,
    pub log: Log,
    pub keys: KeyRing,
    pub clock: Clock,
    pub key: PrivateKey,
    master: ContentKey,
}

/// The accounts of one gateway.
pub struct Door {
    pub service: Arc<AccountService>,
    url: String,
    http: reqwest::Client,
    verifier: Arc<Verifier>,
    shutdown: Shutdown,
    tasks: Vec<JoinHandle<()>>,
}

/// What came back.
#[derive(Debug, Clone)]
pub struct Answer {
    pub status: u16,
    pub cookie: Option<String>,
    pub headers: http::HeaderMap,
    pub body: Value,
}

impl World {
    /// A world whose clock is the machine's.
    pub async fn new() -> Self {
        Self::with_clock(Clock::system()).await
    }

    /// A world whose clock stands until it is moved.
    pub async fn with_hands() -> (Self, ManualClock) {
        let (clock, hands) = Clock::manual(1_790_000_000_000);
        (Self::with_clock(clock).await, hands)
    }

    async fn with_clock(clock: Clock) -> Self {
        let broker = Broker::start().await;
        let log = connect(&broker).await;
        log.declare().await.unwrap();
        let master = ContentKey::random();
        let keys = KeyRing::new(log.bucket(Bucket::Keys), master.clone(), 1_000);
        Self { broker, log, keys, clock, key: PrivateKey::generate().unwrap(), master }
    }

    pub async fn door(&self) -> Door {
        self.door_with(|_| {}).await
    }

    /// A door whose feed never brings anything.
    pub async fn door_without_feed(&self) -> Door {
        let mut door = self.door().await;
        if let Some(feed) = door.tasks.pop() {
            feed.abort();
        }
        door
    }

    /// A door with settings of the test's own.
    pub async fn door_with(&self, change: impl FnOnce(&mut AccountConfig)) -> Door {
        // The cheapest hash: what most of these tests are about is not how long a guess takes.
        let password_cost = PasswordCost { memory_kib: 8, passes: 1, lanes: 1 };
        let mut config = AccountConfig { password_cost, ..AccountConfig::default() };
        change(&mut config);
        let tail = Arc::new(Mutex::new(HashMap::<Uid, u64>::new()));
        let newer = tail.clone();
        let log = connect(&self.broker).await;
        let verifier = Arc::new(Verifier::new([self.key.public()], &Realm::default(), &self.clock));
        let service = AccountService::new(AccountDeps {
            keys: KeyRing::new(log.bucket(Bucket::Keys), self.master.clone(), 1_000),
            signer: Arc::new(self.signer()),
            verifier: verifier.clone(),
            clock: self.clock.clone(),
            newer: Arc::new(move |subject: natter_events::Subject, seq| {
                newer.lock().unwrap().get(&subject.owner()).is_some_and(|last| *last > seq)
            }),
            config,
            log: log.clone(),
        })
        .unwrap();

        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let router = layered(routes(service.clone()).merge(whoami(service.clone())), &LayerOptions::default());
        let shutdown = Shutdown::new(Duration::ZERO);
        let stop = shutdown.clone();
        let tasks = vec![
            tokio::spawn(async move { serve(listener, router, ServeOptions::default(), stop).await.unwrap() }),
            tokio::spawn(feed(log, service.clone(), tail)),
        ];
        let http = reqwest::Client::builder().timeout(PATIENCE).build().unwrap();
        Door { service, url, http, verifier, shutdown, tasks }
    }

    pub fn signer(&self) -> Signer {
        Signer::new(&self.key, Realm::default(), DEFAULT_LIFETIME, &self.clock).unwrap()
    }

    /// An entry of a bucket, as JSON.
    pub async fn entry(&self, bucket: Bucket, key: &str) -> Option<Value> {
        let entry = self.log.bucket(bucket).get(key).await.unwrap()?;
        Some(serde_json::from_slice(&entry.value).unwrap())
    }

    pub async fn put(&self, bucket: Bucket, key: &str, value: impl Into<Bytes>) {
        self.log.bucket(bucket).put(key, value.into()).await.unwrap();
    }

    /// Every event of an account's.
    pub async fn account_events(&self, uid: Uid) -> Vec<Record> {
        let subject = Subject::Account(uid).to_string();
        let all = self.log.range(Stream::Chat, 0, 10_000, 64 << 20).await.unwrap();
        let own = all.iter().filter(|stored| stored.subject == *subject);
        own.map(|stored| Record::decode(&stored.payload).unwrap()).collect()
    }

    /// The account as the log has it.
    pub async fn account(&self, uid: Uid) -> Account {
        match self.account_events(uid).await.pop().unwrap().event {
            Event::UserRegistered(event) => event.account,
            Event::SessionsRevoked(event) => event.account,
            other => panic!("{} is no account event", other.kind()),
        }
    }

    /// Appends what an operator's program would.
    pub async fn append(&self, record: &Record) -> u64 {
        let append = Append {
            stream: Stream::Chat,
            subject: Subject::Account(record.envelope.actor).to_string(),
            message_id: uuid::Uuid::new_v4().to_string(),
            payload: record.encode(),
            expected_last: None,
        };
        self.log.append(append).await.unwrap().seq
    }
}

impl Door {
    pub async fn register(&self, handle: &str) -> Answer {
        self.post("/auth/register", None, None, json!({ "handle": handle, "password": PASSWORD })).await
    }

    pub async fn login(&self, handle: &str, password: &str) -> Answer {
        self.post("/auth/login", None, None, json!({ "handle": handle, "password": password })).await
    }

    pub async fn refresh(&self, cookie: &str) -> Answer {
        self.post("/auth/refresh", Some(cookie), None, Value::Null).await
    }

    pub async fn logout(&self, cookie: &str) -> Answer {
        self.post("/auth/logout", Some(cookie), None, Value::Null).await
    }

    pub async fn change_password(&self, token: &str, current: &str, new: &str) -> Answer {
        self.post("/auth/password", None, Some(token), json!({ "current": current, "new": new })).await
    }

    /// What a page of ours sends: its cookie, its name.
    pub async fn post(&self, path: &str, cookie: Option<&str>, token: Option<&str>, body: Value) -> Answer {
        let mut request = self.request(path).header("natter-client", "test/1");
        if let Some(cookie) = cookie {
            request = request.header("cookie", format!("natter_refresh={cookie}"));
        }
        if let Some(token) = token {
            request = request.bearer_auth(token);
        }
        if !body.is_null() {
            request = request.json(&body);
        }
        answer(request).await
    }

    /// A request with nothing in it yet.
    pub fn request(&self, path: &str) -> reqwest::RequestBuilder {
        self.http.post(format!("{}{path}", self.url))
    }

    /// What a route behind a token answers to this one.
    pub async fn whoami(&self, token: &str) -> Answer {
        answer(self.http.get(format!("{}/api/whoami", self.url)).bearer_auth(token)).await
    }

    pub fn claims(&self, answer: &Answer) -> Claims {
        self.verifier.verify(answer.token()).unwrap()
    }

    /// Waits until this door turns a token away.
    pub async fn refuses(&self, token: &str) {
        natter_testkit::eventually("the token is refused", PATIENCE, async || match self.whoami(token).await.status {
            401 => Ok(()),
            status => Err(status),
        })
        .await;
    }
}

impl Drop for Door {
    fn drop(&mut self) {
        self.shutdown.force();
        for task in &self.tasks {
            task.abort();
        }
    }
}

impl Answer {
    pub fn token(&self) -> &str {
        self.body["access_token"].as_str().unwrap_or_else(|| panic!("no token in {self:?}"))
    }

    /// The value of the cookie that was set.
    pub fn cookie(&self) -> &str {
        let cookie = self.cookie.as_deref().unwrap_or_else(|| panic!("no cookie in {self:?}"));
        cookie.strip_prefix("natter_refresh=").unwrap().split(';').next().unwrap()
    }

    pub fn cleared(&self) -> bool {
        self.cookie
            .as_deref()
            .is_some_and(|cookie| cookie.starts_with("natter_refresh=;") && cookie.contains("Max-Age=0"))
    }

    /// Status and code, to compare with.
    pub fn problem(&self) -> (u16, &str) {
        (self.status, self.body["code"].as_str().unwrap_or_default())
    }

    pub fn expect(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{self:?}");
        self
    }
}

pub async fn answer(request: reqwest::RequestBuilder) -> Answer {
    let response = request.send().await.unwrap();
    let (status, headers) = (response.status().as_u16(), response.headers().clone());
    let cookie = headers.get("set-cookie").map(|cookie| cookie.to_str().unwrap().to_owned());
    let body = response.bytes().await.unwrap();
    let body = if body.is_empty() { Value::Null } else { serde_json::from_slice(&body).unwrap() };
    Answer { status, cookie, headers, body }
}

/// A route as `/api` has them: for whoever has a good token and an account that may act.
fn whoami(service: Arc<AccountService>) -> axum::Router {
    use natter_gateway::accounts::Authenticated;
    let whoami = async |caller: Authenticated| axum::Json(json!({ "user": caller.handle }));
    axum::Router::new().route("/api/whoami", axum::routing::get(whoami)).with_state(service)
}

async fn connect(broker: &Broker) -> Log {
    let settings = Settings {
        servers: vec![format!("nats://{}", broker.address())],
        user: Some(broker.user().to_owned()),
        password: Some(broker.password().to_owned()),
        request_timeout: Duration::from_secs(2),
        ..Settings::default()
    };
    Log::connect(settings).await.unwrap()
}

/// What a gateway's feed does for accounts: into the tail first, then applied.
async fn feed(log: Log, service: Arc<AccountService>, tail: Arc<Mutex<HashMap<Uid, u64>>>) {
    let mut follower = log.follow(Stream::Chat, 0);
    while let Ok(stored) = follower.next().await {
        let Ok(record) = Record::decode(&stored.payload) else { continue };
        let uid = record.envelope.actor;
        tail.lock().unwrap().insert(uid, stored.seq);
        service.accounts.apply(uid, stored.seq, &record);
    }
}
