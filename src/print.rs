//! Where everything is printed. A reader that went away ends the program quietly, as `| head` expects; control
//! characters, which pages, captions and file names may hold, never reach a terminal.

use std::borrow::Cow;
use std::fmt;
use std::io::{self, BufWriter, StdoutLock, Write};

/// Standard output, for much text; the errors are its own, such as that of a closed pipe.
pub(crate) struct Stdout(BufWriter<StdoutLock<'static>>);

impl Stdout {
    /// Takes hold of standard output.
    pub(crate) fn new() -> Self {
        Self(BufWriter::new(io::stdout().lock()))
    }

    /// Writes what `write!` and `writeln!` were given.
    pub(crate) fn write_fmt(&mut self, text: fmt::Arguments<'_>) -> io::Result<()> {
        self.0.write_all(escaped(&text.to_string()).as_bytes())
    }

    /// Writes bytes as they are: numbers, in which no control character can stand.
    pub(crate) fn write_plain(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.0.write_all(bytes)
    }

    /// Writes out what is held back.
    pub(crate) fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

/// Prints a line of results; the error is that of standard output, such as a closed pipe.
pub(crate) fn line(text: fmt::Arguments<'_>) -> io::Result<()> {
    let mut out = Stdout::new();
    writeln!(out, "{text}")?;
    out.flush()
}

/// Prints text that has its own line ends.
pub(crate) fn text(text: &str) -> io::Result<()> {
    let mut out = Stdout::new();
    write!(out, "{text}")?;
    out.flush()
}

/// Prints a line for people on standard error; who does not listen to it misses nothing that is needed.
pub(crate) fn aside(text: fmt::Arguments<'_>) {
    let _ = writeln!(io::stderr().lock(), "{}", escaped(&text.to_string()));
}

/// Returns a text without characters that a terminal obeys: each becomes an escape of JSON, `\u001b`. Line ends
/// and tabs stay.
pub(crate) fn escaped(text: &str) -> Cow<'_, str> {
    escape(text, |c| is_command(c) && !matches!(c, '\n' | '\t'))
}

/// Returns a text in one line without characters that a terminal obeys.
pub(crate) fn escaped_line(text: &str) -> Cow<'_, str> {
    escape(text, is_command)
}

fn escape(text: &str, is_escaped: impl Fn(char) -> bool) -> Cow<'_, str> {
    if !text.contains(&is_escaped) {
        return Cow::Borrowed(text);
    }
    let mut plain = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\n' if is_escaped(c) => plain.push_str("\\n"),
            '\t' if is_escaped(c) => plain.push_str("\\t"),
            c if is_escaped(c) => plain.push_str(&format!("\\u{:04x}", u32::from(c))),
            c => plain.push(c),
        }
    }
    Cow::Owned(plain)
}

/// Returns true for control characters, also those of eight bits, and for those that turn the direction of
/// all text that follows.
fn is_command(c: char) -> bool {
    c.is_control() || matches!(c, '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// Prints a line of results, as `println!` does; the result is that of the write.
macro_rules! say {
    ($($argument:tt)*) => { $crate::print::line(format_args!($($argument)*)) };
}

/// Prints a line on standard error.
macro_rules! note {
    ($($argument:tt)*) => { $crate::print::aside(format_args!($($argument)*)) };
}

pub(crate) use {note, say};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_terminal_obeys_is_shown_and_not_done() {
        let hostile = "a\u{1b}]52;c;aGk=\u{7}b\u{9b}2Jc\r\u{202e}d\u{8}\u{7f}\u{2028}";
        let plain = r"a\u001b]52;c;aGk=\u0007b\u009b2Jc\u000d\u202ed\u0008\u007f\u2028";
        assert_eq!(escaped(hostile), plain);
        assert_eq!(escaped("one\n\ttwo \u{5d0}\u{200f} é"), "one\n\ttwo \u{5d0}\u{200f} é");
        assert_eq!(escaped_line("one\n\ttwo"), r"one\n\ttwo");
    }

    #[test]
    fn json_stays_json() {
        let json = serde_json::json!({ "text": "\u{85}\u{1b}\u{202e}" });
        let printed = escaped(&json.to_string()).into_owned();
        assert_eq!(serde_json::from_str::<serde_json::Value>(&printed).ok(), Some(json));
    }
}
