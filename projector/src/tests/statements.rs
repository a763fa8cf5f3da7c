//! The projector killed between every two statements of its cycle (D8), once with the statement lost and once with its
//! answer.
//!
//! It is found by what is in between, not by marks in the projector: [`Cut`] passes on what a client of PostgreSQL asks until
//! the n-th question, and is gone then. So whatever statement is added to the cycle, a life ends before it and after it.

use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, LazyLock};

use bytes::Bytes;
use natter_events::{Event, MembershipChange, Revocation, RevokedSessions, RoomChange, Subject, Visibility};
use natter_log::Stream;
use natter_testkit::Database;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream, UnixStream};

use super::live::config;
use super::paper::{DAY_MS, Draft, EPOCH, JANUARY_MS, Paper, Person, project, projected};
use super::rooms::{in_thread, mentioning};
use super::tables::everything;
use crate::config::Config;
use crate::error::SessionError;
use crate::position::Position;
use crate::session;
use crate::status::Status;
use crate::writer::Writer;

/// What is lost when the connection ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Lost {
    /// The question never arrives.
    Question,
    /// It is answered, and nobody hears.
    Answer,
}

/// A way to PostgreSQL that ends at the n-th question of a session.
struct Cut {
    address: String,
    asked: Arc<AtomicUsize>,
}

impl Cut {
    async fn new(socket: PathBuf, at: usize, lost: Lost) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address").to_string();
        let asked = Arc::<AtomicUsize>::default();
        let count = asked.clone();
        tokio::spawn(async move {
            let (client, _) = listener.accept().await.expect("a client");
            // An answer comes in pieces, and none waits for the one before to arrive.
            client.set_nodelay(true).expect("an option");
            let server = UnixStream::connect(socket).await.expect("PostgreSQL");
            // It ends with an error where the client goes, as clients do.
            let _ = pass_on(client, server, at, lost, &count).await;
        });
        Self { address, asked }
    }

    fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }
}

/// Question after question, each with its answer, since this client never asks before it has heard.
async fn pass_on(
    mut client: TcpStream,
    mut server: UnixStream,
    at: usize,
    lost: Lost,
    asked: &AtomicUsize,
) -> std::io::Result<()> {
    const ENCRYPTION: [u8; 4] = 80_877_103_u32.to_be_bytes();
    loop {
        let first = message(&mut client, None).await?;
        if first[4..8] == ENCRYPTION {
            client.write_all(b"N").await?;
            continue;
        }
        server.write_all(&first).await?;
        break;
    }
    while !answer(&mut server, Some(&mut client)).await? {
        let password = typed(&mut client).await?;
        server.write_all(&password).await?;
    }
    loop {
        let (mut question, mut does) = (Vec::new(), false);
        loop {
            let part = typed(&mut client).await?;
            let kind = part[0];
            // Where something is only prepared, nothing is done.
            does |= matches!(kind, b'E' | b'Q');
            question.extend(part);
            if matches!(kind, b'S' | b'Q') {
                break;
            }
        }
        let last = does && asked.fetch_add(1, Ordering::SeqCst) + 1 == at;
        if last && lost == Lost::Question {
            return Ok(());
        }
        server.write_all(&question).await?;
        if last {
            answer(&mut server, None).await?;
            return Ok(());
        }
        answer(&mut server, Some(&mut client)).await?;
    }
}

/// Passes an answer on. Whether the session can be asked something now; if not, it wants a password.
async fn answer(server: &mut UnixStream, mut client: Option<&mut TcpStream>) -> std::io::Result<bool> {
    loop {
        let kind = server.read_u8().await?;
        let part = message(server, Some(kind)).await?;
        if let Some(client) = &mut client {
            client.write_all(&part).await?;
        }
        // Authentication goes on after these; 0 and 12 are its end.
        let asks = kind == b'R' && !matches!(part[8], 0 | 12);
        if asks || kind == b'Z' {
            return Ok(kind == b'Z');
        }
    }
}

async fn typed(stream: &mut TcpStream) -> std::io::Result<Vec<u8>> {
    let kind = stream.read_u8().await?;
    message(stream, Some(kind)).await
}

async fn message(stream: &mut (impl AsyncReadExt + Unpin), kind: Option<u8>) -> std::io::Result<Vec<u8>> {
    let length = stream.read_u32().await?;
    let mut message: Vec<u8> = kind.into_iter().chain(length.to_be_bytes()).collect();
    let body = message.len();
    message.resize(body + length as usize - 4, 0);
    stream.read_exact(&mut message[body..]).await?;
    Ok(message)
}

