//! Any bytes at all: reading them gives a record or an error, never a panic, and a record reads back as itself.
//!
//! `cargo fuzz run decode fuzz/corpus/decode golden` from the folder `events`.

#![no_main]

use libfuzzer_sys::fuzz_target;
use natter_events::{Envelope, Record};

fuzz_target!(|bytes: &[u8]| {
    if let Ok(envelope) = Envelope::peek(bytes) {
        assert!(envelope.addressees().len() <= natter_events::ids::MAX_PARTICIPANTS);
    }
    if let Ok(record) = Record::decode(bytes) {
        assert_eq!(Record::decode(&record.encode()).expect("what was read can be written and read"), record);
    }
});
