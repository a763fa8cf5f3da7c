//! A client that speaks bytes, in either encoding.

use std::collections::VecDeque;

use futures::{SinkExt, StreamExt};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::net::{TcpSocket, TcpStream};
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::http::{HeaderMap, HeaderName, StatusCode};
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{WebSocketStream, client_async};

use crate::rig::{PATIENCE, new_id, new_ref};

pub const JSON: &str = "natter.v1.json";
pub const MSGPACK: &str = "natter.v1.msgpack";

pub struct Socket {
    stream: WebSocketStream<TcpStream>,
    frames: VecDeque<Value>,
    binary: bool,
}

/// How a socket ended.
#[derive(Debug, PartialEq, Eq)]
pub struct Closed(pub Option<u16>);

/// An upgrade that was answered with something else.
#[derive(Debug, PartialEq, Eq)]
pub struct Refused(pub u16);

impl Socket {
    pub async fn open(address: &str) -> Self {
        Self::try_open(address, "/ws", &[]).await.unwrap().0
    }

    /// A socket of a subprotocol.
    pub async fn open_as(address: &str, protocol: &str) -> Self {
        let (mut socket, headers) =
            Self::try_open(address, "/ws", &[("sec-websocket-protocol", protocol)]).await.unwrap();
        assert_eq!(headers["sec-websocket-protocol"], protocol);
        socket.binary = protocol == MSGPACK;
        socket
    }

