//! One part is away for a while, under load: what does not need it goes on, what needs it says so at `/ready` and in metrics,
//! and when it is back everything works again by itself.

use std::time::Duration;

use natter_testkit::eventually;
use natter_tests::people::{Habits, Person};
use natter_tests::plan::Plan;
use natter_tests::programs;
use natter_tests::run::{Options, Running};
use natter_tests::stage::{Part, Stage};
use natter_tests::trials::short;

/// How long a part is away. `NATTER_TEST_AWAY=60` is the whole of what is promised.
const AWAY: Duration = Duration::from_secs(5);
/// How soon everything works again.
const RECOVERY: Duration = Duration::from_secs(30);
const LONG: Duration = Duration::from_secs(30);
/// The number of somebody who is not one of the people whose doings are recorded.
const BYSTANDER: usize = 99;

/// What goes on without a part.
struct Without {
    parts: &'static [Part],
    commands: bool,
    /// Of history as far as it is; that it has what somebody heard just now is another thing.
    reading: bool,
    /// Who says so at `/ready` and in metrics, of which dependency, and how bad it is. What is away does not answer.
    told_by: &'static [(Part, &'static str, Bad)],
}

/// What it means for who says so.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Bad {
    /// Nobody is to be sent there (503).
    NotReady,
    /// It goes on without that (200).
    Degraded,
    /// Nothing: it only counts how many there are (200), this many now.
    Fewer(usize),
}

impl Bad {
    /// Whether that is what is said at both doors.
    fn is_told(self, check: &str, ready: &str, metrics: &str) -> bool {
        let gauge = |name: &str, value: u8| metrics.contains(&format!("{name}{{check=\"{check}\"}} {value}\n"));
        match self {
            Bad::NotReady => {
                ready.contains("{\"ready\":false")
                    && ready.contains(&format!("\"name\":\"{check}\",\"ok\":false"))
                    && gauge("natter_ready", 0)
            }
            Bad::Degraded => {
                ready.contains("{\"ready\":true,\"degraded\":true")
                    && ready.contains(&format!("\"name\":\"{check}\",\"ok\":true,\"degraded\":true"))
                    && gauge("natter_ready", 1)
                    && gauge("natter_degraded", 1)
            }
            Bad::Fewer(left) => {
                ready.contains("{\"ready\":true")
                    && ready.contains(&format!("{left} {check} known"))
                    && metrics.contains(&format!("natter_{check}_known {left}\n"))
            }
        }
    }
}

async fn goes_on(without: Without) {
    let away = std::env::var("NATTER_TEST_AWAY")
        .map_or(AWAY, |text| Duration::from_secs(text.parse().expect("NATTER_TEST_AWAY is a number of seconds")));
    let calm = short(programs::natter(), Plan::calm());
    // An id that was made long ago waits for history (CMD2), and whoever has one waits with it. What was acknowledged before is
    // acknowledged again from a gateway's memory, so where nothing is to be done nobody repeats anything.
    let repeats = if without.commands { calm.habits.repeats } else { 0 };
    let habits = Habits { old_ids: 0, repeats, ..calm.habits };
    let options = Options { lasts: away, habits, ..calm };
    let running = Running::begin(&options).await;
    let (stage, recorder) = (&running.stage, &running.recorder);
    let works = async |since: Duration| {
        eventually("commands are done and pages come", LONG, async || match recorder.done_since(since) {
            (commands, pages) if commands > 10 && pages > 4 => Ok(()),
            few => Err(few),
        })
        .await;
    };
    works(recorder.now()).await;
    let bystander = Person::register(stage, BYSTANDER).await;

    for part in without.parts {
        stage.kill(*part).await;
    }
    for part in services(without.parts) {
        assert_eq!(stage.says(part, "/ready").await, None, "{part} is away");
    }
    for (part, check, bad) in without.told_by {
        says(stage, *part, check, *bad).await;
        if *bad != Bad::NotReady {
            stage.is_ready(*part).await;
        }
    }
    let gone = recorder.now();
    tokio::time::sleep(away).await;
    let (commands, pages) = recorder.done_since(gone);
    println!("without {:?} for {away:?}: {commands} commands, {pages} pages", without.parts);
    let reading = running.can_read().await;
    assert_eq!(reading, without.reading, "{pages} pages");
    if without.commands {
        assert!(commands > 10, "{commands} commands");
    } else {
        assert_eq!(commands, 0, "what is not stored is not done");
        refused_at_once(stage, &bystander).await;
        let waiting: usize = (0..options.people).map(|person| recorder.unknown(person).len()).sum();
        assert!(waiting > 0, "what people do waits in their outboxes");
    }

    let back = recorder.now();
    for part in without.parts {
        stage.start_again(*part).await;
    }
    let again = recorder.now();
    works(again).await;
    for part in services(&Part::ALL) {
        stage.is_ready(part).await;
        eventually(&format!("{part} misses nothing"), LONG, async || match stage.says(part, "/ready").await {
            Some(ready) if ready.starts_with("{\"ready\":true,\"checks\"") => Ok(()),
            other => Err(other),
        })
        .await;
    }
    says(stage, Part::SecondGateway, "gateways", Bad::Fewer(2)).await;
    let took = recorder.now() - back;
    println!("everything works again after {took:?}");
    assert!(took < RECOVERY, "it took {took:?}");
    let outcome = running.finish(Vec::new()).await;
    assert!(outcome.verdict.is_clean(), "{}", outcome.verdict);
}

