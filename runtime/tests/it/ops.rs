//! The operators, places, and JSON.

use wf_lang::program::{Operator, Program};
use wf_runtime::native::{NATIVES, NativeContext, native};
use wf_runtime::ops::{self, PlaceStep};
use wf_runtime::value::{Agent, Map, Range, Secret, SecretPart, Str, Value, copies};
use wf_runtime::{Fault, Kind, json};

use crate::random::Random;

fn v(text: &str) -> Value {
    json::from_text(text).unwrap()
}

fn kind(result: Result<Value, Fault>) -> Kind {
    result.unwrap_err().kind.clone()
}

const HOUR: i64 = 3_600_000;

#[test]
fn numbers() {
    assert_eq!(ops::div(&v("7"), &v("2")).unwrap(), Value::Float(3.5));
    assert!(matches!(ops::div(&v("6"), &v("2")).unwrap(), Value::Float(3.0)));
    assert!(matches!(ops::add(&v("1"), &v("2")).unwrap(), Value::Int(3)));
    assert!(matches!(ops::add(&v("1"), &v("2.0")).unwrap(), Value::Float(3.0)));
    assert_eq!(ops::rem(&v("-7"), &v("3")).unwrap(), Value::Int(-1));
    assert_eq!(ops::rem(&v("7"), &v("-3")).unwrap(), Value::Int(1));
    assert_eq!(ops::rem(&Value::Int(i64::MIN), &v("-1")).unwrap(), Value::Int(0));
    assert_eq!(kind(ops::rem(&v("7"), &v("0"))), Kind::Arithmetic);
    assert_eq!(kind(ops::div(&v("7"), &v("0.0"))), Kind::Arithmetic);
    assert_eq!(kind(ops::add(&Value::Int(i64::MAX), &v("1"))), Kind::Arithmetic);
    assert_eq!(kind(ops::mul(&Value::Int(i64::MAX), &v("2"))), Kind::Arithmetic);
    assert_eq!(kind(ops::mul(&v("1e300"), &v("1e300"))), Kind::Arithmetic);
    assert_eq!(kind(ops::neg(&Value::Int(i64::MIN))), Kind::Arithmetic);
    assert_eq!(kind(ops::add(&v("1"), &v("\"a\""))), Kind::Type);
    assert_eq!(
        ops::add(&v("\"a\""), &v("1")).unwrap_err().message,
        "cannot add string \"a\" and int 1; write \"${…}\" to put a value into text"
    );
    assert!(ops::compare(&Value::Int(i64::MAX), &Value::Float(9_223_372_036_854_775_808.0)).unwrap().is_lt());
    assert!(ops::compare(&v("2"), &v("1.5")).unwrap().is_gt());
    assert!(ops::compare(&v("1"), &v("\"1\"")).is_err());
}

#[test]
fn durations_and_times() {
    let (hour, at) = (Value::Duration(HOUR), Value::Time(json::parse_time("2030-01-07T09:00:00Z").unwrap()));
    let later = ops::add(&at, &hour).unwrap();
    assert_eq!(ops::render(&later).unwrap(), "2030-01-07T10:00:00Z");
    assert_eq!(ops::sub(&later, &at).unwrap(), hour);
    assert_eq!(ops::mul(&hour, &v("1.5")).unwrap(), Value::Duration(HOUR * 3 / 2));
    assert_eq!(ops::div(&hour, &v("4")).unwrap(), Value::Duration(HOUR / 4));
    assert_eq!(ops::div(&hour, &Value::Duration(HOUR / 2)).unwrap(), Value::Float(2.0));
    assert_eq!(kind(ops::add(&at, &at)), Kind::Type);
    assert_eq!(kind(ops::add(&at, &Value::Duration(i64::MAX))), Kind::Arithmetic);
    assert_eq!(kind(ops::mul(&hour, &v("1e300"))), Kind::Arithmetic);
}

