//! Every acknowledged command is there: in the stream at its place, and for every reader who should have it.

use std::collections::{HashMap, HashSet};

use natter_client::{ClientId, Command, ConversationId, Handle};
use natter_events::{Event, Subject, Uid};

use super::model::{Expected, Model};
use super::{Checker, Evidence, Verdict};
use crate::readers::Raw;
use crate::record::{Device, Note, Outcome, Reading};

pub fn check(evidence: &Evidence, model: &Model, verdict: &mut Verdict) {
    in_the_stream(evidence, model, verdict);
    for reading in &evidence.recording.readings {
        heard(evidence, reading, &model.heard[reading.person], verdict);
        resumed(reading, verdict);
    }
    in_the_tables(evidence, model, verdict);
}

fn in_the_stream(evidence: &Evidence, model: &Model, verdict: &mut Verdict) {
    for call in &evidence.recording.calls {
        let Outcome::Done { seq, .. } = call.outcome else { continue };
        let (id, who) = (call.command.id(), call.person);
        let stored = model.by_seq.get(&seq).map(|place| &evidence.raw[*place]);
        let Some(stored) = stored else {
            verdict.found(Checker::Acknowledged, || {
                format!("person {who}'s {id} was acknowledged at {seq}: nothing there")
            });
            continue;
        };
        let is_it = stored.id == Some(id) && stored.actor == evidence.people[who];
        if !is_it && !says_so(evidence, stored, who, &call.command) {
            verdict.found(Checker::Acknowledged, || {
                let (other, kind) = (stored.id, stored.event.kind());
                format!("person {who}'s {id} was acknowledged at {seq}, where there is {kind} {other:?}")
            });
        }
    }
}

/// Whether somebody else's event answers a command, for it says what was asked for already. Of most commands none can: what
/// is done is an event of its own.
fn says_so(evidence: &Evidence, stored: &Raw, who: usize, command: &Command) -> bool {
    let is_of = |room: ConversationId| stored.conversation == Some(room);
    let uid = |user: &Handle| evidence.tables.people.get(user);
    let room_now = match &stored.event {
        Event::RoomChanged(changed) => Some(&changed.room),
        _ => None,
    };
    match command {
        Command::Mark(mark) if stored.actor == evidence.people[who] && is_of(mark.conversation) => {
            match &stored.event {
                Event::ReadMarkerMoved(marker) => marker.thread == mark.thread && marker.read >= mark.read,
                Event::MessageSent(sent) => sent.thread == mark.thread && stored.seq >= mark.read,
                _ => false,
            }
        }
        Command::RoomBan(one) if is_of(one.conversation) => {
            room_now.is_some_and(|room| uid(&one.user).is_some_and(|user| room.bans.contains(user)))
        }
        Command::RoomUnban(one) if is_of(one.conversation) => {
            room_now.is_some_and(|room| uid(&one.user).is_none_or(|user| !room.bans.contains(user)))
        }
        Command::RoomArchive(one) if is_of(one.conversation) => room_now.is_some_and(|room| room.archived),
        Command::RoomUpdate(one) if is_of(one.conversation) => room_now.is_some_and(|room| {
            one.archived.is_none_or(|archived| archived == room.archived)
                && one.visibility.is_none_or(|visibility| visibility == room.visibility)
        }),
        Command::RoomJoin(one) | Command::RoomLeave(one) if is_of(one.conversation) => {
            is_about(stored, Some(&evidence.people[who]))
        }
        Command::RoomAdd(one) | Command::RoomRemove(one) if is_of(one.conversation) => is_about(stored, uid(&one.user)),
        Command::RoomRole(one) if is_of(one.conversation) => is_about(stored, uid(&one.user)),
        _ => false,
    }
}

/// Whether an event says where somebody is in a room: it is about them, or the room has begun with them.
fn is_about(stored: &Raw, user: Option<&Uid>) -> bool {
    match stored.subject {
        Some(Subject::Rooms(about)) => Some(&about) == user,
        Some(Subject::Room(_)) => true,
        _ => false,
    }
}

