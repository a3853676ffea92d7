//! What random floats are made into. Everything is drawn from a stream that they seed, so no choice is likelier than
//! another, and the same seed gives the same choice.

use super::{
    NativeContext,
    args::{elements, int, list, out_of_range, wrong},
};
use crate::{fault::Fault, value::Value};

/// A stream of random words.
struct Stream(blake3::OutputReader);

impl Stream {
    /// The stream that a list of floats seeds.
    fn seeded(args: &[Value], at: usize) -> Result<Self, Fault> {
        let mut hash = blake3::Hasher::new();
        for number in &list(args, at)? {
            let number = number.as_number().ok_or_else(|| wrong("a number", number))?;
            hash.update(&number.to_bits().to_le_bytes());
        }
        Ok(Self(hash.finalize_xof()))
    }

    fn word(&mut self) -> u64 {
        let mut bytes = [0; 8];
        self.0.fill(&mut bytes);
        u64::from_le_bytes(bytes)
    }

    /// A number from 0 to `last`, each as likely as the others: words in the last, incomplete row are drawn again.
    fn up_to(&mut self, last: u64) -> u64 {
        let Some(count) = last.checked_add(1) else { return self.word() };
        let rows = u64::MAX - (u64::MAX % count + 1) % count;
        loop {
            let word = self.word();
            if word <= rows {
                return word % count;
            }
        }
    }
}

/// `(lo, hi, seed)`: an int between them, both ends included.
pub(super) fn within(_: &NativeContext<'_>, args: &mut [Value]) -> Result<Value, Fault> {
    let (lo, hi) = (int(args, 0)?, int(args, 1)?);
    if lo > hi {
        return Err(out_of_range(format!("no int is between {lo} and {hi}; the lower end comes first")));
    }
    let drawn = Stream::seeded(args, 2)?.up_to(lo.abs_diff(hi));
    Ok(Value::Int(lo.wrapping_add_unsigned(drawn)))
}

/// `(items, seed)`: the items in a random order.
pub(super) fn shuffled(_: &NativeContext<'_>, args: &mut [Value]) -> Result<Value, Fault> {
    let mut stream = Stream::seeded(args, 1)?;
    let mut items = elements(args, 0)?;
    for at in (1..items.len()).rev() {
        items.swap(at, stream.up_to(at as u64) as usize);
    }
    Value::list(items)
}
