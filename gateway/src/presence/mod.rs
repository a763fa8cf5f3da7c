//! Who is online: live between gateways, and on record in the `PRESENCE` stream (D7).
//!
//! Sessions change the table and return at once; one task tells the others, the watchers here, and the record. Presence
//! costs on change: what is said every second is one small heartbeat per gateway.

mod exchange;
mod table;

use std::collections::HashMap;
use std::sync::Arc;

use natter_events::Uid;
use natter_protocol::frame::{Presence as PresenceFrame, SetPresence};
use natter_protocol::{ErrorCode, Handle, Timestamp, limits};
use parking_lot::{Mutex, MutexGuard};
use tokio::sync::Notify;
use tokio::time::Instant;
use uuid::Uuid;

pub use exchange::{SUBJECT, hear, lost, run};
pub use table::Visible;

use self::table::{Choice, Incarnation, Table};
use crate::Gateway;
use crate::commands::{Caller, Refused};
use crate::config::Config;
use crate::router::SessionHandle;

/// Users whose last departure is remembered.
const MAX_LAST_SEEN: u64 = 100_000;

/// Who is online, as this gateway knows it.
pub struct Presence {
    pub(crate) incarnation: Incarnation,
    state: Mutex<State>,
    changed: Notify,
    last_seen: moka::sync::Cache<Uid, Timestamp>,
}

struct State {
    table: Table,
    /// What others were last told of the users here; compared with what is now, so that nothing is told twice.
    shown: HashMap<Uid, Visible>,
    /// Users of whom there is something to tell, and when they made the choice that it comes from, if it is one. Every
    /// gateway that holds sockets of theirs puts it on record, under this time: so it is there once.
    dirty: HashMap<Uid, Option<u64>>,
    /// What users chose here, to be told to the gateways that hold their other sockets.
    chosen: Vec<(Uid, Choice)>,
    /// Users who left, and when they stop being shown.
    departing: HashMap<Uid, Instant>,
    /// Snapshots of other gateways that have not come whole yet.
    partial: HashMap<Incarnation, exchange::Partial>,
}

impl Presence {
    pub fn new(config: &Config) -> Self {
        let incarnation = Uuid::new_v4();
        let state = State {
            table: Table::new(incarnation, &config.name, config.lease, Instant::now()),
            shown: HashMap::new(),
            dirty: HashMap::new(),
            chosen: Vec::new(),
            departing: HashMap::new(),
            partial: HashMap::new(),
        };
        let last_seen = moka::sync::Cache::new(MAX_LAST_SEEN);
        Self { incarnation, state: Mutex::new(state), changed: Notify::new(), last_seen }
    }

    /// A socket of the user's was opened here.
    pub fn joined(&self, user: Uid) {
        let mut state = self.state.lock();
        state.departing.remove(&user);
        let changed = state.table.joined(user);
        self.touch(state, user, changed, None);
    }

    /// A socket of the user's was closed here. After the last one the user is shown a moment longer.
    ///
    /// Counted here and not taken from the router: of one that closes while another opens, either may be heard of first.
    pub fn left(&self, user: Uid, shown_until: Instant) {
        let mut state = self.state.lock();
        let mut left = 0;
        let changed = state.table.set_own(user, |own| {
            own.sockets = own.sockets.saturating_sub(1);
            left = own.sockets;
        });
        if left == 0 {
            state.departing.insert(user, shown_until);
        }
        self.touch(state, user, changed, None);
    }

    /// `presence`: what the caller wants others to see.
    pub fn set(&self, gateway: &Gateway, caller: &Caller, command: &SetPresence) -> Result<(), Refused> {
        if let Some(text) = &command.text {
            natter_protocol::text::check_status(text)
                .map_err(|error| Refused::new(ErrorCode::Invalid, error.to_string()))?;
        }
        gateway.rates.other(caller.uid).map_err(Refused::rate_limited)?;
        let at_ms = gateway.clock.now_ms();
        let choice = Choice { status: command.status, text: command.text.clone(), at_ms };
        let mut state = self.state.lock();
        // The choice of someone who is nowhere is not kept.
        if state.table.sockets(caller.uid) == 0 {
            return Ok(());
        }
        // Over HTTP the sockets may all be on other gateways.
        state.chosen.push((caller.uid, choice.clone()));
        state.table.choose(caller.uid, choice);
        self.touch(state, caller.uid, true, Some(at_ms));
        Ok(())
    }

    /// Another gateway was told what a user wants to be seen as.
    fn chosen_elsewhere(&self, user: Uid, choice: Choice) {
        let at_ms = choice.at_ms;
        let mut state = self.state.lock();
        let changed = state.table.choose(user, choice);
        self.touch(state, user, changed, Some(at_ms));
    }

    /// `watch`: from now on the session is told of these users' changes. Returns how they are now.
    pub async fn watch(
        &self,
        gateway: &Gateway,
        session: &Arc<SessionHandle>,
        users: &[Handle],
    ) -> Result<Vec<PresenceFrame>, Refused> {
        if users.len() > limits::MAX_WATCHED_USERS {
            let most = limits::MAX_WATCHED_USERS;
            return Err(Refused::new(ErrorCode::Invalid, format!("at most {most} users can be watched")));
        }
        gateway.rates.other(session.user).map_err(Refused::rate_limited)?;
        let found = gateway.accounts.directory.resolve(users).await?;
        let mut watched = Vec::with_capacity(users.len());
        for (handle, uid) in users.iter().zip(found) {
            let missing = || Refused::new(ErrorCode::UnknownUser, format!("there is no user {handle}"));
            watched.push((uid.ok_or_else(missing)?, handle.clone()));
        }
        watched.sort_unstable();
        watched.dedup();
        // First the changes, then the state: what changes in between is told twice rather than never.
        gateway.router.watch(session, watched.iter().map(|(uid, _)| *uid).collect());
        Ok(watched.into_iter().map(|(uid, handle)| self.frame(uid, handle)).collect())
    }

    /// Live sockets of each user, over all gateways.
    pub fn sockets(&self, users: &[Uid]) -> Vec<u32> {
        let state = self.state.lock();
        users.iter().map(|uid| state.table.sockets(*uid)).collect()
    }

    /// A page of who is online.
    pub fn online(&self, after: Option<Uid>, max: usize) -> Vec<(Uid, Visible, Vec<String>)> {
        self.state.lock().table.online(after, max)
    }

    /// How many gateways this one knows of, itself included.
    pub fn gateways(&self) -> usize {
        self.state.lock().table.gateways()
    }

    /// A user's presence as a frame.
    pub fn frame(&self, user: Uid, handle: Handle) -> PresenceFrame {
        self.frame_of(&self.state.lock(), user, handle)
    }

    fn frame_of(&self, state: &State, user: Uid, handle: Handle) -> PresenceFrame {
        let visible = state.table.visible(user);
        let offline = visible.status == natter_events::PresenceStatus::Offline;
        let last_seen = if offline { self.last_seen.get(&user) } else { None };
        PresenceFrame { user: handle, status: visible.status, text: visible.text, last_seen }
    }

    fn touch(&self, mut state: MutexGuard<'_, State>, user: Uid, changed: bool, chosen_at_ms: Option<u64>) {
        if changed {
            let chosen = state.dirty.entry(user).or_default();
            *chosen = chosen_at_ms.or(*chosen);
            drop(state);
            self.changed.notify_one();
        }
    }
}
