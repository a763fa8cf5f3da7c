use super::*;

#[test]
fn only_what_a_handle_can_be_is_one() {
    for good in ["ab", "a-1", "0_", &"x".repeat(32)] {
        assert!(is_handle(good), "{good}");
    }
    for bad in ["", "a", "-a", "_a", "Ab", "a b", "é1", "a\0", &"x".repeat(33)] {
        assert!(!is_handle(bad), "{bad}");
    }
}

#[test]
fn a_time_is_one_that_postgresql_can_hold() {
    for good in [0, -62_135_596_800_000, 253_402_300_799_999, 1_767_614_400_123] {
        assert_eq!(timestamp(good).expect("a time").unix_timestamp_nanos(), i128::from(good) * 1_000_000);
    }
    for bad in [i64::MIN, i64::MAX, -62_135_596_800_001, 253_402_300_800_000] {
        assert!(timestamp(bad).is_err(), "{bad}");
    }
}
