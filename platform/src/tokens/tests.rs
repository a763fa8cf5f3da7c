use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::FromRef;
use axum::routing::get;
use axum::{Router, body::to_bytes};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::{Request, StatusCode, header::AUTHORIZATION};
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use natter_events::{SessionId, Uid};
use proptest::prelude::*;
use serde_json::{Value, json};
use tower::ServiceExt;

use super::*;
use crate::secret::Secret;
use crate::{Clock, ManualClock};

const NOW_S: u64 = 1_790_000_000;

struct Deployment {
    key: PrivateKey,
    clock: Clock,
    hands: ManualClock,
    signer: Signer,
    verifier: Verifier,
}

fn deployment() -> Deployment {
    let (clock, hands) = Clock::manual(NOW_S * 1000);
    let key = PrivateKey::generate().expect("a key");
    let signer = Signer::new(&key, Realm::default(), DEFAULT_LIFETIME, &clock).expect("a signer");
    let verifier = Verifier::new([key.public()], &Realm::default(), &clock);
    Deployment { key, clock, hands, signer, verifier }
}

fn alice() -> Subject {
    Subject::new(Uid::random(), SessionId::random(), "alice")
}

/// A token with these claims, signed with the deployment's key as anyone who has it could.
fn signed(deployment: &Deployment, header: &Header, claims: &Value) -> String {
    let key = EncodingKey::from_ed_der(&deployment.key.to_der().expect("der"));
    jsonwebtoken::encode(header, claims, &key).expect("encodes")
}

fn header_of(deployment: &Deployment) -> Header {
    Header { kid: Some(deployment.key.public().kid()), ..Header::new(Algorithm::EdDSA) }
}

fn claims_of(deployment: &Deployment) -> Value {
    serde_json::to_value(deployment.signer.mint(alice()).expect("minted").1).expect("encodes")
}

#[test]
fn what_is_minted_verifies_and_says_the_same() {
    let d = deployment();
    let subject = Subject { rate: Some(500), role: Some(Role::Operator), ..alice() };
    let (token, claims) = d.signer.mint(subject.clone()).expect("minted");
    assert_eq!(d.verifier.verify(&token), Ok(claims.clone()));
    assert_eq!((claims.uid, claims.session, claims.handle.as_str()), (subject.uid, subject.session, "alice"));
    assert_eq!((claims.rate, claims.is_operator()), (Some(500), true));
    assert_eq!((claims.iat, claims.nbf, claims.exp), (NOW_S, NOW_S, NOW_S + 900));
    assert!(!d.signer.mint(alice()).expect("minted").1.is_operator());
}

#[test]
fn a_token_carries_ids_in_their_one_spelling() {
    let claims = claims_of(&deployment());
    for name in ["sub", "sid"] {
        let id = claims[name].as_str().expect("text");
        assert!(id.len() == 32 && id.bytes().all(|b| b.is_ascii_hexdigit()), "{name}: {id}");
    }
}

#[test]
fn a_token_ends_at_its_time_with_five_seconds_of_leeway_and_says_expired() {
    let d = deployment();
    let (token, claims) = d.signer.mint(alice()).expect("minted");
    d.hands.set_ms((claims.exp + 5) * 1000 - 1);
    assert_eq!(d.verifier.verify(&token), Ok(claims.clone()));
    d.hands.set_ms((claims.exp + 5) * 1000);
    assert_eq!(d.verifier.verify(&token), Err(TokenError::Expired));
}

#[test]
fn a_token_from_the_future_is_not_valid_yet() {
    let d = deployment();
    let (token, claims) = d.signer.mint(alice()).expect("minted");
    d.hands.set_ms((NOW_S - 5) * 1000);
    assert_eq!(d.verifier.verify(&token), Ok(claims));
    d.hands.set_ms((NOW_S - 6) * 1000);
    assert_eq!(d.verifier.verify(&token), Err(TokenError::NotYetValid));
}

#[test]
fn every_claim_that_is_needed_is_required_and_checked() {
    let d = deployment();
    let good = claims_of(&d);
    assert!(d.verifier.verify(&signed(&d, &header_of(&d), &good)).is_ok());
    let changed = [
        ("exp", [Value::Null, json!("soon"), json!(-1), json!(1.5)]),
        ("nbf", [Value::Null, json!("now"), json!(-1), json!({})]),
        ("iat", [Value::Null, json!("now"), json!(-1), json!([])]),
        ("iss", [Value::Null, json!("someone else"), json!(""), json!(["natter", "x"])]),
        ("aud", [Value::Null, json!("something else"), json!(""), json!(["natter"])]),
        ("sub", [Value::Null, json!("alice"), json!(Uid::random().as_uuid()), json!(7)]),
        ("sid", [Value::Null, json!(""), json!(SessionId::random().as_uuid()), json!(7)]),
        ("handle", [Value::Null, json!(7), json!([]), json!({})]),
        ("rate", [json!(-1), json!("many"), json!(1u64 << 32), json!([])]),
    ];
    for (name, values) in changed {
        for value in values {
            let mut claims = good.clone();
            claims[name] = value.clone();
            let verdict = d.verifier.verify(&signed(&d, &header_of(&d), &claims));
            assert_eq!(verdict, Err(TokenError::Invalid), "{name} = {value}");
        }
        if name != "rate" {
            let mut claims = good.clone();
            claims.as_object_mut().expect("an object").remove(name);
            let verdict = d.verifier.verify(&signed(&d, &header_of(&d), &claims));
            assert_eq!(verdict, Err(TokenError::Invalid), "without {name}");
        }
    }
}

