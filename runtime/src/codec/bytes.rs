//! Writing and reading the parts that everything is made of.

use super::DecodeError;

/// Bytes under construction.
#[derive(Clone, Debug, Default)]
pub struct Writer {
    bytes: Vec<u8>,
}

impl Writer {
    /// Nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// How much is written.
    pub fn len(&self) -> usize {
        self.bytes.len()
    }

    /// Whether nothing is written.
    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// What is written.
    pub fn as_slice(&self) -> &[u8] {
        &self.bytes
    }

    /// What is written.
    pub fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }

    /// Forgets what was written behind `len`.
    pub fn truncate(&mut self, len: usize) {
        self.bytes.truncate(len);
    }

    /// A byte.
    pub fn byte(&mut self, byte: u8) {
        self.bytes.push(byte);
    }

    /// Bytes as they are.
    pub fn raw(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    /// An unsigned integer: seven bits a byte, the low ones first.
    pub fn uint(&mut self, mut value: u64) {
        while value >= 0x80 {
            self.bytes.push(value as u8 | 0x80);
            value >>= 7;
        }
        self.bytes.push(value as u8);
    }

    /// A length or index.
    pub fn size(&mut self, value: usize) {
        self.uint(value as u64);
    }

    /// A signed integer, small ones in few bytes whatever their sign.
    pub fn int(&mut self, value: i64) {
        self.uint((value << 1 ^ value >> 63) as u64);
    }

    /// A float: eight bytes, little end first.
    pub fn float(&mut self, value: f64) {
        self.raw(&value.to_le_bytes());
    }

    /// A bool: one byte.
    pub fn bool(&mut self, value: bool) {
        self.byte(u8::from(value));
    }

    /// Text or bytes with their length before them.
    pub fn block(&mut self, bytes: &[u8]) {
        self.size(bytes.len());
        self.raw(bytes);
    }
}

/// Bytes being read. Nothing in it panics, and nothing is reserved for what is not there.
#[derive(Clone, Debug)]
pub struct Reader<'a> {
    rest: &'a [u8],
    what: &'static str,
}

impl<'a> Reader<'a> {
    /// Reads `bytes`; errors speak of `what`.
    pub fn new(bytes: &'a [u8], what: &'static str) -> Self {
        Self { rest: bytes, what }
    }

    /// How many bytes are left.
    pub fn left(&self) -> usize {
        self.rest.len()
    }

    /// An error at this point.
    pub fn error(&self, reason: impl Into<String>) -> DecodeError {
        DecodeError::new(format!("{} ({} bytes before its end)", self.what, self.rest.len()), reason)
    }

    /// Fails unless all is read.
    pub fn end(&self) -> Result<(), DecodeError> {
        if self.rest.is_empty() { Ok(()) } else { Err(self.error("there are bytes behind the end")) }
    }

    /// Bytes as they are.
    pub fn raw(&mut self, len: usize) -> Result<&'a [u8], DecodeError> {
        let (taken, rest) = self.rest.split_at_checked(len).ok_or_else(|| self.error("it ends too early"))?;
        self.rest = rest;
        Ok(taken)
    }

    /// All that is left.
    pub fn remainder(&mut self) -> &'a [u8] {
        std::mem::take(&mut self.rest)
    }

    /// A byte.
    pub fn byte(&mut self) -> Result<u8, DecodeError> {
        let (first, rest) = self.rest.split_first().ok_or_else(|| self.error("it ends too early"))?;
        self.rest = rest;
        Ok(*first)
    }

    /// An unsigned integer; only its shortest form is one.
    pub fn uint(&mut self) -> Result<u64, DecodeError> {
        let mut value = 0u64;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            let bits = u64::from(byte & 0x7f);
            if shift == 63 && bits > 1 || shift > 0 && byte == 0 {
                return Err(self.error("a number is not in its only form"));
            }
            value |= bits << shift;
            if byte < 0x80 {
                return Ok(value);
            }
        }
        Err(self.error("a number is too long"))
    }

    /// A length or index.
    pub fn size(&mut self) -> Result<usize, DecodeError> {
        let value = self.uint()?;
        usize::try_from(value).map_err(|_| self.error("a size is out of range"))
    }

    /// How many things follow, each of at least `least` bytes.
    pub fn count(&mut self, least: usize) -> Result<usize, DecodeError> {
        let count = self.size()?;
        if count > self.rest.len() / least.max(1) {
            return Err(self.error(format!("a count of {count} is more than there is room for")));
        }
        Ok(count)
    }

    /// An index into a table of 32-bit ids.
    pub fn id(&mut self) -> Result<u32, DecodeError> {
        let value = self.uint()?;
        u32::try_from(value).map_err(|_| self.error("an index is out of range"))
    }

    /// A signed integer.
    pub fn int(&mut self) -> Result<i64, DecodeError> {
        let value = self.uint()?;
        Ok((value >> 1) as i64 ^ -((value & 1) as i64))
    }

    /// A float; NaN and infinity are none.
    pub fn float(&mut self) -> Result<f64, DecodeError> {
        let bytes = self.raw(8)?;
        let bytes = <[u8; 8]>::try_from(bytes).map_err(|_| self.error("it ends too early"))?;
        let value = f64::from_le_bytes(bytes);
        if value.is_finite() { Ok(value) } else { Err(self.error("a float is no number")) }
    }

    /// A bool.
    pub fn bool(&mut self) -> Result<bool, DecodeError> {
        match self.byte()? {
            0 => Ok(false),
            1 => Ok(true),
            other => Err(self.error(format!("a bool is {other}"))),
        }
    }

    /// Bytes with their length before them.
    pub fn block(&mut self) -> Result<&'a [u8], DecodeError> {
        let len = self.count(1)?;
        self.raw(len)
    }

    /// Text with its length before it.
    pub fn text(&mut self) -> Result<&'a str, DecodeError> {
        let bytes = self.block()?;
        std::str::from_utf8(bytes).map_err(|_| self.error("a text is not UTF-8"))
    }
}
