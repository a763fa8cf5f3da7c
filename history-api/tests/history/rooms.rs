//! Rooms: their own page, the directory, members, bans, and what is said in them (EVT3).

use natter_events::{ConversationId, Role, Visibility};
use natter_protocol::ErrorCode;
use natter_protocol::history::{
    At, BanItem, ConversationItem, ConversationKind, MemberItem, MessageItem, Page, PinItem, RoomItem, VersionItem,
};

use crate::log::Words;
use crate::room_log::Told;
use crate::world::{Answer, Person, World};

async fn messages(world: &World, person: &Person, room: ConversationId) -> Page<MessageItem> {
    world.get(person, &format!("/history/conversations/{room}/messages?limit=200")).await.ok()
}

async fn texts(world: &World, person: &Person, room: ConversationId) -> Vec<String> {
    messages(world, person, room).await.items.into_iter().map(|item| item.text).collect()
}

async fn list(world: &World, person: &Person) -> Vec<ConversationItem> {
    world.get(person, "/history/conversations").await.ok::<Page<ConversationItem>>().items
}

const ROUTES: [&str; 8] =
    ["", "/messages", "/messages?thread=3", "/members", "/threads", "/pins", "/bans", "/messages/3/versions"];

/// Everything of an answer that may not tell.
fn told(mut answer: Answer) -> (u16, serde_json::Value, reqwest::header::HeaderMap) {
    for varying in ["date", "x-request-id"] {
        answer.headers.remove(varying);
    }
    (answer.status, answer.body, answer.headers)
}

#[tokio::test]
async fn cmd6_a_private_room_is_answered_to_others_as_one_that_does_not_exist() {
    let world = World::new().await;
    let (ada, eve) = (world.person("ada").await, world.person("eve").await);
    let room = world.room(&ada, "cellar", "private").await;
    world.say_in(room, &ada, "secret").await;
    let missing = ConversationId::from(uuid::Uuid::now_v7());
    for route in ROUTES {
        let refused = world.get(&eve, &format!("/history/conversations/{room}{route}")).await;
        refused.is_problem(404, ErrorCode::NotFound);
        let absent = world.get(&eve, &format!("/history/conversations/{missing}{route}")).await;
        assert_eq!(told(refused), told(absent), "{route}");
    }
    let refused = world.get(&eve, &format!("/history/rooms/{room}")).await;
    assert_eq!(told(refused), told(world.get(&eve, &format!("/history/rooms/{missing}")).await));
    let directory: Page<RoomItem> = world.get(&ada, "/history/rooms").await.ok();
    assert_eq!(directory.items, [], "nobody finds it there, not even who is in it");
}

#[tokio::test]
async fn cmd6_of_a_public_room_others_see_what_it_is_and_not_what_is_in_it() {
    let world = World::new().await;
    let (ada, eve) = (world.person("ada").await, world.person("eve").await);
    let room = world.room(&ada, "harbour", "public").await;
    world.say_in(room, &ada, "members only").await;
    for route in ROUTES {
        let refused = world.get(&eve, &format!("/history/conversations/{room}{route}")).await;
        refused.is_problem(403, ErrorCode::NotMember);
    }
    let seen: At<RoomItem> = world.get(&eve, &format!("/history/rooms/{room}")).await.ok();
    assert_eq!((seen.item.name.as_str(), seen.item.visibility, seen.item.members), ("harbour", Visibility::Public, 1));
    assert_eq!((seen.item.owners, seen.item.role), (vec![ada.handle()], None));
    let own: At<RoomItem> = world.get(&ada, &format!("/history/rooms/{room}")).await.ok();
    assert_eq!(own.item.role, Some(Role::Owner));
    assert_eq!(list(&world, &eve).await, []);
}

#[tokio::test]
async fn evt3_in_a_private_room_each_reads_what_was_said_while_they_were_there() {
    let world = World::new().await;
    let (ada, ben) = (world.person("ada").await, world.person("ben").await);
    let room = world.room(&ada, "cellar", "private").await;
    let mut expected = Vec::new();
    for n in 0..30 {
        world.say_in(room, &ada, &*format!("without {n}")).await;
        world.joins(&ben, room).await;
        world.say_in(room, &ada, &*format!("with {n}")).await;
        expected.push(format!("with {n}"));
        assert_eq!(texts(&world, &ben, room).await, expected, "while they are there");
        world.leaves(&ben, room).await;
    }
    world.say_in(room, &ada, "after").await;
    assert_eq!(texts(&world, &ben, room).await, expected, "and when they are gone");
    assert_eq!(texts(&world, &ada, room).await.len(), 61);
    assert_eq!(list(&world, &ben).await, [], "it is among their conversations no more");
    world.get(&ben, &format!("/history/conversations/{room}")).await.is_problem(404, ErrorCode::NotFound);
    world.get(&ben, &format!("/history/conversations/{room}/members")).await.is_problem(404, ErrorCode::NotFound);
    world.get(&ben, &format!("/history/rooms/{room}")).await.is_problem(404, ErrorCode::NotFound);
}

