//! Arguments: which parameter each is for, and whether it fits.

use std::sync::Arc;

use smol_str::SmolStr;

use super::{
    ArgFrom, Signature,
    checker::Checker,
    generic::{Bindings, vars},
    relate::Fit,
    suggest::{did_you_mean, nearest},
    ty::{FunctionType, ParamType, Type},
    union::{erase, has_var, widen},
};
use crate::{
    code::Code,
    diagnostic::Diagnostic,
    span::Span,
    syntax::ast::{Arg, Expr, ExprId, ExprKind, Name},
};

/// A call as written.
#[derive(Clone, Copy)]
pub(super) struct Given<'a> {
    /// Under which expression the plan is kept.
    pub(super) key: ExprId,
    /// What is called, for messages about what is missing.
    pub(super) span: Span,
    /// What stands before `|>`.
    pub(super) piped: Option<&'a Expr>,
    /// The arguments in the parentheses.
    pub(super) args: &'a [Arg],
}

impl<'a> Given<'a> {
    /// How many values are given.
    pub(super) fn count(&self) -> usize {
        self.args.len() + usize::from(self.piped.is_some())
    }

    /// The values that are given, in order.
    pub(super) fn values(&self) -> impl Iterator<Item = &'a Expr> + use<'a> {
        self.piped.into_iter().chain(self.args.iter().map(|arg| &arg.value))
    }

    /// Whether the count and the names can be meant for these parameters.
    pub(super) fn may_be_for(&self, params: &[ParamType]) -> bool {
        let needed = params.iter().filter(|param| !param.has_default).count();
        let named = |arg: &Arg| arg.name.as_ref().is_none_or(|name| params.iter().any(|p| p.name == name.text));
        self.count() <= params.len() && self.count() >= needed.min(params.len()) && self.args.iter().all(named)
    }
}

/// Where the value of one parameter comes from.
#[derive(Clone, Copy)]
pub(super) struct Slot<'a> {
    pub(super) from: ArgFrom,
    pub(super) value: Option<&'a Expr>,
}

