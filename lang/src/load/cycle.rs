//! Imports that lead back to where they began.

use crate::{check::ModuleInput, code::Code, diagnostic::Diagnostic, graph, span::Span, syntax::ast::ItemKind};

/// The most modules of a circle that a message names.
const MOST_SHOWN: usize = 8;

/// An import: of which module, and where its path stands.
type Edge = (usize, Span);

/// Reports circles of imports, such that each module that lies on one is in a report. A report has the place of each
/// import of its circle.
pub(super) fn report(modules: &[ModuleInput]) -> Vec<Diagnostic> {
    let edges: Vec<Vec<Edge>> = modules.iter().map(edges_of).collect();
    let targets: Vec<Vec<usize>> = edges.iter().map(|edges| edges.iter().map(|(to, _)| *to).collect()).collect();
    let mut reported = graph::without_circles(&targets);
    let mut found = Vec::new();
    for start in 0..modules.len() {
        if reported[start] {
            continue;
        }
        if let Some(circle) = graph::shortest_circle(start, &targets) {
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
