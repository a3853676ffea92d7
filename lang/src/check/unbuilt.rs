//! What this version cannot run yet: one pass over the tree, one table of names.

use super::walk::{Visitor, walk_item};
use crate::{
    code::Code,
    diagnostic::Diagnostic,
    span::Span,
    syntax::ast::{AgentItem, Expr, ExprKind, Gather, Item, ItemKind, Module, Pattern, PatternKind},
};

/// What to do about a part of the library that is missing.
pub(super) const HELP: &str = "write it out in wf, or use what is there";

/// Methods and functions that the library will have.
const PLANNED: [&str; 14] = [
    "with",
    "as_agent",
    "as_tool",
    "call",
    "mcp",
    "fs.read",
    "fs.read_bytes",
    "fs.write",
    "fs.exists",
    "fs.list",
    "fs.glob",
    "sequential",
    "concurrent",
    "handoff",
];

/// Namespaces that the library will have.
const NAMESPACES: [&str; 2] = ["http", "env"];

/// Settings of agents that nothing looks at yet.
const SETTINGS: [&str; 2] = ["tools", "max_turns"];

/// Whether the library will have a method or function of that name.
pub(super) fn is_planned(name: &str) -> bool {
    PLANNED.contains(&name)
}

/// Whether the library will have a namespace of that name.
pub(super) fn is_planned_namespace(name: &str) -> bool {
    NAMESPACES.contains(&name)
}

/// Reports what a module uses that this version cannot run.
pub(super) fn report(module: &Module, diagnostics: &mut Vec<Diagnostic>) {
    let mut look = Look { diagnostics };
    for item in &module.items {
        look.item(item);
        walk_item(item, &mut look);
    }
}

struct Look<'a> {
    diagnostics: &'a mut Vec<Diagnostic>,
}

impl Look<'_> {
    fn not_built(&mut self, span: Span, what: &str, help: &str) {
        let message = format!("{what} is not built yet in this version");
        self.diagnostics.push(Diagnostic::new(Code::NotBuilt, span, message).help(help));
    }

    fn item(&mut self, item: &Item) {
        for annotation in &item.annotations {
            match annotation.name.text.as_str() {
                "timeout" => self.not_built(annotation.name.span, "`@timeout`", "take it out for now"),
                "on_crash" => self.not_built(annotation.name.span, "`@on_crash`", "take it out for now"),
                _ => {}
            }
        }
        if let ItemKind::Agent(agent) = &item.kind {
            self.agent(agent);
        }
    }

    fn agent(&mut self, agent: &AgentItem) {
        for (name, _) in agent.fields.iter().filter(|(name, _)| SETTINGS.contains(&name.text.as_str())) {
            self.not_built(name.span, &format!("the setting `{}`", name.text), "take it out for now");
        }
    }

    fn gather(&mut self, expr: &Expr, gather: &Gather) {
        let word = Span { end: expr.span.end.min(expr.span.start + 6), ..expr.span };
        if gather.settle {
            self.not_built(word, "`gather settle`", "catch errors in each branch: `try { … } catch e { … }`");
        }
        if let Some(first) = &gather.first {
            self.not_built(first.span, "`gather first`", "gather all, and take what is needed");
        }
    }
}

impl Visitor for Look<'_> {
    fn expr(&mut self, expr: &Expr) -> bool {
        match &expr.kind {
            ExprKind::Race(_) => {
                let word = Span { end: expr.span.end.min(expr.span.start + 4), ..expr.span };
                self.not_built(word, "`race`", "give a request a `timeout:` instead where that is enough");
            }
            ExprKind::Gather(gather) => self.gather(expr, gather),
            ExprKind::Try { finally: Some(block), .. } => {
                self.not_built(
                    block.span.before(),
                    "`finally`",
                    "repeat what it does after the `try` and in its `catch`",
                );
            }
            _ => {}
        }
        true
    }

    fn pattern(&mut self, pattern: &Pattern, arm: bool) {
        let what = match &pattern.kind {
            PatternKind::Record { .. } if arm => "a record pattern in `match`",
            PatternKind::List { .. } if arm => "a list pattern in `match`",
            PatternKind::Type(_) | PatternKind::Bind(_, Some(_)) if arm => "a type pattern in `match`",
            _ => return,
        };
        self.not_built(pattern.span, what, "compare with `if`, or match a field: `match r.kind { … }`");
    }
}
