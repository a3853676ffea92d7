//! Paths of calls, as they are written.
//!
//! A path names every call around it, so that of a step that calls itself is as long as its stack is deep. Of one with
//! more than [`LONGEST`] bytes only the two ends are written, with a hash of all that stands before the second between
//! them: `main[0]/down[0]/~5e0c…/down[0]/down[0]`. It is still the same whenever the same call is made, and no other
//! call of the run has it.

use super::fiber::{Fiber, Scope};

/// The most bytes of a path that is written as it is.
const LONGEST: usize = 1024;
/// How many bytes, at most, the ends have of one that is longer.
const END: usize = 128;

/// What a scope knows of the path down to it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Trail {
    /// How many bytes it has.
    len: u32,
    /// Its hash, if it is too long to be written; of the branch itself always.
    hash: [u8; 16],
}

impl Fiber {
    /// The path of the innermost scope.
    pub(crate) fn path(&self) -> String {
        self.path_to(self.scopes.len())
    }

    /// The path of the first `count` scopes.
    pub(crate) fn path_to(&self, count: usize) -> String {
        let scopes = self.scopes.get(..count).unwrap_or(&self.scopes);
        let around = self.around.path.as_str();
        match scopes.last() {
            Some(last) if scopes.len() > 1 && last.trail.len as usize > LONGEST => shortened(around, scopes),
            _ => scopes.iter().skip(1).fold(around.to_owned(), add),
        }
    }
}

/// The ends of a path, and a hash of what stands before the second.
fn shortened(around: &str, scopes: &[Scope]) -> String {
    let whole = scopes.last().map_or(0, |last| last.trail.len as usize);
    // At least one element, and never the branch itself.
    let fits = |scope: &&Scope| whole - scope.trail.len as usize <= END;
    let before = scopes.len() - 1 - scopes[1..scopes.len() - 1].iter().rev().take_while(fits).count().max(1);
    let mut path = around.to_owned();
    for scope in scopes.iter().skip(1) {
        if path.len() > END {
            break;
        }
        path = add(path, scope);
    }
    let cut = path.as_bytes().iter().take(END + 1).rposition(|byte| *byte == b'/').unwrap_or(0);
    path.truncate(cut);
    if !path.is_empty() {
        path.push('/');
    }
    path.push('~');
    for byte in hash_of(&scopes[..=before]) {
        path.push_str(&format!("{byte:02x}"));
    }
    scopes[before + 1..].iter().fold(path, add)
}

/// The path with one more call.
fn add(mut path: String, scope: &Scope) -> String {
    use std::fmt::Write;
    if !path.is_empty() {
        path.push('/');
    }
    // Writing to a text does not fail.
    let _ = write!(path, "{}[{}]", scope.name.as_str(), scope.index);
    path
}

/// The hash of the path down to the last of these scopes.
fn hash_of(scopes: &[Scope]) -> [u8; 16] {
    match scopes {
        [] => [0; 16],
        [branch] => branch.trail.hash,
        [.., last] if last.trail.len as usize > LONGEST => last.trail.hash,
        [branch, others @ ..] => hash(&branch.trail.hash, &others.iter().fold(String::new(), add)),
    }
}

fn hash(before: &[u8], text: &str) -> [u8; 16] {
    let mut hash = blake3::Hasher::new();
    hash.update(before);
    hash.update(text.as_bytes());
    let mut first = [0; 16];
    first.copy_from_slice(&hash.finalize().as_bytes()[..16]);
    first
}

/// What the scope of a branch knows of the path of that branch.
pub(crate) fn of_branch(path: &str) -> Trail {
    Trail { len: path.len() as u32, hash: hash(&[], path) }
}

/// Opens a scope inside the others.
pub(crate) fn open(scopes: &mut Vec<Scope>, mut scope: Scope) {
    let digits = scope.index.checked_ilog10().map_or(1, |log| log as usize + 1);
    let before = scopes.last().map_or(0, |last| last.trail.len as usize);
    let len = before + usize::from(before > 0) + scope.name.byte_len() + 2 + digits;
    scope.trail.len = u32::try_from(len).unwrap_or(u32::MAX);
    if len > LONGEST {
        scope.trail.hash = match scopes.as_slice() {
            [_, .., last] if before > LONGEST => hash(&last.trail.hash, &add(String::new(), &scope)),
            _ => hash(&hash_of(scopes), &add(String::new(), &scope)),
        };
    }
    scopes.push(scope);
}
