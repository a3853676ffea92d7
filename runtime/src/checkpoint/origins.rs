//! Where errors were thrown, as it is written and read.

use crate::{
    codec::{DecodeError, Reader, Writer},
    machine::{MOST_ORIGINS, Origin},
};

pub(super) fn write(origins: &[Origin], out: &mut Writer) {
    out.size(origins.len());
    for origin in origins {
        for number in [origin.error, origin.at, origin.left] {
            out.uint(number);
        }
        out.bool(origin.lacks);
        out.size(origin.fibers.len());
        origin.fibers.iter().for_each(|fiber| out.uint(u64::from(*fiber)));
        out.bool(origin.call.is_some());
        if let Some((call, dealt_with)) = origin.call {
            out.uint(call);
            out.bool(dealt_with);
        }
    }
}

/// The reverse of [`write`].
pub(super) fn read(from: &mut Reader<'_>) -> Result<Vec<Origin>, DecodeError> {
    let count = from.count(6)?;
    if count > MOST_ORIGINS {
        return Err(from.error("it knows of too many errors"));
    }
    (0..count)
        .map(|_| {
            let (error, at, left) = (from.uint()?, from.uint()?, from.uint()?);
            let lacks = from.bool()?;
            let fibers = (0..from.count(1)?).map(|_| from.id()).collect::<Result<_, _>>()?;
            let call = if from.bool()? { Some((from.uint()?, from.bool()?)) } else { None };
            Ok(Origin { error, at, left, lacks, fibers, call })
        })
        .collect()
}
