//! PostgreSQL away, slow, back; a schema that is not there.

use std::num::NonZeroU32;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use futures::future::join_all;
use natter_protocol::ErrorCode;
use natter_testkit::{Database, Direction, Proxy, eventually};
use sqlx::AssertSqlSafe;
use sqlx::Executor;
use sqlx::postgres::PgPool;

use crate::world::{DEADLINE, World, migrated, reader};

const PATH: &str = "/history/conversations";

/// A world whose service reaches PostgreSQL through a network that can be broken.
async fn behind_a_proxy() -> (World, Proxy) {
    let database = migrated().await;
    let proxy = Proxy::to_socket(database.socket()).await;
    let url = database.url_through(&proxy.address());
    let world = World::over(database, &url, |config| {
        config.connection_timeout = Duration::from_millis(1_500);
        config.request_timeout = Duration::from_secs(3);
    })
    .await;
    (world, proxy)
}

#[tokio::test]
async fn without_postgresql_history_is_unavailable_and_it_comes_back_by_itself() {
    let (world, proxy) = behind_a_proxy().await;
    let ada = world.person("ada").await;
    assert_eq!(world.get(&ada, PATH).await.status, 200);
    proxy.refuse();
    proxy.cut();
    for _ in 0..3 {
        let started = Instant::now();
        let away = world.get(&ada, PATH).await;
        away.is_problem(503, ErrorCode::Unavailable);
        assert_eq!(away.headers["retry-after"], "1");
        assert!(started.elapsed() < Duration::from_secs(8), "took {:?}", started.elapsed());
    }
    let ready = world.ask("/ready", |request| request).await;
    assert_eq!((ready.status, ready.body["ready"].as_bool()), (503, Some(false)), "{:?}", ready.body);
    assert_eq!(world.ask("/health", |request| request).await.status, 200);
    proxy.heal();
    eventually("history is back", DEADLINE, async || {
        let answer = world.get(&ada, PATH).await;
        if answer.status == 200 { Ok(()) } else { Err(answer.body) }
    })
    .await;
    eventually("it is ready again", DEADLINE, async || {
        let ready = world.ask("/ready", |request| request).await;
        if ready.status == 200 { Ok(()) } else { Err(ready.body) }
    })
    .await;
}

#[tokio::test]
async fn connections_that_were_cut_are_replaced_without_the_client_noticing() {
    let (world, proxy) = behind_a_proxy().await;
    let ada = world.person("ada").await;
    for _ in 0..5 {
        assert_eq!(world.get(&ada, PATH).await.status, 200);
        proxy.cut();
    }
    assert_eq!(world.get(&ada, PATH).await.status, 200);
}

#[tokio::test]
async fn a_postgresql_that_does_not_answer_holds_no_request_for_longer_than_its_bound() {
    let (world, proxy) = behind_a_proxy().await;
    let ada = world.person("ada").await;
    assert_eq!(world.get(&ada, PATH).await.status, 200);
    proxy.blackhole(Direction::Down);
    let started = Instant::now();
    world.get(&ada, PATH).await.is_problem(503, ErrorCode::Unavailable);
    assert!(started.elapsed() < Duration::from_secs(8), "took {:?}", started.elapsed());
    proxy.cut();
    proxy.heal();
    eventually("history is back", DEADLINE, async || {
        let answer = world.get(&ada, PATH).await;
        if answer.status == 200 { Ok(()) } else { Err(answer.body) }
    })
    .await;
}

#[tokio::test]
async fn a_statement_that_takes_too_long_is_ended() {
    let world = World::with(|config| config.statement_timeout = Duration::from_secs(1)).await;
    let ada = world.person("ada").await;
    assert_eq!(world.get(&ada, PATH).await.status, 200);
    let mut lock = world.sql.begin().await.unwrap();
    lock.execute("lock table conversations in access exclusive mode").await.unwrap();
    world.get(&ada, PATH).await.is_problem(503, ErrorCode::Unavailable);
    lock.rollback().await.unwrap();
    assert_eq!(world.get(&ada, PATH).await.status, 200);
}

#[tokio::test]
async fn a_database_that_is_not_migrated_is_unavailable_and_not_ready() {
    let database = Database::empty().await;
    let url = reader(&database).await;
    let setup = PgPool::connect(&database.url()).await.unwrap();
    // The world keeps its log in there, so give it that one table.
    setup
        .execute("create table projector (name text, epoch bigint, seq bigint, tag bigint, event_at timestamptz, updated_at timestamptz default now())")
        .await
        .unwrap();
    let world = World::over(database, &url, |_| {}).await;
    let ada = crate::world::Person {
        uid: natter_events::Uid::random(),
        handle: "ada".to_owned(),
        session: natter_events::SessionId::random(),
    };
    world.get(&ada, PATH).await.is_problem(503, ErrorCode::Unavailable);
    let ready = world.ask("/ready", |request| request).await;
    assert_eq!(ready.status, 503);
    assert!(ready.body.to_string().contains("natter migrate"), "{}", ready.body);
    setup.close().await;
}

