//! Accounts and the session that follows (HRT4).

use natter_client::{ConnectError, ErrorCode, Event, HttpError, RefreshCookie, Server, Session, State, StopReason};
use natter_protocol::ClientFrame;
use serde_json::json;

use crate::peer::{Answer, Peer, answer, handle, until, within};

fn tokens(token: &str, expires_in: u64, cookie: Option<&str>) -> Answer {
    let body = json!({"access_token": token, "expires_in": expires_in, "user": "ada"});
    let set = |cookie: &str| ("set-cookie", format!("natter_refresh={cookie}; HttpOnly; SameSite=Strict; Path=/auth"));
    Answer { headers: cookie.map(set).into_iter().collect(), ..answer(200, body) }
}

fn problem(status: u16, code: &str) -> Answer {
    answer(
        status,
        json!({"type": "about:blank", "title": "no", "status": status, "detail": "as the test says", "code": code, "temporary": false}),
    )
}

fn server(peer: &Peer) -> Server {
    peer.url().parse().expect("a URL")
}

#[tokio::test]
async fn registering_logs_in_and_keeps_the_cookie() {
    let mut peer = Peer::start().await;
    peer.will_answer(tokens("t1", 900, Some("c1"))).await;
    let session =
        Session::register(&server(&peer), &handle("ada"), "correct horse", Some("Ada")).await.expect("registers");
    let asked = peer.asked().await;
    assert_eq!((asked.method.as_str(), asked.uri.path()), ("POST", "/auth/register"));
    let body: serde_json::Value = serde_json::from_str(&asked.body).expect("JSON");
    assert_eq!(body, json!({"handle": "ada", "password": "correct horse", "display_name": "Ada"}));
    assert_eq!((session.user(), &*session.access_token()), (&handle("ada"), "t1"));
    assert_eq!(session.cookie().borrow().as_str(), "natter_refresh=c1");
    assert!(!format!("{session:?}").contains("c1") && !format!("{:?}", session.cookie()).contains("c1"));
}

#[tokio::test]
async fn a_wrong_password_is_told_apart_from_no_server() {
    let peer = Peer::start().await;
    peer.will_answer(problem(401, "unauthenticated")).await;
    match peer.builder().login(handle("ada"), "wrong").connect().await {
        Err(ConnectError::Login(error)) => assert_eq!(error.code(), Some(ErrorCode::Unauthenticated)),
        other => panic!("{other:?}"),
    }
    let nowhere: Server = "http://127.0.0.1:1".parse().expect("a URL");
    let error = Session::login(&nowhere, &handle("ada"), "pw").await.expect_err("nobody there");
    assert!(matches!(error, HttpError::Unreachable(_)) && error.is_temporary(), "{error}");
}

#[tokio::test]
async fn an_answer_that_is_none_is_an_error_and_never_a_session() {
    let peer = Peer::start().await;
    let without_cookie = tokens("t1", 900, None);
    let huge = answer(200, "x".repeat(17 << 20));
    for (bad, status) in [(answer(200, "hello"), 200), (without_cookie, 200), (huge, 200), (answer(418, "{}"), 418)] {
        peer.will_answer(Answer { headers: bad.headers, ..bad }).await;
        let error = Session::login(&server(&peer), &handle("ada"), "pw").await.expect_err("no session");
        assert!(matches!(error, HttpError::Unexpected { status: said } if said == status), "{error:?}");
    }
}

#[tokio::test]
async fn a_kept_cookie_goes_on_and_may_be_replaced() {
    let mut peer = Peer::start().await;
    peer.will_answer(tokens("t2", 900, None)).await;
    let session = Session::restore(&server(&peer), &RefreshCookie::new("natter_refresh=c1")).await.expect("restores");
    let asked = peer.asked().await;
    assert_eq!((asked.uri.path(), asked.header("cookie")), ("/auth/refresh", Some("natter_refresh=c1")));
    assert!(asked.header("natter-client").is_some_and(|name| name.starts_with("natter-client/")), "{asked:?}");
    let mut cookie = session.cookie();
    assert_eq!(cookie.borrow_and_update().as_str(), "natter_refresh=c1");
    peer.will_answer(tokens("t3", 900, Some("c2"))).await;
    session.renew().await.expect("renews");
    assert_eq!(&*session.access_token(), "t3");
    within("the new cookie", cookie.changed()).await.expect("lives");
    assert_eq!(cookie.borrow().as_str(), "natter_refresh=c2");
}

#[tokio::test]
async fn logging_out_ends_the_session_on_the_server() {
    let mut peer = Peer::start().await;
    peer.will_answer(tokens("t1", 900, Some("c1"))).await;
    let session = Session::login(&server(&peer), &handle("ada"), "correct horse").await.expect("logs in");
    peer.asked().await;
    peer.will_answer(answer(204, "")).await;
    session.logout().await.expect("logs out");
    let asked = peer.asked().await;
    assert_eq!(asked.uri.path(), "/auth/logout");
    assert_eq!(asked.header("authorization"), Some("Bearer t1"));
    assert_eq!(asked.header("cookie"), Some("natter_refresh=c1"));
}

#[tokio::test]
async fn hrt4_a_session_renews_its_token_in_place_before_it_ends() {
    let mut peer = Peer::start().await;
    peer.will_answer(tokens("t1", 4, Some("c1"))).await;
    let (client, events) = peer.builder().login(handle("ada"), "correct horse").start().await.expect("logs in");
    let mut socket = peer.accept().await;
    peer.will_answer(tokens("t2", 900, None)).await;
    assert_eq!(socket.greet(10).await.token.as_deref(), Some("t1"));
    let renewed = loop {
        match socket.next().await.expect("the socket stays") {
            ClientFrame::Token(token) => break token.token,
            ClientFrame::Applied(_) => {}
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(renewed, "t2");
    drop((client, events));
}

#[tokio::test]
async fn hrt4_4502_refreshes_and_comes_back_at_once() {
    let mut peer = Peer::start().await;
    peer.will_answer(tokens("t1", 900, Some("c1"))).await;
    let builder = peer.builder().login(handle("ada"), "correct horse");
    let (_client, _events, socket) = peer.live_with(builder).await;
    peer.will_answer(tokens("t2", 900, None)).await;
    socket.close(4502).await;
    assert_eq!(peer.accept().await.hello().await.token.as_deref(), Some("t2"));
}

#[tokio::test]
async fn hrt4_a_login_that_has_ended_stops_the_client() {
    let mut peer = Peer::start().await;
    peer.will_answer(tokens("t1", 900, Some("c1"))).await;
    let builder = peer.builder().login(handle("ada"), "correct horse");
    let (_client, mut events, socket) = peer.live_with(builder).await;
    peer.will_answer(problem(401, "unauthenticated")).await;
    socket.close(4502).await;
    until(&mut events, |event| matches!(event, Event::State(State::Stopped(StopReason::LoginEnded)))).await;
}

#[tokio::test]
async fn an_upgrade_that_is_refused_for_good_is_told() {
    let peer = Peer::start().await;
    peer.will_answer(answer(403, "")).await;
    match within("an answer", peer.builder().connect()).await {
        Err(ConnectError::Stopped(StopReason::Refused { status: 403 })) => {}
        other => panic!("{other:?}"),
    }
    peer.will_answer(answer(401, "")).await;
    match within("an answer", peer.builder().connect()).await {
        Err(ConnectError::Stopped(StopReason::LoginEnded)) => {}
        other => panic!("{other:?}"),
    }
}
