//! The types of this crate as the web client has them: `web/src/net/wire/generated.ts`. The test below fails where that file
//! says something else, and writes it where it is told to.

use std::any::TypeId;
use std::collections::{BTreeMap, HashSet};
use std::fmt::Write as _;

use natter_events::Role;
use ts_rs::{Config, TS, TypeVisitor};

use crate::error::{CloseCode, ErrorCode};
use crate::frame::{ClientFrame, ServerFrame};
use crate::roles::{Action, may};
use crate::{codec, history, http};

const UPDATE: &str = "NATTER_UPDATE_TYPES";
const COMMAND: &str = "NATTER_UPDATE_TYPES=1 cargo test -p natter-protocol typescript";

/// The declarations that are needed so far, by name.
pub(crate) struct Types {
    config: Config,
    seen: HashSet<TypeId>,
    declared: BTreeMap<String, String>,
}

impl Types {
    fn new() -> Self {
        // Every number of the wire stays below 2^53.
        let config = Config::new().with_large_int("number");
        Self { config, seen: HashSet::new(), declared: BTreeMap::new() }
    }

    /// The type of a client frame's body, by its place in the enum of them.
    pub(crate) fn body_of<T: TS + 'static>(&mut self, _: fn(T) -> ClientFrame) -> String {
        self.add::<T>();
        T::name(&self.config)
    }

    /// Declares a type and all that it is made of.
    fn add<T: TS + 'static + ?Sized>(&mut self) {
        if !self.seen.insert(TypeId::of::<T>()) {
            return;
        }
        T::visit_dependencies(self);
        T::visit_generics(self);
        if T::output_path().is_none() {
            return;
        }
        let docs = T::docs().map(|docs| docs.trim_end().to_owned() + "\n").unwrap_or_default();
        let declaration = format!("{docs}export {}\n", T::decl(&self.config));
        let name = T::ident(&self.config);
        if let Some(other) = self.declared.insert(name.clone(), declaration.clone()) {
            assert_eq!(other, declaration, "two types are called {name}");
        }
    }
}

impl TypeVisitor for Types {
    fn visit<T: TS + 'static + ?Sized>(&mut self) {
        self.add::<T>();
    }
}

fn generated() -> String {
    let mut types = Types::new();
    types.add::<ServerFrame>();
    types.add::<ErrorCode>();
    types.add::<history::At<history::RoomItem>>();
    types.add::<history::Page<history::MessageItem>>();
    types.add::<history::ConversationItem>();
    types.add::<history::MemberItem>();
    types.add::<history::UserItem>();
    types.add::<history::BlockItem>();
    types.add::<history::BanItem>();
    types.add::<history::PinItem>();
    types.add::<history::VersionItem>();
    types.add::<http::Tokens>();
    let frames = codec::client_frame_types(&mut types);

    let mut text = format!("// Written by `{COMMAND}`; change the crate `protocol` instead.\n\n");
    for declaration in types.declared.values() {
        text += declaration;
        text += "\n";
    }
    text += "/** What a client says. */\nexport type ClientFrame =\n";
    for (name, body) in frames {
        let _ = writeln!(text, "  | ({{ type: '{name}' }} & {body})");
    }
    text.truncate(text.trim_end().len());
    text += ";\n\n";
    text += &rights();
    text += &close_codes();
    text += &limits();
    // Nobody wants to see in a difference what the end of a line looks like.
    text.lines().map(|line| line.trim_end().to_owned() + "\n").collect()
}

/// The lowest role that may: a higher one may whatever a lower one may.
fn rights() -> String {
    let mut text = "/** Who may do what in a room: the lowest role that may. */\nexport const RIGHTS = {\n".to_owned();
    for action in Action::ALL {
        let roles = [(Role::Member, "member"), (Role::Moderator, "moderator"), (Role::Owner, "owner")];
        let (_, lowest) = roles.into_iter().find(|(role, _)| may(*role, action)).expect("an owner may do anything");
        let _ = writeln!(text, "  {}: '{lowest}',", name_of(action));
    }
    text + "} as const;\n\n"
}

fn name_of(action: Action) -> &'static str {
    match action {
        Action::Speak => "speak",
        Action::DeleteOthers => "deleteOthers",
        Action::Pin => "pin",
        Action::MentionRoom => "mentionRoom",
        Action::Describe => "describe",
        Action::Configure => "configure",
        Action::Add => "add",
        Action::Remove(None) => "banStranger",
        Action::Remove(Some(Role::Member)) => "removeMember",
        Action::Remove(Some(Role::Moderator)) => "removeModerator",
        Action::Remove(Some(Role::Owner)) => "removeOwner",
        Action::Unban => "unban",
        Action::SetRole => "setRole",
    }
}

fn close_codes() -> String {
    let mut text = "/** Why the server ended a connection. */\nexport const CLOSE_CODES = {\n".to_owned();
    for code in (4000..5000).filter_map(CloseCode::from_code) {
        let name = format!("{code:?}");
        let _ = writeln!(text, "  {}{}: {},", name[..1].to_lowercase(), &name[1..], code.code());
    }
    text + "} as const;\n\n"
}

fn limits() -> String {
    let mut text = String::new();
    macro_rules! constants {
        ($($name:ident),* $(,)?) => {
            $(let _ = writeln!(text, "export const {} = {};", stringify!($name), crate::limits::$name);)*
        };
    }
    constants!(
        MAX_FRAME_BYTES,
        MAX_TEXT_CHARS,
        MAX_DISPLAY_NAME_CHARS,
        MAX_STATUS_CHARS,
        MAX_PARTICIPANTS,
        MAX_ROOM_NAME_CHARS,
        MAX_ROOM_TOPIC_CHARS,
        MAX_FIRST_MEMBERS,
        MAX_ROOMS,
        MAX_MENTIONS,
        MAX_REACTIONS,
        MAX_REACTION_USERS,
        MAX_WATCHED_USERS,
        MAX_PAGE_ITEMS,
        MAX_PAGE_HANDLES,
        MIN_PASSWORD_BYTES,
        MAX_PASSWORD_BYTES,
        TYPING_MS,
    );
    let _ = writeln!(text, "export const MAX_HANDLE_CHARS = {};", crate::handle::MAX_HANDLE_BYTES);
    text
}

#[test]
fn the_web_client_has_the_types_of_this_crate() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../web/src/net/wire/generated.ts");
    let generated = generated();
    if std::env::var_os(UPDATE).is_some() {
        std::fs::write(path, &generated).expect("the file can be written");
    }
    let there = std::fs::read_to_string(path).unwrap_or_default();
    let differs = generated.lines().zip(there.lines()).position(|(new, old)| new != old);
    let line = differs.unwrap_or_else(|| generated.lines().count().min(there.lines().count())) + 1;
    assert!(generated == there, "web/src/net/wire/generated.ts is another from line {line} on: run `{COMMAND}`");
}
