//! What a conversation is known by here.

use std::sync::Arc;

use natter_client::{ConversationId, Handle};

/// A direct conversation is its people, also before anything was said in it; a room has an id.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Key {
    /// Everybody who takes part, in one order.
    Direct(Arc<[Handle]>),
    Room(ConversationId),
}

impl Key {
    /// The conversation of these people and `me`.
    pub fn direct(some: &[Handle], me: &Handle) -> Self {
        let mut people: Vec<_> = some.iter().chain([me]).cloned().collect();
        people.sort();
        people.dedup();
        Self::Direct(people.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chat::tui::testing::{ada, bob};

    #[test]
    fn people_in_any_order_are_one_conversation() {
        assert_eq!(Key::direct(&[bob(), ada(), bob()], &ada()), Key::direct(&[bob()], &ada()));
    }
}
