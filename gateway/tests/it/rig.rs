//! One broker, one or more gateways on port 0, and clients that speak bytes.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use futures::{SinkExt, StreamExt};
use natter_events::{ClientId, ContentKey};
use natter_gateway::accounts::{AccountConfig, PasswordCost};
use natter_gateway::config::Config;
use natter_gateway::{Deps, Gateway};
use natter_log::{Bucket, KeyRing, Log, Settings};
use natter_platform::http::{LayerOptions, ServeOptions, layered, serve};
use natter_platform::tokens::{DEFAULT_LIFETIME, PrivateKey, Realm, Signer, Subject, Verifier};
use natter_platform::{Clock, Policy, Shutdown, Tasks};
use natter_testkit::Broker;
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

/// Long enough for a busy machine; what is not there by then is missing.
pub const PATIENCE: Duration = Duration::from_secs(20);

pub struct Rig {
    pub broker: Broker,
    pub gateways: Vec<Running>,
    pub signer: Arc<Signer>,
    key: PrivateKey,
    master: ContentKey,
    pub clock: Clock,
}

/// One gateway, served.
pub struct Running {
    pub gateway: Arc<Gateway>,
    pub address: String,
    pub shutdown: Shutdown,
    pub tasks: Tasks,
}

/// Someone who registered.
#[derive(Clone)]
pub struct Person {
    pub handle: String,
    pub token: String,
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
        Self::start_on(Broker::start().await, Clock::system(), count, change).await
    }

    pub async fn start_on(broker: Broker, clock: Clock, count: usize, change: impl Fn(&mut Config)) -> Self {
        let key = PrivateKey::generate().unwrap();
        let signer = Arc::new(Signer::new(&key, Realm::default(), DEFAULT_LIFETIME, &clock).unwrap());
        let mut rig = Self { broker, gateways: Vec::new(), signer, key, master: ContentKey::random(), clock };
        for index in 0..count {
            let mut config = Config { name: format!("g{index}"), ..Config::default() };
            change(&mut config);
            rig.add_gateway(config).await;
        }
        rig
    }

    /// One more gateway.
    pub async fn add_gateway(&mut self, config: Config) {
        let settings = Settings {
            servers: vec![self.broker.url().to_owned()],
            user: Some(self.broker.user().to_owned()),
            password: Some(self.broker.password().to_owned()),
            ..Settings::default()
        };
        let running = self.run(config, settings).await;
        self.gateways.push(running);
    }

    /// Runs a gateway over a log of the test's own settings.
    pub async fn run(&self, config: Config, settings: Settings) -> Running {
        let log = Log::connect(settings).await.unwrap();
        log.declare().await.unwrap();
        let shutdown = Shutdown::new(Duration::from_secs(5));
        let tasks = Tasks::new(&shutdown);
        let verifier = Arc::new(Verifier::new([self.key.public()], &Realm::default(), &self.clock));
        let deps = Deps {
            keys: KeyRing::new(log.bucket(Bucket::Keys), self.master.clone(), 1000),
            log,
            signer: self.signer.clone(),
            verifier,
            clock: self.clock.clone(),
            tasks: tasks.clone(),
            shutdown: shutdown.clone(),
        };
        // The cheapest hash there is: what these tests are about is not how long a guess takes.
        let cost = PasswordCost { memory_kib: 8, passes: 1, lanes: 1 };
        let accounts = AccountConfig { password_cost: cost, ..AccountConfig::default() };
        let gateway = Gateway::start(config, accounts, deps).unwrap();
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let router = layered(gateway.router(), &LayerOptions::default());
        let stop = shutdown.clone();
        tasks.spawn(
            "http",
            Policy::Essential,
            async move { serve(listener, router, ServeOptions::default(), stop).await },
        );
        tokio::time::timeout(PATIENCE, gateway.ready()).await.expect("the feed is ready");
        Running { gateway, address, shutdown, tasks }
    }

    /// Registers someone, on the first gateway.
    pub async fn person(&self, handle: &str) -> Person {
        let url = format!("http://{}/auth/register", self.gateways[0].address);
        let body = json!({"handle": handle, "password": "correct horse"});
        let response = reqwest::Client::new().post(url).json(&body).send().await.unwrap();
        assert!(response.status().is_success(), "{}", response.text().await.unwrap());
        let tokens: Value = response.json().await.unwrap();
        let token = tokens["access_token"].as_str().unwrap().to_owned();
        let claims = Verifier::new([self.key.public()], &Realm::default(), &self.clock).verify(&token).unwrap();
        Person { handle: handle.to_owned(), token, uid: claims.uid, login: claims.session }
    }

    /// A token of a person's that grants so many messages per window.
    pub fn with_rate(&self, person: &Person, rate: u32) -> Person {
        let subject = Subject { rate: Some(rate), ..Subject::new(person.uid, person.login, person.handle.clone()) };
        Person { token: self.signer.mint(subject).unwrap().0, ..person.clone() }
    }

    /// A socket of a person's on a gateway, greeted afresh.
    pub async fn socket(&self, gateway: usize, person: &Person) -> Socket {
        let mut socket = Socket::open(&self.gateways[gateway].address, None).await;
        socket.say(json!({"type": "hello", "token": person.token, "client": "test"})).await;
        socket.expect("welcome").await;
        assert_eq!(socket.expect("reset").await["reason"], "fresh");
        socket
    }

    /// A socket that resumes from a position.
    pub async fn resume(&self, gateway: usize, person: &Person, position: &str) -> Socket {
        let mut socket = Socket::open(&self.gateways[gateway].address, None).await;
        socket.say(json!({"type": "hello", "token": person.token, "resume": position})).await;
        socket.expect("welcome").await;
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
}