impl<'a> Checker<'a> {
    /// Finds the parameter of each argument; what does not go together is reported.
    pub(super) fn plan(&mut self, given: &Given<'a>, params: &[ParamType], what: &str) -> Vec<Slot<'a>> {
        let mut slots: Vec<Option<Slot<'a>>> = vec![None; params.len()];
        let piped = given.piped.map(|value| (ArgFrom::Piped, None, value));
        let written = given.args.iter().enumerate();
        let written = written.map(|(i, arg)| (ArgFrom::Given(i), arg.name.as_ref(), &arg.value));
        let (mut next, mut named, mut wrong) = (0, false, false);
        for (from, name, value) in piped.into_iter().chain(written) {
            let at = match name {
                Some(name) => {
                    named = true;
                    params.iter().position(|param| param.name == name.text && !param.name.is_empty())
                }
                None => {
                    next += 1;
                    (next <= params.len()).then_some(next - 1)
                }
            };
            let problem = match (at, name) {
                (None, Some(name)) => Some(self.unknown_param(what, params, &slots, given, name)),
                (None, None) => Some(too_many(what, params.len(), given, value.span)),
                (Some(_), None) if named => Some(
                    Diagnostic::new(Code::BadArguments, value.span, "an argument without a name follows a named one")
                        .help("arguments go by position first, then by name"),
                ),
                (Some(at), _) if slots[at].is_some() => {
                    let message = format!("`{}` is given twice", params[at].name);
                    let span = name.map_or(value.span, |n| n.span);
                    let help = match slots[at].map(|slot| slot.from) {
                        Some(ArgFrom::Piped) => "what stands before `|>` is the first argument: leave this one out",
                        _ => "leave one of them out",
                    };
                    Some(Diagnostic::new(Code::BadArguments, span, message).help(help))
                }
                _ => None,
            };
            match (problem, at) {
                (None, Some(at)) => slots[at] = Some(Slot { from, value: Some(value) }),
                (problem, _) => {
                    self.infer(value, None);
                    // One message about too many arguments is enough.
                    if !(wrong && at.is_none() && name.is_none())
                        && let Some(problem) = problem
                    {
                        self.report(problem);
                    }
                    wrong = true;
                }
            }
        }
        if !wrong {
            self.report_missing(given, params, &slots, what);
        }
        let none = Slot { from: ArgFrom::Default, value: None };
        slots.into_iter().map(|slot| slot.unwrap_or(none)).collect()
    }

    fn unknown_param(
        &self,
        what: &str,
        params: &[ParamType],
        slots: &[Option<Slot<'a>>],
        given: &Given<'a>,
        name: &Name,
    ) -> Diagnostic {
        let known = params.iter().map(|param| param.name.as_str()).filter(|name| !name.is_empty());
        let all: Vec<&str> = known.collect();
        let named =
            |param: &ParamType| given.args.iter().filter_map(|arg| arg.name.as_ref()).any(|n| n.text == param.name);
        let open = params.iter().zip(slots).filter(|(param, slot)| slot.is_none() && !named(param));
        let found = nearest(&name.text, open.map(|(param, _)| param.name.as_str()).filter(|name| !name.is_empty()));
        let message = format!("{what} has no parameter `{}`", name.text);
        let diagnostic = Diagnostic::new(Code::BadArguments, name.span, message);
        match did_you_mean(&found) {
            Some(help) => diagnostic.help(help),
            None if all.is_empty() => diagnostic,
            None => diagnostic.help(format!("it has `{}`", all.join("`, `"))),
        }
    }

    fn report_missing(&mut self, given: &Given<'a>, params: &[ParamType], slots: &[Option<Slot<'a>>], what: &str) {
        let missing = params.iter().zip(slots).filter(|(param, slot)| slot.is_none() && !param.has_default);
        let missing: Vec<String> = missing
            .map(|(param, _)| {
                let ty = self.show(&erase(&param.ty));
                if param.name.is_empty() { format!("`{ty}`") } else { format!("`{}: {ty}`", param.name) }
            })
            .collect();
        if missing.is_empty() {
            return;
        }
        let message = format!("{what} needs {}", missing.join(", "));
        let help = format!("add {}", if missing.len() == 1 { "the argument" } else { "the arguments" });
        self.report(Diagnostic::new(Code::BadArguments, given.span, message).help(help));
    }

    /// Holds the arguments against a signature, whose first `skip` parameters are filled by the receiver, which has
    /// been unified with them. Gives the type of the result.
    pub(super) fn apply_args(
        &mut self,
        slots: &[Slot<'a>],
        signature: &Signature,
        skip: usize,
        mut b: Bindings,
        want: Option<&Type>,
    ) -> Type {
        let pairs: Vec<(&'a Expr, &Type)> = slots
            .iter()
            .zip(&signature.params[skip..])
            .filter_map(|(slot, param)| Some((slot.value?, &param.ty)))
            .collect();
        b.widen_results(&signature.params);
        // `xs.reduce(null, …)` says that there may be null; elsewhere a value that is there fits where one may be missing.
        let null = pairs.iter().any(|(value, ty)| matches!(value.kind, ExprKind::Null) && **ty == signature.result);
        self.learn_from_result(signature, want, null, &mut b);
        let of_type = |ty: &Type| has_var(ty) && type_argument(ty).is_some();
        for (value, ty) in pairs.iter().filter(|(_, ty)| of_type(ty)) {
            self.type_arg(value, ty, &mut b);
        }
        for (value, ty) in pairs.iter().filter(|(value, ty)| !of_type(ty) && !is_lambda(value)) {
            self.arg(value, ty, &mut b);
        }
        for (value, ty) in pairs.iter().filter(|(value, ty)| !of_type(ty) && is_lambda(value)) {
            self.lambda_arg(value, ty, &mut b);
        }
        b.apply(&signature.result, true)
    }

    /// What is expected of the result says what variables stand for that no argument tells of; a `type<T>` that is
    /// left out means its default.
    fn learn_from_result(&mut self, signature: &Signature, want: Option<&Type>, null: bool, b: &mut Bindings) {
        let Some(want) = want else { return };
        if !has_var(&signature.result) {
            return;
        }
        let mut hints = Bindings::new(signature.type_params);
        let whole = null || matches!(signature.result, Type::Union(_));
        let want = if whole { want.clone() } else { self.non_null(want) };
        self.learn(&signature.result, &want, &mut hints);
        b.hints = (0..signature.type_params)
            .map(|var| hints.knows(&Type::Var(var), false).then(|| hints.apply(&Type::Var(var), false)))
            .collect();
        for param in &signature.params {
            if let Some(inner) = type_argument(&param.ty) {
                for var in vars(inner) {
                    b.forget_hint(var);
                }
            }
        }
        // Where nothing is given for a variable, the result is whatever it is, and is checked where it is put.
        for var in 0..signature.type_params {
            if !signature.params.iter().any(|param| vars(&param.ty).contains(&var)) {
                b.forget_hint(var);
            }
        }
    }

    pub(super) fn learn(&self, pattern: &Type, want: &Type, hints: &mut Bindings) {
        match (pattern, want) {
            (_, Type::Any | Type::Unknown | Type::Never | Type::Hole(_)) => {}
            // Declared types keep their names, literals theirs.
            (Type::Var(var), _) => hints.set(*var, want.clone()),
            (Type::List(p), Type::List(w)) | (Type::Map(p), Type::Map(w)) => self.learn(p, w, hints),
            (Type::Union(members), _) => {
                if let Some(Type::Var(var)) = members.iter().find(|member| matches!(member, Type::Var(_))) {
                    hints.set(*var, self.non_null(want));
                }
            }
            (_, Type::Named(_)) if !matches!(pattern, Type::Named(_)) => {
                self.learn(pattern, &self.resolve(want), hints)
            }
            (Type::Record(p), Type::Record(w)) => {
                for field in &p.fields {
                    if let Some(other) = w.field(&field.name) {
                        self.learn(&field.ty, &other.ty, hints);
                    }
                }
            }
            _ => {}
        }
    }

    fn type_arg(&mut self, value: &'a Expr, ty: &Type, b: &mut Bindings) {
        let got = self.infer(value, None);
        let inner = type_argument(ty).cloned().unwrap_or(Type::Any);
        match (self.resolve(&got), &inner) {
            (Type::TypeOf(given), Type::Var(var)) => b.set(*var, (*given).clone()),
            (Type::TypeOf(given), _) => self.unify(&inner, &given, b),
            (Type::Unknown, Type::Var(var)) => b.set(*var, Type::Unknown),
            (Type::Null, _) if self.has_null(ty) => {}
            (Type::Any | Type::Never | Type::Union(_), _) => {
                if let Type::Var(var) = inner {
                    b.set(var, Type::Any);
                }
            }
            (found, _) => {
                let message = format!("expected a type, found `{}`", self.show(&found));
                let help = "give the name of a type, or write one out: `type [string]`";
                self.report(Diagnostic::new(Code::Mismatch, value.span, message).help(help));
                if let Type::Var(var) = inner {
                    b.set(var, Type::Unknown);
                }
            }
        }
    }

    fn arg(&mut self, value: &'a Expr, ty: &Type, b: &mut Bindings) {
        if !has_var(ty) {
            self.check(value, ty);
            return;
        }
        if b.is_fixed(ty) {
            let want = b.apply(ty, true);
            let got = self.check(value, &want);
            self.unify(ty, &got, b);
            return;
        }
        let hint = (b.knows(ty, true) && !b.knows(ty, false)).then(|| b.apply(ty, true));
        if let Some(hint) = hint.as_ref().filter(|_| is_literal(value)) {
            self.check(value, hint);
            self.learn(ty, hint, b);
            return;
        }
        let got = self.infer(value, hint.as_ref());
        let called = match ty {
            Type::Function(function) => Some(function.params.iter().map(|p| b.apply_called(&p.ty)).collect::<Vec<_>>()),
            _ => None,
        };
        match hint {
            // What is expected of the result keeps what is exact.
            Some(hint) if self.fits(&got, &hint) == Fit::Yes && self.fits(&widen(&got), &hint) != Fit::Yes => {
                self.learn(ty, &hint, b);
            }
            _ => self.unify(ty, &got, b),
        }
        let mut want = b.apply(ty, false);
        if let (Type::Function(function), Some(called)) = (&want, called) {
            let exact = function.params.iter().zip(called).map(|(p, ty)| ParamType { ty, ..p.clone() }).collect();
            let exact = Type::Function(Arc::new(FunctionType { params: exact, result: function.result.clone() }));
            if self.fits(&got, &exact) == Fit::Yes {
                want = exact;
            }
        }
        self.coerce(value, got, &want);
    }

    fn lambda_arg(&mut self, value: &'a Expr, ty: &Type, b: &mut Bindings) {
        let Some(function) = self.function_type(ty).filter(|_| has_var(ty)) else {
            self.arg(value, ty, b);
            return;
        };
        let params = function.params.iter().map(|p| ParamType { ty: b.apply_called(&p.ty), ..p.clone() });
        let params: Vec<ParamType> = params.collect();
        let known = b.knows(&function.result, false) && b.is_fixed(&function.result);
        let hinted = !known && b.knows(&function.result, true) && !b.knows(&function.result, false);
        let result = if known || hinted { b.apply(&function.result, true) } else { Type::Unknown };
        let want = Type::Function(Arc::new(FunctionType { params, result: result.clone() }));
        let got = self.check(value, &want);
        if hinted {
            self.learn(&function.result, &result, b);
        } else if let Type::Function(got) = &got {
            self.unify(&function.result, &got.result, b);
        }
    }
}

/// The `T` of a parameter of type `type<T>` or `type<T>?`.
fn type_argument(ty: &Type) -> Option<&Type> {
    match ty {
        Type::TypeOf(inner) => Some(inner),
        Type::Union(members) => members.iter().find_map(type_argument),
        _ => None,
    }
}

fn is_lambda(value: &Expr) -> bool {
    match &value.kind {
        ExprKind::Lambda { .. } => true,
        ExprKind::Paren(inner) => is_lambda(inner),
        _ => false,
    }
}

fn is_literal(value: &Expr) -> bool {
    matches!(value.kind, ExprKind::List(_) | ExprKind::Record(_) | ExprKind::Null | ExprKind::Str(_))
}

fn too_many(what: &str, most: usize, given: &Given<'_>, span: Span) -> Diagnostic {
    let found = given.count();
    let takes = match most {
        0 => "no arguments".to_owned(),
        1 => "1 argument".to_owned(),
        n => format!("{n} arguments"),
    };
    Diagnostic::new(Code::BadArguments, span, format!("{what} takes {takes}, found {found}")).help(match given.piped {
        Some(_) => "take out what is too much: the first is what stands before `|>`",
        None => "take out what is too much",
    })
}

/// A name in a message.
pub(super) fn quoted(name: &SmolStr) -> String {
    format!("`{name}`")
}
