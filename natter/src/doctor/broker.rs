//! Whether the broker answers, keeps things, and keeps them as Natter wants it.

use std::path::Path;

use natter_log::{ConnectError, Log, Settings, Stream};
use natter_platform::error::chain;

use super::report::Report;
use crate::services::broker::key_ring;

/// Gives the log if there is one.
pub async fn check(settings: Settings, report: &mut Report) -> Option<Log> {
    let log = match Log::connect(settings).await {
        Ok(log) => log,
        Err(error @ ConnectError::NoJetStream { .. }) => {
            report.ok("broker", "answers".to_owned());
            report.fail("JetStream", chain(&error), "configure nats-server with Natter's nats.conf");
            return None;
        }
        Err(error) => {
            report.fail("broker", chain(&error), "is nats-server running, and are address, user and password right?");
            return None;
        }
    };
    match log.round_trip().await {
        Ok(took) => report.ok("broker", format!("answered in {:.1} ms", took.as_secs_f64() * 1000.0)),
        Err(error) => {
            report.fail("broker", chain(&error), "the connection stands, but nothing answers: look at the broker's log")
        }
    }
    report.ok("JetStream", "is on".to_owned());
    check_streams(&log, report).await.then_some(log)
}

async fn check_streams(log: &Log, report: &mut Report) -> bool {
    for stream in [Stream::Chat, Stream::Presence] {
        let what = format!("stream {}", stream.name());
        match log.state(stream).await {
            Ok(state) => report.ok(&what, format!("goes to {}", state.last_seq)),
            Err(error) => {
                report.fail(
                    &what,
                    chain(&error),
                    "a gateway or a projector makes it when it starts for the first time",
                );
                return false;
            }
        }
    }
    match log.declare().await {
        Ok(differences) if differences.is_empty() => report.ok("streams", "are as declared".to_owned()),
        Ok(differences) => {
            for difference in differences {
                report.fail(
                    "streams",
                    difference.to_string(),
                    "if nobody changed it on purpose, change it back with `nats stream edit`",
                );
            }
        }
        Err(error) => report.fail("streams", chain(&error), ""),
    }
    true
}

pub async fn check_master_key(log: &Log, master_key: &Path, report: &mut Report) {
    match key_ring(log, master_key).await {
        Ok(_) => report.ok("master key", "opens this log's keys".to_owned()),
        Err(error) => report.fail("master key", error.to_string(), "find the key that this log was written with"),
    }
}
