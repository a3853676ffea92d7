//! Checked scripts as code that can be stored and run.

use wf_lang::{load::Loaded, program::Program};
use wf_runtime::{
    code::{Code, StoredSource},
    store::{RunRecord, Store},
};

/// The code of a checked script.
pub(crate) fn code(loaded: &Loaded) -> Result<Code, String> {
    let program = compile(loaded)?;
    let stored = |module: &wf_lang::check::ModuleInput| StoredSource {
        name: module.source.name.to_string(),
        library: module.library,
        text: module.source.text.to_string(),
    };
    Ok(Code { sources: loaded.checked.modules.iter().map(stored).collect(), program })
}

/// The code that a run started with.
///
/// # Errors
/// When it cannot be read, or this engine cannot run it.
pub(crate) fn stored(store: &dyn Store, run: &RunRecord) -> Result<Code, String> {
    let code = store.code(&run.code_hash).map_err(|error| error.to_string())?;
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
    let Some((main, library)) = sources.split_last() else { return Err("the stored code has no sources".into()) };
    let names = library.iter().map(|source| (source.name.trim_start_matches("std/"), source.text.as_str()));
    let library = wf_lang::load::Library::new(names);
    let loaded = wf_lang::load::load(&library, &main.name, &main.text);
    if let Some(error) = loaded.diagnostics.iter().find(|diagnostic| diagnostic.is_error()) {
        return Err(format!("the stored script does not compile with this version: {}", error.message));
    }
    compile(&loaded)
}
