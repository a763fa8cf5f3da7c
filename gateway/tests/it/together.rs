//! Two gateways over one broker are one: whoever is turned away on one is turned away on the other.

use std::time::Duration;

use natter_events::{Event, Record, Subject, UserRegistered};
use natter_log::{Append, Stream};
use serde_json::{Value, json};
use tokio::time::Instant;

use crate::rig::{Person, Rig};
use crate::socket::{Closed, text};

/// What is promised from the answer to the last socket's end.
const WITHIN: Duration = Duration::from_secs(2);

/// Another login of the same person, on one of the gateways.
async fn log_in(rig: &Rig, gateway: usize, person: &Person, password: &str) -> Person {
    let body = Some(json!({"handle": person.handle, "password": password}));
    let (status, tokens) = rig.http(gateway, "POST", "/auth/login", None, body).await;
    assert_eq!(status, 200, "{tokens}");
    Person { token: text(&tokens, "access_token"), ..person.clone() }
}

async fn is_turned_away(rig: &Rig, person: &Person) {
    for gateway in [0, 1] {
        assert_eq!(rig.hello(gateway, person, None).await.closed().await, Closed(Some(4503)));
        let body = Some(crate::socket::message(&["ada"], "hi"));
        let (status, problem) = rig.http(gateway, "POST", "/api/messages", Some(&person.token), body).await;
        assert_eq!((status, &problem["code"]), (401, &json!("unauthenticated")));
    }
}

#[tokio::test]
async fn hrt4_a_new_password_closes_the_sockets_of_all_other_logins_everywhere() {
    let rig = Rig::start(2).await;
    let ada = rig.person("ada").await;
    let bob = rig.person("bob").await;
    let (phone, laptop) = (log_in(&rig, 0, &ada, "correct horse").await, log_in(&rig, 1, &ada, "correct horse").await);
    let mut ending = Vec::new();
    for gateway in [0, 1] {
        for login in [&phone, &laptop] {
            ending.push(rig.socket(gateway, login).await);
        }
    }
    let (mut here, mut there) = (rig.socket(0, &ada).await, rig.socket(1, &ada).await);
    let mut of_bob = rig.socket(1, &bob).await;
    let changed = Instant::now();
    let body = Some(json!({"current": "correct horse", "new": "battery staple"}));
    let (status, _) = rig.http(0, "POST", "/auth/password", Some(&ada.token), body).await;
    assert_eq!(status, 204);
    for socket in &mut ending {
        assert_eq!(socket.closed().await, Closed(Some(4503)));
    }
    assert!(changed.elapsed() < WITHIN, "{:?}", changed.elapsed());
    for login in [&phone, &laptop] {
        is_turned_away(&rig, login).await;
    }
    let ok = here.send(&["bob"], "I am still here").await;
    assert_eq!(there.expect("message").await["seq"], ok["seq"]);
    assert_eq!(of_bob.expect("message").await["seq"], ok["seq"]);
    rig.socket(0, &log_in(&rig, 1, &ada, "battery staple").await).await;
}

/// A suspension is an event like any other; that it is appended by someone else is what this is about.
#[tokio::test]
async fn hrt4_a_suspension_closes_every_socket_everywhere() {
    let rig = Rig::start(2).await;
    let (ada, bob) = (rig.person("ada").await, rig.person("bob").await);
    let other = log_in(&rig, 1, &ada, "correct horse").await;
    let mut ending = [rig.socket(0, &ada).await, rig.socket(1, &ada).await, rig.socket(0, &other).await];
    let mut of_bob = rig.socket(0, &bob).await;
    let log = rig.log().await;
    let stored = log.last(Stream::Chat, &Subject::Account(ada.uid).to_string()).await.unwrap().unwrap();
    let record = Record::decode(&stored.payload).unwrap();
    let Event::UserRegistered(UserRegistered { mut account }) = record.event else { panic!("{record:?}") };
    account.suspended = true;
    let suspended = Record::new(ada.uid, UserRegistered { account }).to(&[ada.uid]);
    let begun = Instant::now();
    log.append(Append {
        stream: Stream::Chat,
        subject: Subject::Account(ada.uid).to_string(),
        message_id: "suspended".into(),
        payload: suspended.sealed_with(record.envelope.key.unwrap()).encode(),
        expected_last: Some(stored.seq),
    })
    .await
    .unwrap();
    for socket in &mut ending {
        assert_eq!(socket.closed().await, Closed(Some(4503)));
    }
    assert!(begun.elapsed() < WITHIN, "{:?}", begun.elapsed());
    is_turned_away(&rig, &ada).await;
    is_turned_away(&rig, &other).await;
    of_bob.send(&["ada"], "whoever is suspended can still be written to").await;
}

/// The gateway that the login was ended on can't be heard of by the other for a while: the log tells it.
#[tokio::test]
async fn hrt4_a_gateway_that_was_cut_off_ends_sockets_once_it_hears_of_it() {
    let mut rig = Rig::start(1).await;
    let proxy = natter_testkit::Proxy::to(rig.broker.address()).await;
    let settings = rig.settings_through(&proxy);
    rig.add_over(settings, |_| {}).await;
    let ada = rig.person("ada").await;
    let mut there = rig.socket(1, &ada).await;
    proxy.refuse();
    proxy.cut();
    rig.log_out(0, &ada).await;
    assert_eq!(there.drain().await, Vec::<Value>::new(), "it does not know yet");
    proxy.heal();
    assert_eq!(there.closed().await, Closed(Some(4503)));
    is_turned_away(&rig, &ada).await;
}
