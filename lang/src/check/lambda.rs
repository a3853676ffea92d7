//! Lambdas: their parameters from where they are expected, their results from their bodies.

use std::sync::Arc;

use super::{
    checker::{Checker, Returns},
    scope::Kind,
    ty::{FunctionType, ParamType, Type},
    union::settled,
};
use crate::syntax::ast::{Body, Param};

impl<'a> Checker<'a> {
    /// `(a, b) => a + b`.
    pub(super) fn lambda(&mut self, params: &'a [Param], body: &'a Body, want: Option<&Type>) -> Type {
        let want = want.and_then(|want| self.function_type(want));
        let wanted_result = want.as_ref().map(|want| want.result.clone());
        let result = match wanted_result {
            Some(Type::Unknown | Type::Null) | None => None,
            Some(result) => Some(result),
        };
        let drop = want.as_ref().is_some_and(|want| want.result == Type::Null);
        let mut types = Vec::with_capacity(params.len());
        let found = self.inside(false, |this| {
            for (i, param) in params.iter().enumerate() {
                let expected = want.as_ref().and_then(|want| want.params.get(i)).map(|param| param.ty.clone());
                let ty = match &param.ty {
                    Some(ty) => this.written(ty),
                    None => expected.unwrap_or_else(|| {
                        let message = format!("nothing says what `{}` is, so it is `any`", param.name.text);
                        let help = format!("give it a type: `({}: T) => …`", param.name.text);
                        this.implicit_any(param.name.span, &message, &help);
                        Type::Any
                    }),
                };
                if let Some(default) = &param.default {
                    this.check(default, &ty);
                }
                this.declare(&param.name, ty.clone(), Kind::Param);
                types.push(ParamType { name: param.name.text.clone(), ty, has_default: param.default.is_some() });
            }
            this.frame.returns = match &result {
                Some(result) => Returns::Typed(result.clone()),
                None => Returns::Inferred(Vec::new()),
            };
            let value = match body {
                Body::Expr(value) => this.check_or_infer(value, result.as_ref()),
                Body::Block(block) => this.block(block, result.as_ref()),
            };
            match std::mem::replace(&mut this.frame.returns, Returns::Fixed) {
                Returns::Inferred(all) => {
                    settled(&all.into_iter().chain([value]).fold(Type::Never, |a, b| this.unite(a, b)))
                }
                _ => value,
            }
        });
        let result = if drop { Type::Null } else { result.unwrap_or(found) };
        Type::Function(Arc::new(FunctionType { params: types, result }))
    }

    /// Does something inside a lambda or a branch: variables outside are copies there, loops cannot be left.
    pub(super) fn inside<T>(&mut self, branch: bool, work: impl FnOnce(&mut Self) -> T) -> T {
        let loops = std::mem::take(&mut self.frame.loops);
        let around = std::mem::take(&mut self.frame.around);
        let mark = self.frame.flow.mark();
        let returns = std::mem::replace(&mut self.frame.returns, Returns::Fixed);
        let piped = (self.frame.piped.take(), self.pipe.take());
        self.frame.scopes.level += 1;
        self.frame.scopes.branches.push(branch);
        let out = self.scoped(work);
        self.frame.scopes.branches.pop();
        self.frame.scopes.level -= 1;
        (self.frame.piped, self.pipe) = piped;
        self.frame.returns = returns;
        self.frame.flow.leave(mark);
        self.frame.around = around;
        self.frame.loops = loops;
        out
    }
}
