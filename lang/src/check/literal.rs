//! Texts, lists and records as written, held against what is expected of their parts.

use std::sync::Arc;

use super::{
    checker::Checker,
    prescan::source_of,
    relate::Fit,
    suggest::{did_you_mean, nearest},
    ty::{FieldType, RecordType, Type},
    union::{MANY, list, map, optional, union, widen},
};
use crate::{
    code::Code,
    diagnostic::Diagnostic,
    syntax::ast::{Element, Expr, Name, RecordField, StrPart},
};

/// What a record literal has turned out to hold.
#[derive(Default)]
struct Made {
    fields: Vec<FieldType>,
    /// The types of values under keys that are not known.
    loose: Vec<Type>,
    /// Something of unknown fields was spread in.
    open: bool,
    /// What was spread in may have further fields.
    further: bool,
}

impl<'a> Checker<'a> {
    /// `"a ${b}"`.
    pub(super) fn text_literal(&mut self, expr: &'a Expr, parts: &'a [StrPart]) -> Type {
        if let Some(literal) = super::annotation::literal(expr) {
            return Type::Exact(literal);
        }
        let mut secret = false;
        for part in parts {
            let StrPart::Expr(inner) = part else { continue };
            let ty = self.infer(inner, None);
            secret |= self.members(&ty).contains(&Type::Secret);
            self.insertable(inner, &ty);
        }
        if secret { Type::Secret } else { Type::String }
    }

    /// Whether a value may stand in a text.
    fn insertable(&mut self, inner: &'a Expr, ty: &Type) {
        if self.has_null(ty) {
            let shown = source_of(self.text(), inner);
            let message = format!("this may be null, and text never says \"null\": found `{}`", self.show(ty));
            let help = format!("give another value for it: `${{{shown} ?? \"…\"}}`");
            self.report(Diagnostic::new(Code::MaybeNull, inner.span, message).help(help));
            return;
        }
        if self.frame.library {
            return;
        }
        if let Some(what) = self.not_data(ty).filter(|what| *what != "a secret") {
            let diagnostic = Diagnostic::new(Code::NotData, inner.span, format!("{what} has no text"));
            self.report(diagnostic.help("call it, or insert one of its parts"));
        }
    }

    /// `[a, ...b]`.
    pub(super) fn list_literal(&mut self, elements: &'a [Element], want: Option<&Type>) -> Type {
        let item = want.and_then(|want| self.wanted_item(want)).filter(|item| !self.is_open(item));
        let mut found: Vec<Type> = Vec::new();
        for element in elements {
            let ty = match element {
                Element::Item(value) => self.check_or_infer(value, item.as_ref()),
                Element::Spread(value) => {
                    let want = item.clone().map(list);
                    let ty = self.check_or_infer(value, want.as_ref());
                    self.spread_item(value, &ty)
                }
            };
            if !found.contains(&ty) {
                found.push(ty);
            }
            if found.len() > MANY {
                let wide = widen(&union(found.drain(..)));
                found.push(wide);
            }
        }
        match item {
            Some(item) => list(item),
            None => list(union(found)),
        }
    }

    /// What the elements of a list have to be, where only one sort of list is expected.
    fn wanted_item(&self, want: &Type) -> Option<Type> {
        let members = self.members(want);
        let mut items = members.iter().filter_map(|member| match member {
            Type::List(item) => Some((**item).clone()),
            Type::Any | Type::Payload => Some(member.clone()),
            _ => None,
        });
        let item = items.next()?;
        items.next().is_none().then_some(item)
    }

    fn spread_item(&mut self, value: &Expr, ty: &Type) -> Type {
        let other = Some("write `...(xs ?? [])`".to_owned());
        let ty = &self.without_null(value, ty.clone(), "null has no elements", other);
        let mut items = Vec::new();
        for member in self.members(ty) {
            match member {
                Type::List(item) => items.push((*item).clone()),
                Type::Any | Type::Unknown | Type::Never | Type::Payload => items.push(Type::Any),
                _ => {
                    let message = format!("expected a list after `...`, found `{}`", self.show(ty));
                    self.error(Code::Mismatch, value.span, message);
                    return Type::Unknown;
                }
            }
        }
        union(items)
    }

