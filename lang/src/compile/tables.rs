//! The checker's types as entries of the program's table.

use std::sync::Arc;

use smol_str::SmolStr;

use super::Compiler;
use crate::{
    check::Type,
    program::{self, TypeDef, TypeId, TypeKind, Types},
};

impl Compiler<'_> {
    /// The entry of a type. A declared type is entered before what it stands for, so it may name itself.
    pub(super) fn type_id(&mut self, ty: &Type) -> TypeId {
        if let Type::Any | Type::Unknown | Type::Var(_) | Type::Hole(_) = ty {
            return Types::ANY;
        }
        if let Type::Named(item) = ty {
            if let Some(id) = self.named_types.get(item) {
                return *id;
            }
            let Some(named) = self.checked.named.get(item) else { return Types::ANY };
            let id = self.push_type(TypeKind::Any, Some(named.name.clone()), named.doc.clone());
            self.named_types.insert(*item, id);
            let mut kind = self.kind(&named.ty);
            // An alias of a declared type is that type under another name.
            if let Type::Named(_) = &named.ty {
                let target = self.type_id(&named.ty);
                kind = self.program.types.get(target).clone();
            }
            self.program.types.defs[id.0 as usize].kind = kind;
            return id;
        }
        if let Some((_, id)) = self.types.iter().find(|(known, _)| known == ty) {
            return *id;
        }
        let kind = self.kind(ty);
        let id = self.push_type(kind, None, None);
        self.types.push((ty.clone(), id));
        id
    }

    fn push_type(&mut self, kind: TypeKind, name: Option<SmolStr>, doc: Option<Arc<str>>) -> TypeId {
        let doc = doc.map(|doc| SmolStr::from(&*doc));
        self.program.types.defs.push(TypeDef { kind, name, doc });
        TypeId(self.program.types.defs.len() as u32 - 1)
    }

    fn kind(&mut self, ty: &Type) -> TypeKind {
        match ty {
            Type::Unknown | Type::Any | Type::Var(_) | Type::Hole(_) | Type::Named(_) => TypeKind::Any,
            Type::Never => TypeKind::Never,
            Type::Null => TypeKind::Null,
            Type::Bool => TypeKind::Bool,
            Type::Int => TypeKind::Int,
            Type::Float => TypeKind::Float,
            Type::String => TypeKind::String,
            Type::Duration => TypeKind::Duration,
            Type::Time => TypeKind::Time,
            Type::Bytes => TypeKind::Bytes,
            Type::Secret => TypeKind::Secret,
            Type::Payload => TypeKind::Payload,
            Type::Tool => TypeKind::Tool,
            Type::Literal(literal) | Type::Exact(literal) => TypeKind::Literal(literal.clone()),
            Type::List(item) => TypeKind::List(self.type_id(item)),
            Type::Map(item) => TypeKind::Map(self.type_id(item)),
            Type::Record(record) => TypeKind::Record(
                record
                    .fields
                    .iter()
                    .map(|field| program::Field {
                        name: field.name.clone(),
                        ty: self.type_id(&field.ty),
                        optional: field.optional,
                        doc: field.doc.as_deref().map(SmolStr::from),
                    })
                    .collect(),
            ),
            Type::Union(members) => TypeKind::Union(members.iter().map(|member| self.type_id(member)).collect()),
            Type::Function(function) => TypeKind::Function {
                params: function.params.iter().map(|param| self.type_id(&param.ty)).collect(),
                result: self.type_id(&function.result),
            },
            Type::Agent(output) => TypeKind::Agent(self.type_id(output)),
            Type::TypeOf(of) => TypeKind::TypeOf(self.type_id(of)),
        }
    }

    /// The type with declared names looked through.
    pub(super) fn resolve<'t>(&'t self, ty: &'t Type) -> &'t Type {
        let mut ty = ty;
        // Bounded, in case aliases form a ring that the checker has reported.
        for _ in 0..64 {
            match ty {
                Type::Named(item) => match self.checked.named.get(item) {
                    Some(named) => ty = &named.ty,
                    None => return ty,
                },
                _ => return ty,
            }
        }
        ty
    }
}
