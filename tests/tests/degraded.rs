//! One part is away for a while, under load: what does not need it goes on, what needs it says so at `/ready` and in metrics,
//! and when it is back everything works again by itself.

use std::time::Duration;

use natter_testkit::eventually;
use natter_tests::people::Habits;
use natter_tests::plan::Plan;
use natter_tests::programs;
use natter_tests::run::{Options, Running};
use natter_tests::stage::Part;
use natter_tests::trials::short;

/// How long a part is away. `NATTER_TEST_AWAY=60` is the whole of what is promised.
const AWAY: Duration = Duration::from_secs(5);
/// How soon everything works again.
const RECOVERY: Duration = Duration::from_secs(30);
const LONG: Duration = Duration::from_secs(30);

/// What goes on without a part.
struct Without {
    parts: &'static [Part],
    commands: bool,
    /// Of history as far as it is; that it has what somebody heard just now is another thing.
    reading: bool,
    /// Who says so, and of which dependency.
    told_by: &'static [(Part, &'static str)],
    /// Who measures that something has not happened for a while, and under what name.
    measured_by: Option<(Part, &'static str)>,
}

async fn goes_on(without: Without) {
    let away = std::env::var("NATTER_TEST_AWAY")
        .map_or(AWAY, |text| Duration::from_secs(text.parse().expect("NATTER_TEST_AWAY is a number of seconds")));
    let calm = short(programs::natter(), Plan::calm());
    // An id that was made long ago waits for history (CMD2), and whoever has one waits with it.
    let habits = Habits { old_ids: 0, ..calm.habits };
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

    for part in without.parts {
        stage.kill(*part).await;
    }
    for (part, check) in without.told_by {
        eventually(&format!("{part} says that {check} is away"), LONG, async || {
            let ready = stage.says(*part, "/ready").await.unwrap_or_default();
            let metrics = stage.says(*part, "/metrics").await.unwrap_or_default();
            let told = ready.contains(&format!("\"name\":\"{check}\",\"ok\":false"));
            let measured = metrics.contains(&format!("natter_ready{{check=\"{check}\"}} 0"));
            if told && measured { Ok(()) } else { Err((ready, measured)) }
        })
        .await;
    }
    if let Some((part, name)) = without.measured_by {
        eventually(&format!("{part} measures {name}"), LONG, async || {
            let metrics = stage.says(part, "/metrics").await.unwrap_or_default();
            let line = metrics.lines().find(|line| line.starts_with(name)).unwrap_or_default().to_owned();
            let seconds: f64 = line.rsplit(' ').next().and_then(|text| text.parse().ok()).unwrap_or_default();
            if seconds > 1.0 { Ok(()) } else { Err(line) }
        })
        .await;
    }
    let gone = recorder.now();
    tokio::time::sleep(away).await;
    let (commands, pages) = recorder.done_since(gone);
    println!("without {:?} for {away:?}: {commands} commands, {pages} pages", without.parts);
    let reading = running.can_read().await;
    assert_eq!((commands > 10, reading), (without.commands, without.reading), "{commands} commands, {pages} pages");

    let back = recorder.now();
    for part in without.parts {
        stage.start_again(*part).await;
    }
    let again = recorder.now();
    works(again).await;
    for part in Part::ALL {
        stage.is_ready(part).await;
    }
    let took = recorder.now() - back;
    println!("everything works again after {took:?}");
    assert!(took < RECOVERY, "it took {took:?}");
    let outcome = running.finish(Vec::new()).await;
    assert!(outcome.verdict.is_clean(), "{}", outcome.verdict);
}

#[tokio::test(flavor = "multi_thread")]
async fn without_postgresql_people_talk_and_history_says_that_it_can_not_be_had() {
    goes_on(Without {
        parts: &[Part::Postgres],
        commands: true,
        reading: false,
        told_by: &[(Part::History, "postgresql"), (Part::FirstProjector, "projection")],
        measured_by: None,
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_the_broker_history_is_read_and_nothing_is_said() {
    goes_on(Without {
        parts: &[Part::Broker],
        commands: false,
        reading: true,
        told_by: &[(Part::FirstGateway, "broker"), (Part::SecondGateway, "broker")],
        measured_by: None,
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_projectors_people_talk_and_history_says_how_far_it_is() {
    goes_on(Without {
        parts: &[Part::FirstProjector, Part::SecondProjector],
        commands: true,
        reading: true,
        told_by: &[],
        measured_by: Some((Part::History, "natter_history_projector_written_seconds_ago")),
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_the_history_api_people_talk() {
    goes_on(Without { parts: &[Part::History], commands: true, reading: false, told_by: &[], measured_by: None }).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_one_gateway_the_other_serves_everybody() {
    goes_on(Without { parts: &[Part::FirstGateway], commands: true, reading: true, told_by: &[], measured_by: None })
        .await;
}
