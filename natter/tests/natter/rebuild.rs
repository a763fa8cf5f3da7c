//! `natter rebuild` and `natter verify` as operators run them: in a deployment under load, and on the data folder of a
//! `natter up`, whether that runs or not.

use std::cell::Cell;
use std::io::Read;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Command, Stdio};

use natter_testkit::{eventually, scratch_folder};
use serde_json::{Value, json};

use crate::alone::{Deployment, is_ready};
use crate::program::{self, Ended, LONG, Service, Up, natter, natter_up, run};
use crate::screen::Screen;

/// The number of the signal.
const KILL: i32 = 9;

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

/// Runs it while everything here goes on.
async fn run_beside(command: Command) -> Ended {
    tokio::task::spawn_blocking(|| run(command)).await.expect("it ran")
}

/// In how many milliseconds the read models were switched.
fn switched_in(rebuilt: &Ended) -> u64 {
    let line = rebuilt.stdout.lines().last().expect("a line");
    let (_, ms) = line.split_once("They were switched in ").unwrap_or_else(|| panic!("{line}"));
    ms.strip_suffix(" ms.").and_then(|ms| ms.parse().ok()).unwrap_or_else(|| panic!("{line}"))
}

/// Where a rebuild is held, by a lock on something that nobody else here waits for, and killed.
#[derive(Clone, Copy, Debug)]
enum Place {
    /// The new tables are there and empty. What operators decided, which is copied into them, is locked.
    MakesTables,
    /// The log is read, and its first conversation waits for the new table that it goes to.
    Replays,
    /// The new tables are complete and were compared with the live ones. Somebody reads one of those and takes their time.
    Switches,
}

/// The waiting is that of the rebuild, and not over before ours ends: so what is killed is under way.
async fn kill_rebuild_at(deployment: &Deployment, place: Place) {
    let database = &deployment.database;
    let spawn = || deployment.rebuild().stderr(Stdio::null()).spawn().expect("it starts");
    let waits_for = async |table: &str| {
        let waiting = format!(
            "select count(*) from pg_locks join pg_stat_activity using (pid) \
             where relation = to_regclass('{table}') and not granted \
             and datname = current_database() and application_name = 'natter replay'"
        );
        eventually(&format!("it waits for {table}"), LONG, async || database.number(&waiting).await > 0).await;
    };
    let decisions = "lock table skipped_events in access exclusive mode";
    let (mut killed, held) = match place {
        Place::MakesTables => {
            let (held, killed) = (database.hold(decisions).await, spawn());
            waits_for("skipped_events").await;
            (killed, held)
        }
        Place::Replays => {
            let (before, killed) = (database.hold(decisions).await, spawn());
            waits_for("skipped_events").await;
            let held = database.hold("lock table natter_shadow_public.conversations in access exclusive mode").await;
            drop(before);
            waits_for("natter_shadow_public.conversations").await;
            (killed, held)
        }
        Place::Switches => {
            let (held, killed) = (database.hold("lock table messages in access share mode").await, spawn());
            waits_for("messages").await;
            (killed, held)
        }
    };
    killed.kill().expect("killed");
    let ended = killed.wait().expect("it is our child");
    assert_eq!(ended.signal(), Some(KILL), "{place:?}: it had ended before, with {ended}");
    drop(held);
}

