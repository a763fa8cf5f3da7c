//! Each service by itself, as in a deployment: against servers that are named.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

use natter_testkit::{Broker, Database, Proxy, eventually, scratch_folder};
use serde_json::{Value, json};

use crate::program::{LONG, Service, natter, run};

/// What a deployment hands to its services.
pub struct Deployment {
    pub broker: Broker,
    pub database: Database,
    keys: std::path::PathBuf,
}

impl Deployment {
    pub async fn new() -> Self {
        let (broker, database) = tokio::join!(Broker::start(), Database::empty());
        let keys = scratch_folder("keys");
        let signing = natter_platform::tokens::PrivateKey::generate().expect("a key");
        signing.write_new(&keys.join("signing.pem")).expect("written");
        fs::write(keys.join("signing.pub.pem"), signing.public().pem().expect("text")).expect("written");
        fs::write(keys.join("master.key"), "5a".repeat(32)).expect("written");
        fs::set_permissions(keys.join("master.key"), fs::Permissions::from_mode(0o600)).expect("closed");
        Self { broker, database, keys }
    }

    pub fn database_url(&self) -> String {
        self.database.url()
    }

    /// A way to the database that can be broken, and its URL.
    pub async fn fragile_database(&self) -> (Proxy, String) {
        let proxy = Proxy::to_socket(self.database.socket()).await;
        let url = self.database.url_through(&proxy.address());
        (proxy, url)
    }

    /// The broker is lost with everything that it kept, and a new one is in its place.
    pub async fn loses_its_broker(&mut self) {
        self.broker = Broker::start().await;
    }

    /// The database is lost, and an empty one is in its place.
    pub async fn loses_its_database(&mut self) {
        self.database = Database::empty().await;
    }

    fn key(&self, name: &str) -> std::path::PathBuf {
        self.keys.join(name)
    }

    fn command(&self, name: &str) -> Command {
        let mut command = natter();
        command.arg(name);
        command
    }

    fn broker_options(&self, command: &mut Command) {
        command.args(["--nats-url", &format!("nats://{}", self.broker.address())]);
        // Secrets come from the environment, where the list of processes does not show them.
        command.env("NATTER_NATS_USER", self.broker.user()).env("NATTER_NATS_PASSWORD", self.broker.password());
    }

    pub fn gateway(&self, history_url: &str) -> Command {
        let mut command = self.command("gateway");
        self.broker_options(&mut command);
        command.args(["--listen", "127.0.0.1:0", "--history-url", history_url]);
        command.arg("--signing-key").arg(self.key("signing.pem")).arg("--master-key").arg(self.key("master.key"));
        command
    }

    pub fn projector(&self) -> Command {
        let mut command = self.command("projector");
        self.broker_options(&mut command);
        command.args(["--listen", "127.0.0.1:0"]).env("NATTER_POSTGRES_URL", self.database.url());
        command.arg("--master-key").arg(self.key("master.key"));
        command
    }

    pub fn rebuild(&self) -> Command {
        self.replays(&["rebuild"])
    }

    pub fn verify(&self) -> Command {
        self.replays(&["verify"])
    }

    pub fn repair(&self) -> Command {
        self.replays(&["repair", "events"])
    }

    fn replays(&self, names: &[&str]) -> Command {
        let mut command = self.command(names[0]);
        command.args(&names[1..]);
        self.broker_options(&mut command);
        command.env("NATTER_POSTGRES_URL", self.database.url()).arg("--master-key").arg(self.key("master.key"));
        command
    }

    pub fn backup(&self, folder: &Path) -> Command {
        let mut command = self.command("backup");
        self.broker_options(&mut command);
        command.arg(folder);
        command
    }

    pub fn restore(&self, folder: &Path) -> Command {
        let mut command = self.command("restore");
        self.broker_options(&mut command);
        command.arg(folder).arg("--master-key").arg(self.key("master.key"));
        command
    }

    pub fn history(&self) -> Command {
        let mut command = self.command("history-api");
        command.args(["--listen", "127.0.0.1:0"]).env("NATTER_POSTGRES_URL", self.database.url());
        command.arg("--public-key").arg(self.key("signing.pub.pem"));
        command
    }

    pub fn migrate(&self) -> Command {
        let mut command = self.command("migrate");
        command.env("NATTER_POSTGRES_URL", self.database.url());
        command
    }
}

