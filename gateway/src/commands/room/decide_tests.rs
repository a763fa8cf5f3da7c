//! What commands about rooms come to, and who may.

use natter_events::{ContentKey, Field};

use super::*;

const ADA: Uid = Uid::from_bytes([1; 16]);
const BEN: Uid = Uid::from_bytes([2; 16]);
const CY: Uid = Uid::from_bytes([3; 16]);

fn id() -> ConversationId {
    ConversationId::from_bytes([1; 16])
}

fn sealed(text: &str) -> Sealed {
    ContentKey::random().seal(ADA, Field::RoomName, text.as_bytes())
}

fn room(visibility: Visibility, owners: &[Uid]) -> Room {
    Room {
        name: sealed("engines"),
        topic: None,
        visibility,
        public_since: None,
        archived: false,
        owners: owners.to_vec(),
        bans: vec![],
    }
}

/// In this room, or not; and in another.
fn place(role: Option<Role>) -> Arc<MembershipState> {
    let other = Membership { room: ConversationId::from_bytes([2; 16]), role: Role::Member, since: Some(3) };
    let own = role.map(|role| Membership { room: id(), role, since: Some(5) });
    Arc::new(MembershipState { rooms: own.into_iter().chain([other]).collect(), seq: 7 })
}

fn states(room: Room, caller: Option<Role>, target: Option<Role>) -> States {
    States { room: Arc::new(RoomState { room, seq: 9 }), caller: place(caller), target: place(target) }
}

/// Ada, who is this, does it to Ben, who is that.
fn does(what: &What, room: Room, caller: Option<Role>, target: Option<Role>) -> Result<Decision, ErrorCode> {
    decide(id(), ADA, BEN, what, &states(room, caller, target)).map_err(|refused| refused.code)
}

/// Ada does it to herself.
fn does_herself(what: &What, room: Room, role: Option<Role>) -> Result<Decision, ErrorCode> {
    let states = states(room, role, role);
    decide(id(), ADA, ADA, what, &states).map_err(|refused| refused.code)
}

fn changed(decision: Result<Decision, ErrorCode>) -> Change {
    match decision {
        Ok(Decision::Change(change)) => change,
        other => panic!("{other:?}"),
    }
}

#[test]
fn anybody_joins_a_public_room_and_nobody_a_private_one() {
    let change = changed(does_herself(&What::Join, room(Visibility::Public, &[BEN]), None));
    let (what, rooms) = change.membership.expect("a membership");
    assert_eq!((what, rooms.len(), change.room), (MembershipChange::Joined, 2, None));
    assert_eq!(rooms[1], Membership { room: id(), role: Role::Member, since: None });
    let private = does_herself(&What::Join, room(Visibility::Private, &[BEN]), None);
    assert_eq!(private, Err(ErrorCode::NotFound), "CMD6: it does not exist");
    let mut banned = room(Visibility::Public, &[BEN]);
    banned.bans.push(ADA);
    assert_eq!(does_herself(&What::Join, banned, None), Err(ErrorCode::Forbidden));
    let mut archived = room(Visibility::Public, &[BEN]);
    archived.archived = true;
    assert_eq!(does_herself(&What::Join, archived, None), Err(ErrorCode::Archived));
    let again = does_herself(&What::Join, room(Visibility::Private, &[BEN]), Some(Role::Member));
    assert_eq!(again, Ok(Decision::Nothing { seq: 7 }));
}

#[test]
fn the_last_owner_hands_over_first() {
    let alone = || room(Visibility::Public, &[ADA]);
    assert_eq!(does_herself(&What::Leave, alone(), Some(Role::Owner)), Err(ErrorCode::Forbidden));
    assert_eq!(does_herself(&What::Role(Role::Member), alone(), Some(Role::Owner)), Err(ErrorCode::Forbidden));
    let change = changed(does(&What::Role(Role::Owner), alone(), Some(Role::Owner), Some(Role::Member)));
    let (what, two) = change.room.expect("the room");
    assert_eq!((what, &two.owners), (RoomChange::Owners, &vec![ADA, BEN]));
    let change = changed(does_herself(&What::Leave, two, Some(Role::Owner)));
    assert_eq!(change.membership.map(|(what, _)| what), Some(MembershipChange::Left));
    assert_eq!(change.room.map(|(_, room)| room.owners), Some(vec![BEN]));
}

#[test]
fn a_member_leaves_alone_and_only_a_member_does() {
    let change = changed(does_herself(&What::Leave, room(Visibility::Public, &[BEN]), Some(Role::Moderator)));
    assert_eq!((change.membership.map(|(_, rooms)| rooms.len()), change.room), (Some(1), None));
    for (visibility, code) in [(Visibility::Public, ErrorCode::NotMember), (Visibility::Private, ErrorCode::NotFound)] {
        assert_eq!(does_herself(&What::Leave, room(visibility, &[BEN]), None), Err(code));
    }
}

