//! Which pages may open a socket (CON2). A browser says where a page came from; other programs say nothing, and have no
//! cookies that a page could ride on.

use http::HeaderMap;
use http::header::{HOST, ORIGIN};

/// Whether an upgrade may go on. A page served from this very host always may.
pub fn is_allowed(headers: &HeaderMap, allowed: &[String]) -> bool {
    let mut origins = headers.get_all(ORIGIN).iter();
    let Some(origin) = origins.next() else { return true };
    let (Ok(origin), None) = (origin.to_str(), origins.next()) else { return false };
    if allowed.iter().any(|one| one.eq_ignore_ascii_case(origin)) {
        return true;
    }
    let host = headers.get(HOST).and_then(|host| host.to_str().ok());
    let Some((scheme, authority)) = origin.split_once("://") else { return false };
    matches!(scheme, "http" | "https") && host.is_some_and(|host| host.eq_ignore_ascii_case(authority))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            headers.append(*name, value.parse().expect("a header value"));
        }
        headers
    }

    #[test]
    fn con2_only_pages_of_allowed_origins_may_connect() {
        let allowed = ["https://chat.example.org".to_owned()];
        let host = ("host", "chat.local:8080");
        for (origin, expected) in [
            ("http://chat.local:8080", true),
            ("https://chat.example.org", true),
            ("HTTPS://Chat.Example.org", true),
            ("http://chat.local", false),
            ("https://evil.example", false),
            ("https://chat.example.org.evil.example", false),
            ("null", false),
            ("file://chat.local:8080", false),
            ("", false),
        ] {
            assert_eq!(is_allowed(&headers(&[host, ("origin", origin)]), &allowed), expected, "{origin}");
        }
        assert!(is_allowed(&headers(&[host]), &allowed), "no browser, no origin");
        let twice = headers(&[host, ("origin", "http://chat.local:8080"), ("origin", "https://evil.example")]);
        assert!(!is_allowed(&twice, &allowed));
    }
}
