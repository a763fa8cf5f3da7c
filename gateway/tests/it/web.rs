//! The web client as the gateway serves it: the built one, which `make web` makes.

use http::header::{
    ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_SECURITY_POLICY, CONTENT_TYPE, ETAG,
    IF_NONE_MATCH, VARY,
};
use http::{HeaderMap, Method};

use crate::rig::Rig;

struct Answer {
    status: u16,
    headers: HeaderMap,
    body: Vec<u8>,
}

impl Answer {
    fn header(&self, name: http::HeaderName) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }
}

async fn ask(rig: &Rig, method: Method, path: &str, headers: &[(http::HeaderName, &str)]) -> Answer {
    let mut request = reqwest::Client::new().request(method, format!("http://{}{path}", rig.gateways[0].address));
    for (name, value) in headers {
        request = request.header(name, *value);
    }
    let response = request.send().await.unwrap();
    let (status, headers) = (response.status().as_u16(), response.headers().clone());
    Answer { status, headers, body: response.bytes().await.unwrap().to_vec() }
}

async fn get(rig: &Rig, path: &str, encodings: &str) -> Answer {
    ask(rig, Method::GET, path, &[(ACCEPT_ENCODING, encodings)]).await
}

/// The longest of the scripts that the page names: one that is worth compressing, however the bundler divides them.
async fn script(rig: &Rig) -> String {
    let page = get(rig, "/", "").await;
    assert_eq!(page.status, 200, "run `make web` before this test: {}", page.text());
    let mut longest = (0, String::new());
    for path in page.text().split('"').filter(|text| text.starts_with("/assets/") && text.ends_with(".js")) {
        longest = longest.max((get(rig, path, "identity").await.body.len(), path.to_owned()));
    }
    assert!(longest.0 > 0, "a page with a script: {}", page.text());
    longest.1
}

#[tokio::test]
async fn a_file_comes_in_the_smallest_form_that_is_accepted() {
    let rig = Rig::start(1).await;
    let path = script(&rig).await;
    let (plain, gzip, brotli) = (
        get(&rig, &path, "identity").await,
        get(&rig, &path, "gzip, deflate").await,
        get(&rig, &path, "gzip, br").await,
    );
    let encodings = [&plain, &gzip, &brotli].map(|answer| answer.header(CONTENT_ENCODING));
    assert_eq!(encodings, ["", "gzip", "br"]);
    assert!(plain.body.len() > 2 * gzip.body.len() && gzip.body.len() > brotli.body.len());
    // What gzip says of itself: that it is one, and how long it is unpacked.
    assert_eq!(gzip.body[..2], [0x1f, 0x8b]);
    let unpacked = u32::from_le_bytes(*gzip.body.last_chunk().unwrap());
    assert_eq!(unpacked as usize, plain.body.len());
    for answer in [&plain, &gzip, &brotli] {
        assert_eq!((answer.status, answer.header(VARY)), (200, "accept-encoding"));
        assert_eq!(answer.header(CONTENT_TYPE), "text/javascript; charset=utf-8");
        assert_eq!(answer.header(CACHE_CONTROL), "public, max-age=31536000, immutable");
        assert_eq!(answer.header(CONTENT_LENGTH), answer.body.len().to_string());
    }
    assert_eq!(get(&rig, &path, "br;q=0, zstd").await.header(CONTENT_ENCODING), "");
}