pub async fn is_ready(url: &str) -> Result<(), Value> {
    let answer = reqwest::get(format!("{url}/ready")).await.map_err(|error| json!(error.to_string()))?;
    let ready = answer.status().is_success();
    let report = answer.json().await.unwrap_or_default();
    if ready { Ok(()) } else { Err(report) }
}

#[tokio::test]
async fn the_services_of_a_deployment_work_together_and_doctor_says_so() {
    let deployment = Deployment::new().await;
    let migrated = run(deployment.migrate());
    assert_eq!(migrated.code, Some(0), "{}", migrated.stderr);
    assert!(run(deployment.migrate()).stdout.contains("already"));

    let history = Service::start(deployment.history(), "The history API listens on ");
    let mut gateway = Service::start(deployment.gateway(&history.url), "The gateway listens on ");
    let projector = Service::start(deployment.projector(), "The projector answers about itself on ");
    for service in [&history, &gateway, &projector] {
        eventually("the service is ready", LONG, async || is_ready(&service.url).await).await;
    }

    let client = reqwest::Client::new();
    let account = json!({"handle": "alice", "password": "correct horse battery"});
    let registered =
        client.post(format!("{}/auth/register", gateway.url)).json(&account).send().await.expect("answered");
    let tokens: Value = registered.json().await.expect("JSON");
    let token = tokens["access_token"].as_str().expect("a token").to_owned();
    let message = json!({"to": {"participants": ["alice"]}, "id": uuid::Uuid::now_v7(), "text": "note to self"});
    let sent = client.post(format!("{}/api/messages", gateway.url)).bearer_auth(&token).json(&message).send().await;
    assert!(sent.expect("answered").status().is_success());
    eventually("history has it", LONG, async || {
        let page = client.get(format!("{}/history/direct?participants=alice", history.url)).bearer_auth(&token);
        let page: Value = page.send().await.expect("answered").json().await.expect("JSON");
        if page["items"][0]["text"] == "note to self" { Ok(()) } else { Err(page) }
    })
    .await;

    let mut doctor = deployment.command("doctor");
    deployment.broker_options(&mut doctor);
    doctor.args(["--gateway-url", &gateway.url, "--history-url", &history.url, "--projector-url", &projector.url]);
    doctor
        .arg("--signing-key")
        .arg(deployment.key("signing.pem"))
        .arg("--public-key")
        .arg(deployment.key("signing.pub.pem"));
    doctor.env("NATTER_MASTER_KEY", deployment.key("master.key")).env("NATTER_POSTGRES_URL", deployment.database.url());
    let said = run(doctor);
    assert_eq!(said.code, Some(0), "{}{}", said.stdout, said.stderr);

    gateway.signal("TERM");
    assert!(gateway.ended(LONG).success(), "{:#?}", gateway.log());
}

#[tokio::test]
async fn a_broker_that_is_not_there_ends_with_8() {
    let deployment = Deployment::new().await;
    deployment.broker.stop().await;
    let mut command = deployment.gateway("http://127.0.0.1:1");
    command.args(["--connect-timeout", "300ms"]);
    let ended = run(command);
    assert_eq!(ended.code, Some(8), "{}", ended.stderr);
    assert!(ended.stderr.contains("nothing answers as NATS"), "{}", ended.stderr);
    assert!(!ended.stderr.contains(deployment.broker.password()), "{}", ended.stderr);
}

#[tokio::test]
async fn keys_that_are_missing_wrong_or_open_to_others_end_with_2_and_another_master_key_with_6() {
    let deployment = Deployment::new().await;
    let refused = |command: Command, code: i32, word: &str| {
        let ended = run(command);
        assert_eq!(ended.code, Some(code), "{}", ended.stderr);
        assert!(ended.stderr.contains(word), "`{word}` is not in: {}", ended.stderr);
    };
    let mut without = deployment.command("history-api");
    without.env("NATTER_POSTGRES_URL", "postgres://localhost/natter");
    refused(without, 2, "--public-key");
    let mut wrong = deployment.history();
    wrong.arg("--public-key").arg(deployment.key("master.key"));
    refused(wrong, 2, "master.key");

    let gateway = Service::start(deployment.gateway("http://127.0.0.1:1"), "The gateway listens on ");
    drop(gateway);
    fs::write(deployment.key("master.key"), "a5".repeat(32)).expect("another key");
    refused(deployment.projector(), 6, "master key");
    fs::set_permissions(deployment.key("master.key"), fs::Permissions::from_mode(0o644)).expect("opened");
    refused(deployment.projector(), 2, "chmod 600");
}