#[tokio::test]
async fn d9_a_deployment_is_rebuilt_and_verified_under_load_and_no_read_fails() {
    let deployment = Deployment::new().await;
    assert_eq!(run(deployment.migrate()).code, Some(0));
    let mut history = deployment.history();
    history.args(["--max-queries", "1000000"]);
    let history = Service::start(history, "The history API listens on ");
    let mut gateway = deployment.gateway(&history.url);
    gateway.args(["--max-messages", "100000", "--max-commands", "100000"]);
    let gateway = ready(gateway, "The gateway listens on ").await;
    let _projector = ready(deployment.projector(), "The projector answers about itself on ").await;
    let ada = Person::enters(&gateway.url, &history.url, "register").await;
    let mut last = ada.says("the first").await;
    ada.reads(&last).await;

    let done = Cell::new(false);
    let writes = async {
        let mut said = 1;
        while !done.get() {
            last = ada.says("more").await;
            said += 1;
        }
        said
    };
    // What a page once had, it has.
    let reads = async {
        let (client, mut pages, mut newest, mut failed) = (reqwest::Client::new(), 0, 0, Vec::new());
        while !done.get() {
            let page = client.get(format!("{}/history/direct?participants=ada", history.url)).bearer_auth(&ada.token);
            let answer = page.send().await.expect("answered");
            pages += 1;
            if !answer.status().is_success() {
                failed.push(answer.status());
                continue;
            }
            let page: Value = answer.json().await.expect("JSON");
            let seqs = page["items"].as_array().expect("items").iter().filter_map(|item| item["seq"].as_u64());
            let seq = seqs.max().expect("a message");
            assert!(seq >= newest, "from {newest} back to {seq}");
            newest = seq;
        }
        (pages, failed)
    };
    let rebuilds = async {
        let mut switches = Vec::new();
        for _ in 0..3 {
            // Killed at each of these places, where it waits for us, and run again.
            for place in [Place::MakesTables, Place::Replays, Place::Switches] {
                kill_rebuild_at(&deployment, place).await;
            }
            let rebuilt = run_beside(deployment.rebuild()).await;
            assert_eq!(rebuilt.code, Some(0), "{}", rebuilt.stderr);
            switches.push(switched_in(&rebuilt));
            assert!(!rebuilt.stdout.contains("DIFFERS"), "{}", rebuilt.stdout);
            let verified = run_beside(deployment.verify()).await;
            assert_eq!(verified.code, Some(0), "{}{}", verified.stdout, verified.stderr);
        }
        done.set(true);
        switches
    };
    let (switches, said, (pages, failed)) = tokio::join!(rebuilds, writes, reads);
    println!("switched in {switches:?} ms, beside {said} messages and {pages} pages");
    assert!(failed.is_empty(), "{failed:?} of {pages} pages");
    assert!(switches.iter().all(|ms| *ms < 1_000), "{switches:?}");
    let all = ada.reads(&last).await;
    assert!(said > 50 && all.as_array().is_some_and(|items| !items.is_empty()), "{said}: {all}");
}

#[tokio::test]
async fn d9_what_differs_is_printed_and_made_again_and_another_log_is_refused() {
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
    projector.signal("TERM");
    assert!(projector.ended(LONG).success());

    deployment.database.execute("update messages set text = 'forged' where ordinal = 2").await;
    let verified = run(deployment.verify());
    assert_eq!(verified.code, Some(13), "{}", verified.stderr);
    assert!(verified.stderr.contains("1 of 24 tables differ from the log, in 1 rows"), "{}", verified.stderr);
    assert!(verified.stdout.contains("text is a text of 6 bytes, replayed a text of 9 bytes"), "{}", verified.stdout);
    assert!(!verified.stdout.contains("forged") && !verified.stdout.contains("message 1"), "{}", verified.stdout);

    let rebuilt = run(deployment.rebuild());
    assert_eq!(rebuilt.code, Some(0), "{}", rebuilt.stderr);
    assert!(rebuilt.stdout.contains("What was there before differed from the log."), "{}", rebuilt.stdout);
    assert!(rebuilt.stdout.contains("The read models are made again from 6 events in "), "{}", rebuilt.stdout);
    assert!(switched_in(&rebuilt) < 1_000);
    assert_eq!(ada.reads(&last).await, before);
    let verified = run(deployment.verify());
    assert_eq!(verified.code, Some(0), "{}", verified.stderr);
    assert!(verified.stdout.starts_with("The read models at event 6:"), "{}", verified.stdout);

    let healthy = run(deployment.repair());
    assert_eq!(healthy.code, Some(0), "{}", healthy.stderr);
    assert!(healthy.stdout.contains("There are no dead letters"), "{}", healthy.stdout);
    let mut skip = deployment.repair();
    skip.args(["--skip", "3"]);
    let refused = run(skip);
    assert_eq!(refused.code, Some(1), "{}", refused.stdout);
    assert!(refused.stderr.contains("event 3 is none of the malformed ones"), "{}", refused.stderr);

    let other = Deployment::new().await;
    drop(Service::start(other.gateway("http://127.0.0.1:1"), "The gateway listens on "));
    for mut elsewhere in [other.rebuild(), other.verify()] {
        elsewhere.env("NATTER_POSTGRES_URL", deployment.database_url());
        let refused = run(elsewhere);
        assert_eq!(refused.code, Some(10), "{}", refused.stderr);
        let why = "the log is not the one that the read models were made from";
        assert!(refused.stderr.contains(why), "{}", refused.stderr);
    }
    assert_eq!(ada.reads(&last).await, before);

    // It goes on from there.
    let _projector = ready(deployment.projector(), "The projector answers about itself on ").await;
    let later = ada.says("later").await;
    assert_eq!(ada.reads(&later).await[5]["text"], "later");
}

