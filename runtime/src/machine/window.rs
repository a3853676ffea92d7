//! The registers of the running frame.
//!
//! Nearly every function has at most [`NARROW`] registers. Its window is an array of that many, whatever it uses of them,
//! and an operand is cut to a byte: then no access needs to be checked. The registers of a fiber reach that far beyond
//! the frame that runs. The others have a window of their own kind, which is checked.

use wf_lang::program::{Function, Reg};

use crate::value::Value;

/// How many registers a narrow window has.
const NARROW: usize = 256;

/// The registers of the running frame.
pub(super) trait Window {
    /// Whether the frames of a function have windows of this kind.
    fn fits(function: &Function) -> bool;

    /// Opens the window of a frame of `function` that begins at `base`.
    fn open<'r>(registers: &'r mut Vec<Value>, base: usize, function: &Function) -> &'r mut Self;

    /// What a register holds.
    fn get(&self, reg: Reg) -> &Value;

    /// What a register holds, to be changed.
    fn get_mut(&mut self, reg: Reg) -> &mut Value;

    /// All of them.
    fn all(&mut self) -> &mut [Value];

    /// `count` of them, as far as they are there.
    #[inline(always)]
    fn some(&mut self, first: Reg, count: usize) -> &mut [Value] {
        let all = self.all();
        let first = usize::from(first).min(all.len());
        let end = (first + count).min(all.len());
        &mut all[first..end]
    }

    /// Puts a value into a register.
    #[inline(always)]
    fn set(&mut self, reg: Reg, value: Value) {
        self.get_mut(reg).assign(value);
    }

    /// The value of a register, which is left null.
    #[inline(always)]
    fn take(&mut self, reg: Reg) -> Value {
        std::mem::take(self.get_mut(reg))
    }

    /// The value of a register, which is left null when this is its last use.
    #[inline(always)]
    fn hand_over(&mut self, reg: Reg, last: bool) -> Value {
        if last { self.take(reg) } else { self.get(reg).clone() }
    }

    /// Two registers, if they are two.
    fn two(&mut self, one: Reg, other: Reg) -> Option<[&mut Value; 2]>;

    /// `dst = src`.
    #[inline(always)]
    fn copy(&mut self, dst: Reg, src: Reg) {
        if let Some([dst, src]) = self.two(dst, src) {
            dst.copy_from(src);
        }
    }

    /// `dst = src`, which need not be there afterwards.
    #[inline(always)]
    fn shift(&mut self, dst: Reg, src: Reg) {
        if let Some([dst, src]) = self.two(dst, src) {
            dst.move_from(src);
        }
    }

    /// Lets go of what the first `count` registers hold, but for the very first.
    #[inline(always)]
    fn release(&mut self, count: u16) {
        self.some(1, usize::from(count.saturating_sub(1))).iter_mut().for_each(Value::release);
    }
}

/// The window of a function with few registers.
pub(super) type Narrow = [Value; NARROW];
/// The window of a function with many registers.
pub(super) type Wide = [Value];

impl Window for Narrow {
    #[inline(always)]
    fn fits(function: &Function) -> bool {
        usize::from(function.registers) <= NARROW
    }

    #[inline(always)]
    fn open<'r>(registers: &'r mut Vec<Value>, base: usize, _: &Function) -> &'r mut Self {
        if registers.len() < base + NARROW {
            grow(registers, base + NARROW);
        }
        let (window, _) = registers[base..].split_first_chunk_mut().expect("it was made long enough");
        window
    }

    #[inline(always)]
    fn get(&self, reg: Reg) -> &Value {
        &self[usize::from(reg as u8)]
    }

    #[inline(always)]
    fn get_mut(&mut self, reg: Reg) -> &mut Value {
        &mut self[usize::from(reg as u8)]
    }

    #[inline(always)]
    fn two(&mut self, one: Reg, other: Reg) -> Option<[&mut Value; 2]> {
        self.get_disjoint_mut([usize::from(one as u8), usize::from(other as u8)]).ok()
    }

    #[inline(always)]
    fn all(&mut self) -> &mut [Value] {
        self
    }
}

impl Window for Wide {
    fn fits(function: &Function) -> bool {
        !Narrow::fits(function)
    }

    fn open<'r>(registers: &'r mut Vec<Value>, base: usize, function: &Function) -> &'r mut Self {
        let end = base + usize::from(function.registers);
        if registers.len() < end {
            grow(registers, end);
        }
        &mut registers[base..end]
    }

    fn get(&self, reg: Reg) -> &Value {
        &self[usize::from(reg)]
    }

    fn get_mut(&mut self, reg: Reg) -> &mut Value {
        &mut self[usize::from(reg)]
    }

    fn two(&mut self, one: Reg, other: Reg) -> Option<[&mut Value; 2]> {
        self.get_disjoint_mut([usize::from(one), usize::from(other)]).ok()
    }

    fn all(&mut self) -> &mut [Value] {
        self
    }
}

/// Makes room, and some more, since calls nest.
#[cold]
#[inline(never)]
fn grow(registers: &mut Vec<Value>, len: usize) {
    registers.resize(len + registers.len() / 2, Value::Null);
}
