//! Who may act: the state of accounts, and tokens.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use natter_events::{
    Account, ContentKey, Field, KeyId, Record, Revocation, RevokedSessions, SessionId, SessionsRevoked, Subject, Uid,
    UserRegistered,
};
use natter_gateway::accounts::{AccountError, Accounts, Refused};
use natter_gateway::copies::CopyError;
use natter_platform::tokens::{self, DEFAULT_LIFETIME, PrivateKey, Realm, Signer, TokenError};

use crate::harness::{PASSWORD, PATIENCE, World};

/// The account's next event: another revocation, or a suspension.
async fn next_event(world: &World, uid: Uid, suspended: bool) -> Record {
    let mut account = world.account(uid).await;
    let key: KeyId = world.account_events(uid).await[0].envelope.key.unwrap();
    let revocation = Revocation { at_ms: 0, which: RevokedSessions::One(SessionId::random()) };
    account.revocations.push(revocation.clone());
    account.suspended = suspended;
    Record::new(uid, SessionsRevoked { revocation, account }).to(&[uid]).sealed_with(key)
}

#[tokio::test]
async fn hrt4_a_suspended_account_is_refused_everywhere_and_may_come_back() {
    let world = World::new().await;
    let doors = [world.door().await, world.door().await];
    let login = doors[0].register("ada").await.expect(201);
    let uid = doors[0].claims(&login).uid;
    doors[1].whoami(login.token()).await.expect(200);
    world.append(&next_event(&world, uid, true).await).await;
    for door in &doors {
        door.refuses(login.token()).await;
        assert_eq!(door.login("ada", PASSWORD).await.problem(), (403, "forbidden"));
        let refused = door.refresh(login.cookie()).await;
        assert_eq!(refused.problem(), (403, "forbidden"));
        assert!(refused.cookie.is_none());
    }
    assert_eq!(doors[0].login("ada", "not the password").await.status, 401, "only who knows the password is told");
    world.append(&next_event(&world, uid, false).await).await;
    natter_testkit::eventually("the account is back", PATIENCE, async || {
        match doors[0].login("ada", PASSWORD).await.status {
            200 => Ok(()),
            status => Err(status),
        }
    })
    .await;
}

