//! Walks a tree: every expression below another, without descending by hand.

use super::ast::{
    Block, Body, Branches, Element, Expr, ExprKind, MockValue, Pattern, PatternKind, RecordField, Stmt, StmtKind,
    StrPart,
};

/// Calls `visit` with every expression directly below `expr`, in order of evaluation, blocks and patterns included.
pub fn children<'t>(expr: &'t Expr, visit: &mut dyn FnMut(&'t Expr)) {
    match &expr.kind {
        ExprKind::Null
        | ExprKind::Bool(_)
        | ExprKind::Int(_)
        | ExprKind::Float(_)
        | ExprKind::Duration(_)
        | ExprKind::Name(_)
        | ExprKind::TypeValue(_)
        | ExprKind::Break
        | ExprKind::Continue
        | ExprKind::Error => {}
        ExprKind::Str(parts) => {
            for part in parts {
                if let StrPart::Expr(inner) = part {
                    visit(inner);
                }
            }
        }
        ExprKind::List(elements) => {
            for element in elements {
                let (Element::Item(inner) | Element::Spread(inner)) = element;
                visit(inner);
            }
        }
        ExprKind::Record(fields) => {
            for field in fields {
                match field {
                    RecordField::Named { value, .. } | RecordField::Spread(value) => visit(value),
                    RecordField::Computed { key, value } => {
                        visit(key);
                        visit(value);
                    }
                }
            }
        }
        ExprKind::Unary(_, inner)
        | ExprKind::Field { object: inner, .. }
        | ExprKind::As { value: inner, .. }
        | ExprKind::Throw(inner)
        | ExprKind::Observe(inner)
        | ExprKind::Paren(inner) => visit(inner),
        ExprKind::Binary(_, a, b) | ExprKind::Index { object: a, index: b } | ExprKind::Pipe { value: a, call: b } => {
            visit(a);
            visit(b);
        }
        ExprKind::Range { start, end, .. } => {
            for side in [start, end].into_iter().flatten() {
                visit(side);
            }
        }
        ExprKind::Call { callee, args } => {
            visit(callee);
            for arg in args {
                visit(&arg.value);
            }
        }
        ExprKind::Lambda { params, body } => {
            for param in params {
                if let Some(default) = &param.default {
                    visit(default);
                }
            }
            in_body(body, visit);
        }
        ExprKind::If { cond, then, otherwise } => {
            visit(cond);
            in_block(then, visit);
            if let Some(otherwise) = otherwise {
                visit(otherwise);
            }
        }
        ExprKind::Do(block) => in_block(block, visit),
        ExprKind::Match { subject, arms } => {
            visit(subject);
            for arm in arms {
                in_pattern(&arm.pattern, visit);
                if let Some(guard) = &arm.guard {
                    visit(guard);
                }
                in_body(&arm.body, visit);
            }
        }
        ExprKind::Try { body, catch, finally } => {
            in_block(body, visit);
            if let Some((_, block)) = catch {
                in_block(block, visit);
            }
            if let Some(block) = finally {
                in_block(block, visit);
            }
        }
        ExprKind::Gather(gather) => {
            for inner in [&gather.limit, &gather.first].into_iter().flatten() {
                visit(inner);
            }
            in_branches(&gather.branches, visit);
        }
        ExprKind::Race(branches) => in_branches(branches, visit),
        ExprKind::Return(inner) => {
            if let Some(inner) = inner {
                visit(inner);
            }
        }
    }
}

/// Calls `visit` with every expression directly in the statements of `block`.
pub fn in_block<'t>(block: &'t Block, visit: &mut dyn FnMut(&'t Expr)) {
    for stmt in &block.stmts {
        in_stmt(stmt, visit);
    }
}

/// Calls `visit` with every expression directly in a statement.
pub fn in_stmt<'t>(stmt: &'t Stmt, visit: &mut dyn FnMut(&'t Expr)) {
    match &stmt.kind {
        StmtKind::Let { pattern, value, .. } => {
            in_pattern(pattern, visit);
            visit(value);
        }
        StmtKind::Assign { place, value, .. } => {
            visit(value);
            visit(place);
        }
        StmtKind::Expr(expr) => visit(expr),
        StmtKind::For { item, iter, body, .. } => {
            in_pattern(item, visit);
            visit(iter);
            in_block(body, visit);
        }
        StmtKind::While { cond, body } => {
            visit(cond);
            in_block(body, visit);
        }
        StmtKind::Mock { value, .. } => in_mock_value(value, visit),
        StmtKind::Answer { pattern, after, value } => {
            in_pattern(pattern, visit);
            after.iter().for_each(&mut *visit);
            in_mock_value(value, visit);
        }
        StmtKind::Crash { nth, .. } => nth.iter().for_each(visit),
        StmtKind::Assert { cond, throws } => {
            visit(cond);
            throws.iter().flatten().for_each(|pattern| in_pattern(pattern, visit));
        }
        StmtKind::Error => {}
    }
}

fn in_mock_value<'t>(value: &'t MockValue, visit: &mut dyn FnMut(&'t Expr)) {
    match value {
        MockValue::Value(value) => visit(value),
        MockValue::Each(values) => values.iter().for_each(visit),
    }
}

fn in_body<'t>(body: &'t Body, visit: &mut dyn FnMut(&'t Expr)) {
    match body {
        Body::Expr(expr) => visit(expr),
        Body::Block(block) => in_block(block, visit),
    }
}

fn in_branches<'t>(branches: &'t Branches, visit: &mut dyn FnMut(&'t Expr)) {
    match branches {
        Branches::For { item, iter, body, .. } => {
            in_pattern(item, visit);
            visit(iter);
            in_block(body, visit);
        }
        Branches::Named(named) => named.iter().for_each(|(_, expr)| visit(expr)),
        Branches::List(list) => list.iter().for_each(visit),
    }
}

fn in_pattern<'t>(pattern: &'t Pattern, visit: &mut dyn FnMut(&'t Expr)) {
    match &pattern.kind {
        PatternKind::Literal(expr) => visit(expr),
        PatternKind::Record { fields, .. } => {
            fields.iter().filter_map(|(_, inner)| inner.as_ref()).for_each(|inner| in_pattern(inner, visit));
        }
        PatternKind::List { before, after, .. } => {
            before.iter().chain(after).for_each(|inner| in_pattern(inner, visit));
        }
        PatternKind::Or(patterns) => patterns.iter().for_each(|inner| in_pattern(inner, visit)),
        PatternKind::Wildcard | PatternKind::Bind(..) | PatternKind::Type(_) | PatternKind::Error => {}
    }
}

/// Whether `holds` for the expression or any below it. Nesting is followed on a stack of its own.
pub fn any<'t>(expr: &'t Expr, holds: &mut dyn FnMut(&'t Expr) -> bool) -> bool {
    let mut todo = vec![expr];
    while let Some(next) = todo.pop() {
        if holds(next) {
            return true;
        }
        children(next, &mut |inner| todo.push(inner));
    }
    false
}
