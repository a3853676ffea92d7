//! Whatever the text: no panic, every byte in one token, spans within the text, and in a short time.

use std::time::{Duration, Instant};

use wf_lang::{
    Code,
    span::Span,
    syntax::{
        Parsed,
        ast::{Item, ItemKind},
        dump,
    },
};

use crate::{
    cases::{self, read},
    tree,
};

/// Reads a text and checks what holds of any.
fn checked(text: &str) -> Parsed {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let parsed = read(text);
    let mut end = 0;
    for token in &parsed.tokens {
        assert_eq!(token.span.start, end, "tokens touch");
        in_bounds(token.span, text);
        end = token.span.end;
    }
    assert_eq!(end as usize, text.len(), "the tokens are the text");
    for diagnostic in &parsed.diagnostics {
        in_bounds(diagnostic.span, text);
        diagnostic.labels.iter().for_each(|label| in_bounds(label.span, text));
    }
    tree::check(&parsed, text);
    parsed
}

fn in_bounds(span: Span, text: &str) {
    assert!(span.start <= span.end, "{span:?} is inverted");
    assert!(text.get(span.range()).is_some(), "{span:?} is no place in {text:?}");
}

/// A seeded generator, so that a failure can be repeated.
struct Random(u64);

impl Random {
    fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap_or(0) % end.max(1)
    }
}

#[test]
fn every_prefix_reads() {
    for case in cases::all("parse") {
        let text = &case.source.text;
        for end in (0..=text.len()).filter(|end| text.is_char_boundary(*end)) {
            checked(&text[..end]);
        }
    }
}

#[test]
fn changed_programs_read() {
    const PIECES: &[&str] = &[
        "{",
        "}",
        "(",
        ")",
        "[",
        "]",
        "\"",
        "\"\"\"",
        "${",
        "\n",
        "=>",
        "=",
        ":",
        ",",
        ".",
        "..",
        "?",
        "??",
        "|",
        "|>",
        "+",
        "-",
        "<",
        ">",
        "!",
        "if ",
        "else ",
        "match ",
        "fn ",
        "type ",
        "let ",
        "for ",
        "in ",
        "'",
        "`",
        "/*",
        "//",
        "///",
        "\\",
        "é",
        "\u{feff}",
        "\r\n",
        "1e5",
        "0x",
        "9999999999999999999",
        "r#\"",
        "@",
        "#",
        "gather ",
        "\t",
    ];
    let all = cases::all("parse");
    let mut random = Random(7);
    for _ in 0..4000 {
        let mut text = all[random.below(all.len())].source.text.to_string();
        for _ in 0..=random.below(4) {
            let boundary = |at: usize, text: &str| (at..=text.len()).find(|at| text.is_char_boundary(*at)).unwrap_or(0);
            let at = boundary(random.below(text.len() + 1), &text);
            let end = boundary((at + random.below(12)).min(text.len()), &text);
            match random.below(3) {
                0 => text.replace_range(at..end, ""),
                1 => text.insert_str(at, PIECES[random.below(PIECES.len())]),
                _ => text.replace_range(at..end, PIECES[random.below(PIECES.len())]),
            }
        }
        checked(&text);
    }
}

#[test]
fn excessive_programs_are_refused_quickly() {
    let long = |unit: &str, times: usize| unit.repeat(times);
    let bodies = [
        format!("let x = {}1{}", long("(", 10_000), long(")", 10_000)),
        format!("let x = {}", long("(", 10_000)),
        format!("{}1", long("1+", 500_000)),
        format!("if a {{ 1 }}{}", long(" else if a { 1 }", 10_000)),
        format!("{}x", long("!", 100_000)),
        format!("{}x", long("x=>", 100_000)),
        format!("let x = {}1{}", long("[", 5000), long("]", 5000)),
        format!("f{}", long("(1)", 5000)),
        format!("x{}", long(".a", 5000)),
        format!("x as fn() -> {} int", long("fn() -> ", 5000)),
        format!("{}x", long("x ?? ", 5000)),
        format!("let y: int{} = 1", long("?", 5000)),
        format!("{}1{}", long("if a { ", 3000), long(" }", 3000)),
        format!("\"{}", long("${\"", 5000)),
    ];
    for body in bodies {
        let text = format!("fn before() {{ 1 }}\nfn f() {{\n    {body}\n}}\nfn after() {{ 1 }}\n");
        let start = Instant::now();
        let parsed = checked(&text);
        let head: String = body.chars().take(20).collect();
        assert!(start.elapsed() < Duration::from_secs(5), "{head} took {:?}", start.elapsed());
        let deep = parsed.diagnostics.iter().filter(|d| d.code == Code::TooDeep).count();
        assert_eq!(deep, 1, "{head}: {:?}", parsed.diagnostics);
        let names = names(&parsed);
        assert_eq!(names.first().map(String::as_str), Some("before"), "{head}");
        assert_eq!(names.last().map(String::as_str), Some("after"), "{head}: {:?}", parsed.diagnostics);
    }
}

