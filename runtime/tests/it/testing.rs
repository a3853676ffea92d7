//! The tests of `tests/cases/test`: each passes, and passes as well when its process is killed at every k-th write.

use std::{
    fs,
    path::Path,
    sync::{Arc, atomic::AtomicU64},
    time::Duration,
};

use wf_lang::{
    load::{Library, load},
    program::{Program, verify},
};
use wf_runtime::{
    machine::Image,
    testing::{self, Everywhere, Kill, Settings, Verdict},
};

/// After how many writes processes are killed.
const EVERY: [u64; 6] = [1, 2, 3, 5, 8, 13];
/// Whose tests another crash than their own takes another way.
const SAYS_WHEN: &str = "on_crash.wf";

/// The tests of a script.
fn compiled(name: &str, text: &str) -> Arc<Image> {
    let library = Library::new(wf_stdlib::MODULES.iter().copied());
    let loaded = load(&library, name, text);
    let wrong: Vec<&str> =
        loaded.diagnostics.iter().filter(|found| found.is_error()).map(|found| found.message.as_str()).collect();
    assert!(wrong.is_empty(), "{name}: {wrong:?}");
    let program = wf_lang::compile::compile_tests(&loaded.checked).expect("tests compile");
    verify(&program).expect("what was compiled is well formed");
    let bytes = program.to_bytes().expect("a program can be written");
    assert_eq!(Program::from_bytes(&bytes).as_ref(), Ok(&program), "a program is the same after it was read back");
    Image::new(program, loaded.sources.clone()).expect("the engine has all that the library declares")
}

fn files() -> Vec<(String, Arc<Image>)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/cases/test");
    let mut paths: Vec<_> =
        fs::read_dir(folder).expect("the folder exists").map(|entry| entry.expect("an entry").path()).collect();
    paths.sort();
    let read = |path: &std::path::PathBuf| {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let image = compiled(&name, &fs::read_to_string(path).expect("readable text"));
        (name, image)
    };
    paths.iter().map(read).collect()
}

fn run(image: &Arc<Image>, number: usize, kill: Option<Kill>) -> Verdict {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let settings = Settings { kill, model: None, timeout: Duration::from_secs(60) };
    runtime.block_on(testing::run(image, &image.program.tests[number], &settings))
}

#[test]
fn every_test_passes_however_often_its_process_is_killed() {
    let files = files();
    let (mut tests, mut kills) = (0, 0);
    for (name, image) in &files {
        for (number, test) in image.program.tests.iter().enumerate() {
            let whole = run(image, number, None);
            assert_eq!(whole.failure, None, "{name}: {}", test.name);
            tests += 1;
            if name == SAYS_WHEN {
                continue;
            }
            for (every, before) in EVERY.into_iter().flat_map(|every| [(every, false), (every + 1, true)]) {
                let verdict = run(image, number, Some(Kill { every, before, once: false }));
                assert_eq!(verdict.failure, None, "{name}: {}, killed at every {every} ({before})", test.name);
                assert_eq!(verdict.printed, whole.printed, "{name}: {}, killed at every {every} ({before})", test.name);
                kills += verdict.kills;
            }
        }
    }
    assert!(tests > 70 && kills > 5000, "{tests} tests and {kills} kills");
}

#[test]
fn every_test_passes_with_a_crash_at_each_of_its_writes() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let settings = Settings { kill: None, model: None, timeout: Duration::from_secs(60) };
    let progress = AtomicU64::new(0);
    let how = Everywhere { seed: 1, most: 12, only: None, progress: &progress };
    let (mut wrong, mut crashes, mut unknown) = (Vec::new(), 0, 0);
    for (name, image) in &files() {
        for test in &image.program.tests {
            let verdict = runtime.block_on(testing::run_everywhere(image, test, &settings, &how));
            if let Some(failure) = verdict.failure {
                wrong.push(format!("{name}: {}: {failure:#?}", test.name));
            }
            let found = verdict.crashes.expect("it was crashed");
            crashes += found.runs;
            // Only where a script says so does a crash throw.
            assert!(found.unknown == 0 || name == SAYS_WHEN, "{name}: {}", test.name);
            unknown += found.unknown;
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(crashes > 1000 && unknown > 0, "{crashes} crashes, {unknown} of them threw");
    assert_eq!(progress.into_inner(), crashes);
}

#[test]
fn a_program_that_is_run_has_no_hooks() {
    let library = Library::new(wf_stdlib::MODULES.iter().copied());
    let text = "step a() -> string { exec([\"x\"]).stdout }\nworkflow main() -> string { a() }\ntest \"t\" { mock exec => { stdout: \"x\" }\n assert calls(a) == [] }\n";
    let loaded = load(&library, "main.wf", text);
    let program = wf_lang::compile::compile(&loaded.checked).expect("it compiles");
    assert_eq!((program.tests.len(), program.watched.len()), (0, 0));
    assert!(program.effects.iter().all(|effect| !effect.starts_with("test.")), "{:?}", program.effects);
    let workflows: Vec<&str> = program.workflows.iter().map(|workflow| workflow.name.as_str()).collect();
    assert_eq!(workflows, ["main"]);
}
