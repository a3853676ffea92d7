//! What the documents show is what happens: every example of `docs/*.md` and the README is run.
//!
//! - A `wf` block is a whole file, named `block.wf` or as its fence says (```` ```wf file=triage.wf ````); a line
//!   `// file: ./steps.wf` in it begins another file. It checks without any message, and its tests pass.
//! - A `wf error` block does not check. The `text` block right after it holds the messages, word for word. `wf warning`
//!   likewise, for one that checks with warnings. `UPDATE_EXPECT=1` writes the messages into the page: read the diff.
//! - A `console` block is typed into a shell, in a fresh folder with the files of the `wf` block before it and a copy of
//!   `examples/`: see `session`.
//! - The lists of the library in `docs/language.md` are those of `stdlib/*.wf`: see `library`.
//!
//! Other blocks hold what cannot be run here: settings of editors (`lua`, `toml`), commands to type (`sh`), `text`.

mod library;
mod links;
mod markdown;
mod session;

use std::{fs, path::Path};

use crate::workshop::Workshop;
use markdown::{Block, Page};
use session::Session;

/// What a fence may say first.
const KINDS: [&str; 7] = ["wf", "console", "text", "sh", "toml", "lua", "json"];

#[test]
fn scripts_in_the_documents_check_and_their_tests_pass() {
    let mut wrong = String::new();
    for page in Page::all() {
        for block in page.blocks.iter().filter(|block| block.is("wf") && says(block).is_none()) {
            wrong.extend(passes(block).err().map(|error| format!("{page}:{}: {error}\n", block.first)));
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

#[test]
fn scripts_that_are_wrong_get_the_messages_shown() {
    let update = std::env::var_os("UPDATE_EXPECT").is_some();
    let mut wrong = String::new();
    for page in Page::all() {
        let mut changes = Vec::new();
        for (index, block) in page.blocks.iter().enumerate() {
            let Some(code) = says(block) else { continue };
            let shown = page.blocks.get(index + 1).filter(|next| next.is("text") && next.follows);
            let found = messages(block, code);
            match (shown, found) {
                (None, _) => wrong.push_str(&format!("{page}:{}: no `text` block follows it\n", block.first)),
                (Some(_), Err(error)) => wrong.push_str(&format!("{page}:{}: {error}\n", block.first)),
                (Some(shown), Ok(found)) if shown.text == found => {}
                (Some(shown), Ok(found)) if update => changes.push((shown.range(), found)),
                (Some(_), Ok(found)) => wrong.push_str(&format!("{page}:{}: it gets\n{found}\n", block.first)),
            }
        }
        if !changes.is_empty() {
            page.write(&changes);
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

#[test]
fn transcripts_in_the_documents_are_what_happens() {
    let mut wrong = String::new();
    for page in Page::all() {
        let mut files = Vec::new();
        for block in &page.blocks {
            if block.is("wf") {
                files = files_of(block);
            } else if block.is("console") {
                wrong.extend(Session::with(&files).play(block).err().map(|error| format!("{page}:{error}\n")));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

#[test]
fn the_readme_shows_a_run_that_survives_a_kill() {
    let page = Page::of("README.md");
    assert!(page.blocks.iter().any(|block| block.is("console") && block.text.contains("kill -9")));
}

#[test]
fn no_block_is_left_out() {
    for page in Page::all() {
        for block in &page.blocks {
            let (kind, rest) =
                block.info.split_first().unwrap_or_else(|| panic!("{page}:{}: a bare fence", block.first));
            let fine = match kind.as_str() {
                "wf" => rest.iter().all(|word| word == "error" || word == "warning" || word.starts_with("file=")),
                _ => rest.is_empty() && KINDS.contains(&kind.as_str()),
            };
            assert!(fine, "{page}:{}: nothing is known of ```{}", block.first, block.info.join(" "));
        }
    }
}

/// The code with which `wf check` ends for a block with messages.
fn says(block: &Block) -> Option<i32> {
    let has = |word: &str| block.info.iter().any(|found| found == word);
    has("error").then_some(1).or_else(|| has("warning").then_some(0)).filter(|_| block.is("wf"))
}

/// Checks the files of a block and runs their tests.
fn passes(block: &Block) -> Result<(), String> {
    let workshop = Workshop::new();
    let files = files_of(block);
    write(workshop.folder(), &files);
    for (name, text) in files.iter().filter(|(name, _)| name.ends_with(".wf")) {
        let checked = workshop.wf(&["check", name]);
        if checked.code != 0 || checked.out.trim() != "no errors" {
            return Err(format!("{}{}", checked.out, checked.err));
        }
        if text.lines().any(|line| line.starts_with("test ")) {
            let tested = workshop.wf(&["test", name]);
            if tested.code != 0 {
                return Err(format!("{}{}", tested.out, tested.err));
            }
        }
    }
    Ok(())
}

/// What `wf check` says about a block, without the count at its end.
fn messages(block: &Block, code: i32) -> Result<String, String> {
    let workshop = Workshop::new();
    let files = files_of(block);
    write(workshop.folder(), &files);
    let checked = workshop.wf(&["check", &files[0].0]);
    let said = format!("{}{}", checked.err, checked.out);
    let (messages, _) = said.trim_end().rsplit_once("\n\n").unwrap_or_default();
    if checked.code != code || messages.is_empty() {
        return Err(format!("`wf check` ends with {} and says\n{said}", checked.code));
    }
    Ok(messages.lines().map(|line| format!("{}\n", line.trim_end())).collect())
}

/// Name and text of each file in a block.
fn files_of(block: &Block) -> Vec<(String, String)> {
    let name = block.info.iter().find_map(|word| word.strip_prefix("file=")).unwrap_or("block.wf");
    let mut files = vec![(name.to_owned(), String::new())];
    for line in block.text.lines() {
        if let Some(name) = line.strip_prefix("// file: ") {
            files.push((name.trim_start_matches("./").to_owned(), String::new()));
        } else if let Some((_, text)) = files.last_mut() {
            text.push_str(line);
            text.push('\n');
        }
    }
    files
}

fn write(folder: &Path, files: &[(String, String)]) {
    for (name, text) in files {
        let path = folder.join(name);
        fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        fs::write(path, text).expect("written");
    }
}
