//! Which of the ready-made forms of a file an answer has, by what the request accepts (RFC 9110, 12.5.3).

use http::HeaderMap;
use http::header::ACCEPT_ENCODING;

/// A form of a file that was made when the web client was built.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encoding {
    Brotli,
    Gzip,
    Identity,
}

/// The smallest first: of two that are as welcome, it is the one.
const ALL: [Encoding; 3] = [Encoding::Brotli, Encoding::Gzip, Encoding::Identity];

impl Encoding {
    /// What `Content-Encoding` says; nothing of a file as it is.
    pub fn name(self) -> Option<&'static str> {
        match self {
            Self::Brotli => Some("br"),
            Self::Gzip => Some("gzip"),
            Self::Identity => None,
        }
    }

    /// How the file's name goes on where the form is stored.
    pub fn suffix(self) -> &'static str {
        match self {
            Self::Brotli => ".br",
            Self::Gzip => ".gz",
            Self::Identity => "",
        }
    }

    /// The forms that a request accepts, the most welcome first. The file as it is comes last, also where it is refused:
    /// something to read is better than an error.
    pub fn accepted(headers: &HeaderMap) -> Vec<Self> {
        let asked = Asked::of(headers);
        let mut welcome: Vec<_> = ALL[..2].iter().map(|&form| (asked.weight(form), form)).collect();
        welcome.retain(|(weight, _)| *weight > 0);
        // Stable: what is as welcome stays in order.
        welcome.sort_by_key(|(weight, _)| std::cmp::Reverse(*weight));
        welcome.into_iter().map(|(_, form)| form).chain([Self::Identity]).collect()
    }
}

/// Codings and their weights, in thousandths.
struct Asked(Vec<(String, u16)>);

impl Asked {
    fn of(headers: &HeaderMap) -> Self {
        let lines = headers.get_all(ACCEPT_ENCODING).iter().filter_map(|line| line.to_str().ok());
        Self(lines.flat_map(|line| line.split(',')).filter_map(coding).collect())
    }

    fn weight(&self, form: Encoding) -> u16 {
        let of = |name: &str| self.0.iter().find(|(coding, _)| coding == name).map(|(_, weight)| *weight);
        form.name().and_then(of).or_else(|| of("*")).unwrap_or(0)
    }
}

/// `gzip;q=0.5` → gzip, 500. What is malformed is as if it were not there.
fn coding(text: &str) -> Option<(String, u16)> {
    let (name, parameters) = text.split_once(';').unwrap_or((text, ""));
    let name = name.trim().to_ascii_lowercase();
    let weight = match parameters.trim() {
        "" => 1.0,
        given => given.strip_prefix("q=").or_else(|| given.strip_prefix("Q="))?.trim().parse::<f32>().ok()?,
    };
    (!name.is_empty() && (0.0..=1.0).contains(&weight)).then_some((name, (weight * 1000.0) as u16))
}

#[cfg(test)]
mod tests {
    use super::Encoding::{Brotli, Gzip, Identity};
    use super::*;

    fn accepted(lines: &[&str]) -> Vec<Encoding> {
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append(ACCEPT_ENCODING, line.parse().expect("a header"));
        }
        Encoding::accepted(&headers)
    }

    #[test]
    fn the_smallest_form_that_is_accepted_comes_first() {
        assert_eq!(accepted(&[]), [Identity]);
        assert_eq!(accepted(&[""]), [Identity]);
        assert_eq!(accepted(&["gzip, deflate, br, zstd"]), [Brotli, Gzip, Identity]);
        assert_eq!(accepted(&["GZIP"]), [Gzip, Identity]);
        assert_eq!(accepted(&["gzip", "br"]), [Brotli, Gzip, Identity]);
        assert_eq!(accepted(&["*"]), [Brotli, Gzip, Identity]);
        assert_eq!(accepted(&["br;q=0, *"]), [Gzip, Identity]);
        assert_eq!(accepted(&["zstd, deflate"]), [Identity]);
    }

    #[test]
    fn weights_are_heard() {
        assert_eq!(accepted(&["br;q=0.5, gzip;q=0.8"]), [Gzip, Brotli, Identity]);
        assert_eq!(accepted(&["br; q=0.001, gzip;q=0"]), [Brotli, Identity]);
        assert_eq!(accepted(&["identity;q=0, gzip;q=0.000"]), [Identity]);
    }

    #[test]
    fn what_is_malformed_is_left_out() {
        for bad in ["br;q=2", "br;q=-1", "br;q=x", "br;q=", "br;level=9", ";q=1", "br;q=NaN", ",,;,", "b r"] {
            assert_eq!(accepted(&[bad]), [Identity], "{bad}");
        }
        assert_eq!(accepted(&["br;q=x, gzip"]), [Gzip, Identity]);
    }
}
