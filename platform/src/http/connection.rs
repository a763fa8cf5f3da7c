//! The sockets of one server: how many there are, and how to cut them.
//!
//! A socket stays in the table until its IO object is dropped. An upgraded one is handed by hyper to whoever speaks its
//! protocol, and takes its place in the table along: so the limit counts WebSockets, a stop waits for them, and a hard stop
//! cuts them, without anyone having to remember to register.

use std::collections::HashMap;
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};

use futures::task::AtomicWaker;
use parking_lot::Mutex;
use rustix::net::sockopt;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::sync::Notify;

/// What the system takes, unsent, for one client; Linux counts twice as much with what it needs itself. By itself it would take
/// up to 4 MiB for each that reads nothing, which is more than all else that waits for them.
const SEND_BUFFER_BYTES: usize = 128 * 1024;

/// All sockets of one server.
#[derive(Clone)]
pub(super) struct Connections(Arc<Table>);

struct Table {
    limit: usize,
    state: Mutex<State>,
    one_gone: Notify,
}

#[derive(Default)]
struct State {
    next: u64,
    open: HashMap<u64, Arc<Cut>>,
}

/// Where a hard stop reaches a socket that waits.
#[derive(Default)]
struct Cut {
    done: AtomicBool,
    reader: AtomicWaker,
    writer: AtomicWaker,
}

impl Connections {
    pub(super) fn new(limit: usize) -> Self {
        Self(Arc::new(Table { limit, state: Mutex::default(), one_gone: Notify::new() }))
    }

    /// Takes the socket in, or gives it back when there are as many as there may be.
    pub(super) fn admit(&self, stream: TcpStream) -> Result<Tracked, TcpStream> {
        let mut state = self.0.state.lock();
        if state.open.len() >= self.0.limit {
            return Err(stream);
        }
        // Frames are small and someone waits for each: none is held back to be sent with the next. Where that fails the
        // other side is gone, and reading will say so.
        let _ = stream.set_nodelay(true);
        let _ = sockopt::set_socket_send_buffer_size(&stream, SEND_BUFFER_BYTES);
        state.next += 1;
        let (id, cut) = (state.next, Arc::<Cut>::default());
        state.open.insert(id, cut.clone());
        metrics::gauge!("natter_http_connections").increment(1);
        Ok(Tracked { stream, place: Place { id, cut, connections: self.clone() } })
    }

    pub(super) fn count(&self) -> usize {
        self.0.state.lock().open.len()
    }

    /// Waits until no socket is left.
    pub(super) async fn none_left(&self) {
        loop {
            let gone = self.0.one_gone.notified();
            if self.count() == 0 {
                return;
            }
            gone.await;
        }
    }

    /// Makes every socket fail from now on, and wakes whoever waits for one.
    pub(super) fn cut_all(&self) {
        for cut in self.0.state.lock().open.values() {
            cut.done.store(true, Ordering::SeqCst);
            cut.reader.wake();
            cut.writer.wake();
        }
    }
}

/// A socket with its place in the table.
pub(super) struct Tracked {
    stream: TcpStream,
    place: Place,
}

struct Place {
    id: u64,
    cut: Arc<Cut>,
    connections: Connections,
}

impl Drop for Place {
    fn drop(&mut self) {
        self.connections.0.state.lock().open.remove(&self.id);
        metrics::gauge!("natter_http_connections").decrement(1);
        self.connections.0.one_gone.notify_waiters();
    }
}

impl Cut {
    /// Passes on what the socket said, unless it is cut. The waker is registered before the flag is read, so a cut in
    /// between wakes it.
    fn unless<T>(&self, waker: &AtomicWaker, context: &Context<'_>, said: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        if said.is_pending() {
            waker.register(context.waker());
        }
        if self.done.load(Ordering::SeqCst) { Poll::Ready(Err(io::ErrorKind::ConnectionAborted.into())) } else { said }
    }
}

impl AsyncRead for Tracked {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let said = Pin::new(&mut self.stream).poll_read(context, buffer);
        self.place.cut.unless(&self.place.cut.reader, context, said)
    }
}

impl AsyncWrite for Tracked {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let said = Pin::new(&mut self.stream).poll_write(context, bytes);
        self.place.cut.unless(&self.place.cut.writer, context, said)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let said = Pin::new(&mut self.stream).poll_write_vectored(context, slices);
        self.place.cut.unless(&self.place.cut.writer, context, said)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use tokio::net::TcpListener;

    use super::*;

    #[tokio::test]
    async fn a_socket_sends_small_frames_at_once() {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let (client, accepted) = tokio::join!(TcpStream::connect(address), listener.accept());
        let connections = Connections::new(1);
        let socket = connections.admit(accepted.expect("accepted").0).expect("there is room");
        assert!(socket.stream.nodelay().expect("a socket"));
        let taken = sockopt::socket_send_buffer_size(&socket.stream).expect("a socket");
        assert!(taken <= 2 * SEND_BUFFER_BYTES, "{taken} bytes are taken for who reads nothing");
        assert!(connections.admit(client.expect("connected")).is_err());
        drop(socket);
        assert_eq!(connections.count(), 0);
    }
}
