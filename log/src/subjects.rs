//! Names that go to the broker are checked first: one with a line break in it would be another protocol line.

/// A subject to publish to: tokens of printable ASCII without wildcards, under a prefix like `chat.`.
pub(crate) fn is_literal_under(subject: &str, prefix: &str) -> bool {
    subject.len() <= MAX_SUBJECT_BYTES
        && subject.strip_prefix(prefix).is_some_and(|rest| {
            rest.split('.')
                .all(|token| !token.is_empty() && token.bytes().all(|b| b.is_ascii_graphic() && b != b'*' && b != b'>'))
        })
}

/// A subject to subscribe to: the same, or with `*` and `>` as whole tokens.
pub(crate) fn is_pattern_under(subject: &str, prefix: &str) -> bool {
    let Some(rest) = subject.strip_prefix(prefix) else { return false };
    let tokens = rest.split('.').count();
    let literal: Vec<&str> = rest
        .split('.')
        .enumerate()
        .map(|(i, token)| if token == "*" || (token == ">" && i + 1 == tokens) { "x" } else { token })
        .collect();
    is_literal_under(&format!("{prefix}{}", literal.join(".")), prefix)
}

/// A message id: printable ASCII, so that it fits in a header.
pub(crate) fn is_message_id(id: &str) -> bool {
    (1..=MAX_MESSAGE_ID_BYTES).contains(&id.len()) && id.bytes().all(|b| b.is_ascii_graphic())
}

/// A key of a bucket: what NATS allows in one.
pub(crate) fn is_key(key: &str) -> bool {
    (1..=MAX_KEY_BYTES).contains(&key.len())
        && !key.starts_with('.')
        && !key.ends_with('.')
        && !key.contains("..")
        && key.bytes().all(|b| b.is_ascii_alphanumeric() || b"-/_=.".contains(&b))
}

const MAX_SUBJECT_BYTES: usize = 255;
const MAX_MESSAGE_ID_BYTES: usize = 255;
const MAX_KEY_BYTES: usize = 200;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn subjects_that_would_break_the_protocol_are_refused() {
        assert!(is_literal_under("chat.user.u1.message", "chat."));
        for bad in [
            "",
            "chat",
            "chat.",
            "chat..a",
            "chat.a.",
            "chat.a b",
            "chat.a\r\nPUB x 0",
            "chat.*",
            "chat.>",
            "chat.a\0",
            "chat.é",
            "presence.user.u1",
            "chat.\t",
        ] {
            assert!(!is_literal_under(bad, "chat."), "{bad:?}");
        }
        assert!(!is_literal_under(&format!("chat.{}", "x".repeat(300)), "chat."));
    }

    #[test]
    fn wildcards_are_whole_tokens() {
        for good in ["live.>", "live.*", "live.typing.*", "live.*.x.>"] {
            assert!(is_pattern_under(good, "live."), "{good}");
        }
        for bad in [">", "live.>.x", "live.a*", "live..>", "live", "live.a b", "chat.>", "live.>>"] {
            assert!(!is_pattern_under(bad, "live."), "{bad}");
        }
    }

    #[test]
    fn keys_and_message_ids_are_bounded_and_printable() {
        for good in ["epoch", "u/abc=", "a.b_c-d"] {
            assert!(is_key(good), "{good}");
        }
        for bad in ["", ".a", "a.", "a..b", "a b", "a*", "ä", "a\n"] {
            assert!(!is_key(bad), "{bad:?}");
        }
        assert!(!is_key(&"k".repeat(201)));
        assert!(is_message_id("u1:0190"));
        for bad in ["", "a b", "a\r\nX: y", "é"] {
            assert!(!is_message_id(bad), "{bad:?}");
        }
        assert!(!is_message_id(&"i".repeat(256)));
    }
}
