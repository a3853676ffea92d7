//! Imports: what each name that a module takes from others is.

use smol_str::SmolStr;

use super::{
    ItemRef, ModuleId, ModuleInput,
    checker::Checker,
    names::{ModuleNames, declared_name},
    suggest::{did_you_mean, nearest},
    ty::Type,
};
use crate::{
    code::Code,
    diagnostic::Diagnostic,
    path,
    syntax::ast::{ItemKind, Name},
};

/// The most names that help lists.
const MOST_LISTED: usize = 8;

/// A name that an import brings.
#[derive(Clone, Copy, Debug)]
pub(super) struct Imported {
    /// What it is.
    pub(super) what: What,
    /// The offset of the name as it is bound.
    pub(super) at: u32,
}

/// What an imported name is.
#[derive(Clone, Copy, Debug)]
pub(super) enum What {
    /// A declaration of another module.
    Item(ItemRef),
    /// Another module, whose declarations stand behind a dot.
    Module(ModuleId),
    /// Nothing that is known: it has been reported, or its module did not parse.
    Nothing,
}

/// Finds what the imports of all modules bring; names that are not there are reported.
pub(super) fn link(modules: &[ModuleInput], names: &mut [ModuleNames], diagnostics: &mut Vec<Diagnostic>) {
    let mut missing = Vec::new();
    for (index, input) in (0_u16..).zip(modules) {
        for (item, declaration) in (0_u32..).zip(&input.module.items) {
            let ItemKind::Import(import) = &declaration.kind else { continue };
            let target = input.imports.iter().find(|(at, _)| *at == item).map(|(_, target)| *target);
            // What imports itself has been told so.
            let target = target.filter(|target| target.0 != index);
            for (written, bound) in import.names.iter().flatten().map(bound) {
                let look = Look { modules, names, from: ModuleId(index) };
                let what = match target.map(|target| look.member(target, &written.text)) {
                    Some(Ok(item)) => What::Item(item),
                    Some(Err(_)) => {
                        missing.extend(target.map(|target| (ModuleId(index), target, written)));
                        What::Nothing
                    }
                    None => What::Nothing,
                };
                bind(&mut names[usize::from(index)], bound, what);
            }
            if let Some(alias) = &import.alias {
                bind(&mut names[usize::from(index)], alias, target.map_or(What::Nothing, What::Module));
            }
        }
    }
    // Once all is linked, it is known where else a name comes from.
    for (from, target, written) in missing {
        if let Err(Missing::Because(message, help)) = (Look { modules, names, from }).member(target, &written.text) {
            let mut diagnostic = Diagnostic::new(Code::BadImport, written.span, message);
            diagnostic.help = help;
            diagnostics.push(diagnostic);
        }
    }
}

/// A name in the braces of an import, as it is written and as it is bound.
fn bound((name, alias): &(Name, Option<Name>)) -> (&Name, &Name) {
    (name, alias.as_ref().unwrap_or(name))
}

/// The first of several that bind a name is meant.
fn bind(names: &mut ModuleNames, name: &Name, what: What) {
    if !name.text.is_empty() {
        names.imports.entry(name.text.clone()).or_insert(Imported { what, at: name.span.start });
    }
}

/// What a name means as a type.
pub(super) enum TypeItem {
    /// A declared type.
    Type(ItemRef),
    /// Something that is no type.
    Other,
    /// An import that leads nowhere, which has been reported.
    Lost,
    /// Nothing that is declared.
    Nothing,
}

/// A look from one module into another.
pub(super) struct Look<'a> {
    pub(super) modules: &'a [ModuleInput],
    pub(super) names: &'a [ModuleNames],
    /// Who looks.
    pub(super) from: ModuleId,
}

/// A name that a module does not give away.
pub(super) enum Missing {
    /// It has been reported that something is wrong with the module.
    Reported,
    /// This is to be said, at the place of the name.
    Because(String, Vec<String>),
}

