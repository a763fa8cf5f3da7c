//! What was done to a message, in words.

use std::borrow::Cow;

use natter_client::{Handle, MessageItem, ReactionItem, ReplyItem};

use super::blocked::FOLDED;
use super::clean;

pub const DELETED: &str = "message deleted";
/// So many people are named for one emoji, more are counted.
const NAMED: usize = 3;

/// What a message says now, and whether it said something else before.
pub fn said(message: &MessageItem) -> Cow<'_, str> {
    match message {
        MessageItem { deleted: true, .. } => DELETED.into(),
        MessageItem { edited_at: Some(_), text, .. } => format!("{} (edited)", clean::lines(text)).into(),
        MessageItem { text, .. } => clean::lines(text),
    }
}

/// How much was said in its thread, if anything; with the number that asks for it.
pub fn replies(message: &MessageItem) -> Option<String> {
    let replies = message.replies.as_ref()?;
    let count = if replies.count == 1 { "1 reply".to_owned() } else { format!("{} replies", replies.count) };
    Some(format!("{count} in thread {}", message.seq))
}

/// Whether it is pinned, and how much was said in its thread.
pub fn marks(message: &MessageItem) -> Option<String> {
    let pinned = message.pinned.then(|| "pinned".to_owned());
    let marks: Vec<_> = pinned.into_iter().chain(replies(message)).collect();
    (!marks.is_empty()).then(|| marks.join(" · "))
}

/// What stands in place of what somebody says whom the user has blocked (CMD7).
pub fn folded(sender: &Handle) -> String {
    format!("{sender}, whom you have blocked, said something")
}

/// What it answers; without its text where that is folded.
pub fn answered(message: &MessageItem, folds: impl Fn(&Handle) -> bool) -> Option<String> {
    let reply = message.reply.as_ref()?;
    let text = match reply {
        _ if folds(&reply.sender) => FOLDED.into(),
        ReplyItem { deleted: true, .. } => DELETED.into(),
        ReplyItem { text, .. } => clean::line(text),
    };
    Some(format!("↳ {}: {text}", reply.sender))
}

/// Who reacts with what, if anybody does.
pub fn reactions(message: &MessageItem, me: &Handle) -> Option<String> {
    let one = |ReactionItem { emoji, users, count }: &ReactionItem| {
        let emoji = clean::line(emoji);
        if *count > NAMED as u64 || users.is_empty() {
            return format!("{emoji} {count}");
        }
        let names: Vec<_> = users.iter().map(|user| if user == me { "you" } else { user.as_str() }).collect();
        format!("{emoji} {}", names.join(", "))
    };
    let all: Vec<_> = message.reactions.iter().map(one).collect();
    (!all.is_empty()).then(|| all.join("  "))
}

#[cfg(test)]
mod tests {
    use natter_client::Timestamp;

    use super::*;
    use crate::chat::tui::testing::{ada, bob, handle, item};

    #[test]
    fn a_message_says_that_it_was_edited_or_deleted() {
        let mut message = item(3, &bob());
        assert_eq!(said(&message), "text 3");
        message.edited_at = Some(Timestamp(0));
        message.text = "a\u{1b}b".into();
        assert_eq!(said(&message), "a\u{fffd}b (edited)");
        message.deleted = true;
        assert_eq!(said(&message), "message deleted");
    }

    #[test]
    fn cmd7_of_what_is_answered_the_text_is_left_out_where_it_is_folded() {
        let mut message = item(3, &bob());
        let reply = ReplyItem { seq: 2, sender: handle("eve"), text: "Buy".into(), deleted: false };
        message.reply = Some(reply);
        assert_eq!(answered(&message, |_| false).as_deref(), Some("↳ eve: Buy"));
        assert_eq!(answered(&message, |user| *user == handle("eve")).as_deref(), Some("↳ eve: (blocked)"));
    }

    #[test]
    fn a_few_who_react_are_named_and_many_are_counted() {
        let mut message = item(3, &bob());
        assert_eq!(reactions(&message, &ada()), None);
        let some =
            |emoji: &str, users: Vec<Handle>| ReactionItem { emoji: emoji.into(), count: users.len() as u64, users };
        let many = ["cy", "di", "ed", "fay"].map(handle).to_vec();
        message.reactions = vec![some("👍", vec![bob(), ada()]), some("🎉", many)];
        assert_eq!(reactions(&message, &ada()).as_deref(), Some("👍 bob, you  🎉 4"));
    }
}
