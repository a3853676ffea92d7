//! What the outside does: the same to the reference as to the machine, since all of it follows from the key of a call
//! and the moment at which it is made.
//!
//! A service is played that knows its keys: a call that is made again while the one before it is under way, or at the very
//! moment at which that ended, is the same call. So a crash, which takes no time, moves nothing.

use std::collections::BTreeMap;

/// When the clock starts: 2030-01-07T09:00:00Z.
pub(super) const START: i64 = 1_894_006_800_000;

/// Longer than anything waits.
const NEVER: i64 = 100 * 24 * 3600 * 1000;

/// What a call comes to.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Came {
    Value(i64),
    /// No answer: kind `network`, which may be tried again.
    Nothing,
    /// An error status: kind `exec`.
    Refused,
}

/// A call, or a question to a person.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Reply {
    pub(super) at: i64,
    pub(super) came: Came,
}

/// What a person does.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Answer {
    /// When an answer is given that does not fit.
    pub(super) wrong_at: Option<i64>,
    pub(super) at: i64,
    pub(super) value: i64,
}

/// What was asked so far.
#[derive(Debug, Default)]
pub(super) struct Fate {
    seed: u64,
    calls: BTreeMap<String, (u64, Reply)>,
    /// From when on every call has a value.
    pub(super) mended: Option<i64>,
}

impl Fate {
    pub(super) fn new(seed: u64) -> Self {
        Self { seed, ..Self::default() }
    }

    fn draw(&self, key: &str, number: u64) -> crate::random::Random {
        let hash = key.bytes().fold(self.seed ^ number.wrapping_mul(0x1234_5678_9abc_def1), |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        });
        let mut random = crate::random::Random(hash);
        random.next();
        random
    }

    /// Whether a person who is asked what became of a call says that it has failed, and not that it be made again.
    pub(super) fn gives_up(&self, key: &str) -> bool {
        self.draw(key, 2_000_000).below(2) == 0
    }

    /// A call under this key is made now.
    pub(super) fn call(&mut self, key: &str, now: i64) -> Reply {
        let mended = self.mended.is_some_and(|from| from <= now);
        let failed = |reply: &Reply| mended && reply.at == now && !matches!(reply.came, Came::Value(_));
        let number = match self.calls.get(key) {
            Some((_, reply)) if reply.at >= now && !failed(reply) => return reply.clone(),
            Some((number, _)) => number + 1,
            None => 0,
        };
        let mut random = self.draw(key, number);
        let takes = 1 + random.below(20_000) as i64;
        let came = match random.below(20) {
            n if mended => Came::Value(n as i64),
            0 | 1 => Came::Nothing,
            2 | 3 => Came::Refused,
            _ => Came::Value(random.below(1000) as i64),
        };
        let takes = if random.below(40) == 0 { NEVER + takes } else { takes };
        let reply = Reply { at: now + takes, came };
        self.calls.insert(key.to_owned(), (number, reply.clone()));
        reply
    }

    /// A person is asked under this key at a moment.
    pub(super) fn person(&self, key: &str, now: i64) -> Answer {
        let mut random = self.draw(key, 1_000_000 + now.unsigned_abs());
        let takes = 2 + random.below(60_000) as i64;
        let wrong_at = (random.below(5) == 0).then(|| now + 1 + random.below(takes as usize - 1) as i64);
        let at = if random.below(40) == 0 { now + NEVER + takes } else { now + takes };
        Answer { wrong_at, at, value: random.below(1000) as i64 }
    }
}
