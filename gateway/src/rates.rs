//! How often a user may do what is durable (CMD5), over all gateways: a gateway counts its own users' commands before they
//! are appended, and what they sent through other gateways when the feed brings it.

use std::collections::HashMap;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use moka::sync::Cache;
use natter_events::{ClientId, ConversationId, Uid};
use natter_platform::Clock;
use natter_platform::rate::{KeyedLimiter, Limit};
use parking_lot::Mutex;

use crate::config::Config;
use crate::feed::Entry;

/// Users whose rates are kept at once.
const MAX_USERS: usize = 200_000;
/// Different rates that tokens may grant at once; further ones are held to the usual rate.
const MAX_GRANTS: usize = 16;
/// Signals that may be lost (typing), per user and window.
const SIGNALS: u32 = 20;
/// Own appends that the feed has not brought yet, at most; past it one may be counted twice.
const MAX_OWN: u64 = 100_000;
/// An own append that has not come by the feed by then, will not.
const OWN_FOR: Duration = Duration::from_secs(60);

/// The budgets of users.
pub struct Rates {
    clock: Clock,
    window: Duration,
    messages: KeyedLimiter<Uid>,
    /// Of everybody in a room together.
    rooms: KeyedLimiter<ConversationId>,
    others: KeyedLimiter<Uid>,
    signals: KeyedLimiter<Uid>,
    /// Budgets that a token grants instead of the usual one, by messages per window.
    granted: Mutex<HashMap<u32, Arc<KeyedLimiter<Uid>>>>,
    /// What was granted to whom when they last sent something here.
    grant_of: Cache<Uid, u32>,
    /// What was counted here already and will come by the feed.
    own: Cache<(Uid, ClientId), ()>,
}

impl Rates {
    pub fn new(config: &Config, clock: &Clock) -> Self {
        let limit = |count: u32| limit(count, config.messages_window);
        Self {
            clock: clock.clone(),
            window: config.messages_window,
            messages: KeyedLimiter::new(limit(config.messages), clock),
            rooms: KeyedLimiter::new(limit(config.room_messages), clock),
            others: KeyedLimiter::new(limit(config.other_commands), clock),
            signals: KeyedLimiter::new(limit(SIGNALS), clock),
            granted: Mutex::default(),
            grant_of: Cache::new(MAX_USERS as u64),
            own: Cache::builder().max_capacity(MAX_OWN).time_to_live(OWN_FOR).build(),
        }
    }

    /// Takes one message from a user's budget, and from its room's, or says how long until there is one.
    pub fn message(
        &self,
        user: Uid,
        conversation: ConversationId,
        id: ClientId,
        granted: Option<u32>,
    ) -> Result<(), Duration> {
        self.grants(user, granted);
        match granted.and_then(|count| self.grant(count)) {
            Some(limiter) => limiter.check(&user)?,
            None => self.messages.check(&user)?,
        }
        // Last, so that whoever is over their own budget takes nothing from the others'.
        if conversation.is_room() {
            self.rooms.check(&conversation)?;
        }
        self.own.insert((user, id), ());
        Ok(())
    }

    /// A user is here with a token that grants this. From now on what they send through other gateways counts against it.
    pub fn grants(&self, user: Uid, granted: Option<u32>) {
        match granted {
            Some(count) if self.grant_of.get(&user) != granted => self.grant_of.insert(user, count),
            None if self.grant_of.contains_key(&user) => self.grant_of.invalidate(&user),
            _ => {}
        }
    }

    /// Takes one other command from a user's budget.
    pub fn other(&self, user: Uid) -> Result<(), Duration> {
        self.others.check(&user)
    }

    /// Takes one signal that may be lost from a user's budget.
    pub fn signal(&self, user: Uid) -> Result<(), Duration> {
        self.signals.check(&user)
    }

    /// An append that will never come by the feed.
    pub fn not_stored(&self, user: Uid, id: ClientId) {
        self.own.invalidate(&(user, id));
    }

    /// A message came by the feed: if another gateway took it, it counts here now.
    pub fn seen(&self, entry: &Entry) {
        let own = entry.id.is_some_and(|id| self.own.remove(&(entry.actor, id)).is_some());
        // While the tail is loaded, what is past counts for nothing.
        let now_ms = i64::try_from(self.clock.now_ms()).unwrap_or(i64::MAX);
        let recent = entry.at.0 + i64::try_from(self.window.as_millis()).unwrap_or(i64::MAX) > now_ms;
        if !own && recent {
            match self.grant_of.get(&entry.actor).and_then(|count| self.grant(count)) {
                Some(limiter) => limiter.record(&entry.actor),
                None => self.messages.record(&entry.actor),
            }
            if let Some(room) = entry.room() {
                self.rooms.record(&room);
            }
        }
    }

    fn grant(&self, count: u32) -> Option<Arc<KeyedLimiter<Uid>>> {
        let mut granted = self.granted.lock();
        if !granted.contains_key(&count) && granted.len() >= MAX_GRANTS {
            return None;
        }
        let limiter =
            granted.entry(count).or_insert_with(|| Arc::new(KeyedLimiter::new(limit(count, self.window), &self.clock)));
        Some(limiter.clone())
    }
}

fn limit(count: u32, window: Duration) -> Limit {
    Limit { count: NonZeroU32::new(count).unwrap_or(NonZeroU32::MIN), window, max_keys: MAX_USERS }
}
