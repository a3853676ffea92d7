//! Fields, indices and calls in a row: `a.b[i].c(d)`, where one `?.` that meets null ends the whole row.

use super::{
    Use,
    checker::Checker,
    flow::{Key, PathId},
    literal::fields_there_are,
    name::Dotted,
    relate::Fit,
    suggest::{did_you_mean, nearest},
    ty::{Literal, RecordType, Type},
    union::{is_empty, list, optional, union, widen},
};
use crate::{
    code::Code,
    diagnostic::Diagnostic,
    syntax::ast::{Expr, ExprKind, Name},
};

/// A part of a row, as far as it goes.
pub(super) struct Link {
    /// The type of its value.
    pub(super) ty: Type,
    /// A `?.` before may have ended the row with null.
    pub(super) short: bool,
    /// The path that it is, if something is known of it.
    pub(super) path: Option<PathId>,
    /// What it may hold, where what it holds here is known better.
    pub(super) declared: Option<Type>,
}

impl Link {
    fn of(ty: Type, short: bool) -> Self {
        Self { ty, short, path: None, declared: None }
    }
}

impl<'a> Checker<'a> {
    /// The type of a field, index or call, and whether a `?.` before may have ended the row with null.
    pub(super) fn chain(&mut self, expr: &'a Expr, want: Option<&Type>) -> (Type, bool) {
        let link = self.link(expr, want, false);
        (link.ty, link.short)
    }

    /// A part of a row. In a place that is changed, `m[k]` on a map is there: a missing key throws.
    pub(super) fn link(&mut self, expr: &'a Expr, want: Option<&Type>, place: bool) -> Link {
        let found = stacker::maybe_grow(128 << 10, 2 << 20, || self.link_kind(expr, want, place));
        self.note(expr, &found.ty);
        found
    }

    fn link_kind(&mut self, expr: &'a Expr, want: Option<&Type>, place: bool) -> Link {
        if self.frame.piped == Some(expr.id) && !matches!(expr.kind, ExprKind::Call { .. }) {
            let (ty, short) = self.piped_path(expr, want);
            return Link::of(ty, short);
        }
        match &expr.kind {
            ExprKind::Field { object, name, optional } => self.field(expr, object, name, *optional, place),
            ExprKind::Index { object, index } => {
                let whole = self.object_link(object, place);
                let ty = self.index(&whole.ty, object, index, place);
                let path = whole.path.and_then(|path| {
                    let key = self.key_of(index)?;
                    self.frame.flow.find(path, &key)
                });
                self.known_link(expr, ty, whole.short, path)
            }
            ExprKind::Call { callee, args } => {
                let (ty, short) = self.call(expr, callee, args, want);
                Link::of(ty, short)
            }
            ExprKind::Paren(inner) if place => self.link(inner, want, place),
            ExprKind::Name(_) => {
                let ty = self.infer(expr, want);
                let path = self.path_of(expr);
                let declared = self.frame.unnarrowed.take().filter(|(id, _)| *id == expr.id).map(|(_, ty)| ty);
                Link { ty, short: false, path, declared }
            }
            _ => Link::of(self.infer(expr, want), false),
        }
    }

    /// With what is known of the path at this place.
    fn known_link(&mut self, expr: &Expr, ty: Type, short: bool, path: Option<PathId>) -> Link {
        match path.and_then(|path| self.known(path, &ty)) {
            Some(known) => {
                let short = short && self.has_null(&known);
                self.frame.unnarrowed = Some((expr.id, ty.clone()));
                Link { ty: known, short, path, declared: Some(ty) }
            }
            None => Link { ty, short, path, declared: None },
        }
    }

    /// What stands before a dot, bracket or parenthesis.
    pub(super) fn object(&mut self, expr: &'a Expr) -> (Type, bool) {
        let link = self.object_link(expr, false);
        (link.ty, link.short)
    }

    pub(super) fn object_link(&mut self, expr: &'a Expr, place: bool) -> Link {
        match &expr.kind {
            ExprKind::Field { .. } | ExprKind::Index { .. } | ExprKind::Call { .. } | ExprKind::Name(_) => {
                self.link(expr, None, place)
            }
            ExprKind::Paren(_) if place => self.link(expr, None, place),
            ExprKind::Paren(inner) if matches!(inner.kind, ExprKind::Name(_)) => {
                let link = self.link(inner, None, place);
                self.note(expr, &link.ty);
                link
            }
            _ => Link::of(self.infer(expr, None), false),
        }
    }

