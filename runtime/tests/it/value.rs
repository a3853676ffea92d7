//! Values: copies, nesting, equality.

use wf_runtime::value::{Closure, List, MAX_DEPTH, Map, Range, Str, Value, copies};
use wf_runtime::{Kind, json};

use crate::random::Random;

#[test]
fn moving_and_changing_copies_nothing() {
    let before = copies();
    let mut list = List::new();
    for number in 0..1000i64 {
        list.push(Value::Int(number)).unwrap();
    }
    let moved = list;
    let mut record = Map::new();
    record.insert("items", Value::List(moved)).unwrap();
    record
        .update("items", |items| {
            let Value::List(items) = items else { panic!("a list") };
            items.push(Value::Null).unwrap();
            items.update(3, |item| *item = Value::Bool(true)).unwrap().unwrap();
            items.pop();
        })
        .unwrap()
        .unwrap();
    let mut text = Str::from("");
    for _ in 0..1000 {
        text.push_str("a piece ");
    }
    assert_eq!(copies(), before);
    let other = record.clone();
    record.insert("items", Value::Null).unwrap();
    assert_eq!(copies(), before + 1);
    assert_eq!(other.get("items").and_then(Value::as_list).map(List::len), Some(1000));
}

#[test]
fn a_copy_does_not_see_later_changes() {
    let mut a = List::from_vec(vec![Value::Int(1), Value::Int(2)]).unwrap();
    let b = a.clone();
    a.push(Value::Int(3)).unwrap();
    a.set(0, Value::Null).unwrap();
    assert_eq!(format!("{:?}", Value::List(b)), "[1, 2]");
    assert_eq!(format!("{:?}", Value::List(a)), "[null, 2, 3]");
}

#[test]
fn nesting_has_a_limit() {
    let mut value = Value::Int(1);
    for depth in 1..=MAX_DEPTH {
        value = Value::list(vec![value]).unwrap();
        assert_eq!(value.depth(), depth);
    }
    assert_eq!(Value::list(vec![value.clone()]).unwrap_err().kind, Kind::Limit);
    assert_eq!(Value::record([("a", value.clone())]).unwrap_err().kind, Kind::Limit);
    assert!(Closure::new(wf_lang::program::FunctionId(0), vec![value.clone()]).is_err());
    let mut list = List::new();
    assert!(list.push(value.clone()).is_err());
    assert!(list.is_empty());
    let mut outer = List::from_vec(vec![Value::Null]).unwrap();
    assert!(outer.update(0, |slot| *slot = value.clone()).unwrap().is_err());
    assert_eq!(outer.get(0), Some(&Value::Null));
    assert_eq!(value, value.clone());
    assert!(value.is_data());
    let text = json::to_text(&value, 0).unwrap();
    assert_eq!(text.len(), 2 * MAX_DEPTH + 1);
    assert_eq!(json::from_text(&text).unwrap(), value);
    assert_eq!(json::from_text(&format!("[{text}]")).unwrap_err().kind, Kind::Limit);
}

