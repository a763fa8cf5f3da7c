//! The services, each with its options: the same code alone and inside `natter up`.

pub mod broker;
pub mod frame;
pub mod gateway;
pub mod history;
pub mod projector;
pub mod scrub;
pub mod tokens;
