//! The broker's files are damaged while it is down. It says nothing of that (ADR 10); the log does.

use std::time::Duration;

use natter_log::{
    AcceptError, Acceptance, Append, AppendError, FollowError, Hole, Log, Lost, Place, ReadError, ReadOnlyError,
    ReadOnlyLog, Stored, Stream,
};
use natter_testkit::{Blocks, Broker, eventually};

use crate::support::*;

/// Three blocks of the broker's 8 MB.
const EVENTS: usize = 300;
const PAYLOAD_BYTES: usize = 80_000;

/// A log of three blocks.
struct World {
    broker: Broker,
    log: Log,
    spans: Vec<(u64, u64)>,
    events: Vec<Stored>,
}

impl World {
    async fn new() -> Self {
        let broker = Broker::start().await;
        let log = log_on(&broker).await;
        let append = |n: usize| Append { payload: vec![b'x'; PAYLOAD_BYTES].into(), ..message(&format!("a{n}")) };
        let pending: Vec<_> = (0..EVENTS).map(|n| log.append(append(n))).collect();
        for pending in pending {
            pending.await.expect("stored");
        }
        let events = read_all(&log).await;
        Self { broker, log, spans: Vec::new(), events }
    }

    /// The broker is ended in order, its files are damaged, and it is started again.
    async fn damaged(damage: impl FnOnce(&Blocks)) -> Self {
        Self::new().await.after_damage(damage).await
    }

    async fn after_damage(mut self, damage: impl FnOnce(&Blocks)) -> Self {
        self.broker.stop().await;
        let blocks = self.broker.blocks("CHAT");
        self.spans = blocks.spans();
        assert_eq!(self.spans.len(), 3, "{:?}", self.spans);
        damage(&blocks);
        self.broker.restart().await;
        self.log = log_on(&self.broker).await;
        self
    }

    fn tag(&self, seq: u64) -> natter_log::Tag {
        self.events[usize::try_from(seq).expect("small") - 1].tag()
    }

    async fn accept(&self, first: u64, last: u64) -> Result<Hole, AcceptError> {
        let (by, reason) = ("ann".to_owned(), "a disk failed".to_owned());
        self.log.accept_hole(Acceptance { first, last, by, reason, at_ms: 1_790_000_000_000 }).await
    }

    /// Everything after a position, read in every way there is; the seqs, or why not.
    async fn read(&self, after: u64) -> Result<Vec<u64>, FollowError> {
        let last = self.log.state(Stream::Chat).await.expect("the state").last_seq;
        let followed = self.followed(after, last).await;
        let read_only = ReadOnlyLog::connect(&settings(&self.broker.analytics_url())).await.expect("analytics");
        let (mut ranged, mut asked) = (Ok(Vec::new()), Ok(Vec::new()));
        let mut at = after;
        while at < last && ranged.is_ok() {
            match self.log.range(Stream::Chat, at, 500, 4 << 20).await {
                Ok(events) if events.is_empty() => break,
                Ok(events) => at = taken(&mut ranged, &events),
                Err(ReadError::Hole { expected, found }) => ranged = Err(FollowError::Hole { expected, found }),
                Err(error) => panic!("{error}"),
            }
        }
        let mut place = Place { seq: after, tag: None };
        while place.seq < last && asked.is_ok() {
            match read_only.after(Stream::Chat, place, 500, 4 << 20).await {
                Ok(events) if events.is_empty() => break,
                Ok(events) => place = Place { seq: taken(&mut asked, &events), tag: events.last().map(Stored::tag) },
                Err(ReadOnlyError::Ended(error)) => asked = Err(error),
                Err(error) => panic!("{error}"),
            }
        }
        assert_eq!(ranged, asked, "analytics and services read the same");
        // What can't be known by asking for what comes next: that the log ends in a hole.
        if !matches!(followed, Err(FollowError::Hole { found, .. }) if found > last) {
            assert_eq!(followed, ranged, "the follower gives the same");
        }
        followed
    }

