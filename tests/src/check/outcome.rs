//! Every outcome told the truth: nothing that was reported as failed appears, nothing that was reported as done vanishes
//! (see `acknowledged`), the same command has one answer, and in the end nothing is unknown.

use std::collections::{HashMap, HashSet};

use natter_client::{ClientId, Command, ErrorCode};
use natter_events::Uid;

use super::model::Model;
use super::{Checker, Evidence, Verdict};
use crate::record::Outcome;

pub fn check(evidence: &Evidence, model: &Model, verdict: &mut Verdict) {
    let stored: HashSet<_> = evidence.raw.iter().filter_map(|raw| Some((raw.actor, raw.id?))).collect();
    let mut known = HashSet::new();
    let mut answers: HashMap<_, (u64, &Command)> = HashMap::new();
    for call in &evidence.recording.calls {
        let (id, who) = (call.command.id(), call.person);
        let whose = (evidence.people[who], id);
        known.insert(whose);
        match &call.outcome {
            Outcome::Unknown => {
                verdict.found(Checker::Outcome, || format!("what became of person {who}'s {id} was never told"));
            }
            Outcome::NotSent(why) => {
                verdict.found(Checker::Outcome, || format!("person {who}'s {id} was not sent: {why}"));
            }
            Outcome::Refused(code) => {
                if *code == ErrorCode::Internal {
                    verdict.found(Checker::Outcome, || format!("person {who}'s {id} was refused: {code:?}"));
                }
                // Something else under an id that was used is refused for that.
                let is_repeat = answers.contains_key(&whose);
                if is_repeat && *code != ErrorCode::Conflict {
                    verdict.found(Checker::Outcome, || {
                        format!("person {who}'s {id} was done, and then refused: {code:?}")
                    });
                }
                if !is_repeat && stored.contains(&whose) {
                    verdict.found(Checker::Outcome, || {
                        format!("person {who}'s {id} was refused ({code:?}), and is stored")
                    });
                }
            }
            // What changed nothing made no event, so that its id was never used.
            Outcome::Done { seq, .. } if !is_its_own(evidence, model, whose, *seq) => {}
            Outcome::Done { seq, duplicate, .. } => {
                if let Some((first, command)) = answers.get(&whose) {
                    let is_same = **command == call.command;
                    if !is_same {
                        verdict.found(Checker::Outcome, || format!("person {who}'s {id} was done twice, differently"));
                    }
                    if first != seq || !duplicate {
                        verdict.found(Checker::Outcome, || {
                            format!("person {who}'s {id} was answered {first} and then {seq}, duplicate: {duplicate}")
                        });
                    }
                } else {
                    answers.insert(whose, (*seq, &call.command));
                }
            }
        }
    }
    let undone = evidence.recording.undone.iter();
    known.extend(undone.map(|call| (evidence.people[call.person], call.command.id())));
    for raw in &evidence.raw {
        if let Some(id) = raw.id.filter(|id| !known.contains(&(raw.actor, *id))) {
            verdict.found(Checker::Outcome, || format!("{} {id} at {} was never asked for", raw.event.kind(), raw.seq));
        }
    }
}

/// Whether the event at `seq` is that of this command.
fn is_its_own(evidence: &Evidence, model: &Model, (who, id): (Uid, ClientId), seq: u64) -> bool {
    let stored = model.by_seq.get(&seq).map(|place| &evidence.raw[*place]);
    stored.is_none_or(|raw| raw.actor == who && raw.id == Some(id))
}