#[test]
fn deep_mistakes_are_found_quickly() {
    let long = |unit: &str, times: usize| unit.repeat(times);
    let pairs = [("(a + ", ")"), ("f(a, ", ")"), ("[1, ", "]"), ("{ a: ", " }"), ("x => { y(1); ", " }"), ("-(!", ")")];
    let more =
        [("if a { ", " }"), ("match a { _ => ", " }"), ("\"${", "}\""), ("if (", ") { 1 }"), ("do { x = ", " }")];
    for (open, close) in pairs.into_iter().chain(more) {
        for wrong in ["* 2", "1 2", "", "let"] {
            let text = format!("fn f() {{\n    {}{wrong}{}\n}}\nfn g() {{ 1 }}\n", long(open, 80), long(close, 80));
            let start = Instant::now();
            let parsed = checked(&text);
            assert!(start.elapsed() < Duration::from_secs(1), "{open}{wrong} took {:?}", start.elapsed());
            assert_eq!(names(&parsed), ["f", "g"], "{open}{wrong}");
            assert!(parsed.diagnostics.len() < 3, "{open}{wrong}: {:?}", parsed.diagnostics);
        }
    }
}

#[test]
fn what_is_barely_not_excessive_reads() {
    let long = |unit: &str, times: usize| unit.repeat(times);
    let lines = [
        format!("{}x", long("!", 900)),
        format!("{}x", long("x=>", 450)),
        format!("{}1{}", long("(", 250), long(")", 250)),
        format!("y = {}1", long("1+", 450)),
        format!("if a {{ 1 }}{}", long(" else if a { 1 }", 120)),
        format!("{}1{}", long("if a { ", 200), long(" }", 200)),
        format!("[{}1]", long("1,", 20_000)),
    ];
    for line in lines {
        let parsed = checked(&format!("fn f() {{\n    {line}\n}}\n"));
        assert_eq!(parsed.diagnostics, []);
        assert!(!wf_lang::syntax::dump(&parsed.module).is_empty());
    }
}

#[test]
fn a_source_may_be_too_large() {
    let parsed = read(&" ".repeat(wf_lang::source::MAX_SOURCE_BYTES + 1));
    assert_eq!(parsed.diagnostics[0].code, Code::TooLarge);
    assert!(parsed.module.items.is_empty());
}

const SAMPLE: &str = "\
type Decision = \"approve\" | \"reject\"

agent drafter { instructions: \"Draft.\" }

@retry(attempts: 3)
step draft(product: string, n: int = 2) -> string {
    let text = drafter(\"Write: ${product}\", [1, 2])
    if text == \"\" {
        return { a: 1 }.a
    }
    for x in xs { total += x }
    match text {
        \"a\" | \"b\" => 1
        other => { other }
    }
}

state {
    spend: float = 0.0,
}

fn last(x: int) -> int { x }
";

#[test]
fn without_any_one_token_the_later_declarations_stand() {
    let whole = checked(SAMPLE);
    assert_eq!(whole.diagnostics, []);
    let all = names(&whole);
    for (index, token) in whole.tokens.iter().enumerate() {
        if token.kind.is_trivia() {
            continue;
        }
        let mut text = SAMPLE.to_owned();
        text.replace_range(token.span.range(), "");
        let parsed = checked(&text);
        let item = whole.module.items.iter().position(|item| item.span.end > token.span.start).unwrap_or(0);
        let names = names(&parsed);
        let what = format!("without token {index} ({:?}): {names:?} {:?}", token.kind, parsed.diagnostics);
        assert!(names.ends_with(&all[(item + 1).min(all.len())..]), "{what}");
        assert!(parsed.diagnostics.len() <= 4, "{what}");
    }
}

/// The names of the declarations, in order; of those without a name, what they are.
fn names(parsed: &Parsed) -> Vec<String> {
    let name = |item: &Item| match &item.kind {
        ItemKind::Function(function) => Some(function.name.text.to_string()),
        ItemKind::Type(item) => Some(item.name.text.to_string()),
        ItemKind::Agent(item) => Some(item.name.text.to_string()),
        ItemKind::State(_) => Some("state".to_owned()),
        _ => None,
    };
    parsed.module.items.iter().filter_map(name).collect()
}

#[test]
fn line_breaks_of_windows_and_a_mark_at_the_beginning_change_nothing() {
    for case in cases::all("parse").into_iter().chain(cases::all("check")) {
        let text = &case.source.text;
        let (plain, marked) = (checked(text), checked(&format!("\u{feff}{text}")));
        assert_eq!(dump(&marked.module), dump(&plain.module), "{}", case.title);
        assert_eq!(marked.diagnostics, plain.diagnostics, "{}", case.title);
        let windows = checked(&text.replace('\n', "\r\n"));
        assert_eq!(dump(&windows.module), dump(&plain.module), "{}", case.title);
        let messages = |parsed: &Parsed| parsed.diagnostics.iter().map(|d| d.message.clone()).collect::<Vec<_>>();
        assert_eq!(messages(&windows), messages(&plain), "{}", case.title);
    }
}

#[test]
fn the_first_line_may_name_the_program_that_runs_it() {
    let parsed = checked("#!/usr/bin/env -S wf run\n//! A script.\nfn f() { 1 }\n");
    assert_eq!(parsed.diagnostics, []);
    assert_eq!(parsed.module.doc.as_deref(), Some("A script."));
    assert_eq!(checked("\n#!/bin/sh\n").diagnostics.len(), 1);
}
