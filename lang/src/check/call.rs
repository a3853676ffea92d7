//! Calls: what is called, and the plan by which it is.

use super::{
    ArgFrom, Call, ItemRef, Target, Use,
    args::{Given, Slot, quoted},
    checker::Checker,
    generic::Bindings,
    name::Dotted,
    prescan::CHANGING,
    ty::{FunctionType, ParamType, Type},
    union::union,
};
use crate::{
    code::Code,
    diagnostic::Diagnostic,
    syntax::ast::{Arg, Expr, ExprId, ExprKind},
};

impl<'a> Checker<'a> {
    /// `f(a)`, `m.f(a)`, `x.f(a)`, and the same at the right of `|>`.
    pub(super) fn call(
        &mut self,
        expr: &'a Expr,
        callee: &'a Expr,
        args: &'a [Arg],
        want: Option<&Type>,
    ) -> (Type, bool) {
        let piped = self.take_piped(expr);
        let (key, piped) = piped.unwrap_or((expr.id, None));
        let given = Given { key, span: callee.span, piped, args };
        self.call_path(callee, &given, want)
    }

    /// `a |> f`, where `f` is a path without arguments.
    pub(super) fn piped_path(&mut self, path: &'a Expr, want: Option<&Type>) -> (Type, bool) {
        let Some((key, piped)) = self.take_piped(path) else { return (Type::Unknown, false) };
        let given = Given { key, span: path.span, piped, args: &[] };
        self.call_path(path, &given, want)
    }

    fn take_piped(&mut self, at: &Expr) -> Option<(ExprId, Option<&'a Expr>)> {
        if self.frame.piped != Some(at.id) {
            return None;
        }
        self.frame.piped = None;
        self.pipe.take().map(|(key, value)| (key, Some(value)))
    }

    /// `a |> f(b)`.
    pub(super) fn pipe(&mut self, expr: &'a Expr, value: &'a Expr, call: &'a Expr, want: Option<&Type>) -> Type {
        let outer = (self.frame.piped, self.pipe.take());
        self.frame.piped = Some(pipe_root(call).id);
        self.pipe = Some((expr.id, value));
        let ty = self.infer(call, want);
        if self.pipe.take().is_some() {
            // The right side is nothing that can be called.
            self.infer(value, None);
            let message = "expected a function after `|>`";
            let help = "write `value |> name` or `value |> name(arguments)`";
            if !matches!(call.kind, ExprKind::Error) {
                self.report(Diagnostic::new(Code::NotCallable, call.span, message).help(help));
            }
        }
        (self.frame.piped, self.pipe) = outer;
        ty
    }

    fn call_path(&mut self, callee: &'a Expr, given: &Given<'a>, want: Option<&Type>) -> (Type, bool) {
        match &callee.kind {
            ExprKind::Name(name) => {
                if self.is_calls(name) {
                    return (self.calls_of(callee, given), false);
                }
                if let Some(items) = self.called_name(callee, name) {
                    return (self.call_items(&items, callee, given, want), false);
                }
                let ty = self.name(callee, name);
                self.note(callee, &ty);
                (self.call_value(callee, &ty, given), false)
            }
            ExprKind::Field { object, name, optional } => {
                match self.dotted(callee, object, name) {
                    Dotted::Use(Use::Function(item)) => {
                        let items = self.overloads(item);
                        return (self.call_items(&items, callee, given, want), false);
                    }
                    Dotted::Use(found) => {
                        let ty = self.type_of_use(&found, callee.span);
                        self.note(callee, &ty);
                        return (self.call_value(callee, &ty, given), false);
                    }
                    Dotted::Wrong => {
                        self.give_up(given);
                        return (Type::Unknown, false);
                    }
                    Dotted::Value => {}
                }
                let changing = CHANGING.contains(&name.text.as_str());
                let whole = self.object_link(object, changing);
                let short = whole.short || (*optional && self.may_be_absent(&whole.ty));
                let ty = self.object_present(object, whole.ty, *optional, &name.text);
                let field = self.declared_field(&ty, &name.text);
                if let Some(field) =
                    field.filter(|field| self.may_be_called(field) || !self.has_method(&ty, &name.text))
                {
                    let field = self.path_of(callee).and_then(|path| self.known(path, &field)).unwrap_or(field);
                    self.note(callee, &field);
                    return (self.call_value(callee, &field, given), short);
                }
                // What is put in has to fit what may be held, not what happens to be held.
                let holds = whole.declared.filter(|_| changing).map(|ty| self.non_null(&ty));
                (self.call_method(object, &holds.unwrap_or(ty), name, given, want), short)
            }
            _ => {
                let (ty, short) = self.object(callee);
                (self.call_value(callee, &ty, given), short)
            }
        }
    }

    /// Calls a declared function, by the signature that the arguments fit.
    fn call_items(&mut self, items: &[ItemRef], callee: &'a Expr, given: &Given<'a>, want: Option<&Type>) -> Type {
        let Some(first) = items.first().copied() else { return Type::Unknown };
        let item = if items.len() == 1 {
            first
        } else {
            let fitting = items
                .iter()
                .find(|item| self.signatures.get(item).is_some_and(|signature| given.may_be_for(&signature.params)));
            fitting.copied().unwrap_or(first)
        };
        let signature = self.signature(item);
        let value = self.function_value(item);
        self.note(callee, &value);
        let name = self.function(item).map(|function| function.name.text.clone()).unwrap_or_default();
        let slots = self.plan(given, &signature.params, &quoted(&name));
        self.keep_plan(given, Target::Function(item), None, &slots);
        let result = self.apply_args(&slots, &signature, 0, Bindings::new(signature.type_params), want);
        // A function that always throws.
        if signature.result == Type::Never { self.leaves() } else { result }
    }

