//! Whether the values of one type fit another.
//!
//! Three answers: they all do, none does, or it depends on the value and is checked when the program runs. Only the
//! second is an error, so what is not understood here must say [`Fit::Maybe`].

use std::collections::HashMap;

use super::{
    Checked, ItemRef, NamedType,
    ty::{FunctionType, Literal, RecordType, Type},
    union::{base, optional},
};

/// Whether the values of a type fit another type.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Fit {
    /// None does.
    No,
    /// It depends on the value.
    Maybe,
    /// All do.
    Yes,
}

/// Compares types; knows what declared names stand for.
pub(super) struct Relate<'a> {
    named: &'a HashMap<ItemRef, NamedType>,
    /// Inside the library what is not data may pass as `any`.
    library: bool,
    /// Pairs that are being compared: a recursive type fits as far as the rest of it does.
    open: Vec<(Type, Type)>,
}

impl<'a> Relate<'a> {
    pub(super) fn new(named: &'a HashMap<ItemRef, NamedType>, library: bool) -> Self {
        Self { named, library, open: Vec::new() }
    }

    /// Whether values of `from` fit `to`.
    pub(super) fn fits(&mut self, from: &Type, to: &Type) -> Fit {
        stacker::maybe_grow(64 << 10, 1 << 20, || self.compare(from, to))
    }

    fn compare(&mut self, from: &Type, to: &Type) -> Fit {
        match (from, to) {
            (Type::Unknown | Type::Never, _) | (_, Type::Unknown) => Fit::Yes,
            (Type::Named(a), Type::Named(b)) if a == b => Fit::Yes,
            (Type::Named(_), _) | (_, Type::Named(_)) => self.compare_named(from, to),
            (Type::Var(a), Type::Var(b)) if a == b => Fit::Yes,
            // What stands for a type variable is not known when the program runs either.
            (_, Type::Var(_)) => Fit::Yes,
            (Type::Var(_), Type::Any) => Fit::Yes,
            (Type::Var(_), _) => Fit::Maybe,
            (Type::Union(members), _) => {
                let members = members.clone();
                each(members.iter().map(|member| self.fits(member, to)))
            }
            (_, Type::Any) => self.fits_any(from),
            (_, Type::Payload) => self.fits_payload(from),
            (_, Type::Union(members)) => {
                let members = members.clone();
                members.iter().map(|member| self.fits(from, member)).max().unwrap_or(Fit::Maybe)
            }
            (Type::Any, Type::Function(_) | Type::Agent(_) | Type::TypeOf(_) | Type::Secret | Type::Tool) => {
                if self.library { Fit::Yes } else { Fit::Maybe }
            }
            (Type::Any | Type::Payload, _) => Fit::Maybe,
            _ => self.compare_shapes(from, to),
        }
    }

    fn compare_named(&mut self, from: &Type, to: &Type) -> Fit {
        let pair = (from.clone(), to.clone());
        if self.open.contains(&pair) {
            return Fit::Yes;
        }
        self.open.push(pair);
        let (from, to) = (resolve(self.named, from).clone(), resolve(self.named, to).clone());
        let fit = self.fits(&from, &to);
        self.open.pop();
        fit
    }

    fn compare_shapes(&mut self, from: &Type, to: &Type) -> Fit {
        match (from, to) {
            (Type::Literal(a), Type::Literal(b)) => yes_if(same_literal(a, b)),
            (Type::Literal(literal), _) => self.compare_shapes(&base(literal), to),
            (_, Type::Literal(literal)) => {
                let of = base(literal);
                if *from == of || (*from == Type::Int && of == Type::Float) { Fit::Maybe } else { Fit::No }
            }
            (Type::Int, Type::Float) => Fit::Yes,
            (Type::List(a), Type::List(b)) | (Type::Map(a), Type::Map(b)) => self.fits(a, b),
            (Type::Agent(a), Type::Agent(b)) | (Type::TypeOf(a), Type::TypeOf(b)) => self.fits(a, b),
            (Type::Record(a), Type::Record(b)) => self.fits_record(a, b),
            (Type::Record(a), Type::Map(b)) => {
                let fields = a.fields.iter().map(|field| {
                    let fit = self.fits(&field.ty, b);
                    if field.optional { fit.min(Fit::Maybe) } else { fit }
                });
                all(fields.collect::<Vec<_>>())
            }
            (Type::Map(a), Type::Record(b)) => {
                let lacks = b.fields.iter().any(|f| !f.optional && self.fits(a, &f.ty) == Fit::No);
                if lacks { Fit::No } else { Fit::Maybe }
            }
            (Type::Function(a), Type::Function(b)) => self.fits_function(a, b),
            (Type::Agent(_), Type::Function(_)) => Fit::Maybe,
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
            Type::Record(record) => all(record.fields.iter().map(|f| self.fits(&f.ty, &Type::Any)).collect::<Vec<_>>()),
            _ => Fit::Yes,
        }
    }

    fn fits_payload(&mut self, from: &Type) -> Fit {
        match from {
            Type::Secret | Type::Payload => Fit::Yes,
            Type::List(item) | Type::Map(item) => self.fits(item, &Type::Payload),
            Type::Record(record) => {
                all(record.fields.iter().map(|f| self.fits(&f.ty, &Type::Payload)).collect::<Vec<_>>())
            }
            _ => self.fits_any(from),
        }
    }

    fn fits_record(&mut self, from: &RecordType, to: &RecordType) -> Fit {
        let fields = to.fields.iter().map(|want| {
            let Some(have) = from.fields.iter().find(|field| field.name == want.name) else {
                return if want.optional { Fit::Maybe } else { Fit::No };
            };
            match (have.optional, want.optional) {
                (true, true) | (false, false) => self.fits(&have.ty, &want.ty),
                (true, false) => self.fits(&optional(have.ty.clone()), &want.ty),
                (false, true) => self.fits(&have.ty, &optional(want.ty.clone())),
            }
        });
        all(fields.collect::<Vec<_>>())
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
}

impl Checked {
    /// What a type stands for: a declared name is followed to its end.
    pub fn resolve<'t>(&'t self, ty: &'t Type) -> &'t Type {
        resolve(&self.named, ty)
    }
}

/// What a type stands for; a declared name is followed to its end.
pub(super) fn resolve<'t>(named: &'t HashMap<ItemRef, NamedType>, ty: &'t Type) -> &'t Type {
    let mut ty = ty;
    // Declared types that are nothing but themselves have become `Unknown`, so this ends.
    while let Type::Named(item) = ty {
        let Some(next) = named.get(item) else { return &Type::Unknown };
        ty = &next.ty;
    }
    ty
}

fn yes_if(holds: bool) -> Fit {
    if holds { Fit::Yes } else { Fit::No }
}

/// Every part has to fit.
fn all(parts: Vec<Fit>) -> Fit {
    parts.into_iter().min().unwrap_or(Fit::Yes)
}

/// Each is what the value may be.
fn each(members: impl Iterator<Item = Fit>) -> Fit {
    members.reduce(|a, b| if a == b { a } else { Fit::Maybe }).unwrap_or(Fit::Yes)
}

fn same_literal(a: &Literal, b: &Literal) -> bool {
    match (a, b) {
        #[allow(clippy::cast_precision_loss, reason = "a literal that a float does not hold is none that is written")]
        (Literal::Int(a), Literal::Float(b)) | (Literal::Float(b), Literal::Int(a)) => (*a as f64) == *b,
        _ => a == b,
    }
}
