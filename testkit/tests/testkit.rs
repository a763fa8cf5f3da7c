//! The test kit, tested: what it promises to other tests.

use std::fs;
use std::io::ErrorKind;
use std::path::Path;
use std::time::{Duration, Instant};

use natter_testkit::{Broker, BrokerOptions, Database, DatabaseServer, Direction, Proxy, eventually};
use sqlx::{Connection, PgConnection};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};

const SOON: Duration = Duration::from_secs(10);

async fn greeting(address: &str) -> std::io::Result<String> {
    let mut line = String::new();
    BufReader::new(TcpStream::connect(address).await?).read_line(&mut line).await?;
    Ok(line)
}

#[tokio::test]
async fn a_broker_has_jetstream_a_password_and_the_limits_that_were_asked_for() {
    let broker = Broker::start_with(BrokerOptions { max_payload_bytes: 4096, ..Default::default() }).await;
    let info = greeting(broker.address()).await.expect("it listens");
    assert!(info.contains(r#""jetstream":true"#) && info.contains(r#""auth_required":true"#), "{info}");
    assert!(info.contains(r#""max_payload":4096"#), "{info}");
    assert!(broker.store_dir().join("jetstream").is_dir());
}

#[tokio::test]
async fn a_broker_comes_back_on_its_port_after_a_kill_and_after_a_stop() {
    let broker = Broker::start().await;
    let (first, address) = (broker.pid().await, broker.address().to_owned());
    broker.kill().await;
    assert_eq!(greeting(&address).await.expect_err("it is gone").kind(), ErrorKind::ConnectionRefused);
    broker.restart().await;
    greeting(&address).await.expect("it is back");
    assert_ne!(broker.pid().await, first);
    broker.stop().await;
    assert_eq!(greeting(&address).await.expect_err("it is gone").kind(), ErrorKind::ConnectionRefused);
}

#[tokio::test]
async fn a_paused_broker_says_nothing_until_it_is_resumed() {
    let broker = Broker::start().await;
    broker.pause().await;
    // The system takes the connection; the greeting has to come from the broker.
    let mut waiting = Box::pin(greeting(broker.address()));
    let silence = tokio::time::timeout(Duration::from_millis(100), &mut waiting).await;
    assert!(silence.is_err(), "it said {silence:?}");
    broker.resume().await;
    waiting.await.expect("it goes on");
}

#[tokio::test]
async fn databases_are_migrated_once_and_do_not_see_each_other() {
    static MIGRATED: std::sync::atomic::AtomicU32 = std::sync::atomic::AtomicU32::new(0);
    async fn migrate(url: String) -> sqlx::Result<()> {
        MIGRATED.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
        let mut connection = PgConnection::connect(&url).await?;
        sqlx::query("CREATE TABLE notes (note TEXT)").execute(&mut connection).await?;
        Ok(())
    }
    let (one, other) = tokio::join!(Database::fresh(migrate), Database::fresh(migrate));
    let third = Database::fresh(migrate).await;
    assert_eq!(MIGRATED.load(std::sync::atomic::Ordering::SeqCst), 1);
    let mut connection = PgConnection::connect(&one.url()).await.expect("connected");
    sqlx::query("INSERT INTO notes VALUES ('here')").execute(&mut connection).await.expect("inserted");
    for (database, notes) in [(&one, 1_i64), (&other, 0), (&third, 0)] {
        let mut connection = PgConnection::connect(&database.url()).await.expect("connected");
        let count: i64 =
            sqlx::query_scalar("SELECT count(*) FROM notes").fetch_one(&mut connection).await.expect("counted");
        assert_eq!(count, notes);
    }
}

/// Each test has a runtime of its own. What one of them started must serve the next.
#[test]
fn a_database_server_outlives_the_runtime_that_started_it() {
    for _ in 0..3 {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        runtime.block_on(async {
            let database = Database::empty().await;
            PgConnection::connect(&database.url()).await.expect("connected");
        });
    }
}

#[tokio::test]
async fn a_database_is_gone_after_it_was_dropped() {
    let (keeper, database) = (Database::empty().await, Database::empty().await);
    let name = database.name().to_owned();
    let _still_connected = PgConnection::connect(&database.url()).await.expect("connected");
    drop(database);
    let mut connection = PgConnection::connect(&keeper.url()).await.expect("connected");
    eventually("the database is dropped", SOON, async || {
        let left: i64 = sqlx::query_scalar("SELECT count(*) FROM pg_database WHERE datname = $1")
            .bind(&name)
            .fetch_one(&mut connection)
            .await
            .expect("counted");
        left == 0
    })
    .await;
}

/// The processes of a server, with the letters that the kernel gives for their states.
fn processes_of(server: &DatabaseServer) -> Vec<(u32, char)> {
    let postmaster = fs::read_to_string(server.socket().with_file_name("postmaster.pid")).expect("it runs");
    let postmaster: u32 = postmaster.lines().next().and_then(|line| line.parse().ok()).expect("its process");
    let stats = fs::read_dir("/proc").expect("/proc").flatten().filter_map(|process| {
        let pid: u32 = process.file_name().to_str()?.parse().ok()?;
        let stat = fs::read_to_string(process.path().join("stat")).ok()?;
        let mut fields = stat.rsplit(')').next()?.split_whitespace();
        let (state, parent): (char, u32) = (fields.next()?.chars().next()?, fields.next()?.parse().ok()?);
        (pid == postmaster || parent == postmaster).then_some((pid, state))
    });
    stats.collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn no_session_of_a_paused_database_server_answers_until_it_is_resumed() {
    let server = DatabaseServer::start().await;
    let mut session = PgConnection::connect(server.url()).await.expect("connected");
    // Others come and go all the while, so that there are processes which begin and end at this moment.
    let guests: Vec<_> = (0..8)
        .map(|_| {
            let url = server.url().to_owned();
            tokio::spawn(async move {
                while let Ok(guest) = PgConnection::connect(&url).await {
                    let _ = guest.close().await;
                }
            })
        })
        .collect();
    for _ in 0..10 {
        server.pause().await;
        let processes = processes_of(&server);
        assert!(processes.len() > 2, "the server, what it always has, and sessions: {processes:?}");
        assert!(processes.iter().all(|(_, state)| matches!(state, 'T' | 'Z')), "{processes:?}");
        let mut answer = Box::pin(sqlx::query("SELECT 1").execute(&mut session));
        let silence = tokio::time::timeout(Duration::from_millis(100), &mut answer).await;
        assert!(silence.is_err(), "it said {silence:?}");
        server.resume().await;
        tokio::time::timeout(SOON, answer).await.expect("it goes on").expect("answered");
    }
    guests.iter().for_each(tokio::task::JoinHandle::abort);
}

#[tokio::test]
async fn a_database_server_that_was_paused_is_killed_and_restarted_and_dropped_like_any() {
    let server = DatabaseServer::start().await;
    for kill in [true, false] {
        let mut session = PgConnection::connect(server.url()).await.expect("connected");
        server.pause().await;
        if kill {
            server.kill().await;
        }
        server.restart().await;
        sqlx::query("SELECT 1").execute(&mut session).await.expect_err("its session has ended");
        PgConnection::connect(server.url()).await.expect("it is back");
    }
    let _session = PgConnection::connect(server.url()).await.expect("connected");
    server.pause().await;
    let processes = processes_of(&server);
    drop(server);
    eventually("nothing of it is left", SOON, async || {
        let left: Vec<_> = processes.iter().filter(|(pid, _)| !matches!(state_of(*pid), None | Some('Z'))).collect();
        if left.is_empty() { Ok(()) } else { Err(format!("{left:?}")) }
    })
    .await;
}

#[tokio::test]
async fn a_database_is_reached_through_a_proxy_that_can_be_cut() {
    let database = Database::empty().await;
    let proxy = Proxy::to_socket(database.socket()).await;
    let mut connection = PgConnection::connect(&database.url_through(&proxy.address())).await.expect("connected");
    sqlx::query("SELECT 1").execute(&mut connection).await.expect("answered");
    proxy.cut();
    sqlx::query("SELECT 1").execute(&mut connection).await.expect_err("the connection is cut");
    eventually("the proxy has let go", SOON, async || proxy.open() == 0).await;
}

/// Sends back what it gets.
async fn echo() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("bound");
    let address = listener.local_addr().expect("an address").to_string();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                let (mut from, mut to) = stream.split();
                let _ = tokio::io::copy(&mut from, &mut to).await;
            });
        }
    });
    address
}

