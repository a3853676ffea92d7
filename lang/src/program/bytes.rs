//! Programs as bytes. They are read back only by an engine whose [`FORMAT`] is the same.

use super::Program;

/// A hash of the files that define programs: two engines have the same one only when they agree on every op.
pub const FORMAT: u64 =
    fnv(&[include_bytes!("mod.rs"), include_bytes!("op.rs"), include_bytes!("types.rs"), include_bytes!("uses.rs")]);

/// FNV-1a, because it can be computed while compiling.
const fn fnv(files: &[&[u8]]) -> u64 {
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    let mut file = 0;
    while file < files.len() {
        let mut at = 0;
        while at < files[file].len() {
            hash = (hash ^ files[file][at] as u64).wrapping_mul(0x0100_0000_01b3);
            at += 1;
        }
        file += 1;
    }
    hash
}

impl Program {
    /// The program as bytes.
    ///
    /// # Errors
    /// Never for a program that was compiled; the format's own words otherwise.
    pub fn to_bytes(&self) -> Result<Vec<u8>, String> {
        postcard::to_stdvec(self).map_err(|error| error.to_string())
    }

    /// The program that [`Program::to_bytes`] of the same [`FORMAT`] has written; check it with [`super::verify`].
    ///
    /// # Errors
    /// When the bytes are no program.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, String> {
        match postcard::take_from_bytes(bytes) {
            Ok((program, [])) => Ok(program),
            Ok((_, rest)) => Err(format!("{} bytes too many", rest.len())),
            Err(error) => Err(error.to_string()),
        }
    }
}
