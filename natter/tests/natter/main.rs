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
mod community;
mod configuration;
mod deployment;
mod documents;
mod old_ids;
#[cfg(target_os = "linux")]
mod power;
mod program;
mod rebuild;
mod screen;
mod startup;
mod story;
mod tail;
mod terminal;
mod up;
