//! What holds of every tree, whatever the text: spans lie within those around them, and ids are dense.

use wf_lang::{
    span::Span,
    syntax::{
        Parsed,
        ast::{
            Block, Body, Branches, Expr, ExprKind, Item, ItemKind, MockValue, Pattern, PatternKind, StmtKind, TypeExpr,
            TypeExprKind,
        },
        visit,
    },
};

/// Checks a tree; panics with what is wrong.
pub(crate) fn check(parsed: &Parsed, text: &str) {
    let mut walk = Walk { text, ids: Vec::new(), broken: false };
    let mut before = 0;
    for item in &parsed.module.items {
        assert!(item.span.start >= before, "declarations are in order");
        before = item.span.start;
        walk.item(item);
    }
    walk.ids.sort_unstable();
    let dense: Vec<u32> = (0..parsed.module.expr_count).collect();
    assert_eq!(walk.ids, dense, "ids are dense and each is there once");
    let broken = walk.broken || parsed.module.items.iter().any(|item| matches!(item.kind, ItemKind::Error));
    assert!(!broken || !parsed.diagnostics.is_empty(), "what did not parse is reported: {text}");
}

struct Walk<'t> {
    text: &'t str,
    ids: Vec<u32>,
    /// Something did not parse.
    broken: bool,
}

