//! The queue in front of an appender's task: entered at once and in call order, bounded in items and in bytes.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::sync::{mpsc, oneshot};

use super::{Append, AppendError, Appended, Line, Outcome};

/// Appends that were accepted and not yet answered, against the bounds.
struct Budget {
    items: AtomicUsize,
    bytes: AtomicUsize,
    max_items: usize,
    max_bytes: usize,
}

pub(super) struct Queue {
    sender: mpsc::UnboundedSender<Waiting>,
    budget: Arc<Budget>,
}

pub(super) type Intake = mpsc::UnboundedReceiver<Waiting>;

/// An append that was accepted and must be answered.
pub(super) struct Waiting {
    pub(super) append: Append,
    /// What is stored right before it, or not at all without it.
    pub(super) before: Vec<Append>,
    /// Not to be sent over any other.
    pub(super) over: Option<Line>,
    reply: oneshot::Sender<Outcome>,
    /// Later appends with the same message id, that this one's answer also answers.
    repeats: Vec<Waiting>,
    _share: Share,
}

/// An append's share of the budget, given back when it is answered.
struct Share {
    budget: Arc<Budget>,
    bytes: usize,
}

pub(super) fn bounded(max_items: usize, max_bytes: usize) -> (Queue, Intake) {
    let (sender, intake) = mpsc::unbounded_channel();
    let budget = Budget { items: AtomicUsize::new(0), bytes: AtomicUsize::new(0), max_items, max_bytes };
    (Queue { sender, budget: Arc::new(budget) }, intake)
}

impl Queue {
    pub(super) fn push(
        &self,
        before: Vec<Append>,
        append: Append,
        over: Option<Line>,
    ) -> Result<oneshot::Receiver<Outcome>, AppendError> {
        let bytes = before.iter().map(|append| append.payload.len()).sum::<usize>() + append.payload.len();
        let share = Share::take(&self.budget, bytes)?;
        let (reply, outcome) = oneshot::channel();
        let waiting = Waiting { append, before, over, reply, repeats: Vec::new(), _share: share };
        self.sender.send(waiting).map_err(|_| AppendError::Unavailable)?;
        Ok(outcome)
    }
}

impl Share {
    fn take(budget: &Arc<Budget>, bytes: usize) -> Result<Share, AppendError> {
        // Counted first and looked at then, so that callers at the same time can't both find the last place.
        let share = Share { budget: budget.clone(), bytes };
        let items = budget.items.fetch_add(1, Ordering::Relaxed) + 1;
        let total = budget.bytes.fetch_add(bytes, Ordering::Relaxed) + bytes;
        if items > budget.max_items || total > budget.max_bytes {
            return Err(AppendError::QueueFull);
        }
        Ok(share)
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        self.budget.items.fetch_sub(1, Ordering::Relaxed);
        self.budget.bytes.fetch_sub(self.bytes, Ordering::Relaxed);
    }
}

impl Waiting {
    pub(super) fn answer(self, outcome: Outcome) {
        for repeat in self.repeats {
            repeat.answer(outcome.clone().map(|first| Appended { duplicate: true, ..first }));
        }
        // Nobody may be waiting any more.
        let _ = self.reply.send(outcome);
    }

    /// Whether nothing else may be in one batch with it.
    pub(super) fn is_alone(&self) -> bool {
        self.append.expected_last.is_some() || !self.before.is_empty()
    }

    pub(super) fn add_repeat(&mut self, repeat: Waiting) {
        self.repeats.push(repeat);
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::streams::Stream;
    use bytes::Bytes;

    pub(in crate::append) fn append(id: &str, expected_last: Option<u64>) -> Append {
        Append {
            stream: Stream::Chat,
            subject: "chat.user.u.message".into(),
            message_id: id.into(),
            payload: Bytes::from_static(b"0123456789"),
            expected_last,
        }
    }

    #[test]
    fn the_queue_is_bounded_in_items_and_in_bytes_and_gives_places_back() {
        let (queue, mut intake) = bounded(3, 25);
        let first = queue.push(vec![], append("a", None), None).expect("the first fits");
        let _second = queue.push(vec![], append("b", None), None).expect("the second fits");
        assert_eq!(queue.push(vec![], append("c", None), None).err(), Some(AppendError::QueueFull), "30 bytes of 25");
        intake.try_recv().expect("the first is queued").answer(Err(AppendError::Full));
        assert_eq!(first.blocking_recv(), Ok(Err(AppendError::Full)));
        let _third = queue.push(vec![], append("d", None), None).expect("a place was given back");

        let (queue, _intake) = bounded(1, 1000);
        let _first = queue.push(vec![], append("a", None), None).expect("the first fits");
        assert_eq!(queue.push(vec![], append("b", None), None).err(), Some(AppendError::QueueFull), "2 items of 1");
    }
}
