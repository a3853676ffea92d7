//! Texts that nobody writes: each is read at one size and at four times that size, which should cost four times as much.

use crate::measure::{Reader, Stages, median};

/// The costs of all extremes, the larger of about `bytes` bytes.
pub(crate) fn report(reader: &Reader, bytes: usize, rounds: usize) {
    println!(
        "\nextremes: milliseconds of processor time, and how the costs of reading grow when the text grows by four"
    );
    println!(
        "{:<36} {:>8} {:>8} {:>9} {:>8} {:>8} {:>9} {:>9} {:>9}",
        "", "kB", "lex", "lex+parse", "check", "all", "messages", "× parse", "× check"
    );
    for (name, make) in EXTREMES {
        let (small, large) = (make(bytes / 4), make(bytes));
        let (few, _) = read(reader, &small, rounds);
        let (many, messages) = read(reader, &large, rounds);
        println!(
            "{name:<36} {:>8.0} {many} {messages:>9} {:>9.1} {:>9.1}",
            large.len() as f64 / 1e3,
            many.parse / few.parse.max(1e-3),
            many.check / few.check.max(1e-3),
        );
    }
}

fn read(reader: &Reader, text: &str, rounds: usize) -> (Stages, usize) {
    let mut messages = 0;
    let stages = (0..rounds).map(|_| {
        let (stages, diagnostics) = reader.any(text);
        messages = diagnostics.len();
        stages
    });
    (median(stages.collect()), messages)
}

type Make = fn(usize) -> String;

const EXTREMES: &[(&str, Make)] = &[
    ("one long line of statements", |size| format!("fn f() {{ {} }}", many("let a = 1; ", size).replace("let a", "a"))),
    ("one long line of declarations", |size| numbered(size, |i| format!("fn f{i}() {{ {i} }}; "))),
    ("one long line of signatures", |size| numbered(size, |i| format!("fn f{i}(x: int); "))),
    ("one list", |size| format!("let xs = [{}]", many("1, ", size))),
    ("one list of different texts", |size| format!("let xs = [{}]", numbered(size, |i| format!("\"t{i}\", ")))),
    ("one record", |size| format!("let r = {{ {} }}", numbered(size, |i| format!("k{i}: {i}, ")))),
    ("one type with many fields", |size| format!("type T = {{ {} }}", numbered(size, |i| format!("k{i}: int, ")))),
    ("one union", |size| format!("type T = {}\"z\"", numbered(size.min(1 << 13), |i| format!("\"t{i}\" | ")))),
    ("one call with many arguments", |size| format!("fn f(x: int) {{ f({}1) }}", many("1, ", size))),
    ("one match with many arms", |size| {
        format!("fn f(x: int) {{ match x {{ {} _ => 0 }} }}", numbered(size, |i| format!("{i} => {i}\n")))
    }),
    ("one string", |size| format!("let s = \"{}\"", many("text \\n ", size))),
    ("one string of many lines", |size| format!("let s = \"\"\"\n{}    \"\"\"", many("    line\n", size))),
    ("one string with many insertions", |size| format!("fn f(a: int) {{ \"{}\" }}", many("x ${a} ", size))),
    ("one raw string", |size| format!("let s = r\"{}\"", many("text \\n ", size))),
    ("many raw strings on a line", |size| format!("let s = [{}]", many("r\"a\", ", size))),
    ("one name", |size| format!("let {} = 1", many("name", size))),
    ("one number", |size| format!("let n = {}", many("1", size))),
    ("one comment", |size| format!("// {}", many("text ", size))),
    ("many comments", |size| format!("{}let a = 1", many("// text\n", size))),
    ("many documents", |size| numbered(size, |i| format!("/// Text.\nlet a{i} = {i}\n"))),
    ("many empty lines", |size| format!("let a = 1\n{}let b = 2", many("\n", size))),
    ("as deep as may be", |size| {
        let body = format!("{}1{}", "(".repeat(200), ")".repeat(200));
        numbered(size, |i| format!("fn f{i}() {{ {body} }}\n"))
    }),
    ("too deep", |size| format!("let a = {}1\nlet b = 2", many("(", size))),
    ("too deep, many times", |size| {
        let body = "(".repeat(300);
        numbered(size, |i| format!("/// Text.\nlet a{i} = {body}\n"))
    }),
    ("brackets left open", |size| many("let a = (\n", size)),
    ("brackets left open within", |size| format!("fn f() {{\n{}}}", many("    g((((\n", size))),
    ("closers of nothing", |size| many("let a = 1 ) ] }\n", size)),
    ("strings left open", |size| many("let a = \"x\n", size)),
    ("strings left open in brackets", |size| many("let a = (\"x\n", size)),
    ("texts left open in texts", |size| many("\"\"\"${\n", size)),
    ("raw strings left open", |size| many("r#\"x\n", size)),
    ("single quotes", |size| format!("let a = [{}]", many("'x', ", size))),
    ("quotes that nothing ends", |size| many("„", size)),
    ("comments of other languages", |size| many("/* x\n", size)),
    ("characters that wf does not have", |size| many("^", size)),
    ("wrong elements of a list", |size| format!("let a = [{}]", many("1 2, ", size))),
    ("wrong arguments", |size| format!("fn f() {{ f({}) }}", many("*, ", size))),
    ("wrong statements", |size| format!("fn f() {{\n{}}}", many("    let = 1\n", size))),
    ("wrong declarations", |size| many("let = 1\n", size)),
    ("wrong declarations on a line", |size| many("let = 1; ", size)),
    ("words that are none", |size| many("foo bar\n", size)),
    ("unknown names", |size| format!("fn f() {{\n{}}}", numbered(size, |i| format!("    g{i}(x{i})\n")))),
];

fn many(unit: &str, size: usize) -> String {
    unit.repeat(size / unit.len())
}

fn numbered(size: usize, unit: impl Fn(usize) -> String) -> String {
    let mut text = String::with_capacity(size + 100);
    for i in 0.. {
        if text.len() >= size {
            break;
        }
        text.push_str(&unit(i));
    }
    text
}
