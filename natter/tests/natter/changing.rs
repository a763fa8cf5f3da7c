//! What is done to messages and whom people block, from the commands over the log and PostgreSQL to history: as it is, after
//! every service was started again, and made again from the log alone.

use natter_testkit::eventually;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::alone::Deployment;
use crate::program::LONG;
use crate::story::{Person, Services};

async fn says(person: &Person, text: &str) -> Value {
    let message = json!({"to": {"participants": ["ada", "bob"]}, "id": Uuid::now_v7(), "text": text});
    person.does("POST", "/api/messages".to_owned(), Some(message)).await
}

/// What history says of the conversation, without what is of the moment.
async fn told(person: &Person, conversation: &str, edited: u64, since: &Value, upto: &Value) -> [Value; 4] {
    let messages = person.reads(&format!("/history/conversations/{conversation}/messages"), upto).await;
    let versions = format!("/history/conversations/{conversation}/messages/{edited}/versions");
    let versions = person.reads(&versions, upto).await;
    let since = since.as_str().expect("a position");
    let changes = person.reads(&format!("/history/changes?after={since}&limit=200"), upto).await;
    let blocks = person.reads("/history/blocks", upto).await;
    [messages, versions, changes, blocks].map(|page| page["items"].clone())
}

#[tokio::test]
async fn what_was_changed_is_the_same_after_a_restart_and_made_again_from_the_log() {
    let mut deployment = Deployment::new().await;
    let services = Services::start(&deployment).await;
    let ada = Person::enters(&services, "register", "ada").await;
    let bob = Person::enters(&services, "register", "bob").await;
    let eve = Person::enters(&services, "register", "eve").await;
    let first = says(&ada, "one").await;
    let (start, conversation) = (&first["position"], first["conversation"].as_str().expect("an id").to_owned());
    let gone = says(&bob, "to be deleted").await["seq"].as_u64().expect("a seq");
    let one = first["seq"].as_u64().expect("a seq");
    let at = |seq: u64, rest: &str| format!("/api/conversations/{conversation}/messages/{seq}{rest}");
    let edit = |text: &str| Some(json!({"id": Uuid::now_v7(), "text": text}));
    for text in ["two", "three"] {
        ada.does("PATCH", at(one, ""), edit(text)).await;
    }
    bob.does("PATCH", at(gone, ""), edit("a slip of the tongue")).await;
    ada.does("PUT", at(gone, "/reactions/👍"), None).await;
    bob.does("DELETE", at(gone, ""), None).await;
    for (person, method, emoji) in [
        (&bob, "PUT", "👍"),
        (&bob, "PUT", "🎈"),
        (&ada, "PUT", "👍"),
        (&ada, "PUT", "👍"),
        (&bob, "DELETE", "👍"),
        (&bob, "DELETE", "👏"),
    ] {
        person.does(method, at(one, &format!("/reactions/{emoji}")), None).await;
    }
    for (method, user) in [("PUT", "eve"), ("PUT", "bob"), ("DELETE", "bob")] {
        ada.does(method, format!("/api/blocks/{user}"), None).await;
    }
    let last = &says(&bob, "the end").await["position"];

    let before = told(&ada, &conversation, one, start, last).await;
    let [messages, versions, changes, blocks] = &before;
    assert_eq!(messages[0]["text"], "three");
    assert!(messages[0]["edited_at"].as_str() > messages[0]["at"].as_str(), "{messages}");
    let reactions =
        json!([{"emoji": "👍", "users": ["ada"], "count": 1}, {"emoji": "🎈", "users": ["bob"], "count": 1}]);
    assert_eq!(messages[0]["reactions"], reactions);
    assert_eq!((&messages[1]["text"], &messages[1]["deleted"]), (&json!(""), &json!(true)), "{messages}");
    assert!(messages[1].get("reactions").is_none() && messages[1].get("edited_at").is_none(), "{messages}");
    let texts: Vec<_> = versions.as_array().expect("versions").iter().map(|version| &version["text"]).collect();
    assert_eq!(texts, ["one", "two", "three"]);
    assert_eq!(versions[0]["seq"], json!(one));
    let kinds: Vec<_> = changes.as_array().expect("changes").iter().map(|frame| &frame["type"]).collect();
    let expected: Vec<_> = ["message", "edited", "edited", "edited", "reaction", "deleted"]
        .into_iter()
        .chain(["reaction"; 6])
        .chain(["block"; 3])
        .chain(["message"])
        .collect();
    assert_eq!(kinds, expected);
    assert_eq!((&changes[2]["text"], &changes[2]["message"]), (&json!("three"), &json!(one)), "{changes}");
    assert_eq!(blocks, &json!([{"user": "eve", "display_name": "eve"}]));
    assert!(!changes.to_string().contains("tongue"), "what was deleted is told to nobody any more: {changes}");
    assert!(!changes.to_string().contains("to be deleted"), "{changes}");

    for path in ["messages".to_owned(), format!("messages/{one}/versions"), format!("messages/{gone}/versions")] {
        let path = format!("/history/conversations/{conversation}/{path}");
        let (status, _) = eve.ask("GET", &path, Some(last), None).await;
        assert_eq!(status, 404, "EVT3: {path}");
    }
    let since = format!("/history/changes?after={}", start.as_str().expect("a position"));
    let (_, heard) = bob.ask("GET", &since, Some(last), None).await;
    assert!(!heard.to_string().contains("block"), "whom ada blocks is hers to know: {heard}");
    let (_, none) =
        bob.ask("GET", &format!("/history/conversations/{conversation}/messages/{gone}/versions"), None, None).await;
    assert_eq!(none["items"], json!([]), "of a deleted message no version is left");

    drop(services);
    let services = Services::start(&deployment).await;
    let ada = Person::enters(&services, "login", "ada").await;
    assert_eq!(told(&ada, &conversation, one, start, last).await, before, "after a restart");

    drop(services);
    deployment.loses_its_database().await;
    let services = Services::start(&deployment).await;
    let ada = Person::enters(&services, "login", "ada").await;
    eventually("the read model is there again", LONG, async || {
        match ada.ask("GET", "/history/blocks", Some(last), None).await {
            (200, _) => Ok(()),
            other => Err(other),
        }
    })
    .await;
    assert_eq!(told(&ada, &conversation, one, start, last).await, before, "made again from the log");
}