/// Migrations add to the schema one by one, and a service may be started between two of them.
#[tokio::test]
async fn whatever_of_the_schema_is_missing_the_service_is_not_ready() {
    let world = World::new().await;
    let tables = "projector users revocations presence conversations participants messages versions reactions commands \
                  feed changes_kept changes blocks heard rooms bans threads mentions pins counters thread_counters preferences";
    let functions = "readable words_of found_by";
    let named = |kind, names: &'static str| names.split_whitespace().map(move |name| (kind, name));
    // What it said last holds for a moment.
    let says = async |status: u16, words: &str| {
        eventually(&format!("/ready says {status} {words:?}"), DEADLINE, async || {
            let ready = world.ask("/ready", |request| request).await;
            if ready.status == status && ready.body.to_string().contains(words) { Ok(()) } else { Err(ready.body) }
        })
        .await;
    };
    for (kind, name) in named("table", tables).chain(named("function", functions)) {
        world.run(format!("alter {kind} {name} rename to gone")).await;
        let missing = if kind == "table" { format!("relation \\\"{name}\\\"") } else { format!("function {name}(") };
        says(503, &missing).await;
        world.run(format!("alter {kind} gone rename to {name}")).await;
    }
    says(200, "").await;
}

#[tokio::test]
async fn before_anything_was_projected_history_is_unavailable_and_not_ready() {
    let world = World::new().await;
    let ada = world.person("ada").await;
    world.run("delete from projector".to_owned()).await;
    world.get(&ada, PATH).await.is_problem(503, ErrorCode::Unavailable);
    let ready = world.ask("/ready", |request| request).await;
    assert_eq!(ready.status, 503);
    assert!(ready.body.to_string().contains("natter projector"), "{}", ready.body);
}

#[tokio::test]
async fn the_service_cannot_write_whatever_role_it_is_given() {
    let database = migrated().await;
    // The owner of every table: it is the connection that is read-only.
    let url = database.url();
    let world = World::over(database, &url, |_| {}).await;
    let ada = world.person("ada").await;
    assert_eq!(world.get(&ada, PATH).await.status, 200);
    let connections: Vec<(String,)> = sqlx::query_as(AssertSqlSafe(
        "select application_name from pg_stat_activity where datname = current_database() and application_name = 'natter-history-api'".to_owned(),
    ))
    .fetch_all(&world.sql)
    .await
    .unwrap();
    assert!(!connections.is_empty());
    // A function with a side effect in the read path would be refused by PostgreSQL.
    world
        .run(
            "create function spoil() returns bigint language plpgsql as $$ begin delete from users; return 1; end $$"
                .to_owned(),
        )
        .await;
    world
        .run("alter table projector rename to log_position; create view projector as select name, epoch, spoil() as seq, tag, event_at, updated_at from log_position".to_owned())
        .await;
    assert_eq!(world.get(&ada, PATH).await.status, 500);
    let (users,): (i64,) = sqlx::query_as("select count(*) from users").fetch_one(&world.sql).await.unwrap();
    assert_eq!(users, 1);
}

/// An operator may have the read models made again from the log while people read.
#[tokio::test(flavor = "multi_thread")]
async fn while_the_schema_is_made_again_under_its_readers_history_is_unavailable_and_never_fails() {
    const TIMES: usize = 12;
    let database = migrated().await;
    let url = database.url();
    let world = World::over(database, &url, |config| config.queries.count = NonZeroU32::MAX).await;
    let ada = world.person("ada").await;
    let conversation = crate::log::direct(&[&ada, &ada]);
    let paths = [
        PATH.to_owned(),
        format!("/history/conversations/{conversation}/messages"),
        "/history/search?q=hello".to_owned(),
        "/history/users".to_owned(),
        "/history/rooms".to_owned(),
        "/history/changes".to_owned(),
        "/history/blocks".to_owned(),
    ];
    let is_over = AtomicBool::new(false);
    let made_again = async {
        for _ in 0..TIMES {
            // Where readers and it wait for each other, it may be the one that PostgreSQL turns away.
            eventually("the schema is gone", DEADLINE, async || {
                sqlx::raw_sql("drop schema public cascade; create schema public").execute(&world.sql).await
            })
            .await;
            natter_migrations::migrate(&url).await.unwrap();
            world.begin_log().await;
        }
        is_over.store(true, Ordering::Relaxed);
    };
    let readers = join_all(paths.iter().map(async |path| {
        let mut unavailable = 0;
        while !is_over.load(Ordering::Relaxed) {
            let answer = world.get(&ada, path).await;
            assert_ne!(answer.status, 500, "{path}: {:?}", answer.body);
            unavailable += usize::from(answer.status == 503);
        }
        unavailable
    }));
    let ((), unavailable) = tokio::join!(made_again, readers);
    assert!(unavailable.iter().sum::<usize>() > TIMES, "it was no test: {unavailable:?}");
    assert_eq!(world.get(&ada, PATH).await.status, 200);
}
