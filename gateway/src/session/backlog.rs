//! The frames of one message that are still to be taken: one by one, as there is room, so that a message full of commands
//! holds up neither events nor heartbeats nor the end of the session.

use bytes::{Buf, Bytes};
use natter_protocol::codec::Incoming;
use natter_protocol::{CloseCode, Encoding};

/// What is left of a message.
#[derive(Default)]
pub struct Backlog {
    encoding: Encoding,
    message: Bytes,
}

impl Backlog {
    pub fn new(encoding: Encoding, message: Bytes) -> Self {
        Self { encoding, message }
    }

    /// Whether all of it was taken.
    pub fn is_empty(&self) -> bool {
        self.message.is_empty()
    }

    /// The next frame, or that what comes is none (FRM4).
    pub fn next(&mut self) -> Option<Result<Incoming, CloseCode>> {
        let mut rest = &self.message[..];
        let next = self.encoding.decode_next(&mut rest);
        let left = rest.len();
        self.message.advance(self.message.len() - left);
        next.map(|frame| frame.map_err(|_| CloseCode::ProtocolError))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frm4_frames_come_one_by_one_up_to_what_is_none() {
        let message = Bytes::from_static(b"{\"type\":\"a\"}\n{\"type\":\"b\"}\n{oops\n{\"type\":\"c\"}");
        let mut backlog = Backlog::new(Encoding::Json, message);
        assert!(matches!(backlog.next(), Some(Ok(Incoming::UnknownType { kind, .. })) if kind == "a"));
        assert!(matches!(backlog.next(), Some(Ok(Incoming::UnknownType { kind, .. })) if kind == "b"));
        assert_eq!(backlog.next(), Some(Err(CloseCode::ProtocolError)));
        assert_eq!(backlog.next(), None);
        assert_eq!(Backlog::new(Encoding::Json, Bytes::from_static(b" \n")).next(), None);
        assert_eq!(Backlog::default().next(), None);
    }
}
