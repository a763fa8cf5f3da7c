//! A bot that says back what is said to it.
//!
//! `cargo run --example echo -- http://localhost:8080 echo-bot` with its password in `NATTER_PASSWORD`. With `OUTBOX` set
//! to a file's name it can be killed at any time and still answers every message exactly once or not at all, never twice.

use natter_client::{Client, Event, Handle};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let url = arguments.next().unwrap_or_else(|| "http://localhost:8080".into());
    let handle: Handle = arguments.next().unwrap_or_else(|| "echo-bot".into()).parse()?;
    let mut builder = Client::builder(url).login(handle.clone(), std::env::var("NATTER_PASSWORD")?);
    if let Ok(file) = std::env::var("OUTBOX") {
        builder = builder.outbox_file(file);
    }
    let (client, mut events) = builder.connect().await?;
    println!("{handle} listens");
    while let Some(event) = events.next().await {
        match event {
            // What this user says elsewhere comes here, too, and is not for us.
            Event::Message(message) if message.sender != handle => {
                // Not awaited here: the answers of a slow server must not hold up the reading.
                let client = client.clone();
                tokio::spawn(async move {
                    let text = format!("{}, you said: {}", message.sender, message.text);
                    let text: String = text.chars().take(8_000).collect();
                    if let Err(error) = client.send(message.conversation, text).reply_to(message.seq).await {
                        eprintln!("not answered: {error}");
                    }
                });
            }
            Event::State(state) => println!("{state:?}"),
            _ => {}
        }
    }
    Ok(())
}
