//! What was sent, answered and received, so that every loss, repetition and disorder is found, in memory that depends on
//! what is open and not on how much was sent.
//!
//! Every message carries its flow and a number, counted from 0 in each flow. The receiver keeps the next number and the gaps
//! before it; the sender keeps what is not acknowledged. At the end a number that is missing there and not open here was
//! lost.

use std::collections::{BTreeSet, HashMap, VecDeque};

use natter_protocol::ErrorCode;

/// Gaps that one flow keeps; what is older counts as lost when there are more.
const MAX_GAPS: usize = 100_000;

/// A message in the making: what makes it the same one when it is sent again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Letter {
    pub flow: usize,
    pub number: u64,
    /// When it was due, counted from the run's origin.
    pub due_ns: u64,
}

impl Letter {
    /// The text that carries it, padded to `bytes`.
    pub fn text(&self, run: u32, bytes: usize) -> String {
        let mut text = format!("load {run:08x} {} {} {} ", self.flow, self.number, self.due_ns);
        while text.len() < bytes {
            text.push(char::from(b'a' + (text.len() % 26) as u8));
        }
        text
    }

    /// The letter that a text of this run carries.
    pub fn read(text: &str, run: u32) -> Option<Self> {
        let mut words = text.split(' ');
        if words.next() != Some("load") || u32::from_str_radix(words.next()?, 16) != Ok(run) {
            return None;
        }
        let mut number = || words.next()?.parse().ok();
        let (flow, number, due_ns): (u64, u64, u64) = (number()?, number()?, number()?);
        Some(Self { flow: usize::try_from(flow).ok()?, number, due_ns })
    }
}

/// What became of one message that a session received.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Received {
    Once,
    Again,
}

/// The receiving side of one flow.
#[derive(Debug, Default)]
pub struct Inbox {
    next: u64,
    gaps: BTreeSet<u64>,
    given_up: u64,
}

impl Inbox {
    pub fn receive(&mut self, number: u64) -> Received {
        if number >= self.next {
            for missing in self.next..number {
                self.gaps.insert(missing);
                if self.gaps.len() > MAX_GAPS {
                    self.gaps.pop_first();
                    self.given_up += 1;
                }
            }
            self.next = number + 1;
            return Received::Once;
        }
        if self.gaps.remove(&number) { Received::Once } else { Received::Again }
    }

    /// How many of the first `sent` numbers were lost: not received, and not among those whose sender has no `ok` for them.
    pub fn lost(&self, sent: u64, open: impl Fn(u64) -> bool) -> u64 {
        let missing = self.gaps.iter().copied().chain(self.next..sent);
        self.given_up + missing.filter(|number| !open(*number)).count() as u64
    }
}

/// Where one session is in the log: what it gets comes with growing seqs (EVT1, EVT2).
#[derive(Debug, Default)]
pub struct Place {
    seq: u64,
}

impl Place {
    /// Whether an event or `ok` at `seq` comes in its place.
    pub fn advance(&mut self, seq: u64) -> bool {
        let in_order = seq > self.seq;
        self.seq = self.seq.max(seq);
        in_order
    }
}

/// The sending side of one user.
#[derive(Debug, Default)]
pub struct Outbox {
    /// What is on its way, by reference from `first` on. Answered ones in between are `None`.
    on_the_way: VecDeque<Option<OnTheWay>>,
    first: u64,
    open: usize,
    /// Refused for good: never in the log, so not to be missed.
    refused: HashMap<usize, BTreeSet<u64>>,
}

/// A message that was sent and has no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OnTheWay {
    pub letter: Letter,
    pub id: natter_events::ClientId,
    /// It was addressed by the conversation's id, and has to be again: the same id is the same message.
    pub by_conversation: bool,
}

impl Outbox {
    /// Notes a message and gives the reference to send it with.
    pub fn add(&mut self, message: OnTheWay) -> u64 {
        self.on_the_way.push_back(Some(message));
        self.open += 1;
        self.first + self.on_the_way.len() as u64 - 1
    }

    /// How many have no answer.
    pub fn open(&self) -> usize {
        self.open
    }

    pub fn get(&self, reference: u64) -> Option<OnTheWay> {
        *self.on_the_way.get(usize::try_from(reference.checked_sub(self.first)?).ok()?)?
    }

    /// Takes out what an `ok` answers.
    pub fn answered(&mut self, reference: u64) -> Option<OnTheWay> {
        let index = usize::try_from(reference.checked_sub(self.first)?).ok()?;
        let message = self.on_the_way.get_mut(index)?.take()?;
        self.open -= 1;
        while self.on_the_way.front() == Some(&None) {
            self.on_the_way.pop_front();
            self.first += 1;
        }
        Some(message)
    }

    /// Takes out what was refused for good.
    pub fn refused(&mut self, reference: u64) -> Option<OnTheWay> {
        let message = self.answered(reference)?;
        self.refused.entry(message.letter.flow).or_default().insert(message.letter.number);
        Some(message)
    }