    fn field(&mut self, expr: &'a Expr, object: &'a Expr, name: &'a Name, optional: bool, place: bool) -> Link {
        match self.dotted(expr, object, name) {
            Dotted::Use(found) => return Link::of(self.type_of_use(&found, expr.span), false),
            Dotted::Wrong => return Link::of(Type::Unknown, false),
            Dotted::Value => {}
        }
        let whole = self.object_link(object, place);
        let open_state = self.table().uses.get(&object.id) == Some(&Use::CtxState) && whole.ty == Type::Any;
        if open_state {
            self.table().lenient.insert(expr.id);
            return Link::of(Type::Any, whole.short);
        }
        if place && self.is_open(&whole.ty) {
            self.become_any(&whole.ty);
        }
        let short = whole.short || (optional && self.may_be_absent(&whole.ty));
        let ty = self.object_present(object, whole.ty, optional, &name.text);
        let ty = self.read_field(expr, &ty, name);
        let path = whole.path.and_then(|path| self.frame.flow.find(path, &Key::Name(name.text.clone())));
        self.known_link(expr, ty, short, path)
    }

    /// What stands before a dot, without null; reported where null would get there.
    pub(super) fn object_present(&mut self, object: &Expr, ty: Type, optional: bool, name: &str) -> Type {
        if optional {
            return self.non_null(&ty);
        }
        let other = self.source(object.span).map(|text| format!("write `{text}?.{name}`"));
        self.without_null(object, ty, &format!("null has no `{name}`"), other)
    }

    /// Whether a `?.` can have an effect: what is known to be there does not become null by it.
    pub(super) fn may_be_absent(&self, ty: &Type) -> bool {
        self.has_null(ty) || self.members(ty).iter().any(|m| matches!(m, Type::Any | Type::Payload | Type::Map(_)))
    }

    /// The type of a declared field.
    pub(super) fn declared_field(&self, ty: &Type, name: &str) -> Option<Type> {
        let records = self.records(ty);
        let found: Vec<Type> =
            records.iter().filter_map(|record| record.field(name)).map(super::ty::FieldType::read).collect();
        (!found.is_empty()).then(|| union(found))
    }

    fn read_field(&mut self, expr: &Expr, ty: &Type, name: &Name) -> Type {
        if name.text.is_empty() {
            return Type::Unknown;
        }
        let members = self.members(ty);
        let (mut found, mut lacks, mut absent) = (Vec::new(), None, false);
        for member in members.iter() {
            match member {
                Type::Any | Type::Payload => found.push(Type::Any),
                Type::Unknown | Type::Never => return Type::Unknown,
                // Nobody has said what is in a `{}`.
                Type::Record(record) if is_empty(record) && members.len() == 1 => found.push(Type::Any),
                Type::Record(record) => match record.field(&name.text) {
                    Some(field) => {
                        absent |= field.optional;
                        found.push(field.read());
                    }
                    None if record.closed && members.len() > 1 => absent = true,
                    None => lacks = Some(member),
                },
                _ => lacks = Some(member),
            }
        }
        if found.is_empty() {
            self.no_such_field(ty, &members, name);
            return Type::Unknown;
        }
        if let Some(lacks) = lacks {
            let message =
                format!("`{}` has no field `{}` where it is `{}`", self.show(ty), name.text, self.show(lacks));
            let help = "find out which it is first: `match` it, or compare a field that tells";
            self.report(Diagnostic::new(Code::UnknownField, name.span, message).help(help));
            return Type::Unknown;
        }
        if absent {
            self.table().lenient.insert(expr.id);
            found.push(Type::Null);
        }
        union(found)
    }

