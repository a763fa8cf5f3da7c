//! What nobody means well with.

use std::sync::{Arc, Mutex};

use serde_json::json;
use tracing_subscriber::fmt::MakeWriter;

use crate::harness::{PASSWORD, World, answer};

const PATHS: [&str; 2] = ["/auth/register", "/auth/login"];

#[tokio::test]
async fn malformed_bodies_are_refused_with_what_is_wrong() {
    let world = World::new().await;
    let door = world.door().await;
    let long = "x".repeat(1025);
    let bad = [
        json!({}),
        json!([]),
        json!(null),
        json!("ada"),
        json!({ "handle": "ada" }),
        json!({ "password": PASSWORD }),
        json!({ "handle": 7, "password": PASSWORD }),
        json!({ "handle": "ada", "password": 12345678 }),
        json!({ "handle": "ada", "password": "1234567" }),
        json!({ "handle": "ada", "password": long }),
    ];
    let handles = ["", "a", "Ada", "a b", "a.b", "*", ">", "../ada", "ada\0", "ada\n", "-ada", "ädä", &"a".repeat(33)];
    let handles = handles.iter().map(|handle| json!({ "handle": handle, "password": PASSWORD }));
    for body in bad.into_iter().chain(handles) {
        for path in PATHS {
            let refused = answer(door.request(path).json(&body)).await;
            assert_eq!(refused.problem(), (400, "invalid"), "{path} {body}");
            assert_eq!(refused.headers["content-type"], "application/problem+json");
            assert!(refused.body["detail"].as_str().is_some_and(|detail| !detail.is_empty()), "{refused:?}");
        }
    }
    for name in ["", "   ", "a\nb", "\u{0}", &"x".repeat(65)] {
        let body = json!({ "handle": "ada", "password": PASSWORD, "display_name": name });
        assert_eq!(answer(door.request("/auth/register").json(&body)).await.problem(), (400, "invalid"), "{name:?}");
    }
    for raw in ["", "{", "{\"handle\":\"ada\",", "\u{0}\u{0}", &"[".repeat(5_000)] {
        for path in PATHS {
            let request = door.request(path).header("content-type", "application/json").body(raw.to_owned());
            assert_eq!(answer(request).await.problem(), (400, "invalid"), "{path} {raw:.20}");
        }
    }
}

#[tokio::test]
async fn a_body_that_is_too_large_or_of_another_type_is_refused() {
    let world = World::new().await;
    let door = world.door().await;
    let large = json!({ "handle": "ada", "password": PASSWORD, "padding": "x".repeat(20_000) });
    let form = "handle=ada&password=correct+horse+battery";
    for path in PATHS {
        assert_eq!(answer(door.request(path).json(&large)).await.problem(), (413, "too_large"));
        let form = door.request(path).header("content-type", "application/x-www-form-urlencoded").body(form);
        assert_eq!(answer(form).await.problem(), (415, "invalid"));
        let bare = door.request(path).body(json!({ "handle": "ada", "password": PASSWORD }).to_string());
        assert_eq!(answer(bare).await.problem(), (415, "invalid"), "a page of another site may send this type unasked");
    }
    door.register("ada").await.expect(201);
    let longest = "\u{1}".repeat(1024);
    let body = json!({ "current": PASSWORD, "new": longest });
    let login = door.login("ada", PASSWORD).await.expect(200);
    door.post("/auth/password", None, Some(login.token()), body).await.expect(204);
    door.login("ada", &longest).await.expect(200);
}

#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl std::io::Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Lines {
    type Writer = Lines;

    fn make_writer(&'a self) -> Lines {
        self.clone()
    }
}

#[tokio::test]
async fn nothing_secret_is_ever_logged() {
    let lines = Lines::default();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_writer(lines.clone())
        .with_ansi(false)
        .finish();
    // This test's runtime is this thread.
    let _guard = tracing::subscriber::set_default(subscriber);
    let (world, hands) = World::with_hands().await;
    let door = world.door().await;
    let new = "another horse, another battery";
    let login = door.register("ada").await.expect(201);
    let renewed = door.refresh(login.cookie()).await.expect(200);
    door.login("ada", "not the password").await.expect(401);
    door.change_password(login.token(), PASSWORD, new).await.expect(204);
    door.whoami("not.a.token").await.expect(401);
    hands.advance(std::time::Duration::from_secs(61));
    door.refresh(login.cookie()).await.expect(401);
    world.put(natter_log::Bucket::Credentials, "ada", format!("{{\"phc\":\"{new}\"")).await;
    door.login("ada", new).await.expect(500);
    world.broker.kill().await;
    door.login("ada", new).await.expect(503);

    let logged = String::from_utf8(lines.0.lock().unwrap().clone()).unwrap();
    for expected in ["came back after it was replaced", "a request failed", "can't be served now"] {
        assert!(logged.contains(expected), "{expected:?} is not among {logged}");
    }
    let cookies = [login.cookie(), renewed.cookie()].map(|cookie| cookie.split_once('.').unwrap().1);
    let tokens = [login.token(), renewed.token()].map(|token| token.rsplit_once('.').unwrap().1);
    for secret in
        [PASSWORD, new, "not the password", "$argon2", world.broker.password()].into_iter().chain(cookies).chain(tokens)
    {
        assert!(!logged.contains(secret), "{secret} is logged");
    }
}
