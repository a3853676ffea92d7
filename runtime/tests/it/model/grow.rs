//! Random programs, the same for the same seed.

use super::program::{
    Block, Branches, Cond, Decl, Expr, Gather, Kind, Notes, OnCrash, Op, Program, Request, Retry, Stmt, Thrown, Try, Ty,
};
use crate::random::Random;

/// The program of a seed.
pub(super) fn program(seed: u64) -> Program {
    let mut random = Random(seed.wrapping_mul(0x9e37_79b9).wrapping_add(17));
    // So that seeds beside each other have nothing in common.
    random.next();
    let count = 1 + random.below(5);
    let mut grow = Grow { random, callees: Vec::new(), names: 0, labels: 0, budget: 0, cautious: false, size: 1 };
    grow.cautious = grow.random.below(8) > 0;
    grow.size = [1, 1, 1, 2, 4][grow.random.below(5)];
    let mut decls = Vec::new();
    for index in (0..=count).rev() {
        let decl = grow.decl(index, index == 0);
        let (params, result) = (decl.params.iter().map(|(_, ty)| *ty).collect(), decl.result);
        if let Some(result) = result {
            grow.callees.push((index, params, result));
        }
        decls.push(decl);
    }
    decls.reverse();
    Program { decls }
}

struct Grow {
    random: Random,
    /// What can be called: number, parameters, result.
    callees: Vec<(usize, Vec<Ty>, Ty)>,
    names: usize,
    labels: usize,
    /// How many more statements and expressions may be made for this declaration.
    budget: i64,
    /// Branches begin by waiting, so that none of them ends before all have begun.
    cautious: bool,
    /// How much larger than most it is.
    size: i64,
}

#[derive(Clone)]
struct Scope {
    /// Name, type, and whether it may be changed.
    vars: Vec<(String, Ty, bool)>,
    lambdas: Vec<String>,
    /// Long lists, and whether they may be changed; no loop goes over them.
    long: Vec<(String, bool)>,
    /// Caught errors.
    errors: Vec<String>,
    result: Option<Ty>,
    in_loop: bool,
    in_finally: bool,
    depth: usize,
}

impl Scope {
    /// What a branch or a lambda sees.
    fn inside(&self) -> Self {
        let mut inside = self.clone();
        inside.vars.iter_mut().for_each(|var| var.2 = false);
        inside.long.iter_mut().for_each(|long| long.1 = false);
        inside.result = None;
        inside.in_loop = false;
        inside.in_finally = false;
        inside.deeper()
    }

    fn deeper(mut self) -> Self {
        self.depth += 1;
        self
    }
}

const TYPES: [Ty; 8] = [Ty::Int, Ty::Int, Ty::Int, Ty::Int, Ty::Str, Ty::List, Ty::Map, Ty::Pair];

impl Grow {
    fn one_in(&mut self, n: usize) -> bool {
        self.random.below(n) == 0
    }

    fn ty(&mut self) -> Ty {
        TYPES[self.random.below(TYPES.len())]
    }

    fn small(&mut self) -> i64 {
        self.random.below(8) as i64
    }

    fn millis(&mut self, most: usize) -> i64 {
        1 + self.random.below(most) as i64
    }

    fn name(&mut self, prefix: &str) -> String {
        self.names += 1;
        format!("{prefix}{}", self.names)
    }

    fn label(&mut self, prefix: &str) -> String {
        self.labels += 1;
        format!("{prefix}{}", self.labels)
    }

