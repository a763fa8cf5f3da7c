//! All readers agree on one order, the stream's; nobody saw it go backwards, nor anything that was not theirs.

use super::model::{Expected, Model};
use super::{Checker, Evidence, Verdict};
use crate::record::{Note, Outcome, Reading};

pub fn check(evidence: &Evidence, model: &Model, verdict: &mut Verdict) {
    contiguous(evidence, verdict);
    let texts = super::acknowledged::texts(evidence);
    for reading in &evidence.recording.readings {
        forwards(reading, verdict);
        theirs(evidence, reading, &model.heard[reading.person], verdict);
        for note in &reading.notes {
            let Note::Heard(heard) = note else { continue };
            let Some(raw) = model.by_seq.get(&heard.seq).map(|place| &evidence.raw[*place]) else { continue };
            // What was deleted meanwhile is told without its words.
            let is_withdrawn = heard.said.is_none() && model.is_deleted(raw);
            if let Some(id) = heard.id
                && !is_withdrawn
                && texts.get(&(raw.actor, id)).is_some_and(|text| *text != heard.said)
            {
                verdict
                    .found(Checker::Order, || format!("person {} heard another text at {}", reading.person, heard.seq));
            }
        }
    }
    for (seq, since_ms) in &model.late {
        if *since_ms > evidence.lag_ms {
            verdict.found(Checker::Order, || {
                format!("{seq} was said in a room by somebody who was not in it ({since_ms} ms)")
            });
        }
    }
    in_the_order_of_calls(evidence, verdict);
}

fn contiguous(evidence: &Evidence, verdict: &mut Verdict) {
    for (pair, next) in evidence.raw.windows(2).map(|pair| (pair, pair[0].seq + 1)) {
        if pair[1].seq != next {
            verdict.found(Checker::Order, || format!("the stream goes from {} to {}", pair[0].seq, pair[1].seq));
        }
    }
}

fn forwards(reading: &Reading, verdict: &mut Verdict) {
    let mut upto = 0;
    for note in &reading.notes {
        let (seq, least) = match *note {
            Note::Heard(heard) => (heard.seq, upto + 1),
            Note::Complete(seq) | Note::Reset(seq) | Note::OtherLog(seq) => (seq, upto),
        };
        if seq < least {
            verdict.found(Checker::Order, || {
                format!("person {}'s {:?} was at {upto} and then at {note:?}", reading.person, reading.device)
            });
        }
        upto = upto.max(seq);
    }
}

/// Whatever somebody heard was theirs to hear, and told as what it is.
fn theirs(evidence: &Evidence, reading: &Reading, expected: &[Expected], verdict: &mut Verdict) {
    for note in &reading.notes {
        let Note::Heard(heard) = note else { continue };
        let found = expected.binary_search_by_key(&heard.seq, |one| one.seq).ok().map(|place| expected[place]);
        let is_it = found.is_some_and(|one| one.kind == heard.kind && (heard.id.is_none() || heard.id == one.id));
        if !is_it {
            verdict.found(Checker::Order, || {
                let stored = evidence.raw.iter().find(|raw| raw.seq == heard.seq);
                let stored = stored.map(|raw| (raw.event.kind(), raw.actor, raw.conversation));
                format!("person {}'s {:?} heard {heard:?}, and the log has {stored:?}", reading.person, reading.device)
            });
        }
    }
}

/// A person's hand does one thing after the other, so its own events are in the order in which it did them.
fn in_the_order_of_calls(evidence: &Evidence, verdict: &mut Verdict) {
    let mut last = vec![0; evidence.people.len()];
    for call in &evidence.recording.calls {
        let Outcome::Done { seq, duplicate: false, .. } = call.outcome else { continue };
        if !matches!(call.command, natter_client::Command::Send(_) | natter_client::Command::Edit(_)) {
            continue;
        }
        let last = &mut last[call.person];
        if seq <= *last {
            verdict.found(Checker::Order, || {
                format!("person {} did {} after what is at {last}, and it is at {seq}", call.person, call.command.id())
            });
        }
        *last = seq.max(*last);
    }
}
