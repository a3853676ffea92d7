//! Tests: what their statements name, and what a mock may give.
//!
//! A body is checked like that of a function. What a mock gives is held against the type of what it stands for as far as
//! that is known; when the test runs it is checked in full.

use std::sync::Arc;

use smol_str::SmolStr;

use super::{
    ItemRef, Use, Watched,
    agent::error_type,
    args::Given,
    checker::{Checker, Returns},
    name::Found,
    names::declared_name,
    relate::Fit,
    scope::Kind,
    ty::{FieldType, FunctionType, ParamType, RecordType, Type},
    union::{list, map_record, optional, record, union, widen},
};
use crate::{
    code::Code,
    diagnostic::Diagnostic,
    span::Span,
    syntax::ast::{Body, Expr, ExprKind, ItemKind, MockValue, Module, Name, Param, Pattern, Stmt, StmtKind, TestItem},
};

/// The names that only tests know.
const TEST_NAMES: [&str; 3] = ["calls", "call", "model"];

/// What a mock stands for, as far as types tell.
#[derive(Default)]
struct Mocked {
    /// What it is called in messages.
    name: String,
    /// What a lambda may take, in order.
    params: Vec<ParamType>,
    /// What it may give: any of these.
    gives: Vec<Type>,
    /// Of what it may give a part.
    part: Option<Type>,
}

impl<'a> Checker<'a> {
    /// The body of a test.
    pub(super) fn check_test(&mut self, test: &'a TestItem) {
        self.frame.returns = Returns::Nothing;
        self.block(&test.body, None);
    }

    /// A statement that only tests have.
    pub(super) fn test_statement(&mut self, stmt: &'a Stmt) {
        match &stmt.kind {
            StmtKind::Mock { target, value } => self.mock(target, value),
            StmtKind::Answer { pattern, after, value } => self.answer(pattern, after.as_ref(), value),
            StmtKind::Crash { target, nth, .. } => {
                self.target(target, "a crash can wait for");
                if let Some(nth) = nth {
                    self.check(nth, &Type::Int);
                }
            }
            StmtKind::Assert { cond, throws: None } => {
                let split = self.condition(cond);
                self.join(vec![split.yes]);
            }
            StmtKind::Assert { cond, throws: Some(pattern) } => {
                self.infer(cond, None);
                if let Some(pattern) = pattern {
                    self.written_in(pattern);
                    self.scoped(|this| this.bind_pattern(pattern, &error_type(), None, Kind::Pattern));
                }
            }
            _ => {}
        }
    }

    fn mock(&mut self, target: &'a [Name], value: &'a MockValue) {
        let watched = self.target(target, "can be mocked");
        let mocked = watched.map(|watched| self.mocked(watched));
        self.refuse_none(value, target.first().map_or_else(Span::default, |name| name.span));
        for element in elements(value) {
            self.mock_element(mocked.as_ref(), element);
        }
    }

    /// One value of a mock: computed when its turn comes, in a function of its own.
    fn mock_element(&mut self, mocked: Option<&Mocked>, element: &'a Expr) {
        let Some(mocked) = mocked else {
            self.inside(false, |this| this.infer(element, None));
            return;
        };
        if let ExprKind::Lambda { params, body } = &without_parens(element).kind {
            return self.mock_lambda(mocked, element, params, body);
        }
        let want = match mocked.gives.as_slice() {
            [one] if mocked.part.is_none() => Some(one.clone()),
            _ => None,
        };
        let got = self.inside(false, |this| this.infer(element, want.as_ref()));
        if let Type::Function(function) = self.resolve(&got)
            && self.gives_no_function(mocked)
        {
            let needed = function.params.iter().filter(|param| !param.has_default).count();
            self.refuse_params(mocked, needed, element.span);
            return self.hold_mock(mocked, element.span, &function.result);
        }
        self.hold_mock(mocked, element.span, &got);
    }

    fn mock_lambda(&mut self, mocked: &Mocked, lambda: &'a Expr, params: &'a [Param], body: &'a Body) {
        self.refuse_params(mocked, params.len(), lambda.span);
        let named = |param: &Param| mocked.params.iter().find(|known| known.name == param.name.text);
        let by_name = params.iter().all(|param| named(param).is_some());
        let given = params.iter().enumerate().map(|(index, param)| {
            let found = if by_name { named(param) } else { mocked.params.get(index) };
            let ty = found.map_or(Type::Any, |found| found.ty.clone());
            ParamType { name: param.name.text.clone(), ty, has_default: false }
        });
        let params = given.collect();
        let result = match mocked.gives.as_slice() {
            [one] if *one != Type::Any => mocked.part.iter().fold(one.clone(), |one, part| union([one, part.clone()])),
            _ => Type::Unknown,
        };
        let known = result != Type::Unknown && result != Type::Null;
        let want = Type::Function(Arc::new(FunctionType { params, result }));
        let got = self.infer(lambda, Some(&want));
        if let (false, Type::Function(got)) = (known, got) {
            let place = match body {
                Body::Expr(value) => value.span,
                Body::Block(block) => block.span,
            };
            self.hold_mock(mocked, place, &got.result);
        }
    }

