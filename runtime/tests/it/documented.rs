//! The examples in the documentation of the library run, and give what they say.
//!
//! `expression  // => value` gives an equal value, `expression  // throws kind` throws; other lines are run before what
//! follows them.

use std::fmt::Write as _;

use serde_json::json;
use wf_lang::{
    Source, SourceId,
    syntax::{
        ast::{Item, ItemKind},
        parse,
    },
};
use wf_runtime::drive::Ended;

use crate::scripted::{compile, image, read, run};

/// Modules whose functions reach the outside, where an example would need one.
const OUTSIDE: [&str; 3] = ["prelude", "agent", "fs"];

/// An example: its function, and its lines.
struct Example {
    name: String,
    lines: Vec<String>,
}

fn items(module: &str, text: &str) -> Vec<Item> {
    let parsed = parse(&Source::new(SourceId(0), module, text));
    assert_eq!(parsed.diagnostics, [], "std/{module}");
    parsed.module.items
}

fn name_of(item: &Item) -> Option<&str> {
    match &item.kind {
        ItemKind::Function(function) => Some(&function.name.text),
        ItemKind::Let(constant) => Some(&constant.name.text),
        _ => None,
    }
}

/// The fenced blocks of a doc comment.
fn blocks(doc: &str) -> Vec<Vec<String>> {
    let fenced = doc.split("```").skip(1).step_by(2);
    fenced
        .filter_map(|block| block.strip_prefix("wf\n"))
        .map(|block| block.lines().map(str::to_owned).filter(|line| !line.trim().is_empty()).collect())
        .collect()
}

fn examples() -> Vec<Example> {
    let mut found = Vec::new();
    for (module, text) in wf_stdlib::MODULES {
        for item in items(module, text) {
            let Some(name) = name_of(&item) else { continue };
            for lines in blocks(item.doc.as_deref().unwrap_or_default()) {
                found.push(Example { name: format!("{module}.{name}"), lines });
            }
        }
    }
    found
}

/// A script with a workflow for each example.
fn script(examples: &[Example]) -> String {
    let mut out = String::new();
    for (number, example) in examples.iter().enumerate() {
        let _ = writeln!(out, "workflow example_{number}() -> any {{");
        for (at, line) in example.lines.iter().enumerate() {
            let _ = match line
                .split_once("// =>")
                .map(|split| (split, true))
                .or(line.split_once("// throws").map(|split| (split, false)))
            {
                Some(((found, wanted), true)) => writeln!(
                    out,
                    "let found_{at} = {found}\nlet wanted_{at}: any = {wanted}\nif found_{at} != wanted_{at} {{ throw json.stringify(found_{at}) }}"
                ),
                Some(((found, kind), false)) => writeln!(
                    out,
                    "let thrown_{at} = try {{ json.stringify({found}) }} catch e {{ e.kind }}\nif thrown_{at} != \"{}\" {{ throw thrown_{at} }}",
                    kind.trim()
                ),
                None => writeln!(out, "{line}"),
            };
        }
        out.push_str("null\n}\n");
    }
    out
}

#[test]
fn examples_give_what_they_say() {
    let examples = examples();
    let text = script(&examples);
    let loaded = read(&text);
    let program = compile(&loaded).unwrap_or_else(|found| {
        let shown: Vec<String> = found
            .iter()
            .map(|diagnostic| {
                let line = loaded.source(diagnostic.span).line_column(diagnostic.span.start).line;
                let source = text.lines().nth(line as usize - 1).unwrap_or_default();
                format!("{}: {source}", diagnostic.message)
            })
            .collect();
        panic!("{}", shown.join("\n"));
    });
    let image = image(&loaded, program);
    let mut wrong = Vec::new();
    for (number, example) in examples.iter().enumerate() {
        let ran = run(&image, &format!("example_{number}"), &json!({}), &[]).expect("a run begins");
        if ran.report.ended != Ended::Completed {
            wrong.push(format!("{}: {}", example.name, ran.report.result["error"]));
        }
    }
    assert!(examples.len() > 100, "{} examples", examples.len());
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn what_can_be_called_is_documented_with_an_example() {
    let mut missing = Vec::new();
    for (module, text) in wf_stdlib::MODULES {
        for item in items(module, text) {
            let Some(name) = name_of(&item).filter(|name| !name.starts_with('_')) else { continue };
            let doc = item.doc.as_deref().unwrap_or_default();
            let shown = blocks(doc).iter().flatten().any(|line| line.contains("// =>") || line.contains("// throws"));

            if doc.is_empty() || !(shown || OUTSIDE.contains(module)) {
                missing.push(format!("{module}.{name}"));
            }
        }
    }
    assert!(missing.is_empty(), "{missing:?}");
}
