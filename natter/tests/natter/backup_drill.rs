//! The drill: people talk, a backup is taken meanwhile, everything is destroyed, the backup is restored, and they go on.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use natter_client::{Client, ConversationId, Event, Events, Handle, Position, ResetReason, Server, Session, Toggle};
use natter_testkit::{eventually, scratch_folder};
use serde_json::Value;

use crate::program::{LONG, Up, natter, natter_up, run};
use crate::screen::Screen;

const PASSWORD: &str = "correct horse battery";
/// Said while the backup is taken, and after it.
const MEANWHILE: usize = 10;

fn handle(name: &str) -> Handle {
    name.parse().expect("a handle")
}

async fn registers(up: &Up, name: &str) -> (Client, Events) {
    let server: Server = up.url.parse().expect("an address");
    Session::register(&server, &handle(name), PASSWORD, None).await.expect("registered");
    enters(up, name, None).await
}

async fn enters(up: &Up, name: &str, since: Option<Position>) -> (Client, Events) {
    let client = Client::builder(&up.url).login(handle(name), PASSWORD).resume_from(since).event_capacity(100_000);
    client.connect().await.unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// What was acknowledged: by conversation and seq, the text.
type Said = Arc<Mutex<BTreeMap<(ConversationId, u64), String>>>;

async fn says(client: &Client, to: ConversationId, text: String, said: &Said) -> u64 {
    let sent = client.send(to, text.clone()).await.expect("sent");
    said.lock().expect("lock").insert((to, sent.seq), text);
    sent.seq
}

/// What history has of a conversation: seq and text, as it is now.
async fn has(client: &Client, conversation: ConversationId) -> BTreeMap<(ConversationId, u64), String> {
    let mut found = BTreeMap::new();
    let mut pages = client.history().messages(conversation);
    while let Some(page) = pages.next_page().await.expect("a page") {
        for message in page.items {
            let text = if message.deleted { "(deleted)".to_owned() } else { message.text };
            found.insert((conversation, message.seq), text);
        }
    }
    found
}

fn backup(data: &Path, folder: &Path) -> Command {
    let mut command = natter();
    command.arg("backup").arg(folder).arg("--data").arg(data);
    command
}

fn restore(data: &Path, folder: &Path, master_key: &Path) -> Command {
    let mut command = natter();
    command.arg("restore").arg(folder).arg("--data").arg(data).arg("--master-key").arg(master_key);
    command
}

async fn first_reset(events: &mut Events) -> ResetReason {
    loop {
        match events.next().await.expect("it goes on") {
            Event::Reset { reason, .. } => return reason,
            Event::State(_) => {}
            other => panic!("{other:?}"),
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn d14_everything_is_destroyed_and_restored_and_people_go_on_with_what_was_said_up_to_the_backup() {
    let place = scratch_folder("drill");
    let (data, folder, safe) = (place.join("data"), place.join("backup"), place.join("safe.key"));
    let mut up = Up::up(natter_up(&data));
    let (ada, _ada_hears) = registers(&up, "ada").await;
    let (bob, mut bob_hears) = registers(&up, "bob").await;
    let (cy, _cy_hears) = registers(&up, "cy").await;

    let said = Said::default();
    let room = ada.create_room("engines").private().members([handle("bob"), handle("cy")]).await.expect("made");
    let room = room.conversation.expect("a room");
    let begun = ada.send(handle("bob"), "hello").await.expect("sent");
    let direct = begun.conversation.expect("a conversation");
    said.lock().expect("lock").insert((direct, begun.seq), "hello".to_owned());
    let first = says(&ada, room, "who has oil?".to_owned(), &said).await;
    let wrong = says(&cy, room, "me to".to_owned(), &said).await;
    let gone = says(&bob, direct, "a secret".to_owned(), &said).await;
    cy.edit(room, wrong, "me too").await.expect("edited");
    bob.delete(direct, gone).await.expect("deleted");
    bob.react(room, first, "👍", Toggle::Add).await.expect("reacted");
    said.lock().expect("lock").insert((room, wrong), "me too".to_owned());
    said.lock().expect("lock").insert((direct, gone), "(deleted)".to_owned());

    // They go on talking until well after the backup.
    let taken = Arc::new(AtomicBool::new(false));
    let talking: Vec<_> = [(&ada, room), (&bob, direct), (&cy, room)]
        .map(|(client, to)| {
            let (client, said, taken) = (client.clone(), said.clone(), taken.clone());
            tokio::spawn(async move {
                let mut left = MEANWHILE;
                for n in 0.. {
                    says(&client, to, format!("{n} while it is copied"), &said).await;
                    left -= usize::from(taken.load(Ordering::SeqCst));
                    if left == 0 {
                        break;
                    }
                }
            })
        })
        .into();
    eventually("they talk", LONG, async || match said.lock().expect("lock").len() {
        few @ ..20 => Err(few),
        _ => Ok(()),
    })
    .await;
    let backed_up = tokio::task::spawn_blocking({
        let (data, folder) = (data.clone(), folder.clone());
        move || run(backup(&data, &folder))
    });
    let backed_up = backed_up.await.expect("it runs");
    assert_eq!(backed_up.code, Some(0), "{}", backed_up.stderr);
    assert!(backed_up.stdout.contains("The master key is not in it"), "{}", backed_up.stdout);
    taken.store(true, Ordering::SeqCst);
    for talker in talking {
        talker.await.expect("they talked");
    }
    let (eve, _) = registers(&up, "eve").await;
    drop(eve);

    let manifest: Value =
        serde_json::from_slice(&fs::read(folder.join("manifest.json")).expect("a manifest")).expect("JSON");
    let last = manifest["last_event"]["seq"].as_u64().expect("a seq");
    let said = said.lock().expect("lock").clone();
    let (kept, lost): (BTreeMap<_, _>, BTreeMap<_, _>) = said.into_iter().partition(|((_, seq), _)| *seq <= last);
    assert!(
        kept.len() >= 20 && lost.len() >= MEANWHILE,
        "it was taken while they talked: {} {}",
        kept.len(),
        lost.len()
    );

    // Where bob was: somewhere in what is backed up, and at the end.
    let (mut within, mut ahead) = (None, None);
    let newest = lost.keys().map(|(_, seq)| *seq).max().expect("some");
    while ahead.is_none_or(|position: Position| position.seq < newest - 10) {
        let event = bob_hears.next().await.expect("it goes on");
        ahead = event.position().or(ahead);
        within = within.or(event.position().filter(|position| position.seq > last / 2));
    }
    let within = within.filter(|position| position.seq <= last).expect("a position in the backup");

    fs::copy(data.join("keys/master.key"), &safe).expect("a safe copy");
    up.signal("KILL");
    up.ended(LONG);
    drop((up, ada, bob, cy));
    fs::remove_dir_all(&data).expect("destroyed");

    let other = place.join("other.key");
    fs::write(&other, "5a".repeat(32)).expect("written");
    fs::set_permissions(&other, fs::Permissions::from_mode(0o600)).expect("closed");
    let refused = run(restore(&data, &folder, &other));
    assert_eq!(refused.code, Some(6), "{}", refused.stderr);
    assert!(refused.stderr.contains("is not the master key of the log in this backup"), "{}", refused.stderr);
    assert!(!data.exists(), "nothing was changed");

    let screen = Screen::start(&restore(&data, &folder, &safe), 120, 40);
    let text = screen.shows("ended with 0").await;
    assert!(text.contains("Restored ") && text.contains(" left"), "{text}");

    let mut up = Up::up(natter_up(&data));
    for position in [within, ahead.expect("a position")] {
        let (_bob, mut hears) = enters(&up, "bob", Some(position)).await;
        assert_eq!(first_reset(&mut hears).await, ResetReason::OtherLog);
    }
    let (ada, _hears) = enters(&up, "ada", None).await;
    let found = has_all(&ada, &[room, direct], kept.len()).await;
    assert_eq!(found, kept);
    let eve = Client::builder(&up.url).login(handle("eve"), PASSWORD).connect().await;
    assert!(eve.is_err(), "she registered after the backup");

    // They go on, behind the last event that there is.
    let (cy, _hears) = enters(&up, "cy", None).await;
    let next = cy.send(room, "still here").await.expect("sent");
    assert_eq!(next.seq, last + 1);
    let mut kept = kept;
    kept.insert((room, next.seq), "still here".to_owned());

    // The read models hold what the log says.
    let lasting = has_all(&ada, &[room, direct], kept.len()).await;
    assert_eq!(lasting, kept);
    drop((ada, cy));
    up.signal("INT");
    assert!(up.ended(LONG).success());
    // With the edit, the deletion, the reaction, the room and its members, of before.
    for arguments in [&["verify"][..], &["verify", "--event-log"], &["rebuild"]] {
        let mut command = natter();
        command.args(arguments).arg("--data").arg(&data);
        let ended = run(command);
        assert_eq!(ended.code, Some(0), "{arguments:?}: {}{}", ended.stdout, ended.stderr);
        assert!(!ended.stdout.contains("differed"), "{}", ended.stdout);
    }
    let up = Up::up(natter_up(&data));
    let (ada, _hears) = enters(&up, "ada", None).await;
    assert_eq!(has_all(&ada, &[room, direct], kept.len()).await, kept);
}

async fn has_all(
    client: &Client,
    conversations: &[ConversationId],
    count: usize,
) -> BTreeMap<(ConversationId, u64), String> {
    eventually("history has it", LONG, async || {
        let mut all = BTreeMap::new();
        for conversation in conversations {
            all.append(&mut has(client, *conversation).await);
        }
        if all.len() == count { Ok(all) } else { Err(all.len()) }
    })
    .await
}
