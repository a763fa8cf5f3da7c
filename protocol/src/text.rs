//! What may be said: the rules for text (CMD4), the same for the server, which enforces them, and for clients, which can
//! tell before they send.

use crate::handle::Handle;
use crate::limits::{
    MAX_DISPLAY_NAME_CHARS, MAX_ROOM_NAME_CHARS, MAX_ROOM_TOPIC_CHARS, MAX_STATUS_CHARS, MAX_TEXT_CHARS,
};

/// Why a text is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidText {
    #[error("text is empty or only white space")]
    Blank,
    #[error("text is longer than {limit} characters")]
    TooLong { limit: usize },
    #[error("text has a control character other than newline and tab")]
    Control,
}

/// Checks the text of a message (CMD4): 1 to 8,000 Unicode scalar values, not only white space, no control characters but
/// newline and tab.
pub fn check_message(text: &str) -> Result<(), InvalidText> {
    check(text, MAX_TEXT_CHARS, |c| matches!(c, '\n' | '\t'))
}

/// Checks a display name: 1 to 64 Unicode scalar values on one line.
pub fn check_display_name(name: &str) -> Result<(), InvalidText> {
    check(name, MAX_DISPLAY_NAME_CHARS, |_| false)
}

/// Checks the status text of a presence: 1 to 100 Unicode scalar values on one line.
pub fn check_status(text: &str) -> Result<(), InvalidText> {
    check(text, MAX_STATUS_CHARS, |_| false)
}

/// Checks the name of a room: 1 to 80 Unicode scalar values on one line.
pub fn check_room_name(name: &str) -> Result<(), InvalidText> {
    check(name, MAX_ROOM_NAME_CHARS, |_| false)
}

/// Checks the topic of a room: 1 to 500 Unicode scalar values.
pub fn check_room_topic(topic: &str) -> Result<(), InvalidText> {
    check(topic, MAX_ROOM_TOPIC_CHARS, |c| c == '\n')
}

/// The word that mentions everybody in a room.
pub const EVERYBODY: &str = "room";

/// Handles that nobody gets, since they mean something else: in a text, and in the path of a request.
pub const RESERVED: [&str; 2] = [EVERYBODY, "me"];

/// The handles that a text names with an `@` in front, each once, in their order. What stands in the middle of a word, as in
/// an address of mail, names nobody.
pub fn mentions(text: &str) -> impl Iterator<Item = Handle> + '_ {
    let mut seen = Vec::new();
    names(text).filter(|name| *name != EVERYBODY).filter_map(move |name| {
        let handle: Handle = name.to_ascii_lowercase().parse().ok()?;
        if seen.contains(&handle) {
            return None;
        }
        seen.push(handle.clone());
        Some(handle)
    })
}

/// Whether a text names everybody in its room.
pub fn mentions_room(text: &str) -> bool {
    names(text).any(|name| name == EVERYBODY)
}

/// What stands behind each `@` that begins a word, as far as it may be a handle.
fn names(text: &str) -> impl Iterator<Item = &str> {
    let is_part = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-');
    text.match_indices('@').filter_map(move |(at, _)| {
        let before = text[..at].chars().next_back();
        if before.is_some_and(|c| c.is_alphanumeric() || matches!(c, '_' | '-' | '@' | '.' | '/')) {
            return None;
        }
        let rest = &text[at + 1..];
        let end = rest.find(|c| !is_part(c)).unwrap_or(rest.len());
        // A dash at the end is the sentence's.
        Some(rest[..end].trim_end_matches('-')).filter(|name| !name.is_empty())
    })
}

/// The emoji that someone reacts with, in the one form that it is known by: with or without the variation selector it is the
/// same. Nothing for what is no emoji of Unicode's, or more than one.
pub fn emoji(text: &str) -> Option<&'static str> {
    emojis::get(text).map(emojis::Emoji::as_str)
}

fn check(text: &str, limit: usize, allowed_control: fn(char) -> bool) -> Result<(), InvalidText> {
    // A scalar value is at most four bytes: what is longer than that can't fit, and is not counted.
    if text.len() > limit * 4 || text.chars().count() > limit {
        return Err(InvalidText::TooLong { limit });
    }
    if text.chars().any(|c| c.is_control() && !allowed_control(c)) {
        return Err(InvalidText::Control);
    }
    if text.chars().all(char::is_whitespace) {
        return Err(InvalidText::Blank);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cmd4_text_is_1_to_8000_scalar_values_and_not_blank() {
        assert_eq!(check_message("x"), Ok(()));
        assert_eq!(check_message(&"𝄞".repeat(8000)), Ok(()));
        assert_eq!(check_message(&"x".repeat(8001)), Err(InvalidText::TooLong { limit: 8000 }));
        assert_eq!(check_message(&"x".repeat(40_000)), Err(InvalidText::TooLong { limit: 8000 }));
        for blank in ["", " ", "\n\t \u{2003}"] {
            assert_eq!(check_message(blank), Err(InvalidText::Blank));
        }
    }

    #[test]
    fn cmd4_text_has_no_control_characters_but_newline_and_tab() {
        assert_eq!(check_message("a\n\tb"), Ok(()));
        for control in ["\0", "\r", "\u{1b}", "\u{7f}", "\u{85}"] {
            assert_eq!(check_message(&format!("a{control}b")), Err(InvalidText::Control));
        }
    }

    #[test]
    fn a_mention_is_a_handle_behind_an_at_that_begins_a_word() {
        let of = |text: &str| mentions(text).map(|handle| handle.to_string()).collect::<Vec<_>>();
        assert_eq!(of("@ada, (@bob) and\n@Eve-- @ada again: @cy_2!"), ["ada", "bob", "eve", "cy_2"]);
        assert_eq!(of("mail ada@example.org, a/@bob, @@cy, @ , @é, @x, @"), Vec::<String>::new());
        assert_eq!(of(&format!("@{}", "x".repeat(40))), Vec::<String>::new());
        assert!(mentions_room("hello @room!") && !mentions_room("hello @rooms, room@room"));
        assert_eq!(of("@room"), Vec::<String>::new());
    }

    #[test]
    fn cmd4_a_reaction_is_one_emoji_in_one_form() {
        for known in ["👍", "👍🏽", "🇨🇭", "👩‍👩‍👧‍👦", "❤️"] {
            assert_eq!(emoji(known), Some(known));
        }
        assert_eq!(emoji("❤"), Some("❤️"), "without its selector");
        for other in ["", "a", "1", "👍👍", "👍 ", ":+1:", "\u{fe0f}", "<b>"] {
            assert_eq!(emoji(other), None, "{other:?}");
        }
    }
}
