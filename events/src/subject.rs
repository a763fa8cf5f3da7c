//! Where in the log an event is written: a subject per acting user, per user whose account or rooms they are, or per room
//! (see "The log" in ARCHITECTURE.md). `CHAT` holds `chat.>`, `PRESENCE` holds `presence.>`.

use std::fmt;

use crate::ids::{ConversationId, Uid};

/// A subject of the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Subject {
    /// What a user does in conversations: `chat.user.<uid>.message`.
    Messages(Uid),
    /// A user's account; the last event is the state: `chat.user.<uid>.account`.
    Account(Uid),
    /// The rooms that a user is in; the last event is the state: `chat.user.<uid>.rooms`.
    Rooms(Uid),
    /// A room's settings; the last event is the state: `chat.room.<room>`.
    Room(ConversationId),
    /// A user's presence record: `presence.user.<uid>`.
    Presence(Uid),
}

impl Subject {
    /// Whose key seals what is written there: the user in it, or the room.
    pub fn owner(&self) -> Uid {
        match self {
            Subject::Messages(uid) | Subject::Account(uid) | Subject::Rooms(uid) | Subject::Presence(uid) => *uid,
            Subject::Room(room) => room.as_owner(),
        }
    }

    /// Reads a subject, if it is one of Natter's.
    pub fn parse(subject: &str) -> Option<Self> {
        let mut tokens = subject.split('.');
        let parsed = match (tokens.next()?, tokens.next()?, tokens.next()?, tokens.next()) {
            ("chat", "user", uid, Some("message")) => Subject::Messages(uid.parse().ok()?),
            ("chat", "user", uid, Some("account")) => Subject::Account(uid.parse().ok()?),
            ("chat", "user", uid, Some("rooms")) => Subject::Rooms(uid.parse().ok()?),
            ("chat", "room", room, None) => Subject::Room(room.parse().ok()?),
            ("presence", "user", uid, None) => Subject::Presence(uid.parse().ok()?),
            _ => return None,
        };
        tokens.next().is_none().then_some(parsed)
    }
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Subject::Messages(uid) => write!(f, "chat.user.{uid}.message"),
            Subject::Account(uid) => write!(f, "chat.user.{uid}.account"),
            Subject::Rooms(uid) => write!(f, "chat.user.{uid}.rooms"),
            Subject::Room(room) => write!(f, "chat.room.{room}"),
            Subject::Presence(uid) => write!(f, "presence.user.{uid}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_subject_reads_back_as_itself_and_nothing_else_reads() {
        let uid = Uid::random();
        let room = ConversationId::from(uid.as_uuid());
        for subject in [
            Subject::Messages(uid),
            Subject::Account(uid),
            Subject::Rooms(uid),
            Subject::Room(room),
            Subject::Presence(uid),
        ] {
            assert_eq!(Subject::parse(&subject.to_string()), Some(subject));
            assert_eq!(Subject::parse(&format!("{subject}.x")), None);
        }
        for other in ["", "chat", "chat.user.*.message", "chat.user.x.message", "presence.user"] {
            assert_eq!(Subject::parse(other), None);
        }
    }
}
