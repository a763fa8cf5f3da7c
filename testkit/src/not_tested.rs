//! What can't be tested here is said, and where it has to be tested it is a failure.

/// `required` where the machine is known to have what it takes, so that a test which tests nothing is not taken for one that
/// holds.
const VARIABLE: &str = "NATTER_TEST_POWER";

/// Says that a test about power loss has nothing to run on, and why.
pub fn not_tested(what_and_why: &str) {
    let required = std::env::var_os(VARIABLE).is_some_and(|value| value == "required");
    assert!(!required, "NOT TESTED, and {VARIABLE} is `required`: {what_and_why}");
    eprintln!("NOT TESTED: {what_and_why}");
}
