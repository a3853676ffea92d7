//! The lists of the library on the page of the language, against its sources.
//!
//! Between `<!-- library string -->` and `<!-- end -->` stands what `stdlib/string.wf` offers: signatures, with the first
//! paragraph of their documentation. `UPDATE_EXPECT=1` writes it.

use wf_lang::{
    Source, SourceId,
    syntax::{
        ast::{Item, ItemKind},
        parse,
    },
};

use super::markdown::Page;

/// Where the lists are.
const PAGE: &str = "docs/language.md";
/// What programs do not call.
const HIDDEN: [&str; 1] = ["test"];

#[test]
fn the_page_of_the_language_lists_the_library() {
    let update = std::env::var_os("UPDATE_EXPECT").is_some();
    let page = Page::of(PAGE);
    let mut changes = Vec::new();
    let mut wrong = Vec::new();
    for (module, text) in wf_stdlib::MODULES.iter().filter(|(module, _)| !HIDDEN.contains(module)) {
        let wanted = list(module, text);
        let Some(begin) = page.line(&format!("<!-- library {module} -->")) else {
            wrong.push(format!("{PAGE} has no list for `{module}`"));
            continue;
        };
        let length = page.lines(begin..usize::MAX).lines().position(|line| line == "<!-- end -->");
        let range = begin + 1..begin + length.expect("an end");
        if page.lines(range.clone()) != wanted {
            wrong.push(format!("the list for `{module}` should be\n{wanted}"));
            changes.push((range, wanted));
        }
    }
    changes.sort_by_key(|(range, _)| range.start);
    if update && wrong.len() == changes.len() {
        return page.write(&changes);
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// What a module offers, a line each.
fn list(module: &str, text: &str) -> String {
    let parsed = parse(&Source::new(SourceId(0), module, text));
    parsed.module.items.iter().filter_map(|item| line(module, text, item)).collect()
}

fn line(module: &str, text: &str, item: &Item) -> Option<String> {
    let (name, from, to) = match &item.kind {
        ItemKind::Function(function) => {
            let body = function.body.as_ref().map_or(item.span.end, |body| body.span.start);
            (&function.name, function.name.span.start, body)
        }
        ItemKind::Let(constant) => (&constant.name, constant.name.span.start, item.span.end),
        ItemKind::Type(ty) => (&ty.name, ty.name.span.start, item.span.end),
        _ => return None,
    };
    if name.text.starts_with('_') {
        return None;
    }
    let written = on_a_line(&text[from as usize..to as usize]);
    let place = match &item.kind {
        ItemKind::Function(function) if function.params.first().is_some_and(|first| first.name.text == "self") => "",
        ItemKind::Type(_) => "type ",
        _ if module == "prelude" => "",
        _ => &format!("{}.", module.trim_start_matches("std/")),
    };
    let doc = item.doc.as_deref().unwrap_or_default();
    let doc = doc.split("\n\n").next().unwrap_or_default().split_whitespace().collect::<Vec<_>>().join(" ");
    Some(format!("- `{place}{written}`: {doc}\n"))
}

/// Source on one line, without comments and the commas that only lines need.
fn on_a_line(source: &str) -> String {
    let lines = source.lines().map(str::trim).filter(|line| !line.starts_with("//"));
    let line = lines.collect::<Vec<_>>().join(" ");
    line.trim().replace("( ", "(").replace(", )", ")").replace(", }", " }")
}
