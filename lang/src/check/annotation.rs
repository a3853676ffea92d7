//! Written types, as types.

use std::sync::Arc;

use smol_str::SmolStr;

use super::{
    ItemRef,
    checker::Checker,
    elsewhere,
    import::{TypeItem, What},
    names::{TYPE_NAMES, builtin},
    suggest::{did_you_mean, nearest},
    ty::{FieldType, FunctionType, Literal, ParamType, RecordType, Type},
    union::{optional, union},
};
use crate::{
    code::Code,
    diagnostic::Diagnostic,
    syntax::ast::{Expr, ExprKind, ItemKind, Name, StrPart, TypeExpr, TypeExprKind, UnaryOp},
};

/// The type that a written literal is; `None` for what is no literal.
pub(super) fn literal(expr: &Expr) -> Option<Literal> {
    match &expr.kind {
        ExprKind::Bool(value) => Some(Literal::Bool(*value)),
        ExprKind::Int(n) => Some(Literal::Int(*n)),
        ExprKind::Float(n) => Some(Literal::Float(*n)),
        ExprKind::Duration(n) => Some(Literal::Duration(*n)),
        ExprKind::Paren(inner) => literal(inner),
        ExprKind::Str(parts) => match parts.as_slice() {
            [] => Some(Literal::String("".into())),
            [StrPart::Text(text)] => Some(Literal::String(text.clone())),
            _ => None,
        },
        ExprKind::Unary(UnaryOp::Neg, inner) => match literal(inner)? {
            Literal::Int(n) => Some(Literal::Int(n.wrapping_neg())),
            Literal::Float(n) => Some(Literal::Float(-n)),
            Literal::Duration(n) => Some(Literal::Duration(n.wrapping_neg())),
            Literal::String(_) | Literal::Bool(_) => None,
        },
        _ => None,
    }
}

