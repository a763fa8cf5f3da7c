//! CMD2, CMD3, D10: every durable command is one event and one answer for ever, whatever has happened since.

use std::time::Duration;

use natter_events::ClientId;
use natter_testkit::eventually;
use reqwest::Method;
use serde_json::{Value, json};

use crate::clocked::{Clocked, Login};
use crate::program::LONG;

/// As the broker is configured.
const WINDOW: Duration = Duration::from_secs(120);
/// A broker that has forgotten an id by the time that it is looked for.
const SHORT_WINDOW: Duration = Duration::from_millis(200);
const MINUTE_MS: u64 = 60_000;
const DAY_MS: u64 = 24 * 60 * MINUTE_MS;

/// A durable command, and another one that could be asked for under the same id.
struct Case {
    what: &'static str,
    method: Method,
    same: Request,
    other: Request,
    id: ClientId,
}

/// A path, and a body if it takes one.
type Request = (String, Option<Value>);

/// People, and what they talk about.
struct World {
    services: Clocked,
    http: reqwest::Client,
    ada: Login,
    bob: Login,
    /// Of the two.
    direct: String,
    /// Ada's, with bob and cy; and messages of hers there.
    room: String,
    mine: [u64; 3],
    /// Ada's, to be archived.
    quiet: String,
    /// Bob's, which anybody joins.
    open: [String; 2],
}

impl World {
    async fn new(window: Duration, tail_bytes: usize) -> Self {
        let mut services = Clocked::start(window).await;
        services.gateway(tail_bytes).await;
        // Nothing but the broker and history help this one.
        services.gateway(1).await;
        for handle in ["cy", "dan", "eve"] {
            services.register(handle).await;
        }
        let (ada, bob) = (services.register("ada").await, services.register("bob").await);
        let mut world = Self {
            services,
            http: reqwest::Client::new(),
            ada,
            bob,
            direct: String::new(),
            room: String::new(),
            mine: [0; 3],
            quiet: String::new(),
            open: [String::new(), String::new()],
        };
        let hello = json!({"to": {"participants": ["ada"]}, "text": "hi"});
        world.direct = conversation(&world.bob_does("POST", "/api/messages", hello).await);
        let make = |name: &str, members: &[&str]| json!({"name": name, "visibility": "public", "members": members});
        world.room = conversation(&world.ada_does("POST", "/api/rooms", make("room", &["bob", "cy"])).await);
        world.quiet = conversation(&world.ada_does("POST", "/api/rooms", make("quiet", &[])).await);
        for n in 0..2 {
            world.open[n] = conversation(&world.bob_does("POST", "/api/rooms", make("open", &[])).await);
        }
        for n in 0..3 {
            let message = json!({"to": {"conversation": world.room}, "text": "mine"});
            world.mine[n] = world.ada_does("POST", "/api/messages", message).await["seq"].as_u64().expect("a number");
        }
        world
    }

    /// Every durable command that there is, in an order in which each changes something. Ids are made at `made_at_ms`.
    fn cases(&self, made_at_ms: u64) -> Vec<Case> {
        let Self { direct, room, mine, quiet, open, .. } = self;
        let mut cases = Vec::new();
        let mut case = |what, method: Method, same: (String, Value), other: (String, Value)| {
            let id = ClientId::at(made_at_ms);
            let request = |(path, mut body): (String, Value)| match body.as_object_mut() {
                Some(fields) => {
                    fields.insert("id".to_owned(), json!(id));
                    (path, Some(body))
                }
                None => (format!("{path}?id={id}"), None),
            };
            cases.push(Case { what, method, same: request(same), other: request(other), id });
        };
        let none = || Value::Null;
        let say = |to: Value, text: &str| ("/api/messages".to_owned(), json!({"to": to, "text": text}));
        let message = |room: &str, seq: u64, rest: &str| format!("/api/conversations/{room}/messages/{seq}{rest}");
        let of_room = |room: &str, rest: &str| format!("/api/rooms/{room}{rest}");
        let (people, here) = (json!({"participants": ["bob"]}), json!({"conversation": room}));
        case("send to people", Method::POST, say(people.clone(), "once"), say(people, "twice"));
        case("send to a room", Method::POST, say(here.clone(), "once"), say(here, "twice"));
        let edited = |text: &str| (message(room, mine[0], ""), json!({"text": text}));
        case("edit", Method::PATCH, edited("new"), edited("newer"));
        let emoji = |emoji: &str| (message(room, mine[0], &format!("/reactions/{emoji}")), none());
        case("react", Method::PUT, emoji("🎉"), emoji("👍"));
        case("take a reaction back", Method::DELETE, emoji("🎉"), emoji("👍"));
        let pin = |n: usize| (message(room, mine[n], "/pin"), none());
        case("pin", Method::PUT, pin(0), pin(2));
        case("unpin", Method::DELETE, pin(0), pin(2));
        let mark =
            |n: usize| (format!("/api/conversations/{room}/marker"), json!({"read": mine[n], "thread": mine[0]}));
        case("mark", Method::PUT, mark(1), mark(2));
        let prefer = |field: &str| (format!("/api/conversations/{direct}/preferences"), json!({field: true}));
        case("prefer", Method::PUT, prefer("muted"), prefer("starred"));
        let profile = |name: &str| ("/api/profile".to_owned(), json!({"display_name": name}));
        case("profile", Method::PATCH, profile("Ada L."), profile("Ada"));
        let block = |user: &str| (format!("/api/blocks/{user}"), none());
        case("block", Method::PUT, block("dan"), block("cy"));
        case("unblock", Method::DELETE, block("dan"), block("cy"));
        let make = |name: &str| {
            let members = ["cy", "nobody", "eve"];
            ("/api/rooms".to_owned(), json!({"name": name, "visibility": "private", "members": members}))
        };
        case("room.create", Method::POST, make("new"), make("newer"));
        let update = |topic: &str| (of_room(room, ""), json!({"topic": topic}));
        case("room.update", Method::PATCH, update("this"), update("that"));
        let role = |role: &str| (of_room(room, "/members/bob/role"), json!({"role": role}));
        case("room.role", Method::PUT, role("owner"), role("moderator"));
        let member = |user: &str| (of_room(room, &format!("/members/{user}")), none());
        case("room.add", Method::PUT, member("dan"), member("eve"));
        case("room.remove", Method::DELETE, member("dan"), member("cy"));
        let ban = |user: &str| (of_room(room, &format!("/bans/{user}")), none());
        case("room.ban", Method::PUT, ban("dan"), ban("cy"));
        case("room.unban", Method::DELETE, ban("dan"), ban("cy"));
        let me = |n: usize| (of_room(&open[n], "/members/me"), none());
        case("room.join", Method::PUT, me(0), me(1));
        case("room.leave", Method::DELETE, me(0), me(1));
        let delete = |n: usize| (message(room, mine[n], ""), none());
        case("delete", Method::DELETE, delete(1), delete(2));
        case("room.archive", Method::DELETE, (of_room(quiet, ""), none()), (of_room(room, ""), none()));
        cases
    }

