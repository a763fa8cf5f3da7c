//! `profile`: how the caller wants to be shown.

use std::sync::Arc;

use natter_events::{Account, ClientId, Field, Intent, ProfileChanged};
use natter_log::Line;
use natter_protocol::frame::SetProfile;
use natter_protocol::text;

use super::repeat::{Body, Known};
use super::{Caller, Decided, Durable, Refused, account, check_text_with, content_key};
use crate::Gateway;

impl Durable for SetProfile {
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
        let key = content_key(gateway, caller).await?;
        let name = &self.display_name;
        let intent = Intent::Other { what: "profile", asks: name.as_bytes() };
        let fingerprint = key.fingerprint(None, self.id, intent);
        if let Some(known) = known {
            return known.answer(Body::Printed(fingerprint)).map(Decided::Known);
        }
        if !name.is_empty() {
            check_text_with(text::check_display_name, name)?;
        }
        gateway.rates.other(caller.uid).map_err(Refused::rate_limited)?;
        let sealed = (!name.is_empty()).then(|| key.seal(caller.uid, Field::DisplayName, name.as_bytes()));
        let (gateway, owner, id) = (gateway.clone(), caller.uid, self.id);
        let storing = Box::pin(async move {
            let change = |account: Account| {
                let account = Account { display_name: sealed.clone(), ..account };
                Ok(ProfileChanged { account, fingerprint }.into())
            };
            account::store(&gateway, owner, id, line, change).await
        });
        Ok(Decided::Changing { storing, fingerprint, refused: None })
    }
}
