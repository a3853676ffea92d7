//! The library's natives against simple models, and against arguments of any kind.

use std::collections::BTreeMap;

use wf_lang::program::Program;
use wf_runtime::{
    Fault, Kind, Value,
    native::{NATIVES, NativeContext, native},
    value::{List, Range},
};

use crate::random::{Random, program};

fn try_call(name: &str, args: impl IntoIterator<Item = Value>) -> Result<Value, Fault> {
    let program = Program::default();
    let mut args: Vec<Value> = args.into_iter().collect();
    native(name).unwrap_or_else(|| panic!("there is no {name}"))(&NativeContext { program: &program }, &mut args)
}

fn call<const N: usize>(name: &str, args: [Value; N]) -> Value {
    try_call(name, args).unwrap_or_else(|fault| panic!("{name}: {fault}"))
}

fn list(items: &[Value]) -> Value {
    Value::list(items.to_vec()).unwrap()
}

fn items(value: &Value) -> Vec<Value> {
    match value {
        Value::List(list) => list.as_slice().to_vec(),
        Value::Range(range) => (0..range.len().unwrap()).map(|at| Value::Int(range.get(at).unwrap())).collect(),
        other => panic!("{other:?} is no list"),
    }
}

/// Small values, many of them equal.
fn small(random: &mut Random) -> Value {
    match random.below(8) {
        0 => Value::Null,
        1 => Value::Bool(random.below(2) == 0),
        2 => Value::Float(random.below(4) as f64 / 2.0),
        3 => Value::str(["a", "b", ""][random.below(3)]),
        4 => list(&[Value::Int(random.below(2) as i64), Value::Float(random.below(2) as f64)]),
        5 => {
            let mut fields = vec![("x", Value::Int(random.below(2) as i64)), ("y", Value::Int(1))];
            if random.below(2) == 0 {
                fields.reverse();
            }
            Value::record(fields).unwrap()
        }
        6 => Value::from(Range { start: Some(0), end: Some(random.below(3) as i64), inclusive: random.below(2) == 0 }),
        _ => Value::Int(random.below(4) as i64),
    }
}

fn some(random: &mut Random, most: usize) -> Vec<Value> {
    (0..random.below(most + 1)).map(|_| small(random)).collect()
}

#[test]
fn parts_of_lists() {
    let mut random = Random(1);
    for _ in 0..500 {
        let whole = some(&mut random, 12);
        let n = random.below(16) as i64 - 2;
        let at = usize::try_from(n).unwrap_or_default().min(whole.len());
        assert_eq!(items(&call("list.take", [list(&whole), Value::Int(n)])), whole[..at]);
        assert_eq!(items(&call("list.drop", [list(&whole), Value::Int(n)])), whole[at..]);
        let turned: Vec<Value> = whole.iter().rev().cloned().collect();
        assert_eq!(call("list.reversed", [list(&whole)]), list(&turned));
        let size = 1 + random.below(5);
        let chunks = items(&call("list.chunks", [list(&whole), Value::Int(size as i64)]));
        let expected: Vec<Value> = whole.chunks(size).map(list).collect();
        assert_eq!(chunks, expected);
        assert_eq!(call("list.flatten", [list(&chunks)]), list(&whole));
        let first = whole.first().cloned().unwrap_or_default();
        assert_eq!(call("list.first", [list(&whole)]), first);
        assert_eq!(call("list.last", [list(&whole)]), whole.last().cloned().unwrap_or_default());
        let found = whole.iter().position(|item| *item == first).map(|at| Value::Int(at as i64));
        assert_eq!(call("list.index_of", [list(&whole), first]), found.unwrap_or_default());
    }
}

#[test]
fn parts_of_ranges_are_those_of_lists() {
    let mut random = Random(2);
    for _ in 0..500 {
        let start = random.below(6) as i64 - 3;
        let end = start + random.below(8) as i64 - 2;
        let range = || Value::from(Range { start: Some(start), end: Some(end), inclusive: true });
        let whole = items(&range());
        let n = Value::Int(random.below(8) as i64 - 1);
        for name in ["list.take", "list.drop"] {
            let of_list = call(name, [list(&whole), n.clone()]);
            assert_eq!(call(name, [range(), n.clone()]), of_list, "{name} {start}..={end}, {n:?}");
        }
        for name in ["list.reversed", "list.first", "list.last", "list.len", "list.sorted", "list.min", "list.max"] {
            assert_eq!(call(name, [range()]), call(name, [list(&whole)]), "{name} {start}..={end}");
        }
    }
    let edge = Value::from(Range { start: Some(i64::MAX - 1), end: Some(i64::MAX), inclusive: true });
    assert_eq!(items(&call("list.take", [edge, Value::Int(9)])).len(), 2);
}

