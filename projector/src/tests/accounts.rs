//! Accounts and the revocations of their logins.

use std::collections::HashSet;

use natter_events::{Revocation, RevokedSessions, SessionId};
use uuid::Uuid;

use super::paper::{JANUARY_MS, Paper, Person, projected};
use super::tables::{number, rows};

type User = (Option<String>, Option<String>, i64);
const USERS: &str = "select handle, display_name, account_seq from users order by account_seq";

#[tokio::test]
async fn an_account_is_what_its_last_event_says() {
    let ada = Person::new();
    let mut paper = Paper::new(&[&ada]);
    paper.append(&ada.registered("ada", JANUARY_MS));
    let revocation = Revocation { at_ms: JANUARY_MS, which: RevokedSessions::All };
    let mut record = ada.revoked("ada", JANUARY_MS, vec![revocation]);
    if let natter_events::Event::SessionsRevoked(event) = &mut record.event {
        event.account.display_name = None;
        event.account.suspended = true;
    }
    paper.append(&record);
    for sizes in [[10], [1]] {
        let database = projected(&paper, &sizes).await;
        let users: Vec<User> = rows(&database, USERS).await;
        assert_eq!(users, [(Some("ada".to_owned()), None, 2)]);
        assert_eq!(number(&database, "select count(*) from users where suspended").await, 1);
        let registered = number(&database, "select (extract(epoch from registered_at) * 1000)::int8 from users").await;
        assert_eq!(registered, JANUARY_MS);
    }
}

#[tokio::test]
async fn a_handle_is_the_later_accounts_and_two_may_swap() {
    let (ada, ben) = (Person::new(), Person::new());
    let mut paper = Paper::new(&[&ada, &ben]);
    paper.append(&ada.registered("ada", JANUARY_MS));
    paper.append(&ben.registered("ben", JANUARY_MS));
    for sizes in [[10], [1]] {
        let mut taken = paper.clone();
        taken.append(&ben.registered("ada", JANUARY_MS));
        let users: Vec<User> = rows(&projected(&taken, &sizes).await, USERS).await;
        assert_eq!(users.iter().map(|user| user.0.as_deref()).collect::<Vec<_>>(), [None, Some("ada")]);

        let mut swapped = paper.clone();
        swapped.append(&ada.registered("tmp", JANUARY_MS));
        swapped.append(&ben.registered("ada", JANUARY_MS));
        swapped.append(&ada.registered("ben", JANUARY_MS));
        let users: Vec<User> = rows(&projected(&swapped, &sizes).await, USERS).await;
        assert_eq!(users.iter().map(|user| user.0.as_deref()).collect::<Vec<_>>(), [Some("ada"), Some("ben")]);
    }
}

#[tokio::test]
async fn hrt4_revocations_are_those_of_the_last_event_until_their_tokens_have_ended() {
    let (ada, ben) = (Person::new(), Person::new());
    let mut paper = Paper::new(&[&ada, &ben]);
    let (one, kept) = (SessionId::random(), SessionId::random());
    let first = Revocation { at_ms: JANUARY_MS, which: RevokedSessions::One(one) };
    let second = Revocation { at_ms: JANUARY_MS + 60_000, which: RevokedSessions::AllBut(kept) };
    paper.append(&ada.revoked("ada", JANUARY_MS, vec![first.clone()]));
    paper.append(&ada.revoked("ada", JANUARY_MS, vec![first, second]));
    let third = Revocation { at_ms: JANUARY_MS, which: RevokedSessions::All };
    paper.append(&ben.revoked("ben", JANUARY_MS, vec![third]));
    let revocations = "select which, session, uid from revocations order by which desc";
    for sizes in [[10], [1]] {
        let found: Vec<(String, Option<Uuid>, Uuid)> = rows(&projected(&paper, &sizes).await, revocations).await;
        let expected =
            [("one", Some(one.as_uuid()), ada.uid), ("all_but", Some(kept.as_uuid()), ada.uid), ("all", None, ben.uid)];
        assert_eq!(found, expected.map(|(which, session, uid)| (which.to_owned(), session, uid.as_uuid())));

        let mut later = paper.clone();
        later.now_ms += 23 * 3600 * 1000;
        later.append(&ada.says(&[], "hi"));
        assert_eq!(number(&projected(&later, &sizes).await, "select count(*) from revocations").await, 3);
        later.now_ms += 3 * 3600 * 1000;
        later.append(&ada.says(&[], "hi"));
        assert_eq!(number(&projected(&later, &sizes).await, "select count(*) from revocations").await, 0);
    }
}

