//! Declarations: their bodies, one frame each, checked once and on demand.

use std::sync::Arc;

use super::{
    ItemRef, Signature,
    agent::RETRY,
    annotation::literal,
    checker::{Checker, Progress, Returns},
    prescan::prescan,
    scope::Kind,
    suggest::{did_you_mean, nearest},
    ty::{FunctionType, Literal, ParamType, Type},
    union::{has_any, settled},
};
use crate::{
    code::Code,
    diagnostic::Diagnostic,
    syntax::ast::{Annotation, Arg, Function, FunctionKind, Item, ItemKind, LetItem, StateField},
};

/// What `@on_crash` takes.
const ON_CRASH: [&str; 3] = ["retry", "ask", "throw"];

impl<'a> Checker<'a> {
    /// Checks every declaration.
    pub(super) fn check_all(&mut self) {
        for item in self.all_items() {
            self.check_item(item);
        }
    }

    /// Checks a declaration, unless that has been done or is going on.
    fn check_item(&mut self, item: ItemRef) {
        if self.progress.contains_key(&item) {
            return;
        }
        self.progress.insert(item, Progress::Open);
        let frame = self.frame_of(item);
        let outer = std::mem::replace(&mut self.frame, frame);
        let declaration = self.item(item);
        self.frame.prescan = prescan(declaration);
        stacker::maybe_grow(128 << 10, 1 << 20, || self.check_kind(item, declaration));
        self.mend();
        self.frame = outer;
        self.progress.insert(item, Progress::Done);
    }

    fn check_kind(&mut self, item: ItemRef, declaration: &'a Item) {
        match &declaration.kind {
            ItemKind::Function(function) => {
                self.check_annotations(declaration, Some(function.kind));
                self.check_function(item, function);
            }
            ItemKind::Let(item_let) => self.check_let_item(item, item_let),
            ItemKind::State(fields) => self.check_state(fields),
            ItemKind::Agent(agent) => self.check_agent(item, agent),
            ItemKind::Test(test) => self.check_test(test),
            ItemKind::Import(_) | ItemKind::Type(_) | ItemKind::Error => {}
        }
        if !matches!(declaration.kind, ItemKind::Function(_)) {
            self.check_annotations(declaration, None);
        }
    }

    /// The signature of a function, its result inferred if it has to be.
    pub(super) fn signature(&mut self, item: ItemRef) -> Arc<Signature> {
        if self.inferred.contains(&item) {
            match self.progress.get(&item) {
                None => self.check_item(item),
                Some(Progress::Open) => self.recursive(item),
                Some(Progress::Done) => {}
            }
        }
        let none = || Arc::new(Signature { type_params: 0, params: Vec::new(), result: Type::Unknown });
        self.signatures.get(&item).cloned().unwrap_or_else(none)
    }

    fn recursive(&mut self, item: ItemRef) {
        self.inferred.remove(&item);
        if let Some(function) = self.function(item) {
            let name = &function.name;
            let message = format!("`{}` calls itself, so its result needs a type", name.text);
            let help = format!("write it after the parameters: `fn {}(…) -> int`", name.text);
            self.report(Diagnostic::new(Code::NeedsType, name.span, message).help(help));
        }
    }

    /// A signature as the type of the function as a value; type variables are anything.
    pub(super) fn function_value(&mut self, item: ItemRef) -> Type {
        let signature = self.signature(item);
        let params = signature.params.iter().map(|p| ParamType { ty: super::union::erase(&p.ty), ..p.clone() });
        let result = super::union::erase(&signature.result);
        Type::Function(Arc::new(FunctionType { params: params.collect(), result }))
    }

