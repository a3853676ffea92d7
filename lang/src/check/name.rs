//! Names in expressions: what each refers to, and the members of what is more than a value.

use std::sync::Arc;

use smol_str::SmolStr;

use super::{
    CtxMember, ItemRef, ModuleId, Use,
    checker::Checker,
    elsewhere,
    import::What,
    names::builtin,
    suggest::{did_you_mean, nearest},
    ty::Type,
    unbuilt,
    union::list,
};
use crate::{
    code::Code,
    diagnostic::Diagnostic,
    span::Span,
    syntax::ast::{Expr, ExprKind, ItemKind, Name},
};

/// What stands before a dot.
pub(super) enum Dotted {
    /// A value, so the rest is a field or a method.
    Value,
    /// A path that means something as a whole.
    Use(Use),
    /// A path that means nothing, which has been reported.
    Wrong,
}

/// What a name was found to be.
pub(super) enum Found {
    Use(Use),
    /// An import that leads nowhere, which has been reported.
    Lost,
    Nothing,
}

impl<'a> Checker<'a> {
    /// A name as a value.
    pub(super) fn name(&mut self, expr: &'a Expr, name: &SmolStr) -> Type {
        match self.find(name, false) {
            Found::Use(found) => {
                self.table().uses.insert(expr.id, found.clone());
                match found {
                    Use::Local(id) => self.read_local(expr.id, id),
                    _ => self.type_of_use(&found, expr.span),
                }
            }
            Found::Lost => Type::Unknown,
            Found::Nothing => {
                self.unknown_name(name, expr.span, None);
                Type::Unknown
            }
        }
    }

    /// The function that a name means, with all signatures of that name; noted as used.
    pub(super) fn called_name(&mut self, expr: &'a Expr, name: &SmolStr) -> Option<Vec<ItemRef>> {
        let Found::Use(Use::Function(item)) = self.find(name, false) else { return None };
        self.table().uses.insert(expr.id, Use::Function(item));
        Some(self.overloads(item))
    }

    /// All signatures of a library function.
    pub(super) fn overloads(&self, item: ItemRef) -> Vec<ItemRef> {
        let name = self.function(item).map_or("", |function| function.name.text.as_str());
        let items = self.names[item.module.0 as usize].items.get(name);
        let all = items.into_iter().flatten().map(|other| ItemRef { item: *other, ..item });
        let all: Vec<ItemRef> = all.filter(|other| self.function(*other).is_some()).collect();
        if all.contains(&item) { all } else { vec![item] }
    }

    pub(super) fn find(&mut self, name: &str, dotted: bool) -> Found {
        if let Some(local) = self.frame.scopes.find(name) {
            return Found::Use(Use::Local(local.id));
        }
        if name == "ctx" {
            return Found::Use(Use::Ctx);
        }
        let module = self.frame.module;
        if let Some(items) = self.names[module.0 as usize].items.get(name)
            && let Some(item) = items.first()
        {
            let item = ItemRef { module, item: *item };
            return match self.item(item).kind {
                ItemKind::Import(_) => self.find_imported(name),
                _ => self.found_item(item),
            };
        }
        self.find_ambient(name, dotted)
    }

    fn find_imported(&mut self, name: &str) -> Found {
        match self.imported(name) {
            What::Item(item) => self.found_item(item),
            What::Module(module) => Found::Use(Use::Module(module)),
            What::Nothing => Found::Lost,
        }
    }

    fn find_ambient(&self, name: &str, dotted: bool) -> Found {
        let first = |items: Option<&Vec<ItemRef>>| items.and_then(|items| items.first().copied());
        if self.frame.library
            && let Some(item) = first(self.library.private.get(name))
        {
            return Found::Use(Use::Function(item));
        }
        if let Some(item) = first(self.library.ambient.get(name)) {
            return Found::Use(Use::Function(item));
        }
        let namespace = self.library.namespaces.get(name).copied();
        if let (true, Some(module)) = (dotted, namespace) {
            return Found::Use(Use::Module(module));
        }
        if let Some(item) = self.library.types.get(name) {
            return Found::Use(Use::Type(Type::Named(*item)));
        }
        if let Some(n) = self.frame.type_params.iter().position(|param| param == name) {
            return Found::Use(Use::Type(Type::Var(u32::try_from(n).unwrap_or(0))));
        }
        if let Some(ty) = builtin(name) {
            return Found::Use(Use::Type(ty));
        }
        namespace.map_or(Found::Nothing, |module| Found::Use(Use::Module(module)))
    }

