//! The names of modules: what each declares, and what the library makes known everywhere.

use std::collections::HashMap;

use smol_str::SmolStr;

use super::{ItemRef, ModuleId, ModuleInput, import::Imported, ty::Type};
use crate::{
    code::Code,
    diagnostic::Diagnostic,
    span::Span,
    syntax::ast::{self, ItemKind},
};

/// The library file whose functions need no namespace.
const PRELUDE: &str = "prelude";

/// What a module declares.
#[derive(Debug, Default)]
pub(super) struct ModuleNames {
    /// Each name with its declarations: several only for the signatures of a library function.
    pub(super) items: HashMap<SmolStr, Vec<u32>>,
    /// The `state` block.
    pub(super) state: Option<u32>,
    /// The names that its imports bring.
    pub(super) imports: HashMap<SmolStr, Imported>,
}

/// What the library makes known.
#[derive(Debug, Default)]
pub(super) struct Library {
    /// Functions with `self`, by name.
    pub(super) methods: HashMap<SmolStr, Vec<ItemRef>>,
    /// Functions of the prelude.
    pub(super) ambient: HashMap<SmolStr, Vec<ItemRef>>,
    /// Functions whose name begins with `_`: seen by the library alone.
    pub(super) private: HashMap<SmolStr, Vec<ItemRef>>,
    /// Files that are namespaces.
    pub(super) namespaces: HashMap<SmolStr, ModuleId>,
    /// Declared types.
    pub(super) types: HashMap<SmolStr, ItemRef>,
    /// The files that are known only where they are imported.
    pub(super) imported: Vec<ModuleId>,
}

/// The types that have a name of their own; `type`, `map` and `agent` with arguments are not among them.
pub(super) fn builtin(name: &str) -> Option<Type> {
    Some(match name {
        "string" => Type::String,
        "int" => Type::Int,
        "float" => Type::Float,
        "bool" => Type::Bool,
        "null" => Type::Null,
        "duration" => Type::Duration,
        "time" => Type::Time,
        "bytes" => Type::Bytes,
        "any" => Type::Any,
        "secret" => Type::Secret,
        "payload" => Type::Payload,
        "tool" => Type::Tool,
        _ => return None,
    })
}

/// The names that [`builtin`] knows, and those that take arguments.
pub(super) const TYPE_NAMES: [&str; 15] = [
    "string", "int", "float", "bool", "null", "duration", "time", "bytes", "any", "secret", "payload", "tool", "map",
    "agent", "type",
];

/// The name that a declaration declares.
pub fn declared_name(item: &ast::Item) -> Option<&ast::Name> {
    match &item.kind {
        ItemKind::Let(item) => Some(&item.name),
        ItemKind::Type(item) => Some(&item.name),
        ItemKind::Agent(item) => Some(&item.name),
        ItemKind::Function(item) => Some(&item.name),
        ItemKind::Import(_) | ItemKind::State(_) | ItemKind::Test(_) | ItemKind::Error => None,
    }
}

/// Whether a function is a method of the library.
pub(super) fn is_method(function: &ast::Function) -> bool {
    function.params.first().is_some_and(|param| param.name.text == "self")
}

