//! Query parameters, from text to what they mean. Pure, so that every malformed one is tested here.
//!
//! Parameters are read as text and then parsed, so that a refusal names the parameter and says what was expected.
//! Parameters that are not known are ignored, as unknown fields are everywhere in the protocol.

use natter_events::ids::MAX_PARTICIPANTS;
use natter_platform::Problem;
use natter_protocol::handle::MAX_HANDLE_BYTES;
use natter_protocol::limits::{DEFAULT_PAGE_ITEMS, MAX_PAGE_HANDLES, MAX_PAGE_ITEMS};
use natter_protocol::{ErrorCode, Handle, Timestamp};
use serde::Deserialize;

/// A list of handles is looked at where it is no longer than this many times what it may be: it may name some twice.
const MAX_REPEATS: usize = 4;

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

/// Which part of a conversation: messages next to a seq or a moment.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct Window {
    before: Option<String>,
    after: Option<String>,
    around: Option<String>,
    around_at: Option<String>,
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
    /// The same around the first message that was said at a moment or later.
    AroundAt(Timestamp),
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
        match (&self.before, &self.after, &self.around, &self.around_at) {
            (None, None, None, None) => Ok(Place::Newest),
            (Some(text), None, None, None) => Ok(Place::Before(seq("before", text)?)),
            (None, Some(text), None, None) => Ok(Place::After(seq("after", text)?)),
            (None, None, Some(text), None) => Ok(Place::Around(seq("around", text)?)),
            (None, None, None, Some(text)) => Ok(Place::AroundAt(moment("around_at", text)?)),
            _ => Err(invalid("give one of `before`, `after`, `around` and `around_at`, not several")),
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
    let mut people = handles("participants", text, MAX_PARTICIPANTS)?.ok_or_else(too_many)?;
    people.push(caller.clone());
    people.sort_unstable();
    people.dedup();
    if people.len() > MAX_PARTICIPANTS { Err(too_many()) } else { Ok(people) }
}

/// People to tell about, by `handles=ada,bob`: each once; none where nothing is said of them.
pub fn asked_handles(text: Option<&str>) -> Result<Option<Vec<Handle>>, Problem> {
    let too_many =
        || Problem::new(ErrorCode::TooLarge, format!("`handles` may name at most {MAX_PAGE_HANDLES} people"));
    let Some(text) = text else { return Ok(None) };
    let mut people = handles("handles", text, MAX_PAGE_HANDLES)?.ok_or_else(too_many)?;
    people.sort_unstable();
    people.dedup();
    if people.len() > MAX_PAGE_HANDLES { Err(too_many()) } else { Ok(Some(people)) }
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

/// A moment as RFC 3339, in any offset.
fn moment(name: &str, text: &str) -> Result<Timestamp, Problem> {
    let expected = || invalid(format!("`{name}` has to be a time as in RFC 3339, like 2026-09-21T14:13:20.123Z"));
    text.parse().map_err(|_| expected())
}

/// Handles with commas between them; none where the text is longer than `max` of them ever need.
fn handles(name: &str, text: &str, max: usize) -> Result<Option<Vec<Handle>>, Problem> {
    if text.len() > MAX_REPEATS * max * (MAX_HANDLE_BYTES + 1) {
        return Ok(None);
    }
    let handle =
        |part: &str| part.parse().map_err(|error| invalid(format!("`{name}` holds what is not a handle: {error}")));
    text.split(',').map(handle).collect::<Result<_, _>>().map(Some)
}

fn too_many() -> Problem {
    Problem::new(ErrorCode::TooLarge, format!("a direct conversation has at most {MAX_PARTICIPANTS} people"))
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
        assert!(Window { before: some("1"), after: some("1"), ..Window::default() }.place().is_err());
        for bad in HOSTILE.into_iter().chain(["9007199254740992"]) {
            let problem = Window { around: some(bad), ..Window::default() }.place().expect_err(bad);
            assert!(problem.detail().contains("`around`"), "{}", problem.detail());
        }
    }

    #[test]
    fn a_moment_is_rfc_3339_in_any_offset_and_alone() {
        let at = |text: &str| Window { around_at: Some(text.to_owned()), ..Window::default() };
        for text in ["2026-09-21T14:13:20.123Z", "2026-09-21T16:13:20.123+02:00", "2026-09-21t14:13:20.1239z"] {
            assert_eq!(at(text).place(), Ok(Place::AroundAt(Timestamp(1_790_000_000_123))), "{text}");
        }
        for far in ["0000-01-01T00:00:00Z", "9999-12-31T23:59:59-23:59"] {
            assert!(matches!(at(far).place(), Ok(Place::AroundAt(_))), "{far}");
        }
        let days = ["2026-09-21", "2026-09-21T14:13:20", "2026-09-21 16:13:20 02:00", "2026-02-30T00:00:00Z"];
        for bad in HOSTILE.into_iter().chain(days) {
            let problem = at(bad).place().expect_err(bad);
            assert!(problem.detail().contains("`around_at`"), "{}", problem.detail());
        }
        let one = || Some("1".to_owned());
        for several in [
            Window { before: one(), ..at("2026-09-21T14:13:20Z") },
            Window { after: one(), ..at("2026-09-21T14:13:20Z") },
            Window { around: one(), ..at("2026-09-21T14:13:20Z") },
        ] {
            assert_eq!(several.place().expect_err("several").code(), ErrorCode::Invalid);
        }
    }

    #[test]
    fn handles_to_tell_about_are_a_bounded_set() {
        let people = |n: usize| (0..n).map(|n| format!("p{n:03}")).collect::<Vec<_>>().join(",");
        assert_eq!(asked_handles(None), Ok(None));
        assert_eq!(asked_handles(Some("bob,ada,bob")), Ok(Some(vec![handle("ada"), handle("bob")])));
        assert_eq!(asked_handles(Some(&people(100))).map(|people| people.map(|people| people.len())), Ok(Some(100)));
        for many in [people(101), "x,".repeat(1 << 20)] {
            assert_eq!(asked_handles(Some(&many)).expect_err("too many").code(), ErrorCode::TooLarge);
        }
        for bad in ["", ",", "bob,", "bob,,eve", "bob, eve", "Bob", "b", "bob\0", "bob' OR '1'='1"] {
            let problem = asked_handles(Some(bad)).expect_err(bad);
            assert!(problem.detail().contains("`handles`"), "{}", problem.detail());
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
