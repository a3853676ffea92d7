//! Imports that lead back to where they began.

use std::collections::VecDeque;

use crate::{check::ModuleInput, code::Code, diagnostic::Diagnostic, span::Span, syntax::ast::ItemKind};

/// The most modules of a circle that a message names.
const MOST_SHOWN: usize = 8;

/// An import: of which module, and where its path stands.
type Edge = (usize, Span);

/// Reports circles of imports, such that each module that lies on one is in a report. A report has the place of each
/// import of its circle.
pub(super) fn report(modules: &[ModuleInput]) -> Vec<Diagnostic> {
    let edges: Vec<Vec<Edge>> = modules.iter().map(edges_of).collect();
    let mut reported = without_circles(&edges);
    let mut found = Vec::new();
    for start in 0..modules.len() {
        if reported[start] {
            continue;
        }
        if let Some(circle) = shortest_way_back(start, &edges) {
            circle.iter().for_each(|module| reported[*module] = true);
            found.push(diagnostic(&circle, modules, &edges));
        }
    }
    found
}

fn edges_of(input: &ModuleInput) -> Vec<Edge> {
    let edge = |(item, target): &(u32, crate::check::ModuleId)| match &input.module.items.get(*item as usize)?.kind {
        ItemKind::Import(import) => Some((usize::from(target.0), import.path.span)),
        _ => None,
    };
    input.imports.iter().filter_map(edge).collect()
}

/// Which modules neither lie on a circle nor lead to one.
fn without_circles(edges: &[Vec<Edge>]) -> Vec<bool> {
    let mut importers: Vec<Vec<usize>> = vec![Vec::new(); edges.len()];
    let mut open: Vec<usize> = edges.iter().map(Vec::len).collect();
    for (from, edges) in edges.iter().enumerate() {
        edges.iter().for_each(|(to, _)| importers[*to].push(from));
    }
    let mut done = vec![false; edges.len()];
    let mut next: Vec<usize> = (0..edges.len()).filter(|module| open[*module] == 0).collect();
    while let Some(module) = next.pop() {
        done[module] = true;
        for importer in &importers[module] {
            open[*importer] -= 1;
            if open[*importer] == 0 {
                next.push(*importer);
            }
        }
    }
    done
}

/// The modules of the shortest circle through `start`, from it on.
fn shortest_way_back(start: usize, edges: &[Vec<Edge>]) -> Option<Vec<usize>> {
    let mut before: Vec<Option<usize>> = vec![None; edges.len()];
    let mut next = VecDeque::from([start]);
    while let Some(at) = next.pop_front() {
        for (to, _) in &edges[at] {
            if *to == start {
                let mut circle: Vec<usize> = std::iter::successors(Some(at), |module| before[*module]).collect();
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

fn diagnostic(circle: &[usize], modules: &[ModuleInput], edges: &[Vec<Edge>]) -> Diagnostic {
    let name = |module: usize| &*modules[module].source.name;
    let mut places = Vec::new();
    for (index, from) in circle.iter().enumerate() {
        let to = circle[(index + 1) % circle.len()];
        let imports = edges[*from].iter().filter(|(target, _)| *target == to);
        places.extend(imports.map(|(_, span)| (*span, format!("`{}` imports `{}`", name(*from), name(to)))));
    }
    let first = places.first().map_or_else(Span::default, |(span, _)| *span);
    if let [module] = circle {
        let message = format!("`{}` imports itself", name(*module));
        let diagnostic = Diagnostic::new(Code::BadImport, first, message);
        return diagnostic.help("all declarations of a file see each other; take the import out");
    }
    // From whichever module it is looked at, it is the same circle.
    let least = (0..circle.len()).min_by_key(|index| name(circle[*index])).unwrap_or(0);
    let shown = |step: usize| format!("`{}`", name(circle[(least + step) % circle.len()]));
    let mut around: Vec<String> = (0..circle.len().min(MOST_SHOWN)).map(shown).collect();
    if circle.len() > MOST_SHOWN {
        around.push(format!("{} more", circle.len() - MOST_SHOWN));
    }
    around.push(shown(0));
    let message = format!("these imports form a circle: {}", around.join(" → "));
    let mut diagnostic = Diagnostic::new(Code::BadImport, first, message);
    for (span, what) in places.into_iter().filter(|(span, _)| *span != first) {
        diagnostic = diagnostic.label(span, what);
    }
    diagnostic.help("move what both need into a module of its own, which imports none of them")
}
