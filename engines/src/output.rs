//! What an engine writes: line by line to whoever wants it, and the last lines kept for error reports.

use std::collections::VecDeque;
use std::io::{BufRead, BufReader, Read};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Where the lines of an engine go. It is called on a thread of its own and may block only briefly.
pub type LineSink = Arc<dyn Fn(&str) + Send + Sync>;

/// For engines that nobody listens to. The last lines are still kept.
pub fn discard_lines() -> LineSink {
    Arc::new(|_| {})
}

const KEPT_LINES: usize = 30;
const LINE_BYTES_MAX: u64 = 8 * 1024;

#[derive(Default)]
pub(crate) struct LastLines(Mutex<VecDeque<String>>);

impl LastLines {
    pub fn get(&self) -> Vec<String> {
        self.lock().iter().cloned().collect()
    }

    fn push(&self, line: &str) {
        let mut lines = self.lock();
        if lines.len() == KEPT_LINES {
            lines.pop_front();
        }
        lines.push_back(line.to_owned());
    }

    fn lock(&self) -> MutexGuard<'_, VecDeque<String>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Reads until the other end closes. An over-long line is handed on in pieces.
pub(crate) fn read_lines(pipe: impl Read, last: &LastLines, sink: &LineSink) {
    let mut reader = BufReader::new(pipe);
    let mut bytes = Vec::new();
    loop {
        bytes.clear();
        match reader.by_ref().take(LINE_BYTES_MAX).read_until(b'\n', &mut bytes) {
            Ok(0) | Err(_) => return,
            Ok(_) => {
                let text = String::from_utf8_lossy(&bytes);
                let line = text.trim_end();
                if !line.is_empty() {
                    last.push(line);
                    sink(line);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_handed_on_and_only_the_last_are_kept() {
        let seen = Arc::new(Mutex::new(Vec::new()));
        let sink: LineSink = {
            let seen = seen.clone();
            Arc::new(move |line| seen.lock().expect("lock").push(line.to_owned()))
        };
        let text: String = (0..100).map(|n| format!("line {n}\r\n\n")).collect();
        let last = LastLines::default();
        read_lines(text.as_bytes(), &last, &sink);
        assert_eq!(seen.lock().expect("lock").len(), 100);
        assert_eq!(last.get().len(), KEPT_LINES);
        assert_eq!(last.get().last().map(String::as_str), Some("line 99"));
    }

    #[test]
    fn bytes_that_are_not_text_and_endless_lines_do_no_harm() {
        let last = LastLines::default();
        let mut bytes = vec![0xff; 3 * LINE_BYTES_MAX as usize];
        bytes.extend_from_slice(b"\nend");
        read_lines(&bytes[..], &last, &discard_lines());
        assert_eq!(last.get().len(), 4);
        assert_eq!(last.get()[3], "end");
    }
}
