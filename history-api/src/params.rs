//! Query parameters, from text to what they mean. Pure, so that every malformed one is tested here.
//!
//! Parameters are read as text and then parsed, so that a refusal names the parameter and says what was expected.
//! Parameters that are not known are ignored, as unknown fields are everywhere in the protocol.

use natter_events::ids::MAX_PARTICIPANTS;
use natter_platform::Problem;
use natter_protocol::handle::MAX_HANDLE_BYTES;
use natter_protocol::limits::{DEFAULT_PAGE_ITEMS, MAX_PAGE_ITEMS};
use natter_protocol::{ErrorCode, Handle};
use serde::Deserialize;

/// Longest list of handles that is looked at; each is followed by a comma.
const MAX_PARTICIPANTS_BYTES: usize = 4 * MAX_PARTICIPANTS * (MAX_HANDLE_BYTES + 1);

/// Longest question to a directory or a search, in Unicode scalar values.
const MAX_WORDS_CHARS: usize = 100;

/// Most words of a search.
const MAX_SOUGHT_WORDS: usize = 10;

/// Below 2^53 there is every seq.
const BEYOND_ALL: u64 = 1 << 53;

/// Which page of a list (HST1).
#[derive(Debug, Clone, Default, Deserialize)]
pub struct Paging {
    limit: Option<String>,
    pub cursor: Option<String>,
}

/// Which part of a conversation: messages next to a seq.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct Window {
    before: Option<String>,
    after: Option<String>,
    around: Option<String>,
}

/// Where a page of messages lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// The newest ones; the next page is older.
    Newest,
    /// Those just before a seq; the next page is older.
    Before(u64),
    /// Those just after a seq; the next page is newer.
    After(u64),
    /// Half before a seq, half from it on; the next page is newer.
    Around(u64),
}

impl Paging {
    /// How many items a page has at most.
    pub fn limit(&self) -> Result<u32, Problem> {
        let Some(text) = &self.limit else { return Ok(DEFAULT_PAGE_ITEMS) };
        match whole(text) {
            Some(limit) if (1..=u64::from(MAX_PAGE_ITEMS)).contains(&limit) => Ok(limit as u32),
            _ => Err(invalid(format!("`limit` has to be a whole number from 1 to {MAX_PAGE_ITEMS}"))),
        }
    }
}

impl Window {
    /// The place that the parameters name; at most one of them may be there.
    pub fn place(&self) -> Result<Place, Problem> {
        let seq = |name: &str, text: &str| {
            whole(text)
                .filter(|seq| *seq < BEYOND_ALL)
                .ok_or_else(|| invalid(format!("`{name}` has to be a message's seq: a whole number below 2^53")))
        };
        match (&self.before, &self.after, &self.around) {
            (None, None, None) => Ok(Place::Newest),
            (Some(text), None, None) => Ok(Place::Before(seq("before", text)?)),
            (None, Some(text), None) => Ok(Place::After(seq("after", text)?)),
            (None, None, Some(text)) => Ok(Place::Around(seq("around", text)?)),
            _ => Err(invalid("give one of `before`, `after` and `around`, not several")),
        }
    }
}

/// The people of a direct conversation, by `participants=alice,bob`: each once, sorted, the caller among them.
pub fn participants(text: Option<&str>, caller: &Handle) -> Result<Vec<Handle>, Problem> {
    let text = text.unwrap_or_default();
    if text.is_empty() {
        return Err(invalid(
            "`participants` is missing: the handles of the conversation's people, separated by commas",
        ));
    }
    if text.len() > MAX_PARTICIPANTS_BYTES {
        return Err(Problem::new(ErrorCode::TooLarge, too_many()));
    }
    let mut people = vec![caller.clone()];
    for part in text.split(',') {
        let handle =
            part.parse().map_err(|error| invalid(format!("`participants` holds what is not a handle: {error}")))?;
        people.push(handle);
    }
    people.sort_unstable();
    people.dedup();
    if people.len() > MAX_PARTICIPANTS { Err(Problem::new(ErrorCode::TooLarge, too_many())) } else { Ok(people) }
}

