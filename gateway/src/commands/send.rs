//! `send`: a message, to people or to a conversation.

use std::sync::Arc;

use natter_events::{ClientId, ConversationId, Field, Intent, MessageSent, Record, Subject};
use natter_log::{Append, Line, Stream};
use natter_protocol::frame::{Send, To};
use natter_protocol::{ErrorCode, limits};

use super::repeat::{self, Body, Known};
use super::{
    Audience, Caller, Decided, Durable, Refused, check_root, check_text, content_key, mention, message_at, message_id,
    storing,
};
use crate::Gateway;

impl Durable for Send {
    type Decided = Decided;

    fn id(&self) -> ClientId {
        self.id
    }

    async fn decide(
        &self,
        gateway: &Arc<Gateway>,
        caller: &Caller,
        line: Option<Line>,
        known: Option<Known>,
    ) -> Result<Decided, Refused> {
        let place = resolve(gateway, caller, &self.to).await;
        let metadata = match &self.metadata {
            Some(value) => serde_json::to_vec(value).ok(),
            None => None,
        };
        let key = content_key(gateway, caller).await?;
        let print = |conversation: ConversationId| {
            let Send { text, reply_to, thread, .. } = self;
            let (reply_to, thread, metadata) = (*reply_to, *thread, metadata.as_deref());
            key.fingerprint(conversation, self.id, Intent::Send { text, reply_to, thread, metadata })
        };
        if let Some(known) = known {
            return match place {
                Ok(place) => known.answer(Body::Printed(print(place.conversation))).map(Decided::Known),
                // Whom it is for can't be read now, so neither can whether it is the same.
                Err(refused) if refused.code == ErrorCode::Unavailable => Err(refused),
                // What no longer resolves is not what was stored.
                Err(_) => match &self.to {
                    // Whoever has left a room meanwhile gets the same answer as before (CMD3).
                    To::Conversation(conversation) => {
                        known.answer(Body::Printed(print(*conversation))).map(Decided::Known)
                    }
                    To::Participants(_) => Err(repeat::conflict()),
                },
            };
        }
        let Place { conversation, audience, is_new } = place?;
        check(self, metadata.as_deref())?;
        audience.check_open(gateway).await?;
        gateway.rates.message(caller.uid, conversation, self.id, caller.rate).map_err(Refused::rate_limited)?;
        let checked = check_references(gateway, caller, &audience, conversation, self).await;
        let mentioned = match checked {
            Ok(()) => mention::mentioned(gateway, caller, &audience, conversation, &self.text).await,
            Err(refused) => Err(refused),
        };
        let mentioned = mentioned.inspect_err(|_| gateway.rates.not_stored(caller.uid, self.id))?;
        if let (true, Audience::Direct(people)) = (is_new, &audience) {
            gateway.conversations.begin(conversation, people).await?;
        }
        let fingerprint = print(conversation);
        let event = MessageSent {
            text: key.seal(caller.uid, Field::Text, self.text.as_bytes()),
            reply_to: self.reply_to,
            thread: self.thread,
            mentions: mentioned.people,
            mentions_room: mentioned.room,
            metadata: metadata.map(|bytes| key.seal(caller.uid, Field::Metadata, &bytes)),
            fingerprint,
        };
        let record = Record::new(caller.uid, event)
            .to(audience.people())
            .in_conversation(conversation)
            .answering(self.id)
            .sealed_with(caller.account.key);
        let append = Append {
            stream: Stream::Chat,
            subject: Subject::Messages(caller.uid).to_string(),
            message_id: message_id(caller.uid, self.id),
            payload: record.encode(),
            expected_last: None,
        };
        Ok(Decided::Queued { storing: storing(super::append(gateway, append, line)), fingerprint })
    }
}

/// What a message answers is there, and a thread begins with a message that is in none.
async fn check_references(
    gateway: &Gateway,
    caller: &Caller,
    audience: &Audience,
    conversation: ConversationId,
    command: &Send,
) -> Result<(), Refused> {
    let at = |seq| message_at(gateway, caller.uid, audience, conversation, seq);
    if let Some(reply_to) = command.reply_to {
        at(reply_to).await?;
    }
    if let Some(thread) = command.thread {
        check_root(&*at(thread).await?)?;
    }
    Ok(())
}

