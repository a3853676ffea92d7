//! Holes: what a `[]`, `{}` or `null` in a `let` without a type holds.
//!
//! The first place in the text that puts a value in, or expects a known type, fills the hole; until then reading it
//! gives `any`. What was noted of earlier expressions is mended when the declaration has been checked.

use std::sync::Arc;

use super::{
    LocalId,
    checker::Checker,
    relate::Fit,
    ty::{RecordType, Type},
    union::{has_hole, is_empty, list, map, map_parts, map_record, optional, union, widen},
};
use crate::{
    span::Span,
    syntax::ast::{Expr, ExprId},
};

/// What a hole is the hole of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// The elements of a `[]`, or the values of a `{}` that turned out to be a map.
    Item,
    /// A `{}`.
    Braces,
    /// A `null`.
    Null,
}

#[derive(Debug)]
struct Hole {
    kind: Kind,
    /// What fills it.
    is: Option<Type>,
    /// Where the `let` stands.
    span: Span,
}

/// The holes of a declaration.
#[derive(Debug, Default)]
pub(super) struct Holes {
    all: Vec<Hole>,
    /// Expressions that were noted with a hole in their type, or in what they are checked against.
    noted: Vec<ExprId>,
    /// Variables with a hole in their type.
    locals: Vec<LocalId>,
}

impl Holes {
    /// What fills a hole.
    pub(super) fn filled(&self, hole: u32) -> Option<&Type> {
        self.all.get(hole as usize).and_then(|hole| hole.is.as_ref())
    }

    /// Whether there are any, filled or not.
    pub(super) fn any(&self) -> bool {
        !self.all.is_empty()
    }

    /// Whether a variable had holes where it was declared.
    pub(super) fn is_of(&self, local: LocalId) -> bool {
        self.locals.contains(&local)
    }

    fn open(&mut self, kind: Kind, span: Span) -> Type {
        self.all.push(Hole { kind, is: None, span });
        Type::Hole(u32::try_from(self.all.len() - 1).unwrap_or(u32::MAX))
    }

    fn kind(&self, hole: u32) -> Option<Kind> {
        self.all.get(hole as usize).map(|hole| hole.kind)
    }

    /// Keeps in mind that the type of an expression has to be mended in the end.
    pub(super) fn note(&mut self, expr: ExprId, ty: &Type) {
        if self.any() && has_hole(ty) {
            self.noted.push(expr);
        }
    }
}

