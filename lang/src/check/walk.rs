//! Goes through a tree, telling a visitor of each part before what is inside it.

use crate::syntax::ast::{
    Arm, Block, Body, Branches, Element, Expr, ExprKind, Function, Item, ItemKind, MockValue, Name, Param, Pattern,
    PatternKind, RecordField, Stmt, StmtKind, StrPart, TypeExpr, TypeExprKind,
};

/// Is told of what a walk meets.
pub(super) trait Visitor {
    /// An expression; `false` keeps the walk out of it.
    fn expr(&mut self, _expr: &Expr) -> bool {
        true
    }
    /// A statement.
    fn stmt(&mut self, _stmt: &Stmt) {}
    /// A pattern, of a `match` arm or of anything else.
    fn pattern(&mut self, _pattern: &Pattern, _arm: bool) {}
    /// A written type, and each that it is made of.
    fn ty(&mut self, _ty: &TypeExpr) {}
    /// A block, before its statements.
    fn block(&mut self, _block: &Block) {}
    /// A name that is declared, from here to the end of the block.
    fn bind(&mut self, _name: &Name) {}
    /// A block, a function or an arm begins: what is declared in it ends with it.
    fn enter(&mut self) {}
    /// It ends.
    fn leave(&mut self) {}
}

/// Walks a declaration.
pub(super) fn walk_item(item: &Item, visitor: &mut dyn Visitor) {
    for annotation in &item.annotations {
        annotation.args.iter().for_each(|arg| walk_expr(&arg.value, visitor));
    }
    match &item.kind {
        ItemKind::Let(item) => {
            item.ty.iter().for_each(|ty| walk_type(ty, visitor));
            walk_expr(&item.value, visitor);
        }
        ItemKind::State(fields) => {
            for field in fields {
                walk_type(&field.ty, visitor);
                field.value.iter().for_each(|value| walk_expr(value, visitor));
            }
        }
        ItemKind::Type(item) => walk_type(&item.ty, visitor),
        ItemKind::Agent(agent) => agent.fields.iter().for_each(|(_, value)| walk_expr(value, visitor)),
        ItemKind::Function(function) => walk_function(function, visitor),
        ItemKind::Test(test) => walk_block(&test.body, visitor),
        ItemKind::Import(_) | ItemKind::Error => {}
    }
}

fn walk_function(function: &Function, visitor: &mut dyn Visitor) {
    visitor.enter();
    walk_params(&function.params, visitor);
    function.result.iter().for_each(|ty| walk_type(ty, visitor));
    if let Some(body) = &function.body {
        walk_block(body, visitor);
    }
    visitor.leave();
}

fn walk_params(params: &[Param], visitor: &mut dyn Visitor) {
    for param in params {
        param.ty.iter().for_each(|ty| walk_type(ty, visitor));
        param.default.iter().for_each(|default| walk_expr(default, visitor));
        visitor.bind(&param.name);
    }
}

/// Walks the statements of a block.
pub(super) fn walk_block(block: &Block, visitor: &mut dyn Visitor) {
    visitor.enter();
    visitor.block(block);
    block.stmts.iter().for_each(|stmt| walk_stmt(stmt, visitor));
    visitor.leave();
}

/// Walks what a loop or `gather … for` does in each round.
fn walk_round(index: Option<&Name>, item: &Pattern, iter: &Expr, body: &Block, visitor: &mut dyn Visitor) {
    walk_expr(iter, visitor);
    visitor.enter();
    index.iter().for_each(|index| visitor.bind(index));
    walk_pattern(item, false, visitor);
    walk_block(body, visitor);
    visitor.leave();
}