    fn found_item(&self, item: ItemRef) -> Found {
        Found::Use(match &self.item(item).kind {
            ItemKind::Function(_) => Use::Function(item),
            ItemKind::Let(_) => Use::Let(item),
            ItemKind::Agent(_) => Use::Agent(item),
            ItemKind::Type(_) => Use::Type(Type::Named(item)),
            ItemKind::Import(_) | ItemKind::State(_) | ItemKind::Test(_) | ItemKind::Error => return Found::Lost,
        })
    }

    /// The type that something has as a value.
    pub(super) fn type_of_use(&mut self, found: &Use, span: Span) -> Type {
        match found {
            Use::Local(id) => self.declared_local(*id),
            Use::Function(item) => self.function_value(*item),
            Use::Let(item) | Use::Agent(item) => self.value_type(*item),
            Use::Type(ty) => Type::TypeOf(Arc::new(ty.clone())),
            Use::Schema(_) => Type::Any,
            Use::Values(ty) => list(ty.clone()),
            Use::CtxState => self.state_type(),
            Use::CtxMember(member) => self.member_type(*member),
            Use::Ctx => {
                let help = "read one of its members, such as `ctx.run_id` or `ctx.state`";
                self.report(Diagnostic::new(Code::Misplaced, span, "`ctx` itself is no value").help(help));
                Type::Unknown
            }
            Use::Module(module) => {
                let name = self.text().get(span.range()).unwrap_or("");
                let help = match self.modules[module.0 as usize].library {
                    true => format!("call one of its functions: `{name}.…()`"),
                    false => format!("use what it declares: `{name}.…`"),
                };
                let message = format!("the namespace `{name}` itself is no value");
                self.report(Diagnostic::new(Code::Misplaced, span, message).help(help));
                Type::Unknown
            }
        }
    }

    /// The type of `ctx.state`: of the module's `state` block, or anything.
    pub(super) fn state_type(&self) -> Type {
        match &self.tables[self.frame.module.0 as usize].state {
            Some(fields) => Self::of_record(fields.clone()),
            None => Type::Any,
        }
    }

    fn member_type(&self, member: CtxMember) -> Type {
        match member {
            CtxMember::RunId | CtxMember::Workflow | CtxMember::IdempotencyKey => Type::String,
            CtxMember::WorkflowTitle | CtxMember::Step => Type::String,
            CtxMember::Attempt => Type::Int,
            CtxMember::IsStreaming => Type::Bool,
            CtxMember::Usage => self.usage_type(),
        }
    }

    /// What `object.name` means as a whole; noted as used.
    pub(super) fn dotted(&mut self, expr: &'a Expr, object: &'a Expr, name: &'a Name) -> Dotted {
        let found = match &object.kind {
            ExprKind::Name(root) => match self.find(root, true) {
                Found::Use(found @ (Use::Ctx | Use::Module(_) | Use::Type(_))) => found,
                Found::Lost => {
                    self.note(object, &Type::Unknown);
                    return Dotted::Wrong;
                }
                Found::Nothing if unbuilt::is_planned_namespace(root) => {
                    let message = format!("`{root}` is not built yet in this version");
                    self.report(Diagnostic::new(Code::NotBuilt, object.span, message).help(unbuilt::HELP));
                    return Dotted::Wrong;
                }
                _ => return Dotted::Value,
            },
            // `agents.Review.schema`
            ExprKind::Field { object: root, name: member, .. } if self.is_module(root) => {
                match self.dotted(object, root, member) {
                    Dotted::Use(found @ Use::Type(_)) => found,
                    Dotted::Use(_) | Dotted::Value => return Dotted::Value,
                    Dotted::Wrong => return Dotted::Wrong,
                }
            }
            // `(type [Review]).schema`
            ExprKind::Paren(inner) => match &inner.kind {
                ExprKind::TypeValue(ty) => Use::Type(self.written(ty)),
                _ => return Dotted::Value,
            },
            _ => return Dotted::Value,
        };
        self.table().uses.insert(object.id, found.clone());
        if name.text.is_empty() {
            return Dotted::Wrong;
        }
        let member = match &found {
            Use::Ctx => self.ctx_member(name),
            Use::Module(module) => self.module_member(*module, name),
            Use::Type(ty) => self.type_member(ty, name),
            _ => None,
        };
        match member {
            Some(member) => {
                self.table().uses.insert(expr.id, member.clone());
                Dotted::Use(member)
            }
            None => Dotted::Wrong,
        }
    }

