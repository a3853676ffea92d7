//! Declared types and the signatures of functions, before any body is looked at.

use std::{collections::HashSet, sync::Arc};

use super::{
    ItemRef, ModuleId, NamedType, Signature,
    checker::{Checker, Frame},
    names::is_method,
    ty::{FieldType, ParamType, RecordType, Type},
};
use crate::{
    code::Code,
    diagnostic::Diagnostic,
    syntax::ast::{Function, FunctionKind, ItemKind, StateField},
};

impl Checker<'_> {
    /// All items of all modules.
    pub(super) fn all_items(&self) -> Vec<ItemRef> {
        let modules = (0_u16..).map(ModuleId).zip(self.modules);
        let items = modules.flat_map(|(module, input)| {
            (0_u32..).zip(&input.module.items).map(move |(item, _)| ItemRef { module, item })
        });
        items.collect()
    }

    /// A frame for the code of a declaration.
    pub(super) fn frame_of(&self, item: ItemRef) -> Frame {
        let frame = Frame::new(item.module, item.item, self.modules[item.module.0 as usize].library);
        Frame { test: matches!(self.item(item).kind, ItemKind::Test(_)), ..frame }
    }

    /// Finds out what the declared types, signatures and `state` blocks are.
    pub(super) fn declare_all(&mut self) {
        let items = self.all_items();
        for item in &items {
            if let ItemKind::Type(declared) = &self.item(*item).kind {
                self.frame = self.frame_of(*item);
                let ty = self.written(&declared.ty);
                let doc = self.item(*item).doc.as_deref().map(Arc::from);
                self.named.insert(*item, NamedType { name: declared.name.text.clone(), doc, ty });
            }
        }
        for item in &items {
            self.refuse_endless(*item);
        }
        for item in &items {
            match &self.item(*item).kind {
                ItemKind::Function(function) => {
                    self.frame = self.frame_of(*item);
                    self.declare_function(*item, function);
                }
                ItemKind::State(fields) => {
                    self.frame = self.frame_of(*item);
                    self.declare_state(fields);
                }
                _ => {}
            }
        }
    }

    /// A type that is itself, without a field, list or map between, has no values.
    fn refuse_endless(&mut self, item: ItemRef) {
        let Some(named) = self.named.get(&item) else { return };
        let ty = named.ty.clone();
        if !self.reaches(&ty, item, &mut HashSet::new()) {
            return;
        }
        if let ItemKind::Type(declared) = &self.item(item).kind {
            let message = format!("type `{}` is nothing but itself", declared.name.text);
            let help = "a type may name itself within a field, a list or a map";
            self.report(Diagnostic::new(Code::Mismatch, declared.name.span, message).help(help));
        }
        if let Some(named) = self.named.get_mut(&item) {
            named.ty = Type::Unknown;
        }
    }

    fn reaches(&self, ty: &Type, target: ItemRef, seen: &mut HashSet<ItemRef>) -> bool {
        match ty {
            Type::Named(item) if *item == target => true,
            Type::Named(item) if seen.insert(*item) => {
                self.named.get(item).is_some_and(|named| self.reaches(&named.ty, target, seen))
            }
            Type::Union(members) => members.iter().any(|member| self.reaches(member, target, seen)),
            _ => false,
        }
    }

    fn declare_function(&mut self, item: ItemRef, function: &Function) {
        self.frame.type_params = function.type_params.iter().map(|name| name.text.clone()).collect();
        if !self.frame.library {
            self.refuse_library_forms(function);
        }
        let mut params = Vec::with_capacity(function.params.len());
        for param in &function.params {
            let ty = match &param.ty {
                Some(ty) => self.written(ty),
                None if function.kind == FunctionKind::Fn => {
                    let message = format!("parameter `{}` has no type, so it is `any`", param.name.text);
                    let help = format!("write what it is: `{}: T`, or `any`", param.name.text);
                    self.implicit_any(param.name.span, &message, &help);
                    Type::Any
                }
                None => {
                    let message = format!("parameter `{}` needs a type", param.name.text);
                    let help = format!("write `{}: string`, or `any` for any data", param.name.text);
                    self.report(Diagnostic::new(Code::NeedsType, param.name.span, message).help(help));
                    Type::Unknown
                }
            };
            params.push(ParamType { name: param.name.text.clone(), ty, has_default: param.default.is_some() });
        }
        let result = match &function.result {
            Some(result) => self.written(result),
            None if function.kind == FunctionKind::Fn && function.body.is_some() => {
                self.inferred.insert(item);
                Type::Unknown
            }
            None => Type::Null,
        };
        let type_params = u32::try_from(function.type_params.len()).unwrap_or(u32::MAX);
        self.signatures.insert(item, Arc::new(Signature { type_params, params, result }));
    }

    fn refuse_library_forms(&mut self, function: &Function) {
        if is_method(function) {
            let span = function.params.first().map_or(function.name.span, |param| param.name.span);
            let diagnostic = Diagnostic::new(Code::Misplaced, span, "programs declare no methods")
                .help("name the parameter otherwise; `value |> f()` calls any function");
            self.report(diagnostic);
        }
        if function.body.is_none() {
            let message = format!("`{}` has no body", function.name.text);
            let diagnostic = Diagnostic::new(Code::Misplaced, function.name.span, message)
                .help("write what it does in `{ }` after its signature");
            self.report(diagnostic);
        }
    }

    fn declare_state(&mut self, fields: &[StateField]) {
        if self.table().state.is_some() {
            return;
        }
        let mut known: Vec<FieldType> = Vec::with_capacity(fields.len());
        for field in fields {
            let ty = self.written(&field.ty);
            if let Some(what) = self.not_data(&ty) {
                let message = format!("{what} is not data, so `ctx.state` cannot hold it");
                self.error(Code::NotData, field.ty.span, message);
            }
            if known.iter().any(|other| other.name == field.name.text) {
                let message = format!("field `{}` is declared twice", field.name.text);
                self.error(Code::DeclaredTwice, field.name.span, message);
                continue;
            }
            let name = field.name.text.clone();
            known.push(FieldType { name, ty, optional: false, doc: field.doc.as_deref().map(Arc::from) });
        }
        self.table().state = Some(RecordType::open(known));
    }
}