#[test]
fn who_may_remove_whom() {
    let two = || room(Visibility::Public, &[ADA, BEN]);
    for what in [What::Remove, What::Ban] {
        for (caller, target, allowed) in [
            (Role::Member, Role::Member, false),
            (Role::Moderator, Role::Member, true),
            (Role::Moderator, Role::Moderator, false),
            (Role::Moderator, Role::Owner, false),
            (Role::Owner, Role::Moderator, true),
            (Role::Owner, Role::Owner, true),
        ] {
            let decision = does(&what, two(), Some(caller), Some(target));
            assert_eq!(decision.is_ok(), allowed, "{what:?}: {caller:?} of {target:?}");
            if !allowed {
                assert_eq!(decision, Err(ErrorCode::Forbidden));
            }
        }
        assert_eq!(does_herself(&what, two(), Some(Role::Owner)), Err(ErrorCode::Invalid));
    }
    let owner = changed(does(&What::Remove, two(), Some(Role::Owner), Some(Role::Owner)));
    assert_eq!(owner.room.map(|(_, room)| room.owners), Some(vec![ADA]));
    assert_eq!(does(&What::Remove, two(), Some(Role::Owner), None), Err(ErrorCode::NotFound));
}

#[test]
fn who_is_banned_is_out_and_stays_out_until_that_is_taken_back() {
    let private = || room(Visibility::Private, &[ADA]);
    let change = changed(does(&What::Ban, private(), Some(Role::Moderator), Some(Role::Member)));
    let (_, banned) = change.room.expect("the room");
    assert_eq!(banned.bans, [BEN]);
    assert_eq!(change.membership.map(|(what, rooms)| (what, rooms.len())), Some((MembershipChange::Banned, 1)));
    let stranger = changed(does(&What::Ban, private(), Some(Role::Moderator), None));
    assert!(stranger.membership.is_some(), "a joining that was decided before must not come behind it");
    assert_eq!(does(&What::Add, banned.clone(), Some(Role::Owner), None), Err(ErrorCode::Forbidden));
    assert_eq!(does(&What::Ban, banned.clone(), Some(Role::Owner), None), Ok(Decision::Nothing { seq: 9 }));
    let change = changed(does(&What::Unban, banned, Some(Role::Moderator), None));
    assert_eq!((change.membership, change.room.map(|(_, room)| room.bans)), (None, Some(vec![])));
    assert_eq!(does(&What::Unban, private(), Some(Role::Owner), None), Ok(Decision::Nothing { seq: 9 }));
    let mut full = private();
    full.bans = vec![CY; MAX_BANS];
    assert_eq!(does(&What::Ban, full, Some(Role::Owner), None), Err(ErrorCode::Full));
}

#[test]
fn nobody_is_in_more_rooms_than_there_may_be() {
    let mut states = states(room(Visibility::Public, &[BEN]), None, None);
    let full = MembershipState { rooms: vec![place(None).rooms[0]; MAX_ROOMS], seq: 7 };
    (states.caller, states.target) = (Arc::new(full.clone()), Arc::new(full));
    let refused = decide(id(), ADA, ADA, &What::Join, &states).expect_err("full");
    assert_eq!(refused.code, ErrorCode::Full);
}

#[test]
fn roles_are_an_owners_to_give() {
    let alone = || room(Visibility::Public, &[ADA]);
    for caller in [Role::Member, Role::Moderator] {
        let decision = does(&What::Role(Role::Moderator), alone(), Some(caller), Some(Role::Member));
        assert_eq!(decision, Err(ErrorCode::Forbidden));
    }
    let change = changed(does(&What::Role(Role::Moderator), alone(), Some(Role::Owner), Some(Role::Member)));
    let (what, rooms) = change.membership.expect("a membership");
    assert_eq!((what, change.room), (MembershipChange::Role, None));
    assert_eq!(rooms[0], Membership { room: id(), role: Role::Moderator, since: Some(5) }, "their stay goes on");
    assert_eq!(does(&What::Role(Role::Owner), alone(), Some(Role::Owner), None), Err(ErrorCode::NotFound));
    let same = does(&What::Role(Role::Member), alone(), Some(Role::Owner), Some(Role::Member));
    assert_eq!(same, Ok(Decision::Nothing { seq: 7 }));
}

#[test]
fn who_changes_what_of_a_room() {
    let update = |name: bool, visibility, archived| What::Update {
        name: name.then(|| sealed("other")),
        topic: None,
        visibility,
        archived,
    };
    let public = || room(Visibility::Public, &[BEN]);
    let rename = update(true, None, None);
    let hide = update(false, Some(Visibility::Private), None);
    let archive = update(false, None, Some(true));
    for (what, role, allowed) in [
        (&rename, Role::Member, false),
        (&rename, Role::Moderator, true),
        (&hide, Role::Moderator, false),
        (&hide, Role::Owner, true),
        (&archive, Role::Moderator, false),
        (&archive, Role::Owner, true),
    ] {
        assert_eq!(does_herself(what, public(), Some(role)).is_ok(), allowed, "{what:?}");
    }
    let mut seen = public();
    seen.public_since = Some(4);
    let hidden = changed(does_herself(&hide, seen.clone(), Some(Role::Owner))).room.expect("the room").1;
    assert_eq!((hidden.visibility, hidden.public_since), (Visibility::Private, None));
    let same = update(false, Some(Visibility::Public), None);
    assert_eq!(does_herself(&same, seen, Some(Role::Owner)), Ok(Decision::Nothing { seq: 9 }));
    let mut archived = public();
    archived.archived = true;
    assert_eq!(does_herself(&rename, archived.clone(), Some(Role::Owner)), Err(ErrorCode::Archived));
    let back = changed(does_herself(&update(true, None, Some(false)), archived, Some(Role::Owner)));
    assert_eq!(back.room.map(|(_, room)| room.archived), Some(false));
    for (visibility, code) in [(Visibility::Public, ErrorCode::NotMember), (Visibility::Private, ErrorCode::NotFound)] {
        assert_eq!(does_herself(&rename, room(visibility, &[BEN]), None), Err(code));
    }
}
