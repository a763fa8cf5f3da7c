//! Which local sessions an event or a signal reaches. The only routing table there is, and it holds only what this
//! gateway's own sockets put into it (D3).

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::sync::atomic::{AtomicU16, AtomicU64, AtomicUsize, Ordering};

use natter_events::{ConversationId, SessionId, Uid};
use natter_planted::Bug;
use natter_protocol::{CloseCode, ServerFrame};
use parking_lot::{Mutex, RwLock};
use tokio::sync::Notify;

use crate::feed::{Entry, RoomSet};
use crate::rooms::MembershipState;

/// Most ephemeral frames that wait for one session; past it the oldest go first (EVT4, HRT2).
const MAX_SIGNALS: usize = 64;

/// What others hold of a session: a way to wake it, to signal it and to end it.
pub struct SessionHandle {
    /// What tells it from every other one here.
    number: u64,
    pub user: Uid,
    pub login: SessionId,
    /// When the session's access token was issued; a renewed token moves it on.
    issued_at_ms: std::sync::atomic::AtomicI64,
    wake: Notify,
    /// Bytes of events that were routed here and are not written yet (HRT2).
    waiting_bytes: AtomicUsize,
    max_waiting_bytes: usize,
    signals: Mutex<VecDeque<Arc<ServerFrame>>>,
    close: AtomicU16,
    watched: Mutex<Vec<Uid>>,
    /// The rooms whose events are routed here, as of which event.
    rooms: Mutex<(u64, RoomSet)>,
}

impl SessionHandle {
    pub fn new(user: Uid, login: SessionId, issued_at_ms: i64, max_waiting_bytes: usize) -> Arc<Self> {
        static LAST: AtomicU64 = AtomicU64::new(0);
        Arc::new(Self {
            number: LAST.fetch_add(1, Ordering::Relaxed),
            user,
            login,
            issued_at_ms: issued_at_ms.into(),
            wake: Notify::new(),
            waiting_bytes: AtomicUsize::new(0),
            max_waiting_bytes,
            signals: Mutex::default(),
            close: AtomicU16::new(0),
            watched: Mutex::default(),
            rooms: Mutex::new((0, RoomSet::default())),
        })
    }

    /// Resolves when there is something to look at: events, signals or an end.
    pub async fn woken(&self) {
        self.wake.notified().await;
    }

    /// Has the session look again at what there is.
    pub fn wake(&self) {
        self.wake.notify_one();
    }

    /// The code the session has been told to close with.
    pub fn told_to_close(&self) -> Option<CloseCode> {
        CloseCode::from_code(self.close.load(Ordering::Acquire))
    }

    /// Tells the session to close. The first reason stays.
    pub fn close(&self, code: CloseCode) {
        let _ = self.close.compare_exchange(0, code.code(), Ordering::AcqRel, Ordering::Relaxed);
        self.wake.notify_one();
    }

    /// A frame that may be lost. Past the bound the oldest goes.
    pub fn signal(&self, frame: Arc<ServerFrame>) {
        let mut signals = self.signals.lock();
        if signals.len() >= MAX_SIGNALS {
            signals.pop_front();
            metrics::counter!("natter_gateway_signals_dropped_total").increment(1);
        }
        signals.push_back(frame);
        drop(signals);
        self.wake.notify_one();
    }

    /// Takes what was signalled since the last time.
    pub fn take_signals(&self) -> VecDeque<Arc<ServerFrame>> {
        std::mem::take(&mut *self.signals.lock())
    }

    /// That much of what was routed here is written.
    pub fn written(&self, bytes: usize) {
        // Events of before the session was routed to are written without having been counted.
        let _ = self
            .waiting_bytes
            .fetch_update(Ordering::AcqRel, Ordering::Relaxed, |waiting| Some(waiting.saturating_sub(bytes)));
    }

    pub fn issued_at_ms(&self) -> i64 {
        self.issued_at_ms.load(Ordering::Acquire)
    }

    pub fn renewed(&self, issued_at_ms: i64) {
        self.issued_at_ms.store(issued_at_ms, Ordering::Release);
    }

    /// Whether more waits than may.
    pub fn is_overdue(&self) -> bool {
        self.waiting_bytes.load(Ordering::Acquire) > self.max_waiting_bytes
    }

    fn is_in(&self, room: ConversationId) -> bool {
        self.rooms.lock().1.binary_search(&room).is_ok()
    }

    fn event(&self, bytes: usize) {
        let waiting = self.waiting_bytes.fetch_add(bytes, Ordering::AcqRel) + bytes;
        if waiting > self.max_waiting_bytes && !Bug::SkipForSlow.is_planted() {
            self.signals.lock().clear();
            self.close(CloseCode::TooSlow);
        } else {
            self.wake.notify_one();
        }
    }
}

