//! What can happen. One struct per event type, in its newest version; older versions are read by `upcast`.
//!
//! A stored event is never changed. A field may be added as an `Option` that old events leave out; anything else is a new
//! version of the type, with an upcaster and a golden file of its own.

use serde::{Deserialize, Serialize};

use crate::fingerprint::Fingerprint;
use crate::ids::{ConversationId, SessionId, Uid};
use crate::seal::Sealed;

/// Most revocations that an account carries: those whose access tokens may still be alive. Past it the whole account is
/// revoked up to now instead, which is safe and never needed by a person.
pub const MAX_REVOCATIONS: usize = 64;

/// Most people that one account blocks.
pub const MAX_BLOCKS: usize = 1_000;

/// Most rooms that one person is in.
pub const MAX_ROOMS: usize = 1_000;

/// Most people that are banned from one room.
pub const MAX_BANS: usize = 1_000;

/// Most owners of one room.
pub const MAX_OWNERS: usize = 100;

/// Most people that one message mentions by name.
pub const MAX_MENTIONS: usize = 50;

/// A fact. Serialized it is its body; in a text format, what is sealed is only its size.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum Event {
    MessageSent(MessageSent),
    MessageEdited(MessageEdited),
    MessageDeleted(MessageDeleted),
    ReactionAdded(ReactionAdded),
    ReactionRemoved(ReactionRemoved),
    MessagePinned(MessagePinned),
    MessageUnpinned(MessageUnpinned),
    ReadMarkerMoved(ReadMarkerMoved),
    UserRegistered(UserRegistered),
    SessionsRevoked(SessionsRevoked),
    BlockChanged(BlockChanged),
    ProfileChanged(ProfileChanged),
    PreferencesChanged(PreferencesChanged),
    MembershipChanged(MembershipChanged),
    RoomChanged(RoomChanged),
    PresenceChanged(PresenceChanged),
    ReceivedUpTo(ReceivedUpTo),
}

impl Event {
    /// The type's name in the envelope.
    pub fn kind(&self) -> &'static str {
        match self {
            Event::MessageSent(_) => MessageSent::KIND,
            Event::MessageEdited(_) => MessageEdited::KIND,
            Event::MessageDeleted(_) => MessageDeleted::KIND,
            Event::ReactionAdded(_) => ReactionAdded::KIND,
            Event::ReactionRemoved(_) => ReactionRemoved::KIND,
            Event::MessagePinned(_) => MessagePinned::KIND,
            Event::MessageUnpinned(_) => MessageUnpinned::KIND,
            Event::ReadMarkerMoved(_) => ReadMarkerMoved::KIND,
            Event::UserRegistered(_) => UserRegistered::KIND,
            Event::SessionsRevoked(_) => SessionsRevoked::KIND,
            Event::BlockChanged(_) => BlockChanged::KIND,
            Event::ProfileChanged(_) => ProfileChanged::KIND,
            Event::PreferencesChanged(_) => PreferencesChanged::KIND,
            Event::MembershipChanged(_) => MembershipChanged::KIND,
            Event::RoomChanged(_) => RoomChanged::KIND,
            Event::PresenceChanged(_) => PresenceChanged::KIND,
            Event::ReceivedUpTo(_) => ReceivedUpTo::KIND,
        }
    }

    /// The version that this program writes of the type.
    pub fn version(&self) -> u16 {
        match self {
            Event::MessageSent(_) => MessageSent::VERSION,
            Event::MessageEdited(_) => MessageEdited::VERSION,
            Event::MessageDeleted(_) => MessageDeleted::VERSION,
            Event::ReactionAdded(_) => ReactionAdded::VERSION,
            Event::ReactionRemoved(_) => ReactionRemoved::VERSION,
            Event::MessagePinned(_) => MessagePinned::VERSION,
            Event::MessageUnpinned(_) => MessageUnpinned::VERSION,
            Event::ReadMarkerMoved(_) => ReadMarkerMoved::VERSION,
            Event::UserRegistered(_) => UserRegistered::VERSION,
            Event::SessionsRevoked(_) => SessionsRevoked::VERSION,
            Event::BlockChanged(_) => BlockChanged::VERSION,
            Event::ProfileChanged(_) => ProfileChanged::VERSION,
            Event::PreferencesChanged(_) => PreferencesChanged::VERSION,
            Event::MembershipChanged(_) => MembershipChanged::VERSION,
            Event::RoomChanged(_) => RoomChanged::VERSION,
            Event::PresenceChanged(_) => PresenceChanged::VERSION,
            Event::ReceivedUpTo(_) => ReceivedUpTo::VERSION,
        }
    }
}

