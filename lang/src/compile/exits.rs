//! Ways out: `try`, `return`, `break` and `continue`, and the `finally` blocks that they pass.
//!
//! A `finally` is compiled once. Whoever comes to it says in one register why it runs, and leaves in the next what the
//! block holds up: a value, an error, or nothing for a cancellation. Behind the block stands where each way goes on.

use super::body::Body;
use crate::{
    program::{Handler, HandlerKind, Op, Pc, Reg},
    syntax::ast::{Block, Expr, Name},
};

/// What stands between an op and a way out of the function.
pub(super) enum Exit {
    /// A loop: the jumps that end a round of it, and those that leave it.
    Loop { continues: Vec<Pc>, breaks: Vec<Pc> },
    /// What a `finally` covers.
    Try(Held),
    /// A `finally` itself, with the ops in it that have left it.
    Finally { gaps: Vec<(Pc, Pc)> },
}

/// The ways that pass through a `finally`.
pub(super) struct Held {
    /// The register that says why the block runs; the next one is what it holds up.
    how: Reg,
    /// The ways, numbered from [`LEAVES`], with the jumps to the block.
    ways: Vec<Way>,
    jumps: Vec<Pc>,
}

/// A way out of a block.
#[derive(Clone, Copy, PartialEq)]
enum Way {
    Break,
    Continue,
    Return,
}

/// Why a `finally` runs: what it covers has its value, or threw or was cancelled, or is left.
const DONE: i16 = 0;
const FAILED: i16 = 1;
const LEAVES: i16 = 2;

