//! The operator's doors.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use natter_platform::http::{LayerOptions, ServeOptions, layered};
use natter_platform::ops::{Finding, Ops, Readiness};
use natter_platform::telemetry::install_metrics;
use natter_platform::{Clock, Shutdown};
use serde_json::{Value, json};

use crate::support::{Server, within};

const WITHIN: Duration = Duration::from_millis(200);

async fn server(readiness: Readiness) -> Server {
    let (clock, _) = Clock::manual(1_790_000_000_123);
    let metrics = install_metrics().expect("a recorder");
    let router = layered(Ops { readiness, metrics, clock }.router(), &LayerOptions::default());
    Server::start(router, ServeOptions::default()).await
}

fn readiness() -> Readiness {
    Readiness::new(&Shutdown::new(Duration::from_secs(1)))
}

async fn body(server: &Server, path: &str, status: &str) -> String {
    let answer = server.connect().await.get(path).await;
    let (head, body) = answer.split_once("\r\n\r\n").expect("a head");
    assert!(head.starts_with(&format!("HTTP/1.1 {status}")), "{answer}");
    body.to_owned()
}

async fn json_body(server: &Server, path: &str, status: &str) -> Value {
    serde_json::from_str(&body(server, path, status).await).expect("JSON")
}

#[tokio::test]
async fn health_says_ok_and_the_time_whatever_its_dependencies_do() {
    let readiness = readiness();
    readiness.add("nats", WITHIN, || async { Finding::Failed("down".to_owned()) });
    let server = server(readiness).await;
    let health = json_body(&server, "/health", "200").await;
    assert_eq!(health, json!({"status": "ok", "timestamp": "2026-09-21T14:13:20.123Z"}));
    server.stop().await;
}

#[tokio::test]
async fn ready_names_each_dependency_and_how_it_is() {
    let readiness = readiness();
    readiness.add("nats", WITHIN, || async { Finding::Fine("follower at 42".to_owned()) });
    let server = server(readiness.clone()).await;
    let ready = json_body(&server, "/ready", "200").await;
    assert_eq!(ready, json!({"ready": true, "checks": [{"name": "nats", "ok": true, "detail": "follower at 42"}]}));
    server.stop().await;
}

/// A balancer sends people there all the same.
#[tokio::test]
async fn a_service_that_is_degraded_is_ready_and_says_what_it_misses() {
    let readiness = readiness();
    readiness.add("nats", WITHIN, || async { Finding::Fine("follower at 42".to_owned()) });
    readiness.add("history", WITHIN, || async { Finding::Degraded("no answer".to_owned()) });
    let server = server(readiness.clone()).await;
    let ready = json_body(&server, "/ready", "200").await;
    let nats = json!({"name": "nats", "ok": true, "detail": "follower at 42"});
    let history = json!({"name": "history", "ok": true, "degraded": true, "detail": "no answer"});
    assert_eq!(ready, json!({"ready": true, "degraded": true, "checks": [nats, history]}));
    server.stop().await;
}

#[tokio::test]
async fn metrics_have_each_dependency_too() {
    let readiness = readiness();
    readiness.add("measured and missed", WITHIN, || async { Finding::Degraded("away".to_owned()) });
    readiness.add("measured and up", WITHIN, || async { Finding::Fine("well".to_owned()) });
    readiness.add("measured and down", WITHIN, || async { Finding::Failed("away".to_owned()) });
    let server = server(readiness).await;
    let metrics = body(&server, "/metrics", "200").await;
    for (check, ready, degraded) in [("up", 1, 0), ("missed", 1, 1), ("down", 0, 0)] {
        for (gauge, value) in [("natter_ready", ready), ("natter_degraded", degraded)] {
            let line = format!("{gauge}{{check=\"measured and {check}\"}} {value}");
            assert!(metrics.contains(&line), "no {line} in\n{metrics}");
        }
    }
    server.stop().await;
}

#[tokio::test]
async fn a_check_that_fails_hangs_or_panics_is_not_ready_and_holds_nobody_up() {
    let readiness = readiness();
    readiness.add("good", WITHIN, || async { Finding::Fine(String::new()) });
    readiness.add("bad", WITHIN, || async { Finding::Failed("no route".to_owned()) });
    readiness.add("hangs", WITHIN, std::future::pending);
    readiness.add("panics", WITHIN, || async { if true { panic!("hunter2") } else { Finding::Fine(String::new()) } });
    let server = server(readiness).await;
    let ready = json_body(&server, "/ready", "503").await;
    assert_eq!(ready["ready"], false);
    let checks: Vec<(&str, bool, &str)> = ready["checks"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|check| {
            let text = |name: &str| check[name].as_str().expect("text");
            (text("name"), check["ok"].as_bool().expect("a truth"), text("detail"))
        })
        .collect();
    let expected = [
        ("good", true, ""),
        ("bad", false, "no route"),
        ("hangs", false, "no answer within 200 ms"),
        ("panics", false, "the check panicked"),
    ];
    assert_eq!(checks, expected);
    server.stop().await;
}

#[tokio::test]
async fn however_many_ask_a_dependency_is_asked_once_at_a_time() {
    let asked = Arc::new(AtomicUsize::new(0));
    let count = asked.clone();
    let readiness = readiness();
    readiness.add("nats", WITHIN, move || {
        count.fetch_add(1, Ordering::SeqCst);
        async { Finding::Fine(String::new()) }
    });
    let reports = (0..500).map(|_| readiness.report());
    let reports = within("the reports", futures::future::join_all(reports)).await;
    assert!(reports.iter().all(|report| report.ready));
    assert!((1..=3).contains(&asked.load(Ordering::SeqCst)), "asked {asked:?} times");
}

#[tokio::test]
async fn a_service_that_is_stopping_is_not_ready() {
    let shutdown = Shutdown::new(Duration::from_secs(1));
    let readiness = Readiness::new(&shutdown);
    assert!(readiness.report().await.ready);
    shutdown.request();
    assert!(!readiness.report().await.ready);
}

#[tokio::test]
async fn metrics_show_requests_by_route_and_never_by_path() {
    let server = server(readiness()).await;
    body(&server, "/health?token=hunter2", "200").await;
    body(&server, "/hunter2", "404").await;
    let metrics = body(&server, "/metrics", "200").await;
    for expected in [
        "natter_http_request_duration_seconds_count{method=\"GET\",path=\"/health\",status=\"200\"}",
        "natter_http_request_duration_seconds_count{method=\"GET\",path=\"(none)\",status=\"404\"}",
        "natter_http_connections ",
        "process_resident_memory_bytes ",
    ] {
        assert!(metrics.contains(expected), "no {expected} in\n{metrics}");
    }
    assert!(!metrics.contains("hunter2"), "{metrics}");
    server.stop().await;
}
