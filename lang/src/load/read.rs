//! The modules of a program: the main one, and all that it imports, each read once.

use std::{
    collections::{HashMap, hash_map::Entry},
    sync::Arc,
};

use super::{
    Library, MAX_MODULES, MAX_PROGRAM_BYTES, Main, Texts, Unreadable, cycle, lost::Lost, module_id, source_id,
};
use crate::{
    check::{ModuleId, ModuleInput, did_you_mean, nearest},
    code::Code,
    diagnostic::Diagnostic,
    path::{self, Meant},
    source::{MAX_SOURCE_BYTES, Source},
    syntax::{
        ast::{Import, ItemKind, Module, Name},
        parse,
    },
};

/// The modules of a program.
pub(super) struct Read {
    /// The library's, the main one, the imported ones.
    pub(super) modules: Vec<ModuleInput>,
    /// What of them did not parse.
    pub(super) lost: Vec<Lost>,
    /// What is wrong with their texts, and with their imports.
    pub(super) diagnostics: Vec<Diagnostic>,
}

/// Reads the main module and all that it imports.
pub(super) fn program(library: &Library, main: Main<'_>, texts: &dyn Texts) -> Read {
    let first = library.modules.len();
    let read = Read { modules: library.modules.clone(), lost: Vec::new(), diagnostics: Vec::new() };
    let mut reading = Reading { read, main, texts, first, known: HashMap::new(), bytes: main.text.len() };
    reading.add(main.path, main.shown, main.text);
    let mut next = first;
    while next < reading.read.modules.len() {
        reading.follow(next);
        next += 1;
    }
    let mut read = reading.read;
    read.diagnostics.extend(cycle::report(&read.modules));
    read
}

/// Links the imports among the library's own modules.
pub(super) fn link_library(library: &mut Library) {
    for index in 0..library.modules.len() {
        let module = Arc::clone(&library.modules[index].module);
        for (item, import) in imports(&module) {
            let found = match path::meant(&import.path.text) {
                Meant::Library(name) => library_module(&library.modules, name, &import.path),
                _ => Err(bad(&import.path, Unreadable::new("the library imports from the library only")).into()),
            };
            match found {
                Ok(target) => library.modules[index].imports.push((item, target)),
                Err(diagnostic) => library.diagnostics.push(*diagnostic),
            }
        }
    }
}

impl ModuleInput {
    /// Reads a module from its source, which is where it is told apart from others until its path is set; its imports
    /// lead nowhere yet. Gives what is wrong with its text beside it.
    pub fn read(name: &str, library: bool, source: Source) -> (Self, Vec<Diagnostic>) {
        let parsed = parse(&source);
        let broken = parsed.diagnostics.iter().any(Diagnostic::is_error);
        let path = Arc::clone(&source.name);
        let module = Arc::new(parsed.module);
        let input = Self { name: name.into(), path, library, source, module, imports: Vec::new(), broken };
        (input, parsed.diagnostics)
    }
}

struct Reading<'a> {
    read: Read,
    main: Main<'a>,
    texts: &'a dyn Texts,
    /// The index of the main module.
    first: usize,
    /// What was looked for, by path.
    known: HashMap<String, Result<ModuleId, Unreadable>>,
    /// How large the texts are so far.
    bytes: usize,
}