    fn is_module(&mut self, expr: &Expr) -> bool {
        match &expr.kind {
            ExprKind::Name(name) => matches!(self.find(name, true), Found::Use(Use::Module(_))),
            _ => false,
        }
    }

    fn ctx_member(&mut self, name: &Name) -> Option<Use> {
        let member = match name.text.as_str() {
            "state" => return Some(Use::CtxState),
            "run_id" => CtxMember::RunId,
            "workflow" => CtxMember::Workflow,
            "workflow_title" => CtxMember::WorkflowTitle,
            "step" => CtxMember::Step,
            "attempt" => CtxMember::Attempt,
            "idempotency_key" => CtxMember::IdempotencyKey,
            "is_streaming" => CtxMember::IsStreaming,
            "usage" => CtxMember::Usage,
            _ => {
                const MEMBERS: [&str; 9] = [
                    "state",
                    "run_id",
                    "workflow",
                    "workflow_title",
                    "step",
                    "attempt",
                    "idempotency_key",
                    "is_streaming",
                    "usage",
                ];
                let help = did_you_mean(&nearest(&name.text, MEMBERS))
                    .unwrap_or_else(|| format!("what the program keeps stands in `ctx.state.{}`", name.text));
                let message = format!("`ctx` has no member `{}`", name.text);
                self.report(Diagnostic::new(Code::UnknownField, name.span, message).help(help));
                return None;
            }
        };
        Some(Use::CtxMember(member))
    }

    pub(super) fn module_member(&mut self, module: ModuleId, name: &Name) -> Option<Use> {
        if !self.modules[module.0 as usize].library {
            let item = self.member_of(module, name)?;
            return match self.found_item(item) {
                Found::Use(found) => Some(found),
                Found::Lost | Found::Nothing => None,
            };
        }
        let private = name.text.starts_with('_') && !self.frame.library;
        let items = self.names[module.0 as usize].items.get(&name.text).filter(|_| !private);
        if let Some(item) = items.and_then(|items| items.first())
            && let Found::Use(found) = self.found_item(ItemRef { module, item: *item })
        {
            return Some(found);
        }
        let namespace = self.modules[module.0 as usize].name.clone();
        let whole = format!("{namespace}.{}", name.text);
        if unbuilt::is_planned(&whole) {
            let message = format!("`{whole}` is not built yet in this version");
            self.report(Diagnostic::new(Code::NotBuilt, name.span, message).help(unbuilt::HELP));
            return None;
        }
        let known = self.names[module.0 as usize].items.keys().filter(|known| !known.starts_with('_'));
        let found = nearest(&name.text, known.map(SmolStr::as_str));
        let mut diagnostic = Diagnostic::new(Code::UnknownName, name.span, format!("there is no `{whole}`"));
        if let Some(help) = elsewhere::member(&namespace, &name.text) {
            diagnostic = diagnostic.help(format!("did you mean `{help}`?"));
        } else if let Some(help) = did_you_mean(&found).or_else(|| self.outside_help(&name.text)) {
            diagnostic = diagnostic.help(help);
        }
        self.report(diagnostic);
        None
    }

