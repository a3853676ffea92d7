//! `wf check`.

use std::{
    io::{BufRead, BufReader},
    process::Stdio,
};

use serde_json::Value;

use crate::wf::Folder;

const GOOD: &[u8] = b"fn main() { print(\"hello\") }\n";
const WRONG: &[u8] =
    "fn greet(name: string) {\n  print(name)\n}\n\nfn main() {\n  let größe = 1; print(\"${größe}\")\n  greet(42)\n  nowhere\n}\n"
        .as_bytes();

#[test]
fn a_good_script_has_no_errors() {
    let folder = Folder::with(&[("good.wf", GOOD), ("empty.wf", b"")]);
    assert_eq!(folder.transcript(&["check", "good.wf", "empty.wf"]), "$ wf check good.wf empty.wf\nno errors\n");
}

#[test]
fn a_wrong_script_is_explained() {
    let folder = Folder::with(&[("wrong.wf", WRONG)]);
    let expected = "\
$ wf check wrong.wf
error[WF0301]: expected `string`, found `int`
   ╭─[ wrong.wf:7:9 ]
   │
 7 │   greet(42)
   │         ┬─
   │
   │ Help: put it into text: `\"${…}\"`
───╯

error[WF0201]: there is no `nowhere` here
   ╭─[ wrong.wf:8:3 ]
   │
 8 │   nowhere
   │   ┬──────
───╯

2 errors
exit code 1
";
    assert_eq!(folder.transcript(&["check", "wrong.wf"]), expected);
}

#[test]
fn a_machine_reads_json() {
    let folder = Folder::with(&[("good.wf", GOOD), ("wrong.wf", WRONG)]);
    let output = folder.run(&["check", "--json", "good.wf", "wrong.wf"]);
    assert_eq!(output.status.code(), Some(1));
    let found: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!((&found["errors"], &found["warnings"]), (&2.into(), &0.into()));
    let first = &found["diagnostics"][0];
    assert_eq!(
        (&first["code"], &first["file"], &first["span"]["line"]),
        (&"WF0301".into(), &"wrong.wf".into(), &7.into())
    );
    let none = folder.run(&["check", "--json", "good.wf"]);
    assert_eq!(none.status.code(), Some(0));
    assert_eq!(serde_json::from_slice::<Value>(&none.stdout).expect("JSON")["diagnostics"], Value::Array(Vec::new()));
}

#[test]
fn warnings_fail_only_when_they_are_denied() {
    let folder = Folder::with(&[("loose.wf", b"fn main(x) {\n  let unused = 1\n  x\n}\n")]);
    let expected = "\
$ wf check loose.wf
warning[WF0401]: `unused` is never read
   ╭─[ loose.wf:2:7 ]
   │
 2 │   let unused = 1
   │       ┬─────
   │
   │ Help: take it out, or call it `_unused` where only its computing matters
───╯

1 warning
";
    assert_eq!(folder.transcript(&["check", "loose.wf"]), expected);
    assert_eq!(folder.run(&["check", "--deny-warnings", "loose.wf"]).status.code(), Some(1));
    let strict = folder.transcript(&["check", "--strict", "loose.wf"]);
    assert!(strict.contains("warning[WF0410]: parameter `x` has no type, so it is `any`"), "{strict}");
    assert!(strict.ends_with("3 warnings\n"), "{strict}");
}

#[test]
fn what_cannot_be_read_is_the_operators_to_mend() {
    let folder = Folder::with(&[("text.wf", b"fn main() {\n  \xff\n}\n"), ("wide.wf", b"\xff\xfef\0"), ("a.wf", GOOD)]);
    std::fs::create_dir(folder.path().join("flows")).expect("made");
    let expected = "\
$ wf check missing.wf a flows text.wf wide.wf
error: there are no scripts in `flows`
  help: name the scripts, or the folder that they are in
error: there is no file `missing.wf`
error: there is no file `a`
  help: did you mean `a.wf`?
error: `text.wf` is not UTF-8: byte 14 (0xff, in line 2) is not text
  help: save it as UTF-8, or check whether it is a script at all
error: `wide.wf` is UTF-16
  help: save it as UTF-8
exit code 2
";
    assert_eq!(folder.transcript(&["check", "missing.wf", "a", "flows", "text.wf", "wide.wf"]), expected);
    let both = folder.transcript(&["check", "missing.wf", "a.wf"]);
    assert!(both.contains("\nno errors\n") && both.ends_with("exit code 2\n"), "{both}");
    let large = folder.path().join("large.wf");
    std::fs::File::create(&large).and_then(|file| file.set_len((4 << 20) + 1)).expect("written");
    assert!(folder.transcript(&["check", "large.wf"]).contains("`large.wf` is larger than 4194304 bytes"));
}

#[test]
fn folders_stand_for_the_scripts_in_them() {
    let folder = Folder::with(&[("a.wf", GOOD), ("b.wf", WRONG)]);
    std::fs::create_dir_all(folder.path().join("flows/deep")).expect("made");
    std::fs::write(folder.path().join("flows/deep/c.wf"), GOOD).expect("written");
    assert_eq!(folder.transcript(&["check", "flows"]), "$ wf check flows\nno errors\n");
    for all in [&["check"][..], &["check", "."]] {
        let said = folder.transcript(all);
        assert!(said.contains("b.wf:") && said.ends_with("exit code 1\n"), "{said}");
    }
}

#[test]
fn a_wrong_command_line_has_its_own_code() {
    let folder = Folder::with(&[]);
    assert_eq!(folder.run(&["check"]).status.code(), Some(2));
    assert_eq!(folder.run(&["chekc"]).status.code(), Some(2));
    assert_eq!(folder.run(&[]).status.code(), Some(2));
    let help = folder.transcript(&["check", "--help"]);
    assert!(help.contains("wf check --json hello.wf") && !help.contains("exit code"), "{help}");
}

#[test]
fn a_reader_may_leave() {
    let folder = Folder::with(&[("wrong.wf", &b"fn f() { nowhere }\n".repeat(3000))]);
    let mut child =
        folder.command(&["check", "wrong.wf"]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it runs");
    let mut line = String::new();
    BufReader::new(child.stdout.take().expect("its output")).read_line(&mut line).expect("a line");
    assert!(line.starts_with("error[WF0"), "{line}");
    let output = child.wait_with_output().expect("it ends");
    assert_eq!((output.status.code(), String::from_utf8_lossy(&output.stderr).as_ref()), (Some(1), ""));
}

#[test]
fn colours_are_for_those_who_see_them() {
    let folder = Folder::with(&[("wrong.wf", WRONG)]);
    let coloured = folder.command(&["check", "wrong.wf"]).env("CLICOLOR_FORCE", "1").output().expect("it runs");
    assert!(coloured.stdout.contains(&0x1b));
    let plain = folder.command(&["check", "wrong.wf"]).env("NO_COLOR", "1").output().expect("it runs");
    assert!(!plain.stdout.contains(&0x1b));
}