    async fn followed(&self, after: u64, last: u64) -> Result<Vec<u64>, FollowError> {
        let mut follower = self.log.follow(Stream::Chat, after);
        let mut seqs = Vec::new();
        while follower.position() < last {
            match tokio::time::timeout(SOON, follower.next_batch(100)).await.expect("in time") {
                Ok(events) => seqs.extend(events.iter().map(|event| event.seq)),
                Err(error) => return Err(error),
            }
        }
        Ok(seqs)
    }
}

fn taken(seqs: &mut Result<Vec<u64>, FollowError>, events: &[Stored]) -> u64 {
    if let Ok(seqs) = seqs {
        seqs.extend(events.iter().map(|event| event.seq));
    }
    events.last().expect("not empty").seq
}

fn all_but(first: u64, last: u64) -> Vec<u64> {
    (1..=EVENTS as u64).filter(|seq| !(first..=last).contains(seq)).collect()
}

#[tokio::test]
async fn evt1_a_flipped_byte_is_a_hole_of_one_event_until_it_is_accepted() {
    for seq in [50, 299] {
        let world = World::damaged(|blocks| blocks.flip_payload(seq)).await;
        let hole = FollowError::Hole { expected: seq, found: seq + 1 };
        assert_eq!(world.read(0).await, Err(hole.clone()));
        assert!(hole.to_string().contains("natter repair hole"), "{hole}");
        world.accept(seq, seq).await.expect("accepted");
        assert_eq!(world.read(0).await, Ok(all_but(seq, seq)));
    }
}

#[tokio::test]
async fn evt1_a_block_that_was_cut_is_a_hole_to_its_end_until_it_is_accepted() {
    let world = World::damaged(|blocks| blocks.cut(150)).await;
    let (_, last) = world.spans[1];
    assert_eq!(world.read(0).await, Err(FollowError::Hole { expected: 150, found: last + 1 }));
    // Nobody is let past a part of it.
    world.accept(150, last - 1).await.expect("accepted");
    assert_eq!(world.read(0).await, Err(FollowError::Hole { expected: last, found: last + 1 }));
    world.accept(last, last).await.expect("accepted");
    assert_eq!(world.read(0).await, Ok(all_but(150, last)));
    assert_eq!(world.read(170).await, Ok((last + 1..=EVENTS as u64).collect()), "from a position inside of it");
}

#[tokio::test]
async fn evt1_a_block_that_is_gone_is_a_hole_at_the_beginning_too() {
    let world = World::damaged(|blocks| blocks.remove(1)).await;
    let (first, last) = world.spans[0];
    assert_eq!(world.read(0).await, Err(FollowError::Hole { expected: first, found: last + 1 }));
    world.accept(first, last).await.expect("accepted");
    assert_eq!(world.read(0).await, Ok(all_but(first, last)));
}

/// There is no next event that would show it.
#[tokio::test]
async fn evt1_a_hole_at_the_end_is_noticed_without_another_event_and_followed_over_once_accepted() {
    let world = World::damaged(|blocks| blocks.cut(290)).await;
    let last = EVENTS as u64;
    assert_eq!(world.log.state(Stream::Chat).await.expect("the state").last_seq, last);
    assert_eq!(world.followed(0, last).await, Err(FollowError::Hole { expected: 290, found: last + 1 }));
    world.accept(290, last).await.expect("accepted");
    assert_eq!(world.log.state(Stream::Chat).await.expect("the state").last_seq, 289);
    let mut follower = world.log.follow(Stream::Chat, 0);
    assert_contiguous(&take(&mut follower, 289).await, 1);
    let quiet = tokio::time::timeout(settings("").follow_heartbeat * 8, follower.next()).await;
    assert!(quiet.is_err(), "{quiet:?}");
    assert_eq!(append(&world.log, "next").await.seq, last + 1);
    assert_eq!(take(&mut follower, 1).await[0].seq, last + 1);
    assert_eq!(world.read(280).await, Ok((281..=289).chain([last + 1]).collect()));
}