async fn round_trip(stream: &mut TcpStream, word: &[u8; 4]) -> Duration {
    let start = Instant::now();
    let mut answer = [0; 4];
    stream.write_all(word).await.expect("written");
    stream.read_exact(&mut answer).await.expect("answered");
    assert_eq!(&answer, word);
    start.elapsed()
}

#[tokio::test]
async fn a_proxy_passes_on_delays_and_cuts() {
    let proxy = Proxy::to(echo().await).await;
    let mut stream = TcpStream::connect(proxy.address()).await.expect("connected");
    round_trip(&mut stream, b"once").await;
    proxy.delay(Direction::Up, Duration::from_millis(60));
    proxy.delay(Direction::Down, Duration::from_millis(40));
    let delayed = round_trip(&mut stream, b"slow").await;
    assert!(delayed >= Duration::from_millis(100), "{delayed:?}");
    proxy.cut();
    assert_eq!(stream.read_u8().await.expect_err("cut").kind(), ErrorKind::ConnectionReset);
    proxy.heal();
    let mut stream = TcpStream::connect(proxy.address()).await.expect("new connections are passed on");
    round_trip(&mut stream, b"next").await;
    assert_eq!(proxy.accepted(), 2);
}

#[tokio::test]
async fn a_proxy_refuses_connections_and_takes_them_again_on_the_same_port() {
    let proxy = Proxy::to(echo().await).await;
    let mut before = TcpStream::connect(proxy.address()).await.expect("connected");
    round_trip(&mut before, b"open").await;
    proxy.refuse();
    eventually("connections are refused", SOON, async || match TcpStream::connect(proxy.address()).await {
        Err(error) if error.kind() == ErrorKind::ConnectionRefused => Ok(()),
        other => Err(other),
    })
    .await;
    round_trip(&mut before, b"live").await;
    proxy.heal();
    let mut stream =
        eventually("connections are taken", SOON, async || TcpStream::connect(proxy.address()).await).await;
    round_trip(&mut stream, b"back").await;
}