    /// `{ a: 1, b, ...c }`.
    pub(super) fn record_literal(&mut self, expr: &'a Expr, fields: &'a [RecordField], want: Option<&Type>) -> Type {
        let want = want.map(|want| self.members_non_null(want).to_vec()).unwrap_or_default();
        if let Some(record) = self.wanted_record(fields, &want) {
            return self.record_for(expr, fields, &record);
        }
        let maps = want.iter().filter_map(|member| match member {
            Type::Map(item) => Some((**item).clone()),
            Type::Any | Type::Payload => Some(member.clone()),
            _ => None,
        });
        let maps: Vec<Type> = maps.collect();
        let records = want.iter().any(|member| matches!(member, Type::Record(_)));
        match maps.as_slice() {
            [item] if !records => {
                let item = item.clone();
                let made = self.map_for(fields, &item);
                if want.iter().any(|member| matches!(member, Type::Map(_))) { map(item) } else { made }
            }
            _ => self.free_record(fields),
        }
    }

    /// The record type among what is expected that the literal is written for.
    fn wanted_record(&self, fields: &[RecordField], want: &[Type]) -> Option<Arc<RecordType>> {
        let mut records = want.iter().filter_map(|member| match member {
            Type::Record(record) => Some(record),
            _ => None,
        });
        let first = records.next()?;
        let rest: Vec<_> = records.collect();
        if rest.is_empty() {
            let open = want.iter().any(|member| matches!(member, Type::Any | Type::Payload | Type::Map(_)));
            return (!open).then(|| first.clone());
        }
        let all: Vec<&Arc<RecordType>> = std::iter::once(first).chain(rest).collect();
        let only = |fitting: Vec<&Arc<RecordType>>| match fitting.as_slice() {
            [found] => Some((*found).clone()),
            _ => None,
        };
        let whole = all.iter().copied().filter(|record| self.written_for(fields, record));
        only(whole.collect()).or_else(|| {
            let kind = all.iter().copied().filter(|record| self.is_kind(fields, record));
            only(kind.collect())
        })
    }

    /// Whether the fields that are literals in the record type are the same in the literal.
    fn is_kind(&self, fields: &[RecordField], record: &RecordType) -> bool {
        let mut any = false;
        for field in record.fields.iter().filter(|field| self.literals(&field.ty).is_some()) {
            let value = fields.iter().find_map(|other| match other {
                RecordField::Named { name, value, .. } if name.text == field.name => Some(value),
                _ => None,
            });
            let Some(literal) = value.and_then(super::annotation::literal) else { return false };
            if self.fits(&Type::Literal(literal), &field.ty) == Fit::No {
                return false;
            }
            any = true;
        }
        any
    }

    /// Whether the literal's fields that are literals themselves, and its names, are those of the record type.
    fn written_for(&self, fields: &[RecordField], record: &RecordType) -> bool {
        let named: Vec<(&Name, &Expr)> = fields
            .iter()
            .filter_map(|field| match field {
                RecordField::Named { name, value, .. } => Some((name, value)),
                _ => None,
            })
            .collect();
        let known = named.iter().all(|(name, value)| {
            let Some(field) = record.field(&name.text) else { return false };
            let literal = super::annotation::literal(value).map(Type::Literal);
            literal.is_none_or(|literal| self.fits(&literal, &field.ty) != Fit::No)
        });
        let whole = named.len() < fields.len()
            || record.fields.iter().all(|f| f.optional || named.iter().any(|(name, _)| name.text == f.name));
        known && whole
    }

