//! Reports as people and machines read them.

use wf_lang::{Code, SourceId, load::load};

use super::*;
use crate::load::library;

fn shown(text: &str) -> String {
    super::text(&[load(library(), "case.wf", text)], false)
}

/// A module with one diagnostic put at will; offsets count in the module.
fn placed(text: &str, start: usize, end: usize) -> Loaded {
    let mut loaded = load(library(), "case.wf", text);
    let id = loaded.main().id;
    let span = Span::new(id, start, end);
    let other = Span::new(SourceId(0), end, start);
    loaded.diagnostics = vec![
        Diagnostic::new(Code::Syntax, span, "wrong")
            .label(span.after(), "after")
            .label(span.before(), "before")
            .label(other, "elsewhere")
            .help("mend it"),
    ];
    loaded
}

#[test]
fn the_caret_stands_under_what_is_wrong() {
    let found = shown("fn greet(name: string) { name }\nfn main() {\n\tlet größe = \"日本語\"; greet(42)\n}\n");
    let expected = "\
error[WF0301]: expected `string`, found `int`
   ╭─[ case.wf:3:27 ]
   │
 3 │     let größe = \"日本語\"; greet(42)
   │                                 ┬─
   │
   │ Help: put it into text: `\"${…}\"`
───╯

1 error
";
    assert_eq!(found, expected, "{found}");
}

#[test]
fn several_places_are_shown_in_order() {
    let found = shown("fn f() { 1 }\n\nfn f() { 2 }\n");
    let expected = "\
error[WF0202]: `f` is declared twice
   ╭─[ case.wf:3:4 ]
   │
 1 │ fn f() { 1 }
   │    ┬
   │    ╰── declared here
   │
 3 │ fn f() { 2 }
   │    ┬
   │
   │ Help: give one of them another name
───╯

1 error
";
    assert_eq!(found, expected, "{found}");
}

#[test]
fn the_end_of_the_text_is_shown_after_its_last_line() {
    let text = "fn f() {\n";
    let mut loaded = load(library(), "case.wf", text);
    let end = Span::new(loaded.main().id, text.len(), text.len());
    loaded.diagnostics = vec![Diagnostic::new(Code::Syntax, end, "expected `}`")];
    let found = super::text(&[loaded], false);
    let expected = "\
error[WF0101]: expected `}`
   ╭─[ case.wf:1:9 ]
   │
 1 │ fn f() {
   │         │
───╯

1 error
";
    assert_eq!(found, expected, "{found}");
}

#[test]
fn a_range_of_lines_is_framed() {
    let loaded = placed("fn f() {\n  1\n}\n", 0, 14);
    let found = super::text(&[loaded], false);
    assert!(found.contains("fn f() {") && found.contains("wrong") && found.contains("Help: mend it"), "{found}");
}

#[test]
fn characters_that_would_deceive_are_replaced() {
    let found = shown("fn f() { \"\u{1b}[31m\u{202e}\u{2028}\u{7}\" + nowhere }\r\nfn g() { nowhere }\n");
    assert!(found.contains("\"\u{fffd}[31m\u{fffd}\u{fffd}\u{fffd}\" + nowhere"), "{found}");
    assert!(found.contains("case.wf:2:10") && found.ends_with("2 errors\n"), "{found}");
}

#[test]
fn no_place_is_too_strange() {
    for text in ["", "\n", "\r\n", "é", "日本\r\n\r\n語", "a\rb\u{2028}c\n\n\u{85}\t👩‍👩‍👧", "fn f() {\n  1\n}\n"]
    {
        for start in 0..text.len() + 3 {
            for end in 0..text.len() + 3 {
                let loaded = [placed(text, start, end)];
                assert!(super::text(&loaded, false).contains("error[WF0101]: wrong"));
                assert!(super::text(&loaded, true).contains('\u{1b}'));
                assert_eq!(super::json(&loaded)["errors"], 1);
            }
        }
    }
}

#[test]
fn a_record_has_every_place() {
    let loaded = load(library(), "case.wf", "fn f() { 1 }\nfn f() { 2 }\n");
    let expected = json!({
        "diagnostics": [{
            "code": "WF0202",
            "severity": "error",
            "message": "`f` is declared twice",
            "file": "case.wf",
            "span": { "start": 16, "end": 17, "line": 2, "column": 4, "end_line": 2, "end_column": 5 },
            "labels": [{
                "file": "case.wf",
                "span": { "start": 3, "end": 4, "line": 1, "column": 4, "end_line": 1, "end_column": 5 },
                "message": "declared here",
            }],
            "help": ["give one of them another name"],
            "fix": null,
        }],
        "errors": 1,
        "warnings": 0,
    });
    assert_eq!(super::json(&[loaded]), expected);
}

#[test]
fn the_count_is_in_words() {
    let words = |errors, warnings, hints| Count { errors, warnings, hints }.in_words();
    assert_eq!(words(2, 1, 0), "2 errors, 1 warning");
    assert_eq!(words(0, 0, 3), "3 hints");
    assert_eq!(words(0, 0, 0), "no errors");
}

#[test]
fn of_a_very_long_line_the_part_that_matters_is_shown() {
    let found = shown(&format!("fn main() {{ let x = [{}nowhere, {}]; x }}", "\"ä\", ".repeat(500), "1, ".repeat(500)));
    let expected = "\
error[WF0201]: there is no `nowhere` here
   ╭─[ case.wf:1:2522 ]
   │
 1 │ …\"ä\", \"ä\", \"ä\", \"ä\", \"ä\", \"ä\", \"ä\", \"ä\", \"ä\", \"ä\", nowhere, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, …
   │                                                    ┬──────
───╯
";
    assert!(found.starts_with(expected), "{found}");
}
