//! What a command says at the terminal.
//!
//! Whoever reads may stop reading: `cacah releases | head -1` closes the pipe after a line. That is no failure, and the
//! command's work goes on; the rest of what it says is dropped. Any other failure to write (a full disk) is told at the end.

use std::{
    fmt,
    io::{self, ErrorKind, Write},
    sync::Mutex,
};

use crate::parallel::lock;

/// The first thing that went wrong with standard output.
static FAILED: Mutex<Option<io::Error>> = Mutex::new(None);

/// Prints a line as `println!` does, but never panics.
macro_rules! say {
    () => { $crate::commands::say::line(format_args!("")) };
    ($($text:tt)*) => { $crate::commands::say::line(format_args!($($text)*)) };
}
pub(crate) use say;

/// Writes a line to standard output, unless an earlier one failed.
pub fn line(text: fmt::Arguments<'_>) {
    let mut failed = lock(&FAILED);
    if failed.is_some() {
        return;
    }
    let mut out = io::stdout().lock();
    *failed = writeln!(out, "{text}").and_then(|()| out.flush()).err();
}

/// Writes an error to standard error, where nobody may be reading either.
pub fn error(text: &str) {
    // There is no third place to complain to.
    let _ = writeln!(io::stderr(), "error: {text}");
}

/// Standard error for log lines: what nobody reads any more is dropped, so that a service outlives the reader of its log.
pub struct Log;

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match io::stderr().write(bytes) {
            Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(bytes.len()),
            written => written,
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Whether everything reached its reader, or as much as the reader wanted.
pub fn outcome() -> io::Result<()> {
    match lock(&FAILED).take() {
        Some(error) if error.kind() != ErrorKind::BrokenPipe => Err(error),
        _ => Ok(()),
    }
}
