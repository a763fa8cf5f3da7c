//! Who may do what in a room: one table, for the gateway, which enforces it, and for clients, which need not offer what will
//! be refused.

use natter_events::Role;

/// Something that is done in a room, or to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// Says something, edits it, reacts, and takes any of that back.
    Speak,
    /// Deletes what somebody else said.
    DeleteOthers,
    Pin,
    /// Mentions everybody at once.
    MentionRoom,
    /// Changes its name or its topic.
    Describe,
    /// Changes who finds it, and whether it is archived.
    Configure,
    Add,
    /// Removes or bans someone, who is this there; none for one who is not in it.
    Remove(Option<Role>),
    /// Lets someone come back who was banned.
    Unban,
    /// Gives someone another role.
    SetRole,
}

impl Action {
    /// Every action.
    pub const ALL: [Action; 13] = [
        Action::Speak,
        Action::DeleteOthers,
        Action::Pin,
        Action::MentionRoom,
        Action::Describe,
        Action::Configure,
        Action::Add,
        Action::Remove(None),
        Action::Remove(Some(Role::Member)),
        Action::Remove(Some(Role::Moderator)),
        Action::Remove(Some(Role::Owner)),
        Action::Unban,
        Action::SetRole,
    ];
}

/// Whether a member with this role may.
pub fn may(role: Role, action: Action) -> bool {
    match action {
        Action::Speak => true,
        Action::DeleteOthers
        | Action::Pin
        | Action::MentionRoom
        | Action::Describe
        | Action::Add
        | Action::Unban
        | Action::Remove(None | Some(Role::Member)) => role >= Role::Moderator,
        Action::Configure | Action::SetRole | Action::Remove(Some(Role::Moderator | Role::Owner)) => {
            role == Role::Owner
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cmd4_who_may_do_what_in_a_room() {
        let table = [
            // member, moderator, owner
            (Action::Speak, [true, true, true]),
            (Action::DeleteOthers, [false, true, true]),
            (Action::Pin, [false, true, true]),
            (Action::MentionRoom, [false, true, true]),
            (Action::Describe, [false, true, true]),
            (Action::Add, [false, true, true]),
            (Action::Remove(None), [false, true, true]),
            (Action::Remove(Some(Role::Member)), [false, true, true]),
            (Action::Unban, [false, true, true]),
            (Action::Remove(Some(Role::Moderator)), [false, false, true]),
            (Action::Remove(Some(Role::Owner)), [false, false, true]),
            (Action::Configure, [false, false, true]),
            (Action::SetRole, [false, false, true]),
        ];
        for (action, expected) in table {
            let allowed = [Role::Member, Role::Moderator, Role::Owner].map(|role| may(role, action));
            assert_eq!(allowed, expected, "{action:?}");
        }
    }

    #[test]
    fn a_higher_role_may_whatever_a_lower_one_may() {
        let roles = [Role::Member, Role::Moderator, Role::Owner];
        assert!(roles.is_sorted());
        for action in Action::ALL {
            assert!(roles.map(|role| may(role, action)).is_sorted(), "{action:?}");
        }
    }
}