#[tokio::test]
async fn evt3_members_read_what_was_said_while_the_room_was_public() {
    let world = World::new().await;
    let (ada, ben) = (world.person("ada").await, world.person("ben").await);
    let room = world.room(&ada, "harbour", "public").await;
    for (turn, text) in [("public", "1"), ("private", "2"), ("public", "3"), ("private", "4")] {
        world.becomes(room, turn).await;
        world.say_in(room, &ada, text).await;
    }
    world.joins(&ben, room).await;
    world.say_in(room, &ada, "5").await;
    assert_eq!(texts(&world, &ben, room).await, ["1", "3", "5"]);
    world.becomes(room, "public").await;
    world.say_in(room, &ada, "6").await;
    world.leaves(&ben, room).await;
    world.say_in(room, &ada, "7").await;
    assert_eq!(texts(&world, &ben, room).await, ["5", "6"], "the past is its members'");
    world.joins(&ben, room).await;
    assert_eq!(texts(&world, &ben, room).await, ["1", "3", "5", "6", "7"]);
    assert_eq!(texts(&world, &ada, room).await, ["1", "2", "3", "4", "5", "6", "7"]);
}

#[tokio::test]
async fn evt3_what_is_done_to_a_message_after_someone_left_does_not_reach_them() {
    let world = World::new().await;
    let (ada, ben) = (world.person("ada").await, world.person("ben").await);
    let room = world.room(&ada, "cellar", "private").await;
    world.joins(&ben, room).await;
    let said = world.say_in(room, &ada, "first").await;
    let edited = world.edit_in(room, said, "second").await;
    let reply = world.reply_in(room, &ada, said, "in the thread").await;
    world.react_in(room, &ada, said, "👍").await;
    world.leaves(&ben, room).await;
    world.edit_in(room, said, "third").await;
    world.reply_in(room, &ada, said, "later in the thread").await;
    world.react_in(room, &ada, said, "🎈").await;
    world.pin_in(room, &ada, said).await;

    let item = messages(&world, &ben, room).await.items.remove(0);
    assert_eq!((item.text.as_str(), item.edited_at.map(|at| at.0)), ("second", Some(crate::log::at_ms(edited))));
    assert_eq!(item.reactions.iter().map(|reaction| reaction.emoji.as_str()).collect::<Vec<_>>(), ["👍"]);
    let replies = item.replies.unwrap();
    assert_eq!((replies.count, replies.last_at.0, replies.unread), (1, crate::log::at_ms(reply), None));
    assert!(!item.pinned);
    let path = format!("/history/conversations/{room}");
    let versions: Page<VersionItem> = world.get(&ben, &format!("{path}/messages/{said}/versions")).await.ok();
    assert_eq!(versions.items.iter().map(|item| item.text.as_str()).collect::<Vec<_>>(), ["first", "second"]);
    let thread: Page<MessageItem> = world.get(&ben, &format!("{path}/messages?thread={said}")).await.ok();
    assert_eq!(thread.items.iter().map(|item| item.text.as_str()).collect::<Vec<_>>(), ["in the thread"]);
    assert_eq!(world.get(&ben, &format!("{path}/pins")).await.ok::<Page<PinItem>>().items, []);

    let item = messages(&world, &ada, room).await.items.remove(0);
    assert_eq!((item.text.as_str(), item.pinned, item.reactions.len()), ("third", true, 2));
    assert_eq!(item.replies.map(|replies| (replies.count, replies.unread)), Some((2, Some(0))));
}

