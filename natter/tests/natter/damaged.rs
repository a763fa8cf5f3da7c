//! The files of the event log are damaged: what an operator sees, and what there is to do (ADR 10).

use std::path::Path;
use std::process::Command;

use natter_log::{Append, Log, Settings, Stream};
use natter_testkit::{Broker, eventually};
use serde_json::{Value, json};

use crate::alone::{Deployment, is_ready};
use crate::program::{Ended, LONG, Service, natter, run};

/// A command on a broker.
fn on(broker: &Broker, arguments: &[&str]) -> Ended {
    let mut command = natter();
    command.args(arguments).args(["--nats-url", &format!("nats://{}", broker.address())]);
    command.env("NATTER_NATS_USER", broker.user()).env("NATTER_NATS_PASSWORD", broker.password());
    run(command)
}

fn verify(broker: &Broker) -> Ended {
    on(broker, &["verify", "--event-log"])
}

fn tail(broker: &Broker) -> Command {
    let (user, password) = broker.analytics();
    let mut command = natter();
    command.args(["tail", "--until-head", "--json", "--nats-url", &format!("nats://{}", broker.address())]);
    command.env("NATTER_NATS_USER", user).env("NATTER_NATS_PASSWORD", password);
    command
}

fn seqs(lines: &str) -> Vec<u64> {
    lines.lines().map(|line| serde_json::from_str::<Value>(line).expect("JSON")["seq"].as_u64().expect("seq")).collect()
}

/// Ada, who talks to herself.
struct Ada {
    url: String,
    token: String,
}

impl Ada {
    async fn enters(url: &str, door: &str) -> Self {
        let account = json!({"handle": "ada", "password": "correct horse battery"});
        let request = reqwest::Client::new().post(format!("{url}/auth/{door}")).json(&account);
        let tokens: Value = request.send().await.expect("answered").json().await.expect("JSON");
        let token = tokens["access_token"].as_str().unwrap_or_else(|| panic!("{tokens}")).to_owned();
        Self { url: url.to_owned(), token }
    }

    /// The seq of what she says.
    async fn says(&self, text: &str) -> u64 {
        let message = json!({"to": {"participants": ["ada"]}, "id": uuid::Uuid::now_v7(), "text": text});
        let request = reqwest::Client::new().post(format!("{}/api/messages", self.url)).json(&message);
        let ok: Value = request.bearer_auth(&self.token).send().await.expect("answered").json().await.expect("JSON");
        ok["seq"].as_u64().unwrap_or_else(|| panic!("{ok}"))
    }
}

async fn report(url: &str) -> Value {
    reqwest::get(format!("{url}/ready")).await.expect("answered").json().await.expect("JSON")
}

async fn metric(url: &str, name: &str) -> Option<f64> {
    let text = reqwest::get(format!("{url}/metrics")).await.expect("answered").text().await.expect("text");
    text.lines().find_map(|line| line.strip_prefix(name)?.trim().parse().ok())
}

async fn ready(command: Command, ready: &str) -> Service {
    let service = Service::start(command, ready);
    eventually("the service is ready", LONG, async || is_ready(&service.url).await).await;
    service
}