impl Checker<'_> {
    /// What a written type means; what is wrong in it is reported and [`Type::Unknown`].
    pub(super) fn written(&mut self, ty: &TypeExpr) -> Type {
        let meant = stacker::maybe_grow(64 << 10, 1 << 20, || self.written_kind(ty));
        let place = (ty.span.start, ty.span.end);
        self.tables[self.frame.module.0 as usize].written.insert(place, meant.clone());
        meant
    }

    fn written_kind(&mut self, ty: &TypeExpr) -> Type {
        match &ty.kind {
            TypeExprKind::Name { module, name, args } => self.written_name(module.as_ref(), name, args, ty),
            TypeExprKind::List(item) => Type::List(Arc::new(self.written(item))),
            TypeExprKind::Record(fields) => {
                let mut seen: Vec<FieldType> = Vec::with_capacity(fields.len());
                for field in fields {
                    let ty = self.written(&field.ty);
                    if seen.iter().any(|other| other.name == field.name.text) {
                        let message = format!("field `{}` is declared twice", field.name.text);
                        self.report(Diagnostic::new(Code::DeclaredTwice, field.name.span, message));
                        continue;
                    }
                    let doc = field.doc.as_deref().map(Arc::from);
                    seen.push(FieldType { name: field.name.text.clone(), ty, optional: field.optional, doc });
                }
                Type::Record(Arc::new(RecordType::open(seen)))
            }
            TypeExprKind::Fn { params, result } => {
                let params = params.iter().map(|param| {
                    let ty = self.written(param);
                    ParamType { name: "".into(), ty, has_default: false }
                });
                let params = params.collect();
                let result = result.as_ref().map_or(Type::Null, |result| self.written(result));
                Type::Function(Arc::new(FunctionType { params, result }))
            }
            TypeExprKind::Literal(value) if matches!(value.kind, ExprKind::Null) => Type::Null,
            TypeExprKind::Literal(value) => literal(value).map_or(Type::Unknown, Type::Literal),
            TypeExprKind::Union(members) => {
                let members: Vec<Type> = members.iter().map(|member| self.written(member)).collect();
                union(members)
            }
            TypeExprKind::Optional(inner) => optional(self.written(inner)),
            TypeExprKind::Error => {
                self.is_broken();
                Type::Unknown
            }
        }
    }

    fn written_name(&mut self, module: Option<&Name>, name: &Name, args: &[TypeExpr], whole: &TypeExpr) -> Type {
        let written = args;
        let args: Vec<Type> = args.iter().map(|arg| self.written(arg)).collect();
        if let Some(module) = module {
            if !args.is_empty() {
                let message = format!("`{}.{}` takes no types in angle brackets", module.text, name.text);
                self.report(Diagnostic::new(Code::BadArguments, whole.span, message));
            }
            return self.type_of_module(module, name);
        }
        let takes_one = matches!(name.text.as_str(), "map" | "type") || (name.text == "agent" && !args.is_empty());
        if takes_one && matches!(self.type_item(&name.text), TypeItem::Other | TypeItem::Nothing) {
            let [arg] = args.as_slice() else {
                let message = format!("`{}` takes one type in angle brackets, found {}", name.text, args.len());
                let text = written.last().and_then(|arg| self.source(arg.span)).filter(|_| name.text == "map");
                let help = match text {
                    Some(value) => format!("write `map<{value}>`: its keys are always text"),
                    None => format!("write `{}<any>`", name.text),
                };
                self.report(Diagnostic::new(Code::BadArguments, whole.span, message).help(help));
                return Type::Unknown;
            };
            let arg = Arc::new(arg.clone());
            return match name.text.as_str() {
                "map" => Type::Map(arg),
                "type" => Type::TypeOf(arg),
                _ => Type::Agent(arg),
            };
        }
        if !args.is_empty() && self.is_foreign(name) {
            let here = self.foreign_type(&name.text, written);
            self.unknown_type(name, here);
            return Type::Unknown;
        }
        if !args.is_empty() {
            let message = format!("`{}` takes no types in angle brackets", name.text);
            self.report(Diagnostic::new(Code::BadArguments, whole.span, message));
        }
        self.named_type(name)
    }

    /// Whether a name means nothing as a type.
    fn is_foreign(&mut self, name: &Name) -> bool {
        let variable = self.frame.type_params.contains(&name.text);
        !variable && matches!(self.type_item(&name.text), TypeItem::Nothing) && builtin(&name.text).is_none()
    }

    /// How a type with angle brackets is written here that other languages have.
    fn foreign_type(&self, name: &str, args: &[TypeExpr]) -> Option<String> {
        let last = args.last()?;
        let text = self.source(last.span)?;
        let form = elsewhere::type_of(name, args.len())?;
        let tight = !matches!(last.kind, TypeExprKind::Union(_) | TypeExprKind::Fn { .. });
        let text = if tight || form != "_?" { text } else { format!("({text})") };
        Some(format!("write `{}`", form.replace('_', &text)))
    }

    fn named_type(&mut self, name: &Name) -> Type {
        if name.text.is_empty() {
            return Type::Unknown;
        }
        if let Some(n) = self.frame.type_params.iter().position(|param| *param == name.text) {
            return Type::Var(u32::try_from(n).unwrap_or(0));
        }
        match self.type_item(&name.text) {
            TypeItem::Type(item) => return Type::Named(item),
            TypeItem::Lost => return Type::Unknown,
            TypeItem::Other | TypeItem::Nothing => {}
        }
        if name.text == "agent" {
            return Type::Agent(Arc::new(Type::String));
        }
        if let Some(ty) = builtin(&name.text) {
            return ty;
        }
        self.unknown_type(name, None);
        Type::Unknown
    }

    fn unknown_type(&mut self, name: &Name, here: Option<String>) {
        if self.names[self.frame.module.0 as usize].items.contains_key(&name.text) {
            let message = format!("`{}` is not a type", name.text);
            self.report(Diagnostic::new(Code::UnknownName, name.span, message));
            return;
        }
        let known = self.known_types();
        let alias = match name.text.as_str() {
            "str" | "String" | "text" => Some("string"),
            "number" | "Number" | "double" => Some("float"),
            "integer" => Some("int"),
            "boolean" | "Boolean" => Some("bool"),
            "object" | "unknown" | "Any" => Some("any"),
            "None" | "undefined" | "void" => Some("null"),
            "list" | "List" | "array" | "Array" | "tuple" | "Set" => Some("[any]"),
            "dict" | "Dict" | "Map" | "HashMap" | "Record" => Some("map<any>"),
            _ => None,
        };
        let names = match alias {
            Some(alias) => vec![alias.into()],
            None => nearest(&name.text, known.iter().map(AsRef::as_ref)),
        };
        let mut diagnostic = Diagnostic::new(Code::UnknownName, name.span, format!("there is no type `{}`", name.text));
        if let Some(help) = self.import_help(&name.text).or(here).or_else(|| did_you_mean(&names)) {
            diagnostic = diagnostic.help(help);
        } else {
            diagnostic = diagnostic.help(format!("declare it: `type {} = …`", name.text));
        }
        self.report(diagnostic);
    }

    fn known_types(&self) -> Vec<String> {
        let scope = &self.names[self.frame.module.0 as usize];
        let items = &self.modules[self.frame.module.0 as usize].module.items;
        let is_type = |item: ItemRef| matches!(self.item(item).kind, ItemKind::Type(_));
        let imported = |name: &SmolStr| {
            let imported = scope.imports.get(name).map(|imported| imported.what);
            matches!(imported, Some(What::Item(item)) if is_type(item))
        };
        let declared = scope
            .items
            .iter()
            .filter(|(name, at)| {
                at.iter().any(|at| matches!(items[*at as usize].kind, ItemKind::Type(_))) || imported(name)
            })
            .map(|(name, _)| name);
        let mut known: Vec<String> = declared.chain(self.library.types.keys()).map(ToString::to_string).collect();
        known.extend(TYPE_NAMES.iter().map(ToString::to_string));
        known.extend(self.frame.type_params.iter().map(ToString::to_string));
        known.sort_unstable();
        known
    }
}
