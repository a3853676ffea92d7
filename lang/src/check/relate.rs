//! Whether the values of one type fit another.
//!
//! Three answers: they all do, one of them does not, or it depends on an `any`, which is checked when the program runs.

use std::{collections::HashMap, sync::Arc};

use super::{
    Checked, ItemRef, NamedType,
    holes::Holes,
    ty::{FieldType, FunctionType, Literal, RecordType, Type},
    union::{base, list, union},
};

/// Whether the values of a type fit another type.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Fit {
    /// At least one does not.
    No,
    /// It depends on what an `any` holds.
    Maybe,
    /// All do.
    Yes,
}

/// A record is held against a union case by case when one of its fields has at most this many.
const CASES: usize = 16;

/// Compares types; knows what declared names and filled holes stand for.
pub(super) struct Relate<'a> {
    pub(super) named: &'a HashMap<ItemRef, NamedType>,
    pub(super) holes: &'a Holes,
    /// Inside the library what is not data may pass as `any`.
    pub(super) library: bool,
    /// A type variable stands for anything, as in the signature of what is called; else it is a type of its own.
    pub(super) pattern: bool,
    /// Pairs that are being compared: a recursive type fits as far as the rest of it does.
    open: Vec<(Type, Type)>,
    /// Pairs of declared types that have been compared.
    done: HashMap<(ItemRef, ItemRef), Fit>,
}

impl<'a> Relate<'a> {
    pub(super) fn new(named: &'a HashMap<ItemRef, NamedType>, holes: &'a Holes, library: bool) -> Self {
        Self { named, holes, library, pattern: false, open: Vec::new(), done: HashMap::new() }
    }

    /// Whether values of `from` fit `to`.
    pub(super) fn fits(&mut self, from: &Type, to: &Type) -> Fit {
        match (from, to) {
            (Type::String, Type::String) | (Type::Int, Type::Int) | (_, Type::Unknown) => Fit::Yes,
            _ => stacker::maybe_grow(64 << 10, 1 << 20, || self.compare(from, to)),
        }
    }

    fn compare(&mut self, from: &Type, to: &Type) -> Fit {
        match (from, to) {
            (Type::Exact(literal), _) => self.compare(&Type::Literal(literal.clone()), to),
            (_, Type::Exact(literal)) => self.compare(from, &Type::Literal(literal.clone())),
            (Type::Unknown | Type::Never, _) | (_, Type::Unknown) => Fit::Yes,
            (Type::Hole(a), Type::Hole(b)) if a == b => Fit::Yes,
            (Type::Hole(hole), _) => self.holes.filled(*hole).map_or(Fit::Maybe, |from| self.fits(from, to)),
            (_, Type::Hole(hole)) => self.holes.filled(*hole).map_or(Fit::Yes, |to| self.fits(from, to)),
            (Type::Named(a), Type::Named(b)) if a == b => Fit::Yes,
            (Type::Named(_), Type::Union(members)) if members.contains(from) => Fit::Yes,
            (Type::Named(_), _) | (_, Type::Named(_)) => self.compare_named(from, to),
            (Type::Var(a), Type::Var(b)) if a == b => Fit::Yes,
            (Type::Var(_), Type::Union(members)) if members.contains(from) => Fit::Yes,
            (_, Type::Var(_)) if self.pattern || self.library => Fit::Yes,
            (Type::Var(_), Type::Any) => Fit::Yes,
            (Type::Var(_), _) if self.pattern || self.library => Fit::Maybe,
            // What stands for a type variable is not known when the program runs either.
            (Type::Any | Type::Payload, Type::Var(_)) => Fit::Yes,
            (Type::Union(members), _) => all(members.iter().map(|member| self.fits(member, to))),
            (_, Type::Any) => self.fits_any(from),
            (_, Type::Payload) => self.fits_payload(from),
            (_, Type::Union(members)) => self.fits_union(from, members),
            (Type::Any, Type::Function(_) | Type::Agent(_) | Type::TypeOf(_) | Type::Secret | Type::Tool) => {
                if self.library { Fit::Yes } else { Fit::Maybe }
            }
            (Type::Any | Type::Payload, _) => Fit::Maybe,
            _ => self.compare_shapes(from, to),
        }
    }

    fn compare_named(&mut self, from: &Type, to: &Type) -> Fit {
        if let (Type::Named(a), Type::Named(b)) = (from, to)
            && let Some(known) = self.done.get(&(*a, *b))
        {
            return *known;
        }
        let pair = (from.clone(), to.clone());
        if self.open.contains(&pair) {
            return Fit::Yes;
        }
        self.open.push(pair);
        let (named, holes) = (self.named, self.holes);
        let fit = self.fits(resolve(named, holes, from), resolve(named, holes, to));
        self.open.pop();
        if let (Type::Named(a), Type::Named(b)) = (from, to) {
            self.done.insert((*a, *b), fit);
        }
        fit
    }

