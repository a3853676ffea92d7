//! What agents say.

use wf_lang::program::{TypeId, TypeKind, Types};

use super::{
    NativeContext,
    args::{arg, text, wrong},
};
use crate::fault::Fault;
use crate::json;
use crate::schema::is_wrapped;
use crate::validate::{fits_outside, show_type};
use crate::value::Value;

/// `_merge(settings, agent)`: the settings of the declaration with the changes of the agent.
pub(super) fn merge(_: &NativeContext<'_>, args: &mut [Value]) -> Result<Value, Fault> {
    let Value::Agent(agent) = arg(args, 1) else { return Err(wrong("an agent", arg(args, 1))) };
    let changes = agent.changes().clone();
    match args.first_mut().map(Value::take) {
        Some(Value::Map(mut settings)) => {
            settings.extend(&changes)?;
            Ok(Value::Map(settings))
        }
        other => Err(wrong("a record", &other.unwrap_or_default())),
    }
}

/// `_read_answer(text, type)`: `{ ok: true, value }`, or `{ ok: false, reason }` for what the model is told.
pub(super) fn read_answer(context: &NativeContext<'_>, args: &mut [Value]) -> Result<Value, Fault> {
    let answer = text(args, 0)?;
    let types = &context.program.types;
    let read = match arg(args, 1) {
        Value::Null => Ok(Value::Str(answer.clone())),
        Value::Type(ty) if *types.get(*ty) == TypeKind::String => Ok(Value::Str(answer.clone())),
        Value::Type(ty) => read(types, *ty, answer),
        other => return Err(wrong("a type", other)),
    };
    match read {
        Ok(value) => Value::record([("ok", Value::Bool(true)), ("value", value)]),
        Err(reason) => Value::record([("ok", Value::Bool(false)), ("reason", reason.into())]),
    }
}

/// The value that an answer stands for, wherever in it: all of it, what is fenced in it, or from its first bracket to its
/// last. The reason is that of the first of them that is JSON.
pub(crate) fn read(types: &Types, ty: TypeId, answer: &str) -> Result<Value, String> {
    if *types.get(ty) == TypeKind::String {
        return Ok(Value::str(answer));
    }
    let mut reason = None;
    for candidate in [Some(answer.trim()), fenced(answer), between(answer, '{', '}'), between(answer, '[', ']')] {
        let Some(value) = candidate.and_then(|text| json::from_text(text).ok()) else { continue };
        let unwrapped = match value.as_map() {
            Some(map) if is_wrapped(types, ty) && map.len() == 1 => map.get("value").cloned(),
            _ => None,
        };
        for value in unwrapped.into_iter().chain([value]) {
            match fits_outside(types, ty, value) {
                Ok(value) => return Ok(value),
                Err(misfit) => reason = reason.or_else(|| Some(misfit.to_string())),
            }
        }
    }
    // A choice between words may come without quotes.
    if let Ok(value) = fits_outside(types, ty, Value::str(answer.trim())) {
        return Ok(value);
    }
    Err(reason.unwrap_or_else(|| format!("expected JSON of `{}`, found text that is none", show_type(types, ty))))
}

/// What stands in the first fence.
fn fenced(answer: &str) -> Option<&str> {
    let (_, inside) = answer.split_once("```")?;
    let (_, body) = inside.split_once('\n')?;
    body.split_once("```").map(|(body, _)| body.trim())
}

fn between(answer: &str, open: char, close: char) -> Option<&str> {
    answer.get(answer.find(open)?..=answer.rfind(close)?)
}
