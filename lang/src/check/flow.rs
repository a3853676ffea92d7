//! What is known of variables at the place that is being checked.
//!
//! A fact belongs to a path that is rooted in a variable: `x`, `r.a`, `m["k"]`, `xs[0]`, `m[k]` where `k` is a path
//! itself. Facts stand in one table; every change is logged, so a branch is undone by the log, and what the branches
//! of a construct know in the end is put together from what each of them changed.

use std::collections::HashMap;

use smol_str::SmolStr;

use super::{LocalId, ty::Type};

/// A path, by its number within the declaration.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct PathId(u32);

/// One step of a path.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Key {
    /// `.name`, `["name"]`.
    Name(SmolStr),
    /// `[0]`.
    At(i64),
    /// `[k]`, where `k` is a path.
    Of(PathId),
}

/// What is known of a path.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Fact {
    /// Its value is of this type.
    Is(Type),
    /// Its value is not null, and else of the type that it has.
    NotNull,
}

/// A change of what is known: the path, and its fact from then on.
pub(super) type Change = (PathId, Option<Fact>);

#[derive(Debug)]
struct Node {
    fact: Option<Fact>,
    root: PathId,
    key: Option<Key>,
    first_child: Option<PathId>,
    next: Option<PathId>,
    /// One of the longer paths has a key that may be the same as another.
    dynamic: bool,
    /// The last round of [`Flow::leave`] that has seen the path.
    seen: u32,
}

/// Where a branch began.
#[derive(Clone, Copy, Debug)]
pub(super) struct Mark {
    log: usize,
    dead: bool,
}

/// What a branch has changed, and whether its end is reached.
#[derive(Clone, Debug, Default)]
pub(super) struct State {
    pub(super) dead: bool,
    pub(super) changes: Vec<Change>,
}

impl State {
    /// This, and what `next` changes of it.
    pub(super) fn then(mut self, next: State) -> State {
        self.dead |= next.dead;
        for (path, fact) in next.changes {
            match self.changes.iter_mut().find(|(known, _)| *known == path) {
                Some((_, known)) => *known = fact,
                None => self.changes.push((path, fact)),
            }
        }
        self
    }
}

/// The facts of a declaration.
#[derive(Debug, Default)]
pub(super) struct Flow {
    nodes: Vec<Node>,
    children: HashMap<(PathId, Key), PathId>,
    /// The path of each variable, by its number.
    roots: Vec<PathId>,
    /// The paths with a key that is read from this root.
    keyed: HashMap<PathId, Vec<PathId>>,
    log: Vec<Change>,
    round: u32,
    /// Whether the place that is being checked is never reached.
    pub(super) dead: bool,
}

impl Flow {
    /// A new variable, in order of their numbers.
    pub(super) fn declare(&mut self) {
        let root = self.node(None, None);
        self.roots.push(root);
    }

    /// The path of a variable.
    pub(super) fn root(&self, local: LocalId) -> Option<PathId> {
        self.roots.get(local.0 as usize).copied()
    }

    /// A path that is one step longer, if anything has ever been known of it.
    pub(super) fn find(&self, parent: PathId, key: &Key) -> Option<PathId> {
        let first = self.at(parent).first_child;
        first.and_then(|_| self.children.get(&(parent, key.clone())).copied())
    }

    /// A path that is one step longer.
    pub(super) fn make(&mut self, parent: PathId, key: Key) -> PathId {
        if let Some(known) = self.find(parent, &key) {
            return known;
        }
        let path = self.node(Some(self.at(parent).root), Some(key.clone()));
        let parent_node = &mut self.nodes[parent.0 as usize];
        let next = parent_node.first_child.replace(path);
        parent_node.dynamic |= matches!(key, Key::Of(_) | Key::At(..0));
        self.nodes[path.0 as usize].next = next;
        if let Key::Of(of) = key {
            let root = self.at(of).root;
            self.keyed.entry(root).or_default().push(path);
        }
        self.children.insert((parent, key), path);
        path
    }

