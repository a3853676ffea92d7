//! Trees to ops: each case of `tests/cases/compile` has the listing of its functions beneath it, behind `//| `.

use wf_lang::{
    compile::compile,
    program::{Program, verify},
};

use crate::{cases, check};

#[test]
fn cases_compile_as_expected() {
    let library = check::library();
    let mut wrong = Vec::new();
    for (path, text) in cases::files("compile") {
        let source: String =
            text.lines().filter(|line| !line.starts_with("//|")).map(|line| format!("{line}\n")).collect();
        let shown = cases::split(&source).into_iter().map(|case| {
            let (checked, diagnostics) = check::check_text(&library, &case.source.text);
            assert!(diagnostics.iter().all(|found| !found.is_error()), "{}: {diagnostics:?}", case.title);
            let program = compile(&checked).expect("what checks compiles");
            verify(&program).expect("what was compiled is well formed");
            format!("// case: {}\n{}{}", case.title, case.source.text, listing(&program))
        });
        let shown: Vec<String> = shown.collect();
        wrong.extend(cases::expect(&path, &shown.join("\n")));
    }
    assert!(wrong.is_empty(), "{}\nUPDATE_EXPECT=1 accepts what was found", wrong.join("\n"));
}

/// The ops of the functions that a case declares.
fn listing(program: &Program) -> String {
    let own = program.functions.iter().filter(|function| function.path.starts_with("main"));
    let mut shown = String::new();
    for function in own {
        shown.push_str(&format!("//| {}: {} registers\n", function.path, function.registers));
        for (pc, op) in function.code.iter().enumerate() {
            let live = function.safe_points.iter().find(|point| point.pc as usize == pc && pc > 0);
            let live = live.map_or_else(String::new, |point| format!("  live {:?}", point.live));
            shown.push_str(&format!("//|   {pc} {op:?}{live}\n"));
        }
    }
    shown
}