    fn fits_union(&mut self, from: &Type, members: &Arc<[Type]>) -> Fit {
        let mut best = Fit::No;
        for member in members.iter() {
            best = best.max(self.fits(from, member));
            if best == Fit::Yes {
                return best;
            }
        }
        match from {
            Type::Record(record) if best == Fit::No => self.fits_by_cases(record, members),
            Type::Bool => all([true, false].map(|case| {
                let case = Type::Literal(Literal::Bool(case));
                members.iter().map(|member| self.fits(&case, member)).max().unwrap_or(Fit::No)
            })),
            _ => best,
        }
    }

    /// `{ ok: bool }` fits `{ ok: true } | { ok: false }`: the cases of one field, each on its own.
    fn fits_by_cases(&mut self, record: &Arc<RecordType>, members: &[Type]) -> Fit {
        for (at, field) in record.fields.iter().enumerate() {
            let cases: Vec<Type> = match resolve(self.named, self.holes, &field.ty) {
                Type::Bool => [true, false].map(|case| Type::Literal(Literal::Bool(case))).to_vec(),
                Type::Union(cases) if cases.len() <= CASES => cases.to_vec(),
                _ => continue,
            };
            let fit = all(cases.into_iter().map(|case| {
                let mut one = (**record).clone();
                one.fields[at].ty = case;
                let one = Type::Record(Arc::new(one));
                members.iter().map(|member| self.fits(&one, member)).max().unwrap_or(Fit::No)
            }));
            if fit != Fit::No {
                return fit;
            }
        }
        Fit::No
    }

    fn compare_shapes(&mut self, from: &Type, to: &Type) -> Fit {
        match (from, to) {
            (Type::Literal(a), Type::Literal(b)) => yes_if(same_literal(a, b)),
            (Type::Literal(literal), _) => self.compare_shapes(&base(literal), to),
            (Type::Int, Type::Float) => Fit::Yes,
            (Type::List(a), Type::List(b)) | (Type::Map(a), Type::Map(b)) => self.fits(a, b),
            (Type::Agent(a), Type::Agent(b)) | (Type::TypeOf(a), Type::TypeOf(b)) => self.fits(a, b),
            (Type::Record(a), Type::Record(b)) => self.fits_record(a, b),
            (Type::Record(a), Type::Map(b)) => all(a.fields.iter().map(|field| self.fits(&field.read(), b))),
            // Whether the keys are there is seen when it runs; what else may be there has to be said by `as`.
            (Type::Map(a), Type::Record(b)) if matches!(**a, Type::Any | Type::Payload | Type::Unknown) => {
                all(b.fields.iter().map(|field| self.fits(a, &field.read()))).min(Fit::Maybe)
            }
            (Type::Function(a), Type::Function(b)) => self.fits_function(a, b),
            (Type::Agent(answer), Type::Function(b)) => self.fits_as_call(answer, b),
            (Type::Function(_) | Type::Agent(_) | Type::Tool, Type::Tool) => Fit::Yes,
            _ => yes_if(from == to),
        }
    }

    fn fits_any(&mut self, from: &Type) -> Fit {
        if self.library {
            return Fit::Yes;
        }
        match from {
            Type::Function(_) | Type::Agent(_) | Type::TypeOf(_) | Type::Secret | Type::Tool => Fit::No,
            Type::Payload => Fit::Maybe,
            Type::List(item) | Type::Map(item) => self.fits(item, &Type::Any),
            Type::Record(record) => all(record.fields.iter().map(|field| self.fits(&field.ty, &Type::Any))),
            _ => Fit::Yes,
        }
    }

    fn fits_payload(&mut self, from: &Type) -> Fit {
        match from {
            Type::Secret | Type::Payload => Fit::Yes,
            Type::List(item) | Type::Map(item) => self.fits(item, &Type::Payload),
            Type::Record(record) => all(record.fields.iter().map(|field| self.fits(&field.ty, &Type::Payload))),
            _ => self.fits_any(from),
        }
    }

    fn fits_record(&mut self, from: &RecordType, to: &RecordType) -> Fit {
        all(to.fields.iter().map(|want| match from.field(&want.name) {
            // A value that may have further fields may have this one, of any type.
            None => yes_if(want.optional && from.closed),
            Some(have) if have.optional == want.optional => self.fits(&have.ty, &want.ty),
            Some(have) => self.fits(&have.read(), &want.read()),
        }))
    }

    fn fits_function(&mut self, from: &FunctionType, to: &FunctionType) -> Fit {
        let needed = from.params.iter().filter(|param| !param.has_default).count();
        if needed > to.params.len() || to.params.len() > from.params.len() {
            return Fit::No;
        }
        let params = from.params.iter().zip(&to.params);
        let wrong = params.clone().any(|(have, given)| self.fits(&given.ty, &have.ty) == Fit::No);
        // A function whose result nobody reads may give anything.
        let wrong = wrong || (to.result != Type::Null && self.fits(&from.result, &to.result) == Fit::No);
        yes_if(!wrong)
    }

