//! Values on the command line and at prompts: text where the type takes text, else JSON.

use serde_json::Value as Json;

/// Reads a value against the JSON Schema of the type that it is meant for.
///
/// # Errors
/// That it is no JSON where JSON is needed, and how to write it.
pub(crate) fn read(text: &str, schema: &Json) -> Result<Json, String> {
    if takes_text(schema) {
        // Nobody could answer null otherwise.
        let null = text == "null" && takes_null(schema);
        return Ok(if null { Json::Null } else { Json::String(text.to_owned()) });
    }
    serde_json::from_str(text).map_err(|_| match schema["type"].as_str() {
        Some(wanted) => format!("expected {} as JSON, found `{text}`", with_article(wanted)),
        None => format!("expected JSON, found `{text}`; text is written in double quotes"),
    })
}

fn with_article(wanted: &str) -> String {
    let article = if wanted.starts_with(['a', 'e', 'i', 'o', 'u']) { "an" } else { "a" };
    format!("{article} {wanted}")
}

/// Whether every value of a type, but for null, is text: strings, unions of strings, times, durations.
pub(crate) fn takes_text(schema: &Json) -> bool {
    if let Some(values) = schema["enum"].as_array() {
        return values.iter().any(Json::is_string) && values.iter().all(|value| value.is_string() || value.is_null());
    }
    if let Some(constant) = schema.get("const") {
        return constant.is_string();
    }
    if let Some(members) = schema["anyOf"].as_array() {
        let mut others = members.iter().filter(|member| member["type"] != "null").peekable();
        return others.peek().is_some() && others.all(takes_text);
    }
    match &schema["type"] {
        Json::String(one) => one == "string",
        Json::Array(many) => {
            let mut others = many.iter().filter(|one| *one != "null").peekable();
            others.peek().is_some() && others.all(|one| one == "string")
        }
        _ => false,
    }
}

/// Whether null is a value of a type.
fn takes_null(schema: &Json) -> bool {
    let among = |values: &Json| values.as_array().is_some_and(|values| values.iter().any(|value| value == "null"));
    let member = |schema: &Json| schema["anyOf"].as_array().is_some_and(|members| members.iter().any(takes_null));
    schema["type"] == "null"
        || among(&schema["type"])
        || member(schema)
        || schema["enum"].as_array().is_some_and(|v| v.contains(&Json::Null))
}

/// An answer as a shell takes it, for the commands that are shown: the first choice, or VALUE.
pub(crate) fn example(schema: &Json) -> String {
    let first = choices(schema).and_then(|choices| choices.first().cloned());
    first.map_or_else(|| "VALUE".into(), |example| crate::place::quoted(&example))
}

/// What an answer may be, for people: `approve or reject`, `text`, `yes or no`.
pub(crate) fn hint(schema: &Json) -> String {
    if let Some(choices) = choices(schema) {
        return choices.join(" or ");
    }
    if takes_text(schema) {
        return if takes_null(schema) { "text or null".into() } else { "text".into() };
    }
    match schema["type"].as_str() {
        Some("boolean") => "true or false".into(),
        Some("integer") => "a whole number".into(),
        Some("number") => "a number".into(),
        Some("object") => {
            let fields = schema["properties"].as_object().map(|fields| fields.keys().cloned().collect::<Vec<_>>());
            format!("a JSON object with {}", fields.unwrap_or_default().join(", "))
        }
        Some("array") => "a JSON list".into(),
        _ => "JSON".into(),
    }
}

/// The values of a union of literals.
pub(crate) fn choices(schema: &Json) -> Option<Vec<String>> {
    let values = schema["enum"].as_array()?;
    Some(values.iter().map(|value| value.as_str().map_or_else(|| value.to_string(), str::to_owned)).collect())
}

/// A value as people read it: text as it is, the rest as JSON.
pub(crate) fn shown(value: &Json) -> String {
    match value {
        Json::String(text) => text.clone(),
        Json::Object(_) | Json::Array(_) => serde_json::to_string_pretty(value).unwrap_or_default(),
        other => other.to_string(),
    }
}

/// What a person is asked: the title, and the data.
pub(crate) fn question(request: &Json) -> String {
    let data = match &request["data"] {
        Json::String(text) => text.clone(),
        data => data.to_string(),
    };
    let to = request["to"].as_str().map(|to| format!("for {to}: ")).unwrap_or_default();
    match request["title"].as_str() {
        Some(title) => format!("{to}{title}: {data}"),
        None => format!("{to}{data}"),
    }
}
