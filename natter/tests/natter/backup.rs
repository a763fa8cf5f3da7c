//! `natter backup` and `natter restore` as operators run them, and everything that can be wrong with a backup.
