//! `prefer`: how the caller wants a conversation to be treated on their devices. Nobody else hears of it.

use natter_events::{Field, Intent, PreferencesChanged, Record, Subject};
use natter_log::{Append, Line, Stream};
use natter_protocol::frame::Prefer;

use super::repeat::{self, Body, Known};
use super::{Audience, Caller, Decided, Refused, content_key, message_id, storing};
use crate::Gateway;

/// Decides preferences and queues them.
pub async fn prefer(
    gateway: &Gateway,
    caller: &Caller,
    command: &Prefer,
    line: Option<Line>,
) -> Result<Decided, Refused> {
    let id = command.id;
    let known = repeat::known(gateway, caller, id).await?;
    let refused = match decide(gateway, caller, command, line, known).await {
        Err(refused) => refused,
        decided => return decided,
    };
    let known = repeat::before_refusing(gateway, caller, id, refused).await?;
    decide(gateway, caller, command, line, Some(known)).await
}

async fn decide(
    gateway: &Gateway,
    caller: &Caller,
    command: &Prefer,
    line: Option<Line>,
    known: Option<Known>,
) -> Result<Decided, Refused> {
    let Prefer { conversation, id, preferences, .. } = command;
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
