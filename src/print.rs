//! Where everything is printed: a reader that went away ends the program quietly, as `| head` expects.

use std::fmt;
use std::io::{self, Write};

/// Prints a line of results; the error is that of standard output, such as a closed pipe.
pub(crate) fn line(text: fmt::Arguments<'_>) -> io::Result<()> {
    let mut out = io::stdout().lock();
    out.write_fmt(text)?;
    out.write_all(b"\n")?;
    out.flush()
}

/// Prints text that has its own line ends.
pub(crate) fn text(text: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    out.write_all(text.as_bytes())?;
    out.flush()
}

/// Prints a line for people on standard error; who does not listen to it misses nothing that is needed.
pub(crate) fn aside(text: fmt::Arguments<'_>) {
    let _ = writeln!(io::stderr().lock(), "{text}");
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
