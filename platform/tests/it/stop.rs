//! How a server stops.

use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Router;
use axum::routing::get;
use natter_platform::http::ServeOptions;
use tokio::net::TcpStream;
use tokio::sync::Notify;

use crate::support::{Server, within};

/// A route that answers when it is told to, and says when it was asked.
fn held() -> (Router, Arc<Notify>, Arc<Notify>) {
    let (asked, go) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let (tell, wait) = (asked.clone(), go.clone());
    let handler = move || async move {
        tell.notify_one();
        wait.notified().await;
        "held"
    };
    (Router::new().route("/held", get(handler)).route("/", get(|| async { "hello" })), asked, go)
}

#[tokio::test]
async fn a_stop_lets_a_running_request_end_and_takes_no_new_ones() {
    let (router, asked, go) = held();
    let server = Server::start(router, ServeOptions::default()).await;
    let (mut busy, mut idle) = (server.connect().await, server.connect().await);
    assert!(idle.get("/").await.ends_with("hello"));
    busy.send("GET /held HTTP/1.1\r\n\r\n").await;
    within("the request", asked.notified()).await;

    server.shutdown.request();
    assert_eq!(idle.read_to_end().await, "", "an idle connection is closed");
    within("a closed port", async { while TcpStream::connect(server.address).await.is_ok() {} }).await;
    assert!(server.is_running(), "it did not wait for the request");

    go.notify_one();
    let answer = busy.read_to_end().await;
    assert!(answer.starts_with("HTTP/1.1 200") && answer.ends_with("held"), "{answer}");
    assert!(answer.contains("connection: close"), "{answer}");
    server.ended().await;
}

#[tokio::test]
async fn a_stop_that_turns_hard_cuts_a_request_that_does_not_end() {
    let (router, asked, _never) = held();
    let grace = Duration::from_millis(300);
    let server = Server::start_with_grace(router, ServeOptions::default(), grace).await;
    let mut busy = server.connect().await;
    busy.send("GET /held HTTP/1.1\r\n\r\n").await;
    within("the request", asked.notified()).await;
    let from = Instant::now();
    server.shutdown.request();
    assert_eq!(busy.read_to_end().await, "");
    server.ended().await;
    assert!(from.elapsed() >= grace, "{:?}", from.elapsed());
}

#[tokio::test]
async fn a_server_without_connections_stops_at_once() {
    let server = Server::start(Router::new(), ServeOptions::default()).await;
    server.shutdown.request();
    server.ended().await;
}