    async fn asks(&self, gateway: usize, who: &Login, method: &Method, request: &Request) -> (u16, Value) {
        let (path, body) = request;
        let url = format!("{}{path}", self.services.gateways[gateway]);
        let mut asked = self.http.request(method.clone(), url).bearer_auth(self.services.token(who));
        if let Some(body) = body {
            asked = asked.json(body);
        }
        let answer = asked.send().await.expect("answered");
        (answer.status().as_u16(), answer.json().await.expect("JSON"))
    }

    /// Something of the story that no case is about.
    async fn does(&self, who: &Login, method: &str, path: &str, mut body: Value) -> Value {
        let id = json!(ClientId::at(self.services.hands.now_ms()));
        let request = match body.as_object_mut() {
            Some(fields) => {
                fields.insert("id".to_owned(), id);
                (path.to_owned(), Some(body))
            }
            None => (format!("{path}?id={}", id.as_str().expect("text")), None),
        };
        let (status, answer) = self.asks(0, who, &method.parse().expect("a method"), &request).await;
        assert_eq!(status, 200, "{method} {path}: {answer}");
        answer
    }

    async fn ada_does(&self, method: &str, path: &str, body: Value) -> Value {
        self.does(&self.ada, method, path, body).await
    }

    async fn bob_does(&self, method: &str, path: &str, body: Value) -> Value {
        self.does(&self.bob, method, path, body).await
    }

    /// Does everything for the first time.
    async fn first(&self, cases: &[Case]) -> Vec<Value> {
        let mut answers = Vec::new();
        for case in cases {
            let (status, answer) = self.asks(0, &self.ada, &case.method, &case.same).await;
            assert_eq!((status, &answer["duplicate"]), (200, &Value::Null), "{}: {answer}", case.what);
            answers.push(answer);
        }
        answers
    }

    /// Asks for everything again, and for something else under each id, on every gateway; nothing comes of it.
    async fn again(&self, circumstance: &str, cases: &[Case], first: &[Value]) {
        let events = self.services.events().await;
        for gateway in 0..self.services.gateways.len() {
            for (case, first) in cases.iter().zip(first) {
                let place = format!("{} {circumstance}, on gateway {gateway}", case.what);
                let (status, answer) = self.settled(gateway, case, &case.same).await;
                assert_eq!((status, &answer["duplicate"]), (200, &json!(true)), "{place}: {answer}");
                for field in ["seq", "conversation", "at", "refused"] {
                    // By HTTP a first answer is given when the broker's is there, which says nothing of when.
                    if !first[field].is_null() {
                        assert_eq!(answer[field], first[field], "{place}: {field}");
                    }
                }
                assert_eq!(answer["position"], Value::Null, "{place}");
                let (status, answer) = self.settled(gateway, case, &case.other).await;
                assert_eq!((status, &answer["code"]), (409, &json!("conflict")), "another {place}: {answer}");
            }
        }
        assert_eq!(self.services.events().await, events, "{circumstance} something was stored again");
    }

