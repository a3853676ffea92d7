//! Loops over ranges and collections: where they begin, and how far they are.

use crate::{
    fault::{Fault, Kind},
    ops,
    value::{Range, Value},
};

/// `start..end`; null is an open end.
pub(super) fn range(start: &Value, end: &Value, inclusive: bool) -> Result<Range, Fault> {
    Ok(Range { start: bound(start)?, end: bound(end)?, inclusive })
}

fn bound(value: &Value) -> Result<Option<i64>, Fault> {
    match value {
        Value::Null => Ok(None),
        Value::Int(bound) => Ok(Some(*bound)),
        other => Err(Fault::new(Kind::Type, format!("a range goes between ints, found {}", ops::describe(other)))),
    }
}

/// The number before the first of a range, and how many there are: an unsigned number, which may be as large as that.
pub(super) fn rounds(range: &Range) -> Result<(i64, i64), Fault> {
    let count = ops::range_len(range)? as u64;
    Ok((range.start.unwrap_or_default().wrapping_sub(1), count.cast_signed()))
}

/// The round that a loop over a collection comes to, from its position, which moves on.
#[inline(always)]
pub(super) fn advance(position: &mut Value) -> usize {
    let Value::Int(position) = position else { return usize::MAX };
    let round = usize::try_from(*position).unwrap_or(usize::MAX);
    *position = position.saturating_add(1);
    round
}
