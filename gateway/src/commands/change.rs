//! `edit`, `delete`, `react` and `pin`: what is done to a message that is there.

use std::sync::Arc;

use natter_events::{
    ClientId, ContentKey, ConversationId, Event, Field, Fingerprint, Intent, MessageDeleted, MessageEdited,
    MessagePinned, MessageUnpinned, ReactionAdded, ReactionRemoved, Record, Subject,
};
use natter_log::{Append, Line, Stream};
use natter_protocol::frame::{Delete, Edit, Pin, React, Toggle};
use natter_protocol::roles::Action;
use natter_protocol::{ErrorCode, text};

use super::repeat::{Body, Known};
use super::{Audience, Caller, Decided, Durable, Refused, check_text, content_key, message_at, message_id, storing};
use crate::Gateway;

/// A command about a message.
#[derive(Debug, Clone, Copy)]
pub struct Change<'a> {
    pub conversation: ConversationId,
    pub message: u64,
    pub id: ClientId,
    what: What<'a>,
}

#[derive(Debug, Clone, Copy)]
enum What<'a> {
    Edit(&'a str),
    Delete,
    React(&'a str, Toggle),
    Pin(Toggle),
}

impl<'a> From<&'a Edit> for Change<'a> {
    fn from(command: &'a Edit) -> Self {
        let Edit { conversation, message, id, ref text, .. } = *command;
        Self { conversation, message, id, what: What::Edit(text) }
    }
}

impl<'a> From<&'a Delete> for Change<'a> {
    fn from(command: &'a Delete) -> Self {
        let Delete { conversation, message, id, .. } = *command;
        Self { conversation, message, id, what: What::Delete }
    }
}

impl<'a> From<&'a React> for Change<'a> {
    fn from(command: &'a React) -> Self {
        let React { conversation, message, id, ref emoji, op, .. } = *command;
        // In the one form that it is stored in, so that a repeat in another is a repeat.
        let emoji = text::emoji(emoji).unwrap_or(emoji);
        Self { conversation, message, id, what: What::React(emoji, op) }
    }
}

impl From<&Pin> for Change<'_> {
    fn from(command: &Pin) -> Self {
        let Pin { conversation, message, id, op, .. } = *command;
        Self { conversation, message, id, what: What::Pin(op) }
    }
}

impl Durable for Change<'_> {
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
        let command = *self;
        let Change { conversation, message, id, what } = command;
        let key = content_key(gateway, caller).await?;
        let fingerprint = key.fingerprint(conversation, id, what.intent(message));
        if let Some(known) = known {
            return known.answer(Body::Printed(fingerprint)).map(Decided::Known);
        }
        let audience = Audience::of(gateway, caller.uid, conversation).await?;
        what.check()?;
        if what.says() {
            audience.check_open(gateway).await?;
        }
        // Before anything that the broker is asked for.
        gateway.rates.other(caller.uid).map_err(Refused::rate_limited)?;
        let target = message_at(gateway, caller.uid, &audience, conversation, message).await?;
        let may = match what {
            What::Edit(_) => target.actor == caller.uid,
            What::Delete => {
                let is_room = matches!(audience, Audience::Room { .. });
                target.actor == caller.uid || (is_room && audience.allows(Action::DeleteOthers))
            }
            What::React(..) => audience.allows(Action::Speak),
            What::Pin(_) => audience.allows(Action::Pin),
        };
        if !may {
            let reason = match what {
                What::Pin(_) => "only moderators pin messages here",
                _ => "this message is somebody else's",
            };
            return Err(Refused::new(ErrorCode::Forbidden, reason));
        }
        let record = Record::new(caller.uid, what.event(caller, message, &key, fingerprint))
            .to(audience.people())
            .in_conversation(conversation)
            .answering(id)
            .sealed_with(caller.account.key);
        let append = Append {
            stream: Stream::Chat,
            subject: Subject::Messages(caller.uid).to_string(),
            message_id: message_id(caller.uid, id),
            payload: record.encode(),
            expected_last: None,
        };
        Ok(Decided::Queued { storing: storing(super::append(gateway, append, line)), fingerprint })
    }
}

impl<'a> What<'a> {
    fn check(self) -> Result<(), Refused> {
        match self {
            Self::Edit(text) => check_text(text),
            Self::React(emoji, _) if text::emoji(emoji).is_none() => {
                Err(Refused::new(ErrorCode::Invalid, "`emoji` is not one emoji"))
            }
            Self::Delete | Self::React(..) | Self::Pin(_) => Ok(()),
        }
    }

    /// Whether it tells the others something new. What is taken back may always be.
    fn says(self) -> bool {
        match self {
            Self::Edit(_) | Self::React(_, Toggle::Add) | Self::Pin(Toggle::Add) => true,
            Self::Delete | Self::React(_, Toggle::Remove) | Self::Pin(Toggle::Remove) => false,
        }
    }

    fn intent(self, message: u64) -> Intent<'a> {
        match self {
            Self::Edit(text) => Intent::Edit { message, text },
            Self::Delete => Intent::Delete { message },
            Self::React(emoji, Toggle::Add) => Intent::AddReaction { message, emoji },
            Self::React(emoji, Toggle::Remove) => Intent::RemoveReaction { message, emoji },
            Self::Pin(Toggle::Add) => Intent::Pin { message },
            Self::Pin(Toggle::Remove) => Intent::Unpin { message },
        }
    }

    fn event(self, caller: &Caller, message: u64, key: &ContentKey, fingerprint: Fingerprint) -> Event {
        let seal = |field, text: &str| key.seal(caller.uid, field, text.as_bytes());
        match self {
            Self::Edit(text) => MessageEdited { message, text: seal(Field::Text, text), fingerprint }.into(),
            Self::Delete => MessageDeleted { message, fingerprint }.into(),
            Self::Pin(Toggle::Add) => MessagePinned { message, fingerprint }.into(),
            Self::Pin(Toggle::Remove) => MessageUnpinned { message, fingerprint }.into(),
            Self::React(emoji, op) => {
                let emoji = seal(Field::Emoji, emoji);
                match op {
                    Toggle::Add => ReactionAdded { message, emoji, fingerprint }.into(),
                    Toggle::Remove => ReactionRemoved { message, emoji, fingerprint }.into(),
                }
            }
        }
    }
}