/// A broker that loses what it noted of such a hole, with its power, goes back to before it and gives its sequences away
/// again: to events that are not what was lost.
#[tokio::test]
async fn what_is_stored_under_a_sequence_that_was_accepted_as_lost_at_the_end_is_read_by_everybody() {
    let world = World::damaged(|blocks| blocks.cut(290)).await;
    let last = EVENTS as u64;
    world.accept(290, last).await.expect("accepted");
    let mut follower = world.log.follow(Stream::Chat, 0);
    assert_contiguous(&take(&mut follower, 289).await, 1);
    world.broker.kill().await;
    world.broker.blocks("CHAT").forget_notes(290);
    world.broker.restart().await;
    assert_eq!(append(&world.log, "next").await.seq, 290, "the broker gives it away again");
    assert_eq!(take(&mut follower, 1).await[0].seq, 290);
    assert_eq!(world.read(0).await, Ok((1..=290).collect()));
    // Also for somebody who comes when the log has gone on behind what was the hole.
    append_many(&world.log, "more", 20).await;
    let world = World { log: log_on(&world.broker).await, ..world };
    assert_eq!(world.read(0).await, Ok((1..=310).collect()));
}

/// The broker finds the damage itself when it was not ended in order, and goes back to before it.
#[tokio::test]
async fn d14_a_log_that_lost_its_end_is_another_one_for_whoever_was_there() {
    let world = World::new().await;
    world.broker.kill().await;
    world.broker.blocks("CHAT").cut(290);
    world.broker.restart().await;
    let log = log_on(&world.broker).await;
    assert_eq!(log.state(Stream::Chat).await.expect("the state").last_seq, 289);
    let follow = async |tag| log.follow(Stream::Chat, 295).expecting(tag).next().await;
    assert_eq!(follow(world.tag(295)).await, Err(FollowError::LogEndsBefore { position: 295, last: 289 }));
    // The same seqs again, for other events.
    append_many(&log, "b", 10).await;
    assert_eq!(follow(world.tag(295)).await, Err(FollowError::OtherLog { position: 295 }));
}

/// A position that was given out before the damage.
#[tokio::test]
async fn con3_what_stood_in_an_accepted_hole_is_not_compared_and_what_stands_beside_it_is() {
    let world = World::damaged(|blocks| blocks.flip_payload(150)).await;
    let hole = Err(FollowError::Hole { expected: 150, found: 151 });
    assert_eq!(world.log.follow(Stream::Chat, 150).expecting(world.tag(150)).next().await, hole);
    world.accept(150, 150).await.expect("accepted");
    let mut follower = world.log.follow(Stream::Chat, 150).expecting(world.tag(150));
    assert_eq!(take(&mut follower, 1).await[0].seq, 151);
    let mut follower = world.log.follow(Stream::Chat, 151).expecting(world.tag(150));
    assert_eq!(follower.next().await, Err(FollowError::OtherLog { position: 151 }));
}