#[tokio::test]
async fn evt3_versions_of_a_message_that_someone_may_not_read_are_missing() {
    let world = World::new().await;
    let (ada, ben) = (world.person("ada").await, world.person("ben").await);
    let room = world.room(&ada, "cellar", "private").await;
    let said = world.say_in(room, &ada, "before").await;
    world.joins(&ben, room).await;
    world.edit_in(room, said, "since").await;
    let path = format!("/history/conversations/{room}/messages");
    world.get(&ben, &format!("{path}/{said}/versions")).await.is_problem(404, ErrorCode::NotFound);
    assert_eq!(texts(&world, &ben, room).await, Vec::<String>::new());
    let reply = world.say_in(room, &ada, Words { reply_to: Some(said), ..Words::from("re") }).await;
    let item = messages(&world, &ben, room).await.items.remove(0);
    assert_eq!((item.seq, item.reply_to, item.reply), (reply, Some(said), None), "nor is it shown in brief");
}

#[tokio::test]
async fn a_reply_shows_what_it_answers_as_it_now_stands() {
    let world = World::new().await;
    let (ada, ben) = (world.person("ada").await, world.person("ben").await);
    let room = world.room(&ada, "harbour", "public").await;
    world.joins(&ben, room).await;
    let long = "größe🎈".repeat(100);
    let said = world.say_in(room, &ada, &*long).await;
    world.say_in(room, &ben, Words { reply_to: Some(said), ..Words::from("re") }).await;
    let reply = async || messages(&world, &ben, room).await.items.remove(1).reply.unwrap();
    let first = reply().await;
    assert_eq!((first.seq, first.sender, first.deleted), (said, ada.handle(), false));
    assert_eq!(first.text, long.chars().take(200).collect::<String>());
    world.edit_in(room, said, "short").await;
    assert_eq!(reply().await.text, "short");
    world.delete_in(room, said).await;
    let deleted = reply().await;
    assert_eq!((deleted.text.as_str(), deleted.deleted), ("", true));
}

#[tokio::test]
async fn a_thread_is_a_timeline_of_its_own() {
    let world = World::new().await;
    let (ada, ben, eve) = (world.person("ada").await, world.person("ben").await, world.person("eve").await);
    let room = world.room(&ada, "harbour", "public").await;
    world.joins(&ben, room).await;
    world.joins(&eve, room).await;
    let root = world.say_in(room, &ada, "root").await;
    let mut replies = Vec::new();
    for n in 0..7 {
        replies.push(world.reply_in(room, &ben, root, &*format!("{n}")).await);
        world.say_in(room, &ben, "outside").await;
    }
    let path = format!("/history/conversations/{room}");
    let main = messages(&world, &eve, room).await;
    assert!(main.items.iter().all(|item| item.thread.is_none()) && main.items.len() == 8);
    let shown = main.items[0].replies.clone().unwrap();
    assert_eq!((shown.count, shown.last_at.0, shown.unread), (7, crate::log::at_ms(replies[6]), None));
    let own = messages(&world, &ada, room).await.items[0].replies.clone().unwrap();
    assert_eq!(own.unread, Some(7), "the first message is hers");
    let unread_of_ben = messages(&world, &ben, room).await.items[0].replies.clone().unwrap().unread;
    assert_eq!(unread_of_ben, Some(0), "he wrote last");

    let seqs = async |query: String| -> Vec<u64> {
        let page: Page<MessageItem> = world.get(&eve, &format!("{path}/messages?thread={root}&{query}")).await.ok();
        assert!(page.items.iter().all(|item| item.thread == Some(root)));
        page.items.iter().map(|item| item.seq).collect()
    };
    assert_eq!(seqs("limit=3".into()).await, replies[4..]);
    assert_eq!(seqs(format!("limit=2&before={}", replies[2])).await, replies[..2]);
    assert_eq!(seqs(format!("after={}", replies[5])).await, replies[6..]);
    assert_eq!(seqs(format!("limit=2&around={}", replies[3])).await, replies[2..4]);
    world.delete_in(room, root).await;
    assert_eq!(seqs("x=1".into()).await, replies, "without its first message a thread stays");
    for bad in ["0", "x", "-1", "9007199254740992", "%00", ""] {
        world.get(&eve, &format!("{path}/messages?thread={bad}")).await.is_problem(400, ErrorCode::Invalid);
    }
}

