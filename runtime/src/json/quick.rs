//! Text to values in one pass, for JSON as it nearly always is.
//!
//! What is not plain here (a syntax error, a number out of range, too much of anything) gives nothing, and the reader with
//! the good messages looks at the text again.

use crate::value::{Arc, List, Map, Shape, Str, Value};

/// Deeper than this is left to the other reader.
const DEEP: usize = 128;
/// Records with more fields than this are hardly like others.
const LIKELY: usize = 64;
/// How many lists of keys are remembered.
const SHAPES: usize = 16;

/// The value of JSON text, if it is plain.
pub(super) fn value(text: &str) -> Option<Value> {
    let mut reader = Reader { text, bytes: text.as_bytes(), at: 0, values: Vec::new(), shapes: Vec::new(), next: 0 };
    let value = reader.value(0)?;
    reader.space();
    (reader.at == reader.bytes.len()).then_some(value)
}

struct Reader<'t> {
    text: &'t str,
    bytes: &'t [u8],
    at: usize,
    /// The elements of all lists and records that are open.
    values: Vec<Value>,
    /// The keys of records that were read: those of one list mostly have the same.
    shapes: Vec<Arc<Shape>>,
    /// Which of them the next new one replaces.
    next: usize,
}

impl Reader<'_> {
    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    fn space(&mut self) {
        while let Some(b' ' | b'\n' | b'\t' | b'\r') = self.peek() {
            self.at += 1;
        }
    }

    /// Steps over a byte if it comes next.
    fn eat(&mut self, byte: u8) -> bool {
        let found = self.peek() == Some(byte);
        self.at += usize::from(found);
        found
    }

    fn value(&mut self, depth: usize) -> Option<Value> {
        self.space();
        match self.peek()? {
            b'"' => self.string().map(Value::Str),
            b'{' if depth < DEEP => self.record(depth + 1),
            b'[' if depth < DEEP => self.list(depth + 1),
            b'-' | b'0'..=b'9' => self.number(),
            b't' => self.word("true", Value::Bool(true)),
            b'f' => self.word("false", Value::Bool(false)),
            b'n' => self.word("null", Value::Null),
            _ => None,
        }
    }

    fn word(&mut self, word: &str, value: Value) -> Option<Value> {
        let found = self.bytes.get(self.at..)?.starts_with(word.as_bytes());
        self.at += word.len();
        found.then_some(value)
    }

    fn number(&mut self) -> Option<Value> {
        let start = self.at;
        self.eat(b'-');
        let first = self.at;
        let mut whole: i64 = 0;
        while let Some(digit @ b'0'..=b'9') = self.peek() {
            whole = whole.wrapping_mul(10).wrapping_add(i64::from(digit - b'0'));
            self.at += 1;
        }
        let digits = self.at - first;
        if digits == 0 || digits > 1 && self.bytes.get(first) == Some(&b'0') {
            return None;
        }
        if !matches!(self.peek(), Some(b'.' | b'e' | b'E')) {
            // So many digits fit for certain; `-0` is a float to others.
            let negative = first > start;
            let fits = digits <= 18 && !(negative && whole == 0);
            return fits.then(|| Value::Int(if negative { -whole } else { whole }));
        }
        if self.eat(b'.') {
            self.digits()?;
        }
        if self.eat(b'e') || self.eat(b'E') {
            let _sign = self.eat(b'+') || self.eat(b'-');
            self.digits()?;
        }
        let number: f64 = self.text.get(start..self.at)?.parse().ok()?;
        Value::float(number)
    }

    /// One digit or more.
    fn digits(&mut self) -> Option<()> {
        let start = self.at;
        while let Some(b'0'..=b'9') = self.peek() {
            self.at += 1;
        }
        (self.at > start).then_some(())
    }

    /// A string without escapes, as it stands in the text; nothing, and no step, when it has one.
    fn plain(&mut self) -> Option<&str> {
        let start = self.at + 1;
        let rest = self.bytes.get(start..)?;
        let len = rest.iter().position(|byte| matches!(byte, b'"' | b'\\' | 0..=0x1f))?;
        if rest.get(len) != Some(&b'"') {
            return None;
        }
        self.at = start + len + 1;
        self.text.get(start..start + len)
    }

    fn string(&mut self) -> Option<Str> {
        if let Some(plain) = self.plain() {
            return Some(plain.into());
        }
        let start = self.at + 1;
        let mut out = String::new();
        let mut from = start;
        let mut at = start;
        loop {
            match self.bytes.get(at)? {
                b'"' => {
                    out.push_str(self.text.get(from..at)?);
                    self.at = at + 1;
                    return Some(out.into());
                }
                b'\\' => {
                    out.push_str(self.text.get(from..at)?);
                    let (character, len) = escape(self.bytes.get(at + 1..)?)?;
                    out.push(character);
                    at += 1 + len;
                    from = at;
                }
                0..=0x1f => return None,
                _ => at += 1,
            }
        }
    }

    fn list(&mut self, depth: usize) -> Option<Value> {
        self.at += 1;
        let first = self.values.len();
        self.space();
        if !self.eat(b']') {
            loop {
                let value = self.value(depth)?;
                self.values.push(value);
                self.space();
                if self.eat(b']') {
                    break;
                }
                if !self.eat(b',') {
                    return None;
                }
            }
        }
        let items = self.values.drain(first..).collect();
        List::from_vec(items).ok().map(Value::List)
    }

    fn record(&mut self, depth: usize) -> Option<Value> {
        self.at += 1;
        self.space();
        if self.eat(b'}') {
            return Some(Value::Map(Map::new()));
        }
        let first = self.values.len();
        let likely = self.likely();
        let mut keys = Keys::Like(likely, 0);
        loop {
            self.space();
            self.key(&mut keys)?;
            self.space();
            if !self.eat(b':') {
                return None;
            }
            let value = self.value(depth)?;
            self.values.push(value);
            self.space();
            if self.eat(b'}') {
                break;
            }
            if !self.eat(b',') {
                return None;
            }
        }
        let count = self.values.len() - first;
        let map = match keys {
            Keys::Like(shape, _) if shape.keys().len() == count => {
                Map::from_shape(&shape, self.values.drain(first..)).ok()?
            }
            keys => match Shape::unlike(keys.into_own()) {
                Ok(shape) => {
                    self.remember(&shape);
                    Map::from_shape(&shape, self.values.drain(first..)).ok()?
                }
                // A key stands there twice: the later one wins.
                Err(keys) => Map::from_entries(keys.into_iter().zip(self.values.drain(first..))).ok()?,
            },
        };
        Some(Value::Map(map))
    }

    /// Reads a key: only as far as to see that it is the next of the keys that are likely, or into a text of its own.
    fn key(&mut self, keys: &mut Keys) -> Option<()> {
        if self.peek() != Some(b'"') {
            return None;
        }
        if let Keys::Like(shape, count) = keys {
            if let Some(expected) = shape.keys().get(*count) {
                let rest = self.bytes.get(self.at + 1..)?;
                let len = expected.byte_len();
                if rest.get(len) == Some(&b'"') && rest.starts_with(expected.as_bytes()) {
                    self.at += len + 2;
                    *count += 1;
                    return Some(());
                }
            }
            let own = shape.keys().iter().take(*count).cloned().collect();
            *keys = Keys::Own(own);
        }
        let key = self.string()?;
        if let Keys::Own(own) = keys {
            own.push(key);
        }
        Some(())
    }

    /// The keys of a record that begins with the same key as the one that comes.
    fn likely(&self) -> Arc<Shape> {
        let rest = self.bytes.get(self.at + 1..).unwrap_or_default();
        let begins = |shape: &&Arc<Shape>| {
            shape
                .keys()
                .first()
                .is_some_and(|key| rest.starts_with(key.as_bytes()) && rest.get(key.byte_len()) == Some(&b'"'))
        };
        self.shapes.iter().find(begins).map_or_else(Shape::empty, Arc::clone)
    }

    fn remember(&mut self, shape: &Arc<Shape>) {
        // Keys are compared as they stand in the text.
        let escaped = |key: &Str| key.bytes().any(|byte| matches!(byte, b'"' | b'\\' | 0..=0x1f));
        if shape.keys().len() > LIKELY || shape.keys().iter().any(escaped) {
            return;
        }
        // What begins with the same key takes its place, for that is what will be looked for.
        let begins = |known: &Arc<Shape>| known.keys().first() == shape.keys().first();
        match self.shapes.iter().position(begins) {
            Some(at) => self.shapes[at] = Arc::clone(shape),
            None if self.shapes.len() < SHAPES => self.shapes.push(Arc::clone(shape)),
            None => {
                self.shapes[self.next] = Arc::clone(shape);
                self.next = (self.next + 1) % SHAPES;
            }
        }
    }
}

