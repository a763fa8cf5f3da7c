//! Which room is meant: by its id, or by its name where only one has it. Names are not unique, and anybody may take one: so
//! the user's own rooms come first, and more than one of a name is never guessed at.

use std::pin::pin;

use futures::{StreamExt, TryStreamExt};
use natter_client::{ConversationId, History, HttpError, RoomItem, Server, Visibility};
use natter_protocol::text::check_room_name;

use crate::chat::{clean, failed};
use crate::exit::{Exit, Failure};

/// The most that the server gives at once.
const PAGE_ITEMS: u32 = 200;
/// Public rooms that are looked through.
const MAX_FOUND: usize = 2_000;
/// Of several rooms with one name so many are listed.
const MAX_LISTED: usize = 10;

/// The room of this id or name.
pub async fn room(history: &History, server: &Server, text: &str) -> Result<ConversationId, Failure> {
    if let Ok(id) = text.parse::<ConversationId>() {
        return if id.is_room() { Ok(id) } else { Err(usage(format!("{id} is the id of no room"))) };
    }
    // As rooms are shown.
    let name = text.strip_prefix('#').unwrap_or(text);
    check_room_name(name).map_err(|error| usage(format!("the name of a room: {error}")))?;
    let mut found = own(history, name).await.map_err(|error| failed(server, &error))?;
    if found.is_empty() {
        found = public(history, name).await.map_err(|error| failed(server, &error))?;
    }
    one(name, &found)
}

async fn own(history: &History, name: &str) -> Result<Vec<RoomItem>, HttpError> {
    let mut found = Vec::new();
    let mut items = pin!(history.conversations().limit(PAGE_ITEMS).items());
    while let Some(item) = items.try_next().await? {
        found.extend(item.room.filter(|room| room.name == name));
    }
    Ok(found)
}

async fn public(history: &History, name: &str) -> Result<Vec<RoomItem>, HttpError> {
    let items = history.rooms(name).limit(PAGE_ITEMS).items().take(MAX_FOUND);
    items.try_filter(|room| std::future::ready(room.name == name)).try_collect().await
}

fn one(name: &str, found: &[RoomItem]) -> Result<ConversationId, Failure> {
    let name = clean::line(name);
    match found {
        [room] => Ok(room.conversation),
        [] => Err(Failure::new(Exit::Refused, format!("you see no room that is called {name}"))),
        several => {
            let listed = several.iter().take(MAX_LISTED).map(|room| {
                let visibility = if room.visibility == Visibility::Public { "public" } else { "private" };
                format!("\n  {}  {visibility}, {}", room.conversation, super::words::members(room.members))
            });
            let listed: String = listed.collect();
            Err(usage(format!("{} rooms are called {name}; say which one by its id:{listed}", several.len())))
        }
    }
}

fn usage(message: String) -> Failure {
    Failure::new(Exit::Usage, message)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chat::tui::testing::engines;

    #[test]
    fn one_room_of_a_name_is_meant_and_of_several_their_ids_are_listed() {
        let other = RoomItem { conversation: ConversationId::from_bytes([7; 16]), ..engines() };
        assert_eq!(one("engines", &[engines()]).expect("it is meant"), engines().conversation);
        let none = one("\u{1b}[2J", &[]).expect_err("there is none");
        assert_eq!(
            (none.exit, none.to_string().as_str()),
            (Exit::Refused, "you see no room that is called \u{fffd}[2J")
        );
        let several = one("engines", &[engines(), other.clone()]).expect_err("there are two");
        assert_eq!(several.exit, Exit::Usage);
        for room in [engines(), other] {
            assert!(
                several.to_string().contains(&format!("\n  {}  public, 3 members", room.conversation)),
                "{several}"
            );
        }
    }
}
