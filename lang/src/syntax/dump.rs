//! The tree as compact indented text, for tests.

use std::fmt::Write;

use crate::syntax::ast::{
    Annotation, Arg, Arm, Block, Body, Branches, Element, Expr, ExprKind, FieldType, Function, FunctionKind, Item,
    ItemKind, MockValue, Module, Name, Param, Pattern, PatternKind, RecordField, Stmt, StmtKind, StrPart, TypeExpr,
    TypeExprKind, UnaryOp,
};

/// A line a declaration, statement or arm; expressions in parentheses, operator first.
pub fn dump(module: &Module) -> String {
    let mut dump = Dump { out: String::new(), depth: 0 };
    dump.doc(module.doc.as_deref());
    module.items.iter().for_each(|item| dump.item(item));
    dump.out
}

struct Dump {
    out: String,
    depth: usize,
}

impl Dump {
    fn line(&mut self, text: &str) {
        let _ = writeln!(self.out, "{:1$}{text}", "", self.depth * 2);
    }

    fn doc(&mut self, doc: Option<&str>) {
        if let Some(doc) = doc {
            self.line(&format!("doc {doc:?}"));
        }
    }

    fn item(&mut self, item: &Item) {
        self.doc(item.doc.as_deref());
        for Annotation { name, args: arguments, .. } in &item.annotations {
            let line = format!("@{}({})", name.text, args(self, arguments));
            self.line(&line);
        }
        match &item.kind {
            ItemKind::Import(import) => {
                let names = import.names.as_ref().map(|names| {
                    let one = |(name, alias): &(Name, Option<Name>)| match alias {
                        Some(alias) => format!("{} as {}", name.text, alias.text),
                        None => name.text.to_string(),
                    };
                    format!("{{{}}}", names.iter().map(one).collect::<Vec<_>>().join(" "))
                });
                let alias = import.alias.as_ref().map_or(String::new(), |alias| alias.text.to_string());
                self.line(&format!("import {:?} {}{alias}", import.path.text, names.unwrap_or_default()));
            }
            ItemKind::Let(item) => {
                let value = self.expr(&item.value);
                self.line(&format!("let {}{} = {value}", item.name.text, typed(item.ty.as_ref())));
            }
            ItemKind::Type(item) => self.line(&format!("type {} = {}", item.name.text, ty(&item.ty))),
            ItemKind::State(fields) => {
                self.line("state");
                self.depth += 1;
                for field in fields {
                    self.doc(field.doc.as_deref());
                    let value = field.value.as_ref().map(|value| format!(" = {}", self.expr(value)));
                    self.line(&format!("{}: {}{}", field.name.text, ty(&field.ty), value.unwrap_or_default()));
                }
                self.depth -= 1;
            }
            ItemKind::Agent(agent) => {
                self.line(&format!("agent {}", agent.name.text));
                self.depth += 1;
                for (name, value) in &agent.fields {
                    let value = self.expr(value);
                    self.line(&format!("{}: {value}", name.text));
                }
                self.depth -= 1;
            }
            ItemKind::Function(function) => self.function(function),
            ItemKind::Test(test) => {
                self.line(&format!("test {:?}", test.name.text));
                self.block(&test.body);
            }
            ItemKind::Error => self.line("error"),
        }
    }

    fn function(&mut self, function: &Function) {
        let kind = match function.kind {
            FunctionKind::Workflow => "workflow",
            FunctionKind::Step => "step",
            FunctionKind::Fn => "fn",
        };
        let generics = match &function.type_params[..] {
            [] => String::new(),
            names => format!("<{}>", names.iter().map(|name| name.text.as_str()).collect::<Vec<_>>().join(" ")),
        };
        let params = params(self, &function.params);
        let result = function.result.as_ref().map_or(String::new(), |result| format!(" -> {}", ty(result)));
        self.line(&format!("{kind} {}{generics}({params}){result}", function.name.text));
        if let Some(body) = &function.body {
            self.block(body);
        }
    }

    fn block(&mut self, block: &Block) {
        self.depth += 1;
        block.stmts.iter().for_each(|stmt| self.stmt(stmt));
        self.depth -= 1;
    }