impl<'c> Body<'_, 'c> {
    pub(super) fn break_(&mut self) {
        self.go(Way::Break, 0);
    }

    pub(super) fn continue_(&mut self) {
        self.go(Way::Continue, 0);
    }

    pub(super) fn return_(&mut self, value: Option<&'c Expr>) {
        self.scoped(|body| {
            let src = match value {
                Some(value) if !body.drops_value => body.operand(value),
                Some(value) => {
                    body.dropped(value);
                    body.null()
                }
                None => body.null(),
            };
            body.leave(src);
        });
    }

    fn null(&mut self) -> Reg {
        let dst = self.take(1);
        self.emit(Op::Null { dst });
        dst
    }

    /// Ends the function with the value in `src`.
    pub(super) fn leave(&mut self, src: Reg) {
        self.go(Way::Return, src);
    }

    /// Goes out of the blocks around, up to the loop or to the end of the function; a `finally` on the way comes first.
    fn go(&mut self, way: Way, src: Reg) {
        let stops = |exit: &Exit| match exit {
            Exit::Loop { .. } => way != Way::Return,
            Exit::Try(_) => true,
            Exit::Finally { .. } => false,
        };
        let stop = self.exits.iter().rposition(stops);
        let passed = stop.map_or(0, |stop| stop + 1);
        let start = self.pc();
        if self.exits[passed..].iter().any(|exit| matches!(exit, Exit::Finally { .. })) {
            self.emit(Op::Leave);
        }
        match stop {
            None if way == Way::Return => self.end(src),
            None => {}
            Some(stop) => self.arrive(stop, way, src),
        }
        let end = self.pc();
        for exit in &mut self.exits[passed..] {
            if let Exit::Finally { gaps } = exit {
                gaps.push((start, end));
            }
        }
    }

    fn end(&mut self, src: Reg) {
        self.completed();
        if self.told {
            self.emit(Op::End { src });
        }
        self.emit(Op::Return { src, shared: 0 });
    }

    /// Goes to the loop or `finally` that a way out meets.
    fn arrive(&mut self, stop: usize, way: Way, src: Reg) {
        let known = match self.exits.get_mut(stop) {
            Some(Exit::Try(held)) => {
                let number = held.ways.iter().position(|known| *known == way).unwrap_or_else(|| {
                    held.ways.push(way);
                    held.ways.len() - 1
                });
                Some((held.how, number))
            }
            _ => None,
        };
        if let Some((how, number)) = known {
            if way == Way::Return {
                self.emit(Op::Copy { dst: how + 1, src });
            }
            self.emit(Op::Int { dst: how, value: i32::from(LEAVES + number as i16) });
        }
        let jump = self.emit(Op::Jump { to: 0 });
        match self.exits.get_mut(stop) {
            Some(Exit::Loop { continues, .. }) if way == Way::Continue => continues.push(jump),
            Some(Exit::Loop { breaks: jumps, .. } | Exit::Try(Held { jumps, .. })) => jumps.push(jump),
            _ => {}
        }
    }

    /// Whether what is compiled stands in a `finally`.
    fn shielded(&self) -> bool {
        self.exits.iter().any(|exit| matches!(exit, Exit::Finally { .. }))
    }

    pub(super) fn handler(&mut self, kind: HandlerKind, start: Pc, end: Pc, error: Reg) {
        let (target, shielded) = (self.pc(), self.shielded());
        self.handlers.push(Handler { start, end, target, error, kind, shielded });
    }

    pub(super) fn try_(
        &mut self,
        block: &'c Block,
        catch: Option<&'c (Option<Name>, Block)>,
        finally: Option<&'c Block>,
        dst: Reg,
    ) {
        match finally {
            None => self.caught(block, catch, dst),
            Some(finally) => self.scoped(|body| body.finally(block, catch, finally, dst)),
        }
    }

    fn caught(&mut self, block: &'c Block, catch: Option<&'c (Option<Name>, Block)>, dst: Reg) {
        let start = self.pc();
        // Into a register of its own: the handler must find what was in `dst` before.
        self.scoped(|body| {
            let value = body.take(1);
            body.block(block, value);
            body.emit(Op::Copy { dst, src: value });
        });
        let end = self.pc();
        let Some((name, handler)) = catch else { return };
        let done = self.emit(Op::Jump { to: 0 });
        self.scoped(|body| {
            let error = body.take(1);
            body.handler(HandlerKind::Catch, start, end, error);
            if let Some(name) = name {
                body.bind(name, error);
            }
            body.block(handler, dst);
        });
        self.land(done);
    }

    fn finally(&mut self, block: &'c Block, catch: Option<&'c (Option<Name>, Block)>, finally: &'c Block, dst: Reg) {
        let how = self.take(2);
        let value = how + 1;
        let start = self.pc();
        self.exits.push(Exit::Try(Held { how, ways: Vec::new(), jumps: Vec::new() }));
        self.caught(block, catch, value);
        let Some(Exit::Try(held)) = self.exits.pop() else { return };
        self.emit(Op::Int { dst: how, value: DONE.into() });
        let done = self.emit(Op::Jump { to: 0 });
        let end = self.pc();
        self.handler(HandlerKind::Finally, start, end, value);
        let from = self.pc();
        self.emit(Op::Int { dst: how, value: FAILED.into() });
        self.land(done);
        self.land_all(held.jumps);
        self.exits.push(Exit::Finally { gaps: Vec::new() });
        self.block_dropped(finally);
        // One within another is part of it.
        if let Some(Exit::Finally { gaps }) = self.exits.pop()
            && !self.shielded()
        {
            self.shield(from, gaps);
        }
        self.emit(Op::Resume { how, value });
        for (number, way) in held.ways.into_iter().enumerate() {
            let other = self.emit(Op::JumpNeInt { a: how, value: LEAVES + number as i16, to: 0 });
            self.go(way, value);
            self.land(other);
        }
        self.emit(Op::Copy { dst, src: value });
    }

    /// Enters the ops from `from` to here as those of a `finally`, without the gaps.
    fn shield(&mut self, from: Pc, gaps: Vec<(Pc, Pc)>) {
        let mut start = from;
        for (gap, behind) in gaps {
            self.shields.push((start, gap));
            start = behind;
        }
        self.shields.push((start, self.pc()));
    }
}
