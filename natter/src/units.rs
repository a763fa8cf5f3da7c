//! Values with a unit, as options have them: sizes and durations.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use bytesize::ByteSize;

/// A number of bytes: `512KiB`, `128MiB`, `10GiB`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Size(u64);

impl Size {
    pub const fn bytes(bytes: u64) -> Self {
        Self(bytes)
    }

    /// For where memory is meant.
    pub fn as_usize(self) -> usize {
        usize::try_from(self.0).unwrap_or(usize::MAX)
    }

    /// For where the broker wants a signed number.
    pub fn as_i64(self) -> i64 {
        i64::try_from(self.0).unwrap_or(i64::MAX)
    }
}

impl FromStr for Size {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let size: ByteSize = text.parse().map_err(|_| "not a size such as `512KiB` or `128MiB`".to_owned())?;
        if size.as_u64() == 0 { Err("a size is at least one byte".to_owned()) } else { Ok(Self(size.as_u64())) }
    }
}

impl fmt::Display for Size {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let units = [("GiB", 30), ("MiB", 20), ("KiB", 10)];
        match units.iter().find(|(_, bits)| self.0.is_multiple_of(1 << bits)) {
            Some((unit, bits)) if self.0 > 0 => write!(f, "{}{unit}", self.0 >> bits),
            _ => write!(f, "{}B", self.0),
        }
    }
}

/// A duration above zero: `250ms`, `10s`, `14days`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Time(Duration);

impl Time {
    pub const fn of(duration: Duration) -> Self {
        Self(duration)
    }

    pub fn get(self) -> Duration {
        self.0
    }
}

impl FromStr for Time {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match humantime::parse_duration(text) {
            Ok(duration) if duration.is_zero() => Err("a duration is more than nothing".to_owned()),
            Ok(duration) => Ok(Self(duration)),
            Err(error) => Err(format!("not a duration such as `250ms` or `10s`: {error}")),
        }
    }
}

impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&humantime::format_duration(self.0).to_string().replace(' ', ""))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_and_durations_are_shown_as_they_are_read() {
        for text in ["1B", "512KiB", "128MiB", "10GiB", "1025B"] {
            assert_eq!(text.parse::<Size>().expect("a size").to_string(), text);
        }
        for text in ["250ms", "10s", "1m30s", "14days"] {
            assert_eq!(text.parse::<Time>().expect("a duration").to_string(), text);
        }
    }

    #[test]
    fn what_is_neither_is_refused() {
        for text in ["", "0", "many", "-1MiB", "5 parsecs"] {
            assert!(text.parse::<Size>().is_err(), "{text}");
        }
        for text in ["", "0s", "10", "soon", "-1s"] {
            assert!(text.parse::<Time>().is_err(), "{text}");
        }
    }
}