#[tokio::test]
async fn a_hole_stops_gateway_projector_and_readers_until_it_is_accepted_and_then_everything_goes_on() {
    let deployment = Deployment::new().await;
    let broker = &deployment.broker;
    assert_eq!(run(deployment.migrate()).code, Some(0));
    let gateway = ready(deployment.gateway("http://127.0.0.1:1"), "The gateway listens on ").await;
    let ada = Ada::enters(&gateway.url, "register").await;
    let mut said = Vec::new();
    for n in 0..8 {
        said.push(ada.says(&format!("message {n}")).await);
    }
    let whole = verify(broker);
    assert_eq!(whole.code, Some(0), "{}{}", whole.stdout, whole.stderr);
    assert_eq!(whole.stdout, format!("{} events were read. The log is whole.\n", said[7]));
    drop(gateway);

    let lost = said[3];
    broker.stop().await;
    broker.blocks("CHAT").flip_payload(lost);
    broker.restart().await;

    // Everybody says it, and what can be done.
    let found = verify(broker);
    assert_eq!(
        (found.code, found.stdout.as_str()),
        (Some(11), &*format!("event {lost} is lost\n")),
        "{}",
        found.stderr
    );
    assert!(found.stderr.contains("1 lost") && found.stderr.contains("natter repair hole"), "{}", found.stderr);
    let mut gateway = Service::start(deployment.gateway("http://127.0.0.1:1"), "The gateway listens on ");
    let projector = Service::start(deployment.projector(), "The projector answers about itself on ");
    for (service, words) in
        [(&gateway, "stopped: the log has no event"), (&projector, "nothing after a hole in the log")]
    {
        let report = eventually("it says what is lost", LONG, async || {
            let report = report(&service.url).await;
            if report.to_string().contains(words) { Ok(report) } else { Err(report) }
        })
        .await;
        assert_eq!(report["ready"], json!(false), "{report}");
        assert!(report.to_string().contains(&format!("no event {lost}; the next is {}", lost + 1)), "{report}");
        eventually("its log says it", LONG, async || {
            let log = service.log().join("\n");
            if log.contains("ERROR") && log.contains("natter repair hole") { Ok(()) } else { Err(log) }
        })
        .await;
    }
    assert_eq!(metric(&gateway.url, "natter_gateway_stopped_at_hole ").await, Some(1.0));
    eventually("the scrub has found it", LONG, async || {
        let holes = metric(&projector.url, "natter_log_holes ").await;
        let report = report(&projector.url).await.to_string();
        let said = report.contains(&format!("DAMAGED: events {lost}-{lost} are lost"));
        if holes == Some(1.0) && said { Ok(()) } else { Err((holes, report)) }
    })
    .await;
    let printed = run(tail(broker));
    assert_eq!((printed.code, seqs(&printed.stdout)), (Some(11), (1..lost).collect()), "{}", printed.stderr);

    // It is accepted: exactly that.
    let readable = on(broker, &["repair", "hole", "--seqs", &format!("{lost}-{}", lost + 1), "--reason", "a disk"]);
    assert_eq!(readable.code, Some(9), "{}", readable.stderr);
    assert!(readable.stderr.contains(&format!("event {} can be read", lost + 1)), "{}", readable.stderr);
    let arguments = ["repair", "hole", "--seqs", &lost.to_string(), "--reason", "the disk failed", "--by", "ann"];
    let accepted = on(broker, &arguments);
    assert_eq!(accepted.code, Some(0), "{}", accepted.stderr);
    assert!(accepted.stdout.contains("accepted by ann at 20") && accepted.stdout.ends_with(": the disk failed\n"));
    let listed = on(broker, &["repair", "hole"]);
    assert!(listed.stdout.starts_with(&format!("{lost}-{lost} accepted by ann at 20")), "{}", listed.stdout);

    // From here on everything goes on.
    for service in [&gateway, &projector] {
        eventually("the service is ready", LONG, async || is_ready(&service.url).await).await;
    }
    assert_eq!(metric(&gateway.url, "natter_gateway_stopped_at_hole ").await, Some(0.0));
    eventually("the scrub knows it", LONG, async || match metric(&projector.url, "natter_log_holes ").await {
        Some(0.0) => Ok(()),
        other => Err(other),
    })
    .await;
    let ada = Ada::enters(&gateway.url, "login").await;
    let last = ada.says("after all").await;
    let all: Vec<u64> = (1..=last).filter(|seq| *seq != lost).collect();
    let printed = run(tail(broker));
    assert_eq!((printed.code, seqs(&printed.stdout)), (Some(0), all.clone()), "{}", printed.stderr);
    let verified = verify(broker);
    assert_eq!(verified.code, Some(0), "{}", verified.stderr);
    let on_record = format!("event {lost} is lost, accepted by ann at 20");
    assert!(verified.stdout.starts_with(&on_record), "{}", verified.stdout);
    let conclusion = format!("{} events were read; 1 accepted as lost. The log is whole.\n", all.len());
    assert!(verified.stdout.ends_with(&conclusion), "{}", verified.stdout);
    eventually("the projector has it", LONG, async || {
        match metric(&projector.url, "natter_projector_position{stream=\"chat\"} ").await {
            Some(at) if at as u64 == last => Ok(()),
            other => Err(other),
        }
    })
    .await;
    drop(projector);
    let rebuilt = run(deployment.rebuild());
    assert_eq!(rebuilt.code, Some(0), "{}", rebuilt.stderr);
    gateway.signal("TERM");
    assert!(gateway.ended(LONG).success());
}

