//! Who is here, as one gateway knows it: its own users, and what the other gateways say of theirs. Pure: time and
//! messages are passed in.
//!
//! Each gateway numbers what it says. A number that is skipped means that something was missed, and the whole is asked
//! for again; so a lost message heals at the next heartbeat.

use std::collections::HashMap;
use std::time::Duration;

use natter_events::{PresenceStatus, Uid};
use natter_protocol::frame::PresenceChoice;
use serde::{Deserialize, Serialize};
use tokio::time::Instant;
use uuid::Uuid;

/// One life of one gateway process.
pub type Incarnation = Uuid;

/// What a user chose to be seen as. The newest choice of all devices holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Choice {
    pub status: PresenceChoice,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    pub at_ms: u64,
}

/// What a gateway says of one user.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Local {
    pub sockets: u32,
    /// Still shown: true while there are sockets, and a moment longer.
    pub present: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub choice: Option<Choice>,
}

/// What others see of a user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Visible {
    pub status: PresenceStatus,
    pub text: Option<String>,
}

impl Visible {
    fn offline() -> Self {
        Self { status: PresenceStatus::Offline, text: None }
    }
}

/// What is to be done about a message.
#[derive(Debug, PartialEq, Eq)]
pub enum Heard {
    /// It was taken in. What others see of these users changed.
    Changed(Vec<Uid>),
    /// Something before it was missed: ask that gateway for everything.
    Missed,
}

struct Peer {
    name: String,
    counter: u64,
    heard: Instant,
    /// How long it is believed from then on.
    lease: Duration,
    users: HashMap<Uid, Local>,
}

/// Every gateway's users.
pub struct Table {
    own: Incarnation,
    lease: Duration,
    peers: HashMap<Incarnation, Peer>,
}

impl Table {
    pub fn new(own: Incarnation, name: &str, lease: Duration, now: Instant) -> Self {
        let peer = Peer { name: name.into(), counter: 0, heard: now, lease, users: HashMap::new() };
        Self { own, lease, peers: HashMap::from([(own, peer)]) }
    }

    /// What others see of a user.
    pub fn visible(&self, user: Uid) -> Visible {
        let states = || self.peers.values().filter_map(|peer| peer.users.get(&user));
        if !states().any(|state| state.present) {
            return Visible::offline();
        }
        let Some(choice) = self.newest_choice(user) else {
            return Visible { status: PresenceStatus::Online, text: None };
        };
        let status = match choice.status {
            PresenceChoice::Online => PresenceStatus::Online,
            PresenceChoice::Away => PresenceStatus::Away,
            PresenceChoice::Busy => PresenceStatus::Busy,
            PresenceChoice::Invisible => return Visible::offline(),
        };
        Visible { status, text: choice.text.clone() }
    }

    /// Live sockets of a user, over all gateways.
    pub fn sockets(&self, user: Uid) -> u32 {
        self.peers.values().filter_map(|peer| peer.users.get(&user)).map(|state| state.sockets).sum()
    }

    /// Who is seen after `after`, in order of uid, with the gateways that hold their sockets.
    pub fn online(&self, after: Option<Uid>, max: usize) -> Vec<(Uid, Visible, Vec<String>)> {
        let mut users: Vec<Uid> = self.peers.values().flat_map(|peer| peer.users.keys().copied()).collect();
        users.sort_unstable();
        users.dedup();
        let first = after.map_or(0, |after| users.partition_point(|uid| *uid <= after));
        let seen = users[first..].iter().map(|uid| (*uid, self.visible(*uid)));
        seen.filter(|(_, visible)| visible.status != PresenceStatus::Offline)
            .take(max)
            .map(|(uid, visible)| (uid, visible, self.gateways_of(uid)))
            .collect()
    }

    /// Changes what this gateway says of a user, and returns whether there is something to say.
    pub fn set_own(&mut self, user: Uid, change: impl FnOnce(&mut Local)) -> bool {
        let Some(own) = self.peers.get_mut(&self.own) else { return false };
        let before = own.users.get(&user).cloned().unwrap_or_default();
        let mut after = before.clone();
        change(&mut after);
        if after == before {
            return false;
        }
        if after.sockets == 0 && !after.present {
            own.users.remove(&user);
        } else {
            own.users.insert(user, after);
        }
        true
    }

