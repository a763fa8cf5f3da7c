//! Sockets that became something else: they count, a stop waits for them, a hard stop cuts them.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::ws::{Message, WebSocket, WebSocketUpgrade};
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use http::StatusCode;
use http::header::{CONNECTION, UPGRADE};
use hyper_util::rt::TokioIo;
use natter_platform::http::{LayerOptions, ServeOptions, layered};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::Notify;

use crate::support::{Client, Server, within};

/// Long enough for a request on a busy machine, short enough to wait for.
const SHORT: Duration = Duration::from_secs(1);

const ASK: &str = "GET /echo HTTP/1.1\r\nhost: x\r\nconnection: upgrade\r\nupgrade: echo\r\n\r\n";

/// Echoes bytes until the other side ends, or the socket fails.
async fn echo(mut request: Request) -> Response {
    let upgrade = hyper::upgrade::on(&mut request);
    tokio::spawn(async move {
        let Ok(upgraded) = upgrade.await else { return };
        let mut io = TokioIo::new(upgraded);
        let mut buffer = [0; 256];
        while let Ok(count @ 1..) = io.read(&mut buffer).await {
            if io.write_all(&buffer[..count]).await.is_err() {
                break;
            }
        }
    });
    switching()
}

/// Reads in one task and pours bytes in another, until each fails; then the second says so.
async fn pour(State(failed): State<Arc<Notify>>, mut request: Request) -> Response {
    let upgrade = hyper::upgrade::on(&mut request);
    tokio::spawn(async move {
        let Ok(upgraded) = upgrade.await else { return };
        let (mut from, mut to) = tokio::io::split(TokioIo::new(upgraded));
        tokio::spawn(async move { while let Ok(1..) = from.read(&mut [0; 256]).await {} });
        while to.write_all(&[b'x'; 64 * 1024]).await.is_ok() {}
        failed.notify_one();
    });
    switching()
}

fn switching() -> Response {
    (StatusCode::SWITCHING_PROTOCOLS, [(CONNECTION, "upgrade"), (UPGRADE, "echo")]).into_response()
}

async fn chat(upgrade: WebSocketUpgrade) -> Response {
    upgrade.on_upgrade(async |mut socket: WebSocket| {
        while let Some(Ok(message)) = socket.recv().await {
            if matches!(message, Message::Text(_)) && socket.send(message).await.is_err() {
                break;
            }
        }
    })
}

fn router() -> Router {
    router_that_tells(Arc::new(Notify::new()))
}

fn router_that_tells(failed: Arc<Notify>) -> Router {
    let router = Router::new().route("/echo", get(echo)).route("/ws", get(chat));
    let router = router.route("/pour", get(pour)).with_state(failed);
    // With a short deadline for requests, which must not touch what they became.
    layered(router, &LayerOptions { request_timeout: SHORT, ..Default::default() })
}

async fn upgraded(server: &Server) -> Client {
    let mut client = server.connect().await;
    client.send(ASK).await;
    let answer = client.read_until("\r\n\r\n").await;
    assert!(answer.starts_with("HTTP/1.1 101"), "{answer}");
    client
}

async fn echoes(client: &mut Client, text: &str) {
    client.send(text).await;
    assert_eq!(client.read_until(text).await, text);
}

#[tokio::test]
async fn an_upgraded_socket_outlives_the_timeouts_of_requests() {
    let server = Server::start(router(), ServeOptions { header_read_timeout: SHORT, ..Default::default() }).await;
    let mut old = upgraded(&server).await;
    // A silent connection that came later is cut by the same timeout: by then it would have cut the upgraded one too.
    assert_eq!(server.connect().await.read_to_end().await, "");
    echoes(&mut old, "still here").await;
    server.stop().await;
}

#[tokio::test]
async fn an_upgraded_socket_counts_against_the_limit_until_it_ends() {
    let server = Server::start(router(), ServeOptions { max_connections: 1, ..Default::default() }).await;
    let mut only = upgraded(&server).await;
    assert!(server.connect().await.read_to_end().await.starts_with("HTTP/1.1 503"));
    echoes(&mut only, "unharmed").await;
    drop(only);
    within("a free place", async {
        loop {
            let mut next = server.connect().await;
            next.send(ASK).await;
            let mut first = [0; 12];
            if next.stream.read_exact(&mut first).await.is_ok() && first == *b"HTTP/1.1 101" {
                break;
            }
        }
    })
    .await;
    server.stop().await;
}

#[tokio::test]
async fn a_stop_waits_for_an_upgraded_socket_which_works_until_then() {
    let server = Server::start(router(), ServeOptions::default()).await;
    let mut client = upgraded(&server).await;
    server.shutdown.request();
    within("a closed port", async { while tokio::net::TcpStream::connect(server.address).await.is_ok() {} }).await;
    for text in ["one", "two", "three"] {
        echoes(&mut client, text).await;
    }
    assert!(server.is_running(), "it did not wait");
    drop(client);
    server.ended().await;
}

#[tokio::test]
async fn a_hard_stop_cuts_upgraded_sockets_that_nobody_ends() {
    let server = Server::start_with_grace(router(), ServeOptions::default(), Duration::from_millis(200)).await;
    let mut clients = Vec::new();
    for _ in 0..20 {
        clients.push(upgraded(&server).await);
    }
    server.shutdown.request();
    for client in &mut clients {
        assert_eq!(client.read_to_end().await, "");
    }
    server.ended().await;
}

#[tokio::test]
async fn a_hard_stop_wakes_whoever_waits_to_write_to_a_client_that_does_not_read() {
    let failed = Arc::new(Notify::new());
    let grace = Duration::from_millis(300);
    let server = Server::start_with_grace(router_that_tells(failed.clone()), ServeOptions::default(), grace).await;
    let mut client = server.connect().await;
    client.send(ASK.replace("/echo", "/pour")).await;
    client.read_until("\r\n\r\n").await;
    // From here on nobody reads, so the buffers fill well within the grace, and the writer waits.
    server.shutdown.request();
    within("the end of the writer", failed.notified()).await;
    server.ended().await;
}

#[tokio::test]
async fn a_websocket_of_axum_speaks_through_it() {
    use tokio_tungstenite::tungstenite::Message;
    let server = Server::start(router(), ServeOptions::default()).await;
    let url = format!("ws://{}/ws", server.address);
    let (mut socket, _) = within("the handshake", tokio_tungstenite::connect_async(url)).await.expect("a websocket");
    let long = "ä".repeat(20_000);
    for text in ["hello", long.as_str()] {
        futures::SinkExt::send(&mut socket, Message::text(text)).await.expect("sent");
        let answer = within("the echo", futures::StreamExt::next(&mut socket)).await.expect("open").expect("a message");
        assert_eq!(answer.into_text().expect("text").as_str(), text);
    }
    server.shutdown.request();
    within("the close", socket.close(None)).await.expect("closed");
    while within("the end", futures::StreamExt::next(&mut socket)).await.is_some_and(|message| message.is_ok()) {}
    server.ended().await;
}