/// For the state before it, or for none at all, would pass what the broker says of it.
#[tokio::test]
async fn d5_a_state_whose_last_event_is_damaged_is_not_taken_for_one_that_never_was() {
    let broker = Broker::start().await;
    let log = log_on(&broker).await;
    let rooms = |id: &str| Append { subject: "chat.user.u2.rooms".into(), ..message(id) };
    for id in ["first", "second"] {
        log.append(rooms(id)).await.expect("stored");
    }
    append(&log, "another").await;
    broker.stop().await;
    broker.blocks("CHAT").flip_payload(2);
    broker.restart().await;
    let log = log_on(&broker).await;
    let last = async || log.last(Stream::Chat, "chat.user.u2.rooms").await;
    assert_eq!(last().await, Err(ReadError::Damaged { subject: "chat.user.u2.rooms".into() }));
    assert_eq!(log.last(Stream::Chat, "chat.user.u3.rooms").await, Ok(None), "who never was");
    let (by, reason) = ("ann".to_owned(), "a disk failed".to_owned());
    log.accept_hole(Acceptance { first: 2, last: 2, by, reason, at_ms: 0 }).await.expect("accepted");
    assert_eq!(last().await.map(|last| last.map(|last| last.seq)), Ok(Some(1)));
    // What is decided on it is appended behind it, once, alone or together with others.
    let behind = |id: &str, expected| Append { expected_last: Some(expected), ..rooms(id) };
    let refused = log.append(behind("third", 2)).await;
    assert!(matches!(refused, Err(AppendError::WrongLast { .. })), "{refused:?}");
    let another = Append { subject: "chat.user.u4.rooms".into(), expected_last: Some(0), ..message("u4") };
    let together = log.append_together(vec![another, behind("fourth", 1)], None).await;
    let next = together.expect("stored").seq;
    assert_eq!(last().await.map(|last| last.map(|last| last.seq)), Ok(Some(next)));
    let refused = log.append(behind("fifth", 1)).await;
    assert!(matches!(refused, Err(AppendError::WrongLast { .. })), "{refused:?}");
    log.append(behind("sixth", next)).await.expect("stored");
}

/// Bytes that the broker gives out as they were stored, and that are not what was written all the same. The log knows nothing of
/// what its events say: who accepts judges.
#[tokio::test]
async fn d5_a_damaged_event_that_can_be_read_is_accepted_as_lost_and_the_state_before_it_is_the_last() {
    let broker = Broker::start().await;
    let log = log_on(&broker).await;
    let rooms = |id: &str| Append { subject: "chat.user.u2.rooms".into(), ..message(id) };
    for id in ["first", "damaged", "damaged-too"] {
        log.append(rooms(id)).await.expect("stored");
    }
    append(&log, "another").await;
    let is_damaged = |stored: &Stored| stored.payload.starts_with(b"payload of damaged");
    let accept = async |first, last| {
        let (by, reason) = ("ann".to_owned(), "bad memory".to_owned());
        log.accept_damaged(Acceptance { first, last, by, reason, at_ms: 0 }, is_damaged).await
    };
    let readable =
        log.accept_hole(Acceptance { first: 2, last: 2, by: "a".into(), reason: "b".into(), at_ms: 0 }).await;
    assert!(matches!(readable, Err(AcceptError::Readable { seq: 2 })), "{readable:?}");
    for (first, last, seq) in [(1, 3, 1), (2, 4, 4)] {
        let refused = accept(first, last).await;
        assert!(matches!(refused, Err(AcceptError::Readable { seq: there }) if there == seq), "{refused:?}");
    }
    let last = async || log.last(Stream::Chat, "chat.user.u2.rooms").await.map(|last| last.map(|last| last.seq));
    assert_eq!(last().await, Ok(Some(3)));
    accept(2, 3).await.expect("accepted");

    // Every reader passes over it.
    assert_eq!(last().await, Ok(Some(1)));
    assert_eq!(
        take(&mut log.follow(Stream::Chat, 0), 2).await.iter().map(|event| event.seq).collect::<Vec<_>>(),
        [1, 4]
    );
    let ranged = log.range(Stream::Chat, 0, 10, 1 << 20).await.expect("read");
    assert_eq!(ranged.iter().map(|event| event.seq).collect::<Vec<_>>(), [1, 4]);
    let looked = log.audit(0, 4).next().await.expect("read").expect("a stretch");
    assert_eq!(looked.events.iter().map(|event| event.seq).collect::<Vec<_>>(), [1, 4]);
    assert_eq!(looked.lost, [Lost { first: 2, last: 3, accepted: true }]);

    // What is decided on the state before it is appended behind it, once.
    let behind = |id: &str, expected| Append { expected_last: Some(expected), ..rooms(id) };
    let next = log.append(behind("next", 1)).await.expect("stored").seq;
    assert_eq!(last().await, Ok(Some(next)));
    let refused = log.append(behind("late", 1)).await;
    assert!(matches!(refused, Err(AppendError::WrongLast { .. })), "{refused:?}");
}

