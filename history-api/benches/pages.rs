//! How fast a page of 50 is out of a million messages, at any depth, and how that compares to PostgreSQL alone: the same
//! statement through `pgbench`, where there is one. Both read by themselves, one request after the other, over the same
//! socket kind, in turns, so that a busy machine is busy for both.
//!
//! `cargo bench -p natter-history-api`; with `MESSAGES=10000000` for ten million.

#![allow(clippy::unwrap_used)]

use std::env;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use natter_events::{ConversationId, SessionId, Uid};
use natter_history_api::{Config, History, PAGE_STATEMENT};
use natter_platform::secret::Secret;
use natter_platform::telemetry::install_metrics;
use natter_platform::tokens::{PrivateKey, Realm, Signer, Subject, Verifier};
use natter_platform::{Clock, Shutdown};
use natter_testkit::Database;
use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection};
use tokio::net::TcpListener;

const ROUNDS: usize = 5;
const ROUND: Duration = Duration::from_secs(3);
const PARTITIONS: u64 = 12;
/// The settings that the service has on its connections.
const SETTINGS: &str = "-c plan_cache_mode=force_generic_plan -c enable_seqscan=off -c enable_hashjoin=off -c enable_mergejoin=off -c jit=off";

struct World {
    database: Database,
    ada: Uid,
    conversation: ConversationId,
}

#[tokio::main]
async fn main() {
    if env::args().any(|argument| argument == "--test") {
        return;
    }
    let messages = env::var("MESSAGES").ok().and_then(|text| text.parse().ok()).unwrap_or(1_000_000);
    let world = fill(messages).await;
    let mut shares = Vec::new();
    let (page, stop) = http(&world).await;
    for round in 1..=ROUNDS {
        for (depth, from, to) in
            [("newest", messages * 99 / 100, messages), ("anywhere", 100, messages), ("oldest", 100, messages / 100)]
        {
            let (count, http_ms) = page(from, to).await;
            let bench = pgbench(&world, from, to);
            let share = bench.map_or_else(
                || "no pgbench".to_owned(),
                |bench_ms| {
                    shares.push(http_ms / bench_ms);
                    format!("pgbench {bench_ms:.3} ms, {:.2} times", http_ms / bench_ms)
                },
            );
            println!("round {round}, {depth}: HTTP {http_ms:.3} ms over {count} pages; {share}");
        }
    }
    shares.sort_by(f64::total_cmp);
    if let Some(median) = shares.get(shares.len() / 2) {
        println!("a page of 50 out of {messages}: {median:.2} times the statement through pgbench, in the median");
    }
    stop.force();
}

/// A page before a random seq, again and again: gives how many, and the mean time of each in milliseconds.
async fn http(world: &World) -> (impl AsyncFn(u64, u64) -> (usize, f64), Shutdown) {
    let clock = Clock::system();
    let key = PrivateKey::generate().unwrap();
    let verifier = Arc::new(Verifier::new([key.public()], &Realm::default(), &clock));
    let signer = Signer::new(&key, Realm::default(), Duration::from_secs(900), &clock).unwrap();
    let (token, _) = signer.mint(Subject::new(world.ada, SessionId::random(), "ada")).unwrap();
    let mut config = Config::new(Secret::new(world.database.url()));
    config.queries.count = 1_000_000_000.try_into().unwrap();
    let history = History::new(&config, verifier, &clock).unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url =
        format!("http://{}/history/conversations/{}/messages", listener.local_addr().unwrap(), world.conversation);
    let shutdown = Shutdown::new(Duration::from_secs(1));
    tokio::spawn(natter_history_api::serve(listener, history, install_metrics().unwrap(), shutdown.clone()));
    let client = reqwest::Client::new();
    let page = async move |from: u64, to: u64| {
        let (started, mut count) = (Instant::now(), 0);
        while started.elapsed() < ROUND {
            let before = from + (count as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15) % (to - from);
            let request = client.get(format!("{url}?before={before}")).bearer_auth(&token);
            let bytes = request.send().await.unwrap().error_for_status().unwrap().bytes().await.unwrap();
            assert!(bytes.len() > 5_000, "a page of {} bytes", bytes.len());
            count += 1;
        }
        (count, started.elapsed().as_secs_f64() * 1_000.0 / count as f64)
    };
    (page, shutdown)
}

