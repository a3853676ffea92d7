//! JSON Schemas (draft 2020-12) of types: for forms, for tools, for what a model answers.

use std::collections::BTreeMap;

use serde_json::{Map, Value as Json, json};
use wf_lang::program::{Field, Literal, TypeId, TypeKind, Types};

/// The schema of a type. Further fields of records are allowed, as everywhere.
pub fn schema(types: &Types, ty: TypeId) -> Json {
    let mut maker = Maker { types, closed: false, open: Vec::new(), named: BTreeMap::new() };
    let root = maker.schema(ty);
    maker.finish(root)
}

/// The schema of a type as models take it: nothing but the fields that are declared, all of them required, those that are
/// optional nullable; a root that is no record is wrapped in `{ value }`, see [`is_wrapped`].
pub fn closed_schema(types: &Types, ty: TypeId) -> Json {
    let mut maker = Maker { types, closed: true, open: Vec::new(), named: BTreeMap::new() };
    let root = maker.schema(ty);
    if !is_wrapped(types, ty) {
        return maker.finish(root);
    }
    let wrapped = json!({ "type": "object", "properties": { "value": root }, "required": ["value"], "additionalProperties": false });
    maker.finish(wrapped)
}

/// Whether a model is asked for `{ value }` instead of the type itself: models give records only.
pub fn is_wrapped(types: &Types, ty: TypeId) -> bool {
    !matches!(types.get(ty), TypeKind::Record(_))
}

struct Maker<'a> {
    types: &'a Types,
    closed: bool,
    /// The types under construction, each with whether it was met again inside itself.
    open: Vec<(TypeId, bool)>,
    /// The recursive types: name and schema.
    named: BTreeMap<TypeId, (String, Json)>,
}

