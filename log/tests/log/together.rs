//! Events that are stored all at once, next to each other, or none of them.

use natter_log::{Append, AppendError, Appended, Log, Stream};
use natter_testkit::Broker;

use crate::support::*;

fn state(id: &str, subject: &str, expected: u64) -> Append {
    Append { subject: subject.into(), expected_last: Some(expected), ..message(id) }
}

async fn last_seq(log: &Log) -> u64 {
    log.state(Stream::Chat).await.expect("the state").last_seq
}

#[tokio::test]
async fn d5_a_change_of_several_states_is_stored_whole_and_answered_with_its_last_seq() {
    let broker = Broker::start().await;
    let log = log_on(&broker).await;
    append(&log, "before").await;
    let events = |n: u64| {
        let [first, second] = [n, n].map(|n| if n == 0 { 0 } else { 2 * n });
        vec![
            state(&format!("a{n}"), "chat.user.u1.rooms", first),
            state(&format!("b{n}"), "chat.room.r1", if n == 0 { 0 } else { second + 1 }),
        ]
    };
    assert_eq!(log.append_together(events(0), None).await, Ok(Appended { seq: 3, duplicate: false }));
    assert_eq!(log.append_together(events(1), None).await, Ok(Appended { seq: 5, duplicate: false }));
    let [a, b] = ["chat.user.u1.rooms", "chat.room.r1"].map(|subject| log.last(Stream::Chat, subject));
    let (a, b) = (a.await.expect("read").expect("there"), b.await.expect("read").expect("there"));
    assert_eq!((a.seq, &*a.payload, b.seq, &*b.payload), (4, &b"payload of a1"[..], 5, &b"payload of b1"[..]));
    assert_eq!(log.next(Stream::Chat, "chat.room.r1", 3).await, Ok(Some(b)));
    assert_eq!(log.next(Stream::Chat, "chat.room.r1", 5).await, Ok(None));
}

#[tokio::test]
async fn d5_where_one_expectation_does_not_hold_nothing_is_stored() {
    let broker = Broker::start().await;
    let log = log_on(&broker).await;
    log.append(state("r", "chat.room.r1", 0)).await.expect("stored");
    for (of_user, of_room) in [(7, 1), (0, 0), (0, 9)] {
        let events = vec![state("a", "chat.user.u1.rooms", of_user), state("b", "chat.room.r1", of_room)];
        let refused = log.append_together(events, None).await.expect_err("refused");
        assert!(matches!(refused, AppendError::WrongLast { .. }), "{refused}");
    }
    assert_eq!(last_seq(&log).await, 1);
    assert_eq!(append(&log, "after").await.seq, 2, "the line goes on");
}

#[tokio::test]
async fn cmd2_what_was_stored_together_is_known_when_it_comes_again() {
    let broker = Broker::start().await;
    let log = log_on(&broker).await;
    let events = vec![state("a", "chat.user.u1.rooms", 0), state("b", "chat.room.r1", 0)];
    assert_eq!(log.append_together(events.clone(), None).await, Ok(Appended { seq: 2, duplicate: false }));
    assert_eq!(log.append_together(events.clone(), None).await, Ok(Appended { seq: 2, duplicate: true }));
    // The room has changed since: where the first copy stands, the subject's last event does not tell any more.
    log.append(state("c", "chat.room.r1", 2)).await.expect("stored");
    let again = vec![state("a", "chat.user.u1.rooms", 1), state("b", "chat.room.r1", 3)];
    assert_eq!(log.append_together(again, None).await, Err(AppendError::Repeated));
    assert_eq!(last_seq(&log).await, 3);
}

#[tokio::test]
async fn among_many_appends_each_keeps_its_place() {
    let broker = Broker::start().await;
    let log = log_on(&broker).await;
    let mut expected = Vec::new();
    let mut outcomes = Vec::new();
    let mut seq = 0;
    for n in 0..40 {
        for m in 0..20 {
            seq += 1;
            expected.push(seq);
            outcomes.push(log.append(message(&format!("m{n}.{m}"))));
        }
        let subject = |kind: &str| format!("chat.{kind}{n}");
        let events =
            vec![state(&format!("a{n}"), &subject("user.u"), 0), state(&format!("b{n}"), &subject("room.r"), 0)];
        seq += 2;
        expected.push(seq);
        outcomes.push(log.append_together(events, None));
    }
    let mut seqs = Vec::new();
    for outcome in outcomes {
        seqs.push(outcome.await.expect("stored").seq);
    }
    assert_eq!(seqs, expected);
}

#[tokio::test]
async fn what_can_not_be_stored_together_is_refused_at_once() {
    let broker = Broker::start().await;
    let log = log_on(&broker).await;
    let presence = Append { stream: Stream::Presence, subject: "presence.user.u1".into(), ..message("p") };
    let outside = Append { subject: "elsewhere".into(), ..message("o") };
    let many = (0..1_001).map(|n| state(&n.to_string(), &format!("chat.room.r{n}"), 0)).collect();
    for events in [vec![], vec![presence, message("a")], vec![outside, message("a")], many] {
        let refused = log.append_together(events, None).await;
        assert!(matches!(refused, Err(AppendError::Invalid { .. })), "{refused:?}");
    }
    assert_eq!(last_seq(&log).await, 0);
    let most = (0..1_000).map(|n| state(&n.to_string(), &format!("chat.room.r{n}"), 0)).collect();
    assert_eq!(log.append_together(most, None).await, Ok(Appended { seq: 1_000, duplicate: false }));
}