#[test]
fn sorting_is_stable() {
    let mut random = Random(3);
    for _ in 0..300 {
        let count = random.below(40);
        let keys: Vec<i64> = (0..count).map(|_| random.below(6) as i64).collect();
        let mut mixed = keys.iter().map(|key| match random.below(2) {
            0 => Value::Int(*key),
            _ => Value::Float(*key as f64),
        });
        let mixed: Vec<Value> = mixed.by_ref().collect();
        let places: Vec<Value> = (0..count as i64).map(Value::Int).collect();
        let mut expected: Vec<usize> = (0..count).collect();
        expected.sort_by_key(|at| keys[*at]);
        let sorted = |descending: bool| {
            let found = call("list._order", [list(&places), list(&mixed), Value::Bool(descending)]);
            items(&found).iter().map(|at| at.as_int().unwrap() as usize).collect::<Vec<_>>()
        };
        assert_eq!(sorted(false), expected);
        expected.sort_by_key(|at| (-keys[*at], *at));
        assert_eq!(sorted(true), expected);
    }
}

#[test]
fn distinct_elements_are_those_that_are_not_equal() {
    let mut random = Random(4);
    for _ in 0..500 {
        let whole = some(&mut random, 30);
        let mut expected: Vec<Value> = Vec::new();
        for item in &whole {
            if !expected.contains(item) {
                expected.push(item.clone());
            }
        }
        assert_eq!(call("list.unique", [list(&whole)]), list(&expected));
    }
    let long = |last: i64| list(&(0..5000).map(|n| Value::Int(if n == 4999 { last } else { n })).collect::<Vec<_>>());
    let (whole, other) = (long(4999), long(0));
    let range = Value::from(Range { start: Some(0), end: Some(5000), inclusive: false });
    let found = call("list.unique", [list(&[whole.clone(), range, other.clone(), whole.clone()])]);
    assert_eq!(found, list(&[whole, other]));
}

#[test]
fn groups_keep_the_order() {
    let mut random = Random(5);
    for _ in 0..300 {
        let whole = some(&mut random, 20);
        let keys: Vec<String> = whole.iter().map(|_| random.text(1)).collect();
        let mut order: Vec<&String> = Vec::new();
        let mut groups: BTreeMap<&String, Vec<Value>> = BTreeMap::new();
        for (item, key) in whole.iter().zip(&keys) {
            if !groups.contains_key(key) {
                order.push(key);
            }
            groups.entry(key).or_default().push(item.clone());
        }
        let as_values: Vec<Value> = keys.iter().map(|key| Value::str(key.as_str())).collect();
        let found = call("list._group", [list(&whole), list(&as_values)]);
        let found = found.as_map().unwrap();
        assert_eq!(found.keys().map(|key| key.as_str()).collect::<Vec<_>>(), order);
        assert!(order.iter().all(|key| found.get(key) == Some(&list(&groups[key]))));
    }
}

#[test]
fn text_is_counted_in_characters() {
    let mut random = Random(6);
    for _ in 0..1000 {
        let (whole, part, other) = (random.text(12), random.text(2), random.text(2));
        let text = |text: &str| Value::str(text);
        let found = whole.find(&part).map(|at| Value::Int(whole[..at].chars().count() as i64));
        assert_eq!(call("string.find", [text(&whole), text(&part)]), found.unwrap_or_default());
        assert_eq!(
            call("string.replace", [text(&whole), text(&part), text(&other)]),
            text(&whole.replace(&part, &other))
        );
        let splits = call("string.split", [text(&whole), text(&part)]);
        assert_eq!(call("list.join", [splits, text(&part)]), text(&whole));
        let width = random.below(16);
        let wide = |name: &str| {
            let found =
                call(name, [text(&whole), Value::Int(width as i64), text(if other.is_empty() { "." } else { &other })]);
            found.as_text().unwrap().clone()
        };
        let (length, cut) = (whole.chars().count(), wide("string.truncate"));
        assert_eq!(cut.chars_len(), length.min(width));
        for (name, at_start) in [("string.pad_start", true), ("string.pad_end", false)] {
            let padded = wide(name);
            assert_eq!(padded.chars_len(), length.max(width));
            assert!(if at_start { padded.ends_with(&whole) } else { padded.starts_with(&whole) });
        }
    }
}

