//! A failing program is made smaller for as long as it fails.

use std::time::{Duration, Instant};

use super::program::{Block, Branches, Cond, Expr, Kind, Program, Stmt, Try};

/// The smallest program on the way down from one that fails, and why it fails.
pub(super) fn shrink<W>(program: Program, why: W, fails: &dyn Fn(&Program) -> Option<W>) -> (Program, W) {
    let (mut best, mut why) = (program, why);
    let until = Instant::now() + Duration::from_secs(20);
    loop {
        let (mut at, mut smaller) = (0, false);
        loop {
            let mut candidate = best.clone();
            let mut cut = Cut { at, seen: 0, done: false };
            cut.program(&mut candidate);
            if !cut.done || Instant::now() > until {
                break;
            }
            match fails(&candidate) {
                Some(found) => (best, why, smaller) = (candidate, found, true),
                None => at += 1,
            }
        }
        if !smaller || Instant::now() > until {
            return (best, why);
        }
    }
}

/// Makes the cut with one number; each place at which a program can be cut counts.
struct Cut {
    at: usize,
    seen: usize,
    done: bool,
}

impl Cut {
    fn here(&mut self) -> bool {
        let hit = self.seen == self.at;
        self.seen += 1;
        self.done |= hit;
        hit
    }

    fn drop<T>(&mut self, part: &mut Option<T>) {
        if part.is_some() && self.here() {
            *part = None;
        }
    }

    fn program(&mut self, program: &mut Program) {
        for decl in &mut program.decls {
            if let Kind::Step(notes) = &mut decl.kind {
                self.drop(&mut notes.retry);
                self.drop(&mut notes.timeout);
                self.drop(&mut notes.on_crash);
                if let Some(retry) = &mut notes.retry {
                    self.drop(&mut retry.max);
                    self.drop(&mut retry.when);
                }
                if self.here() {
                    decl.kind = Kind::Fn;
                }
            }
            self.block(&mut decl.body);
            if self.done {
                return;
            }
        }
    }

    fn block(&mut self, block: &mut Block) {
        let half = block.stmts.len() / 2;
        if half > 1 && self.here() {
            block.stmts.drain(..half);
            return;
        }
        if half > 1 && self.here() {
            block.stmts.truncate(half);
            return;
        }
        for index in 0..block.stmts.len() {
            if self.here() {
                block.stmts.remove(index);
                return;
            }
            for inner in 0..block.stmts[index].blocks().len() {
                if self.here() {
                    let mut stmt = block.stmts.remove(index);
                    let stmts = std::mem::take(&mut stmt.blocks()[inner].stmts);
                    block.stmts.splice(index..index, stmts);
                    return;
                }
            }
            let stmt = &mut block.stmts[index];
            if let Stmt::Try(it) = stmt {
                self.attempt(it);
            }
            if let Stmt::If(_, _, other) = stmt {
                self.drop(other);
            }
            for inner in stmt.blocks() {
                self.block(inner);
            }
            for expr in stmt.exprs() {
                self.expr(expr);
            }
            if self.done {
                return;
            }
        }
        if let Some(value) = &mut block.value {
            self.expr(value);
        }
    }

    fn attempt(&mut self, it: &mut Try) {
        if it.catch.is_some() && it.finally.is_some() {
            self.drop(&mut it.catch);
            self.drop(&mut it.finally);
        }
    }

    fn expr(&mut self, expr: &mut Expr) {
        if self.done {
            return;
        }
        let ty = expr.ty();
        if !matches!(expr, Expr::Int(_) | Expr::Str(_) | Expr::Var(..) | Expr::All(_)) && self.here() {
            *expr = Expr::plain(ty);
            return;
        }
        let inner: Vec<Expr> = expr.exprs().into_iter().map(|inner| inner.clone()).collect();
        for inner in inner.into_iter().filter(|inner| inner.ty() == ty) {
            if self.here() {
                *expr = inner;
                return;
            }
        }
        let values: Vec<Expr> = expr.blocks().into_iter().filter_map(|block| block.value.clone()).collect();
        for inner in values.into_iter().filter(|inner| inner.ty() == ty) {
            if self.here() {
                *expr = inner;
                return;
            }
        }
        match expr {
            Expr::List(items) | Expr::All(items) => self.items(items),
            Expr::Gather(gather) => {
                self.drop(&mut gather.limit);
                self.drop(&mut gather.first);
                if gather.settle && self.here() {
                    gather.settle = false;
                }
                self.branches(&mut gather.branches);
            }
            Expr::Race(branches) => self.branches(branches),
            Expr::Request(request) => {
                self.drop(&mut request.id);
                self.drop(&mut request.timeout);
            }
            Expr::Try(it, _) => self.attempt(it),
            Expr::Deep(n, _) if *n > 1 && self.here() => *n /= 2,
            _ => {}
        }
        for block in expr.blocks() {
            self.block(block);
        }
        for inner in expr.exprs() {
            self.expr(inner);
        }
    }

    fn items<T>(&mut self, items: &mut Vec<T>) {
        for index in 0..items.len() {
            if self.here() {
                items.remove(index);
                return;
            }
        }
    }

    fn branches(&mut self, branches: &mut Branches) {
        if let Branches::List(blocks) | Branches::Named(blocks) = branches
            && blocks.len() > 1
        {
            self.items(blocks);
        }
    }
}