/// The mean time of the same statement, in milliseconds.
fn pgbench(world: &World, from: u64, to: u64) -> Option<f64> {
    let statement = PAGE_STATEMENT
        .replace("$1", &format!("'{}'::uuid", world.ada.as_uuid()))
        .replace("$2", "'00000000-0000-0000-0000-000000000001'::uuid")
        .replace("$3", "now()")
        .replace("$4", "0")
        .replace("$5", &format!("'{}'::uuid", world.conversation.as_uuid()))
        .replace("$6", "0")
        .replace("$7", ":before")
        .replace("$8", "51");
    let script =
        format!("\\set before random({from}, {to})\n{};\n", statement.split_whitespace().collect::<Vec<_>>().join(" "));
    let file = natter_testkit::scratch_folder("pgbench").join("page.sql");
    std::fs::write(&file, script).unwrap();
    let seconds = ROUND.as_secs().to_string();
    let output = Command::new("pgbench")
        .args(["-n", "-M", "prepared", "-c", "1", "-T", &seconds, "-f"])
        .arg(&file)
        .arg(world.database.url())
        .env("PGOPTIONS", SETTINGS)
        .stderr(Stdio::inherit())
        .output()
        .ok()?;
    let text = String::from_utf8_lossy(&output.stdout);
    let line = text.lines().find_map(|line| line.strip_prefix("latency average = "))?;
    line.split_whitespace().next()?.parse().ok()
}

/// One conversation with that many messages, over a year of partitions.
async fn fill(messages: u64) -> World {
    let database = Database::fresh(async |url: String| natter_migrations::migrate(&url).await.map(drop)).await;
    let mut sql = PgConnection::connect(&database.url()).await.unwrap();
    let (ada, bob) = (Uid::random(), Uid::random());
    let conversation = ConversationId::direct(&[ada, bob]);
    let (a, b, c) = (ada.as_uuid(), bob.as_uuid(), conversation.as_uuid());
    let mut script = format!(
        "insert into projector (name, epoch, seq, tag) values ('chat', 1, {messages}, 0);
         insert into users select u, h, h, now(), false, false, 1 from (values ('{a}'::uuid, 'ada'), ('{b}'::uuid, 'bob')) v (u, h);
         insert into users select gen_random_uuid(), 'u' || n, 'u', now(), false, false, 1 from generate_series(1, 10000) n;
         insert into conversations values ('{c}', 'direct', now(), {messages}, {messages}, now(), {messages});
         insert into participants (conversation, uid) values ('{c}', '{a}'), ('{c}', '{b}');
         drop table messages_from_0;"
    );
    for n in 0..PARTITIONS {
        let bound = |n: u64| {
            if n == 0 {
                "minvalue".into()
            } else if n == PARTITIONS {
                "maxvalue".into()
            } else {
                (messages * n / PARTITIONS).to_string()
            }
        };
        script += &format!(
            "create table messages_{n} partition of messages for values from ({}) to ({});",
            bound(n),
            bound(n + 1)
        );
    }
    script += &format!(
        "insert into messages (seq, at, ordinal, conversation, sender, id, text)
         select n, now(), n, '{c}', case when n % 2 = 0 then '{a}'::uuid else '{b}'::uuid end, gen_random_uuid(),
                'message ' || n || ' ' || repeat('lorem ipsum ', 5)
         from generate_series(1, {messages}) n;"
    );
    sql.execute(AssertSqlSafe(script)).await.unwrap();
    sql.execute("vacuum analyze").await.unwrap();
    sql.close().await.unwrap();
    World { database, ada, conversation }
}