impl Look<'_> {
    /// The declaration of that name in a module.
    pub(super) fn member(&self, target: ModuleId, name: &str) -> Result<ItemRef, Missing> {
        let (input, names) = (self.input(target), &self.names[usize::from(target.0)]);
        let inside = self.input(self.from).library && input.library;
        let first = names.items.get(name).and_then(|items| items.first());
        let declared = first.map(|item| (*item, &input.module.items[*item as usize]));
        match declared {
            Some((_, declaration)) if matches!(declaration.kind, ItemKind::Import(_)) => {
                Err(self.borrowed(target, name))
            }
            Some((item, declaration)) => {
                let private = name.starts_with('_') && declared_name(declaration).is_some() && !inside;
                if private { Err(self.private(target, name)) } else { Ok(ItemRef { module: target, item }) }
            }
            None if may_declare(input, name) => Err(Missing::Reported),
            None => Err(self.unknown(target, name)),
        }
    }

    fn input(&self, module: ModuleId) -> &ModuleInput {
        &self.modules[usize::from(module.0)]
    }

    fn private(&self, target: ModuleId, name: &str) -> Missing {
        let message = format!("`{name}` is private to `{}`", self.input(target).source.name);
        Missing::Because(message, vec!["names that begin with `_` are seen in their own file only".to_owned()])
    }

    /// What a module imports is not its own to give.
    fn borrowed(&self, target: ModuleId, name: &str) -> Missing {
        let message = format!("`{}` imports `{name}` itself, and does not declare it", self.input(target).source.name);
        let way = |owner: ModuleId| match (
            self.input(owner).library,
            path::from_to(&self.input(self.from).name, &self.input(owner).name),
        ) {
            (true, name) => format!("std/{name}"),
            (false, way) if way.starts_with("..") => way,
            (false, way) => format!("./{way}"),
        };
        let imported = self.names[usize::from(target.0)].imports.get(name).map(|imported| imported.what);
        let help = match imported {
            Some(What::Item(item)) => {
                let declaration = &self.input(item.module).module.items[item.item as usize];
                declared_name(declaration).map(|declared| match declared.text == name {
                    true => format!("`import {{ {name} }} from \"{}\"`", way(item.module)),
                    false => format!("`import {{ {} as {name} }} from \"{}\"`", declared.text, way(item.module)),
                })
            }
            Some(What::Module(module)) => Some(format!("`import \"{}\" as {name}`", way(module))),
            Some(What::Nothing) | None => None,
        };
        Missing::Because(message, help.map(|help| format!("import it from where it is: {help}")).into_iter().collect())
    }

    fn unknown(&self, target: ModuleId, name: &str) -> Missing {
        let input = self.input(target);
        let message = format!("`{}` declares no `{name}`", input.source.name);
        let public = self.public(target);
        let method = input.library && is_method(input, name);
        let help = if method {
            format!("it is a method, which is called on a value and not imported: `….{name}()`")
        } else if let Some(help) = did_you_mean(&nearest(name, public.iter().map(SmolStr::as_str))) {
            help
        } else if public.is_empty() {
            "it declares nothing that can be imported".to_owned()
        } else {
            let listed: Vec<String> = public.iter().take(MOST_LISTED).map(|name| format!("`{name}`")).collect();
            let more = if public.len() > MOST_LISTED { " and more" } else { "" };
            format!("it declares {}{more}", listed.join(", "))
        };
        Missing::Because(message, vec![help])
    }

    /// The names that a module gives away, in order of its text.
    fn public(&self, module: ModuleId) -> Vec<SmolStr> {
        let (input, names) = (self.input(module), &self.names[usize::from(module.0)]);
        let declared = input.module.items.iter().filter_map(declared_name).map(|name| &name.text);
        let mut public: Vec<SmolStr> =
            declared.filter(|name| !name.starts_with('_') && names.items.contains_key(*name)).cloned().collect();
        public.dedup();
        public
    }
}

/// Whether a name may be declared in a part of a module that did not parse.
fn may_declare(input: &ModuleInput, name: &str) -> bool {
    input.broken && input.source.text.split(|c: char| !c.is_alphanumeric() && c != '_').any(|word| word == name)
}

fn is_method(input: &ModuleInput, name: &str) -> bool {
    input.module.items.iter().any(|item| {
        matches!(&item.kind, ItemKind::Function(function) if function.name.text == name && super::names::is_method(function))
    })
}