#[tokio::test]
async fn hst1_threads_come_newest_activity_first() {
    let world = World::new().await;
    let (ada, ben) = (world.person("ada").await, world.person("ben").await);
    let room = world.room(&ada, "cellar", "private").await;
    world.joins(&ben, room).await;
    let mut roots = Vec::new();
    for n in 0..12 {
        roots.push(world.say_in(room, &ada, &*format!("root {n}")).await);
        world.reply_in(room, &ada, roots[n], "reply").await;
    }
    world.leaves(&ben, room).await;
    // While ben is away: what he knew goes on, and something begins.
    world.reply_in(room, &ada, roots[2], "reply").await;
    let unknown = world.say_in(room, &ada, "root").await;
    world.reply_in(room, &ada, unknown, "reply").await;
    world.joins(&ben, room).await;
    world.reply_in(room, &ada, roots[4], "reply").await;
    world.reply_in(room, &ada, unknown, "reply").await;

    let all = async |person: &Person, limit: usize| -> Vec<u64> {
        let (mut seen, mut cursor) = (Vec::new(), String::new());
        loop {
            let path = format!("/history/conversations/{room}/threads?limit={limit}{cursor}");
            let page: Page<MessageItem> = world.get(person, &path).await.ok();
            assert!(page.items.len() <= limit);
            seen.extend(page.items.iter().map(|item| item.seq));
            match page.next {
                Some(next) => cursor = format!("&cursor={next}"),
                None => return seen,
            }
        }
    };
    let mut of_ben: Vec<u64> = roots.iter().rev().copied().filter(|root| *root != roots[4]).collect();
    of_ben.insert(0, roots[4]);
    let mut of_ada: Vec<u64> =
        roots.iter().rev().copied().filter(|root| ![roots[2], roots[4]].contains(root)).collect();
    of_ada.splice(0..0, [unknown, roots[4], roots[2]]);
    for limit in [1, 3, 11, 12, 13, 200] {
        assert_eq!(all(&ben, limit).await, of_ben, "in pages of {limit}: as far as he knows");
        assert_eq!(all(&ada, limit).await, of_ada, "in pages of {limit}");
    }
}

#[tokio::test]
async fn pinned_messages_come_last_pinned_first() {
    let world = World::new().await;
    let (ada, ben) = (world.person("ada").await, world.person("ben").await);
    let room = world.room(&ada, "harbour", "public").await;
    world.joins(&ben, room).await;
    let mut said = Vec::new();
    for n in 0..5 {
        said.push(world.say_in(room, &ada, &*format!("{n}")).await);
    }
    let mut at = 0;
    for n in [3, 0, 4] {
        at = world.pin_in(room, &ben, said[n]).await;
    }
    let path = format!("/history/conversations/{room}/pins");
    let page: Page<PinItem> = world.get(&ada, &path).await.ok();
    let seqs: Vec<u64> = page.items.iter().map(|item| item.message.seq).collect();
    assert_eq!(seqs, [said[4], said[0], said[3]]);
    assert_eq!((&page.items[0].by, page.items[0].at.0), (&ben.handle(), crate::log::at_ms(at)));
    assert!(page.items.iter().all(|item| item.message.pinned));
    let first: Page<PinItem> = world.get(&ada, &format!("{path}?limit=2")).await.ok();
    let rest: Page<PinItem> = world.get(&ada, &format!("{path}?limit=2&cursor={}", first.next.unwrap())).await.ok();
    assert_eq!((first.items.len(), rest.items.len(), rest.next), (2, 1, None));
    let pinned: Vec<bool> = messages(&world, &ada, room).await.items.iter().map(|item| item.pinned).collect();
    assert_eq!(pinned, [true, false, false, true, true]);
}

#[tokio::test]
async fn a_room_is_in_the_list_with_what_is_unread_and_without_its_people() {
    let world = World::new().await;
    let (ada, ben) = (world.person("ada").await, world.person("ben").await);
    let quiet = world.room(&ada, "quiet", "private").await;
    let room = world.room(&ada, "harbour", "public").await;
    let early = world.say_in(room, &ada, "before").await;
    let joined = world.joins(&ben, room).await;
    let item = list(&world, &ben).await.remove(0);
    assert_eq!((item.kind, item.unread, item.mentions, item.read), (ConversationKind::Room, 0, 0, joined));
    assert_eq!(item.last_activity.0, crate::log::at_ms(joined), "coming in is the last that happened");
    assert_eq!(item.last_message.map(|message| message.seq), Some(early), "it is public");

    let said = world.tell_in(room, &ada, "@ben", Told { mentions: &[&ben], ..Told::default() }).await;
    let all = Told { mentions_room: true, ..Told::default() };
    let last = world.tell_in(room, &ada, "@room", all.clone()).await;
    world.tell_in(room, &ada, "@room", Told { thread: said, ..all }).await;
    let item = list(&world, &ben).await.remove(0);
    assert_eq!((item.unread, item.mentions), (2, 3));
    let message = item.last_message.clone().unwrap();
    assert_eq!((message.seq, message.mentions_room), (last, true));
    assert_eq!(messages(&world, &ben, room).await.items[1].mentions, [ben.handle()]);
    assert_eq!((item.participants.len(), item.markers.len()), (0, 0));
    let shown = item.room.clone().unwrap();
    assert_eq!((shown.name.as_str(), shown.members, shown.role), ("harbour", 2, Some(Role::Member)));
    let one: At<ConversationItem> = world.get(&ben, &format!("/history/conversations/{room}")).await.ok();
    assert_eq!(one.item, item);

    let order: Vec<_> = list(&world, &ada).await.into_iter().map(|item| item.conversation).collect();
    assert_eq!(order, [room, quiet]);
    let mine = list(&world, &ada).await;
    assert_eq!((mine[0].mentions, mine[0].unread), (0, 0), "nobody mentions themselves");
    assert_eq!(mine[1].last_message, None);
    world.archive(room).await;
    assert_eq!(texts(&world, &ben, room).await.len(), 3, "archived, it is read as before");
}

