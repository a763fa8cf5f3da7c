//! Whatever is killed or cut when, nothing is applied twice or skipped.

use std::pin::{Pin, pin};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use natter_log::Stream;
use natter_platform::Shutdown;
use natter_testkit::{Proxy, eventually};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use super::live::{LONG, Projecting, World, config, projected_seq};
use super::paper::{Person, database};
use super::tables::{everything, execute, number};
use crate::{Config, Role, Status};

async fn people(world: &World) -> Vec<Person> {
    futures::future::join_all((0..4).map(|_| world.person())).await
}

/// What one projector that nothing happens to makes of the log.
async fn undisturbed(world: &World, last: u64) -> natter_testkit::Database {
    let database = database().await;
    let projector = world.project(config(&database));
    projector.reaches(last).await;
    projector.stop().await;
    database
}

/// Ends a future after it was polled so many times, wherever it then is.
pub struct Killed<F> {
    pub inner: Pin<Box<F>>,
    pub polls_left: u32,
}

impl<F: Future> Future for Killed<F> {
    type Output = Option<F::Output>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        if self.polls_left == 0 {
            return Poll::Ready(None);
        }
        self.polls_left -= 1;
        self.inner.as_mut().poll(cx).map(Some)
    }
}

#[tokio::test]
async fn d8_killed_at_any_point_nothing_is_applied_twice_or_skipped() {
    let (world, database) = (World::new().await, database().await);
    let people = people(&world).await;
    world.append(&people[0].registered("ada", 0)).await;
    let mut last = world.chatter(&people, 400).await;

    let mut rng = StdRng::seed_from_u64(11);
    let begun = Instant::now();
    let mut lives = 0;
    loop {
        let projected = projected_seq(&database).await;
        assert!(begun.elapsed() < LONG * 3, "at {projected} of {last} after {lives} lives");
        match (projected < last, lives < 20) {
            (true, _) => {}
            (false, true) => last = world.chatter(&people, 100).await,
            (false, false) => break,
        }
        let config = Config { max_batch_events: rng.random_range(1..9), ..config(&database) };
        let config = Config { standby_poll: Duration::from_millis(1), ..config };
        let (status, shutdown) = (Status::default(), Shutdown::new(Duration::from_secs(1)));
        let run = crate::run(config, world.log.clone(), world.keys.clone(), status.clone(), shutdown);
        let killed = Killed { inner: Box::pin(run), polls_left: rng.random_range(10..120) };
        let done = eventually("all is projected", LONG, async || status.of(Stream::Chat).seq >= last);
        tokio::select! {
            ended = killed => assert!(ended.is_none(), "it ended by itself: {ended:?}"),
            () = done => {}
        }
        lives += 1;
    }
    assert_eq!(everything(&database).await, everything(&undisturbed(&world, last).await).await);
}

#[tokio::test]
async fn d8_the_log_projected_again_from_zero_gives_the_same_rows() {
    let world = World::new().await;
    let last = world.chatter(&people(&world).await, 200).await;
    let (first, second) = (undisturbed(&world, last).await, undisturbed(&world, last).await);
    assert_eq!(everything(&first).await, everything(&second).await);
}

#[tokio::test]
async fn d8_a_standby_takes_over_within_two_seconds_and_goes_on_where_the_other_ended() {
    let (world, database) = (World::new().await, database().await);
    let people = people(&world).await;
    // As deployed: nothing is shortened.
    let projectors: Vec<Projecting> = (0..3).map(|_| world.project(Config::new(database.url()))).collect();
    let mut last = world.chatter(&people, 50).await;
    let mut alive = projectors;
    while !alive.is_empty() {
        let one_is = async |role: Role| {
            eventually("they have found their roles", LONG, async || {
                let roles: Vec<Role> = alive.iter().map(|one| one.status.of(Stream::Chat).role).collect();
                let active = roles.iter().filter(|role| **role == Role::Active).count();
                assert!(active <= 1, "{roles:?}");
                let settled = roles.iter().all(|role| matches!(role, Role::Active | Role::Standby));
                if settled && active == 1 { Ok(roles.iter().position(|one| *one == role)) } else { Err(roles) }
            })
            .await
        };
        let active = one_is(Role::Active).await.expect("one is active");
        alive[active].reaches(last).await;
        // Dropped: killed without a word.
        drop(alive.remove(active));
        let died = Instant::now();
        last = world.chatter(&people, 5).await;
        if alive.is_empty() {
            break;
        }
        eventually("another one has taken over", LONG, async || match projected_seq(&database).await {
            seq if seq >= last => Ok(()),
            seq => Err(format!("{seq} of {last}")),
        })
        .await;
        assert!(died.elapsed() < Duration::from_secs(2), "taking over took {:?}", died.elapsed());
    }
    let projector = world.project(config(&database));
    projector.reaches(last).await;
    projector.stop().await;
    assert_eq!(everything(&database).await, everything(&undisturbed(&world, last).await).await);
}