/// The local sessions, by whose they are, by whom they watch, and by room.
#[derive(Default)]
pub struct Router {
    sessions: RwLock<HashMap<Uid, Vec<Arc<SessionHandle>>>>,
    watchers: RwLock<HashMap<Uid, Vec<Arc<SessionHandle>>>>,
    /// The sessions of each room's members.
    rooms: RwLock<HashMap<ConversationId, HashMap<u64, Arc<SessionHandle>>>>,
    count: AtomicUsize,
}

/// A user has as many sockets here as one user may.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TooMany;

impl Router {
    /// Lets a session in. Returns how many sockets the user has here now.
    pub fn add(&self, session: &Arc<SessionHandle>, max_per_user: usize, max: usize) -> Result<usize, TooMany> {
        let mut sessions = self.sessions.write();
        let own = sessions.entry(session.user).or_default();
        if own.len() >= max_per_user || self.count.load(Ordering::Acquire) >= max {
            if own.is_empty() {
                sessions.remove(&session.user);
            }
            return Err(TooMany);
        }
        own.push(session.clone());
        self.count.fetch_add(1, Ordering::AcqRel);
        Ok(own.len())
    }

    /// Takes a session out. Returns how many sockets the user has left here.
    pub fn remove(&self, session: &Arc<SessionHandle>) -> usize {
        self.watch(session, Vec::new());
        // Nothing is as late as that: whoever would still move it to a room is too late.
        self.enter(session, u64::MAX, &RoomSet::default());
        let mut sessions = self.sessions.write();
        let Some(own) = sessions.get_mut(&session.user) else { return 0 };
        let before = own.len();
        own.retain(|other| !Arc::ptr_eq(other, session));
        let left = own.len();
        self.count.fetch_sub(before - left, Ordering::AcqRel);
        if left == 0 {
            sessions.remove(&session.user);
        }
        left
    }

    /// How many sockets are open.
    pub fn len(&self) -> usize {
        self.count.load(Ordering::Acquire)
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Wakes the sessions that an event reaches. Does nothing but look them up: this is the feed's own time.
    pub fn route(&self, entries: &[Arc<Entry>]) {
        let sessions = self.sessions.read();
        if sessions.is_empty() {
            return;
        }
        let rooms = self.rooms.read();
        for entry in entries {
            let (bytes, room) = (entry.weight(), entry.room());
            for session in entry.to.iter().filter_map(|uid| sessions.get(uid)).flatten() {
                // Whoever is in the room too is reached as a member.
                if room.is_none_or(|room| !session.is_in(room)) {
                    session.event(bytes);
                }
            }
            for session in room.and_then(|room| rooms.get(&room)).into_iter().flat_map(HashMap::values) {
                session.event(bytes);
            }
        }
    }

    /// A user is in other rooms from now on.
    pub fn moved(&self, user: Uid, state: &MembershipState) {
        let own = self.of(user);
        if !own.is_empty() {
            let rooms = state.ids();
            own.iter().for_each(|session| self.enter(session, state.seq, &rooms));
        }
    }

    /// From now on a session gets what happens in these rooms, and in no others. What is older than what it was told last
    /// changes nothing.
    pub fn enter(&self, session: &Arc<SessionHandle>, seq: u64, to: &RoomSet) {
        let mut rooms = self.rooms.write();
        let mut known = session.rooms.lock();
        if known.0 > seq {
            return;
        }
        for room in known.1.iter().filter(|room| to.binary_search(room).is_err()) {
            if let Some(sessions) = rooms.get_mut(room) {
                sessions.remove(&session.number);
                if sessions.is_empty() {
                    rooms.remove(room);
                }
            }
        }
        for room in to.iter().filter(|room| known.1.binary_search(room).is_err()) {
            rooms.entry(*room).or_default().insert(session.number, session.clone());
        }
        *known = (seq, to.clone());
    }

    /// Signals every session in a room but those of one user.
    pub fn signal_room(&self, room: ConversationId, but: Uid, frame: impl FnOnce() -> ServerFrame) {
        let rooms = self.rooms.read();
        let Some(sessions) = rooms.get(&room) else { return };
        let frame = Arc::new(frame());
        for session in sessions.values().filter(|session| session.user != but) {
            session.signal(frame.clone());
        }
    }

    /// Whether any session here is in a room.
    pub fn has_room(&self, room: ConversationId) -> bool {
        self.rooms.read().contains_key(&room)
    }

    /// Signals every session of some people.
    pub fn signal(&self, people: &[Uid], frame: ServerFrame) {
        let sessions = self.sessions.read();
        let frame = Arc::new(frame);
        for session in people.iter().filter_map(|uid| sessions.get(uid)).flatten() {
            session.signal(frame.clone());
        }
    }

    /// Signals every session that watches `user`.
    pub fn signal_watchers(&self, user: Uid, frame: impl FnOnce() -> ServerFrame) {
        let watchers = self.watchers.read();
        let Some(sessions) = watchers.get(&user) else { return };
        let frame = Arc::new(frame());
        for session in sessions {
            session.signal(frame.clone());
        }
    }

    /// Whether a user has a session here.
    pub fn has(&self, user: Uid) -> bool {
        self.sessions.read().contains_key(&user)
    }

    /// Whether any session watches `user`.
    pub fn is_watched(&self, user: Uid) -> bool {
        self.watchers.read().contains_key(&user)
    }

    /// Replaces whom a session watches.
    pub fn watch(&self, session: &Arc<SessionHandle>, users: Vec<Uid>) {
        let mut watchers = self.watchers.write();
        let mut watched = session.watched.lock();
        for uid in watched.drain(..) {
            if let Some(sessions) = watchers.get_mut(&uid) {
                sessions.retain(|other| !Arc::ptr_eq(other, session));
                if sessions.is_empty() {
                    watchers.remove(&uid);
                }
            }
        }
        for uid in &users {
            watchers.entry(*uid).or_default().push(session.clone());
        }
        *watched = users;
    }

    /// The sessions of a user.
    pub fn of(&self, user: Uid) -> Vec<Arc<SessionHandle>> {
        self.sessions.read().get(&user).cloned().unwrap_or_default()
    }

    /// Every session.
    pub fn all(&self) -> Vec<Arc<SessionHandle>> {
        self.sessions.read().values().flatten().cloned().collect()
    }

    /// Everyone with a socket here, and how many.
    pub fn users(&self) -> Vec<(Uid, usize)> {
        self.sessions.read().iter().map(|(uid, own)| (*uid, own.len())).collect()
    }
}

#[cfg(test)]
mod tests {
    use natter_protocol::Position;
    use natter_protocol::frame::CaughtUp;