#[test]
fn indices_and_slices() {
    let list = v("[1,2,3,4]");
    let slice = |start, end, inclusive| Value::from(Range { start, end, inclusive });
    assert_eq!(ops::index(&list, &v("-1")).unwrap(), v("4"));
    assert_eq!(kind(ops::index(&list, &v("4"))), Kind::Index);
    assert_eq!(kind(ops::index(&list, &v("-5"))), Kind::Index);
    assert_eq!(kind(ops::index(&list, &v("\"a\""))), Kind::Type);
    assert_eq!(ops::index(&list, &slice(Some(1), Some(3), false)).unwrap(), v("[2,3]"));
    assert_eq!(ops::index(&list, &slice(None, Some(-1), false)).unwrap(), v("[1,2,3]"));
    assert_eq!(ops::index(&list, &slice(Some(9), None, false)).unwrap(), v("[]"));
    assert_eq!(ops::index(&v("\"aä€b\""), &v("2")).unwrap(), v("\"€\""));
    assert_eq!(ops::index(&v("\"aä€b\""), &slice(Some(1), Some(2), true)).unwrap(), v("\"ä€\""));
    assert_eq!(ops::index(&v(r#"{"a":1}"#), &v("\"b\"")).unwrap(), Value::Null);
    assert_eq!(ops::index(&slice(Some(5), Some(8), true), &v("-1")).unwrap(), v("8"));
    assert!(ops::contains(&v("2.0"), &list).unwrap());
    assert!(ops::contains(&v("\"a\""), &v(r#"{"a":1}"#)).unwrap());
    assert!(ops::contains(&v("\"ä\""), &v("\"bär\"")).unwrap());
    assert!(ops::contains(&v("1"), &v("\"1\"")).is_err());
    let error = ops::field(&v(r#"{"Name":1}"#), &"name".into()).unwrap_err();
    assert_eq!(
        (error.kind.clone(), error.message.as_str()),
        (Kind::Key, "a record { Name } has no field `name`; did you mean `Name`?")
    );
    assert_eq!(ops::field_or_null(&v("{}"), &"name".into()).unwrap(), Value::Null);
}

#[test]
fn loops_go_through_lists_maps_and_ranges() {
    let rounds = |value: &Value| -> Vec<(Value, Value)> {
        (0..ops::iter_len(value).unwrap()).map(|round| ops::iter_next(value, round).unwrap()).collect()
    };
    assert_eq!(rounds(&v(r#"["a"]"#)), [(v("0"), v("\"a\""))]);
    assert_eq!(rounds(&v(r#"{"k":1}"#)), [(v("\"k\""), v("1"))]);
    let range = Value::from(Range { start: Some(3), end: Some(4), inclusive: true });
    assert_eq!(rounds(&range), [(v("0"), v("3")), (v("1"), v("4"))]);
    assert!(ops::iter_next(&range, 2).is_none());
    assert!(ops::iter_len(&v("1")).is_err());
}

#[test]
fn text_of_values() {
    let show = |value: &Value| ops::render(value).unwrap().to_string();
    assert_eq!(show(&v("1.0")), "1.0");
    assert_eq!(show(&v("1e300")), "1.0e300");
    assert_eq!(show(&v(r#"{"a":[1,"x",null]}"#)), r#"{"a":[1,"x",null]}"#);
    assert_eq!(show(&Value::Duration(90 * 60_000)), "1h30m");
    assert_eq!(kind(ops::render(&Value::Null).map(Value::Str)), Kind::Type);
    let secret = Value::from(Secret::named("KEY"));
    let joined = ops::concat(&[v("\"Bearer \""), secret.clone(), v("1")]).unwrap();
    assert_eq!(ops::display(&joined), "Bearer ‹secret KEY›1");
    let Value::Secret(template) = ops::add(&v("\"x\""), &secret).unwrap() else { panic!("a secret") };
    assert!(matches!(template.parts.as_slice(), [SecretPart::Text(_), SecretPart::Name(_)]));
    assert_eq!(kind(json::to_text(&secret, 0).map(Value::from)), Kind::Type);
}

#[test]
fn durations_are_written_as_literals() {
    for (millis, text) in [(0, "0s"), (250, "250ms"), (90_000, "1m30s"), (86_400_000 * 7, "7d"), (-HOUR, "-1h")] {
        assert_eq!(json::duration_text(millis), text);
        assert_eq!(json::parse_duration(text), Some(millis));
    }
    for millis in [i64::MIN, i64::MAX, 1, -1, 123_456_789] {
        assert_eq!(json::parse_duration(&json::duration_text(millis)), Some(millis));
    }
    for text in ["", "-", "1", "h", "1x", "1 h", "99999999999999999999d", "1h-", "1.5h"] {
        assert_eq!(json::parse_duration(text), None, "{text}");
    }
}

#[test]
fn json_goes_there_and_back() {
    for seed in 0..100 {
        let value = Random(seed).value(4, 10);
        if !value.is_data() || json::to_text(&value, 0).is_err() {
            continue;
        }
        let text = json::to_text(&value, 0).unwrap();
        let pretty = json::to_text(&value, 2).unwrap();
        let read = json::from_text(&text).unwrap();
        assert_eq!(read, json::from_text(&pretty).unwrap());
        assert_eq!(read, json::from_json(&json::to_json(&value).unwrap()).unwrap());
        assert_eq!(serde_json::from_str::<serde_json::Value>(&text).unwrap(), json::to_json(&value).unwrap());
    }
    assert_eq!(json::to_text(&v(r#"{"a":[],"b":[1]}"#), 2).unwrap(), "{\n  \"a\": [],\n  \"b\": [\n    1\n  ]\n}");
    for bad in
        ["", "{", "[1,]", "1 2", "nul", "\"\u{1}\"", "9223372036854775808", "[-99999999999999999999999]", "1e999"]
    {
        assert_eq!(kind(json::from_text(bad)), Kind::Json, "{bad}");
    }
    assert_eq!(v(r#"["18446744073709551616\"", 1e25]"#).as_list().unwrap().len(), 2);
    assert_eq!(v("-9223372036854775808"), Value::Int(i64::MIN));
    for len in 0..20usize {
        let bytes: Vec<u8> = (0..len as u8).map(|byte| byte.wrapping_mul(77)).collect();
        assert_eq!(json::base64_bytes(&json::base64_text(&bytes)), Some(bytes));
    }
    assert_eq!(json::base64_text(b"hello"), "aGVsbG8=");
    assert_eq!(json::base64_bytes("a"), None);
}

fn set(root: &mut Value, steps: &[PlaceStep<'_>], value: Value) -> Result<Value, Fault> {
    ops::place_set(root, steps, value).map(Value::from)
}

#[test]
fn places_change_in_place_and_only_there() {
    let mut root = v(r#"{"items":[{"n":1}],"m":{}}"#);
    let copy = root.clone();
    let (items, n, m, new) = (Str::from("items"), Str::from("n"), Str::from("m"), v("\"new\""));
    fn field(name: &Str) -> PlaceStep<'_> {
        PlaceStep::Field { name, lenient: false }
    }
    let (zero, nine, gone) = (v("0"), v("9"), v("\"gone\""));
    let at = |index| PlaceStep::Index(index);
    ops::place_update(&mut root, &[field(&items), at(&zero), field(&n)], Operator::Add, &v("41")).unwrap();
    set(&mut root, &[field(&m), at(&new)], v("true")).unwrap();
    assert_eq!(root, v(r#"{"items":[{"n":42}],"m":{"new":true}}"#));
    assert_eq!(copy, v(r#"{"items":[{"n":1}],"m":{}}"#));
    assert_eq!(ops::place_get(&root, &[field(&items), at(&zero), field(&n)]).unwrap(), v("42"));

    let before = root.clone();
    assert_eq!(kind(set(&mut root, &[field(&m), at(&gone), field(&n)], v("1"))), Kind::Key);
    assert_eq!(kind(set(&mut root, &[field(&items), at(&nine)], v("1"))), Kind::Index);
    assert_eq!(kind(set(&mut root, &[field(&items), field(&n)], v("1"))), Kind::Type);
    let update = ops::place_update(&mut root, &[field(&m), field(&n)], Operator::Add, &v("1"));
    assert_eq!(update.unwrap_err().kind, Kind::Key);
    let update = ops::place_update(&mut root, &[field(&items)], Operator::Add, &v("1"));
    assert_eq!(update.unwrap_err().kind, Kind::Type);
    assert_eq!(root, before);

    let program = Program::default();
    let context = NativeContext { program: &program };
    let push = native("list.push").unwrap();
    let mut args = [Value::Null, v("7")];
    ops::place_method(&mut root, &[field(&items)], &mut args, |args| push(&context, args)).unwrap();
    assert_eq!(ops::index(&root, &v("\"items\"")).unwrap(), v(r#"[{"n":42},7]"#));
    let mut args = [Value::Null, v("7")];
    let failed = ops::place_method(&mut root, &[field(&m)], &mut args, |args| push(&context, args));
    assert_eq!(kind(failed), Kind::Type);
    assert_eq!(ops::index(&root, &v("\"m\"")).unwrap(), v(r#"{"new":true}"#));
}

#[test]
fn places_copy_nothing_and_stay_below_the_limit() {
    let list = Str::from("list");
    let step = [PlaceStep::Field { name: &list, lenient: false }];
    let mut root = v(r#"{"list":[]}"#);
    let before = copies();
    for _ in 0..1000 {
        let mut args = [Value::Null, v("1")];
        let program = Program::default();
        let push = native("list.push").unwrap();
        ops::place_method(&mut root, &step, &mut args, |args| push(&NativeContext { program: &program }, args))
            .unwrap();
        ops::place_update(&mut root, &step, Operator::Add, &v("[2]")).unwrap();
    }
    assert_eq!(copies(), before);
    let mut deep = v("1");
    while deep.depth() < 255 {
        deep = Value::list(vec![deep]).unwrap();
    }
    let mut args = [Value::Null, deep.clone()];
    let program = Program::default();
    let push = native("list.push").unwrap();
    let pushed =
        ops::place_method(&mut root, &step, &mut args, |args| push(&NativeContext { program: &program }, args));
    assert_eq!(kind(pushed), Kind::Limit);
    assert_eq!(root.get("list").and_then(Value::as_list).unwrap().len(), 2000);
    set(&mut root, &step, deep).unwrap();
}

#[test]
fn errors_are_thrown_again_unchanged() {
    let thrown = Fault::from_value(&v("\"boom\""));
    assert_eq!((thrown.kind.clone(), thrown.message.as_str()), (Kind::Error, "boom"));
    let own = Fault::from_value(&v(r#"{"kind":"budget","data":{"left":0},"retryable":true}"#));
    assert_eq!(own.kind, Kind::Own("budget".into()));
    let record = own.into_value();
    assert_eq!(
        json::to_text(&record, 0).unwrap(),
        r#"{"kind":"budget","message":"budget","data":{"left":0},"retryable":true,"step":null,"trace":[]}"#
    );
    assert_eq!(Fault::from_value(&record).into_value(), record);
    assert!(Fault::new(Kind::Network, "down").retryable);
}

#[test]
fn natives_are_found_by_name() {
    assert!(NATIVES.is_sorted_by_key(|(name, _)| *name));
    let program = Program::default();
    let call =
        |name: &str, args: &[Value]| native(name).unwrap()(&NativeContext { program: &program }, &mut args.to_vec());
    assert_eq!(call("list.join", &[v(r#"["a","b"]"#), v("\", \"")]).unwrap(), v("\"a, b\""));
    assert_eq!(
        call("list.len", &[Value::from(Range { start: Some(1), end: Some(4), inclusive: true })]).unwrap(),
        v("4")
    );
    assert_eq!(call("string.len", &[v("\"ä€\"")]).unwrap(), v("2"));
    assert_eq!(call("map.keys", &[v(r#"{"b":1,"a":2}"#)]).unwrap(), v(r#"["b","a"]"#));
    assert_eq!(call("json.parse", &[v("\"[1]\""), Value::Missing]).unwrap(), v("[1]"));
    assert_eq!(kind(call("json.parse", &[v("\"[1\"")])), Kind::Json);
    let agent = Agent::new(0, Map::from_entries([(Str::from("model"), v("\"b\""))]).unwrap()).unwrap();
    let merged = call("agent._merge", &[v(r#"{"model":"a","tools":[]}"#), Value::from(agent)]).unwrap();
    assert_eq!(merged, v(r#"{"model":"b","tools":[]}"#));
    assert!(native("list.nothing").is_none());
}
