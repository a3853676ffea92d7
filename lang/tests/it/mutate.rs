//! Programs with one change: whatever it is, there are few messages, near it, and the other declarations stand.

use std::{fs, ops::Range, path::Path};

use wf_lang::{
    Code,
    span::Span,
    syntax::{
        Parsed, Token, TokenKind,
        ast::{Item, ItemKind},
    },
};

use crate::cases::{self, read};

/// A program without mistakes.
struct Program {
    text: String,
    parsed: Parsed,
    names: Vec<String>,
}

/// A changed program.
struct Mutant {
    text: String,
    /// Where it was changed.
    at: usize,
    what: String,
}

/// What a sort of change may do.
struct Bound {
    /// The most messages that one change led to.
    most: usize,
    /// How many in a thousand changes may lead to more than one.
    several: usize,
    /// How many in a thousand may lose another declaration.
    lost: usize,
}

fn programs() -> Vec<Program> {
    let examples = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples");
    let entries = fs::read_dir(examples).expect("the examples").map(|entry| entry.expect("an entry").path());
    let mut paths: Vec<_> = entries.filter(|path| path.extension().is_some_and(|ext| ext == "wf")).collect();
    paths.sort();
    let examples = paths.iter().map(|path| fs::read_to_string(path).expect("text"));
    let tour = cases::all("mutate").into_iter().map(|case| case.source.text.to_string());
    examples
        .chain(tour)
        .map(|text| {
            let parsed = read(&text);
            assert_eq!(parsed.diagnostics, []);
            let names = names(&parsed);
            Program { text, parsed, names }
        })
        .collect()
}

/// What the declarations are called, in order, without those that did not parse.
fn names(parsed: &Parsed) -> Vec<String> {
    let name = |item: &Item| match &item.kind {
        ItemKind::Function(function) => Some(function.name.text.to_string()),
        ItemKind::Type(item) => Some(item.name.text.to_string()),
        ItemKind::Agent(item) => Some(item.name.text.to_string()),
        ItemKind::Let(item) => Some(item.name.text.to_string()),
        ItemKind::Test(item) => Some(format!("test {}", item.name.text)),
        ItemKind::Import(item) => Some(format!("import {}", item.path.text)),
        ItemKind::State(_) => Some("state".to_owned()),
        ItemKind::Error => None,
    };
    parsed.module.items.iter().filter_map(name).collect()
}

impl Program {
    fn words(&self) -> impl Iterator<Item = &Token> {
        self.parsed.tokens.iter().filter(|token| !token.kind.is_trivia())
    }

    fn mutant(&self, at: Range<usize>, with: &str, what: &str) -> Mutant {
        let mut text = self.text.clone();
        text.replace_range(at.clone(), with);
        let line = self.text[..at.start].matches('\n').count() + 1;
        let place = self.text[at.start..].lines().next().unwrap_or_default();
        Mutant { text, at: at.start, what: format!("{what} in line {line} at `{place}`") }
    }

    /// The names of the declarations before and behind the one that was changed.
    fn others(&self, at: usize) -> (&[String], &[String]) {
        let items = &self.parsed.module.items;
        let changed = items.iter().position(|item| item.span.end as usize > at).unwrap_or(items.len());
        (&self.names[..changed.min(self.names.len())], &self.names[(changed + 1).min(self.names.len())..])
    }
}

/// Reads all mutants and holds them against the bound.
fn check(bound: &Bound, make: impl Fn(&Program) -> Vec<Mutant>) {
    let (mut all, mut several, mut lost) = (0, Vec::new(), Vec::new());
    for program in programs() {
        for mutant in make(&program) {
            let parsed = read(&mutant.text);
            let messages: Vec<&str> = parsed.diagnostics.iter().map(|found| found.message.as_str()).collect();
            assert!(messages.len() <= bound.most, "{}: {messages:?}", mutant.what);
            all += 1;
            if messages.len() > 1 {
                several.push(format!("{}: {messages:?}", mutant.what));
            }
            let (before, after) = program.others(mutant.at);
            let names = names(&parsed);
            if !(names.starts_with(before) && names.ends_with(after)) {
                lost.push(format!("{}: {names:?}", mutant.what));
            }
        }
    }
    assert!(all > 100, "{all} mutants");
    assert!(several.len() * 1000 <= all * bound.several, "{} of {all}:\n{}", several.len(), several.join("\n"));
    assert!(lost.len() * 1000 <= all * bound.lost, "{} of {all}:\n{}", lost.len(), lost.join("\n"));
}

