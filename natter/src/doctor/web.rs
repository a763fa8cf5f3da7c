//! Whether a service answers, is ready, and has the same time as this machine.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use natter_platform::error::chain;
use natter_protocol::http::Health;
use serde::Deserialize;

use super::report::Report;

const TIMEOUT: Duration = Duration::from_secs(5);
/// Tokens and the ids of commands are judged by the clock, with this much leeway.
const SKEW_MAX_MS: u64 = 5_000;

#[derive(Deserialize)]
struct Ready {
    ready: bool,
    checks: Vec<Check>,
}

#[derive(Deserialize)]
struct Check {
    name: String,
    ok: bool,
    #[serde(default)]
    degraded: bool,
    detail: String,
}

pub async fn check(what: &str, url: &str, report: &mut Report) {
    let url = url.trim_end_matches('/');
    let http = match reqwest::Client::builder().timeout(TIMEOUT).build() {
        Ok(http) => http,
        Err(error) => return report.fail(what, chain(&error), ""),
    };
    let sent_ms = now_ms();
    match get::<Health>(&http, &format!("{url}/health")).await {
        Ok(health) => {
            report.ok(what, format!("answers at {url}"));
            check_clock(what, health.timestamp.0, sent_ms, now_ms(), report);
        }
        Err(why) => return report.fail(what, why, "is it running, and is this its address?"),
    }
    match get::<Ready>(&http, &format!("{url}/ready")).await {
        Ok(Ready { ready, checks }) => {
            for Check { name, ok, degraded, detail } in checks {
                let name = format!("{what}: {name}");
                // What works without it is no failure of the deployment's.
                let detail = if degraded { format!("degraded: {detail}") } else { detail };
                if ok { report.ok(&name, detail) } else { report.fail(&name, detail, "") }
            }
            if ready {
                report.ok(&format!("{what}: ready"), "yes".to_owned());
            } else {
                report.fail(&format!("{what}: ready"), "no".to_owned(), "the lines above say why");
            }
        }
        Err(why) => report.fail(&format!("{what}: ready"), why, ""),
    }
}

/// An answer of 503 has a body like any other.
async fn get<T: for<'de> Deserialize<'de>>(http: &reqwest::Client, url: &str) -> Result<T, String> {
    let answer = http.get(url).send().await.map_err(|error| chain(&error))?;
    let status = answer.status();
    answer.json().await.map_err(|error| format!("{url} answered {status}, and not as Natter does: {}", chain(&error)))
}

fn check_clock(what: &str, theirs_ms: i64, sent_ms: u64, received_ms: u64, report: &mut Report) {
    let theirs_ms = u64::try_from(theirs_ms).unwrap_or(0);
    // It was somewhere between sending and receiving.
    let skew_ms = sent_ms.saturating_sub(theirs_ms).max(theirs_ms.saturating_sub(received_ms));
    let name = format!("{what}: clock");
    if skew_ms <= SKEW_MAX_MS {
        report.ok(&name, format!("within {skew_ms} ms of this machine's"));
    } else {
        report.fail(&name, format!("{skew_ms} ms from this machine's"), "run a time service (NTP) on both machines");
    }
}

fn now_ms() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |now| u64::try_from(now.as_millis()).unwrap_or(u64::MAX))
}
