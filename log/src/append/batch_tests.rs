//! The rules of group commit, without a broker.

use proptest::prelude::*;
use tokio::sync::oneshot::Receiver;

use super::super::queue::tests::append;
use super::super::queue::{Intake, Queue, bounded};
use super::super::{Append, Outcome};
use super::*;

const ADAPTIVE: GroupCommit = GroupCommit::Adaptive { plain: 10, max_batch_messages: 1000, max_batch_bytes: 1 << 20 };

struct Bench {
    queue: Queue,
    intake: Intake,
    sequencer: Sequencer,
}

impl Bench {
    fn new(group_commit: GroupCommit) -> Bench {
        let (queue, intake) = bounded(100_000, 1 << 30);
        let sequencer = Sequencer::new(Limits::new(group_commit, true, 50));
        Bench { queue, intake, sequencer }
    }

    fn push(&mut self, append: Append) -> Receiver<Outcome> {
        let outcome = self.queue.push(vec![], append, None).expect("there is room");
        self.sequencer.push(self.intake.try_recv().expect("it is queued"));
        outcome
    }

    fn push_many(&mut self, count: usize) -> Vec<Receiver<Outcome>> {
        (0..count).map(|i| self.push(append(&format!("id{i}"), None))).collect()
    }

    /// Sends all that may be sent, and says how: 1 for a plain one, n for a batch.
    fn send_all(&mut self) -> Vec<(u64, usize)> {
        let mut sent = Vec::new();
        while let Some(step) = self.sequencer.next_step() {
            let token = self.sequencer.next_token();
            let items = match step {
                Step::Plain(item) => vec![item],
                Step::Batch(items) => items,
            };
            sent.push((token, items.len()));
            self.sequencer.sent(items, token + 1, Instant::now());
        }
        sent
    }
}

fn stored(seq: u64) -> Answer {
    Answer::Stored { seq, duplicate: false, count: None }
}

fn batch_stored(seq: u64, count: u64) -> Answer {
    Answer::Stored { seq, duplicate: false, count: Some(count) }
}

fn refused(code: u64) -> Answer {
    Answer::Refused { code, description: "wrong last sequence: 7".into() }
}

fn seqs(outcomes: Vec<Receiver<Outcome>>) -> Vec<u64> {
    outcomes.into_iter().map(|outcome| outcome.blocking_recv().expect("answered").expect("stored").seq).collect()
}

#[test]
fn up_to_ten_go_one_by_one_pipelined() {
    let mut bench = Bench::new(ADAPTIVE);
    let outcomes = bench.push_many(10);
    let sent = bench.send_all();
    assert_eq!(sent.iter().map(|(_, n)| *n).collect::<Vec<_>>(), [1; 10]);
    for (token, _) in sent {
        bench.sequencer.note(token, stored(token + 100));
    }
    assert_eq!(seqs(outcomes), (100..110).collect::<Vec<_>>());
    assert!(bench.sequencer.is_idle());
}

#[test]
fn more_go_in_one_batch_and_nothing_after_it_until_it_is_answered() {
    let mut bench = Bench::new(ADAPTIVE);
    let mut outcomes = bench.push_many(25);
    assert_eq!(bench.send_all(), [(0, 25)]);
    outcomes.push(bench.push(append("later", None)));
    assert_eq!(bench.send_all(), []);
    assert_eq!(bench.sequencer.note(0, batch_stored(125, 25)), Noted::Answered);
    assert_eq!(bench.send_all(), [(1, 1)]);
    bench.sequencer.note(1, stored(126));
    assert_eq!(seqs(outcomes), (101..=126).collect::<Vec<_>>());
}

#[test]
fn a_batch_is_bounded_in_messages_and_in_bytes() {
    let mut bench = Bench::new(ADAPTIVE);
    let _outcomes = bench.push_many(1500);
    assert_eq!(bench.send_all(), [(0, 1000)]);

    // Ten bytes each.
    let small = GroupCommit::Adaptive { plain: 10, max_batch_messages: 1000, max_batch_bytes: 205 };
    let mut bench = Bench::new(small);
    let _outcomes = bench.push_many(100);
    assert_eq!(bench.send_all(), [(0, 20)]);
}