#[test]
fn a_role_of_a_later_version_gives_nothing() {
    let d = deployment();
    let mut claims = claims_of(&d);
    claims["role"] = json!("emperor");
    let claims = d.verifier.verify(&signed(&d, &header_of(&d), &claims)).expect("still good");
    assert!(!claims.is_operator());
}

#[test]
fn only_ed25519_signatures_of_known_keys_count() {
    let d = deployment();
    let claims = claims_of(&d);
    let other = PrivateKey::generate().expect("a key");
    let forged = EncodingKey::from_ed_der(&other.to_der().expect("der"));
    let forged = jsonwebtoken::encode(&header_of(&d), &claims, &forged).expect("encodes");
    assert_eq!(d.verifier.verify(&forged), Err(TokenError::Invalid));

    let unknown = Header { kid: Some(other.public().kid()), ..Header::new(Algorithm::EdDSA) };
    assert_eq!(d.verifier.verify(&signed(&d, &unknown, &claims)), Err(TokenError::UnknownKey));
    assert_eq!(d.verifier.verify(&signed(&d, &Header::new(Algorithm::EdDSA), &claims)), Err(TokenError::UnknownKey));

    // The old tricks: no algorithm, and the public key as the secret of a symmetric one.
    let kid = d.key.public().kid();
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let none = format!("{}.{}.", part(&json!({"alg": "none", "kid": kid})), part(&claims));
    assert_eq!(d.verifier.verify(&none), Err(TokenError::Invalid));
    let symmetric = Header { kid: Some(kid), ..Header::new(Algorithm::HS256) };
    for secret in [d.key.public().as_bytes().as_slice(), d.key.public().pem().expect("pem").as_bytes()] {
        let token = jsonwebtoken::encode(&symmetric, &claims, &EncodingKey::from_secret(secret)).expect("encodes");
        assert_eq!(d.verifier.verify(&token), Err(TokenError::Invalid));
    }
}

#[test]
fn a_token_with_critical_extensions_is_refused() {
    let d = deployment();
    let header = Header { crit: Some(vec!["b64".to_owned()]), ..header_of(&d) };
    assert_eq!(d.verifier.verify(&signed(&d, &header, &claims_of(&d))), Err(TokenError::Invalid));
}

#[test]
fn a_token_that_is_too_long_is_not_looked_at() {
    let d = deployment();
    let mut subject = alice();
    subject.handle = "a".repeat(MAX_TOKEN_BYTES);
    let (token, _) = d.signer.mint(subject).expect("minted");
    assert_eq!(d.verifier.verify(&token), Err(TokenError::Invalid));
}

#[test]
fn keys_are_rotated_by_listing_both() {
    let d = deployment();
    let next = PrivateKey::generate().expect("a key");
    let (old_token, old_claims) = d.signer.mint(alice()).expect("minted");
    let signer = Signer::new(&next, Realm::default(), DEFAULT_LIFETIME, &d.clock).expect("a signer");
    let (new_token, new_claims) = signer.mint(alice()).expect("minted");

    let pem = format!(
        "the old one\n{}\r\n# the new one\n{}",
        d.key.public().pem().expect("pem"),
        next.public().pem().expect("pem")
    );
    let keys = PublicKey::all_from_pem(&pem).expect("two keys");
    assert_eq!(keys, [d.key.public(), next.public()]);
    let both = Verifier::new(keys, &Realm::default(), &d.clock);
    assert_eq!((both.verify(&old_token), both.verify(&new_token)), (Ok(old_claims), Ok(new_claims)));
    let only_next = Verifier::new([next.public()], &Realm::default(), &d.clock);
    assert_eq!(only_next.verify(&old_token), Err(TokenError::UnknownKey));
}