    /// How something is called whose name is known, but not as what it was written as.
    fn outside_help(&self, name: &str) -> Option<String> {
        let method = self.library.methods.contains_key(name).then(|| format!("`value.{name}()`"));
        let function = self.library.ambient.contains_key(name).then(|| format!("`{name}(…)`"));
        let within = self.library.namespaces.iter();
        let within = within.filter(|(_, module)| self.names[module.0 as usize].items.contains_key(name));
        let mut within: Vec<String> = within.map(|(namespace, _)| format!("`{namespace}.{name}(…)`")).collect();
        within.sort_unstable();
        let all: Vec<String> = method.into_iter().chain(function).chain(within).take(3).collect();
        (!all.is_empty() && !name.starts_with('_')).then(|| format!("write {}", all.join(" or ")))
    }

    fn type_member(&mut self, ty: &Type, name: &Name) -> Option<Use> {
        match name.text.as_str() {
            "schema" => Some(Use::Schema(ty.clone())),
            "values" => {
                let members = self.members(ty);
                if members.iter().all(|member| matches!(member, Type::Literal(_) | Type::Unknown)) {
                    return Some(Use::Values(ty.clone()));
                }
                let message = format!("`{}` is not a union of literals, so it has no `values`", self.show(ty));
                self.report(Diagnostic::new(Code::UnknownField, name.span, message));
                None
            }
            _ => {
                let message = format!("the type `{}` has no member `{}`", self.show(ty), name.text);
                let help = did_you_mean(&nearest(&name.text, ["schema", "values"]))
                    .unwrap_or_else(|| "a type has `schema`, and `values` when it is a union of literals".to_owned());
                self.report(Diagnostic::new(Code::UnknownField, name.span, message).help(help));
                None
            }
        }
    }

    /// The error for a name that means nothing; `otherwise` is what helps where nothing better is known.
    pub(super) fn unknown_name(&mut self, name: &str, span: Span, otherwise: Option<&str>) {
        if name.is_empty() {
            return;
        }
        if (unbuilt::is_planned(name) || unbuilt::is_planned_namespace(name)) && self.import_help(name).is_none() {
            let message = format!("`{name}` is not built yet in this version");
            self.report(Diagnostic::new(Code::NotBuilt, span, message).help(unbuilt::HELP));
            return;
        }
        let mut diagnostic = Diagnostic::new(Code::UnknownName, span, format!("there is no `{name}` here"));
        let alias = match name {
            "None" | "nil" | "undefined" => Some("null"),
            "True" => Some("true"),
            "False" => Some("false"),
            "console" | "println" | "puts" | "echo" => Some("print"),
            _ => None,
        };
        let found = match alias {
            Some(alias) => vec![alias.into()],
            None => nearest(name, self.known_names().iter().map(String::as_str)),
        };
        let written = || elsewhere::function(name).map(str::to_owned).or_else(|| self.outside_help(name));
        if let Some(help) = self.import_help(name) {
            diagnostic = diagnostic.help(help);
        } else if let Some(help) = did_you_mean(&found).filter(|_| alias.is_some()).or_else(written) {
            diagnostic = diagnostic.help(help);
        } else if let Some(help) = did_you_mean(&found) {
            diagnostic = diagnostic.help(help);
        } else if name == "self" || name == "this" {
            diagnostic = diagnostic.help("programs declare no methods; give the function a parameter");
        } else if let Some(help) = otherwise {
            diagnostic = diagnostic.help(help);
        }
        self.report(diagnostic);
    }

    /// All names that an expression could mean here, in order of the alphabet.
    fn known_names(&self) -> Vec<String> {
        let module = &self.names[self.frame.module.0 as usize];
        let library =
            self.library.ambient.keys().chain(self.library.namespaces.keys()).chain(self.library.types.keys());
        let mut known: Vec<String> = module.items.keys().chain(library).map(ToString::to_string).collect();
        known.extend(self.frame.scopes.names().map(str::to_owned));
        known.push("ctx".to_owned());
        known.sort_unstable();
        known.dedup();
        known
    }
}