    /// An agent is called like a function of its prompt.
    fn fits_as_call(&mut self, answer: &Type, to: &FunctionType) -> Fit {
        let [prompt] = to.params.as_slice() else { return Fit::No };
        let parts = list(Type::Record(Arc::new(RecordType::open(Vec::new()))));
        let takes = self.fits(&prompt.ty, &union([Type::String, parts])) != Fit::No;
        yes_if(takes && (to.result == Type::Null || self.fits(answer, &to.result) != Fit::No))
    }

    /// Whether a value may be of both types.
    pub(super) fn overlap(&mut self, a: &Type, b: &Type) -> bool {
        match (a, b) {
            (Type::Exact(literal), other) | (other, Type::Exact(literal)) => {
                self.overlap(&Type::Literal(literal.clone()), other)
            }
            (Type::Any | Type::Payload | Type::Unknown | Type::Var(_) | Type::Hole(_), _) => true,
            (_, Type::Any | Type::Payload | Type::Unknown | Type::Var(_) | Type::Hole(_)) => true,
            (Type::Never, _) | (_, Type::Never) => false,
            (Type::Named(_), _) | (_, Type::Named(_)) => {
                let pair = (a.clone(), b.clone());
                if self.open.contains(&pair) {
                    return true;
                }
                self.open.push(pair);
                let (named, holes) = (self.named, self.holes);
                let found = self.overlap(resolve(named, holes, a), resolve(named, holes, b));
                self.open.pop();
                found
            }
            (Type::Union(members), other) | (other, Type::Union(members)) => {
                members.iter().any(|member| self.overlap(member, other))
            }
            (Type::Literal(a), Type::Literal(b)) => same_literal(a, b),
            (Type::Literal(literal), other) | (other, Type::Literal(literal)) => self.overlap(&base(literal), other),
            (Type::Int | Type::Float, Type::Int | Type::Float) => true,
            // A list or map may be empty.
            (Type::List(_), Type::List(_)) | (Type::Map(_), Type::Map(_)) => true,
            (Type::Record(a), Type::Record(b)) => a.fields.iter().all(|field| match b.field(&field.name) {
                Some(other) => (field.optional && other.optional) || self.overlap(&field.read(), &other.read()),
                None => field.optional || !b.closed,
            }),
            (Type::Record(record), Type::Map(item)) | (Type::Map(item), Type::Record(record)) => {
                record.fields.iter().all(|field| field.optional || self.overlap(&field.ty, item))
            }
            (Type::Function(_) | Type::Agent(_) | Type::Tool, Type::Function(_) | Type::Agent(_) | Type::Tool) => true,
            (Type::TypeOf(_), Type::TypeOf(_)) => true,
            _ => a == b,
        }
    }
}

impl Checked {
    /// What a type stands for: a declared name is followed to its end.
    pub fn resolve<'t>(&'t self, ty: &'t Type) -> &'t Type {
        let mut ty = ty;
        while let Type::Named(item) = ty {
            let Some(next) = self.named.get(item) else { return &Type::Unknown };
            ty = &next.ty;
        }
        ty
    }
}

/// What a type stands for; a declared name, and a hole that is filled, are followed to their end.
pub(super) fn resolve<'t>(named: &'t HashMap<ItemRef, NamedType>, holes: &'t Holes, ty: &'t Type) -> &'t Type {
    let mut ty = ty;
    // Declared types that are nothing but themselves have become `Unknown`, so this ends.
    loop {
        ty = match ty {
            Type::Named(item) => match named.get(item) {
                Some(next) => &next.ty,
                None => return &Type::Unknown,
            },
            Type::Hole(hole) => match holes.filled(*hole) {
                Some(next) => next,
                None => return ty,
            },
            _ => return ty,
        }
    }
}

/// What reading any of the fields gives.
pub(super) fn field_types(record: &RecordType) -> Type {
    union(record.fields.iter().map(FieldType::read))
}

fn yes_if(holds: bool) -> Fit {
    if holds { Fit::Yes } else { Fit::No }
}

/// Every part has to fit.
fn all(parts: impl IntoIterator<Item = Fit>) -> Fit {
    let mut worst = Fit::Yes;
    for part in parts {
        worst = worst.min(part);
        if worst == Fit::No {
            break;
        }
    }
    worst
}

pub(super) fn same_literal(a: &Literal, b: &Literal) -> bool {
    match (a, b) {
        #[allow(clippy::cast_precision_loss, reason = "a literal that a float does not hold is none that is written")]
        (Literal::Int(a), Literal::Float(b)) | (Literal::Float(b), Literal::Int(a)) => (*a as f64) == *b,
        _ => a == b,
    }
}