struct Place {
    conversation: ConversationId,
    audience: Audience,
    /// Named by its people, so it may be the first that is said in it.
    is_new: bool,
}

async fn resolve(gateway: &Gateway, caller: &Caller, to: &To) -> Result<Place, Refused> {
    let handles = match to {
        To::Conversation(conversation) => {
            let audience = Audience::of(gateway, caller.uid, *conversation).await?;
            return Ok(Place { conversation: *conversation, audience, is_new: false });
        }
        To::Participants(handles) => handles,
    };
    let too_many = || {
        let most = limits::MAX_PARTICIPANTS;
        Refused::new(ErrorCode::Invalid, format!("a direct conversation has 1 to {most} people"))
    };
    if handles.is_empty() || handles.len() > 2 * limits::MAX_PARTICIPANTS {
        return Err(too_many());
    }
    let found = gateway.accounts.directory.resolve(handles).await?;
    let mut people = vec![caller.uid];
    for (handle, uid) in handles.iter().zip(found) {
        people.push(uid.ok_or_else(|| Refused::new(ErrorCode::UnknownUser, format!("there is no user {handle}")))?);
    }
    people.sort_unstable();
    people.dedup();
    if people.len() > limits::MAX_PARTICIPANTS {
        return Err(too_many());
    }
    let conversation = ConversationId::direct(&people);
    Ok(Place { conversation, audience: Audience::Direct(people.into()), is_new: true })
}

fn check(command: &Send, metadata: Option<&[u8]>) -> Result<(), Refused> {
    check_text(&command.text)?;
    let too_deep = |value: &serde_json::Value| depth(value) > limits::MAX_METADATA_DEPTH;
    if command.metadata.as_ref().is_some_and(too_deep) {
        let most = limits::MAX_METADATA_DEPTH;
        return Err(Refused::new(ErrorCode::Invalid, format!("`metadata` is nested more than {most} deep")));
    }
    match metadata {
        Some(bytes) if bytes.len() > limits::MAX_METADATA_BYTES => {
            let most = limits::MAX_METADATA_BYTES;
            Err(Refused::new(ErrorCode::TooLarge, format!("`metadata` is larger than {most} bytes")))
        }
        _ => Ok(()),
    }
}

/// How deep a value is nested. What is read from a client is bounded already, so this ends.
fn depth(value: &serde_json::Value) -> usize {
    use serde_json::Value;
    match value {
        Value::Array(items) => 1 + items.iter().map(depth).max().unwrap_or(0),
        Value::Object(fields) => 1 + fields.values().map(depth).max().unwrap_or(0),
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn command(text: &str, metadata: Option<serde_json::Value>) -> Send {
        Send {
            reference: None,
            to: To::Participants(vec![]),
            id: ClientId::at(0),
            text: text.into(),
            reply_to: None,
            thread: None,
            metadata,
        }
    }

    fn code(command: &Send) -> Option<ErrorCode> {
        let metadata = command.metadata.as_ref().map(|value| serde_json::to_vec(value).expect("encodes"));
        check(command, metadata.as_deref()).err().map(|refused| refused.code)
    }

    #[test]
    fn cmd4_text_and_metadata_are_bounded() {
        assert_eq!(code(&command("hi", None)), None);
        assert_eq!(code(&command(" ", None)), Some(ErrorCode::Invalid));
        assert_eq!(code(&command("a\0b", None)), Some(ErrorCode::Invalid));
        assert_eq!(code(&command(&"x".repeat(8001), None)), Some(ErrorCode::TooLarge));
        assert_eq!(code(&command("hi", Some("x".repeat(4094).into()))), None);
        assert_eq!(code(&command("hi", Some("x".repeat(4095).into()))), Some(ErrorCode::TooLarge));
    }
}
