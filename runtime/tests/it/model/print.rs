//! Programs as the text of a script.

use std::fmt::Write;

use super::program::{
    Block, Branches, Cond, Decl, Expr, Gather, Kind, NAMES, OnCrash, Op, Program, Stmt, Thrown, Try, Ty,
};

/// What every script has: what holds state, and what keeps the rest short.
const PRELUDE: &str = r#"type Pair = { n: int, s: string }

state { total: int = 0, seen: map<int> = {} }

fn nap(n: int) { sleep(1ms * (10000 + n % 9973)) }
fn said(e: any) -> string { if e.kind == "error" || e.kind == "mine" { e.message } else { e.kind } }
fn shown(v: any) -> string { "${v}" }
fn many(n: int, x: int) -> [int] { (0..n).map(i => i + x % 7) }
fn deep(n: int, x: int) -> int { if n == 0 { exec(["deep", "${x}"]).json(int) } else { deep(n - 1, x) } }
fn settled(r: any) -> int { if r.ok == true { r.value } else { 0 - 1000 - said(r.error).len() } }
"#;

impl Program {
    pub(super) fn text(&self) -> String {
        let mut out = Out { text: PRELUDE.to_owned(), depth: 0, names: &self.decls, fresh: 0 };
        for index in self.reached() {
            out.decl(&self.decls[index]);
        }
        out.text
    }
}

struct Out<'p> {
    text: String,
    depth: usize,
    names: &'p [Decl],
    /// How many names of its own it has given.
    fresh: usize,
}

impl Ty {
    fn text(self) -> &'static str {
        match self {
            Self::Int => "int",
            Self::Str => "string",
            Self::List => "[int]",
            Self::Map => "map<int>",
            Self::Pair => "Pair",
        }
    }
}

