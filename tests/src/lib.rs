//! The proof that what Natter acknowledged survives: real processes under faults, and checkers over everything that was
//! recorded.
//!
//! One [`run`](run::run) starts a deployment (`stage`), lets people use it (`people`) while a seeded plan of faults
//! (`plan`) is carried out (`conductor`), reads the same conversations in six ways (`readers`), and judges what was
//! recorded (`record`) with checkers that are linear in its length (`check`). A run that fails prints its seed, and the seed
//! gives the same plan again.
//!
//! That the checkers can fail is proven with bugs that are planted into a program of its own (`../planted`).

pub mod check;
pub mod conductor;
pub mod people;
pub mod plan;
pub mod programs;
pub mod readers;
pub mod record;
pub mod report;
pub mod run;
pub mod stage;
pub mod trials;
mod wait;