impl Walk<'_> {
    fn within(&self, inner: Span, outer: Span, what: &str) {
        assert!(inner.start <= inner.end, "{what}: {inner:?} is inverted");
        assert!(self.text.get(inner.range()).is_some(), "{what}: {inner:?} is no place");
        assert!(
            outer.start <= inner.start && inner.end <= outer.end,
            "{what}: {inner:?} is not in {outer:?}: `{}` in `{}`",
            &self.text[inner.range()],
            &self.text[outer.range()]
        );
    }

    fn item(&mut self, item: &Item) {
        self.within(item.span, Span { start: 0, end: u32::MAX, ..item.span }, "declaration");
        for annotation in &item.annotations {
            self.within(annotation.span, item.span, "annotation");
            annotation.args.iter().for_each(|arg| self.expr(&arg.value, annotation.span));
        }
        match &item.kind {
            ItemKind::Let(item_let) => {
                item_let.ty.iter().for_each(|ty| self.ty(ty, item.span));
                self.expr(&item_let.value, item.span);
            }
            ItemKind::Type(named) => self.ty(&named.ty, item.span),
            ItemKind::State(fields) => {
                for field in fields {
                    self.within(field.name.span, item.span, "field");
                    self.ty(&field.ty, item.span);
                    field.value.iter().for_each(|value| self.expr(value, item.span));
                }
            }
            ItemKind::Agent(agent) => agent.fields.iter().for_each(|(name, value)| {
                self.within(name.span, item.span, "field");
                self.expr(value, item.span);
            }),
            ItemKind::Function(function) => {
                for param in &function.params {
                    self.within(param.name.span, item.span, "parameter");
                    param.ty.iter().for_each(|ty| self.ty(ty, item.span));
                    param.default.iter().for_each(|value| self.expr(value, item.span));
                }
                function.result.iter().for_each(|ty| self.ty(ty, item.span));
                function.body.iter().for_each(|body| self.block(body, item.span));
            }
            ItemKind::Test(test) => self.block(&test.body, item.span),
            ItemKind::Import(_) | ItemKind::Error => {}
        }
    }

    fn block(&mut self, block: &Block, outer: Span) {
        self.within(block.span, outer, "block");
        for stmt in &block.stmts {
            self.within(stmt.span, block.span, "statement");
            match &stmt.kind {
                StmtKind::Let { pattern, ty, value } => {
                    self.pattern(pattern, stmt.span);
                    ty.iter().for_each(|ty| self.ty(ty, stmt.span));
                    self.expr(value, stmt.span);
                }
                StmtKind::Assign { place, value, .. } => {
                    self.expr(place, stmt.span);
                    self.expr(value, stmt.span);
                }
                StmtKind::Expr(value) => self.expr(value, stmt.span),
                StmtKind::For { item, iter, body, .. } => {
                    self.pattern(item, stmt.span);
                    self.expr(iter, stmt.span);
                    self.block(body, stmt.span);
                }
                StmtKind::While { cond, body } => {
                    self.expr(cond, stmt.span);
                    self.block(body, stmt.span);
                }
                StmtKind::Mock { value, .. } => self.values(value, stmt.span),
                StmtKind::Answer { pattern, after, value } => {
                    self.pattern(pattern, stmt.span);
                    after.iter().for_each(|after| self.expr(after, stmt.span));
                    self.values(value, stmt.span);
                }
                StmtKind::Crash { nth, .. } => nth.iter().for_each(|nth| self.expr(nth, stmt.span)),
                StmtKind::Assert { cond, throws } => {
                    self.expr(cond, stmt.span);
                    throws.iter().flatten().for_each(|pattern| self.pattern(pattern, stmt.span));
                }
                StmtKind::Error => self.broken = true,
            }
        }
    }

    fn values(&mut self, value: &MockValue, outer: Span) {
        match value {
            MockValue::Value(value) => self.expr(value, outer),
            MockValue::Each(values) => values.iter().for_each(|value| self.expr(value, outer)),
        }
    }

    fn pattern(&mut self, pattern: &Pattern, outer: Span) {
        self.within(pattern.span, outer, "pattern");
        match &pattern.kind {
            PatternKind::Literal(value) => self.expr(value, pattern.span),
            PatternKind::Bind(name, ty) => {
                self.within(name.span, pattern.span, "name");
                ty.iter().for_each(|ty| self.ty(ty, pattern.span));
            }
            PatternKind::Type(ty) => self.ty(ty, pattern.span),
            PatternKind::Record { fields, .. } => {
                fields.iter().filter_map(|field| field.1.as_ref()).for_each(|inner| self.pattern(inner, pattern.span));
            }
            PatternKind::List { before, after, .. } => {
                before.iter().chain(after).for_each(|inner| self.pattern(inner, pattern.span));
            }
            PatternKind::Or(patterns) => patterns.iter().for_each(|inner| self.pattern(inner, pattern.span)),
            PatternKind::Wildcard => {}
            PatternKind::Error => self.broken = true,
        }
    }

    fn ty(&mut self, ty: &TypeExpr, outer: Span) {
        self.within(ty.span, outer, "type");
        match &ty.kind {
            TypeExprKind::Name { args, .. } => args.iter().for_each(|arg| self.ty(arg, ty.span)),
            TypeExprKind::List(inner) | TypeExprKind::Optional(inner) => self.ty(inner, ty.span),
            TypeExprKind::Record(fields) => fields.iter().for_each(|field| self.ty(&field.ty, ty.span)),
            TypeExprKind::Fn { params, result } => {
                params.iter().chain(result.as_deref()).for_each(|inner| self.ty(inner, ty.span));
            }
            TypeExprKind::Literal(value) => self.expr(value, ty.span),
            TypeExprKind::Union(types) => types.iter().for_each(|inner| self.ty(inner, ty.span)),
            TypeExprKind::Error => self.broken = true,
        }
    }

    fn expr(&mut self, expr: &Expr, outer: Span) {
        self.within(expr.span, outer, "expression");
        self.ids.push(expr.id.0);
        self.broken |= matches!(expr.kind, ExprKind::Error);
        match &expr.kind {
            ExprKind::If { cond, then, otherwise } => {
                self.expr(cond, expr.span);
                self.block(then, expr.span);
                otherwise.iter().for_each(|otherwise| self.expr(otherwise, expr.span));
            }
            ExprKind::Do(block) => self.block(block, expr.span),
            ExprKind::Match { subject, arms } => {
                self.expr(subject, expr.span);
                for arm in arms {
                    self.within(arm.span, expr.span, "arm");
                    self.pattern(&arm.pattern, arm.span);
                    arm.guard.iter().for_each(|guard| self.expr(guard, arm.span));
                    self.body(&arm.body, arm.span);
                }
            }
            ExprKind::Try { body, catch, finally } => {
                let blocks = [Some(body), catch.as_ref().map(|catch| &catch.1), finally.as_ref()];
                blocks.into_iter().flatten().for_each(|block| self.block(block, expr.span));
            }
            ExprKind::Lambda { params, body } => {
                for param in params {
                    param.ty.iter().for_each(|ty| self.ty(ty, expr.span));
                    param.default.iter().for_each(|value| self.expr(value, expr.span));
                }
                self.body(body, expr.span);
            }
            ExprKind::Gather(gather) => {
                gather.limit.iter().chain(&gather.first).for_each(|number| self.expr(number, expr.span));
                self.branches(&gather.branches, expr.span);
            }
            ExprKind::Race(branches) => self.branches(branches, expr.span),
            ExprKind::As { value, ty } => {
                self.expr(value, expr.span);
                self.ty(ty, expr.span);
            }
            ExprKind::TypeValue(ty) => self.ty(ty, expr.span),
            _ => visit::children(expr, &mut |inner| self.expr(inner, expr.span)),
        }
    }

    fn body(&mut self, body: &Body, outer: Span) {
        match body {
            Body::Expr(value) => self.expr(value, outer),
            Body::Block(block) => self.block(block, outer),
        }
    }

    fn branches(&mut self, branches: &Branches, outer: Span) {
        match branches {
            Branches::For { item, iter, body, .. } => {
                self.pattern(item, outer);
                self.expr(iter, outer);
                self.block(body, outer);
            }
            Branches::Named(named) => named.iter().for_each(|(_, value)| self.expr(value, outer)),
            Branches::List(list) => list.iter().for_each(|value| self.expr(value, outer)),
        }
    }
}
