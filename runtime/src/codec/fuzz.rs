//! What a fuzzer calls.

use std::collections::HashMap;

use wf_lang::program::{Constant, Program, TypeDef, TypeKind, Types};

use super::{ChunkSource, DecodeError, Decoder, Reader, open, row, seal};

struct Rows(HashMap<u64, Vec<u8>>);

impl ChunkSource for Rows {
    fn read(&mut self, id: u64) -> Result<Vec<u8>, DecodeError> {
        self.0.get(&id).cloned().ok_or_else(|| DecodeError::new(format!("chunk {id}"), "it is missing"))
    }
}

/// Reads any bytes in every way there is; what matters is that it returns.
///
/// The bytes are taken as a row, as a value, and as a value and chunks: a byte of length before each.
pub fn fuzz_decode(bytes: &[u8]) {
    let any = TypeDef { kind: TypeKind::Any, name: None, doc: None };
    let program = Program {
        constants: vec![Constant::Int(1), Constant::String("constant".into())],
        types: Types { defs: vec![any] },
        ..Program::default()
    };
    // Nothing is learnt from a row that is refused.
    drop(open(row::VALUE, bytes));
    let mut rows = Rows(HashMap::new());
    let mut rest = bytes;
    let mut id = 0;
    while let Some((len, tail)) = rest.split_first() {
        let (body, tail) = tail.split_at_checked(usize::from(*len)).unwrap_or((tail, &[]));
        id += 1;
        rows.0.insert(id, seal(row::CHUNK, body));
        rest = tail;
    }
    for tag in [None, Some(7)] {
        let mut decoder = Decoder::new(&program, &mut rows, tag);
        let mut reader = Reader::new(bytes, "fuzz");
        while reader.left() > 0 && decoder.value(&mut reader).is_ok() {}
    }
}
