//! Patterns: what they bind, and what is left for the next arm.

use std::sync::Arc;

use super::{
    LocalId,
    checker::Checker,
    exhaust::unit_of,
    relate::Fit,
    scope::Kind,
    ty::{FieldType, RecordType, Type},
    union::{list, literal_of, optional, union, widen},
};
use crate::{
    code::Code,
    diagnostic::Diagnostic,
    syntax::ast::{Branches, Element, Expr, ExprKind, Name, Pattern, PatternKind, TypeExpr},
};

impl<'a> Checker<'a> {
    /// What of a type a pattern may match; [`Type::Never`] where it matches nothing.
    pub(super) fn admitted(&self, ty: &Type, pattern: &Pattern) -> Type {
        match &pattern.kind {
            PatternKind::Wildcard | PatternKind::Bind(_, None) | PatternKind::Error => return ty.clone(),
            PatternKind::Or(all) => return union(all.iter().map(|one| self.admitted(ty, one))),
            _ => {}
        }
        let members = self.members(ty);
        let parts: Vec<Type> = members.iter().filter_map(|member| self.admitted_part(member, pattern)).collect();
        if parts == *members { ty.clone() } else { union(parts) }
    }

    fn admitted_part(&self, member: &Type, pattern: &Pattern) -> Option<Type> {
        if matches!(member, Type::Unknown) {
            return Some(Type::Unknown);
        }
        match &pattern.kind {
            PatternKind::Bind(_, Some(written)) | PatternKind::Type(written) => {
                let want = self.written_before(written);
                match self.fits(member, &want) {
                    Fit::Yes => Some(member.clone()),
                    _ => self.overlap(member, &want).then_some(want),
                }
            }
            PatternKind::Literal(_) => {
                let unit = unit_of(pattern)?;
                match member {
                    Type::String | Type::Int | Type::Duration | Type::Bool if self.fits(&unit, member) == Fit::Yes => {
                        literal_of(&unit).cloned().map(Type::Exact)
                    }
                    _ => self.overlap(member, &unit).then(|| member.clone()),
                }
            }
            PatternKind::List { .. } => {
                matches!(member, Type::List(_) | Type::Any | Type::Payload).then(|| member.clone())
            }
            PatternKind::Record { fields, .. } => {
                let goes = match member {
                    Type::Record(record) => fields.iter().all(|(name, pattern)| match record.field(&name.text) {
                        Some(field) => {
                            pattern.as_ref().is_none_or(|one| self.admitted(&field.read(), one) != Type::Never)
                        }
                        // A field that nobody has declared is not looked for.
                        None => false,
                    }),
                    other => matches!(other, Type::Map(_) | Type::Any | Type::Payload),
                };
                goes.then(|| member.clone())
            }
            _ => Some(member.clone()),
        }
    }

    /// What a type in a pattern means, which has been looked at.
    pub(super) fn written_before(&self, ty: &TypeExpr) -> Type {
        let written = &self.tables[self.frame.module.0 as usize].written;
        written.get(&(ty.span.start, ty.span.end)).cloned().unwrap_or(Type::Unknown)
    }

    /// Finds out what the types that stand in a pattern mean.
    pub(super) fn written_in(&mut self, pattern: &'a Pattern) {
        match &pattern.kind {
            PatternKind::Bind(_, Some(written)) | PatternKind::Type(written) => {
                self.written(written);
            }
            PatternKind::Or(all) => all.iter().for_each(|one| self.written_in(one)),
            PatternKind::Record { fields, .. } => {
                fields.iter().filter_map(|(_, one)| one.as_ref()).for_each(|one| self.written_in(one));
            }
            PatternKind::List { before, after, .. } => before.iter().chain(after).for_each(|one| self.written_in(one)),
            _ => {}
        }
    }