impl Checker<'_> {
    /// Makes holes of what is empty in the type of a variable that is changed later.
    pub(super) fn open_holes(&mut self, ty: &Type, span: Span) -> Type {
        match ty {
            Type::Null => self.frame.holes.open(Kind::Null, span),
            Type::List(item) if **item == Type::Never => list(self.frame.holes.open(Kind::Item, span)),
            Type::Record(record) if is_empty(record) => self.frame.holes.open(Kind::Braces, span),
            Type::Record(record) if record.closed => {
                Type::Record(Arc::new(map_record(record, &mut |ty| self.open_holes(ty, span))))
            }
            Type::List(item) => list(self.open_holes(item, span)),
            other => other.clone(),
        }
    }

    /// The hole that a type is as a whole, while nothing fills it.
    fn open_hole(&self, ty: &Type) -> Option<u32> {
        match ty {
            Type::Hole(hole) => match self.frame.holes.filled(*hole) {
                Some(filled) => self.open_hole(filled),
                None => Some(*hole),
            },
            _ => None,
        }
    }

    /// Whether a type is a hole as a whole, and nothing fills it.
    pub(super) fn is_open(&self, ty: &Type) -> bool {
        self.open_hole(ty).is_some()
    }

    /// The type with what fills its holes in their place.
    pub(super) fn filled(&self, ty: &Type) -> Type {
        if !self.frame.holes.any() || !has_hole(ty) {
            return ty.clone();
        }
        match ty {
            Type::Hole(hole) => self.frame.holes.filled(*hole).map_or_else(|| ty.clone(), |is| self.filled(is)),
            other => map_parts(other, &mut |part| self.filled(part)),
        }
    }

    /// The type with `any` for what was never filled.
    pub(super) fn mended(&self, ty: &Type) -> Type {
        fn close(ty: &Type) -> Type {
            match ty {
                Type::Hole(_) => Type::Any,
                other if has_hole(other) => map_parts(other, &mut close),
                other => other.clone(),
            }
        }
        close(&self.filled(ty))
    }

    /// Fills the holes of `holey` with what is known from a place that expects `known` of it, or that puts it in.
    pub(super) fn fill(&mut self, holey: &Type, known: &Type, puts: bool) {
        if !has_hole(holey) {
            return;
        }
        match (holey, known) {
            (Type::Hole(hole), _) => match self.frame.holes.filled(*hole).cloned() {
                Some(filled) => self.fill(&filled, known, puts),
                None => self.fill_one(*hole, known, puts),
            },
            (Type::Union(members), _) => {
                let known = self.non_null(known);
                members.iter().for_each(|member| self.fill(member, &known, puts));
            }
            (_, Type::Named(_) | Type::Hole(_)) => {
                let resolved = self.resolve(known);
                if resolved != *known {
                    self.fill(holey, &resolved, puts);
                }
            }
            (_, Type::Union(members)) => {
                let alike = members.iter().find(|member| self.alike(holey, member)).cloned();
                if let Some(member) = alike {
                    self.fill(holey, &member, puts);
                }
            }
            (Type::List(a), Type::List(b)) | (Type::Map(a), Type::Map(b)) => self.fill(a, b, puts),
            (Type::Map(item), Type::Record(record)) => {
                let all = super::relate::field_types(record);
                self.fill(item, &all, puts);
            }
            (Type::Record(record), Type::Map(item)) => {
                record.fields.iter().for_each(|field| self.fill(&field.ty, item, puts));
            }
            (Type::Record(a), Type::Record(b)) => {
                for field in &a.fields {
                    if let Some(other) = b.field(&field.name) {
                        self.fill(&field.ty, &other.ty, puts);
                    }
                }
            }
            _ => {}
        }
    }

    fn alike(&self, a: &Type, b: &Type) -> bool {
        matches!(
            (a, self.resolve(b)),
            (Type::List(_), Type::List(_)) | (Type::Map(_) | Type::Record(_), Type::Map(_) | Type::Record(_))
        )
    }

    fn fill_one(&mut self, hole: u32, known: &Type, puts: bool) {
        let known = self.filled(known);
        let Some(kind) = self.frame.holes.kind(hole) else { return };
        let span = self.frame.holes.all[hole as usize].span;
        let is = match (kind, &known) {
            (_, Type::Unknown | Type::Never | Type::Hole(_)) => return,
            (_, Type::Any | Type::Payload) if !puts => return,
            (Kind::Null, Type::Null) => return,
            (Kind::Null, _) => {
                let inner = self.non_null(&widen(&known));
                optional(self.open_holes(&inner, span))
            }
            (Kind::Item, _) => self.open_holes(&widen(&known), span),
            (Kind::Braces, _) => match self.for_braces(&known) {
                Some(Type::Record(record)) if is_empty(&record) => return,
                Some(known) => self.open_holes(&widen(&known), span),
                None if puts => Type::Any,
                None => return,
            },
        };
        // A list that is put into itself.
        let is = if names(&is, hole) { Type::Any } else { is };
        self.frame.holes.all[hole as usize].is = Some(is);
    }

    /// What a `{}` may be among what is expected of it.
    fn for_braces(&self, known: &Type) -> Option<Type> {
        let members = self.members(known);
        let map = members.iter().find(|member| matches!(member, Type::Map(_)));
        let found = map.or_else(|| members.iter().find(|member| matches!(member, Type::Record(_))))?;
        match found {
            // The name of a declared type stays.
            Type::Record(_) if members.len() == 1 => Some(known.clone()),
            other => Some(other.clone()),
        }
    }

    /// Makes a map of a `{}` whose keys are not written.
    pub(super) fn become_map(&mut self, ty: &Type) -> Type {
        if let Some(hole) = self.open_hole(ty)
            && self.frame.holes.kind(hole) == Some(Kind::Braces)
        {
            let span = self.frame.holes.all[hole as usize].span;
            let item = self.frame.holes.open(Kind::Item, span);
            self.frame.holes.all[hole as usize].is = Some(map(item));
            return self.filled(ty);
        }
        ty.clone()
    }

    /// Makes anything of a `{}` whose fields are set one by one.
    pub(super) fn become_any(&mut self, ty: &Type) {
        if let Some(hole) = self.open_hole(ty) {
            self.frame.holes.all[hole as usize].is = Some(Type::Any);
        }
    }

    /// Keeps in mind that a variable has holes.
    pub(super) fn note_holes(&mut self, local: LocalId, ty: &Type) {
        if self.frame.holes.any() && has_hole(ty) {
            self.frame.holes.locals.push(local);
        }
    }

    /// Puts what fills the holes of a declaration into the tables, and `any` for what nothing has filled.
    pub(super) fn mend(&mut self) {
        let (noted, locals) =
            (std::mem::take(&mut self.frame.holes.noted), std::mem::take(&mut self.frame.holes.locals));
        for id in noted {
            let table = self.table();
            let ty = table.types.get(id.0 as usize).cloned();
            let expects = table.expects.get(&id).cloned();
            if let Some(ty) = ty {
                let ty = self.mended(&ty);
                self.table().types[id.0 as usize] = ty;
            }
            if let Some(ty) = expects {
                let ty = self.mended(&ty);
                self.table().expects.insert(id, ty);
            }
        }
        let item = self.frame.item;
        for id in locals {
            if let Some(ty) = self.table().local_types.get(&(item, id)).cloned() {
                let ty = self.mended(&ty);
                self.table().local_types.insert((item, id), ty);
            }
        }
        self.report_open();
    }

    /// What nothing has filled is an `any` that nobody wrote.
    fn report_open(&mut self) {
        let open = self.frame.holes.all.iter().filter(|hole| hole.is.is_none());
        let mut open: Vec<(Span, Kind)> = open.map(|hole| (hole.span, hole.kind)).collect();
        open.dedup_by_key(|(span, _)| *span);
        for (span, kind) in open {
            let help = match kind {
                Kind::Item => "give it a type: `let x: [T] = []`",
                Kind::Braces => "give it a type: `let x: map<T> = {}`",
                Kind::Null => "give it a type: `let x: T? = null`",
            };
            self.implicit_any(span, "nothing says what this holds, so it is `any`", help);
        }
    }

    /// What is of one type or of the other: one covers the other where it can, and says what a hole is.
    pub(super) fn unite(&self, a: Type, b: Type) -> Type {
        if a == b {
            return union([a, b]);
        }
        match (self.is_open(&a), self.is_open(&b)) {
            (true, false) if !matches!(b, Type::Never | Type::Null) => widen(&b),
            (false, true) if !matches!(a, Type::Never | Type::Null) => widen(&a),
            (true, _) | (_, true) => union([a, b]),
            _ if self.fits(&b, &a) == Fit::Yes => covering(a, &b),
            _ if self.fits(&a, &b) == Fit::Yes => covering(b, &a),
            _ => union([a, b]),
        }
    }

    /// Notes what a value is checked against when the program runs.
    pub(super) fn expect(&mut self, expr: &Expr, ty: Type) {
        self.frame.holes.note(expr.id, &ty);
        self.table().expects.insert(expr.id, ty);
    }
}

/// Whether a hole stands in a type.
fn names(ty: &Type, hole: u32) -> bool {
    match ty {
        Type::Hole(other) => *other == hole,
        Type::List(item) | Type::Map(item) => names(item, hole),
        Type::Record(record) => fields_name(record, hole),
        Type::Union(members) => members.iter().any(|member| names(member, hole)),
        _ => false,
    }
}

fn fields_name(record: &RecordType, hole: u32) -> bool {
    record.fields.iter().any(|field| names(&field.ty, hole))
}

/// A type that covers another, whose values may have further fields.
fn covering(wide: Type, narrow: &Type) -> Type {
    match (&wide, narrow) {
        (Type::Record(a), Type::Record(b)) if a.closed && !b.closed => {
            Type::Record(Arc::new(RecordType::open(a.fields.clone())))
        }
        _ => wide,
    }
}
