//! TLS and credentials files: every kind of connection must know them, that for appends speaks the protocol by itself.

use std::path::{Path, PathBuf};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bytes::Bytes;
use natter_log::{ConnectError, Log, Settings, Stream};
use natter_testkit::{Broker, scratch_folder};
use nkeys::KeyPair;
use serde_json::json;

use crate::connect::Odd;
use crate::support::*;

/// Appends, alone and many; follows; reads; speaks live.
async fn use_every_connection(log: &Log) {
    assert_eq!(append(log, "a").await.seq, 1);
    assert_eq!(append_many(log, "b", 500).await.len(), 500);
    assert!(log.counts().batches > 0);
    assert_contiguous(&take(&mut log.follow(Stream::Chat, 0), 501).await, 1);
    assert_eq!(log.range(Stream::Chat, 0, 10, 1 << 20).await.expect("read").len(), 10);
    let mut live = log.subscribe_live("live.x").await.expect("subscribed");
    log.publish_live("live.x", Bytes::from_static(b"hello")).await.expect("published");
    tokio::time::timeout(SOON, live.next()).await.expect("in time").expect("heard");
}

/// A certificate for loopback: its file, and the broker's words for it.
fn certificate(folder: &Path) -> (PathBuf, String) {
    let names = vec!["127.0.0.1".to_owned(), "localhost".to_owned()];
    let made = rcgen::generate_simple_self_signed(names).expect("a certificate");
    let (certificate, key) = (folder.join("cert.pem"), folder.join("key.pem"));
    std::fs::write(&certificate, made.cert.pem()).expect("written");
    std::fs::write(&key, made.signing_key.serialize_pem()).expect("written");
    let config = format!(
        r#"tls {{ cert_file: "{}", key_file: "{}" }}
        jetstream {{ store_dir: "{}", max_file_store: 100GB }}
        authorization {{ user: ann, password: secret }}"#,
        certificate.display(),
        key.display(),
        folder.join("js").display(),
    );
    (certificate, config)
}

#[tokio::test]
async fn everything_goes_over_tls_when_either_side_wants_it() {
    let folder = scratch_folder("tls");
    let (ca, config) = certificate(&folder);
    let broker = Odd::start(&config).await;
    for (scheme, events) in [("tls", 0), ("nats", 501)] {
        let url = broker.url("ann").replace("nats://", &format!("{scheme}://"));
        let log = connect(Settings { tls_ca_file: Some(ca.clone()), ..settings(&url) }).await;
        if events == 0 {
            use_every_connection(&log).await;
        } else {
            assert_eq!(append(&log, "plain-scheme").await.seq, events + 1);
        }
    }
}

#[tokio::test]
async fn a_certificate_of_nobody_we_trust_ends_the_attempt() {
    let folder = scratch_folder("tls");
    let (_, config) = certificate(&folder);
    let broker = Odd::start(&config).await;
    let elsewhere = scratch_folder("tls");
    let (other, _) = certificate(&elsewhere);
    for ca in [Some(other), None, Some(elsewhere.join("missing.pem"))] {
        let refused = Log::connect(Settings { tls_ca_file: ca.clone(), ..settings(&broker.url("ann")) }).await.err();
        let refused = refused.unwrap_or_else(|| panic!("{ca:?}: it connected"));
        assert!(matches!(refused, ConnectError::Tls { .. } | ConnectError::Unreachable { .. }), "{ca:?}: {refused:?}");
    }
}

/// The broker of an operator: accounts and users are signed.
struct Signed {
    account: KeyPair,
    config: String,
}

fn signed() -> Signed {
    let (operator, account) = (KeyPair::new_operator(), KeyPair::new_account());
    let operator_token =
        token(&operator, &operator.public_key(), "operator", json!({ "type": "operator", "version": 2 }));
    let unlimited = json!({
        "subs": -1, "data": -1, "payload": -1, "imports": -1, "exports": -1, "wildcards": true, "conn": -1, "leaf": -1,
        "mem_storage": -1, "disk_storage": -1, "streams": -1, "consumer": -1,
    });
    let claims = json!({ "type": "account", "version": 2, "limits": unlimited });
    let account_token = token(&operator, &account.public_key(), "account", claims);
    // JetStream wants a system account, and that one to be without JetStream.
    let system = KeyPair::new_account().public_key();
    let claims =
        json!({ "type": "account", "version": 2, "limits": { "subs": -1, "data": -1, "payload": -1, "conn": -1 } });
    let system_token = token(&operator, &system, "system", claims);
    let config = format!(
        r#"jetstream {{ store_dir: "$FOLDER/js", max_file_store: 100GB }}
        operator: {operator_token}
        resolver: MEMORY
        system_account: {system}
        resolver_preload: {{ {system}: {system_token}, {}: {account_token} }}"#,
        account.public_key()
    );
    Signed { account, config }
}

fn token(issuer: &KeyPair, subject: &str, name: &str, nats: serde_json::Value) -> String {
    let part = |value: serde_json::Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let header = part(json!({ "typ": "JWT", "alg": "ed25519-nkey" }));
    let claims = part(json!({
        "jti": "test", "iat": 1_700_000_000, "iss": issuer.public_key(), "sub": subject, "name": name, "nats": nats,
    }));
    let signature = issuer.sign(format!("{header}.{claims}").as_bytes()).expect("signed");
    format!("{header}.{claims}.{}", URL_SAFE_NO_PAD.encode(signature))
}

fn credentials(account: &KeyPair, folder: &Path) -> PathBuf {
    let user = KeyPair::new_user();
    let claims = json!({ "type": "user", "version": 2, "pub": {}, "sub": {}, "subs": -1, "data": -1, "payload": -1 });
    let token = token(account, &user.public_key(), "gateway", claims);
    let seed = user.seed().expect("a seed");
    let file = folder.join("user.creds");
    let contents = format!(
        "-----BEGIN NATS USER JWT-----\n{token}\n------END NATS USER JWT------\n\n\
         -----BEGIN USER NKEY SEED-----\n{seed}\n------END USER NKEY SEED------\n"
    );
    std::fs::write(&file, contents).expect("written");
    file
}

#[tokio::test]
async fn a_credentials_file_opens_every_connection() {
    let Signed { account, config } = signed();
    let broker = Odd::start(&config).await;
    let url = format!("nats://{}", broker.address());
    let file = credentials(&account, &scratch_folder("creds"));
    let log = connect(Settings { credentials_file: Some(file), ..settings(&url) }).await;
    use_every_connection(&log).await;
}

#[tokio::test]
async fn credentials_of_another_account_are_refused() {
    let broker = Odd::start(&signed().config).await;
    let stranger = credentials(&KeyPair::new_account(), &scratch_folder("creds"));
    let url = format!("nats://{}", broker.address());
    let refused = Log::connect(Settings { credentials_file: Some(stranger), ..settings(&url) }).await.err();
    assert!(matches!(refused, Some(ConnectError::Refused { .. })), "{refused:?}");
    // A broker for passwords takes no credentials.
    let broker = Broker::start().await;
    let file = credentials(&KeyPair::new_account(), &scratch_folder("creds"));
    let url = format!("nats://{}", broker.address());
    let refused = Log::connect(Settings { credentials_file: Some(file), ..settings(&url) }).await.err();
    assert!(matches!(refused, Some(ConnectError::Refused { .. })), "{refused:?}");
}