    fn record_for(&mut self, expr: &'a Expr, fields: &'a [RecordField], record: &Arc<RecordType>) -> Type {
        let mut made = Made::default();
        let mut wrong = false;
        let named = fields.iter().filter_map(|field| match field {
            RecordField::Named { name, .. } => Some(name.text.as_str()),
            _ => None,
        });
        let named: Vec<&str> = named.collect();
        for field in fields {
            match field {
                RecordField::Named { name, value, .. } => {
                    let declared = record.fields.iter().find(|field| field.name == name.text);
                    match declared {
                        Some(declared) => {
                            self.check(value, &declared.read());
                        }
                        None => {
                            self.infer(value, None);
                            self.unknown_field(name, record, &named);
                        }
                    }
                    put(&mut made.fields, name, declared.map_or(Type::Unknown, |field| field.ty.clone()));
                }
                RecordField::Computed { key, value } => {
                    self.check(key, &Type::String);
                    self.infer(value, None);
                    made.open = true;
                }
                RecordField::Spread(value) => {
                    let ty = self.infer(value, None);
                    self.spread_fields(value, &ty, &mut made);
                }
            }
        }
        let missing: Vec<&FieldType> =
            record.fields.iter().filter(|f| !f.optional && !made.fields.iter().any(|g| g.name == f.name)).collect();
        if !missing.is_empty() && !made.open {
            wrong = true;
            self.missing_fields(expr, &missing);
        }
        let ty = Type::Record(record.clone());
        let spread = fields.iter().any(|field| !matches!(field, RecordField::Named { .. }));
        if spread && !wrong {
            // What was spread in has types of its own.
            let own = Type::Record(Arc::new(RecordType::closed(made.fields)));
            if made.open {
                return Type::Any;
            }
            return if self.fits(&own, &ty) == Fit::Yes { ty } else { own };
        }
        ty
    }

    fn missing_fields(&mut self, expr: &Expr, missing: &[&FieldType]) {
        let names: Vec<String> =
            missing.iter().map(|field| format!("`{}: {}`", field.name, self.show(&field.ty))).collect();
        let word = if names.len() == 1 { "field" } else { "fields" };
        let message = format!("missing {word} {}", names.join(", "));
        let help = format!("add {}", if names.len() == 1 { "it" } else { "them" });
        self.report(Diagnostic::new(Code::Mismatch, expr.span, message).help(help));
    }

    /// The error for a field that a record type lacks; those that are `given` are not meant.
    pub(super) fn unknown_field(&mut self, name: &Name, record: &RecordType, given: &[&str]) {
        if name.text.is_empty() {
            return;
        }
        let open = record.fields.iter().map(|field| field.name.as_str()).filter(|field| !given.contains(field));
        let found = nearest(&name.text, open);
        let message = format!("there is no field `{}`", name.text);
        let help = did_you_mean(&found).unwrap_or_else(|| fields_there_are(record));
        self.report(Diagnostic::new(Code::UnknownField, name.span, message).help(help));
    }

    /// Holds every value against `item`; where the keys are known, gives the record that it is.
    fn map_for(&mut self, fields: &'a [RecordField], item: &Type) -> Type {
        let mut made = Vec::new();
        let mut known = true;
        for field in fields {
            match field {
                RecordField::Named { name, value, .. } => {
                    let ty = self.check(value, item);
                    put(&mut made, name, ty);
                }
                RecordField::Computed { key, value } => {
                    known = false;
                    self.check(key, &Type::String);
                    self.check(value, item);
                }
                RecordField::Spread(value) => {
                    known = false;
                    let whole =
                        if matches!(item, Type::Any | Type::Payload) { item.clone() } else { map(item.clone()) };
                    let ty = self.infer(value, Some(&whole));
                    let ty = self.non_null(&ty);
                    self.coerce(value, ty, &whole);
                }
            }
        }
        if known { Self::of_record(RecordType::closed(made)) } else { item.clone() }
    }

