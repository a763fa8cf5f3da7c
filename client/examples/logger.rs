//! Writes everything that is said to a user to standard output, one JSON object a line, and never misses anything: it
//! keeps its position in a file and goes on from there, and what the server can't replay it reads from history.
//!
//! `cargo run --example logger -- http://localhost:8080 logger position.txt` with the password in `NATTER_PASSWORD`.

use std::path::PathBuf;

use futures::TryStreamExt;
use natter_client::{Client, Event, Handle, Position};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let url = arguments.next().unwrap_or_else(|| "http://localhost:8080".into());
    let handle: Handle = arguments.next().unwrap_or_else(|| "logger".into()).parse()?;
    let file = PathBuf::from(arguments.next().unwrap_or_else(|| "position.txt".into()));
    let kept: Option<Position> = match std::fs::read_to_string(&file) {
        Ok(text) => Some(text.trim().parse()?),
        Err(_) => None,
    };
    let builder = Client::builder(url).login(handle, std::env::var("NATTER_PASSWORD")?).resume_from(kept);
    let (client, mut events) = builder.connect().await?;
    while let Some(event) = events.next().await {
        match &event {
            Event::Message(message) => println!("{}", serde_json::to_string(message)?),
            Event::Reset { reason, position } => {
                eprintln!("cannot resume ({reason:?}): reading what is there up to {position}");
                read_everything(&client).await?;
            }
            _ => {}
        }
        // Only after it was dealt with: killed in between, it is written twice rather than never.
        if let Some(position) = event.position() {
            let beside = file.with_extension("new");
            std::fs::write(&beside, position.to_string())?;
            std::fs::rename(&beside, &file)?;
        }
    }
    Ok(())
}

async fn read_everything(client: &Client) -> Result<(), Box<dyn std::error::Error>> {
    let mut conversations = std::pin::pin!(client.history().conversations().limit(200).items());
    while let Some(conversation) = conversations.try_next().await? {
        let mut messages = std::pin::pin!(client.history().messages(conversation.conversation).limit(200).items());
        while let Some(message) = messages.try_next().await? {
            println!("{}", serde_json::to_string(&message)?);
        }
    }
    Ok(())
}
