//! Paths of modules, as text: `/` between folders, and no `.` or `..` that can be taken away.
//!
//! Nothing is looked up here, so two names of one file by a link are two modules.

/// What the path of an import means.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Meant<'p> {
    /// A module of the library: `std/NAME`.
    Library(&'p str),
    /// A file, by its path from the importing one.
    File,
    /// Something that may be a file if `.wf` is added.
    Unfinished,
    /// Nothing that is imported: why not, and what to write instead.
    Wrong(String, String),
}

/// Reads the path of an import.
pub(crate) fn meant(path: &str) -> Meant<'_> {
    let example =
        || format!("`./{}`", path.rsplit(['/', '\\']).find(|name| name.ends_with(".wf")).unwrap_or("steps.wf"));
    let wrong = |message: String, help: String| Meant::Wrong(message, help);
    if path.trim().is_empty() {
        return wrong("this import names no file".into(), format!("write its path from here, such as {}", example()));
    }
    if let Some(name) = path.strip_prefix("std/") {
        return Meant::Library(name);
    }
    if path.contains("://") {
        let help = format!("save it beside this file, and import {}", example());
        return wrong(format!("`{path}` is a URL, and modules are files"), help);
    }
    if path.contains('\\') {
        let help = format!("write `{}`", path.replace('\\', "/"));
        return wrong(format!("`{path}` has a backslash, and `/` stands between folders"), help);
    }
    if path.starts_with(['/', '~']) || is_drive(path.split('/').next().unwrap_or_default()) {
        let help = format!("write the path from here, such as {}, so that both files can be moved", example());
        return wrong(format!("`{path}` is not a path from this file"), help);
    }
    match path.rsplit('/').next() {
        Some(name) if name.len() > 3 && name.ends_with(".wf") => Meant::File,
        _ => Meant::Unfinished,
    }
}

/// The path that `path` means in the module at `from`.
pub fn beside(from: &str, path: &str) -> String {
    normal(&format!("{}{path}", folder(from)))
}

/// The path without `.` and without `..` behind a folder. Above the root there is the root.
pub fn normal(path: &str) -> String {
    let absolute = path.starts_with('/');
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match (part, parts.last()) {
            ("" | ".", _) => {}
            ("..", Some(last)) if is_drive(last) => {}
            ("..", Some(last)) if *last != ".." => drop(parts.pop()),
            ("..", None) if absolute => {}
            _ => parts.push(part),
        }
    }
    format!("{}{}", if absolute { "/" } else { "" }, parts.join("/"))
}

/// The way from the folder of the module at `from` to that at `to`; `to` itself where there is none.
pub fn from_to(from: &str, to: &str) -> String {
    let (from, to): (Vec<&str>, Vec<&str>) = (folder(from).split('/').collect(), to.split('/').collect());
    let from = &from[..from.len() - 1];
    let same = from.iter().zip(&to[..to.len() - 1]).take_while(|(a, b)| a == b).count();
    let up = &from[same..];
    if up.contains(&"..") || up.first().is_some_and(|part| is_drive(part) || part.is_empty()) {
        return to.join("/");
    }
    let way: Vec<&str> = up.iter().map(|_| "..").chain(to[same..].iter().copied()).collect();
    way.join("/")
}

/// The path up to its last `/`, which belongs to it; empty for a bare name.
pub fn folder(path: &str) -> &str {
    &path[..path.rfind('/').map_or(0, |at| at + 1)]
}

/// The name of the file at a path.
pub fn file(path: &str) -> &str {
    &path[folder(path).len()..]
}

fn is_drive(part: &str) -> bool {
    matches!(part.as_bytes(), [letter, b':'] if letter.is_ascii_alphabetic())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_begin_at_the_importing_file() {
        for (from, path, found) in [
            ("main.wf", "./steps.wf", "steps.wf"),
            ("main.wf", "steps.wf", "steps.wf"),
            ("flows/main.wf", "./a/../b.wf", "flows/b.wf"),
            ("flows/main.wf", ".//a/./b.wf", "flows/a/b.wf"),
            ("flows/main.wf", "../b.wf", "b.wf"),
            ("main.wf", "../b.wf", "../b.wf"),
            ("../x/main.wf", "../../b.wf", "../../b.wf"),
            ("/main.wf", "../../b.wf", "/b.wf"),
            ("C:/x/main.wf", "../../../b.wf", "C:/b.wf"),
            ("untitled:Untitled-1", "./b.wf", "b.wf"),
        ] {
            assert_eq!(beside(from, path), found, "{path} in {from}");
        }
    }

    #[test]
    fn ways_lead_from_one_to_the_other() {
        for (from, to, found) in [
            ("/p/flows/main.wf", "/p/flows/steps.wf", "steps.wf"),
            ("/p/flows/main.wf", "/p/lib/a/x.wf", "../lib/a/x.wf"),
            ("/p/flows/main.wf", "/p/flows/flows/x.wf", "flows/x.wf"),
            ("/p/main.wf", "/x.wf", "../x.wf"),
            ("/main.wf", "/x.wf", "x.wf"),
            ("main.wf", "x.wf", "x.wf"),
            ("main.wf", "../x.wf", "../x.wf"),
            ("a/main.wf", "../x.wf", "../../x.wf"),
            ("../main.wf", "x.wf", "x.wf"),
            ("/p/main.wf", "x.wf", "x.wf"),
            ("C:/p/main.wf", "D:/x.wf", "D:/x.wf"),
        ] {
            assert_eq!(from_to(from, to), found, "from {from} to {to}");
        }
    }

    #[test]
    fn what_is_no_path_from_here_is_refused() {
        assert_eq!(meant("std/orchestrate"), Meant::Library("orchestrate"));
        for file in ["./a.wf", "a.wf", "../a.wf", "a/b.wf", "./std/a.wf", "./größe.wf", "./c:.wf"] {
            assert_eq!(meant(file), Meant::File, "{file}");
        }
        for unfinished in ["./a", "a", ".", "..", "./.wf", "./a.txt", "./a.wf/", "a.wf.bak"] {
            assert_eq!(meant(unfinished), Meant::Unfinished, "{unfinished}");
        }
        for wrong in ["", " ", "https://x.y/a.wf", "file:///a.wf", ".\\a.wf", "/a.wf", "~/a.wf", "C:/a.wf", "c:\\a.wf"]
        {
            assert!(matches!(meant(wrong), Meant::Wrong(..)), "{wrong}");
        }
    }
}
