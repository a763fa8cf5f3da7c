//! The service itself: its doors, its end, its configuration.

use std::sync::Arc;
use std::time::Duration;

use natter_history_api::{Config, History};
use natter_platform::Clock;
use natter_platform::secret::Secret;
use natter_platform::tokens::{PrivateKey, Realm, Verifier};
use natter_testkit::eventually;

use crate::world::{DEADLINE, World};

/// How long ago a projector wrote, as `/ready` says it.
fn written_s(report: &str) -> Option<f64> {
    report.split_once("written ")?.1.split_once(" s ago")?.0.parse().ok()
}

#[tokio::test]
async fn ready_says_how_far_the_projector_is() {
    let world = World::new().await;
    world.person("ada").await;
    let ready = world.ask("/ready", |request| request).await;
    assert_eq!((ready.status, ready.body["ready"].as_bool()), (200, Some(true)), "{:?}", ready.body);
    let projector = ready.body["checks"].as_array().unwrap().iter().find(|check| check["name"] == "projector").unwrap();
    let detail = projector["detail"].as_str().unwrap();
    assert!(
        detail.starts_with("at seq 1, ") && written_s(detail).is_some_and(|s| s < DEADLINE.as_secs_f64()),
        "{detail}"
    );
}

/// What it has can be read, so nobody is sent elsewhere.
#[tokio::test]
async fn without_a_projector_history_is_ready_and_says_that_none_is_at_work() {
    let world = World::new().await;
    world.person("ada").await;
    for (seconds, degraded) in [(0, false), (5, false), (11, true), (0, false)] {
        world.run(format!("update projector set updated_at = now() - interval '{seconds} seconds'")).await;
        let gauge = format!("natter_degraded{{check=\"projector\"}} {}", u8::from(degraded));
        // A report is given out for a quarter of a second.
        let ready = eventually("it is noticed", DEADLINE, async || {
            let ready = world.ask("/ready", |request| request).await;
            let metrics = world.ask("/metrics", |request| request).await.body;
            let told = ready.body["degraded"].as_bool().unwrap_or(false) == degraded;
            if told && metrics.as_str().unwrap().contains(&gauge) { Ok(ready) } else { Err((ready.body, metrics)) }
        })
        .await;
        assert_eq!((ready.status, ready.body["ready"].as_bool()), (200, Some(true)), "{:?}", ready.body);
        let report = ready.body.to_string();
        assert_eq!(report.contains("no projector is at work: at seq 1, "), degraded, "{report}");
        // What was said before of an earlier round may still be given out, but not where it changed.
        assert!(!degraded || written_s(&report).is_some_and(|s| s >= f64::from(seconds)), "{report}");
    }
}

#[tokio::test]
async fn requests_and_statements_are_measured_by_route() {
    let world = World::new().await;
    let ada = world.person("ada").await;
    world.get(&ada, "/history/users/ada").await;
    let text = world.ask("/metrics", |request| request).await.body;
    let text = text.as_str().unwrap();
    for expected in [
        "natter_http_request_duration_seconds_count{method=\"GET\",path=\"/history/users/{handle}\",status=\"200\"}",
        "natter_history_statement_duration_seconds_count{route=\"user\"}",
    ] {
        assert!(text.contains(expected), "no {expected} in\n{text}");
    }
}

#[tokio::test]
async fn a_stop_ends_the_service_and_its_connections() {
    let mut world = World::new().await;
    let ada = world.person("ada").await;
    assert_eq!(world.get(&ada, "/history/users").await.status, 200);
    world.shutdown.request();
    tokio::time::timeout(DEADLINE, world.serving.take().unwrap()).await.expect("it stops").unwrap().unwrap();
    // PostgreSQL learns of a connection's end a moment after it.
    eventually("no connection is left", DEADLINE, async || {
        let (left,): (i64,) = sqlx::query_as(
            "select count(*) from pg_stat_activity where datname = current_database() and application_name = 'natter-history-api'",
        )
        .fetch_one(&world.sql)
        .await
        .unwrap();
        if left == 0 { Ok(()) } else { Err(left) }
    })
    .await;
}

#[tokio::test]
async fn a_database_url_that_is_none_is_refused_at_the_start_without_showing_it() {
    let clock = Clock::system();
    let verifier = Arc::new(Verifier::new([PrivateKey::generate().unwrap().public()], &Realm::default(), &clock));
    for bad in ["", "hunter2", "mysql:/x:hunter2", "postgres://user:hunter2@host:99999/x"] {
        let config = Config { connection_timeout: Duration::from_secs(1), ..Config::new(Secret::new(bad.to_owned())) };
        let error = History::new(&config, verifier.clone(), &clock).err().expect(bad);
        let shown = natter_platform::error::chain(&error);
        assert!(shown.contains("postgres://user:password@host:port/database") && !shown.contains("hunter2"), "{shown}");
    }
}