impl Checker<'_> {
    /// What an unknown name may be: one that is imported under another, or the library's where it must be imported.
    pub(super) fn import_help(&self, name: &str) -> Option<String> {
        let items = &self.modules[usize::from(self.frame.module.0)].module.items;
        let imports = items.iter().filter_map(|item| match &item.kind {
            ItemKind::Import(import) => import.names.as_ref(),
            _ => None,
        });
        let renamed = imports.flatten().find(|(written, alias)| written.text == name && alias.is_some());
        if let Some((_, Some(alias))) = renamed {
            return Some(format!("it is imported as `{}`", alias.text));
        }
        let file = |module: &ModuleId| &self.modules[usize::from(module.0)].name;
        let declares = |module: &&ModuleId| self.names[usize::from(module.0)].items.contains_key(name);
        if name.starts_with('_') {
            return None;
        }
        if let Some(module) = self.library.imported.iter().find(declares) {
            return Some(format!("import it: `import {{ {name} }} from \"std/{}\"`", file(module)));
        }
        let module = self.library.imported.iter().find(|module| **file(module) == *name);
        module.map(|_| format!("import it: `import \"std/{name}\" as {name}`"))
    }

    /// What a name is that an import brings into the module whose code is being checked; noted as used.
    pub(super) fn imported(&mut self, name: &str) -> What {
        let module = usize::from(self.frame.module.0);
        let Some(imported) = self.names[module].imports.get(name).copied() else { return What::Nothing };
        self.tables[module].used_imports.insert(imported.at);
        imported.what
    }

    /// The declaration of that name in another module; reported when there is none.
    pub(super) fn member_of(&mut self, target: ModuleId, name: &Name) -> Option<ItemRef> {
        let look = Look { modules: self.modules, names: &self.names, from: self.frame.module };
        match look.member(target, &name.text) {
            Ok(item) => Some(item),
            Err(Missing::Reported) => None,
            Err(Missing::Because(message, help)) => {
                let mut diagnostic = Diagnostic::new(Code::UnknownName, name.span, message);
                diagnostic.help = help;
                self.report(diagnostic);
                None
            }
        }
    }

    /// `agents.Review`.
    pub(super) fn type_of_module(&mut self, module: &Name, name: &Name) -> Type {
        if module.text.is_empty() || name.text.is_empty() {
            return Type::Unknown;
        }
        let declared = self.names[self.frame.module.0 as usize].items.contains_key(&module.text);
        let imported = declared.then(|| self.imported(&module.text));
        let target = match (imported, self.library.namespaces.get(&module.text)) {
            (Some(What::Module(target)), _) | (None, Some(&target)) => target,
            (Some(What::Nothing), _) if self.is_import(&module.text) => return Type::Unknown,
            (Some(_), _) => {
                let message = format!("`{}` is no module, so no type stands behind its dot", module.text);
                self.report(Diagnostic::new(Code::UnknownName, module.span, message));
                return Type::Unknown;
            }
            (None, None) => {
                self.unknown_module(module);
                return Type::Unknown;
            }
        };
        let Some(item) = self.member_of(target, name) else { return Type::Unknown };
        if matches!(self.item(item).kind, ItemKind::Type(_)) {
            return Type::Named(item);
        }
        let message = format!("`{}.{}` is not a type", module.text, name.text);
        self.report(Diagnostic::new(Code::UnknownName, name.span, message));
        Type::Unknown
    }

    fn unknown_module(&mut self, module: &Name) {
        let mut diagnostic =
            Diagnostic::new(Code::UnknownName, module.span, format!("there is no module `{}` here", module.text));
        let names = &self.names[self.frame.module.0 as usize];
        let modules = names.imports.iter().filter(|(_, imported)| matches!(imported.what, What::Module(_)));
        let mut known: Vec<&str> = modules.map(|(name, _)| name.as_str()).collect();
        known.sort_unstable();
        let help = self.import_help(&module.text).or_else(|| did_you_mean(&nearest(&module.text, known)));
        let help = help.unwrap_or_else(|| format!("import it: `import \"./{0}.wf\" as {0}`", module.text));
        diagnostic = diagnostic.help(help);
        self.report(diagnostic);
    }

    /// What a name means as a type: of this module, imported, or of the library.
    pub(super) fn type_item(&mut self, name: &str) -> TypeItem {
        let module = self.frame.module;
        let Some(items) = self.names[module.0 as usize].items.get(name) else {
            return self.library.types.get(name).map_or(TypeItem::Nothing, |item| TypeItem::Type(*item));
        };
        let found = items.iter().map(|item| ItemRef { module, item: *item });
        let found: Vec<ItemRef> = found.collect();
        if let Some(item) = found.iter().find(|item| matches!(self.item(**item).kind, ItemKind::Type(_))) {
            return TypeItem::Type(*item);
        }
        if !self.is_import(name) {
            return TypeItem::Other;
        }
        match self.imported(name) {
            What::Item(item) if matches!(self.item(item).kind, ItemKind::Type(_)) => TypeItem::Type(item),
            What::Item(_) | What::Module(_) => TypeItem::Other,
            What::Nothing => TypeItem::Lost,
        }
    }

    /// Whether a name of this module is what an import brings.
    fn is_import(&self, name: &str) -> bool {
        let module = self.frame.module;
        let first = self.names[module.0 as usize].items.get(name).and_then(|items| items.first());
        first.is_some_and(|item| matches!(self.item(ItemRef { module, item: *item }).kind, ItemKind::Import(_)))
    }
}
