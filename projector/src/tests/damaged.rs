//! The broker's files are damaged while it is down (ADR 10): the projector stands before the hole until somebody accepts it.

use natter_log::{Acceptance, Log, Settings, Stream};
use natter_testkit::{Database, eventually};

use super::live::{LONG, World, config, projected_seq};
use super::paper::database;
use super::tables::number;
use crate::{Config, ReplayError, Role};

async fn messages(database: &Database) -> i64 {
    number(database, "select count(*) from messages").await
}

/// The broker is ended in order, damaged and started again. Whoever asked it meanwhile asks again.
async fn damaged(world: &mut World, damage: impl FnOnce(&natter_testkit::Blocks)) {
    world.broker.stop().await;
    damage(&world.broker.blocks("CHAT"));
    world.broker.restart().await;
    let settings = Settings { servers: vec![world.broker.url().to_owned()], ..Settings::default() };
    world.log = Log::connect(settings).await.expect("the log");
}

async fn accept(world: &World, first: u64, last: u64) {
    let (by, reason) = ("ann".to_owned(), "a disk failed".to_owned());
    world.log.accept_hole(Acceptance { first, last, by, reason, at_ms: 0 }).await.expect("accepted");
}

#[tokio::test]
async fn d8_the_projector_stands_before_a_hole_says_so_and_goes_on_by_itself_when_it_is_accepted() {
    let (mut world, database) = (World::new().await, database().await);
    let person = world.person().await;
    for n in 0..10 {
        world.append(&person.says(&[person.uid], &format!("message {n}"))).await;
    }
    damaged(&mut world, |blocks| blocks.flip_payload(4)).await;
    let projector = world.project(config(&database));
    let reason = eventually("it says what is lost", LONG, async || match projector.status.of(Stream::Chat).role {
        Role::Waiting { reason } => Ok(reason),
        other => Err(other),
    })
    .await;
    for part in ["nothing after a hole", "no event 4; the next is 5", "natter repair hole"] {
        assert!(reason.contains(part), "{part}: {reason}");
    }
    assert_eq!((projected_seq(&database).await, messages(&database).await), (3, 3), "nothing beyond it");
    accept(&world, 4, 4).await;
    projector.reaches(10).await;
    assert_eq!(messages(&database).await, 9);
    projector.stop().await;
}

/// What stood at the position can't be compared any more. That is no other log.
#[tokio::test]
async fn d14_a_position_in_a_hole_waits_for_its_acceptance_and_is_good_then() {
    let (mut world, database) = (World::new().await, database().await);
    let person = world.person().await;
    let says = async |world: &World, n| world.append(&person.says(&[person.uid], &format!("message {n}"))).await;
    for n in 0..10 {
        says(&world, n).await;
    }
    let projector = world.project(config(&database));
    projector.reaches(10).await;
    projector.stop().await;
    damaged(&mut world, |blocks| blocks.cut(8)).await;
    let projector = world.project(config(&database));
    eventually("it says what is lost", LONG, async || match projector.status.of(Stream::Chat).role {
        Role::Waiting { reason } if reason.contains("no event 10") => Ok(()),
        other => Err(other),
    })
    .await;
    accept(&world, 8, 10).await;
    let last = says(&world, 11).await;
    assert_eq!(last, 11, "the broker gives no sequence away twice here");
    projector.reaches(last).await;
    assert_eq!(messages(&database).await, 11, "what was projected before the damage stays");
    projector.stop().await;
}

#[tokio::test]
async fn d9_a_rebuild_names_the_hole_and_passes_over_an_accepted_one_at_the_end_too() {
    let (mut world, database) = (World::new().await, database().await);
    let person = world.person().await;
    for n in 0..10 {
        world.append(&person.says(&[person.uid], &format!("message {n}"))).await;
    }
    damaged(&mut world, |blocks| blocks.cut(8)).await;
    let rebuild = async |world: &World, config: Config| {
        let shutdown = natter_platform::Shutdown::new(LONG);
        crate::rebuild(config, world.log.clone(), world.keys.clone(), |_| {}, &shutdown).await
    };
    let keys = natter_log::KeyRing::new(world.log.bucket(natter_log::Bucket::Keys), world.master.clone(), 1_000);
    world.keys = keys;
    let error = rebuild(&world, config(&database)).await.expect_err("a hole");
    assert!(matches!(error, ReplayError::Projector(crate::Error::Hole(_))), "{error:?}");
    let text = natter_platform::error::chain(&error);
    assert!(text.contains("no event 8; the next is 11") && text.contains("natter repair hole"), "{text}");
    accept(&world, 8, 10).await;
    assert_eq!(rebuild(&world, config(&database)).await.expect("rebuilt").events, 7);
    assert_eq!(messages(&database).await, 7);
}