    fn decl(&mut self, index: usize, main: bool) -> Decl {
        self.budget = self.size * if main { 140 } else { 15 + self.random.below(30) as i64 };
        let kind = match self.random.below(8) {
            _ if main => Kind::Workflow,
            0 => Kind::Workflow,
            1 | 2 => Kind::Fn,
            _ => Kind::Step(self.notes()),
        };
        let name = match &kind {
            _ if main => "main".to_owned(),
            Kind::Workflow => format!("flow{index}"),
            Kind::Fn => format!("help{index}"),
            Kind::Step(_) => format!("step{index}"),
        };
        let params: Vec<_> =
            (0..if main { 0 } else { self.random.below(3) }).map(|_| (self.name("p"), self.ty())).collect();
        let result = (!main).then(|| self.ty());
        let mut scope = Scope {
            vars: params.iter().map(|(name, ty)| (name.clone(), *ty, false)).collect(),
            lambdas: Vec::new(),
            long: Vec::new(),
            errors: Vec::new(),
            result,
            in_loop: false,
            in_finally: false,
            depth: 0,
        };
        let count = self.size as usize / 2 + if main { 3 + self.random.below(6) } else { 1 + self.random.below(4) };
        let mut stmts = self.stmts(&mut scope, count);
        if main {
            stmts = stmts.into_iter().map(|stmt| self.caught(stmt)).collect();
        }
        let value = match result {
            Some(ty) => self.expr(&scope, ty),
            None => {
                let mut all: Vec<_> = scope.vars.iter().map(|(name, ty, _)| Expr::Var(name.clone(), *ty)).collect();
                all.push(self.expr(&scope, Ty::Int));
                Expr::All(all)
            }
        };
        Decl { name, kind, params, result, body: Block { stmts, value: Some(value) } }
    }

    /// Most errors do not end the whole program.
    fn caught(&mut self, stmt: Stmt) -> Stmt {
        if self.one_in(4) {
            return stmt;
        }
        let name = self.name("e");
        let said = Expr::Len(Box::new(Expr::Said(name.clone())));
        match stmt {
            Stmt::Let(var, ty, value) => {
                let catch = Block { stmts: vec![Stmt::Total(said)], value: Some(Expr::plain(ty)) };
                let it = Try { body: Block::of(value), catch: Some((name, catch)), finally: None };
                Stmt::Let(var, ty, Expr::Try(Box::new(it), ty))
            }
            Stmt::LetFn { .. } => stmt,
            stmt => {
                let catch = Block { stmts: vec![Stmt::Total(said)], value: None };
                let body = Block { stmts: vec![stmt], value: None };
                Stmt::Try(Box::new(Try { body, catch: Some((name, catch)), finally: None }))
            }
        }
    }

    fn notes(&mut self) -> Notes {
        let mut notes = Notes::default();
        if self.one_in(3) {
            let backoff = 1000 + self.millis(20_000);
            let max = self.one_in(4).then(|| backoff + self.millis(20_000));
            let when = self.one_in(4).then(|| if self.one_in(2) { "exec" } else { "mine" });
            let attempts = 1 + self.random.below(4) as i64;
            notes.retry = Some(Retry { attempts, backoff, factor: 1 + self.random.below(3) as i64, max, when });
        }
        if self.one_in(4) {
            notes.timeout = Some(5_000 + self.millis(60_000));
        }
        if self.one_in(6) {
            notes.on_crash = Some([OnCrash::Retry, OnCrash::Ask, OnCrash::Throw][self.random.below(3)]);
        }
        notes
    }

    fn stmts(&mut self, scope: &mut Scope, count: usize) -> Vec<Stmt> {
        let mut stmts = Vec::new();
        for _ in 0..count {
            if self.budget <= 0 {
                break;
            }
            self.budget -= 1;
            let stmt = self.stmt(scope);
            let leaves =
                matches!(stmt, Stmt::Break | Stmt::Continue | Stmt::Return(_) | Stmt::Throw(..) | Stmt::Rethrow(_));
            if leaves {
                // Under a condition, so that what follows can be reached.
                let cond = self.cond(scope);
                stmts.push(Stmt::If(cond, Block { stmts: vec![stmt], value: None }, None));
                continue;
            }
            stmts.push(stmt);
        }
        stmts
    }

    fn block(&mut self, scope: &Scope, count: usize) -> Block {
        Block { stmts: self.stmts(&mut scope.clone().deeper(), count), value: None }
    }

    fn valued(&mut self, scope: &Scope, ty: Ty, most: usize) -> Block {
        let mut scope = scope.clone().deeper();
        let count = self.random.below(most + 1);
        let stmts = self.stmts(&mut scope, count);
        Block { stmts, value: Some(self.expr(&scope, ty)) }
    }

    /// A variable of this type; one that may be changed if `changed`.
    fn var(&mut self, scope: &Scope, ty: Ty, changed: bool) -> Option<String> {
        let found: Vec<_> = scope.vars.iter().filter(|var| var.1 == ty && (var.2 || !changed)).collect();
        (!found.is_empty()).then(|| found[self.random.below(found.len())].0.clone())
    }

