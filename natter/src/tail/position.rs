//! Where a reader of the log stands, as it is printed: `4711.9c0f2b6c1d2e3f40`, the last event of CHAT and its tag, and
//! with presence `4711.9c0f2b6c1d2e3f40+12.0123456789abcdef`. To everybody else it is opaque.

use std::fmt;
use std::str::FromStr;

use natter_log::{Place, Stream, Tag};

/// Behind which event of each stream.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Position {
    pub chat: Place,
    /// Nothing if presence was never read.
    pub presence: Option<Place>,
}

/// Where to begin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Begin {
    Start,
    New,
    Position(Position),
}

impl Position {
    pub fn get(&self, stream: Stream) -> Place {
        match stream {
            Stream::Chat => self.chat,
            Stream::Presence => self.presence.unwrap_or_default(),
        }
    }

    pub fn set(&mut self, stream: Stream, place: Place) {
        match stream {
            Stream::Chat => self.chat = place,
            Stream::Presence => self.presence = Some(place),
        }
    }
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_place(f, &self.chat)?;
        match &self.presence {
            None => Ok(()),
            Some(presence) => f.write_str("+").and_then(|()| write_place(f, presence)),
        }
    }
}

fn write_place(f: &mut fmt::Formatter<'_>, place: &Place) -> fmt::Result {
    match place.tag {
        None => write!(f, "{}", place.seq),
        Some(tag) => write!(f, "{}.{:016x}", place.seq, tag.0),
    }
}

impl FromStr for Position {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (chat, presence) = match text.split_once('+') {
            None => (text, None),
            Some((chat, presence)) => (chat, Some(presence)),
        };
        let wrong = || format!("{text:?} is not a position as `natter tail` prints it, nor `start` or `new`");
        let place = |text: &str| place(text).ok_or_else(wrong);
        Ok(Position { chat: place(chat)?, presence: presence.map(place).transpose()? })
    }
}

fn place(text: &str) -> Option<Place> {
    let (seq, tag) = match text.split_once('.') {
        None => (text, None),
        Some((seq, tag)) => (seq, Some(tag)),
    };
    // A plus sign is no digit, though the standard library takes one.
    let are_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_hexdigit());
    let tag = match tag {
        None => None,
        Some(tag) if tag.len() == 16 && are_digits(tag) => Some(Tag(u64::from_str_radix(tag, 16).ok()?)),
        Some(_) => return None,
    };
    let seq = Some(seq).filter(|seq| are_digits(seq))?.parse().ok()?;
    Some(Place { seq, tag })
}

impl FromStr for Begin {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "start" => Ok(Begin::Start),
            "new" => Ok(Begin::New),
            position => position.parse().map(Begin::Position),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_position_reads_back_as_it_is_printed() {
        let place = Place { seq: 4711, tag: Some(Tag(0x0c0f_2b6c_1d2e_3f40)) };
        for (position, text) in [
            (Position::default(), "0"),
            (Position { chat: place, presence: None }, "4711.0c0f2b6c1d2e3f40"),
            (Position { chat: place, presence: Some(Place::default()) }, "4711.0c0f2b6c1d2e3f40+0"),
            (Position { chat: Place::default(), presence: Some(place) }, "0+4711.0c0f2b6c1d2e3f40"),
        ] {
            assert_eq!(position.to_string(), text);
            assert_eq!(text.parse(), Ok(position));
        }
    }

    #[test]
    fn what_is_no_position_is_refused() {
        for text in
            ["", "x", "-1", "+", "1.", "1.2", "1.0c0f2b6c1d2e3f4g", "+1", "1+", "1+2+3", " 1", "99999999999999999999"]
        {
            assert!(text.parse::<Position>().is_err(), "{text:?}");
        }
    }
}
