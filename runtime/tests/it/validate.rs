//! Values against types, and types as schemas.

use serde_json::json;
use wf_lang::program::{Field, Literal, Program, TypeDef, TypeId, TypeKind, Types};
use wf_runtime::json;
use wf_runtime::native::{NativeContext, native};
use wf_runtime::schema::{closed_schema, schema};
use wf_runtime::validate::{accepts, fits, fits_outside, show_type};
use wf_runtime::value::{Closure, Secret, Value};

struct Table(Types);

impl Table {
    fn new() -> Self {
        Self(Types { defs: vec![TypeDef { kind: TypeKind::Any, name: None, doc: None }] })
    }

    fn add(&mut self, kind: TypeKind) -> TypeId {
        self.0.defs.push(TypeDef { kind, name: None, doc: None });
        TypeId(self.0.defs.len() as u32 - 1)
    }

    fn named(&mut self, name: &str, kind: TypeKind) -> TypeId {
        let id = self.add(kind);
        self.0.defs[id.0 as usize].name = Some(name.into());
        id
    }

    fn text(&mut self, text: &str) -> TypeId {
        self.add(TypeKind::Literal(Literal::String(text.into())))
    }

    fn choice(&mut self, texts: &[&str]) -> TypeId {
        let members = texts.iter().map(|text| self.text(text)).collect();
        self.add(TypeKind::Union(members))
    }
}

fn field(name: &str, ty: TypeId) -> Field {
    Field { name: name.into(), ty, optional: false, doc: None }
}

fn optional(name: &str, ty: TypeId) -> Field {
    Field { optional: true, ..field(name, ty) }
}

fn v(text: &str) -> Value {
    json::from_text(text).unwrap()
}

/// `type Order = { items: [{ price: int, note?: string }] }`
fn orders(table: &mut Table) -> TypeId {
    let (int, string) = (table.add(TypeKind::Int), table.add(TypeKind::String));
    let item = table.add(TypeKind::Record(vec![field("price", int), optional("note", string)]));
    let items = table.add(TypeKind::List(item));
    table.named("Order", TypeKind::Record(vec![field("items", items)]))
}