#[tokio::test]
async fn evt3_the_list_does_not_show_what_was_said_before_someone_came() {
    let world = World::new().await;
    let (ada, ben) = (world.person("ada").await, world.person("ben").await);
    let room = world.room(&ada, "cellar", "private").await;
    world.joins(&ben, room).await;
    let heard = world.say_in(room, &ada, "with ben").await;
    world.leaves(&ben, room).await;
    world.say_in(room, &ada, "without").await;
    world.joins(&ben, room).await;
    assert_eq!(list(&world, &ben).await[0].last_message.as_ref().map(|message| message.seq), Some(heard));
    let eve = world.person("eve").await;
    world.joins(&eve, room).await;
    assert_eq!(list(&world, &eve).await[0].last_message, None);
}

#[tokio::test]
async fn a_room_without_its_first_event_is_not_shown_yet() {
    let world = World::new().await;
    let ada = world.person("ada").await;
    let room = ConversationId::from(uuid::Uuid::now_v7());
    world.joins_as(&ada, room, "owner").await;
    assert_eq!(list(&world, &ada).await, []);
    world.get(&ada, &format!("/history/conversations/{room}")).await.is_problem(404, ErrorCode::NotFound);
    world.get(&ada, &format!("/history/rooms/{room}")).await.is_problem(404, ErrorCode::NotFound);
}

#[tokio::test]
async fn members_come_in_pages_with_their_roles() {
    let world = World::new().await;
    let ada = world.person("ada").await;
    let room = world.room(&ada, "harbour", "public").await;
    for n in 0..9 {
        let person = world.person(&format!("p{n}")).await;
        world.joins_as(&person, room, if n % 3 == 0 { "moderator" } else { "member" }).await;
    }
    let all = async |query: &str| -> Vec<MemberItem> {
        let (mut seen, mut cursor) = (Vec::new(), String::new());
        loop {
            let path = format!("/history/conversations/{room}/members?limit=2{query}{cursor}");
            let page: Page<MemberItem> = world.get(&ada, &path).await.ok();
            seen.extend(page.items);
            match page.next {
                Some(next) => cursor = format!("&cursor={next}"),
                None => break,
            }
        }
        seen.sort_by(|a, b| a.user.cmp(&b.user));
        seen
    };
    let handles = async |query: &str| all(query).await.iter().map(|item| item.user.to_string()).collect::<Vec<_>>();
    assert_eq!(all("").await.len(), 10);
    assert_eq!(all("").await[0].role, Some(Role::Owner));
    assert_eq!(handles("&role=owner").await, ["ada"]);
    assert_eq!(handles("&role=moderator").await, ["p0", "p3", "p6"]);
    assert_eq!(handles("&role=member&prefix=p4").await, ["p4"]);
    assert_eq!(handles("&prefix=ad").await, ["ada"]);
    for bad in ["role=boss", "role=", "prefix=%25", "prefix=%00"] {
        let path = format!("/history/conversations/{room}/members?{bad}");
        world.get(&ada, &path).await.is_problem(400, ErrorCode::Invalid);
    }
}