/// The beginning of a handle; empty for everyone.
pub fn handle_prefix(text: Option<&str>) -> Result<&str, Problem> {
    let text = text.unwrap_or_default();
    let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
    let begins_well = text.bytes().next().is_none_or(plain);
    let goes_on_well = text.bytes().all(|b| plain(b) || matches!(b, b'_' | b'-'));
    if text.len() <= MAX_HANDLE_BYTES && begins_well && goes_on_well {
        Ok(text)
    } else {
        Err(invalid(
            "`prefix` has to be the beginning of a handle: at most 32 of a-z, 0-9, _ and -, first a letter or digit",
        ))
    }
}

/// The message whose thread is asked for, by `thread=seq`.
pub fn root(text: Option<&str>) -> Result<Option<u64>, Problem> {
    let Some(text) = text else { return Ok(None) };
    match whole(text) {
        Some(seq @ 1..BEYOND_ALL) => Ok(Some(seq)),
        _ => Err(invalid("`thread` has to be a message's seq: a whole number from 1 on, below 2^53")),
    }
}

/// What members are to be, by `role=owner`.
pub fn role(text: Option<&str>) -> Result<Option<&str>, Problem> {
    match text {
        None | Some("member" | "moderator" | "owner") => Ok(text),
        Some(_) => Err(invalid("`role` has to be `member`, `moderator` or `owner`")),
    }
}

/// Whether something is wanted, by `name=true`.
pub fn flag(name: &str, text: Option<&str>) -> Result<bool, Problem> {
    match text {
        None | Some("false") => Ok(false),
        Some("true") => Ok(true),
        Some(_) => Err(invalid(format!("`{name}` has to be `true` or `false`"))),
    }
}

/// Words to look for; empty for everything.
pub fn words(text: Option<&str>) -> Result<&str, Problem> {
    let text = text.unwrap_or_default().trim();
    if text.chars().count() > MAX_WORDS_CHARS || text.contains('\0') {
        return Err(invalid(format!("`q` has to be words, at most {MAX_WORDS_CHARS} characters of them")));
    }
    Ok(text)
}

/// Words to search for: at least one.
pub fn sought_words(text: Option<&str>) -> Result<&str, Problem> {
    let text = words(text)?;
    match text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).count() {
        0 => Err(invalid("`q` has to be words to search for: at least one, of letters or digits")),
        1..=MAX_SOUGHT_WORDS => Ok(text),
        _ => Err(invalid(format!("`q` has to be words to search for: at most {MAX_SOUGHT_WORDS} of them"))),
    }
}

/// The message before which others are wanted, by `before=seq`.
pub fn before(text: Option<&str>) -> Result<Option<u64>, Problem> {
    match (Window { before: text.map(str::to_owned), ..Window::default() }).place()? {
        Place::Before(seq) => Ok(Some(seq)),
        _ => Ok(None),
    }
}

/// A refusal of what the client sent.
pub fn invalid(detail: impl Into<std::borrow::Cow<'static, str>>) -> Problem {
    Problem::new(ErrorCode::Invalid, detail)
}

/// Plain decimal digits: no sign, no spaces, nothing that is read as another number than it looks.
fn whole(text: &str) -> Option<u64> {
    (!text.is_empty() && text.bytes().all(|b| b.is_ascii_digit())).then(|| text.parse().ok()).flatten()
}