proptest! {
    #[test]
    fn anything_else_is_refused_without_a_panic(token in "\\PC{0,200}|([A-Za-z0-9_-]{0,60}\\.){0,4}[A-Za-z0-9_-]{0,60}") {
        prop_assert!(deployment().verifier.verify(&token).is_err());
    }

    #[test]
    fn a_token_with_any_one_character_changed_is_refused(at in 0usize..400, to in "[A-Za-z0-9_.-]") {
        let d = deployment();
        let (token, claims) = d.signer.mint(alice()).expect("minted");
        let at = at % token.len();
        let mut changed = token.clone();
        changed.replace_range(at..=at, &to);
        // The last character of a part may have bits that say nothing; then it reads the same or not at all.
        let verdict = d.verifier.verify(&changed);
        prop_assert!(changed == token || verdict.is_err() || verdict == Ok(claims));
    }
}

#[test]
fn a_private_key_is_written_once_for_its_owner_and_read_back() {
    let dir = tempfile::tempdir().expect("a folder");
    let path = dir.path().join("token.key");
    let key = PrivateKey::read_or_create(&path).expect("created");
    assert_eq!(fs::metadata(&path).expect("there").permissions().mode() & 0o777, 0o600);
    assert_eq!(PrivateKey::read_or_create(&path).expect("read").public(), key.public());
    let error = PrivateKey::generate().expect("a key").write_new(&path).expect_err("it exists");
    assert!(matches!(&error, KeyError::File { what: "write", .. }), "{error}");
    assert_eq!(PrivateKey::read(&path).expect("unharmed").public(), key.public());
    assert_eq!(fs::read_dir(dir.path()).expect("a folder").count(), 1, "something was left behind");
}

#[test]
fn processes_that_create_the_key_at_once_end_up_with_one() {
    let dir = tempfile::tempdir().expect("a folder");
    let path = dir.path().join("token.key");
    let kids: Vec<String> = std::thread::scope(|scope| {
        let create = || scope.spawn(|| PrivateKey::read_or_create(&path).expect("a key").public().kid());
        let threads: Vec<_> = (0..8).map(|_| create()).collect();
        threads.into_iter().map(|thread| thread.join().expect("no panic")).collect()
    });
    assert!(kids.iter().all(|kid| *kid == kids[0]), "{kids:?}");
}

#[test]
fn a_private_key_that_others_can_read_is_refused_with_what_to_do() {
    let dir = tempfile::tempdir().expect("a folder");
    let path = dir.path().join("token.key");
    PrivateKey::generate().expect("a key").write_new(&path).expect("written");
    for mode in [0o644, 0o640, 0o604, 0o620, 0o601] {
        fs::set_permissions(&path, Permissions::from_mode(mode)).expect("chmod");
        let error = PrivateKey::read(&path).expect_err("others can read it").to_string();
        assert!(error.contains(&format!("{mode:04o}")) && error.contains("chmod 600"), "{error}");
    }
    fs::set_permissions(&path, Permissions::from_mode(0o400)).expect("chmod");
    PrivateKey::read(&path).expect("its owner only");
}

#[test]
fn files_that_are_no_keys_are_refused_without_showing_what_is_in_them() {
    let dir = tempfile::tempdir().expect("a folder");
    let path = dir.path().join("token.key");
    let public = PrivateKey::generate().expect("a key").public().pem().expect("pem");
    let rsa = "-----BEGIN PRIVATE KEY-----\nMIIBVQIBADANBgkqhkiG9w0BAQEFAASCAT8wggE7\n-----END PRIVATE KEY-----\n";
    for content in ["", "hunter2", &public, rsa, "-----BEGIN PRIVATE KEY-----\nhunter2"] {
        fs::write(&path, content).expect("written");
        fs::set_permissions(&path, Permissions::from_mode(0o600)).expect("chmod");
        let error = PrivateKey::read(&path).expect_err("no key").to_string();
        assert!(error.contains("PKCS#8 PEM") && !error.contains("hunter2"), "{error}");
    }
    fs::write(&path, vec![b'x'; 70_000]).expect("written");
    assert!(matches!(PrivateKey::read(&path), Err(KeyError::NotAKeyFile { .. })));
    assert!(matches!(PrivateKey::read(dir.path()), Err(KeyError::NotAKeyFile { .. })));
    assert!(matches!(PublicKey::read_all(&dir.path().join("none")), Err(KeyError::File { what: "read", .. })));

    let private = PrivateKey::generate().expect("a key").pem().expect("pem");
    for content in ["", "hunter2", private.expose(), "-----BEGIN PUBLIC KEY-----\nhunter2", &public.replace('M', "N")] {
        let error = PublicKey::all_from_pem(content).expect_err("no key").to_string();
        assert!(error.contains("BEGIN PUBLIC KEY") && !error.contains("hunter2"), "{error}");
    }
}