    fn stmt(&mut self, scope: &mut Scope) -> Stmt {
        if scope.depth > 4 {
            return Stmt::Total(self.simple(scope));
        }
        match self.random.below(32) {
            0..=5 => {
                let (name, ty) = (self.name("v"), self.ty());
                let value = self.expr(scope, ty);
                scope.vars.push((name.clone(), ty, true));
                Stmt::Let(name, ty, value)
            }
            6 => {
                let (name, param) = (self.name("f"), self.name("x"));
                let mut inside = scope.inside();
                inside.vars.push((param.clone(), Ty::Int, false));
                let body = self.valued(&inside, Ty::Int, 2);
                scope.lambdas.push(name.clone());
                Stmt::LetFn { name, param, body }
            }
            7 if self.one_in(3) => {
                let name = self.name("l");
                scope.long.push((name.clone(), true));
                let count = 20 + self.random.below(500) as i64;
                Stmt::LetMany(name, count, self.simple(scope))
            }
            8 if scope.long.iter().any(|long| long.1) => {
                let long: Vec<_> = scope.long.iter().filter(|long| long.1).map(|long| long.0.clone()).collect();
                Stmt::Push(long[self.random.below(long.len())].clone(), self.expr(scope, Ty::Int))
            }
            7..=9 => self.change(scope),
            10..=12 => Stmt::Total(self.expr(scope, Ty::Int)),
            13 => Stmt::Seen(self.key(scope), self.expr(scope, Ty::Int)),
            14..=16 => {
                let ty = self.ty();
                Stmt::Expr(self.busy(scope, ty))
            }
            17 => {
                let cond = self.cond(scope);
                let then = self.block(scope, 2);
                let other = self.one_in(2).then(|| self.block(scope, 2));
                Stmt::If(cond, then, other)
            }
            18 | 19 => self.loops(scope),
            20 if scope.in_loop => {
                if self.one_in(2) {
                    Stmt::Break
                } else {
                    Stmt::Continue
                }
            }
            21 if scope.result.is_some() && (!scope.in_finally || self.one_in(4)) => {
                let ty = scope.result.unwrap_or(Ty::Int);
                Stmt::Return(self.expr(scope, ty))
            }
            22..=24 => {
                let it = self.attempt(scope, None);
                Stmt::Try(Box::new(it))
            }
            25 if !scope.in_finally || self.one_in(3) => {
                let thrown = [Thrown::Text, Thrown::Mine, Thrown::Again][self.random.below(3)];
                Stmt::Throw(thrown, self.text(scope))
            }
            26 if !scope.errors.is_empty() => {
                Stmt::Rethrow(scope.errors[self.random.below(scope.errors.len())].clone())
            }
            27 => Stmt::Emit(self.simple(scope)),
            28 => Stmt::Log(self.text(scope)),
            _ => Stmt::Nap(self.nap(scope)),
        }
    }

    /// How long to wait: it depends on what is known here, so that branches do not wake at one moment.
    fn nap(&mut self, scope: &Scope) -> Expr {
        let base = Expr::Int(self.millis(9000));
        match self.var(scope, Ty::Int, false) {
            Some(var) => {
                let by =
                    Expr::Op(Op::Times, Box::new(Expr::Var(var, Ty::Int)), Box::new(Expr::Int(1 + self.millis(900))));
                Expr::Op(Op::Plus, Box::new(base), Box::new(by))
            }
            None => base,
        }
    }

    fn change(&mut self, scope: &Scope) -> Stmt {
        match self.random.below(6) {
            0 | 1 => match self.var(scope, Ty::Int, true) {
                Some(name) if self.one_in(2) => Stmt::Add(name, self.expr(scope, Ty::Int)),
                Some(name) => Stmt::Set(name, self.expr(scope, Ty::Int)),
                None => Stmt::Total(self.expr(scope, Ty::Int)),
            },
            2 => match self.var(scope, Ty::List, true) {
                Some(name) => Stmt::Push(name, self.expr(scope, Ty::Int)),
                None => Stmt::Total(self.expr(scope, Ty::Int)),
            },
            3 => match self.var(scope, Ty::Map, true) {
                Some(name) => Stmt::Put(name, self.key(scope), self.expr(scope, Ty::Int)),
                None => Stmt::Total(self.expr(scope, Ty::Int)),
            },
            4 => match self.var(scope, Ty::Pair, true) {
                Some(name) => Stmt::SetField(name, self.expr(scope, Ty::Int)),
                None => Stmt::Total(self.expr(scope, Ty::Int)),
            },
            _ => match self.var(scope, Ty::Str, true) {
                Some(name) => Stmt::Set(name, self.expr(scope, Ty::Str)),
                None => Stmt::Total(self.expr(scope, Ty::Int)),
            },
        }
    }

