//! `natter verify`: what is the same is said to be, and what is not is found, row by row.

use std::time::Duration;

use natter_platform::Shutdown;

use super::rebuild::{Lived, schemas, small};
use super::tables::{everything, execute, number};
use crate::shadow::Shadow;
use crate::{Comparison, ReplayError, Step, verify};

impl Lived {
    async fn verify(&self) -> Result<Comparison, ReplayError> {
        let shutdown = Shutdown::new(Duration::from_secs(1));
        let (log, keys) = (self.world.log.clone(), self.world.keys.clone());
        verify(small(&self.database), log, keys, |_| {}, &shutdown).await
    }

    /// What is said to differ after these statements.
    async fn after(&self, statements: &str) -> Vec<String> {
        execute(&self.database, statements).await;
        let compared = self.verify().await.expect("verified");
        let differing = compared.differing();
        differing.flat_map(|table| table.differences.iter().map(move |one| format!("{}: {one}", table.table))).collect()
    }
}

#[tokio::test]
async fn d9_every_table_that_is_made_from_chat_is_compared_while_a_projector_goes_on() {
    let lived = Lived::new().await;
    let projector = lived.world.project(small(&lived.database));
    projector.reaches(lived.last).await;
    let person = lived.world.person().await;
    let (verified, last) = tokio::join!(lived.verify(), lived.world.chatter(std::slice::from_ref(&person), 200));
    let compared = verified.expect("verified");
    assert!(compared.seq >= lived.last, "{}", compared.seq);
    assert_eq!(compared.differing().count(), 0, "{compared:#?}");
    let tables: Vec<&str> = compared.tables.iter().map(|table| table.table.as_str()).collect();
    let live = everything(&lived.database).await;
    let derived: Vec<&str> = live.keys().copied().filter(|name| !["changes_kept", "presence"].contains(name)).collect();
    assert_eq!(tables, derived);
    for table in &compared.tables {
        assert!(table.live.rows > 0, "nothing is in {}, so nothing is compared", table.table);
    }
    projector.reaches(last).await;
    assert_eq!(schemas(&lived.database).await, ["public"]);
}

#[tokio::test]
async fn d9_whatever_differs_is_told_by_key_and_column_and_never_what_was_written() {
    let lived = Lived::new().await;
    assert_eq!(lived.after("select 1").await, [""; 0]);
    let message = number(&lived.database, "select max(seq) from messages").await;
    let told = lived.after(&format!("update messages set text = 'a secret', ordinal = 99 where seq = {message}")).await;
    assert_eq!(told.len(), 1);
    assert!(told[0].contains(&format!("seq={message}: ordinal is 99, replayed ")), "{told:?}");
    assert!(told[0].contains("text is a text of 8 bytes, replayed a text of"), "{told:?}");
    assert!(!told[0].contains("secret") && !told[0].contains("message 1"), "{told:?}");
    let told = lived.after(&format!("delete from messages where seq = {message}")).await;
    assert!(told[0].starts_with("messages: ") && told[0].ends_with("is missing"), "{told:?}");
    lived.rebuild(small(&lived.database)).await.expect("rebuilt");
    assert_eq!(lived.after("select 1").await, [""; 0]);

    // One of every kind of table: without a key, with a text for a key, of one row for each stream.
    for (statements, table) in [
        ("insert into revocations select * from revocations limit 1", "revocations: uid="),
        ("update reactions set since = since + 1 where uid = (select uid from reactions limit 1)", "reactions: "),
        ("update projector set tag = tag + 1 where name = 'chat'", "projector: name=chat: tag is "),
        ("update dead_letters set reason = 'a whim' where stream = 'chat'", "dead_letters: stream=chat, seq="),
        ("update days set first_seq = 0", "days: day="),
        ("insert into bans values (gen_random_uuid(), gen_random_uuid())", "bans: conversation="),
    ] {
        if table.starts_with("projector") {
            // The position names another event than the log has there, which is told before anything is compared.
            execute(&lived.database, statements).await;
            let error = lived.verify().await.expect_err("another event").to_string();
            assert!(error.contains("another one than it was"), "{error}");
            execute(&lived.database, "update projector set tag = tag - 1 where name = 'chat'").await;
            continue;
        }
        let told = lived.after(statements).await;
        assert!(!told.is_empty() && told.iter().all(|one| one.starts_with(table)), "{table}: {told:?}");
        assert!(told.iter().all(|one| !one.contains('👍') && !one.contains('🎈')), "{told:?}");
        lived.rebuild(small(&lived.database)).await.expect("rebuilt");
    }
    // What is not made from CHAT is as it is.
    assert_eq!(lived.after("update presence set last_seen = now()").await, [""; 0]);
}

#[tokio::test]
async fn verify_changes_nothing_and_leaves_nothing_when_it_is_stopped_or_dies() {
    let lived = Lived::new().await;
    let live = everything(&lived.database).await;
    let shutdown = Shutdown::new(Duration::from_secs(1));
    let stop = shutdown.clone();
    let show = |step| {
        if matches!(step, Step::Comparing { .. }) {
            stop.request();
        }
    };
    let (log, keys) = (lived.world.log.clone(), lived.world.keys.clone());
    // Every look at the rows gives the stop a chance.
    let stopped = verify(small(&lived.database), log, keys, show, &shutdown).await;
    assert!(matches!(stopped, Err(ReplayError::Stopped)), "{stopped:?}");
    assert_eq!(schemas(&lived.database).await, ["public"]);

    // As one that was killed leaves it.
    execute(&lived.database, "create schema natter_shadow_public; create table natter_shadow_public.users (x int)")
        .await;
    execute(&lived.database, "create schema natter_old_public; create table natter_old_public.users (x int)").await;
    let compared = lived.verify().await.expect("verified");
    assert_eq!(compared.differing().count(), 0);
    assert_eq!(schemas(&lived.database).await, ["public"]);
    assert_eq!(everything(&lived.database).await, live);
}

#[tokio::test]
async fn one_works_on_a_database_at_a_time() {
    let lived = Lived::new().await;
    let other = Shadow::lock(&small(&lived.database)).await.expect("nobody is at work");
    let error = lived.verify().await.expect_err("another is");
    assert!(matches!(error, ReplayError::Busy), "{error}");
    drop(other);
    lived.verify().await.expect("as soon as that one is gone");
}

#[tokio::test]
async fn without_a_position_or_with_a_later_schema_nothing_is_compared() {
    let lived = Lived::new().await;
    execute(&lived.database, "insert into _sqlx_migrations values (999, 'later', now(), true, '\\x00', 0)").await;
    let error = lived.verify().await.expect_err("a later schema").to_string();
    assert!(error.contains("later than the"), "{error}");
    execute(&lived.database, "delete from _sqlx_migrations where version = 999; truncate projector").await;
    let error = lived.verify().await.expect_err("no position");
    assert!(matches!(error, ReplayError::NoPosition), "{error}");
    let shutdown = Shutdown::new(Duration::from_secs(1));
    let nowhere = crate::Config::new("postgres://nobody@127.0.0.1:1/none");
    let error = verify(nowhere, lived.world.log.clone(), lived.world.keys.clone(), |_| {}, &shutdown).await;
    assert!(matches!(error, Err(ReplayError::Interrupted(_))), "{error:?}");
}
