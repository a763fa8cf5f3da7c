//! A server that does what a test tells it to: WebSockets are handed to the test, HTTP requests are answered from a
//! script.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::extract::ws::{CloseFrame, Message, WebSocket, WebSocketUpgrade};
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use axum::routing::{any, get};
use natter_client::{Builder, Client, ConversationId, Encoding, Event, Events, Handle, Position, Timestamp};
use natter_events::{ClientId, SessionId, Tag};
use natter_protocol::codec::Incoming;
use natter_protocol::frame::{self, CaughtUp, Hello, Reset, ResetReason, Send, ServerFrame, Welcome};
use natter_protocol::{ClientFrame, Limits, SUBPROTOCOL_JSON, SUBPROTOCOL_MSGPACK};
use tokio::net::TcpListener;
use tokio::sync::{Mutex, mpsc};

/// How long a test waits for something that has to happen.
const DEADLINE: Duration = Duration::from_secs(15);

pub struct Peer {
    address: SocketAddr,
    sockets: mpsc::Receiver<Socket>,
    script: Arc<Mutex<VecDeque<Answer>>>,
    requests: mpsc::Receiver<Asked>,
}

/// One HTTP request that the client made.
#[derive(Debug)]
pub struct Asked {
    pub method: Method,
    pub uri: Uri,
    pub headers: HeaderMap,
    pub body: String,
}

impl Asked {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().expect("text"))
    }
}

/// What the next HTTP request is answered with.
pub struct Answer {
    pub status: u16,
    pub headers: Vec<(&'static str, String)>,
    pub body: String,
}

pub fn answer(status: u16, body: impl ToString) -> Answer {
    Answer { status, headers: Vec::new(), body: body.to_string() }
}

#[derive(Clone)]
struct Doors {
    sockets: mpsc::Sender<Socket>,
    script: Arc<Mutex<VecDeque<Answer>>>,
    requests: mpsc::Sender<Asked>,
}

impl Peer {
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let (sockets_in, sockets) = mpsc::channel(16);
        let (requests_in, requests) = mpsc::channel(64);
        let script = Arc::default();
        let doors = Doors { sockets: sockets_in, script: Arc::clone(&script), requests: requests_in };
        let router = Router::new().route("/ws", get(upgrade)).fallback(any(scripted)).with_state(doors);
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { address, sockets, script, requests }
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    pub fn builder(&self) -> Builder {
        Client::builder(self.url()).token("a.b.c")
    }

    /// A client that is live, with the socket at this end.
    pub async fn live(&mut self) -> (Client, Events, Socket) {
        self.live_with(self.builder()).await
    }

    pub async fn live_with(&mut self, builder: Builder) -> (Client, Events, Socket) {
        let (client, mut events) = builder.start().await.expect("starts");
        let mut socket = self.accept().await;
        socket.greet(10).await;
        let live = |event: &Event| matches!(event, Event::State(natter_client::State::Live { .. }));
        until(&mut events, live).await;
        (client, events, socket)
    }

    /// The next WebSocket.
    pub async fn accept(&mut self) -> Socket {
        within("a connection", self.sockets.recv()).await.expect("the peer lives")
    }

    /// Answers the next HTTP request with this.
    pub async fn will_answer(&self, answer: Answer) {
        self.script.lock().await.push_back(answer);
    }

    /// The next HTTP request that was made.
    pub async fn asked(&mut self) -> Asked {
        within("a request", self.requests.recv()).await.expect("the peer lives")
    }
}

async fn upgrade(State(doors): State<Doors>, headers: HeaderMap, upgrade: WebSocketUpgrade) -> Response {
    let asked = headers.get("sec-websocket-protocol").and_then(|value| value.to_str().ok()).unwrap_or_default();
    let encoding = if asked == SUBPROTOCOL_MSGPACK { Encoding::MessagePack } else { Encoding::Json };
    if let Some(answer) = doors.script.lock().await.pop_front_if(|answer| answer.status == 401 || answer.status == 403)
    {
        return StatusCode::from_u16(answer.status).expect("a status").into_response();
    }
    upgrade.protocols([SUBPROTOCOL_JSON, SUBPROTOCOL_MSGPACK]).on_upgrade(move |stream| async move {
        let _ = doors.sockets.send(Socket { stream, encoding, waiting: VecDeque::new() }).await;
    })
}

async fn scripted(State(doors): State<Doors>, method: Method, uri: Uri, headers: HeaderMap, body: Bytes) -> Response {
    let body = String::from_utf8(body.to_vec()).expect("text");
    let _ = doors.requests.send(Asked { method, uri, headers, body }).await;
    let Some(answer) = doors.script.lock().await.pop_front() else {
        return StatusCode::NOT_IMPLEMENTED.into_response();
    };
    let mut response = (StatusCode::from_u16(answer.status).expect("a status"), answer.body).into_response();
    for (name, value) in answer.headers {
        response.headers_mut().append(name, value.parse().expect("a header"));
    }
    response
}

/// One WebSocket, seen from the server's end.
pub struct Socket {
    stream: WebSocket,
    pub encoding: Encoding,
    waiting: VecDeque<ClientFrame>,
}

impl Socket {
    /// The client's next frame, or nothing if it closed.
    pub async fn next(&mut self) -> Option<ClientFrame> {
        while self.waiting.is_empty() {
            let message = within("a frame", self.stream.recv()).await?.ok()?;
            let bytes = match (self.encoding, message) {
                (Encoding::Json, Message::Text(text)) => Bytes::from(text),
                (Encoding::MessagePack, Message::Binary(bytes)) => bytes,
                (_, Message::Ping(_) | Message::Pong(_)) => continue,
                (_, Message::Close(_)) => return None,
                (encoding, other) => panic!("{encoding:?} does not look like {other:?}"),
            };
            for frame in self.encoding.decode(&bytes) {
                match frame.expect("well formed") {
                    Incoming::Frame(frame) => self.waiting.push_back(frame),
                    other => panic!("{other:?}"),
                }
            }
        }
        self.waiting.pop_front()
    }