#[test]
fn plain_expressions_replace_like_text() {
    let mut random = Random(7);
    for _ in 0..500 {
        let (whole, part, other) = (random.text(12), random.text(2), random.text(2));
        if part.is_empty() {
            continue;
        }
        let pattern: String = part.chars().map(|c| if c == '\\' { "\\\\".to_owned() } else { c.to_string() }).collect();
        let args = [Value::str(whole.as_str()), Value::str(pattern), Value::str(other.as_str())];
        assert_eq!(call("string.replace_re", args), Value::str(whole.replace(&part, &other)));
    }
}

#[test]
fn what_is_encoded_is_decoded() {
    let mut random = Random(8);
    for _ in 0..500 {
        let text = random.text(20);
        let encoded = call("url.encode", [Value::str(text.as_str())]);
        assert!(encoded.as_str().unwrap().is_ascii());
        assert_eq!(call("url.decode", [encoded]), Value::str(text.as_str()));
        let bytes: Vec<u8> = (0..random.below(50)).map(|_| random.next() as u8).collect();
        let encoded = call("base64.encode", [Value::Bytes(bytes.clone().into())]);
        assert_eq!(encoded.as_str().unwrap().len(), bytes.len().div_ceil(3) * 4);
        let text = encoded.as_str().unwrap().to_owned();
        let safe: String = text.replace('+', "-").replace('/', "_").trim_end_matches('=').to_owned();
        for form in [text, safe] {
            assert_eq!(call("base64.decode", [Value::from(form)]), Value::Bytes(bytes.clone().into()));
        }
    }
}

#[test]
fn data_survives_json() {
    let mut random = Random(9);
    let mut seen = 0;
    for _ in 0..400 {
        let value = random.value(3, 6);
        let text = try_call("json.stringify", [value.clone(), Value::Int(random.below(3) as i64)]);
        let open = |value: &Value| matches!(value, Value::Range(range) if range.len().is_none_or(|len| len > 1 << 20));
        let (Ok(text), true, false) = (text, value.is_data(), open(&value)) else { continue };
        let back = call("json.parse", [text]);
        assert_eq!(in_json(&back), in_json(&value));
        seen += 1;
    }
    assert!(seen > 100, "{seen}");
}

/// What JSON makes of durations, times and bytes is text.
fn in_json(value: &Value) -> serde_json::Value {
    wf_runtime::json::to_json(value).unwrap()
}

#[test]
fn tables_survive() {
    let mut random = Random(10);
    for _ in 0..300 {
        let columns: Vec<String> = (0..1 + random.below(3)).map(|at| format!("{at}{}", random.text(3))).collect();
        let rows: Vec<Value> = (0..random.below(5))
            .map(|_| Value::record(columns.iter().map(|name| (name.as_str(), Value::from(random.text(6))))).unwrap())
            .collect();
        let separator = Value::str([",", ";", "\t"][random.below(3)]);
        let text = call("csv.stringify", [list(&rows), separator.clone()]);
        assert_eq!(call("csv.parse", [text.clone(), separator]), list(&rows), "{text:?}");
    }
}

#[test]
fn rounding_is_that_of_the_decimal_digits() {
    let mut random = Random(11);
    for round in 0..4000 {
        let number = match round % 3 {
            0 => (random.next() as i64 >> random.below(60)) as f64 / 1000.0,
            1 => (random.below(20_000) as f64 - 10_000.0) / 8.0,
            _ => f64::from_bits(random.next()),
        };
        if !number.is_finite() || number.abs() > 1e15 {
            continue;
        }
        let digits = random.below(12);
        let found = call("number.round", [Value::Float(number), Value::Int(digits as i64)]);
        assert_eq!(found.as_number(), Some(rounded(number, digits)), "{number:?} to {digits}");
    }
}

/// Rounds what the number really is, written out in full.
fn rounded(number: f64, digits: usize) -> f64 {
    let full = format!("{:.1100}", number.abs());
    let (whole, fraction) = full.split_once('.').unwrap();
    let up = fraction.as_bytes()[digits] >= b'5';
    let mut kept: Vec<u8> = whole.bytes().chain(fraction.bytes().take(digits)).collect();
    let mut carry = up;
    for digit in kept.iter_mut().rev() {
        if carry {
            carry = *digit == b'9';
            *digit = if carry { b'0' } else { *digit + 1 };
        }
    }
    if carry {
        kept.insert(0, b'1');
    }
    let point = kept.len() - digits;
    let text = String::from_utf8(kept).unwrap();
    format!("{}.{}0", &text[..point], &text[point..]).parse::<f64>().unwrap().copysign(number)
}

