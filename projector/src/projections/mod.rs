//! One file per read model. Each folds the facts of a batch in memory, in the log's order, and then writes the result with
//! a few statements over arrays, whatever the size of the batch.

pub(crate) mod accounts;
pub(crate) mod changes;
pub(crate) mod commands;
pub(crate) mod conversations;
pub(crate) mod days;
pub(crate) mod dead_letters;
pub(crate) mod members;
pub(crate) mod mentions;
pub(crate) mod messages;
pub(crate) mod pins;
pub(crate) mod preferences;
pub(crate) mod presence;
pub(crate) mod reactions;
pub(crate) mod readers;
pub(crate) mod revisions;
pub(crate) mod rooms;
pub(crate) mod threads;