    /// The type of a top-level `let` or of an agent.
    pub(super) fn value_type(&mut self, item: ItemRef) -> Type {
        if !self.values.contains_key(&item) {
            if self.progress.get(&item) == Some(&Progress::Open) {
                self.values.insert(item, Type::Unknown);
                if let ItemKind::Let(found) = &self.item(item).kind {
                    let message = format!("`{}` is computed from itself", found.name.text);
                    self.error(Code::Misplaced, found.name.span, message);
                }
            } else {
                self.check_item(item);
            }
        }
        self.values.get(&item).cloned().unwrap_or(Type::Unknown)
    }

    fn check_let_item(&mut self, item: ItemRef, found: &'a LetItem) {
        let written = found.ty.as_ref().map(|ty| self.written(ty));
        if let Some(ty) = &written {
            self.values.insert(item, ty.clone());
        }
        match written {
            Some(ty) => {
                self.check(&found.value, &ty);
            }
            None => {
                let ty = self.infer(&found.value, None);
                let ty = self.mended(&ty);
                self.values.entry(item).or_insert(ty);
            }
        }
    }

    fn check_state(&mut self, fields: &'a [StateField]) {
        for field in fields {
            let ty = self.tables[self.frame.module.0 as usize].written.get(&(field.ty.span.start, field.ty.span.end));
            let ty = ty.cloned().unwrap_or(Type::Unknown);
            match &field.value {
                Some(value) => {
                    self.check(value, &ty);
                }
                None if self.fits(&Type::Null, &ty) == super::relate::Fit::No => {
                    let (name, shown) = (&field.name, self.show(&ty));
                    let message = format!("`{}` needs a value to start with: null does not fit `{shown}`", name.text);
                    let help = format!("write `{}: {shown} = …`, or `{shown}?`", name.text);
                    self.report(Diagnostic::new(Code::Mismatch, name.span, message).help(help));
                }
                None => {}
            }
        }
    }

    fn check_function(&mut self, item: ItemRef, function: &'a Function) {
        let Some(signature) = self.signatures.get(&item).cloned() else { return };
        self.frame.type_params = function.type_params.iter().map(|name| name.text.clone()).collect();
        self.frame.scopes.open();
        for (param, known) in function.params.iter().zip(&signature.params) {
            if let Some(default) = &param.default {
                self.check(default, &known.ty);
            }
            let kind = if param.mutable { Kind::MutSelf } else { Kind::Param };
            self.declare(&param.name, known.ty.clone(), kind);
        }
        let Some(body) = &function.body else { return };
        if self.inferred.contains(&item) {
            self.frame.returns = Returns::Inferred(Vec::new());
            let value = self.block(body, None);
            self.infer_result(item, value);
        } else if function.result.is_some() {
            self.frame.returns = Returns::Typed(signature.result.clone());
            self.block(body, Some(&signature.result));
        } else if function.kind == FunctionKind::Fn {
            // It turned out to be recursive.
            self.frame.returns = Returns::Inferred(Vec::new());
            self.block(body, None);
        } else {
            self.frame.returns = Returns::Nothing;
            self.block(body, None);
        }
        self.frame.scopes.close();
    }

    fn infer_result(&mut self, item: ItemRef, value: Type) {
        if !self.inferred.remove(&item) {
            return;
        }
        let Returns::Inferred(returned) = std::mem::replace(&mut self.frame.returns, Returns::Fixed) else { return };
        let result = returned.into_iter().chain([value]).map(|ty| self.mended(&ty)).reduce(|a, b| self.unite(a, b));
        let result = settled(&result.unwrap_or(Type::Null));
        if has_any(&result)
            && let Some(function) = self.function(item)
        {
            let message = format!("the result of `{}` is inferred as `{}`", function.name.text, self.show(&result));
            self.implicit_any(function.name.span, &message, "write what it gives after the parameters: `-> T`");
        }
        if let Some(signature) = self.signatures.get_mut(&item) {
            Arc::make_mut(signature).result = result;
        }
    }

