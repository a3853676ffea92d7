//! Methods: the library function whose `self` the receiver fits.

use smol_str::SmolStr;

use super::{
    ArgFrom, ItemRef, Signature, Target,
    args::{Given, Slot, quoted},
    checker::Checker,
    elsewhere,
    generic::Bindings,
    relate::Fit,
    suggest::{did_you_mean, nearest},
    ty::Type,
    unbuilt,
    union::{erase, has_var, union, widen},
};
use crate::{
    code::Code,
    diagnostic::Diagnostic,
    syntax::ast::{Expr, ExprKind, Name},
};

impl<'a> Checker<'a> {
    /// `object.name(…)` where the object has no field of that name.
    pub(super) fn call_method(
        &mut self,
        object: &'a Expr,
        ty: &Type,
        name: &'a Name,
        given: &Given<'a>,
        want: Option<&Type>,
    ) -> Type {
        let all = self.library.methods.get(&name.text).cloned().unwrap_or_default();
        let ty = &match name.text.as_str() {
            "set" | "get" | "remove" => self.become_map(ty),
            _ => self.filled(ty),
        };
        let members = self.kinds(&self.non_null(&widen(ty)));
        let unknown = members.iter().any(|m| matches!(m, Type::Unknown | Type::Never)) || name.text.is_empty();
        let open = unknown || members.is_empty() || members.iter().any(|m| matches!(m, Type::Any | Type::Payload));
        if open {
            if all.is_empty() && !unknown {
                self.no_such_method(object, ty, name);
            }
            return self.call_any_method(object, name, &all, given, unknown);
        }
        let mut chosen: Vec<ItemRef> = Vec::new();
        for member in members.iter() {
            let found = self.choose(&all, member, given);
            if found.is_empty() {
                chosen.clear();
                break;
            }
            chosen.extend(found.into_iter().filter(|item| !chosen.contains(item)).collect::<Vec<_>>());
        }
        match chosen.as_slice() {
            [] => {
                self.no_such_method(object, ty, name);
                self.give_up(given);
                Type::Unknown
            }
            [item] => self.call_chosen(*item, object, ty, given, want),
            _ => self.call_any_method(object, name, &chosen, given, false),
        }
    }

    /// The signature for a receiver of that type, by the arguments where there are several; more than one when only the
    /// value will tell.
    fn choose(&self, all: &[ItemRef], receiver: &Type, given: &Given<'a>) -> Vec<ItemRef> {
        let fitting = all.iter().filter_map(|item| {
            let signature = self.signatures.get(item)?;
            let fit = self.receiver_fits(receiver, &signature.params.first()?.ty, *item);
            (fit != Fit::No).then(|| ((given.may_be_for(&signature.params[1..]), fit), *item))
        });
        let fitting: Vec<_> = fitting.collect();
        let Some(best) = fitting.iter().map(|(rank, _)| *rank).max() else { return Vec::new() };
        let several = if best.1 == Fit::Yes { 1 } else { fitting.len() };
        fitting.into_iter().filter(|(rank, _)| *rank == best).map(|(_, item)| item).take(several).collect()
    }

    fn receiver_fits(&self, receiver: &Type, this: &Type, item: ItemRef) -> Fit {
        match (receiver, self.resolve(this)) {
            // Records have the reading methods of maps.
            (Type::Record(_), Type::Map(_)) if self.is_changing(item) => Fit::No,
            (Type::Record(_), Type::Map(_)) => Fit::Maybe,
            (Type::Map(_), Type::Record(_)) => Fit::No,
            (Type::Function(_), Type::Tool) => Fit::Maybe,
            _ => self.fits_pattern(receiver, this),
        }
    }

    fn is_changing(&self, item: ItemRef) -> bool {
        self.function(item).and_then(|function| function.params.first()).is_some_and(|this| this.mutable)
    }

