//! Scripts of several files: checked, run from anywhere, and resumed whatever happened to the files.

use crate::support::{Done, Place, json};

/// A folder with these files; folders are made for them.
fn place(files: &[(&str, &str)]) -> Place {
    let place = Place::with(&[]);
    for (name, text) in files {
        let path = place.path(name);
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("made");
        std::fs::write(path, text).expect("written");
    }
    place
}

/// Runs the command in a folder of the place.
fn wf_in(place: &Place, folder: &str, args: &[&str]) -> Done {
    place.command(args).current_dir(place.path(folder)).output().expect("wf starts").into()
}

const MAIN: &str = "\
import { draft } from \"./steps.wf\"
import \"../lib/ask.wf\" as lib

state { drafts: int = 0 }

workflow headline(product: string) -> any {
    let text = draft(product)
    ctx.state.drafts += 1
    let answer = lib.ask(text)
    { text, answer, asked: lib.asked(), again: lib.draft() }
}
";
const STEPS: &str = "\
import { LIMIT } from \"../lib/ask.wf\"

step draft(product: string) -> string { \"${product} ${LIMIT}\" }
";
const ASK: &str = "\
import { draft as other } from \"../flows/steps.wf\"

state { asked: int = 0 }

let LIMIT = 3

// The line below is shown.
step ask(text: string) -> string {
    ctx.state.asked += 1
    request_info({ text }, string, id: \"q\")
}

fn asked() -> int { ctx.state.asked }

step draft() -> string { \"lib\" }
";

/// A project in which the main file imports from two folders, one of which imports back into the first.
fn project() -> Place {
    place(&[
        ("flows/headline.wf", MAIN),
        ("flows/steps.wf", &STEPS.replace("import { LIMIT } from \"../lib/ask.wf\"", "let LIMIT = 3")),
        ("lib/ask.wf", ASK),
    ])
}

#[test]
fn a_run_goes_on_with_all_its_modules_whatever_happened_to_them() {
    for folder in ["", "flows", "lib"] {
        let place = project();
        let script = place.path("flows/headline.wf");
        let script = script.to_str().expect("text");
        let first = wf_in(&place, folder, &["run", script, "product=clouds", "--id", "run"]).ends(3);
        assert!(first.err.contains("waiting for an answer"), "{}", first.err);
        std::fs::write(place.path("flows/headline.wf"), "workflow {").expect("written");
        std::fs::write(place.path("lib/ask.wf"), "fn nothing() { }").expect("written");
        std::fs::remove_file(place.path("flows/steps.wf")).expect("removed");
        let shown = place.wf(&["show", "run"]).ends(0).out;
        assert!(shown.contains("10 |     request_info({ text }, string"), "{shown}");
        assert!(shown.contains("9 | let answer = lib.ask(text)"), "{shown}");
        let result = wf_in(&place, "lib", &["resume", "run", "yes", "--json"]).ends(0).json();
        let output = json!({ "text": "clouds 3", "answer": "yes", "asked": 1, "again": "lib" });
        assert_eq!((&result["output"], &result["state"]), (&output, &json!({ "drafts": 1 })));
        let paths = place.events();
        let started = paths.iter().filter(|event| event["type"] == "step_started");
        let started: Vec<_> = started.map(|event| (event["name"].as_str(), event["path"].as_str())).collect();
        let expected = [
            (Some("draft"), Some("headline[0]/steps.draft[0]")),
            (Some("ask"), Some("headline[0]/ask[0]")),
            (Some("draft"), Some("headline[0]/ask.draft[0]")),
        ];
        assert_eq!(started, expected);
    }
}

#[test]
fn the_stored_code_is_the_same_from_wherever_it_was_started() {
    let place = project();
    let script = place.path("flows/headline.wf").display().to_string();
    place.wf(&["run", "flows/headline.wf", "product=a"]).ends(3);
    place.wf(&["run", &script, "product=b"]).ends(3);
    wf_in(&place, "flows", &["run", "headline.wf", "product=c"]).ends(3);
    wf_in(&place, "lib", &["run", "../flows/headline.wf", "product=c"]).ends(3);
    let store = rusqlite::Connection::open(place.store()).expect("a store");
    let count = |sql: &str| store.query_row(sql, [], |row| row.get::<_, i64>(0)).expect("a number");
    assert_eq!((count("SELECT count(*) FROM run"), count("SELECT count(*) FROM code")), (4, 1));
}

#[test]
fn only_the_workflows_of_the_script_itself_are_started() {
    let place = place(&[
        ("main.wf", "import { other } from \"./other.wf\"\nworkflow first() -> int { other() }\n"),
        ("other.wf", "workflow other() -> int { 7 }\n"),
    ]);
    assert_eq!(place.wf(&["run", "main.wf"]).ends(0).out, "7\n");
    place.wf(&["run", "main.wf", "other"]).ends(2).says("the script has no workflow `other`; it has `first`");
}

#[test]
fn what_is_wrong_stands_in_its_own_file() {
    let place = place(&[
        ("flows/main.wf", "import { f } from \"../lib/a.wf\"\nworkflow main() -> string { f(1) }\n"),
        ("flows/other.wf", "import \"../lib/a.wf\" as a\nworkflow other() -> int { a.f(2) }\n"),
        ("lib/a.wf", "import { g } from \"./b.wf\"\nfn f(n: int) -> int { g(\"x\") }\n"),
        ("lib/b.wf", "fn g(n: int) -> int { nowhere }\n"),
    ]);
    let told = place.wf(&["check", "flows/main.wf", "flows/other.wf"]).ends(1).out;
    for (line, times) in [
        ("╭─[ flows/main.wf:2:29 ]", 1),
        ("╭─[ lib/a.wf:2:25 ]", 1),
        ("╭─[ lib/b.wf:1:23 ]", 1),
        ("\n3 errors\n", 1),
        ("flows/other.wf", 0),
    ] {
        assert_eq!(told.matches(line).count(), times, "{line} in\n{told}");
    }
    let inside = wf_in(&place, "flows", &["check", "main.wf"]).ends(1).out;
    assert!(inside.contains("╭─[ ../lib/a.wf:2:25 ]"), "{inside}");
    let script = place.path("flows/main.wf").display().to_string();
    let absolute = wf_in(&place, "lib", &["check", &script, "--json"]).ends(1).json();
    let files: Vec<_> =
        absolute["diagnostics"].as_array().expect("a list").iter().map(|found| &found["file"]).collect();
    let path = |name: &str| json!(place.path(name).display().to_string());
    assert_eq!(files, [&path("flows/main.wf"), &path("lib/a.wf"), &path("lib/b.wf")]);
    place.wf(&["run", "flows/main.wf"]).ends(2).says("╭─[ lib/b.wf:1:23 ]");
}

#[test]
#[cfg(unix)]
fn a_script_behind_a_link_imports_from_where_it_lies() {
    let place = place(&[
        ("real/deep/main.wf", "import { f } from \"./steps.wf\"\nworkflow main() -> int { f() }\n"),
        ("real/deep/steps.wf", "fn f() -> int { 1 }\n"),
        ("steps.wf", "fn f() -> int { 2 }\n"),
    ]);
    std::fs::create_dir(place.path("real/inner")).expect("made");
    std::os::unix::fs::symlink(place.path("real/inner"), place.path("link")).expect("linked");
    assert_eq!(place.wf(&["run", "link/../deep/main.wf"]).ends(0).out, "1\n");
}

#[test]
fn a_circle_is_shown_once_with_all_its_imports() {
    let place = place(&[
        ("a.wf", "import { b } from \"./b.wf\"\nfn a() -> int { b() }\n"),
        ("b.wf", "\nimport \"./c.wf\" as c\nfn b() -> int { c.c() }\n"),
        ("c.wf", "import { a } from \"./a.wf\"\nfn c() -> int { a() }\n"),
    ]);
    let expected = "\
error[WF0206]: these imports form a circle: `a.wf` → `b.wf` → `c.wf` → `a.wf`
   ╭─[ a.wf:1:19 ]
   │
 1 │ import { b } from \"./b.wf\"
   │                   ┬───────
   │
   ├─[ b.wf:2:8 ]
   │
 2 │ import \"./c.wf\" as c
   │        ┬───────
   │        ╰───────── `b.wf` imports `c.wf`
   │
   ├─[ c.wf:1:19 ]
   │
 1 │ import { a } from \"./a.wf\"
   │                   ┬───────
   │                   ╰───────── `c.wf` imports `a.wf`
   │
   │ Help: move what both need into a module of its own, which imports none of them
───╯

1 error
";
    assert_eq!(place.wf(&["check", "a.wf", "c.wf"]).ends(1).out, expected);
}

#[test]
fn files_that_cannot_be_read_are_told_at_their_imports() {
    let place = place(&[
        ("missing.wf", "import { a } from \"./steps.wf\"\n"),
        ("lib/step.wf", ""),
        ("near.wf", "import { a } from \"./lib/steps.wf\"\n"),
        ("bare.wf", "import { a } from \"./lib/step\"\n"),
        ("folder.wf", "import { a } from \"./flows.wf\"\n"),
        ("binary.wf", "import { a } from \"./data.wf\"\n"),
        ("wide.wf", "import { a } from \"./utf16.wf\"\n"),
        ("large.wf", "import { a } from \"./big.wf\"\n"),
        ("under.wf", "import { a } from \"./near.wf/x.wf\"\n"),
        ("self.wf", "import \"./lib/../self.wf\" as me\nworkflow main() { me.main() }\n"),
    ]);
    std::fs::create_dir(place.path("flows.wf")).expect("made");
    std::fs::write(place.path("data.wf"), b"\x7fELF\x02\x01\xff\xff").expect("written");
    std::fs::write(place.path("utf16.wf"), b"\xff\xfef\0").expect("written");
    std::fs::File::create(place.path("big.wf")).and_then(|file| file.set_len(5 << 20)).expect("written");
    let told = |script: &str| {
        let found = place.wf(&["check", "--json", script]).ends(1).json();
        assert_eq!(found["errors"], 1, "{found}");
        let first = &found["diagnostics"][0];
        assert_eq!((&first["code"], &first["file"]), (&json!("WF0206"), &json!(script)));
        let help = first["help"][0].as_str().map_or_else(String::new, |help| format!("; {help}"));
        format!("{}{help}", first["message"].as_str().unwrap_or_default())
    };
    assert_eq!(told("missing.wf"), "there is no file `steps.wf`");
    assert_eq!(told("near.wf"), "there is no file `lib/steps.wf`; did you mean `lib/step.wf`?");
    let bare = "`./lib/step` does not end in `.wf`, as files with modules do; did you mean `./lib/step.wf`?";
    assert_eq!(told("bare.wf"), bare);
    assert_eq!(told("folder.wf"), "`flows.wf` is a directory; import a file in it");
    assert!(told("binary.wf").starts_with("`data.wf` is not UTF-8: byte 6 (0xff, in line 1) is not text"));
    assert_eq!(told("wide.wf"), "`utf16.wf` is UTF-16; save it as UTF-8");
    assert!(told("large.wf").starts_with("`big.wf` is larger than 4194304 bytes"));
    assert!(told("under.wf").starts_with("`near.wf/x.wf` cannot be read: "));
    let own = "`self.wf` imports itself; all declarations of a file see each other; take the import out";
    assert_eq!(told("self.wf"), own);
}

#[test]
fn a_thousand_modules_in_a_chain() {
    let text = |number: u32| match number {
        999 => "fn f() -> int { 1 }\n".to_owned(),
        number => format!("import {{ f as next }} from \"./m{}.wf\"\nfn f() {{ next() + 1 }}\n", number + 1),
    };
    let mut files: Vec<(String, String)> = (0..1000).map(|number| (format!("m{number}.wf"), text(number))).collect();
    files.push((
        "main.wf".into(),
        "import { f } from \"./m0.wf\"\nlet ALL = f()\nworkflow main() -> int { ALL }\n".into(),
    ));
    let files: Vec<(&str, &str)> = files.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect();
    let place = place(&files);
    assert_eq!(place.wf(&["run", "main.wf"]).ends(0).out, "1000\n");
    std::fs::write(place.path("m999.wf"), "import { f as last } from \"./m0.wf\"\nfn f() -> int { last() }\n")
        .expect("written");
    place.wf(&["run", "main.wf"]).ends(2).says("→ 992 more → `m0.wf`");
}