/// The keys of a record that is being read.
enum Keys {
    /// As many as were read are those of a record before it.
    Like(Arc<Shape>, usize),
    /// It has its own.
    Own(Vec<Str>),
}

impl Keys {
    fn into_own(self) -> Vec<Str> {
        match self {
            Keys::Like(shape, count) => shape.keys().iter().take(count).cloned().collect(),
            Keys::Own(keys) => keys,
        }
    }
}

/// The character that stands behind a backslash, and how many bytes it takes.
fn escape(rest: &[u8]) -> Option<(char, usize)> {
    let character = match rest.first()? {
        b'"' => '"',
        b'\\' => '\\',
        b'/' => '/',
        b'n' => '\n',
        b't' => '\t',
        b'r' => '\r',
        b'b' => '\u{8}',
        b'f' => '\u{c}',
        b'u' => {
            let unit = |from: usize| {
                let digits = std::str::from_utf8(rest.get(from..from + 4)?).ok()?;
                let plain = digits.bytes().all(|digit| digit.is_ascii_hexdigit());
                u32::from_str_radix(digits, 16).ok().filter(|_| plain)
            };
            let high = unit(1)?;
            if !(0xd800..0xdc00).contains(&high) {
                return char::from_u32(high).map(|character| (character, 5));
            }
            let low = rest.get(5..7).filter(|escape| *escape == b"\\u").and_then(|_| unit(7))?;
            let offset = low.checked_sub(0xdc00).filter(|offset| *offset < 0x400)?;
            return char::from_u32(0x10000 + ((high - 0xd800) << 10) + offset).map(|character| (character, 11));
        }
        _ => return None,
    };
    Some((character, 1))
}