/// Whoever watches, or comes late with a position that is not too old, is told what they missed, and not to read it again.
fn resumed(reading: &Reading, verdict: &mut Verdict) {
    if !matches!(reading.device, Device::Eye | Device::Latecomer) {
        return;
    }
    for note in reading.notes.iter().skip(1) {
        if let Note::Reset(seq) | Note::OtherLog(seq) = note {
            verdict.found(Checker::Acknowledged, || {
                format!("person {}'s {:?} was told to read again at {seq}", reading.person, reading.device)
            });
        }
    }
}

/// Between what somebody heard, nothing is missing that was theirs to hear.
fn heard(evidence: &Evidence, reading: &Reading, expected: &[Expected], verdict: &mut Verdict) {
    let me = evidence.people[reading.person];
    // A device that does things is answered in place of its own events.
    let may_miss = |one: &Expected| reading.device == Device::Hand && one.actor == me;
    let mut missing = |upto: u64, seq: u64| {
        let from = expected.partition_point(|one| one.seq <= upto);
        for one in expected[from..].iter().take_while(|one| one.seq < seq).filter(|one| !may_miss(one)) {
            verdict.found(Checker::Acknowledged, || {
                format!("person {}'s {:?} never heard {:?} {}", reading.person, reading.device, one.kind, one.seq)
            });
        }
    };
    let mut upto = None;
    for note in &reading.notes {
        match *note {
            Note::Reset(seq) | Note::OtherLog(seq) => upto = Some(seq),
            Note::Heard(heard) => {
                missing(upto.unwrap_or(heard.seq), heard.seq);
                upto = upto.max(Some(heard.seq));
            }
            Note::Complete(seq) => {
                missing(upto.unwrap_or(seq), seq + 1);
                upto = upto.max(Some(seq));
            }
        }
    }
}

fn in_the_tables(evidence: &Evidence, model: &Model, verdict: &mut Verdict) {
    let texts = texts(evidence);
    let rows: HashMap<u64, _> = evidence.tables.messages.iter().map(|row| (row.seq, row)).collect();
    let mut known = HashSet::new();
    for (conversation, messages) in &model.messages {
        for message in messages {
            known.insert(message.seq);
            let Some(row) = rows.get(&message.seq) else {
                verdict.found(Checker::Acknowledged, || format!("message {} is not in PostgreSQL", message.seq));
                continue;
            };
            let is_it = row.conversation == *conversation && row.sender == message.sender && row.id == message.id;
            let last = message.edits.last().map_or(message.id, |(_, id)| *id);
            let right = row.deleted == message.deleted.is_some()
                && (row.deleted || texts.get(&(message.sender, last)).is_none_or(|text| *text == row.said));
            if !is_it || !right {
                verdict.found(Checker::Acknowledged, || format!("PostgreSQL has {row:?} for {message:?}"));
            }
        }
    }
    for row in evidence.tables.messages.iter().filter(|row| !known.contains(&row.seq)) {
        verdict.found(Checker::Order, || format!("PostgreSQL has {row:?}, and the stream has not"));
    }
    if let Some(differences) = &evidence.unverified {
        verdict.found(Checker::Order, || format!("the tables are not what a replay of the log gives:\n{differences}"));
    }
    if evidence.tables.dead_letters > 0 {
        verdict.found(Checker::Acknowledged, || format!("{} dead letters", evidence.tables.dead_letters));
    }
}

/// What people said, by who and under which id.
pub fn texts(evidence: &Evidence) -> HashMap<(natter_events::Uid, ClientId), crate::record::Said> {
    let all = evidence.recording.calls.iter().chain(&evidence.recording.undone);
    let calls = all.filter(|call| matches!(call.outcome, Outcome::Done { .. }));
    let whose = |call: &crate::record::Call| (evidence.people[call.person], call.command.id());
    calls.filter_map(|call| Some((whose(call), crate::record::asks(&call.command)?))).collect()
}
