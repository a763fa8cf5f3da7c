//! Which conversation is meant: by who takes part, or as a room.

use natter_client::{ConversationId, Handle, History, Server};

use super::failed;
use super::room::find;
use crate::exit::Failure;

#[derive(Debug, clap::Args)]
#[group(id = "conversation", required = true, multiple = false)]
pub struct Which {
    /// With whom; several names with commas between them are one conversation.
    #[arg(long, env = "NATTER_WITH", value_name = "NAME", value_delimiter = ',', action = clap::ArgAction::Append)]
    pub with: Vec<Handle>,

    /// In which room instead: its id, or its name if that is the name of one of yours only.
    #[arg(long, env = "NATTER_ROOM", value_name = "ROOM")]
    pub room: Option<String>,
}

impl Which {
    /// Its id, which a direct conversation has from its first message on.
    pub async fn find(
        &self,
        history: &History,
        server: &Server,
        me: &Handle,
    ) -> Result<Option<ConversationId>, Failure> {
        if let Some(room) = &self.room {
            return find::room(history, server, room).await.map(Some);
        }
        let first = history.direct(&together(&self.with, me)).limit(1).next_page().await;
        let first = first.map_err(|error| failed(server, &error))?.and_then(|page| page.items.into_iter().next());
        Ok(first.map(|item| item.conversation))
    }

    /// Whether others take part, beside this user and one more.
    pub fn among_others(&self, me: &Handle) -> bool {
        self.room.is_some() || together(&self.with, me).len() > 2
    }
}

/// Everybody who takes part, each once.
pub fn together(with: &[Handle], me: &Handle) -> Vec<Handle> {
    let mut people: Vec<_> = with.iter().chain([me]).cloned().collect();
    people.sort();
    people.dedup();
    people
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chat::tui::testing::{ada, bob, handle};

    #[test]
    fn cmd7_others_take_part_in_rooms_and_where_there_are_three() {
        let with = |with: &[Handle]| Which { with: with.to_vec(), room: None }.among_others(&ada());
        assert!(!with(&[bob()]) && !with(&[bob(), ada(), bob()]) && with(&[bob(), handle("cy")]));
        assert!(Which { with: Vec::new(), room: Some("engines".into()) }.among_others(&ada()));
    }
}