    fn loops(&mut self, scope: &Scope) -> Stmt {
        let mut inside = scope.clone();
        inside.in_loop = true;
        inside.in_finally = false;
        let var = self.name("i");
        match self.random.below(3) {
            0 => {
                let list = self.expr(scope, Ty::List);
                inside.vars.push((var.clone(), Ty::Int, false));
                Stmt::For { var, list, body: self.block(&inside, 3) }
            }
            1 => {
                inside.vars.push((var.clone(), Ty::Int, false));
                Stmt::Repeat { var, times: 1 + self.random.below(3) as i64, body: self.block(&inside, 3) }
            }
            // Its counter is not known inside, so that nothing but the loop changes it.
            _ => Stmt::While { var, times: 1 + self.random.below(3) as i64, body: self.block(&inside, 3) },
        }
    }

    fn attempt(&mut self, scope: &Scope, ty: Option<Ty>) -> Try {
        let part = |this: &mut Self, scope: &Scope| match ty {
            Some(ty) => this.valued(scope, ty, 2),
            None => {
                let count = 1 + this.random.below(3);
                this.block(scope, count)
            }
        };
        let body = part(self, scope);
        let how = self.random.below(3);
        let catch = (how != 0).then(|| {
            let name = self.name("e");
            let mut inside = scope.clone();
            inside.errors.push(name.clone());
            (name, part(self, &inside))
        });
        let finally = (how != 1).then(|| {
            let mut inside = scope.clone();
            inside.in_finally = true;
            inside.in_loop = false;
            let count = 1 + self.random.below(2);
            self.block(&inside, count)
        });
        Try { body, catch, finally }
    }

    fn key(&mut self, scope: &Scope) -> Expr {
        let name = ["k", "l", "m"][self.random.below(3)];
        if self.one_in(2) {
            return Expr::Str(name.into());
        }
        Expr::Text(name.into(), Box::new(self.simple(scope)))
    }

    fn text(&mut self, scope: &Scope) -> Expr {
        let label = self.label("t");
        Expr::Text(label, Box::new(self.simple(scope)))
    }

    fn cond(&mut self, scope: &Scope) -> Cond {
        self.budget -= 1;
        match self.random.below(7) {
            0 => Cond::Not(Box::new(self.cond(scope))),
            1 => Cond::Both(Box::new(self.cond(scope)), Box::new(self.cond(scope))),
            2 => Cond::Either(Box::new(self.cond(scope)), Box::new(self.cond(scope))),
            3 => Cond::Same(self.rest(scope), Expr::Int(self.small() % 3)),
            _ => Cond::Less(self.rest(scope), Expr::Int(1 + self.small() % 4)),
        }
    }

    /// A number that is small whatever it is made of.
    fn rest(&mut self, scope: &Scope) -> Expr {
        let of = if self.one_in(3) { self.expr(scope, Ty::Int) } else { self.simple(scope) };
        Expr::Op(Op::Rest, Box::new(of), Box::new(Expr::Int(2 + self.small() % 4)))
    }

    /// A number that is known at once.
    fn simple(&mut self, scope: &Scope) -> Expr {
        if !scope.long.is_empty() && self.one_in(4) {
            let long = Expr::Var(scope.long[self.random.below(scope.long.len())].0.clone(), Ty::List);
            return match self.one_in(2) {
                true => Expr::Len(Box::new(long)),
                false => Expr::Item(Box::new(long), Box::new(Expr::Int(self.random.below(40) as i64 - 20))),
            };
        }
        match self.random.below(8) {
            0 => Expr::Total,
            1 => Expr::Attempt,
            2 => Expr::Int(self.small()),
            3 if !scope.errors.is_empty() => {
                let error = scope.errors[self.random.below(scope.errors.len())].clone();
                Expr::Len(Box::new(Expr::Said(error)))
            }
            _ => match self.var(scope, Ty::Int, false) {
                Some(var) => Expr::Var(var, Ty::Int),
                None => Expr::Int(self.small()),
            },
        }
    }

