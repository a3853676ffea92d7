//! The code of a run as it is stored with it: sources, the list of its functions, and bytecode.
//!
//! A run goes on with the code that it started with, whatever happened to the files. The bytecode is used while it is
//! this engine's; otherwise the stored sources are compiled again, and a frame fits when its function's digest is the
//! same.

use std::sync::Arc;

use wf_lang::program::{Program, verify};

use crate::{
    codec::{DecodeError, Reader, Writer, open, row::FREE, seal},
    machine::Image,
};

const ROW: u8 = FREE + 8;

/// Which bytecode this engine runs: the version of the engine and a hash of the files that define ops and compile to
/// them, so that no two builds take each other's bytecode for their own.
fn bytecode_version() -> String {
    format!("{}-{:016x}", env!("CARGO_PKG_VERSION"), wf_lang::program::FORMAT)
}

/// A source as it is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredSource {
    /// The name of its module, as it is shown: the path from the folder of the main module, or `std/list`.
    pub name: String,
    /// Whether it is of the library.
    pub library: bool,
    /// Its text.
    pub text: String,
    /// What its imports of files lead to: the path as it is written, and the name of the module.
    pub imports: Vec<(String, String)>,
}

/// Code as it is stored.
#[derive(Clone, Debug)]
pub struct Code {
    /// Its sources: the library's, the main module's, and those of the modules that it imports.
    pub sources: Vec<StoredSource>,
    /// The program, compiled.
    pub program: Program,
}

/// Why stored code cannot be run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CodeError(pub String);

impl std::fmt::Display for CodeError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for CodeError {}

/// Compiles stored sources again; what `wf` gives to [`Code::unpack`].
pub type Recompile<'r> = &'r dyn Fn(&[StoredSource]) -> Result<Program, String>;

impl Code {
    /// The bytes that are stored, and the hash under which they are: that of the sources and the bytecode's version.
    ///
    /// # Errors
    /// When the program cannot be written.
    pub fn pack(&self) -> Result<(Arc<[u8]>, [u8; 32]), CodeError> {
        let mut out = Writer::new();
        let version = bytecode_version();
        out.block(version.as_bytes());
        out.size(self.sources.len());
        let mut hash = blake3::Hasher::new();
        hash.update(version.as_bytes());
        for source in &self.sources {
            out.block(source.name.as_bytes());
            out.bool(source.library);
            out.block(source.text.as_bytes());
            hash_texts(&mut hash, [&source.name, &source.text]);
        }
        out.size(self.program.functions.len());
        for function in &self.program.functions {
            out.block(function.path.as_bytes());
            out.raw(&function.digest.to_le_bytes());
        }
        let bytecode = self.program.to_bytes().map_err(CodeError)?;
        out.block(&bytecode);
        // Rows of versions without imports end here.
        let imports = self
            .sources
            .iter()
            .enumerate()
            .flat_map(|(index, source)| source.imports.iter().map(move |(path, name)| (index, path, name)));
        let imports: Vec<(usize, &String, &String)> = imports.collect();
        out.size(imports.len());
        hash.update(&(imports.len() as u64).to_le_bytes());
        for (index, path, name) in imports {
            out.size(index);
            out.block(path.as_bytes());
            out.block(name.as_bytes());
            hash.update(&(index as u64).to_le_bytes());
            hash_texts(&mut hash, [path, name]);
        }
        Ok((seal(ROW, out.as_slice()).into(), *hash.finalize().as_bytes()))
    }

    /// Reads stored code. `recompile` is called when the bytecode is another engine's.
    ///
    /// # Errors
    /// When the row is damaged, or a function that is compiled again has other safe points or slots than it had.
    pub fn unpack(sealed: &[u8], recompile: Recompile<'_>) -> Result<Code, CodeError> {
        let (version, sources, functions, bytecode) =
            read(sealed).map_err(|error| CodeError(format!("the stored code is damaged: {}", error.reason)))?;
        if version == bytecode_version() {
            let program = Program::from_bytes(&bytecode).map_err(CodeError)?;
            verify(&program).map_err(|reason| CodeError(format!("the stored bytecode is damaged: {reason}")))?;
            return Ok(Code { sources, program });
        }
        let program = recompile(&sources).map_err(CodeError)?;
        for (index, (path, digest)) in functions.iter().enumerate() {
            let found = program.functions.get(index);
            if found.is_none_or(|found| found.path != path.as_str() || found.digest != *digest) {
                return Err(CodeError(format!(
                    "the run was started by wf {version}, and `{path}` compiles to other safe points with this one; \
                     go on with the wf that started it"
                )));
            }
        }
        Ok(Code { sources, program })
    }

    /// The program, ready to be run.
    ///
    /// # Errors
    /// When it needs a library function that this engine does not have.
    pub fn image(&self) -> Result<Arc<Image>, CodeError> {
        let sources = self.sources.iter().enumerate().map(|(index, source)| {
            wf_lang::Source::new(wf_lang::SourceId(index as u16), source.name.as_str(), &source.text)
        });
        Image::new(self.program.clone(), sources.collect()).map_err(CodeError)
    }
}

fn hash_texts(hash: &mut blake3::Hasher, texts: [&String; 2]) {
    for text in texts {
        hash.update(&(text.len() as u64).to_le_bytes());
        hash.update(text.as_bytes());
    }
}

type Parts = (String, Vec<StoredSource>, Vec<(String, u64)>, Vec<u8>);

fn read(sealed: &[u8]) -> Result<Parts, DecodeError> {
    let mut from = Reader::new(open(ROW, sealed)?, "code");
    let version = from.text()?.to_owned();
    let mut sources = Vec::new();
    for _ in 0..from.count(3)? {
        let name = from.text()?.to_owned();
        let library = from.bool()?;
        sources.push(StoredSource { name, library, text: from.text()?.to_owned(), imports: Vec::new() });
    }
    let mut functions = Vec::new();
    for _ in 0..from.count(9)? {
        let path = from.text()?.to_owned();
        let digest: [u8; 8] = from.raw(8)?.try_into().map_err(|_| from.error("a digest is missing"))?;
        functions.push((path, u64::from_le_bytes(digest)));
    }
    let bytecode = from.block()?.to_vec();
    let imports = if from.left() == 0 { 0 } else { from.count(3)? };
    for _ in 0..imports {
        let index = from.size()?;
        let import = (from.text()?.to_owned(), from.text()?.to_owned());
        let Some(source) = sources.get_mut(index) else { return Err(from.error("an import of no source")) };
        source.imports.push(import);
    }
    from.end()?;
    Ok((version, sources, functions, bytecode))
}
