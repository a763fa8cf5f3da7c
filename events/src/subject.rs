//! Where in the log an event is written: a subject per acting user, or per user whose account it is (DESIGN of the log in
//! ARCHITECTURE.md). `CHAT` holds `chat.>`, `PRESENCE` holds `presence.>`.

use std::fmt;

use crate::ids::Uid;

/// A subject of the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Subject {
    /// What a user does in conversations: `chat.user.<uid>.message`.
    Messages(Uid),
    /// A user's account; the last event is the state: `chat.user.<uid>.account`.
    Account(Uid),
    /// A user's presence record: `presence.user.<uid>`.
    Presence(Uid),
}

impl Subject {
    /// The user in the subject.
    pub fn user(&self) -> Uid {
        match self {
            Subject::Messages(uid) | Subject::Account(uid) | Subject::Presence(uid) => *uid,
        }
    }

    /// Reads a subject, if it is one of Natter's.
    pub fn parse(subject: &str) -> Option<Self> {
        let mut tokens = subject.split('.');
        let parsed = match (tokens.next()?, tokens.next()?, tokens.next()?.parse().ok()?, tokens.next()) {
            ("chat", "user", uid, Some("message")) => Subject::Messages(uid),
            ("chat", "user", uid, Some("account")) => Subject::Account(uid),
            ("presence", "user", uid, None) => Subject::Presence(uid),
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
        for subject in [Subject::Messages(uid), Subject::Account(uid), Subject::Presence(uid)] {
            assert_eq!(Subject::parse(&subject.to_string()), Some(subject));
            assert_eq!(Subject::parse(&format!("{subject}.x")), None);
        }
        for other in ["", "chat", "chat.user.*.message", "chat.user.x.message", "presence.user"] {
            assert_eq!(Subject::parse(other), None);
        }
    }
}