#[tokio::test]
async fn a_black_hole_swallows_one_direction_and_healing_cuts_what_lost_something() {
    let (received, mut arrivals) = tokio::sync::mpsc::unbounded_channel();
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("bound");
    let proxy = Proxy::to(listener.local_addr().expect("an address")).await;
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.expect("accepted");
        while let Ok(byte) = stream.read_u8().await {
            received.send(byte).expect("the test listens");
            stream.write_u8(byte).await.expect("written");
        }
    });
    let mut stream = TcpStream::connect(proxy.address()).await.expect("connected");
    stream.write_u8(1).await.expect("written");
    assert_eq!(stream.read_u8().await.expect("answered"), 1);
    proxy.blackhole(Direction::Down);
    stream.write_u8(2).await.expect("written");
    assert_eq!(arrivals.recv().await, Some(1));
    assert_eq!(arrivals.recv().await, Some(2), "the way up is open");
    let silence = tokio::time::timeout(Duration::from_millis(100), stream.read_u8()).await;
    assert!(silence.is_err(), "the way down swallows everything: {silence:?}");
    proxy.heal();
    stream.read_u8().await.expect_err("it was cut, as it had lost something");
}

#[tokio::test]
async fn a_proxy_cuts_one_connection_right_behind_a_byte() {
    let proxy = Proxy::to(echo().await).await;
    let mut first = TcpStream::connect(proxy.address()).await.expect("connected");
    let mut second = TcpStream::connect(proxy.address()).await.expect("connected");
    round_trip(&mut first, b"warm").await;
    round_trip(&mut second, b"warm").await;
    proxy.cut_after(Direction::Down, 6);
    first.write_all(b"0123456789").await.expect("written");
    let mut heard = Vec::new();
    first.read_to_end(&mut heard).await.expect_err("it is cut");
    assert!(heard.is_empty() || heard == b"012345", "a reset may overtake what came before: {heard:?}");
    round_trip(&mut second, b"goes").await;
}

