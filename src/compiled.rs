//! Checked scripts as code that can be stored and run.

use wf_lang::{
    check::ModuleInput,
    load::{Library, Loaded, Main, Texts, Unreadable, load_with},
    path,
    program::Program,
    syntax::ast::ItemKind,
};
use wf_runtime::{
    code::{Code, StoredSource},
    store::{RunRecord, Store},
};

/// The code of a checked script.
pub(crate) fn code(loaded: &Loaded) -> Result<Code, String> {
    let program = compile(loaded)?;
    let modules = &loaded.checked.modules;
    let sources = modules.iter().map(|module| StoredSource {
        name: if module.library { module.source.name.to_string() } else { module.name.to_string() },
        library: module.library,
        text: module.source.text.to_string(),
        imports: imports(module, modules),
    });
    Ok(Code { sources: sources.collect(), program })
}

/// The files that a module imports: each path as it is written, with the name of the module there.
fn imports(module: &ModuleInput, modules: &[ModuleInput]) -> Vec<(String, String)> {
    let found = module.imports.iter().filter_map(|(item, target)| {
        let target = modules.get(usize::from(target.0)).filter(|target| !target.library)?;
        match &module.module.items.get(*item as usize)?.kind {
            ItemKind::Import(import) => Some((import.path.text.to_string(), target.name.to_string())),
            _ => None,
        }
    });
    found.collect()
}

/// The code that a run had at a checkpoint; the present one without a number.
///
/// # Errors
/// When it cannot be read, or this engine cannot run it.
pub(crate) fn stored_at(store: &dyn Store, run: &RunRecord, at: Option<u64>) -> Result<Code, String> {
    let hash = match at {
        Some(at) => store.code_at(&run.id, at).map_err(|error| error.to_string())?,
        None => run.code_hash,
    };
    let code = store.code(&hash).map_err(|error| error.to_string())?;
    Code::unpack(&code, &recompile).map_err(|error| error.to_string())
}

fn compile(loaded: &Loaded) -> Result<Program, String> {
    wf_lang::compile::compile(&loaded.checked).map_err(|diagnostic| {
        let source = loaded.source(diagnostic.span);
        format!("{}:{}: {}", source.name, source.line_column(diagnostic.span.start).line, diagnostic.message)
    })
}

/// Compiles stored sources again, for an engine that does not run the stored bytecode.
fn recompile(sources: &[StoredSource]) -> Result<Program, String> {
    let of_library = |source: &&StoredSource| source.library;
    let names = sources.iter().filter(of_library).map(|source| (source.name.trim_start_matches("std/"), &*source.text));
    let library = Library::new(names);
    let Some(main) = sources.iter().find(|source| !source.library) else {
        return Err("the stored code has no script".into());
    };
    let main = Main { path: &main.name, shown: &main.name, text: &main.text };
    let loaded = load_with(&library, main, &Stored(sources));
    if let Some(error) = loaded.diagnostics.iter().find(|diagnostic| diagnostic.is_error()) {
        return Err(format!("the stored script does not compile with this version: {}", error.message));
    }
    compile(&loaded)
}

/// The modules that are stored with a run, which are told apart by their names.
struct Stored<'s>(&'s [StoredSource]);

impl Stored<'_> {
    fn find(&self, name: &str) -> Option<&StoredSource> {
        self.0.iter().find(|source| !source.library && source.name == name)
    }
}

impl Texts for Stored<'_> {
    fn resolve(&self, from: &str, path: &str) -> String {
        let imports = self.find(from).map_or(&[][..], |source| &source.imports);
        let found = imports.iter().find(|(written, _)| written == path);
        found.map_or_else(|| path::beside(from, path), |(_, name)| name.clone())
    }

    fn read(&self, path: &str, shown: &str) -> Result<String, Unreadable> {
        let found = self.find(path).map(|source| source.text.clone());
        found.ok_or_else(|| Unreadable::new(format!("`{shown}` is not stored with the run")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stored_modules_compile_again_to_the_same_program() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = |name: &str, text: &str| {
            let path = folder.path().join(name);
            std::fs::create_dir_all(path.parent().expect("a folder")).expect("made");
            std::fs::write(&path, text).expect("written");
            path
        };
        let main =
            "import { a, b } from \"./a.wf\"\nimport \"../lib/x.wf\" as x\nworkflow main() { a(); b(); x.a() }\n";
        let main = file("flows/main.wf", main);
        file(
            "flows/a.wf",
            "import { stringify } from \"std/json\"\nlet A = stringify(1)\nstep a() { print(A) }\nfn b() { }\n",
        );
        file("lib/x.wf", "import { a as other } from \"../flows/a.wf\"\nstate { n: int = 1 }\nstep a() { other() }\n");
        let loaded = crate::load::load_file(&main).expect("it is read");
        let code = code(&loaded).expect("it compiles");
        drop(folder);
        let users = code.sources.iter().filter(|source| !source.library).map(|source| source.name.as_str());
        assert_eq!(users.collect::<Vec<_>>(), ["main.wf", "a.wf", "../lib/x.wf"]);
        assert_eq!(recompile(&code.sources).as_ref(), Ok(&code.program));
        let (packed, _) = code.pack().expect("packed");
        assert_eq!(Code::unpack(&packed, &recompile).expect("unpacked").sources, code.sources);
    }

    #[test]
    fn code_that_was_stored_before_there_were_imports_is_read() {
        let folder = tempfile::tempdir().expect("a folder");
        let script = folder.path().join("main.wf");
        std::fs::write(&script, "workflow main() { print(\"x\") }\n").expect("written");
        let code = code(&crate::load::load_file(&script).expect("it is read")).expect("it compiles");
        let (packed, _) = code.pack().expect("packed");
        let (kind, body) = (packed[1], &packed[2..packed.len() - 8]);
        let resealed = |body: &[u8]| Code::unpack(&wf_runtime::codec::seal(kind, body), &recompile);
        let before = resealed(&body[..body.len() - 1]).expect("what stood behind it is left out");
        assert_eq!((before.sources, before.program), (code.sources, code.program));
        let wrong = [&body[..body.len() - 1], b"\x01\x63\x01a\x01b"].concat();
        let error = resealed(&wrong).expect_err("no such source");
        assert_eq!(error.to_string(), "the stored code is damaged: an import of no source");
    }
}
