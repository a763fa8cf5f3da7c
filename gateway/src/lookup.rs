//! Asks the history API whether an id that is not fresh was ever stored (CMD2, D10). With the user's own token: what
//! they may not read, this does not find.

use std::time::Duration;

use natter_events::ClientId;
use natter_protocol::history::StoredCommand;
use natter_protocol::{MIN_POSITION_HEADER, Position};

/// How long an answer is waited for; the history API itself waits up to a second for its projector (HST2).
const TIMEOUT: Duration = Duration::from_secs(3);

/// History could not be asked, or is too far behind to say no.
#[derive(Debug, thiserror::Error)]
pub enum LookupError {
    #[error("no history API is configured")]
    NotConfigured,
    #[error("the history API did not answer")]
    Unreachable(#[source] reqwest::Error),
    #[error("the history API answered {0}")]
    Refused(u16),
}

/// A way to the history API.
pub struct Lookup {
    url: Option<String>,
    http: reqwest::Client,
}

impl Lookup {
    pub fn new(history_url: Option<&str>) -> Self {
        let http = reqwest::Client::builder().timeout(TIMEOUT).build().unwrap_or_default();
        Self { url: history_url.map(|url| url.trim_end_matches('/').to_owned()), http }
    }

    /// The caller's stored command with this id, as of `at_least` or later; nothing if there is none.
    pub async fn command(
        &self,
        token: &str,
        id: ClientId,
        at_least: Position,
    ) -> Result<Option<StoredCommand>, LookupError> {
        let url = self.url.as_ref().ok_or(LookupError::NotConfigured)?;
        let request = self
            .http
            .get(format!("{url}/history/commands/{id}"))
            .bearer_auth(token)
            .header(MIN_POSITION_HEADER, at_least.to_string());
        let response = request.send().await.map_err(LookupError::Unreachable)?;
        match response.status().as_u16() {
            200 => response.json().await.map(Some).map_err(LookupError::Unreachable),
            404 => Ok(None),
            status => Err(LookupError::Refused(status)),
        }
    }
}
