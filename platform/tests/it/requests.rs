//! What the layers do to requests and answers.

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::extract::ConnectInfo;
use axum::response::IntoResponse;
use axum::routing::{get, post};
use axum::{Extension, Router};
use http::header::CONTENT_SECURITY_POLICY;
use natter_platform::http::{LayerOptions, RequestId, ServeOptions, body_limit, layered};
use tokio::sync::Notify;

use crate::support::Server;

fn router() -> Router {
    let page = || async { ([(CONTENT_SECURITY_POLICY, "default-src 'self'")], "page") };
    Router::new()
        .route("/peer", get(|ConnectInfo(peer): ConnectInfo<SocketAddr>| async move { peer.to_string() }))
        .route("/id", get(|Extension(id): Extension<RequestId>| async move { id.0 }))
        .route("/page", get(page))
        .route("/slow", get(std::future::pending::<&'static str>))
        .route("/panic/{what}", get(|| async { if true { panic!("hunter2") } else { Ok::<_, Infallible>("never") } }))
        .route("/body", post(|body: String| async move { body.len().to_string().into_response() }))
        .route("/large", post(|body: String| async move { body.len().to_string() }).layer(body_limit(1000)))
}

async fn server() -> Server {
    let options = LayerOptions { max_body_bytes: 100, request_timeout: Duration::from_secs(1) };
    Server::start(layered(router(), &options), ServeOptions::default()).await
}

#[tokio::test]
async fn a_handler_knows_its_peer() {
    let server = server().await;
    let mut client = server.connect().await;
    let own = client.stream.local_addr().expect("an address").to_string();
    assert!(client.get("/peer").await.ends_with(&own));
    server.stop().await;
}

#[tokio::test]
async fn a_request_has_an_id_which_the_answer_repeats() {
    let server = server().await;
    let mut client = server.connect().await;
    client.send("GET /id HTTP/1.1\r\nx-request-id: from-proxy.7\r\nconnection: close\r\n\r\n").await;
    let answer = client.read_to_end().await;
    assert!(answer.contains("x-request-id: from-proxy.7\r\n") && answer.ends_with("from-proxy.7"), "{answer}");
    server.stop().await;
}

#[tokio::test]
async fn every_answer_has_security_headers_and_a_page_keeps_its_own_policy() {
    let server = server().await;
    let mut client = server.connect().await;
    for path in ["/peer", "/nowhere", "/slow", "/panic/x"] {
        let answer = client.get(path).await;
        for header in [
            "x-content-type-options: nosniff",
            "content-security-policy: default-src 'none'",
            "cache-control: no-store",
        ] {
            assert!(answer.contains(header), "{path} without {header}: {answer}");
        }
    }
    let page = client.get("/page").await;
    assert!(page.contains("content-security-policy: default-src 'self'\r\n") && !page.contains("'none'"), "{page}");
    server.stop().await;
}

#[tokio::test]
async fn a_panic_is_an_answer_that_says_nothing_and_the_connection_lives() {
    let server = server().await;
    let mut client = server.connect().await;
    let answer = client.get("/panic/secret").await;
    assert!(
        answer.starts_with("HTTP/1.1 500") && answer.contains("\"internal\"") && !answer.contains("hunter2"),
        "{answer}"
    );
    assert!(client.get("/page").await.ends_with("page"));
    server.stop().await;
}

#[tokio::test]
async fn a_handler_or_a_body_that_takes_too_long_is_answered_with_unavailable() {
    let server = server().await;
    let mut client = server.connect().await;
    let slow = client.get("/slow").await;
    assert!(
        slow.starts_with("HTTP/1.1 503")
            && slow.contains("\"unavailable\"")
            && slow.contains("\"temporary\":true")
            && slow.contains("retry-after: 1\r\n"),
        "{slow}"
    );
    client.send("POST /body HTTP/1.1\r\ncontent-length: 5\r\n\r\nhel").await;
    let body = client.read_until("}").await;
    assert!(body.starts_with("HTTP/1.1 503"), "{body}");
    server.stop().await;
}

#[tokio::test]
async fn bodies_beyond_the_limit_are_refused_and_a_route_may_have_its_own() {
    let server = server().await;
    let chunked =
        |bytes: usize| format!("transfer-encoding: chunked\r\n\r\n{bytes:x}\r\n{}\r\n0\r\n\r\n", "a".repeat(bytes));
    let sized = |bytes: usize| format!("content-length: {bytes}\r\n\r\n{}", "a".repeat(bytes));
    for (path, body, status) in [
        ("/body", sized(100), "200"),
        ("/body", sized(101), "413"),
        ("/body", chunked(100), "200"),
        ("/body", chunked(101), "413"),
        ("/large", sized(1000), "200"),
        ("/large", chunked(1001), "413"),
    ] {
        let mut client = server.connect().await;
        client.send(format!("POST {path} HTTP/1.1\r\nconnection: close\r\n{body}")).await;
        let answer = client.read_to_end().await;
        assert!(answer.starts_with(&format!("HTTP/1.1 {status}")), "{path} {} bytes: {answer}", body.len());
    }
    server.stop().await;
}

/// The test's runtime has one thread, so what is logged on it is all that the server logs.
#[tokio::test]
async fn a_request_is_logged_by_route_and_never_with_what_it_carries() {
    let log = Log::default();
    let out = log.clone();
    let subscriber =
        tracing_subscriber::fmt().json().with_max_level(tracing::Level::TRACE).with_writer(move || out.clone());
    let _logging = tracing::subscriber::set_default(subscriber.finish());

    let server = server().await;
    let mut client = server.connect().await;
    let own = client.stream.local_addr().expect("an address").port().to_string();
    for request in [
        "GET /panic/hunter2?token=hunter2 HTTP/1.1\r\nauthorization: Bearer hunter2\r\ncookie: hunter2\r\n\r\n",
        "POST /body?hunter2 HTTP/1.1\r\nuser-agent: hunter2\r\ncontent-length: 7\r\n\r\nhunter2",
        "GET /hunter2 HTTP/1.1\r\n\r\n",
        "HUNTER2 /page HTTP/1.1\r\nx-request-id: hunter2 hunter2\r\nconnection: close\r\n\r\n",
    ] {
        client.send(request).await;
    }
    client.read_to_end().await;
    server.stop().await;

    let text = log.text();
    for expected in
        ["\"path\":\"/panic/{what}\"", "\"path\":\"/body\"", "\"status\":404", "\"method\":\"other\"", "duration_us"]
    {
        assert!(text.contains(expected), "no {expected} in\n{text}");
    }
    assert!(!text.to_lowercase().contains("hunter2"), "{text}");
    assert!(!text.contains(&format!("127.0.0.1:{own}")), "{text}");
}

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Log {
    fn text(&self) -> String {
        String::from_utf8_lossy(&self.0.lock().expect("no panic")).into_owned()
    }
}

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().expect("no panic").extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn a_client_that_leaves_ends_its_handler() {
    let (begun, dropped) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let (tell_begun, tell_dropped) = (begun.clone(), dropped.clone());
    let router = Router::new().route(
        "/",
        get(move || async move {
            struct OnDrop(Arc<Notify>);
            impl Drop for OnDrop {
                fn drop(&mut self) {
                    self.0.notify_one();
                }
            }
            let _held = OnDrop(tell_dropped.clone());
            tell_begun.notify_one();
            std::future::pending::<&'static str>().await
        }),
    );
    let server = Server::start(router, ServeOptions::default()).await;
    let mut client = server.connect().await;
    client.send("GET / HTTP/1.1\r\n\r\n").await;
    crate::support::within("the handler", begun.notified()).await;
    drop(client);
    crate::support::within("the handler's end", dropped.notified()).await;
    server.stop().await;
}
