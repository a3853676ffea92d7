//! A question to a person: what is published of it, and how its answer is read.

use serde_json::{Value as Json, json};
use wf_lang::program::{TypeId, Types};

use crate::{
    effect::{Effect, Hold, Question},
    fault::{Fault, Kind},
    json::{self, time_text},
    machine::Outcome,
    schema::schema,
    store::{Millis, RequestRow, RunId},
    validate::fits_outside,
    value::Value,
};

/// An open request of a run in progress.
#[derive(Clone, Debug)]
pub struct Request {
    /// Its id.
    pub id: String,
    /// What is published of it.
    pub json: Json,
    /// When it was asked.
    pub asked_at: Millis,
    /// When it times out.
    pub due_at: Option<Millis>,
    /// The type that an answer has to fit.
    pub answer: TypeId,
    /// The fiber and the effect that wait for it.
    pub waits: (u32, u64),
}

impl Request {
    /// The request that an effect asks: its arguments are those of the library's `_request`.
    ///
    /// # Errors
    /// A fault of kind `request` when the arguments make no request.
    pub fn new(effect: &Effect, run: &RunId, types: &Types) -> Result<Self, Fault> {
        if let Hold::Asks(question) = &effect.hold {
            return Self::decision(effect, question, run, types);
        }
        let wrong = |what: &str| Fault::new(Kind::Request, format!("a request needs {what}"));
        let [data, ty, id, title, to, timeout, asked_at] = effect.args.as_slice() else {
            return Err(wrong("data, a type and options"));
        };
        let Value::Type(answer) = ty else { return Err(wrong("the type of its answer")) };
        let asked_at = asked_at.as_time().ok_or_else(|| wrong("the moment at which it is asked"))?;
        let due_at = match timeout {
            Value::Null => None,
            timeout => Some(asked_at + timeout.as_duration().ok_or_else(|| wrong("a duration as its timeout"))?),
        };
        let text = |value: &Value| value.as_str().map(str::to_owned);
        let id = text(id).unwrap_or_else(|| own_id("request", effect, run));
        let json = json!({
            "id": id,
            "data": json::to_json(data)?,
            "schema": schema(types, *answer),
            "title": text(title),
            "to": text(to),
            "path": effect.path.as_str(),
            "asked_at": time_text(asked_at),
            "due_at": due_at.map(time_text),
        });
        Ok(Self { id, json, asked_at, due_at, answer: *answer, waits: (effect.fiber, effect.id) })
    }

    /// What a person is asked about a call that may have happened.
    fn decision(effect: &Effect, question: &Question, run: &RunId, types: &Types) -> Result<Self, Fault> {
        let id = own_id("on_crash", effect, run);
        let step = question.data.get("on_crash").and_then(Value::as_str).unwrap_or_default();
        let title = format!("`{step}` was stopped while `{}` was under way, and it may have happened", effect.called());
        let json = json!({
            "id": id,
            "data": json::to_json(&question.data)?,
            "schema": schema(types, question.answer),
            "title": title,
            "to": null,
            "path": effect.path.as_str(),
            "asked_at": time_text(question.asked_at),
            "due_at": null,
        });
        let (answer, waits) = (question.answer, (effect.fiber, effect.id));
        Ok(Self { id, json, asked_at: question.asked_at, due_at: None, answer, waits })
    }

    /// The row that the store keeps of it.
    pub fn row(&self) -> RequestRow {
        RequestRow { id: self.id.clone(), json: self.json.to_string(), asked_at: self.asked_at }
    }

    /// Reads an answer.
    ///
    /// # Errors
    /// Why it does not fit, with the path to the part that does not.
    pub fn read(&self, types: &Types, answer: &Json) -> Result<Value, String> {
        let value = json::from_json(answer).map_err(|fault| fault.message.as_str().to_owned())?;
        fits_outside(types, self.answer, value).map_err(|misfit| misfit.to_string())
    }

    /// What a request comes to whose time is over.
    pub fn timed_out(&self) -> Outcome {
        Err(Fault::new(Kind::Timeout, format!("nobody answered request `{}` in time", self.id)))
    }
}

/// A UUID made from the run and the call: the same call has the same id, whenever it is asked.
fn own_id(what: &str, effect: &Effect, run: &RunId) -> String {
    let mut hash = blake3::Hasher::new();
    hash.update(what.as_bytes());
    hash.update(effect.key(run).as_bytes());
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&hash.finalize().as_bytes()[..16]);
    uuid::Builder::from_custom_bytes(bytes).into_uuid().to_string()
}
