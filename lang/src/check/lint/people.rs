//! Requests to people at places where they are asked again, or hold up what should end.

use super::{
    super::{
        ItemRef, ModuleId,
        walk::{Visitor, walk_block, walk_expr, walk_item},
    },
    Module,
    effects::Effects,
};
use crate::{
    code::Code,
    diagnostic::Diagnostic,
    span::Span,
    syntax::ast::{Block, Branches, Expr, ExprKind, FunctionKind, Item, ItemKind},
};

/// Reports requests below `@retry` and in the `finally` of a `race`.
pub(super) fn report(module: &Module<'_>, effects: &Effects<'_>, diagnostics: &mut Vec<Diagnostic>) {
    let races = module.input.source.text.contains("finally");
    for (number, item) in &module.items {
        let reference = ItemRef { module: ModuleId(u16::try_from(module.id).unwrap_or(u16::MAX)), item: *number };
        if is_retried(item)
            && effects.of_function(reference).asks
            && let ItemKind::Function(function) = &item.kind
            && let Some(span) = function.body.as_ref().and_then(|body| first_request(module, effects, body))
        {
            let message =
                "a request below `@retry` is withdrawn when an attempt fails, and asked again in the next one";
            let help = "ask before the step, and hand it the answer";
            diagnostics.push(Diagnostic::new(Code::LostRequest, span, message).help(help));
        }
        if races {
            walk_item(item, &mut Races { module, effects, diagnostics, within: false });
        }
    }
}

fn is_retried(item: &Item) -> bool {
    let step = matches!(&item.kind, ItemKind::Function(function) if function.kind == FunctionKind::Step);
    step && item.annotations.iter().any(|annotation| annotation.name.text == "retry")
}

/// The first call in a block that asks a person, itself or below.
fn first_request(module: &Module<'_>, effects: &Effects<'_>, block: &Block) -> Option<Span> {
    let mut look = Requests { module, effects, found: None };
    walk_block(block, &mut look);
    look.found
}

struct Requests<'a, 'l> {
    module: &'l Module<'a>,
    effects: &'l Effects<'a>,
    found: Option<Span>,
}

impl Visitor for Requests<'_, '_> {
    fn expr(&mut self, expr: &Expr) -> bool {
        let call = matches!(expr.kind, ExprKind::Call { .. } | ExprKind::Pipe { .. });
        if self.found.is_none() && call && self.effects.of_call(self.module.id, expr).asks {
            self.found = Some(expr.span);
        }
        self.found.is_none()
    }
}

struct Races<'a, 'l> {
    module: &'l Module<'a>,
    effects: &'l Effects<'a>,
    diagnostics: &'l mut Vec<Diagnostic>,
    /// A `race` stands around.
    within: bool,
}

impl Visitor for Races<'_, '_> {
    fn expr(&mut self, expr: &Expr) -> bool {
        match &expr.kind {
            ExprKind::Race(branches) if !self.within => {
                self.within = true;
                match branches {
                    Branches::For { body, .. } => walk_block(body, self),
                    Branches::Named(fields) => fields.iter().for_each(|(_, value)| walk_expr(value, self)),
                    Branches::List(items) => items.iter().for_each(|value| walk_expr(value, self)),
                }
                self.within = false;
                false
            }
            ExprKind::Try { finally: Some(block), .. } if self.within => {
                if let Some(span) = first_request(self.module, self.effects, block) {
                    let message = "a request in the `finally` of a `race` has to be answered before the race is over";
                    let help = "ask after the race";
                    self.diagnostics.push(Diagnostic::new(Code::LostRequest, span, message).help(help));
                }
                true
            }
            _ => true,
        }
    }
}
