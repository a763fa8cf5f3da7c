//! The HTTP server of a service: hyper with every bound set, and the layers that each router wears.
//!
//! ```no_run
//! # async fn run() -> std::io::Result<()> {
//! use natter_platform::{Shutdown, http};
//!
//! let shutdown = Shutdown::new(std::time::Duration::from_secs(8));
//! let router = axum::Router::new().route("/", axum::routing::get(|| async { "hello" }));
//! let router = http::layered(router, &http::LayerOptions::default());
//! let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
//! http::serve(listener, router, http::ServeOptions::default(), shutdown).await
//! # }
//! ```

mod connection;
mod layers;
mod observe;
mod serve;

pub use layers::{LayerOptions, body_limit, layered, security_headers};
pub use observe::{MAX_REQUEST_ID_CHARS, RequestId};
pub use serve::{ServeOptions, serve};