macro_rules! versioned {
    ($($event:ident $kind:literal v $version:literal),* $(,)?) => {
        $(impl $event {
            /// The type's name in the envelope.
            pub const KIND: &'static str = $kind;
            /// The newest version of the type.
            pub const VERSION: u16 = $version;
        }

        impl From<$event> for Event {
            fn from(event: $event) -> Self {
                Event::$event(event)
            }
        })*

        /// Every event type with the newest version of it, for tests and documentation.
        pub const CATALOGUE: &[(&str, u16)] = &[$(($kind, $version)),*];
    };
}

versioned! {
    MessageSent "MessageSent" v 1,
    MessageEdited "MessageEdited" v 1,
    MessageDeleted "MessageDeleted" v 1,
    ReactionAdded "ReactionAdded" v 1,
    ReactionRemoved "ReactionRemoved" v 1,
    MessagePinned "MessagePinned" v 1,
    MessageUnpinned "MessageUnpinned" v 1,
    ReadMarkerMoved "ReadMarkerMoved" v 1,
    UserRegistered "UserRegistered" v 1,
    SessionsRevoked "SessionsRevoked" v 1,
    BlockChanged "BlockChanged" v 1,
    ProfileChanged "ProfileChanged" v 1,
    PreferencesChanged "PreferencesChanged" v 1,
    MembershipChanged "MembershipChanged" v 1,
    RoomChanged "RoomChanged" v 1,
    PresenceChanged "PresenceChanged" v 1,
    ReceivedUpTo "ReceivedUpTo" v 1,
}

/// Someone said something. Conversation, people and client id are in the envelope.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MessageSent {
    pub text: Sealed,
    /// The message in the same conversation that this one answers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reply_to: Option<u64>,
    /// The message in the same conversation whose thread this one is said in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub thread: Option<u64>,
    /// Whom it mentions, of those who could see it; at most [`MAX_MENTIONS`].
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub mentions: Vec<Uid>,
    /// It mentions everybody in the room.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub mentions_room: bool,
    /// What a program attached: JSON, sealed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metadata: Option<Sealed>,
    pub fingerprint: Fingerprint,
}

/// The author of `message` said it otherwise. Earlier texts stay in the log, and in the read model until it is deleted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MessageEdited {
    pub message: u64,
    pub text: Sealed,
    pub fingerprint: Fingerprint,
}

/// `message` is shown no more; that it was there, is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MessageDeleted {
    pub message: u64,
    pub fingerprint: Fingerprint,
}

/// The actor reacts to `message`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReactionAdded {
    pub message: u64,
    pub emoji: Sealed,
    pub fingerprint: Fingerprint,
}

/// The actor takes a reaction back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReactionRemoved {
    pub message: u64,
    pub emoji: Sealed,
    pub fingerprint: Fingerprint,
}

/// `message` is to be found among the conversation's pinned ones.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MessagePinned {
    pub message: u64,
    pub fingerprint: Fingerprint,
}

/// `message` is pinned no more.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MessageUnpinned {
    pub message: u64,
    pub fingerprint: Fingerprint,
}

/// The actor has read the conversation up to and including `read`; or, of its threads, this one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReadMarkerMoved {
    pub read: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub thread: Option<u64>,
}

/// An account began.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UserRegistered {
    pub account: Account,
}

/// Logins of the account ended: those that `revocation` names.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SessionsRevoked {
    pub revocation: Revocation,
    pub account: Account,
}

/// The account's owner wants nothing more to do with `user`, or takes that back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BlockChanged {
    pub user: Uid,
    pub blocked: bool,
    pub account: Account,
    pub fingerprint: Fingerprint,
}

/// The account's owner wants to be shown otherwise.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProfileChanged {
    pub account: Account,
    pub fingerprint: Fingerprint,
}

/// How the actor wants the conversation of the envelope to be treated on their devices. All of it, as sealed JSON, so that
/// the last event is the state.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PreferencesChanged {
    pub preferences: Sealed,
    pub fingerprint: Fingerprint,
}

