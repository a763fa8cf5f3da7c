//! Positions: how far into which log something is complete.

use std::fmt;
use std::str::FromStr;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use natter_events::Tag;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A place in a log: everything up to and including `seq` is known. Opaque to clients (D12); the epoch and the tag of the
/// event at `seq` say of which log, so that a restored or rolled back one is noticed (D14).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[cfg_attr(test, derive(ts_rs::TS), ts(type = "string"))]
pub struct Position {
    pub epoch: u64,
    pub seq: u64,
    /// The tag of the event at `seq`; zero before the first event.
    pub tag: Tag,
}

/// The text is not a position that Natter gave out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a position that this service gave out")]
pub struct InvalidPosition;

impl Position {
    /// Before the first event of a log.
    pub fn start(epoch: u64) -> Self {
        Self { epoch, seq: 0, tag: Tag(0) }
    }

    fn to_bytes(self) -> [u8; 24] {
        let mut bytes = [0; 24];
        bytes[..8].copy_from_slice(&self.epoch.to_be_bytes());
        bytes[8..16].copy_from_slice(&self.seq.to_be_bytes());
        bytes[16..].copy_from_slice(&self.tag.0.to_be_bytes());
        bytes
    }
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = [0; 32];
        let len = URL_SAFE_NO_PAD.encode_slice(self.to_bytes(), &mut text).map_err(|_| fmt::Error)?;
        f.write_str(std::str::from_utf8(&text[..len]).map_err(|_| fmt::Error)?)
    }
}

impl FromStr for Position {
    type Err = InvalidPosition;

    fn from_str(text: &str) -> Result<Self, InvalidPosition> {
        if text.len() != 32 {
            return Err(InvalidPosition);
        }
        let mut bytes = [0; 24];
        URL_SAFE_NO_PAD.decode_slice(text, &mut bytes).map_err(|_| InvalidPosition)?;
        let number = |from: usize| bytes[from..from + 8].iter().fold(0, |n, byte| n << 8 | u64::from(*byte));
        let position = Self { epoch: number(0), seq: number(8), tag: Tag(number(16)) };
        if position.seq < 1 << 53 { Ok(position) } else { Err(InvalidPosition) }
    }
}

impl Serialize for Position {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Position {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_position_reads_back_as_itself_and_nothing_else_reads() {
        let position = Position { epoch: u64::MAX, seq: (1 << 53) - 1, tag: Tag(0x0123_4567_89ab_cdef) };
        assert_eq!(position.to_string().parse(), Ok(position));
        let beyond = Position { seq: 1 << 53, ..position };
        for bad in ["", "0", "17", &"=".repeat(32), &"ä".repeat(16), &beyond.to_string(), &format!("{position}A")] {
            assert_eq!(bad.parse::<Position>(), Err(InvalidPosition), "{bad}");
        }
    }
}
