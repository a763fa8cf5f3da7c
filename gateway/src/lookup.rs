//! Asks the history API what this side does not know: whether an id that is not fresh was ever stored (CMD2, D10), and how
//! many are in a room. With the user's own token: what they may not read, this does not find.

use std::time::{Duration, Instant};

use moka::sync::Cache;
use natter_events::{ClientId, ConversationId};
use natter_protocol::history::{RoomItem, StoredCommand};
use natter_protocol::{MIN_POSITION_HEADER, Position};

/// How long an answer is waited for; the history API itself waits up to a second for its projector (HST2).
const TIMEOUT: Duration = Duration::from_secs(3);
/// How long its sign of life is waited for, when somebody looks how this gateway does.
const ALIVE_TIMEOUT: Duration = Duration::from_secs(1);
/// How long the size of a room is believed.
const SIZE_FOR: Duration = Duration::from_secs(2);
/// Rooms whose size is kept at once.
const MAX_SIZES: u64 = 10_000;

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
    sizes: Cache<ConversationId, u64>,
}

impl Lookup {
    pub fn new(history_url: Option<&str>) -> Self {
        let http = reqwest::Client::builder().timeout(TIMEOUT).build().unwrap_or_default();
        let sizes = Cache::builder().max_capacity(MAX_SIZES).time_to_live(SIZE_FOR).build();
        Self { url: history_url.map(|url| url.trim_end_matches('/').to_owned()), http, sizes }
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

    /// Whether the history API can be reached, and how soon it answers. What it misses itself, it says at its own `/ready`.
    pub async fn answers(&self) -> Result<Duration, LookupError> {
        let url = self.url.as_ref().ok_or(LookupError::NotConfigured)?;
        let begun = Instant::now();
        let request = self.http.get(format!("{url}/health")).timeout(ALIVE_TIMEOUT);
        let response = request.send().await.map_err(LookupError::Unreachable)?;
        match response.status().as_u16() {
            200 => Ok(begun.elapsed()),
            status => Err(LookupError::Refused(status)),
        }
    }

    /// How many are in a room, as of some seconds ago at most; nothing where that can't be had now.
    pub async fn members(&self, token: &str, room: ConversationId) -> Option<u64> {
        if let Some(size) = self.sizes.get(&room) {
            return Some(size);
        }
        let url = self.url.as_ref()?;
        let request = self.http.get(format!("{url}/history/rooms/{room}")).bearer_auth(token);
        let response = request.send().await.ok()?.error_for_status().ok()?;
        let RoomItem { members, .. } = response.json().await.ok()?;
        self.sizes.insert(room, members);
        Some(members)
    }
}