    fn node(&mut self, root: Option<PathId>, key: Option<Key>) -> PathId {
        let path = PathId(u32::try_from(self.nodes.len()).unwrap_or(u32::MAX));
        let root = root.unwrap_or(path);
        self.nodes.push(Node { fact: None, root, key, first_child: None, next: None, dynamic: false, seen: 0 });
        path
    }

    fn at(&self, path: PathId) -> &Node {
        &self.nodes[path.0 as usize]
    }

    /// What is known of a path.
    pub(super) fn fact(&self, path: PathId) -> Option<&Fact> {
        self.at(path).fact.as_ref()
    }

    /// Changes what is known of a path.
    pub(super) fn set(&mut self, path: PathId, fact: Option<Fact>) {
        let before = std::mem::replace(&mut self.nodes[path.0 as usize].fact, fact);
        self.log.push((path, before));
    }

    /// Takes over changes.
    pub(super) fn apply(&mut self, state: &State) {
        for (path, fact) in &state.changes {
            self.set(*path, fact.clone());
        }
        self.dead |= state.dead;
    }

    /// Begins a branch.
    pub(super) fn mark(&self) -> Mark {
        Mark { log: self.log.len(), dead: self.dead }
    }

    /// What has changed since.
    pub(super) fn since(&mut self, mark: Mark) -> State {
        self.round += 1;
        let mut changes = Vec::new();
        for at in mark.log..self.log.len() {
            let path = self.log[at].0;
            let node = &mut self.nodes[path.0 as usize];
            if std::mem::replace(&mut node.seen, self.round) != self.round {
                changes.push((path, node.fact.clone()));
            }
        }
        State { dead: self.dead, changes }
    }

    /// Ends a branch: all is known again that was known at its beginning.
    pub(super) fn leave(&mut self, mark: Mark) -> State {
        let state = self.since(mark);
        while self.log.len() > mark.log {
            if let Some((path, fact)) = self.log.pop() {
                self.nodes[path.0 as usize].fact = fact;
            }
        }
        self.dead = mark.dead;
        state
    }

    /// Forgets a path and all that is longer; and what is read by a key that has changed.
    pub(super) fn forget(&mut self, path: PathId) {
        if self.at(path).fact.is_some() {
            self.set(path, None);
        }
        self.forget_within(path);
    }

    /// Forgets all paths that are longer.
    pub(super) fn forget_within(&mut self, path: PathId) {
        let mut stack: Vec<PathId> = self.at(path).first_child.into_iter().collect();
        while let Some(child) = stack.pop() {
            if self.at(child).fact.is_some() {
                self.set(child, None);
            }
            stack.extend(self.at(child).first_child);
            stack.extend(self.at(child).next);
        }
        let root = self.at(path).root;
        for path in self.keyed.get(&root).cloned().unwrap_or_default() {
            self.forget_tree(path);
        }
    }

    fn forget_tree(&mut self, path: PathId) {
        let mut stack = vec![path];
        while let Some(path) = stack.pop() {
            if self.at(path).fact.is_some() {
                self.set(path, None);
            }
            let mut child = self.at(path).first_child;
            while let Some(next) = child {
                stack.push(next);
                child = self.at(next).next;
            }
        }
    }

    /// Forgets what may be the same element under another key.
    pub(super) fn forget_aliases(&mut self, parent: PathId, key: &Key) {
        if !self.at(parent).dynamic && !matches!(key, Key::Of(_) | Key::At(..0)) {
            return;
        }
        let mut child = self.at(parent).first_child;
        while let Some(path) = child {
            child = self.at(path).next;
            let node = self.at(path);
            let same = match (&node.key, key) {
                (Some(known), _) if known == key => false,
                (Some(Key::Of(_)), _) | (_, Key::Of(_)) => true,
                // One of them may count from the end.
                (Some(Key::At(a)), Key::At(b)) => (*a < 0) != (*b < 0),
                _ => false,
            };
            if same {
                self.forget_tree(path);
            }
        }
    }
}
