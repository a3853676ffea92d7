//! `if` and `try` as expressions.

use super::{
    agent::error_type,
    checker::Checker,
    flow::State,
    relate::Fit,
    scope::Kind,
    ty::Type,
    union::{optional, union},
};
use crate::{
    code::Code,
    diagnostic::Diagnostic,
    syntax::ast::{Block, Expr, Name},
};

impl<'a> Checker<'a> {
    /// `if c { } else { }`.
    pub(super) fn if_else(
        &mut self,
        expr: &'a Expr,
        cond: &'a Expr,
        then: &'a Block,
        otherwise: Option<&'a Expr>,
        want: Option<&Type>,
    ) -> Type {
        let split = self.condition(cond);
        let (yes, end) = self.aside(&split.yes, |this| this.block(then, want));
        let Some(otherwise) = otherwise else {
            self.join([end, split.no]);
            if let Some(want) = want
                && self.fits(&Type::Null, want) == Fit::No
            {
                let message = format!("expected `{}`, but an `if` without `else` may give null", self.show(want));
                let help = "add an `else` that gives the value";
                self.report(Diagnostic::new(Code::Mismatch, expr.span, message).help(help));
                return Type::Unknown;
            }
            return optional(yes);
        };
        let (no, other_end) = self.aside(&split.no, |this| this.check_or_infer(otherwise, want));
        self.join([end, other_end]);
        self.unite(yes, no)
    }

    /// `try { } catch e { }`.
    pub(super) fn try_catch(
        &mut self,
        body: &'a Block,
        catch: Option<&'a (Option<Name>, Block)>,
        finally: Option<&'a Block>,
        want: Option<&Type>,
    ) -> Type {
        let nothing = State::default();
        let (ty, end) = self.aside(&nothing, |this| this.block(body, want));
        let (mut found, mut ends) = (vec![ty], vec![end]);
        if let Some((name, block)) = catch {
            let (ty, end) = self.aside(&nothing, |this| {
                // The body may have been left anywhere.
                this.forget_in(body.span);
                this.scoped(|this| {
                    if let Some(name) = name {
                        this.declare(name, error_type(), Kind::Catch);
                    }
                    this.block(block, want)
                })
            });
            found.push(ty);
            ends.push(end);
        }
        if let Some(block) = finally {
            let (_, end) = self.aside(&nothing, |this| {
                this.forget_in(body.span);
                catch.iter().for_each(|(_, block)| this.forget_in(block.span));
                this.block(block, None)
            });
            self.join(ends);
            self.forget_in(block.span);
            self.frame.flow.dead |= end.dead;
        } else {
            self.join(ends);
        }
        union(found)
    }
}