/// The broker's own hash sees nothing there.
#[tokio::test]
async fn what_is_damaged_and_can_be_read_is_accepted_too_and_the_log_is_whole_again() {
    let deployment = Deployment::new().await;
    let broker = &deployment.broker;
    let gateway = ready(deployment.gateway("http://127.0.0.1:1"), "The gateway listens on ").await;
    let ada = Ada::enters(&gateway.url, "register").await;
    let said = ada.says("whole").await;
    let settings = Settings { servers: vec![broker.url().to_owned()], ..Settings::default() };
    let log = Log::connect(settings).await.expect("the log");
    let whole = log.get(Stream::Chat, said).await.expect("read").expect("there");
    let mut payload = whole.payload.to_vec();
    payload[whole.payload.len() / 2] ^= 1;
    let (subject, message_id) = (whole.subject.to_string(), "damaged".to_owned());
    let append = Append { stream: Stream::Chat, subject, message_id, payload: payload.into(), expected_last: None };
    let damaged = log.append(append).await.expect("stored").seq;
    let found = verify(broker);
    assert_eq!(found.code, Some(11), "{}", found.stdout);
    assert!(
        found.stderr.contains("1 damaged or misplaced") && found.stderr.contains("natter repair hole"),
        "{}",
        found.stderr
    );
    let accept = |seqs: &str| on(broker, &["repair", "hole", "--seqs", seqs, "--reason", "bad memory", "--by", "ann"]);
    let refused = accept(&format!("{said}-{damaged}"));
    assert_eq!(refused.code, Some(9), "{}", refused.stderr);
    let accepted = accept(&damaged.to_string());
    assert_eq!(accepted.code, Some(0), "{}", accepted.stderr);
    let verified = verify(broker);
    assert_eq!(verified.code, Some(0), "{}", verified.stderr);
    assert!(
        verified.stdout.starts_with(&format!("event {damaged} is lost, accepted by ann at 20")),
        "{}",
        verified.stdout
    );
    assert!(verified.stdout.ends_with("; 1 accepted as lost. The log is whole.\n"), "{}", verified.stdout);
    let printed = run(tail(broker));
    assert_eq!((printed.code, seqs(&printed.stdout)), (Some(0), (1..=said).collect()), "{}", printed.stderr);
}

fn on_data(data: &Path, arguments: &[&str]) -> Ended {
    let mut command = natter();
    command.args(arguments).arg("--data").arg(data);
    run(command)
}

/// On one machine there is no broker to name: neither while Natter runs, nor while it does not.
#[tokio::test]
async fn a_data_folder_is_verified_and_repaired_whether_natter_runs_on_it_or_not() {
    let data = natter_testkit::scratch_folder("data");
    let nowhere = on_data(&data.join("none"), &["verify", "--event-log"]);
    assert_eq!(nowhere.code, Some(2), "{}", nowhere.stderr);
    let nothing = on_data(&data, &["verify"]);
    assert_eq!(nothing.code, Some(2), "{}", nothing.stderr);

    let mut up = Service::up(crate::program::natter_up(&data));
    let ada = Ada::enters(&up.url, "register").await;
    let mut said = Vec::new();
    for n in 0..6 {
        said.push(ada.says(&n.to_string()).await);
    }
    let running = on_data(&data, &["verify", "--event-log"]);
    assert_eq!(running.code, Some(0), "{}", running.stderr);
    up.signal("INT");
    assert!(up.ended(LONG).success());

    let blocks = natter_testkit::Blocks::of(&data.join("nats").join("store"), "CHAT");
    blocks.cut(said[4]);
    let found = on_data(&data, &["verify", "--event-log"]);
    assert_eq!(
        (found.code, found.stdout),
        (Some(11), format!("events {}-{} are lost\n", said[4], said[5])),
        "{}",
        found.stderr
    );

    // It does not come up over a hole, and says where its broker is, so that it can be repaired.
    let starting = crate::program::natter_up(&data);
    let waiting = std::thread::spawn(move || Service::up(starting));
    eventually("it runs", LONG, async || data.join("natter.run").exists()).await;
    assert!(!waiting.is_finished(), "it is not ready");
    let range = format!("{}-{}", said[4], said[5]);
    let accepted = on_data(&data, &["repair", "hole", "--seqs", &range, "--reason", "the power failed"]);
    assert_eq!(accepted.code, Some(0), "{}", accepted.stderr);
    let up = waiting.join().expect("it gets ready");
    let ada = Ada::enters(&up.url, "login").await;
    assert_eq!(ada.says("on").await, said[5] + 1);
}