#[test]
fn a_weak_public_key_for_which_anyone_can_sign_is_refused() {
    // SPKI of the point of order one.
    let der = [&[0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00, 0x01][..], &[0; 31]].concat();
    let body = base64::engine::general_purpose::STANDARD.encode(der);
    let pem = format!("-----BEGIN PUBLIC KEY-----\n{body}\n-----END PUBLIC KEY-----\n");
    assert!(matches!(PublicKey::all_from_pem(&pem), Err(KeyError::BadPublicKey)));
}

#[test]
fn the_kid_is_the_thumbprint_of_the_key() {
    // RFC 8037, appendix A: the key and its thumbprint.
    let pem = "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEIJ1hsZ3v/VpguoRK9JLsLMREScVpezJpGXA7rAMcrn9g\n-----END PRIVATE KEY-----\n";
    let key = PrivateKey::from_pem(&Secret::new(pem.to_owned())).expect("a key");
    assert_eq!(key.public().kid(), "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k");
}

#[test]
fn nothing_shows_a_private_key_or_a_token_in_debug_output() {
    let d = deployment();
    let pem = d.key.pem().expect("pem");
    let inner = pem.expose().lines().nth(1).expect("the body").to_owned();
    for shown in [format!("{:?}", d.key), format!("{:?}", d.signer), format!("{:?}", d.verifier), format!("{pem:?}")] {
        assert!(!shown.contains(&inner), "{shown}");
    }
}

#[derive(Clone)]
struct App(Arc<Verifier>);

impl FromRef<App> for Arc<Verifier> {
    fn from_ref(app: &App) -> Self {
        app.0.clone()
    }
}

async fn asked(app: &App, uri: &str, authorization: &[&str]) -> (StatusCode, String) {
    let router = Router::new()
        .route("/me", get(|claims: Claims| async move { claims.handle }))
        .route(
            "/maybe",
            get(|claims: Option<Claims>| async move { claims.map_or_else(|| "nobody".to_owned(), |c| c.handle) }),
        )
        .with_state(app.clone());
    let mut request = Request::get(uri);
    for value in authorization {
        request = request.header(AUTHORIZATION, *value);
    }
    let response = router.oneshot(request.body(Body::empty()).expect("a request")).await.expect("infallible");
    let status = response.status();
    let body = to_bytes(response.into_body(), 10_000).await.expect("a body");
    (status, String::from_utf8_lossy(&body).into_owned())
}

#[tokio::test]
async fn a_bearer_token_in_the_header_says_who_asks() {
    let d = deployment();
    let token = d.signer.mint(alice()).expect("minted").0;
    let app = App(Arc::new(d.verifier));
    for header in [format!("Bearer {token}"), format!("bearer  {token}")] {
        assert_eq!(asked(&app, "/me?limit=5", &[&header]).await, (StatusCode::OK, "alice".to_owned()));
        assert_eq!(asked(&app, "/maybe", &[&header]).await, (StatusCode::OK, "alice".to_owned()));
    }
    assert_eq!(asked(&app, "/maybe", &[]).await, (StatusCode::OK, "nobody".to_owned()));
}

#[tokio::test]
async fn con1_a_token_in_the_url_is_refused() {
    let d = deployment();
    let token = d.signer.mint(alice()).expect("minted").0;
    let header = format!("Bearer {token}");
    let app = App(Arc::new(d.verifier));
    for name in ["token", "access_token", "Authorization"] {
        for headers in [vec![], vec![header.as_str()]] {
            for path in ["/me", "/maybe"] {
                let (status, body) = asked(&app, &format!("{path}?a=b&{name}={token}"), &headers).await;
                assert!(
                    status == StatusCode::UNAUTHORIZED && body.contains("URL") && !body.contains(&token),
                    "{status} {body}"
                );
            }
        }
    }
}

#[tokio::test]
async fn without_a_good_bearer_token_nobody_is_let_in() {
    let d = deployment();
    let token = d.signer.mint(alice()).expect("minted").0;
    d.hands.advance(Duration::from_secs(3600));
    let (expired, good) = (format!("Bearer {token}"), format!("Bearer {}", d.signer.mint(alice()).expect("minted").0));
    let app = App(Arc::new(d.verifier));
    let cases: [(&[&str], &str); 7] = [
        (&[&expired], "expired"),
        (&["Bearer"], "has to be"),
        (&["Bearer x"], "not valid"),
        (&["Basic YWxpY2U6eA=="], "has to be"),
        (&["\u{e9}"], "has to be"),
        (&[&good, &good], "has to be"),
        (&[""], "has to be"),
    ];
    for (headers, said) in cases {
        for path in ["/me", "/maybe"] {
            let (status, body) = asked(&app, path, headers).await;
            assert!(status == StatusCode::UNAUTHORIZED && body.contains(said), "{headers:?}: {status} {body}");
            assert!(body.contains("unauthenticated") && !body.contains(&token), "{body}");
        }
    }
    assert_eq!(asked(&app, "/me", &[]).await.0, StatusCode::UNAUTHORIZED);
}