    /// Brings the names of a pattern into scope. With the value at hand, a list that is taken apart at once gives each
    /// name its own type.
    pub(super) fn bind_pattern(&mut self, pattern: &'a Pattern, ty: &Type, value: Option<&'a Expr>, kind: Kind) {
        match &pattern.kind {
            PatternKind::Wildcard => {}
            PatternKind::Error => self.is_broken(),
            PatternKind::Bind(name, written) => {
                let ty = match written {
                    Some(written) if kind == Kind::Pattern => self.written_before(written),
                    Some(written) => self.written(written),
                    None => ty.clone(),
                };
                self.upper_camel(name, kind);
                self.bind_name(name, ty, kind);
            }
            PatternKind::Literal(literal) => {
                self.infer(literal, None);
            }
            PatternKind::Type(written) if kind != Kind::Pattern => {
                self.written(written);
            }
            PatternKind::Type(_) => {}
            PatternKind::Or(all) => self.bind_alternatives(all, ty, kind),
            PatternKind::Record { fields, rest } => self.bind_record(pattern, fields, rest.as_ref(), ty, kind),
            PatternKind::List { before, rest, after } => {
                let each = value.and_then(|value| self.each_type(value));
                let item = self.item_type(pattern, ty, kind);
                for (i, one) in before.iter().enumerate() {
                    let ty = each.as_ref().and_then(|each| each.get(i)).unwrap_or(&item).clone();
                    self.bind_pattern(one, &ty, None, kind);
                }
                if let Some(Some(name)) = rest {
                    self.bind_name(name, list(item.clone()), kind);
                }
                for one in after {
                    self.bind_pattern(one, &item, None, kind);
                }
            }
        }
    }

    /// Declares a name; what a `let` changes later is no longer exact.
    fn bind_name(&mut self, name: &'a Name, ty: Type, kind: Kind) -> LocalId {
        let changed = kind == Kind::Let && self.frame.prescan.is_changed(name);
        let ty = if changed { self.open_holes(&widen(&ty), name.span) } else { ty };
        self.declare(name, ty, kind)
    }

    /// Alternatives bind the same names; what each is of, the name is of.
    fn bind_alternatives(&mut self, all: &'a [Pattern], ty: &Type, kind: Kind) {
        let Some((first, others)) = all.split_first() else { return };
        let admitted = self.admitted(ty, first);
        self.bind_pattern(first, &admitted, None, kind);
        let names = names_of(first);
        for other in others {
            let found = names_of(other);
            let missing = names.iter().filter(|name| !found.iter().any(|other| other.text == name.text));
            let further = found.iter().filter(|name| !names.iter().any(|other| other.text == name.text));
            for name in missing.chain(further) {
                let message = format!("`{}` is not bound by each of the alternatives", name.text);
                let help = "alternatives bind the same names; else write an arm for each";
                self.report(Diagnostic::new(Code::UnknownName, name.span, message).help(help));
            }
            let admitted = self.admitted(ty, other);
            self.scoped(|this| this.bind_pattern(other, &admitted, None, kind));
            self.share(&names, &found);
        }
    }

    /// Makes one variable of two names.
    fn share(&mut self, names: &[&'a Name], found: &[&'a Name]) {
        for name in names {
            let Some(other) = found.iter().find(|other| other.text == name.text) else { continue };
            let locals = &self.table().locals;
            let ids = (locals.get(&name.span.start).copied(), locals.get(&other.span.start).copied());
            let (Some(id), Some(second)) = ids else { continue };
            let ty = self.unite(self.frame.scopes.get(id).ty.clone(), self.frame.scopes.get(second).ty.clone());
            self.redeclare(id, ty);
            self.table().locals.insert(other.span.start, id);
        }
    }

    fn upper_camel(&mut self, name: &Name, kind: Kind) {
        let mut letters = name.text.chars();
        let upper = letters.next().is_some_and(char::is_uppercase) && letters.any(char::is_lowercase);
        if upper && kind == Kind::Pattern {
            let message = format!("`{}` would bind a new name here", name.text);
            let help = format!("names in patterns begin in lower case; for a type write `_: {}`", name.text);
            self.report(Diagnostic::new(Code::ReservedName, name.span, message).help(help));
        }
    }

