//! Rows: a version, a kind, and a checksum over both and the body.

use super::DecodeError;

/// The version of the format that is written.
pub const FORMAT: u8 = 2;

const SUM: usize = 8;

/// A row of this kind with this body.
pub fn seal(kind: u8, body: &[u8]) -> Vec<u8> {
    let mut row = Vec::with_capacity(body.len() + 2 + SUM);
    row.extend_from_slice(&[FORMAT, kind]);
    row.extend_from_slice(body);
    let sum = sum(&row);
    row.extend_from_slice(&sum);
    row
}

/// The body of a row of this kind.
pub fn open(kind: u8, row: &[u8]) -> Result<&[u8], DecodeError> {
    let bad = |reason: String| Err(DecodeError::new(format!("a row of kind {kind}"), reason));
    let Some((content, stored)) = row.len().checked_sub(SUM).and_then(|at| row.split_at_checked(at)) else {
        return bad("it is too short".into());
    };
    let [version, found, body @ ..] = content else {
        return bad("it is too short".into());
    };
    // The version comes first: another one may have another checksum.
    if *version != FORMAT {
        return bad(format!("its format is {version}, this engine reads {FORMAT}"));
    }
    if sum(content) != stored {
        return bad("its checksum does not match: it is damaged".into());
    }
    if *found != kind {
        return bad(format!("it is of kind {found}"));
    }
    Ok(body)
}

fn sum(content: &[u8]) -> [u8; SUM] {
    let hash = blake3::hash(content);
    let mut sum = [0; SUM];
    for (to, from) in sum.iter_mut().zip(hash.as_bytes()) {
        *to = *from;
    }
    sum
}
