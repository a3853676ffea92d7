//! The library's bodiless functions and what the runtime has for them are the same list.

use std::collections::BTreeSet;

use wf_lang::{
    Source, SourceId,
    syntax::{ast::ItemKind, parse},
};
use wf_runtime::{effect::EFFECTS, machine::TELLS, native::NATIVES};

/// Natives that the compiler calls for the language itself.
const OF_THE_COMPILER: [&str; 5] = ["agent._merge", "change.remove", "pattern.equal", "pattern.list", "pattern.rest"];
/// Functions that are an op of their own.
const OPS: [&str; 2] = ["agent._settings", "test._apply"];

/// The bodiless functions with an annotation, or without any.
fn declared(annotation: Option<&str>) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for (module, text) in wf_stdlib::MODULES {
        let parsed = parse(&Source::new(SourceId(0), *module, text));
        for item in &parsed.module.items {
            let ItemKind::Function(function) = &item.kind else { continue };
            let found = item
                .annotations
                .iter()
                .map(|found| found.name.text.as_str())
                .find(|name| ["effect", "event"].contains(name));
            if function.body.is_none() && found == annotation {
                let name = &function.name.text;
                names.insert(if *module == "prelude" { name.to_string() } else { format!("{module}.{name}") });
            }
        }
    }
    names
}

fn known<'a>(names: impl IntoIterator<Item = &'a str>) -> BTreeSet<String> {
    names.into_iter().map(str::to_owned).collect()
}

#[test]
fn effects_are_declared_and_known() {
    assert_eq!(declared(Some("effect")), known(EFFECTS.iter().map(|(name, _)| *name)));
}

#[test]
fn what_programs_tell_is_declared_and_known() {
    assert_eq!(declared(Some("event")), known(TELLS.iter().copied()));
}

#[test]
fn natives_are_declared_and_known() {
    let natives = NATIVES.iter().map(|(name, _)| *name).filter(|name| !OF_THE_COMPILER.contains(name));
    let declared = declared(None).into_iter().filter(|name| !OPS.contains(&name.as_str()));
    assert_eq!(declared.collect::<BTreeSet<_>>(), known(natives));
}

#[test]
fn natives_can_be_found_by_name() {
    let names: Vec<_> = NATIVES.iter().map(|(name, _)| *name).collect();
    assert!(names.is_sorted(), "{names:?}");
}
