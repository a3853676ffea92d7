//! How much a run may hold, however it is spread over its branches.

use crate::small::Small;

/// What the error of a run says that holds `each` in every branch.
fn held_by_branches(count: usize, each: &str) -> Option<String> {
    let text = format!(
        "fn large(n: int) -> string {{ let s = \"0123456789abcde${{n % 10}}\"; while s.len() < 1000000 {{ s += s }}; s }}
        workflow main() {{
            let shared = large(1)
            gather for i in 0..{count} {{ let s = {each}; sleep(1h); s.len() + i }}
        }}"
    );
    let mut run = Small::new(&text);
    run.go();
    run.done.map(|outcome| outcome.expect_err("it throws").to_string())
}

#[test]
fn what_branches_hold_counts_together() {
    assert_eq!(held_by_branches(50, "large(i)"), None);
    let too_much = "the run holds more than 64 MiB of values (limit)";
    assert_eq!(held_by_branches(1000, "large(i)").as_deref(), Some(too_much));
}

#[test]
fn what_they_share_counts_once() {
    assert_eq!(held_by_branches(1000, "shared"), None);
}