#[test]
fn choices_are_even() {
    let seeds = 6000;
    let mut counts = [0; 6];
    let mut orders: BTreeMap<String, u32> = BTreeMap::new();
    let mut random = Random(12);
    for _ in 0..seeds {
        let seed = list(&[Value::Float((random.next() >> 11) as f64 / (1u64 << 53) as f64)]);
        let drawn = call("random._within", [Value::Int(-2), Value::Int(3), seed.clone()]).as_int().unwrap();
        counts[usize::try_from(drawn + 2).unwrap()] += 1;
        let three: Vec<Value> = (0..3).map(Value::Int).collect();
        *orders.entry(format!("{:?}", call("random._shuffled", [list(&three), seed]))).or_default() += 1;
    }
    // Five standard deviations of a fair die.
    let fair = 850..1150;
    assert!(counts.iter().all(|count| fair.contains(count)), "{counts:?}");
    assert!(orders.len() == 6 && orders.values().all(|count| fair.contains(&(*count as i32))), "{orders:?}");
    let whole = [Value::Int(i64::MIN), Value::Int(i64::MAX), list(&[Value::Float(0.5)])];
    assert!(call("random._within", whole).as_int().is_some());
}

#[test]
fn no_argument_makes_a_native_panic() {
    let program = program();
    let mut random = Random(13);
    for (name, native) in NATIVES {
        for _ in 0..150 {
            let count = random.below(5);
            let mut args: Vec<Value> = (0..count).map(|_| any(&mut random)).collect();
            let size: usize = args.iter().map(Value::size).sum();
            match native(&NativeContext { program: &program }, &mut args) {
                Ok(value) => assert!(value.size() <= 16 << 20, "{name} of {size}"),
                Err(fault) => assert!(
                    !matches!(fault.kind, Kind::Error | Kind::Own(_)) && !fault.message.is_empty(),
                    "{name}: {fault}"
                ),
            }
        }
    }
}

#[test]
fn no_text_makes_a_reader_panic() {
    const LETTERS: &[u8] = b" \n\t-:?[]{}&*!|>'\"#%@`,a0.\\()+^$<=;/_eEZT";
    let readers: [(&str, usize); 10] = [
        ("yaml.parse", 0),
        ("json.parse", 0),
        ("csv.parse", 0),
        ("url.parse", 0),
        ("url.decode", 0),
        ("base64.decode", 0),
        ("time.parse", 0),
        ("time.format", 1),
        ("string.matches", 1),
        ("string.replace_re", 2),
    ];
    let mut random = Random(14);
    for _ in 0..4000 {
        let length = random.below(40);
        let text: String = (0..length).map(|_| char::from(LETTERS[random.below(LETTERS.len())])).collect();
        for (name, at) in readers {
            let mut args = [Value::str("a.b"), Value::str("(.)"), Value::str("$1")];
            if name == "time.format" {
                args[0] = Value::Time(1_894_006_800_000);
                args[2] = Value::str("Asia/Tokyo");
            }
            args[at] = Value::str(text.as_str());
            let count = if at == 0 { 1 } else { 3 };
            if let Err(fault) = try_call(name, args.into_iter().take(count)) {
                let told = matches!(fault.kind, Kind::Type | Kind::Json | Kind::Limit | Kind::Arithmetic);
                assert!(told, "{name} of {text:?}: {fault}");
            }
        }
    }
}

/// Any value; those that many natives take are likely.
fn any(random: &mut Random) -> Value {
    const TEXTS: [&str; 12] = [
        "",
        "a",
        "a,b\n1,2",
        "(a)|b",
        "$1${x}",
        "[1, {\"a\": null}]",
        "a: &x [1, *x]",
        "é%20",
        "%Y %",
        "UTC",
        "02:30",
        "0x",
    ];
    const NUMBERS: [i64; 8] = [0, 1, -1, 3, i64::MAX, i64::MIN, 1 << 40, -5];
    match random.below(6) {
        0 => Value::str(TEXTS[random.below(TEXTS.len())]),
        1 => Value::Int(NUMBERS[random.below(NUMBERS.len())]),
        2 => Value::Float([0.5, -2.5, 1e300, 4.0][random.below(4)]),
        3 => Value::List(List::collect((0..random.below(4)).map(|_| any(random))).unwrap()),
        4 => Value::from(Range { start: Some(0), end: Some(NUMBERS[random.below(NUMBERS.len())]), inclusive: false }),
        _ => random.value(2, 4),
    }
}