#[tokio::test]
async fn only_what_is_lost_is_accepted_once_and_with_a_reason() {
    let world = World::damaged(|blocks| blocks.flip_payload(150)).await;
    for (first, last) in [(0, 5), (6, 5), (150, 301)] {
        let refused = world.accept(first, last).await;
        assert!(matches!(refused, Err(AcceptError::OutOfBounds { end: 300, .. })), "{first}-{last}: {refused:?}");
    }
    for (first, last, seq) in [(149, 150, 149), (150, 151, 151), (7, 7, 7)] {
        let refused = world.accept(first, last).await;
        assert!(
            matches!(refused, Err(AcceptError::Readable { seq: there }) if there == seq),
            "{first}-{last}: {refused:?}"
        );
    }
    let unreasoned = Acceptance { first: 150, last: 150, by: "ann".into(), reason: " ".into(), at_ms: 0 };
    assert!(matches!(world.log.accept_hole(unreasoned).await, Err(AcceptError::Reason)));
    let hole = world.accept(150, 150).await.expect("accepted");
    let again = world.accept(150, 150).await;
    assert!(matches!(again, Err(AcceptError::AcceptedBefore { first: 150, last: 150, .. })), "{again:?}");
    // On record, for every process.
    let other = log_on(&world.broker).await;
    let on_record: Vec<Hole> = other.holes().await.expect("read").iter().cloned().collect();
    assert_eq!(on_record, [hole]);
    assert_eq!((on_record[0].by.as_str(), on_record[0].reason.as_str()), ("ann", "a disk failed"));
}

#[tokio::test]
async fn what_was_accepted_as_lost_stays_so_for_every_reader_though_it_can_be_read_again() {
    let world = World::damaged(|blocks| blocks.flip_payload(150)).await;
    world.accept(150, 150).await.expect("accepted");
    // The same bit again: the block is as it was.
    let world = world.after_damage(|blocks| blocks.flip_payload(150)).await;
    assert!(world.log.get(Stream::Chat, 150).await.expect("read").is_some());
    assert_eq!(world.read(0).await, Ok(all_but(150, 150)));
}

/// D14: the same sequences are other events there.
#[tokio::test]
async fn a_hole_that_was_accepted_in_another_log_is_none_in_this_one() {
    let world = World::damaged(|blocks| blocks.flip_payload(150)).await;
    world.accept(150, 150).await.expect("accepted");
    raw(&world.broker).await.delete_stream("CHAT").await.expect("deleted");
    let log = log_on(&world.broker).await;
    append_many(&log, "b", 200).await;
    assert_contiguous(&take(&mut log.follow(Stream::Chat, 0), 200).await, 1);
    assert_eq!(log.holes().await.expect("read").iter().count(), 0);
}

/// A follower that waits beside a hole needs no new start when it is accepted.
#[tokio::test]
async fn whoever_follows_again_after_the_acceptance_goes_on() {
    let world = World::damaged(|blocks| blocks.flip_payload(150)).await;
    let mut follower = world.log.follow(Stream::Chat, 140);
    assert_contiguous(&take(&mut follower, 9).await, 141);
    assert_eq!(follower.next().await, Err(FollowError::Hole { expected: 150, found: 151 }));
    let elsewhere = log_on(&world.broker).await;
    let (by, reason) = ("ann".to_owned(), "a disk failed".to_owned());
    elsewhere.accept_hole(Acceptance { first: 150, last: 150, by, reason, at_ms: 0 }).await.expect("accepted");
    let mut again = world.log.follow(Stream::Chat, follower.position());
    assert_contiguous(&take(&mut again, 5).await, 151);
    // A log that has asked a moment ago learns of it in a moment.
    eventually("the end of the log is known", Duration::from_secs(20), async || {
        world.log.range(Stream::Chat, 140, 20, 4 << 20).await.map(|events| assert_eq!(events[0].seq, 141))
    })
    .await;
}