impl Reading<'_> {
    /// Adds a module; its imports are followed in its turn.
    fn add(&mut self, at: &str, shown: &str, text: &str) -> ModuleId {
        let index = self.read.modules.len();
        let name = match index == self.first {
            true => path::file(at).to_owned(),
            false => path::from_to(self.main.path, at),
        };
        let (mut input, syntax) = ModuleInput::read(&name, false, Source::new(source_id(index), shown, text));
        input.path = at.into();
        if input.broken {
            self.read.lost.push(Lost::of(&input, &syntax));
        }
        self.read.diagnostics.extend(syntax);
        self.read.modules.push(input);
        self.known.insert(at.to_owned(), Ok(module_id(index)));
        module_id(index)
    }

    /// Finds the modules that a module imports.
    fn follow(&mut self, index: usize) {
        let input = &self.read.modules[index];
        let (module, from) = (Arc::clone(&input.module), Arc::clone(&input.path));
        for (item, import) in imports(&module) {
            match self.find(&from, &import.path) {
                Ok(target) => self.read.modules[index].imports.push((item, target)),
                Err(diagnostic) => self.read.diagnostics.push(*diagnostic),
            }
        }
    }

    fn find(&mut self, from: &str, written: &Name) -> Result<ModuleId, Box<Diagnostic>> {
        match path::meant(&written.text) {
            Meant::Library(name) => library_module(&self.read.modules[..self.first], name, written),
            Meant::File => {
                let at = self.texts.resolve(from, &written.text);
                self.module_at(&at).map_err(|unreadable| bad(written, unreadable).into())
            }
            Meant::Unfinished => Err(bad(written, self.unfinished(from, &written.text)).into()),
            Meant::Wrong(message, help) => Err(bad(written, Unreadable::new(message).help(help)).into()),
        }
    }

    /// The module at a path, read if it was not met before.
    fn module_at(&mut self, at: &str) -> Result<ModuleId, Unreadable> {
        if let Some(known) = self.known.get(at) {
            return known.clone();
        }
        let shown = self.shown(at);
        let found = self.text(at, &shown).map(|text| self.add(at, &shown, &text));
        if let (Entry::Vacant(entry), Err(unreadable)) = (self.known.entry(at.to_owned()), &found) {
            entry.insert(Err(unreadable.clone()));
        }
        found
    }

    fn text(&mut self, at: &str, shown: &str) -> Result<String, Unreadable> {
        if self.read.modules.len() - self.first >= MAX_MODULES {
            return Err(Unreadable::new(format!("a program has at most {MAX_MODULES} modules")));
        }
        let text = self.texts.read(at, shown)?;
        if text.len() > MAX_SOURCE_BYTES {
            return Err(Unreadable::new(format!(
                "`{shown}` has {} bytes; at most {MAX_SOURCE_BYTES} are read",
                text.len()
            )));
        }
        self.bytes += text.len();
        if self.bytes > MAX_PROGRAM_BYTES {
            return Err(Unreadable::new(format!("the modules of a program have at most {MAX_PROGRAM_BYTES} bytes")));
        }
        Ok(text)
    }

    /// The path of an imported module for people: as if it were given beside the main one.
    fn shown(&self, at: &str) -> String {
        let way = path::from_to(self.main.path, at);
        if way == at { way } else { path::beside(self.main.shown, &way) }
    }

    /// What is wrong with a path that does not end in `.wf`.
    fn unfinished(&self, from: &str, written: &str) -> Unreadable {
        let bare = written.trim_end_matches('/');
        let finished = if bare.ends_with(".wf") { bare.to_owned() } else { format!("{bare}.wf") };
        let at = self.texts.resolve(from, &finished);
        let there = !bare.ends_with('.') && self.texts.read(&at, &self.shown(&at)).is_ok();
        let unreadable = Unreadable::new(format!("`{written}` does not end in `.wf`, as files with modules do"));
        if there { unreadable.help(format!("did you mean `{finished}`?")) } else { unreadable }
    }
}

/// The imports of a module, each with its index among the items.
fn imports(module: &Module) -> impl Iterator<Item = (u32, &Import)> {
    (0..).zip(&module.items).filter_map(|(index, item)| match &item.kind {
        ItemKind::Import(import) => Some((index, import)),
        _ => None,
    })
}

fn library_module(library: &[ModuleInput], name: &str, written: &Name) -> Result<ModuleId, Box<Diagnostic>> {
    if let Some(index) = library.iter().position(|input| *input.name == *name) {
        return Ok(module_id(index));
    }
    let names: Vec<String> = library.iter().map(|input| format!("std/{}", input.name)).collect();
    let bare = format!("std/{}", name.trim_end_matches(".wf"));
    let mut diagnostic = bad(written, Unreadable::new(format!("there is no library module `std/{name}`")));
    let meant = match names.contains(&bare) {
        true => vec![bare.into()],
        false => nearest(&bare, names.iter().map(String::as_str)),
    };
    diagnostic.help.extend(did_you_mean(&meant));
    Err(diagnostic.into())
}

fn bad(written: &Name, unreadable: Unreadable) -> Diagnostic {
    let mut diagnostic = Diagnostic::new(Code::BadImport, written.span, unreadable.message);
    diagnostic.help.extend(unreadable.help);
    diagnostic
}