    fn free_record(&mut self, fields: &'a [RecordField]) -> Type {
        let mut made = Made::default();
        for field in fields {
            match field {
                RecordField::Named { name, value, .. } => {
                    let ty = self.infer(value, None);
                    put(&mut made.fields, name, ty);
                }
                RecordField::Computed { key, value } => {
                    self.check(key, &Type::String);
                    let ty = self.infer(value, None);
                    made.loose.push(ty);
                }
                RecordField::Spread(value) => {
                    let ty = self.infer(value, None);
                    self.spread_fields(value, &ty, &mut made);
                }
            }
        }
        if made.open {
            return Type::Any;
        }
        if made.loose.is_empty() {
            return Self::of_record(RecordType { fields: made.fields, closed: !made.further });
        }
        let fields = made.fields.into_iter().map(|f| if f.optional { optional(f.ty) } else { f.ty });
        map(widen(&union(made.loose.into_iter().chain(fields))))
    }

    fn spread_fields(&mut self, value: &Expr, ty: &Type, made: &mut Made) {
        let members = self.members(ty);
        let null = members.contains(&Type::Null);
        let members: Vec<&Type> = members.iter().filter(|member| **member != Type::Null).collect();
        match members.as_slice() {
            [Type::Record(record)] => made.spread(record, null),
            [Type::Map(item)] => {
                made.loose.push((**item).clone());
                made.open |= !made.fields.is_empty();
            }
            [] => {}
            all if all.iter().all(|member| matches!(member, Type::Record(_))) => {
                let records = self.records(ty);
                let mut fields: Vec<FieldType> = Vec::new();
                for field in records.iter().flat_map(|record| &record.fields) {
                    if fields.iter().all(|known| known.name != field.name) {
                        fields.push(shared_field(field, &records));
                    }
                }
                let closed = records.iter().all(|record| record.closed);
                made.spread(&RecordType { fields, closed }, null);
            }
            all => {
                made.open = true;
                let whole = |m: &&Type| {
                    matches!(
                        m,
                        Type::Any | Type::Unknown | Type::Never | Type::Payload | Type::Record(_) | Type::Map(_)
                    )
                };
                if !all.iter().any(whole) {
                    let message = format!("expected a record or map after `...`, found `{}`", self.show(ty));
                    self.error(Code::Mismatch, value.span, message);
                }
            }
        }
    }
}

impl Made {
    /// Puts in the fields of a record that may be null.
    fn spread(&mut self, record: &RecordType, null: bool) {
        self.further |= !record.closed;
        for field in &record.fields {
            let optional = field.optional || null;
            match self.fields.iter_mut().find(|other| other.name == field.name) {
                Some(before) if optional => before.ty = union([before.ty.clone(), field.ty.clone()]),
                Some(before) => *before = field.clone(),
                None => self.fields.push(FieldType { optional, ..field.clone() }),
            }
        }
    }
}

/// A field as some of the records have it; optional where one has it not.
fn shared_field(field: &FieldType, records: &[Arc<RecordType>]) -> FieldType {
    let all: Vec<Option<&FieldType>> = records.iter().map(|record| record.field(&field.name)).collect();
    let optional = all.iter().any(|field| field.is_none_or(|field| field.optional));
    let ty = union(all.into_iter().flatten().map(|field| field.ty.clone()));
    FieldType { ty, optional, ..field.clone() }
}

fn put(fields: &mut Vec<FieldType>, name: &Name, ty: Type) {
    let field = FieldType { name: name.text.clone(), ty, optional: false, doc: None };
    match fields.iter_mut().find(|other| other.name == name.text) {
        Some(before) => *before = field,
        None => fields.push(field),
    }
}

/// Help that lists the fields of a record type.
pub(super) fn fields_there_are(record: &RecordType) -> String {
    if record.fields.is_empty() {
        return "it has no fields".to_owned();
    }
    let names: Vec<&str> = record.fields.iter().map(|field| field.name.as_str()).collect();
    format!("its fields are `{}`", names.join("`, `"))
}
