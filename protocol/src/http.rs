//! Bodies of accounts and of what only HTTP has.

use std::collections::BTreeMap;

use natter_events::PresenceStatus;
use serde::{Deserialize, Serialize};

use crate::handle::Handle;
use crate::timestamp::Timestamp;

/// `POST /auth/register`.
#[derive(Clone, Serialize, Deserialize)]
pub struct Register {
    pub handle: Handle,
    pub password: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub display_name: Option<String>,
}

/// `POST /auth/login`.
#[derive(Clone, Serialize, Deserialize)]
pub struct Login {
    pub handle: Handle,
    pub password: String,
}

/// The answer of `/auth/register`, `login` and `refresh`.
#[derive(Clone, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct Tokens {
    pub access_token: String,
    /// Seconds until the access token ends.
    pub expires_in: u64,
    pub user: Handle,
}

/// `POST /api/connections`: whose live sockets to count.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ConnectionsQuery {
    pub users: Vec<Handle>,
}

/// Live sockets of each user asked for, over all gateways.
pub type Connections = BTreeMap<Handle, u32>;

/// `PUT /api/conversations/{id}/marker`.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct MarkBody {
    pub id: natter_events::ClientId,
    pub read: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub thread: Option<u64>,
}

/// `PATCH /api/conversations/{id}/messages/{seq}`.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct EditBody {
    pub id: natter_events::ClientId,
    pub text: String,
}

/// `PATCH /api/profile`.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ProfileBody {
    pub id: natter_events::ClientId,
    pub display_name: String,
}

/// `PUT /api/conversations/{id}/preferences`.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct PreferencesBody {
    pub id: natter_events::ClientId,
    #[serde(flatten)]
    pub preferences: crate::frame::Preferences,
}

/// `PATCH /api/rooms/{id}`.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct RoomBody {
    pub id: natter_events::ClientId,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub topic: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub visibility: Option<natter_events::Visibility>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub archived: Option<bool>,
}

/// `PUT /api/rooms/{id}/members/{user}/role`.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct RoleBody {
    pub id: natter_events::ClientId,
    pub role: natter_events::Role,
}

/// The query of a durable command that has no body: `DELETE …/messages/{seq}`, `PUT` and `DELETE …/reactions/{emoji}`.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct CommandQuery {
    pub id: natter_events::ClientId,
}

/// An item of `GET /api/online`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct OnlineUser {
    pub user: Handle,
    pub status: PresenceStatus,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// Which gateways hold the user's sockets; for operators only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gateways: Option<Vec<String>>,
}

/// `GET /api/online`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct OnlinePage {
    pub items: Vec<OnlineUser>,
    pub next: Option<String>,
}

/// `GET /health`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Health {
    pub status: String,
    pub timestamp: Timestamp,
}

/// An RFC 9457 problem document, with what the socket's `error` says.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ProblemDocument {
    #[serde(rename = "type")]
    pub kind: String,
    pub title: String,
    pub status: u16,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    pub code: crate::ErrorCode,
    pub temporary: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_after_ms: Option<u64>,
}
