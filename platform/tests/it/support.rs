//! A server on a port of its own, and a client that speaks bytes.

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use axum::Router;
use natter_platform::Shutdown;
use natter_platform::http::{ServeOptions, serve};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tokio::time::timeout;

/// Far beyond what anything here takes.
pub const DEADLINE: Duration = Duration::from_secs(30);

/// Most that a test client reads of an answer.
const MAX_ANSWER_BYTES: usize = 1 << 20;

pub struct Server {
    pub address: SocketAddr,
    pub shutdown: Shutdown,
    running: JoinHandle<io::Result<()>>,
}

impl Server {
    pub async fn start(router: Router, options: ServeOptions) -> Self {
        Self::start_with_grace(router, options, DEADLINE * 2).await
    }

    pub async fn start_with_grace(router: Router, options: ServeOptions, grace: Duration) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let shutdown = Shutdown::new(grace);
        let running = tokio::spawn(serve(listener, router, options, shutdown.clone()));
        Self { address, shutdown, running }
    }

    pub async fn connect(&self) -> Client {
        Client { stream: TcpStream::connect(self.address).await.expect("connected"), read: Vec::new() }
    }

    /// Waits until `serve` has returned.
    pub async fn ended(self) {
        let ended = within("the server's end", self.running).await;
        ended.expect("no panic").expect("no error");
    }

    pub fn is_running(&self) -> bool {
        !self.running.is_finished()
    }

    pub async fn stop(self) {
        self.shutdown.force();
        self.ended().await;
    }
}

pub struct Client {
    pub stream: TcpStream,
    read: Vec<u8>,
}

impl Client {
    pub async fn send(&mut self, bytes: impl AsRef<[u8]>) {
        within("sending", self.stream.write_all(bytes.as_ref())).await.expect("sent");
    }

    /// Reads until what came contains `text`, and gives all of it.
    pub async fn read_until(&mut self, text: &str) -> String {
        while !self.so_far().contains(text) {
            let came =
                within(&format!("reading {text:?}, after {:?}", self.so_far()), self.stream.read_buf(&mut self.read))
                    .await;
            assert!(came.expect("readable") > 0, "closed before {text:?}, after {:?}", self.so_far());
            assert!(self.read.len() < MAX_ANSWER_BYTES, "no {text:?} in {MAX_ANSWER_BYTES} bytes");
        }
        std::mem::take(&mut self.read).into_iter().map(char::from).collect()
    }

    /// Reads until the other side closes, or resets, and gives what came before.
    pub async fn read_to_end(&mut self) -> String {
        while let Ok(1..) =
            within(&format!("the end, after {:?}", self.so_far()), self.stream.read_buf(&mut self.read)).await
        {
            assert!(self.read.len() < MAX_ANSWER_BYTES, "no end in {MAX_ANSWER_BYTES} bytes");
        }
        self.so_far()
    }

    /// Sends a request and reads its answer to the end of a small body.
    pub async fn get(&mut self, path: &str) -> String {
        self.send(format!("GET {path} HTTP/1.1\r\nhost: x\r\n\r\n")).await;
        let mut head = self.read_until("\r\n\r\n").await;
        let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")).and_then(|n| n.parse().ok());
        let end = head.find("\r\n\r\n").expect("the end of the head") + 4 + length.unwrap_or(0);
        while head.len() < end {
            let mut more = vec![0; end - head.len()];
            let count = within("a body", self.stream.read(&mut more)).await.expect("readable");
            assert!(count > 0, "closed within a body");
            head.extend(more[..count].iter().copied().map(char::from));
        }
        head
    }

    fn so_far(&self) -> String {
        String::from_utf8_lossy(&self.read).into_owned()
    }
}

/// Waits, but not for ever, and says for what.
pub async fn within<T>(what: &str, future: impl Future<Output = T>) -> T {
    match timeout(DEADLINE, future).await {
        Ok(value) => value,
        Err(_) => panic!("waited {DEADLINE:?} for {what}"),
    }
}
