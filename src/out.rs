//! What leaves the command: text on its two streams, and the exit code.

use std::{
    io::{self, IsTerminal, Write},
    process::ExitCode,
};

use wf_lang::load::Unreadable;

/// How a command ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Exit {
    /// It did what it was asked.
    Done = 0,
    /// A run failed, or a check or test did.
    Failed = 1,
    /// The command line or the program is wrong, or a file cannot be read.
    Wrong = 2,
    /// A run waits for answers or timers.
    Paused = 3,
    /// A run was stopped from outside, and saved.
    Interrupted = 130,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

/// Who reads what is printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use = "who prints again and again stops when nobody reads"]
pub(crate) enum Reader {
    /// There may be more.
    Listens,
    /// The pipe was closed: all further output would be lost, which is no failure.
    Gone,
}

impl Reader {
    /// For those who have printed all they had to.
    pub(crate) fn ignore(self) {}
}

/// Whether colours go to standard output: it is a terminal, and neither `NO_COLOR` nor another setting forbids it.
pub(crate) fn colour() -> bool {
    let choice = anstream::AutoStream::choice(&io::stdout());
    choice != anstream::ColorChoice::Never && (choice != anstream::ColorChoice::Auto || io::stdout().is_terminal())
}

/// Prints text to standard output, at once.
pub(crate) fn print(text: &str) -> io::Result<Reader> {
    heard(write(anstream::stdout().lock(), text))
}

/// Tells the operator on standard error why a command cannot do its work.
pub(crate) fn complain(message: &str, help: Option<&str>) {
    let help = help.map(|help| format!("  help: {help}\n")).unwrap_or_default();
    // Nobody is left to be told when standard error is gone.
    let _ = write(anstream::stderr().lock(), &format!("error: {message}\n{help}"));
}

/// Prints what a command found out, or tells why it could not.
pub(crate) fn answer(found: Result<String, String>) -> io::Result<Exit> {
    match found {
        Ok(text) => print(&text).map(|_| Exit::Done),
        Err(message) => {
            complain(&message, None);
            Ok(Exit::Wrong)
        }
    }
}

/// Tells a person at the terminal something on standard error.
pub(crate) fn tell(text: &str) {
    // Nobody is left to be told when standard error is gone.
    let _ = write(anstream::stderr().lock(), text);
}

/// Tells why a file was not read.
pub(crate) fn complain_of(unreadable: &Unreadable) {
    complain(&unreadable.message, unreadable.help.as_deref());
}

fn write(mut stream: impl Write, text: &str) -> io::Result<()> {
    stream.write_all(text.as_bytes())?;
    stream.flush()
}

fn heard(written: io::Result<()>) -> io::Result<Reader> {
    match written {
        Ok(()) => Ok(Reader::Listens),
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(Reader::Gone),
        Err(error) => Err(io::Error::new(error.kind(), format!("the output cannot be written: {error}"))),
    }
}
