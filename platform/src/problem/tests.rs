use std::time::Duration;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::routing::{get, post};
use http::{HeaderMap, Request};
use serde::Deserialize;
use tower::ServiceExt;

use super::*;

#[derive(Deserialize)]
struct Said {
    text: String,
    #[serde(default)]
    times: u32,
}

fn router() -> Router {
    let said = |JsonBody(said): JsonBody<Said>| async move { said.text.repeat(said.times as usize + 1) };
    let asked = |QueryParams(said): QueryParams<Said>| async move { said.text };
    let at = |PathParams(seq): PathParams<u64>| async move { seq.to_string() };
    let router = Router::new().route("/said", post(said)).route("/asked", get(asked)).route("/at/{seq}", get(at));
    router.fallback(not_found).method_not_allowed_fallback(method_not_allowed).layer(crate::http::body_limit(64))
}

async fn answer(response: Response) -> (StatusCode, HeaderMap, Vec<u8>) {
    let (status, headers) = (response.status(), response.headers().clone());
    (status, headers, to_bytes(response.into_body(), 10_000).await.expect("a body").to_vec())
}

async fn document(request: Request<Body>) -> (HeaderMap, ProblemDocument) {
    let (status, headers, body) = answer(router().oneshot(request).await.expect("infallible")).await;
    assert_eq!(headers[CONTENT_TYPE], MEDIA_TYPE, "{}", String::from_utf8_lossy(&body));
    let document: ProblemDocument = serde_json::from_slice(&body).expect("a problem document");
    assert_eq!(document.status, status.as_u16());
    (headers, document)
}

fn post_said(content_type: &str, body: impl Into<Body>) -> Request<Body> {
    Request::post("/said").header(CONTENT_TYPE, content_type).body(body.into()).expect("a request")
}

fn get_at(uri: &str) -> Request<Body> {
    Request::get(uri).body(Body::empty()).expect("a request")
}

#[tokio::test]
async fn every_code_is_a_document_with_its_own_status() {
    for code in ErrorCode::ALL {
        let (status, headers, body) = answer(Problem::new(code, "why").into_response()).await;
        let document: ProblemDocument = serde_json::from_slice(&body).expect("a problem document");
        assert_eq!(status.as_u16(), code.http_status());
        assert_eq!((document.code, document.temporary, document.status), (code, code.temporary(), status.as_u16()));
        assert_eq!((document.kind.as_str(), document.detail.as_deref()), ("about:blank", Some("why")));
        assert_eq!(Some(document.title.as_str()), status.canonical_reason());
        assert_eq!(headers.contains_key(WWW_AUTHENTICATE), status == StatusCode::UNAUTHORIZED);
    }
}

#[tokio::test]
async fn retry_after_is_whole_seconds_rounded_up_beside_exact_milliseconds() {
    for (wait, seconds, ms) in [
        (Duration::from_millis(1), "1", 1),
        (Duration::from_millis(1_000), "1", 1_000),
        (Duration::from_millis(1_001), "2", 1_001),
        (Duration::from_nanos(1), "1", 1),
    ] {
        let problem = Problem::from(ErrorCode::RateLimited).retry_after(wait);
        let (_, headers, body) = answer(problem.into_response()).await;
        let document: ProblemDocument = serde_json::from_slice(&body).expect("a problem document");
        assert_eq!((headers[RETRY_AFTER].as_bytes(), document.retry_after_ms), (seconds.as_bytes(), Some(ms)));
        assert_eq!(document.detail, None);
    }
    let (_, headers, _) = answer(Problem::from(ErrorCode::Unavailable).into_response()).await;
    assert!(!headers.contains_key(RETRY_AFTER));
}

#[tokio::test]
async fn what_went_wrong_inside_stays_inside() {
    let inside = std::io::Error::other("password=hunter2");
    let (_, _, body) = answer(Problem::internal(&inside).into_response()).await;
    assert!(!String::from_utf8_lossy(&body).contains("hunter2"));
}

#[tokio::test]
async fn a_good_body_query_and_path_pass() {
    for request in [
        post_said("application/json", r#"{"text":"5","unknown":[1]}"#),
        post_said("application/json; charset=utf-8", r#"{"text":"5"}"#),
        get_at("/asked?text=5&more=1"),
        get_at("/at/5"),
    ] {
        let (status, _, body) = answer(router().oneshot(request).await.expect("infallible")).await;
        assert_eq!((status, body.as_slice()), (StatusCode::OK, b"5".as_slice()));
    }
}

#[tokio::test]
async fn bad_bodies_queries_and_paths_are_problems_that_say_why() {
    let long = format!(r#"{{"text":"{}"}}"#, "x".repeat(100));
    let cases = [
        (post_said("application/json", r#"{"text":"#), 400, ErrorCode::Invalid, "JSON"),
        (post_said("application/json", "\u{feff}{}"), 400, ErrorCode::Invalid, "JSON"),
        (post_said("application/json", vec![0xff, 0xfe]), 400, ErrorCode::Invalid, "JSON"),
        (post_said("application/json", ""), 400, ErrorCode::Invalid, "JSON"),
        (post_said("application/json", "[".repeat(60)), 400, ErrorCode::Invalid, "JSON"),
        (post_said("application/json", r#"{"text":5}"#), 400, ErrorCode::Invalid, "text"),
        (post_said("application/json", r#"{"text":"x","times":-1}"#), 400, ErrorCode::Invalid, "times"),
        (post_said("application/json", long), 413, ErrorCode::TooLarge, "too large"),
        (post_said("text/plain", r#"{"text":"5"}"#), 415, ErrorCode::Invalid, "application/json"),
        (Request::post("/said").body("{}".into()).expect("a request"), 415, ErrorCode::Invalid, "application/json"),
        (get_at("/asked"), 400, ErrorCode::Invalid, "text"),
        (get_at("/asked?text=x&times=many"), 400, ErrorCode::Invalid, "times"),
        (get_at("/at/x"), 404, ErrorCode::NotFound, "x"),
        (get_at("/at/18446744073709551616"), 404, ErrorCode::NotFound, "18446744073709551616"),
        (get_at("/at/%ff"), 404, ErrorCode::NotFound, "UTF-8"),
        (get_at("/nowhere"), 404, ErrorCode::NotFound, "nothing at this path"),
        (get_at("/said"), 405, ErrorCode::Invalid, "method"),
    ];
    for (request, status, code, said) in cases {
        let about = format!("{} {}", request.method(), request.uri());
        let (_, document) = document(request).await;
        let detail = document.detail.unwrap_or_default();
        assert_eq!((document.status, document.code), (status, code), "{about}: {detail}");
        assert!(detail.contains(said), "{about}: {detail:?} does not mention {said:?}");
    }
}

#[tokio::test]
async fn a_method_that_is_not_allowed_says_which_are() {
    let (headers, _) = document(get_at("/said")).await;
    assert_eq!(headers[http::header::ALLOW], "POST");
}