    fn check_annotations(&mut self, declaration: &'a Item, kind: Option<FunctionKind>) {
        for annotation in &declaration.annotations {
            match (annotation.name.text.as_str(), kind) {
                ("", _) => {}
                ("name", Some(_)) => self.check_title(annotation),
                ("retry", Some(FunctionKind::Step)) => self.check_settings(annotation, &RETRY),
                ("timeout", Some(FunctionKind::Step)) => self.check_timeout(annotation),
                ("on_crash", Some(FunctionKind::Step)) => self.check_on_crash(annotation),
                ("effect" | "event", Some(_)) if self.frame.library => {}
                ("retry" | "timeout" | "on_crash", _) => {
                    let message = format!("`@{}` stands on steps", annotation.name.text);
                    let help = "put what it is about into a `step`";
                    self.report(Diagnostic::new(Code::Misplaced, annotation.name.span, message).help(help));
                    self.infer_args(&annotation.args);
                }
                ("name", None) => {
                    let message = "`@name` stands on workflows, steps and functions";
                    self.error(Code::Misplaced, annotation.name.span, message);
                    self.infer_args(&annotation.args);
                }
                _ => self.unknown_annotation(annotation, kind),
            }
        }
    }

    fn unknown_annotation(&mut self, annotation: &'a Annotation, kind: Option<FunctionKind>) {
        let message = format!("there is no annotation `@{}`", annotation.name.text);
        let found = nearest(&annotation.name.text, ["name", "retry", "timeout", "on_crash"]);
        let found: Vec<_> = found.iter().map(|name| smol_str::format_smolstr!("@{name}")).collect();
        let fitting = match kind {
            Some(FunctionKind::Step) => "there are `@name`, `@retry`, `@timeout` and `@on_crash`",
            Some(_) => "here only `@name` fits; `@retry`, `@timeout` and `@on_crash` stand on steps",
            None => "annotations stand on workflows, steps and functions",
        };
        let help = did_you_mean(&found).unwrap_or_else(|| fitting.to_owned());
        self.report(Diagnostic::new(Code::UnknownName, annotation.name.span, message).help(help));
        self.infer_args(&annotation.args);
    }

    fn check_title(&mut self, annotation: &'a Annotation) {
        match annotation.args.as_slice() {
            [Arg { name: None, value }] => {
                self.check(value, &Type::String);
            }
            _ => {
                let message = "`@name` takes one text, the title that people see";
                let help = "write `@name(\"quality review\")`";
                self.report(Diagnostic::new(Code::BadArguments, annotation.span, message).help(help));
                self.infer_args(&annotation.args);
            }
        }
    }

    fn check_timeout(&mut self, annotation: &'a Annotation) {
        match annotation.args.as_slice() {
            [Arg { name: None, value }] => {
                self.check(value, &Type::Duration);
                self.refuse_senseless("timeout", value);
            }
            _ => {
                let message = "`@timeout` takes one duration, for each attempt of the step";
                self.report(
                    Diagnostic::new(Code::BadArguments, annotation.span, message).help("write `@timeout(30s)`"),
                );
                self.infer_args(&annotation.args);
            }
        }
    }

    fn check_on_crash(&mut self, annotation: &'a Annotation) {
        let known = |value| matches!(literal(value), Some(Literal::String(word)) if ON_CRASH.contains(&word.as_str()));
        match annotation.args.as_slice() {
            [Arg { name: None, value }] if known(value) => self.infer_args(&annotation.args),
            _ => {
                let message = "`@on_crash` takes one of the texts \"retry\", \"ask\" and \"throw\"";
                let help = "write `@on_crash(\"ask\")`: a person decides about a call whose outcome is not known";
                self.report(Diagnostic::new(Code::BadArguments, annotation.span, message).help(help));
                self.infer_args(&annotation.args);
            }
        }
    }

    /// Looks at arguments that nothing is expected of.
    pub(super) fn infer_args(&mut self, args: &'a [Arg]) {
        for arg in args {
            self.infer(&arg.value, None);
        }
    }
}