fn walk_stmt(stmt: &Stmt, visitor: &mut dyn Visitor) {
    visitor.stmt(stmt);
    match &stmt.kind {
        StmtKind::Let { pattern, ty, value } => {
            ty.iter().for_each(|ty| walk_type(ty, visitor));
            walk_expr(value, visitor);
            walk_pattern(pattern, false, visitor);
        }
        StmtKind::Assign { place, value, .. } => {
            walk_expr(place, visitor);
            walk_expr(value, visitor);
        }
        StmtKind::Expr(expr) => walk_expr(expr, visitor),
        StmtKind::For { index, item, iter, body } => walk_round(index.as_ref(), item, iter, body, visitor),
        StmtKind::While { cond, body } => {
            walk_expr(cond, visitor);
            walk_block(body, visitor);
        }
        StmtKind::Mock { value, .. } => walk_mock_value(value, visitor),
        StmtKind::Answer { pattern, after, value } => {
            walk_pattern(pattern, false, visitor);
            after.iter().for_each(|after| walk_expr(after, visitor));
            walk_mock_value(value, visitor);
        }
        StmtKind::Assert { cond, throws } => {
            walk_expr(cond, visitor);
            throws.iter().flatten().for_each(|pattern| walk_pattern(pattern, false, visitor));
        }
        StmtKind::Crash { nth, .. } => nth.iter().for_each(|nth| walk_expr(nth, visitor)),
        StmtKind::Error => {}
    }
}

fn walk_mock_value(value: &MockValue, visitor: &mut dyn Visitor) {
    match value {
        MockValue::Value(value) => walk_expr(value, visitor),
        MockValue::Each(values) => values.iter().for_each(|value| walk_expr(value, visitor)),
    }
}

fn walk_pattern(pattern: &Pattern, arm: bool, visitor: &mut dyn Visitor) {
    visitor.pattern(pattern, arm);
    match &pattern.kind {
        PatternKind::Bind(name, ty) => {
            ty.iter().for_each(|ty| walk_type(ty, visitor));
            visitor.bind(name);
        }
        PatternKind::Type(ty) => walk_type(ty, visitor),
        PatternKind::Record { fields, rest } => {
            for (name, inner) in fields {
                match inner {
                    Some(inner) => walk_pattern(inner, arm, visitor),
                    None => visitor.bind(name),
                }
            }
            rest.iter().flatten().for_each(|name| visitor.bind(name));
        }
        PatternKind::List { before, rest, after } => {
            before.iter().for_each(|p| walk_pattern(p, arm, visitor));
            rest.iter().flatten().for_each(|name| visitor.bind(name));
            after.iter().for_each(|p| walk_pattern(p, arm, visitor));
        }
        PatternKind::Or(all) => all.iter().for_each(|p| walk_pattern(p, arm, visitor)),
        PatternKind::Literal(_) | PatternKind::Wildcard | PatternKind::Error => {}
    }
}

/// Walks an expression and all that is in it.
pub(super) fn walk_expr(expr: &Expr, visitor: &mut dyn Visitor) {
    stacker::maybe_grow(64 << 10, 1 << 20, || {
        if visitor.expr(expr) {
            walk_inside(expr, visitor);
        }
    });
}

fn walk_inside(expr: &Expr, visitor: &mut dyn Visitor) {
    match &expr.kind {
        ExprKind::Str(parts) => {
            for part in parts {
                if let StrPart::Expr(inner) = part {
                    walk_expr(inner, visitor);
                }
            }
        }
        ExprKind::List(elements) => {
            for Element::Item(inner) | Element::Spread(inner) in elements {
                walk_expr(inner, visitor);
            }
        }
        ExprKind::Record(fields) => fields.iter().for_each(|field| walk_field(field, visitor)),
        ExprKind::As { value, ty } => {
            walk_expr(value, visitor);
            walk_type(ty, visitor);
        }
        ExprKind::TypeValue(ty) => walk_type(ty, visitor),
        ExprKind::Unary(_, inner)
        | ExprKind::Field { object: inner, .. }
        | ExprKind::Throw(inner)
        | ExprKind::Observe(inner)
        | ExprKind::Paren(inner) => walk_expr(inner, visitor),
        ExprKind::Binary(_, a, b) | ExprKind::Index { object: a, index: b } | ExprKind::Pipe { value: a, call: b } => {
            walk_expr(a, visitor);
            walk_expr(b, visitor);
        }
        ExprKind::Range { start, end, .. } => {
            start.iter().chain(end).for_each(|inner| walk_expr(inner, visitor));
        }
        ExprKind::Call { callee, args } => {
            walk_expr(callee, visitor);
            args.iter().for_each(|arg| walk_expr(&arg.value, visitor));
        }
        ExprKind::Lambda { params, body } => {
            visitor.enter();
            walk_params(params, visitor);
            walk_body(body, visitor);
            visitor.leave();
        }
        ExprKind::Return(value) => value.iter().for_each(|value| walk_expr(value, visitor)),
        ExprKind::Do(block) => walk_block(block, visitor),
        ExprKind::If { .. } | ExprKind::Match { .. } | ExprKind::Try { .. } => walk_control(expr, visitor),
        ExprKind::Gather(gather) => {
            gather.limit.iter().chain(&gather.first).for_each(|inner| walk_expr(inner, visitor));
            walk_branches(&gather.branches, visitor);
        }
        ExprKind::Race(branches) => walk_branches(branches, visitor),
        ExprKind::Null
        | ExprKind::Bool(_)
        | ExprKind::Int(_)
        | ExprKind::Float(_)
        | ExprKind::Duration(_)
        | ExprKind::Name(_)
        | ExprKind::Break
        | ExprKind::Continue
        | ExprKind::Error => {}
    }
}

