//! Where branches meet, and what assignments and changes leave of what was known.

use super::{
    LocalId,
    checker::Checker,
    flow::{Fact, Key, PathId, State},
    prescan::{Mutation, Step},
    relate::Fit,
    ty::Type,
    union::{base, union},
};
use crate::{
    span::Span,
    syntax::ast::{Expr, ExprKind},
};

/// What is known is forgotten where it would be a union of more members than this.
const MOST: usize = 64;

impl Checker<'_> {
    /// Puts together what is known where branches meet: what all of them know.
    pub(super) fn join(&mut self, states: impl IntoIterator<Item = State>) {
        let mut live: Vec<State> = states.into_iter().filter(|state| !state.dead).collect();
        let Some(last) = live.pop() else {
            self.frame.flow.dead = true;
            return;
        };
        if live.is_empty() {
            return self.frame.flow.apply(&last);
        }
        let count = live.len() + 1;
        let mut met: std::collections::HashMap<PathId, usize> = std::collections::HashMap::new();
        let mut joined: Vec<(PathId, Option<Fact>, usize)> = Vec::new();
        for (path, fact) in live.into_iter().chain([last]).flat_map(|state| state.changes) {
            let at = *met.entry(path).or_insert_with(|| {
                joined.push((path, None, 0));
                joined.len() - 1
            });
            let (_, known, times) = &mut joined[at];
            let both = if *times == 0 { fact } else { self.both(known.take(), fact) };
            let (_, known, times) = &mut joined[at];
            *known = both;
            *times += 1;
        }
        for (path, fact, times) in joined {
            let before = self.frame.flow.fact(path).cloned();
            let fact = if times < count { self.both(fact, before) } else { fact };
            self.frame.flow.set(path, fact);
        }
    }

    fn both(&self, a: Option<Fact>, b: Option<Fact>) -> Option<Fact> {
        match (a?, b?) {
            (Fact::NotNull, Fact::NotNull) => Some(Fact::NotNull),
            // Of very many possibilities nothing is kept.
            (Fact::Is(a), Fact::Is(b)) => match if a == b { a } else { union([a, b]) } {
                Type::Union(members) if members.len() > MOST => None,
                ty => Some(Fact::Is(ty)),
            },
            (Fact::Is(ty), Fact::NotNull) | (Fact::NotNull, Fact::Is(ty)) => {
                (!self.has_null(&ty)).then_some(Fact::NotNull)
            }
        }
    }

    /// Checks a part that may be left out, or that is left before its end: nothing that it learns holds afterwards.
    /// Gives what it does and what is known in its end.
    pub(super) fn aside<T>(&mut self, known: &State, work: impl FnOnce(&mut Self) -> T) -> (T, State) {
        let mark = self.frame.flow.mark();
        self.frame.flow.apply(known);
        let out = work(self);
        (out, self.frame.flow.leave(mark))
    }

    /// Forgets what a part of the text changes, wherever in it.
    pub(super) fn forget_in(&mut self, span: Span) {
        // The list is only read, so it can be lent for a while.
        let prescan = std::mem::take(&mut self.frame.prescan);
        for mutation in prescan.mutations(span) {
            self.forget_mutation(mutation);
        }
        self.frame.prescan = prescan;
    }

    /// Whether a part of the text changes any variable.
    pub(super) fn changes_in(&self, span: Span) -> bool {
        !self.frame.prescan.mutations(span).is_empty()
    }

    fn forget_mutation(&mut self, mutation: &Mutation) {
        let Some(id) = self.table().locals.get(&mutation.binder).copied() else { return };
        let Some(mut path) = self.frame.flow.root(id) else { return };
        for step in &mutation.steps {
            let key = match step {
                Step::Name(name) => Key::Name(name.clone()),
                Step::At(n) => Key::At(*n),
                Step::Other => return self.frame.flow.forget_within(path),
            };
            self.frame.flow.forget_aliases(path, &key);
            match self.frame.flow.find(path, &key) {
                Some(next) => path = next,
                None => return,
            }
        }
        if mutation.within { self.frame.flow.forget_within(path) } else { self.frame.flow.forget(path) }
    }

    /// Takes note that a place has changed: what was known of it and of its parts is not known any more.
    pub(super) fn forget_place(&mut self, place: &Expr, within: bool) {
        match &place.kind {
            ExprKind::Paren(inner) => self.forget_place(inner, within),
            ExprKind::Field { object, .. } | ExprKind::Index { object, .. } => {
                let Some(parent) = self.path_of(object) else {
                    // Something on the way has no path, so anything within may have changed.
                    return self.forget_place(object, true);
                };
                let key = match &place.kind {
                    ExprKind::Field { name, .. } => Some(Key::Name(name.text.clone())),
                    ExprKind::Index { index, .. } => self.key_of(index),
                    _ => None,
                };
                self.forget_up(object);
                match key {
                    Some(key) => {
                        self.frame.flow.forget_aliases(parent, &key);
                        let path = self.frame.flow.make(parent, key);
                        if within { self.frame.flow.forget_within(path) } else { self.frame.flow.forget(path) }
                    }
                    None => self.frame.flow.forget_within(parent),
                }
            }
            _ => {
                if let Some(path) = self.path_of(place) {
                    if within { self.frame.flow.forget_within(path) } else { self.frame.flow.forget(path) }
                }
            }
        }
    }

    /// What is the same element under another key changes with it, on every step of the way.
    fn forget_up(&mut self, place: &Expr) {
        let mut at = place;
        loop {
            let (object, key) = match &at.kind {
                ExprKind::Paren(inner) => {
                    at = inner;
                    continue;
                }
                ExprKind::Field { object, name, .. } => (object, Some(Key::Name(name.text.clone()))),
                ExprKind::Index { object, index } => (object, self.key_of(index)),
                _ => return,
            };
            if let (Some(parent), Some(key)) = (self.path_of(object), key) {
                self.frame.flow.forget_aliases(parent, &key);
            }
            at = object;
        }
    }

    /// Takes note that a place which may hold `holds` has got a value of type `got`.
    pub(super) fn learn_assigned(&mut self, place: &Expr, holds: &Type, got: &Type) {
        self.forget_place(place, false);
        let known = self.assigned(holds, got).or_else(|| {
            // A key that was set is there.
            matches!(place.kind, ExprKind::Index { .. }).then(|| holds.clone())
        });
        if let Some(known) = known
            && let Some(path) = self.path_of(place)
        {
            self.frame.flow.set(path, Some(Fact::Is(known)));
        }
    }

    /// The same for a variable that is declared with its value.
    pub(super) fn learn_declared(&mut self, id: LocalId, holds: &Type, got: &Type) {
        if let Some(known) = self.assigned(holds, got)
            && let Some(path) = self.frame.flow.root(id)
        {
            self.frame.flow.set(path, Some(Fact::Is(known)));
        }
    }

    /// The members of a declared union that a value of type `got` may be; `None` when that says nothing. Literals of a
    /// sort stay together: which one it is says little, and the next assignment may bring another.
    fn assigned(&self, holds: &Type, got: &Type) -> Option<Type> {
        let members = self.members(holds);
        if members.len() < 2 || matches!(got, Type::Unknown | Type::Never | Type::Any) {
            return None;
        }
        let parts = self.members(got);
        if parts.iter().any(|part| matches!(part, Type::Any | Type::Payload | Type::Unknown | Type::Hole(_))) {
            return None;
        }
        let fits = |member: &Type, part: &Type| match (member, part) {
            (Type::Literal(a), Type::Literal(b)) => base(a) == base(b),
            _ => self.fits(part, member) != Fit::No,
        };
        let left: Vec<Type> =
            members.iter().filter(|member| parts.iter().any(|part| fits(member, part))).cloned().collect();
        (left.len() < members.len() && !left.is_empty()).then(|| union(left))
    }
}