/// A client that speaks JSON frames.
pub struct Socket {
    stream: WebSocketStream<MaybeTlsStream<TcpStream>>,
    frames: std::collections::VecDeque<Value>,
}

/// How a socket ended.
#[derive(Debug, PartialEq, Eq)]
pub struct Closed(pub Option<u16>);

impl Socket {
    pub async fn open(address: &str, headers: Option<(&'static str, &str)>) -> Self {
        let mut request = format!("ws://{address}/ws").into_client_request().unwrap();
        if let Some((name, value)) = headers {
            request.headers_mut().insert(name, value.parse().unwrap());
        }
        let (stream, _) = connect_async(request).await.unwrap();
        Self { stream, frames: Default::default() }
    }

    /// Sends one frame.
    pub async fn say(&mut self, frame: Value) {
        self.say_raw(Message::text(frame.to_string())).await;
    }

    /// Sends any WebSocket message.
    pub async fn say_raw(&mut self, message: Message) {
        self.stream.send(message).await.unwrap();
    }

    /// The next frame, or how the socket ended.
    pub async fn next(&mut self) -> Result<Value, Closed> {
        while self.frames.is_empty() {
            let message = tokio::time::timeout(PATIENCE, self.stream.next()).await.expect("a frame in time");
            match message {
                Some(Ok(Message::Text(text))) => {
                    self.frames.extend(text.split('\n').map(|frame| serde_json::from_str::<Value>(frame).unwrap()));
                }
                Some(Ok(Message::Close(frame))) => return Err(Closed(frame.map(|frame| frame.code.into()))),
                Some(Ok(_)) => {}
                Some(Err(_)) | None => return Err(Closed(None)),
            }
        }
        Ok(self.frames.pop_front().unwrap())
    }

    /// The next frame that is not a heartbeat, which must be of this type.
    pub async fn expect(&mut self, kind: &str) -> Value {
        loop {
            let frame = self.next().await.unwrap_or_else(|closed| panic!("expected {kind}, got {closed:?}"));
            if frame["type"] == "ping" && kind != "ping" {
                let position = frame["position"].clone();
                self.say(json!({"type": "pong", "position": position})).await;
                continue;
            }
            assert_eq!(frame["type"], kind, "{frame}");
            return frame;
        }
    }

    /// Reads until the socket ends, and returns the code.
    pub async fn closed(&mut self) -> Closed {
        loop {
            if let Err(closed) = self.next().await {
                return closed;
            }
        }
    }

    /// Sends a message to people and returns its answer.
    pub async fn send(&mut self, to: &[&str], text: &str) -> Value {
        let id = new_id();
        self.say(json!({"type": "send", "ref": 1, "id": id, "to": {"participants": to}, "text": text})).await;
        self.expect("ok").await
    }
}

/// A client id made now; each a different one.
pub fn new_id() -> String {
    static LAST: AtomicU64 = AtomicU64::new(0);
    LAST.fetch_add(1, Ordering::Relaxed);
    let now = Clock::system().now_ms();
    ClientId::at(now).to_string()
}