fn too_many() -> String {
    format!("a direct conversation has at most {MAX_PARTICIPANTS} people")
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOSTILE: [&str; 16] = [
        "",
        " ",
        "-1",
        "+1",
        "1.0",
        "1e2",
        "0x10",
        "1 ",
        "\0",
        "1\0",
        "NaN",
        "null",
        "٣",
        "1;DROP TABLE messages",
        "18446744073709551616",
        "99999999999999999999999999999999999999999",
    ];

    fn paging(limit: &str) -> Paging {
        Paging { limit: Some(limit.to_owned()), cursor: None }
    }

    fn handle(text: &str) -> Handle {
        text.parse().expect("a handle")
    }

    #[test]
    fn hst1_limit_is_1_to_200_and_50_by_default() {
        assert_eq!(Paging::default().limit(), Ok(50));
        for (text, limit) in [("1", 1), ("200", 200), ("007", 7)] {
            assert_eq!(paging(text).limit(), Ok(limit));
        }
        for bad in HOSTILE.into_iter().chain(["0", "201", "4294967297"]) {
            let problem = paging(bad).limit().expect_err(bad);
            assert_eq!(problem.code(), ErrorCode::Invalid);
            assert!(problem.detail().contains("`limit`"), "{}", problem.detail());
        }
    }

    #[test]
    fn a_window_is_one_place_at_most() {
        let some = |text: &str| Some(text.to_owned());
        assert_eq!(Window::default().place(), Ok(Place::Newest));
        assert_eq!(Window { before: some("7"), ..Window::default() }.place(), Ok(Place::Before(7)));
        assert_eq!(Window { after: some("0"), ..Window::default() }.place(), Ok(Place::After(0)));
        let last = "9007199254740991";
        assert_eq!(Window { around: some(last), ..Window::default() }.place(), Ok(Place::Around((1 << 53) - 1)));
        assert!(Window { before: some("1"), after: some("1"), around: None }.place().is_err());
        for bad in HOSTILE.into_iter().chain(["9007199254740992"]) {
            let problem = Window { around: some(bad), ..Window::default() }.place().expect_err(bad);
            assert!(problem.detail().contains("`around`"), "{}", problem.detail());
        }
    }

    #[test]
    fn participants_are_a_set_and_the_caller_is_always_one_of_them() {
        let ada = handle("ada");
        let both = vec![handle("ada"), handle("bob")];
        for text in ["bob", "ada,bob", "bob,ada", "bob,bob,ada,bob"] {
            assert_eq!(participants(Some(text), &ada).as_ref(), Ok(&both), "{text}");
        }
        assert_eq!(participants(Some("ada"), &ada), Ok(vec![handle("ada")]));
    }

    #[test]
    fn participants_that_are_missing_malformed_or_too_many_are_refused() {
        let ada = handle("ada");
        for bad in ["", ",", "bob,", "bob,,eve", "bob, eve", "Bob", "b", "bob\0", "bob' OR '1'='1"] {
            assert_eq!(participants(Some(bad), &ada).expect_err(bad).code(), ErrorCode::Invalid);
        }
        assert_eq!(participants(None, &ada).expect_err("missing").code(), ErrorCode::Invalid);
        let people = |n: usize| (0..n).map(|n| format!("p{n:02}")).collect::<Vec<_>>().join(",");
        assert_eq!(participants(Some(&people(31)), &ada).map(|people| people.len()), Ok(32));
        assert_eq!(participants(Some(&people(32)), &ada).expect_err("33 people").code(), ErrorCode::TooLarge);
        assert_eq!(participants(Some(&"x,".repeat(1 << 20)), &ada).expect_err("2 MiB").code(), ErrorCode::TooLarge);
    }

    #[test]
    fn a_search_has_one_to_ten_words_and_at_most_a_hundred_characters() {
        let ten = "a1 ".repeat(10);
        for good in ["a", " harbour, \u{e9}t\u{e9}! ", "' or 1=1; --", &"x".repeat(100), &ten] {
            assert_eq!(sought_words(Some(good)), Ok(good.trim()));
        }
        let (eleven, long, endless) = ("a ".repeat(11), "x".repeat(101), "x ".repeat(4_000));
        for bad in ["", " ", "!!!", "' & | :* <-> ()", "a\0b", &eleven, &long, &endless] {
            let problem = sought_words(Some(bad)).expect_err(bad);
            assert_eq!(problem.code(), ErrorCode::Invalid);
            assert!(problem.detail().contains("`q`"), "{}", problem.detail());
        }
        assert_eq!(sought_words(None).expect_err("missing").code(), ErrorCode::Invalid);
    }

    #[test]
    fn a_prefix_is_the_beginning_of_a_handle() {
        for good in ["", "a", "0", "ada-l", &"x".repeat(32)] {
            assert_eq!(handle_prefix(Some(good)), Ok(good));
        }
        assert_eq!(handle_prefix(None), Ok(""));
        for bad in ["_", "-a", "A", "ä", "a b", "a%", "a\\", "a\0", "a'; --", "a*", &"x".repeat(33)] {
            assert_eq!(handle_prefix(Some(bad)).expect_err(bad).code(), ErrorCode::Invalid);
        }
    }
}