/// The whole account, in every event of its subject, so that the last one is the state (D5).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Account {
    pub handle: Sealed,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub display_name: Option<Sealed>,
    pub registered_at_ms: i64,
    pub suspended: bool,
    /// Revocations whose access tokens may still be alive, oldest first; at most [`MAX_REVOCATIONS`].
    pub revocations: Vec<Revocation>,
    /// Whom its owner has blocked, in the order in which they did; at most [`MAX_BLOCKS`].
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub blocks: Vec<Uid>,
}

/// Which logins ended, and when: tokens issued to them at or before `at_ms` are refused.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Revocation {
    pub at_ms: i64,
    pub which: RevokedSessions,
}

/// Which logins of one user are meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RevokedSessions {
    One(SessionId),
    AllBut(SessionId),
    All,
}

impl Revocation {
    /// Whether a token that was issued to `session` at `issued_at_ms` is refused.
    pub fn covers(&self, session: SessionId, issued_at_ms: i64) -> bool {
        match self.which {
            RevokedSessions::One(one) => one == session,
            RevokedSessions::AllBut(kept) => kept != session && issued_at_ms <= self.at_ms,
            RevokedSessions::All => issued_at_ms <= self.at_ms,
        }
    }
}

impl Account {
    /// The account after one more revocation. Those whose tokens ended by `oldest_token_ms` are let go.
    pub fn revoke(mut self, revocation: Revocation, oldest_token_ms: i64) -> Self {
        self.revocations.retain(|kept| kept.at_ms >= oldest_token_ms);
        let at_ms = revocation.at_ms;
        self.revocations.push(revocation);
        if self.revocations.len() > MAX_REVOCATIONS {
            self.revocations = vec![Revocation { at_ms, which: RevokedSessions::All }];
        }
        self
    }

    /// The account after `user` is blocked, or no longer is. Nothing if it blocks as many as it may.
    pub fn block(mut self, user: Uid, blocked: bool) -> Option<Self> {
        let others = self.blocks.iter().filter(|other| **other != user).count();
        if blocked && others >= MAX_BLOCKS {
            return None;
        }
        if !blocked {
            self.blocks.retain(|other| *other != user);
        } else if others == self.blocks.len() {
            self.blocks.push(user);
        }
        Some(self)
    }

    /// Whether a token that was issued to `session` at `issued_at_ms` is refused.
    pub fn refuses(&self, session: SessionId, issued_at_ms: i64) -> bool {
        self.suspended || self.revocations.iter().any(|revocation| revocation.covers(session, issued_at_ms))
    }
}

/// What someone is in a room changed: the user whose subject it stands on, in the room of the envelope.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MembershipChanged {
    pub change: MembershipChange,
    /// Every room that the user is in after it, so that the last event is the state (D5); at most [`MAX_ROOMS`].
    pub rooms: Vec<Membership>,
    /// None where the command that it comes of is answered by another event of the same batch.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fingerprint: Option<Fingerprint>,
}

/// How someone's place in a room changed. By whom is in the envelope: who joins themselves is the actor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MembershipChange {
    /// They became a member, or were made one.
    Joined,
    Left,
    Removed,
    /// They may not come back; whether they were a member or not.
    Banned,
    /// They are a member as before, with another role.
    Role,
}

/// Someone's place in one room.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Membership {
    pub room: ConversationId,
    pub role: Role,
    /// The event that their stay began with; none where it is this one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<u64>,
}

/// What a member of a room is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum Role {
    Member,
    Moderator,
    Owner,
}

impl MembershipChanged {
    /// What the user is in `room` after it; none if they are not in it.
    pub fn role_in(&self, room: ConversationId) -> Option<Role> {
        self.rooms.iter().find(|membership| membership.room == room).map(|membership| membership.role)
    }
}

/// A room began or changed. Its fields are sealed with the room's own key, since they are not one member's.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RoomChanged {
    pub change: RoomChange,
    pub room: Room,
    /// None where the command that it comes of is answered by another event of the same batch.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fingerprint: Option<Fingerprint>,
}

/// What about a room changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RoomChange {
    Created,
    /// Its name, its topic, who sees it, or that it is archived or no longer.
    Settings,
    /// Who owns it.
    Owners,
    Banned(Uid),
    Unbanned(Uid),
}

