//! Logs that are not the one that the read models were made from (D14).

use natter_log::{Epoch, Stream};
use natter_testkit::eventually;

use super::live::{LONG, World, config, projected_seq};
use super::paper::database;
use super::tables::{execute, number};
use crate::Error;

#[tokio::test]
async fn d14_a_log_with_another_event_at_the_position_stops_the_projector() {
    let (world, other, database) = (World::new().await, World::new().await, database().await);
    let person = world.person().await;
    let last = world.chatter(&[person], 5).await;
    let projector = world.project(config(&database));
    projector.reaches(last).await;
    projector.stop().await;

    let stranger = other.person().await;
    other.chatter(&[stranger], 9).await;
    let error = other.project(config(&database)).ends().await.expect_err("another log");
    assert!(matches!(error, Error::OtherLog { .. }), "{error}");
    for part in ["event 5 is another one", "stop the projector", "natter migrate"] {
        assert!(error.to_string().contains(part), "{error}");
    }
    assert_eq!(number(&database, "select count(*) from messages").await, 4, "nothing of it was applied");
}

#[tokio::test]
async fn d14_a_log_that_ends_before_the_position_stops_the_projector() {
    let (world, other, database) = (World::new().await, World::new().await, database().await);
    let person = world.person().await;
    let last = world.chatter(&[person], 5).await;
    let projector = world.project(config(&database));
    projector.reaches(last).await;
    projector.stop().await;
    let error = other.project(config(&database)).ends().await.expect_err("an empty log");
    assert!(error.to_string().contains("it ends before event 5"), "{error}");
}

#[tokio::test]
async fn d14_a_log_that_becomes_another_one_under_a_running_projector_stops_it() {
    let (world, database) = (World::new().await, database().await);
    let person = world.person().await;
    let projector = world.project(config(&database));
    let last = world.chatter(&[person], 5).await;
    projector.reaches(last).await;
    // The broker comes back without what it had, as from an older disk.
    world.broker.stop().await;
    let store = world.broker.store_dir();
    std::fs::remove_dir_all(store).expect("the files are removed");
    world.broker.restart().await;
    eventually("the streams are there again", LONG, async || world.log.declare().await).await;
    let error = projector.ends().await.expect_err("another log");
    assert!(matches!(error, Error::OtherLog { .. }), "{error}");
}

#[tokio::test]
async fn d14_a_new_epoch_of_the_same_past_is_taken_over() {
    let (world, database) = (World::new().await, database().await);
    let person = world.person().await;
    let projector = world.project(config(&database));
    let last = world.chatter(std::slice::from_ref(&person), 5).await;
    projector.reaches(last).await;
    let before = world.log.epoch().await.expect("an epoch");
    let epoch_in_database =
        async || Epoch(number(&database, "select epoch from projector where name = 'chat'").await.cast_unsigned());
    assert_eq!(epoch_in_database().await, before);
    let after = world.log.renew_epoch(before).await.expect("a new epoch");
    eventually("the new epoch is in the database", LONG, async || match epoch_in_database().await {
        epoch if epoch == after => Ok(()),
        epoch => Err(epoch),
    })
    .await;
    let last = world.chatter(&[person], 5).await;
    projector.reaches(last).await;
    assert_eq!(projected_seq(&database).await, last);
}

#[tokio::test]
async fn d7_a_presence_stream_that_lost_its_end_is_read_again_from_its_beginning() {
    let (world, database) = (World::new().await, database().await);
    let person = world.person().await;
    let received = |seq| natter_events::Record::new(person.uid, natter_events::ReceivedUpTo { seq });
    let last = world.append(&received(7)).await;
    // As if more had been read than the stream now has.
    let epoch = world.log.epoch().await.expect("an epoch").0.cast_signed();
    execute(
        &database,
        &format!("insert into projector (name, epoch, seq, tag) values ('presence', {epoch}, {}, 3)", last + 100),
    )
    .await;
    let projector = world.project(config(&database));
    eventually("it is read again", LONG, async || {
        match number(&database, "select coalesce(max(received_seq), 0) from presence").await {
            7 => Ok(()),
            other => Err(format!("{other}, {}", projector.status.of(Stream::Presence))),
        }
    })
    .await;
    assert_eq!(number(&database, "select seq from projector where name = 'presence'").await.cast_unsigned(), last);
}
