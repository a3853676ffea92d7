//! `wf backup`: a copy of the store, while runs go on.

use std::path::{Path, PathBuf};

use serde_json::json;

use crate::{
    list::pretty,
    out::{self, Exit},
    place, value,
};

/// Copy the store to a file while runs go on
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  wf backup runs-monday.db                 the store here, as it is at this moment
  wf list --store runs-monday.db           what is in the copy
  wf backup /backup/runs.db --force        write over yesterday's copy

The copy is checked, and has its name only when it is whole and on the disk.")]
pub(crate) struct Backup {
    /// Where the copy goes
    file: PathBuf,
    /// Write over a file that is there
    #[arg(long)]
    force: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
    /// The store (default: .wf/runs.db of the nearest wf.toml or .wf from here upwards)
    #[arg(long, env = "WF_STORE", value_name = "FILE")]
    store: Option<PathBuf>,
}

impl Backup {
    pub(crate) fn run(self) -> std::io::Result<Exit> {
        out::answer(self.text())
    }

    fn text(&self) -> Result<String, String> {
        let (store, path) = place::open_here(self.store.as_deref())?;
        let target = self.target(&path)?;
        let mut partial = target.clone().into_os_string();
        partial.push(format!(".partial-{}", std::process::id()));
        let bytes = store
            .backup(&target, Path::new(&partial))
            .map_err(|error| format!("no backup of `{}`: {error}", path.display()))?;
        Ok(if self.json {
            pretty(&json!({ "store": path, "file": self.file, "bytes": bytes }))
        } else {
            format!("{} copied to {} ({})\n", path.display(), self.file.display(), value::bytes(bytes))
        })
    }

    /// The file to write, if it may be written.
    fn target(&self, store: &Path) -> Result<PathBuf, String> {
        let shown = self.file.display();
        if self.file.is_dir() {
            return Err(format!("`{shown}` is a folder; name a file in it"));
        }
        if self.file.exists() {
            let same = |path: &Path| path.canonicalize().ok();
            if same(&self.file) == same(store) {
                return Err(format!("`{shown}` is the store itself; name another file"));
            }
            if !self.force {
                return Err(format!("`{shown}` is there already; name another file, or write over it with `--force`"));
            }
        }
        Ok(self.file.clone())
    }
}