    /// A socket of a user's was opened here. Whatever they chose elsewhere, they are seen as here too: someone invisible
    /// must not appear by moving to another gateway.
    pub fn joined(&mut self, user: Uid) -> bool {
        let choice = self.newest_choice(user).cloned();
        self.set_own(user, |own| {
            own.sockets += 1;
            own.present = true;
            own.choice = choice;
        })
    }

    /// A user chose how to be seen. Says nothing of someone who has no socket here, nor of a choice that is outdated.
    pub fn choose(&mut self, user: Uid, choice: Choice) -> bool {
        let here = self.peers.get(&self.own).is_some_and(|own| own.users.contains_key(&user));
        if !here || self.newest_choice(user).is_some_and(|newest| newest.at_ms > choice.at_ms) {
            return false;
        }
        self.set_own(user, |own| own.choice = Some(choice))
    }

    fn newest_choice(&self, user: Uid) -> Option<&Choice> {
        let states = self.peers.values().filter_map(|peer| peer.users.get(&user));
        states.filter_map(|state| state.choice.as_ref()).max_by_key(|choice| choice.at_ms)
    }

    /// What this gateway says of a user now, with its next number.
    pub fn say_own(&mut self, user: Uid) -> (u64, Local) {
        let Some(own) = self.peers.get_mut(&self.own) else { return (0, Local::default()) };
        own.counter += 1;
        (own.counter, own.users.get(&user).cloned().unwrap_or_default())
    }

    /// How much this gateway has said.
    pub fn own_counter(&self) -> u64 {
        self.peers.get(&self.own).map_or(0, |own| own.counter)
    }

    /// Everything that this gateway says, and the number that it stands for.
    pub fn own_snapshot(&self) -> (u64, Vec<(Uid, Local)>) {
        let Some(own) = self.peers.get(&self.own) else { return (0, Vec::new()) };
        (own.counter, own.users.iter().map(|(uid, state)| (*uid, state.clone())).collect())
    }

    /// Another gateway says that it lives, and how much it has said.
    pub fn beat(&mut self, from: Incarnation, name: &str, counter: u64, now: Instant) -> Heard {
        let lease = self.lease;
        let peer = self.peers.entry(from).or_insert_with(|| Peer {
            name: name.into(),
            // Nothing of what it said is known: unless it said nothing, that is a gap.
            counter: 0,
            heard: now,
            lease,
            users: HashMap::new(),
        });
        peer.heard = now;
        peer.lease = lease;
        if peer.counter == counter { Heard::Changed(Vec::new()) } else { Heard::Missed }
    }

    /// Another gateway says something of a user.
    pub fn delta(
        &mut self,
        from: Incarnation,
        name: &str,
        counter: u64,
        user: Uid,
        state: Local,
        now: Instant,
    ) -> Heard {
        let before = self.visible(user);
        if self.beat(from, name, counter.saturating_sub(1), now) == Heard::Missed {
            let known = self.peers.get(&from).is_some_and(|peer| peer.counter >= counter);
            return if known { Heard::Changed(Vec::new()) } else { Heard::Missed };
        }
        if let Some(peer) = self.peers.get_mut(&from) {
            peer.counter = counter;
            if state.sockets == 0 && !state.present {
                peer.users.remove(&user);
            } else {
                peer.users.insert(user, state);
            }
        }
        let changed = if self.visible(user) == before { Vec::new() } else { vec![user] };
        Heard::Changed(changed)
    }

    /// Everything that another gateway says. Returns whose appearance changed.
    pub fn snapshot(
        &mut self,
        from: Incarnation,
        name: &str,
        counter: u64,
        users: Vec<(Uid, Local)>,
        now: Instant,
    ) -> Vec<Uid> {
        let _ = self.beat(from, name, counter, now);
        let Some(peer) = self.peers.get(&from) else { return Vec::new() };
        if peer.counter > counter {
            return Vec::new();
        }
        let mut concerned: Vec<Uid> = peer.users.keys().copied().chain(users.iter().map(|(uid, _)| *uid)).collect();
        concerned.sort_unstable();
        concerned.dedup();
        let before: Vec<Visible> = concerned.iter().map(|uid| self.visible(*uid)).collect();
        if let Some(peer) = self.peers.get_mut(&from) {
            peer.counter = counter;
            peer.users = users.into_iter().collect();
        }
        let changed = concerned.into_iter().zip(before).filter(|(uid, before)| self.visible(*uid) != *before);
        changed.map(|(uid, _)| uid).collect()
    }

