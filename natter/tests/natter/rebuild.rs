//! `natter rebuild` as operators run it: in a deployment, and on the data folder of a `natter up`.

use std::path::Path;
use std::process::Command;

use natter_testkit::{eventually, scratch_folder};
use serde_json::{Value, json};

use crate::alone::{Deployment, is_ready};
use crate::program::{LONG, Service, Up, natter, natter_up, run};
use crate::screen::Screen;

/// Someone at a gateway and a history API.
struct Person {
    gateway: String,
    history: String,
    token: String,
}

impl Person {
    async fn enters(gateway: &str, history: &str, door: &str) -> Self {
        let account = json!({"handle": "ada", "password": "correct horse battery"});
        let request = reqwest::Client::new().post(format!("{gateway}/auth/{door}")).json(&account);
        let tokens: Value = request.send().await.expect("answered").json().await.expect("JSON");
        let token = tokens["access_token"].as_str().unwrap_or_else(|| panic!("{tokens}")).to_owned();
        Self { gateway: gateway.to_owned(), history: history.to_owned(), token }
    }

    async fn says(&self, text: &str) -> String {
        let message = json!({"to": {"participants": ["ada"]}, "id": uuid::Uuid::now_v7(), "text": text});
        let request = reqwest::Client::new().post(format!("{}/api/messages", self.gateway)).json(&message);
        let ok: Value = request.bearer_auth(&self.token).send().await.expect("answered").json().await.expect("JSON");
        ok["position"].as_str().unwrap_or_else(|| panic!("{ok}")).to_owned()
    }

    /// What history says, when it has everything up to the position.
    async fn reads(&self, position: &str) -> Value {
        eventually("history is there", LONG, async || {
            let url = format!("{}/history/direct?participants=ada", self.history);
            let request = reqwest::Client::new().get(url).bearer_auth(&self.token);
            let answer = request.header("natter-min-position", position).send().await.expect("answered");
            let status = answer.status();
            let page: Value = answer.json().await.expect("JSON");
            if status.is_success() { Ok(page["items"].clone()) } else { Err(page) }
        })
        .await
    }
}

async fn ready(command: Command, ready: &str) -> Service {
    let service = Service::start(command, ready);
    eventually("the service is ready", LONG, async || is_ready(&service.url).await).await;
    service
}

#[tokio::test]
async fn d9_history_of_a_deployment_is_the_same_when_it_is_made_again() {
    let deployment = Deployment::new().await;
    assert_eq!(run(deployment.migrate()).code, Some(0));
    let history = Service::start(deployment.history(), "The history API listens on ");
    let gateway = ready(deployment.gateway(&history.url), "The gateway listens on ").await;
    let mut projector = ready(deployment.projector(), "The projector answers about itself on ").await;
    let ada = Person::enters(&gateway.url, &history.url, "register").await;
    for n in 0..4 {
        ada.says(&format!("message {n}")).await;
    }
    let last = ada.says("the last").await;
    let before = ada.reads(&last).await;
    assert_eq!(before.as_array().map(Vec::len), Some(5), "{before}");

    let refused = run(deployment.rebuild());
    assert_eq!((refused.code, refused.stdout.as_str()), (Some(1), ""), "{}", refused.stderr);
    assert!(refused.stderr.contains("a projector is active on this database: stop it"), "{}", refused.stderr);

    projector.signal("TERM");
    assert!(projector.ended(LONG).success());
    for _ in 0..2 {
        let rebuilt = run(deployment.rebuild());
        assert_eq!(rebuilt.code, Some(0), "{}", rebuilt.stderr);
        assert!(rebuilt.stdout.starts_with("The read models are made again from 6 events in "), "{}", rebuilt.stdout);
        assert!(rebuilt.stdout.ends_with(" a second.\n"), "{}", rebuilt.stdout);
        assert_eq!(ada.reads(&last).await, before);
    }

    let other = Deployment::new().await;
    drop(Service::start(other.gateway("http://127.0.0.1:1"), "The gateway listens on "));
    let mut elsewhere = other.rebuild();
    elsewhere.env("NATTER_POSTGRES_URL", deployment.database_url());
    let refused = run(elsewhere);
    assert_eq!(refused.code, Some(10), "{}", refused.stderr);
    assert!(
        refused.stderr.contains("the log is not the one that the read models were made from"),
        "{}",
        refused.stderr
    );
    assert_eq!(ada.reads(&last).await, before);

    // It goes on from there.
    let _projector = ready(deployment.projector(), "The projector answers about itself on ").await;
    let later = ada.says("later").await;
    assert_eq!(ada.reads(&later).await[5]["text"], "later");
}

fn rebuild_in(data: &Path) -> Command {
    let mut command = natter();
    command.arg("rebuild").arg("--data").arg(data);
    command
}

#[tokio::test]
async fn d9_the_data_folder_of_a_natter_up_that_does_not_run_is_rebuilt_with_a_bar() {
    let data = scratch_folder("data");
    let refused = run(rebuild_in(&data.join("none")));
    assert_eq!(refused.code, Some(2), "{}", refused.stderr);
    assert!(!data.join("none").exists());

    let mut up = Up::up(natter_up(&data));
    let ada = Person::enters(&up.url, &up.url, "register").await;
    for n in 0..5 {
        ada.says(&n.to_string()).await;
    }
    let last = ada.says("the last").await;
    let before = ada.reads(&last).await;
    let refused = run(rebuild_in(&data));
    assert_eq!(refused.code, Some(4), "{}", refused.stderr);
    assert!(refused.stderr.contains("in use by another Natter"), "{}", refused.stderr);
    up.signal("INT");
    assert!(up.ended(LONG).success());

    let screen = Screen::start(&rebuild_in(&data), 120, 40);
    let text = screen.shows("ended with 0").await;
    assert!(text.contains("7 of 7 events") && text.contains(" left"), "{text}");
    assert!(text.contains("The read models are made again from 7 events in "), "{text}");

    let up = Up::up(natter_up(&data));
    let ada = Person::enters(&up.url, &up.url, "login").await;
    assert_eq!(ada.reads(&last).await, before);
}
