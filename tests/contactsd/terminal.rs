//! What a person sees on a terminal, a narrow one too.

use std::fs::File;
use std::io::Read;
use std::process::Child;

use anstream::adapter::strip_str;
use rustix::process::{Pid, Signal, kill_process};

use crate::support::{Remote, World, numbered};

const COLUMNS: u16 = 40;

/// Everything that was written to a terminal, and what stands on it.
struct Screen {
    child: Child,
    terminal: File,
    written: String,
}

impl Screen {
    fn start(world: &World, line: &str) -> Self {
        let (child, terminal) = world.start_on_terminal(line, COLUMNS);
        Self { child, terminal, written: String::new() }
    }

    /// Reads on until `text` was written; `false` at the end.
    fn read_until(&mut self, text: Option<&str>) -> bool {
        let mut bytes = Vec::new();
        loop {
            if text.is_some_and(|text| strip_str(&self.written).to_string().contains(text)) {
                return true;
            }
            let mut some = [0; 4096];
            // Ends with an error when the last one that could write has gone.
            let Ok(read @ 1..) = self.terminal.read(&mut some) else { return false };
            bytes.extend(&some[..read]);
            let whole = std::str::from_utf8(&bytes).map_or_else(|error| error.valid_up_to(), str::len);
            self.written.push_str(std::str::from_utf8(&bytes[..whole]).unwrap());
            bytes.drain(..whole);
        }
    }

    /// Returns the lines as they stand at last: what a bar wrote over is gone.
    fn lines(&self) -> Vec<String> {
        let shown = |line: &str| {
            let last = line.trim_end_matches('\r').rsplit('\r').next().unwrap_or_default();
            strip_str(last).to_string()
        };
        self.written.split('\n').map(shown).collect()
    }
}

/// Finds the lines that the terminal breaks anywhere; values and commands to copy begin with blanks.
fn broken(lines: &[String]) -> Vec<&String> {
    let is_prose = |line: &str| !line.starts_with("  ") || line.trim_start().starts_with('#');
    let is_long = |line: &str| line.chars().count() > usize::from(COLUMNS) && line.contains(' ');
    lines.iter().filter(|line| is_prose(line) && is_long(line)).collect()
}

#[test]
fn after_ctrl_c_no_bar_is_left_and_no_line_is_broken_in_a_word() {
    let remote = Remote::with(|options| options.quota = "10/m".parse().unwrap());
    let world = World::with(&numbered(0..40)).against(&remote).one_by_one();
    let mut screen = Screen::start(&world, "apply --auto-approve --concise");
    assert!(screen.read_until(Some("Waiting")), "{}", screen.written);
    kill_process(Pid::from_child(&screen.child), Signal::INT).unwrap();
    screen.read_until(None);
    assert_eq!(screen.child.wait().unwrap().code(), Some(130), "{}", screen.written);
    let lines = screen.lines();
    assert!(lines.iter().any(|line| line.starts_with("Apply incomplete.")), "{lines:#?}");
    assert!(lines.iter().all(|line| !line.contains(['━', '╸'])), "{lines:#?}");
    assert_eq!(broken(&lines), [""; 0], "{lines:#?}");
    // While it ran, the bar and what stands behind it had room.
    for bar in screen.written.split(['\r', '\n']).filter(|line| line.contains("/40")) {
        let bar = strip_str(bar).to_string();
        assert!(bar.trim_end().ends_with(|c: char| c.is_alphanumeric()) && bar.chars().count() <= 40, "{bar:?}");
        assert!(!bar.contains("quota le") || bar.contains("quota left: "), "{bar:?}");
    }
}

#[test]
fn a_narrow_terminal_breaks_no_words() {
    let remote = Remote::start();
    let world = World::with("contacts:\n  ada: {emial: ada@example.com}\n").against(&remote);
    let good = World::with(&numbered(0..2)).against(&remote);
    for (world, line) in [
        (&world, "validate"),
        (&world, "plan"),
        (&world, "explain E011"),
        (&world, "-h"),
        (&world, "plan --nonsense"),
        (&world, "state show eve"),
        (&good, "plan"),
        (&good, "plan --out a.plan"),
        (&good, "apply --auto-approve"),
        (&good, "status"),
        (&world, "status"),
    ] {
        let mut screen = Screen::start(world, line);
        screen.read_until(None);
        screen.child.wait().unwrap();
        let mut lines = screen.lines();
        // Samples of a page are shown as they are written into a file.
        let samples: Vec<usize> = (0..lines.len()).filter(|number| lines[*number].starts_with("```")).collect();
        samples.chunks(2).rev().for_each(|ends| drop(lines.drain(ends[0]..=ends[1])));
        assert_eq!(broken(&lines), [""; 0], "{line}: {lines:#?}");
    }
}
