//! What gateways say to each other about presence, and what follows from it here.

use std::time::Duration;

use bytes::Bytes;
use natter_events::{Field, PresenceChanged, PresenceStatus, Record, Subject, Uid};
use natter_log::{Append, Stream};
use natter_platform::Shutdown;
use natter_protocol::{ServerFrame, Timestamp};
use serde::{Deserialize, Serialize};
use tokio::time::{Instant, MissedTickBehavior};

use super::table::{Choice, Heard, Incarnation, Local, Visible};
use crate::Gateway;

/// Where presence is exchanged.
pub const SUBJECT: &str = "live.presence";
/// Users in one message of a snapshot: well below what the broker takes in one.
const SNAPSHOT_USERS: usize = 1_000;
/// How often departures and leases are looked at.
const TICK: Duration = Duration::from_millis(250);
/// Whole snapshots that may be in the making, and users in one.
const MAX_PARTIAL_USERS: usize = 1_000_000;

/// A message between gateways.
#[derive(Debug, Serialize, Deserialize)]
pub struct Message {
    pub from: Incarnation,
    pub name: String,
    /// How much the sender has said with this message.
    pub counter: u64,
    pub what: What,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum What {
    /// It lives.
    Beat,
    /// A user chose how to be seen, through the sender; whoever holds sockets of theirs says so from now on.
    Choice { user: Uid, choice: Choice },
    /// One user changed.
    Delta { user: Uid, state: Local },
    /// Say everything: asked of one gateway, or of all.
    Ask { of: Option<Incarnation> },
    /// Everything, in parts.
    Snapshot { users: Vec<(Uid, Local)>, last: bool },
    /// It stops.
    Bye,
}

/// A snapshot that is coming in.
#[derive(Default)]
pub struct Partial {
    counter: u64,
    users: Vec<(Uid, Local)>,
}

/// Tells the others what changes here, and lets go of who is not heard any more. Until the stop.
pub async fn run(gateway: &Gateway, shutdown: &Shutdown) {
    let presence = &gateway.presence;
    say(gateway, 0, What::Ask { of: None }).await;
    let mut tick = tokio::time::interval(TICK);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut next_beat = Instant::now();
    loop {
        tokio::select! {
            () = presence.changed.notified() => {}
            _ = tick.tick() => {}
            () = shutdown.forced() => break,
        }
        tell_changes(gateway).await;
        let now = Instant::now();
        if now >= next_beat {
            next_beat = now + gateway.config.lease_interval;
            let counter = presence.state.lock().table.own_counter();
            say(gateway, counter, What::Beat).await;
        }
        let gone = presence.state.lock().table.expire(now);
        for (incarnation, user) in gone {
            // Every gateway that is left may write it: it has the same id from all of them.
            show(gateway, user, Some(format!("{incarnation}:{user}"))).await;
        }
    }
    let counter = presence.state.lock().table.own_counter();
    say(gateway, counter, What::Bye).await;
}

/// Takes in what another gateway said.
pub async fn hear(gateway: &Gateway, payload: &[u8]) {
    let Ok(message) = rmp_serde::from_slice::<Message>(payload) else {
        tracing::warn!("a presence message does not read; is a gateway of another version running?");
        return;
    };
    let presence = &gateway.presence;
    if message.from == presence.incarnation {
        return;
    }
    let (now, from, name) = (Instant::now(), message.from, &message.name);
    let heard = match message.what {
        What::Beat => presence.state.lock().table.beat(from, name, message.counter, now),
        What::Delta { user, state } => presence.state.lock().table.delta(from, name, message.counter, user, state, now),
        What::Choice { user, choice } => {
            presence.chosen_elsewhere(user, choice);
            return;
        }
        What::Ask { of } => {
            if of.is_none_or(|of| of == presence.incarnation) {
                say_everything(gateway).await;
            }
            return;
        }
        What::Snapshot { users, last } => {
            let mut state = presence.state.lock();
            let partial = state.partial.entry(from).or_default();
            if partial.counter != message.counter {
                *partial = Partial { counter: message.counter, users: Vec::new() };
            }
            if partial.users.len() < MAX_PARTIAL_USERS {
                partial.users.extend(users);
            }
            if !last {
                return;
            }
            let whole = state.partial.remove(&from).unwrap_or_default();
            Heard::Changed(state.table.snapshot(from, name, whole.counter, whole.users, now))
        }
        What::Bye => {
            presence.state.lock().table.bye(from, gateway.config.offline_after, now);
            return;
        }
    };
    match heard {
        Heard::Missed => say(gateway, 0, What::Ask { of: Some(from) }).await,
        Heard::Changed(users) => {
            for user in users {
                // The gateway that it happened on writes it down.
                show(gateway, user, None).await;
            }
        }
    }
}

/// Messages were lost on the way here: everything is asked for again.
pub async fn lost(gateway: &Gateway) {
    say(gateway, 0, What::Ask { of: None }).await;
}

/// Says what changed here since the last time.
async fn tell_changes(gateway: &Gateway) {
    let presence = &gateway.presence;
    let now = Instant::now();
    let chosen = std::mem::take(&mut presence.state.lock().chosen);
    for (user, choice) in chosen {
        say(gateway, 0, What::Choice { user, choice }).await;
    }
    let said: Vec<(u64, Uid, Local, String)> = {
        let mut state = presence.state.lock();
        let state = &mut *state;
        let due: Vec<Uid> = state.departing.iter().filter(|(_, at)| **at <= now).map(|(uid, _)| *uid).collect();
        for user in due {
            state.departing.remove(&user);
            if state.table.set_own(user, |own| own.present = own.sockets > 0) {
                state.dirty.entry(user).or_default();
            }
        }
        let dirty = std::mem::take(&mut state.dirty);
        dirty
            .into_iter()
            .map(|(user, chosen_at_ms)| {
                let (counter, local) = state.table.say_own(user);
                let record_as = match chosen_at_ms {
                    Some(at_ms) => format!("choice:{user}:{at_ms}"),
                    None => format!("{}:{counter}", presence.incarnation),
                };
                (counter, user, local, record_as)
            })
            .collect()
    };
    for (counter, user, state, record_as) in said {
        say(gateway, counter, What::Delta { user, state }).await;
        show(gateway, user, Some(record_as)).await;
    }
}

async fn say_everything(gateway: &Gateway) {
    let (counter, users) = gateway.presence.state.lock().table.own_snapshot();
    let parts = users.len().div_ceil(SNAPSHOT_USERS).max(1);
    for part in 0..parts {
        let from = part * SNAPSHOT_USERS;
        let users = users[from..users.len().min(from + SNAPSHOT_USERS)].to_vec();
        say(gateway, counter, What::Snapshot { users, last: part + 1 == parts }).await;
    }
}

async fn say(gateway: &Gateway, counter: u64, what: What) {
    let message = Message { from: gateway.presence.incarnation, name: gateway.config.name.clone(), counter, what };
    let Ok(bytes) = rmp_serde::to_vec_named(&message) else { return };
    if let Err(error) = gateway.log.publish_live(SUBJECT, Bytes::from(bytes)).await {
        tracing::debug!(%error, "presence could not be told; the next heartbeat tells it");
    }
}

/// Shows a user's presence to who watches them here, if it changed; and writes it down if this gateway is to.
async fn show(gateway: &Gateway, user: Uid, record_as: Option<String>) {
    let presence = &gateway.presence;
    let visible = {
        let mut state = presence.state.lock();
        let visible = state.table.visible(user);
        let offline = visible.status == PresenceStatus::Offline;
        let before = if offline { state.shown.remove(&user) } else { state.shown.insert(user, visible.clone()) };
        let unchanged = match &before {
            Some(before) => *before == visible,
            None => offline,
        };
        if unchanged {
            return;
        }
        visible
    };
    if visible.status == PresenceStatus::Offline {
        let now = Timestamp(i64::try_from(gateway.clock.now_ms()).unwrap_or(i64::MAX));
        presence.last_seen.insert(user, now);
    }
    if gateway.router.is_watched(user)
        && let Ok(Some(handle)) = gateway.accounts.directory.handle(user).await
    {
        // Under one lock, so that of two who show the same user the one who knows less is not heard last.
        let state = presence.state.lock();
        let frame = presence.frame_of(&state, user, handle);
        gateway.router.signal_watchers(user, || ServerFrame::Presence(frame));
    }
    if let Some(message_id) = record_as {
        record(gateway, user, visible, message_id).await;
    }
}

/// Puts a change on record. It may be lost: the stream keeps presence for analytics and "last seen", not for truth.
async fn record(gateway: &Gateway, user: Uid, visible: Visible, message_id: String) {
    let mut key = None;
    if let Some(text) = &visible.text
        && let Ok(Some(account)) = gateway.accounts.accounts.get(user).await
        && let Ok(Some(content_key)) = gateway.keys.get(user, account.key).await
    {
        key = Some((account.key, content_key.seal(user, Field::StatusText, text.as_bytes())));
    }
    let (key, text) = key.unzip();
    let gateway_id = gateway.presence.incarnation.to_string();
    let mut event = Record::new(user, PresenceChanged { status: visible.status, text, gateway: gateway_id });
    if let Some(key) = key {
        event = event.sealed_with(key);
    }
    // Nobody waits for it, and a lost one is the next change's to mend.
    drop(gateway.log.append(Append {
        stream: Stream::Presence,
        subject: Subject::Presence(user).to_string(),
        message_id,
        payload: event.encode(),
        expected_last: None,
    }));
}