    /// What has no answer, with its references: to be sent again on a new connection.
    pub fn unanswered(&self) -> impl Iterator<Item = (u64, OnTheWay)> + '_ {
        (self.first..).zip(&self.on_the_way).filter_map(|(reference, message)| Some((reference, (*message)?)))
    }

    /// Everything that is not acknowledged, refused or unanswered, by flow.
    pub fn into_open(self) -> HashMap<usize, BTreeSet<u64>> {
        let mut open = self.refused;
        for message in self.on_the_way.into_iter().flatten() {
            open.entry(message.letter.flow).or_default().insert(message.letter.number);
        }
        open
    }
}

/// Whether a refusal is worth another try.
pub fn is_temporary(code: &str) -> bool {
    [ErrorCode::RateLimited, ErrorCode::Unavailable].iter().any(|temporary| temporary.as_str() == code)
}

#[cfg(test)]
mod tests {
    use natter_events::ClientId;

    use super::*;

    fn message(flow: usize, number: u64) -> OnTheWay {
        OnTheWay { letter: Letter { flow, number, due_ns: 0 }, id: ClientId::at(number), by_conversation: false }
    }

    #[test]
    fn a_letter_reads_back_from_its_text_and_from_no_other() {
        let letter = Letter { flow: 7, number: 1_234_567, due_ns: 3_600_000_000_000 };
        let text = letter.text(0xbeef, 100);
        assert_eq!(text.len(), 100);
        assert_eq!(natter_protocol::text::check_message(&text), Ok(()));
        assert_eq!(Letter::read(&text, 0xbeef), Some(letter));
        assert_eq!(Letter::read(&letter.text(0xbeef, 1), 0xbeef), Some(letter), "too short to be padded");
        for other in ["", "load", "load 0000beef 1 2", "hello load 0000beef 1 2 3", "load 0000beef -1 2 3 "] {
            assert_eq!(Letter::read(other, 0xbeef), None, "{other}");
        }
        assert_eq!(Letter::read(&text, 0xbee0), None, "of another run");
    }

    #[test]
    fn every_number_counts_once_whatever_the_order() {
        let mut inbox = Inbox::default();
        let seen: Vec<_> = [0, 1, 4, 2, 2, 3, 0, 5].iter().map(|number| inbox.receive(*number)).collect();
        use Received::{Again, Once};
        assert_eq!(seen, [Once, Once, Once, Once, Again, Once, Again, Once]);
        assert_eq!(inbox.lost(6, |_| false), 0);
        assert!(inbox.gaps.is_empty());
    }

    #[test]
    fn what_was_acknowledged_and_never_came_is_lost() {
        let mut inbox = Inbox::default();
        for number in [0, 2, 5] {
            inbox.receive(number);
        }
        assert_eq!(inbox.lost(8, |_| false), 5, "1, 3, 4, 6 and 7");
        assert_eq!(inbox.lost(8, |number| number == 3 || number == 7), 3, "two were never acknowledged");
        assert_eq!(Inbox::default().lost(10, |_| false), 10);
    }

    #[test]
    fn gaps_are_bounded_and_still_lost() {
        let mut inbox = Inbox::default();
        inbox.receive(MAX_GAPS as u64 + 10);
        assert_eq!(inbox.gaps.len(), MAX_GAPS);
        assert_eq!(inbox.lost(MAX_GAPS as u64 + 11, |_| false), MAX_GAPS as u64 + 10);
    }

    #[test]
    fn evt1_seqs_of_a_session_grow() {
        let mut place = Place::default();
        let in_order: Vec<_> = [3, 4, 9, 9, 8, 10].iter().map(|seq| place.advance(*seq)).collect();
        assert_eq!(in_order, [true, true, true, false, false, true]);
    }

    #[test]
    fn answers_in_any_order_leave_only_what_is_open() {
        let mut outbox = Outbox::default();
        let references: Vec<_> = (0..5).map(|number| outbox.add(message(1, number))).collect();
        let number = |message: Option<OnTheWay>| message.map(|message| message.letter.number);
        assert_eq!(number(outbox.answered(references[1])), Some(1));
        assert_eq!(number(outbox.answered(references[1])), None, "once");
        assert_eq!(number(outbox.refused(references[0])), Some(0));
        assert_eq!(outbox.on_the_way.len(), 3, "the front is let go");
        assert_eq!(outbox.open(), 3);
        assert_eq!((number(outbox.get(references[0])), number(outbox.get(references[2]))), (None, Some(2)));
        let again: Vec<_> = outbox.unanswered().map(|(reference, _)| reference).collect();
        assert_eq!(again, references[2..]);
        assert_eq!(outbox.answered(99), None);
        let open = outbox.into_open();
        assert_eq!(open[&1], BTreeSet::from([0, 2, 3, 4]));
    }

    #[test]
    fn memory_does_not_grow_with_what_was_sent() {
        let (mut outbox, mut inbox) = (Outbox::default(), Inbox::default());
        for number in 0..1_000_000 {
            let reference = outbox.add(message(0, number));
            outbox.answered(reference);
            inbox.receive(number);
        }
        assert!(outbox.on_the_way.capacity() < 64 && inbox.gaps.is_empty());
    }
}
