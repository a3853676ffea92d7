//! Tables as text: the first row names the columns.

use std::collections::HashSet;

use ::csv::{ReaderBuilder, Terminator, Trim, WriterBuilder};

use super::{
    NativeContext,
    args::{arg, list, misfit, room, text, wrong},
};
use crate::{
    fault::{Fault, Kind},
    ops::{quote, render},
    value::{List, Map, Shape, Str, Value},
};

/// The character between two fields; a comma when it was left out.
fn separator(args: &[Value], at: usize) -> Result<u8, Fault> {
    match arg(args, at) {
        Value::Null => Ok(b','),
        Value::Str(text) => match text.as_bytes() {
            [byte] if byte.is_ascii() && !matches!(byte, b'"' | b'\n' | b'\r') => Ok(*byte),
            _ => Err(misfit(format!("fields are separated by one ASCII character, found {}", quote(text)))),
        },
        other => Err(wrong("a string", other)),
    }
}

fn bad(message: String) -> Fault {
    Fault::new(Kind::Json, format!("this is no CSV: {message}"))
}

/// `(text, separator)`.
pub(super) fn parse(_: &NativeContext<'_>, args: &mut [Value]) -> Result<Value, Fault> {
    let separator = separator(args, 1)?;
    let text = text(args, 0)?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut reader =
        ReaderBuilder::new().delimiter(separator).flexible(true).trim(Trim::None).from_reader(text.as_bytes());
    let unread = |error: ::csv::Error| bad(error.to_string());
    let names: Vec<Str> = reader.headers().map_err(unread)?.iter().map(Str::from).collect();
    let index = Map::from_entries(names.iter().cloned().map(|name| (name, Value::Null)))?;
    if index.len() < names.len() {
        let mut seen = HashSet::new();
        let twice = names.iter().find(|name| !seen.insert(name.as_str()));
        return Err(bad(format!("two columns have the name {}", quote(twice.map_or("", Str::as_str)))));
    }
    let shape = Shape::of(names.clone());
    let mut rows = List::new();
    for record in reader.records() {
        let record = record.map_err(unread)?;
        if record.len() != names.len() {
            let line = record.position().map_or(0, ::csv::Position::line);
            return Err(bad(format!("line {line} has {} fields, and the first row {}", record.len(), names.len())));
        }
        rows.push(Value::Map(Map::from_shape(&shape, record.iter().map(Value::str))?))?;
    }
    Ok(Value::List(rows))
}

/// `(rows, separator)`: the columns are those of all rows, in the order in which they come up.
pub(super) fn stringify(_: &NativeContext<'_>, args: &mut [Value]) -> Result<Value, Fault> {
    let separator = separator(args, 1)?;
    let rows = list(args, 0)?;
    let mut columns = Map::new();
    for row in &rows {
        let row = row.as_map().ok_or_else(|| wrong("a list of records", row))?;
        for name in row.keys().filter(|name| !columns.contains(name)).cloned().collect::<Vec<_>>() {
            columns.insert(name, Value::Null)?;
        }
    }
    if columns.is_empty() {
        return Ok(Value::str(""));
    }
    // Each row is as wide as the table.
    room(rows.len().saturating_mul(columns.len()))?;
    let mut writer =
        WriterBuilder::new().delimiter(separator).terminator(Terminator::Any(b'\n')).from_writer(Vec::new());
    let unwritten = |error: ::csv::Error| bad(error.to_string());
    writer.write_record(columns.keys().map(Str::as_str)).map_err(unwritten)?;
    let mut written = 0usize;
    for row in &rows {
        for name in columns.keys() {
            let field = match row.get(name) {
                None | Some(Value::Null) => Str::default(),
                Some(value) => render(value)?,
            };
            written = written.saturating_add(field.byte_len());
            room(written)?;
            writer.write_field(field.as_str()).map_err(unwritten)?;
        }
        writer.write_record(None::<&[u8]>).map_err(unwritten)?;
    }
    let bytes = writer.into_inner().map_err(|error| bad(error.to_string()))?;
    room(bytes.len())?;
    String::from_utf8(bytes).map(Value::from).map_err(|error| bad(error.to_string()))
}
