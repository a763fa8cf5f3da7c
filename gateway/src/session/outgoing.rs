//! From frames to WebSocket messages: several small frames share one message (FRM1), and nothing waits for ever on a
//! client that takes nothing.

use std::time::Duration;

use axum::extract::ws::{CloseFrame, Message, Utf8Bytes, WebSocket};
use bytes::{Bytes, BytesMut};
use natter_protocol::{CloseCode, Encoding};

use super::End;

/// Frames are gathered into one message up to this size; a larger one goes alone.
const MESSAGE_BYTES: usize = 16 * 1024;

/// Frames on their way into one message.
pub struct Outgoing {
    encoding: Encoding,
    /// The first frame, shared with other sessions; copied only when a second one joins it.
    single: Option<Bytes>,
    joined: BytesMut,
}

impl Outgoing {
    pub fn new(encoding: Encoding) -> Self {
        Self { encoding, single: None, joined: BytesMut::new() }
    }

    /// Adds an encoded frame. An empty one is no frame.
    pub fn push(&mut self, frame: &Bytes) {
        if frame.is_empty() {
            return;
        }
        if self.joined.is_empty() {
            match self.single.take() {
                None => {
                    self.single = Some(frame.clone());
                    return;
                }
                Some(first) => self.joined.extend_from_slice(&first),
            }
        }
        if self.encoding == Encoding::Json {
            self.joined.extend_from_slice(b"\n");
        }
        self.joined.extend_from_slice(frame);
    }

    /// Whether it is time to write.
    pub fn is_full(&self) -> bool {
        self.joined.len() >= MESSAGE_BYTES || self.single.as_ref().is_some_and(|frame| frame.len() >= MESSAGE_BYTES)
    }

    /// The message, if there is anything in it.
    pub fn take(&mut self) -> Option<Message> {
        let bytes = self.single.take().or_else(|| (!self.joined.is_empty()).then(|| self.joined.split().freeze()))?;
        match self.encoding {
            Encoding::MessagePack => Some(Message::Binary(bytes)),
            // Frames are made by a JSON writer: they are UTF-8.
            Encoding::Json => Utf8Bytes::try_from(bytes).ok().map(Message::Text),
        }
    }
}

/// Writes one message.
pub async fn send(socket: &mut WebSocket, message: Message) -> Result<(), axum::Error> {
    socket.send(message).await
}

/// Closes with a code, as far as the client takes it.
pub async fn close(socket: &mut WebSocket, code: CloseCode, within: Duration) {
    let frame = CloseFrame { code: code.code(), reason: code.reason().into() };
    let farewell = async {
        if socket.send(Message::Close(Some(frame))).await.is_err() {
            return;
        }
        // The client's own close frame; what it still had to say is not answered any more.
        loop {
            match socket.recv().await {
                Some(Ok(Message::Close(_))) => return,
                Some(Ok(_)) => {}
                // A connection that is dropped with something unread in it is reset, and a reset may overtake our code.
                // After a message that was too large to be read there is no reading on, so the client is given the time.
                Some(Err(_)) | None => std::future::pending().await,
            }
        }
    };
    let _ = tokio::time::timeout(within, farewell).await;
}

/// Answers the client's own close frame, which reading on does.
pub async fn answer_close(socket: &mut WebSocket, within: Duration) {
    let answered = async { while let Some(Ok(_)) = socket.recv().await {} };
    let _ = tokio::time::timeout(within, answered).await;
}

/// What a message that could not be read means: one that is too large is told (FRM3), a connection that broke is not.
pub fn read_error(error: &axum::Error) -> End {
    use std::error::Error;
    let mut source: Option<&(dyn Error + 'static)> = Some(error);
    while let Some(error) = source {
        if let Some(error) = error.downcast_ref::<tungstenite::Error>() {
            let ours = matches!(
                error,
                tungstenite::Error::Capacity(_) | tungstenite::Error::Protocol(_) | tungstenite::Error::Utf8(_)
            );
            let reset = matches!(
                error,
                tungstenite::Error::Protocol(tungstenite::error::ProtocolError::ResetWithoutClosingHandshake)
            );
            return End { code: (ours && !reset).then_some(CloseCode::ProtocolError) };
        }
        source = error.source();
    }
    End { code: None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frm1_frames_share_a_message_separated_by_newlines() {
        let mut out = Outgoing::new(Encoding::Json);
        assert!(out.take().is_none());
        for frame in ["{\"a\":1}", "", "{\"b\":2}", "{\"c\":3}"] {
            out.push(&Bytes::from_static(frame.as_bytes()));
        }
        assert_eq!(out.take(), Some(Message::Text("{\"a\":1}\n{\"b\":2}\n{\"c\":3}".into())));
        assert!(out.take().is_none());
    }

    #[test]
    fn a_single_frame_is_not_copied() {
        let frame = Bytes::from_static(b"\x80");
        let mut out = Outgoing::new(Encoding::MessagePack);
        out.push(&frame);
        let Some(Message::Binary(sent)) = out.take() else { panic!("no message") };
        assert_eq!(sent.as_ptr(), frame.as_ptr());
    }
}
