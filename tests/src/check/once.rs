//! None is there twice: not in the stream, nor for any reader.

use std::collections::HashMap;

use natter_events::Event;

use super::{Checker, Evidence, Verdict};
use crate::record::Note;

pub fn check(evidence: &Evidence, verdict: &mut Verdict) {
    in_the_stream(evidence, verdict);
    for reading in &evidence.recording.readings {
        let (mut last, mut seen) = (0, std::collections::HashSet::new());
        for note in &reading.notes {
            if let Note::Heard(heard) = note {
                // What comes again in a row or later, but for after a reset.
                if !seen.insert(heard.seq) {
                    verdict.found(Checker::Once, || {
                        format!(
                            "person {}'s {:?} heard {} twice, after {last}",
                            reading.person, reading.device, heard.seq
                        )
                    });
                }
                last = heard.seq;
            }
        }
    }
    let mut rows = HashMap::new();
    for row in &evidence.tables.messages {
        if let Some(other) = rows.insert((row.sender, row.id), row.seq) {
            verdict.found(Checker::Once, || format!("PostgreSQL has {:?} at {other} and at {}", row.id, row.seq));
        }
    }
    for (whose, items) in &evidence.pages {
        for pair in items.iter().flatten().collect::<Vec<_>>().windows(2) {
            if pair[0].seq == pair[1].seq {
                verdict.found(Checker::Once, || format!("{whose:?}: {} is on the pages twice", pair[0].seq));
            }
        }
    }
}

/// One command is one event; of what is stored in several at once, one of each kind.
fn in_the_stream(evidence: &Evidence, verdict: &mut Verdict) {
    let mut stored = HashMap::new();
    for raw in &evidence.raw {
        let Some(id) = raw.id else { continue };
        // A room begins with several who are in it.
        let about = matches!(raw.event, Event::MembershipChanged(_)).then_some(raw.subject);
        if let Some(first) = stored.insert((raw.actor, id, raw.event.kind(), about), raw.seq) {
            verdict.found(Checker::Once, || {
                format!("{} {id} of {:?} is stored at {first} and at {}", raw.event.kind(), raw.actor, raw.seq)
            });
        }
    }
}
