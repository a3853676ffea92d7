//! Trees to types and diagnostics.

use std::{fs, path::Path};

use crate::cases::{self, Case};
use wf_lang::{
    Code, Diagnostic, Source,
    check::{Checked, ModuleInput, Target, check},
    compile::compile,
    load::{Library, Loaded, Main, load, load_with},
    span::SourceId,
    syntax::ast::ItemKind,
};

/// The library's modules, read from `stdlib/`.
pub(crate) fn library() -> Vec<ModuleInput> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../stdlib");
    let entries = fs::read_dir(folder).expect("the library").map(|entry| entry.expect("an entry").path());
    let mut paths: Vec<_> = entries.filter(|path| path.extension().is_some_and(|ext| ext == "wf")).collect();
    paths.sort();
    let read = |(id, path): (u16, &std::path::PathBuf)| {
        let name = path.file_stem().expect("a name").to_string_lossy().into_owned();
        let source = Source::new(SourceId(id), format!("std/{name}"), &fs::read_to_string(path).expect("text"));
        ModuleInput::read(&name, true, source).0
    };
    (0..).zip(&paths).map(read).collect()
}

/// The library as it is loaded.
pub(crate) fn loaded_library() -> Library {
    let modules = library();
    Library::new(modules.iter().map(|module| (&*module.name, &*module.source.text)))
}

/// Checks a case with all its files; what the parser and the checker say of it.
pub(crate) fn check_case(library: &Library, case: &Case) -> Loaded {
    let main = Main { path: &case.source.name, shown: &case.source.name, text: &case.source.text };
    load_with(library, main, case)
}

/// Checks one module beside the library; what the parser and the checker say of it.
pub(crate) fn check_text(library: &[ModuleInput], text: &str) -> (Checked, Vec<Diagnostic>) {
    let id = SourceId(u16::try_from(library.len()).expect("few modules"));
    let (module, mut diagnostics) = ModuleInput::read("case.wf", false, Source::new(id, "case.wf", text));
    let checked = check(library.iter().cloned().chain([module]).collect());
    diagnostics.extend(checked.diagnostics.iter().filter(|d| d.span.source == id).cloned());
    diagnostics.sort_by_key(|d| (d.span.start, d.span.end));
    (checked, diagnostics)
}

#[test]
fn cases_check_as_expected() {
    let library = loaded_library();
    let mut wrong = Vec::new();
    for (path, text) in cases::files("check") {
        // What is only not meant has files of its own; elsewhere cases are as short as they can be.
        let name = path.file_name().expect("a file").to_string_lossy();
        let lints = name.starts_with("lint") || name.starts_with("programs");
        let strict = name == "strict.wf";
        let shown = cases::split(&text).into_iter().map(|case| {
            let loaded = check_case(&library, &case);
            let mut diagnostics = loaded.diagnostics;
            diagnostics.retain(|it| lints || it.is_error() || it.code == Code::HidesTestName);
            // Whole programs are as people write them, whatever is built of it.
            diagnostics.retain(|diagnostic| !name.starts_with("programs") || diagnostic.code != Code::NotBuilt);
            diagnostics.extend(loaded.checked.implicit.into_iter().filter(|_| strict));
            diagnostics.sort_by_key(|d| (d.span.source, d.span.start, d.span.end));
            cases::render(&case, &loaded.sources, &diagnostics)
        });
        let shown: Vec<String> = shown.collect();
        wrong.extend(cases::expect(&path, &shown.join("\n")));
    }
    assert!(wrong.is_empty(), "{}\nUPDATE_EXPECT=1 accepts what was found", wrong.join("\n"));
}

#[test]
fn the_library_is_right() {
    let library = library();
    let checked = check(library.clone());
    let shown = checked.diagnostics.iter().map(|d| {
        let source = &library[d.span.source.0 as usize].source;
        let at = source.line_column(d.span.start);
        format!("{}:{}:{}: {}", source.name, at.line, at.column, d.message)
    });
    let shown: Vec<String> = shown.collect();
    assert!(shown.is_empty(), "{}", shown.join("\n"));
}

#[test]
fn damaged_programs_check() {
    let library = library();
    for folder in ["check", "parse"] {
        for case in cases::all(folder) {
            let text = &case.source.text;
            let ends = (0..=text.len()).filter(|end| text.is_char_boundary(*end));
            for end in ends.step_by(37) {
                check_text(&library, &text[..end]);
                check_text(&library, &text[end..]);
            }
        }
    }
}