#[tokio::test]
async fn who_is_banned_is_for_moderators_and_owners() {
    let world = World::new().await;
    let (ada, ben, eve) = (world.person("ada").await, world.person("ben").await, world.person("eve").await);
    let room = world.room(&ada, "harbour", "public").await;
    world.joins(&ben, room).await;
    world.run(format!("insert into bans values ('{room}', '{}')", eve.uid.as_uuid())).await;
    let path = format!("/history/conversations/{room}/bans");
    let page: Page<BanItem> = world.get(&ada, &path).await.ok();
    assert_eq!(page.items, [BanItem { user: eve.handle(), display_name: "The eve".into() }]);
    world.get(&ben, &path).await.is_problem(403, ErrorCode::Forbidden);
    world.get(&eve, &path).await.is_problem(403, ErrorCode::NotMember);
    let direct = crate::log::direct(&[&ada, &ben]);
    world.say(&[&ada, &ben], "hi").await;
    world.get(&ada, &format!("/history/conversations/{direct}/bans")).await.is_problem(403, ErrorCode::Forbidden);
}

async fn found(world: &World, person: &Person, query: &str) -> Vec<String> {
    let page: Page<RoomItem> = world.get(person, &format!("/history/rooms?{query}")).await.ok();
    page.items.into_iter().map(|item| item.name).collect()
}

#[tokio::test]
async fn rooms_are_found_by_the_beginnings_of_words() {
    let world = World::new().await;
    let ada = world.person("ada").await;
    for name in ["Web Development", "web-design", "Größe & Hafen", "C++ v2.0", "it's", "natter.dev team", "🎈"] {
        world.room(&ada, name, "public").await;
    }
    world.room(&ada, "Web, secret", "private").await;
    let topical = world.room(&ada, "misc", "public").await;
    world.run(format!("update rooms set topic = 'All about the WEB' where conversation = '{topical}'")).await;
    let archived = world.room(&ada, "web museum", "public").await;
    world.archive(archived).await;

    let found = async |query: &str| found(&world, &ada, query).await;
    assert_eq!(found("q=web").await, ["misc", "Web Development", "web-design"]);
    assert_eq!(found("q=WE%20dev").await, ["Web Development"]);
    assert_eq!(found("q=gr%C3%B6").await, ["Größe & Hafen"]);
    assert_eq!(found("q=GR%C3%96SS").await, Vec::<String>::new());
    assert_eq!(found("q=dev").await, ["natter.dev team", "Web Development"]);
    assert_eq!(found("q=it's").await, ["it's"]);
    assert_eq!(found("q=v2").await, ["C++ v2.0"]);
    assert_eq!(found("q=eb").await, Vec::<String>::new(), "not within a word");
    assert_eq!(found("q=web&archived=true").await, ["web museum"]);
    assert_eq!(found("archived=true").await, ["web museum"]);
    assert_eq!(found("").await.len(), 8);
    assert_eq!(found("q=%20").await.len(), 8, "no words are no question");
    for hostile in
        ["'", "\\", "a%26b", "%21%21", ":*", "a':*|'b", "<->", "%26", "(((", "🎈", "%00%25".trim_start_matches("%00")]
    {
        let answer = world.get(&ada, &format!("/history/rooms?q={hostile}")).await;
        assert_eq!(answer.status, 200, "{hostile}: {:?}", answer.body);
    }
    let long = "x".repeat(101);
    for bad in ["q=%00", &format!("q={long}"), "archived=1", "archived=", "cursor=AAAA", "limit=0", "q=a&q=b"] {
        world.get(&ada, &format!("/history/rooms?{bad}")).await.is_problem(400, ErrorCode::Invalid);
    }
}

#[tokio::test]
async fn hst1_the_directory_comes_page_after_page_by_name() {
    let world = World::new().await;
    let ada = world.person("ada").await;
    let long = "ä".repeat(80);
    let mut names = vec![long.clone(), long, "Zoo".into(), "apes".into(), "Bees".into(), "bees".into(), "ants ".into()];
    for name in &names {
        world.room(&ada, name, "public").await;
    }
    names.sort_by_key(|name| name.to_lowercase());
    for (limit, query) in [(1, ""), (2, ""), (6, ""), (7, ""), (200, ""), (1, "&q=b"), (2, "&q=b")] {
        let (mut seen, mut cursor) = (Vec::new(), String::new());
        loop {
            let path = format!("/history/rooms?limit={limit}{query}{cursor}");
            let page: Page<RoomItem> = world.get(&ada, &path).await.ok();
            seen.extend(page.items.into_iter().map(|item| item.name.to_lowercase()));
            match page.next {
                Some(next) => cursor = format!("&cursor={next}"),
                None => break,
            }
        }
        let all: Vec<_> = names.iter().map(|name| name.to_lowercase()).collect();
        let expected = if query.is_empty() { all } else { vec!["bees".to_owned(), "bees".to_owned()] };
        assert_eq!(seen, expected, "in pages of {limit}{query}");
    }
}