impl Out<'_> {
    fn line(&mut self, text: &str) {
        let indent = "    ".repeat(self.depth);
        let _ = writeln!(self.text, "{indent}{text}");
    }

    fn decl(&mut self, decl: &Decl) {
        self.text.push('\n');
        let word = match &decl.kind {
            Kind::Workflow => "workflow",
            Kind::Fn => "fn",
            Kind::Step(notes) => {
                if let Some(retry) = &notes.retry {
                    let max = retry.max.map_or(String::new(), |max| format!(", max_backoff: {max}ms"));
                    let when = retry.when.map_or(String::new(), |kind| format!(", when: e => e.kind == \"{kind}\""));
                    self.line(&format!(
                        "@retry(attempts: {}, backoff: {}ms, factor: {}.0, jitter: false{max}{when})",
                        retry.attempts, retry.backoff, retry.factor
                    ));
                }
                if let Some(timeout) = notes.timeout {
                    self.line(&format!("@timeout({timeout}ms)"));
                }
                match notes.on_crash {
                    Some(OnCrash::Retry) => self.line("@on_crash(\"retry\")"),
                    Some(OnCrash::Ask) => self.line("@on_crash(\"ask\")"),
                    Some(OnCrash::Throw) => self.line("@on_crash(\"throw\")"),
                    None => {}
                }
                "step"
            }
        };
        let params: Vec<_> = decl.params.iter().map(|(name, ty)| format!("{name}: {}", ty.text())).collect();
        let result = decl.result.map_or("any", Ty::text);
        let body = self.block(&decl.body);
        self.line(&format!("{word} {}({}) -> {result} {body}", decl.name, params.join(", ")));
    }

    /// A block from its brace on; its lines are indented below the line that it is put on.
    fn block(&mut self, block: &Block) -> String {
        self.depth += 1;
        let mut lines = Vec::new();
        for stmt in &block.stmts {
            let text = self.stmt(stmt);
            lines.push(format!("{}{text}", "    ".repeat(self.depth)));
        }
        if let Some(value) = &block.value {
            let text = self.expr(value);
            lines.push(format!("{}{text}", "    ".repeat(self.depth)));
        }
        self.depth -= 1;
        if lines.is_empty() {
            return "{ }".into();
        }
        format!("{{\n{}\n{}}}", lines.join("\n"), "    ".repeat(self.depth))
    }

    fn stmt(&mut self, stmt: &Stmt) -> String {
        match stmt {
            Stmt::Let(name, ty, value) => format!("let {name}: {} = {}", ty.text(), self.expr(value)),
            Stmt::LetMany(name, n, x) => format!("let {name}: [int] = many({n}, {})", self.expr(x)),
            Stmt::LetFn { name, param, body } => {
                format!("let {name}: fn(int) -> int = {param} => do {}", self.block(body))
            }
            Stmt::Set(name, value) => format!("{name} = {}", self.expr(value)),
            Stmt::Add(name, value) => format!("{name} += {}", self.expr(value)),
            Stmt::Push(name, value) => format!("{name}.push({})", self.expr(value)),
            Stmt::Put(name, key, value) => format!("{name}[{}] = {}", self.expr(key), self.expr(value)),
            Stmt::SetField(name, value) => format!("{name}.n = {}", self.expr(value)),
            Stmt::Total(value) => format!("ctx.state.total += {}", self.expr(value)),
            Stmt::Seen(key, value) => format!("ctx.state.seen[{}] = {}", self.expr(key), self.expr(value)),
            Stmt::Expr(value) => match self.expr(value) {
                // A parenthesis would go on with the line before.
                text if text.starts_with('(') => format!("let _ = {text}"),
                text => text,
            },
            Stmt::If(cond, then, other) => {
                let (cond, then) = (self.cond(cond), self.block(then));
                let other = other.as_ref().map_or(String::new(), |other| format!(" else {}", self.block(other)));
                format!("if {cond} {then}{other}")
            }
            Stmt::For { var, list, body } => format!("for {var} in {} {}", self.operand(list), self.block(body)),
            Stmt::Repeat { var, times, body } => format!("for {var} in 0..{times} {}", self.block(body)),
            Stmt::While { var, times, body } => {
                let mut counted = body.clone();
                counted.stmts.insert(0, Stmt::Add(var.clone(), Expr::Int(1)));
                let indent = "    ".repeat(self.depth);
                format!("let {var} = 0\n{indent}while {var} < {times} {}", self.block(&counted))
            }
            Stmt::Break => "break".into(),
            Stmt::Continue => "continue".into(),
            Stmt::Return(value) => format!("return {}", self.expr(value)),
            Stmt::Try(it) => self.attempt(it),
            Stmt::Throw(Thrown::Text, text) => format!("throw {}", self.expr(text)),
            Stmt::Throw(Thrown::Mine, text) => format!("throw {{ kind: \"mine\", message: {} }}", self.expr(text)),
            Stmt::Throw(Thrown::Again, text) => {
                format!("throw {{ kind: \"mine\", message: {}, retryable: true }}", self.expr(text))
            }
            Stmt::Rethrow(name) => format!("throw {name}"),
            Stmt::Emit(value) => format!("emit(\"told\", {})", self.expr(value)),
            Stmt::Log(value) => format!("log({})", self.expr(value)),
            Stmt::Nap(value) => format!("nap({})", self.expr(value)),
        }
    }

    fn attempt(&mut self, it: &Try) -> String {
        let mut text = format!("try {}", self.block(&it.body));
        if let Some((name, body)) = &it.catch {
            let _ = write!(text, " catch {name} {}", self.block(body));
        }
        if let Some(body) = &it.finally {
            let _ = write!(text, " finally {}", self.block(body));
        }
        text
    }

    fn cond(&mut self, cond: &Cond) -> String {
        match cond {
            Cond::Less(a, b) => format!("{} < {}", self.operand(a), self.operand(b)),
            Cond::Same(a, b) => format!("{} == {}", self.operand(a), self.operand(b)),
            Cond::Not(a) => format!("!({})", self.cond(a)),
            Cond::Both(a, b) => format!("({}) && ({})", self.cond(a), self.cond(b)),
            Cond::Either(a, b) => format!("({}) || ({})", self.cond(a), self.cond(b)),
        }
    }

    /// An expression that may stand beside an operator.
    fn operand(&mut self, expr: &Expr) -> String {
        let text = self.expr(expr);
        match expr {
            Expr::Int(n) if *n >= 0 => text,
            Expr::Str(_) | Expr::Var(..) | Expr::Text(..) | Expr::List(_) | Expr::Call(..) | Expr::Said(_) => text,
            _ => format!("({text})"),
        }
    }

    fn list(&mut self, exprs: &[Expr]) -> String {
        exprs.iter().map(|expr| self.expr(expr)).collect::<Vec<_>>().join(", ")
    }

    fn expr(&mut self, expr: &Expr) -> String {
        match expr {
            Expr::Int(n) => n.to_string(),
            Expr::Str(text) => format!("\"{text}\""),
            Expr::Var(name, _) => name.clone(),
            Expr::Total => "ctx.state.total".into(),
            Expr::SeenAt(key) => format!("(ctx.state.seen[{}] ?? 0)", self.expr(key)),
            Expr::Attempt => "ctx.attempt".into(),
            Expr::Op(op, a, b) => {
                let op = match op {
                    Op::Plus => "+",
                    Op::Minus => "-",
                    Op::Times => "*",
                    Op::Rest => "%",
                };
                format!("{} {op} {}", self.operand(a), self.operand(b))
            }
            Expr::Text(text, value) => match self.expr(value) {
                // What is inserted stands on one line.
                value if value.contains('\n') => format!("(\"{text}\" + shown({value}))"),
                value => format!("\"{text}${{{value}}}\""),
            },
            Expr::Len(value) => format!("{}.len()", self.operand(value)),
            Expr::Item(list, index) => format!("{}[{}]", self.operand(list), self.expr(index)),
            Expr::Get(map, key) => format!("({}[{}] ?? 0)", self.operand(map), self.expr(key)),
            Expr::Number(pair) => format!("{}.n", self.operand(pair)),
            Expr::Word(pair) => format!("{}.s", self.operand(pair)),
            Expr::List(items) | Expr::All(items) => format!("[{}]", self.list(items)),
            Expr::Join(a, b) => format!("{} + {}", self.operand(a), self.operand(b)),
            Expr::Map(entries) => {
                let entries: Vec<_> =
                    entries.iter().map(|(key, value)| format!("{key}: {}", self.expr(value))).collect();
                format!("({{ {} }} as map<int>)", entries.join(", "))
            }
            Expr::Pair(n, s) => format!("({{ n: {}, s: {} }})", self.expr(n), self.expr(s)),
            Expr::Said(name) => format!("said({name})"),
            Expr::Call(index, args, _) => {
                let name = self.names[*index].name.clone();
                format!("{name}({})", self.list(args))
            }
            Expr::Apply(name, arg) => format!("{name}({})", self.expr(arg)),
            Expr::Exec { label, arg, text } => {
                let call = match self.expr(arg) {
                    arg if arg.contains('\n') => format!("exec([\"{label}\", shown({arg})])"),
                    arg => format!("exec([\"{label}\", \"${{{arg}}}\"])"),
                };
                if *text { format!("{call}.stdout") } else { format!("{call}.json(int)") }
            }
            Expr::Deep(n, x) => format!("deep({n}, {})", self.expr(x)),
            Expr::Request(request) => {
                let mut text = format!("request_info({{ {}: {} }}, int", request.label, self.expr(&request.arg));
                if let Some(id) = &request.id {
                    let _ = write!(text, ", id: {}", self.expr(id));
                }
                if let Some(timeout) = request.timeout {
                    let _ = write!(text, ", timeout: {timeout}ms");
                }
                text + ")"
            }
            Expr::If(cond, then, other, _) => {
                format!("if {} {} else {}", self.cond(cond), self.block(then), self.block(other))
            }
            Expr::Match(subject, arms, guarded, rest, _) => {
                let mut text = format!("match {} {{\n", self.operand(subject));
                self.depth += 1;
                let indent = "    ".repeat(self.depth);
                for (pattern, body) in arms {
                    let _ = writeln!(text, "{indent}{pattern} => do {}", self.block(body));
                }
                if let Some((name, than, body)) = guarded {
                    let _ = writeln!(text, "{indent}{name} if {name} > {than} => do {}", self.block(body));
                }
                let _ = writeln!(text, "{indent}_ => do {}", self.block(rest));
                self.depth -= 1;
                text + &"    ".repeat(self.depth) + "}"
            }
            Expr::Try(it, _) => self.attempt(it),
            Expr::Do(block, _) => format!("do {}", self.block(block)),
            Expr::Each(list, var, body) => format!("{}.map({var} => do {})", self.operand(list), self.block(body)),
            Expr::Gather(gather) => self.gather(gather),
            Expr::Race(branches) => {
                let text = format!("race {}", self.branches(branches));
                match &**branches {
                    Branches::Named(_) => {
                        let w = self.name();
                        format!("do {{ let {w} = {text}; {w}.value + if {w}.key == \"a\" {{ 0 }} else {{ 5000 }} }}")
                    }
                    _ => text,
                }
            }
        }
    }

    fn name(&mut self) -> String {
        self.fresh += 1;
        format!("g{}", self.fresh)
    }

    fn gather(&mut self, gather: &Gather) -> String {
        let mut text = "gather ".to_owned();
        if gather.settle {
            text += "settle ";
        }
        if let Some(first) = gather.first {
            let _ = write!(text, "first {first} ");
        }
        if let Some(limit) = gather.limit {
            let _ = write!(text, "limit {limit} ");
        }
        text += &self.branches(&gather.branches);
        match (&gather.branches, gather.settle) {
            (Branches::Named(blocks), settle) => {
                let g = self.name();
                let value = |name: &&str| if settle { format!("settled({g}.{name})") } else { format!("{g}.{name}") };
                let values: Vec<_> = NAMES[..blocks.len()].iter().map(value).collect();
                format!("do {{ let {g} = {text}; [{}] }}", values.join(", "))
            }
            (_, true) => format!("({text}).map(r => settled(r))"),
            (_, false) => text,
        }
    }

    fn branches(&mut self, branches: &Branches) -> String {
        match branches {
            Branches::For { index, var, list, body } => {
                let index = index.as_ref().map_or(String::new(), |index| format!("{index}, "));
                format!("for {index}{var} in {} {}", self.operand(list), self.block(body))
            }
            Branches::List(blocks) => {
                let blocks: Vec<_> = blocks.iter().map(|block| format!("do {}", self.block(block))).collect();
                format!("[{}]", blocks.join(", "))
            }
            Branches::Named(blocks) => {
                let named = NAMES.iter().zip(blocks);
                let blocks: Vec<_> = named.map(|(name, block)| format!("{name}: do {}", self.block(block))).collect();
                format!("{{ {} }}", blocks.join(", "))
            }
        }
    }
}
