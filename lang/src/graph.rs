//! Circles among things that need each other, numbered from 0: `edges[a]` are those that `a` needs.

use std::collections::VecDeque;

/// Which neither lie on a circle nor lead to one.
pub(crate) fn without_circles(edges: &[Vec<usize>]) -> Vec<bool> {
    let mut needed_by: Vec<Vec<usize>> = vec![Vec::new(); edges.len()];
    let mut open: Vec<usize> = edges.iter().map(Vec::len).collect();
    for (from, edges) in edges.iter().enumerate() {
        edges.iter().for_each(|to| needed_by[*to].push(from));
    }
    let mut done = vec![false; edges.len()];
    let mut next: Vec<usize> = (0..edges.len()).filter(|thing| open[*thing] == 0).collect();
    while let Some(thing) = next.pop() {
        done[thing] = true;
        for from in &needed_by[thing] {
            open[*from] -= 1;
            if open[*from] == 0 {
                next.push(*from);
            }
        }
    }
    done
}

/// The shortest circle through `start`, from it on; the last one needs `start`.
pub(crate) fn shortest_circle(start: usize, edges: &[Vec<usize>]) -> Option<Vec<usize>> {
    let mut before: Vec<Option<usize>> = vec![None; edges.len()];
    let mut next = VecDeque::from([start]);
    while let Some(at) = next.pop_front() {
        for to in &edges[at] {
            if *to == start {
                let mut circle: Vec<usize> = std::iter::successors(Some(at), |thing| before[*thing]).collect();
                circle.reverse();
                return Some(circle);
            }
            if before[*to].is_none() {
                before[*to] = Some(at);
                next.push_back(*to);
            }
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn circles_are_found_and_what_leads_to_them_is_known() {
        let edges = [vec![1, 2], vec![2, 3], vec![], vec![4, 1], vec![4, 2], vec![2]];
        assert_eq!(without_circles(&edges), [false, false, true, false, false, true]);
        let circles: Vec<_> = (0..edges.len()).map(|start| shortest_circle(start, &edges)).collect();
        assert_eq!(circles, [None, Some(vec![1, 3]), None, Some(vec![3, 1]), Some(vec![4]), None]);
    }
}