#[tokio::test]
async fn a_proxy_holds_one_connection_while_another_goes_on() {
    let proxy = Proxy::to(echo().await).await;
    let mut first = TcpStream::connect(proxy.address()).await.expect("connected");
    round_trip(&mut first, b"warm").await;
    let mut second = TcpStream::connect(proxy.address()).await.expect("connected");
    round_trip(&mut second, b"warm").await;
    proxy.hold_one(2, Duration::from_millis(300));
    first.write_all(b"late").await.expect("written");
    let mut heard = [0; 4];
    tokio::select! {
        biased;
        _ = first.read_exact(&mut heard) => panic!("it is held"),
        _ = round_trip(&mut second, b"goes") => {}
    }
    first.read_exact(&mut heard).await.expect("nothing is lost");
    assert_eq!(&heard, b"late");
    round_trip(&mut first, b"next").await;
}

#[tokio::test]
async fn a_balancer_takes_servers_in_turn_and_the_next_one_for_one_that_is_gone() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("bound");
    let gone = listener.local_addr().expect("an address").to_string();
    drop(listener);
    let proxy = Proxy::to_any([gone, echo().await.to_string()]).await;
    for _ in 0..4 {
        let mut stream = TcpStream::connect(proxy.address()).await.expect("connected");
        round_trip(&mut stream, b"take").await;
    }
}

#[tokio::test]
#[should_panic(expected = "until the moon is full; saw last, after")]
async fn what_never_happens_fails_and_says_what_was_seen() {
    eventually("the moon is full", Duration::from_millis(50), async || Err::<(), _>("a crescent")).await;
}

#[tokio::test]
#[should_panic(expected = "until someone answers; saw last, after 1 looks: no look was finished")]
async fn a_look_that_hangs_fails_too() {
    eventually("someone answers", Duration::from_millis(50), async || std::future::pending::<bool>().await).await;
}

/// This test runs itself a second time, as a process that starts engines and is killed.
#[tokio::test]
async fn a_test_process_that_is_killed_leaves_neither_engines_nor_files() {
    if std::env::var_os("NATTER_TESTKIT_VICTIM").is_some() {
        let broker = Broker::start().await;
        let database = Database::empty().await;
        let postmaster = fs::read_to_string(database.socket().with_file_name("postmaster.pid")).expect("it runs");
        let postgres = postmaster.lines().next().expect("its process").to_owned();
        println!("\n{} {} {}", broker.pid().await, postgres, broker.store_dir().display());
        std::future::pending::<()>().await;
    }
    let mut victim = tokio::process::Command::new(std::env::current_exe().expect("this test"))
        .args(["--exact", "a_test_process_that_is_killed_leaves_neither_engines_nor_files", "--nocapture"])
        .env("NATTER_TESTKIT_VICTIM", "1")
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .expect("started");
    let mut lines = BufReader::new(victim.stdout.take().expect("piped")).lines();
    let (broker, postgres, store) = loop {
        let line = lines.next_line().await.expect("readable").expect("it says what it started");
        if let [broker, postgres, store] = line.split(' ').collect::<Vec<_>>()[..]
            && Path::new(store).is_dir()
        {
            break (broker.parse().expect("a number"), postgres.parse().expect("a number"), store.to_owned());
        }
    };
    assert!(state_of(broker).is_some() && state_of(postgres).is_some());
    victim.kill().await.expect("killed");
    eventually("the engines are gone", SOON, async || match (state_of(broker), state_of(postgres)) {
        (None | Some('Z'), None | Some('Z')) => Ok(()),
        alive => Err(alive),
    })
    .await;
    let folder = Path::new(&store).parent().and_then(Path::parent).expect("the folder of the process").to_owned();
    assert!(folder.file_name().is_some_and(|name| name.to_string_lossy().starts_with("process-")), "{folder:?}");
    eventually("its files are gone", SOON, async || !folder.exists()).await;
}

/// The letter that the kernel gives for the state of a process, if there is one.
fn state_of(pid: u32) -> Option<char> {
    let status = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    status.rsplit(')').next()?.trim().chars().next()
}
