//! Accepting sockets and speaking HTTP/1.1 on them.
//!
//! `axum::serve` sets no header-read timeout and no bound on connections, and does not wait for upgraded sockets; so this
//! speaks to hyper itself.

use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::time::Duration;

use axum::Router;
use axum::extract::ConnectInfo;
use http::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tower::ServiceExt;
use tracing::Instrument;

use super::connection::{Connections, Tracked};
use crate::Shutdown;

/// After an accept that failed for want of something (descriptors, memory), how long to leave the machine alone.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// How long the holder of a socket that was cut may take to notice.
const LET_GO_WITHIN: Duration = Duration::from_millis(500);

/// What a client beyond the limit reads, if it still reads anything.
const FULL: &[u8] =
    b"HTTP/1.1 503 Service Unavailable\r\nretry-after: 5\r\nconnection: close\r\ncontent-length: 0\r\n\r\n";

/// The bounds of a server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ServeOptions {
    /// How long a client may take for a request's head, and how long a connection may idle between requests.
    pub header_read_timeout: Duration,
    /// Most header fields in a request.
    pub max_headers: usize,
    /// Largest head of a request: its line and its header fields.
    pub max_header_bytes: usize,
    /// Most read or written ahead for one connection. hyper wants at least 8 KiB.
    pub max_buffer_bytes: usize,
    /// Most sockets, upgraded ones included.
    pub max_connections: usize,
}

impl Default for ServeOptions {
    fn default() -> Self {
        Self {
            header_read_timeout: Duration::from_secs(10),
            max_headers: 64,
            max_header_bytes: 16 * 1024,
            max_buffer_bytes: 16 * 1024,
            max_connections: 20_000,
        }
    }
}

/// Serves `router` on `listener` until the stop: then it accepts no more, lets running requests and upgraded sockets end,
/// and cuts what is left when the stop turns hard. Returns when no socket is left.
///
/// Handlers can have `ConnectInfo<SocketAddr>`. An upgraded socket counts until whoever has it drops it.
pub async fn serve(listener: TcpListener, router: Router, options: ServeOptions, shutdown: Shutdown) -> io::Result<()> {
    let address = listener.local_addr()?;
    let connections = Connections::new(options.max_connections);
    let mut tasks = JoinSet::new();
    tracing::debug!(%address, "accepting connections");
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            Some(ended) = tasks.join_next() => { log_panic(ended); continue }
            () = shutdown.requested() => break,
        };
        match accepted {
            Ok((stream, peer)) => match connections.admit(stream) {
                Ok(socket) => {
                    let connection = connection(socket, peer, router.clone(), options, shutdown.clone());
                    tasks.spawn(connection.in_current_span());
                }
                Err(stream) => refuse(&stream),
            },
            Err(error) if is_the_clients_fault(&error) => {}
            Err(error) => {
                metrics::counter!("natter_http_accept_errors_total").increment(1);
                tracing::error!(%error, "cannot accept connections");
                tokio::select! {
                    () = tokio::time::sleep(ACCEPT_PAUSE) => {}
                    () = shutdown.requested() => break,
                }
            }
        }
    }
    drop(listener);
    tokio::select! {
        () = connections.none_left() => {}
        () = shutdown.forced() => {
            tracing::warn!(connections = connections.count(), "cutting connections that did not end in time");
            connections.cut_all();
        }
    }
    tasks.abort_all();
    while let Some(ended) = tasks.join_next().await {
        log_panic(ended);
    }
    // Those who have upgraded sockets were woken by the cut, and drop them now.
    if tokio::time::timeout(LET_GO_WITHIN, connections.none_left()).await.is_err() {
        tracing::error!(connections = connections.count(), "cut connections are still held by someone");
    }
    Ok(())
}

async fn connection(socket: Tracked, peer: SocketAddr, router: Router, options: ServeOptions, shutdown: Shutdown) {
    let service = service_fn(move |mut request: Request<Incoming>| {
        request.extensions_mut().insert(ConnectInfo(peer));
        router.clone().oneshot(request.map(axum::body::Body::new))
    });
    let mut builder = http1::Builder::new();
    builder
        .timer(TokioTimer::new())
        .header_read_timeout(options.header_read_timeout)
        .max_headers(options.max_headers)
        .max_header_size(options.max_header_bytes)
        .max_buf_size(options.max_buffer_bytes.max(8192));
    let mut connection = pin!(builder.serve_connection(TokioIo::new(socket), service).with_upgrades());
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = shutdown.requested() => {
            connection.as_mut().graceful_shutdown();
            tokio::select! {
                ended = connection.as_mut() => ended,
                () = shutdown.forced() => return,
            }
        }
    };
    if let Err(error) = ended {
        // The other side's doing, nearly always: cut lines, timeouts, malformed heads.
        metrics::counter!("natter_http_connection_errors_total", "kind" => kind(&error)).increment(1);
        tracing::debug!(%error, "a connection ended early");
    }
}

fn refuse(stream: &TcpStream) {
    metrics::counter!("natter_http_connections_refused_total").increment(1);
    // A courtesy: if it can't be written at once, closing says the same.
    let _ = stream.try_write(FULL);
}

fn is_the_clients_fault(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset)
}

fn kind(error: &hyper::Error) -> &'static str {
    if error.is_timeout() {
        "timeout"
    } else if error.is_parse() {
        "malformed"
    } else {
        "cut"
    }
}

fn log_panic(ended: Result<(), tokio::task::JoinError>) {
    if let Err(error) = ended
        && error.is_panic()
    {
        metrics::counter!("natter_task_panics_total", "task" => "http connection").increment(1);
        tracing::error!("a connection's task panicked");
    }
}
