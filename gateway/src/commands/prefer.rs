//! `prefer`: how the caller wants a conversation to be treated on their devices. Nobody else hears of it.

use std::sync::Arc;

use natter_events::{ClientId, Field, Intent, PreferencesChanged, Record, Subject};
use natter_log::{Append, Line, Stream};
use natter_protocol::frame::Prefer;

use super::repeat::{Body, Known};
use super::{Audience, Caller, Decided, Durable, Refused, content_key, message_id, storing};
use crate::Gateway;

impl Durable for Prefer {
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
        let Prefer { conversation, id, preferences, .. } = self;
        let key = content_key(gateway, caller).await?;
        let json = serde_json::to_vec(preferences).unwrap_or_default();
        let fingerprint = key.fingerprint(*conversation, *id, Intent::Other { what: "prefer", asks: &json });
        if let Some(known) = known {
            return known.answer(Body::Printed(fingerprint)).map(Decided::Known);
        }
        Audience::of(gateway, caller.uid, *conversation).await?;
        gateway.rates.other(caller.uid).map_err(Refused::rate_limited)?;
        let preferences = key.seal(caller.uid, Field::Preferences, &json);
        let record = Record::new(caller.uid, PreferencesChanged { preferences, fingerprint })
            .to(&[caller.uid])
            .in_conversation(*conversation)
            .answering(*id)
            .sealed_with(caller.account.key);
        let append = Append {
            stream: Stream::Chat,
            subject: Subject::Messages(caller.uid).to_string(),
            message_id: message_id(caller.uid, *id),
            payload: record.encode(),
            expected_last: None,
        };
        Ok(Decided::Queued { storing: storing(super::append(gateway, append, line)), fingerprint })
    }
}