    fn refuse_none(&mut self, value: &MockValue, span: Span) {
        if elements(value).is_empty() {
            let message = "`each` needs a value to give";
            let help = "write its values in turn, such as `each [\"first\", \"then\"]`; the last one repeats";
            self.report(Diagnostic::new(Code::BadArguments, span, message).help(help));
        }
    }

    fn gives_no_function(&self, mocked: &Mocked) -> bool {
        mocked.gives.iter().all(|ty| self.function_type(ty).is_none())
    }

    fn refuse_params(&mut self, mocked: &Mocked, takes: usize, span: Span) {
        let most = mocked.params.len();
        if takes > most {
            let has = if most == 1 { "1 argument".to_owned() } else { format!("{most} arguments") };
            let message = format!("{} is called with {has}, but this takes {takes}", mocked.name);
            let names: Vec<String> = mocked.params.iter().map(|param| format!("`{}`", param.name)).collect();
            let mut diagnostic = Diagnostic::new(Code::BadArguments, span, message);
            if !names.is_empty() {
                diagnostic = diagnostic.help(format!("a mock may take {}, or fewer of them", names.join(", ")));
            }
            self.report(diagnostic);
        }
    }

    /// Holds what a mock gives against what it may give.
    fn hold_mock(&mut self, mocked: &Mocked, span: Span, got: &Type) {
        let part = |this: &Self| mocked.part.as_ref().is_some_and(|part| this.is_part(got, part));
        let fits = mocked.gives.iter().any(|ty| self.fits(got, ty) != Fit::No) || part(self);
        if let (false, Some(first)) = (fits, mocked.gives.first().cloned()) {
            self.mismatch(span, got, &first);
        }
    }

    /// Whether a record has no fields but those of which it may be a part.
    fn is_part(&self, got: &Type, part: &Type) -> bool {
        let known = self.records(part);
        let is_known = |field: &FieldType| known.iter().any(|r| r.fields.iter().any(|f| f.name == field.name));
        self.fits(got, part) != Fit::No && self.records(got).iter().all(|record| record.fields.iter().all(is_known))
    }

    /// What is known of what a mock stands for.
    fn mocked(&mut self, watched: Watched) -> Mocked {
        match watched {
            Watched::Function(item) => {
                let name = self.function(item).map_or_else(String::new, |found| format!("`{}`", found.name.text));
                let overloads = self.signatures_of(item);
                let mut gives: Vec<Type> = Vec::new();
                for signature in &overloads {
                    let result = super::union::erase(&signature.result);
                    if self.is_wire(item) {
                        gives.push(self.all_optional(&result));
                    } else if !gives.contains(&result) {
                        gives.push(result);
                    }
                }
                let params = overloads.first().map_or_else(Vec::new, |first| first.params.clone());
                let erased = params.into_iter().map(|p| ParamType { ty: super::union::erase(&p.ty), ..p });
                Mocked { name, params: erased.collect(), gives, part: None }
            }
            Watched::Agent(item) => {
                let ItemKind::Agent(agent) = &self.item(item).kind else { return Mocked::default() };
                let name = format!("`{}`", agent.name.text);
                // One that declares no output may be called for any.
                let declared = agent.fields.iter().any(|(name, _)| name.text == "output");
                let answer = match self.value_type(item) {
                    Type::Agent(answer) if declared => (*answer).clone(),
                    _ => Type::Any,
                };
                let whole = self.agent_result(&answer);
                Mocked { name, params: self.agent_params(), gives: vec![answer], part: Some(whole) }
            }
            Watched::Model => {
                let (name, params) = ("`model`".into(), self.model_params());
                Mocked { name, params, gives: vec![Type::Any], part: None }
            }
        }
    }

    /// All signatures that a name has.
    fn signatures_of(&mut self, item: ItemRef) -> Vec<Arc<super::Signature>> {
        self.overloads(item).into_iter().map(|item| self.signature(item)).collect()
    }

    /// Whether a library function reaches the outside, so that a mock stands for what comes back on the wire.
    fn is_wire(&self, item: ItemRef) -> bool {
        let declaration = self.item(item);
        let bodiless = matches!(&declaration.kind, ItemKind::Function(function) if function.body.is_none());
        bodiless && declaration.annotations.iter().any(|annotation| annotation.name.text == "effect")
    }

