//! The few words of the NATS protocol that appending needs, as bytes.

use bytes::{Buf, Bytes, BytesMut};
use serde::Deserialize;
use std::fmt::Write;

/// At most this many bytes of a stored event are headers and what the broker counts beside them.
pub(super) const MAX_HEADER_BYTES: usize = 1024;
/// The longest protocol line that is read; INFO is the longest there is.
const MAX_LINE_BYTES: usize = 64 << 10;
/// The largest payload that is read: acknowledgements are small.
const MAX_PAYLOAD_BYTES: usize = 1 << 20;

/// What the broker is told beside subject and payload.
pub(super) struct Headers<'a> {
    pub(super) message_id: &'a str,
    pub(super) expected_last: Option<u64>,
    pub(super) batch: Option<BatchPlace<'a>>,
}

pub(super) struct BatchPlace<'a> {
    pub(super) id: &'a str,
    /// From 1.
    pub(super) sequence: usize,
    pub(super) commit: bool,
}

/// Writes one publish. `scratch` is only room to build the headers in, kept between calls.
pub(super) fn write_publish(
    out: &mut BytesMut,
    scratch: &mut String,
    subject: &str,
    reply: Option<(&str, u64)>,
    headers: &Headers<'_>,
    payload: &[u8],
) {
    scratch.clear();
    // Writing to memory can't fail, here and below.
    let _ = write!(scratch, "NATS/1.0\r\nNats-Msg-Id: {}\r\n", headers.message_id);
    if let Some(last) = headers.expected_last {
        let _ = write!(scratch, "Nats-Expected-Last-Subject-Sequence: {last}\r\n");
    }
    if let Some(batch) = &headers.batch {
        let _ = write!(scratch, "Nats-Batch-Id: {}\r\nNats-Batch-Sequence: {}\r\n", batch.id, batch.sequence);
        if batch.commit {
            scratch.push_str("Nats-Batch-Commit: 1\r\n");
        }
    }
    scratch.push_str("\r\n");
    let total = scratch.len() + payload.len();
    out.reserve(total + subject.len() + 96);
    let _ = match reply {
        Some((inbox, token)) => write!(out, "HPUB {subject} {inbox}.{token} {} {total}\r\n", scratch.len()),
        None => write!(out, "HPUB {subject} {} {total}\r\n", scratch.len()),
    };
    out.extend_from_slice(scratch.as_bytes());
    out.extend_from_slice(payload);
    out.extend_from_slice(b"\r\n");
}

/// What the broker says.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Word {
    Info(Bytes),
    Ping,
    Pong,
    Ok,
    Error(String),
    Message { subject: String, status: Option<u16>, payload: Bytes },
}