    /// Writes down how a call is made.
    pub(super) fn keep_plan(
        &mut self,
        given: &Given<'a>,
        target: Target,
        receiver: Option<ArgFrom>,
        slots: &[Slot<'a>],
    ) {
        let args = receiver.into_iter().chain(slots.iter().map(|slot| slot.from)).collect();
        self.table().calls.insert(given.key, Call { target, args });
    }

    /// Looks at the arguments of a call that cannot be made.
    pub(super) fn give_up(&mut self, given: &Given<'a>) {
        for value in given.values() {
            self.infer(value, None);
        }
    }

    /// Whether a value of that type may be a function or an agent.
    fn may_be_called(&self, ty: &Type) -> bool {
        let callable =
            |ty: &Type| matches!(ty, Type::Function(_) | Type::Agent(_) | Type::Any | Type::Unknown | Type::Never);
        self.members_non_null(ty).iter().any(callable)
    }

    /// Calls a function value or an agent.
    pub(super) fn call_value(&mut self, callee: &'a Expr, ty: &Type, given: &Given<'a>) -> Type {
        let ty = &self.without_null(callee, ty.clone(), "null cannot be called", None);
        let members = self.members(ty);
        let function = members.iter().find_map(|member| match member {
            Type::Function(function) => Some(function.clone()),
            _ => None,
        });
        if let Some(function) = function {
            return self.call_function_value(callee, &function, given);
        }
        if let Some(Type::Agent(answer)) = members.iter().find(|member| matches!(member, Type::Agent(_))) {
            let answer = (**answer).clone();
            return self.call_agent(&answer, given);
        }
        if members.iter().any(|m| matches!(m, Type::Any | Type::Unknown | Type::Never)) {
            return self.call_unknown(given, members.contains(&Type::Unknown));
        }
        self.give_up(given);
        let hidden = match &callee.kind {
            ExprKind::Name(name) if self.library.ambient.contains_key(name) => Some(name),
            _ => None,
        };
        if let Some(name) = hidden {
            let message = format!("`{}` cannot be called", self.show(ty));
            let help = format!("the name `{name}` hides the library's `{name}` here; rename it");
            self.report(Diagnostic::new(Code::NotCallable, callee.span, message).help(help));
            return Type::Unknown;
        }
        let help = match members.first() {
            Some(Type::TypeOf(of)) if matches!(**of, Type::Int | Type::Float) => {
                "a type is no function: `text.to_int()` and `text.to_float()` read numbers, `x.floor()` rounds one"
            }
            Some(Type::TypeOf(of)) if **of == Type::String => {
                "a type is no function: put the value into text, `\"${value}\"`"
            }
            Some(Type::TypeOf(_)) => "a type is no function: write the record itself, or `value as Type`",
            _ => "only functions, steps, workflows and agents are called",
        };
        let message = format!("`{}` cannot be called", self.show(ty));
        self.report(Diagnostic::new(Code::NotCallable, callee.span, message).help(help));
        Type::Unknown
    }

    fn call_unknown(&mut self, given: &Given<'a>, silent: bool) -> Type {
        self.give_up(given);
        let piped = given.piped.map(|_| ArgFrom::Piped);
        let args = piped.into_iter().chain((0..given.args.len()).map(ArgFrom::Given)).collect();
        self.table().calls.insert(given.key, Call { target: Target::Value { checked: true }, args });
        if silent { Type::Unknown } else { Type::Any }
    }

    fn call_function_value(&mut self, callee: &'a Expr, function: &FunctionType, given: &Given<'a>) -> Type {
        let what = match &callee.kind {
            ExprKind::Name(name) => quoted(name),
            ExprKind::Field { name, .. } => quoted(&name.text),
            _ => "this function".to_owned(),
        };
        let slots = self.plan(given, &function.params, &what);
        self.keep_plan(given, Target::Value { checked: false }, None, &slots);
        for (slot, param) in slots.iter().zip(&function.params) {
            if let Some(value) = slot.value {
                self.check(value, &param.ty);
            }
        }
        if function.result == Type::Never { self.leaves() } else { function.result.clone() }
    }

    fn call_agent(&mut self, answer: &Type, given: &Given<'a>) -> Type {
        let param = |name: &str, ty, has_default| ParamType { name: name.into(), ty, has_default };
        let output = union([Type::TypeOf(std::sync::Arc::new(Type::Unknown)), Type::Null]);
        let params = [param("prompt", self.prompt_type(), false), param("output", Type::Unknown, true)];
        let slots = self.plan(given, &params, "an agent");
        self.keep_plan(given, Target::Agent, None, &slots);
        let mut result = answer.clone();
        if let Some(value) = slots.first().and_then(|slot| slot.value) {
            self.check(value, &params[0].ty);
        }
        if let Some(value) = slots.get(1).and_then(|slot| slot.value) {
            let got = self.infer(value, None);
            match &*self.members_non_null(&got) {
                [Type::TypeOf(given)] => result = (**given).clone(),
                [] => {}
                _ => {
                    self.coerce(value, got, &output);
                    result = Type::Any;
                }
            }
        }
        result
    }
}

/// The call that a `|>` gives its left side to: the innermost one, or the whole path.
fn pipe_root(call: &Expr) -> &Expr {
    let mut found = call;
    let mut at = call;
    loop {
        match &at.kind {
            ExprKind::Call { callee, .. } => {
                found = at;
                at = callee;
            }
            ExprKind::Field { object, .. } | ExprKind::Index { object, .. } => at = object,
            _ => return found,
        }
    }
}
