//! What a script may do: the one place where it is decided.
//!
//! A script may reach the network and read files beside itself. Everything else needs `--allow`, and the error names the
//! flag to add.

use std::path::{Component, Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::{
    effect::Effect,
    fault::{Fault, Kind},
};

/// One thing that is allowed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Allow {
    /// Running programs.
    Exec,
    /// Writing files in a folder.
    Write(PathBuf),
    /// Reading files in a folder.
    Read(PathBuf),
    /// Reading a variable of the environment.
    Env(String),
    /// Reaching a host; naming one refuses all others.
    Net(String),
}

/// Everything that is allowed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Permissions {
    /// In the order in which it was given.
    pub allowed: Vec<Allow>,
}

impl Permissions {
    /// Reads the value of `--allow`: `exec,write=DIR,read=DIR,env=NAME,net=HOST`. Folders become absolute.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn parse(text: &str, folder: &Path) -> Result<Self, String> {
        let mut allowed = Vec::new();
        for part in text.split(',').map(str::trim).filter(|part| !part.is_empty()) {
            let (what, of) = match part.split_once('=') {
                Some((what, of)) => (what, Some(of)),
                None => (part, None),
            };
            allowed.push(match (what, of) {
                ("exec", None) => Allow::Exec,
                ("write", Some(dir)) if !dir.is_empty() => Allow::Write(clean(&folder.join(dir))),
                ("read", Some(dir)) if !dir.is_empty() => Allow::Read(clean(&folder.join(dir))),
                ("env", Some(name)) if !name.is_empty() => Allow::Env(name.to_owned()),
                ("net", Some(host)) if !host.is_empty() => Allow::Net(host.to_owned()),
                _ => {
                    return Err(format!(
                        "`{part}` is nothing that can be allowed; allowed can be exec, write=DIR, read=DIR, env=NAME, \
                         net=HOST"
                    ));
                }
            });
        }
        Ok(Self { allowed })
    }

    /// Adds what another one allows.
    pub fn extend(&mut self, more: Permissions) {
        for allow in more.allowed {
            if !self.allowed.contains(&allow) {
                self.allowed.push(allow);
            }
        }
    }

    /// Decides about an effect.
    pub(super) fn check(&self, effect: &Effect, folder: &Path) -> Result<(), Fault> {
        match effect.name.as_str() {
            "exec" if !self.allowed.contains(&Allow::Exec) => Err(refused("running programs", "exec")),
            "fs.append" => {
                let path = resolve(folder, super::text(effect, 0)?)?;
                let allowed = self.allowed.iter().any(|allow| match allow {
                    Allow::Write(dir) => path.starts_with(real(dir)),
                    _ => false,
                });
                if allowed {
                    return Ok(());
                }
                let dir = path.parent().unwrap_or(&path);
                Err(refused(&format!("writing `{}`", path.display()), &format!("write={}", dir.display())))
            }
            _ => Ok(()),
        }
    }
}

fn refused(what: &str, flag: &str) -> Fault {
    let message = format!("{what} is not allowed; add `--allow {flag}`");
    Fault::new(Kind::Permission, message)
}

/// The file that a path leads to: absolute, with the links of the folders that exist followed, so that neither `..` nor
/// a link leads out of a folder that is allowed.
pub(super) fn resolve(folder: &Path, path: &str) -> Result<PathBuf, Fault> {
    if path.is_empty() || path.contains('\0') {
        return Err(Fault::new(Kind::File, format!("`{}` is no path", path.escape_debug())));
    }
    Ok(real(&clean(&folder.join(path))))
}

/// A path with the links of its longest existing part followed.
fn real(path: &Path) -> PathBuf {
    for ancestor in path.ancestors() {
        if let Ok(found) = ancestor.canonicalize() {
            let rest = path.strip_prefix(ancestor).unwrap_or(Path::new(""));
            return if rest.as_os_str().is_empty() { found } else { found.join(rest) };
        }
    }
    path.to_owned()
}

/// An absolute path without `.` and `..`.
fn clean(path: &Path) -> PathBuf {
    let path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let mut out = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir => {
                out.pop();
            }
            part => out.push(part),
        }
    }
    out
}