    fn stmt(&mut self, stmt: &Stmt) {
        match &stmt.kind {
            StmtKind::Let { pattern: bound, ty, value } => {
                let value = self.expr(value);
                self.line(&format!("let {}{} = {value}", pattern(bound), typed(ty.as_ref())));
            }
            StmtKind::Assign { place, op, value } => {
                let (place, value) = (self.expr(place), self.expr(value));
                self.line(&format!("{place} {}= {value}", op.map_or("", |op| op.text())));
            }
            StmtKind::Expr(value) => {
                let value = self.expr(value);
                self.line(&value);
            }
            StmtKind::For { index, item, iter, body } => {
                let iter = self.expr(iter);
                self.line(&format!("for {}{} in {iter}", indexed(index.as_ref()), pattern(item)));
                self.block(body);
            }
            StmtKind::While { cond, body } => {
                let cond = self.expr(cond);
                self.line(&format!("while {cond}"));
                self.block(body);
            }
            StmtKind::Mock { target, value } => {
                let value = self.mock(value);
                self.line(&format!("mock {} => {value}", path(target)));
            }
            StmtKind::Answer { pattern: request, after, value } => {
                let value = self.mock(value);
                let after = after.as_ref().map(|after| format!(" after {}", self.expr(after)));
                self.line(&format!("answer {}{} => {value}", pattern(request), after.unwrap_or_default()));
            }
            StmtKind::Crash { during, target, nth } => {
                let when = if *during { "during" } else { "after" };
                let nth = nth.as_ref().map(|nth| format!(" {}", self.expr(nth)));
                self.line(&format!("crash {when} {}{}", path(target), nth.unwrap_or_default()));
            }
            StmtKind::Assert { cond, throws } => {
                let cond = self.expr(cond);
                let throws = throws.as_ref().map(|throws| {
                    format!(
                        " throws{}",
                        throws.as_ref().map_or(String::new(), |throws| format!(" {}", pattern(throws)))
                    )
                });
                self.line(&format!("assert {cond}{}", throws.unwrap_or_default()));
            }
            StmtKind::Error => self.line("error"),
        }
    }

    fn mock(&mut self, value: &MockValue) -> String {
        match value {
            MockValue::Value(value) => self.expr(value),
            MockValue::Each(values) => format!("each [{}]", self.exprs(values)),
        }
    }

    fn exprs(&mut self, values: &[Expr]) -> String {
        values.iter().map(|value| self.expr(value)).collect::<Vec<_>>().join(" ")
    }

    /// The text of a block within an expression: its lines, indented, between braces.
    fn inner(&mut self, block: &Block) -> String {
        let outer = std::mem::take(&mut self.out);
        self.block(block);
        let lines = std::mem::replace(&mut self.out, outer);
        if lines.is_empty() { "{}".to_owned() } else { format!("{{\n{lines}{:1$}}}", "", self.depth * 2) }
    }

    fn body(&mut self, body: &Body) -> String {
        match body {
            Body::Expr(value) => self.expr(value),
            Body::Block(block) => self.inner(block),
        }
    }

    fn boxed(&mut self, value: Option<&Expr>) -> String {
        value.map_or(String::new(), |value| self.expr(value))
    }