impl Try {
    fn blocks(&mut self) -> Vec<&mut Block> {
        let mut blocks = vec![&mut self.body];
        blocks.extend(self.catch.as_mut().map(|(_, block)| block));
        blocks.extend(self.finally.as_mut());
        blocks
    }
}

impl Cond {
    fn exprs(&mut self) -> Vec<&mut Expr> {
        match self {
            Self::Less(a, b) | Self::Same(a, b) => vec![a, b],
            Self::Not(a) => a.exprs(),
            Self::Both(a, b) | Self::Either(a, b) => [a.exprs(), b.exprs()].into_iter().flatten().collect(),
        }
    }
}

impl Stmt {
    fn blocks(&mut self) -> Vec<&mut Block> {
        match self {
            Self::LetFn { body, .. }
            | Self::For { body, .. }
            | Self::Repeat { body, .. }
            | Self::While { body, .. } => vec![body],
            Self::If(_, then, other) => [Some(then), other.as_mut()].into_iter().flatten().collect(),
            Self::Try(it) => it.blocks(),
            _ => Vec::new(),
        }
    }

    fn exprs(&mut self) -> Vec<&mut Expr> {
        match self {
            Self::Let(_, _, a)
            | Self::LetMany(_, _, a)
            | Self::Set(_, a)
            | Self::Add(_, a)
            | Self::Push(_, a)
            | Self::SetField(_, a)
            | Self::Total(a)
            | Self::Expr(a)
            | Self::For { list: a, .. }
            | Self::Return(a)
            | Self::Throw(_, a)
            | Self::Emit(a)
            | Self::Log(a)
            | Self::Nap(a) => vec![a],
            Self::Put(_, a, b) | Self::Seen(a, b) => vec![a, b],
            Self::If(cond, ..) => cond.exprs(),
            _ => Vec::new(),
        }
    }
}

impl Branches {
    fn blocks(&mut self) -> Vec<&mut Block> {
        match self {
            Self::For { body, .. } => vec![body],
            Self::List(blocks) | Self::Named(blocks) => blocks.iter_mut().collect(),
        }
    }

    fn exprs(&mut self) -> Vec<&mut Expr> {
        match self {
            Self::For { list, .. } => vec![list],
            Self::List(_) | Self::Named(_) => Vec::new(),
        }
    }
}

impl Expr {
    fn blocks(&mut self) -> Vec<&mut Block> {
        match self {
            Self::If(_, then, other, _) => vec![then, other],
            Self::Match(_, arms, guarded, rest, _) => {
                let mut blocks: Vec<_> = arms.iter_mut().map(|(_, block)| block).collect();
                blocks.extend(guarded.as_mut().map(|(_, _, block)| &mut **block));
                blocks.push(rest);
                blocks
            }
            Self::Try(it, _) => it.blocks(),
            Self::Do(block, _) | Self::Each(_, _, block) => vec![block],
            Self::Gather(gather) => gather.branches.blocks(),
            Self::Race(branches) => branches.blocks(),
            _ => Vec::new(),
        }
    }

    fn exprs(&mut self) -> Vec<&mut Expr> {
        match self {
            Self::SeenAt(a)
            | Self::Text(_, a)
            | Self::Len(a)
            | Self::Number(a)
            | Self::Word(a)
            | Self::Apply(_, a)
            | Self::Exec { arg: a, .. }
            | Self::Deep(_, a)
            | Self::Match(a, ..)
            | Self::Each(a, ..) => vec![a],
            Self::Op(_, a, b) | Self::Item(a, b) | Self::Get(a, b) | Self::Join(a, b) | Self::Pair(a, b) => vec![a, b],
            Self::List(items) | Self::All(items) | Self::Call(_, items, _) => items.iter_mut().collect(),
            Self::Map(entries) => entries.iter_mut().map(|(_, value)| value).collect(),
            Self::Request(request) => [Some(&mut request.arg), request.id.as_mut()].into_iter().flatten().collect(),
            Self::If(cond, ..) => cond.exprs(),
            Self::Gather(gather) => gather.branches.exprs(),
            Self::Race(branches) => branches.exprs(),
            _ => Vec::new(),
        }
    }
}

impl Program {
    /// The declarations that `main` reaches.
    pub(super) fn reached(&self) -> Vec<usize> {
        let mut reached = vec![0];
        let mut at = 0;
        while let Some(&index) = reached.get(at) {
            let mut calls = Vec::new();
            let mut body = self.decls[index].body.clone();
            calls_of(&mut body, &mut calls);
            reached.extend(
                calls.into_iter().filter(|call| !reached.contains(call)).collect::<std::collections::BTreeSet<_>>(),
            );
            at += 1;
        }
        reached.sort_unstable();
        reached
    }
}

fn calls_of(block: &mut Block, calls: &mut Vec<usize>) {
    for stmt in &mut block.stmts {
        stmt.blocks().into_iter().for_each(|block| calls_of(block, calls));
        stmt.exprs().into_iter().for_each(|expr| calls_in(expr, calls));
    }
    block.value.iter_mut().for_each(|value| calls_in(value, calls));
}

fn calls_in(expr: &mut Expr, calls: &mut Vec<usize>) {
    if let Expr::Call(index, ..) = expr {
        calls.push(*index);
    }
    expr.blocks().into_iter().for_each(|block| calls_of(block, calls));
    expr.exprs().into_iter().for_each(|inner| calls_in(inner, calls));
}
