//! Pages are what the log says: as it was at their position while things went wrong, and all of it at the end.

use std::collections::HashMap;

use natter_client::{ClientId, ConversationId, ErrorCode};
use natter_events::Uid;

use super::model::{Message, Model};
use super::{Checker, Evidence, Verdict};
use crate::record::{Asked, Item, PageRead, Said};

pub fn check(evidence: &Evidence, model: &Model, verdict: &mut Verdict) {
    for (person, asked) in &evidence.recording.asked {
        match asked {
            Asked::List { at_least, position, .. } if position < at_least => {
                verdict.found(Checker::Order, || {
                    format!("person {person} asked for a list as of {at_least} and got {position}")
                });
            }
            // What history can't give now it says so of, and when to come again (HST2).
            Asked::Refused { code, retry_after } if code.temporary() && retry_after.is_none() => {
                verdict.found(Checker::Outcome, || format!("person {person} was refused ({code:?}) without a time"));
            }
            Asked::Refused { code: ErrorCode::Internal, .. } => {
                verdict.found(Checker::Outcome, || format!("history failed person {person}"));
            }
            _ => {}
        }
    }
    let texts = super::acknowledged::texts(evidence);
    for page in &evidence.recording.pages {
        if page.position.seq < page.at_least {
            verdict.found(Checker::Order, || {
                format!("person {} asked for {} and got {}", page.person, page.at_least, page.position.seq)
            });
        }
        let (reader, upto) = (evidence.people[page.person], page.position.seq);
        let expected = as_of(model, reader, page);
        let may_read = |seq| model.may_read(reader, page.conversation, seq, upto);
        compare(&expected, &page.items, upto, &texts, may_read, verdict, || {
            format!("person {}'s page of {} at {upto}", page.person, page.conversation)
        });
    }
    let head = evidence.raw.last().map_or(0, |last| last.seq);
    for ((person, conversation), items) in &evidence.pages {
        let reader = evidence.people[*person];
        let may_read = |seq| model.may_read(reader, *conversation, seq, head);
        let expected: Vec<_> = readable(model, reader, *conversation, head).collect();
        let Some(items) = items else {
            if !expected.is_empty() {
                verdict.found(Checker::Acknowledged, || {
                    format!(
                        "person {person} is refused {conversation}, of which {} messages are theirs",
                        expected.len()
                    )
                });
            }
            continue;
        };
        compare(&expected, items, head, &texts, may_read, verdict, || {
            format!("person {person}'s pages of {conversation}")
        });
    }
}

/// What a page should have had on it.
fn as_of<'a>(model: &'a Model, reader: Uid, page: &PageRead) -> Vec<&'a Message> {
    let shown = if page.is_all { usize::MAX } else { page.items.len() };
    readable(model, reader, page.conversation, page.position.seq).take(shown).collect()
}

/// Newest first, outside of threads.
fn readable(model: &Model, reader: Uid, conversation: ConversationId, upto: u64) -> impl Iterator<Item = &Message> {
    let messages = model.messages.get(&conversation).map(Vec::as_slice).unwrap_or_default();
    let said = &messages[..messages.partition_point(|message| message.seq <= upto)];
    let outside = said.iter().rev().filter(|message| message.thread.is_none());
    outside.filter(move |message| model.may_read(reader, conversation, message.seq, upto))
}

fn compare(
    expected: &[&Message],
    items: &[Item],
    upto: u64,
    texts: &HashMap<(Uid, ClientId), Said>,
    may_read: impl Fn(u64) -> bool,
    verdict: &mut Verdict,
    what: impl Fn() -> String,
) {
    let seqs = |items: &[Item]| items.iter().map(|item| item.seq).collect::<Vec<_>>();
    let wanted: Vec<u64> = expected.iter().map(|message| message.seq).collect();
    if seqs(items) != wanted {
        let found = seqs(items);
        let missing: Vec<_> = wanted.iter().filter(|seq| !found.contains(seq)).collect();
        let extra: Vec<_> = found.iter().filter(|seq| !wanted.contains(seq)).collect();
        let checker = if missing.is_empty() { Checker::Order } else { Checker::Acknowledged };
        verdict.found(checker, || format!("{}: {missing:?} are missing, {extra:?} should not be there", what()));
        return;
    }
    for (message, item) in expected.iter().zip(items) {
        let deleted = message.deleted.is_some_and(|seq| seq <= upto);
        // An edit that came after the page is not on it, nor one that the reader may not see.
        let last = message.edits.iter().rev().find(|(seq, _)| *seq <= upto && may_read(*seq));
        let last = last.map_or(message.id, |(_, id)| *id);
        let text_is_right = deleted || texts.get(&(message.sender, last)).is_none_or(|text| *text == item.said);
        if item.deleted != deleted || item.id != message.id || !text_is_right {
            verdict.found(Checker::Order, || format!("{}: {item:?} for {message:?}", what()));
        }
    }
}
