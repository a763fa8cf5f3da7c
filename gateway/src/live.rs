//! What gateways tell each other about the moment: who is typing, who has received what. Core messages on `live.>`,
//! heard by every gateway, the sender too; nothing of it is stored (D7).

use bytes::Bytes;
use natter_events::{ConversationId, Uid};
use natter_log::Log;
use natter_protocol::ServerFrame;
use natter_protocol::frame::{Delivered, TypingNow};
use serde::{Deserialize, Serialize};

use crate::Gateway;

/// Where signals are published.
const SUBJECT: &str = "live.signal";

/// A signal between gateways.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Signal {
    /// In a room it is for its members, and `to` is empty.
    Typing {
        conversation: ConversationId,
        user: Uid,
        to: Vec<Uid>,
    },
    Delivered {
        conversation: ConversationId,
        user: Uid,
        upto: u64,
        to: Vec<Uid>,
    },
}

/// Sends a signal to every gateway. It may be lost.
pub async fn publish(log: &Log, signal: &Signal) {
    let Ok(bytes) = rmp_serde::to_vec_named(signal) else { return };
    if let Err(error) = log.publish_live(SUBJECT, Bytes::from(bytes)).await {
        tracing::debug!(%error, "a signal was lost");
    }
}

/// Hands a signal to the local sessions it is for.
pub async fn deliver(gateway: &Gateway, payload: &[u8]) {
    let Ok(signal) = rmp_serde::from_slice::<Signal>(payload) else {
        tracing::warn!("a signal does not read; is a gateway of another version running?");
        return;
    };
    let (user, to) = match &signal {
        Signal::Typing { user, to, .. } | Signal::Delivered { user, to, .. } => (*user, to),
    };
    let others: Vec<Uid> = to.iter().copied().filter(|uid| *uid != user && gateway.router.has(*uid)).collect();
    let room = match &signal {
        Signal::Typing { conversation, .. } => Some(*conversation).filter(|room| gateway.router.has_room(*room)),
        Signal::Delivered { .. } => None,
    };
    if others.is_empty() && room.is_none() {
        return;
    }
    if let Signal::Delivered { conversation, upto, .. } = &signal
        && !gateway.received.is_news(*conversation, user, *upto)
    {
        return;
    }
    let Ok(Some(handle)) = gateway.accounts.directory.handle(user).await else { return };
    let frame = match signal {
        Signal::Typing { conversation, .. } => ServerFrame::Typing(TypingNow { conversation, user: handle }),
        Signal::Delivered { conversation, upto, .. } => {
            ServerFrame::Delivered(Delivered { conversation, user: handle, upto })
        }
    };
    match room {
        Some(room) => gateway.router.signal_room(room, user, || frame),
        None => gateway.router.signal(&others, frame),
    }
}
