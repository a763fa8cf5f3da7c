//! The terminal while the client draws on it. It is as it was before whenever this is dropped, and when the program
//! panics.

use std::io::{self, Stdout, stdout};
use std::sync::Once;
use std::sync::atomic::{AtomicBool, Ordering};

use crossterm::cursor::Show;
use crossterm::event::{DisableBracketedPaste, DisableFocusChange, EnableBracketedPaste, EnableFocusChange};
use crossterm::execute;
use crossterm::terminal::{EnterAlternateScreen, LeaveAlternateScreen, disable_raw_mode, enable_raw_mode};
use ratatui::backend::CrosstermBackend;

/// Whether there is something to give back. A second time would put the cursor onto what was printed since the first.
static TAKEN: AtomicBool = AtomicBool::new(false);

pub struct Terminal {
    pub screen: ratatui::Terminal<CrosstermBackend<Stdout>>,
    _restore: Restore,
}

impl Terminal {
    pub fn take() -> io::Result<Self> {
        restore_before_panics();
        enable_raw_mode()?;
        TAKEN.store(true, Ordering::SeqCst);
        // From here on whatever fails gives it back.
        let restore = Restore;
        execute!(stdout(), EnterAlternateScreen, EnableBracketedPaste, EnableFocusChange)?;
        let screen = ratatui::Terminal::new(CrosstermBackend::new(stdout()))?;
        Ok(Self { screen, _restore: restore })
    }
}

struct Restore;

impl Drop for Restore {
    fn drop(&mut self) {
        restore();
    }
}

fn restore() {
    if !TAKEN.swap(false, Ordering::SeqCst) {
        return;
    }
    // There is nobody to tell when the terminal is gone.
    let _ = execute!(stdout(), DisableFocusChange, DisableBracketedPaste, LeaveAlternateScreen, Show);
    let _ = disable_raw_mode();
}

/// So that what a panic says can be read.
fn restore_before_panics() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let say = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            restore();
            say(panic);
        }));
    });
}

#[cfg(test)]
mod tests {
    use std::io::Read;
    use std::num::NonZero;

    use portable_pty::{CommandBuilder, PtySize, native_pty_system};

    use super::*;

    const ON_A_TERMINAL: &str = "NATTER_TEST_ON_A_TERMINAL";

    /// This very test in a process on a terminal of its own, where it takes the terminal and panics.
    #[test]
    fn a_panic_gives_the_terminal_back_and_can_be_read() {
        if std::env::var_os(ON_A_TERMINAL).is_some() {
            let mut terminal = Terminal::take().expect("a terminal");
            terminal.screen.draw(|frame| frame.render_widget("picture", frame.area())).expect("drawn");
            panic!("it broke");
        }
        let pty =
            native_pty_system().openpty(PtySize { rows: 50, cols: 120, ..PtySize::default() }).expect("a terminal");
        let mut command = CommandBuilder::new("sh");
        command.args(["-c", "\"$@\"; stty -a", "sh"]);
        command.arg(std::env::current_exe().expect("this program"));
        let this = "chat::tui::terminal::tests::a_panic_gives_the_terminal_back_and_can_be_read";
        command.args([this, "--exact", "--nocapture"]);
        command.env(ON_A_TERMINAL, "1");
        command.env("RUST_BACKTRACE", "0");
        let mut child = pty.slave.spawn_command(command).expect("it starts");
        drop(pty.slave);
        let mut output = Vec::new();
        // A terminal that nobody holds any more ends with an error.
        let _ = pty.master.try_clone_reader().expect("a reader").read_to_end(&mut output);
        child.wait().expect("it ends");
        let size = |cells| NonZero::new(cells).expect("some");
        let mut parser = vt100::Parser::new(size(50), size(120), 0);
        parser.process(&output);
        let (screen, text) = (parser.screen(), parser.screen().contents());
        assert!(String::from_utf8_lossy(&output).contains("picture"), "it was drawn: {text}");
        assert!(text.contains("panicked at") && text.contains("it broke") && !text.contains("picture"), "{text}");
        assert!(text.split([' ', '\n', ';']).any(|setting| setting == "icanon"), "{text}");
        assert!(!screen.alternate_screen() && !screen.hide_cursor() && !screen.bracketed_paste(), "{text}");
    }
}
