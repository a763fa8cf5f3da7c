use natter_protocol::ErrorCode;
use natter_protocol::frame::To;

use super::*;

fn send(n: u64) -> Command {
    let to = To::Participants(vec!["bob".parse().expect("a handle")]);
    Command::Send(Send {
        reference: None,
        to,
        id: ClientId::at(n),
        text: n.to_string(),
        reply_to: None,
        thread: None,
        metadata: None,
    })
}

/// An outbox with its references.
struct Bench {
    outbox: Outbox,
    references: u64,
}

impl Bench {
    fn new(capacity: usize, window: usize) -> Self {
        Self { outbox: Outbox::new(capacity, window), references: 0 }
    }

    fn holding(window: usize, commands: u64) -> Self {
        let mut bench = Self::new(100, window);
        for n in 1..=commands {
            bench.outbox.push(send(n)).expect("room");
        }
        bench
    }

    /// The texts that go out now, with their references.
    fn due(&mut self, now_ms: u64) -> Vec<(u64, String)> {
        let references = &mut self.references;
        let frames = self.outbox.take_due(now_ms, || {
            *references += 1;
            *references
        });
        let text = |frame| match frame {
            ClientFrame::Send(send) => (send.reference.expect("a reference"), send.text),
            other => panic!("{other:?}"),
        };
        frames.into_iter().map(text).collect()
    }

    fn ok(&mut self, reference: u64) -> Option<String> {
        let ok = frame::Ok { reference: Some(reference), seq: Some(1), ..Default::default() };
        self.outbox.answered(&ok).map(|(command, _)| text(&command))
    }

    fn error(&mut self, reference: u64, code: ErrorCode, retry_after_ms: Option<u64>) -> Option<String> {
        let refusal = Refusal { retry_after_ms, ..Refusal::new(Some(reference), code, "no") };
        self.outbox.refused(&refusal, 1_000).map(|(command, _)| text(&command))
    }
}

fn text(command: &Command) -> String {
    match command {
        Command::Send(send) => send.text.clone(),
        Command::Mark(mark) => mark.read.to_string(),
        other => panic!("{other:?}"),
    }
}

fn due(pairs: &[(u64, &str)]) -> Vec<(u64, String)> {
    pairs.iter().map(|(reference, text)| (*reference, (*text).to_owned())).collect()
}

#[test]
fn frm5_one_at_a_time_keeps_the_order_whatever_is_refused() {
    let mut bench = Bench::holding(1, 3);
    assert_eq!(bench.due(0), due(&[(1, "1")]));
    assert_eq!(bench.due(0), []);
    assert_eq!(bench.error(1, ErrorCode::Unavailable, Some(200)), None);
    assert_eq!(bench.due(1_199), [], "the second does not overtake the first");
    assert_eq!(bench.due(1_200), due(&[(2, "1")]));
    assert_eq!(bench.ok(2).as_deref(), Some("1"));
    assert_eq!(bench.due(1_200), due(&[(3, "2")]));
}

#[test]
fn a_window_lets_several_be_on_their_way() {
    let mut bench = Bench::holding(2, 3);
    assert_eq!(bench.due(0), due(&[(1, "1"), (2, "2")]));
    assert_eq!(bench.ok(2).as_deref(), Some("2"));
    assert_eq!(bench.due(0), due(&[(3, "3")]));
    assert_eq!(bench.outbox.on_their_way(), 2);
}

#[test]
fn cmd2_after_a_reconnection_everything_unanswered_goes_again_with_the_same_id() {
    let mut bench = Bench::holding(3, 3);
    let ids: Vec<_> = bench.outbox.entries.iter().map(|entry| entry.command.id()).collect();
    bench.due(0);
    bench.ok(1);
    bench.outbox.disconnected();
    assert_eq!(bench.due(0), due(&[(4, "2"), (5, "3")]));
    let again: Vec<_> = bench.outbox.entries.iter().map(|entry| entry.command.id()).collect();
    assert_eq!(again, ids[1..]);
}

#[test]
fn an_answer_from_before_a_reconnection_settles_nothing() {
    let mut bench = Bench::holding(1, 1);
    bench.due(0);
    bench.outbox.disconnected();
    assert_eq!(bench.ok(1), None);
    assert_eq!(bench.outbox.len(), 1);
}

#[test]
fn cmd3_a_temporary_refusal_is_tried_again_when_the_server_says() {
    for code in [ErrorCode::RateLimited, ErrorCode::Unavailable] {
        let mut bench = Bench::holding(1, 1);
        bench.due(0);
        assert_eq!(bench.error(1, code, Some(4_000)), None);
        assert_eq!(bench.outbox.next_due_ms(), Some(5_000));
        assert_eq!(bench.due(5_000), due(&[(2, "1")]));
    }
}

#[test]
fn a_temporary_refusal_without_a_time_is_tried_again_after_longer_and_longer() {
    let mut bench = Bench::holding(1, 1);
    let mut waits = Vec::new();
    for _ in 0..10 {
        let now_ms = bench.outbox.next_due_ms().expect("due");
        let (reference, _) = bench.due(now_ms)[0].clone();
        bench.error(reference, ErrorCode::Unavailable, None);
        waits.push(bench.outbox.next_due_ms().expect("later") - 1_000);
    }
    assert_eq!(waits, [500, 1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000, 60_000]);
}

#[test]
fn a_permanent_refusal_settles_the_command_and_the_next_one_goes() {
    for code in ErrorCode::ALL.into_iter().filter(|code| !code.temporary()) {
        let mut bench = Bench::holding(1, 2);
        bench.due(0);
        assert_eq!(bench.error(1, code, None).as_deref(), Some("1"), "{code:?}");
        assert_eq!(bench.due(0), due(&[(2, "2")]));
    }
}

#[test]
fn a_full_outbox_takes_nothing_and_an_id_only_once() {
    let mut bench = Bench::new(2, 1);
    assert_eq!(bench.outbox.push(send(1)), Ok(()));
    let again = bench.outbox.entries[0].command.clone();
    assert_eq!(bench.outbox.push(again), Err(NotTaken::Repeated));
    assert_eq!(bench.outbox.push(send(2)), Ok(()));
    assert_eq!(bench.outbox.push(send(3)), Err(NotTaken::Full));
    bench.due(0);
    bench.ok(1);
    assert_eq!(bench.outbox.push(send(3)), Ok(()));
}

#[test]
fn answers_that_are_for_nobody_are_ignored() {
    let mut bench = Bench::holding(1, 1);
    bench.due(0);
    assert_eq!(bench.ok(77), None);
    assert_eq!(bench.error(77, ErrorCode::Conflict, None), None);
    assert!(bench.outbox.answered(&frame::Ok::default()).is_none());
    assert_eq!(bench.outbox.len(), 1);
}
