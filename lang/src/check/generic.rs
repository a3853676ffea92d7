//! Type variables of a function that is called: what the arguments, and what is expected, make of them.

use super::{
    checker::Checker,
    relate::{Fit, field_types},
    ty::{ParamType, RecordType, Type},
    union::{map_parts, union, widen},
};

/// What the type variables of one call stand for.
#[derive(Debug)]
pub(super) struct Bindings {
    /// As the arguments say.
    bound: Vec<Option<Type>>,
    /// As the expected result says; used where no argument does.
    pub(super) hints: Vec<Option<Type>>,
    /// Those that further arguments may not widen.
    fixed: Vec<bool>,
    /// What the arguments say, literals as they are: what a function among them is called with.
    exact: Vec<Option<Type>>,
}

impl Bindings {
    pub(super) fn new(count: u32) -> Self {
        let count = count as usize;
        Self { bound: vec![None; count], hints: vec![None; count], fixed: vec![false; count], exact: vec![None; count] }
    }

    /// From now on arguments have to fit what is known.
    pub(super) fn fix(&mut self) {
        for (fixed, bound) in self.fixed.iter_mut().zip(&self.bound) {
            *fixed = bound.is_some();
        }
    }

    /// Whether every variable in the type is known, and may not change any more.
    pub(super) fn is_fixed(&self, ty: &Type) -> bool {
        vars(ty).iter().all(|var| self.fixed.get(*var as usize).copied().unwrap_or(true))
    }

    /// Whether every variable in the type is known; hints count if `hints`.
    pub(super) fn knows(&self, ty: &Type, hints: bool) -> bool {
        vars(ty).iter().all(|var| self.get(*var, hints).is_some())
    }

    fn get(&self, var: u32, hints: bool) -> Option<&Type> {
        let bound = self.bound.get(var as usize).and_then(Option::as_ref);
        bound.or_else(|| if hints { self.hints.get(var as usize).and_then(Option::as_ref) } else { None })
    }

    /// The type with its variables replaced; those that are not known are `any`.
    pub(super) fn apply(&self, ty: &Type, hints: bool) -> Type {
        match ty {
            Type::Var(var) => self.get(*var, hints).cloned().unwrap_or(Type::Any),
            other => map_parts(other, &mut |part| self.apply(part, hints)),
        }
    }

    /// A parameter of a function that is an argument: it is called with what the other arguments hold.
    pub(super) fn apply_called(&self, ty: &Type) -> Type {
        match ty {
            Type::Var(var) => match self.exact.get(*var as usize).and_then(Option::as_ref) {
                Some(exact) if self.get(*var, false) == Some(&widen(exact)) => exact.clone(),
                _ => self.apply(ty, true),
            },
            other => map_parts(other, &mut |part| self.apply_called(part)),
        }
    }

    /// Forgets what exactly the arguments hold of variables that functions among them give as well.
    pub(super) fn widen_results(&mut self, params: &[ParamType]) {
        for var in params.iter().flat_map(|param| given_vars(&param.ty)) {
            if let Some(slot) = self.exact.get_mut(var as usize) {
                *slot = None;
            }
        }
    }

    fn keep_exact(&mut self, var: u32, ty: &Type) {
        if let Some(slot) = self.exact.get_mut(var as usize) {
            *slot = Some(match slot {
                Some(known) => union([known.clone(), ty.clone()]),
                None => ty.clone(),
            });
        }
    }

    /// Says what a variable stands for, whatever was known.
    pub(super) fn set(&mut self, var: u32, ty: Type) {
        if let Some(slot) = self.bound.get_mut(var as usize) {
            *slot = Some(ty);
            self.fixed[var as usize] = true;
        }
    }

    /// The variables that only the expected result tells of.
    pub(super) fn forget_hint(&mut self, var: u32) {
        if let Some(slot) = self.hints.get_mut(var as usize) {
            *slot = None;
        }
    }
}

/// The type variables that stand in a type.
pub(super) fn vars(ty: &Type) -> Vec<u32> {
    fn collect(ty: &Type, out: &mut Vec<u32>) {
        match ty {
            Type::Var(var) => out.push(*var),
            Type::List(item) | Type::Map(item) | Type::Agent(item) | Type::TypeOf(item) => collect(item, out),
            Type::Record(record) => record.fields.iter().for_each(|field| collect(&field.ty, out)),
            Type::Union(members) => members.iter().for_each(|member| collect(member, out)),
            Type::Function(function) => {
                function.params.iter().for_each(|param| collect(&param.ty, out));
                collect(&function.result, out);
            }
            _ => {}
        }
    }
    let mut out = Vec::new();
    collect(ty, &mut out);
    out
}

