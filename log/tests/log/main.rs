//! The log against a real broker: what it promises, and every fault that is known of the broker and its client.

mod append;
mod backup;
mod batches;
mod bucket;
mod connect;
mod damaged;
mod declare;
mod epoch;
mod follow;
mod follow_faults;
mod killed;
mod late;
mod live;
mod power;
mod read;
mod read_only;
mod scrub;
mod secure;
mod support;
mod together;