    /// An expression of a type.
    fn expr(&mut self, scope: &Scope, ty: Ty) -> Expr {
        self.budget -= 1;
        if self.budget <= 0 || scope.depth > 4 {
            return self.leaf(scope, ty);
        }
        match self.random.below(4) {
            0 => self.leaf(scope, ty),
            1 => self.made(scope, ty),
            _ => self.busy(scope, ty),
        }
    }

    fn leaf(&mut self, scope: &Scope, ty: Ty) -> Expr {
        match self.var(scope, ty, false) {
            Some(var) if !self.one_in(4) => Expr::Var(var, ty),
            _ if ty == Ty::Int => self.simple(scope),
            _ => Expr::plain(ty),
        }
    }

    fn boxed(&mut self, scope: &Scope, ty: Ty) -> Box<Expr> {
        Box::new(self.expr(scope, ty))
    }

    /// An expression that computes.
    fn made(&mut self, scope: &Scope, ty: Ty) -> Expr {
        match (ty, self.random.below(6)) {
            (Ty::Int, 0) => Expr::SeenAt(Box::new(self.key(scope))),
            (Ty::Int, 1) => Expr::Item(self.boxed(scope, Ty::List), Box::new(Expr::Int(self.small() % 4 - 1))),
            (Ty::Int, 2) => Expr::Get(self.boxed(scope, Ty::Map), Box::new(self.key(scope))),
            (Ty::Int, 3) => Expr::Number(self.boxed(scope, Ty::Pair)),
            (Ty::Int, 4) => {
                let ty = [Ty::Str, Ty::List, Ty::Map][self.random.below(3)];
                Expr::Len(self.boxed(scope, ty))
            }
            (Ty::Int, _) => {
                let op = [Op::Plus, Op::Minus, Op::Times, Op::Rest][self.random.below(4)];
                let b = if op == Op::Rest { Box::new(Expr::Int(self.small())) } else { self.boxed(scope, Ty::Int) };
                Expr::Op(op, self.boxed(scope, Ty::Int), b)
            }
            (Ty::Str, 0 | 1) => Expr::Word(self.boxed(scope, Ty::Pair)),
            (Ty::Str, _) => {
                let (label, ty) = (self.label("s"), if self.one_in(2) { Ty::Int } else { Ty::Str });
                Expr::Text(label, self.boxed(scope, ty))
            }
            (Ty::List, 0 | 1) => Expr::Join(self.boxed(scope, Ty::List), self.boxed(scope, Ty::List)),
            (Ty::List, _) => {
                let count = self.random.below(4);
                Expr::List((0..count).map(|_| self.expr(scope, Ty::Int)).collect())
            }
            (Ty::Map, _) => {
                let count = 1 + self.random.below(2);
                Expr::Map(["k", "l"][..count].iter().map(|key| ((*key).into(), self.expr(scope, Ty::Int))).collect())
            }
            (Ty::Pair, _) => Expr::Pair(self.boxed(scope, Ty::Int), self.boxed(scope, Ty::Str)),
        }
    }

    /// An expression that waits, or has parts that may.
    fn busy(&mut self, scope: &Scope, ty: Ty) -> Expr {
        let scope = &scope.clone().deeper();
        match self.random.below(16) {
            0..=3 => self.call(scope, ty),
            4 => {
                let cond = Box::new(self.cond(scope));
                let then = Box::new(self.valued(scope, ty, 2));
                Expr::If(cond, then, Box::new(self.valued(scope, ty, 2)), ty)
            }
            5 => {
                let subject = Box::new(self.rest(scope));
                let arms = vec![(0, self.valued(scope, ty, 1)), (2, self.valued(scope, ty, 1))];
                let guarded = self.one_in(2).then(|| {
                    let name = self.name("n");
                    let mut inside = scope.clone();
                    inside.vars.push((name.clone(), Ty::Int, false));
                    (name, 2, Box::new(self.valued(&inside, ty, 1)))
                });
                Expr::Match(subject, arms, guarded, Box::new(self.valued(scope, ty, 1)), ty)
            }
            6 | 7 => Expr::Try(Box::new(self.attempt(scope, Some(ty))), ty),
            8 => Expr::Do(Box::new(self.valued(scope, ty, 3)), ty),
            _ => match ty {
                Ty::Int => self.waits(scope),
                Ty::List => match self.random.below(5) {
                    0 => {
                        let var = self.name("x");
                        let list = self.boxed(scope, Ty::List);
                        let mut inside = scope.inside();
                        inside.vars.push((var.clone(), Ty::Int, false));
                        Expr::Each(list, var, Box::new(self.valued(&inside, Ty::Int, 2)))
                    }
                    _ => Expr::Gather(Box::new(self.gather(scope))),
                },
                Ty::Str => self.exec(scope, true),
                _ => self.made(scope, ty),
            },
        }
    }

