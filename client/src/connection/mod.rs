//! The connection: a pure state machine (`state`), how long it waits (`backoff`), and the task that carries out what it
//! says (`driver`).

pub(crate) mod backoff;
pub(crate) mod driver;
pub(crate) mod requests;
pub(crate) mod state;

pub use state::State;
