//! Names: types `UpperCamel`, the rest `lower_snake`, constants of the module also `UPPER_SNAKE`.

use super::{
    super::walk::{Visitor, walk_item},
    Module,
};
use crate::{
    code::Code,
    diagnostic::Diagnostic,
    syntax::ast::{ItemKind, Name, Pattern, PatternKind},
};

/// Reports names that are written otherwise.
pub(super) fn report(module: &Module<'_>, diagnostics: &mut Vec<Diagnostic>) {
    for (_, item) in &module.items {
        match &item.kind {
            ItemKind::Type(found) => upper_camel(&found.name, diagnostics),
            ItemKind::Let(found) if is_upper_snake(&found.name.text) => {}
            ItemKind::Let(found) => lower_snake(&found.name, diagnostics),
            ItemKind::Agent(found) => lower_snake(&found.name, diagnostics),
            ItemKind::Function(found) => lower_snake(&found.name, diagnostics),
            _ => {}
        }
        walk_item(item, &mut Look { diagnostics, given: Vec::new() });
    }
}

fn upper_camel(name: &Name, diagnostics: &mut Vec<Diagnostic>) {
    let bare = name.text.trim_start_matches('_');
    let good = !bare.contains('_') && !bare.chars().next().is_some_and(char::is_lowercase);
    if good || bare.is_empty() {
        return;
    }
    let mut camel = String::from(if name.text.starts_with('_') { "_" } else { "" });
    for word in bare.split('_') {
        let mut letters = word.chars();
        camel.extend(letters.next().into_iter().flat_map(char::to_uppercase));
        camel.push_str(letters.as_str());
    }
    let message = format!("types are written like `{camel}`");
    diagnostics.push(Diagnostic::new(Code::Naming, name.span, message).help(format!("call it `{camel}`")));
}

fn lower_snake(name: &Name, diagnostics: &mut Vec<Diagnostic>) {
    if !name.text.chars().any(char::is_uppercase) {
        return;
    }
    let mut snake = String::new();
    let mut before = '_';
    for letter in name.text.chars() {
        if letter.is_uppercase() && before != '_' && !before.is_uppercase() {
            snake.push('_');
        }
        snake.extend(letter.to_lowercase());
        before = letter;
    }
    let message = format!("names of values are written like `{snake}`");
    diagnostics.push(Diagnostic::new(Code::Naming, name.span, message).help(format!("call it `{snake}`")));
}

fn is_upper_snake(name: &str) -> bool {
    !name.chars().any(char::is_lowercase)
}

struct Look<'l> {
    diagnostics: &'l mut Vec<Diagnostic>,
    /// The offsets of names that are those of fields, which others may have chosen.
    given: Vec<u32>,
}

impl Visitor for Look<'_> {
    fn pattern(&mut self, pattern: &Pattern, _arm: bool) {
        if let PatternKind::Record { fields, .. } = &pattern.kind {
            let short = fields.iter().filter(|(_, inner)| inner.is_none());
            self.given.extend(short.map(|(name, _)| name.span.start));
        }
    }

    fn bind(&mut self, name: &Name) {
        if !self.given.contains(&name.span.start) {
            lower_snake(name, self.diagnostics);
        }
    }
}