/// A history whose end has everything that the projector has statements for, and how many events come before that.
fn history() -> &'static (Paper, usize) {
    static HISTORY: LazyLock<(Paper, usize)> = LazyLock::new(|| {
        let (ada, ben, eve) = (Person::new(), Person::new(), Person::new());
        let mut paper = Paper::new(&[&ada, &ben, &eve]);
        paper.append(&ada.registered("ada", JANUARY_MS));
        let hello = paper.append(&ada.says(&[ben.uid], "hello"));
        let gone = paper.append(&ben.says(&[ada.uid], "gone"));
        let draft = Draft::new("harbour", Visibility::Public, &ada);
        let room = paper.create(&ada, &draft);
        paper.joins(&ben, room);
        let root = paper.append(&ada.says(room, "a boat?"));
        paper.append(&mentioning(in_thread(ben.says(room, "@ada, yes"), root), &[ada.uid]));
        paper.append(&mentioning(ada.says(room, "@ben"), &[ben.uid]));
        let before = paper.events.len();

        // A month later, so that a partition is cut and changes are let go of.
        paper.now_ms += 40 * DAY_MS;
        paper.append(&ben.registered("ben", JANUARY_MS));
        paper.append(&eve.says(&[ada.uid], "new here"));
        paper.create(&eve, &Draft::new("pier", Visibility::Public, &eve));
        paper.append(&ada.edits(&[ben.uid], hello, "hello!"));
        paper.append(&ben.reacts(&[ada.uid], hello, "👍"));
        paper.append(&ben.unreacts(&[ada.uid], hello, "🎈"));
        paper.append(&ben.deletes(&[ada.uid], gone));
        paper.append(&ben.reads(&[ada.uid], hello));
        paper.append(&ada.pins(room, root));
        paper.append(&ada.prefers(room, "{}"));
        paper.append(&in_thread(ada.says(room, "really?"), root));
        paper.append(&ben.reads_in(room, Some(root), root));
        let mut all = mentioning(ben.says(room, "@ada, @room"), &[ada.uid]);
        if let Event::MessageSent(sent) = &mut all.event {
            sent.mentions_room = true;
        }
        paper.append(&all);
        let revocation = Revocation { at_ms: paper.now_ms, which: RevokedSessions::All };
        paper.append(&ben.revoked("ben", JANUARY_MS, vec![revocation]));
        paper.append(&ada.blocks("ada", &[eve.uid], eve.uid, true));
        paper.member(&ada, &ben, room, MembershipChange::Banned, None);
        let banned = Draft { bans: vec![ben.uid], visibility: Visibility::Private, ..draft };
        paper.room(&ada, room, RoomChange::Banned(ben.uid), &banned);
        paper.append_bytes(&Subject::Room(room).to_string(), Bytes::from_static(b"damaged"));
        paper.append(&ada.says(room, "waits"));
        paper.append(&ada.says(&[ben.uid], "the end"));
        (paper, before)
    });
    &HISTORY
}

/// A database in which what comes before is applied.
async fn begun() -> Database {
    let begin = |url: String| async move {
        natter_migrations::migrate(&url).await.map_err(|error| error.to_string())?;
        let (mut paper, before) = history().clone();
        paper.events.truncate(before);
        project(&paper, Config::new(url), &[1_000]).await.map_err(|error| error.to_string())
    };
    Database::fresh(begin).await
}

/// A projector's life, statement by statement as in service: from its connection until everything is applied.
async fn live(config: &Config, paper: &Paper) -> Result<(), SessionError> {
    let mut connection = session::open(&session::connect_options(config, Stream::Chat)?).await?;
    session::check_schema(&mut connection).await?;
    while !session::try_lock(&mut connection, Stream::Chat).await? {
        tokio::task::yield_now().await;
    }
    let position = Position::load(&mut connection, Stream::Chat, EPOCH).await?;
    let mut writer = Writer::new(connection, config.clone(), Status::default(), Stream::Chat, position).await?;
    writer.apply(paper.read(Stream::Chat, position.seq)).await?;
    writer.keep_alive().await
}

async fn killed_at_every_statement(lost: Lost) {
    let (paper, _) = history();
    let expected = everything(&projected(paper, &[1_000]).await).await;
    let silent: Vec<_> = expected.iter().filter(|(_, rows)| rows.is_empty()).map(|(table, _)| *table).collect();
    assert_eq!(silent, ["presence"], "nothing is in them, so nothing is compared");
    for at in 1.. {
        let database = begun().await;
        let cut = Cut::new(database.socket(), at, lost).await;
        let through = Config { database_url: database.url_through(&cut.address), ..config(&database) };
        let ended = live(&through, paper).await;
        assert_eq!(ended.is_err(), cut.asked() == at, "{ended:?} at {at}");
        // Whoever is next goes on, as soon as PostgreSQL has noticed.
        live(&config(&database), paper).await.expect("another goes on");
        let found = everything(&database).await;
        for (table, rows) in &expected {
            assert_eq!(found[table], *rows, "{table}, {lost:?} at {at}");
        }
        if ended.is_ok() {
            println!("killed at each of {} statements", at - 1);
            assert!(at > 60, "only {at} statements");
            break;
        }
    }
}

#[tokio::test]
async fn d8_killed_before_any_statement_nothing_is_applied_twice_or_skipped() {
    killed_at_every_statement(Lost::Question).await;
}

#[tokio::test]
async fn d8_killed_after_any_statement_before_its_answer_nothing_is_applied_twice_or_skipped() {
    killed_at_every_statement(Lost::Answer).await;
}
