//! Says one thing and ends: for scripts and cron.
//!
//! `cargo run --example send -- http://localhost:8080 ada bob "The backup is done."` with ada's password in
//! `NATTER_PASSWORD`.

use natter_client::{Client, Handle};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [url, from, to, text] = arguments.as_slice() else { return Err("usage: send URL FROM TO TEXT".into()) };
    let (from, to): (Handle, Handle) = (from.parse()?, to.parse()?);
    let (client, events) = Client::builder(url).login(from, std::env::var("NATTER_PASSWORD")?).connect().await?;
    // What others say is not wanted here.
    drop(events);
    let sent = client.send(to, text).await?;
    println!("{}", sent.seq);
    client.close().await;
    Ok(())
}
