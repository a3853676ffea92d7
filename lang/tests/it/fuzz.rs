//! Damaged texts through the whole road: parse, check, compile, list. There are diagnostics or a program that holds
//! together, and never a panic.
//!
//! `WF_FUZZ_SEED` repeats a run, `WF_FUZZ_ITERATIONS` makes it longer.

use std::panic::{AssertUnwindSafe, catch_unwind};

use wf_lang::{
    Code, Diagnostic,
    check::ModuleInput,
    compile::{compile, compile_tests},
    program::{Program, verify},
    syntax::{dump, token::Token},
};

use crate::{
    cases,
    check::{check_text, library},
    tree,
};

/// A generator of numbers (splitmix64).
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((z ^ (z >> 31)) >> 32).unwrap_or(0) % limit.max(1)
    }
}

fn number(name: &str, usual: u64) -> u64 {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(usual)
}

/// Calls `target` with a generator of its own each time; a panic names the seed with which it comes at once.
fn fuzz(what: &str, usual: u64, mut target: impl FnMut(&mut Random)) {
    let (first, count) = (number("WF_FUZZ_SEED", 1), number("WF_FUZZ_ITERATIONS", usual));
    println!("{what}: {count} seeds from {first}");
    for seed in first..first + count {
        let once = catch_unwind(AssertUnwindSafe(|| target(&mut Random(seed))));
        assert!(once.is_ok(), "{what}: WF_FUZZ_SEED={seed} WF_FUZZ_ITERATIONS=1 repeats it");
    }
}

/// The whole road of a text; gives whether there was a program at its end.
fn road(library: &[ModuleInput], text: &str) -> bool {
    let parsed = cases::read(text);
    tree::check(&parsed, text.strip_prefix('\u{feff}').unwrap_or(text));
    assert_eq!(dump(&parsed.module), dump(&cases::read(text).module), "reading is the same every time");
    let (checked, diagnostics) = check_text(library, text);
    if diagnostics.iter().any(Diagnostic::is_error) {
        return false;
    }
    let Ok(program) = compile(&checked) else { return false };
    verify(&program).expect("what was compiled is well formed");
    if let Ok(tests) = compile_tests(&checked) {
        verify(&tests).expect("tests that were compiled are well formed");
    }
    let bytes = program.to_bytes().expect("bytes");
    let again = Program::from_bytes(&bytes).expect("the same program");
    assert_eq!(bytes, again.to_bytes().expect("bytes"));
    true
}

fn texts() -> Vec<String> {
    let read = |case: cases::Case| case.source.text.to_string();
    let all = ["check", "parse", "mutate"].into_iter().flat_map(cases::all);
    all.map(read).filter(|text| text.len() < 6000).collect()
}

#[test]
fn whole_programs_take_the_road() {
    let library = library();
    let programs = texts().iter().filter(|text| road(&library, text)).count();
    assert!(programs > 20, "{programs} programs");
}

#[test]
fn texts_with_tokens_moved_take_the_road() {
    let (library, texts) = (library(), texts());
    let tokens: Vec<Vec<Token>> = texts.iter().map(|text| cases::read(text).tokens).collect();
    fuzz("tokens", 300, |random| {
        let which = random.below(texts.len());
        let mut words: Vec<&str> = tokens[which].iter().map(|token| &texts[which][token.span.range()]).collect();
        for _ in 0..=random.below(3) {
            let at = random.below(words.len());
            match random.below(4) {
                0 => drop(words.remove(at)),
                1 => {
                    let other = random.below(words.len());
                    words.swap(at, other);
                }
                2 => words.insert(at, words[random.below(words.len())]),
                _ => {
                    let from = random.below(texts.len());
                    let token = &tokens[from][random.below(tokens[from].len())];
                    words[at] = &texts[from][token.span.range()];
                }
            }
            if words.is_empty() {
                break;
            }
        }
        road(&library, &words.concat());
    });
}

#[test]
fn texts_with_bytes_changed_take_the_road() {
    let (library, texts) = (library(), texts());
    fuzz("bytes", 200, |random| {
        let mut bytes = texts[random.below(texts.len())].clone().into_bytes();
        for _ in 0..=random.below(4) {
            let at = random.below(bytes.len() + 1);
            let end = (at + random.below(9)).min(bytes.len());
            match random.below(4) {
                0 => drop(bytes.drain(at..end)),
                1 => bytes.insert(at, u8::try_from(random.below(256)).unwrap_or(0)),
                2 => {
                    let copy = bytes[at..end].to_vec();
                    let to = random.below(bytes.len() + 1);
                    bytes.splice(to..to, copy);
                }
                _ => {
                    let signs = b"{}()[]\"'`$\\/|&?!.,:;=<>+-*%@#\n\r\t 0";
                    let sign = signs[random.below(signs.len())];
                    bytes.splice(at..end, [sign]);
                }
            }
        }
        road(&library, &String::from_utf8_lossy(&bytes));
    });
}

/// On a thread with as much stack as Rust gives to one.
fn on_a_small_stack(work: impl FnOnce() + Send + 'static) {
    let thread = std::thread::Builder::new().stack_size(2 << 20).spawn(work).expect("a thread");
    thread.join().expect("no panic, and no overflow");
}

#[test]
fn nested_texts_need_little_stack() {
    on_a_small_stack(|| {
        let library = library();
        let long = |unit: &str, times: usize| unit.repeat(times);
        let bodies = [
            format!("{}1{}", long("(", 10_000), long(")", 10_000)),
            format!("if a {{ 1 }}{} else {{ 2 }}", long(" else if a { 1 }", 10_000)),
            format!("{}1{}", long("[", 10_000), long("]", 10_000)),
            format!("{}a", long("!", 10_000)),
            format!("1{}", long(" + 1", 10_000)),
        ];
        for body in bodies {
            let text = format!("workflow main(a: bool) -> any {{\n    {body}\n}}\n");
            let (_, diagnostics) = check_text(&library, &text);
            assert!(diagnostics.iter().any(|found| found.code == Code::TooDeep), "{:.60}: {diagnostics:?}", body);
        }
    });
}

#[test]
fn texts_nested_as_deep_as_may_be_need_little_stack() {
    on_a_small_stack(|| {
        let library = library();
        let long = |unit: &str, times: usize| unit.repeat(times);
        let bodies = [
            format!("{}1{}", long("(", 250), long(")", 250)),
            format!("if a {{ 1 }}{} else {{ 2 }}", long(" else if a { 1 }", 120)),
            format!("{}1{}", long("if a { ", 120), long(" } else { 2 }", 120)),
            format!("{}a", long("!", 450)),
            format!("1{}", long(" + 1", 450)),
        ];
        for body in bodies {
            assert!(road(&library, &format!("workflow main(a: bool) -> any {{\n    {body}\n}}\n")), "{body:.60}");
        }
    });
}

#[test]
fn a_script_of_a_megabyte_takes_the_road() {
    on_a_small_stack(|| {
        let mut text = String::from("workflow main() -> int { f0(1) }\n");
        let mut number = 0;
        while text.len() < 1 << 20 {
            let body = "if x > 3 { let y = \"${x}\"; y.len() } else { [x, 2].len() }";
            text.push_str(&format!("/// Function {number}.\nfn f{number}(x: int) -> int {{ {body} }}\n"));
            number += 1;
        }
        assert!(road(&library(), &text));
    });
}
