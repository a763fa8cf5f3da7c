//! Connecting: what is said when it can't be done.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use natter_log::{ConnectError, Log, Settings};
use natter_testkit::{Broker, eventually, scratch_folder, tools};

use crate::support::*;

/// A broker with a configuration that Natter would not write.
pub struct Odd {
    child: Child,
    port: u16,
}

impl Drop for Odd {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Odd {
    pub async fn start(config: &str) -> Odd {
        let folder = scratch_folder("odd");
        let file = folder.join("nats.conf");
        let common = "host: 127.0.0.1\nport: -1\nports_file_dir: \"$FOLDER\"\n";
        let config = format!("{common}{config}").replace("$FOLDER", &folder.display().to_string());
        std::fs::write(&file, config).expect("written");
        let said = std::fs::File::create(folder.join("said")).expect("a file");
        let child = Command::new(tools().nats_server())
            .arg("-c")
            .arg(&file)
            .stdout(Stdio::null())
            .stderr(said)
            .spawn()
            .expect("started");
        let port = eventually("it says its port", SOON, async || {
            port_in(&folder).ok_or_else(|| std::fs::read_to_string(folder.join("said")))
        })
        .await;
        Odd { child, port }
    }

    pub fn url(&self, user: &str) -> String {
        format!("nats://{user}:secret@127.0.0.1:{}", self.port)
    }

    pub fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }
}

fn port_in(folder: &Path) -> Option<u16> {
    let files = std::fs::read_dir(folder).ok()?;
    let path: PathBuf =
        files.flatten().map(|file| file.path()).find(|path| path.extension().is_some_and(|e| e == "ports"))?;
    let ports: serde_json::Value = serde_json::from_slice(&std::fs::read(path).ok()?).ok()?;
    ports["nats"][0].as_str()?.rsplit(':').next()?.parse().ok()
}

/// `admin` may do all, `reader` may only read.
pub async fn with_users() -> Odd {
    Odd::start(
        r#"
        jetstream { store_dir: "$FOLDER/js", max_file_store: 100GB }
        authorization { users: [
            { user: admin, password: secret }
            { user: reader, password: secret, permissions: {
                publish: ["$JS.API.>", "$JS.FC.>"], subscribe: ["_INBOX.>"] } }
        ] }
        "#,
    )
    .await
}

async fn error(settings: Settings) -> ConnectError {
    match Log::connect(settings).await {
        Ok(_) => panic!("it connected"),
        Err(error) => error,
    }
}

#[tokio::test]
async fn nobody_there_is_unreachable_and_no_password_is_shown() {
    let free = std::net::TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("its address");
    let error = error(settings(&format!("nats://ann:hunter2@{free}"))).await;
    assert!(matches!(error, ConnectError::Unreachable { .. }), "{error:?}");
    assert!(error.to_string().contains(&free.to_string()), "{error}");
    assert!(!format!("{error} {error:?}").contains("hunter2"), "{error:?}");
}

#[tokio::test]
async fn one_that_does_not_answer_is_unreachable() {
    let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = silent.local_addr().expect("its address");
    let impatient = Settings { connect_timeout: Duration::from_millis(200), ..settings(&format!("nats://{address}")) };
    let error = error(impatient).await;
    assert!(matches!(error, ConnectError::Unreachable { .. }), "{error:?}");
}

#[tokio::test]
async fn wrong_credentials_are_refused_as_such() {
    let broker = Broker::start().await;
    let url = format!("nats://{}", broker.address());
    let with = |user: &str, password: &str| Settings {
        user: Some(user.into()),
        password: Some(password.into()),
        ..settings(&url)
    };
    assert!(matches!(error(with(broker.user(), "wrong")).await, ConnectError::Refused { .. }));
    assert!(matches!(error(settings(&url)).await, ConnectError::Refused { .. }));
    // And the right ones do for every connection, that for appends among them.
    let log = connect(with(broker.user(), broker.password())).await;
    append(&log, "a").await;
    assert_eq!(take(&mut log.follow(natter_log::Stream::Chat, 0), 1).await.len(), 1);
}

#[tokio::test]
async fn addresses_and_files_that_can_not_be_used_are_named() {
    for server in ["http//x:y", "nats://", "nats://host:99999"] {
        let error = error(settings(server)).await;
        assert!(matches!(error, ConnectError::BadAddress { .. }), "{server}: {error:?}");
    }
    let missing = scratch_folder("creds").join("none.creds");
    let unreadable = Settings { credentials_file: Some(missing.clone()), ..settings("nats://127.0.0.1:1") };
    let error_of_missing = error(unreadable).await;
    assert!(error_of_missing.to_string().contains("none.creds"), "{error_of_missing}");
    std::fs::write(&missing, "nothing that was ever signed").expect("written");
    let nonsense = Settings { credentials_file: Some(missing), ..settings("nats://127.0.0.1:1") };
    assert!(matches!(error(nonsense).await, ConnectError::Credentials { .. }));
}

#[tokio::test]
async fn a_broker_without_jetstream_is_told_from_one_that_is_away() {
    let broker = Odd::start("").await;
    let error = error(settings(&format!("nats://{}", broker.address()))).await;
    assert!(matches!(error, ConnectError::NoJetStream { .. }), "{error:?}");
}

#[tokio::test]
async fn a_round_trip_is_measured_and_fails_when_the_broker_stands_still() {
    let broker = Broker::start().await;
    // The streams are made before, which may take longer.
    log_on(&broker).await;
    let log = connect(Settings { request_timeout: Duration::from_millis(300), ..settings(broker.url()) }).await;
    let took = log.round_trip().await.expect("an answer");
    assert!(took < Duration::from_millis(300), "{took:?}");
    stand_still(&broker).await;
    log.round_trip().await.expect_err("no answer");
    broker.resume().await;
    eventually("answers again", SOON, async || log.round_trip().await).await;
}
