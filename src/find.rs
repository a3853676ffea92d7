//! Which scripts are meant by files and folders.

use std::path::{Path, PathBuf};

use crate::place::{nearest_project, shown_path};

/// Folders that hold no scripts of a project's own.
const SKIPPED: [&str; 2] = ["target", "node_modules"];
/// How deep folders are looked into.
const DEPTH: usize = 64;

/// A script that is meant.
#[derive(Debug)]
pub(crate) struct Script {
    pub(crate) path: PathBuf,
    /// It was named, not found in a folder.
    pub(crate) named: bool,
}

/// The scripts that are named, and those below the folders that are named; by default below the nearest `wf.toml`.
pub(crate) fn scripts(paths: &[PathBuf]) -> Vec<Script> {
    let mut found: Vec<Script> = Vec::new();
    let default = [nearest_project()];
    for path in if paths.is_empty() { &default[..] } else { paths } {
        let mut here = Vec::new();
        if path.is_dir() {
            below(path, DEPTH, &mut here);
            here.sort();
        }
        let named = here.is_empty() && !path.is_dir();
        if named {
            here.push(path.clone());
        }
        for path in here {
            if !found.iter().any(|known| known.path == path) {
                found.push(Script { path: shown_path(&path), named });
            }
        }
    }
    found
}

/// The folders of `paths`, or the one that is meant by none, in which there are no scripts.
pub(crate) fn without_scripts(paths: &[PathBuf]) -> Vec<PathBuf> {
    let default = [nearest_project()];
    let folders = if paths.is_empty() { &default[..] } else { paths }.iter().filter(|path| path.is_dir());
    folders.filter(|folder| scripts(&[folder.to_path_buf()]).is_empty()).map(|folder| shown_path(folder)).collect()
}

fn below(folder: &Path, depth: usize, found: &mut Vec<PathBuf>) {
    let Ok(entries) = std::fs::read_dir(folder) else { return };
    for entry in entries.flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        let Ok(kind) = entry.file_type() else { continue };
        if name.starts_with('.') || SKIPPED.contains(&name.as_str()) {
            continue;
        }
        if kind.is_dir() && depth > 0 {
            below(&entry.path(), depth - 1, found);
        } else if name.ends_with(".wf") && !kind.is_dir() {
            found.push(entry.path());
        }
    }
}