    use super::*;

    fn session(user: Uid) -> Arc<SessionHandle> {
        SessionHandle::new(user, SessionId::random(), 0, 1000)
    }

    fn frame() -> Arc<ServerFrame> {
        Arc::new(ServerFrame::Ping(CaughtUp { position: Position::start(1) }))
    }

    #[test]
    fn sockets_of_one_user_and_of_all_are_bounded() {
        let router = Router::default();
        let user = Uid::random();
        assert_eq!(router.add(&session(user), 2, 3), Ok(1));
        assert_eq!(router.add(&session(user), 2, 3), Ok(2));
        assert_eq!(router.add(&session(user), 2, 3), Err(TooMany));
        assert_eq!(router.add(&session(Uid::random()), 2, 3), Ok(1));
        assert_eq!(router.add(&session(Uid::random()), 2, 3), Err(TooMany));
        assert_eq!(router.len(), 3);
    }

    #[test]
    fn a_session_that_left_is_nowhere() {
        let router = Router::default();
        let (watched, one) = (Uid::random(), session(Uid::random()));
        router.add(&one, 9, 9).expect("room");
        router.watch(&one, vec![watched]);
        assert!(router.is_watched(watched));
        assert_eq!(router.remove(&one), 0);
        assert_eq!(router.remove(&one), 0, "leaving twice counts once");
        assert!(!router.is_watched(watched) && router.is_empty() && router.of(one.user).is_empty());
    }

    #[test]
    fn evt4_signals_are_bounded_and_the_oldest_go_first() {
        let one = session(Uid::random());
        for _ in 0..MAX_SIGNALS + 10 {
            one.signal(frame());
        }
        assert_eq!(one.take_signals().len(), MAX_SIGNALS);
        assert!(one.take_signals().is_empty());
    }

    #[test]
    fn hrt2_past_the_bound_signals_go_first_and_then_the_socket() {
        let one = session(Uid::random());
        one.signal(frame());
        one.event(600);
        assert_eq!(one.told_to_close(), None);
        one.written(600);
        one.event(600);
        assert_eq!(one.told_to_close(), None);
        one.event(600);
        assert_eq!(one.told_to_close(), Some(CloseCode::TooSlow));
        assert!(one.take_signals().is_empty());
        one.close(CloseCode::GoingAway);
        assert_eq!(one.told_to_close(), Some(CloseCode::TooSlow), "the first reason stays");
    }
}