    fn call_chosen(
        &mut self,
        item: ItemRef,
        object: &'a Expr,
        ty: &Type,
        given: &Given<'a>,
        want: Option<&Type>,
    ) -> Type {
        let signature = self.signature(item);
        let Some(this) = signature.params.first() else { return Type::Unknown };
        let changing = self.is_changing(item);
        let may_change = !changing || self.changeable(object, "change");
        let mut bindings = Bindings::new(signature.type_params);
        if changing {
            // What a list holds is what may be put into it.
            self.unify_exact(&this.ty, ty, &mut bindings);
            if may_change {
                bindings.fix();
            }
        } else {
            let ty = self.non_null(ty);
            match self.receiver_wanted(&signature, &this.ty, &ty, want) {
                Some(known) => self.learn(&this.ty, &known, &mut bindings),
                None => self.unify(&this.ty, &ty, &mut bindings),
            }
        }
        if !changing && !matches!(this.ty, Type::Agent(_)) {
            let known = bindings.apply(&this.ty, false);
            let of_record = matches!(self.resolve(&known), Type::Map(_)) && !self.records(ty).is_empty();
            if !of_record && self.fits(ty, &known) == Fit::Maybe {
                self.expect(object, erase(&known));
            }
        }
        let name = self.function(item).map(|function| function.name.text.clone()).unwrap_or_default();
        let slots = self.plan(given, &signature.params[1..], &quoted(&name));
        self.keep_plan(given, Target::Function(item), Some(ArgFrom::Receiver), &slots);
        let outer = std::mem::replace(&mut self.putting, changing.then_some((object, *given)));
        let result = self.apply_args(&slots, &signature, 1, bindings, want);
        self.putting = outer;
        if changing {
            self.forget_place(object, true);
        }
        result
    }

    /// What is expected of the result makes of a receiver with an exact type, such as `["approve", "reject"]` whose
    /// first is expected to be a `Decision`.
    fn receiver_wanted(&self, signature: &Signature, this: &Type, ty: &Type, want: Option<&Type>) -> Option<Type> {
        let want = want.filter(|_| has_var(&signature.result) && widen(ty) != *ty)?;
        let mut hints = Bindings::new(signature.type_params);
        let want = if matches!(signature.result, Type::Union(_)) { want.clone() } else { self.non_null(want) };
        self.learn(&signature.result, &want, &mut hints);
        let known = hints.knows(this, false).then(|| hints.apply(this, false))?;
        (self.fits(ty, &known) == Fit::Yes && self.fits(&widen(ty), &known) != Fit::Yes).then_some(known)
    }

    /// Learns what a receiver holds without widening declared literals.
    fn unify_exact(&self, this: &Type, ty: &Type, b: &mut Bindings) {
        match (this, self.non_null(&self.resolve(ty))) {
            (Type::List(p), Type::List(a)) | (Type::Map(p), Type::Map(a)) => match &**p {
                Type::Var(var) => b.set(*var, (*a).clone()),
                inner => self.unify(inner, &a, b),
            },
            (_, other) => self.unify(this, &other, b),
        }
    }

    /// A method of what the receiver turns out to be at run time.
    fn call_any_method(
        &mut self,
        object: &'a Expr,
        name: &'a Name,
        all: &[ItemRef],
        given: &Given<'a>,
        unknown: bool,
    ) -> Type {
        if !all.is_empty() && all.iter().all(|item| self.is_changing(*item)) {
            self.changeable(object, "change");
            self.forget_place(object, true);
        }
        let meant = all
            .iter()
            .find(|item| self.signatures.get(item).is_some_and(|signature| given.may_be_for(&signature.params[1..])));
        let slots = match meant.and_then(|item| self.signatures.get(item).cloned()) {
            Some(signature) if given.args.iter().any(|arg| arg.name.is_some()) => {
                let mut slots = self.plan(given, &signature.params[1..], &quoted(&name.text));
                while slots.last().is_some_and(|slot| slot.value.is_none()) {
                    slots.pop();
                }
                slots
            }
            _ => positional(given),
        };
        for value in slots.iter().filter_map(|slot| slot.value) {
            self.infer(value, None);
        }
        self.keep_plan(given, Target::Method(name.text.clone()), Some(ArgFrom::Receiver), &slots);
        if unknown {
            return Type::Unknown;
        }
        let message = format!("which `{}` this is, is seen when it runs: what it is called on is `any`", name.text);
        self.implicit_any(name.span, &message, "say what it is: `(… as T)`, or give the variable a type");
        let results = all.iter().filter_map(|item| self.signatures.get(item)).map(|signature| signature.result.clone());
        let results = results.collect::<Vec<_>>();
        match union(results.iter().cloned()) {
            Type::Never | Type::Union(_) => Type::Any,
            one if has_var(&one) => Type::Any,
            one => one,
        }
    }