#[tokio::test]
async fn cmd7_blocks_are_those_of_the_last_event_and_told_to_their_owner_alone() {
    let (ada, ben, eve) = (Person::new(), Person::new(), Person::new());
    let mut paper = Paper::new(&[&ada, &ben, &eve]);
    paper.append(&ada.registered("ada", JANUARY_MS));
    paper.append(&ben.registered("ben", JANUARY_MS));
    paper.append(&ben.blocks("ben", &[ada.uid], ada.uid, true));
    paper.append(&ada.blocks("ada", &[ben.uid], ben.uid, true));
    paper.append(&ada.blocks("ada", &[ben.uid, eve.uid], eve.uid, true));
    paper.append(&ada.blocks("ada", &[eve.uid], ben.uid, false));
    for sizes in [[10], [1]] {
        let database = projected(&paper, &sizes).await;
        let blocks: Vec<(Uuid, Uuid)> = rows(&database, "select uid, blocked from blocks").await;
        let expected = [(ben.uid, ada.uid), (ada.uid, eve.uid)].map(|(uid, user)| (uid.as_uuid(), user.as_uuid()));
        assert_eq!(blocks.into_iter().collect::<HashSet<_>>(), expected.into());
        let changes: Vec<(i64, Uuid, Uuid, bool)> =
            rows(&database, "select seq, only_for, target, blocked from changes where kind = 'block' order by seq")
                .await;
        let told = [(3, &ben, &ada, true), (4, &ada, &ben, true), (5, &ada, &eve, true), (6, &ada, &ben, false)];
        assert_eq!(changes, told.map(|(seq, to, of, blocked)| (seq, to.uid.as_uuid(), of.uid.as_uuid(), blocked)));
        assert_eq!(number(&database, "select count(*) from commands where fingerprint is not null").await, 4);
    }
}

#[tokio::test]
async fn a_profile_is_that_of_the_last_event_and_told_to_its_owner_alone() {
    let ada = Person::new();
    let mut paper = Paper::new(&[&ada]);
    paper.append(&ada.registered("ada", JANUARY_MS));
    paper.append(&ada.is_called("ada", Some("Ada Lovelace")));
    paper.append(&ada.is_called("ada", None));
    paper.append(&ada.is_called("ada", Some("Countess")));
    for sizes in [[10], [1]] {
        let database = projected(&paper, &sizes).await;
        let names: Vec<(String,)> = rows(&database, "select display_name from users").await;
        assert_eq!(names, [("Countess".to_owned(),)]);
        let told: Vec<(i64, Uuid, Option<String>)> =
            rows(&database, "select seq, only_for, name from changes where kind = 'profile' order by seq").await;
        let expected = [(2, Some("Ada Lovelace")), (3, None), (4, Some("Countess"))];
        assert_eq!(told, expected.map(|(seq, name)| (seq, ada.uid.as_uuid(), name.map(str::to_owned))));
        assert_eq!(number(&database, "select count(*) from commands where fingerprint is not null").await, 3);
    }
}

#[tokio::test]
async fn preferences_are_those_of_the_last_event_and_told_to_their_owner_alone() {
    let (ada, ben) = (Person::new(), Person::new());
    let mut paper = Paper::new(&[&ada, &ben]);
    let conversation = natter_events::ConversationId::direct(&[ada.uid, ben.uid]);
    paper.append(&ada.says(&[ben.uid], "hi"));
    paper.append(&ada.prefers(conversation, r#"{"muted":true}"#));
    paper.append(&ben.prefers(conversation, r#"{"hidden":true}"#));
    paper.append(&ada.prefers(conversation, r#"{"starred":true}"#));
    for sizes in [[10], [1]] {
        let database = projected(&paper, &sizes).await;
        let now: Vec<(Uuid, i64, String)> =
            rows(&database, "select uid, seq, preferences from preferences order by seq").await;
        let expected = [(&ben, 3, r#"{"hidden":true}"#), (&ada, 4, r#"{"starred":true}"#)];
        assert_eq!(now, expected.map(|(who, seq, json)| (who.uid.as_uuid(), seq, json.to_owned())));
        let told: Vec<(i64, Uuid, Uuid)> =
            rows(&database, "select seq, only_for, conversation from changes where kind = 'preferences' order by seq")
                .await;
        let expected = [(2, &ada), (3, &ben), (4, &ada)];
        assert_eq!(told, expected.map(|(seq, who)| (seq, who.uid.as_uuid(), conversation.as_uuid())));
    }
    paper.erase(&ada);
    let database = projected(&paper, &[10]).await;
    let gone: Vec<(Option<String>,)> = rows(&database, "select preferences from preferences where seq = 4").await;
    assert_eq!(gone, [(None,)], "D13");
}
