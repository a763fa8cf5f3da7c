//! One login of one device, and what presenting its refresh secret means. Decisions only; `sessions` keeps them.
//!
//! A secret is replaced by its successor when it is used. The successor is a hash of the secret with a random salt that is
//! stored: so whoever presents the replaced secret within a minute gets the very same successor (a second tab; an answer
//! that was lost; another gateway), and what is stored is not enough to make one.

use blake3::Hash;
use natter_events::Uid;
use natter_protocol::Handle;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::cookie::RefreshToken;

/// How long a secret that was replaced is still good. A secret is replaced at most once in that time.
pub(super) const GRACE_MS: u64 = 60_000;

const SECRET_CONTEXT: &str = "natter 2026 refresh secret";
const PROOF_CONTEXT: &str = "natter 2026 refresh proof";

/// A login, as it is stored.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct RefreshSession {
    pub uid: Uid,
    pub handle: Handle,
    pub login_at_ms: u64,
    /// Which of the user's passwords it began with.
    pub password_version: u32,
    proof: Digest,
    current: Digest,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    previous: Option<Previous>,
    /// It has ended, and the revocation of its tokens may still have to be written.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    ended: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Previous {
    secret: Digest,
    /// What makes the current secret from it.
    salt: Digest,
    replaced_at_ms: u64,
}

/// What presenting a secret means.
#[derive(PartialEq, Eq)]
pub(super) enum Presented {
    /// It is good, and is replaced: store this, then give that.
    Renewed(Box<RefreshSession>, RefreshToken),
    /// It is good, and what is stored stays.
    Good(RefreshToken),
    /// It was good once: someone has a copy, and nobody can tell who is the thief.
    Stolen,
    /// The login has ended.
    Ended,
    /// It was never good.
    Forged,
}

impl RefreshSession {
    /// A new login that begins with `token`.
    pub fn new(uid: Uid, handle: Handle, login_at_ms: u64, password_version: u32, token: &RefreshToken) -> Self {
        Self {
            uid,
            handle,
            login_at_ms,
            password_version,
            proof: Digest::of(PROOF_CONTEXT, &token.proof),
            current: Digest::of(SECRET_CONTEXT, &token.secret),
            previous: None,
            ended: false,
        }
    }

    /// Decides about a token of this session. `salt` is random and used if the secret is replaced.
    pub fn present(&self, token: &RefreshToken, now_ms: u64, salt: [u8; 32]) -> Presented {
        if !self.proves(token) {
            return Presented::Forged;
        }
        if self.ended {
            return Presented::Ended;
        }
        let shown = Digest::of(SECRET_CONTEXT, &token.secret);
        let fresh =
            self.previous.as_ref().filter(|previous| now_ms.saturating_sub(previous.replaced_at_ms) <= GRACE_MS);
        match fresh {
            Some(_) if shown == self.current => Presented::Good(token.clone()),
            Some(previous) if shown == previous.secret => Presented::Good(successor(token, &previous.salt)),
            None if shown == self.current => {
                let salt = Digest(Hash::from_bytes(salt));
                let next = successor(token, &salt);
                let previous = Some(Previous { secret: shown, salt, replaced_at_ms: now_ms });
                let current = Digest::of(SECRET_CONTEXT, &next.secret);
                Presented::Renewed(Box::new(Self { current, previous, ..self.clone() }), next)
            }
            _ => Presented::Stolen,
        }
    }

    /// Whether the token is, or once was, one of this session's: enough to end it.
    pub fn proves(&self, token: &RefreshToken) -> bool {
        Digest::of(PROOF_CONTEXT, &token.proof) == self.proof
    }

    /// The session, ended.
    pub fn ended(&self) -> Self {
        Self { ended: true, previous: None, ..self.clone() }
    }

    pub fn has_ended(&self) -> bool {
        self.ended
    }
}

fn successor(token: &RefreshToken, salt: &Digest) -> RefreshToken {
    RefreshToken { secret: *blake3::keyed_hash(&token.secret, salt.0.as_bytes()).as_bytes(), ..token.clone() }
}

/// 32 bytes, compared in constant time, stored as hex.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Digest(Hash);

impl Digest {
    fn of(context: &str, secret: &[u8]) -> Self {
        Self(Hash::from_bytes(blake3::derive_key(context, secret)))
    }
}

impl Serialize for Digest {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0.to_hex())
    }
}

impl<'de> Deserialize<'de> for Digest {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Hash::from_hex(text).map(Self).map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use natter_events::SessionId;

    use super::*;

    const START: u64 = 1_790_000_000_000;

    fn login() -> (RefreshSession, RefreshToken) {
        let token = RefreshToken::random(SessionId::random());
        let handle = "ada".parse().expect("a handle");
        (RefreshSession::new(Uid::random(), handle, START, 0, &token), token)
    }

    fn present(session: &RefreshSession, token: &RefreshToken, now_ms: u64) -> Presented {
        session.present(token, now_ms, rand::random())
    }

    fn renewed(presented: Presented) -> (RefreshSession, RefreshToken) {
        match presented {
            Presented::Renewed(session, token) => (*session, token),
            _ => panic!("not renewed"),
        }
    }

    #[test]
    fn a_used_secret_is_replaced_and_its_successor_is_good() {
        let (session, first) = login();
        let (session, second) = renewed(present(&session, &first, START + 1));
        assert!(second != first && second.proof == first.proof);
        assert!(present(&session, &second, START + 2) == Presented::Good(second.clone()), "not again within a minute");
        let (_, third) = renewed(present(&session, &second, START + 2 + GRACE_MS));
        assert!(third != second);
    }

    #[test]
    fn a_replaced_secret_gives_the_same_successor_for_60_s_and_ends_the_session_after() {
        let (session, first) = login();
        let (session, second) = renewed(present(&session, &first, START));
        assert!(present(&session, &first, START) == Presented::Good(second.clone()));
        assert!(present(&session, &first, START + 60_000) == Presented::Good(second.clone()));
        assert!(present(&session, &first, START + 60_001) == Presented::Stolen);
        // A clock that was set back makes nobody a thief.
        assert!(present(&session, &first, START - 5_000) == Presented::Good(second.clone()));
        let (session, _) = renewed(present(&session, &second, START + 60_001));
        assert!(present(&session, &first, START + 60_002) == Presented::Stolen, "older than the previous one");
    }

    #[test]
    fn a_secret_that_never_was_changes_nothing_and_knowing_the_session_is_not_enough_to_end_it() {
        let (session, first) = login();
        let forged = RefreshToken::random(first.session);
        assert!(present(&session, &forged, START) == Presented::Forged);
        assert!(!session.proves(&forged) && session.proves(&first));
        let guessed = RefreshToken { proof: forged.proof, ..first };
        assert!(present(&session, &guessed, START) == Presented::Forged);
    }

    #[test]
    fn an_ended_session_takes_no_secret() {
        let (session, first) = login();
        assert!(present(&session.ended(), &first, START) == Presented::Ended);
    }

    #[test]
    fn what_is_stored_holds_no_secret_and_reads_back() {
        let (session, first) = login();
        let (session, second) = renewed(present(&session, &first, START));
        let stored = serde_json::to_string(&session).expect("encodes");
        for secret in [first.secret, second.secret] {
            assert!(!stored.contains(&*Hash::from_bytes(secret).to_hex()), "{stored}");
        }
        assert_eq!(serde_json::from_str::<RefreshSession>(&stored).expect("reads"), session);
        let broken = stored.replace("\"current\":\"", "\"current\":\"zz");
        assert!(serde_json::from_str::<RefreshSession>(&broken).is_err());
    }
}
