//! Cursors: where the next page of a list begins (HST1).
//!
//! A cursor is opaque to clients. Inside it is a version, a digest, and the key of the last item of the page before. The
//! digest covers the caller, the route, the parameters and the key, so a cursor that was cut, changed, or made for another
//! query is told from a good one. It is no secret and protects nothing: what a page may show is decided for every page
//! anew, whatever the cursor says.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use natter_events::Uid;

/// The first byte of every cursor. Cursors of another version are refused: the client begins again at the first page.
const VERSION: u8 = 1;
const DIGEST_BYTES: usize = 8;
/// Longest key inside a cursor: a room's name, with the room.
const MAX_KEY_BYTES: usize = 512;
/// Longest cursor that is looked at, as text.
const MAX_CURSOR_CHARS: usize = (1 + DIGEST_BYTES + MAX_KEY_BYTES).div_ceil(3) * 4;

/// The cursor is not one that this query gave out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "`cursor` is not one that this query gave out: repeat the parameters of the first page, or begin again without it"
)]
pub struct InvalidCursor;

/// The query that a cursor belongs to.
#[derive(Clone)]
pub struct Query(blake3::Hasher);

/// What a list is ordered by.
pub trait Key: Sized {
    fn to_bytes(&self) -> Vec<u8>;
    fn from_bytes(bytes: &[u8]) -> Option<Self>;
}

impl Query {
    /// The query of one caller on one route. The `limit` is not part of it: pages of one list may differ in size.
    pub fn new(caller: Uid, route: &'static str) -> Self {
        let mut hasher = blake3::Hasher::new();
        hasher.update(caller.as_bytes());
        Self(hasher).with(route.as_bytes())
    }

    /// The same query with one more parameter; their order matters.
    pub fn with(mut self, parameter: &[u8]) -> Self {
        // The length in front keeps ("ab", "c") apart from ("a", "bc").
        self.0.update(&(parameter.len() as u64).to_be_bytes());
        self.0.update(parameter);
        self
    }

    /// The cursor of the page that follows the item with this key.
    pub fn encode(&self, key: &impl Key) -> String {
        let key = key.to_bytes();
        let mut bytes = Vec::with_capacity(1 + DIGEST_BYTES + key.len());
        bytes.push(VERSION);
        bytes.extend_from_slice(&self.digest(&key));
        bytes.extend_from_slice(&key);
        URL_SAFE_NO_PAD.encode(bytes)
    }

    /// The key in a cursor of this query.
    pub fn decode<K: Key>(&self, cursor: &str) -> Result<K, InvalidCursor> {
        if cursor.len() > MAX_CURSOR_CHARS {
            return Err(InvalidCursor);
        }
        let bytes = URL_SAFE_NO_PAD.decode(cursor).map_err(|_| InvalidCursor)?;
        let (&version, rest) = bytes.split_first().ok_or(InvalidCursor)?;
        let (digest, key) = rest.split_first_chunk::<DIGEST_BYTES>().ok_or(InvalidCursor)?;
        if version != VERSION || *digest != self.digest(key) {
            return Err(InvalidCursor);
        }
        K::from_bytes(key).ok_or(InvalidCursor)
    }

    fn digest(&self, key: &[u8]) -> [u8; DIGEST_BYTES] {
        let mut digest = [0; DIGEST_BYTES];
        self.clone().with(key).0.finalize_xof().fill(&mut digest);
        digest
    }
}

/// A sequence of the log.
impl Key for u64 {
    fn to_bytes(&self) -> Vec<u8> {
        self.to_be_bytes().to_vec()
    }

    fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let seq = u64::from_be_bytes(bytes.try_into().ok()?);
        (seq < 1 << 53).then_some(seq)
    }
}

/// A person.
impl Key for Uid {
    fn to_bytes(&self) -> Vec<u8> {
        self.as_bytes().to_vec()
    }

    fn from_bytes(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(Self::from_bytes)
    }
}

/// A room, in the order of names.
impl Key for (String, natter_events::ConversationId) {
    fn to_bytes(&self) -> Vec<u8> {
        [self.1.as_bytes(), self.0.as_bytes()].concat()
    }

    fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (room, name) = bytes.split_first_chunk()?;
        Some((str::from_utf8(name).ok()?.to_owned(), natter_events::ConversationId::from_bytes(*room)))
    }
}

/// A handle.
impl Key for natter_protocol::Handle {
    fn to_bytes(&self) -> Vec<u8> {
        self.as_str().as_bytes().to_vec()
    }

    fn from_bytes(bytes: &[u8]) -> Option<Self> {
        std::str::from_utf8(bytes).ok()?.parse().ok()
    }
}

#[cfg(test)]
mod tests {
    use natter_protocol::Handle;
    use proptest::prelude::*;

    use super::*;

    const CALLER: Uid = Uid::from_bytes([7; 16]);

    fn query() -> Query {
        Query::new(CALLER, "messages").with(b"before").with(b"9")
    }

    #[test]
    fn hst1_a_cursor_reads_back_as_its_key() {
        assert_eq!(query().decode(&query().encode(&42u64)), Ok(42u64));
        let ada: Handle = "x".repeat(32).parse().expect("a handle");
        assert_eq!(query().decode(&query().encode(&ada)), Ok(ada));
    }

    #[test]
    fn hst1_a_cursor_of_another_query_is_refused() {
        let cursor = query().encode(&42u64);
        for other in [
            Query::new(Uid::from_bytes([8; 16]), "messages").with(b"before").with(b"9"),
            Query::new(CALLER, "changes").with(b"before").with(b"9"),
            Query::new(CALLER, "messages").with(b"before").with(b"8"),
            Query::new(CALLER, "messages").with(b"before9").with(b""),
            Query::new(CALLER, "messages").with(b"before"),
        ] {
            assert_eq!(other.decode::<u64>(&cursor), Err(InvalidCursor));
        }
        assert_eq!(query().decode::<Handle>(&cursor), Err(InvalidCursor), "a key of another kind");
    }

    #[test]
    fn hst1_a_cursor_has_one_spelling_and_a_bounded_size() {
        let cursor = query().encode(&42u64);
        for bad in [
            "".to_owned(),
            "=".to_owned(),
            format!("{cursor}="),
            format!("{cursor}A"),
            format!(" {cursor}"),
            cursor[1..].to_owned(),
            cursor[..cursor.len() - 1].to_owned(),
            "A".repeat(1_000_000),
            "\0".repeat(12),
            "ä".repeat(8),
            "' OR 1=1 --".to_owned(),
            query().encode(&(1u64 << 53)),
        ] {
            assert_eq!(query().decode::<u64>(&bad), Err(InvalidCursor), "{bad:.40}");
        }
    }

    proptest! {
        #[test]
        fn hst1_a_changed_cursor_is_refused(seq in 0u64..1 << 53, at in 0usize..17, to in any::<u8>()) {
            let mut bytes = URL_SAFE_NO_PAD.decode(query().encode(&seq)).expect("base64");
            prop_assume!(bytes[at] != to);
            bytes[at] = to;
            prop_assert_eq!(query().decode::<u64>(&URL_SAFE_NO_PAD.encode(bytes)), Err(InvalidCursor));
        }

        #[test]
        fn hst1_hostile_cursors_never_panic(cursor in "\\PC{0,200}") {
            prop_assert_eq!(query().decode::<u64>(&cursor), Err(InvalidCursor));
        }
    }
}
