//! One broker, one or more gateways on port 0, each on a runtime of its own as if it were a process, and the people who
//! use them.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use natter_events::{ClientId, ContentKey};
use natter_gateway::accounts::{AccountConfig, PasswordCost};
use natter_gateway::config::Config;
use natter_gateway::{Deps, Gateway};
use natter_log::{Bucket, KeyRing, Log, Settings};
use natter_platform::http::{LayerOptions, ServeOptions, layered, serve};
use natter_platform::ops::{Ops, Readiness};
use natter_platform::telemetry::install_metrics;
use natter_platform::tokens::{DEFAULT_LIFETIME, LEEWAY, PrivateKey, Realm, Role, Signer, Subject, Verifier};
use natter_platform::{Clock, Policy, Shutdown, Tasks};
use natter_testkit::{Broker, Proxy, eventually};
use serde_json::{Value, json};
use tokio::runtime::Runtime;

use crate::socket::{Closed, Socket};

/// Long enough for a busy machine; what is not there by then is missing.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// A deployment.
pub struct Rig {
    pub broker: Broker,
    pub gateways: Vec<Running>,
    pub clock: Clock,
    /// How gateways that are added from now on serve.
    pub serve: ServeOptions,
    /// How they look after accounts.
    pub accounts: AccountConfig,
    secrets: Secrets,
}

/// What all gateways of a deployment share.
#[derive(Clone)]
struct Secrets {
    key: Arc<PrivateKey>,
    master: ContentKey,
    token_lifetime: Duration,
}

/// One gateway, served.
pub struct Running {
    pub address: String,
    pub shutdown: Shutdown,
    pub tasks: Tasks,
    runtime: Option<Runtime>,
}

/// Someone who registered.
#[derive(Clone, Debug)]
pub struct Person {
    pub handle: String,
    pub token: String,
    /// The refresh cookie, as it is sent back.
    pub cookie: String,
    pub uid: natter_events::Uid,
    pub login: natter_events::SessionId,
}

impl Rig {
    /// A broker and `count` gateways.
    pub async fn start(count: usize) -> Self {
        Self::start_with(count, |_| {}).await
    }

    /// The same, with settings of the test's own.
    pub async fn start_with(count: usize, change: impl Fn(&mut Config)) -> Self {
        let mut rig = Self::empty(Clock::system(), DEFAULT_LIFETIME).await;
        for _ in 0..count {
            rig.add(&change).await;
        }
        rig
    }

    /// A broker without gateways.
    pub async fn empty(clock: Clock, token_lifetime: Duration) -> Self {
        let secrets =
            Secrets { key: Arc::new(PrivateKey::generate().unwrap()), master: ContentKey::random(), token_lifetime };
        // The cheapest hash there is: what these tests are about is not how long a guess takes.
        let cost = PasswordCost { memory_kib: 8, passes: 1, lanes: 1 };
        let accounts = AccountConfig { password_cost: cost, ..AccountConfig::default() };
        let (broker, serve) = (Broker::start().await, ServeOptions::default());
        Self { broker, gateways: Vec::new(), clock, serve, accounts, secrets }
    }

    /// One more gateway.
    pub async fn add(&mut self, change: impl Fn(&mut Config)) {
        let settings = self.settings();
        self.add_over(settings, change).await;
    }

    /// One more gateway, which reaches the broker in a way of the test's own.
    pub async fn add_over(&mut self, settings: Settings, change: impl Fn(&mut Config)) {
        self.begin(settings, change, async || {}).await;
        let url = format!("http://{}/ready", self.gateways.last().unwrap().address);
        eventually("the gateway is ready", PATIENCE, async || match reqwest::get(&url).await {
            Ok(answer) if answer.status() == 200 => Ok(()),
            Ok(answer) => Err(answer.text().await.unwrap()),
            Err(error) => Err(error.to_string()),
        })
        .await;
    }

    /// One more gateway that is not ready yet. Something happens after it has found the broker, before its tasks start.
    pub async fn begin(&mut self, settings: Settings, change: impl Fn(&mut Config), before_tasks: impl AsyncFnOnce()) {
        let mut config = Config { name: format!("g{}", self.gateways.len()), ..Config::default() };
        change(&mut config);
        let deployed = (self.secrets.clone(), self.clock.clone(), self.serve, self.accounts.clone());
        self.gateways.push(Running::start(config, settings, deployed, before_tasks).await);
    }

