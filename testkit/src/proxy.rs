//! A stretch of network that a test can break: TCP on a free port of loopback, passed on to a server.

use std::collections::BTreeSet;
use std::fmt;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicI64, AtomicUsize, Ordering};
use std::time::Duration;

use parking_lot::Mutex;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream, UnixStream};
use tokio::runtime::Runtime;
use tokio::sync::watch;
use tokio::time::Instant;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// From client to server.
    Up,
    /// From server to client.
    Down,
}

/// Passes connections on until a test says otherwise. It ends when it is dropped, and its connections with it.
///
/// What is swallowed or delayed is decided for each piece that arrives, so a change also holds for open connections.
pub struct Proxy {
    address: SocketAddr,
    network: watch::Sender<Network>,
    fuses: Arc<Fuses>,
    open: Arc<Open>,
    accepted: Arc<AtomicUsize>,
}

/// The connections that are open, by when they were made.
type Open = Mutex<BTreeSet<usize>>;

impl Proxy {
    /// In front of `host:port`.
    pub async fn to(server: impl fmt::Display) -> Self {
        Self::start(Server::Tcp(server.to_string())).await
    }

    /// In front of several servers, as a balancer: each connection goes to the next one in turn, or where that does not
    /// answer, to the one after it.
    pub async fn to_any(servers: impl IntoIterator<Item = String>) -> Self {
        Self::start(Server::Any(servers.into_iter().collect(), Arc::default())).await
    }

    /// In front of a socket in the file system, such as [`crate::Database::socket`].
    pub async fn to_socket(path: impl Into<PathBuf>) -> Self {
        Self::start(Server::Socket(path.into())).await
    }

    /// `127.0.0.1:port`, for clients. It never changes.
    pub fn address(&self) -> String {
        self.address.to_string()
    }

    /// How many connections are open now.
    pub fn open(&self) -> usize {
        self.open.lock().len()
    }

    /// How many connections there have been.
    pub fn accepted(&self) -> usize {
        self.accepted.load(Ordering::SeqCst)
    }

    /// Cuts all open connections at once. New ones are passed on.
    pub fn cut(&self) {
        self.network.send_modify(|network| network.cuts += 1);
    }

    /// Cuts one connection in the middle of what it says: the one over which the last of so many bytes from now on goes in
    /// this direction, right behind that byte.
    pub fn cut_after(&self, direction: Direction, bytes: u32) {
        self.fuses.of(direction).store(i64::from(bytes), Ordering::SeqCst);
    }

    /// Nobody listens any more: new connections are refused by the system. Open ones live on; [`Self::cut`] ends them.
    pub fn refuse(&self) {
        self.network.send_modify(|network| network.listening = false);
    }

    /// Swallows what goes in one direction: nothing arrives, nobody is told.
    pub fn blackhole(&self, direction: Direction) {
        self.network.send_modify(|network| network.way_mut(direction).blackhole = true);
    }

    /// Everything in one direction takes this much longer. Order and throughput stay.
    pub fn delay(&self, direction: Direction, by: Duration) {
        self.network.send_modify(|network| network.way_mut(direction).delay = by);
    }

    /// What comes from the server over one connection arrives no sooner than in so long, while the others go on: the one
    /// that is at this place, counted around, among those that are open.
    pub fn hold_one(&self, place: usize, lasts: Duration) {
        let connection = {
            let open = self.open.lock();
            open.iter().nth(place % open.len().max(1)).copied()
        };
        let held = connection.map(|connection| Held { connection, until: Instant::now() + lasts });
        self.network.send_modify(|network| network.held = held);
    }

    /// Everything works again. A connection that lost something in a black hole is cut, as no real network would leave
    /// out a piece in the middle of a stream.
    pub fn heal(&self) {
        self.network.send_modify(|network| {
            let lossy = network.up.blackhole || network.down.blackhole;
            *network = Network { cuts: network.cuts + u64::from(lossy), ..Network::default() };
        });
    }

    async fn start(server: Server) -> Self {
        let listener = listen(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)));
        let address = listener.local_addr().unwrap_or_else(|error| panic!("a listener without address: {error}"));
        let (network, watched) = watch::channel(Network::default());
        let (open, accepted) = (Arc::<Open>::default(), Arc::<AtomicUsize>::default());
        let fuses = Arc::<Fuses>::default();
        let desk = Desk {
            server,
            address,
            network: watched,
            fuses: fuses.clone(),
            open: open.clone(),
            accepted: accepted.clone(),
        };
        runtime().spawn(desk.serve(listener));
        Self { address, network, fuses, open, accepted }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Network {
    listening: bool,
    cuts: u64,
    up: Way,
    down: Way,
    held: Option<Held>,
}

