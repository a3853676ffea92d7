//! What the programs are written in, and who runs them.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

/// A language, and its engine on this machine.
pub(crate) struct Language {
    /// What it is called here.
    pub(crate) name: &'static str,
    /// What its files end in.
    ending: &'static str,
    /// The engine, where there is one.
    engine: Option<PathBuf>,
    /// What it says when it is asked for its version.
    version: String,
    /// Where wf keeps its runs meanwhile.
    pub(crate) store: PathBuf,
}

/// wf, CPython and Lua.
pub(crate) fn languages(store: &Path) -> Vec<Language> {
    let find = |name, ending, engines: &[&str], version| {
        let found = engines.iter().find_map(|engine| Some((PathBuf::from(engine), asked(engine, version)?)));
        let (engine, version) = found.map_or((None, String::new()), |(engine, version)| (Some(engine), version));
        Language { name, ending, engine, version, store: store.join("speed.db") }
    };
    vec![
        find("wf", "wf", &[env!("CARGO_BIN_EXE_wf")], "--version"),
        find("python", "py", &["python3"], "--version"),
        find("lua", "lua", &["lua5.4", "lua"], "-v"),
    ]
}

/// What an engine says about its version; `None` when there is no such engine.
fn asked(engine: &str, version: &str) -> Option<String> {
    let output = Command::new(engine).arg(version).output().ok()?;
    let said = [output.stdout, output.stderr].concat();
    let said = String::from_utf8_lossy(&said);
    output.status.success().then(|| said.lines().next().unwrap_or_default().to_owned())
}

impl Language {
    /// Says who runs it.
    pub(crate) fn introduce(&self) {
        match &self.engine {
            Some(_) => println!("   {:<7} {}", self.name, self.version),
            None => println!("   {:<7} is not there: nothing is compared with it", self.name),
        }
    }

    /// Whether it runs a program here. Lua has no JSON of its own.
    pub(crate) fn runs(&self, program: &str) -> bool {
        self.engine.is_some() && self.file(program).is_file()
    }

    /// The program's file.
    pub(crate) fn file(&self, program: &str) -> PathBuf {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/speed/programs");
        folder.join(program).with_extension(self.ending)
    }

    /// The words of the command line that runs a program with an argument.
    pub(crate) fn command(&self, program: &str, size: u32) -> Vec<String> {
        let engine = self.engine.as_ref().map(|engine| engine.to_string_lossy().into_owned());
        let file = self.file(program).to_string_lossy().into_owned();
        let (run, argument) = match self.name {
            "wf" => (Some("run".to_owned()), format!("n={size}")),
            _ => (None, size.to_string()),
        };
        engine.into_iter().chain(run).chain([file, argument]).collect()
    }
}
