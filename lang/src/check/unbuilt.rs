//! What this version cannot run yet: one pass over the tree, one table of names.

use crate::{
    code::Code,
    diagnostic::Diagnostic,
    span::Span,
    syntax::ast::{AgentItem, Item, ItemKind, Module},
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
    module.items.iter().for_each(|item| look.item(item));
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
        if let ItemKind::Agent(agent) = &item.kind {
            self.agent(agent);
        }
    }

    fn agent(&mut self, agent: &AgentItem) {
        for (name, _) in agent.fields.iter().filter(|(name, _)| SETTINGS.contains(&name.text.as_str())) {
            self.not_built(name.span, &format!("the setting `{}`", name.text), "take it out for now");
        }
    }
}
