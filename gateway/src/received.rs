//! How far each user's devices have come (HRT6): told to the others of direct conversations at once as `delivered`, and
//! put on record lazily, one number per user.

use std::collections::HashMap;
use std::time::Duration;

use moka::ops::compute::{CompResult, Op};
use moka::sync::Cache;
use natter_events::{ConversationId, ReceivedUpTo, Record, Subject, Uid};
use natter_log::{Append, Stream};
use natter_platform::Shutdown;
use parking_lot::Mutex;

use crate::Gateway;
use crate::feed::Kind;
use crate::live::{Signal, publish};

/// Users whose progress is kept; past it a user's progress is not told.
const MAX_USERS: usize = 200_000;
/// Events that one step forward looks through; of more, the newest are told.
const MAX_EVENTS: usize = 512;

/// Conversations of which is kept what was told here last.
const MAX_TOLD: u64 = 200_000;

/// How far users have come.
pub struct Received {
    /// As far as they said so here.
    users: Mutex<HashMap<Uid, Progress>>,
    /// What the sessions here were told of each user.
    told: Cache<(ConversationId, Uid), u64>,
}

struct Progress {
    upto: u64,
    recorded: u64,
}

impl Default for Received {
    fn default() -> Self {
        Self { users: Mutex::default(), told: Cache::new(MAX_TOLD) }
    }
}

impl Received {
    /// Whether this says more than what was told here before. Of two devices on two gateways the one that is behind may be
    /// heard last.
    pub fn is_news(&self, conversation: ConversationId, user: Uid, upto: u64) -> bool {
        let told = self.told.entry((conversation, user)).and_compute_with(|told| match told {
            Some(told) if *told.value() >= upto => Op::Nop,
            _ => Op::Put(upto),
        });
        matches!(told, CompResult::Inserted(_) | CompResult::ReplacedWith(_))
    }

    /// A device of the user's has applied everything up to `seq`.
    pub async fn applied(&self, gateway: &Gateway, user: Uid, seq: u64) {
        let before = {
            let mut users = self.users.lock();
            let full = users.len() >= MAX_USERS;
            match users.get_mut(&user) {
                Some(progress) if progress.upto >= seq => return,
                Some(progress) => std::mem::replace(&mut progress.upto, seq),
                None if full => return,
                None => {
                    users.insert(user, Progress { upto: seq, recorded: 0 });
                    0
                }
            }
        };
        let mut told: Vec<ConversationId> = Vec::new();
        // Newest first, so that the first message of a conversation is how far it has been received.
        for entry in gateway.feed.tail.between(user, before, seq, MAX_EVENTS) {
            let Some(conversation) = entry.conversation else { continue };
            if entry.kind != Kind::Message || entry.actor == user || told.contains(&conversation) {
                continue;
            }
            told.push(conversation);
            let signal = Signal::Delivered { conversation, user, upto: entry.seq, to: entry.to.to_vec() };
            publish(&gateway.log, &signal).await;
        }
    }

    /// Puts on record what has moved since the last time.
    fn record(&self, gateway: &Gateway) {
        let moved: Vec<(Uid, u64)> = {
            let mut users = self.users.lock();
            let moved = users.iter_mut().filter(|(_, progress)| progress.recorded < progress.upto);
            let moved: Vec<_> = moved
                .map(|(user, progress)| {
                    progress.recorded = progress.upto;
                    (*user, progress.upto)
                })
                .collect();
            // Who is not here any more says nothing more here.
            users.retain(|user, _| gateway.router.has(*user));
            moved
        };
        for (user, seq) in moved {
            // Nobody waits for it: the next record covers a lost one.
            drop(gateway.log.append(Append {
                stream: Stream::Presence,
                subject: Subject::Presence(user).to_string(),
                message_id: format!("received:{user}:{seq}"),
                payload: Record::new(user, ReceivedUpTo { seq }).encode(),
                expected_last: None,
            }));
        }
    }
}

/// Records every so often, and once more at the stop.
pub async fn run(gateway: &Gateway, every: Duration, shutdown: &Shutdown) {
    loop {
        tokio::select! {
            () = tokio::time::sleep(every) => gateway.received.record(gateway),
            () = shutdown.forced() => break,
        }
    }
    gateway.received.record(gateway);
}
