//! Did you mean.

use smol_str::SmolStr;

/// At most this many names are offered.
const MOST: usize = 3;

/// The names nearest to a word that was not found, the nearest first.
pub fn nearest<'n>(word: &str, names: impl IntoIterator<Item = &'n str>) -> Vec<SmolStr> {
    let limit = (word.chars().count() / 3).max(1);
    let mut found: Vec<(usize, &str)> = Vec::new();
    for name in names {
        if name == word || name.len().abs_diff(word.len()) > limit * 4 {
            continue;
        }
        let distance = distance(word, name);
        if distance <= limit && !found.iter().any(|(_, other)| *other == name) {
            found.push((distance, name));
        }
    }
    found.sort_unstable();
    found.into_iter().take(MOST).map(|(_, name)| name.into()).collect()
}

/// ``did you mean `a`?``, or `` `a` or `b`?``; `None` without names.
pub fn did_you_mean(names: &[SmolStr]) -> Option<String> {
    let (last, rest) = names.split_last()?;
    let mut out = String::from("did you mean ");
    for (i, name) in rest.iter().enumerate() {
        let comma = if i + 1 < rest.len() { ", " } else { " or " };
        out.push_str(&format!("`{name}`{comma}"));
    }
    out.push_str(&format!("`{last}`?"));
    Some(out)
}

/// How many letters have to be put in, taken out, changed or swapped with their neighbour; case counts as nothing.
fn distance(a: &str, b: &str) -> usize {
    let a: Vec<char> = a.chars().flat_map(char::to_lowercase).collect();
    let b: Vec<char> = b.chars().flat_map(char::to_lowercase).collect();
    let mut before: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=b.len()).collect();
    for i in 1..=a.len() {
        let mut row = vec![i; b.len() + 1];
        for j in 1..=b.len() {
            let change = last[j - 1] + usize::from(a[i - 1] != b[j - 1]);
            row[j] = change.min(last[j] + 1).min(row[j - 1] + 1);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                row[j] = row[j].min(before[j - 2] + 1);
            }
        }
        before = std::mem::replace(&mut last, row);
    }
    last[b.len()]
}
