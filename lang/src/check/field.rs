//! Fields, indices and calls in a row: `a.b[i].c(d)`, where one `?.` that meets null ends the whole row.

use super::{
    Use,
    checker::Checker,
    literal::fields_there_are,
    name::Dotted,
    suggest::{did_you_mean, nearest},
    ty::{Literal, RecordType, Type},
    union::{list, optional, union, widen},
};
use crate::{
    code::Code,
    diagnostic::Diagnostic,
    syntax::ast::{Expr, ExprKind, Name},
};

impl<'a> Checker<'a> {
    /// The type of a field, index or call, and whether a `?.` before may have ended the row with null.
    pub(super) fn chain(&mut self, expr: &'a Expr, want: Option<&Type>) -> (Type, bool) {
        let found = stacker::maybe_grow(128 << 10, 2 << 20, || self.chain_kind(expr, want));
        self.note(expr, &found.0);
        found
    }

    fn chain_kind(&mut self, expr: &'a Expr, want: Option<&Type>) -> (Type, bool) {
        if self.frame.piped == Some(expr.id) && !matches!(expr.kind, ExprKind::Call { .. }) {
            return self.piped_path(expr, want);
        }
        match &expr.kind {
            ExprKind::Field { object, name, optional } => self.field(expr, object, name, *optional),
            ExprKind::Index { object, index } => {
                let (ty, short) = self.object(object);
                (self.index(expr, &ty, index), short)
            }
            ExprKind::Call { callee, args } => self.call(expr, callee, args, want),
            _ => (self.infer(expr, want), false),
        }
    }

    /// What stands before a dot, bracket or parenthesis.
    pub(super) fn object(&mut self, expr: &'a Expr) -> (Type, bool) {
        match &expr.kind {
            ExprKind::Field { .. } | ExprKind::Index { .. } | ExprKind::Call { .. } => self.chain(expr, None),
            _ => (self.infer(expr, None), false),
        }
    }

    fn field(&mut self, expr: &'a Expr, object: &'a Expr, name: &'a Name, optional: bool) -> (Type, bool) {
        match self.dotted(expr, object, name) {
            Dotted::Use(found) => return (self.type_of_use(&found, expr.span), false),
            Dotted::Wrong => return (Type::Unknown, false),
            Dotted::Value => {}
        }
        let (ty, short) = self.object(object);
        let open_state = self.table().uses.get(&object.id) == Some(&Use::CtxState) && ty == Type::Any;
        if open_state {
            self.table().lenient.insert(expr.id);
            return (Type::Any, short);
        }
        let short = short || (optional && self.may_be_absent(&ty));
        (self.read_field(expr, &ty, name), short)
    }

    /// Whether a `?.` can have an effect: what is known to be there does not become null by it.
    pub(super) fn may_be_absent(&self, ty: &Type) -> bool {
        self.has_null(ty) || self.members(ty).iter().any(|m| matches!(m, Type::Any | Type::Payload | Type::Map(_)))
    }

    /// The type of a declared field.
    pub(super) fn declared_field(&self, ty: &Type, name: &str) -> Option<Type> {
        let records = self.records(ty);
        let found = records.iter().filter_map(|record| record.fields.iter().find(|field| field.name == name));
        let found: Vec<Type> =
            found.map(|field| if field.optional { optional(field.ty.clone()) } else { field.ty.clone() }).collect();
        (!found.is_empty()).then(|| union(found))
    }

    fn read_field(&mut self, expr: &Expr, ty: &Type, name: &Name) -> Type {
        if name.text.is_empty() {
            return Type::Unknown;
        }
        let members = self.members_non_null(ty);
        let lenient = self
            .records(ty)
            .iter()
            .any(|record| record.fields.iter().any(|field| field.name == name.text && field.optional));
        if lenient {
            self.table().lenient.insert(expr.id);
        }
        if let Some(found) = self.declared_field(ty, &name.text) {
            let open = members.iter().any(|member| matches!(member, Type::Any | Type::Payload));
            return if open { union([found, Type::Any]) } else { found };
        }
        if members.is_empty()
            || members.iter().any(|m| matches!(m, Type::Any | Type::Payload | Type::Unknown | Type::Never))
        {
            let silent = members.iter().any(|m| matches!(m, Type::Unknown | Type::Never));
            return if silent { Type::Unknown } else { Type::Any };
        }
        self.no_such_field(ty, &members, name);
        Type::Unknown
    }