    /// A record type whose fields may be left out; other types stay.
    fn all_optional(&self, ty: &Type) -> Type {
        match self.resolve(ty) {
            Type::Record(record) => loose(&Type::Record(record)),
            _ => ty.clone(),
        }
    }

    /// What a mock of an agent may give of the result of `run`: any part of it.
    fn agent_result(&self, answer: &Type) -> Type {
        let message = self.library.types.get("Message").map_or(Type::Any, |item| Type::Named(*item));
        let usage = self.all_optional(&self.usage_type());
        loose(&record([
            ("value", answer.clone()),
            ("text", Type::String),
            ("messages", list(message)),
            ("usage", usage),
            ("turns", Type::Int),
        ]))
    }

    fn agent_params(&self) -> Vec<ParamType> {
        let message = self.library.types.get("Message").map_or(Type::Any, |item| Type::Named(*item));
        let param = |name: &str, ty| ParamType { name: name.into(), ty, has_default: false };
        // Most prompts are text, and a test knows which its own are.
        vec![param("prompt", Type::Any), param("history", list(message))]
    }

    fn model_params(&self) -> Vec<ParamType> {
        let message = self.library.types.get("Message").map_or(Type::Any, |item| Type::Named(*item));
        let param = |name: &str, ty| ParamType { name: name.into(), ty, has_default: false };
        vec![
            param("messages", list(message)),
            param("agent", Type::String),
            param("instructions", optional(Type::String)),
            param("model", optional(Type::String)),
        ]
    }

    /// `answer PATTERN after D => value`: a function of the request's data.
    fn answer(&mut self, pattern: &'a Pattern, after: Option<&'a Expr>, value: &'a MockValue) {
        self.inside(false, |this| {
            this.written_in(pattern);
            this.bind_pattern(pattern, &Type::Any, None, Kind::Pattern);
            if let Some(after) = after {
                this.check(after, &Type::Duration);
            }
            this.refuse_none(value, pattern.span);
            for element in elements(value) {
                let got = this.inside(false, |this| this.infer(element, None));
                if let Some(what) = this.not_data(&got) {
                    let message = format!("{what} is not data, so nobody can answer with it");
                    this.report(Diagnostic::new(Code::NotData, element.span, message).help("answer with a value"));
                }
            }
        });
    }

    /// `calls(name)`: the arguments of the calls so far.
    pub(super) fn calls_of(&mut self, callee: &'a Expr, given: &Given<'a>) -> Type {
        let path = match given.args {
            [arg] if arg.name.is_none() && given.piped.is_none() => path_of(&arg.value),
            _ => None,
        };
        let Some(path) = path else {
            self.give_up(given);
            let message = "`calls` takes the name of what is called";
            let help = "write `calls(draft)` or `calls(http.get)`: a step, workflow, function or agent";
            self.report(Diagnostic::new(Code::BadArguments, callee.span, message).help(help));
            return Type::Unknown;
        };
        let Some(watched) = self.target(&path, "`calls` can list") else { return Type::Unknown };
        self.table().counted.insert(given.key, watched);
        let fields = match watched {
            Watched::Function(item) => {
                let overloads = self.signatures_of(item);
                let [one] = overloads.as_slice() else { return list(Type::Any) };
                let field = |param: &ParamType| FieldType {
                    name: param.name.clone(),
                    ty: super::union::erase(&param.ty),
                    optional: false,
                    doc: None,
                };
                one.params.iter().map(field).collect()
            }
            Watched::Agent(_) => fields_of(self.agent_params(), "history"),
            Watched::Model => fields_of(self.model_params(), ""),
        };
        list(Type::Record(Arc::new(RecordType::closed(fields))))
    }

    /// Whether `calls` is the test's own.
    pub(super) fn is_calls(&mut self, name: &str) -> bool {
        name == "calls" && self.frame.test && matches!(self.find(name, false), Found::Nothing)
    }

    /// `observe f(x)`: how it went, whatever came of it.
    pub(super) fn observe(&mut self, inner: &'a Expr) -> Type {
        let output = self.inside(true, |this| this.infer(inner, None));
        let called = self.table().calls.get(&inner.id).and_then(|call| match call.target {
            super::Target::Function(item) => Some(item.module),
            _ => None,
        });
        let module = called.unwrap_or(self.frame.module);
        let state = match &self.tables[module.0 as usize].state {
            Some(fields) => Self::of_record(fields.clone()),
            None => Type::Any,
        };
        let status = ["completed", "failed", "paused"].map(|word| Type::Literal(super::Literal::String(word.into())));
        let call = record([("name", Type::String), ("path", Type::String), ("args", Type::Any)]);
        record([
            ("status", union(status)),
            ("output", if output == Type::Never { Type::Null } else { widen(&output) }),
            ("state", state),
            ("error", error_type()),
            ("events", list(Type::Any)),
            ("requests", list(Type::Any)),
            ("calls", list(call)),
        ])
    }

