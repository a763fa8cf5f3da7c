//! Every acknowledged command is there: in the stream at its place, and for every reader who should have it.

use std::collections::{HashMap, HashSet};

use natter_client::{ClientId, Command};

use super::model::{Expected, Model};
use super::{Checker, Evidence, Verdict};
use crate::record::{Device, Note, Outcome, Reading};

pub fn check(evidence: &Evidence, model: &Model, verdict: &mut Verdict) {
    in_the_stream(evidence, model, verdict);
    for reading in &evidence.recording.readings {
        heard(evidence, reading, &model.heard[reading.person], verdict);
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
        // What changes nothing is answered by the event that says so already.
        if !is_it && always_makes_an_event(&call.command) {
            verdict.found(Checker::Acknowledged, || {
                let (other, kind) = (stored.id, stored.event.kind());
                format!("person {who}'s {id} was acknowledged at {seq}, where there is {kind} {other:?}")
            });
        }
    }
}

/// Whether a command that is done is an event of its own, always.
fn always_makes_an_event(command: &Command) -> bool {
    matches!(command, Command::Send(_) | Command::Edit(_) | Command::RoomCreate(_))
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

/// What the texts are that people sent, by who and under which id.
pub fn texts(evidence: &Evidence) -> HashMap<(natter_events::Uid, ClientId), crate::record::Said> {
    let all = evidence.recording.calls.iter().chain(&evidence.recording.undone);
    let calls = all.filter(|call| matches!(call.outcome, Outcome::Done { .. }));
    let text = |call: &crate::record::Call| match &call.command {
        Command::Send(send) => Some(crate::record::said(&send.text)),
        Command::Edit(edit) => Some(crate::record::said(&edit.text)),
        _ => None,
    };
    calls.filter_map(|call| Some(((evidence.people[call.person], call.command.id()), text(call)?))).collect()
}