#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("what the broker said can't be read: {0}")]
pub(super) struct Unreadable(&'static str);

/// Takes the next word off the buffer, if all of it is there.
pub(super) fn read_word(buffer: &mut BytesMut) -> Result<Option<Word>, Unreadable> {
    let Some(end) = buffer.windows(2).take(MAX_LINE_BYTES).position(|pair| pair == b"\r\n") else {
        return if buffer.len() > MAX_LINE_BYTES { Err(Unreadable("an endless line")) } else { Ok(None) };
    };
    let line = std::str::from_utf8(&buffer[..end]).map_err(|_| Unreadable("a line that is no text"))?;
    let (verb, rest) = line.split_once([' ', '\t']).unwrap_or((line, ""));
    let word = match verb.to_ascii_uppercase().as_str() {
        "PING" => Word::Ping,
        "PONG" => Word::Pong,
        "+OK" => Word::Ok,
        "-ERR" => Word::Error(rest.trim_matches([' ', '\'']).to_owned()),
        "INFO" => Word::Info(Bytes::copy_from_slice(rest.as_bytes())),
        "MSG" => return read_message(buffer, end, false),
        "HMSG" => return read_message(buffer, end, true),
        _ => return Err(Unreadable("an unknown word")),
    };
    buffer.advance(end + 2);
    Ok(Some(word))
}

/// `MSG <subject> <sid> [reply] <bytes>` or `HMSG <subject> <sid> [reply] <header bytes> <bytes>`.
fn read_message(buffer: &mut BytesMut, end: usize, has_headers: bool) -> Result<Option<Word>, Unreadable> {
    const BAD: Unreadable = Unreadable("a message line");
    let line = std::str::from_utf8(&buffer[..end]).map_err(|_| BAD)?;
    let mut words = line.split_ascii_whitespace().skip(1);
    let subject = words.next().ok_or(BAD)?.to_owned();
    let _subscription: u64 = words.next().ok_or(BAD)?.parse().map_err(|_| BAD)?;
    let (header_bytes, total) = match (has_headers, words.next(), words.next(), words.next()) {
        (false, Some(total), None, None) | (false, Some(_), Some(total), None) => ("0", total),
        (true, Some(headers), Some(total), None) | (true, Some(_), Some(headers), Some(total)) => (headers, total),
        _ => return Err(BAD),
    };
    let header_bytes: usize = header_bytes.parse().map_err(|_| BAD)?;
    let total: usize = total.parse().map_err(|_| BAD)?;
    if total > MAX_PAYLOAD_BYTES || header_bytes > total {
        return Err(Unreadable("a message of impossible size"));
    }
    if buffer.len() < end + 2 + total + 2 {
        return Ok(None);
    }
    buffer.advance(end + 2);
    let mut content = buffer.split_to(total);
    if !buffer.starts_with(b"\r\n") {
        return Err(Unreadable("a message that doesn't end"));
    }
    buffer.advance(2);
    let headers = content.split_to(header_bytes);
    Ok(Some(Word::Message { subject, status: read_status(&headers), payload: content.freeze() }))
}

/// The status in a header block's first line: `NATS/1.0 503`.
fn read_status(headers: &[u8]) -> Option<u16> {
    let line = headers.split(|byte| *byte == b'\r').next()?;
    let status = std::str::from_utf8(line).ok()?.strip_prefix("NATS/1.0")?;
    status.split_ascii_whitespace().next()?.parse().ok()
}

/// The broker's answer to a publish.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Answer {
    Stored {
        seq: u64,
        duplicate: bool,
        count: Option<u64>,
    },
    Refused {
        code: u64,
        description: String,
    },
    /// No stream was there to take it.
    Nobody,
    Unreadable,
}