    fn expr(&mut self, expr: &Expr) -> String {
        match &expr.kind {
            ExprKind::Null => "null".to_owned(),
            ExprKind::Bool(value) => value.to_string(),
            ExprKind::Int(value) => value.to_string(),
            ExprKind::Float(value) => format!("{value:?}"),
            ExprKind::Duration(value) => format!("{value}ms"),
            ExprKind::Str(parts) => match &parts[..] {
                [] => "\"\"".to_owned(),
                [StrPart::Text(text)] => format!("{text:?}"),
                parts => {
                    let part = |part: &StrPart| match part {
                        StrPart::Text(text) => format!("{text:?}"),
                        StrPart::Expr(value) => self.expr(value),
                    };
                    format!("(str {})", parts.iter().map(part).collect::<Vec<_>>().join(" "))
                }
            },
            ExprKind::List(elements) => {
                let element = |element: &Element| match element {
                    Element::Item(value) => self.expr(value),
                    Element::Spread(value) => format!("...{}", self.expr(value)),
                };
                format!("[{}]", elements.iter().map(element).collect::<Vec<_>>().join(" "))
            }
            ExprKind::Record(fields) => {
                let field = |field: &RecordField| match field {
                    RecordField::Named { name, shorthand: true, .. } => name.text.to_string(),
                    RecordField::Named { name, value, .. } => format!("{}: {}", key(name), self.expr(value)),
                    RecordField::Computed { key, value } => format!("[{}]: {}", self.expr(key), self.expr(value)),
                    RecordField::Spread(value) => format!("...{}", self.expr(value)),
                };
                format!("{{{}}}", fields.iter().map(field).collect::<Vec<_>>().join(", "))
            }
            ExprKind::Name(name) => name.to_string(),
            ExprKind::TypeValue(value) => format!("(type {})", ty(value)),
            ExprKind::Unary(op, value) => {
                format!("({} {})", if *op == UnaryOp::Not { "!" } else { "-" }, self.expr(value))
            }
            ExprKind::Binary(op, left, right) => {
                format!("({} {} {})", op.text(), self.expr(left), self.expr(right))
            }
            ExprKind::Range { start, end, inclusive } => {
                let (start, end) = (self.boxed(start.as_deref()), self.boxed(end.as_deref()));
                format!("({start}{}{end})", if *inclusive { "..=" } else { ".." })
            }
            ExprKind::Field { object, name, optional } => {
                format!("{}{}{}", self.expr(object), if *optional { "?." } else { "." }, name.text)
            }
            ExprKind::Index { object, index } => format!("{}[{}]", self.expr(object), self.expr(index)),
            ExprKind::Call { callee, args: arguments } => {
                format!("{}({})", self.expr(callee), args(self, arguments))
            }
            ExprKind::Pipe { value, call } => format!("(|> {} {})", self.expr(value), self.expr(call)),
            ExprKind::As { value, ty: target } => format!("(as {} {})", self.expr(value), ty(target)),
            ExprKind::Lambda { params: names, body } => {
                format!("(({}) => {})", params(self, names), self.body(body))
            }
            ExprKind::If { cond, then, otherwise } => {
                let (cond, then) = (self.expr(cond), self.inner(then));
                let otherwise = otherwise.as_ref().map(|otherwise| format!(" else {}", self.expr(otherwise)));
                format!("(if {cond} {then}{})", otherwise.unwrap_or_default())
            }
            ExprKind::Do(block) => format!("(do {})", self.inner(block)),
            ExprKind::Match { subject, arms } => self.matching(subject, arms),
            ExprKind::Try { body, catch, finally } => {
                let mut text = format!("(try {}", self.inner(body));
                if let Some((name, block)) = catch {
                    let name = name.as_ref().map_or("_", |name| name.text.as_str());
                    let _ = write!(text, " catch {name} {}", self.inner(block));
                }
                if let Some(block) = finally {
                    let _ = write!(text, " finally {}", self.inner(block));
                }
                text + ")"
            }
            ExprKind::Gather(gather) => {
                let mut text = "(gather ".to_owned();
                if let Some(limit) = &gather.limit {
                    let _ = write!(text, "limit {} ", self.expr(limit));
                }
                text += if gather.settle { "settle " } else { "" };
                if let Some(first) = &gather.first {
                    let _ = write!(text, "first {} ", self.expr(first));
                }
                format!("{text}{})", self.branches(&gather.branches))
            }
            ExprKind::Race(branches) => format!("(race {})", self.branches(branches)),
            ExprKind::Return(value) => match value {
                Some(value) => format!("(return {})", self.expr(value)),
                None => "(return)".to_owned(),
            },
            ExprKind::Throw(value) => format!("(throw {})", self.expr(value)),
            ExprKind::Break => "(break)".to_owned(),
            ExprKind::Continue => "(continue)".to_owned(),
            ExprKind::Observe(value) => format!("(observe {})", self.expr(value)),
            ExprKind::Paren(value) => format!("(paren {})", self.expr(value)),
            ExprKind::Error => "error".to_owned(),
        }
    }

    fn matching(&mut self, subject: &Expr, arms: &[Arm]) -> String {
        let mut text = format!("(match {} {{\n", self.expr(subject));
        self.depth += 1;
        for arm in arms {
            let guard = arm.guard.as_ref().map(|guard| format!(" if {}", self.expr(guard)));
            let body = self.body(&arm.body);
            let guard = guard.unwrap_or_default();
            let (indent, pattern) = (self.depth * 2, pattern(&arm.pattern));
            let _ = writeln!(text, "{:indent$}{pattern}{guard} => {body}", "");
        }
        self.depth -= 1;
        let _ = write!(text, "{:1$}}})", "", self.depth * 2);
        text
    }

    fn branches(&mut self, branches: &Branches) -> String {
        match branches {
            Branches::For { index, item, iter, body } => {
                let iter = self.expr(iter);
                format!("for {}{} in {iter} {}", indexed(index.as_ref()), pattern(item), self.inner(body))
            }
            Branches::Named(branches) => {
                let one = |(name, value): &(Name, Expr)| format!("{}: {}", name.text, self.expr(value));
                format!("{{{}}}", branches.iter().map(one).collect::<Vec<_>>().join(", "))
            }
            Branches::List(values) => format!("[{}]", self.exprs(values)),
        }
    }
}

