//! What differs between two texts, line by line.

/// How many lines around a difference are shown.
const AROUND: usize = 2;
/// How many lines either side may have between what they share at their ends, to be compared in full.
const MOST: usize = 500;

/// A line of a difference.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DiffLine {
    /// In both.
    Same(String),
    /// Only in the left one.
    Left(String),
    /// Only in the right one.
    Right(String),
    /// So many lines that both share are left out.
    Skipped(usize),
}

/// The difference, with a few lines around each place; empty when there is none.
pub(super) fn diff(left: &[String], right: &[String]) -> Vec<DiffLine> {
    if left == right {
        return Vec::new();
    }
    let before = left.iter().zip(right).take_while(|(a, b)| a == b).count();
    let (left_rest, right_rest) = (&left[before..], &right[before..]);
    let after = left_rest.iter().rev().zip(right_rest.iter().rev()).take_while(|(a, b)| a == b).count();
    let (a, b) = (&left_rest[..left_rest.len() - after], &right_rest[..right_rest.len() - after]);
    let mut all: Vec<DiffLine> = left[..before].iter().cloned().map(DiffLine::Same).collect();
    if a.len() > MOST || b.len() > MOST {
        all.extend(a.iter().cloned().map(DiffLine::Left));
        all.extend(b.iter().cloned().map(DiffLine::Right));
    } else {
        compare(a, b, &mut all);
    }
    all.extend(left[left.len() - after..].iter().cloned().map(DiffLine::Same));
    shorten(all)
}

/// The longest lines in common stay; the rest is left or right.
fn compare(a: &[String], b: &[String], all: &mut Vec<DiffLine>) {
    // How many lines the rests from (i, j) on have in common.
    let mut common = vec![vec![0_u32; b.len() + 1]; a.len() + 1];
    for i in (0..a.len()).rev() {
        for j in (0..b.len()).rev() {
            common[i][j] = if a[i] == b[j] { common[i + 1][j + 1] + 1 } else { common[i + 1][j].max(common[i][j + 1]) };
        }
    }
    let (mut i, mut j) = (0, 0);
    while i < a.len() || j < b.len() {
        if i < a.len() && j < b.len() && a[i] == b[j] {
            all.push(DiffLine::Same(a[i].clone()));
            (i, j) = (i + 1, j + 1);
        } else if i < a.len() && (j == b.len() || common[i + 1][j] >= common[i][j + 1]) {
            all.push(DiffLine::Left(a[i].clone()));
            i += 1;
        } else {
            all.push(DiffLine::Right(b[j].clone()));
            j += 1;
        }
    }
}

/// Leaves out what is far from any difference.
fn shorten(all: Vec<DiffLine>) -> Vec<DiffLine> {
    let differs: Vec<bool> = all.iter().map(|line| !matches!(line, DiffLine::Same(_))).collect();
    let near = |index: usize| {
        differs[index.saturating_sub(AROUND)..(index + AROUND + 1).min(differs.len())].iter().any(|differs| *differs)
    };
    let mut out = Vec::new();
    let mut skipped = 0;
    let total = all.len();
    for (index, line) in all.into_iter().enumerate() {
        if !near(index) {
            skipped += 1;
            if index + 1 < total {
                continue;
            }
        }
        if skipped > 0 {
            out.push(DiffLine::Skipped(skipped));
        }
        if near(index) {
            out.push(line);
        }
        skipped = 0;
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(left: &str, right: &str) -> String {
        let lines = |text: &str| text.split(' ').map(str::to_owned).collect::<Vec<_>>();
        let line = |line: &DiffLine| match line {
            DiffLine::Same(text) => text.clone(),
            DiffLine::Left(text) => format!("-{text}"),
            DiffLine::Right(text) => format!("+{text}"),
            DiffLine::Skipped(count) => format!("({count})"),
        };
        diff(&lines(left), &lines(right)).iter().map(line).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn what_differs_is_marked() {
        assert_eq!(shown("a b c", "a b c"), "");
        assert_eq!(shown("a b c", "a x c"), "a -b +x c");
        assert_eq!(shown("a b c d", "a c d e"), "a -b c d +e");
        assert_eq!(shown("a", "b"), "-a +b");
    }

    #[test]
    fn what_is_far_from_it_is_left_out() {
        assert_eq!(shown("1 2 3 4 5 6 7 8 9", "1 2 3 4 x 6 7 8 9"), "(2) 3 4 -5 +x 6 7 (2)");
    }

    #[test]
    fn large_texts_are_compared_in_a_short_time() {
        let left: Vec<String> = (0..100_000).map(|n| n.to_string()).collect();
        let right: Vec<String> = (0..100_000).map(|n| (n + 1_000_000).to_string()).collect();
        assert_eq!(diff(&left, &right).len(), 200_000);
    }
}
