//! Scripts from files: read, and loaded beside the library.

use std::{
    fs::File,
    io::{self, Read},
    path::{Component, Path},
    sync::LazyLock,
};

use wf_lang::{
    check::{did_you_mean, nearest},
    load::{Library, Loaded, Main, Texts, Unreadable, load_with},
    path,
    source::MAX_SOURCE_BYTES,
};

/// How many files of a folder are looked at for one with a similar name.
const MOST_LOOKED_AT: usize = 1000;

/// The library that this binary carries, read once.
pub(crate) fn library() -> &'static Library {
    static LIBRARY: LazyLock<Library> = LazyLock::new(|| Library::new(wf_stdlib::MODULES.iter().copied()));
    &LIBRARY
}

/// Reads and checks a script with all that it imports; its source is named as the path was given.
pub(crate) fn load_file(file: &Path) -> Result<Loaded, Unreadable> {
    let text = read_text(file, &file.to_string_lossy())?;
    let path = place_of(file);
    Ok(load_with(library(), Main { path: &path, shown: &slashed(file), text: &text }, &Files))
}

/// Where a file lies, whatever the folder of this process is: what tells modules apart.
fn place_of(file: &Path) -> String {
    let absolute = std::path::absolute(file).unwrap_or_else(|_| file.to_owned());
    // Behind a link, `..` is not the folder that stands before it.
    let up = absolute.components().any(|part| part == Component::ParentDir);
    let real = if up { std::fs::canonicalize(&absolute).ok() } else { None };
    path::normal(&slashed(&real.unwrap_or(absolute)))
}

/// A path with `/` between folders.
fn slashed(file: &Path) -> String {
    let text = file.to_string_lossy().into_owned();
    if cfg!(windows) { text.replace('\\', "/") } else { text }
}

/// The files of this machine.
pub(crate) struct Files;

impl Texts for Files {
    fn read(&self, path: &str, shown: &str) -> Result<String, Unreadable> {
        let path = Path::new(path);
        read_text(path, shown).map_err(|unreadable| match path.is_dir() {
            true => Unreadable { help: Some("import a file in it".to_owned()), ..unreadable },
            false => unreadable,
        })
    }
}

/// The text of a file, which is UTF-8 and not larger than a source may be; `shown` is its path for people.
pub(crate) fn read_text(path: &Path, shown: &str) -> Result<String, Unreadable> {
    let bytes = read_bytes(path).map_err(|error| not_read(path, shown, &error))?;
    if bytes.len() > MAX_SOURCE_BYTES {
        let message = format!("`{shown}` is larger than {MAX_SOURCE_BYTES} bytes, the most that a script may have");
        return Err(Unreadable::new(message).help("give the script its data as an argument, such as data=@file"));
    }
    String::from_utf8(bytes).map_err(|error| not_text(shown, error.as_bytes(), error.utf8_error().valid_up_to()))
}

/// At most one byte more than a source may have, so that endless files end.
fn read_bytes(path: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(path)?.take(MAX_SOURCE_BYTES as u64 + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}

fn not_read(path: &Path, shown: &str, error: &io::Error) -> Unreadable {
    match error.kind() {
        io::ErrorKind::NotFound => {
            let unreadable = Unreadable::new(format!("there is no file `{shown}`"));
            let like = scripts_like(path).into_iter().map(|name| format!("{}{name}", path::folder(shown)).into());
            match did_you_mean(&like.collect::<Vec<_>>()) {
                Some(help) => unreadable.help(help),
                None => unreadable,
            }
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

/// The scripts in the folder of a missing file that are called nearly like it.
fn scripts_like(missing: &Path) -> Vec<String> {
    let script = missing.with_extension("wf");
    if let Some(name) = script.file_name().filter(|_| script.is_file()) {
        return vec![name.to_string_lossy().into_owned()];
    }
    let Some(name) = missing.file_name().map(|name| name.to_string_lossy()) else { return Vec::new() };
    let folder = missing.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let entries = std::fs::read_dir(folder).into_iter().flatten().take(MOST_LOOKED_AT).flatten();
    let names = entries.map(|entry| entry.file_name().to_string_lossy().into_owned());
    let scripts: Vec<String> = names.filter(|name| name.ends_with(".wf")).collect();
    nearest(&name, scripts.iter().map(String::as_str)).iter().map(ToString::to_string).collect()
}

fn not_text(shown: &str, bytes: &[u8], at: usize) -> Unreadable {
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
        let error = read_text(&path, &path.to_string_lossy()).expect_err("no script");
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
        assert!(read_text(&path, &path.to_string_lossy()).is_ok());
        std::fs::write(&path, vec![b' '; MAX_SOURCE_BYTES + 1]).expect("written");
        assert!(
            read_text(&path, &path.to_string_lossy())
                .expect_err("too large")
                .message
                .contains("larger than 4194304 bytes")
        );
    }

    #[test]
    fn a_missing_file_and_a_directory_are_told_apart() {
        let folder = tempfile::tempdir().expect("a folder");
        assert!(read_text(folder.path(), "flows").expect_err("a folder").message.ends_with("is a directory"));
        std::fs::write(folder.path().join("a.wf"), "").expect("written");
        let missing = read_text(&folder.path().join("a"), "flows/a").expect_err("missing");
        assert!(missing.message.starts_with("there is no file"));
        assert!(missing.help.expect("help").ends_with("a.wf`?"));
    }
}
