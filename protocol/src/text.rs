//! What may be said: the rules for text (CMD4), the same for the server, which enforces them, and for clients, which can
//! tell before they send.

use crate::limits::{MAX_DISPLAY_NAME_CHARS, MAX_STATUS_CHARS, MAX_TEXT_CHARS};

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