    /// Another gateway stops: its users have a moment to come back elsewhere.
    pub fn bye(&mut self, from: Incarnation, grace: Duration, now: Instant) {
        if let Some(peer) = self.peers.get_mut(&from) {
            peer.heard = now;
            peer.lease = grace;
        }
    }

    /// Lets gateways go that have not been heard for their lease. Returns whose appearance changed, and by whose end.
    pub fn expire(&mut self, now: Instant) -> Vec<(Incarnation, Uid)> {
        let own = self.own;
        let dead = |id: &Incarnation, peer: &Peer| *id != own && now.duration_since(peer.heard) > peer.lease;
        let ended: Vec<Incarnation> =
            self.peers.iter().filter(|(id, peer)| dead(id, peer)).map(|(id, _)| *id).collect();
        let mut changed = Vec::new();
        for id in ended {
            let Some(peer) = self.peers.get(&id) else { continue };
            let users: Vec<Uid> = peer.users.keys().copied().collect();
            let before: Vec<Visible> = users.iter().map(|uid| self.visible(*uid)).collect();
            self.peers.remove(&id);
            let gone = users.into_iter().zip(before).filter(|(uid, before)| self.visible(*uid) != *before);
            changed.extend(gone.map(|(uid, _)| (id, uid)));
        }
        changed
    }

    /// How many gateways there are, this one included.
    pub fn gateways(&self) -> usize {
        self.peers.len()
    }