#[tokio::test]
async fn a_form_has_a_tag_of_its_own_and_what_is_known_is_not_sent_again() {
    let rig = Rig::start(1).await;
    let path = script(&rig).await;
    for path in ["/sw.js", path.as_str()] {
        let mut tags = Vec::new();
        for encoding in ["identity", "gzip", "br"] {
            let known = get(&rig, path, encoding).await;
            let tag = known.header(ETAG).to_owned();
            for list in [tag.clone(), format!("W/{tag}"), format!("\"other\", {tag}"), "*".to_owned()] {
                let headers = [(ACCEPT_ENCODING, encoding), (IF_NONE_MATCH, list.as_str())];
                let answer = ask(&rig, Method::GET, path, &headers).await;
                assert_eq!((answer.status, answer.body.len()), (304, 0), "{path} {encoding} {list}");
                for header in [CACHE_CONTROL, CONTENT_SECURITY_POLICY, ETAG, VARY] {
                    assert_eq!(answer.header(header.clone()), known.header(header));
                }
            }
            tags.push(tag);
        }
        let other = [(ACCEPT_ENCODING, "gzip"), (IF_NONE_MATCH, tags[2].as_str())];
        assert_eq!(ask(&rig, Method::GET, path, &other).await.status, 200, "another form's tag");
        tags.dedup();
        assert_eq!(tags.len(), 3, "{path}");
    }
}

#[tokio::test]
async fn head_tells_what_get_would() {
    let rig = Rig::start(1).await;
    let path = script(&rig).await;
    for path in ["/", "/manifest.webmanifest", path.as_str()] {
        for encoding in ["identity", "gzip", "br"] {
            let headers = [(ACCEPT_ENCODING, encoding)];
            let (head, get) =
                (ask(&rig, Method::HEAD, path, &headers).await, ask(&rig, Method::GET, path, &headers).await);
            assert_eq!((head.status, head.body.len()), (200, 0));
            for header in [CONTENT_LENGTH, CONTENT_ENCODING, CONTENT_TYPE, ETAG, CACHE_CONTROL] {
                assert_eq!(head.header(header.clone()), get.header(header), "{path} {encoding}");
            }
        }
    }
}

#[tokio::test]
async fn what_keeps_its_name_is_asked_about_each_time() {
    let rig = Rig::start(1).await;
    for (path, kind) in [
        ("/", "text/html; charset=utf-8"),
        ("/c/anything", "text/html; charset=utf-8"),
        ("/sw.js", "text/javascript; charset=utf-8"),
        ("/manifest.webmanifest", "application/manifest+json"),
        ("/favicon.svg", "image/svg+xml"),
        ("/icons/192.png", "image/png"),
    ] {
        let answer = get(&rig, path, "br").await;
        assert_eq!((answer.status, answer.header(CONTENT_TYPE)), (200, kind), "{path}");
        assert_eq!(answer.header(CACHE_CONTROL), "no-cache", "{path}");
        assert_eq!(answer.header("x-content-type-options".parse().unwrap()), "nosniff", "{path}");
    }
}

#[tokio::test]
async fn the_page_and_its_worker_have_strict_policies() {
    let rig = Rig::start(1).await;
    let policy = |answer: &Answer| answer.header(CONTENT_SECURITY_POLICY).to_owned();
    let page = policy(&get(&rig, "/", "").await);
    for directive in [
        "default-src 'self'",
        "worker-src 'self'",
        "manifest-src 'self'",
        "frame-ancestors 'none'",
        "require-trusted-types-for 'script'",
        "trusted-types natter",
    ] {
        assert!(page.split("; ").any(|part| part == directive), "{directive} in {page}");
    }
    let worker = policy(&get(&rig, "/sw.js", "").await);
    assert!(worker.starts_with("default-src 'none'; connect-src 'self'; "), "{worker}");
    for policy in [page, worker] {
        assert!(!policy.contains("unsafe") && !policy.contains('*') && !policy.contains("http"), "{policy}");
    }
}

#[tokio::test]
async fn there_is_nothing_beside_what_was_built() {
    let rig = Rig::start(1).await;
    let path = script(&rig).await;
    for path in [
        format!("{path}.br"),
        format!("{path}.gz"),
        "/assets/none.js".to_owned(),
        "/assets/".to_owned(),
        "/assets/..%2findex.html".to_owned(),
        "/assets/%2e%2e/index.html".to_owned(),
        "/icons/../sw.js/x".to_owned(),
        "/index.html".to_owned(),
        "/sw.js.gz".to_owned(),
    ] {
        let answer = get(&rig, &path, "br").await;
        assert_eq!((answer.status, answer.header(CONTENT_TYPE)), (404, "application/problem+json"), "{path}");
    }
}