async fn says(stage: &Stage, part: Part, check: &str, bad: Bad) {
    eventually(&format!("{part} says of {check}: {bad:?}"), LONG, async || {
        let ready = stage.says(part, "/ready").await.unwrap_or_default();
        let metrics = stage.says(part, "/metrics").await.unwrap_or_default();
        if bad.is_told(check, &ready, &metrics) { Ok(()) } else { Err((ready, metrics)) }
    })
    .await;
}

/// Those that answer for themselves; engines are asked about by those who need them.
fn services(parts: &[Part]) -> impl Iterator<Item = Part> {
    parts.iter().copied().filter(|part| !matches!(part, Part::Broker | Part::Postgres))
}

/// Whoever has no outbox is told at once, and may try again.
async fn refused_at_once(stage: &Stage, bystander: &Person) {
    let message = serde_json::json!({
        "to": {"participants": [&bystander.handle]}, "id": uuid::Uuid::now_v7(), "text": "is anybody there?"
    });
    let request = reqwest::Client::new().post(format!("{}/api/messages", stage.url())).json(&message);
    let answer = request.bearer_auth(bystander.session.access_token()).send().await.expect("an answer");
    assert_eq!(answer.status(), 503);
    let problem: serde_json::Value = answer.json().await.expect("a problem document");
    assert_eq!(problem["code"], "unavailable", "{problem}");
}

#[tokio::test(flavor = "multi_thread")]
async fn without_postgresql_people_talk_and_history_says_that_it_can_not_be_had() {
    goes_on(Without {
        parts: &[Part::Postgres],
        commands: true,
        reading: false,
        told_by: &[(Part::History, "postgresql", Bad::NotReady), (Part::FirstProjector, "projection", Bad::NotReady)],
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_the_broker_history_is_read_and_nothing_is_said() {
    goes_on(Without {
        parts: &[Part::Broker],
        commands: false,
        reading: true,
        told_by: &[(Part::FirstGateway, "broker", Bad::NotReady), (Part::SecondGateway, "broker", Bad::NotReady)],
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_projectors_people_talk_and_history_says_how_far_it_is() {
    goes_on(Without {
        parts: &[Part::FirstProjector, Part::SecondProjector],
        commands: true,
        reading: true,
        told_by: &[(Part::History, "projector", Bad::Degraded)],
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_the_history_api_people_talk() {
    goes_on(Without {
        parts: &[Part::History],
        commands: true,
        reading: false,
        told_by: &[(Part::FirstGateway, "history", Bad::Degraded), (Part::SecondGateway, "history", Bad::Degraded)],
    })
    .await;
}

/// Nobody depends on it: its own door is what a balancer asks.
#[tokio::test(flavor = "multi_thread")]
async fn without_one_gateway_the_other_serves_everybody() {
    goes_on(Without {
        parts: &[Part::FirstGateway],
        commands: true,
        reading: true,
        told_by: &[(Part::SecondGateway, "gateways", Bad::Fewer(1))],
    })
    .await;
}
