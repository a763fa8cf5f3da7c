//! Dead letters that are repaired: what can be read now is applied with what waited behind it, as if it had never been
//! otherwise, and what an operator passes over is not in the way any more.

use std::time::Duration;

use natter_events::{Event, Record, Sealed, Subject};
use natter_platform::Shutdown;
use natter_testkit::{Database, eventually};

use super::live::{LONG, World, config};
use super::paper::{Person, database};
use super::tables::{everything, execute, number, rows};
use crate::{Repaired, ReplayError, dead_letters, rebuild, repair, verify};

async fn repaired(world: &World, database: &Database, skip: &[u64]) -> Result<Repaired, ReplayError> {
    repair(&config(database), &world.log, &world.keys, skip).await
}

async fn seqs(database: &Database) -> Vec<(i64, Option<i64>)> {
    rows(database, "select seq, waits_for from dead_letters where stream = 'chat' order by seq").await
}

/// A message that opens with no key.
fn broken(mut record: Record) -> Record {
    if let Event::MessageSent(sent) = &mut record.event {
        sent.text = Sealed::from_bytes(vec![]);
    }
    record
}

/// The rows of a database in which nothing ever went wrong.
async fn flawless(world: &World, last: u64, decisions: &str) -> std::collections::BTreeMap<&'static str, Vec<String>> {
    let database = database().await;
    execute(&database, decisions).await;
    let projector = world.project(config(&database));
    projector.reaches(last).await;
    projector.stop().await;
    everything(&database).await
}

async fn verified(world: &World, database: &Database) {
    let shutdown = Shutdown::new(Duration::from_secs(1));
    let verifying = verify(config(database), world.log.clone(), world.keys.clone(), |_| {}, &shutdown);
    let compared = verifying.await.expect("verified");
    assert_eq!(compared.differing().count(), 0, "{compared:#?}");
}

#[tokio::test]
async fn d8_what_is_passed_over_is_on_record_and_its_conversation_goes_on_beside_a_projector() {
    let (world, database) = (World::new().await, database().await);
    let (ada, ben) = (world.person().await, world.person().await);
    let projector = world.project(config(&database));
    world.append(&ada.says(&[ben.uid], "before")).await;
    let first = world.append(&broken(ada.says(&[ben.uid], "broken"))).await;
    let edited = world.append(&ben.says(&[ada.uid], "between")).await;
    let second = world.append(&broken(ben.says(&[ada.uid], "broken, too"))).await;
    world.append(&ben.edits(&[ada.uid], edited, "in between")).await;
    world.append(&ada.reads(&[ben.uid], edited)).await;
    let last = world.append(&ada.says(&[ben.uid], "after")).await;
    projector.reaches(last).await;
    eventually("there is an alarm, and the rest goes on", LONG, async || match projector.status.check() {
        Ok(line) if line.contains("WITHOUT 2 malformed events and 4 behind them") => Ok(()),
        other => Err(other),
    })
    .await;
    let letters = dead_letters(&config(&database)).await.expect("listed");
    assert_eq!((letters[0].seq, letters[0].stream.as_str()), (first, "chat"));
    assert!(letters[0].reason.contains("does not open") && letters[0].waiting >= 3, "{letters:?}");

    // Nothing else is decided about than what is malformed.
    let error = repaired(&world, &database, &[last]).await.expect_err("one that only waits");
    assert!(matches!(error, ReplayError::NotMalformed { .. }), "{error}");
    let nothing = repaired(&world, &database, &[]).await.expect("retried");
    assert_eq!(nothing, Repaired::default(), "this program reads it as before");

    // Up to the next one.
    let one = repaired(&world, &database, &[first]).await.expect("repaired");
    assert_eq!((one.applied, one.skipped), (1, 1));
    assert_eq!(seqs(&database).await[0], (second.cast_signed(), None));
    let live = world.append(&ben.says(&[ada.uid], "while it waits")).await;
    let skip = [second];
    let (two, ()) = tokio::join!(repaired(&world, &database, &skip), projector.reaches(live));
    let two = two.expect("repaired");
    assert!(two.applied >= 3, "{two:?}");
    // What came while it was folded, if anything did, waits no more either.
    assert_eq!(seqs(&database).await, []);
    let last = world.append(&ben.says(&[ada.uid], "and on")).await;
    projector.reaches(last).await;
    projector.stop().await;

    let decisions = format!("insert into skipped_events (seq) values ({first}), ({second})");
    assert_eq!(everything(&database).await, flawless(&world, last, &decisions).await);
    verified(&world, &database).await;
    // A rebuild honours it, and carries it over.
    let shutdown = Shutdown::new(Duration::from_secs(1));
    let rebuilding = rebuild(config(&database), world.log.clone(), world.keys.clone(), |_| {}, &shutdown);
    rebuilding.await.expect("rebuilt");
    assert_eq!(number(&database, "select count(*) from dead_letters").await, 0);
    assert_eq!(number(&database, "select count(*) from skipped_events").await, 2);
    assert_eq!(number(&database, "select count(*) from messages").await, 5);
}