    /// What a statement of a test names; noted where its first name stands.
    fn target(&mut self, path: &[Name], what: &str) -> Option<Watched> {
        let first = path.first()?;
        let watched = self.find_target(path, what)?;
        self.table().targets.insert(first.span.start, watched);
        Some(watched)
    }

    fn find_target(&mut self, path: &[Name], what: &str) -> Option<Watched> {
        let (first, rest) = path.split_first()?;
        let found = match (self.find(&first.text, !rest.is_empty()), rest) {
            (Found::Nothing, []) if first.text == "model" => return Some(Watched::Model),
            (Found::Nothing, _) => {
                let help = "name what is declared or imported here, or a function of the library";
                self.unknown_name(&first.text, first.span, Some(help));
                return None;
            }
            (Found::Lost, _) => return None,
            (Found::Use(found), []) => found,
            (Found::Use(Use::Module(module)), [member]) => self.module_member(module, member)?,
            (Found::Use(_), _) => {
                let whole = Span { end: rest.last().map_or(first.span.end, |name| name.span.end), ..first.span };
                self.no_target(&joined(path), whole, what);
                return None;
            }
        };
        match found {
            Use::Function(item) => Some(Watched::Function(item)),
            Use::Agent(item) => Some(Watched::Agent(item)),
            Use::Module(_) => {
                let message = format!("the namespace `{}` is nothing that {what}", first.text);
                let help = format!("name one of its functions, such as `{}.…`", first.text);
                self.report(Diagnostic::new(Code::Misplaced, first.span, message).help(help));
                None
            }
            _ => {
                self.no_target(&joined(path), first.span, what);
                None
            }
        }
    }

    fn no_target(&mut self, name: &str, span: Span, what: &str) {
        let message = format!("`{name}` is nothing that {what}");
        let help = "name a step, workflow, function or agent, or a function of the library";
        self.report(Diagnostic::new(Code::Misplaced, span, message).help(help));
    }
}

/// Warns of declarations that hide the names of the test scope from the tests beside them.
pub(super) fn hidden_names(module: &Module, diagnostics: &mut Vec<Diagnostic>) {
    if !module.items.iter().any(|item| matches!(item.kind, ItemKind::Test(_))) {
        return;
    }
    for name in module.items.iter().filter_map(declared_name) {
        if TEST_NAMES.contains(&name.text.as_str()) {
            let message = format!("`{}` means this declaration in tests, too, and hides what tests call so", name.text);
            let help = "give it another name if the tests here need theirs";
            diagnostics.push(Diagnostic::new(Code::HidesTestName, name.span, message).help(help));
        }
    }
}

fn elements(value: &MockValue) -> &[Expr] {
    match value {
        MockValue::Value(value) => std::slice::from_ref(value),
        MockValue::Each(values) => values,
    }
}

fn without_parens(expr: &Expr) -> &Expr {
    let mut expr = expr;
    while let ExprKind::Paren(inner) = &expr.kind {
        expr = inner;
    }
    expr
}

/// A record type whose fields may be left out.
fn loose(ty: &Type) -> Type {
    match ty {
        Type::Record(record) => {
            let mut record = map_record(record, &mut Type::clone);
            record.fields.iter_mut().for_each(|field| field.optional = true);
            Type::Record(Arc::new(record))
        }
        other => other.clone(),
    }
}

fn fields_of(params: Vec<ParamType>, optional: &str) -> Vec<FieldType> {
    let field =
        |param: ParamType| FieldType { optional: param.name == optional, name: param.name, ty: param.ty, doc: None };
    params.into_iter().map(field).collect()
}

/// `a.b` as names.
fn path_of(expr: &Expr) -> Option<Vec<Name>> {
    match &expr.kind {
        ExprKind::Name(name) => Some(vec![Name { text: name.clone(), span: expr.span }]),
        ExprKind::Field { object, name, optional: false } => {
            let mut path = path_of(object)?;
            path.push(name.clone());
            Some(path)
        }
        _ => None,
    }
}

fn joined(path: &[Name]) -> String {
    let names: Vec<&str> = path.iter().map(|name: &Name| SmolStr::as_str(&name.text)).collect();
    names.join(".")
}
