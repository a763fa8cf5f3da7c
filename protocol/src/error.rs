//! What can go wrong, as clients see it.

use serde::{Deserialize, Serialize};

/// Why a command or request was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum ErrorCode {
    Unauthenticated,
    Forbidden,
    NotFound,
    NotMember,
    UnknownUser,
    UnknownType,
    Invalid,
    TooLarge,
    Conflict,
    RateLimited,
    Blocked,
    Archived,
    Full,
    Unavailable,
    Internal,
}

impl ErrorCode {
    /// Every code, for documentation and tests.
    pub const ALL: [ErrorCode; 15] = [
        ErrorCode::Unauthenticated,
        ErrorCode::Forbidden,
        ErrorCode::NotFound,
        ErrorCode::NotMember,
        ErrorCode::UnknownUser,
        ErrorCode::UnknownType,
        ErrorCode::Invalid,
        ErrorCode::TooLarge,
        ErrorCode::Conflict,
        ErrorCode::RateLimited,
        ErrorCode::Blocked,
        ErrorCode::Archived,
        ErrorCode::Full,
        ErrorCode::Unavailable,
        ErrorCode::Internal,
    ];

    /// The code as it is on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            ErrorCode::Unauthenticated => "unauthenticated",
            ErrorCode::Forbidden => "forbidden",
            ErrorCode::NotFound => "not_found",
            ErrorCode::NotMember => "not_member",
            ErrorCode::UnknownUser => "unknown_user",
            ErrorCode::UnknownType => "unknown_type",
            ErrorCode::Invalid => "invalid",
            ErrorCode::TooLarge => "too_large",
            ErrorCode::Conflict => "conflict",
            ErrorCode::RateLimited => "rate_limited",
            ErrorCode::Blocked => "blocked",
            ErrorCode::Archived => "archived",
            ErrorCode::Full => "full",
            ErrorCode::Unavailable => "unavailable",
            ErrorCode::Internal => "internal",
        }
    }

    /// Whether the same request may succeed later: for these two only.
    pub fn temporary(self) -> bool {
        matches!(self, ErrorCode::RateLimited | ErrorCode::Unavailable)
    }

    /// The HTTP status of the code.
    pub fn http_status(self) -> u16 {
        match self {
            ErrorCode::Unauthenticated => 401,
            ErrorCode::Forbidden | ErrorCode::NotMember | ErrorCode::Blocked => 403,
            ErrorCode::NotFound | ErrorCode::UnknownUser => 404,
            ErrorCode::UnknownType | ErrorCode::Invalid => 400,
            ErrorCode::TooLarge => 413,
            ErrorCode::Conflict | ErrorCode::Archived | ErrorCode::Full => 409,
            ErrorCode::RateLimited => 429,
            ErrorCode::Unavailable => 503,
            ErrorCode::Internal => 500,
        }
    }
}

/// Why a socket was closed. From 4000 to 4499 a client reconnects by itself, from 4500 to 4999 it does not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u16)]
pub enum CloseCode {
    GoingAway = 4000,
    TooSlow = 4001,
    HeartbeatMissed = 4002,
    FeedBehind = 4003,
    ProtocolError = 4500,
    NotAuthenticated = 4501,
    TokenExpired = 4502,
    SessionRevoked = 4503,
    TooManyConnections = 4504,
    VersionNotSupported = 4505,
}

impl CloseCode {
    /// The number on the wire.
    pub fn code(self) -> u16 {
        self as u16
    }

    /// The code of a number on the wire, if it is one of ours.
    pub fn from_code(code: u16) -> Option<Self> {
        use CloseCode::*;
        [
            GoingAway,
            TooSlow,
            HeartbeatMissed,
            FeedBehind,
            ProtocolError,
            NotAuthenticated,
            TokenExpired,
            SessionRevoked,
            TooManyConnections,
            VersionNotSupported,
        ]
        .into_iter()
        .find(|known| known.code() == code)
    }

    /// Whether a client reconnects by itself.
    pub fn reconnects(code: u16) -> bool {
        !(4500..5000).contains(&code)
    }

    /// The reason in the close frame.
    pub fn reason(self) -> &'static str {
        match self {
            CloseCode::GoingAway => "going away",
            CloseCode::TooSlow => "too slow",
            CloseCode::HeartbeatMissed => "heartbeat missed",
            CloseCode::FeedBehind => "this gateway's feed is behind or broken",
            CloseCode::ProtocolError => "protocol error",
            CloseCode::NotAuthenticated => "not authenticated",
            CloseCode::TokenExpired => "token expired",
            CloseCode::SessionRevoked => "session revoked",
            CloseCode::TooManyConnections => "too many connections",
            CloseCode::VersionNotSupported => "version not supported",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_two_codes_are_temporary() {
        let temporary: Vec<_> = ErrorCode::ALL.into_iter().filter(|code| code.temporary()).collect();
        assert_eq!(temporary, [ErrorCode::RateLimited, ErrorCode::Unavailable]);
    }

    #[test]
    fn a_code_is_spelled_the_same_everywhere() {
        for code in ErrorCode::ALL {
            assert_eq!(serde_json::to_value(code).expect("encodes"), code.as_str());
        }
    }

    #[test]
    fn close_codes_below_4500_reconnect() {
        assert!(CloseCode::reconnects(CloseCode::FeedBehind.code()) && CloseCode::reconnects(1006));
        assert!(!CloseCode::reconnects(CloseCode::ProtocolError.code()));
        assert_eq!(CloseCode::from_code(4502), Some(CloseCode::TokenExpired));
        assert_eq!(CloseCode::from_code(1000), None);
    }
}
