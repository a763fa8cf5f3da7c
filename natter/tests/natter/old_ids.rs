//! One id is one event for ever (CMD2, D10): also when neither the gateway's memory nor the broker's knows it any more, but
//! history does.

use std::process::Command;
use std::time::Duration;

use natter_log::{Log, Settings};
use natter_testkit::eventually;
use serde_json::{Value, json};
use uuid::{NoContext, Timestamp, Uuid};

use crate::alone::{Deployment, is_ready};
use crate::program::{LONG, Service, run};

/// How long the broker of this test remembers an id.
const BROKER_REMEMBERS: Duration = Duration::from_millis(500);

struct Client {
    url: String,
    token: String,
}

impl Client {
    async fn send(&self, id: Uuid, text: &str) -> (u16, Value) {
        let message = json!({"to": {"participants": ["alice"]}, "id": id, "text": text});
        let request = reqwest::Client::new().post(format!("{}/api/messages", self.url)).bearer_auth(&self.token);
        let answer = request.json(&message).send().await.expect("answered");
        (answer.status().as_u16(), answer.json().await.expect("JSON"))
    }
}

/// An id that a client made an hour ago, and could only send now.
fn old_id() -> Uuid {
    let (seconds, nanos) = Timestamp::now(NoContext).to_unix();
    Uuid::new_v7(Timestamp::from_unix(NoContext, seconds - 3_600, nanos))
}

#[tokio::test]
async fn cmd2_an_old_id_is_decided_by_history_and_waits_while_that_is_away() {
    let deployment = Deployment::new().await;
    assert_eq!(run(deployment.migrate()).code, Some(0));
    // What is there already is left as it is.
    let short = Settings {
        servers: vec![deployment.broker.url().to_owned()],
        user: Some(deployment.broker.user().to_owned()),
        password: Some(deployment.broker.password().to_owned()),
        duplicate_window: BROKER_REMEMBERS,
        ..Settings::default()
    };
    Log::connect(short).await.expect("connected").declare().await.expect("declared");
    let history = Service::start(deployment.history(), "The history API listens on ");
    let mut command: Command = deployment.gateway(&history.url);
    // It keeps nothing but the newest event.
    command.args(["--tail-size", "1B"]);
    let gateway = Service::start(command, "The gateway listens on ");
    let projector = Service::start(deployment.projector(), "The projector answers about itself on ");
    for service in [&history, &gateway, &projector] {
        eventually("the service is ready", LONG, async || is_ready(&service.url).await).await;
    }
    let account = json!({"handle": "alice", "password": "correct horse battery"});
    let registered = reqwest::Client::new().post(format!("{}/auth/register", gateway.url)).json(&account).send().await;
    let tokens: Value = registered.expect("answered").json().await.expect("JSON");
    let token = tokens["access_token"].as_str().expect("a token").to_owned();
    let alice = Client { url: gateway.url.clone(), token };

    // Nobody has used it.
    let old = old_id();
    let (status, first) = alice.send(old, "written on a train").await;
    assert_eq!(status, 200, "{first}");
    assert_ne!(first["duplicate"], true);
    let (status, _) = alice.send(Uuid::now_v7(), "and out of the gateway's memory").await;
    assert_eq!(status, 200);
    // Nothing shows that the broker has forgotten an id but that it takes it again.
    tokio::time::sleep(4 * BROKER_REMEMBERS).await;

    let (status, again) = alice.send(old, "written on a train").await;
    assert_eq!((status, &again["duplicate"]), (200, &json!(true)), "{again}");
    for field in ["seq", "conversation", "at"] {
        assert_eq!(again[field], first[field], "{field}");
    }
    let (status, other) = alice.send(old, "something else").await;
    assert_eq!((status, &other["code"]), (409, &json!("conflict")));

    history.signal("STOP");
    let (status, refused) = alice.send(old, "written on a train").await;
    assert_eq!((status, &refused["code"], &refused["temporary"]), (503, &json!("unavailable"), &json!(true)));
    let (status, _) = alice.send(Uuid::now_v7(), "what is new needs no history").await;
    assert_eq!(status, 200);
    history.signal("CONT");
    let settled =
        eventually("history answers again", LONG, async || match alice.send(old, "written on a train").await {
            (200, answer) => Ok(answer),
            other => Err(other),
        })
        .await;
    assert_eq!((&settled["seq"], &settled["duplicate"]), (&first["seq"], &json!(true)));
}
