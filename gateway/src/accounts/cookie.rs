//! The refresh cookie: `natter_refresh=<session>.<secret>`, for `/auth` only, never for scripts.

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::header::COOKIE;
use http::{HeaderMap, HeaderValue};
use natter_events::SessionId;
use natter_platform::secret::Secret;

pub(super) const NAME: &str = "natter_refresh";

const PROOF_BYTES: usize = 16;
const SECRET_BYTES: usize = 32;

/// What a refresh cookie holds.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct RefreshToken {
    pub session: SessionId,
    /// The same as long as the login lasts. It tells a secret that was replaced, and may have been stolen, from one that
    /// never was: knowing a session's id is not enough to end it.
    pub proof: [u8; PROOF_BYTES],
    /// Replaced as it is used.
    pub secret: [u8; SECRET_BYTES],
}

impl RefreshToken {
    /// The token of a new login.
    pub fn random(session: SessionId) -> Self {
        Self { session, proof: rand::random(), secret: rand::random() }
    }

    fn encode(&self) -> Secret {
        let mut bytes = [0; PROOF_BYTES + SECRET_BYTES];
        bytes[..PROOF_BYTES].copy_from_slice(&self.proof);
        bytes[PROOF_BYTES..].copy_from_slice(&self.secret);
        Secret::new(format!("{}.{}", self.session, URL_SAFE_NO_PAD.encode(bytes)))
    }

    fn decode(value: &str) -> Option<Self> {
        let (session, secrets) = value.split_once('.')?;
        // The decoder takes no other length than this; checked first, so that a long value costs nothing.
        if secrets.len() != (PROOF_BYTES + SECRET_BYTES) / 3 * 4 {
            return None;
        }
        let bytes = URL_SAFE_NO_PAD.decode(secrets).ok()?;
        let (proof, secret) = bytes.split_first_chunk::<PROOF_BYTES>()?;
        Some(Self { session: session.parse().ok()?, proof: *proof, secret: secret.try_into().ok()? })
    }
}

/// The token in a request's cookie, if there is exactly one and it reads. Two of the same name can only be an attempt of a
/// neighbouring site to slip in its own.
pub(super) fn read(headers: &HeaderMap) -> Option<RefreshToken> {
    let pairs =
        headers.get_all(COOKIE).iter().filter_map(|value| value.to_str().ok()).flat_map(|value| value.split(';'));
    let mut ours = pairs.filter_map(|pair| pair.trim().split_once('=')).filter(|(name, _)| *name == NAME);
    match (ours.next(), ours.next()) {
        (Some((_, value)), None) => RefreshToken::decode(value),
        _ => None,
    }
}

/// Sets the cookie.
pub(super) fn set(token: &RefreshToken, ttl: Duration, secure: bool) -> HeaderValue {
    header(token.encode().expose(), ttl.as_secs(), secure)
}

/// Takes the cookie away.
pub(super) fn clear(secure: bool) -> HeaderValue {
    header("", 0, secure)
}

fn header(value: &str, max_age_s: u64, secure: bool) -> HeaderValue {
    let secure = if secure { "; Secure" } else { "" };
    let cookie = format!("{NAME}={value}; HttpOnly; SameSite=Strict; Path=/auth; Max-Age={max_age_s}{secure}");
    // Hex, base64 and the words above are all good in a header.
    let mut cookie = HeaderValue::from_str(&cookie).unwrap_or(HeaderValue::from_static(""));
    cookie.set_sensitive(true);
    cookie
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(cookies: &[&str]) -> HeaderMap {
        cookies.iter().map(|cookie| (COOKIE, HeaderValue::from_str(cookie).expect("a header"))).collect()
    }

    fn value(cookie: &HeaderValue) -> String {
        cookie.to_str().expect("text").split(';').next().expect("a pair").to_owned()
    }

    #[test]
    fn a_cookie_reads_back_among_others() {
        let token = RefreshToken::random(SessionId::random());
        let pair = value(&set(&token, Duration::from_secs(60), false));
        assert!(read(&headers(&[&format!("a=b; {pair};c=d")])).as_ref() == Some(&token));
        assert!(read(&headers(&["a=b", &pair])).as_ref() == Some(&token));
    }

    #[test]
    fn a_cookie_is_kept_from_scripts_other_sites_and_other_paths() {
        let token = RefreshToken::random(SessionId::random());
        let cookie = set(&token, Duration::from_secs(14 * 24 * 3600), true);
        let shown = cookie.to_str().expect("text");
        assert!(shown.ends_with("; HttpOnly; SameSite=Strict; Path=/auth; Max-Age=1209600; Secure"), "{shown}");
        assert!(!set(&token, Duration::ZERO, false).to_str().expect("text").contains("Secure"));
        assert_eq!(
            clear(false).to_str().ok(),
            Some("natter_refresh=; HttpOnly; SameSite=Strict; Path=/auth; Max-Age=0")
        );
        assert_eq!(format!("{cookie:?}"), "Sensitive", "a cookie may not be shown in a log");
    }

    #[test]
    fn a_cookie_that_is_missing_malformed_oversized_or_doubled_is_none() {
        let token = RefreshToken::random(SessionId::random());
        let pair = value(&set(&token, Duration::ZERO, false));
        let (session, secret) = (token.session.to_string(), "A".repeat(64));
        for cookies in [
            vec![],
            vec!["natter_refresh"],
            vec!["natter_refresh="],
            vec!["natter_refresh=."],
            vec![&*format!("natter_refresh={session}")],
            vec![&*format!("natter_refresh={session}.")],
            vec![&*format!("natter_refresh={session}.{}", "A".repeat(63))],
            vec![&*format!("natter_refresh={session}.{}", "!".repeat(64))],
            vec![&*format!("natter_refresh={session}.{}", "A".repeat(100_000))],
            vec![&*format!("natter_refresh=../{session}.{secret}")],
            vec![&*format!("natter_refresh=*.{secret}")],
            vec![&*format!("NATTER_REFRESH={session}.{secret}")],
            vec![&*pair, &*pair],
            vec![&*format!("{pair}; {pair}")],
        ] {
            assert!(read(&headers(&cookies)).is_none(), "{cookies:?}");
        }
        assert!(read(&headers(&[&format!("natter_refresh={session}.{secret}")])).is_some());
    }
}