fn walk_control(expr: &Expr, visitor: &mut dyn Visitor) {
    match &expr.kind {
        ExprKind::If { cond, then, otherwise } => {
            walk_expr(cond, visitor);
            walk_block(then, visitor);
            otherwise.iter().for_each(|inner| walk_expr(inner, visitor));
        }
        ExprKind::Match { subject, arms } => {
            walk_expr(subject, visitor);
            arms.iter().for_each(|arm| walk_arm(arm, visitor));
        }
        ExprKind::Try { body, catch, finally } => {
            walk_block(body, visitor);
            if let Some((name, block)) = catch {
                visitor.enter();
                name.iter().for_each(|name| visitor.bind(name));
                walk_block(block, visitor);
                visitor.leave();
            }
            finally.iter().for_each(|block| walk_block(block, visitor));
        }
        _ => {}
    }
}

fn walk_arm(arm: &Arm, visitor: &mut dyn Visitor) {
    visitor.enter();
    walk_pattern(&arm.pattern, true, visitor);
    arm.guard.iter().for_each(|guard| walk_expr(guard, visitor));
    walk_body(&arm.body, visitor);
    visitor.leave();
}

fn walk_body(body: &Body, visitor: &mut dyn Visitor) {
    match body {
        Body::Expr(inner) => walk_expr(inner, visitor),
        Body::Block(block) => walk_block(block, visitor),
    }
}

fn walk_field(field: &RecordField, visitor: &mut dyn Visitor) {
    match field {
        RecordField::Named { value, .. } | RecordField::Spread(value) => walk_expr(value, visitor),
        RecordField::Computed { key, value } => {
            walk_expr(key, visitor);
            walk_expr(value, visitor);
        }
    }
}

fn walk_branches(branches: &Branches, visitor: &mut dyn Visitor) {
    match branches {
        Branches::For { index, item, iter, body } => walk_round(index.as_ref(), item, iter, body, visitor),
        Branches::Named(fields) => fields.iter().for_each(|(_, value)| walk_expr(value, visitor)),
        Branches::List(items) => items.iter().for_each(|item| walk_expr(item, visitor)),
    }
}

fn walk_type(ty: &TypeExpr, visitor: &mut dyn Visitor) {
    visitor.ty(ty);
    match &ty.kind {
        TypeExprKind::Name { args, .. } => args.iter().for_each(|arg| walk_type(arg, visitor)),
        TypeExprKind::List(inner) | TypeExprKind::Optional(inner) => walk_type(inner, visitor),
        TypeExprKind::Record(fields) => fields.iter().for_each(|field| walk_type(&field.ty, visitor)),
        TypeExprKind::Fn { params, result } => {
            params.iter().for_each(|param| walk_type(param, visitor));
            result.iter().for_each(|result| walk_type(result, visitor));
        }
        TypeExprKind::Union(members) => members.iter().for_each(|member| walk_type(member, visitor)),
        TypeExprKind::Literal(_) | TypeExprKind::Error => {}
    }
}