/// The texts that are put in.
const PIECES: [&str; 32] = [
    "{", "}", "(", ")", "[", "]", "\"", "=>", "=", ":", ",", ".", "?", "|", "+", "-", "<", "!", "@", ";", "x", "1",
    "\"s\"", "if", "else", "match", "fn", "type", "let", "for", "in", "return",
];

#[test]
fn without_a_word() {
    check(&Bound { most: 4, several: 3, lost: 0 }, |program| {
        program.words().map(|word| program.mutant(word.span.range(), "", "deleted")).collect()
    });
}

#[test]
fn with_a_word_twice() {
    check(&Bound { most: 3, several: 5, lost: 0 }, |program| {
        let twice = |word: &Token| {
            let text = &program.text[word.span.range()];
            program.mutant(word.span.range(), &format!("{text} {text}"), "doubled")
        };
        program.words().map(twice).collect()
    });
}

#[test]
fn with_a_word_more() {
    check(&Bound { most: 7, several: 40, lost: 0 }, |program| {
        let inserted = |(index, word): (usize, &Token)| {
            let start = word.span.start as usize;
            let pieces = PIECES.iter().enumerate().filter(move |(piece, _)| (index + piece) % 11 == 0);
            pieces.map(move |(_, piece)| {
                program.mutant(start..start, &format!("{piece} "), &format!("`{piece}` inserted"))
            })
        };
        program.words().enumerate().flat_map(inserted).collect()
    });
}

#[test]
fn without_a_character() {
    check(&Bound { most: 4, several: 10, lost: 0 }, |program| {
        let characters = program.text.char_indices().step_by(3);
        characters.map(|(at, c)| program.mutant(at..at + c.len_utf8(), "", "character deleted")).collect()
    });
}

#[test]
fn with_a_character_more() {
    check(&Bound { most: 8, several: 40, lost: 1 }, |program| {
        let signs = ["\"", "{", "}", "(", "'", "\\", "$", "#", "/", "x", "=", "\n", "\"\"\"", "`"];
        let inserted = |(at, _): (usize, char)| {
            let sign = signs[at / 3 % signs.len()];
            program.mutant(at..at, sign, &format!("`{sign}` inserted"))
        };
        program.text.char_indices().step_by(3).map(inserted).collect()
    });
}

#[test]
fn without_a_line_or_with_one_twice() {
    check(&Bound { most: 5, several: 60, lost: 0 }, |program| {
        let mut at = 0;
        let mut mutants = Vec::new();
        for line in program.text.split_inclusive('\n') {
            mutants.push(program.mutant(at..at + line.len(), "", "line deleted"));
            mutants.push(program.mutant(at..at, line, "line doubled"));
            at += line.len();
        }
        mutants
    });
}

/// What an editor sees while a line is typed.
#[test]
fn with_half_a_line() {
    check(&Bound { most: 5, several: 40, lost: 0 }, |program| {
        let half = |word: &Token| {
            let start = word.span.start as usize;
            let length = program.text[start..].find('\n').unwrap_or(0);
            program.mutant(start..start + length, "", "cut off")
        };
        program.words().filter(|word| !program.text[word.span.range()].contains('\n')).map(half).collect()
    });
}

#[test]
fn a_closer_that_is_missing_is_one_message_at_its_opener() {
    let mut checked = 0;
    for program in programs() {
        let words: Vec<&Token> = program.words().collect();
        let mut open: Vec<&Token> = Vec::new();
        for token in &words {
            open.extend(token.kind.closer().map(|_| token));
            if !token.kind.is_closer() {
                continue;
            }
            let opener = open.pop().expect("a partner");
            if token.kind == TokenKind::StrClose {
                continue;
            }
            let mutant = program.mutant(token.span.range(), "", "closer deleted");
            let found = read(&mutant.text).diagnostics;
            let what = format!("{}: {found:?}", mutant.what);
            assert_eq!(found.len(), 1, "{what}");
            // Which of several brackets on a line is open, nobody can tell.
            let line = |at: u32| program.text[..at as usize].matches('\n').count();
            let same = |span: Span| {
                span == opener.span
                    || line(span.start) == line(opener.span.start)
                        && program.text[span.range()] == program.text[opener.span.range()]
            };
            let in_string = open.iter().any(|outer| outer.kind == TokenKind::StrOpen);
            assert!(in_string || found[0].code == Code::Unclosed && same(found[0].span), "{what}");
            checked += 1;
        }
    }
    assert!(checked > 200, "{checked} closers");
}
