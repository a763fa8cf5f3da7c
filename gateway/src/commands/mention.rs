//! Whom a text mentions: `@handle` of somebody who sees it, and `@room` by those who may.

use natter_events::{ConversationId, Uid};
use natter_protocol::limits::MAX_MENTIONS;
use natter_protocol::roles::Action;
use natter_protocol::text;

use super::{Audience, Caller, Refused};
use crate::Gateway;

/// Whom a message mentions.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Mentioned {
    pub people: Vec<Uid>,
    pub room: bool,
}

/// Finds out whom a text mentions. Names that are nobody's, or of somebody who does not see it, mention nobody.
pub async fn mentioned(
    gateway: &Gateway,
    caller: &Caller,
    audience: &Audience,
    conversation: ConversationId,
    text: &str,
) -> Result<Mentioned, Refused> {
    let mut mentioned = Mentioned::default();
    if !text.contains('@') {
        return Ok(mentioned);
    }
    let is_room = matches!(audience, Audience::Room { .. });
    mentioned.room = is_room && audience.allows(Action::MentionRoom) && text::mentions_room(text);
    let handles: Vec<_> = text::mentions(text).take(MAX_MENTIONS).collect();
    for uid in gateway.accounts.directory.resolve(&handles).await?.into_iter().flatten() {
        let sees = match audience {
            Audience::Direct(people) => people.contains(&uid),
            Audience::Room { .. } => gateway.rooms.of(uid).await?.role_in(conversation).is_some(),
        };
        if sees && uid != caller.uid && !mentioned.people.contains(&uid) {
            mentioned.people.push(uid);
        }
    }
    Ok(mentioned)
}