#[test]
fn programs_with_a_damaged_file_check() {
    let library = loaded_library();
    let several = |case: &Case| !case.files.is_empty();
    for mut case in cases::all("check").into_iter().filter(several) {
        for index in 0..case.files.len() {
            let whole = case.files[index].clone();
            let ends = (0..=whole.text.len()).filter(|end| whole.text.is_char_boundary(*end));
            for end in ends.step_by(29) {
                for part in [&whole.text[..end], &whole.text[end..]] {
                    case.files[index] = Source::new(whole.id, &*whole.name, part);
                    let loaded = check_case(&library, &case);
                    if !loaded.has_errors() {
                        compile(&loaded.checked).expect("what checks compiles");
                    }
                }
            }
            case.files[index] = whole;
        }
    }
}

#[test]
fn large_programs_check_in_a_short_time() {
    use std::fmt::Write;
    let library = library();
    let mut text = String::new();
    for i in 0..2000 {
        let _ = writeln!(
            text,
            "fn f{i}(x: int) -> int {{ let y = x + {i}; if y > 3 {{ f{}(y) }} else {{ y }} }}",
            (i + 1) % 2000
        );
    }
    let _ = writeln!(text, "fn long() {{ 1{} }}", " + 1".repeat(400));
    let _ = writeln!(text, "fn inferred0() {{ 1 }}");
    for i in 1..1500 {
        let _ = writeln!(text, "fn inferred{i}() {{ inferred{}() }}", i - 1);
    }
    let _ = writeln!(text, "fn row() {{ [{}] }}", "{ a: 1, b: \"x\" }, ".repeat(5000));
    let started = std::time::Instant::now();
    let (_, diagnostics) = check_text(&library, &text);
    assert_eq!(diagnostics, []);
    assert!(started.elapsed() < std::time::Duration::from_secs(5), "{:?}", started.elapsed());
}

/// What the tables say of the last module: its calls and its checks at run time, in the order of the tree.
fn plans(text: &str) -> (Vec<String>, Vec<String>) {
    let library = library();
    let (checked, mut diagnostics) = check_text(&library, text);
    diagnostics.retain(Diagnostic::is_error);
    assert_eq!(diagnostics, []);
    let tables = &checked.tables[library.len()];
    let mut calls: Vec<_> = tables.calls.iter().collect();
    calls.sort_by_key(|(id, _)| **id);
    let mut expects: Vec<_> = tables.expects.iter().collect();
    expects.sort_by_key(|(id, _)| **id);
    let target = |target: &Target| match target {
        Target::Function(item) => {
            match &checked.modules[item.module.0 as usize].module.items[item.item as usize].kind {
                ItemKind::Function(function) => function.name.text.to_string(),
                _ => "?".to_owned(),
            }
        }
        Target::Method(name) => format!(".{name}"),
        Target::Value { checked } => format!("value {checked}"),
        Target::Agent => "agent".to_owned(),
    };
    let calls = calls.iter().map(|(_, call)| format!("{} {:?}", target(&call.target), call.args)).collect();
    let expects = expects.iter().map(|(_, ty)| checked.show(ty)).collect();
    (calls, expects)
}

