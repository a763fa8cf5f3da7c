//! The server and the operator's doors over real sockets.

mod limits;
mod ops;
mod requests;
mod stop;
mod support;
mod upgraded;
