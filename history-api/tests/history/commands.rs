//! `/history/commands/{id}`: what idempotency for ever is decided by.

use natter_events::ClientId;
use natter_protocol::ErrorCode;
use natter_protocol::history::StoredCommand;
use uuid::Uuid;

use crate::log::{Words, at_ms, direct};
use crate::world::World;

#[tokio::test]
async fn cmd2_a_stored_command_is_found_by_its_id_with_what_a_repeat_is_compared_with() {
    let world = World::new().await;
    let (ada, bob) = (world.person("ada").await, world.person("bob").await);
    let words = Words::from("once");
    let id = words.id;
    let seq = world.say(&[&ada, &bob], words).await;
    let stored: StoredCommand = world.get(&ada, &format!("/history/commands/{id}")).await.ok();
    assert_eq!((stored.seq, stored.conversation, stored.at.0), (seq, Some(direct(&[&ada, &bob])), at_ms(seq)));
    assert_eq!(stored.fingerprint.as_deref(), Some("000102030405060708090a0b0c0d0e0f"));
    assert_eq!(stored.position, world.position(seq));
}

#[tokio::test]
async fn cmd2_a_command_of_someone_else_is_answered_as_one_that_does_not_exist() {
    let world = World::new().await;
    let (ada, bob) = (world.person("ada").await, world.person("bob").await);
    let words = Words::from("ada's");
    let id = words.id;
    world.say(&[&ada, &bob], words).await;
    let theirs = world.get(&bob, &format!("/history/commands/{id}")).await;
    let absent = world.get(&bob, &format!("/history/commands/{}", ClientId::at(1))).await;
    theirs.is_problem(404, ErrorCode::NotFound);
    assert_eq!(theirs.body, absent.body);
}

#[tokio::test]
async fn cmd2_that_an_id_is_free_is_said_only_at_the_position_that_was_asked_for() {
    let world = World::with(|config| config.position_timeout = std::time::Duration::from_millis(50)).await;
    let (ada, bob) = (world.person("ada").await, world.person("bob").await);
    let words = Words::from("late");
    let path = format!("/history/commands/{}", words.id);
    let seq = world.next();
    let at = world.position(seq).to_string();
    world.get_at(&ada, &path, &at).await.is_problem(503, ErrorCode::Unavailable);
    world.write_message(&[&ada, &bob], words, seq).await;
    world.advance_to(seq).await;
    let stored: StoredCommand = world.get_at(&ada, &path, &at).await.ok();
    assert_eq!(stored.seq, seq);
}

#[tokio::test]
async fn cmd2_what_is_no_client_id_is_refused_and_not_called_free() {
    let world = World::new().await;
    let ada = world.person("ada").await;
    let simple = Uuid::now_v7().simple().to_string();
    for id in ["x", "0", simple.as_str(), "%00", &"a".repeat(4_000)] {
        world.get(&ada, &format!("/history/commands/{id}")).await.is_problem(400, ErrorCode::Invalid);
    }
}