#[test]
fn an_expectation_is_never_batched_and_keeps_its_place() {
    let mut bench = Bench::new(ADAPTIVE);
    let before: Vec<_> = (0..12).map(|i| bench.push(append(&format!("a{i}"), None))).collect();
    let guarded = bench.push(append("guarded", Some(0)));
    let after: Vec<_> = (0..12).map(|i| bench.push(append(&format!("b{i}"), None))).collect();
    assert_eq!(bench.send_all(), [(0, 12)]);
    bench.sequencer.note(0, batch_stored(12, 12));
    // The guarded one alone; behind it the rest may go at once, for the broker takes them in order.
    assert_eq!(bench.send_all(), [(1, 1), (2, 12)]);
    bench.sequencer.note(1, stored(13));
    bench.sequencer.note(2, batch_stored(25, 12));
    assert_eq!(seqs(before), (1..=12).collect::<Vec<_>>());
    assert_eq!(seqs(vec![guarded]), [13]);
    assert_eq!(seqs(after), (14..=25).collect::<Vec<_>>());
}

#[test]
fn repeats_of_an_id_are_taken_out_of_a_batch_and_answered_with_the_first() {
    let mut bench = Bench::new(ADAPTIVE);
    let mut outcomes = bench.push_many(12);
    outcomes.push(bench.push(append("id3", None)));
    outcomes.push(bench.push(append("id3", None)));
    assert_eq!(bench.send_all(), [(0, 12)]);
    bench.sequencer.note(0, batch_stored(12, 12));
    let outcomes: Vec<_> = outcomes.into_iter().map(|outcome| outcome.blocking_recv().expect("answered")).collect();
    assert_eq!(outcomes[3], Ok(Appended { seq: 4, duplicate: false }));
    assert_eq!(outcomes[12], Ok(Appended { seq: 4, duplicate: true }));
    assert_eq!(outcomes[13], Ok(Appended { seq: 4, duplicate: true }));
}

#[test]
fn a_refused_batch_is_halved_until_single_answers_tell() {
    let mut bench = Bench::new(ADAPTIVE);
    let outcomes = bench.push_many(40);
    assert_eq!(bench.send_all(), [(0, 40)]);
    assert_eq!(bench.sequencer.note(0, refused(10201)), Noted::Halved);
    assert_eq!(bench.send_all(), [(1, 20)]);
    bench.sequencer.note(1, batch_stored(20, 20));
    // The one that is refused is in the second half.
    assert_eq!(bench.send_all(), [(2, 20)]);
    assert_eq!(bench.sequencer.note(2, refused(10201)), Noted::Halved);
    let singles = bench.send_all();
    assert_eq!(singles.len(), 10);
    for (token, count) in singles {
        assert_eq!(count, 1);
        let answer = match token {
            5 => Answer::Stored { seq: 3, duplicate: true, count: None },
            _ => stored(token + 18 - u64::from(token > 5)),
        };
        bench.sequencer.note(token, answer);
    }
    let rest = bench.send_all();
    assert_eq!(rest.len(), 10, "the other half, plain too");
    for (token, _) in rest {
        bench.sequencer.note(token, stored(token + 17));
    }
    let outcomes: Vec<_> =
        outcomes.into_iter().map(|outcome| outcome.blocking_recv().expect("answered").expect("stored")).collect();
    assert_eq!(outcomes[22], Appended { seq: 3, duplicate: true });
    let fresh: Vec<u64> = outcomes.iter().filter(|appended| !appended.duplicate).map(|a| a.seq).collect();
    assert_eq!(fresh, (1..=39).collect::<Vec<_>>());
}

#[test]
fn without_permission_to_batch_it_goes_on_one_by_one() {
    let mut bench = Bench::new(ADAPTIVE);
    let _outcomes = bench.push_many(30);
    assert_eq!(bench.send_all(), [(0, 30)]);
    bench.sequencer.note(0, refused(10174));
    assert_eq!(bench.send_all().iter().map(|(_, n)| *n).collect::<Vec<_>>(), [1; 10]);
}

#[test]
fn what_can_have_been_read_is_unknown_and_the_rest_is_unavailable() {
    let mut bench = Bench::new(ADAPTIVE);
    let mut outcomes = bench.push_many(10);
    bench.send_all();
    outcomes.push(bench.push(append("waiting", None)));
    // Each ends at its token + 1: three of them are wholly written.
    assert_eq!(bench.sequencer.lose(3), (3, 8));
    let errors: Vec<_> =
        outcomes.into_iter().map(|outcome| outcome.blocking_recv().expect("answered").expect_err("lost")).collect();
    assert_eq!(errors[..3], [const { AppendError::Unknown }; 3]);
    assert_eq!(errors[3..], [const { AppendError::Unavailable }; 8]);
    assert!(bench.sequencer.is_idle());
    // Late answers of the old line must not be taken for answers to what is sent next.
    let outcome = bench.push(append("next", None));
    assert_eq!(bench.send_all(), [(10, 1)]);
    bench.sequencer.note(4, stored(99));
    bench.sequencer.note(10, stored(5));
    assert_eq!(seqs(vec![outcome]), [5]);
}

