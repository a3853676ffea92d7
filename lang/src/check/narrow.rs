//! Narrowing: what is known of a path, from conditions, from assignments, and where branches meet.

use super::{
    Use,
    checker::Checker,
    flow::{Change, Fact, Key, PathId, State},
    prescan::{Step, step},
    relate::{Relate, same_literal},
    ty::{Literal, Type},
    union::{base, of_members},
};
use crate::syntax::ast::{BinaryOp, Expr, ExprKind};

/// What is known where a condition holds, and where it does not.
#[derive(Debug, Default)]
pub(super) struct Split {
    pub(super) yes: State,
    pub(super) no: State,
}

impl Split {
    pub(super) fn swap(self) -> Self {
        Self { yes: self.no, no: self.yes }
    }
}

impl<'a> Checker<'a> {
    /// Compares types with all that is known here.
    pub(super) fn relate(&self) -> Relate<'_> {
        Relate::new(&self.named, &self.frame.holes, self.frame.library)
    }

    /// Whether a value may be of both types.
    pub(super) fn overlap(&self, a: &Type, b: &Type) -> bool {
        self.relate().overlap(a, b)
    }

    /// The type of a path, which by itself would be `ty`; `None` if nothing is known of it.
    pub(super) fn known(&self, path: PathId, ty: &Type) -> Option<Type> {
        match self.frame.flow.fact(path)? {
            Fact::Is(known) => Some(self.filled(known)),
            Fact::NotNull => Some(self.non_null(ty)),
        }
    }

    /// The path that an expression names; its names have been looked up.
    pub(super) fn path_of(&mut self, expr: &Expr) -> Option<PathId> {
        match &expr.kind {
            ExprKind::Paren(inner) => self.path_of(inner),
            ExprKind::Name(_) => match self.table().uses.get(&expr.id) {
                Some(Use::Local(id)) => {
                    let id = *id;
                    self.frame.flow.root(id)
                }
                _ => None,
            },
            ExprKind::Field { object, name, .. } if !name.text.is_empty() => {
                let parent = self.path_of(object)?;
                Some(self.frame.flow.make(parent, Key::Name(name.text.clone())))
            }
            ExprKind::Index { object, index } => {
                let parent = self.path_of(object)?;
                let key = self.key_of(index)?;
                Some(self.frame.flow.make(parent, key))
            }
            _ => None,
        }
    }

    /// The key that an index is, if it stays the same as long as what it is read from.
    pub(super) fn key_of(&mut self, index: &Expr) -> Option<Key> {
        match step(index) {
            Step::Name(name) => Some(Key::Name(name)),
            Step::At(n) => Some(Key::At(n)),
            Step::Other => self.path_of(index).map(Key::Of),
        }
    }

    /// What a value may be that goes into something that changes: which literal of a union it happens to be here is
    /// forgotten.
    pub(super) fn regrouped(&self, value: &Expr, got: &Type) -> Type {
        match (&value.kind, &self.frame.unnarrowed) {
            (ExprKind::Paren(inner), _) => self.regrouped(inner, got),
            (_, Some((id, declared)))
                if *id == value.id
                    && self.members_non_null(declared).iter().all(|ty| matches!(ty, Type::Literal(_) | Type::Bool)) =>
            {
                if self.has_null(got) {
                    declared.clone()
                } else {
                    self.non_null(declared)
                }
            }
            _ => got.clone(),
        }
    }

    /// What is noted of an expression.
    pub(super) fn noted(&self, expr: &Expr) -> Type {
        let types = &self.tables[self.frame.module.0 as usize].types;
        types.get(expr.id.0 as usize).map_or(Type::Unknown, |ty| self.filled(ty))
    }

    /// Says that the value of an expression is of type `ty`, and what follows for what it is a part of.
    pub(super) fn refine(&mut self, expr: &Expr, ty: &Type, out: &mut Vec<Change>) {
        if let ExprKind::Paren(inner) = &expr.kind {
            return self.refine(inner, ty, out);
        }
        if let Some(path) = self.path_of(expr) {
            put(out, path, Fact::Is(ty.clone()));
        }
        self.refine_object(expr, ty, out);
    }

    /// The members of an object's type that go with a field of type `ty`.
    fn refine_object(&mut self, expr: &Expr, ty: &Type, out: &mut Vec<Change>) {
        let (object, name) = match &expr.kind {
            ExprKind::Field { object, name, .. } => (object, name.text.clone()),
            ExprKind::Index { object, index } => match step(index) {
                Step::Name(name) => (object, name),
                _ => return,
            },
            _ => return,
        };
        let whole = self.noted(object);
        let members = self.members(&whole);
        if members.len() < 2 {
            return;
        }
        let null = self.has_null(ty);
        let goes = |member: &Type| match member {
            Type::Null => null,
            Type::Record(record) => match record.field(&name) {
                Some(field) => self.overlap(&field.read(), ty),
                None => null || !record.closed,
            },
            _ => true,
        };
        let left: Vec<Type> = members.iter().filter(|member| goes(member)).cloned().collect();
        if left.len() < members.len() {
            let left = of_members(left);
            self.refine(object, &left, out);
        }
    }

    /// What follows from `a == b`, and from `a != b`, for `a`.
    pub(super) fn split_equal(&mut self, a: &Expr, b: &Type, split: &mut Split) {
        if !self.may_narrow(a) {
            return;
        }
        let ty = self.noted(a);
        if self.is_open(&ty) {
            if *b == Type::Null
                && let Some(path) = self.path_of(a)
            {
                put(&mut split.no.changes, path, Fact::NotNull);
            }
            return;
        }
        let members = self.members(&ty);
        let tests = self.members(b);
        let mut yes: Vec<Type> = Vec::with_capacity(members.len());
        for member in members.iter() {
            yes.extend(self.equal_part(member, &tests));
        }
        self.split_side(a, &members, yes, &mut split.yes);
        if let [unit] = &*tests
            && is_unit(unit)
        {
            let no = members.iter().filter_map(|member| unequal_part(member, unit)).collect();
            self.split_side(a, &members, no, &mut split.no);
        }
    }

    fn split_side(&mut self, expr: &Expr, members: &[Type], left: Vec<Type>, state: &mut State) {
        let null = left.iter().any(|ty| matches!(ty, Type::Null | Type::Any | Type::Payload | Type::Unknown));
        if left != members {
            self.refine(expr, &of_members(left), &mut state.changes);
        }
        if !null {
            self.refine_present(expr, &mut state.changes);
        }
    }

    /// Where `a?.b` is not null, `a` is not null.
    fn refine_present(&mut self, expr: &Expr, out: &mut Vec<Change>) {
        let mut at = expr;
        loop {
            at = match &at.kind {
                ExprKind::Paren(inner) => inner,
                ExprKind::Index { object, .. } => object,
                ExprKind::Call { callee, .. } => callee,
                ExprKind::Field { object, optional, .. } => {
                    let ty = self.noted(object);
                    if *optional && self.is_open(&ty) {
                        if let Some(path) = self.path_of(object) {
                            put(out, path, Fact::NotNull);
                        }
                    } else if *optional && self.has_null(&ty) {
                        let left = self.non_null(&ty);
                        self.refine(object, &left, out);
                    }
                    object
                }
                _ => return,
            };
        }
    }

    /// What of a type may be equal to one of the tests.
    fn equal_part(&self, member: &Type, tests: &[Type]) -> Vec<Type> {
        let mut found: Vec<Type> = Vec::new();
        for test in tests {
            let part = match (member, test) {
                (Type::String | Type::Int | Type::Duration | Type::Bool, Type::Literal(literal))
                    if base(literal) == *member =>
                {
                    Type::Exact(literal.clone())
                }
                _ if self.overlap(member, test) => member.clone(),
                _ => continue,
            };
            if !found.contains(&part) {
                found.push(part);
            }
        }
        found
    }

    /// Whether an expression begins with a name, so that something may be known of it or of what it is a part of.
    fn may_narrow(&self, expr: &Expr) -> bool {
        match &expr.kind {
            ExprKind::Name(_) => true,
            ExprKind::Paren(inner) => self.may_narrow(inner),
            ExprKind::Field { object, .. } | ExprKind::Index { object, .. } => self.may_narrow(object),
            ExprKind::Call { callee, .. } => matches!(callee.kind, ExprKind::Field { .. }) && self.may_narrow(callee),
            _ => false,
        }
    }

    /// What follows from a bool that is a path, such as `r.ok`.
    pub(super) fn split_bool(&mut self, expr: &Expr) -> Split {
        let mut split = Split::default();
        if matches!(expr.kind, ExprKind::Field { .. } | ExprKind::Index { .. } | ExprKind::Name(_)) {
            self.split_equal(expr, &Type::Literal(Literal::Bool(true)), &mut split);
        }
        split
    }

    /// What follows from `a op b`.
    pub(super) fn split_compared(&mut self, op: BinaryOp, a: &Expr, b: &Expr) -> Split {
        let mut split = Split::default();
        match op {
            BinaryOp::Eq | BinaryOp::Ne => {
                let (left, right) = (self.noted(a), self.noted(b));
                self.split_equal(a, &right, &mut split);
                self.split_equal(b, &left, &mut split);
                if op == BinaryOp::Ne {
                    split = split.swap();
                }
            }
            BinaryOp::In => self.split_in(a, b, &mut split),
            // With null there is no order, so what is compared is there.
            _ => {}
        }
        split
    }

    /// What follows from `x in [ … ]`, and from `k in m`.
    fn split_in(&mut self, a: &Expr, b: &Expr, split: &mut Split) {
        let whole = self.noted(b);
        match &*self.members(&whole) {
            [Type::List(item)] => {
                let mut one = Split::default();
                self.split_equal(a, item, &mut one);
                split.yes = one.yes;
                let units = self.members(item);
                if matches!(b.kind, ExprKind::List(_)) && units.iter().all(is_unit) {
                    let ty = self.noted(a);
                    let mut left = self.members(&ty).to_vec();
                    for unit in units.iter() {
                        left = left.iter().filter_map(|member| unequal_part(member, unit)).collect();
                    }
                    if left.len() < self.members(&ty).len() && self.may_narrow(a) {
                        self.refine(a, &of_members(left), &mut split.no.changes);
                    }
                }
            }
            // What is there under the key of a map is of the map's type, which may have null in it.
            [Type::Map(item)] => {
                if let Some(parent) = self.path_of(b)
                    && let Some(key) = self.key_of(a)
                {
                    let path = self.frame.flow.make(parent, key);
                    put(&mut split.yes.changes, path, Fact::Is((**item).clone()));
                }
            }
            _ if self.is_open(&whole) => {
                if let Some(parent) = self.path_of(b)
                    && let Some(key) = self.key_of(a)
                {
                    let path = self.frame.flow.make(parent, key);
                    put(&mut split.yes.changes, path, Fact::NotNull);
                }
            }
            _ => {}
        }
    }
}

/// Adds a fact; the last one of a path counts.
fn put(out: &mut Vec<Change>, path: PathId, fact: Fact) {
    match out.iter_mut().find(|(known, _)| *known == path) {
        Some((_, known)) => *known = Some(fact),
        None => out.push((path, Some(fact))),
    }
}

/// Whether a type has one value.
pub(super) fn is_unit(ty: &Type) -> bool {
    matches!(ty, Type::Null | Type::Literal(_))
}

/// What of a type is not equal to a unit.
pub(super) fn unequal_part(member: &Type, unit: &Type) -> Option<Type> {
    match (member, unit) {
        (Type::Null, Type::Null) => None,
        (Type::Literal(a), Type::Literal(b)) if same_literal(a, b) => None,
        (Type::Bool, Type::Literal(Literal::Bool(value))) => Some(Type::Exact(Literal::Bool(!value))),
        _ => Some(member.clone()),
    }
}
