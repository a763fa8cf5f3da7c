//! A WebSocket to a gateway, as messages of frames: the layer below [`Client`](crate::Client), for programs that do their
//! own bookkeeping. It knows nothing of sessions; it opens, reads, writes and closes.

use std::sync::Arc;
use std::sync::OnceLock;
use std::time::Duration;

use bytes::Bytes;
use futures::{SinkExt, StreamExt};
use http::HeaderValue;
use http::header::SEC_WEBSOCKET_PROTOCOL;
use natter_protocol::{ClientFrame, Encoding, SUBPROTOCOL_JSON, SUBPROTOCOL_MSGPACK};
use rustls_platform_verifier::BuilderVerifierExt;
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::protocol::frame::Utf8Bytes;
use tokio_tungstenite::tungstenite::protocol::{CloseFrame, Message, WebSocketConfig};
use tokio_tungstenite::tungstenite::{self, Error as WsError};
use tokio_tungstenite::{Connector, MaybeTlsStream, WebSocketStream, connect_async_tls_with_config};

use crate::server::Server;

/// Largest message that is taken from a server. What it may have waiting for us is a megabyte by default (HRT2).
const MAX_MESSAGE_BYTES: usize = 16 << 20;
/// What is read at once. Held by each socket, so thousands of them are affordable.
const READ_BUFFER_BYTES: usize = 8 << 10;
/// What is gathered before it is written without a flush.
const WRITE_BUFFER_BYTES: usize = 8 << 10;
/// What waits to be written before a write is an error.
const MAX_WRITE_BUFFER_BYTES: usize = 1 << 20;
/// How long a write may take before the connection counts as lost.
const WRITE_TIMEOUT: Duration = Duration::from_secs(10);
/// How long a close may take.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(2);

/// An open socket.
#[derive(Debug)]
pub struct Socket {
    stream: WebSocketStream<MaybeTlsStream<TcpStream>>,
    encoding: Encoding,
}

/// Why a socket could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The server answered the upgrade with something else.
    #[error("the server answered the upgrade with status {status}")]
    Status {
        /// The HTTP status.
        status: u16,
    },
    /// The network, the name, the certificate, the handshake.
    #[error("no connection: {0}")]
    Failed(#[source] Box<WsError>),
    /// Certificates can't be checked on this machine.
    #[error("certificates can't be checked: {0}")]
    Tls(#[source] rustls::Error),
}

/// How a socket ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ended {
    /// The close code, if the server said one.
    pub code: Option<u16>,
    /// What it said with it.
    pub reason: Option<String>,
}

impl Ended {
    fn lost() -> Self {
        Self { code: None, reason: None }
    }
}

impl Socket {
    /// Opens a socket with the subprotocol of `encoding`. `hello` is then to be sent (CON1).
    pub async fn open(server: &Server, encoding: Encoding) -> Result<Self, OpenError> {
        let failed = |error| OpenError::Failed(Box::new(error));
        let url = server.socket();
        let connector = match url.scheme() {
            "wss" => Connector::Rustls(tls().map_err(OpenError::Tls)?),
            _ => Connector::Plain,
        };
        let mut request = url.as_str().into_client_request().map_err(failed)?;
        let subprotocol = match encoding {
            Encoding::Json => SUBPROTOCOL_JSON,
            Encoding::MessagePack => SUBPROTOCOL_MSGPACK,
        };
        request.headers_mut().insert(SEC_WEBSOCKET_PROTOCOL, HeaderValue::from_static(subprotocol));
        let config = WebSocketConfig::default()
            .read_buffer_size(READ_BUFFER_BYTES)
            .write_buffer_size(WRITE_BUFFER_BYTES)
            .max_write_buffer_size(MAX_WRITE_BUFFER_BYTES)
            .max_message_size(Some(MAX_MESSAGE_BYTES))
            .max_frame_size(Some(MAX_MESSAGE_BYTES));
        match connect_async_tls_with_config(request, Some(config), true, Some(connector)).await {
            Ok((stream, _)) => Ok(Self { stream, encoding }),
            Err(WsError::Http(response)) => Err(OpenError::Status { status: response.status().as_u16() }),
            Err(error) => Err(failed(error)),
        }
    }

    /// How frames are written on this socket.
    pub fn encoding(&self) -> Encoding {
        self.encoding
    }

    /// The next message's bytes: one or more frames. Safe to drop and call again.
    pub async fn read(&mut self) -> Result<Bytes, Ended> {
        loop {
            match self.stream.next().await {
                Some(Ok(Message::Text(text))) => return Ok(text.into()),
                Some(Ok(Message::Binary(bytes))) => return Ok(bytes),
                Some(Ok(Message::Close(frame))) => {
                    return Err(match frame {
                        Some(frame) => {
                            Ended { code: Some(frame.code.into()), reason: Some(frame.reason.as_str().to_owned()) }
                        }
                        None => Ended::lost(),
                    });
                }
                Some(Ok(Message::Ping(_) | Message::Pong(_) | Message::Frame(_))) => {}
                Some(Err(_)) | None => return Err(Ended::lost()),
            }
        }
    }

    /// Writes frames, each as a message of its own, and sends them off.
    pub async fn write(&mut self, frames: &[ClientFrame]) -> Result<(), Ended> {
        for frame in frames {
            let encoded = self.encoding.encode_client(frame);
            self.feed(encoded).await?;
        }
        self.flush().await
    }

    /// Takes a message of encoded frames, to be sent off with [`flush`](Self::flush).
    pub async fn feed(&mut self, encoded: Bytes) -> Result<(), Ended> {
        let message = match self.encoding {
            Encoding::Json => Message::Text(Utf8Bytes::try_from(encoded).map_err(|_| Ended::lost())?),
            Encoding::MessagePack => Message::Binary(encoded),
        };
        within(self.stream.feed(message)).await
    }

    /// Sends off what was fed.
    pub async fn flush(&mut self) -> Result<(), Ended> {
        within(self.stream.flush()).await
    }

    /// Says goodbye, if the server still listens.
    pub async fn close(mut self) {
        let frame = CloseFrame { code: 1000.into(), reason: Utf8Bytes::from_static("") };
        let _ = tokio::time::timeout(CLOSE_TIMEOUT, self.stream.close(Some(frame))).await;
    }
}

async fn within(write: impl Future<Output = Result<(), tungstenite::Error>>) -> Result<(), Ended> {
    match tokio::time::timeout(WRITE_TIMEOUT, write).await {
        Ok(Ok(())) => Ok(()),
        Ok(Err(_)) | Err(_) => Err(Ended::lost()),
    }
}

/// The rules of TLS, made once. The provider is named, because a program may have more than one linked in, and then none
/// of them is the default.
fn tls() -> Result<Arc<rustls::ClientConfig>, rustls::Error> {
    static CONFIG: OnceLock<Result<Arc<rustls::ClientConfig>, rustls::Error>> = OnceLock::new();
    let make = || {
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let config = rustls::ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .with_platform_verifier()?
            .with_no_client_auth();
        Ok(Arc::new(config))
    };
    CONFIG.get_or_init(make).clone()
}
