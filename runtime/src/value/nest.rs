//! What lists and maps remember of what is in them, so that nothing is nested too deeply or grows too large, and nobody
//! has to look through them to know.

use super::{MAX_DEPTH, MAX_SIZE, SCALAR, Value};
use crate::fault::{Fault, Kind};

/// What a container remembers of what is in it. The first two are bounds: taking something out lowers neither.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Nest {
    pub(super) depth: u16,
    pub(super) opaque: bool,
    /// At most so many bytes, or more than any value may have.
    pub(super) size: u32,
}

impl Nest {
    /// Of an empty container.
    pub(super) const EMPTY: Nest = Nest { depth: 1, opaque: false, size: SCALAR as u32 };

    pub(super) fn flat(opaque: bool, contents: usize) -> Nest {
        Nest { depth: 0, opaque, size: SCALAR as u32 }.with_bytes(contents)
    }

    /// Of this container with so many bytes more.
    #[inline]
    pub(super) fn with_bytes(self, bytes: usize) -> Nest {
        Nest { size: self.size.saturating_add(u32::try_from(bytes).unwrap_or(u32::MAX)), ..self }
    }

    /// Of this container with `value` in it; fails when that is nested too deeply or too large.
    #[inline(always)]
    pub(super) fn with(self, value: &Value) -> Result<Nest, Fault> {
        if value.is_scalar() {
            let nest = self.with_bytes(SCALAR);
            return if nest.size as usize > MAX_SIZE { Err(too_large()) } else { Ok(nest) };
        }
        self.with_contents(value)
    }

    #[inline(never)]
    pub(super) fn with_contents(self, value: &Value) -> Result<Nest, Fault> {
        let inner = value.nest();
        if usize::from(inner.depth) >= MAX_DEPTH {
            return Err(too_deep());
        }
        let size = self.size.saturating_add(inner.size);
        if size as usize > MAX_SIZE {
            return Err(too_large());
        }
        Ok(Nest { depth: self.depth.max(inner.depth + 1), opaque: self.opaque || inner.opaque, size })
    }

    /// Of this container with `new` in the place of `old`.
    #[inline(always)]
    pub(super) fn replaced(self, old: &Value, new: &Value) -> Result<Nest, Fault> {
        if old.is_scalar() && new.is_scalar() { Ok(self) } else { self.without(old.size()).with(new) }
    }

    /// Of this container with the elements of another one like it.
    pub(super) fn join(self, other: Nest) -> Result<Nest, Fault> {
        let size = self.size.saturating_add(other.size).saturating_sub(SCALAR as u32);
        if size as usize > MAX_SIZE {
            return Err(too_large());
        }
        Ok(Nest { depth: self.depth.max(other.depth), opaque: self.opaque || other.opaque, size })
    }

    /// Of this container after so much was taken out of it.
    pub(super) fn without(self, size: usize) -> Nest {
        Nest { size: self.size.saturating_sub(u32::try_from(size).unwrap_or(u32::MAX)), ..self }
    }

    /// Of this container after an element of so much became `value` in place; fails when that is nested too deeply.
    /// The container may become larger than it could have been made: callers look first.
    pub(super) fn changed(self, before: usize, value: &Value) -> Result<Nest, Fault> {
        let rest = self.without(before);
        let inner = value.nest();
        if usize::from(inner.depth) >= MAX_DEPTH {
            return Err(too_deep());
        }
        Ok(Nest {
            depth: rest.depth.max(inner.depth + 1),
            opaque: rest.opaque || inner.opaque,
            size: rest.size.saturating_add(inner.size),
        })
    }

    /// Of this container with `values` in it.
    pub(super) fn with_all<'v>(self, values: impl IntoIterator<Item = &'v Value>) -> Result<Nest, Fault> {
        values.into_iter().try_fold(self, Nest::with)
    }
}

/// The failure of what would nest too deeply.
pub(crate) fn too_deep() -> Fault {
    Fault::new(Kind::Limit, format!("a value may not be nested deeper than {MAX_DEPTH} levels"))
}

/// The failure of what would be too large.
pub(crate) fn too_large() -> Fault {
    Fault::new(Kind::Limit, format!("a value may not be larger than {} MiB", MAX_SIZE >> 20))
}