#[tokio::test]
async fn hrt4_a_token_is_good_only_from_our_key_for_an_account_that_is_there_and_until_it_expires() {
    let (world, hands) = World::with_hands().await;
    let door = world.door().await;
    let login = door.register("ada").await.expect(201);
    let claims = door.claims(&login);
    let subject = |uid, handle: &str| tokens::Subject::new(uid, claims.session, handle);
    let (good, _) = world.signer().mint(subject(claims.uid, "ada")).unwrap();
    let (unknown, _) = world.signer().mint(subject(Uid::random(), "ada")).unwrap();
    let (no_handle, _) = world.signer().mint(subject(claims.uid, "No Handle")).unwrap();
    let foreign = PrivateKey::generate().unwrap();
    let foreign = Signer::new(&foreign, Realm::default(), DEFAULT_LIFETIME, &world.clock).unwrap();
    let (foreign, _) = foreign.mint(subject(claims.uid, "ada")).unwrap();

    let authenticated = door.service.authenticate_token(&good).await.unwrap();
    assert_eq!((authenticated.claims.uid, authenticated.handle.as_str()), (claims.uid, "ada"));
    assert!(matches!(door.service.authenticate_token(&unknown).await, Err(Refused::Unknown)));
    assert!(matches!(door.service.authenticate_token(&no_handle).await, Err(Refused::Token(TokenError::Invalid))));
    assert!(matches!(door.service.authenticate_token(&foreign).await, Err(Refused::Token(TokenError::UnknownKey))));
    assert!(matches!(door.service.authenticate_token("").await, Err(Refused::Token(TokenError::Invalid))));
    for refused in [&unknown, &no_handle, &foreign] {
        assert_eq!(door.whoami(refused).await.problem(), (401, "unauthenticated"));
    }
    hands.advance(DEFAULT_LIFETIME + Duration::from_secs(6));
    assert!(matches!(door.service.authenticate_token(&good).await, Err(Refused::Token(TokenError::Expired))));
    assert_eq!(door.whoami(&good).await.problem(), (401, "unauthenticated"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn d5_an_event_between_reading_an_account_and_entering_it_is_not_missed() {
    let world = World::new().await;
    let uid = register(&world).await;
    let next = next_event(&world, uid, false).await;
    let (asked, mut questions) = tokio::sync::mpsc::unbounded_channel();
    let (tell, told) = std::sync::mpsc::channel();
    let (told, tail) = (Mutex::new(told), AtomicU64::new(0));
    let newer = move |_: Subject, seq: u64| {
        // The account is read and entered. Only now the next event happens, and the feed puts it into the tail.
        if tail.load(Ordering::SeqCst) == 0 {
            asked.send(seq).unwrap();
            tail.store(told.lock().unwrap().recv_timeout(PATIENCE).unwrap(), Ordering::SeqCst);
        }
        tail.load(Ordering::SeqCst) > seq
    };
    let accounts = Arc::new(Accounts::new(world.log.clone(), 10, Arc::new(newer)));
    let load = tokio::spawn({
        let accounts = accounts.clone();
        async move { accounts.get(uid).await.unwrap().unwrap() }
    });
    let read = tokio::time::timeout(PATIENCE, questions.recv()).await.expect("the tail is asked").unwrap();
    let seq = world.append(&next).await;
    assert!(seq > read);
    tell.send(seq).unwrap();
    let state = load.await.unwrap();
    assert_eq!((state.seq, state.account.revocations.len()), (seq, 1));
    assert_eq!(accounts.get(uid).await.unwrap().unwrap().seq, seq);
}

#[tokio::test]
async fn d5_a_copy_only_ever_gets_newer_and_only_what_is_asked_for_is_kept() {
    let world = World::new().await;
    let (ada, bob) = (register(&world).await, Uid::random());
    let accounts = Accounts::new(world.log.clone(), 10, Arc::new(|_, _| false));
    let next = next_event(&world, ada, false).await;
    let before = accounts.get(ada).await.unwrap().unwrap();
    accounts.apply(ada, before.seq, &next);
    assert_eq!(accounts.get(ada).await.unwrap().unwrap(), before, "the same event again");
    accounts.apply(ada, before.seq + 5, &next);
    accounts.apply(ada, before.seq + 3, &world.account_events(ada).await[0]);
    let after = accounts.get(ada).await.unwrap().unwrap();
    assert_eq!((after.seq, after.account.revocations.len()), (before.seq + 5, 1));
    // Applied to nobody who was asked for: the log is what answers.
    accounts.apply(bob, 9, &next);
    assert_eq!(accounts.get(bob).await.unwrap(), None);
    // A read from the log does not take a newer copy back.
    assert_eq!(accounts.load(ada).await.unwrap().unwrap().seq, before.seq + 5);
}

#[tokio::test]
async fn d5_an_account_that_the_log_never_shows_as_new_as_the_tail_is_an_error_and_no_endless_wait() {
    let world = World::new().await;
    let uid = register(&world).await;
    let asked = Arc::new(AtomicU64::new(0));
    let count = asked.clone();
    let newer = move |_: Subject, _: u64| count.fetch_add(1, Ordering::SeqCst) < u64::MAX;
    let accounts = Accounts::new(world.log.clone(), 10, Arc::new(newer));
    assert!(matches!(accounts.get(uid).await, Err(AccountError::Copy(CopyError::Read(_)))));
    assert!(asked.load(Ordering::SeqCst) < 1_000);
}

#[tokio::test]
async fn an_account_event_that_does_not_read_is_an_error_that_names_it() {
    let world = World::new().await;
    let door = world.door().await;
    let login = door.register("ada").await.expect(201);
    let uid = door.claims(&login).uid;
    let mut later = next_event(&world, uid, false).await;
    later.envelope.version = 99;
    let seq = world.append(&later).await;
    let fresh = world.door().await;
    let error = fresh.service.accounts.get(uid).await.unwrap_err();
    assert!(error.to_string().contains(&format!("at {seq} ")), "{error}");
    assert_eq!(fresh.whoami(login.token()).await.problem(), (500, "internal"));

    let mut keyless = next_event_of(uid);
    keyless.envelope.key = None;
    world.append(&keyless).await;
    assert!(matches!(fresh.service.accounts.get(uid).await, Err(AccountError::Copy(CopyError::NoState { .. }))));
}

#[tokio::test]
async fn d5_accounts_in_memory_are_bounded() {
    let world = World::new().await;
    let door = world.door_with(|config| config.max_cached_accounts = 0).await;
    let login = door.register("ada").await.expect(201);
    door.whoami(login.token()).await.expect(200);
    door.logout(login.cookie()).await.expect(204);
    assert_eq!(door.whoami(login.token()).await.status, 401, "what is not kept is read again");
}

async fn register(world: &World) -> Uid {
    let door = world.door().await;
    door.claims(&door.register("ada").await.expect(201)).uid
}

fn next_event_of(uid: Uid) -> Record {
    let key = ContentKey::random();
    let account = Account {
        handle: key.seal(uid, Field::Handle, b"ada"),
        display_name: None,
        registered_at_ms: 0,
        suspended: false,
        revocations: Vec::new(),
        blocks: Vec::new(),
    };
    Record::new(uid, UserRegistered { account }).to(&[uid]).sealed_with(KeyId::random())
}