/// A connection that hears nothing for a while.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Held {
    connection: usize,
    until: Instant,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Way {
    blackhole: bool,
    delay: Duration,
}

impl Default for Network {
    fn default() -> Self {
        Self { listening: true, cuts: 0, up: Way::default(), down: Way::default(), held: None }
    }
}

impl Network {
    fn way(&self, direction: Direction) -> Way {
        match direction {
            Direction::Up => self.up,
            Direction::Down => self.down,
        }
    }

    /// When what is read now is to arrive.
    fn due(&self, connection: usize, direction: Direction) -> Instant {
        let due = Instant::now() + self.way(direction).delay;
        let held = self.held.filter(|held| held.connection == connection && direction == Direction::Down);
        held.map_or(due, |held| due.max(held.until))
    }

    fn way_mut(&mut self, direction: Direction) -> &mut Way {
        match direction {
            Direction::Up => &mut self.up,
            Direction::Down => &mut self.down,
        }
    }
}

/// How many bytes may still go before a connection is cut behind the last of them; none are counted from zero on down.
#[derive(Default)]
struct Fuses {
    up: AtomicI64,
    down: AtomicI64,
}

impl Fuses {
    fn of(&self, direction: Direction) -> &AtomicI64 {
        match direction {
            Direction::Up => &self.up,
            Direction::Down => &self.down,
        }
    }

    /// How much of a piece still goes, if the connection is to be cut behind that.
    fn burn(&self, direction: Direction, length: usize) -> Option<usize> {
        let fuse = self.of(direction);
        if length == 0 || fuse.load(Ordering::Relaxed) <= 0 {
            return None;
        }
        let length = i64::try_from(length).unwrap_or(i64::MAX);
        let before = fuse.fetch_sub(length, Ordering::SeqCst);
        (1..=length).contains(&before).then_some(usize::try_from(before).unwrap_or_default())
    }
}

#[derive(Clone)]
enum Server {
    /// And how many connections there have been.
    Any(Vec<String>, Arc<AtomicUsize>),
    Tcp(String),
    Socket(PathBuf),
}

trait Stream: AsyncRead + AsyncWrite + Send {}
impl<T: AsyncRead + AsyncWrite + Send> Stream for T {}

impl Server {
    async fn connect(&self) -> io::Result<Pin<Box<dyn Stream>>> {
        Ok(match self {
            Self::Any(servers, turn) => {
                let turn = turn.fetch_add(1, Ordering::Relaxed);
                let mut refused = io::Error::from(io::ErrorKind::ConnectionRefused);
                for server in servers.iter().cycle().skip(turn % servers.len().max(1)).take(servers.len()) {
                    match Box::pin(Self::Tcp(server.clone()).connect()).await {
                        Ok(stream) => return Ok(stream),
                        Err(error) => refused = error,
                    }
                }
                return Err(refused);
            }
            Self::Tcp(address) => {
                let stream = TcpStream::connect(address).await?;
                stream.set_nodelay(true)?;
                Box::pin(stream)
            }
            Self::Socket(path) => Box::pin(UnixStream::connect(path).await?),
        })
    }
}

/// Accepts connections while the network listens.
struct Desk {
    server: Server,
    address: SocketAddr,
    network: watch::Receiver<Network>,
    fuses: Arc<Fuses>,
    open: Arc<Open>,
    accepted: Arc<AtomicUsize>,
}

