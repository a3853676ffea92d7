//! What durability costs: `cargo bench --bench durability`, and with `-- --quick` a short run that only shows that it
//! still works.
//!
//! Everything is compared within one run of this program, in turns, as medians of ratios: the machine may be busy with
//! other things. Processor time stands beside the time that passed. With names of parts (`-- growth computing`) only those
//! are measured.
//!
//! Everything lies in a temporary folder: with `TMPDIR` in memory the disk is out of the picture, and what is left is ours.

use std::{
    path::{Path, PathBuf},
    process::ExitCode,
};

use serde_json::json;
use wf_runtime::store::{SqliteStore, Store};

mod bare;
mod command;
mod computing;
mod effects;
mod growth;
mod measure;
mod recording;
mod resume;
mod scale;
mod world;

/// How much is done.
pub(crate) struct Size {
    /// Steps of a run in the comparison of stores, and how often it is repeated.
    pub(crate) steps: usize,
    pub(crate) repeats: usize,
    /// The steps whose cost is compared.
    pub(crate) early: usize,
    pub(crate) late: usize,
    /// How many processes are started.
    pub(crate) starts: usize,
    /// Branches of a `gather`, runs at once, and steps of a long run.
    pub(crate) branches: &'static [usize],
    pub(crate) runs: usize,
    pub(crate) steps_of_long: usize,
    /// After so many steps a run is gone on with, as against after few.
    pub(crate) resumed: usize,
}

/// What reports a part, with its files in a folder.
type Part = fn(&Path, &Size);

/// The parts, by their names, in the order in which they are shown.
const PARTS: &[(&str, Part)] = &[
    ("effects", effects::report),
    ("growth", growth::report),
    ("resume", resume::report),
    ("command", command::report),
    ("computing", computing::report),
    ("scale", scale::report),
];

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    if let [flag, steps, path] = args.as_slice()
        && flag == "--child"
    {
        child(steps.parse().unwrap_or(1), Path::new(path));
        return ExitCode::SUCCESS;
    }
    let quick = args.iter().any(|arg| arg == "--quick");
    let size = match quick {
        true => Size {
            steps: 40,
            repeats: 1,
            early: 30,
            late: 120,
            starts: 1,
            branches: &[200, 400],
            runs: 10,
            steps_of_long: 1000,
            resumed: 1000,
        },
        false => Size {
            steps: 500,
            repeats: 9,
            early: 100,
            late: 5_000,
            starts: 40,
            branches: &[2_000, 10_000, 100_000],
            runs: 1_000,
            steps_of_long: 1_000_000,
            resumed: 100_000,
        },
    };
    let folder = tempfile::tempdir().expect("a folder");
    println!("durability{}", if quick { ", in short: the figures mean nothing" } else { "" });
    let named = |name: &str| args.iter().any(|arg| arg == name);
    let all = !PARTS.iter().any(|(name, _)| named(name));
    for (_, report) in PARTS.iter().filter(|(name, _)| all || named(name)) {
        report(folder.path(), &size);
    }
    ExitCode::SUCCESS
}

/// What is run under `strace`: a run of so many steps, with nothing around it.
fn child(steps: usize, path: &Path) {
    let script = world::Script::new(world::STEPS);
    let store: std::sync::Arc<dyn Store> = open(path);
    let host = std::sync::Arc::new(world::Answering::new());
    let run = script.begin(store, host, Some(500), "child", &json!({ "n": steps }));
    world::drive_to_end(&world::threads(), run);
}

/// A new store in the folder.
pub(crate) fn fresh(folder: &Path, name: &str) -> PathBuf {
    let path = folder.join(format!("{name}.db"));
    for ending in ["db", "db-wal", "db-shm"] {
        // There may be none.
        let _ = std::fs::remove_file(path.with_extension(ending));
    }
    path
}

/// The store at a path.
pub(crate) fn open(path: &Path) -> std::sync::Arc<SqliteStore> {
    SqliteStore::open(path).expect("the store opens")
}