    fn no_such_field(&mut self, ty: &Type, members: &[Type], name: &Name) {
        let shown = self.show(ty);
        let mut diagnostic =
            Diagnostic::new(Code::UnknownField, name.span, format!("`{shown}` has no field `{}`", name.text));
        let records = self.records(ty);
        if let Some(help) = self.method_help(ty, &name.text) {
            diagnostic = diagnostic.help(help);
        } else if !records.is_empty() {
            let known = records.iter().flat_map(|record| record.fields.iter().map(|field| field.name.as_str()));
            let found = nearest(&name.text, known);
            let help = did_you_mean(&found).unwrap_or_else(|| fields_there_are(&records[0]));
            diagnostic = diagnostic.help(help);
        } else if members.iter().any(|member| matches!(member, Type::Map(_))) {
            diagnostic = diagnostic.help(format!("read a key of a map by `[\"{}\"]`", name.text));
        }
        self.report(diagnostic);
    }

    fn index(&mut self, expr: &'a Expr, ty: &Type, index: &'a Expr) -> Type {
        if let ExprKind::Range { .. } = index.kind {
            self.infer(index, None);
            return self.slice(expr, ty);
        }
        let key = self.infer(index, None);
        let mut found = Vec::new();
        for member in self.members_non_null(ty) {
            match member {
                Type::List(item) => found.push((self.key(index, &key, &Type::Int), (*item).clone())),
                Type::String | Type::Literal(Literal::String(_)) => {
                    found.push((self.key(index, &key, &Type::Int), Type::String));
                }
                Type::Bytes => found.push((self.key(index, &key, &Type::Int), Type::Int)),
                Type::Map(item) => found.push((self.key(index, &key, &Type::String), optional((*item).clone()))),
                Type::Record(record) => found.push((true, self.record_key(index, &key, &record))),
                Type::Any | Type::Payload => found.push((true, Type::Any)),
                Type::Unknown | Type::Never => return Type::Unknown,
                _ => {}
            }
        }
        if found.is_empty() {
            if !self.has_null(ty) {
                let message = format!("`{}` cannot be indexed", self.show(ty));
                self.error(Code::BadOperator, expr.span, message);
            }
            return Type::Unknown;
        }
        if !found.iter().any(|(fits, _)| *fits) {
            let want =
                if found.len() == 1 && matches!(self.non_null(ty), Type::Map(_)) { Type::String } else { Type::Int };
            self.mismatch(index.span, &widen(&key), &want);
        }
        union(found.into_iter().map(|(_, ty)| ty))
    }

    fn key(&mut self, index: &Expr, key: &Type, want: &Type) -> bool {
        match self.fits(key, want) {
            super::relate::Fit::Yes => true,
            super::relate::Fit::Maybe => {
                let _ = index;
                true
            }
            super::relate::Fit::No => false,
        }
    }

    fn record_key(&mut self, index: &Expr, key: &Type, record: &RecordType) -> Type {
        if record.fields.is_empty() {
            return Type::Any;
        }
        let Some(literals) = self.literals(key) else {
            if self.fits(key, &Type::String) == super::relate::Fit::Yes || matches!(key, Type::Any) {
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
            let Some(field) = record.fields.iter().find(|field| field.name == *name) else {
                let name = Name { text: name.clone(), span: index.span };
                self.unknown_field(&name, record);
                return Type::Unknown;
            };
            found.push(if field.optional { optional(field.ty.clone()) } else { field.ty.clone() });
        }
        union(found)
    }

    fn slice(&mut self, expr: &Expr, ty: &Type) -> Type {
        let mut found = Vec::new();
        for member in self.members_non_null(ty) {
            match member {
                Type::List(item) => found.push(list((*item).clone())),
                Type::String | Type::Literal(Literal::String(_)) => found.push(Type::String),
                Type::Bytes => found.push(Type::Bytes),
                Type::Any | Type::Payload => found.push(Type::Any),
                Type::Unknown | Type::Never => return Type::Unknown,
                _ => {}
            }
        }
        if found.is_empty() && !self.has_null(ty) {
            let message = format!("expected a list or text to take a part of, found `{}`", self.show(ty));
            self.error(Code::BadOperator, expr.span, message);
            return Type::Unknown;
        }
        union(found)
    }
}
