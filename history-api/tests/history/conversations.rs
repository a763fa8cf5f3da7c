//! `/history/conversations`, `…/{id}` and `…/{id}/members`.

use natter_protocol::ErrorCode;
use natter_protocol::history::{At, ConversationItem, ConversationKind, MemberItem, Page};

use crate::log::{at_ms, direct};
use crate::world::{Person, World};

type Conversations = Page<ConversationItem>;

async fn of(world: &World, person: &Person) -> Conversations {
    world.get(person, "/history/conversations").await.ok()
}

#[tokio::test]
async fn a_conversation_shows_its_last_message_and_how_far_everyone_is() {
    let world = World::new().await;
    let (ada, bob) = (world.person("ada").await, world.person("bob").await);
    let conversation = direct(&[&ada, &bob]);
    let first = world.say(&[&ada, &bob], "one").await;
    world.say(&[&ada, &bob], "two").await;
    let last = world.say(&[&ada, &bob], "three").await;

    let item = &of(&world, &bob).await.items[0];
    assert_eq!((item.conversation, item.kind), (conversation, ConversationKind::Direct));
    assert_eq!(item.participants, [ada.handle(), bob.handle()]);
    assert_eq!((item.unread, item.read, item.mentions), (3, 0, 0));
    assert_eq!((item.last_activity.0, item.last_message.as_ref().unwrap().seq), (at_ms(last), last));
    assert_eq!(item.last_message.as_ref().unwrap().text, "three");
    let ada_there = &item.markers[0];
    assert_eq!((item.markers.len(), &ada_there.user, ada_there.read), (1, &ada.handle(), last));

    let marked = world.mark(&bob, conversation, first).await;
    let page = of(&world, &bob).await;
    assert_eq!((page.items[0].unread, page.items[0].read, page.position), (2, first, world.position(marked)));

    world.run(format!("insert into presence (uid, received_seq) values ('{}', {})", bob.uid.as_uuid(), last - 1)).await;
    let bob_there = |page: Conversations| (page.items[0].markers[0].read, page.items[0].markers[0].delivered);
    assert_eq!(bob_there(of(&world, &ada).await), (first, last - 1));
    assert_eq!(of(&world, &ada).await.items[0].unread, 0, "sending reads up to itself");
    world.run(format!("update presence set received_seq = {}", last + 100)).await;
    assert_eq!(bob_there(of(&world, &ada).await), (first, last), "delivered says nothing of other conversations");
}

#[tokio::test]
async fn one_conversation_is_shown_as_in_the_list() {
    let world = World::new().await;
    let (ada, bob, eve) = (world.person("ada").await, world.person("bob").await, world.person("eve").await);
    world.say(&[&ada, &bob, &eve], "all").await;
    world.say(&[&ada, &bob], "two").await;
    for item in of(&world, &bob).await.items {
        let one: At<ConversationItem> =
            world.get(&bob, &format!("/history/conversations/{}", item.conversation)).await.ok();
        assert_eq!(one.item, item);
        assert_eq!(one.position, world.position(5));
    }
}

#[tokio::test]
async fn hst1_conversations_come_newest_activity_first_page_after_page() {
    let world = World::new().await;
    let ada = world.person("ada").await;
    let mut others = Vec::new();
    for n in 0..23 {
        others.push(world.person(&format!("p{n:02}")).await);
        world.say(&[&others[n], &ada], "hello").await;
    }
    world.say(&[&others[3], &others[4]], "not ada's").await;
    world.say(&[&ada, &others[7]], "again").await;
    let mut expected: Vec<_> = (0..23).rev().filter(|n| *n != 7).collect();
    expected.insert(0, 7);
    let expected: Vec<_> = expected.into_iter().map(|n| direct(&[&ada, &others[n]])).collect();

    for limit in [1, 2, 5, 22, 23, 24, 200] {
        let (mut seen, mut cursor) = (Vec::new(), String::new());
        loop {
            let page: Conversations =
                world.get(&ada, &format!("/history/conversations?limit={limit}{cursor}")).await.ok();
            assert!(page.items.len() <= limit);
            seen.extend(page.items.iter().map(|item| item.conversation));
            match page.next {
                Some(next) => cursor = format!("&cursor={next}"),
                None => break,
            }
        }
        assert_eq!(seen, expected, "in pages of {limit}");
    }
}

#[tokio::test]
async fn who_has_said_and_heard_nothing_has_an_empty_list() {
    let world = World::new().await;
    let (ada, bob, eve) = (world.person("ada").await, world.person("bob").await, world.person("eve").await);
    world.say(&[&ada, &bob], "hello").await;
    let page = of(&world, &eve).await;
    assert_eq!((page.items.len(), page.next, page.position), (0, None, world.position(4)));
}

#[tokio::test]
async fn members_are_the_people_of_a_direct_conversation_in_pages() {
    let world = World::new().await;
    let mut people = Vec::new();
    for n in 0..32 {
        people.push(world.person(&format!("p{n:02}")).await);
    }
    let all: Vec<_> = people.iter().collect();
    world.say(&all, "hello").await;
    world
        .run(format!("update users set handle = null, display_name = null where uid = '{}'", people[5].uid.as_uuid()))
        .await;
    let path = format!("/history/conversations/{}/members", direct(&all));
    for limit in [1, 7, 31, 32, 200] {
        let (mut seen, mut cursor) = (Vec::new(), String::new());
        loop {
            let page: Page<MemberItem> = world.get(&people[0], &format!("{path}?limit={limit}{cursor}")).await.ok();
            seen.extend(page.items);
            match page.next {
                Some(next) => cursor = format!("&cursor={next}"),
                None => break,
            }
        }
        let mut names: Vec<_> = seen.iter().map(|member| format!("{}/{}", member.user, member.display_name)).collect();
        names.sort();
        let mut expected: Vec<_> = (0..32).filter(|n| *n != 5).map(|n| format!("p{n:02}/The p{n:02}")).collect();
        expected.insert(0, "erased-user/erased-user".to_owned());
        assert_eq!(names, expected, "in pages of {limit}");
    }
}

#[tokio::test]
async fn what_is_no_conversations_id_is_no_conversation() {
    let world = World::new().await;
    let ada = world.person("ada").await;
    for id in
        ["x", "0", "00000000-0000-0000-0000-000000000000", "%00", "%ff", "..", "'%20or%20'1'='1", &"a".repeat(5_000)]
    {
        for route in ["", "/members", "/messages"] {
            world.get(&ada, &format!("/history/conversations/{id}{route}")).await.is_problem(404, ErrorCode::NotFound);
        }
    }
}