/// The whole room but for its members, in every event of its subject, so that the last one is the state (D5).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Room {
    pub name: Sealed,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub topic: Option<Sealed>,
    pub visibility: Visibility,
    /// Of a public room, the event since which it is; none where it is this one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub public_since: Option<u64>,
    /// It can be read, and nothing is said in it any more.
    pub archived: bool,
    /// At least one, at most [`MAX_OWNERS`].
    pub owners: Vec<Uid>,
    /// Who may not come back, in the order in which they were banned; at most [`MAX_BANS`].
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub bans: Vec<Uid>,
}

/// Who finds a room.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum Visibility {
    /// Anybody finds and joins it, and its members read what was said in it while it was public.
    Public,
    /// Who is not in it does not know of it.
    Private,
}

/// A user's presence as others see it changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PresenceChanged {
    pub status: PresenceStatus,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<Sealed>,
    /// The gateway incarnation that saw the change.
    pub gateway: String,
}

/// What others see of a user.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum PresenceStatus {
    Online,
    Away,
    Busy,
    Offline,
}

/// Some device of the user's has applied everything up to `seq` of the chat log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReceivedUpTo {
    pub seq: u64,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::seal::{ContentKey, Field};

    fn account() -> Account {
        let handle = ContentKey::random().seal(Uid::random(), Field::Handle, b"ada");
        Account {
            handle,
            display_name: None,
            registered_at_ms: 0,
            suspended: false,
            revocations: vec![],
            blocks: vec![],
        }
    }

    #[test]
    fn hrt4_a_revocation_refuses_the_tokens_it_names_and_no_other() {
        let (gone, kept) = (SessionId::random(), SessionId::random());
        let one = Revocation { at_ms: 10, which: RevokedSessions::One(gone) };
        assert!(one.covers(gone, 20) && !one.covers(kept, 5));
        let others = Revocation { at_ms: 10, which: RevokedSessions::AllBut(kept) };
        assert!(others.covers(gone, 10) && !others.covers(gone, 11) && !others.covers(kept, 5));
        let all = Revocation { at_ms: 10, which: RevokedSessions::All };
        assert!(all.covers(kept, 10) && !all.covers(kept, 11));
    }

    #[test]
    fn hrt4_an_account_forgets_revocations_only_when_their_tokens_have_ended() {
        let session = SessionId::random();
        let account = account().revoke(Revocation { at_ms: 10, which: RevokedSessions::One(session) }, 0);
        assert!(account.refuses(session, 9));
        let later = account.revoke(Revocation { at_ms: 100, which: RevokedSessions::One(SessionId::random()) }, 50);
        assert!(!later.refuses(session, 9));
    }

    #[test]
    fn cmd7_blocking_is_once_and_bounded_and_can_be_taken_back() {
        let (ben, eve) = (Uid::from_bytes([1; 16]), Uid::from_bytes([2; 16]));
        let both = [ben, eve, ben].into_iter().fold(account(), |one, user| one.block(user, true).expect("room"));
        assert_eq!(both.blocks, [ben, eve]);
        assert_eq!(both.clone().block(ben, false).map(|one| one.blocks), Some(vec![eve]));
        let full = Account { blocks: (0..MAX_BLOCKS).map(|_| Uid::random()).collect(), ..both };
        assert_eq!(full.clone().block(ben, true), None);
        let known = full.blocks[7];
        assert!(full.clone().block(known, true).is_some_and(|one| one.blocks.len() == MAX_BLOCKS));
        assert!(full.block(known, false).is_some_and(|one| one.blocks.len() == MAX_BLOCKS - 1));
    }

    #[test]
    fn hrt4_past_the_bound_the_whole_account_is_revoked_rather_than_one_forgotten() {
        let first = SessionId::random();
        let mut account = account().revoke(Revocation { at_ms: 1, which: RevokedSessions::One(first) }, 0);
        for at_ms in 2..=(MAX_REVOCATIONS as i64 + 1) {
            account = account.revoke(Revocation { at_ms, which: RevokedSessions::One(SessionId::random()) }, 0);
        }
        assert_eq!(account.revocations.len(), 1);
        assert!(account.refuses(first, 1));
    }
}
