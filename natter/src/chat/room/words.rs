//! What happens in a room, in words.

use natter_client::{Handle, Member, MemberChange, Role, Room, RoomItem, Toggle, Visibility};

use crate::chat::clean;

/// A room as people see it: with a sign in front that no person's name has.
pub fn name(room: &RoomItem) -> String {
    format!("#{}", clean::line(&room.name))
}

/// How many are in it.
pub fn members(count: u64) -> String {
    if count == 1 { "1 member".to_owned() } else { format!("{count} members") }
}

/// What someone is in it.
pub fn role(role: Role) -> &'static str {
    match role {
        Role::Owner => "owner",
        Role::Moderator => "moderator",
        Role::Member => "member",
    }
}

/// What became of somebody's place in it.
pub fn member(member: &Member, me: &Handle) -> String {
    let (by, user) = (who(&member.by, me), who(&member.user, me));
    match (member.change, member.role) {
        (MemberChange::Joined, _) if member.by == member.user => format!("{user} joined"),
        (MemberChange::Joined, _) => format!("{by} added {user}"),
        (MemberChange::Left, _) => format!("{user} left"),
        (MemberChange::Removed, _) => format!("{by} removed {user}"),
        (MemberChange::Banned, _) => format!("{by} banned {user}"),
        (MemberChange::Unbanned, _) => format!("{by} lets {user} come back"),
        (MemberChange::Role, Some(Role::Owner)) => format!("{by} made {user} an owner"),
        (MemberChange::Role, Some(Role::Moderator)) => format!("{by} made {user} a moderator"),
        (MemberChange::Role, Some(Role::Member) | None) => format!("{by} made {user} a member"),
    }
}

/// What changed of it. Who owns it is told of its members.
pub fn changes(before: &RoomItem, now: &Room, me: &Handle) -> Vec<String> {
    let mut changes = Vec::new();
    if before.name != now.name {
        changes.push(format!("renamed the room to #{}", clean::line(&now.name)));
    }
    if before.topic != now.topic {
        changes.push(match &now.topic {
            Some(topic) => format!("set the topic: {}", clean::line(topic)),
            None => "took the topic away".to_owned(),
        });
    }
    if before.visibility != now.visibility {
        let visibility = if now.visibility == Visibility::Public { "public" } else { "private" };
        changes.push(format!("made the room {visibility}"));
    }
    if before.archived != now.archived {
        let what = if now.archived { "archived the room" } else { "took the room back from the archive" };
        changes.push(what.to_owned());
    }
    let by = who(&now.by, me);
    changes.into_iter().map(|change| format!("{by} {change}")).collect()
}

/// A pin that was set, or taken away.
pub fn pinned(op: Toggle) -> &'static str {
    match op {
        Toggle::Add => "pinned a message",
        Toggle::Remove => "unpinned a message",
    }
}

/// The room as the event says it is now.
pub fn update(item: &mut RoomItem, now: &Room) {
    item.name.clone_from(&now.name);
    item.topic.clone_from(&now.topic);
    item.visibility = now.visibility;
    item.archived = now.archived;
    item.owners.clone_from(&now.owners);
}

pub fn who<'a>(user: &'a Handle, me: &Handle) -> &'a str {
    if user == me { "you" } else { user.as_str() }
}

#[cfg(test)]
mod tests {
    use natter_client::{Position, Timestamp};

    use super::*;
    use crate::chat::tui::testing::{ada, bob, engines, handle};

    fn told(user: &Handle, change: MemberChange, role: Option<Role>, by: &Handle) -> String {
        let (position, conversation) = (Position::start(1), engines().conversation);
        let (user, by) = (user.clone(), by.clone());
        let event = Member { seq: 1, position, conversation, user, change, role, by, id: None, at: Timestamp(0) };
        member(&event, &ada())
    }

    #[test]
    fn who_comes_and_goes_is_said_with_who_did_it() {
        let carol = handle("carol");
        let member = Some(Role::Member);
        for (user, change, role, by, words) in [
            (&carol, MemberChange::Joined, member, &carol, "carol joined"),
            (&ada(), MemberChange::Joined, member, &bob(), "bob added you"),
            (&carol, MemberChange::Left, None, &carol, "carol left"),
            (&carol, MemberChange::Removed, None, &ada(), "you removed carol"),
            (&carol, MemberChange::Banned, None, &bob(), "bob banned carol"),
            (&carol, MemberChange::Unbanned, None, &bob(), "bob lets carol come back"),
            (&carol, MemberChange::Role, Some(Role::Owner), &bob(), "bob made carol an owner"),
            (&ada(), MemberChange::Role, Some(Role::Moderator), &bob(), "bob made you a moderator"),
            (&carol, MemberChange::Role, member, &bob(), "bob made carol a member"),
        ] {
            assert_eq!(told(user, change, role, by), words);
        }
    }

    #[test]
    fn each_change_of_a_room_is_said_once() {
        let mut item = engines();
        let now = Room {
            seq: 9,
            position: Position::start(1),
            conversation: item.conversation,
            name: "motors\u{1b}".into(),
            topic: Some("oil".into()),
            visibility: Visibility::Private,
            archived: true,
            owners: vec![bob()],
            by: bob(),
            id: None,
            at: Timestamp(0),
        };
        let told = changes(&item, &now, &ada());
        let expected = [
            "bob renamed the room to #motors\u{fffd}",
            "bob set the topic: oil",
            "bob made the room private",
            "bob archived the room",
        ];
        assert_eq!(told, expected);
        update(&mut item, &now);
        assert_eq!(changes(&item, &now, &ada()), Vec::<String>::new());
        let back = Room { topic: None, archived: false, visibility: Visibility::Public, by: ada(), ..now };
        let expected =
            ["you took the topic away", "you made the room public", "you took the room back from the archive"];
        assert_eq!(changes(&item, &back, &ada()), expected);
    }
}