#[tokio::test]
async fn d8_what_can_be_read_now_is_applied_in_order_as_if_it_had_been_from_the_first() {
    let (world, database) = (World::new().await, database().await);
    let (ada, ben, eve) = (world.person().await, world.person().await, world.person().await);
    // As a reader that does not know something yet.
    execute(&database, "alter table messages add constraint whim check (text <> 'refused')").await;
    let projector = world.project(config(&database));
    let refused = world.append(&ada.says(&[ben.uid], "refused")).await;
    world.append(&ben.reacts(&[ada.uid], refused, "👍")).await;
    world.append(&ada.says(&[eve.uid], "elsewhere")).await;
    world.append(&ben.edits(&[ada.uid], refused, "not mine")).await;
    let last = world.append(&ada.edits(&[ben.uid], refused, "edited")).await;
    projector.reaches(last).await;
    assert_eq!(seqs(&database).await.len(), 4);

    assert_eq!(repaired(&world, &database, &[]).await.expect("retried").applied, 0);
    assert_eq!(seqs(&database).await.len(), 4, "they are as they were");
    execute(&database, "alter table messages drop constraint whim").await;
    assert_eq!(repaired(&world, &database, &[]).await.expect("retried").applied, 4);
    let line = eventually("the alarm ends", LONG, async || match projector.status.check() {
        Ok(line) if !line.contains("WITHOUT") => Ok(line),
        other => Err(other),
    })
    .await;
    assert!(line.contains("active at"), "{line}");
    projector.stop().await;
    assert_eq!(everything(&database).await, flawless(&world, last, "select 1").await);
    verified(&world, &database).await;
}

#[tokio::test]
async fn d8_an_event_that_held_nothing_is_passed_over_or_put_in_its_place_by_a_rebuild() {
    let (world, database) = (World::new().await, database().await);
    let ada = Person::new();
    let projector = world.project(config(&database));
    // Read with another key than the one that it was sealed with: what came after it is applied.
    let other = Person { key: natter_events::ContentKey::random(), ..ada.clone() };
    world.keys.create(ada.uid, ada.key_id, &ada.key).await.expect("a key");
    let damaged =
        world.append_bytes(&Subject::Account(ada.uid).to_string(), bytes::Bytes::from_static(b"damaged")).await;
    let sealed = world.append(&other.registered("ada", 1)).await;
    let last = world.append(&ada.registered("ada", 1)).await;
    projector.reaches(last).await;
    assert_eq!(number(&database, "select count(*) from users where handle = 'ada'").await, 1);
    assert_eq!(seqs(&database).await, [(damaged.cast_signed(), None), (sealed.cast_signed(), None)]);
    assert_eq!(repaired(&world, &database, &[]).await.expect("retried"), Repaired::default());
    assert_eq!(repaired(&world, &database, &[damaged]).await.expect("repaired").skipped, 1);
    assert_eq!(seqs(&database).await, [(sealed.cast_signed(), None)]);
    verified(&world, &database).await;
    projector.stop().await;

    // As if it could be read now.
    execute(&database, "insert into dead_letters select stream, 3, at, subject, conversation, reason, waits_for, payload from dead_letters").await;
    let retried = repaired(&world, &database, &[]).await.expect("retried");
    assert_eq!(retried.for_a_rebuild, [last]);
}