#[tokio::test]
async fn d8_without_postgresql_the_projector_waits_and_skips_nothing() {
    let (world, database) = (World::new().await, database().await);
    let people = people(&world).await;
    let proxy = Proxy::to_socket(database.socket()).await;
    let config = Config { database_url: database.url_through(&proxy.address()), ..config(&database) };
    let projector = world.project(config);
    let before = world.chatter(&people, 20).await;
    projector.reaches(before).await;

    proxy.refuse();
    proxy.cut();
    let during = world.chatter(&people, 20).await;
    let why = eventually("it is not ready", LONG, async || projector.status.check().map_or_else(Ok, Err)).await;
    assert!(why.contains("waiting: PostgreSQL can't be"), "{why}");
    assert_eq!(projected_seq(&database).await, before);

    proxy.heal();
    projector.reaches(during).await;
    for _ in 0..10 {
        proxy.cut();
        world.chatter(&people, 3).await;
    }
    let last = world.chatter(&people, 10).await;
    projector.reaches(last).await;
    projector.stop().await;
    assert_eq!(everything(&database).await, everything(&undisturbed(&world, last).await).await);
}

#[tokio::test]
async fn d8_over_restarts_of_the_broker_the_projector_goes_on() {
    let (world, database) = (World::new().await, database().await);
    let people = people(&world).await;
    let projector = world.project(config(&database));
    let mut last = world.chatter(&people, 20).await;
    projector.reaches(last).await;
    for _ in 0..2 {
        world.broker.kill().await;
        world.broker.restart().await;
        eventually("the log can be written again", LONG, async || {
            world.log.status().borrow().is_connected() && world.log.round_trip().await.is_ok()
        })
        .await;
        last = world.chatter(&people, 20).await;
        projector.reaches(last).await;
    }
    assert_eq!(last, 60);
    projector.stop().await;
    assert_eq!(everything(&database).await, everything(&undisturbed(&world, last).await).await);
}

#[tokio::test]
async fn d8_a_frozen_projector_loses_its_turn() {
    let (world, database) = (World::new().await, database().await);
    let people = people(&world).await;
    let proxy = Proxy::to_socket(database.socket()).await;
    let frozen_config = Config {
        database_url: database.url_through(&proxy.address()),
        session_timeout: Duration::from_millis(1_500),
        ..config(&database)
    };
    let frozen = world.project(frozen_config);
    let before = world.chatter(&people, 5).await;
    frozen.reaches(before).await;
    let standby = world.project(config(&database));
    eventually("it stands by", LONG, async || standby.status.of(Stream::Chat).role == Role::Standby).await;

    // Nothing of it arrives any more, and its connections stay open.
    proxy.blackhole(natter_testkit::Direction::Up);
    let after = world.chatter(&people, 5).await;
    standby.reaches(after).await;
    proxy.heal();
    eventually("it stands by in turn", LONG, async || match frozen.status.of(Stream::Chat).role {
        Role::Standby => Ok(()),
        role => Err(role),
    })
    .await;
    assert_eq!(number(&database, "select count(*) from messages").await, 8);
}

#[tokio::test]
async fn a_stop_is_answered_at_once_whatever_the_projector_does() {
    let (world, database) = (World::new().await, database().await);
    let stopped = async |projector: Projecting| {
        let begun = Instant::now();
        projector.stop().await;
        assert!(begun.elapsed() < Duration::from_secs(2), "{:?}", begun.elapsed());
    };
    let active = world.project(config(&database));
    eventually("it is active", LONG, async || active.status.of(Stream::Chat).role == Role::Active).await;
    let standby = world.project(config(&database));
    eventually("it stands by", LONG, async || standby.status.of(Stream::Chat).role == Role::Standby).await;
    stopped(standby).await;
    stopped(active).await;
    let waiting = world.project(Config::new("postgres://nobody@127.0.0.1:1/none"));
    eventually("it waits", LONG, async || matches!(waiting.status.of(Stream::Chat).role, Role::Waiting { .. })).await;
    stopped(waiting).await;
    let mut begun = pin!(world.project(config(&database)).ends());
    assert!(futures::poll!(&mut begun).is_pending());
}

#[tokio::test]
async fn d8_someone_who_moves_the_position_makes_the_projector_begin_again_from_it() {
    let (world, database) = (World::new().await, database().await);
    let people = people(&world).await;
    let projector = world.project(config(&database));
    let last = world.chatter(&people, 20).await;
    projector.reaches(last).await;
    // As a second projector without the lock would: everything before is taken back, and the position with it.
    execute(
        &database,
        "begin; truncate messages, conversations, participants, commands, changes, days; \
         update projector set seq = 0, tag = 0, event_at = null where name = 'chat'; commit",
    )
    .await;
    let last = world.chatter(&people, 5).await;
    eventually("all is there again", LONG, async || match projected_seq(&database).await {
        seq if seq >= last => Ok(()),
        seq => Err(seq),
    })
    .await;
    projector.stop().await;
    assert_eq!(everything(&database).await, everything(&undisturbed(&world, last).await).await);
}
