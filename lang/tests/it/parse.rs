//! Text to tree and diagnostics.

use crate::cases;
use wf_lang::syntax::{dump, parse};

#[test]
fn cases_read_as_expected() {
    let mut wrong = Vec::new();
    for (path, text) in cases::files("parse") {
        let (mut sources, mut trees) = (Vec::new(), String::new());
        for case in cases::split(&text) {
            let parsed = parse(&case.source);
            sources.push(cases::render(&case, std::slice::from_ref(&case.source), &parsed.diagnostics));
            trees += &format!("// case: {}\n{}\n", case.title, dump(&parsed.module));
        }
        wrong.extend(cases::expect(&path, &sources.join("\n")));
        wrong.extend(cases::expect(&path.with_extension("tree"), &trees));
    }
    assert!(wrong.is_empty(), "{}\nUPDATE_EXPECT=1 accepts what was found", wrong.join("\n"));
}