#[test]
fn calls_are_planned() {
    let (calls, _) = plans(
        "agent a { instructions: \"x\" }
        fn f(x: int, y: int = 1, z: int = 2) -> int { x + y + z }
        fn main(d: any, g: fn(int) -> int, xs: [int]) {
            f(1, z: 3)
            2 |> f(z: 4)
            3 |> f
            g(1)
            a(\"p\")
            xs.map(x => x)
            d.len()
            4 |> g
        }",
    );
    let expected = [
        "f [Given(0), Default, Given(1)]",
        "f [Piped, Default, Given(0)]",
        "f [Piped, Default, Default]",
        "value false [Given(0)]",
        "agent [Given(0), Default]",
        "map [Receiver, Given(0)]",
        ".len [Receiver]",
        "value false [Piped]",
    ];
    assert_eq!(calls, expected);
}

#[test]
fn what_is_not_known_is_checked_at_run_time() {
    let (_, expects) = plans(
        "type D = \"a\" | \"b\"
        fn f(d: D, n: int) -> int { n }
        fn main(x: any, s: string, m: map<any>, r: { n?: any }) -> [D] {
            f(x, 1)
            f(\"a\", x)
            f(\"b\", m[s])
            f(\"b\", r.n)
            if x { f(\"a\", 1) }
            let all: [{ a: int }] = [{ a: x }]
            let total = 0
            total += x.price
            let words = \"\"
            words += x
            let seen = []
            seen.push(1)
            seen.push(x)
            for y in x { f(\"a\", y) }
            ([x, \"a\"])
        }",
    );
    assert_eq!(expects, ["D", "int", "int", "int", "bool", "int", "float", "int", "int", "D"]);
}

#[test]
fn optional_fields_read_as_null() {
    let library = library();
    let (checked, diagnostics) =
        check_text(&library, "fn f(r: { a: int, b?: int }) { r.a + (r.b ?? ctx.state.n ?? 0) }");
    assert_eq!(diagnostics, []);
    assert_eq!(checked.tables[library.len()].lenient.len(), 2);
}

#[test]
fn right_programs_get_no_diagnostics() {
    let library = library();
    for (path, text) in cases::files("check") {
        let name = path.file_name().expect("a file").to_string_lossy();
        if ["right.wf", "page.wf"].contains(&&*name) || name.starts_with("programs") {
            for case in cases::split(&text) {
                let (_, mut diagnostics) = check_text(&library, &case.source.text);
                diagnostics.retain(|diagnostic| diagnostic.is_error() && diagnostic.code != Code::NotBuilt);
                assert_eq!(diagnostics, [], "{}", case.title);
            }
        }
    }
}

/// A library with a file that must be imported.
fn with_orchestrate() -> Library {
    let own = "/// Works one after the other.\nfn sequential(xs: [string]) -> string { _first(xs) ?? \"\" }\n";
    let more = "fn _first(xs: [string]) -> string? { xs.first_of() }\ntype Plan = { steps: [string] }\n";
    let text = format!("//! `std/orchestrate`: agents that work together.\n\n{own}{more}");
    let list = "fn first_of<T>(self: [T]) -> T?\n";
    Library::new([("prelude", "//! Everywhere.\n"), ("list", list), ("orchestrate", text.as_str())])
}

#[test]
fn a_library_file_that_begins_with_its_path_is_known_where_it_is_imported() {
    let library = with_orchestrate();
    let said = |text: &str| {
        let loaded = load(&library, "case.wf", text);
        let said = loaded.diagnostics.iter().map(|found| [found.message.clone()].into_iter().chain(found.help.clone()));
        said.map(|parts| parts.collect::<Vec<_>>().join("; ")).collect::<Vec<_>>()
    };
    let names = "import { sequential, Plan } from \"std/orchestrate\"\n";
    assert_eq!(said(&format!("{names}fn main(plan: Plan) -> string {{ sequential(plan.steps) }}")), [""; 0]);
    let whole = "import \"std/orchestrate\" as o\n";
    assert_eq!(said(&format!("{whole}fn main(plan: o.Plan) -> string {{ o.sequential(plan.steps) }}")), [""; 0]);
    let help = "import it: `import { sequential } from \"std/orchestrate\"`";
    assert_eq!(said("fn main() { sequential([]) }"), [format!("there is no `sequential` here; {help}")]);
    let help = "import it: `import \"std/orchestrate\" as orchestrate`";
    assert_eq!(said("fn main() { orchestrate.sequential([]) }"), [format!("there is no `orchestrate` here; {help}")]);
    let help = "import it: `import { Plan } from \"std/orchestrate\"`";
    assert_eq!(said("fn main(plan: Plan) { plan }"), [format!("there is no type `Plan`; {help}")]);
    let help = "names that begin with `_` are seen in their own file only";
    let private = "import { _first } from \"std/orchestrate\"\n";
    assert_eq!(said(private), [format!("`_first` is private to `std/orchestrate`; {help}")]);
}

#[test]
fn it_is_known_which_imported_names_are_used() {
    let text = "import { a, b as c, T, U } from \"./a.wf\"\nimport \"./a.wf\" as used\nimport \"./a.wf\" as unused
        fn main(t: T) -> used.T { c(t) }
        // file: ./a.wf
        type T = int\ntype U = int\nfn a(t: T) -> T { t }\nfn b(t: T) -> T { t }\n";
    let text = format!("// case: used\n{}", text.replace("        ", ""));
    let case = &cases::split(&text)[0];
    let loaded = check_case(&loaded_library(), case);
    let said: Vec<_> = loaded.diagnostics.iter().map(|found| found.message.as_str()).collect();
    let unused = |name| format!("the import `{name}` is never used");
    assert_eq!(said, [unused("a"), unused("U"), unused("unused")]);
    let main = &loaded.main().text;
    let used = &loaded.checked.tables[usize::from(loaded.checked.main().0)].used_imports;
    let mut used: Vec<u32> = used.iter().copied().collect();
    used.sort_unstable();
    let words: Vec<&str> =
        used.iter().map(|at| main[*at as usize..].split([',', ' ', '\n']).next().unwrap_or("")).collect();
    assert_eq!(words, ["c", "T", "used"]);
}