#[test]
fn equality_is_by_value() {
    let record = |text: &str| json::from_text(text).unwrap();
    assert_eq!(Value::Int(1), Value::Float(1.0));
    assert_ne!(Value::Int(i64::MAX), Value::Float(i64::MAX as f64));
    assert_eq!(record(r#"{"a":1,"b":[2.0]}"#), record(r#"{"b":[2],"a":1.0}"#));
    assert_ne!(record(r#"{"a":null}"#), record("{}"));
    assert_ne!(Value::Duration(1), Value::Int(1));
    assert_ne!(Value::str("1"), Value::Int(1));
}

#[test]
fn maps_keep_the_order_of_their_keys() {
    let mut random = Random(11);
    let mut map = Map::new();
    let mut model: Vec<(String, i64)> = Vec::new();
    for number in 0..5000i64 {
        let key = format!("k{}", random.below(300));
        match random.below(5) {
            0 => {
                let removed = map.remove(&key);
                let at = model.iter().position(|(known, _)| *known == key);
                assert_eq!(removed, at.map(|at| Value::Int(model.remove(at).1)));
            }
            1 => {
                let found = map.get(&key).and_then(Value::as_int);
                assert_eq!(found, model.iter().find(|(known, _)| *known == key).map(|(_, value)| *value));
            }
            _ => {
                map.insert(key.as_str(), Value::Int(number)).unwrap();
                match model.iter_mut().find(|(known, _)| *known == key) {
                    Some((_, value)) => *value = number,
                    None => model.push((key, number)),
                }
            }
        }
    }
    let entries: Vec<_> = map.iter().map(|(key, value)| (key.to_string(), value.as_int().unwrap())).collect();
    assert_eq!(entries, model);
}

#[test]
fn characters_are_counted_not_bytes() {
    let mut text = Str::from("aä€");
    assert_eq!(text.chars_len(), 3);
    text.push_str("𝄞b");
    assert_eq!((text.chars_len(), text.byte_len()), (5, 11));
    assert_eq!(text.slice(1, 4), "ä€𝄞");
    assert_eq!(Str::constant("x", 4).constant_number(), Some(4));
    let mut grown = Str::constant("x", 4);
    grown.push_str("y");
    assert_eq!(grown.constant_number(), None);
}

#[test]
fn ranges_are_clamped() {
    let range = |start, end, inclusive| Range { start, end, inclusive };
    assert_eq!(range(Some(1), Some(3), false).clamp(5), (1, 3));
    assert_eq!(range(None, Some(-1), false).clamp(5), (0, 4));
    assert_eq!(range(Some(-2), None, false).clamp(5), (3, 5));
    assert_eq!(range(Some(4), Some(2), false).clamp(5), (4, 4));
    assert_eq!(range(None, Some(-1), true).clamp(5), (0, 5));
    assert_eq!(range(Some(i64::MIN), Some(i64::MAX), true).clamp(5), (0, 5));
    assert_eq!(range(Some(i64::MIN), Some(i64::MAX), true).len(), Some(usize::MAX));
    assert_eq!(range(Some(1), Some(3), true).len(), Some(3));
}

/// The size of a value, counted.
fn counted(value: &Value) -> usize {
    8 + match value {
        Value::Str(text) => text.byte_len(),
        Value::Bytes(bytes) => bytes.as_slice().len(),
        Value::List(list) => list.iter().map(counted).sum(),
        Value::Map(map) => map.iter().map(|(key, value)| key.byte_len() + counted(value)).sum(),
        _ => 0,
    }
}

#[test]
fn sizes_are_exact_after_any_change() {
    for seed in 0..200 {
        let mut random = Random(seed);
        let mut data = || loop {
            let value = random.value(3, 8);
            if value.is_data() {
                break value;
            }
        };
        let mut list = List::new();
        let mut map = Map::new();
        for at in 0..8 {
            list.push(data()).unwrap();
            map.insert(format!("{}", at % 5), data()).unwrap();
        }
        list.insert(2, data()).unwrap();
        list.set(3, data()).unwrap();
        list.remove(1);
        list.pop();
        list.update(0, |item| *item = data()).unwrap().unwrap();
        list.extend(&list.slice(1, 4)).unwrap();
        map.remove("3");
        map.update("1", |value| *value = Value::List(list.clone())).unwrap().unwrap();
        let (list, map) = (Value::List(list.slice(1, 7)), Value::Map(map));
        assert_eq!((list.size(), map.size()), (counted(&list), counted(&map)), "seed {seed}");
    }
}

#[test]
fn values_have_a_largest_size() {
    let mut value = Value::list(vec![Value::str("x".repeat(1 << 20))]).unwrap();
    let error = loop {
        match Value::list(vec![value.clone(), value.clone()]) {
            Ok(larger) => value = larger,
            Err(error) => break error,
        }
    };
    assert_eq!(error.kind, Kind::Limit);
    assert!(value.size() > 8 << 20);
    let mut root = Value::record([("a", value.clone())]).unwrap();
    let (a, b) = (Str::from("a"), Str::from("b"));
    let step = |name| [wf_runtime::ops::PlaceStep::Field { name, lenient: false }];
    assert!(wf_runtime::ops::place_set(&mut root, &step(&b), value.clone()).is_err());
    wf_runtime::ops::place_set(&mut root, &step(&a), value).unwrap();
}

#[test]
fn a_key_that_grows_is_another_key() {
    let number = |number| Value::Int(number);
    let mut map = Map::from_entries((0..20).map(|at| (format!("key{at}").as_str().into(), number(at)))).expect("flat");
    let mut key = Str::from("key1");
    assert!(map.contains(&key));
    // In place, since nobody else holds it; then as a copy.
    key.push_str("9");
    assert_eq!(map.get(&key), Some(&number(19)));
    let shorter = key.clone();
    key.push_str("9");
    assert!(!map.contains(&key) && map.contains(&shorter));
    map.insert(&key, number(199)).expect("flat");
    key.push_str("9");
    assert_eq!((map.get("key199"), map.contains(&key)), (Some(&number(199)), false));
}