#[tokio::test]
async fn d9_a_verify_that_is_interrupted_says_so_and_leaves_nothing() {
    let deployment = Deployment::new().await;
    assert_eq!(run(deployment.migrate()).code, Some(0));
    drop(ready(deployment.gateway("http://127.0.0.1:1"), "The gateway listens on ").await);
    drop(ready(deployment.projector(), "The projector answers about itself on ").await);
    // Somebody holds what it reads first, so that it is in the middle for as long as we like.
    for signal in ["INT", "TERM"] {
        let held = deployment.database.hold("lock table users in access exclusive mode").await;
        let mut verifying = deployment.verify().stderr(Stdio::piped()).spawn().expect("it starts");
        let waiting = "select count(*) from pg_stat_activity \
                       where datname = current_database() and wait_event_type = 'Lock' and query like '%users%'";
        eventually("it is in the middle", LONG, async || deployment.database.number(waiting).await > 0).await;
        program::signal(verifying.id(), signal);
        let ended = verifying.wait().expect("it is our child");
        let mut said = String::new();
        verifying.stderr.take().expect("piped").read_to_string(&mut said).expect("text");
        assert_eq!(ended.code(), Some(1), "{said}");
        assert!(said.contains("stopped: the read models are as they were"), "{said}");
        let schemas = "select count(*) from pg_namespace where nspname like 'natter%'";
        assert_eq!(deployment.database.number(schemas).await, 0);
        drop(held);
    }
}

fn rebuild_in(data: &Path) -> Command {
    in_folder(data, &["rebuild"])
}

fn in_folder(data: &Path, arguments: &[&str]) -> Command {
    let mut command = natter();
    command.args(arguments).arg("--data").arg(data);
    command
}

/// What is said where there is no terminal is for a file: lines.
#[tokio::test]
async fn d9_a_verify_without_a_terminal_says_in_a_line_how_far_it_is() {
    let deployment = Deployment::new().await;
    assert_eq!(run(deployment.migrate()).code, Some(0));
    let gateway = ready(deployment.gateway("http://127.0.0.1:1"), "The gateway listens on ").await;
    let projector = ready(deployment.projector(), "The projector answers about itself on ").await;
    Person::enters(&gateway.url, "", "register").await;
    let applied = "select coalesce(max(seq), 0) from projector where name = 'chat'";
    eventually("the account is there", LONG, async || deployment.database.number(applied).await > 0).await;
    drop((gateway, projector));

    // It is kept waiting for longer than the time between two lines.
    let held = deployment.database.hold("lock table projector in access exclusive mode").await;
    let verified = tokio::spawn(run_beside(deployment.verify()));
    let waiting = "select count(*) from pg_stat_activity where datname = current_database() \
                   and wait_event_type = 'Lock' and query_start < clock_timestamp() - interval '5 seconds'";
    eventually("it has waited for a while", LONG, async || deployment.database.number(waiting).await > 0).await;
    drop(held);
    let verified = verified.await.expect("it ran");
    assert_eq!(verified.code, Some(0), "{}", verified.stderr);
    let is_progress = |line: &str| line.starts_with("0 of 1 events, ") && line.ends_with(" seconds left");
    assert!(verified.stderr.lines().any(is_progress), "{}", verified.stderr);
    assert!(!verified.stderr.contains(['\r', '\u{1b}']), "{:?}", verified.stderr);
    let mut log = deployment.verify();
    log.arg("--event-log");
    let log = run_beside(log).await;
    assert_eq!((log.code, &*log.stderr), (Some(0), ""), "it was done before there was anything to say");
}

#[tokio::test]
async fn d9_the_data_folder_of_a_natter_up_that_does_not_run_is_rebuilt_and_verified_with_a_bar() {
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
    // While it runs.
    let rebuilt = run(rebuild_in(&data));
    assert_eq!(rebuilt.code, Some(0), "{}", rebuilt.stderr);
    assert_eq!(ada.reads(&last).await, before);
    up.signal("INT");
    assert!(up.ended(LONG).success());

    let screen = Screen::start(&rebuild_in(&data), 120, 40);
    let text = screen.shows("ended with 0").await;
    assert!(text.contains("7 of 7 events") && text.contains(" left"), "{text}");
    assert!(text.contains("The read models are made again from 7 events in "), "{text}");

    let screen = Screen::start(&in_folder(&data, &["verify"]), 120, 80);
    let text = screen.shows("ended with 0").await;
    assert!(text.contains("7 of 7 events, ") && text.contains(" rows, ") && text.contains(" left"), "{text}");
    assert!(text.contains("The read models at event 7:"), "{text}");
    let screen = Screen::start(&in_folder(&data, &["verify", "--event-log"]), 120, 80);
    let text = screen.shows("ended with 0").await;
    assert!(text.contains("7 of 7 events, ") && text.contains(" left"), "{text}");
    assert!(text.contains("7 events were read. The log is whole."), "{text}");

    let up = Up::up(natter_up(&data));
    let ada = Person::enters(&up.url, &up.url, "login").await;
    assert_eq!(ada.reads(&last).await, before);
}