    /// What it is in the end: a retry is told to wait while history is behind.
    async fn settled(&self, gateway: usize, case: &Case, request: &Request) -> (u16, Value) {
        let what = format!("history is not behind, for {}", case.what);
        eventually(&what, LONG, async || match self.asks(gateway, &self.ada, &case.method, request).await {
            (503, answer) => Err(answer),
            answer => Ok(answer),
        })
        .await
    }

    /// Everything that could have turned any of the commands into one that is refused.
    async fn turns(&self, cases: &[Case], first: &[Value]) {
        let Self { room, mine, .. } = self;
        let made = cases.iter().position(|case| case.what == "room.create").expect("one of them");
        let made = conversation(&first[made]);
        self.ada_does("DELETE", &format!("/api/rooms/{made}/members/eve"), Value::Null).await;
        self.ada_does("DELETE", &format!("/api/conversations/{room}/messages/{}", mine[0]), Value::Null).await;
        self.bob_does("PATCH", &format!("/api/rooms/{room}"), json!({"archived": true})).await;
        self.bob_does("DELETE", &format!("/api/rooms/{room}/members/ada"), Value::Null).await;
        self.bob_does("PUT", &format!("/api/rooms/{room}/bans/ada"), Value::Null).await;
        self.bob_does("PUT", "/api/blocks/ada", Value::Null).await;
        for open in &self.open {
            self.bob_does("DELETE", &format!("/api/rooms/{open}"), Value::Null).await;
        }
    }

    /// The broker is gone, and is there again.
    async fn loses_its_broker(&self) {
        self.services.broker.kill().await;
        self.services.broker.restart().await;
        self.services.are_ready().await;
    }
}

fn conversation(answer: &Value) -> String {
    answer["conversation"].as_str().unwrap_or_else(|| panic!("{answer}")).to_owned()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn cmd2_every_command_is_one_event_and_one_answer_whatever_happens_after_it() {
    const ALL_OF_IT: usize = 64 << 20;
    let mut world = World::new(WINDOW, ALL_OF_IT).await;
    let now = world.services.hands.now_ms();
    let cases = world.cases(now);
    let first = world.first(&cases).await;
    world.again("at once", &cases, &first).await;
    world.loses_its_broker().await;
    world.again("after the broker was killed", &cases, &first).await;
    world.turns(&cases, &first).await;
    world.again("when nothing of it is allowed any more", &cases, &first).await;
    world.services.hands.set_ms(now + 3 * MINUTE_MS);
    world.again("three minutes later", &cases, &first).await;
    world.services.hands.set_ms(now + DAY_MS);
    for skew_ms in [-10 * MINUTE_MS.cast_signed(), 60 * MINUTE_MS.cast_signed()] {
        world.services.gateway_off_by(skew_ms, 1).await;
    }
    world.again("a day later, where clocks are wrong too", &cases, &first).await;
}

/// Neither a gateway's memory nor the broker's is there to help: what history says is all that there is.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn cmd2_a_client_with_a_slow_clock_is_answered_from_history_alone() {
    let world = World::new(SHORT_WINDOW, 1).await;
    let now = world.services.hands.now_ms();
    let cases = world.cases(now - 3 * MINUTE_MS);
    let mut first = Vec::new();
    for case in &cases {
        let (status, answer) = world.settled(0, case, &case.same).await;
        assert_eq!(status, 200, "{}: {answer}", case.what);
        first.push(answer);
    }
    // Nothing shows that the broker has forgotten an id but that it takes it again.
    tokio::time::sleep(4 * SHORT_WINDOW).await;
    world.again("three minutes after it was made", &cases, &first).await;
    world.turns(&cases, &first).await;
    world.loses_its_broker().await;
    world.services.hands.set_ms(now + DAY_MS);
    world.again("a day later, when nothing of it is allowed", &cases, &first).await;
}

/// Stored now, an id of a time to come would be fresh once more when that time has come and the broker has forgotten it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn cmd2_a_client_with_a_fast_clock_is_told_to_wait_until_its_ids_are_of_now() {
    let world = World::new(WINDOW, 1).await;
    let (now, ahead_ms) = (world.services.hands.now_ms(), 10 * MINUTE_MS);
    let cases = world.cases(now + ahead_ms);
    let before = world.services.events().await;
    for case in &cases {
        let refused = eventually("history is not behind", LONG, async || {
            match world.asks(0, &world.ada, &case.method, &case.same).await {
                (503, answer) if answer["retry_after_ms"] == 1_000 => Err(answer),
                answer => Ok(answer),
            }
        });
        let (status, answer) = refused.await;
        assert_eq!((status, &answer["code"]), (503, &json!("unavailable")), "{}: {answer}", case.what);
        let wait = answer["retry_after_ms"].as_u64().expect("a number");
        assert_eq!(wait, ahead_ms - 5_000, "{}: until it is fresh", case.what);
        assert!(case.id.made_at_ms().is_some_and(|made| made - wait <= now + 5_000));
    }
    assert_eq!(world.services.events().await, before, "nothing is stored before its time");
    world.services.hands.set_ms(now + ahead_ms);
    let first = world.first(&cases).await;
    world.again("once its time has come", &cases, &first).await;
    world.services.hands.set_ms(now + ahead_ms + DAY_MS);
    world.again("a day after", &cases, &first).await;
}