    /// How to reach the broker through a proxy.
    pub fn settings_through(&self, proxy: &Proxy) -> Settings {
        Settings { servers: vec![self.broker.url_through(&proxy.address())], ..self.settings() }
    }

    /// How to reach the broker directly. A disk that others keep busy is waited for.
    pub fn settings(&self) -> Settings {
        Settings {
            ack_timeout: PATIENCE / 2,
            servers: vec![self.broker.url().to_owned()],
            user: Some(self.broker.user().to_owned()),
            password: Some(self.broker.password().to_owned()),
            ..Settings::default()
        }
    }

    /// The log, to look at it.
    pub async fn log(&self) -> Log {
        Log::connect(self.settings()).await.unwrap()
    }

    /// Registers someone, on the first gateway.
    pub async fn person(&self, handle: &str) -> Person {
        let url = format!("http://{}/auth/register", self.gateways[0].address);
        let body = json!({"handle": handle, "password": "correct horse"});
        let response = reqwest::Client::new().post(url).json(&body).send().await.unwrap();
        assert!(response.status().is_success(), "{}", response.text().await.unwrap());
        let cookie = response.headers()["set-cookie"].to_str().unwrap().split(';').next().unwrap().to_owned();
        let tokens: Value = response.json().await.unwrap();
        let token = tokens["access_token"].as_str().unwrap().to_owned();
        let verifier = Verifier::new([self.secrets.key.public()], &Realm::default(), &self.clock);
        let claims = verifier.verify(&token).unwrap();
        Person { handle: handle.to_owned(), token, cookie, uid: claims.uid, login: claims.session }
    }

    /// The person with a token that grants so many messages per window.
    pub fn with_rate(&self, person: &Person, rate: u32) -> Person {
        let subject = Subject { rate: Some(rate), ..subject_of(person) };
        Person { token: self.mint(subject, DEFAULT_LIFETIME), ..person.clone() }
    }

    /// The person as one who runs the deployment.
    pub fn as_operator(&self, person: &Person) -> Person {
        let subject = Subject { role: Some(Role::Operator), ..subject_of(person) };
        Person { token: self.mint(subject, DEFAULT_LIFETIME), ..person.clone() }
    }

    /// A token of the person's that is good for so long, in whole seconds.
    pub fn token_for(&self, person: &Person, lifetime: Duration) -> String {
        self.mint(subject_of(person), lifetime)
    }

    /// A token of the person's that has ended, leeway and all.
    pub fn expired_token(&self, person: &Person) -> String {
        let (clock, _) = Clock::manual(self.clock.now_ms() - 60_000);
        let signer = Signer::new(&self.secrets.key, Realm::default(), Duration::from_secs(60) - LEEWAY, &clock);
        signer.unwrap().mint(subject_of(person)).unwrap().0
    }

    /// A token that says it is the person's, signed by someone else.
    pub fn forged_token(&self, person: &Person) -> String {
        let key = PrivateKey::generate().unwrap();
        let signer = Signer::new(&key, Realm::default(), DEFAULT_LIFETIME, &self.clock).unwrap();
        signer.mint(subject_of(person)).unwrap().0
    }

    fn mint(&self, subject: Subject, lifetime: Duration) -> String {
        let signer = Signer::new(&self.secrets.key, Realm::default(), lifetime, &self.clock).unwrap();
        signer.mint(subject).unwrap().0
    }

    /// A socket of a person's on a gateway, greeted afresh.
    pub async fn socket(&self, gateway: usize, person: &Person) -> Socket {
        let mut socket = self.welcomed(gateway, person, None).await;
        assert_eq!(socket.expect("reset").await["reason"], "fresh");
        socket
    }

    /// A socket that resumes from a position, welcomed.
    pub async fn resume(&self, gateway: usize, person: &Person, position: &str) -> Socket {
        self.welcomed(gateway, person, Some(position)).await
    }

    /// A socket that was welcomed. Told that the gateway is behind (4003), it comes back, as clients do.
    async fn welcomed(&self, gateway: usize, person: &Person, resume: Option<&str>) -> Socket {
        eventually("the gateway says welcome", PATIENCE, async || {
            let mut socket = self.hello(gateway, person, resume).await;
            match socket.next_but_pings().await {
                Ok(frame) => {
                    assert_eq!(frame["type"], "welcome", "{frame}");
                    Ok(socket)
                }
                Err(behind @ Closed(Some(4003))) => Err(behind),
                Err(closed) => panic!("expected welcome, got {closed:?}"),
            }
        })
        .await
    }