#[test]
fn refusals_say_what_they_are() {
    let cases = [
        (10071, AppendError::WrongLast { expected: 3, last: 7 }),
        (10054, AppendError::TooLarge),
        (10047, AppendError::Full),
        (10008, AppendError::Unavailable),
        (10060, AppendError::Refused { code: 10060, description: "wrong last sequence: 7".into() }),
    ];
    for (code, expected) in cases {
        let mut bench = Bench::new(ADAPTIVE);
        let outcome = bench.push(append("a", Some(3)));
        bench.send_all();
        bench.sequencer.note(0, refused(code));
        assert_eq!(outcome.blocking_recv(), Ok(Err(expected)), "{code}");
    }
    assert_eq!(refusal(10077, "maximum bytes exceeded".into(), None), AppendError::Full);
    let broken = refusal(10077, "write failed: input/output error".into(), None);
    assert!(matches!(broken, AppendError::Refused { code: 10077, .. }), "{broken:?}");
}

#[test]
fn an_absurd_answer_ends_the_line_with_the_outcome_unknown() {
    let mut bench = Bench::new(ADAPTIVE);
    let outcomes = bench.push_many(20);
    bench.send_all();
    assert_eq!(bench.sequencer.note(0, batch_stored(20, 19)), Noted::Absurd);
    for outcome in outcomes {
        assert_eq!(outcome.blocking_recv(), Ok(Err(AppendError::Unknown)));
    }
}

proptest! {
    /// Whatever is refused and however it is cut, what is stored is stored in the order of the calls, each once.
    #[test]
    fn order_of_calls_is_order_in_the_log(
        guarded in proptest::collection::vec(prop::bool::weighted(0.05), 1..300),
        refusals in proptest::collection::vec(prop::bool::weighted(0.3), 400),
        chunk in 1usize..60,
    ) {
        let mut bench = Bench::new(ADAPTIVE);
        let mut refusals = refusals.into_iter();
        let mut log: Vec<String> = Vec::new();
        let mut in_flight: VecDeque<(u64, Vec<String>)> = VecDeque::new();
        let mut outcomes = Vec::new();
        let mut pushed = 0;
        while pushed < guarded.len() || !bench.sequencer.is_idle() {
            for _ in 0..chunk.min(guarded.len() - pushed) {
                let id = format!("id{pushed}");
                outcomes.push(bench.push(append(&id, guarded[pushed].then_some(0))));
                pushed += 1;
            }
            while let Some(step) = bench.sequencer.next_step() {
                let token = bench.sequencer.next_token();
                let items = match step {
                    Step::Plain(item) => vec![item],
                    Step::Batch(items) => items,
                };
                prop_assert!(items.len() == 1 || items.iter().all(|i| i.append.expected_last.is_none()));
                in_flight.push_back((token, items.iter().map(|i| i.append.message_id.clone()).collect()));
                bench.sequencer.sent(items, 0, Instant::now());
            }
            // The broker takes them in order.
            while let Some((token, ids)) = in_flight.pop_front() {
                if ids.len() > 1 && refusals.next().unwrap_or(false) {
                    prop_assert_eq!(bench.sequencer.note(token, refused(10201)), Noted::Halved);
                } else {
                    let count = (ids.len() > 1).then_some(ids.len() as u64);
                    log.extend(ids);
                    let seq = log.len() as u64;
                    bench.sequencer.note(token, Answer::Stored { seq, duplicate: false, count });
                }
            }
        }
        prop_assert_eq!(&log, &(0..guarded.len()).map(|i| format!("id{i}")).collect::<Vec<_>>());
        prop_assert_eq!(seqs(outcomes), (1..=guarded.len() as u64).collect::<Vec<_>>());
    }
}

#[test]
fn d5_with_several_brokers_a_lost_race_is_one_to_try_again() {
    for (code, lasting) in [(10071, false), (10164, false), (10158, false), (10176, false), (10999, true)] {
        let error = refusal(code, "wrong last sequence: 7".into(), Some(3));
        assert_eq!(matches!(error, AppendError::Refused { .. }), lasting, "{code}: {error:?}");
    }
    assert!(matches!(refusal(10164, String::new(), Some(3)), AppendError::WrongLast { expected: 3, .. }));
}
