//! Copies of states are entered without a hole (D5), whatever changes while they are read.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use natter_events::{
    ClientId, ConversationId, Membership, MembershipChange, MembershipChanged, Record, Role, Subject, Tag, Uid,
};
use natter_gateway::copies::{Copies, Newer};
use natter_gateway::feed::{Entry, Place, Tail};
use natter_gateway::rooms::MembershipState;
use natter_log::{Append, Log, Settings, Stream};
use natter_testkit::{Broker, Direction, Proxy};

use crate::rig::PATIENCE;

/// People whose rooms change while they are asked for.
const PEOPLE: usize = 150;
const CHANGES: u64 = 12;
/// Copies that there is room for: the others are registered anew whenever they are asked for.
const ROOM_FOR: u64 = 30;
/// By how much a read takes longer than the feed.
const BEHIND: Duration = Duration::from_millis(15);

/// As a gateway does it: the feed puts an event into the tail, then applies it to the copies.
struct World {
    log: Log,
    tail: Arc<Tail>,
    copies: Arc<Copies<MembershipState>>,
    /// The last change of each that the feed has applied.
    fed: Vec<AtomicU64>,
    people: Vec<Uid>,
}

impl World {
    /// What is read for a copy goes over `slow`: when the answer comes, the feed is further.
    fn new(log: Log, slow: &Log) -> Self {
        let tail = Arc::new(Tail::new(Place { seq: 0, tag: Tag(0) }, usize::MAX));
        let newer: Newer = Arc::new({
            let tail = tail.clone();
            move |subject, seq| tail.has_newer(subject, seq)
        });
        let copies = Arc::new(Copies::new(slow.clone(), ROOM_FOR, newer));
        let (fed, people) = (0..PEOPLE).map(|_| (AtomicU64::new(0), Uid::random())).unzip();
        Self { log, tail, copies, fed, people }
    }

    fn subject(&self, n: usize) -> Subject {
        Subject::Rooms(self.people[n])
    }

    /// One change after the other; the last one's seq.
    async fn change(&self, n: usize) -> u64 {
        let user = self.people[n];
        let room = ConversationId::room(user, ClientId::at(1_790_000_000_000)).expect("an id");
        let mut last = 0;
        for change in 0..CHANGES {
            let role = if change % 2 == 0 { Role::Member } else { Role::Moderator };
            let rooms = vec![Membership { room, role, since: None }];
            let changed = MembershipChanged { change: MembershipChange::Role, rooms, fingerprint: None };
            let record = Record::new(user, changed).to(&[user]).in_conversation(room);
            let append = Append {
                stream: Stream::Chat,
                subject: self.subject(n).to_string(),
                message_id: format!("{user}-{change}"),
                payload: record.encode(),
                expected_last: None,
            };
            last = self.log.append(append).await.expect("stored").seq;
        }
        last
    }

    async fn feed(&self) {
        let mut follower = self.log.follow(Stream::Chat, 0);
        while follower.position() < PEOPLE as u64 * CHANGES {
            let batch = follower.next_batch(512).await.expect("following goes on");
            let entries: Vec<_> = batch.into_iter().map(|event| Arc::new(Entry::new(event).expect("reads"))).collect();
            self.tail.push(&entries);
            for entry in entries {
                let (Some(subject), Ok(record)) = (entry.state, Record::decode(&entry.record)) else {
                    panic!("a state")
                };
                self.copies.apply(subject, entry.seq, &record);
                let n = self.people.iter().position(|uid| subject == Subject::Rooms(*uid)).expect("one of them");
                self.fed[n].store(entry.seq, Ordering::SeqCst);
            }
        }
    }

    /// Registers a copy, again and again, while it changes. Every answer is as true as the feed was when it was asked.
    async fn ask(&self, n: usize) {
        loop {
            let fed = self.fed[n].load(Ordering::SeqCst);
            let state = self.copies.get(self.subject(n)).await.expect("read").expect("at least none");
            assert!(state.seq >= fed, "asked when the feed was at {fed}, and got the state at {}", state.seq);
            tokio::task::yield_now().await;
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn d5_copies_that_are_registered_while_they_change_miss_nothing() {
    let broker = Broker::start().await;
    let settings = Settings { servers: vec![broker.url().to_owned()], ..Settings::default() };
    let proxy = Proxy::to(broker.address()).await;
    let through = Settings { servers: vec![broker.url_through(&proxy.address())], ..settings.clone() };
    let log = Log::connect(settings).await.expect("a connection");
    log.declare().await.expect("declared");
    let slow = Log::connect(through).await.expect("a connection");
    proxy.delay(Direction::Down, BEHIND);
    let world = Arc::new(World::new(log, &slow));
    let feed = tokio::spawn({
        let world = world.clone();
        async move { world.feed().await }
    });
    let mut asking = Vec::new();
    let mut changing = Vec::new();
    for n in 0..PEOPLE {
        let (asks, changes) = (world.clone(), world.clone());
        asking.push(tokio::spawn(async move { asks.ask(n).await }));
        changing.push(tokio::spawn(async move { changes.change(n).await }));
    }
    let mut last = Vec::new();
    for changed in changing {
        last.push(changed.await.expect("changed"));
    }
    tokio::time::timeout(PATIENCE, feed).await.expect("in time").expect("fed");
    for asks in asking {
        asks.abort();
        assert!(asks.await.is_err_and(|ended| ended.is_cancelled()), "every answer was true");
    }
    // And the copies are what the log says, for good.
    for (n, last) in last.into_iter().enumerate() {
        let state = world.copies.get(world.subject(n)).await.expect("read").expect("a state");
        assert_eq!(state.seq, last, "person {n}");
    }
}