    fn bind_record(
        &mut self,
        pattern: &'a Pattern,
        fields: &'a [(Name, Option<Pattern>)],
        rest: Option<&'a Option<Name>>,
        ty: &Type,
        kind: Kind,
    ) {
        let taken = self.taken_apart(pattern, ty, kind);
        let ty = taken.as_ref().unwrap_or(ty);
        let members = self.members_non_null(ty);
        let records = self.records(ty);
        let open = members.iter().any(|m| matches!(m, Type::Any | Type::Unknown | Type::Never | Type::Payload));
        let maps = members.iter().filter_map(|member| match member {
            Type::Map(item) => Some(optional((**item).clone())),
            _ => None,
        });
        let maps: Vec<Type> = maps.collect();
        if !open && records.is_empty() && maps.is_empty() && !members.is_empty() && kind != Kind::Pattern {
            let message = format!("expected a record to take apart, found `{}`", self.show(ty));
            self.error(Code::Mismatch, pattern.span, message);
        }
        for (name, inner) in fields {
            let absent =
                records.len() > 1 && records.iter().any(|record| record.closed && record.field(&name.text).is_none());
            let known = self.declared_field(ty, &name.text).into_iter().chain(maps.iter().cloned());
            let known = known.chain(absent.then_some(Type::Null)).chain(open.then_some(Type::Any));
            let known: Vec<Type> = known.collect();
            let found = if known.is_empty() { Type::Unknown } else { union(known.iter().cloned()) };
            if known.is_empty()
                && let Some(record) = records.first()
            {
                let given: Vec<&str> = fields.iter().map(|(name, _)| name.text.as_str()).collect();
                self.unknown_field(name, record, &given);
            }
            match inner {
                Some(inner) => self.bind_pattern(inner, &found, None, kind),
                None => {
                    self.bind_name(name, found, kind);
                }
            }
        }
        if let Some(Some(name)) = rest {
            let ty = match records.as_slice() {
                [record] if !open && maps.is_empty() => rest_of(record, fields),
                _ => Type::Any,
            };
            self.bind_name(name, ty, kind);
        }
    }

    /// Null cannot be taken apart; gives what is left without it.
    fn taken_apart(&mut self, pattern: &Pattern, ty: &Type, kind: Kind) -> Option<Type> {
        if kind == Kind::Pattern || !self.has_null(ty) {
            return None;
        }
        let message = format!("this takes `{}` apart, which may be null", self.show(ty));
        let help = "give another value for null with `??`";
        self.report(Diagnostic::new(Code::MaybeNull, pattern.span, message).help(help));
        Some(self.non_null(ty))
    }

    /// The types of the elements of a list that is written out.
    fn each_type(&self, value: &Expr) -> Option<Vec<Type>> {
        let types = &self.tables[self.frame.module.0 as usize].types;
        let noted = |expr: &Expr| types.get(expr.id.0 as usize).cloned().unwrap_or(Type::Unknown);
        match &value.kind {
            ExprKind::Paren(inner) => self.each_type(inner),
            ExprKind::List(elements) => elements
                .iter()
                .map(|element| match element {
                    Element::Item(item) => Some(noted(item)),
                    Element::Spread(_) => None,
                })
                .collect(),
            ExprKind::Gather(gather) if !gather.settle && gather.first.is_none() => match &gather.branches {
                Branches::List(items) => Some(items.iter().map(noted).collect()),
                _ => None,
            },
            _ => None,
        }
    }

    fn item_type(&mut self, pattern: &Pattern, ty: &Type, kind: Kind) -> Type {
        let taken = self.taken_apart(pattern, ty, kind);
        let members = self.members_non_null(taken.as_ref().unwrap_or(ty));
        let items = members.iter().filter_map(|member| match member {
            Type::List(item) => Some((**item).clone()),
            Type::Any | Type::Payload => Some(Type::Any),
            Type::Unknown | Type::Never => Some(Type::Unknown),
            _ => None,
        });
        let items: Vec<Type> = items.collect();
        if items.is_empty() && !members.is_empty() && kind != Kind::Pattern {
            let message = format!("expected a list to take apart, found `{}`", self.show(ty));
            self.error(Code::Mismatch, pattern.span, message);
            return Type::Unknown;
        }
        if items.is_empty() { Type::Unknown } else { union(items) }
    }
}

fn rest_of(record: &Arc<RecordType>, taken: &[(Name, Option<Pattern>)]) -> Type {
    let left = record.fields.iter().filter(|field| !taken.iter().any(|(name, _)| name.text == field.name));
    let fields: Vec<FieldType> = left.cloned().collect();
    Type::Record(Arc::new(RecordType { fields, closed: record.closed }))
}

/// The names that a pattern binds.
fn names_of(pattern: &Pattern) -> Vec<&Name> {
    match &pattern.kind {
        PatternKind::Bind(name, _) => vec![name],
        PatternKind::Record { fields, rest } => {
            let named = fields.iter().flat_map(|(name, inner)| inner.as_ref().map_or_else(|| vec![name], names_of));
            named.chain(rest.iter().flatten()).collect()
        }
        PatternKind::List { before, rest, after } => {
            let parts = before.iter().flat_map(names_of).chain(rest.iter().flatten());
            parts.chain(after.iter().flat_map(names_of)).collect()
        }
        PatternKind::Or(all) => all.first().map(names_of).unwrap_or_default(),
        PatternKind::Literal(_) | PatternKind::Wildcard | PatternKind::Type(_) | PatternKind::Error => Vec::new(),
    }
}