pub(super) fn read_answer(status: Option<u16>, payload: &[u8]) -> Answer {
    #[derive(Deserialize)]
    struct Acknowledgement {
        #[serde(default)]
        seq: u64,
        #[serde(default)]
        duplicate: bool,
        count: Option<u64>,
        error: Option<Refusal>,
    }
    #[derive(Deserialize)]
    struct Refusal {
        #[serde(default)]
        err_code: u64,
        #[serde(default)]
        description: String,
    }
    if status == Some(503) {
        return Answer::Nobody;
    }
    match serde_json::from_slice(payload) {
        Ok(Acknowledgement { error: Some(refusal), .. }) => {
            Answer::Refused { code: refusal.err_code, description: refusal.description }
        }
        Ok(Acknowledgement { seq, duplicate, count, error: None }) if seq > 0 => {
            Answer::Stored { seq, duplicate, count }
        }
        _ => Answer::Unreadable,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn read_all(bytes: &[u8]) -> Result<Vec<Word>, Unreadable> {
        let mut buffer = BytesMut::from(bytes);
        let mut words = Vec::new();
        while let Some(word) = read_word(&mut buffer)? {
            words.push(word);
        }
        Ok(words)
    }

    #[test]
    fn a_publish_is_written_as_the_protocol_has_it() {
        let mut out = BytesMut::new();
        let headers = Headers {
            message_id: "u1:a",
            expected_last: Some(7),
            batch: Some(BatchPlace { id: "b", sequence: 2, commit: true }),
        };
        write_publish(&mut out, &mut String::new(), "chat.x", Some(("_INBOX.i", 9)), &headers, b"hello");
        let block = "NATS/1.0\r\nNats-Msg-Id: u1:a\r\nNats-Expected-Last-Subject-Sequence: 7\r\n\
                     Nats-Batch-Id: b\r\nNats-Batch-Sequence: 2\r\nNats-Batch-Commit: 1\r\n\r\n";
        let expected = format!("HPUB chat.x _INBOX.i.9 {} {}\r\n{block}hello\r\n", block.len(), block.len() + 5);
        assert_eq!(std::str::from_utf8(&out), Ok(expected.as_str()));
    }

    #[test]
    fn the_largest_headers_fit_their_allowance() {
        let mut out = BytesMut::new();
        let long = "i".repeat(255);
        let headers = Headers {
            message_id: &long,
            expected_last: Some(u64::MAX),
            batch: Some(BatchPlace { id: &"b".repeat(64), sequence: 1000, commit: true }),
        };
        let mut scratch = String::new();
        write_publish(&mut out, &mut scratch, &long, Some(("_INBOX.i", 9)), &headers, b"");
        assert!(scratch.len() + long.len() < MAX_HEADER_BYTES, "{}", scratch.len() + long.len());
    }

    #[test]
    fn words_are_read_whole_or_not_at_all() {
        let bytes = b"PING\r\n-ERR 'Stale Connection'\r\nMSG _INBOX.i.4 1 5\r\nhello\r\n\
                      HMSG _INBOX.i.5 1 16 16\r\nNATS/1.0 503\r\n\r\n\r\nPONG\r\nINFO {}\r\n+OK\r\n";
        let words = read_all(bytes).expect("all of it is sound");
        assert_eq!(words.len(), 7);
        assert_eq!(words[1], Word::Error("Stale Connection".into()));
        assert_eq!(
            words[2],
            Word::Message { subject: "_INBOX.i.4".into(), status: None, payload: Bytes::from_static(b"hello") }
        );
        assert_eq!(words[3], Word::Message { subject: "_INBOX.i.5".into(), status: Some(503), payload: Bytes::new() });
        for cut in 0..bytes.len() {
            let mut buffer = BytesMut::from(&bytes[..cut]);
            let mut found = Vec::new();
            while let Some(word) = read_word(&mut buffer).expect("a part is no error") {
                found.push(word);
            }
            assert_eq!(found[..], words[..found.len()], "cut at {cut}");
        }
    }

    #[test]
    fn hostile_words_are_refused_and_bounded() {
        for bytes in [
            &b"HELLO\r\n"[..],
            b"MSG\r\n",
            b"MSG a 1 x\r\n",
            b"MSG a 5\r\nhello\r\n",
            b"MSG a 1 99999999999999999999999\r\n",
            b"MSG a 1 2000000\r\n",
            b"HMSG a 1 9 5\r\nhello\r\n",
            b"MSG a 1 5\r\nhelloXX",
            b"\xff\xff\r\n",
            b"\r\n",
        ] {
            assert!(read_all(bytes).is_err(), "{:?}", String::from_utf8_lossy(bytes));
        }
        assert!(read_all(&vec![b'x'; MAX_LINE_BYTES + 2]).is_err());
    }

    proptest! {
        #[test]
        fn no_bytes_make_the_reader_panic(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
            let _ = read_all(&bytes);
        }
    }

    #[test]
    fn answers_are_read_for_what_they_say() {
        assert_eq!(
            read_answer(None, br#"{"stream":"CHAT","seq":3,"batch":"b","count":3}"#),
            Answer::Stored { seq: 3, duplicate: false, count: Some(3) }
        );
        assert_eq!(
            read_answer(None, br#"{"stream":"CHAT","seq":2,"duplicate": true}"#),
            Answer::Stored { seq: 2, duplicate: true, count: None }
        );
        assert_eq!(
            read_answer(None, br#"{"error":{"code":400,"err_code":10071,"description":"wrong"},"seq":0}"#),
            Answer::Refused { code: 10071, description: "wrong".into() }
        );
        assert_eq!(read_answer(Some(503), b""), Answer::Nobody);
        for payload in [&b""[..], b"{}", b"[]", b"{\"seq\":0}", b"\xff"] {
            assert_eq!(read_answer(None, payload), Answer::Unreadable, "{payload:?}");
        }
    }
}