impl Desk {
    async fn serve(mut self, listener: TcpListener) {
        let mut listener = Some(listener);
        loop {
            let network = *self.network.borrow_and_update();
            if !network.listening {
                listener = None;
            } else if listener.is_none() {
                listener = Some(listen(self.address));
            }
            let accept = async {
                match &listener {
                    Some(listener) => listener.accept().await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                // First, so that whoever connects after a change meets the network as it is then.
                biased;
                changed = self.network.changed() => if changed.is_err() { return },
                client = accept => if let Ok((client, _)) = client { self.pass_on(client, network.cuts) },
            }
        }
    }

    /// `cuts`: how many there had been when the client was let in. Any later one is meant for it, too.
    fn pass_on(&self, client: TcpStream, cuts: u64) {
        let (server, network, fuses) = (self.server.clone(), self.network.clone(), self.fuses.clone());
        let number = self.accepted.fetch_add(1, Ordering::SeqCst);
        let open = Counted::one(&self.open, number);
        runtime().spawn(async move {
            let _open = open;
            let cut = {
                let mut network = network.clone();
                async move {
                    // An error means that the proxy is gone, which cuts as well.
                    let _ = network.wait_for(|network| network.cuts != cuts).await;
                }
            };
            tokio::select! {
                () = cut => {}
                _ = connection(number, client, server, network, fuses) => {}
            }
        });
    }
}

async fn connection(
    number: usize,
    client: TcpStream,
    server: Server,
    network: watch::Receiver<Network>,
    fuses: Arc<Fuses>,
) -> io::Result<()> {
    client.set_nodelay(true)?;
    // A cut is a reset, so that the other side notices at once and not by silence.
    client.set_zero_linger()?;
    let server = server.connect().await?;
    let (from_client, to_client) = tokio::io::split(client);
    let (from_server, to_server) = tokio::io::split(server);
    tokio::try_join!(
        one_way(number, from_client, to_server, Direction::Up, network.clone(), &fuses),
        one_way(number, from_server, to_client, Direction::Down, network, &fuses),
    )?;
    Ok(())
}

/// What is under way in one direction of one connection. More than this holds back the sender.
const PIECES_UNDER_WAY: usize = 256;
const PIECE_BYTES: usize = 64 * 1024;

/// What was read at once. Without bytes, it is the end of the stream.
struct Piece {
    due: Instant,
    bytes: Vec<u8>,
    /// The connection ends behind it.
    cut: bool,
}

/// Reading and writing are apart, so that a delay adds latency and takes no throughput.
async fn one_way(
    number: usize,
    mut from: impl AsyncRead + Unpin,
    mut to: impl AsyncWrite + Unpin,
    direction: Direction,
    network: watch::Receiver<Network>,
    fuses: &Fuses,
) -> io::Result<()> {
    let (under_way, mut arriving) = tokio::sync::mpsc::channel::<Piece>(PIECES_UNDER_WAY);
    let read = async {
        let mut buffer = vec![0; PIECE_BYTES];
        loop {
            let length = from.read(&mut buffer).await?;
            let network = *network.borrow();
            if network.way(direction).blackhole {
                if length == 0 {
                    // The end of the stream is swallowed too.
                    std::future::pending::<()>().await;
                }
                continue;
            }
            let last = fuses.burn(direction, length);
            let bytes = buffer[..last.unwrap_or(length)].to_vec();
            let piece = Piece { due: network.due(number, direction), bytes, cut: last.is_some() };
            if under_way.send(piece).await.is_err() || length == 0 {
                return io::Result::Ok(());
            }
        }
    };
    let write = async {
        while let Some(piece) = arriving.recv().await {
            tokio::time::sleep_until(piece.due).await;
            if piece.bytes.is_empty() {
                return to.shutdown().await;
            }
            to.write_all(&piece.bytes).await?;
            if piece.cut {
                return Err(io::ErrorKind::ConnectionReset.into());
            }
        }
        Ok(())
    };
    tokio::try_join!(read, write)?;
    Ok(())
}

fn listen(address: SocketAddr) -> TcpListener {
    let _inside = runtime().enter();
    let socket = || -> io::Result<TcpListener> {
        let socket = tokio::net::TcpSocket::new_v4()?;
        socket.set_reuseaddr(true)?;
        socket.bind(address)?;
        socket.listen(1024)
    };
    socket().unwrap_or_else(|error| panic!("a proxy cannot listen on {address}: {error}"))
}

/// Proxies outlive the runtime of the test that made them, at least by the moment that it takes to drop them.
fn runtime() -> &'static Runtime {
    static RUNTIME: OnceLock<Runtime> = OnceLock::new();
    RUNTIME.get_or_init(|| {
        tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .thread_name("proxy")
            .enable_all()
            .build()
            .unwrap_or_else(|error| panic!("no runtime for proxies: {error}"))
    })
}

struct Counted {
    open: Arc<Open>,
    number: usize,
}

impl Counted {
    fn one(open: &Arc<Open>, number: usize) -> Self {
        open.lock().insert(number);
        Self { open: open.clone(), number }
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.open.lock().remove(&self.number);
    }
}
