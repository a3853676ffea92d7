//! Scripts of several files in one text: a line `// file: ./steps.wf` begins another file, which the first may import.

use wf_lang::{
    load::{Library, Loaded, Main, Texts, Unreadable, load_with},
    path,
};

/// The files of a text behind its main one: path and text.
struct Files(Vec<(String, String)>);

impl Texts for Files {
    fn read(&self, path: &str, shown: &str) -> Result<String, Unreadable> {
        let found = self.0.iter().find(|(name, _)| name == path).map(|(_, text)| text.clone());
        found.ok_or_else(|| Unreadable::new(format!("there is no file `{shown}`")))
    }
}

/// Checks a script with all its files beside the library.
pub(crate) fn load(library: &Library, name: &str, text: &str) -> Loaded {
    let mut files = vec![(name.to_owned(), String::new())];
    for line in text.lines() {
        if let Some(path) = line.strip_prefix("// file: ") {
            files.push((path::normal(path), String::new()));
        } else if let Some((_, text)) = files.last_mut() {
            text.push_str(line);
            text.push('\n');
        }
    }
    let (name, text) = files.remove(0);
    load_with(library, Main { path: &name, shown: &name, text: &text }, &Files(files))
}
