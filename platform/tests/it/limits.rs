//! What a client can't do to the server: slow heads, large heads, many connections.

use std::time::{Duration, Instant};

use axum::Router;
use axum::routing::get;
use natter_platform::http::ServeOptions;

use crate::support::{Server, within};

/// Long enough for a request on a busy machine, short enough to wait for.
const SHORT: Duration = Duration::from_secs(1);

fn router() -> Router {
    Router::new().route("/", get(|| async { "hello" }))
}

async fn server(options: ServeOptions) -> Server {
    Server::start(router(), options).await
}

#[tokio::test]
async fn a_head_that_comes_too_slowly_is_cut_off() {
    let server = server(ServeOptions { header_read_timeout: SHORT, ..Default::default() }).await;
    let mut client = server.connect().await;
    let from = Instant::now();
    // A byte now and then does not prolong it.
    let (mut reader, mut writer) = client.stream.split();
    let drip = async {
        use tokio::io::AsyncWriteExt;
        let mut ticks = tokio::time::interval(SHORT / 10);
        for byte in b"GET / HTTP/1.1\r\nx-slow: ".iter().chain(std::iter::repeat(&b'a')) {
            ticks.tick().await;
            if writer.write_all(&[*byte]).await.is_err() {
                break;
            }
        }
    };
    let end = async {
        use tokio::io::AsyncReadExt;
        let mut answer = Vec::new();
        let _ = reader.read_to_end(&mut answer).await;
    };
    within("the cut", async {
        tokio::select! {
            () = drip => {}
            () = end => {}
        }
    })
    .await;
    assert!(from.elapsed() >= SHORT, "{:?}", from.elapsed());
    server.stop().await;
}

#[tokio::test]
async fn a_connection_that_says_nothing_is_closed_before_and_between_requests() {
    let server = server(ServeOptions { header_read_timeout: SHORT, ..Default::default() }).await;
    let mut silent = server.connect().await;
    let mut idle = server.connect().await;
    assert!(idle.get("/").await.ends_with("hello"));
    assert_eq!(silent.read_to_end().await, "");
    assert_eq!(idle.read_to_end().await, "");
    server.stop().await;
}

#[tokio::test]
async fn heads_beyond_the_limits_are_refused_and_smaller_ones_pass() {
    let options = ServeOptions { max_headers: 20, max_header_bytes: 4096, ..Default::default() };
    let server = server(options).await;
    let large = |bytes: usize| format!("GET / HTTP/1.1\r\nx: {}\r\n\r\n", "a".repeat(bytes));
    let many = |count: usize| format!("GET / HTTP/1.1\r\n{}\r\n", "x: a\r\n".repeat(count));
    for (request, status) in [
        (large(3_900), "200 OK"),
        (large(4_200), "431 "),
        (large(200_000), "431 "),
        (many(20), "200 OK"),
        (many(21), "431 "),
        (format!("GET /{} HTTP/1.1\r\n\r\n", "a".repeat(100_000)), "4"),
    ] {
        let mut client = server.connect().await;
        // The server may close while a large head is still on its way.
        let _ = tokio::io::AsyncWriteExt::write_all(&mut client.stream, request.as_bytes()).await;
        let answer = client.read_until("\r\n\r\n").await;
        assert!(answer.starts_with(&format!("HTTP/1.1 {status}")), "{} bytes: {answer}", request.len());
    }
    server.stop().await;
}

#[tokio::test]
async fn what_is_not_http_is_refused() {
    let server = server(ServeOptions::default()).await;
    for bytes in [
        "\0\0\0\0\r\n\r\n",
        "GET / HTTP/9.9\r\n\r\n",
        "GET / HTTP/1.1\r\nno colon\r\n\r\n",
        "\x16\x03\x01\x02\0\x01\0\r\n\r\n",
    ] {
        let mut client = server.connect().await;
        client.send(bytes).await;
        let answer = client.read_to_end().await;
        assert!(answer.starts_with("HTTP/1.1 400"), "{bytes:?}: {answer}");
    }
    let mut smuggler = server.connect().await;
    smuggler.send("POST / HTTP/1.1\r\ncontent-length: 5\r\ncontent-length: 6\r\n\r\nhello").await;
    assert!(smuggler.read_to_end().await.starts_with("HTTP/1.1 400"));
    server.stop().await;
}

#[tokio::test]
async fn connections_beyond_the_limit_are_refused_and_counted_until_one_ends() {
    let metrics = natter_platform::telemetry::install_metrics().expect("a recorder");
    let server = server(ServeOptions { max_connections: 2, ..Default::default() }).await;
    let (mut first, mut second) = (server.connect().await, server.connect().await);
    assert!(first.get("/").await.ends_with("hello") && second.get("/").await.ends_with("hello"));

    let answer = server.connect().await.read_to_end().await;
    assert!(answer.starts_with("HTTP/1.1 503") && answer.contains("retry-after: "), "{answer:?}");
    let refused = metrics.render();
    let refused = refused.lines().find(|line| line.starts_with("natter_http_connections_refused_total "));
    assert!(refused.is_some_and(|line| !line.ends_with(" 0")), "{refused:?}");

    drop(first);
    within("a free place", async {
        loop {
            let mut third = server.connect().await;
            third.send("GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").await;
            if third.read_to_end().await.ends_with("hello") {
                break;
            }
        }
    })
    .await;
    assert!(second.get("/").await.ends_with("hello"));
    server.stop().await;
}
