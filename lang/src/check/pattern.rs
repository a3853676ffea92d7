//! Patterns: what they bind, and what is left for the next arm.

use std::sync::Arc;

use super::{
    checker::Checker,
    scope::Kind,
    ty::{FieldType, RecordType, Type},
    union::{list, optional, union},
};
use crate::{
    code::Code,
    diagnostic::Diagnostic,
    syntax::ast::{Branches, Element, Expr, ExprKind, Name, Pattern, PatternKind},
};

impl<'a> Checker<'a> {
    /// Brings the names of a pattern into scope. With the value at hand, a list that is taken apart at once gives each
    /// name its own type.
    pub(super) fn bind_pattern(&mut self, pattern: &'a Pattern, ty: &Type, value: Option<&'a Expr>, kind: Kind) {
        match &pattern.kind {
            PatternKind::Wildcard | PatternKind::Error => {}
            PatternKind::Bind(name, written) => {
                let ty = match written {
                    Some(written) => self.written(written),
                    None if self.frame.prescan.changed.contains(&name.text) && kind == Kind::Let => {
                        super::union::widen(ty)
                    }
                    None => ty.clone(),
                };
                self.upper_camel(name, kind);
                self.declare(name, ty, kind);
            }
            PatternKind::Literal(literal) => {
                self.infer(literal, None);
            }
            PatternKind::Type(written) => {
                self.written(written);
            }
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
                    self.declare(name, list(item.clone()), kind);
                }
                for one in after {
                    self.bind_pattern(one, &item, None, kind);
                }
            }
        }
    }

    /// Alternatives bind the same names; what each is of, the name is of.
    fn bind_alternatives(&mut self, all: &'a [Pattern], ty: &Type, kind: Kind) {
        let Some((first, others)) = all.split_first() else { return };
        self.bind_pattern(first, ty, None, kind);
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
            self.scoped(|this| this.bind_pattern(other, ty, None, kind));
            self.share(&names, &found);
        }
    }

    /// Makes one variable of two names.
    fn share(&mut self, names: &[&'a Name], found: &[&'a Name]) {
        let item = self.frame.item;
        for name in names {
            let Some(other) = found.iter().find(|other| other.text == name.text) else { continue };
            let table = self.table();
            let ids = (table.locals.get(&name.span.start).copied(), table.locals.get(&other.span.start).copied());
            let (Some(id), Some(second)) = ids else { continue };
            let types = [id, second].map(|id| table.local_types.get(&(item, id)).cloned().unwrap_or(Type::Unknown));
            let ty = union(types);
            table.local_types.insert((item, id), ty.clone());
            table.locals.insert(other.span.start, id);
            self.frame.scopes.set_type(id, ty);
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
            let known = self.declared_field(ty, &name.text).into_iter().chain(maps.iter().cloned());
            let known: Vec<Type> = known.chain(open.then_some(Type::Any)).collect();
            let found = if known.is_empty() { Type::Unknown } else { union(known.iter().cloned()) };
            if known.is_empty()
                && let Some(record) = records.first()
            {
                self.unknown_field(name, record);
            }
            match inner {
                Some(inner) => self.bind_pattern(inner, &found, None, kind),
                None => {
                    self.declare(name, found, kind);
                }
            }
        }
        if let Some(Some(name)) = rest {
            let ty = match records.as_slice() {
                [record] if !open && maps.is_empty() => rest_of(record, fields),
                _ => Type::Any,
            };
            self.declare(name, ty, kind);
        }
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
        let members = self.members_non_null(ty);
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
    Type::Record(Arc::new(RecordType { fields }))
}

/// The names that a pattern binds; of alternatives those of the first.
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
