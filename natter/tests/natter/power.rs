//! The machine of a `natter up` loses power.

use std::collections::BTreeSet;

use natter_testkit::{Disk, Names, eventually, not_tested};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::program::{LONG, Up, natter_up};

/// What is said before each cut.
const MESSAGES: usize = 8;

async fn post(url: &str, token: Option<&str>, body: &Value) -> Result<Value, String> {
    let mut request = reqwest::Client::new().post(url).json(body);
    if let Some(token) = token {
        request = request.bearer_auth(token);
    }
    let answer = request.send().await.map_err(|error| error.to_string())?;
    let (status, body) = (answer.status(), answer.json::<Value>().await.map_err(|error| error.to_string())?);
    if status.is_success() { Ok(body) } else { Err(format!("{status}: {body}")) }
}

async fn texts(url: &str, token: &str) -> Result<BTreeSet<String>, Value> {
    let page =
        reqwest::Client::new().get(format!("{url}/history/direct?participants=ada&limit=100")).bearer_auth(token);
    let page: Value = page.send().await.expect("answered").json().await.expect("JSON");
    let Some(items) = page["items"].as_array() else { return Err(page) };
    Ok(items.iter().map(|item| item["text"].as_str().expect("a text").to_owned()).collect())
}

/// From its very first start: keys, passwords and folders are on disk before anyone is told that it is ready.
async fn survives(names: Names) {
    let mut disk = match Disk::mount(names) {
        Ok(disk) => disk,
        Err(why) => return not_tested(&format!("power loss under `natter up`, for {why}")),
    };
    let data = disk.path().join("natter/data");
    let account = json!({"handle": "ada", "password": "correct horse battery"});
    let mut said = BTreeSet::new();
    for (round, torn) in [None, Some(1), None].into_iter().enumerate() {
        let mut up = Up::up(natter_up(&data));
        let door = if round == 0 { "register" } else { "login" };
        let tokens = post(&format!("{}/auth/{door}", up.url), None, &account).await.expect("let in");
        let token = tokens["access_token"].as_str().expect("a token").to_owned();
        eventually("all that was acknowledged is in history", LONG, async || match texts(&up.url, &token).await {
            Ok(texts) if texts.is_superset(&said) => Ok(()),
            other => Err(other),
        })
        .await;
        for n in 0..MESSAGES {
            let text = format!("{n} of round {round}");
            let message = json!({"to": {"participants": ["ada"]}, "id": Uuid::now_v7(), "text": text});
            let url = format!("{}/api/messages", up.url);
            // There is a budget for each second.
            eventually("it is acknowledged", LONG, async || post(&url, Some(&token), &message).await).await;
            said.insert(text);
        }
        disk.cut_power(torn);
        up.signal("KILL");
        up.ended(LONG);
        disk.power_on().await;
    }
    drop(Up::up(natter_up(&data)));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_acknowledged_is_there_after_the_machine_lost_power() {
    survives(Names::Journaled).await;
}

/// No name is on disk but by a sync of its folder.
#[tokio::test(flavor = "multi_thread")]
async fn so_it_is_where_the_file_system_keeps_no_more_than_posix_promises() {
    survives(Names::Bare).await;
}
