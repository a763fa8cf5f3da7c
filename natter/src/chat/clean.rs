//! Other people's text on a terminal: nothing in it may speak to the terminal itself, or make a line read as what it is
//! not. The server refuses most of it (CMD4); a terminal does not rely on that.

use std::borrow::Cow;

/// What stands where something was that is not shown.
const REPLACEMENT: char = '\u{fffd}';
const TAB: &str = "    ";

/// Text for one or more lines: control characters but newlines are replaced, tabs become spaces.
pub fn lines(text: &str) -> Cow<'_, str> {
    clean(text, true)
}

/// Text for one line: newlines become spaces, too.
pub fn line(text: &str) -> Cow<'_, str> {
    clean(text, false)
}

/// JSON that a terminal shows as text: what JSON leaves as it is and terminals act on is escaped.
pub fn json(text: &str) -> Cow<'_, str> {
    if !text.chars().any(is_dangerous) {
        return text.into();
    }
    text.chars()
        .fold(String::with_capacity(text.len() + 16), |mut escaped, c| {
            if is_dangerous(c) {
                // All of them are in the basic plane.
                escaped.push_str(&format!("\\u{:04x}", u32::from(c)));
            } else {
                escaped.push(c);
            }
            escaped
        })
        .into()
}

fn clean(text: &str, newlines: bool) -> Cow<'_, str> {
    if !text.chars().any(|c| is_dangerous(c) && !(newlines && c == '\n')) {
        return text.into();
    }
    let mut cleaned = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\n' if newlines => cleaned.push('\n'),
            '\n' => cleaned.push(' '),
            '\t' => cleaned.push_str(TAB),
            c if is_dangerous(c) => cleaned.push(REPLACEMENT),
            c => cleaned.push(c),
        }
    }
    cleaned.into()
}

/// Controls (C0, DEL, C1), and what changes the direction of the text around it.
fn is_dangerous(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{061c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Everything that terminals act on.
    const ATTACKS: [&str; 8] = [
        "\u{1b}[2J",
        "\u{1b}]0;title\u{7}",
        "\u{1b}]52;c;cm0gLXJm\u{7}",
        "\u{9b}31m",
        "\u{90}q\u{9c}",
        "a\rb",
        "x\u{8}\u{8}y\u{7f}",
        "\u{202e}gnp.exe",
    ];

    #[test]
    fn nothing_that_a_terminal_acts_on_gets_through() {
        for attack in ATTACKS {
            for cleaned in [lines(attack), line(attack), json(attack)] {
                assert!(!cleaned.chars().any(is_dangerous), "{attack:?} became {cleaned:?}");
            }
        }
    }

    #[test]
    fn what_people_write_stays_as_it_is() {
        for text in ["Grüße, 你好 👋🏽 שלום", "a\nb", "👩‍👩‍👧 e\u{301}"] {
            assert!(matches!(lines(text), Cow::Borrowed(same) if same == text));
        }
        assert_eq!(lines("a\tb\nc"), "a    b\nc");
        assert_eq!(line("a\nb"), "a b");
    }

    #[test]
    fn json_means_the_same_after_escaping() {
        for attack in ATTACKS {
            let plain = serde_json::to_string(attack).expect("JSON");
            let escaped = json(&plain);
            assert_eq!(serde_json::from_str::<String>(&escaped).expect("JSON"), attack);
        }
    }
}
