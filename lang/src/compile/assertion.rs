//! The statements of tests: mocks and answers as closures that the test's world keeps, and assertions that show what they
//! compared.

use super::{
    body::Body,
    control::{Bound, NestedBody},
};
use crate::{
    check::{ModuleId, Target, Type, Use, Watched},
    program::{Constant, FunctionKind, Gather, GatherBranches, GatherMode, HandlerKind, Op, Reg},
    span::Span,
    syntax::{
        ast::{self, BinaryOp, Expr, ExprKind, MockValue, Name, Pattern, Stmt, StmtKind},
        visit,
    },
};

/// Of how many variables an assertion that compares nothing shows the values.
const SHOWN: usize = 6;

impl<'c> Body<'_, 'c> {
    /// A statement that only tests have.
    pub(super) fn test_stmt(&mut self, stmt: &'c Stmt) {
        self.scoped(|body| match &stmt.kind {
            StmtKind::Mock { target, value } => body.mock(target, value),
            StmtKind::Answer { .. } => {
                let base = body.take(1);
                let params = vec![Bound::Data];
                body.nested(FunctionKind::Lambda, "answer", params, NestedBody::Answer(stmt), stmt.span, base);
                body.hook("_answer", base, 1);
            }
            StmtKind::Crash { during, target, nth } => body.crash(*during, target, nth.as_ref()),
            StmtKind::Assert { cond, throws: None } => body.assert(cond),
            StmtKind::Assert { cond, throws: Some(pattern) } => body.assert_throws(cond, pattern.as_ref()),
            _ => {
                let dst = body.take(1);
                body.not_built(dst);
            }
        });
    }

    /// The entry of what a statement names.
    fn entry_of(&mut self, target: &[Name], dst: Reg) {
        let tables = self.tables;
        match target.first().and_then(|name| tables.targets.get(&name.span.start)) {
            Some(watched) => self.watched_entry(*watched, dst),
            None => self.not_built(dst),
        }
    }

    fn watched_entry(&mut self, watched: Watched, dst: Reg) {
        let entry = self.compiler.watch(watched);
        self.constant(dst, Constant::Int(i64::from(entry)));
    }

    /// `_mock(of, functions, whether each takes the arguments of the call)`.
    fn mock(&mut self, target: &'c [Name], value: &'c MockValue) {
        let base = self.take(3);
        self.entry_of(target, base);
        let elements: &'c [Expr] = match value {
            MockValue::Value(value) => std::slice::from_ref(value),
            MockValue::Each(values) => values,
        };
        for list in [base + 1, base + 2] {
            self.emit(Op::List { dst: list, first: list, count: 0 });
        }
        for element in elements {
            self.scoped(|body| {
                let item = body.take(2);
                let lambda = is_lambda(element);
                match lambda {
                    true => body.expr(element, item),
                    false => body.thunk(element, item),
                }
                body.emit(Op::Bool { dst: item + 1, value: lambda });
                body.emit(Op::ListPush { list: base + 1, item, last: false });
                body.emit(Op::ListPush { list: base + 2, item: item + 1, last: false });
            });
        }
        self.hook("_mock", base, 3);
    }

    /// A function without parameters that gives the value of an expression.
    fn thunk(&mut self, value: &'c Expr, dst: Reg) {
        self.nested(FunctionKind::Lambda, "mock", Vec::new(), NestedBody::Expr(value), value.span, dst);
    }

    /// The body of an `answer` line: null when its pattern does not fit the data in `data`, else
    /// `{ after, values }` with a function for each value.
    pub(super) fn answer_line(&mut self, stmt: &'c Stmt, data: Reg, dst: Reg) {
        let StmtKind::Answer { pattern, after, value } = &stmt.kind else { return self.not_built(dst) };
        let mut misses = Vec::new();
        self.scoped(|body| {
            body.test(pattern, data, &Type::Any, &mut misses);
            let base = body.take(2);
            match after {
                Some(after) => body.expr(after, base),
                None => {
                    body.emit(Op::Null { dst: base });
                }
            }
            body.emit(Op::List { dst: base + 1, first: base + 1, count: 0 });
            let elements: &'c [Expr] = match value {
                MockValue::Value(value) => std::slice::from_ref(value),
                MockValue::Each(values) => values,
            };
            for element in elements {
                body.scoped(|body| {
                    let item = body.take(1);
                    body.thunk(element, item);
                    body.emit(Op::ListPush { list: base + 1, item, last: false });
                });
            }
            let shape = body.compiler.entry(|program| &mut program.shapes, vec!["after".into(), "values".into()]);
            body.emit(Op::Record { dst, first: base, shape });
        });
        let done = self.emit(Op::Jump { to: 0 });
        self.land_all(misses);
        self.emit(Op::Null { dst });
        self.land(done);
    }

    /// `_crash(of, whether during, how manieth)`.
    fn crash(&mut self, during: bool, target: &'c [Name], nth: Option<&'c Expr>) {
        let base = self.take(3);
        self.entry_of(target, base);
        self.emit(Op::Bool { dst: base + 1, value: during });
        match nth {
            Some(nth) => self.expr(nth, base + 2),
            None => self.constant(base + 2, Constant::Int(1)),
        }
        self.hook("_crash", base, 3);
    }

    /// `calls(of)`.
    pub(super) fn counted(&mut self, watched: Watched, dst: Reg) {
        self.scoped(|body| {
            let base = body.take(1);
            body.watched_entry(watched, base);
            body.hook("_calls", base, 1);
            body.emit(Op::Copy { dst, src: base });
        });
    }

    /// `observe e`: its branch runs on its own, and the world says how it went.
    pub(super) fn observe(&mut self, inner: &'c Expr, dst: Reg) {
        let (module, direct) = self.observed(inner);
        let state = self.compiler.state_of(module);
        self.scoped(|body| {
            let base = body.take(4);
            body.hook("_observe", base, 0);
            body.hook("_observed_from", base, 0);
            body.nested(FunctionKind::Branch, "observe", Vec::new(), NestedBody::Expr(inner), inner.span, base + 1);
            let branches = GatherBranches::List(1);
            let gather = Gather { branches, mode: GatherMode::Observe, limit: false, first: false };
            let gather = body.compiler.entry(|program| &mut program.gathers, gather);
            body.emit(Op::Gather { base: base + 1, gather });
            body.emit(Op::Call { base: base + 2, function: state.0 });
            body.emit(Op::Bool { dst: base + 3, value: direct });
            body.scoped(|body| {
                let saves = body.take(1);
                body.hook("_observe", saves, 0);
            });
            body.hook("_observed", base, 4);
            body.emit(Op::Copy { dst, src: base });
        });
    }

    /// Whose `ctx.state` an observed expression is about, and whether it is the call of a workflow or step itself.
    fn observed(&self, inner: &'c Expr) -> (ModuleId, bool) {
        if let ExprKind::Paren(inner) = &inner.kind {
            return self.observed(inner);
        }
        match self.tables.calls.get(&inner.id).map(|call| &call.target) {
            Some(Target::Function(item)) => {
                let declared = self.compiler.declared(*item);
                (item.module, declared.is_some_and(|function| function.kind != ast::FunctionKind::Fn))
            }
            _ => (self.item.module, false),
        }
    }

    fn assert(&mut self, cond: &'c Expr) {
        match &cond.kind {
            ExprKind::Paren(inner) if !self.tables.expects.contains_key(&cond.id) => self.assert(inner),
            ExprKind::Binary(BinaryOp::And, a, b) => {
                self.assert(a);
                self.assert(b);
            }
            ExprKind::Binary(op, a, b) if compares(*op) => self.at(cond.span, |body| body.assert_compares(*op, a, b)),
            _ => self.at(cond.span, |body| body.assert_holds(cond)),
        }
    }

    /// `_failed("compare", operator, [text of a, text of b], [a, b])` unless the comparison holds.
    fn assert_compares(&mut self, op: BinaryOp, a: &'c Expr, b: &'c Expr) {
        self.scoped(|body| {
            let base = body.take(4);
            let sides = body.take(2);
            body.expr(a, sides);
            body.expr(b, sides + 1);
            let holds = body.take(1);
            body.compare(op, (a, sides), (b, sides + 1), holds);
            let passed = body.emit(Op::JumpIf { cond: holds, to: 0 });
            body.constant(base, Constant::String("compare".into()));
            body.constant(base + 1, Constant::String(op.text().into()));
            body.texts([a.span, b.span], base + 2);
            body.emit(Op::List { dst: base + 3, first: sides, count: 2 });
            body.hook("_failed", base, 4);
            body.land(passed);
        });
    }

    /// `_failed("holds", null, [texts], [values])` unless the condition holds.
    fn assert_holds(&mut self, cond: &'c Expr) {
        self.scoped(|body| {
            let base = body.take(4);
            body.expr(cond, base);
            let passed = body.emit(Op::JumpIf { cond: base, to: 0 });
            let shown = body.variables(cond);
            body.constant(base, Constant::String("holds".into()));
            body.emit(Op::Null { dst: base + 1 });
            body.texts(shown.iter().map(|expr| expr.span), base + 2);
            body.emit(Op::List { dst: base + 3, first: base + 3, count: 0 });
            for expr in shown {
                body.scoped(|body| {
                    let item = body.fresh(expr);
                    body.emit(Op::ListPush { list: base + 3, item, last: false });
                });
            }
            body.hook("_failed", base, 4);
            body.land(passed);
        });
    }

    /// `_failed("throws", text of the pattern, thrown, error or value)` unless something is thrown that fits the pattern.
    fn assert_throws(&mut self, cond: &'c Expr, pattern: Option<&'c Pattern>) {
        self.scoped(|body| {
            let base = body.take(4);
            let mut misses = Vec::new();
            let start = body.pc();
            body.expr(cond, base + 3);
            let end = body.pc();
            body.emit(Op::Bool { dst: base + 2, value: false });
            let fail = body.emit(Op::Jump { to: 0 });
            body.handler(HandlerKind::Catch, start, end, base + 3);
            if let Some(pattern) = pattern {
                body.scoped(|body| body.test(pattern, base + 3, &Type::Any, &mut misses));
            }
            let passed = body.emit(Op::Jump { to: 0 });
            body.land_all(misses);
            body.emit(Op::Bool { dst: base + 2, value: true });
            body.land(fail);
            body.at(cond.span, |body| {
                body.constant(base, Constant::String("throws".into()));
                match pattern {
                    Some(pattern) => {
                        let text = body.text_of(pattern.span);
                        body.constant(base + 1, Constant::String(text));
                    }
                    None => {
                        body.emit(Op::Null { dst: base + 1 });
                    }
                }
                body.hook("_failed", base, 4);
            });
            body.land(passed);
        });
    }

    /// The variables, fields of them and parts of `ctx.state` that an expression reads.
    fn variables(&self, cond: &'c Expr) -> Vec<&'c Expr> {
        let mut found: Vec<&'c Expr> = Vec::new();
        let mut todo = vec![cond];
        while let Some(expr) = todo.pop() {
            if matches!(expr.kind, ExprKind::Lambda { .. }) {
                continue;
            }
            if self.is_variable(expr) {
                let text = self.text_of(expr.span);
                if !found.iter().any(|known| self.text_of(known.span) == text) {
                    found.push(expr);
                }
                continue;
            }
            let mut inside = Vec::new();
            match &expr.kind {
                // What stands before the dot of a method is a value, the method is none.
                ExprKind::Call { callee, args } => {
                    match &callee.kind {
                        ExprKind::Field { object, .. } => inside.push(&**object),
                        _ => inside.push(&**callee),
                    }
                    inside.extend(args.iter().map(|arg| &arg.value));
                }
                _ => visit::children(expr, &mut |inner| inside.push(inner)),
            }
            todo.extend(inside.into_iter().rev());
        }
        found.truncate(SHOWN);
        found
    }

    fn is_variable(&self, expr: &'c Expr) -> bool {
        match (self.tables.uses.get(&expr.id), &expr.kind) {
            (Some(Use::Local(local)), _) => self.locals.contains_key(local),
            (Some(Use::CtxState), _) => true,
            (Some(_), _) => false,
            (None, ExprKind::Field { object, optional: false, .. }) => self.is_variable(object),
            _ => false,
        }
    }

    /// Pieces of the source as a list.
    fn texts(&mut self, spans: impl IntoIterator<Item = Span>, dst: Reg) {
        self.emit(Op::List { dst, first: dst, count: 0 });
        for span in spans {
            self.scoped(|body| {
                let item = body.take(1);
                let text = body.text_of(span);
                body.constant(item, Constant::String(text));
                body.emit(Op::ListPush { list: dst, item, last: false });
            });
        }
    }

    fn text_of(&self, span: Span) -> smol_str::SmolStr {
        let source = &self.compiler.checked.modules[usize::from(self.item.module.0)].source;
        source.text.get(span.range()).unwrap_or_default().into()
    }
}

fn compares(op: BinaryOp) -> bool {
    use BinaryOp::{Eq, Ge, Gt, In, Le, Lt, Ne};
    matches!(op, Eq | Ne | Lt | Le | Gt | Ge | In)
}

fn is_lambda(expr: &Expr) -> bool {
    match &expr.kind {
        ExprKind::Paren(inner) => is_lambda(inner),
        kind => matches!(kind, ExprKind::Lambda { .. }),
    }
}