    fn exec(&mut self, scope: &Scope, text: bool) -> Expr {
        Expr::Exec { label: self.label("c"), arg: Box::new(self.simple(scope)), text }
    }

    fn call(&mut self, scope: &Scope, ty: Ty) -> Expr {
        let found: Vec<_> = self.callees.iter().filter(|callee| callee.2 == ty).cloned().collect();
        if found.is_empty() {
            return if ty == Ty::Int { self.waits(scope) } else { self.made(scope, ty) };
        }
        let (index, params, result) = found[self.random.below(found.len())].clone();
        Expr::Call(index, params.iter().map(|ty| self.expr(scope, *ty)).collect(), result)
    }

    fn waits(&mut self, scope: &Scope) -> Expr {
        match self.random.below(8) {
            0 | 1 => {
                let id = self.one_in(3).then(|| self.text(scope));
                let timeout = self.one_in(3).then(|| 5_000 + self.millis(60_000));
                Expr::Request(Box::new(Request { label: self.label("q"), arg: self.simple(scope), id, timeout }))
            }
            2 if !scope.lambdas.is_empty() => {
                let name = scope.lambdas[self.random.below(scope.lambdas.len())].clone();
                Expr::Apply(name, self.boxed(scope, Ty::Int))
            }
            4 if self.one_in(3) => Expr::Deep(self.random.below(150) as i64, Box::new(self.simple(scope))),
            3 => Expr::Race(Box::new(self.branches(scope, true))),
            _ => self.exec(scope, false),
        }
    }

    fn gather(&mut self, scope: &Scope) -> Gather {
        let branches = self.branches(scope, false);
        let count = match &branches {
            Branches::For { list: Expr::List(items), .. } => items.len(),
            Branches::List(blocks) => blocks.len(),
            _ => 0,
        };
        let loops = matches!(branches, Branches::For { .. });
        let first = (count > 1 && self.one_in(3)).then(|| 1 + self.random.below(count) as i64);
        let limit = (loops && self.one_in(3)).then(|| 1 + self.random.below(3) as i64);
        Gather { branches, limit, first, settle: self.one_in(3) }
    }

    fn branches(&mut self, scope: &Scope, race: bool) -> Branches {
        let inside = scope.inside();
        match self.random.below(4) {
            0 => Branches::List((0..2 + self.random.below(2)).map(|_| self.branch(&inside)).collect()),
            1 => Branches::Named((0..2 + self.random.below(2)).map(|_| self.branch(&inside)).collect()),
            _ => {
                let list = match race || self.one_in(2) {
                    true => Expr::List((0..2 + self.random.below(3)).map(|_| self.expr(scope, Ty::Int)).collect()),
                    false => self.expr(scope, Ty::List),
                };
                let (index, var) = (self.one_in(2).then(|| self.name("i")), self.name("x"));
                let mut inside = inside;
                inside.vars.push((var.clone(), Ty::Int, false));
                inside.vars.extend(index.iter().map(|index| (index.clone(), Ty::Int, false)));
                Branches::For { index, var, list, body: self.branch(&inside) }
            }
        }
    }

    fn branch(&mut self, scope: &Scope) -> Block {
        let mut block = self.valued(scope, Ty::Int, 3);
        if self.cautious || !self.one_in(3) {
            block.stmts.insert(0, Stmt::Nap(self.nap(scope)));
        }
        block
    }
}
