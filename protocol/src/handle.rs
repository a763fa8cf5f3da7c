//! Handles: what people are called on the wire.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize};

/// Longest handle, in bytes.
pub const MAX_HANDLE_BYTES: usize = 32;

/// An account's handle: `^[a-z0-9][a-z0-9_-]{1,31}$`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS), ts(type = "string"))]
#[serde(transparent)]
pub struct Handle(Box<str>);

/// The text is not a handle.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a handle is 2 to 32 of a-z, 0-9, _ and -, and begins with a letter or digit")]
pub struct InvalidHandle;

impl Handle {
    /// What everyone is called whose account was erased. Nobody else may be.
    pub fn erased() -> Self {
        Self("erased-user".into())
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Handle {
    type Err = InvalidHandle;

    fn from_str(text: &str) -> Result<Self, InvalidHandle> {
        let bytes = text.as_bytes();
        let plain = |b: &u8| b.is_ascii_lowercase() || b.is_ascii_digit();
        let valid = (2..=MAX_HANDLE_BYTES).contains(&bytes.len())
            && plain(&bytes[0])
            && bytes.iter().all(|b| plain(b) || matches!(b, b'_' | b'-'));
        if valid { Ok(Self(text.into())) } else { Err(InvalidHandle) }
    }
}

impl<'de> Deserialize<'de> for Handle {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

impl fmt::Display for Handle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Handle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_handle_is_what_the_names_table_says() {
        for good in ["al", "a1", "0-_", "ada-lovelace", &"x".repeat(32)] {
            assert!(good.parse::<Handle>().is_ok(), "{good}");
        }
        assert_eq!(Handle::erased().as_str().parse(), Ok(Handle::erased()));
        for bad in ["", "a", "Ada", "_a", "-a", "a b", "a.b", "a*", "ä1", "a\n", "a\0b", &"x".repeat(33)] {
            assert!(bad.parse::<Handle>().is_err(), "{bad:?}");
        }
    }
}