/// The type variables in what functions in a type give.
fn given_vars(ty: &Type) -> Vec<u32> {
    match ty {
        Type::Function(function) => vars(&function.result),
        Type::List(item) | Type::Map(item) => given_vars(item),
        Type::Union(members) => members.iter().flat_map(given_vars).collect(),
        Type::Record(record) => record.fields.iter().flat_map(|field| given_vars(&field.ty)).collect(),
        _ => Vec::new(),
    }
}

impl Checker<'_> {
    /// Learns from a value of type `actual` what the variables in `pattern` stand for.
    pub(super) fn unify(&self, pattern: &Type, actual: &Type, b: &mut Bindings) {
        match (pattern, actual) {
            (Type::Var(var), _) => {
                b.keep_exact(*var, actual);
                self.bind(*var, &widen(actual), b);
            }
            (Type::Named(_), _) => {}
            (Type::Union(members), _) => self.unify_union(members, actual, b),
            (_, Type::Named(_)) => self.unify(pattern, &self.resolve(actual), b),
            (_, Type::Union(members)) => members.iter().for_each(|member| self.unify(pattern, member, b)),
            (_, Type::Any | Type::Unknown) => {
                for var in vars(pattern) {
                    self.bind(var, actual, b);
                }
            }
            (Type::List(p), Type::List(a))
            | (Type::Map(p), Type::Map(a))
            | (Type::Agent(p), Type::Agent(a))
            | (Type::TypeOf(p), Type::TypeOf(a)) => self.unify(p, a, b),
            (Type::Map(p), Type::Record(record)) => {
                let all = field_types(record);
                self.unify(p, if all == Type::Never { &Type::Any } else { &all }, b);
            }
            (Type::Record(p), Type::Record(a)) => self.unify_record(p, a, b),
            (Type::Function(p), Type::Function(a)) => {
                for (p, a) in p.params.iter().zip(&a.params) {
                    self.unify(&p.ty, &a.ty, b);
                }
                self.unify(&p.result, &a.result, b);
            }
            (Type::Function(p), Type::Agent(answer)) => self.unify(&p.result, answer, b),
            _ => {}
        }
    }

    fn unify_record(&self, pattern: &RecordType, actual: &RecordType, b: &mut Bindings) {
        for field in &pattern.fields {
            if let Some(found) = actual.field(&field.name) {
                self.unify(&field.ty, &found.ty, b);
            }
        }
    }

    /// `T?`, `type<T>?`, `string | [T]`: what the other members take is theirs, the rest is the variable's.
    fn unify_union(&self, members: &[Type], actual: &Type, b: &mut Bindings) {
        let (free, shaped): (Vec<&Type>, Vec<&Type>) =
            members.iter().partition(|member| matches!(member, Type::Var(_)));
        let mut rest = Vec::new();
        let all = match actual {
            Type::Union(all) => all.to_vec(),
            Type::Named(_) if self.has_null(actual) => vec![self.non_null(actual), Type::Null],
            other => vec![other.clone()],
        };
        for part in all {
            let shape = shaped.iter().find(|shape| self.fits_pattern(&part, shape) != Fit::No);
            match shape {
                Some(shape) if part != Type::Any || free.is_empty() => self.unify(shape, &part, b),
                _ => rest.push(part),
            }
        }
        if let Some(Type::Var(var)) = free.first()
            && !rest.is_empty()
        {
            self.bind(*var, &widen(&union(rest)), b);
        }
    }

    fn bind(&self, var: u32, ty: &Type, b: &mut Bindings) {
        let at = var as usize;
        let Some(slot) = b.bound.get_mut(at) else { return };
        match slot {
            None => *slot = Some(ty.clone()),
            Some(_) if b.fixed[at] => {}
            Some(known) if *known == Type::Never => *known = ty.clone(),
            Some(known) if self.fits(ty, known) == Fit::Yes && *ty != Type::Unknown => {}
            Some(known) => *slot = Some(widen(&union([known.clone(), ty.clone()]))),
        }
    }
}
