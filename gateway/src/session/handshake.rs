//! The first frame of a connection: who is it? (CON1)

use axum::extract::ws::{Message, WebSocket};
use natter_platform::error::chain;
use natter_platform::tokens::TokenError;
use natter_protocol::codec::Incoming;
use natter_protocol::frame::Hello;
use natter_protocol::{ClientFrame, CloseCode, Encoding};

use super::backlog::Backlog;
use crate::Gateway;
use crate::accounts::{Authenticated, Refused};

/// A connection whose `hello` came, and what came with it.
pub struct Greeted {
    pub hello: Hello,
    /// What stood behind `hello` in the same message.
    pub rest: Backlog,
}

/// Waits for `hello`.
pub async fn hello(gateway: &Gateway, socket: &mut WebSocket, encoding: Encoding) -> Result<Greeted, CloseCode> {
    let first = tokio::time::timeout(gateway.config.hello_timeout, first_message(socket, encoding)).await;
    let message = first.map_err(|_| CloseCode::NotAuthenticated)??;
    let mut rest = Backlog::new(encoding, message);
    match rest.next() {
        Some(Ok(Incoming::Frame(ClientFrame::Hello(hello)))) => Ok(Greeted { hello, rest }),
        _ => Err(CloseCode::ProtocolError),
    }
}

/// Who holds a token, if it is good now.
pub async fn authenticate(gateway: &Gateway, token: &str) -> Result<Authenticated, CloseCode> {
    gateway.accounts.authenticate_token(token).await.map_err(|refused| match refused {
        Refused::Token(TokenError::Expired) => CloseCode::TokenExpired,
        Refused::Token(_) | Refused::Unknown => CloseCode::NotAuthenticated,
        Refused::Suspended | Refused::Revoked => CloseCode::SessionRevoked,
        Refused::Failed(error) => {
            tracing::warn!(error = &*chain(&error), "an account can't be read");
            CloseCode::FeedBehind
        }
    })
}

async fn first_message(socket: &mut WebSocket, encoding: Encoding) -> Result<bytes::Bytes, CloseCode> {
    loop {
        match socket.recv().await {
            Some(Ok(message)) => match payload(message, encoding)? {
                Some(bytes) => return Ok(bytes),
                None => continue,
            },
            Some(Err(_)) => return Err(CloseCode::ProtocolError),
            None => return Err(CloseCode::NotAuthenticated),
        }
    }
}

/// The bytes of a message that carries frames, of the kind that was negotiated (FRM1). Control messages carry none.
pub fn payload(message: Message, encoding: Encoding) -> Result<Option<bytes::Bytes>, CloseCode> {
    match (message, encoding) {
        (Message::Text(text), Encoding::Json) => Ok(Some(text.into())),
        (Message::Binary(bytes), Encoding::MessagePack) => Ok(Some(bytes)),
        (Message::Text(_) | Message::Binary(_), _) => Err(CloseCode::ProtocolError),
        (Message::Ping(_) | Message::Pong(_) | Message::Close(_), _) => Ok(None),
    }
}