    /// Asks for a socket, with headers of the test's own.
    pub async fn try_open(
        address: &str,
        path: &str,
        headers: &[(&'static str, &str)],
    ) -> Result<(Self, HeaderMap), Refused> {
        let stream = TcpStream::connect(address).await.unwrap();
        stream.set_nodelay(true).unwrap();
        Self::upgrade(stream, address, path, headers).await
    }

    /// A socket whose system takes little ahead of its reader.
    pub async fn open_narrow(address: &str) -> Self {
        let socket = TcpSocket::new_v4().unwrap();
        socket.set_recv_buffer_size(4096).unwrap();
        let stream = socket.connect(address.parse().unwrap()).await.unwrap();
        Self::upgrade(stream, address, "/ws", &[]).await.unwrap().0
    }

    async fn upgrade(
        stream: TcpStream,
        address: &str,
        path: &str,
        headers: &[(&'static str, &str)],
    ) -> Result<(Self, HeaderMap), Refused> {
        let mut request = format!("ws://{address}{path}").into_client_request().unwrap();
        for (name, value) in headers {
            request.headers_mut().append(HeaderName::from_static(name), value.parse().unwrap());
        }
        match client_async(request, stream).await {
            Ok((stream, response)) => {
                Ok((Self { stream, frames: VecDeque::new(), binary: false }, response.headers().clone()))
            }
            Err(Error::Http(response)) => Err(Refused(response.status().as_u16())),
            // The library does not accept an answer without the subprotocol that it asked for.
            Err(Error::Protocol(_)) => Err(Refused(StatusCode::SWITCHING_PROTOCOLS.as_u16())),
            Err(error) => panic!("{error}"),
        }
    }

    /// Sends one frame.
    pub async fn say(&mut self, frame: Value) {
        self.say_all(&[frame]).await;
    }

    /// Sends frames in one message.
    pub async fn say_all(&mut self, frames: &[Value]) {
        let message = if self.binary {
            Message::binary(frames.iter().flat_map(|frame| rmp_serde::to_vec_named(frame).unwrap()).collect::<Vec<_>>())
        } else {
            Message::text(frames.iter().map(Value::to_string).collect::<Vec<_>>().join("\n"))
        };
        self.say_raw(message).await;
    }

    /// Sends any WebSocket message.
    pub async fn say_raw(&mut self, message: Message) {
        self.stream.send(message).await.unwrap();
    }

    /// Sends a message, whether or not there is still someone to take it.
    pub async fn try_say_raw(&mut self, message: Message) {
        let _ = self.stream.send(message).await;
    }

    /// The next frame, or how the socket ended.
    pub async fn next(&mut self) -> Result<Value, Closed> {
        while self.frames.is_empty() {
            let message = tokio::time::timeout(PATIENCE, self.stream.next()).await.expect("a frame in time");
            match message {
                Some(Ok(Message::Text(text))) => {
                    assert!(!self.binary, "text on a binary socket");
                    self.frames.extend(text.split('\n').map(|frame| serde_json::from_str::<Value>(frame).unwrap()));
                }
                Some(Ok(Message::Binary(bytes))) => {
                    assert!(self.binary, "bytes on a text socket");
                    let mut rest = rmp_serde::Deserializer::new(std::io::Cursor::new(&bytes));
                    while rest.position() < bytes.len() as u64 {
                        self.frames.push_back(Value::deserialize(&mut rest).unwrap());
                    }
                }
                Some(Ok(Message::Close(frame))) => return Err(Closed(frame.map(|frame| frame.code.into()))),
                Some(Ok(_)) => {}
                Some(Err(_)) | None => return Err(Closed(None)),
            }
        }
        Ok(self.frames.pop_front().unwrap())
    }

    /// The next frame that is no heartbeat; heartbeats are answered.
    pub async fn next_but_pings(&mut self) -> Result<Value, Closed> {
        let next = async {
            loop {
                let frame = self.next().await?;
                if frame["type"] != "ping" {
                    return Ok(frame);
                }
                self.say(json!({"type": "pong", "position": frame["position"]})).await;
            }
        };
        tokio::time::timeout(PATIENCE, next).await.expect("more than heartbeats in time")
    }

    /// The next frame that is no heartbeat, which must be of this type.
    pub async fn expect(&mut self, kind: &str) -> Value {
        let frame = match kind {
            "ping" => self.next().await,
            _ => self.next_but_pings().await,
        };
        let frame = frame.unwrap_or_else(|closed| panic!("expected {kind}, got {closed:?}"));
        assert_eq!(frame["type"], kind, "{frame}");
        frame
    }

    /// Everything up to and with the first frame of this type, heartbeats left out.
    pub async fn until(&mut self, kind: &str) -> Vec<Value> {
        let mut seen = Vec::new();
        loop {
            let frame = self.next_but_pings().await;
            let frame = frame.unwrap_or_else(|closed| panic!("expected {kind}, got {closed:?} after {seen:?}"));
            let found = frame["type"] == kind;
            seen.push(frame);
            if found {
                return seen;
            }
        }
    }

    /// Everything that was there to be sent before now: what the server says until it has answered one more frame.
    pub async fn drain(&mut self) -> Vec<Value> {
        let reference = new_ref();
        self.say(json!({"type": "nothing", "ref": reference})).await;
        let mut seen = Vec::new();
        loop {
            let frame = self.next_but_pings().await.unwrap();
            if frame["type"] == "error" && frame["ref"] == reference {
                return seen;
            }
            seen.push(frame);
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

    /// Says goodbye as WebSockets do.
    pub async fn close(&mut self) {
        self.stream.close(None).await.unwrap();
        self.closed().await;
    }

    /// Whether the connection was ended by both sides, and is not just gone.
    pub async fn ended_well(&mut self) -> bool {
        matches!(tokio::time::timeout(PATIENCE, self.stream.next()).await, Ok(None))
    }

    /// Asks for something, and returns the answer and what came before it.
    pub async fn ask(&mut self, mut command: Value) -> (Value, Vec<Value>) {
        let reference = new_ref();
        command["ref"] = reference.into();
        self.say(command).await;
        let mut seen = Vec::new();
        loop {
            let frame = self.next_but_pings().await.unwrap_or_else(|closed| panic!("no answer, but {closed:?}"));
            if frame["ref"] == reference {
                return (frame, seen);
            }
            seen.push(frame);
        }
    }

    /// Asks for something that has to succeed.
    pub async fn done(&mut self, command: Value) -> Value {
        let (answer, _) = self.ask(command).await;
        assert_eq!(answer["type"], "ok", "{answer}");
        answer
    }

    /// Asks for something that has to be refused, and returns the code.
    pub async fn refused(&mut self, command: Value) -> String {
        let (answer, _) = self.ask(command).await;
        assert_eq!(answer["type"], "error", "{answer}");
        answer["code"].as_str().unwrap().to_owned()
    }

    /// Sends a message to people and returns its `ok`.
    pub async fn send(&mut self, to: &[&str], text: &str) -> Value {
        self.done(message(to, text)).await
    }

    /// The code of an end that is not ours, for comparison.
    pub fn code(code: CloseCode) -> Closed {
        Closed(Some(code.into()))
    }
}

/// A `send` under a new id.
pub fn message(to: &[&str], text: &str) -> Value {
    json!({"type": "send", "id": new_id(), "to": {"participants": to}, "text": text})
}

/// A string of a frame.
pub fn text(frame: &Value, field: &str) -> String {
    frame[field].as_str().unwrap_or_else(|| panic!("no {field} in {frame}")).to_owned()
}

/// The `seq` of a frame.
pub fn seq(frame: &Value) -> u64 {
    frame["seq"].as_u64().unwrap_or_else(|| panic!("no seq in {frame}"))
}