    pub async fn hello(&mut self) -> Hello {
        match self.next().await {
            Some(ClientFrame::Hello(hello)) => hello,
            other => panic!("{other:?} instead of hello"),
        }
    }

    /// The next `send`; what is said of the heartbeat in between is not looked at.
    pub async fn sent(&mut self) -> Send {
        loop {
            match self.next().await {
                Some(ClientFrame::Send(send)) => return send,
                Some(ClientFrame::Pong(_) | ClientFrame::Applied(_)) => {}
                other => panic!("{other:?} instead of send"),
            }
        }
    }

    /// Takes the hello and brings the client up to date at `seq`.
    pub async fn greet(&mut self, seq: u64) -> Hello {
        let hello = self.hello().await;
        self.welcome(25_000).await;
        match hello.resume {
            Some(_) => self.say(caught_up(seq)).await,
            None => self.say(reset(ResetReason::Fresh, seq)).await,
        }
        hello
    }

    pub async fn welcome(&mut self, heartbeat_ms: u64) {
        self.say(ServerFrame::Welcome(Welcome {
            user: handle("ada"),
            session: SessionId::random(),
            gateway: "g1".into(),
            now: Timestamp(1_790_000_000_000),
            position: position(10),
            heartbeat_ms,
            limits: Limits {
                frame_bytes: 128 * 1024,
                text_chars: 8_000,
                metadata_bytes: 4_096,
                participants: 32,
                watched_users: 500,
                messages: 10,
                messages_window_ms: 10_000,
            },
        }))
        .await;
    }

    pub async fn say(&mut self, frame: ServerFrame) {
        self.say_all(&[frame]).await;
    }

    /// Says several frames in one message (FRM1).
    pub async fn say_all(&mut self, frames: &[ServerFrame]) {
        let mut bytes = Vec::new();
        for frame in frames {
            if self.encoding == Encoding::Json && !bytes.is_empty() {
                bytes.push(b'\n');
            }
            bytes.extend_from_slice(&self.encoding.encode(frame));
        }
        self.say_bytes(bytes).await;
    }

    pub async fn say_bytes(&mut self, bytes: Vec<u8>) {
        let message = match self.encoding {
            Encoding::Json => Message::Text(String::from_utf8(bytes).expect("text").into()),
            Encoding::MessagePack => Message::Binary(bytes.into()),
        };
        self.stream.send(message).await.expect("the client listens");
    }

    pub async fn close(mut self, code: u16) {
        let frame = CloseFrame { code, reason: "as the test says".into() };
        let _ = self.stream.send(Message::Close(Some(frame))).await;
    }
}

pub fn position(seq: u64) -> Position {
    Position { epoch: 1, seq, tag: Tag(seq) }
}

pub fn handle(text: &str) -> Handle {
    text.parse().expect("a handle")
}

pub fn conversation() -> ConversationId {
    ConversationId::direct(&[])
}

pub fn caught_up(seq: u64) -> ServerFrame {
    ServerFrame::CaughtUp(CaughtUp { position: position(seq) })
}

pub fn ping(seq: u64) -> ServerFrame {
    ServerFrame::Ping(CaughtUp { position: position(seq) })
}

pub fn reset(reason: ResetReason, seq: u64) -> ServerFrame {
    ServerFrame::Reset(Reset { reason, position: position(seq) })
}

pub fn message(seq: u64) -> ServerFrame {
    ServerFrame::Message(frame::Message {
        seq,
        position: position(seq),
        conversation: conversation(),
        participants: None,
        sender: handle("bob"),
        id: ClientId::at(seq),
        text: format!("message {seq}"),
        reply_to: None,
        thread: None,
        mentions_room: false,
        mentions: Vec::new(),
        metadata: None,
        at: Timestamp(1_790_000_000_000),
    })
}

pub fn ok(send: &Send, seq: u64) -> ServerFrame {
    ServerFrame::Ok(frame::Ok {
        reference: send.reference,
        seq: Some(seq),
        position: Some(position(seq)),
        conversation: Some(conversation()),
        at: Some(Timestamp(1_790_000_000_000)),
        duplicate: false,
        refused: None,
    })
}

/// Waits for something that has to happen.
pub async fn within<T>(what: &str, future: impl Future<Output = T>) -> T {
    match tokio::time::timeout(DEADLINE, future).await {
        Ok(value) => value,
        Err(_) => panic!("no {what} within {DEADLINE:?}"),
    }
}

/// Reads events until one is as wanted, and gives all of them.
pub async fn until(events: &mut Events, wanted: impl Fn(&Event) -> bool) -> Vec<Event> {
    let mut seen = Vec::new();
    loop {
        let next = tokio::time::timeout(DEADLINE, events.next()).await;
        let Ok(Some(event)) = next else { panic!("{next:?} after {seen:#?}") };
        let found = wanted(&event);
        seen.push(event);
        if found {
            return seen;
        }
    }
}

/// The seqs of the messages among events.
pub fn seqs(events: &[Event]) -> Vec<u64> {
    let seq = |event: &Event| match event {
        Event::Message(message) => Some(message.seq),
        _ => None,
    };
    events.iter().filter_map(seq).collect()
}