/// Collects what a module declares; what is declared twice is reported with all its places.
pub(super) fn module_names(input: &ModuleInput, diagnostics: &mut Vec<Diagnostic>) -> ModuleNames {
    let mut names = ModuleNames::default();
    let mut places: HashMap<SmolStr, Vec<Span>> = HashMap::new();
    let mut order = Vec::new();
    let mut states = Vec::new();
    for (index, item) in (0_u32..).zip(&input.module.items) {
        if matches!(item.kind, ItemKind::State(_)) {
            names.state.get_or_insert(index);
            states.push(item.span);
        }
        let overloads = input.library && matches!(item.kind, ItemKind::Function(_));
        if matches!(&item.kind, ItemKind::Function(function) if input.library && is_method(function)) {
            continue;
        }
        for name in names_of(item) {
            if name.text.is_empty() {
                continue;
            }
            if name.text == "ctx" {
                diagnostics.push(reserved_ctx(name.span));
            }
            let declared = names.items.entry(name.text.clone()).or_default();
            if overloads || declared.is_empty() {
                declared.push(index);
            }
            if !overloads {
                let places = places.entry(name.text.clone()).or_default();
                places.push(name.span);
                if places.len() == 2 {
                    order.push(name.text.clone());
                }
            }
        }
    }
    for name in order {
        diagnostics.push(declared_twice(&format!("`{name}`"), &places[&name]));
    }
    if states.len() > 1 {
        let mut twice = declared_twice("`state`", &states);
        twice.help = vec!["merge them: a module has one `state` block".to_owned()];
        diagnostics.push(twice);
    }
    names
}

/// The names that a declaration brings into its module.
fn names_of(item: &ast::Item) -> Vec<&ast::Name> {
    match &item.kind {
        ItemKind::Import(import) => match (&import.names, &import.alias) {
            (Some(names), _) => names.iter().map(|(name, alias)| alias.as_ref().unwrap_or(name)).collect(),
            (None, alias) => alias.iter().collect(),
        },
        _ => declared_name(item).into_iter().collect(),
    }
}

/// The error for names that are declared more than once, in order of the source.
pub(super) fn declared_twice(what: &str, places: &[Span]) -> Diagnostic {
    let last = places.last().copied().unwrap_or_default();
    let mut diagnostic = Diagnostic::new(Code::DeclaredTwice, last, format!("{what} is declared twice"));
    for place in places.iter().take(places.len().saturating_sub(1)) {
        diagnostic = diagnostic.label(*place, "declared here");
    }
    diagnostic.help("give one of them another name")
}

/// The error for a declaration of `ctx`.
pub(super) fn reserved_ctx(span: Span) -> Diagnostic {
    Diagnostic::new(Code::ReservedName, span, "`ctx` is the context of the run and cannot be redefined")
        .help("choose another name")
}

/// Whether a file of the library is known only where it is imported: its `//!` text begins with the path by which it is.
fn must_be_imported(input: &ModuleInput) -> bool {
    let first = input.module.doc.as_deref().and_then(|doc| doc.split_whitespace().next());
    let word = first.map(|word| word.trim_matches(|c: char| matches!(c, '`' | ':' | ',')));
    word.and_then(|word| word.strip_prefix("std/")) == Some(&*input.name)
}

/// Whether a declaration is a member of its library module as a namespace.
fn is_member(item: &ast::Item) -> bool {
    match &item.kind {
        ItemKind::Function(function) => !is_method(function) && !function.name.text.starts_with('_'),
        ItemKind::Let(_) => true,
        _ => false,
    }
}

/// Collects what the library's modules make known.
pub(super) fn library(modules: &[ModuleInput]) -> Library {
    let mut library = Library::default();
    for (module, input) in (0_u16..).map(ModuleId).zip(modules).filter(|(_, input)| input.library) {
        let ambient = !must_be_imported(input);
        if !ambient {
            library.imported.push(module);
        } else if &*input.name != PRELUDE && input.module.items.iter().any(is_member) {
            library.namespaces.insert(SmolStr::new(&input.name), module);
        }
        for (item, declaration) in (0_u32..).zip(&input.module.items) {
            let item = ItemRef { module, item };
            match &declaration.kind {
                ItemKind::Type(ty) if ambient => {
                    library.types.insert(ty.name.text.clone(), item);
                }
                ItemKind::Function(function) => {
                    let name = function.name.text.clone();
                    let table = if name.starts_with('_') {
                        &mut library.private
                    } else if is_method(function) {
                        &mut library.methods
                    } else if &*input.name == PRELUDE {
                        &mut library.ambient
                    } else {
                        continue;
                    };
                    table.entry(name).or_default().push(item);
                }
                _ => {}
            }
        }
    }
    library
}
