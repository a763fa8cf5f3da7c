//! `natter chat` full-screen, as a person sees it, against a Natter that runs.

use natter_testkit::scratch_folder;

use crate::program::{LONG, Up, natter_up, run, signal};
use crate::screen::Screen;
use crate::terminal::{ALT_ENTER, CTRL_C, CTRL_N, DOWN, ENTER, ESC, PASSWORD, People, is_sent, said, up_again};

#[tokio::test]
async fn a_person_logs_in_sees_the_list_opens_writes_is_answered_and_leaves() {
    let up = Up::up(natter_up(&scratch_folder("data")));
    let people = People::register(&up.url, &["ada", "bob", "carol"]);
    people.sends("bob", "ada", "Are you there?");
    people.sends("carol", "ada", "And you?");
    let (bob, carol) = (people.tail("bob", &[]), people.tail("carol", &[]));
    bob.live(1).await;
    carol.live(1).await;

    // On a machine that does not know her: she types her name and password.
    let mut command = people.chat("ada");
    command.env_remove("NATTER_USER").env_remove("NATTER_PASSWORD").env("XDG_STATE_HOME", scratch_folder("home"));
    let mut screen = Screen::start(&command, 100, 30);
    screen.shows("Your name here:").await;
    screen.types("ada\n");
    screen.shows("Password of ada:").await;
    screen.types(&format!("{PASSWORD}\n"));
    let text = screen.until("the list", |text| text.contains("Are you there?") && text.contains("live as ada")).await;
    assert!(!text.contains(PASSWORD), "{text}");
    let place = |text: &str, words: &str| text.find(words).unwrap_or_else(|| panic!("no {words}: {text}"));
    assert!(place(&text, "carol") < place(&text, "bob"), "the newest is the first: {text}");
    screen.until("bob is online", |text| text.contains("● bob")).await;

    screen.types(DOWN);
    screen.types(ENTER);
    screen.until("the conversation", |text| text.contains("online") && text.contains("bob  ")).await;
    screen.types("Yes, I am.");
    screen.types(ALT_ENTER);
    screen.types("Here!");
    screen.types(ENTER);
    assert_eq!(said(&bob.lines(1).await[0]), "ada: Yes, I am. Here!");
    screen.until("it is sent", is_sent).await;
    people.sends("bob", "ada", "Live and in colour");
    screen.until("the answer", |text| text.matches("Live and in colour").count() == 2).await;
    // Sending reads up to itself.
    screen.until("bob has read it", |text| text.contains("read ✓✓")).await;

    // Somebody new: found by the beginning of the name.
    screen.types(CTRL_N);
    screen.shows("Type the beginning of a name.").await;
    screen.types("car");
    screen.until("carol is found", |text| text.contains("│ carol")).await;
    screen.types(ENTER);
    screen.until("her conversation", |text| text.contains("And you?") && !text.contains("Talk to")).await;
    screen.types("Me, too.");
    screen.types(ENTER);
    let lines = carol.lines(1).await;
    assert_eq!(said(&lines[0]), "ada: Me, too.");
    screen.until("it is sent", is_sent).await;

    // A narrow terminal has one of the two.
    screen.resize(50, 20);
    screen.until("the conversation alone", |text| text.contains("Me, too.") && !text.contains("bob")).await;
    screen.types(ESC);
    screen.until("the list alone", |text| text.contains("bob") && text.contains("Esc quit")).await;

    screen.types(CTRL_C);
    screen.ended(0).await;
}

#[tokio::test]
async fn what_is_written_while_the_server_is_away_is_sent_once_it_is_back() {
    let data = scratch_folder("data");
    let mut up = Up::up(natter_up(&data));
    let people = People::register(&up.url, &["ada", "bob"]);
    people.sends("bob", "ada", "Here I am");
    let bob = people.tail("bob", &[]);
    bob.live(1).await;
    let mut screen = people.screen("ada", 120, 20);
    screen.until("the list", |text| text.contains("live as ada") && text.contains("Here I am")).await;
    screen.types(ENTER);
    screen.until("the conversation", |text| text.matches("Here I am").count() == 2).await;

    up.signal("KILL");
    up.ended(LONG);
    screen.until("that it reconnects", |text| text.contains("reconnecting in ")).await;
    for number in 0..3 {
        screen.types(&format!("message {number}"));
        screen.types(ENTER);
    }
    screen.until("they wait", |text| text.contains("sending …") && text.contains("message 2")).await;
    screen.types(CTRL_C);
    screen.shows("3 messages are not sent yet").await;

    let _up = up_again(&data, &people.url);
    screen.until("all is sent", |text| text.contains("live as ada") && is_sent(text)).await;
    people.sends("ada", "bob", "the last one");
    let lines = bob.lines(4).await;
    let texts: Vec<_> = lines.iter().map(|line| said(line)).collect();
    assert_eq!(texts, ["ada: message 0", "ada: message 1", "ada: message 2", "ada: the last one"]);
    // What this user says elsewhere is here, too.
    screen.shows("the last one").await;
    screen.types(CTRL_C);
    screen.ended(0).await;
}

#[tokio::test]
async fn sigterm_gives_the_terminal_back() {
    let up = Up::up(natter_up(&scratch_folder("data")));
    let people = People::register(&up.url, &["ada"]);
    let screen = people.screen("ada", 80, 24);
    screen.shows("No conversations yet.").await;
    signal(screen.pid(), "TERM");
    screen.ended(0).await;
}

#[tokio::test]
async fn a_password_that_is_wrong_is_said_before_anything_is_drawn() {
    let up = Up::up(natter_up(&scratch_folder("data")));
    let people = People::register(&up.url, &["ada"]);
    let mut command = people.chat("ada");
    command.env_remove("NATTER_PASSWORD").env("XDG_STATE_HOME", scratch_folder("home"));
    let mut screen = Screen::start(&command, 100, 24);
    screen.shows("Password of ada:").await;
    screen.types("another one\n");
    screen.shows("Make a new account ada with this password?").await;
    screen.types("n\n");
    screen.ended(9).await;
}

#[test]
fn without_a_terminal_the_full_screen_client_says_what_scripts_can_use() {
    let nowhere = People { url: "http://127.0.0.1:1".to_owned(), home: scratch_folder("home") };
    let ended = run(nowhere.chat("ada"));
    assert_eq!(ended.code, Some(2), "{}", ended.stderr);
    assert!(ended.stderr.contains("draws on a terminal") && ended.stderr.contains("chat --help"), "{}", ended.stderr);
}