    fn gateways_of(&self, user: Uid) -> Vec<String> {
        let holds = |peer: &&Peer| peer.users.get(&user).is_some_and(|state| state.sockets > 0);
        let mut names: Vec<String> = self.peers.values().filter(holds).map(|peer| peer.name.clone()).collect();
        names.sort_unstable();
        names
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LEASE: Duration = Duration::from_secs(5);

    fn table(now: Instant) -> (Table, Incarnation) {
        (Table::new(Uuid::from_u128(1), "a", LEASE, now), Uuid::from_u128(2))
    }

    fn here(sockets: u32) -> Local {
        Local { sockets, present: true, choice: None }
    }

    #[tokio::test(start_paused = true)]
    async fn d7_sockets_and_presence_are_summed_over_gateways() {
        let now = Instant::now();
        let (mut table, other) = table(now);
        let user = Uid::random();
        assert!(table.set_own(user, |state| *state = here(2)));
        assert!(!table.set_own(user, |state| state.sockets = 2), "nothing to say twice");
        assert_eq!(table.delta(other, "b", 1, user, here(1), now), Heard::Changed(vec![]));
        assert_eq!((table.sockets(user), table.visible(user).status), (3, PresenceStatus::Online));
        table.set_own(user, |state| *state = Local::default());
        assert_eq!((table.sockets(user), table.visible(user).status), (1, PresenceStatus::Online));
        assert_eq!(table.delta(other, "b", 2, user, Local::default(), now), Heard::Changed(vec![user]));
        assert_eq!(table.visible(user).status, PresenceStatus::Offline);
    }

    #[tokio::test(start_paused = true)]
    async fn d7_what_was_missed_is_noticed_and_a_snapshot_heals_it() {
        let now = Instant::now();
        let (mut table, other) = table(now);
        let (a, b) = (Uid::random(), Uid::random());
        assert_eq!(table.beat(other, "b", 0, now), Heard::Changed(vec![]));
        assert_eq!(table.delta(other, "b", 2, a, here(1), now), Heard::Missed);
        assert_eq!(table.beat(other, "b", 2, now), Heard::Missed);
        let mut changed = table.snapshot(other, "b", 2, vec![(a, here(1)), (b, here(1))], now);
        changed.sort_unstable();
        let mut both = vec![a, b];
        both.sort_unstable();
        assert_eq!(changed, both);
        assert_eq!(table.beat(other, "b", 2, now), Heard::Changed(vec![]));
        assert_eq!(table.delta(other, "b", 1, a, Local::default(), now), Heard::Changed(vec![]), "old news");
        assert_eq!(table.sockets(a), 1);
        assert_eq!(table.snapshot(other, "b", 1, vec![], now), vec![], "an old snapshot");
        assert_eq!(table.delta(other, "b", 3, a, Local::default(), now), Heard::Changed(vec![a]));
    }

    #[tokio::test(start_paused = true)]
    async fn d7_when_a_lease_ends_that_gateways_users_are_gone() {
        let now = Instant::now();
        let (mut table, other) = table(now);
        let (a, b) = (Uid::random(), Uid::random());
        table.set_own(b, |state| *state = here(1));
        table.snapshot(other, "b", 2, vec![(a, here(1)), (b, here(1))], now);
        assert_eq!(table.expire(now + LEASE), vec![]);
        assert_eq!(table.expire(now + LEASE + Duration::from_millis(1)), vec![(other, a)], "b is still here");
        assert_eq!((table.gateways(), table.visible(b).status), (1, PresenceStatus::Online));
        assert_eq!(table.expire(now + LEASE * 9), vec![], "a gateway never ends its own lease");
    }

    #[tokio::test(start_paused = true)]
    async fn d7_a_gateway_that_says_bye_gives_its_users_a_moment() {
        let now = Instant::now();
        let (mut table, other) = table(now);
        let user = Uid::random();
        table.snapshot(other, "b", 1, vec![(user, here(1))], now);
        table.bye(other, Duration::from_secs(2), now);
        assert_eq!(table.expire(now + Duration::from_secs(2)), vec![]);
        assert_eq!(table.expire(now + Duration::from_millis(2001)), vec![(other, user)]);
    }

    #[tokio::test(start_paused = true)]
    async fn d7_the_newest_choice_of_all_devices_holds_and_invisible_looks_offline() {
        let now = Instant::now();
        let (mut table, other) = table(now);
        let user = Uid::random();
        let chosen = |status, at_ms| Local { choice: Some(Choice { status, text: None, at_ms }), ..here(1) };
        table.set_own(user, |state| *state = chosen(PresenceChoice::Busy, 5));
        table.delta(other, "b", 1, user, chosen(PresenceChoice::Away, 4), now);
        assert_eq!(table.visible(user).status, PresenceStatus::Busy);
        table.delta(other, "b", 2, user, chosen(PresenceChoice::Invisible, 6), now);
        assert_eq!(table.visible(user).status, PresenceStatus::Offline);
        assert_eq!(table.sockets(user), 2);
        assert!(table.online(None, 10).is_empty());
    }

    #[tokio::test(start_paused = true)]
    async fn d7_a_choice_goes_with_the_user_to_another_gateway() {
        let now = Instant::now();
        let (mut table, other) = table(now);
        let user = Uid::random();
        let chosen = |status, at_ms| Choice { status, text: None, at_ms };
        let invisible = Local { choice: Some(chosen(PresenceChoice::Invisible, 5)), ..here(1) };
        assert!(!table.choose(user, chosen(PresenceChoice::Busy, 4)), "they are not here");
        table.delta(other, "b", 1, user, invisible, now);
        assert!(table.joined(user));
        table.delta(other, "b", 2, user, Local::default(), now);
        assert_eq!((table.sockets(user), table.visible(user).status), (1, PresenceStatus::Offline));
        assert!(!table.choose(user, chosen(PresenceChoice::Busy, 4)), "outdated");
        assert!(table.choose(user, chosen(PresenceChoice::Busy, 6)));
        assert_eq!(table.visible(user).status, PresenceStatus::Busy);
    }

    #[tokio::test(start_paused = true)]
    async fn the_list_of_who_is_online_is_paged_without_holes() {
        let now = Instant::now();
        let (mut table, other) = table(now);
        let mut users: Vec<Uid> = (0..7).map(|_| Uid::random()).collect();
        for (index, user) in users.iter().enumerate() {
            if index % 2 == 0 {
                table.set_own(*user, |state| *state = here(1));
            }
        }
        table.snapshot(other, "b", 1, users.iter().map(|uid| (*uid, here(1))).collect(), now);
        users.sort_unstable();
        let (mut seen, mut after) = (Vec::new(), None);
        loop {
            let page = table.online(after, 3);
            seen.extend(page.iter().map(|(uid, ..)| *uid));
            match page.last() {
                Some((last, ..)) => after = Some(*last),
                None => break,
            }
        }
        assert_eq!(seen, users);
    }
}
