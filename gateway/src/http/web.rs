//! The web client, as it was built into this binary, with the headers that keep it safe.

use axum::Router;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, ETAG, IF_NONE_MATCH};
use http::{HeaderMap, StatusCode, Uri};
use rust_embed::RustEmbed;

/// Scripts, styles and connections of our own only; no frames around or within.
const POLICY: &str = "default-src 'self'; connect-src 'self'; img-src 'self' data:; object-src 'none'; \
    base-uri 'none'; form-action 'self'; frame-ancestors 'none'; require-trusted-types-for 'script'";
/// Built files carry a hash in their names, and never change under one.
const FOR_EVER: &str = "public, max-age=31536000, immutable";

#[derive(RustEmbed)]
#[folder = "../web/dist"]
#[allow_missing = true]
struct Assets;

/// `GET /` and everything that it loads.
pub fn routes() -> Router {
    Router::new()
        .route("/", get(page))
        .route("/assets/{*file}", get(asset))
        .route("/favicon.svg", get(asset))
        .route("/c/{*conversation}", get(page))
}

async fn page(headers: HeaderMap) -> Response {
    serve("index.html", &headers)
}

async fn asset(uri: Uri, headers: HeaderMap) -> Response {
    serve(uri.path().trim_start_matches('/'), &headers)
}

fn serve(path: &str, asked: &HeaderMap) -> Response {
    let Some(file) = Assets::get(path) else {
        if path == "index.html" {
            return (StatusCode::NOT_FOUND, "This binary was built without its web client; see the README.\n")
                .into_response();
        }
        return natter_platform::Problem::from(natter_protocol::ErrorCode::NotFound).into_response();
    };
    let etag = format!("\"{}\"", hex(&file.metadata.sha256_hash()[..16]));
    let cache = if path.starts_with("assets/") { FOR_EVER } else { "no-cache" };
    // Also with a 304, whose headers take the place of those that the browser had kept.
    let headers = [(CACHE_CONTROL, cache), (CONTENT_SECURITY_POLICY, POLICY), (ETAG, etag.as_str())];
    if asked.get(IF_NONE_MATCH).is_some_and(|known| known.as_bytes() == etag.as_bytes()) {
        return (StatusCode::NOT_MODIFIED, headers).into_response();
    }
    let kind = [(CONTENT_TYPE, content_type(file.metadata.mimetype()))];
    (headers, kind, file.data).into_response()
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
}
