//! Links between the documents lead somewhere: to a file, and to a heading in it.

use std::path::Path;

use super::markdown::Page;
use crate::workshop::root;

#[test]
fn links_lead_somewhere() {
    let mut wrong = String::new();
    for page in Page::all() {
        let name = page.to_string();
        for link in links(&page.prose()) {
            let (file, heading) = link.split_once('#').map_or((link.as_str(), None), |(file, at)| (file, Some(at)));
            let target = Path::new(&name).parent().expect("a folder").join(file);
            let target = if file.is_empty() { Path::new(&name).to_owned() } else { target };
            let fine = root().join(&target).exists()
                && heading
                    .is_none_or(|at| headings(&Page::of(&target.to_string_lossy()).prose()).any(|found| found == at));
            if !fine {
                wrong.push_str(&format!("{name}: nothing is at `{link}`\n"));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

/// Where the links of a text lead that stay in the project.
fn links(text: &str) -> Vec<String> {
    let found = text.split("](").skip(1).filter_map(|rest| rest.split(')').next());
    found.filter(|link| !link.contains("://")).map(str::to_owned).collect()
}

/// The names by which the headings of a text are linked.
fn headings(text: &str) -> impl Iterator<Item = String> {
    text.lines().filter(|line| line.starts_with('#')).map(|line| {
        let words = line.trim_start_matches('#').trim().to_lowercase();
        let kept = words.chars().filter(|c| c.is_alphanumeric() || " -_".contains(*c));
        kept.map(|c| if c == ' ' { '-' } else { c }).collect()
    })
}