    fn no_such_field(&mut self, ty: &Type, members: &[Type], name: &Name) {
        let shown = self.show(ty);
        let mut diagnostic =
            Diagnostic::new(Code::UnknownField, name.span, format!("`{shown}` has no field `{}`", name.text));
        let records = self.records(ty);
        let fields = records.iter().flat_map(|record| record.fields.iter().map(|field| field.name.as_str()));
        let near = did_you_mean(&nearest(&name.text, fields));
        let method = || self.library.methods.contains_key(&name.text);
        if let Some(help) = near {
            diagnostic = diagnostic.help(help);
        } else if let Some(record) = records.first().filter(|_| !method()) {
            diagnostic = diagnostic.help(fields_there_are(record));
        } else if let Some(help) = self.method_help(ty, &name.text) {
            diagnostic = diagnostic.help(help);
        } else if members.iter().any(|member| matches!(member, Type::Map(_))) {
            diagnostic = diagnostic.help(format!("read a key of a map by `[\"{}\"]`", name.text));
        } else if let [Type::List(item)] = members
            && self.declared_field(item, &name.text).is_some()
        {
            diagnostic = diagnostic.help(format!("read it of each element: `.map(x => x.{})`", name.text));
        }
        self.report(diagnostic);
    }

    /// The type of `object[index]`, where `ty` is what the object is.
    fn index(&mut self, ty: &Type, object: &'a Expr, index: &'a Expr, place: bool) -> Type {
        let ranged = matches!(index.kind, ExprKind::Range { .. });
        let key = self.infer(index, None);
        let ty = self.without_null(object, ty.clone(), "null has no elements", None);
        if ranged {
            return self.slice(object, &ty);
        }
        let ty = if self.is_open(&ty) && self.fits(&key, &Type::String) != Fit::No { self.become_map(&ty) } else { ty };
        let mut found = Vec::new();
        let mut wrong = None;
        for member in self.members(&ty) {
            let (wants, gives) = match member {
                Type::List(item) => (Type::Int, (*item).clone()),
                Type::String | Type::Literal(Literal::String(_)) => (Type::Int, Type::String),
                Type::Bytes => (Type::Int, Type::Int),
                Type::Map(item) if place => (Type::String, (*item).clone()),
                Type::Map(item) => (Type::String, optional((*item).clone())),
                Type::Record(record) => {
                    found.push(self.record_key(index, &key, &record));
                    continue;
                }
                Type::Any | Type::Payload => (Type::Unknown, Type::Any),
                Type::Unknown | Type::Never => return Type::Unknown,
                _ => {
                    let message = format!("`{}` cannot be indexed", self.show(&ty));
                    self.error(Code::BadOperator, object.span, message);
                    return Type::Unknown;
                }
            };
            if self.fits(&key, &wants) == Fit::No {
                wrong = Some(wants);
            }
            found.push(gives);
        }
        if let Some(wants) = wrong {
            self.mismatch(index.span, &widen(&key), &wants);
        }
        union(found)
    }

    fn record_key(&mut self, index: &Expr, key: &Type, record: &RecordType) -> Type {
        if record.fields.is_empty() {
            return Type::Any;
        }
        let Some(literals) = self.literals(key) else {
            if self.fits(key, &Type::String) != Fit::No {
                let message = "a record is read by the names of its fields, not by a variable";
                let help = "give it the type `map<T>` where keys are computed";
                self.report(Diagnostic::new(Code::BadOperator, index.span, message).help(help));
            } else if !matches!(key, Type::Unknown | Type::Never) {
                self.mismatch(index.span, key, &Type::String);
            }
            return Type::Unknown;
        };
        let mut found = Vec::new();
        for literal in &literals {
            let Literal::String(name) = literal else {
                self.mismatch(index.span, key, &Type::String);
                return Type::Unknown;
            };
            let Some(field) = record.field(name) else {
                let name = Name { text: name.clone(), span: index.span };
                self.unknown_field(&name, record, &[]);
                return Type::Unknown;
            };
            found.push(field.read());
        }
        union(found)
    }

    fn slice(&mut self, object: &Expr, ty: &Type) -> Type {
        let mut found = Vec::new();
        for member in self.members(ty) {
            match member {
                Type::List(item) => found.push(list((*item).clone())),
                Type::String | Type::Literal(Literal::String(_)) => found.push(Type::String),
                Type::Bytes => found.push(Type::Bytes),
                Type::Any | Type::Payload => found.push(Type::Any),
                Type::Unknown | Type::Never => return Type::Unknown,
                _ => {
                    let message = format!("expected a list or text to take a part of, found `{}`", self.show(ty));
                    self.error(Code::BadOperator, object.span, message);
                    return Type::Unknown;
                }
            }
        }
        union(found)
    }
}
