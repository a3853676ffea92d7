//! `wf check`: what is wrong with scripts, for people or as JSON.

use std::{io, path::PathBuf};

use clap::Args;
use wf_lang::{Severity, load::Loaded};

use crate::{
    find,
    load::load_file,
    out::{self, Exit},
    report,
};

const EXAMPLES: &str = "\
Examples:
  wf check                             all scripts of this project
  wf check hello.wf
  wf check --deny-warnings flows/*.wf
  wf check --strict hello.wf
  wf check --json hello.wf | jq '.diagnostics[].message'";

/// The arguments of `wf check`.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Check {
    /// Scripts, and folders with scripts (default: the folder of the nearest wf.toml, or this one)
    #[arg(value_name = "FILE | FOLDER")]
    paths: Vec<PathBuf>,
    /// Print one JSON object: `diagnostics`, and how many are `errors` and `warnings`
    #[arg(long)]
    json: bool,
    /// Fail when there are warnings, too
    #[arg(long)]
    deny_warnings: bool,
    /// List each `any` that nobody wrote: what is not checked before the script runs
    #[arg(long)]
    strict: bool,
}

impl Check {
    /// Checks all files, also when one cannot be read.
    pub(crate) fn run(self) -> io::Result<Exit> {
        let mut unreadable = false;
        let mut loaded = Vec::new();
        for folder in find::without_scripts(&self.paths) {
            let help = "name the scripts, or the folder that they are in";
            out::complain(&format!("there are no scripts in `{}`", folder.display()), Some(help));
            unreadable = true;
        }
        for script in find::scripts(&self.paths) {
            match load_file(&script.path) {
                Ok(mut found) => {
                    if self.strict {
                        found.be_strict();
                    }
                    loaded.push(found);
                }
                Err(error) => {
                    out::complain_of(&error);
                    unreadable = true;
                }
            }
        }
        if self.json {
            out::print(&format!("{:#}\n", report::json(&loaded)))?.ignore();
        } else if !loaded.is_empty() {
            out::print(&report::text(&loaded, out::colour()))?.ignore();
        }
        Ok(if unreadable {
            Exit::Wrong
        } else if self.fails(&loaded) {
            Exit::Failed
        } else {
            Exit::Done
        })
    }

    fn fails(&self, loaded: &[Loaded]) -> bool {
        let least = if self.deny_warnings { Severity::Warning } else { Severity::Error };
        loaded.iter().flat_map(|found| &found.diagnostics).any(|diagnostic| diagnostic.severity >= least)
    }
}