impl Maker<'_> {
    fn finish(self, root: Json) -> Json {
        let mut root = root;
        // A recursive root stands at the root too: not everybody follows a reference there.
        if let Some(name) = root.get("$ref").and_then(Json::as_str).and_then(|at| at.strip_prefix("#/$defs/"))
            && let Some((_, body)) = self.named.values().find(|(known, _)| known == name)
        {
            root = body.clone();
        }
        if !self.named.is_empty() {
            let defs: Map<String, Json> = self.named.into_values().collect();
            put(&mut root, "$defs", Json::Object(defs));
        }
        root
    }

    fn schema(&mut self, ty: TypeId) -> Json {
        if let Some((name, _)) = self.named.get(&ty) {
            return reference(name);
        }
        if self.types.name(ty).is_none() {
            // A cycle goes through a type with a name: that is the one to refer to.
            let again = self.open.iter().filter(|(open, _)| *open == ty).count() > 1;
            return if again { json!({}) } else { self.open(ty).0 };
        }
        if let Some((_, recursive)) = self.open.iter_mut().find(|(open, _)| *open == ty) {
            *recursive = true;
            return reference(&self.name(ty));
        }
        let (made, recursive) = self.open(ty);
        if !recursive {
            return made;
        }
        let name = self.name(ty);
        let reference = reference(&name);
        self.named.insert(ty, (name, made));
        reference
    }

    /// The schema of a type, and whether the type was met inside itself.
    fn open(&mut self, ty: TypeId) -> (Json, bool) {
        self.open.push((ty, false));
        let mut made = self.kind(ty);
        if let Some(doc) = self.types.defs.get(ty.0 as usize).and_then(|def| def.doc.as_deref()) {
            put(&mut made, "description", doc.into());
        }
        (made, self.open.pop().is_some_and(|(_, recursive)| recursive))
    }

    /// The name of a type among the definitions; of several with one name, the later ones have their number in it.
    fn name(&self, ty: TypeId) -> String {
        let first = |name: &str| self.types.defs.iter().position(|def| def.name.as_deref() == Some(name));
        match self.types.name(ty) {
            Some(name) if first(name) == Some(ty.0 as usize) => name.into(),
            Some(name) => format!("{name}_{}", ty.0),
            None => format!("type_{}", ty.0),
        }
    }

    fn kind(&mut self, ty: TypeId) -> Json {
        match self.types.get(ty) {
            TypeKind::Never => json!({ "not": {} }),
            TypeKind::Null => json!({ "type": "null" }),
            TypeKind::Bool => json!({ "type": "boolean" }),
            TypeKind::Int => json!({ "type": "integer" }),
            TypeKind::Float => json!({ "type": "number" }),
            TypeKind::String => json!({ "type": "string" }),
            TypeKind::Duration if self.closed => json!({ "type": "string", "description": "a duration such as 1h30m" }),
            TypeKind::Duration => json!({ "type": "string", "pattern": "^-?([0-9]+(ms|s|m|h|d))+$" }),
            TypeKind::Time => json!({ "type": "string", "format": "date-time" }),
            TypeKind::Bytes => json!({ "type": "string", "contentEncoding": "base64" }),
            TypeKind::Literal(literal) => literals([Some(literal)].into_iter()),
            TypeKind::List(item) => json!({ "type": "array", "items": self.schema(*item) }),
            TypeKind::Map(item) => json!({ "type": "object", "additionalProperties": self.schema(*item) }),
            TypeKind::Record(fields) => self.record(fields),
            TypeKind::Union(members) => self.union(members),
            // What is no data has no schema; anything may stand there.
            _ => json!({}),
        }
    }

    fn record(&mut self, fields: &[Field]) -> Json {
        let mut properties = Map::new();
        let mut required = Vec::new();
        for field in fields {
            let mut made = self.schema(field.ty);
            if field.optional && self.closed {
                made = nullable(made);
            }
            if let Some(doc) = &field.doc {
                put(&mut made, "description", doc.as_str().into());
            }
            properties.insert(field.name.as_str().into(), made);
            if !field.optional || self.closed {
                required.push(Json::from(field.name.as_str()));
            }
        }
        let mut made = json!({ "type": "object", "properties": properties, "required": required });
        if self.closed {
            put(&mut made, "additionalProperties", false.into());
        }
        made
    }

    fn union(&mut self, members: &[TypeId]) -> Json {
        let types = self.types;
        let literal = |member: &TypeId| match types.get(*member) {
            TypeKind::Literal(literal) => Some(Some(literal)),
            TypeKind::Null => Some(None),
            _ => None,
        };
        if let Some(all) = members.iter().map(literal).collect::<Option<Vec<_>>>() {
            return literals(all.into_iter());
        }
        let members: Vec<Json> = members.iter().map(|member| self.schema(*member)).collect();
        json!({ "anyOf": members })
    }
}

/// An enumeration; `None` is null.
fn literals<'a>(all: impl Iterator<Item = Option<&'a Literal>>) -> Json {
    let values: Vec<Json> = all
        .map(|literal| match literal {
            None => Json::Null,
            Some(Literal::String(text)) => text.as_str().into(),
            Some(Literal::Int(number)) => (*number).into(),
            Some(Literal::Float(number)) => (*number).into(),
            Some(Literal::Bool(value)) => (*value).into(),
            Some(Literal::Duration(millis)) => crate::json::duration_text(*millis).into(),
        })
        .collect();
    if values.iter().all(Json::is_string) {
        json!({ "type": "string", "enum": values })
    } else if values.iter().all(Json::is_i64) {
        json!({ "type": "integer", "enum": values })
    } else {
        json!({ "enum": values })
    }
}

fn nullable(schema: Json) -> Json {
    match schema {
        Json::Object(fields) if fields.is_empty() => Json::Object(fields),
        Json::Object(mut fields) => match fields.get_mut("anyOf") {
            Some(Json::Array(members)) => {
                let null = json!({ "type": "null" });
                if !members.contains(&null) {
                    members.push(null);
                }
                Json::Object(fields)
            }
            _ => json!({ "anyOf": [fields, { "type": "null" }] }),
        },
        other => other,
    }
}

fn reference(name: &str) -> Json {
    json!({ "$ref": format!("#/$defs/{name}") })
}

fn put(schema: &mut Json, key: &str, value: Json) {
    if let Json::Object(fields) = schema {
        fields.insert(key.into(), value);
    }
}
