//! The program as people run it: the real binary, real engines, real signals.

mod alone;
mod arrows;
mod backup;
mod backup_drill;
mod changing;
mod chat;
mod chat_preferences;
mod chat_rooms;
mod chat_screen;
mod clocked;
mod community;
mod configuration;
mod damaged;
mod deployment;
mod documents;
mod old_ids;
mod once;
#[cfg(target_os = "linux")]
mod power;
mod program;
mod rebuild;
mod rolling;
mod screen;
mod startup;
mod stopping;
mod story;
mod tail;
mod terminal;
mod up;
