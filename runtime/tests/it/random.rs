//! Random values, the same for the same seed.

use wf_lang::program::{
    Agent as AgentDef, Constant, Function, FunctionId, FunctionKind, Program, TypeDef, TypeId, TypeKind, Types,
};
use wf_runtime::value::{Agent, Bytes, Closure, List, Map, Range, Secret, SecretPart, Str, Tool, Value};

/// A generator of numbers (splitmix64).
pub(crate) struct Random(pub(crate) u64);

impl Random {
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    pub(crate) fn below(&mut self, limit: usize) -> usize {
        (self.next() % limit.max(1) as u64) as usize
    }

    pub(crate) fn text(&mut self, longest: usize) -> String {
        let alphabet = ['a', 'b', 'ä', '€', '𝄞', '"', '\\', '\n', '0', ' '];
        (0..self.below(longest + 1)).map(|_| alphabet[self.below(alphabet.len())]).collect()
    }

    /// A value; `size` bounds how many elements it has at each level.
    pub(crate) fn value(&mut self, depth: usize, size: usize) -> Value {
        match self.below(if depth == 0 { 13 } else { 20 }) {
            0 => Value::Null,
            1 => Value::Bool(self.below(2) == 0),
            2 => Value::Int(self.next() as i64),
            3 => Value::Int(self.below(100) as i64 - 50),
            4 => Value::Float(self.next() as i64 as f64 / 7.0),
            5 => Value::Duration(self.next() as i64 >> self.below(60)),
            6 => Value::Time(self.below(4_000_000_000_000) as i64),
            7 => Value::str(self.text(20)),
            8 => Value::str(self.text(2000)),
            9 => Value::Bytes(Bytes::from((0..self.below(3000)).map(|byte| byte as u8).collect::<Vec<_>>())),
            10 => Value::Str(Str::constant("a constant", 1)),
            11 => {
                let end = |random: &mut Random| (random.below(3) > 0).then(|| random.next() as i64);
                Value::from(Range { start: end(self), end: end(self), inclusive: self.below(2) == 0 })
            }
            12 => match self.below(4) {
                0 => Value::Missing,
                1 => Value::Type(TypeId(0)),
                2 => {
                    let parts = vec![SecretPart::Text(self.text(400).into()), SecretPart::Name("KEY".into())];
                    Value::from(Secret { parts })
                }
                _ => Value::from(Tool { server: "s".into(), name: "n".into(), schema: self.text(900).into() }),
            },
            13..=15 => {
                let count = self.below(size + 1);
                Value::List(List::collect((0..count).map(|_| self.value(depth - 1, size / 2))).unwrap())
            }
            16 => {
                let captures = vec![self.value(depth - 1, size / 2), Value::Int(1)];
                Value::from(Closure::new(FunctionId(0), captures).unwrap())
            }
            17 => Value::from(Agent::new(0, self.map(depth - 1, 3)).unwrap()),
            _ => Value::Map(self.map(depth - 1, size)),
        }
    }

    pub(crate) fn map(&mut self, depth: usize, size: usize) -> Map {
        let count = self.below(size + 1);
        Map::from_entries((0..count).map(|_| (Str::from(self.text(12)), self.value(depth, size / 2)))).unwrap()
    }
}

/// A program to which the values above belong.
pub(crate) fn program() -> Program {
    let any = TypeDef { kind: TypeKind::Any, name: None, doc: None };
    let function = Function {
        name: "f".into(),
        element: "f".into(),
        path: "main.f".into(),
        title: None,
        doc: None,
        module: 0,
        kind: FunctionKind::Lambda,
        on_crash: None,
        scoped: false,
        params: Vec::new(),
        result: TypeId(0),
        captures: 2,
        registers: 2,
        code: Vec::new(),
        spans: Vec::new(),
        safe_points: Vec::new(),
        handlers: Vec::new(),
        shields: Vec::new(),
        locals: Vec::new(),
        digest: 0,
    };
    Program {
        functions: vec![function],
        constants: vec![Constant::Int(1), Constant::String("a constant".into())],
        types: Types { defs: vec![any] },
        agents: vec![AgentDef { name: "a".into(), element: "a".into(), settings: FunctionId(0), output: TypeId(0) }],
        ..Program::default()
    }
}
