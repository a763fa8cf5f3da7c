//! The web client, as it was built into this binary, with the headers that keep it safe.
//!
//! Its build leaves compressed forms beside each file that gets smaller by it, so that nothing is compressed while somebody
//! waits. They are files of the binary and not of a disk, which is why it is not `tower_http`'s `ServeDir` that picks one.

use axum::Router;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use http::header::{
    ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_SECURITY_POLICY, CONTENT_TYPE, ETAG, IF_NONE_MATCH, VARY,
};
use http::{HeaderMap, StatusCode, Uri};
use natter_platform::Problem;
use natter_protocol::ErrorCode;
use rust_embed::{EmbeddedFile, RustEmbed};

use super::encoding::Encoding;

/// Scripts, styles and connections of our own only; no frames around or within. One policy may make what Trusted Types
/// guard, and it makes nothing but the address of the service worker.
const POLICY: &str = "default-src 'self'; connect-src 'self'; img-src 'self' data:; worker-src 'self'; \
    manifest-src 'self'; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; \
    require-trusted-types-for 'script'; trusted-types natter";
/// A worker lives by the policy of its own answer: it fetches from here, and runs nothing but itself.
const WORKER_POLICY: &str = "default-src 'none'; connect-src 'self'; frame-ancestors 'none'; \
    require-trusted-types-for 'script'; trusted-types 'none'";
/// Built files carry a hash in their names, and never change under one.
const FOR_EVER: &str = "public, max-age=31536000, immutable";
/// Kept, and asked about each time.
const ASKED_ABOUT: &str = "no-cache";

const PAGE: &str = "index.html";
const WORKER: &str = "sw.js";

#[derive(RustEmbed)]
#[folder = "../web/dist"]
#[allow_missing = true]
struct Assets;

/// `GET /` and everything that it loads.
pub fn routes() -> Router {
    Router::new()
        .route("/", get(page))
        .route("/assets/{*file}", get(asset))
        .route("/icons/{*file}", get(asset))
        .route("/favicon.svg", get(asset))
        .route("/manifest.webmanifest", get(asset))
        .route("/sw.js", get(asset))
        .route("/c/{*conversation}", get(page))
}

async fn page(headers: HeaderMap) -> Response {
    match Form::of(PAGE, &headers) {
        Some(form) => form.answer(PAGE, &headers),
        None => {
            let why = "This binary was built without its web client; see the README.\n";
            (StatusCode::NOT_FOUND, why).into_response()
        }
    }
}

async fn asset(uri: Uri, headers: HeaderMap) -> Response {
    let path = uri.path().trim_start_matches('/');
    match Form::of(path, &headers) {
        Some(form) => form.answer(path, &headers),
        None => Problem::from(ErrorCode::NotFound).into_response(),
    }
}

/// A file in the form that it is sent in.
struct Form {
    kind: String,
    encoding: Encoding,
    file: EmbeddedFile,
}

impl Form {
    /// The most welcome form of a file, if there is such a file.
    fn of(path: &str, asked: &HeaderMap) -> Option<Self> {
        // A compressed form is no file of its own.
        if [Encoding::Brotli, Encoding::Gzip].iter().any(|form| path.ends_with(form.suffix())) {
            return None;
        }
        let kind = content_type(Assets::get(path)?.metadata.mimetype());
        let stored = |encoding: Encoding| Some((encoding, Assets::get(&format!("{path}{}", encoding.suffix()))?));
        let (encoding, file) = Encoding::accepted(asked).into_iter().find_map(stored)?;
        Some(Self { kind, encoding, file })
    }

    fn answer(self, path: &str, asked: &HeaderMap) -> Response {
        // Each form has other bytes, and so another tag.
        let etag = format!("\"{}\"", hex(&self.file.metadata.sha256_hash()[..16]));
        let cache = if path.starts_with("assets/") { FOR_EVER } else { ASKED_ABOUT };
        let policy = if path == WORKER { WORKER_POLICY } else { POLICY };
        // Also with a 304, whose headers take the place of those that the browser had kept.
        let headers = [
            (CACHE_CONTROL, cache),
            (CONTENT_SECURITY_POLICY, policy),
            (ETAG, etag.as_str()),
            (VARY, ACCEPT_ENCODING.as_str()),
        ];
        if asked.get_all(IF_NONE_MATCH).iter().any(|known| names(known.as_bytes(), etag.as_bytes())) {
            return (StatusCode::NOT_MODIFIED, headers).into_response();
        }
        let kind = [(CONTENT_TYPE, self.kind)];
        let mut response = (headers, kind, self.file.data).into_response();
        if let Some(name) = self.encoding.name() {
            response.headers_mut().insert(CONTENT_ENCODING, http::HeaderValue::from_static(name));
        }
        response
    }
}

/// Whether a list of tags names this one. A proxy that packs a file makes its tag a weak one, and it is good all the same.
fn names(list: &[u8], etag: &[u8]) -> bool {
    list.split(|byte| *byte == b',').map(<[u8]>::trim_ascii).any(|tag| {
        let tag = tag.strip_prefix(b"W/").unwrap_or(tag);
        tag == b"*" || tag == etag
    })
}

/// Text says how it is encoded, so that nobody has to guess.
fn content_type(kind: &str) -> String {
    if kind.starts_with("text/") { format!("{kind}; charset=utf-8") } else { kind.to_owned() }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_say_how_they_are_encoded() {
        assert_eq!(content_type("text/html"), "text/html; charset=utf-8");
        assert_eq!(content_type("image/svg+xml"), "image/svg+xml");
    }

    #[test]
    fn a_tag_is_found_in_a_list_of_them() {
        for list in ["\"a\"", "W/\"a\"", "\"b\" , \"a\"", "\"b\",W/\"a\"", "*"] {
            assert!(names(list.as_bytes(), b"\"a\""), "{list}");
        }
        for list in ["", "a", "\"ab\"", "\"b\"", "w/\"a\"", ","] {
            assert!(!names(list.as_bytes(), b"\"a\""), "{list}");
        }
    }
}