fn args(dump: &mut Dump, args: &[Arg]) -> String {
    let one = |arg: &Arg| match &arg.name {
        Some(name) => format!("{}: {}", name.text, dump.expr(&arg.value)),
        None => dump.expr(&arg.value),
    };
    args.iter().map(one).collect::<Vec<_>>().join(", ")
}

fn params(dump: &mut Dump, params: &[Param]) -> String {
    let one = |param: &Param| {
        let doc = param.doc.as_ref().map_or(String::new(), |doc| format!("doc {doc:?} "));
        let default = param.default.as_ref().map_or(String::new(), |value| format!(" = {}", dump.expr(value)));
        let mutable = if param.mutable { "mut " } else { "" };
        format!("{doc}{mutable}{}{}{default}", param.name.text, typed(param.ty.as_ref()))
    };
    params.iter().map(one).collect::<Vec<_>>().join(", ")
}

/// A key, in quotes where it is no name.
fn key(name: &Name) -> String {
    let plain = name.text.chars().all(|c| c.is_alphanumeric() || c == '_') && !name.text.is_empty();
    if plain { name.text.to_string() } else { format!("{:?}", name.text) }
}

fn path(names: &[Name]) -> String {
    names.iter().map(|name| name.text.as_str()).collect::<Vec<_>>().join(".")
}

fn indexed(index: Option<&Name>) -> String {
    index.map_or(String::new(), |index| format!("{}, ", index.text))
}

fn typed(written: Option<&TypeExpr>) -> String {
    written.map_or(String::new(), |written| format!(": {}", ty(written)))
}

fn pattern(written: &Pattern) -> String {
    let all = |patterns: &[Pattern]| patterns.iter().map(pattern).collect::<Vec<_>>();
    let dots = |rest: &Option<Option<Name>>| {
        rest.as_ref().map(|rest| format!("...{}", rest.as_ref().map_or("", |name| name.text.as_str())))
    };
    match &written.kind {
        PatternKind::Wildcard => "_".to_owned(),
        PatternKind::Bind(name, ty) => format!("{}{}", name.text, typed(ty.as_ref())),
        PatternKind::Literal(value) => Dump { out: String::new(), depth: 0 }.expr(value),
        PatternKind::Record { fields, rest } => {
            let field = |(name, inner): &(Name, Option<Pattern>)| match inner {
                Some(inner) => format!("{}: {}", key(name), pattern(inner)),
                None => key(name),
            };
            let mut parts: Vec<String> = fields.iter().map(field).collect();
            parts.extend(dots(rest));
            format!("{{{}}}", parts.join(", "))
        }
        PatternKind::List { before, rest, after } => {
            let mut parts = all(before);
            parts.extend(dots(rest));
            parts.extend(all(after));
            format!("[{}]", parts.join(", "))
        }
        PatternKind::Or(patterns) => all(patterns).join(" | "),
        PatternKind::Type(written) => format!("_: {}", ty(written)),
        PatternKind::Error => "error".to_owned(),
    }
}

fn ty(written: &TypeExpr) -> String {
    let all = |types: &[TypeExpr], by: &str| types.iter().map(ty).collect::<Vec<_>>().join(by);
    match &written.kind {
        TypeExprKind::Name { module, name, args } => {
            let module = module.as_ref().map_or(String::new(), |module| format!("{}.", module.text));
            let args = if args.is_empty() { String::new() } else { format!("<{}>", all(args, ", ")) };
            format!("{module}{}{args}", name.text)
        }
        TypeExprKind::List(element) => format!("[{}]", ty(element)),
        TypeExprKind::Record(fields) => {
            let field = |field: &FieldType| {
                let doc = field.doc.as_ref().map_or(String::new(), |doc| format!("doc {doc:?} "));
                format!("{doc}{}{}: {}", key(&field.name), if field.optional { "?" } else { "" }, ty(&field.ty))
            };
            format!("{{{}}}", fields.iter().map(field).collect::<Vec<_>>().join(", "))
        }
        TypeExprKind::Fn { params, result } => {
            let result = result.as_ref().map_or(String::new(), |result| format!(" -> {}", ty(result)));
            format!("fn({}){result}", all(params, ", "))
        }
        TypeExprKind::Literal(value) => Dump { out: String::new(), depth: 0 }.expr(value),
        TypeExprKind::Union(types) => format!("({})", all(types, " | ")),
        TypeExprKind::Optional(inner) => format!("{}?", ty(inner)),
        TypeExprKind::Error => "error".to_owned(),
    }
}
