//! Scripts from files: read, and loaded beside the library.

use std::{
    fs::File,
    io::{self, Read},
    path::Path,
    sync::LazyLock,
};

use wf_lang::{
    load::{Library, Loaded, load},
    source::MAX_SOURCE_BYTES,
};

/// Why a file is no script: what is wrong, and what to do.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Unreadable {
    /// What is wrong, with the path.
    pub(crate) message: String,
    /// What to do, where something can be done.
    pub(crate) help: Option<String>,
}

impl Unreadable {
    fn new(message: String) -> Self {
        Self { message, help: None }
    }

    fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }
}

/// The library that this binary carries, read once.
pub(crate) fn library() -> &'static Library {
    static LIBRARY: LazyLock<Library> = LazyLock::new(|| Library::new(wf_stdlib::MODULES.iter().copied()));
    &LIBRARY
}

/// Reads and checks a script; its source is named as the path was given.
pub(crate) fn load_file(path: &Path) -> Result<Loaded, Unreadable> {
    let text = read_text(path)?;
    Ok(load(library(), &path.to_string_lossy(), &text))
}

/// The text of a file, which is UTF-8 and not larger than a source may be.
pub(crate) fn read_text(path: &Path) -> Result<String, Unreadable> {
    let bytes = read_bytes(path).map_err(|error| not_read(path, &error))?;
    if bytes.len() > MAX_SOURCE_BYTES {
        let message =
            format!("`{}` is larger than {MAX_SOURCE_BYTES} bytes, the most that a script may have", path.display());
        return Err(Unreadable::new(message).help("give the script its data as an argument, such as data=@file"));
    }
    String::from_utf8(bytes).map_err(|error| not_text(path, error.as_bytes(), error.utf8_error().valid_up_to()))
}

/// At most one byte more than a source may have, so that endless files end.
fn read_bytes(path: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(path)?.take(MAX_SOURCE_BYTES as u64 + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}

fn not_read(path: &Path, error: &io::Error) -> Unreadable {
    let shown = path.display();
    match error.kind() {
        io::ErrorKind::NotFound => {
            let unreadable = Unreadable::new(format!("there is no file `{shown}`"));
            let script = path.with_extension("wf");
            if script.is_file() { unreadable.help(format!("did you mean `{}`?", script.display())) } else { unreadable }
        }
        io::ErrorKind::IsADirectory => {
            Unreadable::new(format!("`{shown}` is a directory")).help("name the scripts in it, such as with `*.wf`")
        }
        io::ErrorKind::PermissionDenied if path.is_dir() => Unreadable::new(format!("`{shown}` is a directory")),
        io::ErrorKind::PermissionDenied => Unreadable::new(format!("`{shown}` may not be read"))
            .help("change its permissions, or run as a user who may read it"),
        _ => Unreadable::new(format!("`{shown}` cannot be read: {error}")),
    }
}

fn not_text(path: &Path, bytes: &[u8], at: usize) -> Unreadable {
    let shown = path.display();
    if matches!(bytes, [0xff, 0xfe, ..] | [0xfe, 0xff, ..]) {
        return Unreadable::new(format!("`{shown}` is UTF-16")).help("save it as UTF-8");
    }
    let line = 1 + bytes[..at].iter().filter(|byte| **byte == b'\n').count();
    let message = format!("`{shown}` is not UTF-8: byte {at} (0x{:02x}, in line {line}) is not text", bytes[at]);
    Unreadable::new(message).help("save it as UTF-8, or check whether it is a script at all")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unreadable(name: &str, bytes: &[u8]) -> String {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join(name);
        std::fs::write(&path, bytes).expect("written");
        let error = read_text(&path).expect_err("no script");
        error.message.replace(&*folder.path().to_string_lossy(), "")
    }

    #[test]
    fn bytes_that_are_no_text_are_named() {
        assert_eq!(
            unreadable("a.wf", b"fn main() {\n \xff }"),
            "`/a.wf` is not UTF-8: byte 13 (0xff, in line 2) is not text"
        );
        assert_eq!(unreadable("a.wf", b"\xff\xfea\0"), "`/a.wf` is UTF-16");
        assert_eq!(unreadable("a.wf", b"caf\xc3"), "`/a.wf` is not UTF-8: byte 3 (0xc3, in line 1) is not text");
    }

    #[test]
    fn a_file_may_have_the_largest_size_and_no_more() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("large.wf");
        std::fs::write(&path, vec![b' '; MAX_SOURCE_BYTES]).expect("written");
        assert!(read_text(&path).is_ok());
        std::fs::write(&path, vec![b' '; MAX_SOURCE_BYTES + 1]).expect("written");
        assert!(read_text(&path).expect_err("too large").message.contains("larger than 4194304 bytes"));
    }

    #[test]
    fn a_missing_file_and_a_directory_are_told_apart() {
        let folder = tempfile::tempdir().expect("a folder");
        assert!(read_text(folder.path()).expect_err("a folder").message.ends_with("is a directory"));
        std::fs::write(folder.path().join("a.wf"), "").expect("written");
        let missing = read_text(&folder.path().join("a")).expect_err("missing");
        assert!(missing.message.starts_with("there is no file"));
        assert!(missing.help.expect("help").ends_with("a.wf`?"));
    }
}
