//! JSON as others read it: texts that are nearly JSON, read here and by another reader.

use wf_runtime::json::{from_json, from_text, to_json};

use crate::random::Random;

/// What texts are put together from: records that are alike and not, escapes, and numbers at every edge.
const PARTS: [&str; 44] = [
    "{",
    "}",
    "[",
    "]",
    ",",
    ":",
    " ",
    "\n",
    "\"",
    "null",
    "true",
    "false",
    "nul",
    "0",
    "-0",
    "01",
    "7",
    "-12",
    "1.5",
    "1.",
    ".5",
    "1e3",
    "1E-2",
    "1e",
    "-",
    "123456789012345678",
    "1234567890123456789",
    "9223372036854775807",
    "-9223372036854775808",
    "9223372036854775808",
    "1e400",
    "\"a\"",
    "\"\\u00e4\"",
    "\"\\ud834\\udd1e\"",
    "\"\\ud834\"",
    "\"\\x\"",
    "\"a\\\"b\"",
    "\"é\"",
    "\"\t\"",
    "{\"a\":1,\"b\":2}",
    "{\"a\":3,\"b\":{\"a\":4}}",
    "{\"a\":1,\"a\":2}",
    "{\"b\":1,\"a\":2,\"c\":[]}",
    "{\"a\\\"b\":1}",
];

#[test]
fn texts_mean_what_they_mean_to_others() {
    for seed in 0..3_000 {
        let mut random = Random(seed);
        let count = 1 + random.below(12);
        let text: String = (0..count).map(|_| PARTS[random.below(PARTS.len())]).collect();
        same(&text);
        same(&format!("[{}]", list(&mut random)));
    }
}

/// Elements with commas between them, so that most are fine by themselves.
fn list(random: &mut Random) -> String {
    let element = |random: &mut Random| PARTS[9 + random.below(PARTS.len() - 9)];
    let elements: Vec<&str> = (0..random.below(6)).map(|_| element(random)).collect();
    elements.join(", ")
}

/// Whether both read a text, and then as the same value.
fn same(text: &str) {
    let theirs = serde_json::from_str::<serde_json::Value>(text).ok();
    let ours = from_text(text);
    if let Err(fault) = &ours
        && fault.message.as_str().contains("out of range")
    {
        // An integer that does not fit is refused here; theirs has become a float.
        assert!(theirs.as_ref().is_none_or(is_large), "{text}");
        return;
    }
    let (theirs, ours) = (theirs.and_then(|json| from_json(&json).ok()), ours.ok());
    assert_eq!(ours, theirs, "{text}");
    // Whichever was read first, keys come in the same order.
    assert_eq!(ours.and_then(|value| to_json(&value).ok()), theirs.and_then(|value| to_json(&value).ok()), "{text}");
}

/// Whether there is a number in it that is too large for an int.
fn is_large(json: &serde_json::Value) -> bool {
    match json {
        serde_json::Value::Number(number) => number.as_f64().is_some_and(|float| float.abs() >= 9.2e18),
        serde_json::Value::Array(items) => items.iter().any(is_large),
        serde_json::Value::Object(fields) => fields.values().any(is_large),
        _ => false,
    }
}

#[test]
fn records_that_begin_alike_keep_their_own_keys() {
    let text = r#"[{"a":1,"b":2},{"a":3,"b":4},{"a":5},{"a":6,"b":7,"c":8},{"a":9,"c":10},{},{"a":11,"b":12}]"#;
    let read = from_text(text).expect("JSON");
    assert_eq!(to_json(&read).expect("data").to_string(), text);
}