    fn no_such_method(&mut self, object: &Expr, ty: &Type, name: &Name) {
        let shown = self.show(&widen(ty));
        if unbuilt::is_planned(&name.text) && !self.library.methods.contains_key(&name.text) {
            let message = format!("the method `{}` is not built yet in this version", name.text);
            self.report(Diagnostic::new(Code::NotBuilt, name.span, message).help(unbuilt::HELP));
            return;
        }
        let message = format!("`{shown}` has no method `{}`", name.text);
        let mut diagnostic = Diagnostic::new(Code::UnknownField, name.span, message);
        let members = self.members_non_null(ty);
        let all = self.library.methods.get(&name.text).cloned().unwrap_or_default();
        let has = |member: &Type| {
            all.iter().any(|item| {
                let this = self.signatures.get(item).and_then(|signature| signature.params.first());
                this.is_some_and(|this| self.receiver_fits(member, &this.ty, *item) != Fit::No)
            })
        };
        if members.iter().any(has)
            && let Some(lacks) = members.iter().find(|member| !has(member))
        {
            let help = format!("`{}` has none: find out which it is first, with `match`", self.show(lacks));
            diagnostic = diagnostic.help(help);
        } else if let ExprKind::Name(root) = &object.kind
            && self.library.namespaces.contains_key(root)
        {
            diagnostic = diagnostic.help(format!("the name `{root}` hides the library's `{root}` here; rename it"));
        } else if let Some(help) = self.method_help(ty, &name.text) {
            diagnostic = diagnostic.help(help);
        }
        self.report(diagnostic);
    }

    /// What may be meant by the name of a method that a value does not have.
    pub(super) fn method_help(&self, ty: &Type, name: &str) -> Option<String> {
        let known = self.methods_of(ty);
        if known.iter().any(|other| other == name) {
            return Some(format!("`{name}` is a method: `.{name}()`"));
        }
        let direct = did_you_mean(&nearest(name, known.iter().map(SmolStr::as_str)));
        let near = nearest(name, elsewhere::words());
        let near = near.first().filter(|_| direct.is_none() && elsewhere::phrase(name).is_none());
        for word in std::iter::once(name).chain(near.map(SmolStr::as_str)) {
            let meant = elsewhere::meant(word);
            if let Some(here) = meant.iter().find(|here| known.iter().any(|other| other == *here)) {
                return did_you_mean(&[(*here).into()]);
            }
            if let Some(here) = meant.iter().find(|here| unbuilt::is_planned(here)) {
                return Some(format!("did you mean `{here}`? It is not built yet in this version"));
            }
        }
        if let Some(help) = elsewhere::phrase(name) {
            return Some(help.to_owned());
        }
        if let Some(help) = self.receivers_help(name) {
            return Some(help);
        }
        let ambient = self.library.ambient.contains_key(name)
            || self.names[self.frame.module.0 as usize].items.contains_key(name);
        direct.or_else(|| ambient.then(|| format!("`{name}` is a function: `value |> {name}()`")))
    }

    /// Which values have a method of that name.
    fn receivers_help(&self, name: &str) -> Option<String> {
        let items = self.library.methods.get(name)?.iter();
        let this = items.filter_map(|item| self.signatures.get(item)?.params.first().cloned());
        let shown: Vec<String> = this.map(|this| format!("`{}`", self.show(&erase(&this.ty)))).collect();
        Some(format!("it is a method of {}", shown.join(", ")))
    }

    /// Whether a value of that type has a method of that name.
    pub(super) fn has_method(&self, ty: &Type, name: &str) -> bool {
        let members = self.members_non_null(&widen(ty));
        self.library.methods.get(name).is_some_and(|items| items.iter().any(|item| self.is_method_of(&members, *item)))
    }

    fn is_method_of(&self, members: &[Type], item: ItemRef) -> bool {
        let this = self.signatures.get(&item).and_then(|signature| signature.params.first());
        this.is_some_and(|this| members.iter().any(|m| self.receiver_fits(m, &this.ty, item) != Fit::No))
    }

    fn methods_of(&self, ty: &Type) -> Vec<SmolStr> {
        let members = self.members_non_null(&widen(ty));
        let known = self.library.methods.iter();
        let known = known.filter(|(_, items)| items.iter().any(|item| self.is_method_of(&members, *item)));
        let mut known: Vec<SmolStr> = known.map(|(name, _)| name.clone()).collect();
        known.sort_unstable();
        known
    }
}

/// All values in order, whatever their names.
fn positional<'a>(given: &Given<'a>) -> Vec<Slot<'a>> {
    let piped = given.piped.map(|value| Slot { from: ArgFrom::Piped, value: Some(value) });
    let written = given.args.iter().enumerate();
    let written = written.map(|(i, arg)| Slot { from: ArgFrom::Given(i), value: Some(&arg.value) });
    piped.into_iter().chain(written).collect()
}