#[test]
fn a_misfit_names_path_wanted_and_found() {
    let mut table = Table::new();
    let order = orders(&mut table);
    let misfit = |text: &str| fits(&table.0, order, v(text)).unwrap_err().to_string();
    assert_eq!(
        misfit(r#"{"items":[{"price":1},{"price":2},{"price":3},{"price":"12"}]}"#),
        "expected `int` at .items[3].price, found \"12\""
    );
    assert_eq!(misfit(r#"{"items":[{}]}"#), "expected `int` at .items[0].price, found nothing");
    assert_eq!(misfit(r#"{"items":[{"price":1,"note":2}]}"#), "expected `string` at .items[0].note, found 2");
    assert_eq!(misfit("[1,2]"), "expected `Order`, found a list of 2");
    assert_eq!(misfit(r#"{"items":[{"price":1.5}]}"#), "expected `int` at .items[0].price, found 1.5");
}

#[test]
fn numbers_are_brought_into_form_and_further_fields_kept() {
    let mut table = Table::new();
    let order = orders(&mut table);
    let value = fits(&table.0, order, v(r#"{"items":[{"price":3.0,"note":null,"more":[1]}],"x":{}}"#)).unwrap();
    assert_eq!(json::to_text(&value, 0).unwrap(), r#"{"items":[{"price":3,"note":null,"more":[1]}],"x":{}}"#);
    let float = table.add(TypeKind::Float);
    assert!(matches!(fits(&table.0, float, Value::Int(3)), Ok(Value::Int(3))));
    let int = table.add(TypeKind::Int);
    assert!(fits(&table.0, int, Value::Float(9_223_372_036_854_775_808.0)).is_err());
    assert!(!accepts(&table.0, int, &Value::Float(3.0)));
}

#[test]
fn texts_from_outside_become_durations_times_and_bytes() {
    let mut table = Table::new();
    let (duration, time, bytes) =
        (table.add(TypeKind::Duration), table.add(TypeKind::Time), table.add(TypeKind::Bytes));
    let all = table.add(TypeKind::Record(vec![field("d", duration), field("t", time), field("b", bytes)]));
    let value = v(r#"{"d":"1h30m","t":"2030-01-07T09:00:00Z","b":"aGVsbG8="}"#);
    let read = fits_outside(&table.0, all, value.clone()).unwrap();
    assert_eq!(read.get("d"), Some(&Value::Duration(5_400_000)));
    assert!(matches!(read.get("t"), Some(Value::Time(_))));
    assert!(matches!(read.get("b"), Some(Value::Bytes(_))));
    assert_eq!(json::to_text(&read, 0).unwrap(), json::to_text(&value, 0).unwrap());
    assert_eq!(fits(&table.0, all, value).unwrap_err().path, ".d");
    let string = table.add(TypeKind::String);
    let first = table.add(TypeKind::Union(vec![duration, string]));
    let last = table.add(TypeKind::Union(vec![string, duration]));
    assert!(matches!(fits_outside(&table.0, first, v("\"2s\"")), Ok(Value::Duration(2000))));
    assert!(matches!(fits_outside(&table.0, first, v("\"two\"")), Ok(Value::Str(_))));
    assert!(matches!(fits_outside(&table.0, last, v("\"2s\"")), Ok(Value::Str(_))));
}

#[test]
fn a_union_says_which_member_was_meant() {
    let mut table = Table::new();
    let (int, string, null) = (table.add(TypeKind::Int), table.add(TypeKind::String), table.add(TypeKind::Null));
    let (a, b) = (table.text("a"), table.text("b"));
    let one = table.named("One", TypeKind::Record(vec![field("kind", a), field("n", int)]));
    let two = table.named("Two", TypeKind::Record(vec![field("kind", b), field("s", string)]));
    let both = table.add(TypeKind::Union(vec![one, two, null]));
    let misfit = |text: &str| fits(&table.0, both, v(text)).unwrap_err().to_string();
    assert_eq!(misfit(r#"{"kind":"b","s":1}"#), "expected `string` at .s, found 1");
    assert_eq!(misfit(r#"{"kind":"c"}"#), "expected `One | Two | null`, found a record { kind }");
    assert_eq!(misfit("1"), "expected `One | Two | null`, found 1");
    assert!(fits(&table.0, both, Value::Null).is_ok());
    let maybe = table.add(TypeKind::Union(vec![one, null]));
    assert_eq!(show_type(&table.0, maybe), "One?");
    let misfit = fits(&table.0, maybe, v(r#"{"kind":"a"}"#)).unwrap_err().to_string();
    assert_eq!(misfit, "expected `int` at .n, found nothing");
}

#[test]
fn what_is_no_data_does_not_fit_any() {
    let mut table = Table::new();
    let payload = table.add(TypeKind::Payload);
    let secret = Value::from(Secret::named("KEY"));
    let inside = Value::list(vec![secret]).unwrap();
    let closure = Value::from(Closure::new(wf_lang::program::FunctionId(0), Vec::new()).unwrap());
    assert!(fits(&table.0, Types::ANY, inside.clone()).is_err());
    assert!(fits(&table.0, payload, inside).is_ok());
    let inside = Value::record([("f", closure)]).unwrap();
    assert!(fits(&table.0, payload, inside.clone()).is_err());
    let list = table.add(TypeKind::List(Types::ANY));
    assert!(fits(&table.0, list, Value::list(vec![inside]).unwrap()).is_err());
}

#[test]
fn recursive_types_are_checked_and_shown() {
    let mut table = Table::new();
    let tree = table.named("Tree", TypeKind::Any);
    let children = table.add(TypeKind::List(tree));
    let int = table.add(TypeKind::Int);
    table.0.defs[tree.0 as usize].kind = TypeKind::Record(vec![field("n", int), optional("children", children)]);
    table.0.defs[tree.0 as usize].doc = Some("A tree.".into());
    let misfit = fits(&table.0, tree, v(r#"{"n":1,"children":[{"n":2,"children":[{"n":"x"}]}]}"#)).unwrap_err();
    assert_eq!(misfit.path, ".children[0].children[0].n");
    let node = json!({
        "type": "object",
        "properties": { "n": { "type": "integer" }, "children": { "type": "array", "items": { "$ref": "#/$defs/Tree" } } },
        "required": ["n"],
        "description": "A tree.",
    });
    let mut root = node.clone();
    root["$defs"] = json!({ "Tree": node });
    assert_eq!(schema(&table.0, tree), root);
    assert_eq!(
        schema(&table.0, children),
        json!({ "type": "array", "items": { "$ref": "#/$defs/Tree" }, "$defs": { "Tree": node } })
    );
}

#[test]
fn schemas_for_models_are_closed() {
    let mut table = Table::new();
    let (int, string) = (table.add(TypeKind::Int), table.add(TypeKind::String));
    let decision = table.choice(&["approve", "reject"]);
    let review = table.add(TypeKind::Record(vec![
        Field { doc: Some("One to ten.".into()), ..field("score", int) },
        optional("comment", string),
        optional("decision", decision),
    ]));
    assert_eq!(
        closed_schema(&table.0, review),
        json!({
            "type": "object",
            "properties": {
                "score": { "type": "integer", "description": "One to ten." },
                "comment": { "anyOf": [{ "type": "string" }, { "type": "null" }] },
                "decision": { "anyOf": [{ "type": "string", "enum": ["approve", "reject"] }, { "type": "null" }] },
            },
            "required": ["score", "comment", "decision"],
            "additionalProperties": false,
        })
    );
    assert_eq!(
        closed_schema(&table.0, decision),
        json!({
            "type": "object",
            "properties": { "value": { "type": "string", "enum": ["approve", "reject"] } },
            "required": ["value"],
            "additionalProperties": false,
        })
    );
    assert_eq!(schema(&table.0, decision), json!({ "type": "string", "enum": ["approve", "reject"] }));
    let list = table.add(TypeKind::List(decision));
    let list = schema(&table.0, list);
    assert_eq!(list, json!({ "type": "array", "items": { "type": "string", "enum": ["approve", "reject"] } }));
}

#[test]
fn answers_are_found_in_what_a_model_says() {
    let mut table = Table::new();
    let order = orders(&mut table);
    let decision = table.choice(&["approve", "reject"]);
    let program = Program { types: table.0, ..Program::default() };
    let read = |text: &str, ty: Value| {
        let mut args = [Value::str(text), ty];
        let value = native("agent._read_answer").unwrap()(&NativeContext { program: &program }, &mut args).unwrap();
        json::to_text(&value, 0).unwrap()
    };
    assert_eq!(read("free text", Value::Null), r#"{"ok":true,"value":"free text"}"#);
    let found = r#"{"ok":true,"value":{"items":[]}}"#;
    for text in [
        r#" {"items":[]} "#,
        "Here you are:\n```json\n{\"items\": []}\n```\nAnything else?",
        r#"The order is {"items": []}, as you said."#,
    ] {
        assert_eq!(read(text, Value::Type(order)), found);
    }
    for text in [r#"{"value":"approve"}"#, "\"approve\"", "approve\n", "```\n{\"value\": \"approve\"}\n```"] {
        assert_eq!(read(text, Value::Type(decision)), r#"{"ok":true,"value":"approve"}"#);
    }
    let reason = read(r#"{"items":[{"price":"x"}]}"#, Value::Type(order));
    assert_eq!(reason, r#"{"ok":false,"reason":"expected `int` at .items[0].price, found \"x\""}"#);
    assert!(read("I cannot", Value::Type(order)).contains("expected JSON of `Order`"));
    assert!(read(r#"{"value":"maybe"}"#, Value::Type(decision)).contains("found \\\"maybe\\\""));
}
