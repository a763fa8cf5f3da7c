//! A program on a terminal of its own, and what a person would see there.

use std::io::{Read, Write};
use std::num::NonZero;
use std::process::Command;
use std::sync::{Arc, Mutex};
use std::thread;

use natter_testkit::eventually;
use portable_pty::{Child, CommandBuilder, MasterPty, PtySize, native_pty_system};

use crate::program::{LONG, descendants};

pub struct Screen {
    child: Box<dyn Child + Send + Sync>,
    master: Box<dyn MasterPty + Send>,
    keys: Box<dyn Write + Send>,
    parser: Arc<Mutex<vt100::Parser>>,
}

impl Screen {
    /// Runs the program from a shell that says afterwards how it ended and how the terminal is set.
    pub fn start(program: &Command, columns: u16, rows: u16) -> Self {
        let size = PtySize { rows, cols: columns, pixel_width: 0, pixel_height: 0 };
        let pty = native_pty_system().openpty(size).expect("a terminal");
        let mut command = CommandBuilder::new("sh");
        command.args(["-c", "\"$@\"; echo \"ended with $?\"; stty -a; exec cat", "sh"]);
        command.arg(program.get_program());
        command.args(program.get_args());
        for (name, value) in program.get_envs() {
            match value {
                Some(value) => command.env(name, value),
                None => command.env_remove(name),
            }
        }
        command.env("TERM", "xterm-256color");
        command.cwd(std::env::current_dir().expect("a folder"));
        let child = pty.slave.spawn_command(command).expect("the shell starts");
        let keys = pty.master.take_writer().expect("a writer");
        let mut output = pty.master.try_clone_reader().expect("a reader");
        let parser = Arc::new(Mutex::new(vt100::Parser::new(cells(rows), cells(columns), 0)));
        thread::spawn({
            let parser = parser.clone();
            move || {
                let mut bytes = [0; 4096];
                while let Ok(read @ 1..) = output.read(&mut bytes) {
                    parser.lock().expect("lock").process(&bytes[..read]);
                }
            }
        });
        Self { child, master: pty.master, keys, parser }
    }

    pub fn types(&mut self, keys: &str) {
        self.keys.write_all(keys.as_bytes()).expect("typed");
        self.keys.flush().expect("typed");
    }

    pub fn resize(&self, columns: u16, rows: u16) {
        self.parser.lock().expect("lock").screen_mut().set_size(cells(rows), cells(columns));
        let size = PtySize { rows, cols: columns, pixel_width: 0, pixel_height: 0 };
        self.master.resize(size).expect("resized");
    }

    pub fn text(&self) -> String {
        self.parser.lock().expect("lock").screen().contents()
    }

    /// Waits until the screen fulfils this.
    pub async fn until(&self, what: &str, holds: impl Fn(&str) -> bool) -> String {
        eventually(what, LONG, async || match self.text() {
            text if holds(&text) => Ok(text),
            text => Err(text),
        })
        .await
    }

    pub async fn shows(&self, words: &str) -> String {
        self.until(&format!("`{words}` on the screen"), |text| text.contains(words)).await
    }

    /// The process of the program itself.
    pub fn pid(&self) -> u32 {
        let shell = self.child.process_id().expect("it runs");
        let programs = descendants(shell);
        programs.first().unwrap_or_else(|| panic!("the program has ended: {}", self.text())).0
    }

    /// Waits until it has ended like this, and checks that the terminal is as it was before.
    pub async fn ended(&self, code: i32) {
        let text = self.shows(&format!("ended with {code}")).await;
        let text = self.until(&format!("the terminal's settings: {text}"), |text| text.contains("icanon")).await;
        for setting in ["icanon", "echo", "isig"] {
            assert!(text.split([' ', '\n', ';']).any(|word| word == setting), "{setting} is off: {text}");
        }
        let parser = self.parser.lock().expect("lock");
        let screen = parser.screen();
        assert!(!screen.alternate_screen() && !screen.hide_cursor() && !screen.bracketed_paste(), "{text}");
    }
}

fn cells(count: u16) -> NonZero<u16> {
    NonZero::new(count).expect("a terminal has some")
}

impl Drop for Screen {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