    /// A socket that has said hello, and heard nothing yet.
    pub async fn hello(&self, gateway: usize, person: &Person, resume: Option<&str>) -> Socket {
        let mut socket = Socket::open(&self.gateways[gateway].address).await;
        socket.say(json!({"type": "hello", "token": person.token, "client": "test", "resume": resume})).await;
        socket
    }

    /// Asks one of the gateways by HTTP.
    pub async fn http(
        &self,
        gateway: usize,
        method: &str,
        path: &str,
        token: Option<&str>,
        body: Option<Value>,
    ) -> (u16, Value) {
        let url = format!("http://{}{path}", self.gateways[gateway].address);
        let mut request = reqwest::Client::new().request(method.parse().unwrap(), url);
        if let Some(token) = token {
            request = request.bearer_auth(token);
        }
        if let Some(body) = body {
            request = request.json(&body);
        }
        let response = request.send().await.unwrap();
        let status = response.status().as_u16();
        (status, response.json().await.unwrap_or(Value::Null))
    }

    /// Logs a person out, on one of the gateways.
    pub async fn log_out(&self, gateway: usize, person: &Person) {
        let url = format!("http://{}/auth/logout", self.gateways[gateway].address);
        let request = reqwest::Client::new().post(url).header("cookie", &person.cookie).header("natter-client", "test");
        assert_eq!(request.send().await.unwrap().status(), 204);
    }
}

fn subject_of(person: &Person) -> Subject {
    Subject::new(person.uid, person.login, person.handle.clone())
}

impl Running {
    async fn start(
        config: Config,
        settings: Settings,
        deployed: (Secrets, Clock, ServeOptions, AccountConfig),
        before_tasks: impl AsyncFnOnce(),
    ) -> Self {
        let (secrets, clock, options, accounts) = deployed;
        let runtime = tokio::runtime::Builder::new_multi_thread();
        let runtime = { runtime }.worker_threads(2).thread_name(config.name.clone()).enable_all().build().unwrap();
        let connected = runtime.spawn(async move {
            let log = Log::connect(settings).await.unwrap();
            log.declare().await.unwrap();
            log
        });
        let log = connected.await.unwrap();
        before_tasks().await;
        let started = runtime.spawn(async move {
            let shutdown = Shutdown::new(Duration::from_secs(10));
            let tasks = Tasks::new(&shutdown);
            // As the binary does it: the gateway's own tasks work until no socket is left.
            let sockets = shutdown.child();
            let Secrets { key, master, token_lifetime } = secrets;
            let deps = Deps {
                keys: KeyRing::new(log.bucket(Bucket::Keys), master, 1000),
                log,
                signer: Arc::new(Signer::new(&key, Realm::default(), token_lifetime, &clock).unwrap()),
                verifier: Arc::new(Verifier::new([key.public()], &Realm::default(), &clock)),
                clock: clock.clone(),
                tasks: tasks.clone(),
                shutdown: sockets.clone(),
            };
            let gateway = Gateway::start(config, accounts, deps).unwrap();
            let readiness = Readiness::new(&shutdown);
            gateway.add_checks(&readiness);
            let ops = Ops { readiness, metrics: install_metrics().unwrap(), clock };
            let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
            let address = listener.local_addr().unwrap().to_string();
            let router = layered(gateway.router().merge(ops.router()), &LayerOptions::default());
            tasks.spawn("http", Policy::Essential, async move {
                let served = serve(listener, router, options, sockets.clone()).await;
                sockets.force();
                served
            });
            (address, shutdown, tasks)
        });
        let (address, shutdown, tasks) = started.await.unwrap();
        Self { address, shutdown, tasks, runtime: Some(runtime) }
    }

    /// It is gone between two instructions: nothing is said to anyone.
    pub fn kill(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Quick to give up, so that a test need not wait as long as a person may.
pub fn impatient(settings: Settings) -> Settings {
    Settings { ack_timeout: Duration::from_secs(1), request_timeout: Duration::from_secs(1), ..settings }
}

/// A client id made now.
pub fn new_id() -> String {
    ClientId::at(Clock::system().now_ms()).to_string()
}

/// A client id that was made so long ago.
pub fn old_id(ago: Duration) -> String {
    ClientId::at(Clock::system().now_ms() - u64::try_from(ago.as_millis()).unwrap()).to_string()
}

/// Numbers for `ref`s, each a different one.
pub fn new_ref() -> u64 {
    static LAST: AtomicU64 = AtomicU64::new(0);
    LAST.fetch_add(1, Ordering::Relaxed) + 1
}
